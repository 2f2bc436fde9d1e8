"""What one answer of an agent may use, in plain words, and where policy set less."""

from dataclasses import replace

from agents.spec import Limits as Asked
from sandbox.limits import MIB, Limits
from ui.web.markup import Markup, icon, joined
from ui.web.place import Place


def limits(place: Place, asked: Asked | None = None) -> Markup:
    """The limits in force: the agent's own and the product's, under the ceilings of policy."""
    own, code, ceiling = asked or Asked(), Limits(), place.app.pool.ceiling
    wanted = replace(
        code, wall_s=own.wall_s, model_calls=own.model_calls, tool_calls=own.tool_calls
    )
    turn, run = wanted.within(ceiling), code.within(ceiling)
    rows = [
        ("time", round(turn.wall_s), turn.wall_s < wanted.wall_s),
        ("model-calls", turn.model_calls, turn.model_calls < wanted.model_calls),
        ("tool-calls", turn.tool_calls, turn.tool_calls < wanted.tool_calls),
        ("code-time", round(run.wall_s), run.wall_s < code.wall_s),
        ("code-cpu", round(run.cpu_s), run.cpu_s < code.cpu_s),
        ("memory", run.memory_mib, run.memory_mib < code.memory_mib),
        ("output", run.output_bytes // 1024, run.output_bytes < code.output_bytes),
        ("files", run.files, run.files < code.files),
        ("file-size", round(run.file_bytes / MIB), run.file_bytes < code.file_bytes),
    ]
    items = joined(
        Markup("<dt>{}</dt><dd>{}{}</dd>").format(
            place.say(f"seal.limits.{name}"),
            place.say(f"seal.limits.{name}-n", n=value),
            Markup(' <span class="atl-chip">{}{}</span>').format(
                icon("lock"), place.say("seal.limits.policy")
            )
            if lowered
            else "",
        )
        for name, value, lowered in rows
    )
    return Markup(
        '<details class="atl-fold"><summary>{}</summary><dl class="atl-facts">{}</dl>'
        '<p class="atl-small">{}</p></details>'
    ).format(place.say("seal.limits"), items, place.say("seal.limits.more"))
