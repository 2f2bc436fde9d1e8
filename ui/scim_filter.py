"""Filters of SCIM (RFC 7644, 3.4.2.2), the part that directories use: `a eq "b" and c eq "d"`."""

import json
import re
from dataclasses import dataclass

from guardrails.errors import BadInput

MOST = 4  # comparisons in one filter
_ONE = re.compile(
    r"""\s*(?P<path>[A-Za-z][\w:.$-]*(?:\[[^\]]{1,100}\])?(?:\.\w+)?)\s+(?P<op>[A-Za-z]{2})\s+
    (?:"(?P<text>(?:[^"\\]|\\.)*)"|(?P<word>true|false))\s*""",
    re.X | re.I,
)
_AND = re.compile(r"and\b", re.I)


@dataclass(frozen=True)
class Equal:
    """`path eq value`; the path in lower case without its schema, the value as text."""

    path: str
    value: str


def parse_filter(text: str) -> tuple[Equal, ...]:
    """The comparisons of a filter, which all must hold. Raises BadInput("scim-filter")."""
    found: list[Equal] = []
    at = 0
    while at < len(text):
        match = _ONE.match(text, at)
        if match is None or match["op"].lower() != "eq" or len(found) == MOST:
            raise BadInput("scim-filter")
        value = match["word"].lower() if match["word"] else unquoted(match["text"])
        found.append(Equal(plain_path(match["path"]), value))
        at = match.end()
        if at < len(text):
            joint = _AND.match(text, at)
            if joint is None:
                raise BadInput("scim-filter")
            at = joint.end()
            if at == len(text):
                raise BadInput("scim-filter")
    return tuple(found)


def unquoted(text: str) -> str:
    """A JSON string's inside as text. Raises BadInput("scim-filter")."""
    try:
        # also \\u00e9, as programs that keep to ASCII write it
        value = str(json.loads(f'"{text}"', strict=False))
        value.encode()
    except ValueError as error:
        raise BadInput("scim-filter") from error
    return value


def plain_path(path: str, *, folded: bool = True) -> str:
    """A path without its schema's name, in lower case: `emails[type eq "work"].value` → ….

    `folded` false leaves the case as it is, for the values within.
    """
    name = path
    if path.lower().startswith("urn:"):
        # the attribute follows the last colon of the schema's name, which holds a dotted version
        schema, opened, rest = path.partition("[")
        name = schema.rpartition(":")[2] + opened + rest
    return name.lower() if folded else name
