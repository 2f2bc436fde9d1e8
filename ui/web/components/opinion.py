"""What one may do with a colleague's published agent: give stars, report a problem, copy it."""

from typing import TYPE_CHECKING, get_args

from agents.agent_records import AgentRecord
from agents.publishing_records import ReportKind
from ui.access import may
from ui.web.components.fields import select
from ui.web.markup import Markup, attributes, icon, joined

if TYPE_CHECKING:
    from ui.web.plain import Visit

MOST_STARS = 5


def opinion(visit: "Visit", record: AgentRecord, conversation: str) -> Markup:
    """Stars, report and copy for a published agent of somebody else; nothing for any other."""
    if record.status != "published" or record.owner == visit.person.id:
        return Markup("")
    return Markup('<section class="atl-opinion" aria-label="{}">{}{}{}</section>').format(
        visit.say("web.play.opinion"),
        _stars(visit, record),
        _copy(visit, record),
        _report(visit, record, conversation),
    )


def _stars(visit: "Visit", record: AgentRecord) -> Markup:
    opinions = visit.app.desk.opinions
    mine = opinions.mine(record.id, visit.app.sessions.pseudonym(visit.person.id))
    everybody = opinions.rating(record.id)
    told = (
        visit.say("web.play.rated", mean=visit.number(round(everybody.mean, 1)), n=everybody.n)
        if everybody.n
        else visit.say("web.play.rate.first")
    )
    buttons = joined(
        Markup('<button type="submit"{}>{}</button>').format(
            attributes(
                id=f"atl-star-{stars}", name="stars", value=stars, data_type="number",
                data_on=stars <= mine, aria_pressed="true" if stars == mine else "false",
                aria_label=visit.say("web.play.stars", n=stars),
                title=visit.say("web.play.stars", n=stars),
            ),
            icon("star"),
        )
        for stars in range(1, MOST_STARS + 1)
    )  # fmt: skip
    return Markup(
        '<form class="atl-stars" id="atl-stars" data-api="PUT /api/v1/agents/{}/rating"'
        ' data-then="reload:atl-stars" data-ok="{}"><span role="group" aria-label="{}">{}</span>'
        "<small>{}</small></form>"
    ).format(record.id, visit.say("web.play.rate.ok"), visit.say("web.play.rate"), buttons, told)


def _copy(visit: "Visit", record: AgentRecord) -> Markup:
    if not may(visit.person, "agents.build"):
        return Markup("")
    return Markup(
        '<button type="button" class="atl-button" data-size="small"'
        ' data-api="POST /api/v1/agents/{}/copy" data-then="go:/{}/build?agent={{id}}"'
        ' title="{}">{}{}</button>'
    ).format(
        record.id,
        visit.language,
        visit.say("web.play.copy.more"),
        icon("copy"),
        visit.say("web.play.copy"),
    )


def _report(visit: "Visit", record: AgentRecord, conversation: str) -> Markup:
    kinds = [(kind, visit.say(f"web.play.report.{kind}")) for kind in get_args(ReportKind)]
    return Markup(
        '<details class="atl-fold" id="atl-report"><summary>{}{}</summary>'
        '<form class="atl-form" data-api="POST /api/v1/agents/{}/reports" data-then="none"'
        ' data-ok="{}">{}<label class="atl-field">{}<textarea name="text" rows="3"'
        ' maxlength="2000"></textarea><small>{}</small></label>'
        '<input type="hidden" name="conversation" value="{}" data-atl-conversation>'
        '<p class="atl-formerror" role="alert" hidden></p><div class="atl-actions">'
        '<button type="submit" class="atl-button" data-kind="primary">{}</button></div>'
        "</form></details>"
    ).format(
        icon("flag"),
        visit.say("web.play.report"),
        record.id,
        visit.say("web.play.report.ok"),
        select(visit.say("web.play.report.kind"), "kind", kinds, "wrong"),
        visit.say("web.play.report.text"),
        visit.say("web.play.report.more"),
        conversation,
        visit.say("web.play.report.send"),
    )
