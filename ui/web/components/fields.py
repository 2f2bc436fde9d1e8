"""Parts of forms and lists on administrators' pages: fields, choices, dates, secrets shown once."""

from collections.abc import Iterable
from datetime import date, datetime
from zlib import crc32

from babel.dates import format_date

from ui.access import ROLES
from ui.messages import catalogue
from ui.web.markup import Markup, attributes, icon, joined
from ui.web.plain import LOCALES, Visit


def field(
    label: str,
    name: str,
    *,
    hint: str = "",
    value: str = "",
    type: str = "text",
    **more: object,
) -> Markup:
    """A labelled input; `more` are further attributes."""
    return Markup('<label class="atl-field">{}<input{}>{}</label>').format(
        label,
        attributes(type=type, name=name, value=value or None, **more),
        Markup("<small>{}</small>").format(hint) if hint else "",
    )


def file(
    visit: Visit, label: str, name: str, *, hint: str = "", many: bool = False, **more: object
) -> Markup:
    """A labelled choice of a file, in the page's own words and not the browser's.

    The input lies over its picture: a click, the keyboard and dropping a file all reach it.
    js/file.js shows the chosen name and size.
    """
    id_ = f"atl-file-{name}-{crc32(label.encode()):x}"
    return Markup(
        '<div class="atl-field atl-file"><label for="{}">{}</label><div class="atl-file-row">'
        '<input{}><span class="atl-button" data-size="small" aria-hidden="true">{}{}</span>'
        '<span class="atl-file-name" id="{}-name" role="status" data-none="{}">{}</span></div>'
        "{}</div>"
    ).format(
        id_,
        label,
        attributes(
            type="file",
            name=name,
            id=id_,
            aria_describedby=f"{id_}-name" + (f" {id_}-hint" if hint else ""),
            multiple=many,
            **more,
        ),
        icon("upload"),
        visit.say("file.choose-many" if many else "file.choose"),
        id_,
        visit.say("file.none"),
        visit.say("file.none"),
        Markup('<small id="{}-hint">{}</small>').format(id_, hint) if hint else "",
    )


def day_field(visit: Visit, label: str, name: str, value: str = "") -> Markup:
    """A labelled day. The browser's own input speaks the browser's language, which nobody can
    change from here; the chosen day stands below it in the page's words (js/plain.js keeps it so).
    """
    said = day_words(visit, value)
    return Markup(
        '<label class="atl-field"><span>{}</span><input type="date"{}>'
        '<small data-day aria-hidden="true">{}</small></label>'
    ).format(label, attributes(name=name, value=value if said else None), said)


def day_words(visit: Visit, value: str) -> str:
    """`vendredi 20 novembre 2026` for an ISO day; nothing for what is none."""
    try:
        return format_date(date.fromisoformat(value), "full", locale=LOCALES[visit.language])
    except ValueError:
        return ""


def select(label: str, name: str, options: Iterable[tuple[str, str]], chosen: str = "") -> Markup:
    """A labelled choice of one; options are (value, words)."""
    return Markup('<label class="atl-field">{}<select name="{}">{}</select></label>').format(
        label,
        name,
        joined(
            Markup("<option{}>{}</option>").format(
                attributes(value=value or True, selected=value == chosen), words
            )
            if value
            else Markup('<option value=""{}>{}</option>').format(
                attributes(selected=value == chosen), words
            )
            for value, words in options
        ),
    )


def checks(
    legend: str,
    name: str,
    options: Iterable[tuple[str, str, str]],
    chosen: Iterable[str] = (),
    *,
    disabled: bool = False,
) -> Markup:
    """A group of boxes; options are (value, words, hint)."""
    on = set(chosen)
    boxes = joined(
        Markup(
            '<label class="atl-check"><input type="checkbox" name="{}[]"{}><span>{}{}</span>'
            "</label>"
        ).format(
            name,
            attributes(value=value, checked=value in on, disabled=disabled),
            words,
            Markup("<small>{}</small>").format(hint) if hint else "",
        )
        for value, words, hint in options
    )
    return Markup(
        '<fieldset class="atl-choices"><legend>{}</legend><div class="atl-form-row">{}</div>'
        "</fieldset>"
    ).format(legend, boxes)


def roles(visit: Visit, legend: str, chosen: Iterable[str], *, disabled: bool = False) -> Markup:
    """The four roles with what each may do."""
    options = [
        (role, visit.say(f"web.role.{role}"), visit.say(f"people.role.{role}")) for role in ROLES
    ]
    return checks(legend, "roles", options, chosen, disabled=disabled)


