"""The organisation's own kinds: read the file, try a text of it on the spot, replace it."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from guardrails.audit.ledger import Act
from guardrails.detect.recognizers import custom
from guardrails.kinds import digest
from ui.identity import Person
from ui.routes.common import Limits, Services, allowed, limited
from ui.routes.shapes import Shape

router = APIRouter(tags=["screen"])
Given = Annotated[str, Field(max_length=custom.LONGEST_FILE)]


class KindsFile(Shape):
    """The file's text; `version` names exactly this text, for replacing it; `kinds` in force."""

    text: str
    version: str
    kinds: list[str]


class Trial(BaseModel):
    """The text of a file and sample texts, both unsaved."""

    model_config = ConfigDict(extra="forbid")
    text: Given
    samples: Annotated[list[Annotated[str, Field(max_length=2_000)]], Field(max_length=50)] = []


class TriedRow(Shape):
    """What one example or sample finds. `ok` is null for samples: nothing was expected of them."""

    kind: str
    text: str
    expected: list[str]
    found: list[str]
    ok: bool | None


class Tried(Shape):
    """Every example of the file, then every sample, in order."""

    rows: list[TriedRow]
    kinds: list[str]


class Replacement(BaseModel):
    """The new text, and the `version` that was read before it was changed."""

    model_config = ConfigDict(extra="forbid")
    text: Given
    version: Annotated[str, Field(max_length=64)]


@router.get("/screen/kinds")
def read(app: Services, person: Annotated[Person, allowed("policies.edit")]) -> KindsFile:
    """The file of the organisation's own kinds as it stands."""
    text = app.kinds.text()
    return KindsFile(text=text, version=digest(text), kinds=_names(custom.active()))


@router.post("/screen/kinds/try")
def attempt(
    trial: Trial, app: Services, rates: Limits, person: Annotated[Person, allowed("policies.edit")]
) -> Tried:
    """What the kinds of a text find, in its own examples and in samples. Nothing is kept."""
    limited(rates.screen, person)
    kinds = custom.parse(trial.text, app.kinds.file.name)
    rows = [
        TriedRow(kind=one.kind, text=one.text, expected=list(one.expected), found=list(one.found),
                 ok=one.ok)
        for one in custom.try_out(kinds)
    ]  # fmt: skip
    for sample in trial.samples:
        found = custom.search(kinds, sample)
        names = ", ".join(dict.fromkeys(kind for _, _, kind, *_ in found))
        values = [sample[start:end] for start, end, *_ in found]
        rows.append(TriedRow(kind=names, text=sample, expected=[], found=values, ok=None))
    return Tried(rows=rows, kinds=_names(kinds))


@router.put("/screen/kinds")
def replace(
    new: Replacement, app: Services, person: Annotated[Person, allowed("policies.edit")]
) -> KindsFile:
    """Replace the file. Its kinds hold at once; a broken file is refused and nothing changes."""

    def record(kinds: tuple[custom.Kind, ...]) -> None:
        # names only: the values of a list are what is to be hidden
        payload = {"kinds": _names(kinds), "version": digest(new.text), "before": new.version}
        app.ledger.record(Act("kinds.set", person.id, payload=payload))

    kinds = app.kinds.save(new.text, new.version, record)
    return KindsFile(text=new.text, version=digest(new.text), kinds=_names(kinds))


def _names(kinds: tuple[custom.Kind, ...]) -> list[str]:
    return list(dict.fromkeys(kind.kind for kind in kinds))
