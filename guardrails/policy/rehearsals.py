"""Rehearsals that run beside the server, with progress; the result is kept with its version."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from guardrails.audit.ledger import Act, Ledger
from guardrails.audit.search import Traces
from guardrails.audit.trace_rows import TraceFilter
from guardrails.errors import BadInput, GuardrailError
from guardrails.policy.engine import Engine
from guardrails.policy.lifecycle import Lifecycle
from guardrails.policy.rehearse import MOST, rehearse, what_ifs

log = logging.getLogger(__name__)

LONGEST_DAYS = 366


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a rehearsal has come. `total` is 0 while it is being counted."""

    state: Literal["running", "done", "failed"]
    looked_at: int = 0
    total: int = 0
    code: str = ""


class Rehearsals:
    """One rehearsal per version at a time. People: pseudonyms."""

    def __init__(
        self,
        rules: Lifecycle,
        policy: Engine,
        traces: Traces,
        ledger: Ledger,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._rules = rules
        self._policy = policy
        self._traces = traces
        self._ledger = ledger
        self._clock = clock
        self._progress: dict[int, Progress] = {}
        self._lock = threading.Lock()

    def start(self, number: int, *, by: str, days: int = 30) -> Progress:
        """Begin in a thread of its own; a rehearsal that runs already goes on.

        Raises BadInput: `bad-policy` when the draft does not parse, `bad-field`.
        """
        if not 1 <= days <= LONGEST_DAYS:
            raise BadInput("bad-field", field="days")
        version = self._rules.get(number)
        self._rules.check(version.text)
        with self._lock:
            running = self._progress.get(number)
            if running is not None and running.state == "running":
                return running
            self._ledger.record(Act("policy.rehearse", by, payload={"policy": version.hash}))
            self._progress[number] = Progress("running")
        thread = threading.Thread(
            target=self._run, args=(number, by, days), name="rehearsal", daemon=True
        )
        thread.start()
        return self._progress[number]

    def progress(self, number: int) -> Progress | None:
        """How far the rehearsal of a version is; None when none was begun by this server."""
        return self._progress.get(number)

    def _run(self, number: int, by: str, days: int) -> None:
        try:
            self._rehearse(number, by, days)
        except GuardrailError as error:
            self._progress[number] = Progress("failed", code=error.code)
        except Exception as error:
            # a thread has nobody to raise to: the page says that it failed, the log says of what
            # kind; the error's text may hold a person's words
            log.error("rehearsal failed", extra={"type": type(error).__name__})
            self._progress[number] = Progress("failed", code="internal")

    def _rehearse(self, number: int, by: str, days: int) -> None:
        version = self._rules.get(number)
        proposed = self._rules.check(version.text)
        since = datetime.fromtimestamp(self._clock(), UTC) - timedelta(days=days)
        wanted = TraceFilter(since=since, purpose="chat")  # test runs are nobody's work
        total = min(MOST, sum(self._traces.counts(wanted).values()))
        self._progress[number] = Progress("running", 0, total)

        def seen(count: int) -> None:
            self._progress[number] = Progress("running", count, total)

        found = rehearse(self._traces, self._policy, proposed, filter=wanted, seen=seen)
        cells = what_ifs(self._policy.policies, proposed)
        result = {
            "hash": proposed.hash,
            "against": self._policy.policies.hash,
            "at": self._clock(),
            "by": by,
            "days": days,
            **{name: getattr(found, name) for name in ("looked_at", "blocked", "asked", "allowed")},
            "people": found.people,
            "agents": list(found.agents),
            "rules": dict(found.rules),
            "changes": [asdict(change) for change in found.changes],
            "what_ifs": [asdict(cell) for cell in cells],
        }
        self._rules.rehearsed(number, result)
        self._progress[number] = Progress("done", found.looked_at, total)
