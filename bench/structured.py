# ruff: noqa: E501 - tables and patterns read better on one line
"""Generated texts with structured identifiers, English and French: values from Faker and check digits of our own.

Seeded. Sentences are ours; used only to measure, never to tune a single value.
"""

import random
from collections.abc import Callable

from faker import Faker

from bench.scoring import Row

_EN = {
    "EMAIL": ["Write to {v} please.", "email: {v}", "Contact ({v}) for details", "From {v}, yesterday", "{v}"],
    "PHONE": ["Call me on {v} tomorrow.", "Phone: {v}", "My mobile is {v}.", "tel {v}", "Fax {v}, open all day", "Reach us at {v} or by mail"],
    "IBAN": ["Please pay to {v}.", "IBAN: {v}", "My bank account {v} changed", "transfer to {v} today"],
    "CREDIT_CARD": ["My card number is {v}.", "Card {v} was declined", "pay with {v} please", "{v}", "credit card: {v}"],
    "US_SSN": ["My SSN is {v}.", "social security number {v}", "ssn: {v}", "Applicant {v} was verified"],
    "IP": ["Login from {v} failed.", "server {v} is down", "{v}", "ping {v} times out"],
    "URL": ["See {v} for details.", "website: {v}", "go to {v} now"],
    "DATE": ["He was born on {v}.", "Date of birth: {v}", "DOB {v}", "born {v} in a small town"],
    "FR_SIRET": ["Our SIRET is {v}.", "Company SIRET number {v}"],
    "FR_VAT": ["VAT number {v}", "Our VAT ID is {v}."],
}  # fmt: skip
_FR = {
    "EMAIL": ["Écrivez à {v} s'il vous plaît.", "courriel : {v}", "Contact ({v}) pour en savoir plus", "mail {v}"],
    "PHONE": ["Appelez-moi au {v} demain.", "Téléphone : {v}", "Mon portable est le {v}.", "Tél. {v}", "joignable au {v}", "Fax {v}, ouvert toute la journée", "{v}"],
    "IBAN": ["Merci de virer sur {v}.", "IBAN : {v}", "Mon compte {v} a changé", "virement vers {v} aujourd'hui"],
    "CREDIT_CARD": ["Ma carte est {v}.", "La carte {v} a été refusée", "payer avec {v}", "CB {v}", "{v}"],
    "FR_NIR": ["Mon numéro de sécurité sociale est {v}.", "NIR {v}", "n° sécu : {v}", "assurée {v}, dossier complet", "{v}"],
    "FR_SIRET": ["SIRET {v}", "Notre SIRET est le {v}.", "entreprise immatriculée {v}", "{v}"],
    "FR_SIREN": ["SIREN {v}", "RCS Lyon {v}", "société immatriculée sous le numéro {v}", "n° SIREN : {v}"],
    "FR_VAT": ["TVA intracommunautaire {v}", "n° TVA : {v}", "{v}"],
    "IP": ["Connexion depuis {v} refusée.", "le serveur {v} est en panne", "adresse IP {v}"],
    "URL": ["Voir {v} pour en savoir plus.", "site : {v}", "allez sur {v} maintenant"],
    "DATE": ["Elle est née le {v}.", "Date de naissance : {v}", "né le {v} dans un village"],
    "FR_PLATE": ["Ma voiture est immatriculée {v}.", "plaque {v}", "véhicule {v} garé au sous-sol"],
    "PASSPORT": ["Mon passeport est le {v}.", "passeport n° {v}"],
}  # fmt: skip


def _group(r: random.Random, digits: str, sizes: list[int]) -> str:
    parts, at = [], 0
    for size in sizes:
        parts.append(digits[at : at + size])
        at += size
    return r.choice([" ", " ", " ", ".", "-", ""]).join(
        [*parts, digits[at:]] if digits[at:] else parts
    )


def _luhn(body: str) -> str:
    for digit in "0123456789":
        total = 0
        for index, c in enumerate(reversed(body + digit)):
            n = int(c) * (2 if index % 2 else 1)
            total += n - 9 if n > 9 else n
        if total % 10 == 0:
            return body + digit
    raise AssertionError


