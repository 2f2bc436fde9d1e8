"""What a small model is told when it may use tools. Wording only; measured by `bench/models.py`.

English whatever the conversation's language: a second language here gained nothing and each token
of prompt costs the practice model 30 ms once.
"""

import json
import re
from collections.abc import Mapping, Sequence

FINAL = "final_answer"
_RULES = """You can use these tools:
{tools}
- final_answer: Answer the person. For greetings, thanks, writing, translating, explaining, and \
when the conversation already holds all that is needed. Arguments: {{}}

Reply with one JSON object and nothing else: {{"tool": "<name>", "arguments": {{...}}}}.
You cannot calculate, you do not know today's date and you have not seen any file: for these you \
must use the tool that does it. Never say that you did something which no tool has done.

Examples:
{examples}"""
GATE = """Is what the tools returned enough to answer the person's request? \
Reply {"enough": true} or {"enough": false}."""
_AFTER_TOOLS = """Now answer the person's request in plain text and whole sentences, in the \
language of the request, with all the names and figures that the tools returned: when they \
returned several rows, one line for each of them. Copy words in angle brackets as they are. Do \
not reply with JSON. Do not mention the tools."""
_ALL_ROWS = " They returned {rows} rows: where each is a part of the answer, number all {rows}."
_WRITE = """Write the whole answer now, with its facts and figures, in the form that you were \
told: plain text, no JSON. Copy words in angle brackets as they are."""
_ONE_SENTENCE = """Answer only this question now, in one sentence of plain text with its facts and \
figures, no list, no JSON. Copy words in angle brackets as they are."""
# as sandbox.prompt puts a question about a document
_QUESTION = re.compile(r"^Question ?: [^:]*\?\n")
_SHORT = 300  # characters of a request that is put once more: a small model keeps to what is last
# one line each: without them 25 of 35 choices were right, with them 31
_EXAMPLES: dict[str, list[tuple[str, dict[str, str]]]] = {
    "calculator": [
        ("7 nights at 12.50 each?", {"expression": "7 * 12.50"}),
        ("What is 15 % of 1,200?", {"expression": "15 % of 1200"}),
    ],
    "current_date": [("Which date is it?", {})],
    "search_documents": [
        ("Who wrote the uploaded report?", {"query": "author of the report"}),
        ("Que dit le règlement sur les retards ?", {"query": "retards"}),
    ],
    "python": [
        (
            "Total of the price column in the file?",
            {"code": "import pandas as pd; print(pd.read_csv('file.csv')['price'].sum())"},
        ),
        # without these two, every question was answered by the total of a whole column
        (
            "How many rows have the city York?",
            {
                "code": "import pandas as pd; d = pd.read_csv('file.csv'); "
                "print(len(d[d['city'] == 'York']))"
            },
        ),
        (
            "Total price of the chairs in the file?",
            {
                "code": "import pandas as pd; d = pd.read_csv('file.csv'); "
                "print(d[d['item'] == 'Chair']['price'].sum())"
            },
        ),
    ],
    "query_table": [
        (
            "Total price of the chairs in the file?",
            {"sql": 'SELECT SUM("price") FROM data WHERE "item" = \'chair\''},
        ),
        (
            "The two dearest items?",
            {"sql": 'SELECT "item", "price" FROM data ORDER BY "price" DESC LIMIT 2'},
        ),
        (
            "Quel magasin a la plus grande somme de ventes ?",
            {
                "sql": 'SELECT "magasin", SUM("ventes") FROM data GROUP BY "magasin" '
                "ORDER BY 2 DESC LIMIT 1"
            },
        ),
    ],
    "chart": [("Draw the sales by city.", {"kind": "bar", "x": "city", "y": "sales"})],
    "web_fetch": [("What is on https://example.com/a ?", {"address": "https://example.com/a"})],
}
_ANSWERS = ("Merci !", "What is a quote?", "Translate into French: good evening")


def rules(tools: Sequence[Mapping[str, object]]) -> str:
    """The end of the system message: the tools, the shape of a reply, examples of both."""
    named = [
        (str(tool["name"]), one) for tool in tools for one in _EXAMPLES.get(str(tool["name"]), ())
    ]
    lines = [_line(name, ask, arguments) for name, (ask, arguments) in named]
    lines += [_line(FINAL, ask, {}) for ask in _ANSWERS]
    return _RULES.format(
        tools="\n".join(_described(tool) for tool in tools), examples="\n".join(lines)
    )


def after_tools(asked: str, rows: int = 0) -> str:
    """What follows the tools' results: the order to answer `asked`, the person's words.

    `rows` is how many rows the last result has; 0 when it is no table.
    """
    return _AFTER_TOOLS + (_ALL_ROWS.format(rows=rows) if rows else "") + _again(asked)


def write(asked: str) -> str:
    """What follows the choice of an answer without a tool. The request stands just before: put once
    more, "Read this invoice." was answered by "I have read it." A short question is not answered in
    the form that was told for the whole: asked for the due date, it gave every line of the invoice.
    """
    short = len(asked) <= _SHORT
    return _ONE_SENTENCE if short and _QUESTION.search(asked) else _WRITE


def _again(asked: str) -> str:
    return f"\n\nRequest: {asked}" if 0 < len(asked) <= _SHORT else ""


def called(name: str, arguments: Mapping[str, object]) -> str:
    """A call as the model wrote it, or would have."""
    return json.dumps({"tool": name, "arguments": arguments}, ensure_ascii=False)


def _line(name: str, ask: str, arguments: Mapping[str, object]) -> str:
    return f"{ask} -> {called(name, arguments)}"


def _described(tool: Mapping[str, object]) -> str:
    parameters = tool.get("parameters")
    properties = parameters.get("properties", {}) if isinstance(parameters, Mapping) else {}
    shown = ", ".join(
        f'"{name}": {inner.get("description") or inner.get("type", "value")}'
        for name, inner in properties.items()
    )
    return f"- {tool['name']}: {tool.get('description', '')} Arguments: {{{shown}}}"
