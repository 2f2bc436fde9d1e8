"""What the self-check found about the seal in use: for pages, programs and every trace."""

from dataclasses import dataclass
from datetime import datetime

from sandbox.launch.base import Backend


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was tried on one rung. `detail` is a catalogue key or a plain reason."""

    rung: Backend
    name: str
    held: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """The backend in use and the last check of every rung. `fix` is a catalogue key or empty."""

    backend: Backend
    checks: tuple[Check, ...] = ()
    at: datetime | None = None
    fix: str = ""

    def words(self) -> dict[str, object]:
        """Attributes for the root span of a run."""
        mine = [check for check in self.checks if check.rung == self.backend]
        return {
            "app.sandbox.backend": self.backend,
            "app.sandbox.checks.held": sum(check.held for check in mine),
            "app.sandbox.checks.tried": len(mine),
            "app.sandbox.checked_at": self.at.isoformat(timespec="seconds") if self.at else "",
        }
