"""The story of the canary tests: everybody uses the product along every path, once."""

import asyncio
import io
import json
import logging
import re
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import (
    ExitStack,
    asynccontextmanager,
    contextmanager,
    redirect_stderr,
    redirect_stdout,
)
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.types import ASGIApp

from agents.catalog import templates
from agents.spec import Lines, Text
from guardrails.policy.engine import parse
from tests.house import House, house
from tests.ui.api_client import BASE, events
from tests.ui.canaries import (
    DRAFT,
    FILED,
    IBAN,
    KEY,
    MAIL,
    NAME,
    PUBLIC,
    TOKEN,
    WORDS,
    Receiver,
    receiving,
    shown,
)  # fmt: skip
from tests.upstream import Say
from ui.api import ROUTERS
from ui.api import build as api
from ui.door import Door
from ui.front import Front
from ui.rates import Rate
from ui.routes.common import Rates
from ui.serve import _config
from ui.web import nav, plain
from ui.web.app import _look
from ui.web.shell import Shell, refused_as

PEOPLE = {
    "ana": ("HR", ["staff"]),  # whose data it is
    "chi": ("Sales", ["staff", "champion"]),
    "dan": ("Sales", ["staff"]),
    "eve": ("IT", ["security"]),
    "fay": ("IT", ["security"]),
    "adm": ("IT", ["administrator"]),
}
OTHERS = ("chi", "dan", "fay", "adm")
MUCH = Rate(10_000, 60)
ECHO = (
    f"print('Contact: Mrs {NAME}, {MAIL}, IBAN {IBAN}')\n"
    f"open('Dossier Mrs {NAME}.csv', 'w').write('name,mail\\n{NAME},{MAIL}')"
)


def site(app: Any) -> ASGIApp:
    """The API and the plain pages as `ui.web.app.build` puts them together, without Gradio: its
    one page shows people their own drafts only."""
    parent = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    parent.mount("/api/v1", api(app, Rates(evaluate=MUCH, messages=MUCH, exports=MUCH)))
    shell = Shell(parent, identity=app.identity, look=_look(app), plain=plain.renderer(app))
    return Door(shell, identity=app.identity, limit_mib=25, refused=refused_as)


class Log(logging.Handler):
    """What is logged, with everything that goes along."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.said: list[str] = []
        self.own = [BASE]

    def emit(self, record: logging.LogRecord) -> None:
        text = f"{record.name} {self.format(record)} {record.__dict__}"
        # our own clients say what they ask for
        if record.name != "httpx" or not any(one in text for one in self.own):
            self.said.append(text)


@dataclass
class Story:
    """What was done, and where to look."""

    house: House
    receiver: Receiver
    web: dict[str, httpx.AsyncClient] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    sent: list[bytes] = field(default_factory=list)  # bodies that the model's server got
    log: Log = field(default_factory=Log)
    printed: io.StringIO = field(default_factory=io.StringIO)
    refusals: list[str] = field(default_factory=list)
    told: str = ""  # what a colleague got of the published agent
    personal: dict[str, dict[str, int]] = field(default_factory=dict)  # what the check flagged
    seen: dict[tuple[str, str, str], str] = field(default_factory=dict)  # by the others
    exported: dict[str, bytes] = field(default_factory=dict)

    def script(self, *says: Say) -> None:
        """What the model answers from now on; what it was asked is kept."""
        self.sent += self.house.upstream.requests
        self.house.script(*says)

    async def call(self, who: str, method: str, path: str, **given: Any) -> Any:
        """An answer that is a success, as JSON."""
        files = given.pop("files", None)
        body: dict[str, Any] = {"files": files, "data": given} if files else {"json": given}
        answer = await self.web[who].request(method, f"/api/v1{path}", **body)
        assert answer.is_success, (who, path, answer.text)
        return answer.json()

    async def refused(self, who: str, method: str, path: str, **given: Any) -> str:
        """The code of a refusal, whose words are looked at later."""
        answer = await self.web[who].request(method, f"/api/v1{path}", json=given or None)
        assert not answer.is_success, (who, path)
        self.refusals.append(answer.text)
        return str(answer.json()["code"])

    async def say(self, who: str, agent: str, text: str, files: Any = None, **more: str) -> Any:
        """One message; the last event's data, with the conversation."""
        path = f"/api/v1/agents/{agent}/messages"
        form = {"data": {"text": text, **more}, "files": files} if files else {}
        answer = await self.web[who].post(path, **(form or {"json": {"text": text, **more}}))
        sent = events(answer)
        assert sent, answer.text
        return {**sent[-1].data, "conversation": sent[0].data["conversation"]}

    async def posted(self, path: str) -> None:
        """Wait until something arrived there: spans go out behind the answers."""
        for _ in range(600):
            if any(found == path for found, _ in self.receiver.posted):
                return
            await asyncio.sleep(0.05)
        raise AssertionError(path)

    async def until(self, who: str, path: str, over: tuple[str, ...]) -> Any:
        """Wait for a state."""
        for _ in range(600):
            found = await self.call(who, "GET", path)
            if found["state"] in over:
                return found
            await asyncio.sleep(0.05)
        raise AssertionError(found)


