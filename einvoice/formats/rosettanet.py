"""RosettaNet PIP 3C3 V11.04, Notify of Invoice: the service content. How it is packed (RNIF) is another layer.

A credit memo states positive amounts that its document type turns. PIP 3C4, Notify of Invoice Reject, is read as an
answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import Any, BinaryIO, Literal

from pydantic import Field

from ..codes import codes
from ..codes.crosswalks import crosswalk
from ..config import Strict
from ..errors import Finding, UnreadableDocument
from ..exchange import Answer, Document, Identity, Read
from ..model import CREDIT_TYPES, Invoice
from ._absent_lines import AbsentLines, supplied
from ._rosettanet_shape import Shaped
from ._rosettanet_table import CREDITS, NAMESPACE, PREFIXES, table
from ._xml import encode, load, parse
from ._xml_read import Context, TreeReader
from ._xml_write import Writer, absent, compile_writer

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_ROOT = f"{{{NAMESPACE}}}InvoiceNotification"
_REJECT = "{urn:rosettanet:specification:interchange:InvoiceRejectNotification:xsd:schema:02.03}"
_HEADER = f"{{{PREFIXES['ssdh']}}}"
#: Reasons of a rejection that partners use most, by the code list InvoiceRejection 01.05.
_REASONS = {
    "DPI": "duplicate invoice", "IPO": "invalid purchase order", "EIP": "returned for an invalid purchase order",
    "PNM": "purchase order number missing", "CNP": "currency not as in the purchase order",
    "QIE": "quantity exceeds the purchase order", "UCI": "unit cost incorrect", "UMI": "unit of measure incorrect",
    "ITA": "tax incorrect", "IVE": "invoice exceeds the value of the purchase order", "IMC": "remit-to missing",
    "IIN": "number of the credited invoice missing", "SNR": "shipment not received", "ESM": "sent to the wrong mailbox",
    "OTH": "other",
}  # fmt: skip


class Partner(Strict):
    """Who sends or receives: a DUNS number, one with four more signs, or a GLN."""

    kind: Literal["duns", "duns4", "gln"] = "duns"
    id: str
    name: str = ""


class RosettaNet(AbsentLines):
    """Settings of the RosettaNet format."""

    sender: Partner | None = None
    """Else the seller's DUNS or GLN of the invoice."""
    receiver: Partner | None = None
    units: dict[str, str] = Field(default_factory=dict)
    """The partner's UnitOfMeasure by Rec 20 code, before the crosswalk's own."""


@lru_cache(64)
def _writer(currency: str, credit: bool) -> Writer:
    return compile_writer(table(currency, credit))


@lru_cache(64)
def _reader(currency: str, credit: bool) -> TreeReader:
    return TreeReader(table(currency, credit), "rosettanet", _begin)


def _begin(context: Context) -> None:
    context.currency = _currency(context.element) or None


def _currency(root: Any) -> str:
    """The currency of the total, where ISO 4217 knows it."""
    at = root.find(f".//{{{NAMESPACE}}}TotalInvoiceAmount//{{{PREFIXES['ucr']}}}Currency")
    text = (at.text or "").strip() if at is not None else ""
    return text if text in codes("currencies", date.max) or text in codes("currencies", date.min) else ""


class RosettaNetFormat:
    """Reads and writes PIP 3C3; ``write`` raises UnreadableDocument when a text cannot stand in XML."""

    name = "rosettanet"

    def __init__(self, settings: RosettaNet | None = None) -> None:
        self.settings = settings or RosettaNet()
        self._units = crosswalk("rosettanet_units", tuple(self.settings.units.items()))

    def write(self, invoice: Invoice, ids: Identity) -> Document:
        invoice, told = supplied(invoice, self.settings)
        shaped = Shaped(invoice, self.settings, self._units)
        credit = invoice.type_code in CREDIT_TYPES
        text, missing = _writer(invoice.currency or "", credit)(shaped.body, shaped.meta, False)
        findings = [*told, *_absent(missing), *shaped.findings]
        if not invoice.currency:
            findings += absent(["BT-5"])
        if not invoice.lines:
            findings += absent(["BG-25"])
        data = encode(_DECLARATION + text)
        return Document(data, "rosettanet", "application/xml", f"{ids.payload_id}.xml", tuple(findings))

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        data = load(stream)
        root = parse(data)
        if root.tag != _ROOT:
            raise UnreadableDocument(f"the root element is {root.tag!r}, not InvoiceNotification 02.05", where="line 1",
                                     fix="send PIP 3C3 V11.04")  # fmt: skip
        kind = (root.findtext(f".//{{{PREFIXES['ddt']}}}DocumentType") or "").strip()
        read = _reader(_currency(root), kind in CREDITS).read(root, lambda: parse(data))
        yield replace(read, invoice=self._own_units(read.invoice))

    def _own_units(self, invoice: Invoice) -> Invoice:
        """Units as Rec 20 names them; one that the crosswalk lacks stays as it is."""
        lines = tuple(
            line.model_copy(update={"unit": self._units.back(line.unit) or line.unit}) if line.unit else line
            for line in invoice.lines
        )
        return invoice.model_copy(update={"lines": lines})


def _absent(missing: list[str]) -> tuple[Finding, ...]:
    return absent(dict.fromkeys("BT-131" if id_ == "EX-92" else id_ for id_ in missing))


def answers(data: bytes) -> Iterator[Answer]:
    """The rejection that a PIP 3C4 states; UnreadableDocument when it is none or names no invoice."""
    root = parse(data)
    if root.tag != f"{_REJECT}InvoiceRejectNotification":
        raise UnreadableDocument(f"{root.tag} is no InvoiceRejectNotification", fix="see the message in the inbox")

    def stated(path: str) -> str:
        return (root.findtext(path) or "").strip()

    asked = f"{_HEADER}DocumentHeader/{_HEADER}CorrelationInformation/{_HEADER}RequestingDocumentInformation"
    number = stated(f"{asked}/{_HEADER}RequestingDocumentInstanceIdentifier")
    if not number:
        raise UnreadableDocument("the rejection names no invoice", where="RequestingDocumentInstanceIdentifier",
                                 fix="ask the partner which invoice it means")  # fmt: skip
    code = next(((one.text or "").strip() for one in root.iter("{*}InvoiceRejection")), "")
    own = f"{_HEADER}DocumentHeader/{_HEADER}DocumentInformation/{_HEADER}DocumentIdentification/{_HEADER}Identifier"
    lines = [(one.text or "").strip() for one in root.iter(f"{_REJECT}LineNumber")]
    said = [_REASONS.get(code, ""), stated(f"{_REJECT}Invoice/{_REJECT}Comments")]
    said += [f"line {', '.join(lines)}"] if lines else []
    yield Answer(
        kind="rosettanet-3c4", code=code, meaning="rejected", remote_id=stated(own), number=number,
        issue_date=_day(stated(f"{asked}/{_HEADER}RequestingDocumentCreationDateTime")),
        text=" - ".join(part for part in said if part)[:500],
    )  # fmt: skip


def _day(text: str) -> date | None:
    match = re.match(r"\d{4}-\d{2}-\d{2}", text)
    try:
        return date.fromisoformat(match[0]) if match else None
    except ValueError:
        return None


FORMAT, SETTINGS = RosettaNetFormat, RosettaNet
