"""A restore in two steps: everything is made ready beside the home, then the next start puts it in.

`stage` needs no stopped server: it unpacks, checks, brings the tables up to date and verifies the
ledger in a folder of its own, and touches nothing that is in use. `commit` writes the mark that
makes the next start carry it out. `finish` is that start: renames within one file system, each of
which can be repeated, so a crash in the middle is gone on with and never half a home.
"""

import base64
import json
import os
import shutil
import sqlite3
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from guardrails.audit.ledger import Act, Ledger
from guardrails.audit.verify import verify
from guardrails.errors import BadInput, GuardrailError
from guardrails.keys import Keys, load_keys
from guardrails.migrate import upgrade
from guardrails.store import open_engine
from ui import databases, dumps
from ui.backup import LEFT_OUT, STORE, WORK, public_pem
from ui.restore import fitting, keys_for, prove, unpack
from ui.settings import Settings

NEXT, READY, TOLD = "restore-next", "ready.json", "restored.json"
# stays where it is when a home is swapped: what is fetched again only at a cost, and our own work
STAYS = LEFT_OUT - {"master.key", "seal-check.json"}
COUNTS = {
    "people": "SELECT count(*) FROM people WHERE kind = 'person'",
    "agents": "SELECT count(*) FROM agent_drafts",
    "conversations": "SELECT count(*) FROM conversations",
    "rows": "SELECT count(*) FROM ledger",
}


@dataclass(frozen=True)
class Contents:
    """What is in a backup whose every part, signature and ledger were checked. `made` is ISO 8601;
    `own` says that this installation's key signed it."""

    made: str
    product: str
    store: str
    parts: int
    keys: bool
    own: bool
    people: int = 0
    agents: int = 0
    conversations: int = 0
    rows: int = 0


def stage(
    settings: Settings, file: Path, folder: Path, *, passphrase: str = "", keep: bool = True
) -> Contents:
    """Make a backup ready in `folder`/new, which does not exist yet, and say what is in it. On
    PostgreSQL its store is loaded into a database beside the one in use, which stays when `keep`.

    Raises BadInput: bad-backup, backup-no-key, backup-other-key, backup-other-store,
    backup-newer, wrong-passphrase, restore-by-command; GuardrailError: store-newer.
    """
    folder.mkdir(mode=0o700, parents=True)
    manifest = unpack(file, folder)
    fitting(settings, manifest)
    elsewhere = dumps.kind(settings.database_url) == "postgresql"
    if not elsewhere and _database(settings).parent != settings.home:
        # a file on another disk cannot be swapped by renaming
        raise BadInput("restore-by-command")
    keys, own = _keys(settings, folder, manifest, passphrase)
    prove(folder, keys)
    new = folder / "new"
    if (folder / "home").exists():
        (folder / "home").rename(new)
    else:
        new.mkdir(mode=0o700)
    checkpoints = new / "checkpoints.jsonl"
    if (folder / "checkpoints.jsonl").exists():
        (folder / "checkpoints.jsonl").rename(checkpoints)
    if elsewhere:
        counts = _loaded(settings, folder, checkpoints, keys, keep)
    else:
        store = new / _database(settings).name
        (folder / STORE["sqlite"]).rename(store)
        counts = _checked(f"sqlite:///{store}", checkpoints, keys)
        with closing(sqlite3.connect(store)) as db:
            # one file that needs no other beside it when it is moved
            db.execute("PRAGMA journal_mode=DELETE")
    if settings.master_key is None:
        key = new / "master.key"
        key.touch(0o600)
        key.write_bytes(base64.b64encode(keys.master) + b"\n")
    return Contents(
        made=str(manifest["made"]),
        product=str(manifest.get("product", "")),
        store=str(manifest["store"]),
        parts=len(manifest["parts"]),
        keys=bool(manifest.get("keys")),
        own=own,
        **counts,
    )


def _keys(
    settings: Settings, folder: Path, manifest: dict[str, Any], passphrase: str
) -> tuple[Keys, bool]:
    """This home's own keys where they fit, else those in the backup."""
    given = settings.master_key.get_secret_value() if settings.master_key else None
    here = load_keys(settings.home / "master.key", given)
    if public_pem(here) == manifest.get("public_key"):
        return here, True
    if not manifest.get("keys"):
        raise BadInput("backup-other-key")
    return keys_for(settings, folder, manifest, passphrase)[0], False


def _loaded(
    settings: Settings, folder: Path, checkpoints: Path, keys: Keys, keep: bool
) -> dict[str, int]:
    """Load a dump beside the database in use, and check it there."""
    url = settings.database_url
    there, stays = databases.beside(url, "next" if keep else "check"), False
    databases.fresh(url, there)
    try:
        dumps.load(there, folder / STORE["postgresql"])
        counts = _checked(there, checkpoints, keys)
        stays = keep
        return counts
    finally:
        if not stays:
            databases.drop(url, there)


def _checked(url: str, checkpoints: Path, keys: Keys) -> dict[str, int]:
    engine = open_engine(url)
    try:
        upgrade(engine)
        mac = keys.derive("ledger-chain")
        if not verify(engine, keys.signing().public_key(), checkpoints, mac_key=mac).ok:
            raise BadInput("bad-backup", why="restore.why.ledger")
        with engine.connect() as db:
            return {name: int(db.scalar(sa.text(sql)) or 0) for name, sql in COUNTS.items()}
    except sa.exc.DatabaseError as error:
        raise BadInput("bad-backup", why="restore.why.damaged") from error
    finally:
        engine.dispose()


