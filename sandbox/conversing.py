"""What belongs to one conversation: its real values and files, for its owner, and its end."""

from dataclasses import dataclass
from typing import Any

from guardrails.actor import Actor
from guardrails.vault import Vault
from sandbox.broker.tool_call import as_given
from sandbox.turn_parts import Parts
from sandbox.uploads import Kept


@dataclass(frozen=True)
class Opening:
    """What a turn of a person with an agent needs before it can begin."""

    person: str  # the pseudonym
    root: str
    vault: Vault
    lifted: frozenset[str]  # rules that security has lifted for this person, now


class Conversing(Parts):
    """The parts of the house, asked about one conversation. The caller has checked whose it is."""

    def open(self, actor: Actor, agent: str, conversation: str, root: str = "") -> Opening:
        """Look up what a turn needs; for a thread that is at it anyway."""
        person = self.pseudonym(actor.id)
        whose = root or self.conversations.root(conversation)
        vault = self.vaults.open(whose, person)
        return Opening(person, whose, vault, self.broker.exceptions.lifted(person, agent))

    def restore(self, conversation: str, text: str) -> str:
        """Masked text of a conversation with real values, for its owner only."""
        return self.vaults.open(self.conversations.root(conversation)).restore(text)

    def masked(self, conversation: str, text: str) -> str:
        """`text` with personal data masked by the conversation's names. Raises ScreenFailed."""
        vault = self.vaults.open(self.conversations.root(conversation))
        return self.screen.text(text, vault).text

    def exact(self, conversation: str, tool: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Arguments of a tool as it will get them, for the conversation's owner only."""
        root = self.conversations.root(conversation)
        return as_given(self.vaults.open(root), tool, payload)

    def artefact(self, id: str, owner: str) -> Kept:
        """A file that an agent made for `owner`. Raises BadInput("file-not-found")."""
        return self.uploads.artefact(id, owner)

    def forget(self, conversation: str) -> None:
        """Remove the conversation's files, documents and vault: nothing restores it.

        What waits in it need not be decided any more. Names and files that branches share stay
        until the last of them is forgotten.
        """
        for turn, _, _ in self.paused.all(conversation):
            for asked in self.broker.approvals.of(turn):
                self.broker.approvals.withdraw(asked.id)
            self.paused.drop(turn)
        root = self.conversations.root(conversation)
        shared = [one for one in self.conversations.family(root) if one != conversation]
        if shared and conversation == root:
            return
        self.uploads.forget(conversation)
        if not shared:
            self.uploads.forget(root)
            self.attachments.forget(root)
            self.vaults.forget(root)
