"""Runs: what one dispatch took in, and the statement that must balance (DESIGN §5)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..errors import LedgerError
from . import schema
from .store import Store, change, insert, raced
from .values import STATEMENT_PARTS, DeliveryView, Purpose, State, Statement, Sums
from .views import deliveries

N, B, V, R = schema.run, schema.run_document, schema.delivery, schema.revision

#: What a run takes in: every original that is not finished and has not left for good.
_OPEN = (State.PLANNED, State.HELD, State.WAITING, State.SENDING, State.UNKNOWN)


class Runs(Store):
    def open_run(self, *, business_date: date, worker: str, at: datetime, only: str = "") -> int:
        """The run of a business date: the one left open by a crash or by a process still at it, or a new one.

        only  the profile it is restricted to; runs with different restrictions are different runs
        """
        with self.write("run-open") as conn:
            same = (N.c.business_date == business_date) & (N.c.only == only) & N.c.ended_at.is_(None)
            known: int | None = conn.scalar(sa.select(sa.func.max(N.c.id)).where(same))
            if known is not None:
                return known
            values = {"business_date": business_date, "only": only, "worker": worker, "started_at": at}
            return insert(conn, N, values)

    @raced
    def take_into_run(self, run_id: int, *, at: datetime, delivery_ids: Sequence[int] | None = None) -> int:
        """Takes every unfinished original, or those of *delivery_ids*, into a run once; how many were new."""
        there = sa.select(B.c.delivery_id).where(B.c.run_id == run_id, B.c.delivery_id == V.c.id).exists()
        wanted = (V.c.purpose == Purpose.ORIGINAL) & ~there
        wanted &= V.c.state.in_(_OPEN) if delivery_ids is None else V.c.id.in_(delivery_ids)
        with self.read() as conn:  # asked after every batch, and mostly for nothing
            if conn.scalar(sa.select(V.c.id).where(wanted).limit(1)) is None:
                return 0
        rows = sa.select(sa.literal(run_id), V.c.id, R.c.currency, R.c.total, sa.literal(at, schema.Utc()))
        rows = rows.join_from(V, R, R.c.id == V.c.revision_id).where(wanted)
        names = ["run_id", "delivery_id", "currency", "total", "taken_at"]
        with self.write("run-take") as conn:
            counted = conn.execution_options(preserve_rowcount=True)
            return counted.execute(B.insert().from_select(names, rows)).rowcount

    def close_run(self, run_id: int, *, at: datetime) -> None:
        """Ends a run. Its statement goes on showing where its documents stand."""
        with self.write("run-close") as conn:
            change(conn, N, run_id, {"ended_at": at})

    def runs(self, *, limit: int = 50) -> list[tuple[int, date, str, datetime, datetime | None]]:
        """The newest runs: id, business date, restriction, start, end."""
        query = sa.select(N.c.id, N.c.business_date, N.c.only, N.c.started_at, N.c.ended_at)
        with self.read() as conn:
            rows = conn.execute(query.order_by(N.c.id.desc()).limit(limit))
            return [(row[0], row[1], row[2], row[3], row[4]) for row in rows]

    def statement(self, run_id: int) -> Statement:
        """Where everything stands that a run took in. Raises LedgerError when there is no such run.

        The two sides come from different rows: what was noted when documents came in, and the states and
        contents of their deliveries now.
        """
        with self.read() as conn:
            head = conn.execute(sa.select(N).where(N.c.id == run_id)).one_or_none()
            if head is None:
                raise LedgerError(f"there is no run {run_id}")
            taken = sums(conn.execute(sa.select(B.c.currency, B.c.total).where(B.c.run_id == run_id)))
            return _statement(conn, run_id, head.business_date, taken)

    def run_deliveries(self, run_id: int) -> list[DeliveryView]:
        """Every delivery that a run took in, as it stands now, oldest first."""
        with self.read() as conn:
            taken = sa.select(B.c.delivery_id).where(B.c.run_id == run_id)
            return list(deliveries(conn, V.c.id.in_(taken), limit=None))


def sums(rows: Iterable[tuple[str, Decimal]]) -> Sums:
    """The documents and the money of (currency, total) pairs, exactly.

    >>> sums([("EUR", Decimal("0.10")), ("EUR", Decimal("0.20")), ("JPY", Decimal("5"))]).as_dict()
    {'documents': 3, 'money': {'EUR': '0.30', 'JPY': '5'}}
    """
    count, money = 0, dict[str, Decimal]()
    for currency, total in rows:
        count += 1
        money[currency] = money.get(currency, Decimal(0)) + total
    return Sums(count, money)


def _statement(conn: Connection, run_id: int, day: date, taken: Sums) -> Statement:
    names = (V.c.state, V.c.business, V.c.payment, V.c.overdue, V.c.conflict, R.c.currency, R.c.total)
    query = sa.select(*names).join_from(B, V, V.c.id == B.c.delivery_id).join(R, R.c.id == V.c.revision_id)
    rows: Sequence[Any] = conn.execute(query.where(B.c.run_id == run_id)).all()

    def part(keep: Iterable[Any]) -> Sums:
        return sums((row.currency, row.total) for row in keep)

    delivered = [row for row in rows if row.state == State.DELIVERED]
    return Statement(
        run_id,
        day,
        taken,
        {name: part(row for row in rows if row.state in states) for name, states in STATEMENT_PARTS.items()},
        accepted=part(row for row in delivered if row.business == "accepted" or row.payment),
        paid=part(row for row in delivered if row.payment == "paid"),
        awaiting_proof=sum(row.state == State.SENT for row in rows),
        overdue=sum(row.overdue for row in rows),
        conflicts=sum(row.conflict for row in rows),
    )
