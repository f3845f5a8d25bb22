"""Excel workbooks, read only: what the cells hold, never what a formula would give. docs/erp.md.

A number in a cell is a binary fraction. Its value here is the decimal of at most 15 digits that Excel shows for it.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, BinaryIO

from ..errors import UnreadableDocument
from ..exchange import Read
from ..terms import TERMS
from ._table import reads
from ._table_map import Table, sample, target, template
from ._table_rows import Cell, Fault, Row, Sheet

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

#: Bytes of one part of a workbook when unpacked, of the texts that all cells share, and how often smaller packed.
PART, SHARED, RATIO = 1 << 30, 128 << 20, 200
PARTS = 2000
#: Rows of a sheet (Excel's own limit).
ROWS = 1_048_576
#: What of a part is looked at for a DOCTYPE: the root element begins in it.
_HEAD = 4096
_ROOT = re.compile(rb"<[A-Za-z]")
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
_BLOCK = 1 << 20


class XlsxFormat:
    """Reads workbooks; memory holds one invoice and the texts that cells share."""

    name = "xlsx"

    def __init__(self, settings: Table | None = None) -> None:
        self.settings = settings or Table()

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        """The invoices of the sheet named, else of the first. UnreadableDocument for what is no sound workbook."""
        formulas = _checked(stream)
        books = [_book(stream, values=True)]
        if formulas:
            books.append(_book(stream, values=False))
        try:
            head = _sheet(books, self.settings.sheet, self.settings.title_row)
            lines = None
            if self.settings.lines:
                lines = _sheet(books, self.settings.lines_sheet, self.settings.title_row)
            yield from reads(self.settings, head, lines, self.name)
        finally:
            for book in books:
                book.close()


def _checked(stream: BinaryIO) -> bool:
    """Whether a sheet has formulas. UnreadableDocument where the file is no zip, too large unpacked, or has a DTD."""
    try:
        with zipfile.ZipFile(stream) as archive:
            parts = archive.infolist()
            if len(parts) > PARTS:
                raise _unsafe(f"the workbook has {len(parts)} parts, {PARTS} are the limit")
            for part in parts:
                most = SHARED if "sharedStrings" in part.filename else PART
                packed = max(part.compress_size, 1)
                if part.file_size > most or (part.file_size > _BLOCK * 8 and part.file_size > RATIO * packed):
                    raise _unsafe(f"{part.filename[:60]} unpacks to {part.file_size} bytes")
                if part.filename.endswith((".xml", ".rels")) and part.file_size:
                    _no_doctype(archive, part)
            return any(_has_formula(archive, part) for part in parts if part.filename.startswith("xl/worksheets/"))
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError) as error:
        raise _broken(error) from error


def _no_doctype(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    with archive.open(part) as data:
        head = data.read(_HEAD)
    root = _ROOT.search(head)
    if root is None or b"<!" in head[: root.start()].replace(b"<!--", b""):
        raise _unsafe(f"{part.filename[:60]} does not begin as a part of a workbook does")


def _has_formula(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> bool:
    with archive.open(part) as data:
        end = b""
        while block := data.read(_BLOCK):
            if _FORMULA.search(end + block):
                return True
            end = block[-16:]
    return False


def _unsafe(message: str) -> UnreadableDocument:
    return UnreadableDocument(message, fix="save the sheet as a workbook of its own, or as CSV")


def _broken(error: Exception) -> UnreadableDocument:
    told = f"{type(error).__name__}: {error}"[:120]
    return UnreadableDocument(f"the file is not a sound workbook ({told})", fix="save it again as .xlsx, or as CSV")


def _book(stream: BinaryIO, values: bool) -> Workbook:
    """The workbook: with *values*, what formulas came to when it was saved, else the formulas themselves."""
    from openpyxl import load_workbook

    stream.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and validations, which are not read
            return load_workbook(stream, read_only=True, data_only=values, keep_links=False)
    except Exception as error:  # a library's own words for what may be wrong with a file
        raise _broken(error) from error


def _sheet(books: Sequence[Workbook], name: str, title_row: int) -> Sheet:
    names = books[0].sheetnames
    if name and name not in names:
        raise UnreadableDocument(f"there is no sheet {name!r}", where=", ".join(names)[:200],
                                 fix="name the sheet in the map: sheet, lines_sheet")  # fmt: skip
    if not names:
        raise UnreadableDocument("the workbook has no sheet", fix="save it again")
    title = name or names[0]
    rows = _rows([book[title] for book in books])
    names = []
    for row in rows:
        if row.number == title_row:
            names = [cell if isinstance(cell, str) else "" for cell in row.cells]
            break
    if not any(names):
        raise UnreadableDocument("there are no titles", where=f"{title}!{title_row}:{title_row}",
                                 fix="write the titles there, or say their row in the map: title_row")  # fmt: skip
    return Sheet(names, rows, lambda row, at: f"{title}!{_letters(at)}{row}", title)


def _letters(at: int) -> str:
    """The name of a column by its position: A for 0, AA for 26."""
    name = ""
    at += 1
    while at:
        at, rest = divmod(at - 1, 26)
        name = chr(65 + rest) + name
    return name


def _rows(sheets: Sequence[Any]) -> Iterator[Row]:
    """The rows of a sheet. The second of *sheets* is the same one with its formulas, where there are any."""
    for sheet in sheets:
        if not hasattr(sheet, "reset_dimensions"):
            raise UnreadableDocument("the sheet holds a chart, no cells", fix="name another sheet in the map: sheet")
        sheet.reset_dimensions()  # programs state them wrong, and cells outside would be lost
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for number, (row, *formulas) in enumerate(zip(*(one.iter_rows() for one in sheets), strict=True), 1):
                if number > ROWS:
                    raise _unsafe(f"the sheet has more than {ROWS} rows")
                cells = [_cell(cell) for cell in row]
                if formulas:
                    cells = list(map(_computed, cells, formulas[0]))
                yield Row(number, cells)
    except UnreadableDocument:
        raise
    except Exception as error:  # a library's own words for what may be wrong with a file
        raise _broken(error) from error


def _computed(value: Cell, cell: Any) -> Cell:
    """*value*, or a fault where it is that of a formula which no program has computed."""
    if value is None and getattr(cell, "data_type", "") == "f":
        return Fault("EINV-TABLE-06", "the formula has no value: the program that wrote it did not compute it",
                     str(cell.value)[:80], "open the workbook in Excel, let it compute, and save it")  # fmt: skip
    return value


_ZEROS = re.compile(r"0+")


def _cell(cell: Any) -> Cell:
    """What a cell holds: text, a decimal, a day, yes or no; a fault for an error."""
    value, kind = cell.value, getattr(cell, "data_type", "n")
    if kind == "e":
        return Fault("EINV-TABLE-09", f"the cell holds the error {value}", str(value), "correct the formula")
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, datetime):
        return value.date() if value.time() == time() else value.isoformat(" ")
    if isinstance(value, date):
        return value
    if isinstance(value, int | float):
        form = cell.number_format or ""
        return _padded(_decimal(value), form)
    return str(value)


def _decimal(value: int | float) -> Decimal:
    """*value* as Excel shows it: 15 digits, of which a binary fraction has no more.

    >>> _decimal(0.1 + 0.2), _decimal(19.99), _decimal(1e21)
    (Decimal('0.3'), Decimal('19.99'), Decimal('1000000000000000000000'))
    """
    return Decimal(format(Decimal(value if isinstance(value, int) else format(value, ".15g")), "f"))


def _padded(value: Decimal, form: str) -> Cell:
    """With the zeros that the cell's format puts before a number (00042), and in percent where it shows that."""
    if _ZEROS.fullmatch(form) and len(form) > 1 and value == value.to_integral_value():
        return format(value, "f").zfill(len(form))
    return Decimal(format(value.scaleb(2).normalize(), "f")) if form.endswith("%") else value


