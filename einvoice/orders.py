"""What buyers ordered: the part of an order that an invoice is held against, whatever syntax it came in.

An order is kept and matched, never turned into an invoice. Everything else that it says stays in its stored bytes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal, NamedTuple

from .errors import Finding, Severity
from .exchange import Environment
from .model import Day, Flag, Group, Identifier, Invoice, Line, Number, Party, Reference, is_credit
from .model import OrderLine as LineReference

#: The numbers by which both sides may name one product, most telling first.
PARTS = ("seller_id", "buyer_id", "standard_id", "manufacturer_id")


class OrderedLine(Group):
    """One line of an order. ``price`` is for ``base_quantity`` (1 where none is stated) of ``base_unit``.

    open_quantity  what of ``quantity`` no invoice has charged yet; None until someone counted
    withdrawn      the buyer deleted the line
    """

    number: str | None = None
    name: str | None = None
    seller_id: str | None = None
    buyer_id: str | None = None
    standard_id: str | None = None
    manufacturer_id: str | None = None
    quantity: Number | None = None
    unit: str | None = None
    price: Number | None = None
    base_quantity: Number | None = None
    base_unit: str | None = None
    open_quantity: Number | None = None
    withdrawn: Flag | None = None


class Order(Group):
    """One order as its buyer stated it. ``delete`` withdraws it.

    release    number of a call-off from a blanket order
    issued_at  when the message was made: of two messages about one order the later counts; UTC
    version    the buyer's own count of its changes; goes before ``issued_at``
    """

    number: str
    release: str | None = None
    operation: Literal["new", "update", "delete"] = "new"
    date: Day | None = None
    issued_at: datetime | None = None
    version: int | None = None
    payload_id: str | None = None
    currency: str | None = None
    environment: Environment | None = None
    buyer: tuple[Identifier, ...] = ()
    buyer_name: str | None = None
    seller: tuple[Identifier, ...] = ()
    seller_name: str | None = None
    lines: tuple[OrderedLine, ...] = ()

    @property
    def reference(self) -> str:
        """The number as invoices name it: ``4711``, or ``4711/3`` for a release."""
        return reference(self.number, self.release)


def reference(number: str, release: str | None) -> str:
    return f"{number}/{release}" if release else number


def key_of(ids: Sequence[Identifier], name: str | None) -> str:
    """What tells one party from another in a ledger: its first identifier, else its name."""
    return next(iter(keys_of(ids, name)), "")


def keys_of(ids: Sequence[Identifier], name: str | None) -> list[str]:
    """Every text that ``key_of`` may give for one party, however much of it an order states."""
    found = [f"{scheme_of(one)}:{one.value.strip()}" for one in ids if one.value]
    return [*found, *([name.strip()] if name and name.strip() else [])]


def identifiers(party: Party | None) -> tuple[Identifier, ...]:
    """Every identifier that *party* states."""
    if party is None:
        return ()
    found = [*party.network_ids, *party.identifiers, *filter(None, (party.legal_id, party.endpoint))]
    found += [Identifier(scheme="VAT", value=party.vat_id)] if party.vat_id else []
    return tuple(one for one in found if one.value)


def strangers(one: Iterable[Identifier], other: Iterable[Identifier]) -> bool:
    """True when two sets of identifiers cannot be of one party: they share a scheme, and in no scheme a value.

    >>> a, b = Identifier(scheme="NetworkID", value="AN01"), Identifier(scheme="networkid", value="AN02")
    >>> strangers([a], [b]), strangers([a], [Identifier(scheme="0088", value="AN02")]), strangers([a], [a, b])
    (True, False, False)
    """
    mine, theirs = _by_scheme(one), _by_scheme(other)
    common = mine.keys() & theirs.keys()
    return bool(common) and not any(mine[scheme] & theirs[scheme] for scheme in common)


#: What cXML calls schemes that have a number in ISO 6523.
_SAME = {"duns": "0060", "gln": "0088", "ean": "0088"}


def scheme_of(one: Identifier) -> str:
    """The scheme as it is compared; buyers write NetworkID, NetworkId, DUNS, Duns."""
    plain = (one.scheme or "").strip().casefold()
    return _SAME.get(plain, plain)


def _by_scheme(ids: Iterable[Identifier]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for one in ids:
        if one.scheme and one.value:
            found.setdefault(scheme_of(one), set()).add(one.value.strip().casefold())
    return found


# --- what an invoice charges ------------------------------------------------------------------------------------------


def order_of(line: Line | None, invoice: Invoice) -> str:
    """The order that *line* charges, or the document as a whole; empty where none is named."""
    own: LineReference | Reference | None = line.order if line and line.order and line.order.id else None
    stated = own or invoice.purchase_order
    return reference(stated.id, stated.release) if stated and stated.id else ""


def numbers(invoice: Invoice) -> list[str]:
    """Every order that *invoice* names, each once."""
    found = [order_of(None, invoice), *(order_of(line, invoice) for line in invoice.lines)]
    return [number for number in dict.fromkeys(found) if number]


class Charge(NamedTuple):
    """So much of one line of one order. ``key`` names the line: ``n:10`` by its number, ``seller_id:A1`` by a part."""

    order: str
    key: str
    quantity: Decimal


def charges(invoice: Invoice) -> list[Charge]:
    """What *invoice* takes from orders; a credit note gives back, a mere change of price takes nothing."""
    sign = -1 if is_credit(invoice) else 1
    return [
        Charge(number, key, sign * line.quantity)
        for line in invoice.lines
        if line.quantity is not None
        and not line.price_adjustment
        and (number := order_of(line, invoice))
        and (key := _key(line))
    ]


def _key(line: Line) -> str:
    number = line_number(line.order.line if line.order else None)
    if number:
        return f"n:{number}"
    return next((f"{kind}:{part}" for kind, part in folded(line).items()), "")


def line_number(text: str | None) -> str:
    """A line number without what only fills it up; none where cXML writes 0 for a line that was not named.

    >>> line_number("00010"), line_number("10"), line_number("A-01"), line_number("0")
    ('10', '10', 'A-01', '')
    """
    return re.sub(r"^0+", "", (text or "").strip())


def parts(line: Line | OrderedLine) -> dict[str, str]:
    """Product numbers of *line* by kind, without outer blanks."""
    if isinstance(line, OrderedLine):
        stated = {kind: getattr(line, kind) for kind in PARTS}
    else:
        item = line.item
        standard = item.standard_id.value if item and item.standard_id else None
        stated = {kind: getattr(item, kind, None) for kind in PARTS} | {"standard_id": standard}
    return {kind: text.strip() for kind, text in stated.items() if text and text.strip()}


def folded(line: Line | OrderedLine) -> dict[str, str]:
    """``parts`` as they are compared: without case, a GTIN without the zeros that fill it up to 14 digits."""
    found = {kind: text.casefold() for kind, text in parts(line).items()}
    gtin = found.get("standard_id", "")
    return found | {"standard_id": gtin.lstrip("0")} if gtin.isdigit() and gtin.strip("0") else found


def counted(order: Order, charged: Mapping[str, Decimal]) -> Order:
    """*order* with the open quantity of each line: what was ordered less what *charged* (by key) has taken."""
    times = Counter(key for line in order.lines for key in _line_keys(line))
    lines = []
    for line in order.lines:
        keys = [key for key in _line_keys(line) if times[key] == 1] if charged else []
        taken = sum((charged.get(key, Decimal(0)) for key in keys), Decimal(0))
        opened = line.quantity - taken if line.quantity is not None else None
        lines.append(line.model_copy(update={"open_quantity": opened}))
    return order.model_copy(update={"lines": tuple(lines)})


def _line_keys(line: OrderedLine) -> list[str]:
    number = line_number(line.number)
    return [*([f"n:{number}"] if number else []), *(f"{kind}:{part}" for kind, part in folded(line).items())]


class Lines:
    """The lines of one order by number and by part, those that the buyer deleted left out."""

    def __init__(self, order: Order) -> None:
        self.kinds: set[str] = set()
        self._by_number: dict[str, OrderedLine] = {}
        self._by_part: dict[tuple[str, str], list[OrderedLine]] = {}
        for one in order.lines:
            if one.withdrawn:
                continue
            self._by_number.setdefault(line_number(one.number), one)
            for pair in folded(one).items():
                self.kinds.add(pair[0])
                self._by_part.setdefault(pair, []).append(one)

    def charged_by(self, line: Line) -> OrderedLine | None:
        """The one that *line* charges: by its number, else the only one that shares a product number with it."""
        number = line_number(line.order.line if line.order else None)
        if number:
            return self._by_number.get(number)
        found = {id(one): one for one in self.sharing(line)}
        return next(iter(found.values())) if len(found) == 1 else None

    def sharing(self, line: Line) -> list[OrderedLine]:
        """Those that share a product number with *line*."""
        return [one for pair in folded(line).items() for one in self._by_part.get(pair, ())]


def belonging(order: str, orders: Sequence[Order], invoice: Invoice) -> list[Order]:
    """Of *orders* those called *order* that were given to the seller of *invoice*, those of its buyer first.

    Among them one that another buyer gave comes only where its own buyer gave none.
    """
    seller, buyer = identifiers(invoice.seller), identifiers(invoice.buyer)
    ours = [one for one in orders if one.reference == order and not strangers(one.seller, seller)]
    return [one for one in ours if not strangers(one.buyer, buyer)] or ours


# --- what an invoice may take from its order --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Gap:
    """A value of the order that a reference may lack."""

    leaf: str
    term: str
    line_term: str
    name: str


_GAPS = (_Gap("date", "EX-12", "EX-83", "date"), _Gap("payload_id", "EX-13", "EX-84", "network id"))


def completed(invoice: Invoice, orders: Sequence[Order], terms: Sequence[str]) -> tuple[Invoice, list[Finding]]:
    """*invoice* with the date and network id of its orders where it states none, and what was taken.

    terms  those that may be filled. What is stated is never changed; an order that another buyer gave says nothing,
           nor does a line that names the order of the document once more
    """
    said: list[Finding] = []
    update: dict[str, object] = {}
    if invoice.purchase_order is not None:
        update["purchase_order"] = _filled(invoice.purchase_order, "$.purchase_order", invoice, orders, terms, said)
    lines = []
    for index, line in enumerate(invoice.lines):
        if line.order is not None and line.order.id and order_of(line, invoice) != order_of(None, invoice):
            where = f"$.lines[{index}].order"
            line = line.model_copy(update={"order": _filled(line.order, where, invoice, orders, terms, said)})
        lines.append(line)
    return (invoice.model_copy(update={**update, "lines": tuple(lines)}), said) if said else (invoice, said)


def _filled(
    stated: Reference | LineReference, path: str, invoice: Invoice, orders: Sequence[Order], terms: Sequence[str],
    said: list[Finding],
) -> Reference | LineReference:  # fmt: skip
    if not stated.id:
        return stated
    found = belonging(reference(stated.id, stated.release), orders, invoice)
    if len(found) != 1 or strangers(found[0].buyer, identifiers(invoice.buyer)):
        return stated
    update: dict[str, object] = {}
    for gap in _GAPS:
        term = gap.line_term if isinstance(stated, LineReference) else gap.term
        value = getattr(found[0], gap.leaf)
        if getattr(stated, gap.leaf) is None and value is not None and term in terms:
            update[gap.leaf] = value
            said.append(Finding("EINV-ORDER-10", f"the {gap.name} of the order is taken from the order",
                                Severity.INFO, term, f"{path}.{gap.leaf}", expected=str(value)))  # fmt: skip
    return stated.model_copy(update=update) if update else stated
