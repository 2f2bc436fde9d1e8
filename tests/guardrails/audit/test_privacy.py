"""Reveal with two people, who-saw-what, retention, holds, erasure, alerts: on both stores."""

import http.server
import json
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from guardrails.actor import pseudonym
from guardrails.audit.alerts import (
    Alert,
    Alerts,
    Health,
    MailSender,
    Sender,
    WebhookSender,
)
from guardrails.audit.ledger import Act, Ledger
from guardrails.audit.retention import Due, Retention
from guardrails.audit.reveal import MINUTES, Reveals
from guardrails.audit.schedule import Schedule
from guardrails.audit.search import Traces
from guardrails.audit.tables import ledger as ledger_table
from guardrails.audit.tables import traces as traces_table
from guardrails.audit.trace_rows import TraceFilter
from guardrails.audit.verify import Problem, verify
from guardrails.budgets import Budget, Use
from guardrails.errors import BadInput, NotPermitted
from guardrails.keys import Keys
from guardrails.store import cut_log
from tests.guardrails.audit.test_search import START, row

SECURITY = frozenset({"security"})
AUTHOR, ASKER, SECOND = "p_0000000001", "p_00000000a1", "p_00000000b2"
TRACE = f"{1:08x}" + "ab" * 12  # of p_0000000001
REASON = "an incident report names this turn"


class Clock:
    def __init__(self) -> None:
        self.now = (START + timedelta(hours=1)).timestamp()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(store: sa.Engine, keys: Keys, tmp_path: Path, clock: Clock) -> Iterator[Ledger]:
    with store.begin() as connection:
        connection.execute(sa.insert(traces_table), [row(n) for n in range(12)])
    opened = Ledger(store, keys, clock, tmp_path / "checkpoints")
    yield opened
    opened.close()


@pytest.fixture
def reveals(ledger: Ledger, clock: Clock) -> Reveals:
    return Reveals(ledger.engine, ledger, clock)


# ── reveal ───────────────────────────────────────────────────────────────────────────────


def test_content_is_revealed_by_two_people_for_a_time(reveals: Reveals, clock: Clock) -> None:
    with pytest.raises(NotPermitted):
        reveals.allowed(TRACE, to=ASKER)
    asked = reveals.ask("tr_00000001", by=ASKER, reason=REASON)
    assert [r.id for r in reveals.waiting()] == [asked.id]
    reveals.decide(asked.id, True, by=SECOND, roles=SECURITY)
    assert reveals.allowed(TRACE, to=ASKER).author == AUTHOR
    with pytest.raises(NotPermitted):
        reveals.allowed(TRACE, to=SECOND)
    clock.now += MINUTES * 60 + 1
    with pytest.raises(NotPermitted, match="no-reveal"):
        reveals.allowed(TRACE, to=ASKER)
    assert [view.kind for view in reveals.who_saw(AUTHOR)] == [
        "revealed", "reveal-granted", "reveal-asked",
    ]  # fmt: skip
    assert (reveals.unread(AUTHOR), reveals.unread(ASKER)) == (3, 0)
    reveals.read(AUTHOR)
    assert reveals.unread(AUTHOR) == 0


@pytest.mark.parametrize(
    ("by", "roles"),
    [(ASKER, SECURITY), (AUTHOR, SECURITY), (SECOND, frozenset({"champion"}))],
)
def test_the_second_person_is_another_and_of_security(
    reveals: Reveals, by: str, roles: frozenset[str]
) -> None:
    asked = reveals.ask(TRACE, by=ASKER, reason=REASON)
    with pytest.raises(NotPermitted):
        reveals.decide(asked.id, True, by=by, roles=roles)
    assert reveals.get(asked.id).state == "asked"


def test_a_refused_reveal_stays_refused(reveals: Reveals) -> None:
    asked = reveals.ask(TRACE, by=ASKER, reason=REASON)
    assert reveals.decide(asked.id, False, by=SECOND, roles=SECURITY).state == "refused"
    with pytest.raises(BadInput):
        reveals.decide(asked.id, True, by=SECOND, roles=SECURITY)
    with pytest.raises(NotPermitted):
        reveals.allowed(TRACE, to=ASKER)


def test_a_reveal_needs_a_reason_and_a_trace(reveals: Reveals) -> None:
    with pytest.raises(BadInput, match="reason-missing"):
        reveals.ask(TRACE, by=ASKER, reason="because")
    with pytest.raises(BadInput, match="no-such-trace"):
        reveals.ask("tr_ffffffff", by=ASKER, reason=REASON)


