"""Interchanges: every transmission with control numbers, and where its acknowledgement stands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..exchange import Environment
from . import schema
from .store import AnyRow, Store
from .tracks import EFFECTS
from .values import Interchange, Meaning, State

U, T, L, V, A, K = (
    schema.control_number_use, schema.transmission, schema.transmission_delivery, schema.delivery, schema.attempt,
    schema.acknowledgement,
)  # fmt: skip

_Inside = tuple[datetime | None, int, int, int, int]
_PROOF = [meaning for meaning, effect in EFFECTS.items() if effect.state is State.DELIVERED]
#: A delivery in one of these keeps the interchange it last travelled in open.
_OPEN = (State.WAITING, State.SENDING, State.UNKNOWN, State.SENT, State.REJECTED)


class Interchanges(Store):
    def interchanges(self, *, open: bool = False, limit: int = 500, after: int = 0) -> list[Interchange]:
        """Transmissions with control numbers, oldest first: the next *limit* whose id is above *after*.

        open  only those with a document that has no proof yet, or was refused and not replaced
        """
        begun = sa.select(sa.func.min(A.c.started_at, type_=schema.Utc())).where(A.c.transmission_id == T.c.id)
        query = sa.select(T.c.id, T.c.environment, T.c.profile_id, U.c.partner, U.c.first, begun.scalar_subquery())
        query = query.join(U, (U.c.transmission_id == T.c.id) & (U.c.kind == "interchange")).where(T.c.id > after)
        if open:
            query = query.where(T.c.id.in_(sa.select(V.c.transmission_id).where(V.c.state.in_(_OPEN))))
        with self.read() as conn:
            rows = conn.execute(query.order_by(T.c.id).limit(limit)).all()
            inside = _inside(conn, [row[0] for row in rows])
        return [_interchange(row, inside[row[0]]) for row in rows]


def _inside(conn: Connection, ids: Sequence[int]) -> dict[int, _Inside]:
    """By transmission: when the next proof is due; its documents, those accepted, refused, overdue.

    A refusal outweighs an acceptance, and what was said of the whole was said of each.
    """
    said = sa.select(K.c.transmission_id, K.c.delivery_id, K.c.meaning).distinct()
    said = said.where(K.c.transmission_id.in_(ids), K.c.meaning.in_((*_PROOF, Meaning.REJECTED)))
    verdicts: dict[tuple[int, int | None], set[bool]] = {}
    for key, delivery, meaning in conn.execute(said):
        verdicts.setdefault((key, delivery), set()).add(meaning == Meaning.REJECTED)
    columns = (L.c.transmission_id, V.c.id, V.c.state, V.c.overdue, V.c.ack_due_at)
    now_in = V.c.transmission_id == L.c.transmission_id
    query = sa.select(*columns, now_in).join(V, V.c.id == L.c.delivery_id).where(L.c.transmission_id.in_(ids))
    found: dict[int, _Inside] = dict.fromkeys(ids, (None, 0, 0, 0, 0))
    for key, delivery, state, overdue, ack_due_at, current in conn.execute(query):
        due_at, documents, accepted, rejected, late = found[key]
        told = verdicts.get((key, delivery), set()) | verdicts.get((key, None), set())
        if current and state == State.SENT:
            due_at, late = min(filter(None, (due_at, ack_due_at)), default=None), late + overdue
        refused = True in told
        found[key] = due_at, documents + 1, accepted + (bool(told) and not refused), rejected + refused, late
    return found


def _interchange(row: AnyRow, inside: _Inside) -> Interchange:
    key, environment, profile_id, partner, control, sent_at = row
    return Interchange(key, Environment(environment), profile_id, partner, control, sent_at, *inside)
