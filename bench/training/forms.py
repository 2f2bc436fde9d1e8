# ruff: noqa: E501, SIM905 - tables and patterns read better on one line
"""Written forms of persons and addresses, drawn at random."""

from bench.training.pools import Draw, Pool

_UNITS_EN = (
    "Apt. {n}",
    "Suite {n}",
    "Apt {n}",
    "Flat {s}",
    "Unit {s}",
    "Floor {s}",
    "#{n}",
    "Room {n}",
)
_UNITS_FR = (
    "Apt. {n}",
    "bât. {l}",
    "Bâtiment {l}",
    "appartement {s}",
    "{s}e étage",
    "escalier {l}",
    "résidence {w}",
)
_STATES = (
    "CA NY TX FL IL WA MA CO GA NJ VA OH PA AZ MI NC OR MN NSW VIC QLD ON QC BC AB SK PR GU MP EC KZN PA nan CO RJ SP"
).split()
_FR_TYPES = (
    "rue|rue|rue|avenue|boulevard|place|allée|chemin|impasse|quai|route|cours|square|passage|bd|av.|rue du|rue de la"
).split("|")
_FR_STREETS = (
    "Victor Hugo|Jean Jaurès|la République|la Gare|l'Église|Verdun|Pasteur|du Moulin|des Lilas|des Acacias|"
    "Général de Gaulle|du 8 mai 1945|du 11 Novembre|Saint-Martin|de la Liberté|des Tilleuls|du Château|Voltaire|"
    "Émile Zola|Gambetta|de Paris|des Écoles|du Faubourg Saint-Antoine|Molière|Jules Ferry|de l'Hôtel de Ville|"
    "Maréchal Foch|aux Fleurs|des Frères Lumière|de Bretagne|du Bois|du Lavoir|Sainte-Catherine|Jeanne d'Arc"
).split("|")
_EN_TYPES = "St|Street|Ave|Avenue|Road|Rd|Lane|Drive|Court|Place|Blvd|Terrace|Close|Way|Crescent|Gardens|Square".split(
    "|"
)


def person(d: Draw) -> str:
    r = d.r
    p: Pool | None = None if r.random() < 0.12 else d.pool()
    given, family, x = d.given(p), d.family(p), r.random()
    if r.random() < 0.06:
        family = f"{family}-{d.family(p)}"
    if r.random() < 0.05:
        given = f"{given}-{d.given(p)}"
    if x < 0.60:
        return f"{given} {family}"
    if x < 0.70:
        return f"{given} {r.choice('ABCDEFGHIJKLMNOPRSTVW')}{r.choice(['.', '.', ''])} {family}"
    if x < 0.75:
        return f"{given} {family.upper()}"
    if x < 0.79:
        return f"{family.upper()} {given}"
    if x < 0.83:
        return f"{given[0]}. {family}"
    if x < 0.87:
        return f"{given} {d.given(p)} {family}"
    if x < 0.90:
        return f"{family}, {given}"
    if x < 0.93:
        return f"{given} {r.choice(['de', 'van', 'von', 'da', 'del', 'van der', 'de la', 'al-', 'O’', 'Mc'])} {family}".replace(
            "- ", "-").replace("’ ", "’").replace("Mc ", "Mc")  # fmt: skip
    if x < 0.96:
        return f"{given[0]}.{family[0]}. {family}"
    return f"{given}  {family}" if r.random() < 0.3 else f"{given} {family}"


def unit(d: Draw) -> str:
    r = d.r
    form = r.choice(_UNITS_FR if d.language == "fr" and r.random() < 0.7 else _UNITS_EN)
    return form.format(
        n=r.randint(1, 999), s=r.randint(1, 40), l=r.choice("ABCDEFGH"), w=d.family()
    )


