"""The benchmark's RosettaNet 3C3 invoice as a bare string template with escaping: the lower bound, as for UBL."""

from __future__ import annotations

from typing import Any

from einvoice.exchange import Identity
from einvoice.model import Invoice

from .ubl_template import e

_UN = "urn:rosettanet:specification:"
#: Namespaces by prefix, each below ``_UN``.
_SPACES = {
    "": "interchange:InvoiceNotification:xsd:schema:02.05",
    "dp": "domain:Procurement:xsd:schema:02.29",
    "ddt": "domain:Procurement:DocumentType:xsd:codelist:01.05",
    "sha": "domain:Shared:xsd:schema:01.17",
    "rmat": "domain:Shared:MonetaryAmountType:xsd:codelist:01.01",
    "ssdh": "system:StandardDocumentHeader:xsd:schema:01.23",
    "uc": "universal:Country:xsd:codelist:01.02",
    "uci": "universal:ContactInformation:xsd:schema:01.04",
    "ucr": "universal:Currency:xsd:codelist:01.03",
    "udt": "universal:DataType:xsd:schema:01.04",
    "ulc": "universal:Locations:xsd:schema:01.04",
    "ume": "universal:MonetaryExpression:xsd:schema:01.06",
    "updi": "universal:ProductIdentification:xsd:schema:01.04",
    "upi": "universal:PartnerIdentification:xsd:schema:01.16",
    "uuom": "universal:UnitOfMeasure:xsd:codelist:01.04",
    "rict": "domain:Shared:InvoiceChargeType:xsd:codelist:01.02",
    "ucs": "universal:CountrySubdivision:xsd:codelist:01.02",
    "upri": "universal:ProcessRoleIdentifier:xsd:codelist:01.11",
}
_DECLARED = "".join(f' xmlns{":" if prefix else ""}{prefix}="{_UN}{name}"' for prefix, name in _SPACES.items())
_HEAD = f'<?xml version="1.0" encoding="UTF-8"?>\n<InvoiceNotification{_DECLARED}>'
#: The two ends, which a profile names, and the unit of the benchmark's lines.
SENDER, RECEIVER, UNITS = "999000001", "999000002", {"C62": "UNT"}
SETTINGS: dict[str, Any] = {"sender": {"id": SENDER}, "receiver": {"id": RECEIVER}}


def render(inv: Invoice, ids: Identity) -> bytes:
    """The bytes of the benchmark's invoice."""
    i: Any = inv
    t, c = i.totals, i.currency
    return (
        f"{_HEAD}<ssdh:DocumentHeader><ssdh:DocumentInformation><ssdh:Creation>{i.issue_date.isoformat()}T00:00:00"
        f"</ssdh:Creation><ssdh:DocumentIdentification><ssdh:Identifier>{e(i.number)}</ssdh:Identifier>"
        "<ssdh:StandardDocumentIdentification><ssdh:Standard>RosettaNet</ssdh:Standard><ssdh:Version>11.04"
        "</ssdh:Version></ssdh:StandardDocumentIdentification></ssdh:DocumentIdentification></ssdh:DocumentInformation>"
        f"{_end('Receiver', RECEIVER)}{_end('Sender', SENDER)}</ssdh:DocumentHeader><Invoice><dp:AncillaryDates>"
        f"<dp:DateDescription>Payment Due Date</dp:DateDescription><dp:DateTime>{i.due_date.isoformat()}T00:00:00"
        f"</dp:DateTime></dp:AncillaryDates><BillFrom>{_partner(i.seller)}</BillFrom><BillTo>{_partner(i.buyer)}"
        f"</BillTo><Comments>{e(i.notes[0].text)}</Comments><ddt:DocumentType>INV</ddt:DocumentType>"
        f"{''.join([_line(line, c) for line in i.lines])}<IsLockBoxUsed>false</IsLockBoxUsed><IsRebill>false</IsRebill>"
        f"{_amount('PreTaxAmount', t.net, c)}<PurchaseOrderNumber><dp:Identifier>{e(i.purchase_order.id)}"
        f"</dp:Identifier></PurchaseOrderNumber><RemitToAccount><dp:Number>{e(i.payment.means[0].account.id)}"
        f"</dp:Number></RemitToAccount><SoldToTax><sha:MonetaryAmount>{_money(t.tax, c)}</sha:MonetaryAmount>"
        f"{''.join([_tax(tax, c) for tax in i.tax_breakdown])}</SoldToTax>{_amount('TotalInvoiceAmount', t.gross, c)}"
        f"<TotalNumberOfItems>{len(i.lines)}</TotalNumberOfItems></Invoice></InvoiceNotification>"
    ).encode()


