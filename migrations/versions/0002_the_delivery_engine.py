"""Waves instead of single rows, several mail servers, limits, signing keys"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

OPEN = sa.text("state IN ('planned', 'claimed', 'handing_over', 'deferred')")
WAITING = sa.text("state IN ('planned', 'deferred')")
ODD = sa.text("state IN ('refused', 'uncertain', 'skipped', 'expired', 'cancelled')")
AT = {"sqlite": "instr(canonical, '@')", "postgresql": "strpos(canonical, '@')"}


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.add_column("mailings", sa.Column("give_up_at", moment, nullable=True))
    op.add_column("deliveries", sa.Column("provider", sa.String(length=254), nullable=False, server_default=""))
    op.add_column("deliveries", sa.Column("transport_id", sa.Integer(), nullable=True))
    # The domain is enough for mailings that are over: houses with several domains are only joined in new ones.
    op.execute(f"UPDATE deliveries SET provider = substr(canonical, {AT[op.get_bind().dialect.name]} + 1)")
    op.drop_index("ix_deliveries_open", "deliveries")
    op.drop_index("ix_deliveries_mailing_id_state", "deliveries")
    # Nobody sends while this runs: what was in hands goes the way of a sender that stopped.
    op.execute("UPDATE deliveries SET state = 'planned' WHERE state = 'claimed'")
    op.execute("UPDATE deliveries SET state = 'uncertain' WHERE state = 'handing_over'")
    op.drop_index("ix_deliveries_subscriber_id", "deliveries")
    with op.batch_alter_table("deliveries") as batch:
        # The other way round it also finds what one person was sent, and one index less is written for everybody.
        batch.drop_constraint(op.f("uq_deliveries_mailing_id_subscriber_id"), type_="unique")
        batch.create_unique_constraint(op.f("uq_deliveries_subscriber_id_mailing_id"), ["subscriber_id", "mailing_id"])
        batch.drop_column("token")
        batch.drop_column("lease_until")
        batch.add_column(sa.Column("claim_id", sa.BigInteger(), nullable=True))
    op.create_index("ix_deliveries_waiting", "deliveries", ["mailing_id", "state", "next_attempt_at", "id"], sqlite_where=WAITING, postgresql_where=WAITING)
    op.create_index("ix_deliveries_odd", "deliveries", ["mailing_id", "state", "id"], sqlite_where=ODD, postgresql_where=ODD)
    op.add_column("leave_links", sa.Column("used_at", moment, nullable=True))
    op.add_column("transports", sa.Column("weight", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("transports", sa.Column("count", sa.Integer(), nullable=True))
    op.add_column("transports", sa.Column("seconds", sa.Integer(), nullable=True))
    op.add_column("transports", sa.Column("warm_up_from", sa.Date(), nullable=True))
    with op.batch_alter_table("transports") as batch:
        batch.create_check_constraint(op.f("ck_transports_weight"), "weight >= 0")
    op.create_table(
        "buckets",
        sa.Column("transport_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("provider", sa.String(length=254), nullable=False),
        sa.Column("count", sa.Integer(), nullable=True),
        sa.Column("seconds", sa.Integer(), nullable=True),
        sa.Column("learned", sa.Boolean(), nullable=False),
        sa.Column("ease", sa.Double(), nullable=False),
        sa.Column("next_at", moment, nullable=True),
        sa.Column("rest_until", moment, nullable=True),
        sa.Column("setbacks", sa.Integer(), nullable=False),
        sa.Column("stopped", sa.Boolean(), nullable=False),
        sa.Column("trouble", sa.String(length=500), nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("transport_id", "provider", name=op.f("pk_buckets")),
    )
    op.create_table(
        "claims",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("mailing_id", sa.Integer(), nullable=False),
        sa.Column("lease_until", moment, nullable=False),
        sa.Column("ids", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["mailing_id"], ["mailings.id"], name=op.f("fk_claims_mailing_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claims")),
    )
    op.create_index("ix_claims_mailing_id", "claims", ["mailing_id"])
    op.create_index("ix_claims_lease_until", "claims", ["lease_until"])
    op.create_table(
        "beats",
        sa.Column("mailing_id", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(length=60), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("rate", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["mailing_id"], ["mailings.id"], name=op.f("fk_beats_mailing_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("mailing_id", "worker", name=op.f("pk_beats")),
    )
    op.create_table(
        "signing_keys",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("domain", sa.String(length=253), nullable=False),
        sa.Column("selector", sa.String(length=63), nullable=False),
        sa.Column("algorithm", sa.String(length=10), nullable=False),
        sa.Column("private", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("changed_at", moment, nullable=True),
        sa.CheckConstraint("algorithm IN ('rsa', 'ed25519')", name=op.f("ck_signing_keys_algorithm")),
        sa.CheckConstraint("state IN ('new', 'active', 'retired')", name=op.f("ck_signing_keys_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signing_keys")),
        sa.UniqueConstraint("domain", "selector", name=op.f("uq_signing_keys_domain_selector")),
    )


def downgrade() -> None:
    for table in ("signing_keys", "beats", "claims", "buckets"):
        op.drop_table(table)
    with op.batch_alter_table("transports") as batch:
        batch.drop_constraint(op.f("ck_transports_weight"))
        for column in ("warm_up_from", "seconds", "count", "weight"):
            batch.drop_column(column)
    with op.batch_alter_table("mailings") as batch:
        batch.drop_column("give_up_at")
    with op.batch_alter_table("leave_links") as batch:
        batch.drop_column("used_at")
    op.drop_index("ix_deliveries_odd", "deliveries")
    op.drop_index("ix_deliveries_waiting", "deliveries")
    op.execute("UPDATE deliveries SET state = 'uncertain' WHERE state = 'handing_over'")
    op.execute("UPDATE deliveries SET state = 'planned' WHERE state = 'claimed'")
    op.create_index("ix_deliveries_subscriber_id", "deliveries", ["subscriber_id"])
    with op.batch_alter_table("deliveries") as batch:
        batch.drop_constraint(op.f("uq_deliveries_subscriber_id_mailing_id"), type_="unique")
        batch.create_unique_constraint(op.f("uq_deliveries_mailing_id_subscriber_id"), ["mailing_id", "subscriber_id"])
        batch.add_column(sa.Column("token", sa.String(length=40), nullable=True))
        batch.add_column(sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True))
        batch.drop_column("claim_id")
        batch.drop_column("transport_id")
        batch.drop_column("provider")
    op.create_index("ix_deliveries_open", "deliveries", ["mailing_id", "next_attempt_at", "id"], sqlite_where=OPEN, postgresql_where=OPEN)
    op.create_index("ix_deliveries_mailing_id_state", "deliveries", ["mailing_id", "state", "id"])
