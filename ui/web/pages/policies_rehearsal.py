"""What a version would have done: to past turns, and in every what-if. Draws, decides nothing."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from guardrails.policy.known import CLASSES, LOCATIONS, ROLES
from guardrails.policy.lifecycle import Version
from ui.access import may
from ui.web.components.names import agent_name, agent_titles, rule_sentence
from ui.web.markup import Markup, icon, joined
from ui.web.nav import address
from ui.web.pages.policies_words import value_word
from ui.web.plain import Visit, empty

SHOWN = 25


def rehearsal(visit: Visit, version: Version) -> Markup:
    """Progress while it runs, then the result."""
    progress = visit.app.rehearsals.progress(version.number)
    if progress is not None and running(visit, version):
        return Markup(
            '<div class="atl-card atl-stack"><h2 class="atl-h2">{}'
            '</h2><progress max="{}" value="{}" aria-label="{}"></progress><p role="status">{}</p>'
            "</div>"
        ).format(
            visit.say("rules.rehearsing"),
            max(progress.total, 1),
            progress.looked_at,
            visit.say("rules.rehearsing"),
            visit.say("rules.rehearsing-at", n=progress.looked_at, total=progress.total),
        )
    if progress is not None and progress.state == "failed":
        return Markup(
            '<div class="atl-ribbon" data-kind="error" role="alert">{}<p>{}</p></div>'
        ).format(icon("triangle-alert"), visit.say("rules.rehearse-failed"))
    if version.rehearsal is None:
        return empty(
            "play", visit.say("rules.rehearse-none"), visit.say("rules.rehearse-none-more")
        )
    return _result(visit, version.rehearsal)


def running(visit: Visit, version: Version) -> bool:
    """True while a rehearsal of this version is under way."""
    progress = visit.app.rehearsals.progress(version.number)
    return progress is not None and progress.state == "running"


def _result(visit: Visit, result: Mapping[str, Any]) -> Markup:
    when = visit.at(dt.datetime.fromtimestamp(float(result["at"]), dt.UTC))
    blocked, agents = int(result["blocked"]), list(result["agents"])
    titles = agent_titles(visit)
    good = not blocked and not agents and not int(result["asked"])
    sentence = joined(
        [
            visit.say(
                "rules.would-block",
                n=blocked,
                people=visit.say("count.people", n=int(result["people"])),
            ),
            visit.say("rules.would-stop", n=len(agents))
            if agents
            else visit.say("rules.stops-none"),
        ],
        " ",
    )
    names = joined(
        (
            Markup('<span class="atl-chip">{}</span>').format(agent_name(visit, titles, agent))
            for agent in agents
        ),
        " ",
    )
    summary = Markup(
        '<div class="atl-ribbon" data-kind="{}" role="status">{}<div><b>{}</b> {}<p class='
        '"atl-small">{}</p></div></div>'
    ).format(
        "ok" if good else "masked",
        icon("circle-check" if good else "triangle-alert"),
        sentence,
        names,
        visit.say(
            "rules.rehearsed-at", n=int(result["looked_at"]), days=int(result["days"]), when=when
        ),
    )
    return joined(
        [summary, _figures(visit, result), _changes(visit, result), _what_ifs(visit, result)]
    )


def _figures(visit: Visit, result: Mapping[str, Any]) -> Markup:
    figures = joined(
        Markup('<div class="atl-card atl-rule-figure"><b>{}</b><span>{}</span></div>').format(
            visit.number(int(result[name])), visit.say(f"rules.figure.{name}")
        )
        for name in ("looked_at", "blocked", "asked", "allowed")
    )
    return Markup('<div class="atl-rule-figures">{}</div>').format(figures)


def _changes(visit: Visit, result: Mapping[str, Any]) -> Markup:
    found = list(result["changes"])
    if not found:
        return Markup('<p class="atl-card">{}</p>').format(visit.say("rules.nothing-changes"))
    links = may(visit.person, "traces.view")
    titles = agent_titles(visit)
    rows = joined(_change_row(visit, one, links, titles) for one in found[:SHOWN])
    heads = joined(
        Markup('<th scope="col">{}</th>').format(visit.say(f"rules.column.{each}"))
        for each in ("trace", "agent", "before", "after", "rule")
    )
    more = len(found) - SHOWN
    rest = Markup('<p class="atl-small">{}</p>').format(visit.say("rules.and-more", n=more))
    return Markup(
        '<table class="atl-datatable atl-short"><caption>{}</caption><thead><tr>{}</tr></thead>'
        "<tbody>{}</tbody></table>{}"
    ).format(visit.say("rules.changed-turns"), heads, rows, rest if more > 0 else "")


def _change_row(
    visit: Visit, one: Mapping[str, Any], links: bool, titles: Mapping[str, str]
) -> Markup:
    short = f"tr_{one['trace_id'][:8]}"
    link = address(visit.language, "audit", f"open={one['trace_id']}")
    cells = (
        ("trace", Markup('<a href="{}">{}</a>').format(link, short) if links else short),
        ("agent", Markup("{}<br><small>{}</small>").format(
            agent_name(visit, titles, one["agent"]), one["person"])),
        ("before", outcome(visit, one["before"])),
        ("after", outcome(visit, one["after"])),
        ("rule", Markup('<span title="{}">{}</span>').format(
            rule_sentence(visit, one["rule"]), Markup("<code>{}</code>").format(one["rule"]))),
    )  # fmt: skip
    return Markup("<tr>{}</tr>").format(
        joined(
            Markup('<td data-label="{}">{}</td>').format(visit.say(f"rules.column.{name}"), cell)
            for name, cell in cells
        )
    )


def outcome(visit: Visit, value: str) -> Markup:
    """Allow, ask or deny as a chip."""
    verdict, picture = {
        "allow": ("allowed", "circle-check"),
        "ask": ("flagged", "hand-helping"),
    }.get(value, ("blocked", "ban"))
    return Markup('<span class="atl-chip" data-verdict="{}">{}{}</span>').format(
        verdict, icon(picture), visit.say(f"rules.outcome.{value}")
    )


def _what_ifs(visit: Visit, result: Mapping[str, Any]) -> Markup:
    cells = {(c["role"], c["data_class"], c["place"]): c for c in result["what_ifs"]}
    if not cells:
        return Markup("")
    folds = []
    for at, role in enumerate(ROLES):
        changed = sum(one["before"] != one["after"] for key, one in cells.items() if key[0] == role)
        folds.append(
            Markup(
                '<details class="atl-fold" id="what-if-{}"{}><summary>{} <span class="atl-small">'
                "{}</span></summary>{}</details>"
            ).format(
                role,
                Markup(" open") if at == 0 else "",
                visit.say(f"web.role.{role}"),
                visit.say("rules.cells-changed", n=changed)
                if changed
                else visit.say("rules.cells-same"),
                _matrix(visit, cells, role),
            )
        )
    return Markup(
        '<section class="atl-stack" aria-labelledby="rules-what-if"><h2 class="atl-h2"'
        ' id="rules-what-if">{}</h2><p class="atl-small">{}</p>{}</section>'
    ).format(visit.say("rules.what-if"), visit.say("rules.what-if-more"), joined(folds))


def _matrix(visit: Visit, cells: Mapping[Any, Any], role: str) -> Markup:
    places = ("practice", *LOCATIONS)
    heads = joined(
        Markup('<th scope="col">{}</th>').format(value_word(visit, "locations", place))
        for place in places
    )
    rows = []
    for data_class in CLASSES:
        row = [Markup('<th scope="row">{}</th>').format(visit.say(f"web.data.{data_class}"))]
        for place in places:
            one = cells[(role, data_class, place)]
            changed = one["before"] != one["after"]
            row.append(
                Markup('<td data-label="{}"{}>{}{}</td>').format(
                    value_word(visit, "locations", place),
                    Markup(" data-changed") if changed else "",
                    outcome(visit, one["after"]),
                    Markup('<span class="atl-small"> {}</span>').format(
                        visit.say("rules.was", before=visit.say(f"rules.outcome.{one['before']}"))
                    )
                    if changed
                    else "",
                )
            )
        rows.append(Markup("<tr>{}</tr>").format(joined(row)))
    return Markup(
        '<table class="atl-datatable atl-rule-table"><thead><tr><td></td>{}</tr></thead>'
        "<tbody>{}</tbody></table>"
    ).format(heads, joined(rows))
