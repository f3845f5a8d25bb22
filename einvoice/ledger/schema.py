"""The tables (DESIGN §5), in SQLAlchemy Core, the same on SQLite and PostgreSQL.

Money is stored as text so that no digit changes, instants as UTC, states as words. Small artifacts live
in the database: a blob in the transaction costs a fifth of a synced file (facts/dispatch.md).
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy import Boolean, Column, Date, ForeignKey, Index, Integer, LargeBinary, Table, Text, UniqueConstraint
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from ..errors import LedgerError
from ..money import plain

#: The newest migration; a ledger that is behind is brought up to it when SQLite opens it.
HEAD = "0003"

BigId = sa.BigInteger().with_variant(Integer, "sqlite")


class Utc(TypeDecorator[datetime]):
    """An aware UTC instant; a naive one is refused, because its zone would be a guess."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise LedgerError(f"a time without zone: {value.isoformat()}", fix="give an aware UTC datetime")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Money(TypeDecorator[Decimal]):
    """A Decimal as its digits: what was stored is what comes back, trailing zeros included."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        return None if value is None else plain(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id() -> Column[int]:
    return Column("id", BigId, primary_key=True, autoincrement=True)


def _text(name: str, *, default: str | None = "") -> Column[str]:
    """A text that is never NULL; without a *default* it must be given."""
    return Column(name, Text, nullable=False, server_default=default)


def _ref(table: str, *, name: str = "", null: bool = False) -> Column[int]:
    return Column(name or f"{table}_id", BigId, ForeignKey(f"{table}.id"), nullable=null)


def _count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default="0")


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False, server_default=sa.false())


def _at(name: str, *, null: bool = False) -> Column[datetime]:
    return Column(name, Utc, nullable=null)


def _lease() -> tuple[Column[int], Column[str], Column[datetime], Column[int]]:
    """Who works on a row: the fence rises with every claim, so a worker that lost it cannot write."""
    return _count("fence"), _text("worker"), _at("lease_until", null=True), _count("crash_count")


meta = Table("meta", metadata, Column("key", Text, primary_key=True), _text("value", default=None))

document = Table(
    "document", metadata, _id(),
    _text("environment", default=None), _text("seller", default=None), _text("type", default=None),
    _text("number", default=None), Column("year", Integer, nullable=False), _at("created_at"),
    UniqueConstraint("environment", "seller", "type", "number", "year"),
    Index(None, "number"),
)  # fmt: skip

revision = Table(
    "revision", metadata, _id(), _ref("document"),
    Column("n", Integer, nullable=False), Column("alive", Boolean, nullable=False),
    Column("canonical", LargeBinary, nullable=False), _text("digest", default=None), _text("sameness", default=None),
    _text("currency", default=None), Column("total", Money, nullable=False), _text("buyer"),
    Column("issue_date", Date), Column("source", LargeBinary, nullable=False), _text("source_sha256", default=None),
    _text("source_format", default=None), _text("source_name"),
    _at("created_at"), _at("superseded_at", null=True), _text("superseded_reason"),
    UniqueConstraint("document_id", "n"),
    Index("ix_revision_alive", "document_id", unique=True,
          sqlite_where=sa.text("alive = 1"), postgresql_where=sa.text("alive")),
)  # fmt: skip

profile = Table(
    "profile", metadata, Column("id", Text, primary_key=True), _text("environment", default=None), _at("created_at")
)

profile_version = Table(
    "profile_version", metadata,
    Column("profile_id", Text, ForeignKey("profile.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    _text("toml", default=None), _text("digest", default=None), _text("state", default="draft"),
    _at("created_at"), _text("actor", default=None),
    Index("ix_profile_version_live", "profile_id", unique=True,
          sqlite_where=sa.text("state = 'live'"), postgresql_where=sa.text("state = 'live'")),
)  # fmt: skip

partner_gate = Table(
    "partner_gate", metadata, Column("profile_id", Text, primary_key=True),
    _flag("paused"), _text("reason"), _text("actor"), _at("changed_at", null=True),
    _count("failures"), _at("blocked_until", null=True), Column("probe_id", BigId),
)  # fmt: skip

transmission = Table(
    "transmission", metadata, _id(),
    _text("environment", default=None), _text("channel", default=None), _text("payload_id", default=None),
    _text("profile_id", default=None), Column("profile_version", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False), _text("sha256", default=None), _text("headers", default="{}"),
    _text("name", default=None), _text("media_type", default=None), _text("policy", default=None),
    _ref("transmission", name="replaces_id", null=True), _at("created_at"), _at("next_at", null=True), *_lease(),
    UniqueConstraint("environment", "channel", "payload_id"),
    Index(None, "payload_id"), Index(None, "next_at"), Index(None, "lease_until"),
)  # fmt: skip

delivery = Table(
    "delivery", metadata, _id(), _ref("document"), _ref("revision"),
    _text("purpose", default=None), _text("target"), _text("state", default="planned"), _at("state_at"),
    _text("held_by"), _text("owner"), _text("reason"), _text("findings", default="[]"),
    _text("profile_id"), _count("profile_version"), _text("decision"),
    _ref("transmission", null=True), _at("next_at", null=True), _at("ack_due_at", null=True),
    _flag("overdue"), _flag("conflict"), _text("business"), _text("payment"), *_lease(),
    _text("batch"), _count("batch_max"),
    UniqueConstraint("revision_id", "purpose", "target"),
    Index(None, "state", "id"), Index(None, "transmission_id"), Index(None, "lease_until"), Index(None, "document_id"),
    Index(None, "batch"),
)  # fmt: skip

transmission_delivery = Table(
    "transmission_delivery", metadata,
    Column("transmission_id", BigId, ForeignKey("transmission.id"), primary_key=True),
    Column("delivery_id", BigId, ForeignKey("delivery.id"), primary_key=True),
    Column("position", Integer, nullable=False),
    Index(None, "delivery_id"),
)  # fmt: skip

artifact = Table(
    "artifact", metadata, _id(), _ref("delivery"), _ref("transmission", null=True), _text("kind", default=None),
    _text("name", default=None), _text("format", default=None), _text("media_type", default=None),
    Column("data", LargeBinary, nullable=False), _text("sha256", default=None), _at("created_at"),
    Index(None, "delivery_id"), Index(None, "name"),
)  # fmt: skip

attempt = Table(
    "attempt", metadata, _id(), _ref("transmission"), Column("n", Integer, nullable=False),
    Column("fence", Integer, nullable=False), _text("worker", default=None),
    _at("started_at"), _at("ended_at", null=True), _text("outcome"), _text("code"), _text("text"),
    Column("raw", LargeBinary), _flag("duplicate"), _flag("channel_fault"),
    UniqueConstraint("transmission_id", "n"),
)  # fmt: skip

inbox = Table(
    "inbox", metadata, _id(), _text("channel", default=None), _text("remote_id", default=None),
    _text("sha256", default=None), Column("data", LargeBinary, nullable=False), _text("media_type", default=None),
    _at("received_at"), _text("state", default="new"), _at("tried_at", null=True), _flag("conflict"), _text("note"),
    UniqueConstraint("channel", "remote_id", "sha256"), Index(None, "state", "id"),
)  # fmt: skip

#: ``subject`` is ``d:ID`` or ``t:ID``: one NOT NULL key, so that the uniqueness below also holds where
#: one of the two references is absent (NULLs never collide).
acknowledgement = Table(
    "acknowledgement", metadata, _id(), _text("subject", default=None),
    _ref("delivery", null=True), _ref("transmission", null=True), _ref("inbox", null=True), _ref("attempt", null=True),
    _text("kind", default=None), _text("code", default=None), _text("meaning", default=None),
    _text("remote_id", default=None), _text("text"), _at("at"), _flag("conflict"),
    UniqueConstraint("subject", "kind", "code", "remote_id"),
    Index(None, "delivery_id"), Index(None, "transmission_id"), Index(None, "inbox_id"),
)  # fmt: skip

control_number = Table(
    "control_number", metadata,
    Column("environment", Text, primary_key=True), Column("partner", Text, primary_key=True),
    Column("direction", Text, primary_key=True), Column("kind", Text, primary_key=True),
    Column("next", sa.BigInteger, nullable=False),
)  # fmt: skip

#: The numbers ``first`` to ``last`` that one transmission bears. Not unique: a series begins again after its highest.
control_number_use = Table(
    "control_number_use", metadata, _id(), _ref("transmission"),
    _text("environment", default=None), _text("partner", default=None), _text("kind", default=None),
    Column("first", sa.BigInteger, nullable=False), Column("last", sa.BigInteger, nullable=False),
    Index("ix_control_number_use_number", "environment", "partner", "kind", "first"), Index(None, "transmission_id"),
)  # fmt: skip

run = Table(
    "run", metadata, _id(), Column("business_date", Date, nullable=False), _text("only"), _text("worker"),
    _at("started_at"), _at("ended_at", null=True), Index(None, "business_date"),
)  # fmt: skip

run_document = Table(
    "run_document", metadata,
    Column("run_id", BigId, ForeignKey("run.id"), primary_key=True),
    Column("delivery_id", BigId, ForeignKey("delivery.id"), primary_key=True),
    _text("currency", default=None), Column("total", Money, nullable=False), _at("taken_at"),
    Index(None, "delivery_id"),
)  # fmt: skip

event = Table(
    "event", metadata, _id(), _at("at"), _text("kind", default=None), _text("text", default=None),
    _text("actor", default=None), _text("detail", default="{}"),
    _ref("document", null=True), Column("delivery_id", BigId), Column("transmission_id", BigId),
    Index(None, "document_id"),
)  # fmt: skip

#: Every order that came in and every change of it; of one order at most one is ``alive``. ``number`` is what invoices
#: name it by, release included.
orders = Table(
    "orders", metadata, _id(), _text("environment", default=None), _text("seller"), _text("buyer"),
    _text("number", default=None), Column("revision", Integer, nullable=False),
    Column("alive", Boolean, nullable=False), _text("operation", default=None), Column("order_date", Date),
    _text("currency"), _text("payload_id"), Column("version", Integer), _at("issued_at", null=True),
    _text("content", default=None), _text("digest", default=None), _text("source_name"),
    _ref("inbox", null=True), _at("received_at"),
    UniqueConstraint("environment", "seller", "buyer", "number", "revision"),
    UniqueConstraint("environment", "seller", "buyer", "number", "digest"),
    Index(None, "number"), Index(None, "buyer"),
)  # fmt: skip

#: What the contents of documents take from orders: so much of the order line that ``key`` names.
order_charge = Table(
    "order_charge", metadata, _id(), _ref("revision"), _text("number", default=None), _text("key", default=None),
    Column("quantity", Money, nullable=False), Index(None, "number"), Index(None, "revision_id"),
)  # fmt: skip

#: What partners say they paid: one row for each line of a remittance that names a document of ours.
payment = Table(
    "payment", metadata, _id(), _ref("acknowledgement"), _ref("delivery"), Column("amount", Money, nullable=False),
    _text("currency"), Column("paid_on", Date), _text("reference"), _text("adjustments", default="[]"), _at("at"),
    UniqueConstraint("acknowledgement_id"), Index(None, "delivery_id"),
)  # fmt: skip

#: The tables whose rows are changed one by one.
WITH_ID = (revision, transmission, delivery, attempt, inbox, acknowledgement, run, orders)
