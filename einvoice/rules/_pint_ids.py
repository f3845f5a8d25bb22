"""Identifiers that carry a check: registers by their ISO 6523 scheme, as PINT tests them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from ..codes.checkdigits import au_abn, be_enterprise, gs1, is_digits, it_fiscal_code, it_ipa, it_vat, no_org
from ._checks import text
from ._facts import Facts
from ._rule import Check, Hit


def gln(value: str) -> bool:
    """A GS1 location number: digits of any count, the last one GS1's check digit."""
    return value.isascii() and value.isdigit() and gs1(value)


def danish(value: str) -> bool:
    """DK and eight digits."""
    return value.startswith("DK") and is_digits(value[2:], 8)


def swedish(value: str) -> bool:
    """Ten digits; PINT asks for no check digit."""
    return is_digits(value, 10)


#: Rule, what its scheme codes ask.
CHECKS: Mapping[str, tuple[frozenset[str], Callable[[str], bool]]] = {
    "ibr-068": (frozenset({"0088"}), gln),
    "ibr-069": (frozenset({"0192"}), no_org),
    "ibr-070": (frozenset({"0184"}), danish),
    "ibr-113": (frozenset({"0208"}), be_enterprise),
    "ibr-114": (frozenset({"0201"}), it_ipa),
    "ibr-115": (frozenset({"0210", "9907"}), it_fiscal_code),
    "ibr-116": (frozenset({"0211", "9906"}), it_vat),
    "ibr-120": (frozenset({"0151"}), au_abn),
    "ibr-127": (frozenset({"0007"}), swedish),
}
_PLACES = (
    ("BT-34", "seller.endpoint"), ("BT-49", "buyer.endpoint"),
    ("BT-29", "seller.identifiers[]"), ("BT-46", "buyer.identifiers[]"), ("BT-60", "payee.identifiers[]"),
    ("BT-30", "seller.legal_id"), ("BT-47", "buyer.legal_id"), ("BT-61", "payee.legal_id"),
)  # fmt: skip


def checked(schemes: frozenset[str], passes: Callable[[str], bool]) -> Check:
    """Each identifier of one of *schemes*, wherever a party states it, passes."""

    def check(facts: Facts) -> Iterable[Hit]:
        for term, path in _PLACES:
            for place, one in facts.places(path):
                if one.scheme in schemes and not passes(" ".join((one.value or "").split())):
                    yield Hit(f"{place}.value", text(one.value), term=term)

    return check


def unfilled(facts: Facts) -> bool:
    """A party names one of the schemes above and leaves the identifier empty."""
    known = frozenset().union(*(schemes for schemes, _ in CHECKS.values()))
    return any(one.scheme in known and not one.value for _, path in _PLACES for one in facts.values(path))
