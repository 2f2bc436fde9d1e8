"""Models that administrators have connected: name, address, place, price, and a key nobody reads.

Keys are sealed with AES-256-GCM under a key of the home, bound to their row; they leave this file
only for a call. Every process of a store sees a change within `FRESH_SECONDS`. Knows no policy.
"""

import os
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args
from urllib.parse import SplitResult, urlsplit

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from guardrails.audit.ledger import Act, Ledger
from guardrails.errors import BadInput
from guardrails.policy.tables import connections
from sandbox.broker.errors import ModelError
from sandbox.broker.model_events import Location
from sandbox.broker.providers import LOOPBACK, usual_location

FRESH_SECONDS = 1.0
_NAME = re.compile(r"[a-z0-9_]{2,40}/[A-Za-z0-9][\w.:/@+-]{0,118}")
_NONCE = 12
_MILLION = 1_000_000
Price = tuple[float, float]  # US dollars per million tokens, in and out


@dataclass(frozen=True, slots=True)
class Connection:
    """One connected model. `name` is litellm's `<provider>/<model>`; agents and rules name it.

    `check` is the code of the last try ("" when it answered), `checked` when, seconds since 1970.
    """

    id: str
    name: str
    label: str
    base: str
    location: Location
    has_key: bool
    enabled: bool
    preferred: bool
    price: Price | None
    changed_by: str
    changed: float
    checked: float | None
    check: str

    @property
    def provider(self) -> str:
        """The part of the name before the slash."""
        return self.name.partition("/")[0]


class Connections:
    """The connected models of one store. `key` is 32 bytes; people are pseudonyms."""

    def __init__(
        self,
        engine: sa.Engine,
        ledger: Ledger,
        key: bytes,
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._ledger = ledger
        self._cipher = AESGCM(key)
        self._clock = clock
        self._ticks = ticks
        self._known: tuple[Connection, ...] = ()
        self._read_at = -FRESH_SECONDS

    # ── for calls ────────────────────────────────────────────────────────────────────────

    def now(self) -> tuple[Connection, ...]:
        """Those that may be used, at most `FRESH_SECONDS` old. Raises ModelError."""
        if self._ticks() - self._read_at >= FRESH_SECONDS:
            try:
                self._known = tuple(self.all())
            except sa.exc.SQLAlchemyError:
                raise ModelError("model-unavailable", provider="") from None
            self._read_at = self._ticks()
        return tuple(one for one in self._known if one.enabled)

    def find(self, name: str) -> Connection | None:
        """The usable one of this name; for "" the one that answers when no model is named."""
        wanted = (one for one in self.now() if (one.preferred if not name else one.name == name))
        return next(wanted, None)

    def key(self, connection: Connection) -> str:
        """The key in the clear, or "". Raises ModelError("model-auth") when it cannot be opened."""
        with self._engine.connect() as db:
            query = sa.select(connections.c.key).where(connections.c.id == connection.id)
            sealed = db.scalar(query)
        if sealed is None:
            return ""
        try:
            plain = self._cipher.decrypt(
                sealed[:_NONCE], sealed[_NONCE:], _bound(connection.id, connection.base)
            )
        except InvalidTag:
            raise ModelError("model-auth", provider=connection.provider) from None
        return plain.decode()

    # ── for administrators ───────────────────────────────────────────────────────────────

    def all(self) -> list[Connection]:
        """Every connection, by name."""
        with self._engine.connect() as db:
            rows = db.execute(sa.select(connections).order_by(connections.c.name)).all()
        return [_connection(row) for row in rows]

    def get(self, identity: str) -> Connection:
        """One connection. Raises BadInput("no-such-model")."""
        with self._engine.connect() as db:
            row = db.execute(sa.select(connections).where(connections.c.id == identity)).first()
        if row is None:
            raise BadInput("no-such-model", model=identity)
        return _connection(row)

    def add(
        self,
        name: str,
        *,
        by: str,
        label: str = "",
        base: str = "",
        location: str = "",
        key: str = "",
        price: Price | None = None,
    ) -> Connection:
        """Connect a model; it can be used at once.

        Raises BadInput: `model-bad-name`, `model-bad-address`, `bad-field`, `model-exists`.
        """
        name, base, label = name.strip(), base.strip(), label.strip()
        if not _NAME.fullmatch(name):
            raise BadInput("model-bad-name", model=name[:120])
        _parts(base)
        place = _place(location) or usual_location(name.partition("/")[0], base)
        _address(base, place)
        if any(one.name == name for one in self.all()):
            raise BadInput("model-exists", model=name)
        identity = uuid.uuid4().hex[:12]
        self._record("model.connect", by, identity, name=name, base=base, location=place)
        row = {
            "id": identity,
            "name": name,
            "label": label[:120] or name.partition("/")[2],
            "base": base,
            "location": place,
            "key": self._sealed(identity, base, key),
            "enabled": True,
            "preferred": False,
            "check_code": "",
            **_prices(price),
            **self._stamp(by),
        }
        with self._engine.begin() as db:
            db.execute(sa.insert(connections), row)
        self._read_at = -FRESH_SECONDS
        return self.get(identity)

    def change(self, identity: str, *, by: str, **changes: Any) -> Connection:
        """Change label, base, location, enabled or price. A new address drops the key.

        A key was given for one address: kept for another it could be sent to whoever answers
        there. Raises as `add`.
        """
        before = self.get(identity)
        values: dict[str, Any] = {}
        if (label := changes.get("label")) is not None:
            values["label"] = str(label).strip()[:120] or before.label
        if (enabled := changes.get("enabled")) is not None:
            values["enabled"] = bool(enabled)
            values |= {} if enabled else {"preferred": False}
        if (location := changes.get("location")) is not None:
            values["location"] = _place(location)
        if (base := changes.get("base")) is not None and base.strip() != before.base:
            values |= {"base": base.strip(), "key": None, "checked": None, "check_code": ""}
        if "price" in changes:
            values |= _prices(changes["price"])
        _address(values.get("base", before.base), values.get("location", before.location))
        told = {name: value for name, value in values.items() if name != "key"}
        self._record("model.change", by, identity, name=before.name, **told)
        self._write(identity, by, **values)
        return self.get(identity)

    def set_key(self, identity: str, key: str, *, by: str) -> None:
        """Replace the key, or remove it with ""."""
        before = self.get(identity)
        self._record("model.key", by, identity, name=before.name, set=bool(key))
        sealed = self._sealed(identity, before.base, key)
        self._write(identity, by, key=sealed, checked=None, check_code="")

    def prefer(self, identity: str, *, by: str) -> None:
        """Let this one answer for agents that name no model; "" lets the setting's model do so."""
        chosen = self.get(identity) if identity else None
        if chosen is not None and not chosen.enabled:
            raise BadInput("model-off", model=chosen.name)
        self._record("model.prefer", by, identity, name=chosen.name if chosen else "")
        with self._engine.begin() as db:
            db.execute(sa.update(connections).values(preferred=connections.c.id == identity))
        self._read_at = -FRESH_SECONDS

    def remove(self, identity: str, *, by: str) -> None:
        """Remove a connection and its key."""
        before = self.get(identity)
        self._record("model.remove", by, identity, name=before.name)
        with self._engine.begin() as db:
            db.execute(sa.delete(connections).where(connections.c.id == identity))
        self._read_at = -FRESH_SECONDS

    def checked(self, identity: str, code: str) -> None:
        """Keep what a try has shown."""
        with self._engine.begin() as db:
            db.execute(
                sa.update(connections)
                .where(connections.c.id == identity)
                .values(checked=self._now(), check_code=code)
            )
        self._read_at = -FRESH_SECONDS

    # ── inside ───────────────────────────────────────────────────────────────────────────

    def _write(self, identity: str, by: str, **values: Any) -> None:
        with self._engine.begin() as db:
            db.execute(
                sa.update(connections)
                .where(connections.c.id == identity)
                .values(**values, **self._stamp(by))
            )
        self._read_at = -FRESH_SECONDS

    def _sealed(self, identity: str, base: str, key: str) -> bytes | None:
        key = key.strip()
        if not key:
            return None
        if len(key) > 4_000 or not key.isprintable():
            raise BadInput("bad-field", field="key")
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, key.encode(), _bound(identity, base))

    def _stamp(self, by: str) -> dict[str, object]:
        return {"changed_by": by, "changed": self._now()}

    def _record(self, kind: str, by: str, identity: str, **more: object) -> None:
        self._ledger.record(Act(kind, by, payload={"model": identity, **more}))

    def _now(self) -> int:
        return int(self._clock() * _MILLION)


