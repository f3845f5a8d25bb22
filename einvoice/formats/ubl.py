"""OASIS UBL 2.1 Invoice and CreditNote, as Peppol BIS Billing 3 and EN 16931-3-2 bind them.

Two roots, one table: what differs between Invoice and CreditNote is said once, by ``_table``. What other profiles
(XRechnung extension, PINT) add to the same syntax stands in the same rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, BinaryIO, Literal

from ..config import Strict
from ..errors import Finding, Severity, UnreadableDocument
from ..exchange import Document, Identity, Read
from ..mapping import Const, Drop, Field, Group, Lens, Map, Row
from ..model import CREDIT_TYPES, Invoice, Note, Price
from ..specifications import specification
from ..totals import completed
from ._lenses import TERMS
from ._statuses import answers as answers
from ._xml import encode, load, parse
from ._xml_read import Context, TreeReader
from ._xml_write import Writer, absent, compile_writer

_NS = "urn:oasis:names:specification:ubl:schema:xsd:"
_PREFIXES = {"cac": f"{_NS}CommonAggregateComponents-2", "cbc": f"{_NS}CommonBasicComponents-2"}
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


class Ubl(Strict):
    """Settings of the UBL format."""

    profile: str = ""
    """Name of a specification (specifications.toml), which sets BT-24 and BT-23; empty keeps what the invoice states
    (Peppol BIS 3 where it is silent)."""
    absent_totals: Literal["refuse", "compute"] = "refuse"
    """What becomes of a total that the format demands and the invoice leaves out: EDI invoices state no net amount."""


# --- lenses -----------------------------------------------------------------------------------------------------------

_SUBJECT = re.compile(r"#([A-Z]{3})#(.*)", re.DOTALL)


def _note_text(note: Note) -> str | None:
    """``#AAI#text``: BT-21 has no element of its own in UBL (EN 16931-3-2, BT-21)."""
    if note.subject_code and re.fullmatch("[A-Z]{3}", note.subject_code):
        return f"#{note.subject_code}#{note.text or ''}"
    return note.text


def _note(text: str) -> dict[str, str]:
    match = _SUBJECT.fullmatch(text)
    if not match:
        return {"text": text}
    return {"subject_code": match.group(1), **({"text": match.group(2).strip()} if match.group(2).strip() else {})}


NOTE = Lens(_note_text, _note)
TRUE = Lens(lambda flag: "true" if flag else None, lambda text: text in ("true", "1") or None, exact=False)


# --- rows -------------------------------------------------------------------------------------------------------------

#: UBL wants an order number beside a sales order number, as BIS Billing 3 says, and a number of every attachment: this
#: is written where there is none.
_NOT_KNOWN = "NA"
#: The discount of a gross price that is the net price: UBL wants the amount. Read back as none stated.
_NO_DISCOUNT = "0.000"
_NO_SCHEME = "EN 16931-3-2: the tax category code list is fixed (UNCL5305)"


def _address(path: str, scope: str) -> tuple[Row, ...]:
    rows = (
        ("line_1", "StreetName"), ("line_2", "AdditionalStreetName"), ("building", "BuildingNumber"),
        ("city", "CityName"), ("postcode", "PostalZone"), ("subdivision", "CountrySubentity"),
    )  # fmt: skip
    return (
        *(Field(f"{scope}.{leaf}", f"{path}/cbc:{name}") for leaf, name in rows),
        Field(f"{scope}.line_3", f"{path}/cac:AddressLine/cbc:Line"),
        Field(f"{scope}.country", f"{path}/cac:Country/cbc:IdentificationCode"),
    )


def _identified(group: str, path: str) -> tuple[Row, ...]:
    return (Field(f"{group}.value", path), Field(f"{group}.scheme", f"{path}/@schemeID"))


def _scheme(term: str, default: str) -> Row:
    """TaxScheme, which UBL wants even where the invoice names none."""
    return Group("cac:TaxScheme", (Field(term, "cbc:ID", default=default),), always=True)


def _tax_schemes() -> tuple[Row, ...]:
    """BT-31 under VAT; BT-32 under any other scheme word, which is kept; further registrations after it."""
    path = "cac:PartyTaxScheme"
    return (
        Group(path, (Field("vat_id", "cbc:CompanyID"), Const("cac:TaxScheme/cbc:ID", "VAT"))),
        Group(path, (Field("tax_id", "cbc:CompanyID"), _scheme("tax_id_scheme", "TAX")), when="has_tax_id"),
        Group(path, (Field("id", "cbc:CompanyID"), _scheme("scheme", "TAX")), "tax_registrations[]", many=True),
    )  # fmt: skip


