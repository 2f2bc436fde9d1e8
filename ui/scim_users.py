"""Users of SCIM: made, found, changed, deactivated, removed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from fastapi import FastAPI, Request
from fastapi.responses import Response

from guardrails.errors import BadInput
from ui import leaving
from ui.accounts import Account, people
from ui.apikeys import ApiKey
from ui.scim_common import Body, Count, Scim, Start, Token, act, listed, location, operations
from ui.scim_filter import Equal, parse_filter
from ui.scim_user import ScimUser, read_account, shown

if TYPE_CHECKING:
    from ui.wiring import App


def add_users(scim: FastAPI, app: "App") -> None:
    """Register the routes."""

    @scim.get("/Users")
    def users(
        request: Request,
        key: Token,
        filter: str = "",
        start: Start = 1,
        count: Count = 100,
    ) -> Response:
        wanted = parse_filter(filter)
        found = [each for each in _candidates(app, wanted) if _fits_user(each, wanted)]
        return listed(found, start, count, lambda account: _user(request, app, account))

    @scim.post("/Users")
    def add(request: Request, key: Token, given: Body) -> Response:
        user = ScimUser()
        user.take(given)
        values = user.values()
        app.ledger.record(act("user.add", key, payload={"roles": ["staff"]}))
        account = _adopted(app, key, values) or app.people.add(
            str(values["login"]),
            None,
            name=str(values["name"]),
            department=str(values["department"]),
            email=str(values["email"]),
            external=str(values["external"]),
            details=str(values["details"]),
            language="fr" if values["language"] == "fr" else "en",
            disabled=bool(values["disabled"]),
            source="scim",
        )
        shape = _user(request, app, account)
        return Scim(shape, 201, {"location": shape["meta"]["location"]})

    @scim.get("/Users/{id_}")
    def one(request: Request, id_: str, key: Token) -> Response:
        return Scim(_user(request, app, scim_account(app, id_)))

    @scim.put("/Users/{id_}")
    def replace(request: Request, id_: str, key: Token, given: Body) -> Response:
        account = scim_account(app, id_)
        user = ScimUser(active=not account.disabled)
        user.take(given)
        return Scim(_user(request, app, _changed(app, key, account, user)))

    @scim.patch("/Users/{id_}")
    def change(request: Request, id_: str, key: Token, given: Body) -> Response:
        account = scim_account(app, id_)
        user = read_account(account)
        for op, path, value in operations(given):
            if op == "remove":
                user.drop(path)
            elif path:
                user.put(path, value)
            elif isinstance(value, dict):
                user.take(value)
            else:
                raise BadInput("scim-path")
        return Scim(_user(request, app, _changed(app, key, account, user)))

    @scim.delete("/Users/{id_}")
    def remove(id_: str, key: Token) -> Response:
        account = scim_account(app, id_)
        app.ledger.record(act("user.remove", key, subject=account.id))
        leaving.remove(app.people, app.identity, account)
        return Response(status_code=204)


def _candidates(app: "App", wanted: tuple[Equal, ...]) -> list[Account]:
    """Accounts of directories that a filter may mean. A directory asks for one after the other,
    by name: reading everybody for each would make its first round a matter of hours."""
    columns = {"username": "login", "externalid": "external", "id": "id"}
    for each in wanted:
        if each.path in columns:
            return app.people.directory(**{columns[each.path]: each.value})
    return app.people.directory()


def _adopted(app: "App", key: ApiKey, values: Mapping[str, object]) -> Account | None:
    """The account of somebody who signed in before the directory told of them."""
    external = str(values["external"])
    if not external:
        return None
    known = sa.select(people.c.id).where(people.c.source == "oidc", people.c.external == external)
    with app.people.engine.connect() as connection:
        id_ = connection.scalars(known).first()
    if id_ is None:
        return None
    if values["disabled"]:
        app.ledger.record(act("user.disable", key, subject=id_))
        leaving.shut_out(app.people, app.identity, id_)
    return app.people.change(id_, **{**values, "source": "scim", "roles": "staff"})


def _changed(app: "App", key: ApiKey, account: Account, user: ScimUser) -> Account:
    values = user.values()
    ends = bool(values["disabled"]) and not account.disabled
    kind = "user.disable" if ends else "user.change"
    app.ledger.record(act(kind, key, subject=account.id))
    after = app.people.change(account.id, **values)
    if ends:
        leaving.shut_out(app.people, app.identity, account.id)
    return after


def scim_account(app: "App", id_: str) -> Account:
    """An account that a directory made. Raises BadInput("no-such-account")."""
    account = app.people.known(id_)
    if account.source != "scim":
        raise BadInput("no-such-account", login=id_)
    return account


def _user(request: Request, app: "App", account: Account) -> dict[str, Any]:
    base = location(request)
    groups = [
        {"value": group.id, "display": group.name, "$ref": f"{base}/Groups/{group.id}"}
        for group in app.groups.of(account.id)
        if group.source == "scim"
    ]
    return shown(account, base, groups)


def _fits_user(account: Account, wanted: tuple[Equal, ...]) -> bool:
    for each in wanted:
        value = each.value.casefold()
        if each.path == "username":
            fits = account.login == value
        elif each.path == "externalid":
            fits = account.external == each.value
        elif each.path == "id":
            fits = account.id == each.value
        elif each.path == "active":
            fits = str(not account.disabled).lower() == value
        elif each.path == "displayname":
            fits = account.name.casefold() == value
        elif each.path in ("emails", "emails.value") or each.path.startswith("emails["):
            fits = value in {mail["value"].casefold() for mail in read_account(account).emails}
        else:
            raise BadInput("scim-filter")
        if not fits:
            return False
    return True
