"""The sweep: what crashed workers left is put right, from the tables alone."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..errors import Finding
from ..exchange import Outcome
from . import schema
from .answers import load_policy
from .claims import free
from .store import AnyRow, Store, change, dump_findings, raced, record
from .tracks import move
from .values import State, Swept

V, T, A, M = schema.delivery, schema.transmission, schema.attempt, schema.inbox

#: Deaths of a worker with the same work in hand after which the work is given up. The first may have been
#: a neighbour's fault, as work is claimed in batches; from then on it is claimed alone.
CRASH_LIMIT = 3

_LOST = "the worker ended before an answer was stored"
_FREE: dict[str, Any] = {"lease_until": None, "worker": ""}


class Sweep(Store):
    @raced
    def sweep(self, *, at: datetime, dead: Collection[str] = (), blame: bool = True) -> Swept:
        """Takes back what expired leases and *dead* workers hold, and flags what is overdue.

        An attempt without outcome becomes *unknown*, never "not sent": its bytes go again under the same
        identity where the channel allows that, else it waits for a person. What was not yet sent becomes
        claimable. Orphans in the inbox are looked at again when something was sent since.

        blame  count it against the work; False when the worker ended on purpose
        """
        with self.read() as conn:  # most sweeps find nothing: they must not take the write lock
            if not _anything(conn, self.lease_now(conn), dead, at):
                return Swept()
        with self.write("sweep") as conn:
            now = self.lease_now(conn)
            freed, unknown, dead_sends = _transmissions(conn, now, dead, at, blame)
            prepared, dead_prepares = _deliveries(conn, now, dead, at, blame)
            return Swept(freed + prepared, unknown, dead_sends + dead_prepares, _overdue(conn, at), _orphans(conn))


def _anything(conn: Connection, now: datetime, dead: Collection[str], at: datetime) -> bool:
    checks = (
        sa.select(T.c.id).where(free(conn, T, now, dead)),
        sa.select(V.c.id).where(free(conn, V, now, dead)),
        sa.select(V.c.id).where(_late(at)),
        sa.select(M.c.id).where(_rematchable()),
    )
    return any(conn.scalar(check.limit(1)) is not None for check in checks)


def _transmissions(
    conn: Connection, now: datetime, dead: Collection[str], at: datetime, blame: bool
) -> tuple[int, int, int]:  # fmt: skip
    freed = unknown = died = 0
    for row in conn.execute(sa.select(T).where(free(conn, T, now, dead)).with_for_update()).all():
        freed += 1
        opened = (A.c.transmission_id == row.id) & A.c.ended_at.is_(None)
        lost = {"ended_at": at, "outcome": Outcome.UNKNOWN, "code": "no-answer", "text": _LOST}
        if not conn.execute(A.update().where(opened).values(**lost)).rowcount:
            change(conn, T, row.id, _FREE)
            continue
        crashes = row.crash_count + blame
        stop = crashes >= CRASH_LIMIT or not load_policy(row.policy).resend
        unknown += _into_doubt(conn, row, at, owner="operator" if stop else "")
        died += crashes >= CRASH_LIMIT
        next_at = None if stop else at
        change(conn, T, row.id, {"next_at": next_at, "crash_count": crashes, **_FREE})
    return freed, unknown, died


def _into_doubt(conn: Connection, row: AnyRow, at: datetime, owner: str) -> int:
    sending = (V.c.transmission_id == row.id) & (V.c.state == State.SENDING)
    rows = conn.execute(sa.select(V).where(sending).with_for_update()).all()
    for each in rows:
        move(conn, each, State.UNKNOWN, at, f"unknown: {_LOST}", owner=owner, reason=_LOST if owner else "")
    return len(rows)


def _deliveries(
    conn: Connection, now: datetime, dead: Collection[str], at: datetime, blame: bool
) -> tuple[int, int]:  # fmt: skip
    freed = died = 0
    for row in conn.execute(sa.select(V).where(free(conn, V, now, dead)).with_for_update()).all():
        freed += 1
        crashes = row.crash_count + blame
        change(conn, V, row.id, {"crash_count": crashes, **_FREE})
        if crashes >= CRASH_LIMIT:
            died += 1
            finding = Finding("EINV-DISPATCH-02", f"{crashes} workers ended while they prepared it")
            text = f"given up: {finding.message}"
            values = {"owner": "operator", "reason": finding.message, "findings": dump_findings([finding])}
            move(conn, row, State.FAILED, at, text, **values)
    return freed, died


def _late(at: datetime) -> sa.ColumnElement[bool]:
    return (V.c.state == State.SENT) & (V.c.ack_due_at < at) & ~V.c.overdue


def _overdue(conn: Connection, at: datetime) -> int:
    rows = conn.execute(sa.select(V).where(_late(at)).with_for_update()).all()
    for row in rows:
        change(conn, V, row.id, {"overdue": True})
        text = f"no proof of delivery by {row.ack_due_at:%Y-%m-%d %H:%M}Z"
        record(conn, "overdue", text, at, document_id=row.document_id, delivery_id=row.id)
    return len(rows)


def _rematchable() -> sa.ColumnElement[bool]:
    sent = sa.select(A.c.id).where(A.c.started_at > M.c.tried_at).exists()
    return (M.c.state == "orphan") & sent


def _orphans(conn: Connection) -> int:
    return conn.execute(M.update().where(_rematchable()).values(state="new")).rowcount
