"""Turns that wait for a person: what they need to go on, sealed, in the store.

Written by the host from what passed the door, never from what the sealed process says of itself.
Everything in it is masked; it is encrypted besides, bound to its turn and conversation.
"""

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from guardrails.errors import GuardrailError
from guardrails.keys import Keys
from guardrails.processes import of, orphaned
from guardrails.store import metadata

MOST_BYTES = 4 * 1024 * 1024
_NONCE = 12  # bytes, NIST SP 800-38D

paused_turns = sa.Table(
    "paused_turns",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("conversation", sa.Text, nullable=False),
    sa.Column("message", sa.Integer, nullable=False),  # the one that says "waiting"; 0: none yet
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    of(),  # who took it up
    sa.Index("ix_paused_turns_conversation", "conversation"),
)


@dataclass(frozen=True, slots=True)
class Paused:
    """One turn that waits. `state` is JSON, see `sandbox.going_on`."""

    id: str
    conversation: str
    message: int
    tries: int
    state: dict[str, Any]
    since: int  # microseconds since 1970: when it began to wait


class PausedTurns:
    """The turns of one store. `clock` gives seconds since 1970."""

    def __init__(
        self,
        engine: sa.Engine,
        keys: Keys,
        clock: Callable[[], float] = time.time,
        process: str = "",
    ) -> None:
        self._process = process
        self._engine = engine
        self._cipher = AESGCM(keys.derive("paused-turns"))
        self._clock = clock

    def keep(self, turn: str, conversation: str, state: dict[str, Any]) -> None:
        """Keep a turn that begins to wait. Raises GuardrailError("turn-too-long")."""
        if self.update(turn, conversation, state):
            return
        row = {"id": turn, "conversation": conversation, "message": 0, "tries": 0}
        sealed = {"sealed": self._seal(turn, conversation, state), "at": self._now()}
        with self._engine.begin() as db:
            db.execute(sa.insert(paused_turns), {**row, **sealed})

    def update(self, turn: str, conversation: str, state: dict[str, Any]) -> bool:
        """A kept turn got further: what was done must not be done twice. False: not kept."""
        values = {"sealed": self._seal(turn, conversation, state), "tries": 0}
        table = paused_turns
        with self._engine.begin() as db:
            done = db.execute(sa.update(table).where(table.c.id == turn).values(values))
        return bool(done.rowcount)

    def shown_as(self, turn: str, message: int) -> None:
        """Message `message` of the conversation says that the turn waits."""
        table = paused_turns
        with self._engine.begin() as db:
            db.execute(sa.update(table).where(table.c.id == turn).values(message=message))

    def begin(self, turn: str) -> Paused | None:
        """A turn that is about to go on: one more try is counted. None when it is gone, or when
        another process that lives has taken it up.

        Raises GuardrailError("turn-damaged") when it was changed or moved from outside.
        """
        table = paused_turns
        with self._engine.begin() as db:
            mine = sa.or_(table.c.process == self._process, orphaned(table.c.process))
            taken = sa.update(table).where(table.c.id == turn, mine)
            tried = {"tries": table.c.tries + 1, "process": self._process}
            if not db.execute(taken.values(tried)).rowcount:
                return None
            row = db.execute(sa.select(table).where(table.c.id == turn)).one()
        bound = _bound(row.id, row.conversation)
        try:
            plain = self._cipher.decrypt(row.sealed[:_NONCE], row.sealed[_NONCE:], bound)
        except InvalidTag as error:
            raise GuardrailError("turn-damaged") from error
        return Paused(row.id, row.conversation, row.message, row.tries, json.loads(plain), row.at)

    def all(self, conversation: str = "") -> list[tuple[str, str, int]]:
        """(turn, conversation, message) of every turn that waits, oldest first."""
        table = paused_turns
        query = sa.select(table.c.id, table.c.conversation, table.c.message).order_by(table.c.at)
        if conversation:
            query = query.where(table.c.conversation == conversation)
        with self._engine.connect() as db:
            return [(row.id, row.conversation, row.message) for row in db.execute(query)]

    def _seal(self, turn: str, conversation: str, state: dict[str, Any]) -> bytes:
        plain = json.dumps(state, ensure_ascii=False).encode()
        if len(plain) > MOST_BYTES:
            raise GuardrailError("turn-too-long")
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, plain, _bound(turn, conversation))

    def _now(self) -> int:
        return int(self._clock() * 1e6)

    def drop(self, turn: str) -> None:
        """Forget a turn that is over."""
        with self._engine.begin() as db:
            db.execute(sa.delete(paused_turns).where(paused_turns.c.id == turn))


def _bound(turn: str, conversation: str) -> bytes:
    return f"{conversation}/{turn}".encode()
