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
from guardrails.policy.engine import Engine, ModelFacts, Request, ToolFacts, parse
from guardrails.policy.exceptions import Exceptions
from guardrails.policy.lifecycle import Lifecycle
from guardrails.policy.rehearse import matrix, rehearse
from guardrails.policy.tables import versions
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
@en("The calculator is off.") @fr("La calculatrice est coupée.")
@instead_en("Use Python.") @instead_fr("Utilisez Python.")
forbid (principal, action == Action::"tool.call", resource) when { context.tool == "calculator" };
"""


def open_life(store: sa.Engine, ledger: Ledger, clock: Clock) -> tuple[Lifecycle, Engine]:
    engine = Engine()
    life = Lifecycle(store, ledger, engine, clock)
    life.load()
    return life, engine


def put_in_force(life: Lifecycle, text: str) -> int:
    number = life.draft(by="p_a", text=text).number
    life.propose(number, by="p_a")
    life.approve(number, by="p_b")
    return life.activate(number, by="p_b").number


CALCULATE = Request(
    "tool.call", ALICE, tool=ToolFacts("calculator", "reads", frozenset({"calculator"}))
)


def test_a_draft_is_approved_by_another_and_put_in_force(
    store: sa.Engine, ledger: Ledger, clock: Clock
) -> None:
    life, engine = open_life(store, ledger, clock)
    product = engine.policies.hash
    draft = life.draft(by="p_a", note="no calculator")
    assert draft.number == 2
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
    assert engine.decide(CALCULATE).rule == "MY-01"
    assert engine.policies.words["MY-01"]["en"] == "The calculator is off."

    _, restarted = open_life(store, ledger, clock)
    assert restarted.policies.hash == engine.policies.hash != product

    life.activate(1, by="p_b", reason="back to what the product brings")
    assert engine.policies.hash == product
    assert engine.decide(CALCULATE).outcome == "allow"
    life.activate(draft.number, by="p_b")  # back again: it was active once
    assert [v.state for v in life.all()] == ["active", "retired"]


def test_version_one_is_the_set_that_came_with_the_product(
    store: sa.Engine, ledger: Ledger, clock: Clock
) -> None:
    life, engine = open_life(store, ledger, clock)
    (first,) = life.all()
    assert (first.number, first.state, first.source) == (1, "active", "product")
    assert first.hash == engine.policies.hash == engine.decide(CALCULATE).policy_set
    open_life(store, ledger, clock)
    assert len(life.all()) == 1
    assert kinds(store) == ["policy.install"]


def test_every_process_of_a_store_decides_by_the_version_in_force(
    store: sa.Engine, ledger: Ledger, clock: Clock
) -> None:
    here, _ = open_life(store, ledger, clock)
    ticks = Clock()
    elsewhere = Engine()
    other = Lifecycle(store, ledger, elsewhere, clock, ticks)
    other.load()
    assert elsewhere.decide(CALCULATE).outcome == "allow"
    number = put_in_force(here, here.active().text + NO_CALCULATOR)  # type: ignore[union-attr]
    assert elsewhere.decide(CALCULATE).outcome == "allow"  # known for less than a second
    ticks.now += 1.0
    decision = elsewhere.decide(CALCULATE)
    assert (decision.rule, decision.policy_set) == ("MY-01", here.get(number).hash)


def test_without_a_store_that_can_be_read_nothing_is_permitted(
    engine: sa.Engine, ledger: Ledger, clock: Clock
) -> None:
    ticks = Clock()
    policy = Engine()
    life = Lifecycle(engine, ledger, policy, clock, ticks)
    life.load()
    assert policy.decide(CALCULATE).outcome == "allow"
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE policy_versions RENAME TO gone")
    ticks.now += 1.0
    denied = policy.decide(CALCULATE)
    assert (denied.outcome, denied.rule) == ("deny", "policy-error")
    assert life.problem() == "store-unreadable"
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE gone RENAME TO policy_versions")
    assert policy.decide(CALCULATE).outcome == "allow"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"text": '@id("X") permit (principal, action, resource);'}, "rules-altered"),
        ({"hash": "0" * 64}, "rules-altered"),
        ({"text": "no rules at all", "hash": "1" * 64}, "bad-policy"),
        ({"state": "retired"}, "no-rules"),
    ],
)
def test_rules_altered_in_the_store_permit_nothing(
    store: sa.Engine, ledger: Ledger, clock: Clock, change: dict[str, str], code: str
) -> None:
    open_life(store, ledger, clock)
    with store.begin() as connection:
        connection.execute(sa.update(versions).values(**change))
    policy = Engine()
    life = Lifecycle(store, ledger, policy, clock)
    policy.follow(life.current)
    decision = policy.decide(CALCULATE)
    assert (decision.outcome, decision.rule) == ("deny", "policy-error")
    assert life.problem() == code


def test_a_release_with_other_rules_becomes_a_version_and_spares_an_own_set(
    store: sa.Engine, ledger: Ledger, clock: Clock
) -> None:
    product = Engine().policies
    older = parse(product.text.replace("26214400", "1000"), product.schema_text)
    before = Lifecycle(store, ledger, Engine(policies=older), clock)
    before.load()
    life, engine = open_life(store, ledger, clock)
    assert [v.state for v in life.all()] == ["active", "retired"]
    assert engine.policies.hash == product.hash

    number = put_in_force(life, product.text + NO_CALCULATOR)
    newer = parse(product.text.replace("26214400", "2000"), product.schema_text)
    policy = Engine(policies=newer)
    later = Lifecycle(store, ledger, policy, clock)
    later.load()
    active = later.active()
    assert active is not None
    assert active.number == number
    assert later.all()[0].state == "approved"
    assert policy.decide(CALCULATE).rule == "MY-01"


def test_a_newer_vocabulary_keeps_the_own_rules_that_fit_it(
    store: sa.Engine, ledger: Ledger, clock: Clock
) -> None:
    product = Engine().policies
    life, _ = open_life(store, ledger, clock)
    put_in_force(life, product.text + NO_CALCULATOR)
    schema = product.schema_text.replace("exceptions:", "colour: String,\n  exceptions:")
    policy = Engine(policies=parse(product.text, schema))
    later = Lifecycle(store, ledger, policy, clock)
    later.load()
    assert later.problem() == ""
    assert '@id("MY-01")' in policy.policies.text
    assert "policy.refit" in kinds(store)


def test_a_draft_that_is_wrong_is_kept_and_cannot_be_proposed(
    store: sa.Engine, ledger: Ledger, clock: Clock
) -> None:
    life, _ = open_life(store, ledger, clock)
    draft = life.draft(by="p_a")
    wrong = life.edit(draft.number, "permit everything", by="p_a")
    assert (wrong.text, wrong.hash) == ("permit everything", "")
    with pytest.raises(BadInput, match="bad-policy"):
        life.propose(draft.number, by="p_a")
    with pytest.raises(BadInput, match="text-too-long"):
        life.edit(draft.number, "x" * 400_001, by="p_a")


def test_a_rule_without_a_sentence_for_people_is_not_proposed(
    store: sa.Engine, ledger: Ledger, clock: Clock
) -> None:
    life, engine = open_life(store, ledger, clock)
    text = engine.policies.text + '@id("MY-02") forbid (principal, action, resource);'
    draft = life.draft(by="p_a", text=text)
    with pytest.raises(BadInput, match="bad-policy") as refused:
        life.propose(draft.number, by="p_a")
    assert refused.value.data["rule"] == "MY-02"


def test_two_officers_who_edit_at_once_lose_nothing(
    store: sa.Engine, ledger: Ledger, clock: Clock
) -> None:
    life, _ = open_life(store, ledger, clock)
    draft = life.draft(by="p_a")
    seen = draft.revision
    mine = life.edit(draft.number, draft.text + "// mine\n", by="p_a", revision=seen)
    with pytest.raises(BadInput, match="draft-changed") as refused:
        life.edit(draft.number, draft.text + "// yours\n", by="p_b", revision=seen)
    assert refused.value.data["revision"] == mine.revision
    assert life.get(draft.number).text.endswith("// mine\n")
    both = life.edit(draft.number, mine.text + "// yours\n", by="p_b", revision=mine.revision)
    assert both.editors == ("p_a", "p_b")
    life.propose(draft.number, by="p_a")
    for editor in ("p_a", "p_b"):
        with pytest.raises(NotPermitted, match="self-approval"):
            life.approve(draft.number, by=editor)
    assert life.approve(draft.number, by="p_c").approved_by == "p_c"


def test_a_returned_draft_can_be_edited_and_proposed_again(
    store: sa.Engine, ledger: Ledger, clock: Clock
) -> None:
    life, _ = open_life(store, ledger, clock)
    draft = life.draft(by="p_a")
    life.propose(draft.number, by="p_a")
    assert life.send_back(draft.number, by="p_b", note="why?").review == "why?"
    life.edit(draft.number, draft.text, by="p_a")
    assert life.propose(draft.number, by="p_a").state == "proposed"


def test_versions_follow_each_other(store: sa.Engine, ledger: Ledger, clock: Clock) -> None:
    life, _ = open_life(store, ledger, clock)
    for _ in range(2):
        put_in_force(life, life.product().text)
    newest, older, first = life.all()
    assert (newest.state, older.state, newest.based_on) == ("active", "retired", older.number)
    assert first.number == 1


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


def test_an_approval_counts_for_the_text_that_was_looked_at_only(
    store: sa.Engine, ledger: Ledger, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    life, _ = open_life(store, ledger, clock)
    number = life.draft(by="p_a").number
    life.propose(number, by="p_a")
    text = life.get(number).text

    def exchanged(act: Act) -> int:
        """Between the look and the approval p_b makes it a text of their own."""
        monkeypatch.undo()
        life.send_back(number, by="p_b", note="one more thing")
        life.edit(number, text + NO_CALCULATOR, by="p_b")
        life.propose(number, by="p_b")
        return ledger.record(act)

    monkeypatch.setattr(ledger, "record", exchanged)
    with pytest.raises(BadInput, match="wrong-state"):
        life.approve(number, by="p_b")
    assert life.get(number).state == "proposed"
