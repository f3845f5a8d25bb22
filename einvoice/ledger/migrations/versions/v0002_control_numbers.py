"""Which transmission bears which control numbers or file name, and which deliveries are gathered to travel together."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "control_number_use",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("transmission_id", ID, nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["transmission_id"], ["transmission.id"], name="fk_control_number_use_transmission_id"),
        sa.PrimaryKeyConstraint("id", name="pk_control_number_use"),
    )
    op.create_index(
        "ix_control_number_use_number", "control_number_use", ["environment", "partner", "kind", "first"], unique=False
    )
    op.create_index("ix_control_number_use_transmission_id", "control_number_use", ["transmission_id"], unique=False)
    op.add_column("delivery", sa.Column("batch", sa.Text(), server_default="", nullable=False))
    op.add_column("delivery", sa.Column("batch_max", sa.Integer(), server_default="0", nullable=False))
    op.create_index("ix_delivery_batch", "delivery", ["batch"], unique=False)
    op.create_index("ix_artifact_name", "artifact", ["name"], unique=False)
