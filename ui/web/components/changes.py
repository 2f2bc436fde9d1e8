"""What differs between two versions of an agent, in words, line by line, with what was said of it.

What somebody has to look at stands first; the rest (its picture, its name, its test cases) folds.
"""

import json
from collections.abc import Sequence
from typing import Any

from agents.publishing_records import Comment, PublishRequest
from agents.versions import Change, Line
from ui.messages import LANGUAGES, catalogue, say
from ui.routes.publishing import name_of
from ui.web.frame import query
from ui.web.markup import Markup, attributes, icon, joined
from ui.web.nav import address
from ui.web.pages.playground import tool_name
from ui.web.plain import Visit

SIGNS = {"added": "+", "removed": "−", "same": " "}
SHOWN_LINES = 400
# fields whose values are words of ours, and where their wording is
WORDED = {
    "data_class": "web.data.", "guard": "build.guard.", "pseudonyms": "build.pseudonyms.",
    "category": "web.category.",
}  # fmt: skip


def differences(
    visit: Visit, request: PublishRequest, found: Sequence[Change], remarks: Sequence[Comment]
) -> Markup:
    """Fields that differ, with the comments at their lines and a link to comment each line."""
    by_line: dict[str, list[Comment]] = {}
    for remark in remarks:
        by_line.setdefault(remark.line, []).append(remark)

    def drawn(changes: Sequence[Change]) -> Markup:
        return joined(_change(visit, request, change, by_line) for change in changes)

    rest = [change for change in found if not change.reviewed]
    if not rest:
        return drawn(found)
    spoken = {place.partition(":")[0] for place in by_line} | {_asked(visit)}
    fold = Markup('<details class="atl-fold"{}><summary>{}</summary>{}</details>').format(
        attributes(open=any(change.field in spoken for change in rest)),
        visit.say("publish.changes-rest", n=len(rest)),
        drawn(rest),
    )
    return drawn([change for change in found if change.reviewed]) + fold


def field_name(visit: Visit, field: str) -> str:
    """`instructions.en` → Instructions (English); `cases.hotel` → Test case “hotel”."""
    top, _, rest = field.partition(".")
    if top == "cases":
        return visit.say("publish.field-case", name=rest)
    language = rest.rpartition(".")[2]
    inner = "" if rest in LANGUAGES else rest.removesuffix(f".{language}").replace(".", "-")
    keys = (f"publish.field.{top}-{inner}", f"publish.field.{top}")
    key = next((key for key in keys if key in catalogue(visit.language)), "")
    name = visit.say(key) if key else field
    name = name[:1].upper() + name[1:]
    for each in LANGUAGES:
        if language == each:
            return f"{name} ({say(each, 'web.language.name')})"
    return name


def _asked(visit: Visit) -> str:
    return visit.query.get("line", "").partition(":")[0]


def _change(
    visit: Visit, request: PublishRequest, change: Change, by_line: dict[str, list[Comment]]
) -> Markup:
    name = field_name(visit, change.field)
    lines = []
    for line in change.lines[:SHOWN_LINES]:
        lines.append(_line(visit, request, change.field, line))
        lines += [
            Markup('<div class="atl-remark"><b>{}</b> <small>{}</small><br>{}</div>').format(
                name_of(visit.app, each.by), visit.ago(each.at), each.text
            )
            for each in (by_line.get(line.place, []) if line.place else [])
        ]
    return Markup(
        '<section class="atl-change"><h3>{}</h3>'
        '<div class="atl-diff" tabindex="0" role="region" aria-label="{}">{}</div></section>'
    ).format(name, name, joined(lines))


def _line(visit: Visit, request: PublishRequest, field: str, line: Line) -> Markup:
    link = Markup("")
    if line.place and request.state in ("checking", "waiting"):
        where = query(request=request.id, line=line.place) + "#comment"
        label = visit.say("publish.comment-line", line=place_name(visit, line.place))
        link = Markup('<a href="{}" aria-label="{}" title="{}">{}</a>').format(
            address(visit.language, "publish", where), label, label, icon("message-circle")
        )
    return Markup('<div data-line="{}"><span>{}</span><span>{}</span>{}</div>').format(
        line.sign, SIGNS[line.sign], worded(visit, field, line.text) or "\u00a0", link
    )


def place_name(visit: Visit, place: str) -> str:
    """`instructions.en:3` → Instructions (English), line 3; anything else as it is."""
    field, _, number = place.rpartition(":")
    if not field or not number.isdigit():
        return place
    return visit.say("publish.place", field=field_name(visit, field), line=number)


def worded(visit: Visit, field: str, text: str) -> str:
    """One line of a field as people say it: tools and choices by their names."""
    top = field.partition(".")[0]
    if top == "tools":
        return tool_name(visit, text)
    if top == "languages" and text in LANGUAGES:
        return say("fr" if text == "fr" else "en", "web.language.name")
    if top in WORDED and WORDED[top] + text in catalogue(visit.language):
        return visit.say(WORDED[top] + text)
    if top == "cases":
        return _of_case(visit, text)
    if field == "limits.wall_s" or field == "saves.minutes":
        return text.removesuffix(".0")
    return text


def _of_case(visit: Visit, text: str) -> str:
    name, _, value = text.partition(": ")
    key = f"publish.case.{name}"
    if key not in catalogue(visit.language):
        return text
    if name == "expect":
        value = _wanted(visit, value)
    elif name == "files":
        value = ", ".join(str(one).rpartition("/")[2] for one in _parsed(value, []))
    return f"{visit.say(key)} {value}"


def _wanted(visit: Visit, value: str) -> str:
    parts = []
    for grader, wanted in _parsed(value, {}).items():
        key = f"grader.{grader.replace('_', '-')}"
        told = ", ".join(map(str, wanted)) if isinstance(wanted, list) else str(wanted)
        known = key in catalogue(visit.language)
        parts.append(visit.say(key, wanted=told) if known else f"{grader}: {told}")
    return "; ".join(parts) or value


def _parsed(value: str, otherwise: Any) -> Any:
    try:
        found = json.loads(value)
    except ValueError:
        return otherwise
    return found if isinstance(found, type(otherwise)) else otherwise
