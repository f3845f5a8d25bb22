"""XRechnung 3.0, the German CIUS: BR-DE-*, BR-DE-TMP-*, BR-TMP-*.

What KoSIT's Schematron tests decides, its oddities included: an IBAN is checked as it is written, so one in small
letters is no IBAN.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from ..errors import Severity
from ..model import Means
from ._checks import every, is_list, leaf_of, states, text
from ._cius import when
from ._en_presence import begun
from ._facts import Facts, missing
from ._rule import Check, Hit, Rule

CIUS = "urn:cen.eu:en16931:2017#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0"
EXTENSION = f"{CIUS}#conformant#urn:xeinkauf.de:kosit:extension:xrechnung_3.0"
CVD = f"{CIUS}#compliant#urn:xeinkauf.de:kosit:xrechnung:cvd_0.9"

#: UNCL1001 types that XRechnung knows, and UNCL5305 categories that need a registered seller.
TYPES = frozenset(["326", "380", "381", "384", "389", "875", "876", "877"])
TAXED = frozenset(["S", "Z", "E", "AE", "K", "G", "L", "M"])
#: UNCL4461: what kind of payment a code asks for.
TRANSFER, CARD, DEBIT = frozenset({"30", "58"}), frozenset({"48", "54", "55"}), frozenset({"59"})

_SKONTO = re.compile(r"#SKONTO#TAGE=[0-9]+#PROZENT=[0-9]+\.[0-9]{2}(#BASISBETRAG=-?[0-9]+\.[0-9]{2})?#")
_MAIL = re.compile(r"[^@\s]+@(?:[^@.\s]+\.)+[^@.\s]+")
_URL = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+:")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[a-zA-Z0-9]{0,30}")

#: Id, term, the group, what it states when it is there.
_STATED = """
BR-DE-3  BT-37  seller.address   city
BR-DE-4  BT-38  seller.address   postcode
BR-DE-6  BT-42  seller.contact   phone
BR-DE-7  BT-43  seller.contact   email
BR-DE-8  BT-52  buyer.address    city
BR-DE-9  BT-53  buyer.address    postcode
BR-DE-10 BT-77  delivery.address city
BR-DE-11 BT-78  delivery.address postcode
"""


def iban(value: str | None) -> bool:
    """True when *value* is an IBAN whose check digits are right (ISO 13616), white space aside.

    >>> iban("DE75 5121 0800 1245 1261 99"), iban("DE76512108001245126199"), iban(None)
    (True, False, False)
    """
    plain = "".join((value or "").split())
    if not _IBAN.fullmatch(plain):
        return False
    digits = "".join(str(ord(sign) - 55) if sign > "@" else sign for sign in plain[4:] + plain[:4])
    return int(digits) % 97 == 1


def phone(value: str) -> bool:
    """At least three digits.

    >>> phone("+49 30 1"), phone("n/a")
    (True, False)
    """
    return sum(sign in "0123456789" for sign in value) >= 3


def unregistered(facts: Facts) -> Iterable[Hit]:
    """BR-DE-16: a taxed category needs the seller's registration or a tax representative."""
    used = {code for path in ("lines[]", "allowances[]", "charges[]")
            for code in facts.values(f"{path}.taxes[].category")}  # fmt: skip
    own = any(not missing(value) for _, value in facts.tax_ids("seller"))
    if used & TAXED and not own and facts.invoice.tax_representative is None:
        yield Hit("$.seller.vat_id")


def known_type(facts: Facts) -> Iterable[Hit]:
    """BR-DE-17."""
    code = facts.invoice.type_code
    if (code or "").strip() not in TYPES:
        yield Hit("$.type_code", text(code))


def cash_discount(facts: Facts) -> Iterable[Hit]:
    """BR-DE-18: a line of the payment terms that begins with # states a cash discount and nothing else."""
    terms = facts.payment.terms or ""
    marked = [line.strip() for line in terms.split("\n") if line.strip().startswith("#")]
    for line in marked:
        if not _SKONTO.fullmatch(" ".join(line.split())):
            yield Hit("$.payment.terms", text(line))
    if marked and not _ended(terms):
        yield Hit("$.payment.terms", text(marked[-1]))


def _ended(terms: str) -> bool:
    """The last cash discount ends its line."""
    return re.match(r"\s*\n", re.split(r"#[^\n\r]+#", terms)[-1]) is not None


def specification(facts: Facts) -> Iterable[Hit]:
    """BR-DE-21."""
    stated = facts.invoice.specification
    if stated not in (CIUS, EXTENSION, CVD):
        yield Hit("$.specification", text(stated), CIUS)


def file_names(facts: Facts) -> Iterable[Hit]:
    """BR-DE-22: no two attached files have the same name."""
    seen: set[str] = set()
    for place, name in facts.places("attachments[].filename"):
        if name in seen:
            yield Hit(place, text(name))
        seen.add(name)


def corrected(facts: Facts) -> Iterable[Hit]:
    """BR-DE-26: a corrected invoice names the one it corrects."""
    if (facts.invoice.type_code or "").strip() == "384" and not facts.invoice.preceding:
        yield Hit("$.preceding")


def _debited(facts: Facts) -> bool:
    return bool(facts.values("payment.means[].debit"))


def creditor(facts: Facts) -> Iterable[Hit]:
    """BR-DE-30: a direct debit states the creditor's identifier."""
    schemes = {one.scheme for role in ("seller", "payee") for one in facts.values(f"{role}.identifiers[]")}
    if missing(facts.payment.creditor_id) and "SEPA" not in schemes:
        yield Hit("$.payment.creditor_id")


def debited_account(facts: Facts) -> Iterable[Hit]:
    """BR-DE-31: a direct debit states the account it is taken from."""
    return () if facts.values("payment.means[].debit.account") else (Hit("$.payment.means[0].debit.account"),)


