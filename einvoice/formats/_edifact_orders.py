"""EDIFACT ORDERS of D.96A and later: the order, its replacement and withdrawal; ORDCHG where it withdraws one whole."""

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
from ._edifact_codec import Fault, Interchange, Message, messages
from ._edifact_directory import DIRECTORIES, Directory, of_release
from ._edifact_prepare import prepared
from ._edifact_shape import HOOKS
from ._edifact_table import _dated, _gtin, _side
from ._orders import instant, order_of, unreadable
from ._segments import NEVER, Seg, grammar, tree
from ._xml_read import Context, TreeReader

KINDS = ("ORDERS", "ORDCHG")
#: ORDERS as far as a segment could otherwise be taken for one of another group: all directories together.
_GRAMMAR = grammar("""
BGM DTM PAI ALI IMD FTX GIR (RFF DTM) (NAD LOC FII (RFF DTM) (DOC DTM) (CTA COM)) (TAX MOA LOC) (CUX PCD DTM)
(PAT DTM PCD MOA) (PYT DTM PCD MOA) (TDT (LOC DTM)) (TOD LOC) (PAC MEA (PCI RFF DTM GIN)) (EQD HAN MEA FTX)
(SCC FTX RFF (QTY DTM)) (APR DTM RNG) (ALC ALI DTM (QTY RNG) (PCD RNG) (MOA RNG) (RTE RNG) (TAX MOA))
(RCS RFF DTM FTX) (DGS FTX (CTA COM))
(LIN PIA IMD MEA QTY PCD ALI DTM MOA GIN GIR QVR DOC PAI FTX (CCI CAV MEA) (PAT DTM PCD MOA) (PYT DTM PCD MOA)
 (PRI CUX APR RNG DTM) (RFF DTM) (PAC MEA QTY DTM (RFF DTM) (PCI RFF DTM GIN)) (LOC QTY DTM) (TAX MOA LOC)
 (NAD LOC FII (RFF DTM) (DOC DTM) (CTA COM)) (ALC ALI DTM (QTY RNG) (PCD RNG) (MOA RNG) (RTE RNG) (TAX MOA))
 (TDT (LOC DTM)) (TOD LOC) (EQD HAN MEA FTX) (SCC FTX RFF (QTY DTM)) (RCS RFF DTM FTX) (DGS FTX (CTA COM)))
(UNS MOA CNT (ALC ALI MOA))
""")
#: Message function, UNCL1225.
_FUNCTIONS = {"1": "delete", "3": "delete", "4": "update", "5": "update"}
#: Action request, UNCL1229: the line is deleted or cancelled.
_GONE = ("2", "7")


def _rows(d: Directory) -> tuple[Row, ...]:
    use = Const("@1.1", "5", select=False, clause="UNCL4347: what the number is for")

    def number(code: str, leaf: str) -> Group:
        return Group("PIA", (use, Field(leaf, "@2.1"), Const("@2.2", code)))

    return (
        Field("BT-13", "BGM/@2.1"), Field("@function", "BGM/@3.1"),
        _dated("137", "EX-12"), _dated("4", "EX-12", when=NEVER),
        _side(d),
        Group("SG-CUX", (Const("CUX/@1.1", "2"), Field("BT-5", "CUX/@1.2"))),
        Group("SG-LIN", (
            Field("BT-132", "LIN/@1.1"), Field("kind", "LIN/@2.1"), Field("item.standard_id.value", "LIN/@3.1"),
            Field("item.standard_id.scheme", "LIN/@3.2", lens=_gtin(d.gtin)),
            number("SA", "BT-155"), number("IN", "BT-156"), number("BP", "BT-156"), number("MF", "EX-96"),
            Group("QTY", (Const("@1.1", "21"), Field("BT-129", "@1.2"), Field("BT-130", "@1.3"))),
            Group("SG-PRI", (Const("PRI/@1.1", "AAA"), Field("BT-146", "PRI/@1.2"), Field("BT-149", "PRI/@1.5"),
                             Field("BT-150", "PRI/@1.6"))),
        ), "BG-25", many=True),
    )  # fmt: skip


def _begin(context: Context) -> None:
    """Nothing has to be known before the rows are read."""


@cache
def _reader(d: Directory) -> TreeReader:
    hooks = {name: hook for name, hook in HOOKS.items() if name not in ("before", "after")}
    return TreeReader(Map("ORDERS", _rows(d), money="", hooks=hooks), "edifact", _begin)


def orders(data: bytes) -> Iterator[Order]:
    """Every order in the interchanges of *data*; none where they hold other messages.

    UnreadableDocument for a message or an envelope that is faulty, for a value that cannot be read, and for an ORDCHG
    that changes an order line by line: then none of the orders is taken.
    """
    found: list[Order] = []
    for one in messages(io.BytesIO(data)):
        if isinstance(one, Message):
            if one.kind in KINDS:
                found.append(_order(one))
        elif found and (faults := [*one.faults, *(fault for group in one.broken for fault in group.faults)]):
            raise unreadable(f"interchange {one.reference or '?'}", [_finding(fault) for fault in faults])
    yield from found


def _finding(fault: Fault) -> Finding:
    return Finding("EINV-EDIFACT-01", fault.text, place=fault.place, clause=f"ISO 9735, error {fault.code}",
                   fix="ask the sender to correct the interchange")  # fmt: skip


def _order(one: Message) -> Order:
    if one.faults:
        raise unreadable(one.place, [_finding(fault) for fault in one.faults])
    d = DIRECTORIES[of_release(one.release)]
    context = _reader(d).values(_tree(one, d))  # type: ignore[arg-type]
    operation = _FUNCTIONS.get(context.meta.get("function", ""), "new")
    if one.kind == "ORDCHG" and operation != "delete":
        raise UnreadableDocument("an ORDCHG that changes single lines is not applied", where=one.place,
                                 fix="ask the buyer for the whole order (ORDERS, function 5)")  # fmt: skip
    for line in context.root.get("lines", []):
        line["kind"] = "delete" if line.get("kind") in _GONE else None
    return order_of(
        context, operation=operation, place=one.place, issued_at=_made(one.interchange),
        environment=Environment.TEST if one.interchange.test else Environment.PRODUCTION,
        buyer=_end(one.interchange.sender), seller=_end(one.interchange.recipient),
    )  # fmt: skip


def _tree(one: Message, d: Directory) -> Seg:
    return tree("ORDERS", list(prepared(one, d, lambda finding: None)), _GRAMMAR)


def _made(one: Interchange) -> datetime | None:
    return instant(one.prepared)


def _end(name: tuple[str, ...]) -> Identifier | None:
    """A name in UNB: a GLN has a scheme of its own, another means something only between these two."""
    qualifier = name[1] if len(name) > 1 else ""
    scheme = "0088" if qualifier == "14" else f"UNB {qualifier}"
    return Identifier(scheme=scheme, value=name[0]) if name and name[0] else None
