"""Rules that Peppol BIS Billing, XRechnung and PINT publish alike, each under ids of its own.

They stand here once, under the number that Peppol gave them, and a pack takes those that it has. More of them, which
depend on what a reader tells, are in ``peppol_bis_3``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_DOWN, Decimal

from ..errors import Finding, Severity
from ..model import AllowanceCharge, Line, Price
from ..money import parse, total
from ._checks import every, joined, states, text
from ._cius import SLACK, percentage
from ._empty import steps
from ._facts import ZERO, Facts, nearest
from ._rule import Check, Hit, ReaderRule, Rule, same_line

#: Sums in forint are given in whole numbers.
FORINT = Decimal("0.5")
ENTRIES = ("allowances[]", "charges[]", "lines[].allowances[]", "lines[].charges[]")
_DIGITS = Decimal("1e-18")
#: UNCL4461: direct debits.
DEBITS = frozenset({"49", "59"})


def never(facts: Facts) -> Iterable[Hit]:
    """Nothing: only a reader can tell, see ``Pack.reader``."""
    return ()


def slack(facts: Facts) -> Decimal:
    return FORINT if facts.invoice.currency == "HUF" else SLACK


def second_currency(facts: Facts) -> Iterable[Hit]:
    """R005: the accounting currency is another one than the invoice's."""
    invoice = facts.invoice
    stated, own = (invoice.tax_currency or "").strip(), (invoice.currency or "").strip()
    if stated and stated == own:
        yield Hit("$.tax_currency", text(stated))


def empty(facts: Facts) -> Iterable[Hit]:
    """R008: no element is empty. The model holds none; the reader tells."""
    for element, finding in empties(facts):
        yield Hit(finding.path, element.rpartition("/")[2], term=finding.term, place=finding.place)


def empties(facts: Facts) -> Iterator[tuple[str, Finding]]:
    """(steps of its path, finding) of each element that the reader found empty, also where it passed it over.

    CII demands one element where nothing need be stated; it is spared.
    """
    for one in facts.read:
        path = steps(one.place)
        passed_over = one.rule in ("EINV-READ-01", "EINV-READ-08") and not one.found
        spared = "/@" in path or path.endswith("ApplicableHeaderTradeDelivery")
        if (one.rule == "EINV-READ-07" or passed_over) and not spared:
            yield path, one


def unless_empty(check: Check, *elements: str) -> Check:
    """*check*, unless the source has one of *elements* with nothing in it: then it is stated, and R008 broken.

    Where the reader tells the path of an empty element the rules find it there, see ``_empty``; this is for the rest.
    """

    def stated_empty(facts: Facts) -> bool:
        return any(f"/{path}".endswith(f"/{element}") for path, _ in empties(facts) for element in elements)

    return lambda facts: () if facts.read and stated_empty(facts) else check(facts)


def percentages(facts: Facts) -> Iterable[Hit]:
    """R040: an allowance or charge is its base times its percentage."""
    return joined(*(percentage(path, slack(facts)) for path in ENTRIES))(facts)


def paired(given: str, leaf: str) -> Check:
    """R041, R042: an allowance or charge that states *given* states *leaf*."""

    def passes(entry: AllowanceCharge) -> bool:
        return getattr(entry, given) is None or getattr(entry, leaf) is not None

    return joined(*(every(path, passes, leaf) for path in ENTRIES))


def gross_price(facts: Facts) -> Iterable[Hit]:
    """R046: the net price is the gross price less the discount; UBL has no gross price without a discount."""
    for place, price in facts.places("lines[].price"):
        expected = _expected(price, facts.syntax, _discount(facts, place, price))
        if price.gross is not None and (price.net is None or price.net != expected):
            yield Hit(f"{place}.net", text(price.net), text(expected))


def _expected(price: Price, syntax: str, discount: Decimal | None) -> Decimal | None:
    if price.gross is None or (discount is None and syntax == "ubl"):
        return None
    return price.gross - (discount or ZERO)


def _discount(facts: Facts, place: str, price: Price) -> Decimal | None:
    """BT-147; in CII also an amount that is not said to be an allowance, and so passed over by the reader."""
    if price.discount is not None or facts.syntax != "cii":
        return price.discount
    return next((parse(one.found) for one in facts.read
                 if one.rule == "EINV-READ-01" and same_line(place, one.place)
                 and steps(one.place).endswith("GrossPriceProductTradePrice/AppliedTradeAllowanceCharge/ActualAmount")),
                None)  # fmt: skip


def foreign_tax(facts: Facts) -> bool:
    """The tax total was stated in another currency than the invoice's, as its reader told."""
    return any(one.rule == "EINV-READ-06" and one.term == "BT-110" for one in facts.read)


