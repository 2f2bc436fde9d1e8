"""Write the tables of docs/screening.md: `python -m bench.screening_docs`.

With `--figures OURS STOCK`, two files that `python -m bench.screening --column` printed, the table
of figures; without, the table of kinds.

Every kind with its detectors, from the catalogue; precision and recall as measured here over the
generated identifiers, our own corpora and, where present, the shared development rows.
"""

import sys
from collections import defaultdict
from pathlib import Path

import yaml

from bench import national, structured
from bench.scoring import CORE, DEV, Tally, rows, score
from bench.screening import TARGETS, _own, ours

PAGE = Path(__file__).resolve().parents[1] / "docs" / "screening.md"
START, END = "<!-- kinds: written by bench.screening_docs -->", "<!-- end of kinds -->"
FIGURES, FIGURES_END = (
    "<!-- figures: written by bench.screening_docs -->",
    "<!-- end of figures -->",
)
_SETS = ("pii_en_presidio_research", "pii_fr_person_sentences", "pii_enfr_it_tickets")


def measured() -> dict[str, Tally]:
    """Tallies by core type, all sets together."""
    sets = [structured.rows("en"), structured.rows("fr"), _own("court"), _own("tickets")]
    sets.append(_own("interviews"))
    sets += [rows(DEV / f"{name}.jsonl") for name in _SETS if (DEV / f"{name}.jsonl").exists()]
    total: dict[str, Tally] = defaultdict(Tally)
    for data in sets:
        types = frozenset({"PERSON"}) if data[0].source.startswith("RGPD") else None
        for kind, tally in score(data, ours(), types).by_type.items():
            for name in ("found", "gold", "right", "said"):
                setattr(total[kind], name, getattr(total[kind], name) + getattr(tally, name))
    # kinds beyond the core types
    names = {kind: kind for kind in national.KINDS}
    total.update(score(national.rows(), ours(), rename=names).by_type)
    return total


def detectors() -> dict[str, list[str]]:
    """Kind to the names of its detectors."""
    from guardrails.detect.recognizers import shipped
    from guardrails.detect.recognizers.catalogue import SHAPES

    found: dict[str, list[str]] = defaultdict(list)
    for shape in SHAPES:
        found[shape.kind].append(shape.name)
    for entry in shipped.catalogue():
        found[entry.kind].append(f"{entry.recognizer.name} (Presidio)")
    found["PHONE_NUMBER"].append("phone (phonenumbers)")
    found["PERSON"] += ["ner-en, ner-fr (trained)", "name-again"]
    found["LOCATION"] += ["ner-en, ner-fr (trained)", "address-model (trained)"]
    found["ORGANIZATION"].append("ner-en, ner-fr (optional kind)")
    found["DATE_TIME"] += ["year", "weekday", "month"]
    return found


def table() -> str:
    """The Markdown table."""
    tallies = measured()
    lines = [
        "| kind | detectors | precision | recall | values |",
        "| --- | --- | --- | --- | --- |",
    ]
    for kind, names in sorted(detectors().items()):
        t = tallies.get(CORE.get(kind, kind))
        figures = (
            f"{t.precision:.3f} | {t.recall:.3f} | {t.gold}"
            if t and t.gold
            else "– | – | no labelled rows"
        )
        lines.append(f"| `{kind}` | {', '.join(dict.fromkeys(names))} | {figures} |")
    return "\n".join(lines)


def figures(ours_file: Path, stock_file: Path) -> str:
    """The Markdown table of figures from two columns of one run."""
    mine = yaml.safe_load(ours_file.read_text(encoding="utf-8"))
    stock = yaml.safe_load(stock_file.read_text(encoding="utf-8"))
    lines = ["| figure | reach | ours | stock Presidio |", "| --- | --- | --- | --- |"]
    for name, value in mine.items():
        cells = (TARGETS.get(name, ""), value, stock.get(name, "–"))
        lines.append(" | ".join(["| " + name, *(" ".join(str(c).split()) for c in cells)]) + " |")
    return "\n".join(lines)


def _between(start: str, end: str, made: str) -> None:
    text = PAGE.read_text(encoding="utf-8")
    head, _, rest = text.partition(start)
    _, _, tail = rest.partition(end)
    PAGE.write_text(f"{head}{start}\n{made}\n{end}{tail}", encoding="utf-8")


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["--figures"]:
        _between(FIGURES, FIGURES_END, figures(Path(arguments[1]), Path(arguments[2])))
    else:
        _between(START, END, table())


if __name__ == "__main__":
    main(sys.argv[1:])