async def writes(story: Story) -> None:
    """Messages, files, tools, feedback, what goes wrong."""
    story.script(Say("Dear <PERSON_1>, noted."))
    reply = await story.say("ana", "email-drafter", WORDS)
    assert reply["status"] == "done" and "Vauquelin" in reply["text"], reply
    story.ids |= {"conversation": reply["conversation"], "trace_id": reply["trace_id"]}
    more = await story.say("ana", "email-drafter", "And again?", conversation=reply["conversation"])
    assert more["status"] == "done"
    await story.say("ana", "email-drafter", f"My key is {KEY}, is it valid?")
    # a file: its name, its content, what a tool is asked and finds
    story.script(Say(tools=[("python", {"code": ECHO})]), Say("Mrs <PERSON_1> is in row 1."))
    table = f"name,mail,iban\n{NAME},{MAIL},{IBAN}\n".encode()
    files = [("files", (f"Dossier {NAME} {MAIL}.csv", table, "text/csv"))]
    found = await story.say("ana", "spreadsheet-analyst", f"Who is {NAME}?", files)
    assert found["status"] == "done", found
    # somebody of security decides about a tool; they see masked arguments
    story.script(Say(tools=[("python", {"code": ECHO})]), Say("Done, <PERSON_1>."))
    waits = await story.say("ana", story.ids["asking"], WORDS)
    assert waits["status"] == "waiting", waits
    (asked,) = (await story.call("eve", "GET", "/approvals"))["decide"]
    story.ids["approval"] = asked["id"]
    path = f"/approvals/{asked['id']}"
    assert shown(json.dumps(await story.call("eve", "GET", path))) == []
    await story.call("eve", "POST", f"{path}/approve", note=f"Ask {NAME} ({MAIL}) first")
    await story.web["ana"].get(f"/api/v1/conversations/{waits['conversation']}/events")
    # an opinion, for a reviewer
    about = f"{NAME} ({MAIL}) is not {NAME}"
    path = f"/conversations/{reply['conversation']}/feedback"
    await story.call("ana", "POST", path, message=2, kind="wrong", note=about)
    await story.call("chi", "GET", "/feedback")
    # two answers side by side
    story.script(Say("Hello <PERSON_1>."))
    sides = [{"agent": "email-drafter"}, {"agent": "customer-reply"}]
    answer = await story.web["ana"].post("/api/v1/compare", json={"text": WORDS, "sides": sides})
    story.ids["comparison"] = events(answer)[0].data["id"]
    note = f"{NAME} is better"
    path = f"/compare/{story.ids['comparison']}/vote"
    await story.call("ana", "POST", path, vote="A", note=note)
    # what goes wrong at the model's side, and what a model makes up
    story.script(Say(status=500))
    assert (await story.say("ana", "email-drafter", WORDS))["status"] == "failed"
    story.script(Say(WORDS, fault="garbage"))
    await story.say("ana", "email-drafter", WORDS + " Thank you.")


