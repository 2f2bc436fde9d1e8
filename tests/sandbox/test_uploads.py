"""Files of a conversation at rest."""

import os
from pathlib import Path

import pytest

from guardrails.errors import BadInput, GuardrailError
from guardrails.keys import Keys
from sandbox.uploads import Uploads, safe_name

CONVERSATION = "c_" + "0" * 20
OTHER = "c_" + "1" * 20


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    return Uploads(tmp_path / "files", Keys(b"k" * 32))


def test_an_upload_comes_back_and_is_unreadable_on_the_disk(
    uploads: Uploads, tmp_path: Path
) -> None:
    uploads.keep_upload(CONVERSATION, "u_1", "Paie été.csv", b"Marie Tremblay,1200")
    assert uploads.uploads(CONVERSATION) == {"Paie été.csv": b"Marie Tremblay,1200"}
    for file in (tmp_path / "files").rglob("*_*"):
        if file.is_file():
            assert b"Marie" not in file.read_bytes()
            assert "Paie" not in file.name
            assert file.stat().st_mode & 0o077 == 0


def test_an_artefact_is_its_owners_alone(uploads: Uploads) -> None:
    made = uploads.keep_artefact(CONVERSATION, "u_1", "chart.png", "image/png", b"png")
    assert uploads.artefact(made.id, "u_1").data == b"png"
    for id, owner in ((made.id, "u_2"), ("f_" + "9" * 20, "u_1"), ("../../master.key", "u_1")):
        with pytest.raises(BadInput, match="file-not-found"):
            uploads.artefact(id, owner)


def test_a_file_moved_to_another_conversation_does_not_open(
    uploads: Uploads, tmp_path: Path
) -> None:
    kept = uploads.keep_upload(CONVERSATION, "u_1", "a.txt", b"secret")
    uploads.keep_upload(OTHER, "u_2", "b.txt", b"other")
    (tmp_path / "files" / CONVERSATION / kept.id).rename(tmp_path / "files" / OTHER / kept.id)
    with pytest.raises(GuardrailError, match="file-damaged"):
        uploads.uploads(OTHER)


def test_forgetting_removes_every_file(uploads: Uploads, tmp_path: Path) -> None:
    uploads.keep_upload(CONVERSATION, "u_1", "a.txt", b"x")
    uploads.forget(CONVERSATION)
    assert uploads.uploads(CONVERSATION) == {}


def test_what_cannot_be_erased_does_not_count_as_erased(
    uploads: Uploads, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads.keep_upload(CONVERSATION, "u_1", "a.txt", b"x")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    with monkeypatch.context() as broken:
        broken.setattr(os, "unlink", refuse)
        with pytest.raises(PermissionError):
            uploads.forget(CONVERSATION)
    uploads.forget(CONVERSATION)
    uploads.forget(CONVERSATION)  # nothing to erase is no error
    assert uploads.uploads(CONVERSATION) == {}


def test_a_disk_that_refuses_is_a_clear_error() -> None:
    with pytest.raises(GuardrailError, match="disk-full"):
        Uploads(Path("/dev/full"), Keys(b"k" * 32)).keep_upload(CONVERSATION, "u", "a", b"x")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\notes.txt", "notes.txt"),
        ("a\x00b\n.txt", "ab.txt"),
        ("…", "…"),
        ("", "file"),
        ("...", "file"),
        ("x" * 300 + ".xlsx", "x" * 115 + ".xlsx"),
    ],
)
def test_names_lose_everything_dangerous(given: str, kept: str) -> None:
    assert safe_name(given) == kept
