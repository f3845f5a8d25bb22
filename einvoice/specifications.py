"""Specifications of invoices by name: what BT-24 and BT-23 say for ``ubl:xrechnung``. The rows are specifications.toml.

    specification("ubl", "xrechnung", on=date(2026, 11, 24)).id

A name may have several rows that follow each other in time; the day that counts is the day of issue (BT-2).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from .config import Strict, load
from .errors import ConfigError, Finding, Severity
from .model import Invoice, Tax

_FILE = Path(__file__).with_name("specifications.toml")


class _Source(Strict):
    id: str
    ref: str


class Specification(Strict):
    """One row: the identifiers of a specification and the days of issue for which they are in force."""

    name: str
    formats: tuple[str, ...] = Field(min_length=1)
    id: str
    """BT-24."""
    process: str = ""
    """BT-23; empty where the specification fixes none."""
    release: str
    since: date | None = None
    until: date | None = None
    tax: str = ""
    """The tax scheme of categories that state none."""
    cii: str = ""
    """The Factur-X profile whose elements may stand in CII by this specification."""
    schema_id: str = Field("", alias="schema")
    """The official schema of CII by this specification, where it is another than the one for the root element."""
    verified: bool = True
    sources: tuple[str, ...] = Field(min_length=1)

    def in_force(self, on: date) -> bool:
        return (self.since is None or self.since <= on) and (self.until is None or on <= self.until)

    def applied(self, invoice: Invoice) -> Invoice:
        """*invoice* as this specification names it: its BT-24 and BT-23, and its tax scheme where none is stated."""
        changes: dict[str, Any] = {"specification": self.id, "process": self.process or invoice.process}
        if self.tax:
            changes |= _schemed(invoice, self.tax)
        return invoice.model_copy(update=changes)

    def findings(self, invoice: Invoice) -> list[Finding]:
        """EINV-SPEC-01 where BT-2 is a day on which this specification was not in force."""
        on = invoice.issue_date
        if on is None or self.in_force(on):
            return []
        span = " ".join(f"{word} {day}" for word, day in (("from", self.since), ("to", self.until)) if day)
        return [
            Finding("EINV-SPEC-01", f"{self.name} was not in force on the day of issue", Severity.WARNING, term="BT-2",
                    path="$.issue_date", found=str(on), expected=f"in force {span}",
                    fix="choose the specification of that day")
        ]  # fmt: skip


class _File(Strict):
    version: Literal[1]
    reviewed_on: date
    source: tuple[_Source, ...]
    specification: tuple[Specification, ...]


def _schemed(invoice: Invoice, tax: str) -> Mapping[str, Any]:
    def named(taxes: tuple[Tax, ...]) -> tuple[Tax, ...]:
        return tuple(one if one.scheme else one.model_copy(update={"scheme": tax}) for one in taxes)

    def taxed(rows: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(row.model_copy(update={"taxes": named(row.taxes)}) for row in rows)

    return {
        "tax_breakdown": named(invoice.tax_breakdown),
        "lines": taxed(invoice.lines),
        "allowances": taxed(invoice.allowances),
        "charges": taxed(invoice.charges),
    }


@cache
def specifications() -> tuple[Specification, ...]:
    """Every row, in the order of the file. ConfigError when a row is not right."""
    return load(_FILE, _File, _FILE.name).specification


def identified(id: str | None) -> Specification | None:
    """The first row whose BT-24 is *id*; None where none is."""
    return next((row for row in specifications() if row.id == id), None)


def names(format: str) -> list[str]:
    """The specifications that *format* can be written by.

    >>> names("cii")[:2]
    ['en16931', 'xrechnung']
    """
    return list(dict.fromkeys(row.name for row in specifications() if format in row.formats))


def specification(format: str, name: str, on: date | None = None) -> Specification:
    """The row of *name* in force on the day *on*; the newest where none was, or no day is given.

    ConfigError names the known ones. The findings of the row say when it was not in force.
    """
    rows = [row for row in specifications() if row.name == name and format in row.formats]
    if not rows:
        raise ConfigError(f"{format} has no specification {name!r}", fix=f"choose one of {', '.join(names(format))}")
    return next((row for row in rows if on and row.in_force(on)), rows[-1])
