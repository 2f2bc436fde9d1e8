"""The first and the last check of a turn: what the person wrote, what the agent answered."""

import asyncio

from guardrails.errors import PolicyDenied
from guardrails.screen import policy_of
from sandbox.broker.run import Run
from sandbox.output_checks import check_answer
from sandbox.turn_parts import Parts


async def check_input(parts: Parts, run: Run, text: str) -> None:
    """Hop 3: what the person wrote becomes `run.masked`, or is refused. Raises PolicyDenied."""
    with run.step("guardrail", "input-check", "guardrail input") as step:
        policy = policy_of(run.agent.guard)
        screened = await asyncio.to_thread(
            parts.screen.text, text, run.vault, provenance="user", policy=policy
        )
        run.saw(screened.findings)
        run.masked = screened.text
        step.rule = screened.verdict.rule
        step.words["kinds"] = sorted({finding.kind for finding in screened.findings})
        step.detail["sent"] = screened.text[:4000]
        if screened.verdict.outcome == "deny":
            step.verdict = "blocked"
            orders = screened.verdict.rule == "screen.injection"
            code = "input-orders" if orders else "input-blocked"
            run.notice("blocked", f"notice.{code}", rule=screened.verdict.rule)
            raise PolicyDenied(code, rule=screened.verdict.rule)
        kinds = [finding.kind for finding in screened.findings if finding.kind != "INJECTION"]
        hidden = [kind for kind in kinds if policy.action(kind) != "allow"]
        if any(finding.kind == "INJECTION" for finding in screened.findings):
            step.verdict = "flagged"
            run.notice("flagged", "notice.injection")
        elif hidden:
            step.verdict = "masked"
        if hidden:
            run.notice("masked", "notice.masked", n=len(hidden), kinds=sorted(set(hidden)))


async def check_output(parts: Parts, run: Run, text: str) -> str:
    """Hop 9: the child's last word is screened like everything else that it says.

    Raises PolicyDenied.
    """
    with run.step("guardrail", "output-check", "guardrail output") as step:

        def look() -> str:
            screened = parts.screen.text(text, run.vault, provenance="model", masked=True)
            run.saw(screened.findings)
            step.rule = screened.verdict.rule
            if screened.verdict.outcome == "deny":
                step.verdict = "blocked"
                raise PolicyDenied("output-blocked", rule=screened.verdict.rule)
            check_answer(screened.text, run, step, parts.embedder)
            return screened.text

        return await asyncio.to_thread(look)
