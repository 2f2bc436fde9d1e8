"""Load a runtime, then serve one job over the socket. Order: limits first, the job last."""

import gc
import os
import sys
from collections.abc import Callable
from importlib import import_module

from sandbox.child import seal
from sandbox.child.channel import Channel
from sandbox.wire import Frame

# Optional to who imports them, and of no use without a terminal or a network: 8 MB a process.
UNUSED = ("click", "rich", "pygments", "opentelemetry", "psutil")
RUNTIMES: dict[str, tuple[str, ...]] = {
    "bare": ("sandbox.child.python",),
    "agent": ("langchain.agents", "langgraph.graph", "sandbox.child.turn"),
    "data": (
        "pandas",
        "openpyxl",
        "matplotlib.pyplot",
        "pypdf",
        "docx",
        "sandbox.child.python",
        "agents.knowledge.parse",
    ),
}


def preload(runtime: str) -> None:
    """Import what the runtime's jobs need, and give back the memory that importing it took."""
    for name in UNUSED:
        sys.modules[name] = None  # type: ignore[assignment]  # "not installed", to an import
    for name in RUNTIMES[runtime]:
        import_module(name)
    if runtime == "agent":
        import_module("sandbox.child.turn").rehearse()
    for name in UNUSED:
        del sys.modules[name]
    if runtime == "bare":
        return  # nothing to give back, and starting quickly is what it is for
    gc.collect()
    gc.freeze()
    if hasattr(libc := seal.library(), "malloc_trim"):
        libc.malloc_trim(0)


def serve(channel: Channel, runtime: str, pages: int, work: str, data: str) -> None:
    """Say `ready`, wait for one job and do it. Raises what the job raises, Closed."""
    channel.send({"t": "ready", "runtime": runtime})
    job = channel.receive()
    if job.get("t") == "take":
        limits = job["limits"]
        assert isinstance(limits, dict)  # noqa: S101  (our own host wrote it)
        seal.limit_run(limits, pages)
        os.close(pages)
        job = channel.receive()
    os.chdir(work)
    JOBS[str(job["t"])](channel, {**job, "data": data, "work": work})


def _turn(channel: Channel, frame: Frame) -> None:
    import_module("sandbox.child.turn").run(channel, frame)


def _python(channel: Channel, frame: Frame) -> None:
    import_module("sandbox.child.python").run(channel, frame)


def _parse(channel: Channel, frame: Frame) -> None:
    import_module("sandbox.child.parse").run(channel, frame)


JOBS: dict[str, Callable[[Channel, Frame], None]] = {
    "turn": _turn,
    "python": _python,
    "parse": _parse,
}
