"""Keep documents for search: parse (elsewhere), mask, cut, embed, store; a broken-off one goes on.

A scope says whose documents they are: `conversation:<id>` or `agent:<id>`. Rights follow the scope
and the document: a search sees the scopes that its caller names, and of these what `who` may read.
"""

import asyncio
import datetime as dt
import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from agents.knowledge.chunk import Chunk, chunks
from agents.knowledge.embed import SIZE, Embedder
from agents.knowledge.later import Later
from agents.knowledge.parse import CODES
from agents.knowledge.retrieve import Index, Stored
from agents.knowledge.tables import documents, passages
from agents.tools.base import Passage
from guardrails.errors import BadInput

Parse = Callable[[str, bytes | Path], Awaitable[Sequence[Mapping[str, Any]]]]
Mask = Callable[[Sequence[str]], Sequence[str]]  # masked texts, in the same order
Progress = Callable[[int, int], None]  # passages done, of how many

BATCH = 32
SOON = 96  # passages: a document of no more is embedded before it counts as read
MASK_CHARACTERS = 4000
MAX_PASSAGES = 20_000
CACHED = 24
REMEMBERED = 8_000  # vectors of passages, 6 MB


EVERYONE = ("*",)  # whoever may use the agent


@dataclass(frozen=True, slots=True)
class Document:
    """A document as kept. `pages` is 0 where there are none; `hidden` counts parts with text that
    nobody would see. Of an incomplete one `total` passages are to come; `error` ended it."""

    id: int
    name: str
    pages: int
    words: int
    passages: int
    added: dt.datetime
    readers: tuple[str, ...] = EVERYONE
    hidden: int = 0
    total: int = 0
    complete: bool = True
    error: str = ""
    owner: str = ""


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Knowledge:
    """Documents by scope. Methods that touch the store block; `add` does its work in a thread."""

    def __init__(
        self,
        engine: sa.Engine,
        parse: Parse,
        embedder: Embedder,
        now: Callable[[], dt.datetime] = _now,
    ) -> None:
        self._engine = engine
        self._parse = parse
        self._embedder = embedder
        self._now = now
        self._indexes: OrderedDict[tuple[tuple[str, int], ...], Index] = OrderedDict()
        self._vectors: OrderedDict[bytes, bytes] = OrderedDict()  # by passage, 768 bytes each
        self._lock = threading.Lock()
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

        `readers` are who may be answered from it, `*` for whoever may use the scope.

        Raises BadInput with a code of `parse.CODES`, `file-slow` or `file-too-long`, and whatever
        else `parse` and `mask` raise; then nothing of it is kept.
        """
        digest = await asyncio.to_thread(_digest, data)
        if kept := await asyncio.to_thread(self._complete, scope, name, digest):
            if kept.readers != tuple(readers):
                await asyncio.to_thread(self._allow, kept.id, readers)
            return kept
        try:
            parts = await self._parse(name, data)
        except BadInput as error:
            raise _named(error, name) from error
        return await asyncio.to_thread(
            self._store, scope, owner, name, digest, parts, mask, progress, readers
        )

    def documents(self, scope: str) -> list[Document]:
        """The complete documents of a scope, in the order they were added."""
        with self._engine.connect() as db:
            return [_document(row) for row in db.execute(_listed(scope))]

    def listing(self, scope: str) -> list[Document]:
        """Every document of a scope, also those under way or ended by an error."""
        with self._engine.connect() as db:
            return [_document(row) for row in db.execute(_listed(scope, complete=False))]

    def unfinished(self) -> list[tuple[str, Document]]:
        """(scope, document) of every ingest that broke off."""
        query = sa.select(documents, sa.literal(0).label("count")).where(
            ~documents.c.complete, documents.c.error == ""
        )
        with self._engine.connect() as db:
            return [(str(row.scope), _document(row)) for row in db.execute(query)]

    def failed(self, scope: str, owner: str, name: str, code: str) -> None:
        """Remember why a document could not be read, so that its owner finds out."""
        self._begin(scope, owner, name, f"failed:{code}", 0, 0, EVERYONE, 0, 0)
        here = sa.and_(documents.c.scope == scope, documents.c.name == name)
        with self._engine.begin() as db:
            db.execute(documents.update().where(here).values(error=code[:64]))

    def withheld(self, scopes: Sequence[str], who: frozenset[str]) -> int:
        """How many complete documents of the scopes `who` may not read."""
        rows = self._visible(scopes, None)
        return len(rows) - len(_readable(rows, who))

    def names(self, scopes: Sequence[str], who: frozenset[str] | None = None) -> list[str]:
        """The complete documents of the scopes, scope by scope, oldest first, each once."""
        rows = sorted(self._visible(scopes, who), key=lambda row: scopes.index(row.scope))
        return list(dict.fromkeys(str(row.name) for row in rows))

    def remove(self, scope: str, name: str | None = None) -> None:
        """Forget one document, or all of a scope."""
        which = documents.c.scope == scope
        if name is not None:
            which = sa.and_(which, documents.c.name == name)
        with self._engine.begin() as db:
            ids = sa.select(documents.c.id).where(which)
            db.execute(passages.delete().where(passages.c.document.in_(ids)))
            db.execute(documents.delete().where(which))

    def open(self, *scopes: str, who: frozenset[str] | None = None) -> "Library":
        """What may be searched together, for one turn; `who` are the asker's keys, e.g.
        `person:ID` and `department:NAME`. None is the owner of all."""
        return Library(self, scopes, who)

    def _visible(self, scopes: Sequence[str], who: frozenset[str] | None) -> Sequence[Any]:
        query = (
            sa.select(
                documents.c.id,
                documents.c.scope,
                documents.c.name,
                documents.c.digest,
                documents.c.readers,
                documents.c.embedded,
            )
            .where(documents.c.scope.in_(scopes), documents.c.complete)
            .order_by(documents.c.id)
        )
        with self._engine.connect() as db:
            rows = db.execute(query).all()
        if who is None:
            return rows
        keys = {*who, *EVERYONE}
        return [row for row in rows if not keys.isdisjoint(json.loads(row.readers))]

    def index(self, scopes: Sequence[str], who: frozenset[str] | None = None) -> Index:
        """The index over what `who` may read now; built once, kept for the next question."""
        ids = self._visible(scopes, who)
        # the digest as well: SQLite gives the number of a removed document to the next one
        # and whether it has its vectors: an index of words alone makes room for the whole one
        key = tuple((f"{row.digest}{row.embedded:d}", int(row.id)) for row in ids)
        with self._lock:
            if found := self._indexes.get(key):
                self._indexes.move_to_end(key)
                return found
        built = self._build({row.id: row.name for row in ids})
        with self._lock:
            self._indexes[key] = built
            while len(self._indexes) > CACHED:
                self._indexes.popitem(last=False)
        return built

    def text(
        self, scopes: Sequence[str], name: str, who: frozenset[str] | None = None
    ) -> str | None:
        """All masked text of a document, passages in order, headings in their places."""
        found = [row.id for row in self._visible(scopes, who) if row.name == name]
        query = (
            sa.select(passages)
            .join(documents)
            .where(documents.c.id.in_(found))
            .order_by(documents.c.id.desc(), passages.c.number)
        )
        with self._engine.connect() as db:
            rows = db.execute(query).all()
        if not rows:
            return None
        lines: list[str] = []
        heading = ""
        for row in rows:
            if row.heading and row.heading != heading:
                lines.append(f"\n{row.heading.rsplit(' › ', 1)[-1]}")
            heading = row.heading
            lines.append(row.text)
        return "\n".join(lines).strip()

    def _complete(self, scope: str, name: str, digest: str) -> Document | None:
        query = _listed(scope).where(documents.c.name == name, documents.c.digest == digest)
        with self._engine.connect() as db:
            row = db.execute(query).one_or_none()
        return _document(row) if row else None

    def _build(self, names: Mapping[int, str]) -> Index:
        query = (
            sa.select(passages)
            .where(passages.c.document.in_(names))
            .order_by(passages.c.document, passages.c.number)
        )
        with self._engine.connect() as db:
            rows = db.execute(query).all()
        stored = [
            Stored(names[row.document], row.page, row.heading, row.before, row.text) for row in rows
        ]
        none = bytes(2 * SIZE)
        vectors = np.frombuffer(b"".join(row.vector or none for row in rows), dtype="<f2")
        return Index(stored, vectors.reshape(-1, SIZE).astype(np.float32), self._embedder)

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
        masked = _masked(parts, mask)
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
                count = sa.select(sa.func.count()).where(passages.c.document == row.id)
                return row.id, db.execute(count).scalar_one()
            if row is not None:
                db.execute(passages.delete().where(passages.c.document == row.id))
                db.execute(documents.delete().where(documents.c.id == row.id))
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


@dataclass(frozen=True, slots=True)
class Library:
    """`Documents` of agents.tools.base over some scopes."""

    knowledge: Knowledge
    scopes: tuple[str, ...]
    who: frozenset[str] | None = None

    def search(self, query: str, k: int = 5) -> list[Passage]:
        """The best passages, best first."""
        return self.knowledge.index(self.scopes, self.who).search(query, k)

    def names(self) -> list[str]:
        """The documents, oldest first, each once."""
        return self.knowledge.names(self.scopes, self.who)

    def text(self, name: str) -> str | None:
        """All masked text of one document, or None."""
        return self.knowledge.text(self.scopes, name, self.who)


def _named(error: BadInput, name: str) -> BadInput:
    """What the seal said about a file, as a code that the catalogue has words for."""
    why = str(error.data.get("why", ""))
    if why in CODES:
        return BadInput(why, name=name, limit=CODES[why])
    if why in ("timeout", "memory", "MemoryError", "killed"):
        return BadInput("file-slow", name=name)
    return error


def _masked(parts: Sequence[Mapping[str, Any]], mask: Mask) -> list[dict[str, Any]]:
    pieces = [
        (number, piece) for number, part in enumerate(parts) for piece in _split(part["text"])
    ]
    texts = mask([piece for _, piece in pieces])
    if len(texts) != len(pieces):
        raise ValueError("mask gave another number of texts than it was given")
    whole: dict[int, list[str]] = {}
    for (number, _), text in zip(pieces, texts, strict=True):
        whole.setdefault(number, []).append(text)
    return [
        {"page": part.get("page"), "text": "\n".join(whole.get(number, ()))}
        for number, part in enumerate(parts)
    ]


def _split(text: str) -> Iterator[str]:
    """Pieces that end at a line's end where they can, so that a detector sees whole lines."""
    while len(text) > MASK_CHARACTERS:
        at = text.rfind("\n", MASK_CHARACTERS // 2, MASK_CHARACTERS)
        at = at if at > 0 else text.rfind(" ", MASK_CHARACTERS // 2, MASK_CHARACTERS)
        at = at if at > 0 else MASK_CHARACTERS
        yield text[:at]
        text = text[at:].removeprefix("\n")
    if text:
        yield text


def _digest(data: bytes | Path) -> str:
    content = data.read_bytes() if isinstance(data, Path) else data
    return hashlib.sha256(content).hexdigest()


# built once: it is asked several times for each message
_VISIBLE = (
    sa.select(
        documents.c.id, documents.c.scope, documents.c.name, documents.c.digest, documents.c.readers
    )
    .where(documents.c.scope.in_(sa.bindparam("scopes", expanding=True)), documents.c.complete)
    .order_by(documents.c.id)
)


def _readable(rows: Sequence[Any], who: frozenset[str]) -> Sequence[Any]:
    keys = {*who, *EVERYONE}
    return [row for row in rows if not keys.isdisjoint(json.loads(row.readers))]


def _listed(scope: str, complete: bool = True) -> sa.Select[Any]:
    count = (
        sa.select(sa.func.count())
        .where(passages.c.document == documents.c.id)
        .correlate(documents)
        .scalar_subquery()
    )
    return (
        sa.select(documents, count.label("count"))
        .where(documents.c.scope == scope, documents.c.complete if complete else sa.true())
        .order_by(documents.c.id)
    )


def _document(row: Any) -> Document:
    # SQLite forgets the zone; everything is written in UTC
    added = row.added if row.added.tzinfo else row.added.replace(tzinfo=dt.UTC)
    return Document(
        row.id, row.name, row.pages, row.words, row.count, added,
        tuple(json.loads(row.readers)), row.hidden, row.total, row.complete, row.error, row.owner,
    )  # fmt: skip
