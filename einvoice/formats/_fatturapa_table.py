"""The rows of FatturaPA 1.2 (FPA12, FPR12) and of the simplified invoice (FSM10).

Names are those of the schema. What stands once in a document and has no term of its own is a row ``@path``: it
travels as an extension (EX-25) of that name. The rows speak of an invoice as :mod:`._fatturapa_shape` shapes it.
"""

from __future__ import annotations

from typing import Any

from ..mapping import Drop, Field, Group, Lens, Map, Row
from ._fatturapa_words import ROOM, digits
from ._xml import escape

ORDINARY, SIMPLIFIED = "FatturaElettronica", "FatturaElettronicaSemplificata"
_NS = "http://ivaservizi.agenziaentrate.gov.it/docs/xsd/fatture/"
_DS = "http://www.w3.org/2000/09/xmldsig#"
#: The blocks that refer to other documents, in order, with the kind that a reference has in the model.
REFERENCES = {
    "DatiOrdineAcquisto": "ON", "DatiContratto": "CT", "DatiConvenzione": "Convenzione", "DatiRicezione": "ALO",
    "DatiFattureCollegate": "IV", "DatiSAL": "SAL", "DatiDDT": "DQ", "FatturaPrincipale": "FatturaPrincipale",
}  # fmt: skip
#: Elements of DettaglioPagamento that no term holds: extensions of the means (EX-121) by name.
BEFORE_AMOUNT = ("DataRiferimentoTerminiPagamento", "GiorniTerminiPagamento")
_AFTER_AMOUNT = (
    "CodUfficioPostale", "CognomeQuietanzante", "NomeQuietanzante", "CFQuietanzante", "TitoloQuietanzante",
)  # fmt: skip
_BANK = ("ABI", "CAB")
_LATE = (
    "ScontoPagamentoAnticipato", "DataLimitePagamentoAnticipato", "PenalitaPagamentiRitardati", "DataDecorrenzaPenale",
)  # fmt: skip
NAMED = (*BEFORE_AMOUNT, *_AFTER_AMOUNT, *_BANK, *_LATE)
#: Of one transmission, not of the invoice: no extensions.
TRANSMISSION = (
    "format",
    "sender_country",
    "sender_code",
    "progressive",
    "recipient",
    "pec",
    "phone",
    "email",
    "system",
)


def _vat(text: str) -> str:
    """The country and the rest of a VAT number."""
    country, code = (text[:2].upper(), text[2:]) if text[:2].isalpha() else ("", text)
    return f"<IdPaese>{escape(country)}</IdPaese><IdCodice>{escape(code)}</IdCodice>"


def _vat_back(element: Any) -> str:
    names = [str(child.tag) for child in element]
    if names != ["IdPaese", "IdCodice"]:
        raise ValueError(f"IdFiscaleIVA holds {', '.join(names) or 'nothing'}, not IdPaese and IdCodice")
    country, code = ((child.text or "").strip() for child in element)
    if not country or not code:
        raise ValueError("IdFiscaleIVA is not filled")
    return country + code


VAT = Lens(_vat, _vat_back)
#: What runs on in the next Causale may begin or end with a blank.
CAUSE = Lens(str, lambda text: {"text": text if len(text) == ROOM else text.strip()}, whole=True)
SUBJECT = Lens(lambda scheme: "SI", lambda text: "WITHHOLDING" if text == "SI" else _only_yes(text))
STAMP = Lens(lambda purpose: "SI", lambda text: "virtual_stamp" if text == "SI" else _only_yes(text))


def _only_yes(text: str) -> str:
    raise ValueError(f"{text[:40]!r} where only SI is understood")


# --- parties ----------------------------------------------------------------------------------------------------------


def _identity(scope: str, required: bool = False) -> tuple[Row, ...]:
    return (
        Field(f"{scope}vat_id", "IdFiscaleIVA", lens=VAT, raw=True, required=required),
        Field(f"{scope}tax_id", "CodiceFiscale"),
    )


