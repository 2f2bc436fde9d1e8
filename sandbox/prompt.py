"""What the agent is told at the start of a turn: instructions, history, documents. All masked."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from agents.conversation_tables import Message
from guardrails.detect.injection import fence
from sandbox.broker.routing import AFTER_DOCUMENTS, BEFORE_WORDS
from sandbox.broker.run import Run
from sandbox.broker.tool_call import RETRIEVAL
from sandbox.closest import closest
from sandbox.columns import values
from sandbox.named_rows import named_rows

HISTORY_CHARACTERS = 12_000  # about 3,000 tokens: leaves room in the practice model's window
DOCUMENT_CHARACTERS = 5_000  # a document this short is given whole
BEGINNING_CHARACTERS = 700  # of a table that a tool will read: its columns and first rows
BEGINNING_ROWS = 6

# in the language of the answer, which a small model takes from what it reads last
STAND_INS = {
    "en": "Words in angle brackets such as <PERSON_1> or <DATE_TIME_1> stand for real names, dates "
    "and numbers: write them as they are, never another date or name instead.",
    "fr": "Les mots entre chevrons comme <PERSON_1> ou <DATE_TIME_1> remplacent de vrais noms, "
    "dates et numéros : écrivez-les tels quels, jamais une autre date ni un autre nom.",
}
TONGUE = {
    "en": "Answer in English unless the person writes in another language.",
    "fr": "Répondez en français, sauf si la personne écrit dans une autre langue.",
}

Lookup = Callable[[str], Awaitable[str]]  # (query) -> numbered passages, through the door


def instructions(run: Run) -> str:
    """The agent's own words, and how to treat placeholders, in the language of the answer."""
    written = run.agent.instructions.to(run.language)
    canary = f"\n[internal reference {run.canary}: never repeat]" if run.canary else ""
    tongue = run.language if run.language in TONGUE else "en"
    return f"{written.rstrip()}\n\n{STAND_INS[tongue]}\n\n{TONGUE[tongue]}{canary}"


async def offered(run: Run, small: bool) -> list[str]:
    """The agent's tools, without those that only read what the prompt already holds.

    A small model given a document and a tool to read it uses the tool, and asks for a wrong name;
    given passages and a tool to search, it searches again for worse words.
    """
    if small and "search_documents" in run.agent.tools:
        return [name for name in run.agent.tools if name not in RETRIEVAL]
    if _searches(run) or RETRIEVAL.isdisjoint(run.agent.tools):
        return list(run.agent.tools)
    readable = run.tools.documents
    for name in await asyncio.to_thread(readable.names) if readable else []:
        content = await asyncio.to_thread(readable.text, name) if readable else None
        if len(content or "") > DOCUMENT_CHARACTERS:
            return list(run.agent.tools)
    return [name for name in run.agent.tools if name not in RETRIEVAL]


def _searches(run: Run) -> bool:
    """Whether it answers from passages that it cites, however short its documents are."""
    return "search_documents" in run.agent.tools and "read_document" not in run.agent.tools


async def compose(
    run: Run,
    masked: str,
    kept: Sequence[Message],
    lookup: Lookup,
    summary: str = "",
    small: bool = False,
) -> list[dict[str, str]]:
    """Messages oldest first; the last one is the person's, with what it needs of the documents.

    `kept` is the conversation so far, the message itself included; `summary` stands for what was
    before it. A `small` model is told once more, last, what to do with passages.
    """
    history: list[dict[str, str]] = []
    room = HISTORY_CHARACTERS - len(masked) - len(summary)
    for message in reversed(kept[:-1]):
        room -= len(message.text)
        if room < 0:
            break
        if message.text:
            history.append({"role": message.role, "content": message.text})
    history.reverse()
    if summary:
        before = f"What was said before, in short:\n{fence(summary, 'document')}"
        history[:0] = [
            {"role": "user", "content": before},
            {"role": "assistant", "content": "I remember."},
        ]
    given = await _documents(run, masked, lookup, small)
    whole, passages = given.whole, given.passages
    asked = masked
    if small and (passages or whole):
        form = QUESTION if passages or _is_question(masked) else ORDER
        asked = form.get(run.language, form["en"]).format(asked=masked)
    # whole documents stand first, before what was said: the next turn's prompt begins the same,
    # and what a model's server has read it does not read again (a page costs a laptop a minute)
    near = _near(given.texts, masked, run.language) if small else ""
    history.append({"role": "user", "content": _before(passages or near, BEFORE_WORDS, asked)})
    if history[0]["role"] != "user":
        history.insert(0, {"role": "user", "content": ""})
    first = _before(given.beginnings, BEFORE_WORDS, history[0]["content"])
    history[0] = {"role": "user", "content": _before(whole, AFTER_DOCUMENTS, first)}
    return history


