"""The one entry for browser, command line and HTTP: one turn of one agent for one person."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from agents.conversation_tables import Message
from agents.spec import AgentSpec
from agents.tools.base import ToolContext
from guardrails.actor import Actor
from guardrails.audit.ledger import Act
from guardrails.detect.injection import make_canary
from guardrails.errors import BadInput, GuardrailError
from guardrails.policy.approvals import Approval
from sandbox.broker.run import Purpose, Run, use_of
from sandbox.conversing import Conversing, Opening
from sandbox.events import Event, Reply
from sandbox.going_on import State
from sandbox.limits import Limits
from sandbox.turn import give_up, resume_turn, retake_turn, take_turn
from sandbox.turn_words import clean_text, closing_words, opening_words
from sandbox.under_way import Turn

log = logging.getLogger(__name__)
ATTEND_SECONDS = 5.0
Emit = Callable[[Event], None]
EARLIER = 5  # answers kept beside the one that took their place
TRIES = 3  # of a waiting turn that the server's death interrupts each time


@dataclass
class Sessions(Conversing):
    """Runs turns. A turn goes on when its listener leaves; only `stop` or a limit ends it early."""

    running: dict[str, Turn] = field(default_factory=dict)
    decided: asyncio.Event = field(default_factory=asyncio.Event)  # an approval was, perhaps
    _held: set[str] = field(default_factory=set)  # a waiting turn could not go on beside another
    # who a person is now, None when they may no longer use the house
    here: Callable[[Actor], Actor | None] = lambda person: person

    async def send(
        self,
        *,
        actor: Actor,
        agent: AgentSpec,
        text: str,
        conversation: str | None = None,
        files: Mapping[str, Path] | None = None,
        language: str = "en",
        purpose: Purpose = "chat",
    ) -> AsyncGenerator[Event, None]:
        """One turn: notices, deltas and steps as they come, the Reply last. Texts are restored.

        `conversation` None starts a new one; its id is `Reply.conversation`. Raises BadInput
        ("empty-message", "turn-running", "conversation-not-found") before anything is recorded;
        everything after that ends in a Reply whose status says how.
        """
        clean_text(text, files)
        if conversation is None:
            started = await asyncio.to_thread(
                self.conversations.start, agent.id, actor.id, agent.version
            )
            root = conversation = started
        else:
            kept = await asyncio.to_thread(self.conversations.get, conversation, actor.id)
            if kept.agent != agent.id:
                raise BadInput("conversation-not-found")
            root = kept.root
        turn = self.begin(actor, agent, text, conversation, root, files, language, purpose)
        async with aclosing(turn.follow()) as events:
            async for event in events:
                yield event
        await turn.ended()

    def begin(
        self,
        actor: Actor,
        agent: AgentSpec,
        text: str,
        conversation: str,
        root: str,
        files: Mapping[str, Path] | None = None,
        language: str = "en",
        purpose: Purpose = "chat",
        opening: Opening | None = None,
        kept: Sequence[str] = (),
    ) -> Turn:
        """Begin a turn in a conversation of the actor's with this agent, which the caller has
        read: `root` is its root. `opening` is what `open` said of the same just now. `kept` are
        names of files of the message that a branch sends again: they stay with it.

        Raises BadInput("empty-message", "turn-running").
        """
        text = clean_text(text, files)
        given = files or {}
        return self._begin(
            conversation,
            lambda emit: self._turn(
                actor,
                agent,
                conversation,
                language,
                emit,
                lambda run: take_turn(self, run, text, given, kept),
                root=root,
                purpose=purpose,
                opening=opening,
            ),
        )

    async def regenerate(
        self, *, actor: Actor, agent: AgentSpec, conversation: str, language: str = "en"
    ) -> AsyncGenerator[Event, None]:
        """Answer the last message again. The answer before is kept with the new one.

        A new answer that fails leaves the old one in place. Raises BadInput: turn-running,
        conversation-not-found, nothing-to-answer.
        """
        kept = await asyncio.to_thread(self.conversations.messages, conversation, actor.id)
        last, asked = (kept[-1], kept[-2]) if len(kept) > 1 else (None, None)
        if last is None or asked is None or (asked.role, last.role) != ("user", "assistant"):
            raise BadInput("nothing-to-answer")
        if last.extra.get("status") == "waiting":
            raise BadInput("turn-running")
        text = await asyncio.to_thread(self.restore, conversation, asked.text)
        earlier = [*last.extra.get("earlier", ()), _earlier(last)][-EARLIER:]

        async def work(run: Run) -> Reply:
            run.replaces, run.earlier = last.number, earlier
            return await retake_turn(self, run, text)

        turn = self._begin(
            conversation,
            lambda emit: self._turn(actor, agent, conversation, language, emit, work),
        )
        async with aclosing(turn.follow()) as events:
            async for event in events:
                yield event

    async def follow(self, conversation: str) -> AsyncGenerator[Event, None]:
        """The turn under way from its beginning, for one more listener; nothing when none runs.

        The caller has checked whose conversation it is.
        """
        turn = self.running.get(conversation)
        if turn is not None:
            async with aclosing(turn.follow()) as events:
                async for event in events:
                    yield event

    async def go_on(self, turn: str, conversation: str) -> bool:
        """Take up a turn that waited, when all its approvals are decided. False: not now."""
        if conversation in self.running:
            self._held.add(conversation)
            return False
        if self.closing:
            return False
        asked = await asyncio.to_thread(self.broker.approvals.of, turn)
        if any(one.state == "pending" for one in asked):
            return False
        if conversation in self.running:
            self._held.add(conversation)
            return False
        self._begin(conversation, lambda emit: self._resume(turn, asked, emit))
        return True

    async def attend(self, every: float = ATTEND_SECONDS) -> None:
        """Take up turns whose approvals were decided or have expired, for ever.

        Also those that a restart interrupted: what waits is in the store, not in this process.
        """
        await self.ready.wait()
        while True:
            self.decided.clear()
            try:
                for turn, conversation, _ in await asyncio.to_thread(self.paused.all):
                    await self.go_on(turn, conversation)
            except (GuardrailError, SQLAlchemyError) as error:
                # the store is away for a moment: the next round finds the same turns
                log.error("waiting turns not read", extra={"error": type(error).__name__})
            # not wait_for: in Python 3.11 it can swallow a cancellation
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(every):
                    await self.decided.wait()

    async def stop(self, conversation: str) -> bool:
        """End the turn under way; what was answered so far is kept. False when none runs.

        The caller has checked whose conversation it is.
        """
        turn = self.running.get(conversation)
        if turn is None or turn.task is None:
            return False
        turn.task.cancel()
        return True

    async def close(self) -> None:
        """Stop every turn and wait until each is on record."""
        self.closing = True
        tasks = [turn.task for turn in self.running.values() if turn.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(
        self,
        conversation: str,
        work: Callable[[Callable[[Event], None]], Coroutine[Any, Any, None]],
    ) -> Turn:
        """Start the one turn that a conversation may have. Raises BadInput("turn-running")."""
        if conversation in self.running:
            raise BadInput("turn-running")
        turn = self.running[conversation] = Turn(conversation)
        turn.task = asyncio.create_task(work(turn.emit))
        turn.task.add_done_callback(lambda task: self._ended(turn, task))
        return turn

    def _ended(self, turn: Turn, task: "asyncio.Task[None]") -> None:
        self.running.pop(turn.conversation, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            # a turn that goes on has no caller who would see it
            log.error("a turn broke", extra={"error": type(error).__name__})
        turn.emit(None)
        if turn.conversation in self._held:  # a turn that waited for this one may go on
            self._held.discard(turn.conversation)
            self.decided.set()

    async def _resume(self, turn: str, asked: list[Approval], emit: Emit) -> None:
        try:
            paused = await asyncio.to_thread(self.paused.begin, turn)
            if paused is None:
                return
            state = State.model_validate(paused.state)
        except (GuardrailError, ValidationError) as error:
            # changed from outside, or written by a release that kept other things
            log.error("a waiting turn is lost", extra={"error": type(error).__name__})
            await asyncio.to_thread(self._lost, turn)
            return

        person = await asyncio.to_thread(self.here, state.person)
        if person is None:
            # whoever said yes: nothing is done for somebody who may no longer sign in
            ended = Act("turn", state.person.id, state.spec.id, state.spec.version,
                        paused.conversation, state.trace_id, "deny", "not-permitted")  # fmt: skip
            await self.ledger.arecord(ended)
            await asyncio.to_thread(self._lost, turn)
            return

        async def work(run: Run) -> Reply:
            run.turn, run.approvals = turn, list(asked)
            if paused.tries > TRIES:
                return await give_up(self, run, paused, state)
            return await resume_turn(self, run, paused, state)

        spec, language = state.spec, state.language
        await self._turn(
            person, spec, paused.conversation, language, emit, work, turn, purpose=state.use
        )

    async def _turn(
        self,
        actor: Actor,
        agent: AgentSpec,
        conversation: str,
        language: str,
        emit: Emit,
        work: Callable[[Run], Awaitable[Reply]],
        resumed: str = "",
        root: str = "",
        purpose: Purpose = "chat",
        opening: Opening | None = None,
    ) -> None:
        if opening is None:
            opening = await asyncio.to_thread(self.open, actor, agent.id, conversation, root)
        with self.spans.root(f"invoke_agent {agent.id}") as span:
            run = Run(
                actor=actor,
                agent=agent,
                version=agent.version,
                conversation=conversation,
                language=language,
                vault=opening.vault,
                limits=self._limits(agent),
                spans=self.spans,
                trace_id=span.trace_id,
                tools=ToolContext(language, person=actor.id),
                canary=make_canary() if self.broker.models.info().kind == "provider" else "",
                emit=emit,
                person=opening.person,
                root=opening.root,
                lifted=opening.lifted,
                use=use_of(agent.id, purpose),
            )
            span.set(**opening_words(run, opening.person))
            reply = await work(run)
            span.set(**closing_words(run, reply, self.pool.checked))
        if reply.status == "waiting":
            self._held.add(conversation)  # its approvals may have been decided meanwhile
        over = reply.status != "waiting" and not (self.closing and reply.status == "stopped")
        if resumed and over:
            await asyncio.to_thread(self.paused.drop, resumed)
        emit(reply)

    def _lost(self, turn: str) -> None:
        for id, conversation, message in self.paused.all():
            if id == turn:
                told = {"status": "failed", "error": "run-ended"}
                with contextlib.suppress(BadInput):
                    self.conversations.replace(conversation, message, "", "", told)
        self.paused.drop(turn)

    def _limits(self, agent: AgentSpec) -> Limits:
        asked = replace(
            self.limits,
            wall_s=min(self.limits.wall_s, agent.limits.wall_s),
            model_calls=min(self.limits.model_calls, agent.limits.model_calls),
            tool_calls=min(self.limits.tool_calls, agent.limits.tool_calls),
        )
        return self.pool.bounded(asked)


def _earlier(message: Message) -> dict[str, Any]:
    """An answer that another one takes the place of, masked."""
    return {
        "text": message.text,
        "trace_id": message.trace_id,
        "model": message.extra.get("model", ""),
        "at": message.at.isoformat(),
    }
