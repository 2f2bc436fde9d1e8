"""Sandbox: what isolates agents, what was really tried to break out, and what one run may use."""

from dataclasses import asdict

from sandbox.limits import CEILING, FLOOR
from ui import seen
from ui.access import may
from ui.web.components.isolation import running, tried, verdict
from ui.web.markup import Markup, icon, joined
from ui.web.plain import Visit, empty, head

# shown in KiB and MiB, sent in bytes
TIMES = {"output_bytes": 1024, "file_bytes": 1024 * 1024}


def body(visit: Visit) -> Markup:
    """The state, the attempts by rung, the processes of now, and the ceilings of a run."""
    visit.sheet("record")
    checks = visit.app.pool.checked.checks
    attempts = (
        tried(visit, checks)
        if checks
        else empty("shield", visit.say("seal.check.never"), visit.say("sandbox.never-more"))
    )
    now = Markup(
        '<section class="atl-card atl-stack"><h2 class="atl-h3">{}</h2><p>{}</p>{}</section>'
    )
    return joined(
        [
            head(visit, "sandbox", visit.say("sandbox.lead"), _button(visit)),
            verdict(visit),
            attempts,
            now.format(visit.say("sandbox.now"), running(visit), _last_error(visit)),
            _ceilings(visit),
        ]
    )


def _button(visit: Visit) -> Markup:
    return Markup(
        '<button type="button" class="atl-button" data-kind="primary" id="atl-try"'
        ' data-api="POST /api/v1/sandbox/check" data-ok="{}">{}{}</button>'
    ).format(visit.say("sandbox.checked"), icon("refresh-cw"), visit.say("seal.check.now"))


def _last_error(visit: Visit) -> Markup:
    told = str(visit.app.pool.status().get("last_error") or "")
    if not told:
        return Markup("")
    return Markup('<p class="atl-small">{} <code>{}</code></p>').format(
        visit.say("web.pool.last_error"), told
    )


def _ceilings(visit: Visit) -> Markup:
    """The most that one run may use; officers lower it, nobody raises it past the product's own."""
    say, edits = visit.say, may(visit.person, "policies.approve")
    ceiling, own, least = asdict(visit.app.pool.ceiling), asdict(CEILING), asdict(FLOOR)
    fields = joined(
        Markup(
            '<label class="atl-field"><span>{}</span><input type="number" name="{}" value="{}"'
            ' min="{}" max="{}" step="{}" data-type="number"{}required{}><small>{}</small></label>'
        ).format(
            say(f"sandbox.limit.{name}"),
            name,
            f"{value / TIMES.get(name, 1):g}",
            f"{least[name] / TIMES.get(name, 1):g}",
            f"{own[name] / TIMES.get(name, 1):g}",
            "any" if isinstance(value, float) or name in TIMES else "1",
            Markup(' data-times="{}" ').format(TIMES[name]) if name in TIMES else " ",
            "" if edits else Markup(" disabled"),
            say("sandbox.limit.most", most=visit.number(own[name] / TIMES.get(name, 1))),
        )
        for name, value in ceiling.items()
    )
    save = Markup(
        '<div class="atl-actions"><button class="atl-button" data-kind="primary">{}</button>'
        '<span class="atl-small">{}</span></div><p role="alert" class="atl-formerror"></p>'
    ).format(say("sandbox.limits.save"), say("sandbox.limits.recorded"))
    return Markup(
        '<section class="atl-card atl-stack"><h2 class="atl-h3">{}</h2><p class="atl-small">{}</p>'
        '<form class="atl-form" data-api="PUT /api/v1/sandbox/limits" data-match="{}" data-ok="{}"'
        " data-keep>"
        '<div class="atl-form-row">{}</div>{}</form></section>'
    ).format(
        say("sandbox.limits"),
        say("sandbox.limits.more" if edits else "sandbox.limits.read"),
        seen.tag(seen.limits(visit.app)),
        say("sandbox.limits.saved"),
        fields,
        save if edits else "",
    )
