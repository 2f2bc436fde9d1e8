# ruff: noqa: E501 - tables and patterns read better on one line
"""Thai, Indian and Korean identifiers as people write them, beside what Presidio ships for them.

Presidio's know one way of writing each and few words; these add the groups with dashes and spaces
that stand on the cards, and what the numbers are called in English and French.
"""

from guardrails.detect.recognizers.checks import nric, stdnum
from guardrails.detect.recognizers.shape import Shape

SHAPES = (
    Shape(
        "SG_NRIC_FIN", "sg-nric", r"(?<![\w.\-])[STFGM]\d{7}[A-Z](?![\w\-])",
        "It has the check letter of a Singapore identity number.", 0.85, 0.97, cased=True,
        check=nric, context=("nric", "fin", "singapore", "singapour"), needs="0",
    ),
    Shape(
        "TH_TNIN", "th-tnin-grouped",
        r"(?<![\w.\-])[1-9][- ]\d{4}[- ]\d{5}[- ]\d\d[- ]\d(?![\w\-])",
        "It has the groups and the check digit of a Thai identity number.", 0.9, 0.98,
        check=stdnum("th.pin"), context=("thai", "thaï", "thaïlandais", "thaïlandaise", "tnin", "thailand"),
        needs="0",
    ),
    Shape(
        "TH_TNIN", "th-tnin", r"(?<![\w.\-])[1-9]\d{12}(?![\w\-]|\.\d)",
        "It has the check digit of a Thai identity number, and the text says so.", 0.0, 0.95,
        check=stdnum("th.pin"),
        context=("thai", "thaï", "thaïlandais", "thaïlandaise", "tnin", "thailand", "เลขประจำตัวประชาชน", "บัตรประชาชน"),
        needs="0",
    ),
    Shape(
        "IN_AADHAAR", "in-aadhaar", r"(?<![\w.\-])[2-9]\d{3}[- ]?\d{4}[- ]?\d{4}(?![\w\-]|[ .]\d)",
        "It has the check digit of an Aadhaar number, and the text says so.", 0.0, 0.96,
        check=stdnum("in_.aadhaar"), context=("aadhaar", "aadhar", "uidai", "uid", "आधार"),
        needs="0",
    ),
    Shape(
        # since October 2020 the last six digits are random: no check digit to ask for
        "KR_RRN", "kr-rrn",
        r"(?<![\w.\-])\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[- ]?[1-8]\d{6}(?![\w\-]|\.\d)",
        "It has the form of a Korean resident number, and the text says so.", 0.0, 0.93,
        context=("rrn", "resident registration", "korean", "korea", "coréen", "coréenne", "주민등록번호", "주민번호"),
        needs="0",
    ),
)  # fmt: skip
