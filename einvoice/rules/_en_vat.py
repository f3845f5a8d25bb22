"""EN 16931-1, the VAT categories: one set of functions, made into rules once per category.

What differs from category to category is a row of :data:`FAMILIES`. Rules 01 to 10 exist in each of them; 11 to 14
are of K (intra-community) and O (not subject to VAT), and B (split payment) has two of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from ..model import Tax
from ._checks import text
from ._facts import ZERO, Facts, nearest
from ._rule import Hit, Rule
from ._vat import Category


@dataclass(frozen=True, slots=True)
class Family:
    """How one category is to be stated.

    name    as in the rule ids: the rules of K are called IC, those of L and M AF and AG
    many    several rows of the breakdown may be of it, one a rate; otherwise exactly one
    seller  who sells: ``tax`` any tax registration, ``vat`` a VAT identifier, ``none`` neither party has one
    buyer   who buys: ``vat`` a VAT identifier, ``legal`` that or a legal registration, empty: anyone
    rate    ``zero``, ``positive``, ``not-negative`` or ``none``
    exempt  an exemption reason is due (True) or out of place (False)
    """

    code: str
    name: str
    many: bool
    seller: str
    buyer: str
    rate: str
    exempt: bool

    @property
    def taxed(self) -> bool:
        return self.many


FAMILIES = (
    Family("S", "S", True, "tax", "", "positive", exempt=False),
    Family("Z", "Z", False, "tax", "", "zero", exempt=False),
    Family("E", "E", False, "tax", "", "zero", exempt=True),
    Family("AE", "AE", False, "tax", "legal", "zero", exempt=True),
    Family("K", "IC", False, "vat", "vat", "zero", exempt=True),
    Family("G", "G", False, "vat", "", "zero", exempt=True),
    Family("O", "O", False, "none", "", "none", exempt=True),
    Family("L", "AF", True, "tax", "", "not-negative", exempt=False),
    Family("M", "AG", True, "tax", "", "not-negative", exempt=False),
)

#: Where a category is stated: the number of the party rule, of the rate rule, the place, category term, rate term.
WHERE = (
    ("02", "05", "lines", "BT-151", "BT-152"),
    ("03", "06", "allowances", "BT-95", "BT-96"),
    ("04", "07", "charges", "BT-102", "BT-103"),
)
RATES: dict[str, Callable[[Decimal | None], bool]] = {
    "zero": lambda rate: rate is not None and rate == 0,
    "positive": lambda rate: rate is not None and rate > 0,
    "not-negative": lambda rate: rate is not None and rate >= 0,
    "none": lambda rate: rate is None,
}


def breakdown_rows(family: Family, facts: Facts) -> Iterator[Hit]:
    """-01: a category that is used is in the breakdown, exactly once or at least once.

    UBL counts S, and CII every category, under any tax scheme.
    """
    category = facts.vat[family.code]
    count, stated = len(category.rows), category.stated
    if family.code == "S" or facts.syntax == "cii":
        count, stated = category.named_rows, category.named
    good = bool(count) == stated if family.many else count == 1
    if facts.syntax == "cii":
        good = _rows_of_cii(family, category)
    if not good and (count or stated):
        yield Hit("$.tax_breakdown", str(count), "1" if stated else "0")


def _rows_of_cii(family: Family, category: Category) -> bool:
    """CII: a row wants a use; O may be used without a row; for several rates two statements of any kind are enough."""
    count = category.named_rows
    if not family.many:
        return count == (1 if category.named else 0) or (family.code == "O" and not count)
    entries = len(category.allowances) + len(category.charges)
    return all(not used or used + count >= 2 for used in (len(category.lines), entries))


def parties(family: Family, where: str, facts: Facts) -> Iterator[Hit]:
    """-02 to -04: where the category is used, the parties are registered as it demands."""
    category = facts.vat[family.code]
    used = getattr(category, where) or (where == "lines" and _on_sub_lines(facts, family.code))
    if not used:
        return
    if family.seller == "none":
        roles = (("seller", "BT-31"), ("tax_representative", "BT-63"), ("buyer", "BT-48"))
        yield from (Hit(path, text(value), term=term) for role, term in roles for path, value in facts.vat_ids(role))
        return
    own = facts.tax_ids("seller") if family.seller == "tax" else facts.vat_ids("seller")
    if not own and not facts.vat_ids("tax_representative"):
        yield Hit("$.seller.vat_id")
    if family.buyer and not facts.vat_ids("buyer") and not (family.buyer == "legal" and _legal(facts)):
        yield Hit("$.buyer.vat_id", term="BT-48")


def _legal(facts: Facts) -> bool:
    return facts.buyer.legal_id is not None and facts.buyer.legal_id.value is not None


def _on_sub_lines(facts: Facts, code: str) -> bool:
    return any(tax.category == code and facts.is_vat(tax) for tax in facts.values("lines[**].taxes[]"))


def rate(family: Family, where: str, facts: Facts) -> Iterator[Hit]:
    """-05 to -07: the rate is zero, positive, or left out, as the category demands. CII wants L above zero."""
    strict = family.code == "L" and facts.syntax == "cii"
    passes = RATES["positive" if strict else family.rate]
    for at, tax in getattr(facts.vat[family.code], where):
        if not passes(tax.rate):
            yield Hit(f"$.{where}[{at}].taxes[0].rate", text(tax.rate))


def base(family: Family, facts: Facts) -> Iterator[Hit]:
    """-08: BT-116 is the sum of what is in the category, and in the rate where there are several.

    As the bindings have it: UBL is exact for the untaxed categories and within 1.00 for the taxed, CII the reverse,
    and both are exact for O. CII never tests L and M.
    """
    if facts.syntax == "cii" and family.code in ("L", "M"):
        return
    category = facts.vat[family.code]
    for at, row in category.rows:
        if family.many and row.rate is None:
            continue
        expected = category.by_rate.get(row.rate or ZERO, ZERO) if family.many else category.total
        if not _base_agrees(family, category, row, expected, facts):
            yield Hit(f"$.tax_breakdown[{at}].base", text(row.base), text(expected))


def _base_agrees(family: Family, category: Category, row: Tax, expected: Decimal, facts: Facts) -> bool:
    if row.base is None:
        return False
    cii = facts.syntax == "cii"
    used = row.rate in category.by_rate if family.code == "S" else bool(facts.lines)
    if not used and not cii:
        return False
    near = family.many != cii and family.code != "O"
    return abs(row.base - expected) < 1 if near else row.base == (nearest(expected) if cii else expected)


def tax(family: Family, facts: Facts) -> Iterator[Hit]:
    """-09: BT-117 is zero, or within 1.00 of BT-116 times BT-119. CII leaves that to BR-CO-17 for L and M."""
    if facts.syntax == "cii" and family.code in ("L", "M"):
        return
    for at, row in facts.vat[family.code].rows:
        expected = ZERO
        if family.taxed:
            known = row.base is not None and row.rate is not None
            expected = nearest(abs(row.base or ZERO) * (row.rate or ZERO) / 100)
            good = known and row.amount is not None and abs(abs(row.amount) - expected) < 1
        else:
            good = row.amount is not None and row.amount == 0
        if not good:
            yield Hit(f"$.tax_breakdown[{at}].amount", text(row.amount), text(expected))


def reason(family: Family, facts: Facts) -> Iterator[Hit]:
    """-10: an exemption reason, as text or code, is given or left out."""
    for at, row in facts.vat[family.code].rows:
        given = row.exemption_reason is not None or row.exemption_code is not None
        if given != family.exempt:
            found = row.exemption_code or row.exemption_reason
            yield Hit(f"$.tax_breakdown[{at}].exemption_reason", text(found))


def delivered(facts: Facts) -> Iterable[Hit]:
    """BR-IC-11: an intra-community supply states when it was delivered, or the invoicing period."""
    invoice = facts.invoice
    period = invoice.period is not None and (invoice.period.start or invoice.period.end) is not None
    when = period or (invoice.delivery is not None and invoice.delivery.date is not None)
    coded = invoice.tax_point_code is not None and facts.syntax != "cii"  # UBL writes BT-8 into the period
    if facts.vat["K"].rows and not when and not coded:
        yield Hit("$.delivery.date")


def delivered_to(facts: Facts) -> Iterable[Hit]:
    """BR-IC-12: an intra-community supply states the country it was delivered to."""
    delivery = facts.invoice.delivery
    country = delivery.address.country if delivery and delivery.address else None
    if facts.vat["K"].rows and (country is None or len(country.strip()) < 2):
        yield Hit("$.delivery.address.country", text(country))


def alone(paths: Mapping[str, str], facts: Facts) -> Iterator[Hit]:
    """BR-O-11 to -14: beside category O in the breakdown there is no other category; *paths* says where, by syntax."""
    if not facts.vat["O"].rows:
        return
    for path in paths.get(facts.syntax, paths[""]).split():
        for place, tax in facts.places(path):
            if tax.category != "O" and facts.is_vat(tax):
                yield Hit(f"{place}.category", text(tax.category))


def italian(facts: Facts) -> Iterator[Hit]:
    """BR-B-01: split payment is for domestic Italian invoices: every country in it is Italy."""
    if not _states(facts, "B"):
        return
    paths = ("seller.address.country", "buyer.address.country", "tax_representative.address.country",
             "delivery.address.country", "lines[**].item.origin_country")  # fmt: skip
    for path in paths:
        yield from (Hit(place, text(country), "IT") for place, country in facts.places(path) if country != "IT")


def not_standard(facts: Facts) -> Iterator[Hit]:
    """BR-B-02: split payment and standard rate do not go together."""
    if _states(facts, "B") and _states(facts, "S"):
        yield Hit("$.tax_breakdown", "S")


def _states(facts: Facts, code: str) -> bool:
    category = facts.vat.get(code)
    return category is not None and (category.stated or bool(category.rows))


def _family_rules(family: Family) -> Iterator[Rule]:
    code, name = family.code, f"BR-{family.name}"
    party = {"tax": "VAT-SELLER", "vat": "VAT-SELLER-ID", "none": "VAT-NO-IDS"}[family.seller]
    party = {"vat": "VAT-BOTH-IDS", "legal": "VAT-BOTH"}.get(family.buyer, party)
    yield Rule(f"{name}-01", "BT-118", partial(breakdown_rows, family), category=code,
               text="VAT-ROWS" if family.many else "VAT-ROW")  # fmt: skip
    for number, _, where, _, _ in WHERE:
        yield Rule(f"{name}-{number}", "BT-31", partial(parties, family, where), text=party, category=code)
    for _, number, where, _, term in WHERE:
        yield Rule(f"{name}-{number}", term, partial(rate, family, where), category=code, stated=family.taxed,
                   text=f"VAT-RATE-{family.rate.upper()}")  # fmt: skip
    yield Rule(f"{name}-08", "BT-116", partial(base, family), text="VAT-BASE", category=code)
    yield Rule(f"{name}-09", "BT-117", partial(tax, family), category=code,
               text="VAT-TAX" if family.taxed else "VAT-NO-TAX")  # fmt: skip
    yield Rule(f"{name}-10", "BT-120", partial(reason, family), category=code,
               text="VAT-REASON" if family.exempt else "VAT-NO-REASON")  # fmt: skip


_ROWS, _LINES = "tax_breakdown[]", "lines[**].taxes[]"
_ALLOWANCES, _CHARGES = "allowances[].taxes[]", "charges[].taxes[]"
#: Where no other category may be beside O. CII looks at lines and breakdown together, and at both kinds of entries.
_ALONE: tuple[tuple[str, str, Mapping[str, str]], ...] = (
    ("BR-O-11", "BT-118", {"": _ROWS, "cii": f"{_ROWS} {_LINES}"}),
    ("BR-O-12", "BT-151", {"": _LINES, "cii": f"{_ROWS} {_LINES}"}),
    ("BR-O-13", "BT-95", {"": _ALLOWANCES, "cii": f"{_ALLOWANCES} {_CHARGES}"}),
    ("BR-O-14", "BT-102", {"": _CHARGES, "cii": f"{_ALLOWANCES} {_CHARGES}"}),
)

RULES: tuple[Rule, ...] = (
    *(rule for family in FAMILIES for rule in _family_rules(family)),
    Rule("BR-IC-11", "BT-72", delivered, category="K", stated=True),
    Rule("BR-IC-12", "BT-80", delivered_to, category="K"),
    *(Rule(id_, term, partial(alone, paths), text="VAT-ALONE", category="O") for id_, term, paths in _ALONE),
    Rule("BR-B-01", "BT-40", italian, category="B"),
    Rule("BR-B-02", "BT-118", not_standard, category="B"),
)
