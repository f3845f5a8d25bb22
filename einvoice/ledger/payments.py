"""What remittances do: they add up to the payment of a document, and move nothing else of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..exchange import Payment
from ..model import CREDIT_TYPES
from ..money import parse, plain
from . import schema
from .store import AnyRow, change, dumps, insert, record
from .tracks import PAYMENT
from .values import Ack, Purpose, State

P, V, L, R, D = (
    schema.payment, schema.delivery, schema.transmission_delivery, schema.revision, schema.document,
)  # fmt: skip


def pay(
    conn: Connection, paid: Payment, ack: Ack, transmission_id: int | None, delivery_id: int | None, at: datetime
) -> Ack:  # fmt: skip
    """Keeps *paid* beside its acknowledgement and moves the payment of the delivery: part-paid, or paid once all is.

    Amounts in another currency than the document's are kept and not counted. A conflict for a person where the same
    line of a remittance comes with another amount, where the sum falls, where it was paid without proof that it was
    delivered, and where one remittance line names several documents.
    """
    row = _delivery(conn, transmission_id, delivery_id)
    if row is None:
        return replace(ack, conflict=True)
    if not ack.new:
        known = conn.execute(sa.select(P.c.amount, P.c.currency).where(P.c.acknowledgement_id == ack.id)).one_or_none()
        same = known is None or (known.amount, known.currency) == (paid.amount, paid.currency)
        return ack if same else _conflict(conn, row, ack, at, f"the same remittance came again, now {_told(paid)}")
    insert(conn, P, {
        "acknowledgement_id": ack.id, "delivery_id": row.id, "amount": paid.amount, "currency": paid.currency,
        "paid_on": paid.on, "reference": paid.reference, "at": at,
        "adjustments": dumps([[reason, plain(value)] for reason, value in paid.adjustments]),
    })  # fmt: skip
    return _moved(conn, row, paid, ack, at)


def _delivery(conn: Connection, transmission_id: int | None, delivery_id: int | None) -> AnyRow | None:
    query = sa.select(V, R.c.currency, R.c.total, R.c.canonical, D.c.type).join(R, R.c.id == V.c.revision_id)
    query = query.join(D, D.c.id == V.c.document_id).with_for_update(of=V)
    if delivery_id is not None:
        return conn.execute(query.where(V.c.id == delivery_id)).one_or_none()
    inside = sa.select(L.c.delivery_id).where(L.c.transmission_id == transmission_id)
    rows = conn.execute(query.where(V.c.id.in_(inside), V.c.purpose == Purpose.ORIGINAL)).all()
    return rows[0] if len(rows) == 1 else None


def _moved(conn: Connection, row: AnyRow, paid: Payment, ack: Ack, at: datetime) -> Ack:
    if paid.currency and paid.currency != row.currency:
        return _conflict(conn, row, ack, at, f"{_told(paid)}, the document is in {row.currency}: not counted")
    total, due = _sum(conn, row), _due(row)
    word = "paid" if total >= due else "part-paid" if total > 0 else ""
    record(conn, "payment", f"{_told(paid)}: {plain(total)} of {plain(due)} {row.currency}".rstrip(), at,
           document_id=row.document_id, delivery_id=row.id)  # fmt: skip
    if PAYMENT.index(word) < PAYMENT.index(row.payment):
        return _conflict(conn, row, ack, at, f"called {row.payment}, though {plain(total)} of {plain(due)} is paid")
    moved = word != row.payment
    if moved:
        change(conn, V, row.id, {"payment": word})
        record(conn, word, f"{word}: {_told(paid)}", at, document_id=row.document_id, delivery_id=row.id)
    ack = replace(ack, moved=ack.moved or moved)
    if word and row.state != State.DELIVERED:
        return _conflict(conn, row, ack, at, f"{word}, though it is {row.state}: nothing proved that it was delivered")
    return ack


def _sum(conn: Connection, row: AnyRow) -> Decimal:
    """What was paid so far; of a credit note what was offset, whichever sign the partner gives it."""
    rows = conn.execute(sa.select(P.c.amount, P.c.currency).where(P.c.delivery_id == row.id)).all()
    total = sum((one.amount for one in rows if one.currency in ("", row.currency)), Decimal(0))
    return abs(total) if row.type in CREDIT_TYPES else total


def _due(row: AnyRow) -> Decimal:
    """What the document asks for (BT-115), which prepayments lessen; else its total."""
    content: Any = json.loads(row.canonical)
    stated = (content.get("totals") or {}).get("due") if isinstance(content, dict) else None
    total: Decimal = row.total
    return abs((parse(stated) if isinstance(stated, str) else None) or total)


def _told(paid: Payment) -> str:
    name = f" ({paid.reference})" if paid.reference else ""
    less = "".join(f", {reason} {plain(value)}" for reason, value in paid.adjustments)
    return f"{plain(paid.amount)} {paid.currency}".rstrip() + f"{less}{name}"


def _conflict(conn: Connection, row: AnyRow, ack: Ack, at: datetime, text: str) -> Ack:
    change(conn, V, row.id, {"conflict": True})
    change(conn, schema.acknowledgement, ack.id, {"conflict": True})
    record(conn, "conflict", text, at, document_id=row.document_id, delivery_id=row.id)
    return replace(ack, conflict=True)
