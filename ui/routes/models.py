"""Models: which ones a person may use, and for administrators which ones are connected.

A key goes in and never comes out: answers say only whether there is one.
"""

import time
from contextlib import aclosing
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from guardrails.actor import pseudonym
from guardrails.audit.ledger import Act
from guardrails.audit.usage import Used, used
from guardrails.errors import GuardrailError
from guardrails.policy.catalogue import explain
from guardrails.policy.engine import ModelFacts, Request
from sandbox.broker.connections import Connection
from sandbox.broker.model_events import ModelInfo
from ui import seen
from ui.faults import worded
from ui.identity import Person
from ui.routes.common import Limits, Seen, Services, actor, allowed, limited
from ui.routes.shapes import Done, Shape

if TYPE_CHECKING:
    from ui.wiring import App

router = APIRouter(prefix="/models", tags=["models"])

Viewer = Annotated[Person, allowed("budgets.view")]
Manager = Annotated[Person, allowed("models.manage")]
DataClass = Literal["public", "internal", "confidential", "restricted"]
Dollars = Annotated[float, Field(ge=0, le=10_000)]
Place = Literal["local", "eu", "us", "other", ""]
ASK = "Answer with the one word: ready"


class ModelRow(Shape):
    """A model as an author chooses one. Prices in US dollars per million tokens, null unknown.

    `allowed` is for the caller and the data class asked about; else `reason` and `instead` say
    why not. `default` answers for agents that name none.
    """

    name: str
    label: str
    kind: str
    provider: str
    location: Place
    state: str
    default: bool
    allowed: bool
    rule: str = ""
    reason: str = ""
    instead: str = ""
    price_in: float | None = None
    price_out: float | None = None


class ConnectionRow(Shape):
    """A connected model as administrators and security see it. `check` "" means it answered."""

    id: str
    name: str
    label: str
    base: str
    location: Place
    has_key: bool
    enabled: bool
    preferred: bool
    price: tuple[float, float] | None
    changed: float
    checked: float | None
    check: str
    turns: int
    people: int


class Connect(BaseModel):
    """A model to connect. Both prices or none, US dollars per million tokens."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=160)]
    label: Annotated[str, Field(max_length=120)] = ""
    base: Annotated[str, Field(max_length=500)] = ""
    location: Place = ""
    key: Annotated[SecretStr, Field(max_length=4_000)] = SecretStr("")
    price_in: Dollars | None = None
    price_out: Dollars | None = None


class Change(BaseModel):
    """What to change; what is not given stays. A new address drops the key."""

    model_config = ConfigDict(extra="forbid")

    label: Annotated[str, Field(max_length=120)] | None = None
    base: Annotated[str, Field(max_length=500)] | None = None
    location: Place | None = None
    enabled: bool | None = None
    price_in: Dollars | None = None
    price_out: Dollars | None = None


class NewKey(BaseModel):
    """The key that replaces the one before."""

    model_config = ConfigDict(extra="forbid")

    key: Annotated[SecretStr, Field(min_length=1, max_length=4_000)]


class Default(BaseModel):
    """The connection that answers for agents that name no model; "" is the setting's model."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[str, Field(max_length=64)] = ""


class Checked(Shape):
    """What a real call has shown. `message` says what is wrong, `answer` what it said."""

    ok: bool
    code: str = ""
    message: str = ""
    answer: str = ""
    milliseconds: int = 0


@router.get("")
def models(
    app: Services,
    person: Annotated[Person, allowed("agents.use")],
    data_class: Annotated[DataClass, Query()] = "internal",
) -> list[ModelRow]:
    """Every model there is, and whether the caller may use it with this class of data."""
    return choices(app, person, data_class)


@router.get("/connections")
def connections(app: Services, person: Viewer) -> list[ConnectionRow]:
    """The connected models, without their keys."""
    use = used(app.engine, "model")
    return [row(one, use) for one in app.connections.all()]


@router.post("/connections")
def connect_model(wanted: Connect, app: Services, person: Manager) -> ConnectionRow:
    """Connect a model. It can be used at once, by everyone whom the rules let use it."""
    made = app.connections.add(
        wanted.name,
        by=pseudonym(app.keys, person.id),
        label=wanted.label,
        base=wanted.base,
        location=wanted.location,
        key=wanted.key.get_secret_value(),
        price=_price(wanted.price_in, wanted.price_out),
    )
    return row(made, {})


