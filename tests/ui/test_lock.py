"""One server per home."""

from pathlib import Path

import pytest

from guardrails.errors import GuardrailError
from ui.lock import ServerLock


def test_a_second_server_is_refused_and_told_where_the_first_is(tmp_path: Path) -> None:
    first, second = ServerLock(tmp_path / "home"), ServerLock(tmp_path / "home")
    assert not second.held()
    first.take("http://127.0.0.1:1")
    first.write("http://127.0.0.1:2")
    with pytest.raises(GuardrailError) as caught:
        second.take("http://127.0.0.1:3")
    assert caught.value.code == "already-running"
    assert caught.value.data["address"] == "http://127.0.0.1:2"
    assert second.held() and first.held()
    first.free()
    assert not second.held()
    second.take("http://127.0.0.1:3")
    second.free()


def test_what_a_killed_server_left_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "server.lock").write_text("not json")
    lock = ServerLock(tmp_path)
    assert not lock.held() and lock.holder()["pid"] == "?"
    lock.take("http://127.0.0.1:1")
    lock.free()