async def shares(story: Story) -> None:
    """An agent with personal data in its texts: drafts, cases, the check, reviews, reports."""
    agent = story.ids["agent"]
    await story.call(
        "ana", "POST", f"/agents/{agent}/knowledge",
        files=[("files", (f"Dossier {FILED}.md", f"# Note\n\n{WORDS}".encode(), "text/markdown"))],
    )  # fmt: skip
    await story.house.app.knowledge.settled()
    story.script(Say("Her IBAN is <IBAN_CODE_1> [1]."))
    known = await story.say("ana", agent, "Which IBAN has the lady of the note?")
    assert known["status"] == "done", known
    await story.call(
        "ana", "POST", f"/agents/{agent}/cases", input=f"Who is Mr {PUBLIC}?", contains="Mr"
    )
    rows = f'input,contains\n"Greet Mr {PUBLIC}, please",Dear\n'.encode()
    path = f"/agents/{agent}/cases/import"
    await story.call("ana", "POST", path, files=[("file", (f"{FILED}.csv", rows, "text/csv"))])
    story.script(Say("Dear Mr <PERSON_1>, hello."))
    run = await story.call("ana", "POST", f"/agents/{agent}/evaluations", which="own")
    story.ids["run"] = run["id"]
    await story.until("ana", f"/evaluations/{run['id']}", ("done", "failed"))
    # a key in the instructions never reaches a reviewer
    keyed = story.ids["keyed"]
    to = {"audience": "everyone", "tests": False}
    code = await story.refused("ana", "POST", f"/agents/{keyed}/requests", **to)
    assert code == "request-secret"
    lost = {"audience": f"person:{MAIL}", "tests": False}
    assert await story.refused("ana", "POST", f"/agents/{agent}/requests", **lost)
    asked = await story.call(
        "ana", "POST", f"/agents/{agent}/requests", audience="everyone", tests=True,
        notes=f"Asked for by {NAME} ({MAIL})",
    )  # fmt: skip
    story.ids["request"] = asked["id"]
    path = f"/requests/{asked['id']}"
    done = await story.until("chi", path, ("waiting",))
    story.ids["trial"] = done["evidence"]["run"]
    story.personal = {one["field"]: one["kinds"] for one in done["evidence"]["personal"]}
    text = f"{NAME} ({MAIL}) should not stand here"
    await story.call("chi", "POST", f"{path}/comments", text=text, line="title.en:1")
    await story.call("chi", "POST", f"{path}/approve", note=f"Mrs {NAME} ({MAIL}) agreed")
    story.script(Say("Her IBAN is <IBAN_CODE_1> [1]."))
    told = await story.say("dan", agent, "Which IBAN has the lady of the note?")
    story.told = json.dumps(told)
    report = await story.call(
        "dan", "POST", f"/agents/{agent}/reports", kind="wrong",
        text=f"{NAME} ({MAIL}) got a wrong answer", conversation=told["conversation"],
    )  # fmt: skip
    story.ids["report"] = str(report["id"])
    await story.call("ana", "POST", f"/reports/{report['id']}/case")


