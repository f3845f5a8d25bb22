"""What an answer does: the partner's verdict by rank, its absence as doubt, a fault as a closed gate."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..exchange import Outcome, Receipt
from . import gates, schema
from .acks import store_ack
from .gates import gate_hold
from .store import AnyRow, change, dumps, record
from .tracks import move, rest
from .values import Meaning, SendPolicy, State

V, T, A = schema.delivery, schema.transmission, schema.attempt

_STATE = sa.select(V.c.state).where(V.c.transmission_id == sa.bindparam("key")).limit(1)


@dataclass(frozen=True, slots=True)
class Case:
    """One answer to one attempt, and what the sender made of it.

    attempt  the attempt's row with its transmission's policy and profile
    late     the sweep had already called the attempt unknown
    """

    attempt: AnyRow
    receipt: Receipt
    at: datetime
    next_at: datetime | None
    story: str
    late: bool


def dump_policy(policy: SendPolicy) -> str:
    hours = {"ack_due": policy.ack_due.total_seconds(), "max_age": policy.max_age.total_seconds()}
    return dumps({"proof": list(policy.proof), "resend": policy.resend, **{k: int(v) for k, v in hours.items()}})


def load_policy(text: str) -> SendPolicy:
    raw = json.loads(text)
    spans = {name: timedelta(seconds=raw[name]) for name in ("ack_due", "max_age")}
    return SendPolicy(tuple(raw["proof"]), raw["resend"], **spans)


def hold_at_gate(
    conn: Connection, transmission_id: int, profile_id: str, rows: Sequence[AnyRow], reason: str, at: datetime
) -> None:
    """Deliveries wait for their partner to be reopened; one that may have arrived stays unknown meanwhile."""
    values = gate_hold(profile_id, reason)
    for each in rows:
        state = State.UNKNOWN if _uncertain(conn, transmission_id) else State.HELD
        move(conn, each, state, at, values["reason"], **values)
    change(conn, T, transmission_id, {"next_at": None})


def _uncertain(conn: Connection, transmission_id: int) -> bool:
    """Whether an attempt of this transmission may have arrived without our knowing."""
    doubt = sa.select(A.c.id).where(A.c.transmission_id == transmission_id, A.c.outcome == Outcome.UNKNOWN)
    return conn.scalar(doubt.limit(1)) is not None


def _may_be_ours(conn: Connection, attempt: AnyRow) -> bool:
    """Whether an earlier attempt of the same bytes may have arrived: then a "duplicate" speaks of these bytes.

    An attempt that was refused unread, or never left, has brought nothing to the partner; a number that is taken
    then was taken by someone else.
    """
    earlier = (A.c.transmission_id == attempt.transmission_id) & (A.c.id != attempt.id)
    arrived = A.c.outcome.in_((Outcome.UNKNOWN, Outcome.ACCEPTED))
    return conn.scalar(sa.select(A.c.id).where(earlier, arrived).limit(1)) is not None


def conclude(conn: Connection, case: Case) -> State:
    """What an answer does to the deliveries of its transmission."""
    receipt, transmission_id = case.receipt, case.attempt.transmission_id
    if receipt.outcome in (Outcome.ACCEPTED, Outcome.REJECTED):
        gates.answered(conn, case.attempt.profile_id)
        return _verdict(conn, case)
    if case.late:
        record(conn, "late-answer", case.story, case.at, transmission_id=transmission_id)
        return State.UNKNOWN
    sending = (V.c.transmission_id == transmission_id) & (V.c.state == State.SENDING)
    rows = conn.execute(sa.select(V).where(sending).with_for_update()).all()
    if receipt.channel_fault:
        reason = f"{receipt.code} {receipt.text}".strip()
        gates.pause(conn, case.attempt.profile_id, reason, "einvoice", case.at)
        hold_at_gate(conn, transmission_id, case.attempt.profile_id, rows, reason, case.at)
        return State.HELD
    gates.failed(conn, case.attempt.profile_id, case.next_at)
    return _again_or_stop(conn, case, rows)


def _again_or_stop(conn: Connection, case: Case, rows: Sequence[AnyRow]) -> State:
    doubtful = _uncertain(conn, case.attempt.transmission_id)
    next_at = case.next_at
    if doubtful and not load_policy(case.attempt.policy).resend:
        next_at = None
    state = State.UNKNOWN if doubtful else State.WAITING if next_at else State.FAILED
    owner = "" if next_at else "operator"
    reason = "" if next_at else f"given up after {case.story}" if state is State.FAILED else f"no answer: {case.story}"
    for row in rows:
        move(conn, row, state, case.at, case.story, owner=owner, reason=reason)
    change(conn, T, case.attempt.transmission_id, {"next_at": next_at})
    rest(conn, case.attempt.transmission_id)  # an acknowledgement may have come before this answer
    return state


def _verdict(conn: Connection, case: Case) -> State:
    """The partner's own verdict, kept as an acknowledgement and applied by rank to every delivery inside."""
    receipt, policy = case.receipt, load_policy(case.attempt.policy)
    taken = receipt.outcome is Outcome.ACCEPTED or (receipt.duplicate and _may_be_ours(conn, case.attempt))
    if not taken:
        meaning = Meaning.REJECTED
    elif policy.proves(receipt.code) or (receipt.duplicate and policy.proof):
        meaning = Meaning.DELIVERED
    else:
        meaning = Meaning.RECEIVED
    store_ack(
        conn, meaning, case.at, kind="answer", code=receipt.code, remote_id=f"attempt-{case.attempt.n}",
        text=case.story,
        transmission_id=case.attempt.transmission_id, attempt_id=case.attempt.id, due=case.at + policy.ack_due,
    )  # fmt: skip
    state = conn.scalar(_STATE, {"key": case.attempt.transmission_id})
    return State(state) if state else State.SUPERSEDED