def test_an_author_reads_who_opened_their_traces(reveals: Reveals) -> None:
    trace = Traces(reveals._engine).get(TRACE)
    assert trace is not None
    reveals.viewed(trace.row, by=ASKER)
    reveals.viewed(trace.row, by=AUTHOR)
    (view,) = reveals.who_saw(AUTHOR)
    assert (view.viewer, view.kind) == (ASKER, "viewed")


def test_people_whose_turns_were_found_by_a_search_read_of_it_once_an_hour(
    reveals: Reveals, clock: Clock
) -> None:
    for _ in range(2):
        reveals.listed({AUTHOR: TRACE, ASKER: ""}, by=ASKER, targeted=False)
    reveals.listed({AUTHOR: TRACE}, by=ASKER, targeted=True)
    assert [view.kind for view in reveals.who_saw(AUTHOR)] == ["searched", "listed"]
    assert reveals.who_saw(ASKER) == []  # one's own looks are nobody's news
    clock.now += 3_601
    reveals.listed({AUTHOR: TRACE}, by=ASKER, targeted=False)
    assert len(reveals.who_saw(AUTHOR)) == 3


def test_a_second_person_who_decides_twice_changes_nothing(reveals: Reveals) -> None:
    asked = reveals.ask(TRACE, by=ASKER, reason=REASON)
    reveals.decide(asked.id, True, by=SECOND, roles=SECURITY)
    with pytest.raises(BadInput, match="wrong-state"):
        reveals.decide(asked.id, False, by=SECOND, roles=SECURITY)
    assert reveals.get(asked.id).state == "granted"
    assert [r.id for r in reveals.all()] == [asked.id]


# ── retention, holds, erasure ────────────────────────────────────────────────────────────


def retention(ledger: Ledger, keys: Keys, clock: Clock, **days: int) -> Retention:
    return Retention(ledger.engine, ledger, keys, Schedule(184, days), clock)


def checked(ledger: Ledger, keys: Keys, tmp_path: Path) -> Problem | None:
    ledger.close()
    return verify(ledger.engine, keys.signing().public_key(), tmp_path / "checkpoints").first_bad


def test_what_is_past_its_time_goes_and_the_chain_still_verifies(
    ledger: Ledger, keys: Keys, clock: Clock, tmp_path: Path
) -> None:
    ledger.record(Act("x", AUTHOR, payload={"a": 1}))
    rules = retention(ledger, keys, clock)
    assert rules.purge().traces == 0
    clock.now += 185 * 86_400
    purged = rules.purge()
    # the payloads are the act's and what the run before had recorded of itself
    assert (purged.traces, purged.payloads) == (12, 2)
    assert Traces(ledger.engine).page().rows == ()
    assert checked(ledger, keys, tmp_path) is None


def test_a_class_may_be_kept_for_a_shorter_time(ledger: Ledger, keys: Keys, clock: Clock) -> None:
    with ledger.engine.begin() as connection:
        connection.execute(
            sa.update(traces_table).where(traces_table.c.tokens < 4).values(data_class="restricted")
        )
    clock.now += 31 * 86_400
    assert retention(ledger, keys, clock, restricted=30).purge().traces == 4


def test_a_legal_hold_beats_retention_and_erasure(
    ledger: Ledger, keys: Keys, clock: Clock, tmp_path: Path
) -> None:
    ledger.record(Act("x", AUTHOR, payload={"a": 1}))
    ledger.record(Act("x", SECOND, payload={"a": 1}))
    rules = retention(ledger, keys, clock)
    hold = rules.hold("person", AUTHOR, by=ASKER, reason="a court asked")
    clock.now += 185 * 86_400
    purged = rules.purge()
    assert (purged.traces, Traces(ledger.engine).counts()["allowed"]) == (8, 1)
    with pytest.raises(NotPermitted, match="on-hold"):
        rules.erase(AUTHOR, by=ASKER)
    rules.release(hold.id, by=ASKER)
    assert rules.purge().traces == 4
    assert checked(ledger, keys, tmp_path) is None


@pytest.mark.parametrize("field", ["agent", "conversation", "department", "all"])
def test_every_kind_of_hold_holds(ledger: Ledger, keys: Keys, clock: Clock, field: str) -> None:
    value = {"agent": "email-drafter", "conversation": "c0", "department": "it", "all": ""}[field]
    rules = retention(ledger, keys, clock)
    rules.hold(field, value, by=ASKER, reason="a court asked")  # type: ignore[arg-type]
    clock.now += 185 * 86_400
    kept = {"agent": 6, "conversation": 5, "department": 6, "all": 12}[field]
    assert rules.purge().traces == 12 - kept
    with pytest.raises(NotPermitted):
        rules.erase(AUTHOR, by=ASKER)


