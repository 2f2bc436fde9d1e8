"""What the screen would find in a text, without sending or keeping it."""

from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from guardrails.findings import Screened
from ui.identity import Person
from ui.routes.common import Limits, Services, allowed, limited
from ui.routes.shapes import FindingRow, ScreenedText

router = APIRouter(tags=["screen"])


class Text(BaseModel):
    """A text to screen. `auto` detects the language of each paragraph."""

    model_config = ConfigDict(extra="forbid")
    text: str = Field(max_length=1_000_000)
    language: Literal["auto", "en", "fr"] = "auto"


@router.post("/screen")
def screen(
    text: Text, app: Services, rates: Limits, person: Annotated[Person, allowed("screen.try")]
) -> ScreenedText:
    """Find and mask personal data, secrets and injections in one text. Nothing is kept."""
    limited(rates.screen, person)
    if not app.screen_ready:
        from guardrails.detect import pii

        # loading may take longer than one screening ever may
        pii.warm()
    language = None if text.language == "auto" else text.language
    return shown(app.screen.text(text.text, language=language))


def shown(screened: Screened) -> ScreenedText:
    """The result as the API and the command line print it."""
    return ScreenedText(
        text=screened.text,
        findings=[FindingRow.model_validate(asdict(each)) for each in screened.findings],
        outcome=screened.verdict.outcome,
        rule=screened.verdict.rule,
    )
