"""What a version reads is what was there when it was asked for, kept once and erased when asked."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from agents.catalog import Catalog
from agents.files import AgentFiles, content_scope
from agents.knowledge.documents import FROZEN
from agents.knowledge.frozen import documents_of
from agents.knowledge.ingest import Knowledge
from agents.knowledge.tables import documents, passages
from agents.publishing import Publishing
from agents.publishing_tables import contents
from agents.versions import version_hash
from guardrails.audit.ledger import Ledger
from guardrails.errors import BadInput
from guardrails.migrate import upgrade
from guardrails.policy.engine import Engine
from guardrails.screen import Screen
from guardrails.store import open_engine
from tests.agents.knowledge.test_knowledge import Letters, read
from tests.agents.test_publishing import ANA, CHI, KEYS, keys_of, secrets


class Bench:
    """Publishing with real documents."""

    def __init__(self, home: Path) -> None:
        self.engine = open_engine(f"sqlite:///{home / 'store.db'}")
        upgrade(self.engine)
        self.ledger = Ledger(self.engine, KEYS)
        self.catalog = Catalog(self.engine, keys_of=keys_of)
        self.files = AgentFiles(self.engine, KEYS)
        self.embedder = Letters()
        self.knowledge = Knowledge(self.engine, read, self.embedder)
        screen = Screen(lambda text, language: [], secrets, lambda text, provenance: 0.0)
        self.publishing = Publishing(
            self.engine, self.catalog, self.ledger, Engine(), screen, self.files
        )
        record = self.catalog.from_template("email-drafter", ANA.id)
        self.agent = self.catalog.save(record.spec, ANA.id).id

    async def upload(self, text: str, name: str = "leave.md") -> None:
        await self.knowledge.add(
            documents_of(self.agent), ANA.id, name, text.encode(), lambda texts: list(texts)
        )

    def ask(self) -> str:
        request = self.publishing.request(self.agent, ANA, audience="everyone")
        return self.publishing.collected(request.id, {"model": "practice"}).id

    def publish(self) -> str:
        return self.publishing.approve(self.ask(), CHI).version

    def read_by(self, person: str) -> list[str | None]:
        """The text of `leave.md` as one person's turns of the agent see it."""
        spec = self.catalog.get(self.agent, person).spec
        reads = self.files.reads(self.agent, spec.version, person)
        scope = FROZEN + reads.holder if reads.holder else documents_of(reads.source)
        library = self.knowledge.open(scope)
        return [library.text(name) for name in library.names()]

    def rows(self, table: sa.Table) -> int:
        with self.engine.connect() as db:
            return int(db.scalar(sa.select(sa.func.count()).select_from(table)) or 0)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.knowledge.close()
    made.ledger.close()
    made.engine.dispose()


async def test_colleagues_read_what_was_approved_until_the_new_one_is(bench: Bench) -> None:
    await bench.upload("Six days may be carried over.")
    bench.publish()
    await bench.upload("Eight days may be carried over.")
    assert bench.read_by("dan") == ["Six days may be carried over."]
    assert bench.read_by("ana") == ["Eight days may be carried over."]
    (again,) = bench.publishing.reopen()
    assert again.changed == ("documents",) and bench.publishing.reopen() == []
    await bench.upload("Nine days may be carried over.")  # after it was asked for: not looked at
    bench.publishing.approve(again.id, CHI)
    assert bench.read_by("dan") == ["Eight days may be carried over."]
    bench.publishing.rollback(bench.agent, "1.0.0", ANA)
    assert bench.read_by("dan") == ["Six days may be carried over."]


async def test_unchanged_documents_are_shared_by_every_version(bench: Bench) -> None:
    await bench.upload("Six days.")
    await bench.upload("Never changes.", "rules.md")
    bench.publish()
    for number in range(3):
        await bench.upload(f"{number} days.")
        bench.publish()
    # four versions of one, one of the other
    assert bench.rows(documents) == bench.rows(passages) == 5
    before = bench.embedder.calls
    await bench.upload("Six days.")
    assert bench.embedder.calls == before  # an earlier content comes back as it was
    assert bench.read_by("ana")[-1] == "Six days." or bench.read_by("ana")[0] == "Six days."


async def test_a_versions_hash_covers_its_documents(bench: Bench) -> None:
    await bench.upload("Six days.")
    first = bench.publishing.get(bench.ask())
    await bench.upload("Eight days.")
    second = bench.publishing.get(bench.ask())
    assert first.spec == second.spec and first.hash != second.hash
    assert second.hash == version_hash(second.spec, second.documents)
    assert version_hash(second.spec, {}) == second.spec.content_hash()


