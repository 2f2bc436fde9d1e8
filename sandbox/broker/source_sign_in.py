"""Sources where a person signs in: found, begun, come back from, ended. See `grants`."""

import json
from collections.abc import Mapping
from typing import Any, Literal

from agents.tools.base import NotDone
from guardrails.errors import BadInput
from sandbox.broker.grants import Client, Grants, NotConnected, settings_of
from sandbox.broker.oauth_metadata import Provider, discover, register
from sandbox.broker.source_access import Access

Connect = Literal["", "person", "house"]
HOUSE = ""  # whose the tokens are where one sign-in serves everybody
_HELLO = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {},
               "clientInfo": {"name": "atelier", "version": "1"}},
}  # fmt: skip


class PersonalSignIn:
    """Reads the settings of sources that have `connect`; the tokens are the grants'."""

    def __init__(self, access: Access, grants: Grants) -> None:
        self._access = access
        self.grants = grants

    async def found(
        self, url: str, connect: Connect, client: str, secret: str, scope: str, redirect: str
    ) -> dict[str, Any]:
        """The settings of a new source. Without a `client` we register as one.

        Raises BadInput: source-bad, source-unreachable (why).
        """
        if not self._access.safe(url):
            raise BadInput("source-bad", field="url")
        if not scope.isprintable() or not client.isprintable() or (secret and not client):
            raise BadInput("source-bad", field="client" if secret and not client else "scope")
        try:
            challenge = await self._challenge(url)
            provider = await discover(self._access.ask, self._access.safe, url, challenge)
            client = client or await register(self._access.ask, provider, redirect)
        except NotDone as error:
            raise BadInput("source-unreachable", why=error.why) from error
        found = settings_of(provider, client)
        if scope:
            found["provider"]["scope"] = scope
        return {"connect": connect, "redirect": redirect, **found}

    def whose(self, settings: Mapping[str, Any], person: str) -> str:
        """Whose tokens are used when `person` asks."""
        return person if settings.get("connect") == "person" else HOUSE

    def client(self, settings: Mapping[str, Any]) -> Client:
        """Who we are at the source's provider. Raises NotDone when a secret is missing."""
        provider = Provider(**settings["provider"])
        return Client(provider, str(settings["client"]), self._access.secret(settings))

    async def headers(
        self, source: str, settings: Mapping[str, Any], person: str, *, anew: bool = False
    ) -> Mapping[str, str]:
        """The header with a token of the person's. Raises NotDone, NotConnected."""
        whose = self.whose(settings, person)
        if settings.get("connect") == "person" and not whose:
            raise NotConnected  # nobody in particular is asking
        client = self.client(settings)
        token = await self.grants.bearer(source, whose, client, anew=anew)
        return {"Authorization": f"Bearer {token}"}

    async def _challenge(self, url: str) -> str:
        """What the server says to somebody who has not signed in."""
        headers = {
            "content-type": "application/json",
            "accept": "application/json, text/event-stream",
        }
        answer = await self._access.ask("POST", url, headers, json.dumps(_HELLO).encode())
        return answer.challenge if answer.status == 401 else ""
