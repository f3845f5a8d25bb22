"""Which column of a table is which business term: the settings of csv and xlsx, and what they come to.

decimal = ","
[columns]
"Rechnung" = "BT-1"
"Steuer"   = ["BT-151", "BT-152"]
[defaults]
BT-5 = "EUR"
[codes."Steuer"]
V1 = ["S", "19"]
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from .. import terms
from ..config import Count, Strict
from ..money import parse
from ._numbers import DATES, date_pattern, day, flag

Step = str | int
Value = str | Decimal | date | bool
#: Members of one group that columns can name: ``tax_breakdown[9].rate``.
_MOST = 50
_INDEX = re.compile(r"\[(\d*)\]")


@dataclass(frozen=True, slots=True)
class Target:
    """Where a value goes: a term, and the steps to it from the invoice, or from the line where ``line``."""

    name: str
    id: str
    kind: str
    steps: tuple[Step, ...]
    line: bool


@cache
def target(name: str) -> Target:
    """The place that *name* means, a term (``BT-131``) or a path (``tax_breakdown[1].base``). ValueError if none."""
    path = terms.TERMS[name].path if name in terms.TERMS else name
    line = path.startswith("lines[].")
    inner = path.removeprefix("lines[].")
    try:
        term = terms.at(("lines[]." if line else "") + _INDEX.sub("[]", inner))
    except KeyError:
        known = [*terms.TERMS, *(one.path for one in terms.TERMS.values())]
        near = get_close_matches(name, known, n=1, cutoff=0.6)
        raise ValueError(f"{name!r} is no term{f'; did you mean {near[0]}?' if near else ''}") from None
    if term.kind == "binary":
        raise ValueError(f"{name}: attachments do not stand in a table; send JSON")
    steps: list[Step] = []
    for part in inner.split("."):
        found = _INDEX.search(part)
        steps.append(part[: found.start()] if found else part)
        if found:
            steps.append(int(found[1] or 0))
    if any(isinstance(step, int) and step >= _MOST for step in steps):
        raise ValueError(f"{name}: at most {_MOST} of one group stand in columns; send JSON")
    return Target(name, term.id, term.kind, tuple(steps), line)


def _known(name: str) -> str:
    try:
        target(name)
    except ValueError as error:
        raise PydanticCustomError("term", "{why}", {"why": str(error)}) from None
    return name


def _form(form: str) -> str:
    try:
        date_pattern(form)
    except ValueError as error:
        raise PydanticCustomError("date_form", "{why}", {"why": str(error)}) from None
    return form


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


TermName = Annotated[str, AfterValidator(_known)]
Names = Annotated[tuple[TermName, ...], BeforeValidator(_listed), Field(min_length=1)]
Texts = Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1)]


class Table(Strict):
    """How a table of invoices is written: settings of ``csv`` and ``xlsx``."""

    columns: Mapping[str, Names] = Field(default_factory=dict)
    """Title of a column to a term or model path, or to several. Empty: the titles of the template."""
    lines: Mapping[str, Names] = Field(default_factory=dict)
    """The same for the lines, where they stand in a file or sheet of their own; BT-1 joins them to their invoice."""
    defaults: Mapping[TermName, str] = Field(default_factory=dict)
    """What holds where no cell states a term: numbers with a point, dates as YYYY-MM-DD."""
    codes: Mapping[str, dict[str, Texts]] = Field(default_factory=dict)
    """By title: what a cell says to what it means, one text for each term of the column."""
    optional: tuple[str, ...] = ()
    """Titles of ``columns`` and ``lines`` that a file may leave out."""
    ignore: tuple[str, ...] = ()
    """Titles that are known and mean nothing here; others that are not mapped are reported."""
    decimal: Literal["", ".", ","] = ""
    """The decimal sign. Empty: a number that can be read in two ways is refused."""
    thousands: Literal["", ".", ",", " ", "'"] = ""
    """The sign between thousands, where there is one."""
    dates: tuple[Annotated[str, AfterValidator(_form)], ...] = DATES
    """How dates are written: YYYY, MM and DD in any order. A date that two of them read differently is refused."""
    credit_notes: Literal["positive", "negative"] = "positive"
    """Sign of amounts and quantities of a credit note. ``negative`` turns them; the model states them positive."""
    absent_totals: Literal["leave", "compute"] = "leave"
    """What becomes of totals and tax rows that no column states: ``compute`` takes them from the lines where they come
    to what is stated, and says so."""
    title_row: Annotated[Count, Field(ge=1)] = 1
    """The row that the titles stand in."""
    delimiter: Literal["", ",", ";", "\t", "|"] = ""
    """Of a CSV file; empty: the one that the titles are divided by."""
    encoding: Literal["utf-8", "cp1252", "iso-8859-15", "utf-16"] = "utf-8"
    """Of a CSV file. A byte order mark is left out."""
    sheet: str = ""
    """Of a workbook: the sheet of the invoices; empty: the first."""
    lines_sheet: str = "Lines"
    """Of a workbook: the sheet of the lines, where ``lines`` is given."""

    @model_validator(mode="after")
    def _consistent(self) -> Table:
        if self.decimal and self.decimal == self.thousands:
            raise PydanticCustomError("signs", "decimal and thousands are the same sign")
        if self.thousands and not self.decimal:
            raise PydanticCustomError("signs", "thousands needs decimal")
        for table in filter(None, (self.columns, self.lines)):
            if not any("BT-1" in (target(name).id for name in names) for names in table.values()):
                raise PydanticCustomError("number", "no column is the invoice number: map one to BT-1")
        mapped = {**(self.columns or template().columns), **self.lines}
        for title, codes in self.codes.items():
            wanted = len(mapped.get(title, ()))
            if any(len(texts) != wanted for texts in codes.values()):
                raise PydanticCustomError(
                    "codes", "{title}: each code means {wanted} texts, one for each term of the column",
                    {"title": title, "wanted": wanted},
                )  # fmt: skip
        for name, text in self.defaults.items():
            _default(name, text)
        return self


def whole(settings: Table) -> Table:
    """*settings*, with the template's columns and defaults where they name no column."""
    return settings if settings.columns else template().model_copy(update=_given(settings))


