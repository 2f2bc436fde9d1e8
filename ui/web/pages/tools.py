"""Tools: what agents may be given, switched on or off; sources added from files and servers."""

from ui.routes import tools as kept
from ui.routes.own_services import ServiceRow, callback, listed
from ui.routes.tools import SourceRow, ToolRow
from ui.web.components import services
from ui.web.components.fields import field, file
from ui.web.markup import Markup, attributes, icon, joined
from ui.web.plain import Visit, empty, head

WAITING = ("new", "changed")


def body(visit: Visit) -> Markup:
    """Every tool, every source, and the two ways to add one."""
    found = kept.listed(visit.app, visit.person)
    return Markup("{}{}{}{}{}").format(
        head(visit, "tools", visit.say("tools.page.lead")),
        services.came_back(visit),
        _tools(visit, found.tools),
        _sources(visit, found.sources),
        _adding(visit),
    )


def _tools(visit: Visit, tools: list[ToolRow]) -> Markup:
    names = ("tool", "sees", "effect", "state")
    rows = joined(
        Markup(
            '<tr><td data-label="{}"><b>{}</b><br><code class="atl-small atl-nowrap">{}</code></td>'
            '<td data-label="{}">{}</td><td data-label="{}">{}</td><td data-label="{}">{}</td></tr>'
        ).format(
            visit.say("tools.page.tool"),
            tool.label,
            tool.name,
            visit.say("tools.page.sees"),
            tool.sees,
            visit.say("tools.page.effect"),
            visit.say(f"side-effect.{tool.side_effect}"),
            visit.say("tools.page.state"),
            _switch(visit, tool),
        )
        for tool in tools
    )
    heads = joined(
        Markup('<th scope="col">{}</th>').format(visit.say(f"tools.page.{name}")) for name in names
    )
    return Markup(
        '<section class="atl-stack"><h2 class="atl-h2" id="atl-tools-title">{}</h2>'
        '<table class="atl-datatable" aria-labelledby="atl-tools-title"><thead><tr>{}</tr></thead>'
        "<tbody>{}</tbody></table></section>"
    ).format(visit.say("tools.page.all"), heads, rows)


def _switch(visit: Visit, tool: ToolRow) -> Markup:
    """On or off, saved as it is moved."""
    return Markup(
        '<form data-api="PUT /api/v1/tools/{}" data-ok="{}" data-keep data-autosave>'
        '<label class="atl-switch"><span class="atl-visually-hidden">{}</span><input'
        ' type="checkbox" role="switch" id="atl-switch-{}" name="enabled" data-type="boolean"'
        ' value="true"{}></label></form>'
    ).format(
        tool.name,
        visit.say("tools.page.switched"),
        visit.say("tools.page.switch", name=tool.label),
        tool.name,
        Markup(" checked") if tool.enabled else "",
    )


def _sources(visit: Visit, sources: list[SourceRow]) -> Markup:
    if not sources:
        inside = empty(
            "package", visit.say("tools.page.no-source"), visit.say("tools.page.no-source.more")
        )
    else:
        own = {one.id: one for one in listed(visit.app, visit.person)}
        inside = joined(_source(visit, one, own.get(one.id)) for one in sources)
    return Markup('<section class="atl-stack"><h2 class="atl-h2">{}</h2>{}</section>').format(
        visit.say("tools.page.sources"), inside
    )


