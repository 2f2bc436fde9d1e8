"""Read one uploaded document where a hostile one can do no harm; send its passages in batches."""

from pathlib import Path

from agents.knowledge.parse import parse_file
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
    for passage in passages:
        batch.append(passage)
        size += len(str(passage.get("text", "")))
        if size > BATCH_CHARACTERS:
            channel.send({"t": "passages", "items": batch})
            batch, size = [], 0
    channel.send({"t": "passages", "items": batch})
    channel.send({"t": "done", "status": "ok"})
