"""A service that wants OAuth gets a token of the client's own, fetched once and renewed."""

import base64
import json
from typing import Any

import pytest
import sqlalchemy as sa

from agents.tools.base import NotDone, ToolContext
from agents.tools.registry import call
from guardrails.errors import BadInput
from sandbox.broker.client_credentials import SignIn, Tokens
from sandbox.broker.fetch import Answer
from tests.sandbox.broker.test_sources import API, engine, opened, service

__all__ = ["engine"]  # a fixture
SETTINGS = {"token_url": "https://id.example/token", "client": "atelier a", "scope": "stock.read"}


class Desk:
    """A token endpoint; keeps what it was sent."""

    def __init__(self, body: Any, status: int = 200) -> None:
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.status = status
        self.asked: list[tuple[str, dict[str, str], bytes]] = []

    async def request(
        self, method: str, address: str, headers: dict[str, str], content: bytes
    ) -> Answer:
        self.asked.append((f"{method} {address}", headers, content))
        return Answer(self.status, address, "application/json", self.body)


async def test_a_token_is_fetched_once_and_renewed_before_it_ends() -> None:
    now = [0.0]
    tokens = Tokens(lambda: now[0])
    desk: Any = Desk({"access_token": "t0", "token_type": "Bearer", "expires_in": 120})
    assert [await tokens.bearer(SETTINGS, "s:1", desk) for _ in range(3)] == ["t0"] * 3
    ((line, headers, content),) = desk.asked
    assert line == "POST https://id.example/token"
    sent = base64.b64decode(headers["authorization"].removeprefix("Basic ")).decode()
    assert sent == "atelier+a:s%3A1"
    assert content == b"grant_type=client_credentials&scope=stock.read"
    now[0] = 91.0
    await tokens.bearer(SETTINGS, "s:1", desk)
    assert len(desk.asked) == 2
    await tokens.bearer(SETTINGS, "another", desk)  # a new secret is asked with at once
    assert len(desk.asked) == 3


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"access_token": "t", "token_type": "Bearer"}, 401),
        ({"access_token": "t", "token_type": "mac"}, 200),
        ({"access_token": "t\r\nhost: x", "token_type": "Bearer"}, 200),
        ({"access_token": "t" * 9_000, "token_type": "Bearer"}, 200),
        ({"access_token": 7, "token_type": "Bearer"}, 200),
        ({"token_type": "Bearer"}, 200),
        ({"access_token": "t", "token_type": "Bearer", "expires_in": "soon"}, 200),
        (["t"], 200),
        (b"<html>", 200),
        (b"[" * 100_000, 200),
    ],
    ids=range(10),
)
async def test_anything_but_a_bearer_token_is_no_token(body: Any, status: int) -> None:
    desk: Any = Desk(body, status)
    with pytest.raises(NotDone, match="sign-in"):
        await Tokens().bearer(SETTINGS, "secret", desk)


async def test_a_service_is_called_with_the_token_and_never_with_the_secret(
    engine: sa.Engine, tmp_path: Any
) -> None:
    heads: list[str] = []
    answer = {"access_token": "fresh-token", "token_type": "Bearer", "stock": 42}
    async with service(heads, answer) as port:
        sources = opened(engine, tmp_path, f"127.0.0.1:{port}")
        sign_in = SignIn(f"http://127.0.0.1:{port}/token", "atelier", "stock.read")
        sources.add_openapi(
            "stock", json.dumps(API).encode(), "admin",
            base=f"http://127.0.0.1:{port}/v1", secret="STOCK_KEY", sign_in=sign_in,
        )  # fmt: skip
        for _ in range(2):
            got = await call("stock-get-item", {"id": "1"}, ToolContext(added=sources.added()))
            assert got.ok
    asked, *called = heads
    assert asked.startswith("POST /token") and "grant_type=client_credentials" in asked
    assert len(called) == 2
    for head in called:
        assert "authorization: bearer fresh-token" in head.lower() and "s3cret" not in head


@pytest.mark.parametrize(
    ("given", "secret", "field"),
    [
        (SignIn("http://id.example/token", "atelier"), "STOCK_KEY", "token_url"),
        (SignIn("https://user:pw@id.example/token", "atelier"), "STOCK_KEY", "token_url"),
        (SignIn("file:///etc/passwd", "atelier"), "STOCK_KEY", "token_url"),
        (SignIn("", "atelier"), "STOCK_KEY", "token_url"),
        (SignIn("https://id.example/token", ""), "STOCK_KEY", "client"),
        (SignIn("https://id.example/token", "atelier"), "", "secret"),
    ],
    ids=range(6),
)
def test_a_secret_travels_encrypted_to_a_named_place_or_not_at_all(
    engine: sa.Engine, tmp_path: Any, given: SignIn, secret: str, field: str
) -> None:
    with pytest.raises(BadInput, match="source-bad") as caught:
        opened(engine, tmp_path).add_openapi(
            "stock", json.dumps(API).encode(), "admin", secret=secret, sign_in=given
        )
    assert caught.value.data["field"] == field
