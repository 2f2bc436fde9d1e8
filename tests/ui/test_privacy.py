"""What a person may know, take away and have erased, with everything real but the model."""

import io
import json
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from guardrails.actor import Actor
from guardrails.errors import NotPermitted
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
