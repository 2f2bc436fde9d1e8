"""Agents that exist: templates for everybody, private drafts with every version, what is published.

Who may see a published agent is a question of audience keys: `everyone`, `department:<name>`,
`group:<id>`, `person:<id>`. The catalogue is given a function from a person to their keys; it knows
no accounts. Runs nothing.
"""

import datetime as dt
import secrets
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

import sqlalchemy as sa

from agents.agent_records import (
    AgentRecord,
    VersionRecord,
    draft_of,
    draft_rows,
    drafts,
    live_rows,
    release_of,
    versions,
)
from agents.publishing_tables import live, requests
from agents.spec import AgentSpec, load_spec
from guardrails.errors import BadInput
from guardrails.store import aware

TEMPLATES = Path(__file__).parent / "templates"
SAMPLES = TEMPLATES / "samples"
KEPT_VERSIONS = 200
REQUEST_PREFIX = "rq-"
REVIEWERS = frozenset({"role:champion"})
GALLERY = (
    "email-drafter",
    "meeting-summariser",
    "hr-policy-helper",
    "invoice-reader",
    "spreadsheet-analyst",
    "supplier-comparison",
    "minutes-to-tasks",
    "customer-reply",
    "contract-first-read",
    "expense-checker",
    "onboarding-buddy",
    "training-quiz",
    "job-advert",
    "complaint-classifier",
    "project-status",
    "csv-questions",
    "policy-comparison",
    "translation-glossary",
    "meeting-preparation",
    "invoice-to-table",
    "stock-alerts",
    "demand-forecast",
    "knowledge-gaps",
    "software-docs",
)


@cache
def templates() -> Mapping[str, AgentSpec]:
    """Every template by id, in the gallery's order. Raises BadInput for a bad file."""
    found = {spec.id: spec for spec in map(load_spec, sorted(TEMPLATES.glob("*.yaml")))}
    first = [id for id in GALLERY if id in found]
    return MappingProxyType({id: found[id] for id in [*first, *(set(found) - set(first))]})


