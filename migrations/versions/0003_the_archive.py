"""How issues appear in the archive, where it is published, and what other servers say"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

PUBLICATION = (("archive_base", 200), ("theme", 60), ("accent", 7), ("logo", 60), ("ai_crawlers", 10), ("visibility", 12), ("hub", 200))
DEFAULTS = {"theme": "calm", "ai_crawlers": "allow", "visibility": "public"}
ISSUE = (("visibility", 12), ("series", 120), ("language", 5), ("cover", 60), ("cover_alt", 300))


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    for name, length in PUBLICATION:
        op.add_column("publications", sa.Column(name, sa.String(length), nullable=False, server_default=DEFAULTS.get(name, "")))
    op.add_column("publications", sa.Column("delay_days", sa.Integer(), nullable=False, server_default="3"))
    for name, length in ISSUE:
        op.add_column("issues", sa.Column(name, sa.String(length), nullable=False, server_default=""))
    for name in ("authors", "old_slugs"):
        op.add_column("issues", sa.Column(name, sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("issues", sa.Column("listed_from", moment, nullable=True))
    op.add_column("issues", sa.Column("announced_at", moment, nullable=True))
    op.execute("UPDATE issues SET announced_at = published_at")  # what is old is no news
    op.add_column("issues", sa.Column("counterpart_id", sa.Integer(), nullable=True))
    op.add_column("issues", sa.Column("appearance", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "touches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("publication_id", sa.Integer(), nullable=False),
        sa.Column("issue_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["publication_id"], ["publications.id"], name=op.f("fk_touches_publication_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_touches")),
    )
    op.create_index(op.f("ix_touches_publication_id"), "touches", ["publication_id"])
    op.create_table(
        "targets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("publication_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("place", sa.String(length=500), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("good_at", moment, nullable=True),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("checked_at", moment, nullable=True),
        sa.Column("wrong", sa.Integer(), nullable=False),
        sa.Column("wish", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", moment, nullable=True),
        sa.Column("problem", sa.String(length=500), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.CheckConstraint("kind IN ('folder', 'rsync', 'git', 's3', 'webdav', 'sftp')", name=op.f("ck_targets_kind")),
        sa.CheckConstraint("state IN ('active', 'paused')", name=op.f("ck_targets_state")),
        sa.ForeignKeyConstraint(["publication_id"], ["publications.id"], name=op.f("fk_targets_publication_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_targets")),
    )
    op.create_index(op.f("ix_targets_publication_id"), "targets", ["publication_id"])
    op.create_table(
        "followers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("publication_id", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(length=500), nullable=False),
        sa.Column("inbox", sa.String(length=500), nullable=False),
        sa.Column("follow_id", sa.String(length=500), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["publication_id"], ["publications.id"], name=op.f("fk_followers_publication_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_followers")),
        sa.UniqueConstraint("publication_id", "actor", name=op.f("uq_followers_publication_id_actor")),
    )
    op.create_table(
        "actor_keys",
        sa.Column("publication_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("private", sa.Text(), nullable=False),
        sa.Column("public", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["publication_id"], ["publications.id"], name=op.f("fk_actor_keys_publication_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("publication_id", name=op.f("pk_actor_keys")),
    )
    op.create_table(
        "pings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("publication_id", sa.Integer(), nullable=False),
        sa.Column("issue_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("place", sa.String(length=500), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", moment, nullable=True),
        sa.Column("problem", sa.String(length=500), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.CheckConstraint("kind IN ('websub', 'webmention', 'activity')", name=op.f("ck_pings_kind")),
        sa.CheckConstraint("state IN ('queued', 'done', 'failed')", name=op.f("ck_pings_state")),
        sa.ForeignKeyConstraint(["publication_id"], ["publications.id"], name=op.f("fk_pings_publication_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pings")),
        sa.UniqueConstraint("publication_id", "issue_id", "kind", "place", name=op.f("uq_pings_publication_id_issue_id_kind_place")),
    )
    op.create_index(op.f("ix_pings_state_next_attempt_at"), "pings", ["state", "next_attempt_at"])
    op.create_table(
        "mentions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("publication_id", sa.Integer(), nullable=False),
        sa.Column("issue_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=500), nullable=False),
        sa.Column("target", sa.String(length=500), nullable=False),
        sa.Column("author", sa.String(length=120), nullable=False),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", moment, nullable=True),
        sa.Column("problem", sa.String(length=500), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.CheckConstraint("state IN ('new', 'waiting', 'shown', 'refused', 'gone')", name=op.f("ck_mentions_state")),
        sa.ForeignKeyConstraint(["publication_id"], ["publications.id"], name=op.f("fk_mentions_publication_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name=op.f("fk_mentions_issue_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mentions")),
        sa.UniqueConstraint("issue_id", "source", name=op.f("uq_mentions_issue_id_source")),
    )
    op.create_index(op.f("ix_mentions_publication_id_state"), "mentions", ["publication_id", "state"])


def downgrade() -> None:
    for table in ("mentions", "pings", "actor_keys", "followers", "targets", "touches"):
        op.drop_table(table)
    with op.batch_alter_table("issues") as batch:
        for name in (*(name for name, _ in ISSUE), "authors", "old_slugs", "listed_from", "announced_at", "counterpart_id", "appearance"):
            batch.drop_column(name)
    with op.batch_alter_table("publications") as batch:
        for name in (*(name for name, _ in PUBLICATION), "delay_days"):
            batch.drop_column(name)
