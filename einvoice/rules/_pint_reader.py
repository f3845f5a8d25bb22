"""PINT A-NZ, rules about elements that may stand once: what the reader says of a second one, under their ids."""

from __future__ import annotations

from collections.abc import Iterator

from . import _bis
from ._rule import ReaderRule, Rule

#: Id, term, then the places (last steps of the UBL path) of what may stand once.
_ONCE = """
ibr-089 BT-128 InvoiceLine/DocumentReference CreditNoteLine/DocumentReference
ibr-090 BT-11 Invoice/ProjectReference
ibr-094 BT-12 ContractDocumentReference ContractDocumentReference/ID
ibr-095 BT-15 ReceiptDocumentReference ReceiptDocumentReference/ID
ibr-096 BT-16 DespatchDocumentReference DespatchDocumentReference/ID
ibr-097 BG-14 Invoice/InvoicePeriod CreditNote/InvoicePeriod
ibr-098 BT-27
ibr-099 BT-28 AccountingSupplierParty/Party/PartyName AccountingSupplierParty/Party/PartyName/Name
ibr-100 BT-30
ibr-101 BT-33 AccountingSupplierParty/Party/PartyLegalEntity/CompanyLegalForm
ibr-102 BT-44
ibr-103 BT-47
ibr-106 BT-61 PayeeParty/PartyLegalEntity PayeeParty/PartyLegalEntity/CompanyID
ibr-107 BG-13 Invoice/Delivery CreditNote/Delivery
ibr-108 BT-70 Delivery/DeliveryParty/PartyName Delivery/DeliveryParty/PartyName/Name
ibr-109 BT-132 OrderLineReference OrderLineReference/LineID
ibr-110 BG-26 InvoiceLine/InvoicePeriod CreditNoteLine/InvoicePeriod
ibr-111 BT-147 Price/AllowanceCharge Price/AllowanceCharge/Amount
ibr-112 BT-45 AccountingCustomerParty/Party/PartyName AccountingCustomerParty/Party/PartyName/Name
ibr-sr-05 BT-20 PaymentTerms/Note
ibr-sr-06 BT-25 BillingReference/InvoiceDocumentReference
ibr-sr-19 BT-59 PayeeParty/PartyName PayeeParty/PartyName/Name
ibr-sr-22 BT-62 TaxRepresentativeParty/PartyName TaxRepresentativeParty/PartyName/Name
ibr-sr-27 BT-81 PaymentMeans/PaymentMeansCode
ibr-sr-28 BT-89 PaymentMeans/PaymentMandate PaymentMandate/ID
ibr-sr-32 BT-120 TaxSubtotal/TaxCategory/TaxExemptionReason
ibr-sr-33 BT-123 AdditionalDocumentReference/DocumentDescription
ibr-sr-34 BT-127 InvoiceLine/Note CreditNoteLine/Note
ibr-sr-38 BT-120 ClassifiedTaxCategory/TaxExemptionReason
ibr-sr-39 BT-11 Invoice/ProjectReference ProjectReference/ID
ibr-sr-49 BT-8 InvoicePeriod/DescriptionCode
ibr-sr-50 BT-154 Item/Description
ibr-sr-52 BT-17 OriginatorDocumentReference OriginatorDocumentReference/ID
ibr-sr-53 BT-162 AccountingSupplierParty/Party/PostalAddress/AddressLine AccountingSupplierParty/Party/PostalAddress/AddressLine/Line
ibr-sr-54 BT-163 AccountingCustomerParty/Party/PostalAddress/AddressLine AccountingCustomerParty/Party/PostalAddress/AddressLine/Line
ibr-sr-55 BT-164 TaxRepresentativeParty/PostalAddress/AddressLine TaxRepresentativeParty/PostalAddress/AddressLine/Line
ibr-sr-56 BT-165 DeliveryLocation/Address/AddressLine DeliveryLocation/Address/AddressLine/Line
ibr-sr-61 BT-97 AllowanceCharge/TaxCategory/TaxExemptionReason
aligned-ibrp-008 BT-20 PaymentTerms
aligned-ibrp-065 BT-83 PaymentMeans/PaymentID
"""  # noqa: E501