def _names(scope: str) -> tuple[Row, ...]:
    rows = (("name", "Denominazione"), ("given_name", "Nome"), ("family_name", "Cognome"))
    return tuple(Field(f"{scope}{leaf}", name) for leaf, name in rows)


def _person(scope: str, path: str, *more: Row, required: bool = False) -> tuple[Row, ...]:
    """What stands in DatiAnagrafici, or the like, of the party at *scope*; *path* is that of its extensions."""
    titles = tuple(Field(f"@{path}/Anagrafica/{name}", name) for name in ("Titolo", "CodEORI"))
    return (*_identity(scope, required), Group("Anagrafica", (*_names(scope), *titles)), *more)


def _address(scope: str, required: bool = True) -> tuple[Row, ...]:
    return (
        Field(f"{scope}line_1", "Indirizzo", required=required),
        Field(f"{scope}building", "NumeroCivico"),
        Field(f"{scope}postcode", "CAP", required=required),
        Field(f"{scope}city", "Comune", required=required),
        Field(f"{scope}subdivision", "Provincia"),
        Field(f"{scope}country", "Nazione", required=required),
    )


def _aside(path: str, each: str, rows: tuple[Row, ...]) -> Group:
    """A party that has no field of its own: hook *each* gives it as the seller of an otherwise empty invoice."""
    return Group(path, rows, each=each, many=True)


def _register(path: str) -> tuple[Row, ...]:
    names = ("AlboProfessionale", "ProvinciaAlbo", "NumeroIscrizioneAlbo", "DataIscrizioneAlbo")
    return tuple(Field(f"@{path}/{name}", name) for name in names)


def _companies_house(path: str) -> Group:
    """IscrizioneREA: the office and the number are the legal registration (BT-30), ``MI-1234567``."""
    return Group("IscrizioneREA", (
        Field("legal_id.scheme", "Ufficio"),
        Field("legal_id.value", "NumeroREA"),
        Field("share_capital", "CapitaleSociale"),
        Field(f"@{path}/SocioUnico", "SocioUnico"),
        Field(f"@{path}/StatoLiquidazione", "StatoLiquidazione"),
    ))  # fmt: skip


_REPRESENTATIVE = (*_identity("seller.")[:1], *_names("seller."))
_SELLER = "CedentePrestatore/DatiAnagrafici"
_BUYER = "CessionarioCommittente/DatiAnagrafici"
_REGIME = Field("regime", "RegimeFiscale", required=True)


def _header() -> tuple[Row, ...]:
    return (
        _transmission((Group("ContattiTrasmittente", (Field("@phone", "Telefono"), Field("@email", "Email"))),)),
        Group("CedentePrestatore", (
            Group("DatiAnagrafici", _person("", _SELLER, *_register(_SELLER), _REGIME, required=True)),
            Group("Sede", _address("address.")),
            _aside("StabileOrganizzazione", "seller_establishment", _address("seller.address.")),
            _companies_house("CedentePrestatore/IscrizioneREA"),
            Group("Contatti", (Field("contact.phone", "Telefono"), Field("contact.fax", "Fax"),
                               Field("contact.email", "Email"))),
            Field("BT-19", "RiferimentoAmministrazione"),
        ), "BG-4"),
        Group("RappresentanteFiscale", (
            Group("DatiAnagrafici", _person(
                "", "RappresentanteFiscale/DatiAnagrafici", required=True)),), "BG-11"),
        Group("CessionarioCommittente", (
            Group("DatiAnagrafici", _person("", _BUYER)),
            Group("Sede", _address("address.")),
            _aside("StabileOrganizzazione", "buyer_establishment", _address("seller.address.")),
            _aside("RappresentanteFiscale", "buyer_representative", _REPRESENTATIVE),
        ), "BG-7"),
        Group("TerzoIntermediarioOSoggettoEmittente", (
            Group("DatiAnagrafici", _person("", "TerzoIntermediarioOSoggettoEmittente/DatiAnagrafici")),), "issuer"),
        Field("@SoggettoEmittente", "SoggettoEmittente"),
    )  # fmt: skip


