"""Budgets, approvals, exceptions, memory and feedback over the API, with people of every role."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio
import sqlalchemy as sa

from agents.catalog import templates
from guardrails.actor import Actor, pseudonym
from guardrails.audit.tables import ledger
from guardrails.policy.engine import parse
from tests.house import House, house
from tests.ui.api_client import client, events, served, with_accounts
from tests.upstream import Say
from ui.access import Role

pytestmark = pytest.mark.asyncio(loop_scope="module")
CALL: tuple[str, dict[str, object]] = ("python", {"code": "print('for <PERSON_1>')"})


@dataclass
class Open:
    """The product with one account per role."""

    house: House
    cookies: dict[Role, str]
    ids: dict[Role, str]

    @contextlib.asynccontextmanager
    async def as_(self, role: Role) -> AsyncIterator[httpx.AsyncClient]:
        cookie = f"atelier_session={self.cookies[role]}"
        async with client(served(self.house.app), cookie=cookie) as web:
            yield web

    def actor(self, role: Role) -> Actor:
        return Actor(self.ids[role], "", frozenset({role}))

    async def waits(self, text: str = "Compute for Claire Fontaine") -> Any:
        """A turn of the staff account that waits."""
        agent = templates()["email-drafter"].model_copy(
            update={"tools": ("python",), "data_class": "restricted"}
        )
        self.house.script(Say(tools=[CALL]), Say("It is 42, <PERSON_1>."))
        reply = await self.house.send(self.actor("staff"), text, agent)
        assert reply.status == "waiting", reply
        return reply


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def product(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Open]:
    home = tmp_path_factory.mktemp("home")
    async with house(home, recover=False, model_location="local") as one:
        cookies = with_accounts(one.app)
        accounts = {role: one.app.people.find(role) for role in cookies}
        ids = {role: account.id for role, account in accounts.items() if account}
        yield Open(one, cookies, ids)


async def test_an_approval_is_seen_decided_and_followed_by_its_person(product: Open) -> None:
    reply = await product.waits()
    async with product.as_("security") as web:
        page = (await web.get("/approvals")).json()
        assert page == {"decide": [], "waiting": []}
        answer = await web.post(f"/approvals/{reply.approvals[0].id}/approve", json={})
        assert (answer.status_code, answer.json()["code"]) == (404, "no-such-approval")
    async with product.as_("staff") as web:
        (row,) = (await web.get("/approvals")).json()["decide"]
        assert row["payload"] == {"code": "print('for Claire Fontaine')"}
        assert (row["approver"], row["mine"], row["may_decide"]) == ("self", True, True)
        kept = (await web.get(f"/conversations/{reply.conversation}")).json()
        assert kept["approvals"][0]["id"] == row["id"]
        assert kept["messages"][-1]["extra"]["status"] == "waiting"
        decided = await web.post(f"/approvals/{row['id']}/approve", json={"note": "fine"})
        assert decided.json()["state"] == "approved"
        sent = events(await web.get(f"/conversations/{reply.conversation}/events"))
        assert (sent[0].event, sent[-1].event) == ("begin", "reply")
        assert sent[-1].data["text"] == "It is 42, Claire Fontaine."
        again = await web.post(f"/approvals/{row['id']}/reject", json={})
        assert again.json()["code"] == "approval-over"
        idle = events(await web.get(f"/conversations/{reply.conversation}/events"))
        assert [one.event for one in idle] == ["begin", "idle"]


async def test_where_security_must_approve_it_sees_masked_arguments(product: Open) -> None:
    engine = product.house.app.policy
    source, rules = engine._source, engine.policies
    named = '@id("TL-03")\n@approver("security")'
    other = parse(rules.text.replace('@id("TL-03")', named), rules.schema_text)
    engine.follow(lambda: other)
    engine.activate(other)
    try:
        reply = await product.waits()
    finally:
        engine._source = source
        engine.activate(rules)
    identity = reply.approvals[0].id
    async with product.as_("staff") as web:
        page = (await web.get("/approvals")).json()
        assert page["decide"] == [] and page["waiting"][0]["approver"] == "security"
        answer = await web.post(f"/approvals/{identity}/approve", json={})
        assert (answer.status_code, answer.json()["code"]) == (403, "self-approval")
    async with product.as_("champion") as web:
        answer = await web.post(f"/approvals/{identity}/approve", json={})
        assert answer.json()["code"] == "not-approver"
    async with product.as_("security") as web:
        (row,) = (await web.get("/approvals")).json()["decide"]
        assert "Fontaine" not in json.dumps(row) and row["conversation"] == ""
        assert "PERSON" in row["payload"]["code"]
        note = {"note": "Ask Claire Fontaine first"}
        refused = (await web.post(f"/approvals/{identity}/reject", json=note)).json()
        assert refused["state"] == "rejected" and "Fontaine" not in refused["note"]


async def test_budgets_are_set_by_administrators_and_seen_by_their_person(product: Open) -> None:
    limit = {"scope": "person", "name": product.ids["staff"], "unit": "calls", "period": "day"}
    async with product.as_("staff") as web:
        assert (await web.put("/budgets", json={**limit, "most": 0})).status_code == 403
    async with product.as_("administrator") as web:
        assert (await web.put("/budgets", json={**limit, "most": 0})).json() == {"done": True}
        page = (await web.get("/budgets")).json()
        names = [one["name"] for one in page["budgets"]]
        assert pseudonym(product.house.app.keys, product.ids["staff"]) in names
    try:
        async with product.as_("staff") as web:
            answer = await web.post("/agents/email-drafter/messages", json={"text": "Hello"})
            reply = events(answer)[-1].data
            assert (reply["status"], reply["error"]) == ("blocked", "budget-used-up")
            assert "your own budget" in reply["message"]
            # the employee asks on, security grants, it works; then security ends it
            asked = {"rule": "BU-01", "trace_id": reply["trace_id"], "reason": "A late offer"}
            row = (await web.post("/exceptions", json=asked)).json()
            assert (row["state"], row["agent"], row["mine"]) == ("asked", "email-drafter", True)
            again = await web.post("/exceptions", json=asked)
            assert again.json()["code"] == "already-asked"
            hard = await web.post("/exceptions", json={**asked, "rule": "DP-04"})
            assert hard.json()["code"] == "rule-not-liftable"
        async with product.as_("champion") as web:
            other = await web.post("/exceptions", json={**asked, "rule": "MD-04"})
            assert other.json()["code"] == "trace-not-found"
            refused = await web.post(f"/exceptions/{row['id']}/grant", json={})
            assert refused.status_code == 403
            assert (await web.get("/exceptions")).json() == []
        async with product.as_("security") as web:
            granted = (await web.post(f"/exceptions/{row['id']}/grant", json={"days": 1})).json()
            assert granted["state"] == "granted" and granted["holds"]
        async with product.as_("staff") as web:
            product.house.script(Say("Hello."))
            answer = await web.post("/agents/email-drafter/messages", json={"text": "Hello"})
            assert events(answer)[-1].data["status"] == "done"
        async with product.as_("security") as web:
            assert not (await web.post(f"/exceptions/{row['id']}/end")).json()["holds"]
    finally:
        async with product.as_("administrator") as web:
            await web.put("/budgets", json={**limit, "most": None})


async def test_a_conversation_is_branched_answered_again_found_and_taken_along(
    product: Open,
) -> None:
    product.house.script(Say("Dear <PERSON_1>, see you."), Say("Dear <PERSON_1>, until then."))
    async with product.as_("staff") as web:
        text = {"text": "Write to Camille Durand about the zeppelin"}
        first = events(await web.post("/agents/email-drafter/messages", json=text))[-1].data
        conversation = first["conversation"]
        again = events(await web.post(f"/conversations/{conversation}/regenerate"))
        assert again[-1].data["text"] == "Dear Camille Durand, until then."
        whole = (await web.get(f"/conversations/{conversation}")).json()
        assert whole["messages"][1]["extra"]["earlier"][0]["text"].startswith("Dear Camille")
        made = (await web.post(f"/conversations/{conversation}/branch", json={"after": 2})).json()
        assert (made["parent"], made["parent_message"]) == (conversation, 2)
        nothing = await web.post(f"/conversations/{conversation}/branch", json={"after": 9})
        assert nothing.status_code == 404
        for words in ("zeppelin", "camille DURAND"):
            found = (await web.get("/conversations", params={"words": words})).json()
            assert {conversation, made["id"]} <= {one["id"] for one in found}, words
        assert (await web.get("/conversations", params={"words": "nowhere"})).json() == []
        md = await web.get(f"/conversations/{conversation}/export")
        assert "Dear Camille Durand, until then." in md.text
        assert md.headers["content-disposition"].startswith("attachment")
        taken = (await web.get(f"/conversations/{conversation}/export?format=json")).json()
        assert taken["messages"][1]["text"] == "Dear Camille Durand, until then."
    async with product.as_("security") as web:
        for path in ("export", "events"):
            assert (await web.get(f"/conversations/{conversation}/{path}")).status_code == 404
        for path in ("regenerate", "branch", "feedback"):
            body = {"after": 1} if path == "branch" else {"message": 2, "kind": "wrong"}
            answer = await web.post(f"/conversations/{conversation}/{path}", json=body)
            assert answer.status_code == 404, path


async def test_an_answer_that_looks_wrong_is_looked_at_by_a_human(product: Open) -> None:
    product.house.script(Say("Dear <PERSON_1>."))
    async with product.as_("staff") as web:
        text = {"text": "Write to Camille Durand"}
        reply = events(await web.post("/agents/email-drafter/messages", json=text))[-1].data
        path = f"/conversations/{reply['conversation']}/feedback"
        said = {"message": 2, "kind": "leaks", "note": "It names Camille Durand"}
        row = (await web.post(path, json=said)).json()
        assert (row["state"], row["trace_id"]) == ("open", reply["trace_id"])
        assert "Durand" not in row["note"] and row["request"] == ""
        assert (await web.get("/feedback")).status_code == 403
        assert (await web.post(path, json={**said, "message": 1})).status_code == 404
    async with product.as_("champion") as web:
        (seen,) = (await web.get("/feedback")).json()
        assert "<PERSON_1>" in seen["request"] and "Durand" not in json.dumps(seen)
        closed = await web.post(f"/feedback/{row['id']}/close", json={"answer": "Mended, thanks"})
        assert closed.json()["state"] == "closed"
        twice = await web.post(f"/feedback/{row['id']}/close", json={"answer": "Again"})
        assert twice.json()["code"] == "wrong-state"
        assert (await web.get("/feedback")).json() == []
    async with product.as_("staff") as web:
        (mine,) = (await web.get("/feedback/mine")).json()
        assert mine["answer"] == "Mended, thanks"


async def test_a_page_that_joins_late_sees_the_turn_from_its_beginning(product: Open) -> None:
    product.house.script(Say("one two three four five", delay=0.05))
    agent = templates()["email-drafter"]
    turn = product.house.app.sessions.send(actor=product.actor("staff"), agent=agent, text="Count")
    await anext(turn)
    conversation = next(iter(product.house.app.sessions.running))
    await asyncio.sleep(0.1)
    async with product.as_("staff") as web:
        sent = events(await web.get(f"/conversations/{conversation}/events"))
    assert "".join(one.data["text"] for one in sent if one.event == "delta") == (
        "one two three four five"
    )
    assert sent[-1].event == "reply"
    async for _event in turn:
        pass


async def test_answers_are_compared_blind_and_named_after_the_vote(product: Open) -> None:
    product.house.script(Say("An answer."))
    sides = [{"agent": "email-drafter"}, {"agent": "meeting-summariser"}]
    async with product.as_("staff") as web:
        sent = events(await web.post("/compare", json={"text": "Hello there", "sides": sides}))
        assert (sent[0].event, sent[-1].event) == ("begin", "done")
        assert sent[0].data["labels"] == ["A", "B"]
        replies = [one.data for one in sent if one.event == "reply"]
        assert sorted(one["label"] for one in replies) == ["A", "B"]
        assert all(one["status"] == "done" for one in replies)
        shown = json.dumps([one.data for one in sent])
        assert "email-drafter" not in shown and "openai" not in shown
        path = f"/compare/{sent[0].data['id']}"
        assert (await web.get(path)).json()["sides"] == []
        assert (await web.post(f"{path}/vote", json={"vote": "C"})).json()["code"] == "bad-vote"
        voted = (await web.post(f"{path}/vote", json={"vote": "A"})).json()
        assert {one["agent"] for one in voted["sides"]} == {"email-drafter", "meeting-summariser"}
        twice = await web.post(f"{path}/vote", json={"vote": "B"})
        assert twice.json()["code"] == "wrong-state"
        for one in voted["sides"]:
            assert (await web.get(f"/conversations/{one['conversation']}")).status_code == 200
        one_only = await web.post("/compare", json={"text": "Hello", "sides": sides[:1]})
        assert one_only.status_code == 422
    async with product.as_("champion") as web:
        assert (await web.get(path)).status_code == 404
    votes = sa.select(sa.func.count()).where(ledger.c.kind == "compare.vote")
    with product.house.app.engine.connect() as db:
        assert db.scalar(votes) == 1  # what was refused is nobody's vote, on record neither