def template_file() -> bytes:
    """The template: a sheet with the titles and one invoice, and one that says what each column is."""
    from openpyxl import Workbook
    from openpyxl.styles import Font

    book = Workbook()
    sheet: Any = book.active
    sheet.title, sheet.freeze_panes = "Invoices", "B2"
    columns = template().columns
    rows = list(csv.reader(io.StringIO(sample())))
    for at, title in enumerate(rows[0], 1):
        kind = target(columns[title][0]).kind
        for number, row in enumerate(rows, 1):
            cell = sheet.cell(number, at)
            cell.value = _typed(row[at - 1], kind) if number > 1 else title
            if number == 1:
                cell.font = Font(bold=True)
            elif kind in ("text", "code", "id"):
                cell.number_format = "@"
        sheet.column_dimensions[_letters(at - 1)].width = max(12, len(title) + 2)
    legend: Any = book.create_sheet("Columns")
    legend.append(["Column", "Term", "Meaning", "Kind"])
    for title, names in columns.items():
        one = target(names[0])
        legend.append([title, one.name, TERMS[one.id].name, one.kind])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _typed(text: str, kind: str) -> Cell:
    if not text:
        return None
    if kind == "date":
        return date.fromisoformat(text)
    return Decimal(text) if kind in ("amount", "price", "quantity", "percent") else text


FORMAT, SETTINGS = XlsxFormat, Table
