"""One person: what is known, roles and groups, password, sessions, the end of the account."""

from ui import seen
from ui.accounts import Account
from ui.routes.people import PersonRow
from ui.web.components import fields
from ui.web.markup import Markup, icon, joined
from ui.web.nav import address
from ui.web.plain import Visit


def body(visit: Visit, account: Account, row: PersonRow) -> Markup:
    """The page with `?person=`."""
    own = account.id == visit.person.id
    back = Markup('<a class="atl-more" href="{}">{} {}</a>').format(
        address(visit.language, "people"), icon("arrow-left"), visit.say("people.back")
    )
    title = Markup(
        '<header><div class="atl-headrow"><h1 class="atl-h1">{}</h1><span>{}</span></div>'
        '<p class="atl-lead">{}</p></header>'
    ).format(
        account.name,
        fields.role_chips(visit, account.roles),
        visit.say(
            f"people.from.{account.source}",
            login=row.login or account.email or "–",
            when=fields.when(visit, account.signed_in),
        ),
    )
    note = (
        Markup('<div class="atl-ribbon" data-kind="info">{}<p>{}</p></div>').format(
            icon("info"), visit.say("people.own")
        )
        if own
        else Markup("")
    )
    if row.rests:
        login = row.login or account.email
        note += Markup('<div class="atl-ribbon" data-kind="limit">{}<p>{}</p></div>').format(
            icon("triangle-alert"), visit.say("people.rests", login=login)
        )
    aside = joined([] if own else [_password(visit, account), _ends(visit, account, row)])
    return joined(
        [
            back,
            title,
            note,
            Markup('<div class="atl-split"><div class="atl-stack">{}</div><aside>{}</aside></div>')
            .format(_form(visit, account, own), aside),
        ]
    )  # fmt: skip


def _form(visit: Visit, account: Account, own: bool) -> Markup:
    directory = account.source != "local"
    mine = {group.id for group in visit.app.groups.of(account.id)}
    local = [
        (g.id, g.name, _gives(visit, g.roles))
        for g in visit.app.groups.all()
        if g.source == "local"
    ]
    kept = [g.name for g in visit.app.groups.of(account.id) if g.source != "local"]
    parts = [
        Markup('<div class="atl-form-row">{}{}{}</div>').format(
            fields.field(visit.say("people.name"), "name", value=account.name, disabled=directory),
            fields.field(
                visit.say("people.email"),
                "email",
                value=account.email,
                type="email",
                disabled=directory,
            ),
            fields.field(
                visit.say("people.department"),
                "department",
                value=account.department,
                disabled=directory,
            ),
        ),
        fields.roles(visit, visit.say("people.own-roles"), account.own, disabled=own or directory),
    ]
    if directory:
        parts.append(
            Markup('<p class="atl-hint">{}</p>').format(visit.say(f"people.kept.{account.source}"))
        )
    if local:
        parts.append(fields.checks(visit.say("people.groups"), "groups", local, mine, disabled=own))
    if kept:
        parts.append(
            Markup('<p class="atl-hint">{}</p>').format(
                visit.say("people.kept-groups", names=", ".join(kept))
            )
        )
    if account.grouped - account.own:
        given = ", ".join(
            visit.say(f"web.role.{role}") for role in sorted(account.grouped - account.own)
        )
        parts.append(
            Markup('<p class="atl-hint">{}</p>').format(visit.say("people.by-group", roles=given))
        )
    return Markup(
        '<form class="atl-card atl-form" data-api="PUT /api/v1/people/{}" data-match="{}"'
        ' data-ok="{}" data-keep>'
        '{}<div class="atl-actions"><button class="atl-button" data-kind="primary">{}</button>'
        "</div></form>"
    ).format(
        account.id,
        seen.tag(seen.person(visit.app, account)),
        visit.say("people.saved"),
        joined(parts),
        visit.say("people.save"),
    )


def _gives(visit: Visit, roles: frozenset[str]) -> str:
    return ", ".join(visit.say(f"web.role.{role}") for role in sorted(roles))


def _password(visit: Visit, account: Account) -> Markup:
    if account.source != "local":
        return Markup("")
    ways = joined(
        fields.button(
            visit.say(f"people.give.{kind}"),
            f"POST /api/v1/people/{account.id}/password",
            sure=visit.say("people.give-sure", name=account.name),
            body=f'{{"kind": "{kind}"}}',
            once="people-once",
        )
        for kind in ("link", "once")
    )
    box = fields.once(
        visit,
        "people-once",
        visit.say("people.way-in"),
        [("link", visit.say("people.link")), ("password", visit.say("people.password-once"))],
    )
    more = visit.say(
        "people.password-security" if "security" in account.held else "people.password-more"
    )
    return Markup(
        '<section class="atl-card atl-stack"><h2 class="atl-h3">{}</h2><p class="atl-small">{}</p>'
        '<div class="atl-actions">{}</div></section>{}'
    ).format(visit.say("people.password"), more, ways, box)


def _ends(visit: Visit, account: Account, row: PersonRow) -> Markup:
    where = f"/api/v1/people/{account.id}"
    parts = []
    if row.sessions:
        parts.append(
            fields.button(
                visit.say("people.end-sessions"),
                f"DELETE {where}/sessions",
                ok=visit.say("people.sessions-ended"),
            )
        )
    if account.disabled:
        parts.append(
            fields.button(
                visit.say("people.enable"), f"POST {where}/enable", ok=visit.say("people.enabled")
            )
        )
    else:
        parts.append(
            fields.button(
                visit.say("people.disable"),
                f"POST {where}/disable",
                sure=visit.say("people.disable-sure", name=account.name),
                ok=visit.say("people.disabled-ok"),
                kind="danger",
            )
        )
    parts.append(
        fields.button(
            visit.say("people.remove"),
            f"DELETE {where}",
            sure=visit.say("people.remove-sure", name=account.name),
            kind="danger",
            then=f"go:{address(visit.language, 'people')}",
        )
    )
    return Markup(
        '<section class="atl-card atl-stack"><h2 class="atl-h3">{}</h2><p class="atl-small">{}</p>'
        '<div class="atl-actions">{}</div></section>'
    ).format(
        visit.say("people.access"), visit.say("people.sessions", n=row.sessions), joined(parts)
    )
