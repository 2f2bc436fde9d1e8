"""Signed notes that payloads were removed on purpose, so that a gap is not taken for tampering."""

import base64
import math
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from guardrails.audit.canonical import canonical
from guardrails.audit.tables import tombstones


@dataclass(frozen=True, slots=True)
class Tombstone:
    """Payloads of `subject` in rows `first`..`last` (inclusive) may be missing; "" is anyone."""

    reason: Literal["retention", "erasure"]
    subject: str
    first: int
    last: int
    at: int
    signature: str = ""

    def signed_bytes(self) -> bytes:
        """What the signature covers."""
        return canonical({k: v for k, v in asdict(self).items() if k != "signature"}).encode()


class Removed:
    """Which payloads are gone on purpose, as genuine tombstones say. Asked for every row of a
    ledger: ranges are joined and found by halving."""

    def __init__(self, stones: Iterable[Tombstone]) -> None:
        self._ranges: dict[str, list[tuple[int, float]]] = {}
        for one in sorted(stones, key=lambda stone: (stone.first, stone.last)):
            known = self._ranges.setdefault(one.subject, [])
            if known and one.first <= known[-1][1] + 1:
                known[-1] = (known[-1][0], max(known[-1][1], one.last))
            else:
                known.append((one.first, one.last))

    def explain(self, seq: int, subject: str) -> bool:
        """True when row `seq`, whose payload is `subject`'s, may lack it."""
        return any(self._within(seq, name) for name in ("", subject))

    def _within(self, seq: int, subject: str) -> bool:
        ranges = self._ranges.get(subject, [])
        at = bisect_right(ranges, (seq, math.inf)) - 1
        return at >= 0 and seq <= ranges[at][1]


def add(connection: sa.Connection, key: Ed25519PrivateKey, tombstone: Tombstone) -> None:
    """Sign and store, in the caller's transaction (the one that removes the payloads)."""
    signature = base64.b64encode(key.sign(tombstone.signed_bytes())).decode()
    connection.execute(sa.insert(tombstones), asdict(tombstone) | {"signature": signature})


def read(connection: sa.Connection) -> list[Tombstone]:
    """All of them, genuine or not, in order of rows."""
    rows = connection.execute(sa.select(tombstones).order_by(tombstones.c.first))
    return [Tombstone(r.reason, r.subject, r.first, r.last, r.at, r.signature) for r in rows]


def genuine(key: Ed25519PublicKey, tombstone: Tombstone) -> bool:
    """True when the signature is the key's."""
    try:
        key.verify(base64.b64decode(tombstone.signature), tombstone.signed_bytes())
    except (InvalidSignature, ValueError):
        return False
    return True
