"""Connected models: picked up without a restart, keys sealed and never shown, changes on record."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from guardrails.audit.ledger import Ledger
from guardrails.audit.tables import ledger as ledger_table
from guardrails.errors import BadInput
from guardrails.keys import Keys
from guardrails.migrate import upgrade
from guardrails.policy.tables import connections as table
from guardrails.store import open_engine
from sandbox.broker.connections import Connections
from sandbox.broker.models import ModelError, Models, Usage
from tests.upstream import Say, Upstream

KEY = "sk-sample-not-a-real-key-0001"
KEYS = Keys(bytes(range(32)))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[sa.Engine]:
    engine = open_engine(f"sqlite:///{tmp_path / 'atelier.db'}")
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def ledger(store: sa.Engine) -> Iterator[Ledger]:
    opened = Ledger(store, KEYS)
    yield opened
    opened.close()


@pytest.fixture
def connected(store: sa.Engine, ledger: Ledger) -> Connections:
    return Connections(store, ledger, KEYS.derive("model-keys"))


def models(connected: Connections, home: Path) -> Models:
    made = "http://127.0.0.1:9/v1"
    return Models("openai/own", home=home, base=made, timeout=20, secrets={}, connections=connected)


async def test_a_connected_model_answers_without_a_restart(
    connected: Connections, tmp_path: Path
) -> None:
    running = models(connected, tmp_path)
    with Upstream(Say("Bonjour.", usage=(1_000, 500))) as upstream:
        made = connected.add(
            "openai/house", by="p_a", base=upstream.base, key=KEY, price=(2.0, 4.0)
        )
        assert running.info("openai/house").location == "local"
        asked = running.stream([{"role": "user", "content": "hi"}], wanted="openai/house")
        events = [event async for event in asked]
        assert events[-1] == Usage(1_000, 500, 0.004)
        assert f"Bearer {KEY}".encode() in upstream.received
        assert running.price(1_000_000, 0, "openai/house") == 2.0

        assert running.info().name == "openai/own"
        connected.prefer(made.id, by="p_a")
        assert running.info().name == "openai/house"
        assert running.info("openai/own").name == "openai/own"
        connected.change(made.id, by="p_a", enabled=False)
        assert running.info().name == "openai/own"
        with pytest.raises(ModelError, match="model-not-connected"):
            running.info("openai/house")
    await running.stop()


def test_a_key_is_sealed_in_the_store_and_shown_nowhere(
    connected: Connections, store: sa.Engine, tmp_path: Path
) -> None:
    made = connected.add("openai/house", by="p_a", key=KEY)
    assert made.has_key
    assert KEY not in repr(made) + repr(connected)
    assert connected.key(made) == KEY
    store.dispose()
    for file in tmp_path.glob("atelier.db*"):
        assert KEY.encode() not in file.read_bytes()


def test_a_key_does_not_follow_to_another_address(connected: Connections, store: sa.Engine) -> None:
    made = connected.add("openai/house", by="p_a", base="https://models.example/v1", key=KEY)
    with store.begin() as db:
        db.execute(sa.update(table).values(base="https://elsewhere.example/v1"))
    with pytest.raises(ModelError, match="model-auth"):
        connected.key(connected.get(made.id))
    with store.begin() as db:
        db.execute(sa.update(table).values(base=made.base))
    moved = connected.change(made.id, by="p_a", base="https://elsewhere.example/v1")
    assert not moved.has_key


async def test_the_environment_s_key_is_not_sent_to_an_address_of_its_own(
    connected: Connections, tmp_path: Path
) -> None:
    with Upstream(Say("Hi.")) as upstream:
        connected.add("openai/house", by="p_a", base=upstream.base)
        running = Models(
            "openai/own", home=tmp_path, secrets={"OPENAI_API_KEY": KEY}, connections=connected
        )
        asked = running.stream([{"role": "user", "content": "hi"}], wanted="openai/house")
        assert [event async for event in asked]
        assert KEY.encode() not in upstream.received
    await running.stop()


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"name": "gpt"}, "model-bad-name"),
        ({"name": "openai/x\ny"}, "model-bad-name"),
        ({"name": "openai/x", "base": "http://models.example/v1"}, "model-bad-address"),
        ({"name": "openai/x", "base": "file:///etc/passwd"}, "model-bad-address"),
        ({"name": "openai/x", "base": "https://user:pass@models.example"}, "model-bad-address"),
        ({"name": "openai/x", "base": "https://:pass@models.example"}, "model-bad-address"),
        ({"name": "openai/x", "base": "https://["}, "model-bad-address"),
        ({"name": "openai/x", "base": "https://models.example:99999"}, "model-bad-address"),
        ({"name": "openai/x", "location": "moon"}, "bad-field"),
        ({"name": "openai/x", "key": "two\nlines"}, "bad-field"),
        ({"name": "openai/x", "price": (-1.0, 0.0)}, "bad-field"),
    ],
)
def test_what_cannot_be_connected_is_refused(
    connected: Connections, given: dict[str, str], code: str
) -> None:
    with pytest.raises(BadInput, match=code):
        connected.add(**given, by="p_a")  # type: ignore[arg-type]
    assert connected.all() == []


def test_a_name_is_connected_once(connected: Connections) -> None:
    connected.add("openai/x", by="p_a")
    with pytest.raises(BadInput, match="model-exists"):
        connected.add("openai/x", by="p_a")


def test_every_change_is_on_record_before_it_is_made_and_names_no_key(
    connected: Connections, store: sa.Engine, ledger: Ledger
) -> None:
    made = connected.add("openai/x", by="p_a", key=KEY)
    connected.set_key(made.id, "", by="p_a")
    connected.prefer(made.id, by="p_a")
    connected.prefer("", by="p_a")
    connected.remove(made.id, by="p_a")
    with store.connect() as db:
        kinds = list(db.scalars(sa.select(ledger_table.c.kind).order_by(ledger_table.c.seq)))
    assert kinds == ["model.connect", "model.key", "model.prefer", "model.prefer", "model.remove"]
    assert connected.all() == []


def test_a_store_that_cannot_be_read_lets_no_connected_model_answer(
    connected: Connections, store: sa.Engine, tmp_path: Path
) -> None:
    connected.add("openai/x", by="p_a")
    fresh = models(connected, tmp_path)
    with store.begin() as db:
        db.exec_driver_sql("DROP TABLE model_connections")
    with pytest.raises(ModelError, match="model-unavailable"):
        fresh.info("openai/x")
