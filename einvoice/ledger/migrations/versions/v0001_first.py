"""The first tables: documents, contents, deliveries, transmissions, attempts, inbox, runs, profiles."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "control_number",
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("next", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("environment", "partner", "direction", "kind", name="pk_control_number"),
    )
    op.create_table(
        "document",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("seller", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_document"),
        sa.UniqueConstraint(
            "environment", "seller", "type", "number", "year", name="uq_document_environment_seller_type_number_year"
        ),
    )
    op.create_index("ix_document_number", "document", ["number"], unique=False)
    op.create_table(
        "inbox",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("remote_id", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("received_at", UTC, nullable=False),
        sa.Column("state", sa.Text(), server_default="new", nullable=False),
        sa.Column("tried_at", UTC, nullable=True),
        sa.Column("conflict", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_inbox"),
        sa.UniqueConstraint("channel", "remote_id", "sha256", name="uq_inbox_channel_remote_id_sha256"),
    )
    op.create_index("ix_inbox_state_id", "inbox", ["state", "id"], unique=False)
    op.create_table(
        "meta",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_meta"),
    )
    op.create_table(
        "partner_gate",
        sa.Column("profile_id", sa.Text(), nullable=False),
        sa.Column("paused", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("actor", sa.Text(), server_default="", nullable=False),
        sa.Column("changed_at", UTC, nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("blocked_until", UTC, nullable=True),
        sa.Column("probe_id", ID, nullable=True),
        sa.PrimaryKeyConstraint("profile_id", name="pk_partner_gate"),
    )
    op.create_table(
        "profile",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_profile"),
    )
    op.create_table(
        "run",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("only", sa.Text(), server_default="", nullable=False),
        sa.Column("worker", sa.Text(), server_default="", nullable=False),
        sa.Column("started_at", UTC, nullable=False),
        sa.Column("ended_at", UTC, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_run"),
    )
    op.create_index("ix_run_business_date", "run", ["business_date"], unique=False)
    op.create_table(
        "transmission",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("payload_id", sa.Text(), nullable=False),
        sa.Column("profile_id", sa.Text(), nullable=False),
        sa.Column("profile_version", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("headers", sa.Text(), server_default="{}", nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("replaces_id", ID, nullable=True),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("next_at", UTC, nullable=True),
        sa.Column("fence", sa.Integer(), server_default="0", nullable=False),
        sa.Column("worker", sa.Text(), server_default="", nullable=False),
        sa.Column("lease_until", UTC, nullable=True),
        sa.Column("crash_count", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["replaces_id"], ["transmission.id"], name="fk_transmission_replaces_id"),
        sa.PrimaryKeyConstraint("id", name="pk_transmission"),
        sa.UniqueConstraint(
            "environment", "channel", "payload_id", name="uq_transmission_environment_channel_payload_id"
        ),
    )
    op.create_index("ix_transmission_lease_until", "transmission", ["lease_until"], unique=False)
    op.create_index("ix_transmission_next_at", "transmission", ["next_at"], unique=False)
    op.create_index("ix_transmission_payload_id", "transmission", ["payload_id"], unique=False)
    op.create_table(
        "attempt",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("transmission_id", ID, nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("started_at", UTC, nullable=False),
        sa.Column("ended_at", UTC, nullable=True),
        sa.Column("outcome", sa.Text(), server_default="", nullable=False),
        sa.Column("code", sa.Text(), server_default="", nullable=False),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.Column("duplicate", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("channel_fault", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(["transmission_id"], ["transmission.id"], name="fk_attempt_transmission_id"),
        sa.PrimaryKeyConstraint("id", name="pk_attempt"),
        sa.UniqueConstraint("transmission_id", "n", name="uq_attempt_transmission_id_n"),
    )
    op.create_table(
        "event",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("at", UTC, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), server_default="{}", nullable=False),
        sa.Column("document_id", ID, nullable=True),
        sa.Column("delivery_id", ID, nullable=True),
        sa.Column("transmission_id", ID, nullable=True),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name="fk_event_document_id"),
        sa.PrimaryKeyConstraint("id", name="pk_event"),
    )
    op.create_index("ix_event_document_id", "event", ["document_id"], unique=False)
    op.create_table(
        "profile_version",
        sa.Column("profile_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("toml", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="draft", nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["profile_id"], ["profile.id"], name="fk_profile_version_profile_id"),
        sa.PrimaryKeyConstraint("profile_id", "version", name="pk_profile_version"),
    )
    op.create_index(
        "ix_profile_version_live",
        "profile_version",
        ["profile_id"],
        unique=True,
        sqlite_where=sa.text("state = 'live'"),
        postgresql_where=sa.text("state = 'live'"),
    )
    op.create_table(
        "revision",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("document_id", ID, nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("alive", sa.Boolean(), nullable=False),
        sa.Column("canonical", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("sameness", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("total", sa.Text(), nullable=False),
        sa.Column("buyer", sa.Text(), server_default="", nullable=False),
        sa.Column("issue_date", sa.Date(), nullable=True),
        sa.Column("source", sa.LargeBinary(), nullable=False),
        sa.Column("source_sha256", sa.Text(), nullable=False),
        sa.Column("source_format", sa.Text(), nullable=False),
        sa.Column("source_name", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("superseded_at", UTC, nullable=True),
        sa.Column("superseded_reason", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name="fk_revision_document_id"),
        sa.PrimaryKeyConstraint("id", name="pk_revision"),
        sa.UniqueConstraint("document_id", "n", name="uq_revision_document_id_n"),
    )
    op.create_index(
        "ix_revision_alive",
        "revision",
        ["document_id"],
        unique=True,
        sqlite_where=sa.text("alive = 1"),
        postgresql_where=sa.text("alive"),
    )
    op.create_table(
        "delivery",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("document_id", ID, nullable=False),
        sa.Column("revision_id", ID, nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="planned", nullable=False),
        sa.Column("state_at", UTC, nullable=False),
        sa.Column("held_by", sa.Text(), server_default="", nullable=False),
        sa.Column("owner", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("findings", sa.Text(), server_default="[]", nullable=False),
        sa.Column("profile_id", sa.Text(), server_default="", nullable=False),
        sa.Column("profile_version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("decision", sa.Text(), server_default="", nullable=False),
        sa.Column("transmission_id", ID, nullable=True),
        sa.Column("next_at", UTC, nullable=True),
        sa.Column("ack_due_at", UTC, nullable=True),
        sa.Column("overdue", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("conflict", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("business", sa.Text(), server_default="", nullable=False),
        sa.Column("payment", sa.Text(), server_default="", nullable=False),
        sa.Column("fence", sa.Integer(), server_default="0", nullable=False),
        sa.Column("worker", sa.Text(), server_default="", nullable=False),
        sa.Column("lease_until", UTC, nullable=True),
        sa.Column("crash_count", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name="fk_delivery_document_id"),
        sa.ForeignKeyConstraint(["revision_id"], ["revision.id"], name="fk_delivery_revision_id"),
        sa.ForeignKeyConstraint(["transmission_id"], ["transmission.id"], name="fk_delivery_transmission_id"),
        sa.PrimaryKeyConstraint("id", name="pk_delivery"),
        sa.UniqueConstraint("revision_id", "purpose", "target", name="uq_delivery_revision_id_purpose_target"),
    )
    op.create_index("ix_delivery_document_id", "delivery", ["document_id"], unique=False)
    op.create_index("ix_delivery_lease_until", "delivery", ["lease_until"], unique=False)
    op.create_index("ix_delivery_state_id", "delivery", ["state", "id"], unique=False)
    op.create_index("ix_delivery_transmission_id", "delivery", ["transmission_id"], unique=False)
    op.create_table(
        "acknowledgement",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("delivery_id", ID, nullable=True),
        sa.Column("transmission_id", ID, nullable=True),
        sa.Column("inbox_id", ID, nullable=True),
        sa.Column("attempt_id", ID, nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("meaning", sa.Text(), nullable=False),
        sa.Column("remote_id", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("at", UTC, nullable=False),
        sa.Column("conflict", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempt.id"], name="fk_acknowledgement_attempt_id"),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name="fk_acknowledgement_delivery_id"),
        sa.ForeignKeyConstraint(["inbox_id"], ["inbox.id"], name="fk_acknowledgement_inbox_id"),
        sa.ForeignKeyConstraint(["transmission_id"], ["transmission.id"], name="fk_acknowledgement_transmission_id"),
        sa.PrimaryKeyConstraint("id", name="pk_acknowledgement"),
        sa.UniqueConstraint(
            "subject", "kind", "code", "remote_id", name="uq_acknowledgement_subject_kind_code_remote_id"
        ),
    )
    op.create_index("ix_acknowledgement_delivery_id", "acknowledgement", ["delivery_id"], unique=False)
    op.create_index("ix_acknowledgement_inbox_id", "acknowledgement", ["inbox_id"], unique=False)
    op.create_index("ix_acknowledgement_transmission_id", "acknowledgement", ["transmission_id"], unique=False)
    op.create_table(
        "artifact",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("delivery_id", ID, nullable=False),
        sa.Column("transmission_id", ID, nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name="fk_artifact_delivery_id"),
        sa.ForeignKeyConstraint(["transmission_id"], ["transmission.id"], name="fk_artifact_transmission_id"),
        sa.PrimaryKeyConstraint("id", name="pk_artifact"),
    )
    op.create_index("ix_artifact_delivery_id", "artifact", ["delivery_id"], unique=False)
    op.create_table(
        "run_document",
        sa.Column("run_id", ID, nullable=False),
        sa.Column("delivery_id", ID, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("total", sa.Text(), nullable=False),
        sa.Column("taken_at", UTC, nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name="fk_run_document_delivery_id"),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_run_document_run_id"),
        sa.PrimaryKeyConstraint("run_id", "delivery_id", name="pk_run_document"),
    )
    op.create_index("ix_run_document_delivery_id", "run_document", ["delivery_id"], unique=False)
    op.create_table(
        "transmission_delivery",
        sa.Column("transmission_id", ID, nullable=False),
        sa.Column("delivery_id", ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name="fk_transmission_delivery_delivery_id"),
        sa.ForeignKeyConstraint(
            ["transmission_id"], ["transmission.id"], name="fk_transmission_delivery_transmission_id"
        ),
        sa.PrimaryKeyConstraint("transmission_id", "delivery_id", name="pk_transmission_delivery"),
    )
    op.create_index("ix_transmission_delivery_delivery_id", "transmission_delivery", ["delivery_id"], unique=False)
