"""What the rules ask about an invoice, worked out once each, when first asked.

A model path names every object or value at a place: ``lines[].item.name`` is the names of all items. ``lines[**]``
means sub-lines too. Only a rule that finds a fault asks for the places, so a good invoice never pays for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from decimal import ROUND_HALF_DOWN, ROUND_HALF_UP, Decimal
from functools import cache, cached_property
from operator import attrgetter
from typing import Any

from ..codes import codes
from ..errors import Finding
from ..model import AllowanceCharge, Invoice, Line, Party, Payment, Tax, Totals
from ._vat import Category, categories

ZERO = Decimal(0)
_CENT = Decimal("0.01")
#: Effects of a tax that is part of the tax total (BT-110).
_IN_TOTAL = (None, "charged", "paid_by_buyer")


def missing(value: object) -> bool:
    """True when nothing is stated: absent, or text without a character."""
    return value is None or (isinstance(value, str) and not value.strip())


def nearest(value: Decimal, step: Decimal = _CENT) -> Decimal:
    """*value* to the nearest *step*, halves upward: XPath ``fn:round``, by which the official bindings compare.

    >>> nearest(Decimal("0.125")), nearest(Decimal("-0.125")), nearest(Decimal("-0.5"), Decimal(1))
    (Decimal('0.13'), Decimal('-0.12'), Decimal('-0'))
    """
    return value.quantize(step, ROUND_HALF_DOWN if value < 0 else ROUND_HALF_UP)


def decimals(value: Decimal) -> int:
    """Digits after the point, as written."""
    if value.same_quantum(_CENT):  # five times as fast, and nearly always so
        return 2
    exponent = value.as_tuple().exponent
    return -exponent if isinstance(exponent, int) and exponent < 0 else 0


class Facts:
    """One invoice as the rules see it.

    syntax  the format it came in (``ubl``, ``cii``), where bindings differ; empty for the bare model
    on      the day whose code lists count
    today   the day on which it is judged; None where no one says
    outgoing  it has yet to be written in that format, so what it leaves to the format will be there
    """

    def __init__(
        self, invoice: Invoice, on: date, syntax: str = "", read: Iterable[Finding] = (), today: date | None = None,
        outgoing: bool = False,
    ) -> None:  # fmt: skip
        self.invoice, self.on, self.syntax, self.read, self.today = invoice, on, syntax, tuple(read), today
        #: A tax that names no scheme is VAT: so the model means it and so it will be written; a source has to say it.
        self.unnamed_is_vat = outgoing or syntax not in ("ubl", "cii")
        self.lines: tuple[Line, ...] = invoice.lines
        self.allowances: tuple[AllowanceCharge, ...] = invoice.allowances
        self.charges: tuple[AllowanceCharge, ...] = invoice.charges
        self.rows: list[tuple[int, Tax]] = list(_entries(invoice, "tax_breakdown"))
        self.totals = invoice.totals or Totals()
        self.seller, self.buyer = invoice.seller or Party(), invoice.buyer or Party()
        self.payment = invoice.payment or Payment()
        #: What stands in the source with nothing in it: model path to place.
        self.empty = {one.path: one.place for one in self.read if one.rule == "EINV-READ-07" and one.path}
        #: Paths of what the source leaves out and the reader took to be what the format writes.
        self.assumed = frozenset(one.path for one in self.read if one.rule == "EINV-READ-09" and one.path)
        #: Every object or set value at a path, in document order; worked out once each.
        self.values: Callable[[str], list[Any]] = _Values(invoice).__getitem__

    def dated(self, on: date) -> Facts:
        """The same facts with the code lists of another day; what was worked out is kept."""
        other = object.__new__(Facts)
        vat = self.vat  # one pass over the lines for all packs
        other.__dict__.update(self.__dict__, on=on, vat=vat)
        return other

    # -- places

    def places(self, path: str) -> Iterator[tuple[str, Any]]:
        """What stands at *path* with the path of each: ``$.lines[0].item``, and the item."""
        if not path:
            yield "$", self.invoice
            return
        head, name, kind = _split(path)
        for place, parent in self.places(head):
            yield from _placed(place, parent, name, kind)

    def codes(self, name: str) -> frozenset[str]:
        """The code list *name* as it stands for this document."""
        return codes(name, self.on, self.syntax)

    # -- sums, each worked out once

    @cached_property
    def line_sum(self) -> Decimal:
        """The sum of BT-131 over the lines."""
        return sum(self.values("lines[].net_amount"), ZERO)

    @cached_property
    def allowance_sum(self) -> Decimal:
        """The sum of BT-92."""
        return sum(self.values("allowances[].amount"), ZERO)

    @cached_property
    def charge_sum(self) -> Decimal:
        """The sum of BT-99."""
        return sum(self.values("charges[].amount"), ZERO)

    @cached_property
    def tax_sum(self) -> Decimal:
        """The sum of BT-117."""
        return sum(self.values("tax_breakdown[].amount"), ZERO)

    # -- value added tax

    def is_vat(self, tax: Tax) -> bool:
        """True for VAT. A scheme left out means VAT in the model; UBL and CII have to state it (EN 16931-3)."""
        scheme = tax.scheme
        if scheme is None:
            return self.unnamed_is_vat
        return scheme == "VAT" or scheme.strip().upper() == "VAT"

    @cached_property
    def vat(self) -> dict[str, Category]:
        """What lines, allowances, charges and breakdown say of each VAT category, by code."""
        deep = [tax for line in self.lines if line.sub_lines for sub in _deep(line.sub_lines) for tax in sub.taxes]
        return categories(self.lines, self.allowances, self.charges, self.rows, deep, self.is_vat)

    def vat_ids(self, role: str) -> list[tuple[str, str]]:
        """(path, identifier) of each VAT registration a party states: BT-31, BT-48, BT-63."""
        vat = "VA" if self.syntax == "cii" else "VAT"
        return [(path, value) for path, value, scheme in self.registrations(role) if scheme == vat]

    def tax_ids(self, role: str) -> list[tuple[str, str]]:
        """(path, identifier) of each tax registration a party states, VAT or other: BT-31, BT-32.

        UBL knows a registration by its place, CII by its scheme, which is VA or FC.
        """
        found = self.registrations(role)
        if self.syntax == "cii":
            return [(path, value) for path, value, scheme in found if scheme in ("VA", "FC")]
        return [(path, value) for path, value, _ in found]

    def registrations(self, role: str) -> Iterator[tuple[str, str, str]]:
        """(path, identifier, scheme) of each. CII writes FC where the invoice has no scheme, but the source has to."""
        party: Party | None = getattr(self.invoice, role)
        if party is None:
            return
        cii = self.syntax == "cii"
        if party.vat_id is not None:
            yield f"$.{role}.vat_id", party.vat_id, "VA" if cii else "VAT"
        if party.tax_id is None and not party.tax_registrations:  # nearly always
            return
        stated = [(f"$.{role}.tax_id", f"$.{role}.tax_id_scheme", party.tax_id, party.tax_id_scheme)]
        for at, one in enumerate(party.tax_registrations):
            place = f"$.{role}.tax_registrations[{at}]"
            stated.append((f"{place}.id", f"{place}.scheme", one.id, one.scheme))
        for path, named, value, scheme in stated:
            if value is not None:
                written = "FC" if cii and scheme is None and named not in self.assumed else ""
                yield path, value, written or (scheme or "").upper()


class _Values(dict[str, list[Any]]):
    """Objects and values of an invoice by path. A dict, so that asking again costs next to nothing."""

    def __init__(self, invoice: Invoice) -> None:
        super().__init__({"": [invoice]})

    def __missing__(self, path: str) -> list[Any]:
        """What stands one step below each object at the path above."""
        head, name, kind = _split(path)
        above = self[head]
        if not above:
            found = []
        elif not kind:
            found = [value for value in map(_getter(name), above) if value is not None]
        elif kind == "[**]":
            found = [line for parent in above for line in _deep(getattr(parent, name))]
        elif name == "tax_breakdown":
            found = [row for parent in above for _, row in _entries(parent, name)]
        else:
            found = [value for values in map(_getter(name), above) if values for value in values]
        self[path] = found
        return found


_getter = cache(attrgetter)


@cache
def _split(path: str) -> tuple[str, str, str]:
    """The path above, the last name, and what it is: a value, a list ``[]`` or a list with sub-lines ``[**]``."""
    head, _, step = path.rpartition(".")
    name, bracket, kind = step.partition("[")
    return head, name, bracket + kind


def _entries(parent: Any, name: str) -> Iterable[tuple[int, Any]]:
    """(position, entry) of a list; of the breakdown only what BT-110 adds up, not taxes withheld or for information."""
    entries = enumerate(getattr(parent, name))
    return entries if name != "tax_breakdown" else ((at, row) for at, row in entries if row.effect in _IN_TOTAL)


def _deep(lines: Iterable[Line]) -> Iterator[Line]:
    for line in lines:
        yield line
        if line.sub_lines:
            yield from _deep(line.sub_lines)


def _placed(place: str, parent: Any, name: str, kind: str) -> Iterator[tuple[str, Any]]:
    if not kind:
        value = getattr(parent, name)
        if value is not None:
            yield f"{place}.{name}", value
        return
    for at, value in _entries(parent, name):
        yield f"{place}.{name}[{at}]", value
        if kind == "[**]":
            yield from _placed(f"{place}.{name}[{at}]", value, "sub_lines", kind)
