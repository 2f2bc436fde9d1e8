"""Acts that wait for a person: kept in the store, so they outlive a restart. Expiry means no."""

import json
import re
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import sqlalchemy as sa

from guardrails.audit.ledger import Act, Ledger
from guardrails.errors import BadInput, NotPermitted
from guardrails.policy.engine import PolicySet
from guardrails.policy.tables import approvals

State = Literal["pending", "approved", "rejected", "expired", "withdrawn"]
EXPIRES_SECONDS = 24 * 3600.0
PERSON: Final = "person"  # whom the agent acts for
COLLEAGUE: Final = "colleague"  # somebody else of the same department
_APPROVER = re.compile(r'@id\("([^"]+)"\)\s*@approver\("([a-z]+)"\)')
_STRICTEST: Final = ("security", "champion", COLLEAGUE)


def approver_of(policies: PolicySet, rules: Sequence[str]) -> str:
    """Who must approve what `rules` ask for: the strictest of their `@approver("...")`s.

    A rule names `security`, `champion` or `colleague` right after its `@id`; without one the
    person for whom the agent acts decides.
    """
    named = {rule: who for rule, who in _APPROVER.findall(policies.text) if rule in rules}
    return next((who for who in _STRICTEST if who in named.values()), PERSON)


@dataclass(frozen=True, slots=True)
class Approval:
    """One act that waits. `payload` is exactly what will be done, masked; times in seconds.

    `approver` is `person` (whom the agent acts for), `colleague` (another one of their department)
    or the role that must decide. `turn` is the paused turn that goes on afterwards; `used` says
    that the act was begun. `repeats` is the ledger's row of the same act whose outcome nobody
    knows, or 0: whoever decides is told.
    """

    id: str
    conversation: str
    trace_id: str
    agent: str
    person: str
    action: str
    payload: Mapping[str, object]
    rule: str
    approver: str
    state: State
    asked: float
    expires: float
    decided_by: str = ""
    note: str = ""
    department: str = ""
    turn: str = ""
    used: bool = False
    repeats: int = 0


