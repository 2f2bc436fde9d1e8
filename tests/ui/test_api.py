"""The HTTP API: what programs and pages can rely on, and what bad input gets."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
import sqlalchemy as sa

from guardrails.audit.tables import ledger
from guardrails.errors import BadInput, ScreenFailed
from guardrails.findings import Finding
from guardrails.screen import Screen
from sandbox.events import Delta, Event
from sandbox.uploads import Kept
from tests.ui.api_client import BASE, PASSWORD, client, events, served, with_accounts
from tests.ui.fake_house import House, open_house
from ui.rates import Rate
from ui.routes.common import Rates
from ui.running import ended
from ui.wiring import App


def kinds(house: House) -> list[str]:
    with house.engine.connect() as db:
        return list(db.execute(sa.select(ledger.c.kind).order_by(ledger.c.seq)).scalars())


async def test_background_work_that_broke_is_said_to_who_looks_after_the_machine(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken() -> None:
        raise ValueError("Anna")

    work = asyncio.create_task(broken())
    await asyncio.wait([work])
    ended(cast(App, house), work)
    cookie = f"atelier_session={with_accounts(house)['administrator']}"
    async with client(served(house), cookie=cookie) as web:
        (told,) = (await web.get("/status")).json()["problems"]
    assert told.startswith("Something went wrong")
    assert "ValueError" in str([record.__dict__ for record in caplog.records])
    assert "Anna" not in caplog.text


async def test_health_is_open_and_says_whether_it_is_warm(
    house: House, web: httpx.AsyncClient
) -> None:
    house.warming = True
    answer = (await web.get("/health")).json()
    assert answer["status"] == "ok" and answer["warming"] is True
    assert answer["model"]["kind"] == "practice"


async def test_the_local_owner_may_everything(web: httpx.AsyncClient) -> None:
    me = (await web.get("/me")).json()
    assert me["workshop"] and me["roles"] == ["administrator", "champion", "security", "staff"]
    assert "traces.view" in me["permissions"] and "people.manage" in me["permissions"]


async def test_looking_as_one_role_takes_the_others_away_and_is_recorded(
    house: House, web: httpx.AsyncClient
) -> None:
    assert (await web.put("/session/view", json={"role": "staff"})).status_code == 200
    assert (await web.get("/me")).json()["roles"] == ["staff"]
    refused = await web.get("/audit/traces")
    assert refused.status_code == 403 and refused.json()["code"] == "not-permitted"
    assert (await web.put("/session/view", json={"role": None})).status_code == 200
    assert (await web.get("/audit/traces")).status_code == 200
    assert kinds(house) == ["role.switch", "role.switch", "audit.search"]


async def test_agents_speak_the_language_asked_for(web: httpx.AsyncClient) -> None:
    english = (await web.get("/agents")).json()
    french = (await web.get("/agents", headers={"accept-language": "fr"})).json()
    assert {agent["id"] for agent in english} >= {"email-drafter", "hr-policy-helper"}
    assert [a["id"] for a in english] == [a["id"] for a in french] and english != french
    one = (await web.get("/agents/email-drafter")).json()
    assert one["spec"]["id"] == "email-drafter" and one["status"] == "template"


async def test_a_message_streams_begin_notice_steps_words_and_reply(
    web: httpx.AsyncClient,
) -> None:
    answer = await web.post("/agents/email-drafter/messages", json={"text": "Write to Claire"})
    assert answer.headers["content-type"].startswith("text/event-stream")
    sent = events(answer)
    assert [sent[0].event, sent[1].event, sent[-1].event] == ["begin", "notice", "reply"]
    assert sent[1].data["text"] == "2 details masked before the model saw them"
    words = "".join(each.data["text"] for each in sent if each.event == "delta")
    reply = sent[-1].data
    assert words.strip() == reply["text"] and reply["status"] == "done"
    assert reply["conversation"] == sent[0].data["conversation"]
    assert {each.data["kind"] for each in sent if each.event == "step"} == {"guardrail", "model"}
    assert reply["notices"][0]["text"] == sent[1].data["text"]


async def test_notices_speak_the_persons_language(web: httpx.AsyncClient) -> None:
    answer = await web.post(
        "/agents/email-drafter/messages",
        json={"text": "Bonjour"},
        headers={"x-atelier-language": "fr"},
    )
    assert events(answer)[1].data["text"] == "2 éléments masqués avant le modèle"


async def test_files_reach_the_session_by_a_safe_name_and_are_removed(
    house: House, web: httpx.AsyncClient
) -> None:
    seen: dict[str, bytes] = {}
    send = house.sessions.send

    async def spying(**given: Any) -> AsyncIterator[Event]:
        seen.update({name: path.read_bytes() for name, path in given["files"].items()})
        async for event in send(**given):
            yield event

    house.sessions.send = spying  # type: ignore[method-assign]
    files = [
        ("files", ("../../etc/notes.txt", b"one", "text/plain")),
        ("files", ("notes.txt", b"two", "text/plain")),
    ]
    answer = await web.post("/agents/email-drafter/messages", data={"text": "Hi"}, files=files)
    assert events(answer)[-1].event == "reply"
    assert seen == {"notes.txt": b"one", "notes (2).txt": b"two"}
    assert list((house.settings.home / "incoming").iterdir()) == []


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ScreenFailed(), "screen-failed"),
        (BadInput("turn-running"), "turn-running"),
        (ZeroDivisionError("the secret text"), "internal"),
        (OSError(28, "full"), "disk-full"),
    ],
)
async def test_an_error_in_a_turn_is_an_event_with_words_and_no_trace(
    house: House, web: httpx.AsyncClient, error: Exception, code: str
) -> None:
    async def failing(**given: Any) -> AsyncIterator[Event]:
        if given:
            raise error
        yield Delta("never")

    house.sessions.send = failing  # type: ignore[method-assign]
    answer = await web.post("/agents/email-drafter/messages", json={"text": "Hi"})
    last = events(answer)[-1]
    assert last.event == "error" and last.data["code"] == code
    assert "secret" not in answer.text and "Traceback" not in answer.text
    assert not last.data["message"].endswith(f"({code})") and len(last.data["message"]) > 40


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"text": ""}, "empty-message"),
        ({"text": " \u0000\n "}, "empty-message"),
        ({"text": "a" * 100_001}, "message-too-long"),
        ({"text": "a" * 1_000_000}, "message-too-long"),
        ({"text": 5}, "bad-request"),
        ({"text": "Hi", "admin": True}, "bad-request"),
        ([], "bad-request"),
        ({"text": "Hi", "conversation": "../x"}, "conversation-not-found"),
        ({"text": "Hi", "conversation": "c_" + "0" * 20}, "conversation-not-found"),
    ],
)
async def test_bad_messages_get_a_clear_answer(
    web: httpx.AsyncClient, body: object, code: str
) -> None:
    for language, word in (("en", "nothing"), ("fr", "rien")):
        answer = await web.post(
            "/agents/email-drafter/messages", json=body, headers={"x-atelier-language": language}
        )
        assert answer.status_code in (404, 422) and answer.json()["code"] == code
        if code.startswith(("empty", "message-too-long")):
            assert word in answer.json()["message"].lower()


async def test_lone_surrogates_and_broken_json_are_refused(web: httpx.AsyncClient) -> None:
    where = "/agents/email-drafter/messages"
    odd = await web.post(where, content=b'{"text": "\\ud800"}')
    assert odd.status_code == 422 and odd.json()["code"] == "bad-characters"
    for body in (b"{", b"\xff", b"[" * 100_000):
        assert (await web.post(where, content=body)).json()["code"] == "bad-request"


async def test_an_unknown_agent_is_not_found_in_the_persons_language(
    web: httpx.AsyncClient,
) -> None:
    answer = await web.post(
        "/agents/nobody/messages", json={"text": "Hi"}, headers={"accept-language": "fr-CA"}
    )
    assert answer.status_code == 404 and answer.json()["code"] == "agent-not-found"
    assert answer.headers["content-language"] == "fr"


async def test_a_file_that_is_too_large_is_refused_before_it_is_kept(
    house: House, web: httpx.AsyncClient
) -> None:
    piece = b"x" * 1024 * 1024

    async def body() -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="files"; filename="big.bin"\r\n\r\n'
        for _ in range(200):
            yield piece

    where = "/agents/email-drafter/messages"
    declared = await web.post(where, content=b"x", headers={"content-length": str(200 * 2**20)})
    undeclared = await web.post(
        where, content=body(), headers={"content-type": "multipart/form-data; boundary=b"}
    )
    for answer in (declared, undeclared):
        assert answer.status_code == 413 and answer.json()["code"] == "too-large"
        assert "25 MB" in answer.json()["message"]
    just_over = {"files": ("big.txt", b"x" * (25 * 2**20 + 1), "text/plain")}
    over = await web.post(where, files=just_over)
    assert over.status_code == 413 and over.json()["code"] == "too-large"
    assert list((house.settings.home / "incoming").iterdir()) == []


async def test_requests_of_other_sites_are_refused(web: httpx.AsyncClient) -> None:
    for headers in (
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
    ):
        answer = await web.post("/screen", json={"text": "x"}, headers=headers)
        assert answer.status_code == 403 and answer.json()["code"] == "cross-site"
        assert not any(name.startswith("access-control") for name in answer.headers)
    same = await web.put(
        "/session/language", json={"language": "fr"}, headers={"origin": "http://127.0.0.1:7860"}
    )
    assert same.status_code == 200


async def test_a_rebound_name_reaches_nothing(web: httpx.AsyncClient) -> None:
    for path in ("/health", "/me", "/agents"):
        answer = await web.get(path, headers={"host": "evil.example"})
        assert answer.status_code == 421 and answer.json()["code"] == "host-not-allowed"


async def test_every_answer_carries_the_security_headers(web: httpx.AsyncClient) -> None:
    for path in ("/health", "/nothing-here", "/agents/nobody"):
        headers = (await web.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY" and "server" not in headers


async def test_unknown_pages_methods_and_fields_get_words(web: httpx.AsyncClient) -> None:
    assert (await web.get("/nothing-here")).json()["code"] == "no-such-page"
    assert (await web.patch("/agents")).json()["code"] == "no-such-method"
    odd = await web.post("/screen", json={"text": "x", "language": "de"})
    assert odd.status_code == 422 and odd.json()["code"] == "bad-field"
    assert "language" in odd.json()["message"]


async def test_conversations_belong_to_their_owner(house: House, web: httpx.AsyncClient) -> None:
    sent = events(await web.post("/agents/email-drafter/messages", json={"text": "Hi"}))
    mine = sent[0].data["conversation"]
    theirs = house.conversations.start("email-drafter", "u_other", "1.0.0")
    assert [row["id"] for row in (await web.get("/conversations")).json()] == [mine]
    one = (await web.get(f"/conversations/{mine}")).json()
    assert "Claire Fontaine" in one["messages"][0]["text"] and len(one["messages"]) == 2
    for call in (web.get, web.delete):
        assert (await call(f"/conversations/{theirs}")).status_code == 404
    assert (await web.post(f"/conversations/{theirs}/stop")).status_code == 404
    assert house.sessions.stopped == []
    assert (await web.post(f"/conversations/{mine}/stop")).json() == {"done": True}
    assert (await web.delete(f"/conversations/{mine}")).json() == {"done": True}
    assert (await web.get(f"/conversations/{mine}")).status_code == 404
    assert kinds(house)[-1] == "erase" and house.sessions.stopped == [mine, mine]


async def test_files_of_agents_are_downloads_unless_harmless(
    house: House, web: httpx.AsyncClient
) -> None:
    made = {
        "f_1": Kept("f_1", "Été «1».png", "image/png", "local-owner", b"png"),
        "f_2": Kept("f_2", 'a"\r\nb.html', "text/html", "local-owner", b"<svg onload=x>"),
    }

    def artefact(id_: str, owner: str) -> Kept:
        if id_ not in made or made[id_].owner != owner:
            raise BadInput("file-not-found")
        return made[id_]

    house.sessions.artefact = artefact  # type: ignore[attr-defined]
    shown = await web.get("/artefacts/f_1?inline=1")
    assert shown.headers["content-type"] == "image/png"
    assert shown.headers["content-disposition"].startswith("inline")
    saved = await web.get("/artefacts/f_2?inline=1")
    assert saved.headers["content-type"] == "application/octet-stream"
    assert saved.headers["content-disposition"].startswith('attachment; filename="a___b.html"')
    assert "default-src 'none'" in saved.headers["content-security-policy"]
    assert (await web.get("/artefacts/f_3")).status_code == 404


async def test_the_record_is_read_on_the_record(house: House, web: httpx.AsyncClient) -> None:
    await web.post("/agents/email-drafter/messages", json={"text": "Hi"})
    house.spans.close()
    page = (await web.get("/audit/traces", params={"text": "workshop Tremblay"})).json()
    assert page["rows"] == [] and page["next"] is None
    page = (await web.get("/audit/traces")).json()
    assert page["counts"]["masked"] == 1 and page["rows"][0]["request"].startswith("Write to <PER")
    whole = (await web.get(f"/audit/traces/{page['rows'][0]['trace_id']}")).json()
    assert whole["trace_id"] == page["rows"][0]["trace_id"] and "spans" in whole
    assert (await web.get("/audit/traces/ffffffffffff")).status_code == 404
    proof = (await web.post("/audit/verify")).json()
    assert proof["ok"] is True and proof["first_bad"] is None and proof["rows"] == 4
    assert kinds(house) == ["audit.search", "audit.search", "trace.view", "audit.verify"]
    with house.engine.connect() as db:
        assert "Tremblay" not in str(db.execute(sa.select(ledger)).all())


async def test_signing_in_is_recorded_and_gives_a_careful_cookie(house: House) -> None:
    house.people.add("sample", PASSWORD, roles=["staff"])
    async with client(served(house)) as web:
        assert (await web.get("/me")).json()["code"] == "not-signed-in"
        wrong = await web.post("/session", json={"login": "sample", "password": "not this one"})
        assert wrong.status_code == 401 and wrong.json()["code"] == "bad-sign-in"
        right = await web.post("/session", json={"login": "Sample", "password": PASSWORD})
        cookie = right.headers["set-cookie"]
        assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/" in cookie
        assert (await web.get("/me")).json()["name"] == "sample"
        assert (await web.delete("/session")).status_code == 200
        assert (await web.get("/me")).status_code == 401
    assert kinds(house) == ["signin", "signin", "signout"]
    with house.engine.connect() as db:
        assert "sample" not in str(db.execute(sa.select(ledger)).all())


async def test_a_form_goes_where_it_came_from_but_never_to_another_site(house: House) -> None:
    house.people.add("sample", PASSWORD)
    async with client(served(house)) as web:
        for target, landed in {
            "/en/audit?trace=1": "/en/audit?trace=1",
            "//evil.example": "/",
            "/\\evil.example": "/",
            "https://evil.example": "/",
        }.items():
            form = {"login": "sample", "password": PASSWORD, "next": target}
            answer = await web.post("/session", data=form)
            assert answer.status_code == 303 and answer.headers["location"] == landed
        wrong = await web.post("/session", data={"login": "sample", "password": "x"})
        assert wrong.headers["location"].startswith("/sign-in?failed=bad-sign-in")


async def test_guessing_passwords_is_slowed_down(house: House) -> None:
    house.people.add("sample", PASSWORD)
    rates = Rates(sign_in_name=Rate(2, 900))
    async with client(served(house, rates)) as web:
        for _ in range(2):
            await web.post("/session", json={"login": "sample", "password": "a wrong one"})
        for password in ("a wrong one", PASSWORD):
            answer = await web.post("/session", json={"login": "sample", "password": password})
            assert answer.status_code == 429 and answer.json()["code"] == "too-many-attempts"
            assert int(answer.headers["retry-after"]) > 800


async def test_costly_routes_are_limited_per_person(house: House) -> None:
    cookies = with_accounts(house)
    app = served(house, Rates(screen=Rate(1, 60), messages=Rate(1, 60)))
    async with client(app, cookie=f"atelier_session={cookies['staff']}") as web:
        where = "/agents/email-drafter/messages"
        assert (await web.post(where, json={"text": "Hi"})).status_code == 200
        assert (await web.post(where, json={"text": "Hi"})).status_code == 429
    async with client(app, cookie=f"atelier_session={cookies['champion']}") as web:
        assert (await web.post(where, json={"text": "Hi"})).status_code == 200


async def test_when_the_ledger_fails_nobody_gets_in_and_nothing_is_shown(house: House) -> None:
    house.people.add("sample", PASSWORD, roles=["security"])
    async with client(served(house)) as web:
        await web.post("/session", json={"login": "sample", "password": PASSWORD})
        house.ledger.close()
        refused = await web.get("/audit/traces")
        assert refused.status_code == 503 and refused.json()["code"] == "ledger-unavailable"
        again = await web.post("/session", json={"login": "sample", "password": PASSWORD})
        assert again.status_code == 503 and "set-cookie" not in again.headers


async def test_screening_a_text_returns_findings_and_keeps_nothing(tmp_path: Path) -> None:
    def find(text: str, _language: str | None) -> list[Finding]:
        start = text.find("a.b@")
        return [Finding(start, start + 15, "EMAIL_ADDRESS", 1.0, "email", "It has that form.")]

    screen = Screen(find, lambda _text: [], lambda _text, _provenance: 0.0)
    house = open_house(tmp_path, screen)
    async with client(served(house)) as web:
        text = {"text": "Mail a.b@example.com", "language": "en"}
        answer = (await web.post("/screen", json=text)).json()
    assert answer["text"] == "Mail <EMAIL_ADDRESS_1>" and answer["outcome"] == "allow"
    assert {finding["kind"] for finding in answer["findings"]} == {"EMAIL_ADDRESS"}
    assert kinds(house) == []
    house.close()


async def test_an_unexpected_error_ends_at_the_door_without_its_text(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    content = "Ada Sample, 1 Sample Street"

    def failing(*_given: object) -> None:
        raise ValueError(content)

    house.conversations.mine = failing  # type: ignore[method-assign,assignment]
    transport = httpx.ASGITransport(app=served(house))
    async with httpx.AsyncClient(transport=transport, base_url=f"{BASE}/api/v1") as web:
        # an error that left the application would be raised here, and printed by the server
        answer = await web.get("/conversations", headers={"accept-language": "fr"})
    assert answer.status_code == 500 and answer.json()["code"] == "internal"
    assert content not in answer.text and "ValueError" in caplog.text
    assert content not in caplog.text.replace(f'content = "{content}"', "")
