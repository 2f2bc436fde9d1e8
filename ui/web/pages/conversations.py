"""My conversations: every one I have had, to reopen, find or delete."""

from ui.web.markup import Markup, icon, joined
from ui.web.nav import address
from ui.web.pages.home import conversation_row
from ui.web.plain import Visit, head


def body(visit: Visit) -> Markup:
    """The list for one person."""
    person = visit.person
    mine = visit.app.catalog.mine(person.id)
    rows = joined(
        conversation_row(visit, each, mine, _delete_button(visit, each.id))
        for each in visit.app.conversations.mine(person.id, limit=500)
    )
    inside = (
        Markup('<ul class="atl-rows">{}</ul>').format(rows)
        if rows
        else Markup(
            '<div class="atl-empty">{}<b>{}</b><p>{}</p>'
            '<a class="atl-button" data-kind="primary" href="{}">{}</a></div>'
        ).format(
            icon("message-circle"),
            visit.say("web.conversations.none"),
            visit.say("web.conversations.none-more"),
            address(visit.language, "home"),
            visit.say("web.conversations.begin"),
        )
    )
    return head(visit, "conversations", visit.say("web.conversations.lead")) + inside


def _delete_button(visit: Visit, conversation: str) -> Markup:
    label = visit.say("web.conversations.delete")
    return Markup(
        '<button type="button" class="atl-iconbutton" data-atl-delete="{}" data-atl-sure="{}"'
        ' data-atl-failed="{}"'
        ' aria-label="{}" title="{}">{}</button>'
    ).format(
        conversation,
        visit.say("web.conversations.sure"),
        visit.say("web.chat.offline"),
        label,
        label,
        icon("trash-2"),
    )
