"""The seal as operators see it: what the self-check found, check again, the ceilings of a run."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from guardrails.audit.ledger import Act
from sandbox import ceilings
from sandbox.checked import Checked
from sandbox.limits import CEILING
from ui import seen
from ui.identity import Person
from ui.messages import Language
from ui.routes.common import Limits, Seen, Services, allowed, limited, shown
from ui.routes.shapes import Shape
from ui.seal_check import check_now, in_words

router = APIRouter(prefix="/sandbox", tags=["sandbox"])
Operator = Annotated[Person, allowed("status.view")]


class Tried(Shape):
    """One attempt to break out of one rung. `what` and `why` are in the reader's language."""

    rung: str
    name: str
    what: str
    held: bool
    why: str


class SealState(Shape):
    """The seal in use. `backend` is "refuse" where nothing holds; then `fix` says what to do."""

    backend: str
    unsafe: bool
    fix: str
    checked_at: datetime | None
    checks: list[Tried]


class RunCeilings(BaseModel):
    """The most that one run, or one turn, may use; what is left out is the product's own."""

    model_config = ConfigDict(extra="forbid")
    wall_s: float | None = Field(None, description="seconds")
    cpu_s: float | None = Field(None, description="seconds of processor time")
    memory_mib: int | None = Field(None, description="above the warm runtime")
    output_bytes: int | None = None
    files: int | None = Field(None, description="that may leave a run")
    file_bytes: int | None = Field(None, description="of one file")
    model_calls: int | None = Field(None, description="in one turn")
    tool_calls: int | None = Field(None, description="in one turn")


class RunLimits(Shape):
    """Default, ceiling in force and the product's own bound, by limit."""

    default: dict[str, float]
    ceiling: dict[str, float]
    most: dict[str, float]


@router.get("")
def state(request: Request, app: Services, person: Operator) -> SealState:
    """What the last self-check found on each rung."""
    return _state(app.identity.language(request), app.pool.checked)


@router.post("/check")
async def check(request: Request, app: Services, person: Operator, rates: Limits) -> SealState:
    """Really try to break out of each rung now. Takes some seconds."""
    limited(rates.self_check, person)
    await app.ledger.arecord(Act("sandbox.check", person.id))
    return _state(app.identity.language(request), await check_now(app))


@router.get("/limits")
def limits(app: Services, person: Operator, response: Response) -> RunLimits:
    """What one run may use: as it is when nobody asks for less or more, and at most."""
    shown(response, seen.limits(app))
    return _limits(app)


def _limits(app: Any) -> RunLimits:
    return RunLimits(
        default=asdict(app.sessions.limits), ceiling=asdict(app.pool.ceiling), most=asdict(CEILING)
    )


@router.put("/limits")
def set_limits(
    given: RunCeilings,
    app: Services,
    person: Annotated[Person, allowed("policies.approve")],
    save: Seen,
) -> RunLimits:
    """Set the ceilings. They hold for every run that starts from now on."""
    wanted = ceilings.lowered(given.model_dump(exclude_none=True))
    with save.still(lambda: seen.limits(app)):
        app.ledger.record(Act("limits.set", person.id, payload=asdict(wanted)))
        ceilings.save(app.settings.home / ceilings.FILE, wanted)
        app.pool.ceiling = wanted
    return _limits(app)


def _state(language: Language, found: Checked) -> SealState:
    return SealState(
        backend=found.backend,
        unsafe=found.backend == "none",
        fix=in_words(language, found.fix),
        checked_at=found.at,
        checks=[
            Tried(
                rung=one.rung,
                name=one.name,
                what=in_words(language, f"cli.check.{one.name}"),
                held=one.held,
                why="" if one.held else in_words(language, one.detail),
            )
            for one in found.checks
        ],
    )
