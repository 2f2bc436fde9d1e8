"""Provider keys come from a file that only its owner may read."""

from pathlib import Path

import pytest

from guardrails.errors import BadInput
from sandbox.broker.secrets_file import load_secrets


def written(tmp_path: Path, text: str, mode: int = 0o600) -> Path:
    file = tmp_path / "keys"
    file.write_text(text)
    file.chmod(mode)
    return file


def test_the_file_overlays_the_environment(tmp_path: Path) -> None:
    file = written(tmp_path, "# keys\n\nexport OPENAI_API_KEY='sk-file'\nAZURE_API_KEY = az\n")
    found = load_secrets(file, {"OPENAI_API_KEY": "sk-env", "OTHER": "kept"})
    assert dict(found) == {"OPENAI_API_KEY": "sk-file", "AZURE_API_KEY": "az", "OTHER": "kept"}


def test_no_representation_shows_a_value(tmp_path: Path) -> None:
    found = load_secrets(written(tmp_path, "OPENAI_API_KEY=sk-file"), {})
    assert "sk-file" not in f"{found} {found!r}"
    assert "OPENAI_API_KEY" in repr(found)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o622])
def test_a_file_that_others_may_open_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(BadInput) as caught:
        load_secrets(written(tmp_path, "A=b", mode), {})
    assert caught.value.code == "secrets-file-open"


def test_a_line_that_is_no_setting_is_named_by_number_not_by_content(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        load_secrets(written(tmp_path, "A=b\nsk-very-secret\n"), {})
    assert caught.value.code == "secrets-file-line"
    assert caught.value.data["line"] == 2
    assert "very-secret" not in str(caught.value)


@pytest.mark.parametrize("name", ["missing", "."])
def test_a_missing_file_or_a_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput) as caught:
        load_secrets(tmp_path / name, {})
    assert caught.value.code == "secrets-file-missing"
