"""One file with everything of a home: the store at one moment, files, checkpoints, own settings.

A tar archive whose manifest lists every part with its SHA-256 and is signed by the home's key. What
the store and the files hold of people is encrypted under the master key, which is in the archive
only when a passphrase is given, and then only under it. `ui.restore` is the way back.
"""

import hashlib
import io
import json
import os
import secrets
import shutil
import tarfile
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from guardrails.errors import GuardrailError
from guardrails.keys import Keys
from ui import dumps
from ui.backup_keys import sealed
from ui.settings import Settings

FORMAT = 1
MANIFEST, SIGNATURE, KEYS = "manifest.json", "manifest.sig", "keys.json"
STORE = {"sqlite": "store.sqlite", "postgresql": "store.pgdump"}
WORK = "backups-"  # folders in the home that a backup works in begin so
# not part of a home's state: what can be fetched or made again, what belongs to a running server,
# and the key, which goes its own way
LEFT_OUT = frozenset(
    {"runs", "incoming", "models", "server.lock", "master.key", "seal-check.json", "backups"}
    | {"processes", "restore-next", "restored.json"}
)


@dataclass(frozen=True)
class Made:
    """A backup that was written. `parts` are files in it, without the manifest."""

    file: Path
    bytes: int
    parts: int
    keys: bool


def make(settings: Settings, keys: Keys, to: Path, *, passphrase: str = "") -> Made:
    """Write a backup to a file that does not exist yet, mode 0600; it is there whole or not at all.

    Raises BadInput("weak-passphrase"), GuardrailError("backup-exists", "dump-failed",
    "dump-tool-missing", "backup-not-written").
    """
    key = sealed(keys.master, passphrase) if passphrase else b""
    sweep(settings.home)
    if to.exists():
        raise GuardrailError("backup-exists", file=str(to))
    part = to.with_name(f".{to.name}.{secrets.token_hex(4)}.part")
    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as out:
            parts = _write(settings, keys, out, key)
            out.flush()
            os.fsync(out.fileno())
        _named(part, to)
    except FileExistsError as error:
        raise GuardrailError("backup-exists", file=str(to)) from error
    except OSError as error:
        raise GuardrailError("backup-not-written", file=str(to)) from error
    finally:
        part.unlink(missing_ok=True)  # half a backup is worse than none
    return Made(to, to.stat().st_size, parts, bool(key))


def _named(part: Path, to: Path) -> None:
    """Give a whole file its name, and wait until the folder's list of names is on the disk."""
    try:
        # unlike a renaming, a link never takes the place of a file that came meanwhile
        os.link(part, to)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        part.rename(to)
    handle = os.open(to.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sweep(home: Path, older_s: float = 3600) -> None:
    """Remove what backups that were killed left in the home."""
    for left in home.glob(f"{WORK}*"):
        if left.is_dir() and time.time() - left.stat().st_mtime > older_s:
            shutil.rmtree(left, ignore_errors=True)


def _write(settings: Settings, keys: Keys, out: IO[bytes], key: bytes) -> int:
    sums: dict[str, str] = {}
    store = STORE[dumps.kind(settings.database_url)]
    with (
        tempfile.TemporaryDirectory(dir=settings.home, prefix=WORK) as folder,
        tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as archive,
    ):
        # checkpoints before the store: one that is newer than the store would look like a cut
        checkpoints = settings.checkpoint_file or settings.home / "checkpoints.jsonl"
        if checkpoints.is_file():
            sums["checkpoints.jsonl"] = _add(archive, "checkpoints.jsonl", checkpoints.read_bytes())
        dumped = Path(folder) / store
        dumps.dump(settings.database_url, dumped)
        sums[store] = _add_file(archive, store, dumped)
        dumped.unlink()
        # files after the store: every file that the store names is still there, or was erased
        for file in home_files(settings):
            name = f"home/{file.relative_to(settings.home).as_posix()}"
            try:
                sums[name] = _add_file(archive, name, file)
            except FileNotFoundError:
                continue  # erased while we were reading: so it stays
        if key:
            sums[KEYS] = _add(archive, KEYS, key)
        manifest = _manifest(settings, keys, sums)
        _add(archive, MANIFEST, manifest)
        _add(archive, SIGNATURE, keys.signing().sign(manifest))
    return len(sums)


def home_files(settings: Settings) -> list[Path]:
    """The home's own files but the store's, the checkpoints' and what is left out."""
    found = []
    for first in sorted(settings.home.iterdir()):
        name = first.name
        if name in LEFT_OUT or name.startswith(("atelier.db", WORK, "before-restore-")):
            continue
        if first.is_symlink() or name == "checkpoints.jsonl":
            continue
        inside = sorted(first.rglob("*")) if first.is_dir() else [first]
        found += [file for file in inside if file.is_file() and not file.is_symlink()]
    return found


def public_pem(keys: Keys) -> str:
    """The key that signed a backup, as it stands in the manifest."""
    public = keys.signing().public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _manifest(settings: Settings, keys: Keys, sums: dict[str, str]) -> bytes:
    from ui.api import product_version

    return json.dumps(
        {
            "format": FORMAT,
            "product": product_version(),
            "made": datetime.now(UTC).isoformat(),
            "store": dumps.kind(settings.database_url),
            "keys": KEYS in sums,
            "public_key": public_pem(keys),
            "parts": sums,
        },
        indent=1,
    ).encode()


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> str:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), 0o600
    archive.addfile(info, io.BytesIO(data))
    return hashlib.sha256(data).hexdigest()


def _add_file(archive: tarfile.TarFile, name: str, file: Path) -> str:
    info = tarfile.TarInfo(name)
    with file.open("rb") as source:
        info.size, info.mode = os.fstat(source.fileno()).st_size, 0o600
        digest = _Hashing(source)
        archive.addfile(info, digest)
    return digest.sum.hexdigest()


class _Hashing(io.RawIOBase):
    """Reads through and keeps the SHA-256 of what was read."""

    def __init__(self, source: IO[bytes]) -> None:
        super().__init__()
        self._source = source
        self.sum = hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        data = self._source.read(size)
        self.sum.update(data)
        return data
