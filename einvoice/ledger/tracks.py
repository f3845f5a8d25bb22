"""How a delivery moves: what evidence does to it, and the rule that late news never moves it back.

Networks.md 10 keeps three tracks apart; here ``state`` is the transport and verdict track, ``business``
and ``payment`` are ranks inside *delivered*. Every move is one event.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..errors import LedgerError
from . import schema
from .store import AnyRow, change, record
from .values import Meaning, State

V, A, L, T = schema.delivery, schema.attempt, schema.transmission_delivery, schema.transmission


@dataclass(frozen=True, slots=True)
class Effect:
    """What a meaning does: the state it proves, and its rank as a business or payment answer."""

    state: State | None
    business: str = ""
    payment: str = ""


EFFECTS = {
    Meaning.INFO: Effect(None),
    Meaning.RECEIVED: Effect(State.SENT),
    Meaning.DELIVERED: Effect(State.DELIVERED),
    Meaning.PROCESSING: Effect(State.DELIVERED, business="processing"),
    Meaning.QUERY: Effect(State.DELIVERED, business="query"),
    Meaning.ACCEPTED: Effect(State.DELIVERED, business="accepted"),
    Meaning.PART_PAID: Effect(State.DELIVERED, payment="part-paid"),
    Meaning.PAID: Effect(State.DELIVERED, payment="paid"),
    Meaning.REJECTED: Effect(State.REJECTED),
}

#: A word further right outranks those before it; a lower one that arrives late changes nothing.
BUSINESS = ("", "processing", "query", "accepted")
PAYMENT = ("", "part-paid", "paid")

_UNPROVEN = frozenset({State.HELD, State.WAITING, State.SENDING, State.UNKNOWN, State.FAILED})

#: Evidence for the key moves a delivery out of these states, and out of no other.
MOVES_FROM = {
    State.SENT: _UNPROVEN,
    State.DELIVERED: _UNPROVEN | {State.SENT},
    State.REJECTED: _UNPROVEN | {State.SENT, State.DELIVERED},
}

#: Nothing more should come of these: a partner who takes the document all the same contradicts us.
_WITHDRAWN = frozenset({State.PLANNED, State.SUPPRESSED, State.CANCELLED, State.SUPERSEDED})
_FAVOURABLE = frozenset({Meaning.ACCEPTED, Meaning.PART_PAID, Meaning.PAID})


def contradicts(delivery: AnyRow, meaning: Meaning, current: bool) -> bool:
    """Whether *meaning* cannot be true beside what is already known; such news is kept and flagged.

    current  it is about the transmission that the delivery now travels in, not about an earlier one
    """
    if meaning is Meaning.REJECTED:
        taken = delivery.state == State.DELIVERED and (delivery.business == "accepted" or delivery.payment)
        return current and bool(taken)
    if not current or delivery.state in _WITHDRAWN:
        return meaning in _FAVOURABLE or meaning is Meaning.DELIVERED
    return delivery.state == State.REJECTED and meaning in _FAVOURABLE


def apply(
    conn: Connection,
    delivery: AnyRow,
    meaning: Meaning,
    at: datetime,
    *,
    current: bool,
    text: str,
    due: datetime | None,
) -> tuple[bool, bool]:
    """Whether *meaning* moved *delivery*, and whether it contradicts what was known."""
    effect = EFFECTS[meaning]
    if contradicts(delivery, meaning, current):
        return False, contradict(conn, delivery, at, f"{meaning} contradicts {_stand(delivery)}: {text}")
    if effect.state is None or not current:
        return False, False
    moved = delivery.state in MOVES_FROM[effect.state]
    if moved:
        due_at = due if effect.state is State.SENT else None
        refused = {"owner": "finance", "reason": text} if effect.state is State.REJECTED else {}
        move(conn, delivery, effect.state, at, text, **{**SETTLED, "ack_due_at": due_at, **refused})
        rest(conn, delivery.transmission_id)
    if effect.state is State.DELIVERED and (moved or delivery.state == State.DELIVERED):
        moved |= _rank(conn, delivery, effect, at, text)
    untold = moved and not _tried(conn, delivery.transmission_id)
    if untold:  # as after a restore from an older backup: believed, so that it is not sent again, and flagged
        contradict(conn, delivery, at, f"{meaning}, though no attempt is recorded: {text}")
    return moved, untold


def contradict(conn: Connection, delivery: AnyRow, at: datetime, text: str) -> bool:
    """Flags a delivery of which two things were said that cannot both be true; always True."""
    change(conn, V, delivery.id, {"conflict": True})
    record(conn, "conflict", text, at, document_id=delivery.document_id, delivery_id=delivery.id)
    return True


def _stand(delivery: AnyRow) -> str:
    return str(delivery.payment or delivery.business or delivery.state)


_TRIED = sa.select(A.c.id).where(A.c.transmission_id == sa.bindparam("key")).limit(1)


def _tried(conn: Connection, transmission_id: int) -> bool:
    return conn.scalar(_TRIED, {"key": transmission_id}) is not None


#: What no longer applies once the partner has spoken.
SETTLED: dict[str, Any] = {
    "ack_due_at": None, "overdue": False, "owner": "", "reason": "", "held_by": "", "findings": "[]",
}  # fmt: skip


def _rank(conn: Connection, delivery: AnyRow, effect: Effect, at: datetime, text: str) -> bool:
    higher: dict[str, str] = {}
    if BUSINESS.index(effect.business) > BUSINESS.index(delivery.business):
        higher["business"] = effect.business
    if PAYMENT.index(effect.payment) > PAYMENT.index(delivery.payment):
        higher["payment"] = effect.payment
    if higher:
        change(conn, V, delivery.id, higher)
        for word in higher.values():
            record(conn, word, f"{word}: {text}", at, document_id=delivery.document_id, delivery_id=delivery.id)
    return bool(higher)


def move(
    conn: Connection,
    delivery: AnyRow,
    state: State,
    at: datetime,
    text: str,
    *,
    actor: str = "einvoice",
    **values: Any,
) -> None:
    """Puts *delivery* into *state*, with the other columns given, and writes the event."""
    change(conn, V, delivery.id, {"state": state, "state_at": at, **values})
    record(
        conn, state.value, text, at, document_id=delivery.document_id, delivery_id=delivery.id,
        transmission_id=values.get("transmission_id") or delivery.transmission_id, actor=actor,
    )  # fmt: skip


_needing = sa.select(V.c.id).where(
    V.c.transmission_id == T.c.id, V.c.state.in_((State.WAITING, State.SENDING, State.UNKNOWN))
)
_REST = T.update().where(T.c.id == sa.bindparam("key"), ~_needing.exists()).values(next_at=None)


def rest(conn: Connection, transmission_id: int | None) -> None:
    """Stops sending a transmission once none of its deliveries needs it any more."""
    if transmission_id is None:
        return
    conn.execute(_REST, {"key": transmission_id})


def one(conn: Connection, delivery_id: int) -> AnyRow | None:
    """The row of a delivery, locked until the transaction ends."""
    return conn.execute(sa.select(V).where(V.c.id == delivery_id).with_for_update()).one_or_none()


def may_have_arrived(conn: Connection, delivery_id: int) -> bool:
    """Whether any attempt carrying this delivery may have reached the partner: accepted, unknown or open."""
    telling = sa.select(A.c.id).join(L, L.c.transmission_id == A.c.transmission_id)
    telling = telling.where(L.c.delivery_id == delivery_id, A.c.outcome.in_(("", "unknown", "accepted")))
    return conn.scalar(telling.limit(1)) is not None


def take_apart(conn: Connection, delivery: AnyRow, at: datetime, why: str, actor: str) -> bool:
    """Undoes a transmission that never reached the partner, because one delivery of several in it may not go.

    The others wait to be sent get new bytes with new numbers; held or given up ones keep their state without bytes.
    False, and nothing is done, when it travels alone or has no transmission that could still go. Raises LedgerError
    when the transmission may have arrived.
    """
    key = delivery.transmission_id
    if key is None or delivery.state == State.REJECTED:
        return False
    others = conn.execute(sa.select(V).where(V.c.transmission_id == key, V.c.id != delivery.id).with_for_update()).all()
    if not others:
        return False
    arrived = A.c.outcome.in_(("", "unknown", "accepted"))
    if conn.scalar(sa.select(A.c.id).where(A.c.transmission_id == key, arrived).limit(1)) is not None:
        raise LedgerError(f"delivery {delivery.id} cannot be {why} alone: it shares bytes that may have arrived",
                          fix="wait for the partner's answer")  # fmt: skip
    free = {"transmission_id": None, "fence": delivery.fence + 1, "lease_until": None, "worker": "", "crash_count": 0}
    for other in others:
        text = f"to be rendered again: a document that shared its transmission is {why}"
        if other.state == State.WAITING:
            move(conn, other, State.PLANNED, at, text, actor=actor, **{**free, "fence": other.fence + 1})
        else:
            change(conn, V, other.id, {"transmission_id": None})
    change(conn, V, delivery.id, {"transmission_id": None})
    rest(conn, key)
    return True


def supersede(conn: Connection, revision_id: int, reason: str, at: datetime, actor: str) -> None:
    """Ends every delivery of a replaced content that can still be stopped or was refused."""
    rows = conn.execute(sa.select(V).where(V.c.revision_id == revision_id).with_for_update()).all()
    for row in rows:
        if row.state in (State.DELIVERED, State.SENT, State.SENDING, State.UNKNOWN):
            continue  # a copy that left stays what it is
        values = {"owner": "", "reason": reason, "next_at": None, "fence": row.fence + 1, "lease_until": None}
        move(conn, row, State.SUPERSEDED, at, f"replaced: {reason}", actor=actor, **values)
        rest(conn, row.transmission_id)
