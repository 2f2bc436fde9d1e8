"""The life of a policy set: draft → proposed → approved by another person → active → retired.

Every version is kept; version 1 is the set that came with the product. Only an approved version can
become active; an earlier active one can be put back. Each step is in the ledger before it is made.

The version in force is read from the store, so that every process that serves the same store
decides by the same rules within `FRESH_SECONDS`. A store that cannot be read, a text that was
altered in it, or no version in force is an error, and the engine makes a deny of it.
"""

import difflib
import hashlib
import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from guardrails.actor import SYSTEM
from guardrails.audit.ledger import Act, Ledger
from guardrails.errors import BadInput, GuardrailError, NotPermitted
from guardrails.policy.diagnose import Problem, diagnose
from guardrails.policy.engine import Engine, PolicySet, parse
from guardrails.policy.versions import State, Version, Versions

__all__ = ["Lifecycle", "State", "Version"]

log = logging.getLogger(__name__)

EDITABLE: frozenset[State] = frozenset({"draft", "returned"})
FRESH_SECONDS = 1.0  # how old the knowledge of which version is in force may be
MOST_CHARACTERS = 400_000  # of one policy text; 500 rules have about 100,000


class Lifecycle:
    """Versions of one store, and the engine that the active one is put into. People: pseudonyms."""

    def __init__(
        self,
        engine: sa.Engine,
        ledger: Ledger,
        policy: Engine,
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._versions = Versions(engine, clock)
        self._ledger = ledger
        self._policy = policy
        self._ticks = ticks
        self._product = policy.policies
        self._vocabulary = hashlib.sha256(self._product.schema_text.encode()).hexdigest()
        self._seen: tuple[tuple[int, str], PolicySet] | None = None
        self._seen_at = -FRESH_SECONDS
        self._reading = threading.Lock()

    # ── the version in force ─────────────────────────────────────────────────────────────

    def load(self) -> str:
        """Put the stored version in force and let the engine follow the store; call at start.

        Returns what `problem` says: with a problem the engine denies everything.

        A product set that is new here becomes a version of its own: the active one while no other
        set was ever put in force, else one that can be activated. Rules that no longer fit the
        product's vocabulary stay in force as a deny of everything (`problem` says so).
        """
        stored = self._versions.all()
        active = next((version for version in stored if version.state == "active"), None)
        own = active is not None and active.source == "own"
        shipped = [version for version in stored if version.source == "product"]
        if not any(version.hash == self._product.hash for version in shipped):
            self._install(active, own)
        elif active is not None:
            self._refit(active)
        self._policy.follow(self.current)
        return self.problem()

    def current(self) -> PolicySet:
        """The set in force. Asks the store at most once in `FRESH_SECONDS`.

        Raises GuardrailError: `no-rules`, `rules-altered`, or what the store or the text raises.
        """
        now = self._ticks()
        seen = self._seen
        if seen is not None and now - self._seen_at < FRESH_SECONDS:
            return seen[1]
        with self._reading:
            seen = self._seen
            mark = self._versions.mark()
            if mark is None:
                raise GuardrailError("no-rules")
            if seen is None or seen[0] != mark:
                return self._put(self._versions.get(mark[0]))
            self._seen_at = now
            return seen[1]

    def problem(self) -> str:
        """Code of why nothing is permitted now; "" while the rules can be read."""
        try:
            self._seen_at = -FRESH_SECONDS
            self.current()
        except GuardrailError as error:
            return error.code
        except (sa.exc.SQLAlchemyError, OSError):
            return "store-unreadable"
        return ""

    # ── drafts ───────────────────────────────────────────────────────────────────────────

    def check(self, text: str) -> PolicySet:
        """Validate a text against the product's schema. Raises BadInput("bad-policy")."""
        return parse(text, self._product.schema_text)

    def problems(self, text: str) -> tuple[Problem, ...]:
        """What is wrong with a text, rule by rule, with lines and the nearest valid name."""
        return diagnose(text, self._product.schema_text)

    def draft(self, *, by: str, note: str = "", text: str | None = None) -> Version:
        """A new draft with the text in force, or with `text`."""
        active = self._versions.active()
        if text is None:
            text = active.text if active else self._product.text
        digest = self._digest(text)
        self._record("policy.draft", by, digest or "unparsed")
        number = self._versions.add(
            state="draft",
            text=text,
            hash=digest,
            vocabulary=self._vocabulary,
            based_on=active.number if active else None,
            author=by,
            editors=json.dumps([by]),
            note=note,
        )
        return self.get(number)

    def edit(
        self,
        number: int,
        text: str,
        *,
        by: str,
        note: str | None = None,
        revision: int | None = None,
    ) -> Version:
        """Replace a draft's text, also by one that does not parse yet: nothing typed is lost.

        `revision` is the one the editor has seen; when the draft has moved on, BadInput
        ("draft-changed") names the newest and keeps it. Whoever edits can no longer approve.
        """
        version = self._in(number, EDITABLE)
        revision = version.revision if revision is None else revision
        digest = self._digest(text)
        if version.revision != revision:
            raise BadInput("draft-changed", version=number, revision=version.revision)
        self._record("policy.edit", by, digest or "unparsed", version=number)
        values: dict[str, object] = {
            "text": text,
            "hash": digest,
            "vocabulary": self._vocabulary,
            "state": "draft",
            "revision": revision + 1,
            "edited": self._versions.now(),
            "editors": json.dumps(list(dict.fromkeys([*version.editors, by]))),
            "rehearsal": None,
        }
        if note is not None:
            values["note"] = note
        if not self._versions.change(number, version.state, revision, **values):
            raise BadInput("draft-changed", version=number, revision=self.get(number).revision)
        return self.get(number)

    def withdraw(self, number: int, *, by: str) -> Version:
        """Give up a version that was never approved. It is kept, and cannot come into force."""
        version = self._in(number, EDITABLE | {"proposed"})
        if by not in version.editors:
            raise NotPermitted("not-author", version=number)
        self._record("policy.withdraw", by, version.hash or "unparsed", version=number)
        self._move(number, version.state, state="withdrawn")
        return self.get(number)

    def rehearsed(self, number: int, result: Mapping[str, Any]) -> None:
        """Keep the result of a rehearsal with its version, for whoever approves it."""
        version = self.get(number)
        if result.get("hash") == version.hash:
            self._versions.change(number, version.state, None, rehearsal=json.dumps(result))

    # ── two people ───────────────────────────────────────────────────────────────────────

    def propose(self, number: int, *, by: str) -> Version:
        """Ask for approval. The text is frozen from here on. Raises BadInput("bad-policy")."""
        version = self._in(number, EDITABLE)
        wrong = [p for p in self.problems(version.text) if p.level == "error"]
        if wrong:
            first = wrong[0]
            raise BadInput("bad-policy", rule=first.rule, why=f"{first.line}: {first.why}")
        self.check(version.text)
        self._record("policy.propose", by, version.hash, version=number)
        self._move(number, version.state, version.revision, state="proposed", review="")
        return self.get(number)

    def approve(self, number: int, *, by: str) -> Version:
        """Approve as a second person. Raises NotPermitted("self-approval") for who wrote on it."""
        version = self._in(number, frozenset({"proposed"}))
        self._second(version, by, "policy.approve")
        self._record("policy.approve", by, version.hash, version=number)
        # of the text that was looked at: in between it may have been returned, edited, proposed
        approved = {"state": "approved", "approved_by": by, "approved": self._versions.now()}
        self._move(number, "proposed", version.revision, **approved)
        return self.get(number)

    def send_back(self, number: int, *, by: str, note: str) -> Version:
        """Return a proposed version to its author with a note."""
        version = self._in(number, frozenset({"proposed"}))
        self._record("policy.return", by, version.hash, "deny", version=number)
        self._move(number, "proposed", state="returned", review=note)
        return self.get(number)

    def activate(self, number: int, *, by: str, reason: str = "") -> Version:
        """Put an approved (or formerly active) version in force; that is also how to roll back.

        Two people have agreed to such a text before, so one is enough to put it (back) in force:
        in an incident nobody has to find a second one. It is in the ledger either way.
        """
        version = self._in(number, frozenset({"approved", "retired"}))
        policies = self.check(version.text)
        if policies.hash != version.hash and version.vocabulary == self._vocabulary:
            raise GuardrailError("rules-altered", version=number)
        self._record("policy.activate", by, policies.hash, version=number, reason=reason)
        if policies.hash != version.hash:  # the product's vocabulary has grown since
            self._move(number, version.state, hash=policies.hash, vocabulary=self._vocabulary)
        self._versions.put_in_force(number, by)
        self._put(self.get(number))
        return self.get(number)

    # ── looking ──────────────────────────────────────────────────────────────────────────

    def active(self) -> Version | None:
        """The version in force."""
        return self._versions.active()

    def get(self, number: int) -> Version:
        """One version. Raises BadInput("no-such-version")."""
        return self._versions.get(number)

    def all(self) -> list[Version]:
        """Every version, newest first."""
        return self._versions.all()

    def product(self) -> PolicySet:
        """The set that this release of the product brings."""
        return self._product

    def diff(self, number: int, against: int | None = None) -> str:
        """What a version changes against another, or against the text in force: unified diff."""
        other = self.get(against) if against is not None else self._versions.active()
        before = other.text if other else self._product.text
        label = f"version {other.number}" if other else "in force"
        lines = difflib.unified_diff(
            before.splitlines(keepends=True),
            self.get(number).text.splitlines(keepends=True),
            label,
            f"version {number}",
        )
        return "".join(line if line.endswith("\n") else line + "\n" for line in lines)

    # ── inside ───────────────────────────────────────────────────────────────────────────

    def _put(self, version: Version) -> PolicySet:
        policies = self.check(version.text)
        if policies.hash != version.hash:
            raise GuardrailError("rules-altered", version=version.number)
        self._seen = ((version.number, version.hash), policies)
        self._seen_at = self._ticks()
        self._policy.activate(policies)
        return policies

    def _install(self, active: Version | None, own: bool) -> None:
        self._record("policy.install", SYSTEM, self._product.hash)
        number = self._versions.add(
            state="approved",
            text=self._product.text,
            hash=self._product.hash,
            vocabulary=self._vocabulary,
            based_on=None,
            author=SYSTEM,
            editors=json.dumps([SYSTEM]),
            source="product",
            approved_by=SYSTEM,
            approved=self._versions.now(),
        )
        if own and active is not None:
            self._refit(active)
        else:
            self._versions.put_in_force(number, SYSTEM)

    def _refit(self, active: Version) -> None:
        """Give the active text the hash that it has under a newer vocabulary, when it fits it."""
        if active.vocabulary == self._vocabulary:
            return
        try:
            policies = self.check(active.text)
        except BadInput as error:
            log.error("the active rules do not fit this release", extra={"code": error.code})
            return
        self._record("policy.refit", SYSTEM, policies.hash, version=active.number)
        self._versions.change(
            active.number, "active", None, hash=policies.hash, vocabulary=self._vocabulary
        )

    def _second(self, version: Version, by: str, kind: str) -> None:
        if by in version.editors or by == version.author:
            self._record(kind, by, version.hash, "deny", "self-approval", version=version.number)
            raise NotPermitted("self-approval", version=version.number)

    def _digest(self, text: str) -> str:
        if len(text) > MOST_CHARACTERS:
            raise BadInput("text-too-long", most=MOST_CHARACTERS)
        try:
            return self.check(text).hash
        except BadInput:
            return ""

    def _in(self, number: int, states: frozenset[State]) -> Version:
        version = self.get(number)
        if version.state not in states:
            raise BadInput("wrong-state", version=number, state=version.state)
        return version

    def _move(
        self, number: int, from_: State, revision: int | None = None, **values: object
    ) -> None:
        if not self._versions.change(number, from_, revision, **values):
            raise BadInput("wrong-state", version=number, state=self.get(number).state)

    def _record(
        self,
        kind: str,
        by: str,
        policy: str,
        verdict: str = "allow",
        rule: str = "",
        **more: object,
    ) -> None:
        payload = {"policy": policy, **{name: value for name, value in more.items() if value}}
        self._ledger.record(Act(kind, by, verdict=verdict, rule=rule, payload=payload))
