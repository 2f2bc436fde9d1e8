"""A rung is used only after it was really tried; a rung that does not hold is told so."""

from pathlib import Path

import pytest

from sandbox.checked import Check
from sandbox.launch import choose as choosing
from sandbox.launch import self_check
from sandbox.launch.base import (
    Backend,
    EachAnew,
    Launcher,
    LaunchFailed,
    Plan,
    Runtime,
    Started,
    Starter,
)
from sandbox.launch.choose import choose
from sandbox.launch.refuse import NoSeal
from sandbox.launch.self_check import RUNGS, holds, launcher_for, report, try_rung
from sandbox.launch.unsealed import Unsealed
from tests.sandbox.rungs import backend
from ui.messages import LANGUAGES, say


class Leaky(Unsealed):
    """Claims to be the first rung and holds nothing."""


class Absent:
    """A rung that never starts."""

    name: Backend = "bubblewrap"

    def starter(self, runtime: Runtime, runs: Path) -> Starter:
        return EachAnew(self.start)

    def start(self, plan: Plan) -> Started:
        raise LaunchFailed(self.name, "no")


def test_every_rung_of_this_machine_holds_what_it_claims() -> None:
    available = [rung for rung in RUNGS if launcher_for(rung)]
    if not available:
        pytest.fail("no rung is available here")
    for rung in available:
        missing = [check for check in try_rung(rung) if not check.held]
        assert missing == []


def test_a_backend_that_holds_nothing_is_found_out() -> None:
    checks = {check.name: check.held for check in try_rung("bubblewrap", Leaky())}
    assert checks["start"]  # it runs, so each attempt could be made
    assert not any(checks[name] for name in ("network", "files", "processes", "kernel"))


def test_a_backend_that_does_not_start_does_not_hold() -> None:
    checks = try_rung("bubblewrap", Absent())
    assert [(check.name, check.held) for check in checks] == [("start", False)]


def test_the_result_is_kept_until_something_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[Backend] = []

    def fake(rung: Backend, launcher: Launcher | None = None) -> list[Check]:
        tried.append(rung)
        return [Check(rung, "start", rung == "landlock")]

    monkeypatch.setattr(self_check, "try_rung", fake)
    home = tmp_path / "home"
    assert [holds(rung, home) for rung in RUNGS] == [False, True]
    assert [holds(rung, home) for rung in RUNGS] == [False, True]
    assert tried == ["bubblewrap", "landlock"]
    monkeypatch.setattr(self_check, "_stamp", lambda: "another boot")
    assert holds("landlock", home)
    assert tried == ["bubblewrap", "landlock", "landlock"]
    report(home)
    assert len(tried) == 5


@pytest.mark.parametrize("record", ["", "{}", "[]", '{"stamp": 1}', "\x00"])
def test_a_damaged_record_means_trying_again(
    record: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / self_check.CACHE).write_text(record, "utf-8")
    monkeypatch.setattr(self_check, "try_rung", lambda rung: [Check(rung, "start", False)])
    assert not holds("bubblewrap", tmp_path)


def test_where_nothing_holds_nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "holds", lambda rung, home: False)
    with pytest.raises(NoSeal) as caught:
        choose()
    for language in LANGUAGES:
        assert say(language, str(caught.value.data["fix"]))


def test_the_second_rung_is_used_where_the_first_does_not_hold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    backend("landlock")  # skips where the kernel has none
    monkeypatch.setattr(choosing, "holds", lambda rung, home: rung == "landlock")
    assert choose().name == "landlock"


def test_the_unsafe_backend_is_used_only_when_asked_for() -> None:
    assert choose(unsafe_no_sandbox=True).name == "none"
