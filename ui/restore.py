"""The way back from a backup to a home. Never over what is there, unless told so, and even then the
old things are moved aside and not deleted. An archive is hostile until its manifest is proven.
"""

import base64
import hashlib
import json
import os
import re
import tarfile
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature

from guardrails.audit.ledger import Act, Ledger
from guardrails.audit.verify import Verification, verify
from guardrails.errors import BadInput, GuardrailError
from guardrails.keys import MASTER_BYTES, Keys, load_keys
from guardrails.migrate import upgrade
from guardrails.store import open_engine
from ui import dumps
from ui.backup import FORMAT, KEYS, MANIFEST, SIGNATURE, STORE, public_pem
from ui.backup_keys import opened
from ui.lock import ServerLock
from ui.settings import Settings

# names in an archive: ours, flat or under home/, no way out of the folder
_NAME = re.compile(r"(?:home/)?[A-Za-z0-9_][\w.@ +-]*(?:/[A-Za-z0-9_][\w.@ +-]*)*")
MOST_PARTS = 5_000_000


@dataclass(frozen=True)
class Restored:
    """What was put back. `aside` is where the old home's things went, or None."""

    made: str
    parts: int
    rows: int
    aside: Path | None


def restore(
    settings: Settings, file: Path, *, passphrase: str = "", replace: bool = False
) -> Restored:
    """Put a backup into the home and the store of `settings`, and verify the ledger.

    Raises BadInput: bad-backup (why: a key of the wording), backup-no-key, backup-other-key,
    backup-other-store, backup-newer, wrong-passphrase, home-not-empty; GuardrailError:
    already-running, dump-failed.
    """
    home = settings.home
    if ServerLock(home).held():
        raise GuardrailError("already-running", **ServerLock(home).holder())
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    old = [each for each in home.iterdir() if each.name != "server.lock"]
    if [each.name for each in old] == ["master.key"]:
        old = []  # whoever brings the key along puts it there first
    if old and not replace:
        raise BadInput("home-not-empty", home=str(home))
    if not dumps.empty(settings.database_url) and not (replace and _inside(settings)):
        # a store elsewhere cannot be moved aside, and it is never overwritten
        raise BadInput("home-not-empty", home=sa.make_url(settings.database_url).database)
    with tempfile.TemporaryDirectory(dir=home.parent, prefix=".restore-") as name:
        folder = Path(name)
        manifest = unpack(file, folder)
        keys, given = keys_for(settings, folder, manifest, passphrase)
        prove(folder, keys)
        fitting(settings, manifest)
        aside = _move_aside(settings, old) if old else None
        _place(settings, folder, manifest, given)
    result = _verified(settings, keys)
    return Restored(str(manifest["made"]), len(manifest["parts"]), result.rows, aside)


def unpack(file: Path, folder: Path) -> dict[str, Any]:
    """Unpack and check every part against the manifest. Raises BadInput("bad-backup")."""
    sums: dict[str, str] = {}
    try:
        with tarfile.open(file, "r|") as archive:
            for info in archive:
                fine = info.isreg() and _NAME.fullmatch(info.name) and ".." not in info.name
                if not fine or info.name in sums or len(sums) >= MOST_PARTS:
                    raise BadInput("bad-backup", why="restore.why.name")
                source = archive.extractfile(info)
                if source is None:
                    raise BadInput("bad-backup", why="restore.why.name")
                target = folder / info.name
                target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                digest = hashlib.sha256()
                with target.open("xb") as out:
                    while block := source.read(1 << 20):
                        digest.update(block)
                        out.write(block)
                sums[info.name] = digest.hexdigest()
        manifest = json.loads((folder / MANIFEST).read_bytes())
    except (tarfile.TarError, OSError, ValueError, EOFError) as error:
        raise BadInput("bad-backup", why="restore.why.damaged") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise BadInput("bad-backup", why="restore.why.format")
    del sums[MANIFEST]
    sums.pop(SIGNATURE, None)
    if sums != manifest.get("parts"):
        raise BadInput("bad-backup", why="restore.why.altered")
    return manifest