def _transmission(contacts: tuple[Row, ...]) -> Group:
    return Group("DatiTrasmissione", (
        Field("@sender_country", "IdTrasmittente/IdPaese"),
        Field("@sender_code", "IdTrasmittente/IdCodice"),
        Field("@progressive", "ProgressivoInvio"),
        Field("@format", "FormatoTrasmissione"),
        Field("@recipient", "CodiceDestinatario"),
        *contacts,
        Field("@pec", "PECDestinatario"),
    ))  # fmt: skip


# --- the body ---------------------------------------------------------------------------------------------------------

_MODIFIED = (Field("role", "Tipo"), Field("percent", "Percentuale"), Field("amount", "Importo"))
_NO_TERM = "FatturaPA 2.1.1.7.8: a reference of the fund has no term"


def _taxed() -> tuple[Row, ...]:
    """AliquotaIVA, Ritenuta and Natura: three elements, which become one tax and, where withheld, a second."""
    return (
        Group("AliquotaIVA", (Field("rate", "."),), "taxes[]", many=True, when="vat"),
        Group("Ritenuta", (Field("scheme", ".", lens=SUBJECT),), "taxes[]", many=True, when="withheld"),
        Group("Natura", (Field("nature", "."),), "taxes[]", many=True, when="natured"),
    )


def _reference(name: str) -> Group:
    rows: tuple[Row, ...] = (
        Field("lines[]", "RiferimentoNumeroLinea"), Field("id", "IdDocumento"), Field("date", "Data"),
        Field("item", "NumItem"), Field("agreement", "CodiceCommessaConvenzione"), Field("cup", "CodiceCUP"),
        Field("cig", "CodiceCIG"),
    )  # fmt: skip
    special: dict[str, tuple[Row, ...]] = {
        "DatiSAL": (Field("id", "RiferimentoFase"),),
        "DatiDDT": (Field("id", "NumeroDDT"), Field("date", "DataDDT"), Field("lines[]", "RiferimentoNumeroLinea")),
        "FatturaPrincipale": (Field("id", "NumeroFatturaPrincipale"), Field("date", "DataFatturaPrincipale")),
    }
    return Group(name, special.get(name, rows), "references[]", many=True, when=f"is {REFERENCES[name]}",
                 states=("kind", REFERENCES[name]))  # fmt: skip


_CARRIER = "DatiTrasporto/DatiAnagraficiVettore"
_TRANSPORT = Group("DatiTrasporto", (
    _aside("DatiAnagraficiVettore", "carrier", _person("seller.", _CARRIER, Field(
        f"@{_CARRIER}/NumeroLicenzaGuida", "NumeroLicenzaGuida"))),
    *(Field(f"@DatiTrasporto/{name}", name) for name in (
        "MezzoTrasporto", "CausaleTrasporto", "NumeroColli", "Descrizione", "UnitaMisuraPeso", "PesoLordo", "PesoNetto",
        "DataOraRitiro")),
    Field("despatch.date", "DataInizioTrasporto"),
    Field("@DatiTrasporto/TipoResa", "TipoResa"),
    Group("IndirizzoResa", _address("delivery.address.", required=False)),
    Field("@DatiTrasporto/DataOraConsegna", "DataOraConsegna"),
))  # fmt: skip

