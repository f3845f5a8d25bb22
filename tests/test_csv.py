"""CSV as ERPs export it: what is read, what is refused, and where a fault stands."""

from __future__ import annotations

import csv
import io
import random
import time
import tracemalloc
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from einvoice import formats, rules
from einvoice.config import load
from einvoice.errors import ConfigError, EInvoiceError, UnreadableDocument, fatal
from einvoice.formats import _numbers
from einvoice.formats._table_map import Table, target, template
from einvoice.formats.csv_ import CsvFormat
from einvoice.model import Invoice
from tests.tables import COLUMNS, FIXTURES, GOOD, TITLES, from_csv, others, small, text

CSV = FIXTURES / "csv"


def broken_rules(invoice: Invoice) -> list[str]:
    on = invoice.issue_date or date(2026, 1, 1)
    return [str(one) for one in fatal(rules.check(invoice, ("en16931", "einvoice"), on=on, today=on))]


def refused(data: bytes | str, **settings: Any) -> UnreadableDocument:
    with pytest.raises(UnreadableDocument) as caught:
        from_csv(data, **settings)
    assert caught.value.fix
    return caught.value


# --- the template -----------------------------------------------------------------------------------------------------


def test_the_template_holds_an_invoice_that_keeps_the_rules() -> None:
    (read,) = from_csv(formats.template("csv"))
    assert (read.problem, read.findings) == (None, ())
    assert read.invoice.number == "2026-0001"
    assert len(read.invoice.lines) == 2
    assert broken_rules(read.invoice) == []


def test_the_templates_column_map_is_the_one_that_holds_without_a_map(tmp_path: Path) -> None:
    path = tmp_path / "columns.toml"
    path.write_bytes(formats.template("columns"))
    (with_map,) = CsvFormat(load(path, Table)).read(io.BytesIO(formats.template("csv")))
    (without,) = from_csv(formats.template("csv"))
    assert with_map.invoice == without.invoice


def test_every_title_of_the_template_has_a_term_and_every_term_one_title() -> None:
    named = [target(names[0]).name for names in template().columns.values()]
    assert len(named) == len(set(named)) > 60


def test_a_cell_is_found_from_a_path_in_the_invoice() -> None:
    (read,) = from_csv(formats.template("csv"))
    assert read.locate("$.lines[1].net_amount") == 'line 3, column "Line amount"'
    assert read.locate("$.tax_breakdown[1].rate") == 'line 2, column "VAT 2 rate"'
    assert read.locate("$.lines[1].item.origin_country") == 'line 3, column "Item name"'
    assert read.locate("$.seller.address.line_2") == 'line 2, column "Seller street"'
    assert read.locate("$.period.start") == 'line 2, column "Invoice number"'


def test_members_that_no_cell_states_close_up_and_are_still_found() -> None:
    columns = {**COLUMNS, "Rate 1": "BT-119", "Rate 2": "tax_breakdown[1].rate", "Rate 3": "tax_breakdown[2].rate"}
    rows = [[*TITLES, "Rate 1", "Rate 2", "Rate 3"], [*GOOD[0], "", "7", "19"]]
    (read,) = from_csv(text(rows), columns=columns)
    assert [one.rate for one in read.invoice.tax_breakdown] == [7, 19]
    assert read.locate("$.tax_breakdown[0].rate") == 'line 2, column "Rate 2"'
    assert read.locate("$.tax_breakdown[1].rate") == 'line 2, column "Rate 3"'


# --- a map of one's own -----------------------------------------------------------------------------------------------


