"""Claims: the sole right to prepare a delivery or to send a transmission, by lease and fence.

Any number of workers claim at once. A lease that ran out, or whose worker is known dead, is taken back
by the sweep; the fence has risen by the next claim, so the old holder can write nothing any more.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from . import schema
from .gates import BREAKER_AFTER
from .store import Store, raced
from .values import Claim, HeldBy, State

V, T, G = schema.delivery, schema.transmission, schema.partner_gate

#: What a claim is for.
PREPARE, SEND = "prepare", "send"


class Claims(Store):
    @raced
    def claim(
        self,
        worker: str,
        *,
        lease_seconds: float,
        limit: int,
        at: datetime,
        only: str = "",
        after: int = 0,
        held_before: datetime | None = None,
    ) -> list[Claim]:
        """Up to *limit* things that are due: transmissions first, then deliveries to prepare.

        only         transmissions of this profile; deliveries are not restricted, as their profile is not known yet
        after        deliveries with a higher id only
        held_before  also deliveries that the check held before this instant: master data may have changed

        A delivery that was in the hands of a worker that died is claimed alone, so that a document that
        ends processes cannot take its neighbours with it.
        """
        with self.write("claim") as conn:
            until = self.lease_now(conn) + timedelta(seconds=lease_seconds)
            to = {"worker": worker, "lease_until": until}
            sends = _sends(conn, to, at, only, limit)
            found = [Claim(SEND, fence, worker, until, transmission_id=key) for key, fence in sends]
            found += [
                Claim(SEND, fence, worker, until, transmission_id=key) for key, fence in _probes(conn, to, at, only)
            ]
            prepares = _prepares(conn, to, at, limit - len(found), after, held_before, alone=bool(found))
            return found + [Claim(PREPARE, fence, worker, until, delivery_id=key) for key, fence in prepares]

    @raced
    def renew(self, worker: str, *, lease_seconds: float) -> None:
        """Extends every lease of *worker* that has not been taken from it."""
        with self.write("renew") as conn:
            until = self.lease_now(conn) + timedelta(seconds=lease_seconds)
            for table in (V, T):
                mine = (table.c.worker == worker) & table.c.lease_until.is_not(None)
                conn.execute(table.update().where(mine).values(lease_until=until))

    def workers(self) -> set[str]:
        """Every worker that holds a lease, alive or not."""
        with self.read() as conn:
            held = [sa.select(table.c.worker).where(table.c.lease_until.is_not(None)) for table in (V, T)]
            return set(conn.scalars(sa.union(*held)))

    def next_due(self) -> datetime | None:
        """The earliest instant at which a stored transmission may be tried again; None when none may."""
        with self.read() as conn:
            paused = sa.select(G.c.profile_id).where(G.c.paused)
            free_ones = T.c.lease_until.is_(None) & T.c.profile_id.not_in(paused)
            earliest: datetime | None = conn.scalar(
                sa.select(sa.func.min(T.c.next_at, type_=schema.Utc())).where(free_ones)
            )
            return earliest


def grant(conn: Connection, table: sa.Table, ids: sa.Select[int], values: dict[str, object]) -> list[tuple[int, int]]:
    """Gives the rows of *ids* to a worker: their ids and new fences, by id."""
    locked = ids.with_for_update(skip_locked=True, of=table).scalar_subquery()
    granted = table.update().where(table.c.id.in_(locked)).values(fence=table.c.fence + 1, **values)
    return sorted(conn.execute(granted.returning(table.c.id, table.c.fence)))


def _due(at: datetime, only: str) -> sa.ColumnElement[bool]:
    due = (T.c.next_at <= at) & T.c.lease_until.is_(None)
    return due & (T.c.profile_id == only) if only else due


def _sends(conn: Connection, to: dict[str, object], at: datetime, only: str, limit: int) -> list[tuple[int, int]]:
    barred = sa.select(G.c.profile_id).where(G.c.paused | (G.c.failures >= BREAKER_AFTER))
    ids = sa.select(T.c.id).where(_due(at, only), T.c.profile_id.not_in(barred)).order_by(T.c.next_at, T.c.id)
    return grant(conn, T, ids.limit(limit), to)


def _probes(conn: Connection, to: dict[str, object], at: datetime, only: str) -> list[tuple[int, int]]:
    """One transmission for each partner whose breaker has tripped and whose pause is over."""
    over = G.c.blocked_until.is_(None) | (G.c.blocked_until <= at)
    tripped = sa.select(G.c.profile_id).where(~G.c.paused, G.c.failures >= BREAKER_AFTER, over)
    found: list[tuple[int, int]] = []
    for profile_id in conn.scalars(tripped.with_for_update(skip_locked=True)).all():
        ids = sa.select(T.c.id).where(_due(at, only), T.c.profile_id == profile_id).order_by(T.c.next_at, T.c.id)
        probe = grant(conn, T, ids.limit(1), to)
        if probe:
            until = {"probe_id": probe[0][0], "blocked_until": to["lease_until"]}
            conn.execute(G.update().where(G.c.profile_id == profile_id).values(**until))
        found += probe
    return found


def _prepares(
    conn: Connection, to: dict[str, object], at: datetime, limit: int, after: int, held_before: datetime | None,
    *, alone: bool,
) -> list[tuple[int, int]]:  # fmt: skip
    if limit <= 0:
        return []
    open_to = V.c.state == State.PLANNED
    if held_before is not None:
        open_to |= (V.c.state == State.HELD) & (V.c.held_by == HeldBy.CHECK) & (V.c.state_at < held_before)
    due = (
        open_to
        & (V.c.batch == "")
        & V.c.lease_until.is_(None)
        & (V.c.next_at.is_(None) | (V.c.next_at <= at))
        & (V.c.id > after)
    )
    ids = sa.select(V.c.id).where(due).order_by(V.c.id)
    found = grant(conn, V, ids.where(V.c.crash_count == 0).limit(limit), to)
    if not found and not alone:
        found = grant(conn, V, ids.where(V.c.crash_count > 0).limit(1), to)
    return found


def free(conn: Connection, table: sa.Table, now: datetime, dead: Collection[str]) -> sa.ColumnElement[bool]:
    """The rows of *table* whose lease is over or whose worker is dead."""
    over = table.c.lease_until < now
    return over | (table.c.lease_until.is_not(None) & table.c.worker.in_(sorted(dead))) if dead else over
