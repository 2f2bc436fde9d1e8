"""Tools that administrators add: from an OpenAPI file, or from a tool server (MCP).

What a source offers is pinned by its hash. A list that differs from the confirmed one switches the
source's tools off until a person has confirmed it: descriptions are read by models, and a changed
one can carry orders. Texts that give orders are never confirmed. Knows no roles.
"""

import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from agents.tools.base import NotDone, Tool, ToolContext, ToolResult
from agents.tools.registry import TOOLS
from guardrails.audit.ledger import Act, Ledger
from guardrails.errors import BadInput
from sandbox.broker import mcp_client, openapi
from sandbox.broker.client_credentials import NO_SIGN_IN, SignIn
from sandbox.broker.fetch import Fetcher
from sandbox.broker.fetch_rules import Hosts
from sandbox.broker.grants import Grants, NotConnected
from sandbox.broker.mcp_sealed import find_script
from sandbox.broker.openapi import Definition
from sandbox.broker.source import Connect, Source
from sandbox.broker.source_access import Access
from sandbox.broker.source_rows import SourceRows
from sandbox.broker.source_sign_in import PersonalSignIn

_ID = re.compile(r"[a-z][a-z0-9]{1,19}")


class ToolSources:
    """Thread-safe reads; every change is recorded before it happens, and so is every question to a
    server. Every process of a store sees a change within a second (`source_rows`)."""

    def __init__(
        self,
        engine: sa.Engine,
        ledger: Ledger,
        secrets: Mapping[str, str],
        orders: Callable[[str], bool],
        servers: Path,
        private: Hosts,
        key: bytes,
    ) -> None:
        """`orders(text)` tells a text that gives the assistant orders; `servers` is the folder of
        tool servers that run here; `private` names hosts of the own network that may be reached;
        `key` (32 bytes) encrypts what people allowed sources to do."""
        self._rows = SourceRows(engine)
        self._ledger = ledger
        self._orders = orders
        self._servers = servers
        self._access = Access(secrets, private)
        self.sign_in = PersonalSignIn(self._access, Grants(engine, ledger, key, self._access.ask))

    def all(self) -> list[Source]:
        """Every source, by id."""
        return self._rows.all()

    def off(self) -> frozenset[str]:
        """Names of tools that are switched off."""
        return self._rows.off()

    def added(self) -> Mapping[str, Tool]:
        """The confirmed tools of every source that is ready, by name."""
        return {
            one["name"]: self._tool(source, one)
            for source in self.all()
            if source.state == "ready"
            for one in source.tools
        }

    def catalogue(self) -> Mapping[str, Tool]:
        """Every tool that exists now, switched off or not."""
        return {**self.added(), **TOOLS}

    def switch(self, tool: str, on: bool, by: str) -> None:
        """Switch one tool on or off for everybody. Raises BadInput("no-such-tool")."""
        if tool not in self.catalogue():
            raise BadInput("no-such-tool", tool=tool[:64])
        self._ledger.record(Act("tool.switch", by, payload={"tool": tool, "on": on}))
        self._rows.switch(tool, on, by)

    def add_openapi(
        self,
        id: str,
        data: bytes,
        by: str,
        *,
        base: str = "",
        secret: str = "",
        header: str = "",
        sign_in: SignIn = NO_SIGN_IN,
    ) -> Source:
        """Add the operations of a file. Its administrator has read it: they are confirmed at once,
        unless a description gives orders. Raises BadInput."""
        self._check_id(id)
        title, base, found = openapi.read_openapi(data, id, base)
        settings = {"base": base, **self._access.credentials(secret, header, sign_in)}
        digest = _hash(found)
        return self._add(Source(id, "openapi", title, settings, tuple(found), digest, tuple(found),
                                digest, True, "", by))  # fmt: skip

    async def add_mcp(
        self,
        id: str,
        by: str,
        *,
        url: str = "",
        script: str = "",
        reads: tuple[str, ...] = (),
        secret: str = "",
        header: str = "",
        sign_in: SignIn = NO_SIGN_IN,
        connect: Connect = "",
        redirect: str = "",
    ) -> Source:
        """Add a tool server: at `url`, or `script` (`folder/server.py`, `folder/file.js` or
        `folder/npm-package` below the servers' folder). Its tools wait for `confirm`.

        With `connect` people sign in to it in the browser, who then come back to `redirect`; what
        it offers is read once its administrator has. Raises BadInput.
        """
        self._check_id(id)
        if connect:
            if not url or script or header or sign_in.token_url:
                raise BadInput("source-bad", field="url" if not url else "token_url")
            return await self._add_connected(id, by, url, tuple(reads), secret, sign_in,
                                             connect, redirect)  # fmt: skip
        settings: dict[str, Any] = self._access.credentials(secret, header, sign_in)
        if url and not script:
            if Hosts((self._access.entry(url),)).no(url) is not None:
                raise BadInput("source-bad", field="url")
            settings |= {"url": url, "reads": sorted(reads)[:40]}
        elif script and not url:
            settings |= find_script(self._servers, script)
        else:
            raise BadInput("source-bad", field="url")
        await self._asks(id, by, _host(url) or script)
        try:
            found, digest = await mcp_client.offered(
                settings, id, self._access.hosts(settings), await self._headers(id, settings)
            )
        except NotDone as error:
            raise BadInput("source-unreachable", why=error.why) from error
        if not found:
            raise BadInput("source-empty")
        return self._add(
            Source(id, "mcp", id, settings, (), "", tuple(found), digest, True, "", by)
        )

    async def _add_connected(
        self, id: str, by: str, url: str, reads: tuple[str, ...], secret: str, sign_in: SignIn,
        connect: Connect, redirect: str,
    ) -> Source:  # fmt: skip
        kept = self._access.credentials(secret, "", NO_SIGN_IN)
        await self._asks(id, by, _host(url))  # it may register us there, too
        found = await self.sign_in.found(
            url, connect, sign_in.client, secret, sign_in.scope, redirect
        )
        settings = {"url": url, "reads": sorted(reads)[:40], **kept, **found}
        return self._add(Source(id, "mcp", id, settings, (), "", (), "", True, "", by))

    async def check(self, id: str, by: str) -> Source:
        """Ask the source again what it offers; a file has nothing new to say.

        Raises BadInput("source-not-connected") where `by` has to sign in first.
        """
        source = self.get(id)
        if source.kind == "openapi":
            return source
        await self._asks(id, by)
        try:
            found, digest = await mcp_client.offered(
                source.settings,
                id,
                self._access.hosts(source.settings),
                await self._headers(id, source.settings, by),
            )
        except NotConnected as error:  # says nothing of the source
            raise BadInput("source-not-connected", id=id) from error
        except NotDone:
            return self._change(id, by, reason="source-unreachable")
        flagged = "source-orders" if self._gives_orders(found) else ""
        return self._change(id, by, offered=found, offered_hash=digest, reason=flagged)

    def confirm(self, id: str, hash: str, by: str) -> Source:
        """Take what is offered as the source's tools: `hash` says which list the person has read.

        Raises BadInput("source-changed") for another one, "source-orders" for one with orders.
        """
        source = self.get(id)
        if not hash or hash != source.offered_hash:
            raise BadInput("source-changed", id=id)
        if self._gives_orders(source.offered):
            raise BadInput("source-orders", id=id)
        return self._change(id, by, tools=list(source.offered), hash=hash, reason="")

    async def connected(self, held: str, by: str, given: Mapping[str, str]) -> tuple[Source, str]:
        """Take what a sign-in gave; the source, and the page to go back to. Raises BadInput."""
        source = self.get(self.sign_in.grants.begun(held, by))
        return source, await self.sign_in.finish(source, held, by, given)

    def enable(self, id: str, on: bool, by: str) -> Source:
        """Switch a whole source on or off."""
        self.get(id)
        return self._change(id, by, enabled=on)

    def remove(self, id: str, by: str) -> None:
        """Forget a source and its tools."""
        self.get(id)
        self._ledger.record(Act("tool.source", by, payload={"source": id, "removed": True}))
        self.sign_in.grants.forget(source=id)
        self._rows.remove(id)

    def get(self, id: str) -> Source:
        """One source. Raises BadInput("no-such-source")."""
        source = self._rows.find(id)
        if source is None:
            raise BadInput("no-such-source", id=id[:40])
        return source

    async def _asks(self, id: str, by: str, place: str = "") -> None:
        """Put on record that a server is asked what it offers: it learns of us, or runs here.

        `place` is a host or a script, never a whole address: that may hold a key.
        """
        what = {"source": id, **({"place": place[:300]} if place else {})}
        await self._ledger.arecord(Act("tool.check", by, payload=what))

    def _add(self, source: Source) -> Source:
        taken = {*self.catalogue()} & {one["name"] for one in source.offered}
        if taken or len({one["name"] for one in source.offered}) != len(source.offered):
            raise BadInput("source-bad", field="tools")
        if self._gives_orders(source.offered):
            raise BadInput("source-orders", id=source.id)
        told = {"source": source.id, "kind": source.kind, "hash": source.offered_hash}
        self._ledger.record(Act("tool.source", source.changed_by, payload=told))
        self._rows.add(source)
        return self.get(source.id)

    def _change(self, id: str, by: str, **values: Any) -> Source:
        told = {key: value for key, value in values.items() if isinstance(value, str | bool)}
        self._ledger.record(Act("tool.source", by, payload={"source": id, **told}))
        self._rows.change(id, by, values)
        return self.get(id)

    def _check_id(self, id: str) -> None:
        if not _ID.fullmatch(id):
            raise BadInput("source-bad", field="id")
        if self._rows.find(id) is not None:
            raise BadInput("source-taken", id=id)

    def _gives_orders(self, found: Any) -> bool:
        # every text of a tool reaches a model: names, descriptions, those of arguments too
        return any(self._orders(text) for one in found for text in _texts(one))

    def _tool(self, source: Source, one: Definition) -> Tool:
        return Tool(
            name=one["name"],
            label_key="",
            description=one["description"],
            side_effect=one["side_effect"],
            parameters=one["parameters"],
            run=partial(self._run, source, one),
            icon="globe" if source.kind == "openapi" else "server",
            source=source.id,
            title=f"{source.title}: {one['remote']}",
            sees=source.title,
        )

    async def _run(
        self, source: Source, one: Definition, given: Mapping[str, Any], context: ToolContext
    ) -> ToolResult:
        try:
            return await self._asked(source, one, given, context.person)
        except mcp_client.Unauthorized:
            if not source.connect:
                raise
        # nothing was done: the token had ended before its time, or was taken back
        try:
            return await self._asked(source, one, given, context.person, anew=True)
        except mcp_client.Unauthorized as error:
            whose = self.sign_in.whose(source.settings, context.person)
            await self.sign_in.grants.end(source.id, whose, "system", None)
            raise NotConnected from error

    async def _asked(
        self, source: Source, one: Definition, given: Mapping[str, Any], person: str,
        *, anew: bool = False,
    ) -> ToolResult:  # fmt: skip
        settings = source.settings
        headers = await self._headers(source.id, settings, person, anew=anew)
        asked: Awaitable[tuple[bool, str]]
        if source.kind == "openapi":
            fetcher = Fetcher(self._access.hosts(settings))
            asked = openapi.call_http(fetcher, str(settings["base"]), one, given, headers)
        else:
            asked = mcp_client.call(
                settings, source.hash, one["remote"], given, self._access.hosts(settings), headers
            )
        try:
            ok, text = await asked
        except mcp_client.Changed as error:
            if source.connect == "person":  # perhaps for this person only: others go on
                raise NotDone(
                    "the service offers this person other tools than those allowed"
                ) from error
            # off at once; what is offered now is read when an administrator looks
            self._change(source.id, "system", offered_hash="", reason="source-changed")
            raise
        return ToolResult(text if ok else f"ERROR: {text}", ok)

    async def _headers(
        self, id: str, settings: Mapping[str, Any], person: str = "", *, anew: bool = False
    ) -> Mapping[str, str]:
        if settings.get("connect"):
            return await self.sign_in.headers(id, settings, person, anew=anew)
        return await self._access.headers(settings)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # no address at all: whoever uses it says so
        return ""


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for key, one in value.items() for text in (str(key), *_texts(one))]
    if isinstance(value, list | tuple):
        return [text for one in value for text in _texts(one)]
    return []


def _hash(found: list[Definition]) -> str:
    body = json.dumps(found, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(body.encode()).hexdigest()
