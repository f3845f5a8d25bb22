"""The benchmark compares like with like, and what it could not measure is no limit met. No test looks at a time."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from lxml import etree

from bench import __main__ as command
from bench import content, cxml_template, edi, measure, read, render, start, ubl_template, ubl_tree, validate, xsd
from bench import formats as bench_formats
from bench.measure import Case, Line
from einvoice import artefacts, formats
from einvoice.errors import Finding, fatal
from einvoice.formats.cxml import CxmlFormat
from einvoice.formats.ubl import UblFormat
from einvoice.totals import differences

SIZES = (1, 2, 20)
EDI_LIMITS = ["0.25", "0.25", "0.15", "3"]
needs_facturx = pytest.mark.skipif(find_spec("facturx") is None, reason="factur-x is not installed (extra bench)")


@pytest.fixture
def _no_official_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("EINVOICE_SCHEMAS", raising=False)
    monkeypatch.setenv("EINVOICE_REFERENCE", str(tmp_path))
    artefacts.forget()
    yield
    artefacts.forget()


# --- like with like ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lines", SIZES)
@pytest.mark.parametrize("peer", [ubl_template.render, ubl_tree.render], ids=["template", "tree"])
def test_the_peers_write_the_engines_ubl_document(peer: Callable[..., bytes], lines: int) -> None:
    invoice = content.invoice(lines)
    document = UblFormat().write(invoice, content.IDS)
    assert document.losses == ()
    assert render.canonical(peer(invoice)) == render.canonical(document.data)


@pytest.mark.parametrize("lines", SIZES)
def test_the_template_writes_the_engines_cxml_document(lines: int) -> None:
    invoice = content.invoice(lines, network=True)
    document = CxmlFormat().write(invoice, content.IDS)
    assert document.losses == ()
    assert render.canonical(cxml_template.render(invoice, content.IDS)) == render.canonical(document.data)


@pytest.mark.parametrize("row", bench_formats.FORMATS, ids=lambda row: row.name)
@pytest.mark.parametrize("lines", SIZES)
def test_the_template_of_every_format_writes_the_engines_document(row: bench_formats.Row, lines: int) -> None:
    invoice = content.invoice(lines)
    document = formats.get(row.name, **row.settings).write(invoice, bench_formats.IDS)
    assert fatal(document.losses) == []
    assert render.canonical(row.render(invoice, bench_formats.IDS)) == render.canonical(document.data)


@needs_facturx
@pytest.mark.parametrize("lines", SIZES)
def test_factur_x_writes_the_same_content_each_time_it_is_called(lines: int) -> None:
    generate, why = render.facturx_ubl()
    assert generate is not None, why
    given = content.for_facturx(lines)
    ours = render.leaves(UblFormat().write(content.invoice(lines), content.IDS).data)
    for _ in range(3):
        assert render.leaves(generate(given, check_xsd=False, check_schematron=False)) == ours


@needs_facturx
@pytest.mark.parametrize("lines", SIZES)
def test_factur_x_writes_the_same_cii_content(lines: int) -> None:
    case = bench_formats.against_facturx(lines)
    assert case.why == ""
    assert case.ours is not None
    assert case.peer is not None


@pytest.mark.parametrize("lines", SIZES)
def test_both_sides_of_each_edi_case_make_the_same(lines: int) -> None:
    if find_spec("pydifact") is None:
        pytest.skip("pydifact is not installed (extra dev)")
    assert [case.limit for case in edi.cases((lines,)) if case.ours and case.peer and not case.why] == EDI_LIMITS
    invoice = edi.in_x12(lines)
    assert edi.X12_810.write(invoice, edi.IDS).losses == ()
    assert edi.EDIFACT.write(content.invoice(lines), edi.IDS).losses == ()


def test_without_pydifact_only_x12_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edi, "pydifact", lambda: (None, "pydifact is not installed (extra dev)"))
    found = list(edi.cases((1,)))
    assert [bool(case.why) for case in found] == [True, True, True, False]
    assert not measure.measure(found[0]).met


def test_segments_that_differ_are_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edi, "template_x12", lambda invoice: b"ISA")
    assert [case.why for case in edi.cases((1,))][-1] == "the two sides do not make the same"


def test_the_content_adds_up_and_needs_escaping() -> None:
    invoice = content.invoice(20)
    assert list(differences(invoice)) == []
    assert {tax.rate for line in invoice.lines for tax in line.taxes} == {tax.rate for tax in invoice.tax_breakdown}
    assert all(line.item and "<" in (line.item.name or "") for line in invoice.lines)
    assert "&" in ((invoice.seller and invoice.seller.name) or "")


def test_sides_that_write_different_documents_are_not_measured() -> None:
    case = render.same("x", "3", lambda: b"<a>1</a>", lambda: b"<a>2</a>")
    assert (case.ours, case.peer) == (None, None)
    assert measure.measure(case).verdict == "not measured: the two sides do not write the same document"


def test_leaves_see_a_text_an_attribute_and_an_order_that_differ() -> None:
    base = b'<a xmlns="urn:x"><b c="1">t</b><b>u</b></a>'
    assert render.leaves(base) == render.leaves(b'<p:a xmlns:p="urn:x">\n <p:b c="1">t</p:b>\n <p:b>u</p:b>\n</p:a>')
    for other in (base.replace(b"t<", b"T<"), base.replace(b'"1"', b'"2"'), b'<a><b>u</b><b c="1">t</b></a>'):
        assert render.leaves(other) != render.leaves(base)


# --- what is missing is not measured, and never met -------------------------------------------------------------------


def test_a_missing_factur_x_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(render, "version", absent)
    found = [case for case in render.cases((1,)) if "factur-x" in case.name]
    assert [case.why for case in found] == ["factur-x is not installed (extra bench)"]
    line = measure.measure(found[0])
    assert (line.met, line.verdict) == (False, "not measured: factur-x is not installed (extra bench)")


def test_another_release_of_factur_x_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render, "version", lambda name: "9.9")
    assert render.facturx_ubl() == (None, "factur-x is 9.9; the limit is stated for 7.8")


@pytest.mark.usefixtures("_no_official_files")
def test_a_missing_schema_is_not_measured() -> None:
    found = [case for case in xsd.cases((1,)) if "DTD" in case.name]
    assert [case.why for case in found] == ["the official files of cxml-1.2.037-invoicedetail are not installed"]
    assert not measure.measure(found[0]).met


def test_a_missing_command_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "program", list)
    (case,) = start.cases()
    assert measure.measure(case).verdict.startswith("not measured: there is no command")


def test_a_command_that_fails_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "program", lambda: ["false"])
    (case,) = start.cases()
    assert measure.measure(case).verdict == "not measured: einvoice --help ended with 1 and no usage"


def test_the_two_verdicts_of_a_schema_agree_before_they_are_timed(reference: Path) -> None:
    artefacts.forget()
    for case in xsd.cases((1,)):
        assert case.ours is not None, case.why
        assert case.peer is not None
    broken = xsd.case("x", "ubl-2.1-invoice", etree.fromstring("<Invoice/>"))
    assert broken.why == "the document is not valid, or the two do not agree on it"


def test_what_is_read_is_what_was_written_before_reading_is_timed(
    reference: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artefacts.forget()
    assert {case.why for case in read.cases((2,))} == {""}
    monkeypatch.setattr(read, "read_one", lambda read, data: content.invoice(1))
    assert [case.why for case in read.cases((2,))][:3] == ["the lines are not read as they were written"] * 3


@pytest.mark.usefixtures("_no_official_files")
def test_reading_is_not_measured_without_a_schema() -> None:
    found = [case for case in read.cases((1,)) if "cXML" in case.name]
    assert [case.why for case in found] == ["the official files of cxml-1.2.037-invoicedetail are not installed"]


# --- the table --------------------------------------------------------------------------------------------------------


def test_the_rules_and_saxon_find_the_same_before_they_are_timed(
    reference: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if find_spec("saxonche") is None:
        pytest.skip("saxonche is not installed (extra official)")
    measured = list(validate.cases((1,)))
    assert [case.why for case in measured] == ["", ""]
    monkeypatch.setattr(validate, "ours", lambda invoice, findings: [Finding("BR-01", "")])
    assert {case.why for case in validate.cases((1,))} == {"the two do not find the same"}


def test_a_missing_saxon_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validate, "find_spec", lambda name: None)
    found = list(validate.cases((1,)))
    assert len(found) == 2
    assert all(case.ours is None and "extra official" in case.why for case in found)


def test_the_ratio_is_the_median_of_the_ratios_within_each_turn() -> None:
    line = measure.summary("x", "0.6", [(1, 2), (10, 20), (9, 9)])
    assert (line.ours, line.peer, line.ratio, line.met) == (9, 9, 0.5, True)


def test_a_ratio_above_its_limit_is_missed_and_one_at_it_is_met() -> None:
    assert Line("x", "3", 3.0, 1.0, 3.0).verdict == "met"
    assert Line("x", "3", 3.1, 1.0, 3.1).verdict == "MISSED"


def test_a_limit_is_missed_only_when_it_is_missed_twice() -> None:
    """Each turn reads the clock before and after: the first measurement finds 9 against 1, the second 1 against 1."""
    clock, spent, slow = [0.0], {"ours": 0, "peer": 0}, 9.0

    def work(side: str) -> Callable[[], None]:
        def run() -> None:
            spent[side] += 1
            clock[0] += slow if side == "ours" and spent["ours"] <= 3 else 1.0

        return run

    case = Case("x", "3", work("ours"), work("peer"), clock=lambda: clock[0])
    assert measure.measure(case, rounds=1).met


def test_only_everything_measured_and_met_is_success() -> None:
    met, missed, unmeasured = (
        Line("a", "3", 1.0, 1.0, 1.0),
        Line("b", "3", 4.0, 1.0, 4.0),
        Line("c", "3", why="no peer"),
    )
    assert command.verdict([met, met]) == ("bench: 2/2", 0)
    assert command.verdict([met, missed]) == ("bench: 1/2", 1)
    assert command.verdict([met, unmeasured]) == ("bench: 1/2", 1)
    assert command.verdict([]) == ("bench: 0/0", 1)


def test_the_command_prints_each_line_and_the_verdict_last(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(start, "program", list)
    assert command.main(["start"]) == 1
    heading, line, last = capsys.readouterr().out.splitlines()
    assert "ratio" in heading
    assert "not measured" in line
    assert last == "bench: 0/1"


def test_an_unknown_suite_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["rendre"]) == 2
    assert "one of render, formats, edi, xsd, read, validate, start, all" in capsys.readouterr().err
