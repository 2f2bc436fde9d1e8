"""The house's name, logo and colour: shown to everybody, changed by an administrator."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.responses import Response

from guardrails.audit.ledger import Act
from guardrails.errors import BadInput
from ui import seen
from ui.branding import LOGO_BYTES, stylesheet
from ui.identity import Person
from ui.routes.common import Limits, Seen, Services, allowed, limited, shown
from ui.routes.shapes import Shape

router = APIRouter(prefix="/branding", tags=["branding"])

Manager = Annotated[Person, allowed("branding.manage")]
LOOK = {"cache-control": "public, max-age=31536000, immutable"}


class Look(Shape):
    """The look in force; empty fields are the product's own."""

    name: str
    accent: str
    logo: bool
    version: str


@router.get("")
def look(app: Services, response: Response) -> Look:
    """The name and the colour; open to everybody, because the sign-in page shows them."""
    shown(response, seen.look(app))
    return _look(app)


def _look(app: Any) -> Look:
    now = app.brand.current()
    return Look(name=now.name, accent=now.accent, logo=now.logo is not None, version=now.version)


@router.post("")
def change_look(
    app: Services,
    rates: Limits,
    person: Manager,
    save: Seen,
    name: Annotated[str | None, Form(max_length=200)] = None,
    accent: Annotated[str | None, Form(max_length=20)] = None,
    logo: UploadFile | None = None,
    without_logo: Annotated[bool, Form()] = False,
) -> Look:
    """Change what is given. Pictures are drawn anew as PNG; vector files are refused."""
    limited(rates.manage, person)
    data = logo.file.read(LOGO_BYTES + 1) if logo is not None and logo.filename else None
    with save.still(lambda: seen.look(app)):
        app.ledger.record(Act("branding.change", person.id))
        app.brand.change(name=name, accent=accent, logo=data, without_logo=without_logo)
    return _look(app)


@router.get("/logo.png", response_class=Response)
def logo_file(app: Services) -> Response:
    """The logo. Pages ask with `?v=` and the version, so browsers may keep it."""
    kept = app.brand.current().logo
    if kept is None:
        raise BadInput("no-such-page")
    return Response(kept, headers=LOOK, media_type="image/png")


@router.get("/look.css", response_class=Response)
def look_sheet(request: Request, app: Services) -> Response:
    """The colour as a stylesheet that follows the product's own."""
    return Response(stylesheet(app.brand.current()), headers=LOOK, media_type="text/css")
