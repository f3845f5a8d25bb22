"""Judging a document by its official schema against bare lxml, the schema compiled once on both sides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from lxml import etree

from einvoice import artefacts
from einvoice.errors import ConfigError

from . import content
from .measure import Case
from .render import SIZES, write_cxml, write_ubl

_LIMIT = "1.2"
_XSD, _DTD = "ubl-2.1-invoice", "cxml-1.2.037-invoicedetail"


def cases(sizes: Sequence[int] = SIZES) -> Iterator[Case]:
    """Every validation case: from a parsed root, which is what the engine has in hand, and from bytes."""
    for lines in sizes:
        said = "line" if lines == 1 else "lines"
        ubl, cxml = write_ubl(content.invoice(lines)), write_cxml(content.invoice(lines, network=True))
        yield case(f"UBL XSD / lxml, root, {lines} {said}", _XSD, etree.fromstring(ubl))
        yield case(f"UBL XSD / lxml, bytes, {lines} {said}", _XSD, ubl)
        yield case(f"cXML DTD / lxml, root, {lines} {said}", _DTD, etree.fromstring(cxml))


def case(name: str, id: str, document: Any) -> Case:
    """The case of schema *id* on *document*, or why there is none: official files absent, wrong, or verdicts unlike."""
    try:
        path = artefacts.find(id)
    except ConfigError as error:
        return Case(name, _LIMIT, why=error.message)
    if path is None:
        return Case(name, _LIMIT, why=f"the official files of {id} are not installed")
    schema: Any = etree.XMLSchema(file=str(path)) if path.suffix == ".xsd" else etree.DTD(file=str(path))
    peer = partial(bare, schema, document)
    if not peer() or artefacts.validate(id, document).status != "valid":
        return Case(name, _LIMIT, why="the document is not valid, or the two do not agree on it")
    return Case(name, _LIMIT, partial(artefacts.validate, id, document), peer)


def bare(schema: Any, document: Any) -> bool:
    """lxml's own verdict, parsing first where *document* is bytes."""
    return bool(schema.validate(etree.fromstring(document) if isinstance(document, bytes) else document))
