"""A tool call leaves behind which rules decided and what they saw, as a model call does."""

import asyncio
import json

import pytest
import sqlalchemy as sa

from agents.catalog import templates
from guardrails.actor import Actor
from guardrails.audit import conventions
from guardrails.audit.tables import ledger
from sandbox.events import Reply
from tests.house import House
from tests.upstream import Say

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def asked(home: House, marie: Actor) -> Reply:
    home.script(Say(tools=[("calculator", {"expression": "6*7"})]), Say("It is 42."))
    agent = templates()["email-drafter"].model_copy(update={"tools": ("calculator",)})
    return await home.send(marie, "What is 6 times 7?", agent)


async def test_the_record_of_a_tool_call_names_the_rules_and_their_inputs(
    home: House, marie: Actor
) -> None:
    reply = await asked(home, marie)
    columns = ledger.c
    query = sa.select(ledger).where(
        columns.trace_id == reply.trace_id, columns.kind == "tool.call", columns.step == "intent"
    )
    with home.app.engine.connect() as db:
        row = db.execute(query).one()
        payload = home.app.ledger.sealer.open(db, row.subject, row.payload)
    assert payload is not None
    assert payload["policy_set"] == home.app.policy.policies.hash
    assert row.rule in str(payload["rules"])
    assert "'tool': 'calculator'" in str(payload["inputs"])


async def test_the_trace_of_a_tool_call_carries_the_same(home: House, marie: Actor) -> None:
    reply = await asked(home, marie)
    assert await asyncio.to_thread(home.app.spans.flush)
    trace = home.app.traces.get(reply.trace_id)
    assert trace is not None
    span = next(each for each in trace.spans if each.name == "execute_tool calculator")
    assert conventions.read(span.attributes, "policy_set") == home.app.policy.policies.hash
    inputs = json.loads(str(conventions.read(span.attributes, "inputs")))
    assert inputs["tool"] == "calculator"