def test_the_days_that_were_set_are_what_the_next_run_goes_by(
    ledger: Ledger, keys: Keys, clock: Clock
) -> None:
    with ledger.engine.begin() as connection:
        connection.execute(
            sa.update(traces_table).where(traces_table.c.tokens < 4).values(data_class="restricted")
        )
    rules = Retention(ledger.engine, ledger, keys, clock=clock)
    rules.schedules.set("restricted", 30, by=ASKER, reason="data protection impact assessment")
    rules.schedules.set("", 400, by=ASKER)
    rules.hold("person", AUTHOR, by=ASKER, reason="a court asked")
    clock.now += 31 * 86_400
    held = 1
    assert rules.preview() == [Due("restricted", 30, 4 - held, held), Due("", 400, 0, 0)]
    assert rules.purge().traces == 4 - held
    assert rules.preview()[0] == Due("restricted", 30, 0, held)


@pytest.mark.parametrize(
    ("data_class", "days", "reason", "code"),
    [
        ("internal", 183, "short", "retention-reason"),
        ("internal", 1, "a reason that is long enough", "retention-days"),
        ("made-up", 200, "", "no-such-data-class"),
    ],
)
def test_days_that_nobody_could_defend_are_refused(
    ledger: Ledger, keys: Keys, data_class: str, days: int, reason: str, code: str
) -> None:
    with pytest.raises(BadInput, match=code):
        Retention(ledger.engine, ledger, keys).schedules.set(
            data_class, days, by=ASKER, reason=reason
        )


def test_a_hold_says_what_it_keeps_and_why_and_ends_once(ledger: Ledger, keys: Keys) -> None:
    rules = Retention(ledger.engine, ledger, keys)
    with pytest.raises(BadInput, match="reason-missing"):
        rules.hold("person", AUTHOR, by=ASKER, reason="short")
    with pytest.raises(BadInput, match="hold-value"):
        rules.hold("person", " ", by=ASKER, reason="a court asked")
    hold = rules.hold("all", "", by=ASKER, reason="a court asked")
    assert rules.release(hold.id, by=SECOND).released_by == SECOND
    with pytest.raises(BadInput, match="wrong-state"):
        rules.release(hold.id, by=SECOND)
    with pytest.raises(BadInput, match="no-such-hold"):
        rules.release(99, by=SECOND)


def test_erasure_forgets_content_and_keeps_the_proof(
    ledger: Ledger, keys: Keys, clock: Clock, tmp_path: Path
) -> None:
    ledger.record(Act("x", AUTHOR, payload={"text": "a private thing"}))
    ledger.record(Act("x", SECOND, payload={"text": "someone else's"}))
    assert retention(ledger, keys, clock).erase(AUTHOR, by=ASKER) == 4
    rows = Traces(ledger.engine).page(TraceFilter(person=AUTHOR)).rows
    assert {found.request for found in rows} == {""}
    assert Traces(ledger.engine).page(TraceFilter(text="number1", person=AUTHOR)).rows == ()
    with ledger.engine.connect() as connection:
        left = dict(
            (r.subject, r.payload is not None)
            for r in connection.execute(sa.select(ledger_table).where(ledger_table.c.kind == "x"))
        )
    assert left == {AUTHOR: False, SECOND: True}
    assert checked(ledger, keys, tmp_path) is None


def test_a_payload_removed_beside_a_tombstone_is_still_found(
    ledger: Ledger, keys: Keys, clock: Clock, tmp_path: Path
) -> None:
    ledger.record(Act("x", AUTHOR, payload={"a": 1}))
    clock.now += 185 * 86_400
    retention(ledger, keys, clock).purge()
    seq = ledger.record(Act("x", AUTHOR, payload={"a": 2}))
    with ledger.engine.begin() as connection:
        connection.execute(
            sa.update(ledger_table).where(ledger_table.c.seq == seq).values(payload=None)
        )
    assert checked(ledger, keys, tmp_path) == Problem(seq, "payload-missing")


# ── alerts ───────────────────────────────────────────────────────────────────────────────


class Kept:
    name = "kept"

    def __init__(self) -> None:
        self.alerts: list[Alert] = []

    def send(self, alert: Alert) -> None:
        self.alerts.append(alert)


