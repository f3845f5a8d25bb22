"""What Peppol responses and the French life cycle say of our invoices, by the messages their publishers show."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from einvoice import formats
from einvoice.errors import EInvoiceError, UnreadableDocument
from einvoice.exchange import Answer

USE_CASES = "peppol-poacc/examples/examples/Invoice reponse use cases"
#: What each published use case tells the seller.
EXPECTED = {
    "001": ("IP", "processing"),
    "003": ("AP", "accepted"),
    "004a": ("RE", "rejected"),
    "004b": ("RE", "rejected"),
    "004c": ("RE", "rejected"),
    "005": ("CA", "accepted"),
    "006a": ("UQ", "query"),
    "006c": ("UQ", "query"),
    "008": ("AP", "accepted"),
}
FRENCH = {
    "200": "received",
    "203": "delivered",
    "204": "processing",
    "205": "accepted",
    "207": "query",
    "212": "paid",
}
RESPONSE = """<ApplicationResponse xmlns="urn:oasis:names:specification:ubl:schema:xsd:ApplicationResponse-2"
 xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
 xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
 <cbc:CustomizationID>{specification}</cbc:CustomizationID><cbc:ID>answer-1</cbc:ID>{documents}</ApplicationResponse>"""
DOCUMENT = """<cac:DocumentResponse><cac:Response><cbc:ResponseCode>{code}</cbc:ResponseCode>
 <cac:Status><cbc:StatusReasonCode listID="OPStatusReason">{reason}</cbc:StatusReasonCode></cac:Status></cac:Response>
 <cac:DocumentReference><cbc:ID>{number}</cbc:ID></cac:DocumentReference></cac:DocumentResponse>"""
INVOICE_RESPONSE = "urn:fdc:peppol.eu:poacc:trns:invoice_response:3"
STATUS = "urn:peppol:edec:mls:1.0"


def said(specification: str, *documents: tuple[str, str, str]) -> list[Answer]:
    rows = "".join(DOCUMENT.format(code=code, reason=reason, number=number) for code, reason, number in documents)
    return formats.answers(RESPONSE.format(specification=specification, documents=rows).encode())


@pytest.mark.parametrize("case", EXPECTED)
def test_the_published_use_cases_of_the_invoice_response(reference: Path, case: str) -> None:
    found = sorted((reference / USE_CASES).glob(f"T111-uc{case}-*.xml"))
    if not found:
        pytest.skip("the published use cases are not there")
    (answer,) = formats.answers(found[0].read_bytes())
    assert (answer.code, answer.meaning) == EXPECTED[case]
    assert answer.kind == "invoice-response"
    assert answer.number
    assert not answer.payload_id


def test_a_query_says_what_is_asked_for(reference: Path) -> None:
    path = next((reference / USE_CASES).glob("T111-uc006a-*.xml"), None)
    if path is None:
        pytest.skip("the published use cases are not there")
    (answer,) = formats.answers(path.read_bytes())
    assert answer.text == "REF BT-13 PO0001 PIN"


def test_a_message_status_names_the_envelope(reference: Path) -> None:
    path = reference / "peppol-mls/examples/MessageLevelStatus_Example_AB.xml"
    if not path.is_file():
        pytest.skip("the published example is not there")
    (answer,) = formats.answers(path.read_bytes())
    assert (answer.kind, answer.code, answer.meaning) == ("message-status", "AB", "received")
    assert (answer.payload_id, answer.number) == ("90f14eff-3705-4869-ad3c-caae270a234e", "")
    assert answer.remote_id == "MLS-ID123"


@pytest.mark.parametrize(
    ("code", "meaning"), [("AP", "delivered"), ("AB", "received"), ("RE", "rejected"), ("ZZ", "info")]
)
def test_codes_of_a_message_status(code: str, meaning: str) -> None:
    (answer,) = said(STATUS, (code, "SV", "envelope-1"))
    assert (answer.meaning, answer.payload_id) == (meaning, "envelope-1")


def test_a_payment_in_part_is_not_the_whole() -> None:
    meanings = [one.meaning for one in said(INVOICE_RESPONSE, ("PD", "NON", "1"), ("PD", "PPD", "2"))]
    assert meanings == ["paid", "part-paid"]


def test_each_document_of_a_response_is_one_answer() -> None:
    numbers = [one.number for one in said(INVOICE_RESPONSE, ("AP", "NON", "A-1"), ("RE", "PRI", "A-2"))]
    assert numbers == ["A-1", "A-2"]


def test_the_published_life_cycle_messages(reference: Path) -> None:
    found = sorted((reference / "france-ctc/cdar").glob("*.xml"))
    if not found:
        pytest.skip("the published life-cycle messages are not there")
    for path in found:
        (answer,) = formats.answers(path.read_bytes())
        assert answer.meaning == FRENCH[answer.code], path.name
        assert answer.number.startswith("F2025")
        assert answer.issue_date in (date(2025, 7, 1), date(2025, 7, 2))
    told = {path.name: next(iter(formats.answers(path.read_bytes()))).text for path in found}
    assert told["UC4_F202500006_04-CDV-207_En_litige.xml"].startswith("En_litige TX_TVA_ERR Taux de TVA erroné NIN")
    assert "12000 EUR" in told["UC1_F202500003_07-CDV-212_Encaissee.xml"]


@pytest.mark.parametrize("documents", ["", DOCUMENT.format(code="AP", reason="NON", number="")])
def test_a_response_about_nothing_is_refused(documents: str) -> None:
    data = RESPONSE.format(specification=INVOICE_RESPONSE, documents=documents).encode()
    with pytest.raises(UnreadableDocument, match="document"):
        formats.answers(data)


def test_a_cut_response_is_no_answer() -> None:
    whole = RESPONSE.format(specification=STATUS, documents=DOCUMENT.format(code="AP", reason="BV", number="e-1"))
    for end in range(1, len(whole) - 1, 13):
        with pytest.raises(EInvoiceError):
            formats.answers(whole[:end].encode())


def test_an_invoice_is_no_answer_and_an_answer_is_no_invoice() -> None:
    data = RESPONSE.format(specification=STATUS, documents=DOCUMENT.format(code="AP", reason="BV", number="e-1"))
    with pytest.raises(UnreadableDocument, match="not a UBL"):
        list(formats.read(data.encode()))
    with pytest.raises(UnreadableDocument, match="neither an ApplicationResponse"):
        formats.answers(b'<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"/>')
