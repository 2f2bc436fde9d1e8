"""Own kinds of data: the organisation's file, tried on examples on the spot, then saved."""

from guardrails.detect.recognizers import custom
from guardrails.kinds import digest
from ui.web.markup import Markup, icon, joined
from ui.web.plain import Visit, head

START = r"""kinds:
  - kind: CUSTOMER_NUMBER
    pattern: 'C-\d{6}'
    context: [customer, client]
    examples:
      - {text: "Customer C-123456 called", finds: ["C-123456"]}
      - {text: "Clause C-12 applies", finds: []}
"""


def body(visit: Visit) -> Markup:
    """The file to edit, samples to try, and what a kind may say."""
    visit.sheet("kinds")
    visit.script("kinds")
    say = visit.say
    text = visit.app.kinds.text()
    active = sorted({kind.kind for kind in custom.active()})
    chips = joined(Markup('<li class="atl-chip">{}</li>').format(name) for name in active)
    now = (
        Markup('<ul class="atl-kinds-now" aria-label="{}">{}</ul>').format(
            say("screen.kinds.active", n=len(active)), chips
        )
        if active
        else Markup('<p class="atl-muted">{}</p>').format(say("screen.kinds.none"))
    )
    form = Markup(
        '<form class="atl-kinds" data-api="PUT /api/v1/screen/kinds" data-then="reload" data-keep'
        ' data-ok="{saved}" data-kinds-failed="{failed}" data-kinds-good="{good}"'
        ' data-kinds-wrong="{wrong}" data-kinds-nothing="{nothing}" data-kinds-sample="{sample}">'
        '<input type="hidden" name="version" value="{version}">'
        '<label for="kinds-text">{label}</label>'
        '<p class="atl-hint" id="kinds-hint">{hint}</p>'
        '<textarea id="kinds-text" name="text" class="atl-input atl-code" rows="18"'
        ' spellcheck="false" autocomplete="off" aria-describedby="kinds-hint">{text}</textarea>'
        '<label for="kinds-samples">{samples}</label>'
        '<p class="atl-hint" id="kinds-samples-hint">{samples_hint}</p>'
        '<textarea id="kinds-samples" class="atl-input" rows="4"'
        ' aria-describedby="kinds-samples-hint"></textarea>'
        '<div class="atl-kinds-buttons">'
        '<button type="button" class="atl-button" id="kinds-try">{play}{attempt}</button>'
        '<button type="submit" class="atl-button" data-kind="primary">{check}{save}</button></div>'
        '<p role="alert" class="atl-formerror" hidden></p></form>'
    ).format(
        saved=say("screen.kinds.saved"),
        failed=say("web.plain.offline"),
        good=say("screen.kinds.good"),
        wrong=say("screen.kinds.wrong"),
        nothing=say("screen.kinds.nothing"),
        sample=say("screen.kinds.sample"),
        version=digest(text),
        label=say("screen.kinds.file", file=visit.app.kinds.file.name),
        hint=say("screen.kinds.hint"),
        text="\n" + (text or START),  # the first line break of a textarea is dropped
        samples=say("screen.kinds.samples"),
        samples_hint=say("screen.kinds.samples-hint"),
        play=icon("play"),
        attempt=say("screen.kinds.try"),
        check=icon("check"),
        save=say("screen.kinds.save"),
    )
    return (
        head(visit, "kinds", say("screen.kinds.lead")) + now + form + _results(visit) + _keys(visit)
    )


def _results(visit: Visit) -> Markup:
    heads = [visit.say(f"screen.kinds.column-{each}") for each in ("kind", "text", "found", "ok")]
    cells = joined(Markup('<th scope="col">{}</th>').format(each) for each in heads)
    return Markup(
        '<section id="kinds-results" aria-live="polite" hidden><h2 class="atl-h2">{}</h2>'
        '<table class="atl-datatable" data-heads="{}"><thead><tr>{}</tr></thead>'
        "<tbody></tbody></table></section>"
    ).format(visit.say("screen.kinds.results"), "|".join(heads), cells)


def _keys(visit: Visit) -> Markup:
    names = ("kind", "pattern", "values", "check", "context", "needs_context", "why", "examples")
    rows = joined(
        Markup("<dt><code>{}</code></dt><dd>{}</dd>").format(
            name, visit.say(f"screen.kinds.key-{name}", checks=", ".join(sorted(custom.CHECKS)))
        )
        for name in names
    )
    return Markup(
        '<details class="atl-kinds-keys" id="kinds-keys"><summary>{}</summary><dl>{}</dl></details>'
    ).format(visit.say("screen.kinds.keys"), rows)