def test_health_becomes_alerts_once_an_hour(ledger: Ledger, clock: Clock) -> None:
    kept = Kept()
    alerts = Alerts(ledger.engine, [kept], clock)
    budget = Budget("person", "*", "tokens", "day", 100)
    health = Health(
        dropped_spans=1, otlp_lost=1, ledger_failures=1, checkpoint_failures=1, undone=1,
        chain_problem="altered at 7", unsafe=True,
        budgets=[Use(budget, "a", 85, 0), Use(budget, "b", 100, 0), Use(budget, "c", 1, 0)],
    )  # fmt: skip
    fired = {alert.rule for alert in alerts.check(health)}
    assert fired == {
        "spans-dropped", "otlp-lost", "ledger-failed", "checkpoint-failed", "duty-failed",
        "chain-broken", "unsafe-mode", "budget-80", "budget-100",
    }  # fmt: skip
    assert alerts.check(health) == []
    clock.now += 3_601
    assert len(alerts.check(health)) == len(kept.alerts) / 2
    newest = alerts.latest(unseen=True)[0]
    alerts.seen(newest.id, by=SECOND)
    assert newest.id not in {alert.id for alert in alerts.latest(unseen=True)}


def test_bursts_self_approvals_and_new_models_are_noticed(ledger: Ledger, clock: Clock) -> None:
    now = datetime.fromtimestamp(clock.now, UTC)
    first = round((now - START).total_seconds() / 60) - 2
    recent = [
        row(200 + n, verdict="blocked", person=AUTHOR, model="openai/x", model_kind="provider",
            location="us", id=row(first)["id"] + n)  # type: ignore[operator]
        for n in range(5)
    ]  # fmt: skip
    with ledger.engine.begin() as connection:
        connection.execute(sa.insert(traces_table), recent)
    ledger.record(Act("policy.approve", SECOND, verdict="deny", rule="self-approval"))
    fired = {alert.rule: alert.about for alert in Alerts(ledger.engine, [], clock).check()}
    assert fired == {
        "denial-burst": AUTHOR, "self-approval": SECOND, "new-external-model": "openai/x",
    }  # fmt: skip


def test_an_erased_word_is_in_no_file_and_in_no_index(
    ledger: Ledger, keys: Keys, clock: Clock
) -> None:
    # a third of them: the index holds the words of others in the same places
    with ledger.engine.begin() as connection:
        rows = [row(n, person=AUTHOR, request=f"xqzsecret{n} again") for n in range(1000, 1300)]
        rows += [row(n, request=f"xqzopen{n} again") for n in range(1300, 1900)]
        connection.execute(sa.insert(traces_table), rows)
    found = Traces(ledger.engine)
    assert found.page(TraceFilter(text="xqzsecret1007")).rows
    Retention(ledger.engine, ledger, keys, clock=clock).erase(AUTHOR, by=AUTHOR)
    assert not found.page(TraceFilter(text="xqzsecret1007")).rows
    assert found.page(TraceFilter(text="xqzopen1307")).rows
    if ledger.engine.dialect.name == "sqlite":
        cut_log(ledger.engine)
        file = Path(str(ledger.engine.url.database))
        # words share their beginnings in the index, and only what follows is written out
        kept = b"".join(each.read_bytes() for each in file.parent.glob(f"{file.name}*"))
        assert b"open1307 again" in kept and b"secret" not in kept


def test_a_restored_backup_is_told_once_also_days_later(ledger: Ledger, clock: Clock) -> None:
    alerts = Alerts(ledger.engine, [], clock)
    intent = ledger.intent(Act("backup.restore", SECOND))
    ledger.outcome(intent, "failed", {})
    assert alerts.check() == []  # nothing was put in
    seq = ledger.record(Act("backup.restore", SECOND))
    clock.now += 2 * 86_400  # the server was started only then
    told = [(alert.rule, alert.level, dict(alert.data)) for alert in alerts.check()]
    assert told == [("backup-restored", "critical", {"person": SECOND, "seq": seq})]
    clock.now += 2 * 86_400
    assert alerts.check() == []
    with pytest.raises(BadInput, match="alert-locked"):
        alerts.rules.set("backup-restored", active=False, threshold=None, by=SECOND)


def test_a_webhook_gets_names_and_numbers(ledger: Ledger, clock: Clock) -> None:
    bodies: list[bytes] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        sender = WebhookSender(f"http://127.0.0.1:{server.server_port}/")
        Alerts(ledger.engine, [sender], clock).fire(Alert("unsafe-mode", "critical"))
        thread.join()
    assert json.loads(bodies[0])["rule"] == "unsafe-mode"


