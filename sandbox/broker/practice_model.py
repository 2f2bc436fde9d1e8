"""Fetch an embedded model from the command line, with a progress bar.

    python -m sandbox.broker.practice_model              # the practice model, 1.1 GB
    python -m sandbox.broker.practice_model --fallback   # the small one, 93 MB, used by the tests

Interrupted, it goes on where it stopped when it is run again.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from sandbox.broker.errors import ModelError
from sandbox.broker.model_fetch import fetch
from sandbox.broker.model_pins import fetch_folder, folders, locate, pinned


def main(arguments: Sequence[str] | None = None) -> int:
    """Fetch with a progress bar. Exit code 0 when the verified file is there, else 1."""
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
        with Progress(*columns, TimeRemainingColumn()) as bar:
            task = bar.add_task(model.label, total=model.size)
            found = fetch(
                model,
                fetch_folder(where),
                lambda done, _: bar.update(task, completed=done, refresh=False),
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
