"""How a turn ends: the reply for its person, with real values, and what is kept of it, masked."""

import asyncio
import contextlib
from dataclasses import replace

from guardrails.errors import BadInput, GuardrailError
from sandbox.broker.run import Run
from sandbox.events import Reply, Source, plain
from sandbox.turn_parts import End, Parts


async def close_turn(parts: Parts, run: Run, end: End) -> Reply:
    """What the person gets of a turn that ended so; kept in the conversation, masked."""
    if end.status != "waiting":
        for asked in run.waiting:  # nobody need decide for a turn that is over
            with contextlib.suppress(GuardrailError):
                await asyncio.to_thread(parts.broker.approvals.withdraw, asked.id)
    restore = run.vault.restore
    reply = Reply(
        text=restore(end.text),
        notices=tuple(run.notices),
        sources=tuple(
            Source(restore(one.document), one.page, restore(one.text), one.number)
            for one in run.sources
        ),
        trace_id=run.trace_id,
        steps=tuple(run.steps),
        artefacts=tuple(
            replace(
                one,
                name=restore(one.name),
                shows={name: restore(text) for name, text in one.shows.items()},
            )
            for one in run.artefacts
        ),
        model=run.model,
        model_kind=run.model_kind,
        tokens=run.tokens,
        duration_ms=run.elapsed_ms(),
        masked_request=run.masked,
        status=end.status,
        conversation=run.conversation,
        error=end.code,
        error_data={key: str(value)[:200] for key, value in end.data.items()},
        mark=f"mark.ai-made-{run.agent.data_class}" if run.marked else "",
        approvals=tuple(run.asked) if end.status == "waiting" else (),
    )
    if run.replaces and parts.closing and end.status == "stopped":
        return reply  # nobody stopped it but the server: the next start goes on with it
    with contextlib.suppress(BadInput):  # deleted while it ran: nothing to keep
        if run.short:
            await asyncio.to_thread(parts.conversations.shorten, run.conversation)
        if run.earlier and end.status not in ("done", "waiting"):
            return reply  # the answer before is better than none
        number = await _keep(parts, run, end, reply)
        if end.status == "waiting":
            await asyncio.to_thread(parts.paused.shown_as, run.turn, number)
    return reply


async def _keep(parts: Parts, run: Run, end: End, reply: Reply) -> int:
    """Keep the reply, masked, as a message of the conversation; its number."""
    kept = plain(replace(reply, text="", sources=(), artefacts=(), error_data={}, approvals=()))
    kept["sources"], kept["artefacts"] = plain(run.sources), plain(run.artefacts)
    kept["earlier"] = run.earlier
    kept["approvals"] = [one.id for one in reply.approvals]
    # a file's name may be a person's; what went wrong with the guard must not come back here
    with contextlib.suppress(GuardrailError):
        kept["error_data"] = {
            key: (await asyncio.to_thread(parts.screen.text, value, run.vault)).text
            for key, value in reply.error_data.items()
        }
    if run.replaces:
        return await asyncio.to_thread(
            parts.conversations.replace,
            run.conversation,
            run.replaces,
            end.text,
            run.trace_id,
            kept,
        )
    return await asyncio.to_thread(
        parts.conversations.add, run.conversation, "assistant", end.text, run.trace_id, kept
    )
