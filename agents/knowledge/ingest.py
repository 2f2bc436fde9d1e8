"""Keep documents for search: parse (elsewhere), mask, cut, embed, store; a broken-off one goes on.

A scope says whose documents they are: `conversation:<id>` or `agent:<id>`. Rights follow the scope
and the document: a search sees the scopes that its caller names, and of these what `who` may read.
"""

import asyncio
import datetime as dt
import hashlib
import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from agents.knowledge import frozen
from agents.knowledge.chunk import Chunk, chunks
from agents.knowledge.documents import EVERYONE, Document, document_of, listed
from agents.knowledge.embed import Embedder
from agents.knowledge.later import Later
from agents.knowledge.masking import Mask, masked_parts
from agents.knowledge.parse import CODES
from agents.knowledge.reading import Reading
from agents.knowledge.retrieve import Stored
from agents.knowledge.tables import documents, passages
from guardrails.errors import BadInput
from guardrails.processes import orphaned

Parse = Callable[[str, bytes | Path], Awaitable[Sequence[Mapping[str, Any]]]]
Progress = Callable[[int, int], None]  # passages done, of how many

BATCH = 32
SOON = 96  # passages: a document of no more is embedded before it counts as read
MAX_PASSAGES = 20_000
REMEMBERED = 8_000  # vectors of passages, 6 MB


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Knowledge(Reading):
    """Documents by scope. Methods that touch the store block; `add` does its work in a thread."""

    def __init__(
        self,
        engine: sa.Engine,
        parse: Parse,
        embedder: Embedder,
        now: Callable[[], dt.datetime] = _now,
        process: str = "",
    ) -> None:
        super().__init__(engine, embedder)
        self._process = process
        self._parse = parse
        self._now = now
        self._vectors: OrderedDict[bytes, bytes] = OrderedDict()  # by passage, 768 bytes each
        self.later = Later(engine, self._embed)

    def resume(self) -> None:
        """Go on with vectors that a stopped server left out."""
        self.later.wake()

    def close(self) -> None:
        """Stop what goes on in the background; the next start goes on with it."""
        self.later.close()

    async def add(
        self,
        scope: str,
        owner: str,
        name: str,
        data: bytes | Path,
        mask: Mask,
        progress: Progress | None = None,
        readers: Sequence[str] = EVERYONE,
    ) -> Document:
        """Keep one document; the same content again is no work, other content replaces it.

        `readers` are who may be answered from it, `*` for whoever may use the scope. Versions of an
        agent that still read what stood under this name before are narrowed to them as well.

        Raises BadInput with a code of `parse.CODES`, `file-slow` or `file-too-long`, and whatever
        else `parse` and `mask` raise; then nothing of it is kept.
        """
        digest = await asyncio.to_thread(_digest, data)
        if kept := await asyncio.to_thread(self._complete, scope, name, digest):
            if kept.readers != tuple(readers):
                await asyncio.to_thread(self._allow, kept.id, readers)
                await asyncio.to_thread(self._narrow, scope, name, readers)
            return kept
        if back := await asyncio.to_thread(self._taken_back, scope, name, digest, readers):
            await asyncio.to_thread(self._narrow, scope, name, readers)
            return back
        try:
            parts = await self._parse(name, data)
        except BadInput as error:
            raise _named(error, name) from error
        made = await asyncio.to_thread(
            self._store, scope, owner, name, digest, parts, mask, progress, readers
        )
        await asyncio.to_thread(self._narrow, scope, name, readers)
        return made

    def unfinished(self) -> list[tuple[str, Document]]:
        """(scope, document) of every ingest whose process is dead."""
        query = sa.select(documents, sa.literal(0).label("count")).where(
            ~documents.c.complete, documents.c.error == "", orphaned(documents.c.process)
        )
        with self._engine.connect() as db:
            return [(str(row.scope), document_of(row)) for row in db.execute(query)]

    def failed(self, scope: str, owner: str, name: str, code: str) -> None:
        """Remember why a document could not be read, so that its owner finds out."""
        self._begin(scope, owner, name, f"failed:{code}", 0, 0, EVERYONE, 0, 0)
        here = sa.and_(documents.c.scope == scope, documents.c.name == name)
        with self._engine.begin() as db:
            db.execute(documents.update().where(here).values(error=code[:64]))

    def remove(self, scope: str, name: str | None = None) -> None:
        """Forget one document, or all of a scope."""
        which = documents.c.scope == scope
        if name is not None:
            which = sa.and_(which, documents.c.name == name)
        with self._engine.begin() as db:
            frozen.drop(db, which)

    def _complete(self, scope: str, name: str, digest: str) -> Document | None:
        query = listed(scope).where(documents.c.name == name, documents.c.digest == digest)
        with self._engine.connect() as db:
            row = db.execute(query).one_or_none()
        return document_of(row) if row else None

    def erase(self, agent: str, document: int | None = None) -> int:
        """Remove one document of an agent, or all, from every version too; how many there were."""
        with self._engine.begin() as db:
            return frozen.erase(db, agent, document)

    def _taken_back(
        self, scope: str, name: str, digest: str, readers: Sequence[str]
    ) -> Document | None:
        """What an earlier version still reads becomes the agent's own again: no work."""
        with self._engine.begin() as db:
            id = frozen.take_back(db, scope, name, digest)
        if id is None:
            return None
        self._allow(id, readers)
        return self._complete(scope, name, digest)

    def _store(
        self,
        scope: str,
        owner: str,
        name: str,
        digest: str,
        parts: Sequence[Mapping[str, Any]],
        mask: Mask,
        progress: Progress | None,
        readers: Sequence[str],
    ) -> Document:
        masked = masked_parts(parts, mask)
        hidden = sum(bool(part.get("hidden")) for part in parts)
        cut = list(chunks(masked))
        if len(cut) > MAX_PASSAGES:
            raise BadInput("file-too-long", name=name, limit=MAX_PASSAGES)
        pages = max((int(part["page"] or 0) for part in masked), default=0)
        total = sum(len(chunk.text.split()) for chunk in cut)
        id, done = self._begin(scope, owner, name, digest, pages, total, readers, hidden, len(cut))
        soon = len(cut) <= SOON
        for start in range(done, len(cut), BATCH):
            self._keep(id, start, cut[start : start + BATCH], soon)
            if progress:
                progress(min(start + BATCH, len(cut)), len(cut))
        with self._engine.begin() as db:
            done_now = {"complete": True, "embedded": soon}
            db.execute(documents.update().where(documents.c.id == id).values(done_now))
        if not soon:
            self.later.wake()
        return Document(
            id, name, pages, total, len(cut), self._now(), tuple(readers), hidden, len(cut)
        )

    def _allow(self, id: int, readers: Sequence[str]) -> None:
        with self._engine.begin() as db:
            kept = json.dumps(list(readers))
            db.execute(documents.update().where(documents.c.id == id).values(readers=kept))

    def _narrow(self, scope: str, name: str, readers: Sequence[str]) -> None:
        """Who may no longer read a document may not read what stood in its place before either."""
        if set(EVERYONE) <= set(readers):
            return
        with self._engine.begin() as db:
            frozen.narrow(db, scope, name, readers)

    def _begin(
        self,
        scope: str,
        owner: str,
        name: str,
        digest: str,
        pages: int,
        words: int,
        readers: Sequence[str],
        hidden: int,
        total: int,
    ) -> tuple[int, int]:
        """The document's row, and how many passages an ingest that broke off left behind."""
        here = sa.and_(documents.c.scope == scope, documents.c.name == name)
        with self._engine.connect() as db:
            old = db.execute(sa.select(documents.c.id).where(here)).scalar()
        if old is not None:
            self._recall(old)
        with self._engine.begin() as db:
            row = db.execute(sa.select(documents).where(here)).one_or_none()
            if row is not None and row.digest == digest:
                mine = documents.update().where(documents.c.id == row.id)
                db.execute(mine.values(process=self._process))
                count = sa.select(sa.func.count()).where(passages.c.document == row.id)
                return row.id, db.execute(count).scalar_one()
            if row is not None:
                frozen.drop(db, documents.c.id == row.id)
            made = db.execute(
                documents.insert().values(
                    scope=scope,
                    owner=owner,
                    name=name,
                    digest=digest,
                    pages=pages,
                    words=words,
                    complete=False,
                    added=self._now(),
                    readers=json.dumps(list(readers)),
                    hidden=hidden,
                    total=total,
                    error="",
                    process=self._process,
                )
            )
            key = made.inserted_primary_key
            return int(key[0]) if key else 0, 0

    def _embed(self, texts: Sequence[str]) -> list[bytes]:
        """A vector for each text; what was embedded lately is not embedded again, so that a
        changed document costs what changed in it."""
        keys = [hashlib.sha256(text.encode()).digest() for text in texts]
        with self._lock:
            known = {key: self._vectors[key] for key in keys if key in self._vectors}
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if new:
            made = self._embedder.passages(list(new.values())).astype("<f2")
            known |= {key: row.tobytes() for key, row in zip(new, made, strict=True)}
        with self._lock:
            for key in keys:
                self._vectors[key] = known[key]
                self._vectors.move_to_end(key)
            while len(self._vectors) > REMEMBERED:
                self._vectors.popitem(last=False)
        return [known[key] for key in keys]

    def _recall(self, document: int) -> None:
        """Remember the vectors of a document that is about to be replaced."""
        with self._engine.connect() as db:
            rows = db.execute(sa.select(passages).where(passages.c.document == document)).all()
        with self._lock:
            for row in (row for row in rows[:REMEMBERED] if row.vector):
                text = Stored("", row.page, row.heading, row.before, row.text).indexed
                self._vectors[hashlib.sha256(text.encode()).digest()] = row.vector

    def _keep(self, id: int, start: int, batch: Sequence[Chunk], soon: bool) -> None:
        texts = [Stored("", one.page, one.heading, one.before, one.text).indexed for one in batch]
        vectors = self._embed(texts) if soon else [b""] * len(batch)
        with self._engine.begin() as db:
            db.execute(
                passages.insert(),
                [
                    {
                        "document": id,
                        "number": start + offset,
                        "page": one.page,
                        "heading": one.heading,
                        "before": one.before,
                        "text": one.text,
                        "vector": vectors[offset],
                    }
                    for offset, one in enumerate(batch)
                ],
            )


def _named(error: BadInput, name: str) -> BadInput:
    """What the seal said about a file, as a code that the catalogue has words for."""
    why = str(error.data.get("why", ""))
    if why in CODES:
        return BadInput(why, name=name, limit=CODES[why])
    if why in ("timeout", "memory", "MemoryError", "killed"):
        return BadInput("file-slow", name=name)
    return error


def _digest(data: bytes | Path) -> str:
    content = data.read_bytes() if isinstance(data, Path) else data
    return hashlib.sha256(content).hexdigest()
