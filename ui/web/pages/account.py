"""My account: where I am signed in, my password, keys for my own programs."""

from ui.routes.apikeys import grantable, row
from ui.web.components import fields
from ui.web.markup import Markup, icon, joined
from ui.web.pages.access import key_form, key_table
from ui.web.plain import Visit, empty, head


def body(visit: Visit) -> Markup:
    """Sessions, password, keys."""
    visit.sheet("people")
    parts = [head(visit, "account", visit.say("account.lead"))]
    if not visit.person.workshop and visit.app.people.known(visit.person.id).rests:
        parts.append(
            Markup('<div class="atl-ribbon" data-kind="limit">{}<p>{}</p></div>').format(
                icon("triangle-alert"), visit.say("account.rests")
            )
        )
    parts.append(_workshop(visit) if visit.person.workshop else _sessions(visit))
    if not visit.person.workshop:
        parts.append(_password(visit))
    parts.append(_keys(visit))
    return joined(parts)


def _workshop(visit: Visit) -> Markup:
    return Markup('<div class="atl-ribbon" data-kind="info">{}<p>{}</p></div>').format(
        icon("info"), visit.say("account.workshop")
    )


def _sessions(visit: Visit) -> Markup:
    app = visit.app
    mine = app.identity.current_session(visit.request)
    heads = [visit.say(f"account.{name}") for name in ("browser", "since", "seen")] + [""]
    rows = []
    for each in app.identity.sign_ins.all(visit.person.id):
        here = each.id == mine
        last: Markup | str = fields.chips([visit.say("account.here")], "good")
        if not here:
            last = fields.button(
                visit.say("account.end"),
                f"DELETE /api/v1/me/sessions/{each.id}",
                ok=visit.say("account.ended"),
            )
        rows.append(
            [browser(visit, each.agent), visit.at(each.started), visit.ago(each.renewed), last]
        )
    others = Markup('<div class="atl-actions">{}</div>').format(
        fields.button(
            visit.say("account.end-others"),
            "DELETE /api/v1/me/sessions",
            ok=visit.say("account.others-ended"),
        )
        if len(rows) > 1
        else Markup("")
    )
    return joined([fields.table(visit, visit.say("account.sessions"), heads, rows), others])


def browser(visit: Visit, agent: str) -> str:
    """`Firefox · Linux` from what a browser calls itself; an unknown one by its first word."""
    names = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"))
    name = next((word for mark, word in names if mark in agent), "")
    name = name or ("Safari" if "Safari/" in agent else agent.partition("/")[0][:40])
    systems = ("Android", "iPhone", "iPad", "Windows", "Mac OS X", "Linux")
    system = next((each for each in systems if each in agent), "")
    return " · ".join(filter(None, (name, system))) or visit.say("account.unknown")


def _password(visit: Visit) -> Markup:
    account = visit.app.people.known(visit.person.id)
    if account.source != "local" or not account.password:
        key = "account.elsewhere" if account.source != "local" else "account.no-password"
        return Markup('<p class="atl-hint">{}</p>').format(visit.say(key))
    return Markup(
        '<form class="atl-card atl-form" data-api="PUT /api/v1/me/password" data-ok="{}">'
        '<h2 class="atl-h3">{}</h2><div class="atl-form-row">{}{}</div><div class="atl-actions">'
        '<button class="atl-button" data-kind="primary">{}</button></div></form>'
    ).format(
        visit.say("account.password-changed"),
        visit.say("account.password"),
        fields.field(
            visit.say("account.current"),
            "current",
            type="password",
            required=True,
            autocomplete="current-password",
        ),
        fields.field(
            visit.say("account.new"),
            "password",
            type="password",
            required=True,
            minlength=12,
            autocomplete="new-password",
        ),
        visit.say("account.change"),
    )


def _keys(visit: Visit) -> Markup:
    app = visit.app
    keys = [row(app, key) for key in app.api_keys.all(visit.person.id, "api")]
    listed = (
        key_table(visit, visit.say("account.keys"), keys)
        if keys
        else empty("key-round", visit.say("account.no-keys"), visit.say("account.no-keys-more"))
    )
    secret = fields.once(
        visit, "key-once", visit.say("access.new-key"), [("secret", visit.say("access.secret"))]
    )
    form = key_form(visit, "POST /api/v1/keys", grantable(visit.person.granted))
    return joined(
        [
            secret,
            Markup('<div id="all-keys">{}</div>').format(listed),
            Markup(
                '<details class="atl-fold" id="key-add"><summary>{}</summary>{}</details>'
            ).format(visit.say("account.key-add"), form),
        ]
    )
