"""States and values of rules in the words of the page. Knows no address and no form."""

from collections.abc import Iterable

from guardrails.policy.forms import EVERY, Slot, Values
from guardrails.policy.versions import State
from ui.messages import catalogue
from ui.web.components.chips import kind_name
from ui.web.markup import Markup, icon, joined
from ui.web.plain import Visit

TONES: dict[State, str] = {
    "draft": "", "returned": "masked", "proposed": "flagged", "approved": "allowed",
    "active": "allowed", "retired": "", "withdrawn": "",
}  # fmt: skip


def state_chip(visit: Visit, state: State) -> Markup:
    """The state of a version, icon and word."""
    icons: dict[State, str] = {
        "draft": "pencil", "returned": "arrow-left", "proposed": "clock", "approved": "check",
        "active": "shield-check", "retired": "history", "withdrawn": "x",
    }  # fmt: skip
    return Markup('<span class="atl-chip" data-verdict="{}">{}{}</span>').format(
        TONES[state], icon(icons[state]), visit.say(f"rules.state.{state}")
    )


def slot_label(visit: Visit, slot: Slot) -> str:
    """What a slot holds: "Kinds left readable · Public"."""
    key = f"rules.slot.{slot.rule}.{slot.kind}"
    words = visit.say(key if key in catalogue(visit.language) else f"rules.slot.{slot.kind}")
    return f"{words} · {of_word(visit, slot)}" if slot.of else words


def of_word(visit: Visit, slot: Slot) -> str:
    """What tells two slots of a rule apart, in words."""
    if slot.kind == "kinds":
        return visit.say(f"web.data.{slot.of}")
    if slot.kind == "roles":
        return visit.say(f"rules.audience.{slot.of}")
    return visit.say(f"web.role.{slot.of}")


def value_word(visit: Visit, kind: str, value: str) -> str:
    """One value of a list, in words where it has some."""
    words = catalogue(visit.language)
    match kind:
        case "kinds":
            country = value[:2] if value[:3] in ("FR_", "US_") else ""
            return f"{kind_name(visit.language, value)}{f' ({country})' if country else ''}"
        case "classes":
            key = f"web.data.{value}"
        case "locations":
            key = f"rules.place.{value or 'unknown'}"
        case "roles":
            key = f"web.role.{value}"
        case "tools":
            key = f"tool.{value}"
        case _:
            key = ""
    if value == EVERY:
        return visit.say(f"rules.every.{kind}")
    return visit.say(key) if key in words else value


def shown(visit: Visit, slot: Slot, value: Values) -> Markup | str:
    """A slot's value as a reader sees it."""
    if isinstance(value, int):
        return visit.say("rules.megabytes", n=visit.number(round(value / 1048576, 1)))
    if not value:
        return visit.say("rules.none")
    chips: Iterable[Markup] = (
        Markup('<span class="atl-chip">{}</span>').format(value_word(visit, slot.kind, each))
        for each in value
    )
    return Markup('<span class="atl-rule-marks">{}</span>').format(joined(chips))
