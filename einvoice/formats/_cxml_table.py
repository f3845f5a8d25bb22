"""The table of cXML InvoiceDetailRequest: rows and lenses. What it cannot say is in ``_cxml_shape``."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from ..exchange import SECRET_SLOT
from ..mapping import Const, Drop, Field, Group, Lens, Map, Row
from ._cxml_shape import HOOKS
from ._xml import escape

_NOON = "12:00:00+00:00"
_INSTANT = re.compile(r"(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?))?", re.ASCII)


# --- lenses -----------------------------------------------------------------------------------------------------------


def _instant(day: date | None, time: str | None = None) -> str | None:
    """ISO 8601 with time and zone, as cXML wants; a date without time stands at noon UTC, the same day everywhere."""
    if day is None:
        return None
    zoned = time and re.search(r"(Z|[+-]\d{2}:?\d{2})$", time)
    return f"{day.isoformat()}T{_NOON if time is None else time if zoned else time + '+00:00'}"


def _day_of(text: str) -> tuple[date, str | None]:
    match = _INSTANT.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:40]!r} is not an ISO 8601 instant")
    try:
        day = date.fromisoformat(match.group(1))
    except ValueError:
        raise ValueError(f"{text[:40]!r} is not a calendar date") from None
    return day, None if match.group(2) in (None, _NOON) else match.group(2)


INSTANT = Lens(_instant, _day_of, also="issue_time")
DAY = Lens(_instant, lambda text: _day_of(text)[0], exact=False)
YES = Lens(lambda flag: "yes" if flag else None, lambda text: True if text == "yes" else None)
OPERATION = Lens(lambda value: value, lambda text: None if text == "new" else text)
PURPOSE = Lens(lambda value: value, lambda text: None if text == "tax" else text)
SCHEME = Lens(
    lambda scheme: {"VAT": "vat", "GST": "gst", "SALES": "sales", "USE": "usage"}.get(scheme, scheme),
    lambda text: {"vat": "VAT", "gst": "GST", "sales": "SALES", "usage": "USE"}.get(text, text),
)
#: A secret read is a secret forgotten: what comes back is the slot.
SECRET = Lens(lambda value: value, lambda text: SECRET_SLOT)


def _description(name: str | None, description: str | None) -> str | None:
    """BT-153 alone is the text; with BT-154 it is the ShortName of it."""
    if description is None:
        return None if name is None else escape(name)
    short = "" if name is None else f"<ShortName>{escape(name)}</ShortName>"
    return escape(description) + short


def _described(element: Any) -> tuple[str | None, str | None]:
    short = element.findtext("ShortName")
    text = (element.text or "").strip() + "".join((child.tail or "") for child in element).rstrip()
    short = short.strip() if short else None
    return (short, text or None) if short else (text or None, None)


DESCRIPTION = Lens(_description, _described, also="description")


def _phone(number: str) -> str:
    return (
        '<TelephoneNumber><CountryCode isoCountryCode=""></CountryCode><AreaOrCityCode></AreaOrCityCode>'
        f"<Number>{escape(number)}</Number></TelephoneNumber>"
    )


def _phoned(element: Any) -> str | None:
    parts = [(element.findtext(f".//{name}") or "").strip() for name in ("CountryCode", "AreaOrCityCode", "Number")]
    if not any(parts):
        return (element.findtext(".//URL") or element.findtext(".//Email") or "").strip() or None
    extension = (element.findtext(".//Extension") or "").strip()
    code = f"+{parts[0].lstrip('+')}" if parts[0] else ""
    return " ".join(part for part in (code, *parts[1:], f"x{extension}" if extension else "") if part)


PHONE = Lens(_phone, _phoned)
WITHHELD = Lens(
    lambda effect: "yes" if effect == "withheld" else None, lambda text: "withheld" if text == "yes" else None
)
EFFECT = Lens(lambda effect: None if effect == "withheld" else effect, lambda text: text)

# --- rows -------------------------------------------------------------------------------------------------------------

_LANG = "@xml:lang"

#: Extrinsic name by term of the invoice: what cXML has no element for. The buyer's system reads them or leaves them.
EXTRINSICS = {
    "BT-10": "buyerReference", "BT-11": "projectReference", "BT-15": "receivingAdvice", "BT-17": "tenderReference",
    "BT-18": "invoicedObject", "BT-18-1": "invoicedObjectScheme", "BT-19": "accountingReference",
    "BT-20": "paymentTerms", "BT-23": "businessProcess", "BT-24": "specification", "BT-83": "remittanceInformation",
    "BT-90": "creditorID", "BT-8": "taxPointCode", "EX-3": "uuid",
}  # fmt: skip
EXTRINSIC_DAYS = {"BT-7": "taxPointDate", "BT-72": "deliveryDate"}
EXTRINSIC_AMOUNTS = {"BT-114": "roundingAmount", "EX-70": "withheldAmount", "EX-71": "amountPaidByBuyer"}
#: Indicators that follow from where the data stand; never free input.
LINE_FLAGS = ("isTaxInLine", "isAccountingInLine", "isPriceAdjustmentInLine", "isDiscountInLine", "isShippingInLine",
              "isSpecialHandlingInLine")  # fmt: skip
_LABEL = "cXML: a label of the sum of taxes"
_LANGUAGE = "cXML: the language of one text"
_DROPS = {
    "alternateAmount": "cXML: an informative amount in another currency",
    "alternateCurrency": "cXML: an informative amount in another currency",
}


def _lang(path: str) -> Const:
    return Const(f"{path}/{_LANG}", "en", select=False, clause=_LANGUAGE)


def _extrinsic(name: str, term: str, lens: Lens | None = None, signed: bool = False) -> Group:
    return Group("Extrinsic", (Const("@name", name), Field(term, ".", lens=lens, signed=signed, money="")))


def _address(scope: str, path: str) -> tuple[Row, ...]:
    return (
        Field(f"{scope}.name", f"{path}/@name"),
        Field(f"{scope}.attention[]", f"{path}/DeliverTo"),
        Field(f"{scope}.line_1", f"{path}/Street", filler=""),
        Field(f"{scope}.line_2", f"{path}/Street"),
        Field(f"{scope}.line_3", f"{path}/Street"),
        Field(f"{scope}.building", f"{path}/Street"),
        Field(f"{scope}.city", f"{path}/City", filler=""),
        Field(f"{scope}.subdivision", f"{path}/State"),
        Field(f"{scope}.subdivision_code", f"{path}/State/@isoStateCode"),
        Field(f"{scope}.postcode", f"{path}/PostalCode"),
        Field(f"{scope}.country_name", f"{path}/Country", filler=""),
        Field(f"{scope}.country", f"{path}/Country/@isoCountryCode", filler=""),
    )


def _reach(scope: str, path: str = "") -> tuple[Row, ...]:
    return (
        Field(f"{scope}.email", f"{path}Email"),
        Drop(f"{path}Email/@name", "cXML: a label of the address"),
        Field(f"{scope}.phone", f"{path}Phone", lens=PHONE, raw=True),
        Field(f"{scope}.fax", f"{path}Fax", lens=PHONE, raw=True),
        Field(f"{scope}.url", f"{path}URL"),
    )


def _identity(term: str, *domains: str) -> tuple[Row, ...]:
    """An IdReference by its domain, or the same identifier under each: networks look for one or the other."""
    return tuple(Group("IdReference", (Const("@domain", domain), Field(term, "@identifier"))) for domain in domains)


#: What a party states and Contact has no element for.
_PARTY_EXTRINSICS = {
    "tradingName": "trading_name", "contactName": "contact.name", "legalInformation": "legal_info",
    "legalIDScheme": "legal_id.scheme", "taxIDScheme": "tax_id_scheme", "endpoint": "endpoint.value",
    "endpointScheme": "endpoint.scheme",
}  # fmt: skip


def _partner(role: str, term: str, many: bool = False) -> Group:
    inside = "party." if many else ""
    contact = Group("Contact", (
        Field("role", "@role") if many else Const("@role", role),
        Field(f"{inside}address.id", "@addressID"),
        Field(f"{inside}name", "Name", filler=""),
        _lang("Name"),
        *_address(f"{inside}address", "PostalAddress"),
        *_reach(f"{inside}contact"),
        *(_extrinsic(name, f"{inside}{leaf}") for name, leaf in _PARTY_EXTRINSICS.items()),
    ), always=True)  # fmt: skip
    rows = (
        contact,
        *_identity(f"{inside}vat_id", "vatID"),
        *_identity(f"{inside}tax_id", "federalTaxID", "supplierTaxID"),
        *_identity(f"{inside}legal_id.value", "companyRegistrationNumber"),
        *_identity(f"{inside}account_number", "accountID"),
        Group("IdReference", (Field("value", "@identifier", filler=""), Field("scheme", "@domain", filler="ID")),
              f"{inside}identifiers[]", many=True),
    )  # fmt: skip
    return Group("InvoicePartner", rows, term, many=many)


def _bank() -> Group:
    domains = {
        "swiftID": "account.bic", "bankRoutingID": "account.routing", "bankAccountName": "account.name",
        "paymentMeansCode": "code", "paymentMeansText": "text", "mandateID": "debit.mandate",
        "debitedAccountID": "debit.account",
    }  # fmt: skip
    return Group("InvoicePartner", (
        Group("Contact", (Const("@role", "wireReceivingBank"), Field("account.bank", "Name", filler="Bank"),
                          _lang("Name")), always=True),
        Group("IdReference", (Const("@domain", "ibanID"), Field("account.id", "@identifier")), when="is_iban"),
        Group("IdReference", (Const("@domain", "accountID"), Field("account.id", "@identifier")), when="is_account"),
        *(row for domain, leaf in domains.items() for row in _identity(leaf, domain)),
    ), "BG-16", many=True)  # fmt: skip


def _shipping() -> Group:
    def contact(role: str, rows: tuple[Row, ...], scope: str) -> Group:
        tail = (*_address(f"{scope}.address", "PostalAddress"), *_reach(f"{scope}.contact"))
        return Group("Contact", (Const("@role", role), *rows, _lang("Name"), *tail), always=True)

    sender = (Field("ship_from.address.id", "@addressID"), Field("ship_from.name", "Name", filler=""))
    receiver = (
        Field("BT-71", "@addressID"), Field("BT-71-1", "@addressIDDomain"), Field("BT-70", "Name", filler=""),
    )  # fmt: skip
    rows = (Field("EX-27", "@shippingDate", lens=DAY), contact("shipFrom", sender, "ship_from"),
            contact("shipTo", receiver, "delivery"))  # fmt: skip
    return Group("InvoiceDetailShipping", rows, when="ships")


def _tax_detail(term: str) -> Group:
    return Group("TaxDetail", (
        Field("scheme", "@category", lens=SCHEME, filler="tax"),
        Field("rate", "@percentageRate"),
        Field("purpose", "@purpose", lens=PURPOSE, filler="tax"),
        Field("tax_point_date", "@taxPointDate", lens=DAY),
        Field("effect", "@isWithholdingTax", lens=WITHHELD),
        Field("base", "TaxableAmount/Money", signed=True),
        Group("TaxAmount", (Field("amount", "Money", signed=True, filler="0.000"),), always=True),
        Field("jurisdiction", "TaxLocation"),
        _lang("TaxLocation"),
        Field("description", "Description"),
        _lang("Description"),
        Field("exemption_code", "TaxExemption/@exemptCode", filler=""),
        Field("exemption_reason", "TaxExemption/ExemptReason"),
        _lang("TaxExemption/ExemptReason"),
        _extrinsic("taxCategory", "category"),
        _extrinsic("exemptionCertificate", "certificate"),
        _extrinsic("withholdingReason", "causal"),
        _extrinsic("taxEffect", "effect", EFFECT),
    ), term, many=True)  # fmt: skip


def _line_tax() -> Group:
    label = Const("Description", "Tax", select=False, clause=_LABEL)
    rows = (Field("EX-93", "Money", signed=True, filler="0.000"), label, _lang("Description"), _tax_detail("BG-30"))
    return Group("Tax", rows, when="taxed_in_line")


def _modification(path: str, term: str, kind: str) -> Group:
    allowance = kind == "Allowance"
    amount = "AdditionalDeduction/DeductionAmount" if allowance else "AdditionalCost"
    return Group(f"{path}/Modification", (
        Field("base", "OriginalPrice/Money", signed=True),
        Group(amount, (Field("amount", "Money", signed=True, filler="0.000"),), always=True),
        Field("role", "ModificationDetail/@name", filler=kind),
        Field("reason_code", "ModificationDetail/@code"),
        Field("reason", "ModificationDetail/Description"),
        _lang("ModificationDetail/Description"),
        Group("ModificationDetail/Extrinsic", (Const("@name", "percentage"), Field("percent", "."))),
    ), term, many=True, choose="deducts" if allowance else "costs")  # fmt: skip


_ITEM_ID = (
    Field("BT-155", "ItemID/SupplierPartID", filler=""),
    Field("EX-98", "ItemID/SupplierPartAuxiliaryID"),
    Field("BT-156", "ItemID/BuyerPartID"),
    Field("BT-157", "ItemID/IdReference/@identifier", filler=""),
    Field("BT-157-1", "ItemID/IdReference/@domain", filler="ID"),
)
_ITEM_TEXT = (
    Field("item.name", "Description", lens=DESCRIPTION, raw=True),
    _lang("Description"),
)
_CLASSIFICATION = Group("Classification", (
    Field("code", "."), Field("scheme", "@domain", filler=""), Drop("@code", "cXML: repeats the content")),
    "item.classifications[]", many=True)  # fmt: skip
_AMOUNTS = (
    _line_tax(),
    Field("EX-92", "GrossAmount/Money", signed=True),
    _modification("InvoiceItemModifications", "BG-27", "Allowance"),
    _modification("InvoiceItemModifications", "BG-28", "Charge"),
    Field("BT-131", "TotalAmountWithoutTax/Money", signed=True),
    Drop("NetAmount", "cXML: repeats the line's amounts"),
    Group("Distribution", (
        Field("name", "Accounting/@name", filler=""),
        Group("Accounting/AccountingSegment", (
            Field("id", "@id", filler=""),
            Field("type", "Name", filler=""), _lang("Name"),
            Field("description", "Description", filler=""), _lang("Description"),
        ), "segments[]", many=True),
        Group("Charge", (Field("amount", "Money", signed=True, filler="0.000"),), always=True),
    ), "distributions[]", many=True, when="has_segments"),
    Field("BT-127", "Comments"), _lang("Comments"),
    _extrinsic("periodStart", "BT-134", DAY),
    _extrinsic("periodEnd", "BT-135", DAY),
    _extrinsic("accountingReference", "BT-133"),
    _extrinsic("lineObject", "BT-128"),
    _extrinsic("lineObjectScheme", "BT-128-1"),
    Group("Extrinsic", (Field("name", "@name", filler=""), Field("value", ".")), "extensions[]", many=True),
)  # fmt: skip
_PRICE = (
    Field("BT-146", "UnitPrice/Money", required=True),
    Group("UnitPrice/Modifications/Modification", (
        Field("BT-148", "OriginalPrice/Money"),
        Group("AdditionalDeduction/DeductionAmount", (Field("BT-147", "Money", filler="0.000"),), always=True),
    ), when="discounted"),
    Field("BT-149", "PriceBasisQuantity/@quantity", default="1"),
    Const("PriceBasisQuantity/@conversionFactor", "1", select=False),
    Field("BT-150", "PriceBasisQuantity/UnitOfMeasure", filler=""),
)  # fmt: skip


def _item() -> Group:
    return Group("InvoiceDetailItem", (
        Field("BT-126", "@invoiceLineNumber", required=True),
        Field("EX-80", "@parentInvoiceLineNumber"),
        Field("BT-129", "@quantity", required=True, signed=True),
        Field("BT-130", "UnitOfMeasure", required=True),
        *_PRICE,
        Group("InvoiceDetailItemReference", (
            Field("BT-132", "@lineNumber", filler="0"),
            *_ITEM_ID,
            *_ITEM_TEXT,
            _CLASSIFICATION,
            Field("EX-96", "ManufacturerPartID"),
            Field("EX-97", "ManufacturerName"),
            _lang("ManufacturerName"),
            Field("BT-159", "Country/@isoCountryCode"),
            Field("EX-99", "SerialNumber"),
            Group("InvoiceDetailItemReferenceIndustry/InvoiceDetailItemReferenceRetail/Characteristic",
                  (Field("name", "@domain", filler=""), Field("value", "@value", filler="")),
                  "item.attributes[]", many=True),
        ), always=True),
        Field("EX-112", "SubtotalAmount/Money", signed=True),
        *_AMOUNTS,
    ), "BG-25", many=True, when="is_item")  # fmt: skip


def _service() -> Group:
    return Group("InvoiceDetailServiceItem", (
        Field("BT-126", "@invoiceLineNumber", required=True),
        Field("EX-80", "@parentInvoiceLineNumber"),
        Field("BT-129", "@quantity", signed=True),
        Group("InvoiceDetailServiceItemReference", (
            Field("BT-132", "@lineNumber"), _CLASSIFICATION, *_ITEM_ID, *_ITEM_TEXT,
        ), always=True),
        Field("EX-112", "SubtotalAmount/Money", signed=True, required=True),
        Field("BT-134", "Period/@startDate", lens=DAY, filler=""),
        Field("BT-135", "Period/@endDate", lens=DAY, filler=""),
        Field("BT-130", "UnitOfMeasure", required=True),
        *_PRICE,
        *_AMOUNTS,
    ), "BG-25", many=True, when="is_service", states=("kind", "service"))  # fmt: skip


_ORDER_INFO = (
    Group("InvoiceDetailOrderInfo", (
        Group("OrderReference", (
            Field("purchase_order.id", "@orderID"), Field("purchase_order.date", "@orderDate", lens=DAY),
            Field("purchase_order.payload_id", "DocumentReference/@payloadID"),
        ), when="order_by_payload"),
        Group("MasterAgreementReference", (
            Field("contract.id", "@agreementID"), Field("contract.date", "@agreementDate", lens=DAY),
            Field("contract.payload_id", "DocumentReference/@payloadID"),
        ), when="contract_by_payload"),
        Group("MasterAgreementIDInfo", (
            Field("contract.id", "@agreementID", filler=""), Field("contract.date", "@agreementDate", lens=DAY),
        ), when="contract_by_number"),
        Group("OrderIDInfo", (
            Field("purchase_order.id", "@orderID", filler=""), Field("purchase_order.date", "@orderDate", lens=DAY),
        ), when="order_by_number"),
        Group("SupplierOrderInfo", (Field("BT-14", "@orderID", filler=""),), when="order_of_supplier", always=True),
    ), always=True),
)  # fmt: skip


def table(version: tuple[int, ...]) -> Map:
    """The table for documents of this cXML version, such as ``(1, 2, 37)``."""
    request = "Request/InvoiceDetailRequest"
    header = f"{request}/InvoiceDetailRequestHeader"
    own_due_date = version >= (1, 2, 48)
    partners = (("from", "seller"), ("soldTo", "buyer"), ("billTo", "bill_to"), ("remitTo", "remit_to"),
                ("issuerOfInvoice", "issuer"), ("taxRepresentative", "tax_representative"))  # fmt: skip
    rows: tuple[Row, ...] = (
        Field("@payload_id", "@payloadID"), Field("@timestamp", "@timestamp"), Field("@version", "@version"),
        Drop("@xml:lang", "cXML: the language of its own texts"),
        *(Group(f"Header/{side}/Credential", (Field("scheme", "@domain", filler=""), Field("value", "Identity")), term,
                many=True) for side, term in (("From", "seller.network_ids[]"), ("To", "buyer.network_ids[]"))),
        Field("@sender_domain", "Header/Sender/Credential/@domain"),
        Field("@sender", "Header/Sender/Credential/Identity"),
        Field("@secret", "Header/Sender/Credential/SharedSecret", lens=SECRET),
        Field("@user_agent", "Header/Sender/UserAgent"),
        Field("@deployment_mode", "Request/@deploymentMode"),
        Group(header, (
            Field("BT-1", "@invoiceID", required=True),
            Field("@purpose", "@purpose"),
            Field("EX-4", "@operation", lens=OPERATION, filler="new"),
            Field("BT-2", "@invoiceDate", lens=INSTANT, required=True),
            Drop("@invoiceOrigin", "cXML: follows from the sender"),
            Field("EX-5", "@isInformationOnly", lens=YES),
            Group("InvoiceDetailHeaderIndicator", (
                Field("EX-6", "@isHeaderInvoice", lens=YES),
                Drop("@isVatRecoverable", "cXML: the buyer's matter"),
            ), always=True),
            Group("InvoiceDetailLineIndicator", tuple(
                Field(f"@{flag}", f"@{flag}") for flag in LINE_FLAGS), always=True),
            *(_partner(role, term) for role, term in partners),
            _bank(),
            _partner("", "other_parties[]", many=True),
            Group("DocumentReference", (Field("payload_id", "@payloadID"),), "BG-3", many=True, when="first_payload"),
            Group("InvoiceIDInfo", (
                Field("id", "@invoiceID"), Field("issue_date", "@invoiceDate", lens=DAY)),
                "BG-3", many=True, when="first_number"),
            _shipping(),
            Field("BT-16", "ShipNoticeIDInfo/@shipNoticeID"),
            Group("PaymentTerm", (Field("EX-30", "@payInNumberOfDays"),), choose="net_term"),
            Group("PaymentTerm", (
                Field("days", "@payInNumberOfDays", filler=""),
                Field("percent", "Discount/DiscountPercent/@percent"),
                Group("Discount/DiscountAmount", (Field("amount", "Money"),), when="without_percent"),
            ), "payment.discounts[]", many=True, when="by_percent_or_amount"),
            *((Field("BT-9", "PaymentInformation/@paymentNetDueDate", lens=DAY),) if own_due_date else ()),
            Group("Period", (Field("BT-73", "@startDate", lens=DAY), Field("BT-74", "@endDate", lens=DAY)),
                  when="whole_period"),
            Group("Comments", (
                Field("@comments", "."), Const(_LANG, "en", select=False, clause=_LANGUAGE),
                Group("Attachment", (Field("uri", "URL"), Field("filename", "URL/@name")), "BG-24", many=True,
                      when="by_reference"),
            )),
            Group("IdReference", (Field("id", "@identifier", filler=""), Field("kind", "@domain", filler="ID")),
                  "references[]", many=True),
            *(() if own_due_date else (_extrinsic("dueDate", "BT-9", DAY),)),
            _extrinsic("invoiceTypeCode", "@type_code"),
            *(_extrinsic(name, term) for term, name in EXTRINSICS.items()),
            *(_extrinsic(name, term, DAY) for term, name in EXTRINSIC_DAYS.items()),
            *(_extrinsic(name, term, signed=True) for term, name in EXTRINSIC_AMOUNTS.items()),
            Group("Extrinsic", (Field("name", "@name", filler=""), Field("value", ".")), "extensions[]", many=True),
        )),
        Group(f"{request}/InvoiceDetailOrder", (*_ORDER_INFO, _item(), _service()), each="orders", many=True),
        Group(f"{request}/InvoiceDetailHeaderOrder", (*_ORDER_INFO, Group("InvoiceDetailOrderSummary", (
            Field("BT-126", "@invoiceLineNumber", required=True),
            Field("EX-112", "SubtotalAmount/Money", signed=True, required=True),
            _line_tax(),
            Field("EX-92", "GrossAmount/Money", signed=True),
            Drop("NetAmount", "cXML: repeats the line's amounts"),
            Field("BT-127", "Comments"), _lang("Comments"),
            Group("Extrinsic", (Field("name", "@name", filler=""), Field("value", ".")), "extensions[]",
                  many=True),
        ), "BG-25", many=True)), each="header_orders", many=True),
        Group(f"{request}/InvoiceDetailSummary", (
            Field("BT-106", "SubtotalAmount/Money", signed=True, required=True),
            Group("Tax", (
                Field("BT-110", "Money", signed=True, filler="0.000"),
                Field("BT-6", "Money/@alternateCurrency"),
                Field("BT-111", "Money/@alternateAmount", signed=True),
                Const("Description", "Tax", select=False, clause=_LABEL), _lang("Description"),
                _tax_detail("BG-23"),
            ), always=True),
            Field("EX-75", "SpecialHandlingAmount/Money", signed=True),
            Field("EX-74", "ShippingAmount/Money", signed=True),
            Field("EX-72", "GrossAmount/Money", signed=True),
            Field("EX-73", "InvoiceDetailDiscount/Money", signed=True),
            _modification("InvoiceHeaderModifications", "BG-20", "Allowance"),
            _modification("InvoiceHeaderModifications", "BG-21", "Charge"),
            Field("BT-108", "TotalCharges/Money", signed=True),
            Field("BT-107", "TotalAllowances/Money", signed=True),
            Field("BT-109", "TotalAmountWithoutTax/Money", signed=True),
            Field("BT-112", "NetAmount/Money", signed=True, required=True),
            Field("BT-113", "DepositAmount/Money", signed=True),
            Field("BT-115", "DueAmount/Money", signed=True),
        ), always=True),
    )  # fmt: skip
    return Map("cXML", rows, money="currency", drops=_DROPS, hooks=HOOKS)
