"""Sources where a person signs in: found, begun, come back from, ended. See `grants`."""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from agents.tools.base import NotDone
from guardrails.errors import BadInput
from sandbox.broker.grants import Begun, Client, Grants, NotConnected, SignedIn, settings_of
from sandbox.broker.oauth_metadata import Provider, discover, register
from sandbox.broker.source import Connect, Source
from sandbox.broker.source_access import Access

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

    def begin(self, source: Source, by: str, back: str) -> Begun:
        """Send somebody's browser to the source's sign-in. Raises BadInput."""
        whose = self.whose(source.settings, by)
        try:
            client = self.client(source.settings)
        except NotDone as error:
            raise BadInput("source-unreachable", why=error.why) from error
        redirect = str(source.settings["redirect"])
        return self.grants.begin(source.id, whose, by, client, redirect, back)

    async def finish(self, source: Source, held: str, by: str, given: Mapping[str, str]) -> str:
        """Take what the sign-in gave; the page to go back to. Raises BadInput."""
        if not source.connect or not source.enabled:
            raise BadInput("connect-lost")
        try:
            client = self.client(source.settings)
        except NotDone as error:
            raise BadInput("connect-refused") from error
        return await self.grants.finish(held, by, client, given)

    async def end(self, source: Source, by: str) -> bool:
        """End somebody's sign-in at a source, or the house's; False when there was none."""
        client = None
        with suppress(NotDone):  # its secret is gone: it is forgotten here all the same
            client = self.client(source.settings)
        return await self.grants.end(source.id, self.whose(source.settings, by), by, client)

    def of(self, person: str, sources: Iterable[Source]) -> list[SignedIn]:
        """What a person's sign-ins could be ended with at their providers, for `revoke`."""
        found: list[SignedIn] = []
        for source in sources:
            if source.connect == "person":
                with suppress(NotDone):  # its secret is gone: nobody could end it
                    client = self.client(source.settings)
                    found += self.grants.signed_in(source.id, person, client)
        return found

    async def revoke(self, signed_in: Iterable[SignedIn]) -> None:
        """End sign-ins at their providers, as far as those answer."""
        for one in signed_in:
            await self.grants.revoke(one)

    async def _challenge(self, url: str) -> str:
        """What the server says to somebody who has not signed in."""
        headers = {
            "content-type": "application/json",
            "accept": "application/json, text/event-stream",
        }
        answer = await self._access.ask("POST", url, headers, json.dumps(_HELLO).encode())
        return answer.challenge if answer.status == 401 else ""
