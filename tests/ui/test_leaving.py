"""Whoever leaves leaves nothing behind that opens a door."""

import pytest
import sqlalchemy as sa

from guardrails.errors import BadInput
from sandbox.broker.source_tables import grants
from tests.ui.fake_house import House
from ui import leaving


def test_sessions_keys_groups_and_grants_go_with_the_account(quiet_house: House) -> None:
    house = quiet_house
    account = house.people.add("ada", "correct horse battery", name="Ada Sample")
    other = house.people.add("bob", "correct horse battery", name="Bob Sample")
    session = house.identity.begin(account)
    _, secret = house.api_keys.make(
        "k", owner=account.id, maker=account.id, days=9, scopes=["agents.use"]
    )
    group = house.groups.add("readers")
    for one in (account, other):
        house.groups.set_groups(one.id, [group.id])
        row = {"source": "calendar", "person": one.id, "sealed": b"x", "at": 1}
        with house.engine.begin() as db:
            db.execute(sa.insert(grants), row)
    leaving.remove(house.people, house.identity, account)
    with pytest.raises(BadInput):
        house.people.known(account.id)
    assert house.identity.sign_ins.person(session) is None
    assert house.api_keys.check(secret) is None
    assert house.groups.members(group.id) == [other.id]
    with house.engine.connect() as db:
        assert list(db.scalars(sa.select(grants.c.person))) == [other.id]
