"""Peppol BIS Billing 3, PEPPOL-EN16931-R: what invoices in Peppol state beyond EN 16931.

Rules that XRechnung and PINT publish too are in ``_bis``, those about what no model can hold in ``_peppol_source``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_DOWN, Decimal
from functools import partial

from ..model import AllowanceCharge, Line
from . import _bis
from . import _peppol_source as source
from ._checks import joined, text
from ._cius import SLACK, percentage
from ._empty import steps
from ._facts import ZERO, Facts, decimals, nearest
from ._national import both_german, is_credit_note
from ._rule import Check, Hit, Rule

#: Release 2026.5 (3.0.21) is in force from this day.
MAY_2026 = date(2026, 8, 17)
FRENCH = ("urn:peppol:france:billing:regulated", "urn:peppol:france:billing:non-regulated")
WITH_RESPONSE = "urn:peppol:bis:billing_with_response"
_NOTES = ("Invoice/Note", "CreditNote/Note")
_DIGITS = Decimal(1).scaleb(-18)


# --- process and specification ----------------------------------------------------------------------------------------


def process_number(kind: str, facts: Facts) -> str:
    """The number of the business process that BT-23 names: ``01``, ``02``; empty when it is none of Peppol's.

    kind  ``billing`` or ``selfbilling``
    """
    stated = " ".join((facts.invoice.process or "").split())
    if facts.on < MAY_2026:
        match = re.search(rf"urn:fdc:peppol.eu:2017:poacc:{kind}:([0-9]{{2}}):1.0", stated)
        return match.group(1) if match else ""
    if stated in FRENCH or stated == f"urn:fdc:peppol.eu:2017:poacc:{kind}:01:1.0":
        return "01"
    return "02" if stated == WITH_RESPONSE else ""


def known_process(kind: str, facts: Facts) -> Iterable[Hit]:
    """R007."""
    if not process_number(kind, facts):
        yield Hit("$.process", text(facts.invoice.process), f"urn:fdc:peppol.eu:2017:poacc:{kind}:01:1.0")


def specification(kind: str, facts: Facts) -> Iterable[Hit]:
    """R004: since 2026.5 without a double colon."""
    wanted = f"urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:{kind}:3.0"
    stated = " ".join((facts.invoice.specification or "").split())
    if not stated.startswith(wanted) or (facts.on >= MAY_2026 and "::" in stated):
        yield Hit("$.specification", text(facts.invoice.specification), wanted)


# --- references and notes ---------------------------------------------------------------------------------------------


def one_note(facts: Facts) -> Iterable[Hit]:
    """R002: one note; more between parties in Germany. CII knows no such parties and no subject of a note."""
    empty = sum(1 for one in source.said(facts, source.EMPTY) if steps(one.place).endswith(_NOTES))
    count = len(facts.invoice.notes) + empty
    subjects = facts.values("notes[].subject_code") or source.is_empty(facts, "IncludedNote/SubjectCode")
    subject = facts.syntax == "cii" and subjects
    if (count > 1 and (facts.syntax == "cii" or not both_german(facts))) or subject:
        yield Hit("$.notes", str(count), "1")


def referenced(facts: Facts) -> Iterable[Hit]:
    """R003: a buyer reference, or an order number."""
    order = facts.invoice.purchase_order
    if facts.invoice.buyer_reference is None and (order is None or order.id is None):
        yield Hit("$.buyer_reference")


def one_object(facts: Facts) -> Iterable[Hit]:
    """R006: one invoiced object. The first is BT-18; a further one is an attachment of its type."""
    for place, one in facts.places("attachments[]"):
        if one.type_code == "130":
            yield Hit(f"{place}.type_code", "130", term="BT-18")


def one_project(facts: Facts) -> Iterable[Hit]:
    """R080: one project. The first is BT-11; in UBL an invoice has an element of its own for it."""
    if facts.syntax == "cii" or is_credit_note(facts) or facts.invoice.type_code is None:
        for place, one in facts.places("attachments[]"):
            if one.type_code == "50":
                yield Hit(f"{place}.type_code", "50", term="BT-11")


# --- lines ------------------------------------------------------------------------------------------------------------


def line_amounts(facts: Facts) -> Iterable[Hit]:
    """R120: a line is quantity times price by base quantity, plus charges, less allowances, within 0.02."""
    for at, line in enumerate(facts.lines):
        expected = line_amount(line)
        if abs((line.net_amount or ZERO) - expected) > SLACK:
            yield Hit(f"$.lines[{at}].net_amount", text(line.net_amount), text(nearest(expected)))


def line_amount(line: Line) -> Decimal:
    """What BT-131 is to be: a quantity or base quantity left out, or a base of zero, is one, a price left out nothing.

    The price of one unit has 18 digits behind the point, as XPath divides.
    """
    price = line.price
    amount = (price.net if price is not None else None) or ZERO
    base = price.base_quantity if price is not None else None
    if base and base != 1:
        amount = (amount / base).quantize(_DIGITS, ROUND_HALF_DOWN)
    if line.quantity is not None:
        amount *= line.quantity
    if line.charges:
        amount += _sum(line.charges)
    if line.allowances:
        amount -= _sum(line.allowances)
    return amount


def _sum(entries: Iterable[AllowanceCharge]) -> Decimal:
    """The amounts together, to the cent."""
    found = ZERO
    for entry in entries:
        found += entry.amount or ZERO
    return found if decimals(found) <= 2 else nearest(found)


# --- the table --------------------------------------------------------------------------------------------------------

#: Rules of ``_bis`` that are Peppol's own too.
_SHARED = (
    "R001", "R005", "R010", "R020", "R041", "R042", "R046", "R055", "R061", "R110", "R111", "R121", "R130",
)  # fmt: skip


def _shared() -> Iterator[Rule]:
    ids = {f"PEPPOL-EN16931-{number}": number for number in _SHARED}
    for rule in _bis.named(ids, {}):
        check = rule.check
        if rule.text in ("R110", "R111"):
            check = source.begun("start" if rule.text == "R110" else "end", check)
        yield replace(rule, check=in_ubl(check) if rule.text == "R046" else check)


def in_ubl(check: Check) -> Check:
    """*check* where the document did not come as CII, whose binding has no such rule."""
    return lambda facts: () if facts.syntax == "cii" else check(facts)


def rules(kind: str) -> tuple[Rule, ...]:
    """The rules for *kind*, ``billing`` or ``selfbilling``."""
    id_ = "PEPPOL-EN16931-{}".format
    entries = joined(*(percentage(path) for path in _bis.ENTRIES))
    return (
        *_shared(),
        Rule(id_("R002"), "BT-22", one_note),
        Rule(id_("R003"), "BT-10", referenced),
        Rule(id_("R004"), "BT-24", partial(specification, kind)),
        Rule(id_("R006"), "BT-18", one_object, syntax="cii"),
        Rule(id_("R007"), "BT-23", partial(known_process, kind)),
        Rule(id_("R008"), "", in_ubl(_bis.empty), text="R008"),
        Rule(id_("R040"), "BT-92", entries, text="R040"),
        Rule(id_("R043"), "BG-20", in_ubl(source.undecided), text="R043"),
        Rule(id_("R044"), "BT-147", in_ubl(source.charge_on_price), text="R044"),
        Rule(id_("R051"), "BT-5", in_ubl(partial(source.currencies, kind))),
        Rule(id_("R053"), "BG-23", source.one_total, text="R053"),
        Rule(id_("R054"), "BT-111", source.second_total, text="R054"),
        Rule(id_("R080"), "BT-11", one_project),
        Rule(id_("R100"), "BT-128", source.one_line_object),
        Rule(id_("R101"), "BT-128", source.other_line_document, text="R101"),
        Rule(id_("R120"), "BT-131", line_amounts, text="R120"),
    )  # fmt: skip
