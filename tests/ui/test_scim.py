"""Provisioning, with requests in the shapes that Microsoft Entra ID and Okta send."""

from collections.abc import AsyncIterator
from typing import Any, cast

import httpx
import pytest
import sqlalchemy as sa

from guardrails.audit.tables import ledger
from tests.ui.fake_house import House
from ui.accounts import Account
from ui.scim import build
from ui.scim_filter import parse_filter
from ui.wiring import App

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

# as Entra ID creates a user with its default attribute mappings
ENTRA_USER: dict[str, Any] = {
    "schemas": [USER, ENTERPRISE],
    "externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
    "userName": "Ada.Sample@contoso.example",
    "active": True,
    "addresses": [{"primary": False, "type": "work", "country": "Germany", "locality": "Berlin"}],
    "displayName": "Ada Sample",
    "emails": [{"primary": True, "type": "work", "value": "ada.sample@contoso.example"}],
    "meta": {"resourceType": "User"},
    "name": {"formatted": "Ada Sample", "familyName": "Sample", "givenName": "Ada"},
    "phoneNumbers": [{"primary": None, "type": "work", "value": "555-555-5555"}],
    "preferredLanguage": "fr-FR",
    "roles": [],
    "title": "Analyst",
    ENTERPRISE: {"department": "Finance", "employeeNumber": "42", "manager": "someone"},
}
# as Okta creates one, with a password that nobody asked for
OKTA_USER: dict[str, Any] = {
    "schemas": [USER],
    "userName": "bob.sample@okta.example",
    "name": {"givenName": "Bob", "familyName": "Sample"},
    "emails": [{"primary": True, "value": "bob.sample@okta.example", "type": "work"}],
    "displayName": "Bob Sample",
    "locale": "en-US",
    "externalId": "00ujl29u0le5T6Aj10h7",
    "groups": [],
    "password": "1mz050nq",
    "active": True,
}


@pytest.fixture
async def web(house: House) -> AsyncIterator[httpx.AsyncClient]:
    """A directory with a provisioning key."""
    _, secret = house.api_keys.make("Entra ID", owner="", maker="u_admin", kind="scim")
    transport = httpx.ASGITransport(app=build(cast(App, house)), raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport,
        base_url="https://atelier.example",
        headers={
            "authorization": f"Bearer {secret}",
            "content-type": "application/scim+json; charset=utf-8",
        },
    ) as web:
        yield web


async def made(web: httpx.AsyncClient, user: dict[str, Any] = ENTRA_USER) -> dict[str, Any]:
    answer = await web.post("/Users", json=user)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def account(house: House, id_: str) -> Account:
    return house.people.known(id_)


async def patch(web: httpx.AsyncClient, path: str, *operations: dict[str, Any]) -> httpx.Response:
    return await web.patch(path, json={"schemas": [PATCH], "Operations": list(operations)})


async def test_entra_looks_first_and_then_makes_somebody(
    web: httpx.AsyncClient, house: House
) -> None:
    asked = {"filter": 'userName eq "Ada.Sample@contoso.example"'}
    none = (await web.get("/Users", params=asked)).json()
    assert none["totalResults"] == 0 and none["Resources"] == []
    user = await made(web)
    found = (await web.get("/Users", params=asked)).json()
    assert found["Resources"] == [user] and found["itemsPerPage"] == 1
    assert user["externalId"] == ENTRA_USER["externalId"] and user["active"] is True
    assert user["name"]["givenName"] == "Ada" and user[ENTERPRISE] == {"department": "Finance"}
    assert "phoneNumbers" not in user and "addresses" not in user
    kept = account(house, user["id"])
    assert (kept.name, kept.department, kept.language) == ("Ada Sample", "Finance", "fr")
    assert kept.roles == {"staff"} and not kept.password and kept.source == "scim"
    # what is not needed is not kept anywhere
    assert "555-555" not in (house.settings.home / "atelier.db").read_text("latin-1")


