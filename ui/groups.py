"""Groups of people and the roles they give. Knows no requests; `ui.people` keeps the people."""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import sqlalchemy as sa

from guardrails.errors import BadInput
from guardrails.store import metadata
from ui.access import Role
from ui.accounts import RESTING, people, read_roles, written

GroupSource = Literal["local", "scim", "token"]

groups = sa.Table(
    "people_groups",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("folded", sa.String(200), nullable=False, unique=True),
    sa.Column("external", sa.String(200), nullable=False, default=""),
    sa.Column("source", sa.String(10), nullable=False, default="local"),
    sa.Column("roles", sa.String(200), nullable=False, default=""),
    sa.Column("created", sa.String(40), nullable=False),
    sa.Column("changed", sa.String(40), nullable=False),
    # an administrator gave it the security role, and nobody in security has confirmed that yet
    sa.Column("rests", sa.Boolean, nullable=False, default=False, server_default=sa.false()),
)
members = sa.Table(
    "people_group_members",
    metadata,
    sa.Column("group", sa.String(40), primary_key=True),
    sa.Column("person", sa.String(40), primary_key=True, index=True),
)


@dataclass(frozen=True)
class Group:
    """One group. `source` says who keeps its members: people here, provisioning, or sign-ins.

    While it `rests` it does not give the security role (`ui.duties`).
    """

    id: str
    name: str
    external: str
    source: GroupSource
    roles: frozenset[Role]
    members: int
    created: str = ""
    changed: str = ""
    rests: bool = False

    @property
    def gives(self) -> frozenset[Role]:
        """The roles that its members have from it now."""
        return self.roles - RESTING if self.rests else self.roles


