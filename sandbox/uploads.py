"""Files of a conversation, encrypted at rest: what a person gave, and what an agent made.

One file per item under the home, AES-256-GCM with the conversation and id as associated data, so
that a file moved to another conversation does not open. Knows nothing of their content.
"""

import contextlib
import json
import os
import re
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from guardrails.errors import BadInput, GuardrailError
from guardrails.keys import Keys
from sandbox.events import Artefact

NONCE_BYTES = 12
NAME_CHARACTERS = 120
_CONVERSATION = re.compile(r"c_[0-9a-f]{20}")
_ID = re.compile(r"[uf]_[0-9a-f]{20}")


@dataclass(frozen=True, slots=True)
class Kept:
    """A kept file with its content."""

    id: str
    name: str
    media_type: str
    owner: str
    data: bytes


def safe_name(name: str) -> str:
    """A file name without folders, control characters or surprises; never empty."""
    base = re.split(r"[/\\]", name)[-1]
    base = "".join(c for c in base if c.isprintable() and c not in '<>:"|?*').strip(". ")
    if len(base) > NAME_CHARACTERS:
        stem, dot, suffix = base.rpartition(".")
        keep = f"{dot}{suffix}" if dot and len(suffix) <= 8 else ""
        base = (stem or base)[: NAME_CHARACTERS - len(keep)] + keep
    return base or "file"


class Uploads:
    """`folder` is made with mode 0700 on first use."""

    def __init__(self, folder: Path, keys: Keys) -> None:
        self._folder = folder
        self._cipher = AESGCM(keys.derive("uploads"))

    def keep_upload(self, conversation: str, owner: str, name: str, data: bytes) -> Kept:
        """Keep a file that a person gave; a second one of that name replaces it for the agent."""
        return self._keep("u_", conversation, owner, name, "application/octet-stream", data)

    def keep_artefact(
        self, conversation: str, owner: str, name: str, media_type: str, data: bytes
    ) -> Artefact:
        """Keep a file that an agent made."""
        kept = self._keep("f_", conversation, owner, name, media_type, data)
        return Artefact(kept.id, kept.name, kept.media_type, len(data))

    def artefact(self, id: str, owner: str) -> Kept:
        """One artefact of `owner`. Raises BadInput("file-not-found")."""
        if _ID.fullmatch(id):
            for path in self._folder.glob(f"c_*/{id}"):
                kept = self._open(path)
                if kept.owner == owner and id.startswith("f_"):
                    return kept
        raise BadInput("file-not-found")

    def uploads(self, conversation: str) -> dict[str, bytes]:
        """What the person gave in this conversation, by name, oldest first."""
        folder = self._of(conversation)
        found = sorted(folder.glob("u_*"), key=lambda path: path.stat().st_mtime_ns)
        return {kept.name: kept.data for kept in map(self._open, found)}

    def forget(self, conversation: str) -> None:
        """Remove every file of the conversation. Raises OSError when one stays: what is not erased
        must not count as erased."""
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self._of(conversation))

    def _of(self, conversation: str) -> Path:
        if not _CONVERSATION.fullmatch(conversation):
            raise BadInput("conversation-not-found")
        return self._folder / conversation

    def _keep(
        self, prefix: str, conversation: str, owner: str, name: str, media_type: str, data: bytes
    ) -> Kept:
        kept = Kept(prefix + secrets.token_hex(10), safe_name(name), media_type, owner, data)
        folder = self._of(conversation)
        head = json.dumps([kept.name, media_type, owner]).encode()
        body = len(head).to_bytes(4, "big") + head + data
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, body, _bound(conversation, kept.id))
        temporary = folder / f".{kept.id}"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(temporary, "xb", opener=_private) as out:
                out.write(sealed)
                out.flush()
                os.fsync(out.fileno())
            temporary.rename(folder / kept.id)
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise GuardrailError("disk-full", name=kept.name) from error
        return kept

    def _open(self, path: Path) -> Kept:
        sealed = path.read_bytes()
        bound = _bound(path.parent.name, path.name)
        try:
            body = self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound)
        except InvalidTag as error:
            raise GuardrailError("file-damaged") from error
        size = int.from_bytes(body[:4], "big")
        name, media_type, owner = json.loads(body[4 : 4 + size])
        return Kept(path.name, name, media_type, owner, body[4 + size :])


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _bound(conversation: str, id: str) -> bytes:
    return f"{conversation}/{id}".encode()
