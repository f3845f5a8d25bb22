"""What of an invoice has no equivalent in an 810, said before it goes out; and the sign of what credits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import cache
from typing import Any

from pydantic import BaseModel

from .. import terms
from ..errors import Finding, Severity
from ..model import AllowanceCharge, Invoice, Line, Tax
from ._x12_table import Way, implied

#: Leaves of this kind turn their sign with the document; quantities do, prices and percentages do not.
_SIGNED = ("lines[].quantity",)
_UNSIGNED = ("payment.means[].limit", "seller.share_capital")


def unfit(invoice: Invoice, way: Way) -> list[Finding]:
    """A finding for every amount that does not fit its implied decimals and every code without equivalent."""
    return [*_amounts(invoice, way), *_codes(invoice, way), *_alone(invoice)]


def _alone(invoice: Invoice) -> Iterator[Finding]:
    """IT102, IT103 and IT104 stand together or not at all (syntax note P020304)."""
    for index, line in enumerate(invoice.lines):
        quantity, unit = line.quantity, line.unit
        price = line.price.net if line.price else None
        if quantity is not None and unit is not None and price is not None:
            continue
        if quantity is not None or unit is not None or price is not None:
            yield Finding("EINV-X12-10", "quantity, unit and price of a line are not all stated", Severity.WARNING,
                          path=f"$.lines[{index}]", clause="X12 IT1, P020304",
                          fix="state all three, or none for a line of money alone")  # fmt: skip


def _amounts(invoice: Invoice, way: Way) -> Iterator[Finding]:
    lens = implied(way.digits)
    for path, value in _implied(invoice, way):
        if value is not None and lens.to(value) is None:
            yield Finding("EINV-X12-08", f"{value:f} does not fit {way.digits} implied decimals", path=f"$.{path}",
                          found=f"{value:f}", fix="round it in the source, or set decimals",
                          clause="X12.6, type N")  # fmt: skip


def _implied(invoice: Invoice, way: Way) -> Iterator[tuple[str, Decimal | None]]:
    totals = invoice.totals
    if totals:
        yield ("totals.gross", totals.gross) if totals.gross is not None else ("totals.due", totals.due)
        if way.tax_by_sac:
            yield "totals.tax", totals.tax
    yield from _charged(invoice, "")
    for index, line in enumerate(invoice.lines):
        if line.allowances or line.charges:
            yield from _charged(line, f"lines[{index}].")
        if way.tax_by_sac:
            yield f"lines[{index}].tax_amount", line.tax_amount
    for index, one in enumerate(invoice.payment.discounts if invoice.payment else ()):
        yield f"payment.discounts[{index}].amount", one.amount
        yield f"payment.discounts[{index}].base", one.base


def _charged(part: Invoice | Line, at: str) -> Iterator[tuple[str, Decimal | None]]:
    for name in ("allowances", "charges"):
        rows: Sequence[AllowanceCharge] = getattr(part, name)
        for index, row in enumerate(rows):
            yield f"{at}{name}[{index}].amount", row.amount


def _codes(invoice: Invoice, way: Way) -> Iterator[Finding]:
    """Each code without equivalent once. A unit or a tax cannot be left out; a reason or a means of payment can."""
    walks = {name: way.walk(name) for name in ("units", "taxes", "charges", "allowances", "payment")}
    told: set[tuple[str, str]] = set()
    for name, code, path, severity in _stated(invoice, told):
        if code is None or (name, code) in told:
            continue
        told.add((name, code))
        if walks[name].to(code) is None:
            yield Finding(
                "EINV-X12-09", f"{code} has no equivalent among the X12 {name}", severity, path=f"$.{path}",
                found=code[:80], fix=f"agree on a code with the partner and set it under {name}",
            )  # fmt: skip


Code = tuple[str, str | None, str, Severity]


def _stated(invoice: Invoice, told: set[tuple[str, str]]) -> Iterator[Code]:
    """Every code that goes through a crosswalk: which, the code, where, and how bad it is to find nothing there.

    Those of lines that were *told* before are left out: most lines repeat them.
    """
    for index, line in enumerate(invoice.lines):
        if line.unit is not None and ("units", line.unit) not in told:
            yield "units", line.unit, f"lines[{index}].unit", Severity.FATAL
        if line.price and line.price.base_unit:
            yield "units", line.price.base_unit, f"lines[{index}].price.base_unit", Severity.WARNING
        for at, tax in enumerate(line.taxes):
            if tax.scheme is not None and ("taxes", tax.scheme) not in told:
                yield "taxes", tax.scheme, f"lines[{index}].taxes[{at}].scheme", Severity.FATAL
        if line.allowances or line.charges:
            yield from _reasons(line, f"lines[{index}].")
    yield from _taxed(invoice.tax_breakdown, "tax_breakdown")
    yield from _reasons(invoice, "")
    payment = invoice.payment
    for index, means in enumerate(payment.means if payment else ()):
        yield "payment", means.code, f"payment.means[{index}].code", Severity.WARNING
    for index, discount in enumerate(payment.discounts if payment else ()):
        for code in discount.means_codes:
            yield "payment", code, f"payment.discounts[{index}].means_codes", Severity.WARNING


def _taxed(taxes: Sequence[Tax], at: str) -> Iterator[Code]:
    for index, tax in enumerate(taxes):
        yield "taxes", tax.scheme, f"{at}[{index}].scheme", Severity.FATAL


def _reasons(part: Invoice | Line, at: str) -> Iterator[Code]:
    for name, rows in (("allowances", part.allowances), ("charges", part.charges)):
        for index, row in enumerate(rows):
            yield name, row.reason_code, f"{at}{name}[{index}].reason_code", Severity.WARNING
            yield from _taxed(row.taxes, f"{at}{name}[{index}].taxes")


# --- the sign ---------------------------------------------------------------------------------------------------------


def flipped(invoice: Invoice) -> Invoice:
    """*invoice* with the sign of every amount and invoiced quantity turned; prices and percentages stay."""
    return Invoice.model_validate(_flipped(invoice, ""))


def _flipped(value: object, path: str) -> Any:
    if isinstance(value, BaseModel):
        stated = ((name, getattr(value, name)) for name in type(value).model_fields)
        return {
            name: _flipped(child, f"{path}.{name}" if path else name)
            for name, child in stated
            if child is not None and child != ()
        }
    if isinstance(value, tuple):
        return [_flipped(child, f"{path}[]") for child in value]
    if isinstance(value, Decimal) and value and path.replace("sub_lines[].", "") in _turned():
        return -value
    return value


@cache
def _turned() -> frozenset[str]:
    amounts = (one.path for one in terms.TERMS.values() if one.kind == "amount" and one.path not in _UNSIGNED)
    return frozenset([*amounts, *_SIGNED])
