"""Reading the ledger: documents, their deliveries, and what happened to them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..errors import LedgerError
from ..exchange import Environment, Event
from . import schema
from .store import AnyRow, Store, load_findings, record
from .values import DeliveryView, DocumentView, ProfileRef, Purpose, State

D, R, V, T = schema.document, schema.revision, schema.delivery, schema.transmission

#: What identifies a document.
KEY = ("environment", "seller", "type", "number", "year")


class Views(Store):
    def find(self, number: str, *, environment: Environment | None = None) -> list[DocumentView]:
        """Every document with *number*; several when sellers, types, years or environments share it."""
        with self.read() as conn:
            wanted = [D.c.number == number, *([D.c.environment == environment] if environment else [])]
            ids = conn.scalars(sa.select(D.c.id).where(*wanted).order_by(D.c.id)).all()
            return [_document(conn, document_id) for document_id in ids]

    def document(self, document_id: int) -> DocumentView:
        """One document. Raises LedgerError when there is none."""
        with self.read() as conn:
            if conn.scalar(sa.select(D.c.id).where(D.c.id == document_id)) is None:
                raise LedgerError(f"there is no document {document_id}")
            return _document(conn, document_id)

    def delivery(self, delivery_id: int) -> DeliveryView:
        """One delivery. Raises LedgerError when there is none."""
        with self.read() as conn:
            found = list(deliveries(conn, V.c.id == delivery_id))
        if not found:
            raise LedgerError(f"there is no delivery {delivery_id}")
        return found[0]

    def status(
        self,
        number: str | None = None,
        *,
        filter: str = "",
        environment: Environment | None = None,
        limit: int = 1000,
        after: int = 0,
    ) -> list[DeliveryView]:
        """Deliveries of living content, oldest first: of *number*, or in a state, ``overdue`` or ``conflict``.

        limit, after  the next *limit* deliveries whose id is above *after*: a page

        Raises LedgerError for a filter that is none of these.
        """
        with self.read() as conn:
            wanted = [R.c.alive, V.c.id > after, *_filtered(filter)]
            wanted += [D.c.number == number] if number is not None else []
            wanted += [D.c.environment == environment] if environment else []
            return list(deliveries(conn, *wanted, limit=limit))

    def counts(self, *, environment: Environment | None = None) -> dict[State, int]:
        """How many original deliveries of living content stand in each state."""
        with self.read() as conn:
            query = sa.select(V.c.state, sa.func.count()).join_from(V, R).join(D, D.c.id == V.c.document_id)
            query = query.where(R.c.alive, V.c.purpose == Purpose.ORIGINAL).group_by(V.c.state)
            query = query.where(D.c.environment == environment) if environment else query
            found: dict[str, int] = dict(conn.execute(query).all())
        return {state: found.get(state, 0) for state in State}

    def note(self, kind: str, text: str, *, at: datetime, actor: str = "einvoice") -> None:
        """Records what happened to no single document: a partner who could not be asked, a worker that began."""
        with self.write("note") as conn:
            record(conn, kind, text, at, actor=actor)

    def notes(self, *, limit: int = 100) -> list[Event]:
        """The newest events that belong to no single document, newest first."""
        E = schema.event
        with self.read() as conn:
            rows = conn.execute(
                sa.select(E).where(E.c.document_id.is_(None)).order_by(E.c.id.desc()).limit(limit)
            ).all()
        return [Event(row.at, row.kind, row.text, row.actor, json.loads(row.detail)) for row in rows]

    def timeline(self, document_id: int) -> list[Event]:
        """Everything that happened to a document, in the order in which it was recorded."""
        E = schema.event
        with self.read() as conn:
            rows = conn.execute(sa.select(E).where(E.c.document_id == document_id).order_by(E.c.id)).all()
        return [Event(row.at, row.kind, row.text, row.actor, json.loads(row.detail)) for row in rows]


def living(conn: Connection, document_id: int) -> AnyRow:
    """The id and digest of a document's living content."""
    return conn.execute(
        sa.select(R.c.id, R.c.digest, R.c.sameness).where(R.c.document_id == document_id, R.c.alive)
    ).one()


def _filtered(name: str) -> Sequence[sa.ColumnElement[bool]]:
    if name in ("overdue", "conflict"):
        return [V.c[name]]
    if name and name not in set(State):
        raise LedgerError(f"no such filter: {name}", fix=f"one of {', '.join(State)}, overdue, conflict")
    return [V.c.state == name] if name else []


def deliveries(
    conn: Connection, *wanted: sa.ColumnElement[bool], limit: int | None = None
) -> Iterator[DeliveryView]:  # fmt: skip
    """Deliveries with their documents, by id."""
    query = (
        sa.select(V, R.c.buyer, R.c.currency, R.c.total, T.c.payload_id, *(D.c[name] for name in KEY))
        .join(R, R.c.id == V.c.revision_id)
        .join(D, D.c.id == V.c.document_id)
        .outerjoin(T, T.c.id == V.c.transmission_id)
        .where(*wanted)
        .order_by(V.c.id)
        .limit(limit)
    )
    for row in conn.execute(query).mappings():
        values = {name: row[name] for name in DeliveryView.__slots__ if name in row}
        yield DeliveryView(
            **{
                **values,
                "environment": Environment(row["environment"]),
                "purpose": Purpose(row["purpose"]),
                "state": State(row["state"]),
                "findings": load_findings(row["findings"]),
                "profile": ProfileRef(row["profile_id"], row["profile_version"]) if row["profile_id"] else None,
                "payload_id": row["payload_id"] or "",
            }
        )


def _document(conn: Connection, document_id: int) -> DocumentView:
    key = conn.execute(sa.select(D).where(D.c.id == document_id)).mappings().one()
    alive = living(conn, document_id)
    found = tuple(deliveries(conn, V.c.revision_id == alive.id))
    state = next(each.state for each in found if each.purpose is Purpose.ORIGINAL)
    names = {name: key[name] for name in ("id", "seller", "type", "number", "year")}
    environment = Environment(key["environment"])
    return DocumentView(
        **names, environment=environment, revision_id=alive.id, digest=alive.digest, state=state, deliveries=found
    )
