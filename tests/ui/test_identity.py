"""People, sessions, workshop mode."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from starlette.requests import HTTPConnection

from guardrails.errors import BadInput, GuardrailError
from guardrails.keys import Keys
from guardrails.store import open_engine
from ui.accounts import people
from ui.identity import SESSION_COOKIE, Identity, check_start, is_loopback
from ui.people import People
from ui.signins import sign_ins

KEYS = Keys(b"k" * 32)
PASSWORD = "correct horse battery"


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def request(
    cookies: dict[str, str] | None = None, host: str = "127.0.0.1:7860", **headers: str
) -> HTTPConnection:
    values = {"host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
    if cookies:
        values["cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
    raw = [(name.encode(), value.encode()) for name, value in values.items()]
    return HTTPConnection({"type": "http", "headers": raw})


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    engine = open_engine(f"sqlite:///{tmp_path / 'a.db'}")
    people.metadata.create_all(engine, tables=[people, sign_ins])
    yield engine
    engine.dispose()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def identity(engine: sa.Engine, clock: Clock, host: str = "127.0.0.1") -> Identity:
    return Identity(engine, KEYS, People(engine, clock), host=host, clock=clock)


def with_account(engine: sa.Engine, clock: Clock) -> Identity:
    People(engine, clock).add("Sample", PASSWORD, roles=["staff", "security"], language="fr")
    return identity(engine, clock, host="0.0.0.0")


def test_without_accounts_the_local_owner_has_every_role(engine: sa.Engine, clock: Clock) -> None:
    owner = identity(engine, clock).person(request())
    assert owner is not None and owner.workshop
    assert owner.roles == {"staff", "champion", "security", "administrator"}


def test_the_owner_can_look_as_one_role_only(engine: sa.Engine, clock: Clock) -> None:
    owner = identity(engine, clock).person(request({"atelier_view": "champion"}))
    assert owner is not None and owner.roles == {"champion"} and owner.view == "champion"
    odd = identity(engine, clock).person(request({"atelier_view": "root"}))
    assert odd is not None and odd.view is None and len(odd.roles) == 4


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:7860", "", "10.0.0.4"])
def test_a_rebound_host_name_is_nobody(engine: sa.Engine, clock: Clock, host: str) -> None:
    assert identity(engine, clock).person(request(host=host)) is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "atelier.example"])
def test_another_address_without_accounts_refuses_to_start(
    engine: sa.Engine, clock: Clock, host: str
) -> None:
    with pytest.raises(GuardrailError) as caught:
        identity(engine, clock, host=host)
    assert caught.value.code == "accounts-needed"


def test_with_accounts_any_address_may_start() -> None:
    check_start("0.0.0.0", "accounts")


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        *[("localhost", True), ("127.0.0.1", True), ("[::1]", True), ("127.9.9.9", True)],
        *[("0.0.0.0", False), ("localhost.evil.example", False), ("", False)],
    ],
)
def test_loopback_is_recognised_without_a_look_up(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_signing_in_gives_a_session(engine: sa.Engine, clock: Clock) -> None:
    door = with_account(engine, clock)
    assert door.mode == "accounts" and door.person(request()) is None
    assert door.sign_in("sample", "wrong password!") is None
    assert door.sign_in("nobody", PASSWORD) is None
    signed = door.sign_in(" SAMPLE ", PASSWORD)
    assert signed is not None
    person = door.person(request({SESSION_COOKIE: signed[1]}))
    assert person == signed[0] and person.roles == {"staff", "security"} and person.language == "fr"


def test_a_forged_or_changed_cookie_is_nobody(engine: sa.Engine, clock: Clock) -> None:
    door = with_account(engine, clock)
    signed = door.sign_in("sample", PASSWORD)
    assert signed is not None
    token, _, signature = signed[1].partition(".")
    # the first sign: the last one has bits that stand for nothing
    changed = f"{token}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"
    for cookie in ("x", "a.b", changed, token):
        assert door.person(request({SESSION_COOKIE: cookie})) is None
    other = Identity(engine, Keys(b"o" * 32), People(engine), host="127.0.0.1", clock=clock)
    assert other.person(request({SESSION_COOKIE: signed[1]})) is None


def test_the_store_never_holds_the_token_or_the_password(engine: sa.Engine, clock: Clock) -> None:
    signed = with_account(engine, clock).sign_in("sample", PASSWORD)
    assert signed is not None
    with engine.connect() as connection:
        rows = [*connection.execute(sa.select(people)), *connection.execute(sa.select(sign_ins))]
    assert PASSWORD not in str(rows) and signed[1].split(".")[0] not in str(rows)
    assert "$argon2id$" in str(rows)


def test_a_session_is_renewed_every_hour_and_ends(engine: sa.Engine, clock: Clock) -> None:
    door = with_account(engine, clock)
    signed = door.sign_in("sample", PASSWORD)
    assert signed is not None
    first = request({SESSION_COOKIE: signed[1]})
    assert door.renew(first) is None
    clock.now += timedelta(minutes=61)
    renewed = door.renew(first)
    assert renewed is not None and door.renew(first) is None
    second = request({SESSION_COOKIE: renewed.value})
    assert door.person(first) and door.person(second)
    clock.now += timedelta(seconds=61)
    assert door.person(first) is None and door.person(second)
    clock.now += timedelta(hours=11)
    assert door.person(second) is None


def test_signing_out_and_removal_end_the_session(engine: sa.Engine, clock: Clock) -> None:
    door = with_account(engine, clock)
    signed, again = door.sign_in("sample", PASSWORD), door.sign_in("sample", PASSWORD)
    assert signed is not None and again is not None
    door.sign_out(request({SESSION_COOKIE: signed[1]}))
    assert door.person(request({SESSION_COOKIE: signed[1]})) is None
    assert door.person(request({SESSION_COOKIE: again[1]}))
    People(engine).remove("sample")
    assert door.person(request({SESSION_COOKIE: again[1]})) is None


def test_accounts_are_checked(engine: sa.Engine) -> None:
    accounts = People(engine)
    accounts.add("sample", PASSWORD)
    bad: dict[str, Callable[[], object]] = {
        "account-exists": lambda: accounts.add("SAMPLE", PASSWORD),
        "weak-password": lambda: accounts.add("b", "short"),
        "bad-role": lambda: accounts.add("c", PASSWORD, roles=["boss"]),
        "bad-login": lambda: accounts.add("a\nb", PASSWORD),
        "no-such-account": lambda: accounts.remove("nobody"),
    }
    for code, call in bad.items():
        with pytest.raises(BadInput) as caught:
            call()
        assert caught.value.code == code
    assert [account.login for account in accounts.all()] == ["sample"]


def test_the_language_comes_from_header_cookie_browser_setting(
    engine: sa.Engine, clock: Clock
) -> None:
    door = identity(engine, clock)
    assert door.language(request()) == "en"
    assert door.language(request(accept_language="de, fr-FR;q=0.8, en;q=0.5")) == "fr"
    assert door.language(request({"atelier_language": "fr"}, accept_language="en")) == "fr"
    assert door.language(request({"atelier_language": "fr"}, x_atelier_language="en")) == "en"
