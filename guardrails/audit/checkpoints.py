"""Signed checkpoints: what the chain's head was, kept in a file apart from the store.

One JSON object a line: number, seq, hash, at (microseconds), signature (Ed25519, base64) over the
canonical JSON of the rest. A truncated ledger cannot explain the checkpoints that stand elsewhere.
"""

import base64
import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from guardrails.audit.canonical import canonical
from guardrails.errors import GuardrailError

_TAIL = 4_096  # bytes; a line has some 250


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The chain's head at one moment. `number` counts from 1 without gaps."""

    number: int
    seq: int
    hash: str
    at: int
    signature: str = ""

    def signed_bytes(self) -> bytes:
        """What the signature covers."""
        return canonical({k: v for k, v in asdict(self).items() if k != "signature"}).encode()


def sign(key: Ed25519PrivateKey, number: int, seq: int, head: str, at: int) -> Checkpoint:
    """A signed checkpoint."""
    bare = Checkpoint(number, seq, head, at)
    signature = base64.b64encode(key.sign(bare.signed_bytes())).decode()
    return Checkpoint(number, seq, head, at, signature)


def genuine(key: Ed25519PublicKey, checkpoint: Checkpoint) -> bool:
    """True when the signature is the key's."""
    try:
        key.verify(base64.b64decode(checkpoint.signature), checkpoint.signed_bytes())
    except (InvalidSignature, ValueError):
        return False
    return True


def extend(file: Path, key: Ed25519PrivateKey, seq: int, head: str, at: int) -> Checkpoint | None:
    """Sign the head and append it, on the disk when this returns. Raises OSError.

    Several processes may share one file: numbers are given under its lock. None when a checkpoint
    for `seq` or a later row stands already. A torn last line is cut off first.
    """
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(handle, "r+b") as out:
        fcntl.flock(out, fcntl.LOCK_EX)
        whole, known = _end(out)
        if known and known.seq >= seq:
            return None
        checkpoint = sign(key, known.number + 1 if known else 1, seq, head, at)
        out.seek(whole)
        out.truncate()
        out.write((json.dumps(asdict(checkpoint)) + "\n").encode())
        out.flush()
        os.fsync(out.fileno())
    return checkpoint


def last(file: Path) -> Checkpoint | None:
    """The newest whole checkpoint of a file; None when there is none. Raises OSError."""
    if not file.exists():
        return None
    with file.open("rb") as opened:
        return _end(opened)[1]


def _end(opened: BinaryIO) -> tuple[int, Checkpoint | None]:
    """Where the last whole line ends, and what it says."""
    begin = max(0, opened.seek(0, os.SEEK_END) - _TAIL)
    opened.seek(begin)
    data = opened.read()
    whole = begin + data.rfind(b"\n") + 1
    lines = data[: whole - begin].decode("utf-8", "replace").splitlines()
    known = list(parse(lines[-1:]))
    return whole, known[-1] if known else None


def read(file: Path) -> list[Checkpoint]:
    """All checkpoints of a file, oldest first; a missing file has none.

    A torn last line (power cut while writing) is skipped; any other damage raises
    GuardrailError("checkpoint-damaged") with the line's number.
    """
    if not file.exists():
        return []
    return list(parse(file.read_text("utf-8", errors="replace").splitlines()))


def parse(lines: Iterable[str]) -> Iterator[Checkpoint]:
    """Checkpoints of lines; see `read`."""
    rows = list(lines)
    for number, line in enumerate(rows, 1):
        try:
            fields = json.loads(line)
            yield Checkpoint(
                int(fields["number"]),
                int(fields["seq"]),
                str(fields["hash"]),
                int(fields["at"]),
                str(fields["signature"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            if number == len(rows):
                return
            raise GuardrailError("checkpoint-damaged", line=number) from error
