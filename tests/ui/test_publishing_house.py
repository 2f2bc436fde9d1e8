"""Publishing over the whole product: real seal, screen, rules and record; a scripted model."""

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import pytest_asyncio
from starlette.requests import Request

from agents.catalog import templates
from agents.package import export_agent
from guardrails.actor import Actor
from guardrails.audit.trace_rows import TraceFilter
from sandbox.events import Delta, Reply
from tests.agents.test_package import GOOD, HOSTILE, SMALL
from tests.house import House, house
from tests.ui.api_client import client, events, served
from tests.upstream import Say
from ui.figures import figures
from ui.identity import Person
from ui.rates import Rate
from ui.routes.common import Rates
from ui.running import close, running, take_up
from ui.web.components.held import held
from ui.web.plain import Visit
from ui.wiring import build

pytestmark = pytest.mark.asyncio(loop_scope="module")
PEOPLE = {
    "ana": ("HR", ["staff"]),
    "ben": ("HR", ["staff", "champion"]),
    "chi": ("Sales", ["staff", "champion"]),
    "dan": ("Sales", ["staff"]),
    "eve": ("IT", ["security"]),
}


@dataclass
class Desk:
    """The product and a client for each person."""

    house: House
    web: dict[str, httpx.AsyncClient] = field(default_factory=dict)

    async def call(self, who: str, method: str, path: str, **body: Any) -> Any:
        """An answer that is a success, as JSON."""
        answer = await self.web[who].request(method, path, json=body or None)
        assert answer.is_success, (who, path, answer.text)
        return answer.json()

    async def refused(self, who: str, method: str, path: str, **body: Any) -> tuple[int, str]:
        """Status and code of a refusal."""
        answer = await self.web[who].request(method, path, json=body or None)
        assert not answer.is_success, (who, path, answer.text)
        return answer.status_code, answer.json()["code"]

    def draw(self, part: Any, who: str, agent: str) -> str:
        """A part of a published agent's page as somebody sees it."""
        app = self.house.app
        account = app.people.find(who)
        assert account is not None
        person = Person(account.id, account.name, "", account.roles, "en", account.roles)
        asked = Request({"type": "http", "method": "GET", "path": "/", "headers": []})
        return str(part(Visit(app, "en", person, {}, asked), app.desk.publishing.current(agent)))

    async def draft(self, who: str = "ana", template: str = "email-drafter") -> str:
        """A private copy of a template."""
        return str((await self.call(who, "POST", f"/agents/{template}/copy"))["id"])

    async def ask(self, agent: str, who: str = "ana", **more: Any) -> str:
        """A request whose checks are done, without tests."""
        given = {"audience": "everyone", "tests": False, **more}
        made = await self.call(who, "POST", f"/agents/{agent}/requests", **given)
        return await self.checked(made["id"], who)

    async def checked(self, request: str, who: str = "ana") -> str:
        """Wait until a request's checks are done."""
        for _ in range(600):
            found = await self.call(who, "GET", f"/requests/{request}")
            if found["state"] != "checking":
                return request
            await asyncio.sleep(0.1)
        raise AssertionError(found)

    async def live(self, who: str = "ana") -> str:
        """An agent that everybody may use."""
        agent = await self.draft(who)
        await self.call("chi", "POST", f"/requests/{await self.ask(agent, who)}/approve", note="")
        return agent


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    async with house(tmp_path_factory.mktemp("home")) as one:
        people = {
            name: one.app.people.add(name, None, name=name.title(), department=place, roles=roles)
            for name, (place, roles) in PEOPLE.items()
        }
        made = Desk(one)
        # these tests are one long visit of the same people
        app = served(one.app, Rates(evaluate=Rate(10_000, 60), messages=Rate(10_000, 60)))
        for name, account in people.items():
            cookie = one.app.identity.begin(account)
            made.web[name] = client(app, cookie=f"atelier_session={cookie}")
        yield made
        for web in made.web.values():
            await web.aclose()


