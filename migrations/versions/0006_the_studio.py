"""The studio: layouts, rhythm, snippets, polls, comments, ideas, what is known about pictures"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def _columns() -> dict[str, tuple[sa.Column, ...]]:
    moment = sa.DateTime(timezone=True)
    return {
        "images": (
            sa.Column("alt", sa.String(length=300), server_default="", nullable=False),
            sa.Column("focus_x", sa.Integer(), server_default="50", nullable=False),
            sa.Column("focus_y", sa.Integer(), server_default="50", nullable=False),
            sa.Column("crop", sa.String(length=70), server_default="", nullable=False),
        ),
        "issues": (
            sa.Column("planned_on", sa.Date(), nullable=True),
            sa.Column("ready_at", moment, nullable=True),
            sa.Column("ready_by", sa.Integer(), nullable=True),
            sa.Column("frozen", sa.JSON(), nullable=True),
        ),
        "publications": (
            sa.Column("mail_layout", sa.String(length=12), server_default="letter", nullable=False),
            sa.Column("mail_accent", sa.String(length=7), server_default="", nullable=False),
            sa.Column("mail_paper", sa.String(length=7), server_default="", nullable=False),
            sa.Column("mail_font", sa.String(length=12), server_default="serif", nullable=False),
            sa.Column("mail_logo", sa.String(length=60), server_default="", nullable=False),
            sa.Column("mail_logo_width", sa.Integer(), server_default="120", nullable=False),
            sa.Column("count_clicks", sa.Boolean(), server_default=sa.false(), nullable=False),
            sa.Column("mail_footer", sa.Text(), server_default="", nullable=False),
            sa.Column("cadence", sa.String(length=10), server_default="", nullable=False),
            sa.Column("cadence_from", sa.Date(), nullable=True),
            sa.Column("cadence_time", sa.String(length=5), server_default="09:00", nullable=False),
            sa.Column("reminded_for", sa.Date(), nullable=True),
        ),
        "subscriptions": (sa.Column("clicks_agreed_at", moment, nullable=True),),
        "revisions": (sa.Column("note", sa.String(length=12), server_default="", nullable=False),),
    }


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "ideas",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("publication_id", sa.Integer(), nullable=False),
        sa.Column("editor_id", sa.Integer(), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["editor_id"], ["editors.id"], name=op.f("fk_ideas_editor_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["publication_id"], ["publications.id"], name=op.f("fk_ideas_publication_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ideas")),
    )
    op.create_index(op.f("ix_ideas_publication_id"), "ideas", ["publication_id"])
    op.create_table(
        "snippets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("publication_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("markdown", sa.Text(), nullable=False),
        sa.Column("changed_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["publication_id"], ["publications.id"], name=op.f("fk_snippets_publication_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snippets")),
        sa.UniqueConstraint("publication_id", "name", name=op.f("uq_snippets_publication_id_name")),
    )
    op.create_table(
        "comments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("issue_id", sa.Integer(), nullable=False),
        sa.Column("editor_id", sa.Integer(), nullable=True),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("settled_at", moment, nullable=True),
        sa.ForeignKeyConstraint(["editor_id"], ["editors.id"], name=op.f("fk_comments_editor_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name=op.f("fk_comments_issue_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comments")),
    )
    op.create_index(op.f("ix_comments_issue_id"), "comments", ["issue_id"])
    op.create_table(
        "votes",
        sa.Column("issue_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("poll", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("choice", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name=op.f("fk_votes_issue_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("issue_id", "poll", "choice", name=op.f("pk_votes")),
    )
    op.create_table(
        "clicks",
        sa.Column("issue_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("link", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name=op.f("fk_clicks_issue_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("issue_id", "link", name=op.f("pk_clicks")),
    )
    for table, columns in _columns().items():
        for column in columns:
            op.add_column(table, column)


def downgrade() -> None:
    for table, columns in _columns().items():
        for column in reversed(columns):
            op.drop_column(table, column.name)
    for table in ("clicks", "votes", "comments", "snippets", "ideas"):
        op.drop_table(table)