async def test_what_comes_to_nothing_holds_nothing(bench: Bench) -> None:
    await bench.upload("Six days.")
    first = bench.ask()
    await bench.upload("Eight days.")
    assert bench.rows(documents) == 2
    second = bench.ask()  # takes the place of the first
    assert bench.rows(documents) == 1 and bench.files.held(first) == {}
    bench.publishing.cancel(second, ANA)
    assert bench.files.held(second) == {}
    third = bench.ask()
    bench.publishing.send_back(third, CHI, "Not yet")
    assert bench.files.held(third) == {} and bench.rows(documents) == 1


async def test_a_document_can_be_erased_from_every_version(bench: Bench) -> None:
    await bench.upload("Six days.")
    bench.publish()
    await bench.upload("Eight days.")
    (old,) = bench.knowledge.aside(bench.agent)
    (shown,) = bench.files.uploads(bench.agent)
    assert (shown.id, shown.versions, shown.current) == (old.id, ("1.0.0",), False)
    assert bench.knowledge.erase(bench.agent, old.id) == 1
    assert bench.read_by("dan") == [] and bench.rows(passages) == 1
    with pytest.raises(BadInput, match="release-documents-gone"):
        bench.publishing.rollback(bench.agent, "1.0.0", ANA)


async def test_deleting_an_agent_leaves_nothing_of_its_documents(bench: Bench) -> None:
    await bench.upload("Six days.")
    bench.files.keep(bench.agent, {"a.md": b"one"})
    bench.publish()
    await bench.upload("Eight days.")
    bench.files.forget(bench.agent)
    assert [bench.rows(table) for table in (documents, passages, contents)] == [0, 0, 0]


async def test_files_of_a_spec_are_held_too_and_kept_once(bench: Bench) -> None:
    spec = bench.catalog.get(bench.agent, ANA.id).spec
    bench.catalog.save(spec.model_copy(update={"knowledge": ("a.md",)}), ANA.id)
    bench.files.keep(bench.agent, {"a.md": b"one"})
    bench.publish()
    held = bench.rows(contents)  # samples are held as well
    bench.files.keep(bench.agent, {"a.md": b"two"})
    mine, theirs = (bench.files.reads(bench.agent, "1.0.0", one) for one in ("ana", "dan"))
    assert bench.files.open(mine, "a.md") == b"two" and bench.files.open(theirs, "a.md") == b"one"
    scopes = [
        content_scope(bench.agent, "a.md", bench.files.digest(one, "a.md"))
        for one in (mine, theirs)
    ]
    assert len(set(scopes)) == 2 and bench.rows(contents) == held + 1
    bench.files.keep(bench.agent, {"a.md": b"one"})
    assert bench.rows(contents) == held and bench.files.open(theirs, "a.md") == b"one"


async def test_nothing_is_asked_for_while_a_document_is_being_read(bench: Bench) -> None:
    await bench.upload("Six days.")
    with bench.engine.begin() as db:
        db.execute(sa.update(documents).values(complete=False))
    with pytest.raises(BadInput, match="documents-reading"):
        bench.ask()
    assert bench.publishing.queue() == [] and bench.publishing.reopen() == []


async def test_what_names_a_document_that_is_not_there_is_not_asked_for(bench: Bench) -> None:
    spec = bench.catalog.get(bench.agent, ANA.id).spec
    case = spec.cases[0].model_copy(update={"files": ("gone.pdf",)})
    for change in ({"knowledge": ("gone.pdf",)}, {"cases": (case,)}):
        bench.catalog.save(spec.model_copy(update=change), ANA.id)
        with pytest.raises(BadInput, match="document-gone"):
            bench.ask()
    assert bench.publishing.queue() == []


async def test_who_may_no_longer_read_a_document_may_not_read_what_a_version_had_of_it(
    bench: Bench,
) -> None:
    await bench.upload("25 days")
    scope = FROZEN + bench.ask()
    dan = frozenset({"person:dan"})
    assert bench.knowledge.names([scope], dan) == ["leave.md"]
    place, mine = documents_of(bench.agent), ("person:ana",)
    await bench.knowledge.add(place, ANA.id, "leave.md", b"27 days", list, readers=mine)
    assert bench.knowledge.names([scope], dan) == []
    assert bench.knowledge.text([scope], "leave.md", frozenset(mine)) == "25 days"
    await bench.upload("28 days")  # wider again: what was there before stays as narrow as it was
    assert bench.knowledge.names([scope], dan) == []
