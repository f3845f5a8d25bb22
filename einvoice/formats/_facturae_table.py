"""The rows of Facturae 3.2.2: one table, both ways. Names and order follow Facturaev3_2_2.xsd.

What a row cannot say (parties by kind, instalments, centres, what follows from other values) is in
``_facturae_shape``; ``@name`` values are made and taken there.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Any

from lxml import etree

from ..codes.crosswalks import crosswalk
from ..mapping import Const, Field, Group, Lens, Map, Row
from ._facturae_shape import HOOKS, REGISTRATION_LABELS
from ._xml import escape

NAMESPACE = "http://www.facturae.gob.es/formato/Versiones/Facturaev3_2_2.xml"
#: Code and description of a correction stand side by side (ReasonCodeType, ReasonDescriptionType).
REASONS = {
    "01": "Número de la factura", "02": "Serie de la factura", "03": "Fecha expedición",
    "04": "Nombre y apellidos/Razón Social-Emisor", "05": "Nombre y apellidos/Razón Social-Receptor",
    "06": "Identificación fiscal Emisor/obligado", "07": "Identificación fiscal Receptor",
    "08": "Domicilio Emisor/Obligado", "09": "Domicilio Receptor", "10": "Detalle Operación",
    "11": "Porcentaje impositivo a aplicar", "12": "Cuota tributaria a aplicar", "13": "Fecha/Periodo a aplicar",
    "14": "Clase de factura", "15": "Literales legales", "16": "Base imponible",
    "80": "Cálculo de cuotas repercutidas", "81": "Cálculo de cuotas retenidas",
    "82": "Base imponible modificada por devolución de envases / embalajes",
    "83": "Base imponible modificada por descuentos y bonificaciones",
    "84": "Base imponible modificada por resolución firme, judicial o administrativa",
    "85": "Base imponible modificada cuotas repercutidas no satisfechas. Auto de declaración de concurso",
}  # fmt: skip
METHODS = {
    "01": "Rectificación íntegra", "02": "Rectificación por diferencias",
    "03": "Rectificación por descuento por volumen de operaciones durante un periodo",
    "04": "Autorizadas por la Agencia Tributaria",
}  # fmt: skip

_NUMBER = re.compile(r"\d+(?:\.\d+)?", re.ASCII)


# --- lenses -----------------------------------------------------------------------------------------------------------


def _described(texts: dict[str, str]) -> Lens:
    codes = {text.casefold(): code for code, text in texts.items()}
    return Lens(texts.get, lambda text: codes.get(text.casefold()))


def _alpha2(text: str) -> str:
    found = crosswalk("iso3166_alpha3").back(text)
    if found is None:
        raise ValueError(f"{text[:40]!r} is not an ISO 3166-1 alpha-3 country code")
    return found


@lru_cache(256)
def _unit(code: str) -> str:
    """The unit, also of a package whose code lacks the X before it; 05 is any other."""
    walk = crosswalk("facturae_units")
    return walk.to(code) or walk.to(f"X{code}") or "05"


def _unit_back(text: str) -> str:
    found = crosswalk("facturae_units").back(text)
    if found is None:
        raise ValueError(f"{text[:40]!r} is not a Facturae unit of measure")
    return found


#: EN 16931 knows the taxes of the Canaries, and of Ceuta and Melilla, as categories of VAT.
_REGIONAL = {"L": "03", "M": "02"}
_CATEGORIES = {code: category for category, code in _REGIONAL.items()}


@lru_cache(256)
def _tax_type(scheme: str | None, category: str | None) -> str:
    if scheme in (None, "VAT"):
        return _REGIONAL.get(category or "", "01")
    return crosswalk("facturae_taxes").to(scheme or "") or "05"


def _tax_back(text: str) -> tuple[str, str | None]:
    if text in _CATEGORIES:
        return "VAT", _CATEGORIES[text]
    found = crosswalk("facturae_taxes").back(text)
    if found is None:
        raise ValueError(f"{text[:40]!r} is not a Facturae tax type")
    return found, None


def _named(name: str | None, description: str | None) -> str | None:
    return f"{name}\n{description}" if name and description else name or description


def _place_back(text: str) -> tuple[str | None, str | None]:
    """Post code and town of an address abroad, where the first word has a digit and the others have none.

    >>> _place_back("75001 Paris"), _place_back("SW1A 1AA London"), _place_back("Dublin")
    (('75001', 'Paris'), (None, 'SW1A 1AA London'), (None, 'Dublin'))
    """
    match = re.fullmatch(r"(\S*\d\S*) (\D+)", text)
    return (match[1], match[2]) if match else (None, text)


def _registration_to(text: str) -> str | None:
    """RegistrationData of a text such as ``Hoja: M-1; Folio: 2``; None where it is no such text."""
    parts: dict[str, str] = {}
    for piece in text.split("; "):
        label, mark, value = piece.partition(": ")
        if not mark or label not in REGISTRATION_LABELS or len(value) > 20:
            return (
                None if len(text) > 20 else f"<AdditionalRegistrationData>{escape(text)}</AdditionalRegistrationData>"
            )
        parts[REGISTRATION_LABELS[label]] = value
    return "".join(f"<{name}>{escape(parts[name])}</{name}>" for name in REGISTRATION_LABELS.values() if name in parts)


def _registration_back(element: Any) -> str | None:
    labels = {name: label for label, name in REGISTRATION_LABELS.items()}
    stated = [(etree.QName(child).localname, (child.text or "").strip()) for child in element]
    if [name for name, _ in stated] == ["AdditionalRegistrationData"] and ": " not in stated[0][1]:
        return stated[0][1] or None
    return "; ".join(f"{labels.get(name, name)}: {text}" for name, text in stated if text) or None


ALPHA3 = Lens(lambda code: crosswalk("iso3166_alpha3").to(code), _alpha2)
UNIT = Lens(_unit, _unit_back)
TAX = Lens(_tax_type, _tax_back, also="category")
EVENT = Lens(lambda category: "02" if category == "O" else "01", lambda text: {"01": "E", "02": "O"}.get(text))
NAMED = Lens(_named, lambda text: (text.partition("\n")[0], text.partition("\n")[2] or None), also="description")
SITUATED = Lens(lambda code, city: " ".join(part for part in (code, city) if part), _place_back, also="city")
#: Fifteen characters are the limit: what only separates digits goes first.
PHONE = Lens(lambda text: text if len(text) <= 15 else re.sub(r"[ ()./-]", "", text), lambda text: text)
NUMBERED = Lens(
    lambda text: text if (text.isascii() and text.isdigit()) or _NUMBER.fullmatch(text) else None, lambda text: text
)
REGISTERED = Lens(_registration_to, _registration_back)
REASON, METHOD = _described(REASONS), _described(METHODS)


# --- rows: parties ----------------------------------------------------------------------------------------------------


def _address(scope: str, spain: str, overseas: str, when: str) -> tuple[Row, ...]:
    country = Field(f"{scope}.country", "CountryCode", lens=ALPHA3, required=True)
    line = Field(f"{scope}.line_1", "Address", required=True)
    return (
        Group(spain, (
            line,
            Field(f"{scope}.postcode", "PostCode", required=True),
            Field(f"{scope}.city", "Town", required=True),
            Field(f"{scope}.subdivision", "Province", required=True),
            country,
        ), when=f"{when}_spain", always=True),
        Group(overseas, (
            line,
            Field(f"{scope}.postcode", "PostCodeAndTown", lens=SITUATED, required=True),
            Field(f"{scope}.subdivision", "Province", filler="-"),
            country,
        ), when=f"{when}_overseas", always=True),
    )  # fmt: skip


def _contact(scope: str, at: str = "") -> tuple[Row, ...]:
    identifiers = f"{at}identifiers[]"
    return (
        Field(f"{scope}.phone", "ContactDetails/Telephone", lens=PHONE),
        Field(f"{scope}.fax", "ContactDetails/TeleFax", lens=PHONE),
        Field(f"{scope}.url", "ContactDetails/WebAddress"),
        Field(f"{scope}.email", "ContactDetails/ElectronicMail"),
        Field(f"{scope}.name", "ContactDetails/ContactPersons"),
        Group("ContactDetails/CnoCnae", (Field("value"),), identifiers, many=True, when="is_cnae",
              states=("scheme", "CNAE")),
        Group("ContactDetails/INETownCode", (Field("value"),), identifiers, many=True, when="is_ine",
              states=("scheme", "INE")),
        Field(f"{scope}.department", "ContactDetails/AdditionalContactDetails"),
    )  # fmt: skip


def _party(role: str) -> tuple[Row, ...]:
    place = _address("address", "AddressInSpain", "OverseasAddress", "in")
    centres = () if role == "issuer" else (
        Group("PartyIdentification", (Field("value"),), "identifiers[]", many=True, when="is_numbered"),
        Group("AdministrativeCentres/AdministrativeCentre", _centre(), each=f"{role}_centres", many=True),
    )  # fmt: skip
    return (
        Group("TaxIdentification", (
            Field(f"@{role}_person", "PersonTypeCode", required=True),
            Field(f"@{role}_residence", "ResidenceTypeCode", required=True),
            Field(f"@{role}_tax", "TaxIdentificationNumber", required=True),
        ), always=True),
        *centres,
        Group("LegalEntity", (
            Field("name", "CorporateName", required=True),
            Field("trading_name", "TradeName"),
            Field("legal_info", "RegistrationData", lens=REGISTERED, raw=True),
            *place,
            *_contact("contact"),
        ), when="is_entity", always=True),
        Group("Individual", (
            Field("given_name", "Name", required=True),
            Field("family_name", "FirstSurname", required=True),
            Field("second_family_name", "SecondSurname"),
            *place,
            *_contact("contact"),
        ), when="is_person", always=True),
    )  # fmt: skip


def _centre() -> tuple[Row, ...]:
    """A centre, seen as an invoice whose seller it is: code and role stand in ``series`` and ``operation``."""
    return (
        Field("series", "CentreCode"),
        Field("operation", "RoleTypeCode"),
        Field("seller.name", "Name"),
        Field("seller.family_name", "FirstSurname"),
        Field("seller.second_family_name", "SecondSurname"),
        *_address("seller.address", "AddressInSpain", "OverseasAddress", "seller_in"),
        *_contact("seller.contact", "seller."),
        Field("seller.endpoint.value", "PhysicalGLN"),
        Field("seller.trading_name", "LogicalOperationalPoint"),
        Field("seller.legal_info", "CentreDescription"),
    )


# --- rows: the document -----------------------------------------------------------------------------------------------


def _header() -> tuple[Row, ...]:
    return (
        Const("SchemaVersion", "3.2.2", select=False, clause="Facturae: written as 3.2.2"),
        Field("@modality", "Modality"),
        Field("@issuer_type", "InvoiceIssuerType"),
        Group("ThirdParty", _party("issuer"), "issuer"),
        Field("@batch", "Batch/BatchIdentifier"),
        Field("@count", "Batch/InvoicesCount"),
        Field("@total_invoices", "Batch/TotalInvoicesAmount/TotalAmount"),
        Field("@total_outstanding", "Batch/TotalOutstandingAmount/TotalAmount"),
        Field("@total_executable", "Batch/TotalExecutableAmount/TotalAmount"),
        Field("@batch_currency", "Batch/InvoiceCurrencyCode", required=True),
    )


def _corrective() -> Group:
    return Group("InvoiceHeader/Corrective", (
        Field("id", "InvoiceNumber"),
        Field("series", "InvoiceSeriesCode"),
        Field("reason_code", "ReasonCode", required=True),
        Field("reason_code", "ReasonDescription", lens=REASON, required=True),
        Field("period.start", "TaxPeriod/StartDate", required=True),
        Field("period.end", "TaxPeriod/EndDate", required=True),
        Field("method", "CorrectionMethod", required=True),
        Field("method", "CorrectionMethodDescription", lens=METHOD, required=True),
        Field("reason", "AdditionalReasonDescription"),
        Field("issue_date", "InvoiceIssueDate"),
    ), "BG-3", many=True, when="corrected", always=True)  # fmt: skip


def _issue() -> Group:
    return Group("InvoiceIssueData", (
        Field("BT-2", "IssueDate", required=True),
        Field("BT-72", "OperationDate"),
        Field("@place_postcode", "PlaceOfIssue/PostCode"),
        Field("@place", "PlaceOfIssue/PlaceOfIssueDescription"),
        Group("InvoicingPeriod", (
            Field("BT-73", "StartDate", required=True), Field("BT-74", "EndDate", required=True)), when="has_period"),
        Field("BT-5", "InvoiceCurrencyCode", required=True),
        Group("ExchangeRateDetails", (
            Field("rate", "ExchangeRate", required=True), Field("date", "ExchangeRateDate", required=True)),
            "exchange_rates[]", many=True, when="to_tax_currency"),
        Field("BT-6", "TaxCurrencyCode", fallback="BT-5", required=True),
        Field("EX-2", "LanguageName", required=True),
        Field("@description", "InvoiceDescription"),
        Field("BT-13", "ReceiverTransactionReference"),
        Field("BT-17", "FileReference"),
        Field("BT-12", "ReceiverContractReference"),
    ))  # fmt: skip


def _taxes(path: str, term: str, when: str) -> Group:
    charged = (
        Field("surcharge_rate", "EquivalenceSurcharge"),
        Field("surcharge_amount", "EquivalenceSurchargeAmount/TotalAmount", signed=True),
    )
    return Group(f"{path}/Tax", (
        Field("scheme", "TaxTypeCode", lens=TAX, default="01"),
        Field("rate", "TaxRate", required=True),
        Field("base", "TaxableBase/TotalAmount", signed=True, required=True),
        Field("amount", "TaxAmount/TotalAmount", signed=True),
        *(charged if when == "charged" else ()),
    ), term, many=True, when=when, states=("effect", "withheld") if when == "withheld" else None)  # fmt: skip


def _reductions(path: str, name: str, term: str) -> Group:
    return Group(f"{path}/{name}", (
        Field("reason", f"{name}Reason", filler="-"),
        Field("percent", f"{name}Rate"),
        Field("amount", f"{name}Amount", signed=True, required=True),
    ), term, many=True)  # fmt: skip


def _totals() -> Group:
    return Group("InvoiceTotals", (
        Field("BT-106", "TotalGrossAmount", signed=True, required=True),
        _reductions("GeneralDiscounts", "Discount", "BG-20"),
        _reductions("GeneralSurcharges", "Charge", "BG-21"),
        Field("BT-107", "TotalGeneralDiscounts", signed=True),
        Field("BT-108", "TotalGeneralSurcharges", signed=True),
        Field("BT-109", "TotalGrossAmountBeforeTaxes", signed=True, required=True),
        Field("BT-110", "TotalTaxOutputs", signed=True, required=True),
        Field("EX-70", "TotalTaxesWithheld", signed=True, default="0.00"),
        Field("@invoice_total", "InvoiceTotal", required=True),
        Group("PaymentsOnAccount/PaymentOnAccount", (
            Field("date", "PaymentOnAccountDate", required=True),
            Field("amount", "PaymentOnAccountAmount", signed=True, required=True),
        ), "payment.prepaid[]", many=True),
        Field("@outstanding", "TotalOutstandingAmount", required=True),
        Field("BT-113", "TotalPaymentsOnAccount", signed=True),
        Field("BT-115", "TotalExecutableAmount", signed=True, required=True),
    ))  # fmt: skip


def _account(path: str, term: str) -> Group:
    return Group(path, (
        Group("IBAN", (Field("id"),), when="is_iban"),
        Group("AccountNumber", (Field("id"),), when="is_number"),
        Field("routing", "BankCode"),
        Field("bic", "BIC"),
    ), term, many=True)  # fmt: skip


def _instalments() -> Group:
    """An instalment, seen as an invoice of that amount: what pays it stands in ``process``."""
    return Group("PaymentDetails/Installment", (
        Field("BT-9", "InstallmentDueDate", required=True),
        Field("BT-115", "InstallmentAmount", signed=True, required=True),
        Field("process", "PaymentMeans", required=True),
        _account("AccountToBeCredited", "seller.accounts[]"),
        Field("BT-83", "PaymentReconciliationReference"),
        _account("AccountToBeDebited", "buyer.accounts[]"),
        Field("BT-20", "CollectionAdditionalInformation"),
    ), each="instalments", many=True)  # fmt: skip


def _line() -> tuple[Row, ...]:
    return (
        Field("EX-111", "IssuerTransactionReference"),
        Field("EX-85", "ReceiverContractReference"),
        Field("EX-87", "ReceiverContractDate"),
        Field("EX-82", "ReceiverTransactionReference"),
        Field("EX-83", "ReceiverTransactionDate"),
        Field("BT-132", "SequenceNumber", lens=NUMBERED),
        Field("EX-88", "DeliveryNotesReferences/DeliveryNote/DeliveryNoteNumber"),
        Field("BT-153", "ItemDescription", lens=NAMED, required=True),
        Field("BT-129", "Quantity", signed=True, required=True),
        Field("BT-130", "UnitOfMeasure", lens=UNIT),
        Field("BT-146", "UnitPriceWithoutTax", required=True),
        Field("EX-112", "TotalCost", signed=True, required=True),
        _reductions("DiscountsAndRebates", "Discount", "BG-27"),
        _reductions("Charges", "Charge", "BG-28"),
        Field("BT-131", "GrossAmount", signed=True, required=True),
        _taxes("TaxesWithheld", "BG-30", "withheld"),
        _taxes("TaxesOutputs", "BG-30", "charged"),
        Group("LineItemPeriod", (
            Field("BT-134", "StartDate", required=True), Field("BT-135", "EndDate", required=True)), when="has_period"),
        Field("EX-91", "TransactionDate"),
        Field("BT-127", "AdditionalLineItemInformation"),
        Group("SpecialTaxableEvent", (
            Field("category", "SpecialTaxableEventCode", lens=EVENT),
            Field("exemption_reason", "SpecialTaxableEventReason", required=True),
        ), "BG-30", many=True, when="untaxed"),
        Field("BT-155", "ArticleCode"),
    )  # fmt: skip


def _invoice() -> tuple[Row, ...]:
    return (
        Field("@number", "InvoiceHeader/InvoiceNumber", required=True),
        Field("EX-420", "InvoiceHeader/InvoiceSeriesCode"),
        Field("@document_type", "InvoiceHeader/InvoiceDocumentType"),
        Field("@class", "InvoiceHeader/InvoiceClass"),
        _corrective(),
        _issue(),
        _taxes("TaxesOutputs", "BG-23", "charged"),
        _taxes("TaxesWithheld", "BG-23", "withheld"),
        _totals(),
        Group("Items/InvoiceLine", _line(), "BG-25", many=True),
        _instalments(),
        Group("LegalLiterals/LegalReference", (Field("text"),), "BG-1", many=True, when="legal",
              states=("subject_code", "REG")),
        Field("@related", "AdditionalData/RelatedInvoice"),
        Group("AdditionalData/RelatedDocuments/Attachment", (
            Field("content_id", "AttachmentCompressionAlgorithm"),
            Field("type_code", "AttachmentFormat"),
            Const("AttachmentEncoding", "BASE64", select=False),
            Field("description", "AttachmentDescription"),
            Field("content", "AttachmentData", required=True),
        ), "BG-24", many=True),
        Group("AdditionalData/InvoiceAdditionalInformation", (Field("text"),), "BG-1", many=True, when="remark"),
    )  # fmt: skip


@cache
def table() -> Map:
    """The table of Facturae with one invoice in it."""
    rows: tuple[Row, ...] = (
        Group("FileHeader", _header(), always=True),
        Group("Parties", (
            Group("SellerParty", _party("seller"), "BG-4", always=True),
            Group("BuyerParty", _party("buyer"), "BG-7", always=True),
        ), always=True),
        Group("Invoices/Invoice", _invoice(), always=True),
    )  # fmt: skip
    return Map("fe:Facturae", rows, {"fe": NAMESPACE}, money="", hooks=HOOKS)
