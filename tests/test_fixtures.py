"""The readable invoices: of all countries, right in themselves, valid by their specifications, exchanged by EDI."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import pytest

from einvoice import formats, official, rules
from einvoice.errors import fatal
from einvoice.exchange import Document
from einvoice.model import is_credit
from tests import readable
from tools import matrix

NAMES = readable.names()
#: The countries whose customers are served: the first five by EDI.
COUNTRIES = ("au", "ca", "it", "nz", "us", "at", "be", "ch", "de", "dk", "es", "fr", "gb", "nl", "no", "pt", "rs", "se")
#: The specification that a country's customers ask for. Sales taxes of the United States and Canada, and amounts that
#: an Italian buyer keeps back, have no place in any: those documents follow UBL's schema alone.
UBL = {
    "at": "peppol-bis-3", "au": "pint-aunz", "be": "peppol-bis-3", "ch": "peppol-bis-3", "de": "xrechnung",
    "dk": "peppol-bis-3", "es": "peppol-bis-3", "fr": "fr-cius", "gb": "peppol-bis-3", "it": "peppol-bis-3",
    "nl": "nlcius", "no": "ehf", "nz": "pint-aunz", "pt": "cius-pt", "rs": "sef", "se": "peppol-bis-3",
}  # fmt: skip
CII = {"at": "en16931", "be": "en16931", "ch": "en16931", "de": "xrechnung", "fr": "fr-cius"}
OUTSIDE = {"it-split-payment", "it-withholding"}
SPECIFIED = [("ubl", UBL[name[:2]], name) for name in NAMES if name[:2] in UBL and name not in OUTSIDE]
SPECIFIED += [("cii", CII[name[:2]], name) for name in NAMES if name[:2] in CII]
#: INVOIC, 810, UBL and cXML go back and forth between these.
EDI = [name for name in NAMES if name[:2] in ("au", "ca", "nz", "us")]
EXCHANGED = ("cxml", "edifact", "ubl", "x12")


def written(format: str, specification: str, name: str) -> Document:
    return formats.get(f"{format}:{specification}").write(readable.invoice(name), readable.IDS)


@pytest.mark.parametrize("country", COUNTRIES)
def test_a_country_has_an_invoice_and_a_credit_note_that_names_one(country: str) -> None:
    invoices = [readable.invoice(name) for name in NAMES if name[:2] == country]
    assert {one.seller.address.country for one in invoices if one.seller and one.seller.address} == {country.upper()}
    days = {one.number: one.issue_date for one in invoices if not is_credit(one)}
    notes = [one for one in invoices if is_credit(one)]
    assert days
    assert notes
    for named in (one for note in notes for one in note.preceding):
        assert named.id in days
        assert named.issue_date in (None, days[named.id])
    assert all(note.preceding for note in notes)


@pytest.mark.parametrize("name", NAMES)
def test_check_digits_dates_and_sums_hold(name: str) -> None:
    invoice = readable.invoice(name)
    assert invoice.issue_date
    assert [str(one) for one in rules.check(invoice, ["einvoice"], on=invoice.issue_date)] == []


@pytest.mark.parametrize("name", [name for name in NAMES if name[:2] in CII])
def test_golden_cii(name: str, golden: Callable[[str, bytes], None]) -> None:
    golden(f"cii/{name}.xml", written("cii", CII[name[:2]], name).data)


@pytest.mark.parametrize(("format", "specification", "name"), SPECIFIED)
def test_nothing_fatal_is_found_by_the_rules_of_the_specification(format: str, specification: str, name: str) -> None:
    document = written(format, specification, name)
    assert not fatal(document.losses)
    (read,) = formats.get(format).read(io.BytesIO(document.data))
    invoice = read.invoice
    assert invoice.issue_date
    packs = official.native_packs(format, invoice.specification or "", invoice.issue_date)
    found = rules.check(invoice, packs, on=invoice.issue_date, read_findings=read.findings, syntax=format)
    assert [str(one) for one in fatal(found)] == []


@pytest.fixture(scope="module")
def _official() -> Iterator[None]:
    pytest.importorskip("saxonche", reason="the extra 'official' is not installed")
    yield
    official.stop()


@pytest.mark.usefixtures("_official", "reference")
@pytest.mark.parametrize(("format", "specification", "name"), SPECIFIED)
def test_the_official_rules_of_the_specification_find_it_valid(format: str, specification: str, name: str) -> None:
    verdict = official.verdict(written(format, specification, name).data)
    assert (verdict.status, [str(one) for one in fatal(verdict.findings)]) == ("valid", [])


@pytest.mark.parametrize("name", EDI)
def test_invoices_by_edi_are_exchanged_in_all_directions(name: str) -> None:
    """What one partner sends by any of these, another receives by any other: valid, and every loss is reported."""
    for source in EXCHANGED:
        format = formats.get(source, **matrix.SETTINGS[source])
        (read,) = formats.read(format.write(readable.invoice(name), readable.IDS).data, source)
        for target in EXCHANGED:
            assert matrix.convert(f"{name} from {source}", read.invoice, target) == matrix.Conversion(
                f"{name} from {source}"
            ), target
