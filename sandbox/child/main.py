"""First code of a process that seals itself (second rung, and none): seal, load, serve, end.

The first rung's processes begin in `sandbox.child.template`. Everything up to the filter uses
rights that are gone afterwards, and nothing that is not ours is read before that: the boot frame
comes from the host, the runtime's modules are read-only. The job arrives last.
"""

import binascii
import os
import signal
import sys

from sandbox.child import seal
from sandbox.child.channel import Channel, Closed
from sandbox.child.serve import preload, serve
from sandbox.wire import Frame


def main(descriptor: int) -> None:
    """Serve one job over the inherited socket and end. Never returns normally."""
    channel = Channel(descriptor)
    code = 1
    try:
        boot = channel.receive()
        pages = _seal(boot)
        runtime = str(boot["runtime"])
        preload(runtime)
        seal.quiet()
        serve(channel, runtime, pages, str(boot["work"]), str(boot["data"]))
        code = 0
    except Closed:
        code = 0
    except BaseException as error:
        # the host reads this until we are ready; later it goes nowhere
        sys.excepthook(type(error), error, error.__traceback__)
        channel.send({"t": "broken", "kind": type(error).__name__})
    finally:
        # no interpreter shutdown: hooks and threads of the job have no say in when this ends
        os._exit(code)


def _seal(boot: Frame) -> int:
    """Close what the backend left open for us. Returns a descriptor of our own page counts."""
    libc = seal.library()
    pages = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
    if boot["backend"] == "none":  # developers only; every trace is marked
        seal.must(libc.prctl(seal.PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "pdeathsig")
        return pages
    from sandbox.child.rung_two import restrict

    restrict(libc, boot)
    # without a user namespace the kernel counts the user's other processes and threads too
    seal.bound(seal.THREADS + int(str(boot.get("threads", 0))))
    seal.load_filter(libc, binascii.a2b_base64(str(boot["filter"])))
    return pages
