"""One acknowledgement: kept once, applied by rank, never over another."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from . import schema
from .store import change, insert
from .tracks import apply, contradict
from .values import Ack, Meaning

K, V, L = schema.acknowledgement, schema.delivery, schema.transmission_delivery

#: Verdicts of a partner's translator. Where it refuses and accepts the same, one of the two is wrong.
_FUNCTIONAL = ("ta1", "contrl", "x12-997", "x12-999")
_REVOKED = sa.select(K.c.id).where(
    K.c.transmission_id == sa.bindparam("key"), K.c.meaning == Meaning.REJECTED, K.c.kind.in_(_FUNCTIONAL),
    K.c.delivery_id.is_(None) | (K.c.delivery_id == sa.bindparam("delivery")),
).limit(1)  # fmt: skip

_same = (getattr(K.c, name) == sa.bindparam(name) for name in ("subject", "kind", "code", "remote_id"))
_KNOWN = sa.select(K.c.id, K.c.conflict).where(*_same)
_ONE = sa.select(V).where(V.c.id == sa.bindparam("key")).with_for_update()
_INSIDE = (
    sa.select(V)
    .join(L, L.c.delivery_id == V.c.id)
    .where(L.c.transmission_id == sa.bindparam("key"))
    .order_by(V.c.id)
    .with_for_update(of=V)
)

#: Within its transmission the partner refused this one by name.
_REFUSED = sa.select(K.c.id).where(
    K.c.delivery_id == V.c.id, K.c.transmission_id == sa.bindparam("key"), K.c.meaning == Meaning.REJECTED
)
#: Whom a verdict on the whole concerns: refusal everyone, all else whoever was not refused by name.
_OTHERS = _INSIDE.where(~_REFUSED.exists())
#: An earlier message said the same of the same.
_AGAIN = sa.select(K.c.id).where(
    K.c.subject == sa.bindparam("subject"), K.c.kind == sa.bindparam("kind"), K.c.code == sa.bindparam("code"),
    K.c.inbox_id.is_not(None), K.c.inbox_id != sa.bindparam("inbox"),
).limit(1)  # fmt: skip


def store_ack(
    conn: Connection,
    meaning: Meaning,
    at: datetime,
    *,
    kind: str,
    code: str,
    remote_id: str,
    text: str,
    transmission_id: int | None = None,
    delivery_id: int | None = None,
    inbox_id: int | None = None,
    attempt_id: int | None = None,
    due: datetime | None = None,
) -> Ack:
    """Stores one acknowledgement of a transmission, or of one delivery (in it), and moves what it proves.

    due  when the proof of what was only received is overdue

    A repeat (same subject, kind, code and remote id) changes nothing. A verdict on the whole transmission holds for
    each delivery in it, except that no acceptance of the whole undoes the refusal of one.
    """
    subject = f"d:{delivery_id}" if delivery_id is not None else f"t:{transmission_id}"
    same = {"subject": subject, "kind": kind, "code": code, "remote_id": remote_id}
    known = conn.execute(_KNOWN, same).one_or_none()
    again = inbox_id is not None and conn.scalar(_AGAIN, {**same, "inbox": inbox_id}) is not None
    if known is not None:
        return Ack(known.id, new=False, moved=False, conflict=known.conflict, again=again)
    values = {
        **same, "meaning": meaning, "text": text,
        "delivery_id": delivery_id, "transmission_id": transmission_id, "inbox_id": inbox_id,
        "attempt_id": attempt_id, "at": at,
    }  # fmt: skip
    key = insert(conn, K, values)
    moved = conflict = False
    subjects = _ONE if delivery_id is not None else _INSIDE if meaning is Meaning.REJECTED else _OTHERS
    for row in conn.execute(subjects, {"key": transmission_id if delivery_id is None else delivery_id}).all():
        current = transmission_id is None or row.transmission_id == transmission_id
        words = text or f"{kind} {code}".strip()
        one_moved, one_conflict = apply(conn, row, meaning, at, current=current, text=words, due=due)
        if meaning is Meaning.DELIVERED and kind in _FUNCTIONAL and current and not one_conflict:
            refused = conn.scalar(_REVOKED, {"key": transmission_id, "delivery": row.id}) is not None
            one_conflict = refused and contradict(conn, row, at, f"{meaning} contradicts a refusal: {words}")
        moved, conflict = moved or one_moved, conflict or one_conflict
    if conflict:
        change(conn, K, key, {"conflict": True})
    return Ack(key, new=True, moved=moved, conflict=conflict, again=again)
