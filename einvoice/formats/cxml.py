"""cXML InvoiceDetailRequest: standard invoice, header and line-level credit and debit memo.

Amounts that credit the buyer are negative here (InvoiceDetail.dtd, first note); the model states them positive.
Element order and content follow InvoiceDetail.dtd 1.2.037, whose documents are valid under every later one.
Terms that cXML has no element for travel as Extrinsic with the names of ``_EXTRINSICS``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, BinaryIO, Literal

from ..config import Strict
from ..errors import Finding, UnreadableDocument
from ..exchange import SECRET_SLOT, Document, Environment, Identity, Read
from ..model import Identifier, Invoice, Party
from ..terms import at
from ..totals import completed_taxes
from ._cxml_answers import answers as answers
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
    """What becomes of the tax amounts that cXML demands of a line with several taxes and another syntax leaves out."""


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
            invoice, told = completed_taxes(invoice)
        purpose = purpose_of(invoice, settings.credit_style)
        body = shaped(invoice, purpose, _ids(settings.from_), _ids(settings.to))
        writer, _ = _table(settings.dtd_version)
        text, missing = writer(body, self._values(invoice, body, purpose, ids), "credit" in purpose.lower())
        losses = [*told, *absent(missing)]
        losses += [_unaddressed(side) for side in ("seller", "buyer") if not _network_ids(body, side)]
        if not any(map(_backed, [body, *body.lines])):
            losses.append(_NO_ORDER)
        losses += _unpriced_taxes(body)
        head = (
            '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE cXML SYSTEM '
            f'"http://xml.cxml.org/schemas/cXML/{settings.dtd_version}/InvoiceDetail.dtd">\n'
        )
        return Document(encode(head + text), "cxml", "text/xml; charset=UTF-8", f"{ids.payload_id}.xml", tuple(losses))

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
        return values | dict.fromkeys(_flags(body), "yes")

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        data = load(stream)
        root = parse(data, doctype=True)
        if root.tag != "cXML":
            raise UnreadableDocument(f"the root element is {root.tag!r}, not cXML", where="line 1", fix="send cXML")
        yield _table("1.2.071")[1].read(root, lambda: parse(data, doctype=True))


_NOBODY = Identifier()


def _ids(credentials: Sequence[Credential]) -> tuple[Identifier, ...]:
    return tuple(Identifier(scheme=one.domain, value=one.identity) for one in credentials)


def _network_ids(invoice: Invoice, side: str) -> tuple[Identifier, ...]:
    party: Party | None = getattr(invoice, side)
    return party.network_ids if party else ()


def _backed(part: Any) -> bool:
    """True when an order or a contract stands behind the invoice or the line."""
    order = getattr(part, "purchase_order", None) or getattr(part, "order", None)
    references = [ref for ref in (order, part.contract) if ref is not None]
    return any(reference.id or reference.payload_id for reference in references)


def _flags(body: Invoice) -> list[str]:
    found = {
        "isTaxInLine": any(tax.amount is not None for line in body.lines for tax in line.taxes),
        "isAccountingInLine": any(line.distributions for line in body.lines),
        "isPriceAdjustmentInLine": any(line.price_adjustment for line in body.lines),
    }
    return [flag for flag in LINE_FLAGS if found.get(flag)]


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


FORMAT, SETTINGS = CxmlFormat, Cxml