def sample_path(name: str) -> Path:
    """A sample file by the name a spec gives it. Raises BadInput("no-such-sample")."""
    path = (SAMPLES / name).resolve()
    if not path.is_relative_to(SAMPLES.resolve()) or not path.is_file():
        raise BadInput("no-such-sample", file=name)
    return path


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Catalog:
    """Templates are read-only and shared; a draft is its owner's alone.

    Nobody else can tell that a draft exists: another person's is `agent-not-found`.
    """

    def __init__(
        self,
        engine: sa.Engine,
        now: Callable[[], dt.datetime] = _now,
        keys_of: Callable[[str], frozenset[str]] = lambda person: frozenset(),
    ) -> None:
        self._engine = engine
        self._now = now
        self.keys_of = keys_of  # a person's audience keys beyond `everyone` and themselves

    def get(self, id: str, viewer: str) -> AgentRecord:
        """A template, the viewer's own draft, or what is published to them.

        Raises BadInput: agent-not-found; agent-withdrawn to somebody who could use it before.
        """
        if (spec := templates().get(id)) is not None:
            return AgentRecord(id, spec, "", "template", spec.content_hash())
        with self._engine.connect() as db:
            if id.startswith(REQUEST_PREFIX):
                return self._requested(db, id, viewer)
            try:
                return self._read(db, id, viewer)
            except BadInput:
                return self._published(db, id, viewer)

    def shared(self, viewer: str) -> list[AgentRecord]:
        """Live agents of others that the viewer may use, by title."""
        query = live_rows().where(
            live.c.state == "live",
            live.c.audience.in_(self.audiences(viewer)),
            live.c.owner != viewer,
        )
        with self._engine.connect() as db:
            found = [release_of(row) for row in db.execute(query)]
        return sorted(found, key=lambda record: record.spec.title.to("en").casefold())

    def visible(self, viewer: str) -> list[AgentRecord]:
        """Everything the viewer may use: templates, what is shared with them, their own."""
        shared = [self.get(id, viewer) for id in templates()]
        return [*shared, *self.shared(viewer), *self.mine(viewer)]

    def audiences(self, viewer: str) -> frozenset[str]:
        """Every audience key that the viewer belongs to."""
        return self.keys_of(viewer) | {"everyone", f"person:{viewer}"}

    def copy(self, id: str, owner: str) -> AgentRecord:
        """A private draft that begins as a copy of what `owner` may see; lineage is kept."""
        return self.from_template(id, owner)

    def mine(self, owner: str) -> list[AgentRecord]:
        """The owner's drafts, last touched first."""
        query = draft_rows().where(drafts.c.owner == owner).order_by(drafts.c.updated.desc())
        with self._engine.connect() as db:
            return [draft_of(row) for row in db.execute(query)]

    def save(
        self, spec: AgentSpec, owner: str, base: str = "", base_version: str = ""
    ) -> AgentRecord:
        """Keep a draft as it stands; an unchanged one makes no new version.

        Raises BadInput("agent-id-taken") for a template's id and `agent-not-found` for a draft of
        somebody else.
        """
        if spec.id in templates():
            raise BadInput("agent-id-taken", id=spec.id)
        with self._engine.begin() as db:
            row = db.execute(sa.select(drafts).where(drafts.c.id == spec.id)).one_or_none()
            if row is None:
                now = self._now()
                db.execute(
                    drafts.insert().values(
                        id=spec.id,
                        owner=owner,
                        base=base,
                        base_version=base_version,
                        number=0,
                        created=now,
                        updated=now,
                    )
                )
            elif row.owner != owner:
                raise BadInput("agent-not-found", id=spec.id)
            elif self._read(db, spec.id, owner).hash == spec.content_hash():
                return self._read(db, spec.id, owner)
            self._append(db, spec)
            return self._read(db, spec.id, owner)

    def from_template(self, template: str, owner: str) -> AgentRecord:
        """A private draft that begins as a copy. Raises BadInput("agent-not-found")."""
        source = self.get(template, owner)
        stem = source.id[:56].rstrip("-")
        return self.save(
            source.spec.model_copy(
                update={"id": f"{stem}-x{secrets.token_hex(3)}", "version": "1.0.0", "owner": ""}
            ),
            owner,
            base=source.id,
            base_version=source.spec.version if source.status == "published" else "",
        )

    def undo(self, id: str, owner: str) -> AgentRecord:
        """Go back to the version before. Raises BadInput("nothing-to-undo") at the first one."""
        with self._engine.begin() as db:
            current = self._read(db, id, owner)
            before = db.execute(
                sa.select(sa.func.max(versions.c.number)).where(
                    versions.c.agent == id, versions.c.number < current.number
                )
            ).scalar()
            if before is None:
                raise BadInput("nothing-to-undo", id=id)
            db.execute(
                drafts.update().where(drafts.c.id == id).values(number=before, updated=self._now())
            )
            return self._read(db, id, owner)

    def undone(self, id: str, owner: str, seconds: float) -> str:
        """The content hash of what was taken back in the last `seconds`, else ""."""
        with self._engine.connect() as db:
            current = self._read(db, id, owner)
            later = sa.select(versions.c.hash).where(
                versions.c.agent == id, versions.c.number > current.number
            )
            found = db.scalar(later.order_by(versions.c.number).limit(1))
        if found is None or current.updated is None:
            return ""
        lately = self._now() - current.updated <= dt.timedelta(seconds=seconds)
        return str(found) if lately else ""

    def restore(self, id: str, owner: str, number: int) -> AgentRecord:
        """Make an old version the newest one again. Raises BadInput("no-such-version")."""
        with self._engine.begin() as db:
            self._read(db, id, owner)
            row = db.execute(
                sa.select(versions.c.spec).where(
                    versions.c.agent == id, versions.c.number == number
                )
            ).one_or_none()
            if row is None:
                raise BadInput("no-such-version", id=id, number=number)
            self._append(db, AgentSpec.model_validate(row.spec))
            return self._read(db, id, owner)

    def versions(self, id: str, owner: str) -> list[VersionRecord]:
        """Every kept version, newest first."""
        with self._engine.connect() as db:
            self._read(db, id, owner)
            rows = db.execute(
                sa.select(versions).where(versions.c.agent == id).order_by(versions.c.number.desc())
            )
            return [VersionRecord(row.number, row.hash, aware(row.saved)) for row in rows]

    def delete(self, id: str, owner: str) -> None:
        """Remove a draft and its versions.

        Raises BadInput: agent-not-found, or agent-is-live while colleagues use it.
        """
        with self._engine.begin() as db:
            self._read(db, id, owner)
            used = sa.select(live.c.agent).where(live.c.agent == id, live.c.state == "live")
            if db.execute(used).first() is not None:
                raise BadInput("agent-is-live", id=id)
            db.execute(versions.delete().where(versions.c.agent == id))
            db.execute(drafts.delete().where(drafts.c.id == id))

    def _append(self, db: sa.Connection, spec: AgentSpec) -> None:
        # after an undo, typing on drops the undone future, as in any editor
        current = db.execute(sa.select(drafts.c.number).where(drafts.c.id == spec.id)).scalar_one()
        db.execute(
            versions.delete().where(
                versions.c.agent == spec.id,
                sa.or_(versions.c.number > current, versions.c.number <= current - KEPT_VERSIONS),
            )
        )
        now = self._now()
        db.execute(
            versions.insert().values(
                agent=spec.id,
                number=current + 1,
                hash=spec.content_hash(),
                spec=spec.model_dump(mode="json"),
                saved=now,
            )
        )
        db.execute(
            drafts.update().where(drafts.c.id == spec.id).values(number=current + 1, updated=now)
        )

    def _read(self, db: sa.Connection, id: str, viewer: str) -> AgentRecord:
        row = db.execute(draft_rows().where(drafts.c.id == id)).one_or_none()
        if row is None or row.owner != viewer:
            raise BadInput("agent-not-found", id=id)
        return draft_of(row)

    def _published(self, db: sa.Connection, id: str, viewer: str) -> AgentRecord:
        row = db.execute(live_rows().where(live.c.agent == id)).one_or_none()
        if row is None or row.audience not in self.audiences(viewer):
            raise BadInput("agent-not-found", id=id)
        if row.state != "live":
            raise BadInput("agent-withdrawn", id=id)
        return release_of(row)

    def _requested(self, db: sa.Connection, id: str, viewer: str) -> AgentRecord:
        row = db.execute(sa.select(requests).where(requests.c.id == id)).one_or_none()
        open_ = row is not None and row.state in ("checking", "waiting")
        reviews = not self.keys_of(viewer).isdisjoint(REVIEWERS)
        if row is None or not open_ or (row.owner != viewer and not reviews):
            raise BadInput("agent-not-found", id=id)
        spec = AgentSpec.model_validate(row.spec).model_copy(update={"id": id})
        return AgentRecord(
            id, spec, row.owner, "review", row.hash, base=row.agent, updated=aware(row.asked)
        )
