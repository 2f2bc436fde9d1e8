"""One master key per home, one derived key per purpose. Knows nothing of what they protect.

Derivation: HKDF-SHA256 (RFC 5869) with the purpose as `info`, so that no purpose can read another's
data. The master key comes from the environment or from a file created with mode 0600.
"""

import base64
import binascii
import os
import secrets
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from guardrails.errors import GuardrailError

MASTER_BYTES = 32


@dataclass(frozen=True)
class Keys:
    """Derives purpose keys from one master key of 32 bytes."""

    master: bytes

    def derive(self, purpose: str) -> bytes:
        """A 32-byte key for one purpose, e.g. `vault`, `ledger-chain`, `pseudonym`, `cookie`."""
        return _derived(self.master, purpose)

    def signing(self) -> Ed25519PrivateKey:
        """The key that signs ledger checkpoints; its public half may be given to auditors."""
        return Ed25519PrivateKey.from_private_bytes(self.derive("ledger-signing"))


@lru_cache(maxsize=64)  # every message needs some of them
def _derived(master: bytes, purpose: str) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt=None, info=purpose.encode()).derive(master)


def load_keys(file: Path, given: str | None = None) -> Keys:
    """Read the master key: `given` (base64, 32 bytes) wins, else `file`, created when missing.

    Raises GuardrailError("bad-key") when the key is malformed and ("key-readable-by-others") when
    the file's mode lets anyone else read it.
    """
    if given:
        return Keys(_decode(given))
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        if file.stat().st_mode & 0o077:
            raise GuardrailError("key-readable-by-others", file=str(file)) from None
        return Keys(_decode(file.read_text("ascii")))
    with os.fdopen(handle, "w", encoding="ascii") as out:
        out.write(base64.b64encode(secrets.token_bytes(MASTER_BYTES)).decode() + "\n")
        out.flush()
        os.fsync(out.fileno())
    return Keys(_decode(file.read_text("ascii")))


def _decode(text: str) -> bytes:
    try:
        master = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise GuardrailError("bad-key") from error
    if len(master) != MASTER_BYTES:
        raise GuardrailError("bad-key")
    return Keys(master).master
