"""Is the server alive, and is it warm. Open to everybody, so it says no more than that."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Request

from ui.identity import Person
from ui.messages import say_error
from ui.routes.common import Services, allowed, somebody
from ui.routes.shapes import Health, Model, Shape

router = APIRouter(tags=["health"])


class Status(Shape):
    """What an operator wants to see. `problems` says in the reader's language what could not be
    started, or has ended by itself."""

    version: str
    warming: bool
    model: Model
    pool: dict[str, Any]
    spans_dropped: int
    problems: list[str]


@router.get("/health")
def health(request: Request, app: Services) -> Health:
    """Liveness: answers 200 as soon as the page does; `warming` says what is still loading.

    Which model answers is told to people who are signed in.
    """
    known = somebody(request) is not None
    model = Model(**asdict(app.models.info())) if known else None
    return Health(
        status="restoring" if app.restoring.closed else "ok",
        warming=app.warming,
        model=model,
        restored=app.restoring.moment,
    )


@router.get("/status")
def status(app: Services, person: Annotated[Person, allowed("status.view")]) -> Status:
    """The state of the machine for security and administrators."""
    from ui.api import product_version

    return Status(
        version=product_version(),
        warming=app.warming,
        model=Model(**asdict(app.models.info())),
        pool=app.pool.status(),
        spans_dropped=app.spans.dropped,
        problems=[say_error(person.language, code) for code in app.problems],
    )
