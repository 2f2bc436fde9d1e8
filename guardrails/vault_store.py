"""The vault's rows: values encrypted, expiring, erasable per person. Knows nothing of texts.

AES-256-GCM with a random 96-bit nonce (NIST SP 800-38D); conversation and placeholder are
authenticated with the value, so a row moved elsewhere does not decrypt. A row whose value was
erased or has expired stays as a tombstone: its number must never name somebody else, because kept
conversations still hold the placeholder.
"""

import hashlib
import hmac
import os
import time
from collections.abc import Callable, Sequence

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from guardrails.audit.writing import one_writer
from guardrails.errors import VaultError
from guardrails.identities import Name, canonical
from guardrails.store import metadata
from guardrails.vault import Entry, VaultConflict

DAY_S = 86_400
DAYS = 90.0  # that a value is kept
_NONCE = 12

vault_entries = sa.Table(
    "vault_entries",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("conversation", sa.String(64), nullable=False),
    sa.Column("owner", sa.String(64), nullable=False, default=""),
    sa.Column("kind", sa.String(96), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("variant", sa.Integer, nullable=False),
    sa.Column("value", sa.LargeBinary, nullable=True),  # nonce + ciphertext; NULL once erased
    sa.Column("fingerprint", sa.String(64), nullable=True, index=True),
    sa.Column("expires", sa.Float, nullable=False, index=True),  # seconds since 1970, UTC
    sa.UniqueConstraint("conversation", "kind", "number", "variant"),
    sa.Index("ix_vault_entries_owner", "owner"),
)


_INSERT = sa.insert(vault_entries)


class SqlVaultStore:
    """A VaultStore over `vault_entries` for the conversations of one `owner` (a pseudonym).

    Entries expire `days` after they were added. `clock` gives seconds since 1970.
    """

    def __init__(
        self,
        engine: sa.Engine,
        owner: str = "",
        days: float = DAYS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._engine = engine
        self._owner = owner
        self._keep_s = days * DAY_S
        self._clock = clock

    def load(self, conversation: str, key: bytes) -> list[Entry]:
        """All entries of a conversation; erased and expired ones have no value."""
        table, now = vault_entries, self._clock()
        query = sa.select(
            table.c.kind, table.c.number, table.c.variant, table.c.value, table.c.expires
        ).where(table.c.conversation == conversation)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        cipher = AESGCM(key)
        entries = []
        for kind, number, variant, value, expires in rows:
            entry = Entry(kind, number, variant, None)
            if value is not None and expires > now:
                entry = Entry(kind, number, variant, _open(cipher, value, conversation, entry.name))
            entries.append(entry)
        return entries

    def add(self, conversation: str, key: bytes, entries: Sequence[Entry]) -> None:
        """Keep new entries, all or none. Raises VaultConflict when a placeholder is taken."""
        cipher = AESGCM(key)
        expires = self._clock() + self._keep_s
        rows = [
            {
                "conversation": conversation,
                "owner": self._owner,
                "kind": entry.kind,
                "number": entry.number,
                "variant": entry.variant,
                "value": _seal(cipher, entry.value or "", conversation, entry.name),
                "fingerprint": fingerprint(key, entry.kind, entry.value or ""),
                "expires": expires,
            }
            for entry in entries
        ]
        try:
            with one_writer(self._engine), self._engine.begin() as connection:
                connection.execute(_INSERT, rows)
        except sa.exc.IntegrityError as error:
            raise VaultConflict from error
        except sa.exc.SQLAlchemyError as error:
            raise VaultError("vault-failed", why=type(error).__name__) from error


def erase_conversation(engine: sa.Engine, conversation: str) -> int:
    """Forget every value of one conversation; its placeholders stay unreadable. Returns rows."""
    return _blank(engine, vault_entries.c.conversation == conversation)


def erase_owner(engine: sa.Engine, owner: str) -> int:
    """Forget every value of one employee's conversations. Returns rows."""
    return _blank(engine, vault_entries.c.owner == owner)


def erase_value(engine: sa.Engine, key: bytes, kind: str, value: str) -> int:
    """Forget a person (or number, address, ...) everywhere: all forms that share its number.

    Found by keyed fingerprint of the canonical form, so nothing is decrypted. Returns rows.
    """
    table = vault_entries
    mark = fingerprint(key, kind, value)
    with engine.connect() as connection:
        hits = connection.execute(
            sa.select(table.c.conversation, table.c.kind, table.c.number)
            .where(table.c.fingerprint == mark)
            .distinct()
        ).all()
    return sum(
        _blank(
            engine,
            sa.and_(
                table.c.conversation == conversation,
                table.c.kind == kind_,
                table.c.number == number,
            ),
        )
        for conversation, kind_, number in hits
    )


def purge(engine: sa.Engine, now: float) -> int:
    """Forget every value that has expired. Returns rows."""
    return _blank(engine, vault_entries.c.expires <= now)


def fingerprint(key: bytes, kind: str, value: str) -> str:
    """A keyed digest of the canonical form: equal for "MARIE TREMBLAY" and "Marie Tremblay"."""
    folded = sorted(Name.read(value).tokens) if kind == "PERSON" else [canonical(kind, value)]
    message = "\0".join([kind, *folded]).encode("utf-8", "surrogatepass")
    return hmac.new(key, message, hashlib.sha256).hexdigest()


def _blank(engine: sa.Engine, where: sa.ColumnElement[bool]) -> int:
    table = vault_entries
    change = (
        sa.update(table)
        .where(where, table.c.value.is_not(None))
        .values(value=None, fingerprint=None)
    )
    with engine.begin() as connection:
        return connection.execute(change).rowcount


def _seal(cipher: AESGCM, value: str, conversation: str, name: str) -> bytes:
    nonce = os.urandom(_NONCE)
    data = value.encode("utf-8", "surrogatepass")  # input may hold lone surrogates
    return nonce + cipher.encrypt(nonce, data, f"{conversation}\0{name}".encode())


def _open(cipher: AESGCM, sealed: bytes, conversation: str, name: str) -> str:
    try:
        data = cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], f"{conversation}\0{name}".encode())
    except InvalidTag as error:
        raise VaultError("vault-unreadable") from error
    return data.decode("utf-8", "surrogatepass")
