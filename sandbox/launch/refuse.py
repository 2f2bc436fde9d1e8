"""Third rung: no isolation holds on this host, so nothing is run. The reason names the fix."""

from dataclasses import dataclass
from pathlib import Path

from guardrails.errors import GuardrailError
from sandbox.launch import base
from sandbox.launch.base import Plan, Runtime, Started


class NoSeal(GuardrailError):
    """No rung holds here, so nothing is run. `data["fix"]` is the catalogue key of the fix."""

    code = "no-seal"


@dataclass(frozen=True)
class Refusing:
    """A launcher that starts nothing. A server with it runs; each of its turns is refused."""

    fix: str
    name: base.Backend = "refuse"

    def starter(self, runtime: Runtime, runs: Path) -> base.Starter:
        """See `Launcher.starter`."""
        return base.EachAnew(self.start)

    def start(self, plan: Plan) -> Started:
        """Raises NoSeal."""
        raise NoSeal(fix=self.fix)
