"""The open vaults of this process: one object per conversation, so that turns share it."""

import threading
from collections import OrderedDict

from guardrails.vault import Vault, VaultStore

MOST = 512  # conversations kept open; an evicted one is read again from its rows


class Vaults:
    """`key` is the vault key; `rows` keeps entries encrypted. Thread-safe."""

    def __init__(self, key: bytes, rows: VaultStore) -> None:
        self._key = key
        self._rows = rows
        self._open: OrderedDict[str, Vault] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, conversation: str) -> Vault:
        """The vault of a conversation; a new one is empty."""
        with self._lock:
            vault = self._open.get(conversation)
            if vault is None:
                vault = self._open[conversation] = Vault(conversation, self._key, self._rows)
                while len(self._open) > MOST:
                    self._open.popitem(last=False)
            self._open.move_to_end(conversation)
            return vault

    def forget(self, conversation: str) -> None:
        """Erase the conversation's values: its placeholders stay placeholders for ever."""
        with self._lock:
            self._open.pop(conversation, None)
        self._rows.erase(conversation)