def _creditor(when: str) -> Row:
    """BT-90 stands among the identifiers of the payee, or of the seller where there is no payee."""
    rows = (Field("BT-90", "cbc:ID"), Const("cbc:ID/@schemeID", "SEPA"))
    return Group("cac:PartyIdentification", rows, when=when)


def _identifiers() -> Row:
    rows = (Field("value", "cbc:ID"), Field("scheme", "cbc:ID/@schemeID"))
    return Group("cac:PartyIdentification", rows, "identifiers[]", many=True)


def _party(creditor: bool) -> tuple[Row, ...]:
    return (
        *_identified("endpoint", "cbc:EndpointID"),
        *((_creditor("no_payee"),) if creditor else ()),
        _identifiers(),
        Field("trading_name", "cac:PartyName/cbc:Name"),
        *_address("cac:PostalAddress", "address"),
        *_tax_schemes(),
        Field("name", "cac:PartyLegalEntity/cbc:RegistrationName", required=True),
        *_identified("legal_id", "cac:PartyLegalEntity/cbc:CompanyID"),
        Field("legal_info", "cac:PartyLegalEntity/cbc:CompanyLegalForm"),
        Field("contact.id", "cac:Contact/cbc:ID"),
        Field("contact.name", "cac:Contact/cbc:Name"),
        Field("contact.phone", "cac:Contact/cbc:Telephone"),
        Field("contact.email", "cac:Contact/cbc:ElectronicMail"),
    )


_PAYEE = (
    _creditor("has_payee"),
    _identifiers(),
    Field("name", "cac:PartyName/cbc:Name"),
    *_identified("legal_id", "cac:PartyLegalEntity/cbc:CompanyID"),
)
_TAX_REPRESENTATIVE = (
    Field("name", "cac:PartyName/cbc:Name"),
    *_address("cac:PostalAddress", "address"),
    *_tax_schemes(),
)
_TAX = (
    Field("category", "cbc:ID"),
    Drop("cbc:ID/@schemeID", _NO_SCHEME),
    Field("category_name", "cbc:Name"),
    Field("rate", "cbc:Percent"),
    Field("exemption_code", "cbc:TaxExemptionReasonCode"),
    Field("exemption_reason", "cbc:TaxExemptionReason"),
    _scheme("scheme", "VAT"),
)


def _allowance(term: str, charge: str, taxes: bool) -> Row:
    rows: tuple[Row, ...] = (
        Const("cbc:ChargeIndicator", charge),
        Field("reason_code", "cbc:AllowanceChargeReasonCode"),
        Field("reason", "cbc:AllowanceChargeReason"),
        Field("percent", "cbc:MultiplierFactorNumeric"),
        Field("amount", "cbc:Amount", required=True),
        Field("base", "cbc:BaseAmount"),
    )
    tax = Group("cac:TaxCategory", _TAX, "taxes[]", many=True)
    return Group("cac:AllowanceCharge", (*rows, tax) if taxes else rows, term, many=True)


_PAYMENT = (
    Field("card.number", "cac:CardAccount/cbc:PrimaryAccountNumberID"),
    Field("card.network", "cac:CardAccount/cbc:NetworkID", default="NA"),
    Field("card.holder", "cac:CardAccount/cbc:HolderName"),
    Field("account.id", "cac:PayeeFinancialAccount/cbc:ID"),
    Field("account.scheme", "cac:PayeeFinancialAccount/cbc:ID/@schemeID"),
    Field("account.name", "cac:PayeeFinancialAccount/cbc:Name"),
    Field("account.bic", "cac:PayeeFinancialAccount/cac:FinancialInstitutionBranch/cbc:ID"),
    Field("debit.mandate", "cac:PaymentMandate/cbc:ID"),
    Field("debit.account", "cac:PaymentMandate/cac:PayerFinancialAccount/cbc:ID"),
)


