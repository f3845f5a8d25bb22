"""StatusUpdateRequest and PaymentRemittanceRequest: what the network and the buyer say of an invoice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from lxml import etree

from ..errors import UnreadableDocument
from ..exchange import Answer, Environment
from ._cxml_remittance import REQUEST as REMITTANCE
from ._cxml_remittance import remitted
from ._xml import parse

ORDER = "Request/OrderRequest"

#: InvoiceStatus type to meaning. Vendors extend the list; an unknown word is information, never a verdict.
_WORDS = {
    "processing": "processing",
    "reconciled": "accepted",
    "paying": "accepted",
    "paid": "paid",
    "rejected": "rejected",
    "canceled": "rejected",
    "failed": "rejected",
}
#: Status code to meaning, where no InvoiceStatus says more. 201 and 204: taken, not yet with the buyer.
_CODES = {"200": "delivered", "280": "delivered", "281": "delivered", "201": "received", "204": "received"}


def answers(data: bytes) -> Iterator[Answer]:
    """One Answer for the status in *data*, or one for each line of a remittance; none where it is an order.

    UnreadableDocument when it is another request, names no invoice, or states an amount that cannot be read.
    """
    root = parse(data, doctype=True)
    if root.find(ORDER) is not None:
        return
    if root.find(REMITTANCE) is not None:
        yield from remitted(root, environment_of(root))
        return
    update = root.find("Request/StatusUpdateRequest")
    if update is None:
        found = next((child.tag for child in root.iterfind("Request/*")), root.tag)
        raise UnreadableDocument(f"{found} is no StatusUpdateRequest", fix="see the message in the inbox")
    yield _answer(root, update)


def _answer(root: etree._Element, update: etree._Element) -> Answer:
    status, invoice = update.find("Status"), update.find("InvoiceStatus")
    code = status.get("code", "") if status is not None else ""
    word = (invoice.get("type") or "") if invoice is not None else _document_word(update)
    info = update.find("InvoiceStatus/InvoiceIDInfo")
    reference = update.find("DocumentReference")
    payload_id = (reference.get("payloadID") or "") if reference is not None else ""
    number = (info.get("invoiceID") or "") if info is not None else ""
    if not payload_id and not number:
        raise UnreadableDocument("the status names neither a payloadID nor an invoice", where="StatusUpdateRequest",
                                 fix="ask the network which document it meant")  # fmt: skip
    return Answer(
        kind="cxml-status",
        code=word or code,
        meaning=_meaning(code, word, update),
        remote_id=root.get("payloadID") or "",
        payload_id=payload_id,
        number=number,
        issue_date=_day(info.get("invoiceDate")) if info is not None else None,
        environment=environment_of(root),
        text=_text(status, invoice),
    )


def _document_word(update: etree._Element) -> str:
    found = update.find("DocumentStatus")
    return (found.get("type") or "") if found is not None else ""


def _meaning(code: str, word: str, update: etree._Element) -> str:
    if code[:1] in ("4", "5"):
        return "rejected"
    if word:
        partly = word == "paid" and update.find("InvoiceStatus/PartialAmount") is not None
        return "part-paid" if partly else _WORDS.get(word.lower(), "info")
    return _CODES.get(code, "info")


def environment_of(root: etree._Element) -> Environment | None:
    """What ``deploymentMode`` says, production where it says nothing; None for a word that is neither."""
    request = root.find("Request")
    mode = request.get("deploymentMode") if request is not None else None
    return {"test": Environment.TEST, "production": Environment.PRODUCTION}.get(mode or "production")


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat((text or "")[:10])
    except ValueError:
        return None


def _text(status: etree._Element | None, invoice: etree._Element | None) -> str:
    parts = []
    if status is not None:
        parts += [status.get("text") or "", (status.text or "").strip()]
    if invoice is not None:
        parts += ["".join(map(str, node.itertext())).strip() for node in invoice.iterfind("Comments")]
    return " ".join(part for part in parts if part)[:500]
