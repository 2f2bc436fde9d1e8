"""Learn: short lessons by doing, each in the product itself; what is done shows by itself."""

from ui.learning import LESSONS, Lesson, progress
from ui.web.frame import query
from ui.web.markup import Markup, attributes, icon, joined
from ui.web.nav import address
from ui.web.plain import Visit, head


def body(visit: Visit) -> Markup:
    """The page for the person who opens it."""
    done = progress(visit.app, visit.person)
    count = sum(lesson.id in done for lesson in LESSONS)
    bar = Markup(
        '<section class="atl-card atl-stack"><div class="atl-headrow"><h2 class="atl-h3">{}</h2>'
        "<b>{} / {}</b></div>"
        '<progress max="{}" value="{}" aria-label="{}"></progress></section>'
    ).format(
        visit.say("learn.all-done" if count == len(LESSONS) else "learn.progress"),
        count,
        len(LESSONS),
        len(LESSONS),
        count,
        visit.say("learn.progress"),
    )
    cards = joined(_card(visit, lesson, lesson.id in done) for lesson in LESSONS)
    return Markup('{}{}<ol class="atl-grid">{}</ol>').format(
        head(visit, "learn", visit.say("learn.lead")), bar, cards
    )


def _card(visit: Visit, lesson: Lesson, done: bool) -> Markup:
    steps = joined(
        Markup("<li>{}</li>").format(line)
        for line in visit.say(f"learn.{lesson.id}.steps").split("\n")
    )
    again = Markup(
        '<button class="atl-button" data-size="small" id="atl-tick-{}"'
        ' data-api="PUT /api/v1/me/lessons/{}" data-fields="{}"{}>{}{}</button>'
    ).format(
        lesson.id,
        lesson.id,
        '{"done": false}' if done else '{"done": true}',
        attributes(data_kind="quiet"),
        icon("refresh-cw" if done else "check"),
        visit.say("learn.again" if done else "learn.tick"),
    )
    go = (
        Markup(
            '<a class="atl-button" data-kind="primary" data-size="small" href="{}">{}{}</a>'
        ).format(
            address(visit.language, lesson.page, query(**dict(lesson.query))),
            icon("play"),
            visit.say("learn.go"),
        )
        if lesson.page != "learn"
        else ""
    )
    return Markup(
        '<li><article class="atl-card atl-stack"><div class="atl-headrow">'
        '<span class="atl-tile">{}</span>{}</div><h3 class="atl-h3">{}</h3><p>{}</p>'
        '<ol class="atl-steps-list">{}</ol><div class="atl-actions">{}{}</div></article></li>'
    ).format(
        icon(lesson.icon),
        Markup('<span class="atl-chip" data-tone="good">{}{}</span>').format(
            icon("circle-check"), visit.say("learn.done")
        )
        if done
        else Markup('<span class="atl-chip">{}</span>').format(visit.say("learn.minutes")),
        visit.say(f"learn.{lesson.id}"),
        visit.say(f"learn.{lesson.id}.why"),
        steps,
        go,
        again,
    )
