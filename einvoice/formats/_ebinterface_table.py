"""The rows of ebInterface 6.1: one table, both ways. Names and order follow ebinterface-6.1.xsd.

What a row cannot say (how it is paid, the delivery's day or period, comments of taxes) is in ``_ebinterface_shape``.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

from ..mapping import Const, Field, Group, Lens, Map, Row
from ._ebinterface_shape import HOOKS

NAMESPACE = "http://www.ebinterface.at/schema/6p1/"
#: DocumentType by BT-3 (UNCL1001); the first of a kind is what it is read as.
TYPES = {
    "380": "Invoice", "381": "CreditMemo", "386": "InvoiceForAdvancePayment", "326": "InvoiceForPartialDelivery",
    "218": "FinalSettlement", "389": "SelfBilling", "83": "SubsequentCredit", "383": "SubsequentDebit",
}  # fmt: skip
_CODES = {name: code for code, name in TYPES.items()}
#: The number that stands where a party has no VAT identifier (ebInterface documentation, VATIdentificationNumber).
NO_VAT = "00000000"


def _type(code: str) -> str:
    return TYPES.get(code, "Invoice")


def _type_back(text: str) -> str:
    if text not in _CODES:
        raise ValueError(f"{text[:40]!r} is not a document type of ebInterface")
    return _CODES[text]


TYPE = Lens(_type, _type_back)


def _matching(pattern: str) -> Lens:
    """Texts that are as *pattern* says; others have no place."""
    matches = re.compile(pattern, re.ASCII).fullmatch
    return Lens(lambda text: text if matches(text) else None, lambda text: text)


POSITION = _matching(r"0*[1-9]\d*")
BIC = _matching(r"\w{8}(\w{3})?")


# --- rows: parties ----------------------------------------------------------------------------------------------------


def _address(scope: str, name: str, ids: tuple[Row, ...]) -> tuple[Row, ...]:
    own = name == "name"
    filler = None if own else "-"
    return (
        *ids,
        Field(name, "Address/Name", required=own, filler=filler),
        *((Field("trading_name", "Address/TradingName"),) if own else ()),
        Field(f"{scope}.line_1", "Address/Street"),
        Field(f"{scope}.city", "Address/Town", required=own, filler=filler),
        Field(f"{scope}.postcode", "Address/ZIP", required=own, filler=filler),
        Field(f"{scope}.country_name", "Address/Country", filler="-"),
        Field(f"{scope}.country", "Address/Country/@CountryCode"),
    )


def _contact(scope: str) -> tuple[Row, ...]:
    return (
        Field(f"{scope}.name", "Contact/Name", filler="-"),
        Field(f"{scope}.phone", "Contact/Phone"),
        Field(f"{scope}.email", "Contact/Email"),
    )


def _order(order: str, date: str = "") -> tuple[Row, ...]:
    return (Field(order, "OrderReference/OrderID"), *((Field(date, "OrderReference/ReferenceDate"),) if date else ()))


def _party(*order: Row) -> tuple[Row, ...]:
    identification = "FurtherIdentification"
    numbered = tuple(
        Group("Address/AddressIdentifier", (Const("@AddressIdentifierType", name), Field("value")), "identifiers[]",
              many=True, when=f"is_{name}", states=("scheme", scheme))
        for name, scheme in (("GLN", "0088"), ("DUNS", "0060"))
    )  # fmt: skip
    own = Group("Address/AddressIdentifier",
                (Const("@AddressIdentifierType", "ProprietaryAddressID"), Field("address.id")))  # fmt: skip
    return (
        Field("vat_id", "VATIdentificationNumber", filler=NO_VAT),
        Group(identification, (Const("@IdentificationType", "FN"), Field("legal_id.value"))),
        Group(identification, (Const("@IdentificationType", "TaxNumber"), Field("tax_id"))),
        Group(identification, (Field("value"), Field("scheme", "@IdentificationType", default="ID")), "identifiers[]",
              many=True, when="is_further"),
        *order,
        Group("Address", tuple(_unnested(row) for row in _address("address", "name", (*numbered, own))),
              when="is_named", always=True),
        *_contact("contact"),
    )  # fmt: skip


def _unnested(row: Row) -> Row:
    """*row* as it stands below Address."""
    return replace(row, path=row.path.removeprefix("Address/"))


# --- rows: lines ------------------------------------------------------------------------------------------------------


def _tax(term: str, when: str) -> Group:
    return Group("TaxItem", (
        Field("base", "TaxableAmount", required=True),
        Field("rate", "TaxPercent", required=True),
        Field("category", "TaxPercent/@TaxCategoryCode", required=True),
        Field("amount", "TaxAmount"),
        Field("description", "Comment"),
    ), term, many=True, when=when)  # fmt: skip


def _reduction(path: str, term: str, taxes: bool) -> Group:
    return Group(path, (
        Field("base", "BaseAmount", required=True),
        Field("percent", "Percentage"),
        Field("amount", "Amount"),
        Field("reason", "Comment"),
        Field("reason_code", "Classification"),
        Field("role", "Classification/@ClassificationSchema"),
        *((_tax("taxes[]", "is_vat"),) if taxes else ()),
    ), term, many=True)  # fmt: skip


def _line() -> tuple[Row, ...]:
    articles = (("BillersArticleNumber", "BT-155"), ("InvoiceRecipientsArticleNumber", "BT-156"),
                ("GTIN", "item.standard_id.value"), ("PZN", "EX-96"))  # fmt: skip
    details = "ReductionAndSurchargeListLineItemDetails"
    return (
        Field("BT-126", "PositionNumber", lens=POSITION),
        Field("BT-153", "Description", required=True),
        Field("BT-154", "Description"),
        *(Group("ArticleNumber", (Const("@ArticleNumberType", name), Field(term)),
                when="has_gtin" if name == "GTIN" else "") for name, term in articles),
        Field("BT-129", "Quantity", required=True),
        Field("BT-130", "Quantity/@Unit", required=True),
        Field("BT-146", "UnitPrice", required=True),
        Field("BT-149", "UnitPrice/@BaseQuantity"),
        _reduction(f"{details}/ReductionListLineItem", "BG-27", taxes=False),
        _reduction(f"{details}/SurchargeListLineItem", "BG-28", taxes=False),
        Field("EX-88", "Delivery/DeliveryID"),
        Field("EX-91", "Delivery/Date"),
        Group("Delivery/Period", (Field("BT-134", "FromDate", required=True), Field("BT-135", "ToDate", required=True)),
              when="by_period"),
        Field("EX-111", "BillersOrderReference/OrderID"),
        Field("EX-82", "InvoiceRecipientsOrderReference/OrderID", filler="-"),
        Field("EX-83", "InvoiceRecipientsOrderReference/ReferenceDate"),
        Field("BT-132", "InvoiceRecipientsOrderReference/OrderPositionNumber"),
        Group("Classification", (Field("code"), Field("scheme", "@ClassificationSchema")), "item.classifications[]",
              many=True),
        Group("AdditionalInformation", (Field("value"), Field("name", "@Key")), "item.attributes[]", many=True),
        _tax("BG-30", ""),
        Field("BT-131", "LineItemAmount", required=True),
    )  # fmt: skip


# --- rows: the document -----------------------------------------------------------------------------------------------


def _related(path: str, when: str, states: tuple[str, str] | None) -> Group:
    return Group(path, (
        Field("id", "InvoiceNumber", required=True),
        Field("issue_date", "InvoiceDate"),
        Field("type_code", "DocumentType", lens=TYPE),
        Field("reason", "Comment"),
    ), "BG-3", many=True, when=when, states=states)  # fmt: skip


def _delivery() -> Group:
    ids = tuple(
        Group("Address/AddressIdentifier", (Const("@AddressIdentifierType", name), Field("BT-71")),
              when=f"located_{name}") for name in ("GLN", "ProprietaryAddressID")
    )  # fmt: skip
    return Group("Delivery", (
        Field("BT-16", "DeliveryID"),
        Group("Date", (Field("BT-72"),), when="on_day", always=True),
        Group("Period", (Field("BT-73", "FromDate", required=True), Field("BT-74", "ToDate", required=True)),
              when="over_period", always=True),
        Group("Address", tuple(_unnested(row) for row in _address("delivery.address", "BT-70", ids)),
              when="delivered_to", always=True),
        *_contact("delivery.contact"),
    ), when="is_delivered", always=True)  # fmt: skip


def _payment() -> Group:
    account = (
        Field("account.bank", "BankName"),
        Field("account.bic", "BIC", lens=BIC),
        Group("BankAccountNr", (Field("account.id"),), when="is_number"),
        Group("IBAN", (Field("account.id"),), when="is_iban"),
        Field("account.name", "BankAccountOwner"),
    )
    debit = (
        Field("account.bic", "BIC", lens=BIC),
        Field("debit.account", "IBAN"),
        Field("account.name", "BankAccountOwner"),
        Field("BT-90", "CreditorID"),
        Field("debit.mandate", "MandateReference"),
    )
    return Group("PaymentMethod", (
        Field("@payment_comment", "Comment"),
        Group("SEPADirectDebit", debit, "BG-16", many=True, when="by_debit", states=("code", "59")),
        Group("UniversalBankTransaction", (
            Group("BeneficiaryAccount", account, "BG-16", many=True, when="by_transfer", states=("code", "30")),
            Field("BT-83", "PaymentReference"),
        ), when="transfers"),
        Group("PaymentCard", (Field("card.number", "PrimaryAccountNumber", required=True),
                              Field("card.holder", "CardHolderName")),
              "BG-16", many=True, when="by_card", states=("code", "48")),
        Group("OtherPayment", (), when="by_other", always=True),
    ), when="is_paid")  # fmt: skip


@cache
def table() -> Map:
    """The table of an ebInterface invoice."""
    rows: tuple[Row, ...] = (
        Field("@system", "@GeneratingSystem"),
        Field("BT-3", "@DocumentType", lens=TYPE, required=True),
        Field("BT-5", "@InvoiceCurrency", required=True),
        Field("@title", "@DocumentTitle"),
        Field("EX-2", "@Language"),
        Field("EX-7", "@IsDuplicate"),
        Field("BT-1", "InvoiceNumber", required=True),
        Field("BT-2", "InvoiceDate", required=True),
        _related("CancelledOriginalDocument", "cancelled", ("method", "cancelled")),
        _related("RelatedDocument", "related", None),
        Group("AdditionalInformation", (Field("value"), Field("name", "@Key")), "extensions[]", many=True),
        Group("CurrencyExchangeInformation", (
            Field("target", "Currency"),
            Field("rate", "ExchangeRate", required=True),
            Field("date", "ExchangeRateDate"),
        ), "exchange_rates[]", many=True, when="first_rate"),
        _delivery(),
        Group("Biller", (
            *_party(*_order("BT-14")), Field("account_number", "InvoiceRecipientsBillerID")), "BG-4", always=True),
        Group("InvoiceRecipient", (
            *_party(*_order("BT-13", "EX-12")),
            Field("account_number", "BillersInvoiceRecipientID"),
            Field("BT-19", "AccountingArea"),
            Field("contact.department", "SubOrganizationID"),
        ), "BG-7", always=True),
        Group("OrderingParty", (
            *_party(), Field("account_number", "BillersOrderingPartyID", required=True)), "sold_to"),
        Group("Details", (
            Field("@header", "HeaderDescription"),
            Group("ItemList", (Group("ListLineItem", _line(), "BG-25", many=True),), many=True),
            Field("@footer", "FooterDescription"),
        ), always=True),
        _reduction("ReductionAndSurchargeDetails/Reduction", "BG-20", taxes=True),
        _reduction("ReductionAndSurchargeDetails/Surcharge", "BG-21", taxes=True),
        Group("Tax", (
            _tax("BG-23", "is_vat"),
            Group("OtherTax", (
                Field("base", "TaxableAmount"),
                Field("amount", "TaxAmount", required=True),
                Field("scheme", "Comment", required=True),
            ), "BG-23", many=True, when="is_other_tax"),
        ), always=True),
        Field("BT-112", "TotalGrossAmount", required=True),
        Field("BT-113", "PrepaidAmount"),
        Field("BT-114", "RoundingAmount"),
        Field("BT-115", "PayableAmount", required=True),
        _payment(),
        Field("BT-9", "PaymentConditions/DueDate"),
        Group("PaymentConditions/Discount", (
            Field("until", "PaymentDate", required=True),
            Field("base", "BaseAmount"),
            Field("percent", "Percentage"),
            Field("amount", "Amount"),
        ), "payment.discounts[]", many=True),
        Field("BT-20", "PaymentConditions/Comment"),
        Field("@comment", "Comment"),
    )  # fmt: skip
    return Map("Invoice", rows, {"": NAMESPACE}, money="", hooks=HOOKS)
