"""Parts of publishing pages: states, audiences, evidence."""

from collections.abc import Mapping
from typing import Any

from agents.evaluation_runs import RunRecord
from agents.publishing_records import PublishRequest
from guardrails.errors import BadInput
from ui.messages import catalogue
from ui.routes.publishing import compared_with, name_of
from ui.web.components.changes import field_name
from ui.web.components.chips import kind_name
from ui.web.markup import Markup, attributes, icon, joined
from ui.web.pages.playground import tool_name
from ui.web.plain import Visit

TONES = {
    "checking": "wait", "waiting": "wait", "returned": "bad", "published": "good",
    "cancelled": "", "replaced": "", "live": "good", "withdrawn": "bad",
}  # fmt: skip
ICONS = {
    "checking": "loader-circle", "waiting": "clock", "returned": "arrow-left",
    "published": "circle-check", "cancelled": "x", "replaced": "history",
    "live": "circle-check", "withdrawn": "ban",
}  # fmt: skip


def chip(text: str, tone: str = "", name: str = "") -> Markup:
    """A small mark with a word, and an icon where one is named."""
    return Markup('<span class="atl-chip"{}>{}{}</span>').format(
        attributes(data_tone=tone or None), icon(name) if name else "", text
    )


def state(visit: Visit, request: PublishRequest) -> Markup:
    """How a request stands."""
    return chip(
        visit.say(f"publish.state.{request.state}"), TONES[request.state], ICONS[request.state]
    )


def brief(visit: Visit, request: PublishRequest) -> Markup:
    """Tests and safety set of an open request in two chips; nothing before there are results."""
    if request.state not in ("checking", "waiting") or not request.evidence.get("run"):
        return Markup("")
    found = visit.app.desk.evaluations.results(str(request.evidence["run"]))
    chips = []
    for name, part in (
        ("tests", [one for one in found if not one.case.startswith("safety-")]),
        ("safety", [one for one in found if one.case.startswith("safety-")]),
    ):
        if part:
            passed = sum(one.passed for one in part)
            tone = "good" if passed == len(part) else "wait"
            words = f"{visit.say(f'publish.ev.{name}')} {passed}/{len(part)}"
            chips.append(chip(words, tone, "list-checks" if name == "tests" else "shield-check"))
    return joined(chips)


def audience(visit: Visit, key: str) -> str:
    """An audience in words."""
    kind, _, value = key.partition(":")
    if kind == "everyone":
        return visit.say("publish.audience.everyone")
    if kind == "group":
        try:
            value = visit.app.groups.get(value).name
        except BadInput:
            value = visit.say("publish.audience.gone")
    elif kind == "person":
        value = name_of(visit.app, value)
    return visit.say(f"publish.audience.{kind}", name=value)


def evidence(visit: Visit, request: PublishRequest) -> Markup:
    """What was found before the request reached a person, line by line with figures."""
    found = request.evidence
    run = _run_of(visit, found)
    rows = [*_tests(visit, found, run), *_static(visit, request)]
    if run is not None and run.state != "running":
        summary = visit.app.desk.evaluations.summary(visit.app.desk.evaluations.results(run.id))
        n = max(1, summary.total)
        cost = visit.say(
            "publish.ev.cost-more", tokens=visit.number(round(summary.tokens / n)),
            seconds=visit.number(round(summary.seconds, 1)),
        )  # fmt: skip
        value = visit.dollars(summary.cost / n)
        rows.append(_row("wallet", "", visit.say("publish.ev.cost"), cost, value))
    if found.get("problem"):
        told = visit.say("publish.ev.problem-more", code=str(found["problem"]))
        rows.insert(0, _row("triangle-alert", "bad", visit.say("publish.ev.problem"), told, ""))
    return Markup('<dl class="atl-evidence">{}</dl>').format(joined(rows))


def progress(visit: Visit, run: RunRecord) -> Markup:
    """A run's bar and words."""
    label = visit.say("publish.run.progress", done=run.done, total=run.total)
    return Markup(
        '<div class="atl-progress"><p class="atl-small">{}</p>'
        '<progress max="{}" value="{}" aria-label="{}"></progress></div>'
    ).format(label, max(1, run.total), run.done, label)


def _run_of(visit: Visit, found: Mapping[str, Any]) -> RunRecord | None:
    try:
        run: RunRecord = visit.app.desk.evaluations.get(str(found.get("run", "")))
    except BadInput:
        return None
    return run


