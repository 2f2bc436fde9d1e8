"""The one entry for browser, command line and HTTP: one turn of one agent for one person."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path

from agents.conversations import Conversations
from agents.spec import AgentSpec
from agents.tools.base import ToolContext
from agents.tools.registry import described
from guardrails.actor import Actor
from guardrails.audit.ledger import Ledger
from guardrails.audit.spans import Spans
from guardrails.errors import (
    BadInput,
    GuardrailError,
    LedgerUnavailable,
    PolicyDenied,
    ScreenFailed,
)
from guardrails.findings import Screened
from guardrails.screen import Screen
from sandbox.attachments import Attachments
from sandbox.broker.broker import Broker, RunFailed
from sandbox.broker.frames import FrameRefused, ToolAsk
from sandbox.broker.recorded import recorded
from sandbox.broker.run import Run
from sandbox.broker.tool_call import call_tool
from sandbox.events import Event, Reply, Source
from sandbox.limits import Limits
from sandbox.pool import Pool
from sandbox.prompt import compose, instructions, offered
from sandbox.uploads import Kept, Uploads, safe_name
from sandbox.vaults import Vaults
from sandbox.wire import WireError

log = logging.getLogger(__name__)

HISTORY_CHARACTERS = 12_000  # about 3,000 tokens: leaves room in the practice model's window
HEAD_CHARACTERS = 500
DOCUMENT_CHARACTERS = 5_000  # a document this short is given whole
ROUNDS = 6
WARM_SECONDS = 120  # how long a first message waits for the language models


@dataclass
class Turn:
    """A turn under way: its task, and everyone who is listening."""

    task: "asyncio.Task[None]"
    queue: "asyncio.Queue[Event | None]"
    conversation: str


@dataclass
class Sessions:
    """Runs turns. A turn goes on when its listener leaves; only `stop` or a limit ends it early."""

    broker: Broker
    pool: Pool
    ledger: Ledger
    spans: Spans
    screen: Screen
    conversations: Conversations
    uploads: Uploads
    vaults: Vaults
    attachments: Attachments
    pseudonym: Callable[[str], str]
    limits: Limits = field(default_factory=lambda: Limits(wall_s=300.0, cpu_s=60.0))
    ready: asyncio.Event = field(default_factory=asyncio.Event)  # set when the screen is warm
    running: dict[str, Turn] = field(default_factory=dict)

    async def send(
        self,
        *,
        actor: Actor,
        agent: AgentSpec,
        text: str,
        conversation: str | None = None,
        files: Mapping[str, Path] | None = None,
        language: str = "en",
    ) -> AsyncGenerator[Event, None]:
        """One turn: notices, deltas and steps as they come, the Reply last. Texts are restored.

        `conversation` None starts a new one; its id is `Reply.conversation`. Raises BadInput
        ("empty-message", "turn-running", "conversation-not-found") before anything is recorded;
        everything after that ends in a Reply whose status says how.
        """
        text = clean(text)
        if not text and not files:
            raise BadInput("empty-message")
        if conversation is None:
            conversation = await asyncio.to_thread(
                self.conversations.start, agent.id, actor.id, agent.version
            )
        else:
            kept = await asyncio.to_thread(self.conversations.get, conversation, actor.id)
            if kept.agent != agent.id:
                raise BadInput("conversation-not-found")
        if conversation in self.running:
            raise BadInput("turn-running")
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        task = asyncio.create_task(
            self._turn(actor, agent, conversation, text, files or {}, language, queue)
        )
        self.running[conversation] = Turn(task, queue, conversation)
        task.add_done_callback(lambda _done: self._ended(conversation, queue))
        while (event := await queue.get()) is not None:
            yield event
        await task

    async def stop(self, conversation: str) -> bool:
        """End the turn under way; what was answered so far is kept. False when none runs.

        The caller has checked whose conversation it is.
        """
        turn = self.running.get(conversation)
        if turn is None:
            return False
        turn.task.cancel()
        return True

    async def close(self) -> None:
        """Stop every turn and wait until each is on record."""
        turns = list(self.running.values())
        for turn in turns:
            turn.task.cancel()
        await asyncio.gather(*(turn.task for turn in turns), return_exceptions=True)

    def restore(self, conversation: str, text: str) -> str:
        """Masked text of a conversation with real values, for its owner only."""
        return self.vaults.open(conversation).restore(text)

    def artefact(self, id: str, owner: str) -> Kept:
        """A file that an agent made for `owner`. Raises BadInput("file-not-found")."""
        return self.uploads.artefact(id, owner)

    def forget(self, conversation: str) -> None:
        """Remove the conversation's files, documents and vault: nothing restores it."""
        self.uploads.forget(conversation)
        self.attachments.forget(conversation)
        self.vaults.forget(conversation)

    def _ended(self, conversation: str, queue: "asyncio.Queue[Event | None]") -> None:
        self.running.pop(conversation, None)
        queue.put_nowait(None)

    async def _turn(
        self,
        actor: Actor,
        agent: AgentSpec,
        conversation: str,
        text: str,
        files: Mapping[str, Path],
        language: str,
        queue: "asyncio.Queue[Event | None]",
    ) -> None:
        person = self.pseudonym(actor.id)
        vault = await asyncio.to_thread(self.vaults.open, conversation, person)
        with self.spans.root(f"invoke_agent {agent.id}") as root:
            run = Run(
                actor=actor,
                agent=agent,
                version=agent.version,
                conversation=conversation,
                language=language,
                vault=vault,
                limits=self._limits(agent),
                spans=self.spans,
                trace_id=root.trace_id,
                tools=ToolContext(language),
                emit=queue.put_nowait,
            )
            root.set(**_opening_words(run, person))
            reply = await self._recorded_turn(run, text, files)
            root.set(**_closing_words(run, reply, self.pool.launcher.name))
        queue.put_nowait(reply)

    def _limits(self, agent: AgentSpec) -> Limits:
        return replace(
            self.limits,
            wall_s=min(self.limits.wall_s, agent.limits.wall_s),
            model_calls=min(self.limits.model_calls, agent.limits.model_calls),
            tool_calls=min(self.limits.tool_calls, agent.limits.tool_calls),
        )

    async def _recorded_turn(self, run: Run, text: str, files: Mapping[str, Path]) -> Reply:
        masked, status, answer, code = "", "failed", "", ""
        data: dict[str, object] = {}
        try:
            if not self.ready.is_set():
                run.notice("info", "notice.warming")
                await asyncio.wait_for(self.ready.wait(), WARM_SECONDS)
            async with recorded(self.ledger, run.act("turn", files=len(files))) as act:
                masked = (await self._input(run, text)).text
                run.tools = await self.attachments.context(
                    run.conversation, run.agent, run.vault, run.language
                )
                for name, content in files.items():
                    data_in = await asyncio.to_thread(content.read_bytes)
                    await self.attachments.take_in(run, safe_name(name), data_in)
                await asyncio.to_thread(
                    self.conversations.add,
                    run.conversation,
                    "user",
                    masked,
                    run.trace_id,
                    {"files": [safe_name(name) for name in files]},
                )
                async with asyncio.timeout(run.limits.wall_s):
                    answer = await self._answer(run, masked)
                status = "done"
                act.verdict = run.verdict
                act.payload |= {"request": masked, "reply": answer, "kinds": sorted(run.kinds)}
        except asyncio.CancelledError:
            status, code, answer = "stopped", "stopped", run.partial
        except TimeoutError:
            code, answer = "limit-time", run.partial
            data = {"seconds": round(run.limits.wall_s)}
            run.notice("limit", "notice.limit-time", n=round(run.limits.wall_s))
        except GuardrailError as error:
            code, data, answer = error.code, error.data, run.partial
            blocked = run.verdict == "blocked" or isinstance(error, BLOCKING)
            status = "blocked" if blocked else "failed"
            if blocked:
                run.judge("blocked", str(error.data.get("rule", error.code)))
        return await asyncio.shield(self._close(run, masked, answer, status, code, data))

    async def _input(self, run: Run, text: str) -> Screened:
        """Hop 3: raw text stops here."""
        with run.step("guardrail", "input-check", "guardrail input") as step:
            screened = await asyncio.to_thread(
                self.screen.text, text, run.vault, provenance="user", language=None
            )
            run.saw(screened.findings)
            step.rule = screened.verdict.rule
            kinds = sorted({finding.kind for finding in screened.findings})
            step.words["kinds"] = kinds
            step.detail["sent"] = screened.text[:4000]
            if screened.verdict.outcome == "deny":
                step.verdict = "blocked"
                run.notice("blocked", "notice.input-blocked", rule=screened.verdict.rule)
                raise PolicyDenied("input-blocked", rule=screened.verdict.rule)
            hidden = [f for f in screened.findings if f.kind != "INJECTION"]
            if any(finding.kind == "INJECTION" for finding in screened.findings):
                step.verdict = "flagged"
                run.notice("flagged", "notice.injection")
            elif hidden:
                step.verdict = "masked"
            if hidden:
                run.notice(
                    "masked", "notice.masked", n=len(hidden), kinds=sorted({f.kind for f in hidden})
                )
        return screened

    async def _answer(self, run: Run, masked: str) -> str:
        kept = await asyncio.to_thread(
            self.conversations.messages, run.conversation, run.actor.id, 40
        )
        messages = await compose(run, masked, kept, partial(self._look_up, run))
        tools = await offered(run)
        # the turn's own clock ends it first, so that the person is told the reason
        spare = replace(run.limits, wall_s=run.limits.wall_s + 10)
        sealed = await self.pool.take("agent", spare)
        try:
            await sealed.send(
                {
                    "t": "turn",
                    "instructions": instructions(run),
                    "messages": messages,
                    "tools": described(tools),
                    "rounds": ROUNDS,
                    "limits": run.limits.as_frame(),
                    "language": run.language,
                }
            )
            text = await self.broker.serve(sealed, run)
        except WireError as error:
            if error.reason == "gone":
                raise RunFailed("run-ended") from error
            raise FrameRefused(field="", why=error.reason) from error
        finally:
            await asyncio.shield(sealed.kill())
        return await self._output(run, text)

    async def _output(self, run: Run, text: str) -> str:
        """Hop 9: the child's last word is screened like everything else that it says."""
        with run.step("guardrail", "output-check", "guardrail output") as step:
            screened = await asyncio.to_thread(
                self.screen.text, text, run.vault, provenance="model", masked=True
            )
            run.saw(screened.findings)
            step.rule = screened.verdict.rule
            if screened.verdict.outcome == "deny":
                step.verdict = "blocked"
                raise PolicyDenied("output-blocked", rule=screened.verdict.rule)
        return screened.text

    async def _look_up(self, run: Run, query: str) -> str:
        """Passages for the person's own words, decided and recorded like any tool call."""
        asked = ToolAsk(
            t="tool.call", id=0, name="search_documents", arguments={"query": query[:400]}
        )
        return str((await call_tool(self.broker, run, asked))["content"])

    async def _close(
        self,
        run: Run,
        masked: str,
        answer: str,
        status: str,
        code: str,
        data: Mapping[str, object],
    ) -> Reply:
        sources = tuple(
            Source(one.document, one.page, run.vault.restore(one.text), one.number)
            for one in run.sources
        )
        reply = Reply(
            text=run.vault.restore(answer),
            notices=tuple(run.notices),
            sources=sources,
            trace_id=run.trace_id,
            steps=tuple(run.steps),
            artefacts=tuple(run.artefacts),
            model=run.model,
            model_kind=run.model_kind,
            tokens=run.tokens,
            duration_ms=run.elapsed_ms(),
            masked_request=masked,
            status=status,  # type: ignore[arg-type]
            conversation=run.conversation,
            error=code,
            error_data={key: str(value)[:200] for key, value in data.items()},
        )
        kept = asdict(replace(reply, text="", sources=()))
        kept["sources"] = [asdict(one) for one in run.sources]
        with contextlib.suppress(BadInput):  # deleted while it ran: nothing to keep
            await asyncio.to_thread(
                self.conversations.add, run.conversation, "assistant", answer, run.trace_id, kept
            )
        return reply


# a failed guard is a refusal; a failed model or tool is a failure
BLOCKING = (PolicyDenied, ScreenFailed, LedgerUnavailable)


def clean(text: str) -> str:
    """`text` without control characters that no keyboard makes; line breaks and tabs stay."""
    return "".join(c for c in text if c in "\n\t" or (ord(c) >= 32 and ord(c) != 127)).strip()


def _opening_words(run: Run, person: str) -> dict[str, object]:
    return {
        "person": person,
        "department": run.actor.department,
        "agent": run.agent.id,
        "version": run.version,
        "conversation": run.conversation,
        "data_class": run.agent.data_class,
    }


def _closing_words(run: Run, reply: Reply, backend: str) -> dict[str, object]:
    return {
        "verdict": run.verdict,
        "rule": run.rule,
        "request": reply.masked_request,
        "status": reply.status,
        "kinds": sorted(run.kinds),
        "tools": sorted(set(run.called)),
        "model": run.model,
        "model_kind": run.model_kind,
        "tokens": run.tokens,
        "cost": run.cost,
        "unsafe": backend == "none",
        "app.sandbox.backend": backend,
    }