def _line(quantity: str, sub: str) -> tuple[Row, ...]:
    allowances = (_allowance("BG-27", "false", taxes=False), _allowance("BG-28", "true", taxes=False))
    taxes = (
        Field("EX-93", "cac:TaxTotal/cbc:TaxAmount"),
        Drop("cac:TaxTotal/cac:TaxSubtotal", "EN 16931-3-2, UBL-CR-561: no tax totals on lines"),
    )
    return (
        Field("BT-126", "cbc:ID", required=True),
        Field("BT-127", "cbc:Note"),
        Field("BT-129", f"cbc:{quantity}"),
        Field("BT-130", f"cbc:{quantity}/@unitCode"),
        Field("BT-131", "cbc:LineExtensionAmount", required=True),
        Field("BT-133", "cbc:AccountingCost"),
        Field("BT-134", "cac:InvoicePeriod/cbc:StartDate"),
        Field("BT-135", "cac:InvoicePeriod/cbc:EndDate"),
        Field("BT-132", "cac:OrderLineReference/cbc:LineID", filler=_NOT_KNOWN),
        Field("EX-82", "cac:OrderLineReference/cac:OrderReference/cbc:ID", filler=_NOT_KNOWN),
        Field("EX-111", "cac:OrderLineReference/cac:OrderReference/cbc:SalesOrderID"),
        Field("EX-83", "cac:OrderLineReference/cac:OrderReference/cbc:IssueDate"),
        Group("cac:DocumentReference", (*_identified("object", "cbc:ID"), Const("cbc:DocumentTypeCode", "130"))),
        Group("cac:DocumentReference", (Field("object.value", "cbc:ID"),), when="never", choose="untyped"),
        *((*allowances, *taxes) if sub == "SubInvoiceLine" else (*taxes, *allowances)),
        Group("cac:Item", (
            Field("BT-154", "cbc:Description"),
            Field("BT-153", "cbc:Name"),
            Field("EX-110", "cbc:AdditionalInformation"),
            Field("BT-156", "cac:BuyersItemIdentification/cbc:ID"),
            Field("BT-155", "cac:SellersItemIdentification/cbc:ID"),
            Field("EX-96", "cac:ManufacturersItemIdentification/cbc:ID"),
            *_identified("item.standard_id", "cac:StandardItemIdentification/cbc:ID"),
            Field("BT-159", "cac:OriginCountry/cbc:IdentificationCode"),
            Group("cac:CommodityClassification", (
                Field("code", "cbc:ItemClassificationCode"),
                Field("scheme", "cbc:ItemClassificationCode/@listID"),
                Field("version", "cbc:ItemClassificationCode/@listVersionID"),
            ), "item.classifications[]", many=True),
            Group("cac:ClassifiedTaxCategory", _TAX, "BG-30", many=True),
            Group("cac:AdditionalItemProperty", (Field("name", "cbc:Name"), Field("value", "cbc:Value")),
                  "item.attributes[]", many=True),
        )),
        Group("cac:Price", (
            Field("BT-146", "cbc:PriceAmount", required=True),
            Field("BT-149", "cbc:BaseQuantity"),
            Field("BT-150", "cbc:BaseQuantity/@unitCode"),
            Group("cac:AllowanceCharge", (
                Const("cbc:ChargeIndicator", "false"),
                Field("BT-147", "cbc:Amount", filler=_NO_DISCOUNT),
                Field("BT-148", "cbc:BaseAmount"),
            ), when="has_discount"),
        ), when="has_price"),
        Group(f"cac:{sub}", (), "sub_lines[]", many=True, like="line"),
    )  # fmt: skip


