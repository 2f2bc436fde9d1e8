"""Where a tool server's people sign in: found by what the server and its provider say.

RFC 9728 (the server names its provider), RFC 8414 (the provider describes itself), RFC 7591 (it
makes us its client), as the Model Context Protocol's authorization asks. Everything read is a
stranger's: every address is checked before it is asked.
"""

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from agents.tools.base import NotDone
from sandbox.broker.fetch import Answer

LONGEST = 600
JSON = {"accept": "application/json"}
NAME = "Atelier"


class Ask(Protocol):
    """One request to an address of the provider's, which is checked first. Raises NotDone."""

    def __call__(
        self, method: str, address: str, headers: Mapping[str, str], content: bytes = b""
    ) -> Awaitable[Answer]: ...


@dataclass(frozen=True, slots=True)
class Provider:
    """Who signs people in for one tool server, as it was when the server was added."""

    issuer: str
    authorize: str
    token: str
    resource: str  # RFC 8707: what the tokens are for
    scope: str = ""
    register: str = ""
    revoke: str = ""
    names_itself: bool = False  # RFC 9207: its answers carry `iss`


async def discover(
    ask: Ask, safe: Callable[[str], bool], url: str, challenge: str = ""
) -> Provider:
    """The provider of the tool server at `url`. `safe` tells an address that a secret may go to;
    `challenge` is the server's WWW-Authenticate, "" when it gave none.

    Raises NotDone: nothing found, names that do not fit, a provider without PKCE.
    """
    from mcp.client.auth import utils

    named = _parameter(challenge, "resource_metadata")
    told = await _first(ask, utils.build_protected_resource_metadata_discovery_urls(named, url))
    if told is None:
        raise NotDone("the tool server does not say where its people sign in")
    resource = _text(told, "resource")
    if not _covers(resource, url):
        raise NotDone("the tool server's sign-in is for another address")
    servers = told.get("authorization_servers")
    issuer = str(servers[0]) if isinstance(servers, list) and servers else ""
    if not safe(issuer):
        raise NotDone("the tool server's sign-in is at an address that cannot be trusted")
    known = await _first(
        ask, utils.build_oauth_authorization_server_metadata_discovery_urls(issuer, url)
    )
    if known is None or str(known.get("issuer", "")).rstrip("/") != issuer.rstrip("/"):
        raise NotDone("the sign-in does not describe itself as it should")
    if "S256" not in (known.get("code_challenge_methods_supported") or ()):
        raise NotDone("the sign-in does not know PKCE, which is needed")
    wanted = _parameter(challenge, "scope") or " ".join(_words(told.get("scopes_supported")))
    if wanted and "offline_access" in _words(known.get("scopes_supported")):
        wanted = " ".join(dict.fromkeys((*wanted.split(), "offline_access")))
    ends = {
        "authorize": "authorization_endpoint", "token": "token_endpoint",
        "register": "registration_endpoint", "revoke": "revocation_endpoint",
    }  # fmt: skip
    places = {name: _text(known, key, "") for name, key in ends.items()}
    needed = (places["authorize"], places["token"])
    if not all(safe(place) for place in (*needed, *filter(None, places.values()))):
        raise NotDone("the sign-in sends people to an address that cannot be trusted")
    names_itself = known.get("authorization_response_iss_parameter_supported") is True
    return Provider(
        str(known["issuer"]), resource=resource, scope=wanted, names_itself=names_itself, **places
    )


async def register(ask: Ask, provider: Provider, redirect: str) -> str:
    """Become a public client of the provider; gives the client's id. Raises NotDone."""
    if not provider.register:
        raise NotDone("the sign-in wants a client that is known to it: give its id")
    wanted = {
        "client_name": NAME,
        "redirect_uris": [redirect],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        **({"scope": provider.scope} if provider.scope else {}),
    }
    headers = {**JSON, "content-type": "application/json"}
    answer = await ask("POST", provider.register, headers, json.dumps(wanted).encode())
    if answer.status not in (200, 201):
        raise NotDone("the sign-in did not take Atelier as its client: give a client's id")
    return _text(read(answer.body), "client_id")


def read(body: bytes) -> dict[str, Any]:
    """A JSON object. Raises NotDone."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NotDone("the sign-in did not answer as it should") from error
    if not isinstance(told, dict):
        raise NotDone("the sign-in did not answer as it should")
    return told


async def _first(ask: Ask, addresses: list[str]) -> dict[str, Any] | None:
    for address in addresses:
        answer = await ask("GET", address, JSON)
        if answer.status == 200:
            return read(answer.body)
    return None


def _text(told: Mapping[str, Any], key: str, missing: str | None = None) -> str:
    value = told.get(key, missing)
    if not isinstance(value, str) or len(value) > LONGEST or not value.isprintable():
        raise NotDone("the sign-in did not answer as it should")
    return value


def _words(value: object) -> list[str]:
    """Scopes of a list, as RFC 6749 3.3 allows them."""
    found = value if isinstance(value, list) else []
    good = [one for one in found if isinstance(one, str) and one.isascii() and one.isprintable()]
    return [one for one in good if " " not in one and len(one) <= 200][:40]


def _parameter(challenge: str, name: str) -> str:
    found = re.search(rf'\b{name}="([^"]{{1,{LONGEST}}})"', challenge)
    return found[1] if found else ""


def _covers(resource: str, url: str) -> bool:
    """RFC 9728 3.3: the metadata is for the very server that was asked, or for all of its site."""
    try:
        wide, narrow = urlsplit(resource), urlsplit(url)
        ends = [(one.scheme, one.hostname, one.port) for one in (wide, narrow)]
    except ValueError:
        return False
    path = wide.path.rstrip("/")
    return ends[0] == ends[1] and (narrow.path.rstrip("/") + "/").startswith(path + "/")
