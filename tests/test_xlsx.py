"""Excel workbooks: what cells hold, what they do not, and workbooks that are traps."""

from __future__ import annotations

import io
import random
import zipfile
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from einvoice import formats
from einvoice.errors import EInvoiceError, UnreadableDocument, fatal
from tests.tables import COLUMNS, FIXTURES, GOOD, TITLES, book, from_book, from_csv, others, zipped

XLSX = FIXTURES / "xlsx"


def cells(row: list[Any], **settings: Any) -> Any:
    """What is read of one *row* under ``TITLES``."""
    (read,) = from_book(book({"Sheet1": [TITLES, row]}), columns=COLUMNS, **settings)
    return read


def refused(data: bytes, **settings: Any) -> UnreadableDocument:
    with pytest.raises(UnreadableDocument) as caught:
        from_book(data, columns=COLUMNS, **settings)
    assert caught.value.fix
    return caught.value


def test_the_template_says_what_the_csv_template_says() -> None:
    (read,) = from_book(formats.template("xlsx"))
    (other,) = from_csv(formats.template("csv"))
    assert (read.invoice, read.findings) == (other.invoice, ())
    assert read.locate("$.lines[1].net_amount") == "Invoices!CA3"


def test_the_fixture_holds_the_invoices_of_the_csv_fixture(request: pytest.FixtureRequest) -> None:
    import csv

    path, source = XLSX / "invoices.xlsx", (FIXTURES / "csv" / "invoices.csv").read_text("utf-8")
    if request.config.getoption("--update-golden"):
        path.write_bytes(book({"Invoices": list(csv.reader(io.StringIO(source)))}))
    assert [read.invoice for read in from_book(path.read_bytes())] == [read.invoice for read in from_csv(source)]


def test_numbers_are_what_excel_shows_and_never_binary_fractions() -> None:
    read = cells(["A1", date(2026, 10, 5), 0.1 + 0.2, "Bolt", 3, 19.99])
    line, totals = read.invoice.lines[0], read.invoice.totals
    assert [str(one) for one in (totals.net, line.quantity, line.net_amount)] == ["0.3", "3", "19.99"]


@pytest.mark.parametrize("value", [1e15, 123456789012.34, -0.01, 1e-9, 2.5e20])
def test_numbers_have_no_exponent(value: float) -> None:
    net = cells(["A1", None, value, "Bolt", 1, 1]).invoice.totals.net
    assert net == Decimal(repr(value))
    assert "E" not in str(net) or abs(net) < 1


def test_numbers_written_as_text_follow_the_map() -> None:
    assert cells(["A1", None, "1.234,50", "Bolt", "1", "1"]).invoice.totals.net == Decimal("1234.50")
    assert [f.place for f in cells(["A1", None, "1,234", "Bolt", "1", "1"]).findings] == ["Sheet1!C2"]
    assert cells(["A1", None, "1,234", "B", "1", "1"], decimal=",").invoice.totals.net == Decimal("1.234")


def test_a_number_where_a_text_is_wanted_keeps_the_zeros_that_are_shown() -> None:
    made = Workbook()
    sheet: Any = made.active
    sheet.append(["No", "Post code", "Rate"])
    sheet.append([4711, 1067, 0.19])
    sheet["B2"].number_format, sheet["C2"].number_format = "00000", "0%"
    out = io.BytesIO()
    made.save(out)
    (read,) = from_book(out.getvalue(), columns={"No": "BT-1", "Post code": "BT-53", "Rate": "BT-119"})
    assert read.invoice.number == "4711"
    assert read.invoice.buyer is not None
    assert read.invoice.buyer.address is not None
    assert read.invoice.buyer.address.postcode == "01067"
    assert read.invoice.tax_breakdown[0].rate == 19


def test_dates_are_days() -> None:
    assert cells(["A1", datetime(2026, 10, 5), 1, "B", 1, 1]).invoice.issue_date == date(2026, 10, 5)  # noqa: DTZ001
    assert cells(["A1", "05.10.2026", 1, "B", 1, 1]).invoice.issue_date == date(2026, 10, 5)
    (finding,) = cells(["A1", 46300, 1, "B", 1, 1]).findings
    assert (finding.rule, finding.place) == ("EINV-READ-04", "Sheet1!B2")
    assert cells(["A1", datetime(2026, 10, 5, 12, 30), 1, "B", 1, 1]).findings  # noqa: DTZ001


def test_a_date_or_a_truth_value_is_no_amount() -> None:
    found = cells(["A1", None, date(2026, 1, 1), "B", True, 1]).findings
    assert [(f.rule, f.place) for f in found] == [("EINV-READ-03", "Sheet1!C2"), ("EINV-READ-03", "Sheet1!E2")]


