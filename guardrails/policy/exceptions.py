"""Exceptions: a person asks, a security officer grants for a time, the record keeps both."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

import sqlalchemy as sa

from guardrails.audit.ledger import Act, Ledger
from guardrails.errors import BadInput, NotPermitted
from guardrails.policy.engine import PolicySet
from guardrails.policy.tables import exceptions

LONGEST_SECONDS = 90 * 86_400.0
BUDGET: Final = "BU-01"  # decided outside Cedar; lifting it is more budget for a while
# never lifted, whatever a rule's text says: secrets, guards that failed, what nothing permits
HARD: Final = frozenset({"DP-03", "DP-04", "policy-error", "no-match", "tool-unlisted"})


def liftable(policies: PolicySet, rule: str) -> bool:
    """True when a security officer may lift `rule` for a person and a time.

    A rule of the set allows it with `unless { context.exceptions.contains("ID") }`.
    """
    if rule in HARD or rule.startswith("screen"):
        return False
    if rule == BUDGET:
        return True
    return rule in policies.ids and f'context.exceptions.contains("{rule}")' in policies.text


# built once: every message asks
_LIFTED = sa.select(exceptions.c.rule).where(
    exceptions.c.person == sa.bindparam("who"),
    exceptions.c.agent.in_(["", sa.bindparam("what")]),
    exceptions.c.state == "granted",
    exceptions.c.expires > sa.bindparam("now"),
)


@dataclass(frozen=True, slots=True)
class PolicyException:
    """A rule lifted (or asked to be lifted) for one person and, unless "", one agent."""

    id: str
    rule: str
    person: str
    agent: str
    reason: str
    state: Literal["asked", "granted", "refused"]
    asked: float
    decided_by: str = ""
    expires: float | None = None
    trace_id: str = ""
    note: str = ""

    def holds(self, now: float) -> bool:
        """True while it is granted and not over; `now` in seconds since 1970."""
        return self.state == "granted" and self.expires is not None and self.expires > now


class Exceptions:
    """Exceptions of one store. People are pseudonyms. Which rules can be lifted, the rules say
    (`unless { context.exceptions.contains(...) }`)."""

    def __init__(
        self, engine: sa.Engine, ledger: Ledger, clock: Callable[[], float] = time.time
    ) -> None:
        self._engine = engine
        self._ledger = ledger
        self._clock = clock

    def ask(
        self, rule: str, *, by: str, agent: str = "", reason: str, trace_id: str = ""
    ) -> PolicyException:
        """Ask for an exception; `reason` is masked.

        Raises BadInput("reason-missing") and, for a rule that is never lifted or while the same
        question is open, ("rule-not-liftable") and ("already-asked").
        """
        if not reason.strip():
            raise BadInput("reason-missing")
        if rule in HARD:
            raise BadInput("rule-not-liftable", rule=rule)
        if any((o.rule, o.agent) == (rule, agent) and o.state == "asked" for o in self.of(by)):
            raise BadInput("already-asked", rule=rule)
        identity = uuid.uuid4().hex
        payload = {"exception": identity, "reason": reason}
        self._ledger.record(
            Act("exception.ask", by, agent, trace_id=trace_id, rule=rule, payload=payload)
        )
        row = {
            "id": identity,
            "rule": rule,
            "person": by,
            "agent": agent,
            "reason": reason,
            "state": "asked",
            "asked": int(self._clock() * 1e6),
            "trace_id": trace_id,
            "note": "",
        }
        with self._engine.begin() as connection:
            connection.execute(sa.insert(exceptions), row)
        return self.get(identity)

    def decide(
        self,
        identity: str,
        granted: bool,
        *,
        by: str,
        roles: frozenset[str],
        seconds: float = 7 * 86_400.0,
        note: str = "",
    ) -> PolicyException:
        """Grant for `seconds` (90 days at most) or refuse.

        Raises NotPermitted unless `by` has the role security and is not the one who asked.
        """
        wanted = self.get(identity)
        if "security" not in roles or wanted.person == by:
            code = "self-approval" if wanted.person == by else "not-approver"
            act = Act("exception.decide", by, verdict="deny", rule=code, subject=wanted.person)
            self._ledger.record(act)
            raise NotPermitted(code, id=identity)
        if wanted.state != "asked":
            raise BadInput("wrong-state", state=wanted.state)
        payload = {"exception": identity, "seconds": seconds}
        verdict = "allow" if granted else "deny"
        self._ledger.record(
            Act("exception.decide", by, wanted.agent, "", "", "", verdict, wanted.rule, payload)
        )
        now = self._clock()
        with self._engine.begin() as connection:
            done = connection.execute(
                sa.update(exceptions)
                .where(exceptions.c.id == identity, exceptions.c.state == "asked")
                .values(
                    note=note,
                    state="granted" if granted else "refused",
                    decided_by=by,
                    decided=int(now * 1e6),
                    expires=int((now + min(seconds, LONGEST_SECONDS)) * 1e6) if granted else None,
                )
            )
        if not done.rowcount:  # somebody else was faster
            raise BadInput("wrong-state", state=self.get(identity).state)
        return self.get(identity)

    def end(self, identity: str, *, by: str, roles: frozenset[str]) -> PolicyException:
        """Take a granted exception back before its time. Raises NotPermitted, BadInput."""
        wanted = self.get(identity)
        if "security" not in roles:
            raise NotPermitted("not-approver", id=identity)
        if not wanted.holds(self._clock()):
            raise BadInput("wrong-state", state=wanted.state)
        self._ledger.record(
            Act("exception.end", by, wanted.agent, rule=wanted.rule,
                payload={"exception": identity})
        )  # fmt: skip
        with self._engine.begin() as connection:
            connection.execute(
                sa.update(exceptions)
                .where(exceptions.c.id == identity)
                .values(expires=int(self._clock() * 1e6))
            )
        return self.get(identity)

    def lifted(self, person: str, agent: str) -> frozenset[str]:
        """Rules lifted now for `person` with `agent`: for `Request.exceptions`."""
        with self._engine.connect() as connection:
            found = frozenset(
                connection.scalars(
                    _LIFTED, {"who": person, "what": agent, "now": int(self._clock() * 1e6)}
                )
            )
        return found - HARD  # also when a row was put there by hand

    def get(self, identity: str) -> PolicyException:
        """One exception. Raises BadInput("no-such-exception")."""
        with self._engine.connect() as connection:
            row = connection.execute(
                sa.select(exceptions).where(exceptions.c.id == identity)
            ).first()
        if row is None:
            raise BadInput("no-such-exception", id=identity)
        return _exception(row)

    def of(self, person: str) -> list[PolicyException]:
        """One person's, newest first."""
        return [one for one in self.all() if one.person == person]

    def all(self) -> list[PolicyException]:
        """Every exception, newest first."""
        with self._engine.connect() as connection:
            rows = connection.execute(
                sa.select(exceptions).order_by(exceptions.c.asked.desc())
            ).all()
        return [_exception(row) for row in rows]


def _exception(row: Any) -> PolicyException:
    return PolicyException(
        row.id, row.rule, row.person, row.agent, row.reason, row.state, row.asked / 1e6,
        row.decided_by or "", row.expires / 1e6 if row.expires else None,
        row.trace_id or "", row.note or "",
    )  # fmt: skip
