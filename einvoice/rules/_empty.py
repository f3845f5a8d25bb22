"""Groups that stand in the source with nothing in them, put back for the rules.

The model holds no empty group: it would be written as nothing. Yet a rule such as BR-09 asks of an address that is
there, so what the reader called empty (EINV-READ-07) is put back here, in a copy that only the rules see.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ..errors import Finding
from ..model import Invoice
from ..terms import GROUPS

_LINE = re.compile(r"Line\[(\d+)\]")
#: Groups by the last steps of their UBL path, where the reader's finding names no business group.
UBL = {
    "AccountingSupplierParty": "seller",
    "AccountingSupplierParty/Party": "seller",
    "Invoice/AdditionalDocumentReference": "attachments[]",
    "CreditNote/AdditionalDocumentReference": "attachments[]",
    "AccountingSupplierParty/Party/PostalAddress": "seller.address",
    "AccountingSupplierParty/Party/PostalAddress/Country": "seller.address",
    "AccountingCustomerParty/Party/PostalAddress": "buyer.address",
    "AccountingCustomerParty/Party/PostalAddress/Country": "buyer.address",
    "TaxRepresentativeParty/PostalAddress": "tax_representative.address",
    "TaxRepresentativeParty/PostalAddress/Country": "tax_representative.address",
    "Delivery/DeliveryLocation/Address": "delivery.address",
    "Delivery/DeliveryLocation/Address/Country": "delivery.address",
    "InvoiceLine/InvoicePeriod": "lines[].period",
    "CreditNoteLine/InvoicePeriod": "lines[].period",
    "Invoice/InvoicePeriod": "period",
    "CreditNote/InvoicePeriod": "period",
    "PaymentMeans/PayeeFinancialAccount": "payment.means[].account",
}


def restored(invoice: Invoice, read: Iterable[Finding]) -> Invoice:
    """*invoice* with an empty group for each one the reader found empty; itself when there is none."""
    empty = [(path, finding) for finding in read if finding.rule == "EINV-READ-07" and (path := _path(finding))]
    if not empty:
        return invoice
    raw = invoice.model_dump(exclude_defaults=True)
    for path, finding in sorted(empty, key=lambda pair: pair[0].count(".")):
        match = _LINE.search(finding.place)
        _put(raw, path.split("."), int(match.group(1)) - 1 if match else 0)
    return Invoice.model_validate(raw)


def _path(finding: Finding) -> str:
    if finding.term in GROUPS:
        return GROUPS[finding.term]
    here = f"/{steps(finding.place)}"
    return next((path for tail, path in UBL.items() if here.endswith(f"/{tail}")), "")


def _put(raw: dict[str, Any], path: list[str], line: int) -> None:
    """An empty group at the end of *path*; the invoice line is the one numbered, other lists get a new entry."""
    *outer, last = path
    at: dict[str, Any] = raw
    for step in outer:
        if step.endswith("[]"):
            entries = at[step[:-2]] = list(at.get(step[:-2], ()))
            if not entries:
                entries.append({})
            at = entries[min(line, len(entries) - 1)]
        else:
            at = at.setdefault(step, {})
    if last.endswith("[]"):
        at[last[:-2]] = [*at.get(last[:-2], ()), {}]
    else:
        at.setdefault(last, {})


def steps(place: str) -> str:
    """The element names of a place.

    >>> steps("/Invoice/cac:InvoiceLine[3]/cbc:ID line 41")
    'Invoice/InvoiceLine/ID'
    """
    path = place.partition(" line ")[0]
    return "/".join(step.partition(":")[2] or step for step in re.sub(r"\[\d+\]", "", path).strip("/").split("/"))
