"""Realistic stand-ins for placeholders, for agents that need natural text. Optional.

`dress` puts a French name where a French name was, a number that passes its check digit where a
card was; `undress` turns them back into placeholders, which the vault then restores. Stand-ins come
from ranges that belong to nobody: numbers reserved for fiction (ARCEP decision 2018-0881, Ofcom,
NANP 555-01), example domains (RFC 2606), documentation addresses (RFC 5737), bank code 00000.
Knows nothing of values: it sees masked text only.
"""

import hashlib
import hmac
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Literal

from guardrails.placeholders import scan

Region = Literal["en", "fr"]

_GIVEN = {
    "fr": "Camille Claude Dominique Maxence Sacha Alix Noa Charlie Lou Andrea Eden Morgan Yaël Maé"
    " Ange Céleste Loïs Sasha Élie Gwenn",
    "en": "Alex Taylor Jordan Casey Riley Morgan Avery Quinn Rowan Skyler Reese Blake"
    " Emerson Finley"
    " Harper Jamie Kendall Logan Parker Sawyer",
}
_FAMILY = {
    "fr": "Beauvallon Chantereine Duvernoy Fontclaire Grandmaison Hautecœur Larivoire Montbrillant"
    " Noirmont Peyrelongue Rochebrune Sainclair Tourneville Valombreuse Verdelet Aubespin"
    " Brisemont Courtelune Malvallée",
    "en": "Ashbourne Brightwell Coldwater Dunmore Everglade Fairbrook Greystone Hollowell Ironwood"
    " Kingsmere Larkspur Merriwood Northgate Oakhurst Pennyfield Ravensworth Silverdale Thornbury"
    " Underhill Westbrook",
}
_STREETS = {
    "fr": "rue des Tilleuls|avenue du Moulin|place des Érables|chemin du Lavoir|allée des"
    " Cerisiers",
    "en": "Maple Street|Mill Lane|Harbour Road|Orchard Avenue|Station Crescent",
}
_TOWNS = {
    "fr": "Valmontagne|Clairbois-sur-Orne|Saint-Aubrac|Montferrel|Beaurivage",
    "en": "Eastmere|Wickford Vale|Marlowe Bay|Stonebridge Falls|Ashdown Heath",
}
_COMPANIES = {"fr": "Ateliers du Phare|Maison Solanum|Groupe Hélianthe", "en": "Larkfield|Solanum"}


class Surrogates:
    """Stand-ins for one conversation: stable, distinct, and absent from the text around them."""

    def __init__(self, key: bytes, region: Region = "en") -> None:
        self._key = key
        self._region: Region = region
        self._by_name: dict[str, str] = {}
        self._by_value: dict[str, str] = {}
        self._kinds: dict[str, str] = {}
        self._around = ""  # everything dressed so far, as it was

    def dress(self, masked: str, kinds: Mapping[str, str]) -> str:
        """`masked` with a stand-in for each placeholder of `kinds` (`Vault.placeholders()`).

        Kinds without a stand-in keep their placeholder, and so does a text that would not come back
        exactly: `undress(dress(x)) == x` for every text of this vault.
        """
        return self.dress_all([masked], kinds)[0]

    def dress_all(self, texts: Sequence[str], kinds: Mapping[str, str]) -> list[str]:
        """Several texts of one conversation: no stand-in of one stands in another by chance."""
        self._around += "\n" + "\n".join(texts)
        dressed = [self._dressed(text, kinds) for text in texts]
        # a later text may have brought a stand-in that an earlier one shares a word with
        return [
            new if self.undress(new) == text else text
            for new, text in zip(dressed, texts, strict=True)
        ]

    def undress(self, text: str) -> str:
        """`text` with every stand-in turned back into its placeholder, longest first.

        A person's first or last name alone counts too, where it can only mean that person.
        """
        values = self._readable()
        if not values:
            return text
        # values are our own, escaped; bounded by the number of placeholders
        longest_first = sorted(values, key=len, reverse=True)
        pattern = re.compile(
            "|".join(rf"(?<!\w){re.escape(value)}(?!\w)" for value in longest_first)
        )
        return pattern.sub(lambda match: f"<{values[match[0]]}>", text)

    async def undress_stream(self, chunks: AsyncIterator[str]) -> AsyncIterator[str]:
        """The same over a stream: what may still become a stand-in waits, nothing else does."""
        waiting, before = "", ""
        async for chunk in chunks:
            waiting += chunk
            cut = self._open(before, waiting)
            if cut:
                out = self.undress(before + waiting[:cut])[len(self.undress(before)) :]
                yield out
                before, waiting = waiting[cut - 1 : cut], waiting[cut:]
        if waiting:
            yield self.undress(before + waiting)[len(self.undress(before)) :]

    def _open(self, before: str, waiting: str) -> int:
        """Where text begins that more could complete or change."""
        values = self._readable()
        longest = max(map(len, values), default=0)
        text = before + waiting
        for start in range(max(len(before), len(text) - longest), len(text)):
            if start and _letter(text[start - 1]) and _letter(text[start]):
                continue  # inside a word no stand-in begins
            tail = text[start:]
            # a whole stand-in at the very end waits too: one more letter would make it a word
            if any(value.startswith(tail) for value in values):
                return start - len(before)
        return len(waiting)

    def _dressed(self, masked: str, kinds: Mapping[str, str]) -> str:
        out = ""
        at = 0
        for found in scan(masked):
            kind = kinds.get(f"<{found.name}>")
            if not kind or masked[found.start : found.end] != f"<{found.name}>":
                continue
            out += masked[at : found.start]
            at = found.start
            joined = _letter(out[-1:]) or _letter(masked[found.end : found.end + 1])
            value = None if joined else self._stand_in(found.name, kind)
            if value:
                out += value
                at = found.end
        return out + masked[at:]

    def _stand_in(self, name: str, kind: str) -> str | None:
        make = MAKERS.get(kind)
        if make is None:
            return None
        if name not in self._by_name:
            for attempt in range(50):
                value = make(self._seed(name, attempt), self._region)
                if value not in self._by_value and value not in self._around:
                    self._by_name[name] = value
                    self._by_value[value] = name
                    self._kinds[name] = kind
                    break
            else:
                return None
        value = self._by_name[name]
        # a stand-in that really stands in this text would come back as the wrong person
        return None if value in self._around else value

    def _readable(self) -> dict[str, str]:
        """What reads as a stand-in → placeholder name: whole values, and single names of people."""
        parts: dict[str, set[str]] = {}
        for value, name in self._by_value.items():
            if self._kinds[name] == "PERSON":
                for part in value.split():
                    parts.setdefault(part, set()).add(name)
        words = set(re.findall(r"\w+", self._around))
        alone = {
            part: next(iter(names))
            for part, names in parts.items()
            if len(names) == 1 and part not in words and part not in self._by_value
        }
        return {**alone, **self._by_value}

    def _seed(self, name: str, attempt: int) -> int:
        digest = hmac.new(self._key, f"{name}\0{attempt}".encode(), hashlib.sha256).digest()
        return int.from_bytes(digest[:12], "big")


