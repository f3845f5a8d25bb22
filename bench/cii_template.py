"""The benchmark's CII invoice as a bare string template with escaping: the lower bound, as for UBL."""

from __future__ import annotations

from datetime import date
from typing import Any

from einvoice.exchange import Identity
from einvoice.model import Invoice

from .cxml_template import q
from .ubl_template import e

_UN = "urn:un:unece:uncefact:data:standard:"
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    f'<rsm:CrossIndustryInvoice xmlns:rsm="{_UN}CrossIndustryInvoice:100" xmlns:qdt="{_UN}QualifiedDataType:100"'
    f' xmlns:ram="{_UN}ReusableAggregateBusinessInformationEntity:100" xmlns:udt="{_UN}UnqualifiedDataType:100">'
)


def render(inv: Invoice, ids: Identity) -> bytes:
    """The bytes of the benchmark's invoice."""
    i: Any = inv
    t, p, means, c = i.totals, i.payment, i.payment.means[0], i.currency
    return (
        f"{_HEAD}<rsm:ExchangedDocumentContext><ram:BusinessProcessSpecifiedDocumentContextParameter><ram:ID>"
        f"{e(i.process)}</ram:ID></ram:BusinessProcessSpecifiedDocumentContextParameter>"
        f"<ram:GuidelineSpecifiedDocumentContextParameter><ram:ID>{e(i.specification)}</ram:ID>"
        "</ram:GuidelineSpecifiedDocumentContextParameter></rsm:ExchangedDocumentContext><rsm:ExchangedDocument>"
        f"<ram:ID>{e(i.number)}</ram:ID><ram:TypeCode>{e(i.type_code)}</ram:TypeCode><ram:IssueDateTime>"
        f"{_day(i.issue_date)}</ram:IssueDateTime><ram:IncludedNote><ram:Content>{e(i.notes[0].text)}</ram:Content>"
        "</ram:IncludedNote></rsm:ExchangedDocument><rsm:SupplyChainTradeTransaction>"
        f"{''.join([_line(line) for line in i.lines])}<ram:ApplicableHeaderTradeAgreement><ram:BuyerReference>"
        f"{e(i.buyer_reference)}</ram:BuyerReference><ram:SellerTradeParty>{_party(i.seller)}</ram:SellerTradeParty>"
        f"<ram:BuyerTradeParty>{_party(i.buyer)}</ram:BuyerTradeParty><ram:BuyerOrderReferencedDocument>"
        f"<ram:IssuerAssignedID>{e(i.purchase_order.id)}</ram:IssuerAssignedID></ram:BuyerOrderReferencedDocument>"
        "</ram:ApplicableHeaderTradeAgreement><ram:ApplicableHeaderTradeDelivery></ram:ApplicableHeaderTradeDelivery>"
        f"<ram:ApplicableHeaderTradeSettlement><ram:PaymentReference>{e(p.remittance)}</ram:PaymentReference>"
        f"<ram:InvoiceCurrencyCode>{e(c)}</ram:InvoiceCurrencyCode><ram:SpecifiedTradeSettlementPaymentMeans>"
        f"<ram:TypeCode>{e(means.code)}</ram:TypeCode><ram:PayeePartyCreditorFinancialAccount><ram:IBANID>"
        f"{e(means.account.id)}</ram:IBANID><ram:AccountName>{e(means.account.name)}</ram:AccountName>"
        "</ram:PayeePartyCreditorFinancialAccount></ram:SpecifiedTradeSettlementPaymentMeans>"
        f"{''.join([_tax(tax) for tax in i.tax_breakdown])}<ram:SpecifiedTradePaymentTerms><ram:Description>"
        f"{e(p.terms)}</ram:Description><ram:DueDateDateTime>{_day(i.due_date)}</ram:DueDateDateTime>"
        "</ram:SpecifiedTradePaymentTerms><ram:SpecifiedTradeSettlementHeaderMonetarySummation><ram:LineTotalAmount>"
        f"{t.lines}</ram:LineTotalAmount><ram:TaxBasisTotalAmount>{t.net}</ram:TaxBasisTotalAmount>"
        f'<ram:TaxTotalAmount currencyID="{q(c)}">{t.tax}</ram:TaxTotalAmount><ram:GrandTotalAmount>{t.gross}'
        f"</ram:GrandTotalAmount><ram:DuePayableAmount>{t.due}</ram:DuePayableAmount>"
        "</ram:SpecifiedTradeSettlementHeaderMonetarySummation></ram:ApplicableHeaderTradeSettlement>"
        "</rsm:SupplyChainTradeTransaction></rsm:CrossIndustryInvoice>"
    ).encode()


