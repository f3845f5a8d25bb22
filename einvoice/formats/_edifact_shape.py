"""What the rows of INVOIC cannot say: parties by role, means of payment apart from accounts, sums that repeat."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ..errors import Severity
from ..model import Account, Card, DirectDebit, Identifier, Invoice, Means, Party, Payment
from ..money import parse as parse_number
from ._edi import delivered, placed
from ._xml_read import Context, Raw

#: Place in the model by UNCL3035. SU and SE say the same of a seller; the directory says which is written.
ROLES = {
    "SU": "seller", "SE": "seller", "BY": "buyer", "IV": "bill_to", "PE": "payee", "LC": "tax_representative",
    "RE": "remit_to", "II": "issuer", "SF": "ship_from", "SO": "sold_to",
}  # fmt: skip
_ORDER = ("SU", "BY", "IV", "DP", "PE", "RE", "LC", "II", "SF", "SO")
_RECEIVES = ("RB", "BF", "RH", "BE")


@dataclass(frozen=True)
class Side:
    """One NAD group: the role, the first identifier, the party, and what its bank segments and references say."""

    operation: str
    invoiced_object: Identifier | None
    seller: Party
    payment: Payment


#: Of a party that no account stands beside.
_UNPAID = Payment()


# --- going out --------------------------------------------------------------------------------------------------------


def _sides(invoice: Invoice) -> list[Side]:
    """The parties in the order of ``_ORDER``; accounts stand with whom is paid, debits and cards with the buyer."""
    paid = "PE" if invoice.payee else "SU"
    means = invoice.payment.means if invoice.payment else ()
    found = []
    for code in _ORDER:
        party = delivered(invoice) if code == "DP" else getattr(invoice, ROLES[code])
        if party is None:
            continue
        mine = _credits(means) if code == paid else _debits(means) if code == "BY" else ()
        found.append(_side(code, party, mine))
    return found + [_side(one.role, one.party, ()) for one in invoice.other_parties if one.role and one.party]


def _side(code: str, party: Party, means: tuple[Means, ...]) -> Side:
    first = party.identifiers[0] if party.identifiers else None
    return Side(code, first, party, Payment(means=means) if means else _UNPAID)


def _credits(means: tuple[Means, ...]) -> tuple[Means, ...]:
    parts = []
    for one in means:
        if one.account:
            parts.append(Means(account=one.account))
        if one.debit and one.debit.mandate:
            parts.append(Means(debit=DirectDebit(mandate=one.debit.mandate)))
    return tuple(parts)


def _debits(means: tuple[Means, ...]) -> tuple[Means, ...]:
    debits = [Means(debit=DirectDebit(account=one.debit.account)) for one in means if one.debit and one.debit.account]
    return (*debits, *(Means(card=one.card) for one in means if one.card))


# --- coming in --------------------------------------------------------------------------------------------------------


def _side_back(part: Raw, context: Context) -> None:
    role, party = str(part.get("operation", "")), part.get("seller", {})
    first = part.get("invoiced_object")
    if first and "value" in first:
        party["identifiers"] = [first]
    for one in part.get("payment", {}).get("means", []):
        context.root.setdefault("payment", {}).setdefault("means", []).append(one)
    placed(role, party, ROLES, "DP", context)


def _after(context: Context) -> None:
    root = context.root
    _reasons(root)
    _means(root, context.meta.get("means"))
    _summed(root)
    _own_number(root)
    for line in root.get("lines", []):
        _item_numbers(line.get("item", {}))
    for tax in _taxes(root):
        if "scheme" not in tax and "jurisdiction" in tax:  # a tax without a code of its own is named instead
            tax["scheme"] = tax.pop("jurisdiction")
    if "currency" not in root and root.get("exchange_rates"):
        root["currency"] = root["exchange_rates"][0].get("source")
    _function(root, context.meta.get("function"))
    _number(context, "lines", lambda count: _counted(context, count))
    _number(context, "discountable", lambda base: _discountable(root, base))
    _number(context, "balance", lambda total: _balance(root, total))


def _taxes(root: Raw) -> Iterator[Raw]:
    yield from root.get("tax_breakdown", [])
    for holder in (root, *root.get("lines", [])):
        yield from holder.get("taxes", [])
        for name in ("allowances", "charges"):
            for one in holder.get(name, []):
                yield from one.get("taxes", [])


def _number(context: Context, name: str, use: Callable[[Decimal], None]) -> None:
    text = context.meta.get(name)
    if text is None:
        return
    value = parse_number(text)
    if value is None:
        context.say("EINV-READ-03", f"{text[:40]!r} is not a plain decimal number", context.element, found=text,
                    fix="write digits and a point, such as 1234.50")  # fmt: skip
    else:
        use(value)


def _counted(context: Context, stated: Decimal) -> None:
    lines = len(context.root.get("lines", []))
    if stated != lines:
        context.say("EINV-EDIFACT-07", f"CNT says {stated:f} lines, the message has {lines}", context.element,
                    Severity.FATAL, found=f"{stated:f}", fix="ask the sender for the whole message")  # fmt: skip


def _discountable(root: Raw, base: Decimal) -> None:
    discounts = root.get("payment", {}).get("discounts", [])
    for one in discounts:
        one.setdefault("base", base)
    if not discounts:
        root.setdefault("totals", {})["before_discount"] = base


def _balance(root: Raw, total: Decimal) -> None:
    """MOA 131 is charges less allowances; it stands for the one that its sign says where neither is stated."""
    totals = root.setdefault("totals", {})
    if "charges" not in totals and "allowances" not in totals and total:
        totals["charges" if total > 0 else "allowances"] = abs(total)


def _reasons(root: Raw) -> None:
    """Why no tax is charged stands in the header, apart from the rows of the breakdown it belongs to."""
    rows = root.get("tax_breakdown", [])
    reasons = [row for row in rows if set(row) <= {"exemption_reason", "exemption_code"}]
    others = [row for row in rows if row not in reasons]
    if not reasons or not others:
        return
    free = [row for row in others if row.get("category") not in (None, "S") or not row.get("rate")] or others
    for reason, row in zip(reasons, free, strict=False):
        row.update(reason)
    root["tax_breakdown"] = others + reasons[len(free) :]


def _means(root: Raw, code: str | None) -> None:
    """Code and accounts are told apart in the syntax: the code is every account's, an account said twice is one."""
    payment = root.get("payment", {})
    kept: list[Raw] = []
    for one in payment.get("means", []):
        if "mandate" in one.get("debit", {}):
            continue
        rest = [other for other in kept if _within(one, other)]
        if not rest:
            kept = [other for other in kept if not _within(other, one)]
            kept.append(one)
    for one in payment.get("means", []):
        if "mandate" in one.get("debit", {}):
            owners = [other for other in kept if "debit" in other] or (kept if len(kept) == 1 else [one])
            if owners[0] is one:
                kept.append(one)
            else:
                owners[0]["debit"] = {**owners[0].get("debit", {}), **one["debit"]}
    kept.sort(key=lambda one: ("account" not in one, "debit" not in one))
    if code:
        kept = kept or [{}]
        for paid in kept:
            paid["code"] = code
    if kept:
        root["payment"] = {**payment, "means": kept}


