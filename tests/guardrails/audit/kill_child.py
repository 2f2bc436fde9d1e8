"""A process that works under load until it is killed: intent, act, outcome, over and over.

An act is one line in a file, written only after its intent was accepted: what stands in the file
must stand in the ledger. Run: python -m tests.guardrails.audit.kill_child STORE CHECKPOINTS ACTS
"""

import os
import sys
import threading
from pathlib import Path

from guardrails.audit.ledger import Act, Ledger
from guardrails.keys import Keys
from guardrails.store import open_engine
from tests.guardrails.audit.stores import KEY


def main(store: str, checkpoints: str, acts: str) -> None:
    ledger = Ledger(open_engine(store), Keys(KEY), checkpoint_file=Path(checkpoints))
    ledger.recover()
    file = os.open(acts, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def work(number: int) -> None:
        while True:
            intent = ledger.intent(Act("act", f"u{number}", payload={"n": number, "x": "y" * 200}))
            os.write(file, f"{intent}\n".encode())
            ledger.outcome(intent, "allow", {"done": True})

    for number in range(8):
        threading.Thread(target=work, args=(number,), daemon=True).start()
    print("working", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
