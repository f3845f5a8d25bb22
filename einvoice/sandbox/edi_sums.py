"""Do the amounts of an 810 or an INVOIC add up? What cannot be recomputed from the segments is not judged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation

from .edi import Fault, Segment

_CENT = Decimal("0.01")
#: TED01 and, in an APERAK, the text before the words: total out of balance.
_BALANCE = "010"


def number(text: str, mark: str = ".") -> Decimal | None:
    """The number *text* is, with *mark* for its decimals; None when it is none."""
    try:
        value = Decimal(text.replace(mark, ".", 1))
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def x12_sums(segments: Sequence[Segment]) -> Iterator[Fault]:
    """Faults of CTT01, and of TDS01 where quantities, prices, charges and taxes say what it must be.

    A line is quantity x price, less and plus its own SAC. Tax is what the summary's TXI say, or, without them, those
    of lines and charges. Half a cent a line is allowed.
    """
    lines = _lines(segments)
    for place, one in enumerate(segments, 1):
        if one.tag == "CTT" and one.component(1) != str(len(lines)):
            yield Fault("011", f"CTT01 {one.component(1)}, counted {len(lines)} IT1", "CTT", place)
    start = next((at for at, one in enumerate(segments) if one.tag == "TDS"), len(segments))
    total = number(segments[start].component(1)) if start < len(segments) else None
    nets = [_line(line) for line in lines]
    summary = segments[start + 1 :]
    charges = [_charge(one) for one in summary if one.tag == "SAC"]
    if total is None or None in nets or None in charges:
        return
    first = next((at for at, one in enumerate(summary) if one.tag == "SAC"), len(summary))
    taxes = _taxes(summary[:first]) or _taxes([*(one for line in lines for one in line), *summary[first:]])
    if None in taxes:
        return
    wanted = sum((each for each in (*nets, *charges, *taxes) if each is not None), Decimal(0))
    if abs(wanted - total / 100) > _CENT * (len(lines) + 1) / 2:
        yield Fault(_BALANCE, f"TDS01 {total / 100}, computed {wanted:f}", "TDS", start + 1)


def _lines(segments: Sequence[Segment]) -> list[list[Segment]]:
    """IT1 and what belongs to it."""
    lines: list[list[Segment]] = []
    for one in segments:
        if one.tag == "IT1":
            lines.append([one])
        elif one.tag in ("TDS", "SE"):
            break
        elif lines:
            lines[-1].append(one)
    return lines


def _line(line: Sequence[Segment]) -> Decimal | None:
    quantity, price = number(line[0].component(2)), number(line[0].component(4))
    charges = [_charge(one) for one in line if one.tag == "SAC"]
    bases = [number(one.component(4)) for one in line if one.tag == "CTP" and number(one.component(3)) == price]
    if quantity is None or price is None or None in charges or not all(bases):
        return None
    net = quantity * price / (bases[0] if bases and bases[0] else Decimal(1))
    return net + sum((each for each in charges if each is not None), Decimal(0))


def _charge(sac: Segment) -> Decimal | None:
    """SAC05, two decimals implied, with its sign; 0 for what neither adds nor subtracts."""
    sign = {"A": -1, "C": 1}.get(sac.component(1), 0)
    amount = number(sac.component(5))
    return Decimal(0) if not sign else None if amount is None else amount / 100 * sign


def _taxes(segments: Sequence[Segment]) -> list[Decimal | None]:
    return [number(one.component(2)) for one in segments if one.tag == "TXI"]


def edifact_sums(segments: Sequence[Segment], mark: str) -> Iterator[Fault]:
    """Faults of CNT 2 (lines), MOA 79 (their sum) and of the total against what is taxed and its tax.

    The total is MOA 77, else 39, else 86; before the first TAX of the summary, where they stand for the whole.
    """
    lines = [one for one in segments if one.tag == "LIN"]
    start = next((at for at, one in enumerate(segments) if one.tag == "UNS"), len(segments))
    first = next((at for at in range(start, len(segments)) if segments[at].tag in ("TAX", "ALC")), len(segments))
    places = {one.component(1, 1): at + 1 for at, one in enumerate(segments) if start < at < first and one.tag == "MOA"}
    amounts = {code: number(segments[at - 1].component(1, 2), mark) for code, at in places.items()}
    for place, one in enumerate(segments, 1):
        if one.tag == "CNT" and one.component(1) == "2" and number(one.component(1, 2), mark) != len(lines):
            yield Fault("011", f"CNT 2 {one.component(1, 2)}, counted {len(lines)} LIN", "CNT", place)
    nets = _nets(segments[:start], mark)
    if len(nets) == len(lines) and (found := amounts.get("79")) is not None:
        wanted = sum(nets, Decimal(0))
        if found != wanted:
            yield Fault(_BALANCE, f"MOA 79 {found}, the lines make {wanted}", "MOA", places["79"])
    code = next((each for each in ("77", "39", "86") if each in amounts), "")
    taxed, tax = amounts.get("125"), amounts.get("176", amounts.get("124"))
    total = amounts.get(code)
    if total is not None and taxed is not None and tax is not None and abs(total - taxed - tax) > _CENT:
        yield Fault(_BALANCE, f"MOA {code} {total}, {taxed} and {tax} make {taxed + tax}", "MOA", places[code])


def _nets(segments: Sequence[Segment], mark: str) -> list[Decimal]:
    """MOA 203 of the lines; of a line without one nothing."""
    begun = False
    found = []
    for one in segments:
        begun = begun or one.tag == "LIN"
        value = number(one.component(1, 2), mark)
        if begun and one.tag == "MOA" and one.component(1) == "203" and value is not None:
            found.append(value)
    return found
