"""Lists of words: what is no name, what one language alone has. They lie in `words/*.txt`."""

from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "words"


@cache
def listed(name: str) -> frozenset[str]:
    """The words of `words/<name>.txt`, lower case. Lines that begin with `#` are remarks."""
    lines = (_FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if line[:1] != "#" for word in line.split())


def not_names() -> frozenset[str]:
    """A PERSON or LOCATION made only of these words is no name."""
    return listed("not-names")
