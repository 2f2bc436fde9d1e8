"""The one entry for browser, command line and HTTP: one turn of one agent for one person."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from agents.spec import AgentSpec
from agents.tools.base import ToolContext
from guardrails.actor import Actor
from guardrails.detect.injection import make_canary
from guardrails.errors import BadInput
from sandbox.broker.run import Run
from sandbox.events import Event, Reply
from sandbox.limits import Limits
from sandbox.turn import Parts, take_turn
from sandbox.uploads import Kept


@dataclass
class Turn:
    """A turn under way: its task, and everyone who is listening."""

    task: "asyncio.Task[None]"
    queue: "asyncio.Queue[Event | None]"
    conversation: str


@dataclass
class Sessions(Parts):
    """Runs turns. A turn goes on when its listener leaves; only `stop` or a limit ends it early."""

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
                canary=make_canary() if self.broker.models.info().kind == "provider" else "",
                emit=queue.put_nowait,
                person=person,
            )
            root.set(**_opening_words(run, person))
            reply = await take_turn(self, run, text, files)
            root.set(**_closing_words(run, reply, self.pool.launcher.name))
        queue.put_nowait(reply)

    def _limits(self, agent: AgentSpec) -> Limits:
        return replace(
            self.limits,
            wall_s=min(self.limits.wall_s, agent.limits.wall_s),
            model_calls=min(self.limits.model_calls, agent.limits.model_calls),
            tool_calls=min(self.limits.tool_calls, agent.limits.tool_calls),
        )


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
