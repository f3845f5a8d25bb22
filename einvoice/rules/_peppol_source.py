"""Peppol BIS Billing 3: rules about what no model can hold, decided by what the reader said of the source.

A second tax total, a charge on a price, an entry that is neither allowance nor charge, an empty element: the model has
no place for them, and the reader's finding tells the element.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ..errors import Finding
from ..money import parse
from ._checks import text
from ._empty import steps
from ._en_codes import AMOUNTS
from ._facts import Facts
from ._rule import Check, Hit

UNREAD, TWICE, CURRENCY, EMPTY, KNOWN, KEPT = (f"EINV-READ-0{digit}" for digit in "126789")
_PRICE = re.compile(r"(?:^|/)(?:Price/|GrossPriceProductTradePrice/AppliedTrade)AllowanceCharge(?:/|$)")
_ENTRY = re.compile(r"^(?:Invoice|CreditNote)/(?:InvoiceLine/|CreditNoteLine/)?AllowanceCharge(?:/|$)")
#: What an allowance or charge is made of; the reader passes over one that says neither that it is a charge nor not.
_PARTS = frozenset({
    "AllowanceCharge", "ChargeIndicator", "AllowanceChargeReasonCode", "AllowanceChargeReason",
    "MultiplierFactorNumeric", "Amount", "BaseAmount", "ActualAmount",
})  # fmt: skip
_LINE_DOCUMENT = re.compile(r"Line/DocumentReference(?:/|$)")
#: Up to and with an entry or a reference that stands in a list.
_CUT = re.compile(r"(AllowanceCharge(?:\[\d+\])?|DocumentReference(?:\[\d+\])?).*")
_LINE = re.compile(r"Line(?:Item)?(?:\[(\d+)\])?/")


# --- the reader's words -----------------------------------------------------------------------------------------------


def said(facts: Facts, *rules: str) -> list[Finding]:
    """The reader's findings under any of *rules*."""
    return [one for one in facts.read if one.rule in rules]


def last(finding: Finding) -> str:
    """The element it speaks of."""
    return steps(finding.place).rpartition("/")[2]


def is_empty(facts: Facts, element: str) -> bool:
    """*element*, by the last steps of its path, stands there with nothing in it."""
    return any(f"/{steps(one.place)}".endswith(f"/{element}") for one in said(facts, EMPTY))


def told(finding: Finding, expected: str = "") -> Hit:
    """The breach that *finding* is."""
    return Hit(finding.path, finding.found, expected, finding.term, finding.place)


# --- tax totals -------------------------------------------------------------------------------------------------------


def tax_totals(facts: Facts) -> tuple[int, int]:
    """How many tax totals with a breakdown, and without, there are; the reader tells of those the model cannot hold."""
    if facts.syntax == "cii":
        return _tax_totals_of_cii(facts)
    totals = facts.totals
    hollow = is_empty(facts, "TaxTotal/TaxSubtotal")
    broken_down = bool(facts.rows) or hollow
    second = any("/TaxTotal/TaxSubtotal" in f"/{steps(one.place)}" for one in said(facts, UNREAD))
    # A further one without a breakdown is nothing but its amount.
    further = [hollow or parse(one.found) is None for one in said(facts, TWICE) if last(one) == "TaxTotal"]
    alone = (totals.tax is not None and not broken_down) + (totals.tax_accounting is not None and not second)
    alone += any(is_empty(facts, f"{root}/TaxTotal") for root in ("Invoice", "CreditNote"))
    return broken_down + second + sum(further), alone + len(further) - sum(further)


def _tax_totals_of_cii(facts: Facts) -> tuple[int, int]:
    """In CII a tax total is an amount, in the invoice currency or in the accounting currency."""
    totals = facts.totals
    further = [one.found.endswith(facts.invoice.currency or "?")
               for one in said(facts, TWICE) if last(one) == "TaxTotalAmount"]  # fmt: skip
    foreign = said(facts, CURRENCY)  # it is told of the document; without a currency it counts as neither
    own = not foreign and (totals.tax is not None or is_empty(facts, "TaxTotalAmount"))
    other = any(one.found for one in foreign) or is_empty(facts, "TaxTotalAmount/@currencyID")
    other = other and facts.invoice.currency is not None
    sums = 1 + sum(1 for one in said(facts, TWICE) if last(one) == "SpecifiedTradeSettlementHeaderMonetarySummation")
    second = totals.tax_accounting is not None
    return own * sums + sum(further), (other + second) * sums + len(further) - sum(further)


def one_total(facts: Facts) -> Iterable[Hit]:
    """R053: one tax total has the breakdown."""
    count, _ = tax_totals(facts)
    if count != 1:
        yield Hit("$.tax_breakdown", str(count), "1")


