"""Exports of the record as files: asked for, recorded, made in the background, kept for a day."""

import hashlib
import json
import logging
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, get_args

import sqlalchemy as sa

from guardrails.audit import export
from guardrails.audit.ledger import Act, Ledger
from guardrails.audit.reveal import Reveals
from guardrails.audit.saved import filled, restored
from guardrails.audit.search import Traces
from guardrails.audit.tables import exports, ledger
from guardrails.audit.trace_rows import TraceFilter
from guardrails.errors import BadInput
from guardrails.processes import orphaned

log = logging.getLogger(__name__)

ExportKind = Literal["ocsf", "csv", "otlp"]
State = Literal["running", "ready", "failed", "gone"]
ENDINGS: Final[Mapping[str, str]] = {"ocsf": "ocsf.jsonl", "csv": "csv", "otlp": "otlp.jsonl"}
KEPT_SECONDS = 86_400.0  # a file is for download, not an archive
MOST_ROWS = 2_000_000
NEWS_ROWS = 2_000  # progress is written after so many lines


@dataclass(frozen=True, slots=True)
class Export:
    """One export. `asked_by` is a pseudonym, times in seconds; `digest` is the file's SHA-256."""

    id: str
    asked_by: str
    at: float
    kind: ExportKind
    filter: TraceFilter
    state: State
    rows: int
    bytes: int
    digest: str
    error: str = ""
    done: float | None = None

    @property
    def name(self) -> str:
        """What the file is called when it is downloaded."""
        return f"atelier-{self.id[:8]}.{ENDINGS[self.kind]}"


