"""SAP Business Network (Ariba): what the network and a plain buyer on it look at, before it is sent there.

Used for profiles whose network is Ariba, and by ``check --rules ariba``. Ids hold the network's own name of the error
where it has one (INV-98, INVOICE_NO_ID ...). What the format refuses by itself is not repeated here: order or
contract, network ids, taxes of a line (``formats.cxml``); nor what a buyer chooses, which stands in the profile
([content_rules]).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from ..errors import Severity
from ..model import Party, is_credit
from ._checks import text
from ._facts import ZERO, Facts, missing
from ._rule import Hit, Pack, Release, Rule

_W, _I = Severity.WARNING, Severity.INFO
#: Types that the network tells apart: invoice, credit and debit memo; by syntax, what its gateway maps beside them.
TYPES = frozenset({"380", "381", "383"})
TYPES_OF = {"edifact": TYPES | {"385", "81"}}
#: Roles that stand in the shipping part of a document and nowhere else.
SHIPPING = frozenset({"shipFrom", "shipTo", "carrier", "carrierCorporate", "freightTerms"})


def numbered(facts: Facts) -> Iterable[Hit]:
    """INVOICE_NO_ID: an invoice has a number."""
    if missing(facts.invoice.number):
        yield Hit("$.number")


def taxpayer(facts: Facts) -> Iterable[Hit]:
    """INV-98: a tax id of the supplier, its own or that of where it wants the money."""
    if not any(_registered(party) for party in (facts.invoice.seller, facts.invoice.remit_to)):
        yield Hit("$.seller.vat_id")


def _registered(party: Party | None) -> bool:
    if party is None:
        return False
    stated = (party.vat_id, party.tax_id, *(one.id for one in party.tax_registrations))
    return not all(map(missing, stated))


def shipping_roles(facts: Facts) -> Iterable[Hit]:
    """INV_ROLE_IN_SHIPPING: who ships and who receives are no partners of the invoice."""
    for place, role in facts.places("other_parties[].role"):
        if role in SHIPPING:
            yield Hit(place, text(role))


def purpose(facts: Facts) -> Iterable[Hit]:
    """The network knows invoice, credit and debit memo; EDIFACT of another type arrives without a purpose."""
    stated = facts.invoice.type_code
    known = TYPES_OF.get(facts.syntax, TYPES)
    if stated is not None and stated not in known:
        yield Hit("$.type_code", text(stated), ", ".join(sorted(known)))


def memo_reference(facts: Facts) -> Iterable[Hit]:
    """A memo at line level names its invoice, by number or by payloadID."""
    named = any(not missing(one.id) or not missing(one.payload_id) for one in facts.invoice.preceding)
    if facts.invoice.line_level_credit and not named:
        yield Hit("$.preceding")


def memo_comment(facts: Facts) -> Iterable[Hit]:
    """Many buyers want to read why."""
    told = (*(note.text for note in facts.invoice.notes), *(one.reason for one in facts.invoice.preceding))
    if is_credit(facts.invoice) and all(map(missing, told)):
        yield Hit("$.notes")


def sign(facts: Facts) -> Iterable[Hit]:
    """An invoice below zero is a credit memo, and a credit memo below zero an invoice."""
    gross = facts.totals.gross
    if gross is not None and gross < ZERO:
        yield Hit("$.totals.gross", text(gross))


def zero(facts: Facts) -> Iterable[Hit]:
    gross = facts.totals.gross
    if gross is not None and gross == ZERO:
        yield Hit("$.totals.gross", text(gross))


def order_lines(facts: Facts) -> Iterable[Hit]:
    """A line that charges an order names the line of it: the network looks that line up."""
    if facts.invoice.header_invoice or (is_credit(facts.invoice) and not facts.invoice.line_level_credit):
        return
    ordered = bool(facts.values("purchase_order.id"))
    for at, line in enumerate(facts.lines):
        order = line.order
        if (ordered or (order is not None and order.id)) and (order is None or missing(order.line)):
            yield Hit(f"$.lines[{at}].order.line")


# --- VAT: what a tax invoice on the network shows ---------------------------------------------------------------------


def _vat(facts: Facts) -> bool:
    return any(facts.is_vat(row) and row.category is not None for _, row in facts.rows)


def seller_vat(facts: Facts) -> Iterable[Hit]:
    if _vat(facts) and not facts.vat_ids("seller"):
        yield Hit("$.seller.vat_id")


def buyer_vat(facts: Facts) -> Iterable[Hit]:
    if _vat(facts) and not facts.vat_ids("buyer"):
        yield Hit("$.buyer.vat_id")


def supplied(facts: Facts) -> Iterable[Hit]:
    """The day of supply: tax point, delivery or period."""
    stated = (facts.invoice.tax_point_date, facts.invoice.tax_point_code, facts.invoice.period,
              *facts.values("delivery.date"), *facts.values("tax_breakdown[].tax_point_date"))  # fmt: skip
    if _vat(facts) and all(one is None for one in stated):
        yield Hit("$.tax_point_date")


def law(facts: Facts) -> Iterable[Hit]:
    """At 0 % the law that allows it, in words."""
    for at, row in facts.rows:
        said = (row.exemption_reason, row.exemption_code, row.description)
        if facts.is_vat(row) and row.rate == ZERO and all(map(missing, said)):
            yield Hit(f"$.tax_breakdown[{at}].exemption_reason", text(row.rate))


PACK = Pack(
    name="ariba",
    title="SAP Business Network (Ariba)",
    clause="SAP Business Network",
    releases=(Release("2026-11", date(2026, 11, 23)),),
    rules=(
        Rule("ARIBA-INVOICE_NO_ID", "BT-1", numbered),
        Rule("ARIBA-INV-98", "BT-31", taxpayer, _W),
        Rule("ARIBA-INV_ROLE_IN_SHIPPING", "EX-2013", shipping_roles),
        Rule("ARIBA-PURPOSE", "BT-3", purpose, _W),
        Rule("ARIBA-CREDIT-REFERENCE", "BT-25", memo_reference),
        Rule("ARIBA-CREDIT-COMMENTS", "BT-22", memo_comment, _I),
        Rule("ARIBA-SIGN", "BT-112", sign, _W),
        Rule("ARIBA-ZERO", "BT-112", zero, _I),
        Rule("ARIBA-ORDER-LINE", "BT-132", order_lines, _W),
        Rule("ARIBA-VAT-SELLER", "BT-31", seller_vat, _W),
        Rule("ARIBA-VAT-BUYER", "BT-48", buyer_vat, _W),
        Rule("ARIBA-VAT-POINT", "BT-7", supplied, _I),
        Rule("ARIBA-VAT-LAW", "BT-120", law, _W),
    ),
    by_syntax={("edifact", "ARIBA-PURPOSE"): Severity.FATAL},
    beside={"ARIBA-INVOICE_NO_ID": ("BR-02",)},
    texts=("ariba",),
    not_native={
        "INVOICE_DUPLICATE": "asks what was sent before: the ledger knows, and refuses the same number twice",
        "SHIPPING_IN_LINE_ERROR": "about indicators that the cXML writer derives from the lines",
        "SUMMARY_AND_DETAIL": "the same", "DETAIL_AND_SUMMARY": "the same",
        "INV-13": "asks the network's orders", "INV-15": "asks the network's orders",
    },
)  # fmt: skip
