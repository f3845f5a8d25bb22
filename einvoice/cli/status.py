"""einvoice status: where documents stand, one document's timeline, and whether the ledger is sound.

Of interchanges, what partners said of them; of answers, those that speak of nothing we sent or say nothing new; of
control numbers, those the partner never saw.
"""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from ..errors import ConfigError
from ..ledger import DeliveryView, DocumentView, Interchange, Ledger, State, Track
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
        if args.what in _LISTS:
            return _LISTS[args.what](ledger, args)
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
    open_ones = Counter(one.track for one in interchanges(ledger, open=True))
    tracks = {track.value: open_ones[track] for track in Track if open_ones[track]}
    aside = {state: count for state in _ASIDE if (count := len(ledger.inbox(state)))}
    if args.json:
        out.emit({**counts, "overdue": overdue, "interchanges": tracks, "answers": aside})
        return out.DONE
    out.table(counts.items(), ("state", "documents"))
    if overdue:
        print(f"{overdue} overdue: einvoice status overdue")
    if tracks:
        print(f"open interchanges: {_listed(tracks)}: einvoice status interchanges")
    if aside:
        print(f"answers put aside: {_listed(aside)}: einvoice status answers")
    return out.DONE


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())


def interchanges(ledger: Ledger, *, open: bool = False) -> Iterator[Interchange]:
    """Every transmission with control numbers, however many there are."""
    after = 0
    while page := ledger.interchanges(open=open, after=after):
        after = page[-1].transmission_id
        yield from page


def _interchanges(ledger: Ledger, args: Namespace) -> int:
    return _tracks(list(interchanges(ledger)), args)


def _overdue(ledger: Ledger, args: Namespace) -> int:
    """The documents without proof in time, and the interchanges they went in."""
    _list(list(pages(ledger, "overdue")), args)
    late = [one for one in interchanges(ledger, open=True) if one.overdue]
    return _tracks(late, args) if late else out.DONE


def _tracks(found: Sequence[Interchange], args: Namespace) -> int:
    if args.json:
        for one in found:
            out.emit({
                "interchange": one.control, "partner": one.partner, "environment": one.environment,
                "profile": one.profile_id, "track": one.track, "documents": one.documents, "accepted": one.accepted,
                "rejected": one.rejected, "overdue": one.overdue, "sent_at": one.sent_at, "due_at": one.due_at,
            })  # fmt: skip
        return out.DONE
    if not found:
        print("no interchange was sent")
        return out.DONE
    rows = [(one.control, one.partner, one.documents, one.accepted, one.rejected, one.track, _minute(one.sent_at),
             _minute(one.due_at)) for one in found]  # fmt: skip
    out.table(rows, ("interchange", "partner", "documents", "accepted", "rejected", "answer", "sent", "due"))
    return out.DONE


def _minute(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at else ""


def _answers(ledger: Ledger, args: Namespace) -> int:
    items = sorted((item for state in _ASIDE for item in ledger.inbox(state)), key=lambda item: item.id)
    if args.json:
        for item in items:
            inbound = item.inbound
            out.emit({"answer": inbound.remote_id, "channel": inbound.channel, "state": item.state, "at": item.at,
                      "conflict": item.conflict, "note": item.note})  # fmt: skip
        return out.DONE
    if not items:
        print("no answer was put aside")
        return out.DONE
    rows = [(item.inbound.remote_id, item.inbound.channel, item.state, _minute(item.at), item.note) for item in items]
    out.table(rows, ("answer", "from", "state", "came", "why"))
    return out.DONE


def _numbers(ledger: Ledger, args: Namespace) -> int:
    gaps = ledger.unsent_numbers()
    if args.json:
        for gap in gaps:
            out.emit({"environment": gap.environment, "partner": gap.partner, "kind": gap.kind, "first": gap.first,
                      "last": gap.last, "payload_id": gap.payload_id, "reason": gap.reason})  # fmt: skip
        return out.DONE
    if not gaps:
        print("every control number that was given reached its partner, or is on its way")
        return out.DONE
    rows = [(gap.partner, gap.environment, gap.kind, gap.first, gap.last, gap.reason) for gap in gaps]
    out.table(rows, ("partner", "", "numbers", "first", "last", "never sent because"))
    return out.DONE


#: Answers that a person may want to see, by the state of their message.
_ASIDE = ("orphan", "duplicate", "bad")
#: Lists of other things than deliveries in one state.
_LISTS: Mapping[str, Callable[[Ledger, Namespace], int]] = {
    "overdue": _overdue, "interchanges": _interchanges, "answers": _answers, "numbers": _numbers,
}  # fmt: skip


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
