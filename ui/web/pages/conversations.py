"""My conversations: every one I have had, to reopen, find or delete."""

import gradio as gr

from ui.identity import Person
from ui.web.markup import Markup, icon, joined
from ui.web.nav import address
from ui.web.pages.common import Context, filled, html
from ui.web.pages.home import conversation_row


def build(context: Context, page: gr.Blocks) -> None:
    """Put the page into `page`."""
    part = html(elem_id="atl-conversations")
    filled(
        page, part, lambda request: content(context, context.person(request, "conversations.own"))
    )


def content(context: Context, person: Person) -> Markup:
    """The list for one person."""
    mine = context.app.catalog.mine(person.id)
    rows = joined(
        conversation_row(context, each, mine, _delete_button(context, each.id))
        for each in context.app.conversations.mine(person.id, limit=500)
    )
    inside = (
        Markup('<ul class="atl-rows">{}</ul>').format(rows)
        if rows
        else Markup(
            '<div class="atl-empty">{}<b>{}</b><p>{}</p>'
            '<a class="atl-button" data-kind="primary" href="{}">{}</a></div>'
        ).format(
            icon("message-circle"),
            context.say("web.conversations.none"),
            context.say("web.conversations.none-more"),
            address(context.language, "home"),
            context.say("web.conversations.begin"),
        )
    )
    return Markup(
        '<div class="atl-page" data-atl-page="conversations"><header><h1 class="atl-h1">{}</h1>'
        '<p class="atl-lead">{}</p></header>{}</div>'
    ).format(context.say("web.nav.conversations"), context.say("web.conversations.lead"), inside)


def _delete_button(context: Context, conversation: str) -> Markup:
    label = context.say("web.conversations.delete")
    return Markup(
        '<button type="button" class="atl-iconbutton" data-atl-delete="{}" data-atl-sure="{}"'
        ' data-atl-failed="{}"'
        ' aria-label="{}" title="{}">{}</button>'
    ).format(
        conversation,
        context.say("web.conversations.sure"),
        context.say("web.chat.offline"),
        label,
        label,
        icon("trash-2"),
    )
