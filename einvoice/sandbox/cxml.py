"""cXML as the network sees it: requests read with libxml2 and no trust, answers written as escaped text.

This is the sandbox's own reading. It shares nothing with the engine, so a mistake there cannot hide here.
"""

from __future__ import annotations

import html
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from lxml import etree

_SECRET = re.compile(rb"(<SharedSecret[^>]*>)[^<]*(</SharedSecret>)")
#: A DOCTYPE with an internal subset, in any encoding below, which all spell it in ASCII.
_SUBSET = re.compile(rb"""<!DOCTYPE[^>\["']*(?:"[^"]*"[^>\["']*|'[^']*'[^>\["']*)*\[""")
_ENCODINGS = {"UTF-8", "US-ASCII", "ASCII", "ISO-8859-1"}
_INVALID = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DOCTYPE = '<!DOCTYPE cXML SYSTEM "http://xml.cxml.org/schemas/cXML/1.2.071/{}.dtd">\n'
_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d:\d\d)(\.\d{1,6})?\d*(Z|[+-]\d\d:\d\d)?)?")


@dataclass(frozen=True, slots=True)
class Status:
    """A cXML Status: code, its short text, and what a person needs to know."""

    code: int
    text: str
    detail: str = ""

    @property
    def good(self) -> bool:
        return 200 <= self.code < 300


@dataclass(frozen=True, slots=True)
class Party:
    """Credentials of From, To or Sender, by domain; ``secret`` only where one was given."""

    identities: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    secret: str | None = field(default=None, repr=False)

    @property
    def network_id(self) -> str:
        return next(iter(self.identities.get("networkid", ())), "")


@dataclass(frozen=True, slots=True)
class Message:
    """One well-formed request. ``kind`` is the element inside Request; ``attachments`` bytes by Content-ID."""

    root: etree._Element
    kind: str
    payload_id: str
    sender: Party
    supplier: Party
    buyer: Party
    deployment_mode: str
    attachments: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def request(self) -> etree._Element | None:
        """The element inside Request."""
        return self.root.find("Request/*")


