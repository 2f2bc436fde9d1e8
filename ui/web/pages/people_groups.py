"""Groups on the people page: which roles each gives, who is in it, who keeps it."""

from ui import seen
from ui.accounts import Account
from ui.groups import Group
from ui.web.components import fields
from ui.web.markup import Markup, joined
from ui.web.plain import Visit, empty

MOST_OFFERED = 200  # people to tick; in a larger house somebody joins on their own page


def body(visit: Visit) -> Markup:
    """A form for a new group, then every group as a card."""
    groups = visit.app.groups.all()
    people = visit.app.people.all("person") if groups else []
    cards = joined(_card(visit, group, people) for group in groups)
    inside = (
        Markup('<div class="atl-stack">{}</div>').format(cards)
        if groups
        else empty("users", visit.say("people.no-groups"), visit.say("people.no-groups-more"))
    )
    return joined([_add(visit), inside])


def _add(visit: Visit) -> Markup:
    sources = [(each, visit.say(f"people.group-source.{each}")) for each in ("local", "token")]
    return Markup(
        '<details class="atl-fold" id="group-add"><summary>{}</summary>'
        '<form class="atl-form" data-api="POST /api/v1/groups" data-ok="{}">'
        '<div class="atl-form-row">{}{}</div>{}<div class="atl-actions">'
        '<button class="atl-button" data-kind="primary">{}</button></div></form></details>'
    ).format(
        visit.say("people.group-add"),
        visit.say("people.group-added"),
        fields.field(visit.say("people.group-name"), "name", required=True),
        fields.select(visit.say("people.group-source"), "source", sources, "local"),
        fields.roles(visit, visit.say("people.group-roles"), []),
        visit.say("people.group-go"),
    )


def _card(visit: Visit, group: Group, people: list[Account]) -> Markup:
    where = f"/api/v1/groups/{group.id}"
    mine = visit.app.groups.members(group.id)
    match = seen.tag(seen.group(visit.app, group))
    members: Markup | str
    if group.source == "local":
        # whoever is not offered would be taken out on saving: members are, also those shut out
        many = len(people) > MOST_OFFERED
        offered = [one for one in people if one.id in mine or not (many or one.disabled)]
        options = [(one.id, one.name, "") for one in sorted(offered, key=lambda one: one.name)]
        hint = visit.say("people.members-many", n=len(people)) if many else ""
        members = Markup(
            '<form class="atl-form" data-api="PUT {}/members" data-match="{}" data-ok="{}"'
            " data-keep>{}{}"
            '<div class="atl-actions"><button class="atl-button" data-size="small">{}</button>'
            "</div></form>"
        ).format(
            where,
            match,
            visit.say("people.saved"),
            fields.checks(visit.say("people.members"), "people", options, mine),
            Markup('<p class="atl-hint">{}</p>').format(hint) if hint else "",
            visit.say("people.members-save"),
        )
    else:
        names = {one.id: one.name for one in people}
        shown = ", ".join(names.get(id_, "?") for id_ in mine[:40]) or "–"
        members = Markup('<p class="atl-hint">{} {}</p>').format(
            visit.say("people.members-elsewhere"), shown
        )
    roles = Markup(
        '<form class="atl-form" data-api="PUT {}" data-match="{}" data-ok="{}" data-keep>{}'
        '<div class="atl-actions"><button class="atl-button" data-size="small">{}</button>{}'
        "</div></form>"
    ).format(
        where,
        match,
        visit.say("people.saved"),
        fields.roles(visit, visit.say("people.group-roles"), group.roles),
        visit.say("people.roles-save"),
        fields.button(
            visit.say("people.group-remove"),
            f"DELETE {where}",
            sure=visit.say("people.group-remove-sure", name=group.name),
            ok=visit.say("people.group-removed"),
            kind="danger",
        ),
    )
    return Markup(
        '<details class="atl-fold" id="{}"><summary>{} <span class="atl-small">{}</span> {} {}'
        '</summary><div class="atl-stack">{}{}{}</div></details>'
    ).format(
        group.id,
        group.name,
        visit.say("count.people", n=group.members),
        fields.role_chips(visit, group.roles),
        fields.chips([visit.say(f"people.kept-by.{group.source}")])
        if group.source != "local"
        else "",
        Markup('<p class="atl-hint">{}</p>').format(visit.say("people.group-rests"))
        if group.rests
        else "",
        roles,
        members,
    )
