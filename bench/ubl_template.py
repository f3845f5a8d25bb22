"""The lower bound: the benchmark's UBL invoice as a bare string template with escaping, and nothing else.

It knows only this one invoice: no optional terms, no other document kind, no check. Same bytes as the engine.
"""

from __future__ import annotations

from typing import Any

from einvoice.model import Invoice

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"'
    ' xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"'
    ' xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">'
)


def e(text: str) -> str:
    """*text* escaped; most texts need none."""
    if "&" in text or "<" in text or ">" in text:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text


def render(inv: Invoice) -> bytes:
    """The bytes of the benchmark's invoice."""
    i: Any = inv
    c, t, p, m = i.currency, i.totals, i.payment, i.payment.means[0]
    return (
        f"{_HEAD}<cbc:CustomizationID>{e(i.specification)}</cbc:CustomizationID>"
        f"<cbc:ProfileID>{e(i.process)}</cbc:ProfileID><cbc:ID>{e(i.number)}</cbc:ID>"
        f"<cbc:IssueDate>{i.issue_date.isoformat()}</cbc:IssueDate><cbc:DueDate>{i.due_date.isoformat()}</cbc:DueDate>"
        f"<cbc:InvoiceTypeCode>{e(i.type_code)}</cbc:InvoiceTypeCode><cbc:Note>{e(i.notes[0].text)}</cbc:Note>"
        f"<cbc:DocumentCurrencyCode>{e(c)}</cbc:DocumentCurrencyCode>"
        f"<cbc:BuyerReference>{e(i.buyer_reference)}</cbc:BuyerReference>"
        f"<cac:OrderReference><cbc:ID>{e(i.purchase_order.id)}</cbc:ID></cac:OrderReference>"
        f"<cac:AccountingSupplierParty>{_party(i.seller)}</cac:AccountingSupplierParty>"
        f"<cac:AccountingCustomerParty>{_party(i.buyer)}</cac:AccountingCustomerParty>"
        f"<cac:PaymentMeans><cbc:PaymentMeansCode>{e(m.code)}</cbc:PaymentMeansCode>"
        f"<cbc:PaymentID>{e(p.remittance)}</cbc:PaymentID><cac:PayeeFinancialAccount><cbc:ID>{e(m.account.id)}</cbc:ID>"
        f"<cbc:Name>{e(m.account.name)}</cbc:Name></cac:PayeeFinancialAccount></cac:PaymentMeans>"
        f"<cac:PaymentTerms><cbc:Note>{e(p.terms)}</cbc:Note></cac:PaymentTerms>"
        f'<cac:TaxTotal><cbc:TaxAmount currencyID="{c}">{t.tax}</cbc:TaxAmount>'
        f"{''.join([_subtotal(tax, c) for tax in i.tax_breakdown])}</cac:TaxTotal>"
        f'<cac:LegalMonetaryTotal><cbc:LineExtensionAmount currencyID="{c}">{t.lines}</cbc:LineExtensionAmount>'
        f'<cbc:TaxExclusiveAmount currencyID="{c}">{t.net}</cbc:TaxExclusiveAmount>'
        f'<cbc:TaxInclusiveAmount currencyID="{c}">{t.gross}</cbc:TaxInclusiveAmount>'
        f'<cbc:PayableAmount currencyID="{c}">{t.due}</cbc:PayableAmount></cac:LegalMonetaryTotal>'
        f"{''.join([_line(line, c) for line in i.lines])}</Invoice>"
    ).encode()


def _party(party: Any) -> str:
    trading, contact = party.trading_name, party.contact
    a, end = party.address, party.endpoint
    reach = (
        f"<cac:Contact><cbc:Name>{e(contact.name)}</cbc:Name><cbc:Telephone>{e(contact.phone)}</cbc:Telephone>"
        f"<cbc:ElectronicMail>{e(contact.email)}</cbc:ElectronicMail></cac:Contact>"
        if contact
        else ""
    )
    return (
        f'<cac:Party><cbc:EndpointID schemeID="{e(end.scheme)}">{e(end.value)}</cbc:EndpointID>'
        f"{f'<cac:PartyName><cbc:Name>{e(trading)}</cbc:Name></cac:PartyName>' if trading else ''}"
        f"<cac:PostalAddress><cbc:StreetName>{e(a.line_1)}</cbc:StreetName><cbc:CityName>{e(a.city)}</cbc:CityName>"
        f"<cbc:PostalZone>{e(a.postcode)}</cbc:PostalZone><cac:Country>"
        f"<cbc:IdentificationCode>{e(a.country)}</cbc:IdentificationCode></cac:Country></cac:PostalAddress>"
        f"<cac:PartyTaxScheme><cbc:CompanyID>{e(party.vat_id)}</cbc:CompanyID><cac:TaxScheme><cbc:ID>VAT</cbc:ID>"
        f"</cac:TaxScheme></cac:PartyTaxScheme><cac:PartyLegalEntity>"
        f"<cbc:RegistrationName>{e(party.name)}</cbc:RegistrationName></cac:PartyLegalEntity>{reach}</cac:Party>"
    )


def _subtotal(tax: Any, c: str) -> str:
    return (
        f'<cac:TaxSubtotal><cbc:TaxableAmount currencyID="{c}">{tax.base}</cbc:TaxableAmount>'
        f'<cbc:TaxAmount currencyID="{c}">{tax.amount}</cbc:TaxAmount><cac:TaxCategory>'
        f"<cbc:ID>{e(tax.category)}</cbc:ID><cbc:Percent>{tax.rate}</cbc:Percent><cac:TaxScheme><cbc:ID>{e(tax.scheme)}</cbc:ID></cac:TaxScheme>"
        "</cac:TaxCategory></cac:TaxSubtotal>"
    )


def _line(line: Any, c: str) -> str:
    item, tax = line.item, line.taxes[0]
    return (
        f'<cac:InvoiceLine><cbc:ID>{e(line.id)}</cbc:ID><cbc:InvoicedQuantity unitCode="{e(line.unit)}">{line.quantity}'
        f'</cbc:InvoicedQuantity><cbc:LineExtensionAmount currencyID="{c}">{line.net_amount}</cbc:LineExtensionAmount>'
        f"<cac:OrderLineReference><cbc:LineID>{e(line.order.line)}</cbc:LineID></cac:OrderLineReference>"
        f"<cac:Item><cbc:Description>{e(item.description)}</cbc:Description><cbc:Name>{e(item.name)}</cbc:Name>"
        f"<cac:SellersItemIdentification><cbc:ID>{e(item.seller_id)}</cbc:ID></cac:SellersItemIdentification>"
        f"<cac:ClassifiedTaxCategory><cbc:ID>{e(tax.category)}</cbc:ID><cbc:Percent>{tax.rate}</cbc:Percent>"
        f"<cac:TaxScheme><cbc:ID>{e(tax.scheme)}</cbc:ID></cac:TaxScheme></cac:ClassifiedTaxCategory></cac:Item>"
        f'<cac:Price><cbc:PriceAmount currencyID="{c}">{line.price.net}</cbc:PriceAmount></cac:Price></cac:InvoiceLine>'
    )
