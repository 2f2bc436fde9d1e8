"""Groups of SCIM and their members. What roles a group gives is decided here, not there."""

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import FastAPI, Query, Request
from fastapi.responses import Response

from guardrails.errors import BadInput
from ui import duties
from ui.access import Role
from ui.accounts import Account
from ui.apikeys import ApiKey
from ui.groups import Group
from ui.scim_about import GROUP
from ui.scim_common import (
    Body,
    Count,
    Scim,
    Start,
    Token,
    act,
    listed,
    location,
    operations,
    text_of,
)
from ui.scim_filter import Equal, parse_filter
from ui.scim_group import GroupChange
from ui.scim_group import ids as _ids
from ui.scim_users import scim_account

if TYPE_CHECKING:
    from ui.wiring import App

MANY = 50  # members to look up one by one


def add_groups(scim: FastAPI, app: "App") -> None:
    """Register the routes."""

    @scim.get("/Groups")
    def groups(
        request: Request,
        key: Token,
        filter: str = "",
        start: Start = 1,
        count: Count = 100,
        excluded: Annotated[str, Query(alias="excludedAttributes")] = "",
    ) -> Response:
        wanted = parse_filter(filter)
        found = [each for each in app.groups.all() if each.source == "scim" and _fits(each, wanted)]
        bare = "members" in excluded
        return listed(found, start, count, lambda group: _group(request, app, group, bare=bare))

    @scim.post("/Groups")
    def add(request: Request, key: Token, given: Body) -> Response:
        ids = _ids(given.get("members"))
        name = text_of(given.get("displayName"), "displayName")
        external = text_of(given.get("externalId"), "externalId")
        app.ledger.record(act("group.add", key))
        group = app.groups.add(name, external=external, source="scim")
        _set_members(app, key, group, ids)
        shape = _group(request, app, app.groups.get(group.id))
        return Scim(shape, 201, {"location": shape["meta"]["location"]})

    @scim.get("/Groups/{id_}")
    def one(
        request: Request,
        id_: str,
        key: Token,
        excluded: Annotated[str, Query(alias="excludedAttributes")] = "",
    ) -> Response:
        return Scim(_group(request, app, _one(app, id_), bare="members" in excluded))

    @scim.put("/Groups/{id_}")
    def replace(request: Request, id_: str, key: Token, given: Body) -> Response:
        group = _one(app, id_)
        change = GroupChange([])
        for part in ("displayName", "externalId", "members"):
            if part in given or part == "members":
                change.take("replace", part, given.get(part))
        _apply(app, key, group, change)
        return Scim(_group(request, app, _one(app, id_)))

    @scim.patch("/Groups/{id_}")
    def change(request: Request, id_: str, key: Token, given: Body) -> Response:
        group = _one(app, id_)
        change = GroupChange(app.groups.members(id_))
        for op, path, value in operations(given):
            change.take(op, path, value)
        _apply(app, key, group, change)
        return Scim(_group(request, app, _one(app, id_)))

    @scim.delete("/Groups/{id_}")
    def remove(id_: str, key: Token) -> Response:
        _one(app, id_)
        app.ledger.record(act("group.remove", key, payload={"group": id_}))
        app.groups.remove(id_)
        return Response(status_code=204)


def _apply(app: "App", key: ApiKey, group: Group, change: GroupChange) -> None:
    """Everything that was asked for, after all of it was understood (RFC 7644, 3.5.2: atomic)."""
    app.ledger.record(act("group.change", key, payload={"group": group.id}))
    if change.name or change.external is not None:
        app.groups.change(group.id, name=change.name or None, external=change.external)
    _set_members(app, key, group, change.members)


def _set_members(app: "App", key: ApiKey, group: Group, ids: list[str]) -> None:
    before = app.groups.members(group.id)
    app.groups.leave(group.id, set(before) - set(ids))
    _join(app, key, group, set(ids) - set(before))


def _join(app: "App", key: ApiKey, group: Group, ids: set[str]) -> None:
    joining = _visible(app, ids)
    given = app.groups.get(group.id).roles
    for account in joining:
        after: set[Role] = set(account.roles | given)
        if after != account.roles:
            duties.record_roles(app, key.maker or "system", account, after, rule="scim")
    app.groups.join(group.id, [account.id for account in joining])


def _visible(app: "App", ids: set[str]) -> list[Account]:
    """Whom a directory made among them; others, and people removed meanwhile, are passed over."""
    if len(ids) > MANY:
        accounts = app.people.all("person")
        return [each for each in accounts if each.source == "scim" and each.id in ids]
    found = []
    for id_ in sorted(ids):
        with suppress(BadInput):
            found.append(scim_account(app, id_))
    return found


def _one(app: "App", id_: str) -> Group:
    group = app.groups.get(id_)
    if group.source != "scim":
        raise BadInput("no-such-group")
    return group


def _group(request: Request, app: "App", group: Group, *, bare: bool = False) -> dict[str, Any]:
    base = location(request)
    shape: dict[str, Any] = {
        "schemas": [GROUP],
        "id": group.id,
        "displayName": group.name,
        "meta": {
            "resourceType": "Group",
            "created": group.created,
            "lastModified": group.changed,
            "location": f"{base}/Groups/{group.id}",
        },
    }
    if group.external:
        shape["externalId"] = group.external
    if not bare:
        shape["members"] = [
            {"value": id_, "$ref": f"{base}/Users/{id_}", "type": "User"}
            for id_ in app.groups.members(group.id)
        ]
    return shape


def _fits(group: Group, wanted: tuple[Equal, ...]) -> bool:
    for each in wanted:
        if each.path == "displayname":
            fits = group.name.casefold() == each.value.casefold()
        elif each.path == "externalid":
            fits = group.external == each.value
        elif each.path == "id":
            fits = group.id == each.value
        else:
            raise BadInput("scim-filter")
        if not fits:
            return False
    return True
