"""Workbooks and tables for tests, made of rows."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook

from einvoice.exchange import Read
from einvoice.formats._table_map import Table
from einvoice.formats.csv_ import CsvFormat
from einvoice.formats.xlsx import XlsxFormat

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
Rows = Sequence[Sequence[Any]]

#: The least that makes an invoice: number, date, currency, one line.
COLUMNS = {"No": "BT-1", "Date": "BT-2", "Net": "BT-109", "Text": "BT-153", "Qty": "BT-129", "Amount": "BT-131"}
TITLES = list(COLUMNS)
GOOD = [["A1", "2026-10-05", "30.00", "Bolt", "1", "10.00"], ["A1", "2026-10-05", "30.00", "Nut", "2", "20.00"]]


def text(rows: Rows, delimiter: str = ",") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return out.getvalue()


def from_csv(data: bytes | str, other: bytes | None = None, **settings: Any) -> list[Read]:
    """Everything that is read of CSV bytes."""
    stream = io.BytesIO(data.encode() if isinstance(data, str) else data)
    return list(CsvFormat(Table(**settings)).read(stream, io.BytesIO(other) if other is not None else None))


def small(*rows: Sequence[Any], **settings: Any) -> list[Read]:
    """Everything that is read of *rows* under ``TITLES``, as CSV."""
    return from_csv(text([TITLES, *rows]), **{"columns": COLUMNS, **settings})


def book(sheets: dict[str, Rows]) -> bytes:
    """A workbook of *sheets*."""
    made = Workbook()
    made.remove(made.active)
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def from_book(data: bytes, **settings: Any) -> list[Read]:
    """Everything that is read of a workbook."""
    return list(XlsxFormat(Table(**settings)).read(io.BytesIO(data)))


def zipped(data: bytes, change: dict[str, bytes]) -> bytes:
    """The zip *data* with the parts of *change* in place of its own, or beside them."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            if part.filename not in change:
                new.writestr(part.filename, old.read(part))
        for name, content in change.items():
            new.writestr(name, content)
    return out.getvalue()


_ENDINGS = (".xml", ".edi", ".x12", ".csv", ".xlsx", ".json")


def others(name: str) -> list[Path]:
    """Fixtures of other formats than *name*."""
    found = sorted(path for path in FIXTURES.rglob("*.*") if path.suffix in _ENDINGS)
    return [path for path in found if path.parent.name != name]
