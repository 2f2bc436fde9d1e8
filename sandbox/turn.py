"""One turn from the person's words to the reply: screen, read files, run the agent, end it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from agents.conversation_tables import Message
from agents.tools.base import ToolContext
from agents.tools.registry import described, known
from guardrails.audit.ledger import Act
from guardrails.errors import (
    GuardrailError,
    LedgerUnavailable,
    PolicyDenied,
    ScreenFailed,
)
from sandbox.attachments import Opened
from sandbox.broker.broker import RunFailed
from sandbox.broker.frames import FrameRefused, ToolAsk
from sandbox.broker.recorded import Announced, announced
from sandbox.broker.run import Run
from sandbox.broker.tool_call import call_tool
from sandbox.events import Reply
from sandbox.going_on import State, state_of, take_up
from sandbox.interrupted import begun_acts
from sandbox.paused import Paused
from sandbox.prompt import compose, instructions, offered
from sandbox.summary import remembered
from sandbox.told_limits import telling
from sandbox.turn_checks import check_input, check_output
from sandbox.turn_end import close_turn
from sandbox.turn_parts import End, Parts
from sandbox.uploads import safe_name
from sandbox.wire import WireError

ROUNDS = 6
SMALL = frozenset({"practice", "fallback"})
HISTORY_MESSAGES = 200  # the window is in characters; this bounds the query
WARM_SECONDS = 120  # how long a first message waits for the language models
# a failed guard is a refusal; a failed model or tool is a failure
BLOCKING = (PolicyDenied, ScreenFailed, LedgerUnavailable)


async def take_turn(
    parts: Parts, run: Run, text: str, files: Mapping[str, Path], kept: Sequence[str] = ()
) -> Reply:
    """Everything after "send". Ends in a Reply whatever happens, except for our own bugs."""

    async def work(act: Announced) -> str | None:
        found, keeping = await _take_in(parts, run, text, files, kept, act)
        try:
            async with asyncio.timeout(run.limits.wall_s):
                return await _answer(parts, run, found, keeping)
        finally:
            await asyncio.shield(keeping)  # what was asked stands before what is answered

    return await _conduct(parts, run, run.act("turn", files=len(files)), work)


async def resume_turn(parts: Parts, run: Run, paused: Paused, state: State) -> Reply:
    """Go on with a turn whose approvals are decided. Ends in a Reply like `take_turn`."""
    take_up(run, state)
    run.replaces = paused.message

    async def remember() -> None:
        kept = (await asyncio.to_thread(state_of, run, parts.screen)).model_dump(mode="json")
        await asyncio.to_thread(parts.paused.update, run.turn, run.conversation, kept)

    run.remember = remember

    async def work(act: Announced) -> str | None:
        await act.durable()
        run.begun = await asyncio.to_thread(
            begun_acts, parts.ledger, run.conversation, paused.since
        )
        context = await _context(parts, run)
        run.tools = replace(telling(run, context), first_source=len(run.sources) + 1)
        async with asyncio.timeout(run.limits.wall_s):
            return await _sealed_turn(parts, run, state.messages)

    decided = [f"{one.id} {one.state}" for one in run.approvals]
    act = run.act("turn", resumes=state.trace_id, approvals=decided)
    return await _conduct(parts, run, act, work)


async def retake_turn(parts: Parts, run: Run, text: str) -> Reply:
    """Answer the last message again: `text` is what the person wrote."""

    async def work(act: Announced) -> str | None:
        looking = _looking(parts, run)
        await act.durable()
        await check_input(parts, run, text)
        found = await looking
        run.tools = telling(run, await _context(parts, run, found.opened))
        async with asyncio.timeout(run.limits.wall_s):
            return await _answer(parts, run, found)

    return await _conduct(parts, run, run.act("turn", again=True), work)


async def give_up(parts: Parts, run: Run, paused: Paused, state: State) -> Reply:
    """End a waiting turn that could not go on, so that its message does not wait for ever."""
    take_up(run, state)
    run.replaces = paused.message
    return await close_turn(parts, run, End("failed", "", "run-ended"))


async def _conduct(
    parts: Parts, run: Run, intent: Act, work: Callable[[Announced], Awaitable[str | None]]
) -> Reply:
    try:
        if not parts.ready.is_set():
            run.notice("info", "notice.warming")
            await _warm(parts)
        async with announced(parts.ledger, intent) as act:
            answer = await work(act)
            if answer is None:
                state = await asyncio.to_thread(state_of, run, parts.screen)
                kept = state.model_dump(mode="json")
                await asyncio.to_thread(parts.paused.keep, run.turn, run.conversation, kept)
                act.verdict = "ask"
            else:
                act.verdict = "allow" if run.verdict in ("allowed", "masked") else run.verdict
            act.payload |= {
                "request": run.masked,
                "reply": answer or "",
                "kinds": sorted(run.kinds),
            }
        end = End("waiting", run.partial) if answer is None else End("done", answer)
    except asyncio.CancelledError:
        end = End("stopped", run.partial, "stopped")
    except TimeoutError:
        seconds = round(run.limits.wall_s)
        run.notice("limit", "notice.limit-time", n=seconds)
        end = End("failed", run.partial, "limit-time", {"seconds": seconds})
    except GuardrailError as error:
        end = _refused(run, error)
    return await asyncio.shield(close_turn(parts, run, end))


async def _warm(parts: Parts) -> None:
    try:
        await asyncio.wait_for(parts.ready.wait(), WARM_SECONDS)
    except TimeoutError as error:
        raise ScreenFailed("screen-timeout", detector="pii", seconds=WARM_SECONDS) from error


def _refused(run: Run, error: GuardrailError) -> End:
    if run.verdict == "blocked" or isinstance(error, BLOCKING):
        run.judge("blocked", str(error.data.get("rule", error.code)))
        return End("blocked", "", error.code, error.data)
    return End("failed", run.partial, error.code, error.data)


@dataclass(frozen=True)
class Found:
    """What a turn finds at its beginning, read in one go: each way to a thread costs more."""

    opened: Opened
    kept: list[Message]  # of the conversation so far
    before: tuple[int, str]  # the summary of what was before them


async def _take_in(
    parts: Parts,
    run: Run,
    text: str,
    files: Mapping[str, Path],
    kept: Sequence[str],
    act: Announced,
) -> "tuple[Found, asyncio.Task[object]]":
    """Hop 3: raw text stops here. Also gives the task that keeps the message."""
    looking = _looking(parts, run)
    try:
        await act.durable()
        await check_input(parts, run, text)
        found = await looking
        context = await _context(parts, run, found.opened)
        run.tools = telling(run, context)
        if found.opened.withheld:
            run.notice("info", "notice.documents-withheld", n=found.opened.withheld)
        for name, path in files.items():
            data = await asyncio.to_thread(path.read_bytes)
            await parts.attachments.take_in(run, safe_name(name), data)
    except BaseException:
        await act.durable()
        await _keep_message(parts, run, files, kept)
        raise
    # it is on the disk before the model is asked, and meanwhile the question is put together
    return found, asyncio.create_task(_keep_message(parts, run, files, kept))


async def _keep_message(
    parts: Parts, run: Run, files: Mapping[str, Path], kept: Sequence[str]
) -> None:
    def keep() -> None:
        names = [
            parts.screen.text(safe_name(name), run.vault).text
            for name in ((*kept, *files) if run.masked else ())
        ]
        if kept:  # only what really came with a message before
            there = parts.conversations.parent_files(run.conversation)
            given = names[len(kept) :]
            names = [name for name in names[: len(kept)] if name in there] + given
        if run.masked or names:
            parts.conversations.add(
                run.conversation, "user", run.masked, run.trace_id, {"files": names}
            )

    await asyncio.to_thread(keep)


async def _context(parts: Parts, run: Run, opened: Opened | None = None) -> ToolContext:
    return await parts.attachments.context(
        run.root or run.conversation, run.agent, run.vault, run.language, run.actor, opened
    )


async def _answer(
    parts: Parts, run: Run, found: Found, keeping: "asyncio.Task[object] | None" = None
) -> str | None:
    asked = Message(0, "user", run.masked, datetime.now(UTC), run.trace_id)
    summary, kept = await remembered(parts, run, [*found.kept, asked], found.before)
    small = parts.broker.models.kind(run.agent.model) in SMALL
    look_up = partial(_look_up, parts, run)
    messages = await compose(run, run.masked, kept, look_up, summary, small)
    return await _sealed_turn(parts, run, messages, keeping)


def _looking(parts: Parts, run: Run) -> "asyncio.Future[Found]":
    """Begin to read while the turn's record is on its way to the disk: reading is no act."""
    looking = asyncio.ensure_future(asyncio.to_thread(_found, parts, run))
    # a turn that ends before it needs this has nobody who would ask what became of it
    looking.add_done_callback(lambda done: done.cancelled() or done.exception())
    return looking


