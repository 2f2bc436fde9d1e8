"""The open vaults of this process: one object per conversation, so that turns share it."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

import sqlalchemy as sa

from agents.conversation_tables import conversations
from guardrails.vault import Vault
from guardrails.vault_store import (
    DAY_S,
    DAYS,
    SqlVaultStore,
    erase_conversation,
    vault_entries,
)

LOOK_SECONDS = 60.0  # after which what was erased elsewhere (another server) is let go here too
MOST = 512  # conversations kept open; an evicted one is read again from its rows
# what an agent knows is masked once and read as long as there is an agent: its values go with the
# agent, not with time
OF_AGENT = "agent:"
OF_AGENT_DAYS = 36_500.0


class Vaults:
    """`key` is the vault key; values are kept encrypted in `engine`. Thread-safe.

    `pseudonym` names the owner of a conversation: whoever opens a vault first, what it keeps
    belongs to that person, and goes with them.
    """

    def __init__(
        self,
        engine: sa.Engine,
        key: bytes,
        pseudonym: Callable[[str], str] = lambda person: "",
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._key = key
        self._pseudonym = pseudonym
        self._open: OrderedDict[str, Vault] = OrderedDict()
        self._lock = threading.Lock()
        self._ticks = ticks
        self._looked = ticks()

    def open(self, conversation: str, owner: str = "") -> Vault:
        """The vault of a conversation; a new one is empty. `owner` (a pseudonym) owns what it
        keeps; without one the conversation's own does."""
        self._let_go()
        with self._lock:
            vault = self._open.get(conversation)
            if vault is None:
                whose = owner or self._owner(conversation)
                lasting = conversation.startswith(OF_AGENT)
                rows = SqlVaultStore(self._engine, whose, OF_AGENT_DAYS if lasting else DAYS)
                vault = self._open[conversation] = Vault(conversation, self._key, rows)
                while len(self._open) > MOST:
                    self._open.popitem(last=False)
            self._open.move_to_end(conversation)
            return vault

    def claim(self) -> int:
        """Give values that earlier releases kept without an owner to the owner of their
        conversation, and those of agents their time. Returns how many conversations."""
        table = vault_entries
        long = OF_AGENT_DAYS * DAY_S
        of_agents = table.c.conversation.startswith(OF_AGENT, autoescape=True)
        with self._engine.begin() as db:
            short = (of_agents, table.c.expires < time.time() + long / 2)
            db.execute(sa.update(table).where(*short).values(expires=table.c.expires + long))
        query = sa.select(table.c.conversation).where(table.c.owner == "").distinct()
        with self._engine.connect() as db:
            found = [(each, self._owner(each)) for each in db.scalars(query).all()]
        claimed = [(conversation, owner) for conversation, owner in found if owner]
        with self._engine.begin() as db:
            for conversation, owner in claimed:
                mine = (table.c.conversation == conversation) & (table.c.owner == "")
                db.execute(sa.update(table).where(mine).values(owner=owner))
        return len(claimed)

    def _let_go(self) -> None:
        """Now and then: know no value any more that is gone from the rows."""
        with self._lock:
            now = self._ticks()
            if now - self._looked < LOOK_SECONDS:
                return
            self._looked, names = now, list(self._open)
        gone = sa.select(vault_entries.c.conversation).where(
            vault_entries.c.conversation.in_(names), vault_entries.c.value.is_(None)
        )
        with self._engine.connect() as db:
            touched = db.scalars(gone.distinct()).all()
        for conversation in touched:
            over = not conversation.startswith(OF_AGENT) and not self._owner(conversation)
            with self._lock:
                vault = self._open.pop(conversation, None) if over else None
                left = self._open.get(conversation)
            if vault is not None:
                vault.close()  # a turn that still holds it fills nothing again
            if left is not None:
                left.refresh()

    def _owner(self, conversation: str) -> str:
        """The pseudonym of a conversation's owner; of one whose first branch was deleted, of
        those that still use its names. Nothing for one that does not exist."""
        table = conversations
        whose = (table.c.id == conversation) | (table.c.root == conversation)
        with self._engine.connect() as db:
            person = db.scalar(sa.select(table.c.owner).where(whose).limit(1))
        return self._pseudonym(person) if person else ""

    def forget(self, conversation: str) -> None:
        """Erase the conversation's values: its placeholders stay placeholders for ever."""
        with self._lock:
            vault = self._open.pop(conversation, None)
        if vault is not None:
            vault.close()  # before the rows go: what it was just writing goes with them
        erase_conversation(self._engine, conversation)
