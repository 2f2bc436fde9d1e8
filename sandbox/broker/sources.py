"""Tools that administrators add: from an OpenAPI file, or from a tool server (MCP).

What a source offers is pinned by its hash. A list that differs from the confirmed one switches the
source's tools off until a person has confirmed it: descriptions are read by models, and a changed
one can carry orders. Texts that give orders are never confirmed. Knows no roles.
"""

import datetime as dt
import hashlib
import json
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa

from agents.tools.base import NotDone, Tool, ToolContext, ToolResult
from agents.tools.registry import TOOLS
from guardrails.audit.ledger import Act, Ledger
from guardrails.errors import BadInput
from sandbox.broker import mcp_client, openapi
from sandbox.broker.client_credentials import NO_SIGN_IN, SignIn, Tokens
from sandbox.broker.fetch import Fetcher
from sandbox.broker.fetch_rules import Hosts
from sandbox.broker.mcp_sealed import find_script
from sandbox.broker.openapi import Definition
from sandbox.broker.source_tables import sources, switches

Kind = Literal["openapi", "mcp"]
State = Literal["ready", "changed", "off", "unreachable", "flagged", "new"]
FRESH_SECONDS = 1.0
_ID = re.compile(r"[a-z][a-z0-9]{1,19}")
_SECRET = re.compile(r"[A-Z][A-Z0-9_]{2,60}")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,40}")


@dataclass(frozen=True, slots=True)
class Source:
    """One added source. `tools` are confirmed; `offered` what it offers now; `reason` is a code."""

    id: str
    kind: Kind
    title: str
    settings: Mapping[str, Any]
    tools: tuple[Definition, ...]
    hash: str
    offered: tuple[Definition, ...]
    offered_hash: str
    enabled: bool
    reason: str
    changed_by: str

    @property
    def state(self) -> State:
        """`ready` when its tools can be used; else why not."""
        if not self.enabled:
            return "off"
        if self.reason == "source-orders":
            return "flagged"
        if not self.hash:
            return "new"
        if self.hash != self.offered_hash:
            return "changed"
        return "unreachable" if self.reason else "ready"

    @property
    def differences(self) -> tuple[str, ...]:
        """Names of tools that are new, gone or described otherwise than when confirmed."""
        old = {one["name"]: one for one in self.tools}
        new = {one["name"]: one for one in self.offered}
        return tuple(sorted(name for name in old | new if old.get(name) != new.get(name)))


