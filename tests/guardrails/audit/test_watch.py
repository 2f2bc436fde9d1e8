"""The scheduled look at the record raises an alert when something is wrong."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from guardrails.audit.alerts import Alerts
from guardrails.audit.ledger import Act, Ledger
from guardrails.audit.spans import Spans
from guardrails.audit.tables import ledger as table
from guardrails.audit.verify import Verification
from guardrails.audit.watch import RETRY_SECONDS, VERIFY_SECONDS, Watch
from guardrails.keys import Keys


def test_a_broken_chain_is_found_by_the_scheduled_check(
    engine: sa.Engine, keys: Keys, tmp_path: Path
) -> None:
    now = [0.0]
    file = tmp_path / "checkpoints"
    ledger, spans = Ledger(engine, keys, checkpoint_file=file), Spans(engine, "test")
    ledger.record(Act("x", "alice"))
    ledger.record(Act("x", "alice"))
    watch = Watch(
        engine, ledger, spans, keys, file, Alerts(engine, []),
        clock=lambda: now[0],
    )  # fmt: skip
    assert watch.tick() == []
    assert watch.last is not None
    assert watch.last.ok
    with engine.begin() as connection:
        connection.execute(sa.update(table).where(table.c.seq == 2).values(rule="forged"))
    assert watch.tick() == []  # not due yet
    now[0] = VERIFY_SECONDS
    (alert,) = watch.tick()
    assert (alert.rule, alert.data["what"]) == ("chain-broken", "altered, 2")
    watch.start()
    watch.close()
    spans.close()
    ledger.close()


def test_daily_work_that_fails_is_alerted_and_tried_again_within_the_hour(
    engine: sa.Engine, keys: Keys, tmp_path: Path
) -> None:
    now, done = [0.0], []
    file = tmp_path / "checkpoints"
    ledger, spans = Ledger(engine, keys, checkpoint_file=file), Spans(engine, "test")

    def unreadable() -> Verification:
        raise OSError("the disk says no")

    watch = Watch(
        engine, ledger, spans, keys, file, Alerts(engine, []), clock=lambda: now[0],
        verifier=unreadable, daily=(lambda: 1 // 0, lambda: done.append(now[0])),
    )  # fmt: skip
    (alert,) = watch.tick()
    assert (alert.rule, alert.data["n"]) == ("duty-failed", 2)
    now[0] = RETRY_SECONDS - 1
    watch.tick()
    now[0] = RETRY_SECONDS
    watch.tick()
    assert done == [0.0, RETRY_SECONDS]  # what follows a failure is done all the same
    spans.close()
    ledger.close()


def test_what_was_lost_while_the_store_was_away_is_alerted_when_it_is_back(
    engine: sa.Engine, keys: Keys, tmp_path: Path
) -> None:
    file = tmp_path / "checkpoints"
    ledger, spans = Ledger(engine, keys, checkpoint_file=file), Spans(engine, "test")
    watch = Watch(engine, ledger, spans, keys, file, Alerts(engine, []))
    assert watch.tick() == []
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE alert_rules RENAME TO gone"))
    ledger.failures += 1
    with pytest.raises(sa.exc.SQLAlchemyError):
        watch.tick()
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE gone RENAME TO alert_rules"))
    assert [alert.rule for alert in watch.tick()] == ["ledger-failed"]
    spans.close()
    ledger.close()
