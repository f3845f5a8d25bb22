"""Our own checks of identifiers and accounts: check digits of parties, articles, accounts and cards."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from .. import terms
from ..errors import Severity
from ..model import Account, Identifier, Party
from ._checks import text
from ._facts import Facts, missing
from ._identifiers import Kind, registration_kind, scheme_kind, tax_kind, valid
from ._rule import Hit, Rule

_W = Severity.WARNING
_ROLES = ("seller", "buyer", "payee", "tax_representative", "remit_to", "bill_to", "sold_to", "ship_from", "issuer")
#: A country, two check digits and at least eleven more: the shortest IBAN has fifteen signs (ISO 13616).
_IBAN_LIKE = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,}")
#: Payment means that are paid to and from an IBAN alone (UNCL4461): SEPA credit transfer, SEPA direct debit.
SEPA = frozenset({"58", "59"})
_CREDITOR_LIKE = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{4,}")
#: PCI DSS lets the first six and the last four digits of a card be shown.
SHOWN = 10


def parties(facts: Facts) -> Iterator[tuple[str, Party]]:
    """(role, party) of each party that is stated."""
    for role in _ROLES:
        party = getattr(facts.invoice, role)
        if party is not None:
            yield role, party


def country(party: Party) -> str:
    code = party.address.country if party.address is not None else None
    return (code or "").strip().upper()


def _wrong(kind: Kind | None, value: str | None) -> bool:
    return kind is not None and value is not None and not missing(value) and not kind.passes(value)


def tax_ids(facts: Facts) -> Iterable[Hit]:
    """EINV-ID-01: the VAT or GST identifiers of the parties."""
    for role, party in parties(facts):
        value = party.vat_id
        kind = tax_kind(value, country(party)) if value else None
        if kind is not None and _wrong(kind, value):
            yield Hit(f"$.{role}.vat_id", text(value), kind.shown, terms.at(f"{role}.vat_id").id)


def party_ids(facts: Facts) -> Iterable[Hit]:
    """EINV-ID-02: identifiers and legal registrations with a scheme, and the place delivered to."""
    for role, party in parties(facts):
        for at, one in enumerate(party.identifiers):
            yield from _judged(f"{role}.identifiers[{at}]", f"{role}.identifiers[]", one)
        yield from _judged(f"{role}.legal_id", f"{role}.legal_id", party.legal_id)
    delivery = facts.invoice.delivery
    if delivery is not None:
        yield from _judged("delivery.location", "delivery.location", delivery.location)


def endpoints(facts: Facts) -> Iterable[Hit]:
    """EINV-ID-03: electronic addresses."""
    for role, party in parties(facts):
        yield from _judged(f"{role}.endpoint", f"{role}.endpoint", party.endpoint)


def _judged(path: str, place: str, one: Identifier | None) -> Iterator[Hit]:
    kind = scheme_kind(one.scheme.strip()) if one is not None and one.scheme else None
    if one is not None and kind is not None and _wrong(kind, one.value):
        yield Hit(f"$.{path}.value", text(one.value), kind.shown, terms.at(f"{place}.value").id)


def registrations(facts: Facts) -> Iterable[Hit]:
    """EINV-ID-04: tax registrations beside VAT, by country and scheme."""
    for role, party in parties(facts):
        stated = [("tax_id", "tax_id", party.tax_id_scheme, party.tax_id)]
        stated += [(f"tax_registrations[{at}].id", "tax_registrations[].id", one.scheme, one.id)
                   for at, one in enumerate(party.tax_registrations)]  # fmt: skip
        for path, place, scheme, value in stated:
            kind = registration_kind(country(party), (scheme or "").strip().upper())
            if kind is not None and _wrong(kind, value):
                yield Hit(f"$.{role}.{path}", text(value), kind.shown, terms.at(f"{role}.{place}").id)


def gtin(value: str) -> bool:
    """A GS1 article number: 8, 12, 13 or 14 digits, the last one the check digit.

    >>> gtin("4019999900013"), gtin("4019999900014"), gtin("PT-200")
    (True, False, False)
    """
    if len(value) not in (8, 12, 13, 14) or not value.isascii() or not value.isdigit():
        return False
    return (3 * sum(map(int, value[-2::-2])) + sum(map(int, value[-1::-2]))) % 10 == 0


def articles(facts: Facts) -> Iterable[Hit]:
    """EINV-ID-05: article numbers of scheme 0160."""
    if all(map(_article, facts.values("lines[].item.standard_id"))):
        return
    for place, one in facts.places("lines[].item.standard_id"):
        if not _article(one):
            yield Hit(f"{place}.value", text(one.value), "GTIN 4019999900013")


def _article(one: Identifier) -> bool:
    return one.scheme != "0160" or not one.value or gtin(one.value)


# --- accounts ---------------------------------------------------------------------------------------------------------


def _compact(value: str | None) -> str:
    return "".join((value or "").split())


def _iban_wrong(value: str | None, declared: bool) -> bool:
    """True for what is no IBAN, and says it is one or looks like one."""
    plain = _compact(value).upper()
    if not plain or not (declared or _IBAN_LIKE.fullmatch(plain)):
        return False
    return len(plain) > 34 or not plain.isascii() or not valid("iban", plain)


def ibans(facts: Facts) -> Iterable[Hit]:
    """EINV-BANK-01: accounts that are IBANs, or have to be."""
    for place, means in facts.places("payment.means[]"):
        declared = (means.code or "").strip() in SEPA
        account, debit = means.account, means.debit
        if account is not None and _iban_wrong(account.id, declared or account.scheme == "IBAN"):
            yield Hit(f"{place}.account.id", text(account.id))
        if debit is not None and _iban_wrong(debit.account, declared):
            yield Hit(f"{place}.debit.account", text(debit.account), term="BT-91")
    for role, party in parties(facts):
        for at, account in enumerate(party.accounts):
            if _iban_wrong(account.id, account.scheme == "IBAN"):
                yield Hit(f"$.{role}.accounts[{at}].id", text(account.id), term=terms.at(f"{role}.accounts[].id").id)


def bics(facts: Facts) -> Iterable[Hit]:
    """EINV-BANK-02: bank identifiers have the form of ISO 9362; beside an account that is no IBAN they need not."""
    for place, means in facts.places("payment.means[]"):
        if _bic_wrong(means.account, (means.code or "").strip() in SEPA):
            yield Hit(f"{place}.account.bic", text(means.account.bic))
    for role, party in parties(facts):
        for at, account in enumerate(party.accounts):
            if _bic_wrong(account, False):
                term = terms.at(f"{role}.accounts[].bic").id
                yield Hit(f"$.{role}.accounts[{at}].bic", text(account.bic), term=term)


def _bic_wrong(account: Account | None, sepa: bool) -> bool:
    if account is None or account.bic is None or missing(account.bic):
        return False
    judged = sepa or account.scheme == "IBAN" or _IBAN_LIKE.fullmatch(_compact(account.id).upper())
    return bool(judged) and not (account.bic.isascii() and valid("bic", account.bic))


def creditor(facts: Facts) -> Iterable[Hit]:
    """EINV-BANK-03: the creditor identifier of a SEPA direct debit (EPC262-08)."""
    value = facts.payment.creditor_id
    plain = _compact(value).upper()
    sepa = any((means.code or "").strip() == "59" for means in facts.payment.means)
    judged = plain and (sepa or _CREDITOR_LIKE.fullmatch(plain))
    if judged and (len(plain) > 35 or not plain.isascii() or not valid("eu.at_02", plain)):
        yield Hit("$.payment.creditor_id", text(value))


def cards(facts: Facts) -> Iterable[Hit]:
    """EINV-BANK-04: no more of a card number than PCI DSS lets be shown; the finding does not repeat it."""
    for place, value in facts.places("payment.means[].card.number"):
        digits = [sign for sign in value if sign.isdigit()]
        if len(digits) > SHOWN:
            yield Hit(place, "…" + "".join(digits[-4:]))


RULES: tuple[Rule, ...] = (
    Rule("EINV-ID-01", "BT-31", tax_ids, _W),
    Rule("EINV-ID-02", "BT-29", party_ids, _W),
    Rule("EINV-ID-03", "BT-34", endpoints, _W),
    Rule("EINV-ID-04", "BT-32", registrations, _W),
    Rule("EINV-ID-05", "BT-157", articles, _W),
    Rule("EINV-BANK-01", "BT-84", ibans, _W),
    Rule("EINV-BANK-02", "BT-86", bics, _W),
    Rule("EINV-BANK-03", "BT-90", creditor, _W),
    Rule("EINV-BANK-04", "BT-87", cards, _W, within="payment.means[].card"),
)
#: Published rules that judge the same.
BESIDE = {
    "EINV-ID-01": ("PEPPOL-COMMON-R0", "NO-R-001", "SE-R-0", "GR-R-0", "GR-S-0", "BR-CO-09", "SDI-0030"),
    "EINV-ID-02": ("PEPPOL-COMMON-R0", "SE-R-0", "DK-R-0", "ibr-", "aligned-ibrp-"),
    "EINV-ID-03": ("PEPPOL-COMMON-R0", "GR-R-0", "DK-R-0", "ibr-", "aligned-ibrp-", "SDI-00311"),
    "EINV-ID-04": ("IT-R-001", "SDI-0030", "aligned-ibrp-"),
    "EINV-BANK-01": ("BR-DE-19", "BR-DE-20", "DK-R-0", "SE-R-0"),
    "EINV-BANK-04": ("BR-51",),
}
