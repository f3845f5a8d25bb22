"""Sending: identity before the first byte, one attempt row per try, and what each answer does.

The protocol of facts/dispatch.md 4.3. An attempt is committed before its first byte leaves, so a crash
leaves an attempt without outcome, which is *unknown* and never "not sent".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..errors import LedgerError
from ..exchange import Document, Envelope, Environment, Receipt
from . import gates, numbers, schema
from .answers import Case, conclude, dump_policy, hold_at_gate, load_policy
from .documents import plan
from .store import AnyRow, Store, change, dumps, insert, raced
from .tracks import move, rest
from .values import (
    Artifact,
    Attempt,
    Claim,
    LostLease,
    ProfileRef,
    Purpose,
    SendPolicy,
    State,
    Transmission,
)  # fmt: skip
from .work import Unsealed

D, R, V, T, L, A = (
    schema.document, schema.revision, schema.delivery, schema.transmission, schema.transmission_delivery,
    schema.attempt,
)  # fmt: skip

# Built once: on this path every document passes several times, and building a query costs more than running it.
_key: sa.BindParameter[int] = sa.bindparam("key")
_ids: sa.BindParameter[Sequence[int]] = sa.bindparam("ids", expanding=True)
_DELIVERIES = sa.select(V).where(V.c.id.in_(_ids)).with_for_update()
_ENVIRONMENTS = sa.select(D.c.environment).where(D.c.id.in_(_ids)).distinct()
_PREVIOUS = sa.select(sa.func.max(L.c.transmission_id)).where(L.c.delivery_id.in_(_ids))
_TRANSMISSION = sa.select(T).where(T.c.id == _key)
_INSIDE = sa.select(L.c.delivery_id).where(L.c.transmission_id == _key).order_by(L.c.position)
_SENDABLE = sa.select(V).where(V.c.transmission_id == _key, V.c.state.in_((State.WAITING, State.UNKNOWN)))
_TRIES = sa.select(sa.func.count(), sa.func.min(A.c.started_at, type_=schema.Utc())).where(A.c.transmission_id == _key)
_ATTEMPT = sa.select(A, T.c.policy, T.c.profile_id).join(T, T.c.id == A.c.transmission_id).where(A.c.id == _key)
_LET_GO = T.update().where(T.c.id == _key, T.c.fence == sa.bindparam("mine"))
_LET_GO = _LET_GO.values(lease_until=None, worker="", crash_count=0)


class Outbox(Store):
    @raced
    def commit_identity(
        self,
        delivery_ids: Sequence[int],
        envelope: Envelope,
        documents: Sequence[Document],
        *,
        channel: str,
        profile: ProfileRef,
        decision: str,
        policy: SendPolicy,
        at: datetime,
        claims: Sequence[Claim] = (),
        lease_seconds: float = 0,
        also: Sequence[tuple[Purpose, str]] = (),
    ) -> int | None:
        """The id of the transmission that now holds *envelope*, before anything was sent; all in one commit.

        documents  the rendered document of each delivery, in the same order
        decision   JSON: which law, format and channel, and why
        claims     the caller's rights to the deliveries; they become one lease on the transmission, fence 1,
                   when *lease_seconds* is given
        also       further deliveries of the same content to plan: copies, reports

        None when a delivery has an identity already: the stored bytes go, not these. Raises LostLease when
        a claim was lost, LedgerError when the environments differ or the identity is taken.
        """
        with self.write("identity") as conn:
            rows = _free(conn, delivery_ids, claims)
            if rows is None:
                return None
            inside = [_Inside(row, one, decision, also) for row, one in zip(rows, documents, strict=False)]
            _sound(conn, rows, envelope, documents)
            return self._fix(conn, inside, envelope, channel, profile, policy, at, claims, lease_seconds)

    @raced
    def commit_unsealed(
        self,
        delivery_ids: Sequence[int],
        ready: Sequence[Unsealed],
        *,
        at: datetime,
        claims: Sequence[Claim] = (),
        lease_seconds: float = 0,
    ) -> int | None:
        """As ``commit_identity``, for what bears control numbers: they are taken, the bytes made and all is stored in
        one commit. No number is taken unless its transmission is stored.

        ready  what each delivery has ready, in the same order; all of one profile, and of one envelope

        Raises what sealing raises, too; nothing is stored then.
        """
        one = ready[0]
        if any((each.part.share, each.part.series, each.profile, each.channel) !=
               (one.part.share, one.part.series, one.profile, one.channel) for each in ready):  # fmt: skip
            raise LedgerError("documents of several partners cannot travel in one transmission")
        with self.write("identity") as conn:
            rows = _free(conn, delivery_ids, claims)
            if rows is None:
                return None
            environment = conn.scalars(_ENVIRONMENTS, {"ids": [row.document_id for row in rows]}).first() or ""
            taken = numbers.take_all(conn, environment, one.part.series, len(rows))
            envelope, documents = one.seal([each.part for each in ready], taken)
            _sound(conn, rows, envelope, documents)
            inside = [
                _Inside(row, document, each.decision, each.also)
                for row, document, each in zip(rows, documents, ready, strict=True)
            ]
            key = self._fix(conn, inside, envelope, one.channel, one.profile, one.policy, at, claims, lease_seconds)
            numbers.bear(conn, key, environment, one.part.series, taken)
            return key

    def _fix(
        self, conn: Connection, inside: Sequence[_Inside], envelope: Envelope, channel: str, profile: ProfileRef,
        policy: SendPolicy, at: datetime, claims: Sequence[Claim], lease_seconds: float,
    ) -> int:  # fmt: skip
        """The transmission that holds *envelope* from now on, with its deliveries in it."""
        worker = claims[0].worker if claims and lease_seconds else ""
        until = self.lease_now(conn) + timedelta(seconds=lease_seconds) if worker else None
        lease = {"fence": 1 if worker else 0, "worker": worker, "lease_until": until}
        pinned = {"profile_id": profile.id, "profile_version": profile.version}
        before = conn.scalar(_PREVIOUS, {"ids": [each.row.id for each in inside]})
        times = {"created_at": at, "next_at": at, "replaces_id": before}
        stored = {**pinned, **lease, **times, "channel": channel, "policy": dump_policy(policy)}
        key = _store(conn, envelope, stored)
        text = f"identity {envelope.id} fixed, {len(envelope.data)} bytes for {channel}"
        fixed = {**pinned, **_CLEAR, "transmission_id": key, "next_at": None, "batch": ""}
        for position, each in enumerate(inside):
            row = each.row
            conn.execute(L.insert(), {"transmission_id": key, "delivery_id": row.id, "position": position})
            _keep(conn, each.document, row.id, key, at)
            move(conn, row, State.WAITING, at, text, **fixed, decision=each.decision)
            for purpose, target in each.also:
                plan(conn, row.document_id, row.revision_id, purpose, target, at)
        return key

    def transmission(self, transmission_id: int) -> Transmission:
        """Stored bytes and identity, as they go. Raises LedgerError when there are none."""
        with self.read() as conn:
            row = conn.execute(_TRANSMISSION, {"key": transmission_id}).one_or_none()
            if row is None:
                raise LedgerError(f"there is no transmission {transmission_id}")
            ids = tuple(conn.scalars(_INSIDE, {"key": transmission_id}))
        environment, headers = Environment(row.environment), json.loads(row.headers)
        envelope = Envelope(row.payload_id, row.data, row.media_type, row.name, environment, headers)
        profile = ProfileRef(row.profile_id, row.profile_version)
        return Transmission(row.id, row.channel, profile, envelope, load_policy(row.policy), ids, row.replaces_id)

    def artifacts(self, delivery_id: int) -> list[Artifact]:
        """Everything rendered for a delivery, oldest first."""
        F = schema.artifact
        with self.read() as conn:
            rows = conn.execute(sa.select(F).where(F.c.delivery_id == delivery_id).order_by(F.c.id)).all()
        return [Artifact(row.kind, row.name, row.format, row.media_type, row.data, row.sha256) for row in rows]

    @raced
    def begin_attempt(
        self, transmission_id: int, *, fence: int, worker: str, at: datetime, lease_seconds: float = 120
    ) -> Attempt | None:
        """The attempt, committed before its first byte; None when nothing may go now.

        Nothing goes while the partner is paused (its deliveries are then held, naming it), while its breaker
        is closed (they wait), and when no delivery in the transmission needs it any more.
        Raises LostLease when the claim was lost.
        """
        with self.write("attempt-begin") as conn:
            row = conn.execute(_TRANSMISSION.with_for_update(), {"key": transmission_id}).one()
            if row.fence != fence or row.worker != worker:
                raise LostLease(f"transmission {transmission_id} was taken over by another worker")
            rows = conn.execute(_SENDABLE.with_for_update(), {"key": transmission_id}).all()
            if not rows or not _admitted(conn, row, rows, at):
                change(conn, T, row.id, {"lease_until": None, "worker": ""})
                rest(conn, row.id)
                return None
            tries, since = conn.execute(_TRIES, {"key": transmission_id}).one()
            values = {"transmission_id": transmission_id, "n": tries + 1, "fence": fence, "worker": worker}
            attempt_id = insert(conn, A, {**values, "started_at": at})
            until = self.lease_now(conn) + timedelta(seconds=lease_seconds)
            change(conn, T, row.id, {"lease_until": until})
            for each in rows:
                change(conn, V, each.id, {"state": State.SENDING, "state_at": at})
            return Attempt(attempt_id, transmission_id, tries + 1, since or at)

    @raced
    def end_attempt(self, attempt_id: int, receipt: Receipt, *, at: datetime, next_at: datetime | None = None) -> State:
        """Stores the partner's answer and what follows from it; the state the deliveries came to.

        next_at  when the same bytes go again if the answer decides nothing; None gives up (failed), or,
                 when they may have arrived, leaves the delivery unknown for a person

        An answer that comes after the sweep has called the attempt unknown still counts when it is a verdict.
        """
        with self.write("attempt-end") as conn:
            row = conn.execute(_ATTEMPT.with_for_update(), {"key": attempt_id}).one()
            late = row.ended_at is not None
            if not late:
                answer = {
                    "ended_at": at, "outcome": receipt.outcome, "code": receipt.code, "text": receipt.text,
                    "raw": receipt.raw, "duplicate": receipt.duplicate, "channel_fault": receipt.channel_fault,
                }  # fmt: skip
                change(conn, A, attempt_id, answer)
                conn.execute(_LET_GO, {"key": row.transmission_id, "mine": row.fence})
            story = (
                f"attempt {row.n}{' (late answer)' if late else ''}: {receipt.outcome} {receipt.code} {receipt.text}"
            )
            return conclude(conn, Case(row, receipt, at, next_at, story.strip(), late))


_CLEAR: dict[str, Any] = {
    "owner": "", "reason": "", "findings": "[]", "held_by": "", "lease_until": None, "worker": "", "crash_count": 0,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Inside:
    """One delivery that is about to get its identity."""

    row: AnyRow
    document: Document
    decision: str
    also: Sequence[tuple[Purpose, str]]


def _free(conn: Connection, delivery_ids: Sequence[int], claims: Sequence[Claim]) -> list[AnyRow] | None:
    """The rows of deliveries without identity, in the order given, locked; None when one is gone or has one."""
    by_id = {row.id: row for row in conn.execute(_DELIVERIES, {"ids": list(delivery_ids)})}
    _own(by_id, claims)
    if len(by_id) != len(delivery_ids) or any(row.transmission_id is not None for row in by_id.values()):
        return None
    return [by_id[delivery_id] for delivery_id in delivery_ids]


def _own(rows: dict[int, AnyRow], claims: Sequence[Claim]) -> None:
    for claim in claims:
        row = rows.get(claim.delivery_id)
        if row is None or row.fence != claim.fence or row.worker != claim.worker:
            raise LostLease(f"delivery {claim.delivery_id} was taken over by another worker")


def _sound(conn: Connection, rows: Sequence[AnyRow], envelope: Envelope, documents: Sequence[Document]) -> None:
    """Nothing half-made gets an identity, and test never meets production (DESIGN 4.10)."""
    if len(documents) != len(rows):
        raise LedgerError(f"{len(rows)} deliveries but {len(documents)} documents in {envelope.id}")
    if not envelope.data or not envelope.id:
        raise LedgerError("an envelope without bytes or without identity cannot be sent")
    barred = [row for row in rows if row.state not in (State.PLANNED, State.HELD)]
    if barred:
        raise LedgerError(f"delivery {barred[0].id} is {barred[0].state} and cannot be sent")
    ids = [row.document_id for row in rows]
    environments = set(conn.scalars(_ENVIRONMENTS, {"ids": ids}))
    if environments != {envelope.environment}:
        raise LedgerError(
            f"a {'/'.join(sorted(environments))} document cannot travel in a {envelope.environment} envelope"
        )


def _store(conn: Connection, envelope: Envelope, more: dict[str, Any]) -> int:
    """The transmission that holds *envelope* for ever."""
    row = {
        "environment": envelope.environment, "payload_id": envelope.id, "data": envelope.data,
        "sha256": hashlib.sha256(envelope.data).hexdigest(), "headers": dumps(dict(envelope.headers)),
        "name": envelope.name, "media_type": envelope.media_type, **more,
    }  # fmt: skip
    try:
        return insert(conn, T, row)
    except sa.exc.IntegrityError as taken:
        raise LedgerError(
            f"identity {envelope.id} was used before on {more['channel']}", fix="make a new one for other bytes"
        ) from taken


def _keep(conn: Connection, document: Document, delivery_id: int, transmission_id: int, at: datetime) -> None:
    row = {
        "delivery_id": delivery_id, "transmission_id": transmission_id, "kind": "document", "name": document.name,
        "format": document.format, "media_type": document.media_type, "data": document.data,
        "sha256": hashlib.sha256(document.data).hexdigest(), "created_at": at,
    }  # fmt: skip
    conn.execute(schema.artifact.insert(), row)


def _admitted(conn: Connection, row: AnyRow, rows: Sequence[AnyRow], at: datetime) -> bool:
    """Whether the partner's gate lets the transmission through; if not, its deliveries say so."""
    gate = gates.ensure(conn, row.profile_id)
    if gate.paused:
        hold_at_gate(conn, row.id, row.profile_id, rows, gate.reason, at)
        return False
    if gates.closed(gate, row.id, at):
        change(conn, T, row.id, {"next_at": gate.blocked_until})
        return False
    return True
