"""A backup is restored into a new home, and everything is there: record, people, conversations."""

import io
import json
import os
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from guardrails.audit.ledger import Act
from guardrails.audit.verify import verify
from guardrails.errors import BadInput, GuardrailError
from guardrails.keys import load_keys
from guardrails.migrate import upgrade
from guardrails.store import open_engine
from tests.guardrails.audit import stores
from tests.ui.api_client import client, served, with_accounts
from tests.ui.fake_house import House, open_house
from ui.backup import make
from ui.backup_keys import opened, sealed
from ui.lock import ServerLock
from ui.restore import restore
from ui.settings import Settings

PHRASE = "four words in a row"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A home as the product leaves one: its own key file, a person, a conversation, a file."""
    home = tmp_path / "old"
    home.mkdir()
    keys = load_keys(home / "master.key")
    house = open_house(home)
    house.close()
    house = replace(open_house(home), keys=keys)
    house.people.add("ada", "correct horse battery", name="Ada Sample", roles=["security"])
    started = house.conversations.start("email-drafter", "u_1", "1")
    house.conversations.add(started, "user", "Write to <PERSON_1>", "t" * 32, {})
    (home / "files" / "ab").mkdir(parents=True)
    (home / "files" / "ab" / "one.bin").write_bytes(b"\0" * 70_000)
    (home / "kinds.yaml").write_text("kinds: []\n")
    (home / "runs").mkdir()
    (home / "runs" / "left over").write_text("x")
    (home / "exports").mkdir()
    (home / "exports" / "e-1.jsonl").write_text("{}\n")
    yield house
    house.close()


@pytest.fixture
def kept(house: House) -> House:
    """The same home with a ledger under its own key."""
    house.ledger.close()
    from guardrails.audit.ledger import Ledger

    house.ledger = Ledger(
        house.engine, house.keys, checkpoint_file=house.settings.home / "checkpoints.jsonl"
    )
    for number in range(20):
        house.ledger.record(Act("test", f"u_{number}", payload={"n": number}))
    house.ledger.checkpoint()
    return house


def new_home(tmp_path: Path, **more: object) -> Settings:
    return Settings.model_validate({"home": tmp_path / "new", **more})


def test_what_was_backed_up_is_there_again(kept: House, tmp_path: Path) -> None:
    file = tmp_path / "one.tar"
    made = make(kept.settings, kept.keys, file, passphrase=PHRASE)
    assert made.keys and file.stat().st_mode & 0o777 == 0o600
    settings = new_home(tmp_path)
    done = restore(settings, file, passphrase=PHRASE)
    assert done.rows >= 20 and done.aside is None
    again = open_engine(settings.database_url)
    keys = load_keys(settings.home / "master.key")
    assert keys.master == kept.keys.master
    result = verify(
        again,
        keys.signing().public_key(),
        settings.home / "checkpoints.jsonl",
        mac_key=keys.derive("ledger-chain"),
    )
    assert result.ok and result.rows == done.rows + 1  # the restoring itself
    from agents.conversations import Conversations
    from ui.people import People

    mine = Conversations(again).mine("u_1")
    assert [m.text for m in Conversations(again).messages(mine[0].id, "u_1")] == [
        "Write to <PERSON_1>"
    ]
    assert People(again).check("ada", "correct horse battery") is not None
    assert (settings.home / "files/ab/one.bin").read_bytes() == b"\0" * 70_000
    assert (settings.home / "kinds.yaml").exists() and (
        settings.home / "exports/e-1.jsonl"
    ).exists()
    assert not (settings.home / "runs").exists()
    again.dispose()


def test_without_a_passphrase_the_key_is_not_in_the_file(kept: House, tmp_path: Path) -> None:
    file = tmp_path / "one.tar"
    assert not make(kept.settings, kept.keys, file).keys
    text = (kept.settings.home / "master.key").read_bytes().strip()
    assert text not in file.read_bytes() and kept.keys.master not in file.read_bytes()
    with pytest.raises(BadInput, match="backup-no-key"):
        restore(new_home(tmp_path), file)
    # the key brought along by hand
    home = tmp_path / "new"
    home.mkdir(exist_ok=True)
    (home / "master.key").write_bytes(text)
    (home / "master.key").chmod(0o600)
    assert restore(new_home(tmp_path), file).rows >= 20
    # and in the environment
    other = Settings.model_validate({"home": tmp_path / "third", "master_key": text.decode()})
    assert restore(other, file).rows >= 20 and not (tmp_path / "third/master.key").exists()


def test_the_key_opens_with_its_passphrase_alone() -> None:
    box = sealed(b"k" * 32, PHRASE)
    assert opened(box, PHRASE) == b"k" * 32 and b"kkkk" not in box
    for wrong in ("", "four words in a roW"):
        with pytest.raises(BadInput, match="wrong-passphrase"):
            opened(box, wrong)
    with pytest.raises(BadInput, match="weak-passphrase"):
        sealed(b"k" * 32, "short")


def test_a_home_that_is_not_empty_is_left_alone_and_moved_aside_when_told(
    kept: House, tmp_path: Path
) -> None:
    file = tmp_path / "one.tar"
    make(kept.settings, kept.keys, file, passphrase=PHRASE)
    settings = new_home(tmp_path)
    settings.home.mkdir()
    (settings.home / "kinds.yaml").write_text("mine\n")
    with pytest.raises(BadInput, match="home-not-empty"):
        restore(settings, file, passphrase=PHRASE)
    assert os.listdir(settings.home) == ["kinds.yaml"]
    done = restore(settings, file, passphrase=PHRASE, replace=True)
    assert done.aside is not None and (done.aside / "kinds.yaml").read_text() == "mine\n"
    assert (settings.home / "kinds.yaml").read_text() == "kinds: []\n"


def test_a_wrong_passphrase_restores_nothing(kept: House, tmp_path: Path) -> None:
    file = tmp_path / "one.tar"
    make(kept.settings, kept.keys, file, passphrase=PHRASE)
    settings = new_home(tmp_path)
    with pytest.raises(BadInput, match="wrong-passphrase"):
        restore(settings, file, passphrase="another phrase")
    assert os.listdir(settings.home) == []


def rewritten(file: Path, change: dict[str, bytes], more: tarfile.TarInfo | None = None) -> Path:
    """The archive with other contents for some of its parts."""
    out = file.with_suffix(".other")
    with tarfile.open(file) as old, tarfile.open(out, "w") as new:
        if more is not None:
            new.addfile(more, io.BytesIO(b"x" * more.size))
        for info in old:
            source = old.extractfile(info)
            assert source is not None
            data = change.get(info.name, source.read())
            info.size = len(data)
            new.addfile(info, io.BytesIO(data))
    return out


def test_an_altered_backup_is_refused(kept: House, tmp_path: Path) -> None:
    file = tmp_path / "one.tar"
    make(kept.settings, kept.keys, file, passphrase=PHRASE)
    with tarfile.open(file) as archive:
        source = archive.extractfile("manifest.json")
        assert source is not None
        manifest = json.loads(source.read())
    another = {**manifest, "made": "2020-01-01T00:00:00+00:00"}
    altered = [
        rewritten(file, {"home/kinds.yaml": b"kinds: [x]\n"}),
        rewritten(file, {"manifest.json": json.dumps(another).encode()}),
        rewritten(file, {"manifest.json": b"[]"}),
    ]
    cut = tmp_path / "cut.tar"
    cut.write_bytes(file.read_bytes()[:-30_000])  # more than the padding at the end
    for each in (*altered, cut, Path(__file__)):
        with pytest.raises(BadInput, match="bad-backup"):
            restore(new_home(tmp_path), each, passphrase=PHRASE)
    assert os.listdir(tmp_path / "new") == []


@pytest.mark.parametrize("name", ["../out", "/etc/out", "home/../../out", "home/a\n", ".hidden"])
def test_a_part_that_would_leave_the_home_is_refused(
    kept: House, tmp_path: Path, name: str
) -> None:
    file = tmp_path / "one.tar"
    make(kept.settings, kept.keys, file, passphrase=PHRASE)
    more = tarfile.TarInfo(name)
    more.size = 1
    with pytest.raises(BadInput, match="bad-backup"):
        restore(new_home(tmp_path), rewritten(file, {}, more), passphrase=PHRASE)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(kept: House, tmp_path: Path, kind: bytes) -> None:
    file = tmp_path / "one.tar"
    make(kept.settings, kept.keys, file, passphrase=PHRASE)
    more = tarfile.TarInfo("home/link")
    more.type, more.linkname = kind, "/etc/passwd"
    with pytest.raises(BadInput, match="bad-backup"):
        restore(new_home(tmp_path), rewritten(file, {}, more), passphrase=PHRASE)


def test_a_home_in_use_is_not_restored_over(kept: House, tmp_path: Path) -> None:
    file = tmp_path / "one.tar"
    make(kept.settings, kept.keys, file, passphrase=PHRASE)
    settings = new_home(tmp_path)
    lock = ServerLock(settings.home)
    lock.take("http://127.0.0.1:1")
    try:
        with pytest.raises(GuardrailError, match="already-running"):
            restore(settings, file, passphrase=PHRASE, replace=True)
    finally:
        lock.free()


def test_a_backup_made_while_acts_are_written_verifies(kept: House, tmp_path: Path) -> None:
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            kept.ledger.record(Act("test", "u_1", payload={"n": 1}))

    worker = threading.Thread(target=work)
    worker.start()
    try:
        for number in range(3):
            file = tmp_path / f"{number}.tar"
            make(kept.settings, kept.keys, file, passphrase=PHRASE)
            kept.ledger.checkpoint()
            settings = Settings.model_validate({"home": tmp_path / f"home{number}"})
            assert restore(settings, file, passphrase=PHRASE).rows >= 20
    finally:
        stop.set()
        worker.join()


def test_an_existing_file_is_not_overwritten(kept: House, tmp_path: Path) -> None:
    file = tmp_path / "one.tar"
    file.write_text("precious")
    with pytest.raises(GuardrailError, match="backup-exists"):
        make(kept.settings, kept.keys, file)
    assert file.read_text() == "precious"


def test_a_postgresql_store_is_dumped_and_restored(tmp_path: Path) -> None:
    from guardrails.audit.ledger import Ledger

    home = tmp_path / "old"
    home.mkdir()
    keys = load_keys(home / "master.key")
    with stores.cluster() as server:
        first = stores.new_database(server, "first")
        settings = Settings.model_validate({"home": home, "database": first})
        engine = open_engine(first)
        upgrade(engine)
        ledger = Ledger(engine, keys, checkpoint_file=home / "checkpoints.jsonl")
        for _ in range(5):
            ledger.record(Act("test", "u_1"))
        ledger.checkpoint()
        ledger.close()
        engine.dispose()
        file = tmp_path / "pg.tar"
        make(settings, keys, file, passphrase=PHRASE)
        with pytest.raises(BadInput, match="home-not-empty"):
            # the database is not empty: not even when told to replace
            restore(new_home(tmp_path, database=first), file, passphrase=PHRASE, replace=True)
        second = stores.new_database(server, "second")
        done = restore(new_home(tmp_path, database=second), file, passphrase=PHRASE)
        assert done.rows == 5
        wrong = Settings.model_validate({"home": tmp_path / "sqlite"})
        with pytest.raises(BadInput, match="backup-other-store"):
            restore(wrong, file, passphrase=PHRASE)
        again = open_engine(second)
        with again.connect() as db:
            assert db.execute(sa.text("SELECT count(*) FROM ledger")).scalar() == 6
        again.dispose()


def test_the_commands_do_it(kept: House, tmp_path: Path) -> None:
    kept.close()
    phrase = tmp_path / "phrase"
    phrase.write_text(PHRASE + "\n")

    def atelier(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "ui.cli", *words],
            env={**os.environ, "ATELIER_HOME": str(home), "ATELIER_LANGUAGE": "en"},
            capture_output=True,
            text=True,
            check=False,
        )

    file = str(tmp_path / "b.tar")
    done = atelier(kept.settings.home, "backup", file, "--passphrase-file", str(phrase))
    assert done.returncode == 0, done.stderr
    assert atelier(kept.settings.home, "backup", file).returncode == 4
    new = tmp_path / "new"
    done = atelier(new, "restore", file, "--passphrase-file", str(phrase))
    assert done.returncode == 0 and "verifies" in done.stdout, done.stderr
    again = atelier(new, "restore", file, "--passphrase-file", str(phrase))
    assert again.returncode == 2 and "not empty" in again.stderr
    verified = atelier(new, "audit", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr


async def test_the_button_gives_an_administrator_a_backup(kept: House, tmp_path: Path) -> None:
    cookies = with_accounts(kept)
    cookie = f"atelier_session={cookies['administrator']}"
    async with client(served(kept), cookie=cookie) as web:
        weak = await web.post("/backup", json={"passphrase": "short"})
        assert weak.json()["code"] == "weak-passphrase"
        answer = await web.post("/backup", json={"passphrase": PHRASE})
    assert "attachment" in answer.headers["content-disposition"]
    file = tmp_path / "download.tar"
    file.write_bytes(answer.content)
    assert restore(new_home(tmp_path), file, passphrase=PHRASE).rows >= 20
    assert not [name for name in os.listdir(kept.settings.home) if name.startswith("backups-")]


def full(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_backup_that_fails_leaves_nothing(
    kept: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    to = tmp_path / "backups"
    to.mkdir()
    with monkeypatch.context() as patched:
        # the disk is full when the last bytes are to be written
        patched.setattr("ui.backup.os.fsync", full)
        with pytest.raises(GuardrailError, match="backup-not-written"):
            make(kept.settings, kept.keys, to / "one.tar")
    assert os.listdir(to) == []
    assert make(kept.settings, kept.keys, to / "one.tar").bytes
    assert os.listdir(to) == ["one.tar"]


async def test_a_download_that_fails_leaves_nothing_and_says_so(
    kept: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    cookie = f"atelier_session={with_accounts(kept)['administrator']}"
    monkeypatch.setattr("ui.backup.dumps.dump", full)
    async with client(served(kept), cookie=cookie) as web:
        answer = await web.post("/backup", json={})
    assert answer.json()["code"] == "backup-not-written"
    assert not list(kept.settings.home.glob("backups-*"))
    with kept.engine.connect() as db:
        rows = db.exec_driver_sql("SELECT step, verdict FROM ledger WHERE kind = 'backup.make'")
        assert [tuple(row) for row in rows] == [("intent", "allow"), ("outcome", "failed")]


def test_what_a_killed_backup_left_goes_with_the_next_one(kept: House, tmp_path: Path) -> None:
    left = kept.settings.home / "backups-killed"
    left.mkdir()
    (left / "store.sqlite").write_bytes(b"half")
    os.utime(left, (0, 0))
    make(kept.settings, kept.keys, tmp_path / "one.tar")
    assert not left.exists()
