"""Measure the embedded model: load, first token, speed, and which tool it chooses.

    .venv/bin/python -m bench.models [--model practice|fallback|provider/name] [--out FILE.json]

The cases are our own, half English, half French; a case passes when the tool is the expected one
(or none) and the arguments hold what they must. Needs the model in the cache (`make setup`).
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from agents.tools.registry import described
from sandbox.broker.models import ModelError, Models, TextDelta, ToolCall, Usage

INSTRUCTIONS = "You are a helpful assistant at work. Be brief and correct."


TOOLS = described(["calculator", "current_date", "search_documents", "python"])


@dataclass(frozen=True)
class Case:
    ask: str
    expected: str  # a tool's name, or "" for a direct answer
    needle: str = ""  # must appear in the arguments, lower case


CASES = [
    Case("What is 1834 times 27?", "calculator", "27"),
    Case(
        "A licence costs 49.90 a month for 12 people. How much is that a year?", "calculator", "12"
    ),
    Case("Add 18% tax to 2,450.", "calculator", "2450"),
    Case("What day is it today?", "current_date"),
    Case("How many days of parental leave does our handbook grant?", "search_documents", "leave"),
    Case("Who signed the supplier contract I uploaded?", "search_documents", "contract"),
    Case("Find the payment terms in the attached invoice.", "search_documents", "payment"),
    Case("Draw a bar chart of the sales column in my spreadsheet.", "python", "sales"),
    Case("Compute the average of the amount column of data.csv.", "python", "amount"),
    Case("Thanks, that was helpful!", ""),
    Case("Rewrite this politely: send me the report now.", ""),
    Case("What is the difference between gross and net salary?", ""),
    Case("Combien font 1250 divisé par 8 ?", "calculator", "1250"),
    Case("Calcule 15 % de 3 400 euros.", "calculator", "3400"),
    Case("Quelle somme pour 7 nuits à 89,50 € ?", "calculator", "7"),
    Case("Quel jour sommes-nous ?", "current_date"),
    Case("Quelle est la date d'aujourd'hui ?", "current_date"),
    Case("Que dit le règlement intérieur sur le télétravail ?", "search_documents", "travail"),
    Case("Cherche le numéro de TVA dans la facture jointe.", "search_documents", "tva"),
    Case("Dans le document, quel est le délai de préavis ?", "search_documents", "préavis"),
    Case("Trace un graphique des ventes par mois du fichier ventes.csv.", "python", "ventes"),
    Case("Quelle est la moyenne de la colonne montant du fichier ?", "python", "montant"),
    Case("Merci beaucoup pour votre aide !", ""),
    Case("Traduis en anglais : bonjour à tous.", ""),
    Case("Rédige une phrase pour souhaiter la bienvenue à une collègue.", ""),
    Case("Hello, who are you?", ""),
    Case("Bonjour !", ""),
    Case("How much is 3.5% of 12,000?", "calculator", "12"),
    Case("Summarise in one sentence: the meeting moved to Friday, the room is taken.", ""),
    Case("What will the date be in 10 days?", "current_date"),
    Case("Quel est le montant total indiqué sur le devis joint ?", "search_documents", "montant"),
    Case("What does our travel policy say about taxis?", "search_documents", "tax"),
    Case("Group the rows of the file by supplier and sum the total.", "python", "supplier"),
    Case("Corrige les fautes : je suis aller au marcher hier.", ""),
    Case("Write a short e-mail to thank a supplier.", ""),
]
# the second call of a turn: the tool has answered, and the answer must hold the needle
FOLLOW_UPS = [
    ("What is 1834 times 27?", "calculator", {"expression": "1834*27"}, "49518",
     ("49518", "49,518")),
    ("What day is it today?", "current_date", {}, "Tuesday, 3 March 2026", ("3 March", "March 3")),
    (
        "How long is the notice period?",
        "search_documents",
        {"query": "notice period"},
        "[1] contract.pdf, page 4: The notice period is three months.",
        ("three months", "3 months"),
    ),
    ("Combien font 1250 divisé par 8 ?", "calculator", {"expression": "1250/8"}, "156.25",
     ("156.25", "156,25")),
    ("Quel jour sommes-nous ?", "current_date", {}, "mardi 3 mars 2026", ("3 mars",)),
    (
        "Quel est le délai de préavis ?",
        "search_documents",
        {"query": "délai de préavis"},
        "[1] contrat.pdf, page 4 : Le délai de préavis est de trois mois.",
        ("trois mois", "3 mois"),
    ),
]  # fmt: skip


async def measure(
    models: Models, messages: list[dict[str, object]], tools: Sequence[Mapping[str, object]]
) -> dict[str, Any]:
    begun, first = time.perf_counter(), None
    text, call, usage = "", None, Usage(0, 0)
    async for event in models.stream(messages, tools, temperature=0.0, max_tokens=300):
        first = first or time.perf_counter() - begun
        if isinstance(event, TextDelta):
            text += event.text
        elif isinstance(event, ToolCall):
            call = event
        else:
            usage = event
    total = time.perf_counter() - begun
    return {"text": text, "call": call, "first": first or total, "total": total, "usage": usage}


def asked(text: str) -> list[dict[str, object]]:
    return [{"role": "system", "content": INSTRUCTIONS}, {"role": "user", "content": text}]


async def speed(models: Models) -> dict[str, float]:
    """First token and tokens a second, best of three of about 150 tokens."""
    rates, firsts = [], []
    for subject in ("a meeting", "an invoice", "a contract"):
        got = await measure(models, asked(f"Explain in about 100 words what {subject} is for."), ())
        firsts.append(got["first"])
        rates.append((got["usage"].output_tokens - 1) / max(got["total"] - got["first"], 1e-6))
    return {"first_token_s": min(firsts), "tokens_per_s": max(rates)}


async def chosen_by(models: Models, ask: str) -> ToolCall | None:
    """The tool chosen, or None as soon as an answer begins."""
    async with aclosing(
        models.stream(asked(ask), TOOLS, temperature=0.0, max_tokens=120)
    ) as events:
        async for event in events:
            if isinstance(event, ToolCall):
                return event
            if isinstance(event, TextDelta):
                return None
    return None


async def choice(models: Models) -> dict[str, object]:
    right, wrong, times = 0, [], []
    for case in CASES:
        begun = time.perf_counter()
        try:
            call = await chosen_by(models, case.ask)
        except ModelError as error:
            call = ToolCall("", error.code)
        times.append(time.perf_counter() - begun)
        name = call.name if call else ""
        told = json.dumps(call.arguments, ensure_ascii=False).lower() if call else case.needle
        if name == case.expected and case.needle in told:
            right += 1
        else:
            wrong.append({"ask": case.ask, "expected": case.expected, "chosen": name, "told": told})
        print(
            f"{right}/{right + len(wrong)} {case.ask[:50]} -> {name}", file=sys.stderr, flush=True
        )
    return {"cases": len(CASES), "right": right, "p50_s": statistics.median(times), "wrong": wrong}


async def follow_ups(models: Models) -> dict[str, object]:
    right, wrong = 0, []
    for ask, name, arguments, result, needles in FOLLOW_UPS:
        call = {"id": "c1", "name": name, "arguments": arguments}
        messages: list[dict[str, object]] = [
            *asked(ask),
            {"role": "assistant", "content": "", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": result},
        ]
        got = await measure(models, messages, TOOLS)
        if any(needle in got["text"] for needle in needles):
            right += 1
        else:
            wrong.append({"ask": ask, "text": got["text"][:120], "call": str(got["call"])})
    return {"cases": len(FOLLOW_UPS), "right": right, "wrong": wrong}


async def run(model: str) -> dict[str, object]:
    home = Path(os.environ.get("ATELIER_HOME", "/nonexistent"))
    models = Models(model, home=home, may_fetch=False)
    begun = time.perf_counter()
    await models.start()
    try:
        warm = await measure(models, asked("Say hello."), ())
        loaded = time.perf_counter() - begun
        children = psutil.Process().children(recursive=True)
        memory = max((child.memory_info().rss for child in children), default=0)
        return {
            "model": models.info().label,
            "start_to_first_answer_s": loaded,
            "first_answer_s": warm["total"],
            "memory_mb": memory / 1e6,
            **await speed(models),
            "tool_choice": await choice(models),
            "after_tool": await follow_ups(models),
        }
    finally:
        await models.stop()


def main(arguments: list[str] | None = None) -> None:
    """Print what was measured as JSON; `arguments` as on the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="practice")
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args(arguments or [])
    found = json.dumps(asyncio.run(run(chosen.model)), indent=2, ensure_ascii=False)
    print(found)
    if chosen.out:
        chosen.out.write_text(found + "\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
