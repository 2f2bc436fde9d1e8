"""Restoring from the page: what is refused, what is told, and a running server that really does."""

import contextlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from guardrails.audit.ledger import Act, Ledger
from guardrails.audit.tables import ledger
from guardrails.audit.verify import verify
from guardrails.errors import BadInput
from guardrails.keys import load_keys
from guardrails.migrate import upgrade
from guardrails.store import open_engine
from tests.e2e.browser import product
from tests.guardrails.audit import stores
from tests.ui.api_client import client, served, with_accounts
from tests.ui.fake_house import House, open_house
from tests.ui.test_backup import rewritten
from tests.upstream import Say, Upstream
from ui import staging
from ui.backup import make
from ui.restoring import Restoring
from ui.settings import Settings

PHRASE = "four words in a row"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A home with its own key file, a ledger under it and a file."""
    home = tmp_path / "home"
    home.mkdir()
    keys = load_keys(home / "master.key")
    made = open_house(home)
    made.ledger.close()
    house = replace(made, keys=keys)
    house.ledger = Ledger(house.engine, keys, checkpoint_file=home / "checkpoints.jsonl")
    for number in range(5):
        house.ledger.record(Act("test", f"u_{number}"))
    house.ledger.checkpoint()
    (home / "files").mkdir()
    (home / "files" / "one.bin").write_bytes(b"\1" * 5000)
    (home / "models").mkdir()
    (home / "models" / "large.gguf").write_bytes(b"model")
    yield house
    house.close()


def stranger(tmp_path: Path) -> Path:
    """A backup of another installation, with its key under the passphrase."""
    home = tmp_path / "other"
    home.mkdir()
    keys = load_keys(home / "master.key")
    other = open_house(home)
    file = tmp_path / "other.tar"
    make(other.settings, keys, file, passphrase=PHRASE)
    bare = tmp_path / "bare.tar"
    make(other.settings, keys, bare)
    other.close()
    return file


async def test_an_uploaded_backup_is_checked_and_shown_and_nothing_else_changes(
    house: House, tmp_path: Path
) -> None:
    file = tmp_path / "one.tar"
    make(house.settings, house.keys, file)
    cookie = f"atelier_session={with_accounts(house)['administrator']}"
    async with client(served(house), cookie=cookie) as web:
        answer = await web.post("/backup/held", content=file.read_bytes())
        assert answer.status_code == 200, answer.text
        found = answer.json()["contents"]
        assert found["own"] and found["rows"] == 5 and found["people"] == 0
        id_ = answer.json()["id"]
        assert [one["id"] for one in (await web.get("/backup/held")).json()] == [id_]
        again = await web.get(f"/backup/held/{id_}")
        assert again.content == file.read_bytes()
        assert "attachment" in again.headers["content-disposition"]
        wrong = await web.post(f"/backup/held/{id_}/restore", json={"confirm": "yes"})
        assert wrong.json()["code"] == "restore-unconfirmed"
        # a house of tests cannot start itself again
        here = await web.post(f"/backup/held/{id_}/restore", json={"confirm": "RESTORE"})
        assert here.json()["code"] == "restore-not-here"
        assert (await web.delete(f"/backup/held/{id_}")).status_code == 200
        assert (await web.get(f"/backup/held/{id_}")).status_code == 404
        assert (await web.get("/backup/held/..%2Fmaster")).status_code == 404
    assert not list((house.settings.home / "backups").iterdir())


async def test_what_cannot_be_restored_is_refused_with_the_reason(
    house: House, tmp_path: Path
) -> None:
    file = tmp_path / "one.tar"
    make(house.settings, house.keys, file)
    locked, bare = stranger(tmp_path), tmp_path / "bare.tar"
    cut = tmp_path / "cut.tar"
    cut.write_bytes(file.read_bytes()[:-30_000])
    altered = rewritten(file, {"home/files/one.bin": b"\2"})
    cookie = f"atelier_session={with_accounts(house)['administrator']}"
    async with client(served(house), cookie=cookie, accept_language="en") as web:
        for path, code, words in (
            (cut, "bad-backup", "damaged"),
            (altered, "bad-backup", "signature"),
            (Path(__file__), "bad-backup", "damaged"),
            (bare, "backup-other-key", "another"),
        ):
            answer = await web.post("/backup/held", content=path.read_bytes())
            assert answer.status_code == 422, path
            assert answer.json()["code"] == code
            assert words in answer.json()["message"] or code != "bad-backup"
        assert (await web.post("/backup/held", content=b"")).json()["code"] == "empty-file"
        assert (await web.get("/backup/held")).json() == []
        # a key under a passphrase: kept until it is given
        kept = (await web.post("/backup/held", content=locked.read_bytes())).json()
        assert kept["locked"] and kept["contents"] is None
        check = f"/backup/held/{kept['id']}/check"
        wrong = await web.post(check, json={"passphrase": "another phrase"})
        assert wrong.json()["code"] == "wrong-passphrase"
        good = await web.post(check, json={"passphrase": PHRASE})
        assert good.json()["contents"]["own"] is False


def test_a_newer_version_is_refused(house: House, tmp_path: Path) -> None:
    file = tmp_path / "one.tar"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("ui.api.product_version", lambda: "99.1.0")
        make(house.settings, house.keys, file)
    with pytest.raises(BadInput, match="backup-newer"):
        staging.stage(house.settings, file, tmp_path / "next")


async def test_another_installation_does_not_take_the_place_of_other_people(
    house: House, tmp_path: Path
) -> None:
    backups = tmp_path / "home" / "backups"
    backups.mkdir()
    id_ = "upload-20260101T000000-00000000"
    shutil.copy(stranger(tmp_path), backups / f"{id_}.tar")
    with_accounts(house)
    again: list[int] = []
    restoring = Restoring(house, restart=lambda: again.append(1))  # type: ignore[arg-type]
    restoring.begin(id_, "u_1", confirm=" restaurer ", passphrase=PHRASE)
    assert restoring._task is not None
    await restoring._task
    assert restoring.failed is not None and restoring.failed.code == "restore-foreign"
    assert not again and not restoring.closed
    assert not (tmp_path / "home" / staging.NEXT).exists()


async def test_a_server_that_closed_for_a_restore_comes_back_whatever_breaks(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backups = house.settings.home / "backups"
    backups.mkdir()
    id_ = "upload-20260101T000000-00000000"
    make(house.settings, house.keys, backups / f"{id_}.tar")
    again: list[bool] = []
    restoring = Restoring(house, restart=lambda: again.append(True))  # type: ignore[arg-type]

    async def full() -> None:
        house.ledger.close()  # nor can it be recorded
        (house.settings.home / staging.TOLD).with_suffix(".part").mkdir()  # nor told
        raise OSError("the disk is full")

    monkeypatch.setattr(house.sessions, "close", full, raising=False)
    restoring.begin(id_, "u_1", confirm="RESTORE")
    assert restoring._task is not None
    await restoring._task
    assert restoring.failed is not None and again == [True]
    assert not (house.settings.home / staging.NEXT).exists()


def committed(house: House, tmp_path: Path) -> None:
    """A backup of `house`, then an act more, and the mark that the next start restores."""
    file = tmp_path / "one.tar"
    make(house.settings, house.keys, file)
    house.ledger.record(Act("test", "u_later"))
    (house.settings.home / "files" / "later.bin").write_bytes(b"3")
    found = staging.stage(house.settings, file, house.settings.home / staging.NEXT)
    house.close()
    staging.commit(house.settings, found, person="u_1", left=1, saved="before")


def restored(house: House) -> list[str]:
    """Kinds of the acts in the home's ledger, which must verify."""
    home, keys = house.settings.home, house.keys
    engine = open_engine(house.settings.database_url)
    result = verify(
        engine,
        keys.signing().public_key(),
        home / "checkpoints.jsonl",
        mac_key=keys.derive("ledger-chain"),
    )
    assert result.ok
    with engine.connect() as db:
        kinds = list(db.scalars(sa.select(ledger.c.kind).order_by(ledger.c.seq)))
    engine.dispose()
    return kinds


