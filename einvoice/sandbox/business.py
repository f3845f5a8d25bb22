"""A buyer's transaction rules, one function each. All faults of an invoice come out at once.

Names in capitals and INV-nn are the network's own (facts of its support notes); ``RULE-...`` are the sandbox's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from lxml import etree

from .arithmetic import sums
from .cxml import moment
from .invoice import FLAGS, Bill, Line, money, number
from .options import BuyerRules, Order

_SHIPPING_ROLES = {"shipFrom", "shipTo", "carrier", "carrierCorporate", "freightTerms"}
_CREDITS = {"creditMemo", "lineLevelCreditMemo"}
_LINE_LEVEL = {"lineLevelCreditMemo", "lineLevelDebitMemo"}


@dataclass(frozen=True, slots=True)
class Case:
    """An invoice before its judge: the rules, the time, and what the network already knows.

    known  whether a document with this payloadID or this number was taken from the same supplier
    """

    bill: Bill
    rules: BuyerRules
    at: datetime
    known: Callable[[str, str], bool]
    attachments: dict[str, bytes]


def faults(case: Case) -> list[str]:
    """Every broken rule of the buyer, ``NAME: what, where`` each."""
    return [fault for applies, rule in _RULES if applies(case.rules) for fault in rule(case)]


def _numbers(case: Case) -> Iterator[str]:
    if not case.bill.number:
        yield "INVOICE_NO_ID: invoiceID is empty"
    for line, count in Counter(line.number for line in case.bill.lines).items():
        if count > 1:
            yield f"RULE-LINE-NUMBER: invoiceLineNumber {line} stands {count} times"


def _order_reference(case: Case) -> Iterator[str]:
    wanted = case.rules.purchase_order
    listed = {order.id for order in case.rules.orders}
    for line in case.bill.lines:
        if not line.order and not (line.agreement and wanted == "required"):
            yield f"RULE-PO-REQUIRED: line {line.number} names no purchase order"
        elif wanted == "known" and line.order not in listed:
            yield f"INV-15: line {line.number}: order {line.order} is not an order of this network"


def _order_lines(case: Case) -> Iterator[str]:
    orders = {order.id: order for order in case.rules.orders}
    for line in case.bill.lines:
        if line.order in orders:
            yield from _compare(line, orders[line.order], case.rules)


def _compare(line: Line, order: Order, rules: BuyerRules) -> Iterator[str]:
    ordered = next((each for each in order.lines if str(each.number) == line.order_line), None)
    if ordered is None:
        yield f"RULE-LINE-MATCH: line {line.number}: order {order.id} has no line {line.order_line or '(none given)'}"
        return
    if ordered.unit and line.unit != ordered.unit:
        yield f"RULE-UNIT: line {line.number}: unit {line.unit}, order {order.id} says {ordered.unit}"
    for name, found, wanted, tolerance in (
        ("QUANTITY", line.quantity, ordered.quantity, rules.quantity_tolerance_percent),
        ("PRICE", line.price, ordered.price, rules.price_tolerance_percent),
    ):
        if found is not None and wanted is not None and abs(found) > wanted * (1 + tolerance / 100):
            yield f"RULE-{name}: line {line.number}: {found} is over {wanted} of order {order.id} (+{tolerance} %)"


def _currency(case: Case) -> Iterator[str]:
    found = {each.get("currency", "") for each in case.bill.element.iter("Money")}
    if len(found) > 1:
        yield f"RULE-CURRENCY: several currencies: {', '.join(sorted(found))}"
    if case.rules.currencies and not found <= set(case.rules.currencies):
        yield f"RULE-CURRENCY: {', '.join(sorted(found))}; accepted: {', '.join(case.rules.currencies)}"


def _currency_of_order(case: Case) -> Iterator[str]:
    orders = {order.id: order.currency for order in case.rules.orders if order.currency}
    for order in sorted({line.order for line in case.bill.lines} & orders.keys()):
        if orders[order] != case.bill.currency:
            yield f"RULE-CURRENCY-OF-ORDER: invoice in {case.bill.currency}, order {order} in {orders[order]}"


def _remit_to(case: Case) -> Iterator[str]:
    if "remitTo" not in {role for role, _ in case.bill.partners()}:
        yield "RULE-REMIT-TO: no InvoicePartner has the role remitTo"


def _supplier_tax_id(case: Case) -> Iterator[str]:
    if not _tax_ids(case.bill) & {"supplierTaxID", "vatID", "taxID"}:
        yield "INV-98: no IdReference gives the supplier's tax id"


def _tax_ids(bill: Bill) -> set[str]:
    return {reference.get("domain", "") for reference in bill.header.iter("IdReference") if reference.get("identifier")}


def _tax_per_line(case: Case) -> Iterator[str]:
    for line in case.bill.lines:
        if not line.has("Tax"):
            yield f"RULE-TAX-PER-LINE: line {line.number} has no Tax"


def _vat_details(case: Case) -> Iterator[str]:
    named = {name.get("name", "") for name in case.bill.header.iterfind("Extrinsic") if (name.text or "").strip()}
    named |= _tax_ids(case.bill)
    if not named & {"supplierVatID", "vatID"}:
        yield "RULE-VAT-SUPPLIER: no supplierVatID"
    if "buyerVatID" not in named:
        yield "RULE-VAT-BUYER: no buyerVatID"
    details = case.bill.summary.findall("Tax/TaxDetail") or case.bill.element.findall(".//Tax/TaxDetail")
    if not details:
        yield "RULE-VAT-RATE: no TaxDetail gives the tax of each rate"
    for detail in details:
        yield from _vat_detail(detail)


def _vat_detail(detail: etree._Element) -> Iterator[str]:
    rate = number(detail.get("percentageRate"))
    if rate is None:
        yield "RULE-VAT-RATE: a TaxDetail has no percentageRate"
    if money(detail.find("TaxableAmount")) is None:
        yield "RULE-VAT-RATE: a TaxDetail has no TaxableAmount"
    if not detail.get("taxPointDate"):
        yield "RULE-VAT-POINT: a TaxDetail has no taxPointDate"
    reason = "".join(str(text) for part in ("Description", "TaxExemption") for text in _texts(detail.find(part)))
    if rate == 0 and not reason.strip():
        yield "RULE-VAT-LAW: tax at 0 % without the text of the law (TaxDetail/Description)"


def _texts(element: etree._Element | None) -> Iterable[object]:
    return () if element is None else element.itertext()


def _flags(case: Case) -> Iterator[str]:
    bill = case.bill
    for flag, tag, total in FLAGS:
        name = flag.removeprefix("is").removesuffix("InLine").replace("SpecialH", "Special_H").upper()
        lines = [line.number for line in bill.lines if line.has(tag)]
        if lines and not bill.flag(flag) and not bill.flag("isHeaderInvoice"):
            yield f"{name}_IN_LINE_ERROR: {tag} stands in line {', '.join(lines)}, {flag} is not set"
        if total and bill.flag(flag) and not lines:
            yield f"{name}_IN_LINE_ERROR: {flag} is set, no line has {tag}"


def _layout(case: Case) -> Iterator[str]:
    header = case.bill.flag("isHeaderInvoice")
    detailed = case.bill.element.find("InvoiceDetailOrder") is not None
    if header and detailed:
        yield "SUMMARY_AND_DETAIL: isHeaderInvoice is set, and lines stand in InvoiceDetailOrder"
    if not header and not detailed:
        yield "DETAIL_AND_SUMMARY: InvoiceDetailHeaderOrder without isHeaderInvoice"
    if (layout := "header" if header else "detail") not in case.rules.layouts:
        yield f"RULE-LAYOUT: {layout} invoices are not accepted"


def _partner_roles(case: Case) -> Iterator[str]:
    for role, _ in case.bill.partners():
        if role in _SHIPPING_ROLES:
            yield f"INV_ROLE_IN_SHIPPING: the role {role} belongs in InvoiceDetailShipping"
    for contact in case.bill.element.iterfind(".//InvoiceDetailShipping/Contact"):
        if contact.get("role") not in _SHIPPING_ROLES:
            yield f"INV_ROLE_IN_SHIPPING: the role {contact.get('role')} in InvoiceDetailShipping"


def _credit(case: Case) -> Iterator[str]:
    bill, (payload_id, original) = case.bill, case.bill.refers_to
    wanted = "required" if bill.purpose in _LINE_LEVEL else "optional"
    wanted = case.rules.credit_reference if case.rules.credit_reference != "optional" else wanted
    if bill.purpose != "standard" and wanted != "optional":
        if not payload_id and not original:
            yield f"RULE-CREDIT-REFERENCE: {bill.purpose} names no invoice (DocumentReference or InvoiceIDInfo)"
        elif wanted == "known" and not case.known(payload_id, original):
            yield f"RULE-CREDIT-REFERENCE: invoice {original or payload_id} is not known here"
    if bill.purpose in _CREDITS:
        yield from _credit_content(case)


def _credit_content(case: Case) -> Iterator[str]:
    if case.rules.credit_comments and not "".join(map(str, _texts(case.bill.header.find("Comments")))).strip():
        yield "RULE-CREDIT-COMMENTS: a credit memo needs Comments that say why"
    if case.rules.credit_sign == "negative" and (case.bill.amount("NetAmount") or 0) > 0:
        yield f"RULE-CREDIT-SIGN: NetAmount {case.bill.amount('NetAmount')} of a credit memo is not negative"


def _zero(case: Case) -> Iterator[str]:
    if not case.bill.amount("NetAmount"):
        yield "RULE-ZERO: the NetAmount is zero"


def _dates(case: Case) -> Iterator[str]:
    when, rules = moment(case.bill.date), case.rules
    if when is None:
        yield f"RULE-DATE: invoiceDate {case.bill.date!r} is not a date"
    elif rules.future_days is not None and when > case.at + timedelta(days=rules.future_days):
        yield f"RULE-DATE: invoiceDate {case.bill.date} is more than {rules.future_days} days ahead"
    elif rules.past_days is not None and when < case.at - timedelta(days=rules.past_days + 1):
        yield f"RULE-DATE: invoiceDate {case.bill.date} is more than {rules.past_days} days ago"


def _size(case: Case) -> Iterator[str]:
    rules, size = case.rules, sum(map(len, case.attachments.values()))
    if rules.max_lines is not None and len(case.bill.lines) > rules.max_lines:
        yield f"RULE-LINES: {len(case.bill.lines)} lines, {rules.max_lines} are accepted"
    if case.attachments and not rules.attachments:
        yield "RULE-ATTACHMENTS: attachments are not accepted"
    elif size > rules.max_attachment_bytes:
        yield f"RULE-ATTACHMENTS: {size} bytes of attachments, {rules.max_attachment_bytes} are accepted"
    for url in case.bill.element.iterfind(".//Attachment/URL"):
        name = (url.text or "").strip()
        if name.startswith("cid:") and name.removeprefix("cid:") not in case.attachments:
            yield f"RULE-ATTACHMENTS: {name} is not among the parts of the message"


def _arithmetic(case: Case) -> Iterator[str]:
    return sums(case.bill, case.rules.tolerance)


_RULES: tuple[tuple[Callable[[BuyerRules], bool], Callable[[Case], Iterator[str]]], ...] = (
    (lambda rules: True, _numbers),
    (lambda rules: rules.purchase_order != "optional", _order_reference),
    (lambda rules: rules.order_lines, _order_lines),
    (lambda rules: True, _currency),
    (lambda rules: rules.currency_of_order, _currency_of_order),
    (lambda rules: rules.remit_to, _remit_to),
    (lambda rules: rules.supplier_tax_id, _supplier_tax_id),
    (lambda rules: rules.tax_per_line, _tax_per_line),
    (lambda rules: rules.vat_details, _vat_details),
    (lambda rules: rules.flags, _flags),
    (lambda rules: True, _layout),
    (lambda rules: rules.partner_roles, _partner_roles),
    (lambda rules: True, _credit),
    (lambda rules: not rules.zero_amounts, _zero),
    (lambda rules: True, _dates),
    (lambda rules: True, _size),
    (lambda rules: rules.arithmetic, _arithmetic),
)
