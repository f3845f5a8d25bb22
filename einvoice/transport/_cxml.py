"""What the transport knows of cXML: the place of the secret, the Status of an answer, the requests of its own.

The business document inside Request is not looked at.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from ..errors import ConfigError
from ..exchange import SECRET_SLOT, Environment

MEDIA_TYPE: Final = "text/xml; charset=UTF-8"

_SLOT = SECRET_SLOT.encode()
_PLACE = b"<SharedSecret>" + _SLOT + b"</SharedSecret>"
_REQUEST = re.compile(rb"<Request(?=[\s>/])[^>]*>")
_NAME = re.compile(rb"\s*<([A-Za-z][A-Za-z0-9]*)")
_MODE = re.compile(rb"""\bdeploymentMode\s*=\s*["']([a-z]+)["']""")


# -- going out


def request_name(data: bytes) -> str:
    """The request a cXML message makes: ``InvoiceDetailRequest``. Empty when it makes none."""
    request = _REQUEST.search(data)
    name = _NAME.match(data, request.end()) if request else None
    return name.group(1).decode() if name else ""


def check_outgoing(data: bytes, *, secret: bool, environment: Environment, where: str) -> None:
    """ConfigError unless it is a Request of *environment* with a place for the secret exactly when there is one.

    The place counts only before ``<Request``: what a document says can never become a place, because a header that
    holds anything but one well-formed place is refused.
    """
    request = _REQUEST.search(data)
    if not request:
        raise ConfigError("not a cXML message with a Request", where=where, fix="use a cXML format with this transport")
    head = data[: request.start()]
    if head.count(_SLOT) != secret or head.count(_PLACE) != secret:
        wanted = "exactly one place for the shared secret" if secret else "no place for a shared secret"
        fix = "name the profile's secret in format and transport alike, or in neither"
        raise ConfigError(f"the header must hold {wanted}, it holds {head.count(_SLOT)}", where=where, fix=fix)
    mode = _MODE.search(request.group())
    said = mode.group(1).decode() if mode else "production"  # the DTD's default
    if said != environment.value:
        raise ConfigError(
            f"deploymentMode is {said} on a channel for {environment}", where=where, fix="render it again"
        )


def fill(data: bytes, secret: str | None) -> bytes:
    """The message as it leaves: the secret in its place. ``check_outgoing`` came before."""
    if secret is None:
        return data
    if not secret or not secret.isprintable():
        raise ConfigError("the shared secret is empty or holds control characters", fix="see what its reference names")
    return data.replace(_PLACE, b"<SharedSecret>" + escape(secret).encode() + b"</SharedSecret>", 1)


def redact(data: bytes, secret: str | None) -> bytes:
    """*data* with every spelling of *secret* replaced by the slot, a start of it at a cut end included."""
    if not secret:
        return data
    spellings = {secret, escape(secret), escape(secret, {'"': "&quot;", "'": "&apos;"}), quote(secret, safe="")}
    spellings |= {json.dumps(secret)[1:-1], "".join(f"&#{ord(letter)};" for letter in secret)}
    forms = {text.encode(code) for text in spellings for code in ("utf-8", "utf-16-le", "utf-16-be")}
    forms.add(base64.b64encode(secret.encode()).rstrip(b"="))
    for form in sorted(forms, key=len, reverse=True):
        data = data.replace(form, _SLOT)
    for size in range(len(secret) - 1, 3, -1):
        if data.endswith(secret[:size].encode()):
            return data[:-size] + _SLOT
    return data


@dataclass(frozen=True, slots=True)
class Party:
    """A cXML Credential without its secret."""

    domain: str
    identity: str

    def xml(self, secret: str = "") -> str:
        inner = f"<Identity>{escape(self.identity)}</Identity>{secret}"
        return f"<Credential domain={quoteattr(self.domain)}>{inner}</Credential>"


@dataclass(frozen=True, slots=True)
class Header:
    """Who asks: the header of the transport's own requests."""

    sides: tuple[Party, Party, Party]
    """From, To, Sender."""
    user_agent: str
    version: str
    environment: Environment


def own_request(header: Header, body: str, at: datetime, *, secret: bool) -> bytes:
    """A request of the transport's own, without side effects at the partner, as the bytes of a whole message.

    *body* is XML written here; every value of settings is escaped.
    """
    place = _PLACE.decode() if secret else ""
    stem = hashlib.sha256(f"{header}{body}".encode()).hexdigest()[:16]
    payload_id = f"{at:%Y%m%d%H%M%S%f}.{stem}@einvoice"
    own, partner, sender = header.sides
    kind = f"http://xml.cxml.org/schemas/cXML/{header.version}/cXML.dtd"
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<!DOCTYPE cXML SYSTEM {quoteattr(kind)}>\n"
        f'<cXML payloadID="{payload_id}" timestamp="{at.isoformat(timespec="seconds")}" '
        f'version={quoteattr(header.version)} xml:lang="en">'
        f"<Header><From>{own.xml()}</From><To>{partner.xml()}</To>"
        f"<Sender>{sender.xml(place)}<UserAgent>{escape(header.user_agent)}</UserAgent></Sender></Header>"
        f'<Request deploymentMode="{header.environment.value}">{body}</Request></cXML>'
    ).encode()


