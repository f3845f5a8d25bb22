"""Crosswalks as data: one CSV for each pair of code lists, ours and another syntax's.

The first lines of a file, marked ``#``, say which lists it joins and where the pairs come from. The first row with a
code of ours says what is written for it, the first row with a code of theirs what it is read as; a further row adds a
direction only. A customer's own pairs go before those of the file.

>>> units = crosswalk("x12_units")
>>> units.to("HUR"), units.to("XBX"), units.back("BX"), units.to("5B7")
('HR', 'BX', 'XBX', None)
>>> crosswalk("x12_units", (("KGM", "K9"),)).to("KGM")
'K9'
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ...errors import ConfigError

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Crosswalk:
    """Two code lists side by side. ``to`` and ``back`` give None where there is no equivalent."""

    name: str
    theirs: Mapping[str, str]
    ours: Mapping[str, str]

    def to(self, code: str) -> str | None:
        return self.theirs.get(code)

    def back(self, code: str) -> str | None:
        return self.ours.get(code)


def names() -> list[str]:
    """The names of all crosswalks."""
    return sorted(path.stem for path in _HERE.glob("*.csv"))


@cache
def crosswalk(name: str, overrides: tuple[tuple[str, str], ...] = ()) -> Crosswalk:
    """The crosswalk called *name* with the customer's (ours, theirs) pairs before its own.

    ConfigError names the known crosswalks.
    """
    path = _HERE / f"{name}.csv"
    if not path.is_file():
        raise ConfigError(f"there is no crosswalk {name!r}", fix=f"choose one of {', '.join(names())}")
    lines = (line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    pairs = [*overrides, *((row["ours"], row["theirs"]) for row in csv.DictReader(lines))]
    return Crosswalk(name, _first(pairs), _first((theirs, ours) for ours, theirs in pairs))


def _first(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in pairs:
        found.setdefault(key, value)
    return found
