"""Tokens of services that want OAuth 2.0 client credentials (RFC 6749, section 4.4).

The client's secret is a line of the secrets file; the token is kept in memory until shortly before
it ends. Neither reaches the seal, the model, a page or a log.
"""

import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode

from agents.tools.base import NotDone
from sandbox.broker.fetch import Fetcher

USUAL_SECONDS = 300.0  # where the service does not say how long
LONGEST_SECONDS = 3_600.0
SPARE_SECONDS = 30.0
MOST_CHARACTERS = 8_000
REFUSED = "the service's sign-in did not give a token; an administrator has to look at it"


@dataclass(frozen=True, slots=True)
class SignIn:
    """Where a service's tokens come from; empty: none are needed."""

    token_url: str = ""
    client: str = ""
    scope: str = ""


NO_SIGN_IN = SignIn()


class Tokens:
    """The tokens of all sources of one process."""

    def __init__(self, ticks: Callable[[], float] = time.monotonic) -> None:
        self._ticks = ticks
        self._kept: dict[tuple[str, ...], tuple[float, str]] = {}

    async def bearer(self, settings: Mapping[str, Any], secret: str, fetcher: Fetcher) -> str:
        """A token for `settings` (`token_url`, `client`, `scope`). Raises NotDone."""
        address, client = str(settings["token_url"]), str(settings["client"])
        scope = str(settings.get("scope") or "")
        key = (address, client, scope, secret)
        until, token = self._kept.get(key, (0.0, ""))
        if token and self._ticks() < until:
            return token
        form = {"grant_type": "client_credentials", **({"scope": scope} if scope else {})}
        # form-encoded before Basic: RFC 6749, section 2.3.1
        pair = f"{quote_plus(client)}:{quote_plus(secret)}".encode()
        headers = {
            "authorization": f"Basic {base64.b64encode(pair).decode()}",
            "content-type": "application/x-www-form-urlencoded",
            "accept": "application/json",
        }
        answer = await fetcher.request("POST", address, headers, urlencode(form).encode())
        if answer.status != 200:
            raise NotDone(REFUSED)
        token, seconds = _read(answer.body)
        self._kept[key] = (self._ticks() + seconds - SPARE_SECONDS, token)
        return token


def _read(body: bytes) -> tuple[str, float]:
    try:
        said = json.loads(body)
        token, kind = said["access_token"], said["token_type"]
        seconds = float(said.get("expires_in", USUAL_SECONDS))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise NotDone(REFUSED) from error
    if not isinstance(token, str) or not (0 < len(token) <= MOST_CHARACTERS):
        raise NotDone(REFUSED)
    # it becomes a header: nothing that ends the line or begins another word
    if not token.isascii() or not token.isprintable() or " " in token:
        raise NotDone(REFUSED)
    if str(kind).lower() != "bearer":
        raise NotDone(REFUSED)
    return token, min(max(seconds, 0.0), LONGEST_SECONDS)
