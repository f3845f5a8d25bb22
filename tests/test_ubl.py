"""UBL 2.1: what is written, what is read, and what is said about everything else."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from einvoice import formats
from einvoice.errors import UnreadableDocument
from einvoice.exchange import Document, Read
from einvoice.formats.ubl import UblFormat, table
from einvoice.mapping import placed
from einvoice.model import AllowanceCharge, Invoice, Note, Tax, leaves
from einvoice.specifications import specification
from tests import readable
from tests.invoices import Special, complete, invoices

MANY = settings(
    max_examples=40,
    derandomize=True,  # the same examples in every run: new ones are the fuzzer's work
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
#: Terms with a shape of their own in UBL: BT-83 stands once or in every means; a note's code is three letters.
SPECIAL: Special = {
    "payment.means[].remittance": None,
    "notes[].subject_code": st.sampled_from(["AAI", "REG"]),
    "type_code": None,
}
NAMES = {"Invoice": "380", "CreditNote": "381"}


def write(invoice: Invoice) -> Document:
    return UblFormat().write(invoice, readable.IDS)


def read(data: bytes | str) -> Read:
    (one,) = formats.read(data.encode() if isinstance(data, str) else data, "ubl")
    return one


def settled(type_code: str) -> Callable[[dict[str, Any]], None]:
    def settle(raw: dict[str, Any]) -> None:
        """What UBL says only together: a creditor id of someone, remittance of a means, BT-111 beside BT-6."""
        raw["currency"], raw["type_code"] = "EUR", type_code
        raw.setdefault("seller", {})["name"] = "Seller"
        payment = raw.get("payment", {})
        if "remittance" in payment or (type_code == "381" and "due_date" in raw):
            raw.setdefault("payment", payment).setdefault("means", [{"code": "30"}])
        if raw.get("tax_currency") == "EUR" or "tax_accounting" in raw.get("totals", {}):
            raw["tax_currency"] = "SEK"
        for party in (raw[role] for role in ("seller", "buyer", "tax_representative") if role in raw):
            if "tax_registrations" in party:
                party["tax_id"] = "1"

    return settle


def comes_back(invoice: Invoice) -> None:
    """Every stated leaf is read as it was written; only defaults of the syntax come beside it, and they stay."""
    first = read(write(invoice).data)
    before, after = dict(leaves(invoice)), dict(leaves(first.invoice))
    assert {path: (value, after.get(path)) for path, value in before.items() if after.get(path) != value} == {}
    assert read(write(first.invoice).data).invoice == first.invoice


@MANY
@given(invoices(placed(table("Invoice")), SPECIAL, settled("380")))
def test_every_term_with_a_place_comes_back_from_an_invoice(invoice: Invoice) -> None:
    comes_back(invoice)


@MANY
@given(invoices(placed(table("CreditNote")), SPECIAL, settled("381")))
def test_every_term_with_a_place_comes_back_from_a_credit_note(invoice: Invoice) -> None:
    comes_back(invoice)


@pytest.mark.parametrize("name", readable.names())
def test_golden(name: str, golden: Callable[[str, bytes], None]) -> None:
    golden(f"ubl/{name}.xml", write(readable.invoice(name)).data)


@cache
def schema(base: Path, root: str) -> etree.XMLSchema:
    return etree.XMLSchema(file=str(base / "ubl-2.1-xsd" / "maindoc" / f"UBL-{root}-2.1.xsd"))


@pytest.mark.parametrize("name", readable.names())
def test_what_is_written_is_valid_ubl(name: str, reference: Path) -> None:
    root = etree.fromstring(write(readable.invoice(name)).data)
    rules = schema(reference, etree.QName(root).localname)
    assert rules.validate(root), rules.error_log


@pytest.mark.parametrize("root", NAMES)
def test_an_invoice_that_states_every_term_is_valid_ubl(root: str, reference: Path) -> None:
    @settings(MANY, max_examples=10)
    @given(complete(placed(table(root)), SPECIAL, settled(NAMES[root])))
    def every(invoice: Invoice) -> None:
        rules = schema(reference, root)
        assert rules.validate(etree.fromstring(write(invoice).data)), rules.error_log

    every()


def test_a_written_text_is_read_sign_for_sign() -> None:
    text = "a\"b'c<&>d\re\tf\ng \u202f 9\u00a0€ \U0001f600 ]]> {x} %s"
    invoice = Invoice(number=text, notes=(Note(text=text),), type_code="380")
    again = read(write(invoice).data).invoice
    assert (again.number, again.notes[0].text) == (text, text)


def test_a_written_attribute_is_read_sign_for_sign() -> None:
    text = "a\"b'c<&>d\re\tf\ng\u202f\U0001f600"
    invoice = Invoice.model_validate({"attachments": [{"id": "1", "content": b"x", "filename": text}]})
    assert read(write(invoice).data).invoice.attachments[0].filename == text


@pytest.mark.parametrize("sign", ["\x00", "\x0b", "\x1f", "\ufffe", "\uffff", "\ud800"])
def test_a_character_that_xml_cannot_hold_is_refused_with_its_place(sign: str) -> None:
    with pytest.raises(UnreadableDocument) as caught:
        write(Invoice.model_construct(number=f"before{sign}after"))
    assert f"U+{ord(sign):04X}" in str(caught.value)
    assert "before" in caught.value.where
    assert caught.value.fix


def test_a_credit_note_has_its_own_root_and_positive_amounts() -> None:
    root = etree.fromstring(write(readable.invoice("de-credit-note")).data)
    assert etree.QName(root).localname == "CreditNote"
    assert root.findtext(".//{*}PayableAmount") == "78.65"
    assert root.findtext(".//{*}CreditedQuantity") == "3"


def test_a_profile_replaces_bt_24_and_bt_23() -> None:
    document = formats.get("ubl", profile="peppol-bis-3").write(readable.invoice("fr-invoice"), readable.IDS)
    again = read(document.data).invoice
    named = specification("ubl", "peppol-bis-3")
    assert (again.specification, again.process) == (named.id, named.process)


def test_an_absent_number_is_written_empty_and_said() -> None:
    losses = write(Invoice(issue_date=date(2026, 1, 2))).losses
    assert {loss.rule for loss in losses} == {"EINV-WRITE-01"}
    assert [loss.term for loss in losses] == ["BT-1", "BT-115", "BG-25"]


def test_a_sales_order_without_order_has_the_number_that_stands_for_none() -> None:
    data = write(Invoice(sales_order_reference="S-1")).data
    assert b"<cac:OrderReference><cbc:ID>NA</cbc:ID><cbc:SalesOrderID>S-1</cbc:SalesOrderID>" in data
    again = read(data).invoice
    assert (again.purchase_order, again.sales_order_reference) == (None, "S-1")


def test_a_tax_that_is_withheld_is_no_row_of_the_breakdown() -> None:
    again = read(write(readable.invoice("it-withholding")).data).invoice
    assert [row.category for row in again.tax_breakdown] == ["S"]


def test_a_tax_the_buyer_pays_to_the_state_stays_a_row_of_the_breakdown() -> None:
    again = read(write(readable.invoice("it-split-payment")).data).invoice
    assert [(row.category, row.amount) for row in again.tax_breakdown] == [("B", Decimal("220.00"))]


def test_remittance_that_differs_between_means_stays_with_each() -> None:
    means = [{"code": "30", "remittance": "A"}, {"code": "58", "remittance": "B"}]
    again = read(write(Invoice.model_validate({"payment": {"means": means}})).data).invoice
    assert again.payment is not None
    assert (again.payment.remittance, [one.remittance for one in again.payment.means]) == (None, ["A", "B"])


# --- places -----------------------------------------------------------------------------------------------------------


def test_locate_gives_xpath_and_line_of_a_deep_value() -> None:
    data = readable.pretty(write(readable.invoice("de-invoice")).data)
    where = read(data).locate("$.lines[0].item.attributes[1].value")
    step, _, line = where.rpartition(" line ")
    assert step == "/Invoice/cac:InvoiceLine[1]/cac:Item/cac:AdditionalItemProperty[2]/cbc:Value"
    assert b"<cbc:Value>IP67</cbc:Value>" in data.splitlines()[int(line) - 1]


def test_locate_of_an_absent_value_gives_the_nearest_element_around_it() -> None:
    located = read(write(readable.invoice("de-invoice")).data).locate
    assert located("$.lines[1].item.origin_country").startswith("/Invoice/cac:InvoiceLine[2]")
    assert located("$.payee.name").startswith("/Invoice line ")
    assert located("$.no.such[7].path").startswith("/Invoice line ")


# --- what is said about the source ------------------------------------------------------------------------------------

SMALL = """<?xml version="1.0" encoding="UTF-8"?>
<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
 xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
 xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
