"""Test cases of an agent: add, change, remove; from a conversation, a report, a CSV table.

Cases live in the agent's own file, so that they travel with it. Everything here is pure: a
specification in, a specification out.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping

from pydantic import ValidationError

from agents.schemas import mistake
from agents.spec import AgentSpec, Case, Expected, Language, Number
from guardrails.errors import BadInput

MOST = 200
MAX_CSV = 512 * 1024
LISTS = ("contains", "any_of", "omits", "matches", "cites", "masked", "calls")
COLUMNS = (
    "id", "language", "input", "files", *LISTS, "number", "within", "refuses", "rubric",
    "json_schema",
)  # fmt: skip
BETWEEN = "||"  # in cells; one bar may stand in a text
YES = frozenset({"1", "yes", "true", "oui", "vrai", "x"})
NO = frozenset({"", "0", "no", "false", "non", "faux", "-"})


def put(spec: AgentSpec, case: Case) -> AgentSpec:
    """The specification with this case, in place of one with its id. BadInput: too-many-cases."""
    kept = [one for one in spec.cases if one.id != case.id]
    at = next((n for n, one in enumerate(spec.cases) if one.id == case.id), len(kept))
    kept.insert(at, case)
    return _with(spec, kept)


def extend(spec: AgentSpec, cases: Iterable[Case]) -> AgentSpec:
    """The specification with more cases; a taken id gets a number. BadInput: too-many-cases."""
    kept = list(spec.cases)
    taken = {case.id for case in kept}
    for case in cases:
        id = free(case.id, taken)
        taken.add(id)
        kept.append(case.model_copy(update={"id": id}))
    return _with(spec, kept)


def remove(spec: AgentSpec, id: str) -> AgentSpec:
    """The specification without one case. Raises BadInput("no-such-case")."""
    kept = [case for case in spec.cases if case.id != id]
    if len(kept) == len(spec.cases):
        raise BadInput("no-such-case", id=id[:64])
    return _with(spec, kept)


def made(values: Mapping[str, object]) -> Case:
    """A case from plain values. Raises BadInput("bad-case") with the field."""
    try:
        return Case.model_validate(values)
    except ValidationError as error:
        where = error.errors(include_input=False, include_url=False)[0]["loc"]
        raise BadInput("bad-case", field=".".join(map(str, where)) or "case") from error


def judgeable(case: Case, number: int = 0) -> Case:
    """The case, once its expressions and its schema can be read: one that cannot would fail at
    every run, and one that expects nothing would pass with any answer.

    Raises BadInput: case-expects-nothing; bad-case, or bad-case-row with the number.
    """
    import re2

    if case.expect == Expected():
        raise BadInput("case-expects-nothing", case=case.id)
    options = re2.Options()
    options.log_errors = False
    try:
        for pattern in case.expect.matches:
            re2.compile(f"(?is){pattern}", options=options)
    except re2.error as error:
        raise _wrong(number, "matches") from error
    if case.expect.json_schema is not None:
        try:
            mistake(case.expect.json_schema, {})
        except BadInput as error:
            raise _wrong(number, "json_schema") from error
    return case


def from_turn(text: str, answer: str, language: Language, *, good: bool, name: str = "") -> Case:
    """A case from one turn of a conversation (masked texts).

    A good turn expects the longer words that its answer holds; a bad one expects, until somebody
    says more, that this very answer does not come again.
    """
    if good:
        words = re.findall(r"[^\W\d_]{6,}|\d[\d.,]*\d", re.sub(r"<[A-Z_]+\d*>", " ", answer))
        expect = Expected(any_of=tuple(dict.fromkeys(words))[:6])
    else:
        first = next((line.strip() for line in answer.splitlines() if line.strip()), "")
        expect = Expected(omits=(first[:200],) if first else ())
    id = name or ("good-answer" if good else "bad-answer")
    return made({"id": id, "language": language, "input": text[:8000], "expect": expect})


def from_csv(data: bytes) -> list[Case]:
    """Cases from a table: a head row with COLUMNS in any order, lists joined by `||`.

    Raises BadInput: csv-too-large, not-utf8, csv-no-input, csv-unknown-column, bad-case (with the
    row), case-expects-nothing, too-many-cases.
    """
    if len(data) > MAX_CSV:
        raise BadInput("csv-too-large", limit=MAX_CSV // 1024)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput("not-utf8") from error
    head, _, _ = text.partition("\n")
    mark = max(",;\t", key=head.count)  # Excel writes semicolons where the comma is decimal
    try:
        rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=mark, strict=True))
    except csv.Error as error:
        raise BadInput("bad-case", field="CSV") from error
    if not rows or "input" not in (rows[0] or {}):
        raise BadInput("csv-no-input")
    if len(rows) > MOST:
        raise BadInput("too-many-cases", most=MOST)
    unknown = [name for name in rows[0] if name not in COLUMNS]
    if unknown:
        raise BadInput("csv-unknown-column", column=str(unknown[0])[:40])
    return [from_cells(row, number) for number, row in enumerate(rows, 2)]


def free(id: str, taken: "set[str] | frozenset[str]") -> str:
    """`id`, or `id-2` and so on when it is taken; made valid."""
    base = re.sub(r"[^a-z0-9]+", "-", id.lower()).strip("-")[:56]
    base = base if base[:1].isalpha() else f"case-{base}".rstrip("-")
    found, number = base, 1
    while found in taken:
        number += 1
        found = f"{base}-{number}"
    return found


def from_cells(row: Mapping[str, str | None], number: int = 0) -> Case:
    """A case from texts by COLUMNS, lists joined by `||`; `number` is the row's, for the error.

    Raises BadInput: case-expects-nothing; bad-case, or bad-case-row with the number.
    """

    def cell(name: str) -> str:
        value = row.get(name)
        return value.strip() if isinstance(value, str) else ""

    def listed(name: str) -> tuple[str, ...]:
        return tuple(filter(None, map(str.strip, cell(name).split(BETWEEN))))

    refuses = cell("refuses").lower()
    if refuses not in YES | NO:
        raise _wrong(number, "refuses")
    try:
        schema = json.loads(cell("json_schema") or "null")
    except (ValueError, RecursionError) as error:
        raise _wrong(number, "json_schema") from error
    try:
        value = cell("number").replace(",", ".")
        within = cell("within").replace(",", ".") or "0"
        wanted = Number(value=float(value), within=float(within)) if value else None
        case = Case.model_validate(
            {
                "id": free(cell("id") or f"row-{number}", set()),
                "language": cell("language") or "en",
                "input": cell("input"),
                "files": listed("files"),
                "expect": {
                    **{name: listed(name) for name in LISTS},
                    "number": wanted,
                    "refuses": refuses in YES,
                    "rubric": cell("rubric"),
                    "json_schema": schema,
                },
            }
        )
    except ValidationError as error:
        where = error.errors(include_input=False, include_url=False)[0]["loc"]
        field = ".".join(map(str, where)) or "case"
        raise _wrong(number, field) from error
    except ValueError as error:
        raise _wrong(number, "number") from error
    return judgeable(case, number)


def cells(case: Case) -> dict[str, str]:
    """A case as texts by COLUMNS: what `from_cells` takes."""
    expect = case.expect
    number = expect.number
    return {
        "id": case.id,
        "language": case.language,
        "input": case.input,
        "files": f" {BETWEEN} ".join(case.files),
        **{name: f" {BETWEEN} ".join(getattr(expect, name)) for name in LISTS},
        "number": f"{number.value:.15g}" if number else "",
        "within": f"{number.within:.15g}" if number and number.within else "",
        "refuses": "yes" if expect.refuses else "",
        "rubric": expect.rubric,
        "json_schema": "" if expect.json_schema is None else json.dumps(expect.json_schema),
    }


def _wrong(number: int, field: str) -> BadInput:
    if number:
        return BadInput("bad-case-row", row=number, field=field)
    return BadInput("bad-case", field=field)


def _with(spec: AgentSpec, cases: list[Case]) -> AgentSpec:
    if len(cases) > MOST:
        raise BadInput("too-many-cases", most=MOST)
    return spec.model_copy(update={"cases": tuple(cases)})
