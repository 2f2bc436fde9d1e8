"""Everything outbound takes one door: made-up personal data goes in on every path, and is looked
for wherever something leaves the machine, is kept, or is shown to somebody else.

The whole product with a scripted model. One story, told once; each test then looks at one place.
"""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import sqlalchemy as sa

from tests.ui.canaries import around, shown
from tests.ui.canary_story import OTHERS, Story, telling
from tests.ui.test_cli import atelier

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def story(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Story]:
    """Told once: about ten seconds."""
    async with telling(tmp_path_factory.mktemp("home")) as told:
        yield told


async def test_nothing_of_it_reaches_the_model(story: Story) -> None:
    assert len(story.sent) > 12
    said = b"\n".join(story.sent)
    assert shown(said) == [], around(said)
    assert b"<PERSON_1>" in said and b"<IBAN_CODE_1>" in said


# where the store holds texts as they were typed, and why
AS_TYPED = {
    ("agent_versions", "spec"): "a draft is its author's own; the check reads it before others do",
    ("publish_requests", "spec"): "a reviewer has to read what they judge; the check flagged it",
    (
        "agent_releases",
        "spec",
    ): "for the audience; a reviewer approved it as flagged",
    ("knowledge_documents", "name"): "its owner's list; the model and the record get it masked",
    ("publish_requests", "documents"): "a reviewer has to know them; the check flagged it",
    ("publish_requests", "evidence"): "the same",
    ("agent_releases", "documents"): "the same, approved",
}
# who reads on purpose what ana wrote, and why
AGENT_PAGES = (
    "the texts of a published agent and of a request, for its audience and its reviewer: flagged",
    {"public", "filed"},
    re.compile(
        r"/(?:en/(?:compare|impact|conversations|playground|publish|published|evaluation|audit"
        r"|exports|retention)?|api/v1/(?:agents.*|requests/.*|published))(?:\?.*)?$"
    ),
)


async def test_nothing_of_it_is_kept_readably(story: Story) -> None:
    app = story.house.app

    def look() -> tuple[list[tuple[str, list[str]]], set[tuple[str, str, str]]]:
        files = [file for file in app.settings.home.rglob("*") if file.is_file()]
        found = [(file.name, shown(file.read_bytes())) for file in files]
        found += [("name of a file", shown(str(file))) for file in files]
        columns = set()
        tables = sa.MetaData()
        tables.reflect(app.engine)
        with app.engine.connect() as db:
            for table in tables.tables.values():
                for row in db.execute(sa.select(table)).mappings():
                    for name, value in row.items():
                        data = value if isinstance(value, bytes) else str(value)
                        columns |= {(table.name, str(name), one) for one in shown(data)}
        return found, columns

    found, columns = await asyncio.to_thread(look)
    typed = {"draft", "public", "token", "filed"}  # what people wrote into drafts
    assert [(name, set(held) - typed) for name, held in found if set(held) - typed] == []
    # no other place, and no place of the list in vain
    assert {one[:2] for one in columns} == set(AS_TYPED), columns


async def test_nothing_of_it_is_in_exports_alerts_spans_and_mails(story: Story) -> None:
    assert set(story.exported) == {"ocsf", "csv", "otlp"}
    for kind, data in story.exported.items():
        assert len(data) > 500 and shown(data) == [], (kind, around(data))
    paths = {path for path, _ in story.receiver.posted}
    assert {"/alert", "/v1/traces"} <= paths and story.receiver.mails
    for path, data in story.receiver.posted:
        assert shown(data) == [], (path, around(data))
    for data in story.receiver.mails:
        assert shown(data) == [], around(data)


async def test_nothing_of_it_is_in_metrics_status_logs_and_refusals(story: Story) -> None:
    web = story.web["adm"]
    told = [(await web.get(f"/api/v1/{path}")).text for path in ("metrics", "status", "health")]
    assert "atelier_turn_seconds" in told[0]
    logged = story.log.said
    for text in (*told, *logged, story.printed.getvalue()):
        assert shown(text) == [], around(text)
    for text in story.refusals:
        # that one repeats the login which its own asker typed
        assert shown(text) == [] or "no-such-colleague" in text, around(text)


async def test_nothing_of_it_is_printed_on_the_command_line(story: Story) -> None:
    home = story.house.app.settings.home
    for words in (
        ["audit", "list"],
        ["audit", "list", "--json", "--limit", "200"],
        ["audit", "show", story.ids["trace_id"]],
        ["audit", "show", story.ids["trace_id"], "--json"],
    ):
        done = await asyncio.to_thread(atelier, home, *words)
        assert done.returncode == 0 and "PERSON_1" in done.stdout, done
        assert shown(done.stdout + done.stderr) == [], (words, around(done.stdout + done.stderr))


async def test_nothing_of_it_is_shown_to_others(story: Story) -> None:
    _, known, where = AGENT_PAGES
    met = {}
    for (_, who, path), text in story.seen.items():
        for name in shown(text):
            if name in known and where.match(path):
                continue
            met[who, name, path] = around(text)
    assert met == {}
    titles = [re.findall("<title>(.*?)</title>", text) for text in story.seen.values()]
    assert sum(map(bool, titles)) > 100 and shown(str(titles)) == []
    for one in OTHERS:  # they did see something
        answers = [text for (_, who, _), text in story.seen.items() if who == one]
        assert sum(text.startswith("200 ") for text in answers) > 30, one


async def test_what_others_will_read_is_flagged_before_they_do(story: Story) -> None:
    fields = {"title.en", "purpose.en", "instructions.en", "starters.en", "cases.case-1"}
    assert {name for name in fields if story.personal[name]["PERSON"]} == fields
    # the name of its document, and what stands in it: readers of a source see real values
    assert story.personal["knowledge"] == {"PERSON": 1}
    inside = {"PERSON": 1, "EMAIL_ADDRESS": 1, "IBAN_CODE": 1, "FR_NIR": 1}
    assert story.personal["documents"] == inside
    assert {"name", "iban", "filed"} <= set(shown(story.told))
    page = story.seen["page", "chi", f"/en/publish?request={story.ids['request']}"]
    assert "Content of its documents: " in page
