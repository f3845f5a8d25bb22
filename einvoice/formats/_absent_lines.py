"""What a profile lets stand in for what lines leave out: their numbers, quantities, prices and VAT.

Each follows from what the invoice states, and each use is said. :mod:`._absent` has what does not follow from anything.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal, TypeVar

from ..errors import Finding, Severity
from ..model import AllowanceCharge, Invoice, Line, Price, Tax
from ..money import plain
from ..totals import line_subtotal
from . import _absent

_CHARGED = (None, "charged")
_ONE = Decimal(1)
_Taxed = TypeVar("_Taxed", Line, AllowanceCharge)


class AbsentLines(_absent.Absent):
    """Settings for what lines leave out, beside those for single terms."""

    absent_numbers: Literal["refuse", "count"] = "refuse"
    """What becomes of a line without a number (BT-126): it gets its place, counted from 1."""
    absent_prices: Literal["refuse", "compute"] = "refuse"
    """What becomes of quantity and price that a line leaves out: a line of money alone is one of its unit at what it
    comes to, and a quantity without a price costs that."""
    absent_rates: Literal["refuse", "breakdown"] = "refuse"
    """What becomes of lines, allowances and charges without VAT: they take that of the breakdown, where it has one.
    ``absent_tax`` is for invoices whose breakdown has none."""


def supplied(invoice: Invoice, settings: AbsentLines) -> tuple[Invoice, list[Finding]]:
    """*invoice* with what *settings* let stand in, and a finding (information) for each use: EINV-WRITE-02 where it
    follows from the invoice, EINV-WRITE-03 where it is the profile's. The same object where nothing is absent."""
    told: list[Finding] = []
    rows = {(tax.category, tax.rate) for tax in invoice.tax_breakdown if is_vat(tax)}
    if rows and settings.absent_tax is not None:
        settings = settings.model_copy(update={"absent_tax": None})
    if len(rows) == 1 and settings.absent_rates == "breakdown":
        ((category, rate),) = rows
        invoice = _rated(invoice, Tax(category=category, rate=rate, scheme="VAT"), told)
    if settings.absent_numbers == "count" or settings.absent_prices == "compute":
        lines = tuple(_line(line, index, settings, told) for index, line in enumerate(invoice.lines))
        invoice = invoice.model_copy(update={"lines": lines})
    invoice, more = _absent.supplied(invoice, settings, is_vat)
    return invoice, told + more


def is_vat(tax: Tax) -> bool:
    """True for VAT that is charged."""
    return tax.effect in _CHARGED and tax.scheme in (None, "VAT")


def _said(term: str, path: str, value: str, source: str) -> Finding:
    return Finding("EINV-WRITE-02", f"{term} is not stated and follows from {source}", Severity.INFO, term, path,
                   found=value)  # fmt: skip


def _line(line: Line, index: int, settings: AbsentLines, told: list[Finding]) -> Line:
    at, update = f"$.lines[{index}]", dict[str, Any]()
    if line.id is None and settings.absent_numbers == "count":
        update["id"] = str(index + 1)
        told.append(_said("BT-126", f"{at}.id", update["id"], "its place"))
    if settings.absent_prices == "compute":
        update |= _priced(line, at, told)
    return line.model_copy(update=update) if update else line


def _priced(line: Line, at: str, told: list[Finding]) -> dict[str, Any]:
    """Quantity and price of *line*, where what it comes to says them."""
    price, quantity, amount = line.price or Price(), line.quantity, line_subtotal(line)
    if amount is None or (quantity is not None and price.net is not None):
        return {}
    update: dict[str, Any] = {}
    if quantity is None and price.net in (None, amount) and price.base_quantity in (None, _ONE):
        quantity = update["quantity"] = _ONE
        told.append(_said("BT-129", f"{at}.quantity", "1", "the amount of the line"))
    if price.net is None and quantity:
        based = {"net": amount, "base_quantity": None if quantity == _ONE else quantity}
        update["price"] = price.model_copy(update=based)
        told.append(_said("BT-146", f"{at}.price.net", plain(amount), "the amount of the line"))
    return update


def _rated(invoice: Invoice, tax: Tax, told: list[Finding]) -> Invoice:
    """*invoice* with *tax* on everything that states no VAT."""
    update: dict[str, Any] = {}
    for name, term in (("lines", "BT-151"), ("allowances", "BT-95"), ("charges", "BT-102")):
        parts = getattr(invoice, name)
        if not all(any(map(is_vat, one.taxes)) for one in parts):
            update[name] = tuple(
                _with_tax(one, tax, f"$.{name}[{index}].taxes", term, told) for index, one in enumerate(parts)
            )
    return invoice.model_copy(update=update) if update else invoice


def _with_tax(one: _Taxed, tax: Tax, path: str, term: str, told: list[Finding]) -> _Taxed:
    if any(map(is_vat, one.taxes)):
        return one
    shown = " ".join(part for part in (tax.category, None if tax.rate is None else plain(tax.rate)) if part)
    told.append(_said(term, path, shown, "the breakdown of taxes"))
    return one.model_copy(update={"taxes": (*one.taxes, tax)})
