"""What the versions of a published agent read, for its owner: each can be removed from all."""

from agents.files import Upload
from agents.publishing_records import Live
from ui.web.markup import Markup, joined
from ui.web.plain import Visit


def held(visit: Visit, live: Live) -> Markup:
    """A panel; nothing where there are no documents, or for anybody but the owner."""
    found = visit.app.desk.files.uploads(live.agent) if live.owner == visit.person.id else []
    if not found:
        return Markup("")
    return Markup(
        '<section class="atl-panel"><h2>{}</h2><p class="atl-small">{}</p>'
        '<ul class="atl-remarks">{}</ul></section>'
    ).format(
        visit.say("publish.held"),
        visit.say("publish.held.more"),
        joined(_row(visit, live, one) for one in found),
    )


def _row(visit: Visit, live: Live, one: Upload) -> Markup:
    named = [
        visit.say("publish.held.review") if each == "review" else each for each in one.versions
    ]
    return Markup(
        '<li><p><b>{}</b></p><p class="atl-small">{}</p>'
        '<button class="atl-button" data-kind="danger" data-size="small" data-api="DELETE'
        ' /api/v1/agents/{}/knowledge/{}?everywhere=true" data-sure="{}" data-ok="{}">{}</button>'
        "</li>"
    ).format(
        one.name,
        visit.say(
            "publish.held.by" if one.current else "publish.held.only", versions=", ".join(named)
        ),
        live.agent,
        one.id,
        visit.say("publish.held.sure", name=one.name),
        visit.say("publish.held.gone"),
        visit.say("publish.held.remove"),
    )
