"""Which addresses may be reached, and at which number: names are looked up once and pinned.

A name that answers with a public number first and an inner one later (DNS rebinding) gains nothing:
the number that was checked is the number that is connected to.
"""

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from agents.tools.base import NotDone

PORTS = {"http": 80, "https": 443}
MAX_ADDRESS = 600
_HOST = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*"
)

_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052
_UNICAST = ipaddress.ip_network("2000::/3")  # all that IANA gives out as global unicast

Lookup = Callable[[str, int], Awaitable[Sequence[str]]]


async def look_up(host: str, port: int) -> Sequence[str]:
    """The numbers of a name. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(one[4][0]) for one in found]


@dataclass(frozen=True, slots=True)
class Place:
    """Where an allowed address leads: connect to `number`, say `host`."""

    scheme: str
    host: str
    port: int
    number: str


@dataclass(frozen=True, slots=True)
class Hosts:
    """An allow-list. Entries: `example.com`, `*.example.com`, `example.com:8443`; `private:` before
    one allows numbers of the own network too. Empty allows nothing."""

    entries: tuple[str, ...] = ()

    @classmethod
    def of(cls, text: str) -> "Hosts":
        """Entries separated by commas or spaces, in any case."""
        return cls(tuple(part for part in re.split(r"[,\s]+", text.lower()) if part))

    def allows(self, host: str, port: int, scheme: str) -> str | None:
        """The entry that allows this host at this port, or None."""
        for entry in self.entries:
            name, _, wanted = entry.removeprefix("private:").partition(":")
            if port != (int(wanted) if wanted.isdigit() else PORTS.get(scheme)):
                continue
            if name == host or (name.startswith("*.") and host.endswith(name[1:])):
                return entry
        return None

    def no(self, address: str) -> str | None:
        """Why an address is not allowed, in words for the model, or None."""
        try:
            parts, host, port = _parts(address)
        except NotDone as error:
            return error.why
        if self.allows(host, port, parts.scheme) is None:
            names = ", ".join(entry.removeprefix("private:") for entry in self.entries[:20])
            return f"that address is not on the list of allowed ones ({names or 'none'})"
        return None

    async def place(self, address: str, lookup: Lookup = look_up) -> Place:
        """Where to connect. Raises NotDone: not allowed, unknown, or inside the own network."""
        if (why := self.no(address)) is not None:
            raise NotDone(why)
        parts, host, port = _parts(address)
        private = str(self.allows(host, port, parts.scheme)).startswith("private:")
        try:
            async with asyncio.timeout(10):
                numbers = await lookup(host, port)
        except (OSError, TimeoutError) as error:
            raise NotDone("the site's name is unknown") from error
        # one inner number among public ones is the mark of a rebinding: none is used then
        if not numbers or not (private or all(map(public, numbers))):
            raise NotDone("that address leads into the own network, which is not allowed")
        return Place(parts.scheme, host, port, numbers[0])


def public(number: str) -> bool:
    """True for a number of the public internet (RFC 6890), also inside an IPv6 wrapping."""
    address = ipaddress.ip_address(number.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is not None:
            return public(str(inner))
        if address in _TRANSLATED:
            return public(str(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)))
        # not where the registry says public space ends, but where it begins: translators and
        # networks of a site's own have had many ranges (fec0::/10, ::/96, 64:ff9b:1::/48)
        if address not in _UNICAST:
            return False
    return address.is_global and not address.is_multicast


def _parts(address: str) -> tuple[SplitResult, str, int]:
    if len(address) > MAX_ADDRESS or not address.isprintable() or re.search(r"[\s\\]", address):
        raise NotDone("that is not a web address")
    try:
        parts = urlsplit(address)
        host = (parts.hostname or "").rstrip(".").encode("idna").decode("ascii").lower()
        port = parts.port or PORTS.get(parts.scheme, 0)
    except (ValueError, UnicodeError) as error:
        raise NotDone("that is not a web address") from error
    if parts.scheme not in PORTS or parts.username is not None or "@" in parts.netloc:
        raise NotDone("only http and https addresses without a user name can be read")
    numeric = host.replace(".", "").isdigit()  # 127.1, 2130706433 and other ways to write a number
    if numeric:
        try:
            ipaddress.IPv4Address(host)
        except ValueError as error:
            raise NotDone("that is not a web address") from error
    elif not _HOST.fullmatch(host):
        raise NotDone("that is not a web address")
    return parts, host, port
