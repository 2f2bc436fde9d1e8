"""The open vaults of this process: one object per conversation, so that turns share it."""

import threading
from collections import OrderedDict

import sqlalchemy as sa

from guardrails.vault import Vault
from guardrails.vault_store import SqlVaultStore, erase_conversation

MOST = 512  # conversations kept open; an evicted one is read again from its rows


class Vaults:
    """`key` is the vault key; values are kept encrypted in `engine`. Thread-safe."""

    def __init__(self, engine: sa.Engine, key: bytes) -> None:
        self._engine = engine
        self._key = key
        self._open: OrderedDict[str, Vault] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, conversation: str, owner: str = "") -> Vault:
        """The vault of a conversation; a new one is empty. `owner` (a pseudonym) owns what it
        keeps from now on."""
        with self._lock:
            vault = self._open.get(conversation)
            if vault is None:
                rows = SqlVaultStore(self._engine, owner)
                vault = self._open[conversation] = Vault(conversation, self._key, rows)
                while len(self._open) > MOST:
                    self._open.popitem(last=False)
            self._open.move_to_end(conversation)
            return vault

    def forget(self, conversation: str) -> None:
        """Erase the conversation's values: its placeholders stay placeholders for ever."""
        with self._lock:
            vault = self._open.pop(conversation, None)
        if vault is not None:
            vault.close()  # before the rows go: what it was just writing goes with them
        erase_conversation(self._engine, conversation)
