"""Documents referred to. EN 16931 has one term for each kind; FatturaPA repeats them, by line, with CUP and CIG.

A reference that says no more than a term of EN 16931 stands there alone. Any other is kept whole (EX-15 to EX-17,
EX-114 to EX-118), and the terms of EN 16931 repeat what it says for the formats that know only these.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

from ..model import FurtherReference, Invoice

Raw = dict[str, Any]
_EXTRAS = ("lines", "item", "agreement")
_CODES = ("cup", "cig")


# --- going out --------------------------------------------------------------------------------------------------------


class Related:
    """A reference that a term of EN 16931 makes: what a FurtherReference states, and no model."""

    __slots__ = ("agreement", "cig", "cup", "date", "id", "item", "kind", "lines")

    def __init__(
        self, kind: str, id: str, date: Any = None, item: str | None = None, lines: Sequence[str] = ()
    ) -> None:
        self.kind, self.id, self.date, self.item, self.lines = kind, id, date, item, lines
        self.agreement = self.cup = self.cig = None


def related(invoice: Invoice, numbers: Sequence[str]) -> list[Any]:
    """Every reference to write, in order: what a term states, in the words of the full reference that repeats it."""
    left: list[Any] = []
    if invoice.references:
        lines = {line.id: number for line, number in zip(invoice.lines, numbers, strict=True) if line.id}
        left = [_renumbered(one, lines) for one in invoice.references if _usable(one)]
    found: list[Any] = [*_stated(invoice), *_of_lines(invoice, tuple(left), numbers)]
    if left:
        found = [_covering(left, one) for one in found]
    main = [one for one in left if one.kind == "FatturaPrincipale"]
    found += [one for one in left if one not in main[1:]]  # there is room for one
    return _coded(invoice, found)


def _covering(left: list[Any], one: Any) -> Any:
    """The reference of *left* that says all that *one* says, taken from there; else *one*."""
    covering = next((other for other in left if _covers(other, one)), None)
    if covering is not None:
        left.remove(covering)
    return covering or one


def _usable(one: FurtherReference) -> bool:
    """Whether the reference says what its element cannot do without: a number, a date for a delivery note."""
    dated = one.date is not None or one.kind not in ("DQ", "FatturaPrincipale")
    return bool(one.id) and dated


def _stated(invoice: Invoice) -> Iterator[Related]:
    """The terms of EN 16931 for the whole document."""
    order, contract = invoice.purchase_order, invoice.contract
    if order and order.id:
        yield Related("ON", order.id, order.date)
    if contract and contract.id:
        yield Related("CT", contract.id, contract.date)
    if invoice.receiving_advice_reference:
        yield Related("ALO", invoice.receiving_advice_reference)
    for one in invoice.preceding:
        if one.id:
            yield Related("IV", one.id, one.issue_date)


def _of_lines(invoice: Invoice, full: Sequence[FurtherReference], numbers: Sequence[str]) -> Iterator[Related]:
    """Orders and contracts of lines that no reference in *full* names, one for all lines that share them."""
    groups: dict[tuple[Any, ...], list[str]] = {}
    known = invoice.purchase_order.id if invoice.purchase_order else None

    def named(key: tuple[Any, ...], number: str) -> None:
        if not full or not any(_names(one, key, number) for one in full):
            if key in groups:
                groups[key].append(number)
            else:
                groups[key] = [number]

    for line, number in zip(invoice.lines, numbers, strict=True):
        order, contract = line.order, line.contract
        if order is not None and (id_ := order.id or known):
            named(("ON", id_, order.date, order.line), number)
        if contract is not None and contract.id:
            named(("CT", contract.id, contract.date, None), number)
    for (kind, id_, date, item), lines in groups.items():
        yield Related(kind, id_, date, item, lines)


def _names(one: FurtherReference, key: tuple[Any, ...], number: str) -> bool:
    kind, id_, date, item = key
    same = one.kind == kind and one.id == id_ and one.date == date and number in one.lines
    return same and (kind == "CT" or one.item == item)


def _covers(full: FurtherReference, one: Any) -> bool:
    return not one.lines and full.kind == one.kind and full.id == one.id and (full.date == one.date or not one.date)


def _renumbered(one: FurtherReference, lines: dict[str, str]) -> FurtherReference:
    named = tuple(lines.get(line, line) for line in one.lines)
    return one if named == one.lines else one.model_copy(update={"lines": named})


def _coded(invoice: Invoice, found: list[Any]) -> list[Any]:
    """BT-11 and BT-17 as CUP and CIG of the order, or else of the contract, where no reference states them."""
    codes = {"cup": invoice.project_reference, "cig": invoice.tender_reference}
    wanted = {name: code for name, code in codes.items()
              if code and not any(getattr(one, name) == code for one in found)}  # fmt: skip
    at = _bearer([one.kind for one in found]) if wanted else None
    if at is not None and not any(getattr(found[at], name) for name in wanted):
        bearer = found[at]
        found[at] = SimpleNamespace(**{name: getattr(bearer, name) for name in Related.__slots__} | wanted)
    return found


def _bearer(kinds: Sequence[str | None]) -> int | None:
    """Which reference bears the codes of the whole document: the first order, or else contract, or else agreement."""
    return next((kinds.index(kind) for kind in ("ON", "CT", "Convenzione") if kind in kinds), None)


# --- coming in --------------------------------------------------------------------------------------------------------


def settle(root: Raw) -> None:
    """Moves references that a term of EN 16931 says whole, and repeats what the others say in those terms."""
    stated = root.pop("references", [])
    coded = [one for one in stated if any(name in one for name in _CODES)]
    lines = {line.get("id"): line for line in root.get("lines", [])}
    bearer = _bearer([one["kind"] for one in stated])
    kept = []
    for at, one in enumerate(stated):
        plain = not any(name in one for name in _EXTRAS) and (one not in coded or (coded == [one] and at == bearer))
        taken = _take(root, one)
        if not (plain and taken and _take_codes(root, one)):
            kept.append(one)
            _take_codes(root, one)
        for number in one.get("lines", ()):
            if number in lines:
                _take_line(lines[number], one)
    if kept:
        root["references"] = kept


def _take(root: Raw, one: Raw) -> bool:
    """Sets the term of EN 16931 for this kind, when it is not set yet; whether it now says all but CUP and CIG."""
    kind, id_ = one["kind"], one.get("id")
    if id_ is None:
        return False
    dated = {"id": id_, **({"date": one["date"]} if "date" in one else {})}
    if kind in ("ON", "CT"):
        name = "purchase_order" if kind == "ON" else "contract"
        return root.setdefault(name, dated) is dated
    if kind == "IV":
        named = {"id": id_, **({"issue_date": one["date"]} if "date" in one else {})}
        root.setdefault("preceding", []).append(named)
        return not any(name in one for name in _CODES)
    if kind == "ALO":
        free = "receiving_advice_reference" not in root
        root.setdefault("receiving_advice_reference", id_)
        return free and not any(name in one for name in ("date", *_CODES))
    if kind == "DQ":
        root.setdefault("despatch_advice_reference", id_)
    return False


def _take_codes(root: Raw, one: Raw) -> bool:
    """Sets BT-11 and BT-17 where they are not set; whether they now say what the reference says."""
    terms = (("cup", "project_reference"), ("cig", "tender_reference"))
    return all(root.setdefault(term, one[code]) == one[code] for code, term in terms if code in one)


def _take_line(line: Raw, one: Raw) -> None:
    dated = {name: one[name] for name in ("id", "date") if name in one}
    if one["kind"] == "ON" and dated:
        line.setdefault("order", dated | ({"line": one["item"]} if "item" in one else {}))
    elif one["kind"] == "CT" and dated:
        line.setdefault("contract", dated)
    elif one["kind"] == "DQ" and "id" in one:
        line.setdefault("despatch_reference", one["id"])