async def governs(story: Story) -> None:
    """Reasons and notes, searches, exports, alerts."""
    trace = story.ids["trace_id"]
    why = f"Complaint of {NAME}, {MAIL}"
    revealed = await story.call("eve", "POST", f"/audit/traces/{trace}/reveal", reason=why)
    story.ids["reveal"] = revealed["id"]
    await story.call(
        "eve", "POST", "/retention/holds", field="agent", value="email-drafter", reason=why
    )
    assert (await story.call("eve", "GET", f"/audit/traces?text={NAME}"))["rows"] == []
    view = {"name": f"About {NAME}", "text": NAME}
    await story.call("eve", "POST", "/audit/views", **view)
    limit = {"scope": "person", "name": story.ids["ana"], "unit": "calls", "period": "day"}
    await story.call("adm", "PUT", "/budgets", **limit, most=0)
    blocked = await story.say("ana", "email-drafter", WORDS)
    assert blocked["error"] == "budget-used-up", blocked
    wanted = {"rule": "BU-01", "trace_id": blocked["trace_id"], "reason": why}
    asked = await story.call("ana", "POST", "/exceptions", **wanted)
    story.ids["exception"] = asked["id"]
    await story.call("eve", "POST", f"/exceptions/{asked['id']}/refuse", note=f"No, {NAME}")
    drafted = await story.call("eve", "POST", "/policies/drafts", note=why)
    story.ids["number"] = str(drafted["number"])
    # what is refused says nothing that others read, and is looked for in the log
    for path in (f"/agents/{NAME}", f"/conversations/{MAIL}", f"/requests/{MAIL}"):
        await story.refused("dan", "GET", path)
    await story.refused("dan", "POST", "/screen", wrong=WORDS)
    await story.refused("eve", "POST", "/audit/views", name=NAME, nothing=WORDS)
    app = story.house.app
    await story.call("eve", "POST", "/alerts/test")
    await asyncio.to_thread(app.record.alerts.check)
    assert await asyncio.to_thread(app.spans.flush)
    for kind in ("ocsf", "csv", "otlp"):
        made = await story.call("eve", "POST", "/exports", format=kind, text="")
        story.ids["export"] = made["id"]
        await story.until("eve", f"/exports/{made['id']}", ("ready",))
        file = await story.web["eve"].get(f"/api/v1/exports/{made['id']}/file")
        story.exported[kind] = str(file.headers).encode() + file.content
    await story.call("eve", "POST", "/exports", format="csv", text=NAME)
    story.seen = await walked(story)
    # an agent is taken away in a hurry: what everybody sees of it then
    path = f"/agents/{story.ids['agent']}/withdraw"
    await story.call("chi", "POST", path, reason=f"{NAME} complained, {MAIL}")
    for who in OTHERS:
        for path in ("/en/published", f"/en/playground?agent={story.ids['agent']}"):
            answer = await story.web[who].get(path)
            story.seen["withdrawn", who, path] = await whole(answer)


async def served(story: Story, app: ASGIApp) -> None:
    """A real server, as `atelier serve` starts it: addresses with words in them, and errors of
    ours whose text is content."""

    @asynccontextmanager
    async def at_once(front: Front) -> AsyncIterator[None]:
        front.inner = app
        yield

    class Server(uvicorn.Server):
        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield  # they are for the tests

    def broken(*_given: object, **_more: object) -> Any:
        raise RuntimeError(f"cannot read {WORDS}") from ValueError(WORDS)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        story.log.own.append(base)
        server = Server(_config(Front(at_once, "en")))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:
            await asyncio.sleep(0.01)
        cookie = story.web["chi"].headers["cookie"]
        async with httpx.AsyncClient(base_url=base, headers={"cookie": cookie}) as web:
            for path in (f"/en/conversations?words={NAME}", f"/api/v1/agents/{MAIL}?x={IBAN}"):
                await web.get(path)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(story.house.app.feedback, "all", broken)
                for path in ("/api/v1/feedback", "/en/reports"):
                    answer = await web.get(path)
                    assert answer.status_code == 500
                    story.refusals.append(answer.text)
        server.should_exit = True
        await task
    assert any("unexpected error" in text for text in story.log.said)


async def whole(answer: httpx.Response) -> str:
    """Body and head: the names of files stand there."""
    return f"{answer.status_code} {answer.headers} {answer.text}"


async def walked(story: Story) -> dict[tuple[str, str, str], str]:
    """Everything that the API and the pages tell everybody but the person whose data it is."""
    ids = story.ids
    routes = [cast(APIRoute, route) for router in ROUTERS for route in router.routes]
    gets = [route.path_format for route in routes if "GET" in (route.methods or ())]
    known = {"person_id": ids["ana"], **ids}
    paths = [
        re.sub(r"\{(\w+)[^}]*\}", lambda found: known.get(found[1], "1"), path)
        for path in gets
        if not path.startswith("/session/oidc")
    ]
    asked = [
        ("api", f"/api/v1{path}")
        for path in [*paths, "/feedback?state=all", f"/evaluations/{ids['trial']}"]
    ]
    asked += [("page", nav.address("en", page.id)) for page in nav.PAGES if page.kind == "plain"]
    asked += [
        ("page", nav.address("en", page, query.format(**ids)))
        for page, query in (
            ("playground", "agent={agent}"),
            ("playground", "agent={private}"),
            ("playground", "agent={agent}&conversation={conversation}"),
            ("publish", "request={request}"),
            ("publish", "agent={agent}"),
            ("published", "agent={agent}"),
            ("published", "of=all"),
            ("reports", "state=closed"),
            ("evaluation", "run={run}"),
            ("evaluation", "run={trial}"),
            ("evaluation", "agent={agent}"),
            ("audit", "open={trace_id}"),
            ("audit", "open={trace_id}&part=detail"),
            ("alerts", "show=all"),
            ("policies", "draft={number}"),
            ("compare", "agent={agent}"),
            ("people", "person={ana}"),
        )
    ]
    rows = (await story.call("fay", "GET", "/audit/traces?limit=200"))["rows"]
    assert len(rows) > 10
    traces = [("api", f"/api/v1/audit/traces/{row['trace_id']}") for row in rows]
    return {
        (kind, who, path): await whole(await story.web[who].get(path))
        for who in OTHERS
        for kind, path in (*asked, *(traces if who == "fay" else ()))
    }


