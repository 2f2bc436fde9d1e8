"""Everything real but the model's answers: sealed processes, screen, policy, ledger, store."""

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from agents.catalog import templates
from agents.spec import AgentSpec
from guardrails.actor import Actor
from guardrails.audit.tables import ledger
from sandbox.events import Delta, Event, Notice, Reply
from tests.upstream import Say, Upstream
from ui.running import running
from ui.settings import Settings
from ui.wiring import App, build


@dataclass
class House:
    """The product and the upstream it talks to."""

    app: App
    upstream: Upstream
    events: list[Event] = field(default_factory=list)

    def script(self, *says: Say) -> None:
        """What the model answers from now on; forgets what it was asked."""
        self.upstream.script = list(says)
        self.upstream.calls.clear()
        self.upstream.bodies.clear()
        self.upstream.requests.clear()

    async def send(
        self,
        actor: Actor,
        text: str,
        agent: str | AgentSpec = "email-drafter",
        *,
        conversation: str | None = None,
        files: Mapping[str, Path] | None = None,
        language: str = "en",
    ) -> Reply:
        """One whole turn; what happened meanwhile is in `events`."""
        self.events = []
        spec = templates()[agent] if isinstance(agent, str) else agent
        async for event in self.app.sessions.send(
            actor=actor,
            agent=spec,
            text=text,
            conversation=conversation,
            files=files,
            language=language,
        ):
            self.events.append(event)
        reply = self.events[-1]
        assert isinstance(reply, Reply)
        return reply

    @property
    def streamed(self) -> str:
        """The text as the browser saw it arrive."""
        return "".join(event.text for event in self.events if isinstance(event, Delta))

    @property
    def notices(self) -> list[str]:
        """Keys of the ribbons shown."""
        return [event.key for event in self.events if isinstance(event, Notice)]

    @property
    def received(self) -> str:
        """Every byte that reached the model's server, as text."""
        return self.upstream.received.decode("utf-8", "replace")

    def acts(self, trace_id: str) -> Sequence[tuple[str, str, str, str]]:
        """(step, kind, verdict, rule) of a turn's ledger rows, in order."""
        columns = ledger.c
        query = (
            sa.select(columns.step, columns.kind, columns.verdict, columns.rule)
            .where(columns.trace_id == trace_id)
            .order_by(columns.seq)
        )
        with self.app.engine.connect() as db:
            return [tuple(row) for row in db.execute(query)]


@contextlib.asynccontextmanager
async def house(home: Path, *, recover: bool = True, **settings: object) -> AsyncIterator[House]:
    """A started, warm product on `home`. Without `recover` nothing goes on by itself."""
    with Upstream(Say("Hello.")) as upstream:
        given = {"home": home, "model": "openai/test", "model_base": upstream.base, **settings}
        app = build(Settings.model_validate(given))
        async with running(app, recover=recover):
            await app.sessions.ready.wait()
            yield House(app, upstream)