@router.patch("/connections/{connection}")
def change_connection(
    connection: str, wanted: Change, app: Services, person: Manager, save: Seen
) -> ConnectionRow:
    """Change a connection; it holds from the next call on."""
    given = wanted.model_dump(exclude_unset=True)
    if {"price_in", "price_out"} & set(given):
        given["price"] = _price(given.pop("price_in", None), given.pop("price_out", None))
    by = pseudonym(app.keys, person.id)
    with save.still(lambda: seen.connection(app.connections.get(connection))):
        return row(app.connections.change(connection, by=by, **given), {})


@router.put("/connections/{connection}/key")
def set_connection_key(connection: str, wanted: NewKey, app: Services, person: Manager) -> Done:
    """Give a connection a key, instead of the one it had. It is never shown again."""
    key = wanted.key.get_secret_value()
    app.connections.set_key(connection, key, by=pseudonym(app.keys, person.id))
    return Done()


@router.delete("/connections/{connection}/key")
def drop_connection_key(connection: str, app: Services, person: Manager) -> Done:
    """Delete a connection's key."""
    app.connections.set_key(connection, "", by=pseudonym(app.keys, person.id))
    return Done()


@router.delete("/connections/{connection}")
def remove_connection(connection: str, app: Services, person: Manager) -> Done:
    """Remove a connection and its key. Agents that name it say so until they name another."""
    app.connections.remove(connection, by=pseudonym(app.keys, person.id))
    return Done()


@router.put("/default")
def default_model(wanted: Default, app: Services, person: Manager) -> Done:
    """Choose the model that answers for agents that name none."""
    app.connections.prefer(wanted.id, by=pseudonym(app.keys, person.id))
    return Done()


@router.post("/connections/{connection}/check")
async def check_connection(
    connection: str, app: Services, person: Manager, limits: Limits
) -> Checked:
    """Call the model with a few words of ours, for real. `own` is the setting's model."""
    limited(limits.tried, person)
    name = app.models.own().name if connection == "own" else app.connections.get(connection).name
    await app.ledger.arecord(Act("model.check", person.id, payload={"name": name}))
    begun = time.monotonic()
    said: list[str] = []
    try:
        events = app.models.stream([{"role": "user", "content": ASK}], max_tokens=16, wanted=name)
        async with aclosing(events) as source:
            async for event in source:
                said.append(getattr(event, "text", ""))
    except GuardrailError as error:
        if connection != "own":
            app.connections.checked(connection, error.code)
        return Checked(ok=False, code=error.code, message=worded(error, person.language))
    if connection != "own":
        app.connections.checked(connection, "")
    elapsed = round((time.monotonic() - begun) * 1000)
    return Checked(ok=True, answer="".join(said).strip()[:200], milliseconds=elapsed)


def choices(app: "App", person: Person, data_class: str = "internal") -> list[ModelRow]:
    """The setting's model first, then the connected ones, judged for `person`."""
    preferred = app.connections.find("")
    found: list[tuple[ModelInfo, Connection | None]] = [(app.models.own(), None)]
    found += [(_info(one), one) for one in app.connections.now()]
    rows = []
    for info, connection in found:
        facts = ModelFacts(info.name, info.kind, info.location, info.provider)
        request = Request("model.call", actor(person), data_class=data_class, model=facts)
        decision = app.policy.decide(request)
        may = decision.outcome != "deny"
        words = explain(decision.rule, person.language, own=app.policy.policies.words)
        price = connection.price if connection else None
        rows.append(
            ModelRow(
                name=info.name,
                label=info.label,
                kind=info.kind,
                provider=info.provider,
                location=info.location,
                state=info.state,
                default=connection == preferred,
                allowed=may,
                rule="" if may else decision.rule,
                reason="" if may else words.sentence,
                instead="" if may else words.instead,
                price_in=price[0] if price else (None if info.kind == "provider" else 0.0),
                price_out=price[1] if price else (None if info.kind == "provider" else 0.0),
            )
        )
    return rows


def row(one: Connection, use: dict[str, Used]) -> ConnectionRow:
    """A connection as the API shows it."""
    given = asdict(one)
    del given["changed_by"]
    uses = use.get(one.label)
    turns, people = (uses.turns, uses.people) if uses else (0, 0)
    return ConnectionRow(**given, turns=turns, people=people)


def _info(one: Connection) -> ModelInfo:
    return ModelInfo(one.name, one.label, "provider", one.provider, one.location, "ready")


def _price(in_: float | None, out: float | None) -> tuple[float, float] | None:
    return None if in_ is None or out is None else (in_, out)
