"""Orders that came in: every message kept, the newest of each order alive; and what documents have taken from them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..exchange import Environment
from . import schema
from .store import AnyRow, Store, change, insert, raced
from .values import OrderFact, OrderView, Purpose, State

N, C, R, D, V = schema.orders, schema.order_charge, schema.revision, schema.document, schema.delivery

#: A document in one of these states takes nothing from an order.
_VOID = (State.REJECTED, State.FAILED, State.SUPPRESSED, State.CANCELLED, State.SUPERSEDED)
_KEY = ("environment", "seller", "buyer", "number")
_FACT = OrderFact.__slots__


class Orders(Store):
    @raced
    def keep_order(self, fact: OrderFact, *, at: datetime, source_name: str = "") -> str:
        """Stores an order that came by another way than the inbox; what it came to, in words."""
        with self.write("order") as conn:
            return keep(conn, fact, at, source_name=source_name)

    def orders(
        self, number: str | None = None, *, environment: Environment | None = None, history: bool = False,
        limit: int = 1000, after: int = 0,
    ) -> list[OrderView]:  # fmt: skip
        """Orders by id, those called *number*, or all; with *history* also what newer ones replaced."""
        wanted: list[sa.ColumnElement[bool]] = [N.c.id > after, *([] if history else [N.c.alive])]
        wanted += [N.c.number == number] if number is not None else []
        wanted += [N.c.environment == environment] if environment else []
        with self.read() as conn:
            return [_view(row) for row in conn.execute(sa.select(N).where(*wanted).order_by(N.c.id).limit(limit))]

    def keeps_orders(self, environment: Environment, buyers: Sequence[str]) -> bool:
        """Whether any order of one of these buyers was ever kept."""
        wanted = (N.c.environment == environment) & N.c.buyer.in_(buyers)
        with self.read() as conn:
            return conn.scalar(sa.select(N.c.id).where(wanted).limit(1)) is not None

    def charged(
        self, number: str, *, environment: Environment, buyer: str, before: int | None = None, besides: str = ""
    ) -> dict[str, Decimal]:  # fmt: skip
        """By line key, what living documents for *buyer* (by name) take from the order called *number*.

        before   only documents that were taken in earlier than the one with this id
        besides  not the document of this number
        """
        query = sa.select(C.c.key, C.c.quantity).join(R, R.c.id == C.c.revision_id).join(D, D.c.id == R.c.document_id)
        query = query.join(V, (V.c.revision_id == R.c.id) & (V.c.purpose == Purpose.ORIGINAL))
        query = query.where(C.c.number == number, R.c.alive, R.c.buyer == buyer, V.c.state.not_in(_VOID))
        query = query.where(D.c.environment == environment)
        query = query.where(D.c.id < before) if before is not None else query
        query = query.where(D.c.number != besides) if besides else query
        found: dict[str, Decimal] = {}
        with self.read() as conn:
            for key, quantity in conn.execute(query):
                found[key] = found.get(key, Decimal(0)) + quantity
        return found


def charge(conn: Connection, revision_id: int, charges: Sequence[tuple[str, str, Decimal]]) -> None:
    """Notes what one content takes from orders."""
    rows = [{"revision_id": revision_id, "number": number, "key": key, "quantity": quantity}
            for number, key, quantity in charges]  # fmt: skip
    if rows:
        conn.execute(C.insert(), rows)


def keep(conn: Connection, fact: OrderFact, at: datetime, *, inbox_id: int | None = None, source_name: str = "") -> str:
    """Stores *fact* as the next revision of its order; what it came to, in words. The same content is stored once.

    The newest counts: by the buyer's version, else by when the message was made, else by when it came.
    """
    digest = hashlib.sha256(fact.content.encode()).hexdigest()
    same = sa.and_(*(N.c[name] == getattr(fact, name) for name in _KEY))
    rows: Sequence[Any] = conn.execute(sa.select(N).where(same).order_by(N.c.revision).with_for_update()).all()
    if any(row.digest == digest for row in rows):
        return f"order {fact.number} was there"
    alive = next((row for row in rows if row.alive), None)
    counts = alive is None or not _older(fact, alive)
    if alive is not None and counts:
        change(conn, N, alive.id, {"alive": False})
    revision = 1 + max((row.revision for row in rows), default=0)
    values = {name: getattr(fact, name) for name in _FACT}
    insert(conn, N, {**values, "revision": revision, "alive": counts, "digest": digest, "inbox_id": inbox_id,
                     "source_name": source_name, "received_at": at})  # fmt: skip
    word = {"update": "changed", "delete": "withdrawn"}.get(fact.operation, "kept" if revision == 1 else "replaced")
    return f"order {fact.number} {word}" if counts else f"order {fact.number}: older than what is kept, in its history"


def _older(fact: OrderFact, alive: AnyRow) -> bool:
    if fact.version is not None and alive.version is not None and fact.version != alive.version:
        return bool(fact.version < alive.version)
    if fact.issued_at is None or alive.issued_at is None:
        return False
    return bool(fact.issued_at.astimezone(UTC) < alive.issued_at)


def _view(row: AnyRow) -> OrderView:
    fact = OrderFact(**{name: getattr(row, name) for name in _FACT} | {"environment": Environment(row.environment)})
    return OrderView(row.id, fact, row.revision, row.alive, row.source_name, row.received_at)
