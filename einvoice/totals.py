"""All arithmetic over an invoice, and the only place that rounds. Issued amounts are compared, never changed.

Policies (a field of the profile):

    en16931    tax is rounded per category and rate (EN 16931-1, 6.3; BR-CO-17)
    per_line   tax is rounded per line and tax row, then added: US, Canada, retail
    as_issued  nothing is expected of taxes; sums are still checked
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from . import terms
from .errors import Finding, Severity
from .model import AllowanceCharge, Invoice, Line, Tax, Totals
from .money import minor_units, plain, round_half_up, total

_CLAUSE = "EN 16931-1"
#: Effects whose amounts are part of the tax total (BT-110); the buyer pays one of them to the state instead.
_IN_TOTAL = (None, "charged", "paid_by_buyer")
ZERO = Decimal(0)


class Policy(StrEnum):
    EN16931 = "en16931"
    PER_LINE = "per_line"
    AS_ISSUED = "as_issued"


@dataclass(frozen=True, slots=True)
class Computed:
    """What the lines, allowances and charges come to: totals, and one row per tax group."""

    totals: Totals
    taxes: tuple[Tax, ...]


def line_net(line: Line, digits: int = 2) -> Decimal | None:
    """BT-131 from quantity, price, allowances and charges, each rounded; None when quantity or price is absent.

    ``BT-131 = r(BT-129 * BT-146 / BT-149) - sum(BT-136) + sum(BT-141)`` (EN 16931-1, 6.3; PEPPOL-EN16931-R120).
    """
    if line.quantity is None or line.price is None or line.price.net is None:
        return None
    base = line.price.base_quantity or Decimal(1)
    amount = round_half_up(line.quantity * line.price.net / base, digits)
    return amount - _sum(line.allowances) + _sum(line.charges)


def line_subtotal(line: Line) -> Decimal | None:
    """BT-131 before the line's own allowances and charges, from issued amounts alone."""
    if line.net_amount is None:
        return None
    return line.net_amount + _sum(line.allowances) - _sum(line.charges)


def tax_amount(base: Decimal, rate: Decimal, digits: int = 2) -> Decimal:
    """Tax of one group (BT-117), rounded half up. rate is in percent. EN 16931-1, BR-CO-17.

    >>> tax_amount(Decimal("35.00"), Decimal("21"))
    Decimal('7.35')
    """
    return round_half_up(base * rate / 100, digits)


def compute(invoice: Invoice, policy: Policy = Policy.EN16931) -> Computed:
    """Totals of *invoice* from its issued line amounts (BR-CO-10 to BR-CO-16).

    An invoice that states no lines (Factur-X MINIMUM and BASIC WL) is computed from the totals above them.
    """
    digits = minor_units(invoice.currency)
    allowances, charges = _sum(invoice.allowances), _sum(invoice.charges)
    lines = total(line.net_amount for line in invoice.lines) if invoice.lines else _lines(invoice.totals)
    net = lines - allowances + charges
    if not invoice.lines and invoice.totals and invoice.totals.net is not None:
        net = invoice.totals.net
    taxes = tuple(_taxes(invoice, policy, digits)) if invoice.lines else ()
    tax = total(row.amount for row in taxes if row.effect in _IN_TOTAL)
    issued = invoice.totals or Totals()
    gross = net + (tax if taxes else issued.tax or ZERO)
    due = gross - (issued.prepaid or ZERO) + (issued.rounding or ZERO)
    due -= (issued.withheld or ZERO) + (issued.paid_by_buyer or ZERO)
    sums = Totals(
        lines=lines,
        allowances=allowances if invoice.allowances else None,
        charges=charges if invoice.charges else None,
        net=net,
        tax=tax if taxes else None,
        gross=gross,
        due=due,
        withheld=_effect(taxes, "withheld"),
        paid_by_buyer=_effect(taxes, "paid_by_buyer"),
    )
    return Computed(sums, taxes)


#: Totals that follow from what is stated, for those who ask: term and field. First those of the breakdown.
_OF_ROWS = (("BT-110", "tax"), ("EX-70", "withheld"), ("EX-71", "paid_by_buyer"))
_SUMS = (("BT-107", "allowances"), ("BT-108", "charges"))
_COMPLETED = (("BT-106", "lines"), ("BT-109", "net"), ("BT-112", "gross"), ("BT-115", "due"))


