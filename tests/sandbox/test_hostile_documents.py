"""Two hundred malformed, hostile or bomb-like documents and packages: none crashes or stays."""

import io
import random
import zipfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from agents.catalog import SAMPLES, sample_path, templates
from agents.knowledge.parse import CODES
from agents.package import export_agent, import_agent
from agents.tools.registry import TOOLS
from guardrails.errors import BadInput
from sandbox.execute import parse
from sandbox.launch.choose import choose
from sandbox.pool import Pool

pytestmark = pytest.mark.asyncio(loop_scope="module")
KINDS = (".pdf", ".docx", ".xlsx", ".eml", ".md", ".csv")
# why a document was not read, when it is no code of the parser: the seal ended it
ENDED = {"timeout", "memory", "killed", "MemoryError", "error"}


def documents(count: int) -> Iterator[tuple[str, bytes]]:
    """Bombs and nonsense first, then samples with bytes changed, cut, doubled and swapped."""
    yield from _bombs()
    dice = random.Random(2026)  # noqa: S311
    samples = [path for path in sorted(SAMPLES.rglob("*.*")) if path.suffix in KINDS]
    for number in range(count - len(list(_bombs()))):
        path = dice.choice(samples)
        data = bytearray(path.read_bytes())
        for _ in range(dice.choice((1, 8, 64, 400))):
            data[dice.randrange(len(data))] = dice.randrange(256)
        match number % 5:
            case 0:
                data = data[: dice.randrange(1, len(data))]
            case 1:
                data += data[: dice.randrange(len(data))]
            case 2:
                at = dice.randrange(len(data))
                data[at:at] = dice.randbytes(dice.randrange(2000))
        ending = dice.choice(KINDS) if number % 7 == 0 else path.suffix
        yield f"d{number}{ending}", bytes(data)


def _bombs() -> Iterator[tuple[str, bytes]]:
    yield "nul.txt", bytes(100_000)
    yield "deep.html", b"<div>" * 200_000
    yield "attributes.html", b"<p " + b"a=b " * 200_000 + b">x"
    yield "line.txt", b"a" * 3_900_000
    yield "lines.csv", b'"' * 500_000
    yield "columns.csv", b"," * 1_000_000
    yield (
        "mail.eml",
        b"From: a\nContent-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\n" * 50_000,
    )
    nested = b"Content-Type: message/rfc822\n\n" * 3_000
    yield "nested.eml", b"From: a\n" + nested
    yield (
        "loop.pdf",
        (
            b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
            b"2 0 obj<</Type/Pages/Kids[2 0 R]/Count 1>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
        ),
    )
    yield (
        "count.pdf",
        (
            b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
            b"2 0 obj<</Type/Pages/Kids[]/Count 99999999>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
        ),
    )
    for name, member, body in (
        ("bomb.docx", "word/document.xml", b"<w>" + b" " * 190_000_000),
        ("laughs.pptx", "ppt/slides/slide1.xml", _laughs()),
        ("laughs.docx", "word/document.xml", _laughs()),
        ("laughs.xlsx", "xl/workbook.xml", _laughs()),
        ("deep.docx", "word/document.xml", b"<a>" * 100_000),
    ):
        extra = {"ppt/presentation.xml": b"<p/>"} if name.endswith("pptx") else {}
        yield name, _zip({member: body, **extra})
    yield "paths.docx", _zip({"../../word/document.xml": b"<w/>", "word/document.xml": b"<w/>"})
    yield "many.xlsx", _zip({f"xl/{n}": b"" for n in range(6000)} | {"xl/workbook.xml": b"<w/>"})


def _laughs() -> bytes:
    lines = ['<!DOCTYPE l [<!ENTITY a0 "ha">']
    lines += [f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12)]
    return "".join([*lines, "]><l>&a11;</l>"]).encode()


def _zip(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, data in members.items():
            pack.writestr(name, data)
    return out.getvalue()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pool]:
    home = tmp_path_factory.mktemp("hostile")
    pool = Pool(choose(False, home), {"data": 2}, runs=home / "runs")
    await pool.start()
    yield pool
    await pool.close()
    assert not any((home / "runs").iterdir())  # every run's folder is gone


async def _read(pool: Pool, name: str, data: bytes) -> str:
    try:
        parts = await parse(pool, name, data)
    except BadInput as error:
        why = str(error.data.get("why", ""))
        assert why in CODES or why in ENDED, (name, why)
        return why
    assert all(isinstance(part["text"], str) for part in parts)
    return "read"


async def test_bombs_are_refused_inside_the_seal(pool: Pool) -> None:
    ended = {name: await _read(pool, name, data) for name, data in _bombs()}
    assert ended["line.txt"] == "read"  # long, and harmless
    for name in ("bomb.docx", "laughs.pptx", "laughs.docx", "laughs.xlsx", "many.xlsx", "nul.txt"):
        assert ended[name] != "read", name


@pytest.mark.heavy
@pytest.mark.timeout(900)
async def test_two_hundred_documents_end_in_words_and_leave_nothing(pool: Pool) -> None:
    ends = [await _read(pool, name, data) for name, data in documents(200)]
    assert len(ends) == 200
    assert "internal" not in ends and set(ends) & {"read"} and set(ends) - {"read"}


def packages(count: int) -> Iterator[bytes]:
    """A good package with bytes changed, cut, repacked; and packages made to harm."""
    good = export_agent(
        templates()["meeting-summariser"], lambda name: sample_path(name).read_bytes()
    )
    dice = random.Random(7)  # noqa: S311
    with zipfile.ZipFile(io.BytesIO(good)) as pack:
        members = {name: pack.read(name) for name in pack.namelist()}
    for number in range(count):
        data = bytearray(good)
        match number % 5:
            case 0:
                for _ in range(dice.choice((1, 10, 100))):
                    data[dice.randrange(len(data))] = dice.randrange(256)
                yield bytes(data)
            case 1:
                yield bytes(data[: dice.randrange(len(data))])
            case 2:
                name = dice.choice(sorted(members))
                bent = bytearray(members[name])
                bent[dice.randrange(len(bent))] ^= 1 + dice.randrange(255)
                yield _zip({**members, name: bytes(bent)})
            case 3:
                evil = dice.choice(
                    ("../x", "/etc/x", "files/../../x", "C:\\x", "files/a\0b", "a" * 900)
                )
                yield _zip({**members, evil: b"x"})
            case _:
                body = dice.choice((b" " * 15_000_000, b"{" * 100_000, b"a: &a [*a,*a]\n", b"\xff"))
                yield _zip({**members, dice.choice(("agent.yaml", "manifest.json")): body})


async def test_hundred_hostile_packages_are_refused_and_leave_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    refused = 0
    for data in packages(100):
        try:
            import_agent(
                data, tools=frozenset(TOOLS), has_secret=lambda _: False, suspicious=lambda _: False
            )
        except BadInput as error:
            refused += 1
            assert error.code
    # a changed byte in a place that no reader looks at leaves the package whole
    assert refused >= 90 and list(tmp_path.iterdir()) == []
