"""What people allowed tool servers to do in their name: OAuth tokens, encrypted, for each person.

Authorization code with PKCE (RFC 7636), bound to the server by its resource (RFC 8707); refreshed
when they end, revoked when the person says so (RFC 7009). A token reaches the server alone: neither
seal, model, page nor log. The person "" stands for the house, where one sign-in serves everybody.
"""

import asyncio
import base64
import json
import os
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from agents.tools.base import NotDone
from guardrails.audit.ledger import Act, Ledger
from guardrails.errors import BadInput
from sandbox.broker.oauth_metadata import Ask, Provider, read
from sandbox.broker.recorded import recorded
from sandbox.broker.source_tables import grants

START_SECONDS = 600.0  # between going to the provider and coming back
SPARE_SECONDS = 30.0
USUAL_SECONDS = 300.0
MOST_CHARACTERS = 8_000
_NONCE = 12  # bytes, NIST SP 800-38D


@dataclass(frozen=True, slots=True)
class Client:
    """Who we are at a provider: `secret` is "" for a public client."""

    provider: Provider
    id: str
    secret: str = ""


@dataclass(frozen=True, slots=True)
class Begun:
    """Where to send the browser, and what it has to bring back, sealed."""

    url: str
    held: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """One sign-in that its provider could end."""

    client: Client
    token: str = field(repr=False)


class NotConnected(NotDone):
    """Nobody has signed in, or no longer: the person has to do it again."""

    def __init__(self) -> None:
        super().__init__(
            "the person has not signed in to this service. Tell them: under My privacy, Connected"
            " services, they can connect it; then they can ask again"
        )


