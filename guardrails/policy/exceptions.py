"""Exceptions: a person asks, a security officer grants for a time, the record keeps both."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from guardrails.audit.ledger import Act, Ledger
from guardrails.errors import BadInput, NotPermitted
from guardrails.policy.tables import exceptions

LONGEST_SECONDS = 90 * 86_400.0


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


class Exceptions:
    """Exceptions of one store. People are pseudonyms. Which rules can be lifted, the rules say
    (`unless { context.exceptions.contains(...) }`)."""

    def __init__(
        self, engine: sa.Engine, ledger: Ledger, clock: Callable[[], float] = time.time
    ) -> None:
        self._engine = engine
        self._ledger = ledger
        self._clock = clock

    def ask(self, rule: str, *, by: str, agent: str = "", reason: str) -> PolicyException:
        """Ask for an exception. Raises BadInput("reason-missing")."""
        if not reason.strip():
            raise BadInput("reason-missing")
        identity = uuid.uuid4().hex
        payload = {"exception": identity, "reason": reason}
        self._ledger.record(Act("exception.ask", by, agent, rule=rule, payload=payload))
        row = {
            "id": identity,
            "rule": rule,
            "person": by,
            "agent": agent,
            "reason": reason,
            "state": "asked",
            "asked": int(self._clock() * 1e6),
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
            connection.execute(
                sa.update(exceptions)
                .where(exceptions.c.id == identity, exceptions.c.state == "asked")
                .values(
                    state="granted" if granted else "refused",
                    decided_by=by,
                    decided=int(now * 1e6),
                    expires=int((now + min(seconds, LONGEST_SECONDS)) * 1e6) if granted else None,
                )
            )
        return self.get(identity)

    def lifted(self, person: str, agent: str) -> frozenset[str]:
        """Rules lifted now for `person` with `agent`: for `Request.exceptions`."""
        with self._engine.connect() as connection:
            return frozenset(
                connection.scalars(
                    sa.select(exceptions.c.rule).where(
                        exceptions.c.person == person,
                        exceptions.c.agent.in_(["", agent]),
                        exceptions.c.state == "granted",
                        exceptions.c.expires > int(self._clock() * 1e6),
                    )
                )
            )

    def get(self, identity: str) -> PolicyException:
        """One exception. Raises BadInput("no-such-exception")."""
        with self._engine.connect() as connection:
            row = connection.execute(
                sa.select(exceptions).where(exceptions.c.id == identity)
            ).first()
        if row is None:
            raise BadInput("no-such-exception", id=identity)
        return _exception(row)

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
    )  # fmt: skip
