"""How much waits for one person, for the navigation: a query each, kept for some seconds."""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from guardrails.audit.reveal import Reveal
from ui.access import may
from ui.identity import Person

if TYPE_CHECKING:
    from ui.wiring import App

KEPT_SECONDS = 10.0
MOST_PEOPLE = 2_000


class Badges:
    """Counts by page id; pages without anything waiting are left out."""

    def __init__(self, app: "App", clock: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._clock = clock
        self._kept: dict[Person, tuple[float, Mapping[str, int]]] = {}

    def of(self, person: Person, *, fresh: bool = False) -> Mapping[str, int]:
        """What waits for `person`; `fresh` right after they acted."""
        now = self._clock()
        kept = self._kept.get(person)
        if kept is not None and not fresh and now - kept[0] < KEPT_SECONDS:
            return kept[1]
        if len(self._kept) >= MOST_PEOPLE:
            self._kept.clear()
        counts = {page: n for page, n in self._count(person).items() if n}
        self._kept[person] = now, counts
        return counts

    def _count(self, person: Person) -> dict[str, int]:
        app = self._app
        found: dict[str, int] = {}
        who = app.record.pseudonym(person.id)
        if may(person, "review.decide"):
            found["publish"] = app.desk.publishing.waiting_for(person.id)
        if may(person, "conversations.own"):
            found["conversations"] = app.approvals.count_for(who, person.roles, person.department)
        if may(person, "privacy.own"):
            found["privacy"] = app.record.reveals.unread(who)
        if may(person, "alerts.view"):
            found["alerts"] = sum(app.record.alerts.unseen().values())
        if may(person, "audit.reveal"):
            found["audit"] = len(waiting_reveals(app, who))
        if may(person, "policies.approve"):
            found["policies"] = self._rules(who)
        return found

    def _rules(self, who: str) -> int:
        """Versions and exceptions that wait for this officer's word: never their own."""
        versions = (v for v in self._app.rules.all() if v.state == "proposed")
        asked = (one for one in self._app.exceptions.all() if one.state == "asked")
        return sum(who not in v.editors for v in versions) + sum(one.person != who for one in asked)


def waiting_reveals(app: "App", who: str) -> list[Reveal]:
    """Requests to see real values that `who` may decide: neither their own nor about them."""
    return [one for one in app.record.reveals.waiting() if who not in (one.requester, one.author)]
