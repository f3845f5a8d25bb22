"""einvoice show: an invoice for a person to read."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator

from ..model import Invoice, Line, Party, to_json
from ..money import plain
from . import _output as out
from .convert import only

_KINDS = {"380": "Invoice", "381": "Credit note", "383": "Debit note", "384": "Corrected invoice",
          "386": "Prepayment invoice", "389": "Self-billed invoice", "326": "Partial invoice"}  # fmt: skip


def run(args: Namespace) -> int:
    read = only(args)
    if args.json:
        print(to_json(read.invoice, indent=2))
        return out.DONE
    for line in lines(read.invoice):
        print(line)
    return out.DONE


def lines(invoice: Invoice) -> Iterator[str]:
    """The invoice as text, one statement a line."""
    kind = _KINDS.get(invoice.type_code or "", f"Document of type {invoice.type_code}")
    yield f"{kind} {invoice.number or 'without number'} of {invoice.issue_date or 'no date'}, {invoice.currency or '?'}"
    for label, party in (
        ("Seller", invoice.seller),
        ("Buyer", invoice.buyer),
        ("Remit to", invoice.remit_to or invoice.payee),
    ):
        if party:
            yield f"{label:<10}{_party(party)}"
    references = (("Order", invoice.purchase_order.id if invoice.purchase_order else None),
                  ("Contract", invoice.contract.id if invoice.contract else None),
                  ("Reference", invoice.buyer_reference), ("Due", invoice.due_date),
                  ("Corrects", ", ".join(one.id or "?" for one in invoice.preceding)))  # fmt: skip
    yield from (f"{label:<10}{value}" for label, value in references if value)
    yield ""
    for line in invoice.lines:
        yield from _line(line)
    yield ""
    yield from _totals(invoice)
    if invoice.payment and invoice.payment.terms:
        yield f"Terms     {' '.join(invoice.payment.terms.split())}"
    for note in invoice.notes:
        yield f"Note      {' '.join((note.text or '').split())}"


def _party(party: Party) -> str:
    address = party.address
    place = (
        [address.line_1, f"{address.postcode or ''} {address.city or ''}".strip(), address.country] if address else []
    )
    ids = [party.vat_id, *(one.value for one in party.network_ids)]
    return ", ".join(str(part) for part in (party.name, *place, *ids) if part)


def _line(line: Line) -> Iterator[str]:
    item = line.item
    name = (item.name or item.description or "") if item else ""
    quantity = f"{plain(line.quantity)} {line.unit or ''}".strip() if line.quantity is not None else ""
    price = plain(line.price.net) if line.price and line.price.net is not None else ""
    tax = ", ".join(_tax(one.scheme, one.category, one.rate) for one in line.taxes)
    amount = plain(line.net_amount) if line.net_amount is not None else ""
    yield f"{line.id or '':>4}  {name[:44]:<44} {quantity:>12} {price:>12} {amount:>14}  {tax}"


def _tax(scheme: str | None, category: str | None, rate: object) -> str:
    shown = "" if rate is None else f"{rate} %"
    return " ".join(part for part in (scheme, category, shown) if part)


def _totals(invoice: Invoice) -> Iterator[str]:
    totals = invoice.totals
    if totals is None:
        return
    for row in invoice.tax_breakdown:
        amount = "" if row.amount is None else plain(row.amount)
        base = "" if row.base is None else f" on {plain(row.base)}"
        yield f"{_tax(row.scheme, row.category, row.rate) + base:>75} {amount:>14}"
    for label, value in (("Net", totals.net), ("Tax", totals.tax), ("Gross", totals.gross),
                         ("Paid", totals.prepaid), ("Due", totals.due)):  # fmt: skip
        if value is not None:
            yield f"{label:>75} {plain(value):>14}"