def fitting(settings: Settings, manifest: dict[str, Any]) -> None:
    """Refuse a backup of another kind of store, or of a later release."""
    from ui.api import product_version

    if manifest["store"] != dumps.kind(settings.database_url):
        raise BadInput("backup-other-store", store=manifest["store"])
    theirs, ours = str(manifest.get("product", "0")), product_version()
    if _release(theirs) > _release(ours):
        raise BadInput("backup-newer", theirs=theirs, ours=ours)


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d{1,9}", version)[:3])


def keys_for(
    settings: Settings, folder: Path, manifest: dict[str, Any], passphrase: str
) -> tuple[Keys, bytes | None]:
    """The keys that fit the backup, and the master key to write when the home keeps one.

    Raises BadInput: backup-no-key, backup-other-key, wrong-passphrase, bad-backup.
    """
    if settings.master_key is not None:
        keys = load_keys(folder / "unused", settings.master_key.get_secret_value())
        found: tuple[Keys, bytes | None] = (keys, None)
    elif manifest["keys"]:
        if not passphrase:
            raise BadInput("backup-no-key")
        master = opened((folder / KEYS).read_bytes(), passphrase)
        if len(master) != MASTER_BYTES:
            raise BadInput("bad-backup", why="restore.why.altered")
        found = (Keys(master), master)
    elif (settings.home / "master.key").is_file():
        keys = load_keys(settings.home / "master.key")
        found = (keys, keys.master)
    else:
        raise BadInput("backup-no-key")
    if public_pem(found[0]) != manifest.get("public_key"):
        raise BadInput("backup-other-key")
    return found


def prove(folder: Path, keys: Keys) -> None:
    """Check the manifest's signature. Raises BadInput("bad-backup")."""
    try:
        signature = (folder / SIGNATURE).read_bytes()
        keys.signing().public_key().verify(signature, (folder / MANIFEST).read_bytes())
    except (OSError, InvalidSignature) as error:
        raise BadInput("bad-backup", why="restore.why.altered") from error


def _move_aside(settings: Settings, old: list[Path]) -> Path:
    aside = settings.home / f"before-restore-{datetime.now(UTC):%Y%m%dT%H%M%S}"
    aside.mkdir(mode=0o700)
    for each in old:
        if not each.name.startswith("before-restore-"):
            each.rename(aside / each.name)
    return aside


def _place(
    settings: Settings, folder: Path, manifest: dict[str, Any], master: bytes | None
) -> None:
    home = settings.home
    dumps.load(settings.database_url, folder / STORE[str(manifest["store"])])
    key = home / "master.key"
    if master is not None and not key.exists():
        handle = os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(base64.b64encode(master) + b"\n")
    for name in manifest["parts"]:
        if name.startswith("home/"):
            target = home / name.removeprefix("home/")
        elif name == "checkpoints.jsonl":
            target = settings.checkpoint_file or home / name
            if target.exists():
                target.rename(target.with_name(f"{target.name}.before-restore"))
        else:
            continue
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with target.open("wb") as out:
            out.write((folder / name).read_bytes())
        target.chmod(0o600)


def _inside(settings: Settings) -> bool:
    """True when the store is a file in the home."""
    if dumps.kind(settings.database_url) != "sqlite":
        return False
    return Path(str(sa.make_url(settings.database_url).database)).parent == settings.home


def _verified(settings: Settings, keys: Keys) -> Verification:
    checkpoints = settings.checkpoint_file or settings.home / "checkpoints.jsonl"
    engine = open_engine(settings.database_url)
    try:
        upgrade(engine)
        mac = keys.derive("ledger-chain")
        result = verify(engine, keys.signing().public_key(), checkpoints, mac_key=mac)
        if not result.ok:
            raise BadInput("bad-backup", why="restore.why.ledger")
        ledger = Ledger(engine, keys, checkpoint_file=checkpoints)
        try:
            ledger.record(Act("backup.restore", "system", payload={"rows": result.rows}))
        finally:
            ledger.close()
    finally:
        engine.dispose()
    return result