def test_a_german_export_is_read_by_its_map() -> None:
    invoice, credit = formats.read_file(CSV / "warehouse.csv", columns=CSV / "warehouse.columns.toml")
    assert fatal(invoice.findings) == fatal(credit.findings) == []
    first = invoice.invoice.lines[0]
    assert (first.quantity, first.unit, first.net_amount) == (Decimal(1000), "C62", Decimal("1250.00"))
    assert (first.taxes[0].category, first.taxes[0].rate) == ("S", Decimal(19))
    assert invoice.invoice.issue_date == date(2026, 10, 5)
    assert invoice.invoice.buyer is not None
    assert invoice.invoice.buyer.address is not None
    assert invoice.invoice.buyer.address.line_1 == "Gießereiweg 3"
    assert broken_rules(invoice.invoice) == []


def test_a_credit_note_that_stands_negative_is_turned() -> None:
    *_, credit = formats.read_file(CSV / "warehouse.csv", columns=CSV / "warehouse.columns.toml")
    line, totals = credit.invoice.lines[0], credit.invoice.totals
    assert (line.quantity, line.net_amount, line.price and line.price.net) == (1, 40, 40)
    assert totals is not None
    assert (totals.net, totals.tax, totals.gross, totals.due) == (
        40,
        Decimal("2.80"),
        Decimal("42.80"),
        Decimal("42.80"),
    )


def test_totals_that_were_computed_are_said() -> None:
    invoice, _ = formats.read_file(CSV / "warehouse.csv", columns=CSV / "warehouse.columns.toml")
    assert [(one.rule, one.term) for one in invoice.findings] == [
        ("EINV-WRITE-02", term) for term in ("BG-23", "BG-23", "BT-106", "BT-115")
    ]


def test_tax_rows_are_not_made_where_they_do_not_come_to_the_stated_tax() -> None:
    text_ = (CSV / "warehouse.csv").read_text("cp1252").replace("243,10", "243,11").replace("1.573,10", "1.573,11")
    settings = load(CSV / "warehouse.columns.toml", Table)
    invoice, _ = CsvFormat(settings).read(io.BytesIO(text_.encode("cp1252")))
    assert invoice.invoice.tax_breakdown == ()


def test_lines_in_a_file_of_their_own_are_joined_by_number() -> None:
    head = text([["No", "Date"], ["A1", "2026-10-05"], ["A2", "2026-10-06"]])
    lines = text([["Invoice", "Text", "Amount"], ["A1", "Bolt", "1"], ["A1", "Nut", "2"], ["A2", "Bolt", "3"]])
    settings = {"columns": {"No": "BT-1", "Date": "BT-2"},
                "lines": {"Invoice": "BT-1", "Text": "BT-153", "Amount": "BT-131"}}  # fmt: skip
    one, two = from_csv(head, other=lines.encode(), **settings)
    assert [line.net_amount for line in one.invoice.lines] == [1, 2]
    assert one.locate("$.lines[1].net_amount") == 'lines, line 3, column "Amount"'
    assert one.locate("$.issue_date") == 'line 2, column "Date"'
    assert [line.net_amount for line in two.invoice.lines] == [3]
    assert "the lines stand elsewhere" in refused(head, **settings).message


def test_lines_may_come_in_another_order_and_what_has_no_partner_is_said() -> None:
    head = text([["No", "Date"], ["A1", "2026-10-05"], ["A2", "2026-10-06"], ["A3", "2026-10-06"]])
    lines = text([["Invoice", "Amount"], ["A2", "3"], ["X", "9"], ["A1", "1"], ["", "2"]])
    settings = {"columns": {"No": "BT-1", "Date": "BT-2"}, "lines": {"Invoice": "BT-1", "Amount": "BT-131"}}
    a1, a2, a3, x = from_csv(head, other=lines.encode(), **settings)
    assert [line.net_amount for line in a2.invoice.lines] == [3]
    assert [one.rule for one in fatal(a1.findings)] == ["EINV-TABLE-03"]
    assert [one.rule for one in fatal(a3.findings)] == ["EINV-TABLE-08"]
    assert x.problem is not None
    assert [(one.rule, one.place) for one in x.findings] == [("EINV-TABLE-08", 'lines, line 3, column "Invoice"')]


