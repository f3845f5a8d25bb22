"""Reading a document into the model against bare lxml, which parses it and judges it by the official schema.

Both sides take bytes, and ours also says what the document holds beyond the model.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from lxml import etree

from einvoice import artefacts, formats
from einvoice.errors import ConfigError
from einvoice.formats.cii import CiiFormat
from einvoice.model import Invoice

from . import content
from .formats import FORMATS, Row
from .formats import write as write_row
from .measure import Case
from .render import write_cxml, write_ubl
from .xsd import bare

SIZES = (20, 1000)
_LIMIT = "6"


def cases(sizes: Sequence[int] = SIZES) -> Iterator[Case]:
    """Each XML format at each size."""
    for lines in sizes:
        for name, id, write, network in _FORMATS:
            invoice = content.invoice(lines, network=network)
            yield case(f"{name} read / lxml parse + schema, {lines} lines", name.lower(), id, invoice, write)
        for row in FORMATS:
            if row.name in _SCHEMAS:
                yield again(row, lines)


def case(name: str, format: str, id: str, invoice: Invoice, write: Callable[[Any], bytes]) -> Case:
    """The case of *invoice* in *format*, or why there is none: no schema, or it is not read as it was written."""
    try:
        path = artefacts.find(id)
    except ConfigError as error:
        return Case(name, _LIMIT, why=error.message)
    if path is None:
        return Case(name, _LIMIT, why=f"the official files of {id} are not installed")
    schema: Any = etree.XMLSchema(file=str(path)) if path.suffix == ".xsd" else etree.DTD(file=str(path))
    data = write(invoice)
    peer = partial(bare, schema, data)
    if not peer():
        return Case(name, _LIMIT, why="the document is not valid")
    read = formats.get(format).read
    ours = partial(read_one, read, data)
    if ours().lines != invoice.lines:
        return Case(name, _LIMIT, why="the lines are not read as they were written")
    return Case(name, _LIMIT, ours, peer)


def again(row: Row, lines: int) -> Case:
    """The case of a format that does not carry all of the invoice: what it reads is measured as it writes it."""
    format = formats.get(row.name, **row.settings)
    carried = next(iter(format.read(io.BytesIO(write_row(format, content.invoice(lines)))))).invoice
    name = f"{row.label} read / lxml parse + schema, {lines} lines"
    return case(name, row.name, _SCHEMAS[row.name], carried, partial(write_row, format))


def read_one(read: Callable[[io.BytesIO], Iterator[Any]], data: bytes) -> Invoice:
    (one,) = read(io.BytesIO(data))
    invoice: Invoice = one.invoice
    return invoice


def write_cii(invoice: Invoice) -> bytes:
    return CiiFormat().write(invoice, content.IDS).data


_FORMATS: tuple[tuple[str, str, Callable[[Any], bytes], bool], ...] = (
    ("UBL", "ubl-2.1-invoice", write_ubl, False),
    ("CII", "cii-d16b", write_cii, False),
    ("cXML", "cxml-1.2.037-invoicedetail", write_cxml, True),
)
#: Official schemas of the formats that are measured by what of the invoice they carry.
_SCHEMAS = {
    "ebinterface": "ebinterface-6.1",
    "rosettanet": "rosettanet-3c3-11.04",
}  # fmt: skip
