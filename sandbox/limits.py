"""What one run may use. Plain numbers; knows nothing of how a backend enforces them."""

from dataclasses import asdict, dataclass, fields, replace

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds, MiB and counts for one run.

    `memory_mib` is what the run may add to its warm runtime; `files` and `file_bytes` bound the
    artefacts that may leave it; `model_calls` and `tool_calls` are counted by the broker.
    """

    wall_s: float = 60.0
    cpu_s: float = 30.0
    memory_mib: int = 512
    output_bytes: int = 64 * 1024
    files: int = 8
    file_bytes: int = 10 * MIB
    model_calls: int = 12
    tool_calls: int = 16

    def within(self, ceiling: "Limits") -> "Limits":
        """These limits, none above the ceiling that policy sets and none below the smallest."""
        values = {
            f.name: max(
                getattr(FLOOR, f.name), min(getattr(self, f.name), getattr(ceiling, f.name))
            )
            for f in fields(self)
        }
        return replace(self, **values)

    def as_frame(self) -> dict[str, object]:
        """For the sealed end, which sets its own resource limits from it."""
        return asdict(self)


FLOOR = Limits(
    wall_s=0.1,
    cpu_s=0.1,
    memory_mib=16,
    output_bytes=1024,
    files=0,
    file_bytes=0,
    model_calls=0,
    tool_calls=0,
)
CEILING = Limits(
    wall_s=600.0,
    cpu_s=300.0,
    memory_mib=4096,
    output_bytes=1024 * 1024,
    files=32,
    file_bytes=25 * MIB,
    model_calls=64,
    tool_calls=128,
)
