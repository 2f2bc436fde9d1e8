"""The self-check for a running server: try every rung, keep the result, recover where it holds."""

import asyncio
from typing import TYPE_CHECKING

from sandbox import command
from sandbox.checked import Checked
from sandbox.launch.choose import choose_or_refuse
from ui.messages import Language, catalogue, say

if TYPE_CHECKING:
    from ui.wiring import App


async def check_now(app: "App") -> Checked:
    """Try to break out of each rung. A pool that refused goes on where one holds now.

    A rung that is in use and does not hold any more is not left at once: its turns are under way.
    The result says so, and the next start refuses it.
    """
    home, unsafe = app.settings.home, app.settings.unsafe_no_sandbox
    found = await asyncio.to_thread(command.check_now, home, unsafe)
    if app.pool.launcher.name == "refuse" and found.backend != "refuse":
        launcher = await asyncio.to_thread(choose_or_refuse, unsafe, home)
        app.pool.recover(launcher)
    app.pool.checked = found
    return found


def in_words(language: Language, key: str) -> str:
    """The wording of `key`, or the key itself where it is a plain reason."""
    return say(language, key) if key in catalogue(language) else key
