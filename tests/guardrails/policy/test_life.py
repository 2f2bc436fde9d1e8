"""Budgets, approvals, versions, exceptions, rehearsal: on both stores, with two people."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from guardrails.actor import Actor
from guardrails.audit.ledger import Act, Ledger
from guardrails.audit.search import Traces
from guardrails.audit.tables import ledger as ledger_table
from guardrails.audit.tables import traces as traces_table
from guardrails.budgets import Budget, Budgets
from guardrails.errors import BadInput, NotPermitted, PolicyDenied
from guardrails.keys import Keys
from guardrails.policy.approvals import Approvals
from guardrails.policy.engine import Engine, ModelFacts, Request, ToolFacts
from guardrails.policy.exceptions import Exceptions
from guardrails.policy.lifecycle import Lifecycle
from guardrails.policy.rehearse import matrix, rehearse
from tests.guardrails.audit.test_search import row

ALICE = Actor("p_000000000a", "hr", frozenset({"staff"}))
SECURITY = frozenset({"security"})
NOW = datetime(2026, 3, 31, 23, 0, tzinfo=UTC).timestamp()


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(store: sa.Engine, keys: Keys) -> Iterator[Ledger]:
    opened = Ledger(store, keys)
    yield opened
    opened.close()


def kinds(store: sa.Engine) -> list[str]:
    with store.connect() as connection:
        return list(connection.scalars(sa.select(ledger_table.c.kind).order_by(ledger_table.c.seq)))


# ── budgets ──────────────────────────────────────────────────────────────────────────────


def test_a_budget_is_reserved_before_and_settled_after(store: sa.Engine, clock: Clock) -> None:
    budgets = Budgets(store, clock)
    budgets.set(Budget("person", "*", "tokens", "day", 100))
    first = budgets.reserve(ALICE, "hr", {"tokens": 80})
    with pytest.raises(PolicyDenied) as refused:
        budgets.reserve(ALICE, "hr", {"tokens": 30})
    assert refused.value.data["rule"] == "BU-01"
    budgets.settle(first, {"tokens": 10})
    budgets.settle(first, {"tokens": 10})
    budgets.reserve(ALICE, "hr", {"tokens": 30})
    (use,) = budgets.uses()
    assert (use.name, use.used, use.reserved, use.share) == (ALICE.id, 10, 30, 0.4)


def test_a_budget_renews_with_its_period(store: sa.Engine, clock: Clock) -> None:
    budgets = Budgets(store, clock)
    budgets.set(Budget("department", "hr", "calls", "day", 1))
    budgets.set(Budget("agent", "hr", "calls", "month", 2))
    budgets.reserve(ALICE, "hr", {"calls": 1})
    with pytest.raises(PolicyDenied):
        budgets.reserve(ALICE, "hr", {"calls": 1})
    clock.now += 7_200  # the next day, and the next month
    budgets.reserve(ALICE, "hr", {"calls": 1})


def test_a_person_s_own_budget_replaces_everyone_s(store: sa.Engine, clock: Clock) -> None:
    budgets = Budgets(store, clock)
    budgets.set(Budget("person", "*", "tokens", "day", 10))
    budgets.set(Budget("person", ALICE.id, "tokens", "day", 1_000))
    budgets.reserve(ALICE, "hr", {"tokens": 500})
    with pytest.raises(PolicyDenied):
        budgets.reserve(Actor("p_000000000b"), "hr", {"tokens": 500})
    budgets.remove(Budget("person", "*", "tokens", "day", 10))
    budgets.reserve(Actor("p_000000000b"), "hr", {"tokens": 500})


def test_what_one_budget_refuses_is_taken_from_none(store: sa.Engine, clock: Clock) -> None:
    budgets = Budgets(store, clock)
    budgets.set(Budget("agent", "*", "calls", "day", 10))
    budgets.set(Budget("person", "*", "calls", "day", 0))
    with pytest.raises(PolicyDenied):
        budgets.reserve(ALICE, "hr", {"calls": 1})
    assert all(use.reserved == 0 for use in budgets.uses())


def test_many_callers_never_take_more_than_there_is(store: sa.Engine, clock: Clock) -> None:
    budgets = Budgets(store, clock)
    budgets.set(Budget("person", "*", "calls", "day", 7))
    taken: list[str] = []

    def call() -> None:
        for _ in range(5):
            try:
                taken.append(budgets.reserve(ALICE, "hr", {"calls": 1}))
            except PolicyDenied:
                return

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 7


def test_what_a_crash_left_reserved_is_freed_at_start(store: sa.Engine, clock: Clock) -> None:
    budgets = Budgets(store, clock)
    budgets.set(Budget("person", "*", "calls", "day", 1))
    budgets.reserve(ALICE, "hr", {"calls": 1})
    assert budgets.recover() == 1
    budgets.reserve(ALICE, "hr", {"calls": 1})


# ── approvals ────────────────────────────────────────────────────────────────────────────


def ask(approvals: Approvals, approver: str = "person") -> str:
    return approvals.ask(
        person=ALICE.id, agent="mail", action="send_mail", payload={"to": "<EMAIL_ADDRESS_1>"},
        rule="TL-02", conversation="c1", approver=approver, expires_s=60,
    ).id  # fmt: skip


def test_an_approval_outlives_a_restart_and_is_decided_once(
    store: sa.Engine, ledger: Ledger, clock: Clock
) -> None:
    identity = ask(Approvals(store, ledger, clock))
    again = Approvals(store, ledger, clock)
    (waiting,) = again.waiting(conversation="c1")
    assert (waiting.action, waiting.payload) == ("send_mail", {"to": "<EMAIL_ADDRESS_1>"})
    assert again.decide(identity, True, by=ALICE.id).state == "approved"
    with pytest.raises(BadInput):
        again.decide(identity, False, by=ALICE.id)
    assert again.waiting() == []
    assert kinds(store) == ["approval.ask", "approval.decide"]


def test_an_approval_that_expired_is_a_no(store: sa.Engine, ledger: Ledger, clock: Clock) -> None:
    approvals = Approvals(store, ledger, clock)
    identity = ask(approvals)
    clock.now += 61
    assert approvals.waiting() == []
    with pytest.raises(BadInput):
        approvals.decide(identity, True, by=ALICE.id)
    assert approvals.get(identity).state == "expired"


def test_only_the_right_person_decides(store: sa.Engine, ledger: Ledger, clock: Clock) -> None:
    approvals = Approvals(store, ledger, clock)
    with pytest.raises(NotPermitted):
        approvals.decide(ask(approvals), True, by="p_000000000b", roles=SECURITY)
    for_champion = ask(approvals, "champion")
    with pytest.raises(NotPermitted, match="self-approval"):
        approvals.decide(for_champion, True, by=ALICE.id, roles=frozenset({"champion"}))
    with pytest.raises(NotPermitted):
        approvals.decide(for_champion, True, by="p_000000000b", roles=frozenset({"staff"}))
    decided = approvals.decide(
        for_champion, False, by="p_000000000b", roles=frozenset({"champion"}), note="no"
    )
    assert (decided.state, decided.decided_by, decided.note) == ("rejected", "p_000000000b", "no")


# ── versions ─────────────────────────────────────────────────────────────────────────────

NO_CALCULATOR = """
@id("MY-01")
forbid (principal, action == Action::"tool.call", resource) when { context.tool == "calculator" };
"""


def test_a_draft_is_approved_by_another_and_put_in_force(
    store: sa.Engine, ledger: Ledger, clock: Clock
) -> None:
    engine = Engine()
    life = Lifecycle(store, ledger, engine, clock)
    product = engine.policies.hash
    draft = life.draft(by="p_a", note="no calculator")
    life.edit(draft.number, draft.text + NO_CALCULATOR, by="p_a")
    assert '+@id("MY-01")' in life.diff(draft.number)
    with pytest.raises(BadInput):
        life.activate(draft.number, by="p_b")
    life.propose(draft.number, by="p_a")
    with pytest.raises(BadInput):
        life.edit(draft.number, draft.text, by="p_a")
    with pytest.raises(NotPermitted, match="self-approval"):
        life.approve(draft.number, by="p_a")
    life.approve(draft.number, by="p_b")
    assert engine.policies.hash == product
    life.activate(draft.number, by="p_b")
    tool = ToolFacts("calculator", "reads", frozenset({"calculator"}))
    assert engine.decide(Request("tool.call", ALICE, tool=tool)).rule == "MY-01"

    restarted = Engine()
    Lifecycle(store, ledger, restarted, clock).load()
    assert restarted.policies.hash == engine.policies.hash

    life.restore_product_rules(by="p_b")
    assert engine.policies.hash == product
    assert life.active() is None
    life.activate(draft.number, by="p_b")  # back again: it was active once
    assert [v.state for v in life.all()] == ["active"]


def test_a_draft_that_is_wrong_is_refused_and_the_old_text_stays(
    store: sa.Engine, ledger: Ledger, clock: Clock
) -> None:
    life = Lifecycle(store, ledger, Engine(), clock)
    draft = life.draft(by="p_a")
    with pytest.raises(BadInput, match="bad-policy"):
        life.edit(draft.number, "permit everything", by="p_a")
    with pytest.raises(NotPermitted):
        life.edit(draft.number, draft.text, by="p_b")
    assert life.get(draft.number).text == draft.text


def test_a_returned_draft_can_be_edited_and_proposed_again(
    store: sa.Engine, ledger: Ledger, clock: Clock
) -> None:
    life = Lifecycle(store, ledger, Engine(), clock)
    draft = life.draft(by="p_a")
    life.propose(draft.number, by="p_a")
    assert life.send_back(draft.number, by="p_b", note="why?").note == "why?"
    life.edit(draft.number, draft.text, by="p_a")
    assert life.propose(draft.number, by="p_a").state == "proposed"


def test_versions_follow_each_other(store: sa.Engine, ledger: Ledger, clock: Clock) -> None:
    life = Lifecycle(store, ledger, Engine(), clock)
    for _ in range(2):
        draft = life.draft(by="p_a")
        life.propose(draft.number, by="p_a")
        life.approve(draft.number, by="p_b")
        life.activate(draft.number, by="p_b")
    newest, oldest = life.all()
    assert (newest.state, oldest.state, newest.based_on) == ("active", "retired", oldest.number)


# ── exceptions ───────────────────────────────────────────────────────────────────────────


def test_an_exception_is_granted_by_security_for_a_time(
    store: sa.Engine, ledger: Ledger, clock: Clock
) -> None:
    exceptions = Exceptions(store, ledger, clock)
    asked = exceptions.ask("DP-06", by=ALICE.id, agent="hr", reason="a study with consent")
    assert exceptions.lifted(ALICE.id, "hr") == frozenset()
    with pytest.raises(NotPermitted):
        exceptions.decide(asked.id, True, by=ALICE.id, roles=SECURITY)
    with pytest.raises(NotPermitted):
        exceptions.decide(asked.id, True, by="p_b", roles=frozenset({"champion"}))
    exceptions.decide(asked.id, True, by="p_b", roles=SECURITY, seconds=60)
    assert exceptions.lifted(ALICE.id, "hr") == {"DP-06"}
    assert exceptions.lifted(ALICE.id, "other") == frozenset()
    clock.now += 61
    assert exceptions.lifted(ALICE.id, "hr") == frozenset()
    assert exceptions.all()[0].state == "granted"


def test_an_exception_needs_a_reason(store: sa.Engine, ledger: Ledger) -> None:
    with pytest.raises(BadInput):
        Exceptions(store, ledger).ask("DP-06", by=ALICE.id, reason=" ")


# ── rehearsal ────────────────────────────────────────────────────────────────────────────


def test_a_rehearsal_says_whom_the_new_rules_would_have_stopped(store: sa.Engine) -> None:
    with store.begin() as connection:
        connection.execute(
            sa.insert(traces_table),
            [row(n, tools=" calculator " if n % 2 else "") for n in range(12)],
        )
    engine = Engine()
    proposed = Lifecycle.check(_life(store, engine), engine.policies.text + NO_CALCULATOR)
    result = rehearse(Traces(store), engine, proposed)
    assert (result.looked_at, result.blocked, result.people) == (12, 6, 3)
    assert result.agents == ("email-drafter",)  # every one of its turns used the calculator
    assert result.rules == {"MY-01": 6}
    assert {change.agent for change in result.changes} == {"email-drafter"}
    assert engine.decide(Request("turn", ALICE)).policy_set == engine.policies.hash


def _life(store: sa.Engine, engine: Engine) -> Lifecycle:
    life = Lifecycle.__new__(Lifecycle)
    life._product = engine.policies
    return life


def test_a_matrix_shows_every_class_with_every_model() -> None:
    engine = Engine()
    cells = matrix(
        engine.policies,
        [ModelFacts("practice", "practice", "local"), ModelFacts("us", "provider", "us")],
        [ToolFacts("mail", "sends", frozenset({"mail"}))],
        actor=ALICE,
    )
    assert len(cells) == 12
    outcomes = {(c.data_class, c.what): c.outcome for c in cells}
    assert outcomes[("restricted", "us")] == "deny"
    assert outcomes[("restricted", "practice")] == "allow"
    assert outcomes[("internal", "mail")] == "ask"


def test_records_of_rules_name_no_person(store: sa.Engine, ledger: Ledger, clock: Clock) -> None:
    Lifecycle(store, ledger, Engine(), clock).draft(by="alice@example.org")
    ledger.record(Act("x", "alice@example.org"))
    with store.connect() as connection:
        actors = set(connection.scalars(sa.select(ledger_table.c.actor)))
    assert len(actors) == 1
    assert all(actor.startswith("p_") for actor in actors)
