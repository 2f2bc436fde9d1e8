"""The scheduled look at the record raises an alert when something is wrong."""

from pathlib import Path

import sqlalchemy as sa

from guardrails.audit.alerts import Alerts
from guardrails.audit.ledger import Act, Ledger
from guardrails.audit.spans import Spans
from guardrails.audit.tables import ledger as table
from guardrails.audit.watch import VERIFY_SECONDS, Watch
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
        guard_errors=lambda: 2, clock=lambda: now[0],
    )  # fmt: skip
    assert [alert.rule for alert in watch.tick()] == ["guard-error"]
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
