"""Signed notes that payloads were removed on purpose, so that a gap is not taken for tampering."""

import base64
from dataclasses import asdict, dataclass
from typing import Literal

import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from guardrails.audit.canonical import canonical
from guardrails.audit.tables import tombstones


@dataclass(frozen=True, slots=True)
class Tombstone:
    """Payloads of rows `first`..`last` (inclusive) may be missing. `subject` "" means anyone's."""

    reason: Literal["retention", "erasure"]
    subject: str
    first: int
    last: int
    at: int
    signature: str = ""

    def covers(self, seq: int) -> bool:
        """True when row `seq` may lack its payload."""
        return self.first <= seq <= self.last

    def signed_bytes(self) -> bytes:
        """What the signature covers."""
        return canonical({k: v for k, v in asdict(self).items() if k != "signature"}).encode()


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