class Groups:
    """The groups of this installation. Every change brings the members' roles up to date."""

    def __init__(
        self, engine: sa.Engine, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._engine = engine
        self._clock = clock

    def add(
        self,
        name: str,
        *,
        roles: Iterable[str] = (),
        external: str = "",
        source: GroupSource = "local",
        rests: bool = False,
    ) -> Group:
        """Add one. Raises BadInput("bad-group-name", "group-exists", "bad-role")."""
        name = name.strip()
        if not name or len(name) > 200 or not name.isprintable():
            raise BadInput("bad-group-name")
        now = self._clock().isoformat()
        values = {
            "id": "g_" + secrets.token_hex(8),
            "name": name,
            "folded": name.casefold()[:200],
            "external": external[:200],
            "source": source,
            "roles": written(roles),
            "created": now,
            "changed": now,
            "rests": rests,
        }
        try:
            with self._engine.begin() as connection:
                connection.execute(groups.insert().values(values))
        except sa.exc.IntegrityError as error:
            raise BadInput("group-exists", name=name) from error
        return self.get(str(values["id"]))

    def change(
        self,
        id_: str,
        *,
        name: str | None = None,
        roles: Iterable[str] | None = None,
        external: str | None = None,
        rests: bool | None = None,
    ) -> Group:
        """Change what is given. Raises BadInput as `add` does, and "no-such-group"."""
        self.get(id_)
        values: dict[str, object] = {"changed": self._clock().isoformat()}
        if name is not None:
            name = name.strip()
            if not name or len(name) > 200 or not name.isprintable():
                raise BadInput("bad-group-name")
            values |= {"name": name, "folded": name.casefold()[:200]}
        if roles is not None:
            values["roles"] = written(roles)
        if external is not None:
            values["external"] = external[:200]
        if rests is not None:
            values["rests"] = rests
        try:
            with self._engine.begin() as connection:
                connection.execute(groups.update().where(groups.c.id == id_).values(values))
                if roles is not None or rests is not None:
                    _derive(connection, _members(connection, id_))
        except sa.exc.IntegrityError as error:
            raise BadInput("group-exists", name=name or "") from error
        return self.get(id_)

    def remove(self, id_: str) -> None:
        """Remove one; its members lose the roles it gave."""
        with self._engine.begin() as connection:
            were = _members(connection, id_)
            connection.execute(members.delete().where(members.c.group == id_))
            connection.execute(groups.delete().where(groups.c.id == id_))
            _derive(connection, were)

    def get(self, id_: str) -> Group:
        """One group. Raises BadInput("no-such-group")."""
        found = self._select(groups.c.id == id_)
        if not found:
            raise BadInput("no-such-group")
        return found[0]

    def find(self, name: str) -> Group | None:
        """The group with this name, whatever its case."""
        found = self._select(groups.c.folded == name.strip().casefold())
        return found[0] if found else None

    def all(self) -> list[Group]:
        """Every group, by name."""
        return self._select(sa.true())

    def members(self, id_: str) -> list[str]:
        """The ids of a group's members."""
        with self._engine.connect() as connection:
            return _members(connection, id_)

    def of(self, person: str) -> list[Group]:
        """The groups of one person, by name."""
        mine = sa.select(members.c.group).where(members.c.person == person)
        return self._select(groups.c.id.in_(mine))

    def of_all(self, persons: Iterable[str]) -> dict[str, list[Group]]:
        """The groups of many people at once."""
        ids = list(persons)
        by_id = {group.id: group for group in self.all()}
        found: dict[str, list[Group]] = {id_: [] for id_ in ids}
        query = sa.select(members).where(members.c.person.in_(ids))
        with self._engine.connect() as connection:
            for row in connection.execute(query):
                if row.group in by_id:
                    found[str(row.person)].append(by_id[str(row.group)])
        return found

    def join(self, id_: str, persons: Iterable[str]) -> None:
        """Add members; people who do not exist are passed over."""
        with self._engine.begin() as connection:
            present = set(_members(connection, id_))
            wanted = [each for each in dict.fromkeys(persons) if each not in present]
            known = set(
                connection.execute(sa.select(people.c.id).where(people.c.id.in_(wanted))).scalars()
            )
            rows = [{"group": id_, "person": each} for each in wanted if each in known]
            if rows:
                connection.execute(members.insert(), rows)
            self._touch(connection, id_)
            _derive(connection, [row["person"] for row in rows])

    def leave(self, id_: str, persons: Iterable[str]) -> None:
        """Take members out."""
        gone = list(persons)
        with self._engine.begin() as connection:
            mine = (members.c.group == id_) & members.c.person.in_(gone)
            connection.execute(members.delete().where(mine))
            self._touch(connection, id_)
            _derive(connection, gone)

    def set_members(self, id_: str, persons: Iterable[str]) -> None:
        """Exactly these members."""
        wanted, present = set(persons), set(self.members(id_))
        self.leave(id_, present - wanted)
        self.join(id_, wanted - present)

    def set_groups(
        self, person: str, ids: Iterable[str], sources: Iterable[GroupSource] = ("local",)
    ) -> None:
        """Exactly these groups among those that the given sources keep."""
        wanted, kept = set(ids), set(sources)
        with self._engine.begin() as connection:
            query = sa.select(groups.c.id).where(groups.c.source.in_(kept))
            ours = set(connection.execute(query).scalars())
            mine = (members.c.person == person) & members.c.group.in_(ours)
            connection.execute(members.delete().where(mine))
            rows = [{"group": id_, "person": person} for id_ in sorted(wanted & ours)]
            if rows:
                connection.execute(members.insert(), rows)
            _derive(connection, [person])

    def forget(self, person: str) -> None:
        """Take somebody out of every group."""
        with self._engine.begin() as connection:
            connection.execute(members.delete().where(members.c.person == person))
            _derive(connection, [person])

    def _touch(self, connection: sa.Connection, id_: str) -> None:
        now = {"changed": self._clock().isoformat()}
        connection.execute(groups.update().where(groups.c.id == id_).values(now))

    def _select(self, condition: sa.ColumnElement[bool]) -> list[Group]:
        count = (
            sa.select(sa.func.count())
            .select_from(members)
            .where(members.c.group == groups.c.id)
            .scalar_subquery()
        )
        query = sa.select(groups, count.label("n")).where(condition).order_by(groups.c.folded)
        with self._engine.connect() as connection:
            return [
                Group(
                    id=str(row.id),
                    name=str(row.name),
                    external=str(row.external),
                    source=row.source if row.source in ("scim", "token") else "local",
                    roles=read_roles(str(row.roles)),
                    members=int(row.n),
                    created=str(row.created),
                    changed=str(row.changed),
                    rests=bool(row.rests),
                )
                for row in connection.execute(query)
            ]


def _members(connection: sa.Connection, group: str) -> list[str]:
    query = sa.select(members.c.person).where(members.c.group == group)
    return [str(each) for each in connection.execute(query.order_by(members.c.person)).scalars()]


def _derive(connection: sa.Connection, persons: Iterable[str]) -> None:
    """Write what the groups of each person give together."""
    for person in persons:
        query = (
            sa.select(groups.c.roles, groups.c.rests)
            .join(members, members.c.group == groups.c.id)
            .where(members.c.person == person)
        )
        given: set[Role] = set()
        for roles, rests in connection.execute(query):
            given |= read_roles(str(roles)) - (RESTING if rests else frozenset())
        values = {"group_roles": written(given)}
        connection.execute(people.update().where(people.c.id == person).values(values))