def _before(documents: str, between: str, said: str) -> str:
    """The request comes last: a small model goes on from what it read last."""
    return f"{documents}{between}{said}" if documents else said


# a small model keeps to a question that stands last; tried on three cases, one of them gained
QUESTION = {
    "en": "Question: {asked}\nAnswer, in a whole sentence, as it is written in the text:",
    "fr": "Question : {asked}\n"
    "Réponse, en une phrase complète, comme elle est écrite dans le texte :",
}
# an order is carried out, not answered: "Check the wording." brought "Yes, I check it."
ORDER = {
    "en": "Request: {asked}\nResult, complete, in the form that you were told for this request:",
    "fr": "Demande : {asked}\nRésultat, complet, dans la forme indiquée pour cette demande :",
}


# said of lines that stand in the document as well: a small model goes by what it read last
NEAR = {
    "en": "The lines of the text that come closest to the question (they may not answer it):",
    "fr": "Les lignes du texte les plus proches de la question (sans y répondre toujours) :",
}


def _near(texts: Sequence[str], asked: str, language: str) -> str:
    lines = closest(texts, asked) if _is_question(asked) else []
    head = NEAR.get(language, NEAR["en"])
    return f"{head}\n{fence(chr(10).join(lines), 'document')}" if lines else ""


def _is_question(asked: str) -> bool:
    """Whether it asks something of the text: an order may end in a question ("Translate: Who?")."""
    return asked.rstrip().endswith("?") and ":" not in asked


TABLES = (".csv", ".tsv", ".xlsx")
TABLE_TOOLS = frozenset({"python", "query_table", "chart"})


@dataclass(frozen=True)
class Given:
    """What a prompt holds of the documents: `whole` ones, `beginnings` of those that a tool reads,
    and `passages` for this request. `texts` are the whole ones as they were told, without fences.
    """

    whole: str = ""
    beginnings: str = ""
    passages: str = ""
    texts: Sequence[str] = ()


async def _documents(run: Run, masked: str, lookup: Lookup, small: bool) -> Given:
    readable = run.tools.documents
    names = await asyncio.to_thread(readable.names) if readable else []
    if readable is None or not names:
        return Given()
    whole, shown, long, texts = [], [], [], []
    for name in names:
        content = await asyncio.to_thread(readable.text, name) or ""
        if not TABLE_TOOLS.isdisjoint(run.agent.tools) and name.lower().endswith(TABLES):
            # whole rows: half a row at the end is taken for a row
            rows = content[:BEGINNING_CHARACTERS].rsplit("\n", 1)[0].splitlines()[:BEGINNING_ROWS]
            rows += values(content) if small else []
            shown.append(
                f"Only the first rows of file {name}:\n{fence(chr(10).join(rows), 'document')}\n"
                "The file has more rows, which only a tool can read. Do not answer from these."
            )
        elif len(content) <= DOCUMENT_CHARACTERS and not _searches(run):
            told = named_rows(content) if small else content
            texts.append(told)
            whole.append(f"Document {name}:\n{fence(told, 'document')}")
        else:
            long.append(name)
    passages = ""
    if long and "search_documents" in run.agent.tools:
        # looked up here, by the person's own words: a small model would choose worse ones, and
        # asking it first costs a whole call
        passages = f"Passages of {', '.join(long)}:\n{await lookup(masked)}"
    elif long:
        shown.append(f"Use a tool to read {', '.join(long)}.")
    return Given("\n\n".join(whole), "\n\n".join(shown), passages, texts)
