"""NLCIUS: the Dutch rules of SI-UBL 2.0 on top of EN 16931, for sellers in the Netherlands.

Check it together with EN 16931: ``packs=("en16931", "nlcius")``. Ids are those of the specification, as the messages
of the official rules show them: the assertions called BR-NL-27-1 to -4 there are BR-NL-27 here, and a charge's reason
code is BR-NL-34, where the official file says BR-NL-32 of both.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from ..errors import Severity
from ..model import Means, is_credit
from . import _bis
from ._checks import every, joined, states, text
from ._cius import country, only, unwanted, when
from ._empty import steps
from ._facts import Facts, missing
from ._rule import Check, Hit, Pack, ReaderRule, Release, Rule

NLCIUS = "urn:cen.eu:en16931:2017#compliant#urn:fdc:nen.nl:nlcius:v1.0"
_PROFILES = ("#compliant#urn:fdc:nen.nl:nlcius:v1.0", "#conformant#urn:fdc:nen.nl:gaccount:v1.0")
#: ISO 6523: chamber of commerce number (KVK), government organisation number (OIN).
REGISTERS = frozenset({"0106", "0190"})
TYPES = frozenset({"380", "381", "384", "389"})
MEANS = frozenset({"30", "48", "49", "57", "58", "59"})
_ADDRESS = {"line_1": "StreetName", "city": "CityName", "postcode": "PostalZone"}
SEPA = frozenset({"58", "59"})


def is_nlcius(facts: Facts) -> bool:
    """The document says that it follows NLCIUS, or its extension for the G account."""
    stated = facts.invoice.specification or ""
    return any(profile in stated for profile in _PROFILES)


def is_dutch(facts: Facts) -> bool:
    """It does, and the seller is in the Netherlands."""
    return is_nlcius(facts) and country(facts, "seller") == "NL"


def specification(facts: Facts) -> Iterable[Hit]:
    """SI-V20-INV-R000."""
    stated = facts.invoice.specification
    if stated is not None and not stated.strip().startswith(NLCIUS):
        yield Hit("$.specification", text(stated), NLCIUS)


def seller_number(facts: Facts) -> Iterable[Hit]:
    """BR-NL-1: the seller states its KVK number or OIN."""
    number = facts.seller.legal_id
    if number is None or number.scheme not in REGISTERS or missing(number.value):
        yield Hit("$.seller.legal_id", text(number and number.value), term="BT-30")


def buyer_number(facts: Facts) -> Iterable[Hit]:
    """BR-NL-10: so does a buyer in the Netherlands; a number that is begun is there."""
    buyer, number = facts.buyer, facts.buyer.legal_id
    if missing(buyer.name) and number is None:
        return
    dutch = buyer.address is not None and buyer.address.country == "NL"
    known = number is not None and number.scheme in REGISTERS
    if (dutch and not known) or (number is not None and missing(number.value)):
        yield Hit("$.buyer.legal_id", text(number and number.value))


def referenced(facts: Facts) -> Iterable[Hit]:
    """BR-NL-2: a buyer reference or an order reference."""
    if facts.invoice.buyer_reference is None and not facts.values("purchase_order.id"):
        yield Hit("$.buyer_reference")


def full(path: str, party: str, always: bool = False) -> Check:
    """BR-NL-3 to -5: an address in the Netherlands has street, city and post code; *party* is its UBL element."""

    def check(facts: Facts) -> Iterable[Hit]:
        begun = [element for element, _ in _bis.empties(facts)]
        for place, address in facts.places(path):
            for leaf, element in _ADDRESS.items():
                absent = getattr(address, leaf) is None and not any(
                    one.endswith(f"{party}/PostalAddress/{element}") for one in begun
                )
                if absent and (always or address.country in (None, "NL")):
                    yield Hit(f"{place}.{leaf}")

    return check


def corrected(facts: Facts) -> Iterable[Hit]:
    """BR-NL-9: a corrected invoice names the one it corrects."""
    if facts.invoice.type_code == "384" and not facts.values("preceding[].id"):
        yield Hit("$.preceding")


def payable(facts: Facts) -> Iterable[Hit]:
    """BR-NL-11: an invoice to be paid says how. The published rule spares credit notes."""
    owed = facts.totals.due
    if facts.invoice.totals is None or is_credit(facts.invoice) or facts.payment.means:
        return
    if owed is None or owed > 0:
        yield Hit("$.payment.means")


def ordered(facts: Facts) -> Iterable[Hit]:
    """BR-NL-13: who names an order line names the order on the document."""
    if not facts.values("purchase_order.id"):
        yield from (Hit("$.purchase_order.id", text(line)) for line in facts.values("lines[].order.line")[:1])


def other_registrations(facts: Facts) -> Iterable[Hit]:
    """BR-NL-25: the seller has no tax registration but VAT."""
    seller = facts.seller
    if seller.tax_id is not None and seller.tax_id_scheme != "VAT":
        yield Hit("$.seller.tax_id", text(seller.tax_id))
    for at, one in enumerate(seller.tax_registrations):
        if one.id is not None and one.scheme != "VAT":
            yield Hit(f"$.seller.tax_registrations[{at}].id", text(one.id))


def accounting_tax(facts: Facts) -> Iterable[Hit]:
    """BR-NL-33: no tax total in another currency than the invoice's, with or without that currency stated."""
    stated = facts.totals.tax_accounting
    if stated is not None and facts.invoice.tax_currency != facts.invoice.currency:
        yield Hit("$.totals.tax_accounting", text(stated))
    for finding in facts.read:
        second = finding.rule == "EINV-READ-02" and steps(finding.place).endswith("/TaxTotal")
        foreign = finding.rule == "EINV-READ-06" and finding.term == "BT-110"
        if foreign or (second and " " not in finding.found.strip()):
            yield Hit("$.totals.tax_accounting", text(finding.found), place=finding.place)


