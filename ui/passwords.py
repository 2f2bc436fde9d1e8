"""Passwords: how long, how kept, whether one fits. Knows no accounts and no cookies."""

import secrets
from functools import cache

from guardrails.errors import BadInput

MIN_PASSWORD = 12  # NIST SP 800-63B-4: length over composition rules
MAX_PASSWORD = 1024  # argon2 takes longer ones, but nobody should make it hash megabytes
# no i, l, o, 0, 1: a one-time password is read aloud or typed from paper
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def hashed(password: str, login: str) -> str:
    """The argon2id hash (RFC 9106, low-memory profile). Raises BadInput("weak-password")."""
    from argon2 import PasswordHasher

    return PasswordHasher().hash(checked(password, login))


def checked(password: str, login: str) -> str:
    """The password itself. Raises BadInput("weak-password")."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD or password.casefold() == login:
        raise BadInput("weak-password", least=MIN_PASSWORD)
    return password


def fits(stored: str, password: str) -> bool:
    """True when `password` is the one kept. Takes as long when nothing is kept."""
    from argon2 import PasswordHasher
    from argon2.exceptions import InvalidHashError, VerificationError

    if len(password) > MAX_PASSWORD:
        return False
    try:
        return PasswordHasher().verify(stored or _decoy(), password) and bool(stored)
    except (VerificationError, InvalidHashError):
        return False


def one_time() -> str:
    """A password of 79 bits to hand over once: `abcd-efgh-jkmn-pqrs`."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4))


@cache
def _decoy() -> str:
    from argon2 import PasswordHasher

    return PasswordHasher().hash(secrets.token_hex(16))
