"""Third rung: the server starts, every page says why, each turn ends in a refusal with the fix."""

from pathlib import Path

import pytest

from guardrails.actor import Actor
from guardrails.errors import GuardrailError
from sandbox.execute import execute
from sandbox.launch.refuse import NoSeal, Refusing
from sandbox.launch.self_check import RUNGS, launcher_for
from sandbox.pool import Pool
from tests.house import house
from ui import wiring
from ui.faults import worded
from ui.messages import LANGUAGES

FIX = "seal.fix.userns-clone"


async def test_a_server_on_the_third_rung_runs_and_refuses_turns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wiring, "choose_or_refuse", lambda unsafe, home: Refusing(FIX))
    async with house(tmp_path) as home:
        assert home.app.pool.checked.fix == FIX
        assert home.app.problems == []
        reply = await home.send(Actor("u_marie", "sales", frozenset({"staff"})), "Hello")
        assert (reply.status, reply.error, reply.text) == ("failed", "no-seal", "")
        assert home.upstream.bodies == []  # nothing was asked of the model
        for language in LANGUAGES:
            said = worded(GuardrailError(reply.error, **reply.error_data), language)
            assert "kernel.unprivileged_userns_clone=1" in said
        steps = [row[0] for row in home.acts(reply.trace_id)]
        assert steps == ["intent", "outcome"]


async def test_a_pool_that_refuses_starts_nothing_and_recovers(tmp_path: Path) -> None:
    pool = Pool(Refusing(FIX), {"bare": 1, "data": 0}, runs=tmp_path)
    await pool.start()
    with pytest.raises(NoSeal):
        await pool.take("bare")
    done = await execute(pool, "1")
    assert (done.status, done.message) == ("refused", FIX)
    assert pool.status()["live"] == 0
    real = next(found for rung in RUNGS if (found := launcher_for(rung)))
    pool.recover(real)
    sealed = await pool.take("bare")
    await sealed.kill()
    assert pool.launcher is real
    await pool.close()
