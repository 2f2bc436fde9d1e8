"""Duties of a decision are carried out: the mark, the shorter retention. And rules lifted."""

import struct
import time
import zlib

import pytest

from agents.catalog import templates
from agents.spec import AgentSpec
from guardrails.actor import Actor, pseudonym
from guardrails.errors import BadInput
from guardrails.policy.exceptions import HARD, liftable
from sandbox.marking import marked
from sandbox.shortened import purge_short
from tests.house import House
from tests.upstream import Say
from ui.routes.chat import whole

pytestmark = pytest.mark.asyncio(loop_scope="module")

OFFICER = frozenset({"security"})
PLOT = "import matplotlib.pyplot as p\np.plot([1, 2])\np.savefig('sales.png')\nprint('ok')"


@pytest.fixture(autouse=True)
def local(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Confidential and restricted data may go to a local model."""
    monkeypatch.setattr(home.app.models, "_location", "local")


def agent(data_class: str, *tools: str) -> AgentSpec:
    change = {"tools": tools, "data_class": data_class}
    return templates()["email-drafter"].model_copy(update=change)


def grant(home: House, actor: Actor, rule: str, agent: str = "", seconds: float = 60.0) -> str:
    asked = home.app.exceptions.ask(
        rule, by=pseudonym(home.app.keys, actor.id), agent=agent, reason="a study"
    )
    home.app.exceptions.decide(asked.id, True, by="p_officer", roles=OFFICER, seconds=seconds)
    return asked.id


async def test_a_confidential_answer_says_that_it_is_made_with_ai(
    home: House, marie: Actor
) -> None:
    home.script(Say("Here it is."))
    reply = await home.send(marie, "Write a line", agent("confidential"))
    assert reply.mark == "mark.ai-made-confidential"
    assert "notice.ai-made-confidential" in home.notices
    assert "Made with AI" in str(whole(reply, "en")["mark_text"])
    assert "Produit par une IA" in str(whole(reply, "fr")["mark_text"])
    assert reply.text == "Here it is."
    home.script(Say("Here it is."))
    assert (await home.send(marie, "Write a line", agent("internal"))).mark == ""


async def test_a_file_made_from_confidential_data_carries_the_mark(
    home: House, marie: Actor
) -> None:
    home.script(Say(tools=[("python", {"code": PLOT})]), Say("See the chart."))
    reply = await home.send(marie, "Plot it", agent("confidential", "python"))
    (made,) = reply.artefacts
    assert made.name == "sales (AI-made, confidential).png"
    data = home.app.sessions.artefact(made.id, marie.id).data
    assert b"trainedAlgorithmicMedia" in data
    at, kinds = 8, []
    while at < len(data):  # still a PNG, chunk by chunk
        (length,) = struct.unpack_from(">I", data, at)
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        (checksum,) = struct.unpack_from(">I", data, at + 8 + length)
        assert checksum == zlib.crc32(kind + body)
        kinds.append(kind)
        at += 12 + length
    assert kinds[:3] == [b"IHDR", b"iTXt", b"iTXt"] and kinds[-1] == b"IEND"


async def test_what_a_drawing_shows_is_told_to_its_person_and_kept_masked(
    home: House, marie: Actor
) -> None:
    code = "import matplotlib.pyplot as p\np.plot([1])\np.title('Leave of Claire Fontaine')"
    home.script(Say(tools=[("python", {"code": code})]), Say("Here."))
    asked = "Plot the leave of Claire Fontaine"
    reply = await home.send(marie, asked, agent("internal", "python"))
    (made,) = reply.artefacts
    assert made.shows == {"kind": "line", "title": "Leave of Claire Fontaine"}
    kept = home.app.conversations.messages(reply.conversation, marie.id)[-1].extra["artefacts"]
    assert kept[0]["shows"] == {"kind": "line", "title": "Leave of <PERSON_1>"}


@pytest.mark.parametrize(
    ("name", "kind", "data", "expected"),
    [
        ("a.txt", "text/plain", b"x\n", b"x\n\n(AI-made, public)\n"),
        ("a.csv", "text/csv", b"a,b\n", b"a,b\n"),
        ("a.png", "image/png", b"no picture", b"no picture"),
        ("a.jpg", "image/jpeg", b"\xff\xd8rest", None),
    ],
)
async def test_each_kind_of_file_is_marked_where_it_has_a_place(
    name: str, kind: str, data: bytes, expected: bytes | None
) -> None:
    shown, after = marked(name, kind, data, "public", "en")
    assert shown == f"a (AI-made, public).{name[2:]}"
    assert after == expected if expected is not None else after[2:4] == b"\xff\xfe"


async def test_a_restricted_conversation_is_kept_for_a_shorter_time(
    home: House, marie: Actor
) -> None:
    app = home.app
    home.script(Say("Noted, <PERSON_1>."))
    reply = await home.send(marie, "Note that Claire Fontaine called", agent("restricted"))
    other = await home.send(marie, "Note that Claire Fontaine called", agent("internal"))
    assert app.spans.flush()
    parts = (app.engine, app.conversations, app.sessions, app.ledger, app.record.retention)
    assert purge_short(*parts) == 0
    later = lambda: time.time() + 31 * 86_400  # noqa: E731
    hold = app.record.retention.hold(
        "conversation", reply.conversation, by="p_officer", reason="a dispute at court"
    )
    assert purge_short(*parts, clock=later) == 0  # a legal hold beats it
    app.record.retention.release(hold.id, by="p_officer")
    assert purge_short(*parts, clock=later) == 1
    with pytest.raises(BadInput):
        app.conversations.get(reply.conversation, marie.id)
    assert app.sessions.restore(reply.conversation, "<PERSON_1>") == "<PERSON_1>"
    assert app.conversations.get(other.conversation, marie.id)
    assert home.acts(reply.trace_id)  # who, what and the verdict stay


async def test_a_lifted_rule_is_lifted_for_that_person_agent_and_time_only(
    home: House, marie: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home.app.models, "_location", "other")
    secret = agent("restricted")
    home.script(Say("Here."))
    assert (await home.send(marie, "Hello", secret)).status == "blocked"
    grant(home, marie, "MD-03", secret.id)
    assert (await home.send(marie, "Hello", secret)).status == "done"
    open_class = agent("confidential")
    assert (await home.send(marie, "Hello", open_class)).status == "blocked"
    identity = grant(home, marie, "MD-04", open_class.id)
    assert (await home.send(marie, "Hello", open_class)).status == "done"
    assert (await home.send(Actor("u_other", "sales"), "Hello", open_class)).status == "blocked"
    other_agent = open_class.model_copy(update={"id": "another-agent"})
    assert (await home.send(marie, "Hello", other_agent)).status == "blocked"
    home.app.exceptions.end(identity, by="p_officer", roles=OFFICER)
    assert (await home.send(marie, "Hello", open_class)).status == "blocked"
    grant(home, marie, "MD-04", open_class.id)
    monkeypatch.setattr(home.app.exceptions, "_clock", lambda: time.time() + 61)
    assert (await home.send(marie, "Hello", open_class)).status == "blocked"


async def test_rules_about_secrets_and_failed_guards_are_never_lifted(
    home: House, marie: Actor
) -> None:
    policies = home.app.policy.policies
    for rule in (*HARD, "screen.injection", "screen.secret", "MD-05", "nonsense"):
        assert not liftable(policies, rule), rule
    assert liftable(policies, "MD-04") and liftable(policies, "BU-01")
    person = pseudonym(home.app.keys, marie.id)
    with pytest.raises(BadInput, match="rule-not-liftable"):
        home.app.exceptions.ask("DP-04", by=person, reason="please")


async def test_a_lifted_budget_lets_work_go_on_and_still_counts(home: House, marie: Actor) -> None:
    from guardrails.budgets import Budget

    busy = Actor("u_busy", "sales", frozenset({"staff"}))
    person = pseudonym(home.app.keys, busy.id)
    budget = Budget("person", person, "calls", "day", 0)
    home.app.budgets.set(budget)
    home.script(Say("Hello."))
    assert (await home.send(busy, "Hello")).error == "budget-used-up"
    grant(home, busy, "BU-01")
    assert (await home.send(busy, "Hello")).status == "done"
    (use,) = [one for one in home.app.budgets.uses() if one.budget == budget]
    assert use.used == 1