def completed(invoice: Invoice) -> tuple[Invoice, list[Finding]]:
    """*invoice* with the totals it leaves out computed from its lines and its breakdown of taxes, and EINV-WRITE-02 for
    each (information).

    Nothing is computed where a line states no amount, or where a total that is stated is not what the parts come to:
    then the invoice comes back as it was, and a format that demands the total says that it is absent.
    """
    issued = invoice.totals or Totals()
    absent = [name for _, name in (*_OF_ROWS, *_COMPLETED) if getattr(issued, name) is None]
    if not absent or not invoice.lines or any(line.net_amount is None for line in invoice.lines):
        return invoice, []
    of_rows = {name: amount for name, amount in _of_rows(invoice.tax_breakdown).items() if name in absent}
    summed = invoice.model_copy(update={"totals": issued.model_copy(update=of_rows)})
    exact = compute(summed, Policy.AS_ISSUED).totals
    if any(getattr(issued, name) not in (None, getattr(exact, name)) for _, name in _COMPLETED):
        return invoice, []
    added = of_rows | {name: getattr(exact, name) for _, name in _COMPLETED if name in absent}
    sources = (("the taxes", _OF_ROWS), ("the lines", _COMPLETED))
    found = [_computed(term, f"totals.{name}", added[name], source)
             for source, rows in sources for term, name in rows if name in added]  # fmt: skip
    return invoice.model_copy(update={"totals": issued.model_copy(update=added)}), found


_TAX_AMOUNT, _LINE_TAX = terms.at("lines[].taxes[].amount").id, terms.at("lines[].tax_amount").id


def completed_taxes(invoice: Invoice) -> tuple[Invoice, list[Finding]]:
    """*invoice* with the tax amounts that its lines leave out, and EINV-WRITE-02 for each (information).

    Of a line that states an amount of tax, each further one is its base (else the line's net amount) times its rate,
    rounded to the digits of the currency, and the total their sum. A line stays as it is where a base or a
    rate is absent, and where the total that it states is not the sum.
    """
    digits = minor_units(invoice.currency)
    lines, found = list(invoice.lines), list[Finding]()
    for at, line in enumerate(invoice.lines):
        if line.tax_amount is None and all(tax.amount is None for tax in line.taxes):
            continue
        amounts = [_amount(tax, line, digits) for tax in line.taxes]
        due = total(amount for tax, amount in zip(line.taxes, amounts, strict=True) if tax.effect in _IN_TOTAL)
        if None in amounts or line.tax_amount not in (None, due):
            continue
        taxes = tuple(tax.model_copy(update={"amount": amount})
                      for tax, amount in zip(line.taxes, amounts, strict=True))  # fmt: skip
        lines[at] = line.model_copy(update={"taxes": taxes, "tax_amount": due})
        added = [
            (_TAX_AMOUNT, f"taxes[{i}].amount", amounts[i]) for i, tax in enumerate(line.taxes) if tax.amount is None
        ]
        added += [(_LINE_TAX, "tax_amount", due)] if line.tax_amount is None else []
        found += [_computed(term, f"lines[{at}].{path}", amount, "the line")
                  for term, path, amount in added if amount is not None]  # fmt: skip
    return (invoice.model_copy(update={"lines": tuple(lines)}), found) if found else (invoice, [])


def _amount(tax: Tax, line: Line, digits: int) -> Decimal | None:
    base = line.net_amount if tax.base is None else tax.base
    if tax.amount is not None or base is None or tax.rate is None:
        return tax.amount
    return tax_amount(base, tax.rate, digits)


def _of_rows(rows: Iterable[Tax]) -> dict[str, Decimal]:
    """What the breakdown comes to; nothing where a row states no amount."""
    rows = tuple(rows)
    if any(row.amount is None for row in rows):
        return {}
    in_total = [row.amount for row in rows if row.effect in _IN_TOTAL]
    found = {"tax": total(in_total) if in_total else None, "withheld": _effect(rows, "withheld"),
             "paid_by_buyer": _effect(rows, "paid_by_buyer")}  # fmt: skip
    return {name: amount for name, amount in found.items() if amount is not None}


