"""EDIFACT REMADV: what was paid of each invoice (DOC), by the number of the advice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from ..errors import Finding
from ..exchange import Answer, Environment, Payment
from ._edifact_codec import Message
from ._remittance import amount, checked, day, paid
from ._segments import Data

#: MOA 5025 of a document: 12 remitted, 11 paid; 52 is a discount.
_PAID, _DISCOUNT = ("12", "11"), "52"
#: DTM 2005 of the payment: 138 of payment, 203 executed, 209 value; then the date of the message.
_WHEN = ("138", "203", "209", "137")


@dataclass(slots=True)
class _Line:
    """One DOC with the segments of its group."""

    position: int
    data: Data
    inside: list[tuple[int, str, Data]] = field(default_factory=list)


def remitted(one: Message) -> list[Answer]:
    """One Answer for each DOC. UnreadableDocument with every fault of the message and every unreadable amount."""
    faults = [
        Finding("EINV-EDIFACT-01", fault.text, place=fault.place, clause=f"ISO 9735, error {fault.code}")
        for fault in one.faults
    ]
    head: list[tuple[int, str, Data]] = []
    lines: list[_Line] = []
    for position, tag, data in one.segments:
        if tag == "UNS":
            break
        if tag == "DOC":
            lines.append(_Line(position, data))
        else:
            (lines[-1].inside if lines else head).append((position, tag, data))
    return checked(_answers(one, head, lines, faults), faults, one.place)


def get(data: Data, element: int, component: int = 1) -> str:
    found = data[element - 1] if len(data) >= element else []
    return found[component - 1].strip() if len(found) >= component else ""


def _number(one: Message, text: str) -> str:
    """Either decimal mark is lawful (ISO 9735, 10)."""
    return text.replace(",", ".") if text.count(",") == 1 and "." not in text else text


def _answers(
    one: Message, head: list[tuple[int, str, Data]], lines: list[_Line], faults: list[Finding]
) -> Iterator[Answer]:  # fmt: skip
    interchange = one.interchange
    name = next((get(data, 2) for _, tag, data in head if tag == "BGM"), "")
    currency = next((get(data, 1, 2) for _, tag, data in head if tag == "CUX"), "")
    dates = {get(data, 1): get(data, 1, 2) for _, tag, data in head if tag == "DTM"}
    when = next((found for code in _WHEN if (found := day(dates.get(code)))), None)
    for ordinal, line in enumerate(lines, 1):
        money = {get(data, 1): (position, data) for position, tag, data in _own(line) if tag == "MOA"}
        position, stated = next((money[code] for code in _PAID if code in money), (line.position, []))
        place = f"segment {position} MOA, element 1 component 2" if stated else f"segment {position} DOC"
        value = amount(_number(one, get(stated, 1, 2)), place, "amount remitted", faults)
        invoiced = next((get(data, 1, 2) for _, tag, data in _own(line) if tag == "DTM" and get(data, 1) == "171"), "")
        payment = Payment(value, get(stated, 1, 3) or currency, when, name, tuple(_less(one, line, money, faults)))
        yield paid(
            "edifact-remadv", payment, number=get(line.data, 2), issue_date=day(invoiced),
            environment=Environment.TEST if interchange.test else Environment.PRODUCTION,
            remote_id="/".join(filter(None, (*interchange.sender[:1], name or one.reference, str(ordinal)))),
        )  # fmt: skip


def _own(line: _Line) -> Iterator[tuple[int, str, Data]]:
    """The segments of the document itself: its adjustments and lines have amounts of their own."""
    for one in line.inside:
        if one[1] in ("AJT", "INP", "DLI"):
            return
        yield one


def _less(
    one: Message, line: _Line, money: dict[str, tuple[int, Data]], faults: list[Finding]
) -> Iterator[tuple[str, Decimal]]:  # fmt: skip
    if _DISCOUNT in money:
        position, data = money[_DISCOUNT]
        yield "discount", amount(_number(one, get(data, 1, 2)), f"segment {position} MOA", "discount", faults)
    reason = ""
    for position, tag, data in line.inside:
        if tag == "DLI":
            return
        if tag == "AJT":
            reason = get(data, 1) or "adjustment"
        elif tag == "MOA" and reason:
            yield reason, amount(_number(one, get(data, 1, 2)), f"segment {position} MOA", "adjustment", faults)
            reason = ""
