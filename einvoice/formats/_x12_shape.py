"""What the rows of the 810 cannot say: parties by role, kinds of document, registrations beside their tax."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from ..errors import Severity
from ..model import Account, Address, Identifier, Invoice, Line, Note, Party, Payment, Rate
from ..money import parse as parse_number
from ._edi import delivered, placed
from ._xml_read import Context, Raw

#: Place in the model by N101 (data element 98). What is not written is another partner's word for the same.
ROLES = {
    "SE": "seller", "VN": "seller", "SU": "seller", "BY": "buyer", "BT": "bill_to", "RI": "remit_to", "RE": "remit_to",
    "PE": "payee", "II": "issuer", "SF": "ship_from", "SO": "sold_to",
}  # fmt: skip
_ORDER = ("SE", "RI", "BY", "BT", "ST", "SF", "SO", "PE", "II")
#: Taxes whose registration number stands in TXI09.
REGISTERED = ("GST", "HST", "PST", "QST")
#: BIG07 (data element 640) by type code, and the other way round.
KINDS = {"380": "DI", "381": "CR", "383": "DR", "384": "CO"}
_TYPES = {"CR": "381", "CN": "381", "DR": "383", "DC": "383", "CO": "384"}


@dataclass(frozen=True)
class Side:
    """One N1 loop: the role, the first identifier, the party, and the account that is paid to."""

    operation: str
    invoiced_object: Identifier | None
    seller: Party
    payment: Payment


# --- going out --------------------------------------------------------------------------------------------------------


#: Of a party that no account stands beside.
_UNPAID = Payment()
#: NTE02; a longer note runs on in the next NTE.
_NOTE = 80


def before(invoice: Invoice) -> Invoice:
    """*invoice* as the rows want it: long notes spread, and each tax with the number it is registered under."""
    if any(not note.text or len(note.text) > _NOTE for note in invoice.notes):
        notes = tuple(piece for note in invoice.notes if note.text for piece in _spread(note))
        invoice = invoice.model_copy(update={"notes": notes})
    return _certified(invoice)


def _spread(note: Note) -> list[Note]:
    text = " ".join((note.text or "").split("\n"))
    return [note.model_copy(update={"text": text[at : at + _NOTE]}) for at in range(0, len(text) or 1, _NOTE)]


def _certified(invoice: Invoice) -> Invoice:
    known = _registered(invoice.seller)
    if not known or not any(tax.scheme in known and not tax.certificate for tax in invoice.tax_breakdown):
        return invoice
    rows = tuple(
        tax if tax.certificate else tax.model_copy(update={"certificate": known.get(tax.scheme or "")})
        for tax in invoice.tax_breakdown
    )
    return invoice.model_copy(update={"tax_breakdown": rows})


def _registered(party: Party | None) -> dict[str, str]:
    rows = party.tax_registrations if party else ()
    return {one.scheme: one.id for one in rows if one.scheme in REGISTERED and one.id}


def _sides(invoice: Invoice) -> list[Side]:
    paid = "RI" if invoice.remit_to else "PE" if invoice.payee else "SE"
    found = []
    for code in _ORDER:
        party = delivered(invoice) if code == "ST" else getattr(invoice, ROLES[code])
        if party is not None:
            found.append(_side(code, party, paid_to(invoice) if code == paid else None))
    return found + [_side(one.role, one.party, None) for one in invoice.other_parties if one.role and one.party]


def _side(code: str, party: Party, account: Account | None) -> Side:
    first = party.identifiers[0] if party.identifiers else None
    if first is None and party.legal_id and party.legal_id.scheme == "0060":
        first, party = party.legal_id, party.model_copy(update={"legal_id": None})
    address = party.address
    if address and not address.line_1 and (address.line_2 or address.line_3):
        party = party.model_copy(update={"address": _moved_up(address)})
    payment = Payment(creditor_id=account.id, remittance=account.routing) if account else _UNPAID
    return Side(code, first, party, payment)


def _moved_up(address: Address) -> Address:
    """N301 may not be empty where N302 is stated."""
    lines = [line for line in (address.line_2, address.line_3) if line]
    return address.model_copy(update=dict(zip(("line_1", "line_2", "line_3"), [*lines, None, None], strict=False)))


def paid_to(invoice: Invoice) -> Account | None:
    """The first account that the buyer may pay to."""
    means = invoice.payment.means if invoice.payment else ()
    return next((one.account for one in means if one.account), None)


# --- coming in --------------------------------------------------------------------------------------------------------


def _side_back(part: Raw, context: Context) -> None:
    role, party = str(part.get("operation", "")), part.get("seller", {})
    _identified(party, part.get("invoiced_object"))
    _account_back(part.get("payment", {}), context)
    if role == "ST" and "identifiers" not in party and "legal_id" in party:
        party["identifiers"] = [party.pop("legal_id")]
    placed(role, party, ROLES, "ST", context)


def _identified(party: Raw, first: Raw | None) -> None:
    if not first or "value" not in first:
        return
    if first.get("scheme") == "0060" and "legal_id" not in party:
        party["legal_id"] = first
    else:
        party["identifiers"] = [first]


def _account_back(payment: Raw, context: Context) -> None:
    account = {name: payment[key] for name, key in (("id", "creditor_id"), ("routing", "remittance")) if key in payment}
    if account:
        context.root.setdefault("payment", {}).setdefault("means", []).append({"account": account})


def _after(context: Context) -> None:
    root, meta = context.root, context.meta
    if "currency" not in root and root.get("exchange_rates"):
        root["currency"] = root["exchange_rates"][0].get("source")
    _kind(context, meta.get("kind"), meta.get("purpose"), meta.get("action"))
    _preceding(context, meta.get("referred"))
    for tax in _taxes(root):
        if tax.get("scheme") == "PST" and tax.get("jurisdiction") == "QC":
            tax["scheme"] = "QST"
    _registrations(root)
    _counted(context, meta.get("lines"))


def _kind(context: Context, kind: str | None, purpose: str | None, action: str | None) -> None:
    root = context.root
    root["type_code"] = _TYPES.get(kind or "", "380")
    if purpose in ("01", "03"):
        root["operation"] = "delete"
    elif purpose == "07":
        root["copy_of_original"] = True
    elif purpose not in (None, "00"):
        context.say("EINV-READ-08", f"BIG08 {purpose} has no business term", context.element, Severity.INFO,
                    found=purpose, clause="X12 353: purpose of the set")  # fmt: skip
    if action == "NA":
        root["information_only"] = True


def _preceding(context: Context, referred: str | None) -> None:
    root = context.root
    rows = [one for one in root.get("preceding", []) if one.get("id") != root.get("number")]
    root.pop("preceding", None)
    if rows:
        root["preceding"] = rows
    if referred is None:
        return
    day = _day(referred)
    if len(rows) == 1 and day is not None:
        rows[0]["issue_date"] = day
    else:
        context.say("EINV-READ-01", "the date of a document referred to is not carried", context.element,
                    Severity.WARNING, found=referred, fix="refer to one document with one date")  # fmt: skip


def _day(text: str) -> date | None:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8])) if len(text) == 8 and text.isascii() else None
    except ValueError:
        return None


def _registrations(root: Raw) -> None:
    """TXI09 of a tax that sellers register for is the seller's number, not a certificate of the buyer."""
    for tax in root.get("tax_breakdown", []):
        if tax.get("scheme") not in REGISTERED or "certificate" not in tax:
            continue
        number = tax.pop("certificate")
        rows = root.setdefault("seller", {}).setdefault("tax_registrations", [])
        if not any(one.get("scheme") == tax["scheme"] for one in rows):
            rows.append({"scheme": tax["scheme"], "id": number})


