"""einvoice status: where documents stand, one document's timeline, and whether the ledger is sound."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Sequence

from ..errors import ConfigError
from ..ledger import DeliveryView, DocumentView, Ledger, State
from ..money import plain
from . import _output as out
from ._home import Home

_FILTERS = {*(state.value for state in State), "overdue", "conflict"}


def run(args: Namespace) -> int:
    with Home(args).ledger() as ledger:
        if args.invariants:
            return _sound(ledger, args)
        if not args.what:
            return _counts(ledger, args)
        if args.what in _FILTERS:
            return _list(list(pages(ledger, args.what)), args)
        return _one(found(ledger, args.what), ledger, args)


def pages(ledger: Ledger, filter: str = "") -> Iterator[DeliveryView]:
    """Every delivery in a state, however many there are."""
    after = 0
    while page := ledger.status(filter=filter, limit=1000, after=after):
        after = page[-1].id
        yield from page


def found(ledger: Ledger, number: str) -> DocumentView:
    """The one document with this number; ConfigError (exit 2) names the candidates when there is not one."""
    documents = ledger.find(number)
    if len(documents) != 1:
        named = "; ".join(map(str, documents))
        several = f"{len(documents)} documents have the number {number}: {named}"
        told = several if documents else f"no document {number}"
        fix = "the seller and the year tell them apart" if documents else "see: einvoice status"
        raise ConfigError(told, fix=fix)
    return documents[0]


def _sound(ledger: Ledger, args: Namespace) -> int:
    broken = ledger.invariants()
    if args.json:
        out.emit({"sound": not broken, "broken": broken})
    else:
        for line in broken:
            print(line)
        print("the ledger is sound" if not broken else f"{len(broken)} rules are broken")
    return out.BALANCE if broken else out.DONE


def _counts(ledger: Ledger, args: Namespace) -> int:
    counts = {state.value: count for state, count in ledger.counts().items() if count}
    overdue = sum(1 for _ in pages(ledger, "overdue"))
    if args.json:
        out.emit({**counts, "overdue": overdue})
    else:
        out.table(counts.items(), ("state", "documents"))
        if overdue:
            print(f"{overdue} overdue: einvoice status overdue")
    return out.DONE


def _list(views: Sequence[DeliveryView], args: Namespace) -> int:
    if args.json:
        for view in views:
            out.emit(_row(view))
        return out.DONE
    if not views:
        print(f"no document is {args.what}")
        return out.DONE
    out.table(
        [(v.number, v.buyer[:30], plain(v.total), v.currency, v.state, v.owner, _why(v)[:90]) for v in views],
        ("number", "buyer", "total", "", "state", "owner", "why"),
    )
    return out.DONE


def _why(view: DeliveryView) -> str:
    return str(view.findings[0]) if view.findings else view.reason


def _row(view: DeliveryView) -> dict[str, object]:
    return {
        "number": view.number, "document": view.document_id, "environment": view.environment, "buyer": view.buyer,
        "total": plain(view.total), "currency": view.currency, "purpose": view.purpose, "state": view.state,
        "business": view.business, "payment": view.payment, "owner": view.owner, "overdue": view.overdue,
        "conflict": view.conflict, "payload_id": view.payload_id, "reason": view.reason,
        "findings": [finding.as_dict() for finding in view.findings],
    }  # fmt: skip


def _one(document: DocumentView, ledger: Ledger, args: Namespace) -> int:
    timeline = ledger.timeline(document.id)
    if args.json:
        events = [{"at": event.at, "kind": event.kind, "text": event.text, "by": event.actor} for event in timeline]
        out.emit({"deliveries": [_row(view) for view in document.deliveries], "timeline": events})
        return out.DONE
    print(document)
    for view in document.deliveries:
        marks = [view.business, view.payment, "overdue" if view.overdue else "", "conflict" if view.conflict else ""]
        print(f"  {view.purpose}: {view.state}{''.join(f', {mark}' for mark in marks if mark)}  {view.payload_id}")
        out.findings(view.findings, "   ")
    for event in timeline:
        print(f"  {event.at:%Y-%m-%d %H:%M:%S}  {event.kind:<18} {event.text}  [{event.actor}]")
    return out.DONE
