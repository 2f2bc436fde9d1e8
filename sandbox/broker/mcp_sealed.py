"""Tool servers over standard input and output, each in a seal of its own for one question.

No network, no environment, no files but its own folder and its interpreter's, no other process.
Python loads the strict filter itself before the script runs. Node cannot: bubblewrap loads one of
Node's own, which leaves threads, and execve because it is loaded before Node is started.
"""

import base64
import contextlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from agents.tools.base import NotDone
from guardrails.errors import BadInput
from sandbox.launch import base
from sandbox.launch.bubblewrap import LIBRARIES, READ_ONLY, find_bwrap
from sandbox.launch.filters import program

NODE = "/runtime/node"
NODE_ENDINGS = (".js", ".mjs", ".cjs")
MAX_MANIFEST = 1024 * 1024
# Debian keeps some of Node's own modules here
_NODE_FILES = ("/usr/share/nodejs",)
# memory in KiB, processor seconds, file size in blocks of 512 bytes, open files
_LIMITS = "ulimit -v {}; ulimit -t 60; ulimit -f 65536; ulimit -n 128; "
_PYTHON_LIMITS = _LIMITS.format(2 * 1024 * 1024)
# V8 reserves more than it uses: what it writes to is counted apart
_NODE_LIMITS = _LIMITS.format(4 * 1024 * 1024) + "ulimit -d 1048576; "
_START = 'exec env -i "$@" 9<"$0"'

_FOLDER = re.compile(r"[a-z][a-z0-9]{1,19}")
_PART = re.compile(r"@?[A-Za-z0-9_][A-Za-z0-9_.-]{0,60}")
MOST_PARTS = 12


def find_script(servers: Path, script: str) -> dict[str, str]:
    """The settings of `folder/server.py`, `folder/path/of.js` or `folder/@scope/package`, the last
    one as npm installed it in the folder. Raises BadInput("source-bad")."""
    folder, _, rest = script.partition("/")
    place = (servers / folder).resolve()
    parts = rest.split("/")
    good = _FOLDER.fullmatch(folder) and len(parts) <= MOST_PARTS
    if not good or not all(_PART.fullmatch(part) for part in parts):
        raise BadInput("source-bad", field="script")
    if not rest.endswith((".py", *NODE_ENDINGS)):
        rest = _program_of(place, rest)
    file = (place / rest).resolve()
    if not file.is_relative_to(place) or not file.is_file():
        raise BadInput("source-bad", field="script")
    if rest.endswith(".py") and len(parts) > 1:  # its folder is its import path
        raise BadInput("source-bad", field="script")
    return {"folder": str(place), "script": rest}


def _program_of(place: Path, package: str) -> str:
    """What npm would run for an installed package: the only entry of its `bin`."""
    inside = f"node_modules/{package}"
    manifest = place / inside / "package.json"
    try:
        if manifest.stat().st_size > MAX_MANIFEST:
            raise BadInput("source-bad", field="script")
        told = json.loads(manifest.read_text("utf-8"))
        programs = told["bin"]
        (found,) = programs.values() if isinstance(programs, dict) else (programs,)
        return f"{inside}/{os.path.normpath(found)}"
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput("source-bad", field="script") from error


@contextlib.asynccontextmanager
async def sealed(settings: Mapping[str, Any]) -> AsyncIterator[Any]:
    """The streams of a server started for this question. Raises NotDone."""
    from mcp.client.stdio import StdioServerParameters, stdio_client

    binary = find_bwrap()
    if binary is None:
        raise NotDone("tool servers on this machine need bubblewrap, which is not installed")
    folder, script = Path(str(settings["folder"])), str(settings["script"])
    if script.endswith(NODE_ENDINGS):
        limits, rules, told = _NODE_LIMITS, program("node"), _node(folder, script)
    else:
        limits, rules, told = _PYTHON_LIMITS, program("template"), _python(folder, script)
    with tempfile.TemporaryDirectory(prefix="atelier-mcp-") as held:
        filter_, quiet = Path(held, "filter"), Path(held, "errors")
        filter_.write_bytes(rules)
        command = [str(filter_), str(binary), *told]
        server = StdioServerParameters(command="/bin/sh", args=["-c", limits + _START, *command])
        with quiet.open("w") as errors:
            async with stdio_client(server, errlog=errors) as streams:
                yield streams


def _common(folder: Path) -> list[str]:
    """What bubblewrap is told for either: system libraries and the server's folder, read-only."""
    told = [
        *("--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"),
        *("--uid", "65534", "--gid", "65534", "--hostname", "sealed", "--seccomp", "9"),
        *("--proc", "/proc", "--dev", "/dev", "--size", "67108864", "--tmpfs", "/tmp"),  # noqa: S108
    ]
    for library in LIBRARIES:
        path = Path(library)
        if path.is_symlink():
            told += ["--symlink", str(path.readlink()), library]
        elif path.is_dir():
            told += ["--ro-bind", library, library]
    for path_name in READ_ONLY:
        told += ["--ro-bind-try", path_name, path_name]
    told += ["--ro-bind", str(folder), "/server", "--chdir", "/server"]
    return [*told, "--setenv", "HOME", "/tmp"]  # noqa: S108


def _python(folder: Path, script: str) -> list[str]:
    told = _common(folder)
    for bind in (*base.interpreter(), base.packages(), *base.sources()):
        told += ["--ro-bind", str(bind.source), bind.target]
    # the strict program needs Python to have started: from then on no socket, no other program
    strict = base64.b64encode(program("second")).decode("ascii")
    code = (
        f"import base64, ctypes, runpy, sys; sys.path[:0] = [{base.APP!r}, {base.PACKAGES!r}]; "
        "from sandbox.child.seal import load_filter; "
        f"load_filter(ctypes.CDLL(None, use_errno=True), base64.b64decode({strict!r})); "
        f"sys.path[0] = '/server'; runpy.run_path('/server/' + {script!r}, run_name='__main__')"
    )
    told += ["--setenv", "LD_LIBRARY_PATH", f"{base.PYTHON}/lib"]
    told += ["--", base.interpreter()[0].target]
    return [*told, "-I", "-S", "-B", "-X", "utf8", "-c", code]


def _node(folder: Path, script: str) -> list[str]:
    binary, options = node()
    told = _common(folder)
    for path_name in _NODE_FILES:
        told += ["--ro-bind-try", path_name, path_name]
    told += ["--ro-bind", str(binary), NODE, "--setenv", "NODE_ENV", "production"]
    return [*told, "--", NODE, "--max-old-space-size=512", *options, f"/server/{script}"]


@cache
def node() -> tuple[Path, tuple[str, ...]]:
    """Node's binary and the options that its version needs in the seal. Raises NotDone."""
    found = shutil.which("node") or shutil.which("nodejs")
    if found is None:
        raise NotDone("tool servers for Node need node, which is not installed on this machine")
    binary = Path(os.path.realpath(found))
    asked = subprocess.run(  # noqa: S603  (a fixed question to the machine's own Node)
        [binary, "--version"], capture_output=True, env={}, timeout=20, check=False
    )
    numbers = re.match(rb"v(\d+)\.(\d+)", asked.stdout)
    version = (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)
    # without it, every WebAssembly memory reserves more addresses than the limit
    knows = (20, 15) <= version < (21, 0) or version >= (22, 2)
    return binary, ("--disable-wasm-trap-handler",) if knows else ()
