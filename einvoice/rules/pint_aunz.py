"""PINT A-NZ 1.1.3, billing: Peppol's rules for Australia and New Zealand.

A set of its own, not on top of EN 16931: ``packs=("pint_aunz",)``; self-billing is ``pint_aunz_selfbilling``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from . import _pint, _pint_mirrors, _pint_reader, _pint_tax
from ._checks import text
from ._facts import Facts
from ._rule import Check, Hit, Pack, Release, Rule

#: Published on 2026-05-21; older documents are judged by it too.
RELEASES = (Release("1.1.3", date(2026, 5, 21)),)
RULES = (*_pint_mirrors.RULES, *_pint_tax.RULES, *_pint.RULES, *_pint_reader.RULES)
READER = _pint_reader.READER
TEXTS = ("bis", "peppol", "pint_aunz")


def begins(prefix: str) -> Check:
    """001-aunz: the specification identifier begins with *prefix*."""

    def check(facts: Facts) -> Iterable[Hit]:
        stated = " ".join((facts.invoice.specification or "").split())
        if not stated.startswith(prefix):
            yield Hit("$.specification", text(stated), prefix)

    return check


def process(pattern: str) -> Check:
    """002: the business process holds *pattern*."""

    def check(facts: Facts) -> Iterable[Hit]:
        if not re.search(pattern, facts.invoice.process or ""):
            yield Hit("$.process", text(facts.invoice.process), pattern)

    return check


PACK = Pack(
    name="pint_aunz",
    title="PINT A-NZ 1.1.3, billing",
    clause="PINT A-NZ 1.1.3",
    releases=RELEASES,
    rules=(
        *RULES,
        Rule("ibr-cl-01", "BT-3", _pint.document_type("pint_aunz_document_types", "pint_aunz_credit_note_types"),
             text="CODE", codes="pint_aunz_document_types"),
        Rule("aligned-ibrp-001-aunz", "BT-24", begins("urn:peppol:pint:billing-1@aunz-1"), text="PINT-001"),
        Rule("aligned-ibrp-002", "BT-23", process("urn:peppol:bis:billing"), text="PINT-002"),
    ),
    reader=READER,
    not_native=_pint_reader.NOT_NATIVE,
    texts=TEXTS,
)  # fmt: skip
