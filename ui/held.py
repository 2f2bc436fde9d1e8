"""Backups that lie on this server: uploaded ones, and those made before a restore. No routes."""

import json
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from fastapi.concurrency import run_in_threadpool

from guardrails.errors import BadInput, GuardrailError
from guardrails.keys import Keys
from ui.backup import WORK, make, sweep
from ui.settings import Settings
from ui.staging import Contents, stage

FOLDER = "backups"
MOST = 20  # files at once: each is as large as the home
MARGIN = 64 * 1024 * 1024  # bytes that must stay free on the disk
_ID = re.compile(r"(?:upload|before)-\d{8}T\d{6}-[0-9a-f]{8}")


@dataclass(frozen=True)
class Held:
    """One file. `contents` is None until it was checked; `locked` when that takes a passphrase."""

    id: str
    kind: str  # upload | before
    at: datetime
    bytes: int
    contents: Contents | None = None
    locked: bool = False


class Backups:
    """The backups in one home."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folder = settings.home / FOLDER

    def all(self) -> list[Held]:
        """Newest first."""
        found = [self.get(file.stem) for file in self._folder.glob("*.tar") if _known(file.stem)]
        return sorted(found, key=lambda one: one.at, reverse=True)

    def get(self, id_: str) -> Held:
        """One of them. Raises BadInput("backup-not-found")."""
        file = self.file(id_)
        kind, moment, _ = id_.split("-")
        held = Held(
            id_, kind, datetime.strptime(moment, "%Y%m%dT%H%M%S").replace(tzinfo=UTC),
            file.stat().st_size,
        )  # fmt: skip
        try:
            kept = json.loads(file.with_suffix(".json").read_text("utf-8"))
        except (OSError, ValueError):
            return held
        if kept == "locked":
            return Held(held.id, kind, held.at, held.bytes, None, True)
        return Held(held.id, kind, held.at, held.bytes, Contents(**kept))

    def file(self, id_: str) -> Path:
        """Where it lies. Raises BadInput("backup-not-found")."""
        file = self._folder / f"{id_}.tar"
        if not _known(id_) or not file.is_file():
            raise BadInput("backup-not-found")
        return file

    async def receive(self, pieces: AsyncIterator[bytes]) -> str:
        """Keep what comes as a file that was not checked yet; gives its id.

        Raises BadInput: empty-file, backups-many; GuardrailError("disk-full").
        """
        self._folder.mkdir(mode=0o700, exist_ok=True)
        if len(self.all()) >= MOST:
            raise BadInput("backups-many", most=MOST)
        id_ = _fresh("upload")
        part = self._folder / f".{id_}.part"
        try:
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as out:
                async for piece in pieces:
                    if shutil.disk_usage(self._folder).free < MARGIN + len(piece):
                        raise GuardrailError("disk-full")
                    await run_in_threadpool(out.write, piece)
                size = out.tell()
            if not size:
                raise BadInput("empty-file", file="backup.tar")
            part.rename(self._folder / f"{id_}.tar")
        finally:
            part.unlink(missing_ok=True)
        return id_

    def check(self, id_: str, passphrase: str = "") -> Contents:
        """Unpack and check the whole of it, and keep what is in it. Raises as `stage` does."""
        file = self.file(id_)
        self.room(file)
        sweep(self._settings.home)
        with tempfile.TemporaryDirectory(dir=self._settings.home, prefix=WORK) as name:
            try:
                folder = Path(name) / "checked"
                found = stage(self._settings, file, folder, passphrase=passphrase, keep=False)
            except BadInput as error:
                if error.code == "backup-no-key":
                    file.with_suffix(".json").write_text('"locked"')
                raise
        file.with_suffix(".json").write_text(json.dumps(asdict(found)))
        return found

    def room(self, file: Path) -> None:
        """Raises GuardrailError("disk-full") when it cannot be unpacked beside what is there."""
        if shutil.disk_usage(self._folder).free < file.stat().st_size + MARGIN:
            raise GuardrailError("disk-full")

    def save(self, keys: Keys) -> str:
        """Back the present home up, before it is replaced; gives the id. Raises as `make` does."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        id_ = _fresh("before")
        make(self._settings, keys, self._folder / f"{id_}.tar")
        return id_

    def drop(self, id_: str) -> None:
        """Delete it. Raises BadInput("backup-not-found")."""
        file = self.file(id_)
        file.unlink()
        file.with_suffix(".json").unlink(missing_ok=True)


def _fresh(kind: str) -> str:
    return f"{kind}-{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"


def _known(id_: str) -> bool:
    return _ID.fullmatch(id_) is not None
