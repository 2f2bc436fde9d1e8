"""Documents of a published version, held as they were; what a turn was for; one open request each.

What colleagues read on the day of the upgrade is held for the live version. Of older versions what
is still there with the same content is held; going back to one that lacks a document is refused.
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

OPEN = sa.text("state IN ('checking', 'waiting')")


def upgrade() -> None:
    _tables()
    _one_open_request()
    _hold()
    op.add_column("traces", sa.Column("purpose", sa.Text(), nullable=False, server_default="chat"))
    # with the purpose in it counting needs no look at the rows
    op.drop_index("ix_traces_verdict_id", "traces")
    op.create_index("ix_traces_verdict_id", "traces", ["verdict", "id", "purpose"])


def _tables() -> None:
    op.create_table(
        "knowledge_frozen",
        sa.Column("holder", sa.String(40), nullable=False),
        sa.Column("document", sa.Integer(), nullable=False),
        sa.Column("agent", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(
            ["document"], ["knowledge_documents.id"], name=op.f("fk_knowledge_frozen_document")
        ),
        sa.PrimaryKeyConstraint("holder", "document", name=op.f("pk_knowledge_frozen")),
    )
    op.create_index("ix_knowledge_frozen_document", "knowledge_frozen", ["document"])
    op.create_index(op.f("ix_knowledge_frozen_agent"), "knowledge_frozen", ["agent"])
    op.create_table(
        "agent_contents",
        sa.Column("agent", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("agent", "digest", name=op.f("pk_agent_contents")),
    )
    op.create_table(
        "agent_frozen_files",
        sa.Column("holder", sa.String(40), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("agent", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("holder", "name", name=op.f("pk_agent_frozen_files")),
    )
    op.create_index(op.f("ix_agent_frozen_files_agent"), "agent_frozen_files", ["agent"])
    op.execute(
        "INSERT INTO agent_contents (agent, digest, name, size, data)"
        " SELECT f.agent, f.digest, f.name, f.size, f.data FROM agent_files f"
        " WHERE f.name = (SELECT min(o.name) FROM agent_files o"
        " WHERE o.agent = f.agent AND o.digest = f.digest)"
    )
    op.drop_column("agent_files", "size")
    op.drop_column("agent_files", "data")
    op.add_column(
        "publish_requests", sa.Column("documents", sa.JSON(), nullable=False, server_default="{}")
    )


def _one_open_request() -> None:
    """Of several open requests for an agent the newest stays; runs of a dead server are over."""
    op.execute(
        "UPDATE publish_requests SET state = 'replaced'"
        " WHERE state IN ('checking', 'waiting') AND EXISTS (SELECT 1 FROM publish_requests o"
        " WHERE o.agent = publish_requests.agent AND o.state IN ('checking', 'waiting')"
        " AND (o.asked > publish_requests.asked"
        " OR (o.asked = publish_requests.asked AND o.id > publish_requests.id)))"
    )
    op.create_index(
        "ix_publish_requests_open",
        "publish_requests",
        ["agent"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    op.execute("UPDATE evaluation_runs SET state = 'interrupted' WHERE state = 'running'")
    running = sa.text("state = 'running'")
    op.create_index(
        "ix_evaluation_runs_running",
        "evaluation_runs",
        ["agent", "by"],
        unique=True,
        sqlite_where=running,
        postgresql_where=running,
    )


def _hold() -> None:
    db = op.get_bind()
    # masked texts of documents that agents' files name are made again, by content, at first use
    scope = sa.column("scope", sa.Text)
    names = sa.table("knowledge_documents", sa.column("id", sa.Integer), scope)
    passages = sa.table("knowledge_passages", sa.column("document", sa.Integer))
    late = sa.and_(scope.startswith("agent:"), sa.or_(scope.endswith(":en"), scope.endswith(":fr")))
    old = sa.select(names.c.id).where(late)
    db.execute(sa.delete(passages).where(passages.c.document.in_(old)))
    db.execute(sa.delete(names).where(late))
    versions = db.execute(
        sa.text(
            "SELECT r.agent, r.request, r.documents, l.version AS live FROM agent_releases r"
            " LEFT JOIN agent_live l ON l.agent = r.agent AND l.version = r.version"
        )
    ).all()
    for one in versions:
        known = one.documents if isinstance(one.documents, dict) else json.loads(one.documents)
        _hold_for(db, one.agent, one.request, None if one.live else known)
    asked = sa.text(
        "SELECT id, agent, spec, evidence FROM publish_requests"
        " WHERE state IN ('checking', 'waiting')"
    )
    for one in db.execute(asked).all():
        found, files = _hold_for(db, one.agent, one.id, None)
        evidence, spec = (
            each if isinstance(each, dict) else json.loads(each)
            for each in (one.evidence, one.spec)
        )
        named = {name: files[name] for name in spec.get("knowledge", ()) if name in files}
        reads = {**evidence.get("documents", {}), **named, **found}
        db.execute(
            sa.text("UPDATE publish_requests SET documents = :documents WHERE id = :id").bindparams(
                sa.bindparam("documents", type_=sa.JSON)
            ),
            {"documents": reads, "id": one.id},
        )


def _hold_for(
    db: sa.Connection, agent: str, holder: str, known: dict[str, str] | None
) -> tuple[dict[str, str], dict[str, str]]:
    """Hold what is there now, or of it what has the content that is `known`: uploads, files."""
    uploads, files = {}, {}
    rows = db.execute(
        sa.text(
            "SELECT id, name, digest FROM knowledge_documents WHERE scope = :scope AND complete"
        ),
        {"scope": f"agent:{agent}:docs"},
    ).all()
    for row in rows:
        if known is None or known.get(row.name) == row.digest:
            uploads[row.name] = row.digest
            db.execute(
                sa.text("INSERT INTO knowledge_frozen VALUES (:holder, :document, :agent)"),
                {"holder": holder, "document": row.id, "agent": agent},
            )
    rows = db.execute(
        sa.text("SELECT name, digest FROM agent_files WHERE agent = :agent"), {"agent": agent}
    ).all()
    for row in rows:
        # cases' files, too, which no list of documents names
        if known is None or known.get(row.name, row.digest) == row.digest:
            files[row.name] = row.digest
            db.execute(
                sa.text("INSERT INTO agent_frozen_files VALUES (:holder, :name, :agent, :digest)"),
                {"holder": holder, "name": row.name, "agent": agent, "digest": row.digest},
            )
    return uploads, files
