"""The publishing desk of one house: requests with their evidence, evaluation runs, agents' files.

Wires what `agents` knows of publishing to sessions, tools and people. Decides nothing itself.
"""

import asyncio
import contextlib
import logging
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from agents.catalog import templates
from agents.conversation_tables import conversations
from agents.evaluation import Evaluations
from agents.files import AgentFiles
from agents.knowledge import frozen
from agents.publishing import Publishing
from agents.publishing_checks import in_documents, permissions, personal, unusual
from agents.publishing_opinions import Opinions
from agents.publishing_records import Live, PublishRequest
from agents.spec import AgentSpec, Case
from guardrails.actor import Actor
from guardrails.audit.ledger import Act
from guardrails.errors import BadInput, GuardrailError
from sandbox.events import Reply
from ui.identity import WORKSHOP_ID

if TYPE_CHECKING:
    from ui.wiring import App

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """A reply with the masked text that may be kept. Looks like `agents.evaluate.ReplyLike`."""

    reply: Reply
    masked_text: str

    def __getattr__(self, name: str) -> Any:
        return getattr(self.reply, name)

    @property
    def text(self) -> str:
        """The answer as the person would read it; graded, never kept."""
        return self.reply.text

    @property
    def sources(self) -> Any:
        """Where the answer comes from."""
        return self.reply.sources

    @property
    def steps(self) -> Any:
        """How it was made."""
        return self.reply.steps

    @property
    def notices(self) -> Any:
        """What was said about it."""
        return self.reply.notices

    @property
    def status(self) -> str:
        """How the turn ended."""
        return self.reply.status


