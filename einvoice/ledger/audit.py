"""Invariants: what must be true of the tables whatever happened (facts/dispatch.md 6), each as one query.

A query finds offenders; the sentence says what is wrong with them. A green list is no proof that a
partner has the documents, but a red one is a defect of ours.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from . import schema
from .runs import Runs
from .values import HeldBy, Meaning, Purpose, State

D, R, V, T, L, A, M, K, P, N, Q, Y = (
    schema.document, schema.revision, schema.delivery, schema.transmission, schema.transmission_delivery,
    schema.attempt, schema.inbox, schema.acknowledgement, schema.profile, schema.run, schema.orders, schema.payment,
)  # fmt: skip

Query = sa.Select[int]
_LEFT = (State.SENDING, State.SENT, State.DELIVERED, State.UNKNOWN, State.REJECTED)
_PROOF = tuple(each for each in Meaning if each not in (Meaning.INFO, Meaning.RECEIVED, Meaning.REJECTED))
_ENDED = (State.SUPPRESSED, State.CANCELLED, State.SUPERSEDED)


def _d(*wanted: sa.ColumnElement[bool]) -> Query:
    return sa.select(V.c.id).where(*wanted)


def _acked(*meanings: Meaning) -> sa.ColumnElement[bool]:
    own = K.c.meaning.in_(meanings) & (
        (K.c.delivery_id == V.c.id)
        | (K.c.delivery_id.is_(None) & (L.c.delivery_id == V.c.id) & (L.c.transmission_id == K.c.transmission_id))
    )
    inside = sa.select(K.c.id).select_from(K).outerjoin(L, L.c.transmission_id == K.c.transmission_id)
    return inside.where(own).correlate(V).exists()


def _open_attempt(transmission: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    return sa.select(A.c.id).where(A.c.transmission_id == transmission, A.c.ended_at.is_(None)).exists()


_other, _later = R.alias("other"), A.alias("later")
_scheduled = sa.select(T.c.id).where(T.c.id == V.c.transmission_id, T.c.next_at.is_not(None)).exists()

#: Sentence and offenders.
RULES: tuple[tuple[str, Query], ...] = (
    ("documents with two living contents", sa.select(R.c.document_id).where(R.c.alive).group_by(R.c.document_id)
        .having(sa.func.count() > 1)),
    ("documents without a living content", sa.select(D.c.id).where(
        ~sa.select(R.c.id).where(R.c.document_id == D.c.id, R.c.alive).exists())),
    ("living contents without an original delivery", sa.select(R.c.id).where(R.c.alive, ~sa.select(V.c.id).where(
        V.c.revision_id == R.c.id, V.c.purpose == Purpose.ORIGINAL).exists())),
    ("deliveries in no known state", _d(V.c.state.not_in(list(State)))),
    ("deliveries of a replaced content that are still to be sent", _d(
        V.c.state.in_((State.PLANNED, State.HELD, State.WAITING)),
        ~sa.select(R.c.id).where(R.c.id == V.c.revision_id, R.c.alive).exists())),
    ("deliveries that left without a transmission", _d(V.c.state.in_(_LEFT), V.c.transmission_id.is_(None))),
    ("deliveries that left without an attempt", _d(V.c.state.in_(_LEFT), ~V.c.conflict, ~sa.select(A.c.id).where(
        A.c.transmission_id == V.c.transmission_id).exists())),
    ("deliveries with a transmission that does not name them", _d(V.c.transmission_id.is_not(None), ~sa.select(
        L.c.delivery_id).where(L.c.delivery_id == V.c.id, L.c.transmission_id == V.c.transmission_id).exists())),
    ("deliveries being sent without an open attempt", _d(
        V.c.state == State.SENDING, ~_open_attempt(V.c.transmission_id))),
    ("deliveries called delivered without proof", _d(V.c.state == State.DELIVERED, ~_acked(*_PROOF))),
    ("deliveries called sent without an answer", _d(V.c.state == State.SENT, ~_acked(Meaning.RECEIVED))),
    ("deliveries called rejected without a refusal by the partner", _d(
        V.c.state == State.REJECTED, ~_acked(Meaning.REJECTED))),
    ("accepted or paid deliveries that are not delivered and not flagged", _d(
        (V.c.business == "accepted") | (V.c.payment != ""), V.c.state != State.DELIVERED, ~V.c.conflict)),
    ("deliveries that wait for nothing", _d(
        V.c.state == State.WAITING, ~_scheduled, ~_open_attempt(V.c.transmission_id))),
    ("unknown deliveries that nobody will resolve", _d(
        V.c.state == State.UNKNOWN, V.c.owner == "", V.c.held_by == "", ~_scheduled)),
    ("held deliveries without reason or owner", _d(
        V.c.state == State.HELD, (V.c.reason == "") | (V.c.owner == "") | V.c.held_by.not_in(list(HeldBy)))),
    ("deliveries given up or withdrawn without a reason", _d(
        V.c.state.in_((State.FAILED, State.SUPPRESSED, State.CANCELLED)), V.c.reason == "")),
    ("sent deliveries without a date by which proof is due", _d(V.c.state == State.SENT, V.c.ack_due_at.is_(None))),
    ("delivery and transmission pinned to different profile versions", _d(
        V.c.state.in_(_LEFT), sa.select(T.c.id).where(T.c.id == V.c.transmission_id, (
            T.c.profile_id != V.c.profile_id) | (T.c.profile_version != V.c.profile_version)).exists())),
    ("transmissions without bytes", sa.select(T.c.id).where(sa.func.length(T.c.data) == 0)),
    ("transmissions that carry nothing", sa.select(T.c.id).where(
        ~sa.select(L.c.delivery_id).where(L.c.transmission_id == T.c.id).exists())),
    ("transmissions of one environment with documents of the other", sa.select(T.c.id).where(sa.select(L.c.delivery_id)
        .join(V, V.c.id == L.c.delivery_id).join(D, D.c.id == V.c.document_id)
        .where(L.c.transmission_id == T.c.id, D.c.environment != T.c.environment).exists())),
    ("transmissions under a profile of the other environment", sa.select(T.c.id)
        .join(P, P.c.id == T.c.profile_id).where(P.c.environment != T.c.environment)),
    ("transmissions due although all they carry is finished", sa.select(T.c.id).where(T.c.next_at.is_not(None),
        ~sa.select(V.c.id).where(V.c.transmission_id == T.c.id, V.c.state.in_(
            (State.WAITING, State.SENDING, State.UNKNOWN))).exists())),
    ("attempts without outcome that no worker holds", sa.select(A.c.id).join(T, T.c.id == A.c.transmission_id)
        .where(A.c.ended_at.is_(None), T.c.lease_until.is_(None))),
    ("attempts begun after the partner had accepted", sa.select(_later.c.id).join(
        A, A.c.transmission_id == _later.c.transmission_id).where(
            A.c.outcome == "accepted", _later.c.n > A.c.n)),
    ("attempts with an outcome and no end, or an end and no outcome", sa.select(A.c.id).where(
        (A.c.outcome == "") != A.c.ended_at.is_(None))),
    ("orders of which more than one message counts", sa.select(sa.func.min(Q.c.id)).where(Q.c.alive).group_by(
        Q.c.environment, Q.c.seller, Q.c.buyer, Q.c.number).having(sa.func.count() > 1)),
    ("payments of another document than their acknowledgement", sa.select(Y.c.id).join(
        K, K.c.id == Y.c.acknowledgement_id).where(K.c.delivery_id.is_not(None), K.c.delivery_id != Y.c.delivery_id)),
    ("inbox messages called matched without an acknowledgement", sa.select(M.c.id).where(
        M.c.state == "matched", ~sa.select(K.c.id).where(K.c.inbox_id == M.c.id).exists(), M.c.note == "")),
)  # fmt: skip

_DIGESTS: tuple[tuple[str, Callable[[], sa.Select[int, bytes, str]]], ...] = (
    ("contents that differ from their digest", lambda: sa.select(R.c.id, R.c.canonical, R.c.digest)),
    ("sources that differ from their digest", lambda: sa.select(R.c.id, R.c.source, R.c.source_sha256)),
    ("transmissions that differ from their digest", lambda: sa.select(T.c.id, T.c.data, T.c.sha256)),
    ("artifacts that differ from their digest", lambda: sa.select(
        schema.artifact.c.id, schema.artifact.c.data, schema.artifact.c.sha256)),
    ("inbox messages that differ from their digest", lambda: sa.select(M.c.id, M.c.data, M.c.sha256)),
)  # fmt: skip


class Audit(Runs):
    def invariants(self) -> list[str]:
        """Every rule that the tables break, with the first offenders; empty when all hold."""
        with self.read() as conn:
            broken = [_sentence(text, list(conn.scalars(query.limit(11)))) for text, query in RULES]
            broken += [_sentence(text, list(_altered(conn, query()))) for text, query in _DIGESTS]
            run_ids = conn.scalars(sa.select(N.c.id)).all()
        broken += [_sentence("runs that do not balance", [key]) for key in run_ids if not self.statement(key).balances]
        return [each for each in broken if each]


def _altered(conn: Connection, query: sa.Select[int, bytes, str]) -> Iterator[int]:
    for key, data, digest in conn.execute(query.execution_options(yield_per=100)):
        if hashlib.sha256(data).hexdigest() != digest:
            yield key


def _sentence(text: str, ids: list[int]) -> str:
    if not ids:
        return ""
    named = ", ".join(str(key) for key in ids[:10])
    return f"{text}: {named}{' ...' if len(ids) > 10 else ''}"
