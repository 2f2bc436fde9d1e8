# ruff: noqa: E501 - tables and patterns read better on one line
"""Find keys, tokens and passwords in one text. Knows nothing of personal data.

Two ways: the forms that providers give their keys (`secret_formats`), and values with the entropy
of a key that stand beside a word such as "password" or "api_key".
"""

import math
import re
from collections import Counter
from functools import cache

from guardrails.detect.recognizers.ordinary import words_only
from guardrails.detect.secret_formats import FORMATS, Format
from guardrails.findings import Finding
from guardrails.normalize import normalize

_LABEL = re.compile(
    r"(?i)(?<![a-z0-9])(?P<label>[\w.\-]{0,32}?(?:passwords?|passwd|passphrase|pwd|mot de passe|mots de passe|mdp|"
    r"api[ _\-]?keys?|apikey|secret[ _\-]?keys?|client[ _\-]?secret|secrets?|access[ _\-]?tokens?|auth[ _\-]?tokens?|"
    r"refresh[ _\-]?tokens?|tokens?|jeton|private[ _\-]?key|encryption[ _\-]?key|signing[ _\-]?key|access[ _\-]?key|"
    r"cl[ée] (?:api|secr[èe]te|d['’]acc[èe]s|priv[ée]e)|credentials?|identifiants?)[\w.\-]{0,16})"
    r"[\"'`]?(?P<sep>\s{0,3}(?:=>?|:=?)\s{0,3}| is | est | = |\s{0,2}->\s{0,2})"
    r"(?P<quote>[\"'`«]?\s?)(?P<v>[^\s\"'`<>,;«»]{6,512})"
)
_PASSWORD_LABEL = re.compile(r"(?i)pass|pwd|mdp|mot")
# a value that names where the secret is kept, or stands for one
_PLACEHOLDER = re.compile(
    r"(?i)^(?:\$\{?|\{\{|%|<|\[|process\.env|os\.environ|env\.|getenv|secrets?\.|vault:|config\.|settings\.|"
    r"self\.|this\.|None|null|undefined|true|false|example|changeme|your[_\-]|xxx|\*{3}|\.{3}|…|placeholder|redacted|"
    r"my[_\-]?(?:password|secret|key)|str$|string|bytes|int$|optional|required|obligatoire|incorrect|invalid|expired|"
    r"expir|oubli|perdu|lost|forgotten|hidden|masqu)|^[x*•.\-_]+$|\($|\(\)"
)
_CODE = re.compile(r"[A-Za-z_][\w.]*[\[(]")  # a type or a call in source code
_WORDLIKE = re.compile(r"^[A-Za-zÀ-ÿ][a-zà-ÿ'’]*[.!?:)]*$")


def entropy(value: str) -> float:
    """Shannon entropy in bits per character."""
    total = len(value)
    return -sum(n / total * math.log2(n / total) for n in Counter(value).values())


@cache
def _compiled() -> list[tuple[Format, re.Pattern[str]]]:
    return [(format_, re.compile(format_.pattern)) for format_ in FORMATS]


def find(text: str) -> list[Finding]:
    """Secrets in `text`: sorted, non-overlapping, offsets into `text` as given. Kind is SECRET."""
    normalized = normalize(text)
    plain = normalized.text
    lower = plain.lower()
    candidates: list[Finding] = []
    for format_, pattern in _compiled():
        if not any(literal in lower for literal in format_.needs):
            continue
        for match in pattern.finditer(plain):
            start, end = match.span("v") if "v" in pattern.groupindex else match.span()
            value = plain[start:end]
            if entropy(value) < format_.entropy or _stands_for(value):
                continue
            why = f"It has the form of a secret: {format_.name}."
            candidates.append(Finding(start, end, "SECRET", 0.95, _slug(format_.name), why))
    candidates.extend(_labelled(plain))
    kept: list[Finding] = []
    for finding in sorted(candidates, key=lambda f: (-f.score, f.start - f.end, f.start)):
        if all(finding.end <= k.start or k.end <= finding.start for k in kept):
            kept.append(finding)
    return sorted(
        Finding(*normalized.span(f.start, f.end), f.kind, f.score, f.detector, f.explanation)
        for f in kept
    )


def _labelled(text: str) -> list[Finding]:
    found = []
    for match in _LABEL.finditer(text):
        value = match.group("v").rstrip(".!?):]}")
        start = match.start("v")
        quoted = bool(match.group("quote").strip())
        if len(value) < 6 or _PLACEHOLDER.search(value) or _stands_for(value):
            continue
        if not quoted and _CODE.match(value):
            continue
        password = bool(_PASSWORD_LABEL.search(match.group("label")))
        if _plausible(value, password, quoted, match.group("sep").strip() in ("is", "est")):
            found.append(
                Finding(start, start + len(value), "SECRET", 0.8, "labelled-secret",
                        "It stands beside a word such as password or key and looks random.")
            )  # fmt: skip
    return found


def _plausible(value: str, password: bool, quoted: bool, prose: bool) -> bool:
    classes = sum(
        (
            any(c.islower() for c in value),
            any(c.isupper() for c in value),
            any(c.isdigit() for c in value),
            any(not c.isalnum() for c in value),
        )
    )
    if _WORDLIKE.match(value) or value.startswith(("http://", "https://", "/", "./")):
        one_word = words_only(value)  # "password": "Choose", as in a file of translations
        return password and quoted and not prose and not value.islower() and not one_word
    if password:
        return classes >= 3 or (
            classes == 2 and len(value) >= 8 and any(c.isdigit() for c in value)
        )
    return (
        len(value) >= 16
        and classes >= 2
        and any(c.isdigit() for c in value)
        and entropy(value) >= 3.0
    )


def _stands_for(value: str) -> bool:
    """A dummy: few different characters, or one of the words that documentation uses.

    EXAMPLE in capitals is none: it ends keys that documentation gives in their real form, and
    whoever tries those here expects to see them masked.
    """
    lower = value.lower()
    return (
        len(set(value)) <= 4
        or any(word in value for word in ("example", "Example"))
        or any(
            word in lower
            for word in ("xxxxxx", "your_", "your-", "placeholder", "<", "****", "......")
        )
    )


def _slug(name: str) -> str:
    return "secret-" + re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
