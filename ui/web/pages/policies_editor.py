"""A version's text: line numbers, problems as one types, completion. The module is policies.js."""

import json

from guardrails.policy.lifecycle import EDITABLE, Version
from ui.access import may
from ui.rulebook import told
from ui.web.markup import Markup, icon, joined
from ui.web.nav import address
from ui.web.plain import Visit

WORDED = (
    "saving", "saved", "unsaved", "offline", "conflict", "theirs", "mine-as-new", "line", "clean",
    "problems-one", "problems-more", "added",
)  # fmt: skip


def words_of(visit: Visit) -> str:
    """The module's sentences, as JSON."""
    return json.dumps({name: visit.say(f"rules.js.{name}") for name in WORDED}, ensure_ascii=False)


def editor(visit: Visit, version: Version) -> Markup:
    """The text; read-only when it is no draft."""
    editable = version.state in EDITABLE and may(visit.person, "policies.edit")
    problems = visit.app.rules.problems(version.text)
    rows = joined(
        Markup(
            '<li data-level="{}"><button type="button" data-line="{}">{}<b>{}</b> {}</button></li>'
        ).format(
            p.level,
            p.line,
            icon("ban" if p.level == "error" else "triangle-alert"),
            " · ".join(filter(None, (visit.say("rules.line", n=p.line), p.rule))),
            told(p, visit.language),
        )
        for p in problems
    )
    return Markup(
        '<section class="atl-rule-editor" data-editor="{number}" data-revision-now="{revision}"'
        ' data-page="{page}" data-words="{words}"{readonly}>'
        '<p class="atl-hint" id="rules-text-hint">{hint}</p>'
        '<div class="atl-rule-code"><div class="atl-rule-lines" aria-hidden="true"></div>'
        '<textarea id="rules-text" aria-label="{label}" aria-describedby="rules-text-hint"'
        ' spellcheck="false" autocomplete="off" autocapitalize="off" wrap="off" rows="28"{locked}>'
        "{text}</textarea>"
        '<ul class="atl-rule-words" role="listbox" id="rules-words" aria-label="{completions}"'
        " hidden></ul></div>"
        '<p class="atl-rule-status" role="status" data-status>{status}</p>'
        '<div data-conflict role="alert"></div>'
        '<ul class="atl-rule-problems" data-problems aria-label="{wrong}">{rows}</ul></section>'
    ).format(
        number=version.number,
        revision=version.revision,
        page=address(visit.language, "policies"),
        words=words_of(visit),
        readonly="" if editable else Markup(" data-locked"),
        hint=visit.say("rules.text-hint" if editable else "rules.text-locked"),
        label=visit.say("rules.text"),
        locked="" if editable else Markup(" readonly"),
        text="\n" + version.text,  # the first line break of a textarea is dropped
        completions=visit.say("rules.completions"),
        status="" if problems else visit.say("rules.js.clean"),
        wrong=visit.say("rules.wrong"),
        rows=rows,
    )