def _computed(term: str, path: str, value: Decimal, source: str) -> Finding:
    return Finding("EINV-WRITE-02", f"{term} is not stated and was computed from {source}", Severity.INFO, term,
                   f"$.{path}", found=plain(value))  # fmt: skip


def broken_down(invoice: Invoice) -> tuple[Invoice, list[Finding]]:
    """*invoice* with the bases (BT-116) that its breakdown leaves out, or the rows themselves (BG-23): all where it has
    none, those of VAT where it has none of VAT. EINV-WRITE-02 for each (information).

    A base is computed only where it confirms the amount that is stated, rows only where they confirm the stated total
    or none is stated.
    """
    if not invoice.lines or any(line.net_amount is None for line in invoice.lines):
        return invoice, []
    exact = compute(invoice)
    rows, found = list(invoice.tax_breakdown), []
    for position, row in enumerate(rows):
        like = next((one for one in exact.taxes if _same(one, row)), None)
        if row.base is None and like is not None and like.base is not None and like.amount == row.amount:
            rows[position] = row.model_copy(update={"base": like.base})
            found.append(_computed("BT-116", f"tax_breakdown[{position}].base", like.base, "the lines"))
    stated = invoice.totals.tax if invoice.totals else None
    if stated in (None, exact.totals.tax) and not any(row.scheme in (None, "VAT") for row in rows):
        for row in exact.taxes if not rows else (row for row in exact.taxes if row.scheme == "VAT"):
            if row.base is not None:
                found.append(_computed("BG-23", f"tax_breakdown[{len(rows)}]", row.base, "the lines"))
                rows.append(_stated_so(row, invoice))
    return (invoice.model_copy(update={"tax_breakdown": tuple(rows)}), found) if found else (invoice, [])


def _same(one: Tax, other: Tax) -> bool:
    return all(
        getattr(one, name) == getattr(other, name) for name in ("jurisdiction", "category", "rate", "effect")
    ) and (one.scheme == (other.scheme or "VAT"))


def _stated_so(row: Tax, invoice: Invoice) -> Tax:
    """*row* with what the first tax of its group says beside the rate."""
    first = next((one for _, taxes in _taxed(invoice) for one in taxes if _same(row, one)), row)
    said = ("nature", "exemption_reason", "exemption_code")
    return row.model_copy(update={name: getattr(first, name) for name in said})


def derived(invoice: Invoice) -> tuple[Invoice, list[Finding]]:
    """*invoice* with all that an export leaves out and its lines give: sums of allowances and charges, rows and bases
    of taxes, taxes of lines, totals. EINV-WRITE-02 for each (information)."""
    if not invoice.lines or any(line.net_amount is None for line in invoice.lines):
        return invoice, []
    issued, exact = invoice.totals or Totals(), compute(invoice).totals
    sums = {name: getattr(exact, name) for _, name in _SUMS
            if getattr(issued, name) is None and getattr(exact, name) is not None}  # fmt: skip
    found = [_computed(term, f"totals.{name}", sums[name], "the lines") for term, name in _SUMS if name in sums]
    if sums:
        invoice = invoice.model_copy(update={"totals": issued.model_copy(update=sums)})
    for step in (broken_down, completed_taxes, completed):
        invoice, told = step(invoice)
        found += told
    return invoice, found


def _lines(issued: Totals | None) -> Decimal:
    return (issued.lines if issued else None) or ZERO


def _effect(taxes: Iterable[Tax], effect: str) -> Decimal | None:
    amounts = [row.amount for row in taxes if row.effect == effect]
    return total(amounts) if amounts else None


def _sum(entries: Iterable[AllowanceCharge]) -> Decimal:
    return total(entry.amount for entry in entries)


def _taxes(invoice: Invoice, policy: Policy, digits: int) -> Iterator[Tax]:
    """One row per (scheme, jurisdiction, category, rate); nothing is rounded across groups."""
    if policy is Policy.AS_ISSUED:
        return
    bases: dict[tuple[str, str, str, Decimal, str], list[Decimal]] = defaultdict(list)
    for amount, taxes in _taxed(invoice):
        for tax in taxes:
            effect = tax.effect or "charged"
            key = (tax.scheme or "VAT", tax.jurisdiction or "", tax.category or "", tax.rate or ZERO, effect)
            bases[key].append(amount)
    for (scheme, place, category, rate, effect), amounts in bases.items():
        base = total(amounts)
        amount = (
            total(tax_amount(one, rate, digits) for one in amounts)
            if policy is Policy.PER_LINE
            else tax_amount(base, rate, digits)
        )
        yield Tax(scheme=scheme, jurisdiction=place or None, category=category or None, rate=rate, base=base,
                  amount=amount, effect=None if effect == "charged" else effect)  # fmt: skip