def test_the_next_start_puts_it_in_once_and_says_so(house: House, tmp_path: Path) -> None:
    committed(house, tmp_path)
    home = house.settings.home
    assert staging.finish(house.settings)
    assert restored(house) == ["test"] * 5 + ["backup.restore"]
    assert os.listdir(home / "files") == ["one.bin"]
    assert (home / "models" / "large.gguf").exists(), "what can only be fetched again stays"
    assert not list(home.glob("before-restore-*")) and not (home / staging.NEXT).exists()
    assert staging.told(home)["left"] == 1
    assert not staging.finish(house.settings)
    assert restored(house) == ["test"] * 5 + ["backup.restore"]


@pytest.mark.parametrize("after", range(0, 12, 2))
def test_a_crash_in_the_middle_is_gone_on_with(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    committed(house, tmp_path)
    left, rename = [after], Path.rename

    def crashing(self: Path, target: Path) -> Path:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return rename(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", crashing)
        with contextlib.suppress(KeyboardInterrupt):
            staging.finish(house.settings)
    staging.finish(house.settings)
    assert restored(house)[:6] == ["test"] * 5 + ["backup.restore"]
    assert os.listdir(house.settings.home / "files") == ["one.bin"]


def test_what_was_made_ready_and_never_decided_is_forgotten(house: House, tmp_path: Path) -> None:
    file = tmp_path / "one.tar"
    make(house.settings, house.keys, file)
    staging.stage(house.settings, file, house.settings.home / staging.NEXT)
    assert not staging.finish(house.settings)
    assert not (house.settings.home / staging.NEXT).exists()


def ask(web: httpx.Client, text: str) -> str:
    """Send a message, read to the end; gives the conversation."""
    answer = web.post("/agents/email-drafter/messages", json={"text": text}, timeout=120)
    assert answer.status_code == 200, answer.text
    return str(json.loads(answer.text.split("data: ", 1)[1].split("\n", 1)[0])["conversation"])


@pytest.mark.parametrize("store", ["sqlite", pytest.param("postgresql", marks=pytest.mark.heavy)])
def test_a_running_server_restores_itself_by_the_button(tmp_path: Path, store: str) -> None:
    home = tmp_path / "home"
    slow = Say("word " * 4000, delay=0.05)
    with (
        contextlib.ExitStack() as server,
        Upstream(Say("Hello."), slow, Say("Hello again.")) as upstream,
    ):
        given = {}
        if store == "postgresql":
            given["database"] = stores.new_database(server.enter_context(stores.cluster()), "house")
        _restores_itself(home, upstream, given)


def _restores_itself(home: Path, upstream: Upstream, given: dict[str, str]) -> None:
    with (
        product(home, upstream, **given) as running,
        httpx.Client(base_url=f"{running.address}/api/v1", timeout=60) as web,
    ):
        before = ask(web, "Before the backup")
        backup = web.post("/backup", json={}).content
        with web.stream(
            "POST", "/agents/email-drafter/messages", json={"text": "After it"}, timeout=120
        ) as turn:
            lines = turn.iter_lines()
            begun = next(line for line in lines if line.startswith("data: "))
            after = json.loads(begun.removeprefix("data: "))["conversation"]
            held = web.post("/backup/held", content=backup).json()
            assert held["contents"]["conversations"] == 1
            started = web.post(f"/backup/held/{held['id']}/restore", json={"confirm": "RESTORE"})
            assert started.status_code == 202, started.text
            # the running turn is ended, and whoever follows it hears its end
            assert any(line.startswith("event: reply") for line in lines)
        end = time.monotonic() + 120
        health: dict[str, object] = {}
        while time.monotonic() < end and not health.get("restored"):
            time.sleep(0.3)
            try:
                answer = web.get("/backup/restoring")
                assert answer.json().get("step") != "failed", answer.text
                health = web.get("/health").json()
            except (httpx.TransportError, ValueError):
                continue
        assert health.get("restored"), (home.parent / "server.log").read_text()[-2000:]
        # the same address, and the conversations of the backup
        known = [one["id"] for one in web.get("/conversations").json()]
        assert before in known and after not in known
        kept = [one for one in web.get("/backup/held").json() if one["kind"] == "before"]
        assert len(kept) == 1
        assert ask(web, "And it answers again")
        # what was there before is complete in the backup that was made first
        checked = web.post(f"/backup/held/{kept[0]['id']}/check", json={}).json()
        assert checked["contents"]["conversations"] == 2 and checked["contents"]["own"]
    engine = open_engine(given.get("database", f"sqlite:///{home / 'atelier.db'}"))
    with engine.connect() as db:
        acts = sa.select(ledger.c.step, ledger.c.verdict).where(ledger.c.kind == "backup.restore")
        assert [tuple(row) for row in db.execute(acts)] == [("event", "allow")]
    engine.dispose()


@pytest.mark.heavy
def test_a_postgresql_store_is_swapped_by_renaming(tmp_path: Path) -> None:
    home = tmp_path / "old"
    home.mkdir()
    keys = load_keys(home / "master.key")

    def acts(url: str, add: str = "") -> list[str]:
        engine = open_engine(url)
        if add:
            ledger_ = Ledger(engine, keys, checkpoint_file=home / "checkpoints.jsonl")
            ledger_.record(Act(add, "u_1"))
            ledger_.checkpoint()
            ledger_.close()
        with engine.connect() as db:
            kinds = list(db.scalars(sa.select(ledger.c.kind).order_by(ledger.c.seq)))
        engine.dispose()
        return kinds

    with stores.cluster() as server:
        url = stores.new_database(server, "house")
        settings = Settings.model_validate({"home": home, "database": url})
        engine = open_engine(url)
        upgrade(engine)
        engine.dispose()
        assert acts(url, "before") == ["before"]
        file = tmp_path / "one.tar"
        make(settings, keys, file)
        assert acts(url, "after") == ["before", "after"]
        found = staging.stage(settings, file, tmp_path / "checked", keep=False)
        assert (found.rows, found.own) == (1, True)
        # another program has it open: nothing is changed, and that is told
        found = staging.stage(settings, file, home / staging.NEXT)
        staging.commit(settings, found, person="u_1", left=1, saved="before")
        busy = sa.create_engine(url)
        with busy.connect():
            assert not staging.finish(settings)
        busy.dispose()
        assert staging.told(home)["failed"] == "store-in-use"
        assert not (home / staging.NEXT).exists() and acts(url) == ["before", "after"]
        found = staging.stage(settings, file, home / staging.NEXT)
        staging.commit(settings, found, person="u_1", left=1, saved="before")
        # interrupted between the two renames: the next start goes on
        ready = staging.Ready(**json.loads((home / staging.NEXT / staging.READY).read_text()))
        old = sa.make_url(staging._old(settings, ready)).database
        boss = sa.create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
        with boss.connect() as db:
            db.exec_driver_sql(f'ALTER DATABASE house RENAME TO "{old}"')
        assert staging.finish(settings)
        assert acts(url) == ["before", "backup.restore"]
        assert not staging.finish(settings)
        with boss.connect() as db:
            names = set(db.scalars(sa.text("SELECT datname FROM pg_database")))
            db.exec_driver_sql("CREATE ROLE plain LOGIN")
        boss.dispose()
        assert {name for name in names if name.startswith("house")} == {"house"}
        plain = {"home": home, "database": url.replace("atelier@", "plain@")}
        with pytest.raises(BadInput, match="restore-by-command"):
            staging.stage(Settings.model_validate(plain), file, tmp_path / "refused")
