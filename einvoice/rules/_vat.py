"""What an invoice says of each VAT category, gathered in one pass over lines, allowances, charges and breakdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

from ..model import AllowanceCharge, Line, Tax

ZERO = Decimal(0)
Vat = Callable[[Tax], bool]


class Category:
    """One category of UNCL5305 in one invoice.

    lines, allowances, charges   (position, tax row) of those that state it, as VAT
    rows                         (position, row) of the breakdown
    stated                       somewhere on a line, a sub-line, an allowance or a charge, as VAT
    named, named_rows            the same, and the number of rows, under any tax scheme
    total, by_rate               lines plus charges less allowances, in all and by rate (BT-116 as it should be)
    """

    __slots__ = ("allowances", "by_rate", "charges", "lines", "named", "named_rows", "rows", "stated", "total")

    def __init__(self) -> None:
        self.lines: list[tuple[int, Tax]] = []
        self.allowances: list[tuple[int, Tax]] = []
        self.charges: list[tuple[int, Tax]] = []
        self.rows: list[tuple[int, Tax]] = []
        self.stated = self.named = False
        self.named_rows = 0
        self.total = ZERO
        self.by_rate: dict[Decimal, Decimal] = {}

    def add(self, amount: Decimal, rates: Iterable[Decimal | None]) -> None:
        self.total += amount
        for rate in rates:
            if rate is not None:
                self.by_rate[rate] = self.by_rate.get(rate, ZERO) + amount


def categories(
    lines: Iterable[Line], allowances: Iterable[AllowanceCharge], charges: Iterable[AllowanceCharge],
    rows: Iterable[tuple[int, Tax]], deep: Iterable[Tax], is_vat: Vat,
) -> dict[str, Category]:  # fmt: skip
    """Each category that is stated anywhere, by code."""
    found: dict[str, Category] = {}
    for at, line in enumerate(lines):
        _gather(found, "lines", at, line.taxes, line.net_amount, is_vat)
    for at, entry in enumerate(charges):
        _gather(found, "charges", at, entry.taxes, entry.amount, is_vat)
    for at, entry in enumerate(allowances):
        _gather(found, "allowances", at, entry.taxes, None if entry.amount is None else -entry.amount, is_vat)
    for tax in deep:
        if tax.category is not None:
            category = _of(found, tax.category)
            category.named, category.stated = True, category.stated or is_vat(tax)
    for at, row in rows:
        if row.category is not None:
            category = _of(found, row.category)
            category.named_rows += 1
            if is_vat(row):
                category.rows.append((at, row))
    return found


def _of(found: dict[str, Category], code: str) -> Category:
    category = found.get(code)
    if category is None:
        category = found[code] = Category()
    return category


def _gather(
    found: dict[str, Category], where: str, at: int, taxes: tuple[Tax, ...], amount: Decimal | None, is_vat: Vat
) -> None:
    if len(taxes) == 1:  # nearly always: no sets to build
        tax = taxes[0]
        if tax.category is not None:
            category = found.get(tax.category) or _of(found, tax.category)
            category.named = True
            if tax.scheme == "VAT" or is_vat(tax):
                getattr(category, where).append((at, tax))
                category.stated = True
            category.add(amount or ZERO, (tax.rate,))
        return
    rates = {tax.rate for tax in taxes}
    for code in dict.fromkeys(tax.category for tax in taxes if tax.category is not None):
        category = _of(found, code)
        category.named = True
        mine = [(at, tax) for tax in taxes if tax.category == code and is_vat(tax)]
        getattr(category, where).extend(mine)
        category.stated = category.stated or bool(mine)
        category.add(amount or ZERO, rates)