<cbc:ID>1</cbc:ID>
<cbc:IssueDate>2026-01-02</cbc:IssueDate>
<cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>
<cac:LegalMonetaryTotal>
<cbc:PayableAmount currencyID="EUR">10.00</cbc:PayableAmount>
</cac:LegalMonetaryTotal>
</Invoice>"""
#: What is wrong: the change to SMALL, and the finding that comes of it.
FAULTS: dict[str, tuple[str, str, tuple[str, str, str]]] = {
    "an element without place": (
        "<cbc:ID>1</cbc:ID>",
        "<cbc:ID>1</cbc:ID>\n<cbc:PaymentCurrencyCode>EUR</cbc:PaymentCurrencyCode>",
        ("EINV-READ-01", "", "/Invoice/cbc:PaymentCurrencyCode line 6"),
    ),
    "an attribute without place": (
        "<cbc:IssueDate>",
        '<cbc:IssueDate made="up">',
        ("EINV-READ-01", "made", "/Invoice/cbc:IssueDate/@made line 6"),
    ),
    "a text where only elements stand": (
        "<cac:LegalMonetaryTotal>",
        "<cac:LegalMonetaryTotal>stray",
        ("EINV-READ-01", "", "/Invoice/cac:LegalMonetaryTotal line 8"),
    ),
    "an element twice": (
        "<cbc:ID>1</cbc:ID>",
        "<cbc:ID>1</cbc:ID>\n<cbc:ID>2</cbc:ID>",
        ("EINV-READ-02", "", "/Invoice/cbc:ID[2] line 6"),
    ),
    "a number with an exponent": (
        "10.00",
        "1E3",
        ("EINV-READ-03", "BT-115", "/Invoice/cac:LegalMonetaryTotal/cbc:PayableAmount line 9"),
    ),
    "a number that is none": (
        "10.00",
        "NaN",
        ("EINV-READ-03", "BT-115", "/Invoice/cac:LegalMonetaryTotal/cbc:PayableAmount line 9"),
    ),
    "a number with a comma": (
        "10.00",
        "10,00",
        ("EINV-READ-03", "BT-115", "/Invoice/cac:LegalMonetaryTotal/cbc:PayableAmount line 9"),
    ),
    "a day that is not in the calendar": (
        "2026-01-02",
        "2026-02-30",
        ("EINV-READ-04", "BT-2", "/Invoice/cbc:IssueDate line 6"),
    ),
    "a day in another order": (
        "2026-01-02",
        "02.01.2026",
        ("EINV-READ-04", "BT-2", "/Invoice/cbc:IssueDate line 6"),
    ),
    "an attachment that is not base64": (
        "<cac:LegalMonetaryTotal>",
        "<cac:AdditionalDocumentReference><cbc:ID>A</cbc:ID><cac:Attachment><cbc:EmbeddedDocumentBinaryObject>?"
        "</cbc:EmbeddedDocumentBinaryObject></cac:Attachment></cac:AdditionalDocumentReference>"
        "<cac:LegalMonetaryTotal>",
        (
            "EINV-READ-05",
            "BT-125",
            "/Invoice/cac:AdditionalDocumentReference/cac:Attachment/cbc:EmbeddedDocumentBinaryObject line 8",
        ),
    ),
    "an amount in another currency": (
        'currencyID="EUR"',
        'currencyID="USD"',
        ("EINV-READ-06", "BT-115", "/Invoice/cac:LegalMonetaryTotal/cbc:PayableAmount line 9"),
    ),
    "an empty element": (
        "<cbc:ID>1</cbc:ID>",
        "<cbc:ID></cbc:ID>",
        ("EINV-READ-07", "BT-1", "/Invoice/cbc:ID line 5"),
    ),
    "an element known to have no term": (
        "<cbc:ID>1</cbc:ID>",
        "<cbc:UBLVersionID>2.1</cbc:UBLVersionID><cbc:ID>1</cbc:ID>",
        ("EINV-READ-08", "", "/Invoice/cbc:UBLVersionID line 5"),
    ),
    "a date with a time zone": (
        "2026-01-02",
        "2026-01-02+01:00",
        ("EINV-READ-09", "BT-2", "/Invoice/cbc:IssueDate line 6"),
    ),
}


def test_an_empty_value_is_told_with_the_path_it_would_have() -> None:
    entry = "<cac:AllowanceCharge><cbc:ChargeIndicator>false</cbc:ChargeIndicator>{}</cac:AllowanceCharge>"
    entries = "".join(entry.format(part) for part in (
        "<cbc:AllowanceChargeReason/>",
        "<cbc:AllowanceChargeReason/><cbc:Amount currencyID='EUR'>1.00</cbc:Amount>",
        "<cbc:Amount currencyID='EUR'>2.00</cbc:Amount><cac:TaxCategory><cbc:ID/><cbc:Percent>7</cbc:Percent>"
        "<cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:TaxCategory>",
    ))  # fmt: skip
    party = "<cac:AccountingCustomerParty><cac:Party><cac:PostalAddress/></cac:Party></cac:AccountingCustomerParty>"
    one = read(SMALL.replace("<cac:LegalMonetaryTotal>", f"{party}{entries}<cac:LegalMonetaryTotal>"))
    assert [finding.path for finding in one.findings if finding.rule == "EINV-READ-07"] == [
        "$.buyer.address", "$.buyer",
        "$.allowances[2].reason", "$.allowances[2]",  # left out of the list, since nothing is in it: after the others
        "$.allowances[0].reason", "$.allowances[1].taxes[0].category",
    ]  # fmt: skip


def test_a_document_without_fault_gives_no_finding() -> None:
    assert read(SMALL).findings == ()


@pytest.mark.parametrize("what", FAULTS)
def test_each_fault_gives_its_finding_once_with_its_place(what: str) -> None:
    old, new, (rule, term, place) = FAULTS[what]
    (finding,) = read(SMALL.replace(old, new, 1)).findings
    assert (finding.rule, finding.place) == (rule, place)
    assert term in (finding.term, finding.message, "made")
    assert finding.message
    assert finding.fix or finding.clause or rule == "EINV-READ-09"


def test_all_faults_come_at_once() -> None:
    text = SMALL.replace("10.00", "x").replace("2026-01-02", "soon").replace('currencyID="EUR"', 'currencyID="USD"')
    assert {finding.rule for finding in read(text).findings} == {"EINV-READ-03", "EINV-READ-04", "EINV-READ-06"}


def test_an_unread_branch_is_reported_leaf_by_leaf() -> None:
    branch = "<cac:Signature><cbc:ID>S</cbc:ID><cbc:Note>n</cbc:Note></cac:Signature>"
    found = read(SMALL.replace("<cac:Legal", branch + "<cac:Legal", 1)).findings
    assert [(one.rule, one.found) for one in found] == [("EINV-READ-01", "S"), ("EINV-READ-01", "n")]


def test_a_stream_that_is_no_invoice_is_refused_with_what_it_is() -> None:
    with pytest.raises(UnreadableDocument, match="Order"):
        list(UblFormat().read(io.BytesIO(b'<Order xmlns="urn:oasis:names:specification:ubl:schema:xsd:Order-2"/>')))


def test_allowances_and_charges_are_told_apart_by_their_indicator() -> None:
    tax = (Tax(category="S", rate=Decimal(19), scheme="VAT"),)
    allowance = AllowanceCharge(amount=Decimal("1.00"), reason="less", taxes=tax)
    charge = AllowanceCharge(amount=Decimal("2.00"), reason="more", taxes=tax)
    data = write(Invoice(currency="EUR", allowances=(allowance,), charges=(charge,))).data
    assert read(data).invoice.allowances == (allowance,)
    assert read(data.replace(b">true<", b">1<").replace(b">false<", b">0<")).invoice.charges == (charge,)
