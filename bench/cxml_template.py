"""The benchmark's cXML InvoiceDetailRequest as a bare string template with escaping: the lower bound, as for UBL."""

from __future__ import annotations

from datetime import date
from typing import Any

from einvoice.exchange import SECRET_SLOT, Identity
from einvoice.model import Invoice

from .ubl_template import e

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<!DOCTYPE cXML SYSTEM "http://xml.cxml.org/schemas/cXML/1.2.037/InvoiceDetail.dtd">\n'
)


def q(text: str) -> str:
    """*text* escaped for an attribute."""
    return e(text).replace('"', "&quot;") if '"' in text else e(text)


def render(inv: Invoice, ids: Identity) -> bytes:
    """The bytes of the benchmark's invoice."""
    i: Any = inv
    c, t, p, means = i.currency, i.totals, i.payment, i.payment.means[0]
    seller, buyer = i.seller.network_ids[0], i.buyer.network_ids[0]
    return (
        f'{_HEAD}<cXML payloadID="{q(ids.payload_id)}" timestamp="{ids.at.isoformat(timespec="seconds")}"'
        f' version="1.2.037"><Header><From>{_credential(seller)}</From><To>{_credential(buyer)}</To>'
        f"<Sender>{_credential(seller, f'<SharedSecret>{SECRET_SLOT}</SharedSecret>')}<UserAgent>einvoice</UserAgent>"
        '</Sender></Header><Request deploymentMode="test"><InvoiceDetailRequest><InvoiceDetailRequestHeader'
        f' invoiceID="{q(i.number)}" purpose="standard" operation="new" invoiceDate="{_day(i.issue_date)}">'
        "<InvoiceDetailHeaderIndicator></InvoiceDetailHeaderIndicator>"
        "<InvoiceDetailLineIndicator></InvoiceDetailLineIndicator>"
        f"{_partner('from', i.seller)}{_partner('soldTo', i.buyer)}"
        '<InvoicePartner><Contact role="wireReceivingBank"><Name xml:lang="en">Bank</Name></Contact>'
        f'<IdReference domain="ibanID" identifier="{q(means.account.id)}"></IdReference>'
        f'<IdReference domain="bankAccountName" identifier="{q(means.account.name)}"></IdReference>'
        f'<IdReference domain="paymentMeansCode" identifier="{q(means.code)}"></IdReference></InvoicePartner>'
        f'<Comments xml:lang="en">{e(i.notes[0].text)}</Comments>'
        f"{_more('dueDate', _day(i.due_date))}{_more('buyerReference', i.buyer_reference)}"
        f"{_more('paymentTerms', p.terms)}{_more('businessProcess', i.process)}"
        f"{_more('specification', i.specification)}{_more('remittanceInformation', p.remittance)}"
        "</InvoiceDetailRequestHeader><InvoiceDetailOrder><InvoiceDetailOrderInfo>"
        f'<OrderIDInfo orderID="{q(i.purchase_order.id)}"></OrderIDInfo></InvoiceDetailOrderInfo>'
        f"{''.join([_line(line, c) for line in i.lines])}</InvoiceDetailOrder><InvoiceDetailSummary>"
        f'<SubtotalAmount>{_money(t.lines, c)}</SubtotalAmount><Tax>{_money(t.tax, c)}<Description xml:lang="en">Tax'
        f"</Description>{''.join([_tax(tax, c) for tax in i.tax_breakdown])}</Tax>"
        f"<TotalAmountWithoutTax>{_money(t.net, c)}</TotalAmountWithoutTax><NetAmount>{_money(t.gross, c)}</NetAmount>"
        f"<DueAmount>{_money(t.due, c)}</DueAmount></InvoiceDetailSummary></InvoiceDetailRequest></Request></cXML>"
    ).encode()


def _day(day: date) -> str:
    return f"{day.isoformat()}T12:00:00+00:00"


def _money(amount: object, currency: str) -> str:
    return f'<Money currency="{currency}">{amount}</Money>'


def _more(name: str, text: str) -> str:
    return f'<Extrinsic name="{name}">{e(text)}</Extrinsic>'


def _credential(identifier: Any, secret: str = "") -> str:
    return (
        f'<Credential domain="{q(identifier.scheme)}"><Identity>{e(identifier.value)}</Identity>{secret}</Credential>'
    )


def _partner(role: str, party: Any) -> str:
    a, contact = party.address, party.contact
    reach = (
        f"<Email>{e(contact.email)}</Email><Phone><TelephoneNumber>"
        '<CountryCode isoCountryCode=""></CountryCode><AreaOrCityCode></AreaOrCityCode>'
        f"<Number>{e(contact.phone)}</Number></TelephoneNumber></Phone>"
        if contact
        else ""
    )
    trading = _more("tradingName", party.trading_name) if party.trading_name else ""
    return (
        f'<InvoicePartner><Contact role="{role}"><Name xml:lang="en">{e(party.name)}</Name><PostalAddress>'
        f"<Street>{e(a.line_1)}</Street><City>{e(a.city)}</City><PostalCode>{e(a.postcode)}</PostalCode>"
        f'<Country isoCountryCode="{q(a.country)}"></Country></PostalAddress>{reach}{trading}'
        f"{_more('contactName', contact.name) if contact else ''}{_more('endpoint', party.endpoint.value)}"
        f"{_more('endpointScheme', party.endpoint.scheme)}</Contact>"
        f'<IdReference domain="vatID" identifier="{q(party.vat_id)}"></IdReference></InvoicePartner>'
    )


def _line(line: Any, c: str) -> str:
    item, tax = line.item, line.taxes[0]
    return (
        f'<InvoiceDetailItem invoiceLineNumber="{q(line.id)}" quantity="{line.quantity}"><UnitOfMeasure>{e(line.unit)}'
        f"</UnitOfMeasure><UnitPrice>{_money(line.price.net, c)}</UnitPrice><InvoiceDetailItemReference"
        f' lineNumber="{q(line.order.line)}"><ItemID><SupplierPartID>{e(item.seller_id)}</SupplierPartID></ItemID>'
        f'<Description xml:lang="en">{e(item.description)}<ShortName>{e(item.name)}</ShortName></Description>'
        f"</InvoiceDetailItemReference><SubtotalAmount>{_money(line.net_amount, c)}</SubtotalAmount>"
        f"{_more('taxCategory', tax.category)}{_more('taxRate', str(tax.rate))}{_more('taxScheme', tax.scheme)}"
        "</InvoiceDetailItem>"
    )


def _tax(tax: Any, c: str) -> str:
    return (
        f'<TaxDetail category="vat" percentageRate="{tax.rate}" purpose="tax"><TaxableAmount>{_money(tax.base, c)}'
        f"</TaxableAmount><TaxAmount>{_money(tax.amount, c)}</TaxAmount>{_more('taxCategory', tax.category)}"
        "</TaxDetail>"
    )
