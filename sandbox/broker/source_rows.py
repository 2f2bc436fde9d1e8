"""The rows of added tool sources and of tools that are switched off. Records nothing: `sources`."""

import datetime as dt
import time
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from sandbox.broker.source import Source
from sandbox.broker.source_tables import sources, switches

FRESH_SECONDS = 1.0


class SourceRows:
    """Reads are thread-safe and at most FRESH_SECONDS late; own changes are seen at once."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._read = -1e9
        self._kept: tuple[list[Source], frozenset[str]] = ([], frozenset())

    def all(self) -> list[Source]:
        """Every source, by id."""
        return self._state()[0]

    def off(self) -> frozenset[str]:
        """Names of tools that are switched off."""
        return self._state()[1]

    def find(self, id: str) -> Source | None:
        """One source, as the store has it now."""
        self._read = -1e9
        return next((source for source in self.all() if source.id == id), None)

    def switch(self, tool: str, on: bool, by: str) -> None:
        """Switch one tool on or off."""
        with self._engine.begin() as db:
            db.execute(switches.delete().where(switches.c.tool == tool))
            if not on:
                db.execute(switches.insert().values(tool=tool, changed_by=by, changed=_now()))
        self._read = -1e9

    def add(self, source: Source) -> None:
        """Keep a new one."""
        with self._engine.begin() as db:
            db.execute(
                sources.insert().values(
                    id=source.id, kind=source.kind, title=source.title,
                    settings=dict(source.settings), tools=list(source.tools), hash=source.hash,
                    offered=list(source.offered), offered_hash=source.offered_hash, enabled=True,
                    reason="", changed_by=source.changed_by, changed=_now(),
                )
            )  # fmt: skip
        self._read = -1e9

    def change(self, id: str, by: str, values: Mapping[str, Any]) -> None:
        """Change columns of one."""
        with self._engine.begin() as db:
            here = sources.update().where(sources.c.id == id)
            db.execute(here.values(**values, changed_by=by, changed=_now()))
        self._read = -1e9

    def remove(self, id: str) -> None:
        """Forget one."""
        with self._engine.begin() as db:
            db.execute(sources.delete().where(sources.c.id == id))
        self._read = -1e9

    def _state(self) -> tuple[list[Source], frozenset[str]]:
        if time.monotonic() - self._read > FRESH_SECONDS:
            with self._engine.connect() as db:
                rows = db.execute(sa.select(sources).order_by(sources.c.id)).all()
                off = db.execute(sa.select(switches.c.tool)).scalars().all()
            found = [
                Source(
                    row.id, row.kind, row.title, row.settings, tuple(row.tools), row.hash,
                    tuple(row.offered), row.offered_hash, row.enabled, row.reason, row.changed_by,
                )
                for row in rows
            ]  # fmt: skip
            self._kept = (found, frozenset(off))
            self._read = time.monotonic()
        return self._kept


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
