"""Documents that belong to one agent, encrypted in the store; samples of templates as they ship.

AES-256-GCM with agent and name as associated data: a row moved elsewhere does not open. A content
is kept once for an agent, by its SHA-256; the draft and every version name what they read of it. A
version reads what was there when it was asked for, whatever becomes of the draft.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from agents.agent_records import drafts
from agents.catalog import REQUEST_PREFIX, sample_path
from agents.knowledge import frozen
from agents.knowledge.tables import documents
from agents.package import documents as named_by
from agents.publishing_tables import contents, files, frozen_files, releases, requests
from agents.spec import AgentSpec
from guardrails.errors import BadInput, GuardrailError
from guardrails.keys import Keys

NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class Reads:
    """What a turn reads: the documents of `source`, as they are or as held for `holder`."""

    source: str
    holder: str = ""


@dataclass(frozen=True, slots=True)
class Upload:
    """A document that `versions` read; `current`: the agent has it as well."""

    id: int
    name: str
    versions: tuple[str, ...]
    current: bool


class AgentFiles:
    """The documents of all agents of one store."""

    def __init__(self, engine: sa.Engine, keys: Keys) -> None:
        self._engine = engine
        self._cipher = AESGCM(keys.derive("agent-files"))

    def reads(self, agent: str, version: str = "", person: str = "") -> Reads:
        """What `agent` reads for `person`: of a trial and of a published version what is held for
        it, of somebody's own draft (and for nobody in particular) what is there now."""
        with self._engine.connect() as db:
            if agent.startswith(REQUEST_PREFIX):
                source = db.scalar(sa.select(requests.c.agent).where(requests.c.id == agent))
                return Reads(str(source), agent) if source else Reads(agent)
            owner = db.scalar(sa.select(drafts.c.owner).where(drafts.c.id == agent))
            if not person or owner == person:
                return Reads(agent)
            query = sa.select(releases.c.request).where(
                releases.c.agent == agent, releases.c.version == version
            )
            return Reads(agent, str(db.scalar(query) or ""))

    def read(self, agent: str, name: str) -> bytes:
        """One document of a draft or of a trial: its own, else the sample of that name.

        Raises BadInput("no-such-sample"), GuardrailError("file-damaged").
        """
        return self.open(self.reads(agent), name)

    def open(self, reads: Reads, name: str) -> bytes:
        """The same, of whatever is read. Raises what `read` raises."""
        with self._engine.connect() as db:
            digest = _digest(db, reads, name)
            if digest is None:
                return sample_path(name).read_bytes()
            which = (contents.c.agent == reads.source, contents.c.digest == digest)
            row = db.execute(sa.select(contents).where(*which)).one_or_none()
        if row is None:
            raise GuardrailError("file-damaged")
        bound = f"{row.agent}/{row.name}".encode()
        try:
            return self._cipher.decrypt(row.data[:NONCE_BYTES], row.data[NONCE_BYTES:], bound)
        except (InvalidTag, ValueError) as error:  # ValueError: too short to hold a nonce
            raise GuardrailError("file-damaged") from error

    def digest(self, reads: Reads, name: str) -> str:
        """SHA-256 of one document. Raises BadInput("no-such-sample")."""
        with self._engine.connect() as db:
            return _digest(db, reads, name) or sample_digest(name)

    def digests(self, spec: AgentSpec, agent: str) -> dict[str, str]:
        """SHA-256 of every document that the agent reads now; "" for one that is gone."""
        with self._engine.connect() as db:
            found = {name: _known(db, Reads(agent), name) for name in spec.knowledge}
            here = sa.and_(documents.c.scope == frozen.documents_of(agent), documents.c.complete)
            rows = db.execute(sa.select(documents.c.name, documents.c.digest).where(here))
            return {**found, **{str(row.name): str(row.digest) for row in rows}}

    def keep(self, agent: str, given: Mapping[str, bytes]) -> None:
        """Keep documents of an agent; one of the same name is replaced."""
        with self._engine.begin() as db:
            for name, data in given.items():
                digest = self._put(db, agent, name, data)
                db.execute(sa.delete(files).where(files.c.agent == agent, files.c.name == name))
                row = {"agent": agent, "name": name, "digest": digest}
                db.execute(sa.insert(files), row)
            _sweep(db, agent)

    def copy(self, source: str, target: str, person: str = "", version: str = "") -> None:
        """Give `target` the documents of `source`, as `person` has them."""
        reads = self.reads(source, version, person)
        with self._engine.connect() as db:
            if reads.holder:
                query = sa.select(frozen_files.c.name).where(frozen_files.c.holder == reads.holder)
            else:
                query = sa.select(files.c.name).where(files.c.agent == source)
            names = list(db.scalars(query))
        self.keep(target, {name: self.open(reads, name) for name in names})

    def forget(self, agent: str) -> None:
        """Remove every document of an agent, those of its versions too."""
        with self._engine.begin() as db:
            for table in (files, frozen_files, contents):
                db.execute(sa.delete(table).where(table.c.agent == agent))
            frozen.erase(db, agent)

    # ── what a version reads ─────────────────────────────────────────────────────────────

    def freeze(self, db: sa.Connection, holder: str, agent: str, spec: AgentSpec) -> dict[str, str]:
        """Hold for a request what the agent reads now; the digests, as `digests` gives them."""
        found = {}
        for name in named_by(spec):
            digest = _known(db, Reads(agent), name)
            if digest and _digest(db, Reads(agent), name) is None:
                # a sample is held too: the next release of the product may have another
                digest = self._put(db, agent, name, sample_path(name).read_bytes())
            if digest:
                row = {"holder": holder, "agent": agent, "name": name, "digest": digest}
                db.execute(sa.insert(frozen_files), row)
            if name in spec.knowledge:
                found[name] = digest
        frozen.hold(db, agent, holder)
        return {**found, **frozen.held(db, holder)}

    def thaw(self, db: sa.Connection, holder: str) -> None:
        """Hold nothing for a request any more: it came to nothing."""
        which = frozen_files.c.holder == holder
        agents = set(db.scalars(sa.select(frozen_files.c.agent).where(which)))
        db.execute(sa.delete(frozen_files).where(which))
        frozen.release(db, holder)
        for agent in agents:
            _sweep(db, agent)

    def held(self, holder: str) -> dict[str, str]:
        """Name → SHA-256 of everything that is held for a request."""
        with self._engine.connect() as db:
            rows = db.execute(
                sa.select(frozen_files.c.name, frozen_files.c.digest).where(
                    frozen_files.c.holder == holder
                )
            )
            return {**{str(row.name): str(row.digest) for row in rows}, **frozen.held(db, holder)}

    def versions(self, agent: str) -> dict[int, list[str]]:
        """Versions of an agent by the document that they read, `review` for one under review."""
        with self._engine.connect() as db:
            query = sa.select(releases.c.request, releases.c.version)
            rows = db.execute(query.where(releases.c.agent == agent))
            named = {str(row.request): str(row.version) for row in rows}
            return {
                document: sorted({named.get(holder, "review") for holder in held})
                for document, held in frozen.holders(db, agent).items()
            }

    def uploads(self, agent: str) -> list[Upload]:
        """Documents that versions of an agent read, whether it still has them itself or not."""
        read_by = self.versions(agent)
        shown = sa.select(documents.c.id, documents.c.name, documents.c.scope)
        with self._engine.connect() as db:
            rows = db.execute(shown.where(documents.c.id.in_(read_by)).order_by(documents.c.id))
            return [
                Upload(row.id, row.name, tuple(read_by[row.id]), row.scope.endswith(":docs"))
                for row in rows
            ]

    def lacking(self, holder: str, wanted: Mapping[str, str]) -> list[str]:
        """Of `wanted` (name → SHA-256) what is not, or no longer, held for a request."""
        held = self.held(holder)
        lost = []
        for name, digest in wanted.items():
            try:
                if name not in held and sample_digest(name) != digest:
                    lost.append(name)
            except BadInput:
                lost.append(name)
        return lost

    def ready(self, agent: str, spec: AgentSpec) -> None:
        """Raises BadInput: documents-reading while one is being read in, document-gone for one
        that the agent or a test case names and that is not there."""
        under_way = (
            documents.c.scope == frozen.documents_of(agent),
            ~documents.c.complete,
            documents.c.error == "",
        )
        with self._engine.connect() as db:
            if db.execute(sa.select(documents.c.id).where(*under_way).limit(1)).first():
                raise BadInput("documents-reading", id=agent)
            for name in named_by(spec):
                if not _known(db, Reads(agent), name):
                    raise BadInput("document-gone", file=name)

    def _put(self, db: sa.Connection, agent: str, name: str, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        which = (contents.c.agent == agent, contents.c.digest == digest)
        if db.execute(sa.select(contents.c.size).where(*which)).first() is None:
            nonce = secrets.token_bytes(NONCE_BYTES)
            sealed = nonce + self._cipher.encrypt(nonce, data, f"{agent}/{name}".encode())
            row = {"agent": agent, "digest": digest, "name": name, "size": len(data)}
            db.execute(sa.insert(contents), {**row, "data": sealed})
        return digest


def content_scope(agent: str, name: str, digest: str) -> str:
    """The scope of one document that an agent's file names, by what is in it."""
    key = hashlib.sha256(f"{name}\0{digest}".encode()).hexdigest()
    return f"agent:{agent}:at:{key[:32]}"


@cache
def sample_digest(name: str) -> str:
    """SHA-256 of a sample that ships with the product. Raises BadInput("no-such-sample")."""
    return hashlib.sha256(sample_path(name).read_bytes()).hexdigest()


def _digest(db: sa.Connection, reads: Reads, name: str) -> str | None:
    """What is read under a name; None where it is the sample of that name."""
    if reads.holder:
        query = sa.select(frozen_files.c.digest).where(
            frozen_files.c.holder == reads.holder, frozen_files.c.name == name
        )
    else:
        query = sa.select(files.c.digest).where(files.c.agent == reads.source, files.c.name == name)
    digest = db.scalar(query)
    return None if digest is None else str(digest)


def _known(db: sa.Connection, reads: Reads, name: str) -> str:
    try:
        return _digest(db, reads, name) or sample_digest(name)
    except BadInput:
        return ""


def _sweep(db: sa.Connection, agent: str) -> None:
    """Remove contents that nobody names any more, and what was read from them."""
    named = set(db.scalars(sa.select(files.c.digest).where(files.c.agent == agent)))
    named |= set(db.scalars(sa.select(frozen_files.c.digest).where(frozen_files.c.agent == agent)))
    kept = db.scalars(sa.select(contents.c.digest).where(contents.c.agent == agent))
    late = [digest for digest in kept if digest not in named]
    which = (contents.c.agent == agent, contents.c.digest.in_(late))
    db.execute(sa.delete(contents).where(*which))
    frozen.drop(
        db,
        documents.c.scope.startswith(f"agent:{agent}:at:", autoescape=True),
        documents.c.digest.in_(late),
    )
