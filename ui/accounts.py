"""The table of accounts, and one account read from it. Knows no passwords and no cookies.

Roles in force are a person's own and those of their groups; the latter are kept beside the former
(`group_roles`, written by `ui.groups`) so that a request costs one look-up. The security role is
not in force while it rests (`ui.duties`).
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa

from guardrails.errors import BadInput
from guardrails.store import metadata
from ui.access import ROLES, Role
from ui.messages import Language

Kind = Literal["person", "service"]
Source = Literal["local", "oidc", "scim"]
Rests = Literal["", "role", "password"]
RESTING: frozenset[Role] = frozenset({"security"})


def _text(name: str, length: int, default: str = "", *, index: bool = False) -> sa.Column[str]:
    return sa.Column(
        name,
        sa.String(length),
        nullable=False,
        default=default,
        server_default=default,
        index=index,
    )


people = sa.Table(
    "people",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("login", sa.String(200), nullable=False, unique=True),  # casefolded
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("department", sa.String(200), nullable=False, default=""),
    sa.Column("roles", sa.String(200), nullable=False),  # own ones, comma-separated, sorted
    sa.Column("language", sa.String(2), nullable=False),
    sa.Column("password", sa.String(200), nullable=False, default=""),  # empty: provider only
    sa.Column("created", sa.String(40), nullable=False),
    sa.Column("disabled", sa.Boolean, nullable=False, default=False),
    _text("email", 200),
    _text("external", 200, index=True),  # the provisioning side's name for this person
    _text("oidc", 60, index=True),  # hash of issuer and subject
    _text("kind", 10, "person"),
    _text("source", 10, "local"),
    _text("group_roles", 200),
    _text("changed", 40),
    _text("signed_in", 40),
    # what provisioning sent and wants to read again (names in parts, title); JSON
    sa.Column("details", sa.Text, nullable=False, default="{}", server_default="{}"),
    # the password was handed over by an administrator and is good for one sign-in
    sa.Column("once", sa.Boolean, nullable=False, default=False, server_default=sa.false()),
    _text("once_until", 40),
    # why the security role is not in force until somebody else in security confirms: role, password
    _text("rests", 20),
)


@dataclass(frozen=True)
class Account:
    """One row of `people`, without the password. `roles` are those in force.

    `rests` says why the security role is not: an administrator gave it ("role"), or a way in to it
    ("password"), and nobody else in security has confirmed that yet.
    """

    id: str
    login: str
    name: str
    department: str
    roles: frozenset[Role]
    language: Language
    disabled: bool
    own: frozenset[Role] = frozenset()
    grouped: frozenset[Role] = frozenset()
    email: str = ""
    external: str = ""
    kind: Kind = "person"
    source: Source = "local"
    created: str = ""
    changed: str = ""
    signed_in: str = ""
    details: str = "{}"
    once: bool = False
    password: bool = False  # whether there is one
    once_until: str = ""
    rests: Rests = ""

    @property
    def held(self) -> frozenset[Role]:
        """The roles in force and those that rest."""
        return self.own | self.grouped


# what turns the direction of all that follows: a name could pass for another (Unicode TR 36)
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def readable(value: object, most: int = 200) -> str:
    """Words about a person as they may be kept and shown on one line; empty for what is no text.

    Without control characters, lone surrogates and marks that turn the direction of writing.
    """
    if not isinstance(value, str | int | float):
        return ""
    kept = (
        " " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c
        for c in str(value)[: 4 * most]
        if c not in _TURNING and unicodedata.category(c) != "Cs"
    )
    return " ".join("".join(kept).split())[:most]


def folded(login: str) -> str:
    """The one spelling of a sign-in name."""
    return login.strip().casefold()


def written(roles: Iterable[str], empty: str = "") -> str:
    """Roles as the store keeps them. Raises BadInput("bad-role")."""
    given = sorted({role.strip().lower() for role in roles if role.strip()})
    for role in given:
        if role not in ROLES:
            raise BadInput("bad-role", role=role, roles=", ".join(ROLES))
    return ",".join(given) or empty


def _rests(value: object) -> Rests:
    # whatever else stands there: it rests
    return "" if not value else "role" if value == "role" else "password"


def read_roles(text: str) -> frozenset[Role]:
    """Roles from what the store keeps."""
    given = set(text.split(","))
    return frozenset(role for role in ROLES if role in given)


def read(row: sa.Row[tuple[object, ...]]) -> Account:
    values = {str(name): value for name, value in row._mapping.items()}
    own, grouped = read_roles(str(values["roles"])), read_roles(str(values["group_roles"]))
    source = str(values["source"])
    return Account(
        id=str(values["id"]),
        login=str(values["login"]),
        name=str(values["name"]),
        department=str(values["department"]),
        roles=(own | grouped) - RESTING if values["rests"] else own | grouped,
        language="fr" if values["language"] == "fr" else "en",
        disabled=bool(values["disabled"]),
        own=own,
        grouped=grouped,
        email=str(values["email"]),
        external=str(values["external"]),
        kind="service" if values["kind"] == "service" else "person",
        source="scim" if source == "scim" else "oidc" if source == "oidc" else "local",
        created=str(values["created"]),
        changed=str(values["changed"]),
        signed_in=str(values["signed_in"]),
        details=str(values["details"]),
        once=bool(values["once"]),
        password=bool(values["password"]),
        once_until=str(values["once_until"]),
        rests=_rests(values["rests"]),
    )
