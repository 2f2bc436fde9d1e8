"""An e-mail as a draft file, or sent once a person has read and approved it."""

import re
from collections.abc import Mapping
from dataclasses import replace
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from agents.tools.base import Letter, Made, NotDone, Tool, ToolContext, ToolResult, refused

MAX_RECIPIENTS = 10
_ADDRESS = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "to": {
            "type": "array",
            "items": {"type": "string", "maxLength": 200},
            "description": "E-mail addresses",
            "minItems": 1,
            "maxItems": MAX_RECIPIENTS,
        },
        "cc": {
            "type": "array",
            "items": {"type": "string", "maxLength": 200},
            "maxItems": MAX_RECIPIENTS,
        },
        "subject": {"type": "string", "minLength": 1, "maxLength": 200},
        "body": {"type": "string", "minLength": 1, "maxLength": 20000},
    },
    "required": ["to", "subject", "body"],
    "additionalProperties": False,
}


def letter(arguments: Mapping[str, Any]) -> Letter:
    """The message of a call. Raises NotDone for an address or subject that is none."""
    named = [*arguments["to"], *arguments.get("cc", ())]
    wrong = [one for one in named if not _ADDRESS.fullmatch(str(one).strip())]
    if wrong:
        raise NotDone("every recipient must be one e-mail address such as ann@example.com")
    if any(ord(c) < 32 for c in arguments["subject"]):
        raise NotDone("the subject must be one line")
    return Letter(
        tuple(str(one).strip() for one in arguments["to"]),
        str(arguments["subject"]),
        str(arguments["body"]),
        tuple(str(one).strip() for one in arguments.get("cc", ())),
    )


def composed(written: Letter, sender: str = "") -> EmailMessage:
    """The message as RFC 5322 has it. Raises NotDone."""
    message = EmailMessage(policy=SMTP)
    try:
        if sender:
            message["From"] = sender
        message["To"] = ", ".join(written.recipients)
        if written.copies:
            message["Cc"] = ", ".join(written.copies)
        message["Subject"] = written.subject
        message.set_content(written.body)
    except (ValueError, MessageError) as error:
        raise NotDone("the message could not be written; use plain addresses and text") from error
    return message


async def _draft(arguments: Mapping[str, Any], _context: ToolContext) -> ToolResult:
    message = composed(letter(arguments))
    message["X-Unsent"] = "1"  # mail programs then open it for writing
    made = Made("draft.eml", "message/rfc822", message.as_bytes())
    return ToolResult(
        "The draft is kept as draft.eml. It was not sent: the person opens and sends it.",
        artefacts=(made,),
    )


async def _send(arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
    if context.outside is None:
        return refused("no e-mail can be sent from here; write a draft")
    return ToolResult(await context.outside.send_mail(letter(arguments)))


def _wrong(arguments: Mapping[str, Any], _context: ToolContext) -> str | None:
    try:
        letter(arguments)
    except NotDone as error:
        return error.why
    return None


def _not_sendable(arguments: Mapping[str, Any], context: ToolContext) -> str | None:
    if (wrong := _wrong(arguments, context)) is not None:
        return wrong
    if context.outside is None:
        return "no e-mail can be sent from here; write a draft with email_draft"
    written = letter(arguments)
    return context.outside.no_mail((*written.recipients, *written.copies))


EMAIL_DRAFT = Tool(
    name="email_draft",
    label_key="tool.email_draft",
    description="Keep an e-mail as a draft file that the person opens in their mail program.",
    side_effect="writes",
    parameters=_PARAMETERS,
    run=_draft,
    icon="mail",
    restores=frozenset({"to", "cc", "subject", "body"}),
    computed=True,
    refuse=_wrong,
)

EMAIL_SEND = replace(
    EMAIL_DRAFT,
    name="email_send",
    label_key="tool.email_send",
    description="Send an e-mail. A person reads it first and may refuse.",
    side_effect="sends",
    run=_send,
    refuse=_not_sendable,
)