class Approvals:
    """Approvals of one store. People are pseudonyms; who decides is checked here."""

    def __init__(
        self, engine: sa.Engine, ledger: Ledger, clock: Callable[[], float] = time.time
    ) -> None:
        self._engine = engine
        self._ledger = ledger
        self._clock = clock

    def ask(
        self,
        *,
        person: str,
        agent: str,
        action: str,
        payload: Mapping[str, object],
        rule: str,
        conversation: str,
        trace_id: str = "",
        approver: str = PERSON,
        department: str = "",
        turn: str = "",
        repeats: int = 0,
        expires_s: float = EXPIRES_SECONDS,
    ) -> Approval:
        """Record that an act waits; nothing happens until `decide`."""
        now = self._clock()
        identity = uuid.uuid4().hex
        self._ledger.record(
            Act("approval.ask", person, agent, "", conversation, trace_id, "ask", rule,
                {"approval": identity, "action": action, "payload": dict(payload),
                 **({"repeats": repeats} if repeats else {})})
        )  # fmt: skip
        row = {
            "id": identity,
            "conversation": conversation,
            "trace_id": trace_id,
            "agent": agent,
            "person": person,
            "action": action,
            "payload": json.dumps(dict(payload), ensure_ascii=False),
            "rule": rule,
            "approver": approver,
            "state": "pending",
            "asked": _us(now),
            "expires": _us(now + expires_s),
            "note": "",
            "department": department,
            "turn": turn,
            "repeats": repeats,
        }
        with self._engine.begin() as connection:
            connection.execute(sa.insert(approvals), row)
        return self.get(identity)

    def get(self, identity: str) -> Approval:
        """One approval. Raises BadInput("no-such-approval")."""
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(approvals).where(approvals.c.id == identity)).first()
        if row is None:
            raise BadInput("no-such-approval", id=identity)
        return self._approval(row)

    def of(self, turn: str) -> list[Approval]:
        """Every approval of one paused turn, oldest first."""
        with self._engine.connect() as connection:
            rows = connection.execute(
                sa.select(approvals).where(approvals.c.turn == turn).order_by(approvals.c.asked)
            ).all()
        return [self._approval(row) for row in rows]

    def waiting(self, *, conversation: str = "", approver: str = "") -> list[Approval]:
        """What waits now, oldest first; expired ones are not in it."""
        where = [approvals.c.state == "pending", approvals.c.expires > _us(self._clock())]
        if conversation:
            where.append(approvals.c.conversation == conversation)
        if approver:
            where.append(approvals.c.approver == approver)
        with self._engine.connect() as connection:
            rows = connection.execute(
                sa.select(approvals).where(*where).order_by(approvals.c.asked)
            ).all()
        return [self._approval(row) for row in rows]

    def count_for(self, by: str, roles: frozenset[str], department: str) -> int:
        """How many wait that `by` may decide: `may_decide` as one query."""
        others = approvals.c.person != by
        ways = [
            sa.and_(approvals.c.approver == PERSON, approvals.c.person == by),
            sa.and_(approvals.c.approver.in_(sorted(roles - {PERSON, COLLEAGUE})), others),
        ]
        if department:
            same = approvals.c.department == department
            ways.append(sa.and_(approvals.c.approver == COLLEAGUE, others, same))
        query = (
            sa.select(sa.func.count())
            .select_from(approvals)
            .where(
                approvals.c.state == "pending",
                approvals.c.expires > _us(self._clock()),
                sa.or_(*ways),
            )
        )
        with self._engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def decide(
        self,
        identity: str,
        approved: bool,
        *,
        by: str,
        roles: frozenset[str] = frozenset(),
        department: str = "",
        note: str = "",
    ) -> Approval:
        """Approve once or reject.

        Raises NotPermitted when `by` may not decide this, and BadInput("approval-over") when it was
        decided or has expired. When a role or a colleague must decide, the person whom it is for
        may only say no.
        """
        wanted = self.get(identity)
        own = by == wanted.person
        if not may_decide(wanted, by, roles, department) and not (own and not approved):
            self._record(wanted, by, "deny", "self-approval" if own else "not-approver")
            raise NotPermitted("self-approval" if own else "not-approver", id=identity)
        if wanted.state != "pending":
            raise BadInput("approval-over", state=wanted.state)
        state = "approved" if approved else "rejected"
        self._record(wanted, by, "allow" if approved else "deny", wanted.rule)
        now = _us(self._clock())
        with self._engine.begin() as connection:
            done = connection.execute(
                sa.update(approvals)
                .where(
                    approvals.c.id == identity,
                    approvals.c.state == "pending",
                    approvals.c.expires > now,
                )
                .values(state=state, decided_by=by, decided=now, note=note)
            )
        if not done.rowcount:
            # somebody else was faster: the record must not end with a decision that did not count
            self._record(wanted, by, "failed", "approval-over")
            raise BadInput("approval-over", state=self.get(identity).state)
        return self.get(identity)

    def use(self, identity: str) -> bool:
        """Begin the approved act. True for the first caller only: an act happens once."""
        with self._engine.begin() as connection:
            done = connection.execute(
                sa.update(approvals)
                .where(
                    approvals.c.id == identity,
                    approvals.c.state == "approved",
                    approvals.c.used.is_(None),
                )
                .values(used=_us(self._clock()))
            )
        return bool(done.rowcount)

    def withdraw(self, identity: str) -> None:
        """The turn that asked is over: nobody need decide any more."""
        wanted = self.get(identity)
        if wanted.state != "pending":
            return
        self._ledger.record(
            Act("approval.withdraw", "system", wanted.agent, "", wanted.conversation,
                wanted.trace_id, "deny", wanted.rule, {"approval": identity},
                subject=wanted.person)
        )  # fmt: skip
        with self._engine.begin() as connection:
            connection.execute(
                sa.update(approvals)
                .where(approvals.c.id == identity, approvals.c.state == "pending")
                .values(state="withdrawn")
            )

    def _record(self, wanted: Approval, by: str, verdict: str, rule: str) -> None:
        self._ledger.record(
            Act("approval.decide", by, wanted.agent, "", wanted.conversation, wanted.trace_id,
                verdict, rule, {"approval": wanted.id, "action": wanted.action})
        )  # fmt: skip

    def _approval(self, row: Any) -> Approval:
        state: State = row.state
        if state == "pending" and row.expires <= _us(self._clock()):
            state = "expired"
        return Approval(
            row.id, row.conversation, row.trace_id, row.agent, row.person, row.action,
            json.loads(row.payload), row.rule, row.approver, state, row.asked / 1e6,
            row.expires / 1e6, row.decided_by or "", row.note, row.department or "",
            row.turn or "", row.used is not None, row.repeats,
        )  # fmt: skip


def may_decide(wanted: Approval, by: str, roles: frozenset[str], department: str) -> bool:
    """True when `by` may approve: nobody approves their own where another person must."""
    own = by == wanted.person
    if wanted.approver == PERSON:
        return own
    if wanted.approver == COLLEAGUE:
        return not own and bool(department) and department == wanted.department
    return not own and wanted.approver in roles


def _us(seconds: float) -> int:
    return int(seconds * 1_000_000)
