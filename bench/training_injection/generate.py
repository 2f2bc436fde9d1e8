"""Make labelled texts from the phrase files: attacks, benign look-alikes, clean documents.

Phrase files hold one template a line. `(a|b|)` chooses, `{slot}` inserts a line of that section,
`{Slot}` with a capital, `{SLOT}` in capitals; `\\n` is a line break and a backslash escapes.
"""

import base64
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "phrases"
_SLOT = re.compile(r"(?<!\\)\{([A-Za-z_0-9]+)\}")
_CHOICE = re.compile(r"(?<!\\)\(((?:[^()\\]|\\.)*\|(?:[^()\\]|\\.)*)\)")
_OPTIONAL = re.compile(r"(?<!\\)\(([^()|\\]*)\)\?")
_LETTER = re.compile(r"(?<=\w)(?:s\?(?=[|)])|u\?(?=r)|ions?\?(?=[|)]))")


@dataclass(frozen=True)
class Row:
    """One text. `group` names the template it came from, for held-out validation.

    `parts` are its segments with what they are: attack, ask (a person asks) or document.
    """

    text: str
    label: int
    group: str
    parts: tuple[tuple[str, str], ...] = ()


def load() -> dict[str, dict[str, list[str]]]:
    """File stem → section → lines."""
    files: dict[str, dict[str, list[str]]] = {}
    for file in sorted(FOLDER.glob("*.txt")):
        sections: dict[str, list[str]] = {}
        lines: list[str] = []
        for line in file.read_text("utf-8").splitlines():
            if line.startswith("# "):
                lines = sections.setdefault(line[2:].strip(), [])
            elif line.strip():
                lines.append(_LETTER.sub("", line.replace("[sz]", "s").replace(",?", "(,|)")))
        files[file.stem] = sections
    return files


