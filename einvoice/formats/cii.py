"""UN/CEFACT Cross Industry Invoice (D16B, D22B), as EN 16931-3-3, XRechnung and Factur-X bind it: rows and format."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any, BinaryIO

from ..config import Strict
from ..errors import ConfigError, UnreadableDocument
from ..exchange import Document, Identity, Read
from ..mapping import Const, Drop, Field, Group, Lens, Map, Row
from ..model import Invoice, Means
from ._lenses import TERMS
from ._xml import encode, load, parse
from ._xml_read import Context, TreeReader
from ._xml_write import Writer, absent, compile_writer

_UN = "urn:un:unece:uncefact:data:standard:"
_PREFIXES = {
    "rsm": f"{_UN}CrossIndustryInvoice:100",
    "qdt": f"{_UN}QualifiedDataType:100",
    "ram": f"{_UN}ReusableAggregateBusinessInformationEntity:100",
    "udt": f"{_UN}UnqualifiedDataType:100",
}
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
#: BT-24 by profile name.
PROFILES = {
    "en16931": "urn:cen.eu:en16931:2017",
    "xrechnung": "urn:cen.eu:en16931:2017#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0",
    "facturx-minimum": "urn:factur-x.eu:1p0:minimum",
    "facturx-basicwl": "urn:factur-x.eu:1p0:basicwl",
    "facturx-basic": "urn:cen.eu:en16931:2017#compliant#urn:factur-x.eu:1p0:basic",
    "facturx-extended": "urn:cen.eu:en16931:2017#conformant#urn:factur-x.eu:1p0:extended",
}


class Cii(Strict):
    """Settings of the CII format."""

    profile: str = ""
    """Sets BT-24 to this profile's; empty keeps what the invoice states (EN 16931 where it is silent)."""


# --- lenses -----------------------------------------------------------------------------------------------------------


def _day(text: str) -> date:
    if not re.fullmatch(r"\d{8}", text, re.ASCII):
        raise ValueError(f"{text[:40]!r} is not a date of format 102, YYYYMMDD")
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        raise ValueError(f"{text!r} is not a calendar date") from None


DAY = Lens(lambda day: f"{day:%Y%m%d}" if day.year >= 1000 else f"{day.year:04}{day:%m%d}", _day)
TRUE = Lens(lambda flag: "true" if flag else None, lambda text: text in ("true", "1") or None, exact=False)
DETAIL = Lens(lambda kind: kind.upper(), lambda text: text.lower())


# --- rows -------------------------------------------------------------------------------------------------------------


def _date(term: str, path: str, leaf: str = "udt:DateTimeString") -> tuple[Row, ...]:
    """A date of format 102, YYYYMMDD."""
    return (Field(term, f"{path}/{leaf}", lens=DAY), Const(f"{path}/{leaf}/@format", "102", select=False))


def _document(path: str, term: str, day: str = "") -> tuple[Row, ...]:
    number = Field(term, f"{path}/ram:IssuerAssignedID")
    return (number, *(_date(day, f"{path}/ram:FormattedIssueDateTime", "qdt:DateTimeString") if day else ()))


def _address(scope: str) -> tuple[Row, ...]:
    path = "ram:PostalTradeAddress"
    names = (
        ("postcode", "PostcodeCode"), ("line_1", "LineOne"), ("line_2", "LineTwo"), ("line_3", "LineThree"),
        ("city", "CityName"), ("country", "CountryID"), ("subdivision", "CountrySubDivisionName"),
    )  # fmt: skip
    return tuple(Field(f"{scope}.{leaf}", f"{path}/ram:{name}") for leaf, name in names)


def _contact(scope: str) -> tuple[Row, ...]:
    path = "ram:DefinedTradeContact"
    return (
        Field(f"{scope}.name", f"{path}/ram:PersonName"),
        Field(f"{scope}.department", f"{path}/ram:DepartmentName"),
        Field(f"{scope}.phone", f"{path}/ram:TelephoneUniversalCommunication/ram:CompleteNumber"),
        Field(f"{scope}.fax", f"{path}/ram:FaxUniversalCommunication/ram:CompleteNumber"),
        Field(f"{scope}.email", f"{path}/ram:EmailURIUniversalCommunication/ram:URIID"),
    )


