"""The command: languages, exit codes, speed, and what each command prints."""

import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.upstream import Say, Upstream
from ui.cli import main
from ui.commands.common import spoken, visible

ATELIER = [sys.executable, "-m", "ui.cli"]
PASSWORD = "correct horse battery"


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "ATELIER_HOME": str(home), "ATELIER_MODEL": "openai/test", **more}


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


def atelier(home: Path, *arguments: str, given: str | bytes = "", **more: str) -> Done:
    """The command in this process, as a shell would start it."""
    data = given.encode() if isinstance(given, str) else given
    out, err, code = io.StringIO(), io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        for name in os.environ:
            if name.startswith(("ATELIER_", "LC_", "LANG")):
                patch.delenv(name)
        for name, value in environment(home, **more).items():
            patch.setenv(name, value)
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), "utf-8"))
        patch.setattr(sys, "argv", ["atelier", *arguments])
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
    return Done(code, out.getvalue(), err.getvalue())


def as_json(done: Done) -> Any:
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({}, "en"),
        ({"LANG": "fr_FR.UTF-8"}, "fr"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "fr_CA", "LC_ALL": "C"}, "en"),
        ({"LANG": "C", "ATELIER_LANGUAGE": "fr"}, "fr"),
    ],
)
def test_the_language_comes_from_the_environment(variables: dict[str, str], language: str) -> None:
    assert spoken(variables) == language


def test_text_from_outside_cannot_steer_the_terminal() -> None:
    assert "\x1b" not in visible("a\x1b[2Jb\u202ec") and visible("Été 5 €") == "Été 5 €"


