"""Run an agent's test cases and grade the answers. Knows neither model nor sandbox: `ask` does."""

import asyncio
import json
import re
import statistics
import unicodedata
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from agents.schemas import mistake
from agents.spec import AgentSpec, Case
from guardrails.errors import BadInput, GuardrailError


class ReplyLike(Protocol):
    """What is looked at in an answer: `sandbox.events.Reply` has it all."""

    @property
    def text(self) -> str: ...
    @property
    def sources(self) -> Sequence[Any]: ...  # each with `document`
    @property
    def steps(self) -> Sequence[Any]: ...  # each with `kind`, `name` and `verdict`
    @property
    def notices(self) -> Sequence[Any]: ...  # each with `kind` and `data`
    @property
    def status(self) -> str: ...


Ask = Callable[[AgentSpec, Case], Awaitable[ReplyLike]]
Progress = Callable[[int, int], None]  # cases done, of how many
Grade = Callable[[Case, ReplyLike], Awaitable[Iterable["Check"]]]


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation. `key` and `wanted` fill the catalogue's `grader.<key>`."""

    key: str
    wanted: str
    passed: bool
    note: str = ""  # e.g. how many judges agreed: "2/3"


@dataclass(frozen=True, slots=True)
class Result:
    """One case, answered `runs` times; `checks` and `answer` are those of the worst run."""

    case: str
    passed: bool
    checks: tuple[Check, ...]
    answer: str = ""
    error: str = ""  # a code, when there was no answer
    runs: int = 1
    passes: int = 0
    seconds: float = 0.0  # median of the runs
    trace_id: str = ""
    asked: str = ""  # what the model saw of the message, masked
    tokens: int = 0  # of all runs
    steps: tuple[str, ...] = ()  # `kind name verdict`, of the worst run
    traces: tuple[str, ...] = ()  # of all runs

    @property
    def flaky(self) -> bool:
        """True when the same case passed and failed."""
        return 0 < self.passes < self.runs

    @property
    def failures(self) -> tuple[Check, ...]:
        """What did not hold."""
        return tuple(check for check in self.checks if not check.passed)


@dataclass(frozen=True, slots=True)
class Report:
    """All results of one agent, bound to the content they were made with."""

    agent: str
    content: str
    results: tuple[Result, ...]

    @property
    def passed(self) -> int:
        """How many cases passed every time."""
        return sum(result.passed for result in self.results)

    @property
    def rate(self) -> float:
        """Share of passed cases, 0..1; 0 without cases."""
        return self.passed / len(self.results) if self.results else 0.0


async def evaluate(
    spec: AgentSpec,
    ask: Ask,
    *,
    cases: Iterable[Case] | None = None,
    repeats: int = 1,
    parallel: int = 2,
    progress: Progress | None = None,
) -> Report:
    """Ask every case `repeats` times, at most `parallel` at once. A refusal of the guards is an
    answer without text; only cancelling stops the run."""
    chosen = list(spec.cases if cases is None else cases)
    gate = asyncio.Semaphore(max(1, parallel))
    done = 0

    async def one(case: Case) -> Result:
        nonlocal done
        runs = []
        for _ in range(max(1, repeats)):
            async with gate:
                runs.append(await run_case(spec, ask, case))
        done += 1
        if progress:
            progress(done, len(chosen))
        return joined(runs)

    results = await asyncio.gather(*map(one, chosen))
    return Report(spec.id, spec.content_hash(), tuple(results))


def grade(case: Case, reply: ReplyLike) -> tuple[Check, ...]:
    """Every expectation against one answer. Without expectations, an answer is enough."""
    found = tuple(_checks(case, reply))
    return found or (Check("answered", "", bool(reply.text.strip())),)


def compare(before: Report, after: Report) -> Mapping[str, str]:
    """What changed between two runs, by case: `fixed`, `broken`, `new` or `gone`."""
    old = {result.case: result.passed for result in before.results}
    new = {result.case: result.passed for result in after.results}
    changed = {case: "gone" for case in old.keys() - new.keys()}
    for case, passed in new.items():
        if case not in old:
            changed[case] = "new"
        elif passed != old[case]:
            changed[case] = "fixed" if passed else "broken"
    return changed


async def run_case(spec: AgentSpec, ask: Ask, case: Case, more: Grade | None = None) -> Result:
    """Ask once and grade; `more` adds checks of its own. A refusal of the guards is a result.

    The answer that is kept is the masked one where the reply has it (`masked_text`).
    """
    clock = asyncio.get_running_loop().time
    began = clock()
    try:
        reply = await ask(spec, case)
    except GuardrailError as error:
        return Result(case.id, False, (Check("answered", "", False),), error=error.code, runs=1)
    seconds = clock() - began
    extra = tuple(await more(case, reply)) if more else ()
    own = tuple(_checks(case, reply))
    checks = (*own, *extra) or (Check("answered", "", bool(reply.text.strip())),)
    passed = all(check.passed for check in checks)
    trace = str(getattr(reply, "trace_id", ""))
    return Result(
        case.id,
        passed,
        checks,
        str(getattr(reply, "masked_text", reply.text)),
        str(getattr(reply, "error", "")),
        1,
        int(passed),
        seconds,
        trace,
        str(getattr(reply, "masked_request", "")),
        int(getattr(reply, "tokens", 0)),
        tuple(f"{one.kind} {one.name} {one.verdict}" for one in reply.steps),
        (trace,) if trace else (),
    )


