"""What somebody saw when they began to edit something shared, as one short tag.

A save brings the tag along; when somebody else has saved in between, the tag of what is there now
is another one and the save is refused instead of silently undoing theirs (RFC 9110, 13.1.1:
`If-Match`). Knows what is edited, not who edits nor how it is drawn.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from threading import RLock
from typing import Any

from guardrails.audit.alert_rules import AlertRule
from guardrails.audit.schedule import Kept
from guardrails.errors import GuardrailError
from sandbox.broker.connections import Connection
from ui.accounts import Account
from ui.groups import Group

ANY = "*"


class ChangedMeanwhile(GuardrailError):
    """Somebody else has saved. `tag` is of what is there now."""

    code = "changed-meanwhile"

    def __init__(self, tag: str) -> None:
        super().__init__()
        self.tag = tag


class Saves:
    """Saves of one server, one after the other, so that two at once see each other."""

    def __init__(self) -> None:
        self._lock = RLock()

    @contextmanager
    def still(self, seen: str, now: Callable[[], object]) -> Iterator[None]:
        """Save inside of this. `seen` is the caller's tag; without one, whatever is there is
        changed, as programs may want it. Raises ChangedMeanwhile before anything is done."""
        with self._lock:
            if seen and seen != ANY:
                there = tag(now())
                if seen != there:
                    raise ChangedMeanwhile(there)
            yield


def tag(state: object) -> str:
    """A short name of exactly this state; it says nothing about it to who does not know it."""
    text = json.dumps(state, sort_keys=True, default=sorted)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]


def group(app: Any, one: Group) -> object:
    """Name, roles, and the members where people here keep them."""
    # a directory keeps the others: what it does is no edit of this form
    members = app.groups.members(one.id) if one.source == "local" else []
    return [one.name, one.roles, members]


def person(app: Any, one: Account) -> object:
    """What an administrator can change of somebody."""
    groups = [each.id for each in app.groups.of(one.id) if each.source == "local"]
    # the rest of somebody from a directory changes there, and nobody can edit it here
    known = [one.name, one.email, one.department] if one.source == "local" else []
    return [*known, one.language, one.own, sorted(groups)]


def connection(one: Connection) -> object:
    """A connected model as it is set; not when it was last tried."""
    return [one.label, one.base, one.location, one.enabled, one.price, one.has_key]


def budgets(app: Any) -> object:
    """Every limit: who sets one looks at all of them."""
    return sorted(list(asdict(each).values()) for each in app.budgets.all())


def limits(app: Any) -> object:
    """The ceilings of a run."""
    return asdict(app.pool.ceiling)


def look(app: Any) -> object:
    """Name, colour and logo of the house."""
    return str(app.brand.current().version)


def keeping(one: Kept) -> object:
    """How long one class is kept, and why."""
    return [one.days, one.reason, one.changed]


def rule(one: AlertRule) -> object:
    """An alert rule as it is set."""
    return [one.active, one.threshold]
