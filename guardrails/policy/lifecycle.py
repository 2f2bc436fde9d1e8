"""The life of a policy set: draft → proposed → approved by another person → active → retired.

Every version is kept. Only an approved version can become active; an earlier active one can be put
back. Each step is in the ledger.
"""

import difflib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from guardrails.audit.ledger import Act, Ledger
from guardrails.errors import BadInput, NotPermitted
from guardrails.policy.engine import Engine, PolicySet, parse
from guardrails.policy.tables import versions

State = Literal["draft", "proposed", "approved", "active", "retired", "returned"]
EDITABLE: frozenset[State] = frozenset({"draft", "returned"})


@dataclass(frozen=True, slots=True)
class Version:
    """One version. `number` counts from 1; 0 is the set that comes with the product."""

    number: int
    state: State
    text: str
    hash: str
    based_on: int | None
    author: str
    note: str
    created: float
    approved_by: str = ""
    activated: float | None = None


class Lifecycle:
    """Versions of one store, and the engine that the active one is put into. People: pseudonyms."""

    def __init__(
        self,
        engine: sa.Engine,
        ledger: Ledger,
        policy: Engine,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._engine = engine
        self._ledger = ledger
        self._policy = policy
        self._clock = clock
        self._product = policy.policies

    def load(self) -> None:
        """Put the active version in force; call at start. Without one, the product's set stays.

        Raises BadInput("bad-policy") when the stored text no longer parses: then nothing starts.
        """
        active = self.active()
        if active is not None:
            self._policy.activate(self.check(active.text))

    def check(self, text: str) -> PolicySet:
        """Validate a text against the product's schema. Raises BadInput("bad-policy")."""
        return parse(text, self._product.schema_text)

    def draft(self, *, by: str, note: str = "") -> Version:
        """A new draft with the text in force."""
        active = self.active()
        text = active.text if active else self._product.text
        values = {
            "state": "draft",
            "text": text,
            "hash": self.check(text).hash,
            "based_on": active.number if active else 0,
            "author": by,
            "note": note,
            "created": self._now(),
        }
        self._record("policy.draft", by, note)
        with self._engine.begin() as connection:
            query = sa.insert(versions).values(values).returning(versions.c.number)
            number = connection.execute(query).scalar_one()
        return self.get(number)

    def edit(self, number: int, text: str, *, by: str, note: str | None = None) -> Version:
        """Replace a draft's text. Raises BadInput("bad-policy") and keeps the old text."""
        version = self._in(number, EDITABLE)
        if version.author != by:
            raise NotPermitted("not-author", version=number)
        values: dict[str, object] = {"text": text, "hash": self.check(text).hash, "state": "draft"}
        if note is not None:
            values["note"] = note
        self._set(number, version.state, values)
        return self.get(number)

    def propose(self, number: int, *, by: str) -> Version:
        """Ask for approval. The text is frozen from here on."""
        version = self._in(number, EDITABLE)
        self._record("policy.propose", by, version.hash)
        self._set(number, version.state, {"state": "proposed"})
        return self.get(number)

    def approve(self, number: int, *, by: str) -> Version:
        """Approve as a second person. Raises NotPermitted("self-approval") for the author."""
        version = self._in(number, frozenset({"proposed"}))
        if version.author == by:
            self._record("policy.approve", by, version.hash, "deny", "self-approval")
            raise NotPermitted("self-approval", version=number)
        self._record("policy.approve", by, version.hash)
        values = {"state": "approved", "approved_by": by, "approved": self._now()}
        self._set(number, "proposed", values)
        return self.get(number)

    def send_back(self, number: int, *, by: str, note: str) -> Version:
        """Return a proposed version to its author with a note."""
        version = self._in(number, frozenset({"proposed"}))
        self._record("policy.return", by, version.hash, "deny")
        self._set(number, "proposed", {"state": "returned", "note": note})
        return self.get(number)

    def activate(self, number: int, *, by: str) -> Version:
        """Put an approved (or formerly active) version in force; that is also how to roll back."""
        version = self._in(number, frozenset({"approved", "retired"}))
        policies = self.check(version.text)
        self._record("policy.activate", by, version.hash)
        with self._engine.begin() as connection:
            connection.execute(
                sa.update(versions).where(versions.c.state == "active").values(state="retired")
            )
            connection.execute(
                sa.update(versions)
                .where(versions.c.number == number)
                .values(state="active", activated=self._now())
            )
        self._policy.activate(policies)
        return self.get(number)

    def restore_product_rules(self, *, by: str) -> None:
        """Roll back to the set that comes with the product."""
        self._record("policy.activate", by, self._product.hash)
        with self._engine.begin() as connection:
            connection.execute(
                sa.update(versions).where(versions.c.state == "active").values(state="retired")
            )
        self._policy.activate(self._product)

    def active(self) -> Version | None:
        """The version in force; None when it is the product's set."""
        with self._engine.connect() as connection:
            row = connection.execute(
                sa.select(versions).where(versions.c.state == "active")
            ).first()
        return _version(row) if row else None

    def get(self, number: int) -> Version:
        """One version. Raises BadInput("no-such-version")."""
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(versions).where(versions.c.number == number)).first()
        if row is None:
            raise BadInput("no-such-version", version=number)
        return _version(row)

    def all(self) -> list[Version]:
        """Every version, newest first."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(versions).order_by(versions.c.number.desc())).all()
        return [_version(row) for row in rows]

    def diff(self, number: int) -> str:
        """What a version changes against the text in force: a unified diff."""
        before = self._policy.policies.text.splitlines(keepends=True)
        after = self.get(number).text.splitlines(keepends=True)
        return "".join(difflib.unified_diff(before, after, "in force", f"version {number}"))

    def _in(self, number: int, states: frozenset[State]) -> Version:
        version = self.get(number)
        if version.state not in states:
            raise BadInput("wrong-state", version=number, state=version.state)
        return version

    def _set(self, number: int, state: State, values: dict[str, object]) -> None:
        with self._engine.begin() as connection:
            done = connection.execute(
                sa.update(versions)
                .where(versions.c.number == number, versions.c.state == state)
                .values(values)
            )
        if not done.rowcount:
            raise BadInput("wrong-state", version=number, state=self.get(number).state)

    def _record(
        self, kind: str, by: str, what: str, verdict: str = "allow", rule: str = ""
    ) -> None:
        self._ledger.record(Act(kind, by, verdict=verdict, rule=rule, payload={"policy": what}))

    def _now(self) -> int:
        return int(self._clock() * 1_000_000)


def _version(row: Any) -> Version:
    return Version(
        row.number, row.state, row.text, row.hash, row.based_on, row.author, row.note,
        row.created / 1e6, row.approved_by or "", row.activated / 1e6 if row.activated else None,
    )  # fmt: skip
