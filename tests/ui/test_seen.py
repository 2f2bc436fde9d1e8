"""Two who edit the same shared thing: the second one's save is refused and nothing is undone."""

import re
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.requests import Request

from guardrails.audit.tables import ledger
from tests.ui.api_client import client, served
from tests.ui.fake_house import House
from ui.access import ROLES
from ui.branding import Brand
from ui.identity import SESSION_COOKIE, Person
from ui.web.pages import alerts, branding, models, people, retention, sandbox
from ui.web.plain import Visit

ME = Person("p1", "Sample", "", frozenset(ROLES), "en", granted=frozenset(ROLES))
BUDGET = {"scope": "department", "name": "Sales", "unit": "calls", "period": "day"}
# what: page, its query, method and address, what one person saves, what the other one saves
FORMS: dict[str, tuple[Any, dict[str, str], str, dict[str, Any], dict[str, Any]]] = {
    "group": (people, {"tab": "groups"}, "PUT /groups/{group}",
              {"roles": ["champion"]}, {"roles": ["staff"]}),
    "members": (people, {"tab": "groups"}, "PUT /groups/{group}/members",
                {"people": ["{person}"]}, {"people": []}),
    "person": (people, {"person": "{person}"}, "PUT /people/{person}",
               {"department": "Sales"}, {"department": "Legal"}),
    "model": (models, {}, "PATCH /models/connections/{model}",
              {"label": "One"}, {"label": "Two"}),
    "budgets": (models, {}, "PUT /budgets", {**BUDGET, "most": 5}, {**BUDGET, "most": 50}),
    "days": (retention, {}, "PUT /retention/classes/internal",
             {"days": 400}, {"days": 500}),
    "alert": (alerts, {}, "PUT /alerts/rules/denial-burst",
              {"active": True, "threshold": 9}, {"active": False, "threshold": 5}),
    "limits": (sandbox, {}, "PUT /sandbox/limits", {"tool_calls": 5}, {"tool_calls": 9}),
    "look": (branding, {}, "POST /branding", {"name": "One"}, {"name": "Two"}),
}  # fmt: skip


def drawn(house: House, module: Any, query: dict[str, str]) -> str:
    request = Request({"type": "http", "method": "GET", "path": "/", "headers": []})
    return str(module.body(Visit(house, "en", ME, query, request)))  # type: ignore[arg-type]


def acts(house: House) -> int:
    with house.engine.connect() as db:
        return int(db.scalar(sa.select(sa.func.count()).select_from(ledger)) or 0)


@pytest.fixture
def ids(quiet_house: House) -> dict[str, str]:
    quiet_house.brand = Brand(quiet_house.engine)
    me = quiet_house.people.add("own", None, name="Own", roles=ROLES)
    return {
        "cookie": f"{SESSION_COOKIE}={quiet_house.identity.begin(me)}",
        "person": quiet_house.people.add("ada", None, name="Ada").id,
        "group": quiet_house.groups.add("Office").id,
        "model": quiet_house.connections.add("openai/x", by="p_1", label="X").id,
    }


def filled(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, str):
        return re.sub(r"\{(\w+)\}", lambda found: ids[found[1]], value)
    if isinstance(value, list):
        return [filled(each, ids) for each in value]
    if isinstance(value, dict):
        return {name: filled(each, ids) for name, each in value.items()}
    return value


@pytest.mark.parametrize("what", FORMS)
async def test_the_save_of_who_saw_less_is_refused_until_they_have_looked(
    quiet_house: House, ids: dict[str, str], what: str
) -> None:
    module, query, route, first, second = FORMS[what]
    query, route, first, second = (filled(each, ids) for each in (query, route, first, second))
    method, address = route.split(" ")
    form = re.search(
        f'data-api="{method} /api/v1{address}"[^>]*data-match="(\\w+)"',
        drawn(quiet_house, module, query),
    )
    assert form, "the page's form does not say what it shows"
    async with client(served(quiet_house), cookie=ids["cookie"]) as web:

        async def save(body: Any, match: str) -> Any:
            given: Any = {"data": body} if what == "look" else {"json": body}
            return await web.request(method, address, headers={"if-match": match}, **given)

        done = await save(first, f'"{form[1]}"')
        assert done.status_code == 200, done.text
        before = acts(quiet_house)
        late = await save(second, f'"{form[1]}"')
        assert (late.status_code, late.json()["code"]) == (412, "changed-meanwhile")
        assert acts(quiet_house) == before, "refused before it was done"
        assert late.headers["etag"] == done.headers["etag"]
        # whoever has looked may save all the same; a program that says nothing, too
        assert (await save(second, late.headers["etag"])).status_code == 200
        assert (await save(first, "")).status_code == 200


async def test_reading_gives_what_a_save_has_to_match(
    quiet_house: House, ids: dict[str, str]
) -> None:
    async with client(served(quiet_house), cookie=ids["cookie"]) as web:
        for path in ("/groups/{group}", "/people/{person}", "/budgets", "/sandbox/limits"):
            assert (await web.get(filled(path, ids))).headers["etag"], path
        tag = (await web.get(filled("/groups/{group}", ids))).headers["etag"]
        change = {"json": {"name": "Bureau"}, "headers": {"if-match": f"W/{tag}"}}
        done = await web.put(filled("/groups/{group}", ids), **change)  # type: ignore[arg-type]
        assert done.status_code == 200 and done.headers["etag"] != tag
