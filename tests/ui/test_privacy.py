"""What a person may know, take away and have erased, with everything real but the model."""

import io
import json
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from agents import publishing_tables
from agents.comparisons import Side, comparisons
from agents.feedback import reports
from guardrails.actor import Actor
from guardrails.errors import BadInput, NotPermitted
from guardrails.policy import tables
from tests.house import House, house
from tests.upstream import Say
from ui import privacy
from ui.identity import Person

ANN = Person("ann", "Ann", "", frozenset({"staff"}), "en")
BOB = Person("bob", "Bob", "", frozenset({"staff"}), "en")
TEXT = "Write to Claire Fontaine (claire.fontaine@example.com): room 12."


@pytest.fixture
async def product(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path / "home") as opened:
        opened.script(Say("Dear <PERSON_1>, room 12."))
        yield opened


async def test_what_is_kept_is_counted_for_its_owner_only(product: House) -> None:
    await product.send(Actor("ann"), TEXT)
    product.app.spans.flush()
    mine, theirs = privacy.kept(product.app, ANN), privacy.kept(product.app, BOB)
    assert (mine.conversations, mine.messages, mine.traces) == (1, 2, 1)
    assert mine.masked_values >= 2
    assert (theirs.conversations, theirs.messages, theirs.masked_values, theirs.traces) == (0,) * 4


async def test_the_export_holds_what_was_said_with_real_values(product: House) -> None:
    reply = await product.send(Actor("ann"), TEXT)
    with zipfile.ZipFile(io.BytesIO(privacy.export(product.app, ANN))) as packed:
        told = packed.read(f"conversations/{reply.conversation}.md").decode()
        about = json.loads(packed.read("about-me.json"))
    assert "Claire Fontaine" in told
    assert "Dear Claire Fontaine" in told
    assert about["pseudonym"].startswith("p_")
    with zipfile.ZipFile(io.BytesIO(privacy.export(product.app, BOB))) as packed:
        assert not [name for name in packed.namelist() if name.startswith("conversations/")]


async def test_erasure_leaves_no_word_and_the_ledger_still_verifies(product: House) -> None:
    await product.send(Actor("ann"), TEXT)
    await product.send(Actor("bob"), TEXT)
    assert privacy.erase(product.app, ANN) == 1
    after = privacy.kept(product.app, ANN)
    assert (after.conversations, after.messages, after.masked_values) == (0, 0, 0)
    assert privacy.kept(product.app, BOB).conversations == 1
    assert product.app.record.verify().ok


async def test_a_legal_hold_refuses_before_anything_is_touched(product: House) -> None:
    await product.send(Actor("ann"), TEXT)
    who = product.app.record.pseudonym("ann")
    product.app.record.retention.hold("person", who, by="sec", reason="Court order 12")
    with pytest.raises(NotPermitted, match="on-hold"):
        privacy.erase(product.app, ANN)
    assert privacy.kept(product.app, ANN).conversations == 1


def said_everywhere(product: House, person: str) -> None:
    """One row of each kind that a person leaves beside their conversations."""
    app, who = product.app, product.app.record.pseudonym(person)
    app.feedback.give(
        by=who, kind="wrong", note="my words", department="sales", agent="a", version="1.0.0",
        conversation="c1", message=2, trace_id="t1",
    )  # fmt: skip
    app.desk.opinions.rate("a", "1.0.0", who, 4)
    app.desk.opinions.report("a", "1.0.0", who, "wrong", "my words", "my words", "t1")
    app.desk.opinions.comment("rq-1", person, "a remark")
    app.comparisons.start(person, "my words", [Side("A", "a", "1.0.0", "", "c1")])
    app.approvals.ask(
        person=who, agent="a", action="email_send", payload={"to": "my words"}, rule="TL-03",
        conversation="c1",
    )  # fmt: skip
    app.exceptions.ask("DP-05", by=who, agent="a", reason="my words")
    with app.engine.begin() as db:
        run = {
            "id": f"ev-{person}", "agent": "a", "content": "x", "by": person, "role": "",
            "which": "own", "repeats": 1, "state": "done", "done": 1, "total": 1, "model": "m",
            "error": "", "started": datetime.now(UTC),
        }  # fmt: skip
        db.execute(sa.insert(publishing_tables.runs), run)
        result = {"run": run["id"], "case": "one", "number": 1, "passed": True}
        db.execute(sa.insert(publishing_tables.results), {**result, "detail": {"a": "my words"}})


PLACES = (
    reports, publishing_tables.ratings, publishing_tables.reports, publishing_tables.comments,
    comparisons, tables.approvals, tables.exceptions, publishing_tables.runs,
    publishing_tables.results,
)  # fmt: skip


def kept_anywhere(product: House) -> str:
    with product.app.engine.connect() as db:
        return json.dumps(
            [[list(row) for row in db.execute(sa.select(table))] for table in PLACES], default=str
        )


async def test_the_export_holds_what_was_said_beside_conversations(product: House) -> None:
    said_everywhere(product, "ann")
    said_everywhere(product, "bob")
    with zipfile.ZipFile(io.BytesIO(privacy.export(product.app, ANN))) as packed:
        for name in (
            "feedback", "ratings", "reports", "comments", "comparisons", "approvals", "exceptions",
            "evaluations", "evaluation-results",
        ):  # fmt: skip
            rows = json.loads(packed.read(f"{name}.json"))
            assert len(rows) == 1, name
            assert "bob" not in json.dumps(rows), name


async def test_erasure_covers_what_was_said_beside_conversations(product: House) -> None:
    said_everywhere(product, "ann")
    privacy.erase(product.app, ANN)
    left = kept_anywhere(product)
    assert "my words" not in left
    assert "ann" not in left
    assert product.app.record.pseudonym("ann") not in left
    assert product.app.approvals.waiting() == []
    # that there was a report stays, for whoever looks after the agent
    assert [each.person for each in product.app.desk.opinions.reports("a")] == ["erased"]
    assert product.app.record.verify().ok


async def test_erasure_leaves_what_others_said(product: House) -> None:
    said_everywhere(product, "bob")
    before = kept_anywhere(product)
    privacy.erase(product.app, ANN)
    assert kept_anywhere(product) == before


async def test_erasure_removes_drafts_and_leaves_an_agent_that_colleagues_use(
    product: House,
) -> None:
    app = product.app
    mine, live = (app.catalog.from_template("email-drafter", ANN.id).id for _ in range(2))
    app.desk.files.keep(mine, {"en/a.md": b"text"})
    request = app.desk.publishing.request(live, Actor(ANN.id, "", ANN.roles), audience="everyone")
    app.desk.publishing.collected(request.id, {"model": "x"})
    app.desk.publishing.approve(request.id, Actor("chi", "", frozenset({"champion"})), "")
    privacy.erase(app, ANN)
    assert [each.id for each in app.catalog.mine(ANN.id)] == [live]
    with pytest.raises(BadInput, match="no-such-sample"):
        app.desk.files.read(mine, "en/a.md")
