"""The process that holds an embedded model: llama-server over loopback, nothing else.

Run as a plain script by `model_server.py`; imports none of ours, so that it starts light. Its
settings come as one JSON line on standard input (a key in the arguments or the environment could
be read by others), its address goes as one JSON line to standard output. It ends with its parent:
the kernel's parent-death signal, and the end of standard input where that signal does not exist.
"""

import ctypes
import json
import os
import resource
import signal
import sys
import threading

PR_SET_PDEATHSIG, PR_SET_DUMPABLE = 1, 4  # <linux/prctl.h>


def main() -> None:
    """Serve until the parent is gone."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        libc.prctl(PR_SET_DUMPABLE, 0)  # prompts live in this memory: no reading by other processes
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    settings = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()

    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = settings["path"]
    params.api_keys = [settings["key"]]
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_ctx = settings["context"]
    params.n_parallel = settings["parallel"]
    params.kv_unified = True  # conversations share the context instead of halving it
    # measured: on busy cores a second generation thread costs nine tenths of the speed
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = 2
    params.cache_ram_mib = 256
    params.fit_params = False
    params.ui = False
    params.endpoint_slots = False  # it would show prompts
    params.verbosity = -1  # its log quotes prompts
    server = xllamacpp.Server(params)
    print(json.dumps({"base": server.listening_address + "/v1"}), flush=True)
    threading.Event().wait()


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)  # llama's threads do not listen


if __name__ == "__main__":
    main()
