"""An invoice against the orders it names: EINV-ORDER-01 to -09. What was ordered comes from orders that were kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from ..errors import Finding, Severity
from ..model import Invoice, Line, is_credit
from ..money import plain
from ..orders import Lines, Order, OrderedLine, belonging, folded, identifiers, numbers, order_of, parts, strangers
from ._rule import Hit
from ._texts import texts

_CLAUSE = "the order"
#: Codes for one counted thing (UN/ECE Recommendation 20, and what cXML and X12 partners write).
_PIECES = frozenset({"C62", "EA", "H87", "PCE", "PC", "PCS", "UN"})


class Breach(NamedTuple):
    rule: str
    term: str
    hit: Hit


def against_orders(
    invoice: Invoice, orders: Sequence[Order], *, severity: Severity = Severity.WARNING, language: str = "en",
    unknown: bool = True,
) -> list[Finding]:  # fmt: skip
    """A finding for each difference between *invoice* and the orders it names.

    orders    what is kept, with open quantities (``orders.counted``); where one has none, all of it is open
    unknown   an order that is not among them is a finding, too
    """
    return [_finding(one, severity, language) for one in _breaches(invoice, orders, unknown)]


def _finding(breach: Breach, severity: Severity, language: str) -> Finding:
    hit = breach.hit
    message, fix = texts(language, ("orders",)).rules[breach.rule]
    values = {"found": hit.found, "expected": hit.expected}
    return Finding(breach.rule, message.format_map(values), severity, breach.term, hit.path, "", hit.found,
                   hit.expected, fix.format_map(values), _CLAUSE)  # fmt: skip


def _breaches(invoice: Invoice, orders: Sequence[Order], unknown: bool) -> Iterator[Breach]:
    known = {number: next(iter(belonging(number, orders, invoice)), None) for number in numbers(invoice)}
    for number, order in known.items():
        path, term = _place(number, invoice)
        if order is not None:
            yield from _whole(invoice, order, path, term)
        elif unknown:
            yield Breach("EINV-ORDER-01", term, Hit(path, number))
    taken: dict[int, Decimal] = {}
    lines = {number: Lines(order) for number, order in known.items() if order and order.operation != "delete"}
    for index, line in enumerate(invoice.lines):
        number = order_of(line, invoice)
        if number not in lines:
            continue
        path = f"$.lines[{index}]"
        one = lines[number].charged_by(line)
        if one is None:
            yield from _absent(line, lines[number], number, path)
            continue
        yield from _differences(line, one, path, is_credit(invoice))
        if not is_credit(invoice):
            yield from _quantity(line, one, path, taken)


def _place(number: str, invoice: Invoice) -> tuple[str, str]:
    if order_of(None, invoice) == number:
        return "$.purchase_order.id", "BT-13"
    index = next(at for at, line in enumerate(invoice.lines) if order_of(line, invoice) == number)
    return f"$.lines[{index}].order.id", "EX-82"


def _whole(invoice: Invoice, order: Order, path: str, term: str) -> Iterator[Breach]:
    if order.operation == "delete" and not is_credit(invoice):  # what was invoiced before may still be credited
        yield Breach("EINV-ORDER-02", term, Hit(path, order.reference))
    if invoice.currency and order.currency and invoice.currency != order.currency:
        yield Breach("EINV-ORDER-03", "BT-5", Hit("$.currency", invoice.currency, order.currency))
    buyer = identifiers(invoice.buyer)
    if strangers(order.buyer, buyer):
        shown = (", ".join(str(one.value) for one in ids) for ids in (buyer, order.buyer))
        yield Breach("EINV-ORDER-09", "BT-46", Hit("$.buyer", *shown))


def _absent(line: Line, lines: Lines, order: str, path: str) -> Iterator[Breach]:
    """Where neither a number nor a part is stated nothing can be said; of several with this part, neither."""
    if line.order and line.order.line:
        yield Breach("EINV-ORDER-04", "BT-132", Hit(f"{path}.order.line", line.order.line, order))
    elif parts(line).keys() & lines.kinds and not lines.sharing(line):
        yield Breach("EINV-ORDER-04", "BT-132", Hit(path, next(iter(parts(line).values())), order))


_PART_TERMS = {
    "seller_id": ("BT-155", "item.seller_id"), "buyer_id": ("BT-156", "item.buyer_id"),
    "standard_id": ("BT-157", "item.standard_id.value"), "manufacturer_id": ("EX-96", "item.manufacturer_id"),
}  # fmt: skip


def _differences(line: Line, one: OrderedLine, path: str, credit: bool) -> Iterator[Breach]:
    mine, theirs = folded(line), folded(one)
    for kind, (term, leaf) in _PART_TERMS.items():
        if kind in mine and kind in theirs and mine[kind] != theirs[kind]:
            yield Breach("EINV-ORDER-05", term, Hit(f"{path}.{leaf}", parts(line)[kind], parts(one)[kind]))
    if line.unit and one.unit and not _alike(line.unit, one.unit):
        yield Breach("EINV-ORDER-06", "BT-130", Hit(f"{path}.unit", line.unit, one.unit))
    elif not credit:
        yield from _price(line, one, f"{path}.price.net")


def _alike(unit: str, other: str) -> bool:
    """A packaging of Recommendation 21 is XBX in one list and BX in the others."""
    one, two = (text[1:] if len(text) == 3 and text.startswith("X") else text for text in (unit, other))
    return one == two or {one, two} <= _PIECES


def _price(line: Line, one: OrderedLine, path: str) -> Iterator[Breach]:
    """Prices of one unit, compared without a division: both times the other's base."""
    price = line.price
    if price is None or price.net is None or one.price is None:
        return
    bases = [unit for unit in (price.base_unit or line.unit, one.base_unit or one.unit) if unit]
    if len(bases) == 2 and not _alike(*bases):
        return  # per kilogram here, per piece there: nothing to compare without a table of the product
    mine, theirs = price.base_quantity or Decimal(1), one.base_quantity or Decimal(1)
    if price.net * theirs != one.price * mine:
        shown = (_per(price.net, price.base_quantity), _per(one.price, one.base_quantity))
        yield Breach("EINV-ORDER-07", "BT-146", Hit(path, *shown))


def _per(price: Decimal, base: Decimal | None) -> str:
    return plain(price) if base in (None, Decimal(1)) else f"{plain(price)} / {plain(base)}"


def _quantity(line: Line, one: OrderedLine, path: str, taken: dict[int, Decimal]) -> Iterator[Breach]:
    """The lines of one invoice that charge one line of the order count together."""
    left = one.quantity if one.open_quantity is None else one.open_quantity
    same_unit = not (line.unit and one.unit) or _alike(line.unit, one.unit)
    if line.quantity is None or left is None or line.price_adjustment or not same_unit:
        return
    before = taken.get(id(one), Decimal(0))
    taken[id(one)] = before + line.quantity
    if taken[id(one)] > left:
        opened = max(left - before, Decimal(0))
        yield Breach("EINV-ORDER-08", "BT-129", Hit(f"{path}.quantity", plain(line.quantity), plain(opened)))
