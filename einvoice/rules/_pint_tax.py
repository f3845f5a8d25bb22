"""PINT A-NZ, rules about GST that EN 16931 does not have, or has with another tolerance."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from ..model import Tax
from . import _en_conditions, _en_presence
from ._checks import among, joined, named, states, text, two_decimals
from ._cius import near, when
from ._facts import ZERO, Facts, missing, nearest
from ._national import is_credit_note
from ._pint_gst import of_gst, view
from ._rule import Check, Hit, Rule

ONE = Decimal(1)


def base(facts: Facts) -> Iterable[Hit]:
    """s-08: a standard rated base is what is in its rate, within 1.00."""
    category = view(facts).vat["S"]
    for at, row in category.rows:
        expected = category.by_rate.get(row.rate) if row.rate is not None else ZERO
        good = row.rate is None or (row.base is not None and expected is not None and near(row.base, expected, ONE))
        if not good:
            yield Hit(f"$.tax_breakdown[{at}].base", text(row.base), text(expected))


def standard_tax(facts: Facts) -> Iterable[Hit]:
    """s-09: a standard rated tax is base times rate, within 1.00."""
    for at, row in view(facts).vat["S"].rows:
        if row.rate is None or row.base is None or row.amount is None or not _near_tax(row):
            yield Hit(f"$.tax_breakdown[{at}].amount", text(row.amount), text(_tax(row)))


def no_credit(facts: Facts) -> bool:
    """ibr-co-14, ibr-124, ibr-sr-58 are for invoices alone: of credit notes they name an element that is not there."""
    return not is_credit_note(facts)


def gross(facts: Facts) -> Iterable[Hit]:
    """co-15: as BR-CO-15, and broken where no currency says which tax total counts."""
    if facts.invoice.currency is None:
        yield Hit("$.totals.gross", text(facts.totals.gross))
    yield from _en_conditions.gross_total(facts)


def tax(facts: Facts) -> Iterable[Hit]:
    """051: a tax is base times rate, within 1.00; nothing where the rate is nought or left out."""
    for at, row in facts.rows:
        rate = row.rate if view(facts).is_vat(row) else None
        if rate is None or nearest(rate, ONE) == 0:
            good = row.amount is not None and nearest(row.amount, ONE) == 0
        else:
            good = row.amount is not None and row.base is not None and _near_tax(row)
        if not good:
            yield Hit(f"$.tax_breakdown[{at}].amount", text(row.amount), text(_tax(row)))


def _tax(row: Tax) -> Decimal:
    return nearest(abs(row.base or ZERO) * (row.rate or ZERO) / 100)


def _near_tax(row: Tax) -> bool:
    return near(abs(row.amount or ZERO), _tax(row), ONE)


def one_tax(facts: Facts) -> Iterable[Hit]:
    """059: a line has exactly one tax."""
    for at, line in enumerate(facts.lines):
        if len(line.taxes) != 1:
            yield Hit(f"$.lines[{at}].taxes", str(len(line.taxes)), "1")


def registrations(role: str, most: int, gst: bool | None = None) -> Check:
    """A party has no more than *most* tax registrations: of any kind, for GST, or for other taxes."""

    def check(facts: Facts) -> Iterable[Hit]:
        all_, own = view(facts).tax_ids(role), view(facts).vat_ids(role)
        found = all_ if gst is None else own if gst else [one for one in all_ if one not in own]
        if len(found) > most:
            yield Hit(found[most][0], text(found[most][1]))

    return check


def numbered(facts: Facts) -> Iterable[Hit]:
    """sr-57: who names a tax scheme states the registration."""
    for role in ("seller", "buyer", "tax_representative"):
        party = getattr(facts.invoice, role)
        if party is not None and party.tax_id_scheme is not None and missing(party.tax_id):
            yield Hit(f"$.{role}.tax_id", text(party.tax_id_scheme))


def representative_registered(facts: Facts) -> Iterable[Hit]:
    """056: the tax representative states a registration."""
    if facts.invoice.tax_representative is not None and not facts.tax_ids("tax_representative"):
        yield Hit("$.tax_representative.tax_id")


def _categories() -> Check:
    places = (("BT-151", "lines[**].taxes[]"), ("BT-95", "allowances[].taxes[]"), ("BT-102", "charges[].taxes[]"),
              ("BT-118", "tax_breakdown[]"))  # fmt: skip
    return joined(*(named(among(f"{path}.category", "pint_aunz_tax_categories"), term) for term, path in places))


RULES: tuple[Rule, ...] = (
    Rule("ibr-056", "BT-63", representative_registered),
    Rule("ibr-104", "BT-48", registrations("buyer", 1), text="TOO-MANY"),
    Rule("ibr-124", "BT-110", when(no_credit, joined(two_decimals("totals.tax"),
                                                     named(two_decimals("totals.tax_accounting"), "BT-111"))),
         text="DECIMALS"),
    Rule("ibr-co-14", "BT-110", when(no_credit, _en_conditions.tax_total), text="BR-CO-14"),
    Rule("ibr-co-15", "BT-112", gross, text="BR-CO-15"),
    Rule("ibr-sr-42", "BT-32", registrations("seller", 2), text="TOO-MANY"),
    Rule("ibr-sr-57", "BT-32", numbered, there=("ubl",)),
    Rule("ibr-sr-58", "BT-151",
         when(no_credit, states("lines[].taxes[]", "category")), there=("ubl",),
         text="BR-CO-04"),
    Rule("aligned-ibrp-047-aunz", "BT-118",
         of_gst(_en_presence.vat_row("category")), text="BR-47"),
    Rule("aligned-ibrp-050-aunz", "BT-151", of_gst(_en_conditions.line_category),
         text="BR-CO-04"),
    Rule("aligned-ibrp-051-aunz", "BT-117", tax, text="BR-CO-17"),
    Rule("aligned-ibrp-059", "BT-151", one_tax),
    Rule("aligned-ibrp-cl-01-aunz", "BT-118", _categories(), text="CODE", codes="pint_aunz_tax_categories"),
    Rule("aligned-ibrp-s-08-aunz", "BT-116", of_gst(base, "S"), text="VAT-BASE", category="S"),
    Rule("aligned-ibrp-s-09-aunz", "BT-117", of_gst(standard_tax, "S"), text="VAT-TAX", category="S"),
    Rule("aligned-ibrp-sr-12-aunz", "BT-31", registrations("seller", 1, gst=True), text="TOO-MANY"),
    Rule("aligned-ibrp-sr-13-aunz", "BT-32", registrations("seller", 1, gst=False), text="TOO-MANY"),
)  # fmt: skip
