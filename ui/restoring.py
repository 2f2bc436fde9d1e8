"""A restore by the button, from the running server to the start of the next one. Knows no page.

Steps: `checking` while everybody works on; `ending` refuses what is new and ends what runs;
`saving` backs the present home up; `swapping` is the restart, in which `ui.staging.finish` puts the
backup in. Whatever fails before that leaves the home as it is.
"""

import asyncio
import logging
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from guardrails.audit.ledger import Act
from guardrails.audit.tables import ledger
from guardrails.errors import BadInput, GuardrailError
from ui.faults import translated
from ui.held import Backups
from ui.staging import NEXT, Contents, commit, forget, stage, tell, told

if TYPE_CHECKING:
    from ui.wiring import App

log = logging.getLogger(__name__)
WORDS = ("RESTORE", "RESTAURER")  # what is typed to confirm
# what answers while everything else is refused: the state, and what the waiting page is made of
OPEN = ("/static/", "/api/v1/health", "/api/v1/backup/restoring", "/api/v1/branding")


@dataclass
class Restoring:
    """At most one restore at a time. `restart` ends this process and starts it again; it is None
    where nothing serves."""

    app: "App"
    restart: Callable[[], None] | None = None
    step: str = ""
    failed: GuardrailError | None = None
    closed: bool = False
    _task: "asyncio.Task[None] | None" = None
    last: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.last = told(self.app.settings.home)

    @property
    def moment(self) -> str:
        """When a backup was last put in, ISO 8601; empty for never."""
        return "" if "failed" in self.last else str(self.last.get("at", ""))

    def shuts(self, path: str) -> bool:
        """True for what is refused while the home is being swapped."""
        return self.closed and not path.startswith(OPEN)

    def begin(self, id_: str, by: str, *, confirm: str, passphrase: str = "") -> None:
        """Start it in the background. Raises BadInput: restore-unconfirmed, backup-not-found,
        restore-foreign; GuardrailError: restore-running, restore-not-here."""
        if confirm.strip().upper() not in WORDS:
            raise BadInput("restore-unconfirmed")
        if self.restart is None:
            raise GuardrailError("restore-not-here")
        if self._task is not None and not self._task.done():
            raise GuardrailError("restore-running")
        Backups(self.app.settings).file(id_)
        self.step, self.failed = "checking", None
        self._task = asyncio.create_task(self._run(id_, by, passphrase, self.restart))

    async def _run(self, id_: str, by: str, passphrase: str, restart: Callable[[], None]) -> None:
        app, intent = self.app, None
        try:
            contents = await asyncio.to_thread(self._staged, id_, passphrase)
            payload = {"made": contents.made, "backup": id_}
            intent = await app.ledger.aintent(Act("backup.restore", by, payload=payload))
            await self._end()
            self.step = "saving"
            saved = await asyncio.to_thread(Backups(app.settings).save, app.keys)
            self.step = "swapping"
            await asyncio.to_thread(self._committed, contents, by, intent, saved)
        except Exception as error:  # nobody waits for this task: what broke it is told on the page
            self.failed = translated(error)
            await asyncio.to_thread(self._give_up, intent, self.failed)
            if not self.closed:
                return
        restart()  # after a failure too: what was ended cannot be taken up in this process

    def _staged(self, id_: str, passphrase: str) -> Contents:
        app, backups = self.app, Backups(self.app.settings)
        folder, file = app.settings.home / NEXT, backups.file(id_)
        shutil.rmtree(folder, ignore_errors=True)
        backups.room(file)
        contents = stage(app.settings, file, folder, passphrase=passphrase)
        if not contents.own and len(app.people.all()) > 1:
            # another installation's record must not take the place of other people's by a button
            raise BadInput("restore-foreign")
        return contents

    async def _end(self) -> None:
        """Nothing new from here on; what runs is stopped, and is on record before this returns."""
        self.step, self.closed = "ending", True
        await self.app.sessions.close()
        await self.app.desk.close()
        await self.app.knowledge.close()

    def _committed(self, contents: Contents, by: str, intent: int, saved: str) -> None:
        app = self.app
        with app.engine.connect() as db:
            rows = db.scalar(sa.select(sa.func.count()).select_from(ledger)) or 0
        app.ledger.outcome(intent, "allow", {"saved": saved})
        left = max(0, rows - contents.rows) if contents.own else 0
        commit(app.settings, contents, person=by, left=left, saved=saved)

    def _give_up(self, intent: int | None, error: GuardrailError) -> None:
        """Leave the home as it was, and tell what can be told: what broke the restore (a full
        disk, a store that is away) may break this too, and a closed server has to come back."""
        log.error("not restored", extra={"code": error.code})
        home = self.app.settings.home
        forget(self.app.settings)
        if intent is not None:
            with suppress(GuardrailError):  # the next start closes what has no outcome
                self.app.ledger.outcome(intent, "failed", {"code": error.code})
        if self.closed:
            with suppress(GuardrailError, OSError):
                tell(home, failed=error.code, data=dict(error.data))
