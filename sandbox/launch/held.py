"""Descriptors that a launch opens and must not lose."""

import os
import select
from contextlib import suppress
from pathlib import Path


class Held:
    """Open descriptors, each closed exactly once: a second close could hit another thread's."""

    def __init__(self) -> None:
        self._open: set[int] = set()

    def pipe(self) -> tuple[int, int]:
        """The read end and the write end of a new pipe."""
        ends = os.pipe2(os.O_CLOEXEC)
        self._open.update(ends)
        return ends

    def file(self, data: bytes) -> int:
        """A file without a name that holds `data`, at its start."""
        descriptor = os.memfd_create("sealed")
        self._open.add(descriptor)
        os.write(descriptor, data)
        os.lseek(descriptor, 0, os.SEEK_SET)
        return descriptor

    def folder(self, path: Path) -> int:
        """A directory to pass on by descriptor, whatever stands above it. Raises OSError."""
        descriptor = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._open.add(descriptor)
        return descriptor

    def keep(self, descriptor: int) -> None:
        """The caller closes this one."""
        self._open.discard(descriptor)

    def close(self, *descriptors: int) -> None:
        """Close these now."""
        for descriptor in descriptors:
            self._open.remove(descriptor)
            os.close(descriptor)

    def close_all(self) -> None:
        """Close what is still held."""
        self.close(*tuple(self._open))


def readable(*descriptors: int, timeout: float = 0.0) -> list[int]:
    """Those that can be read, or have ended, within `timeout` seconds.

    Not `select.select`: it refuses descriptors from 1,024 on, which a busy server has.
    """
    asked = select.poll()
    for descriptor in descriptors:
        asked.register(descriptor, select.POLLIN)
    return [descriptor for descriptor, _ in asked.poll(timeout * 1000)]


def said(errors: int) -> str:
    """What a process that did not start wrote to its standard error, capped."""
    with suppress(OSError):
        return os.read(errors, 2000).decode("utf-8", "replace").strip()
    return ""
