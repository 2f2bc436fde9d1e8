"""People, groups, keys, sessions over the API: what works, and what must not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from guardrails.actor import pseudonym
from guardrails.audit.tables import alerts, ledger
from tests.ui.api_client import PASSWORD, client, served, with_accounts
from tests.ui.fake_house import House
from ui.access import MAY, Role
from ui.apikeys import NEVER
from ui.rates import Rate
from ui.routes.common import Rates
from ui.signins import sign_ins


@pytest.fixture
def cookies(house: House) -> dict[Role, str]:
    return with_accounts(house)


def as_role(house: House, cookies: dict[Role, str], role: Role) -> httpx.AsyncClient:
    return client(served(house), cookie=f"atelier_session={cookies[role]}")


def acts(house: House) -> list[tuple[str, str]]:
    with house.engine.connect() as db:
        rows = db.execute(sa.select(ledger.c.kind, ledger.c.rule).order_by(ledger.c.seq))
        return [(str(kind), str(rule)) for kind, rule in rows]


def id_of(house: House, login: str) -> str:
    account = house.people.find(login)
    assert account is not None
    return account.id


async def test_an_administrator_adds_somebody_who_chooses_a_password_by_link(
    house: House, cookies: dict[Role, str]
) -> None:
    new = {"login": "Ada", "name": "Ada Sample", "department": "Finance", "roles": ["champion"]}
    async with as_role(house, cookies, "administrator") as web:
        made = (await web.post("/people", json=new)).json()
        listed = (await web.get("/people", params={"text": "ada s"})).json()
    assert listed["total"] == 1 and listed["people"][0]["roles"] == ["champion"]
    where, _, token = made["link"].partition("#")
    assert where == "http://127.0.0.1:7860/password" and ("user.add", "") in acts(house)
    async with client(served(house)) as web:
        weak = await web.post("/password", json={"token": token, "password": "short"})
        assert weak.json()["code"] == "weak-password"
        done = await web.post("/password", json={"token": token, "password": PASSWORD})
        assert done.status_code == 200
        again = await web.post("/password", json={"token": token, "password": PASSWORD})
        assert (again.status_code, again.json()["code"]) == (410, "link-ended")
        signed = await web.post("/session", json={"login": "ada", "password": PASSWORD})
        assert signed.status_code == 200
    with house.engine.connect() as db:
        kept = str(db.exec_driver_sql("SELECT * FROM password_links").all())
    assert token not in kept and token not in (house.settings.home / "atelier.db").read_text(
        "latin-1"
    )


async def test_a_password_for_one_sign_in_opens_nothing_but_the_choice_of_another(
    house: House, cookies: dict[Role, str]
) -> None:
    async with as_role(house, cookies, "administrator") as web:
        new = {"login": "ada", "invite": "once"}
        once = (await web.post("/people", json=new)).json()["password"]
    given = {"login": "ada", "password": once}
    async with client(served(house)) as web:
        assert (await web.post("/session", json=given)).json()["code"] == "password-due"
        assert (await web.get("/me")).status_code == 401
        form = await web.post("/session", data=given)
        token = form.headers["location"].partition("/password#")[2]
        assert token and "set-cookie" not in form.headers
        await web.post("/password", json={"token": token, "password": PASSWORD})
        # the one that was handed over is over
        assert (await web.post("/session", json=given)).json()["code"] == "bad-sign-in"


async def test_nobody_changes_their_own_roles_or_access(
    house: House, cookies: dict[Role, str]
) -> None:
    own = id_of(house, "administrator")
    async with as_role(house, cookies, "administrator") as web:
        both = {"roles": ["administrator", "champion"]}
        answers = [
            await web.put(f"/people/{own}", json=both),
            await web.post(f"/people/{own}/disable"),
            await web.post(f"/people/{own}/password", json={}),
            await web.delete(f"/people/{own}"),
        ]
        group = (await web.post("/groups", json={"name": "g", "roles": ["champion"]})).json()
        answers.append(await web.put(f"/groups/{group['id']}/members", json={"people": [own]}))
        assert [answer.json()["code"] for answer in answers] == ["own-roles"] * 5
        # a name is no role
        done = await web.put(f"/people/{own}", json={"name": "Another"})
        assert done.json()["name"] == "Another" and done.json()["roles"] == ["administrator"]


async def test_security_and_administration_stay_apart_on_every_way(
    house: House, cookies: dict[Role, str]
) -> None:
    staff, security = id_of(house, "staff"), id_of(house, "security")
    async with as_role(house, cookies, "administrator") as web:
        both = ["administrator", "security"]
        group = (await web.post("/groups", json={"name": "it", "roles": ["administrator"]})).json()
        plain = (await web.post("/groups", json={"name": "all"})).json()
        await web.put(f"/groups/{plain['id']}/members", json={"people": [security]})
        answers = [
            await web.put(f"/people/{staff}", json={"roles": both}),
            await web.post("/people", json={"login": "x", "roles": both}),
            await web.post("/groups", json={"name": "x", "roles": both}),
            await web.put(f"/people/{security}", json={"groups": [group["id"]]}),
            await web.put(f"/groups/{group['id']}/members", json={"people": [security]}),
            await web.put(f"/groups/{plain['id']}", json={"roles": ["administrator"]}),
        ]
    assert [answer.json()["code"] for answer in answers] == ["duties-apart"] * 6
    assert house.people.known(security).roles == {"security"}


async def test_somebody_is_always_left_who_manages_people(
    house: House, cookies: dict[Role, str]
) -> None:
    first = id_of(house, "administrator")
    second = house.people.add("second", None, roles=["administrator"])
    cookie = house.identity.begin(second)
    async with client(served(house), cookie=f"atelier_session={cookie}") as web:
        assert (await web.put(f"/people/{first}", json={"roles": ["staff"]})).status_code == 200
    async with as_role(house, cookies, "administrator") as web:
        # the roles are gone at once, in the session that was open too
        assert (await web.get("/people")).status_code == 403
    assert house.people.holders("administrator") == 1


async def test_groups_give_and_take_roles_at_once(house: House, cookies: dict[Role, str]) -> None:
    staff = id_of(house, "staff")
    async with (
        as_role(house, cookies, "administrator") as web,
        as_role(house, cookies, "staff") as own,
    ):
        group = (await web.post("/groups", json={"name": "Reviews", "roles": ["champion"]})).json()
        where = f"/groups/{group['id']}"
        assert (await own.get("/reviews")).status_code == 403
        await web.put(f"{where}/members", json={"people": [staff]})
        assert (await own.get("/reviews")).status_code == 200
        row = (await web.get(f"/people/{staff}")).json()
        assert row["roles"] == ["champion", "staff"] and row["groups"] == ["Reviews"]
        await web.put(where, json={"roles": []})
        assert (await own.get("/reviews")).status_code == 403
        await web.put(where, json={"roles": ["champion"]})
        await web.delete(where)
        assert (await own.get("/reviews")).status_code == 403
    assert ("roles.change", "group") in acts(house)


async def test_disabling_somebody_ends_sessions_keys_and_links(
    house: House, cookies: dict[Role, str]
) -> None:
    staff = id_of(house, "staff")
    _, secret = house.api_keys.make("k", owner=staff, maker=staff, scopes=["agents.use"])
    token = house.password_links.make(staff)
    async with as_role(house, cookies, "administrator") as web:
        await web.post(f"/people/{staff}/disable")
    async with as_role(house, cookies, "staff") as own:
        assert (await own.get("/me")).status_code == 401
    async with client(served(house), authorization=f"Bearer {secret}") as program:
        assert (await program.get("/agents")).status_code == 401
    async with client(served(house)) as web:
        given = {"token": token, "password": PASSWORD}
        assert (await web.post("/password", json=given)).status_code == 410
    async with as_role(house, cookies, "administrator") as web:
        await web.post(f"/people/{staff}/enable")
    assert house.people.known(staff).roles == {"staff"}


async def test_security_hears_of_a_password_made_for_one_of_them(
    house: House, cookies: dict[Role, str]
) -> None:
    security = id_of(house, "security")
    async with as_role(house, cookies, "administrator") as web:
        await web.post(f"/people/{security}/password", json={})
    async with as_role(house, cookies, "security") as own:
        assert (await own.get("/me")).status_code == 401
    with house.engine.connect() as db:
        fired = [tuple(row) for row in db.execute(sa.select(alerts.c.rule, alerts.c.about))]
    assert ("security-password", pseudonym(house.keys, security)) in fired


async def test_a_key_does_what_its_scopes_say_and_no_more(
    house: House, cookies: dict[Role, str]
) -> None:
    async with as_role(house, cookies, "security") as web:
        new = {"name": "SIEM", "scopes": ["traces.view"], "days": 30}
        made = (await web.post("/keys", json=new)).json()
        assert (await web.get("/keys")).json()[0]["hint"] == made["secret"][:8]
        assert made["secret"] not in (await web.get("/keys")).text
    assert made["secret"] not in (house.settings.home / "atelier.db").read_text("latin-1")
    app = served(house)
    async with client(app, authorization=f"Bearer {made['secret']}") as program:
        assert (await program.get("/audit/traces")).status_code == 200
        for path in ("/me", "/agents", "/alerts", "/me/sessions", "/keys"):
            assert (await program.get(path)).json()["code"] == "not-permitted", path
    assert ("key.use", "") in acts(house)
    async with client(
        app, authorization="Bearer atl_wrong", cookie=f"atelier_session={cookies['security']}"
    ) as program:
        # a wrong key is nobody, whatever cookie comes with it
        assert (await program.get("/audit/traces")).status_code == 401
    async with as_role(house, cookies, "security") as web:
        await web.delete(f"/keys/{made['key']['id']}")
    async with client(app, authorization=f"Bearer {made['secret']}") as program:
        assert (await program.get("/audit/traces")).status_code == 401


async def test_a_key_never_has_more_than_its_owner(house: House, cookies: dict[Role, str]) -> None:
    async with as_role(house, cookies, "staff") as web:
        for scope in ("traces.view", "people.manage", "nonsense"):
            answer = await web.post("/keys", json={"name": "k", "scopes": [scope]})
            assert answer.status_code in (403, 422), scope
        offered = (await web.get("/keys/scopes")).json()
        made = (await web.post("/keys", json={"name": "k", "scopes": offered})).json()
    assert not NEVER & set(offered) and all("staff" in MAY[each] for each in offered)
    house.people.change(id_of(house, "staff"), roles=["security"])
    async with client(served(house), authorization=f"Bearer {made['secret']}") as program:
        # the owner's other role is no reason to allow what the key was not made for
        assert (await program.get("/audit/traces")).status_code == 403


@pytest.mark.parametrize("permission", sorted(NEVER))
async def test_no_key_can_be_made_for_what_a_person_must_answer_for(
    house: House, cookies: dict[Role, str], permission: str
) -> None:
    for role in cookies:
        async with as_role(house, cookies, role) as web:
            answer = await web.post("/keys", json={"name": "k", "scopes": [permission]})
            assert answer.status_code in (403, 422)


async def test_a_service_account_has_keys_and_no_way_to_sign_in(
    house: House, cookies: dict[Role, str]
) -> None:
    async with as_role(house, cookies, "administrator") as web:
        service = (await web.post("/services", json={"name": "Nightly report"})).json()
        where = f"/services/{service['id']}"
        refused = await web.post(f"{where}/keys", json={"name": "k", "scopes": ["traces.view"]})
        assert refused.status_code == 403
        bad = await web.post("/services", json={"name": "x", "role": "security"})
        assert bad.status_code == 422
        new = {"name": "k", "scopes": ["agents.use", "conversations.own"]}
        secret = (await web.post(f"{where}/keys", json=new)).json()["secret"]
        assert (await web.get("/people", params={"text": "nightly"})).json()["total"] == 0
    async with client(served(house), authorization=f"Bearer {secret}") as program:
        assert (await program.get("/agents")).status_code == 200
    assert house.people.check("service:nightly report", "") is None
    async with as_role(house, cookies, "administrator") as web:
        await web.delete(where)
    async with client(served(house), authorization=f"Bearer {secret}") as program:
        assert (await program.get("/agents")).status_code == 401


async def test_guessing_keys_is_slowed_down(house: House, cookies: dict[Role, str]) -> None:
    async with client(served(house), authorization="Bearer atl_guess") as program:
        answers = [(await program.get("/agents")).status_code for _ in range(32)]
    assert answers[:30] == [401] * 30 and answers[30:] == [429, 429]


async def test_a_colleague_behind_the_same_address_is_not_kept_out_by_wrong_keys(
    house: House, cookies: dict[Role, str]
) -> None:
    app = served(house)
    _, secret = house.api_keys.make(
        "mine", owner=id_of(house, "staff"), maker="x", scopes=["agents.use"]
    )
    for number in range(40):  # many keys, none of them right
        async with client(app, authorization=f"Bearer atl_guess{number}") as program:
            last = (await program.get("/agents")).status_code
    assert last == 429
    async with client(app, authorization=f"Bearer {secret}") as program:
        assert (await program.get("/agents")).status_code == 200


async def test_one_client_with_an_old_key_does_not_use_up_the_tries_of_its_address(
    house: House, cookies: dict[Role, str]
) -> None:
    app = served(house)
    async with client(app, authorization="Bearer atl_old") as program:
        answers = {(await program.get("/agents")).status_code for _ in range(60)}
    assert answers == {401, 429}
    async with client(app, authorization="Bearer atl_mistyped") as program:
        # told what is wrong, not to come back later
        assert (await program.get("/agents")).status_code == 401


async def test_every_route_has_a_limit_for_a_person(house: House, cookies: dict[Role, str]) -> None:
    counters = Rates(changes=Rate(2, 60), reads=Rate(3, 60))
    app = served(house, counters)
    async with client(app, cookie=f"atelier_session={cookies['administrator']}") as web:
        reads = [await web.get(path) for path in ("/people", "/groups", "/me", "/services")]
        writes = [await web.put("/session/view", json={"role": None}) for _ in range(3)]
    assert [each.status_code for each in reads] == [200, 200, 200, 429]
    assert [each.status_code for each in writes] == [200, 200, 429]
    assert int(writes[-1].headers["retry-after"]) > 0
    async with client(app, cookie=f"atelier_session={cookies['staff']}") as other:
        assert (await other.get("/me")).status_code == 200


async def test_people_see_and_end_their_own_sessions_only(
    house: House, cookies: dict[Role, str]
) -> None:
    account = house.people.known(id_of(house, "staff"))
    other = house.identity.begin(account, agent="Sample browser")
    async with as_role(house, cookies, "staff") as web:
        rows: list[dict[str, Any]] = (await web.get("/me/sessions")).json()
        assert [row["current"] for row in rows].count(True) == 1 and len(rows) == 2
        another = next(row for row in rows if not row["current"])
        assert another["agent"] == "Sample browser"
        async with as_role(house, cookies, "champion") as stranger:
            gone = await stranger.delete(f"/me/sessions/{another['id']}")
            assert (gone.status_code, gone.json()["code"]) == (404, "no-such-session")
        await web.delete(f"/me/sessions/{another['id']}")
        assert (await web.get("/me")).status_code == 200
    async with client(served(house), cookie=f"atelier_session={other}") as web:
        assert (await web.get("/me")).status_code == 401


async def test_a_new_password_ends_the_other_sessions(house: House) -> None:
    account = house.people.add("ada", PASSWORD)
    here, there = house.identity.begin(account), house.identity.begin(account)
    async with client(served(house), cookie=f"atelier_session={here}") as web:
        wrong = await web.put("/me/password", json={"current": "no", "password": PASSWORD})
        assert (wrong.status_code, wrong.json()["code"]) == (403, "wrong-password")
        given = {"current": PASSWORD, "password": "another long password"}
        assert (await web.put("/me/password", json=given)).status_code == 200
        assert (await web.get("/me")).status_code == 200
    async with client(served(house), cookie=f"atelier_session={there}") as web:
        assert (await web.get("/me")).status_code == 401


async def test_over_https_the_cookie_is_secure_and_the_hourly_renewal_keeps_it_so(
    house: House,
) -> None:
    account = house.people.add("ada", PASSWORD)
    transport = httpx.ASGITransport(app=served(house))
    base = "https://127.0.0.1:7860/api/v1"
    async with httpx.AsyncClient(transport=transport, base_url=base) as web:
        signed = await web.post("/session", json={"login": "ada", "password": PASSWORD})
        first = signed.headers["set-cookie"]
        before = datetime.now(UTC) - timedelta(minutes=61)
        with house.engine.begin() as db:
            db.execute(sign_ins.update().values(renewed=before.isoformat()))
        again = await web.get("/me")
        renewed = again.headers["set-cookie"]
        assert (await web.get("/me")).status_code == 200
    for cookie in (first, renewed):
        assert "Secure" in cookie and "HttpOnly" in cookie and "SameSite=lax" in cookie
    assert first.split(";")[0] != renewed.split(";")[0]
    assert signed.headers["strict-transport-security"]
    assert len(house.identity.sign_ins.all(account.id)) == 1


async def test_a_password_for_one_sign_in_is_used_up_by_it(
    quiet_house: House,
) -> None:
    house, cookies = quiet_house, with_accounts(quiet_house)
    async with as_role(house, cookies, "administrator") as web:
        made = (await web.post("/people", json={"login": "ada", "invite": "once"})).json()
    given = {"login": "ada", "password": made["password"]}
    async with client(served(house)) as web:
        # a program learns that it is right, and opens nothing by it
        assert (await web.post("/session", json=given)).json()["code"] == "password-due"
        first = await web.post("/session", data=given)
        assert first.headers["location"].startswith("/password#")
        again = await web.post("/session", data=given)
        assert again.headers["location"].startswith("/sign-in?failed=bad-sign-in")
        token = first.headers["location"].partition("#")[2]
        done = await web.post("/password", json={"token": token, "password": PASSWORD})
        assert done.status_code == 200
        mine = {"login": "ada", "password": PASSWORD}
        assert (await web.post("/session", json=mine)).status_code == 200


async def test_a_password_for_one_sign_in_ends_after_a_day(quiet_house: House) -> None:
    house, cookies = quiet_house, with_accounts(quiet_house)
    async with as_role(house, cookies, "administrator") as web:
        made = (await web.post("/people", json={"login": "ada", "invite": "once"})).json()
    yesterday = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    house.people.change(made["person"], once_until=yesterday)
    async with client(served(house)) as web:
        given = {"login": "ada", "password": made["password"]}
        answer = await web.post("/session", data=given)
        assert answer.headers["location"].startswith("/sign-in?failed=once-ended")
        # and what it opened ends after half an hour
        house.people.change(made["person"], once=True)
        form = await web.post("/session", data=given)
        token = form.headers["location"].partition("#")[2]
        house.password_links._clock = lambda: datetime.now(UTC) + timedelta(minutes=31)
        late = await web.post("/password", json={"token": token, "password": PASSWORD})
        assert late.json()["code"] == "link-ended"
