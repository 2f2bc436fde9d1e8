"""A long conversation in short: what no longer fits the model's window is summarised once.

Made by the model through the door like any call (decided, recorded, a step the person sees), kept
masked, extended when more falls out of the window.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from agents.conversation_tables import Message
from guardrails.detect.injection import fence
from sandbox.broker import frames
from sandbox.broker.errors import ModelError
from sandbox.broker.model_call import call_model
from sandbox.broker.run import Run
from sandbox.prompt import HISTORY_CHARACTERS
from sandbox.turn_parts import Parts

KEPT_CHARACTERS: Final = HISTORY_CHARACTERS // 2  # newest messages that stay word for word
ONE_CHARACTERS: Final = 1_500  # of one message, in what is summarised
MOST_CHARACTERS: Final = 9_000  # summarised at once: fits the practice model's window
SUMMARY_CHARACTERS: Final = 2_500
ORDER: Final = (
    "You write the minutes of a conversation between a person and an assistant, for the assistant "
    "to go on from. Keep facts, decisions, numbers, names, wishes and what is still open. Words in "
    "angle brackets such as <PERSON_1> stand for real names: keep them exactly. At most 200 words, "
    "no introduction. Write in {tongue}."
)


async def remembered(
    parts: Parts, run: Run, kept: Sequence[Message], before: tuple[int, str]
) -> tuple[str, list[Message]]:
    """The summary of what is older (masked, "" when all fits) and the messages word for word.

    `kept` is the conversation so far, the person's new message last; `before` is the summary so far
    and the number of the last message in it. When the model fails, the
    oldest messages are left out instead; a guard that fails ends the turn.
    """
    upto, summary = before
    rest = [one for one in kept[:-1] if one.number > upto]
    if sum(len(one.text) for one in rest) + len(summary) <= HISTORY_CHARACTERS:
        return summary, [*rest, kept[-1]]
    old: list[Message] = []
    size = sum(len(one.text) for one in rest)
    while rest and size > KEPT_CHARACTERS:
        size -= len(rest[0].text)
        old.append(rest.pop(0))
    try:
        summary = await _written(parts, run, summary, old)
    except ModelError:
        run.notice("info", "notice.history-cut")
        return summary, [*rest, kept[-1]]
    await asyncio.to_thread(
        parts.conversations.summarise, run.conversation, old[-1].number, summary
    )
    return summary, [*rest, kept[-1]]


async def _written(parts: Parts, run: Run, summary: str, old: Sequence[Message]) -> str:
    said = [f"Before: {summary}"] if summary else []
    said += [
        f"{'Person' if one.role == 'user' else 'Assistant'}: {one.text[:ONE_CHARACTERS]}"
        for one in old
        if one.text
    ]
    text = "\n\n".join(said)[-MOST_CHARACTERS:]
    tongue = "French" if run.language == "fr" else "English"
    frame = frames.ModelCall(
        t="model.call",
        id=0,
        messages=[
            frames.Message(role="system", content=ORDER.format(tongue=tongue)),
            frames.Message(role="user", content=fence(text, "document")),
        ],
        tools=[],
    )
    run.purpose = "summary"
    try:
        answer = await call_model(parts.broker, run, frame)
    finally:
        run.purpose = ""
    run.notice("info", "notice.summarised", n=len(old))
    return str(answer["content"])[:SUMMARY_CHARACTERS]