_DOCUMENT = (
    Field("BT-3", "TipoDocumento", required=True),
    Field("BT-5", "Divisa", required=True),
    Field("BT-2", "Data", required=True),
    Field("BT-1", "Numero", required=True),
)
_GENERAL = Group("DatiGenerali", (
    Group("DatiGeneraliDocumento", (
        *_DOCUMENT,
        Group("DatiRitenuta", (
            Field("category", "TipoRitenuta", required=True), Field("amount", "ImportoRitenuta", required=True),
            Field("rate", "AliquotaRitenuta", required=True), Field("causal", "CausalePagamento", required=True),
        ), "BG-23", many=True, when="withheld", states=("scheme", "WITHHOLDING")),
        Group("DatiBollo", (Field("purpose", "BolloVirtuale", lens=STAMP), Field("amount", "ImportoBollo")),
              "BG-23", many=True, when="stamp", states=("scheme", "STAMP")),
        Group("DatiCassaPrevidenziale", (
            Field("role", "TipoCassa"), Field("percent", "AlCassa", required=True),
            Field("amount", "ImportoContributoCassa", required=True), Field("base", "ImponibileCassa"),
            *_taxed(), Drop("RiferimentoAmministrazione", _NO_TERM),
        ), "BG-21", many=True),
        Group("ScontoMaggiorazione", _MODIFIED, "BG-20", many=True),
        Field("BT-112", "ImportoTotaleDocumento"),
        Field("BT-114", "Arrotondamento"),
        Field("notes[]", "Causale", lens=CAUSE),
        Field("@Art73", "Art73"),
    )),
    *map(_reference, list(REFERENCES)[:-1]),
    _TRANSPORT,
    _reference("FatturaPrincipale"),
))  # fmt: skip

_LINE = Group("DettaglioLinee", (
    Field("id", "NumeroLinea", required=True),
    Field("kind", "TipoCessionePrestazione"),
    Group("CodiceArticolo", (Field("scheme", "CodiceTipo"), Field("code", "CodiceValore")),
          "item.classifications[]", many=True),
    Field("item.name", "Descrizione", required=True),
    Field("quantity", "Quantita"),
    Field("unit", "UnitaMisura"),
    Field("period.start", "DataInizioPeriodo"),
    Field("period.end", "DataFinePeriodo"),
    Field("price.net", "PrezzoUnitario", required=True),
    Group("ScontoMaggiorazione", _MODIFIED, "allowances[]", many=True),
    Field("net_amount", "PrezzoTotale", required=True),
    *_taxed(),
    Field("accounting_reference", "RiferimentoAmministrazione"),
    Group("AltriDatiGestionali", (Field("name", "TipoDato"), Field("value", "RiferimentoTesto"),
                                  Field("number", "RiferimentoNumero"), Field("date", "RiferimentoData")),
          "extensions[]", many=True),
), "BG-25", many=True)  # fmt: skip

_BREAKDOWN = Group("DatiRiepilogo", (
    Field("rate", "AliquotaIVA", required=True),
    Field("nature", "Natura"),
    Field("ancillary", "SpeseAccessorie"),
    Field("rounding", "Arrotondamento"),
    Field("base", "ImponibileImporto", required=True),
    Field("amount", "Imposta", required=True),
    Field("chargeability", "EsigibilitaIVA"),
    Field("exemption_reason", "RiferimentoNormativo"),
), "BG-23", many=True, when="vat")  # fmt: skip


def _named(names: tuple[str, ...]) -> tuple[Row, ...]:
    return tuple(
        Group(name, (Field("value", "."),), "extensions[]", many=True, when=f"named {name}", states=("name", name))
        for name in names
    )


#: One block of conditions: hook ``payments`` gives its code as the terms, its payments as the means of payment.
_PAYMENTS = Group("DatiPagamento", (
    Field("payment.terms", "CondizioniPagamento"),
    Group("DettaglioPagamento", (
        Field("account.name", "Beneficiario"),
        Field("code", "ModalitaPagamento", required=True),
        *_named(BEFORE_AMOUNT),
        Field("due_date", "DataScadenzaPagamento"),
        Field("amount", "ImportoPagamento", required=True),
        *_named(_AFTER_AMOUNT),
        Field("account.bank", "IstitutoFinanziario"),
        Field("account.id", "IBAN"),
        *_named(_BANK),
        Field("account.bic", "BIC"),
        *_named(_LATE),
        Field("remittance", "CodicePagamento"),
    ), "payment.means[]", many=True),
), each="payments", many=True)  # fmt: skip