def parse(data: bytes, attachments: Mapping[str, bytes] | None = None) -> Message | Status:
    """*data* as a Message, or the 406 that says why not. No DTD is loaded, no entity resolved, nothing fetched."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        return Status(406, "Not Acceptable", f"not well-formed XML: {error}")
    if (root.getroottree().docinfo.encoding or "UTF-8").upper() not in _ENCODINGS:
        return Status(406, "Not Acceptable", "the encoding is not UTF-8")
    if _SUBSET.search(data[: data.find(b"<cXML")]):
        return Status(406, "Not Acceptable", "a DOCTYPE may name the DTD and nothing else: entities are refused")
    if root.tag != "cXML":
        return Status(406, "Not Acceptable", f"the root element is {root.tag}, not cXML")
    if not root.get("payloadID", "").strip():
        return Status(406, "Not Acceptable", "cXML has no payloadID")
    if root.find("Request") is None:
        return Status(406, "Not Acceptable", "cXML has no Request")
    return _message(root, attachments or {})


def _message(root: etree._Element, attachments: Mapping[str, bytes]) -> Message:
    request = root.find("Request/*")
    sender, supplier, buyer = (_party(root.find(f"Header/{name}")) for name in ("Sender", "From", "To"))
    wrapper = root.find("Request")
    return Message(
        root,
        kind=str(request.tag) if request is not None else "",
        payload_id=root.get("payloadID", ""),
        sender=sender,
        supplier=supplier,
        buyer=buyer,
        # The DTD's default: a Request without the attribute is production.
        deployment_mode="production" if wrapper is None else wrapper.get("deploymentMode", "production"),
        attachments=attachments,
    )


def _party(element: etree._Element | None) -> Party:
    identities: dict[str, tuple[str, ...]] = {}
    secret = None
    for credential in () if element is None else element.findall("Credential"):
        domain = credential.get("domain", "").casefold()
        identities[domain] = (*identities.get(domain, ()), (credential.findtext("Identity") or "").strip())
        found = credential.find("SharedSecret")
        secret = secret if found is None else "".join(str(part) for part in found.itertext())
    return Party(identities, secret)


def split(data: bytes, content_type: str) -> tuple[bytes, dict[str, bytes]] | Status:
    """The cXML part and the attachments by Content-ID of a ``multipart/related`` body."""
    found = re.search(r'boundary="?([^";]+)"?', content_type)
    if found is None:
        return Status(406, "Not Acceptable", "multipart without a boundary")
    mark = b"--" + found[1].strip().encode("latin-1")
    pieces = (b"\r\n" + data).split(b"\r\n" + mark)
    if len(pieces) < 3 or not pieces[-1].startswith(b"--"):
        return Status(406, "Not Acceptable", "multipart is cut, or its lines do not end in CR LF")
    parts = [_part(piece) for piece in pieces[1:-1]]
    if any(part is None for part in parts):
        return Status(406, "Not Acceptable", "a multipart part has no blank line after its headers")
    whole = [part for part in parts if part is not None]
    return whole[0][1], dict(whole[1:])


def _part(piece: bytes) -> tuple[str, bytes] | None:
    head, blank, body = piece.partition(b"\r\n\r\n")
    if not blank:
        return None
    cid = re.search(rb"(?im)^content-id:\s*<?([^>\r\n]+)>?", head)
    return (cid[1].decode("latin-1").strip() if cid else ""), body


def without_secret(data: bytes) -> bytes:
    """*data* with every shared secret blanked: repeats are compared without it, for it may have been rotated."""
    return _SECRET.sub(rb"\1\2", data)


def moment(text: str) -> datetime | None:
    """A cXML date or date-time as aware UTC; a bare date is its start; None when it is neither.

    >>> moment("2026-03-01T10:00:00+01:00").isoformat(), moment("yesterday")
    ('2026-03-01T09:00:00+00:00', None)
    """
    found = _DATE.fullmatch(text.strip())
    if found is None:
        return None
    zone = (found[4] or "+00:00").replace("Z", "+00:00")
    try:
        return datetime.fromisoformat(f"{found[1]}T{found[2] or '00:00:00'}{found[3] or ''}{zone}").astimezone(UTC)
    except ValueError:
        return None


def stamp(when: datetime) -> str:
    """*when* as cXML writes it, to the millisecond.

    >>> stamp(datetime(2026, 3, 1, 9, tzinfo=UTC))
    '2026-03-01T09:00:00.000+00:00'
    """
    return when.isoformat(timespec="milliseconds")


def new_payload_id(at: datetime) -> str:
    return f"{int(at.timestamp() * 1000)}.{uuid.uuid4().hex}@sandbox.example"


def escape(text: str) -> str:
    """*text* for content or a quoted attribute; characters XML cannot hold become ``?``."""
    return html.escape(_INVALID.sub("?", text))


def attributes(**values: object) -> str:
    """``name="value"`` pairs, absent and empty ones left out."""
    return "".join(f' {name}="{escape(str(value))}"' for name, value in values.items() if value not in (None, ""))


def response(status: Status, content: str, *, payload_id: str, at: datetime) -> bytes:
    """A whole cXML Response."""
    body = (
        f"<Response>"
        f'<Status{attributes(code=status.code, text=status.text)} xml:lang="en">{escape(status.detail)}</Status>'
        f"{content}</Response>"
    )
    return document(body, payload_id=payload_id, at=at)


def document(body: str, *, payload_id: str, at: datetime, inner: bool = False) -> bytes:
    """A cXML document around *body*; *inner* ones travel inside another and have no prolog."""
    prolog = "" if inner else '<?xml version="1.0" encoding="UTF-8"?>\n' + _DOCTYPE.format("cXML")
    head = f'<cXML{attributes(payloadID=payload_id, timestamp=stamp(at), version="1.2.071")} xml:lang="en-US">'
    return f"{prolog}{head}{body}</cXML>".encode()


def credential(identity: str, domain: str = "NetworkID", secret: str | None = None) -> str:
    shared = "" if secret is None else f"<SharedSecret>{escape(secret)}</SharedSecret>"
    return f"<Credential{attributes(domain=domain)}><Identity>{escape(identity)}</Identity>{shared}</Credential>"
