"""Compare: one message to up to four agents or models side by side; vote before you know whom."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agents.agent_records import AgentRecord
from ui.messages import catalogue
from ui.routes.models import ModelRow, choices
from ui.web.markup import Markup, attributes, icon, joined, static
from ui.web.plain import Visit, head

COLUMNS = 4


@dataclass(frozen=True)
class Start:
    """What the first two columns begin with, as (agent, model), and the key that says why."""

    sides: tuple[tuple[str, str], tuple[str, str]]
    why: str
    names: Mapping[str, str]


_WORDS = ("web.compare.", "web.chat.offline", "web.chat.stop")
_DRAWN = ("web.compare.why.", "web.compare.one-model")  # said by the server, not by compare.js


def body(visit: Visit) -> Markup:
    """The form and the place for the answers; compare.js fills it."""
    visit.sheet("chat")
    visit.script("compare")
    words = catalogue(visit.language)
    used = {
        key: words[key] for key in words if key.startswith(_WORDS) and not key.startswith(_DRAWN)
    }
    models = [one for one in choices(visit.app, visit.person) if one.allowed]
    start = beginning(visit, models)
    given = (*start.sides, ("", ""), ("", ""))
    columns = joined(_column(visit, number, *given[number], models) for number in range(COLUMNS))
    told = visit.say(start.why, **start.names)
    if len(models) < 2:
        told = f"{told} {visit.say('web.compare.one-model')}"
    return Markup(
        '{}<form class="atl-card atl-form" id="atl-compare" data-icons="{}" data-words="{}">'
        '<label class="atl-field">{}<textarea name="text" rows="3" maxlength="20000" required>'
        '</textarea></label><p class="atl-small atl-compare-why">{}</p>'
        '<div class="atl-form-row">{}</div>'
        '<p class="atl-formerror" role="alert"></p><div class="atl-actions">'
        '<button class="atl-button" data-kind="primary">{}{}</button></div></form>'
        '<section id="atl-sides" class="atl-sides" aria-live="polite" aria-label="{}"></section>'
    ).format(
        head(visit, "compare", visit.say("web.compare.lead")),
        static("icons/lucide.svg"),
        json.dumps(used, ensure_ascii=False),
        visit.say("web.compare.message"),
        told,
        columns,
        icon("git-compare"),
        visit.say("web.compare.ask"),
        visit.say("web.compare.answers"),
    )


def beginning(visit: Visit, models: Sequence[ModelRow]) -> Start:
    """The agent as it is now, and the best other choice: the same agent with another model, what
    it was made from, or an agent for the same purpose. Two equal columns compare nothing."""
    records = list(visit.app.catalog.visible(visit.person.id))
    own = [one for one in records if one.status == "draft"]
    wanted = visit.query.get("agent", "")
    now = next((one for one in records if one.id == wanted), (own or records)[0])
    title = _title(visit, now)
    # an agent without a model of its own asks the default
    runs = now.spec.model or next((one.name for one in models if one.default), "")
    answers = proven(visit)
    ready = [one for one in models if one.name != runs and one.name in answers]
    if ready:
        names = {"agent": title, "model": ready[0].label or ready[0].name}
        return Start(((now.id, ""), (now.id, ready[0].name)), "web.compare.why.model", names)
    others = [one for one in records if one.id != now.id]
    if not others:
        return Start(((now.id, ""), (now.id, "")), "web.compare.why.alone", {"agent": title})
    base = next((one for one in others if one.id == now.base), None)
    if base is not None:
        names = {"agent": title, "other": _title(visit, base)}
        return Start(((now.id, ""), (base.id, "")), "web.compare.why.base", names)
    near = next((one for one in others if one.spec.category == now.spec.category), others[0])
    names = {"agent": title, "other": _title(visit, near)}
    return Start(((now.id, ""), (near.id, "")), "web.compare.why.near", names)


def proven(visit: Visit) -> frozenset[str]:
    """Models that are known to answer: one that cannot be reached compares nothing."""
    own = visit.app.models.own()
    found = {one.name for one in visit.app.connections.now() if one.checked and not one.check}
    return frozenset(found | ({own.name} if own.state == "ready" else set()))


def _title(visit: Visit, record: AgentRecord) -> str:
    return record.spec.title.to(visit.language) or visit.say("web.untitled")


def _column(
    visit: Visit, number: int, agent: str, model: str, models: Sequence[ModelRow]
) -> Markup:
    first = (
        ""
        if number < 2
        else Markup('<option value="">{}</option>').format(visit.say("web.compare.nobody"))
    )
    agents = joined(
        Markup("<option{}>{}</option>").format(
            attributes(value=record.id, selected=record.id == agent), _title(visit, record)
        )
        for record in visit.app.catalog.visible(visit.person.id)
    )
    named = joined(
        Markup("<option{}>{}</option>").format(
            attributes(value=one.name, selected=one.name == model), one.label or one.name
        )
        for one in models
    )
    return Markup(
        '<fieldset class="atl-stack atl-side-choice"><legend class="atl-small">{}</legend>'
        '<label class="atl-field">{}<select name="agent">{}{}</select></label>'
        '<label class="atl-field">{}<select name="model"><option value="">{}</option>{}</select>'
        "</label></fieldset>"
    ).format(
        visit.say("web.compare.column", n=number + 1),
        visit.say("web.compare.agent"),
        first,
        agents,
        visit.say("web.compare.model"),
        visit.say("web.compare.own-model"),
        named,
    )
