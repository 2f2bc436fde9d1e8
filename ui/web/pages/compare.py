"""Compare: one message to up to four agents or models side by side; vote before you know whom."""

import json

from ui.messages import catalogue
from ui.routes.models import choices
from ui.web.markup import Markup, icon, joined, static
from ui.web.plain import Visit, head

COLUMNS = 4
_WORDS = ("web.compare.", "web.chat.offline", "web.chat.stop")


def body(visit: Visit) -> Markup:
    """The form and the place for the answers; compare.js fills it."""
    visit.sheet("chat")
    visit.script("compare")
    words = catalogue(visit.language)
    used = {key: words[key] for key in words if key.startswith(_WORDS)}
    columns = joined(_column(visit, number) for number in range(COLUMNS))
    return Markup(
        '{}<form class="atl-card atl-form" id="atl-compare" data-icons="{}" data-words="{}">'
        '<label class="atl-field">{}<textarea name="text" rows="3" maxlength="20000" required>'
        '</textarea></label><div class="atl-form-row">{}</div>'
        '<p class="atl-formerror" role="alert"></p><div class="atl-actions">'
        '<button class="atl-button" data-kind="primary">{}{}</button></div></form>'
        '<section id="atl-sides" class="atl-sides" aria-live="polite" aria-label="{}"></section>'
    ).format(
        head(visit, "compare", visit.say("web.compare.lead")),
        static("icons/lucide.svg"),
        json.dumps(used, ensure_ascii=False),
        visit.say("web.compare.message"),
        columns,
        icon("git-compare"),
        visit.say("web.compare.ask"),
        visit.say("web.compare.answers"),
    )


def _column(visit: Visit, number: int) -> Markup:
    first = (
        ""
        if number < 2
        else Markup('<option value="">{}</option>').format(visit.say("web.compare.nobody"))
    )
    wanted = visit.query.get("agent", "")
    agents = joined(
        Markup('<option value="{}"{}>{}</option>').format(
            record.id,
            Markup(" selected") if number < 2 and record.id == wanted else "",
            record.spec.title.to(visit.language) or visit.say("web.untitled"),
        )
        for record in visit.app.catalog.visible(visit.person.id)
    )
    models = joined(
        Markup('<option value="{}">{}</option>').format(one.name, one.label or one.name)
        for one in choices(visit.app, visit.person)
        if one.allowed
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
        models,
    )
