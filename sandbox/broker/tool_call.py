"""The tool half of the door."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

from agents.tools.base import Cited, Tool, ToolResult
from agents.tools.registry import TOOLS, call, find, objection
from guardrails.detect.injection import fence
from guardrails.errors import PolicyDenied
from guardrails.findings import Provenance
from guardrails.policy.approvals import Approval
from guardrails.policy.engine import Decision, Request, ToolFacts
from guardrails.vault import Vault
from sandbox.broker.arguments import cleaned, same
from sandbox.broker.decided import in_ledger, in_span
from sandbox.broker.frames import ToolAsk
from sandbox.broker.recorded import recorded
from sandbox.broker.run import Done, Run
from sandbox.broker.waiting import ANSWERS, answered
from sandbox.described import described
from sandbox.marking import marked

if TYPE_CHECKING:
    from sandbox.broker.broker import Broker

RETRIEVAL = frozenset({"search_documents", "read_document"})
LEAVING = frozenset({"web_fetch"})  # own tools whose arguments strangers get to see
# Arguments that get real values back, each tool says which; a tool that an administrator added
# gets masked ones, for what it is given leaves the house
RESTORED: dict[str, frozenset[str]] = {name: tool.restores for name, tool in TOOLS.items()}


class ToolRefused(PolicyDenied):
    """The agent asked for a tool it may not use. The agent is told and may answer without."""

    refusal = True


async def call_tool(
    broker: "Broker", run: Run, frame: ToolAsk, *, may_wait: bool = True
) -> dict[str, Any]:
    """Decide, record, run, screen. Answers with a `tool.result` frame, or `waiting`.

    Where no sealed process could be taken up again (`may_wait` False) a question to a person is
    a refusal.

    Raises ToolRefused (told to the agent), LimitReached, ScreenFailed and LedgerUnavailable.
    """
    arguments = await asyncio.to_thread(cleaned, broker.screen, run, frame.arguments)
    done = _done(run, frame.name, arguments)
    if done is not None:
        return {"t": "tool.result", "content": done.content}
    run.count("tool_calls")
    tool = find(frame.name, run.tools)
    listed = tool is not None and frame.name in run.agent.tools
    rule = "tool-unlisted"
    shown = json.dumps(arguments, ensure_ascii=False)
    if tool is not None and listed:
        asked = _request(run, tool)
        decision = broker.policy.decide(asked)
        begun = _begun(run, tool, arguments)
        if begun and decision.outcome == "allow":
            # nobody knows whether it was done already: that is for a person to find out
            decision = replace(decision, outcome="ask")
        # what leaves the house is what is on record, also where the model wrote it by itself
        given = arguments if tool.source or tool.name in LEAVING else frame.arguments
        if decision.outcome == "ask" and may_wait:
            # nobody is asked to approve what cannot be done anyway; the model is told why
            real = as_given(run.vault, tool.name, arguments)
            if objection(tool, real, run.tools) is not None:
                content = await _run(broker, run, frame, tool, decision, given, shown)
                return {"t": "tool.result", "content": content}
            answer = await answered(broker, run, tool, arguments, real, decision, begun)
            if answer is None:
                return {"t": "waiting", "approval": run.waiting[-1].id}
            if isinstance(answer, Approval):
                # decided anew with the person's yes: other rules may have changed meanwhile
                decision = broker.policy.decide(replace(asked, approved=True))
                run.begun = [one for one in run.begun if one.row != begun]
                given = arguments  # what was approved, and nothing else
            else:
                await _refused(broker, run, frame.name, answer, shown, decision)
        rule = decision.rule
        if decision.outcome == "allow":
            run.owe(decision.obligations)
            content = await _run(broker, run, frame, tool, decision, given, shown)
            run.results.append(Done(frame.name, arguments, content))
            if run.remember is not None:
                await run.remember()
            return {"t": "tool.result", "content": content}
        await _refused(broker, run, frame.name, rule, shown, decision)
    await _refused(broker, run, frame.name, rule, shown)


def _done(run: Run, name: str, arguments: dict[str, Any]) -> Done | None:
    """The result of a call that was made before the pause: it is not made twice."""
    for done in run.again:
        if done.name == name and same(done.arguments, arguments):
            run.again.remove(done)
            run.results.append(done)
            return done
    return None


def _begun(run: Run, tool: Tool, arguments: dict[str, Any]) -> int:
    """The ledger's row of the same act outside the house, begun before a crash; 0 for none."""
    if tool.side_effect != "sends":
        return 0
    rows = (
        one.row for one in run.begun if one.tool == tool.name and same(one.arguments, arguments)
    )
    return max(rows, default=0)


def _request(run: Run, tool: Tool) -> Request:
    return Request(
        action="tool.call",
        actor=run.actor,
        agent=run.agent.id,
        data_class=run.agent.data_class,
        tool=ToolFacts(tool.name, tool.side_effect, frozenset(run.agent.tools)),
        kinds=frozenset(run.kinds),
        exceptions=run.lifted,
    )


async def _refused(
    broker: "Broker",
    run: Run,
    name: str,
    rule: str,
    shown: str,
    decision: Decision | None = None,
) -> NoReturn:
    """`decision` is None where no rule was asked: the agent's list does not have the tool."""
    why = in_ledger(decision) if decision else {}
    denied = run.act("tool.call", rule, "deny", tool=name, arguments=shown, **why)
    await broker.ledger.arecord(denied)
    with run.step("tool", name, f"execute_tool {name}") as step:
        step.verdict, step.rule = "blocked", rule
        step.words |= {"tool": name} | (in_span(decision) if decision else {})
    key = f"notice.{rule}" if rule in ANSWERS else "notice.tool-denied"
    run.notice("blocked", key, tool=name, rule=rule)
    raise ToolRefused(tool=name, rule=rule)


