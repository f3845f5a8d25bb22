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

    def orders_for(
        self, numbers: Sequence[str], *, environment: Environment, buyer: str, buyer_keys: Sequence[str],
        before: int | None = None, besides: str = "",
    ) -> tuple[list[tuple[str, dict[str, Decimal]]], bool]:  # fmt: skip
        """(content, what was taken by line key) of each order called one of *numbers*, and whether orders are to be
        expected: one of them is there, or an order of one of *buyer_keys* was ever kept.

        buyer    the buyer's name in the ledger: what documents for others take does not count
        before   only documents that were taken in earlier than the one with this id
        besides  not the document of this number
        """
        with self.read() as conn:
            rows = conn.execute(_NAMED, {"names": list(numbers), "environment": environment}).all() if numbers else []
            if not rows:
                keys = {"keys": list(buyer_keys), "environment": environment}
                return [], conn.scalar(_EVER, keys) is not None
            wanted = {"names": [row.number for row in rows], "environment": environment, "buyer": buyer}
            limits = {"before": before if before is not None else 2**62, "besides": besides}
            taken: dict[str, dict[str, Decimal]] = {}
            for number, key, quantity in conn.execute(_TAKEN, wanted | limits):
                by_key = taken.setdefault(number, {})
                by_key[key] = by_key.get(key, Decimal(0)) + quantity
        return [(row.content, taken.get(row.number, {})) for row in rows], True


def _one_of(name: str) -> sa.BindParameter[Any]:
    return sa.bindparam(name, expanding=True)


_HERE = N.c.environment == sa.bindparam("environment")
_NAMED = sa.select(N.c.number, N.c.content).where(N.c.number.in_(_one_of("names")), N.c.alive, _HERE).order_by(N.c.id)
_EVER = sa.select(N.c.id).where(N.c.buyer.in_(_one_of("keys")), _HERE).limit(1)
_TAKEN = (
    sa.select(C.c.number, C.c.key, C.c.quantity)
    .join(R, R.c.id == C.c.revision_id)
    .join(D, D.c.id == R.c.document_id)
    .join(V, (V.c.revision_id == R.c.id) & (V.c.purpose == Purpose.ORIGINAL))
    .where(
        C.c.number.in_(_one_of("names")), R.c.alive, R.c.buyer == sa.bindparam("buyer"),
        D.c.environment == sa.bindparam("environment"), D.c.id < sa.bindparam("before", type_=schema.BigId),
        D.c.number != sa.bindparam("besides"), V.c.state.not_in(_VOID),
    )
)  # fmt: skip


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
