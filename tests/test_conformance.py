"""The official verdict is the measure: unit tests of the rule sets, and whole documents that are known to be good."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from einvoice import formats, rules
from tools import conformance, update_codes

ON = date(2026, 11, 1)
UBL = b"urn:oasis:names:specification:ubl:schema:xsd:"

#: Rules whose official tests hold a group with nothing in it; a reader that passes over it cannot break them.
OF_EMPTY_GROUPS = frozenset(
    f"BR-{number}" for number in
    "09 11 16 17 18 22 24 25 32 36 37 42 43 45 46 47 49 52 CO-04 CO-19 CO-23 CO-24 E-01 IC-01 O-01 Z-01".split()
)  # fmt: skip

#: Whole documents with fatal findings, by design or defect. Every other one has none.
NOT_CLEAN = {
    "05.01a-INVOICE_ubl.xml": {"BR-CO-16"},  # third party payments of the XRechnung extension
    "GR-base-example-TaxRepresentative.xml": {"BR-06"},
    "EN16931_ElektronischeAdresse.ubl.xml": {"BR-CL-25"},
    "EN16931_RechnungsUebertragung.ubl.xml": {"BR-CL-25"},
}
#: The same for CII.
NOT_CLEAN_CII = {"04.05a-INVOICE_uncefact.xml": {"BR-CL-10", "BR-CL-21"},
                 "EN16931_ElektronischeAdresse.cii.xml": {"BR-CL-25"},
                 "EN16931_RechnungsUebertragung.cii.xml": {"BR-CL-25"}}  # fmt: skip


def tells_of_empty_groups() -> bool:
    """Whether the UBL reader says that a group stands there with nothing in it."""
    data = b'<Invoice xmlns="%bInvoice-2" xmlns:cac="%bCommonAggregateComponents-2"><cac:PayeeParty/></Invoice>'
    read = next(formats.read(data % (UBL, UBL), "ubl"))
    return any(finding.rule == "EINV-READ-07" for finding in read.findings)


def test_every_official_unit_test_of_en_16931_has_its_outcome(reference: Path) -> None:
    results = [one for one in conformance.run(reference / "en16931", ON) if one.outcome != conformance.SKIPPED]
    assert len(results) >= 575
    failed = [one for one in results if one.outcome != conformance.PASSED]
    if not tells_of_empty_groups():
        failed = [one for one in failed if one.case.rule not in OF_EMPTY_GROUPS]
    assert [f"{one.case.rule} {one.case.suite} {one.case.name}: {one.why}" for one in failed] == []


def documents(place: Path, *folders: str) -> Iterator[tuple[Path, bytes]]:
    for folder in folders:
        for path in sorted((place / folder).rglob("*.xml")):
            yield path, path.read_bytes()


def fatal(data: bytes, name: str) -> set[str]:
    read = next(formats.read(data, name))
    found = rules.check(read.invoice, on=ON, read_findings=read.findings, syntax=name)
    return {finding.rule for finding in found if finding.fatal}


def test_whole_ubl_documents_have_no_fatal_finding_but_the_known_ones(reference: Path) -> None:
    folders = ("en16931/examples/ubl", "en16931/testfiles", "xrechnung/testsuite", "peppol-bis3/examples",
               "zugferd-corpus/XML-Rechnung/UBL", "ubl-be", "serbia")  # fmt: skip
    roots = (b"Invoice", b"CreditNote")
    read = [(path, data) for path, data in documents(reference, *folders)
            if any(UBL + root + b"-2" in data[:4000] for root in roots)]  # fmt: skip
    assert len(read) >= 70
    found = {path.name: fatal(data, "ubl") for path, data in read}
    assert {name: ids for name, ids in found.items() if ids} == NOT_CLEAN


def test_whole_cii_documents_have_no_fatal_finding_but_the_known_ones(reference: Path) -> None:
    folders = ("en16931/examples/cii", "xrechnung/testsuite", "zugferd-corpus/XML-Rechnung/CII")
    read = [(path, data) for path, data in documents(reference, *folders) if b":CrossIndustryInvoice" in data]
    assert len(read) >= 40
    found = {path.name: fatal(data, "cii") for path, data in read}
    assert {name: ids for name, ids in found.items() if ids} == NOT_CLEAN_CII


def test_the_code_lists_are_those_of_the_official_rules(reference: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert update_codes.main([str(reference), "--check"]) == 0, capsys.readouterr().out


# --- the tool itself --------------------------------------------------------------------------------------------------

_NS = "http://difi.no/xsd/vefa/validator/1.0"
_GOOD = f'<Invoice xmlns="{UBL.decode()}Invoice-2"><ID xmlns="{UBL.decode()}CommonBasicComponents-2">7</ID></Invoice>'
_BARE = f'<Invoice xmlns="{UBL.decode()}Invoice-2"/>'


def suite(folder: Path, *tests: tuple[str, str, str]) -> Path:
    """A directory with one test set: (success, error or warning; rule; document) each."""
    inside = "".join(f"<test><assert><{kind}>{rule}</{kind}></assert>{document}</test>"
                     for kind, rule, document in tests)  # fmt: skip
    (folder / "set").mkdir()
    (folder / "set" / "one.xml").write_text(f'<testSet xmlns="{_NS}">{inside}</testSet>', encoding="utf-8")
    return folder


def test_a_rule_that_fires_where_it_should_and_only_there_passes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    suite(tmp_path, ("success", "BR-02", _GOOD), ("error", "BR-02", _BARE))
    assert conformance.main([str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "conformance: 2/2"


def test_a_rule_that_does_otherwise_fails_and_is_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    suite(tmp_path, ("error", "BR-02", _GOOD), ("success", "BR-02", _BARE), ("warning", "BR-02", _BARE))
    assert conformance.main([str(tmp_path)]) == 1
    printed = capsys.readouterr().out
    assert "FAILED BR-02 set/one.xml test 1: expected to fire as fatal, did not fire" in printed
    assert "FAILED BR-02 set/one.xml test 2: expected not to fire, fired as fatal" in printed
    assert "FAILED BR-02 set/one.xml test 3: expected to fire as warning, fired as fatal" in printed
    assert printed.splitlines()[-1] == "conformance: 0/3"


def test_what_is_not_judged_is_counted_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    suite(tmp_path, ("success", "BR-02", _GOOD), ("error", "UBL-CR-001", _BARE), ("error", "BR-02", "<Order/>"))
    assert conformance.main([str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "not native 1: no native pack has the rule" in printed
    assert "skipped 1: Order is no invoice" in printed
    assert printed.splitlines()[-1] == "conformance: 1/1"


def test_a_single_bare_test_is_a_test_set_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = f'<test xmlns="{_NS}"><assert><error>BR-02</error></assert>{_BARE}</test>'
    (tmp_path / "bare.xml").write_text(text, encoding="utf-8")
    (tmp_path / "broken.xml").write_text("<testSet", encoding="utf-8")
    assert conformance.main([str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "conformance: 1/1"


def test_a_directory_without_test_sets_is_no_success(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert conformance.main([str(tmp_path)]) == 3
    assert "no test set under" in capsys.readouterr().err
    assert conformance.main([str(tmp_path / "nowhere")]) == 3
