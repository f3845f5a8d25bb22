"""Peppol BIS Billing 3, NO-R and IT-R: sellers in Norway and in Italy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ..codes.checkdigits import no_org
from ..errors import Severity
from ..model import Party
from ._checks import text
from ._cius import when
from ._facts import Facts
from ._national import addressed, countries, vat_numbers
from ._rule import Hit, Rule

#: The word of the Norwegian register of companies.
REGISTER = "Foretaksregisteret"
#: The scheme of the tax registration beside VAT, by syntax; any in the bare model.
_SCHEME = {"ubl": "TAX", "cii": "FC"}
_NO_VAT = re.compile(r"NO([0-9]{9})MVA")
_IT_TAX = re.compile(r"[A-Z0-9]{11,16}")


def norwegian(facts: Facts) -> bool:
    """The seller is Norwegian."""
    return countries(facts).seller == "NO"


def italian(facts: Facts) -> bool:
    """The seller is Italian."""
    return countries(facts).seller == "IT"


def other_registrations(facts: Facts) -> Iterator[tuple[str, str, str]]:
    """(path, scheme, identifier) of the seller's tax registrations beside VAT (BT-32)."""
    seller = facts.seller
    for path, scheme, value in _registrations(seller):
        if value is not None and (scheme or "").strip() != "VAT":
            yield path, (scheme or "").strip(), value.strip()


def _registrations(seller: Party) -> Iterator[tuple[str, str | None, str | None]]:
    yield "$.seller.tax_id", seller.tax_id_scheme, seller.tax_id
    for at, one in enumerate(seller.tax_registrations):
        yield f"$.seller.tax_registrations[{at}].id", one.scheme, one.id


def registered(facts: Facts) -> Iterable[Hit]:
    """NO-R-002: most sellers say that they are in the register."""
    wanted = _SCHEME.get(facts.syntax)
    words = [value for _, scheme, value in other_registrations(facts) if wanted in (None, scheme)]
    if facts.invoice.seller is not None and REGISTER not in words:
        yield Hit("$.seller.tax_id", text(words[0] if words else None), REGISTER)


def vat_number(facts: Facts) -> Iterable[Hit]:
    """NO-R-001: NO, nine digits with their check digit, MVA."""
    for path, value in vat_numbers(facts, "seller"):
        match = _NO_VAT.fullmatch(value)
        if value[:2] == "NO" and not (match and no_org(match.group(1))):
            yield Hit(path, text(value), "NO987654325MVA")


def tax_number(facts: Facts) -> Iterable[Hit]:
    """IT-R-001: the tax registration is eleven to sixteen letters and digits."""
    for path, scheme, value in other_registrations(facts):
        if (facts.syntax != "cii" or scheme == "FC") and not _IT_TAX.fullmatch(value):
            yield Hit(path, text(value))


RULES: tuple[Rule, ...] = (
    Rule("NO-R-001", "BT-31", when(norwegian, vat_number)),
    Rule("NO-R-002", "BT-32", when(norwegian, registered), Severity.WARNING),
    Rule("IT-R-001", "BT-32", when(italian, tax_number)),
    Rule("IT-R-002", "BT-35", when(italian, addressed("seller", "line_1")), text="ADDRESS"),
    Rule("IT-R-003", "BT-37", when(italian, addressed("seller", "city")), text="ADDRESS"),
    Rule("IT-R-004", "BT-38", when(italian, addressed("seller", "postcode")), text="ADDRESS"),
)
