"""The steps of a turn as rows with bars on one time scale. Drawn as text, `<details>` and SVG."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ui.messages import Language, catalogue, say
from ui.web.components.chips import masked, verdict_chip
from ui.web.markup import Markup, escape, icon, joined

SPAN_ICONS = {
    "guardrail": "shield-check",
    "retrieval": "database",
    "model": "brain",
    "tool": "wrench",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """One row; times in milliseconds from the turn's start. `detail`: catalogue key → text."""

    kind: str
    name: str
    start_ms: float
    duration_ms: float
    verdict: str = "allowed"
    rule: str = ""
    detail: Mapping[str, str] = field(default_factory=dict)


def duration(language: Language, milliseconds: float) -> str:
    """`9 ms`, `1.08 s`, `1,08 s`."""
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms" if milliseconds >= 1 else "< 1 ms"
    seconds = (
        f"{milliseconds / 1000:.2f}" if milliseconds < 10_000 else f"{milliseconds / 1000:.1f}"
    )
    return (seconds.replace(".", ",") if language == "fr" else seconds) + " s"


def step_name(language: Language, name: str) -> str:
    """A step's own words when it has some (`step.screen-in`), else its name."""
    for key in (name, f"step.{name}", f"web.step.{name}"):
        if key in catalogue(language):
            try:
                return say(language, key)
            except (KeyError, IndexError):  # wording that wants data we do not have
                return name
    return name


def waterfall(language: Language, bars: Sequence[Bar], *, verdicts: bool = False) -> Markup:
    """The rows; with `verdicts` each carries its chip (the audit page)."""
    total = max([bar.start_ms + bar.duration_ms for bar in bars] or [1.0]) or 1.0
    head = Markup(
        '<div class="atl-water-head" aria-hidden="true"><span>{}</span>'
        '<span class="atl-scale"><span>0 ms</span><span>{}</span></span>'
        '<span class="atl-took">{}</span>{}</div>'
    ).format(
        say(language, "web.how.step"),
        duration(language, total),
        say(language, "web.how.time"),
        Markup("<span>{}</span>").format(say(language, "web.audit.verdict")) if verdicts else "",
    )
    rows = joined(_row(language, bar, total, verdicts) for bar in bars)
    return Markup('<div class="atl-water"{}>{}{}</div>').format(
        Markup(" data-verdicts") if verdicts else "", head, rows
    )


def _row(language: Language, bar: Bar, total: float, verdicts: bool) -> Markup:
    kind = bar.kind if bar.kind in SPAN_ICONS else "tool"
    start = 100 * bar.start_ms / total
    width = max(1.6, 100 * bar.duration_ms / total)
    return Markup(
        '<details data-span="{}"><summary><span class="atl-step"><i>{}</i><span>{}</span></span>'
        '<span class="atl-lane" aria-hidden="true"><svg><rect x="{:.2f}%" y="1" width="{:.2f}%"'
        ' height="12"/></svg></span><span class="atl-took">{}</span>{}</summary>'
        '<div class="atl-water-more">{}</div></details>'
    ).format(
        kind,
        icon(SPAN_ICONS[kind]),
        step_name(language, bar.name),
        min(start, 98.4),
        width,
        duration(language, bar.duration_ms),
        verdict_chip(language, bar.verdict) if verdicts else "",
        _more(language, bar),
    )


def _more(language: Language, bar: Bar) -> Markup:
    parts: list[str] = []
    if bar.rule:
        parts.append(
            Markup("<p>{} <code>{}</code></p>").format(say(language, "web.how.rule"), bar.rule)
        )
    for key, text in bar.detail.items():
        parts.append(
            Markup('<h3>{}</h3><pre class="atl-said">{}</pre>').format(
                step_name(language, key), masked(language, text)
            )
        )
    if not parts:
        parts.append(
            Markup('<p class="atl-small">{}</p>').format(escape(say(language, "web.how.nothing")))
        )
    return joined(parts)
