"""Searches that a reviewer keeps under a name.

Names and words may say of whom: both are encrypted (AES-256-GCM, random 96-bit nonce, bound to
their owner), and a name is found again by a keyed digest of it.
"""

import hmac
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from guardrails.audit.tables import searches
from guardrails.audit.trace_rows import TraceFilter
from guardrails.errors import GuardrailError
from guardrails.keys import Keys

_NONCE = 12
_SEALED = "sealed:"  # what earlier releases kept begins with a brace


class SavedSearches:
    """Saved searches of one store; each belongs to one person (pseudonym).

    What is kept are the words of the question ("the last 7 days"), not what they meant that day.
    """

    def __init__(self, engine: sa.Engine, keys: Keys) -> None:
        self._engine = engine
        self._key = keys.derive("saved-searches")
        self._cipher = AESGCM(self._key)

    def save(self, owner: str, name: str, question: Mapping[str, str]) -> None:
        """Keep a question; an earlier one of that name is replaced."""
        row = self._row(owner, name, question)
        with self._engine.begin() as db:
            db.execute(sa.delete(searches).where(_is(owner, row["name"])))
            db.execute(sa.insert(searches), row)

    def all(self, owner: str) -> dict[str, dict[str, str]]:
        """A person's searches, in order of name."""
        query = sa.select(searches.c.filter).where(searches.c.owner == owner)
        with self._engine.connect() as db:
            found = [self._read(owner, text) for text in db.scalars(query)]
        return dict(sorted(found, key=lambda each: each[0].casefold()))

    def delete(self, owner: str, name: str) -> None:
        """Forget one."""
        with self._engine.begin() as db:
            db.execute(sa.delete(searches).where(_is(owner, self._mark(owner, name))))

    def forget(self, owner: str) -> None:
        """Forget all of one person."""
        with self._engine.begin() as db:
            db.execute(sa.delete(searches).where(searches.c.owner == owner))

    def seal_old(self) -> int:
        """Encrypt what earlier releases kept in the clear. Returns how many."""
        plain = ~searches.c.filter.startswith(_SEALED)
        with self._engine.begin() as db:
            old = db.execute(sa.select(searches).where(plain)).all()
            for row in old:
                db.execute(sa.delete(searches).where(_is(row.owner, row.name)))
                fresh = self._row(row.owner, row.name, json.loads(row.filter))
                db.execute(sa.insert(searches), fresh)
        return len(old)

    def _row(self, owner: str, name: str, question: Mapping[str, str]) -> dict[str, str]:
        plain = json.dumps({"name": name, "question": dict(question)}).encode()
        nonce = os.urandom(_NONCE)
        sealed = nonce + self._cipher.encrypt(nonce, plain, owner.encode())
        return {"owner": owner, "name": self._mark(owner, name), "filter": _SEALED + sealed.hex()}

    def _read(self, owner: str, kept: str) -> tuple[str, dict[str, str]]:
        sealed = bytes.fromhex(kept.removeprefix(_SEALED))
        try:
            plain = self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], owner.encode())
        except InvalidTag as error:
            raise GuardrailError("payload-damaged", subject=owner) from error
        known = json.loads(plain)
        return str(known["name"]), dict(known["question"])

    def _mark(self, owner: str, name: str) -> str:
        return hmac.digest(self._key, f"{owner}\0{name}".encode(), "sha256").hex()


def _is(owner: str, mark: str) -> sa.ColumnElement[bool]:
    return sa.and_(searches.c.owner == owner, searches.c.name == mark)


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