def same_sign(facts: Facts) -> Iterable[Hit]:
    """R055: both tax totals have one sign."""
    if facts.invoice.tax_currency is None:
        return
    own = None if foreign_tax(facts) else facts.totals.tax
    pair = (own, facts.totals.tax_accounting)
    if facts.invoice.tax_currency == facts.invoice.currency:
        pair = (own, own)
    stated = [amount for amount in pair if amount is not None]
    if len(stated) < 2 or not (all(one <= 0 for one in stated) or all(one >= 0 for one in stated)):
        yield Hit("$.totals.tax_accounting", text(pair[1]), text(pair[0]))


def mandates(facts: Facts) -> Iterable[Hit]:
    """R061: a direct debit names its mandate."""
    for place, means in facts.places("payment.means[]"):
        if (means.code or "").strip() in DEBITS and (means.debit is None or means.debit.mandate is None):
            yield Hit(f"{place}.debit.mandate")


def within(leaf: str, passes: Callable[[date, date], bool]) -> Check:
    """R110, R111: a line's period lies within the invoicing period."""

    def check(facts: Facts) -> Iterable[Hit]:
        limit: date | None = getattr(facts.invoice.period, leaf, None)
        if limit is None:
            return
        for place, period in facts.places("lines[].period"):
            stated = getattr(period, leaf)
            if stated is not None and not passes(stated, limit):
                yield Hit(f"{place}.{leaf}", str(stated), str(limit))

    return check


def line_amount(line: Line) -> Decimal:
    """What BT-131 is to be: quantity times price by base quantity, plus charges, less allowances.

    A quantity or base left out, and a base of zero, is one; a price left out nothing. The price of one unit has 18
    digits behind the point, as XPath divides.
    """
    price = line.price or Price()
    one = price.net or ZERO
    if price.base_quantity:
        one = (one / price.base_quantity).quantize(_DIGITS, ROUND_HALF_DOWN)
    amount = one * (Decimal(1) if line.quantity is None else line.quantity)
    return (
        amount
        + nearest(total(entry.amount for entry in line.charges))
        - nearest(total(entry.amount for entry in line.allowances))
    )


def positive_base(price: Price) -> bool:
    """R121."""
    return price.base_quantity is None or price.base_quantity > 0


def same_unit(facts: Facts) -> Iterable[Hit]:
    """R130: the price is per the unit that is invoiced."""
    if all(line.price is None or line.price.base_unit in (None, line.unit) for line in facts.values("lines[**]")):
        return
    for place, line in facts.places("lines[**]"):
        unit = line.price.base_unit if line.price else None
        if unit is not None and line.quantity is not None and unit != line.unit:
            yield Hit(f"{place}.price.base_unit", text(unit), text(line.unit))


_BOTH = ("ubl", "cii")
_RULES = (
    Rule("R001", "BT-23", states("", "process"), there=_BOTH),
    Rule("R005", "BT-6", second_currency),
    Rule("R008", "", empty),
    Rule("R010", "BT-49", states("buyer", "endpoint.value"), there=_BOTH),
    Rule("R020", "BT-34", states("seller", "endpoint.value"), there=_BOTH),
    Rule("R040", "BT-92", percentages),
    Rule("R041", "BT-93", paired("percent", "base"), there=_BOTH),
    Rule("R042", "BT-94", paired("base", "percent"), there=_BOTH),
    Rule("R046", "BT-146", gross_price),
    Rule("R055", "BT-111", same_sign),
    Rule("R061", "BT-89", unless_empty(mandates, "SpecifiedTradePaymentTerms/DirectDebitMandateID")),
    Rule("R110", "BT-134", within("start", lambda stated, limit: stated >= limit)),
    Rule("R111", "BT-135", within("end", lambda stated, limit: stated <= limit)),
    Rule("R121", "BT-149", every("lines[].price", positive_base, "base_quantity")),
    Rule("R130", "BT-150", same_unit),
)


def named(ids: Mapping[str, str], severity: Mapping[str, Severity]) -> Iterator[Rule]:
    """The rules under the ids of a pack: *ids* maps its id to the number here."""
    known = {rule.id: rule for rule in _RULES}
    for own, number in ids.items():
        yield replace(known[number], id=own, text=number, severity=severity.get(own, Severity.FATAL))


def second_entity(party: str, name: str, number: str) -> Iterator[ReaderRule]:
    """A second legal entity of a party, or a second *name* or *number* in it, as the ids of a pack.

    Of a second entity the reader tells the text: a word with a digit is a number, one with letters alone a name.
    """
    entity = f"Accounting{party}Party/Party/PartyLegalEntity"
    yield ReaderRule("EINV-READ-02", entity, name, holds=r"(?:^|\s)[^\W\d]+(?:\s|$)")
    yield ReaderRule("EINV-READ-02", f"{entity}/RegistrationName", name)
    yield ReaderRule("EINV-READ-02", entity, number, holds=r"\d\S*$")
    yield ReaderRule("EINV-READ-02", f"{entity}/CompanyID", number)
