"""Peppol BIS Billing 3, GR-R and GR-S: sellers in Greece, whose invoices carry a mark of the tax office."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date

from ..codes.checkdigits import gr_tin
from ..errors import Severity
from ..model import Attachment
from ._checks import text
from ._cius import when
from ._empty import steps
from ._facts import Facts, missing
from ._national import countries
from ._peppol import in_ubl
from ._rule import Check, Hit, Rule

GREEK = frozenset({"GR", "EL"})
#: EAS: the Greek VAT number.
SCHEME = "9933"
#: Kinds of documents of myDATA that go by Peppol.
KINDS = frozenset({"1.1", "1.6", "2.1", "2.4", "5.1", "5.2"})
MARK, URL = "##M.AR.K##", "##INVOICE|URL##"
_DAY = re.compile(r"([0-9]{2})/([0-9]{2})/((?:19|20)[0-9]{2})")
_POSITIVE = re.compile(r"[1-9][0-9]*")
Segment = Callable[[str, Facts], bool]


def greek(facts: Facts) -> bool:
    """The seller is Greek."""
    return countries(facts).seller in GREEK


def both_greek(facts: Facts) -> bool:
    """Seller and buyer are."""
    at = countries(facts)
    return at.seller in GREEK and at.buyer in GREEK


def at_home(facts: Facts) -> bool:
    """The seller is Greek and its address is in Greece."""
    return greek(facts) and countries(facts).seller_at == "GR"


def greek_itself(facts: Facts) -> bool:
    """The seller is Greek by its own VAT identifier or address, not by that of a representative."""
    own = [value[:2].upper() for _, value in facts.vat_ids("seller")] or [countries(facts).seller_at.upper()]
    return own[0] in GREEK


# --- the number: TIN|date|branch|kind|series|number -------------------------------------------------------------------


def own_tin(segment: str, facts: Facts) -> bool:
    tins = {value[2:11] for role in ("seller", "tax_representative") for _, value in facts.vat_ids(role)}
    return len(segment.strip()) == 9 and gr_tin(segment) and segment in tins


def issue_day(segment: str, facts: Facts) -> bool:
    match, day = _DAY.match(segment), facts.invoice.issue_date
    return match is not None and day == _date(*match.groups()[::-1])


def _date(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def branch(segment: str, facts: Facts) -> bool:
    return segment.strip().isascii() and segment.strip().isdigit()


def kind(segment: str, facts: Facts) -> bool:
    return segment in KINDS


def filled(segment: str, facts: Facts) -> bool:
    return segment != ""


def segment(number: int, passes: Segment) -> Check:
    """GR-R-001-2 to -7: one part of the invoice number."""

    def check(facts: Facts) -> Iterable[Hit]:
        if facts.invoice.number is None:
            return
        parts = facts.invoice.number.split("|")
        part = parts[number - 1] if number <= len(parts) else ""
        if not passes(part, facts):
            yield Hit("$.number", text(part), str(number))

    return check


def six_parts(facts: Facts) -> Iterable[Hit]:
    """GR-R-001-1."""
    stated = facts.invoice.number
    if stated is not None and stated.count("|") != 5:
        yield Hit("$.number", text(stated), "6")


#: Where a party of which the model holds nothing begins.
_PARTY = {"seller": "AccountingSupplierParty/Party", "buyer": "AccountingCustomerParty/Party"}


# --- parties ----------------------------------------------------------------------------------------------------------


def named(role: str) -> Check:
    """GR-R-002, -005: the party states the name it is registered under."""

    def check(facts: Facts) -> Iterable[Hit]:
        party = getattr(facts.invoice, role)
        begun = party is not None or any(f"/{_PARTY[role]}/" in f"/{steps(one.place)}/" for one in facts.read)
        if begun and (party is None or not party.trading_name):
            yield Hit(f"$.{role}.trading_name")

    return check


def greek_vat(value: str) -> bool:
    return value[:2] == "EL" and gr_tin(value[2:])


def vat_numbers(facts: Facts) -> Iterable[Hit]:
    """GR-R-003: EL and a TIN."""
    for path, value in facts.vat_ids("seller"):
        if not greek_vat(value):
            yield Hit(path, text(value))


def one_vat_number(role: str) -> Check:
    """GR-S-011, GR-R-006: the party states one VAT identifier, EL and a TIN."""

    def check(facts: Facts) -> Iterable[Hit]:
        if getattr(facts.invoice, role) is None:
            return
        stated = [value for _, value in facts.vat_ids(role)]
        if len(stated) != 1 or not greek_vat(stated[0]):
            yield Hit(f"$.{role}.vat_id", text(stated[0] if stated else None))

    return check


def endpoint(role: str) -> Check:
    """GR-R-009, -010: the electronic address is the TIN."""

    def check(facts: Facts) -> Iterable[Hit]:
        party = getattr(facts.invoice, role)
        stated = party.endpoint if party is not None else None
        if stated is not None and (stated.scheme != SCHEME or not gr_tin(stated.value or "")):
            yield Hit(f"$.{role}.endpoint.value", text(stated.value), SCHEME)

    return check


# --- mark and address of the invoice at the tax office ----------------------------------------------------------------


def _described(facts: Facts, description: str) -> list[tuple[str, Attachment]]:
    return [(place, one) for place, one in facts.places("attachments[]") if one.description == description]


def counted(description: str, least: int) -> Check:
    """GR-R-004-1, GR-S-008-1, GR-R-008-2: this reference is there once; *least* 0: at most once."""

    def check(facts: Facts) -> Iterable[Hit]:
        count = len(_described(facts, description))
        if not least <= count <= 1:
            yield Hit("$.attachments", str(count), description)

    return check


def mark(facts: Facts) -> Iterable[Hit]:
    """GR-R-004-2: the mark is a positive number."""
    for place, one in _described(facts, MARK):
        if one.id is not None and not _POSITIVE.match(one.id):
            yield Hit(f"{place}.id", text(one.id))


def url(facts: Facts) -> Iterable[Hit]:
    """GR-R-008-3: the reference to the invoice at the tax office has its address."""
    for place, one in _described(facts, URL):
        if missing(one.uri):
            yield Hit(f"{place}.uri")


_W = Severity.WARNING
_SEGMENTS: tuple[Segment, ...] = (own_tin, issue_day, branch, kind, filled, filled)
_RULES = (
    Rule("GR-R-001-1", "BT-1", when(greek, six_parts)),
    *(Rule(f"GR-R-001-{number}", "BT-1", when(greek, segment(number - 1, passes)))
      for number, passes in enumerate(_SEGMENTS, 2)),
    Rule("GR-R-002", "BT-28", when(greek, named("seller"))),
    Rule("GR-S-011", "BT-31", when(greek, one_vat_number("seller")), _W, text="GR-VAT"),
    Rule("GR-R-003", "BT-31", when(greek, vat_numbers), text="GR-VAT"),
    Rule("GR-R-004-1", "BG-24", when(at_home, counted(MARK, 1))),
    Rule("GR-R-004-2", "BT-122", when(at_home, mark)),
    Rule("GR-R-005", "BT-45", when(greek, named("buyer"))),
    Rule("GR-R-006", "BT-48", when(both_greek, one_vat_number("buyer")), text="GR-VAT"),
    Rule("GR-S-008-1", "BG-24", when(at_home, counted(URL, 1)), _W),
    Rule("GR-R-008-2", "BG-24", when(at_home, counted(URL, 0))),
    Rule("GR-R-008-3", "BT-124", when(greek, url)),
    Rule("GR-R-009", "BT-34", when(greek_itself, endpoint("seller")), text="GR-ENDPOINT"),
    Rule("GR-R-010", "BT-49", when(both_greek, endpoint("buyer")), text="GR-ENDPOINT"),
)  # fmt: skip
#: The CII binding has no Greek rules.
RULES: tuple[Rule, ...] = tuple(replace(rule, check=in_ubl(rule.check)) for rule in _RULES)
