"""The API over a fake house, as a browser or a program reaches it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import httpx
from fastapi import FastAPI
from starlette.types import ASGIApp

from ui.access import Role
from ui.api import build
from ui.door import Door
from ui.oidc import Provider
from ui.routes.common import Rates
from ui.wiring import App

BASE = "http://127.0.0.1:7860"
PASSWORD = "correct horse battery"


def served(house: Any, rates: Rates | None = None, asked: Provider | None = None) -> ASGIApp:
    """The API behind the door, under its real prefix. `house` has what an App has; `asked` is the
    identity provider."""
    parent = FastAPI()
    parent.mount("/api/v1", build(cast(App, house), rates, asked))
    return Door(parent, identity=house.identity, limit_mib=house.settings.upload_limit_mib)


def client(app: ASGIApp, **headers: str) -> httpx.AsyncClient:
    """A client without ambient cookies; `headers` with underscores for dashes."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=f"{BASE}/api/v1", headers=given)


def with_accounts(house: Any) -> dict[Role, str]:
    """One account per role; returns a session cookie for each."""
    cookies: dict[Role, str] = {}
    roles: tuple[Role, ...] = ("staff", "champion", "security", "administrator")
    for role in roles:
        # no password: argon2 is slow on purpose, and not what is tested with these
        account = house.people.add(role, None, name=f"Sample {role}", roles=[role])
        cookies[role] = house.identity.begin(account)
    return cookies


@dataclass(frozen=True)
class Sent:
    """One server-sent event."""

    event: str
    data: dict[str, Any]


def events(response: httpx.Response) -> list[Sent]:
    """The events of a whole response."""
    return list(_events(response.text))


def _events(text: str) -> Iterator[Sent]:
    for block in text.replace("\r\n", "\n").split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "event" in fields:
            yield Sent(fields["event"], json.loads(fields["data"]))