def chips(words: Iterable[str], tone: str = "") -> Markup:
    """Words as marks, one after the other."""
    return joined(
        (
            Markup('<span class="atl-chip"{}>{}</span>').format(
                attributes(data_tone=tone or None), word
            )
            for word in words
        ),
        " ",
    )


def role_chips(visit: Visit, given: Iterable[str]) -> Markup:
    """Roles in words, in their fixed order."""
    held = set(given)
    return chips(visit.say(f"web.role.{role}") for role in ROLES if role in held)


def permission_name(visit: Visit, permission: str) -> str:
    """What a permission lets somebody do, in words."""
    key = f"permission.{permission}"
    return visit.say(key) if key in catalogue(visit.language) else permission


def when(visit: Visit, moment: str, never: str = "") -> str:
    """An ISO 8601 time as people say it, or `never`."""
    if not moment:
        return never or visit.say("people.never")
    return visit.ago(datetime.fromisoformat(moment))


def day(visit: Visit, moment: str) -> str:
    """An ISO 8601 time as a date."""
    return visit.at(datetime.fromisoformat(moment), "d MMM y")


def table(
    visit: Visit, caption: str, heads: Iterable[str], rows: Iterable[Iterable[Markup | str]]
) -> Markup:
    """A table that turns into cards on a phone. The last column has no head when it is empty."""
    names = list(heads)
    body = joined(
        Markup("<tr>{}</tr>").format(
            joined(
                Markup("<td{}>{}</td>").format(attributes(data_label=name or None), cell)
                for name, cell in zip(names, row, strict=True)
            )
        )
        for row in rows
    )
    acts = visit.say("people.acts")
    return Markup(
        '<table class="atl-datatable atl-short"><caption>{}</caption><thead><tr>{}</tr></thead>'
        "<tbody>{}</tbody></table>"
    ).format(
        caption,
        joined(
            Markup('<th scope="col">{}</th>').format(
                name or Markup('<span class="atl-visually-hidden">{}</span>').format(acts)
            )
            for name in names
        ),
        body,
    )


def button(
    text: str,
    api: str,
    *,
    sure: str = "",
    ok: str = "",
    kind: str = "",
    body: str = "",
    label: str = "",
    once: str = "",
    then: str = "",
) -> Markup:
    """A button that calls the API; `body` is JSON to send, `once` where its answer is shown."""
    return Markup(
        '<button type="button" class="atl-button" data-size="small"{}>{}</button>'
    ).format(
        attributes(
            data_api=api,
            data_sure=sure or None,
            data_ok=ok or None,
            data_kind=kind or None,
            data_fields=body or None,
            aria_label=label or None,
            data_once=once or None,
            data_then=then or ("none" if once else None),
        ),
        text,
    )


def once(visit: Visit, id_: str, title: str, slots: Iterable[tuple[str, str]]) -> Markup:
    """A box for a secret that is shown this once; js/once.js fills it. Slots: (field, words)."""
    visit.script("once")
    rows = joined(
        Markup(
            '<div data-slot hidden><p class="atl-small">{}</p><p class="atl-once" data-field="{}">'
            '</p><button type="button" class="atl-button" data-size="small" data-copy-once="{}">'
            "{}{}</button></div>"
        ).format(words, name, visit.say("people.copied"), icon("copy"), visit.say("people.copy"))
        for name, words in slots
    )
    return Markup(
        '<section class="atl-card atl-stack" id="{}" tabindex="-1" hidden aria-label="{}">'
        '<h2 class="atl-h3">{}</h2><p class="atl-small">{}</p>{}</section>'
    ).format(id_, title, title, visit.say("people.once"), rows)


def tabs(visit: Visit, page: str, names: Iterable[str], current: str) -> Markup:
    """Links between the parts of a page."""
    from ui.web.nav import address

    return Markup('<nav aria-label="{}"><ul class="atl-subtabs">{}</ul></nav>').format(
        visit.say(f"web.nav.{page}"),
        joined(
            Markup('<li><a href="{}"{}>{}</a></li>').format(
                address(visit.language, page, "" if not at else f"tab={name}"),
                Markup(' aria-current="page"') if name == current else "",
                visit.say(f"{page}.tab.{name}"),
            )
            for at, name in enumerate(names)
        ),
    )


def copyable(visit: Visit, address: str) -> Markup:
    """An address to be entered elsewhere, and a button that copies it."""
    return Markup(
        '<span class="atl-copyable"><code>{}</code><button type="button" class="atl-iconbutton"'
        ' data-atl-copy="{}" data-atl-done="{}" aria-label="{}" title="{}">{}</button></span>'
    ).format(
        address,
        address,
        visit.say("people.copied"),
        visit.say("access.copy", what=address),
        visit.say("access.copy", what=address),
        icon("copy"),
    )
