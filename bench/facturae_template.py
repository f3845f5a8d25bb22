"""The benchmark's Facturae 3.2.2 as a bare string template with escaping: the lower bound, as for UBL."""

from __future__ import annotations

from typing import Any

from einvoice.exchange import Identity
from einvoice.model import Invoice

from .ubl_template import e

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<fe:Facturae xmlns:fe="http://www.facturae.gob.es/formato/Versiones/Facturaev3_2_2.xml"><FileHeader>'
    "<SchemaVersion>3.2.2</SchemaVersion><Modality>I</Modality><InvoiceIssuerType>EM</InvoiceIssuerType>"
)


def render(inv: Invoice, ids: Identity) -> bytes:
    """The bytes of the benchmark's invoice."""
    i: Any = inv
    t, c, means = i.totals, e(i.currency), i.payment.means[0]
    return (
        f"{_HEAD}<Batch><BatchIdentifier>{e(i.seller.vat_id)}{e(i.number)}</BatchIdentifier><InvoicesCount>1"
        f"</InvoicesCount><TotalInvoicesAmount>{_amount(t.gross)}</TotalInvoicesAmount><TotalOutstandingAmount>"
        f"{_amount(t.gross)}</TotalOutstandingAmount><TotalExecutableAmount>{_amount(t.due)}</TotalExecutableAmount>"
        f"<InvoiceCurrencyCode>{c}</InvoiceCurrencyCode></Batch></FileHeader><Parties><SellerParty>{_party(i.seller)}"
        f"</SellerParty><BuyerParty>{_party(i.buyer)}</BuyerParty></Parties><Invoices><Invoice><InvoiceHeader>"
        f"<InvoiceNumber>{e(i.number)}</InvoiceNumber><InvoiceDocumentType>FC</InvoiceDocumentType><InvoiceClass>OO"
        f"</InvoiceClass></InvoiceHeader><InvoiceIssueData><IssueDate>{i.issue_date.isoformat()}</IssueDate>"
        f"<InvoiceCurrencyCode>{c}</InvoiceCurrencyCode><TaxCurrencyCode>{c}</TaxCurrencyCode>"
        "<LanguageName>es</LanguageName>"
        f"<ReceiverTransactionReference>{e(i.purchase_order.id)}</ReceiverTransactionReference></InvoiceIssueData>"
        f"<TaxesOutputs>{''.join([_tax(tax) for tax in i.tax_breakdown])}</TaxesOutputs><InvoiceTotals>"
        f"<TotalGrossAmount>{t.lines}</TotalGrossAmount><TotalGrossAmountBeforeTaxes>{t.net}"
        f"</TotalGrossAmountBeforeTaxes><TotalTaxOutputs>{t.tax}</TotalTaxOutputs><TotalTaxesWithheld>0.00"
        f"</TotalTaxesWithheld><InvoiceTotal>{t.gross}</InvoiceTotal><TotalOutstandingAmount>{t.gross}"
        f"</TotalOutstandingAmount><TotalExecutableAmount>{t.due}</TotalExecutableAmount></InvoiceTotals><Items>"
        f"{''.join([_line(line) for line in i.lines])}</Items><PaymentDetails><Installment><InstallmentDueDate>"
        f"{i.due_date.isoformat()}</InstallmentDueDate><InstallmentAmount>{t.due}</InstallmentAmount><PaymentMeans>04"
        f"</PaymentMeans><AccountToBeCredited><IBAN>{e(means.account.id)}</IBAN></AccountToBeCredited>"
        f"<PaymentReconciliationReference>{e(i.payment.remittance)}</PaymentReconciliationReference>"
        f"<CollectionAdditionalInformation>{e(i.payment.terms)}</CollectionAdditionalInformation></Installment>"
        f"</PaymentDetails><AdditionalData><InvoiceAdditionalInformation>{e(i.notes[0].text)}"
        "</InvoiceAdditionalInformation></AdditionalData></Invoice></Invoices></fe:Facturae>"
    ).encode()


def _amount(value: object) -> str:
    return f"<TotalAmount>{value}</TotalAmount>"


def _party(party: Any) -> str:
    a, contact = party.address, party.contact
    trading = f"<TradeName>{e(party.trading_name)}</TradeName>" if party.trading_name else ""
    reach = (
        f"<ContactDetails><Telephone>{e(contact.phone)}</Telephone><ElectronicMail>{e(contact.email)}</ElectronicMail>"
        f"<ContactPersons>{e(contact.name)}</ContactPersons></ContactDetails>"
        if contact
        else ""
    )
    return (
        "<TaxIdentification><PersonTypeCode>J</PersonTypeCode><ResidenceTypeCode>U</ResidenceTypeCode>"
        f"<TaxIdentificationNumber>{e(party.vat_id)}</TaxIdentificationNumber></TaxIdentification><LegalEntity>"
        f"<CorporateName>{e(party.name)}</CorporateName>{trading}<OverseasAddress><Address>{e(a.line_1)}</Address>"
        f"<PostCodeAndTown>{e(a.postcode)} {e(a.city)}</PostCodeAndTown><Province>-</Province><CountryCode>DEU"
        f"</CountryCode></OverseasAddress>{reach}</LegalEntity>"
    )


def _line(line: Any) -> str:
    item = line.item
    return (
        f"<InvoiceLine><SequenceNumber>{e(line.order.line)}</SequenceNumber><ItemDescription>{e(item.name)}\n"
        f"{e(item.description)}</ItemDescription><Quantity>{line.quantity}</Quantity><UnitOfMeasure>01"
        f"</UnitOfMeasure><UnitPriceWithoutTax>{line.price.net}</UnitPriceWithoutTax><TotalCost>{line.net_amount}"
        f"</TotalCost><GrossAmount>{line.net_amount}</GrossAmount><TaxesOutputs><Tax><TaxTypeCode>01</TaxTypeCode>"
        f"<TaxRate>{line.taxes[0].rate}</TaxRate><TaxableBase>{_amount(line.net_amount)}</TaxableBase></Tax>"
        f"</TaxesOutputs><ArticleCode>{e(item.seller_id)}</ArticleCode></InvoiceLine>"
    )


def _tax(tax: Any) -> str:
    return (
        f"<Tax><TaxTypeCode>01</TaxTypeCode><TaxRate>{tax.rate}</TaxRate><TaxableBase>{_amount(tax.base)}"
        f"</TaxableBase><TaxAmount>{_amount(tax.amount)}</TaxAmount></Tax>"
    )
