"""cXML PaymentRemittanceRequest (PaymentRemittance.dtd): what was paid of each invoice."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from lxml import etree

from ..errors import Finding
from ..exchange import Answer, Environment, Payment
from ._remittance import amount, checked, day, paid
from ._xml import place

REQUEST = "Request/PaymentRemittanceRequest"


def remitted(root: etree._Element, environment: Environment | None) -> list[Answer]:
    """One Answer for each RemittanceDetail. NetAmount is what was paid, after discount and adjustments.

    A remittance that is void takes its amounts back. The same remittance under another payloadID is the same: its
    number and the number of the line name the payment. UnreadableDocument with every amount that cannot be read.
    """
    request = root.find(REQUEST)
    header = request.find("PaymentRemittanceRequestHeader") if request is not None else None
    faults: list[Finding] = []
    if request is None or header is None:
        where = place(root if request is None else request)
        faults.append(Finding("EINV-PAY-02", "the remittance has no header", place=where))
        return checked((), faults, "PaymentRemittanceRequest")
    name = header.get("paymentRemittanceID") or root.get("payloadID") or ""
    lines = list(_lines(request, header, name, environment, faults))
    return checked(lines, faults, f"remittance {name or '?'}")


def _lines(
    request: etree._Element, header: etree._Element, name: str, environment: Environment | None, faults: list[Finding]
) -> Iterator[Answer]:  # fmt: skip
    void = header.get("status") == "void"
    for position, detail in enumerate(request.iterfind("RemittanceDetail"), 1):
        info = next((found for way in ("InvoiceIDInfo", "InvoiceReference")
                     if (found := detail.find(f"PayableInfo/PayableInvoiceInfo/{way}")) is not None), None)  # fmt: skip
        document = detail.find("PayableInfo/PayableInvoiceInfo/InvoiceReference/DocumentReference")
        number = (info.get("invoiceID") or "") if info is not None else ""
        payload_id = (document.get("payloadID") or "") if document is not None else ""
        if not number and not payload_id:
            continue  # paid for an order or an agreement: no document of ours is named
        net = detail.find("NetAmount/Money")
        sign = -1 if void else 1
        value = amount(net.text if net is not None else "", place(detail), "NetAmount", faults)
        reference = header.get("paymentReferenceNumber") or name
        payment = Payment(
            sign * value, (net.get("currency") or "") if net is not None else "", day(header.get("paymentDate")),
            f"{reference} (void)" if void else reference, tuple(_less(detail, sign, faults)),
        )  # fmt: skip
        line = detail.get("lineNumber") or str(position)
        yield paid(
            "cxml-remittance", payment, number=number, payload_id=payload_id, environment=environment,
            remote_id=f"{name}/{line}{'/void' if void else ''}",
            issue_date=day(info.get("invoiceDate")) if info is not None else None,
        )  # fmt: skip


def _less(detail: etree._Element, sign: int, faults: list[Finding]) -> Iterator[tuple[str, Decimal]]:
    for tag, word in (("DiscountAmount", "discount"), ("AdjustmentAmount", "adjustment")):
        for found in detail.iterfind(tag):
            text = found.findtext("Money") or ""
            why = found.get("type") or " ".join((found.findtext("Description") or "").split())[:80] or word
            value = sign * amount(text, place(found), tag, faults)
            if value:
                yield why, value