def joined(runs: Sequence[Result]) -> Result:
    """Several runs of one case as one result: that of the worst, with the counts of all."""
    worst = min(runs, key=lambda run: run.passed)
    return replace(
        worst,
        runs=len(runs),
        passes=sum(run.passed for run in runs),
        seconds=statistics.median(run.seconds for run in runs),
        tokens=sum(run.tokens for run in runs),
        traces=tuple(trace for run in runs for trace in run.traces),
    )


def _checks(case: Case, reply: ReplyLike) -> Iterator[Check]:
    expect, answer = case.expect, plain(reply.text)
    for wanted in expect.contains:
        yield Check("contains", wanted, _says(answer, wanted))
    if expect.any_of:
        said = any(_says(answer, wanted) for wanted in expect.any_of)
        yield Check("any-of", ", ".join(expect.any_of), said)
    for wanted in expect.omits:
        yield Check("omits", wanted, not _says(answer, wanted))
    for wanted in expect.matches:
        yield Check("matches", wanted, _matches(wanted, reply.text))
    if (number := expect.number) is not None:
        near = any(abs(one - number.value) <= number.within + 1e-9 for one in numbers(reply.text))
        yield Check("number", f"{number.value:g}", near)
    documents = {str(source.document) for source in reply.sources}
    for wanted in expect.cites:
        yield Check("cites", wanted, wanted in documents)
    kinds = {kind for notice in reply.notices for kind in notice.data.get("kinds", ())}
    for wanted in expect.masked:
        yield Check("masked", wanted, wanted in kinds)
    called = {step.name for step in reply.steps if step.kind in ("tool", "retrieval")}
    for wanted in expect.calls:
        yield Check("calls", wanted, wanted in called)
    if expect.refuses:
        yield Check("refuses", "", reply.status == "blocked" or refuses(reply.text))
    if expect.json_schema is not None:
        yield Check("json", "", _fits(expect.json_schema, reply.text))


def plain(text: str) -> str:
    """Text to compare: no case, accents, emphasis, typographic quotes or doubled spaces."""
    text = unicodedata.normalize("NFKD", text.casefold())
    text = "".join(c for c in text if not unicodedata.combining(c))
    text = re.sub("[’‘]", "'", text).replace("**", "")
    return " ".join(text.split())


def _says(answer: str, wanted: str) -> bool:
    wanted = plain(wanted)
    # whole words: "2" does not stand in "12 days"
    return re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", answer) is not None


_NUMBER = re.compile(
    r"(?<![\w.,])[-−]?\d{1,3}(?:[ \u00a0\u202f,.']\d{3})+(?:[.,]\d+)?(?![\d])"
    r"|(?<![\w.,])[-−]?\d+(?:[.,]\d+)?"
)
_NAMES = {
    name: value
    for names in (
        "zero one two three four five six seven eight nine ten eleven twelve",
        "zero un deux trois quatre cinq six sept huit neuf dix onze douze",
        "- une",
    )
    for value, name in enumerate(names.split())
}


def numbers(text: str) -> list[float]:
    """Every number in a text, written the English or the French way, small ones also in words."""
    text = text.replace("**", "")
    found = [value for one in _NUMBER.findall(text) for value in _readings(one)]
    return found + [float(_NAMES[word]) for word in plain(text).split() if word in _NAMES]


def _readings(text: str) -> Iterator[float]:
    text = re.sub(r"[ \u00a0\u202f']", "", text.replace("−", "-"))
    marks = [mark for mark in text if mark in ".,"]
    if not marks:
        yield float(text)
        return
    whole, _, rest = text.rpartition(marks[-1])
    whole = re.sub(r"[.,]", "", whole)
    if len(set(marks)) == 2 or len(marks) == 1:
        yield float(f"{whole}.{rest}")
    if len(set(marks)) == 1 and len(rest) == 3:
        yield float(whole + rest)  # 1,250 may be a thousand and more


_DECLINES = re.compile(
    r"\b(i|we) (did not|do not|can ?not|could not|am unable|am not able)\b"
    r"|\b(i|we) (won't|can't|couldn't|didn't|don't)\b"
    r"|\bnot (found|mentioned|stated|able|possible|allowed|in the (document|handbook|text))"
    r"|\b(unable to|please (ask|contact)|no information|sorry)\b"
    r"|\bje (n'ai pas|ne peux|ne suis pas|ne trouve|refuse)\b"
    r"|\b(adressez-vous|non (trouve|precise|mentionne)|desole|aucune information|impossible)\b"
    r"|\bne (figure|precise|mentionne|donne|dit) pas\b"
)


def refuses(text: str) -> bool:
    """Whether an answer declines, in English or French. A hint, not a proof."""
    return _DECLINES.search(plain(text)) is not None


def _matches(pattern: str, text: str) -> bool:
    # RE2 takes linear time: a case may come from somebody else's package
    import re2

    try:
        return re2.search(f"(?is){pattern}", text) is not None
    except re2.error:
        return False


def _fits(schema: Mapping[str, Any], text: str) -> bool:
    start, end = text.find("{"), text.rfind("}")
    try:
        return mistake(schema, json.loads(text[start : end + 1]), strict=True) is None
    except (ValueError, RecursionError):
        return False
    except BadInput:  # what a schema gets wrong is its author's to mend
        return False
