"""What comes back: arrivals, bounces, conversations, letters of readers, small questions"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("publications", sa.Column("ask_feedback", sa.Boolean(), server_default=sa.false(), nullable=False))
    _arrivals()
    _hooks()
    _mailboxes()
    _saved_answers()
    _arrival_bytes()
    _conversations()
    _used_tokens()
    _voices()
    _conversation_words()
    _messages()
    _attachments()
    _bounces()
    _reader_letters()


def downgrade() -> None:
    op.drop_table("reader_letters")
    op.drop_table("bounces")
    op.drop_table("attachments")
    op.drop_table("messages")
    op.drop_table("conversation_words")
    op.drop_table("voices")
    op.drop_table("used_tokens")
    op.drop_table("conversations")
    op.drop_table("arrival_bytes")
    op.drop_table("saved_answers")
    op.drop_table("mailboxes")
    op.drop_table("hooks")
    op.drop_table("arrivals")
    op.drop_column("publications", "ask_feedback")


def _arrivals() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table('arrivals',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('publication_id', sa.Integer(), nullable=True),
        sa.Column('door', sa.String(length=20), nullable=False),
        sa.Column('sha256', sa.String(length=64), nullable=False),
        sa.Column('envelope_from', sa.String(length=320), nullable=False),
        sa.Column('envelope_to', sa.JSON(), nullable=False),
        sa.Column('sender', sa.String(length=254), nullable=False),
        sa.Column('subject', sa.String(length=200), nullable=False),
        sa.Column('size', sa.Integer(), nullable=False),
        sa.Column('received_at', moment, nullable=False),
        sa.Column('state', sa.String(length=11), nullable=False),
        sa.Column('kind', sa.String(length=12), nullable=False),
        sa.Column('why', sa.String(length=500), nullable=False),
        sa.Column('attempts', sa.Integer(), nullable=False),
        sa.Column('next_attempt_at', moment, nullable=False),
        sa.CheckConstraint("state IN ('new', 'done', 'quarantined', 'failed')", name='ck_arrivals_state'),
        sa.ForeignKeyConstraint(['publication_id'], ['publications.id'], name='fk_arrivals_publication_id', ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name='pk_arrivals'),
        sa.UniqueConstraint('sha256', name='uq_arrivals_sha256')
    )
    with op.batch_alter_table('arrivals') as batch_op:
        batch_op.create_index('ix_arrivals_open', ['next_attempt_at'], sqlite_where=sa.text("state = 'new'"), postgresql_where=sa.text("state = 'new'"))
        batch_op.create_index('ix_arrivals_publication_id', ['publication_id'])
        batch_op.create_index('ix_arrivals_state_received_at', ['state', 'received_at'])


def _hooks() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table('hooks',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('publication_id', sa.Integer(), nullable=False),
        sa.Column('provider', sa.String(length=10), nullable=False),
        sa.Column('digest', sa.String(length=64), nullable=False),
        sa.Column('secret', sa.Text(), nullable=False),
        sa.Column('key', sa.Text(), nullable=False),
        sa.Column('created_at', moment, nullable=False),
        sa.Column('called_at', moment, nullable=True),
        sa.Column('refused_at', moment, nullable=True),
        sa.Column('trouble', sa.String(length=300), nullable=False),
        sa.CheckConstraint("provider IN ('ses', 'mailgun', 'postmark', 'sendgrid', 'brevo', 'mailjet')", name='ck_hooks_provider'),
        sa.ForeignKeyConstraint(['publication_id'], ['publications.id'], name='fk_hooks_publication_id', ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name='pk_hooks'),
        sa.UniqueConstraint('digest', name='uq_hooks_digest')
    )
    with op.batch_alter_table('hooks') as batch_op:
        batch_op.create_index('ix_hooks_publication_id', ['publication_id'])


def _mailboxes() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table('mailboxes',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('publication_id', sa.Integer(), nullable=False),
        sa.Column('host', sa.String(length=253), nullable=False),
        sa.Column('port', sa.Integer(), nullable=False),
        sa.Column('security', sa.String(length=8), nullable=False),
        sa.Column('username', sa.String(length=254), nullable=False),
        sa.Column('secret', sa.Text(), nullable=False),
        sa.Column('folder', sa.String(length=200), nullable=False),
        sa.Column('validity', sa.Integer(), nullable=False),
        sa.Column('uid', sa.Integer(), nullable=False),
        sa.Column('trouble', sa.String(length=500), nullable=False),
        sa.Column('looked_at', moment, nullable=True),
        sa.Column('next_look_at', moment, nullable=False),
        sa.ForeignKeyConstraint(['publication_id'], ['publications.id'], name='fk_mailboxes_publication_id', ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name='pk_mailboxes'),
        sa.UniqueConstraint('publication_id', name='uq_mailboxes_publication_id')
    )


def _saved_answers() -> None:
    op.create_table('saved_answers',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('publication_id', sa.Integer(), nullable=False),
        sa.Column('name', sa.String(length=60), nullable=False),
        sa.Column('text', sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(['publication_id'], ['publications.id'], name='fk_saved_answers_publication_id', ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name='pk_saved_answers'),
        sa.UniqueConstraint('publication_id', 'name', name='uq_saved_answers_publication_id_name')
    )


def _arrival_bytes() -> None:
    op.create_table('arrival_bytes',
        sa.Column('arrival_id', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('raw', sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(['arrival_id'], ['arrivals.id'], name='fk_arrival_bytes_arrival_id', ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('arrival_id', name='pk_arrival_bytes')
    )


def _conversations() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table('conversations',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('publication_id', sa.Integer(), nullable=False),
        sa.Column('subscriber_id', sa.Integer(), nullable=True),
        sa.Column('issue_id', sa.Integer(), nullable=True),
        sa.Column('assignee_id', sa.Integer(), nullable=True),
        sa.Column('place', sa.String(length=9), nullable=False),
        sa.Column('state', sa.String(length=8), nullable=False),
        sa.Column('name', sa.String(length=120), nullable=False),
        sa.Column('email', sa.String(length=254), nullable=False),
        sa.Column('subject', sa.String(length=200), nullable=False),
        sa.Column('preview', sa.String(length=200), nullable=False),
        sa.Column('labels', sa.JSON(), nullable=False),
        sa.Column('suggestion', sa.String(length=10), nullable=False),
        sa.Column('unread', sa.Boolean(), nullable=False),
        sa.Column('opened_at', moment, nullable=False),
        sa.Column('last_at', moment, nullable=False),
        sa.Column('waiting_since', moment, nullable=True),
        sa.Column('waited', sa.Integer(), nullable=True),
        sa.Column('answered_at', moment, nullable=True),
        sa.CheckConstraint("place IN ('readers', 'strangers', 'spam')", name='ck_conversations_place'),
        sa.CheckConstraint("state IN ('open', 'answered', 'closed')", name='ck_conversations_state'),
        sa.ForeignKeyConstraint(['assignee_id'], ['editors.id'], name='fk_conversations_assignee_id', ondelete='SET NULL'),
        sa.ForeignKeyConstraint(['issue_id'], ['issues.id'], name='fk_conversations_issue_id', ondelete='SET NULL'),
        sa.ForeignKeyConstraint(['publication_id'], ['publications.id'], name='fk_conversations_publication_id', ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['subscriber_id'], ['subscribers.id'], name='fk_conversations_subscriber_id', ondelete='SET NULL'),
        sa.PrimaryKeyConstraint('id', name='pk_conversations')
    )
    with op.batch_alter_table('conversations') as batch_op:
        batch_op.create_index('ix_conversations_assignee_id', ['assignee_id'])
        batch_op.create_index('ix_conversations_issue_id', ['issue_id'])
        batch_op.create_index('ix_conversations_publication_id_answered_at', ['publication_id', 'answered_at'])
        batch_op.create_index('ix_conversations_publication_id_email', ['publication_id', 'email'])
        batch_op.create_index('ix_conversations_shelf', ['publication_id', 'place', 'state', 'last_at', 'id'])
        batch_op.create_index('ix_conversations_subscriber_id', ['subscriber_id'])
        batch_op.create_index('ix_conversations_waiting', ['publication_id', 'place', 'state', 'waiting_since'])


def _used_tokens() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table('used_tokens',
        sa.Column('hook_id', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('token', sa.String(length=64), nullable=False),
        sa.Column('at', moment, nullable=False),
        sa.ForeignKeyConstraint(['hook_id'], ['hooks.id'], name='fk_used_tokens_hook_id', ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('hook_id', 'token', name='pk_used_tokens')
    )
    with op.batch_alter_table('used_tokens') as batch_op:
        batch_op.create_index('ix_used_tokens_at', ['at'])


def _voices() -> None:
    op.create_table('voices',
        sa.Column('issue_id', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('question', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('fingerprint', sa.String(length=64), nullable=False),
        sa.Column('choice', sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(['issue_id'], ['issues.id'], name='fk_voices_issue_id', ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('issue_id', 'question', 'fingerprint', name='pk_voices')
    )


def _conversation_words() -> None:
    op.create_table('conversation_words',
        sa.Column('publication_id', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('word', sa.String(length=24), nullable=False),
        sa.Column('conversation_id', sa.Integer(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(['conversation_id'], ['conversations.id'], name='fk_conversation_words_conversation_id', ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('publication_id', 'word', 'conversation_id', name='pk_conversation_words')
    )
    with op.batch_alter_table('conversation_words') as batch_op:
        batch_op.create_index('ix_conversation_words_conversation_id', ['conversation_id'])


def _messages() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table('messages',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('conversation_id', sa.Integer(), nullable=False),
        sa.Column('kind', sa.String(length=6), nullable=False),
        sa.Column('at', moment, nullable=False),
        sa.Column('editor_id', sa.Integer(), nullable=True),
        sa.Column('name', sa.String(length=120), nullable=False),
        sa.Column('email', sa.String(length=254), nullable=False),
        sa.Column('subject', sa.String(length=200), nullable=False),
        sa.Column('text', sa.Text(), nullable=False),
        sa.Column('folded', sa.Text(), nullable=False),
        sa.Column('rich', sa.Boolean(), nullable=False),
        sa.Column('message_id', sa.String(length=255), nullable=False),
        sa.Column('in_reply_to', sa.String(length=255), nullable=False),
        sa.Column('references', sa.String(length=4000), nullable=False),
        sa.Column('arrival_id', sa.Integer(), nullable=True),
        sa.Column('state', sa.String(length=8), nullable=False),
        sa.Column('sender', sa.String(length=254), nullable=False),
        sa.Column('attempts', sa.Integer(), nullable=False),
        sa.Column('next_attempt_at', moment, nullable=True),
        sa.Column('lease_until', moment, nullable=True),
        sa.Column('reply', sa.String(length=500), nullable=False),
        sa.CheckConstraint("kind IN ('in', 'out', 'note', 'failed')", name='ck_messages_kind'),
        sa.CheckConstraint("state IN ('', 'queued', 'accepted', 'failed')", name='ck_messages_state'),
        sa.ForeignKeyConstraint(['conversation_id'], ['conversations.id'], name='fk_messages_conversation_id', ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['editor_id'], ['editors.id'], name='fk_messages_editor_id', ondelete='SET NULL'),
        sa.PrimaryKeyConstraint('id', name='pk_messages')
    )
    with op.batch_alter_table('messages') as batch_op:
        batch_op.create_index('ix_messages_arrival_id', ['arrival_id'])
        batch_op.create_index('ix_messages_conversation_id', ['conversation_id'])
        batch_op.create_index('ix_messages_editor_id', ['editor_id'])
        batch_op.create_index('ix_messages_message_id', ['message_id'])
        batch_op.create_index('ix_messages_open', ['next_attempt_at'], sqlite_where=sa.text("state = 'queued'"), postgresql_where=sa.text("state = 'queued'"))


def _attachments() -> None:
    op.create_table('attachments',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('message_id', sa.Integer(), nullable=False),
        sa.Column('part', sa.Integer(), nullable=False),
        sa.Column('name', sa.String(length=120), nullable=False),
        sa.Column('kind', sa.String(length=80), nullable=False),
        sa.Column('size', sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(['message_id'], ['messages.id'], name='fk_attachments_message_id', ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name='pk_attachments')
    )
    with op.batch_alter_table('attachments') as batch_op:
        batch_op.create_index('ix_attachments_message_id', ['message_id'])


def _bounces() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table('bounces',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('publication_id', sa.Integer(), nullable=False),
        sa.Column('mailing_id', sa.Integer(), nullable=False),
        sa.Column('delivery_id', sa.Integer(), nullable=False),
        sa.Column('subscriber_id', sa.Integer(), nullable=True),
        sa.Column('provider', sa.String(length=254), nullable=False),
        sa.Column('at', moment, nullable=False),
        sa.Column('kind', sa.String(length=10), nullable=False),
        sa.Column('reason', sa.String(length=30), nullable=False),
        sa.Column('source', sa.String(length=5), nullable=False),
        sa.Column('status', sa.String(length=12), nullable=False),
        sa.Column('code', sa.Integer(), nullable=True),
        sa.Column('text', sa.String(length=500), nullable=False),
        sa.Column('strong', sa.Boolean(), nullable=False),
        sa.Column('consequence', sa.String(length=20), nullable=False),
        sa.CheckConstraint("kind IN ('dead', 'full', 'temporary', 'content', 'sender', 'unclear', 'complaint')", name='ck_bounces_kind'),
        sa.CheckConstraint("source IN ('reply', 'mail', 'event')", name='ck_bounces_source'),
        sa.ForeignKeyConstraint(['delivery_id'], ['deliveries.id'], name='fk_bounces_delivery_id', ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['mailing_id'], ['mailings.id'], name='fk_bounces_mailing_id', ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['publication_id'], ['publications.id'], name='fk_bounces_publication_id', ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['subscriber_id'], ['subscribers.id'], name='fk_bounces_subscriber_id', ondelete='SET NULL'),
        sa.PrimaryKeyConstraint('id', name='pk_bounces'),
        sa.UniqueConstraint('delivery_id', 'kind', name='uq_bounces_delivery_id_kind')
    )
    with op.batch_alter_table('bounces') as batch_op:
        batch_op.create_index('ix_bounces_mailing_id_kind', ['mailing_id', 'kind'])
        batch_op.create_index('ix_bounces_publication_id_at', ['publication_id', 'at'])
        batch_op.create_index('ix_bounces_subscriber_id_at', ['subscriber_id', 'at'])


def _reader_letters() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table('reader_letters',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('publication_id', sa.Integer(), nullable=False),
        sa.Column('issue_id', sa.Integer(), nullable=False),
        sa.Column('conversation_id', sa.Integer(), nullable=False),
        sa.Column('message_id', sa.Integer(), nullable=False),
        sa.Column('state', sa.String(length=9), nullable=False),
        sa.Column('digest', sa.String(length=64), nullable=False),
        sa.Column('text', sa.Text(), nullable=False),
        sa.Column('name', sa.String(length=120), nullable=False),
        sa.Column('wording', sa.Text(), nullable=False),
        sa.Column('language', sa.String(length=5), nullable=False),
        sa.Column('asked_at', moment, nullable=False),
        sa.Column('decided_at', moment, nullable=True),
        sa.CheckConstraint("state IN ('asked', 'agreed', 'declined', 'withdrawn')", name='ck_reader_letters_state'),
        sa.ForeignKeyConstraint(['conversation_id'], ['conversations.id'], name='fk_reader_letters_conversation_id', ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['issue_id'], ['issues.id'], name='fk_reader_letters_issue_id', ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['message_id'], ['messages.id'], name='fk_reader_letters_message_id', ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['publication_id'], ['publications.id'], name='fk_reader_letters_publication_id', ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name='pk_reader_letters'),
        sa.UniqueConstraint('digest', name='uq_reader_letters_digest'),
        sa.UniqueConstraint('message_id', name='uq_reader_letters_message_id')
    )
    with op.batch_alter_table('reader_letters') as batch_op:
        batch_op.create_index('ix_reader_letters_conversation_id', ['conversation_id'])
        batch_op.create_index('ix_reader_letters_issue_id', ['issue_id'])
        batch_op.create_index('ix_reader_letters_publication_id', ['publication_id'])