def _end(name: str, duns: str) -> str:
    return (
        f"<ssdh:{name}><upi:PartnerIdentification><udt:DUNS>{duns}</udt:DUNS></upi:PartnerIdentification></ssdh:{name}>"
    )


def _money(amount: object, currency: str) -> str:
    return (
        f"<ume:FinancialAmount><ume:Amount>{amount}</ume:Amount><ucr:Currency>{currency}</ucr:Currency>"
        "</ume:FinancialAmount>"
    )


def _amount(name: str, amount: object, currency: str) -> str:
    return f"<{name}>{_money(amount, currency)}<rmat:MonetaryAmountType>DEB</rmat:MonetaryAmountType></{name}>"


def _partner(party: Any) -> str:
    a, contact = party.address, party.contact
    reach = (
        f"<uci:ContactInformation><uci:Contact>{e(contact.name)}</uci:Contact><uci:Email>{e(contact.email)}</uci:Email>"
        f"<uci:Phone>{e(contact.phone)}</uci:Phone></uci:ContactInformation>"
        if contact
        else ""
    )
    return (
        f"<upi:SpecifiedFullPartner>{reach}<upi:PartnerIdentification><upi:PartnerName>{e(party.name)}"
        "</upi:PartnerName><ulc:AlternativeIdentifier><ulc:Authority>VAT</ulc:Authority>"
        f"<ulc:Identifier>{e(party.vat_id)}</ulc:Identifier></ulc:AlternativeIdentifier></upi:PartnerIdentification>"
        f"<ulc:PhysicalAddress><ulc:AddressLine1>{e(a.line_1)}</ulc:AddressLine1><ulc:CityName>{e(a.city)}"
        f"</ulc:CityName><uc:Country>{e(a.country)}</uc:Country><ulc:PostalCode>{e(a.postcode)}</ulc:PostalCode>"
        "</ulc:PhysicalAddress></upi:SpecifiedFullPartner>"
    )


def _tax(tax: Any, c: str) -> str:
    return (
        f"<dp:NationalTax><sha:MonetaryAmount>{_money(tax.amount, c)}</sha:MonetaryAmount><dp:Rate>{tax.rate}</dp:Rate>"
        "</dp:NationalTax>"
    )


def _line(line: Any, c: str) -> str:
    item = line.item
    return (
        f"<InvoiceLineItem><LineNumber>{e(line.id)}</LineNumber><OrderStatus><PurchaseOrder><ProductLineItem>"
        f"<LineNumber>{e(line.order.line)}</LineNumber><ProductDescription><updi:ProductIdentification>"
        f"<updi:ProductName>{e(item.name)}</updi:ProductName><ulc:AlternativeIdentifier><ulc:Authority>SELLER"
        f"</ulc:Authority><ulc:Identifier>{e(item.seller_id)}</ulc:Identifier></ulc:AlternativeIdentifier>"
        f"</updi:ProductIdentification></ProductDescription><sha:ProductQuantity>{line.quantity}</sha:ProductQuantity>"
        f"<uuom:UnitOfMeasure>{e(UNITS[line.unit])}</uuom:UnitOfMeasure><UnitPrice><ume:Amount>{line.price.net}"
        f"</ume:Amount><ucr:Currency>{c}</ucr:Currency></UnitPrice></ProductLineItem></PurchaseOrder></OrderStatus>"
        f"{_amount('PreTaxAmount', line.net_amount, c)}{_amount('TotalLineItemAmount', line.net_amount, c)}"
        "</InvoiceLineItem>"
    )