def test_each_invoice_keeps_its_own_rows() -> None:
    one, two = small(*GOOD, ["A2", *GOOD[0][1:]])
    assert one.source == text([TITLES, *GOOD]).encode()
    assert two.source == text([TITLES, ["A2", *GOOD[0][1:]]]).encode()


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ('[columns]\n"No" = "BT-1"\n"Net" = "BT-1099"', "'BT-1099' is no term; did you mean BT-109?"),
        ('[columns]\n"No" = "BT-1"\n"Net" = "total.net"', "did you mean totals.net?"),
        ('[columns]\n"Net" = "BT-109"', "map one to BT-1"),
        ('[columns]\n"No" = "BT-1"\n"File" = "BT-125"', "attachments do not stand in a table"),
        ('[columns]\n"No" = "BT-1"\n"X" = "tax_breakdown[99].rate"', "at most 50"),
        ('decimal = ","\nthousands = ","', "the same sign"),
        ('thousands = ","', "thousands needs decimal"),
        ('dates = ["DD.MM"]', "not a form of dates"),
        ('[defaults]\nBT-2 = "05.10.2026"', "BT-2: '05.10.2026' is not a calendar date"),
        ('[defaults]\nBT-109 = "1,50"', "not a plain decimal number"),
        ('[columns]\n"No" = "BT-1"\n"Tax" = ["BT-151", "BT-152"]\n[codes."Tax"]\nV1 = "S"', "each code means 2 texts"),
        ('delimeter = ";"', "did you mean delimiter?"),
    ],
)  # fmt: skip
def test_a_fault_in_the_map_is_said_before_anything_is_read(toml: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(toml, Table)
    assert said in str(caught.value)


# --- titles -----------------------------------------------------------------------------------------------------------


def test_titles_that_do_not_fit_are_all_named_with_what_was_meant() -> None:
    error = refused("No,Date,Net,Net,Descripton,Qty\nA1,,,,,\n", columns={**COLUMNS, "Description": "BT-154"})
    assert [one.rule for one in error.findings] == ["EINV-TABLE-02", *["EINV-TABLE-01"] * 3]
    assert error.findings[0].place == 'line 1, column "Net"'
    assert [one.expected for one in error.findings[1:]] == ["Text", "Amount", "Description"]
    assert "'Descripton'" in error.findings[3].fix


def test_optional_columns_may_be_left_out_the_number_may_not() -> None:
    (read,) = from_csv("No\nA1\n", columns=COLUMNS, optional=TITLES)
    assert read.invoice == Invoice(number="A1")
    assert [one.expected for one in refused("Date\n2026-10-05\n", columns=COLUMNS, optional=TITLES).findings] == ["No"]


def test_a_column_that_nobody_mapped_is_reported_once_an_invoice() -> None:
    rows = [[*TITLES, "Clerk", "Empty"], [*GOOD[0], "mb", ""], [*GOOD[1], "mb", ""]]
    (read,) = from_csv(text(rows), columns=COLUMNS)
    assert [(one.rule, one.severity, one.place) for one in read.findings] == [
        ("EINV-READ-01", "warning", 'line 2, column "Clerk"')
    ]
    assert from_csv(text(rows), columns=COLUMNS, ignore=["clerk"])[0].findings == ()


def test_titles_are_compared_without_case_and_extra_spaces() -> None:
    assert from_csv("  NO , date\nA1,2026-10-05\n", columns={"no": "BT-1", "Date": "BT-2"})[0].invoice.number == "A1"


def test_titles_may_stand_further_down_and_excel_may_say_the_delimiter() -> None:
    (read,) = from_csv(
        "Export of today;\n\nNo;Date\nA1;2026-10-05\n", columns={"No": "BT-1", "Date": "BT-2"}, title_row=3
    )
    assert read.locate("$.issue_date") == 'line 4, column "Date"'
    (read,) = from_csv("sep=;\nNo;Date, of issue\nA1;2026-10-05\n", columns={"No": "BT-1", "Date, of issue": "BT-2"})
    assert read.locate("$.issue_date") == 'line 3, column "Date, of issue"'


@pytest.mark.parametrize("data", ["", "\n", "\n\n\n"])
def test_a_file_without_titles_is_refused(data: str) -> None:
    assert refused(data, columns=COLUMNS)


# --- rows -------------------------------------------------------------------------------------------------------------


def test_what_holds_for_the_invoice_may_stand_on_its_first_row_alone() -> None:
    (read,) = small(GOOD[0], ["A1", "", "", *GOOD[1][3:]])
    assert (read.findings, len(read.invoice.lines)) == ((), 2)


def test_rows_of_one_invoice_that_contradict_are_refused_with_both_places() -> None:
    contradicting = ["A1", "2026-10-06", "30.01", *GOOD[1][3:]]
    (read,) = small(GOOD[0], contradicting)
    assert [(one.rule, one.term, one.place, one.expected) for one in fatal(read.findings)] == [
        ("EINV-READ-02", "BT-2", 'line 3, column "Date"', "2026-10-05"),
        ("EINV-READ-02", "BT-109", 'line 3, column "Net"', "30.00"),
    ]
    assert 'line 2, column "Net"' in read.findings[1].message


def test_the_same_number_written_otherwise_is_no_contradiction() -> None:
    assert small(GOOD[0], ["A1", "05.10.2026", "30.0", *GOOD[1][3:]])[0].findings == ()


def test_a_row_without_number_holds_the_invoice_above_it() -> None:
    one, two = small(GOOD[0], ["", *GOOD[1][1:]], ["A2", *GOOD[0][1:]])
    assert [(f.rule, f.place) for f in fatal(one.findings)] == [("EINV-TABLE-03", 'line 3, column "No"')]
    assert (two.findings, two.invoice.number) == ((), "A2")


def test_rows_without_number_at_the_start_are_no_invoice_and_do_not_hinder_others() -> None:
    one, two = small(["", *GOOD[0][1:]], *GOOD)
    assert one.problem is not None
    assert [f.rule for f in one.findings] == ["EINV-TABLE-03"]
    assert two.invoice.number == "A1"


def test_rows_of_an_invoice_that_stood_further_up_are_refused() -> None:
    *_, last = small(GOOD[0], ["A2", *GOOD[0][1:]], GOOD[1])
    assert last.problem is not None
    assert [(f.rule, f.place) for f in last.findings] == [("EINV-TABLE-04", 'line 4, column "No"')]


def test_all_faults_of_a_file_come_at_once_each_at_its_cell() -> None:
    one, two = small(["A1", "soon", "1,234", "Bolt", "x", "1E3"], ["A2", "2026-02-30", "1.5.2", "", "", ""])
    assert [(f.rule, f.place) for f in one.findings] == [
        ("EINV-READ-04", 'line 2, column "Date"'), ("EINV-READ-03", 'line 2, column "Net"'),
        ("EINV-READ-03", 'line 2, column "Qty"'), ("EINV-READ-03", 'line 2, column "Amount"'),
    ]  # fmt: skip
    assert [f.term for f in one.findings] == ["BT-2", "BT-109", "BT-129", "BT-131"]
    assert [f.rule for f in two.findings] == ["EINV-READ-04", "EINV-READ-03"]
    assert all(f.fatal and f.fix for f in (*one.findings, *two.findings))
    assert (one.invoice.number, two.invoice.number) == ("A1", "A2")


def test_rows_beyond_the_titles_and_blank_rows_do_no_harm() -> None:
    (read,) = from_csv(text([TITLES, [], [*GOOD[0], "", ""], ["", " "], GOOD[1][:3]]), columns=COLUMNS)
    assert (len(read.invoice.lines), read.findings) == (1, ())


def test_a_code_that_the_map_does_not_know_is_refused_and_what_it_means_may_stand_itself() -> None:
    settings = {"columns": {**COLUMNS, "Unit": "BT-130"}, "codes": {"unit": {}, "Unit": {"Stk": "C62"}}}
    rows = [[*TITLES, "Unit"], [*GOOD[0], "Stk"], [*GOOD[1], "C62"], [*GOOD[1], "Pal"]]
    settings["codes"] = {"Unit": {"Stk": "C62"}}
    (read,) = from_csv(text(rows), **settings)
    assert [line.unit for line in read.invoice.lines] == ["C62", "C62", None]
    assert [(f.rule, f.place) for f in read.findings] == [("EINV-TABLE-07", 'line 4, column "Unit"')]


def test_a_default_holds_where_no_cell_says_otherwise_and_a_scheme_only_beside_its_value() -> None:
    columns = {**COLUMNS, "Cur": "BT-5", "GTIN": "BT-157"}
    rows = [
        [*TITLES, "Cur", "GTIN"],
        [*GOOD[0], "", "4019999900013"],
        [*GOOD[1], "", ""],
        ["A2", *GOOD[0][1:], "CHF", ""],
    ]
    one, two = from_csv(text(rows), columns=columns, defaults={"BT-5": "EUR", "BT-157-1": "0160", "BT-151": "S"})
    assert (one.invoice.currency, two.invoice.currency) == ("EUR", "CHF")
    items = [line.item for line in one.invoice.lines]
    assert [item.standard_id.scheme if item and item.standard_id else None for item in items] == ["0160", None]
    assert [line.taxes[0].category for line in one.invoice.lines] == ["S", "S"]


# --- bytes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_is_read_with_and_without_a_mark(encoding: str) -> None:
    data = text([TITLES, ["A1", "2026-10-05", "1", "Größe ½ – Łódź", "1", "1"]]).encode(encoding)
    (read,) = from_csv(data, columns=COLUMNS)
    assert read.invoice.lines[0].item is not None
    assert read.invoice.lines[0].item.name == "Größe ½ – Łódź"


def test_bytes_of_another_encoding_are_a_fault_of_their_cell() -> None:
    data = text([TITLES, ["A1", "2026-10-05", "1", "Größe", "1", "1"], ["A2", *GOOD[0][1:]]]).encode("cp1252")
    one, two = from_csv(data, columns=COLUMNS)
    assert [(f.rule, f.place) for f in one.findings] == [("EINV-READ-04", 'line 2, column "Text"')]
    assert "encoding" in one.findings[0].fix
    str(one.findings[0]).encode()
    assert two.findings == ()
    good = from_csv(data, columns=COLUMNS, encoding="cp1252")[0].invoice.lines[0].item
    assert good is not None
    assert good.name == "Größe"


def test_titles_of_another_encoding_refuse_the_file() -> None:
    error = refused("No,Größe\nA1,1\n".encode("cp1252"), columns={"No": "BT-1", "Größe": "BT-153"})
    str(error).encode()
    assert "encoding" in error.fix


@pytest.mark.parametrize("tail", ['A1,"open', 'A1,"a"b,c', 'A1,"' + "x" * 200_000])
def test_what_is_no_csv_is_refused_with_its_line(tail: str) -> None:
    stream = io.BytesIO(("No,Text\nA0,Bolt\n" + tail).encode())
    reads = CsvFormat(Table(columns={"No": "BT-1", "Text": "BT-153"})).read(stream)
    with pytest.raises(UnreadableDocument) as caught:
        list(reads)
    assert caught.value.where == "line 3"


def test_a_text_may_have_lines_and_quotes() -> None:
    (read,) = small(["A1", "2026-10-05", "1", 'Bolt "M8",\nzinc', "1", "1"], ["A1", "", "", "Nut", "1", "bad"])
    assert read.invoice.lines[0].item is not None
    assert read.invoice.lines[0].item.name == 'Bolt "M8",\nzinc'
    assert read.findings[0].place == 'line 4, column "Amount"'


def test_a_cut_file_is_read_to_the_cut_or_refused_and_never_breaks() -> None:
    whole, chance = (CSV / "invoices.csv").read_bytes(), random.Random(7)
    for _ in range(50):
        data = whole[: chance.randrange(len(whole))]
        try:
            reads = from_csv(data)
        except EInvoiceError:
            continue
        assert all(read.problem or read.invoice.number for read in reads)


@pytest.mark.parametrize("path", others("csv"), ids=lambda path: path.name)
def test_a_file_of_another_format_is_refused(path: Path) -> None:
    with pytest.raises(EInvoiceError):
        from_csv(path.read_bytes())


def test_csv_is_known_by_the_templates_titles_and_else_by_its_name() -> None:
    assert formats.detect(formats.template("csv")) == "csv"
    assert formats.detect('"Invoice number";"Invoice date"\r\n'.encode("utf-16")) == "csv"
    assert formats.detect(b"Rechnung;Datum\n", "export.CSV") == "csv"
    with pytest.raises(UnreadableDocument):
        formats.detect(b"Rechnung;Datum\n", "export.txt")


# --- numbers and dates ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "value"),
    [("12", "12"), ("+12.50", "12.50"), ("12,50", "12.50"), ("-1.234.567,8", "-1234567.8"), ("1,234,567", "1234567"),
     ("0.125", "0.125"), ("1234.567", "1234.567"), (".5", "0.5"), ("12.50-", "-12.50"), (" 7 ", "7"), ("0-", "0")],
)  # fmt: skip
def test_a_number_that_can_be_read_in_one_way_is_read(said: str, value: str) -> None:
    assert str(_numbers.number(said)) == value


