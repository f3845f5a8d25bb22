"""An invoice as the rules of a GST country see it: where EN 16931 asks of VAT, GST stands."""

from __future__ import annotations

from typing import TypeVar
from weakref import WeakKeyDictionary

from ..model import AllowanceCharge, Invoice, Line, Tax
from ._facts import Facts
from ._rule import Check

Entry = TypeVar("Entry", AllowanceCharge, Line)
_VIEWS: WeakKeyDictionary[Facts, GstFacts] = WeakKeyDictionary()


class GstFacts(Facts):
    """Facts where GST is the tax that counts."""

    def __init__(self, plain: Facts) -> None:
        invoice = _without_vat(plain.invoice)
        super().__init__(invoice, plain.on, plain.syntax, plain.read)
        if invoice is plain.invoice:
            self.values = plain.values

    def is_vat(self, tax: Tax) -> bool:
        """True for GST. A scheme left out means GST in the model; UBL has to state it."""
        return self.syntax != "ubl" if tax.scheme is None else tax.scheme.strip().upper() == "GST"

    def vat_ids(self, role: str) -> list[tuple[str, str]]:
        """(path, identifier) of each GST registration a party states."""
        return [(path, value) for path, value, scheme in self.registrations(role) if scheme == "GST"]


def view(facts: Facts) -> GstFacts:
    """*facts* as a GST country sees them; made once for each."""
    found = _VIEWS.get(facts)
    if found is None:
        found = _VIEWS[facts] = GstFacts(facts)
    return found


def of_gst(check: Check, category: str = "") -> Check:
    """*check* asked of the GST view; of an invoice without *category* it asks nothing."""
    if category:
        return lambda facts: check(view(facts)) if category in view(facts).vat else ()
    return lambda facts: check(view(facts))


def _without_vat(invoice: Invoice) -> Invoice:
    """*invoice* where no tax is called VAT, so that nothing takes it for the tax that counts; mostly itself."""
    entries: tuple[AllowanceCharge | Line, ...] = (*invoice.allowances, *invoice.charges, *invoice.lines)
    taxes = [*invoice.tax_breakdown, *(tax for one in entries for tax in one.taxes)]
    if not any(tax.scheme == "VAT" for tax in taxes):
        return invoice
    return invoice.model_copy(update={
        "tax_breakdown": tuple(map(_renamed, invoice.tax_breakdown)),
        **{name: tuple(map(_entry, getattr(invoice, name))) for name in ("allowances", "charges", "lines")},
    })  # fmt: skip


def _entry(entry: Entry) -> Entry:
    return entry.model_copy(update={"taxes": tuple(map(_renamed, entry.taxes))})


def _renamed(tax: Tax) -> Tax:
    return tax.model_copy(update={"scheme": "OTHER"}) if tax.scheme == "VAT" else tax