def _table(root: str) -> Map:
    invoice = root == "Invoice"
    line, quantity, sub = (
        ("InvoiceLine", "InvoicedQuantity", "SubInvoiceLine")
        if invoice
        else ("CreditNoteLine", "CreditedQuantity", "SubCreditNoteLine")
    )
    tax_point = Field("BT-7", "cbc:TaxPointDate")
    type_code = Field("BT-3", f"cbc:{root}TypeCode")
    note = Field("notes[]", "cbc:Note", lens=NOTE)
    contract = Field("BT-12", "cac:ContractDocumentReference/cbc:ID")
    originator = Field("BT-17", "cac:OriginatorDocumentReference/cbc:ID")
    project = (
        Field("BT-11", "cac:ProjectReference/cbc:ID")
        if invoice
        else Group("cac:AdditionalDocumentReference",
                   (Field("BT-11", "cbc:ID"), Const("cbc:DocumentTypeCode", "50")))
    )  # fmt: skip
    due = (Field("BT-9", "cbc:DueDate"),)
    rows: tuple[Row, ...] = (
        Drop("cbc:UBLVersionID", "EN 16931-3-2: the version is fixed"),
        Field("BT-24", "cbc:CustomizationID", default=specification("ubl", "peppol-bis-3").id),
        Field("BT-23", "cbc:ProfileID"),
        Field("BT-1", "cbc:ID", required=True),
        Field("EX-7", "cbc:CopyIndicator", lens=TRUE),
        Field("EX-3", "cbc:UUID"),
        Field("BT-2", "cbc:IssueDate", required=True),
        Field("EX-1", "cbc:IssueTime"),
        *((*due, type_code, note, tax_point) if invoice else (tax_point, type_code, note)),
        Field("BT-5", "cbc:DocumentCurrencyCode"),
        Field("BT-6", "cbc:TaxCurrencyCode"),
        Field("BT-19", "cbc:AccountingCost"),
        Field("BT-10", "cbc:BuyerReference"),
        Field("BT-73", "cac:InvoicePeriod/cbc:StartDate"),
        Field("BT-74", "cac:InvoicePeriod/cbc:EndDate"),
        Field("BT-8", "cac:InvoicePeriod/cbc:DescriptionCode"),
        Field("BT-13", "cac:OrderReference/cbc:ID", filler=_NOT_KNOWN),
        Field("BT-14", "cac:OrderReference/cbc:SalesOrderID"),
        Field("EX-12", "cac:OrderReference/cbc:IssueDate"),
        Group("cac:BillingReference", (
            Field("id", "cac:InvoiceDocumentReference/cbc:ID"),
            Field("issue_date", "cac:InvoiceDocumentReference/cbc:IssueDate"),
        ), "BG-3", many=True),
        Field("BT-16", "cac:DespatchDocumentReference/cbc:ID"),
        Field("BT-15", "cac:ReceiptDocumentReference/cbc:ID"),
        *((originator, contract) if invoice else (contract,)),
        Group("cac:AdditionalDocumentReference", (
            *_identified("invoiced_object", "cbc:ID"), Const("cbc:DocumentTypeCode", "130"))),
        *(() if invoice else (project,)),
        Group("cac:AdditionalDocumentReference", (
            Field("id", "cbc:ID", required=True),
            Field("scheme", "cbc:ID/@schemeID"),
            Field("type_code", "cbc:DocumentTypeCode"),
            Field("description", "cbc:DocumentDescription"),
            Field("content", "cac:Attachment/cbc:EmbeddedDocumentBinaryObject"),
            Field("mime", "cac:Attachment/cbc:EmbeddedDocumentBinaryObject/@mimeCode"),
            Field("filename", "cac:Attachment/cbc:EmbeddedDocumentBinaryObject/@filename"),
            Field("uri", "cac:Attachment/cac:ExternalReference/cbc:URI"),
        ), "BG-24", many=True),
        *((project,) if invoice else (originator,)),
        Group("cac:AccountingSupplierParty/cac:Party", _party(creditor=True), "BG-4", always=True),
        Group("cac:AccountingCustomerParty", (
            Field("buyer.account_number", "cbc:SupplierAssignedAccountID"),
            Group("cac:Party", _party(creditor=False), "BG-7", always=True))),
        Group("cac:PayeeParty", _PAYEE, "BG-10"),
        Group("cac:TaxRepresentativeParty", _TAX_REPRESENTATIVE, "BG-11"),
        Field("BT-72", "cac:Delivery/cbc:ActualDeliveryDate"),
        Field("BT-71", "cac:Delivery/cac:DeliveryLocation/cbc:ID"),
        Field("BT-71-1", "cac:Delivery/cac:DeliveryLocation/cbc:ID/@schemeID"),
        *_address("cac:Delivery/cac:DeliveryLocation/cac:Address", "delivery.address"),
        Field("BT-70", "cac:Delivery/cac:DeliveryParty/cac:PartyName/cbc:Name"),
        Group("cac:PaymentMeans", (
            Field("code", "cbc:PaymentMeansCode", required=True),
            Field("text", "cbc:PaymentMeansCode/@name"),
            *(() if invoice else (Field("BT-9", "cbc:PaymentDueDate"),)),
            Field("remittance", "cbc:PaymentID", fallback="BT-83"),
            *_PAYMENT,
        ), "BG-16", many=True),
        Field("BT-20", "cac:PaymentTerms/cbc:Note", lens=TERMS),
        *((Group("cac:PrepaidPayment", (
            Field("type", "cbc:ID"), Field("amount", "cbc:PaidAmount"), Field("date", "cbc:ReceivedDate"),
            Field("reference", "cbc:InstructionID"),
        ), "payment.prepaid[]", many=True),) if invoice else ()),
        _allowance("BG-20", "false", taxes=True),
        _allowance("BG-21", "true", taxes=True),
        Group("cac:TaxTotal", (
            Field("BT-110", "cbc:TaxAmount", required=True),
            Group("cac:TaxSubtotal", (
                Field("base", "cbc:TaxableAmount"),
                Field("amount", "cbc:TaxAmount", required=True),
                Group("cac:TaxCategory", _TAX),
            ), "BG-23", many=True, when="charged"),
        ), choose="document_tax", when="has_tax"),
        Group("cac:TaxTotal", (Field("BT-111", "cbc:TaxAmount", money="tax_currency"),), choose="accounting_tax"),
        Field("BT-106", "cac:LegalMonetaryTotal/cbc:LineExtensionAmount"),
        Field("BT-109", "cac:LegalMonetaryTotal/cbc:TaxExclusiveAmount"),
        Field("BT-112", "cac:LegalMonetaryTotal/cbc:TaxInclusiveAmount"),
        Field("BT-107", "cac:LegalMonetaryTotal/cbc:AllowanceTotalAmount"),
        Field("BT-108", "cac:LegalMonetaryTotal/cbc:ChargeTotalAmount"),
        Field("BT-113", "cac:LegalMonetaryTotal/cbc:PrepaidAmount"),
        Field("BT-114", "cac:LegalMonetaryTotal/cbc:PayableRoundingAmount"),
        Field("BT-115", "cac:LegalMonetaryTotal/cbc:PayableAmount", required=True),
        Group(f"cac:{line}", _line(quantity, sub), "BG-25", many=True, name="line"),
    )  # fmt: skip
    return Map(root, rows, {"": f"{_NS}{root}-2", **_PREFIXES}, hooks=_HOOKS, whole=True)


