"""Real stores for tests: SQLite files and a PostgreSQL 15 cluster of our own on loopback."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

BIN = Path("/usr/lib/postgresql/15/bin")
KEY = b"\x07" * 32


def _as_postgres(*command: str) -> list[str]:
    """PostgreSQL refuses to run as root: then run it as its own user."""
    if os.geteuid() == 0:
        return ["runuser", "-u", "postgres", "--", *command]
    return list(command)


@contextmanager
def cluster() -> Iterator[str]:
    """A fresh cluster; yields the SQLAlchemy URL of its server without a database name."""
    if not (BIN / "initdb").exists():
        raise RuntimeError("PostgreSQL 15 is missing: apt-get install -y postgresql-15")
    folder = Path(tempfile.mkdtemp(prefix="atelier-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = folder / "data"

    def run(*command: str) -> None:
        subprocess.run(_as_postgres(*command), check=True, capture_output=True, cwd=folder)

    try:
        run(str(BIN / "initdb"), "-D", str(data), "-U", "atelier", "-A", "trust", "-E", "UTF8",
            "--no-sync")  # fmt: skip
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": folder,
            "fsync": "off",  # these stores are thrown away
        }
        options = f"-p {port} " + " ".join(f"-c {k}={v}" for k, v in settings.items())
        run(str(BIN / "pg_ctl"), "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options,
            "start")  # fmt: skip
        try:
            yield f"postgresql+psycopg://atelier@127.0.0.1:{port}"
        finally:
            run(str(BIN / "pg_ctl"), "-D", str(data), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def new_database(server: str, name: str) -> str:
    """Create a database; returns its URL."""
    engine = sa.create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return f"{server}/{name}"


def empty(engine: sa.Engine) -> None:
    """Delete every row of every table, except what migrations put there."""
    with engine.begin() as connection:
        for name in sa.inspect(engine).get_table_names():
            if name != "alembic_version":
                connection.execute(sa.delete(sa.table(name)))
