"""A consistent copy of the store while it is in use, and back. SQLite and PostgreSQL."""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from glob import glob
from pathlib import Path

import sqlalchemy as sa

from guardrails.errors import GuardrailError
from guardrails.store import open_engine

SECONDS = 3600


def kind(url: str) -> str:
    """`sqlite` or `postgresql`."""
    return "sqlite" if url.startswith("sqlite") else "postgresql"


def dump(url: str, to: Path) -> None:
    """Write the store as it is at one moment. Raises GuardrailError("dump-failed")."""
    if kind(url) == "postgresql":
        # a custom-format dump is one transaction's view of the database
        _run("pg_dump", url, "--format=custom", "--no-owner", "--no-privileges", f"--file={to}")
        return
    source = sa.make_url(url).database
    try:
        with (
            closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as live,
            closing(sqlite3.connect(to)) as copy,
        ):
            live.backup(copy)  # SQLite's online backup: readers and writers go on meanwhile
            # one file that needs no other beside it
            copy.execute("PRAGMA journal_mode=DELETE")
            if copy.execute("PRAGMA quick_check").fetchone() != ("ok",):
                raise GuardrailError("dump-failed", why="quick_check")
    except sqlite3.Error as error:
        raise GuardrailError("dump-failed", why=type(error).__name__) from error


def load(url: str, dumped: Path) -> None:
    """Put a dump into an empty store. Raises GuardrailError("dump-failed")."""
    if kind(url) == "postgresql":
        _run(
            "pg_restore",
            url,
            "--no-owner",
            "--no-privileges",
            "--single-transaction",
            "--exit-on-error",
            str(dumped),
        )
        return
    target = Path(str(sa.make_url(url).database))
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copyfile(dumped, target)
    os.chmod(target, 0o600)


def empty(url: str) -> bool:
    """True when the store does not exist or has no table."""
    if kind(url) == "sqlite":
        file = Path(str(sa.make_url(url).database))
        return not file.exists() or file.stat().st_size == 0
    engine = open_engine(url)
    try:
        return not sa.inspect(engine).get_table_names()
    finally:
        engine.dispose()


def _run(tool: str, url: str, *arguments: str) -> None:
    place = sa.make_url(url)
    found = shutil.which(tool) or max(glob(f"/usr/lib/postgresql/*/bin/{tool}"), default="")
    if not found:
        raise GuardrailError("dump-tool-missing", tool=tool)
    # the password in the environment: a command line can be read by everybody on the machine
    given = {
        "PGHOST": place.host,
        "PGPORT": str(place.port) if place.port else None,
        "PGUSER": place.username,
        "PGPASSWORD": place.password,
        "PGDATABASE": place.database,
    }
    environment = {name: value for name, value in given.items() if value}
    database = [f"--dbname={place.database}"] if tool == "pg_restore" else []
    done = subprocess.run(  # noqa: S603  (our own tool, no shell)
        [found, *database, *arguments],
        env={"PATH": os.environ.get("PATH", ""), **environment},
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    if done.returncode:
        raise GuardrailError("dump-failed", why=f"{tool} {done.returncode}")