class Writer:
    """Expands templates with a seeded generator."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.files = load()
        self.slots: dict[str, list[str]] = {}
        for stem, sections in self.files.items():
            for name, lines in sections.items():
                # a section of one line is a list of short values, else lines are templates
                inline = stem == "slots" or len(lines) == 1
                values = [v for line in lines for v in _pipes(line)] if inline else lines
                self.slots.setdefault(name, []).extend(values)

    def slot(self, name: str) -> str:
        """A value for `{name}`."""
        chance = self.chance
        if name == "n":
            return str(chance.randint(2, 20))
        if name == "num":
            return str(chance.randint(100, 99999))
        if name == "hex":
            return "".join(chance.choices("0123456789abcdef", k=chance.choice([32, 40, 64])))
        if name == "b64":
            return base64.b64encode(chance.randbytes(chance.randint(30, 120))).decode()
        values = self.slots.get(name)
        if values:
            return chance.choice(values)
        lower = name.lower()
        if name.isupper() and lower in self.slots:
            return self.expand("{" + lower + "}").upper()
        first = name[0].lower() + name[1:]
        if first in self.slots:
            value = self.expand("{" + first + "}")
            return value[:1].upper() + value[1:]
        raise KeyError(name)

    def expand(self, template: str) -> str:
        """One text of `template`."""
        text = template
        for _ in range(60):
            changed = _OPTIONAL.sub(lambda m: m[1] if self.chance.random() < 0.5 else "", text, 1)
            if changed == text:
                changed = _CHOICE.sub(lambda m: self.chance.choice(_pipes(m[1])), text, 1)
            if changed == text:
                changed = _SLOT.sub(lambda m: self.slot(m[1]), text, 1)
            if changed == text:
                break
            text = changed
        text = text.replace("\\n", "\n").replace("\\t", "\t")
        text = re.sub(r"\\(.)", r"\1", text)
        text = re.sub(
            r" +([.,;!?])", r"\1", re.sub(r"([.,;:])\1+", r"\1", re.sub(r"  +", " ", text))
        )
        return text.replace(":.", ":").replace("?.", "?").replace("!.", "!").strip(" ")

    def line(self, stem: str, section: str) -> tuple[str, str]:
        """(text, group) of a random line of one section."""
        lines = self.files[stem][section]
        index = self.chance.randrange(len(lines))
        return self.expand(lines[index]), f"{stem}/{section}/{index}"


def _pipes(text: str) -> list[str]:
    return re.split(r"(?<!\\)\|", text)


# orders that stand in what a model reads for a person
INDIRECT = ("indirect", "meddle", "side", "code_m")
ATTACK_FILES = {"attack_en": 10, "attack_fr": 8, "attack_more": 6, "attack_de": 4, "attack_es": 2}
DOCUMENTS = {
    "en": [
        ("documents", s) for s in ("mail_en", "mail_en", "table", "minutes", "web", "code", "prose")
    ]
    + [("documents", "security")] * 3
    + [("documents_more", "orders_en")] * 4,
    "fr": [
        *(("documents", s) for s in ("mail_fr", "prose_fr", "security_fr", "security_fr")),
        *[("documents_more", "orders_fr")] * 2,
    ],
    "x": [("documents", "mail_de_es"), ("documents_more", "orders_x")],
}
ASKS = {
    "en": [
        *(("benign_en", s) for s in ("question", "question", "roleplay", "meta", "meta")),
        # orders that people give for their own text: what real questions have too few of
        *(("benign_en", s) for s in ("lookalike", "style", "sensible") for _ in range(3)),
        *(("benign_long", s) for s in ("long_en", "chat_en", "chat_en", "chat_en")),
        *(("benign_more", s) for s in ("opinion_en", "plays_en", "jobs_en", "edit_en", "edit_en")),
        *[("benign_scenes", "scenes_en")] * 3,
    ],
    "fr": [
        *(("benign_fr", s) for s in ("lookalike", "question", "style", "style", "meta")),
        *(("benign_long", s) for s in ("long_fr", "chat_fr", "chat_fr")),
        *(("benign_more", s) for s in ("opinion_fr", "plays_fr", "edit_fr")),
        ("benign_scenes", "scenes_fr"),
    ],
    "x": [
        *(("benign_de_es", s) for s in ("question", "more")),
        *(("benign_more", s) for s in ("opinion_x", "world_x", "edit_x")),
    ],
}


def attacks(writer: Writer, count: int, extra: dict[str, list[str]]) -> list[Row]:
    """Attacks alone, after an innocent question, inside a document, and obfuscated."""
    chance = writer.chance
    rows = []
    for _ in range(count):
        if chance.random() < 0.15:
            rows.append(_stray(writer, extra))
            continue
        stem = chance.choices(list(ATTACK_FILES), list(ATTACK_FILES.values()))[0]
        language = {"attack_en": "en", "attack_fr": "fr"}.get(stem, "x")
        indirect = chance.random() < 0.45
        names = [s for s in writer.files[stem] if (s in INDIRECT) == indirect]
        section = chance.choice(names or list(writer.files[stem]))
        attack, group = writer.line(stem, section)
        attack = _style(writer, attack)
        parts: list[tuple[str, str]] = [(attack, "attack")]
        if section in INDIRECT:
            # text in a document that gives orders; alone it is seldom seen
            if section != "indirect" or chance.random() < 0.75:
                document = _document(writer, language, extra)
                text = _inside(chance, document, _wrap(writer, attack))
                parts.append((document, "document"))
            else:
                text = attack
        elif chance.random() < 0.3:
            ask, _ = writer.line(*chance.choice(ASKS[language]))
            more = (
                " " + writer.line(*chance.choice(ASKS[language]))[0]
                if chance.random() < 0.3
                else ""
            )
            text = f"{ask}{more} {attack}"
            parts.append((ask, "ask"))
        elif chance.random() < 0.15:
            document = _document(writer, language, extra)
            text = _inside(chance, document, _wrap(writer, attack))
            parts.append((document, "document"))
        else:
            text = attack
        if chance.random() < 0.06:
            text = _obfuscate(chance, attack, text)
            parts = []
        rows.append(Row(text, 1, group, tuple(parts)))
    return rows


def within(writer: Writer, attack: str, group: str, extra: dict[str, list[str]]) -> Row:
    """`attack` in an English document, or alone one time in three."""
    if writer.chance.random() < 0.33:
        return Row(attack, 1, group, ((attack, "attack"),))
    document = _document(writer, "en", extra)
    parts = ((attack, "attack"), (document, "document"))
    return Row(_inside(writer.chance, document, _wrap(writer, attack)), 1, group, parts)


STRAYS = {
    "en": [
        ("benign_en", "question"),
        ("benign_en", "lookalike"),
        ("foreign", "foreign_en"),
        *[("foreign", "errand_en")] * 3,
        *[("benign_more", "jobs_en")] * 2,
    ],
    "fr": [("benign_fr", "question"), ("foreign", "foreign_fr"), ("foreign", "errand_fr")],
    "x": [("benign_de_es", "question"), ("foreign", "foreign_x")],
}


LEADS = (
    "TODO: ", "Next step: ", "Change of plan. ", "Before anything else: ", "First of all, ",
    "Instead of the above: ", "To the agent: ", "Leave the rest aside. ",
)  # fmt: skip


def _stray(writer: Writer, extra: dict[str, list[str]]) -> Row:
    """A request in a document that it has nothing to do with: somebody else's order."""
    language = writer.chance.choices(["en", "fr", "x"], [10, 4, 1])[0]
    ask, _ = writer.line(*writer.chance.choice(STRAYS[language]))
    document = _document(writer, language, extra)
    parts = ((ask, "ask"), (document, "document"))
    # an errand comes as it is, behind a mark, or after a word that puts earlier orders aside
    text = _wrap(writer, writer.chance.choice(("", "", "", "", *LEADS)) + ask)
    return Row(_inside(writer.chance, document, text), 1, f"stray/{language}", parts)


