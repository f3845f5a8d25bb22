"""What partners send us: stored raw first, understood later, as often as needed, with one effect."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..errors import LedgerError
from ..exchange import Inbound
from . import numbers, schema
from .acks import store_ack
from .answers import load_policy
from .orders import keep
from .payments import pay
from .store import AnyRow, Store, change, insert, raced, record
from .values import Ack, AckFact, InboxItem, Meaning, OrderFact, Purpose

M, D, R, V, T, L, A, K, F = (
    schema.inbox, schema.document, schema.revision, schema.delivery, schema.transmission,
    schema.transmission_delivery, schema.attempt, schema.acknowledgement, schema.artifact,
)  # fmt: skip


class Inbox(Store):
    @raced
    def take_in(self, inbound: Inbound, *, at: datetime) -> tuple[int, bool]:
        """The id of the stored message, and whether it is new; committed before anything is read from it.

        The same bytes under the same channel and remote id are one message. Other bytes under a known id
        are kept beside the first and flagged as a conflict.
        """
        digest = hashlib.sha256(inbound.data).hexdigest()
        with self.write("inbox") as conn:
            same_id = (M.c.channel == inbound.channel) & (M.c.remote_id == inbound.remote_id)
            known = dict(conn.execute(sa.select(M.c.sha256, M.c.id).where(same_id)).all())
            if digest in known:
                return known[digest], False
            values = {
                "channel": inbound.channel, "remote_id": inbound.remote_id, "sha256": digest, "data": inbound.data,
                "media_type": inbound.media_type, "received_at": at, "conflict": bool(known),
                "note": "another message came under this id with other bytes" if known else "",
            }  # fmt: skip
            key = insert(conn, M, values)
            if known:
                record(conn, "conflict", f"{inbound.channel} {inbound.remote_id}: same id, other bytes", at)
            return key, True

    def unprocessed(self, *, limit: int = 1000, after: int = 0) -> list[InboxItem]:
        """Stored messages that nobody has read yet, oldest first."""
        return self.inbox("new", limit=limit, after=after)

    def inbox(self, state: str = "", *, limit: int = 1000, after: int = 0) -> list[InboxItem]:
        """Stored messages in *state* (new, matched, duplicate, orphan, ignored, bad), or all, oldest first."""
        wanted = [M.c.id > after, *([M.c.state == state] if state else [])]
        with self.read() as conn:
            return [_item(row) for row in conn.execute(sa.select(M).where(*wanted).order_by(M.c.id).limit(limit))]

    @raced
    def settle(self, inbox_id: int, stated: Sequence[AckFact | OrderFact], *, at: datetime) -> list[Ack]:
        """Stores everything that one message states, orders included, in one commit; a repeat changes nothing.

        The message is then *matched*; *duplicate* when an earlier one answered to the same control numbers with the
        same words; *orphan* while it speaks of something we have not sent (it is looked at again after every sending);
        or *ignored* when it states nothing. A conflict is flagged, never resolved here. What is said of single
        documents counts before what is said of all.
        """
        with self.write("settle") as conn:
            item = conn.execute(sa.select(M).where(M.c.id == inbox_id).with_for_update()).one()
            kept = [keep(conn, one, at, inbox_id=inbox_id) for one in stated if isinstance(one, OrderFact)]
            facts = sorted(
                (one for one in stated if isinstance(one, AckFact)), key=lambda fact: not (fact.message or fact.number)
            )
            found = [(fact, _match(conn, fact, item.received_at)) for fact in facts]
            acks = [_acknowledge(conn, fact, subject, inbox_id, at) for fact, subject in found if subject]
            lost = [str(fact) for fact, subject in found if not subject]
            repeated = bool(acks) and all(ack.again for ack in acks) and all(fact.between for fact in facts)
            state = "orphan" if lost else "duplicate" if repeated else "matched" if acks or kept else "ignored"
            again = "all of it was said before" if acks and not any(ack.new for ack in acks) else item.note
            note = f"nothing sent answers to {', '.join(lost[:5])}" if lost else "; ".join(kept[:5]) or again
            values = {
                "state": state,
                "tried_at": at,
                "note": note,
                "conflict": item.conflict or any(a.conflict for a in acks),
            }
            change(conn, M, inbox_id, values)
            return acks

    @raced
    def acknowledge(
        self,
        kind: str,
        code: str,
        meaning: Meaning,
        *,
        remote_id: str,
        at: datetime,
        delivery_id: int | None = None,
        transmission_id: int | None = None,
        inbox_id: int | None = None,
        text: str = "",
    ) -> Ack:
        """Stores one acknowledgement of a delivery or of a whole transmission; a repeat changes nothing."""
        if delivery_id is None and transmission_id is None:
            raise LedgerError(f"acknowledgement {remote_id} names neither a delivery nor a transmission")
        with self.write("acknowledge") as conn:
            return store_ack(
                conn, meaning, at, kind=kind, code=code, remote_id=remote_id, text=text, inbox_id=inbox_id,
                delivery_id=delivery_id, transmission_id=transmission_id,
                due=_due(conn, transmission_id, delivery_id, at),
            )  # fmt: skip

    def match(self, fact: AckFact, *, at: datetime) -> tuple[int | None, int | None] | None:
        """The (transmission, delivery) that *fact* speaks of; None when nothing, or more than one, answers to it."""
        with self.read() as conn:
            return _match(conn, fact, at)

    def park(self, inbox_id: int, *, note: str, at: datetime) -> None:
        """Puts a message aside that cannot be read; it stays visible and its bytes stay stored."""
        with self.write("settle") as conn:
            change(conn, M, inbox_id, {"state": "bad", "note": note, "tried_at": at})

    def retry_inbox(self, inbox_id: int) -> None:
        """Has a message read again, with a newer reader or after a correction."""
        with self.write("settle") as conn:
            change(conn, M, inbox_id, {"state": "new", "note": ""})


def _item(row: AnyRow) -> InboxItem:
    inbound = Inbound(row.channel, row.remote_id, row.data, row.media_type)
    return InboxItem(row.id, inbound, row.sha256, row.state, row.received_at, row.conflict, row.note)


def _match(conn: Connection, fact: AckFact, at: datetime) -> tuple[int | None, int | None] | None:
    """By identity first, by the name of the file, by control numbers; else by number, among what had been sent when the
    message came.

    A message older than the first attempt cannot speak of it: the number may have gone another way before.
    """
    there = [T.c.environment == fact.environment] if fact.environment else []
    if fact.payload_id:
        ids = conn.scalars(sa.select(T.c.id).where(T.c.payload_id == fact.payload_id, *there).limit(2)).all()
        if len(ids) == 1:
            return ids[0], _inside(conn, ids[0], fact) if fact.number else None
    if fact.file_name:
        made = sa.select(T.c.id).join(F, F.c.transmission_id == T.c.id).where(F.c.name == fact.file_name, *there)
        ids = conn.scalars(made.distinct().limit(2)).all()
        one = _inside(conn, ids[0], fact) if len(ids) == 1 and fact.number else None
        return (ids[0], one) if len(ids) == 1 and bool(fact.number) == (one is not None) else None
    if fact.interchange or fact.group or fact.message:
        found = numbers.bearer(conn, fact)
        if found or not fact.number or numbers.bearer(conn, replace(fact, number="")):
            return found  # none where the numbers are of another document than the one named
    if not fact.number:
        return None
    sent = sa.select(A.c.id).where(A.c.transmission_id == V.c.transmission_id, A.c.started_at <= at).exists()
    query = sa.select(V.c.transmission_id, V.c.id).join(D, D.c.id == V.c.document_id).join(R, R.c.id == V.c.revision_id)
    query = query.where(D.c.number == fact.number, V.c.purpose == Purpose.ORIGINAL, R.c.alive, sent)
    query = query.where(D.c.environment == fact.environment) if fact.environment else query
    query = query.where(D.c.seller == fact.seller) if fact.seller else query
    query = query.where(R.c.issue_date == fact.issue_date) if fact.issue_date else query
    rows = conn.execute(query.limit(2)).all()
    return (rows[0][0], rows[0][1]) if len(rows) == 1 else None


def _inside(conn: Connection, transmission_id: int, fact: AckFact) -> int | None:
    """The one delivery of a transmission that bears the number, when the transmission carries several."""
    query = sa.select(L.c.delivery_id).join(V, V.c.id == L.c.delivery_id).join(D, D.c.id == V.c.document_id)
    ids = conn.scalars(query.where(L.c.transmission_id == transmission_id, D.c.number == fact.number)).all()
    return ids[0] if len(ids) == 1 else None


def _acknowledge(
    conn: Connection, fact: AckFact, subject: tuple[int | None, int | None], inbox_id: int, at: datetime
) -> Ack:  # fmt: skip
    transmission_id, delivery_id = subject
    meaning = Meaning.RECEIVED if fact.duplicate and _came_before(conn, transmission_id) else fact.meaning
    ack = store_ack(
        conn, meaning, at, kind=fact.kind, code=fact.code, remote_id=fact.remote_id, text=fact.text,
        transmission_id=transmission_id, delivery_id=delivery_id, inbox_id=inbox_id,
        due=_due(conn, transmission_id, delivery_id, at),
    )  # fmt: skip
    if fact.payment is not None:
        return pay(conn, fact.payment, ack, transmission_id, delivery_id, at)
    return ack


def _came_before(conn: Connection, transmission_id: int | None) -> bool:
    """Whether what a partner refuses as a duplicate is a second copy of ours: it went more than once, or is answered.

    Else the number was used before by someone else, and the document did not arrive.
    """
    tries = conn.scalar(sa.select(sa.func.count()).where(A.c.transmission_id == transmission_id)) or 0
    told = sa.select(K.c.id).where(K.c.transmission_id == transmission_id, K.c.inbox_id.is_not(None))
    return tries > 1 or conn.scalar(told.where(K.c.meaning != Meaning.REJECTED).limit(1)) is not None


def _due(conn: Connection, transmission_id: int | None, delivery_id: int | None, at: datetime) -> datetime | None:
    """When a proof is overdue for what was only received now."""
    query = sa.select(T.c.policy).where(T.c.id == transmission_id)
    if transmission_id is None:
        query = sa.select(T.c.policy).join(V, V.c.transmission_id == T.c.id).where(V.c.id == delivery_id)
    policy = conn.scalar(query)
    return None if policy is None else at + load_policy(policy).ack_due
