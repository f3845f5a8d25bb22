"""UN/CEFACT Cross Industry Invoice (D16B, D22B), as EN 16931-3-3, XRechnung and Factur-X bind it: rows and format."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, Literal

from ..config import Strict
from ..errors import Finding, UnreadableDocument
from ..exchange import Document, Identity, Read
from ..mapping import Const, Drop, Field, Group, Lens, Map, Row
from ..model import Invoice, Line, Means, PriceDiscount
from ..specifications import identified, specification
from ..totals import completed
from ._lenses import TERMS
from ._statuses import answers as answers
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


class Cii(Strict):
    """Settings of the CII format."""

    profile: str = ""
    """Name of a specification (specifications.toml), which sets BT-24 and BT-23; empty keeps what the invoice states
    (EN 16931 where it is silent)."""
    absent_totals: Literal["refuse", "compute"] = "refuse"
    """What becomes of a total that the format demands and the invoice leaves out: EDI invoices state no net amount."""


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


def _date(term: str, path: str, leaf: str = "udt:DateTimeString", required: bool = False) -> tuple[Row, ...]:
    """A date of format 102, YYYYMMDD."""
    return (
        Field(term, f"{path}/{leaf}", lens=DAY, required=required),
        Const(f"{path}/{leaf}/@format", "102", select=False),
    )


def _document(path: str, term: str, day: str = "", line: str = "") -> tuple[Row, ...]:
    number = Field(term, f"{path}/ram:IssuerAssignedID")
    return (
        number,
        *((Field(line, f"{path}/ram:LineID"),) if line else ()),
        *(_date(day, f"{path}/ram:FormattedIssueDateTime", "qdt:DateTimeString") if day else ()),
    )


def _place(value: str, scheme: str, plain: str, known: str) -> tuple[Row, ...]:
    """A location by number, under ID, or under GlobalID where the number has a scheme."""
    return (
        Group("ram:ID", (Field(value),), when=plain, choose="no_scheme"),
        Group("ram:GlobalID", (Field(value), Field(scheme, "@schemeID")), when=known),
    )


def _address(scope: str) -> tuple[Row, ...]:
    path = "ram:PostalTradeAddress"
    names = (
        ("postcode", "PostcodeCode"), ("line_1", "LineOne"), ("line_2", "LineTwo"), ("line_3", "LineThree"),
        ("city", "CityName"), ("country", "CountryID"), ("subdivision", "CountrySubDivisionName"),
    )  # fmt: skip
    rows = tuple(Field(f"{scope}.{leaf}", f"ram:{name}", required=leaf == "country") for leaf, name in names)
    return (Group(path, rows, when=f"has_{scope}"),)


def _contact(scope: str) -> tuple[Row, ...]:
    path = "ram:DefinedTradeContact"
    return (
        Field(f"{scope}.name", f"{path}/ram:PersonName"),
        Field(f"{scope}.department", f"{path}/ram:DepartmentName"),
        Field(f"{scope}.phone", f"{path}/ram:TelephoneUniversalCommunication/ram:CompleteNumber"),
        Field(f"{scope}.fax", f"{path}/ram:FaxUniversalCommunication/ram:CompleteNumber"),
        Field(f"{scope}.email", f"{path}/ram:EmailURIUniversalCommunication/ram:URIID"),
    )


def _party(required: bool = False) -> tuple[Row, ...]:
    registration = "ram:SpecifiedTaxRegistration"
    return (
        Group("ram:ID", (Field("value"),), "identifiers[]", many=True, when="plain_id"),
        Group("ram:GlobalID", (Field("value"), Field("scheme", "@schemeID")), "identifiers[]", many=True,
              when="global_id"),
        Field("name", "ram:Name", required=required),
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
        Field("amount", "ram:ActualAmount", required=True),
        Field("reason_code", "ram:ReasonCode"),
        Field("reason", "ram:Reason"),
        *((tax,) if taxes else ()),
    ), term, many=True)  # fmt: skip


def _line() -> tuple[Row, ...]:
    document, product = "ram:AssociatedDocumentLineDocument", "ram:SpecifiedTradeProduct"
    settlement = "ram:SpecifiedLineTradeSettlement"
    return (
        Field("BT-126", f"{document}/ram:LineID", required=True),
        Field("EX-80", f"{document}/ram:ParentLineID"),
        Field("EX-81", f"{document}/ram:LineStatusReasonCode", lens=DETAIL),
        Field("BT-127", f"{document}/ram:IncludedNote/ram:Content"),
        Field("item.standard_id.value", f"{product}/ram:GlobalID"),
        Field("item.standard_id.scheme", f"{product}/ram:GlobalID/@schemeID"),
        Field("BT-155", f"{product}/ram:SellerAssignedID"),
        Field("BT-156", f"{product}/ram:BuyerAssignedID"),
        Field("BT-153", f"{product}/ram:Name", required=True),
        Field("BT-154", f"{product}/ram:Description"),
        Group(f"{product}/ram:ApplicableProductCharacteristic",
              (Field("name", "ram:Description"), Field("value", "ram:Value")), "item.attributes[]", many=True),
        Group(f"{product}/ram:DesignatedProductClassification", (
            Field("code", "ram:ClassCode"),
            Field("scheme", "ram:ClassCode/@listID"),
            Field("version", "ram:ClassCode/@listVersionID"),
        ), "item.classifications[]", many=True),
        Field("BT-159", f"{product}/ram:OriginTradeCountry/ram:ID"),
        Group(f"{product}/ram:IncludedReferencedProduct", (
            Field("standard_id.value", "ram:GlobalID"),
            Field("standard_id.scheme", "ram:GlobalID/@schemeID"),
            Field("seller_id", "ram:SellerAssignedID"),
            Field("name", "ram:Name"),
            Field("quantity", "ram:UnitQuantity"),
            Field("unit", "ram:UnitQuantity/@unitCode"),
        ), "item.components[]", many=True),
        Group("ram:SpecifiedLineTradeAgreement", (
            Field("EX-82", "ram:BuyerOrderReferencedDocument/ram:IssuerAssignedID"),
            Field("BT-132", "ram:BuyerOrderReferencedDocument/ram:LineID"),
            *_date("EX-83", "ram:BuyerOrderReferencedDocument/ram:FormattedIssueDateTime", "qdt:DateTimeString"),
            *_document("ram:QuotationReferencedDocument", "EX-504", "EX-506", "EX-505"),
            Field("EX-85", "ram:ContractReferencedDocument/ram:IssuerAssignedID"),
            Group("ram:AdditionalReferencedDocument", (
                Field("id", "ram:IssuerAssignedID"),
                Field("line", "ram:LineID"),
                Field("type_code", "ram:TypeCode"),
                Field("name", "ram:Name"),
                Field("scheme", "ram:ReferenceTypeCode"),
            ), "documents[]", many=True),
            Group("ram:GrossPriceProductTradePrice", (
                Field("BT-148", "ram:ChargeAmount"),
                Field("BT-149", "ram:BasisQuantity"),
                Field("BT-150", "ram:BasisQuantity/@unitCode"),
                Group("ram:AppliedTradeAllowanceCharge", (
                    Const("ram:ChargeIndicator/udt:Indicator", "false"),
                    Field("BT-147", "ram:ActualAmount"), Field("EX-514", "ram:Reason")), when="one_discount"),
                Group("ram:AppliedTradeAllowanceCharge", (
                    Const("ram:ChargeIndicator/udt:Indicator", "false"),
                    Field("amount", "ram:ActualAmount"), Field("reason", "ram:Reason")),
                    "price.discount_parts[]", many=True),
            ), when="has_gross"),
            Group("ram:NetPriceProductTradePrice", (
                Field("BT-146", "ram:ChargeAmount", required=True),
                Field("BT-149", "ram:BasisQuantity"),
                Field("BT-150", "ram:BasisQuantity/@unitCode"),
            ), when="has_price"),
        ), always=True),
        Group("ram:SpecifiedLineTradeDelivery", (
            Field("BT-129", "ram:BilledQuantity"),
            Field("BT-130", "ram:BilledQuantity/@unitCode"),
            Field("EX-512", "ram:PackageQuantity"),
            Field("EX-513", "ram:PackageQuantity/@unitCode"),
            Group("ram:ShipToTradeParty", (
                *_place("EX-2021", "EX-2022", "line_plain", "line_global"),
                Field("EX-2020", "ram:Name"),
                *_address("deliver_to.address"),
            )),
            *_date("EX-91", "ram:ActualDeliverySupplyChainEvent/ram:OccurrenceDateTime"),
            Field("EX-88", "ram:DespatchAdviceReferencedDocument/ram:IssuerAssignedID"),
            Field("EX-89", "ram:DespatchAdviceReferencedDocument/ram:LineID"),
            *_document("ram:DeliveryNoteReferencedDocument", "EX-501", "EX-503", "EX-502"),
        ), always=True),
        Group(settlement, (
            Group("ram:ApplicableTradeTax", _tax(amounts=False, points=False), "BG-30", many=True, when="charged"),
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
        Group("ram:SellerTradeParty", _party(required=True), "BG-4", always=True),
        Group("ram:BuyerTradeParty", _party(required=True), "BG-7", always=True),
        Group("ram:SellerTaxRepresentativeTradeParty", _party(), "BG-11"),
        *_document("ram:SellerOrderReferencedDocument", "BT-14", "EX-500"),
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
            *_place("BT-71", "BT-71-1", "plain_location", "global_location"),
            Field("BT-70", "ram:Name"),
            *_contact("delivery.contact"),
            *_address("delivery.address"),
            Field("EX-2014", "ram:URIUniversalCommunication/ram:URIID"),
            Field("EX-2015", "ram:URIUniversalCommunication/ram:URIID/@schemeID"),
            Field("EX-2016", "ram:SpecifiedTaxRegistration/ram:ID"),
            Const("ram:SpecifiedTaxRegistration/ram:ID/@schemeID", "VA", select=False),
        )),
        Group("ram:ShipFromTradeParty", _party(), "ship_from"),
        *_date("BT-72", "ram:ActualDeliverySupplyChainEvent/ram:OccurrenceDateTime"),
        *_document("ram:DespatchAdviceReferencedDocument", "BT-16"),
        *_document("ram:ReceivingAdviceReferencedDocument", "BT-15"),
        Group("ram:DeliveryNoteReferencedDocument", (
            Field("id", "ram:IssuerAssignedID"),
            *_date("date", "ram:FormattedIssueDateTime", "qdt:DateTimeString"),
        ), "references[]", many=True, when="is_delivery_note", states=("kind", "DQ")),
    ), always=True)  # fmt: skip


def _means() -> Group:
    account = "ram:PayeePartyCreditorFinancialAccount"
    return Group("ram:SpecifiedTradeSettlementPaymentMeans", (
        Field("code", "ram:TypeCode", required=True),
        Field("text", "ram:Information"),
        Field("card.number", "ram:ApplicableTradeSettlementFinancialCard/ram:ID"),
        Field("card.holder", "ram:ApplicableTradeSettlementFinancialCard/ram:CardholderName"),
        Field("debit.account", "ram:PayerPartyDebtorFinancialAccount/ram:IBANID"),
        Group(account, (
            Group("ram:IBANID", (Field("account.id"),), when="is_iban", choose="like_iban"),
            Group("ram:IBANID", (Field("id"),), "account", when="named_iban", states=("scheme", "IBAN")),
            Field("account.name", "ram:AccountName"),
            Group("ram:ProprietaryID", (Field("account.id"),), when="is_account", choose="unlike_iban"),
            Group("ram:ProprietaryID", (Field("id"),), "account", when="named_other", states=("scheme", "BBAN")),
        )),
        Field("account.bic", "ram:PayeeSpecifiedCreditorFinancialInstitution/ram:BICID"),
    ), "BG-16", many=True)  # fmt: skip


def _discount(term: str) -> Group:
    return Group("ram:ApplicableTradePaymentDiscountTerms", (
        *_date("since", "ram:BasisDateTime"),
        Field("days", "ram:BasisPeriodMeasure"),
        Const("ram:BasisPeriodMeasure/@unitCode", "DAY", select=False),
        Field("base", "ram:BasisAmount"),
        Field("percent", "ram:CalculationPercent"),
        Field("amount", "ram:ActualDiscountAmount"),
    ), term, many=True)  # fmt: skip


def _settlement() -> Group:
    terms, sums = "ram:SpecifiedTradePaymentTerms", "ram:SpecifiedTradeSettlementHeaderMonetarySummation"
    return Group("ram:ApplicableHeaderTradeSettlement", (
        Field("BT-90", "ram:CreditorReferenceID"),
        Field("BT-83", "ram:PaymentReference"),
        Field("BT-6", "ram:TaxCurrencyCode"),
        Field("BT-5", "ram:InvoiceCurrencyCode", required=True),
        Group("ram:InvoicerTradeParty", _party(), "issuer"),
        Group("ram:InvoiceeTradeParty", _party(), "bill_to"),
        Group("ram:PayeeTradeParty", _party(), "BG-10"),
        _means(),
        Group("ram:ApplicableTradeTax", _tax(amounts=True, points=True), "BG-23", many=True, when="charged"),
        *_date("BT-73", "ram:BillingSpecifiedPeriod/ram:StartDateTime"),
        *_date("BT-74", "ram:BillingSpecifiedPeriod/ram:EndDateTime"),
        _allowance("BG-20", "false", taxes=True),
        replace(_allowance("BG-21", "true", taxes=True), when="is_plain"),
        Group("ram:SpecifiedLogisticsServiceCharge", (
            Field("reason", "ram:Description"),
            Field("amount", "ram:AppliedAmount"),
            Group("ram:AppliedTradeTax", _tax(amounts=False, points=False), "taxes[]", many=True),
        ), "BG-21", many=True, when="is_logistics", states=("role", "logistics")),
        Group(terms, (
            Field("BT-20", "ram:Description", lens=TERMS),
            *_date("BT-9", "ram:DueDateDateTime"),
            Field("@mandate", "ram:DirectDebitMandateID"),
            _discount("payment.discounts[]"),
        )),
        Group(terms, (
            Field("text", "ram:Description", lens=TERMS),
            *_date("due_date", "ram:DueDateDateTime"),
            Field("amount", "ram:PartialPaymentAmount"),
            _discount("discounts[]"),
        ), "payment.further_terms[]", many=True),
        Field("BT-106", f"{sums}/ram:LineTotalAmount", required=True),
        Field("BT-108", f"{sums}/ram:ChargeTotalAmount"),
        Field("BT-107", f"{sums}/ram:AllowanceTotalAmount"),
        Field("BT-109", f"{sums}/ram:TaxBasisTotalAmount", required=True),
        Group(f"{sums}/ram:TaxTotalAmount", (Field("BT-110"), Field("@currency", "@currencyID")),
              when="has_tax", choose="document_tax"),
        Group(f"{sums}/ram:TaxTotalAmount", (Field("BT-111"), Field("@tax_currency", "@currencyID")),
              when="has_accounting_tax", choose="accounting_tax"),
        Field("BT-114", f"{sums}/ram:RoundingAmount"),
        Field("BT-112", f"{sums}/ram:GrandTotalAmount", required=True),
        Field("BT-113", f"{sums}/ram:TotalPrepaidAmount"),
        Field("BT-115", f"{sums}/ram:DuePayableAmount", required=True),
        Group("ram:InvoiceReferencedDocument", (
            Field("id", "ram:IssuerAssignedID"),
            *_date("issue_date", "ram:FormattedIssueDateTime", "qdt:DateTimeString"),
        ), "BG-3", many=True, when="has_room"),
        Field("BT-19", "ram:ReceivableSpecifiedTradeAccountingAccount/ram:ID"),
        Group("ram:SpecifiedAdvancePayment", (
            Field("amount", "ram:PaidAmount"),
            *_date("date", "ram:FormattedReceivedDateTime", "qdt:DateTimeString"),
            Group("ram:IncludedTradeTax", _tax(amounts=True, points=False), "taxes[]", many=True),
            Group("ram:InvoiceSpecifiedReferencedDocument", (
                Field("reference", "ram:IssuerAssignedID"),
                *_date("reference_date", "ram:FormattedIssueDateTime", "qdt:DateTimeString"),
            ), when="is_d22b"),
        ), "payment.prepaid[]", many=True),
    ), always=True)  # fmt: skip


def _under(path: str, group: Group) -> Group:
    return replace(group, path=f"{path}/{group.path}")


@cache
def table() -> Map:
    """The table of CrossIndustryInvoice."""
    context, transaction = "rsm:ExchangedDocumentContext", "rsm:SupplyChainTradeTransaction"
    rows: tuple[Row, ...] = (
        Group(context, (
            Drop("ram:TestIndicator", "einvoice: the environment belongs to the transmission"),
            Field("BT-23", "ram:BusinessProcessSpecifiedDocumentContextParameter/ram:ID"),
            Group("ram:GuidelineSpecifiedDocumentContextParameter", (
                Field("BT-24", "ram:ID", default=specification("cii", "en16931").id),), always=True),
        ), always=True),
        Group("rsm:ExchangedDocument", (
            Field("BT-1", "ram:ID", required=True),
            Drop("ram:Name", "Factur-X: the document's title, which follows from its type"),
            Field("BT-3", "ram:TypeCode", required=True),
            *_date("BT-2", "ram:IssueDateTime", required=True),
            Field("EX-7", "ram:CopyIndicator/udt:Indicator", lens=TRUE),
            Field("EX-2", "ram:LanguageID"),
            Group("ram:IncludedNote", (
                Drop("ram:ContentCode", "Factur-X: a code that stands for the content"),
                Field("text", "ram:Content"), Field("subject_code", "ram:SubjectCode")), "BG-1", many=True),
        )),
        Group(f"{transaction}/ram:IncludedSupplyChainTradeLineItem", _line(), "BG-25", many=True),
        *(_under(transaction, part) for part in (_agreement(), _delivery(), _settlement())),
    )  # fmt: skip
    return Map("rsm:CrossIndustryInvoice", rows, _PREFIXES, money="", hooks=_HOOKS, whole=True)


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
    _gather_mandate(context)
    lines = context.root.get("lines", [])
    lines[:] = map(_gathered, lines)


def _gathered(line: Any) -> Any:
    """*line* with several discounts on the gross price kept one by one, and their sum as BT-147 (EN 16931-1)."""
    read = isinstance(line, Line)
    price = line.price if read else line.get("price")
    parts = price and (price.discount_parts if read else price.get("discount_parts"))
    if not parts:
        return line
    stated = {"amount": "discount", "reason": "discount_reason"}
    first = {name: getattr(price, field, None) if read else price.get(field) for name, field in stated.items()}
    first = {name: value for name, value in first.items() if value is not None}
    amounts = [first.get("amount"), *(part.amount if read else part.get("amount") for part in parts)]
    total = sum(amounts, Decimal(0)) if all(isinstance(amount, Decimal) for amount in amounts) else None
    if read:
        every = (PriceDiscount(**first), *parts)
        whole = price.model_copy(update={"discount": total, "discount_reason": None, "discount_parts": every})
        return line.model_copy(update={"price": whole})
    price.pop("discount_reason", None)
    line["price"] = {**price, "discount": total, "discount_parts": [first, *parts]}
    return line


def _gather_mandate(context: Context) -> None:
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


def _schema(stated: str | None) -> str:
    """The schema of its own that the specification *stated* has; D16B, the other one, holds one preceding invoice."""
    row = identified(stated)
    return row.schema_id if row else ""


def schema_of(root: Any) -> str:
    """The official schema of the document *root* where its specification (BT-24) has one of its own; else empty."""
    path = "rsm:ExchangedDocumentContext/ram:GuidelineSpecifiedDocumentContextParameter/ram:ID"
    return _schema((root.findtext(path, "", _PREFIXES) or "").strip())


def _mandate(invoice: Invoice) -> str | None:
    means: tuple[Means, ...] = invoice.payment.means if invoice.payment else ()
    return next((one.debit.mandate for one in means if one.debit and one.debit.mandate), None)


#: An account number that looks like an IBAN stands in IBANID, another in ProprietaryID; where a document says
#: otherwise, the scheme of the account keeps what it said.
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9 ]{8,}$")
_SAID = ("IBAN", "BBAN")


def _kept_in(means: Any) -> str:
    """Which element the account number of *means* stands in: IBAN, BBAN, or ``said IBAN`` where its scheme says so."""
    account = getattr(means, "account", means)
    if not (account and account.id):
        return ""
    looks = _SAID[not _IBAN.match(account.id)]
    return f"said {account.scheme}" if account.scheme in _SAID and account.scheme != looks else looks


def _at(place: Any, scheme: bool) -> bool:
    location = place.location if place else None
    return bool(location and location.value and bool(location.scheme) is scheme)


_HOOKS: Mapping[str, Callable[..., Any]] = {
    "after": _after,
    "plain_id": lambda one, invoice: not one.scheme,
    "global_id": lambda one, invoice: bool(one.scheme),
    "plain_location": lambda view, invoice: _at(invoice.delivery, scheme=False),
    "global_location": lambda view, invoice: _at(invoice.delivery, scheme=True),
    "line_plain": lambda line, invoice: _at(line.deliver_to, scheme=False),
    "line_global": lambda line, invoice: _at(line.deliver_to, scheme=True),
    "no_scheme": lambda element, context: True,
    "one_discount": lambda line, invoice: not (line.price and line.price.discount_parts),
    "is_plain": lambda charge, invoice: charge.role != "logistics",
    "is_logistics": lambda charge, invoice: charge.role == "logistics",
    "is_delivery_note": lambda reference, invoice: reference.kind == "DQ",
    "has_gross": lambda line, invoice: bool(line.price and line.price.gross is not None),
    "has_price": lambda line, invoice: bool(line.price),
    "has_tax": lambda _, invoice: bool(invoice.totals and invoice.totals.tax is not None),
    "has_accounting_tax": lambda _, invoice: bool(invoice.totals and invoice.totals.tax_accounting is not None),
    "is_d22b": lambda one, invoice: bool(_schema(invoice.specification)),
    "has_room": lambda one, invoice: one is invoice.preceding[0] or bool(_schema(invoice.specification)),
    "has_address": lambda party, invoice: bool(party.address),
    "has_delivery.address": lambda _, invoice: bool(invoice.delivery and invoice.delivery.address),
    "has_deliver_to.address": lambda line, invoice: bool(line.deliver_to and line.deliver_to.address),
    "is_iban": lambda means, invoice: _kept_in(means) == "IBAN",
    "is_account": lambda means, invoice: _kept_in(means) == "BBAN",
    "named_iban": lambda means, invoice: _kept_in(means) == "said IBAN",
    "named_other": lambda means, invoice: _kept_in(means) == "said BBAN",
    "like_iban": lambda element, context: bool(_IBAN.match((element.text or "").strip())),
    "unlike_iban": lambda element, context: not _IBAN.match((element.text or "").strip()),
    "charged": lambda tax, invoice: tax.effect in (None, "charged", "paid_by_buyer"),
    "document_tax": lambda element, context: not _accounting_tax(element, context),
    "accounting_tax": _accounting_tax,
}


# --- the format -------------------------------------------------------------------------------------------------------


#: Factur-X profiles, smallest first: each has what those before it have, and more.
_PROFILES = ("minimum", "basicwl", "basic", "en16931", "extended")


@cache
def _first_in() -> Mapping[str, int]:
    """The place in ``_PROFILES`` of the smallest profile that has a path; paths no profile has stand at the end."""
    with Path(__file__).with_name("cii_profiles.csv").open(encoding="utf-8") as stream:
        rows = list(csv.reader(stream))[1:]
    return {path: _PROFILES.index(profile) if profile else len(_PROFILES) for path, profile in rows}


def _kept(rows: Sequence[Row], above: str, most: int) -> Iterator[Row]:
    """Those of *rows* that stand in the profile, with what is left of the groups."""
    for row in rows:
        path = above if row.path == "." else f"{above}{row.path}"
        if _first_in().get(path.rstrip("/"), 0) > most:
            continue
        yield replace(row, rows=tuple(_kept(row.rows, f"{path}/", most))) if isinstance(row, Group) else row


@cache
def _writer(profile: str) -> Writer:
    """The writer of the elements that *profile* has."""
    whole = table()
    return compile_writer(replace(whole, rows=tuple(_kept(whole.rows, "", _PROFILES.index(profile)))))


@cache
def _reader() -> TreeReader:
    return TreeReader(table(), "cii", _begin)


class CiiFormat:
    """Reads and writes CII; ``write`` raises UnreadableDocument when a text cannot stand in XML."""

    name = "cii"

    def __init__(self, settings: Cii | None = None) -> None:
        self.settings = settings or Cii()

    def write(self, invoice: Invoice, ids: Identity) -> Document:
        told: list[Finding] = []
        if self.settings.absent_totals == "compute":
            invoice, told = completed(invoice)
        if self.settings.profile:
            named = specification("cii", self.settings.profile, invoice.issue_date)
            told += named.findings(invoice)
            invoice = named.applied(invoice)
        meta = {"mandate": _mandate(invoice), "currency": invoice.currency, "tax_currency": invoice.tax_currency}
        row = identified(invoice.specification or specification("cii", "en16931").id)
        text, missing = _writer((row and row.cii) or "extended")(
            invoice, {name: value for name, value in meta.items() if value}, False
        )
        if not invoice.lines and row and row.cii not in ("minimum", "basicwl"):
            missing = [*missing, "BG-25"]
        losses = (*told, *absent(missing))
        return Document(encode(_DECLARATION + text), "cii", "application/xml", f"{ids.payload_id}.xml", losses)

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        data = load(stream)
        root = parse(data)
        if root.tag != _reader().tag:
            raise UnreadableDocument(f"the root element is {root.tag!r}, not CrossIndustryInvoice", where="line 1",
                                     fix="send CII D16B or later")  # fmt: skip
        yield _reader().read(root, lambda: parse(data))


def variant(name: str) -> dict[str, str]:
    """Settings of ``cii:NAME``; ConfigError when no specification has that name."""
    specification("cii", name)
    return {"profile": name}


FORMAT, SETTINGS = CiiFormat, Cii