@pytest.mark.parametrize(
    "said", ["1,234", "1.234", "12.345", "1,23,456", "1.2.3", "1,234.567.8", "1 234", "1'234", "", "-", "1E3", "NaN",
             "€ 5", "5 €", "(5)", "--5", "-5-", "1.", ",", "٣", "1_000", "0x10", "12,345,67", "1.234,567,890.1"],
)  # fmt: skip
def test_a_number_in_two_ways_or_none_is_refused(said: str) -> None:
    with pytest.raises(ValueError, match=r"number|may be|signs"):
        _numbers.number(said)


@pytest.mark.parametrize(
    ("said", "decimal", "thousands", "value"),
    [("1,234", ",", "", "1.234"), ("1,234", ".", ",", "1234"), ("1.234", ",", ".", "1234"),
     ("1234,5", ",", ".", "1234.5"),
     ("1\u202f234,5", ",", " ", "1234.5"), ("1’234.50", ".", "'", "1234.50")],
)  # fmt: skip
def test_the_map_says_which(said: str, decimal: str, thousands: str, value: str) -> None:
    assert str(_numbers.number(said, decimal, thousands)) == value


@pytest.mark.parametrize(
    ("said", "decimal", "thousands"),
    [("1.234", ",", ""), ("12.34", ",", "."), ("1.23,4", ",", "."), ("1,2,3", ",", ""), ("1.234.5", ",", "."),
     ("", ",", "."),
     ("1,", ",", ".")],
)  # fmt: skip
def test_what_does_not_fit_the_map_is_refused(said: str, decimal: str, thousands: str) -> None:
    with pytest.raises(ValueError, match=r"number|may be|signs"):
        _numbers.number(said, decimal, thousands)


