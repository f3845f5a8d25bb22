"""Peppol BIS Billing 3, SE-R: sellers in Sweden."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

from ..codes.checkdigits import se_org
from ..errors import Severity
from ..model import Means, Tax
from ._checks import text
from ._cius import when
from ._facts import Facts
from ._national import account, bank, countries, legal, means_of, numeric, vat_numbers
from ._national_no_it import other_registrations
from ._rule import Check, Hit, Rule

RATES = frozenset({Decimal(25), Decimal(12), Decimal(6)})
TAXED = "GODKÄND FÖR F-SKATT"
PLUSGIRO, BANKGIRO = "SE:PLUSGIRO", "SE:BANKGIRO"
_TAXES = ("tax_breakdown[]", "lines[**].taxes[]", "allowances[].taxes[]", "charges[].taxes[]")


def swedish(facts: Facts) -> bool:
    """The seller's address is in Sweden."""
    return countries(facts).seller_at == "SE"


def domestic(facts: Facts) -> bool:
    """So is the buyer's."""
    return swedish(facts) and countries(facts).buyer_at == "SE"


def with_vat(facts: Facts) -> bool:
    """The seller's address is in Sweden and its VAT identifier is Swedish."""
    return swedish(facts) and any(value[:2] == "SE" for _, value in vat_numbers(facts, "seller"))


def with_number(facts: Facts) -> bool:
    """The seller's address is in Sweden and it states its legal registration."""
    number = facts.seller.legal_id
    return swedish(facts) and number is not None and number.value is not None


def each_vat_number(passes: Callable[[str], bool]) -> Check:
    """SE-R-001, -002: each VAT identifier of the seller passes."""

    def check(facts: Facts) -> Iterable[Hit]:
        for path, value in vat_numbers(facts, "seller"):
            if not passes(value.strip()):
                yield Hit(path, text(value), "SE123456789701")

    return check


def f_tax(facts: Facts) -> Iterable[Hit]:
    """SE-R-005: the tax registration is the words for F-skatt."""
    for path, scheme, value in other_registrations(facts):
        if (facts.syntax != "cii" or scheme == "FC") and value.upper() != TAXED:
            yield Hit(path, text(value), "Godkänd för F-skatt")


def rates(facts: Facts) -> Iterable[Hit]:
    """SE-R-006: the standard rate is 25, 12 or 6; CII asks it of every category."""
    for path in _TAXES:
        if all(_known(tax, facts) for tax in facts.values(path)):
            continue
        for place, tax in facts.places(path):
            if not _known(tax, facts):
                yield Hit(f"{place}.rate", text(tax.rate), "25, 12, 6", _term(path))


def _known(tax: Tax, facts: Facts) -> bool:
    return tax.rate in RATES or (tax.category != "S" and facts.syntax != "cii")


def _term(path: str) -> str:
    return {"tax_breakdown[]": "BT-119", "lines[**].taxes[]": "BT-152", "allowances[].taxes[]": "BT-96"}.get(
        path, "BT-103"
    )


def giro(name: str, passes: Callable[[str], bool]) -> Check:
    """SE-R-007 to -010: the number of a Swedish giro account passes."""

    def fits(means: Means) -> bool:
        return bank(means) != name or not account(means) or passes(account(means))

    return means_of(("30",), fits, "account.id")


_W = Severity.WARNING
RULES: tuple[Rule, ...] = (
    Rule("SE-R-001", "BT-31", when(with_vat, each_vat_number(lambda value: len(value) == 14)), text="SE-VAT"),
    Rule("SE-R-002", "BT-31", when(with_vat, each_vat_number(lambda value: numeric(value[2:14]))), text="SE-VAT"),
    Rule("SE-R-003", "BT-30", when(with_number, legal("seller", lambda value, _: numeric(value))), text="SE-NUMBER"),
    Rule("SE-R-004", "BT-30", when(with_number, legal("seller", lambda value, _: len(value) == 10)), text="SE-NUMBER"),
    Rule("SE-R-005", "BT-32", when(with_number, f_tax)),
    Rule("SE-R-006", "BT-152", when(with_vat, rates)),
    Rule("SE-R-007", "BT-84", when(swedish, giro(PLUSGIRO, numeric)), _W, text="SE-PLUSGIRO"),
    Rule("SE-R-008", "BT-84", when(swedish, giro(BANKGIRO, numeric)), _W, text="SE-BANKGIRO"),
    Rule(
        "SE-R-009", "BT-84", when(swedish, giro(BANKGIRO, lambda value: len(value) in (7, 8))), _W, text="SE-BANKGIRO"
    ),
    Rule(
        "SE-R-010", "BT-84", when(swedish, giro(PLUSGIRO, lambda value: 2 <= len(value) <= 8)), _W, text="SE-PLUSGIRO"
    ),
    Rule("SE-R-011", "BT-81", when(swedish, means_of(("50", "56"), lambda _: False, "code")), _W),
    Rule("SE-R-012", "BT-81", when(domestic, means_of(("31",), lambda _: False, "code")), _W),
    Rule("SE-R-013", "BT-30", when(with_number, legal("seller", lambda value, _: se_org(value))), text="SE-CHECK"),
)
