"""How people and programs get in: identity provider, directory, service accounts, every key."""

from collections.abc import Iterable

from ui.access import MAY, ROLES
from ui.routes.apikeys import KeyRow, ServiceRow, grantable, row, service_row
from ui.routes.provisioning import key_row, state
from ui.web.components import fields
from ui.web.markup import Markup, icon, joined
from ui.web.plain import Visit, empty, head

TABS = ("provider", "directory", "programs", "roles")


def body(visit: Visit) -> Markup:
    """One of four parts."""
    visit.sheet("people")
    tab = visit.query.get("tab", "")
    tab = tab if tab in TABS else "provider"
    inside = {
        "provider": _provider,
        "directory": _directory,
        "programs": _programs,
        "roles": _roles,
    }[tab](visit)
    lead = visit.say(f"access.lead.{tab}")
    return joined([head(visit, "access", lead), fields.tabs(visit, "access", TABS, tab), inside])


def _provider(visit: Visit) -> Markup:
    now = state(visit.request, visit.app, "")
    addresses = Markup(
        '<section class="atl-card atl-stack"><h2 class="atl-h3">{}</h2><dl class="atl-facts'
        ' atl-addresses"><dt>{}</dt><dd>{}</dd><dt>{}</dt><dd>{}</dd></dl></section>'
    ).format(
        visit.say("access.at-provider"),
        visit.say("access.redirect"),
        fields.copyable(visit, now.redirect),
        visit.say("access.logout"),
        fields.copyable(visit, now.logout),
    )
    if not now.configured:
        settings = "\n".join(
            (
                "ATELIER_OIDC_ISSUER=https://id.example",
                "ATELIER_OIDC_CLIENT_ID=atelier",
                "ATELIER_OIDC_CLIENT_SECRET=…",
                "ATELIER_OIDC_ROLES='everyone=staff,security=security'",
            )
        )
        return joined(
            [
                empty("key-round", visit.say("access.no-provider"), visit.say("access.how")),
                Markup('<pre class="atl-said">{}</pre>').format(settings),
                addresses,
            ]
        )
    facts = (
        ("issuer", now.issuer),
        ("client", now.client_id),
        ("secret", visit.say("access.secret-set" if now.secret else "access.secret-none")),
        ("scope", now.scope),
        ("groups-claim", now.groups_claim),
        ("person-claim", now.person_claim),
        ("roles", now.roles or visit.say("access.roles-none")),
    )
    rows = joined(
        Markup("<dt>{}</dt><dd>{}</dd>").format(visit.say(f"access.{name}"), value)
        for name, value in facts
    )
    check = Markup(
        '<div class="atl-actions"><button type="button" class="atl-button" data-then="none"'
        ' data-api="GET /api/v1/access/provider">{}{}</button><output id="provider-check"'
        ' class="atl-hint" data-provider-ok="{}" data-provider-bad="{}"></output></div>'
    ).format(
        icon("refresh-cw"),
        visit.say("access.check"),
        visit.say("access.check-ok"),
        visit.say("access.check-bad"),
    )
    visit.script("access")
    return joined(
        [
            Markup(
                '<section class="atl-card atl-stack"><h2 class="atl-h3">{}</h2>'
                '<dl class="atl-facts">{}</dl>{}<p class="atl-hint">{}</p></section>'
            ).format(visit.say("access.configured"), rows, check, visit.say("access.change")),
            addresses,
        ]
    )


def _directory(visit: Visit) -> Markup:
    now = state(visit.request, visit.app, "")
    address = now.redirect.partition("/api/v1/")[0] + "/scim/v2"
    keys = [key_row(key) for key in visit.app.api_keys.all(kind="scim")]
    heads = [visit.say(f"access.{name}") for name in ("key", "begins", "ends", "used")] + [""]
    listed = (
        fields.table(
            visit,
            visit.say("access.scim-keys"),
            heads,
            [
                (
                    key["name"],
                    Markup("<code>{}…</code>").format(key["hint"]),
                    fields.day(visit, key["ends"]),
                    fields.when(visit, key["used"]),
                    _revoke(visit, key["id"], key["name"]),
                )
                for key in keys
            ],
        )
        if keys
        else empty("users", visit.say("access.no-scim"), visit.say("access.no-scim-more"))
    )
    made = Markup(
        '<form class="atl-card atl-form" data-api="POST /api/v1/access/scim" data-then="none"'
        ' data-once="scim-once" data-fresh="scim-keys"><h2 class="atl-h3">{}</h2>'
        '<div class="atl-form-row">{}{}</div><div class="atl-actions">'
        '<button class="atl-button" data-kind="primary">{}</button></div></form>'
    ).format(
        visit.say("access.scim-make"),
        fields.field(visit.say("access.key"), "name", required=True, placeholder="Entra ID"),
        _days(visit, "365"),
        visit.say("access.make"),
    )
    fact = Markup('<p class="atl-small">{}</p><p>{}</p><p class="atl-hint">{}</p>').format(
        visit.say("access.scim-address"),
        fields.copyable(visit, address),
        visit.say("access.scim-more"),
    )
    secret = fields.once(
        visit, "scim-once", visit.say("access.new-key"), [("secret", visit.say("access.secret"))]
    )
    return joined(
        [
            Markup('<section class="atl-card atl-stack">{}</section>').format(fact),
            secret,
            made,
            Markup('<div id="scim-keys">{}</div>').format(listed),
        ]
    )


