"""The benchmark's ebInterface invoice as a bare string template with escaping: the lower bound, as for UBL."""

from __future__ import annotations

from typing import Any

from einvoice.exchange import Identity
from einvoice.model import Invoice

from .cxml_template import q
from .ubl_template import e


def render(inv: Invoice, ids: Identity) -> bytes:
    """The bytes of the benchmark's invoice."""
    i: Any = inv
    t, p, means, order = i.totals, i.payment, i.payment.means[0], e(i.purchase_order.id)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Invoice xmlns="http://www.ebinterface.at/schema/6p1/"'
        f' GeneratingSystem="einvoice" DocumentType="Invoice" InvoiceCurrency="{q(i.currency)}"><InvoiceNumber>'
        f"{e(i.number)}</InvoiceNumber><InvoiceDate>{i.issue_date.isoformat()}</InvoiceDate><Biller>"
        f"{_party(i.seller)}</Biller><InvoiceRecipient>{_party(i.buyer, order)}</InvoiceRecipient><Details><ItemList>"
        f"{''.join([_line(line, order) for line in i.lines])}</ItemList></Details><Tax>"
        f"{''.join([_tax(tax) for tax in i.tax_breakdown])}</Tax><TotalGrossAmount>{t.gross}</TotalGrossAmount>"
        f"<PayableAmount>{t.due}</PayableAmount><PaymentMethod><UniversalBankTransaction><BeneficiaryAccount>"
        f"<IBAN>{e(means.account.id)}</IBAN><BankAccountOwner>{e(means.account.name)}</BankAccountOwner>"
        f"</BeneficiaryAccount><PaymentReference>{e(p.remittance)}</PaymentReference></UniversalBankTransaction>"
        f"</PaymentMethod><PaymentConditions><DueDate>{i.due_date.isoformat()}</DueDate><Comment>{e(p.terms)}</Comment>"
        f"</PaymentConditions><Comment>{e(i.notes[0].text)}</Comment></Invoice>"
    ).encode()


def _party(party: Any, order: str = "") -> str:
    a, contact = party.address, party.contact
    reach = (
        f"<Contact><Name>{e(contact.name)}</Name><Phone>{e(contact.phone)}</Phone><Email>{e(contact.email)}</Email>"
        "</Contact>"
        if contact
        else ""
    )
    return (
        f"<VATIdentificationNumber>{e(party.vat_id)}</VATIdentificationNumber>"
        f"{f'<OrderReference><OrderID>{order}</OrderID></OrderReference>' if order else ''}<Address><Name>"
        f"{e(party.name)}</Name>{f'<TradingName>{e(party.trading_name)}</TradingName>' if party.trading_name else ''}"
        f"<Street>{e(a.line_1)}</Street><Town>{e(a.city)}</Town><ZIP>{e(a.postcode)}</ZIP>"
        f'<Country CountryCode="{q(a.country)}">{e(a.country)}</Country></Address>{reach}'
    )


def _tax(tax: Any) -> str:
    return (
        f'<TaxItem><TaxableAmount>{tax.base}</TaxableAmount><TaxPercent TaxCategoryCode="{q(tax.category)}">{tax.rate}'
        f"</TaxPercent><TaxAmount>{tax.amount}</TaxAmount></TaxItem>"
    )


def _line(line: Any, order: str) -> str:
    item, tax = line.item, line.taxes[0]
    return (
        f"<ListLineItem><PositionNumber>{e(line.id)}</PositionNumber><Description>{e(item.name)}</Description>"
        f"<Description>{e(item.description)}</Description>"
        f'<ArticleNumber ArticleNumberType="BillersArticleNumber">{e(item.seller_id)}</ArticleNumber>'
        f'<Quantity Unit="{q(line.unit)}">{line.quantity}</Quantity><UnitPrice>{line.price.net}</UnitPrice>'
        f"<InvoiceRecipientsOrderReference><OrderID>{order}</OrderID><OrderPositionNumber>{e(line.order.line)}"
        f"</OrderPositionNumber></InvoiceRecipientsOrderReference><TaxItem><TaxableAmount>{line.net_amount}"
        f'</TaxableAmount><TaxPercent TaxCategoryCode="{q(tax.category)}">{tax.rate}</TaxPercent></TaxItem>'
        f"<LineItemAmount>{line.net_amount}</LineItemAmount></ListLineItem>"
    )
