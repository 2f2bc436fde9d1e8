"""Run code like a notebook cell: what it prints, its last expression, its figures, its files.

Knows nothing of the host. Everything it reports can be forged by the code it runs, so the host
believes none of it: it caps, sniffs and screens again.
"""

import ast
import binascii
import io
import os
import resource
import stat
import sys
import time
from contextlib import redirect_stderr, redirect_stdout

from sandbox.child.channel import Channel
from sandbox.child.figures import describe_saved, save_figures
from sandbox.wire import Frame

CELL = "<code>"
SEND_BYTES = 16 * 1024
SEND_S = 0.2
PART = 384 * 1024  # bytes of a file in one frame, before base64
MAX_ROWS = 60


def run(channel: Channel, frame: Frame) -> None:
    """Run `frame["code"]`; send `output` frames, then `file` frames, then one `done`."""
    limits = frame["limits"]
    assert isinstance(limits, dict)  # noqa: S101  (our own host wrote it)
    work = str(frame["work"])
    _show_inputs(str(frame["data"]), work)
    describe_saved()
    output = Output(channel, int(limits["output_bytes"]))
    status = "ok"
    try:
        with redirect_stdout(output), redirect_stderr(output):
            try:
                _run_cell(str(frame["code"]))
            except MemoryError:
                _breathe()
                status = "memory"
            except SystemExit as leaving:
                if leaving.code not in (None, 0):
                    status = "error"
                    print(leaving.code)
            except BaseException as error:  # whatever the code raises is its own result
                status = "error"
                output.write(_explain(error, str(frame["code"])))
            if status != "memory":
                save_figures(work)
        output.close()
        files = _send_files(channel, work, int(limits["files"]), int(limits["file_bytes"]))
    except MemoryError:
        _breathe()
        status, files = "memory", 0
    channel.send({"t": "done", "status": status, "files": files})


class Output(io.TextIOBase):
    """Standard output of the cell: sent while it runs, up to a cap, then dropped with a mark."""

    def __init__(self, channel: Channel, cap: int) -> None:
        self._channel = channel
        self._left = cap
        self._parts: list[str] = []
        self._size = 0
        self._sent = time.monotonic()

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, text: str) -> int:
        """Keep `text`, and send what has gathered when it is much or old."""
        if self._left > 0:
            data = text.encode("utf-8", "replace")[: self._left]
            self._left -= len(data)
            self._parts.append(data.decode("utf-8", "ignore"))
            self._size += len(data)
            if self._left <= 0:
                self._parts.append("\n…")
            if self._size > SEND_BYTES or time.monotonic() - self._sent > SEND_S:
                self.flush()
        return len(text)

    def flush(self) -> None:
        """Send what has gathered."""
        if self._parts:
            text = "".join(self._parts)
            self._parts, self._size, self._sent = [], 0, time.monotonic()
            self._channel.send({"t": "output", "text": text})

    def close(self) -> None:
        """Send the rest. The stream stays usable: threads of the cell may still hold it."""
        self.flush()


def _run_cell(code: str) -> None:
    tree = ast.parse(code, CELL)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    names: dict[str, object] = {"__name__": "__main__", "__builtins__": __builtins__}
    exec(compile(tree, CELL, "exec"), names)  # noqa: S102  (that is the job; the seal holds it)
    if isinstance(last, ast.Expr):
        value = eval(compile(ast.Expression(last.value), CELL, "eval"), names)  # noqa: S307
        if value is not None:
            print(_show(value))


def _show(value: object) -> str:
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(value, (pandas.DataFrame, pandas.Series)):
        return str(value.to_string(max_rows=MAX_ROWS))
    return repr(value)


def _explain(error: BaseException, code: str) -> str:
    """The traceback as a notebook shows it: from the cell's own first line."""
    import linecache  # both cost milliseconds that a run without an error need not pay
    import traceback

    linecache.cache[CELL] = (len(code), None, code.splitlines(True), CELL)
    where = error.__traceback__
    while where is not None and where.tb_frame.f_code.co_filename != CELL:
        where = where.tb_next
    return "".join(traceback.format_exception(type(error), error, where))


def _show_inputs(data: str, work: str) -> None:
    """Every uploaded file also by its bare name in the working directory."""
    for name in os.listdir(data):
        try:
            os.symlink(f"{data}/{name}", f"{work}/{name}")
        except OSError:
            continue  # still there under its full name


def _send_files(channel: Channel, work: str, count: int, size: int) -> int:
    """Send up to `count` regular files, oldest first. Returns how many were left behind."""
    found: list[tuple[float, str]] = []
    for entry in os.scandir(work):
        if entry.is_file(follow_symlinks=False):
            found.append((entry.stat(follow_symlinks=False).st_mtime, entry.name))
    left = max(0, len(found) - count)
    for _, name in sorted(found)[:count]:
        descriptor = os.open(f"{work}/{name}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode) or about.st_size > size:
                left += 1
                continue
            while True:
                part = file.read(PART)
                text = binascii.b2a_base64(part, newline=False).decode("ascii")
                more = len(part) == PART
                channel.send({"t": "file", "name": name, "data": text, "more": more})
                if not more:
                    break
    return left


def _breathe() -> None:
    """Room to report that memory ran out: the soft limit goes up to the hard one."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
