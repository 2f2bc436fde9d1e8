"""One request to publish: evidence, differences line by line, comments, the decision."""

from agents.publishing_records import PublishRequest
from agents.versions import changes
from guardrails.errors import BadInput
from ui.access import may
from ui.routes.common import actor
from ui.routes.publishing import compared_with, name_of
from ui.web.components.changes import differences, place_name
from ui.web.components.chips import tile
from ui.web.components.reviewing import audience, chip, evidence, progress, state
from ui.web.frame import query
from ui.web.markup import Markup, attributes, icon, joined
from ui.web.nav import address
from ui.web.plain import Visit


def detail(visit: Visit, wanted: str) -> Markup:
    """The whole request, for its author or a reviewer. Raises BadInput("no-such-request")."""
    request = visit.app.desk.publishing.seen(wanted, actor(visit.person))
    before = compared_with(visit.app, request)
    remarks = visit.app.desk.opinions.comments(request.id)
    found = changes(before.spec if before else None, request.spec)
    title = request.spec.title.to(visit.language)
    poll = attributes(data_poll="2" if request.state == "checking" else None)
    return Markup(
        '<a class="atl-crumb" href="{}">{}{}</a>'
        '<header class="atl-headrow" id="request-head"{}><div class="atl-title">{}<div>'
        '<h1 class="atl-h1">{}</h1>'
        '<div class="atl-meta">{}<span>{}</span><span>{}</span><span>{}</span></div></div></div>'
        "{}</header>{}"
        '<div class="atl-split"><div class="atl-stack">{}<section class="atl-panel"><h2>{}</h2>'
        '<p class="atl-hint">{}</p>{}</section>{}</div><aside id="standing"{}>{}{}</aside></div>'
    ).format(
        address(visit.language, "publish"),
        icon("arrow-left"),
        visit.say("publish.back"),
        poll,
        tile(request.spec.icon),
        title,
        state(visit, request),
        visit.say("publish.version", version=request.version),
        visit.say("publish.by", name=name_of(visit.app, request.owner)),
        audience(visit, request.audience),
        _try(visit, request),
        _told(visit, request),
        _notes(visit, request),
        visit.say("publish.changes"),
        visit.say("publish.changes-since", version=before.version)
        if before
        else visit.say("publish.changes-first"),
        differences(visit, request, found, remarks)
        or Markup('<p class="atl-small">{}</p>').format(visit.say("publish.no-changes")),
        _comments(visit, request),
        # nobody types beside the evidence while it is being collected
        poll,
        _evidence(visit, request),
        _decide(visit, request),
    )


def _try(visit: Visit, request: PublishRequest) -> Markup:
    if request.state not in ("checking", "waiting"):
        return Markup("")
    return Markup('<a class="atl-button" href="{}">{}{}</a>').format(
        address(visit.language, "playground", query(agent=request.id)),
        icon("play"),
        visit.say("publish.try"),
    )


def _told(visit: Visit, request: PublishRequest) -> Markup:
    parts = []
    if request.state in ("returned", "published") and (request.note or request.decided):
        kind = "blocked" if request.state == "returned" else "ok"
        parts.append(
            Markup('<div class="atl-ribbon" data-kind="{}">{}<p><b>{}</b> {}</p></div>').format(
                kind,
                icon("arrow-left" if kind == "blocked" else "circle-check"),
                visit.say(
                    f"publish.told.{request.state}", name=name_of(visit.app, request.decided_by)
                ),
                request.note,
            )
        )
    if request.state in ("checking", "waiting") and _changed_since(visit, request):
        parts.append(
            Markup('<div class="atl-ribbon" data-kind="limit">{}<p>{}</p></div>').format(
                icon("info"), visit.say("publish.typed-since")
            )
        )
    return joined(parts)


def _changed_since(visit: Visit, request: PublishRequest) -> bool:
    try:
        draft = visit.app.catalog.get(request.agent, request.owner)
    except BadInput:
        return False
    same = draft.spec.model_copy(update={"version": request.version})
    return draft.status == "draft" and same != request.spec


def _notes(visit: Visit, request: PublishRequest) -> Markup:
    if not request.notes and not request.changed:
        return Markup("")
    marks = joined(
        chip(visit.say(f"publish.field.{name}"), "new", "eye") for name in request.changed
    )
    return Markup(
        '<section class="atl-panel" data-quiet><h2>{}</h2>{}<div class="atl-meta">{}</div>'
        "</section>"
    ).format(
        visit.say("publish.notes-of", name=name_of(visit.app, request.owner)),
        Markup("<p>{}</p>").format(request.notes) if request.notes else "",
        marks,
    )