def _letter(text: str) -> bool:
    return bool(re.fullmatch(r"\w", text))


def luhn(body: str) -> str:
    """`body` with its Luhn check digit (ISO/IEC 7812-1)."""
    total = 0
    for index, char in enumerate(reversed(body)):
        digit = int(char) * (2 if index % 2 == 0 else 1)
        total += digit - 9 if digit > 9 else digit
    return body + str(-total % 10)


def _pick(seed: int, words: str, separator: str | None = None) -> str:
    options = words.split(separator)
    return options[seed % len(options)]


def _person(seed: int, region: Region) -> str:
    return f"{_pick(seed, _GIVEN[region])} {_pick(seed // 97, _FAMILY[region])}"


def _email(seed: int, region: Region) -> str:
    return f"{_pick(seed, _GIVEN['en']).lower()}.{seed // 97 % 9973}@example.org"


def _phone(seed: int, region: Region) -> str:
    if region == "fr":
        digits = f"{seed % 10_000:04d}"
        return f"06 39 98 {digits[:2]} {digits[2:]}"
    return f"+1 202 555 01{seed % 100:02d}"


def _card(seed: int, region: Region) -> str:
    number = luhn(f"400000{seed % 10**9:09d}")  # a range used for tests only
    return " ".join(number[at : at + 4] for at in range(0, 16, 4))


def _iban(seed: int, region: Region) -> str:
    body = f"0000000000{seed % 10**11:011d}"
    body += f"{97 - int(body + '00') % 97:02d}"  # the French account key
    check = 98 - int(f"{body}152700") % 97  # ISO 13616: F = 15, R = 27
    return f"FR{check:02d}{body}"


def _nir(seed: int, region: Region) -> str:
    born = f"{seed // 2 % 100:02d}{1 + seed // 200 % 12:02d}"
    body = f"{1 + seed % 2}{born}99990{seed // 2400 % 1000:03d}"
    return f"{body}{97 - int(body) % 97:02d}"


def _address(seed: int, region: Region) -> str:
    street, town = _pick(seed, _STREETS[region], "|"), _pick(seed // 89, _TOWNS[region], "|")
    number = 100 + seed // 7 % 800
    return f"{number}, {street}, {town}" if region == "fr" else f"{number} {street}, {town}"


def _siret(seed: int, region: Region) -> str:
    siren = luhn(f"000{seed % 10**5:05d}")
    return luhn(f"{siren}{seed // 10**5 % 10**4:04d}")


MAKERS: dict[str, Callable[[int, Region], str]] = {
    "PERSON": _person,
    "EMAIL_ADDRESS": _email,
    "PHONE_NUMBER": _phone,
    "CREDIT_CARD": _card,
    "IBAN_CODE": _iban,
    "FR_NIR": _nir,
    "FR_SIREN": lambda seed, region: luhn(f"000{seed % 10**5:05d}"),
    "FR_SIRET": _siret,
    "IP_ADDRESS": lambda seed, region: f"192.0.2.{1 + seed % 254}",
    "URL": lambda seed, region: f"https://example.org/{seed % 10**6}",
    "LOCATION": _address,
    "ORGANIZATION": lambda seed, region: (
        f"{_pick(seed, _COMPANIES[region], '|')} {seed // 31 % 900 + 100}"
    ),
}
