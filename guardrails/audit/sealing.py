"""Seal ledger payloads per subject. Destroying a subject's key is erasure (GDPR art. 17).

A subject's 32-byte key is wrapped by the `ledger-payload` key (AES-GCM) in table `subject_keys`.
Row `digest` and `seal` keep the chain verifiable after the key is gone.
"""

import hashlib
import hmac
import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from guardrails.audit.canonical import canonical
from guardrails.audit.tables import subject_keys
from guardrails.errors import GuardrailError
from guardrails.keys import Keys

_NONCE = 12  # bytes, NIST SP 800-38D
FRESH_SECONDS = 1.0  # for which a key is believed: another process may have destroyed it


@dataclass(frozen=True, slots=True)
class Sealed:
    """A payload as stored: `digest` is SHA-256 of `data`, `seal` an HMAC of the plain."""

    data: bytes | None
    digest: str = ""
    seal: str = ""


class Sealer:
    """Keys of subjects, created on first use. Thread-safe."""

    def __init__(self, keys: Keys, ticks: Callable[[], float] = time.monotonic) -> None:
        self._wrap = AESGCM(keys.derive("ledger-payload"))
        self._known: dict[str, tuple[float, bytes]] = {}  # until when, by the clock of ticks
        self._ticks = ticks
        self._lock = threading.Lock()

    def seal(
        self, connection: sa.Connection, subject: str, payload: Mapping[str, object], at: int
    ) -> Sealed:
        """Encrypt `payload` for `subject`; an empty payload is stored as nothing."""
        if not payload:
            return Sealed(None)
        plain = canonical(payload).encode("utf-8", "surrogatepass")
        key = self._key(connection, subject, at)
        nonce = os.urandom(_NONCE)
        data = nonce + AESGCM(key).encrypt(nonce, plain, subject.encode())
        seal = hmac.digest(key, b"seal" + plain, "sha256").hex()
        return Sealed(data, hashlib.sha256(data).hexdigest(), seal)

    def open(
        self, connection: sa.Connection, subject: str, data: bytes | None
    ) -> dict[str, object] | None:
        """The payload, `{}` when there was none, None when the subject's key was destroyed.

        Raises GuardrailError("payload-damaged") when the bytes are not what was sealed.
        """
        if data is None:
            return {}
        known = connection.execute(
            sa.select(subject_keys).where(subject_keys.c.subject == subject)
        ).first()
        if known is None or known.wrapped is None:
            return None
        try:
            key = self._unwrap(subject, known.wrapped)
            plain = AESGCM(key).decrypt(data[:_NONCE], data[_NONCE:], subject.encode())
        except InvalidTag as error:
            if known.destroyed is not None:
                return None  # sealed before an erasure, by the key that is gone
            raise GuardrailError("payload-damaged", subject=subject) from error
        loaded: dict[str, object] = json.loads(plain)
        return loaded

    def destroy(self, connection: sa.Connection, subject: str, at: int) -> bool:
        """Forget `subject`'s key for good. False when there was none."""
        self.forget(subject)
        done = connection.execute(
            sa.update(subject_keys)
            .where(subject_keys.c.subject == subject, subject_keys.c.wrapped.is_not(None))
            .values(wrapped=None, destroyed=at)
        )
        return done.rowcount > 0

    def forget(self, subject: str | None = None) -> None:
        """Drop cached keys: one subject's, or all (after a rolled-back transaction)."""
        with self._lock:
            if subject is None:
                self._known.clear()
            else:
                self._known.pop(subject, None)

    def _key(self, connection: sa.Connection, subject: str, at: int) -> bytes:
        now = self._ticks()
        with self._lock:
            until, key = self._known.get(subject, (now, b""))
            if now < until:
                return key
        wrapped = connection.scalar(
            sa.select(subject_keys.c.wrapped).where(subject_keys.c.subject == subject)
        )
        if wrapped is None:
            key = os.urandom(32)
            nonce = os.urandom(_NONCE)
            sealed = nonce + self._wrap.encrypt(nonce, key, subject.encode())
            # after erasure a person who comes back gets a new key; the old payloads stay shut
            updated = connection.execute(
                sa.update(subject_keys)
                .where(subject_keys.c.subject == subject)
                .values(wrapped=sealed, created=at)
            )
            if not updated.rowcount:
                connection.execute(
                    sa.insert(subject_keys).values(subject=subject, wrapped=sealed, created=at)
                )
        else:
            key = self._unwrap(subject, wrapped)
        with self._lock:
            self._known[subject] = (now + FRESH_SECONDS, key)
        return key

    def _unwrap(self, subject: str, wrapped: bytes) -> bytes:
        return self._wrap.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], subject.encode())