_ATTACHMENTS = Group("Allegati", (
    Field("filename", "NomeAttachment", required=True),
    Field("compression", "AlgoritmoCompressione"),
    Field("mime", "FormatoAttachment"),
    Field("description", "DescrizioneAttachment"),
    Field("content", "Attachment", required=True),
), "BG-24", many=True)  # fmt: skip

_SIGNATURE = Drop("ds:Signature", "the signature is not verified here, and what is read is not thereby signed")


def _map(root: str, version: str, header: tuple[Row, ...], body: tuple[Row, ...], hooks: dict[str, Any]) -> Map:
    rows: tuple[Row, ...] = (
        Field("@format", "@versione"),
        *((Field("@system", "@SistemaEmittente"),) if root == ORDINARY else ()),
        Group("FatturaElettronicaHeader", header),
        Group("FatturaElettronicaBody", body),
        _SIGNATURE,
    )
    return Map(f"p:{root}", rows, {"p": f"{_NS}{version}", "ds": _DS}, money="", number=digits, hooks=hooks)


def ordinary(hooks: dict[str, Any]) -> Map:
    """FPA12 and FPR12."""
    vehicle = Group("DatiVeicoli", (Field("@DatiVeicoli/Data", "Data"),
                                    Field("@DatiVeicoli/TotalePercorso", "TotalePercorso")))  # fmt: skip
    body = (_GENERAL, Group("DatiBeniServizi", (_LINE, _BREAKDOWN)), vehicle, _PAYMENTS, _ATTACHMENTS)
    return _map(ORDINARY, "v1.2", _header(), body, hooks)


# --- the simplified invoice -------------------------------------------------------------------------------------------


def simplified(hooks: dict[str, Any]) -> Map:
    """FSM10: amounts with tax (EX-92), no breakdown, no totals."""
    header: tuple[Row, ...] = (
        _transmission(()),
        Group("CedentePrestatore", (
            *_identity("", required=True), *_names(""),
            Group("Sede", _address("address.")),
            _aside("StabileOrganizzazione", "seller_establishment", _address("seller.address.")),
            Group("RappresentanteFiscale", (Field("BT-63", "IdFiscaleIVA", lens=VAT, raw=True),
                                            Field("BT-62", "Denominazione"),
                                            Field("EX-439", "Nome"), Field("EX-440", "Cognome"))),
            _companies_house("CedentePrestatore/IscrizioneREA"),
            _REGIME,
        ), "BG-4"),
        Group("CessionarioCommittente", (
            Group("IdentificativiFiscali", _identity(""), always=True),
            Group("AltriDatiIdentificativi", (
                *_names(""),
                Group("Sede", _address("address.", required=False)),
                _aside("StabileOrganizzazione", "buyer_establishment", _address("seller.address.")),
                _aside("RappresentanteFiscale", "buyer_representative", _REPRESENTATIVE),
            )),
        ), "BG-7"),
        Field("@SoggettoEmittente", "SoggettoEmittente"),
    )  # fmt: skip
    corrected = Group("DatiFatturaRettificata", (
        Field("id", "NumeroFR", required=True), Field("issue_date", "DataFR", required=True),
        Field("reason", "ElementiRettificati", required=True),
    ), "BG-3", many=True)  # fmt: skip
    line = Group("DatiBeniServizi", (
        Field("item.name", "Descrizione", required=True),
        Field("gross_amount", "Importo", required=True),
        Group("DatiIVA", (
            Field("tax_amount", "Imposta"),
            Group("Aliquota", (Field("rate", "."),), "taxes[]", many=True, when="vat"),
        ), always=True),
        Group("Natura", (Field("nature", "."),), "taxes[]", many=True, when="natured"),
        Group("RiferimentoNormativo", (Field("exemption_reason", "."),), "taxes[]", many=True, when="reasoned"),
    ), "BG-25", many=True)  # fmt: skip
    general = Group("DatiGenerali", (Group("DatiGeneraliDocumento", _DOCUMENT), corrected))
    return _map(SIMPLIFIED, "v1.0", header, (general, line, _ATTACHMENTS), hooks)