def pending(kinds: tuple[str, ...], since: str) -> str:
    """A GetPendingRequest for messages of *kinds*. *since* acknowledges all that bore a timestamp up to it."""
    last = f" lastReceivedTimestamp={quoteattr(since)}" if since else ""
    rows = "".join(f"<MessageType>{escape(kind)}</MessageType>" for kind in kinds)
    return f"<GetPendingRequest{last}>{rows}</GetPendingRequest>"


# -- coming in


class Unreadable(Exception):
    """Bytes that are not one whole, harmless cXML message; says why."""


def parse(data: bytes) -> etree._Element:
    """The root of a whole cXML message. Unreadable: empty, not well-formed, declaring entities, not cXML.

    No DTD is loaded, no entity resolved, nothing fetched; ``</cXML>`` is there because the XML is well-formed.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        line = f" at line {error.lineno}" if isinstance(error, etree.XMLSyntaxError) and error.lineno else ""
        raise Unreadable(f"not well-formed XML{line}" if data.strip() else "empty") from error
    declared: Any = root.getroottree().docinfo.internalDTD  # the stubs know nothing of what a DTD holds
    if declared is not None and any(True for _ in declared.iterentities()):
        raise Unreadable("declares entities")
    if root.tag != "cXML":
        raise Unreadable(f"the root element is {str(root.tag)[:40]!r}, not cXML")
    return root


@dataclass(frozen=True, slots=True)
class Status:
    """Response/Status of an answer: its code, its words, the answer's own payloadID, all as the partner wrote them."""

    code: int
    text: str
    payload_id: str


def status(root: etree._Element) -> Status:
    """The Status of a Response. Unreadable when there is none or its code is not a number of three digits."""
    found = root.find("Response/Status")
    if found is None:
        raise Unreadable("a cXML message without Response/Status")
    code = str(found.get("code", "")).strip()
    if not re.fullmatch(r"[1-9][0-9][0-9]", code):
        raise Unreadable(f"Status code {code[:20]!r} is not a number of three digits")
    words = [found.get("text", ""), "".join(str(part) for part in found.itertext())]
    text = ": ".join(" ".join(part.split()) for part in words if part.strip())
    return Status(int(code), text, str(root.get("payloadID", "")))


def line(text: str, secret: str | None = None, limit: int = 500) -> str:
    """*text* as one printable line of at most *limit* characters and without *secret*, for messages."""
    safe = redact(text.encode("utf-8", "replace"), secret).decode("utf-8", "replace")
    shown = "".join(letter if letter.isprintable() else " " for letter in safe)
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def transactions(root: etree._Element) -> dict[str, str]:
    """request name: URL, as a ProfileResponse lists them."""
    rows = root.iterfind("Response/ProfileResponse/Transaction")
    return {str(row.get("requestName", "")): (row.findtext("URL") or "").strip() for row in rows}


def digest(data: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def embedded(data: bytes) -> Iterator[tuple[str, str, bytes]]:
    """(payloadID, timestamp, bytes) of each cXML message inside a GetPendingResponse.

    The bytes are those of *data*, as UTF-8. Unreadable: as ``parse``, which comes first and keeps entities out.
    """
    root = parse(data)
    if (root.getroottree().docinfo.encoding or "UTF-8").upper() not in ("UTF-8", "US-ASCII"):
        data = etree.tostring(root, encoding="UTF-8")
    found: list[tuple[str, str, bytes]] = []
    path: list[str] = []
    begun: list[tuple[int, dict[str, str]]] = []
    reader = expat.ParserCreate()

    def start(name: str, attributes: dict[str, str]) -> None:
        if name == "cXML" and path == ["cXML", "Response", "GetPendingResponse"]:
            begun.append((reader.CurrentByteIndex, attributes))
        path.append(name)

    def end(name: str) -> None:
        path.pop()
        if name == "cXML" and path == ["cXML", "Response", "GetPendingResponse"]:
            first, attributes = begun.pop()
            message = data[first : data.index(b">", reader.CurrentByteIndex) + 1]
            found.append((attributes.get("payloadID", ""), attributes.get("timestamp", ""), message))

    reader.StartElementHandler, reader.EndElementHandler = start, end
    reader.Parse(data, True)
    yield from found
