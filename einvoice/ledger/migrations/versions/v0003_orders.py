"""Orders that came in, what documents take from them, and what partners say they paid."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "orders",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("seller", sa.Text(), server_default="", nullable=False),
        sa.Column("buyer", sa.Text(), server_default="", nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("alive", sa.Boolean(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("order_date", sa.Date(), nullable=True),
        sa.Column("currency", sa.Text(), server_default="", nullable=False),
        sa.Column("payload_id", sa.Text(), server_default="", nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("issued_at", UTC, nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("source_name", sa.Text(), server_default="", nullable=False),
        sa.Column("inbox_id", ID, nullable=True),
        sa.Column("received_at", UTC, nullable=False),
        sa.ForeignKeyConstraint(["inbox_id"], ["inbox.id"], name="fk_orders_inbox_id"),
        sa.PrimaryKeyConstraint("id", name="pk_orders"),
        sa.UniqueConstraint(
            "environment",
            "seller",
            "buyer",
            "number",
            "revision",
            name="uq_orders_environment_seller_buyer_number_revision",
        ),
        sa.UniqueConstraint(
            "environment",
            "seller",
            "buyer",
            "number",
            "digest",
            name="uq_orders_environment_seller_buyer_number_digest",
        ),
    )
    op.create_index("ix_orders_buyer", "orders", ["buyer"], unique=False)
    op.create_index("ix_orders_number", "orders", ["number"], unique=False)
    op.create_table(
        "order_charge",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("revision_id", ID, nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["revision_id"], ["revision.id"], name="fk_order_charge_revision_id"),
        sa.PrimaryKeyConstraint("id", name="pk_order_charge"),
    )
    op.create_index("ix_order_charge_number", "order_charge", ["number"], unique=False)
    op.create_index("ix_order_charge_revision_id", "order_charge", ["revision_id"], unique=False)
    op.create_table(
        "payment",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("acknowledgement_id", ID, nullable=False),
        sa.Column("delivery_id", ID, nullable=False),
        sa.Column("amount", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), server_default="", nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("reference", sa.Text(), server_default="", nullable=False),
        sa.Column("adjustments", sa.Text(), server_default="[]", nullable=False),
        sa.Column("at", UTC, nullable=False),
        sa.ForeignKeyConstraint(["acknowledgement_id"], ["acknowledgement.id"], name="fk_payment_acknowledgement_id"),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name="fk_payment_delivery_id"),
        sa.PrimaryKeyConstraint("id", name="pk_payment"),
        sa.UniqueConstraint("acknowledgement_id", name="uq_payment_acknowledgement_id"),
    )
    op.create_index("ix_payment_delivery_id", "payment", ["delivery_id"], unique=False)
