"""A tool that needs a person's yes: ask once, find the answer again after the pause."""

import asyncio
from typing import TYPE_CHECKING, Any, Final

from agents.tools.base import Tool
from guardrails.policy.approvals import PERSON, Approval, approver_of
from guardrails.policy.engine import Decision
from sandbox import events
from sandbox.broker.arguments import same
from sandbox.broker.run import Run

if TYPE_CHECKING:
    from sandbox.broker.broker import Broker

# rules of a refusal that a person, or nobody, gave (their wording is `notice.<rule>`), and what the
# agent is told
ANSWERS: Final = {
    "approval-rejected": "A person said no. It was not done. Do not ask again; finish without it.",
    "approval-expired": "Nobody answered in time. It was not done. Finish without it and say so.",
    "approval-withdrawn": "It is not known whether this was done. Say so and do not try again.",
}


async def answered(
    broker: "Broker",
    run: Run,
    tool: Tool,
    arguments: dict[str, Any],
    given: dict[str, Any],
    decision: Decision,
    begun: int = 0,
) -> Approval | str | None:
    """The approval when a person said yes (it is used up by this), the rule of a no, None: wait.

    `arguments` are masked, `given` is what the tool would get. A yes counts for these arguments
    only, and where the same act was `begun` before a crash (a row of the ledger), only when whoever
    said yes was told. Raises LedgerUnavailable when the question cannot be recorded.
    """
    for known in run.approvals:
        if known.repeats != begun:
            continue
        if known.used or known.action != tool.name or not same(known.payload, arguments):
            continue
        if known.state == "pending":
            _wait(run, tool, known, given)
            return None
        if known.state != "approved":
            return f"approval-{known.state}"  # a no stays a no for this turn
        run.approvals.remove(known)
        if await asyncio.to_thread(broker.approvals.use, known.id):
            return known
        return "approval-withdrawn"
    asked = await asyncio.to_thread(
        broker.approvals.ask,
        person=run.person,
        agent=run.agent.id,
        action=tool.name,
        payload=arguments,
        rule=decision.rule,
        conversation=run.conversation,
        trace_id=run.trace_id,
        approver=approver_of(broker.policy.policies, decision.rules),
        department=run.actor.department,
        turn=run.turn,
        repeats=begun,
    )
    run.approvals.append(asked)
    with run.step("guardrail", "approval", f"guardrail approval {tool.name}") as step:
        step.rule = decision.rule
        step.detail["arguments"] = str(arguments)[:4000]
    _wait(run, tool, asked, given)
    return None


def _wait(run: Run, tool: Tool, asked: Approval, given: dict[str, Any]) -> None:
    run.waiting.append(asked)
    who = "self" if asked.approver == PERSON else asked.approver
    if asked.repeats:
        run.notice("flagged", "notice.outcome-unknown", tool=tool.name, row=asked.repeats)
    run.notice("approval", f"notice.approval-{who}", tool=tool.name, rule=asked.rule)
    told = events.Approval(
        asked.id, tool.name, tool.label_key, given, who, asked.expires, asked.rule, asked.repeats
    )
    run.asked.append(told)
    run.emit(told)