def _within(one: Raw, other: Raw) -> bool:
    """True when *other* states all that *one* does."""
    return all(
        other.get(key) == value or (isinstance(value, dict) and value.items() <= other.get(key, {}).items())
        for key, value in one.items()
    )


def _summed(root: Raw) -> None:
    """Allowances of the summary repeat those of the header; where the header has none they are the only ones."""
    for name in ("allowances", "charges"):
        stated = root.get(name, [])
        kept = [one for one in stated if one.get("role") != "summary"] or stated
        for one in kept:
            if one.get("role") == "summary":
                del one["role"]
        if kept:
            root[name] = kept


def _own_number(root: Raw) -> None:
    """A reference to the document's own number names no other document (RFF+IV as one network wants it)."""
    others = [one for one in root.get("preceding", []) if one.get("id") != root.get("number")]
    if others:
        root["preceding"] = others
    else:
        root.pop("preceding", None)


def _item_numbers(item: Raw) -> None:
    """LIN may hold a number of buyer or seller where others put the GTIN."""
    standard = item.get("standard_id", {})
    leaf = {"IN": "buyer_id", "BP": "buyer_id", "SA": "seller_id"}.get(standard.get("scheme", ""))
    if leaf and "value" in standard:
        item.setdefault(leaf, standard["value"])
        if item[leaf] == standard["value"]:
            del item["standard_id"]


#: BGM 1225 by what the model says.
_FUNCTIONS = {"3": ("operation", "delete"), "31": ("copy_of_original", True), "43": ("information_only", True)}


def function(invoice: Invoice) -> str:
    """BGM 1225: 9 original, 3 deletion, 31 copy, 43 for information."""
    return next((code for code, (name, value) in _FUNCTIONS.items() if getattr(invoice, name) == value), "9")


def _function(root: Raw, code: str | None) -> None:
    if code in _FUNCTIONS:
        name, value = _FUNCTIONS[code]
        root[name] = value


# --- hooks ------------------------------------------------------------------------------------------------------------


def _account(means: Means) -> Account | None:
    return means.account


def _debit(means: Means) -> DirectDebit | None:
    return means.debit


def _card(means: Means) -> Card | None:
    return means.card


def _segment(group: Any, tag: str, name: str) -> str:
    found = group.find(tag)
    return (found.get(name) or "") if found is not None else ""


HOOKS: Mapping[str, Callable[..., Any]] = {
    "after": _after,
    "sides": _sides,
    "sides_back": _side_back,
    "always": lambda view, invoice: True,
    "credited": lambda means, invoice: _account(means) is not None,
    "debited": lambda means, invoice: (debit := _debit(means)) is not None and debit.account is not None,
    "mandated": lambda means, invoice: (debit := _debit(means)) is not None and debit.mandate is not None,
    "carded": lambda means, invoice: _card(means) is not None,
    "receives": lambda element, context: element.get("1.1") in _RECEIVES,
    "customer": lambda side, invoice: side.operation != "SU",
    "supplier": lambda side, invoice: side.operation == "SU",
    "is_gst": lambda one, invoice: one.scheme == "GST",
    "no_gst": lambda one, invoice: one.scheme != "GST",
    "priced": lambda element, context: any(
        part.tag == "SG-MOA" and _segment(part, "MOA", "1.1") == "509" for part in element
    ),
    "has_discount": lambda line, invoice: line.price is not None and line.price.discount is not None,
    "explained": lambda tax, invoice: bool(tax.exemption_reason or tax.exemption_code),
    "undated": lambda element, context: element.get("1.2") is None,
    "no_rate": lambda element, context: not _segment(element, "CUX", "2.2"),
    "in_days": lambda element, context: _segment(element, "PAT", "3.3")[:2] in ("D:", "W:"),
    "has_days": lambda view, invoice: invoice.payment is not None and invoice.payment.net_days is not None,
    "only_date": lambda view, invoice: invoice.payment is None or invoice.payment.net_days is None,
    "open_start": lambda view, invoice: invoice.period is not None and invoice.period.end is None,
    "open_end": lambda view, invoice: invoice.period is not None and invoice.period.start is None,
    "has_gross": lambda line, invoice: line.price is not None and line.price.gross is not None,
}
