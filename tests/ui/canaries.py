"""Canaries: made-up personal data, every form it may leave in, and a receiver for what leaves."""

import base64
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote, quote_plus

from aiosmtpd.controller import Controller

NAME = "Bérénice Vauquelin"
MAIL = "b.vauquelin@canary.example.net"
IBAN = "FR76 3000 6000 0112 3456 7890 189"
NIR = "2 84 05 75 116 042 "
NIR += f"{97 - int(NIR.replace(' ', '')) % 97:02}"
KEY = "ghp_" + "a7Kq2Zx9" * 4 + "Wm3T"  # put together here: no key lies in a file
TOKEN = "ghp_" + "Rt5vB8nJ" * 4 + "c3Qd"  # one in the instructions of a draft
WORDS = (
    f"Please write to Mrs {NAME}, e-mail {MAIL}. Her IBAN is {IBAN},"
    f" her numéro de sécurité sociale (NIR) is {NIR}."
)
# written where others read it by design, or where it stays with its author: told apart by its name
DRAFT = "Hippolyte Grandjacquet"  # texts of a draft that nobody else sees
PUBLIC = "Théodore Lachassagne"  # texts of an agent that is published
FILED = "Clémence Robillard"  # the name of a document of that agent
# what is looked for: of a name what is nobody else's, and without accents
SOUGHT = {
    "name": "Vauquelin",
    "mail": MAIL,
    "iban": IBAN,
    "nir": NIR,
    "key": KEY,
    "token": TOKEN,
    "draft": "Grandjacquet",
    "public": "Lachassagne",
    "filed": "Robillard",
}


def forms(value: str) -> set[bytes]:
    """A value as it stands, without blanks, encoded for an address, as JSON, hex and base64."""
    plain = {value, value.replace(" ", ""), quote(value), quote(value, safe="")}
    plain |= {quote_plus(value), json.dumps(value)[1:-1]}
    found = {form.encode() for form in plain}
    for one in (value.encode(), value.replace(" ", "").encode()):
        found.add(one.hex().encode())
        for shift in range(3):  # base64 looks different at each place of three
            coded = base64.b64encode(bytes(shift) + one)
            found.add(coded[4 if shift else 0 : -4])
    return found


FORMS = {name: {form.lower() for form in forms(value)} for name, value in SOUGHT.items()}


def shown(data: bytes | str) -> list[str]:
    """Which canaries stand in `data`, in any form and any case."""
    # base64 in lower case finds a little more than there is; forms of 9 characters and more do not
    text = (data.encode() if isinstance(data, str) else data).lower()
    return [name for name, known in FORMS.items() if any(form in text for form in known)]


def around(data: bytes | str, width: int = 90) -> list[str]:
    """The places, for a failure to be understood from its message."""
    text = (data.encode() if isinstance(data, str) else data).lower()
    places = [text.find(form) for known in FORMS.values() for form in known if form in text]
    return [text[max(0, at - width) : at + width].decode("utf-8", "replace") for at in places]


@dataclass
class Receiver:
    """Where alerts, checkpoints, spans and mails go: everything that leaves beside the model."""

    address: str = ""
    mail: str = ""
    posted: list[tuple[str, bytes]] = field(default_factory=list)
    mails: list[bytes] = field(default_factory=list)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """A mail, and its parts as they are read."""
        message = message_from_bytes(envelope.content, policy=default)
        text = "".join(
            str(part.get_content()) for part in message.walk() if not part.is_multipart()
        )
        self.mails.append(envelope.content + b"\n" + text.encode())
        return "250 OK"


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on loopback, by HTTP and SMTP."""
    kept = Receiver()

    class Posted(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", 0))
            kept.posted.append((self.path, str(self.headers).encode() + self.rfile.read(length)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing to say."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Posted)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    mails = Controller(kept, hostname="127.0.0.1", port=port)
    mails.start()
    kept.address, kept.mail = f"http://127.0.0.1:{server.server_port}", f"127.0.0.1:{port}"
    try:
        yield kept
    finally:
        mails.stop()
        server.shutdown()
        server.server_close()
        thread.join(10)
