"""Delivery law by country and date: which format, signature and channel, and why. One TOML per country.

decision = decide(facts, laws(), house, profile, on=day)
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from ..config import Source, read, validate
from ..errors import ConfigError, Finding
from ..specifications import names, specification
from .check import check_file as check_file
from .check import check_laws as check_laws
from .check import check_words as check_words
from .checkdigits import CHECKS as CHECKS
from .decide import decide as decide
from .decide import strictest as strictest
from .facts import BuyerKind as BuyerKind
from .facts import Copy as Copy
from .facts import Decision as Decision
from .facts import Demand as Demand
from .facts import Dropped as Dropped
from .facts import Facts as Facts
from .facts import Refusal as Refusal
from .facts import Wish as Wish
from .law import NOT_INHERITED, Bloc, Carry, Country, FormatRow, Formats, Laws, RuleFile
from .law import Signature as Signature
from .needs import Kind as Kind
from .needs import Need as Need
from .needs import unmet as unmet
from .overrides import Override as Override
from .overrides import load_overrides as load_overrides

HERE = Path(__file__).parent
F = TypeVar("F", bound=RuleFile)


@lru_cache(maxsize=4)
def laws(directory: Path = HERE) -> Laws:
    """Every country file of *directory* with the shared tables. Raises ConfigError with the first bad file's problems.

    >>> sorted(laws().countries)
    ['DE', 'FR', 'US']
    """
    formats = validate(read(directory / "formats.toml", "formats.toml"), Formats)
    carry = validate(read(directory / "carry.toml", "carry.toml"), Carry)
    countries = (load_country(path) for path in sorted(directory.glob("[a-z][a-z].toml")))
    blocs = (_rules(path, Bloc) for path in sorted(directory.glob("_*.toml")))
    loaded = Laws(
        countries={country.country: country for country in countries},
        blocs=tuple(blocs),
        carry=carry.families,
        formats={row.id: _identified(row) for row in formats.format},
    )
    if findings := check_words(loaded):
        raise ConfigError(
            "the country files and the shared tables do not agree", where=directory.name, findings=findings
        )
    return loaded


def _identified(row: FormatRow) -> FormatRow:
    """*row* with the identifiers of the specification that its variant names, where there is one and it states none."""
    if row.customization or row.variant not in names(row.format):
        return row
    named = specification(row.format, row.variant)
    return row.model_copy(update={"customization": named.id, "process": named.process})


def load_country(path: Path) -> Country:
    """One country file. Raises ConfigError with every problem at once."""
    return _rules(path, Country)


def _rules(path: Path, model: type[F]) -> F:
    return validate(_inherited(read(path, path.name)), model)


def _inherited(source: Source) -> Source:
    """The same file with each rule's ``inherits`` (one level) filled in."""
    rows = source.data.get("rule")
    if not isinstance(rows, list):
        return source
    by_id = {row.get("id"): row for row in rows}
    findings = [finding for index, row in enumerate(rows) if (finding := _bad_parent(source, index, row, by_id))]
    if findings:
        raise ConfigError("rules inherit wrongly", where=source.name, findings=findings)
    return Source(source.name, source.text, {**source.data, "rule": [_filled(row, by_id) for row in rows]})


def _bad_parent(source: Source, index: int, row: dict[str, Any], by_id: dict[Any, dict[str, Any]]) -> Finding | None:
    parent = row.get("inherits")
    if not parent or (parent in by_id and not by_id[parent].get("inherits")):
        return None
    message = f"{parent} is not a rule of this file, or inherits itself"
    return Finding(
        "EINV-LAW-01", message, place=source.place(("rule", index, "inherits")), fix="name a rule one level up"
    )


def _filled(row: dict[str, Any], by_id: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    parent = by_id.get(row.get("inherits"), {})
    return {**{key: value for key, value in parent.items() if key not in NOT_INHERITED}, **row}
