"""People and groups, for the administrator: who may sign in, with which roles, from where."""

from ui.routes.people import PersonRow, known, rows
from ui.web.components import fields
from ui.web.markup import Markup, icon, joined
from ui.web.nav import address
from ui.web.pages import people_groups, people_one
from ui.web.plain import Visit, empty, head

TABS = ("people", "groups")
PAGE = 50


def body(visit: Visit) -> Markup:
    """The list, one person, or the groups."""
    visit.sheet("people")
    if visit.query.get("person"):
        account = known(visit.app, visit.query["person"])
        return people_one.body(visit, account, rows(visit.app, [account])[0])
    tab = visit.query.get("tab", "")
    tab = tab if tab in TABS else "people"
    lead = visit.say(f"people.lead.{tab}")
    inside = people_groups.body(visit) if tab == "groups" else _people(visit)
    return joined([head(visit, "people", lead), fields.tabs(visit, "people", TABS, tab), inside])


def _people(visit: Visit) -> Markup:
    text, after = visit.query.get("text", "")[:200], visit.query.get("after", "")[:200]
    found, total = visit.app.people.search(text, after=after, limit=PAGE)
    shown = rows(visit.app, found)
    if shown:
        caption = visit.say("people.count", n=total)
        heads = ("name", "roles", "department", "groups", "signed-in", "")
        names = [visit.say(f"people.{each}") if each else "" for each in heads]
        inside = fields.table(visit, caption, names, [_row(visit, each) for each in shown])
    else:
        key = "people.none-found" if text else "people.none"
        inside = empty("users", visit.say(key), visit.say(f"{key}-more"))
    more: Markup | str = ""
    if len(found) == PAGE:
        query = f"after={found[-1].login}" + (f"&text={text}" if text else "")
        more = Markup('<a class="atl-button" href="{}">{}</a>').format(
            address(visit.language, "people", query), visit.say("people.more")
        )
    search = Markup(
        '<form class="atl-findrow" role="search" data-live method="get" action="{}">{}'
        '<button class="atl-button">{}{}</button></form>'
    ).format(
        address(visit.language, "people"),
        fields.field(
            visit.say("people.search"), "text", value=text, type="search", id="people-search"
        ),
        icon("search"),
        visit.say("people.search-go"),
    )
    listed = Markup('<div class="atl-stack" id="people-list">{}{}</div>').format(inside, more)
    return joined([_notes(visit), _add(visit), search, listed])


def _notes(visit: Visit) -> Markup:
    notes = []
    if visit.person.workshop:
        notes.append(("info", visit.say("people.workshop")))
    combined = [
        account.name
        for account in visit.app.people.all("person")
        if {"security", "administrator"} <= account.held and not account.disabled
    ]
    if combined:
        notes.append(("triangle-alert", visit.say("people.combined", names=", ".join(combined))))
    return joined(
        Markup('<div class="atl-ribbon" data-kind="{}">{}<p>{}</p></div>').format(
            "limit" if name == "triangle-alert" else "info", icon(name), text
        )
        for name, text in notes
    )


def _row(visit: Visit, row: PersonRow) -> list[Markup | str]:
    login = row.login or row.email or visit.say(f"people.source.{row.source}")
    name = Markup('<span class="atl-person"><a href="{}"><b>{}</b></a><small>{}</small></span>')
    marks = [fields.role_chips(visit, row.roles)]
    if row.disabled:
        marks.append(fields.chips([visit.say("people.disabled")]))
    if row.duties_combined:
        marks.append(
            Markup('<span class="atl-chip" data-verdict="flagged">{}{}</span>').format(
                icon("triangle-alert"), visit.say("people.both")
            )
        )
    where = address(visit.language, "people", f"person={row.id}")
    return [
        name.format(where, row.name, login),
        joined(marks, " "),
        row.department or "–",
        ", ".join(row.groups) or "–",
        fields.when(visit, row.signed_in),
        Markup('<a href="{}" aria-label="{}">{}</a>').format(
            where, visit.say("people.open", name=row.name), visit.say("people.change")
        ),
    ]


def _add(visit: Visit) -> Markup:
    groups = [(each.id, each.name, "") for each in visit.app.groups.all() if each.source == "local"]
    invites = [(each, visit.say(f"people.invite.{each}")) for each in ("link", "once", "none")]
    form = Markup(
        '<form class="atl-form" data-api="POST /api/v1/people" data-then="none" data-once="{}"'
        ' data-fresh="people-list" data-ok="{}"><div class="atl-form-row">{}{}{}{}</div>'
        '<div class="atl-form-row">{}{}</div>{}{}<div class="atl-actions">'
        '<button class="atl-button" data-kind="primary">{}</button></div></form>'
    ).format(
        "people-once",
        visit.say("people.added"),
        fields.field(visit.say("people.login"), "login", required=True, autocomplete="off"),
        fields.field(visit.say("people.name"), "name", autocomplete="off"),
        fields.field(visit.say("people.email"), "email", type="email", autocomplete="off"),
        fields.field(visit.say("people.department"), "department", autocomplete="off"),
        fields.select(
            visit.say("people.language"),
            "language",
            [("en", "English"), ("fr", "Français")],
            visit.language,
        ),
        fields.select(visit.say("people.invite"), "invite", invites, "link"),
        fields.roles(visit, visit.say("people.roles"), ["staff"]),
        fields.checks(visit.say("people.groups"), "groups", groups) if groups else "",
        visit.say("people.add-go"),
    )
    box = fields.once(
        visit,
        "people-once",
        visit.say("people.way-in"),
        [("link", visit.say("people.link")), ("password", visit.say("people.password-once"))],
    )
    return Markup(
        '<details class="atl-fold" id="people-add"><summary>{}</summary>{}</details>{}'
    ).format(visit.say("people.add"), form, box)
