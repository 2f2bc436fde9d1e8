"""Where alerts go: the log, a webhook, e-mail. Names and numbers, never content."""

import json
import logging
import smtplib
import ssl
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Literal, Protocol

log = logging.getLogger(__name__)

Level = Literal["info", "warning", "critical"]
Security = Literal["starttls", "tls", "none"]


class _Straight(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object, **__: object) -> None:
        """No: urllib would ask there without the body, with the key, and call it delivered."""


def straight(request: urllib.request.Request, timeout: float) -> None:
    """Send to the address that was configured and to no other. Raises OSError, also for 3xx."""
    urllib.request.build_opener(_Straight).open(request, timeout=timeout).close()


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert. Its words are `alert.<rule>` in the locales, filled with `data`."""

    rule: str
    level: Level
    about: str = ""
    data: Mapping[str, object] = field(default_factory=dict)
    at: float = 0.0
    id: int = 0
    seen_by: str = ""


class Sender(Protocol):
    """Where alerts go. `name` is log, webhook or mail."""

    @property
    def name(self) -> str:
        """Which way it is."""

    def send(self, alert: Alert) -> None:
        """Deliver one alert. May raise OSError; it is tried again, and the others get theirs."""


@dataclass(frozen=True)
class LogSender:
    """To the log."""

    name: str = "log"

    def send(self, alert: Alert) -> None:
        """One line at the alert's level."""
        level = {"info": logging.INFO, "warning": logging.WARNING}.get(alert.level, logging.ERROR)
        log.log(level, "alert %s %s", alert.rule, alert.about)


@dataclass(frozen=True)
class WebhookSender:
    """As JSON by HTTP POST to an address that an operator configured; `say` adds its words."""

    url: str
    timeout: float = 5.0
    say: Callable[[Alert], tuple[str, str]] | None = None
    name: str = "webhook"

    def send(self, alert: Alert) -> None:
        """Raises OSError (URLError is one)."""
        if not self.url.startswith(("https://", "http://")):
            raise OSError("a webhook needs an http(s) address")
        body = asdict(alert)
        if self.say is not None:
            # `text` is what chat programs show of a webhook
            body["text"] = "\n".join(self.say(alert))
        request = urllib.request.Request(  # noqa: S310 -- the scheme is checked above
            self.url,
            json.dumps(body, default=str).encode(),
            {"Content-Type": "application/json"},
        )
        straight(request, self.timeout)


@dataclass(frozen=True)
class MailSender:
    """By e-mail through an SMTP server; `say` gives subject and text in the reader's language."""

    host: str
    port: int
    sender: str
    to: tuple[str, ...]
    say: Callable[[Alert], tuple[str, str]]
    security: Security = "none"
    user: str = ""
    password: str = field(default="", repr=False)
    timeout: float = 10.0
    name: str = "mail"

    def send(self, alert: Alert) -> None:
        """Raises OSError (SMTPException is one)."""
        message = EmailMessage()
        message["From"], message["To"] = self.sender, ", ".join(self.to)
        message["Subject"], text = self.say(alert)
        message["Date"] = formatdate(alert.at or None)
        message["Message-ID"] = make_msgid(domain=self.sender.rpartition("@")[2] or "localhost")
        message.set_content(text)
        with self._connect() as server:
            if self.security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if self.user:
                server.login(self.user, self.password)
            server.send_message(message)

    def _connect(self) -> smtplib.SMTP:
        if self.security == "tls":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(self.host, self.port, timeout=self.timeout, context=context)
        return smtplib.SMTP(self.host, self.port, timeout=self.timeout)