def as_given(vault: Vault, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments as the tool gets them: real values only where `RESTORED` says so."""
    return {
        key: _restored(vault, value) if key in RESTORED.get(tool, ()) else value
        for key, value in arguments.items()
    }


def _restored(vault: Vault, value: Any) -> Any:
    """`value` with the real values in every text of it."""
    if isinstance(value, str):
        return vault.restore(value)
    if isinstance(value, list):
        return [_restored(vault, one) for one in value]
    if isinstance(value, dict):
        return {name: _restored(vault, one) for name, one in value.items()}
    return value


async def _run(
    broker: "Broker",
    run: Run,
    frame: ToolAsk,
    tool: Tool,
    decision: Decision,
    given: dict[str, Any],
    shown: str,
) -> str:
    arguments = as_given(run.vault, tool.name, given)
    kind = "retrieval" if tool.name in RETRIEVAL else "tool"
    told = {"tool": tool.name, "arguments": shown, **in_ledger(decision)}
    act = run.act("tool.call", decision.rule, "allow", **told)
    with run.step(kind, tool.name, f"execute_tool {tool.name}") as step:  # type: ignore[arg-type]
        step.rule = decision.rule
        step.words |= {"tool": tool.name, "tool_call": str(frame.id), **in_span(decision)}
        step.detail["arguments"] = shown[:4000]
        async with recorded(broker.ledger, act) as record:
            result = await call(tool.name, arguments, run.tools, run.agent.tools)
            run.called.append(tool.name)
            text, suspicious = await _screen_result(broker, run, tool, result)
            if suspicious:
                step.verdict = "flagged"
            if result.code:
                # the screened one: what a model writes into code is kept like everything else
                step.detail["code"] = str(json.loads(shown).get("code", ""))[:8000]
            step.detail["result"] = text[:4000]
            record.verdict = "allow" if result.ok else "failed"
            record.payload |= {"result": text[:8000]}
            await _keep(broker, run, result)
    return text if tool.computed else fence(text, _provenance(result))


async def _screen_result(
    broker: "Broker", run: Run, tool: Tool, result: ToolResult
) -> tuple[str, bool]:
    screened = await asyncio.to_thread(
        broker.screen.text,
        result.content,
        run.vault,
        provenance=_provenance(result),
        # sealed code reads raw files: what looks like a placeholder in its output is data
        masked=not tool.sealed,
    )
    run.saw(screened.findings)
    suspicious = any(finding.kind == "INJECTION" for finding in screened.findings)
    if suspicious:
        # the kind stays with the run: rule DP-05 stops tools that act outside for this turn
        run.notice("flagged", "notice.untrusted-instructions")
    cited = []
    for one in result.sources:
        text = await _masked(broker, run, one.text, "document")
        name = await _masked(broker, run, one.document, "document")  # it may be a person's
        cited.append(Cited(name, one.page, text, one.number))
    run.cite(tuple(cited))
    return screened.text, suspicious


def _provenance(result: ToolResult) -> Provenance:
    return "document" if result.sources else "tool"


async def _masked(broker: "Broker", run: Run, text: str, provenance: Provenance) -> str:
    screened = await asyncio.to_thread(
        broker.screen.text, text, run.vault, provenance=provenance, masked=True
    )
    run.saw(screened.findings)
    return screened.text


async def _keep(broker: "Broker", run: Run, result: ToolResult) -> None:
    for made in result.artefacts:
        size = len(made.data)
        decision = broker.policy.decide(
            Request(
                action="artefact.out",
                actor=run.actor,
                agent=run.agent.id,
                data_class=run.agent.data_class,
                file_type=made.media_type,
                file_bytes=size,
                exceptions=run.lifted,
            )
        )
        act = run.act(
            "artefact.out",
            decision.rule,
            decision.outcome,
            media_type=made.media_type,
            size=size,
            **in_ledger(decision),
        )
        if decision.outcome != "allow":
            await broker.ledger.arecord(act)
            run.notice("blocked", "notice.file-kept-back", rule=decision.rule)
            continue
        run.owe(decision.obligations)
        name, data = made.name, made.data
        if run.marked:
            cls, language = run.agent.data_class, run.language
            name, data = marked(name, made.media_type, data, cls, language)
        async with recorded(broker.ledger, act):
            kept = await asyncio.to_thread(
                broker.uploads.keep_artefact,
                run.conversation,
                run.actor.id,
                name,
                made.media_type,
                data,
            )
        # the file has its name; what is told of it goes into the history
        shown = await asyncio.to_thread(broker.screen.text, kept.name, run.vault, provenance="tool")
        told = described(made.media_type, made.data)
        run.artefacts.append(replace(kept, name=shown.text, shows=await _told(broker, run, told)))


async def _told(broker: "Broker", run: Run, shows: Mapping[str, str]) -> dict[str, str]:
    """A drawing's words as they may be kept."""
    kept = {}
    for name, text in shows.items():
        if name == "kind":  # one of a few words of ours
            kept[name] = text
            continue
        screened = await asyncio.to_thread(broker.screen.text, text, run.vault, provenance="tool")
        run.saw(screened.findings)
        kept[name] = screened.text
    return kept
