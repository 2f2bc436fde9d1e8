# ruff: noqa: E501, SIM905 - tables and patterns read better on one line
"""Generated training texts with exact spans: templates, filled, varied. Seeded, no files read."""

from collections.abc import Iterator
from string import Formatter

from bench.training import forms, templates_en, templates_fr
from bench.training.pools import Draw

Example = tuple[str, list[tuple[int, int, str]]]

_LABEL = {
    "person": "PERSON", "given": "PERSON", "family": "PERSON", "town": "GPE", "country": "GPE",
    "org": "ORG", "address": "ADDRESS", "street": "ADDRESS",
}  # fmt: skip
FRENCH_LABELS = {"PERSON": "PER", "GPE": "LOC", "ORG": "ORG", "ADDRESS": "ADDRESS"}
_ARTICLES = ("la ", "le ", "l'", "les ", "the ")
_ROLES = {
    "en": "analyst|project manager|nurse|accountant|engineer|sales director|consultant|teacher|HR partner|developer".split("|"),
    "fr": "analyste|chef de projet|infirmière|comptable|ingénieur|directrice commerciale|consultant|développeuse".split("|"),
}  # fmt: skip
_DEPTS = {
    "en": "Finance|Marketing|Legal|Human Resources|IT Support|Operations|Procurement".split("|"),
    "fr": "Finance|Marketing|Juridique|Ressources humaines|Support|Achats|Logistique".split("|"),
}  # fmt: skip
_DAYS = {
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(),
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche".split(),
}
_MONTHS = {
    "en": "January February March April May June July August September October November December".split(),
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split(),
}
_NATIONS = {
    "en": "French German Turkish Polish Greek Russian British Italian Dutch Spanish Croatian Austrian".split(),
    "fr": "français allemand turc polonais grec russe britannique italien belge espagnol marocain".split(),
}
_TITLES = {
    "en": "Mr|Ms|Mrs|Dr|Mr.|Ms.|Mrs.|Dr.|Miss|Professor".split("|"),
    "fr": "M.|Mme|Monsieur|Madame|Me|Maître|Dr|Mlle|Docteur".split("|"),
}  # fmt: skip


def _plain(d: Draw, slot: str) -> str:
    r, lang = d.r, d.language
    if slot == "date":
        day, month, year = r.randint(1, 28), r.randint(1, 12), r.randint(1940, 2026)
        word = _MONTHS[lang][month - 1]
        return r.choice([f"{day} {word} {year}", f"{month}/{day}/{year}", f"{day:02d}/{month:02d}/{year}",
                         f"{year}-{month:02d}-{day:02d}", f"{word} {day}, {year}" if lang == "en" else f"{day} {word}"])  # fmt: skip
    simple = {
        "year": lambda: str(r.randint(1900, 2026)),
        "time": lambda: f"{r.randint(7, 20)}{r.choice([':', 'h']) if lang == 'fr' else ':'}{r.randint(0, 59):02d}",
        "n": lambda: str(r.randint(1, 99)),
        "ref": lambda: f"{r.choice(['INC', 'REF-', 'SID-', 'PO', 'A', 'C02'])}{r.randint(100, 99999)}{r.choice(['', '-X', 'B'])}",
        "amount": lambda: r.choice([f"€{r.randint(5, 9000)}", f"{r.randint(5, 900)},{r.randint(10, 99)} €", f"${r.randint(5, 9000)}.00"]),
        "email": lambda: f"{r.choice('abcdeflmprs')}.{r.choice(['info', 'contact', 'x', 'sales', 'rh'])}{r.randint(1, 99)}@example.{r.choice(['com', 'fr', 'org'])}",
        "phone": lambda: r.choice([f"+33 6 {r.randint(10, 99)} {r.randint(10, 99)} {r.randint(10, 99)} {r.randint(10, 99)}",
                                   f"({r.randint(200, 999)}) {r.randint(200, 999)}-{r.randint(1000, 9999)}", f"0{r.randint(1, 9)} {r.randint(10, 99)} {r.randint(10, 99)} {r.randint(10, 99)} {r.randint(10, 99)}"]),
        "role": lambda: r.choice(_ROLES[lang]),
        "dept": lambda: r.choice(_DEPTS[lang]),
        "day": lambda: r.choice(_DAYS[lang]),
        "nat": lambda: r.choice(_NATIONS[lang]),
        "title": lambda: r.choice(_TITLES[lang]),
    }  # fmt: skip
    return simple[slot]()


