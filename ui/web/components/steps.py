"""The builder's four steps: the bar on top, each step's title, back and next. Drawn once."""

from ui.web.markup import Markup, icon, joined
from ui.web.place import Place

STEPS = ("purpose", "tools", "guards", "test")
GUARDS = ("recommended", "strict")
ALWAYS = (("mask", "eye-off"), ("seal", "lock"), ("record", "scan-search"))


def stepper(place: Place) -> Markup:
    """The bar: links to the steps; steps.js marks the one in view with aria-current."""
    links = joined(
        Markup(
            '<li><a href="#{}" data-atl-step="{}"><span class="atl-number" aria-hidden="true">{}'
            "</span><span>{}</span></a></li>"
        ).format(step, step, number, place.say(f"build.step.{step}"))
        for number, step in enumerate(STEPS, 1)
    )
    return Markup('<nav class="atl-stepper" aria-label="{}"><ol>{}</ol></nav>').format(
        place.say("build.steps"), links
    )


def step_title(place: Place, step: str) -> Markup:
    """The heading of one step; the guards' step also says what is always on."""
    heading = Markup(
        '<div class="atl-section-title"><span class="atl-number" aria-hidden="true">{}</span>'
        '<h2 class="atl-h2" tabindex="-1">{}</h2></div>'
    ).format(STEPS.index(step) + 1, place.say(f"build.title.{step}"))
    if step != "guards":
        return heading
    cards = joined(
        Markup(
            '<li class="atl-always"><b>{}<span>{}</span></b><span class="atl-chip">{}{}</span>'
            "<p>{}</p></li>"
        ).format(
            icon(picture),
            place.say(f"build.always.{name}"),
            icon("lock"),
            place.say("build.always"),
            place.say(f"build.always.{name}.more"),
        )
        for name, picture in ALWAYS
    )
    return heading + Markup('<ul class="atl-always-grid">{}</ul>').format(cards)


def step_foot(place: Place, step: str) -> Markup:
    """Back and next as links, so that the browser's own back works too."""
    at = STEPS.index(step)
    back = (
        Markup('<a class="atl-button" href="#{}">{}{}</a>').format(
            STEPS[at - 1], icon("arrow-left"), place.say("build.back")
        )
        if at
        else Markup("<span></span>")
    )
    onward = (
        Markup('<a class="atl-button" data-kind="primary" href="#{}">{}{}</a>').format(
            STEPS[at + 1],
            place.say("build.next", step=place.say(f"build.step.{STEPS[at + 1]}")),
            icon("arrow-right"),
        )
        if at + 1 < len(STEPS)
        else ""
    )
    return Markup('<div class="atl-step-foot">{}{}</div>').format(back, onward)
