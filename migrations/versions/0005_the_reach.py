"""Reach: what channels are, what was counted, announcements, text messages, drills"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = ("text_messages", "announcements", "visits", "figures", "goals", "drills", "phones", "notes", "outlets", "gateways")
COLUMNS = {
    "channels": ("kind", "cost", "note", "profile", "linked_at", "ended_at"),
    "links": ("landing", "headline", "lead", "entries", "path", "ended_at"),
    "subscriptions": ("heard_id", "recommended_by", "recommended"),
}
# Channels had names only; these are the ones that a publication began with, and the usual platforms.
KINDS = {
    "site": ("Eigene Website", "Own website"), "archive": ("Archiv", "Archive"), "recommendation": ("Empfehlung", "Recommendation"),
    "search": ("Suche", "Search"), "instagram": ("Instagram",), "linkedin": ("LinkedIn",), "facebook": ("Facebook",), "xing": ("Xing", "XING"),
    "mastodon": ("Mastodon",), "bluesky": ("Bluesky",), "tiktok": ("TikTok",), "youtube": ("YouTube",), "x": ("X", "Twitter"), "telegram": ("Telegram",),
    "whatsapp": ("WhatsApp", "WhatsApp-Kanal"), "podcast": ("Podcast",), "feed": ("RSS", "Feed"),
}


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table('gateways',
        sa.Column('publication_id', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('address', sa.String(length=500), nullable=False),
        sa.Column('shape', sa.String(length=10), nullable=False),
        sa.Column('headers', sa.Text(), nullable=False),
        sa.Column('body', sa.Text(), nullable=False),
        sa.Column('sender', sa.String(length=20), nullable=False),
        sa.Column('success', sa.String(length=200), nullable=False),
        sa.Column('price', sa.Integer(), nullable=False),
        sa.Column('only_emergencies', sa.Boolean(), nullable=False),
        sa.Column('changed_at', moment, nullable=False),
        sa.CheckConstraint("shape IN ('json', 'form', 'query')", name=op.f('ck_gateways_shape')),
        sa.ForeignKeyConstraint(['publication_id'], ['publications.id'], name=op.f('fk_gateways_publication_id'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('publication_id', name=op.f('pk_gateways'))
    )
    op.create_table('goals',
        sa.Column('publication_id', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('percent', sa.Integer(), nullable=False),
        sa.Column('until', sa.Date(), nullable=True),
        sa.Column('list_share', sa.Integer(), nullable=False),
        sa.Column('alert', sa.Boolean(), nullable=False),
        sa.Column('alerted_at', moment, nullable=True),
        sa.Column('reminded_at', moment, nullable=True),
        sa.ForeignKeyConstraint(['publication_id'], ['publications.id'], name=op.f('fk_goals_publication_id'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('publication_id', name=op.f('pk_goals'))
    )
    op.create_table('notes',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('publication_id', sa.Integer(), nullable=False),
        sa.Column('drill_id', sa.Integer(), nullable=True),
        sa.Column('editor_id', sa.Integer(), nullable=True),
        sa.Column('body', sa.Text(), nullable=False),
        sa.Column('recipients', sa.Integer(), nullable=False),
        sa.Column('parts', sa.Integer(), nullable=False),
        sa.Column('cost', sa.Integer(), nullable=False),
        sa.Column('created_at', moment, nullable=False),
        sa.ForeignKeyConstraint(['editor_id'], ['editors.id'], name=op.f('fk_notes_editor_id'), ondelete='SET NULL'),
        sa.ForeignKeyConstraint(['publication_id'], ['publications.id'], name=op.f('fk_notes_publication_id'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_notes'))
    )
    op.create_index(op.f('ix_notes_publication_id'), 'notes', ['publication_id'])
    op.create_table('drills',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('publication_id', sa.Integer(), nullable=False),
        sa.Column('target', sa.String(length=60), nullable=False),
        sa.Column('name', sa.String(length=160), nullable=False),
        sa.Column('span', sa.String(length=10), nullable=False),
        sa.Column('state', sa.String(length=10), nullable=False),
        sa.Column('editor_id', sa.Integer(), nullable=True),
        sa.Column('issue_id', sa.Integer(), nullable=True),
        sa.Column('outcome', sa.JSON(), nullable=False),
        sa.Column('events', sa.JSON(), nullable=False),
        sa.Column('note', sa.Text(), nullable=False),
        sa.Column('begun_at', moment, nullable=False),
        sa.Column('closed_at', moment, nullable=True),
        sa.CheckConstraint("span IN ('hours', 'week', 'forever')", name=op.f('ck_drills_span')),
        sa.CheckConstraint("state IN ('open', 'closed')", name=op.f('ck_drills_state')),
        sa.ForeignKeyConstraint(['editor_id'], ['editors.id'], name=op.f('fk_drills_editor_id'), ondelete='SET NULL'),
        sa.ForeignKeyConstraint(['issue_id'], ['issues.id'], name=op.f('fk_drills_issue_id'), ondelete='SET NULL'),
        sa.ForeignKeyConstraint(['publication_id'], ['publications.id'], name=op.f('fk_drills_publication_id'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_drills'))
    )
    op.create_index(op.f('ix_drills_publication_id'), 'drills', ['publication_id'])
    op.create_table('figures',
        sa.Column('channel_id', sa.Integer(), nullable=False),
        sa.Column('day', sa.Date(), nullable=False),
        sa.Column('number', sa.BigInteger(), nullable=False),
        sa.Column('source', sa.String(length=10), nullable=False),
        sa.CheckConstraint("source IN ('typed', 'export')", name=op.f('ck_figures_source')),
        sa.CheckConstraint('number >= 0', name=op.f('ck_figures_number')),
        sa.ForeignKeyConstraint(['channel_id'], ['channels.id'], name=op.f('fk_figures_channel_id'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('channel_id', 'day', name=op.f('pk_figures'))
    )
    op.create_table('outlets',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('publication_id', sa.Integer(), nullable=False),
        sa.Column('channel_id', sa.Integer(), nullable=False),
        sa.Column('kind', sa.String(length=10), nullable=False),
        sa.Column('server', sa.String(length=200), nullable=False),
        sa.Column('handle', sa.String(length=200), nullable=False),
        sa.Column('secret', sa.Text(), nullable=False),
        sa.Column('facts', sa.JSON(), nullable=False),
        sa.Column('automatic', sa.Boolean(), nullable=False),
        sa.Column('state', sa.String(length=10), nullable=False),
        sa.Column('problem', sa.String(length=500), nullable=False),
        sa.Column('created_at', moment, nullable=False),
        sa.CheckConstraint("kind IN ('mastodon', 'bluesky')", name=op.f('ck_outlets_kind')),
        sa.CheckConstraint("state IN ('active', 'refused')", name=op.f('ck_outlets_state')),
        sa.ForeignKeyConstraint(['channel_id'], ['channels.id'], name=op.f('fk_outlets_channel_id'), ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['publication_id'], ['publications.id'], name=op.f('fk_outlets_publication_id'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_outlets')),
        sa.UniqueConstraint('channel_id', name=op.f('uq_outlets_channel_id'))
    )
    op.create_index(op.f('ix_outlets_publication_id'), 'outlets', ['publication_id'])
    op.create_table('announcements',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('publication_id', sa.Integer(), nullable=False),
        sa.Column('channel_id', sa.Integer(), nullable=False),
        sa.Column('issue_id', sa.Integer(), nullable=True),
        sa.Column('drill_id', sa.Integer(), nullable=True),
        sa.Column('outlet_id', sa.Integer(), nullable=True),
        sa.Column('link_id', sa.Integer(), nullable=True),
        sa.Column('way', sa.String(length=10), nullable=False),
        sa.Column('state', sa.String(length=10), nullable=False),
        sa.Column('text', sa.Text(), nullable=False),
        sa.Column('image', sa.String(length=60), nullable=False),
        sa.Column('key', sa.String(length=40), nullable=False),
        sa.Column('remote', sa.String(length=300), nullable=False),
        sa.Column('address', sa.String(length=500), nullable=False),
        sa.Column('attempts', sa.Integer(), nullable=False),
        sa.Column('problem', sa.String(length=500), nullable=False),
        sa.Column('created_at', moment, nullable=False),
        sa.Column('handed_at', moment, nullable=True),
        sa.Column('next_attempt_at', moment, nullable=True),
        sa.Column('settled_at', moment, nullable=True),
        sa.Column('reminded_at', moment, nullable=True),
        sa.CheckConstraint("state IN ('ready', 'queued', 'posted', 'failed', 'cancelled', 'todo', 'done')", name=op.f('ck_announcements_state')),
        sa.CheckConstraint("way IN ('mastodon', 'bluesky', 'hand')", name=op.f('ck_announcements_way')),
        sa.ForeignKeyConstraint(['channel_id'], ['channels.id'], name=op.f('fk_announcements_channel_id'), ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['issue_id'], ['issues.id'], name=op.f('fk_announcements_issue_id'), ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['link_id'], ['links.id'], name=op.f('fk_announcements_link_id'), ondelete='SET NULL'),
        sa.ForeignKeyConstraint(['outlet_id'], ['outlets.id'], name=op.f('fk_announcements_outlet_id'), ondelete='SET NULL'),
        sa.ForeignKeyConstraint(['publication_id'], ['publications.id'], name=op.f('fk_announcements_publication_id'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_announcements')),
        sa.UniqueConstraint('issue_id', 'channel_id', name=op.f('uq_announcements_issue_id_channel_id')),
        sa.UniqueConstraint('key', name=op.f('uq_announcements_key'))
    )
    op.create_index(op.f('ix_announcements_drill_id'), 'announcements', ['drill_id'])
    op.create_index('ix_announcements_open', 'announcements', ['next_attempt_at'], sqlite_where=sa.text("state = 'queued'"), postgresql_where=sa.text("state = 'queued'"))
    op.create_index('ix_announcements_publication_id_state', 'announcements', ['publication_id', 'state'])
    op.create_table('visits',
        sa.Column('link_id', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('day', sa.Date(), nullable=False),
        sa.Column('kind', sa.String(length=10), nullable=False),
        sa.Column('number', sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('person', 'machine')", name=op.f('ck_visits_kind')),
        sa.ForeignKeyConstraint(['link_id'], ['links.id'], name=op.f('fk_visits_link_id'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('link_id', 'day', 'kind', name=op.f('pk_visits'))
    )
    op.create_table('phones',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('subscription_id', sa.Integer(), nullable=False),
        sa.Column('publication_id', sa.Integer(), nullable=False),
        sa.Column('number', sa.String(length=20), nullable=False),
        sa.Column('state', sa.String(length=10), nullable=False),
        sa.Column('code', sa.String(length=64), nullable=False),
        sa.Column('code_until', moment, nullable=True),
        sa.Column('tries', sa.Integer(), nullable=False),
        sa.Column('asked_at', moment, nullable=False),
        sa.Column('confirmed_at', moment, nullable=True),
        sa.Column('ended_at', moment, nullable=True),
        sa.CheckConstraint("state IN ('pending', 'active', 'ended')", name=op.f('ck_phones_state')),
        sa.ForeignKeyConstraint(['publication_id'], ['publications.id'], name=op.f('fk_phones_publication_id'), ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['subscription_id'], ['subscriptions.id'], name=op.f('fk_phones_subscription_id'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_phones')),
        sa.UniqueConstraint('subscription_id', name=op.f('uq_phones_subscription_id'))
    )
    op.create_index(op.f('ix_phones_publication_id'), 'phones', ['publication_id'])
    op.create_table('text_messages',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('publication_id', sa.Integer(), nullable=False),
        sa.Column('phone_id', sa.Integer(), nullable=True),
        sa.Column('note_id', sa.Integer(), nullable=True),
        sa.Column('body', sa.Text(), nullable=False),
        sa.Column('state', sa.String(length=15), nullable=False),
        sa.Column('attempts', sa.Integer(), nullable=False),
        sa.Column('reply', sa.String(length=500), nullable=False),
        sa.Column('created_at', moment, nullable=False),
        sa.Column('next_attempt_at', moment, nullable=True),
        sa.Column('handed_at', moment, nullable=True),
        sa.Column('settled_at', moment, nullable=True),
        sa.CheckConstraint("state IN ('queued', 'handing_over', 'accepted', 'failed', 'uncertain', 'cancelled')", name=op.f('ck_text_messages_state')),
        sa.ForeignKeyConstraint(['note_id'], ['notes.id'], name=op.f('fk_text_messages_note_id'), ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['phone_id'], ['phones.id'], name=op.f('fk_text_messages_phone_id'), ondelete='SET NULL'),
        sa.ForeignKeyConstraint(['publication_id'], ['publications.id'], name=op.f('fk_text_messages_publication_id'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_text_messages'))
    )
    op.create_index('ix_text_messages_handed', 'text_messages', ['handed_at'], sqlite_where=sa.text("state = 'handing_over'"), postgresql_where=sa.text("state = 'handing_over'"))
    op.create_index('ix_text_messages_note_id_state', 'text_messages', ['note_id', 'state'])
    op.create_index('ix_text_messages_open', 'text_messages', ['next_attempt_at'], sqlite_where=sa.text("state = 'queued'"), postgresql_where=sa.text("state = 'queued'"))
    op.create_index('ix_text_messages_phone_id', 'text_messages', ['phone_id'])
    op.add_column('channels', sa.Column('kind', sa.String(length=20), server_default='other', nullable=False))
    op.add_column('channels', sa.Column('cost', sa.Integer(), server_default='0', nullable=False))
    op.add_column('channels', sa.Column('note', sa.Text(), server_default='', nullable=False))
    op.add_column('channels', sa.Column('profile', sa.String(length=300), server_default='', nullable=False))
    op.add_column('channels', sa.Column('linked_at', moment, nullable=True))
    op.add_column('channels', sa.Column('ended_at', moment, nullable=True))
    op.add_column('links', sa.Column('landing', sa.Boolean(), server_default='0', nullable=False))
    op.add_column('links', sa.Column('headline', sa.String(length=200), server_default='', nullable=False))
    op.add_column('links', sa.Column('lead', sa.Text(), server_default='', nullable=False))
    op.add_column('links', sa.Column('entries', sa.JSON(), server_default='[]', nullable=False))
    op.add_column('links', sa.Column('path', sa.String(length=200), server_default='', nullable=False))
    op.add_column('links', sa.Column('ended_at', moment, nullable=True))
    op.add_column('subscriptions', sa.Column('heard_id', sa.Integer(), nullable=True))
    op.add_column('subscriptions', sa.Column('recommended_by', sa.Integer(), nullable=True))
    op.add_column('subscriptions', sa.Column('recommended', sa.Integer(), server_default='0', nullable=False))

    for kind, names in KINDS.items():
        for name in names:
            op.get_bind().execute(sa.text("UPDATE channels SET kind = :kind WHERE name = :name"), {"kind": kind, "name": name})
    _count_what_was()


def _count_what_was() -> None:
    """The tallies of the time before they were counted: who left within 90 days of joining, and who wrote back."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    day = "substr({}, 1, 10)" if sqlite else "CAST({} AT TIME ZONE 'UTC' AS date)"
    soon = "julianday(ended_at) - julianday(confirmed_at) < 90" if sqlite else "ended_at - confirmed_at < interval '90 days'"
    for kind, at, where in (("short", "confirmed_at", f"ended_at IS NOT NULL AND confirmed_at IS NOT NULL AND {soon}"), ("answered", "answered_at", "answered_at IS NOT NULL")):
        op.execute(
            f"INSERT INTO tallies (publication_id, kind, day, channel_id, number) SELECT publication_id, '{kind}', {day.format(at)}, "
            f"coalesce(channel_id, 0), count(*) FROM subscriptions WHERE {where} GROUP BY 1, 2, 3, 4"
        )


def downgrade() -> None:
    op.execute("DELETE FROM tallies WHERE kind IN ('short', 'answered', 'heard', 'brought')")
    for name in TABLES:
        op.drop_table(name)
    for table, names in COLUMNS.items():
        for name in names:
            op.drop_column(table, name)