def _taxes(value: object) -> list[Raw]:
    """Every tax anywhere in the raw invoice."""
    if isinstance(value, list):
        return [tax for one in value for tax in _taxes(one)]
    if not isinstance(value, dict):
        return []
    found = [tax for key in ("taxes", "tax_breakdown") for tax in value.get(key, [])]
    inner = ("lines", "allowances", "charges")
    return found + [tax for key in inner for tax in _taxes(value.get(key, []))]


def _counted(context: Context, text: str | None) -> None:
    stated = parse_number(text) if text else None
    lines = len(context.root.get("lines", []))
    if text is not None and stated != lines:
        context.say("EINV-X12-07", f"CTT says {text[:20]} lines, the set has {lines}", context.element,
                    found=text, fix="ask the sender for the whole set")  # fmt: skip


def settled(context: Context, digits: int) -> None:
    """TDS02 to TDS04: what the discount for early payment is taken from, what it comes to, and the rest."""
    for name, use in (("discountable", _discountable), ("discounted", None), ("discount", _discount)):
        text = context.meta.get(name)
        value = parse_number(text) if text else None
        if text and (value is None or "." in text):
            context.say("EINV-READ-03", f"{text[:40]!r} is not a number with implied decimals", context.element,
                        found=text, fix="write digits only")  # fmt: skip
        elif value is not None and use is not None:
            use(context.root, value.scaleb(-digits))