def _party() -> tuple[Row, ...]:
    registration = "ram:SpecifiedTaxRegistration"
    return (
        Group("ram:ID", (Field("value"),), "identifiers[]", many=True, when="plain_id"),
        Group("ram:GlobalID", (Field("value"), Field("scheme", "@schemeID")), "identifiers[]", many=True,
              when="global_id"),
        Field("name", "ram:Name"),
        Field("legal_info", "ram:Description"),
        Field("legal_id.value", "ram:SpecifiedLegalOrganization/ram:ID"),
        Field("legal_id.scheme", "ram:SpecifiedLegalOrganization/ram:ID/@schemeID"),
        Field("trading_name", "ram:SpecifiedLegalOrganization/ram:TradingBusinessName"),
        *_contact("contact"),
        *_address("address"),
        Field("endpoint.value", "ram:URIUniversalCommunication/ram:URIID"),
        Field("endpoint.scheme", "ram:URIUniversalCommunication/ram:URIID/@schemeID"),
        Group(registration, (Field("vat_id", "ram:ID"), Const("ram:ID/@schemeID", "VA"))),
        Group(registration, (Field("tax_id", "ram:ID"), Field("tax_id_scheme", "ram:ID/@schemeID", default="FC"))),
        Group(registration, (Field("id", "ram:ID"), Field("scheme", "ram:ID/@schemeID", default="FC")),
              "tax_registrations[]", many=True),
    )  # fmt: skip


def _tax(amounts: bool, points: bool) -> tuple[Row, ...]:
    head = (Field("amount", "ram:CalculatedAmount"),) if amounts else ()
    base = (Field("base", "ram:BasisAmount"),) if amounts else ()
    point = (
        (*_date("BT-7", "ram:TaxPointDate", "udt:DateString"), Field("BT-8", "ram:DueDateTypeCode")) if points else ()
    )
    extra = (
        Drop("ram:LineTotalBasisAmount", "Factur-X EXTENDED: follows from the lines of the rate"),
        Drop("ram:AllowanceChargeBasisAmount", "Factur-X EXTENDED: follows from the charges of the rate"),
    )
    return (
        *head,
        Field("scheme", "ram:TypeCode", default="VAT"),
        Field("exemption_reason", "ram:ExemptionReason"),
        *base,
        *(extra if amounts else ()),
        Field("category", "ram:CategoryCode"),
        Field("exemption_code", "ram:ExemptionReasonCode"),
        *point,
        Field("rate", "ram:RateApplicablePercent"),
    )


def _allowance(term: str, charge: str, taxes: bool) -> Group:
    tax = Group("ram:CategoryTradeTax", _tax(amounts=False, points=False), "taxes[]", many=True)
    return Group("ram:SpecifiedTradeAllowanceCharge", (
        Const("ram:ChargeIndicator/udt:Indicator", charge),
        Field("percent", "ram:CalculationPercent"),
        Field("base", "ram:BasisAmount"),
        Field("amount", "ram:ActualAmount"),
        Field("reason_code", "ram:ReasonCode"),
        Field("reason", "ram:Reason"),
        *((tax,) if taxes else ()),
    ), term, many=True)  # fmt: skip


