"""cXML InvoiceDetailRequest: standard invoice, header and line-level credit and debit memo.

Amounts that credit the buyer are negative here (InvoiceDetail.dtd, first note); the model states them positive.
Element order and content follow InvoiceDetail.dtd 1.2.037, whose documents are valid under every later one.
Terms that cXML has no element for travel as Extrinsic with the names of ``_EXTRINSICS``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, BinaryIO, Literal
from urllib.parse import unquote

from ..config import Strict
from ..errors import Finding, UnreadableDocument
from ..exchange import SECRET_SLOT, Document, Environment, Identity, Read
from ..model import Attachment, Identifier, Invoice, Party
from ..terms import at
from ..totals import completed, completed_taxes
from . import _mime
from ._cxml_answers import answers as answers
from ._cxml_orders import orders as orders
from ._cxml_shape import HOOKS, purpose_of, shaped
from ._cxml_table import LINE_FLAGS, table
from ._xml import encode, load, parse
from ._xml_read import Context, TreeReader
from ._xml_write import Writer, absent, compile_writer


class Credential(Strict):
    """A name in the header: ``domain`` is NetworkID, DUNS, VendorID ..."""

    domain: str = "NetworkID"
    identity: str


class Cxml(Strict):
    """Settings of the cXML format."""

    dtd_version: str = "1.2.037"
    """The cXML version stated; from 1.2.048 on the due date has an element of its own."""
    credit_style: Literal["auto", "header", "line"] = "auto"
    """auto: line-level credit where the credit note names its invoice and its lines have quantities, else header."""
    from_: tuple[Credential, ...] = ()
    """Replaces the seller's network ids of the invoice."""
    to: tuple[Credential, ...] = ()
    sender: Credential | None = None
    user_agent: str = "einvoice"
    absent_totals: Literal["refuse", "compute"] = "refuse"
    """What becomes of a total, and of the tax amounts of a line with several taxes, that cXML demands and the invoice
    leaves out: other syntaxes state fewer."""
    attachments: Literal["mime", "leave_out"] = "mime"
    """Supporting documents with content (BT-125) travel as MIME parts beside the cXML or stay behind, which is said."""


@cache
def _table(version: str) -> tuple[Writer, TreeReader]:
    rows = table(tuple(int(part) for part in version.split(".")))
    return compile_writer(rows), TreeReader(rows, "cxml", _begin)


def _begin(context: Context) -> None:
    """Currency and sign stand in the summary: a credit memo states what it credits as negative."""
    summary = context.element.find("Request/InvoiceDetailRequest/InvoiceDetailSummary")
    header = context.element.find("Request/InvoiceDetailRequest/InvoiceDetailRequestHeader")
    if summary is None or header is None:
        raise UnreadableDocument("no InvoiceDetailRequest with header and summary in this cXML document",
                                 where="line 1", fix="send an InvoiceDetailRequest")  # fmt: skip
    money = [node for node in summary.iter("Money") if node.get("currency")]
    context.currency = money[0].get("currency") if money else None
    credits = "credit" in (header.get("purpose") or "").lower()
    stated = [(summary.findtext(f"{name}/Money") or "").strip() for name in ("NetAmount", "SubtotalAmount")]
    negative = [text.startswith("-") for text in stated if text.strip("+-0.")]
    context.negate = credits and (any(negative) or not negative)