def test_error_cells_and_formulas_without_a_value_are_faults_at_their_cell() -> None:
    made = Workbook()
    sheet: Any = made.active
    sheet.title = "Sheet1"
    sheet.append(TITLES)
    sheet.append(["A1", None, "#REF!", "Bolt", "=1+1", 10])
    sheet.append(["A2", None, 5, "Bolt", 1, 10])
    sheet["C2"].data_type = "e"
    out = io.BytesIO()
    made.save(out)
    one, two = from_book(out.getvalue(), columns=COLUMNS)
    assert [(f.rule, f.place, f.found) for f in fatal(one.findings)] == [
        ("EINV-TABLE-09", "Sheet1!C2", "#REF!"), ("EINV-TABLE-06", "Sheet1!E2", "=1+1"),
    ]  # fmt: skip
    assert two.findings == ()


def test_a_formula_that_was_computed_is_its_value() -> None:
    data = book({"Sheet1": [TITLES, ["A1", "", "=1+1", "Bolt", 1, 10]]})
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml")
    assert b"<f>1+1</f><v" in sheet
    for empty in (b"<v />", b"<v></v>", b"<v/>"):
        sheet = sheet.replace(b"<f>1+1</f>" + empty, b"<f>1+1</f><v>2</v>")
    (read,) = from_book(zipped(data, {"xl/worksheets/sheet1.xml": sheet}), columns=COLUMNS)
    assert read.invoice.totals is not None
    assert (read.invoice.totals.net, read.findings) == (2, ())


def test_lines_in_a_sheet_of_their_own_are_joined() -> None:
    data = book(
        {"Notes": [["hello"]], "Heads": [["No", "Net"], ["A1", 3]], "Lines": [["No", "Amount"], ["A1", 1], ["A1", 2]]}
    )
    (read,) = from_book(
        data, sheet="Heads", columns={"No": "BT-1", "Net": "BT-109"}, lines={"No": "BT-1", "Amount": "BT-131"}
    )
    assert [line.net_amount for line in read.invoice.lines] == [1, 2]
    assert (read.locate("$.lines[1].net_amount"), read.locate("$.totals.net")) == ("Lines!B3", "Heads!B2")


def test_a_sheet_that_is_not_there_or_has_no_titles_is_refused() -> None:
    data = book({"Sheet1": [TITLES, *GOOD], "Empty": []})
    assert "no sheet 'Other'" in refused(data, sheet="Other").message
    assert refused(data, sheet="Empty").message == "there are no titles"
    assert refused(data, title_row=9).where == "Sheet1!9:9"


def test_a_cut_workbook_is_refused() -> None:
    whole, chance = formats.template("xlsx"), random.Random(7)
    for _ in range(50):
        with pytest.raises(UnreadableDocument):
            from_book(whole[: chance.randrange(len(whole))])


def test_a_workbook_with_changed_bytes_is_read_or_refused() -> None:
    whole, chance = bytearray(formats.template("xlsx")), random.Random(7)
    for _ in range(100):
        at = chance.randrange(len(whole))
        data = bytes(whole[:at]) + bytes([chance.randrange(256)]) + bytes(whole[at + 1 :])
        try:
            from_book(data)
        except EInvoiceError:
            continue


@pytest.mark.parametrize("path", others("xlsx"), ids=lambda path: path.name)
def test_a_file_of_another_format_is_refused(path: Path) -> None:
    with pytest.raises(UnreadableDocument):
        from_book(path.read_bytes())


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    data = zipped(book({"Sheet1": [TITLES]}), {"xl/worksheets/sheet1.xml": b"<worksheet>" + b" " * (40 << 20)})
    assert len(data) < 1 << 20
    assert "unpacks to" in refused(data).message
    many = zipped(book({"Sheet1": [TITLES]}), {f"xl/{at}.bin": b"" for at in range(2100)})
    assert "2000 are the limit" in refused(many).message


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml"])
@pytest.mark.parametrize("before", [b"", b" " * 5000])
def test_a_doctype_is_refused_wherever_it_stands(part: str, before: bytes) -> None:
    data = book({"Sheet1": [TITLES, *GOOD]})
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        old = archive.read(part)
    start = old.index(b"?>") + 2 if old.startswith(b"<?xml") else 0
    trap = old[:start] + before + b'<!DOCTYPE x [<!ENTITY a "b">]>' + old[start:]
    assert "does not begin as" in refused(zipped(data, {part: trap})).message


def test_a_row_far_below_does_not_hang() -> None:
    data = book({"Sheet1": [TITLES]})
    sheet = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%s</sheetData></worksheet>'
    titles = b'<row r="1"><c r="A1" t="inlineStr"><is><t>No</t></is></c></row>'
    trap = zipped(
        data, {"xl/worksheets/sheet1.xml": sheet % (titles + b'<row r="99999999999"><c r="A99999999999"/></row>')}
    )
    with pytest.raises(UnreadableDocument, match="1048576 rows"):
        from_book(trap, columns={"No": "BT-1"})


def test_a_workbook_is_known_by_its_parts() -> None:
    assert formats.detect(formats.template("xlsx")[: 64 * 1024]) == "xlsx"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", "hello")
    with pytest.raises(UnreadableDocument):
        formats.detect(out.getvalue())
