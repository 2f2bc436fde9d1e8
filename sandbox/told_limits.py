"""Tell the person what stopped their agent's code, and what to change."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from agents.tools.base import Executed, ToolContext
from sandbox.broker.run import Run
from sandbox.execute import Execution, figures
from sandbox.limits import MIB


def telling(run: Run, context: ToolContext) -> ToolContext:
    """`context` whose Python also tells the person of `run` when a limit was met."""
    execute = context.execute
    if execute is None:
        return context

    async def run_python(code: str, files: Mapping[str, Path]) -> Executed:
        done = await execute(code, files)
        if isinstance(done, Execution):
            tell(run, done)
        return done

    return replace(context, execute=run_python)


def tell(run: Run, done: Execution) -> None:
    """One notice for each limit that this execution met."""
    limits = done.limits
    if done.message:
        run.notice("limit", done.message, **figures(done))
    if done.cut:
        run.notice("limit", "seal.limit.cut", kib=limits.output_bytes // 1024)
    if done.dropped:
        most = f"{limits.file_bytes / MIB:.3g}"
        run.notice("limit", "seal.limit.files", n=done.dropped, files=limits.files, mib=most)