def _line() -> tuple[Row, ...]:
    document, product = "ram:AssociatedDocumentLineDocument", "ram:SpecifiedTradeProduct"
    settlement = "ram:SpecifiedLineTradeSettlement"
    return (
        Field("BT-126", f"{document}/ram:LineID"),
        Field("EX-80", f"{document}/ram:ParentLineID"),
        Field("EX-81", f"{document}/ram:LineStatusReasonCode", lens=DETAIL),
        Field("BT-127", f"{document}/ram:IncludedNote/ram:Content"),
        Field("item.standard_id.value", f"{product}/ram:GlobalID"),
        Field("item.standard_id.scheme", f"{product}/ram:GlobalID/@schemeID"),
        Field("BT-155", f"{product}/ram:SellerAssignedID"),
        Field("BT-156", f"{product}/ram:BuyerAssignedID"),
        Field("BT-153", f"{product}/ram:Name"),
        Field("BT-154", f"{product}/ram:Description"),
        Group(f"{product}/ram:ApplicableProductCharacteristic",
              (Field("name", "ram:Description"), Field("value", "ram:Value")), "item.attributes[]", many=True),
        Group(f"{product}/ram:DesignatedProductClassification", (
            Field("code", "ram:ClassCode"),
            Field("scheme", "ram:ClassCode/@listID"),
            Field("version", "ram:ClassCode/@listVersionID"),
        ), "item.classifications[]", many=True),
        Field("BT-159", f"{product}/ram:OriginTradeCountry/ram:ID"),
        Group("ram:SpecifiedLineTradeAgreement", (
            Field("EX-82", "ram:BuyerOrderReferencedDocument/ram:IssuerAssignedID"),
            Field("BT-132", "ram:BuyerOrderReferencedDocument/ram:LineID"),
            *_date("EX-83", "ram:BuyerOrderReferencedDocument/ram:FormattedIssueDateTime", "qdt:DateTimeString"),
            Field("EX-85", "ram:ContractReferencedDocument/ram:IssuerAssignedID"),
            Group("ram:GrossPriceProductTradePrice", (
                Field("BT-148", "ram:ChargeAmount"),
                Field("BT-149", "ram:BasisQuantity"),
                Field("BT-150", "ram:BasisQuantity/@unitCode"),
                Group("ram:AppliedTradeAllowanceCharge", (
                    Const("ram:ChargeIndicator/udt:Indicator", "false"), Field("BT-147", "ram:ActualAmount"))),
            ), when="has_gross"),
            Group("ram:NetPriceProductTradePrice", (
                Field("BT-146", "ram:ChargeAmount"),
                Field("BT-149", "ram:BasisQuantity"),
                Field("BT-150", "ram:BasisQuantity/@unitCode"),
            )),
        ), always=True),
        Group("ram:SpecifiedLineTradeDelivery", (
            Field("BT-129", "ram:BilledQuantity"),
            Field("BT-130", "ram:BilledQuantity/@unitCode"),
            *_date("EX-91", "ram:ActualDeliverySupplyChainEvent/ram:OccurrenceDateTime"),
            Field("EX-88", "ram:DespatchAdviceReferencedDocument/ram:IssuerAssignedID"),
            Field("EX-89", "ram:DespatchAdviceReferencedDocument/ram:LineID"),
        ), always=True),
        Group(settlement, (
            Group("ram:ApplicableTradeTax", _tax(amounts=False, points=False), "BG-30", many=True),
            *_date("BT-134", "ram:BillingSpecifiedPeriod/ram:StartDateTime"),
            *_date("BT-135", "ram:BillingSpecifiedPeriod/ram:EndDateTime"),
            _allowance("BG-27", "false", taxes=False),
            _allowance("BG-28", "true", taxes=False),
            Field("BT-131", "ram:SpecifiedTradeSettlementLineMonetarySummation/ram:LineTotalAmount"),
            Drop("ram:SpecifiedTradeSettlementLineMonetarySummation/ram:TotalAllowanceChargeAmount",
                 "Factur-X EXTENDED: follows from the line's allowances and charges"),
            Group("ram:AdditionalReferencedDocument", (
                Field("object.value", "ram:IssuerAssignedID"),
                Const("ram:TypeCode", "130"),
                Field("object.scheme", "ram:ReferenceTypeCode"),
            )),
            Field("BT-133", "ram:ReceivableSpecifiedTradeAccountingAccount/ram:ID"),
        ), always=True),
    )  # fmt: skip


