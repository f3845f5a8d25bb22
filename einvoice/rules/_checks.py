"""Shapes that many rules share, as functions that make checks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from ..money import plain
from ._facts import Facts, decimals, missing
from ._rule import Check, Hit

Test = Callable[[Any], bool]


def text(value: object) -> str:
    """*value* as a finding shows it."""
    if value is None:
        return ""
    return plain(value) if isinstance(value, Decimal) else str(value)[:80]


def at(place: str, leaf: str) -> str:
    return f"{place}.{leaf}" if leaf else place


def leaf_of(value: Any, leaf: str) -> Any:
    """What stands at *leaf* below *value*; None where a step is absent."""
    for step in leaf.split(".") if leaf else ():
        value = getattr(value, step, None)
    return value


def every(path: str, passes: Test, leaf: str = "") -> Check:
    """Each object at *path* passes; a hit names *leaf* of one that does not."""

    def check(facts: Facts) -> Iterable[Hit]:
        if all(map(passes, facts.values(path))):
            return ()
        return [Hit(at(place, leaf), text(leaf_of(value, leaf) if leaf else value))
                for place, value in facts.places(path) if not passes(value)]  # fmt: skip

    return check


def states(path: str, leaf: str) -> Check:
    """Each object at *path* states *leaf*, a dotted path below it. An object that is absent is no breach."""
    full = f"{path}.{leaf}" if path else leaf

    def check(facts: Facts) -> Iterable[Hit]:
        objects, found = facts.values(path), facts.values(full)
        if len(found) == len(objects) and not (found and isinstance(found[0], str) and not all(map(str.strip, found))):
            return ()  # nearly always: as many values as objects, none of them blank
        return [Hit(at(place, leaf)) for place, value in facts.places(path) if missing(leaf_of(value, leaf))]

    return check


def states_one(path: str, *leaves: str) -> Check:
    """Each object at *path* states at least one of *leaves*; a hit names the first."""
    return every(path, lambda value: any(not missing(getattr(value, leaf)) for leaf in leaves), leaves[0])


def is_list(path: str) -> Check:
    """The list at *path* of the invoice has an entry."""
    return lambda facts: () if facts.values(path) else (Hit(f"$.{path.removesuffix('[]')}"),)


def two_decimals(path: str) -> Check:
    """Each number at *path* has at most two decimals (EN 16931-1, 6.3)."""
    return every(path, lambda value: decimals(value) <= 2)


def among(path: str, codes: str, take: Callable[[str], str] = str.strip) -> Check:
    """Each code at *path* is of the list *codes*."""

    def check(facts: Facts) -> Iterable[Hit]:
        values = facts.values(path)
        if not values:
            return ()
        known = facts.codes(codes)
        if known.issuperset(values):
            return ()
        return [Hit(place, text(value)) for place, value in facts.places(path) if take(value) not in known]

    return check


def joined(*checks: Check) -> Check:
    """What any of *checks* finds."""

    def check(facts: Facts) -> Iterable[Hit]:
        found: list[Hit] = []
        for one in checks:
            found.extend(one(facts))
        return found

    return check


def named(check: Check, term: str) -> Check:
    """The hits of *check* under another term."""

    def renamed(facts: Facts) -> Iterable[Hit]:
        found = check(facts)
        return [hit._replace(term=term) for hit in found] if found else ()

    return renamed
