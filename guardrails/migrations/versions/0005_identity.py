"""Groups, one-time passwords, API keys, provisioning, branding; sessions that can be listed."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def _text(name: str, length: int, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False, server_default=default)


def upgrade() -> None:
    """People get a source and derived roles; new tables for the rest."""
    for column in (
        _text("email", 200),
        _text("external", 200),
        _text("oidc", 60),
        _text("kind", 10, "person"),
        _text("source", 10, "local"),
        _text("group_roles", 200),
        _text("changed", 40),
        _text("signed_in", 40),
        sa.Column("details", sa.Text, nullable=False, server_default="{}"),
        sa.Column("once", sa.Boolean, nullable=False, server_default=sa.false()),
    ):
        op.add_column("people", column)
    op.create_index(op.f("ix_people_external"), "people", ["external"])
    op.create_index(op.f("ix_people_oidc"), "people", ["oidc"])
    op.add_column("sign_ins", _text("provider_session", 64))
    op.add_column("sign_ins", _text("agent", 200))
    op.create_index(op.f("ix_sign_ins_provider_session"), "sign_ins", ["provider_session"])
    op.create_table(
        "people_groups",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("folded", sa.String(200), nullable=False),
        sa.Column("external", sa.String(200), nullable=False),
        sa.Column("source", sa.String(10), nullable=False),
        sa.Column("roles", sa.String(200), nullable=False),
        sa.Column("created", sa.String(40), nullable=False),
        sa.Column("changed", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people_groups")),
        sa.UniqueConstraint("folded", name=op.f("uq_people_groups_folded")),
    )
    op.create_table(
        "people_group_members",
        sa.Column("group", sa.String(40), nullable=False),
        sa.Column("person", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("group", "person", name=op.f("pk_people_group_members")),
    )
    op.create_index(op.f("ix_people_group_members_person"), "people_group_members", ["person"])
    op.create_table(
        "password_links",
        sa.Column("token", sa.String(64), nullable=False),
        sa.Column("person", sa.String(40), nullable=False),
        sa.Column("ends", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_password_links")),
    )
    op.create_index(op.f("ix_password_links_person"), "password_links", ["person"])
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("hint", sa.String(12), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("owner", sa.String(40), nullable=False),
        sa.Column("maker", sa.String(40), nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("created", sa.String(40), nullable=False),
        sa.Column("ends", sa.String(40), nullable=False),
        sa.Column("used", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_keys_digest")),
    )
    op.create_index(op.f("ix_api_keys_owner"), "api_keys", ["owner"])
    op.create_table(
        "branding",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("accent", sa.String(7), nullable=False),
        sa.Column("logo", sa.LargeBinary, nullable=True),
        sa.Column("changed", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_branding")),
    )
