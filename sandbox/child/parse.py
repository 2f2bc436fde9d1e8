"""Read one uploaded document where a hostile one can do no harm; send its passages in batches."""

from collections.abc import Iterator
from pathlib import Path

from agents.knowledge.parse import Part, parse_file
from sandbox.child.channel import Channel
from sandbox.wire import Frame

BATCH_CHARACTERS = 100_000


def run(channel: Channel, frame: Frame) -> None:
    """Answer a parse job with `passages` frames, then `done`; or `failed` with the error's kind."""
    try:
        passages = parse_file(Path(str(frame["data"]), str(frame["name"])))
    except MemoryError:
        channel.send({"t": "done", "status": "memory", "kind": "MemoryError"})
        return
    except Exception as error:  # any parser's failure is this one document's failure
        code = getattr(error, "code", "")
        kind = code if isinstance(code, str) and code else type(error).__name__
        channel.send({"t": "done", "status": "error", "kind": kind})
        return
    batch: list[object] = []
    size = 0
    for passage in (piece for whole in passages for piece in _pieces(whole)):
        batch.append(passage)
        size += len(str(passage.get("text", "")))
        if size > BATCH_CHARACTERS:
            channel.send({"t": "passages", "items": batch})
            batch, size = [], 0
    channel.send({"t": "passages", "items": batch})
    channel.send({"t": "done", "status": "ok"})


def _pieces(whole: Part) -> Iterator[Part]:
    """A part that is longer than a frame may be, cut at the ends of lines where it has any."""
    text = whole["text"]
    while len(text) > BATCH_CHARACTERS:
        at = text.rfind("\n", BATCH_CHARACTERS // 2, BATCH_CHARACTERS)
        at = at if at > 0 else BATCH_CHARACTERS
        yield {**whole, "text": text[:at]}
        text = text[at:].removeprefix("\n")
    yield {**whole, "text": text}