def test_a_sender_that_fails_does_not_stop_the_others(ledger: Ledger, clock: Clock) -> None:
    kept = Kept()
    mail = MailSender("127.0.0.1", 9, "a@example.org", ("b@example.org",), lambda _a: ("s", "t"))
    senders: list[Sender] = [WebhookSender("file:///etc/passwd"), mail, kept]
    assert Alerts(ledger.engine, senders, clock).fire(Alert("unsafe-mode", "critical"))
    assert len(kept.alerts) == 1


def test_a_webhook_that_answers_nonsense_does_not_stop_the_others(
    ledger: Ledger, clock: Clock
) -> None:
    def answer(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(65_536)
            connection.sendall(b"nonsense\r\n\r\n")

    kept = Kept()
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer, args=(server,))
        thread.start()
        senders: list[Sender] = [
            WebhookSender(f"http://127.0.0.1:{server.getsockname()[1]}/"),
            kept,
        ]
        alerts = Alerts(ledger.engine, senders, clock)
        assert alerts.fire(Alert("unsafe-mode", "critical"))
        thread.join()
    assert (len(kept.alerts), alerts.send_failures) == (1, 1)


def test_every_alert_and_every_problem_has_words() -> None:
    root = Path(__file__).parents[3] / "ui" / "locales"
    words = [
        set(json.loads((root / language / "record.json").read_text("utf-8")))
        for language in ("en", "fr")
    ]
    assert words[0] == words[1]
    assert {"alert.denial-burst", "alert.new-external-model", "verify.truncated"} <= words[0]


def test_pseudonyms_are_stable_and_need_the_key(keys: Keys) -> None:
    assert pseudonym(keys, "alice") == pseudonym(keys, "alice")
    assert pseudonym(keys, "alice") != pseudonym(Keys(b"x" * 32), "alice")
    assert pseudonym(keys, "alice") != pseudonym(keys, "alicf")


def test_a_rule_that_is_off_or_below_its_threshold_stays_silent(
    ledger: Ledger, clock: Clock
) -> None:
    alerts = Alerts(ledger.engine, [], clock)
    alerts.rules.set("unsafe-mode", active=False, threshold=None, by=SECOND)
    alerts.rules.set("spans-dropped", active=True, threshold=100, by=SECOND)
    assert alerts.check(Health(unsafe=True, dropped_spans=99)) == []
    assert [a.rule for a in alerts.check(Health(unsafe=True, dropped_spans=100))] == [
        "spans-dropped"
    ]
    changed = alerts.rules.all()["spans-dropped"]
    assert (changed.threshold, changed.changed_by) == (100, SECOND)


@pytest.mark.parametrize(
    ("rule", "active", "threshold", "code"),
    [
        ("chain-broken", False, None, "alert-locked"),
        ("denial-burst", True, 1, "alert-threshold"),
        ("unsafe-mode", True, 3, "alert-threshold"),
        ("made-up", True, None, "no-such-alert-rule"),
    ],
)
def test_a_rule_cannot_be_set_to_what_would_hide_an_attack(
    ledger: Ledger, clock: Clock, rule: str, active: bool, threshold: float | None, code: str
) -> None:
    with pytest.raises(BadInput, match=code):
        Alerts(ledger.engine, [], clock).rules.set(
            rule, active=active, threshold=threshold, by=SECOND
        )


def test_an_alert_that_could_not_be_sent_is_tried_again(ledger: Ledger, clock: Clock) -> None:
    class Away(Kept):
        name = "away"
        here = False

        def send(self, alert: Alert) -> None:
            if not self.here:
                raise ConnectionError
            super().send(alert)

    away = Away()
    alerts = Alerts(ledger.engine, [away], clock)
    alerts.fire(Alert("unsafe-mode", "critical"))
    assert alerts.send_failures == 1
    away.here = True
    alerts.check()
    alerts.check()
    assert [a.rule for a in away.alerts] == ["unsafe-mode"]


def test_a_test_really_sends_every_way_and_says_which_failed(ledger: Ledger, clock: Clock) -> None:
    kept = Kept()
    alerts = Alerts(ledger.engine, [kept, WebhookSender("http://127.0.0.1:9/")], clock)
    assert alerts.test(by=SECOND) == {"kept": "sent", "webhook": "failed"}
    assert alerts.test(by=SECOND)["kept"] == "sent"  # at once, as often as wanted
    assert [a.rule for a in kept.alerts] == ["test", "test"]
    assert alerts.unseen() == {"info": 2}
    assert alerts.seen(None, by=SECOND) == 2
    assert alerts.unseen() == {}