def _agreement() -> Group:
    additional = "ram:AdditionalReferencedDocument"
    return Group("ram:ApplicableHeaderTradeAgreement", (
        Field("BT-10", "ram:BuyerReference"),
        Group("ram:SellerTradeParty", _party(), "BG-4"),
        Group("ram:BuyerTradeParty", _party(), "BG-7"),
        Group("ram:SellerTaxRepresentativeTradeParty", _party(), "BG-11"),
        *_document("ram:SellerOrderReferencedDocument", "BT-14"),
        *_document("ram:BuyerOrderReferencedDocument", "BT-13", "EX-12"),
        *_document("ram:ContractReferencedDocument", "BT-12", "EX-10"),
        Group(additional, (Field("BT-17", "ram:IssuerAssignedID"), Const("ram:TypeCode", "50"))),
        Group(additional, (
            Field("BT-18", "ram:IssuerAssignedID"), Const("ram:TypeCode", "130"),
            Field("BT-18-1", "ram:ReferenceTypeCode"))),
        Group(additional, (
            Field("id", "ram:IssuerAssignedID"),
            Field("uri", "ram:URIID"),
            Field("type_code", "ram:TypeCode", filler="916"),
            Field("description", "ram:Name"),
            Field("content", "ram:AttachmentBinaryObject"),
            Field("mime", "ram:AttachmentBinaryObject/@mimeCode"),
            Field("filename", "ram:AttachmentBinaryObject/@filename"),
        ), "BG-24", many=True),
        Field("BT-11", "ram:SpecifiedProcuringProject/ram:ID"),
        Const("ram:SpecifiedProcuringProject/ram:Name", "Project reference", select=False),
    ), always=True)  # fmt: skip


def _delivery() -> Group:
    to = "ram:ShipToTradeParty"
    return Group("ram:ApplicableHeaderTradeDelivery", (
        Group(to, (
            Group("ram:ID", (Field("BT-71"),), when="plain_location", choose="no_scheme"),
            Group("ram:GlobalID", (Field("BT-71"), Field("BT-71-1", "@schemeID")), when="global_location"),
            Field("BT-70", "ram:Name"),
            *_address("delivery.address"),
        )),
        *_date("BT-72", "ram:ActualDeliverySupplyChainEvent/ram:OccurrenceDateTime"),
        *_document("ram:DespatchAdviceReferencedDocument", "BT-16"),
        *_document("ram:ReceivingAdviceReferencedDocument", "BT-15"),
    ), always=True)  # fmt: skip


def _means() -> Group:
    account = "ram:PayeePartyCreditorFinancialAccount"
    return Group("ram:SpecifiedTradeSettlementPaymentMeans", (
        Field("code", "ram:TypeCode"),
        Field("text", "ram:Information"),
        Field("card.number", "ram:ApplicableTradeSettlementFinancialCard/ram:ID"),
        Field("card.holder", "ram:ApplicableTradeSettlementFinancialCard/ram:CardholderName"),
        Field("debit.account", "ram:PayerPartyDebtorFinancialAccount/ram:IBANID"),
        Group(account, (
            Group("ram:IBANID", (Field("account.id"),), when="is_iban"),
            Field("account.name", "ram:AccountName"),
            Group("ram:ProprietaryID", (Field("account.id"),), when="is_account"),
        )),
        Field("account.bic", "ram:PayeeSpecifiedCreditorFinancialInstitution/ram:BICID"),
    ), "BG-16", many=True)  # fmt: skip


