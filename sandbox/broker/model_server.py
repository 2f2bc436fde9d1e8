"""Start and stop one embedded model in a process of its own. Knows files, not which to choose."""

import asyncio
import contextlib
import json
import os
import secrets
import sys
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from sandbox.broker.errors import ModelError

_SCRIPT = Path(__file__).with_name("model_process.py")
_GIB = 1024**3
START_SECONDS = 180.0  # 1.1 GB from a slow disk on busy cores


def context_size() -> int:
    """Tokens of context to reserve: 16 k where memory is ample (28 kB a token), else 8 k."""
    return 16_384 if psutil.virtual_memory().available > 6 * _GIB else 8_192


@dataclass
class ModelServer:
    """A running llama-server on loopback. `key` is random, per start, and never shown."""

    base: str
    key: str = field(repr=False)
    _process: asyncio.subprocess.Process = field(repr=False)

    @property
    def pid(self) -> int:
        """The process that holds the model."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """False when the process has ended, whoever ended it."""
        return self._process.returncode is None

    async def wait(self) -> None:
        """Return when the process has ended."""
        await self._process.wait()

    async def stop(self) -> None:
        """End the process now. Safe to call twice."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        await self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()


async def start_server(path: Path, *, context: int | None = None, parallel: int = 2) -> ModelServer:
    """Load the model at `path` and serve it. Raises ModelError("model-unavailable")."""
    key = secrets.token_urlsafe(32)
    # the parent's environment holds provider keys: only what the loader may need is handed on
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "PATH") if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        str(_SCRIPT),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**kept, "OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0"},
        start_new_session=True,  # Ctrl-C at the terminal is the product's to handle
    )
    server = ModelServer("", key, process)
    settings = {
        "path": str(path),
        "key": key,
        "context": context or context_size(),
        "parallel": parallel,
    }
    try:
        if process.stdin is None or process.stdout is None:
            raise ModelError("model-unavailable", provider="local")
        process.stdin.write(json.dumps(settings).encode() + b"\n")
        await process.stdin.drain()
        line = await asyncio.wait_for(process.stdout.readline(), START_SECONDS)
        server.base = json.loads(line)["base"]
    except (OSError, ValueError, TimeoutError):
        await server.stop()
        raise ModelError("model-unavailable", provider="local") from None
    except BaseException:
        await server.stop()
        raise
    return server
