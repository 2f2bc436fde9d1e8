"""What one conversation may read: the agent's own knowledge, and the files given to it.

A file is decided on, recorded, read inside the seal, masked, and only then indexed. What an agent
knows is masked with a vault of the agent's own, so that one conversation's placeholders never leak
into another: passages are put back and masked again for the conversation that asks.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

from agents.catalog import sample_path, templates
from agents.files import AgentFiles, Reads, content_scope, sample_digest
from agents.knowledge.documents import FROZEN
from agents.knowledge.frozen import documents_of
from agents.knowledge.ingest import Knowledge
from agents.knowledge.reading import Library
from agents.spec import AgentSpec
from agents.tools.base import Executed, Outside, Passage, Tool, ToolContext
from guardrails.actor import Actor
from guardrails.audit.ledger import Ledger
from guardrails.errors import BadInput, GuardrailError
from guardrails.findings import Finding
from guardrails.policy.engine import Engine, Request
from guardrails.screen import DEFAULT, Screen
from guardrails.vault import Vault
from sandbox.broker.recorded import recorded
from sandbox.broker.run import Run
from sandbox.execute import execute
from sandbox.media import PROGRAMS, media_type
from sandbox.pool import Pool
from sandbox.uploads import Uploads
from sandbox.vaults import Vaults

KNOWLEDGE_OWNER = "system"


@dataclass(frozen=True)
class Readable:
    """`Documents` for one turn, every text masked with the conversation's vault."""

    given: Library
    known: Library
    agent_vault: Vault
    vault: Vault
    screen: Screen
    sample: bool = False  # what the agent knows is sample data: a person's own file replaces it

    def names(self) -> list[str]:
        """The agent's documents, then the person's."""
        known = [] if self._aside else [self._named(one) for one in self._known]
        return list(dict.fromkeys([*known, *self._given]))

    # a turn takes files in before it asks what there is, and never after
    @cached_property
    def _given(self) -> list[str]:
        return self.given.names()

    @cached_property
    def _known(self) -> list[str]:
        return self.known.names()

    @property
    def _aside(self) -> bool:
        return self.sample and bool(self._given)

    def search(self, query: str, k: int = 5) -> list[Passage]:
        """The best passages of both, best first."""
        hits = [] if self._aside else self.known.search(query, k)
        known = [self._converted(passage) for passage in hits]
        found = [*self.given.search(query, k), *known]
        return sorted(found, key=lambda passage: -passage.score)[:k]

    def text(self, name: str) -> str | None:
        """All masked text of one document; a given one hides a known one of the same name."""
        own = self.given.text(name)
        if own is not None:
            return own
        real = next((one for one in self._known if name in (one, self._named(one))), name)
        known = self.known.text(real)
        return None if known is None else self._masked(known)

    def _converted(self, passage: Passage) -> Passage:
        document = self._named(passage.document)
        return replace(passage, document=document, text=self._masked(passage.text))

    def _named(self, name: str) -> str:
        """A document's name as the model may see it: it may be a person's."""
        return self.screen.text(name, self.vault, provenance="document").text

    def _masked(self, text: str) -> str:
        raw = self.agent_vault.restore(text)
        return self.screen.text(raw, self.vault, provenance="document").text


@dataclass(frozen=True)
class Opened:
    """What an agent has and a person may read of it, as a turn finds it at its beginning."""

    reads: Reads
    vault: Vault  # the agent's own
    added: Mapping[str, Tool]
    off: frozenset[str]
    withheld: int  # documents of the agent that the person may not read
    scopes: Mapping[str, tuple[str, bool]]  # knowledge -> its scope, and whether that is read in


def keys_of(actor: Actor | None) -> frozenset[str] | None:
    """What a document's `readers` are compared with; None reads everything."""
    if actor is None:
        return None
    keys = {f"person:{actor.id}"}
    if actor.department:
        keys.add(f"department:{actor.department}")
    return frozenset(keys)


class AddedTools(Protocol):
    """What administrators added and switched off; see sandbox.broker.sources.ToolSources."""

    def added(self) -> Mapping[str, Tool]: ...
    def off(self) -> frozenset[str]: ...