def _evidence(visit: Visit, request: PublishRequest) -> Markup:
    bar = Markup("")
    if run := str(request.evidence.get("run", "")):
        try:
            record = visit.app.desk.evaluations.get(run)
            if record.state == "running":
                bar = progress(visit, record)
        except BadInput:
            pass  # removed with its agent; the figures below say that there is none
    again = ""
    if request.state in ("checking", "waiting") and not bar:
        again = Markup(
            '<button class="atl-button" data-size="small" data-api="POST'
            ' /api/v1/requests/{}/check" data-ok="{}">{}{}</button>'
        ).format(
            request.id,
            visit.say("publish.checking"),
            icon("refresh-cw"),
            visit.say("publish.again"),
        )
    results = (
        Markup('<a class="atl-more" href="{}">{}</a>').format(
            address(visit.language, "evaluation", query(agent=request.agent, run=run)),
            visit.say("publish.results"),
        )
        if run
        else ""
    )
    return Markup(
        '<section class="atl-panel"><h2>{}</h2>{}{}<div class="atl-actions">{}{}</div></section>'
    ).format(
        visit.say("publish.evidence"),
        bar,
        evidence(visit, request),
        results,
        again,
    )


def _comments(visit: Visit, request: PublishRequest) -> Markup:
    remarks = visit.app.desk.opinions.comments(request.id)
    listed = joined(
        Markup('<li><b>{}</b> <span class="atl-small">{}{}</span><br>{}</li>').format(
            name_of(visit.app, each.by),
            visit.ago(each.at),
            f" · {place_name(visit, each.line)}" if each.line else "",
            each.text,
        )
        for each in remarks
    )
    line = visit.query.get("line", "")[:120]
    form = Markup(
        '<form class="atl-form" id="comment" data-api="POST /api/v1/requests/{}/comments"'
        ' data-ok="{}"><input type="hidden" name="line" value="{}">'
        '<label class="atl-field">{}<textarea name="text" rows="3" required maxlength="4000"'
        ' id="comment-text"{}></textarea></label>'
        '<p role="alert" class="atl-formerror" hidden></p>'
        '<div class="atl-actions"><button class="atl-button">{}{}</button>{}</div></form>'
    ).format(
        request.id,
        visit.say("publish.commented"),
        line,
        visit.say("publish.comment-on", line=place_name(visit, line))
        if line
        else visit.say("publish.comment"),
        attributes(autofocus=bool(line)),
        icon("message-circle"),
        visit.say("publish.comment-send"),
        Markup('<a class="atl-more" href="{}">{}</a>').format(
            address(visit.language, "publish", query(request=request.id) + "#comment"),
            visit.say("publish.comment-whole"),
        )
        if line
        else "",
    )
    return Markup('<section class="atl-panel"><h2>{}</h2>{}{}</section>').format(
        visit.say("publish.comments", n=len(remarks)),
        Markup('<ul class="atl-remarks">{}</ul>').format(listed) if listed else "",
        form,
    )


def _decide(visit: Visit, request: PublishRequest) -> Markup:
    say = visit.say
    if request.state not in ("checking", "waiting"):
        return Markup("")
    if request.owner == visit.person.id:
        return Markup(
            '<section class="atl-panel"><h2>{}</h2><p>{}</p><div class="atl-actions">'
            '<button class="atl-button" data-kind="danger" data-api="DELETE /api/v1/requests/{}"'
            ' data-sure="{}" data-ok="{}">{}</button></div></section>'
        ).format(
            say("publish.own"),
            say("publish.own-alone" if visit.person.workshop else "publish.own-more"),
            request.id,
            say("publish.cancel-sure"),
            say("publish.cancelled"),
            say("publish.cancel"),
        )
    if not may(visit.person, "review.decide"):
        return Markup("")
    if request.state == "checking":
        return Markup('<section class="atl-panel"><h2>{}</h2><p>{}</p></section>').format(
            say("publish.decide"), say("publish.decide-later")
        )
    return Markup(
        '<section class="atl-panel"><h2>{}</h2><p class="atl-hint">{}</p>'
        '<form class="atl-form" data-api="POST /api/v1/requests/{}/approve" data-ok="{}"'
        ' data-sure="{}"><label class="atl-field">{}<textarea name="note" rows="2"'
        ' maxlength="4000"></textarea></label><p role="alert" class="atl-formerror" hidden></p>'
        '<button class="atl-button" data-kind="primary">{}{}</button></form><hr>'
        '<form class="atl-form" data-api="POST /api/v1/requests/{}/return" data-ok="{}">'
        '<label class="atl-field">{}<textarea name="note" rows="2" required maxlength="4000">'
        '</textarea></label><p role="alert" class="atl-formerror" hidden></p>'
        '<button class="atl-button" data-kind="danger">{}{}</button></form></section>'
    ).format(
        say("publish.decide"),
        say("publish.decide-more"),
        request.id,
        say("publish.approved"),
        say("publish.approve-sure", who=audience(visit, request.audience)),
        say("publish.note-approve"),
        icon("circle-check"),
        say("publish.approve"),
        request.id,
        say("publish.returned"),
        say("publish.note-return"),
        icon("arrow-left"),
        say("publish.return"),
    )
