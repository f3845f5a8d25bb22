"""PINT A-NZ 1.1.3, self-billing: as billing, but for the document types and how the document names itself."""

from __future__ import annotations

from . import _pint, _pint_reader
from ._rule import Pack, Rule
from .pint_aunz import READER, RELEASES, RULES, TEXTS, begins, process

PACK = Pack(
    name="pint_aunz_selfbilling",
    title="PINT A-NZ 1.1.3, self-billing",
    clause="PINT A-NZ 1.1.3",
    releases=RELEASES,
    rules=(
        *RULES,
        Rule("ibr-cl-01-aunz-sb", "BT-3", _pint.document_type("pint_aunz_selfbilling_types"),
             text="CODE", codes="pint_aunz_selfbilling_types"),
        Rule("aligned-ibrp-001-aunz-sb", "BT-24", begins("urn:peppol:pint:selfbilling-1@aunz-1"), text="PINT-001"),
        Rule("aligned-ibrp-002-aunz-sb", "BT-23", process("urn:peppol:bis:selfbilling"), text="PINT-002"),
    ),
    reader=READER,
    not_native=_pint_reader.NOT_NATIVE,
    texts=TEXTS,
)  # fmt: skip
