"""Documents held for a published version, or one that is asked for: shared while they are the
agent's own, kept aside once the agent has others. `holder` is the id of the request.

Everything here works inside the caller's transaction, so that a version and its documents are
decided on together.
"""

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from agents.knowledge.documents import ASIDE, EVERYONE
from agents.knowledge.tables import documents, frozen, passages


def documents_of(agent: str) -> str:
    """The scope of what an agent's owner gave it to know, in any language."""
    return f"agent:{agent}:docs"


def hold(db: sa.Connection, agent: str, holder: str) -> None:
    """Hold every complete document that the agent has now."""
    own = sa.and_(documents.c.scope == documents_of(agent), documents.c.complete)
    ids = db.scalars(sa.select(documents.c.id).where(own)).all()
    if ids:
        rows = [{"holder": holder, "agent": agent, "document": id} for id in ids]
        db.execute(sa.insert(frozen), rows)


def held(db: sa.Connection, holder: str) -> dict[str, str]:
    """Name → SHA-256 of what is held."""
    query = (
        sa.select(documents.c.name, documents.c.digest)
        .join(frozen, frozen.c.document == documents.c.id)
        .where(frozen.c.holder == holder)
    )
    return {str(row.name): str(row.digest) for row in db.execute(query)}


def texts(db: sa.Connection, holder: str) -> list[str]:
    """Headings and passages of what is held, masked."""
    query = (
        sa.select(passages.c.heading, passages.c.text)
        .join(frozen, frozen.c.document == passages.c.document)
        .where(frozen.c.holder == holder)
    )
    return [f"{row.heading}\n{row.text}" for row in db.execute(query)]


def holders(db: sa.Connection, agent: str) -> dict[int, list[str]]:
    """Document → who holds it."""
    found: dict[int, list[str]] = {}
    query = sa.select(frozen.c.document, frozen.c.holder).where(frozen.c.agent == agent)
    for row in db.execute(query):
        found.setdefault(int(row.document), []).append(str(row.holder))
    return found


def release(db: sa.Connection, holder: str) -> None:
    """Hold nothing for `holder` any more; what nobody else holds and no agent has is gone."""
    ids = db.scalars(sa.select(frozen.c.document).where(frozen.c.holder == holder)).all()
    db.execute(sa.delete(frozen).where(frozen.c.holder == holder))
    _sweep(db, ids)


def drop(db: sa.Connection, *which: sa.ColumnElement[bool]) -> None:
    """Take documents away from their scope: what a version reads is set aside, the rest is gone."""
    rows = db.execute(sa.select(documents.c.id, documents.c.scope).where(*which)).all()
    kept = set(db.scalars(sa.select(frozen.c.document).where(_in(frozen.c.document, rows))))
    for row in rows:
        if row.id in kept:
            agent = row.scope.removesuffix(":docs")
            aside = sa.update(documents).where(documents.c.id == row.id)
            db.execute(aside.values(scope=f"{agent}:{ASIDE}{row.id}"))
    gone = [row.id for row in rows if row.id not in kept]
    db.execute(sa.delete(passages).where(passages.c.document.in_(gone)))
    db.execute(sa.delete(documents).where(documents.c.id.in_(gone)))


def take_back(db: sa.Connection, scope: str, name: str, digest: str) -> int | None:
    """Give a document that was set aside to its agent again; its id, or None without one."""
    if not scope.endswith(":docs"):
        return None
    aside = f"{scope.removesuffix(':docs')}:{ASIDE}"
    query = sa.select(documents.c.id).where(
        documents.c.scope.startswith(aside, autoescape=True),
        documents.c.name == name,
        documents.c.digest == digest,
    )
    id = db.scalar(query.limit(1))
    if id is None:
        return None
    drop(db, documents.c.scope == scope, documents.c.name == name)
    db.execute(sa.update(documents).where(documents.c.id == id).values(scope=scope))
    return int(id)


def narrow(db: sa.Connection, scope: str, name: str, readers: Sequence[str]) -> None:
    """What was set aside under `name` is for those of its readers who are among `readers`."""
    if not scope.endswith(":docs"):
        return
    aside = f"{scope.removesuffix(':docs')}:{ASIDE}"
    mine = (documents.c.scope.startswith(aside, autoescape=True), documents.c.name == name)
    for row in db.execute(sa.select(documents.c.id, documents.c.readers).where(*mine)).all():
        had = json.loads(row.readers)
        left = readers if set(EVERYONE) & set(had) else [one for one in had if one in readers]
        kept = json.dumps(list(left))
        db.execute(sa.update(documents).where(documents.c.id == row.id).values(readers=kept))


def erase(db: sa.Connection, agent: str, document: int | None = None) -> int:
    """Remove a document of an agent, or all of them, from every version too; how many."""
    mine = documents.c.scope.startswith(f"agent:{agent}:", autoescape=True)
    which = mine if document is None else sa.and_(mine, documents.c.id == document)
    ids = list(db.scalars(sa.select(documents.c.id).where(which)))
    db.execute(sa.delete(frozen).where(frozen.c.document.in_(ids)))
    db.execute(sa.delete(passages).where(passages.c.document.in_(ids)))
    db.execute(sa.delete(documents).where(documents.c.id.in_(ids)))
    return len(ids)


def _sweep(db: sa.Connection, ids: Sequence[int]) -> None:
    still = sa.select(frozen.c.document).where(frozen.c.document.in_(ids))
    aside = documents.c.scope.contains(f":{ASIDE}", autoescape=True)
    gone = list(
        db.scalars(
            sa.select(documents.c.id).where(
                documents.c.id.in_(ids), aside, documents.c.id.not_in(still)
            )
        )
    )
    db.execute(sa.delete(passages).where(passages.c.document.in_(gone)))
    db.execute(sa.delete(documents).where(documents.c.id.in_(gone)))


def _in(column: sa.Column[Any], rows: Sequence[Any]) -> sa.ColumnElement[bool]:
    return column.in_([row.id for row in rows])