async def test_entras_patches_change_what_they_say(web: httpx.AsyncClient, house: House) -> None:
    user = await made(web)
    where = f"/Users/{user['id']}"
    answer = await patch(
        web,
        where,
        {"op": "Replace", "path": "displayName", "value": "Ada Example"},
        {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "ada@new.example"},
        {"op": "Add", "path": "name.familyName", "value": "Example"},
        {"op": "Add", "path": f"{ENTERPRISE}:department", "value": "Legal"},
        {"op": "Remove", "path": "title"},
    )
    changed = answer.raise_for_status().json()
    assert changed["displayName"] == "Ada Example" and "title" not in changed
    assert changed["emails"][0]["value"] == "ada@new.example"
    assert changed["name"]["familyName"] == "Example"
    kept = account(house, user["id"])
    assert (kept.email, kept.department) == ("ada@new.example", "Legal")
    # without a path, with dotted names: the other way Entra ID has of saying it
    value = {"displayName": "Ada Third", "name.givenName": "A.", f"{ENTERPRISE}:department": "IT"}
    answer = await patch(web, where, {"op": "replace", "value": value})
    assert answer.json()["name"]["givenName"] == "A."
    assert account(house, user["id"]).department == "IT"


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "Replace", "path": "active", "value": "False"},
        {"op": "Replace", "path": "active", "value": False},
        {"op": "replace", "value": {"active": False}},
        {"op": "Replace", "path": f"{USER}:active", "value": "false"},
    ],
    ids=["entra-text", "entra-flag", "okta", "with-schema"],
)
async def test_deactivating_ends_sessions_and_keys_at_once(
    web: httpx.AsyncClient, house: House, operation: dict[str, Any]
) -> None:
    user = await made(web)
    kept = account(house, user["id"])
    house.identity.begin(kept)
    _, secret = house.api_keys.make("k", owner=kept.id, maker=kept.id, scopes=["agents.use"])
    answer = await patch(web, f"/Users/{kept.id}", operation)
    assert answer.json()["active"] is False
    assert house.identity.sign_ins.all(kept.id) == [] and house.api_keys.check(secret) is None
    assert house.people.get(kept.id) is None
    # a deactivated user is still found, so that it can be taken back
    asked = {"filter": f'externalId eq "{kept.external}"'}
    assert (await web.get("/Users", params=asked)).json()["totalResults"] == 1
    again = await patch(web, f"/Users/{kept.id}", {"op": "replace", "value": {"active": "True"}})
    assert again.json()["active"] is True and house.people.get(kept.id) is not None


async def test_oktas_life_of_a_user(web: httpx.AsyncClient, house: House) -> None:
    first = await web.get("/Users", params={"startIndex": 1, "count": 2})
    assert first.status_code == 200
    user = await made(web, OKTA_USER)
    assert "password" not in user
    # the password it sent opens nothing
    assert house.people.check("bob.sample@okta.example", OKTA_USER["password"]) is None
    replaced = {**OKTA_USER, "id": user["id"], "displayName": "Robert Sample", "title": "Lead"}
    answer = await web.put(f"/Users/{user['id']}", json=replaced)
    assert answer.json()["displayName"] == "Robert Sample" and answer.json()["title"] == "Lead"
    answer = await web.put(f"/Users/{user['id']}", json={**replaced, "active": False})
    assert answer.json()["active"] is False