class Desk:
    """Built on first use; `recover` at start, `close` at the end."""

    def __init__(self, app: "App") -> None:
        self._app = app
        self._tasks: set[asyncio.Task[None]] = set()

    @cached_property
    def files(self) -> AgentFiles:
        """Documents of agents."""
        return AgentFiles(self._app.engine, self._app.keys)

    @cached_property
    def publishing(self) -> Publishing:
        """Requests and releases."""
        app = self._app
        return Publishing(
            app.engine,
            app.catalog,
            app.ledger,
            app.policy,
            app.screen,
            self.files,
            lambda person, agent: app.exceptions.lifted(app.sessions.pseudonym(person), agent),
            usable=self._usable,
            exists=lambda tool: tool in app.tools.catalogue(),
            process=self._app.processes.id,
        )

    def _usable(self, model: str) -> bool:
        try:
            self._app.models.info(model)
        except GuardrailError:
            return False
        return True

    @cached_property
    def opinions(self) -> Opinions:
        """Comments, stars, reports."""
        return Opinions(self._app.engine, self._app.ledger)

    @cached_property
    def evaluations(self) -> Evaluations:
        """Evaluation runs through the real sessions."""
        return Evaluations(
            self._app.engine,
            self._app.ledger,
            self.ask,
            side_effect=side_effect,
            tongue=tongue,
            model=lambda: self._app.models.info().label,
            process=self._app.processes.id,
        )

    def recover(self) -> None:
        """Take up what dead processes left: runs are interrupted, checks go to the queue as is."""
        self.evaluations.recover()
        self.publishing.recover()
        self.publishing.reopen()

    async def close(self) -> None:
        """Stop evaluation runs and checks."""
        for task in list(self._tasks):
            task.cancel()
        await self.evaluations.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # ── asking an agent, as anybody would ───────────────────────────────────────────────

    async def ask(self, spec: AgentSpec, case: Case, actor: Actor) -> Answer:
        """One turn in a conversation of its own, removed afterwards; its trace stays."""
        app = self._app
        conversation = await asyncio.to_thread(
            app.conversations.start, spec.id, actor.id, spec.version
        )
        reply: Reply | None = None
        with tempfile.TemporaryDirectory(prefix="case-") as folder:
            files = await asyncio.to_thread(self._given, spec, case, Path(folder))
            try:
                async for event in app.sessions.send(
                    actor=actor,
                    agent=spec,
                    text=case.input,
                    conversation=conversation,
                    files=files,
                    language=case.language,
                    purpose="evaluation",
                ):
                    if isinstance(event, Reply):
                        reply = event
                kept = await asyncio.to_thread(
                    app.conversations.messages, conversation, actor.id, 1
                )
            finally:
                # also when the run is cancelled: a turn goes on without its listener
                await app.sessions.stop(conversation)
                await asyncio.shield(asyncio.to_thread(self._forget, conversation, actor.id))
        if reply is None:
            raise GuardrailError("run-ended")
        masked = kept[-1].text if kept and kept[-1].role == "assistant" else ""
        return Answer(reply, masked)

    def _given(self, spec: AgentSpec, case: Case, folder: Path) -> dict[str, Path]:
        given = {}
        for number, name in enumerate(case.files):
            path = folder / str(number)
            path.write_bytes(self.files.read(spec.id, name))
            given[Path(name).name] = path
        return given

    def _forget(self, conversation: str, owner: str) -> None:
        with contextlib.suppress(BadInput):
            self._app.sessions.forget(conversation)
            self._app.conversations.delete(conversation, owner)

    # ── publishing ───────────────────────────────────────────────────────────────────────

    def check(self, request: PublishRequest, by: Actor, *, tests: bool = True) -> None:
        """Collect the evidence of a request in the background. Call inside the event loop."""
        task = asyncio.create_task(self.checked(request, by, tests=tests))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def checked(self, request: PublishRequest, by: Actor, *, tests: bool = True) -> None:
        """Collect the evidence of a request, whatever goes wrong with it."""
        try:
            evidence = await asyncio.to_thread(self._static, request)
            if tests:
                run = await self.evaluations.start(
                    request.spec, by, agent=request.agent, trial=request.id
                )
                # the page shows its progress meanwhile
                noted = {**evidence, "run": run.id}
                await asyncio.to_thread(self.publishing.noted, request.id, noted)
                run = await self.evaluations.wait(run.id)
                evidence |= {"run": run.id, "tests": run.state, "model": run.model}
        except GuardrailError as error:
            evidence = {"problem": error.code}
        except Exception as error:
            # evidence that cannot be collected is said; it must not keep the request for ever
            log.error("evidence not collected", extra={"error": type(error).__name__})
            evidence = {"problem": "internal"}
        await asyncio.to_thread(self.publishing.collected, request.id, evidence)

    def _static(self, request: PublishRequest) -> dict[str, Any]:
        current = self.publishing.current(request.agent)
        before = None
        if current is not None:
            before = self.publishing.release(request.agent, current.version).spec
        screen, own = self._app.screen, request.spec.knowledge  # those are among its texts
        names = [name for name in request.documents if name not in own]
        with self._app.engine.connect() as db:
            inside = frozen.texts(db, request.id)
        return {
            "permissions": permissions(request.spec, before, side_effect),
            "personal": [*personal(request.spec, screen), *in_documents(names, inside, screen)],
            "unusual": unusual(request.spec),
            "model": self._app.models.info().label,
            "documents": dict(request.documents),
        }

    async def withdraw(self, agent: str, by: Actor, reason: str) -> tuple[Live, int]:
        """Withdraw an agent and end its turns under way; gives how many were ended."""
        current = await asyncio.to_thread(self.publishing.withdraw, agent, by, reason)
        return current, await self.stop_turns(agent, but=current.owner)

    async def stop_turns(self, agent: str, but: str = "") -> int:
        """End every turn of an agent, under way or waiting, except its author's."""
        app = self._app
        paused = getattr(app.sessions, "paused", None)
        waiting = await asyncio.to_thread(paused.all) if paused else []
        busy = {*app.sessions.running, *(conversation for _, conversation, _ in waiting)}
        hit = await asyncio.to_thread(self._conversations, agent, busy, but)
        ended = 0
        for turn, conversation, _ in waiting:
            if conversation in hit and paused:
                await asyncio.to_thread(paused.drop, turn)
                ended += 1
        for conversation in hit:
            ended += await app.sessions.stop(conversation)
        return ended

    def _conversations(self, agent: str, among: set[str], but: str) -> set[str]:
        query = sa.select(conversations.c.id).where(
            conversations.c.agent == agent,
            conversations.c.owner != but,
            conversations.c.id.in_(list(among)),
        )
        with self._app.engine.connect() as db:
            return set(db.scalars(query))

    def copy(self, agent: str, owner: str) -> str:
        """A private copy of an agent with its documents; gives the new id."""
        version = self._app.catalog.get(agent, owner).spec.version
        self._app.ledger.record(Act("agent.copy", owner, agent, version))
        record = self._app.catalog.copy(agent, owner)
        if agent not in templates():
            self.files.copy(agent, record.id, owner, version)
        return record.id


def audience_keys(app: "App", person: str) -> frozenset[str]:
    """`department:`, `group:` and `role:` keys of a person."""
    if app.identity.mode == "workshop" and person == WORKSHOP_ID:
        return frozenset({"role:champion", "role:staff"})
    account = app.people.get(person)
    if account is None:
        return frozenset()
    found = {f"role:{role}" for role in account.roles}
    if account.department:
        found.add(f"department:{account.department}")
    return frozenset({*found, *(f"group:{group.id}" for group in app.groups.of(person))})


def side_effect(tool: str) -> str:
    """reads, writes or sends; "" for a tool that is not here."""
    from agents.tools.registry import TOOLS

    return TOOLS[tool].side_effect if tool in TOOLS else ""


def tongue(text: str) -> str:
    """The language of an answer, "" when it is too short to tell."""
    from guardrails.detect.language import of

    return of(text) if len(text.split()) >= 5 else ""


def as_role(actor: Actor, granted: frozenset[str], role: str) -> str:
    """`role` when somebody may try an agent as it: one they have, or staff.

    Raises BadInput("bad-role").
    """
    if role and role != "staff" and role not in granted:
        raise BadInput("bad-role", role=role[:20], roles=", ".join(sorted({"staff", *granted})))
    return role
