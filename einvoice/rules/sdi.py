"""Sistema di Interscambio: the content checks after which SdI rejects a FatturaPA, by its error codes.

SDI-00417 is SdI's code 00417. Source: Agenzia delle Entrate, "Elenco dei controlli effettuati sul file fattura",
version 2.0 of 2025-01-31. They are judged on what a FatturaPA is made from, so before it is written; what asks the tax
registers, or is about the file alone, is listed under ``not_native``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from decimal import Decimal

from ..model import Party, Tax, is_credit
from ._checks import every, text
from ._facts import ZERO, Facts, missing
from ._identifiers import valid
from ._rule import Check, Hit, Pack, Release, Rule

_ONE, _CENT, _HUNDRED = Decimal(1), Decimal("0.01"), Decimal(100)
#: Natura, the code of why no tax is charged; a tax states it as its exemption code, or in place of a category.
_NATURE = re.compile(r"N[1-7](\.[1-9])?")
#: Codes that stand for a group and are no longer taken: one of the group has to be named.
GENERIC = frozenset({"N2", "N3", "N6"})
#: Categories of UNCL5305 under which no tax is charged.
UNTAXED = frozenset({"Z", "E", "AE", "K", "G", "O"})
_LINES, _ROWS = "lines[].taxes[]", "tax_breakdown[]"
#: Form of a recipient code by the scheme of the address: a company's seven signs, an office's six.
_ADDRESSES = {"0205": re.compile(r"[A-Z0-9]{6,7}"), "0201": re.compile(r"[A-Z0-9]{6}")}
_FISCAL = frozenset({"0210", "0211", "9906", "9907"})


def nature(tax: Tax) -> str:
    """The Natura that a tax states; empty where it states none."""
    stated = (tax.exemption_code, tax.category, tax.category_name)
    return next((one for one in stated if one and _NATURE.fullmatch(one)), "")


def untaxed(tax: Tax) -> bool:
    return tax.category in UNTAXED or bool(nature(tax))


def _vat(facts: Facts, path: str) -> Iterator[tuple[str, Tax]]:
    """(path, tax) of each VAT at *path*, without taxes withheld."""
    for place, tax in facts.places(path):
        if facts.is_vat(tax) and tax.effect != "withheld":
            yield place, tax


def nature_missing(path: str) -> Check:
    """00400, 00429: at 0 % the Natura is stated."""

    def check(facts: Facts) -> Iterable[Hit]:
        for place, tax in _vat(facts, path):
            if not tax.rate and not untaxed(tax):
                yield Hit(f"{place}.category", text(tax.category))

    return check


def nature_in_vain(path: str) -> Check:
    """00401, 00430: at another rate it is not."""

    def check(facts: Facts) -> Iterable[Hit]:
        for place, tax in _vat(facts, path):
            if tax.rate and untaxed(tax):
                yield Hit(f"{place}.category", nature(tax) or text(tax.category), text(tax.rate))

    return check


def received(facts: Facts) -> Iterable[Hit]:
    """00403: the document is not dated after the day on which SdI receives it."""
    issued, today = facts.invoice.issue_date, facts.today
    if issued is not None and today is not None and issued > today:
        yield Hit("$.issue_date", text(issued), text(today))


def withheld(facts: Facts) -> Iterable[Hit]:
    """00411: a line says that tax is withheld, and the document does not say how much."""
    if any(row.effect == "withheld" for row in facts.invoice.tax_breakdown):
        return
    for place, tax in facts.places(_LINES):
        if tax.effect == "withheld":
            yield Hit(f"{place}.effect", "withheld")
            return


def buyer_known(facts: Facts) -> Iterable[Hit]:
    """00417: the buyer has a VAT number or a fiscal code."""
    buyer = facts.invoice.buyer
    if buyer is None or not any(not missing(one) for one in _fiscal(buyer)):
        yield Hit("$.buyer.vat_id")


def _fiscal(party: Party) -> Iterator[str | None]:
    yield from (party.vat_id, party.tax_id, *(one.id for one in party.tax_registrations))
    for one in (*party.identifiers, party.legal_id, party.endpoint):
        if one is not None and one.scheme in _FISCAL:
            yield one.value


def credited(facts: Facts) -> Iterable[Hit]:
    """00418: a credit note is not older than the invoice it credits."""
    issued = facts.invoice.issue_date
    if issued is None or not is_credit(facts.invoice):
        return
    for place, day in facts.places("preceding[].issue_date"):
        if issued < day:
            yield Hit(place, text(day), text(issued))


def _rates(facts: Facts, path: str) -> dict[Decimal, str]:
    """Each rate at *path*, 0 where none is stated, with the first place of it."""
    found: dict[Decimal, str] = {}
    for place, tax in _vat(facts, path):
        found.setdefault(tax.rate or ZERO, place)
    return found


def summarised(facts: Facts) -> Iterable[Hit]:
    """00419: there are as many rows in the breakdown as rates on the lines, at least."""
    rates, rows = _rates(facts, _LINES), list(_vat(facts, _ROWS))
    if len(rows) < len(rates):
        yield Hit("$.tax_breakdown", str(len(rows)), str(len(rates)))


def split(facts: Facts) -> Iterable[Hit]:
    """00420: split payment and reverse charge exclude each other."""
    for place, row in _vat(facts, _ROWS):
        if row.effect == "paid_by_buyer" and (row.category == "AE" or nature(row).startswith("N6")):
            yield Hit(f"{place}.effect", nature(row) or text(row.category))


def tax_due(facts: Facts) -> Iterable[Hit]:
    """00421: rate times base, to less than a cent."""
    for place, row in _vat(facts, _ROWS):
        if row.base is None or row.amount is None:
            continue
        exact = row.base * (row.rate or ZERO) / _HUNDRED
        if abs(row.amount - exact) >= _CENT:
            yield Hit(f"{place}.amount", text(row.amount), text(exact))


def bases(facts: Facts) -> Iterable[Hit]:
    """00422: by rate, the bases are the sum of lines, charges and allowances, to less than 1.00."""
    places = _rates(facts, _ROWS)
    stated: dict[Decimal, Decimal] = {}
    for _, row in _vat(facts, _ROWS):
        rate = row.rate or ZERO
        stated[rate] = stated.get(rate, ZERO) + (row.base or ZERO)
    summed: dict[Decimal, Decimal] = {}
    for where, factor in (("lines", _ONE), ("charges", _ONE), ("allowances", -_ONE)):
        for entry in getattr(facts.invoice, where):
            amount = (entry.net_amount if where == "lines" else entry.amount) or ZERO
            for rate in {tax.rate or ZERO for tax in entry.taxes if facts.is_vat(tax) and tax.effect != "withheld"}:
                summed[rate] = summed.get(rate, ZERO) + factor * amount
    for rate, base in stated.items():
        expected = summed.get(rate, ZERO)
        if abs(base - expected) >= _ONE:
            yield Hit(f"{places[rate]}.base", text(base), text(expected))


def line_totals(facts: Facts) -> Iterable[Hit]:
    """00423: price times quantity with discounts and surcharges, to less than a cent."""
    for at, line in enumerate(facts.lines):
        if line.net_amount is None or line.price is None or line.price.net is None:
            continue
        quantity = _ONE if line.quantity is None else line.quantity
        exact = quantity * line.price.net / (line.price.base_quantity or _ONE)
        exact += sum((one.amount or ZERO for one in line.charges), ZERO)
        exact -= sum((one.amount or ZERO for one in line.allowances), ZERO)
        if abs(line.net_amount - exact) >= _CENT:
            yield Hit(f"$.lines[{at}].net_amount", text(line.net_amount), text(exact))


def percentages(facts: Facts) -> Iterable[Hit]:
    """00424: a rate is a percentage: 22, not 0.22."""
    for path in (_LINES, _ROWS):
        for place, tax in _vat(facts, path):
            if tax.rate and tax.rate < _ONE:
                yield Hit(f"{place}.rate", text(tax.rate))


def digit(facts: Facts) -> Iterable[Hit]:
    """00425: a number without a digit is none."""
    stated = facts.invoice.number
    if not missing(stated) and not re.search("[0-9]", stated or ""):
        yield Hit("$.number", text(stated))


def rates_summarised(facts: Facts) -> Iterable[Hit]:
    """00443: each rate of a line is in the breakdown."""
    known = _rates(facts, _ROWS)
    for rate, place in _rates(facts, _LINES).items():
        if rate not in known:
            yield Hit(f"{place}.rate", text(rate))


def natures_summarised(facts: Facts) -> Iterable[Hit]:
    """00444: and so is each Natura."""
    rows = [row for _, row in _vat(facts, _ROWS)]
    known = {nature(row) for row in rows} | {row.category for row in rows}
    seen: set[str] = set()
    for place, tax in _vat(facts, _LINES):
        key = nature(tax) or (tax.category if tax.category in UNTAXED else "")
        if key and key not in known and key not in seen:
            seen.add(key)
            yield Hit(f"{place}.category", key)


def generic(facts: Facts) -> Iterable[Hit]:
    """00445: N2, N3 and N6 are no longer taken."""
    for path in (_LINES, _ROWS):
        for place, tax in _vat(facts, path):
            if nature(tax) in GENERIC:
                yield Hit(f"{place}.exemption_code", nature(tax))


def domestic(facts: Facts) -> Iterable[Hit]:
    """00476: one of both is Italian."""
    seller, buyer = ((party.vat_id or "").strip()[:2].upper() for party in (facts.seller, facts.buyer))
    if seller.isalpha() and buyer.isalpha() and "IT" not in (seller, buyer):
        yield Hit("$.buyer.vat_id", f"{seller}, {buyer}", "IT")


def vat_number(role: str) -> Check:
    """00301, 00305: an Italian VAT number has its check digit; one without is in no register."""

    def check(facts: Facts) -> Iterable[Hit]:
        value = (getattr(facts, role).vat_id or "").strip()
        if value[:2].upper() == "IT" and not (value.isascii() and valid("it.iva", value)):
            yield Hit(f"$.{role}.vat_id", text(value))

    return check


def fiscal_code(role: str) -> Check:
    """00302, 00306: an Italian fiscal code has its check sign: sixteen signs of a person, eleven digits of a body."""

    def check(facts: Facts) -> Iterable[Hit]:
        party: Party = getattr(facts, role)
        italian = party.address is not None and party.address.country == "IT"
        stated = [(f"tax_registrations[{at}].id", one.id) for at, one in enumerate(party.tax_registrations)
                  if (one.scheme or "").upper() == "CF"]  # fmt: skip
        if (party.tax_id_scheme or "CF").upper() == "CF":
            stated.append(("tax_id", party.tax_id))
        for path, value in stated if italian else ():
            plain = (value or "").strip()
            known = plain.isascii() and len(plain) <= 16
            if plain and not (known and (valid("it.codicefiscale", plain) or valid("it.iva", plain))):
                yield Hit(f"$.{role}.{path}", text(value))

    return check


def address(facts: Facts) -> Iterable[Hit]:
    """00311: the recipient code has its form; which codes there are, SdI alone knows."""
    stated = facts.buyer.endpoint
    form = _ADDRESSES.get(stated.scheme or "") if stated is not None else None
    if stated is not None and form is not None and not form.fullmatch(stated.value or ""):
        yield Hit("$.buyer.endpoint.value", text(stated.value))


def measured(*paths: str) -> Check:
    """00437, 00438: an allowance or charge states a percentage or an amount."""
    checks = [every(path, lambda one: one.percent is not None or one.amount is not None, "amount") for path in paths]
    return lambda facts: [hit for check in checks for hit in check(facts)]


def _rows(*rows: tuple[str, str, Callable[[Facts], Iterable[Hit]]]) -> tuple[Rule, ...]:
    return tuple(Rule(f"SDI-{code}", term, check, text=_SHARED.get(code, "")) for code, term, check in rows)


#: Codes whose texts say the same.
_SHARED = {
    "00305": "SDI-00301", "00306": "SDI-00302", "00429": "SDI-00400", "00430": "SDI-00401", "00438": "SDI-00437",
}  # fmt: skip
_REGISTER = "asks the tax register or the register of offices"
_FUND = "about contributions to a pension fund, for which the model has no term"
_KIND = "about the TipoDocumento of self-billed and integrated invoices, which BT-3 does not tell apart"

PACK = Pack(
    name="sdi",
    title="Sistema di Interscambio",
    clause="SdI, elenco dei controlli",
    releases=(Release("2.0", date(2025, 1, 31)),),
    rules=_rows(
        ("00301", "BT-31", vat_number("seller")), ("00302", "BT-32", fiscal_code("seller")),
        ("00305", "BT-48", vat_number("buyer")), ("00306", "EX-1107", fiscal_code("buyer")),
        ("00311", "BT-49", address),
        ("00400", "BT-151", nature_missing(_LINES)), ("00401", "BT-151", nature_in_vain(_LINES)),
        ("00403", "BT-2", received), ("00411", "EX-3002", withheld), ("00417", "BT-48", buyer_known),
        ("00418", "BT-26", credited), ("00419", "BG-23", summarised), ("00420", "EX-3152", split),
        ("00421", "BT-117", tax_due), ("00422", "BT-116", bases), ("00423", "BT-131", line_totals),
        ("00424", "BT-152", percentages), ("00425", "BT-1", digit),
        ("00429", "BT-118", nature_missing(_ROWS)), ("00430", "BT-118", nature_in_vain(_ROWS)),
        ("00437", "BT-92", measured("allowances[]", "charges[]")),
        ("00438", "BT-136", measured("lines[].allowances[]", "lines[].charges[]")),
        ("00443", "BT-152", rates_summarised), ("00444", "BT-151", natures_summarised),
        ("00445", "BT-121", generic), ("00476", "BT-48", domestic),
    ),
    texts=("sdi",),
    not_native={
        "00300": _REGISTER, "00303": _REGISTER, "00304": _REGISTER, "00312": _REGISTER, "00320": _REGISTER,
        "00321": _REGISTER, "00322": _REGISTER, "00323": _REGISTER, "00324": _REGISTER, "00398": _REGISTER,
        "00399": _REGISTER, "00477": "asks the register of declarations of intent",
        "00404": "asks what was sent before: the ledger knows", "00409": "asks what else is in the file",
        "00413": _FUND, "00414": _FUND, "00415": _FUND,
        "00427": "about FormatoTrasmissione, which is the writer's", "00428": "the same",
        "00471": _KIND, "00472": _KIND, "00473": _KIND, "00474": _KIND, "00475": _KIND,
    },
)  # fmt: skip
