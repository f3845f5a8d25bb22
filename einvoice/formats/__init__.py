"""Formats by name. A format is one module here that exposes ``FORMAT`` and ``SETTINGS``; others by entry point.

Names are imported when asked for, so that a command pays only for the formats it uses.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError, UnreadableDocument
from ..exchange import Answer, Document, Format, Read

if TYPE_CHECKING:
    from ..artefacts import Verdict
    from ..orders import Order

#: Formats of this package: name, module, file name ending, what its first bytes hold.
_KNOWN = {
    "json": "json_",
    "ubl": "ubl",
    "cii": "cii",
    "cxml": "cxml",
    "edifact": "edifact",
    "x12": "x12",
    "facturae": "facturae",
    "rosettanet": "rosettanet",
    "ebinterface": "ebinterface",
    "fatturapa": "fatturapa",
    "csv": "csv_",
    "xlsx": "xlsx",
    "idoc": "idoc",
}
#: What the root element of each XML format ends in; the first that fits is it.
_ROOTS: dict[str, str | tuple[str, ...]] = {
    "ebinterface": ("ebinterface.at/schema/6p1/}Invoice", "ebinterface.at/schema/6p0/}Invoice"),
    "ubl": ("}Invoice", "}CreditNote", "}ApplicationResponse"),
    "cii": ("}CrossIndustryInvoice", "}CrossDomainAcknowledgementAndResponse"),
    "cxml": "cXML",
    "facturae": "}Facturae",
    "rosettanet": ("}InvoiceNotification", "}InvoiceRejectNotification"),
    "fatturapa": (
        "/fatture/v1.2}FatturaElettronica", "/fatture/v1.0}FatturaElettronicaSemplificata",
        "}RicevutaConsegna", "}NotificaScarto", "}RicevutaScarto", "}NotificaMancataConsegna",
        "}RicevutaImpossibilitaRecapito", "}NotificaEsito", "}NotificaEsitoCommittente", "}NotificaDecorrenzaTermini",
        "}AttestazioneTrasmissioneFattura", "}ScartoEsitoCommittente", "}MetadatiInvioFile",
    ),
}  # fmt: skip
#: How an EDIFACT interchange begins: UNA and its six characters, or the first service segment.
_SERVICE = re.compile(rb"UN(?:A[^A-Za-z0-9]{6}|[BGH][^A-Za-z0-9])")
#: How an X12 interchange begins.
_ISA = re.compile(rb"ISA[^A-Za-z0-9 ]")
#: How a zip begins, and what a workbook has among its parts.
_ZIP, _WORKBOOK = b"PK\x03\x04", (b"[Content_Types].xml", b"xl/")
#: The control record that an IDoc begins with; its root element may have any name.
_IDOC = re.compile(rb"<IDOC\b[^>]*>\s*<EDI_DC40\b")
_READABLE = (
    "send JSON, UBL 2.1, CII, cXML, FatturaPA, Facturae, ebInterface, RosettaNet 3C3, EDIFACT INVOIC, X12 810, "
    "an IDoc, CSV or Excel"
)
#: Enough to see past the comments that some documents begin with.
_HEAD = 64 * 1024


def names() -> list[str]:
    """All format names, those of other packages included."""
    return sorted({*_KNOWN, *(entry.name for entry in entry_points(group="einvoice.formats"))})


def module(name: str) -> Any:
    """The module of the format called *name*; ConfigError names the known ones."""
    if name in _KNOWN:
        return import_module(f".{_KNOWN[name]}", __name__)
    for entry in entry_points(group="einvoice.formats", name=name):
        return entry.load()
    raise ConfigError(f"there is no format {name!r}", fix=f"choose one of {', '.join(names())}")


def writable() -> list[str]:
    """Names of the formats that can be written; the others are an ERP's own, and read only."""
    return [name for name in names() if hasattr(module(name).FORMAT, "write")]


def get(name: str, **settings: Any) -> Format:
    """The format called *name* (``ubl`` or ``ubl:variant``) with *settings*."""
    plain, _, variant = name.partition(":")
    found = module(plain)
    if variant:
        settings = {**found.variant(variant), **settings}
    return found.FORMAT(found.SETTINGS(**settings))  # type: ignore[no-any-return]


def writing(name: str) -> Any:
    """The module of the format called *name*, which can be written; ConfigError where it is read only."""
    found = module(name)
    if not hasattr(found.FORMAT, "write"):
        raise ConfigError(f"{name} is read only", fix=f"choose one of {', '.join(writable())}")
    return found