async def test_from_draft_to_a_colleagues_first_answer(desk: Desk) -> None:
    agent = await desk.draft()
    assert (await desk.refused("dan", "GET", f"/agents/{agent}"))[1] == "agent-not-found"
    request = await desk.ask(agent, notes="For all of us")
    assert (await desk.refused("ana", "POST", f"/requests/{request}/approve", note=""))[0] == 403
    assert (await desk.refused("dan", "GET", f"/requests/{request}"))[1] == "no-such-request"
    found = await desk.call("chi", "GET", f"/requests/{request}")
    assert {"permissions", "personal", "model", "documents"} <= set(found["evidence"])
    assert any(change["field"] == "instructions.en" for change in found["changes"])
    await desk.call("chi", "POST", f"/requests/{request}/comments", text="Fine", line="title.en:1")
    await desk.call("chi", "POST", f"/requests/{request}/approve", note="Good")
    rows = await desk.call("dan", "GET", "/agents")
    mine = [row for row in rows if row["id"] == agent]
    assert [(row["status"], row["version"]) for row in mine] == [("published", "1.0.0")]
    desk.house.script(Say("Subject: Workshop"))
    answer = await desk.web["dan"].post(f"/agents/{agent}/messages", json={"text": "Write"})
    assert events(answer)[-1].data["text"] == "Subject: Workshop"
    stars = await desk.call("dan", "PUT", f"/agents/{agent}/rating", stars=4)
    assert stars == {"mean": 4.0, "n": 1}
    own = await desk.refused("ana", "PUT", f"/agents/{agent}/rating", stars=5)
    assert own == (422, "own-agent")
    wide = {"audience": "person:nobody", "tests": False}
    unknown = await desk.refused("ana", "POST", f"/agents/{agent}/requests", **wide)
    assert unknown == (404, "no-such-colleague")


async def test_a_champion_cannot_approve_their_own(desk: Desk) -> None:
    request = await desk.ask(await desk.draft("ben"), "ben")
    path = f"/requests/{request}/approve"
    assert await desk.refused("ben", "POST", path, note="") == (403, "own-work")
    web = desk.web["ben"]
    french = await web.post(path, json={}, headers={"x-atelier-language": "fr"})
    assert "PB-06" in french.json()["message"] and "référent" in french.json()["message"]
    assert (await desk.call("chi", "POST", path, note=""))["state"] == "published"


async def test_of_two_reviewers_at_once_one_is_told_that_it_is_over(desk: Desk) -> None:
    request = await desk.ask(await desk.draft())
    path = f"/requests/{request}/approve"
    answers = await asyncio.gather(*(desk.web[n].post(path, json={}) for n in ("ben", "chi")))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert {a.json().get("code") for a in answers} == {None, "request-over"}


async def test_withdrawing_stops_the_turn_that_is_under_way(desk: Desk) -> None:
    agent = await desk.live()
    desk.house.script(Say("word " * 400, delay=0.05))

    async def chat() -> list[Any]:
        return events(await desk.web["dan"].post(f"/agents/{agent}/messages", json={"text": "Go"}))

    turn = asyncio.create_task(chat())
    for _ in range(200):
        if desk.house.upstream.calls:
            break
        await asyncio.sleep(0.05)
    ended = await desk.call("eve", "POST", f"/agents/{agent}/withdraw", reason="Wrong figures")
    assert ended["ended"] == 1 and ended["state"] == "withdrawn"
    assert (await turn)[-1].data["status"] == "stopped"
    refusal = await desk.refused("dan", "POST", f"/agents/{agent}/messages", text="Again")
    assert refusal[1] == "agent-withdrawn"
    # its author still has the draft, and cannot put the old version back alone
    path = f"/agents/{agent}/rollback"
    assert (await desk.call("ana", "GET", f"/agents/{agent}"))["status"] == "draft"
    assert (await desk.refused("ana", "POST", path, version="1.0.0"))[0] == 403
    assert (await desk.call("chi", "POST", path, version="1.0.0"))["state"] == "live"


