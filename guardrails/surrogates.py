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
from collections.abc import Callable, Mapping
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

    def dress(self, masked: str, kinds: Mapping[str, str]) -> str:
        """`masked` with a stand-in for each placeholder of `kinds` (`Vault.placeholders()`).

        Kinds without a stand-in keep their placeholder.
        """
        pieces: list[str] = []
        at = 0
        for found in scan(masked):
            kind = kinds.get(f"<{found.name}>")
            value = kind and not found.plain and self._stand_in(found.name, kind, masked)
            if value:
                pieces += (masked[at : found.start], value)
                at = found.end
        return "".join((*pieces, masked[at:]))

    def undress(self, text: str) -> str:
        """`text` with every stand-in turned back into its placeholder, longest first."""
        if not self._by_value:
            return text
        values = sorted(self._by_value, key=len, reverse=True)
        # values are our own, escaped; bounded by the number of placeholders
        pattern = re.compile("|".join(rf"(?<!\w){re.escape(value)}(?!\w)" for value in values))
        return pattern.sub(lambda match: f"<{self._by_value[match[0]]}>", text)

    def _stand_in(self, name: str, kind: str, around: str) -> str | None:
        make = MAKERS.get(kind)
        if make is None:
            return None
        if name not in self._by_name:
            for attempt in range(50):
                value = make(self._seed(name, attempt), self._region)
                if value not in self._by_value and value not in around:
                    self._by_name[name] = value
                    self._by_value[value] = name
                    break
            else:
                return None
        value = self._by_name[name]
        # a stand-in that really stands in this text would come back as the wrong person
        return None if value in around else value

    def _seed(self, name: str, attempt: int) -> int:
        digest = hmac.new(self._key, f"{name}\0{attempt}".encode(), hashlib.sha256).digest()
        return int.from_bytes(digest[:12], "big")


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