def _bound(identity: str, base: str) -> bytes:
    # a row whose address is changed in the store does not give its key to the new address
    return f"{identity}\0{base}".encode()


def _place(location: object) -> Location:
    for known in get_args(Location):
        if location == known:
            found: Literal["local", "eu", "us", "other", ""] = known
            return found
    raise BadInput("bad-field", field="location")


def _address(base: str, location: str) -> None:
    if not base:
        return
    parts = _parts(base)
    host = parts.hostname or ""
    plain = parts.scheme == "http" and (host in LOOPBACK or location == "local")
    if not host or "@" in parts.netloc or not (parts.scheme == "https" or plain) or len(base) > 500:
        raise BadInput("model-bad-address")


def _parts(base: str) -> SplitResult:
    try:
        parts = urlsplit(base)
        _ = parts.port  # read when it is asked for
    except ValueError as error:
        raise BadInput("model-bad-address") from error
    return parts


def _prices(price: Price | None) -> dict[str, int | None]:
    if price is None:
        return {"price_in": None, "price_out": None}
    if any(not 0 <= part <= 10_000 for part in price):
        raise BadInput("bad-field", field="price")
    return {"price_in": round(price[0] * _MILLION), "price_out": round(price[1] * _MILLION)}


def _connection(row: Any) -> Connection:
    price = None
    if row.price_in is not None and row.price_out is not None:
        price = (row.price_in / _MILLION, row.price_out / _MILLION)
    return Connection(
        id=row.id,
        name=row.name,
        label=row.label,
        base=row.base,
        location=row.location,
        has_key=row.key is not None,
        enabled=row.enabled,
        preferred=row.preferred,
        price=price,
        changed_by=row.changed_by,
        changed=row.changed / _MILLION,
        checked=row.checked / _MILLION if row.checked else None,
        check=row.check_code,
    )
