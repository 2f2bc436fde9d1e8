"""npm's oidc-provider in a process of its own, and an app of ours that answers on loopback."""

import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import uvicorn
from starlette.types import ASGIApp

from tests.installed import node_package, program


@contextmanager
def provider(script: str, **told: str) -> Iterator[dict[str, Any]]:
    """Run one of the scripts beside this file, `told` in its environment; yields what it says."""
    place = {"OIDC_PROVIDER": str(node_package("oidc-provider")), "NO_COLOR": "1"}
    with subprocess.Popen(
        [program("node"), "--no-warnings", str(Path(__file__).with_name(script))],
        env={"PATH": os.environ["PATH"], **place, **told},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        try:
            said: dict[str, Any] = json.loads(process.stdout.readline())
            yield said
        finally:
            process.kill()


@contextmanager
def answering(app: ASGIApp, lifespan: Literal["on", "off"] = "off") -> Iterator[str]:
    """Serve an app from a thread; yields its origin."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", lifespan=lifespan)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
