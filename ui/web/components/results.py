"""Results of an evaluation run: figures, what changed since the last one, failures first."""

from agents.evaluate import Check, Report, Result, compare
from agents.evaluation_runs import RunRecord
from ui.access import may
from ui.messages import catalogue
from ui.web.components.chips import masked
from ui.web.components.reviewing import case_name, chip
from ui.web.components.waterfall import step_name
from ui.web.frame import query
from ui.web.markup import Markup, attributes, icon, joined
from ui.web.nav import address
from ui.web.plain import Visit

CHANGES = {"fixed": "good", "broken": "bad", "new": "new", "gone": ""}
ANSWER_CHARACTERS = 4_000


def results(visit: Visit, run: RunRecord, *, stale: bool = False) -> Markup:
    """The results of one run that is over. `stale`: the agent was changed since."""
    evaluations = visit.app.desk.evaluations
    found = evaluations.results(run.id)
    before = evaluations.before(run)
    older = evaluations.results(before.id) if before else []
    changed = (
        compare(Report(run.agent, "", tuple(older)), Report(run.agent, "", tuple(found)))
        if before
        else {}
    )
    ordered = sorted(found, key=lambda one: (one.passed and not one.flaky, one.passed))
    own = [one for one in ordered if not one.case.startswith("safety-")]
    safety = [one for one in ordered if one.case.startswith("safety-")]
    return Markup(
        '<section class="atl-panel"><div class="atl-headrow"><h2>{}</h2>{}</div>{}{}{}{}</section>'
    ).format(
        visit.say("evaluation.results"),
        _state(visit, run, stale),
        _figures(visit, found, older),
        _delta(visit, dict(changed)),
        _group(visit, run, "own", own, dict(changed)),
        _group(visit, run, "safety", safety, dict(changed)),
    )


def _state(visit: Visit, run: RunRecord, stale: bool) -> Markup:
    tone = {"done": "good", "failed": "bad"}.get(run.state, "wait")
    parts = [chip(visit.say(f"evaluation.state.{run.state}"), tone)]
    if stale:
        parts.append(chip(visit.say("evaluation.stale"), "wait", "info"))
    parts.append(Markup("<span>{} · {}</span>").format(visit.ago(run.started), run.model))
    return Markup('<div class="atl-meta">{}</div>').format(joined(parts))


def _figures(visit: Visit, found: list[Result], older: list[Result]) -> Markup:
    now = visit.app.desk.evaluations.summary(found)
    was = visit.app.desk.evaluations.summary(older) if older else None
    say = visit.say
    rate = f"{round(now.rate * 100)} %"
    if was is not None and was.total:
        change = round(now.rate * 100) - round(was.rate * 100)
        sign = "+" if change > 0 else "−" if change < 0 else "±"
        more = say("evaluation.since", change=f"{sign}{abs(change)}")
    else:
        more = f"{now.passed}/{now.total}"
    label = "evaluation.passed" if was is not None and was.total else "evaluation.passed-first"
    n = max(1, now.total)
    cells = [
        (Markup("{}<small> {}</small>").format(rate, more), say(label)),
        (visit.number(now.flaky), say("evaluation.flaky")),
        (
            Markup("{}<small> s</small>").format(visit.number(round(now.seconds, 1))),
            say("evaluation.median"),
        ),
        (visit.number(round(now.tokens / n)), say("evaluation.tokens")),
        (visit.dollars(now.cost), say("evaluation.cost")),
    ]
    return Markup('<dl class="atl-kpis">{}</dl>').format(
        joined(Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(dt, dd) for dd, dt in cells)
    )


def _delta(visit: Visit, changed: dict[str, str]) -> Markup:
    parts = []
    for kind in ("broken", "fixed"):
        names = sorted(case for case, what in changed.items() if what == kind)
        if names:
            parts.append(
                Markup('<div class="atl-ribbon" data-kind="{}">{}<p><b>{}</b> {}</p></div>').format(
                    "blocked" if kind == "broken" else "ok",
                    icon("triangle-alert" if kind == "broken" else "circle-check"),
                    visit.say(f"evaluation.{kind}", n=len(names)),
                    ", ".join(case_name(visit, name) for name in names),
                )
            )
    return joined(parts)


