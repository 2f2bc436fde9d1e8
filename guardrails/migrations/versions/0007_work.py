"""What people make and say: evaluation, feedback, preferences."""

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Nothing yet."""
