"""Audit: counts by verdict with their trend, filters, a table by pages, one trace in detail, proof
of the ledger. Every look is an act in the ledger, written before anything is shown.
"""

from dataclasses import replace
from datetime import UTC, datetime

from guardrails.audit.trace_rows import TraceFilter
from guardrails.audit.verify import Verification
from guardrails.errors import BadInput
from ui.looking import TraceQuery, opened, searched
from ui.web.badges import waiting_reveals
from ui.web.components import filters, trace, traces
from ui.web.components.isolation import isolation
from ui.web.components.names import agent_titles
from ui.web.markup import Markup, icon, joined
from ui.web.plain import Visit, empty, head

PAGE = 15
STEPS = 14  # of a trend
PERIOD = "7"  # days, before a person chooses
PURPOSE = "chat"  # test runs of agents are shown when they are asked for


def body(visit: Visit) -> Markup:
    """The page for one reviewer. `part=detail` in the address: one trace alone."""
    visit.sheet("record")
    visit.script("audit")
    asked = question(visit)
    detail = Markup('<div id="atl-detail" aria-live="polite">{}</div>').format(
        _detail(visit, asked, visit.query.get("open", ""))
    )
    if visit.query.get("part") == "detail":
        return detail
    return joined(
        [
            head(visit, "audit", visit.say("web.audit.lead")),
            _waiting(visit, asked),
            _found(visit, asked, detail),
            Markup('<div class="atl-halves">{}{}</div>').format(seal(visit), isolation(visit)),
        ]
    )


def question(visit: Visit) -> TraceQuery:
    """What the address asks for; words that are no field of ours are left out."""
    given = {
        name: value[:200] for name, value in visit.query.items() if name in TraceQuery.model_fields
    }
    if "days" not in given and not given.get("since"):
        given["days"] = PERIOD
    if given.get("days") == "all" or given.get("since"):
        given["days"] = ""
    # of what is asked for by name nothing is left out
    if not (given.get("trace") or given.get("conversation")):
        given.setdefault("purpose", PURPOSE)
    if given.get("purpose") == "all":
        given["purpose"] = ""
    return TraceQuery(**given)


def _found(visit: Visit, asked: TraceQuery, detail: Markup) -> Markup:
    app, names = visit.app, agent_titles(visit)
    after = visit.query.get("after", "")
    wanted = asked.filter()
    page = searched(app, visit.person, wanted, after or None, PAGE)
    counts = app.traces.counts(wanted)
    facets = app.record.facets
    now = datetime.now(UTC)
    total = counts.get(asked.verdict, 0) if asked.verdict else sum(counts.values())
    me = app.record.pseudonym(visit.person.id)
    list_ = Markup('<div id="atl-table">{}{}</div>').format(
        traces.table(visit, asked, page.rows, total, names, visit.query.get("open", "")),
        traces.pager(visit, asked, after, page.next),
    )
    return joined(
        [
            traces.kpis(
                visit, asked, counts, _before(visit, wanted, now), facets.trend(wanted, now, STEPS)
            ),
            filters.form(visit, asked, facets.facets(wanted), names, counts),
            filters.chosen(visit, asked, names),
            filters.views(visit, app.record.saved.all(me), asked),
            Markup('<div class="atl-audit">{}{}</div>').format(list_, detail),
        ]
    )


def _before(visit: Visit, wanted: TraceFilter, now: datetime) -> dict[str, int] | None:
    """The counts of an equal time just before."""
    if wanted.since is None:
        return None
    length = (wanted.until or now) - wanted.since
    earlier = replace(wanted, since=wanted.since - length, until=wanted.since)
    counts: dict[str, int] = visit.app.traces.counts(earlier)
    return counts if sum(counts.values()) else None


def _detail(visit: Visit, asked: TraceQuery, trace_id: str) -> Markup:
    if not trace_id:
        return trace.choose(visit)
    app, me = visit.app, visit.app.record.pseudonym(visit.person.id)
    try:
        found = opened(app, visit.person, trace_id)
    except BadInput:
        return empty("search", visit.say("web.audit.gone"), visit.say("record.gone-more"))
    row = found.row
    return trace.detail(
        visit,
        asked,
        found,
        titles=agent_titles(visit),
        turns=app.traces.conversation(row.conversation) if row.conversation else (),
        problem=app.record.sealed([act.seq for act in found.ledger]) if found.ledger else None,
        reveals=app.record.reveals.of(row.trace_id),
        me=me,
    )


def _waiting(visit: Visit, asked: TraceQuery) -> Markup:
    """Reveals that wait for this person's word."""
    mine = waiting_reveals(visit.app, visit.app.record.pseudonym(visit.person.id))
    if not mine:
        return Markup("")
    links = joined(
        (
            Markup('<a href="{}" data-record-trace="{}">tr_{}</a>').format(
                traces.trace_address(visit, asked, one.trace_id), one.trace_id, one.trace_id[:8]
            )
            for one in mine[:8]
        ),
        ", ",
    )
    return Markup(
        '<div class="atl-ribbon" data-kind="approval" role="status">{}<div><b>{}</b> {}</div></div>'
    ).format(icon("eye"), visit.say("record.reveal.waiting", n=len(mine)), links)


def seal(visit: Visit) -> Markup:
    """What the last check of the whole ledger said, and a button that checks it now."""
    record, say = visit.app.record, visit.say
    result: Verification | None = record.last
    if result is None:
        kind, picture, text = "info", "lock", say("web.audit.seal.hint")
    elif result.ok:
        kind, picture = "ok", "badge-check"
        when = visit.at(datetime.fromtimestamp(record.checked, UTC), "d MMM HH:mm:ss")
        signed = say("count.checkpoints", n=result.checkpoints)
        text = say("web.audit.seal.ok", n=result.rows, checkpoints=signed, time=when)
    else:
        kind, picture = "error", "triangle-alert"
        bad = result.first_bad
        what = say(f"verify.{bad.what}", seq=bad.seq) if bad else ""
        text = say("web.audit.seal.bad", row=bad.seq if bad else 0, what=what)
    return Markup(
        '<section class="atl-card" id="atl-ledger"><h2 class="atl-h3">{}{}</h2>'
        '<div class="atl-ribbon" data-kind="{}" role="status">{}<div>{}</div></div>'
        '<button type="button" class="atl-button" data-kind="primary" id="atl-verify"'
        ' data-api="POST /api/v1/audit/verify">{}</button></section>'
    ).format(
        icon("lock"), say("web.audit.seal"), kind, icon(picture), text, say("web.audit.verify")
    )
