"""A house for page tests: real store, catalogue, record, people; model and seal are fakes."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, cast

import sqlalchemy as sa

from agents.catalog import Catalog
from agents.comparisons import Comparisons
from agents.conversations import Conversations
from agents.feedback import Feedback
from agents.spec import AgentSpec
from guardrails.actor import Actor, pseudonym
from guardrails.audit.ledger import Ledger
from guardrails.audit.metrics import Metrics
from guardrails.audit.search import Traces
from guardrails.audit.spans import Spans
from guardrails.budgets import Budgets
from guardrails.keys import Keys
from guardrails.kinds import OwnKinds
from guardrails.migrate import upgrade
from guardrails.policy.approvals import Approvals
from guardrails.policy.engine import Engine
from guardrails.policy.exceptions import Exceptions
from guardrails.policy.lifecycle import Lifecycle
from guardrails.policy.rehearsals import Rehearsals
from guardrails.processes import Processes
from guardrails.screen import Screen
from guardrails.store import open_engine
from guardrails.vault import Vault
from sandbox.broker.connections import Connections
from sandbox.broker.fetch_rules import Hosts
from sandbox.broker.model_events import ModelInfo
from sandbox.broker.sources import ToolSources
from sandbox.checked import Checked
from sandbox.conversing import Opening
from sandbox.events import Delta, Event, Notice, Reply, Step, StepEvent
from sandbox.launch.unsealed import Unsealed
from sandbox.limits import CEILING, Limits
from ui.desk import audience_keys
from ui.identity import Identity
from ui.parts import Parts
from ui.people import People
from ui.settings import Settings


class FakeModels:
    """Says what a ready practice model says."""

    def info(self, wanted: str = "") -> ModelInfo:
        return self.own()

    def own(self) -> ModelInfo:
        return ModelInfo(
            name="practice",
            label="Practice model · Qwen2.5-Coder 1.5B",
            kind="practice",
            provider="embedded",
            location="local",
            state="ready",
            progress=None,
        )


class FakePool:
    """Two warm agents, one warm data process."""

    ceiling = CEILING
    checked = Checked("bubblewrap")
    launcher = Unsealed()

    def status(self) -> dict[str, object]:
        return {
            "backend": "bubblewrap",
            "ready": {"agent": 2, "data": 1},
            "starting": {"agent": 0, "data": 0},
            "live": 0,
            "failures": {"agent": 0, "data": 0},
            "last_error": "",
        }


@dataclass
class FakeTurn:
    """What a page follows."""

    events: AsyncIterator[Event]

    async def batches(self) -> AsyncGenerator[list[Event], None]:
        async for event in self.events:
            yield [event]

    async def ended(self) -> None:
        """It ends with its events."""


@dataclass
class FakeSessions:
    """Answers every message with `answer`, as if a name and an e-mail address had been masked."""

    conversations: Conversations
    spans: Spans
    ledger: Ledger
    pseudonym: Any
    limits: Limits = field(default_factory=Limits)
    answer: str = "Subject: Workshop\n\nDear **Claire Fontaine**, see you on *Thursday*."
    masked: str = "Write to <PERSON_1> (<EMAIL_ADDRESS_1>): the workshop moves to Thursday."
    stopped: list[str] = field(default_factory=list)
    running: dict[str, object] = field(default_factory=dict)

    def open(self, actor: Actor, agent: str, conversation: str, root: str = "") -> Opening:
        """Nothing is looked up: what is sent is made up."""
        return Opening(self.pseudonym(actor.id), root, Vault("made up", bytes(32)), frozenset())

    def begin(
        self,
        actor: Actor,
        agent: AgentSpec,
        text: str,
        conversation: str,
        root: str,
        files: Mapping[str, Path] | None = None,
        language: str = "en",
        opening: Opening | None = None,
        kept: Sequence[str] = (),
    ) -> "FakeTurn":
        events = self.send(
            actor=actor,
            agent=agent,
            text=text,
            conversation=conversation,
            files=files,
            language=language,
        )
        return FakeTurn(events)

    async def send(
        self,
        *,
        actor: Actor,
        agent: AgentSpec,
        text: str,
        conversation: str | None = None,
        files: Mapping[str, Path] | None = None,
        language: str = "en",
    ) -> AsyncIterator[Event]:
        conversation = conversation or self.conversations.start(agent.id, actor.id, agent.version)
        with self.spans.root(f"invoke_agent {agent.id}", {}) as root:
            self.conversations.add(
                conversation, "user", self.masked, root.trace_id, {"files": list(files or {})}
            )
            notice = Notice("masked", "notice.masked", {"n": 2})
            yield notice
            model = FakeModels().info().label
            sent = {"sent": self.masked}
            steps = (
                Step("guardrail", "input-check", 0, 9, "masked", "screen.masked", sent),
                Step("model", model, 9, 948, "allowed", "", sent),
                Step("guardrail", "output-check", 960, 9, "allowed", "screen.clean"),
            )
            for step in steps:
                yield StepEvent(step)
            for word in self.answer.split(" "):
                yield Delta(word + " ")
            root.set(
                person=self.pseudonym(actor.id),
                agent=agent.id,
                version=agent.version,
                conversation=conversation,
                verdict="masked",
                rule="screen.masked",
                request=self.masked,
                model="practice",
                tokens=128,
                kinds=["PERSON", "EMAIL_ADDRESS"],
                data_class=agent.data_class,
            )
            trace_id = root.trace_id
        extra = {"model": "Practice model", "masked_request": self.masked, "status": "done"}
        self.conversations.add(conversation, "assistant", self.answer, trace_id, extra)
        yield Reply(
            text=self.answer,
            notices=(notice,),
            sources=(),
            trace_id=trace_id,
            steps=steps,
            model="Practice model · Qwen2.5-Coder 1.5B",
            model_kind="practice",
            tokens=128,
            duration_ms=970,
            masked_request=self.masked,
            conversation=conversation,
        )

    async def stop(self, conversation: str) -> bool:
        self.stopped.append(conversation)
        return True

    def restore(self, conversation: str, text: str) -> str:
        return text.replace("<PERSON_1>", "Claire Fontaine")

    def forget(self, conversation: str) -> None:
        self.stopped.append(conversation)


@dataclass
class House(Parts):
    """The parts of `ui.wiring.App` that pages and API use."""

    settings: Settings
    keys: Keys
    engine: sa.Engine
    ledger: Ledger
    spans: Spans
    traces: Traces
    screen: Screen
    pool: FakePool
    models: FakeModels
    catalog: Catalog
    conversations: Conversations
    sessions: FakeSessions
    people: People
    budgets: Budgets
    approvals: Approvals
    exceptions: Exceptions
    feedback: Feedback
    comparisons: Comparisons
    checkpoint_file: Path
    screen_ready: bool = True
    warming: bool = False
    problems: list[str] = field(default_factory=list)

    @cached_property
    def processes(self) -> Processes:  # type: ignore[override]
        return Processes(self.engine, self.settings.home)

    @cached_property
    def tools(self) -> ToolSources:
        hosts = Hosts.of(self.settings.web_allow)
        home = self.settings.home / "servers"
        key = self.keys.derive("tool-grants")
        return ToolSources(self.engine, self.ledger, {}, lambda _text: False, home, hosts, key)

    @cached_property
    def policy(self) -> Engine:
        """The rules engine, following the store."""
        return Engine()

    @cached_property
    def connections(self) -> Connections:
        """Connected models."""
        return Connections(self.engine, self.ledger, self.keys.derive("model-keys"))

    @cached_property
    def rules(self) -> Lifecycle:
        """Versions of the rules."""
        rules = Lifecycle(self.engine, self.ledger, self.policy)
        rules.load()
        return rules

    @cached_property
    def rehearsals(self) -> Rehearsals:
        """Rehearsals of drafts under way."""
        return Rehearsals(self.rules, self.policy, self.traces, self.ledger)

    @cached_property
    def kinds(self) -> OwnKinds:
        """The organisation's own kinds, none yet."""
        return OwnKinds(self.settings.own_kinds, self.screen.forget)

    @cached_property
    def metrics(self) -> Metrics:
        """Numbers of the record."""
        metrics = Metrics()
        self.record.measure(metrics, self.spans)
        return metrics

    @cached_property
    def identity(self) -> Identity:
        return Identity(self.engine, self.keys, self.people, host=self.settings.host)

    def close(self) -> None:
        self.record.exports.close()
        self.spans.close()
        self.ledger.close()
        self.engine.dispose()