@pytest.mark.parametrize("language", ["en", "fr"])
def test_help_speaks_both_languages_and_loads_little(tmp_path: Path, language: str) -> None:
    done = atelier(tmp_path, "--help", ATELIER_LANGUAGE=language)
    assert done.returncode == 0
    assert ("Ouvre le produit" if language == "fr" else "Serve the product") in done.stdout
    heavy = "sqlalchemy litellm gradio spacy fastapi pandas langchain presidio_analyzer uvicorn"
    code = (
        "import sys, ui.cli; ui.cli.build('en'); "
        f"print([name for name in {heavy.split()} if name in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert loaded.stdout.strip() == "[]"


def test_wrong_use_has_its_own_exit_code(tmp_path: Path) -> None:
    assert atelier(tmp_path, "screen", "--lang", "de").returncode == 2
    unknown = atelier(tmp_path, "agent", "list", ATELIER_HOMME="x")
    assert atelier(tmp_path, "audit", "verify", ATELIER_HOMME="x").returncode == 2
    assert unknown.returncode == 0  # needs no settings
    nowhere = atelier(tmp_path / "nowhere", "audit", "verify", ATELIER_LANGUAGE="fr")
    assert nowhere.returncode == 2 and "ATELIER_HOME" in nowhere.stderr


def test_accounts_are_added_listed_and_removed_on_the_record(tmp_path: Path) -> None:
    weak = atelier(tmp_path, "user", "add", "sample", "--password-stdin", given="short\n")
    assert weak.returncode == 2 and "12" in weak.stderr
    added = atelier(
        tmp_path, "user", "add", "Sample", "--role", "security", "--password-stdin",
        given=PASSWORD + "\n",
    )  # fmt: skip
    assert added.returncode == 0, added.stderr
    rows = as_json(atelier(tmp_path, "user", "list", "--json"))
    assert [(row["login"], row["roles"]) for row in rows] == [("sample", ["security"])]
    assert atelier(tmp_path, "user", "remove", "sample").returncode == 0
    assert atelier(tmp_path, "user", "remove", "sample").returncode == 2
    proof = as_json(atelier(tmp_path, "audit", "verify", "--json"))
    # two attempts to add, one removal: recorded before each happened
    assert proof["ok"] is True and proof["rows"] == 3


def test_the_record_is_verified_away_from_the_home_with_the_public_key_only(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    atelier(home, "user", "add", "sample", "--password-stdin", given=PASSWORD + "\n")
    key = tmp_path / "key.pem"
    key.write_text(atelier(home, "audit", "key").stdout)
    away = (
        "audit", "verify", "--json", "--public-key", str(key),
        "--database", str(home / "atelier.db"),
        "--checkpoints", str(home / "checkpoints.jsonl"),
    )  # fmt: skip
    good = atelier(tmp_path / "elsewhere", *away)
    assert good.returncode == 0 and as_json(good)["ok"] is True
    with sqlite3.connect(home / "atelier.db") as db:
        db.execute("update ledger set verdict = 'deny' where seq = 1")
    bad = atelier(tmp_path / "elsewhere", *away)
    assert bad.returncode == 1 and as_json(bad)["first_bad"]["seq"] == 1


def test_a_missing_trace_is_said_clearly(tmp_path: Path) -> None:
    atelier(tmp_path, "user", "list")
    done = atelier(tmp_path, "audit", "show", "ffffffffffff", ATELIER_LANGUAGE="fr")
    assert done.returncode == 2 and "trace" in done.stderr
    page = as_json(atelier(tmp_path, "audit", "list", "--json"))
    assert page == {"rows": [], "next": None}


def test_agent_files_are_checked_with_line_and_nearest_key(tmp_path: Path) -> None:
    templates = Path(__file__).parents[2] / "agents" / "templates"
    good = atelier(tmp_path, "agent", "validate", str(next(templates.glob("*.yaml"))))
    assert good.returncode == 0
    file = tmp_path / "agent.yaml"
    file.write_text("id: sample\ninstrucions:\n  en: Hello\n")
    bad = atelier(tmp_path, "agent", "validate", str(file))
    assert bad.returncode == 2 and "instructions" in bad.stderr and "2" in bad.stderr


def test_a_text_that_is_not_utf8_is_refused_in_words(tmp_path: Path) -> None:
    done = atelier(tmp_path, "screen", given=b"caf\xe9", ATELIER_LANGUAGE="fr")
    assert done.returncode == 2 and "UTF-8" in done.stderr and "Traceback" not in done.stderr


def test_screening_prints_masked_text_and_findings(tmp_path: Path) -> None:
    text = "Please write to a.tester@example.com today.\n"
    found = as_json(atelier(tmp_path, "screen", "--json", "--lang", "en", given=text))
    spans = {f["kind"]: text[f["start"] : f["end"]] for f in found["findings"]}
    assert spans["EMAIL_ADDRESS"] == "a.tester@example.com"
    assert "a.tester@example.com" not in found["text"] and found["outcome"] == "allow"


def test_python_runs_sealed_and_says_how_it_ended(tmp_path: Path) -> None:
    good = as_json(atelier(tmp_path, "sandbox", "exec", "--json", given="print(6 * 7)"))
    assert good["status"] == "ok" and good["output"].strip() == "42"
    assert good["backend"] in ("bubblewrap", "landlock") and good["wall_s"] >= 0
    slow = atelier(tmp_path, "sandbox", "exec", "--json", "--time", "1", given="while True: pass")
    assert as_json(slow)["status"] == "timeout" and slow.returncode == 0
    wrong = atelier(tmp_path, "sandbox", "exec", given="1 / 0")
    assert wrong.returncode == 1 and "ZeroDivisionError" in wrong.stdout


def test_the_doctor_finds_what_is_wrong_and_names_the_fix(tmp_path: Path) -> None:
    home = tmp_path / "home"
    atelier(home, "user", "list")
    (home / "master.key").chmod(0o644)
    done = atelier(home, "doctor", "--json")
    checks = {check["name"]: check for check in json.loads(done.stdout)}
    assert done.returncode == 1 and checks["key"]["state"] == "bad"
    assert "chmod 600" in checks["key"]["text"] and checks["python"]["state"] == "ok"


@pytest.mark.parametrize("language", ["en", "fr"])
def test_an_open_address_without_accounts_refuses_to_start(tmp_path: Path, language: str) -> None:
    done = atelier(tmp_path, "serve", "--host", "0.0.0.0", "--port", "0", ATELIER_LANGUAGE=language)
    assert done.returncode == 2 and "atelier user add" in done.stderr
    assert ("démarré" if language == "fr" else "did not start") in done.stderr


@pytest.mark.timeout(300)
def test_a_turn_runs_through_the_same_door(tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("The workshop is on Monday in room 4.")
    text = "Write to Claire Fontaine at claire.fontaine@example.com"
    with Upstream(Say("Dear <PERSON_1>, see you on Monday.")) as upstream:
        model = {"ATELIER_MODEL_BASE": upstream.base, "OPENAI_API_KEY": "sample"}
        home = tmp_path / "home"
        told = atelier(home, "run", "email-drafter", "--input", text, "--file", str(note), **model)
        assert told.returncode == 0, told.stderr
        assert told.stdout.strip() == "Dear Claire Fontaine, see you on Monday."
        assert "masked" in told.stderr and "tr_" in told.stderr
        received = upstream.received.decode("utf-8", "replace")
        assert "Fontaine" not in received and "room 4" in received
        reply = as_json(atelier(home, "run", "email-drafter", "--input", "-", "--json",
                                given="Hello", **model))  # fmt: skip
        assert reply["status"] == "done" and reply["conversation"].startswith("c_")
        upstream.script = [Say(status=401)]
        failed = atelier(home, "run", "email-drafter", "--input", "Hi", ATELIER_LANGUAGE="fr",
                         **model)  # fmt: skip
        assert failed.returncode == 4 and "administrateur" in failed.stderr
        nobody = atelier(home, "run", "nobody", "--input", "Hi", **model)
        assert nobody.returncode == 2 and "Traceback" not in nobody.stderr
    shown = as_json(atelier(home, "audit", "list", "--json"))["rows"]
    assert len(shown) == 3 and "Fontaine" not in json.dumps(shown)
    one = atelier(home, "audit", "show", shown[-1]["trace_id"][:8])
    assert one.returncode == 0 and "model.call" in one.stdout


class Server:
    """A real server on a free port."""

    def __init__(self, home: Path, **more: str) -> None:
        self.process = subprocess.Popen(
            [*ATELIER, "serve", "--port", "0"],
            env=environment(home, **more),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert "http://" in line, self.process.communicate()
        self.address = next(word for word in line.split() if word.startswith("http://"))

    def wait(self, path: str, status: int, seconds: float = 90) -> httpx.Response:
        """The first answer with this status."""
        end = time.monotonic() + seconds
        while True:
            answer = httpx.get(self.address + path, timeout=30)
            if answer.status_code == status or time.monotonic() > end:
                assert answer.status_code == status, answer.text[:500]
                return answer
            time.sleep(0.2)

    def end(self, how: signal.Signals) -> tuple[int, str, str]:
        """Exit code, output, errors."""
        self.process.send_signal(how)
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that still run; zombies wait for nobody here."""
    _gone, left = psutil.wait_procs(processes, timeout=10)
    return [each for each in left if each.status() != psutil.STATUS_ZOMBIE]


def talk_until_killed(server: Server) -> None:
    """Kill -9 in the middle of an answer; no sealed process may stay."""
    where = f"{server.address}/api/v1/agents/email-drafter/messages"
    with httpx.stream("POST", where, json={"text": "A long story"}, timeout=90) as answer:
        for line in answer.iter_lines():
            if line == "event: delta":
                break
        sealed = psutil.Process(server.process.pid).children(recursive=True)
        assert sealed
        server.end(signal.SIGKILL)
    assert alive(sealed) == []


@pytest.mark.timeout(400)
def test_the_server_opens_first_refuses_a_second_and_survives_kill_in_mid_turn(
    tmp_path: Path,
) -> None:
    with Upstream(Say("word " * 400, delay=0.05)) as upstream:
        model = {"ATELIER_MODEL_BASE": upstream.base, "OPENAI_API_KEY": "sample"}
        server = Server(tmp_path, **model)
        first = httpx.get(server.address + "/api/v1/health", timeout=30)
        assert first.status_code == 200 and first.json()["warming"] is True
        second = atelier(tmp_path, "serve", "--port", "0", ATELIER_LANGUAGE="fr")
        assert second.returncode == 2 and server.address in second.stderr
        server.wait("/api/v1/me", 200)
        talk_until_killed(server)

        again = Server(tmp_path, **model)
        again.wait("/api/v1/me", 200)
        sealed = psutil.Process(again.process.pid).children(recursive=True)
        kept = httpx.get(again.address + "/api/v1/conversations", timeout=30).json()
        assert len(kept) == 1 and kept[0]["title"] == "A long story"
        code, _out, err = again.end(signal.SIGTERM)
        assert code == 0 and "Traceback" not in err and "Stopped" in err
        assert alive(sealed) == []
    assert as_json(atelier(tmp_path, "audit", "verify", "--json"))["ok"] is True
    with sqlite3.connect(tmp_path / "atelier.db") as db:
        # what was under way is known to have been under way
        unknown = db.execute(
            "select count(*) from ledger where step = 'outcome' and verdict = 'unknown'"
        ).fetchone()[0]
        open_ = db.execute(
            "select count(*) from ledger where step = 'intent' and seq not in "
            "(select intent from ledger where step = 'outcome')"
        ).fetchone()[0]
    assert unknown >= 1 and open_ == 0
