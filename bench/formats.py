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

from . import content, facturae_template, fatturapa_template
from .measure import Case
from .render import same

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
