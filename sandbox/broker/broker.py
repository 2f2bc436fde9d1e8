"""The door: parse, decide, screen, record, and only then act. One instance serves every run."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from guardrails.audit.ledger import Ledger
from guardrails.budgets import Budgets
from guardrails.errors import GuardrailError
from guardrails.policy.approvals import Approvals
from guardrails.policy.engine import Engine
from guardrails.policy.exceptions import Exceptions
from guardrails.screen import Screen
from sandbox.broker.frames import (
    Failed,
    Final,
    FrameRefused,
    ModelCall,
    Paused,
    ToolAsk,
    parse_frame,
)
from sandbox.broker.model_call import call_model
from sandbox.broker.models import Models
from sandbox.broker.run import Run
from sandbox.broker.standing import Standing
from sandbox.broker.tool_call import call_tool
from sandbox.broker.waiting import ANSWERS
from sandbox.uploads import Uploads


class Sealed(Protocol):
    """The host's end of one sealed process; see sandbox.pool.Sealed."""

    async def send(self, frame: dict[str, Any]) -> None: ...
    async def receive(self, timeout: float | None = None) -> dict[str, Any] | None: ...


class RunFailed(GuardrailError):
    """The sealed process ended or gave up before it answered."""

    code = "run-failed"


class Broker:
    """Everything a sealed process may ask for, and nothing else."""

    def __init__(
        self,
        models: Models,
        policy: Engine,
        ledger: Ledger,
        screen: Screen,
        uploads: Uploads,
        budgets: Budgets,
        approvals: Approvals,
        exceptions: Exceptions,
        standing: Standing,
    ) -> None:
        self.models = models
        self.policy = policy
        self.ledger = ledger
        self.screen = screen
        self.uploads = uploads
        self.budgets = budgets
        self.approvals = approvals
        self.exceptions = exceptions
        self.standing = standing

    async def serve(self, sealed: Sealed, run: Run) -> str | None:
        """Answer frames until the run says its final text (masked), or None: it waits for a person.

        Raises GuardrailError.

        A refusal goes back to the child as `refused`, so that the agent may try another way; a
        frame that is no frame, or silence past the wall-clock limit, ends the run.
        """
        while True:
            raw = await sealed.receive()
            if raw is None:
                raise RunFailed("run-ended")
            frame = parse_frame(raw)
            if isinstance(frame, Final):
                return frame.text
            if isinstance(frame, Paused):
                if not (run.waiting and run.said):
                    raise FrameRefused(field="t", why="nothing-waits")
                return None
            if isinstance(frame, Failed):
                raise RunFailed("run-gave-up", kind=_kind(frame.kind))
            handler = HANDLERS.get(type(frame))
            if handler is None:
                raise FrameRefused(field="t", why="no-handler")
            await self.standing.check(run)
            try:
                answer = await handler(self, run, frame)
            except GuardrailError as error:
                if not getattr(error, "refusal", False):
                    raise
                rule = str(error.data.get("rule", error.code))
                answer = {"t": "refused", "rule": rule, "message": ANSWERS.get(rule, error.code)}
            await sealed.send({**answer, "id": frame.id})


Handler = Callable[[Broker, Run, Any], Awaitable[dict[str, Any]]]
HANDLERS: Mapping[type, Handler] = {ModelCall: call_model, ToolAsk: call_tool}


def _kind(said: str) -> str:
    # the child is hostile: its word reaches a page and a log, so only a plain name passes
    return (
        said if said.replace("-", "").replace("_", "").isalnum() and len(said) < 60 else "unknown"
    )
