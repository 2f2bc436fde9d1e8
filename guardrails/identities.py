"""Which surface forms name the same thing. Knows nothing of placeholders or storage."""

import re
import unicodedata
from dataclasses import dataclass, field

_TITLES: dict[str, str] = {
    **dict.fromkeys(("mr", "mister", "m", "monsieur", "herr", "sir", "señor", "sr"), "m"),
    **dict.fromkeys(("mrs", "ms", "miss", "mme", "mlle", "madame", "mademoiselle", "frau"), "f"),
    **dict.fromkeys(("dr", "pr", "prof", "me", "maitre", "docteur", "doctor", "professeur"), ""),
}
_COMPACT = frozenset({"PHONE_NUMBER", "CREDIT_CARD", "IBAN_CODE", "FR_NIR", "FR_SIRET", "FR_SIREN"})
_APART = re.compile(r"[\s.\-()/]+")


def canonical(kind: str, value: str) -> str:
    """One spelling for forms of a value that differ in case, accents or spacing only."""
    if kind == "PERSON":
        return " ".join(Name.read(value).tokens)
    if kind in _COMPACT:
        return _APART.sub("", value).casefold()
    return " ".join(value.casefold().split())


@dataclass(frozen=True, slots=True)
class Name:
    """A person's name: folded tokens without titles, and what the title says of gender."""

    tokens: tuple[str, ...]
    gender: str = ""
    titled: bool = False

    @classmethod
    def read(cls, value: str) -> "Name":
        decomposed = unicodedata.normalize("NFD", value.casefold().replace("’", "'"))
        bare = "".join(char for char in decomposed if not unicodedata.combining(char))
        tokens: list[str] = []
        gender, titled = "", False
        for token in bare.replace(",", " ").split():
            word = token.removesuffix("'s").strip(".'\"")
            if not tokens and word in _TITLES:
                gender, titled = _TITLES[word] or gender, True
            elif word:
                tokens.append(word)
        return cls(tuple(tokens), gender, titled)


@dataclass(slots=True)
class _Person:
    """A person met in a conversation: every name form so far, the fullest, a title's gender."""

    forms: set[tuple[str, ...]] = field(default_factory=set)
    fullest: Name = field(default_factory=lambda: Name(()))
    gender: str = ""


class People:
    """The people of one conversation, by number. Finding one is constant in their count."""

    _CROWD = 32  # a token that this many people share links nobody

    def __init__(self) -> None:
        self._people: dict[int, _Person] = {}
        self._by_form: dict[tuple[str, ...], list[int]] = {}
        self._by_token: dict[str, list[int]] = {}

    def add(self, number: int, name: Name) -> None:
        """`name` is a form of person `number`."""
        if not name.tokens:
            return
        person = self._people.setdefault(number, _Person())
        person.gender = person.gender or name.gender
        if name.tokens in person.forms:
            return
        person.forms.add(name.tokens)
        if len(name.tokens) > len(person.fullest.tokens):
            person.fullest = name
        self._by_form.setdefault(name.tokens, []).append(number)
        for token in {name.tokens[0], name.tokens[-1]}:
            numbers = self._by_token.setdefault(token, [])
            if number not in numbers[-1:] and len(numbers) <= self._CROWD:
                numbers.append(number)

    def find(self, name: Name) -> int | None:
        """The one person that `name` can be; None when nobody or more than one can.

        The same form is the same person. A part ("Marie", "Mme Tremblay") links to a fuller name
        and a fuller name to a part, when exactly one fits. Titles of two genders never agree.
        """
        if not name.tokens:
            return None
        for number in self._by_form.get(name.tokens, ())[:8]:
            if self._gender_fits(name, number):
                return number
        matches: set[int] = set()
        for token in {name.tokens[0], name.tokens[-1]}:
            numbers = self._by_token.get(token, [])
            if len(numbers) > self._CROWD:
                return None
            matches |= {number for number in numbers if self._agrees(name, number)}
        return matches.pop() if len(matches) == 1 else None

    def _gender_fits(self, name: Name, number: int) -> bool:
        return len({name.gender, self._people[number].gender} - {""}) < 2

    def _agrees(self, name: Name, number: int) -> bool:
        known = self._people[number].fullest
        short, full = sorted((name, known), key=lambda item: len(item.tokens))
        if not self._gender_fits(name, number):
            return False
        if len(full.tokens) == 1:
            return short.tokens == full.tokens
        if len(short.tokens) == 1:
            ends = (full.tokens[-1],) if short.titled else (full.tokens[0], full.tokens[-1])
            return short.tokens[0] in ends
        return (short.tokens[0], short.tokens[-1]) == (full.tokens[0], full.tokens[-1]) or set(
            short.tokens
        ) == set(full.tokens)
