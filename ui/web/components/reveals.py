"""Real values of a trace: who asked to see them, who may say yes, and the way to keep them."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime

from guardrails.audit.reveal import Reveal
from guardrails.audit.trace_rows import TraceRow
from ui.access import may
from ui.rulebook import officers
from ui.web.components.names import officer
from ui.web.frame import query
from ui.web.markup import Markup, icon, joined
from ui.web.nav import address
from ui.web.plain import Visit


def reveals_of(visit: Visit, row: TraceRow, reveals: Sequence[Reveal], me: str) -> Markup:
    """What was asked to be revealed of a trace, and the form that asks."""
    say = visit.say
    parts = [reveal_row(visit, one, me) for one in reveals]
    waiting = any(one.requester == me and one.state == "asked" for one in reveals)
    if not waiting:
        parts.append(
            Markup(
                '<details id="atl-askreveal"><summary>{}</summary>'
                '<form class="atl-form" data-api="POST /api/v1/audit/traces/{}/reveal"'
                ' data-ok="{}"><label class="atl-field"><span>{}</span>'
                '<textarea name="reason" required minlength="10" maxlength="500"></textarea>'
                "<small>{}</small></label>"
                '<button class="atl-button" data-kind="primary">{}</button>'
                '<p role="alert" class="atl-formerror"></p></form></details>'
            ).format(
                say("record.reveal.ask"),
                row.trace_id,
                say("record.reveal.asked"),
                say("record.reveal.reason"),
                say("record.reveal.reason-more"),
                say("record.reveal.send"),
            )
        )
    return Markup(
        '<section class="atl-card atl-reveals"><h3 class="atl-h3">{}{}</h3>'
        '<p class="atl-small">{}</p>{}</section>{}'
    ).format(
        icon("eye"),
        say("record.reveal"),
        say("record.reveal.more"),
        joined(parts),
        _keep(visit, row),
    )


def _keep(visit: Visit, row: TraceRow) -> Markup:
    """The way to a legal hold on the conversation."""
    if not row.conversation or not may(visit.person, "retention.manage"):
        return Markup("")
    asked = query(hold="conversation", value=row.conversation)
    return Markup('<a class="atl-more" href="{}#atl-placehold">{}{}</a>').format(
        address(visit.language, "retention", asked), icon("lock"), visit.say("record.keep")
    )


def reveal_row(visit: Visit, one: Reveal, me: str) -> Markup:
    """One request and what this person can do about it."""
    say = visit.say
    over = one.state == "granted" and (one.expires or 0) <= time.time()
    state_key = "expired" if over else one.state
    can: Markup | str = ""
    if one.state == "asked" and me not in (one.requester, one.author):
        can = joined(
            Markup(
                '<button type="button" class="atl-button" data-size="small"{}'
                ' data-api="POST /api/v1/audit/reveals/{}/{}" data-ok="{}">{}</button>'
            ).format(
                Markup(' data-kind="primary"') if verb == "approve" else "",
                one.id,
                verb,
                say(f"record.reveal.{verb}d"),
                say(f"record.reveal.{verb}"),
            )
            for verb in ("approve", "refuse")
        )
    elif state_key == "granted" and me == one.requester:
        can = Markup(
            '<button type="button" class="atl-button" data-size="small" data-kind="primary"'
            ' data-api="GET /api/v1/audit/reveals/{}" data-then="none" data-record-reveal>{}'
            "</button>"
            '<div class="atl-revealed" hidden><h4>{}</h4><p class="atl-said" data-request></p>'
            '<h4>{}</h4><p class="atl-said" data-reply></p></div>'
        ).format(
            one.id,
            say("record.reveal.show"),
            say("record.reveal.typed"),
            say("record.reveal.answered"),
        )
    return Markup(
        '<div class="atl-revealrow"><p><span class="atl-chip">{}</span> {} · {}</p>'
        '<p class="atl-small">{}</p><div class="atl-actions">{}</div></div>'
    ).format(
        say(f"record.reveal.state.{state_key}"),
        officer(officers(visit.app, visit.language), one.requester)
        if one.requester != me
        else say("record.reveal.you"),
        visit.ago(datetime.fromtimestamp(one.asked, UTC)),
        say("record.quote", text=one.reason),
        can,
    )
