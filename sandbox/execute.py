"""Run code, or read a document, in a sealed process. What comes back is capped and sniffed."""

import asyncio
import base64
import binascii
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from guardrails.errors import BadInput
from sandbox.artefacts import RawArtefact, accept, safe_name
from sandbox.launch.refuse import NoSeal
from sandbox.limits import Limits
from sandbox.pool import Pool, PoolClosed
from sandbox.sealed import Sealed
from sandbox.wire import Frame, WireError

Status = Literal["ok", "error", "timeout", "memory", "killed", "refused"]
MAX_CODE = 256 * 1024
PARSE_LIMITS = Limits(wall_s=120.0, cpu_s=90.0, memory_mib=1024)
MAX_PASSAGES = 20_000


@dataclass(frozen=True, slots=True)
class Execution:
    """What one piece of code did. `wall_s` is seconds from handing it over to its end.

    `message` is a catalogue key for the person when `status` is not ok or error; `dropped`
    counts files that were too many, too large or of a type that is not let out; `cut` says that
    it printed more than `limits` let out.
    """

    status: Status
    output: str
    wall_s: float
    backend: str
    artefacts: tuple[RawArtefact, ...] = ()
    dropped: int = 0
    message: str = ""
    cut: bool = False
    limits: Limits = field(default_factory=Limits)


async def execute(
    pool: Pool,
    code: str,
    *,
    files: Mapping[str, bytes | Path] | None = None,
    limits: Limits | None = None,
) -> Execution:
    """Run `code` like a notebook cell with `files` at /data and by bare name. Never raises for
    what the code does; a pool that cannot serve gives status "refused"."""
    backend = pool.launcher.name
    if len(code.encode("utf-8", "replace")) > MAX_CODE:
        return Execution("refused", "", 0.0, backend, message="seal.refused.code")
    try:
        sealed = await pool.warm("data")
    except PoolClosed:
        return Execution("refused", "", 0.0, backend, message="seal.refused.pool")
    except NoSeal as error:
        return Execution("refused", "", 0.0, backend, message=str(error.data["fix"]))
    try:
        await asyncio.to_thread(fill, sealed.inbox, files or {})
        return await run_on(sealed, code, pool.bounded(limits))
    finally:
        sealed.discard()


async def run_on(sealed: Sealed, code: str, limits: Limits) -> Execution:
    """Run `code` on one warm process and collect what it sends until it ends."""
    began = time.monotonic()
    job: Frame = {"t": "python", "code": code, "limits": limits.as_frame()}
    results = _Results(limits)
    status: Status
    try:
        await sealed.begin(limits)
        await sealed.send(job)
        while results.status is None:
            frame = await sealed.receive()
            if frame is None:
                break
            results.add(frame)
    except WireError as error:
        sealed.end("killed", error.reason)
    if results.status is None:
        end = await sealed.wait()
        # an end without a report is never a success, whatever the exit code claims
        status = "killed" if end.status in ("ok", "error") else end.status
    else:
        status = results.status
    wall_s = round(time.monotonic() - began, 4)
    message = "" if status in ("ok", "error") else f"seal.limit.{status}"
    if status == "timeout" and wall_s < limits.wall_s:
        message = "seal.limit.cpu"
    artefacts, dropped = results.artefacts()
    return Execution(
        status,
        results.output(),
        wall_s,
        sealed.backend,
        artefacts,
        dropped,
        message,
        results.cut,
        limits,
    )


def figures(done: Execution) -> dict[str, object]:
    """What the wording of `done.message` may name."""
    limits = done.limits
    seconds = limits.cpu_s if done.message == "seal.limit.cpu" else limits.wall_s
    shown = int(seconds) if seconds == int(seconds) else round(seconds, 1)
    return {"seconds": shown, "memory": limits.memory_mib}


async def parse(pool: Pool, name: str, data: Path | bytes) -> list[dict[str, object]]:
    """The passages of a document as `{"text": str, "page": int | None}`, read in the seal.

    Raises BadInput("unreadable-document") with the kind of failure, PoolClosed.
    """
    sealed = await pool.warm("data")
    passages: list[dict[str, object]] = []
    kind = ""
    try:
        name = safe_name(name)
        await asyncio.to_thread(fill, sealed.inbox, {name: data})
        await sealed.begin(PARSE_LIMITS)
        await sealed.send({"t": "parse", "name": name})
        while (frame := await sealed.receive()) is not None:
            if frame.get("t") == "passages":
                passages += _passages(frame.get("items"))
                if len(passages) > MAX_PASSAGES:  # of a hostile end: ours stops long before
                    kind = "file-too-much-text"
                    break
            elif frame.get("t") == "done" and frame.get("status") == "ok":
                return passages
            else:
                kind = str(frame.get("kind", ""))[:80]
                break
        else:
            kind = (await sealed.wait()).status
    except WireError as error:
        kind = error.reason
    finally:
        sealed.discard()
    raise BadInput("unreadable-document", name=name, why=kind)


def fill(inbox: Path, files: Mapping[str, bytes | Path]) -> None:
    """Put the run's files where the sealed process sees them, read-only. Raises OSError."""
    for name, data in files.items():
        target = inbox / safe_name(name)
        if isinstance(data, bytes):
            target.write_bytes(data)
        else:
            shutil.copyfile(data, target)
        os.chmod(target, 0o444)


def _passages(items: object) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for item in items if isinstance(items, list) else []:
        if isinstance(item, dict) and isinstance(item.get("text"), str):
            page = item.get("page")
            page = page if isinstance(page, int) else None
            hidden = item.get("hidden") is True
            found.append({"text": item["text"], "page": page, "hidden": hidden})
    return found


class _Results:
    """What a run sent so far, within its limits."""

    def __init__(self, limits: Limits) -> None:
        self.status: Literal["ok", "error", "memory"] | None = None
        self._limits = limits
        self._output: list[str] = []
        self._left = limits.output_bytes
        self._files: dict[str, bytearray] = {}
        self._dropped = 0

    def add(self, frame: Frame) -> None:
        """Take one frame. Raises WireError for one that has no place here."""
        match frame:
            case {"t": "output", "text": str(text)}:
                part = text[: max(0, self._left)]
                self._left -= len(text.encode("utf-8", "replace"))
                self._output.append(part)
            case {"t": "file", "name": str(name), "data": str(data)}:
                self._add_file(name, data)
            case {"t": "done", "status": "ok" | "error" | "memory" as status}:
                self.status = status
                left = frame.get("files")
                self._dropped += left if isinstance(left, int) and 0 <= left < 10_000 else 0
            case {"t": "broken"}:
                self.status = "error"
            case _:
                raise WireError("unexpected-frame")

    def _add_file(self, name: str, data: str) -> None:
        held = self._files.get(name)
        if held is None:
            if len(self._files) >= self._limits.files:
                raise WireError("too-many-files")
            held = self._files[name] = bytearray()
        try:
            held += base64.b64decode(data, validate=True)
        except binascii.Error as error:
            raise WireError("not-base64") from error
        if len(held) > self._limits.file_bytes:
            raise WireError("file-too-large")

    def output(self) -> str:
        return "".join(self._output)

    @property
    def cut(self) -> bool:
        return self._left <= 0

    def artefacts(self) -> tuple[tuple[RawArtefact, ...], int]:
        found = [accept(name, bytes(data)) for name, data in self._files.items()]
        kept = tuple(artefact for artefact in found if artefact)
        return kept, self._dropped + len(found) - len(kept)