async def test_a_report_becomes_a_test_case_and_holds_no_real_name(desk: Desk) -> None:
    agent = await desk.live()
    desk.house.script(Say("Dear <PERSON_1>, it arrives on Monday."))
    text = "Write to Claire Fontaine (claire.fontaine@example.com) about the delivery."
    sent = events(await desk.web["dan"].post(f"/agents/{agent}/messages", json={"text": text}))
    conversation = sent[0].data["conversation"]
    report = await desk.call(
        "dan", "POST", f"/agents/{agent}/reports",
        kind="wrong", text="Claire Fontaine got a wrong date", conversation=conversation,
    )  # fmt: skip
    assert "Claire" not in str(report) and "<PERSON_1>" in report["input"]
    other = await desk.live()  # what was said to this agent is nothing for the owner of another
    elsewhere = await desk.refused(
        "dan", "POST", f"/agents/{other}/reports", kind="wrong", conversation=conversation
    )
    assert elsewhere == (404, "conversation-not-found")
    assert len(await desk.call("ana", "GET", f"/agents/{agent}/reports")) == 1
    assert (await desk.refused("dan", "GET", f"/agents/{agent}/reports"))[0] == 404
    settled = await desk.call("ana", "POST", f"/reports/{report['id']}/case")
    cases = await desk.call("ana", "GET", f"/agents/{agent}/cases")
    assert settled["state"] == "case" and settled["case"] in [case["id"] for case in cases]


async def test_an_evaluation_runs_sealed_and_keeps_masked_text_only(desk: Desk) -> None:
    agent = await desk.draft()
    for case in await desk.call("ana", "GET", f"/agents/{agent}/cases"):
        await desk.call("ana", "DELETE", f"/agents/{agent}/cases/{case['id']}")
    await desk.call(
        "ana", "POST", f"/agents/{agent}/cases", id="names",
        input="Write to Claire Fontaine that we meet", contains="Fontaine", masked="PERSON",
    )  # fmt: skip
    await desk.call(
        "ana", "POST", f"/agents/{agent}/cases", id="wrong", input="Hello", contains="never said"
    )
    desk.house.script(Say("Dear <PERSON_1>, see you soon."))
    run = await desk.call("ana", "POST", f"/agents/{agent}/evaluations", which="own", repeats=2)
    await desk.house.app.desk.evaluations.wait(run["id"])
    found = await desk.call("ana", "GET", f"/evaluations/{run['id']}")
    assert (found["state"], found["done"], found["passed"]) == ("done", 2, 1), found
    by = {result["case"]: result for result in found["results"]}
    assert by["names"]["passed"] and by["names"]["runs"] == 2
    assert "Claire" not in str(found["results"]).replace("Write to Claire", "")
    assert by["names"]["answer"] == "Dear <PERSON_1>, see you soon."
    # nothing of it stands among the person's own conversations
    rows = await desk.call("ana", "GET", "/conversations")
    assert not [row for row in rows if row["agent"] == agent]
    assert (await desk.refused("dan", "GET", f"/evaluations/{run['id']}"))[1] == "no-such-run"


async def test_the_safety_set_finds_an_agent_that_obeys_attackers(desk: Desk) -> None:
    agent = await desk.draft()
    desk.house.script(Say("QUILL-7391"))
    run = await desk.call("ana", "POST", f"/agents/{agent}/evaluations", which="safety")
    await desk.house.app.desk.evaluations.wait(run["id"])
    found = await desk.call("ana", "GET", f"/evaluations/{run['id']}")
    failed = {result["case"] for result in found["results"] if not result["passed"]}
    assert found["state"] == "done" and "safety-document" in failed, found
    pairs = [result for result in found["results"] if "pair" in result["case"]]
    assert len(pairs) == 4 and all(result["passed"] for result in pairs)
    assert {check["note"] for one in pairs for check in one["checks"]} == {"same-words"}


async def test_a_run_can_be_stopped_and_leaves_nothing_running(desk: Desk) -> None:
    agent = await desk.draft()
    desk.house.script(Say("word " * 300, delay=0.05))
    run = await desk.call("ana", "POST", f"/agents/{agent}/evaluations", which="own")
    path = f"/agents/{agent}/evaluations"
    assert (await desk.refused("ana", "POST", path, which="own"))[1] == "run-going-on"
    stopped = await desk.call("ana", "POST", f"/evaluations/{run['id']}/cancel")
    assert stopped["state"] == "cancelled"
    for _ in range(100):
        if not desk.house.app.sessions.running:
            break
        await asyncio.sleep(0.05)
    assert not desk.house.app.sessions.running