_DATES = ("IssueDate", "DueDate", "TaxPointDate", "StartDate", "EndDate", "ActualDeliveryDate")
_OBJECT = "AdditionalDocumentReference"
_MORE = (
    *(ReaderRule(read, step, "ibr-073") for step in _DATES for read in ("EINV-READ-04", "EINV-READ-09")),
    ReaderRule("EINV-READ-01", f"{_OBJECT}/Attachment/ExternalReference/URI", "ibr-071"),
    ReaderRule("EINV-READ-01", f"{_OBJECT}/Attachment/EmbeddedDocumentBinaryObject", "ibr-071"),
    ReaderRule("EINV-READ-01", f"{_OBJECT}/DocumentDescription", "ibr-072"),
    ReaderRule("EINV-READ-02", "Invoice/InvoicePeriod", "ibr-sr-49", holds=r"(?:^|\s)[0-9]{1,3}$"),
    ReaderRule("EINV-READ-02", "CreditNote/InvoicePeriod", "ibr-sr-49", holds=r"(?:^|\s)[0-9]{1,3}$"),
    # A second tax total has a second row of the category, where exactly one is due.
    *(
        ReaderRule("EINV-READ-02", "TaxTotal", f"aligned-ibrp-{code.lower()}-01-aunz", holds=rf"(?:^|\s){code}(?:\s|$)")
        for code in "ZEGO"
    ),
    # Rules that the model breaks where two means state them, and the source where one does twice.
    ReaderRule("EINV-READ-02", "PaymentMeans/CardAccount", "ibr-066"),
    ReaderRule("EINV-READ-02", "PaymentMeans/PaymentMandate", "ibr-067"),
    ReaderRule("EINV-READ-02", "AccountingCustomerParty/Party/PartyIdentification/ID", "ibr-sr-16"),
    ReaderRule("EINV-READ-02", "AccountingCustomerParty/Party/PartyTaxScheme/CompanyID", "ibr-104"),
    ReaderRule("EINV-READ-02", "PayeeParty/PartyIdentification/ID", "ibr-105"),
    # The root says invoice, the type code credit note, or the reverse; 396 may stand in either root.
    ReaderRule("EINV-READ-11", "BT-3", "ibr-cl-01", holds=r"^(?!396$)."),
    # An empty code is of no list.
    *(ReaderRule("EINV-READ-07", step, "ibr-073") for step in _DATES),
    *_bis.second_entity("Supplier", "ibr-098", "ibr-100"),
    *_bis.second_entity("Customer", "ibr-102", "ibr-103"),
)


def _entries() -> Iterator[tuple[str, str, list[str]]]:
    for line in _ONCE.strip().splitlines():
        id_, term, *places = line.split()
        yield id_, term, places


RULES = tuple(Rule(id_, term, _bis.never, text="TWICE") for id_, term, _ in _entries())
READER = (*(ReaderRule("EINV-READ-02", place, id_) for id_, _, places in _entries() for place in places), *_MORE)

_SCHEMA = "about the syntax binding: {0}"
NOT_NATIVE = {
    "ibr-sr-23": "can never fire: it counts below an element that UBL does not have there",
    "ibr-sr-30": _SCHEMA.format("a second reason of an allowance; the reader reports it (EINV-READ-02)"),
    "ibr-sr-31": _SCHEMA.format("a second reason of a charge; the reader reports it (EINV-READ-02)"),
    "ibr-sr-46": "can never fire: it counts an attribute",
    "ibr-sr-59": _SCHEMA.format("the address of a bank, which has no place in the model (EINV-READ-01)"),
    "ibr-sr-60": _SCHEMA.format("PaymentTerms/PaymentMeansID, which has no place in the model (EINV-READ-01)"),
    "ibr-sr-62": _SCHEMA.format("references of a despatch line, which the UBL table does not carry (EINV-READ-01)"),
}
