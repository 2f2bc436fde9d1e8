"""Own requests with all tools offered: is the first call, and what it says, right?"""

import datetime as dt
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from agents.tools.calculator import Unreadable, calculate
from agents.tools.registry import described
from bench.models import asked
from sandbox.broker.model_events import TextDelta, ToolCall
from sandbox.broker.models import Models

CHOICES = Path(__file__).with_name("tool_choice.yaml")
CHOOSABLE = (
    "calculator", "current_date", "search_documents", "query_table", "chart", "web_fetch",
    "email_draft",
)  # fmt: skip
STRIDE = 4  # requests of one kind stand together


async def choice(
    model: str, names: Sequence[str] = (), *, minutes: float = 0, keep: Path | None = None
) -> None:
    """Print the share. `names`: numbers of single requests, counted from 1; after `minutes`
    (0: none) no new one is asked, of each kind of request some. Put into `keep`, if given.
    """
    models = Models(model, home=Path(tempfile.gettempdir()), may_fetch=False)
    await models.start()
    wanted = list(enumerate(yaml.safe_load(CHOICES.read_text("utf-8"))["cases"], 1))
    wanted = [(n, one) for n, one in wanted if not names or str(n) in names]
    wanted.sort(key=lambda row: row[0] % STRIDE if minutes else 0)
    right: list[bool] = []
    failed: list[str] = []
    try:
        end = time.monotonic() + minutes * 60
        for number, one in wanted:
            if minutes and time.monotonic() > end:
                print(f"not asked, for want of time: {len(wanted) - len(right)} (use --all)")
                break
            right.append(await one_choice(models, number, one))
            failed += [] if right[-1] else [one["ask"]]
    finally:
        await models.stop()
    if keep:
        kept = json.loads(keep.read_text("utf-8")) if keep.is_file() else {}
        kept["tool choice"] = {
            "asked": len(wanted),
            "of": len(right),
            "passed": sum(right),
            "failed": failed,
            "day": dt.datetime.now(dt.UTC).date().isoformat(),
            "note": "",
        }
        written = json.dumps(kept, indent=1, ensure_ascii=False, sort_keys=True)
        keep.write_text(written + "\n", "utf-8")
    share = sum(right) / max(1, len(right))
    print(f"tool and arguments right {sum(right)} of {len(right)}  {share:4.0%}  (reach 95 %)")


async def one_choice(models: Models, number: int, one: dict[str, Any]) -> bool:
    """One request: the tool and a piece of its arguments must be as wanted."""
    begun = time.monotonic()
    called, said, value = "final_answer", "", None
    events = models.stream(asked(one["ask"]), described(CHOOSABLE), temperature=0.0, max_tokens=160)
    async for event in events:
        if isinstance(event, ToolCall):
            called, said = event.name, str(event.arguments)
            value = worth(str(event.arguments.get("expression", "")))
        elif isinstance(event, TextDelta):
            said += event.text
    good = called == one["tool"] and one["has"].lower() in said.lower()
    good = good and one.get("value") in (None, value) and one.get("lacks", "\0") not in said
    word = "pass" if good else "FAIL"
    took = time.monotonic() - begun
    print(f"{word} {number:2} {one['ask']} -> {called} {said[:110]!r} {took:.0f} s", flush=True)
    return good


def worth(expression: str) -> float | None:
    """What the calculator would make of it, or None."""
    try:
        return float(calculate(expression))
    except Unreadable:
        return None
