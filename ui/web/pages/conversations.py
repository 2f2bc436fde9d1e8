"""My conversations: find, reopen, take along, delete; what waits for me; what I asked for."""

import json

from ui.messages import catalogue
from ui.routes import approvals, exceptions
from ui.routes import conversations as kept
from ui.routes.approvals import ApprovalRow
from ui.web.components.chips import masked
from ui.web.frame import query
from ui.web.markup import Markup, attributes, icon, joined
from ui.web.nav import address
from ui.web.pages.home import conversation_row
from ui.web.plain import Visit, empty, head

SHOWN = 200


def body(visit: Visit) -> Markup:
    """The lists for one person."""
    words = visit.query.get("words", "")[:200]
    return Markup("{}{}{}{}").format(
        head(visit, "conversations", visit.say("web.conversations.lead")),
        _decisions(visit),
        _list(visit, words),
        _asked(visit),
    )


def _list(visit: Visit, words: str) -> Markup:
    app, person = visit.app, visit.person
    mine = app.catalog.visible(person.id)
    found = kept.conversations(app, person, "", words, SHOWN)
    rows = joined(conversation_row(visit, each, mine, _tools(visit, each.id)) for each in found)
    if not rows and not words:
        return empty(
            "message-circle",
            visit.say("web.conversations.none"),
            visit.say("web.conversations.none-more"),
            Markup('<a class="atl-button" data-kind="primary" href="{}">{}</a>').format(
                address(visit.language, "home"), visit.say("web.conversations.begin")
            ),
        )
    search = Markup(
        '<form method="get" data-live role="search"><label class="atl-search">{}'
        '<span class="atl-visually-hidden">{}</span><input type="search" name="words"'
        ' id="atl-words" value="{}" placeholder="{}" autocomplete="off" maxlength="200">'
        "</label></form>"
    ).format(
        icon("search"),
        visit.say("web.conversations.search"),
        words,
        visit.say("web.conversations.search"),
    )
    inside = (
        Markup('<ul class="atl-rows">{}</ul>').format(rows)
        if rows
        else empty(
            "search", visit.say("web.conversations.no-match"), visit.say("web.home.none-more")
        )
    )
    return Markup('<section class="atl-stack">{}{}</section>').format(search, inside)


def _tools(visit: Visit, id: str) -> Markup:
    save, delete = visit.say("web.conversations.export"), visit.say("web.conversations.delete")
    return Markup(
        '<a class="atl-iconbutton" href="/api/v1/conversations/{}/export?format=md" download'
        ' aria-label="{}" title="{}">{}</a>'
        '<button type="button" class="atl-iconbutton" data-atl-delete="{}" data-atl-sure="{}"'
        ' data-atl-failed="{}" aria-label="{}" title="{}">{}</button>'
    ).format(
        id,
        save,
        save,
        icon("download"),
        id,
        visit.say("web.conversations.sure"),
        visit.say("web.chat.offline"),
        delete,
        delete,
        icon("trash-2"),
    )


def _decisions(visit: Visit) -> Markup:
    """What others' agents wait for and this person may decide, and what waits of their own."""
    found = approvals.approvals(visit.app, visit.person)
    rows = {row.id: row for row in (*found.decide, *found.waiting)}
    if not rows:
        return Markup("")
    return Markup('<section class="atl-stack"><h2 class="atl-h2">{}</h2>{}</section>').format(
        visit.say("web.conversations.waiting"),
        joined(_decision(visit, row) for row in rows.values()),
    )


def _told(value: object) -> str:
    """One part of a payload: exactly what will be done, in the way that a program reads it too."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and not any(isinstance(each, dict | list) for each in value):
        return ", ".join(_told(each) for each in value)
    return json.dumps(value, ensure_ascii=False)


def _decision(visit: Visit, row: ApprovalRow) -> Markup:
    known = catalogue(visit.language)
    payload = joined(
        Markup("<dt>{}</dt><dd>{}</dd>").format(
            visit.say(f"web.chat.payload.{name}") if f"web.chat.payload.{name}" in known else name,
            masked(
                visit.language,
                _told(value),
            ),
        )
        for name, value in row.payload.items()
    )
    buttons = Markup("")
    if row.may_decide:
        buttons += Markup(
            '<button class="atl-button" data-kind="primary" data-size="small"'
            ' data-api="POST /api/v1/approvals/{}/approve" data-fields="{{}}">{}{}</button>'
        ).format(row.id, icon("check"), visit.say("web.chat.approve"))
    if row.may_decide or row.mine:
        buttons += Markup(
            '<button class="atl-button" data-size="small"'
            ' data-api="POST /api/v1/approvals/{}/reject" data-fields="{{}}">{}{}</button>'
        ).format(row.id, icon("x"), visit.say("web.chat.reject"))
    if row.conversation:
        buttons += Markup('<a class="atl-button" data-size="small" href="{}">{}</a>').format(
            address(
                visit.language,
                "playground",
                query(agent=row.agent, conversation=row.conversation),
            ),
            visit.say("web.conversations.open"),
        )
    return Markup(
        '<article class="atl-approval"><h3 class="atl-h3">{}{}</h3><p>{}</p><dl>{}</dl>'
        '<p class="atl-small">{}{}</p><div class="atl-actions">{}</div></article>'
    ).format(
        icon("handshake"),
        row.action or row.tool,
        row.why,
        payload,
        icon("clock"),
        visit.say("web.chat.approval.expires", when=visit.at(row.expires)),
        buttons,
    )


def _asked(visit: Visit) -> Markup:
    """Exceptions this person asked for, and what security answered."""
    mine = [row for row in exceptions.exceptions(visit.app, visit.person) if row.mine]
    if not mine:
        return Markup("")
    rows = joined(
        Markup(
            '<tr><td data-label="{}">{}</td><td data-label="{}">{}</td>'
            '<td data-label="{}"><span class="atl-chip"{}>{}</span> {}</td></tr>'
        ).format(
            visit.say("web.conversations.rule"),
            row.sentence,
            visit.say("web.conversations.why"),
            row.reason,
            visit.say("web.conversations.answer"),
            attributes(data_tone="good" if row.holds else None),
            visit.say(f"web.exception.{row.state}"),
            row.note
            or (
                visit.say("web.exception.until", when=visit.at(row.expires)) if row.expires else ""
            ),
        )
        for row in mine
    )
    heads = joined(
        Markup('<th scope="col">{}</th>').format(visit.say(f"web.conversations.{name}"))
        for name in ("rule", "why", "answer")
    )
    return Markup(
        '<section class="atl-stack"><h2 class="atl-h2" id="atl-asked-for">{}</h2>'
        '<table class="atl-datatable" aria-labelledby="atl-asked-for"><thead><tr>{}</tr></thead>'
        "<tbody>{}</tbody></table></section>"
    ).format(visit.say("web.conversations.asked"), heads, rows)
