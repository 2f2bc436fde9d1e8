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
RETRY_SECONDS, LONGEST_SECONDS = 15.0, 600.0  # between attempts: the first pause, and the longest


class Later:
    """One thread that gives passages their vectors, oldest document first, while there are any.

    `failures` counts attempts that failed; each is tried again.
    """

    def __init__(
        self, engine: sa.Engine, embed: Callable[[Sequence[str]], Sequence[bytes]]
    ) -> None:
        self._engine = engine
        self._embed = embed
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._more = False
        self.failures = 0

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
        pause = RETRY_SECONDS
        while not self._stop.is_set():
            with self._lock:
                self._more = False
            try:
                worked = self._next()
                pause = RETRY_SECONDS
            # a thread has nobody to raise to, and the embedder may raise anything: it is counted,
            # said without its text, which may be content, and tried again; words answer meanwhile
            except Exception as error:
                self.failures += 1
                log.error("passages could not be embedded", extra={"error": type(error).__name__})
                self._stop.wait(pause)
                pause = min(2 * pause, LONGEST_SECONDS)
                continue
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