def _taxed(invoice: Invoice) -> Iterator[tuple[Decimal, tuple[Tax, ...]]]:
    for line in invoice.lines:
        yield line.net_amount or ZERO, line.taxes
    for entry in invoice.allowances:
        yield -(entry.amount or ZERO), entry.taxes
    for entry in invoice.charges:
        yield entry.amount or ZERO, entry.taxes


#: Clause, term and field of each total that is compared.
_COMPARED = (
    (f"{_CLAUSE} BR-CO-10", "BT-106", "lines"),
    (f"{_CLAUSE} BR-CO-11", "BT-107", "allowances"),
    (f"{_CLAUSE} BR-CO-12", "BT-108", "charges"),
    (f"{_CLAUSE} BR-CO-13", "BT-109", "net"),
    (f"{_CLAUSE} BR-CO-14", "BT-110", "tax"),
    (f"{_CLAUSE} BR-CO-15", "BT-112", "gross"),
    (f"{_CLAUSE} BR-CO-16", "BT-115", "due"),
    ("sum of the withheld taxes", "EX-70", "withheld"),
    ("sum of the taxes the buyer pays to the state", "EX-71", "paid_by_buyer"),
)


def differences(
    invoice: Invoice, policy: Policy = Policy.EN16931, severity: Severity = Severity.WARNING
) -> list[Finding]:
    """Every issued total, line amount and tax row that the exact arithmetic does not confirm.

    The published rules tolerate a tax error below 1.00; this is the exact verdict beside theirs, so its findings
    carry our own ids, EINV-SUM-01 (totals), -02 (lines), -03 (tax rows), and name the published rule as clause.
    """
    return [
        *_total_differences(invoice, policy, severity),
        *_line_differences(invoice, severity),
        *_tax_differences(invoice, policy, severity),
    ]


def _total_differences(invoice: Invoice, policy: Policy, severity: Severity) -> Iterator[Finding]:
    computed, issued = compute(invoice, policy).totals, invoice.totals or Totals()
    for clause, term, name in _COMPARED:
        stated, exact = getattr(issued, name), getattr(computed, name)
        if stated is not None and exact is not None and stated != exact:
            yield _differs("EINV-SUM-01", term, f"$.totals.{name}", stated, exact, severity, clause)


def _line_differences(invoice: Invoice, severity: Severity) -> Iterator[Finding]:
    digits = minor_units(invoice.currency)
    for position, line in enumerate(invoice.lines):
        exact = line_net(line, digits)
        if exact is not None and line.net_amount is not None and exact != line.net_amount:
            path = f"$.lines[{position}].net_amount"
            yield _differs("EINV-SUM-02", "BT-131", path, line.net_amount, exact, severity, f"{_CLAUSE} 6.3")


def _tax_differences(invoice: Invoice, policy: Policy, severity: Severity) -> Iterator[Finding]:
    if policy is not Policy.EN16931:
        return
    digits = minor_units(invoice.currency)
    for position, row in enumerate(invoice.tax_breakdown):
        if row.base is None or row.rate is None or row.amount is None:
            continue
        exact = tax_amount(row.base, row.rate, digits)
        if exact != row.amount:
            path = f"$.tax_breakdown[{position}].amount"
            yield _differs("EINV-SUM-03", "BT-117", path, row.amount, exact, severity, f"{_CLAUSE} BR-CO-17")


def _differs(
    rule: str, term: str, path: str, stated: Decimal, exact: Decimal, severity: Severity, clause: str
) -> Finding:
    return Finding(
        rule, f"{plain(stated)} is stated, the parts come to {plain(exact)}", severity, term, path,
        found=plain(stated), expected=plain(exact), fix="correct the amount or its parts in the ERP", clause=clause,
    )  # fmt: skip
