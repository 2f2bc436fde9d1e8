"""Answers people want looked at: the masked turn, what was said of it, the reviewer's answer."""

from collections.abc import Mapping

from ui.access import may
from ui.routes import feedback as kept
from ui.routes.feedback import FeedbackRow
from ui.web.components.chips import masked
from ui.web.components.names import agent_name, agent_titles
from ui.web.frame import query
from ui.web.markup import Markup, attributes, icon, joined
from ui.web.nav import BY_ID, address
from ui.web.plain import Visit, empty, head


def body(visit: Visit) -> Markup:
    """Open reports first; `?state=closed` shows those that are done."""
    closed = visit.query.get("state") == "closed"
    rows = kept.feedback(visit.app, visit.person, "closed" if closed else "open")
    tabs = joined(
        Markup('<li><a href="{}"{}>{}</a></li>').format(
            address(visit.language, "reports", query(state=state)),
            attributes(aria_current="page" if (state == "closed") == closed else None),
            visit.say(f"reports.{state or 'open'}"),
        )
        for state in ("", "closed")
    )
    titles = agent_titles(visit)
    inside = (
        joined(_card(visit, row, titles) for row in rows)
        if rows
        else empty("flag", visit.say("reports.none"), visit.say("reports.none.more"))
    )
    return Markup('{}<nav aria-label="{}"><ul class="atl-subtabs">{}</ul></nav>{}').format(
        head(visit, "reports", visit.say("reports.lead")),
        visit.say("web.nav.reports"),
        tabs,
        inside,
    )


def _card(visit: Visit, row: FeedbackRow, titles: Mapping[str, str]) -> Markup:
    trace = (
        Markup(' · <a href="{}">tr_{}</a>').format(
            address(visit.language, "audit", query(open=row.trace_id)), row.trace_id[:8]
        )
        if may(visit.person, BY_ID["audit"].permission)
        else ""  # a number that a reviewer cannot open helps nobody
    )
    answer = (
        Markup("<p><b>{}</b> {}</p>").format(visit.say("reports.answer"), row.answer)
        if row.state == "closed"
        else Markup(
            '<form class="atl-form" data-api="POST /api/v1/feedback/{}/close" data-ok="{}">'
            '<label class="atl-field">{}<textarea name="answer" rows="2" maxlength="2000" required>'
            '</textarea></label><div class="atl-actions">'
            '<button class="atl-button" data-kind="primary">{}</button></div></form>'
        ).format(
            row.id, visit.say("reports.sent"), visit.say("reports.say"), visit.say("reports.close")
        )
    )
    return Markup(
        '<article class="atl-card atl-stack"><div class="atl-headrow">'
        '<span class="atl-chip" data-verdict="flagged">{}{}</span>'
        '<span class="atl-small">{} · {} · {}{}</span></div>{}'
        '<h2 class="atl-small">{}</h2><p class="atl-said">{}</p>'
        '<h2 class="atl-small">{}</h2><p class="atl-said">{}</p>{}</article>'
    ).format(
        icon("flag"),
        visit.say(f"reports.kind.{row.kind}"),
        agent_name(visit, titles, row.agent),
        visit.say("publish.version", version=row.version),
        visit.ago(row.at),
        trace,
        Markup("<p><b>{}</b> {}</p>").format(
            visit.say("reports.note"), masked(visit.language, row.note)
        )
        if row.note
        else "",
        visit.say("reports.asked"),
        masked(visit.language, row.request or "–"),
        visit.say("reports.answered"),
        masked(visit.language, row.reply or "–"),
        answer,
    )
