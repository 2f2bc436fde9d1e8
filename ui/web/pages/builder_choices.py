"""What the builder's lists offer: the tools and the models an agent may name."""

from collections.abc import Sequence

from ui.identity import Person
from ui.routes.models import choices
from ui.web.pages.common import Context
from ui.web.pages.playground import tool_name


def tools_offered(context: Context, chosen: Sequence[str]) -> list[tuple[str, str]]:
    """The tools an agent may name: built in or added, and switched on. A chosen one that is off
    or gone stays visible, so that it can be taken out."""
    tools, off = context.app.tools.catalogue(), context.app.tools.off()
    ours_first = sorted(tools, key=lambda name: bool(tools[name].source))
    found = [(tool_name(context, name), name) for name in ours_first if name not in off]
    known = {name for _, name in found}
    return found + [
        (context.say("build.tool.gone", name=tool_name(context, name)), name)
        for name in chosen
        if name not in known
    ]


def models_offered(
    context: Context, person: Person, data_class: str, chosen: str
) -> list[tuple[str, str]]:
    """The models an agent may name, those that the rules refuse with the rule's number.

    A chosen one that is no longer connected stays visible.
    """
    found = [(context.say("build.model.default"), "")]
    for one in choices(context.app, person, data_class):
        label = one.label or one.name
        if not one.allowed:
            label = context.say("build.model.refused", name=label, rule=one.rule)
        found.append((label, one.name))
    if chosen and chosen not in {name for _, name in found}:
        found.append((context.say("build.model.gone", name=chosen), chosen))
    return found
