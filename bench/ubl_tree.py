"""The benchmark's UBL invoice as an lxml tree, built element by element and serialised: the usual way to write XML."""

from __future__ import annotations

from typing import Any

from lxml import etree

from einvoice.model import Invoice

_NS = "urn:oasis:names:specification:ubl:schema:xsd:"
_MAP = {None: f"{_NS}Invoice-2", "cac": f"{_NS}CommonAggregateComponents-2", "cbc": f"{_NS}CommonBasicComponents-2"}
_CAC, _CBC = (f"{{{_MAP[prefix]}}}" for prefix in ("cac", "cbc"))


def _group(parent: Any, *names: str) -> Any:
    for name in names:
        parent = etree.SubElement(parent, _CAC + name)
    return parent


def _leaf(parent: Any, name: str, value: object, **attributes: str) -> None:
    etree.SubElement(parent, _CBC + name, attributes).text = str(value)


def render(inv: Invoice) -> bytes:
    """The bytes of the benchmark's invoice."""
    i: Any = inv
    root = etree.Element(f"{{{_MAP[None]}}}Invoice", nsmap=_MAP)  # type: ignore[arg-type]
    currency = {"currencyID": i.currency}
    for name, value in (
        ("CustomizationID", i.specification), ("ProfileID", i.process), ("ID", i.number), ("IssueDate", i.issue_date),
        ("DueDate", i.due_date), ("InvoiceTypeCode", i.type_code), ("Note", i.notes[0].text),
        ("DocumentCurrencyCode", i.currency), ("BuyerReference", i.buyer_reference),
    ):  # fmt: skip
        _leaf(root, name, value)
    _leaf(_group(root, "OrderReference"), "ID", i.purchase_order.id)
    _party(_group(root, "AccountingSupplierParty", "Party"), i.seller)
    _party(_group(root, "AccountingCustomerParty", "Party"), i.buyer)
    means, account = _group(root, "PaymentMeans"), i.payment.means[0].account
    _leaf(means, "PaymentMeansCode", i.payment.means[0].code)
    _leaf(means, "PaymentID", i.payment.remittance)
    payee = _group(means, "PayeeFinancialAccount")
    _leaf(payee, "ID", account.id)
    _leaf(payee, "Name", account.name)
    _leaf(_group(root, "PaymentTerms"), "Note", i.payment.terms)
    total = _group(root, "TaxTotal")
    _leaf(total, "TaxAmount", i.totals.tax, **currency)
    for tax in i.tax_breakdown:
        subtotal = _group(total, "TaxSubtotal")
        _leaf(subtotal, "TaxableAmount", tax.base, **currency)
        _leaf(subtotal, "TaxAmount", tax.amount, **currency)
        _tax(_group(subtotal, "TaxCategory"), tax)
    money = _group(root, "LegalMonetaryTotal")
    for name, value in (
        ("LineExtensionAmount", i.totals.lines), ("TaxExclusiveAmount", i.totals.net),
        ("TaxInclusiveAmount", i.totals.gross), ("PayableAmount", i.totals.due),
    ):  # fmt: skip
        _leaf(money, name, value, **currency)
    for line in i.lines:
        _line(_group(root, "InvoiceLine"), line, currency)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def _party(at: Any, party: Any) -> None:
    _leaf(at, "EndpointID", party.endpoint.value, schemeID=party.endpoint.scheme)
    if party.trading_name:
        _leaf(_group(at, "PartyName"), "Name", party.trading_name)
    address = _group(at, "PostalAddress")
    _leaf(address, "StreetName", party.address.line_1)
    _leaf(address, "CityName", party.address.city)
    _leaf(address, "PostalZone", party.address.postcode)
    _leaf(_group(address, "Country"), "IdentificationCode", party.address.country)
    scheme = _group(at, "PartyTaxScheme")
    _leaf(scheme, "CompanyID", party.vat_id)
    _leaf(_group(scheme, "TaxScheme"), "ID", "VAT")
    _leaf(_group(at, "PartyLegalEntity"), "RegistrationName", party.name)
    if party.contact:
        contact = _group(at, "Contact")
        _leaf(contact, "Name", party.contact.name)
        _leaf(contact, "Telephone", party.contact.phone)
        _leaf(contact, "ElectronicMail", party.contact.email)


def _tax(at: Any, tax: Any) -> None:
    _leaf(at, "ID", tax.category)
    _leaf(at, "Percent", tax.rate)
    _leaf(_group(at, "TaxScheme"), "ID", tax.scheme)


def _line(at: Any, line: Any, currency: dict[str, str]) -> None:
    _leaf(at, "ID", line.id)
    _leaf(at, "InvoicedQuantity", line.quantity, unitCode=line.unit)
    _leaf(at, "LineExtensionAmount", line.net_amount, **currency)
    _leaf(_group(at, "OrderLineReference"), "LineID", line.order.line)
    item = _group(at, "Item")
    _leaf(item, "Description", line.item.description)
    _leaf(item, "Name", line.item.name)
    _leaf(_group(item, "SellersItemIdentification"), "ID", line.item.seller_id)
    _tax(_group(item, "ClassifiedTaxCategory"), line.taxes[0])
    _leaf(_group(at, "Price"), "PriceAmount", line.price.net, **currency)
