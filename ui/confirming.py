"""Security roles that rest, and who confirms them. Knows no requests.

An administrator who gives the security role, or makes a way in for somebody who has it, could be
that person. So the role is not in force until somebody who is in security, and manages nobody, has
confirmed it. Where nobody in security is left, whoever runs the machine does: `atelier user
confirm`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from guardrails.audit.ledger import Act
from guardrails.errors import BadInput, NotPermitted
from ui.accounts import Account
from ui.duties import combined
from ui.groups import Group

if TYPE_CHECKING:
    from ui.identity import Person
    from ui.wiring import App


@dataclass(frozen=True)
class Waiting:
    """People and groups whose security role rests. `early` are people who have not used the way in
    that was made for them: whoever holds it could still use it after a confirmation."""

    people: tuple[Account, ...]
    groups: tuple[Group, ...]
    early: frozenset[str]


def waiting(app: "App") -> Waiting:
    """What waits for somebody in security."""
    resting = [
        each
        for each in app.people.all("person")
        if each.rests and "security" in each.held and not each.disabled
    ]
    return Waiting(
        tuple(resting),
        tuple(each for each in app.groups.all() if each.rests and "security" in each.roles),
        frozenset(each.id for each in resting if _early(app, each)),
    )


def confirm_person(app: "App", by: "Person", person: str) -> None:
    """Put somebody's security role in force.

    Raises NotPermitted("own-roles", "confirm-apart"), BadInput("nothing-waits", "confirm-early").
    """
    _check(by, [person])
    account = app.people.known(person)
    if account.id not in {each.id for each in waiting(app).people}:
        raise BadInput("nothing-waits")
    if _early(app, account):
        raise BadInput("confirm-early", name=account.name)
    app.ledger.record(Act("duty.confirm", by.id, subject=account.id, rule=account.rests))
    app.people.change(account.id, rests="")


def confirm_group(app: "App", by: "Person", group: str) -> None:
    """Let a group give the security role. Raises as `confirm_person`."""
    found = app.groups.get(group)
    _check(by, app.groups.members(group))
    if not found.rests:
        raise BadInput("nothing-waits")
    payload = {"group": found.id, "members": found.members}
    app.ledger.record(Act("duty.confirm", by.id, rule="group", payload=payload))
    app.groups.change(group, rests=False)


def _check(by: "Person", whom: Iterable[str]) -> None:
    if by.id in whom:
        raise NotPermitted("own-roles")
    if combined(by.granted):
        # they could have given it themselves
        raise NotPermitted("confirm-apart")


def _early(app: "App", account: Account) -> bool:
    if account.source != "local":
        return False
    return account.once or not account.password or app.password_links.open(account.id)
