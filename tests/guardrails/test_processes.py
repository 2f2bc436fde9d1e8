"""Who works on a store: the living are left alone, what the dead left is taken up."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from guardrails.audit.ledger import Act, Ledger
from guardrails.audit.tables import ledger
from guardrails.budgets import Budgets
from guardrails.keys import Keys
from guardrails.processes import SILENT_SECONDS, Processes, processes

OTHER = """
import sys
from pathlib import Path
from guardrails.keys import Keys
from guardrails.processes import Processes
from guardrails.store import open_engine
other = Processes(open_engine(sys.argv[1]), Path(sys.argv[2]))
other.join()
print(other.id, flush=True)
sys.stdin.read()
"""


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def known(store: sa.Engine) -> set[str]:
    with store.connect() as db:
        return set(db.scalars(sa.select(processes.c.id)))


def test_a_killed_process_of_the_home_is_dead_at_once_and_a_living_one_is_not(
    store: sa.Engine, tmp_path: Path
) -> None:
    url = store.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", OTHER, url, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        id = other.stdout.readline().decode().strip()
        mine = Processes(store, tmp_path)
        mine.join()
        assert mine.bury() == 0 and known(store) == {id, mine.id}
        other.send_signal(signal.SIGKILL)
        other.wait()
        assert mine.bury() == 1 and known(store) == {mine.id}
    assert [file.name for file in (tmp_path / "processes").iterdir()] == [mine.id]
    mine.leave()
    assert known(store) == set() and not list((tmp_path / "processes").iterdir())


def test_a_process_of_another_home_is_dead_when_it_has_been_silent(
    store: sa.Engine, tmp_path: Path
) -> None:
    clock = Clock()
    here, there = (Processes(store, tmp_path / name, clock) for name in ("a", "b"))
    here.join()
    there.join()
    clock.now += SILENT_SECONDS
    assert here.bury() == 0
    clock.now += 1
    assert here.bury() == 1 and known(store) == {here.id}
    there.beat()  # it was only slow
    assert here.bury() == 0 and known(store) == {here.id, there.id}
    here.leave()
    there.leave()


def test_the_stores_own_clock_counts(store: sa.Engine, tmp_path: Path) -> None:
    one, other = Processes(store, tmp_path / "a"), Processes(store, tmp_path / "b")
    one.join()
    other.join()
    assert one.bury() == 0
    with store.begin() as db:
        late = processes.c.beat - int(SILENT_SECONDS) - 2
        db.execute(sa.update(processes).where(processes.c.id == other.id).values(beat=late))
    assert one.bury() == 1
    other.leave()
    one.leave()


@pytest.mark.parametrize("alive", [True, False])
def test_open_acts_and_reservations_of_the_living_stay_open(
    store: sa.Engine, keys: Keys, tmp_path: Path, alive: bool
) -> None:
    other = Processes(store, tmp_path)
    other.join()
    theirs = Ledger(store, keys, process=other.id)
    seq = theirs.intent(Act("model.call", "system"))
    if not alive:
        other.leave()
    mine = Ledger(store, keys, process="mine")
    assert mine.recover() == (0 if alive else 1)
    if alive:
        theirs.outcome(seq, "allow", {})
    with store.connect() as db:
        said = db.scalars(sa.select(ledger.c.verdict).where(ledger.c.intent == seq)).all()
    assert said == (["allow"] if alive else ["unknown"])
    assert Budgets(store, process=other.id).recover() == 0
    mine.close()
    theirs.close()
    other.leave()