async def test_oktas_groups_give_roles(web: httpx.AsyncClient, house: House) -> None:
    user = await made(web, OKTA_USER)
    answer = await web.post(
        "/Groups", json={"schemas": [GROUP], "displayName": "Security team", "members": []}
    )
    assert answer.status_code == 201
    group = answer.json()
    house.groups.change(group["id"], roles=["security"])
    where = f"/Groups/{group['id']}"
    member = {"value": user["id"], "display": "bob.sample@okta.example"}
    await patch(web, where, {"op": "add", "path": "members", "value": [member]})
    assert account(house, user["id"]).roles == {"staff", "security"}
    renamed = {"id": group["id"], "displayName": "Security officers"}
    answer = await patch(web, where, {"op": "replace", "value": renamed})
    assert answer.json()["displayName"] == "Security officers"
    assert answer.json()["members"][0]["value"] == user["id"]
    removal = {"op": "remove", "path": f'members[value eq "{user["id"]}"]'}
    await patch(web, where, removal)
    assert account(house, user["id"]).roles == {"staff"}
    with house.engine.connect() as db:
        rows = db.execute(sa.select(ledger.c.kind).where(ledger.c.rule == "scim"))
        kinds = {str(kind) for (kind,) in rows}
    assert {"user.add", "group.add", "group.change", "roles.change"} <= kinds


async def test_entras_groups(web: httpx.AsyncClient, house: House) -> None:
    one, two = await made(web), await made(web, OKTA_USER)
    group = (
        await web.post(
            "/Groups",
            json={
                "schemas": [GROUP],
                "externalId": "8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159",
                "displayName": "Champions",
                "meta": {"resourceType": "Group"},
            },
        )
    ).json()
    where = f"/Groups/{group['id']}"
    house.groups.change(group["id"], roles=["champion"])
    asked = {"filter": 'displayName eq "Champions"', "excludedAttributes": "members"}
    listed = (await web.get("/Groups", params=asked)).json()
    assert listed["totalResults"] == 1 and "members" not in listed["Resources"][0]
    both = [{"$ref": None, "value": one["id"]}, {"$ref": None, "value": two["id"]}]
    await patch(web, where, {"op": "Add", "path": "members", "value": both})
    assert len((await web.get(where)).json()["members"]) == 2
    await patch(web, where, {"op": "Remove", "path": "members", "value": both[:1]})
    assert [each["value"] for each in (await web.get(where)).json()["members"]] == [two["id"]]
    assert account(house, one["id"]).roles == {"staff"}
    assert account(house, two["id"]).roles == {"staff", "champion"}
    assert (await web.delete(where)).status_code == 204
    assert account(house, two["id"]).roles == {"staff"}


async def test_a_directory_sees_and_touches_only_what_directories_made(
    web: httpx.AsyncClient, house: House
) -> None:
    local = house.people.add("root@contoso.example", None, roles=["administrator"])
    asked = {"filter": 'userName eq "root@contoso.example"'}
    assert (await web.get("/Users", params=asked)).json()["totalResults"] == 0
    for call in (web.get, web.delete):
        assert (await call(f"/Users/{local.id}")).status_code == 404
    taken = await web.post("/Users", json={**ENTRA_USER, "userName": "root@contoso.example"})
    assert (taken.status_code, taken.json()["scimType"]) == (409, "uniqueness")
    group = house.groups.add("Local", roles=["administrator"])
    user = await made(web)
    added = {"op": "add", "path": "members", "value": [{"value": user["id"]}]}
    assert (await patch(web, f"/Groups/{group.id}", added)).status_code == 404
    theirs = (await web.post("/Groups", json={"displayName": "Theirs"})).json()
    added["value"] = [{"value": local.id}]
    answer = await patch(web, f"/Groups/{theirs['id']}", added)
    assert answer.json()["members"] == []


async def test_somebody_who_signed_in_before_is_the_same_person(
    web: httpx.AsyncClient, house: House
) -> None:
    external = ENTRA_USER["externalId"]
    before = house.people.provided(
        "oidc:abc", name="Ada", department="", roles=["staff"], language="en", external=external
    )
    user = await made(web)
    assert user["id"] == before.id
    # and the other way round: the sign-in after provisioning finds the provisioned account
    again = house.people.provided(
        "oidc:abc", name="?", department="", roles=["staff"], language="en", external=external
    )
    assert again.id == before.id and again.name == "Ada Sample"


