"""Who may change whose roles. Separation of duties, in one place; knows no requests.

Nobody changes their own roles, nobody holds security and administration both (each is there to see
what the other does), and there is always somebody left who manages people. What a directory sends
(SCIM, sign-in) is believed, because other people decided it there, but it is recorded and alerted.

An administrator alone makes nobody security: a role that they give, and one whose holder they made
a way in for, rests until somebody else in security confirms (`ui.confirming`).
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from guardrails.audit.ledger import Act
from guardrails.audit.senders import Alert
from guardrails.errors import BadInput, NotPermitted
from ui.access import Role
from ui.accounts import Account
from ui.people import People

if TYPE_CHECKING:
    from ui.groups import Group
    from ui.identity import Person
    from ui.wiring import App

APART: frozenset[Role] = frozenset({"security", "administrator"})


def combined(roles: Iterable[str]) -> bool:
    """True when both duties that must stay apart are among the roles."""
    return set(roles) >= APART


def check_roles(by: "Person", account: Account, after: frozenset[Role], people: People) -> None:
    """Raise when `by` may not give `account` the roles `after`.

    NotPermitted("own-roles"), BadInput("duties-apart", "last-administrator").
    """
    if after == account.held:
        return
    if by.id == account.id:
        raise own_roles()
    if combined(after) and not combined(account.held):
        raise BadInput("duties-apart", name=account.name)
    if "administrator" not in after:
        check_last(account, people)
    if "security" not in after:
        check_last_security([account], people)


def check_last(account: Account, people: People) -> None:
    """Raise BadInput("last-administrator") when nobody else could manage people."""
    if "administrator" in account.roles and not people.holders("administrator", account.id):
        raise BadInput("last-administrator")


def check_last_security(leaving: Iterable[Account], people: People) -> None:
    """Raise BadInput("last-security") when nobody would be left in security to confirm others.

    Otherwise an administrator could empty security and begin it anew with people of their choice.
    """
    gone = {account.id for account in leaving if "security" in account.held}
    left = (each for each in people.all("person") if each.id not in gone and not each.disabled)
    if gone and not any("security" in each.roles for each in left):
        raise BadInput("last-security")


def rests(by: "Person", before: Iterable[str], after: Iterable[str], people: People) -> bool:
    """True when the security role, given by `by`, waits for somebody else in security.

    Not for the first one ever, whom nobody could confirm, and not in workshop mode, where whoever
    runs the machine gives it.
    """
    if by.workshop or "security" in before or "security" not in after:
        return False
    return any("security" in each.held for each in people.all())


def check_group(
    by: "Person", group_roles: Iterable[str], members: Iterable[Account], people: People
) -> None:
    """Raise when giving `group_roles` to `members` would break the rules, as `check_roles`."""
    given = frozenset(group_roles)
    for account in members:
        after = account.held | frozenset(role for role in APART if role in given)
        if account.id == by.id and not given <= account.held:
            raise own_roles()
        if combined(after) and not combined(account.held):
            raise BadInput("duties-apart", name=account.name)


def own_roles() -> NotPermitted:
    """The refusal for somebody who changes their own roles."""
    return NotPermitted("own-roles")


def record_roles(
    app: "App", by: str, before: Account, after: Iterable[str], *, rule: str = ""
) -> None:
    """Write a change of roles to the ledger, before it is made; alert when duties come together."""
    to = sorted(after)
    payload: Mapping[str, object] = {"from": sorted(before.held), "to": to}
    app.ledger.record(Act("roles.change", by, subject=before.id, rule=rule, payload=payload))
    if combined(to) and not combined(before.held):
        warn(app, before.id)


def warn(app: "App", person: str) -> None:
    """Tell security that somebody now holds both duties."""
    _tell(app, "duties-combined", person)


def groups_given(groups: Iterable["Group"]) -> frozenset[Role]:
    """The roles of several groups together."""
    return frozenset(role for group in groups for role in group.roles)


def warn_password(app: "App", person: str) -> None:
    """Tell security that an administrator made a password for one of them."""
    _tell(app, "security-password", person)


def warn_given(app: "App", person: str) -> None:
    """Tell security that an administrator gave somebody their role, which waits for one of them."""
    _tell(app, "security-given", person)


def _tell(app: "App", rule: str, person: str) -> None:
    from guardrails.actor import pseudonym

    name = pseudonym(app.keys, person)
    app.record.alerts.fire(Alert(rule, "warning", name, {"person": name}))