def _tests(visit: Visit, found: Mapping[str, Any], run: RunRecord | None) -> list[Markup]:
    say = visit.say
    if run is None:
        return [_row("list-checks", "wait", say("publish.ev.tests"), say("publish.ev.no-run"), "–")]
    results = visit.app.desk.evaluations.results(run.id)
    rows = []
    for name, part in (
        ("tests", [one for one in results if not one.case.startswith("safety-")]),
        ("safety", [one for one in results if one.case.startswith("safety-")]),
    ):
        passed = sum(one.passed for one in part)
        failed = ", ".join(case_name(visit, one.case) for one in part if not one.passed)
        if run.state == "running":
            more, tone = say("publish.ev.running"), "wait"
        elif not part:
            more, tone = say("publish.ev.no-cases"), "wait"
        else:
            more = say("publish.ev.failed", names=failed) if failed else say("publish.ev.all")
            tone = "good" if not failed else ("bad" if name == "safety" else "wait")
            if run.state != "done":
                more, tone = say(f"publish.run.{run.state}"), "wait"
        icon_name = "list-checks" if name == "tests" else "shield-check"
        value = f"{passed}/{len(part)}" if part else "–"
        rows.append(_row(icon_name, tone, say(f"publish.ev.{name}"), more, value))
    return rows


def _static(visit: Visit, request: PublishRequest) -> list[Markup]:
    say, found = visit.say, request.evidence
    rows = []
    personal = found.get("personal")
    if personal is not None:
        more = "; ".join(
            f"{field_name(visit, one['field'])}: "
            + ", ".join(
                f"{kind_name(visit.language, kind)} × {n}" for kind, n in one["kinds"].items()
            )
            for one in personal
        )
        tone = "wait" if personal else "good"
        n = sum(sum(one["kinds"].values()) for one in personal)
        rows.append(
            _row(
                "eye-off", tone, say("publish.ev.personal"), more or say("publish.ev.clean"), str(n)
            )
        )
    if unusual := found.get("unusual"):
        more = "; ".join(
            f"{field_name(visit, one['field'])}: {', '.join(one['shapes'])}" for one in unusual
        )
        rows.append(_row("flag", "wait", say("publish.ev.unusual"), more, str(len(unusual))))
    tools = found.get("permissions")
    if tools is not None:
        more = ", ".join(
            f"{tool_name(visit, one['tool'])} "
            f"({say('publish.effect.' + (one['side_effect'] or 'reads'))}"
            + (f", {say('publish.ev.new')}" if one["new"] else "")
            + ")"
            for one in tools
        )
        worst = any(one["side_effect"] == "sends" for one in tools)
        tone = "wait" if worst or any(one["new"] for one in tools) else "good"
        rows.append(
            _row("wrench", tone, say("publish.ev.tools"), more or say("publish.ev.no-tools"),
                 str(len(tools)))
        )  # fmt: skip
    data = say(f"web.data.{request.spec.data_class}")
    rows.append(_row("lock", "", say("publish.ev.data"), say("publish.ev.data-more"), data))
    if documents := dict(request.documents or found.get("documents") or {}):
        before = compared_with(visit.app, request)
        more, differs = _documents(visit, documents, before.documents if before else None)
        tone = "wait" if differs else ""
        rows.append(_row("database", tone, say("publish.ev.documents"), more, str(len(documents))))
    model = request.spec.model or str(found.get("model", ""))
    if model:
        more = say("publish.ev.model-own" if request.spec.model else "publish.ev.model-house")
        rows.append(_row("brain", "", say("publish.ev.model"), f"{model} · {more}", ""))
    return rows


def _documents(
    visit: Visit, now: Mapping[str, str], before: Mapping[str, str] | None
) -> tuple[str, bool]:
    """What is read, each with what became of it since the live version; whether any differs."""
    words, differs = [], False
    for name in sorted({*now, *(before or {})}):
        sign = ""
        if before is not None and now.get(name) != before.get(name):
            sign = "gone" if name not in now else "changed" if name in before else "new"
            differs = True
        shown = name.rpartition("/")[2]
        words.append(f"{shown} ({visit.say(f'publish.ev.{sign}')})" if sign else shown)
    return ", ".join(words), differs


def case_name(visit: Visit, case: str) -> str:
    """A case as people know it: one of the safety set has a title."""
    if case.startswith("safety-pair-"):
        return visit.say("evaluation.safety.pair", side=case.removeprefix("safety-pair-"))
    key = f"evaluation.{case.replace('safety-', 'safety.', 1)}"
    return visit.say(key) if key in catalogue(visit.language) else case


def _row(name: str, tone: str, title: str, more: str, value: str) -> Markup:
    return Markup("<div{}>{}<dt>{}<small>{}</small></dt><dd>{}</dd></div>").format(
        attributes(data_tone=tone or None), icon(name), title, more, value
    )
