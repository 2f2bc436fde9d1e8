"""The Backup page's other half: backups on this server, what is in one, restoring and its steps."""

from datetime import datetime

from guardrails.audit.tables import ledger
from guardrails.errors import BadInput
from ui.held import Backups, Held
from ui.messages import catalogue, say_error
from ui.staging import Contents
from ui.web.components import fields
from ui.web.components.units import size
from ui.web.markup import Markup, icon, joined
from ui.web.nav import address
from ui.web.plain import Visit, empty

STEPS = ("checking", "ending", "saving", "swapping")


def section(visit: Visit) -> Markup:
    """The upload, what lies on this server, and what the last restore came to."""
    visit.script("restore")
    upload = Markup(
        '<form class="atl-card atl-form" id="atl-restore" data-restore data-going="{}"'
        ' data-checking="{}" data-then="{}"><h2 class="atl-h3">{}</h2><p class="atl-small">{}</p>'
        '{}<p class="atl-small" role="status" data-state></p><div class="atl-actions">'
        '<button class="atl-button">{}{}</button></div>{}</form>'
    ).format(
        visit.say("restore.uploading", percent="{percent}"),
        visit.say("restore.checking"),
        address(visit.language, "backup"),
        visit.say("restore.title"),
        visit.say("restore.more"),
        fields.file(
            visit,
            visit.say("restore.file"),
            "file",
            hint=visit.say("restore.file-hint"),
            accept=".tar,application/x-tar",
            required=True,
        ),
        icon("upload"),
        visit.say("restore.upload"),
        _last(visit),
    )
    found = Backups(visit.app.settings).all()
    rows = joined(_row(visit, one) for one in found)
    held = Markup(
        '<section class="atl-card atl-stack" id="atl-held"><h2 class="atl-h3">{}</h2>{}</section>'
    ).format(
        visit.say("restore.here"),
        Markup('<ul class="atl-heldlist">{}</ul>').format(rows)
        if found
        else empty("package", visit.say("restore.none"), visit.say("restore.none-more")),
    )
    return upload + held


def _row(visit: Visit, one: Held) -> Markup:
    state = "good" if one.contents else "locked" if one.locked else "unchecked"
    title = visit.say(f"restore.kind.{one.kind}")
    where = address(visit.language, "backup", f"held={one.id}")
    file = f"/api/v1/backup/held/{one.id}"
    named = f"{title}, {visit.at(one.at)}"
    return Markup(
        '<li><div><b>{}</b><span class="atl-small">{} · {} · {}</span></div>'
        '<div class="atl-actions"><a class="atl-button" data-size="small" href="{}"'
        ' aria-label="{}">{}</a><a class="atl-iconbutton" href="{}" download aria-label="{}"'
        ' title="{}">{}</a><button type="button" class="atl-iconbutton" data-api="DELETE {}"'
        ' data-sure="{}" data-ok="{}" aria-label="{}" title="{}">{}</button></div></li>'
    ).format(
        title,
        visit.at(one.at),
        size(visit, one.bytes),
        visit.say(f"restore.state.{state}"),
        where,
        f"{visit.say('restore.look')}: {named}",
        visit.say("restore.look"),
        file,
        f"{visit.say('restore.download')}: {named}",
        visit.say("restore.download"),
        icon("download"),
        file,
        visit.say("restore.delete-sure"),
        visit.say("restore.deleted"),
        f"{visit.say('restore.delete')}: {named}",
        visit.say("restore.delete"),
        icon("trash-2"),
    )


def _last(visit: Visit) -> Markup:
    last = visit.app.restoring.last
    if not last:
        return Markup("")
    when = visit.ago(datetime.fromisoformat(last["at"])) if "at" in last else ""
    if "failed" not in last:
        made = visit.at(datetime.fromisoformat(last["made"]))
        text, kind, mark = visit.say("restore.last", when=when, made=made), "ok", "circle-check"
    else:
        why = _why(visit, str(last["failed"]), last.get("data", {}))
        text = visit.say("restore.last-failed", when=when, why=why)
        kind, mark = "error", "triangle-alert"
    return Markup('<div class="atl-ribbon" data-kind="{}">{}<p>{}</p></div>').format(
        kind, icon(mark), text
    )


def _why(visit: Visit, code: str, data: dict[str, object]) -> str:
    known = catalogue(visit.language)
    told = {
        name: visit.say(value) if isinstance(value, str) and value in known else value
        for name, value in data.items()
    }
    return say_error(visit.language, code, **told)


def one(visit: Visit, id_: str) -> Markup:
    """What is in one backup, and the form that restores it."""
    try:
        held = Backups(visit.app.settings).get(id_)
    except BadInput as error:
        return Markup(
            '<div class="atl-ribbon" data-kind="error" role="alert">{}<p>{}</p></div>'
        ).format(icon("triangle-alert"), say_error(visit.language, error.code)) + section(visit)
    back = Markup('<p><a class="atl-button" data-size="small" href="{}">{}{}</a></p>').format(
        address(visit.language, "backup"), icon("arrow-left"), visit.say("restore.back")
    )
    if held.contents is None:
        return back + _unchecked(visit, held)
    return back + Markup('<div class="atl-split"><div class="atl-stack">{}</div>{}</div>').format(
        _confirm(visit, held, held.contents), _facts(visit, held, held.contents)
    )