def drafts(app: Any, owner: str) -> Iterator[tuple[str, str]]:
    """The owner's drafts: one to publish, one of theirs alone, one with a key, one that asks."""

    def made(name: str, who: str, **more: Any) -> tuple[str, str]:
        change = {
            "id": f"agent-{name}",
            "title": Text(en=f"Assistant of Mr {who}", fr="Assistant"),
            "purpose": Text(en=f"Answers letters of Mr {who}.", fr="Répond."),
            "instructions": Text(en=f"You answer for Mr {who}. Be brief.", fr="Répondez."),
            "starters": Lines(en=(f"Write to Mr {who}",), fr=("Bonjour",)),
            "cases": (),
        }
        spec = templates()["email-drafter"].model_copy(update={**change, **more})
        app.catalog.save(spec, owner)
        return name, spec.id

    yield made("agent", PUBLIC, tools=("search_documents",))
    yield made("private", DRAFT)
    yield made(
        "keyed",
        DRAFT,
        instructions=Text(en=f"Use the token {TOKEN} for the service.", fr="Répondez."),
    )
    asking = {"tools": ("python",), "data_class": "restricted"}
    yield made("asking", DRAFT, **asking)


@asynccontextmanager
async def telling(home: Path) -> AsyncIterator[Story]:
    """The whole story on `home`; the product is open until the end."""
    with ExitStack() as stack:
        receiver = stack.enter_context(receiving())
        leaves: dict[str, Any] = {
            "alert_webhook": f"{receiver.address}/alert",
            "checkpoint_url": f"{receiver.address}/checkpoint",
            "otlp_endpoint": f"{receiver.address}/v1/traces",
            "alert_mail_to": "security@example.com",
            "mail_server": receiver.mail,
            "mail_security": "none",
        }
        async with house(home, model_location="local", **leaves) as one:
            told = Story(one, receiver)
            accounts = {
                name: one.app.people.add(
                    name, None, name=name.title(), department=place, roles=roles
                )
                for name, (place, roles) in PEOPLE.items()
            }
            app = site(one.app)  # after there are accounts: else it is a workshop of one person
            for name, account in accounts.items():
                told.ids[name] = account.id
                cookie = f"atelier_session={one.app.identity.begin(account)}"
                transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
                told.web[name] = httpx.AsyncClient(
                    transport=transport, base_url=BASE, headers={"cookie": cookie}
                )
            told.ids |= dict(drafts(one.app, told.ids["ana"]))
            rules = one.app.policy.policies
            named = '@id("TL-03")\n@approver("security")'
            one.app.policy.activate(
                parse(rules.text.replace('@id("TL-03")', named), rules.schema_text)
            )
            root = logging.getLogger()
            before = root.level
            root.addHandler(told.log)
            root.setLevel(logging.INFO)  # the product says warnings only
            try:
                with redirect_stdout(told.printed), redirect_stderr(told.printed):
                    await writes(told)
                    await shares(told)
                    await governs(told)
                    await served(told, app)
                    await told.posted("/v1/traces")
                    told.script(Say("Hello."))
            finally:
                root.removeHandler(told.log)
                root.setLevel(before)
            yield told
            for web in told.web.values():
                await web.aclose()
