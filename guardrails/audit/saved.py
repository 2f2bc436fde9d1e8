"""Searches that a reviewer keeps under a name."""

import json
from dataclasses import asdict, fields, replace
from datetime import datetime

import sqlalchemy as sa

from guardrails.audit.search import TraceFilter
from guardrails.audit.tables import searches


class SavedSearches:
    """Saved searches of one store; each belongs to one person (pseudonym)."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def save(self, owner: str, name: str, filter: TraceFilter) -> None:
        """Keep a filter; an earlier one of that name is replaced."""
        filled = {k: v for k, v in asdict(filter).items() if v not in ("", None)}
        text = json.dumps(filled, default=lambda value: value.isoformat())
        self.delete(owner, name)
        with self._engine.begin() as connection:
            row = {"owner": owner, "name": name, "filter": text}
            connection.execute(sa.insert(searches), row)

    def all(self, owner: str) -> dict[str, TraceFilter]:
        """A person's searches, in order of name."""
        query = sa.select(searches).where(searches.c.owner == owner).order_by(searches.c.name)
        with self._engine.connect() as connection:
            return {row.name: _filter(row.filter) for row in connection.execute(query)}

    def delete(self, owner: str, name: str) -> None:
        """Forget one."""
        with self._engine.begin() as connection:
            connection.execute(
                sa.delete(searches).where(searches.c.owner == owner, searches.c.name == name)
            )


def _filter(text: str) -> TraceFilter:
    """A filter as saved; fields that no longer exist are left out."""
    known = {field.name for field in fields(TraceFilter)}
    values = {key: value for key, value in json.loads(text).items() if key in known}
    for key in ("since", "until"):
        if key in values:
            values[key] = datetime.fromisoformat(values[key])
    return replace(TraceFilter(), **values)