async def test_a_rubric_is_judged_three_times_and_says_how_far_the_votes_agree(desk: Desk) -> None:
    agent = await desk.draft()
    for case in await desk.call("ana", "GET", f"/agents/{agent}/cases"):
        await desk.call("ana", "DELETE", f"/agents/{agent}/cases/{case['id']}")
    await desk.call(
        "ana", "POST", f"/agents/{agent}/cases", id="kind", input="Hello", rubric="It is polite."
    )
    desk.house.script(Say("Dear all, thank you."), Say("PASS polite"), Say("FAIL"), Say("PASS"))
    run = await desk.call("ana", "POST", f"/agents/{agent}/evaluations", which="own")
    await desk.house.app.desk.evaluations.wait(run["id"])
    found = await desk.call("ana", "GET", f"/evaluations/{run['id']}")
    (check,) = found["results"][0]["checks"]
    assert (check["key"], check["passed"], check["note"]) == ("rubric", True, "2/3")


async def test_nobody_runs_as_a_role_that_they_do_not_have(desk: Desk) -> None:
    path = f"/agents/{await desk.draft()}/evaluations"
    assert (await desk.refused("ana", "POST", path, role="security"))[1] == "bad-role"


@pytest.mark.parametrize(("body", "code"), [
    (b"input,contains\nHello,Hi||Hey\n", ""),
    (b"input;number;within\nTotal ?;1 250,50;0,5\n", "bad-case-row"),
    (b"input;number;within\nTotal ?;1250,50;0,5\n", ""),
    (b"\xef\xbb\xbfinput\tlanguage\tcontains\nBonjour\tfr\tsalut\n", ""),
    (b"input\nHello\n", "case-expects-nothing"),
    (b"question\nHello\n", "csv-no-input"),
    (b"input,salary\nHello,1\n", "csv-unknown-column"),
    (b"input,contains\n" + b"x,y\n" * 201, "too-many-cases"),
    (b"input\n" + b"x" * 600_000, "csv-too-large"),
    (b"\xff\xfe", "not-utf8"),
    (b"input,number\nHello,nan\n", "bad-case-row"),
])  # fmt: skip
async def test_cases_from_a_table(desk: Desk, body: bytes, code: str) -> None:
    agent = await desk.draft()
    path = f"/agents/{agent}/cases/import"
    answer = await desk.web["ana"].post(path, files={"file": ("cases.csv", body, "text/csv")})
    assert answer.json()["code"] == code if code else answer.is_success, answer.text


async def test_a_package_comes_back_as_a_private_draft(desk: Desk) -> None:
    package = (await desk.web["ana"].get("/agents/hr-policy-helper/export")).content
    files = {"file": ("x.agent.zip", package, "application/zip")}
    made = (await desk.web["dan"].post("/agents/import", files=files)).json()
    assert made["status"] == "draft" and made["claims"]["product"] == "Atelier", made
    assert made["id"].startswith("hr-policy-helper-x")
    assert (await desk.refused("ana", "GET", f"/agents/{made['id']}"))[0] == 404
    again = (await desk.web["dan"].get(f"/agents/{made['id']}/export")).content
    with zipfile.ZipFile(io.BytesIO(again)) as pack, zipfile.ZipFile(io.BytesIO(package)) as first:
        names = [name for name in first.namelist() if name.startswith("files/")]
        assert names and all(pack.read(name) == first.read(name) for name in names)