def fixed(settings: Table) -> tuple[tuple[Target, Value], ...]:
    """The defaults of *settings* and their places."""
    return tuple((target(name), _default(name, text)) for name, text in settings.defaults.items())


def _given(settings: Table) -> dict[str, Any]:
    given = {name: getattr(settings, name) for name in settings.model_fields_set if name != "columns"}
    return {**given, "defaults": {**template().defaults, **settings.defaults}}


def _default(name: str, text: str) -> Value:
    try:
        return plain_value(target(name).kind, text)
    except ValueError as error:
        raise PydanticCustomError("default", "{name}: {why}", {"name": name, "why": str(error)}) from None


def plain_value(kind: str, text: str) -> Value:
    """The value of *text* as settings write it: a point in numbers, dates as YYYY-MM-DD. ValueError."""
    if kind in NUMBERS:
        value = parse(text)
        if value is None:
            raise ValueError(f"{text[:40]!r} is not a plain decimal number such as 12.50")
        return value
    if kind == "date":
        return day(text, ("YYYY-MM-DD",))
    return flag(text) if kind == "flag" else text


NUMBERS = frozenset({"amount", "price", "quantity", "percent"})
_HERE = Path(__file__).parent


def template_text() -> str:
    """The template's column map, as it is written for people."""
    return (_HERE / "table_template.toml").read_text("utf-8")


def sample() -> str:
    """The template as CSV: the titles and one invoice."""
    return (_HERE / "table_sample.csv").read_text("utf-8")


@cache
def template() -> Table:
    """The template's columns; a file may leave out all of them but the number."""
    data: Mapping[str, Any] = tomllib.loads(template_text())
    return Table(**{**data, "optional": tuple(data["columns"])})


def folded(title: str) -> str:
    """*title* as titles are compared: without case, spaces in a row are one."""
    return " ".join(title.split()).casefold()


def nearest(title: str, titles: Iterable[str]) -> str:
    """The one of *titles* that *title* may be a slip of; else empty."""
    near = get_close_matches(folded(title), known := {folded(one): one for one in titles}, n=1, cutoff=0.75)
    return known[near[0]] if near else ""
