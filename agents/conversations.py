"""Conversations as kept: masked text only, seen by their owner alone. Knows nothing of vaults."""

import datetime as dt
import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from agents import comparisons
from agents.conversation_tables import (
    Conversation,
    Message,
    Role,
    conversation_of,
    conversations,
    messages,
    summaries,
)
from guardrails.audit.writing import one_writer
from guardrails.errors import BadInput
from guardrails.store import aware

TITLE_CHARACTERS = 60

# built once: every message needs them
_TOUCH = (
    conversations.update()
    .where(conversations.c.id == sa.bindparam("this"))
    .values(touched=sa.bindparam("at"))
)
_TOUCH_AND_NAME = _TOUCH.values(
    title=sa.case((conversations.c.title == "", sa.bindparam("named")), else_=conversations.c.title)
)
_LAST = sa.select(sa.func.max(messages.c.number)).where(
    messages.c.conversation == sa.bindparam("this")
)
_MESSAGE = messages.insert()


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Conversations:
    """Every method that reads takes the owner; another person's is `conversation-not-found`."""

    def __init__(
        self, engine: sa.Engine, now: Callable[[], dt.datetime] = _now, process: str = ""
    ) -> None:
        self._engine = engine
        self._process = process
        self._now = now

    def start(self, agent: str, owner: str, version: str = "") -> str:
        """Begin; gives the id, `c_` and 20 hex digits."""
        id = f"c_{secrets.token_hex(10)}"
        now = self._now()
        with one_writer(self._engine), self._engine.begin() as db:
            db.execute(
                conversations.insert().values(
                    id=id,
                    agent=agent,
                    version=version,
                    owner=owner,
                    title="",
                    started=now,
                    touched=now,
                )
            )
        return id

    def add(
        self,
        conversation: str,
        role: Role,
        text: str,
        trace_id: str = "",
        extra: Mapping[str, Any] | None = None,
    ) -> int:
        """Keep one message of MASKED text; gives its number, from 1."""
        now = self._now()
        given = {"this": conversation, "at": now}
        touch = _TOUCH
        if role == "user":
            touch, given = _TOUCH_AND_NAME, {**given, "named": _title(text)}
        with one_writer(self._engine), self._engine.begin() as db:
            # the update comes first: it takes the row's lock, so that two writers get two numbers
            if db.execute(touch, given).rowcount != 1:
                raise BadInput("conversation-not-found")
            number = (db.execute(_LAST, given).scalar() or 0) + 1
            db.execute(
                _MESSAGE,
                {
                    "conversation": conversation,
                    "number": number,
                    "role": role,
                    "text": text,
                    "trace_id": trace_id,
                    "extra": dict(extra or {}),
                    "at": now,
                    "process": self._process if role == "user" else "",
                },
            )
        return number

    def replace(
        self,
        conversation: str,
        number: int,
        text: str,
        trace_id: str = "",
        extra: Mapping[str, Any] | None = None,
    ) -> int:
        """Put MASKED text in the place of a message. Raises BadInput("conversation-not-found")."""
        now = self._now()
        with self._engine.begin() as db:
            db.execute(
                conversations.update().where(conversations.c.id == conversation).values(touched=now)
            )
            done = db.execute(
                messages.update()
                .where(messages.c.conversation == conversation, messages.c.number == number)
                .values(text=text, trace_id=trace_id, extra=dict(extra or {}), at=now)
            )
            if done.rowcount != 1:
                raise BadInput("conversation-not-found")
        return number

    def family(self, root: str) -> list[str]:
        """Every conversation that uses the names, files and documents of `root`."""
        query = sa.select(conversations.c.id).where(
            sa.or_(conversations.c.id == root, conversations.c.root == root)
        )
        with self._engine.connect() as db:
            return list(db.execute(query).scalars())

    def branch(self, conversation: str, owner: str, after: int) -> Conversation:
        """A new conversation with the messages up to number `after`; the old one stays as it is.

        0 begins anew with the same names and files. Raises BadInput("conversation-not-found"), and
        ("no-such-message") for a number that it does not have.
        """
        found = self.get(conversation, owner)
        kept = self.messages(conversation, owner)
        if after < 0 or after > (kept[-1].number if kept else 0):
            raise BadInput("no-such-message")
        id, now = f"c_{secrets.token_hex(10)}", self._now()
        copied = [one for one in kept if one.number <= after]
        with self._engine.begin() as db:
            row = db.execute(
                sa.select(conversations).where(conversations.c.id == conversation)
            ).one()
            values = dict(row._mapping) | {
                "id": id,
                "title": found.title if copied else "",
                "started": now,
                "touched": now,
                "root": found.root,
                "parent": conversation,
                "parent_message": after,
            }
            db.execute(conversations.insert().values(values))
            if copied:
                rows = [
                    {
                        "conversation": id,
                        "number": one.number,
                        "role": one.role,
                        "text": one.text,
                        "trace_id": one.trace_id,
                        "extra": _settled(one.extra),
                        "at": one.at,
                    }
                    for one in copied
                ]
                db.execute(messages.insert(), rows)
        return self.get(id, owner)

    def search(self, owner: str, words: str, limit: int = 100) -> list[Conversation]:
        """The owner's conversations with `words` in title or text, both masked, newest first."""
        wanted = words.casefold()
        text = sa.func.lower(messages.c.text).contains(wanted, autoescape=True)
        inside = sa.select(messages.c.conversation).where(
            messages.c.conversation == conversations.c.id, text
        )
        query = (
            sa.select(conversations)
            .where(
                conversations.c.owner == owner,
                sa.or_(
                    sa.func.lower(conversations.c.title).contains(wanted, autoescape=True),
                    sa.exists(inside),
                ),
            )
            .order_by(conversations.c.touched.desc(), conversations.c.id)
            .limit(limit)
        )
        with self._engine.connect() as db:
            return [conversation_of(row) for row in db.execute(query)]

    def summary(self, conversation: str) -> tuple[int, str]:
        """(number of the last message it covers, masked text); (0, "") when there is none."""
        query = sa.select(summaries).where(summaries.c.conversation == conversation)
        with self._engine.connect() as db:
            row = db.execute(query).one_or_none()
        return (row.upto, row.text) if row else (0, "")

    def summarise(self, conversation: str, upto: int, text: str) -> None:
        """Keep a MASKED summary of the messages up to number `upto`."""
        row = {"upto": upto, "text": text, "at": int(self._now().timestamp() * 1e6)}
        with self._engine.begin() as db:
            where = summaries.c.conversation == conversation
            if not db.execute(summaries.update().where(where).values(row)).rowcount:
                db.execute(summaries.insert().values(conversation=conversation, **row))

    def shorten(self, conversation: str) -> None:
        """Keep it for a shorter time: a rule wants that."""
        with self._engine.begin() as db:
            db.execute(
                conversations.update()
                .where(conversations.c.id == conversation)
                .values(retention="short")
            )

    def shortened(self, before: float) -> list[Conversation]:
        """Those kept for a shorter time and not touched since `before` (seconds since 1970)."""
        query = sa.select(conversations).where(
            conversations.c.retention == "short",
            conversations.c.touched < dt.datetime.fromtimestamp(before, dt.UTC),
        )
        with self._engine.connect() as db:
            return [conversation_of(row) for row in db.execute(query)]

    def root(self, conversation: str) -> str:
        """Whose names, files and documents the conversation uses."""
        query = sa.select(conversations.c.root).where(conversations.c.id == conversation)
        with self._engine.connect() as db:
            return db.execute(query).scalar() or conversation

    def get(self, conversation: str, owner: str) -> Conversation:
        """One of the owner's. Raises BadInput("conversation-not-found")."""
        with self._engine.connect() as db:
            return self._read(db, conversation, owner)

    def of_trace(self, trace_id: str, owner: str) -> Conversation:
        """The owner's conversation that a turn belongs to. Raises BadInput("trace-not-found")."""
        query = (
            sa.select(conversations)
            .join(messages, messages.c.conversation == conversations.c.id)
            .where(messages.c.trace_id == trace_id, conversations.c.owner == owner)
        )
        with self._engine.connect() as db:
            row = db.execute(query.limit(1)).first()
        if row is None:
            raise BadInput("trace-not-found")
        return conversation_of(row)

    def turn(self, conversation: str, number: int) -> tuple[str, str]:
        """Question and answer `number`, both masked; "" for what is gone. For reviewers, of a turn
        that its person has handed to them."""
        query = (
            sa.select(messages.c.role, messages.c.text)
            .where(messages.c.conversation == conversation, messages.c.number <= number)
            .order_by(messages.c.number.desc())
            .limit(2)
        )
        with self._engine.connect() as db:
            found = {row.role: row.text for row in db.execute(query)}
        return found.get("user", ""), found.get("assistant", "")

    def parent_files(self, conversation: str) -> frozenset[str]:
        """Masked names of the files that came with messages of what a branch began from."""
        parent = sa.select(conversations.c.parent).where(conversations.c.id == conversation)
        query = sa.select(messages.c.extra).where(
            messages.c.conversation == parent.scalar_subquery(), messages.c.role == "user"
        )
        with self._engine.connect() as db:
            extras = db.scalars(query).all()
        return frozenset(name for extra in extras for name in extra.get("files") or ())

    def messages(self, conversation: str, owner: str, last: int | None = None) -> list[Message]:
        """All messages, or the `last` ones, oldest first."""
        query = sa.select(messages).where(messages.c.conversation == conversation)
        query = query.order_by(messages.c.number.desc()).limit(last)
        with self._engine.connect() as db:
            self._read(db, conversation, owner)
            rows = db.execute(query).all()
        return [
            Message(row.number, row.role, row.text, aware(row.at), row.trace_id, row.extra)
            for row in reversed(rows)
        ]

    def mine(self, owner: str, agent: str = "", limit: int = 100) -> list[Conversation]:
        """The owner's conversations, last touched first."""
        query = sa.select(conversations).where(conversations.c.owner == owner)
        if agent:
            query = query.where(conversations.c.agent == agent)
        query = query.order_by(conversations.c.touched.desc(), conversations.c.id).limit(limit)
        with self._engine.connect() as db:
            return [conversation_of(row) for row in db.execute(query)]

    def rename(self, conversation: str, owner: str, title: str) -> None:
        """Give a title (masked text)."""
        with self._engine.begin() as db:
            self._read(db, conversation, owner)
            db.execute(
                conversations.update()
                .where(conversations.c.id == conversation)
                .values(title=_title(title))
            )

    def delete(self, conversation: str, owner: str) -> None:
        """Remove it with its messages. Raises BadInput("conversation-not-found")."""
        with self._engine.begin() as db:
            self._read(db, conversation, owner)
            db.execute(messages.delete().where(messages.c.conversation == conversation))
            db.execute(summaries.delete().where(summaries.c.conversation == conversation))
            comparisons.forget(db, conversation)
            db.execute(conversations.delete().where(conversations.c.id == conversation))

    def _read(self, db: sa.Connection, conversation: str, owner: str) -> Conversation:
        query = sa.select(conversations).where(conversations.c.id == conversation)
        row = db.execute(query).one_or_none()
        if row is None or row.owner != owner:
            raise BadInput("conversation-not-found")
        return conversation_of(row)


def _settled(extra: Mapping[str, Any]) -> dict[str, Any]:
    # a copy waits for nobody: the approval belongs to the conversation that asked
    if extra.get("status") != "waiting":
        return dict(extra)
    return {**extra, "status": "stopped", "approvals": []}


def _title(text: str) -> str:
    line = " ".join(text.split())
    if len(line) <= TITLE_CHARACTERS:
        return line
    # cut between words, and never through a placeholder
    return re.sub(r"\s*(<[A-Z_0-9]*|\S*)$", "", line[:TITLE_CHARACTERS]) + " …"
