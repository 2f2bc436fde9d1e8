"""Publishing: requests, releases, evaluation; the version a copy was made from."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table('publish_requests',
    sa.Column('id', sa.String(length=40), nullable=False),
    sa.Column('agent', sa.String(length=64), nullable=False),
    sa.Column('owner', sa.String(length=128), nullable=False),
    sa.Column('department', sa.String(length=200), nullable=False),
    sa.Column('roles', sa.String(length=200), nullable=False),
    sa.Column('version', sa.String(length=16), nullable=False),
    sa.Column('audience', sa.String(length=260), nullable=False),
    sa.Column('notes', sa.Text(), nullable=False),
    sa.Column('spec', sa.JSON(), nullable=False),
    sa.Column('hash', sa.String(length=64), nullable=False),
    sa.Column('changed', sa.JSON(), nullable=False),
    sa.Column('evidence', sa.JSON(), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('asked', sa.DateTime(timezone=True), nullable=False),
    sa.Column('decided_by', sa.String(length=128), nullable=False),
    sa.Column('decided', sa.DateTime(timezone=True), nullable=True),
    sa.Column('note', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_publish_requests'))
    )
    op.create_index('ix_publish_requests_agent', 'publish_requests', ['agent'], unique=False)
    op.create_index('ix_publish_requests_state_asked', 'publish_requests', ['state', 'asked'], unique=False)
    op.create_table('agent_releases',
    sa.Column('agent', sa.String(length=64), nullable=False),
    sa.Column('version', sa.String(length=16), nullable=False),
    sa.Column('hash', sa.String(length=64), nullable=False),
    sa.Column('spec', sa.JSON(), nullable=False),
    sa.Column('audience', sa.String(length=260), nullable=False),
    sa.Column('notes', sa.Text(), nullable=False),
    sa.Column('request', sa.String(length=40), nullable=False),
    sa.Column('approved_by', sa.String(length=128), nullable=False),
    sa.Column('model', sa.String(length=200), nullable=False),
    sa.Column('documents', sa.JSON(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('agent', 'version', name=op.f('pk_agent_releases'))
    )
    op.create_table('agent_live',
    sa.Column('agent', sa.String(length=64), nullable=False),
    sa.Column('owner', sa.String(length=128), nullable=False),
    sa.Column('department', sa.String(length=200), nullable=False),
    sa.Column('version', sa.String(length=16), nullable=False),
    sa.Column('audience', sa.String(length=260), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('since', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('agent', name=op.f('pk_agent_live'))
    )
    op.create_index('ix_agent_live_audience', 'agent_live', ['audience'], unique=False)
    op.create_index('ix_agent_live_owner', 'agent_live', ['owner'], unique=False)
    op.create_table('request_comments',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('request', sa.String(length=40), nullable=False),
    sa.Column('by', sa.String(length=128), nullable=False),
    sa.Column('line', sa.String(length=120), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_request_comments'))
    )
    op.create_index('ix_request_comments_request', 'request_comments', ['request'], unique=False)
    op.create_table('agent_ratings',
    sa.Column('agent', sa.String(length=64), nullable=False),
    sa.Column('person', sa.String(length=128), nullable=False),
    sa.Column('stars', sa.Integer(), nullable=False),
    sa.Column('version', sa.String(length=16), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('agent', 'person', name=op.f('pk_agent_ratings'))
    )
    op.create_table('agent_reports',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('agent', sa.String(length=64), nullable=False),
    sa.Column('version', sa.String(length=16), nullable=False),
    sa.Column('person', sa.String(length=128), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('input', sa.Text(), nullable=False),
    sa.Column('trace_id', sa.String(length=32), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('case', sa.String(length=64), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_agent_reports'))
    )
    op.create_index('ix_agent_reports_agent', 'agent_reports', ['agent'], unique=False)
    op.create_table('agent_files',
    sa.Column('agent', sa.String(length=64), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('data', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('agent', 'name', name=op.f('pk_agent_files'))
    )
    op.create_table('agent_imports',
    sa.Column('agent', sa.String(length=64), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('content', sa.String(length=64), nullable=False),
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('claims', sa.JSON(), nullable=False),
    sa.Column('by', sa.String(length=128), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('agent', name=op.f('pk_agent_imports'))
    )
    op.create_table('evaluation_runs',
    sa.Column('id', sa.String(length=40), nullable=False),
    sa.Column('agent', sa.String(length=64), nullable=False),
    sa.Column('content', sa.String(length=64), nullable=False),
    sa.Column('by', sa.String(length=128), nullable=False),
    sa.Column('role', sa.String(length=16), nullable=False),
    sa.Column('which', sa.String(length=16), nullable=False),
    sa.Column('repeats', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('done', sa.Integer(), nullable=False),
    sa.Column('total', sa.Integer(), nullable=False),
    sa.Column('model', sa.String(length=200), nullable=False),
    sa.Column('error', sa.String(length=64), nullable=False),
    sa.Column('started', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_evaluation_runs'))
    )
    op.create_index('ix_evaluation_runs_agent_started', 'evaluation_runs', ['agent', 'started'], unique=False)
    op.create_table('evaluation_results',
    sa.Column('run', sa.String(length=40), nullable=False),
    sa.Column('case', sa.String(length=80), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('passed', sa.Boolean(), nullable=False),
    sa.Column('detail', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('run', 'case', name=op.f('pk_evaluation_results'))
    )
    op.add_column('agent_drafts', sa.Column('base_version', sa.String(length=16), nullable=False, server_default=''))
