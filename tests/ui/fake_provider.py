"""A small identity provider: discovery, keys, PKCE-checked token endpoint, signed tokens."""

import base64
import hashlib
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from guardrails.keys import Keys
from ui.oidc import Provider

ISSUER = "https://id.example"
CLIENT = "atelier"


@dataclass
class FakeProvider:
    """Vouches for `claims`. `spoil` changes the ID token before it is signed."""

    claims: dict[str, Any] = field(default_factory=lambda: {"sub": "Sample-1", "name": "Sample"})
    spoil: dict[str, Any] = field(default_factory=dict)
    key: RSAKey = field(
        default_factory=lambda: RSAKey.generate_key(2048, {"kid": "1", "use": "sig"})
    )
    down: bool = False
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def transport(self) -> httpx.ASGITransport:
        """The provider in place of the network."""
        return httpx.ASGITransport(app=self.app())

    def asked_by(self, keys: Keys, roles: str = "") -> Provider:
        """Our side of it."""
        return Provider(
            keys,
            issuer=ISSUER,
            client_id=CLIENT,
            client_secret="sample",
            roles=roles,
            transport=self.transport,
        )

    def authorize(self, url: str) -> str:
        """What the provider's own pages do: check the request, give a code. Returns the query."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert query["client_id"] == CLIENT and query["code_challenge_method"] == "S256"
        assert query["response_type"] == "code" and "openid" in query["scope"]
        code = f"code-{len(self.codes)}"
        self.codes[code] = query
        return f"code={code}&state={query['state']}&iss={ISSUER}"

    def sign(self, claims: dict[str, Any]) -> str:
        """A token with our key."""
        return jwt.encode({"alg": "RS256", "kid": self.key.kid or "1"}, claims, self.key)

    def app(self) -> Starlette:
        """The HTTP side."""

        async def discovery(_request: Request) -> Response:
            if self.down:
                return Response(status_code=503)
            return JSONResponse(
                {
                    "issuer": ISSUER,
                    "authorization_endpoint": f"{ISSUER}/authorize",
                    "token_endpoint": f"{ISSUER}/token",
                    "jwks_uri": f"{ISSUER}/keys",
                }
            )

        async def keys(_request: Request) -> Response:
            return JSONResponse(KeySet([self.key]).as_dict(private=False))

        async def token(request: Request) -> Response:
            form = await request.form()
            asked = self.codes.pop(str(form.get("code")), None)
            digest = hashlib.sha256(str(form.get("code_verifier", "")).encode()).digest()
            challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            if asked is None or challenge != asked["code_challenge"]:
                return JSONResponse({"error": "invalid_grant"}, 400)
            now = int(time.time())
            claims = {
                "iss": ISSUER,
                "aud": CLIENT,
                "iat": now,
                "exp": now + 300,
                "nonce": asked["nonce"],
                **self.claims,
                **self.spoil,
            }
            signed = self.sign({k: v for k, v in claims.items() if v is not None})
            return JSONResponse({"access_token": "a", "token_type": "Bearer", "id_token": signed})

        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", discovery),
                Route("/keys", keys),
                Route("/token", token, methods=["POST"]),
            ]
        )
