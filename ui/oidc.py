"""Sign-in through an identity provider: OpenID Connect code flow with PKCE, state and nonce.

Sources: OpenID Connect Core 1.0 (3.1.3.7 for the ID token), RFC 7636 (PKCE), RFC 9700 (current
practice), OpenID Connect Back-Channel Logout 1.0. Knows no cookies of ours but the one that carries
a sign-in to its callback, and no roles but the ones the settings give to the provider's groups.
"""

import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlsplit

import httpx
from itsdangerous import BadSignature, TimestampSigner

from guardrails.errors import GuardrailError
from guardrails.keys import Keys
from ui.access import ROLES, Role
from ui.accounts import readable
from ui.identity import is_loopback

COOKIE = "atelier_oidc"
COOKIE_SECONDS = 600
DISCOVERY_SECONDS = 3600
ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]  # asymmetric only: `none` and HMAC never
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
SCOPE = "openid profile email"
LOGOUT_SECONDS = 300  # a logout token older than this is not obeyed
LEEWAY = 60  # seconds that the provider's clock may be off


@dataclass(frozen=True)
class Start:
    """Where to send the browser, and the cookie that the callback needs."""

    url: str
    cookie: str


@dataclass(frozen=True)
class Known:
    """Somebody the provider vouches for. `key` is stable and unique among all issuers."""

    key: str
    name: str
    email: str
    department: str
    language: str
    groups: tuple[str, ...]
    roles: frozenset[Role]  # by the settings' map; the groups of the store may add others
    external: str  # how the provisioning side of the same provider names this person
    session: str  # the provider's session; empty when it tells none
    next: str


@dataclass(frozen=True)
class Ended:
    """What a logout token ends: one session at the provider, or all of a person's.

    `token` tells two tokens apart; say `Provider.obeyed` when what it asked for is done.
    """

    key: str
    session: str
    token: str