class Exports:
    """Exports of one store, as files in `folder`. One at a time: the record goes on meanwhile."""

    def __init__(
        self,
        engine: sa.Engine,
        ledger: Ledger,
        reveals: Reveals,
        folder: Path,
        clock: Callable[[], float] = time.time,
        process: str = "",
    ) -> None:
        self._process = process
        self._engine = engine
        self._ledger = ledger
        self._reveals = reveals
        self._folder = folder
        self._clock = clock
        self._worker = ThreadPoolExecutor(1, "exports")

    def start(self, kind: ExportKind, filter: TraceFilter, *, by: str) -> Export:
        """Record the export, tell whose turns are in it, and begin.

        Raises BadInput("no-such-export-kind") and LedgerUnavailable.
        """
        if kind not in get_args(ExportKind):
            raise BadInput("no-such-export-kind", kind=str(kind))
        identity = uuid.uuid4().hex
        # words searched for may name a person: how many is enough for the record
        known = filled(filter)
        shown = known | {"text": len(filter.text.split())} if filter.text else known
        self._ledger.record(
            Act("export", by, payload={"export": identity, "kind": kind, "filter": shown})
        )
        kept = known | {"text": "…"} if filter.text else known
        row = {
            "id": identity, "asked_by": by, "at": self._now(), "kind": kind,
            "filter": json.dumps(kept), "state": "running", "rows": 0, "bytes": 0,
            "digest": "", "error": "", "process": self._process,
        }  # fmt: skip
        with self._engine.begin() as connection:
            connection.execute(sa.insert(exports), row)
        self._worker.submit(self._make, replace(self.get(identity), filter=filter))
        return self.get(identity)

    def get(self, identity: str) -> Export:
        """One export. Raises BadInput("no-such-export")."""
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(exports).where(exports.c.id == identity)).first()
        if row is None:
            raise BadInput("no-such-export")
        return _export(row)

    def all(self, limit: int = 50) -> list[Export]:
        """Exports, newest first."""
        query = sa.select(exports).order_by(exports.c.at.desc(), exports.c.id).limit(limit)
        with self._engine.connect() as connection:
            return [_export(row) for row in connection.execute(query)]

    def file(self, identity: str, *, by: str) -> Path:
        """The file of a finished export; the download is recorded. Raises BadInput: no-such-export,
        export-not-ready (state)."""
        found = self.get(identity)
        path = self._path(found)
        if found.state != "ready" or not path.exists():
            raise BadInput("export-not-ready", state=found.state)
        payload = {"export": identity, "digest": found.digest}
        self._ledger.record(Act("export.download", by, payload=payload))
        return path

    def recover(self) -> int:
        """Mark what a dead process left unfinished, and remove the half of a file."""
        left = self._where(exports.c.state == "running", orphaned(exports.c.process))
        for one in left:
            self._path(one).unlink(missing_ok=True)
            self._update(one.id, state="failed", error="interrupted")
        return len(left)

    def purge(self) -> int:
        """Delete files that have had their day; the rows stay. Returns how many."""
        before = self._now() - int(KEPT_SECONDS * 1e6)
        old = self._where(exports.c.state == "ready", exports.c.at < before)
        for one in old:
            self._remove(one)
        return len(old)

    def forget(self, person: str) -> int:
        """Delete the files that a person's turns are in: who erases them erases the copies too.
        Returns how many."""
        held = [e for e in self._where(exports.c.state == "ready") if self._names(e, person)]
        for one in held:
            self._remove(one)
        return len(held)

    def close(self) -> None:
        """Finish what is being made."""
        self._worker.shutdown()

    def _make(self, job: Export) -> None:
        try:
            self._reveals.exported(Traces(self._engine).people(job.filter), by=job.asked_by)
            erased = self._erased()
            self._finish(job)
            while erased != (now := self._erased()):
                # somebody was erased while this was written: half of it may be from before
                self._update(job.id, state="running")
                erased = now
                self._finish(job)
        # whatever goes wrong ends this export and is told on its row; its text may hold content
        except Exception as error:
            log.error("export failed", extra={"error": type(error).__name__})
            self._path(job).unlink(missing_ok=True)
            self._update(job.id, state="failed", error=type(error).__name__, done=self._now())

    def _finish(self, job: Export) -> None:
        rows, digest = self._write(job, self._path(job))
        size = self._path(job).stat().st_size
        self._update(job.id, state="ready", rows=rows, bytes=size, digest=digest, done=self._now())

    def _erased(self) -> int:
        """The last erasure that is done, on any server. `forget` follows it: what is not seen here
        yet finds the file ready."""
        query = sa.select(sa.func.max(ledger.c.seq)).where(
            ledger.c.kind == "erasure", ledger.c.step == "outcome"
        )
        with self._engine.connect() as connection:
            return connection.scalar(query) or 0

    def _write(self, job: Export, path: Path) -> tuple[int, str]:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        digest, rows = hashlib.sha256(), 0
        path.touch(0o600)
        with path.open("wb") as file:
            for line in self._lines(job):
                data = line.encode("utf-8", "replace")
                file.write(data)
                digest.update(data)
                rows += 1
                if rows % NEWS_ROWS == 0:
                    self._update(job.id, rows=rows)
        return rows - (job.kind == "csv"), digest.hexdigest()

    def _lines(self, job: Export) -> Iterator[str]:
        if job.kind == "csv":
            yield from export.to_csv(Traces(self._engine), job.filter, MOST_ROWS)
            return
        make = export.ocsf if job.kind == "ocsf" else export.otlp_lines
        for line in make(self._engine, filter=job.filter):
            yield line + "\n"

    def _where(self, *where: sa.ColumnElement[bool]) -> list[Export]:
        with self._engine.connect() as connection:
            return [_export(row) for row in connection.execute(sa.select(exports).where(*where))]

    def _remove(self, one: Export) -> None:
        self._path(one).unlink(missing_ok=True)
        self._update(one.id, state="gone")

    def _names(self, one: Export, person: str) -> bool:
        wanted = person.encode()
        try:
            with self._path(one).open("rb") as lines:
                return any(wanted in line for line in lines)
        except FileNotFoundError:
            return False  # of another home, or had its day

    def _update(self, identity: str, **values: object) -> None:
        with self._engine.begin() as connection:
            connection.execute(sa.update(exports).where(exports.c.id == identity).values(values))

    def _path(self, one: Export) -> Path:
        return self._folder / f"{one.id}.{ENDINGS[one.kind]}"

    def _now(self) -> int:
        return int(self._clock() * 1_000_000)


def _export(row: Any) -> Export:
    return Export(
        row.id, row.asked_by, row.at / 1e6, row.kind, restored(json.loads(row.filter)), row.state,
        row.rows, row.bytes, row.digest, row.error, row.done / 1e6 if row.done else None,
    )  # fmt: skip
