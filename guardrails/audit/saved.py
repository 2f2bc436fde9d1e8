"""Searches that a reviewer keeps under a name."""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from guardrails.audit.search import TraceFilter
from guardrails.audit.tables import searches


class SavedSearches:
    """Saved searches of one store; each belongs to one person (pseudonym).

    What is kept are the words of the question ("the last 7 days"), not what they meant that day.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def save(self, owner: str, name: str, question: Mapping[str, str]) -> None:
        """Keep a question; an earlier one of that name is replaced."""
        text = json.dumps(dict(question))
        self.delete(owner, name)
        with self._engine.begin() as connection:
            row = {"owner": owner, "name": name, "filter": text}
            connection.execute(sa.insert(searches), row)

    def all(self, owner: str) -> dict[str, dict[str, str]]:
        """A person's searches, in order of name."""
        query = sa.select(searches).where(searches.c.owner == owner).order_by(searches.c.name)
        with self._engine.connect() as connection:
            return {row.name: json.loads(row.filter) for row in connection.execute(query)}

    def delete(self, owner: str, name: str) -> None:
        """Forget one."""
        with self._engine.begin() as connection:
            connection.execute(
                sa.delete(searches).where(searches.c.owner == owner, searches.c.name == name)
            )


def filled(filter: TraceFilter) -> dict[str, Any]:
    """The fields of a filter that say something, as JSON has them."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in asdict(filter).items()
        if value not in ("", None)
    }


def restored(values: Mapping[str, Any]) -> TraceFilter:
    """A filter of what `filled` gave; fields that no longer exist are left out."""
    known = {field.name for field in fields(TraceFilter)}
    kept = {key: value for key, value in values.items() if key in known}
    for key in ("since", "until"):
        if key in kept:
            kept[key] = datetime.fromisoformat(kept[key])
    return replace(TraceFilter(), **kept)
