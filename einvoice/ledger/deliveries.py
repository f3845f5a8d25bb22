"""What people, and the check before sending, decide about a delivery: hold, release, suppress, cancel, resend."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from ..errors import Finding, LedgerError
from . import schema
from .store import AnyRow, Store, change, dump_findings
from .tracks import may_have_arrived, move, one, rest, take_apart
from .values import Claim, HeldBy, LostLease, State

V, T, L = schema.delivery, schema.transmission, schema.transmission_delivery

#: An action is possible in these states; in others it is refused with the reason beside it.
_HOLDABLE = (State.PLANNED, State.WAITING, State.HELD)
_WITHDRAWABLE = (State.PLANNED, State.HELD, State.WAITING, State.FAILED, State.REJECTED)
_REFUSALS = {
    State.SENDING: "it is being sent at this moment; wait for the outcome",
    State.UNKNOWN: "it may have arrived; resend the same bytes, or wait for the partner's answer",
    State.SENT: "it is on its way; only the partner's answer moves it",
    State.DELIVERED: "it was delivered; correct it with a credit note",
    State.SUPERSEDED: "another content replaced it",
    State.SUPPRESSED: "it was suppressed",
    State.CANCELLED: "it was cancelled",
    State.REJECTED: "the partner refused it; resend it, or replace it with a corrected one",
    State.FAILED: "it was given up; resend it when the cause is gone",
    State.HELD: "it is held; release it first",
}
_IDLE: dict[str, Any] = {"lease_until": None, "worker": "", "crash_count": 0}
_ALONE: dict[str, Any] = {**_IDLE, "batch": "", "next_at": None}


class Deliveries(Store):
    def hold(
        self,
        delivery_id: int,
        findings: Sequence[Finding],
        owner: str,
        *,
        at: datetime,
        by: HeldBy = HeldBy.PERSON,
        reason: str = "",
        profile_id: str = "",
        actor: str = "einvoice",
        claim: Claim | None = None,
    ) -> None:
        """Keeps a delivery back, saying why and who can put it right.

        by     who lets it go again: ``check`` the next run's check, ``person`` a release, ``gate`` the
               reopening of *profile_id*
        claim  the caller's right to the delivery; raises LostLease when it is gone

        Raises LedgerError when the delivery has left, and when neither a finding nor a reason is given.
        """
        if not findings and not reason.strip():
            raise LedgerError(f"holding delivery {delivery_id} needs a finding or a reason", fix="add --reason REASON")
        with self.write("hold") as conn:
            row = _claimed(conn, delivery_id, claim) if claim else _open(conn, delivery_id, _HOLDABLE, "hold")
            if take_apart(conn, row, at, "held", actor):
                row = one(conn, delivery_id) or row
            text = reason or "; ".join(f"{each.rule} {each.message}" for each in findings[:3])
            values = {"owner": owner, "reason": text, "findings": dump_findings(findings), "held_by": by, **_ALONE}
            if profile_id:
                values["profile_id"] = profile_id
            move(conn, row, State.HELD, at, f"held for {owner}: {text}", actor=actor, **values)
            rest(conn, row.transmission_id)

    def fail(self, claim: Claim, findings: Sequence[Finding], *, at: datetime) -> None:
        """Gives a claimed delivery up before it was ever sent, saying why. Raises LostLease."""
        with self.write("hold") as conn:
            row = _claimed(conn, claim.delivery_id, claim)
            text = "; ".join(f"{each.rule} {each.message}" for each in findings)
            values = {"owner": "operator", "reason": text, "findings": dump_findings(findings), **_ALONE}
            move(conn, row, State.FAILED, at, f"given up: {text}", **values)

    def let_go(self, claim: Claim, *, scattered: bool = False) -> None:
        """Gives a claimed delivery back as it was; *scattered*: no longer gathered with others."""
        with self.write("claim") as conn:
            mine = (V.c.id == claim.delivery_id) & (V.c.fence == claim.fence)
            conn.execute(V.update().where(mine).values(**_ALONE if scattered else _IDLE))

    def release(self, delivery_id: int, *, reason: str, actor: str, at: datetime) -> None:
        """Lets a held delivery go: to be checked again, or, when its identity was fixed, to be sent again."""
        with self.write("release") as conn:
            row = _open(conn, delivery_id, (State.HELD,), "release")
            again(conn, row, at, f"released: {reason}", actor)

    def suppress(self, delivery_id: int, *, reason: str, actor: str, at: datetime) -> None:
        """Decides that a delivery is not to be made. Raises LedgerError when it may have arrived."""
        self._withdraw(delivery_id, State.SUPPRESSED, reason, actor, at)

    def cancel(self, delivery_id: int, *, reason: str, actor: str, at: datetime) -> None:
        """Withdraws a delivery because the seller withdrew the document. Raises as ``suppress``."""
        self._withdraw(delivery_id, State.CANCELLED, reason, actor, at)

    def _withdraw(self, delivery_id: int, state: State, reason: str, actor: str, at: datetime) -> None:
        if not reason.strip():
            raise LedgerError(f"delivery {delivery_id} cannot be {state} without a reason", fix="add --reason REASON")
        with self.write("withdraw") as conn:
            row = _open(conn, delivery_id, _WITHDRAWABLE, state)
            if row.state != State.REJECTED and may_have_arrived(conn, delivery_id):
                raise LedgerError(f"delivery {delivery_id} cannot be {state}: {_REFUSALS[State.UNKNOWN]}")
            take_apart(conn, row, at, state, actor)
            values = {"owner": "", "reason": reason, "findings": "[]", "held_by": "", "fence": row.fence + 1, **_ALONE}
            move(conn, row, state, at, f"{state}: {reason}", actor=actor, **values)
            rest(conn, row.transmission_id)

    def resend(self, delivery_id: int, *, reason: str, actor: str, at: datetime) -> None:
        """Sends again what is unknown, failed, waiting or refused.

        Unknown, failed and waiting deliveries go again as the same bytes under the same identity; a refused
        one gets new ones, since the partner has closed the old. Raises LedgerError in any other state.
        """
        with self.write("resend") as conn:
            states = (State.UNKNOWN, State.FAILED, State.WAITING, State.REJECTED, State.HELD)
            row = _open(conn, delivery_id, states, "resend")
            if row.state == State.REJECTED:
                afresh(conn, row, at, f"to be sent again: {reason}", actor)
            else:
                again(conn, row, at, f"to be sent again: {reason}", actor)

    def rerender(self, delivery_id: int, *, reason: str, actor: str, at: datetime) -> None:
        """Makes new bytes under the profile of the day. Raises LedgerError when the old ones may have arrived."""
        with self.write("rerender") as conn:
            row = _open(conn, delivery_id, (*_WITHDRAWABLE, State.PLANNED), "rerender")
            if row.state != State.REJECTED and may_have_arrived(conn, delivery_id):
                raise LedgerError(f"delivery {delivery_id} cannot be rendered again: {_REFUSALS[State.UNKNOWN]}")
            take_apart(conn, row, at, "rendered again", actor)
            afresh(conn, row, at, f"to be rendered again: {reason}", actor)


def again(conn: Connection, row: AnyRow, at: datetime, text: str, actor: str) -> None:
    """The same bytes once more when there are any, else a new check."""
    clear = {"owner": "", "reason": "", "findings": "[]", "held_by": "", **_ALONE}
    if row.transmission_id is None:
        move(conn, row, State.PLANNED, at, text, actor=actor, **clear)
        return
    state = State.UNKNOWN if may_have_arrived(conn, row.id) else State.WAITING
    move(conn, row, state, at, text, actor=actor, **clear)
    change(conn, T, row.transmission_id, {"next_at": at, "crash_count": 0})


def afresh(conn: Connection, row: AnyRow, at: datetime, text: str, actor: str) -> None:
    """A new check, new bytes and a new identity; the old transmission stays as evidence."""
    old = row.transmission_id
    clear = {"owner": "", "reason": "", "findings": "[]", "held_by": "", "transmission_id": None, **_ALONE}
    move(conn, row, State.PLANNED, at, text, actor=actor, fence=row.fence + 1, **clear)
    rest(conn, old)


def _open(conn: Connection, delivery_id: int, states: Sequence[State], verb: str) -> AnyRow:
    row = one(conn, delivery_id)
    if row is None:
        raise LedgerError(f"there is no delivery {delivery_id}")
    if row.state not in states:
        why = _REFUSALS.get(State(row.state), f"it is {row.state}")
        raise LedgerError(f"delivery {delivery_id} ({verb}) is refused: {why}")
    return row


def _claimed(conn: Connection, delivery_id: int, claim: Claim) -> AnyRow:
    row = one(conn, delivery_id)
    if row is None or row.fence != claim.fence or row.worker != claim.worker:
        raise LostLease(f"delivery {delivery_id} was taken over by another worker")
    return row