def _found(parts: Parts, run: Run) -> Found:
    talk = parts.conversations
    kept = talk.messages(run.conversation, run.actor.id, HISTORY_MESSAGES)
    if run.replaces:
        # without the message that is answered again, which comes anew
        kept = [one for one in kept if one.number < run.replaces][:-1]
    opened = parts.attachments.open(run.agent, run.language, run.actor)
    return Found(opened, kept, talk.summary(run.conversation))


async def _sealed_turn(
    parts: Parts,
    run: Run,
    messages: Sequence[Mapping[str, Any]],
    keeping: "asyncio.Task[object] | None" = None,
) -> str | None:
    """The answer (masked), or None: a tool waits for a person."""
    small = parts.broker.models.kind(run.agent.model) in SMALL
    tools = await offered(run, small)
    # the turn's own clock ends it first, so that the person is told the reason
    spare = replace(run.limits, wall_s=run.limits.wall_s + 10)
    sealed = await parts.pool.take("agent", spare)
    try:
        await sealed.send(
            {
                "t": "turn",
                "instructions": instructions(run),
                "messages": list(messages),
                "tools": described(tools, known(run.tools)),
                "rounds": ROUNDS,
                "limits": run.limits.as_frame(),
                "language": run.language,
            }
        )
        if keeping is not None:
            await asyncio.shield(keeping)  # no answer to a message that could not be kept
        text = await parts.broker.serve(sealed, run)
    except WireError as error:
        if error.reason == "gone":
            raise RunFailed("run-ended") from error
        raise FrameRefused(field="", why=error.reason) from error
    finally:
        sealed.discard()  # its end is nobody's business here: the answer need not wait for it
    return None if text is None else await check_output(parts, run, text)


async def _look_up(parts: Parts, run: Run, query: str) -> str:
    """Passages for the person's own words, decided and recorded like any tool call."""
    asked = ToolAsk(t="tool.call", id=0, name="search_documents", arguments={"query": query[:400]})
    return str((await call_tool(parts.broker, run, asked, may_wait=False))["content"])
