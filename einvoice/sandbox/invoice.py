"""An InvoiceDetailRequest as the buyer's side reads it: numbers, lines and references, nothing judged."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from lxml import etree

_NUMBER = re.compile(r"[+-]?(\d{1,30}(\.\d{0,20})?|\.\d{1,20})", re.ASCII)
_LINES = ("InvoiceDetailItem", "InvoiceDetailServiceItem", "InvoiceDetailOrderSummary")

#: Header flag, the element that must then stand in a line, and the amount of the summary that totals it.
FLAGS = (
    ("isTaxInLine", "Tax", "Tax"),
    ("isShippingInLine", "InvoiceDetailLineShipping", "ShippingAmount"),
    ("isSpecialHandlingInLine", "InvoiceDetailLineSpecialHandling", "SpecialHandlingAmount"),
    ("isDiscountInLine", "InvoiceDetailDiscount", "InvoiceDetailDiscount"),
    ("isAccountingInLine", "Distribution", ""),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line. ``order`` is the order number it bills, ``agreement`` whether it bills a contract."""

    element: etree._Element
    number: str
    order: str
    agreement: bool
    order_line: str
    quantity: Decimal | None
    unit: str
    price: Decimal | None
    per: Decimal
    subtotal: Decimal | None

    def has(self, tag: str) -> bool:
        return self.element.find(tag) is not None

    def get(self, name: str) -> str:
        return self.element.get(name, "")


@dataclass(frozen=True, slots=True)
class Bill:
    """One invoice, credit memo, debit memo or cancellation."""

    element: etree._Element
    header: etree._Element
    summary: etree._Element
    number: str
    date: str
    purpose: str
    operation: str
    lines: tuple[Line, ...]

    @property
    def key(self) -> str:
        """The number without case and spaces: what makes two numbers the same to a buyer."""
        return number_key(self.number)

    @property
    def currency(self) -> str:
        money = self.summary.find("NetAmount/Money")
        return "" if money is None else money.get("currency", "")

    @property
    def refers_to(self) -> tuple[str, str]:
        """payloadID and invoice number of the document this one corrects or cancels; empty when not given."""
        document, known = self.header.find("DocumentReference"), self.header.find("InvoiceIDInfo")
        return (
            "" if document is None else document.get("payloadID", ""),
            "" if known is None else known.get("invoiceID", ""),
        )

    def amount(self, tag: str) -> Decimal | None:
        """An amount of the summary; None when absent or empty."""
        return money(self.summary.find(tag))

    def flag(self, name: str) -> bool:
        return any(
            indicator.get(name) == "yes" for indicator in self.header.iterfind("*") if "Indicator" in indicator.tag
        )

    def partners(self) -> Iterator[tuple[str, etree._Element]]:
        """Role and InvoicePartner of each partner."""
        for partner in self.header.iterfind("InvoicePartner"):
            contact = partner.find("Contact")
            yield ("" if contact is None else contact.get("role", "")), partner


def number_key(number: str) -> str:
    """*number* without case and spaces.

    >>> number_key(" Inv 7 "), number_key("INV7")
    ('inv7', 'inv7')
    """
    return "".join(number.split()).casefold()


def number(text: str | None) -> Decimal | None:
    """The plain decimal in *text*; None when it is absent, empty or not one."""
    text = (text or "").strip()
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def money(parent: etree._Element | None) -> Decimal | None:
    """The Money directly in *parent*; None when absent or empty."""
    return None if parent is None else number(parent.findtext("Money"))


def read(element: etree._Element) -> Bill:
    """The Bill in a valid InvoiceDetailRequest."""
    header, summary = element.find("InvoiceDetailRequestHeader"), element.find("InvoiceDetailSummary")
    if header is None or summary is None:
        raise AssertionError("only valid documents are read")
    return Bill(
        element,
        header,
        summary,
        number=header.get("invoiceID", "").strip(),
        date=header.get("invoiceDate", ""),
        purpose=header.get("purpose", "standard"),
        operation=header.get("operation", "new"),
        lines=tuple(_lines(element)),
    )


def _lines(element: etree._Element) -> Iterator[Line]:
    for group in element.iterfind("*"):
        info = group.find("InvoiceDetailOrderInfo")
        for item in group.iterfind("*"):
            if info is not None and item.tag in _LINES:
                yield _line(item, info)


def _line(item: etree._Element, info: etree._Element) -> Line:
    reference = item.find("InvoiceDetailItemReference")
    reference = item.find("InvoiceDetailServiceItemReference") if reference is None else reference
    return Line(
        item,
        number=item.get("invoiceLineNumber", ""),
        order=_order(info),
        agreement=info.find("MasterAgreementReference") is not None or info.find("MasterAgreementIDInfo") is not None,
        order_line="" if reference is None else reference.get("lineNumber", ""),
        quantity=number(item.get("quantity")),
        unit=(item.findtext("UnitOfMeasure") or item.findtext("UnitRate/UnitOfMeasure") or "").strip(),
        price=_first(money(item.find("UnitPrice")), money(item.find("UnitRate"))),
        per=_per(item),
        subtotal=money(item.find("SubtotalAmount")),
    )


def _order(info: etree._Element) -> str:
    """The order number: by id where given, else the payloadID of the order."""
    for path, name in (
        ("OrderReference", "orderID"),
        ("OrderIDInfo", "orderID"),
        ("OrderReference/DocumentReference", "payloadID"),
    ):
        found = info.find(path)
        if found is not None and found.get(name, "").strip():
            return found.get(name, "").strip()
    return ""


def _per(item: etree._Element) -> Decimal:
    """Units of quantity per price: basis quantity over conversion factor."""
    basis = item.find("PriceBasisQuantity")
    if basis is None:
        return Decimal(1)
    quantity, factor = number(basis.get("quantity")), number(basis.get("conversionFactor"))
    return (quantity or Decimal(1)) / (factor or Decimal(1))


def _first(*values: Decimal | None) -> Decimal | None:
    return next((value for value in values if value is not None), None)