@dataclass(frozen=True)
class Ready:
    """The mark of a restore that the next start carries out. Times are ISO 8601; `saved` is the
    backup of the home as it was; `left` are acts of the old record that the new one lacks."""

    at: str
    person: str
    made: str
    rows: int
    left: int
    own: bool
    saved: str
    new: list[str]


def commit(settings: Settings, contents: Contents, *, person: str, left: int, saved: str) -> None:
    """From here on the next start restores what was staged in the home's `restore-next`."""
    folder = settings.home / NEXT
    ready = Ready(
        at=datetime.now(UTC).isoformat(),
        person=person,
        made=contents.made,
        rows=contents.rows,
        left=left,
        own=contents.own,
        saved=saved,
        new=sorted(each.name for each in (folder / "new").iterdir()),
    )
    _sync(folder / "new")
    _write(folder / READY, asdict(ready))


def finish(settings: Settings) -> bool:
    """Carry out what was committed; False when nothing was. Only for who holds the home's lock."""
    folder = settings.home / NEXT
    if not (folder / READY).is_file():
        forget(settings)  # made ready and never decided
        return False
    ready = Ready(**json.loads((folder / READY).read_text("utf-8")))
    if not _store_swapped(settings, ready):
        return False
    aside = settings.home / f"before-restore-{ready.at[:19].replace(':', '')}"
    _swap(settings.home, folder / "new", aside, set(ready.new))
    checkpoints = _checkpoints(settings)
    _record(settings, ready, checkpoints)
    told = {"at": ready.at, "made": ready.made, "left": ready.left, "saved": ready.saved}
    _write(settings.home / TOLD, told)
    shutil.rmtree(folder)
    if ready.own:
        # all of it is in the backup that was made first, and the key that opens it is the home's
        shutil.rmtree(aside, ignore_errors=True)
        if dumps.kind(settings.database_url) == "postgresql":
            databases.drop(settings.database_url, _old(settings, ready))
    return True


def forget(settings: Settings) -> None:
    """Leave nothing of what was made ready."""
    folder, url = settings.home / NEXT, settings.database_url
    if folder.exists() and dumps.kind(url) == "postgresql":
        with suppress(BadInput):  # then it is told, and replaced by the next one
            databases.drop(url, databases.beside(url, "next"))
    shutil.rmtree(folder, ignore_errors=True)


def _store_swapped(settings: Settings, ready: Ready) -> bool:
    """Put the new database into its place; False when that cannot be done and was given up."""
    url = settings.database_url
    if dumps.kind(url) != "postgresql":
        return True
    try:
        databases.swap(url, databases.beside(url, "next"), _old(settings, ready))
    except GuardrailError as error:
        if not databases.there(url):
            raise  # half way: the next start ends it
        tell(settings.home, failed=error.code, data={})
        forget(settings)
        return False
    return True


def _old(settings: Settings, ready: Ready) -> str:
    stamp = ready.at[:19].replace(":", "").replace("-", "")
    return databases.beside(settings.database_url, f"before_{stamp}")


def _swap(home: Path, new: Path, aside: Path, names: set[str]) -> None:
    aside.mkdir(mode=0o700, exist_ok=True)
    placed = {name for name in names if not (new / name).exists()}
    for each in sorted(home.iterdir()):
        ours = each.name.startswith(("before-restore-", WORK))
        if not (ours or each.name in STAYS or each.name in placed):
            each.rename(aside / each.name)
    for name in sorted(names - placed):
        (new / name).rename(home / name)
    _sync(home)


def _checkpoints(settings: Settings) -> Path:
    """Where signed checkpoints are; those of the backup go there when that is not in the home."""
    restored = settings.home / "checkpoints.jsonl"
    where = settings.checkpoint_file
    if where is None or where == restored:
        return restored
    if restored.exists():
        fresh = where.with_name(f"{where.name}.restored")
        shutil.copyfile(restored, fresh)
        if where.exists():
            where.rename(where.with_name(f"{where.name}.before-restore"))
        fresh.rename(where)
        restored.unlink()
    return where


def _record(settings: Settings, ready: Ready, checkpoints: Path) -> None:
    given = settings.master_key.get_secret_value() if settings.master_key else None
    keys = load_keys(settings.home / "master.key", given)
    engine = open_engine(settings.database_url)
    try:
        ledger = Ledger(engine, keys, checkpoint_file=checkpoints)
        try:
            payload = {"made": ready.made, "rows": ready.rows, "left": ready.left}
            ledger.record(Act("backup.restore", ready.person, payload=payload))
        finally:
            ledger.close()
    finally:
        engine.dispose()


def told(home: Path) -> dict[str, Any]:
    """The last restore by the button: at, made, left, saved; or at and failed. Empty for none."""
    try:
        found = json.loads((home / TOLD).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def tell(home: Path, **what: object) -> None:
    """Keep what a restore came to, for the next start to tell."""
    _write(home / TOLD, what)


def _database(settings: Settings) -> Path:
    return Path(str(sa.make_url(settings.database_url).database))


def _write(file: Path, value: object) -> None:
    part = file.with_suffix(".part")
    with part.open("w", encoding="utf-8") as out:
        json.dump(value, out)
        out.flush()
        os.fsync(out.fileno())
    part.replace(file)
    _sync(file.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        raise GuardrailError("backup-not-written", file=folder.name) from error
    finally:
        os.close(handle)