def detect(head: bytes, file: str = "") -> str:
    """The format of a document by what its first bytes hold: a brace, a root element, the template's titles; CSV
    with other titles by the name of its *file*.

    UnreadableDocument when no format has such a beginning.
    """
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start[:1] == b"{":
        return "json"
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") and b"{" in head[2:4]:
        raise UnreadableDocument("the JSON is not UTF-8", where="first bytes", fix="write the file as UTF-8")
    if start[:2] == b"--":
        return _detected_part(head)
    if _SERVICE.match(start):
        return "edifact"
    if _ISA.match(start):
        return "x12"
    if start[:4] == _ZIP and any(part in head for part in _WORKBOOK):
        return "xlsx"
    if start[:1] == b"<" and _IDOC.search(head):
        return "idoc"
    if file.lower().endswith(".csv") or _has_titles(head):
        return "csv"
    if start[:1] == b"<" or head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        from ._xml import root_of

        root = root_of(head)
        found = next((name for name, ending in _ROOTS.items() if root.endswith(ending)), "")
        if found or not root:
            return found or "ubl"
        raise UnreadableDocument(
            f"the root element is {root!r}, which no readable format has", where="line 1", fix=_READABLE
        )
    raise UnreadableDocument("the file is none of the readable formats", where="first bytes", fix=_READABLE)


def _detected_part(head: bytes) -> str:
    """The format of the first part of a MIME body, which is the document that its other parts support."""
    blank = re.search(rb"\r?\n\r?\n", head)
    if blank is None or head[blank.end() : blank.end() + 2] == b"--":
        raise UnreadableDocument("the file is none of the readable formats", where="first bytes", fix=_READABLE)
    return detect(head[blank.end() :])


def _has_titles(head: bytes) -> bool:
    from .csv_ import has_titles

    coding = "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    return has_titles(head.decode(coding, "replace"))


def template(kind: str) -> bytes:
    """The template of tables: ``csv``, ``xlsx``, or ``columns``, the map of its columns in TOML."""
    if kind == "columns":
        from ._table_map import template_text

        return template_text().encode()
    return module(kind).template_file()  # type: ignore[no-any-return]


def schema_verdict(document: Document) -> Verdict:
    """What the official schema of *document* says; "not run" where there is none to ask. It is the one for its root
    element, or where the format knows better (``schema_of``), the one for what the document says it follows."""
    from .. import artefacts
    from ._xml import parse

    if "xml" not in document.media_type:
        return artefacts.Verdict("not run")
    inside = getattr(module(document.format), "xml_of", bytes)
    root = parse(inside(document.data), doctype=True)
    own = getattr(module(document.format), "schema_of", None)
    ids = (own(root) if own else "", *artefacts.for_root(str(root.tag)))
    id_ = next(filter(None, ids), "")
    return artefacts.validate(id_, root) if id_ else artefacts.Verdict("not run")


def answers(data: bytes) -> list[Answer]:
    """What a partner's message states about our documents; UnreadableDocument when no format reads such messages."""
    reader = getattr(module(detect(data)), "answers", None)
    if reader is None:
        raise UnreadableDocument("no acknowledgement in a readable format", fix="see the message in the inbox")
    return list(reader(data))


def orders(data: bytes) -> list[Order]:
    """The orders in a partner's message; none where it holds something else. UnreadableDocument for a faulty one."""
    reader = getattr(module(detect(data)), "orders", None)
    return list(reader(data)) if reader else []


def read(data: bytes, name: str = "") -> Iterator[Read]:
    """Every invoice in *data*, in the format named or detected."""
    yield from get(name or detect(data)).read(io.BytesIO(data))


def read_file(path: Path, name: str = "", columns: Path | None = None, lines: Path | None = None) -> Iterator[Read]:
    """Every invoice in the file at *path*. JSON Lines are read one line at a time, tables one invoice.

    columns  a file of settings that says how an ERP's own file is to be read; ConfigError where it does not fit
    lines    the file of the lines, where they stand in a file of their own
    """
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
        stream.seek(0)
        if not head:
            raise UnreadableDocument("the file is empty", where=str(path), fix="send the file again")
        found = name or detect(head, path.name)
        format = _as_told(found, columns) if columns else get(found)
        if lines is None:
            yield from format.read(stream)
            return
        if found != "csv":
            raise ConfigError(f"the file is {found}, which has its lines in it", where=str(path),
                              fix="leave --lines out")  # fmt: skip
        with lines.open("rb") as tail:
            yield from format.read(stream, tail)  # type: ignore[call-arg]


def _as_told(name: str, settings: Path) -> Format:
    """The format called *name* with the settings of a file."""
    from ..config import load

    found = module(name)
    if hasattr(found.FORMAT, "write"):
        raise ConfigError(f"{name} says itself how it is to be read", where=str(settings),
                          fix="leave --columns out: it is for CSV, Excel and IDocs")  # fmt: skip
    return found.FORMAT(load(settings, found.SETTINGS))  # type: ignore[no-any-return]
