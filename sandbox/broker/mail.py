"""Send an approved message through the organisation's SMTP server, to allowed recipients only."""

import asyncio
import re
import smtplib
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import formatdate, make_msgid
from typing import Literal

from agents.tools.base import Letter, NotDone
from agents.tools.mail import composed

SECONDS = 30.0
NOTHING = "the mail server did not take the message; nothing was sent"
PERHAPS = "it is not known whether the message was sent; say so and do not send it again"
# the server has said no in so many words, or nothing has reached it
_REFUSED = (
    ValueError,
    smtplib.SMTPResponseException,
    smtplib.SMTPRecipientsRefused,
    smtplib.SMTPNotSupportedError,
)
Security = Literal["starttls", "tls", "none"]


@dataclass(frozen=True)
class Mailer:
    """`server` is `host` or `host:port`; empty sends nothing. `recipients` are addresses and
    domains (`example.com` or `@example.com`) with commas; empty allows nobody. The password is
    read from `secrets` when it is needed and never kept."""

    server: str
    sender: str
    recipients: str
    secrets: Mapping[str, str]
    user: str = ""
    secret: str = "SMTP_PASSWORD"  # noqa: S105  (a name)
    security: Security = "starttls"

    def no(self, recipients: Sequence[str]) -> str | None:
        """Why nothing can be sent to these, in words for the model, or None."""
        if not self.server or not self.sender:
            return "no mail server is set up here; write a draft with email_draft"
        allowed = {one.lstrip("@") for one in re.split(r"[,\s]+", self.recipients.lower()) if one}
        for one in recipients:
            address = one.lower()
            if address not in allowed and address.rpartition("@")[2] not in allowed:
                return "a recipient is not on the list of allowed ones; write a draft instead"
        return None

    async def send(self, letter: Letter) -> str:
        """Hand the message to the server. Raises NotDone when not all of it was taken."""
        if (why := self.no((*letter.recipients, *letter.copies))) is not None:
            raise NotDone(why)
        return await asyncio.to_thread(self._send, letter)

    def _send(self, letter: Letter) -> str:
        message = composed(letter, self.sender)
        message["Date"] = formatdate(localtime=True)
        message["Message-ID"] = make_msgid(domain=self.sender.rpartition("@")[2] or "localhost")
        host, _, port = self.server.partition(":")
        everyone = [*letter.recipients, *letter.copies]
        handing, left = False, None
        try:
            with self._connected(host, int(port or 0)) as server:
                if self.user:
                    server.login(self.user, self.secrets.get(self.secret, ""))
                handing = True
                left = server.send_message(message, self.sender, everyone)
        except (smtplib.SMTPException, OSError, ValueError) as error:
            if left is None:  # else only the goodbye went wrong
                # the connection may have ended between the message and the answer to it
                perhaps = handing and not isinstance(error, _REFUSED)
                raise NotDone(PERHAPS if perhaps else NOTHING) from error
        if left:
            raise NotDone(
                f"sent to {len(everyone) - len(left)} of {len(everyone)} recipients; the mail "
                "server refused the others. Do not send it to all of them again"
            )
        return f"Sent to {len(everyone)} recipient(s)."

    def _connected(self, host: str, port: int) -> smtplib.SMTP:
        if self.security == "tls":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(host, port or 465, timeout=SECONDS, context=context)
        server = smtplib.SMTP(
            host, port or (587 if self.security == "starttls" else 25), timeout=SECONDS
        )
        if self.security == "starttls":
            try:
                server.starttls(context=ssl.create_default_context())
            except BaseException:
                server.close()
                raise
        return server