def fill(d: Draw, template: str) -> Example:
    """One template filled; spans of labelled slots."""
    text, spans = "", []
    for literal, slot, _, _ in Formatter().parse(template):
        text += literal
        if slot is None:
            continue
        if slot not in _LABEL:
            text += _plain(d, slot)
            continue
        value = {
            "person": lambda: forms.person(d), "given": d.given, "family": d.family, "town": d.town,
            "country": d.country, "org": d.org, "address": lambda: forms.address(d),
            "street": lambda: forms.street(d, d.pool()),
        }[slot]()  # fmt: skip
        start = len(text)
        if slot in ("country", "org"):  # French articles stand outside
            for article in _ARTICLES:
                if value.lower().startswith(article) and value[:1].islower():
                    start += len(article)
        text += value
        label = _LABEL[slot]
        if (
            spans
            and slot == "family"
            and spans[-1][2] == label
            and text[spans[-1][1] : start] == " "
        ):
            start = spans.pop()[0]  # "{given} {family}" is one person
        spans.append((start, len(text), label))
    return text, spans


def _spread_quotes(example: Example, mark: str) -> Example:
    """Put the mail's quote marker before every line inside the spans too."""
    text, spans = example
    out, mapping, at_line = "", [], False
    for character in text:
        if at_line and character not in ">\n":
            out += mark
        mapping.append(len(out))
        out += character
        at_line = character == "\n"
    mapping.append(len(out))
    return out, [(mapping[s], mapping[e - 1] + 1, label) for s, e, label in spans]


def _vary(d: Draw, example: Example) -> Example:
    text, spans = example
    x = d.r.random()
    if x < 0.07 and len(text.lower()) == len(text):
        return text.lower(), spans
    if x < 0.10 and len(text.upper()) == len(text):
        return text.upper(), spans
    if x < 0.14 and d.language == "fr":
        plain = text.translate(str.maketrans("éèêëàâîïôöùûüç", "eeeeaaiioouuuc"))
        return plain, spans
    if x < 0.17 and "\n" in text:
        return _spread_quotes(example, d.r.choice(["> ", ">", "| ", "*** "]))
    return example


def examples(count: int, language: str, seed: int = 1) -> Iterator[Example]:
    """`count` texts with spans labelled PERSON, GPE, ORG, ADDRESS (the English model's names)."""
    d = Draw(seed, language)
    source = templates_en if language == "en" else templates_fr
    groups = [
        [line.replace("\\n", "\n").replace("\\t", "\t") for line in block.strip().split("\n")]
        for block in (source.TASKS, source.NARRATIVE, source.COURT, source.PLAIN)
    ]
    made = 0
    while made < count:
        kind = d.r.choices(range(4), (50, 20, 12, 18))[0]
        one = _vary(d, fill(d, d.r.choice(groups[kind])))
        joined = one
        # paragraphs of several sentences: context from neighbours, as in real messages
        while kind in (1, 2, 3) and d.r.random() < 0.45 and len(joined[0]) < 700:
            other = fill(d, d.r.choice(groups[d.r.choice((kind, kind, 0, 3))]))
            glue = d.r.choice([" ", " ", "\n", "\n\n"])
            by = len(joined[0]) + len(glue)
            joined = (
                joined[0] + glue + other[0],
                [*joined[1], *((s + by, e + by, label) for s, e, label in other[1])],
            )
        made += 1
        yield joined
