"""Agents, conversations, documents, people and pseudonyms."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = '0001'


def upgrade() -> None:
    op.create_table('agent_drafts',
    sa.Column('id', sa.String(length=64), nullable=False),
    sa.Column('owner', sa.String(length=128), nullable=False),
    sa.Column('base', sa.String(length=64), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('created', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_agent_drafts'))
    )
    op.create_index(op.f('ix_agent_drafts_owner'), 'agent_drafts', ['owner'], unique=False)
    op.create_table('conversations',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('agent', sa.String(length=64), nullable=False),
    sa.Column('version', sa.String(length=80), nullable=False),
    sa.Column('owner', sa.String(length=128), nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('started', sa.DateTime(timezone=True), nullable=False),
    sa.Column('touched', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_conversations'))
    )
    op.create_index('ix_conversations_owner_touched', 'conversations', ['owner', 'touched'], unique=False)
    op.create_table('knowledge_documents',
    sa.Column('id', sa.Integer(), autoincrement=True, nullable=False),
    sa.Column('scope', sa.String(length=120), nullable=False),
    sa.Column('owner', sa.String(length=128), nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('pages', sa.Integer(), nullable=False),
    sa.Column('words', sa.Integer(), nullable=False),
    sa.Column('complete', sa.Boolean(), nullable=False),
    sa.Column('added', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_knowledge_documents')),
    sa.UniqueConstraint('scope', 'name', name=op.f('uq_knowledge_documents_scope_name'))
    )
    op.create_table('people',
    sa.Column('id', sa.String(length=40), nullable=False),
    sa.Column('login', sa.String(length=200), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('department', sa.String(length=200), nullable=False),
    sa.Column('roles', sa.String(length=200), nullable=False),
    sa.Column('language', sa.String(length=2), nullable=False),
    sa.Column('password', sa.String(length=200), nullable=False),
    sa.Column('created', sa.String(length=40), nullable=False),
    sa.Column('disabled', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_people')),
    sa.UniqueConstraint('login', name=op.f('uq_people_login'))
    )
    op.create_table('sign_ins',
    sa.Column('token', sa.String(length=64), nullable=False),
    sa.Column('person', sa.String(length=40), nullable=False),
    sa.Column('started', sa.String(length=40), nullable=False),
    sa.Column('renewed', sa.String(length=40), nullable=False),
    sa.Column('ends', sa.String(length=40), nullable=False),
    sa.Column('replaced', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('token', name=op.f('pk_sign_ins'))
    )
    op.create_index(op.f('ix_sign_ins_person'), 'sign_ins', ['person'], unique=False)
    op.create_table('vault_entries',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('conversation', sa.String(length=64), nullable=False),
    sa.Column('owner', sa.String(length=64), nullable=False),
    sa.Column('kind', sa.String(length=96), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('variant', sa.Integer(), nullable=False),
    sa.Column('value', sa.LargeBinary(), nullable=True),
    sa.Column('fingerprint', sa.String(length=64), nullable=True),
    sa.Column('expires', sa.Float(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_vault_entries')),
    sa.UniqueConstraint('conversation', 'kind', 'number', 'variant', name=op.f('uq_vault_entries_conversation_kind_number_variant'))
    )
    op.create_index(op.f('ix_vault_entries_expires'), 'vault_entries', ['expires'], unique=False)
    op.create_index(op.f('ix_vault_entries_fingerprint'), 'vault_entries', ['fingerprint'], unique=False)
    op.create_index('ix_vault_entries_owner', 'vault_entries', ['owner'], unique=False)
    op.create_table('agent_versions',
    sa.Column('agent', sa.String(length=64), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('hash', sa.String(length=64), nullable=False),
    sa.Column('spec', sa.JSON(), nullable=False),
    sa.Column('saved', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['agent'], ['agent_drafts.id'], name=op.f('fk_agent_versions_agent')),
    sa.PrimaryKeyConstraint('agent', 'number', name=op.f('pk_agent_versions'))
    )
    op.create_table('knowledge_passages',
    sa.Column('document', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('page', sa.Integer(), nullable=True),
    sa.Column('heading', sa.Text(), nullable=False),
    sa.Column('before', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('vector', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['document'], ['knowledge_documents.id'], name=op.f('fk_knowledge_passages_document')),
    sa.PrimaryKeyConstraint('document', 'number', name=op.f('pk_knowledge_passages'))
    )
    op.create_table('messages',
    sa.Column('conversation', sa.String(length=32), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('role', sa.String(length=16), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('trace_id', sa.String(length=32), nullable=False),
    sa.Column('extra', sa.JSON(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['conversation'], ['conversations.id'], name=op.f('fk_messages_conversation')),
    sa.PrimaryKeyConstraint('conversation', 'number', name=op.f('pk_messages'))
    )