async def test_somebody_who_is_removed_is_gone(web: httpx.AsyncClient, house: House) -> None:
    user = await made(web)
    assert (await web.delete(f"/Users/{user['id']}")).status_code == 204
    gone = await web.get(f"/Users/{user['id']}")
    assert gone.status_code == 404 and gone.json()["status"] == "404"
    assert house.people.all() == []


async def test_without_a_provisioning_key_nothing_is_told(
    web: httpx.AsyncClient, house: House
) -> None:
    owner = house.people.add("owner", None, roles=["administrator"])
    _, api = house.api_keys.make("k", owner=owner.id, maker=owner.id, scopes=["agents.use"])
    key, old = house.api_keys.make("old", owner="", maker="", kind="scim")
    house.api_keys.revoke(key.id)
    cookie = house.identity.begin(owner)
    for path in ("/Users", "/Groups", "/Schemas", "/ServiceProviderConfig", "/ResourceTypes"):
        for headers in (
            {"authorization": ""},
            {"authorization": f"Bearer {api}"},
            {"authorization": f"Bearer {old}"},
            {"authorization": "", "cookie": f"atelier_session={cookie}"},
        ):
            answer = await web.get(path, headers=headers)
            assert answer.status_code == 401 and "Bearer" in answer.headers["www-authenticate"]


async def test_what_is_offered_is_described(web: httpx.AsyncClient) -> None:
    said = (await web.get("/ServiceProviderConfig")).json()
    assert said["patch"]["supported"] and not said["bulk"]["supported"]
    schemas = (await web.get("/Schemas")).json()["Resources"]
    assert {each["id"] for each in schemas} == {USER, ENTERPRISE, GROUP}
    for each in schemas:
        assert (await web.get(f"/Schemas/{each['id']}")).json()["name"] == each["name"]
    types = (await web.get("/ResourceTypes")).json()
    assert [each["endpoint"] for each in types["Resources"]] == ["/Users", "/Groups"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('userName eq "a"', [("username", "a")]),
        ('emails[type eq "work"].value eq "a"', [('emails[type eq "work"].value', "a")]),
        (f'{USER}:userName eq "a"', [("username", "a")]),
        ('userName eq "a \\"b\\" and c" and active eq true',
         [("username", 'a "b" and c'), ("active", "true")]),
        ("", []),
    ],
)  # fmt: skip
def test_filters_that_directories_send_are_read(text: str, found: list[tuple[str, str]]) -> None:
    assert [(each.path, each.value) for each in parse_filter(text)] == found


@pytest.mark.parametrize(
    "bad",
    [
        *['userName co "a"', 'userName eq "a" or active eq true', "userName eq", "((("],
        *['photos eq "x"', 'userName eq "a" and', "userName pr"],
    ],
)
async def test_other_filters_are_refused(web: httpx.AsyncClient, bad: str) -> None:
    await made(web)
    answer = await web.get("/Users", params={"filter": bad})
    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidFilter")


@pytest.mark.parametrize(
    "raw",
    [
        *[b"", b"[]", b"{", b"[" * 50_000, b'{"userName": {"a": 1}}', b'{"displayName": "x"}'],
        *[b'{"userName": "x", "active": "perhaps"}', b"\xff\xfe"],
    ],
)
async def test_what_is_no_user_is_refused(web: httpx.AsyncClient, raw: bytes) -> None:
    answer = await web.post("/Users", content=raw)
    assert answer.status_code == 400 and answer.json()["scimType"], answer.text


async def test_control_characters_in_names_are_taken_out(
    web: httpx.AsyncClient, house: House
) -> None:
    user = await made(web, {**ENTRA_USER, "displayName": "Ada\x1b[31m\u202e<script>\n"})
    assert account(house, user["id"]).name == "Ada[31m<script>"