class CxmlFormat:
    """Reads and writes cXML InvoiceDetailRequest. The shared secret is never in the bytes: see ``SECRET_SLOT``."""

    name = "cxml"

    def __init__(self, settings: Cxml | None = None) -> None:
        self.settings = settings or Cxml()

    def write(self, invoice: Invoice, ids: Identity) -> Document:
        """The whole cXML document. Its ``losses`` name required terms that are absent."""
        settings = self.settings
        told: list[Finding] = []
        if settings.absent_totals == "compute":
            invoice, told = completed(invoice)
            invoice, of_lines = completed_taxes(invoice)
            told += of_lines
        purpose = purpose_of(invoice, settings.credit_style)
        beside = _beside(invoice, ids) if settings.attachments == "mime" else []
        body = shaped(_referring(invoice, beside), purpose, _ids(settings.from_), _ids(settings.to))
        writer, _ = _table(settings.dtd_version)
        text, missing = writer(body, self._values(invoice, body, purpose, ids), "credit" in purpose.lower())
        losses = [*told, *absent(missing)]
        losses += [_unaddressed(side) for side in ("seller", "buyer") if not _network_ids(body, side)]
        if not _backed(body) and not any(map(_backed, body.lines)):
            losses.append(_NO_ORDER)
        losses += _unpriced_taxes(body)
        head = (
            '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE cXML SYSTEM '
            f'"http://xml.cxml.org/schemas/cXML/{settings.dtd_version}/InvoiceDetail.dtd">\n'
        )
        data, media_type = encode(head + text), _XML
        if beside:
            data, media_type = _mime.join([_mime.Part(data, _XML, id=f"cxml.{ids.payload_id}"), *beside])
        return Document(data, "cxml", media_type, f"{ids.payload_id}.{'mime' if beside else 'xml'}", tuple(losses))

    def _values(self, invoice: Invoice, body: Invoice, purpose: str, ids: Identity) -> dict[str, str]:
        settings = self.settings
        sender = settings.sender or (settings.from_[0] if settings.from_ else None)
        fallback = next(iter(_network_ids(body, "seller")), _NOBODY)
        values = {
            "payload_id": ids.payload_id,
            "timestamp": ids.at.isoformat(timespec="seconds"),
            "version": settings.dtd_version,
            "sender_domain": sender.domain if sender else fallback.scheme or "",
            "sender": sender.identity if sender else fallback.value or "",
            "secret": SECRET_SLOT,
            "user_agent": settings.user_agent,
            "deployment_mode": "production" if ids.environment is Environment.PRODUCTION else "test",
            "purpose": purpose,
        }
        if invoice.type_code not in (None, "380", "381", "383"):
            values["type_code"] = invoice.type_code or ""
        if notes := "\n\n".join(note.text for note in invoice.notes if note.text):
            values["comments"] = notes
        values.update(dict.fromkeys(_flags(body), "yes"))
        return values

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        parts = _parts(load(stream))
        data = parts[0].data
        root = parse(data, doctype=True)
        if root.tag != "cXML":
            raise UnreadableDocument(f"the root element is {root.tag!r}, not cXML", where="line 1", fix="send cXML")
        yield _joined(_table("1.2.071")[1].read(root, lambda: parse(data, doctype=True)), parts[1:])


# --- attachments ------------------------------------------------------------------------------------------------------

_XML = "text/xml; charset=UTF-8"


def xml_of(data: bytes) -> bytes:
    """The cXML in *data*: the whole, or the first part where supporting documents travel beside it."""
    return _parts(data)[0].data


def _parts(data: bytes) -> list[_mime.Part]:
    return _mime.split(data) if _mime.is_multipart(data) else [_mime.Part(data, _XML)]


def _beside(invoice: Invoice, ids: Identity) -> list[_mime.Part]:
    """The parts of the supporting documents that have content, each under a Content-ID of its own."""
    return [
        _mime.Part(
            one.content,
            one.mime or "application/octet-stream",
            id=one.content_id or f"{number}.{ids.payload_id}",
            filename=one.filename or "",
        )
        for number, one in enumerate(invoice.attachments, 1)
        if one.content is not None
    ]


def _referring(invoice: Invoice, beside: Sequence[_mime.Part]) -> Invoice:
    """*invoice* with the URL of a part in place of each content (cXML guide: ``cid:`` and the Content-ID)."""
    if not beside:
        return invoice
    parts = iter(beside)
    attachments = tuple(
        one.model_copy(update={"uri": f"cid:{next(parts).id}"}) if one.content is not None else one
        for one in invoice.attachments
    )
    return invoice.model_copy(update={"attachments": attachments})