def supplied(facts: Facts) -> Iterable[Hit]:
    """BR-DE-TMP-32: the time of supply: a delivery date, an invoicing period, or a period on each line."""
    invoice = facts.invoice
    delivery = invoice.delivery.date if invoice.delivery else None
    period = invoice.period is not None or (facts.syntax == "ubl" and invoice.tax_point_code is not None)
    if delivery is None and not period and not all(line.period is not None for line in facts.lines):
        yield Hit("$.delivery.date")


def paid_by(codes: frozenset[str], leaf: str) -> Check:
    """BR-DE-24-a, -25-a: means of these codes state *leaf*."""
    return _means(codes, lambda means: getattr(means, leaf) is not None, leaf)


def with_account(facts: Facts) -> Iterable[Hit]:
    """BR-DE-23-a: a credit transfer names an account; in CII the bank stands apart, and is none."""
    for place, means in _of_kind(facts, TRANSFER):
        if not begun(facts, place, means):
            yield Hit(f"{place}.account")


def not_paid_by(codes: frozenset[str], *leaves: str) -> Check:
    """BR-DE-23-b to -25-b: means of these codes leave *leaves* out."""

    def check(facts: Facts) -> Iterable[Hit]:
        for place, means in _of_kind(facts, codes):
            yield from (Hit(f"{place}.{leaf}", means.code or "") for leaf in leaves if getattr(means, leaf) is not None)

    return check


def with_iban(code: str, leaf: str) -> Check:
    """BR-DE-19, -20: the account of a SEPA payment is an IBAN."""
    return _means(frozenset({code}), lambda means: iban(leaf_of(means, leaf)), leaf)


def _means(codes: frozenset[str], passes: Callable[[Means], bool], leaf: str) -> Check:
    def check(facts: Facts) -> Iterable[Hit]:
        for place, means in _of_kind(facts, codes):
            if not passes(means):
                yield Hit(f"{place}.{leaf}", text(leaf_of(means, leaf)))

    return check


def _of_kind(facts: Facts, codes: frozenset[str]) -> Iterable[tuple[str, Means]]:
    return ((place, means) for place, means in facts.places("payment.means[]") if (means.code or "").strip() in codes)


def contact_name(facts: Facts) -> Iterable[Hit]:
    """BR-DE-5; CII takes a department for it."""
    contact = facts.seller.contact
    department = contact.department if contact is not None and facts.syntax == "cii" else None
    if contact is not None and missing(contact.name) and missing(department):
        yield Hit("$.seller.contact.name")


def reached(leaf: str, passes: Callable[[str], bool]) -> Check:
    """BR-DE-27, -28: the seller's contact can be reached at *leaf*, which looks like what it is to be."""

    def check(facts: Facts) -> Iterable[Hit]:
        contact = facts.seller.contact
        stated = getattr(contact, leaf)
        if contact is not None and not passes(" ".join((stated or "").split())):
            yield Hit(f"$.seller.contact.{leaf}", text(stated))

    return when(lambda facts: facts.seller.contact is not None, check)


def _stated() -> Iterable[Rule]:
    for line in _STATED.strip().splitlines():
        id_, term, group, leaf = line.split()
        yield Rule(id_, term, states(group, leaf))


_W, _I = Severity.WARNING, Severity.INFO
RULES: tuple[Rule, ...] = (
    *_stated(),
    Rule("BR-DE-1", "BG-16", is_list("payment.means[]")),
    Rule("BR-DE-2", "BG-6", states("", "seller.contact")),
    Rule("BR-DE-5", "BT-41", contact_name),
    Rule("BR-DE-14", "BT-119", states("tax_breakdown[]", "rate"), stated=True),
    Rule("BR-DE-15", "BT-10", states("", "buyer_reference")),
    Rule("BR-DE-16", "BT-31", unregistered),
    Rule("BR-DE-17", "BT-3", known_type, _W),
    Rule("BR-DE-18", "BT-20", cash_discount),
    Rule("BR-DE-19", "BT-84", with_iban("58", "account.id"), _W),
    Rule("BR-DE-20", "BT-91", with_iban("59", "debit.account"), _W),
    Rule("BR-DE-21", "BT-24", specification, _W),
    Rule("BR-DE-22", "BT-125-2", file_names),
    Rule("BR-DE-23-a", "BG-17", with_account, text="MEANS-MISSING"),
    Rule("BR-DE-23-b", "BG-18", not_paid_by(TRANSFER, "card", "debit"), text="MEANS-OTHER"),
    Rule("BR-DE-24-a", "BG-18", paid_by(CARD, "card"), text="MEANS-MISSING"),
    Rule("BR-DE-24-b", "BG-17", not_paid_by(CARD, "account", "debit"), text="MEANS-OTHER"),
    Rule("BR-DE-25-a", "BG-19", paid_by(DEBIT, "debit"), text="MEANS-MISSING"),
    Rule("BR-DE-25-b", "BG-17", not_paid_by(DEBIT, "account", "card"), text="MEANS-OTHER"),
    Rule("BR-DE-26", "BG-3", corrected, _W),
    Rule("BR-DE-27", "BT-42", reached("phone", phone), _W),
    Rule("BR-DE-28", "BT-43", reached("email", lambda value: _MAIL.fullmatch(value) is not None), _W),
    Rule("BR-DE-30", "BT-90", when(_debited, creditor)),
    Rule("BR-DE-31", "BT-91", when(_debited, debited_account)),
    Rule("BR-DE-TMP-32", "BT-72", supplied, _I),
    Rule("BR-TMP-2", "BT-124", every("attachments[].uri", lambda value: _URL.match(value) is not None), _W),
)
