"""What every route shares: the services, who is asking, one permission, how often. No business."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, cast

from fastapi import Depends, Request

from guardrails.actor import Actor
from ui.access import Permission, require
from ui.identity import Person
from ui.rates import Rate

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


def services(request: Request) -> "App":
    """The composition root that this server runs on."""
    return cast("App", request.app.state.services)


def rates(request: Request) -> Rates:
    """This server's counters."""
    return cast(Rates, request.app.state.rates)


def somebody(request: Request) -> Person | None:
    """The person asking, or None; looked up once per request."""
    if not hasattr(request.state, "person"):
        request.state.person = services(request).identity.person(request)
    return cast("Person | None", request.state.person)


def allowed(permission: Permission) -> Any:
    """A dependency that gives the person when the table says they may."""

    def check(request: Request) -> Person:
        return require(somebody(request), permission)

    return Depends(check)


def actor(person: Person) -> Actor:
    """The person as the lower floors see them."""
    return Actor(person.id, person.department, frozenset(person.roles))


def limited(rate: Rate, person: Person) -> None:
    """Count one costly act, or raise "too-many-attempts".

    The local owner of workshop mode is alone on the machine: there is nobody to protect from them.
    """
    if not person.workshop:
        rate.take(person.id)


Services = Annotated[Any, Depends(services)]
Limits = Annotated[Rates, Depends(rates)]
