"""The words that rules may use: actions, attributes, and the values that the product gives them.

For checking what somebody typed and for completing it. Kinds of findings, tools, models and
departments are open: an organisation adds its own, so an unknown one is only doubted.
"""

import re
from functools import cache
from typing import Final

from guardrails.policy.engine import ACTIONS

CLASSES: Final = ("public", "internal", "confidential", "restricted")
LOCATIONS: Final = ("local", "eu", "us", "other", "")
ROLES: Final = ("staff", "champion", "security", "administrator")
AUDIENCES: Final = ("self", "department", "everyone", "external")
TOPICS: Final = (
    "HEALTH", "RELIGION", "POLITICS", "UNION_MEMBERSHIP", "SEXUAL_ORIENTATION", "ETHNICITY",
    "GENETIC_BIOMETRIC", "OFFENCE",
)  # fmt: skip
# what most organisations decide about one by one; every other kind is masked by DP-01
KINDS: Final = (
    "PERSON", "EMAIL_ADDRESS", "PHONE_NUMBER", "ADDRESS", "LOCATION", "ORGANIZATION", "NRP",
    "DATE_OF_BIRTH", "DATE_TIME", "URL", "IP_ADDRESS", "CREDIT_CARD", "IBAN_CODE", "FR_NIR",
    "FR_SIRET", "FR_PASSPORT", "US_SSN", *TOPICS,
)  # fmt: skip

# attribute → the only values that it ever has
CLOSED: Final[dict[str, tuple[str, ...]]] = {
    "data_class": CLASSES,
    "roles": ROLES,
    "location": LOCATIONS,
    "region": ("eu", "us", "other"),
    "model_kind": ("practice", "fallback", "provider", "scripted", ""),
    "side_effect": ("reads", "writes", "sends", ""),
    "audience": (*AUDIENCES, ""),
}


@cache
def attributes(schema_text: str) -> tuple[str, ...]:
    """Names of everything a rule may look at, in the schema's order."""
    inside = schema_text.partition("type Asked = {")[2].partition("};")[0]
    return tuple(re.findall(r"^\s*(\w+)\??:", inside, re.MULTILINE))


def completions(schema_text: str) -> tuple[str, ...]:
    """Words for an editor: actions, `context.` attributes, values, annotations."""
    values = [f'"{value}"' for known in CLOSED.values() for value in known if value]
    return (
        *(f'Action::"{name}"' for name in ACTIONS),
        *(f"context.{name}" for name in attributes(schema_text)),
        *dict.fromkeys([*values, *(f'"{kind}"' for kind in (*KINDS, "SECRET", "INJECTION"))]),
        *('@id("', '@en("', '@fr("', '@instead_en("', '@instead_fr("', '@why_en("', '@why_fr("'),
        *("permit (principal, action, resource)", "forbid (principal, action, resource)"),
        *("when { ", "unless { ", ".contains(", ".containsAny(["),
    )
