"""ebInterface 6.1 (Austria): written; 6.0, which lacks items below the line and nothing else, is read as well.

Amounts of a credit memo are positive, as in the model. A supplier of the Austrian federation states the order
(BT-13) and the supplier number (EX-1043).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, BinaryIO, Literal

from ..errors import UnreadableDocument
from ..exchange import Document, Identity, Read
from ..model import Invoice
from ._absent_lines import AbsentLines, supplied
from ._ebinterface_shape import Shaped
from ._ebinterface_table import NAMESPACE, table
from ._xml import encode, load, parse
from ._xml_read import Context, TreeReader
from ._xml_write import Writer, absent, compile_writer

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_EARLIER = "http://www.ebinterface.at/schema/6p0/"
_EARLIER_DECLARED = re.compile(rf"""(["']){re.escape(_EARLIER)}\1""".encode())


class EbInterface(AbsentLines):
    """Settings of the ebInterface format."""

    generating_system: str = "einvoice"
    """GeneratingSystem of the root element."""
    absent_day: Literal["refuse", "issue_date"] = "refuse"
    """What becomes of a delivery to an address, or by a despatch advice, without a day or period."""
    long_text: Literal["refuse", "cut"] = "refuse"
    """What becomes of the name of an account or bank that its element cannot hold. Cutting it loses its end; that is
    reported. Numbers and references are never cut."""


@cache
def _writer() -> Writer:
    return compile_writer(table())


@cache
def _reader() -> TreeReader:
    return TreeReader(table(), "ebinterface", _begin)


def _begin(context: Context) -> None:
    context.currency = context.element.get("InvoiceCurrency")


class EbInterfaceFormat:
    """Reads and writes ebInterface; ``write`` raises UnreadableDocument when a text cannot stand in XML."""

    name = "ebinterface"

    def __init__(self, settings: EbInterface | None = None) -> None:
        self.settings = settings or EbInterface()

    def write(self, invoice: Invoice, ids: Identity) -> Document:
        invoice, told = supplied(invoice, self.settings)
        shaped = Shaped(invoice, self.settings)
        text, missing = _writer()(shaped.body, shaped.meta, False)
        findings = [*told, *absent(dict.fromkeys(missing)), *shaped.findings]
        if not invoice.lines:
            findings += absent(["BG-25"])
        data = encode(_DECLARATION + text)
        return Document(data, "ebinterface", "application/xml", f"{ids.payload_id}.xml", tuple(findings))

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        data = load(stream)
        yield _reader().read(_root(data), lambda: _root(data))


def _root(data: bytes) -> Any:
    """The root as of 6.1; UnreadableDocument for another document."""
    root = parse(data)
    if root.tag == f"{{{_EARLIER}}}Invoice":
        root = parse(_EARLIER_DECLARED.sub(f'"{NAMESPACE}"'.encode(), data, count=1))
    if root.tag != f"{{{NAMESPACE}}}Invoice":
        raise UnreadableDocument(f"the root element is {root.tag!r}, not ebInterface 6.1 or 6.0", where="line 1",
                                 fix="send ebInterface 6.1")  # fmt: skip
    return root


FORMAT, SETTINGS = EbInterfaceFormat, EbInterface