AMOUNTS = st.decimals(min_value=-(10**12), max_value=10**12, places=3, allow_nan=False)
FORMS = st.sampled_from([(",", "."), (".", ","), (",", " "), (".", "'"), (",", ""), (".", "")])


def written(value: Decimal, decimal: str, thousands: str) -> str:
    return f"{value:,f}".replace(",", "\0").replace(".", decimal).replace("\0", thousands)


@given(AMOUNTS, FORMS)
def test_a_number_comes_back_as_it_was_written(value: Decimal, form: tuple[str, str]) -> None:
    assert _numbers.number(written(value, *form), *form) == value


@given(AMOUNTS, st.integers(0, 3), st.sampled_from([(",", "."), (".", ","), (",", ""), (".", "")]))
def test_a_number_is_never_taken_for_another(value: Decimal, digits: int, form: tuple[str, str]) -> None:
    value = value.quantize(Decimal(1).scaleb(-digits))
    try:
        read = _numbers.number(written(value, *form))
    except ValueError:
        return
    assert read == value


def test_dates_that_two_forms_read_differently_are_refused() -> None:
    forms = ("DD/MM/YYYY", "MM/DD/YYYY")
    assert _numbers.day("13/10/2026", forms) == _numbers.day("10/13/2026", forms) == date(2026, 10, 13)
    assert _numbers.day("10/10/2026", forms) == date(2026, 10, 10)
    with pytest.raises(ValueError, match="2026-05-10 or 2026-10-05"):
        _numbers.day("05/10/2026", forms)