def no_bic(means: Means) -> bool:
    return means.code not in SEPA or means.account is None or means.account.bic is None


def _addresses(leaf: str, seller: str, buyer: str, representative: str, delivery: str) -> Check:
    terms = {"seller": seller, "buyer": buyer, "tax_representative": representative, "delivery": delivery}
    return joined(*(unwanted(f"{role}.address", leaf, term) for role, term in terms.items()))


#: For any seller.
_ALL = (
    Rule("BR-NL-13", "BT-13", when(is_nlcius, ordered)),
    Rule("BII2-T10-R001", "BT-24", states("", "specification"), text="BR-01", there=("ubl",)),
    Rule("SI-V20-INV-R000", "BT-24", specification),
    Rule("SI-UBL-2", "", _bis.never, Severity.WARNING),
    Rule("UBL-SR-09", "BT-27", _bis.never, text="TWICE"),
    Rule("UBL-SR-11", "BT-30", _bis.never, text="TWICE"),
    Rule("UBL-SR-15", "BT-44", _bis.never, text="TWICE"),
    Rule("UBL-SR-17", "BT-47", _bis.never, text="TWICE"),
)
#: For sellers in the Netherlands.
_DUTCH = (
    Rule("BR-NL-1", "BT-30", when(lambda facts: facts.invoice.seller is not None, seller_number)),
    Rule("BR-NL-2", "BT-10", referenced),
    Rule("BR-NL-3", "BG-5", full("seller.address", "AccountingSupplierParty/Party", always=True), text="NL-ADDRESS"),
    Rule("BR-NL-4", "BG-8", full("buyer.address", "AccountingCustomerParty/Party"), text="NL-ADDRESS"),
    Rule("BR-NL-5", "BG-12", full("tax_representative.address", "TaxRepresentativeParty"), text="NL-ADDRESS"),
    Rule("BR-NL-7", "BT-3", only("type_code", TYPES)),
    Rule("BR-NL-9", "BG-3", corrected),
    Rule("BR-NL-10", "BT-47", buyer_number),
    Rule("BR-NL-11", "BG-16", payable),
    Rule("BR-NL-12", "BT-81", every("payment.means[]", lambda one: (one.code or "").strip() in MEANS, "code")),
)
#: Recommendations, for sellers in the Netherlands: what is stated in vain.
_ADVICE = (
    Rule("BR-NL-19", "BT-6", unwanted("tax_currency")),
    Rule("BR-NL-20", "BT-7", unwanted("tax_point_date")),
    Rule("BR-NL-21", "BT-8", unwanted("tax_point_code")),
    Rule("BR-NL-24", "BT-26", unwanted("preceding[]", "issue_date")),
    Rule("BR-NL-25", "BT-32", other_registrations),
    Rule("BR-NL-26", "BT-33", unwanted("seller.legal_info")),
    Rule("BR-NL-27", "BT-162", _addresses("line_3", "BT-162", "BT-163", "BT-164", "BT-165")),
    Rule("BR-NL-28", "BT-39", _addresses("subdivision", "BT-39", "BT-54", "BT-68", "BT-79")),
    Rule("BR-NL-29", "BT-82", unwanted("payment.means[]", "text")),
    Rule("BR-NL-30", "BT-85", unwanted("payment.means[].account", "name")),
    Rule("BR-NL-31", "BT-86", every("payment.means[]", no_bic, "account.bic")),
    Rule("BR-NL-32", "BT-98", joined(unwanted("allowances[]", "reason_code"),
                                     unwanted("lines[**].allowances[]", "reason_code", "BT-140"))),
    Rule("BR-NL-33", "BT-111", accounting_tax),
    Rule("BR-NL-34", "BT-105", joined(unwanted("charges[]", "reason_code"),
                                      unwanted("lines[**].charges[]", "reason_code", "BT-145"))),
    Rule("BR-NL-35", "BT-121", unwanted("tax_breakdown[]", "exemption_code")),
)  # fmt: skip

PACK = Pack(
    name="nlcius",
    title="NLCIUS, SI-UBL 2.0",
    clause="NLCIUS 1.0",
    # Both releases have the same Dutch rules; they differ in the EN 16931 rules they carry along.
    releases=(Release("2.0.3.9", date(2022, 5, 1)), Release("2.0.3.13", date(2026, 5, 21))),
    rules=(
        *_ALL,
        *(replace(rule, check=when(is_dutch, rule.check)) for rule in _DUTCH),
        *(replace(rule, check=when(is_dutch, rule.check), severity=Severity.WARNING, text="UNUSED")
          for rule in _ADVICE),
    ),
    reader=(
        ReaderRule("EINV-READ-07", "", "SI-UBL-2"),
        ReaderRule("EINV-READ-07", "CustomizationID", "SI-V20-INV-R000"),
        *_bis.second_entity("Supplier", "UBL-SR-09", "UBL-SR-11"),
        *_bis.second_entity("Customer", "UBL-SR-15", "UBL-SR-17"),
    ),
    texts=("bis", "nlcius"),
    not_native={
        "BR-NL-8": "about the syntax binding: which UBL root carries a type code. The writer chooses it by BT-3",
        "SI-INV-R000": "about the syntax binding: the root element",
    },
)  # fmt: skip
