"""What is kept of a document, and which rows are whose. Reads rows; writes none.

A scope says whose documents they are: `conversation:<id>`, `agent:<id>:…`, or `frozen:<holder>`:
what a published version reads, as it was when that version was asked for. A frozen document is
the same row as the agent's own as long as nobody changes that, so that nothing is kept twice.
"""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from agents.knowledge.tables import documents, frozen, passages
from guardrails.store import aware

EVERYONE = ("*",)  # whoever may use the agent
FROZEN = "frozen:"
ASIDE = "kept:"  # last part of the scope of a document that only versions read


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
    digest: str = ""


def listed(scope: str, complete: bool = True) -> sa.Select[Any]:
    """Documents of one scope with `count`, how many passages there are; oldest first."""
    done = documents.c.complete if complete else sa.true()
    return _counted().where(documents.c.scope == scope, done)


def listed_aside(agent: str) -> sa.Select[Any]:
    """The same of what was set aside for versions of an agent."""
    scope = documents.c.scope.startswith(f"agent:{agent}:{ASIDE}", autoescape=True)
    return _counted().where(scope)


def _counted() -> sa.Select[Any]:
    count = (
        sa.select(sa.func.count())
        .where(passages.c.document == documents.c.id)
        .correlate(documents)
        .scalar_subquery()
    )
    return sa.select(documents, count.label("count")).order_by(documents.c.id)


def document_of(row: Any) -> Document:
    """A row of `listed`."""
    return Document(
        row.id, row.name, row.pages, row.words, row.count, aware(row.added),
        tuple(json.loads(row.readers)), row.hidden, row.total, row.complete, row.error, row.owner,
        row.digest,
    )  # fmt: skip


_SHOWN = (
    documents.c.id,
    documents.c.name,
    documents.c.digest,
    documents.c.readers,
    documents.c.embedded,
)
# built once: they are asked several times for each message
_OWN = (
    sa.select(documents.c.scope, *_SHOWN)
    .where(documents.c.scope.in_(sa.bindparam("scopes", expanding=True)), documents.c.complete)
    .order_by(documents.c.id)
)
_HELD = (
    sa.select((FROZEN + frozen.c.holder).label("scope"), *_SHOWN)
    .join(frozen, frozen.c.document == documents.c.id)
    .where(frozen.c.holder.in_(sa.bindparam("holders", expanding=True)))
    .order_by(documents.c.id)
)


def visible(engine: sa.Engine, scopes: Sequence[str], who: frozenset[str] | None) -> Sequence[Any]:
    """(scope, id, name, digest, readers, embedded) of the complete documents of the scopes that
    `who` may read, oldest first; None reads everything."""
    holders = [scope.removeprefix(FROZEN) for scope in scopes if scope.startswith(FROZEN)]
    with engine.connect() as db:
        rows = list(db.execute(_OWN, {"scopes": list(scopes)}).all())
        if holders:
            rows += db.execute(_HELD, {"holders": holders}).all()
    return rows if who is None else readable(rows, who)


def readable(rows: Sequence[Any], who: frozenset[str]) -> Sequence[Any]:
    """Those of the rows that `who` may read: rights are the present ones, also of a frozen one."""
    keys = {*who, *EVERYONE}
    return [row for row in rows if not keys.isdisjoint(json.loads(row.readers))]