def _source(visit: Visit, one: SourceRow, own: ServiceRow | None) -> Markup:
    offered = joined(
        Markup("<li><b>{}</b> {}</li>").format(
            str(tool.get("name", "")), str(tool.get("description", ""))[:300]
        )
        for tool in one.offered
    )
    waits = one.state in WAITING
    confirm = (
        Markup(
            '<div class="atl-ribbon" data-kind="flagged">{}<div><b>{}</b><p>{}</p>'
            '<ul class="atl-stack">{}</ul></div></div>'
            '<button class="atl-button" data-kind="primary" data-size="small"'
            ' data-api="POST /api/v1/tools/sources/{}/confirm" data-fields="{}">{}</button>'
        ).format(
            icon("triangle-alert"),
            visit.say(f"tools.page.{one.state}"),
            ", ".join(one.changed),
            offered,
            one.id,
            f'{{"hash": "{one.offered_hash}"}}',
            visit.say("tools.page.confirm"),
        )
        if waits
        else ""
    )
    check = (
        Markup(
            '<button class="atl-button" data-size="small"'
            ' data-api="POST /api/v1/tools/sources/{}/check">{}{}</button>'
        ).format(one.id, icon("refresh-cw"), visit.say("tools.page.check"))
        if one.kind == "mcp" and (own is None or own.connected)
        else ""
    )
    if one.state == "sign-in":
        confirm = Markup('<p class="atl-small">{}</p>').format(visit.say("tools.page.sign-in"))
    elif not waits:
        confirm = Markup("")
    return Markup(
        '<article class="atl-card atl-stack"><div class="atl-headrow"><h3 class="atl-h3">{}</h3>'
        '<span class="atl-chip"{}>{}</span></div><p class="atl-small">{} · {}{}</p><p>{}</p>{}'
        '<div class="atl-actions">{}{}'
        '<button class="atl-button" data-kind="danger" data-size="small"'
        ' data-api="DELETE /api/v1/tools/sources/{}" data-sure="{}">{}</button></div></article>'
    ).format(
        one.title or one.id,
        attributes(data_tone="good" if one.state == "ready" else None),
        visit.say(f"tools.state.{one.state}"),
        visit.say(f"tools.kind.{one.kind}"),
        one.address,
        f" · {one.reason}" if one.reason else "",
        ", ".join(one.tools),
        confirm,
        services.button(visit, own, "tools") if own else "",
        check,
        one.id,
        visit.say("tools.page.sure", name=one.title or one.id),
        visit.say("tools.page.remove"),
    )


def _adding(visit: Visit) -> Markup:
    return Markup('<section class="atl-sides">{}{}</section>').format(_openapi(visit), _mcp(visit))


def _openapi(visit: Visit) -> Markup:
    return Markup(
        '<form class="atl-card atl-form" data-api="POST /api/v1/tools/sources/openapi"'
        ' data-ok="{}">'
        '<h2 class="atl-h3">{}</h2><p class="atl-small">{}</p>{}'
        "{}{}{}{}{}"
        '<div class="atl-actions"><button class="atl-button" data-kind="primary">{}</button></div>'
        "</form>"
    ).format(
        visit.say("tools.page.added"),
        visit.say("tools.page.openapi"),
        visit.say("tools.page.openapi.more"),
        field(visit.say("tools.page.id"), "id", required=True),
        file(visit, visit.say("tools.page.file"), "file", required=True),
        field(visit.say("tools.page.base"), "base"),
        field(visit.say("tools.page.secret"), "secret"),
        field(visit.say("tools.page.header"), "header"),
        _sign_in(visit),
        visit.say("tools.page.add"),
    )


def _mcp(visit: Visit) -> Markup:
    return Markup(
        '<form class="atl-card atl-form" data-api="POST /api/v1/tools/sources/mcp" data-ok="{}">'
        '<h2 class="atl-h3">{}</h2><p class="atl-small">{}</p>{}{}{}{}{}{}'
        '<div class="atl-actions"><button class="atl-button" data-kind="primary">{}</button></div>'
        "</form>"
    ).format(
        visit.say("tools.page.added"),
        visit.say("tools.page.mcp"),
        visit.say("tools.page.mcp.more"),
        field(visit.say("tools.page.id"), "id", required=True),
        field(visit.say("tools.page.url"), "url"),
        field(visit.say("tools.page.script"), "script"),
        field(visit.say("tools.page.secret"), "secret"),
        field(visit.say("tools.page.header"), "header"),
        Markup("{}{}").format(_sign_in(visit), _connect(visit)),
        visit.say("tools.page.add"),
    )


def _connect(visit: Visit) -> Markup:
    """Who signs in to a server that asks for a person."""
    choices = joined(
        Markup('<option value="{}">{}</option>').format(
            value, visit.say(f"tools.page.connect.{value or 'no'}")
        )
        for value in ("", "person", "house")
    )
    address = callback(visit.request, visit.app)
    return Markup(
        '<label class="atl-field">{}<select name="connect">{}</select><small>{}</small></label>'
    ).format(
        visit.say("tools.page.connect"),
        choices,
        visit.say("tools.page.connect.more", address=address),
    )


def _sign_in(visit: Visit) -> Markup:
    """Where tokens come from, for a service that wants OAuth; closed until it is needed."""
    return Markup(
        '<details class="atl-more-fields"><summary>{}</summary><p class="atl-small">{}</p>{}{}{}'
        "</details>"
    ).format(
        visit.say("tools.page.oauth"),
        visit.say("tools.page.oauth.more"),
        field(visit.say("tools.page.token-url"), "token_url"),
        field(visit.say("tools.page.client"), "client"),
        field(visit.say("tools.page.scope"), "scope"),
    )