def _makers(r: random.Random, fake: Faker, language: str) -> dict[str, Callable[[], str]]:
    def digits(n: int) -> str:
        return "".join(r.choice("0123456789") for _ in range(n))

    def nir() -> str:
        month, department = (
            f"{r.randint(1, 12):02d}",
            r.choice([f"{r.randint(1, 95):02d}", "2A", "2B"]),
        )
        body = f"{r.choice('12')}{digits(2)}{month}{department}{r.randint(1, 990):03d}{r.randint(1, 999):03d}"
        number = int(body.replace("2A", "19").replace("2B", "18"))
        return (
            _group(r, f"{body}{97 - number % 97:02d}", [1, 2, 2, 2, 3, 3, 2])
            if r.random() < 0.8
            else f"{body} {97 - number % 97:02d}"
        )

    def siren() -> str:
        return _luhn(str(r.randint(3, 9)) + digits(7))

    def siret() -> str:
        return _group(r, _luhn(siren() + "000" + digits(1)), [3, 3, 3, 5])

    def vat() -> str:
        number = siren()
        key = (12 + 3 * (int(number) % 97)) % 97
        return r.choice(
            [
                f"FR{key:02d}{number}",
                f"FR {key:02d} {number[:3]} {number[3:6]} {number[6:]}",
                f"FR{key:02d} {number}",
            ]
        )

    def card() -> str:
        prefix, length = r.choice(
            [
                ("4", 16),
                ("51", 16),
                ("2221", 16),
                ("2720", 16),
                ("5299", 16),
                ("37", 15),
                ("6011", 16),
                ("36", 14),
                ("3566", 16),
            ]
        )
        value = _luhn(prefix + digits(length - len(prefix) - 1))
        return (
            _group(r, value, [4, 4, 4, 4])
            if length == 16
            else _group(r, value, [4, 6, 5])
            if length == 15
            else value
        )

    def iban() -> str:
        from stdnum import iban as std

        value = str(Faker(r.choice(["de_DE", "fr_FR", "en_GB", "es_ES", "it_IT", "nl_NL"])).iban())
        return str(std.format(value)) if r.random() < 0.6 else value

    def phone() -> str:
        if language == "fr":
            body = f"{r.choice('1234567')}{digits(8)}"
            pairs = [body[1:3], body[3:5], body[5:7], body[7:9]]
            s = r.choice([" ", ".", "-", ""])
            return r.choice(
                [
                    f"0{body[0]}{s}{s.join(pairs)}",
                    f"+33 {body[0]} {' '.join(pairs)}",
                    f"+33{body}",
                    f"0033 {body[0]} {' '.join(pairs)}",
                    f"+33 (0){body[0]} {' '.join(pairs)}",
                ]
            )
        area, mid, last = (
            r.choice(["212", "415", "617", "312", "206", "303"]),
            f"{r.randint(2, 9)}{digits(2)}",
            digits(4),
        )
        return r.choice(
            [
                f"({area}) {mid}-{last}",
                f"{area}-{mid}-{last}",
                f"{area}.{mid}.{last}",
                f"+1 {area} {mid} {last}",
                f"+1-{area}-{mid}-{last}",
                f"001-{area}-{mid}-{last}",
                f"+44 20 7{digits(3)} {digits(4)}",
                f"020 7946 0{digits(3)}",
                f"+49 30 {digits(7)}",
            ]
        )

    def ssn() -> str:
        return f"{r.randint(100, 665)}-{r.randint(10, 99)}-{r.randint(1000, 9999)}"

    def when() -> str:
        day, month, year = r.randint(1, 28), r.randint(1, 12), r.randint(1940, 2005)
        names = (
            "janvier février mars avril mai juin juillet août septembre octobre novembre décembre"
            if language == "fr"
            else "January February March April May June July August September October November December"
        )
        name = names.split()[month - 1]
        return r.choice(
            [
                f"{day:02d}/{month:02d}/{year}",
                f"{day} {name} {year}",
                f"{year}-{month:02d}-{day:02d}",
                f"{day:02d}.{month:02d}.{year}",
            ]
        )

    letters = "ABCDEFGHJKLMNPQRSTVWXYZ"
    return {
        "EMAIL": lambda: fake.email() if r.random() < 0.7 else fake.email().replace("@", f"+{r.choice(['news', 'x1'])}@"),
        "PHONE": phone, "IBAN": iban, "CREDIT_CARD": card, "US_SSN": ssn, "FR_NIR": nir, "FR_SIRET": siret,
        "FR_SIREN": lambda: _group(r, siren(), [3, 3, 3]), "FR_VAT": vat,
        "IP": lambda: fake.ipv4() if r.random() < 0.7 else fake.ipv6(),
        "URL": lambda: r.choice([fake.url(), fake.uri(), "www." + fake.domain_name(), fake.domain_name()]),
        "DATE": when,
        "FR_PLATE": lambda: f"{r.choice(letters)}{r.choice(letters)}-{r.randint(1, 999):03d}-{r.choice(letters)}{r.choice(letters)}",
        "PASSPORT": lambda: f"{r.randint(10, 25)}{r.choice(letters)}{r.choice(letters)}{digits(5)}",
    }  # fmt: skip


def rows(language: str, count: int = 400, seed: int = 4) -> list[Row]:
    """Rows with one or two values each."""
    r = random.Random(seed)
    Faker.seed(seed)
    fake = Faker("fr_FR" if language == "fr" else "en_US")
    fake.seed_instance(seed)
    table = _FR if language == "fr" else _EN
    makers = _makers(r, fake, language)
    found = []
    for number in range(count):
        text, spans = "", []
        for _ in range(1 + number % 2):
            kind = r.choice(sorted(table))
            head, tail = r.choice(table[kind]).split("{v}")
            value = makers[kind]()
            text += ("\n" if text else "") + head
            spans.append((len(text), len(text) + len(value), kind))
            text += value + tail
        found.append(Row(text, language, tuple(spans), "own structured"))
    return found
