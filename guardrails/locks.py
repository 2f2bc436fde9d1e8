"""Files that a process holds locked: the kernel frees them however it ends, kill -9 included."""

import fcntl
import os
from pathlib import Path


def locked(file: Path) -> bool:
    """True while somebody holds the file's lock (`flock`). Raises OSError when it cannot be read.

    This process counts when it holds the file by another handle.
    """
    handle = os.open(file, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
