"""EN 16931-1, BR-CO: sums, and what one term demands of another.

Comparisons follow the official bindings, because the same verdict is what counts: sums are rounded to the cent
before they are compared, and a tax amount may be off by less than 1.00 (BR-CO-17). The exact arithmetic stands
beside, in ``totals.differences``.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from ..errors import Finding
from ..model import Tax, is_credit
from ._checks import states_one, text
from ._empty import steps
from ._en_presence import reasoned
from ._facts import ZERO, Facts, nearest
from ._rule import Check, Hit, Rule

ONE = Decimal(1)
#: What holds the tax total in CII.
_HOLD_TAX = ("HeaderMonetarySummation", "ApplicableHeaderTradeSettlement", "SupplyChainTradeTransaction")


def differs(path: str, stated: Decimal | None, expected: Decimal | None) -> Iterable[Hit]:
    """A hit when *stated* is not *expected*, an absent number included."""
    if stated is None or expected is None or stated != expected:
        yield Hit(path, text(stated), text(expected))


def line_total(facts: Facts) -> Iterable[Hit]:
    """BR-CO-10: BT-106 = sum of BT-131."""
    return differs("$.totals.lines", facts.totals.lines, nearest(facts.line_sum))


def allowance_total(facts: Facts) -> Iterable[Hit]:
    """BR-CO-11: BT-107 = sum of BT-92; both may be absent."""
    if facts.totals.allowances is None and not facts.allowances and not _unread(facts, "BT-107"):
        return ()
    return differs("$.totals.allowances", facts.totals.allowances, nearest(facts.allowance_sum))


def charge_total(facts: Facts) -> Iterable[Hit]:
    """BR-CO-12: BT-108 = sum of BT-99; both may be absent."""
    if facts.totals.charges is None and not facts.charges and not _unread(facts, "BT-108"):
        return ()
    return differs("$.totals.charges", facts.totals.charges, nearest(facts.charge_sum))


def _unread(facts: Facts, term: str) -> bool:
    """*term* is stated, and no number."""
    return bool(facts.read) and any(one.term == term and one.rule == "EINV-READ-03" for one in facts.read)


def net_total(facts: Facts) -> Iterable[Hit]:
    """BR-CO-13: BT-109 = BT-106 - BT-107 + BT-108."""
    totals = facts.totals
    if totals.lines is None:
        expected = None
    elif totals.allowances is None and totals.charges is None and facts.syntax != "cii":
        expected = totals.lines
    else:
        expected = nearest(totals.lines - (totals.allowances or ZERO) + (totals.charges or ZERO))
    return differs("$.totals.net", totals.net, expected)


def tax_total(facts: Facts) -> Iterable[Hit]:
    """BR-CO-14: BT-110 = sum of BT-117. UBL asks it where there is a breakdown, CII where there is a BT-110."""
    if facts.totals.tax is None if facts.syntax == "cii" else not facts.rows:
        return ()
    return differs("$.totals.tax", facts.totals.tax, nearest(facts.tax_sum))


def gross_total(facts: Facts) -> Iterable[Hit]:
    """BR-CO-15: BT-112 = BT-109 + BT-110, and BT-110 is stated in the invoice currency.

    CII also passes a total that is the same with and without VAT.
    """
    totals = facts.totals
    if facts.invoice.currency is None or (
        facts.syntax == "cii" and totals.gross is not None and totals.gross == totals.net
    ):
        return ()
    if totals.net is None or totals.tax is None or any(map(_not_one_tax, facts.read)):
        expected = None
    else:
        expected = nearest(totals.net + totals.tax)
    return differs("$.totals.gross", totals.gross, expected)


def _not_one_tax(finding: Finding) -> bool:
    """The reader says that BT-110 is in another currency, of CII so of the whole document, or that it stands twice."""
    root = "CrossIndustryInvoice" in finding.place and finding.place.count("/") == 1
    twice = finding.rule == "EINV-READ-02" and steps(finding.place).endswith(_HOLD_TAX)
    return twice or (finding.rule == "EINV-READ-06" and (finding.term == "BT-110" or root))


def due(facts: Facts) -> Iterable[Hit]:
    """BR-CO-16: BT-115 = BT-112 - BT-113 + BT-114."""
    totals = facts.totals
    if totals.gross is None or totals.due is None:
        yield Hit("$.totals.due", text(totals.due))
        return
    expected = totals.gross - (totals.prepaid or ZERO) + (totals.rounding or ZERO)
    if not _agrees_due(facts, expected):
        yield Hit("$.totals.due", text(totals.due), text(expected))


def _agrees_due(facts: Facts, expected: Decimal) -> bool:
    totals = facts.totals
    assert totals.due is not None
    assert totals.gross is not None
    if facts.syntax == "cii":
        return totals.due == expected
    left, right = totals.due, totals.gross
    if totals.rounding is not None:
        left = nearest(left - totals.rounding)
    if totals.prepaid is not None:
        right = nearest(right - totals.prepaid)
    return left == right


def tax_of_row(facts: Facts, row: Tax) -> bool:
    """BR-CO-17 for one row: BT-117 is within 1.00 of BT-116 times BT-119."""
    amount = row.amount
    if amount is None:
        return False
    rate = row.rate if facts.is_vat(row) else None
    if rate is None or nearest(rate, ONE) == 0:
        return nearest(amount, ONE) == 0
    if row.base is None:
        return False
    distance = abs(abs(amount) - nearest(abs(row.base) * rate / 100))
    return distance <= 1 if facts.syntax == "cii" else distance < 1


def tax_amounts(facts: Facts) -> Iterable[Hit]:
    """BR-CO-17."""
    for at, row in facts.rows:
        if not tax_of_row(facts, row):
            expected = None if row.base is None else nearest(row.base * (row.rate or ZERO) / 100)
            yield Hit(f"$.tax_breakdown[{at}].amount", text(row.amount), text(expected))


def has_breakdown(facts: Facts) -> Iterable[Hit]:
    """BR-CO-18. CII asks it of each line, so not where there is none."""
    spared = facts.syntax == "cii" and not facts.lines
    return () if facts.rows or spared else (Hit("$.tax_breakdown"),)


def one_tax_point(facts: Facts) -> Iterable[Hit]:
    """BR-CO-03: a tax point is a date or a code, not both."""
    invoice = facts.invoice
    if invoice.tax_point_date is not None and invoice.tax_point_code is not None:
        yield Hit("$.tax_point_code", invoice.tax_point_code)


def line_category(facts: Facts) -> Iterable[Hit]:
    """BR-CO-04: each line has a VAT category."""
    for at, line in enumerate(facts.lines):
        for tax in line.taxes:
            if tax.category is not None and (tax.scheme == "VAT" or facts.is_vat(tax)):
                break
        else:
            yield Hit(f"$.lines[{at}].taxes")


def vat_prefix(facts: Facts) -> Iterable[Hit]:
    """BR-CO-09: a VAT identifier begins with the code of its country; Greece may use EL."""
    known = facts.codes("vat_prefixes")
    roles = (("seller", "BT-31"), ("buyer", "BT-48"), ("tax_representative", "BT-63"))
    for role, term in roles:
        for path, value in facts.vat_ids(role):
            if value[:2] not in known:
                yield Hit(path, text(value), term=term)


def period_filled(facts: Facts) -> Iterable[Hit]:
    """BR-CO-19: an invoicing period has a start or an end; in UBL a tax point code may stand there alone."""
    period = facts.invoice.period
    alone = facts.syntax != "cii" and facts.invoice.tax_point_code is not None
    if period is not None and period.start is None and period.end is None and not alone:
        yield Hit("$.period.start")


def due_date_or_terms(facts: Facts) -> Iterable[Hit]:
    """BR-CO-25 (until 1.3.14): what is to be paid has a due date or payment terms. UBL asks it of invoices alone."""
    owed = facts.totals.due
    if owed is None or owed <= 0 or (facts.syntax != "cii" and is_credit(facts.invoice)):
        return
    if facts.invoice.due_date is None and facts.payment.terms is None:
        yield Hit("$.due_date")


def seller_known(facts: Facts) -> Iterable[Hit]:
    """BR-CO-26: the buyer can tell who the seller is: an identifier, a legal registration or a VAT identifier."""
    seller = facts.invoice.seller
    if seller is None and not any(map(_empty_seller, facts.read)):  # that is BR-06 and BR-08
        return
    seller = facts.seller
    legal = seller.legal_id is not None and seller.legal_id.value is not None
    own = any(one.value is not None for one in seller.identifiers)
    if not (legal or own or facts.vat_ids("seller")):
        yield Hit("$.seller.identifiers")


def _empty_seller(finding: Finding) -> bool:
    return finding.rule == "EINV-READ-07" and steps(finding.place).endswith("/AccountingSupplierParty")


def never(facts: Facts) -> Iterable[Hit]:
    """BR-CO-05 to -08: whether a reason and its code mean the same is for people; no release tests it."""
    return ()


_period: Check = states_one("lines[].period", "start", "end")

RULES: tuple[Rule, ...] = (
    Rule("BR-CO-03", "BT-8", one_tax_point),
    Rule("BR-CO-04", "BT-151", line_category),
    Rule("BR-CO-05", "BT-98", never, text="SAME-REASON"),
    Rule("BR-CO-06", "BT-105", never, text="SAME-REASON"),
    Rule("BR-CO-07", "BT-140", never, text="SAME-REASON"),
    Rule("BR-CO-08", "BT-145", never, text="SAME-REASON"),
    Rule("BR-CO-09", "BT-31", vat_prefix, codes="vat_prefixes"),
    Rule("BR-CO-10", "BT-106", line_total),
    Rule("BR-CO-11", "BT-107", allowance_total),
    Rule("BR-CO-12", "BT-108", charge_total),
    Rule("BR-CO-13", "BT-109", net_total),
    Rule("BR-CO-14", "BT-110", tax_total),
    Rule("BR-CO-15", "BT-112", gross_total),
    Rule("BR-CO-16", "BT-115", due),
    Rule("BR-CO-17", "BT-117", tax_amounts),
    Rule("BR-CO-18", "BG-23", has_breakdown),
    Rule("BR-CO-19", "BG-14", period_filled, within="period"),
    Rule("BR-CO-20", "BG-26", _period, within="lines[].period"),
    Rule("BR-CO-21", "BT-97", reasoned("allowances[]"), within="allowances[]"),
    Rule("BR-CO-22", "BT-104", reasoned("charges[]"), within="charges[]"),
    Rule("BR-CO-23", "BT-139", reasoned("lines[].allowances[]"), within="lines[].allowances[]"),
    Rule("BR-CO-24", "BT-144", reasoned("lines[].charges[]"), within="lines[].charges[]"),
    Rule("BR-CO-25", "BT-9", due_date_or_terms, stated=True, there=("ubl", "cii")),
    Rule("BR-CO-26", "BT-29", seller_known),
)
