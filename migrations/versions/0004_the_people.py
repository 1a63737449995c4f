"""Forms with questions of their own, imports, segments, tags, quarantine, tallies, and what is kept after somebody was forgotten"""

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

CONSENTS = ("consents_are_not_changed", "consents_are_not_deleted")
FORM = (("slug", 60, "form"), ("state", 10, "open"), ("language", 5, ""), ("thanks_url", 500, ""))
# L2: neither a consent nor the words of one are ever changed.
SQLITE = (
    """CREATE TRIGGER consents_are_not_changed BEFORE UPDATE ON consents
       BEGIN SELECT RAISE(ABORT, 'A consent is never changed.'); END""",
    """CREATE TRIGGER consents_are_not_deleted BEFORE DELETE ON consents
       WHEN EXISTS (SELECT 1 FROM subscriptions s WHERE s.id = OLD.subscription_id AND s.confirmed_at IS NOT NULL)
       BEGIN SELECT RAISE(ABORT, 'A consent is never deleted by itself.'); END""",
)
WORDINGS_SQLITE = (
    """CREATE TRIGGER wordings_are_not_changed BEFORE UPDATE ON wordings
       BEGIN SELECT RAISE(ABORT, 'A wording is never changed.'); END""",
    """CREATE TRIGGER wordings_are_not_deleted BEFORE DELETE ON wordings
       BEGIN SELECT RAISE(ABORT, 'A wording is never deleted.'); END""",
)
WORDINGS_POSTGRESQL = (
    """CREATE FUNCTION wordings_are_not_changed() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN RAISE EXCEPTION 'A wording is never changed.'; END $$""",
    """CREATE TRIGGER wordings_are_not_changed BEFORE UPDATE ON wordings
       FOR EACH ROW EXECUTE FUNCTION wordings_are_not_changed()""",
    """CREATE TRIGGER wordings_are_not_deleted BEFORE DELETE ON wordings
       FOR EACH ROW EXECUTE FUNCTION wordings_are_not_changed()""",
)


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    sqlite = op.get_bind().dialect.name == "sqlite"
    op.create_table("wordings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wordings")),
        sa.UniqueConstraint("digest", name=op.f("uq_wordings_digest"))
    )
    op.create_table("imports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("publication_id", sa.Integer(), nullable=False),
        sa.Column("editor_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("shape", sa.JSON(), nullable=False),
        sa.Column("mapping", sa.JSON(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("update", sa.Boolean(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("updated", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("ended", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("trouble", sa.String(length=500), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("settled_at", moment, nullable=True),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("lease_until", moment, nullable=True),
        sa.CheckConstraint("state IN ('uploaded', 'checking', 'checked', 'running', 'done', 'failed', 'undoing', 'undone')", name=op.f("ck_imports_state")),
        sa.ForeignKeyConstraint(["editor_id"], ["editors.id"], name=op.f("fk_imports_editor_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["publication_id"], ["publications.id"], name=op.f("fk_imports_publication_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports"))
    )
    op.create_index("ix_imports_publication_id_id", "imports", ["publication_id", "id"], unique=False)
    op.create_table("proofs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("publication_id", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("wording_id", sa.Integer(), nullable=False),
        sa.Column("how", sa.String(length=200), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("keep_until", moment, nullable=False),
        sa.ForeignKeyConstraint(["publication_id"], ["publications.id"], name=op.f("fk_proofs_publication_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["wording_id"], ["wordings.id"], name=op.f("fk_proofs_wording_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proofs"))
    )
    op.create_index(op.f("ix_proofs_fingerprint"), "proofs", ["fingerprint"], unique=False)
    op.create_index(op.f("ix_proofs_keep_until"), "proofs", ["keep_until"], unique=False)
    op.create_index(op.f("ix_proofs_publication_id"), "proofs", ["publication_id"], unique=False)
    op.create_table("segments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("publication_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("every", sa.Boolean(), nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["publication_id"], ["publications.id"], name=op.f("fk_segments_publication_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segments")),
        sa.UniqueConstraint("publication_id", "name", name=op.f("uq_segments_publication_id_name"))
    )
    op.create_table("strokes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("publication_id", sa.Integer(), nullable=False),
        sa.Column("editor_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("tag_id", sa.Integer(), nullable=True),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("undone_at", moment, nullable=True),
        sa.ForeignKeyConstraint(["editor_id"], ["editors.id"], name=op.f("fk_strokes_editor_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["publication_id"], ["publications.id"], name=op.f("fk_strokes_publication_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_strokes"))
    )
    op.create_index(op.f("ix_strokes_publication_id"), "strokes", ["publication_id"], unique=False)
    op.create_table("tags",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("publication_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.ForeignKeyConstraint(["publication_id"], ["publications.id"], name=op.f("fk_tags_publication_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tags")),
        sa.UniqueConstraint("publication_id", "name", name=op.f("uq_tags_publication_id_name"))
    )
    op.create_table("tallies",
        sa.Column("publication_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("channel_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["publication_id"], ["publications.id"], name=op.f("fk_tallies_publication_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("publication_id", "kind", "day", "channel_id", name=op.f("pk_tallies"))
    )
    op.create_table("form_versions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("form_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("wording_id", sa.Integer(), nullable=False),
        sa.Column("since", moment, nullable=False),
        sa.ForeignKeyConstraint(["form_id"], ["forms.id"], name=op.f("fk_form_versions_form_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["wording_id"], ["wordings.id"], name=op.f("fk_form_versions_wording_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_form_versions")),
        sa.UniqueConstraint("form_id", "number", name=op.f("uq_form_versions_form_id_number"))
    )
    op.create_table("held",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("publication_id", sa.Integer(), nullable=False),
        sa.Column("form_id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("canonical", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("via", sa.String(length=60), nullable=False),
        sa.Column("page", sa.String(length=500), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["form_id"], ["forms.id"], name=op.f("fk_held_form_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["publication_id"], ["publications.id"], name=op.f("fk_held_publication_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_held"))
    )
    op.create_index(op.f("ix_held_canonical"), "held", ["canonical"], unique=False)
    op.create_index("ix_held_publication_id_id", "held", ["publication_id", "id"], unique=False)
    op.create_table("refused_rows",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_refused_rows_import_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refused_rows"))
    )
    op.create_index("ix_refused_rows_import_id_row", "refused_rows", ["import_id", "row"], unique=False)
    op.create_table(
        "changed_rows",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("subscription_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("answers", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_changed_rows_import_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["subscription_id"], ["subscriptions.id"], name=op.f("fk_changed_rows_subscription_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_changed_rows")),
    )
    op.create_index(op.f("ix_changed_rows_import_id"), "changed_rows", ["import_id"], unique=False)
    op.create_index(op.f("ix_changed_rows_subscription_id"), "changed_rows", ["subscription_id"], unique=False)
    _without_triggers(sqlite, CONSENTS)
    _keep_wordings(sqlite)
    with op.batch_alter_table("confirmations") as batch:
        batch.add_column(sa.Column("purpose", sa.String(length=10), server_default="confirm", nullable=False))
        batch.add_column(sa.Column("form_id", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("email", sa.String(length=254), server_default="", nullable=False))
        batch.add_column(sa.Column("answers", sa.Text(), server_default="{}", nullable=False))
    op.create_index(op.f("ix_confirmations_created_at"), "confirmations", ["created_at"])
    with op.batch_alter_table("forms") as batch:
        for name, length, value in FORM:
            batch.add_column(sa.Column(name, sa.String(length=length), nullable=False, server_default=value))
        for name in ("fields", "tags", "origins"):
            batch.add_column(sa.Column(name, sa.JSON(), nullable=False, server_default="[]"))
        for name in ("thanks", "welcome_text"):
            batch.add_column(sa.Column(name, sa.Text(), nullable=False, server_default=""))
        for name, value in (("show_letters", sa.true()), ("show_readers", sa.false()), ("welcome", sa.true())):
            batch.add_column(sa.Column(name, sa.Boolean(), nullable=False, server_default=value))
        batch.add_column(sa.Column("changed_at", moment, nullable=True))
    op.execute("UPDATE forms SET slug = 'form-' || id")
    with op.batch_alter_table("forms") as batch:
        batch.create_unique_constraint(op.f("uq_forms_publication_id_slug"), ["publication_id", "slug"])
        batch.create_check_constraint(op.f("ck_forms_state"), "state IN ('open', 'closed')")
    op.execute(
        "INSERT INTO form_versions (form_id, number, wording_id, since) SELECT f.id, 1, w.id, f.created_at FROM forms f JOIN wordings w ON w.text = f.consent"
    )
    with op.batch_alter_table("issues") as batch:
        batch.add_column(sa.Column("kind", sa.String(length=10), server_default="letter", nullable=False))
        batch.add_column(sa.Column("segment_id", sa.Integer(), nullable=True))
        batch.create_check_constraint(op.f("ck_issues_kind"), "kind IN ('letter', 'digest')")
    with op.batch_alter_table("notices") as batch:
        batch.add_column(sa.Column("language", sa.String(length=5), server_default="", nullable=False))
        batch.add_column(sa.Column("form_host", sa.String(length=253), server_default="", nullable=False))
        batch.add_column(sa.Column("facts", sa.JSON(), nullable=True))
        batch.add_column(sa.Column("subscription_id", sa.Integer(), nullable=True))
    op.create_index(op.f("ix_notices_subscription_id"), "notices", ["subscription_id"])
    op.drop_index(op.f("ix_subscriptions_channel_id"), "subscriptions")
    op.drop_index(op.f("ix_subscriptions_link_id"), "subscriptions")
    with op.batch_alter_table("subscriptions") as batch:
        for name in ("paused_at", "paused_until", "welcomed_at", "answered_at"):
            batch.add_column(sa.Column(name, moment, nullable=True))
        for name in ("form_id", "import_id"):
            batch.add_column(sa.Column(name, sa.Integer(), nullable=True))
        batch.add_column(sa.Column("rhythm", sa.String(length=10), server_default="each", nullable=False))
        batch.add_column(sa.Column("language", sa.String(length=5), server_default="", nullable=False))
        batch.add_column(sa.Column("answers", sa.Text(), server_default="{}", nullable=False))
        batch.add_column(sa.Column("tags", sa.Text(), server_default="", nullable=False))
        batch.create_check_constraint(op.f("ck_subscriptions_rhythm"), "rhythm IN ('each', 'monthly')")
    for name in ("channel_id", "link_id", "paused_until"):
        given = sa.text(f"{name} IS NOT NULL")
        op.create_index(f"ix_subscriptions_{name}", "subscriptions", [name], sqlite_where=given, postgresql_where=given)
    monthly = sa.text("rhythm = 'monthly'")
    op.create_index("ix_subscriptions_monthly", "subscriptions", ["publication_id"], sqlite_where=monthly, postgresql_where=monthly)
    with op.batch_alter_table("deliveries") as batch:
        # Each subscription that is deleted would look through all deliveries for it.
        batch.drop_constraint(op.f("fk_deliveries_subscription_id"), type_="foreignkey")
    with op.batch_alter_table("suppressions") as batch:
        batch.add_column(sa.Column("publication_id", sa.Integer(), nullable=True))
        batch.drop_constraint(op.f("uq_suppressions_fingerprint"), type_="unique")
        batch.create_unique_constraint(op.f("uq_suppressions_fingerprint_publication_id"), ["fingerprint", "publication_id"])
        batch.create_foreign_key(op.f("fk_suppressions_publication_id"), "publications", ["publication_id"], ["id"], ondelete="CASCADE")
        batch.create_check_constraint(op.f("ck_suppressions_reason"), "reason IN ('dead', 'full', 'complaint', 'erased', 'imported', 'by hand')")
    op.create_index(op.f("ix_suppressions_publication_id"), "suppressions", ["publication_id"])
    _count_what_was(sqlite)
    for statement in (*SQLITE, *WORDINGS_SQLITE) if sqlite else ("ALTER TABLE consents ENABLE TRIGGER USER", *WORDINGS_POSTGRESQL):
        op.execute(statement)


def _without_triggers(sqlite: bool, names: tuple[str, ...]) -> None:
    """SQLite rebuilds tables, and a trigger that names one of them would stand in the way."""
    for name in names:
        op.execute(f"DROP TRIGGER {name}" if sqlite else f"ALTER TABLE {name.partition('_')[0]} DISABLE TRIGGER USER")


def _keep_wordings(sqlite: bool) -> None:
    """Every text of a consent gets a row of its own; consents point to it. Their seals stay what they are."""
    connection = op.get_bind()
    texts = {row[0] for row in connection.execute(sa.text("SELECT DISTINCT wording FROM consents UNION SELECT DISTINCT consent FROM forms"))}
    for words in sorted(texts):
        digest = hashlib.sha256(words.encode()).hexdigest()
        connection.execute(sa.text("INSERT INTO wordings (digest, text) VALUES (:digest, :text)"), {"digest": digest, "text": words})
    op.add_column("consents", sa.Column("wording_id", sa.Integer(), nullable=True))
    op.execute("UPDATE consents SET wording_id = (SELECT w.id FROM wordings w WHERE w.text = consents.wording)")
    with op.batch_alter_table("consents") as batch:
        batch.alter_column("wording_id", existing_type=sa.Integer(), nullable=False)
        batch.add_column(sa.Column("evidence", sa.String(length=500), server_default="", nullable=False))
        batch.drop_constraint(op.f("ck_consents_kind"), type_="check")
        batch.create_check_constraint(op.f("ck_consents_kind"), "kind IN ('asked', 'confirmed', 'changed', 'withdrawn', 'imported')")
        batch.drop_column("wording")
        batch.drop_column("version")


def _count_what_was(sqlite: bool) -> None:
    """The tallies of the time before they were counted."""
    day = "substr({}, 1, 10)" if sqlite else "CAST({} AT TIME ZONE 'UTC' AS date)"
    for kind, column in (("joined", "confirmed_at"), ("left", "ended_at"), ("asked", "asked_at")):
        op.execute(
            f"INSERT INTO tallies (publication_id, kind, day, channel_id, number) SELECT publication_id, '{kind}', {day.format(column)}, "
            f"COALESCE(channel_id, 0), count(*) FROM subscriptions WHERE {column} IS NOT NULL GROUP BY 1, 2, 3, 4"
        )


def downgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    _without_triggers(sqlite, (*CONSENTS, "wordings_are_not_changed", "wordings_are_not_deleted"))
    op.drop_index(op.f("ix_suppressions_publication_id"), "suppressions")
    op.execute("DELETE FROM suppressions WHERE id NOT IN (SELECT min(id) FROM suppressions GROUP BY fingerprint)")
    with op.batch_alter_table("suppressions") as batch:
        batch.drop_constraint(op.f("ck_suppressions_reason"), type_="check")
        batch.drop_constraint(op.f("fk_suppressions_publication_id"), type_="foreignkey")
        batch.drop_constraint(op.f("uq_suppressions_fingerprint_publication_id"), type_="unique")
        batch.create_unique_constraint(op.f("uq_suppressions_fingerprint"), ["fingerprint"])
        batch.drop_column("publication_id")
    op.drop_index("ix_subscriptions_monthly", "subscriptions")
    for name in ("channel_id", "link_id", "paused_until"):
        op.drop_index(f"ix_subscriptions_{name}", "subscriptions")
    with op.batch_alter_table("subscriptions") as batch:
        batch.drop_constraint(op.f("ck_subscriptions_rhythm"), type_="check")
        for name in ("paused_at", "paused_until", "welcomed_at", "answered_at", "form_id", "import_id", "rhythm", "language", "answers", "tags"):
            batch.drop_column(name)
    for name in ("channel_id", "link_id"):
        op.create_index(op.f(f"ix_subscriptions_{name}"), "subscriptions", [name])
    op.drop_index(op.f("ix_notices_subscription_id"), "notices")
    with op.batch_alter_table("notices") as batch:
        for name in ("language", "form_host", "facts", "subscription_id"):
            batch.drop_column(name)
    # A digest would be taken for a letter by the version before.
    op.execute("DELETE FROM deliveries WHERE mailing_id IN (SELECT m.id FROM mailings m JOIN issues i ON i.id = m.issue_id WHERE i.kind = 'digest')")
    op.execute("DELETE FROM mailings WHERE issue_id IN (SELECT id FROM issues WHERE kind = 'digest')")
    op.execute("DELETE FROM issues WHERE kind = 'digest'")
    with op.batch_alter_table("issues") as batch:
        batch.drop_constraint(op.f("ck_issues_kind"), type_="check")
        batch.drop_column("kind")
        batch.drop_column("segment_id")
    op.execute("UPDATE deliveries SET subscription_id = NULL WHERE subscription_id NOT IN (SELECT id FROM subscriptions)")
    with op.batch_alter_table("deliveries") as batch:
        batch.create_foreign_key(op.f("fk_deliveries_subscription_id"), "subscriptions", ["subscription_id"], ["id"], ondelete="SET NULL")
    op.drop_table("form_versions")
    op.drop_table("changed_rows")
    op.drop_table("refused_rows")
    op.drop_table("held")
    with op.batch_alter_table("forms") as batch:
        batch.drop_constraint(op.f("uq_forms_publication_id_slug"), type_="unique")
        batch.drop_constraint(op.f("ck_forms_state"), type_="check")
        for name in ("slug", "state", "language", "thanks_url", "fields", "tags", "origins", "thanks", "welcome_text", "show_letters", "show_readers", "welcome", "changed_at"):
            batch.drop_column(name)
    op.execute("DELETE FROM confirmations WHERE purpose <> 'confirm'")
    op.drop_index(op.f("ix_confirmations_created_at"), "confirmations")
    with op.batch_alter_table("confirmations") as batch:
        for name in ("purpose", "form_id", "email", "answers"):
            batch.drop_column(name)
    for name in ("imports", "proofs", "segments", "strokes", "tags", "tallies"):
        op.drop_table(name)
    _give_wordings_back(sqlite)


def _give_wordings_back(sqlite: bool) -> None:
    if not sqlite:
        op.execute("DROP TRIGGER wordings_are_not_changed ON wordings")
        op.execute("DROP TRIGGER wordings_are_not_deleted ON wordings")
        op.execute("DROP FUNCTION wordings_are_not_changed")
    op.add_column("consents", sa.Column("wording", sa.Text(), nullable=True))
    op.add_column("consents", sa.Column("version", sa.String(length=64), nullable=True))
    op.execute(
        "UPDATE consents SET wording = (SELECT w.text FROM wordings w WHERE w.id = consents.wording_id), "
        "version = (SELECT w.digest FROM wordings w WHERE w.id = consents.wording_id), kind = CASE WHEN kind = 'imported' THEN 'confirmed' ELSE kind END"
    )
    with op.batch_alter_table("consents") as batch:
        batch.drop_constraint(op.f("ck_consents_kind"), type_="check")
        batch.create_check_constraint(op.f("ck_consents_kind"), "kind IN ('asked', 'confirmed', 'changed', 'withdrawn')")
        batch.alter_column("wording", existing_type=sa.Text(), nullable=False)
        batch.alter_column("version", existing_type=sa.String(length=64), nullable=False)
        batch.drop_column("wording_id")
        batch.drop_column("evidence")
    for statement in SQLITE if sqlite else ("ALTER TABLE consents ENABLE TRIGGER USER",):
        op.execute(statement)
    op.drop_table("wordings")