class Provider:
    """One identity provider. `transport` replaces the network in tests."""

    def __init__(
        self,
        keys: Keys,
        *,
        issuer: str,
        client_id: str,
        client_secret: str,
        roles: str = "",
        groups_claim: str = "groups",
        person_claim: str = "sub",
        scope: str = SCOPE,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`roles` is `group=role` pairs with commas. `person_claim` is the claim that equals the
        `externalId` of SCIM for the same person (Entra ID: `oid`).

        Raises GuardrailError("oidc-bad-setting") for a role that does not exist, a missing client
        id, or an issuer that is not https (loopback excepted).
        """
        place = urlsplit(issuer)
        secure = place.scheme == "https" or is_loopback(place.hostname or "")
        if not secure or not client_id:
            raise GuardrailError("oidc-bad-setting", setting="oidc_issuer, oidc_client_id")
        self._issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._roles = role_map(roles)
        self._groups_claim = groups_claim
        self._person_claim = person_claim
        self._scope = scope
        self._transport = transport
        self._signer = TimestampSigner(
            keys.derive("cookie"), salt="oidc", digest_method=hashlib.sha256
        )
        self._found: tuple[float, dict[str, Any]] | None = None
        self._keys: dict[str, Any] | None = None
        self._spent: dict[str, float] = {}  # logout tokens that were obeyed, until they are stale

    async def check(self) -> None:
        """Ask the provider for its description and keys now. Raises GuardrailError."""
        self._found = None
        await self._key_set(await self._discover(), fresh=True)

    async def begin(self, redirect_uri: str, next_: str) -> Start:
        """Begin a sign-in. Raises GuardrailError("oidc-unreachable")."""
        from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
        from authlib.oauth2.rfc7636 import create_s256_code_challenge

        found = await self._discover()
        verifier, nonce, state = (secrets.token_urlsafe(size) for size in (48, 24, 24))
        url = prepare_grant_uri(
            str(found["authorization_endpoint"]),
            self._client_id,
            "code",
            redirect_uri=redirect_uri,
            scope=self._scope,
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
        )
        kept = json.dumps([state, nonce, verifier, next_])
        return Start(url, self._signer.sign(kept).decode())

    async def finish(self, redirect_uri: str, cookie: str, query: Mapping[str, str]) -> Known:
        """Who came back. Raises GuardrailError: oidc-refused, oidc-unreachable."""
        try:
            kept = self._signer.unsign(cookie, max_age=COOKIE_SECONDS)
        except BadSignature as error:
            raise GuardrailError("oidc-refused") from error
        state, nonce, verifier, next_ = json.loads(kept)
        given = query.get("state", "")
        if "error" in query or not secrets.compare_digest(given.encode(), str(state).encode()):
            raise GuardrailError("oidc-refused")
        found = await self._discover()
        # RFC 9207: an answer that names another issuer was mixed up on the way
        if query.get("iss", self._issuer) != self._issuer:
            raise GuardrailError("oidc-refused")
        token = await self._exchange(found, redirect_uri, query.get("code", ""), verifier)
        claims = await self._claims(found, str(token.get("id_token", "")), nonce=nonce)
        told = await self._userinfo(found, str(token.get("access_token", "")), claims)
        # what the provider signed wins over what it said beside
        return self._known({**told, **claims}, str(next_))

    def wanted(self, cookie: str) -> str:
        """The page that a sign-in should have come to, however the sign-in ended or aged."""
        try:
            kept = json.loads(self._signer.unsign(cookie))
        except BadSignature:
            return "/"
        return str(kept[3])

    async def logged_out(self, token: str) -> Ended:
        """Whose sessions must end. Raises GuardrailError("oidc-refused"), also for a token that
        was obeyed before: who overheard it must not throw a person out again.

        Source: OpenID Connect Back-Channel Logout 1.0, 2.6.
        """
        claims = await self._claims(await self._discover(), token, nonce=None)
        events = claims.get("events")
        # a logout token must not be an ID token that somebody replays here, hence: no nonce
        self._require(isinstance(events, dict) and LOGOUT_EVENT in events)
        self._require("nonce" not in claims and ("sub" in claims or "sid" in claims))
        now = time.time()
        self._require(now - float(claims["iat"]) < LOGOUT_SECONDS)
        self._spent = {each: until for each, until in self._spent.items() if until > now}
        # `jti` is required (2.4), and some providers leave it out: then the token is its own name
        name = hashlib.sha256(str(claims.get("jti") or token).encode(errors="backslashreplace"))
        self._require(name.hexdigest() not in self._spent)
        key = self._key(claims) if "sub" in claims else ""
        return Ended(key, self._session(claims), name.hexdigest())

    def obeyed(self, ended: Ended) -> None:
        """Its sessions are ended: the token is worth nothing any more."""
        self._spent[ended.token] = time.time() + LOGOUT_SECONDS + LEEWAY

    async def _userinfo(
        self, found: Mapping[str, Any], token: str, claims: Mapping[str, Any]
    ) -> dict[str, Any]:
        # a provider that follows Core 5.4 gives name and groups there and not in the ID token
        where = found.get("userinfo_endpoint")
        if not where or not token or ("name" in claims and self._groups_claim in claims):
            return {}
        try:
            told = await self._get(str(where), bearer=token)
        except GuardrailError:
            # the ID token alone proves who it is; roles then come from what it says
            return {}
        # Core 5.3.2: an answer about somebody else is not used
        self._require(told.get("sub") == claims["sub"])
        return told

    def _known(self, claims: Mapping[str, Any], next_: str) -> Known:
        groups = claims.get(self._groups_claim, [])
        groups = groups if isinstance(groups, list) else [groups]
        groups = tuple(filter(None, (readable(group) for group in groups[:500])))
        roles = frozenset(self._roles[group] for group in groups if group in self._roles)
        said = (readable(claims.get(each)) for each in ("name", "preferred_username", "email"))
        language = "fr" if str(claims.get("locale", "")).lower().startswith("fr") else "en"
        person = claims.get(self._person_claim, "")
        return Known(
            key=self._key(claims),
            name=next(filter(None, said), "?"),
            email=readable(claims.get("email", "")),
            department=readable(claims.get("department", "")),
            language=language,
            groups=groups,
            roles=roles,
            external=str(person).encode(errors="backslashreplace").decode()[:200],
            session=self._session(claims),
            next=next_,
        )

    @property
    def maps_roles(self) -> bool:
        """True when the settings give roles to groups: who has none of them stays outside."""
        return bool(self._roles)

    def _session(self, claims: Mapping[str, Any]) -> str:
        if not claims.get("sid"):
            return ""
        return hashlib.sha256(
            f"{self._issuer}\n{claims['sid']}".encode(errors="backslashreplace")
        ).hexdigest()

    def _key(self, claims: Mapping[str, Any]) -> str:
        # issuer and subject together are unique; an e-mail address is neither stable nor proven
        whole = f"{self._issuer}\n{claims['sub']}".encode(errors="backslashreplace")
        return f"oidc:{hashlib.sha256(whole).hexdigest()[:32]}"

    async def _claims(
        self, found: Mapping[str, Any], token: str, *, nonce: str | None
    ) -> dict[str, Any]:
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        rules: dict[str, Any] = {
            "iss": {"essential": True, "value": self._issuer},
            "aud": {"essential": True, "value": self._client_id},
            "iat": {"essential": True},
        }
        if nonce is not None:
            rules |= {"nonce": {"essential": True, "value": nonce}}
            rules |= {"sub": {"essential": True}, "exp": {"essential": True}}
        for fresh in (False, True):
            try:
                keys = KeySet.import_key_set(await self._key_set(found, fresh=fresh))
                decoded = jwt.decode(token, keys, algorithms=ALGORITHMS)
                jwt.JWTClaimsRegistry(leeway=LEEWAY, **rules).validate(decoded.claims)
            except (JoseError, ValueError, KeyError) as error:
                # the provider may have new keys: fetch them once, then believe the failure
                if fresh:
                    raise GuardrailError("oidc-refused") from error
                continue
            claims = dict(decoded.claims)
            if isinstance(claims["aud"], list) and len(claims["aud"]) > 1:
                self._require(claims.get("azp") == self._client_id)
            return claims
        raise GuardrailError("oidc-refused")

    async def _exchange(
        self, found: Mapping[str, Any], redirect_uri: str, code: str, verifier: str
    ) -> dict[str, Any]:
        body = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        if not self._client_secret:
            body["client_id"] = self._client_id
        try:
            async with self._http() as http:
                answer = await http.post(
                    str(found["token_endpoint"]), data=body, auth=self._client_authentication()
                )
                token = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise GuardrailError("oidc-unreachable") from error
        self._require(answer.is_success and isinstance(token, dict))
        return dict(token)

    def _client_authentication(self) -> httpx.Auth:
        if not self._client_secret:
            return httpx.Auth()  # a public client: PKCE alone binds the code to this browser
        # RFC 6749, 2.3.1: both are form-encoded before they go into the header
        return httpx.BasicAuth(quote_plus(self._client_id), quote_plus(self._client_secret))

    async def _discover(self) -> dict[str, Any]:
        if self._found is None or time.monotonic() - self._found[0] > DISCOVERY_SECONDS:
            where = self._issuer.rstrip("/") + "/.well-known/openid-configuration"
            found = await self._get(where)
            # OpenID Connect Discovery 1.0, 4.3: exactly the issuer that was asked
            self._require(found.get("issuer") == self._issuer)
            self._found = (time.monotonic(), found)
        return self._found[1]

    async def _key_set(self, found: Mapping[str, Any], *, fresh: bool) -> Any:
        if self._keys is None or fresh:
            self._keys = await self._get(str(found["jwks_uri"]))
        return self._keys

    async def _get(self, address: str, bearer: str = "") -> dict[str, Any]:
        headers = {"authorization": f"Bearer {bearer}"} if bearer else {}
        try:
            async with self._http() as http:
                answer = (await http.get(address, headers=headers)).raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise GuardrailError("oidc-unreachable") from error
        self._require(isinstance(answer, dict))
        return dict(answer)

    def _http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=self._transport, timeout=10)

    @staticmethod
    def _require(holds: bool) -> None:
        if not holds:
            raise GuardrailError("oidc-refused")


def role_map(text: str) -> dict[str, Role]:
    """`group=role,group=role` as a mapping. Raises GuardrailError("oidc-bad-setting")."""
    found: dict[str, Role] = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        group, _, name = (piece.strip() for piece in pair.rpartition("="))
        role = next((each for each in ROLES if each == name), None)
        if role is None or not group:
            raise GuardrailError("oidc-bad-setting", setting="oidc_roles")
        found[group] = role
    return found
