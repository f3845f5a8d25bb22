"""Rows of a table to invoices: one engine for csv and xlsx.

The rows of one invoice stand together. What is said of the whole invoice may stand on each of them, equal, or on the
first; a row with a value in any line column is a line. Lines in a file or sheet of their own are joined by number.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property

from pydantic import ValidationError

from ..errors import Finding, Severity, UnreadableDocument
from ..exchange import Read
from ..model import CREDIT_TYPES, Invoice
from ..money import plain
from ..totals import derived
from . import _numbers
from ._raw import Raw, Step, get, pruned, put, turn
from ._table_map import NUMBERS, Table, Target, Value, fixed, plain_value, whole
from ._table_rows import (
    AHEAD,
    Cell,
    Column,
    Fault,
    Feed,
    Plan,
    Row,
    Sheet,
    again,
    blank,
    cell_at,
    groups,
    orphans,
    planned,
    refused,
    text_of,
    told,
    too_long,
    unnumbered,
)  # fmt: skip


def reads(settings: Table, sheet: Sheet, lines: Sheet | None, format: str) -> Iterator[Read]:
    """The invoices of *sheet*, one at a time. UnreadableDocument where its titles do not fit."""
    settings = whole(settings)
    plan = planned(sheet, settings, settings.columns)
    if bool(settings.lines) is not (lines is not None):
        raise UnreadableDocument(
            *("the lines stand elsewhere, and are not given",) if settings.lines else ("no column is a line's",),
            fix="give the file of the lines (--lines), or the sheet" if settings.lines else "map the lines in [lines]",
        )
    feed = Feed(planned(lines, settings, settings.lines)) if lines else None
    maker = _Maker(settings, format, plan, feed.plan if feed else plan)
    done: set[str] = set()
    for number, rows, over in groups(plan):
        if not number:
            yield refused(unnumbered(plan, rows), format)
        elif over:
            yield refused(too_long(plan, number, rows), format)
        elif number in done:
            yield refused(again(plan, number, rows), format)
        else:
            yield maker.read(number, rows, feed.take(number) if feed else None)
        done.add(number)
    if feed:
        yield from (refused(orphans(feed.plan, number, rows), format) for number, rows in feed.rest())


# --- values -----------------------------------------------------------------------------------------------------------


class _Misread(ValueError):
    """A cell that is not what its column holds: rule and what to do."""

    def __init__(self, rule: str, message: str, fix: str) -> None:
        super().__init__(message)
        self.rule, self.fix = rule, fix


def _value(cell: Cell, kind: str, settings: Table) -> Value:
    """The value of *cell* as a term of *kind*; _Misread when it is none."""
    try:
        if isinstance(cell, bool) and kind != "flag":
            raise ValueError("a truth value stands where another is wanted")
        if kind in NUMBERS:
            return _amount(cell, kind, settings)
        if kind == "date":
            if isinstance(cell, date):
                return cell
            if isinstance(cell, Decimal) and "YYYYMMDD" not in settings.dates:
                raise ValueError(f"{plain(cell)} is a number, not a date")
            return _numbers.day(text_of(cell), settings.dates)
        if kind == "flag":
            return cell if isinstance(cell, bool) else _numbers.flag(text_of(cell))
    except ValueError as error:
        rule = "EINV-READ-03" if kind in NUMBERS else "EINV-READ-04"
        raise _Misread(rule, str(error), _FIX.get(kind, _FIX["amount"])) from error
    return _said(text_of(cell))


_FIX = {
    "amount": "correct the cell, or say in the map how numbers are written: decimal and thousands",
    "date": "correct the cell, or say in the map how dates are written: dates",
    "flag": "write yes or no",
}


def _amount(cell: Cell, kind: str, settings: Table) -> Decimal:
    if isinstance(cell, Decimal):
        return cell
    if isinstance(cell, date):
        raise ValueError(f"{cell} is a date, not a number")
    text = text_of(cell)
    if kind == "percent":
        text = text.removesuffix("%").rstrip()
    return _numbers.number(text, settings.decimal, settings.thousands)


def _said(text: str) -> str:
    if any("\ud800" <= sign <= "\udfff" for sign in text):
        shown = text.encode("utf-8", "backslashreplace").decode()
        raise _Misread("EINV-READ-04", f"{shown[:60]} has bytes that are not of the file's encoding",
                       "say the encoding in the map, such as encoding = \"cp1252\"")  # fmt: skip
    return text


def _meant(column: Column, text: str) -> Sequence[str]:
    """What *text* means by the codes of the column. What a code means may stand there itself."""
    assert column.codes is not None
    if text in column.codes:
        return column.codes[text]
    if len(column.targets) == 1 and any(text == meant[0] for meant in column.codes.values()):
        return (text,)
    known = ", ".join(sorted(column.codes)[:10])
    raise _Misread("EINV-TABLE-07", f"{text[:40]!r} is not among the codes of {column.title!r}",
                   f'add it to [codes."{column.title}"] in the map; there are {known}')  # fmt: skip


# --- one invoice ------------------------------------------------------------------------------------------------------


Spot = tuple[bool, int, int]


@dataclass(slots=True)
class _Work:
    """One invoice in the making: raw values, findings, and where each value stands."""

    raw: Raw = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    spots: list[tuple[tuple[Step, ...], Spot]] = field(default_factory=list)
    texts: dict[int, tuple[int, list[Value | None]]] = field(default_factory=dict)


class _Maker:
    """Makes the invoices of one file."""

    def __init__(self, settings: Table, format: str, plan: Plan, lines: Plan) -> None:
        self.settings, self.format, self.plan, self.lines = settings, format, plan, lines
        self.apart = plan is not lines
        mapped = [one.steps for column in (*plan.header, *lines.line) for one in column.targets]
        self.fixed = [(one, value, _bound(one, mapped)) for one, value in fixed(settings)]

    def read(self, number: str, rows: list[Row], lines: list[Row] | None) -> Read:
        work = _Work()
        for row in rows:
            self._header(row, work)
        if self.apart and not lines:
            work.findings.append(_lineless(self.plan, number, rows[0]))
        for row in rows if lines is None else lines:
            self._line(row, work)
            if self.apart and blank(cell_at(row, self.lines.key)):
                work.findings.append(unnumbered(self.lines, [row]))
        self._unread(self.plan, rows, work)
        if self.apart:
            self._unread(self.lines, lines or (), work)
        self._default(work)
        if self.settings.credit_notes == "negative" and work.raw.get("type_code") in CREDIT_TYPES:
            turn(work.raw)
        moved: dict[tuple[Step, ...], int] = {}
        raw = pruned(work.raw, (), moved)
        findings, invoice = tuple(work.findings), self._built(raw, work)
        if isinstance(invoice, UnreadableDocument):
            return Read(Invoice(), invoice.findings, lambda path: "", self.format, invoice)
        if self.settings.absent_totals == "compute":
            invoice, added = derived(invoice)
            findings += tuple(added)
        places = _Places(work.spots, moved, self.plan, self.lines, rows[0].number)
        return Read(invoice, findings, places, self.format, source=self._source(rows, lines))

    def _header(self, row: Row, work: _Work) -> None:
        numbered = False
        for column in self.plan.header:
            if blank(cell := cell_at(row, column.at)):
                continue
            numbered = numbered or column.at == self.plan.key
            values = self._values(column, cell, row, self.plan, work)
            first = work.texts.setdefault(column.at, (row.number, values))
            if first[0] == row.number:
                for one, value in zip(column.targets, values, strict=True):
                    self._put(work, work.raw, one.steps, one.steps, value, (False, row.number, column.at))
            elif first[1] != values:
                place = self.plan.sheet.place(row.number, column.at)
                work.findings.append(Finding(
                    "EINV-READ-02", f"{column.title!r} differs from {self.plan.sheet.place(first[0], column.at)}",
                    term=column.targets[0].id, path=_shown(column.targets[0]), place=place, found=told(cell),
                    expected=told(first[1][0]), fix="state one value on all rows of an invoice",
                ))  # fmt: skip
        if not numbered:
            work.findings.append(unnumbered(self.plan, [row]))

    def _line(self, row: Row, work: _Work) -> None:
        cells = [(column, cell) for column in self.lines.line if not blank(cell := cell_at(row, column.at))]
        if not cells:
            return
        lines = work.raw.setdefault("lines", [])
        line: Raw = {}
        for column, cell in cells:
            values = self._values(column, cell, row, self.lines, work)
            for one, value in zip(column.targets, values, strict=True):
                steps = ("lines", len(lines), *one.steps)
                self._put(work, line, one.steps, steps, value, (True, row.number, column.at))
        lines.append(line)
        work.spots.append((("lines", len(lines) - 1), (True, row.number, cells[0][0].at)))

    def _values(self, column: Column, cell: Cell, row: Row, plan: Plan, work: _Work) -> list[Value | None]:
        """What *cell* says for each term of the column; None, and a finding, where it is not readable."""
        try:
            if isinstance(cell, Fault):
                raise _Misread(cell.rule, cell.message, cell.fix)
            said: Sequence[Cell] = [cell] * len(column.targets)
            if column.codes is not None:
                said = [_Meant(text) for text in _meant(column, _said(text_of(cell)))]
            return [self._one(text, one) for text, one in zip(said, column.targets, strict=True)]
        except _Misread as error:
            first = column.targets[0]
            work.findings.append(Finding(error.rule, str(error), term=first.id, path=_shown(first), fix=error.fix,
                                         place=plan.sheet.place(row.number, column.at), found=told(cell)))  # fmt: skip
            return [None] * len(column.targets)

    def _one(self, cell: Cell, one: Target) -> Value:
        if isinstance(cell, _Meant):
            try:
                return plain_value(one.kind, str(cell))
            except ValueError as error:
                raise _Misread("EINV-READ-03", str(error), "correct [codes] in the map") from error
        return _value(cell, one.kind, self.settings)

    def _put(
        self, work: _Work, into: Raw, steps: Sequence[Step], whole: tuple[Step, ...], value: Value | None, spot: Spot
    ) -> None:
        if value is not None and value != "":
            put(into, steps, value)
        work.spots.append((whole, spot))

    def _unread(self, plan: Plan, rows: Sequence[Row], work: _Work) -> None:
        for at, title in plan.unknown:
            for row in rows:
                if not blank(cell := cell_at(row, at)):
                    work.findings.append(Finding(
                        "EINV-READ-01", f"the column {title[:40]!r} is not in the map and is not carried",
                        Severity.WARNING, place=plan.sheet.place(row.number, at), found=told(cell),
                        fix="map it, or name it under ignore",
                    ))  # fmt: skip
                    break

    def _default(self, work: _Work) -> None:
        for one, value, bound in self.fixed:
            for holder in work.raw.get("lines", ()) if one.line else (work.raw,):
                if get(holder, one.steps) is None and not (bound and not get(holder, one.steps[:-1])):
                    put(holder, one.steps, value)

    def _built(self, raw: Raw, work: _Work) -> Invoice | UnreadableDocument:
        try:
            return Invoice.model_validate(raw)
        except ValidationError as error:
            found = [
                Finding("EINV-READ-10", str(problem["msg"]), path=f"$.{'.'.join(map(str, problem['loc']))}")
                for problem in error.errors(include_url=False)
            ]
            return UnreadableDocument("the values do not form an invoice", findings=[*work.findings, *found])

    def _source(self, rows: Sequence[Row], lines: Sequence[Row] | None) -> bytes:
        """The rows of this invoice under their titles, as CSV: what is kept beside it."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        for plan, part in ((self.plan, rows), (self.lines, lines)):
            if part is not None:
                writer.writerow(plan.sheet.titles)
                writer.writerows([told(cell, 1 << 20) for cell in row.cells] for row in part)
        return text.getvalue().encode("utf-8", "backslashreplace")