def _group(
    visit: Visit, run: RunRecord, name: str, found: list[Result], changed: dict[str, str]
) -> Markup:
    if not found:
        return Markup("")
    passed = sum(one.passed for one in found)
    return Markup('<h3 class="atl-h3">{}</h3><div class="atl-cases">{}</div>').format(
        visit.say(f"evaluation.group.{name}", passed=passed, total=len(found)),
        joined(_result(visit, run, one, changed.get(one.case, "")) for one in found),
    )


def _result(visit: Visit, run: RunRecord, one: Result, change: str) -> Markup:
    say, safety = visit.say, one.case.startswith("safety-")
    tone = "wait" if one.flaky else "good" if one.passed else "bad"
    name = "refresh-cw" if one.flaky else "circle-check" if one.passed else "ban"
    marks = []
    if one.runs > 1:
        marks.append(chip(say("evaluation.of-runs", passes=one.passes, runs=one.runs), tone))
    if change in ("fixed", "broken", "new"):
        marks.append(chip(say(f"evaluation.change.{change}"), CHANGES[change]))
    marks.append(Markup("<span>{} s</span>").format(visit.number(round(one.seconds, 1))))
    what = " · ".join(check_words(visit, check) for check in one.failures[:2])
    failures = (
        say("evaluation.error", code=one.error)
        if one.error
        else say("evaluation.not-met", what=what)
    )
    return Markup(
        '<details class="atl-fold atl-case" id="result-{}" data-tone="{}"><summary>{}<span>'
        '<b>{} <span class="atl-visually-hidden">{}</span></b><small>{}</small></span>'
        '<span class="atl-meta">{}</span></summary><div class="atl-stack">{}</div></details>'
    ).format(
        one.case,
        tone,
        icon(name),
        case_name(visit, one.case),
        say("evaluation.word." + tone),
        failures if not one.passed else "" if safety else masked(visit.language, one.asked[:120]),
        joined(marks),
        _inside(visit, one),
    )


def _inside(visit: Visit, one: Result) -> Markup:
    say = visit.say
    listed = joined(
        Markup('<li data-tone="{}">{}<span>{}</span></li>').format(
            "good" if check.passed else "bad",
            icon("check" if check.passed else "x"),
            check_words(visit, check),
        )
        for check in one.checks
    )
    parts = [Markup('<ul class="atl-checks">{}</ul>').format(listed)]
    for label, text in (
        (say("evaluation.asked"), one.asked),
        (say("evaluation.answer"), one.answer or say("evaluation.no-answer")),
    ):
        if text:
            parts.append(
                Markup(
                    '<div><b class="atl-small">{}</b><p class="atl-said" tabindex="0">{}</p></div>'
                ).format(label, masked(visit.language, text[:ANSWER_CHARACTERS]))
            )
    if one.steps:
        steps = ", ".join(_step(visit, step) for step in one.steps)
        parts.append(
            Markup('<p class="atl-small">{}</p>').format(say("evaluation.steps", steps=steps))
        )
    if one.trace_id and may(visit.person, "traces.view"):
        parts.append(
            Markup('<a class="atl-more" href="{}"{}>{}</a>').format(
                address(visit.language, "audit", query(open=one.trace_id)),
                attributes(),
                say("evaluation.trace"),
            )
        )
    elif one.trace_id:
        parts.append(
            Markup('<p class="atl-small">{}</p>').format(
                say("evaluation.trace-id", id=f"tr_{one.trace_id[:8]}")
            )
        )
    return joined(parts)


def _step(visit: Visit, step: str) -> str:
    """`kind name verdict` in words."""
    name, _, verdict = step.partition(" ")[2].rpartition(" ")
    word = f"web.verdict.{verdict}"
    shown = visit.say(word).lower() if word in catalogue(visit.language) else verdict
    return f"{step_name(visit.language, name)} ({shown})"


def check_words(visit: Visit, check: Check) -> str:
    """One expectation in words, with what was noted beside it."""
    key = f"grader.{check.key}"
    words = visit.say(key, wanted=check.wanted) if key in catalogue(visit.language) else check.key
    if check.key == "rubric" and check.note:
        return f"{words} ({visit.say('evaluation.agreed', votes=check.note)})"
    if check.note == "same-words":
        return f"{words} ({visit.say('evaluation.same-words')})"
    return f"{words} ({check.note})" if check.note else words