def open_house(home: Path, screen: Screen | None = None) -> House:
    """A house in `home`."""
    settings = Settings.model_validate({"home": home})
    keys = Keys(bytes(range(32)))
    engine = open_engine(f"sqlite:///{home / 'atelier.db'}")
    upgrade(engine)
    ledger = Ledger(engine, keys, checkpoint_file=home / "checkpoints.jsonl")
    spans = Spans(engine, "atelier")
    conversations = Conversations(engine)
    house = House(
        settings=settings,
        keys=keys,
        engine=engine,
        ledger=ledger,
        spans=spans,
        traces=Traces(engine),
        screen=screen or Screen(),
        pool=FakePool(),
        models=FakeModels(),
        catalog=Catalog(engine),
        conversations=conversations,
        sessions=FakeSessions(conversations, spans, ledger, lambda id: pseudonym(keys, id)),
        people=People(engine),
        budgets=Budgets(engine),
        approvals=Approvals(engine, ledger),
        exceptions=Exceptions(engine, ledger),
        feedback=Feedback(engine, ledger),
        comparisons=Comparisons(engine),
        checkpoint_file=home / "checkpoints.jsonl",
    )
    house.catalog.keys_of = partial(audience_keys, cast(Any, house))
    return house


@contextmanager
def provided_house(home: Path) -> Iterator[House]:
    """A house whose people sign in elsewhere, as `ui.wiring` opens it when settings name an issuer;
    closed at the end."""
    house = open_house(home)
    house.identity = Identity(house.engine, house.keys, house.people, host="0.0.0.0", provider=True)
    yield house
    house.close()
