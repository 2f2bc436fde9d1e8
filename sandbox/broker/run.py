"""One turn as the broker sees it: whose it is, what it may use, what it has done so far."""

import time
import uuid
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from agents.catalog import REQUEST_PREFIX
from agents.spec import AgentSpec
from agents.tools.base import Cited, ToolContext
from guardrails.actor import Actor
from guardrails.audit.conventions import SpanKind
from guardrails.audit.ledger import Act
from guardrails.audit.spans import Spans
from guardrails.errors import GuardrailError
from guardrails.findings import Finding
from guardrails.policy.approvals import Approval
from guardrails.vault import Vault
from sandbox import events
from sandbox.broker.model_events import ToolCall
from sandbox.events import Artefact, Event, Notice, NoticeKind, Step, StepEvent
from sandbox.interrupted import Begun
from sandbox.limits import Limits

StepKind = Literal["guardrail", "retrieval", "model", "tool"]
StepVerdict = Literal["allowed", "masked", "blocked", "flagged"]
Purpose = Literal["chat", "evaluation", "try-out"]
SPAN_KINDS: dict[StepKind, SpanKind] = {
    "guardrail": "GUARDRAIL",
    "retrieval": "RETRIEVER",
    "model": "LLM",
    "tool": "TOOL",
}
SEVERITY: tuple[StepVerdict, ...] = ("allowed", "masked", "flagged", "blocked")


def use_of(agent: str, purpose: Purpose) -> Purpose:
    """What a turn is for: a version under review is tried out, whatever entrance it came by."""
    return "try-out" if purpose == "chat" and agent.startswith(REQUEST_PREFIX) else purpose


class LimitReached(GuardrailError):
    """A run used up what one turn may use. `data`: most, and the unit in the code."""

    code = "limit"


@dataclass
class OpenStep:
    """A step under way; its span has the same attributes as its detail."""

    verdict: StepVerdict = "allowed"
    rule: str = ""
    detail: dict[str, str] = field(default_factory=dict)
    words: dict[str, object] = field(default_factory=dict)  # see audit.conventions.NAMES


@dataclass(frozen=True)
class Done:
    """A tool call of this step that has its result. `arguments` are masked."""

    name: str
    arguments: dict[str, Any]
    content: str


