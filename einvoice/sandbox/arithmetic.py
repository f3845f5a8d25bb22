"""Do the amounts of an invoice add up?

Networks differ in whether charges and allowances of a line are inside its SubtotalAmount. Both readings pass; an
amount that is right by neither does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from .invoice import Bill, Line, money

_PLUS = ("SubtotalAmount", "Tax", "SpecialHandlingAmount", "ShippingAmount", "TotalCharges")
_MINUS = ("InvoiceDetailDiscount", "TotalAllowances")


def sums(bill: Bill, tolerance: Decimal) -> Iterator[str]:
    """Amounts that differ from what the others make of them by more than *tolerance*.

    Subtotal of a line = quantity x price; of the invoice = sum of its lines; net = subtotal + tax + handling +
    shipping + charges - discount - allowances; due = net - deposit.
    """
    for line in bill.lines:
        product = _product(line)
        if product is not None and line.subtotal is not None and line.element.find("UnitPrice/Modifications") is None:
            wanted = product, product + _adjustment(line)
            yield from _differs(f"line {line.number}: SubtotalAmount", line.subtotal, wanted, tolerance)
    lines = list(_summed(bill.lines))
    subtotals = [_product(line) if line.subtotal is None else line.subtotal for line in lines]
    if lines and None not in subtotals:
        subtotal, adjusted = _total(subtotals), _total(map(_adjustment, lines))
        yield from _differs("SubtotalAmount", bill.amount("SubtotalAmount"), (subtotal, subtotal + adjusted), tolerance)
    net = _total(map(bill.amount, _PLUS)) - _total(map(bill.amount, _MINUS))
    yield from _differs("NetAmount", bill.amount("NetAmount"), (net,), tolerance)
    if (due := bill.amount("DueAmount")) is not None:
        left = _total([bill.amount("NetAmount")]) - _total([bill.amount("DepositAmount")])
        yield from _differs("DueAmount", due, (left,), tolerance)


def _product(line: Line) -> Decimal | None:
    if line.quantity is None or line.price is None:
        return None
    return line.quantity * line.price / line.per


def _adjustment(line: Line) -> Decimal:
    """Charges less allowances and discount of a line, by its totals or else by its modifications."""
    items = line.element.findall("InvoiceItemModifications/Modification")
    charges, allowances = money(line.element.find("TotalCharges")), money(line.element.find("TotalAllowances"))
    if charges is None:
        charges = _total(money(item.find("AdditionalCost")) for item in items)
    if allowances is None:
        allowances = _total(money(item.find("AdditionalDeduction/DeductionAmount")) for item in items)
    return charges - allowances - _total([money(line.element.find("InvoiceDetailDiscount"))])


def _summed(lines: Iterable[Line]) -> Iterator[Line]:
    """Lines whose subtotals add up: a composite priced as a group without its parts, otherwise the parts alone."""
    lines = tuple(lines)
    groups = {line.number for line in lines if line.get("compositeItemType") == "groupLevel"}
    for line in lines:
        priced = line.get("compositeItemType") != "itemLevel" and line.get("itemType") != "lean"
        if priced and line.get("parentInvoiceLineNumber") not in groups:
            yield line


def _total(values: Iterable[Decimal | None]) -> Decimal:
    return sum((value for value in values if value is not None), Decimal(0))


def _differs(what: str, found: Decimal | None, wanted: tuple[Decimal, ...], tolerance: Decimal) -> Iterator[str]:
    if found is None:
        yield f"RULE-SUM: {what} is empty or not a number"
    elif all(abs(found - each) > tolerance for each in wanted):
        yield f"RULE-SUM: {what} is {found}, computed {wanted[0].normalize():f}"
