"""What isolates agents, for reviewers: which rung is in use, what was tried on it, what held."""

from collections.abc import Sequence

from sandbox.checked import Check
from ui.messages import catalogue
from ui.seal_check import in_words
from ui.web.markup import Markup, icon, joined
from ui.web.nav import address
from ui.web.plain import Visit

START = "start"


def isolation(visit: Visit) -> Markup:
    """The card of the Audit page: the rung in use and its last check, and the way to the rest."""
    say = visit.say
    return Markup(
        '<section class="atl-card" id="atl-sandbox"><h2 class="atl-h3">{}{}</h2>{}'
        '<p class="atl-small">{}</p><a class="atl-more" href="{}">{}</a></section>'
    ).format(
        icon("shield"),
        say("web.nav.sandbox"),
        verdict(visit),
        running(visit),
        address(visit.language, "sandbox"),
        say("sandbox.more"),
    )


def verdict(visit: Visit) -> Markup:
    """One sentence: what seals agents now, how much of what was tried it held, and when."""
    checked, say = visit.app.pool.checked, visit.say
    # that a process starts at all is no attempt to get out of it
    mine = [one for one in checked.checks if one.rung == checked.backend and one.name != START]
    held = sum(one.held for one in mine)
    if checked.backend in ("none", "refuse"):
        kind, text = "error", say(f"sandbox.state.{checked.backend}")
    elif held < len(mine):
        kind = "error"
        text = say("sandbox.state.broken", rung=rung_name(visit, checked.backend))
    else:
        kind = "ok"
        text = say("sandbox.state.holds", rung=rung_name(visit, checked.backend))
    tried = say("sandbox.tried", n=len(mine), held=held) if mine else ""
    when = say("seal.check.when", when=visit.at(checked.at)) if checked.at else ""
    more = " ".join(filter(None, (tried, when or say("seal.check.never"))))
    return Markup(
        '<div class="atl-ribbon" data-kind="{}" role="status">{}<div><b>{}</b> {}{}</div></div>'
    ).format(
        kind,
        icon("badge-check" if kind == "ok" else "triangle-alert"),
        text,
        more,
        Markup("<p>{}</p>").format(in_words(visit.language, checked.fix)) if checked.fix else "",
    )


def running(visit: Visit) -> str:
    """How many processes wait and work, in a sentence; failed starts when there were some."""
    status = visit.app.pool.status()
    ready, failures = _numbers(status.get("ready")), sum(_numbers(status.get("failures")).values())
    parts = [
        visit.say("sandbox.ready", agent=ready.get("agent", 0), data=ready.get("data", 0)),
        visit.say("sandbox.live", n=int(str(status.get("live", 0)))),
    ]
    if failures:
        parts.append(visit.say("sandbox.failures", n=failures))
    return " ".join(parts)


def rung_name(visit: Visit, rung: str) -> str:
    """`bubblewrap and seccomp`."""
    key = f"web.backend.{rung}"
    return visit.say(key) if key in catalogue(visit.language) else rung


def tried(visit: Visit, checks: Sequence[Check]) -> Markup:
    """What was tried, a row each, and what each rung did about it."""
    rungs = list(dict.fromkeys(one.rung for one in checks))
    names = list(dict.fromkeys(one.name for one in checks))
    by = {(one.rung, one.name): one for one in checks}
    heads = joined(
        Markup('<th scope="col">{}</th>').format(rung_name(visit, rung)) for rung in rungs
    )
    rows = joined(
        Markup('<tr><th scope="row">{}</th>{}</tr>').format(
            visit.say(f"sandbox.check.{name}"),
            joined(_cell(visit, rung, by.get((rung, name))) for rung in rungs),
        )
        for name in names
    )
    return Markup(
        '<table class="atl-datatable atl-tried"><caption>{}</caption><thead><tr><th scope="col">{}'
        "</th>{}</tr></thead><tbody>{}</tbody></table>"
    ).format(visit.say("sandbox.table"), visit.say("sandbox.what"), heads, rows)


def _cell(visit: Visit, rung: str, one: Check | None) -> Markup:
    label = rung_name(visit, rung)
    if one is None:
        return Markup('<td data-label="{}">–</td>').format(label)
    verdict, picture = ("allowed", "check") if one.held else ("blocked", "x")
    starts = ".start" if one.name == START else ""
    return Markup(
        '<td data-label="{}"><span class="atl-chip" data-verdict="{}">{}{}</span>{}</td>'
    ).format(
        label,
        verdict,
        icon(picture),
        visit.say(("sandbox.held", "sandbox.not-held")[not one.held] + starts),
        Markup('<p class="atl-small">{}</p>').format(in_words(visit.language, one.detail))
        if one.detail and not one.held
        else "",
    )


def _numbers(value: object) -> dict[str, int]:
    return {str(name): int(n) for name, n in value.items()} if isinstance(value, dict) else {}
