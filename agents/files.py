"""Documents that belong to one agent, encrypted in the store; samples of templates as they ship.

AES-256-GCM with agent and name as associated data: a row moved elsewhere does not open. Whatever
reads an agent's documents asks `read`, by the name that its file gives them.
"""

import hashlib
import secrets
from collections.abc import Mapping

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from agents.catalog import REQUEST_PREFIX, sample_path
from agents.knowledge.tables import documents
from agents.publishing_tables import files, requests
from agents.spec import AgentSpec
from guardrails.errors import BadInput, GuardrailError
from guardrails.keys import Keys

NONCE_BYTES = 12


class AgentFiles:
    """The documents of all agents of one store."""

    def __init__(self, engine: sa.Engine, keys: Keys) -> None:
        self._engine = engine
        self._cipher = AESGCM(keys.derive("agent-files"))

    def read(self, agent: str, name: str) -> bytes:
        """One document: the agent's own, else the sample of that name.

        Raises BadInput("no-such-sample"), GuardrailError("file-damaged").
        """
        row = self._row(agent, name)
        if row is None:
            return sample_path(name).read_bytes()
        bound = f"{row.agent}/{name}".encode()
        try:
            return self._cipher.decrypt(row.data[:NONCE_BYTES], row.data[NONCE_BYTES:], bound)
        except InvalidTag as error:
            raise GuardrailError("file-damaged") from error

    def digests(self, spec: AgentSpec, agent: str) -> dict[str, str]:
        """SHA-256 of every document that the agent reads; "" for one that is gone."""
        found = {}
        for name in spec.knowledge:
            row = self._row(agent, name)
            try:
                data = b"" if row is not None else sample_path(name).read_bytes()
                found[name] = row.digest if row is not None else hashlib.sha256(data).hexdigest()
            except BadInput:
                found[name] = ""
        return {**found, **self._uploaded(agent)}

    def keep(self, agent: str, given: Mapping[str, bytes]) -> None:
        """Keep documents of an agent; one of the same name is replaced."""
        with self._engine.begin() as db:
            for name, data in given.items():
                nonce = secrets.token_bytes(NONCE_BYTES)
                bound = f"{agent}/{name}".encode()
                db.execute(sa.delete(files).where(files.c.agent == agent, files.c.name == name))
                db.execute(
                    sa.insert(files),
                    {
                        "agent": agent,
                        "name": name,
                        "digest": hashlib.sha256(data).hexdigest(),
                        "size": len(data),
                        "data": nonce + self._cipher.encrypt(nonce, data, bound),
                    },
                )

    def copy(self, source: str, target: str) -> None:
        """Give `target` the documents of `source`."""
        with self._engine.connect() as db:
            names = list(db.scalars(sa.select(files.c.name).where(files.c.agent == source)))
        self.keep(target, {name: self.read(source, name) for name in names})

    def forget(self, agent: str) -> None:
        """Remove every document of an agent."""
        with self._engine.begin() as db:
            db.execute(sa.delete(files).where(files.c.agent == agent))

    def whose(self, agent: str) -> str:
        """The agent whose documents and placeholders `agent` uses: of a trial, the one on trial."""
        if not agent.startswith(REQUEST_PREFIX):
            return agent
        with self._engine.connect() as db:
            query = sa.select(requests.c.agent).where(requests.c.id == agent)
            return str(db.scalar(query) or agent)

    def _uploaded(self, agent: str) -> dict[str, str]:
        here = sa.and_(documents.c.scope == f"agent:{agent}:docs", documents.c.complete)
        with self._engine.connect() as db:
            rows = db.execute(sa.select(documents.c.name, documents.c.digest).where(here))
            return {str(row.name): str(row.digest) for row in rows}

    def _row(self, agent: str, name: str) -> "sa.Row[tuple[object, ...]] | None":
        agent = self.whose(agent)
        query = sa.select(files).where(files.c.agent == agent, files.c.name == name)
        with self._engine.connect() as db:
            return db.execute(query).one_or_none()
