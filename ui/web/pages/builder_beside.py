"""What the server draws around the builder's fields: head, passport, ways to test, documents."""

import json

from agents.agent_records import AgentRecord
from agents.catalog import templates
from ui.messages import catalogue
from ui.web.components.passport import passport, reads, saved
from ui.web.components.steps import stepper
from ui.web.frame import query
from ui.web.markup import Markup, icon, joined
from ui.web.nav import BY_ID, address
from ui.web.pages.common import Context
from ui.web.pages.form import ICONS, Form
from ui.web.pages.playground import tool_name, usable


def head(context: Context, record: AgentRecord | None) -> Markup:
    say = context.say
    if record is None:
        key, name = "web.build.title", ""
    elif record.status == "draft":
        key, name = (
            "web.build.title-edit",
            record.spec.title.to(context.language) or say("web.untitled"),
        )
    else:
        key, name = "web.build.title-from", record.spec.title.to(context.language)
    live = record is not None and context.app.desk.publishing.current(record.id) is not None
    begin = (
        Markup(
            '<details class="atl-fold"><summary>{}</summary><ul class="atl-begin">{}</ul></details>'
        ).format(
            say("web.build.begin"),
            joined(
                Markup('<li><a href="{}">{}</a></li>').format(
                    address(context.language, "build", query(template=id)),
                    spec.title.to(context.language),
                )
                for id, spec in templates().items()
            ),
        )
        if record is None
        else ""
    )
    return Markup(
        '<div class="atl-page" data-atl-page="build"><header><h1 class="atl-h1">{}</h1>'
        '<p class="atl-lead">{}</p></header>{}{}</div>'
    ).format(
        say(key, name=name),
        say("build.lead-live" if live else "web.build.lead"),
        stepper(context),
        begin,
    )


def card(
    context: Context, form: Form, record: AgentRecord | None, base: str = "", wrong: str = ""
) -> str:
    spec = record.spec if record else templates().get(base)
    return str(
        Markup('<div class="atl-page">{}{}</div>').format(
            passport(
                context,
                title=form.title,
                purpose=form.purpose,
                icon_name=spec.icon if spec else ICONS.get(form.category, "bot"),
                tools=[tool_name(context, name) for name in form.tools],
                data_class=form.data_class,
                asked=spec.limits if spec else None,
                documents=[
                    *reads(spec.knowledge if spec else (), context.language),
                    *(
                        one.name
                        for one in (context.app.knowledge.rows(record.id) if record else ())
                    ),
                ],
            ),
            saved(context, record, wrong),
        )
    )


def delete(context: Context, record: AgentRecord | None) -> Markup:
    """The way to be rid of a draft; one that colleagues use is withdrawn first."""
    if record is None:
        return Markup("")
    say, language = context.say, context.language
    return Markup(
        '<button type="button" class="atl-button" data-kind="danger" data-size="small"'
        ' data-api="DELETE /api/v1/agents/{}" data-sure="{}" data-then="go:{}">{}{}</button>'
    ).format(
        record.id,
        say("build.delete.sure", name=record.spec.title.to(language) or say("web.untitled")),
        address(language, "home"),
        icon("trash-2"),
        say("build.delete"),
    )


def test(context: Context, record: AgentRecord | None) -> Markup:
    """What the agent still lacks, and the ways to try it, measure it and share it."""
    say, language = context.say, context.language
    if record is None:
        return Markup('<p class="atl-lead">{}</p>').format(say("build.test.first"))
    lacking = record.spec.missing()
    checks = joined(
        Markup("<li data-done={}>{}<span>{}</span></li>").format(
            "no" if missing else "yes",
            icon("circle" if missing else "circle-check"),
            say(f"build.check.{name}"),
        )
        for name, missing in (
            ("title", f"title.{language}" in lacking),
            ("instructions", f"instructions.{language}" in lacking),
            ("purpose", not record.spec.purpose.to(language).strip()),
            ("starters", not record.spec.starters.to(language)),
            ("cases", not record.spec.cases),
        )
    )
    ways = [("playground", "play", "agent"), ("evaluation", "list-checks", "agent")]
    ways.append(("publish", "send-horizontal", "agent"))
    links = joined(
        Markup('<a class="atl-button"{} href="{}">{}{}</a>').format(
            Markup(' data-kind="primary"') if page == "playground" else "",
            address(language, page, query(**{key: record.id})),
            icon(picture),
            say(f"build.test.{page}"),
        )
        for page, picture, key in ways
        if page in BY_ID and (page != "playground" or usable(record, language))
    )
    return Markup(
        '<p class="atl-lead">{}</p><ul class="atl-checks">{}</ul><div class="atl-actions">{}</div>'
    ).format(say("build.test.lead"), checks, links)


def knowledge(context: Context, record: AgentRecord | None) -> Markup:
    """The documents the agent always reads; knowledge.js fills and changes the list by the API."""
    say = context.say
    if record is None:
        return Markup('<p class="atl-hint">{}</p>').format(say("build.knowledge.first"))
    return Markup(
        '<section class="atl-knowledge" data-atl-knowledge="{}" data-words="{}"></section>'
    ).format(record.id, json.dumps(_knowledge_words(context), ensure_ascii=False))


def _knowledge_words(context: Context) -> dict[str, object]:
    words = catalogue(context.language)
    return {key: words[key] for key in words if key.startswith("build.knowledge.")}
