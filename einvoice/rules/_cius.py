"""Shapes that the packs of networks and countries share, beside those of ``_checks``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

from ..model import AllowanceCharge
from ._checks import at, every, text
from ._facts import ZERO, Facts, missing
from ._rule import Check, Hit

Holds = Callable[[Facts], bool]
SLACK = Decimal("0.02")


def when(holds: Holds, check: Check) -> Check:
    """*check* where *holds*; elsewhere nothing is a breach."""
    return lambda facts: check(facts) if holds(facts) else ()


def unwanted(path: str, leaf: str = "", term: str = "") -> Check:
    """Each object or value at *path* leaves *leaf* out; without a leaf there is to be nothing at *path*."""

    def check(facts: Facts) -> Iterable[Hit]:
        for place, value in facts.places(path) if facts.values(path) else ():
            stated = getattr(value, leaf) if leaf else value
            if not missing(stated):
                yield Hit(at(place, leaf), text(stated), term=term)

    return check


def only(path: str, codes: Iterable[str]) -> Check:
    """Each code at *path* is one of *codes*."""
    known = frozenset(codes)
    return every(path, lambda value: value.strip() in known)


def country(facts: Facts, role: str) -> str:
    """The country code of a party in capitals; empty where it states none."""
    party = getattr(facts.invoice, role)
    code = party.address.country if party is not None and party.address is not None else None
    return (code or "").strip().upper()


def near(stated: Decimal, expected: Decimal, slack: Decimal = SLACK) -> bool:
    """True when both differ by no more than *slack*.

    >>> near(Decimal("10.02"), Decimal("10")), near(Decimal("10.03"), Decimal("10"))
    (True, False)
    """
    return abs(stated - expected) <= slack


def percentage(path: str, slack: Decimal = SLACK) -> Check:
    """Each allowance or charge at *path* is its base times its percentage, where it states both."""

    def passes(entry: AllowanceCharge) -> bool:
        if entry.base is None or entry.percent is None:
            return True
        return near(entry.amount or ZERO, entry.base * entry.percent / 100, slack)

    def check(facts: Facts) -> Iterable[Hit]:
        if all(map(passes, facts.values(path))):
            return
        for place, entry in facts.places(path):
            if not passes(entry):
                expected = entry.base * entry.percent / 100
                yield Hit(f"{place}.amount", text(entry.amount), text(expected))

    return check