# --- hooks ------------------------------------------------------------------------------------------------------------


def _tax_currency_of(element: Any) -> str | None:
    amount = element.find(f"{{{_PREFIXES['cbc']}}}TaxAmount")
    return None if amount is None else amount.get("currencyID")


def _after(context: Context) -> None:
    _lift_remittance(context)
    root = context.element.tag.rpartition("}")[2]
    code = context.root.get("type_code")
    if (code in CREDIT_TYPES) != (root == "CreditNote"):
        context.say(
            "EINV-READ-11",
            f"the document is a {root}, its type says otherwise",
            context.element,
            term="BT-3",
            found=code or "",
        )


def _lift_remittance(context: Context) -> None:
    """BT-83 stands once in the model; UBL repeats it in every PaymentMeans. Only differing ones stay where they are."""
    payment = context.root.get("payment", {})
    stated = [means.get("remittance") for means in payment.get("means", ())]
    if stated and stated[0] is not None and len(set(stated)) == 1:
        payment["remittance"] = stated[0]
        for means in payment["means"]:
            if context.places is not None:
                context.places[id(payment), "remittance"] = context.places[id(means), "remittance"]
            del means["remittance"]


def _accounting_tax(element: Any, context: Context) -> bool:
    """The TaxTotal in the accounting currency (BT-111) has no subtotals and another currency than BT-5."""
    return context.tax_currency is not None and _tax_currency_of(element) == context.tax_currency


def _document_tax(element: Any, context: Context) -> bool:
    same = context.tax_currency in (None, context.currency)
    return same or not _accounting_tax(element, context)


def _ungiven(price: Price) -> bool:
    """True when the gross price stands alone or is the net price: the discount is none, and not merely unstated."""
    return price.gross is not None and price.net in (None, price.gross)


def _before(invoice: Invoice) -> Invoice:
    """BT-41 may be a person or a department; UBL has one element for both."""
    update = {}
    for side in ("seller", "buyer"):
        party = getattr(invoice, side)
        contact = party.contact if party else None
        if contact and contact.name is None and contact.department is not None:
            named = contact.model_copy(update={"name": contact.department})
            update[side] = party.model_copy(update={"contact": named})
    return invoice.model_copy(update=update) if update else invoice