class _Meant(str):
    """What a code means: written as settings are, whatever the cells look like."""


def _lineless(plan: Plan, number: str, row: Row) -> Finding:
    return Finding("EINV-TABLE-08", f"no line of {number} comes within the next {AHEAD} invoices", term="BG-25",
                   place=plan.sheet.place(row.number, plan.key), path="$.lines",
                   fix="sort both tables by invoice number, or export them together")  # fmt: skip


def _shown(one: Target) -> str:
    path = re.sub(r"[.](\d+)", r"[\1]", ".".join(map(str, one.steps)))
    return f"$.{'lines.' if one.line else ''}{path}"


def _bound(one: Target, mapped: Sequence[tuple[Step, ...]]) -> bool:
    """Whether a default belongs to a value beside it: a scheme, or a member of a list that columns fill."""
    if one.steps[-1] == "scheme" and len(one.steps) > 1:
        return True
    ends = [at for at, step in enumerate(one.steps) if isinstance(step, int)]
    return bool(ends) and any(steps[: ends[-1] + 1] == one.steps[: ends[-1] + 1] for steps in mapped)


class _Places:
    """From a path in the invoice to the cell that states it, or the nearest one."""

    def __init__(
        self, spots: list[tuple[tuple[Step, ...], Spot]], moved: Mapping[tuple[Step, ...], int], plan: Plan,
        lines: Plan, first: int,
    ) -> None:  # fmt: skip
        self._spots, self._moved, self._plan, self._lines, self._first = spots, moved, plan, lines, first

    @cached_property
    def _by_steps(self) -> dict[tuple[Step, ...], Spot]:
        found: dict[tuple[Step, ...], Spot] = {}
        for steps, spot in self._spots:
            moved = tuple(self._moved.get(steps[: at + 1], step) for at, step in enumerate(steps))
            for end in range(len(moved), 0, -1):
                found.setdefault(moved[:end], spot)
        found.update((steps, spot) for steps, spot in self._spots if len(steps) == 2 and steps[0] == "lines")
        return found

    def __call__(self, path: str) -> str:
        steps = tuple(int(step) if step.isdigit() else step for step in re.findall(r"[^.\[\]$]+", path))
        for end in range(len(steps), 0, -1):
            if spot := self._by_steps.get(steps[:end]):
                line, row, at = spot
                return (self._lines if line else self._plan).sheet.place(row, at)
        return self._plan.sheet.place(self._first, self._plan.key)
