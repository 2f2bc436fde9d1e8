"""The house's own name, logo and colour."""

from ui import seen
from ui.branding import LEAST_CONTRAST, LOGO_BYTES, PAGE, contrast, tones
from ui.web.components import fields
from ui.web.markup import Markup, joined
from ui.web.plain import Visit, head

OURS = "#0B6B5D"


def body(visit: Visit) -> Markup:
    """The form, and how the colour looks in use."""
    visit.sheet("people")
    now = visit.app.brand.current()
    accent = now.accent or OURS
    logo: Markup | str = ""
    if now.logo is not None:
        logo = Markup(
            '<div class="atl-samples"><img class="atl-logo" alt="{}"'
            ' src="/api/v1/branding/logo.png?v={}"><label class="atl-check">'
            '<input type="checkbox" name="without_logo" value="true">'
            "<span>{}</span></label></div>"
        ).format(visit.say("branding.logo-now"), now.version, visit.say("branding.without-logo"))
    form = Markup(
        '<form class="atl-card atl-form" data-api="POST /api/v1/branding" data-match="{}"'
        ' data-ok="{}" data-then="go:{}">{}{}{}{}<div class="atl-actions">'
        '<button class="atl-button" data-kind="primary">{}</button></div></form>'
    ).format(
        seen.tag(seen.look(visit.app)),
        visit.say("branding.saved"),
        visit.request.url.path,
        fields.field(
            visit.say("branding.name"),
            "name",
            value=now.name,
            hint=visit.say("branding.name-hint"),
            maxlength=60,
        ),
        fields.field(
            visit.say("branding.accent"),
            "accent",
            value=accent,
            type="color",
            hint=visit.say("branding.accent-hint", least=visit.number(LEAST_CONTRAST)),
        ),
        fields.file(
            visit,
            visit.say("branding.logo"),
            "logo",
            hint=visit.say("branding.logo-hint", most=LOGO_BYTES // 1024),
            accept="image/png,image/jpeg,image/webp",
        ),
        logo,
        visit.say("branding.save"),
    )
    both = tones(accent)
    samples = joined(
        Markup(
            '<svg width="180" height="44" role="img" aria-label="{}"><rect width="180" height="44"'
            ' rx="10" fill="{}"/><text x="90" y="27" text-anchor="middle" fill="{}"'
            ' font-size="14" font-weight="600">{}</text></svg>'
        ).format(
            visit.say(f"branding.{theme}"),
            both[theme]["--atl-primary"],
            both[theme].get("--atl-on-primary", "#FFFFFF"),
            visit.say(f"branding.{theme}"),
        )
        for theme in ("light", "dark")
    )
    figures = visit.say(
        "branding.figures",
        white=visit.number(int(contrast(accent, "#FFFFFF") * 100) / 100),
        page=visit.number(int(contrast(accent, PAGE) * 100) / 100),
    )
    preview = Markup(
        '<aside><section class="atl-card atl-stack"><h2 class="atl-h3">{}</h2>'
        '<div class="atl-samples">{}</div><p class="atl-hint">{}</p></section></aside>'
    ).format(visit.say("branding.preview"), samples, figures)
    return joined(
        [
            head(visit, "branding", visit.say("branding.lead")),
            Markup('<div class="atl-split"><div class="atl-stack">{}</div>{}</div>').format(
                form, preview
            ),
        ]
    )