def _settlement() -> Group:
    terms, sums = "ram:SpecifiedTradePaymentTerms", "ram:SpecifiedTradeSettlementHeaderMonetarySummation"
    return Group("ram:ApplicableHeaderTradeSettlement", (
        Field("BT-90", "ram:CreditorReferenceID"),
        Field("BT-83", "ram:PaymentReference"),
        Field("BT-6", "ram:TaxCurrencyCode"),
        Field("BT-5", "ram:InvoiceCurrencyCode"),
        Group("ram:PayeeTradeParty", _party(), "BG-10"),
        _means(),
        Group("ram:ApplicableTradeTax", _tax(amounts=True, points=True), "BG-23", many=True, when="charged"),
        *_date("BT-73", "ram:BillingSpecifiedPeriod/ram:StartDateTime"),
        *_date("BT-74", "ram:BillingSpecifiedPeriod/ram:EndDateTime"),
        _allowance("BG-20", "false", taxes=True),
        _allowance("BG-21", "true", taxes=True),
        Field("BT-20", f"{terms}/ram:Description", lens=TERMS),
        *_date("BT-9", f"{terms}/ram:DueDateDateTime"),
        Field("@mandate", f"{terms}/ram:DirectDebitMandateID"),
        Group(f"{terms}/ram:ApplicableTradePaymentDiscountTerms", (
            Field("days", "ram:BasisPeriodMeasure"),
            Const("ram:BasisPeriodMeasure/@unitCode", "DAY", select=False),
            Field("base", "ram:BasisAmount"),
            Field("percent", "ram:CalculationPercent"),
            Field("amount", "ram:ActualDiscountAmount"),
        ), "payment.discounts[]", many=True),
        Field("BT-106", f"{sums}/ram:LineTotalAmount"),
        Field("BT-108", f"{sums}/ram:ChargeTotalAmount"),
        Field("BT-107", f"{sums}/ram:AllowanceTotalAmount"),
        Field("BT-109", f"{sums}/ram:TaxBasisTotalAmount"),
        Group(f"{sums}/ram:TaxTotalAmount", (Field("BT-110"), Field("@currency", "@currencyID")),
              choose="document_tax"),
        Group(f"{sums}/ram:TaxTotalAmount", (Field("BT-111"), Field("@tax_currency", "@currencyID")),
              choose="accounting_tax"),
        Field("BT-114", f"{sums}/ram:RoundingAmount"),
        Field("BT-112", f"{sums}/ram:GrandTotalAmount"),
        Field("BT-113", f"{sums}/ram:TotalPrepaidAmount"),
        Field("BT-115", f"{sums}/ram:DuePayableAmount"),
        Group("ram:InvoiceReferencedDocument", (
            Field("id", "ram:IssuerAssignedID"),
            *_date("issue_date", "ram:FormattedIssueDateTime", "qdt:DateTimeString"),
        ), "BG-3", many=True),
        Field("BT-19", "ram:ReceivableSpecifiedTradeAccountingAccount/ram:ID"),
    ), always=True)  # fmt: skip


def _under(path: str, group: Group) -> Group:
    return replace(group, path=f"{path}/{group.path}")


@cache
def table() -> Map:
    """The table of CrossIndustryInvoice."""
    context, transaction = "rsm:ExchangedDocumentContext", "rsm:SupplyChainTradeTransaction"
    rows: tuple[Row, ...] = (
        Drop(f"{context}/ram:TestIndicator", "einvoice: the environment belongs to the transmission"),
        Field("BT-23", f"{context}/ram:BusinessProcessSpecifiedDocumentContextParameter/ram:ID"),
        Field("BT-24", f"{context}/ram:GuidelineSpecifiedDocumentContextParameter/ram:ID",
              default=PROFILES["en16931"]),
        Group("rsm:ExchangedDocument", (
            Field("BT-1", "ram:ID", required=True),
            Drop("ram:Name", "Factur-X: the document's title, which follows from its type"),
            Field("BT-3", "ram:TypeCode", required=True),
            *_date("BT-2", "ram:IssueDateTime"),
            Field("EX-7", "ram:CopyIndicator/udt:Indicator", lens=TRUE),
            Field("EX-2", "ram:LanguageID"),
            Group("ram:IncludedNote", (
                Drop("ram:ContentCode", "Factur-X: a code that stands for the content"),
                Field("text", "ram:Content"), Field("subject_code", "ram:SubjectCode")), "BG-1", many=True),
        )),
        Group(f"{transaction}/ram:IncludedSupplyChainTradeLineItem", _line(), "BG-25", many=True),
        *(_under(transaction, part) for part in (_agreement(), _delivery(), _settlement())),
    )  # fmt: skip
    return Map("rsm:CrossIndustryInvoice", rows, _PREFIXES, money="", hooks=_HOOKS)


# --- hooks ------------------------------------------------------------------------------------------------------------


def _begin(context: Context) -> None:
    ram = _PREFIXES["ram"]
    for attribute, name in (("currency", "InvoiceCurrencyCode"), ("tax_currency", "TaxCurrencyCode")):
        text = context.element.findtext(f".//{{{ram}}}{name}")
        setattr(context, attribute, text.strip() if text and text.strip() else None)


def _accounting_tax(element: Any, context: Context) -> bool:
    other = context.tax_currency not in (None, context.currency)
    return other and element.get("currencyID") == context.tax_currency


