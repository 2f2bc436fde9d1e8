"""Vectors that come after the words: a long document answers by its words at once, and by its
meaning piece by piece as it is embedded in the background. A server that stops goes on later.
"""

import logging
import threading
from collections.abc import Callable, Sequence

import sqlalchemy as sa

from agents.knowledge.retrieve import Stored
from agents.knowledge.tables import documents, passages

log = logging.getLogger(__name__)
PIECE = 16  # passages between two looks at whether to stop


class Later:
    """One thread that gives passages their vectors, oldest document first, while there are any."""

    def __init__(
        self, engine: sa.Engine, embed: Callable[[Sequence[str]], Sequence[bytes]]
    ) -> None:
        self._engine = engine
        self._embed = embed
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._more = False

    def wake(self) -> None:
        """There may be work: begin, or look again when the thread is at it already."""
        with self._lock:
            self._more = True
            if self._thread is None and not self._stop.is_set():
                self._thread = threading.Thread(target=self._run, name="embed-later", daemon=True)
                self._thread.start()

    def wait(self, timeout: float = 600.0) -> None:
        """Until nothing is left to embed, or the time is over."""
        if thread := self._thread:
            thread.join(timeout)

    def close(self) -> None:
        """Stop after the piece under way."""
        self._stop.set()
        self.wait(30.0)

    def _run(self) -> None:
        while not self._stop.is_set():
            with self._lock:
                self._more = False
            try:
                worked = self._next()
            except Exception as error:  # a bug, or a store that is away: no spinning, no end
                # its text may be content
                log.error("passages could not be embedded", extra={"error": type(error).__name__})
                worked = False
            with self._lock:
                if not worked and not self._more:
                    self._thread = None
                    return
        self._thread = None

    def _next(self) -> bool:
        """Embed what one document lacks; False when none lacks anything."""
        wanted = sa.select(documents.c.id).where(documents.c.complete, ~documents.c.embedded)
        with self._engine.connect() as db:
            id = db.scalar(wanted.order_by(documents.c.id).limit(1))
        if id is None:
            return False
        lacking = (
            sa.select(passages)
            .where(passages.c.document == id, sa.func.length(passages.c.vector) == 0)
            .order_by(passages.c.number)
            .limit(PIECE)
        )
        while not self._stop.is_set():
            with self._engine.connect() as db:
                rows = db.execute(lacking).all()
            if not rows:
                break
            stored = (Stored("", row.page, row.heading, row.before, row.text) for row in rows)
            texts = [one.indexed for one in stored]
            vectors = self._embed(texts)
            with self._engine.begin() as db:
                for row, vector in zip(rows, vectors, strict=True):
                    # the text as well: SQLite gives the number of a removed document to the next
                    here = (
                        passages.c.document == id,
                        passages.c.number == row.number,
                        passages.c.text == row.text,
                    )
                    db.execute(passages.update().where(*here).values(vector=vector))
        else:
            return True
        with self._engine.begin() as db:
            db.execute(documents.update().where(documents.c.id == id).values(embedded=True))
        return True