@pytest.mark.parametrize("said", ["2026-13-01", "05/10/2026", "5.10.26", "20261", "soon", "", "2026-10-05 12:00"])
def test_what_is_no_date_is_refused(said: str) -> None:
    with pytest.raises(ValueError, match="calendar date"):
        _numbers.day(said)


# --- size -------------------------------------------------------------------------------------------------------------


class _Endless(io.RawIOBase):
    """A CSV file of *size* bytes, made as it is read: invoices of three lines."""

    def __init__(self, size: int) -> None:
        self._size, self._ready, self._rows = size, b"", self._lines()

    def _lines(self) -> Iterator[bytes]:
        yield (",".join(TITLES) + "\n").encode()
        done = number = 0
        while done < self._size:
            number += 1
            for line in range(3):
                row = f"N{number:09},2026-10-05,30.00,{'Bolt of a long name ' * 3}{line},1,10.00\n".encode()
                done += len(row)
                yield row

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, at: int, whence: int = 0) -> int:
        self._ready, self._rows = b"", self._lines()
        return 0

    def readinto(self, into: Any) -> int:
        while len(self._ready) < len(into) and (row := next(self._rows, None)):
            self._ready += row
        part, self._ready = self._ready[: len(into)], self._ready[len(into) :]
        into[: len(part)] = part
        return len(part)


