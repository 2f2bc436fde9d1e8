"""The documents of one agent: taken in at its owner's word, read in the background, resumed.

Every file is decided on and recorded like a file in a conversation. What is being read lies
encrypted among the uploads until it is indexed, so that a killed server can go on with it.
"""

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from agents.knowledge.documents import EVERYONE, Document
from agents.knowledge.frozen import documents_of
from guardrails.actor import Actor
from guardrails.audit.ledger import Act
from guardrails.errors import BadInput, GuardrailError
from guardrails.policy.engine import Request
from sandbox.attachments import Attachments
from sandbox.broker.recorded import recorded
from sandbox.media import PROGRAMS, media_type

log = logging.getLogger(__name__)
MOST = 200  # documents of one agent


@dataclass
class Reading:
    """A file under way. `total` is 0 until it is parsed."""

    name: str
    readers: tuple[str, ...]
    done: int = 0
    total: int = 0


@dataclass
class AgentKnowledge:
    """`attachments` reads and masks. One file is read at a time: embedding takes all cores."""

    attachments: Attachments
    under_way: dict[tuple[str, str], Reading] = field(default_factory=dict)
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def add(
        self,
        agent: str,
        data_class: str,
        actor: Actor,
        name: str,
        data: bytes,
        readers: Sequence[str] = EVERYONE,
    ) -> None:
        """Take one file in and go on in the background. The caller has checked whose agent it is.

        Raises GuardrailError("file-refused") with the rule, BadInput, LedgerUnavailable.
        """
        kind = media_type(name, data)
        if kind in PROGRAMS:
            raise BadInput("file-executable", name=name)
        scope = documents_of(agent)
        listed = await asyncio.to_thread(self.attachments.knowledge.listing, scope)
        if len({one.name for one in listed} | {name}) > MOST:
            raise BadInput("too-many-documents", most=MOST)
        request = Request(
            "file.in", actor, agent=agent, data_class=data_class, file_type=kind,
            file_bytes=len(data),
        )  # fmt: skip
        decision = self.attachments.policy.decide(request)
        act = Act(
            "knowledge.add", actor.id, agent=agent, verdict=decision.outcome, rule=decision.rule,
            payload={"size": len(data), "media_type": kind, "readers": len(readers)},
        )  # fmt: skip
        if decision.outcome != "allow":
            await self.attachments.ledger.arecord(act)
            raise GuardrailError("file-refused", rule=decision.rule)
        place = _place(agent, name)
        uploads = self.attachments.uploads
        await asyncio.to_thread(uploads.forget, place)
        await asyncio.to_thread(uploads.keep_upload, place, actor.id, name, data)
        self._start(agent, actor.id, name, data, tuple(readers), act)

    def resume(self) -> int:
        """Go on with what a killed server left half read; how many."""
        self.attachments.knowledge.resume()
        found = 0
        for scope, document in self.attachments.knowledge.unfinished():
            if not (scope.startswith("agent:") and scope.endswith(":docs")):
                continue
            agent = scope.removeprefix("agent:").removesuffix(":docs")
            if (agent, document.name) in self.under_way:
                continue
            kept = self.attachments.uploads.uploads(_place(agent, document.name))
            if document.name in kept:
                act = Act("knowledge.add", document.owner, agent=agent, rule="resumed")
                self._start(
                    agent, document.owner, document.name, kept[document.name],
                    document.readers, act,
                )  # fmt: skip
                found += 1
        return found

    async def remove(
        self, agent: str, actor: Actor, document: int, *, everywhere: bool = False
    ) -> None:
        """Forget one document. A version that was asked for goes on reading it, unless it is to
        go `everywhere`: then it is gone from those too, and they have to be looked at again.

        Raises BadInput("document-not-found").
        """
        scope = documents_of(agent)
        rows = await asyncio.to_thread(self.attachments.knowledge.listing, scope)
        name = next((one.name for one in rows if one.id == document), None)
        act = Act("knowledge.remove", actor.id, agent=agent, payload={"document": document})
        if everywhere:
            act = replace(act, kind="knowledge.erase")
            old = await asyncio.to_thread(self.attachments.knowledge.aside, agent)
            name = name or next((one.name for one in old if one.id == document), None)
        if name is None:
            raise BadInput("document-not-found")
        async with recorded(self.attachments.ledger, act):
            if everywhere:
                await asyncio.to_thread(self.attachments.knowledge.erase, agent, document)
            else:
                await asyncio.to_thread(self.attachments.knowledge.remove, scope, name)
            await asyncio.to_thread(self.attachments.uploads.forget, _place(agent, name))

    def rows(self, agent: str) -> list[Document]:
        """Every document, those under way included."""
        return self.attachments.knowledge.listing(documents_of(agent))

    def waiting(self, agent: str) -> list[Reading]:
        """Files that have no row yet, oldest first."""
        known = {one.name for one in self.rows(agent)}
        return [
            one
            for (owner, _), one in self.under_way.items()
            if owner == agent and one.name not in known
        ]

    def progress(self, agent: str, name: str) -> float | None:
        """0..1 while passages are being indexed, None while the file is still parsed."""
        reading = self.under_way.get((agent, name))
        return reading.done / reading.total if reading and reading.total else None

    async def stop(self, agent: str) -> None:
        """Stop reading for an agent that goes away."""
        places = {_place(agent, name) for owner, name in self.under_way if owner == agent}
        tasks = [task for task in self._tasks if task.get_name() in places]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for place in places:
            await asyncio.to_thread(self.attachments.uploads.forget, place)

    def forget(self, agent: str) -> None:
        """Forget every document of an agent and the values masked in them. After `stop`."""
        house = self.attachments
        for one in self.rows(agent):
            house.uploads.forget(_place(agent, one.name))
        house.knowledge.erase(agent)
        house.vaults.forget(f"agent:{agent}")

    async def settled(self) -> None:
        """Wait until nothing is under way."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def close(self) -> None:
        """Stop; what was under way goes on at the next start."""
        for task in self._tasks:
            task.cancel()
        await self.settled()
        await asyncio.to_thread(self.attachments.knowledge.close)

    def _start(
        self, agent: str, owner: str, name: str, data: bytes, readers: tuple[str, ...], act: Act
    ) -> None:
        self.under_way[(agent, name)] = Reading(name, readers)
        reading = self._read(agent, owner, name, data, readers, act)
        task = asyncio.create_task(reading, name=_place(agent, name))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _read(
        self, agent: str, owner: str, name: str, data: bytes, readers: tuple[str, ...], act: Act
    ) -> None:
        house, reading = self.attachments, self.under_way[(agent, name)]
        scope, over = documents_of(agent), True

        def progress(done: int, total: int) -> None:
            reading.done, reading.total = done, total

        try:
            vault = await asyncio.to_thread(house.vaults.open, f"agent:{agent}")
            async with self._turn, recorded(house.ledger, act):
                await house.knowledge.add(
                    scope, owner, name, data, lambda texts: house.mask(texts, vault),
                    progress, readers,
                )  # fmt: skip
        except GuardrailError as error:
            await asyncio.to_thread(house.knowledge.failed, scope, owner, name, error.code)
        except asyncio.CancelledError:
            over = False  # the server stops: the file stays for the next start
            raise
        except Exception as error:
            # a bug must not leave a document that reads for ever; the error's text may be content
            log.error("a document was not indexed", extra={"error": type(error).__name__})
            await asyncio.to_thread(house.knowledge.failed, scope, owner, name, "internal")
        finally:
            self.under_way.pop((agent, name), None)
            if over:
                await asyncio.to_thread(house.uploads.forget, _place(agent, name))


def _place(agent: str, name: str) -> str:
    """Where a file lies while it is read: uploads are kept by conversation."""
    return "c_" + hashlib.sha256(f"{agent}\0{name}".encode()).hexdigest()[:20]
