"""The rows of PIP 3C3 V11.04, InvoiceNotification 02.05: one table for each currency and direction of money.

Every amount names its currency and says whether it is a debit or a credit of the buyer; both are the same in a whole
document, and constants of its table. What a row cannot say is in ``_rosettanet_shape``.
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

from ..mapping import Const, Field, Group, Lens, Map, Row
from ._rosettanet_shape import HOOKS, UNNAMED

_UN = "urn:rosettanet:specification:"
NAMESPACE = f"{_UN}interchange:InvoiceNotification:xsd:schema:02.05"
PREFIXES = {
    "": NAMESPACE,
    "dp": f"{_UN}domain:Procurement:xsd:schema:02.29",
    "ddt": f"{_UN}domain:Procurement:DocumentType:xsd:codelist:01.05",
    "sha": f"{_UN}domain:Shared:xsd:schema:01.17",
    "rict": f"{_UN}domain:Shared:InvoiceChargeType:xsd:codelist:01.02",
    "rmat": f"{_UN}domain:Shared:MonetaryAmountType:xsd:codelist:01.01",
    "ssdh": f"{_UN}system:StandardDocumentHeader:xsd:schema:01.23",
    "uc": f"{_UN}universal:Country:xsd:codelist:01.02",
    "uci": f"{_UN}universal:ContactInformation:xsd:schema:01.04",
    "ucr": f"{_UN}universal:Currency:xsd:codelist:01.03",
    "ucs": f"{_UN}universal:CountrySubdivision:xsd:codelist:01.02",
    "udt": f"{_UN}universal:DataType:xsd:schema:01.04",
    "ulc": f"{_UN}universal:Locations:xsd:schema:01.04",
    "ume": f"{_UN}universal:MonetaryExpression:xsd:schema:01.06",
    "updi": f"{_UN}universal:ProductIdentification:xsd:schema:01.04",
    "upi": f"{_UN}universal:PartnerIdentification:xsd:schema:01.16",
    "upri": f"{_UN}universal:ProcessRoleIdentifier:xsd:codelist:01.11",
    "uuom": f"{_UN}universal:UnitOfMeasure:xsd:codelist:01.04",
}
_LISTS = "RosettaNet: which code list a code is from follows from the element"
_SIGN = "PIP 3C3: debit or credit follows from the document type"
_VERSION = "PIP 3C3: the version follows from the namespace"
_DROPS = dict.fromkeys(("schemaVersion", "identifier", "codeListVersion", "agency"), _LISTS)
#: InvoiceChargeType by the role of an allowance or charge; ALC is any.
CHARGES = {
    "customs": "CUC", "deposit": "DEA", "expedited_shipping": "ESC", "freight": "FRC", "handling": "HAC",
    "lease": "LEC", "license": "LIC", "maintenance": "MAC", "purchase": "PUC", "discount": "QUD", "rental": "REC",
}  # fmt: skip
_ROLES = {code: role for role, code in CHARGES.items()}
#: DocumentType by BT-3.
TYPES = {"380": "INV", "381": "CRM", "383": "DEM", "388": "TIN", "389": "SBI", "261": "SBC", "325": "INV"}
_KINDS = {"INV": "380", "CIN": "380", "CRM": "381", "CAN": "381", "DEM": "383", "DAN": "383", "TIN": "388",
          "SBI": "389", "SBC": "261", "SBD": "389"}  # fmt: skip
#: Documents that credit the buyer.
CREDITS = frozenset({"CRM", "SBC", "CAN"})
#: AncillaryDates of the document by their description.
DATES = {"BT-9": "Payment Due Date", "BT-72": "Delivery Date", "BT-7": "Tax Point Date",
         "BT-73": "Billing Period Start", "BT-74": "Billing Period End", "EX-27": "Ship Date"}  # fmt: skip
_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})?)", re.ASCII)


# --- lenses -----------------------------------------------------------------------------------------------------------


def _moment(day: date | None, time: str | None) -> str | None:
    return f"{day.isoformat()}T{time or '00:00:00'}" if day else None


def _moment_back(text: str) -> tuple[date, str | None]:
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:40]!r} is not a date and time of ISO 8601")
    try:
        day = date.fromisoformat(match[1])
    except ValueError:
        raise ValueError(f"{match[1]!r} is not a calendar date") from None
    return day, None if match[2] == "00:00:00" else match[2]


def _charge(role: str) -> str:
    return CHARGES.get(role, "ALC")


def _described(scheme: str | None, jurisdiction: str | None) -> str | None:
    """What a tax is called: its scheme, and where it is for a jurisdiction that too."""
    return ": ".join(part for part in (scheme, jurisdiction) if part) or None


def _described_back(text: str) -> tuple[str, str | None]:
    scheme, _, jurisdiction = text.partition(": ")
    return scheme, jurisdiction or None


CREATED = Lens(_moment, _moment_back, also="issue_time")
DAY = Lens(lambda day: _moment(day, None), lambda text: _moment_back(text)[0], exact=False)
CHARGE = Lens(_charge, _ROLES.get)
TYPE = Lens(lambda code: TYPES.get(code, "INV"), _KINDS.get)
DESCRIBED = Lens(_described, _described_back, also="jurisdiction")


# --- rows: parties ----------------------------------------------------------------------------------------------------


def _known_by() -> tuple[Row, ...]:
    """Identifiers, each with the name beside it: scheme, number and name of a party stand in ``tax_registrations``."""
    name = Field("jurisdiction", "upi:PartnerName")
    kinds = (("duns", "udt:DUNS"), ("duns4", "udt:DUNSPlus4"), ("gln", "udt:GLN"))
    found: list[Row] = [
        Group("upi:PartnerIdentification", (name, Field("id", element)), "tax_registrations[]", many=True,
              when=f"is_{kind}", choose=f"has_{kind}", states=("scheme", kind))
        for kind, element in kinds
    ]  # fmt: skip
    other = (name, Field("scheme", "ulc:AlternativeIdentifier/ulc:Authority"),
             Field("id", "ulc:AlternativeIdentifier/ulc:Identifier"))  # fmt: skip
    return (*found, Group("upi:PartnerIdentification", other, "tax_registrations[]", many=True, when="is_other"))


def _partner(at: str = "") -> tuple[Row, ...]:
    contact, address = f"{at}contact", f"{at}address"
    known = _known_by() if not at else tuple(_moved(row, at) for row in _known_by())
    return (
        Field(f"{contact}.name", "uci:ContactInformation/uci:Contact", filler="-"),
        Field(f"{contact}.email", "uci:ContactInformation/uci:Email"),
        Field(f"{contact}.fax", "uci:ContactInformation/uci:Fax"),
        Field(f"{contact}.id", "uci:ContactInformation/uci:Identifier"),
        Field(f"{contact}.phone", "uci:ContactInformation/uci:Phone"),
        *known,
        Field(f"{address}.line_1", "ulc:PhysicalAddress/ulc:AddressLine1", filler="-"),
        Field(f"{address}.line_2", "ulc:PhysicalAddress/ulc:AddressLine2"),
        Field(f"{address}.line_3", "ulc:PhysicalAddress/ulc:AddressLine3"),
        Field(f"{address}.building", "ulc:PhysicalAddress/ulc:AddressLine4"),
        Field(f"{address}.city", "ulc:PhysicalAddress/ulc:CityName", filler="-"),
        Field(f"{address}.country", "ulc:PhysicalAddress/uc:Country"),
        Field(f"{address}.subdivision", "ulc:PhysicalAddress/ucs:CountrySubdivision"),
        Field(f"{address}.postcode", "ulc:PhysicalAddress/ulc:PostalCode"),
    )


def _moved(row: Row, at: str) -> Row:
    assert isinstance(row, Group)
    return Group(row.path, row.rows, f"{at}{row.term}", many=True, when=row.when, choose=row.choose, states=row.states)


def _addressed(role: str) -> Group:
    """Who sends or receives the document, which need not be who is invoiced."""
    known = "upi:PartnerIdentification"
    return Group(f"ssdh:{role.capitalize()}", (
        Field(f"@{role}_name", f"{known}/upi:PartnerName"),
        Field(f"@{role}_authority", f"{known}/ulc:AlternativeIdentifier/ulc:Authority"),
        Field(f"@{role}_other", f"{known}/ulc:AlternativeIdentifier/ulc:Identifier"),
        Field(f"@{role}_duns", f"{known}/udt:DUNS"),
        Field(f"@{role}_duns4", f"{known}/udt:DUNSPlus4"),
        Field(f"@{role}_gln", f"{known}/udt:GLN"),
    ))  # fmt: skip


# --- rows: the document -----------------------------------------------------------------------------------------------


class _Rows:
    """The rows of one currency and one direction of money."""

    def __init__(self, currency: str, credit: bool) -> None:
        self.currency = currency
        self.owed, self.lessened = ("CRE", "DEB") if credit else ("DEB", "CRE")

    def money(self, term: str, path: str, required: bool = False) -> tuple[Row, ...]:
        return (
            Field(term, f"{path}/ume:Amount", required=required),
            Const(f"{path}/ucr:Currency", self.currency, select=False),
        )

    def amount(self, term: str, path: str, required: bool = False) -> tuple[Row, ...]:
        return (
            *self.money(term, f"{path}/ume:FinancialAmount", required),
            Const(f"{path}/rmat:MonetaryAmountType", self.owed, select=False, clause=_SIGN),
        )

    def charges(self, path: str, allowances: str, charges: str) -> tuple[Row, ...]:
        return tuple(
            Group(path, (
                *self.money("amount", "ume:FinancialAmount"),
                Field("reason", "ume:FinancialAmount/ume:Identifier"),
                Field("role", "rict:InvoiceChargeType", lens=CHARGE, default="ALC"),
                Const("rmat:MonetaryAmountType", sign),
            ), term, many=True)
            for term, sign in ((allowances, self.lessened), (charges, self.owed))
        )  # fmt: skip

    def taxes(self, path: str, term: str, total: str) -> Group:
        amount = self.money("amount", "sha:MonetaryAmount/ume:FinancialAmount", required=True)
        return Group(path, (
            *self.money(total, "sha:MonetaryAmount/ume:FinancialAmount"),
            Group("dp:NationalTax", (*amount, Field("rate", "dp:Rate")), term, many=True, when="national",
                  states=("scheme", "VAT")),
            Group("dp:OtherTaxes", (
                *amount, Field("rate", "dp:Rate"),
                Field("scheme", "dp:TaxDescription", lens=DESCRIBED, required=True)), term, many=True, when="local"),
            Group("dp:TaxPhrase", (
                Const("dp:IsTaxTriangulationApplicable", "false", select=False), Field("exemption_reason", "dp:Phrase"),
            ), term, many=True, when="reasoned"),
        ))  # fmt: skip

    def line(self) -> tuple[Row, ...]:
        order, item = "OrderStatus/PurchaseOrder", "ProductLineItem"
        known = "ProductDescription/updi:ProductIdentification"
        ids = (("SELLER", "BT-155"), ("BUYER", "BT-156"), ("MANUFACTURER", "EX-96"))
        return (
            Group("dp:AncillaryDates", (Const("dp:DateDescription", "Delivery Date"),
                                        Field("EX-91", "dp:DateTime", lens=DAY))),
            Group("dp:AncillaryDates", (Const("dp:DateDescription", "Billing Period Start"),
                                        Field("BT-134", "dp:DateTime", lens=DAY))),
            Group("dp:AncillaryDates", (Const("dp:DateDescription", "Billing Period End"),
                                        Field("BT-135", "dp:DateTime", lens=DAY))),
            Field("BT-127", "Comments"),
            *self.charges("dp:InvoiceAmount", "BG-27", "BG-28"),
            Field("BT-126", "LineNumber", required=True),
            Group(order, (
                Group(item, (
                    Field("BT-159", "CountryOfOrigin"),
                    Field("BT-132", "LineNumber", filler="-"),
                    Field("item.batches[]", "ProductDescription/dp:LotIdentification/dp:Primary"),
                    Field("BT-153", f"{known}/updi:ProductName", filler=UNNAMED),
                    *(Group(f"{known}/ulc:AlternativeIdentifier",
                            (Const("ulc:Authority", name), Field(term, "ulc:Identifier"))) for name, term in ids),
                    Group(f"{known}/ulc:AlternativeIdentifier",
                          (Const("ulc:Authority", "GTIN"), Field("item.standard_id.value", "ulc:Identifier")),
                          when="gtin_too"),
                    Group(f"{known}/ulc:AlternativeIdentifier",
                          (Const("ulc:Authority", "NONE"), Const("ulc:Identifier", "-")), when="unidentified",
                          always=True),
                    Group(f"{known}/udt:GTIN", (Field("item.standard_id.value"),),
                          when="by_gtin"),
                    Field("BT-129", "sha:ProductQuantity", required=True),
                    self.taxes("dp:TaxSummary", "BG-30", "EX-93"),
                    Field("BT-130", "uuom:UnitOfMeasure", required=True),
                    *self.money("BT-146", "UnitPrice", required=True),
                ), always=True),
                Field("EX-83", "PurchaseOrderNumber/dp:DateTime", lens=DAY),
                Field("EX-82", "PurchaseOrderNumber/dp:Identifier", filler="-"),
                Field("EX-102", "PurchaseOrderNumber/dp:Revision"),
            ), always=True),
            Field("EX-88", "dp:PackingSlip/dp:PackingSlipIdentifier"),
            *self.amount("BT-131", "PreTaxAmount"),
            *self.amount("EX-92", "TotalLineItemAmount", required=True),
        )  # fmt: skip

    def rows(self) -> tuple[Row, ...]:
        header, own = "ssdh:DocumentInformation", "ssdh:DocumentInformation/ssdh:DocumentIdentification"
        return (
            Group("ssdh:DocumentHeader", (
                Field("BT-2", f"{header}/ssdh:Creation", lens=CREATED, required=True),
                Field("BT-1", f"{own}/ssdh:Identifier", required=True),
                Const(f"{own}/ssdh:StandardDocumentIdentification/ssdh:Standard", "RosettaNet", False, _VERSION),
                Const(f"{own}/ssdh:StandardDocumentIdentification/ssdh:Version", "11.04", False, _VERSION),
                _addressed("receiver"),
                _addressed("sender"),
            ), always=True),
            Group("Invoice", (
                *self.charges("AncillaryAmount", "BG-20", "BG-21"),
                *(Group("dp:AncillaryDates", (Const("dp:DateDescription", text), Field(term, "dp:DateTime", lens=DAY)))
                  for term, text in DATES.items()),
                Group("BillFrom/upi:SpecifiedFullPartner", _partner(), "BG-4", always=True),
                Group("BillTo/upi:SpecifiedFullPartner", _partner(), "BG-7", always=True),
                Field("buyer.account_number", "BillToAccount"),
                Field("@comments", "Comments"),
                Field("BT-3", "ddt:DocumentType", lens=TYPE, required=True),
                Group("InvoiceLineItem", self.line(), "BG-25", many=True),
                Const("IsLockBoxUsed", "false", select=False),
                Field("@rebill", "IsRebill", required=True),
                Group("OriginalInvoiceNumber", (
                    Field("issue_date", "dp:DateTime", lens=DAY), Field("id", "dp:Identifier", required=True),
                ), "BG-3", many=True, when="first_preceding"),
                Group("upi:PartnerDescription", (Group("upi:FullPartner", (
                    *_partner("seller."), Field("operation", "upri:ProcessRoleIdentifier"))),),
                    each="partners", many=True),
                Group("dp:PaymentTerms", (
                    Group("dp:Discounts", (Field("days", "dp:Days"), Field("percent", "dp:Percent")),
                          "payment.discounts[]", many=True),
                    Group("dp:NetTerms", (Field("EX-30", "dp:Days"),), always=True),
                ), when="has_terms"),
                *self.amount("BT-109", "PreTaxAmount"),
                Field("EX-12", "PurchaseOrderNumber/dp:DateTime", lens=DAY),
                Field("BT-13", "PurchaseOrderNumber/dp:Identifier", filler="-"),
                Field("EX-14", "PurchaseOrderNumber/dp:Revision"),
                Group("RemitToAccount", (
                    Field("account.bic", "dp:BankIdentifier"),
                    Field("account.routing", "dp:BankKey"),
                    Field("account.id", "dp:Number"),
                ), "BG-16", many=True, when="to_account", states=("code", "30")),
                Field("BT-14", "SalesOrderIdentifier/dp:Identifier"),
                self.taxes("SoldToTax", "BG-23", "BT-110"),
                *self.amount("BT-112", "TotalInvoiceAmount", required=True),
                Field("@count", "TotalNumberOfItems"),
            ), always=True),
        )  # fmt: skip


@lru_cache(64)
def table(currency: str, credit: bool) -> Map:
    """The table of documents in *currency*; *credit*: of those that credit the buyer."""
    return Map("InvoiceNotification", _Rows(currency, credit).rows(), PREFIXES, money="", drops=_DROPS, hooks=HOOKS)