class ToolSources:
    """Thread-safe reads; every change is recorded before it happens. Every process of a store sees
    a change within FRESH_SECONDS."""

    def __init__(
        self,
        engine: sa.Engine,
        ledger: Ledger,
        secrets: Mapping[str, str],
        orders: Callable[[str], bool],
        servers: Path,
        private: Hosts,
    ) -> None:
        """`orders(text)` tells a text that gives the assistant orders; `servers` is the folder of
        tool servers that run here; `private` names hosts of the own network that may be reached."""
        self._engine = engine
        self._ledger = ledger
        self._secrets = secrets
        self._orders = orders
        self._servers = servers
        self._private = private
        self._tokens = Tokens()
        self._read = -1e9
        self._kept: tuple[list[Source], frozenset[str]] = ([], frozenset())

    def all(self) -> list[Source]:
        """Every source, by id."""
        return self._state()[0]

    def off(self) -> frozenset[str]:
        """Names of tools that are switched off."""
        return self._state()[1]

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
        with self._engine.begin() as db:
            db.execute(switches.delete().where(switches.c.tool == tool))
            if not on:
                db.execute(switches.insert().values(tool=tool, changed_by=by, changed=_now()))
        self._read = -1e9

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
        settings = {"base": base, **self._credentials(secret, header, sign_in)}
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
    ) -> Source:
        """Add a tool server: at `url`, or `script` (`folder/server.py`, `folder/file.js` or
        `folder/npm-package` below the servers' folder). Its tools wait for `confirm`.
        Raises BadInput."""
        self._check_id(id)
        settings: dict[str, Any] = self._credentials(secret, header, sign_in)
        if url and not script:
            if Hosts((self._entry(url),)).no(url) is not None:
                raise BadInput("source-bad", field="url")
            settings |= {"url": url, "reads": sorted(reads)[:40]}
        elif script and not url:
            settings |= find_script(self._servers, script)
        else:
            raise BadInput("source-bad", field="url")
        try:
            found, digest = await mcp_client.offered(
                settings, id, self._hosts(settings), await self._headers(settings)
            )
        except NotDone as error:
            raise BadInput("source-unreachable", why=error.why) from error
        if not found:
            raise BadInput("source-empty")
        return self._add(
            Source(id, "mcp", id, settings, (), "", tuple(found), digest, True, "", by)
        )

    async def check(self, id: str, by: str) -> Source:
        """Ask the source again what it offers; a file has nothing new to say."""
        source = self.get(id)
        if source.kind == "openapi":
            return source
        try:
            found, digest = await mcp_client.offered(
                source.settings,
                id,
                self._hosts(source.settings),
                await self._headers(source.settings),
            )
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

    def enable(self, id: str, on: bool, by: str) -> Source:
        """Switch a whole source on or off."""
        self.get(id)
        return self._change(id, by, enabled=on)

    def remove(self, id: str, by: str) -> None:
        """Forget a source and its tools."""
        self.get(id)
        self._ledger.record(Act("tool.source", by, payload={"source": id, "removed": True}))
        with self._engine.begin() as db:
            db.execute(sources.delete().where(sources.c.id == id))
        self._read = -1e9

    def get(self, id: str) -> Source:
        """One source. Raises BadInput("no-such-source")."""
        self._read = -1e9
        for source in self.all():
            if source.id == id:
                return source
        raise BadInput("no-such-source", id=id[:40])

    def _add(self, source: Source) -> Source:
        taken = {*self.catalogue()} & {one["name"] for one in source.offered}
        if taken or len({one["name"] for one in source.offered}) != len(source.offered):
            raise BadInput("source-bad", field="tools")
        if self._gives_orders(source.offered):
            raise BadInput("source-orders", id=source.id)
        told = {"source": source.id, "kind": source.kind, "hash": source.offered_hash}
        self._ledger.record(Act("tool.source", source.changed_by, payload=told))
        with self._engine.begin() as db:
            db.execute(
                sources.insert().values(
                    id=source.id, kind=source.kind, title=source.title,
                    settings=dict(source.settings), tools=list(source.tools), hash=source.hash,
                    offered=list(source.offered), offered_hash=source.offered_hash, enabled=True,
                    reason="", changed_by=source.changed_by, changed=_now(),
                )
            )  # fmt: skip
        return self.get(source.id)

    def _change(self, id: str, by: str, **values: Any) -> Source:
        told = {key: value for key, value in values.items() if isinstance(value, str | bool)}
        self._ledger.record(Act("tool.source", by, payload={"source": id, **told}))
        with self._engine.begin() as db:
            db.execute(
                sources.update()
                .where(sources.c.id == id)
                .values(**values, changed_by=by, changed=_now())
            )
        return self.get(id)

    def _check_id(self, id: str) -> None:
        if not _ID.fullmatch(id):
            raise BadInput("source-bad", field="id")
        self._read = -1e9
        if id in (source.id for source in self.all()):
            raise BadInput("source-taken", id=id)

    def _gives_orders(self, found: Any) -> bool:
        # every text of a tool reaches a model: names, descriptions, those of arguments too
        return any(self._orders(text) for one in found for text in _texts(one))

    def _state(self) -> tuple[list[Source], frozenset[str]]:
        if time.monotonic() - self._read > FRESH_SECONDS:
            with self._engine.connect() as db:
                rows = db.execute(sa.select(sources).order_by(sources.c.id)).all()
                off = db.execute(sa.select(switches.c.tool)).scalars().all()
            found = [
                Source(
                    row.id, row.kind, row.title, row.settings, tuple(row.tools), row.hash,
                    tuple(row.offered), row.offered_hash, row.enabled, row.reason, row.changed_by,
                )
                for row in rows
            ]  # fmt: skip
            self._kept = (found, frozenset(off))
            self._read = time.monotonic()
        return self._kept

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
        self, source: Source, one: Definition, given: Mapping[str, Any], _context: ToolContext
    ) -> ToolResult:
        settings, headers = source.settings, await self._headers(source.settings)
        asked: Awaitable[tuple[bool, str]]
        if source.kind == "openapi":
            fetcher = Fetcher(self._hosts(settings))
            asked = openapi.call_http(fetcher, str(settings["base"]), one, given, headers)
        else:
            asked = mcp_client.call(
                settings, source.hash, one["remote"], given, self._hosts(settings), headers
            )
        try:
            ok, text = await asked
        except mcp_client.Changed:
            # off at once; what is offered now is read when an administrator looks
            self._change(source.id, "system", offered_hash="", reason="source-changed")
            raise
        return ToolResult(text if ok else f"ERROR: {text}", ok)

    async def _headers(self, settings: Mapping[str, Any]) -> Mapping[str, str]:
        secret = str(settings.get("secret") or "")
        if not secret:
            return {}
        value = self._secrets.get(secret, "")
        if not value:
            raise NotDone("the service's key is missing; an administrator has to add it")
        if address := str(settings.get("token_url") or ""):
            fetcher = Fetcher(Hosts((self._entry(address),)))
            return {
                "Authorization": f"Bearer {await self._tokens.bearer(settings, value, fetcher)}"
            }
        header = str(settings.get("header") or "Authorization")
        return {header: f"Bearer {value}" if header == "Authorization" else value}

    def _credentials(self, secret: str, header: str, sign_in: SignIn) -> dict[str, Any]:
        if secret and not _SECRET.fullmatch(secret):
            raise BadInput("source-bad", field="secret")
        if header and not _HEADER.fullmatch(header):
            raise BadInput("source-bad", field="header")
        if not sign_in.token_url:
            if sign_in.client or sign_in.scope:
                raise BadInput("source-bad", field="token_url")
            return {"secret": secret, "header": header} if secret else {}
        # a secret travels to this address: encrypted, or inside the own network
        entry = self._entry(sign_in.token_url)
        safe = sign_in.token_url.startswith("https://") or entry.startswith("private:")
        if not safe or Hosts((entry,)).no(sign_in.token_url) is not None:
            raise BadInput("source-bad", field="token_url")
        for field, value in (("secret", secret), ("client", sign_in.client)):
            if not value or not value.isprintable():
                raise BadInput("source-bad", field=field)
        if header or not sign_in.scope.isprintable():
            raise BadInput("source-bad", field="header" if header else "scope")
        return {"secret": secret, **asdict(sign_in)}

    def _hosts(self, settings: Mapping[str, Any]) -> Hosts:
        """A source reaches its own host and no other."""
        address = str(settings.get("base") or settings.get("url") or "")
        return Hosts((self._entry(address),)) if address else Hosts()

    def _entry(self, address: str) -> str:
        from urllib.parse import urlsplit

        try:
            parts = urlsplit(address)
            port = f":{parts.port}" if parts.port else ""
        except ValueError:
            return ""
        inner = self._private.no(address) is None
        return f"{'private:' if inner else ''}{(parts.hostname or '').lower()}{port}"


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


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
