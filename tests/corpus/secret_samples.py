"""Secrets made anew from the forms of `secrets.yaml`."""

import random
import re
import string
from pathlib import Path

import yaml

_RAW = yaml.safe_load((Path(__file__).parent / "secrets.yaml").read_text(encoding="utf-8"))
NOT_SECRETS: list[str] = _RAW["not_secrets"]
_ALPHABET = {
    "an": string.ascii_letters + string.digits, "hex": "0123456789abcdef", "d": string.digits,
    "up": "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "b64": string.ascii_letters + string.digits + "+/",
    "w": string.ascii_letters + string.digits + "_-",
}  # fmt: skip
_SLOT = re.compile(r"\{(an|hex|d|up|b64|w):(\d+)\}")


def samples(each: int = 3, seed: int = 9) -> list[tuple[str, int, int]]:
    """`(text, start, end)`: the span from the first to the last random part."""
    r = random.Random(seed)  # noqa: S311 - samples, not keys
    found = []
    for form in _RAW["secrets"]:
        for _ in range(each):
            text, at, spans = "", 0, []
            for slot in _SLOT.finditer(form["text"]):
                text += form["text"][at : slot.start()]
                value = "".join(r.choices(_ALPHABET[slot.group(1)], k=int(slot.group(2))))
                value = value[:-1] + "a" if value[-1] in "-_+/" else value
                spans.append((len(text), len(text) + len(value)))
                text += value
                at = slot.end()
            text += form["text"][at:]
            found.append((text, spans[0][0], spans[-1][1]))
    return found
