"""What there is of publishing: requests, releases, what is live. Reads, decides nothing."""

from typing import Any

import sqlalchemy as sa

from agents.publishing_records import (
    OPEN,
    Live,
    PublishRequest,
    Release,
    live_of,
    release_of,
    request_of,
)
from agents.publishing_tables import live, releases, requests
from agents.spec import Text
from agents.versions import order
from guardrails.actor import Actor
from guardrails.errors import BadInput


class Shelf:
    """Requests and releases of one store, for whoever the caller has checked."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def get(self, id: str) -> PublishRequest:
        """One request; the caller has checked who may see it. Raises BadInput("no-such-request")"""
        with self._engine.connect() as db:
            return self._read(db, id)

    def seen(self, id: str, by: Actor) -> PublishRequest:
        """One request for its author or a reviewer; to others it does not exist."""
        request = self.get(id)
        if request.owner != by.id and "champion" not in by.roles:
            raise BadInput("no-such-request", id=id)
        return request

    def queue(self) -> list[PublishRequest]:
        """What waits for a decision or is being checked, oldest first."""
        query = sa.select(requests).where(requests.c.state.in_(OPEN)).order_by(requests.c.asked)
        return self._all(query)

    def waiting_for(self, reviewer: str) -> int:
        """How many requests wait for a decision that `reviewer` may make: not their own."""
        query = (
            sa.select(sa.func.count())
            .select_from(requests)
            .where(requests.c.state == "waiting", requests.c.owner != reviewer)
        )
        with self._engine.connect() as db:
            return int(db.execute(query).scalar_one())

    def decided(self, limit: int = 30) -> list[PublishRequest]:
        """Requests that are over, newest first."""
        over = requests.c.state.in_(("published", "returned"))
        order_ = requests.c.decided.desc()
        return self._all(sa.select(requests).where(over).order_by(order_).limit(limit))

    def of(self, owner: str = "", agent: str = "") -> list[PublishRequest]:
        """Requests of one owner, for one agent, or both; newest first."""
        query = sa.select(requests).order_by(requests.c.asked.desc()).limit(200)
        if owner:
            query = query.where(requests.c.owner == owner)
        if agent:
            query = query.where(requests.c.agent == agent)
        return self._all(query)

    def current(self, agent: str) -> Live | None:
        """What colleagues get of an agent, or got before it was withdrawn."""
        with self._engine.connect() as db:
            row = db.execute(sa.select(live).where(live.c.agent == agent)).one_or_none()
        return live_of(row) if row else None

    def published(self, owner: str = "") -> list[Live]:
        """Every agent that was ever released, of one owner or of all, newest first."""
        query = sa.select(live).order_by(live.c.since.desc())
        if owner:
            query = query.where(live.c.owner == owner)
        with self._engine.connect() as db:
            return [live_of(row) for row in db.execute(query)]

    def titles(self, language: str) -> dict[str, str]:
        """Titles of every agent that was ever released, by id, as its last version has them."""
        at = sa.and_(releases.c.agent == live.c.agent, releases.c.version == live.c.version)
        query = sa.select(releases.c.agent, releases.c.spec["title"]).join(live, at)
        with self._engine.connect() as db:
            return {
                agent: Text.model_validate(title).to(language) for agent, title in db.execute(query)
            }

    def release(self, agent: str, version: str) -> Release:
        """One approved version. Raises BadInput("no-such-release")."""
        query = sa.select(releases).where(releases.c.agent == agent, releases.c.version == version)
        with self._engine.connect() as db:
            row = db.execute(query).one_or_none()
        if row is None:
            raise BadInput("no-such-release", id=agent, version=version[:16])
        return release_of(row)

    def releases(self, agent: str) -> list[Release]:
        """Every approved version, newest first."""
        query = sa.select(releases).where(releases.c.agent == agent)
        with self._engine.connect() as db:
            found = [release_of(row) for row in db.execute(query)]
        return sorted(found, key=lambda release: order(release.version), reverse=True)

    def _last(self, agent: str) -> str:
        with self._engine.connect() as db:
            query = sa.select(releases.c.version).where(releases.c.agent == agent)
            return max(db.scalars(query), key=order, default="")

    def _known(self, agent: str) -> Live:
        current = self.current(agent)
        if current is None:
            raise BadInput("agent-not-found", id=agent)
        return current

    def _read(self, db: sa.Connection, id: str) -> PublishRequest:
        row = db.execute(sa.select(requests).where(requests.c.id == id)).one_or_none()
        if row is None:
            raise BadInput("no-such-request", id=id[:40])
        return request_of(row)

    def _all(self, query: sa.Select[Any]) -> list[PublishRequest]:
        with self._engine.connect() as db:
            return [request_of(row) for row in db.execute(query)]