def second_total(facts: Facts) -> Iterable[Hit]:
    """R054: one more, without a breakdown, where there is an accounting currency; none elsewhere."""
    _, count = tax_totals(facts)
    due = int(facts.invoice.tax_currency is not None or is_empty(facts, "TaxCurrencyCode"))
    if count != due:
        yield Hit("$.totals.tax_accounting", str(count), str(due))


def currencies(kind: str, facts: Facts) -> Iterable[Hit]:
    """R051: amounts are in the invoice currency, but for the tax total in the accounting currency.

    The rules for self-billing leave the tax of a breakdown out.
    """
    for one in said(facts, CURRENCY):
        spared = kind == "selfbilling" and steps(one.place).endswith("TaxSubtotal/TaxAmount")
        of_invoice = last(one) in AMOUNTS and one.term not in ("BT-111", "EX-93") and not spared
        if of_invoice and (one.term != "BT-110" or facts.rows):
            yield told(one, text(facts.invoice.currency))


# --- allowances, charges, documents of lines --------------------------------------------------------------------------


def undecided(facts: Facts) -> Iterable[Hit]:
    """R043: an allowance or charge says which it is, in the words true and false."""
    entries: dict[str, list[Finding]] = {}
    for one in said(facts, UNREAD, KEPT):
        if last(one) in _PARTS and _ENTRY.search(steps(one.place)):
            entries.setdefault(_CUT.sub(r"\1", one.place), []).append(one)
    for found in entries.values():
        names = {last(one) for one in found}
        if ("MultiplierFactorNumeric" in names) == ("BaseAmount" in names):  # else R041, R042 speak of it
            yield told(next((one for one in found if last(one) == "ChargeIndicator"), found[0]), "true, false")


def charge_on_price(facts: Facts) -> Iterable[Hit]:
    """R044: what is taken off a price is an allowance."""
    seen = set()
    for one in said(facts, UNREAD, KEPT):
        entry = _CUT.sub(r"\1", one.place)
        part = last(one) in _PARTS or (one.rule == KEPT and last(one) == "Indicator")
        if entry not in seen and part and _PRICE.search(steps(one.place)):
            seen.add(entry)
            yield told(one, "false")


def line_documents(facts: Facts) -> Iterator[tuple[Finding, bool]]:
    """Document references of lines that the model cannot hold: the reader's word, and whether it is a second object."""
    seen = set()
    for one in said(facts, UNREAD, TWICE):
        path, reference = steps(one.place), _CUT.sub(r"\1", one.place)
        if one.rule == TWICE and path.endswith(("Line/DocumentReference", "Settlement/AdditionalReferencedDocument")):
            yield one, True
        elif one.rule == UNREAD and reference not in seen and _LINE_DOCUMENT.search(path):
            seen.add(reference)
            yield one, False


def one_line_object(facts: Facts) -> Iterable[Hit]:
    """R100: a line has one invoiced object."""
    met: dict[str, int] = {}
    for one, second in line_documents(facts):
        line = line_of(one)
        met[line] = met.get(line, int(second or has_object(facts, line))) + 1
        if met[line] > 1:
            yield told(one, "1")


def other_line_document(facts: Facts) -> Iterable[Hit]:
    """R101: a line's document reference is its invoiced object, and says so; the reader takes one that does not."""
    references = list(line_documents(facts))
    objects = {line_of(one) for one, second in references if second}
    untyped = {line_of(one): one for one in said(facts, KEPT) if steps(one.place).endswith("Line/DocumentReference")}
    for one, second in references:
        line = line_of(one)
        if not second and line not in objects and not has_object(facts, line):
            yield told(one, "130")
    for one in untyped.values():
        yield told(one, "130")


def line_of(finding: Finding) -> str:
    """The number of the line it speaks of, counted from 1."""
    match = _LINE.search(finding.place)
    return (match.group(1) if match else None) or "1"


def has_object(facts: Facts, line: str) -> bool:
    """The line of this number states its invoiced object (BT-128)."""
    at = int(line) - 1
    return at < len(facts.lines) and facts.lines[at].object is not None


# --- empty elements ---------------------------------------------------------------------------------------------------


def begun(leaf: str, check: Check) -> Check:
    """R110, R111: what *check* finds, and a date that is an empty element where the other is stated.

    UBL: on the line; CII: on the invoice.
    """
    element = f"Line/InvoicePeriod/{leaf.title()}Date"
    of_invoice = f"ApplicableHeaderTradeSettlement/BillingSpecifiedPeriod/{leaf.title()}DateTime"

    def judged(facts: Facts) -> Iterable[Hit]:
        yield from check(facts)
        if facts.read and getattr(facts.invoice.period, leaf, None) is not None:
            yield from (told(one) for one in said(facts, EMPTY) if steps(one.place).endswith(element))
        if facts.read and is_empty(facts, of_invoice):
            yield from (Hit(place, text(value)) for place, value in facts.places(f"lines[].period.{leaf}"))

    return judged