def _discountable(root: Raw, base: Decimal) -> None:
    discounts = root.get("payment", {}).get("discounts", [])
    for one in discounts:
        one.setdefault("base", base)
    if not discounts:
        root.setdefault("totals", {})["before_discount"] = base


def paid_by(root: Raw, code: str) -> None:
    """ITD14 without a discount: how the whole is to be paid, to the account that is named if one is."""
    means = root.setdefault("payment", {}).setdefault("means", [{}])
    means[0].setdefault("code", code)


def _discount(root: Raw, amount: Decimal) -> None:
    discounts = root.get("payment", {}).get("discounts", [])
    if len(discounts) == 1:
        discounts[0].setdefault("amount", amount)
    else:
        root.setdefault("totals", {})["discount"] = amount


# --- hooks ------------------------------------------------------------------------------------------------------------


def rate_of(invoice: Invoice) -> Rate | None:
    """The rate that CUR has a place for: from the currency of the document."""
    return next((one for one in invoice.exchange_rates if one.source and one.source == invoice.currency), None)


def needs_base(line: Line) -> bool:
    """True when IT105 cannot say what quantity the price is for."""
    price = line.price
    if price is None or price.net is None:
        return False
    common = price.base_quantity in (10, 12, 100, 1000, 10000, 100000)
    return price.base_unit is not None or (price.base_quantity is not None and not common)


def unconditional(invoice: Invoice) -> bool:
    """True when the terms stand in an ITD of their own: there is no discount, or it hangs on how one pays."""
    payment = invoice.payment
    return payment is None or not payment.discounts or any(one.means_codes for one in payment.discounts)


def _gtin(size: int) -> Callable[[Line, Invoice], bool]:
    def fits(line: Line, invoice: Invoice) -> bool:
        one = line.item.standard_id if line.item else None
        return one is not None and one.value is not None and one.scheme in (None, "0160") and len(one.value) == size

    return fits


def _scheme(name: str) -> Callable[[Any, Invoice], bool]:
    return lambda one, invoice: one.scheme == name


HOOKS: Mapping[str, Callable[..., Any]] = {
    "before": before,
    "after": _after,
    "sides": _sides,
    "sides_back": _side_back,
    "customer": lambda side, invoice: side.operation != "SE",
    "supplier": lambda side, invoice: side.operation == "SE",
    "is_EIN": _scheme("EIN"),
    "is_GST": _scheme("GST"),
    "is_QST": _scheme("QST"),
    "is_other": lambda one, invoice: one.scheme not in ("EIN", "GST", "QST"),
    "timed": lambda view, invoice: invoice.issue_time is not None,
    "first_rate": lambda rate, invoice: rate is rate_of(invoice),
    "no_rate": lambda view, invoice: rate_of(invoice) is None,
    "has_rate": lambda element, context: element.get("3.1") is not None,
    "discounted": lambda element, context: any(element.get(f"{at}.1") for at in (3, 4, 5, 8)),
    "unconditional": lambda view, invoice: unconditional(invoice),
    "has_base": lambda line, invoice: needs_base(line),
    "has_gross": lambda line, invoice: line.price is not None and line.price.gross is not None,
    "coded": lambda one, invoice: bool(one.scheme and len(one.scheme) == 2),
    "unnamed": lambda element, context: (pid := element.find("PID")) is not None and pid.get("2.1") != "08",
    **{f"gtin_{size}": _gtin(size) for size in (8, 12, 13, 14)},
}
