"""Batches: deliveries gathered under one key until they are enough, or have waited long enough, to travel together.

A gathered delivery has no identity yet: it can be held, withdrawn or replaced like any that is planned. One that the
check had held stays held until the check of its batch. Gathering survives a crash, and any worker may take a batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from . import schema
from .claims import PREPARE, grant
from .store import Store, change, raced
from .values import Batch, Claim, HeldBy, State
from .work import Gather

V = schema.delivery

_OPEN = (V.c.state == State.PLANNED) | ((V.c.state == State.HELD) & (V.c.held_by == HeldBy.CHECK))
_READY = _OPEN & (V.c.batch != "") & V.c.lease_until.is_(None)
#: Deaths of workers with a delivery in hand, as far as they make a difference: none, one, more.
_DEATHS = sa.case((V.c.crash_count > 1, 2), else_=V.c.crash_count)


class Batches(Store):
    @raced
    def gather(self, found: Sequence[tuple[Claim, Gather]], *, at: datetime) -> list[Batch]:
        """Puts claimed deliveries where others of their key wait, and gives the claims back; the batches now full.

        One that was held, withdrawn or taken over meanwhile stays as it is.
        """
        with self.write("gather") as conn:
            for claim, to in found:
                row = conn.execute(sa.select(V).where(V.c.id == claim.delivery_id).with_for_update()).one()
                if row.fence != claim.fence or row.worker != claim.worker:
                    continue
                values = {"batch": to.key, "batch_max": to.most, "profile_id": to.profile.id, "next_at": at + to.window}
                change(conn, V, row.id, {**values, "lease_until": None, "worker": ""})
            keys = sorted({to.key for _, to in found})
            full = _waiting().where(V.c.batch.in_(keys)).having(sa.func.count() >= sa.func.max(V.c.batch_max))
            return [Batch(key, deaths) for key, deaths in conn.execute(full)]

    def due_batch(self, *, at: datetime, closing: bool = False, only: str = "") -> Batch | None:
        """A batch that is full or has waited long enough; with *closing*, any. None when there is none.

        Nothing is closed while a worker is still at work on deliveries that may belong to it.

        only  batches of this profile
        """
        query = _waiting().where(V.c.profile_id == only) if only else _waiting()
        if not closing or self._gathering():
            full, late = sa.func.count() >= sa.func.max(V.c.batch_max), sa.func.min(V.c.next_at) <= at
            query = query.having(full | late | (sa.func.max(V.c.crash_count) > 0))
        with self.read() as conn:
            found = conn.execute(query.order_by(sa.func.min(V.c.id)).limit(1)).one_or_none()
        return Batch(*found) if found else None

    def _gathering(self) -> bool:
        busy = sa.select(V.c.id).where(_OPEN, V.c.batch == "", V.c.lease_until.is_not(None))
        with self.read() as conn:
            return conn.scalar(busy.limit(1)) is not None

    @raced
    def claim_batch(self, batch: Batch, worker: str, *, lease_seconds: float) -> list[Claim]:
        """The right to prepare as many deliveries of *batch* as one transmission takes, oldest first; maybe none.

        Deliveries that a worker died with travel in smaller numbers, at last alone, so that one that ends processes
        cannot take its neighbours with it.
        """
        with self.write("claim") as conn:
            until = self.lease_now(conn) + timedelta(seconds=lease_seconds)
            same = _READY & (V.c.batch == batch.key) & (batch.deaths == _DEATHS)
            most = conn.scalar(sa.select(sa.func.max(V.c.batch_max)).where(same)) or 1
            size = (most, max(most // 4, 1), 1)[batch.deaths]
            ids = sa.select(V.c.id).where(same).order_by(V.c.id).limit(size)
            given = grant(conn, V, ids, {"worker": worker, "lease_until": until})
            return [Claim(PREPARE, fence, worker, until, delivery_id=key) for key, fence in given]


def _waiting() -> sa.Select[str, int]:
    return sa.select(V.c.batch, _DEATHS).where(_READY).group_by(V.c.batch, _DEATHS)
