"""XML in, safely: no DTD loaded, no entity resolved, no network, a size limit; and the escaping that goes out."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any, BinaryIO

from lxml import etree

from ..errors import UnreadableDocument

#: One XML invoice; larger ones are refused before anything is parsed.
LIMIT = 50 * 1024 * 1024
#: Above this size libxml2 needs its limits raised, which is done only after the DOCTYPE check below.
_LARGE = 9 * 1024 * 1024
#: Bytes that XML 1.0 cannot hold in UTF-8 text (section 2.2).
_CONTROL = bytes(set(range(32)) - {9, 10, 13})
#: What may stand before a DOCTYPE, then the DOCTYPE up to its internal subset (XML 1.0, production 28).
_DOCTYPE = re.compile(
    rb"""(?:\xef\xbb\xbf)?(?:\s+|<\?.*?\?>|<!--.*?-->)*<!DOCTYPE(?:"[^"]*"|'[^']*'|[^"'\[>])*(\[)?""", re.DOTALL
)
_ENCODING = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")


def _parser(huge: bool) -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=huge,
        remove_comments=True,
        remove_pis=True,
    )


def load(stream: BinaryIO, limit: int = LIMIT) -> bytes:
    """The bytes of *stream*; UnreadableDocument when there are more than *limit* or none."""
    data = stream.read(limit + 1)
    if len(data) > limit:
        raise UnreadableDocument(
            f"the document is larger than {limit // 1048576} MiB, the limit for one XML invoice",
            fix="send attachments by reference (BT-124), or split the file",
        )
    if not data.strip():
        raise UnreadableDocument("the document is empty", fix="send the file again")
    return data


def root_of(head: bytes) -> str:
    """The name of the root element, ``{namespace}name``, from the first bytes of a document; "" when none is there.

    Comments may come first and be long; nothing is resolved or loaded, and what follows the start tag is not read.
    """
    reader = etree.XMLPullParser(("start",), resolve_entities=False, load_dtd=False, no_network=True)
    with suppress(etree.XMLSyntaxError):  # whatever is wrong is said when the document is parsed
        reader.feed(head)
    events: Any = reader.read_events()
    return next((str(element.tag) for _, element in events), "")


def parse(data: bytes, doctype: bool = False) -> etree._Element:
    """The root element of *data*. With *doctype* a DOCTYPE by SYSTEM id is let stand, unread; else it is refused.

    UnreadableDocument for anything not well-formed (with line and column), for a DOCTYPE where none belongs, for an
    internal DTD subset and for an entity reference.
    """
    declared = _ENCODING.match(data[:200])
    plain = declared is None or declared.group(1).lower() in (b"utf-8", b"us-ascii", b"iso-8859-1")
    if not doctype and plain and b"<!DOCTYPE" in data[:_LARGE]:
        raise _doctype_refused()
    try:
        root = etree.fromstring(data, _parser(huge=len(data) > _LARGE and plain and b"<!DOCTYPE" not in data))
    except etree.XMLSyntaxError as error:
        line, column = error.position
        raise UnreadableDocument(
            f"not well-formed XML: {_reason(error)}", where=f"line {line}, column {column}", fix="export the file again"
        ) from error
    internal: Any = root.getroottree().docinfo.internalDTD
    if internal is not None:
        if not doctype:
            raise _doctype_refused()
        if _has_subset(data, root.getroottree().docinfo.encoding or "UTF-8"):
            raise UnreadableDocument(
                "the DOCTYPE declares entities, elements or attributes", where="DOCTYPE", fix="remove what stands in []"
            )
    return root


def _has_subset(data: bytes, encoding: str) -> bool:
    """True when the DOCTYPE of *data*, which is well-formed, declares anything itself."""
    if b"<!DOCTYPE" not in data:
        data = data.decode(encoding, "replace").encode()
    match = _DOCTYPE.match(data)
    return match is None or match.group(1) is not None


def _doctype_refused() -> UnreadableDocument:
    return UnreadableDocument(
        "the document has a DOCTYPE, which no invoice of this format has and which could read local files",
        fix="remove the DOCTYPE",
    )


def _reason(error: etree.XMLSyntaxError) -> str:
    return re.sub(r", line \d+, column \d+.*", "", str(error.msg))[:200]


def place(element: etree._Element, attribute: str = "") -> str:
    """Where *element* stands, for people: ``/Invoice/cac:InvoiceLine[3]/cbc:ID line 41``."""
    steps = []
    at: etree._Element | None = element
    while at is not None:
        steps.append(_step(at))
        at = at.getparent()
    tail = f"/@{etree.QName(attribute).localname}" if attribute else ""
    return f"/{'/'.join(reversed(steps))}{tail} line {element.sourceline}"


def _step(element: etree._Element) -> str:
    name = etree.QName(element).localname
    label = f"{element.prefix}:{name}" if element.prefix else name
    before = sum(1 for _ in element.itersiblings(element.tag, preceding=True))
    alone = not before and next(element.itersiblings(element.tag), None) is None
    return label if alone else f"{label}[{before + 1}]"


def escape(text: str) -> str:
    """*text* as element content."""
    if "&" in text or "<" in text or ">" in text:
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\r", "&#13;") if "\r" in text else text


def quote(text: str) -> str:
    """*text* as the value of an attribute between double quotes; white space survives normalisation."""
    if text.isalnum():  # codes and numbers, which most attributes hold
        return text
    text = escape(text)
    if '"' in text or "\n" in text or "\t" in text:
        text = text.replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")
    return text


def encode(text: str) -> bytes:
    """*text* as UTF-8; UnreadableDocument when it holds a character that XML cannot."""
    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        raise _illegal(text, error.start) from error
    # U+FFFE and U+FFFF are looked for in the text: a text of narrower characters answers at once.
    if len(data.translate(None, _CONTROL)) != len(data) or "\ufffe" in text or "\uffff" in text:
        match = re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", text)
        raise _illegal(text, match.start() if match else 0)
    return data


def _illegal(text: str, position: int) -> UnreadableDocument:
    around = text[max(0, position - 30) : position]
    return UnreadableDocument(
        f"a text holds the character U+{ord(text[position]):04X}, which XML cannot carry",
        where=f"after {around!r}",
        fix="remove the control character in the ERP",
    )
