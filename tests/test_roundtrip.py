"""Every official sample is read, written in its own format and read again: equal, and nothing lost unsaid."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from einvoice.formats.cxml import CxmlFormat
from einvoice.formats.ubl import UblFormat
from tests import readable
from tools import roundtrip

_FIXED = "EN 16931-3-2: the version is fixed"
_CODES = "EN 16931-3-2: the tax category code list is fixed (UNCL5305)"
_OTHER = "cXML: an informative amount in another currency"
_LINES = "cXML: follows from the lines"
_CII = "/rsm:CrossIndustryInvoice/rsm:ExchangedDocument"
_TRADE = "/rsm:CrossIndustryInvoice/rsm:SupplyChainTradeTransaction"
_TAX = f"{_TRADE}/ram:ApplicableHeaderTradeSettlement/ram:ApplicableTradeTax"
_LINE = f"{_TRADE}/ram:IncludedSupplyChainTradeLineItem/ram:SpecifiedLineTradeSettlement"
_SUMS = f"{_LINE}/ram:SpecifiedTradeSettlementLineMonetarySummation"
#: What the samples state and no term holds: element or attribute, the clause that says so. Nothing else may be lost.
WITHOUT_PLACE = {
    "/p:FatturaElettronica/ds:Signature": "the signature is not verified here, and what is read is not thereby signed",
    "/CreditNote/cbc:UBLVersionID": _FIXED,
    "/Invoice/cbc:UBLVersionID": _FIXED,
    "/Invoice/cac:InvoiceLine/cac:Item/cac:ClassifiedTaxCategory/cbc:ID": _CODES,
    "/cXML/Request/InvoiceDetailRequest/InvoiceDetailOrder/InvoiceDetailItem/Tax/Money": _OTHER,
    "/cXML/Request/InvoiceDetailRequest/InvoiceDetailRequestHeader/InvoiceDetailLineIndicator/@isAccountingInLine": (
        _LINES
    ),
    "/cXML/Request/InvoiceDetailRequest/InvoiceDetailOrder/InvoiceDetailItem/Tax/Description": (
        "cXML: a label of the sum of taxes"
    ),
    "/cXML/Request/InvoiceDetailRequest/InvoiceDetailSummary/Tax/Description": "cXML: a label of the sum of taxes",
    f"{_CII}Context/ram:TestIndicator": "einvoice: the environment belongs to the transmission",
    f"{_CII}/ram:Name": "Factur-X: the document's title, which follows from its type",
    f"{_CII}/ram:IncludedNote/ram:ContentCode": "Factur-X: a code that stands for the content",
    f"{_TAX}/ram:AllowanceChargeBasisAmount": "Factur-X EXTENDED: follows from the charges of the rate",
    f"{_TAX}/ram:LineTotalBasisAmount": "Factur-X EXTENDED: follows from the lines of the rate",
    f"{_SUMS}/ram:TotalAllowanceChargeAmount": "Factur-X EXTENDED: follows from the line's allowances and charges",
    "/fe:Facturae/ds:Signature": "Facturae: a signature is verified before the document is read",
}
#: How many invoices each folder of samples holds, so that a folder that moved away is noticed.
FILES = {
    "en16931/examples/ubl": 11,
    "en16931/examples/cii": 4,
    "en16931/testfiles": 16,
    "peppol-2026.5/examples": 2,
    "peppol-bis3/examples": 6,
    "peppol-pint-aunz/examples": 12,
    "peppol-aunz-legacy/examples": 8,
    "xrechnung/testsuite": 50,
    "zugferd-corpus": 34,
    "factur-x/xml": 32,
    "cius-pt/samples": 4,
    "serbia/samples": 1,
    "ubl-be/samples": 4,
    "ehf-billing-no/samples/forward-billing-3.0": 2,
    "cxml": 4,
    "facturae/samples-3.2.2": 3,
    "fatturapa/samples-corpus/official": 3,
    "fatturapa/samples-gobl/gobl.fatturapa": 6,
    "fatturapa/samples-simplified": 1,
    "fatturapa/samples-testsdi": 2,
}


checked = cache(roundtrip.check)


@pytest.mark.parametrize("name", roundtrip.SAMPLES)
def test_every_sample_of_a_folder_comes_back_equal_and_whole(name: str, reference: Path) -> None:
    results = [checked(path) for path in roundtrip.samples(reference / name)]
    assert [text for one in results for text in roundtrip.faults(one)] == []
    assert len(results) == FILES[name]


def test_only_what_is_listed_has_no_place(reference: Path) -> None:
    stated: dict[str, str] = {}
    for name in roundtrip.SAMPLES:
        for path in roundtrip.samples(reference / name):
            for finding in checked(path).known:
                place = re.sub(r"\[\d+\]| line \d+$", "", finding.place)
                stated[place] = finding.clause
    assert stated == WITHOUT_PLACE


# --- the tool itself --------------------------------------------------------------------------------------------------


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    """One invoice as UBL, one as cXML, and files that are no invoices."""
    invoice = readable.invoice("fr-invoice")
    for format, name in ((UblFormat(), "ubl/one.xml"), (CxmlFormat(), "cxml/two.xml")):
        path = tmp_path / name
        path.parent.mkdir()
        path.write_bytes(format.write(invoice, readable.IDS).data)
    (tmp_path / "ubl" / "order.xml").write_text("<Order/>")
    (tmp_path / "ubl" / "broken.xml").write_text("<Inv")
    (tmp_path / "ubl" / "notes.txt").write_text("not an invoice")
    return tmp_path


def last_line(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out.splitlines()[-1]


def test_any_directory_can_be_checked(samples: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert roundtrip.main([str(samples)]) == 0
    assert last_line(capsys) == "roundtrip: 2/2"


def test_an_element_without_place_makes_the_check_fail(samples: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = samples / "ubl" / "one.xml"
    changed = path.read_bytes().replace(
        b"<cbc:IssueDate>", b"<cbc:PaymentCurrencyCode>X</cbc:PaymentCurrencyCode><cbc:IssueDate>", 1
    )
    path.write_bytes(changed)
    assert roundtrip.main([str(samples)]) == 1
    told = capsys.readouterr().out
    assert "PaymentCurrencyCode" in told
    assert told.splitlines()[-1] == "roundtrip: 1/2"


def test_an_invoice_that_cannot_be_read_makes_the_check_fail(samples: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = samples / "ubl" / "one.xml"
    path.write_bytes(path.read_bytes()[:-40])
    assert roundtrip.main([str(samples)]) == 1
    assert last_line(capsys) == "roundtrip: 1/2"


def test_a_text_that_vanishes_without_finding_is_noticed(samples: Path) -> None:
    source = (samples / "ubl" / "one.xml").read_bytes()
    written = source.replace(b"Exemple Instruments SAS", b"", 1)
    (gone,) = roundtrip.silent(source, written, [])
    assert "Exemple Instruments SAS" in gone


def test_a_text_that_moved_to_another_parent_is_not_gone() -> None:
    assert list(roundtrip.silent(b"<a><b><c>x</c></b></a>", b"<a><d><c>x</c></d></a>", [])) == []


def test_a_directory_without_invoices_is_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert roundtrip.main([str(tmp_path)]) == 1
    told = capsys.readouterr()
    assert told.out.splitlines()[-1] == "roundtrip: 0/0"
    assert str(tmp_path) in told.err


def test_a_directory_that_is_not_there_is_a_failure(tmp_path: Path) -> None:
    assert roundtrip.main([str(tmp_path / "none")]) == 1


def test_an_unequal_model_is_told_with_both_values() -> None:
    before = readable.invoice("fr-invoice")
    (difference,) = roundtrip.differences(before, before.model_copy(update={"number": "2"}))
    assert difference == "$.number: 'FR-2026-0311' came back as '2'"
