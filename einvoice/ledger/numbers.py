"""Control numbers: taken in the transaction that fixes the bytes bearing them, and kept with their transmission.

A number is taken when its transmission is stored or not at all, so a crash loses none. One that never reached the
partner, because what bore it was withdrawn or given up, stays with its transmission, whose events say why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..errors import LedgerError
from ..exchange import Environment, Series
from . import schema
from .store import Store, raced
from .values import AckFact, NumberUse, State

C, U, T, V, A, E, L, D = (
    schema.control_number, schema.control_number_use, schema.transmission, schema.delivery, schema.attempt,
    schema.event, schema.transmission_delivery, schema.document,
)  # fmt: skip

#: A transmission that stands in one of these may still go, or may have arrived.
_ALIVE = (State.WAITING, State.SENDING, State.UNKNOWN, State.HELD)


class Numbers(Store):
    @raced
    def take_numbers(self, environment: Environment, series: Series, *, count: int = 1) -> range:
        """*count* control numbers that nobody else gets, in one step. Test and production count apart."""
        with self.write("numbers") as conn:
            return take(conn, environment, series, count)

    def numbers(self, transmission_id: int) -> dict[str, range]:
        """The control numbers that a transmission bears, by kind; of messages one for each document, in their order."""
        query = sa.select(U.c.kind, U.c.first, U.c.last).where(U.c.transmission_id == transmission_id)
        with self.read() as conn:
            return {kind: range(first, last + 1) for kind, first, last in conn.execute(query)}

    def unsent_numbers(self, *, limit: int = 1000) -> list[NumberUse]:
        """Control numbers that were given and that the partner never saw or will see, oldest first, and why.

        Such a gap is what a partner asks about who checks that numbers follow each other.
        """
        reached = sa.select(A.c.id).where(A.c.transmission_id == T.c.id, A.c.outcome.in_(("", "unknown", "accepted")))
        alive = sa.select(V.c.id).where(V.c.transmission_id == T.c.id, V.c.state.in_(_ALIVE))
        why = sa.select(E.c.text).where(E.c.transmission_id == T.c.id).order_by(E.c.id.desc()).limit(1)
        query = sa.select(U, T.c.payload_id, why.scalar_subquery().label("reason")).join(
            T, T.c.id == U.c.transmission_id
        )
        query = query.where(~reached.exists(), ~alive.exists()).order_by(U.c.id).limit(limit)
        with self.read() as conn:
            return [
                NumberUse(Environment(row.environment), row.partner, row.kind, row.first, row.last, row.payload_id,
                          row.reason or "")
                for row in conn.execute(query)
            ]  # fmt: skip


def take(conn: Connection, environment: str, series: Series, count: int) -> range:
    """*count* numbers that follow each other: one UPDATE, whose row lock makes others wait until this commits."""
    if count < 1:
        raise LedgerError(f"{count} control numbers were asked for")
    key = {"environment": environment, "partner": series.between, "direction": "out", "kind": series.kind}
    same = sa.and_(*(C.c[name] == value for name, value in key.items()))
    last = C.c.next + count - 1
    again = (C.c.next < series.first) | (last > series.highest)
    step = C.update().where(same).values(next=sa.case((again, series.first + count), else_=last + 1))
    end = conn.scalar(step.returning(C.c.next))
    if end is None:
        end = series.first + count
        conn.execute(C.insert(), {**key, "next": end})
    return range(end - count, end)


def take_all(conn: Connection, environment: str, series: Sequence[Series], documents: int) -> dict[str, range]:
    """The numbers that one transmission of *documents* needs, by kind."""
    return {one.kind: take(conn, environment, one, documents if one.each else 1) for one in series}


def bear(
    conn: Connection, transmission_id: int, environment: str, series: Sequence[Series], taken: Mapping[str, range]
) -> None:
    """Stores that a transmission bears the numbers it was given."""
    for one in series:
        numbers = taken[one.kind]
        conn.execute(U.insert(), {
            "transmission_id": transmission_id, "environment": environment, "partner": one.between, "kind": one.kind,
            "first": numbers[0], "last": numbers[-1],
        })  # fmt: skip


def bearer(conn: Connection, fact: AckFact) -> tuple[int, int | None] | None:
    """The (transmission, delivery) that bears the control numbers of *fact*; no delivery where it names no message.

    None when nothing does: not every number that is stated, not between these two, or not with this document in it.
    """
    outer = (("interchange", fact.interchange), ("group", fact.group), ("message", fact.message))
    stated = [(kind, _value(text)) for kind, text in outer if text]
    use = sa.select(U.c.transmission_id, U.c.first).where(U.c.partner == fact.between)
    use = use.where(U.c.environment == fact.environment) if fact.environment else use
    found: int | None = None
    for kind, value in stated:
        query = use.where(U.c.kind == kind, U.c.first <= value, U.c.last >= value)
        query = query.where(U.c.transmission_id == found) if found is not None else query
        row = conn.execute(query.order_by(U.c.id.desc()).limit(1)).one_or_none()
        if row is None:
            return None
        found, first = row
    assert found is not None
    if not fact.message:
        return found, None
    inside = (
        sa.select(L.c.delivery_id, D.c.number).join(V, V.c.id == L.c.delivery_id).join(D, D.c.id == V.c.document_id)
    )
    one = conn.execute(
        inside.where(L.c.transmission_id == found, L.c.position == _value(fact.message) - first)
    ).one_or_none()
    return (found, one[0]) if one and fact.number in ("", one[1]) else None


def _value(text: str) -> int:
    """What a control number counts to, however it is padded; -1, which none has, for what is no number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 14 else -1
