"""Who acts, as the lower floors see a person: an id, a department, roles, a region. No name."""

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Final

from guardrails.keys import Keys

SYSTEM: Final = "system"
_PSEUDONYM = re.compile(r"p_[0-9a-f]{10}")


@dataclass(frozen=True)
class Actor:
    """A person or service that asks for something. `region` is where their data must stay."""

    id: str
    department: str = ""
    roles: frozenset[str] = frozenset()
    region: str = "eu"


def pseudonym(keys: Keys, person: str) -> str:
    """A stable name for records: `p_` and 10 hex digits of an HMAC under the pseudonym key.

    Without the master key nobody can get from a list of people to their pseudonyms. A value that
    is a pseudonym already, and `system`, come back unchanged.
    """
    if person == SYSTEM or _PSEUDONYM.fullmatch(person):
        return person
    digest = hmac.new(keys.derive("pseudonym"), person.encode(), hashlib.sha256)
    return f"p_{digest.hexdigest()[:10]}"
