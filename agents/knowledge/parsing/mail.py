"""Text of an e-mail file. Runs inside the seal."""

import email
import email.policy
from collections.abc import Iterator
from pathlib import Path

from agents.knowledge.parsing.page import page
from agents.knowledge.parsing.parts import ParseError, Part


def mail(path: Path) -> Iterator[Part]:
    """Heads and words; attachments are named, not read. Raises ParseError."""
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    lines = []
    hidden = False
    try:
        for name in ("From", "To", "Cc", "Date", "Subject"):
            if value := message.get(name):
                # on its own: beside "From" and "To" a French subject would be read as English
                lines += ["", f"Subject: {value}"] if name == "Subject" else [f"{name}: {value}"]
        body = message.get_body(("plain", "html"))
        text = body.get_content() if body else ""
        if body and body.get_content_type() == "text/html":
            text, hidden = page(text)
        attached = [part.get_filename() or "?" for part in message.iter_attachments()]
    except (LookupError, ValueError, AttributeError, TypeError) as error:
        raise ParseError("file-broken") from error
    if attached:
        lines.append("Attachments (not read): " + ", ".join(attached))
    return iter([Part(text="\n".join([*lines, "", str(text)]), page=None, hidden=hidden)])
