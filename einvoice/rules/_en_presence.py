"""EN 16931-1, BR-01 to BR-67: what an invoice and each of its groups shall state."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from ..errors import Severity
from ..model import Means
from ._checks import every, is_list, joined, leaf_of, named, states
from ._facts import Facts, missing
from ._rule import Check, Hit, Rule

#: Digits of a card number that may be shown (PCI DSS: the first six and the last four).
CARD_DIGITS = 10
#: UNCL4461: credit transfer, and SEPA credit transfer.
TRANSFERS = frozenset({"30", "58"})

#: Rules that ask for the element alone, in both syntaxes or in UBL.
_THERE = frozenset("12 13 14 15 22 23 24 26 31 36 41 43 45 46 48 49".split())
_THERE_IN_UBL = frozenset("55 57 62 63 64 65".split())

_BY_ID = """
BR-01 BT-24  specification
BR-02 BT-1   number
BR-03 BT-2   issue_date
BR-04 BT-3   type_code
BR-05 BT-5   currency
BR-06 BT-27  seller.name
BR-07 BT-44  buyer.name
BR-08 BG-5   seller.address
BR-10 BG-8   buyer.address
BR-12 BT-106 totals.lines
BR-13 BT-109 totals.net
BR-14 BT-112 totals.gross
BR-15 BT-115 totals.due
"""

#: Id, term, the group, what it states when it is there.
_BY_GROUP = """
BR-18 BT-62  tax_representative        name
BR-19 BG-12  tax_representative        address
BR-20 BT-69  tax_representative.address country
BR-21 BT-126 lines[]                   id
BR-22 BT-129 lines[]                   quantity
BR-23 BT-130 lines[]                   unit
BR-24 BT-131 lines[]                   net_amount
BR-25 BT-153 lines[]                   item.name
BR-26 BT-146 lines[]                   price.net
BR-31 BT-92  allowances[]              amount
BR-36 BT-99  charges[]                 amount
BR-41 BT-136 lines[].allowances[]      amount
BR-43 BT-141 lines[].charges[]         amount
BR-45 BT-116 tax_breakdown[]           base
BR-46 BT-117 tax_breakdown[]           amount
BR-49 BT-81  payment.means[]           code
BR-55 BT-25  preceding[]               id
BR-57 BT-80  delivery.address          country
BR-62 BT-34-1 seller.endpoint          scheme
BR-63 BT-49-1 buyer.endpoint           scheme
"""


def country(role: str) -> Check:
    """BR-09, BR-11: the address of a party has a country. CII asks it also where there is no address."""
    stated = states(f"{role}.address", "country")

    def check(facts: Facts) -> Iterable[Hit]:
        if facts.syntax == "cii" and not facts.values(f"{role}.address"):
            return (Hit(f"$.{role}.address.country"),)
        return stated(facts)

    return check


def charged(path: str) -> Check:
    """Each allowance or charge at *path* has a VAT category."""

    def check(facts: Facts) -> Iterable[Hit]:
        for place, entry in facts.places(path):
            if not any(facts.is_vat(tax) and tax.category is not None for tax in entry.taxes):
                yield Hit(f"{place}.taxes")

    return check


def reasoned(path: str) -> Check:
    """Each allowance or charge at *path* states a reason or its code; an empty element is one."""
    return every(path, lambda one: one.reason is not None or one.reason_code is not None, "reason")


def schemed(path: str, leaf: str) -> Check:
    """BR-64, BR-65: each identifier at *path* has a scheme; where *leaf* itself is not there, nothing is asked."""
    stated = states(path, "scheme")  # nearly always, and quicker to ask
    asked = every(path, lambda one: getattr(one, leaf) is None or not missing(one.scheme), "scheme")
    return lambda facts: asked(facts) if stated(facts) else ()


def there(id_: str) -> tuple[str, ...]:
    """The syntaxes in which the rule asks for an element and not for what is in it."""
    number = id_.removeprefix("BR-")
    return ("ubl", "cii") if number in _THERE else ("ubl",) if number in _THERE_IN_UBL else ()


def not_negative(path: str, leaf: str, needed: bool) -> Check:
    def passes(value: object) -> bool:
        number: Decimal | None = getattr(value, leaf)
        return not needed if number is None else number >= 0

    return every(path, passes, leaf)


def net_price(facts: Facts) -> Iterable[Hit]:
    """BR-27: also broken where there is no price to be at least zero, as the bindings have it."""
    lines = facts.lines
    if all(line.price is not None and line.price.net is not None and line.price.net >= 0 for line in lines):
        return
    for at, line in enumerate(lines):
        net = line.price.net if line.price else None
        if net is None or net < 0:
            yield Hit(f"$.lines[{at}].price.net", "" if net is None else str(net))


def vat_row(leaf: str) -> Check:
    """Each row of the breakdown states *leaf* under VAT; BR-48 spares category O."""

    def check(facts: Facts) -> Iterable[Hit]:
        for at, row in facts.rows:
            stated = facts.is_vat(row) and getattr(row, leaf) is not None
            spared = leaf == "rate" and facts.is_vat(row) and row.category == "O"
            if not stated and not spared:
                yield Hit(f"$.tax_breakdown[{at}].{leaf}")

    return check


def payee(facts: Facts) -> Iterable[Hit]:
    """BR-17: the payee has a name and is someone else than the seller."""
    given = facts.invoice.payee
    if given is None:
        return
    own = facts.seller.name if facts.syntax == "cii" else facts.seller.trading_name
    ids = {one.value for one in facts.seller.identifiers if one.value is not None}
    if given.name is None:
        yield Hit("$.payee.name")
    elif given.name == own or ids & {one.value for one in given.identifiers}:
        yield Hit("$.payee.name", given.name or "")


def representative_vat(facts: Facts) -> Iterable[Hit]:
    """BR-56: the tax representative has a VAT identifier."""
    if facts.invoice.tax_representative is None:
        return
    stated = [value for _, value in facts.vat_ids("tax_representative")]
    if not stated or (facts.syntax == "cii" and all(map(missing, stated))):
        yield Hit("$.tax_representative.vat_id")


def card(means: Means) -> bool:
    number = means.card.number if means.card else None
    return number is None or len(" ".join(number.split())) <= CARD_DIGITS


def documents_filled(facts: Facts) -> Iterable[Hit]:
    """BR-52: what the syntax writes as a document too has an identifier: the invoiced object, in CII BT-17."""
    given, tender = facts.invoice.invoiced_object, facts.invoice.tender_reference
    if given is not None and missing(given.value):
        yield Hit("$.invoiced_object.value")
    if facts.syntax == "cii" and tender is not None and missing(tender):
        yield Hit("$.tender_reference", term="BT-17")


def account_named(facts: Facts) -> Iterable[Hit]:
    """BR-50: the account of a credit transfer, where it is begun, has an identifier."""
    for place, means in _transfers(facts):
        if begun(facts, place, means) and missing(leaf_of(means, "account.id")):
            yield Hit(f"{place}.account.id")


def account_given(facts: Facts) -> Iterable[Hit]:
    """BR-61: a credit transfer has an account. CII asks only where the account is begun."""
    for place, means in _transfers(facts):
        asked = facts.syntax != "cii" or begun(facts, place, means)
        if asked and leaf_of(means, "account.id") is None:
            yield Hit(f"{place}.account.id")


def _transfers(facts: Facts) -> Iterable[tuple[str, Means]]:
    """The credit transfers that do not name an account, each with its place."""
    if not any(
        one.code in TRANSFERS and missing(leaf_of(one, "account.id")) for one in facts.values("payment.means[]")
    ):
        return ()
    return ((place, one) for place, one in facts.places("payment.means[]") if one.code in TRANSFERS)


def begun(facts: Facts, place: str, means: Means) -> bool:
    """True where the account of *means* is there. In CII the bank stands apart from it, and does not begin it."""
    account = means.account
    if account is None or facts.syntax != "cii":
        return account is not None
    return (account.id or account.name) is not None or account.bic is None or f"{place}.account" in facts.empty


def accounting_tax(facts: Facts) -> Iterable[Hit]:
    """BR-53: an accounting currency brings its tax total. UBL takes BT-110 for it where both currencies are equal."""
    invoice = facts.invoice
    if invoice.tax_currency is None or facts.totals.tax_accounting is not None:
        return
    if facts.syntax == "cii" or invoice.tax_currency != invoice.currency or facts.totals.tax is None:
        yield Hit("$.totals.tax_accounting")


def cards_and_debits(leaf: str) -> Check:
    """BR-66, BR-67 (until 1.3.14, UBL): one card and one mandate at most."""

    def check(facts: Facts) -> Iterable[Hit]:
        if facts.syntax == "cii":  # there BR-66 asked for the charge indicator, without which nothing is read
            return
        stated = [place for place, means in facts.places("payment.means[]") if getattr(means, leaf) is not None]
        if len(stated) > 1:
            yield Hit(f"{stated[1]}.{leaf}", str(len(stated)), "1")

    return check


def _rows() -> Iterable[Rule]:
    for line in _BY_ID.strip().splitlines():
        id_, term, path = line.split()
        yield Rule(id_, term, states("", path), stated=True, there=there(id_))
    for line in _BY_GROUP.strip().splitlines():
        id_, term, group, leaf = line.split()
        yield Rule(id_, term, states(group, leaf), stated=True, within=group, there=there(id_))


RULES: tuple[Rule, ...] = (
    *_rows(),
    Rule("BR-09", "BT-40", country("seller"), stated=True),
    Rule("BR-11", "BT-55", country("buyer"), stated=True),
    Rule("BR-16", "BG-25", is_list("lines[]")),
    Rule("BR-17", "BT-59", payee, within="payee"),
    Rule("BR-27", "BT-146", net_price, stated=True),
    Rule("BR-28", "BT-148", not_negative("lines[].price", "gross", needed=False)),
    Rule("BR-32", "BT-95", charged("allowances[]"), within="allowances[]"),
    Rule("BR-33", "BT-97", reasoned("allowances[]"), within="allowances[]"),
    Rule("BR-37", "BT-102", charged("charges[]"), within="charges[]"),
    Rule("BR-38", "BT-104", reasoned("charges[]"), within="charges[]"),
    Rule("BR-42", "BT-139", reasoned("lines[].allowances[]"), within="lines[].allowances[]"),
    Rule("BR-44", "BT-144", reasoned("lines[].charges[]"), within="lines[].charges[]"),
    Rule("BR-47", "BT-118", vat_row("category"), within="tax_breakdown[]"),
    Rule("BR-48", "BT-119", vat_row("rate"), within="tax_breakdown[]", stated=True, there=there("BR-48")),
    Rule("BR-50", "BT-84", account_named, within="payment.means[]"),
    Rule(
        "BR-51", "BT-87", every("payment.means[]", card, "card.number"), Severity.WARNING, within="payment.means[].card"
    ),
    Rule("BR-52", "BT-122", joined(states("attachments[]", "id"), named(documents_filled, "BT-18")), stated=True),
    Rule("BR-53", "BT-111", accounting_tax, stated=True),
    Rule("BR-54", "BG-32", every("lines[**].item.attributes[]", lambda one: None not in (one.name, one.value))),
    Rule("BR-56", "BT-63", representative_vat, within="tax_representative"),
    Rule("BR-61", "BT-84", account_given, within="payment.means[]"),
    Rule("BR-64", "BT-157-1", schemed("lines[].item.standard_id", "value"), there=there("BR-64")),
    Rule("BR-65", "BT-158-1", schemed("lines[].item.classifications[]", "code"), there=there("BR-65")),
    Rule("BR-66", "BG-18", cards_and_debits("card"), within="payment.means[]"),
    Rule("BR-67", "BG-19", cards_and_debits("debit"), within="payment.means[]"),
)
