"""Our own checks of dates and references: what no law may refuse, and nearly always is a slip."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

from ..codes import codes
from ..errors import Severity
from ..model import is_credit
from ._checks import joined, text
from ._facts import ZERO, Facts, missing
from ._rule import Check, Hit, Rule

_W = Severity.WARNING
#: Goods that come later than this after their invoice were paid in advance, which type 386 says, or the date is a slip.
LATE = timedelta(days=31)
PREPAYMENT, CORRECTED = "386", "384"
_FAR = 36500


def due(facts: Facts) -> Iterable[Hit]:
    """EINV-DATE-01: nothing is due before the invoice is issued."""
    issued = facts.invoice.issue_date
    if issued is None:
        return
    stated = facts.invoice.due_date
    if stated is not None and stated < issued:
        yield Hit("$.due_date", text(stated), text(issued))
    for place, day in facts.places("payment.instalments[].due_date"):
        if day < issued:
            yield Hit(place, text(day), text(issued), "EX-31")


def future(facts: Facts) -> Iterable[Hit]:
    """EINV-DATE-02: the issue date is not after the day on which the document is judged."""
    issued, today = facts.invoice.issue_date, facts.today
    if issued is not None and today is not None and issued > today:
        yield Hit("$.issue_date", text(issued), text(today))


def in_order(path: str, term: str) -> Check:
    """EINV-DATE-03: a period does not end before it starts."""

    def check(facts: Facts) -> Iterable[Hit]:
        for place, one in facts.places(path) if facts.values(path) else ():
            if one.start is not None and one.end is not None and one.end < one.start:
                yield Hit(f"{place}.end", text(one.end), text(one.start), term)

    return check


def delivered(facts: Facts) -> Iterable[Hit]:
    """EINV-DATE-04: delivery long after the issue of an invoice that is no prepayment invoice."""
    issued = facts.invoice.issue_date
    if issued is None or (facts.invoice.type_code or "").strip() == PREPAYMENT or issued > date.max - LATE:
        return
    latest = issued + LATE
    for path, term in (("delivery.date", "BT-72"), ("lines[].delivery_date", "EX-91")):
        if any(day > latest for day in facts.values(path)):
            yield from (Hit(place, text(day), text(latest), term) for place, day in facts.places(path) if day > latest)


def preceding(facts: Facts) -> Iterable[Hit]:
    """EINV-DATE-05: the invoice referred to is not younger than the document that refers to it."""
    issued = facts.invoice.issue_date
    for place, day in facts.places("preceding[].issue_date") if issued is not None else ():
        if day > issued:
            yield Hit(place, text(day), text(issued))


def discounts(facts: Facts) -> Iterable[Hit]:
    """EINV-DATE-06: an early payment discount ends when payment is due, at the latest."""
    net, last = facts.payment.net_days, facts.invoice.due_date
    issued = facts.invoice.issue_date
    for place, one in facts.places("payment.discounts[]"):
        days = one.days
        until = one.until or _after(issued, days)
        if last is not None and until is not None and until > last:
            yield Hit(f"{place}.{'until' if one.until else 'days'}", text(until), text(last),
                      "EX-37" if one.until else "EX-36")  # fmt: skip
        elif last is None and net is not None and days is not None and days > net:
            yield Hit(f"{place}.days", text(days), text(net), "EX-36")


def _after(issued: date | None, days: Decimal | None) -> date | None:
    if issued is None or days is None or not 0 <= days <= _FAR or days != days.to_integral_value():
        return None
    return issued + timedelta(days=int(days)) if issued.year < 9000 else None


def repeated(facts: Facts) -> Iterable[Hit]:
    """EINV-LINE-01: no two lines have the same number."""
    ids = facts.values("lines[].id")
    if len(set(ids)) == len(ids):
        return
    seen: set[str] = set()
    for place, value in facts.places("lines[].id"):
        if value in seen:
            yield Hit(place, text(value))
        seen.add(value)


def price(facts: Facts) -> Iterable[Hit]:
    """EINV-LINE-02: no price is negative."""
    prices = facts.values("lines[].price.net")
    if prices and min(prices) < ZERO:
        yield from (Hit(place, text(one)) for place, one in facts.places("lines[].price.net") if one < ZERO)


def referred(facts: Facts) -> Iterable[Hit]:
    """EINV-REF-01: a credit note or correction names the invoice it corrects, or the period it is for."""
    invoice = facts.invoice
    if not (is_credit(invoice) or invoice.type_code == CORRECTED):
        return
    named = any(not missing(one.id) or not missing(one.payload_id) for one in invoice.preceding)
    if not named and invoice.period is None:
        yield Hit("$.preceding")


def currency(facts: Facts) -> Iterable[Hit]:
    """BR-CL-04: a currency that no one knows on the day of issue. No run could add it up."""
    stated = facts.invoice.currency
    if stated and stated not in codes("currencies", facts.invoice.issue_date or facts.on):
        yield Hit("$.currency", text(stated))


RULES: tuple[Rule, ...] = (
    Rule("BR-CL-04", "BT-5", currency, text="CODE", codes="currencies"),
    Rule("EINV-DATE-01", "BT-9", due, _W),
    Rule("EINV-DATE-02", "BT-2", future, _W),
    Rule("EINV-DATE-03", "BT-74", joined(in_order("period", "BT-74"), in_order("lines[].period", "BT-135")), _W),
    Rule("EINV-DATE-04", "BT-72", delivered, _W),
    Rule("EINV-DATE-05", "BT-26", preceding, _W),
    Rule("EINV-DATE-06", "EX-37", discounts, _W),
    Rule("EINV-LINE-01", "BT-126", repeated, _W),
    Rule("EINV-LINE-02", "BT-146", price, _W),
    Rule("EINV-REF-01", "BT-25", referred, _W),
)
#: Published rules that judge the same.
BESIDE = {
    "BR-CL-04": ("BR-CL-04", "ibr-cl-04", "PEPPOL-EN16931-CL007"),
    "EINV-DATE-02": ("SDI-00403",),
    "EINV-DATE-03": ("BR-29", "BR-30", "ibr-029", "ibr-030"),
    "EINV-DATE-05": ("SDI-00418",),
    "EINV-LINE-02": ("BR-27", "ibr-027"),
    "EINV-REF-01": ("NL-R-001", "BR-NL-9", "BR-DE-26", "ARIBA-CREDIT-REFERENCE", "ibr-055"),
}
