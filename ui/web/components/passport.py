"""The agent's passport and "the model will see": what it may do, what is kept from the model."""

from collections.abc import Callable, Sequence

from agents.agent_records import AgentRecord
from agents.spec import Limits
from guardrails.findings import Screened
from ui.web.components.chips import masked, tile
from ui.web.components.limits import limits
from ui.web.frame import query
from ui.web.markup import Markup, icon, joined
from ui.web.nav import address
from ui.web.place import Place

GUARDS = ("mask", "seal", "record", "stop")


def passport(
    place: Place,
    *,
    title: str,
    purpose: str,
    icon_name: str,
    tools: Sequence[str],
    data_class: str,
    documents: Sequence[str] = (),
    asked: Limits | None = None,
) -> Markup:
    """The live card beside the form."""
    say = place.say
    model = place.app.models.info()
    facts = [
        ("model", model.label),
        ("runs", say(f"rules.place.{model.location or 'unknown'}")),
        *([("reads", ", ".join(documents))] if documents else []),
        ("uses", ", ".join(tools) or say("web.passport.no-tools")),
        ("data", say(f"web.data.{data_class}")),
    ]
    guards = joined(
        Markup("<li>{}<span>{}</span></li>").format(
            icon("circle-check"), say(f"web.passport.{name}")
        )
        for name in GUARDS
    )
    return Markup(
        '<section class="atl-card atl-passport" aria-label="{}"><div class="atl-mine-head">{}<div>'
        '<h2 class="atl-h3">{}</h2><p class="atl-small">{}</p></div></div>{}'
        '<dl class="atl-facts">{}</dl>{}<hr><h3 class="atl-h3">{}</h3>'
        '<ul class="atl-guards">{}</ul></section>'
    ).format(
        say("web.passport.label"),
        tile(icon_name),
        title.strip() or say("web.untitled"),
        say("web.passport.live"),
        Markup("<p>{}</p>").format(purpose) if purpose.strip() else "",
        joined(
            Markup("<dt>{}</dt><dd>{}</dd>").format(say(f"web.passport.{name}"), value)
            for name, value in facts
        ),
        limits(place, asked),
        say("web.passport.always"),
        guards,
    )


def reads(knowledge: Sequence[str], language: str) -> list[str]:
    """Names of the documents an agent always reads: those of the language, else all."""
    own = [name for name in knowledge if name.startswith(f"{language}/")]
    return [name.rpartition("/")[2] for name in own or knowledge]


def saved(place: Place, record: AgentRecord | None, wrong: str = "") -> Markup:
    """Whether the draft is kept, and the way to try it."""
    say = place.say
    if wrong:
        return Markup(
            '<p class="atl-saved" data-state="error" role="status">{}<span>{}</span></p>'
        ).format(icon("triangle-alert"), wrong)
    if record is None:
        return Markup('<p class="atl-saved" role="status">{}</p>').format(say("web.build.unsaved"))
    lacking = record.spec.missing()
    ready = not any(
        key.startswith(("title", "instructions")) for key in lacking if key.endswith(place.language)
    )
    test = Markup('<a class="atl-button" data-kind="primary" href="{}">{}{}</a>').format(
        address(place.language, "playground", query(agent=record.id)),
        icon("play"),
        say("web.build.test"),
    )
    return Markup(
        '<div data-atl-address="{}"></div><p class="atl-saved" role="status">{}'
        "<span>{}</span></p>{}"
    ).format(
        address(place.language, "build", query(agent=record.id)),
        icon("circle-check"),
        say("web.build.saved", n=record.number),
        test if ready else Markup('<p class="atl-small">{}</p>').format(say("web.build.lacks")),
    )


def preview(
    place: Place,
    screened: Screened | None,
    note: str = "",
    dress: Callable[[str], str] = str,
) -> Markup:
    """What the model would receive of a text, by the real screening; `dress` makes a stand-in of a
    placeholder."""
    say = place.say
    if screened is None:
        kind, picture, title = "info", "info", note or say("web.build.seen-empty")
        return Markup(
            '<div class="atl-ribbon" data-kind="{}" role="status">{}<div>{}</div></div>'
        ).format(kind, icon(picture), title)
    body: object = masked(place.language, screened.text, dress)
    if screened.verdict.outcome == "deny":
        kind, picture, title = "blocked", "ban", say("web.build.seen-blocked")
        body = Markup("<code>{}</code>").format(screened.verdict.rule)
    elif screened.verdict.outcome == "ask":
        kind, picture, title = "flagged", "triangle-alert", say("web.build.seen-flagged")
    elif screened.findings:
        kind, picture, title = "masked", "eye-off", say("web.build.seen")
    else:
        kind, picture, title = "ok", "shield-check", say("web.build.seen-clean")
    return Markup(
        '<div class="atl-ribbon" data-kind="{}" role="status">{}<div><b>{}</b><p>{}</p></div></div>'
    ).format(kind, icon(picture), title, body)
