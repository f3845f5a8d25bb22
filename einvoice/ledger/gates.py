"""Whether documents may go to a partner: paused by a person or a fault, or closed for a while by the breaker."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..errors import Finding
from . import schema
from .deliveries import again
from .store import AnyRow, Store, dump_findings, raced, record
from .values import Gate, HeldBy, State

G, V = schema.partner_gate, schema.delivery

#: Failures in a row after which one probe at a time goes to a partner, instead of everything.
BREAKER_AFTER = 5

_CALM_VALUES: dict[str, Any] = {"failures": 0, "blocked_until": None, "probe_id": None}
_GATE = sa.select(G).where(G.c.profile_id == sa.bindparam("key"))
_CALM = G.update().where(G.c.profile_id == sa.bindparam("key"), G.c.failures > 0).values(**_CALM_VALUES)


class Gates(Store):
    def gate(self, profile_id: str) -> Gate:
        """The gate of a profile; open when nothing was ever said about it."""
        with self.read() as conn:
            row = conn.execute(_GATE, {"key": profile_id}).one_or_none()
        return Gate(profile_id) if row is None else _gate(row)

    def gates(self) -> list[Gate]:
        """Every gate that is paused or whose breaker has counted a failure."""
        with self.read() as conn:
            rows = conn.execute(sa.select(G).where(G.c.paused | (G.c.failures > 0)).order_by(G.c.profile_id))
            return [_gate(row) for row in rows]

    @raced
    def pause_partner(self, profile_id: str, *, reason: str, actor: str, at: datetime) -> None:
        """Lets nothing more go to a partner. What is on its way stays what it is."""
        with self.write("pause") as conn:
            pause(conn, profile_id, reason, actor, at)

    @raced
    def reopen_partner(self, profile_id: str, *, reason: str, actor: str, at: datetime) -> int:
        """Lets documents go again; the number of held deliveries that are now due."""
        with self.write("reopen") as conn:
            values = {"paused": False, "reason": reason, "actor": actor, "changed_at": at}
            reopened = G.update().where(G.c.profile_id == profile_id)
            conn.execute(reopened.values(**values, **_CALM_VALUES))
            record(conn, "partner-reopened", f"{profile_id} reopened: {reason}", at, actor=actor)
            stopped = (V.c.held_by == HeldBy.GATE) & (V.c.profile_id == profile_id)
            stopped &= V.c.state.in_((State.HELD, State.UNKNOWN))
            rows = conn.execute(sa.select(V).where(stopped).with_for_update()).all()
            for row in rows:
                again(conn, row, at, f"{profile_id} reopened: {reason}", actor)
            return len(rows)


def _gate(row: AnyRow) -> Gate:
    return Gate(row.profile_id, row.paused, row.reason, row.actor, row.changed_at, row.failures, row.blocked_until)


def ensure(conn: Connection, profile_id: str) -> AnyRow:
    """The gate's row, made when absent, locked until the transaction ends."""
    row = conn.execute(_GATE.with_for_update(), {"key": profile_id}).one_or_none()
    if row is None:
        conn.execute(G.insert(), {"profile_id": profile_id})
        row = conn.execute(_GATE, {"key": profile_id}).one()
    return row


def pause(conn: Connection, profile_id: str, reason: str, actor: str, at: datetime) -> None:
    ensure(conn, profile_id)
    values = {"paused": True, "reason": reason, "actor": actor, "changed_at": at}
    conn.execute(G.update().where(G.c.profile_id == profile_id).values(**values))
    record(conn, "partner-paused", f"{profile_id} paused: {reason}", at, actor=actor)


def closed(gate: AnyRow, transmission_id: int, at: datetime) -> bool:
    """Whether the breaker keeps *transmission_id* back: it has tripped, and this is not its probe."""
    if gate.failures < BREAKER_AFTER or gate.blocked_until is None or gate.blocked_until <= at:
        return False
    return bool(gate.probe_id != transmission_id)


def answered(conn: Connection, profile_id: str) -> None:
    """The partner spoke, whatever it said: the breaker forgets its failures."""
    conn.execute(_CALM, {"key": profile_id})


def failed(conn: Connection, profile_id: str, until: datetime | None) -> None:
    """The partner could not be reached or did not answer; no more than a probe before *until*."""
    ensure(conn, profile_id)
    values = {"failures": G.c.failures + 1, "blocked_until": until, "probe_id": None}
    conn.execute(G.update().where(G.c.profile_id == profile_id).values(**values))


def gate_finding(profile_id: str, reason: str) -> Finding:
    """Why a document waits for its partner to be reopened."""
    return Finding(
        "EINV-GATE-01",
        f"nothing goes to {profile_id}: {reason}",
        fix=f"put it right, then: einvoice partner reopen {profile_id} --reason REASON",
    )


def gate_hold(profile_id: str, reason: str) -> dict[str, Any]:
    """The columns of a delivery that waits for its partner to be reopened."""
    finding = gate_finding(profile_id, reason)
    return {
        "held_by": HeldBy.GATE, "owner": "operator", "reason": finding.message,
        "findings": dump_findings([finding]), "profile_id": profile_id,
    }  # fmt: skip