def _after(context: Context) -> None:
    """The mandate (BT-89) stands in the payment terms here, and with its means of payment in the model."""
    mandate = context.meta.get("mandate")
    means = context.root.get("payment", {}).get("means", [])
    if mandate and not means:
        means = context.root.setdefault("payment", {}).setdefault("means", [{}])
    for one in means:
        if mandate and (len(means) == 1 or "debit" in one or one.get("code") in ("49", "59")):
            one.setdefault("debit", {})["mandate"] = mandate
    for name, total in (("currency", "tax"), ("tax_currency", "tax_accounting")):
        stated = context.meta.get(name, "")
        if stated != (getattr(context, name) or "") and (stated or total in context.root.get("totals", {})):
            said = f"is in {stated!r}" if stated else "states no currency"
            context.say("EINV-READ-06", f"the tax total {said}, the document is in {getattr(context, name)!r}",
                        context.element, found=stated, fix="state it in one currency")  # fmt: skip


def _mandate(invoice: Invoice) -> str | None:
    means: tuple[Means, ...] = invoice.payment.means if invoice.payment else ()
    return next((one.debit.mandate for one in means if one.debit and one.debit.mandate), None)


def _is_iban(means: Any) -> bool:
    account = means.account
    return bool(account and account.id and re.match(r"[A-Z]{2}\d{2}[A-Z0-9 ]{8,}$", account.id))


def _located(invoice: Invoice, scheme: bool) -> bool:
    location = invoice.delivery.location if invoice.delivery else None
    return bool(location and location.value and bool(location.scheme) is scheme)


_HOOKS: Mapping[str, Callable[..., Any]] = {
    "after": _after,
    "plain_id": lambda one, invoice: not one.scheme,
    "global_id": lambda one, invoice: bool(one.scheme),
    "plain_location": lambda view, invoice: _located(invoice, scheme=False),
    "global_location": lambda view, invoice: _located(invoice, scheme=True),
    "no_scheme": lambda element, context: True,
    "has_gross": lambda line, invoice: bool(
        line.price and (line.price.gross is not None or line.price.discount is not None)
    ),
    "is_iban": lambda means, invoice: _is_iban(means),
    "is_account": lambda means, invoice: not _is_iban(means),
    "charged": lambda tax, invoice: tax.effect in (None, "charged"),
    "document_tax": lambda element, context: not _accounting_tax(element, context),
    "accounting_tax": _accounting_tax,
}


# --- the format -------------------------------------------------------------------------------------------------------


@cache
def _writer() -> Writer:
    return compile_writer(table())


@cache
def _reader() -> TreeReader:
    return TreeReader(table(), "cii", _begin)


class CiiFormat:
    """Reads and writes CII; ``write`` raises UnreadableDocument when a text cannot stand in XML."""

    name = "cii"

    def __init__(self, settings: Cii | None = None) -> None:
        self.settings = settings or Cii()

    def write(self, invoice: Invoice, ids: Identity) -> Document:
        if self.settings.profile:
            invoice = invoice.model_copy(update={"specification": PROFILES[self.settings.profile]})
        meta = {"mandate": _mandate(invoice), "currency": invoice.currency, "tax_currency": invoice.tax_currency}
        text, missing = _writer()(invoice, {name: value for name, value in meta.items() if value}, False)
        losses = absent(missing)
        return Document(encode(_DECLARATION + text), "cii", "application/xml", f"{ids.payload_id}.xml", losses)

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        data = load(stream)
        root = parse(data)
        if root.tag != _reader().tag:
            raise UnreadableDocument(f"the root element is {root.tag!r}, not CrossIndustryInvoice", where="line 1",
                                     fix="send CII D16B or later")  # fmt: skip
        yield _reader().read(root, lambda: parse(data))


def variant(name: str) -> dict[str, str]:
    """Settings of ``cii:NAME``."""
    if name not in PROFILES:
        raise ConfigError(f"CII has no profile {name!r}", fix=f"choose one of {', '.join(PROFILES)}")
    return {"profile": name}


FORMAT, SETTINGS = CiiFormat, Cii