def _unchecked(visit: Visit, held: Held) -> Markup:
    state = "locked" if held.locked else "unchecked"
    return Markup(
        '<form class="atl-card atl-form" data-api="POST /api/v1/backup/held/{}/check"'
        ' data-ok="{}"><h2 class="atl-h3">{}</h2><p class="atl-small">{}</p>{}'
        '<div class="atl-actions"><button class="atl-button" data-kind="primary">{}</button></div>'
        "</form>"
    ).format(
        held.id,
        visit.say("restore.checked"),
        visit.say(f"restore.{state}"),
        visit.say(f"restore.{state}-more"),
        _phrase(visit) if held.locked else "",
        visit.say("restore.check"),
    )


def _facts(visit: Visit, held: Held, found: Contents) -> Markup:
    rows = [
        ("made", visit.at(datetime.fromisoformat(found.made))),
        ("product", found.product),
        ("size", visit.say("restore.parts", size=size(visit, held.bytes), n=found.parts)),
        ("people", visit.number(found.people)),
        ("agents", visit.number(found.agents)),
        ("conversations", visit.number(found.conversations)),
        ("rows", visit.number(found.rows)),
        ("signed", visit.say(f"restore.signed.{'own' if found.own else 'other'}")),
        ("ledger", visit.say("restore.ledger")),
    ]
    return Markup(
        '<aside><section class="atl-card atl-stack"><h2 class="atl-h3">{}</h2>'
        '<dl class="atl-facts">{}</dl></section></aside>'
    ).format(
        visit.say("restore.found"),
        joined(
            Markup("<dt>{}</dt><dd>{}</dd>").format(visit.say(f"restore.fact.{name}"), value)
            for name, value in rows
        ),
    )


def _confirm(visit: Visit, held: Held, found: Contents) -> Markup:
    warnings = ["safe", "end", "sign"] if found.own else ["safe", "key", "end", "sign"]
    items = [visit.say(f"restore.warn.{name}") for name in warnings]
    if found.own and (n := _rows(visit) - found.rows) > 0:
        items.insert(1, visit.say("restore.warn.left", n=n))
    word = visit.say("restore.word")
    return Markup(
        '<form class="atl-card atl-form" data-api="POST /api/v1/backup/held/{}/restore"'
        ' data-then="go:{}"><h2 class="atl-h3">{}</h2><ul class="atl-plainlist">{}</ul>{}{}'
        '<div class="atl-actions"><button class="atl-button" data-kind="danger">{}</button></div>'
        "</form>"
    ).format(
        held.id,
        address(visit.language, "backup", "restoring={restored}"),
        visit.say("restore.warn.title"),
        joined(Markup("<li>{}</li>").format(text) for text in items),
        "" if found.own else _phrase(visit),
        fields.field(
            visit.say("restore.confirm"),
            "confirm",
            autocomplete="off",
            autocapitalize="characters",
            spellcheck="false",
            required=True,
            placeholder=word,
        ),
        visit.say("restore.go"),
    )


def _phrase(visit: Visit) -> Markup:
    """The field for what opens the key of a backup that another installation made."""
    label = visit.say("restore.phrase")
    return fields.field(label, "passphrase", type="password", autocomplete="off", required=True)


def _rows(visit: Visit) -> int:
    import sqlalchemy as sa

    with visit.app.engine.connect() as db:
        return db.scalar(sa.select(sa.func.count()).select_from(ledger)) or 0


def going(visit: Visit) -> Markup:
    """The steps of the restore under way; js/restore.js follows them through the restart."""
    visit.script("restore")
    steps = joined(
        Markup('<li data-step="{}">{}<span>{}</span></li>').format(
            step, icon("circle-check"), visit.say(f"restore.step.{step}")
        )
        for step in STEPS
    )
    return Markup(
        '<section class="atl-card atl-stack" id="atl-restoring" data-before="{}" data-done="{}"'
        ' data-done-more="{}" data-failed="{}"><h2 class="atl-h3" data-title>{}</h2>'
        '<p class="atl-small" data-more>{}</p><ol class="atl-restoresteps">{}</ol>'
        '<p class="atl-visually-hidden" role="status" data-said></p>'
        '<p class="atl-actions"><a class="atl-button" data-kind="primary" data-on href="{}"'
        ' hidden>{}</a><a class="atl-button" data-back href="{}" hidden>{}</a></p></section>'
    ).format(
        visit.query["restoring"],  # the restore before this one: the server may be back already
        visit.say("restore.done"),
        visit.say("restore.done-more"),
        visit.say("restore.failed"),
        visit.say("restore.going"),
        visit.say("restore.going-more"),
        steps,
        address(visit.language, "home"),
        visit.say("restore.on"),
        address(visit.language, "backup"),
        visit.say("restore.retry"),
    )
