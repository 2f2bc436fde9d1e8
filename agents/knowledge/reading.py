"""Read what is kept of documents: lists, passages that answer, whole texts. Changes nothing."""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from agents.knowledge.documents import (
    Document,
    document_of,
    listed,
    listed_aside,
    readable,
    visible,
)
from agents.knowledge.embed import SIZE, Embedder
from agents.knowledge.retrieve import Index, Stored
from agents.knowledge.tables import documents, passages
from agents.tools.base import Passage

CACHED = 24


class Reading:
    """Documents by scope, for whoever the caller has checked. Methods block."""

    def __init__(self, engine: sa.Engine, embedder: Embedder) -> None:
        self._engine = engine
        self._embedder = embedder
        self._indexes: OrderedDict[tuple[tuple[str, int], ...], Index] = OrderedDict()
        self._lock = threading.Lock()

    def holds(self, scope: str) -> bool:
        """Whether the scope has a complete document."""
        return bool(visible(self._engine, (scope,), None))

    def documents(self, scope: str) -> list[Document]:
        """The complete documents of a scope, in the order they were added."""
        with self._engine.connect() as db:
            return [document_of(row) for row in db.execute(listed(scope))]

    def listing(self, scope: str) -> list[Document]:
        """Every document of a scope, also those under way or ended by an error."""
        with self._engine.connect() as db:
            return [document_of(row) for row in db.execute(listed(scope, complete=False))]

    def aside(self, agent: str) -> list[Document]:
        """Documents that the agent had and that only versions of it still read, oldest first."""
        with self._engine.connect() as db:
            return [document_of(row) for row in db.execute(listed_aside(agent))]

    def withheld(self, scopes: Sequence[str], who: frozenset[str]) -> int:
        """How many complete documents of the scopes `who` may not read."""
        rows = visible(self._engine, scopes, None)
        return len(rows) - len(readable(rows, who))

    def names(self, scopes: Sequence[str], who: frozenset[str] | None = None) -> list[str]:
        """The complete documents of the scopes, scope by scope, oldest first, each once."""
        rows = sorted(visible(self._engine, scopes, who), key=lambda row: scopes.index(row.scope))
        return list(dict.fromkeys(str(row.name) for row in rows))

    def open(self, *scopes: str, who: frozenset[str] | None = None) -> "Library":
        """What may be searched together, for one turn; `who` are the asker's keys, e.g.
        `person:ID` and `department:NAME`. None is the owner of all."""
        return Library(self, scopes, who)

    def index(self, scopes: Sequence[str], who: frozenset[str] | None = None) -> Index:
        """The index over what `who` may read now; built once, kept for the next question."""
        ids = visible(self._engine, scopes, who)
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
        found = [row.id for row in visible(self._engine, scopes, who) if row.name == name]
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


@dataclass(frozen=True, slots=True)
class Library:
    """`Documents` of agents.tools.base over some scopes."""

    knowledge: Reading
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
