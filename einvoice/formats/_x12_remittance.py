"""X12 820: what was paid of each invoice (RMR), by the trace number of the payment (TRN)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from ..errors import Finding
from ..exchange import Answer, Environment, Payment
from ._remittance import amount, checked, day, paid
from ._segments import Data
from ._x12_codec import Set, part

#: RMR01 (data element 128) where RMR02 is the number of a document of ours. Another reference goes by its code and
#: number, which no document has: it stays visible as unmatched.
_OURS = ("IV", "OI", "I5", "IN", "CL")


@dataclass(slots=True)
class _Line:
    """One RMR with the adjustments (ADX) and dates that follow it."""

    position: int
    data: Data
    adjustments: list[tuple[int, Data]] = field(default_factory=list)
    invoiced: str = ""


def remitted(one: Set) -> list[Answer]:
    """One Answer for each RMR. UnreadableDocument with every fault of the set and every amount that cannot be read."""
    faults = [
        Finding("EINV-X12-01", fault.text, place=fault.place, clause=f"X12 {fault.level} error {fault.code}")
        for fault in one.faults
    ]
    head: dict[str, Data] = {}
    lines: list[_Line] = []
    for position, tag, data in one.segments:
        if tag == "RMR":
            lines.append(_Line(position, data))
        elif tag == "ADX" and lines:
            lines[-1].adjustments.append((position, data))
        elif tag == "DTM" and lines and part(data, 1) == "003":
            lines[-1].invoiced = part(data, 2)
        elif tag == "ENT":
            continue
        elif not lines:
            head.setdefault(tag, data)
    return checked(_answers(one, head, lines, faults), faults, one.place)


def _answers(one: Set, head: dict[str, Data], lines: list[_Line], faults: list[Finding]) -> Iterator[Answer]:
    interchange = one.interchange
    trace = part(head.get("TRN", []), 2)
    name = trace or "/".join((interchange.control, one.control))
    currency = part(head.get("CUR", []), 2)
    when = day(part(head.get("BPR", []), 16))
    for ordinal, line in enumerate(lines, 1):
        kind, number = part(line.data, 1), part(line.data, 2)
        value = amount(part(line.data, 4), f"segment {line.position} RMR, element 4", "RMR04", faults)
        payment = Payment(value, currency, when, trace, tuple(_less(line, faults)))
        yield paid(
            "x12-820", payment, number=number if kind in _OURS else f"{kind} {number}", issue_date=day(line.invoiced),
            environment=Environment.TEST if interchange.test else Environment.PRODUCTION,
            remote_id="/".join(filter(None, (interchange.isa[5].strip(), name, str(ordinal)))),
        )  # fmt: skip


def _less(line: _Line, faults: list[Finding]) -> Iterator[tuple[str, Decimal]]:
    """RMR06 is the discount taken; RMR08 and ADX01 adjust what is paid, below zero where less is paid."""
    stated = [("discount", part(line.data, 6), f"segment {line.position} RMR, element 6", 1),
              (part(line.data, 7), part(line.data, 8), f"segment {line.position} RMR, element 8", -1)]  # fmt: skip
    stated += [(part(data, 2), part(data, 1), f"segment {position} ADX, element 1", -1)
               for position, data in line.adjustments]  # fmt: skip
    for reason, text, place, sign in stated:
        if text and (value := sign * amount(text, place, "adjustment", faults)):
            yield reason or "adjustment", value
