"""Documents and their contents: submitted once, found again, replaced only while nobody has them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..errors import Finding, LedgerError
from ..exchange import Environment
from . import schema
from .orders import charge
from .store import AnyRow, change, dump_findings, insert, raced, record
from .tracks import may_have_arrived, move, supersede, take_apart
from .values import DuplicateNumber, HeldBy, Purpose, Revision, State, Submitted
from .views import KEY, Views, living

D, R, V, T = schema.document, schema.revision, schema.delivery, schema.transmission

_NAMES = [R.c[name] for name in Revision.__slots__ if name in R.c] + [D.c[name] for name in KEY]
_REVISION = sa.select(*_NAMES).join_from(R, D, D.c.id == R.c.document_id).where(R.c.id == sa.bindparam("key"))
_ASSIGNMENT = (
    sa.select(*_NAMES, V.c.purpose, V.c.target)
    .join_from(V, R, R.c.id == V.c.revision_id)
    .join(D, D.c.id == R.c.document_id)
    .where(V.c.id == sa.bindparam("key"))
)
_ORIGINAL = (V.c.purpose == Purpose.ORIGINAL) & (V.c.target == "")


class Documents(Views):
    def submit(
        self,
        *,
        environment: Environment,
        seller: str,
        type: str,
        number: str,
        year: int,
        canonical: bytes,
        digest: str,
        currency: str,
        total: Decimal,
        source: bytes,
        source_format: str,
        source_name: str,
        buyer: str,
        issue_date: date | None,
        replaces: str | None = None,
        reason: str = "",
        at: datetime,
        actor: str = "einvoice",
        sameness: str = "",
        held: Sequence[Finding] = (),
        charges: Sequence[tuple[str, str, Decimal]] = (),
    ) -> Submitted:
        """The document as it stands in the ledger, with its original delivery planned; all in one commit.

        digest    SHA-256 of *canonical* in hex
        sameness  equal for equal content, however its digits are written; the digest when not given. Equal
                  content under the same number is the same document
        held      what was found while it was read: it is taken in and kept back until a person releases it
        charges   what it takes from orders: (order, line key, quantity)
        replaces  this document's own number: its content is replaced, for *reason*, if nobody can have it

        Raises DuplicateNumber when other content has the number and may not, or was not asked to, be
        replaced; LedgerError when the arguments contradict each other.
        """
        _sound(canonical, digest, number, replaces, reason)
        key = {"environment": environment, "seller": seller, "type": type, "number": number, "year": year}
        content = {
            "canonical": canonical, "digest": digest, "sameness": sameness or digest, "currency": currency,
            "total": total, "buyer": buyer, "issue_date": issue_date, "source": source,
            "source_sha256": hashlib.sha256(source).hexdigest(), "source_format": source_format,
            "source_name": source_name,
        }  # fmt: skip
        return self._submit(key, content, replaces is not None, reason, at, actor, held, charges)

    @raced
    def _submit(
        self,
        key: dict[str, Any],
        content: dict[str, Any],
        replace: bool,
        reason: str,
        at: datetime,
        actor: str,
        held: Sequence[Finding],
        charges: Sequence[tuple[str, str, Decimal]],
    ) -> Submitted:
        with self.write("submit") as conn:
            same_key = sa.and_(*(D.c[name] == value for name, value in key.items()))
            document_id = conn.scalar(sa.select(D.c.id).where(same_key).with_for_update())
            outcome = "new"
            if document_id is None:
                document_id = insert(conn, D, {**key, "created_at": at})
            else:
                alive = living(conn, document_id)
                if alive.sameness == content["sameness"]:
                    return Submitted(document_id, alive.id, _original(conn, alive.id), "same")
                self._replace(conn, document_id, alive, replace, reason, at, actor)
                outcome = "replaced"
            n = 1 + (conn.scalar(sa.select(sa.func.max(R.c.n)).where(R.c.document_id == document_id)) or 0)
            row = {**content, "document_id": document_id, "n": n, "alive": True, "created_at": at}
            revision_id = insert(conn, R, row)
            charge(conn, revision_id, charges)
            text = f"{key['type']} {key['number']} taken in from {content['source_name'] or content['source_format']}"
            detail = {"digest": content["digest"], "source_sha256": content["source_sha256"], "revision": n}
            record(conn, "submitted", text, at, document_id=document_id, actor=actor, detail=detail)
            delivery_id = plan(conn, document_id, revision_id, Purpose.ORIGINAL, "", at)
            if held:
                _keep_back(conn, delivery_id, held, at, actor)
            return Submitted(document_id, revision_id, delivery_id, outcome)

    def _replace(
        self, conn: Connection, document_id: int, alive: AnyRow, replace: bool, reason: str, at: datetime, actor: str
    ) -> None:
        original = conn.execute(sa.select(V).where(V.c.revision_id == alive.id, _ORIGINAL)).one()
        state = State(original.state)
        free = state is State.REJECTED or not may_have_arrived(conn, original.id)
        if not (replace and free):
            advice = (
                "correct the number, or submit again with --replaces NUMBER --reason REASON"
                if free
                else "nothing may replace it until its outcome is known"
                if state in (State.UNKNOWN, State.SENDING)
                else "issue a credit note; the partner has this invoice"
            )
            row = conn.execute(sa.select(D).where(D.c.id == document_id)).one()
            raise DuplicateNumber(
                f"number {row.number} already names another {row.type} of {row.seller} from {row.year}: document"
                f" {document_id}, {state}, digest {alive.digest[:12]}",
                fix=advice,
            )
        take_apart(conn, original, at, "replaced", actor)
        supersede(conn, alive.id, reason, at, actor)
        change(conn, R, alive.id, {"alive": False, "superseded_at": at, "superseded_reason": reason})

    @raced
    def plan(self, revision_id: int, purpose: Purpose, *, at: datetime, target: str = "") -> int:
        """The id of the delivery of *revision_id* for *purpose* (and *target*); asking again changes nothing."""
        with self.write("plan") as conn:
            document_id = conn.scalar(sa.select(R.c.document_id).where(R.c.id == revision_id, R.c.alive))
            if document_id is None:
                raise LedgerError(f"content {revision_id} is not alive, so nothing of it can be delivered")
            return plan(conn, document_id, revision_id, purpose, target, at)

    def revision(self, revision_id: int) -> Revision:
        """One content with what identifies its document. Raises LedgerError when there is none."""
        with self.read() as conn:
            row = conn.execute(_REVISION, {"key": revision_id}).mappings().one_or_none()
        if row is None:
            raise LedgerError(f"there is no content {revision_id}")
        return _revision(row)

    def assignment(self, delivery_id: int) -> tuple[Revision, Purpose, str]:
        """What a delivery delivers, why, and to whom if not to the buyer. Raises LedgerError when there is none."""
        with self.read() as conn:
            row = conn.execute(_ASSIGNMENT, {"key": delivery_id}).mappings().one_or_none()
        if row is None:
            raise LedgerError(f"there is no delivery {delivery_id}")
        return _revision(row), Purpose(row["purpose"]), row["target"]

    def source(self, revision_id: int) -> bytes:
        """The bytes that *revision_id* was read from, as submitted."""
        with self.read() as conn:
            data: bytes | None = conn.scalar(sa.select(R.c.source).where(R.c.id == revision_id))
        if data is None:
            raise LedgerError(f"there is no content {revision_id}")
        return data


def _revision(row: sa.RowMapping) -> Revision:
    values = {name: row[name] for name in Revision.__slots__}
    return Revision(**{**values, "environment": Environment(row["environment"])})


def _sound(canonical: bytes, digest: str, number: str, replaces: str | None, reason: str) -> None:
    if hashlib.sha256(canonical).hexdigest() != digest:
        raise LedgerError(f"the digest of {number} is not the SHA-256 of its canonical content", fix="compute it again")
    if replaces is not None and replaces != number:
        raise LedgerError(
            f"{number} cannot replace {replaces}: a replacement keeps its number",
            fix="submit it under the old number, or cancel the old document with a credit note",
        )
    if replaces is not None and not reason.strip():
        raise LedgerError(f"replacing {replaces} needs a reason", fix="add --reason REASON")


def _keep_back(conn: Connection, delivery_id: int, held: Sequence[Finding], at: datetime, actor: str) -> None:
    row = conn.execute(sa.select(V).where(V.c.id == delivery_id)).one()
    text = "; ".join(f"{each.rule} {each.message}" for each in held[:3])
    values = {"owner": "finance", "reason": text, "findings": dump_findings(held), "held_by": HeldBy.PERSON}
    move(conn, row, State.HELD, at, f"held for finance: {text}", actor=actor, **values)


def _original(conn: Connection, revision_id: int) -> int:
    return int(conn.execute(sa.select(V.c.id).where(V.c.revision_id == revision_id, _ORIGINAL)).scalar_one())


def plan(
    conn: Connection, document_id: int, revision_id: int, purpose: Purpose, target: str, at: datetime
) -> int:  # fmt: skip
    """The delivery of *revision_id* for *purpose* and *target*, planned now unless it was before."""
    same = (V.c.revision_id == revision_id) & (V.c.purpose == purpose) & (V.c.target == target)
    known: int | None = conn.scalar(sa.select(V.c.id).where(same))
    if known is not None:
        return known
    values = {"document_id": document_id, "revision_id": revision_id, "purpose": purpose, "target": target}
    delivery_id = insert(conn, V, {**values, "state": State.PLANNED, "state_at": at})
    text = f"{purpose} planned" + (f" for {target}" if target else "")
    record(conn, "planned", text, at, document_id=document_id, delivery_id=delivery_id)
    return delivery_id
