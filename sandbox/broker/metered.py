"""Budgets around one model call: taken before it, corrected after it, given back when it failed."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from guardrails.budgets import RULE, Unit
from guardrails.errors import PolicyDenied
from sandbox.broker.models import Usage
from sandbox.broker.run import Run

if TYPE_CHECKING:
    from sandbox.broker.broker import Broker

# no tokenizer knows every model: English and French text has about four characters a token, code
# and masked text three; a reservation that is too high is corrected within seconds
CHARACTERS_PER_TOKEN = 3
MILLION = 1_000_000


@dataclass
class Meter:
    """What one call has used so far; `usage` is the provider's own count once it is there."""

    messages: list[dict[str, Any]] = field(default_factory=list)  # what is sent, screened
    sent: int = 0  # tokens, estimated
    received: int = 0  # characters that have arrived
    usage: Usage | None = None
    stopped: bool = False  # by the person, who need not wait for a word to have it cost

    def spent(self) -> Usage:
        """The count, or an estimate for a call that was stopped or broke off; nothing for one that
        failed before a word arrived."""
        if self.usage is not None and (self.usage.input_tokens or self.usage.output_tokens):
            return self.usage
        if not self.received and not self.stopped:
            return Usage(0, 0)
        return Usage(self.sent, math.ceil(self.received / CHARACTERS_PER_TOKEN))


@asynccontextmanager
async def metered(
    broker: "Broker", run: Run, screened: Callable[[], list[dict[str, Any]]]
) -> AsyncIterator[Meter]:
    """Reserve what a call with the messages of `screened` may use at most; settle what `Meter`
    says it used. `screened` and the reservation share one way to a thread.

    Raises what `screened` raises, and PolicyDenied("budget-used-up"), on record, when a budget has
    no room for the call.
    """
    meter = Meter()
    try:
        taken = await _reserved(broker, run, screened, meter)
    except PolicyDenied as denied:
        await _refused(broker, run, denied)
        raise
    try:
        yield meter
    except asyncio.CancelledError:
        meter.stopped = True
        raise
    finally:
        # also when the turn is stopped: what is reserved for nothing would be lost to everybody
        spent = meter.spent()
        used = _amounts(broker, spent, run.agent.model) if spent != Usage(0, 0) else {}
        if taken:
            await asyncio.shield(asyncio.to_thread(broker.budgets.settle, taken, used))


async def _reserved(
    broker: "Broker", run: Run, screened: Callable[[], list[dict[str, Any]]], meter: Meter
) -> str:
    asker = replace(run.actor, id=run.person or run.actor.id)

    def take() -> str:
        meter.messages = screened()
        characters = sum(len(str(message)) for message in meter.messages)
        meter.sent = math.ceil(characters / CHARACTERS_PER_TOKEN)
        most = Usage(meter.sent, run.agent.limits.answer_tokens)
        wanted = _amounts(broker, most, run.agent.model)
        return broker.budgets.reserve(asker, run.agent.id, wanted, beyond=RULE in run.lifted)

    taking = asyncio.ensure_future(asyncio.to_thread(take))
    try:
        return await asyncio.shield(taking)
    except asyncio.CancelledError:
        # the thread goes on, and nobody else knows what it takes
        await asyncio.wait([taking])
        if taking.exception() is None and taking.result():
            await asyncio.to_thread(broker.budgets.settle, taking.result(), {})
        raise


def _amounts(broker: "Broker", usage: Usage, wanted: str) -> dict[Unit, int]:
    cost = usage.cost or broker.models.price(usage.input_tokens, usage.output_tokens, wanted)
    return {
        "tokens": usage.input_tokens + usage.output_tokens,
        "cost": math.ceil(cost * MILLION),
        "calls": 1,
    }


async def _refused(broker: "Broker", run: Run, denied: PolicyDenied) -> None:
    told = {name: str(value) for name, value in denied.data.items()}
    rule = told["rule"]
    await broker.ledger.arecord(
        run.act(
            "model.call",
            rule,
            "deny",
            budget=f"{told['scope']} {told['unit']} {told['period']}",
            policy_set=broker.policy.policies.hash,
        )
    )
    run.judge("blocked", rule)
    run.notice(
        "blocked",
        "notice.budget-used-up",
        rule=rule,
        scope=f"budget.scope.{told['scope']}",
        unit=f"budget.unit.{told['unit']}",
        renews=told["renews"],
    )
    denied.data["scope"] = f"budget.scope.{told['scope']}"
    denied.data["unit"] = f"budget.unit.{told['unit']}"
