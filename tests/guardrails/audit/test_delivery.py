"""Signed checkpoints reach an address elsewhere, in order and once, whatever it answers first."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from guardrails.audit import checkpoints
from guardrails.audit.delivery import Delivery
from guardrails.audit.ledger import Act, Ledger
from guardrails.audit.verify import verify
from guardrails.keys import Keys


class Elsewhere(http.server.ThreadingHTTPServer):
    """Keeps what it is sent; answers 503 while `down`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.down = False
        self.got: list[tuple[str, str, str, bytes]] = []
        self.url = f"http://127.0.0.1:{self.server_port}/marks"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Elsewhere

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.down:
            self.send_response(503)
        else:
            given = self.headers.get("Authorization", "")
            self.server.got.append((self.command, self.path, given, body))
            self.send_response(204)
        self.end_headers()

    do_PUT = do_POST

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    with Elsewhere() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def file(engine: sa.Engine, keys: Keys, tmp_path: Path) -> Path:
    """Three checkpoints of three rows."""
    path = tmp_path / "checkpoints.jsonl"
    ledger = Ledger(engine, keys, checkpoint_file=path)
    for _ in range(3):
        ledger.record(Act("x", "alice"))
        ledger.checkpoint()
    ledger.close()
    return path


def test_what_arrived_elsewhere_is_enough_to_verify(
    engine: sa.Engine, keys: Keys, file: Path, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    assert Delivery(engine, file, elsewhere.url, token="t0").deliver() == 3
    kept = tmp_path / "elsewhere.jsonl"
    kept.write_bytes(b"".join(body for *_, body in elsewhere.got))
    assert {given for _, _, given, _ in elsewhere.got} == {"Bearer t0"}
    result = verify(engine, keys.signing().public_key(), kept)
    assert (result.ok, result.proven_to) == (True, 3)


def test_a_failed_delivery_is_counted_and_tried_again_without_gaps_or_doubles(
    engine: sa.Engine, file: Path, elsewhere: Elsewhere
) -> None:
    delivery = Delivery(engine, file, elsewhere.url)
    elsewhere.down = True
    with pytest.raises(OSError, match="503"):
        delivery.deliver()
    assert delivery.waiting == 3
    elsewhere.down = False
    assert delivery.deliver() == 3
    assert delivery.deliver() == 0
    assert delivery.waiting == 0
    again = Delivery(engine, file, elsewhere.url)  # after a restart
    assert again.deliver() == 0
    numbers = [c.number for c in checkpoints.parse(body.decode() for *_, body in elsewhere.got)]
    assert numbers == [1, 2, 3]


def test_put_names_each_checkpoint_by_its_number(
    engine: sa.Engine, file: Path, elsewhere: Elsewhere
) -> None:
    Delivery(engine, file, elsewhere.url, method="PUT").deliver()
    assert [path for _, path, _, _ in elsewhere.got] == [f"/marks/{n}.json" for n in (1, 2, 3)]


def test_only_http_addresses_are_used(engine: sa.Engine, file: Path, tmp_path: Path) -> None:
    target = tmp_path / "stolen"
    with pytest.raises(OSError, match="http"):
        Delivery(engine, file, target.as_uri()).deliver()
    assert not target.exists()


def test_the_background_thread_makes_a_last_attempt_when_it_is_closed(
    engine: sa.Engine, file: Path, elsewhere: Elsewhere
) -> None:
    delivery = Delivery(engine, file, elsewhere.url)
    delivery.start()
    delivery.close()
    assert len(elsewhere.got) == 3
    elsewhere.down = True
    broken = Delivery(engine, file, elsewhere.url + "/other")
    broken.start()
    broken.close()
    assert broken.failures == 1


class _Moved(_Handler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(302)
        self.send_header("Location", "/sign-in")
        self.end_headers()

    def do_GET(self) -> None:
        given = self.headers.get("Authorization", "")
        self.server.got.append((self.command, self.path, given, b""))
        self.send_response(200)
        self.end_headers()


def test_a_redirection_is_no_delivery_and_nobody_else_gets_the_token(
    engine: sa.Engine, file: Path, elsewhere: Elsewhere
) -> None:
    elsewhere.RequestHandlerClass = _Moved
    delivery = Delivery(engine, file, elsewhere.url, token="t0")
    with pytest.raises(OSError, match="302"):
        delivery.deliver()
    assert delivery.waiting == 3
    assert elsewhere.got == []