def _untyped(element: Any, context: Context) -> bool:
    """A reference that is a number and no more, the only one of its line: it is taken for the invoiced object."""
    tag, typed = element.tag, element.find("cbc:DocumentTypeCode", _PREFIXES) is not None
    beside = next(element.itersiblings(tag), None), next(element.itersiblings(tag, preceding=True), None)
    if typed or beside != (None, None) or not element.findtext("cbc:ID", "", _PREFIXES).strip():
        return False
    message = "DocumentReference states no type and is taken for the invoiced object"
    context.say("EINV-READ-09", message, element, Severity.INFO, term="BT-128", clause="EN 16931-3-2, BT-128: 130")
    return True


_HOOKS: Mapping[str, Any] = {
    "before": _before,
    "no_payee": lambda party, invoice: invoice.payee is None,
    "has_tax_id": lambda party, invoice: party.tax_id is not None or party.tax_id_scheme is not None,
    "has_payee": lambda party, invoice: invoice.payee is not None,
    "charged": lambda tax, invoice: tax.effect in (None, "charged", "paid_by_buyer"),
    "has_tax": lambda totals, invoice: bool(
        invoice.tax_breakdown or (invoice.totals and invoice.totals.tax is not None)
    ),
    "has_price": lambda line, invoice: bool(line.price),
    "has_discount": lambda line, invoice: line.price.discount is not None or _ungiven(line.price),
    "never": lambda line, invoice: False,
    "untyped": _untyped,
    "document_tax": _document_tax,
    "accounting_tax": _accounting_tax,
    "after": _after,
}


def _begin(context: Context) -> None:
    cbc = _PREFIXES["cbc"]
    for attribute, name in (("currency", "DocumentCurrencyCode"), ("tax_currency", "TaxCurrencyCode")):
        text = context.element.findtext(f"{{{cbc}}}{name}")
        setattr(context, attribute, text.strip() if text and text.strip() else None)


# --- the format -------------------------------------------------------------------------------------------------------


@cache
def table(root: str) -> Map:
    """The table of ``Invoice`` or ``CreditNote``."""
    return _table(root)


@cache
def _writer(root: str) -> Writer:
    return compile_writer(table(root))


@cache
def _reader(root: str) -> TreeReader:
    return TreeReader(table(root), "ubl", _begin)


class UblFormat:
    """Reads and writes UBL 2.1; ``write`` raises UnreadableDocument when a text cannot stand in XML."""

    name = "ubl"

    def __init__(self, settings: Ubl | None = None) -> None:
        self.settings = settings or Ubl()

    def write(self, invoice: Invoice, ids: Identity) -> Document:
        root = "CreditNote" if invoice.type_code in CREDIT_TYPES else "Invoice"
        told: list[Finding] = []
        if self.settings.absent_totals == "compute":
            invoice, told = completed(invoice)
        if self.settings.profile:
            named = specification("ubl", self.settings.profile, invoice.issue_date)
            told += named.findings(invoice)
            invoice = named.applied(invoice)
        text, missing = _writer(root)(invoice, {}, False)
        data = encode(_DECLARATION + text)
        losses = (*told, *absent([*missing, *(() if invoice.lines else ("BG-25",))]))
        return Document(data, "ubl", "application/xml", f"{ids.payload_id}.xml", losses)

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        data = load(stream)
        yield self.read_root(parse(data), lambda: parse(data))

    def read_root(self, root: Any, again: Callable[[], Any]) -> Read:
        """The invoice of a parsed document, for callers who need the tree too; *again* parses it once more."""
        for name in ("Invoice", "CreditNote"):
            if root.tag == _reader(name).tag:
                return _reader(name).read(root, again)
        raise UnreadableDocument(
            f"the root element is {root.tag!r}, not a UBL 2.1 Invoice or CreditNote",
            where="line 1",
            fix="send UBL 2.1; other UBL documents are not invoices",
        )


def variant(name: str) -> dict[str, str]:
    """Settings of ``ubl:NAME``; ConfigError when no specification has that name."""
    specification("ubl", name)
    return {"profile": name}


FORMAT, SETTINGS = UblFormat, Ubl
