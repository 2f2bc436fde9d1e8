"""Rules and the record."""

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Both streams of work; each in its own function."""
    _rules()
    _record()


def _rules() -> None:
    """Policy versions, model connections: the policy engineer's tables."""


def _record() -> None:
    """The record engineer's tables."""
