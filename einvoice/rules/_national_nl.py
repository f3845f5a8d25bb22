"""Peppol BIS Billing 3, NL-R: sellers in the Netherlands, the rules of NLCIUS that hold in Peppol too."""

from __future__ import annotations

from collections.abc import Iterable

from ..model import Means
from ._checks import text
from ._cius import when
from ._facts import Facts
from ._national import addressed, countries, is_credit_note, legal, means_of, uncoded
from ._rule import Check, Hit, Rule

#: ISO 6523: chamber of commerce number (KVK), government organisation number (OIN).
REGISTERS = frozenset({"0106", "0190"})
MEANS = frozenset({"30", "48", "49", "57", "58", "59"})


def dutch(facts: Facts) -> bool:
    """The seller's address is in the Netherlands."""
    return countries(facts).seller_at.upper() == "NL"


def domestic(facts: Facts) -> bool:
    """So is the buyer's."""
    return dutch(facts) and countries(facts).buyer_at.upper() == "NL"


def represented(facts: Facts) -> bool:
    """So is the tax representative's."""
    return dutch(facts) and countries(facts).representative_at.upper() == "NL"


def credited(facts: Facts) -> Iterable[Hit]:
    """NL-R-001: a credit note names the invoice it credits."""
    if facts.invoice.type_code is not None and is_credit_note(facts) and not facts.values("preceding[].id"):
        yield Hit("$.preceding")


def payable(facts: Facts) -> Iterable[Hit]:
    """NL-R-007: what the buyer is to pay can be paid: a way to pay is stated."""
    totals, means = facts.invoice.totals, facts.values("payment.means[]")
    if totals is None or means:
        return
    due = totals.due
    sent_back = due is not None and (due >= 0 if is_credit_note(facts) else due <= 0)
    if not sent_back:
        yield Hit("$.payment.means", text(due))


def ordered(facts: Facts) -> Iterable[Hit]:
    """NL-R-009: an order line is of an order."""
    order = facts.invoice.purchase_order
    if order is None or order.id is None:
        yield from (Hit(place, text(line)) for place, line in facts.places("lines[].order.line"))


def _known(means: Means) -> bool:
    return (means.code or "").strip() in MEANS


def _registered(value: str, scheme: str) -> bool:
    return scheme in REGISTERS and bool(value)


def _address(role: str) -> Check:
    check = addressed(role, "line_1", "city", "postcode")

    def judged(facts: Facts) -> Iterable[Hit]:
        party = getattr(facts.invoice, role)
        return check(facts) if party is not None and party.address is not None else ()

    return judged


RULES: tuple[Rule, ...] = (
    Rule("NL-R-001", "BT-25", when(dutch, credited)),
    Rule("NL-R-002", "BT-35", when(dutch, _address("seller")), text="ADDRESS"),
    Rule("NL-R-003", "BT-30", when(dutch, legal("seller", _registered)), text="NL-REGISTER"),
    Rule("NL-R-004", "BT-50", when(domestic, _address("buyer")), text="ADDRESS"),
    Rule("NL-R-005", "BT-47", when(domestic, legal("buyer", _registered)), text="NL-REGISTER"),
    Rule("NL-R-006", "BT-64", when(represented, _address("tax_representative")), text="ADDRESS"),
    Rule("NL-R-007", "BT-81", when(dutch, payable)),
    Rule("NL-R-008", "BT-81", when(domestic, uncoded(means_of((), _known, "code")))),
    Rule("NL-R-009", "BT-132", when(dutch, ordered)),
)
