"""The model half of the door."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any

from agents.tools.registry import described, known
from guardrails.errors import PolicyDenied
from guardrails.findings import Provenance
from guardrails.policy.engine import ModelFacts, Request
from guardrails.screen import ScreenPolicy, policy_of
from guardrails.stream import restore_stream, screen_stream
from sandbox.broker.arguments import cleaned
from sandbox.broker.decided import in_ledger, in_span
from sandbox.broker.frames import Message, ModelCall
from sandbox.broker.metered import Meter, metered
from sandbox.broker.models import TextDelta, ToolCall, Usage
from sandbox.broker.natural import Natural
from sandbox.broker.recorded import recorded
from sandbox.broker.run import OpenStep, Run
from sandbox.events import Delta

if TYPE_CHECKING:
    from sandbox.broker.broker import Broker

AGAIN = 0.7  # temperature
BATCH_SECONDS = 0.03  # every write to the browser costs; words arrive faster than eyes read
# Read in the place of a run's canary, which is made anew for each: the instructions are then a text
# that the screen has seen before, and no detector takes a canary's digits for somebody's number.
CANARY = "canary-word"
PROVENANCE: dict[str, Provenance] = {
    "system": "system",
    "user": "user",
    "assistant": "model",
    "tool": "tool",
}


async def call_model(broker: "Broker", run: Run, frame: ModelCall) -> dict[str, Any]:
    """Screen, decide, record, call, screen, record. Answers with a `model.result` frame.

    Raises LimitReached, PolicyDenied, ScreenFailed, LedgerUnavailable and ModelError.
    """
    run.count("model_calls")
    info = broker.models.info(run.agent.model)
    run.model, run.model_kind, run.location = info.label, info.kind, info.location
    if info.kind == "fallback" and info.state == "fetching":
        run.notice("fallback-model", "notice.fallback-model")
    look = partial(_screened, broker, run, frame.messages, policy_of(run.agent.guard))
    async with metered(broker, run, look) as meter:
        return await _call(broker, run, frame, meter)


async def _call(
    broker: "Broker",
    run: Run,
    frame: ModelCall,
    meter: Meter,
) -> dict[str, Any]:
    messages = meter.messages
    info = broker.models.info(run.agent.model)
    # only tools of the agent's own list are offered, whatever the child claims
    offered = described(
        [tool.name for tool in frame.tools if tool.name in run.agent.tools], known(run.tools)
    )
    decision = broker.policy.decide(
        Request(
            action="model.call",
            actor=run.actor,
            agent=run.agent.id,
            data_class=run.agent.data_class,
            model=ModelFacts(info.name, info.kind, info.location, info.provider),
            kinds=frozenset(run.kinds),
            exceptions=run.lifted,
        )
    )
    if decision.outcome != "allow":
        denied = run.act(
            "model.call", decision.rule, decision.outcome, model=info.name, **in_ledger(decision)
        )
        await broker.ledger.arecord(denied)
        run.judge("blocked", decision.rule)
        run.notice("blocked", "notice.model-denied", rule=decision.rule)
        raise PolicyDenied("policy-denied", rule=decision.rule)
    run.owe(decision.obligations)
    policy = policy_of(run.agent.guard)
    owed = [kind for kind in decision.masks if policy.action(kind) == "allow"]
    if owed:
        # an allow holds only with its duties: what the rules want masked and the screen lets pass
        stricter = ScreenPolicy(kinds={**policy.kinds, **dict.fromkeys(owed, "mask")})
        messages = await asyncio.to_thread(_screened, broker, run, frame.messages, stricter)
    intent = run.act(
        "model.call",
        decision.rule,
        "allow",
        model=info.name,
        messages=[message["content"] for message in messages],
        **in_ledger(decision),
    )
    with run.step("model", run.purpose or info.label, f"chat {info.name}") as step:
        step.rule = decision.rule
        step.words |= {
            "provider": info.provider,
            "model": info.name,
            "model_kind": info.kind,
            "location": info.location,
            "conversation": run.conversation,
            **in_span(decision),
        }
        step.detail["sent"] = messages[-1]["content"][:4000]
        async with recorded(broker.ledger, intent) as act:
            text, calls, usage = await _stream(broker, run, messages, offered, step, meter)
            act.payload |= {
                "text": text,
                "tools": [call.name for call in calls],
                "tokens": [usage.input_tokens, usage.output_tokens],
            }
    if not run.purpose:
        run.came_to(messages, text, calls)
    return {
        "t": "model.result",
        "content": text,
        "tool_calls": [
            {"id": call.id, "name": call.name, "arguments": call.arguments} for call in calls
        ],
    }


def _screened(
    broker: "Broker", run: Run, messages: list[Message], policy: ScreenPolicy
) -> list[dict[str, Any]]:
    # The child is hostile: what it says has to pass again, though its own input was masked. The
    # history it repeats is answered from the screen's cache.
    return [_screened_one(broker, run, message, policy) for message in messages]


def _screened_one(
    broker: "Broker", run: Run, message: Message, policy: ScreenPolicy
) -> dict[str, Any]:
    said = message.content.replace(run.canary, CANARY) if run.canary else message.content
    result = broker.screen.text(
        said, run.vault, provenance=PROVENANCE[message.role], policy=policy, masked=True
    )
    run.saw(result.findings)
    text = result.text.replace(CANARY, run.canary) if run.canary else result.text
    plain: dict[str, Any] = {"role": message.role, "content": text}
    if message.tool_calls:
        plain["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {
                    "name": call.name,
                    "arguments": json.dumps(cleaned(broker.screen, run, call.arguments, policy)),
                },
            }
            for call in message.tool_calls
        ]
    if message.tool_call_id:
        plain["tool_call_id"] = message.tool_call_id
    return plain


async def _stream(
    broker: "Broker",
    run: Run,
    messages: list[dict[str, Any]],
    offered: list[dict[str, Any]],
    step: OpenStep,
    meter: Meter,
) -> tuple[str, list[ToolCall], Usage]:
    calls: list[ToolCall] = []
    usage = Usage(0, 0)
    masked: list[str] = []
    natural = Natural(run)

    async def raw() -> AsyncIterator[str]:
        nonlocal usage
        events = broker.models.stream(
            natural.out(messages),
            offered,
            max_tokens=run.agent.limits.answer_tokens,
            # asked to answer again: the same words again would help nobody
            temperature=AGAIN if run.earlier else None,
            wanted=run.agent.model,
        )
        async with aclosing(events) as source:
            async for event in source:
                await broker.standing.check(run)  # withdrawn elsewhere: a long answer ends, too
                if isinstance(event, TextDelta):
                    meter.received += len(event.text)
                    yield event.text
                elif isinstance(event, ToolCall):
                    meter.received += len(str(event.arguments))
                    calls.append(natural.call(event))
                else:
                    meter.usage = usage = event

    async def kept() -> AsyncIterator[str]:
        async for piece in screen_stream(natural.back(raw()), broker.screen, run.vault):
            masked.append(piece)
            if not run.purpose:
                run.partial = "".join(masked)
            yield piece

    await _show(run, restore_stream(kept(), run.vault))
    run.tokens += usage.input_tokens + usage.output_tokens
    run.cost += usage.cost
    text = "".join(masked)
    step.words |= {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "tokens": usage.input_tokens + usage.output_tokens,
        "cost": usage.cost,
    }
    step.detail["received"] = text[:4000] or ", ".join(call.name for call in calls)
    return text, calls, usage


async def _show(run: Run, pieces: AsyncIterator[str]) -> None:
    waiting: list[str] = []
    last = 0.0
    async for piece in pieces:
        waiting.append(piece)
        if run.purpose:
            continue  # not the answer: it is read, not shown
        if time.monotonic() - last >= BATCH_SECONDS:
            run.emit(Delta("".join(waiting)))
            waiting, last = [], time.monotonic()
    if waiting and not run.purpose:
        run.emit(Delta("".join(waiting)))
