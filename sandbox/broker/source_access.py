"""How a source is reached: its own host and no other, with credentials that it alone sees."""

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from agents.tools.base import NotDone
from guardrails.errors import BadInput
from sandbox.broker.client_credentials import SignIn, Tokens
from sandbox.broker.fetch import Answer, Fetcher
from sandbox.broker.fetch_rules import Hosts

_SECRET = re.compile(r"[A-Z][A-Z0-9_]{2,60}")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,40}")


class Access:
    """`secrets` are the lines of the secrets file; `private` names hosts of the own network that
    may be reached."""

    def __init__(self, secrets: Mapping[str, str], private: Hosts) -> None:
        self._secrets = secrets
        self._private = private
        self._tokens = Tokens()

    def hosts(self, settings: Mapping[str, Any]) -> Hosts:
        """A source reaches its own host and no other."""
        address = str(settings.get("base") or settings.get("url") or "")
        return Hosts((self.entry(address),)) if address else Hosts()

    def entry(self, address: str) -> str:
        """The line of an allow-list that lets this address's host through."""
        try:
            parts = urlsplit(address)
            port = f":{parts.port}" if parts.port else ""
        except ValueError:
            return ""
        inner = self._private.no(address) is None
        return f"{'private:' if inner else ''}{(parts.hostname or '').lower()}{port}"

    def safe(self, address: str) -> bool:
        """True where a secret may travel to: encrypted, or inside the own network."""
        entry = self.entry(address)
        known = address.startswith("https://") or entry.startswith("private:")
        return known and Hosts((entry,)).no(address) is None

    async def ask(
        self, method: str, address: str, headers: Mapping[str, str], content: bytes = b""
    ) -> Answer:
        """One request to an address that is `safe`, at the number that was checked. Raises
        NotDone."""
        if not self.safe(address):
            raise NotDone("that address cannot be trusted with a sign-in")
        fetcher = Fetcher(Hosts((self.entry(address),)))
        return await fetcher.request(method, address, headers, content)

    def secret(self, settings: Mapping[str, Any]) -> str:
        """The value of the source's line, "" when it names none. Raises NotDone when missing."""
        name = str(settings.get("secret") or "")
        if name and not self._secrets.get(name):
            raise NotDone("the service's key is missing; an administrator has to add it")
        return self._secrets[name] if name else ""

    async def headers(self, settings: Mapping[str, Any]) -> Mapping[str, str]:
        """What the source's requests carry when it acts as itself. Raises NotDone."""
        value = self.secret(settings)
        if not value:
            return {}
        if address := str(settings.get("token_url") or ""):
            fetcher = Fetcher(Hosts((self.entry(address),)))
            return {
                "Authorization": f"Bearer {await self._tokens.bearer(settings, value, fetcher)}"
            }
        header = str(settings.get("header") or "Authorization")
        return {header: f"Bearer {value}" if header == "Authorization" else value}

    def credentials(self, secret: str, header: str, sign_in: SignIn) -> dict[str, Any]:
        """What a source keeps of them. Raises BadInput("source-bad")."""
        if secret and not _SECRET.fullmatch(secret):
            raise BadInput("source-bad", field="secret")
        if header and not _HEADER.fullmatch(header):
            raise BadInput("source-bad", field="header")
        if not sign_in.token_url:
            if sign_in.client or sign_in.scope:
                raise BadInput("source-bad", field="token_url")
            return {"secret": secret, "header": header} if secret else {}
        if not self.safe(sign_in.token_url):
            raise BadInput("source-bad", field="token_url")
        for field, value in (("secret", secret), ("client", sign_in.client)):
            if not value or not value.isprintable():
                raise BadInput("source-bad", field=field)
        if header or not sign_in.scope.isprintable():
            raise BadInput("source-bad", field="header" if header else "scope")
        return {"secret": secret, **asdict(sign_in)}
