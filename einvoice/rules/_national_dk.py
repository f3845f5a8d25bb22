"""Peppol BIS Billing 3, DK-R: sellers in Denmark, most of it when the buyer is there too."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from ..codes.checkdigits import is_digits
from ..model import Means
from ..money import parse
from ._checks import text
from ._cius import when
from ._facts import Facts
from ._national import account, bank, countries, is_credit_note, legal, means_of, numeric, uncoded
from ._rule import Check, Hit, Rule

#: ISO 6523: the Danish CVR register.
CVR = "0184"
MEANS = ("1", "10", "31", "42", "48", "49", "50", "58", "59", "93", "97")
#: Kinds of Danish payment slips (kortart): for giro (50) and for FIK (93), and those that carry a number.
GIRO, GIRO_NUMBERED = ("01#", "04#", "15#"), ("04#", "15#")
FIK, FIK_NUMBERED = ("71#", "73#", "75#"), ("71#", "75#")
#: Versions of UNSPSC, as scheme TST writes them.
UNSPSC = frozenset({"19.05.01", "19.0501", "26.08.01", "26.0801"})
_ENTRIES = ("allowances[]", "charges[]", "lines[**].allowances[]", "lines[**].charges[]")


def danish(facts: Facts) -> bool:
    """The seller's address is in Denmark."""
    return countries(facts).seller_at == "DK"


def domestic(facts: Facts) -> bool:
    """So is the buyer's."""
    at = countries(facts)
    return at.seller_at == at.buyer_at == "DK"


def paid(facts: Facts) -> bool:
    """A domestic invoice; how a credit note is paid is not judged in UBL."""
    return domestic(facts) and (facts.syntax == "cii" or not is_credit_note(facts))


def registered(facts: Facts) -> Iterable[Hit]:
    """DK-R-002: the seller states its CVR number."""
    number = facts.seller.legal_id
    if number is None or not (number.value or "").strip():
        yield Hit("$.seller.legal_id.value")


def credited(facts: Facts) -> Iterable[Hit]:
    """DK-R-016: what a credit note leaves to pay is not negative."""
    due = facts.totals.due
    if is_credit_note(facts) and due is not None and due < 0:
        yield Hit("$.totals.due", text(due), "0.00")


def schemes(facts: Facts) -> Iterable[Hit]:
    """DK-R-013: the identifiers of seller and buyer name their scheme."""
    for role, term in (("seller", "BT-29-1"), ("buyer", "BT-46-1")):
        for place, one in facts.places(f"{role}.identifiers[]"):
            if one.value is not None and not (one.scheme or "").strip():
                yield Hit(f"{place}.scheme", text(one.value), term=term)


def unspsc(facts: Facts) -> Iterable[Hit]:
    """DK-R-003: a classification of scheme TST is of one of two versions."""
    for at, line in enumerate(facts.lines):
        classes = line.item.classifications if line.item else ()
        if any(one.scheme == "TST" for one in classes) and not any(one.version in UNSPSC for one in classes):
            first = next(at for at, one in enumerate(classes) if one.scheme == "TST")
            yield Hit(f"$.lines[{at}].item.classifications[{first}].version", text(classes[first].version), "26.08.01")


def duties(facts: Facts) -> Iterable[Hit]:
    """DK-R-004: a duty (reason ZZZ) names its four-digit kind, or has a # within its reason."""
    for path in _ENTRIES:
        for place, entry in facts.places(path) if facts.values(f"{path}.reason_code") else ():
            if entry.reason_code == "ZZZ" and not _duty((entry.reason or "").strip()):
                yield Hit(f"{place}.reason", text(entry.reason))


def _duty(reason: str) -> bool:
    number = parse(reason) if numeric(reason) else None
    four = len(reason) == 4 and number is not None and number >= Decimal(0)
    return four or ("#" in reason and not reason.startswith("#") and not reason.endswith("#"))


def slip_length(code: str, kinds: tuple[str, ...], lengths: tuple[int, ...]) -> Check:
    """DK-R-009, -011: a slip of a numbered kind has its number, so that the reference is so long."""

    def check(facts: Facts) -> Iterable[Hit]:
        for place, means in facts.places("payment.means[]"):
            reference = means.remittance or facts.payment.remittance or ""
            if means.code == code and reference.startswith(kinds) and len(reference) not in lengths:
                where = place if means.remittance else "$.payment"
                yield Hit(f"{where}.remittance", text(reference), kinds[0] + "1234567890123456")

    return check


def slip_kind(code: str, kinds: tuple[str, ...], lengths: tuple[int, ...]) -> Check:
    """DK-R-008, -010: a slip names its kind and an account of so many digits."""

    def check(facts: Facts) -> Iterable[Hit]:
        for place, means in facts.places("payment.means[]"):
            reference = means.remittance or facts.payment.remittance or ""
            number = account(means)
            fits = len(number) in lengths and (code == "93" or is_digits(number, len(number)))
            if means.code == code and not (reference.startswith(kinds) and fits):
                yield Hit(f"{place}.remittance", text(reference), f"{kinds[0]}…")

    return check


def _mandated(means: Means) -> bool:
    return means.debit is not None and bool(means.debit.mandate) and bool(means.debit.account)


def _one_of(means: Means) -> bool:
    return (means.code or "").strip() in MEANS


RULES: tuple[Rule, ...] = (
    Rule("DK-R-002", "BT-30", when(danish, registered)),
    Rule("DK-R-003", "BT-158-2", when(domestic, unspsc)),
    Rule("DK-R-004", "BT-97", when(domestic, duties)),
    Rule("DK-R-005", "BT-81", when(paid, uncoded(means_of((), _one_of, "code")))),
    Rule(
        "DK-R-006", "BT-84", when(paid, means_of(("31", "42"), lambda one: bool(account(one) and bank(one)), "account"))
    ),
    Rule("DK-R-007", "BT-89", when(paid, means_of(("49",), _mandated, "debit"))),
    Rule("DK-R-008", "BT-83", when(paid, slip_kind("50", GIRO, (7, 8)))),
    Rule("DK-R-009", "BT-83", when(paid, slip_length("50", GIRO_NUMBERED, (19,)))),
    Rule("DK-R-010", "BT-83", when(paid, slip_kind("93", FIK, (8,)))),
    Rule("DK-R-011", "BT-83", when(paid, slip_length("93", FIK_NUMBERED, (18, 19)))),
    Rule("DK-R-013", "BT-29-1", when(domestic, schemes)),
    Rule("DK-R-014", "BT-30-1", when(danish, legal("seller", lambda value, scheme: scheme == CVR)), text="DK-CVR"),
    Rule("DK-R-016", "BT-115", when(domestic, credited)),
    Rule("DK-R-017", "BT-47-1", when(domestic, legal("buyer", lambda value, scheme: scheme == CVR)), text="DK-CVR"),
)
