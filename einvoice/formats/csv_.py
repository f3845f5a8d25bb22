"""CSV as an ERP exports it, read only: a row a line, or invoices and lines in two files. docs/erp.md."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import BinaryIO

from ..errors import UnreadableDocument
from ..exchange import Read
from ._table import reads
from ._table_map import Table, sample
from ._table_rows import Row, Sheet

_DELIMITERS = ",;\t|"
#: A first line that tells Excel the delimiter.
_SEP = "sep="


class CsvFormat:
    """Reads CSV. The file is read as it is taken: memory holds one invoice."""

    name = "csv"

    def __init__(self, settings: Table | None = None) -> None:
        self.settings = settings or Table()

    def read(self, stream: BinaryIO, lines: BinaryIO | None = None) -> Iterator[Read]:
        """The invoices of *stream*; *lines* is the file of their lines, where the settings have one."""
        with self._sheet(stream) as head:
            if lines is None:
                yield from reads(self.settings, head, None, self.name)
                return
            with self._sheet(lines, "lines, ") as tail:
                yield from reads(self.settings, head, tail, self.name)

    @contextmanager
    def _sheet(self, stream: BinaryIO, label: str = "") -> Iterator[Sheet]:
        encoding = _encoding(stream, self.settings.encoding)
        text = io.TextIOWrapper(stream, encoding, errors="surrogateescape", newline="")
        try:
            yield self._titled(text, label)
        except UnicodeError as error:  # UTF-16 cut in the middle
            raise UnreadableDocument(f"the file is not {encoding}", fix="say the encoding in the map") from error
        finally:
            text.detach()  # the file is its owner's to close

    def _titled(self, text: io.TextIOWrapper, label: str) -> Sheet:
        first, before = text.readline(), 1
        told = first.strip()[len(_SEP) :] if first.lower().startswith(_SEP) else ""
        if told:
            first, before = text.readline(), 2
        for _ in range(self.settings.title_row - before):
            first = text.readline()
        delimiter = self.settings.delimiter or (told if told in tuple(_DELIMITERS) else _divider(first))
        rows = _Rows(text, first, delimiter, max(self.settings.title_row, before), label)
        titles = next(rows, None)
        if titles is None:
            raise UnreadableDocument("there are no titles", where=f"{label}line {self.settings.title_row}",
                                     fix="export the file with a row of titles")  # fmt: skip
        names = [str(cell) for cell in titles.cells]
        if any("\ud800" <= sign <= "\udfff" for sign in "".join(names)):
            raise UnreadableDocument(
                "the titles have bytes that are not of the file's encoding", where=f"{label}line {titles.number}",
                fix='say the encoding in the map, such as encoding = "cp1252", or save the file as UTF-8',
            )  # fmt: skip

        def place(row: int, at: int) -> str:
            title = names[at] if at < len(names) else f"number {at + 1}"
            return f'{label}line {row}, column "{title[:40]}"'

        return Sheet(names, rows, place)


class _Rows(Iterator[Row]):
    """The rows of a CSV text from the titles on, each with the number of its first line."""

    def __init__(self, text: io.TextIOWrapper, first: str, delimiter: str, number: int, label: str) -> None:
        self._label, self._before = label, number - 1
        self._rows = csv.reader(chain([first] if first else [], text), delimiter=delimiter, strict=True)

    def __next__(self) -> Row:
        number = self._before + self._rows.line_num + 1
        try:
            return Row(number, next(self._rows))
        except csv.Error as error:
            raise UnreadableDocument(
                f"the row is not CSV: {error}", where=f"{self._label}line {number}",
                fix='close each quote, and write a quote inside a text as ""',
            ) from error  # fmt: skip


def _encoding(stream: BinaryIO, told: str) -> str:
    """What the byte order mark says, else what the settings say. *stream* is where it was, or behind the mark."""
    head = stream.read(3)
    stream.seek(0)
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    return "utf-8-sig" if head == b"\xef\xbb\xbf" or told == "utf-8" else told


def _divider(titles: str) -> str:
    """The delimiter that stands most often in the titles, outside of quotes."""
    bare = "".join(titles.split('"')[::2])
    return max(_DELIMITERS, key=bare.count)


def has_titles(head: str) -> bool:
    """Whether the first line of *head* is the template's titles, or some of them."""
    from ._table_map import folded, template

    first = head.partition("\n")[0].removeprefix("\ufeff").strip()
    cells = {folded(cell.strip('"')) for cell in first.split(_divider(first))}
    return len(cells) > 1 and folded(next(iter(template().columns))) in cells


def template_file() -> bytes:
    """The template: the titles and one invoice, with a byte order mark, without which Excel takes UTF-8 for cp1252."""
    return sample().encode("utf-8-sig")


FORMAT, SETTINGS = CsvFormat, Table