def street(d: Draw, p: Pool) -> str:
    """A street with its number, in the locale's order or in the others'."""
    r, x = d.r, d.r.random()
    number = r.choice(
        [
            str(r.randint(1, 250)),
            str(r.randint(1, 9999)),
            f"{r.randint(1, 90)}{r.choice(['bis', ' bis', ' ter', 'A', 'b'])}",
        ]
    )
    name = r.choice(p.streets)
    if (d.language == "fr" and x < 0.5) or x < 0.06:
        kind = r.choice(_FR_TYPES)
        who = r.choice(_FR_STREETS) if r.random() < 0.6 else r.choice((d.family(p), person(d)))
        return f"{number}{r.choice([' ', ' ', ', '])}{kind.split()[0]} {who}"
    if x < 0.3:
        return f"{number} {name}"
    if x < 0.55:
        return f"{name} {number}"
    if x < 0.68:
        return f"{r.randint(1, 999)} {d.family()} {r.choice(_EN_TYPES)}"
    if x < 0.74:
        return f"{name} {number} {d.family()} {r.choice([*_EN_TYPES, 'Point', 'Summit', 'Hill', 'Harbor', 'Crossroad', 'Turnpike', 'Radial', 'Loop', 'Union'])}"
    if x < 0.78:
        return f"P.O. Box {r.randint(1, 9999)}"
    if x < 0.82:
        return f"{d.family()} {r.choice(['u.', 'út', 'utca', 'Str.', 'gade', 'vej', 'gatan', 'tie', 'katu', 'vägen'])} {r.randint(1, 140)}{r.choice(['', '.'])}"
    if x < 0.86:
        return f"{r.choice(['Rua', 'Calle', 'Via', 'Viale', 'Avenida', 'Rue', 'Carrer', 'ul.', 'Plaza', 'Largo'])} {person(d)} {r.randint(1, 900)}"
    if x < 0.92:
        return f"{name}{r.choice([' ', ', '])}{number}"
    return f"{number} {name}{r.choice([' St', ' St.', ' street', ''])}"


def military(d: Draw) -> str:
    r = d.r
    tail = f"{r.choice(['APO', 'DPO', 'FPO'])} {r.choice(['AA', 'AE', 'AP'])} {r.randint(10000, 99999)}"
    head = r.choice([
        f"PSC {r.randint(1, 9999):04d}, Box {r.randint(1, 9999):04d}",
        f"Unit {r.randint(1, 9999):04d} Box {r.randint(1, 9999):04d}",
        f"{r.choice(['USCGC', 'USS', 'USNS', 'USNV'])} {d.family()}",
    ])  # fmt: skip
    return f"{head}{r.choice([chr(10), ', ', ' '])}{tail}"


def address(d: Draw) -> str:
    """A whole address: street, unit, town, state, country, code, in many orders and separators."""
    r, p, x = d.r, d.pool(), d.r.random()
    first, town, code = street(d, p), r.choice(p.towns), r.choice(p.postcodes)
    if r.random() < 0.12:
        town = town.upper()
    wrong = f"{r.randint(1, 99999):05d}"
    if x < 0.05 and d.language == "en":
        return military(d)
    sep = r.choice(["\n", ", ", "\n ", " ", ",\n", "\n\n", " - ", "\n    "])
    lead = (
        f"{r.choice([r.randint(1, 9999), wrong])} "
        if d.language == "en" and r.random() < 0.35
        else ""
    )
    room = f"{r.choice([' ', sep, ', '])}{unit(d)}" if r.random() < 0.45 else ""
    if x < 0.35:
        return f"{lead}{first}{room}{sep}{r.choice([code, wrong])} {town}" + (
            f"{sep}{p.country}" if r.random() < 0.4 else ""
        )
    if x < 0.50:
        return f"{lead}{first}{room}{sep}{town}{sep}{p.country} {wrong}"
    if x < 0.60:
        return f"{lead}{first}{room}{sep}{town}{r.choice([', ', sep + ', ', ' '])}{r.choice(_STATES)} {r.choice([wrong, code])}"
    if x < 0.66:
        return f"{lead}{first}{room}{sep}{town}{sep}, {r.choice(_STATES)}{sep}{p.country} {wrong}"
    if x < 0.72:
        return f"{lead}{first}{room}, {town}, {p.country}"
    if x < 0.78 and d.language == "en":
        return f"the corner of {first} and {d.family()} {r.choice(['Street', 'Avenue', 'Union', 'Harbor', 'Radial', 'Turnpike', 'Road', 'Lane'])}"
    if x < 0.84:
        return f"{lead}{first}"
    if x < 0.90:
        return f"{lead}{first}{room} {town} {r.choice([*_STATES, r.choice(p.towns)])}"
    if x < 0.95:
        return f"{unit(d)} {lead}{first}{sep}{town} {code}"
    return f"{lead}{first}{room}, {code} {town}, {p.country}"
