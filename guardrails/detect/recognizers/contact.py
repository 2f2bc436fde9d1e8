# ruff: noqa: E501 - tables and patterns read better on one line
"""E-mail addresses, links, network addresses."""

from guardrails.detect.recognizers.checks import address_v6
from guardrails.detect.recognizers.shape import Shape

# Generic and common national top-level domains for links written without a scheme.
_TLD = (
    "com|org|net|edu|gov|mil|int|info|biz|io|dev|app|ai|co|me|tv|eu|fr|de|uk|us|ca|ch|be|lu|es|it|pt|"
    "nl|at|pl|se|no|fi|dk|ie|cz|hu|gr|ro|bg|hr|si|sk|ee|lv|lt|jp|cn|in|br|au|nz|za|ru|ua|tr|mx|ar|"
    "cl|kr|sg|hk|tw|il|cloud|online|shop|site|store|tech|xyz|gouv|gal|cat|paris|bzh|re"
)

SHAPES = (
    Shape(
        "EMAIL_ADDRESS",
        "email",
        r"(?<![\w.+\-])[\w.!#$%&'*+/=?^`{|}~\-]{1,64}(?<!\.)@(?:[\w](?:[\w\-]{0,62}[\w])?\.){1,8}"
        r"(?:xn--[a-z0-9\-]{2,59}|[^\W\d_]{2,24})(?![\w@])",
        "It has the form of an e-mail address.",
        1.0,
        1.0,
        needs="@",
    ),
    Shape(
        "URL",
        "link",
        r"(?<![\w@])(?:https?|ftps?|sftp|ssh|wss?)://[^\s<>\"'`{}|\\^]{2,2000}(?<![.,;:!?)\]])",
        "It is a link.",
        0.85,
        0.85,
        needs=":",
    ),
    Shape(
        "URL",
        "bare-link",
        rf"(?<![\w@./\-])(?:www\.)?(?:[a-z0-9](?:[a-z0-9\-]{{0,62}}[a-z0-9])?\.){{1,6}}(?:{_TLD})"
        r"(?![\w@\-]|\.\w)(?::\d{2,5})?(?:/[^\s<>\"']{0,500}(?<![.,;:!?)\]]))?",
        "It is a link without a scheme.",
        0.6,
        0.6,
        needs=".",
    ),
    Shape(
        "IP_ADDRESS",
        "ipv4",
        r"(?=\d)(?<![\w.:])(?<!version )(?<!revision )(?<!release )(?<!firmware )(?<!chapter )(?<!section )(?<!chapitre )"
        r"(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
        r"(?:/(?:3[0-2]|[12]?\d))?(?![\w]|\.\d)",
        "It is an IPv4 address.",
        0.9,
        0.95,
        context=("ip", "host", "server", "serveur", "adresse"),
        needs="0.",
    ),
    Shape(
        "IP_ADDRESS",
        "ipv6",
        r"(?<![\w:.])(?=[0-9a-f:]{0,12}:)[0-9a-f:]{2,39}(?:(?<=:)\d{1,3}(?:\.\d{1,3}){3})?"
        r"(?:%\w{1,16})?(?:/(?:12[0-8]|1[01]\d|\d{1,2})(?!\d))?(?![\w:])",
        "It is an IPv6 address.",
        0.85,
        0.95,
        check=address_v6,
        context=("ip", "ipv6"),
        needs=":",
    ),
    Shape(
        "MAC_ADDRESS",
        "mac",
        r"(?<![\w:\-])(?:[0-9a-f]{2}(?P<s>[:\-])(?:[0-9a-f]{2}(?P=s)){4}[0-9a-f]{2}"
        r"|[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4})(?![\w:\-])",
        "It is the hardware address of a network card.",
        0.9,
        0.95,
    ),
    Shape(
        "UUID",
        "uuid",
        r"(?<![\w\-])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![\w\-])",
        "It is a unique identifier.",
        0.45,
        0.45,
        needs="-",
    ),
)
