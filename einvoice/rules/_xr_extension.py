"""XRechnung 3.0: what its extension adds (BR-DEX-*), and its variant for clean vehicles (BR-DE-CVD-*).

The extension allows sub-lines, payments by third parties, XML attachments and the identifier schemes of digital
health applications. A document is an extension, or of the variant, by its specification identifier (BT-24) alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from ..errors import Severity
from ..model import Line, Prepaid
from ._bis import unless_empty
from ._checks import Test, every, states, text
from ._cius import when
from ._facts import ZERO, Facts, decimals, nearest
from ._rule import Check, Hit, Rule
from ._xr import CVD, EXTENSION

#: Schemes of the extension for digital health applications, beside those of ISO 6523 and EAS.
HEALTH = frozenset({"XR01", "XR02", "XR03"})
#: Directive 2009/33/EC: categories of vehicles, and what counts as clean.
VEHICLES = frozenset(["M1", "M2", "M3", "N1", "N2", "N3"])
CLEAN = frozenset({"clean", "zero-emission", "other"})


def is_extension(facts: Facts) -> bool:
    return facts.invoice.specification == EXTENSION


def is_ubl_extension(facts: Facts) -> bool:
    """One not bound for CII, whose binding knows neither sub-lines nor payments by third parties."""
    return is_extension(facts) and facts.syntax != "cii"


def is_vehicles(facts: Facts) -> bool:
    return facts.invoice.specification == CVD


# --- extension --------------------------------------------------------------------------------------------------------


def mime(facts: Facts) -> Iterable[Hit]:
    """BR-DEX-01: the extension allows XML attachments beside the types of EN 16931."""
    known = facts.codes("mime_types") | {"application/xml"}
    for place, one in facts.places("attachments[]"):
        if one.content is not None and one.mime not in known:
            yield Hit(f"{place}.mime", text(one.mime))


def sub_sums(facts: Facts) -> Iterable[Hit]:
    """BR-DEX-02: a line is the sum of its sub-lines."""
    for place, line in facts.places("lines[**]"):
        if line.sub_lines and line.net_amount != _sum(line):
            yield Hit(f"{place}.net_amount", text(line.net_amount), text(_sum(line)))


def _sum(line: Line) -> Decimal:
    return sum((sub.net_amount for sub in line.sub_lines if sub.net_amount is not None), ZERO)


def sub_taxes(facts: Facts) -> Iterable[Hit]:
    """BR-DEX-03: a sub-line has exactly one VAT category."""
    for place, line in facts.places("lines[**]"):
        if ".sub_lines[" in place and (line.item or line.taxes) and len(line.taxes) != 1:
            yield Hit(f"{place}.taxes", str(len(line.taxes)), "1")


def schemes(codes: str, places: Iterable[tuple[str, str]]) -> Check:
    """BR-DEX-04 to -08: the scheme at each of *places* is of the list or of digital health."""

    def check(facts: Facts) -> Iterable[Hit]:
        known = facts.codes(codes) | HEALTH
        for term, path in places:
            sepa = term in ("BT-29-1", "BT-60-1")
            for place, one in facts.places(path):
                scheme = one.scheme
                if scheme is not None and scheme.strip() not in known and not (sepa and scheme.strip() == "SEPA"):
                    yield Hit(f"{place}.scheme", text(scheme), term=term)

    return check


def summed(facts: Facts) -> bool:
    """There are totals, more of them than the tax total, which UBL states elsewhere."""
    totals = facts.totals
    return any(one is not None for one in (totals.lines, totals.net, totals.gross, totals.prepaid, totals.due))


def due(facts: Facts) -> Iterable[Hit]:
    """BR-DEX-09: BT-115 = BT-112 - BT-113 + BT-114 + payments to third parties. It stands for BR-CO-16."""
    totals = facts.totals
    third = sum(facts.values("payment.prepaid[].amount"), ZERO)
    if totals.gross is None or totals.due is None:
        yield Hit("$.totals.due", text(totals.due))
        return
    expected = totals.gross - (totals.prepaid or ZERO) + third
    if nearest(totals.due - (totals.rounding or ZERO)) != nearest(expected):
        yield Hit("$.totals.due", text(totals.due), text(expected + (totals.rounding or ZERO)))


def cents(prepaid: Prepaid) -> bool:
    return prepaid.amount is None or decimals(prepaid.amount) <= 2


def foreign(facts: Facts) -> Iterable[Hit]:
    """BR-DEX-14: a payment is in the invoice currency. The model holds no other; the reader tells of one.

    A payment without an amount is in no currency, and breaks it too.
    """
    for finding in facts.read:
        if finding.rule == "EINV-READ-06" and finding.term == "EX-43":
            yield Hit(finding.path, finding.found, place=finding.place)
    for place, one in facts.places("payment.prepaid[]"):
        if one.amount is None:
            yield Hit(f"{place}.amount")


def parents(facts: Facts) -> Iterable[Hit]:
    """BR-DEX-15: CII has no agreed use of parent lines yet."""
    for place, parent in facts.places("lines[].parent"):
        yield Hit(place, text(parent))


_PARTY = (("BT-29-1", "seller.identifiers[]"), ("BT-46-1", "buyer.identifiers[]"), ("BT-60-1", "payee.identifiers[]"))
_LEGAL = (("BT-30-1", "seller.legal_id"), ("BT-47-1", "buyer.legal_id"), ("BT-61-1", "payee.legal_id"))
_ICD, _EAS = "xrechnung_identifier_schemes", "xrechnung_endpoint_schemes"

_EXTENSION: tuple[Rule, ...] = (
    Rule("BR-DEX-01", "BT-125-1", mime, text="CODE", codes="mime_types"),
    Rule("BR-DEX-02", "BT-131", sub_sums, Severity.WARNING),
    Rule("BR-DEX-03", "BT-151", sub_taxes),
    Rule("BR-DEX-04", "BT-29-1", schemes(_ICD, _PARTY), text="CODE", codes=_ICD),
    Rule("BR-DEX-05", "BT-30-1", schemes(_ICD, _LEGAL), text="CODE", codes=_ICD),
    Rule("BR-DEX-06", "BT-157-1", schemes(_ICD, (("BT-157-1", "lines[**].item.standard_id"),)),
         text="CODE", codes=_ICD),
    Rule("BR-DEX-07", "BT-34-1", schemes(_EAS, (("BT-34-1", "seller.endpoint"), ("BT-49-1", "buyer.endpoint"))),
         text="CODE", codes=_EAS),
    Rule("BR-DEX-08", "BT-71-1", schemes(_ICD, (("BT-71-1", "delivery.location"),)), text="CODE", codes=_ICD),
    Rule("BR-DEX-09", "BT-115", when(summed, due)),
    Rule("BR-DEX-10", "EX-42", states("payment.prepaid[]", "type")),
    Rule("BR-DEX-11", "EX-43", states("payment.prepaid[]", "amount"), stated=True),
    Rule("BR-DEX-12", "EX-45", states("payment.prepaid[]", "reference")),
    Rule("BR-DEX-13", "EX-43", every("payment.prepaid[]", cents, "amount"), text="DECIMALS"),
    Rule("BR-DEX-14", "EX-43", unless_empty(foreign, "PrepaidPayment/PaidAmount")),
    Rule("BR-DEX-15", "EX-80", parents, Severity.WARNING, syntax="cii"),
)  # fmt: skip

# --- clean vehicles ---------------------------------------------------------------------------------------------------


def _marked(line: Line) -> tuple[int, int]:
    """How many classifications of scheme CVD, and how many attributes cva, an item has."""
    if line.item is None:
        return 0, 0
    return (sum(one.scheme == "CVD" for one in line.item.classifications),
            sum(one.name == "cva" for one in line.item.attributes))  # fmt: skip


def any_vehicle(facts: Facts) -> Iterable[Hit]:
    """BR-DE-CVD-03: one line at least is a vehicle, with its class and whether it is clean."""
    return () if any(all(_marked(line)) for line in facts.lines) else (Hit("$.lines"),)


def paired(leading: int, leaf: str) -> Check:
    """BR-DE-CVD-06: what has the one mark has exactly one of the other."""

    def check(facts: Facts) -> Iterable[Hit]:
        for at, line in enumerate(facts.lines):
            marks = _marked(line)
            if marks[leading] and marks[1 - leading] != 1:
                yield Hit(f"$.lines[{at}].item.{leaf}", str(marks[1 - leading]), "1")

    return check


def classes(passes: Test, leaf: str) -> Check:
    return every("lines[].item.classifications[]", passes, leaf)


def scheme_known(facts: Facts) -> Iterable[Hit]:
    """BR-TMP-CVD-01."""
    known = facts.codes("item_classes") | {"CVD"}
    return classes(lambda one: (one.scheme or "").strip() in known, "scheme")(facts)


_VEHICLES: tuple[Rule, ...] = (
    Rule("BR-DE-CVD-01", "BT-12", states("", "contract.id")),
    Rule("BR-DE-CVD-02", "BT-17", states("", "tender_reference")),
    Rule("BR-DE-CVD-03", "BT-158", any_vehicle),
    Rule("BR-DE-CVD-04", "BT-158",
         classes(lambda one: (one.scheme or "").strip() != "CVD" or (one.code or "").strip() in VEHICLES, "code")),
    Rule("BR-DE-CVD-05", "BT-161",
         every("lines[].item.attributes[]", lambda one: one.name != "cva" or (one.value or "").strip() in CLEAN,
               "value")),
    Rule("BR-DE-CVD-06-a", "BT-160", paired(0, "attributes")),
    Rule("BR-DE-CVD-06-b", "BT-158", paired(1, "classifications")),
    Rule("BR-TMP-CVD-01", "BT-158-1", scheme_known, text="CODE", codes="item_classes"),
)  # fmt: skip

#: Published for UBL alone.
_UBL = frozenset({"BR-DEX-02", "BR-DEX-03", *(f"BR-DEX-{number:02}" for number in range(9, 15))})
RULES: tuple[Rule, ...] = (
    *(
        replace(rule, check=when(is_ubl_extension if rule.id in _UBL else is_extension, rule.check))
        for rule in _EXTENSION
    ),
    *(replace(rule, check=when(is_vehicles, rule.check)) for rule in _VEHICLES),
)