class Grants:
    """The grants of one store. `key` is 32 bytes; `clock` gives seconds since 1970."""

    def __init__(
        self,
        engine: sa.Engine,
        ledger: Ledger,
        key: bytes,
        ask: Ask,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._engine = engine
        self._ledger = ledger
        self._cipher = AESGCM(key)
        self._ask = ask
        self._clock = clock
        self._turns: dict[tuple[str, str], asyncio.Lock] = {}

    def of(self, person: str) -> Mapping[str, float]:
        """Source → since when (seconds since 1970) the person is connected."""
        query = sa.select(grants.c.source, grants.c.at).where(grants.c.person == person)
        with self._engine.connect() as db:
            return {row.source: row.at / 1e6 for row in db.execute(query)}

    def begin(
        self, source: str, person: str, by: str, client: Client, redirect: str, back: str = ""
    ) -> Begun:
        """Begin to connect: `person` for whom it will be, `by` who does it in the browser, `back`
        the page to come back to."""
        from authlib.oauth2.rfc7636 import create_s256_code_challenge

        verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
        provider = client.provider
        asked = {
            "response_type": "code",
            "client_id": client.id,
            "redirect_uri": redirect,
            "state": state,
            "code_challenge": create_s256_code_challenge(verifier),
            "code_challenge_method": "S256",
            "resource": provider.resource,
            **({"scope": provider.scope} if provider.scope else {}),
        }
        if "offline_access" in provider.scope.split():
            asked["prompt"] = "consent"  # OpenID Connect Core 11: else no refresh token is given
        held = {
            "source": source, "person": person, "by": by, "redirect": redirect,
            "verifier": verifier, "state": state, "back": back, "at": self._clock(),
        }  # fmt: skip
        sealed = self._seal(held, b"begun")
        joint = "&" if urlsplit(provider.authorize).query else "?"
        url = f"{provider.authorize}{joint}{urlencode(asked)}"
        return Begun(url, base64.urlsafe_b64encode(sealed).decode())

    def begun(self, held: str, by: str) -> str:
        """The source that somebody is coming back from. Raises BadInput("connect-lost")."""
        return str(self._held(held, by)["source"])

    async def finish(self, held: str, by: str, client: Client, given: Mapping[str, str]) -> str:
        """Take what the provider sent the browser back with; gives the page to go back to.

        Raises BadInput: connect-lost (another browser, person or sign-in, or too late),
        connect-refused (the person or the provider said no).
        """
        kept = self._held(held, by)
        provider = client.provider
        if not secrets.compare_digest(str(kept["state"]), given.get("state", "")):
            raise BadInput("connect-lost")
        issuer = given.get("iss", "")
        if (issuer or provider.names_itself) and issuer != provider.issuer:
            raise BadInput("connect-lost")  # RFC 9207: an answer of another provider's
        if "error" in given or not given.get("code"):
            raise BadInput("connect-refused")
        form = {
            "grant_type": "authorization_code",
            "code": given["code"],
            "redirect_uri": str(kept["redirect"]),
            "code_verifier": str(kept["verifier"]),
        }
        source, person = str(kept["source"]), str(kept["person"])
        what = {"source": source, "for": "person" if person else "house"}
        # from here on the provider has given us something: it is on record before
        async with recorded(self._ledger, Act("tool.connect", by, payload=what)):
            try:
                tokens = await self._fetch(client, form)
            except NotDone as error:
                raise BadInput("connect-refused") from error
            await asyncio.to_thread(self._keep, source, person, tokens)
        return str(kept["back"])

    async def bearer(self, source: str, person: str, client: Client, *, anew: bool = False) -> str:
        """A token that is good now; `anew` when the server refused the last one.

        Raises NotConnected, and NotDone when the provider does not answer.
        """
        async with self._turns.setdefault((source, person), asyncio.Lock()):
            tokens = await asyncio.to_thread(self._read, source, person)
            if tokens is None:
                raise NotConnected
            if not anew and self._clock() < float(tokens["until"]):
                return str(tokens["access"])
            if not tokens["refresh"]:
                await asyncio.to_thread(self._drop, source, person)
                raise NotConnected
            form = {"grant_type": "refresh_token", "refresh_token": str(tokens["refresh"])}
            try:
                fresh = await self._fetch(client, form)
            except Refused as error:
                # another process may have used the refresh token up a moment ago
                now = await asyncio.to_thread(self._read, source, person)
                if now is not None and now != tokens:
                    return str(now["access"])
                await asyncio.to_thread(self._drop, source, person)
                raise NotConnected from error
            fresh["refresh"] = fresh["refresh"] or tokens["refresh"]
            await asyncio.to_thread(self._keep, source, person, fresh)
            return str(fresh["access"])

    async def end(self, source: str, person: str, by: str, client: Client | None) -> bool:
        """Forget the tokens, and tell the provider where it wants to know. False: none there."""
        tokens = await asyncio.to_thread(self._read, source, person)
        if source not in await asyncio.to_thread(self.of, person):
            return False
        what = {"source": source, "for": "person" if person else "house"}
        await self._ledger.arecord(Act("tool.disconnect", by, payload=what))
        await asyncio.to_thread(self._drop, source, person)
        if client is not None and tokens is not None:
            await self.revoke(SignedIn(client, str(tokens["refresh"] or tokens["access"])))
        return True

    def signed_in(self, source: str, person: str, client: Client) -> list[SignedIn]:
        """The person's sign-in at a source, for `revoke`; none when they are not connected."""
        tokens = self._read(source, person)
        return [SignedIn(client, str(tokens["refresh"] or tokens["access"]))] if tokens else []

    async def revoke(self, one: SignedIn) -> None:
        """End a sign-in at its provider, where that can be (RFC 7009)."""
        if one.client.provider.revoke:
            # a provider that is away keeps nobody connected here
            with suppress(NotDone):
                await self._post(one.client, one.client.provider.revoke, {"token": one.token})

    def forget(self, *, person: str = "", source: str = "") -> None:
        """Forget all grants of a person, or of a source that is removed."""
        forget(self._engine, person=person, source=source)

    # ── inside ───────────────────────────────────────────────────────────────────────────

    async def _fetch(self, client: Client, form: Mapping[str, str]) -> dict[str, Any]:
        form = {**form, "resource": client.provider.resource}
        answer = await self._post(client, client.provider.token, form)
        if 400 <= answer.status < 500:
            raise Refused("the service's sign-in said no")
        if answer.status != 200:
            raise NotDone("the service's sign-in does not answer")
        told = read(answer.body)
        kind = str(told.get("token_type", "")).lower()
        access, refresh = told.get("access_token"), told.get("refresh_token") or ""
        if kind != "bearer" or not _good(access) or not (refresh == "" or _good(refresh)):
            raise NotDone("the service's sign-in did not answer as it should")
        try:
            lasts = float(told.get("expires_in", USUAL_SECONDS))
        except (TypeError, ValueError):
            lasts = USUAL_SECONDS
        until = self._clock() + max(0.0, lasts - SPARE_SECONDS)
        return {"access": access, "refresh": refresh, "until": until}

    async def _post(self, client: Client, address: str, form: Mapping[str, str]) -> Any:
        headers = {"accept": "application/json",
                   "content-type": "application/x-www-form-urlencoded"}  # fmt: skip
        if client.secret:
            # form-encoded before Basic: RFC 6749, section 2.3.1
            pair = f"{quote_plus(client.id)}:{quote_plus(client.secret)}".encode()
            headers["authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        else:
            form = {**form, "client_id": client.id}
        return await self._ask("POST", address, headers, urlencode(form).encode())

    def _keep(self, source: str, person: str, tokens: Mapping[str, Any]) -> None:
        here = (grants.c.source == source, grants.c.person == person)
        sealed = self._seal(tokens, _bound(source, person))
        with self._engine.begin() as db:
            if db.execute(sa.update(grants).where(*here).values(sealed=sealed)).rowcount:
                return
            at = int(self._clock() * 1e6)
            row = {"source": source, "person": person, "sealed": sealed, "at": at}
            db.execute(sa.insert(grants), row)

    def _read(self, source: str, person: str) -> dict[str, Any] | None:
        query = sa.select(grants.c.sealed).where(
            grants.c.source == source, grants.c.person == person
        )
        with self._engine.connect() as db:
            sealed = db.scalar(query)
        return None if sealed is None else self._opened(sealed, _bound(source, person))

    def _drop(self, source: str, person: str) -> None:
        here = (grants.c.source == source, grants.c.person == person)
        with self._engine.begin() as db:
            db.execute(sa.delete(grants).where(*here))

    def _held(self, held: str, by: str) -> dict[str, Any]:
        try:
            kept = self._opened(base64.urlsafe_b64decode(held.encode()), b"begun")
        except ValueError as error:
            raise BadInput("connect-lost") from error
        late = kept is None or self._clock() - float(kept["at"]) > START_SECONDS
        if kept is None or late or kept["by"] != by:
            raise BadInput("connect-lost")
        return kept

    def _seal(self, value: Mapping[str, Any], bound: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, json.dumps(dict(value)).encode(), bound)

    def _opened(self, sealed: bytes, bound: bytes) -> dict[str, Any] | None:
        """None for what was changed, moved, or sealed with another key."""
        try:
            plain = self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], bound)
        except (InvalidTag, ValueError):
            return None
        found: dict[str, Any] = json.loads(plain)
        return found


class Refused(NotDone):
    """The provider knows the request and says no."""


def forget(engine: sa.Engine, *, person: str = "", source: str = "") -> None:
    """Forget all grants of a person, or of a source."""
    which = grants.c.person == person if person else grants.c.source == source
    with engine.begin() as db:
        db.execute(sa.delete(grants).where(which))


def settings_of(provider: Provider, client: str) -> dict[str, Any]:
    """What a source keeps of its provider."""
    return {"provider": asdict(provider), "client": client}


def _bound(source: str, person: str) -> bytes:
    return f"{source}/{person}".encode()


def _good(token: object) -> bool:
    # it becomes a header: nothing that ends the line or begins another word
    return (
        isinstance(token, str)
        and 0 < len(token) <= MOST_CHARACTERS
        and token.isascii()
        and token.isprintable()
        and " " not in token
    )
