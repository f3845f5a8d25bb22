"""What national rules ask: in which country the parties are, and rules that hold only there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from ..model import CREDIT_TYPES, Means
from ._checks import leaf_of, text
from ._empty import steps
from ._facts import Facts, missing
from ._rule import Check, Hit

#: What XPath takes for a number, which national rules use to say "numeric".
_NUMERIC = re.compile(r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


class Countries(NamedTuple):
    """Where the parties are.

    seller, buyer        by the first two letters of the VAT identifier (a tax representative's for a seller without
                         one), else by the address; ``XX`` where nothing says it
    seller_at ...        by the address alone, as written; empty where there is none
    """

    seller: str
    buyer: str
    seller_at: str
    buyer_at: str
    representative_at: str


_KNOWN: WeakKeyDictionary[Facts, Countries] = WeakKeyDictionary()


def countries(facts: Facts) -> Countries:
    """The countries of one invoice, worked out once."""
    found = _KNOWN.get(facts)
    if found is None:
        seller_at, buyer_at, other_at = (_address(facts, role) for role in ("seller", "buyer", "tax_representative"))
        seller = _prefix(facts, "seller") or _prefix(facts, "tax_representative") or seller_at.upper() or "XX"
        buyer = _prefix(facts, "buyer") or buyer_at.upper() or "XX"
        found = _KNOWN[facts] = Countries(seller, buyer, seller_at, buyer_at, other_at)
    return found


def vat_numbers(facts: Facts, role: str) -> list[tuple[str, str]]:
    """(path, identifier) of a party's VAT registrations; the CII binding looks for scheme VAT, where CII writes VA."""
    if facts.syntax == "cii":
        return [(path, value) for path, value, scheme in facts.registrations(role) if scheme == "VAT"]
    return facts.vat_ids(role)


def _prefix(facts: Facts, role: str) -> str:
    return next((value[:2].upper() for _, value in vat_numbers(facts, role)), "")


def _address(facts: Facts, role: str) -> str:
    party = getattr(facts.invoice, role)
    code: str | None = party.address.country if party is not None and party.address is not None else None
    return (code or "").strip()


def both_german(facts: Facts) -> bool:
    """Seller and buyer are in Germany, by their addresses."""
    at = countries(facts)
    return at.seller_at.upper() == at.buyer_at.upper() == "DE"


def is_credit_note(facts: Facts) -> bool:
    """True for a credit note: by the source's root where the reader named a place in it, else by the type (BT-3)."""
    for finding in facts.read:
        root = steps(finding.place).partition("/")[0]
        if root in ("Invoice", "CreditNote"):
            return root == "CreditNote"
    return (facts.invoice.type_code or "").strip() in CREDIT_TYPES


def numeric(value: str) -> bool:
    """True for what XPath casts to a number.

    >>> numeric("5567890123"), numeric("12-3"), numeric("")
    (True, False, False)
    """
    return _NUMERIC.fullmatch(value.strip()) is not None


#: Terms of the parts of an address: street, city, post code.
_TERMS = {
    "seller": {"line_1": "BT-35", "city": "BT-37", "postcode": "BT-38"},
    "buyer": {"line_1": "BT-50", "city": "BT-52", "postcode": "BT-53"},
    "tax_representative": {"line_1": "BT-64", "city": "BT-66", "postcode": "BT-67"},
}


def addressed(role: str, *leaves: str) -> Check:
    """The party states these parts of its address; one hit for the first that is missing."""

    def one(leaf: str) -> Check:
        def check(facts: Facts) -> Iterable[Hit]:
            party = getattr(facts.invoice, role)
            if party is not None and (party.address is None or getattr(party.address, leaf) is None):
                yield Hit(f"$.{role}.address.{leaf}", term=_TERMS[role][leaf])

        return check

    checks = [one(leaf) for leaf in leaves]
    return lambda facts: [hit for check in checks for hit in check(facts)][:1]


def means_of(codes: Iterable[str], passes: Callable[[Means], bool], leaf: str) -> Check:
    """Each way to pay with one of *codes* passes; without codes each way to pay. A hit names *leaf*."""
    known = frozenset(codes)

    def check(facts: Facts) -> Iterable[Hit]:
        for place, means in facts.places("payment.means[]"):
            if (not known or (means.code or "").strip() in known) and not passes(means):
                yield Hit(f"{place}.{leaf}", _word(leaf_of(means, leaf)))

    return check


def _word(value: Any) -> str:
    return text(value) if isinstance(value, str) else ""


def uncoded(check: Check) -> Check:
    """What *check* says of ways to pay, and each way that is nothing but an empty code, which no model holds."""
    ends = ("PaymentMeans/PaymentMeansCode", "SpecifiedTradeSettlementPaymentMeans/TypeCode")

    def judged(facts: Facts) -> Iterable[Hit]:
        yield from check(facts)
        if all(means.code is not None for means in facts.payment.means):
            yield from (Hit(one.path, place=one.place) for one in facts.read
                        if one.rule == "EINV-READ-07" and steps(one.place).endswith(ends))  # fmt: skip

    return judged


def account(means: Means) -> str:
    """The account to pay into (BT-84); empty where none is stated."""
    return ((means.account.id if means.account else None) or "").strip()


def bank(means: Means) -> str:
    """The bank of that account (BT-86); empty where none is stated."""
    return ((means.account.bic if means.account else None) or "").strip()


def legal(role: str, passes: Callable[[str, str], bool], needed: bool = False) -> Check:
    """The party's legal registration, as (value, scheme), passes; *needed*: it has to be there."""

    def check(facts: Facts) -> Iterable[Hit]:
        party = getattr(facts.invoice, role)
        number = party.legal_id if party is not None else None
        if (number is not None or (needed and party is not None)) and not passes(
            (number.value or "").strip() if number else "", (number.scheme or "").strip() if number else ""
        ):
            yield Hit(f"$.{role}.legal_id", text(_shown(number)))

    return check


def _shown(number: Any) -> str:
    if number is None:
        return ""
    return number.value or "" if missing(number.scheme) else f"{number.scheme}:{number.value or ''}"
