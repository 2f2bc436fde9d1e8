"""The record through the API: reveal, who-saw-what, retention, alerts, exports, saved views."""

import asyncio
import csv
import http.server
import json
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from agents.catalog import templates
from guardrails.actor import Actor
from guardrails.audit.ledger import Act
from guardrails.audit.tables import ledger, searches
from guardrails.budgets import Budgets
from tests.ui.api_client import client, served, with_accounts
from tests.ui.fake_house import House
from ui.settings import Settings

NAME = "Claire Fontaine"
REASON = "an incident report names this turn"


async def chat(house: House, person: str) -> str:
    """One turn of a person; returns its trace id."""
    spec = templates()["email-drafter"]
    last: Any = None
    async for event in house.sessions.send(actor=Actor(person), agent=spec, text=f"To {NAME}"):
        last = event
    assert await asyncio.to_thread(house.spans.flush)
    return str(last.trace_id)


class People:
    """Two security officers and a member of staff, each with a client."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.cookies = {str(role): cookie for role, cookie in with_accounts(house).items()}
        second = house.people.add("second", None, name="Sample second", roles=["security"])
        self.cookies["second"] = house.identity.begin(second)
        self.app = served(house)

    @asynccontextmanager
    async def web(self, who: str) -> AsyncIterator[httpx.AsyncClient]:
        cookie = f"atelier_session={self.cookies[who]}"
        async with client(self.app, cookie=cookie) as web:
            yield web

    async def ask(self, who: str, method: str, path: str, body: object = None) -> httpx.Response:
        async with self.web(who) as web:
            return await web.request(method, path, json=body if body is not None else {})


@pytest.fixture
def people(house: House) -> People:
    return People(house)


def account(house: House, login: str) -> str:
    found = house.people.find(login)
    assert found is not None
    return found.id


async def test_a_reveal_takes_two_people_and_tells_the_author(house: House, people: People) -> None:
    trace = await chat(house, account(house, "staff"))
    seen = await people.ask("security", "GET", f"/audit/traces/{trace}")
    assert NAME not in seen.text
    asked = await people.ask(
        "security", "POST", f"/audit/traces/{trace}/reveal", {"reason": REASON}
    )
    identity = asked.json()["id"]
    own = await people.ask("security", "POST", f"/audit/reveals/{identity}/approve")
    assert (own.status_code, own.json()["code"]) == (403, "self-approval")
    early = await people.ask("security", "GET", f"/audit/reveals/{identity}")
    assert early.json()["code"] == "no-reveal"
    granted = await people.ask("second", "POST", f"/audit/reveals/{identity}/approve")
    assert granted.json()["state"] == "granted"
    shown = await people.ask("security", "GET", f"/audit/reveals/{identity}")
    assert NAME in shown.json()["request"]
    other = await people.ask("second", "GET", f"/audit/reveals/{identity}")
    assert (other.status_code, NAME in other.text) == (403, False)
    looked = (await people.ask("staff", "GET", "/me/looked")).json()
    assert [row["kind"] for row in looked["rows"]] == [
        "revealed", "reveal-granted", "reveal-asked", "viewed",
    ]  # fmt: skip
    assert looked["unread"] == 4
    await people.ask("staff", "POST", "/me/looked/read")
    assert (await people.ask("staff", "GET", "/me/looked")).json()["unread"] == 0
    assert (await people.ask("champion", "GET", "/me/looked")).json()["rows"] == []


async def test_security_sees_no_name_and_no_value_anywhere(house: House, people: People) -> None:
    trace = await chat(house, account(house, "staff"))
    for path in (
        "/audit/traces", "/audit/traces?text=workshop", "/audit/overview", f"/audit/traces/{trace}",
        "/audit/reveals", "/alerts", "/retention", "/exports",
    ):  # fmt: skip
        answer = await people.ask("security", "GET", path)
        assert answer.status_code == 200, path
        for secret in (NAME, "Fontaine", "Sample staff", account(house, "staff")):
            assert secret not in answer.text, (path, secret)


async def test_searches_are_told_to_those_who_were_found(house: House, people: People) -> None:
    await chat(house, account(house, "staff"))
    person = house.record.pseudonym(account(house, "staff"))
    await people.ask("security", "GET", "/audit/traces")
    await people.ask("security", "GET", f"/audit/traces?text={person}")
    looked = (await people.ask("staff", "GET", "/me/looked")).json()["rows"]
    assert [row["kind"] for row in looked] == ["searched", "listed"]


async def test_filters_that_cannot_be_read_are_refused_in_words(people: People) -> None:
    for query in ("days=x", "days=0", "since=yesterday", "cost_over=-1", "slower_ms=inf"):
        answer = await people.ask("security", "GET", f"/audit/traces?{query}")
        assert answer.json()["code"] == "bad-filter", query
    assert (await people.ask("security", "GET", "/audit/traces?made_up=1")).status_code == 422


async def test_a_view_is_kept_for_its_owner(people: People) -> None:
    view = {"name": "Blocked this week", "verdict": "blocked", "days": "7"}
    assert (await people.ask("security", "POST", "/audit/views", view)).json() == {"done": True}
    saved = (await people.ask("security", "GET", "/audit/views")).json()
    assert saved == {"Blocked this week": {"verdict": "blocked", "days": "7"}}
    assert (await people.ask("second", "GET", "/audit/views")).json() == {}
    await people.ask("security", "DELETE", "/audit/views/Blocked this week")
    assert (await people.ask("security", "GET", "/audit/views")).json() == {}


async def test_what_reviewers_look_for_is_nowhere_in_the_clear(
    house: House, people: People
) -> None:
    view = {"name": "Turns of Claire Fontaine", "text": "Fontaine", "days": "7"}
    await people.ask("security", "POST", "/audit/views", view)
    await people.ask("security", "GET", "/audit/traces?text=Fontaine")
    await people.ask("security", "POST", "/exports", {"format": "csv", "text": "Fontaine"})
    house.record.exports.close()
    with house.engine.connect() as db:
        names = db.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'")
        for table in names.scalars().all():
            rows = db.exec_driver_sql(f'SELECT * FROM "{table}"').all()  # noqa: S608
            assert "Fontaine" not in str(rows), table
        # and in what is sealed it is a number only: who opens it need not know whom they sought
        for row in db.execute(sa.select(ledger)).all():
            told = house.ledger.sealer.open(db, row.subject, row.payload)
            assert "Fontaine" not in str(told), row.kind


async def test_views_of_earlier_releases_are_sealed_at_the_next_start(
    house: House, people: People
) -> None:
    me = house.record.pseudonym(account(house, "security"))
    row = {"owner": me, "name": "Mine", "filter": '{"text": "Fontaine", "days": "7"}'}
    with house.engine.begin() as db:
        db.execute(sa.insert(searches), row)
    assert house.record.saved.seal_old() == 1
    assert house.record.saved.seal_old() == 0
    saved = (await people.ask("security", "GET", "/audit/views")).json()
    assert saved == {"Mine": {"text": "Fontaine", "days": "7"}}
    with house.engine.connect() as db:
        assert "Fontaine" not in str(db.execute(sa.select(searches)).all())
    house.record.saved.forget(me)
    assert (await people.ask("security", "GET", "/audit/views")).json() == {}


async def test_days_and_holds_are_set_recorded_and_shown(house: House, people: People) -> None:
    await chat(house, account(house, "staff"))
    short = await people.ask("security", "PUT", "/retention/classes/restricted", {"days": 30})
    assert (short.status_code, short.json()["code"]) == (422, "retention-reason")
    days = {"days": 30, "reason": "data protection impact assessment"}
    state = await people.ask("security", "PUT", "/retention/classes/restricted", days)
    rows = {row["data_class"]: row for row in state.json()["classes"]}
    assert (rows["restricted"]["days"], rows["rest"]["days"]) == (30, 184)
    hold = {"field": "agent", "value": "email-drafter", "reason": "a court asked for it"}
    placed = (await people.ask("security", "POST", "/retention/holds", hold)).json()
    released = await people.ask("security", "POST", f"/retention/holds/{placed['id']}/release")
    assert released.json()["released_by"] == house.record.pseudonym(account(house, "security"))


async def test_rules_are_set_and_a_test_alert_really_leaves(house: House, tmp_path: Path) -> None:
    got: list[dict[str, Any]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/"
        house.settings = Settings.model_validate({"home": tmp_path, "alert_webhook": url})
        people = People(house)
        sent = await people.ask("security", "POST", "/alerts/test")
        thread.join()
    assert sent.json() == {"log": "sent", "webhook": "sent"}
    assert got[0]["text"].startswith("Atelier, information: Test")
    page = (await people.ask("security", "GET", "/alerts")).json()
    (row,) = page["rows"]
    assert "test" in row["message"]
    assert page["unseen"] == {"info": 1}
    await people.ask("security", "POST", f"/alerts/{row['id']}/seen")
    assert (await people.ask("security", "GET", "/alerts?unseen=true")).json()["rows"] == []
    off = {"active": False}
    locked = await people.ask("security", "PUT", "/alerts/rules/chain-broken", off)
    assert locked.json()["code"] == "alert-locked"
    changed = {"active": True, "threshold": 9}
    await people.ask("security", "PUT", "/alerts/rules/denial-burst", changed)
    rules = {r["id"]: r for r in (await people.ask("security", "GET", "/alerts/rules")).json()}
    assert rules["denial-burst"]["threshold"] == 9


async def test_the_daily_check_finds_a_broken_chain_tells_it_and_the_page_shows_it(
    house: House, people: People
) -> None:
    await chat(house, account(house, "staff"))
    house.ledger.record(Act("x", "alice"))
    with house.engine.begin() as db:
        db.execute(sa.update(ledger).values(rule="forged"))
    house.record.start(house.spans, Budgets(house.engine))
    watch = house.record._watch
    assert watch is not None
    assert "chain-broken" in {alert.rule for alert in watch.tick()}
    house.record.close()
    rows = (await people.ask("security", "GET", "/alerts")).json()["rows"]
    (broken,) = [row for row in rows if row["rule"] == "chain-broken"]
    assert "Row 1 was altered" in broken["message"]
    assert house.record.last is not None
    assert not house.record.last.ok


async def test_an_export_is_made_and_downloaded_as_an_attachment(
    house: House, people: People
) -> None:
    await chat(house, account(house, "staff"))
    asked = {"format": "csv", "verdict": "masked"}
    job = (await people.ask("security", "POST", "/exports", asked)).json()
    house.record.exports.close()
    done = (await people.ask("security", "GET", f"/exports/{job['id']}")).json()
    assert (done["state"], done["rows"]) == ("ready", 1)
    file = await people.ask("security", "GET", f"/exports/{job['id']}/file")
    assert file.headers["content-disposition"].startswith("attachment")
    assert len(list(csv.DictReader(file.text.splitlines()))) == 1
    assert NAME not in file.text
    looked = (await people.ask("staff", "GET", "/me/looked")).json()["rows"]
    assert looked[0]["kind"] == "exported"


@pytest.mark.parametrize(
    ("token", "headers", "status"),
    [
        ("", {}, 200),
        ("", {"x-forwarded-for": "203.0.113.9"}, 404),
        ("secret", {}, 404),
        ("secret", {"authorization": "Bearer wrong"}, 404),
        ("secret", {"authorization": "Bearer secret"}, 200),
    ],
)
async def test_numbers_are_for_this_machine_or_for_who_has_the_token(
    house: House, tmp_path: Path, token: str, headers: dict[str, str], status: int
) -> None:
    given = {"home": tmp_path} | ({"metrics_token": token} if token else {})
    house.settings = Settings.model_validate(given)
    await chat(house, "u_1")
    async with client(served(house)) as web:
        answer = await web.get("/metrics", headers=headers)
    assert answer.status_code == status
    assert ("atelier_spans_dropped_total 0.0" in answer.text) == (status == 200)