def _joined(read: Read, parts: Sequence[_mime.Part]) -> Read:
    """*read* with the contents that travelled beside it; a reference to a part that is not there is a finding."""
    known = {part.id: part for part in parts}
    found: list[Attachment] = []
    lost: list[Finding] = []
    for number, one in enumerate(read.invoice.attachments):
        id_ = unquote((one.uri or "").removeprefix("cid:"))
        if not (one.uri or "").startswith("cid:"):
            found.append(one)
        elif id_ in known:
            found.append(_filled(one, known[id_]))
        else:
            found.append(one)
            lost.append(Finding("EINV-CXML-04", f"the message has no part {id_[:80]!r}, to which an attachment refers",
                                term="BT-125", path=f"$.attachments[{number}].uri", found=one.uri or "",
                                fix="send the message again with its attachments"))  # fmt: skip
    if tuple(found) == read.invoice.attachments and not lost:
        return read
    invoice = read.invoice.model_copy(update={"attachments": tuple(found)})
    return replace(read, invoice=invoice, findings=(*read.findings, *lost))


def _filled(one: Attachment, part: _mime.Part) -> Attachment:
    content = {"content": part.data, "mime": part.media_type.partition(";")[0].strip(), "uri": None}
    return one.model_copy(update=content | {"filename": one.filename or part.filename or None})


_NOBODY = Identifier()


def _ids(credentials: Sequence[Credential]) -> tuple[Identifier, ...]:
    return tuple(Identifier(scheme=one.domain, value=one.identity) for one in credentials)


def _network_ids(invoice: Invoice, side: str) -> tuple[Identifier, ...]:
    party: Party | None = getattr(invoice, side)
    return party.network_ids if party else ()


def _backed(part: Any) -> bool:
    """True when an order or a contract stands behind the invoice or the line."""
    order = getattr(part, "purchase_order", None) or getattr(part, "order", None)
    return any(ref is not None and (ref.id or ref.payload_id) for ref in (order, part.contract))


def _flags(body: Invoice) -> list[str]:
    found = set()
    for line in body.lines:
        if line.taxes and any(tax.amount is not None for tax in line.taxes):
            found.add("isTaxInLine")
        if line.distributions:
            found.add("isAccountingInLine")
        if line.price_adjustment:
            found.add("isPriceAdjustmentInLine")
    return [flag for flag in LINE_FLAGS if flag in found]


_NO_ORDER = Finding(
    "EINV-CXML-01", "the network takes no invoice without an order or contract", term="BT-13",
    path="$.purchase_order.id", fix="state the purchase order (BT-13) or the contract (BT-12) in the source",
)  # fmt: skip


def _unaddressed(side: str) -> Finding:
    return Finding(
        "EINV-CXML-02", f"no network id of the {side}", path=f"$.{side}.network_ids",
        fix="name it in the profile (format.from_, format.to) or in the invoice",
    )  # fmt: skip


def _unpriced_taxes(body: Invoice) -> Iterator[Finding]:
    """Of lines that state tax amounts, those the DTD wants and the invoice lacks: a zero would stand in their place."""
    for number, line in enumerate(body.lines):
        if not HOOKS["taxed_in_line"](line, body):
            continue
        absences = ["tax_amount"] if line.tax_amount is None else []
        absences += [f"taxes[{index}].amount" for index, tax in enumerate(line.taxes) if tax.amount is None]
        for path in absences:
            yield Finding(
                "EINV-CXML-03", "a line with a tax amount must state every one, and their total",
                term=at("lines[]." + re.sub(r"\d+", "", path)).id,
                path=f"$.lines[{number}].{path}", fix="state the amount of each tax of the line, or of none",
            )  # fmt: skip


#: What an InvoiceDetailRequest states of an order beside its number, and may take from it.
ORDER_TERMS = ("EX-12", "EX-13", "EX-83", "EX-84")
FORMAT, SETTINGS = CxmlFormat, Cxml
