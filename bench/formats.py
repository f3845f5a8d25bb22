"""Writing national and network formats against a bare string template of the same document, at 20 and 1,000 lines.

A format is one row of ``FORMATS``; its template is in ``bench/<format>_template.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from einvoice import formats
from einvoice.exchange import Format, Identity
from einvoice.model import Invoice

from . import (
    cii_template,
    content,
    ebinterface_template,
    facturae_template,
    fatturapa_template,
    rosettanet_template,
)
from .measure import Case
from .render import facturx_cii, leaves, same

SIZES = (20, 1000)
IDS = replace(content.IDS, numbers={"progressive": "00A17"})


class Row(NamedTuple):
    """A format as it is measured: what people call it, its name with its settings, the template of its document."""

    label: str
    name: str
    settings: dict[str, Any]
    render: Callable[[Invoice, Identity], bytes]


FORMATS = (
    Row("FatturaPA", "fatturapa", {"regime": "RF18", "payment": {"58": "MP05"}}, fatturapa_template.render),
    Row("Facturae", "facturae", {}, facturae_template.render),
    Row("ebInterface", "ebinterface", {}, ebinterface_template.render),
    Row("RosettaNet", "rosettanet", rosettanet_template.SETTINGS, rosettanet_template.render),
    Row("CII", "cii", {}, cii_template.render),
)


def write(format: Format, invoice: Invoice) -> bytes:
    return format.write(invoice, IDS).data


def cases(sizes: Sequence[int] = SIZES) -> Iterator[Case]:
    """Every format at every size; sides that do not write the same document are not measured."""
    for lines in sizes:
        invoice = content.invoice(lines)
        for row in FORMATS:
            ours = partial(write, formats.get(row.name, **row.settings), invoice)
            template = partial(row.render, invoice, IDS)
            yield same(f"{row.label} / string template, {lines} lines", "3", ours, template)
        yield against_facturx(lines)


def against_facturx(lines: int) -> Case:
    """CII against factur-x, which writes the same content from a dictionary."""
    name = f"CII / factur-x, {lines} lines"
    facturx, why = facturx_cii()
    if facturx is None:
        return Case(name, "0.15", why=why)
    peer = partial(facturx, content.for_facturx(lines), check_xsd=False, check_schematron=False)
    return same(name, "0.15", partial(write, formats.get("cii"), content.invoice(lines)), peer, leaves)
