"""The same message to several agents, side by side, and which answer a person found best."""

import datetime as dt
import secrets
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Final

import sqlalchemy as sa

from guardrails.errors import BadInput
from guardrails.store import metadata

LABELS: Final = "ABCD"
NEITHER: Final = ("none", "same")  # votes beside a label

comparisons = sa.Table(
    "comparisons",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("owner", sa.String(128), nullable=False),
    sa.Column("text", sa.Text, nullable=False),  # masked for good
    sa.Column("sides", sa.JSON, nullable=False),
    sa.Column("vote", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False),  # masked
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("voted", sa.BigInteger),
    sa.Index("ix_comparisons_owner", "owner"),
)


@dataclass(frozen=True, slots=True)
class Side:
    """One column. `model` is "" for the agent's own; `label` hides which it is until the vote."""

    label: str
    agent: str
    version: str
    model: str
    conversation: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison; `vote` is a label, `none`, `same` or "" while nobody has voted."""

    id: str
    text: str
    sides: tuple[Side, ...]
    vote: str
    note: str
    at: float


def forget(db: sa.Connection, conversation: str) -> None:
    """Blank what was asked and noted in comparisons that a conversation is a column of."""
    which = sa.cast(comparisons.c.sides, sa.Text).contains(f'"{conversation}"', autoescape=True)
    db.execute(sa.update(comparisons).where(which).values(text="", note=""))


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Comparisons:
    """The comparisons of one store; every method takes the owner."""

    def __init__(self, engine: sa.Engine, now: Callable[[], dt.datetime] = _now) -> None:
        self._engine = engine
        self._now = now

    def start(self, owner: str, text: str, sides: Sequence[Side]) -> Comparison:
        """Keep what is compared; `text` is masked."""
        row = {
            "id": f"v_{secrets.token_hex(10)}",
            "owner": owner,
            "text": text,
            "sides": [asdict(side) for side in sides],
            "vote": "",
            "note": "",
            "at": int(self._now().timestamp() * 1e6),
        }
        with self._engine.begin() as db:
            db.execute(sa.insert(comparisons), row)
        return self.get(str(row["id"]), owner)

    def get(self, identity: str, owner: str) -> Comparison:
        """One of the owner's. Raises BadInput("no-such-comparison")."""
        with self._engine.connect() as db:
            row = db.execute(
                sa.select(comparisons).where(
                    comparisons.c.id == identity, comparisons.c.owner == owner
                )
            ).first()
        if row is None:
            raise BadInput("no-such-comparison")
        sides = tuple(Side(**side) for side in row.sides)
        return Comparison(row.id, row.text, sides, row.vote, row.note, row.at / 1e6)

    def open(self, identity: str, owner: str, vote: str) -> Comparison:
        """One of the owner's that may still get this vote. Raises as `vote`."""
        found = self.get(identity, owner)
        if vote not in (*NEITHER, *(side.label for side in found.sides)):
            raise BadInput("bad-vote")
        if found.vote:
            raise BadInput("wrong-state", state="voted")
        return found

    def vote(self, identity: str, owner: str, vote: str, note: str) -> Comparison:
        """Say which was best, once. Raises BadInput: bad-vote, wrong-state, no-such-comparison."""
        self.open(identity, owner, vote)
        with self._engine.begin() as db:
            done = db.execute(
                sa.update(comparisons)
                .where(comparisons.c.id == identity, comparisons.c.vote == "")
                .values(vote=vote, note=note, voted=int(self._now().timestamp() * 1e6))
            )
        if not done.rowcount:
            raise BadInput("wrong-state", state="voted")
        return self.get(identity, owner)
