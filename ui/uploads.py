"""One message from a request, JSON or multipart, its files on disk for the turn. No screening."""

import json
import shutil
import tempfile
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from guardrails.errors import BadInput
from sandbox.uploads import safe_name

MAX_CHARACTERS = 100_000  # about 25,000 tokens; longer texts belong in a file
MAX_FILES = 10
PIECE = 1024 * 1024


@dataclass(frozen=True)
class Incoming:
    """What a person sent. `folder` holds the files and is the caller's to remove with `discard`.
    `kept` are names of files that came with the message which this one is sent again for."""

    text: str
    conversation: str | None
    files: dict[str, Path] = field(default_factory=dict)
    folder: Path | None = None
    kept: tuple[str, ...] = ()

    def discard(self) -> None:
        """Remove the files."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


async def read_message(request: Request, home: Path, limit_mib: int) -> Incoming:
    """Read one message. Raises BadInput: bad-request, empty-message, message-too-long,
    bad-characters, too-many-files, too-large, empty-file."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return _from_json(await request.body())
    async with request.form(
        max_files=MAX_FILES + 1, max_fields=10 + MAX_FILES, max_part_size=4 * MAX_CHARACTERS * 4
    ) as form:
        return await _from_form(form, home, limit_mib)


def _from_json(body: bytes) -> Incoming:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadInput("bad-request") from error
    if not isinstance(value, dict) or not set(value) <= {"text", "conversation", "kept"}:
        raise BadInput("bad-request")
    text = clean_text(value.get("text"))
    if not text:
        raise BadInput("empty-message")
    kept = _kept(value.get("kept", []))
    return Incoming(text, _conversation(value.get("conversation")), kept=kept)


async def _from_form(form: FormData, home: Path, limit_mib: int) -> Incoming:
    text = clean_text(form.get("text", ""))
    given = [part for part in form.getlist("files") if isinstance(part, UploadFile)]
    if not text and not given:
        raise BadInput("empty-message")
    if len(given) > MAX_FILES:
        raise BadInput("too-many-files", most=MAX_FILES)
    conversation, kept = _conversation(form.get("conversation")), _kept(form.getlist("kept"))
    if not given:
        return Incoming(text, conversation, kept=kept)
    folder = Path(await run_in_threadpool(_folder, home))
    incoming = Incoming(text, conversation, {}, folder, kept)
    try:
        for part in given:
            name = unused(safe_name(part.filename or ""), incoming.files)
            # numbered on disk: a name from outside never becomes a path
            path = folder / str(len(incoming.files))
            await _keep(part, path, name, limit_mib)
            incoming.files[name] = path
    except BaseException:
        # also when the page was closed in the middle of the upload
        incoming.discard()
        raise
    return incoming


async def _keep(part: UploadFile, path: Path, name: str, limit_mib: int) -> None:
    size = 0
    with path.open("xb") as out:
        while piece := await part.read(PIECE):
            size += len(piece)
            if size > limit_mib * 1024 * 1024:
                raise BadInput("too-large", limit=limit_mib)
            await run_in_threadpool(out.write, piece)
    if size == 0:
        raise BadInput("empty-file", file=name)


def _folder(home: Path) -> str:
    incoming = home / "incoming"
    incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
    return tempfile.mkdtemp(dir=incoming)


def clear_uploads(home: Path) -> None:
    """Remove what a killed server left behind. Call at start, before serving."""
    shutil.rmtree(home / "incoming", ignore_errors=True)


def clean_text(value: object) -> str:
    """The text without control characters and outer white space.

    Raises BadInput("bad-request") for anything but a string, ("bad-characters") for lone
    surrogates, which no encoding carries, and ("message-too-long").
    """
    if not isinstance(value, str):
        raise BadInput("bad-request")
    if len(value) > MAX_CHARACTERS:
        raise BadInput("message-too-long", most=MAX_CHARACTERS, n=len(value))
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise BadInput("bad-characters") from error
    kept = [c for c in value if c in "\n\t" or unicodedata.category(c) != "Cc"]
    return "".join(kept).strip()


def unused(name: str, taken: dict[str, Path]) -> str:
    """`name`, or `name (2)` and so on when it is taken."""
    stem, dot, suffix = name.rpartition(".")
    stem, ending = (stem, dot + suffix) if dot else (name, "")
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        candidate = f"{stem} ({number}){ending}"
    return candidate


def _kept(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MAX_FILES:
        raise BadInput("bad-request")
    return tuple(safe_name(clean_text(name)) for name in value)


def _conversation(value: object) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > 64 or not value.replace("_", "").isalnum():
        raise BadInput("conversation-not-found")
    return value
