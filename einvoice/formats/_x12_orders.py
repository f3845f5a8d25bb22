"""X12 850: the order, its replacement and its withdrawal; 860 where it withdraws an order whole."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime
from functools import cache

from ..errors import Finding, UnreadableDocument
from ..exchange import Environment
from ..mapping import Const, Field, Group, Map, Row
from ..model import Identifier
from ..orders import Order
from ._orders import instant, order_of, unreadable
from ._segments import Seg, grammar, tree
from ._x12_codec import Fault, Interchange, Set, sets
from ._x12_codec import Group as FunctionalGroup
from ._x12_prepare import prepared
from ._x12_shape import HOOKS
from ._x12_table import BASIS, DAY, GTIN, Way, _coded, _side
from ._xml_read import Context, TreeReader

KINDS = ("850", "860")
#: What an 850 may hold, as far as a segment could otherwise be taken for one of another loop.
_GRAMMAR = grammar("""
BEG BCH CUR REF (PER +PER) TAX FOB CTP PAM CSH SAC ITD DTM (N9 MSG) (N1 N2 N3 N4 NX2 REF (PER +PER))
(PO1 +PO1 LIN CUR PO3 CTP PAM (PID MEA) MEA PO4 REF (PER +PER) SAC IT8 ITD DTM TD5 (QTY SI) (SCH TD5 REF DTM)
 (N9 MSG) (N1 N2 N3 N4 NX2 REF (PER +PER)) (SLN PID N1))
(CTT AMT)
""")
#: PO106 and after (data element 235) by term.
_NUMBERS = {"VP": "BT-155", "VN": "BT-155", "SK": "BT-155", "BP": "BT-156", "IN": "BT-156", "CB": "BT-156",
            "MG": "EX-96"}  # fmt: skip
#: Data element 353: purpose of the set.
_PURPOSES = {"01": "delete", "03": "delete", "04": "update", "05": "update"}


def _pairs() -> Iterator[Row]:
    for code, term in _NUMBERS.items():
        yield Group("+PO1", (Const("@1.1", code), Field(term, "@2.1")))
    for code in ("UP", "EN", "UK", "EO"):
        yield Group("+PO1", (Const("@1.1", code), Field("BT-157", "@2.1", lens=GTIN)))


def _rows() -> tuple[Row, ...]:
    way = Way()
    heads = (("BEG", 3, 4, 5), ("BCH", 3, 4, 6))
    return (
        *(row for tag, number, release, day in heads for row in (
            Field("@purpose", f"{tag}/@1.1"), Field("BT-13", f"{tag}/@{number}.1"),
            Field("EX-14", f"{tag}/@{release}.1"), Field("EX-12", f"{tag}/@{day}.1", lens=DAY))),
        Group("CUR", (Field("BT-5", "@2.1"),)),
        _side(way),
        Group("SG-PO1", (
            Group("PO1", (Field("BT-132", "@1.1"), Field("BT-129", "@2.1"),
                          Field("BT-130", "@3.1", lens=_coded(way.walk("units"))), Field("BT-146", "@4.1"),
                          Field("BT-149", "@5.1", lens=BASIS)), always=True),
            *_pairs(),
            Group("CUR", (Field("BT-5", "@2.1"),)),
        ), "BG-25", many=True),
    )  # fmt: skip


def _begin(context: Context) -> None:
    """Nothing has to be known before the rows are read."""


@cache
def _reader() -> TreeReader:
    hooks = {name: hook for name, hook in HOOKS.items() if name not in ("before", "after")}
    return TreeReader(Map("850", _rows(), money="", hooks=hooks), "x12", _begin)


def orders(data: bytes) -> Iterator[Order]:
    """Every order in the interchanges of *data*; none where they hold other sets.

    UnreadableDocument for a set or an envelope that is faulty, for a value that cannot be read, and for an 860 that
    changes an order line by line: then none of the orders is taken.
    """
    found: list[Order] = []
    for one in sets(io.BytesIO(data)):
        if isinstance(one, Set):
            if one.kind in KINDS:
                found.append(_order(one))
        elif found and one.faults:
            raise unreadable(_place(one), [_finding(fault) for fault in one.faults])
    yield from found


def _place(one: FunctionalGroup | Interchange) -> str:
    return f"{'group' if isinstance(one, FunctionalGroup) else 'interchange'} {one.control or '?'}"


def _finding(fault: Fault) -> Finding:
    return Finding("EINV-X12-01", fault.text, place=fault.place, clause=f"X12 {fault.level} error {fault.code}",
                   fix="ask the sender to correct the interchange")  # fmt: skip


def _order(one: Set) -> Order:
    if one.faults:
        raise unreadable(one.place, [_finding(fault) for fault in one.faults])
    context = _reader().values(_tree(one))  # type: ignore[arg-type]
    purpose = context.meta.get("purpose", "")
    if one.kind == "860" and _PURPOSES.get(purpose) != "delete":
        raise UnreadableDocument("an 860 that changes single lines is not applied", where=one.place,
                                 fix="ask the buyer for the whole order (850 with BEG01 05)")  # fmt: skip
    interchange, gs = one.interchange, one.group.gs if one.group else ("",) * 8
    return order_of(
        context, operation=_PURPOSES.get(purpose, "new"), place=one.place, issued_at=_made(gs, interchange.isa),
        environment=Environment.TEST if interchange.test else Environment.PRODUCTION,
        buyer=_end(interchange.isa[4], interchange.isa[5]), seller=_end(interchange.isa[6], interchange.isa[7]),
    )  # fmt: skip


def _tree(one: Set) -> Seg:
    return tree("850", list(prepared(one, False, lambda finding: None)), _GRAMMAR)


def _made(gs: tuple[str, ...], isa: tuple[str, ...]) -> datetime | None:
    return instant(gs[3] + gs[4][:4]) or instant(isa[8] + isa[9])


def _end(qualifier: str, name: str) -> Identifier | None:
    """A name in ISA: DUNS has a scheme of its own, another means something only between these two."""
    return Identifier(scheme="0060" if qualifier == "01" else f"ISA {qualifier}", value=name.strip()) if name else None