def _programs(visit: Visit) -> Markup:
    app = visit.app
    services = [service_row(app, account) for account in app.people.all("service")]
    roles = [(role, visit.say(f"web.role.{role}")) for role in ("staff", "champion")]
    add = Markup(
        '<details class="atl-fold" id="service-add"><summary>{}</summary>'
        '<form class="atl-form" data-api="POST /api/v1/services" data-ok="{}">'
        '<div class="atl-form-row">{}{}{}</div><div class="atl-actions">'
        '<button class="atl-button" data-kind="primary">{}</button></div></form></details>'
    ).format(
        visit.say("access.service-add"),
        visit.say("access.service-added"),
        fields.field(visit.say("access.service-name"), "name", required=True),
        fields.field(visit.say("people.department"), "department"),
        fields.select(visit.say("people.roles"), "role", roles, "staff"),
        visit.say("access.service-go"),
    )
    secret = fields.once(
        visit, "key-once", visit.say("access.new-key"), [("secret", visit.say("access.secret"))]
    )
    cards = joined(_service(visit, service) for service in services)
    inside = cards or empty(
        "bot", visit.say("access.no-service"), visit.say("access.no-service-more")
    )
    keys = [row(app, key) for key in app.api_keys.all(kind="api")]
    listed = key_table(visit, visit.say("access.all-keys"), keys, owners=True) if keys else ""
    return joined(
        [
            add,
            secret,
            Markup('<div class="atl-stack" id="services">{}</div>').format(inside),
            Markup('<div id="all-keys">{}</div>').format(listed),
        ]
    )


def _service(visit: Visit, service: ServiceRow) -> Markup:
    account = visit.app.people.known(service.id)
    return Markup(
        '<details class="atl-fold" id="{}"><summary>{} <span class="atl-small">{}</span> {}'
        '</summary><div class="atl-stack">{}<div class="atl-actions">{}</div></div></details>'
    ).format(
        service.id,
        service.name,
        visit.say("access.keys-n", n=len(service.keys)),
        fields.role_chips(visit, account.roles),
        key_form(visit, f"POST /api/v1/services/{service.id}/keys", grantable(account.roles)),
        fields.button(
            visit.say("access.service-remove"),
            f"DELETE /api/v1/services/{service.id}",
            sure=visit.say("access.service-sure", name=service.name),
            kind="danger",
        ),
    )


def _roles(visit: Visit) -> Markup:
    heads = [visit.say("access.permission"), *(visit.say(f"web.role.{role}") for role in ROLES)]
    yes = Markup("{}<span class='atl-visually-hidden'>{}</span>").format(
        icon("check"), visit.say("access.yes")
    )
    rows = [
        [fields.permission_name(visit, name), *(yes if role in who else "–" for role in ROLES)]
        for name, who in MAY.items()
    ]
    return fields.table(visit, visit.say("access.table"), heads, rows)


def key_form(visit: Visit, api: str, scopes: Iterable[str]) -> Markup:
    """A form that makes a key; its secret appears in `key-once`."""
    options = [(each, fields.permission_name(visit, each), "") for each in scopes]
    return Markup(
        '<form class="atl-form" data-api="{}" data-then="none" data-once="key-once"'
        ' data-fresh="all-keys"><div class="atl-form-row">{}{}</div>{}<div class="atl-actions">'
        '<button class="atl-button" data-kind="primary">{}</button></div></form>'
    ).format(
        api,
        fields.field(visit.say("access.key"), "name", required=True),
        _days(visit, "90"),
        fields.checks(visit.say("access.scopes"), "scopes", options, ["agents.use"]),
        visit.say("access.make"),
    )


def key_table(visit: Visit, caption: str, keys: list[KeyRow], *, owners: bool = False) -> Markup:
    """Keys without their secrets, each with a button that ends it."""
    names = ["key", "begins", "scopes", "ends", "used"]
    heads = [visit.say(f"access.{name}") for name in names] + [""]
    if owners:
        heads.insert(1, visit.say("access.owner"))
    rows = []
    for key in keys:
        cells: list[Markup | str] = [
            key.name,
            Markup("<code>{}…</code>").format(key.hint),
            ", ".join(fields.permission_name(visit, each) for each in key.scopes),
            fields.day(visit, key.ends),
            fields.when(visit, key.used),
            _revoke(visit, key.id, key.name),
        ]
        if owners:
            cells.insert(1, key.owner_name or visit.say("identity.owner"))
        rows.append(cells)
    return fields.table(visit, caption, heads, rows)


def _revoke(visit: Visit, id_: str, name: str) -> Markup:
    return fields.button(
        visit.say("access.revoke"),
        f"DELETE /api/v1/keys/{id_}",
        sure=visit.say("access.revoke-sure", name=name),
        ok=visit.say("access.revoked"),
        kind="danger",
        label=visit.say("access.revoke-name", name=name),
    )


def _days(visit: Visit, value: str) -> Markup:
    return fields.field(
        visit.say("access.days"),
        "days",
        value=value,
        type="number",
        min=1,
        max=730,
        data_type="number",
    )