@dataclass
class Attachments:
    """Takes files in and opens them for a turn."""

    knowledge: Knowledge
    pool: Pool
    policy: Engine
    ledger: Ledger
    screen: Screen
    uploads: Uploads
    vaults: Vaults
    outside: Outside | None = None
    sources: AddedTools | None = None
    files: AgentFiles | None = None

    async def take_in(self, run: Run, name: str, data: bytes) -> None:
        """Read one file into the conversation of `run`.

        Raises GuardrailError("file-refused") with the rule, BadInput for a file that cannot be
        read, ScreenFailed and LedgerUnavailable; nothing of it is kept then.
        """
        kind = media_type(name, data)
        if kind in PROGRAMS:  # whatever it is called: said before any rule, and more clearly
            raise BadInput("file-executable", name=name)
        decision = self.policy.decide(
            Request(
                action="file.in",
                actor=run.actor,
                agent=run.agent.id,
                data_class=run.agent.data_class,
                file_type=kind,
                file_bytes=len(data),
                exceptions=run.lifted,
            )
        )
        shown = await asyncio.to_thread(self.screen.text, name, run.vault)
        act = run.act("file.in", decision.rule, decision.outcome, name=shown.text, size=len(data))
        if decision.outcome != "allow":
            await self.ledger.arecord(act)
            run.judge("blocked", decision.rule)
            raise GuardrailError("file-refused", rule=decision.rule)
        with run.step("guardrail", "file-check", "guardrail file") as step:
            step.rule = decision.rule
            found: list[Finding] = []
            async with recorded(self.ledger, act):
                place = run.root or run.conversation
                document = await self.knowledge.add(
                    _conversation(place),
                    run.actor.id,
                    shown.text,  # a file's name may be a person's
                    data,
                    lambda texts: self.mask(texts, run.vault, found),
                )
                try:
                    await asyncio.to_thread(
                        self.uploads.keep_upload, place, run.actor.id, name, data
                    )
                except GuardrailError:  # refused after all: its text must not answer either
                    await asyncio.to_thread(self.knowledge.remove, _conversation(place), shown.text)
                    raise
            run.saw(tuple(found))
            if document.hidden:
                step.verdict = "flagged"
                run.notice("flagged", "notice.hidden-text", n=document.hidden)
            hidden = [one.kind for one in found if DEFAULT.action(one.kind) != "allow"]
            hidden = [kind for kind in hidden if kind != "INJECTION"]
            if any(one.kind == "INJECTION" for one in found):
                step.verdict = "flagged"
                run.notice("flagged", "notice.untrusted-instructions")
            elif hidden:
                step.verdict = "masked"
            if hidden:
                told = sorted(set(hidden))
                run.notice("masked", "notice.masked-file", n=len(hidden), kinds=told)
            step.detail["result"] = f"{document.passages} passages"
            step.words["kinds"] = sorted({one.kind for one in found})

    async def context(
        self,
        conversation: str,
        agent: AgentSpec,
        vault: Vault,
        language: str,
        actor: Actor | None = None,
        opened: Opened | None = None,
    ) -> ToolContext:
        """What the tools of one turn may touch, as far as `actor` may read it.

        Reads the agent's knowledge in on first use. `opened` is what `open` said just now.
        """
        if opened is None:
            opened = await asyncio.to_thread(self.open, agent, language, actor)
        reads, agent_vault = opened.reads, opened.vault
        for name, (scope, held) in opened.scopes.items():
            if not held:
                await self.knowledge.add(
                    scope,
                    KNOWLEDGE_OWNER,
                    Path(name).name,
                    await asyncio.to_thread(self._own, reads, name),
                    lambda texts: self.mask(texts, agent_vault),
                )
        known = [scope for scope, _held in opened.scopes.values()]
        readable = Readable(
            self.knowledge.open(_conversation(conversation)),
            self.knowledge.open(*known, _given(reads), who=keys_of(actor)),
            agent_vault,
            vault,
            self.screen,
            sample=agent.id in templates(),
        )

        async def run_python(code: str, _files: Mapping[str, Path]) -> Executed:
            files = await asyncio.to_thread(self.uploads.uploads, conversation)
            return await execute(self.pool, code, files=files)

        return ToolContext(
            language,
            readable,
            execute=run_python,
            outside=self.outside,
            added=opened.added,
            off=opened.off,
            person=actor.id if actor else "",
        )

    def open(self, agent: AgentSpec, language: str, actor: Actor | None) -> Opened:
        """Look what there is, all at once: it costs less than the way to a thread and back."""
        reads = self._reads(agent, actor)
        scopes = {}
        for name in agent.knowledge_for(language):
            # by its content: versions and languages that read the same share it
            scope = content_scope(reads.source, name, self._digest(reads, name))
            scopes[name] = scope, self.knowledge.holds(scope)
        who = keys_of(actor)
        withheld = 0 if who is None else self.knowledge.withheld([_given(reads)], who)
        vault = self.vaults.open(f"agent:{reads.source}")
        if self.sources is None:
            return Opened(reads, vault, {}, frozenset(), withheld, scopes)
        added, off = self.sources.added(), self.sources.off()
        return Opened(reads, vault, added, off, withheld, scopes)

    def _reads(self, agent: AgentSpec, actor: Actor | None) -> Reads:
        if self.files is None or agent.id in templates():
            return Reads(agent.id)
        return self.files.reads(agent.id, agent.version, actor.id if actor else "")

    def _digest(self, reads: Reads, name: str) -> str:
        return self.files.digest(reads, name) if self.files else sample_digest(name)

    def _own(self, reads: Reads, name: str) -> bytes | Path:
        return self.files.open(reads, name) if self.files else sample_path(name)

    def forget(self, conversation: str) -> None:
        """Remove what was read in this conversation."""
        self.knowledge.remove(_conversation(conversation))

    def mask(
        self, texts: Sequence[str], vault: Vault, found: list[Finding] | None = None
    ) -> list[str]:
        """The texts as a model may see them, in order; findings are added to `found`."""
        masked = []
        for text in texts:
            screened = self.screen.text(text, vault, provenance="document")
            if found is not None:
                found.extend(screened.findings)
            masked.append(screened.text)
        return masked


def _conversation(id: str) -> str:
    return f"conversation:{id}"


def _given(reads: Reads) -> str:
    return FROZEN + reads.holder if reads.holder else documents_of(reads.source)
