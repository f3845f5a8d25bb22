"""What others say of our invoices in XML: UBL ApplicationResponse (Peppol) and UN/CEFACT CDAR (France).

Peppol Invoice Response 3.0 (T111) names the invoice, Message Level Status 1.0 and Message Level Response 3.0 the
envelope it travelled in (the InstanceIdentifier of its SBDH), which is the identity of our transmission. The French
life-cycle message ("cycle de vie", CDV) names the invoice by number and date.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from lxml import etree

from ..errors import UnreadableDocument
from ..exchange import Answer
from ._xml import parse

_UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
_RESPONSE = f"{{{_UBL}ApplicationResponse-2}}ApplicationResponse"
_CDAR = (
    "{urn:un:unece:uncefact:data:standard:CrossDomainAcknowledgementAndResponse:100}"
    "CrossDomainAcknowledgementAndResponse"
)
_NAMES = {
    "cac": f"{_UBL}CommonAggregateComponents-2",
    "cbc": f"{_UBL}CommonBasicComponents-2",
    "rsm": _CDAR[1:].partition("}")[0],
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "qdt": "urn:un:unece:uncefact:data:standard:QualifiedDataType:100",
}
#: UNCL4343 as the Invoice Response uses it: status of an invoice at the buyer.
_INVOICE = {
    "AB": "received",
    "IP": "processing",
    "UQ": "query",
    "CA": "accepted",
    "RE": "rejected",
    "AP": "accepted",
    "PD": "paid",
}
#: The same codes about a message on its way: AP delivered with proof, AB handed on without, RE refused.
_MESSAGE = {"AP": "delivered", "AB": "received", "RE": "rejected"}
#: Clarification code of a payment that covers a part (OPStatusReason).
_PARTLY = "PPD"
#: MDT-105 of the French life-cycle message. Codes that are not here are information, never a verdict.
_FRENCH = {
    "200": "received",
    "201": "received",
    "202": "delivered",
    "203": "delivered",
    "204": "processing",
    "205": "accepted",
    "206": "query",
    "207": "query",
    "208": "query",
    "209": "processing",
    "210": "rejected",
    "211": "accepted",
    "212": "paid",
    "213": "rejected",
    "221": "rejected",
    "501": "rejected",
}


def answers(data: bytes) -> Iterator[Answer]:
    """One Answer for each document that *data* speaks of; UnreadableDocument when it is no such message."""
    root = parse(data)
    if root.tag == _RESPONSE:
        yield from _responses(root)
    elif root.tag == _CDAR:
        yield from _life_cycle(root)
    else:
        raise UnreadableDocument(f"{root.tag} is neither an ApplicationResponse nor a life-cycle message",
                                 fix="see the message in the inbox")  # fmt: skip


def _responses(root: etree._Element) -> Iterator[Answer]:
    message = _text(root, "cbc:ID")
    about_invoice = "invoice_response" in _text(root, "cbc:CustomizationID")
    kind, words = ("invoice-response", _INVOICE) if about_invoice else ("message-status", _MESSAGE)
    found = root.findall("cac:DocumentResponse", _NAMES)
    if not found:
        raise UnreadableDocument("the response speaks of no document", where="ApplicationResponse",
                                 fix="ask the sender which document it meant")  # fmt: skip
    for response in found:
        code = _text(response, "cac:Response/cbc:ResponseCode")
        reasons = [_text(status, "cbc:StatusReasonCode") for status in _statuses(response)]
        meaning = words.get(code, "info")
        yield Answer(
            kind=kind,
            code=code,
            meaning="part-paid" if meaning == "paid" and _PARTLY in reasons else meaning,
            remote_id=message,
            text=_said(response),
            **_meant(response, about_invoice),
        )


def _meant(response: etree._Element, about_invoice: bool) -> Mapping[str, Any]:
    """The document by its number, and its date where that is stated, or the envelope."""
    number = _text(response, "cac:DocumentReference/cbc:ID")
    if not number:
        raise UnreadableDocument("the response names no document", where=f"line {response.sourceline}",
                                 fix="ask the sender which document it meant")  # fmt: skip
    if not about_invoice:
        return {"payload_id": number}
    day = _text(response, "cac:DocumentReference/cbc:IssueDate").replace("-", "")
    return {"number": number, "issue_date": _day(day)}


def _statuses(response: etree._Element) -> list[etree._Element]:
    whole, lines = "cac:Response/cac:Status", "cac:LineResponse/cac:Response/cac:Status"
    return [*response.findall(whole, _NAMES), *response.findall(lines, _NAMES)]


def _said(response: etree._Element) -> str:
    parts = [_text(response, "cac:Response/cbc:Description")]
    for line in response.findall("cac:LineResponse/cac:Response/cbc:Description", _NAMES):
        parts.append((line.text or "").strip())
    for status in _statuses(response):
        parts += [_text(status, "cbc:StatusReasonCode"), _text(status, "cbc:StatusReason")]
        for condition in status.findall("cac:Condition", _NAMES):
            parts += [_text(condition, "cbc:AttributeID"), _text(condition, "cbc:Description")]
    return " ".join(filter(None, parts))[:500]


def _life_cycle(root: etree._Element) -> Iterator[Answer]:
    message = _text(root, "rsm:ExchangedDocument/ram:ID")
    found = root.findall("rsm:AcknowledgementDocument/ram:ReferenceReferencedDocument", _NAMES)
    if not found:
        raise UnreadableDocument("the life-cycle message speaks of no document", where="ReferenceReferencedDocument",
                                 fix="ask the platform which document it meant")  # fmt: skip
    for document in found:
        number, code = _text(document, "ram:IssuerAssignedID"), _text(document, "ram:ProcessConditionCode")
        if not number:
            raise UnreadableDocument("the life-cycle message names no document", where=f"line {document.sourceline}",
                                     fix="ask the platform which document it meant")  # fmt: skip
        yield Answer(
            kind="cdv",
            code=code,
            meaning=_FRENCH.get(code, "info"),
            remote_id=message,
            number=number,
            issue_date=_day(_text(document, "ram:FormattedIssueDateTime/qdt:DateTimeString")),
            text=_reasons(document),
        )


def _reasons(document: etree._Element) -> str:
    parts = [_text(document, "ram:ProcessCondition")]
    names = ("ram:ReasonCode", "ram:Reason", "ram:RequestedActionCode", "ram:RequestedAction")
    for status in document.findall("ram:SpecifiedDocumentStatus", _NAMES):
        parts += [_text(status, name) for name in names]
        for value in status.findall("ram:SpecifiedDocumentCharacteristic/ram:ValueAmount", _NAMES):
            parts.append(f"{(value.text or '').strip()} {value.get('currencyID', '')}".strip())
    return " ".join(filter(None, parts))[:500]


def _day(text: str) -> date | None:
    """A date of format 102; None where it is none, so that the number alone decides."""
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return None


def _text(element: etree._Element, path: str) -> str:
    return (element.findtext(path, "", _NAMES) or "").strip()
