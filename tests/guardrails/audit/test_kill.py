"""kill -9 in the middle of work: no act without its intent, and the chain is whole each time."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from guardrails.audit.ledger import Ledger
from guardrails.audit.tables import ledger as table
from guardrails.audit.verify import verify
from guardrails.keys import Keys


def kill_and_check(store: sa.Engine, keys: Keys, folder: Path, number: int) -> int:
    """One kill; returns how many acts had been done so far."""
    marks, acts = folder / "checkpoints", folder / "acts"
    url = store.url.render_as_string(hide_password=False)
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.guardrails.audit.kill_child", url, str(marks), str(acts)],
        stdout=subprocess.PIPE,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"working\n"
    before = acts.stat().st_size if acts.exists() else 0
    while not acts.exists() or acts.stat().st_size == before:  # a busy machine starts slowly
        time.sleep(0.01)
    time.sleep(0.1 + 0.05 * (number % 5))
    child.kill()
    child.wait()
    child.stdout.close()
    done = [int(line) for line in acts.read_text().split()]
    with store.connect() as connection:
        rows = connection.execute(sa.select(table.c.seq, table.c.step)).all()
    intents = {row.seq for row in rows if row.step == "intent"}
    assert set(done) <= intents, "an act happened without a prior row"
    result = verify(store, keys.signing().public_key(), marks, mac_key=keys.derive("ledger-chain"))
    assert result.ok, result
    return len(done)


def run(store: sa.Engine, keys: Keys, folder: Path, kills: int) -> None:
    before = 0
    for number in range(kills):
        after = kill_and_check(store, keys, folder, number)
        assert after > before
        before = after
    ledger = Ledger(store, keys, checkpoint_file=folder / "checkpoints")
    ledger.recover()
    assert ledger.recover() == 0
    ledger.close()
    answered = table.alias()
    dangling = sa.select(sa.func.count()).where(
        table.c.step == "intent", ~sa.exists().where(answered.c.intent == table.c.seq)
    )
    with store.connect() as connection:
        assert connection.scalar(dangling) == 0
    assert verify(store, keys.signing().public_key(), folder / "checkpoints").ok


def test_three_kills_lose_no_act(store: sa.Engine, keys: Keys, tmp_path: Path) -> None:
    run(store, keys, tmp_path, 3)


@pytest.mark.heavy
@pytest.mark.timeout(600)
def test_twenty_kills_lose_no_act(store: sa.Engine, keys: Keys, tmp_path: Path) -> None:
    run(store, keys, tmp_path, 20)