def _day(day: date) -> str:
    return f'<udt:DateTimeString format="102">{day:%Y%m%d}</udt:DateTimeString>'


def _party(party: Any) -> str:
    a, contact = party.address, party.contact
    trading = (
        "<ram:SpecifiedLegalOrganization><ram:TradingBusinessName>"
        f"{e(party.trading_name)}</ram:TradingBusinessName></ram:SpecifiedLegalOrganization>"
        if party.trading_name
        else ""
    )
    reach = (
        f"<ram:DefinedTradeContact><ram:PersonName>{e(contact.name)}</ram:PersonName>"
        f"<ram:TelephoneUniversalCommunication><ram:CompleteNumber>{e(contact.phone)}</ram:CompleteNumber>"
        f"</ram:TelephoneUniversalCommunication><ram:EmailURIUniversalCommunication><ram:URIID>{e(contact.email)}"
        "</ram:URIID></ram:EmailURIUniversalCommunication></ram:DefinedTradeContact>"
        if contact
        else ""
    )
    return (
        f"<ram:Name>{e(party.name)}</ram:Name>{trading}{reach}<ram:PostalTradeAddress><ram:PostcodeCode>"
        f"{e(a.postcode)}</ram:PostcodeCode><ram:LineOne>{e(a.line_1)}</ram:LineOne><ram:CityName>{e(a.city)}"
        f"</ram:CityName><ram:CountryID>{e(a.country)}</ram:CountryID></ram:PostalTradeAddress>"
        f'<ram:URIUniversalCommunication><ram:URIID schemeID="{q(party.endpoint.scheme)}">{e(party.endpoint.value)}'
        "</ram:URIID></ram:URIUniversalCommunication><ram:SpecifiedTaxRegistration>"
        f'<ram:ID schemeID="VA">{e(party.vat_id)}</ram:ID></ram:SpecifiedTaxRegistration>'
    )


def _tax(tax: Any) -> str:
    return (
        f"<ram:ApplicableTradeTax><ram:CalculatedAmount>{tax.amount}</ram:CalculatedAmount><ram:TypeCode>"
        f"{e(tax.scheme)}</ram:TypeCode><ram:BasisAmount>{tax.base}</ram:BasisAmount><ram:CategoryCode>"
        f"{e(tax.category)}</ram:CategoryCode><ram:RateApplicablePercent>{tax.rate}</ram:RateApplicablePercent>"
        "</ram:ApplicableTradeTax>"
    )


def _line(line: Any) -> str:
    item, tax = line.item, line.taxes[0]
    return (
        "<ram:IncludedSupplyChainTradeLineItem><ram:AssociatedDocumentLineDocument>"
        f"<ram:LineID>{e(line.id)}</ram:LineID></ram:AssociatedDocumentLineDocument><ram:SpecifiedTradeProduct>"
        f"<ram:SellerAssignedID>{e(item.seller_id)}</ram:SellerAssignedID><ram:Name>{e(item.name)}</ram:Name>"
        f"<ram:Description>{e(item.description)}</ram:Description></ram:SpecifiedTradeProduct>"
        "<ram:SpecifiedLineTradeAgreement><ram:BuyerOrderReferencedDocument>"
        f"<ram:LineID>{e(line.order.line)}</ram:LineID></ram:BuyerOrderReferencedDocument>"
        f"<ram:NetPriceProductTradePrice><ram:ChargeAmount>{line.price.net}</ram:ChargeAmount>"
        "</ram:NetPriceProductTradePrice></ram:SpecifiedLineTradeAgreement><ram:SpecifiedLineTradeDelivery>"
        f'<ram:BilledQuantity unitCode="{q(line.unit)}">{line.quantity}</ram:BilledQuantity>'
        "</ram:SpecifiedLineTradeDelivery><ram:SpecifiedLineTradeSettlement><ram:ApplicableTradeTax><ram:TypeCode>"
        f"{e(tax.scheme)}</ram:TypeCode><ram:CategoryCode>{e(tax.category)}</ram:CategoryCode>"
        f"<ram:RateApplicablePercent>{tax.rate}</ram:RateApplicablePercent></ram:ApplicableTradeTax>"
        "<ram:SpecifiedTradeSettlementLineMonetarySummation>"
        f"<ram:LineTotalAmount>{line.net_amount}</ram:LineTotalAmount>"
        "</ram:SpecifiedTradeSettlementLineMonetarySummation></ram:SpecifiedLineTradeSettlement>"
        "</ram:IncludedSupplyChainTradeLineItem>"
    )