@pytest.mark.parametrize("size", [1 << 21, pytest.param(20 << 20, marks=pytest.mark.slow)])
def test_memory_does_not_grow_with_the_file(size: int) -> None:
    """An invoice at a time; what grows is the set of numbers already seen, some 150 bytes an invoice."""
    stream = io.BufferedReader(_Endless(size))
    tracemalloc.start()
    started, count = time.perf_counter(), 0
    for read in CsvFormat(Table(columns=COLUMNS)).read(stream):
        count += 1
        assert len(read.invoice.lines) == 3
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    print(f"{size >> 20} MiB, {count} invoices, {time.perf_counter() - started:.0f} s, peak {peak >> 20} MiB")
    assert peak < (8 << 20) + 200 * count


def test_more_rows_than_the_limit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("einvoice.formats._table_rows.ROWS", 3)
    one, two = small(*[GOOD[0]] * 4, ["A2", *GOOD[0][1:]])
    assert [f.rule for f in one.findings] == ["EINV-TABLE-05"]
    assert one.problem is not None
    assert two.invoice.number == "A2"


def test_more_columns_than_the_limit_are_refused() -> None:
    data = io.StringIO()
    csv.writer(data).writerow(["No", *map(str, range(3000))])
    assert "2000 are the limit" in refused(data.getvalue(), columns={"No": "BT-1"}).message
