"""The benchmark's FatturaPA (FPR12) as a bare string template with escaping: the lower bound, as for UBL."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from einvoice.exchange import Identity
from einvoice.model import Invoice

from .ubl_template import e

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<p:FatturaElettronica xmlns:p="http://ivaservizi.agenziaentrate.gov.it/docs/xsd/fatture/v1.2"'
    ' xmlns:ds="http://www.w3.org/2000/09/xmldsig#" versione="FPR12"><FatturaElettronicaHeader>'
)


def render(inv: Invoice, ids: Identity) -> bytes:
    """The bytes of the benchmark's invoice."""
    i: Any = inv
    seller, buyer, order, means = i.seller, i.buyer, e(i.purchase_order.id), i.payment.means[0]
    contact = seller.contact
    return (
        f"{_HEAD}<DatiTrasmissione><IdTrasmittente>{_number(seller)}</IdTrasmittente>"
        f"<ProgressivoInvio>{ids.numbers['progressive']}</ProgressivoInvio>"
        "<FormatoTrasmissione>FPR12</FormatoTrasmissione><CodiceDestinatario>XXXXXXX</CodiceDestinatario>"
        f"</DatiTrasmissione><CedentePrestatore><DatiAnagrafici>{_named(seller)}<RegimeFiscale>RF18</RegimeFiscale>"
        f"</DatiAnagrafici>{_place(seller)}<Contatti><Telefono>{e(contact.phone).replace(' ', '')}</Telefono>"
        f"<Email>{e(contact.email)}</Email></Contatti></CedentePrestatore><CessionarioCommittente><DatiAnagrafici>"
        f"{_named(buyer)}</DatiAnagrafici>{_place(buyer)}</CessionarioCommittente></FatturaElettronicaHeader>"
        "<FatturaElettronicaBody><DatiGenerali><DatiGeneraliDocumento><TipoDocumento>TD01</TipoDocumento>"
        f"<Divisa>{e(i.currency)}</Divisa><Data>{i.issue_date.isoformat()}</Data><Numero>{e(i.number)}</Numero>"
        f"<ImportoTotaleDocumento>{_n(i.totals.gross)}</ImportoTotaleDocumento><Causale>{e(i.notes[0].text)}</Causale>"
        f"</DatiGeneraliDocumento><DatiOrdineAcquisto><IdDocumento>{order}</IdDocumento></DatiOrdineAcquisto>"
        f"{''.join([_ordered(line, order) for line in i.lines])}</DatiGenerali><DatiBeniServizi>"
        f"{''.join([_line(line) for line in i.lines])}{''.join([_tax(tax) for tax in i.tax_breakdown])}"
        "</DatiBeniServizi><DatiPagamento><CondizioniPagamento>TP02</CondizioniPagamento><DettaglioPagamento>"
        f"<Beneficiario>{e(means.account.name)}</Beneficiario><ModalitaPagamento>MP05</ModalitaPagamento>"
        f"<DataScadenzaPagamento>{i.due_date.isoformat()}</DataScadenzaPagamento>"
        f"<ImportoPagamento>{_n(i.totals.due)}</ImportoPagamento><IBAN>{e(means.account.id)}</IBAN>"
        f"<CodicePagamento>{e(i.payment.remittance)}</CodicePagamento></DettaglioPagamento></DatiPagamento>"
        "</FatturaElettronicaBody></p:FatturaElettronica>"
    ).encode()


def _n(value: Decimal) -> str:
    """Two decimals at least."""
    text = str(value)
    return text if "." in text else f"{text}.00"


def _number(party: Any) -> str:
    return f"<IdPaese>{party.vat_id[:2]}</IdPaese><IdCodice>{e(party.vat_id[2:])}</IdCodice>"


def _named(party: Any) -> str:
    return (
        f"<IdFiscaleIVA>{_number(party)}</IdFiscaleIVA><Anagrafica><Denominazione>{e(party.name)}</Denominazione>"
        "</Anagrafica>"
    )


def _place(party: Any) -> str:
    a = party.address
    return (
        f"<Sede><Indirizzo>{e(a.line_1)}</Indirizzo><CAP>{e(a.postcode)}</CAP><Comune>{e(a.city)}</Comune>"
        f"<Nazione>{e(a.country)}</Nazione></Sede>"
    )


def _ordered(line: Any, order: str) -> str:
    return (
        f"<DatiOrdineAcquisto><RiferimentoNumeroLinea>{e(line.id)}</RiferimentoNumeroLinea><IdDocumento>{order}"
        f"</IdDocumento><NumItem>{e(line.order.line)}</NumItem></DatiOrdineAcquisto>"
    )


def _line(line: Any) -> str:
    item = line.item
    return (
        f"<DettaglioLinee><NumeroLinea>{e(line.id)}</NumeroLinea><CodiceArticolo><CodiceTipo>Codice Art. fornitore"
        f"</CodiceTipo><CodiceValore>{e(item.seller_id)}</CodiceValore></CodiceArticolo><Descrizione>{e(item.name)} - "
        f"{e(item.description)}</Descrizione><Quantita>{_n(line.quantity)}</Quantita><UnitaMisura>{e(line.unit)}"
        f"</UnitaMisura><PrezzoUnitario>{_n(line.price.net)}</PrezzoUnitario><PrezzoTotale>{_n(line.net_amount)}"
        f"</PrezzoTotale><AliquotaIVA>{_n(line.taxes[0].rate)}</AliquotaIVA></DettaglioLinee>"
    )


def _tax(tax: Any) -> str:
    return (
        f"<DatiRiepilogo><AliquotaIVA>{_n(tax.rate)}</AliquotaIVA><ImponibileImporto>{_n(tax.base)}"
        f"</ImponibileImporto><Imposta>{_n(tax.amount)}</Imposta></DatiRiepilogo>"
    )