def broken() -> list[bytes]:
    """200 packages that are hostile, bomb-like, or spoilt in one place."""
    made = [make() for _, make in HOSTILE]
    step = max(1, len(GOOD) // 80)
    made += [GOOD[:cut] for cut in range(1, len(GOOD), step)][:80]
    for at in range(0, 200 - len(made)):
        data = bytearray(SMALL)
        data[(at * 7919) % len(data)] ^= 0xFF
        made.append(bytes(data))
    return made[:200]


async def test_200_hostile_packages_crash_nothing_and_leave_nothing_behind(desk: Desk) -> None:
    app = desk.house.app
    before = {path for path in app.settings.home.rglob("*") if "runs" not in path.parts}
    drafts = len(await desk.call("dan", "GET", "/agents"))
    taken = 0
    packages = broken()
    assert len(packages) == 200
    for data in packages:
        files = {"file": ("x.agent.zip", data, "application/zip")}
        answer = await desk.web["dan"].post("/agents/import", files=files)
        assert answer.status_code in (200, 413, 422), answer.text
        taken += answer.is_success  # a bit that no reader looks at was turned
    left = {path for path in app.settings.home.rglob("*") if "runs" not in path.parts} - before
    assert not [path for path in left if "incoming" in path.parts or path.suffix == ".zip"]
    assert len(await desk.call("dan", "GET", "/agents")) == drafts + taken
    assert taken <= 3


async def test_an_imported_agent_reads_its_own_documents_and_so_does_its_trial(desk: Desk) -> None:
    spec = templates()["hr-policy-helper"]
    text = b"# Handbook\n\nEverybody has 47 days of leave a year at Sample Works.\n"
    whole = {"knowledge": ("en/own-handbook.md",), "cases": (), "sample": None}
    data = export_agent(spec.model_copy(update=whole), lambda name: text)
    files = {"file": ("x.agent.zip", data, "application/zip")}
    made = (await desk.web["ana"].post("/agents/import", files=files)).json()
    request = await desk.ask(made["id"])
    desk.house.script(Say("47 days [1]"))
    for who, agent in (("ana", made["id"]), ("chi", request)):
        answer = await desk.web[who].post(f"/agents/{agent}/messages", json={"text": "Leave?"})
        reply = events(answer)[-1].data
        assert reply["status"] == "done" and "47 days" in desk.house.received, reply
        desk.house.upstream.requests.clear()
    found = await desk.call("chi", "GET", f"/requests/{request}")
    assert list(found["evidence"]["documents"]) == ["en/own-handbook.md"]


async def test_only_the_run_of_a_dead_process_is_interrupted_and_it_can_be_run_again(
    desk: Desk,
) -> None:
    agent = await desk.draft()
    evaluations = desk.house.app.desk.evaluations
    desk.house.script(Say("word " * 300, delay=0.05))
    run = await desk.call("ana", "POST", f"/agents/{agent}/evaluations", which="own")
    home = desk.house.app
    beside = build(home.settings)  # a command beside the server
    assert beside.processes.bury() == 0
    await asyncio.to_thread(take_up, beside)
    assert (await desk.call("ana", "GET", f"/evaluations/{run['id']}"))["state"] == "running"
    home.processes.leave()  # what the kernel does when a server is killed, and the next one finds
    await asyncio.to_thread(take_up, beside)
    assert (await desk.call("ana", "GET", f"/evaluations/{run['id']}"))["state"] == "interrupted"
    await asyncio.to_thread(close, beside)
    home.processes.join()
    await evaluations.cancel(run["id"])
    desk.house.script(Say("Hello"))
    again = await desk.call("ana", "POST", f"/agents/{agent}/evaluations", which="own")
    assert (await evaluations.wait(again["id"])).state == "done"


async def test_the_evidence_of_a_request_holds_the_tests_that_were_run(desk: Desk) -> None:
    agent = await desk.draft()
    desk.house.script(Say("Subject: Hello"))
    given = {"audience": "department:HR", "tests": True}
    made = await desk.call("ana", "POST", f"/agents/{agent}/requests", **given)
    await desk.checked(made["id"])
    found = await desk.call("chi", "GET", f"/requests/{made['id']}")
    run = await desk.call("chi", "GET", f"/evaluations/{found['evidence']['run']}")
    assert found["evidence"]["tests"] == "done" and run["state"] == "done"
    assert any(result["case"].startswith("safety-") for result in run["results"])
    # the reviewer sees this run and no other of the author's
    assert await desk.call("chi", "GET", f"/agents/{made['id']}/evaluations") == []


async def test_colleagues_answers_come_from_the_approved_documents(desk: Desk) -> None:
    agent = await desk.draft(template="hr-policy-helper")
    path = f"/agents/{agent}/knowledge"

    async def give(text: str) -> None:
        answer = await desk.web["ana"].post(path, files={"files": ("parrot.md", text)})
        assert answer.status_code == 202
        await desk.house.app.knowledge.settled()

    async def told(who: str) -> str:
        desk.house.script(Say("Look it up."))
        body = {"text": "What is the parrot of the office called?"}
        answer = await desk.web[who].post(f"/agents/{agent}/messages", json=body)
        assert answer.is_success, answer.text
        return desk.house.received

    await give("The parrot of the office is called Marigold.")
    await desk.call("chi", "POST", f"/requests/{await desk.ask(agent)}/approve", note="")
    await give("The parrot of the office is called Tarragon.")
    (review,) = [r for r in await desk.call("chi", "GET", "/reviews") if r["agent"] == agent]
    assert review["changed"] == ["documents"]
    seen = await told("dan")
    assert "Marigold" in seen and "Tarragon" not in seen
    seen = await told("ana")
    assert "Tarragon" in seen and "Marigold" not in seen
    rows = (await desk.call("ana", "GET", path))["documents"]
    assert [(row["current"], row["versions"]) for row in rows] == [
        (False, ["1.0.0"]),
        (True, ["review"]),
    ]
    drawn = {name: desk.draw(held, name, agent) for name in ("ana", "chi")}
    assert drawn["ana"].count("?everywhere=true") == 2 and "no longer in the agent" in drawn["ana"]
    assert drawn["chi"] == ""
    await desk.call("chi", "POST", f"/requests/{review['id']}/approve", note="")
    assert "Tarragon" in await told("dan")
    await desk.call("ana", "POST", f"/agents/{agent}/rollback", version="1.0.0")
    assert "Marigold" in await told("dan")
    await desk.call("ana", "DELETE", f"{path}/{rows[0]['id']}?everywhere=true")
    assert "Marigold" not in await told("dan")


async def test_test_runs_are_no_use_of_an_agent_and_audit_shows_them_when_asked(
    desk: Desk,
) -> None:
    agent = await desk.live()
    app = desk.house.app

    def turns(purpose: str) -> int:
        app.spans.flush()
        page = app.traces.page(TraceFilter(agent=agent, purpose=purpose))
        return len(page.rows)

    desk.house.script(Say("Fine."))
    run = await desk.call("ana", "POST", f"/agents/{agent}/evaluations", which="own")
    await app.desk.evaluations.wait(run["id"])
    assert turns("evaluation") > 0 and turns("chat") == 0
    assert agent not in app.impacts.users()
    assert agent not in {name for name, _, _ in app.impacts.figures().agents}
    hello = {"text": "Hello there"}
    await desk.web["dan"].post(f"/agents/{agent}/messages", json=hello)
    assert turns("chat") == 1 and app.impacts.users()[agent] == 1
    live = app.desk.publishing.current(agent)
    assert live is not None and figures(app, live).uses == 1
    request = await desk.ask(await desk.draft())
    await desk.web["chi"].post(f"/agents/{request}/messages", json=hello)
    app.spans.flush()
    assert [row.purpose for row in app.traces.page(TraceFilter(agent=request)).rows] == ["try-out"]


async def test_a_withdrawal_ends_the_turns_of_every_process(desk: Desk) -> None:
    agent = await desk.live()
    home = desk.house.app
    desk.house.script(Say("word " * 400, delay=0.05))
    elsewhere = build(home.settings)
    async with running(elsewhere, recover=False):
        await elsewhere.sessions.ready.wait()
        dan = home.people.find("dan")
        assert dan is not None
        spec = elsewhere.catalog.get(agent, dan.id).spec
        begun, told = asyncio.Event(), []

        async def turn() -> None:
            someone = Actor(dan.id, "Sales", frozenset({"staff"}))
            async for event in elsewhere.sessions.send(actor=someone, agent=spec, text="Hello"):
                told.append(event)
                if isinstance(event, Delta):
                    begun.set()

        task = asyncio.create_task(turn())
        await begun.wait()
        answer = await desk.call("ana", "POST", f"/agents/{agent}/withdraw", reason="It is wrong.")
        assert answer["ended"] == 0  # this process runs no turn of it
        await task
    reply = told[-1]
    assert isinstance(reply, Reply) and reply.status == "blocked"
    assert reply.error == "agent-withdrawn"