@dataclass
class Run:
    """Mutable on purpose: it is the one place where a turn's state lives, and it dies with it."""

    actor: Actor
    agent: AgentSpec
    version: str
    conversation: str
    language: str
    vault: Vault
    limits: Limits
    spans: Spans
    trace_id: str
    tools: ToolContext
    emit: Callable[[Event], None]
    person: str = ""  # the actor's pseudonym: what budgets, approvals and exceptions go by
    marked: bool = False  # a rule wants what is made to say that it is made with AI
    short: bool = False  # a rule wants it kept for a shorter time
    lifted: frozenset[str] = frozenset()  # rules that security has lifted for this person, now
    started: float = field(default_factory=time.monotonic)
    steps: list[Step] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    sources: list[Cited] = field(default_factory=list)
    artefacts: list[Artefact] = field(default_factory=list)
    called: list[str] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)
    model_calls: int = 0
    tool_calls: int = 0
    tokens: int = 0
    cost: float = 0.0
    model: str = ""
    model_kind: str = ""
    location: str = ""  # where the model runs
    verdict: StepVerdict = "allowed"
    rule: str = ""
    canary: str = ""  # stands in the instructions; an answer that holds it has leaked them
    masked: str = ""  # the person's message as the model may see it
    partial: str = ""  # masked text of the answer so far, kept when the turn is stopped
    turn: str = field(default_factory=lambda: uuid.uuid4().hex)  # stays over pauses; trace_id not
    root: str = ""  # the conversation whose names, files and documents this one uses
    earlier: list[dict[str, Any]] = field(default_factory=list)  # answers that this one replaces
    purpose: str = ""  # of a model call beside the answer, e.g. "summary": the person sees a step
    use: Purpose = "chat"  # what the turn is for: only work with an agent counts as its use
    replaces: int = 0  # number of the message that the reply takes the place of; 0: a new one
    remember: Callable[[], Awaitable[None]] | None = None  # keep what a resumed turn has done
    told: list[dict[str, Any]] = field(default_factory=list)  # last model call, screened
    said: dict[str, Any] = field(default_factory=dict)  # what it answered
    results: list[Done] = field(default_factory=list)  # tools of this step that are done
    again: list[Done] = field(default_factory=list)  # of the same step, before the pause
    approvals: list[Approval] = field(default_factory=list)  # asked for in this turn
    begun: list[Begun] = field(default_factory=list)  # before the pause; nobody knows if done
    waiting: list[Approval] = field(default_factory=list)  # not decided yet
    asked: list[events.Approval] = field(default_factory=list)  # the same, for the viewer

    def act(self, kind: str, rule: str = "", verdict: str = "allow", **payload: object) -> Act:
        """An act of this run for the ledger; `payload` is masked."""
        return Act(
            kind=kind,
            actor=self.actor.id,
            agent=self.agent.id,
            version=self.version,
            conversation=self.conversation,
            trace_id=self.trace_id,
            verdict=verdict,
            rule=rule,
            payload=payload,
        )

    def judge(self, verdict: StepVerdict, rule: str = "") -> None:
        """Raise the turn's verdict; the worst one stays."""
        if SEVERITY.index(verdict) > SEVERITY.index(self.verdict):
            self.verdict, self.rule = verdict, rule

    def came_to(self, told: list[dict[str, Any]], text: str, calls: Sequence[ToolCall]) -> None:
        """A model call was answered: from here the turn can be taken up again."""
        self.told = told
        self.said = {
            "role": "assistant",
            "content": text,
            "tool_calls": [
                {"id": call.id, "name": call.name, "arguments": call.arguments} for call in calls
            ],
        }
        self.results = []

    def owe(self, obligations: Collection[str]) -> None:
        """Remember the duties of a decision that are carried out later."""
        if "watermark" in obligations and not self.marked:
            self.marked = True
            key = f"notice.ai-made-{self.agent.data_class}"
            self.notice("info", key)
        self.short = self.short or "short-retention" in obligations

    def saw(self, findings: tuple[Finding, ...]) -> None:
        """Remember which kinds were found."""
        self.kinds.update(finding.kind for finding in findings)

    def notice(self, kind: NoticeKind, key: str, **data: object) -> None:
        """Tell the person, once."""
        told = Notice(kind, key, data)
        if told not in self.notices:
            self.notices.append(told)
            self.emit(told)

    def count(self, what: Literal["model_calls", "tool_calls"]) -> None:
        """Use one up. Raises LimitReached("limit-model-calls" or "limit-tool-calls")."""
        used = getattr(self, what) + 1
        setattr(self, what, used)
        most = getattr(self.limits, what)
        if used > most:
            code = "limit-" + what.replace("_", "-")
            self.notice("limit", f"notice.{code}", n=most)
            raise LimitReached(code, most=most)

    @contextmanager
    def step(self, kind: StepKind, name: str, span: str) -> Iterator[OpenStep]:
        """One row of "How this answer was made", and one span of the same length."""
        opened = OpenStep()
        began = time.monotonic()
        start_ms = (began - self.started) * 1000
        self.emit(StepEvent(Step(kind, name, start_ms, 0.0, "allowed")))
        with self.spans.span(SPAN_KINDS[kind], span, {}) as recording:
            try:
                yield opened
            finally:
                done = Step(
                    kind,
                    name,
                    round(start_ms, 1),
                    round((time.monotonic() - began) * 1000, 1),
                    opened.verdict,
                    opened.rule,
                    dict(opened.detail),
                )
                detail = {f"app.detail.{key}": text for key, text in opened.detail.items()}
                words = {**opened.words, **detail}
                recording.set(**words, verdict=opened.verdict, rule=opened.rule)
                self.steps.append(done)
                self.judge(opened.verdict, opened.rule)
                self.emit(StepEvent(done))

    def elapsed_ms(self) -> float:
        """Milliseconds since the turn began."""
        return round((time.monotonic() - self.started) * 1000, 1)

    def cite(self, sources: tuple[Cited, ...]) -> None:
        """Keep what was cited; the next number follows."""
        self.sources.extend(sources)
        self.tools = replace(self.tools, first_source=self.tools.first_source + len(sources))
