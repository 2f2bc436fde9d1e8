"""Who may do what: one table. Every page handler, API route and session asks `require`.

The table is read by the access-walk test, which tries every entrance as every role and as nobody
and compares. Ownership ("only mine") is checked by the catalogue and the conversations themselves.
"""

from typing import TYPE_CHECKING, Literal

from guardrails.errors import GuardrailError, NotPermitted

if TYPE_CHECKING:
    from ui.identity import Person

Role = Literal["staff", "champion", "security", "administrator"]
ROLES: tuple[Role, ...] = ("staff", "champion", "security", "administrator")

Permission = Literal[
    "agents.use",
    "agents.build",
    "conversations.own",
    "privacy.own",
    "screen.try",
    "impact.view",
    "review.decide",
    "agents.published",
    "status.view",
    "traces.view",
    "audit.verify",
    "audit.export",
    "audit.reveal",
    "alerts.view",
    "policies.view",
    "policies.edit",
    "policies.approve",
    "retention.manage",
    "people.manage",
    "models.manage",
    "budgets.view",
    "feedback.review",
    "backup.manage",
    "account.own",
    "keys.own",
    "access.manage",
    "branding.manage",
    "duties.confirm",
]

_EVERYONE: frozenset[Role] = frozenset(ROLES)
_CHAMPION: frozenset[Role] = frozenset({"champion"})
_SECURITY: frozenset[Role] = frozenset({"security"})
_ADMINISTRATOR: frozenset[Role] = frozenset({"administrator"})

# Everyone who works here may build and chat, whatever else they do. An administrator keeps the
# machine running and manages people but reads nobody's traces; security reads traces but gives
# itself no role: neither can do the other's part alone.
MAY: dict[Permission, frozenset[Role]] = {
    "agents.use": _EVERYONE,
    "agents.build": _EVERYONE,
    "conversations.own": _EVERYONE,
    "privacy.own": _EVERYONE,
    "screen.try": _EVERYONE,
    "impact.view": _EVERYONE,
    "review.decide": _CHAMPION,
    "agents.published": _CHAMPION,
    "status.view": _SECURITY | _ADMINISTRATOR,
    "traces.view": _SECURITY,
    "audit.verify": _SECURITY,
    "audit.export": _SECURITY,
    "audit.reveal": _SECURITY,
    "alerts.view": _SECURITY,
    "policies.view": _SECURITY,
    "policies.edit": _SECURITY,
    "policies.approve": _SECURITY,
    "retention.manage": _SECURITY,
    "people.manage": _ADMINISTRATOR,
    "models.manage": _ADMINISTRATOR,
    "feedback.review": _CHAMPION | _SECURITY,
    "budgets.view": _SECURITY | _ADMINISTRATOR,
    "backup.manage": _ADMINISTRATOR,
    "account.own": _EVERYONE,
    "keys.own": _EVERYONE,
    "access.manage": _ADMINISTRATOR,
    "branding.manage": _ADMINISTRATOR,
    "duties.confirm": _SECURITY,
}


def may(person: "Person | None", permission: Permission) -> bool:
    """True when one of the person's roles is in the table's row. Nobody may nothing."""
    if person is None:
        return False
    if person.scopes is not None and permission not in person.scopes:
        return False  # a program's key allows less than its owner's roles
    return not person.roles.isdisjoint(MAY.get(permission, frozenset()))


def require(person: "Person | None", permission: Permission) -> "Person":
    """The person, when they may.

    Raises GuardrailError("not-signed-in") for nobody and NotPermitted with the permission and the
    roles that would allow it.
    """
    if person is None:
        raise GuardrailError("not-signed-in")
    if not may(person, permission):
        allowed = ", ".join(sorted(MAY.get(permission, frozenset())))
        raise NotPermitted(permission=permission, roles=allowed)
    return person
