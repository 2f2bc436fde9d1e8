"""What every route shares: the services, who is asking, one permission, how often. No business."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any, cast

from fastapi import Depends, Header, Request, Response

from guardrails.actor import Actor
from guardrails.audit.ledger import Act
from guardrails.errors import ScreenFailed
from ui.access import Permission, may, require
from ui.door import SAFE_METHODS
from ui.identity import Person
from ui.listeners import Listeners
from ui.rates import Rate
from ui.seen import Saves, tag
from ui.signins import digest

if TYPE_CHECKING:
    from ui.wiring import App


@dataclass(frozen=True)
class Rates:
    """Limits for one server. Sign-in is counted per name and per address, the rest per person."""

    sign_in_name: Rate = field(default_factory=lambda: Rate(8, 900))
    sign_in_address: Rate = field(default_factory=lambda: Rate(40, 900))
    logout: Rate = field(default_factory=lambda: Rate(300, 60))
    messages: Rate = field(default_factory=lambda: Rate(60, 60))
    screen: Rate = field(default_factory=lambda: Rate(120, 60))
    verify: Rate = field(default_factory=lambda: Rate(6, 60))
    self_check: Rate = field(default_factory=lambda: Rate(6, 60))
    rehearse: Rate = field(default_factory=lambda: Rate(12, 60))
    exports: Rate = field(default_factory=lambda: Rate(12, 60))
    tried: Rate = field(default_factory=lambda: Rate(12, 60))  # ways of alerts, connected models
    evaluate: Rate = field(default_factory=lambda: Rate(20, 300))
    # programs: requests of one key, tries of one wrong key, wrong keys from one address,
    # provisioning
    key: Rate = field(default_factory=lambda: Rate(600, 60))
    wrong_key: Rate = field(default_factory=lambda: Rate(30, 60))
    scim: Rate = field(default_factory=lambda: Rate(1500, 60))
    # argon2 is slow on purpose: what makes it work is counted like a sign-in
    passwords: Rate = field(default_factory=lambda: Rate(20, 900))
    manage: Rate = field(default_factory=lambda: Rate(240, 60))
    own_data: Rate = field(default_factory=lambda: Rate(6, 600))
    backup: Rate = field(default_factory=lambda: Rate(4, 600))
    restore: Rate = field(default_factory=lambda: Rate(12, 600))
    # every route, whatever its own limit: no page of ours comes near
    changes: Rate = field(default_factory=lambda: Rate(600, 60))
    reads: Rate = field(default_factory=lambda: Rate(3000, 60))
    listeners: Listeners = field(default_factory=Listeners)


def services(request: Request) -> "App":
    """The composition root that this server runs on."""
    return cast("App", request.app.state.services)


def rates(request: Request) -> Rates:
    """This server's counters."""
    return cast(Rates, request.app.state.rates)


def somebody(request: Request) -> Person | None:
    """Who is asking, or None; looked up once per request.

    A program that brings a key is who the key says, or nobody: a cookie never makes up for a key
    that is wrong. Raises GuardrailError("too-many-attempts") for a key that asks too often.
    """
    if not hasattr(request.state, "person"):
        secret = bearer(request)
        request.state.person = (
            services(request).identity.person(request)
            if secret is None
            else by_key(request, secret)
        )
    return cast("Person | None", request.state.person)


def bearer(request: Request) -> str | None:
    """The secret of `Authorization: Bearer …`, or None. A proxy's own scheme is left alone."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None


def by_key(request: Request, secret: str) -> Person | None:
    """The owner of an API key with no more than the key's scopes, or None."""
    app, counters = services(request), rates(request)
    key = app.api_keys.check(secret)
    person = None if key is None else app.identity.owner_of(key, request)
    if key is None or person is None:
        wrong_key(request, counters, secret)
        return None
    counters.key.take(key.id)
    if key.first_in_hour:
        app.ledger.record(Act("key.use", person.id, payload={"key": key.id}))
    return person


def wrong_key(request: Request, counters: Rates, secret: str) -> None:
    """Count a key that opens nothing; "too-many-attempts" for one, or an address, with too many.

    Only keys that open nothing are counted: somebody else's broken client behind the same address
    keeps nobody out. One that tries the same wrong key over and over stands for one try only.
    """
    address = request.client.host if request.client else ""
    if counters.wrong_key.take(f"key:{digest(secret)}") == 1:
        counters.wrong_key.take(f"address:{address}")


def allowed(permission: Permission) -> Any:
    """A dependency that gives the person when the table says they may."""

    def check(request: Request) -> Person:
        person = require(somebody(request), permission)
        counters = rates(request)
        limited(counters.reads if request.method in SAFE_METHODS else counters.changes, person)
        return person

    return Depends(check)


def actor(person: Person) -> Actor:
    """The person as the lower floors see them."""
    return Actor(person.id, person.department, frozenset(person.roles))


def acting(person: Person) -> Actor:
    """As `actor`; a program has its owner's power over others' agents only with a scope for it."""
    given = actor(person)
    if person.scopes is None or may(person, "agents.published"):
        return given
    return replace(given, roles=given.roles - {"champion", "security"})


def cleared(app: "App", text: str, *, urgent: bool = False) -> str:
    """A person's own words as they may be kept: what is personal in them is masked.

    Raises ScreenFailed; where what they go with is `urgent` the words are left out instead.
    """
    try:
        return app.screen.text(text, None).text if text.strip() else text
    except ScreenFailed:
        if not urgent:
            raise
        return "…"


def limited(rate: Rate, person: Person) -> None:
    """Count one costly act, or raise "too-many-attempts".

    The local owner of workshop mode is alone on the machine: there is nobody to protect from them.
    """
    if not person.workshop:
        rate.take(person.id)


@dataclass(frozen=True)
class AsSeen:
    """One save of something shared: refused when it is no longer what the caller has seen."""

    saves: Saves
    seen: str
    answer: Response

    @contextmanager
    def still(self, now: Callable[[], object]) -> Iterator[None]:
        """Save inside of this; the answer's `ETag` is of what was saved. Raises
        ChangedMeanwhile."""
        with self.saves.still(self.seen, now):
            yield
            shown(self.answer, now())


def shown(answer: Response, state: object) -> None:
    """Tell the caller what a later save has to match."""
    answer.headers["etag"] = f'"{tag(state)}"'


async def _as_seen(
    request: Request,
    answer: Response,
    if_match: Annotated[
        str,
        Header(max_length=100, description="the `ETag` that was read; refused (412) when changed"),
    ] = "",
) -> AsSeen:
    return AsSeen(request.app.state.saves, if_match.strip().removeprefix("W/").strip('"'), answer)


# a dependency that is no coroutine costs a hop to a thread, with every request
async def _services(request: Request) -> "App":
    return services(request)


async def _rates(request: Request) -> Rates:
    return rates(request)


Services = Annotated[Any, Depends(_services)]
Limits = Annotated[Rates, Depends(_rates)]
Seen = Annotated[AsSeen, Depends(_as_seen)]
