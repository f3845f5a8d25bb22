"""Writing a document against factur-x, an lxml tree and a bare string template, at 1, 20 and 1,000 lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from lxml import etree

from einvoice.formats.cxml import CxmlFormat
from einvoice.formats.ubl import UblFormat

from . import content, cxml_template, ubl_template, ubl_tree
from .measure import Case

SIZES = (1, 20, 1000)
#: factur-x states the UBL version, which EN 16931-3-2 leaves out.
_ADDED_BY_FACTURX = "UBLVersionID"


def cases(sizes: Sequence[int] = SIZES) -> Iterator[Case]:
    """Every render case; sides that do not write the same content are not measured."""
    facturx, why = facturx_ubl()
    for lines in sizes:
        ours, invoice = partial(write_ubl, content.invoice(lines)), content.invoice(lines)
        said = "line" if lines == 1 else "lines"
        template, tree = partial(ubl_template.render, invoice), partial(ubl_tree.render, invoice)
        yield same(f"UBL / string template, {lines} {said}", "3", ours, template)
        yield same(f"UBL / lxml tree, {lines} {said}", "0.25", ours, tree)
        name = f"UBL / factur-x, {lines} {said}"
        if facturx is None:
            yield Case(name, "0.10", why=why)
        else:
            given = content.for_facturx(lines)
            peer = partial(facturx, given, check_xsd=False, check_schematron=False)
            yield same(name, "0.10", ours, peer, leaves)
        invoice = content.invoice(lines, network=True)
        template = partial(cxml_template.render, invoice, content.IDS)
        yield same(f"cXML / string template, {lines} {said}", "3", partial(write_cxml, invoice), template)


def write_ubl(invoice: Any) -> bytes:
    return UblFormat().write(invoice, content.IDS).data


def write_cxml(invoice: Any) -> bytes:
    return CxmlFormat().write(invoice, content.IDS).data


def facturx_ubl() -> tuple[Callable[..., bytes] | None, str]:
    """factur-x's UBL generator, or None and why not."""
    return _facturx("generate_ubl_xml")


def facturx_cii() -> tuple[Callable[..., bytes] | None, str]:
    """factur-x's CII generator, or None and why not."""
    return _facturx("generate_cii_xml")


def _facturx(name: str) -> tuple[Callable[..., bytes] | None, str]:
    """A generator of factur-x. Only the release that the limits are stated for counts."""
    try:
        if version("factur-x") != "7.8":
            return None, f"factur-x is {version('factur-x')}; the limit is stated for 7.8"
        facturx = import_module("facturx")  # untyped
    except (PackageNotFoundError, ImportError):
        return None, "factur-x is not installed (extra bench)"
    return getattr(facturx, name), ""


def canonical(data: bytes) -> object:
    """C14N of *data*: equal where the documents are equal."""
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True)
    return etree.tostring(etree.fromstring(data, parser), method="c14n")


def leaves(data: bytes) -> object:
    """Path, attributes and text of every element that has a text, in order; layout and namespace prefixes apart."""
    parser = etree.XMLParser(remove_blank_text=True, resolve_entities=False)
    root = etree.fromstring(data, parser)
    found = []
    for element in root.iter():
        path = re.sub(r"\{[^}]*\}", "", root.getroottree().getelementpath(element))
        if element.text and path != _ADDED_BY_FACTURX:
            found.append((re.sub(r"\[1\]", "", path), sorted(element.attrib.items()), element.text))
    return found


def same(
    name: str, limit: str, ours: Callable[[], bytes], peer: Callable[[], bytes],
    view: Callable[[bytes], object] = canonical,
) -> Case:  # fmt: skip
    """The case, once both sides have written documents that are equal in *view*."""
    if view(ours()) != view(peer()):
        return Case(name, limit, why="the two sides do not write the same document")
    return Case(name, limit, ours, peer)
