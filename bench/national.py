# ruff: noqa: E501 - tables and patterns read better on one line
"""Generated texts with national identifiers, and near misses with one digit changed.

Values from Faker, whose providers compute the check digits; names of the numbers are ours, in
English, French and the country's own language. Seeded; used only to measure.
"""

import random
from collections.abc import Callable

from faker import Faker
from stdnum import verhoeff
from stdnum.eu import vat
from stdnum.kr import rrn

from bench.scoring import Row

EACH = 25  # values of a kind


def _ssn(locale: str) -> Callable[[], str]:
    return lambda: str(_faker(locale).ssn())


_FAKERS: dict[str, Faker] = {}


def _faker(locale: str) -> Faker:
    if locale not in _FAKERS:
        _FAKERS[locale] = Faker(locale)
        _FAKERS[locale].seed_instance(7)
    return _FAKERS[locale]


def _aadhaar() -> str:
    """Faker's are random digits: eleven of them, and the check digit (Verhoeff 1969)."""
    fake = _faker("en_IN")
    body = f"{fake.random_int(2, 9)}{fake.numerify('##########')}"
    value = body + str(verhoeff.calc_check_digit(body))
    return value if fake.boolean() else f"{value[:4]} {value[4:8]} {value[8:]}"


def _vat() -> str:
    """Faker's Polish and Portuguese ones are random digits: the first whose check digits hold."""
    locale = ("it_IT", "pl_PL", "pt_PT")[_faker("it_IT").random_int(0, 2)]
    while not vat.is_valid(value := str(_faker(locale).vat_id())):
        pass
    return value


def _rrn() -> str:
    """Faker's have months 0 to 12 and no check digit: a birth date, and the digit as until 2020."""
    fake = _faker("ko_KR")
    born = fake.date_of_birth(minimum_age=18)
    body = f"{born:%y%m%d}{1 + 2 * (born.year >= 2000) + fake.random_int(0, 1)}{fake.numerify('0####')}"
    return f"{body[:6]}-{body[6:]}{rrn.calc_check_digit(body)}"


# kind → how a value is made, and what people call it
KINDS: dict[str, tuple[Callable[[], str], tuple[str, ...]]] = {
    "AT_SSN": (_ssn("de_AT"), ("Austrian insurance number", "SVNR", "Sozialversicherungsnummer")),
    "BE_NATIONAL_NUMBER": (_ssn("nl_BE"), ("rijksregisternummer", "numéro national belge", "NISS")),
    "CA_SIN": (_ssn("en_CA"), ("SIN", "social insurance number", "NAS")),
    "CH_AHV": (_ssn("de_CH"), ("AHV", "numéro AVS", "Swiss social security")),
    "ES_NIE": (lambda: _faker("es_ES").nie(), ("NIE", "foreigner's number")),
    "ES_NIF": (lambda: _faker("es_ES").nif(), ("DNI", "NIF", "Spanish identity card")),
    "EU_VAT": (
        _vat,
        ("VAT", "numéro de TVA", "VAT number"),
    ),
    "FI_PERSONAL_IDENTITY_CODE": (_ssn("fi_FI"), ("henkilötunnus", "hetu", "Finnish identity code")),
    "IN_AADHAAR": (_aadhaar, ("Aadhaar", "Aadhaar number")),
    "IT_FISCAL_CODE": (_ssn("it_IT"), ("codice fiscale", "Italian fiscal code")),
    "KR_RRN": (_rrn, ("Korean RRN", "resident registration number")),
    "MAC_ADDRESS": (lambda: _faker("en_US").mac_address(), ("MAC", "adresse MAC", "interface")),
    "NL_BSN": (_ssn("nl_NL"), ("BSN", "burgerservicenummer", "Dutch citizen number")),
    "NO_FODSELSNUMMER": (_ssn("no_NO"), ("fødselsnummer", "personnummer", "Norwegian birth number")),
    "PL_PESEL": (lambda: _faker("pl_PL").pesel(), ("PESEL", "numer PESEL")),
    "RO_CNP": (_ssn("ro_RO"), ("CNP", "cod numeric personal")),
    "SE_PERSONNUMMER": (_ssn("sv_SE"), ("personnummer", "Swedish personal number")),
    "TH_TNIN": (_ssn("th_TH"), ("Thai national ID", "Thai ID card number")),
    "TR_NATIONAL_ID": (_ssn("tr_TR"), ("TC kimlik", "Turkish ID number")),
    "UUID": (lambda: str(_faker("en_US").uuid4()), ("request", "id", "trace")),
}  # fmt: skip
_TEXTS = {
    "en": ("My {name} is {v}.", "{name}: {v}", "Please note the {name} {v} of the applicant."),
    "fr": ("Mon {name} est {v}.", "{name} : {v}", "Voici le {name} {v} de la candidate."),
}
# (a Korean number has had no check digit since October 2020)
_CHECKED = frozenset(KINDS) - {"MAC_ADDRESS", "UUID", "EU_VAT", "AT_SSN", "CA_SIN", "KR_RRN"}


def rows() -> list[Row]:
    """Rows with one value each, and for checked kinds as many with a wrong digit and no span."""
    r = random.Random(5)
    found = []
    for kind, (make, names) in KINDS.items():
        for number in range(EACH):
            language = ("en", "fr")[number % 2]
            template = r.choice(_TEXTS[language]).replace("{name}", r.choice(names))
            value = make()
            found.append(_row(template, language, value, kind))
            if kind in _CHECKED:
                found.append(_row(template, language, _changed(r, value), ""))
    return found


def _row(template: str, language: str, value: str, kind: str) -> Row:
    start = template.index("{v}")
    spans = ((start, start + len(value), kind),) if kind else ()
    return Row(template.replace("{v}", value), language, spans, "generated")


def _changed(r: random.Random, value: str) -> str:
    """One digit near the end is another one."""
    places = [at for at, char in enumerate(value) if char.isdigit()][-4:]
    at = r.choice(places)
    return f"{value[:at]}{(int(value[at]) + r.randint(1, 9)) % 10}{value[at + 1 :]}"
