"""Whose values are: the conversation's owner, whoever opened its vault first."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from agents.conversations import Conversations
from guardrails.errors import VaultError
from guardrails.findings import Finding
from guardrails.migrate import upgrade
from guardrails.store import open_engine
from guardrails.vault_store import DAY_S, erase_owner, purge, vault_entries
from sandbox.vaults import Vaults

KEY = b"v" * 32
NAME = Finding(3, 18, "PERSON", 1.0, "test")
TEXT = "To Claire Fontaine"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    engine = open_engine(f"sqlite:///{tmp_path / 'a.db'}")
    upgrade(engine)
    yield engine
    engine.dispose()


def owners(engine: sa.Engine) -> list[tuple[str, bool]]:
    """(owner, whether the value is still there) of every entry."""
    with engine.connect() as db:
        rows = db.execute(sa.select(vault_entries.c.owner, vault_entries.c.value))
        return [(str(owner), value is not None) for owner, value in rows]


def vaults(engine: sa.Engine) -> Vaults:
    return Vaults(engine, KEY, lambda person: f"p_{person}")


@pytest.mark.parametrize("read_first", [True, False])
def test_what_a_vault_keeps_belongs_to_the_owner_whoever_opened_it(
    engine: sa.Engine, read_first: bool
) -> None:
    conversation = Conversations(engine).start("email-drafter", "ana")
    opened = vaults(engine)
    if read_first:  # a page that shows the conversation again after a restart
        opened.open(conversation).restore("nothing")
    opened.open(conversation, "" if read_first else "p_ana").mask(TEXT, [NAME])
    assert owners(engine) == [("p_ana", True)]
    assert erase_owner(engine, "p_ana") == 1


def test_what_an_agent_knows_keeps_its_names_and_a_conversation_does_not(
    engine: sa.Engine,
) -> None:
    for place in ("agent:old", "c1"):
        Vaults(engine, KEY).open(place).mask(TEXT, [NAME])
    with engine.begin() as db:
        db.execute(sa.update(vault_entries).values(expires=time.time() + 90 * DAY_S))
    Vaults(engine, KEY).open("agent:new").mask(TEXT, [NAME])
    vaults(engine).claim()  # what an earlier release kept with an end
    assert purge(engine, time.time() + 10 * 365 * DAY_S) == 1
    restored = [
        vaults(engine).open(one).restore("<PERSON_1>") for one in ("agent:old", "agent:new")
    ]
    assert restored == ["Claire Fontaine"] * 2
    assert vaults(engine).open("c1").restore("<PERSON_1>") == "<PERSON_1>"


def test_what_another_server_erased_is_known_no_more_and_not_kept_again(
    engine: sa.Engine,
) -> None:
    now = 0.0
    kept = Conversations(engine)
    gone, stays = (kept.start("email-drafter", "ana") for _ in range(2))
    here, there = vaults(engine), Vaults(engine, KEY, lambda who: f"p_{who}", lambda: now)
    turns = [there.open(each) for each in (gone, stays)]
    for each in turns:
        each.mask(TEXT, [NAME])
    kept.delete(gone, "ana")
    here.forget(gone)
    here.forget(stays)  # its values alone
    now = 61.0
    assert there.open(stays).restore("<PERSON_1>") == "<PERSON_1>"
    assert there.open(gone).restore("<PERSON_1>") == "<PERSON_1>"
    with pytest.raises(VaultError):  # a turn that was still going on
        turns[0].mask("To Paul Martin", [Finding(3, 14, "PERSON", 1.0, "test")])
    assert owners(engine) == [("p_ana", False)] * 2


def test_values_of_earlier_releases_get_their_owner(engine: sa.Engine) -> None:
    kept = Conversations(engine)
    first = kept.start("email-drafter", "ana")
    branch = kept.branch(first, "ana", 0)
    gone = kept.start("email-drafter", "ben")
    for conversation in (first, gone, "agent:rooms"):
        Vaults(engine, KEY).open(conversation, "-").mask(TEXT, [NAME])
    with engine.begin() as db:
        db.execute(sa.update(vault_entries).values(owner=""))
    kept.delete(gone, "ben")
    kept.delete(first, "ana")  # its names serve the branch
    assert branch.root == first
    assert vaults(engine).claim() == 1
    assert sorted(owners(engine)) == [("", True), ("", True), ("p_ana", True)]
