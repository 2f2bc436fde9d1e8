"""Groups of SCIM and their members. What roles a group gives is decided here, not there."""

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
from ui.scim_common import Body, Count, Scim, Start, Token, act, listed, location, operations
from ui.scim_filter import Equal, parse_filter
from ui.scim_users import scim_account

if TYPE_CHECKING:
    from ui.wiring import App


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
        app.ledger.record(act("group.add", key))
        group = app.groups.add(
            str(given.get("displayName") or ""),
            external=str(given.get("externalId") or ""),
            source="scim",
        )
        _set_members(app, key, group, _ids(given.get("members")))
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
        app.ledger.record(act("group.change", key, payload={"group": id_}))
        app.groups.change(id_, name=str(given.get("displayName") or group.name))
        _set_members(app, key, group, _ids(given.get("members")))
        return Scim(_group(request, app, _one(app, id_)))

    @scim.patch("/Groups/{id_}")
    def change(request: Request, id_: str, key: Token, given: Body) -> Response:
        group = _one(app, id_)
        app.ledger.record(act("group.change", key, payload={"group": id_}))
        for op, path, value in operations(given):
            _patch_group(app, key, group, op, path, value)
        return Scim(_group(request, app, _one(app, id_)))

    @scim.delete("/Groups/{id_}")
    def remove(id_: str, key: Token) -> Response:
        _one(app, id_)
        app.ledger.record(act("group.remove", key, payload={"group": id_}))
        app.groups.remove(id_)
        return Response(status_code=204)


def _patch_group(app: "App", key: ApiKey, group: Group, op: str, path: str, value: Any) -> None:
    name = path.lower().rpartition(":")[2] if path.lower().startswith("urn:") else path.lower()
    if name.startswith("members"):
        # Okta and Entra ID remove by path: members[value eq "u_…"]
        named = [each.value for each in parse_filter(path[8:-1])] if "[" in path else None
        ids = named if named is not None else _ids(value)
        if op == "replace":
            _set_members(app, key, group, ids)
        elif op == "add":
            _join(app, key, group, ids)
        else:
            app.groups.leave(group.id, ids if value is not None or named else _members(app, group))
    elif op != "remove" and not path and isinstance(value, dict):
        for part, each in value.items():
            _patch_group(app, key, group, op, part, each)
    elif op != "remove" and name == "displayname":
        app.groups.change(group.id, name=str(value))
    elif op != "remove" and name == "externalid":
        app.groups.change(group.id, external=str(value))
    elif name not in ("id", "schemas", "meta", "externalid", "displayname"):
        raise BadInput("scim-path")


def _set_members(app: "App", key: ApiKey, group: Group, ids: list[str]) -> None:
    gone = set(_members(app, group)) - set(ids)
    app.groups.leave(group.id, gone)
    _join(app, key, group, ids)


def _join(app: "App", key: ApiKey, group: Group, ids: list[str]) -> None:
    joining = [account for id_ in ids if (account := _visible(app, id_)) is not None]
    for account in joining:
        after: set[Role] = set(account.roles | app.groups.get(group.id).roles)
        if after != account.roles:
            duties.record_roles(app, key.maker or "system", account, after, rule="scim")
    app.groups.join(group.id, [account.id for account in joining])


def _visible(app: "App", id_: str) -> Account | None:
    try:
        return scim_account(app, id_)
    except BadInput:
        return None  # somebody whom this directory did not make, or removed meanwhile


def _members(app: "App", group: Group) -> list[str]:
    return app.groups.members(group.id)


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
            for id_ in _members(app, group)
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


def _ids(value: object) -> list[str]:
    given = value if isinstance(value, list) else [value] if value else []
    if len(given) > 10_000:
        raise BadInput("scim-value", attribute="members")
    return [str(each.get("value") if isinstance(each, dict) else each) for each in given]
