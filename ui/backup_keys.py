"""The master key under a passphrase: scrypt (RFC 7914), then AES-256-GCM. Knows no archives."""

import base64
import json
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from guardrails.errors import BadInput

LEAST = 12  # characters of a passphrase
# OWASP Password Storage: N=2^17, r=8, p=1 takes 128 MiB and a good part of a second
N, R, P = 2**17, 8, 1
_PURPOSE = b"atelier backup: master key"


def sealed(master: bytes, passphrase: str) -> bytes:
    """The key as JSON that only the passphrase opens. Raises BadInput("weak-passphrase")."""
    if len(passphrase) < LEAST:
        raise BadInput("weak-passphrase", least=LEAST)
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    box = AESGCM(_stretched(passphrase, salt)).encrypt(nonce, master, _PURPOSE)
    kept = {"kdf": "scrypt", "n": N, "r": R, "p": P, "cipher": "AES-256-GCM"}
    parts = {"salt": salt, "nonce": nonce, "box": box}
    coded = {name: base64.b64encode(value).decode() for name, value in parts.items()}
    return json.dumps(kept | coded).encode()


def opened(data: bytes, passphrase: str) -> bytes:
    """The key again. Raises BadInput("wrong-passphrase")."""
    try:
        kept = json.loads(data)
        # parameters are ours, not the file's: a file must not choose how much memory is taken
        salt, nonce, box = (base64.b64decode(kept[name]) for name in ("salt", "nonce", "box"))
        return AESGCM(_stretched(passphrase, salt)).decrypt(nonce, box, _PURPOSE)
    except (InvalidTag, ValueError, KeyError, TypeError) as error:
        raise BadInput("wrong-passphrase") from error


def _stretched(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=N, r=R, p=P).derive(passphrase.encode())
