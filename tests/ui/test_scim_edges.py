"""Provisioning at its edges: what is not understood changes nothing, and nobody is left inside."""

import json
from collections.abc import AsyncIterator
from typing import Any, cast

import httpx
import pytest

from tests.ui.fake_house import House
from tests.ui.test_scim import GROUP, OKTA_USER, PATCH, made, patch
from ui.scim import build
from ui.wiring import App


@pytest.fixture
async def web(quiet_house: House) -> AsyncIterator[httpx.AsyncClient]:
    """A directory with a provisioning key."""
    _, secret = quiet_house.api_keys.make("Okta", owner="", maker="u_admin", kind="scim")
    app = build(cast(App, quiet_house))
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    headers = {"authorization": f"Bearer {secret}", "content-type": "application/scim+json"}
    async with httpx.AsyncClient(
        transport=transport, base_url="https://atelier.example", headers=headers
    ) as web:
        yield web


async def group_of_two(web: httpx.AsyncClient) -> tuple[str, str, str]:
    """Ids of a group and of its two members."""
    ada = await made(web)
    bob = await made(web, OKTA_USER)
    members = [{"value": ada["id"]}, {"value": bob["id"]}]
    group = {"schemas": [GROUP], "displayName": "Sales", "members": members}
    answer = await web.post("/Groups", json=group)
    assert answer.status_code == 201
    return str(answer.json()["id"]), str(ada["id"]), str(bob["id"])


async def members(web: httpx.AsyncClient, group: str) -> set[str]:
    shown = (await web.get(f"/Groups/{group}")).json()
    return {each["value"] for each in shown["members"]}


async def test_a_patch_of_a_group_that_fails_half_way_changes_nothing(
    web: httpx.AsyncClient,
) -> None:
    group, ada, bob = await group_of_two(web)
    refused = await patch(
        web,
        f"/Groups/{group}",
        {"op": "replace", "path": "displayName", "value": "Renamed"},
        {"op": "remove", "path": "members"},
        {"op": "replace", "path": "nonsense", "value": "x"},
    )
    assert refused.json()["scimType"] == "invalidPath"
    assert (await web.get(f"/Groups/{group}")).json()["displayName"] == "Sales"
    assert await members(web, group) == {ada, bob}


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("members[]", "invalidFilter"),
        ('members[display eq "Bob Sample"]', "invalidFilter"),
        ("members[value", "invalidPath"),
        ("membership", "invalidPath"),
    ],
)
async def test_whom_a_removal_means_must_be_certain(
    web: httpx.AsyncClient, path: str, kind: str
) -> None:
    group, ada, bob = await group_of_two(web)
    refused = await patch(web, f"/Groups/{group}", {"op": "remove", "path": path})
    assert (refused.status_code, refused.json()["scimType"]) == (400, kind)
    assert await members(web, group) == {ada, bob}


async def test_a_member_is_removed_by_the_whole_name_of_the_attribute(
    web: httpx.AsyncClient,
) -> None:
    group, ada, bob = await group_of_two(web)
    path = f'{GROUP}:members[value eq "{bob}"]'
    assert (await patch(web, f"/Groups/{group}", {"op": "remove", "path": path})).is_success
    assert await members(web, group) == {ada}


async def test_putting_a_group_replaces_its_external_id_too(web: httpx.AsyncClient) -> None:
    group, _, _ = await group_of_two(web)
    body = {"schemas": [GROUP], "displayName": "Sales", "externalId": "e2", "members": []}
    assert (await web.put(f"/Groups/{group}", json=body)).json()["externalId"] == "e2"


@pytest.mark.parametrize(
    "body",
    [
        {"displayName": {"a": 1}},
        {"displayName": "X", "externalId": "\ud800"},
        {"displayName": "X", "members": [{"value": "\ud800"}]},
        {"displayName": "X", "members": [{"value": 7}]},
    ],
)
async def test_what_is_no_text_is_refused_and_makes_no_group(
    web: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    refused = await web.post("/Groups", content=json.dumps(body))
    assert (refused.status_code, refused.json()["scimType"]) == (400, "invalidValue")
    assert (await web.get("/Groups")).json()["totalResults"] == 0


async def test_a_filter_finds_names_that_are_written_with_escapes(web: httpx.AsyncClient) -> None:
    await made(web, {**OKTA_USER, "userName": 'É"lodie', "displayName": "Élodie"})
    for text in (r"userName eq \u0022", r'displayName eq "\ud800"'):
        assert (await web.get("/Users", params={"filter": text})).status_code == 400
    for text in (r'displayName eq "\u00c9lodie"', r'userName eq "é\"LODIE"'):
        found = (await web.get("/Users", params={"filter": text})).json()
        assert found["totalResults"] == 1, text


async def test_a_filter_that_is_not_understood_is_refused_also_where_nobody_is(
    web: httpx.AsyncClient,
) -> None:
    refused = await web.get("/Users", params={"filter": "userName sw"})
    assert refused.json()["scimType"] == "invalidFilter"


async def test_the_primary_address_is_changed_and_removed_by_its_filter(
    web: httpx.AsyncClient,
) -> None:
    user = f"/Users/{(await made(web, OKTA_USER))['id']}"
    path = "emails[primary eq true].value"
    after = (await patch(web, user, {"op": "replace", "path": path, "value": "new@x"})).json()
    assert after["emails"] == [{"value": "new@x", "type": "work", "primary": True}]
    gone = await patch(web, user, {"op": "remove", "path": 'emails[value eq "new@x"]'})
    assert gone.json()["emails"] == []


async def test_who_signed_in_before_and_comes_deactivated_loses_their_keys(
    web: httpx.AsyncClient, quiet_house: House
) -> None:
    house = quiet_house
    before = house.people.add("oidc:1", None, source="oidc", oidc="oidc:1", external="E9")
    cookie = house.identity.begin(before)
    house.api_keys.make("mine", owner=before.id, maker=before.id, scopes=["agents.use"])
    await made(web, {**OKTA_USER, "externalId": "E9", "active": False})
    assert house.people.known(before.id).disabled and cookie
    assert house.api_keys.all(before.id) == [] and house.identity.sign_ins.all(before.id) == []


async def test_many_members_join_at_once_and_strangers_are_passed_over(
    web: httpx.AsyncClient, quiet_house: House
) -> None:
    people = quiet_house.people
    ids = [people.add(f"p{at}", None, source="scim").id for at in range(60)]
    group = (await web.post("/Groups", json={"displayName": "All"})).json()["id"]
    values = [{"value": each} for each in [*ids, "u_0000000000000000", ids[0]]]
    body = {"schemas": [PATCH], "Operations": [{"op": "add", "path": "members", "value": values}]}
    answer = await web.patch(f"/Groups/{group}", json=body)
    assert answer.is_success and await members(web, group) == set(ids)