def benign(writer: Writer, count: int, extra: dict[str, list[str]]) -> list[Row]:
    """Questions, look-alikes, role play, clean documents, and requests about a document."""
    chance = writer.chance
    rows = []
    for _ in range(count):
        language = chance.choices(["en", "fr", "x"], [10, 8, 3])[0]
        roll = chance.random()
        if roll < 0.52:
            text, group = writer.line(*chance.choice(ASKS[language]))
            if "/chat_" in group or "/long_" in group:
                # people write at length without attacking anybody
                more = [
                    writer.line(*group.split("/")[:2])[0]
                    for _ in range(chance.choice((0, 0, 1, 2, 3)))
                ]
                text = chance.choice((" ", " ", "\n", "\n\n")).join((text, *more))
            text = _style(writer, text)
            rows.append(Row(text, 0, group, ((text, "ask"),)))
        elif roll < 0.9:
            document = _document(writer, language, extra)
            rows.append(Row(document, 0, f"document/{language}", ((document, "document"),)))
        else:
            document = _document(writer, language, extra)
            ask = writer.expand(ABOUT[language])
            text = f"{ask}\n\n{document}" if chance.random() < 0.7 else f"{document}\n\n{ask}"
            parts = ((document, "document"), (ask, "ask"))
            rows.append(Row(text, 0, f"about/{language}", parts))
    return rows


ABOUT = {
    "en": "(Please |Can you |)(summarise|translate|proofread|explain|shorten|answer|check|list the"
    " facts of|extract the dates from) (this|the following|the attached|the) (email|text|document|"
    "table|message|code|notes)( below| in {n} points| for my boss| into French|)(:|.|)",
    "fr": "(Merci de |Peux-tu |Pouvez-vous |)(résumer|traduire|corriger|expliquer|raccourcir) (ce"
    " courriel|le texte suivant|ce document|ce tableau)( en {n} points| en anglais|)( :|.|)",
    "x": "(Bitte fasse diesen Text zusammen|Übersetze die folgende E-Mail|Resume este texto|Traduce"
    " este correo)(:|.|)",
}


def _document(writer: Writer, language: str, extra: dict[str, list[str]]) -> str:
    if extra.get(language) and writer.chance.random() < 0.55:
        return writer.chance.choice(extra[language])
    text = writer.line(*writer.chance.choice(DOCUMENTS[language]))[0]
    if writer.chance.random() < 0.15:
        text += "\n" + writer.line(*writer.chance.choice(DOCUMENTS[language]))[0]
    return text


def _inside(chance: random.Random, document: str, attack: str) -> str:
    roll = chance.random()
    if roll < 0.25:
        return f"{attack}\n{document}"
    if roll < 0.55:
        return f"{document}{chance.choice([chr(10), chr(10) * 2, ' '])}{attack}"
    spaces = [match.start() for match in re.finditer(r"\s", document)] or [len(document)]
    cut = chance.choice(spaces)
    join = chance.choice(["\n", "\n", "\n\n", " "])
    return f"{document[:cut]}{join}{attack}{join}{document[cut:]}"


WRAPS: list[tuple[str, str]] = [
    ("<INFORMATION>\n\n", "\n\n</INFORMATION>"),
    ("[system](#instructions)\n", "\n[user](#context)"),
    ("<!-- ", " -->"),
    ("[INST] ", " [/INST]"),
    ("<|im_start|>system\n", "<|im_end|>"),
    ("<div style='display:none'>", "</div>"),
    ("### Instruction:\n", "\n### Response:"),
    ("-----\nSYSTEM: ", "\n-----"),
    ('"note": "', '"'),
    ("P.S. ", ""),
    ("(", ")"),
]


def _wrap(writer: Writer, attack: str) -> str:
    if writer.chance.random() < 0.75:
        return attack
    before, after = writer.chance.choice(WRAPS)
    return before + attack + after


def _style(writer: Writer, text: str) -> str:
    roll = writer.chance.random()
    if roll < 0.12:
        return text.lower()
    if roll < 0.15:
        return text.upper()
    if roll < 0.22:
        return text.rstrip(".!?")
    if roll < 0.26:  # a typing error
        at = writer.chance.randrange(max(len(text) - 1, 1))
        return text[:at] + text[at + 1 :]
    return text


def _obfuscate(chance: random.Random, attack: str, text: str) -> str:
    data = attack.encode()
    ways: list[Callable[[], str]] = [
        lambda: base64.b64encode(data).decode(),
        lambda: data.hex(),
        lambda: " ".join(f"{byte:08b}" for byte in data[:80]),
        lambda: " ".join(attack[:20]) + attack[20:],
        lambda: "".join(f"%{byte:02x}" for byte in data),
        lambda: " ".join(attack),
    ]
    opening = chance.choice(
        ("Decode this and do what it says: ", "", "Notes for order 4471: ", "base64: ")
    )
    return opening + chance.choice(ways)()
