"""Code lists as data: one CSV a list, made by ``tools/update_codes.py`` from the published rule sets.

The first lines of a file, marked ``#``, say what the list is and which publication each date stands for. A row is a
code with the day it came (``since``, empty: before the first publication known here), the day it was gone (``until``,
empty: still in force) and the syntax it is confined to (empty: all).

>>> "EUR" in codes("currencies", date(2026, 4, 10)), "EURO" in codes("currencies", date(2026, 4, 10))
(True, False)
>>> "BGN" in codes("currencies", date(2025, 12, 31)), "BGN" in codes("currencies", date(2026, 4, 10))
(True, False)
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path

from ..errors import ConfigError

_HERE = Path(__file__).parent


def names() -> list[str]:
    """The names of all lists."""
    return sorted(path.stem for path in _HERE.glob("*.csv"))


@cache
def codes(name: str, on: date, syntax: str = "") -> frozenset[str]:
    """The codes of list *name* in force *on* that day, for *syntax*; ConfigError names the known lists.

    With no syntax the codes of every syntax are in it.
    """
    return frozenset(
        code
        for code, since, until, where in _rows(name)
        if (not since or date.fromisoformat(since) <= on)
        and (not until or on < date.fromisoformat(until))
        and (not where or not syntax or where == syntax)
    )


@cache
def _rows(name: str) -> tuple[tuple[str, str, str, str], ...]:
    path = _HERE / f"{name}.csv"
    if not path.is_file():
        raise ConfigError(f"there is no code list {name!r}", fix=f"choose one of {', '.join(names())}")
    return tuple(_parsed(path.read_text(encoding="utf-8")))


def _parsed(text: str) -> Iterator[tuple[str, str, str, str]]:
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    for row in csv.DictReader(lines):
        yield row["code"], row["since"], row["until"], row["syntax"]
