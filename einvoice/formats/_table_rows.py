"""Rows of a table, grouped by invoice: what its columns are, which rows belong together, which to none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from ..errors import Finding, UnreadableDocument
from ..exchange import Read
from ..model import Invoice
from ..money import plain
from ._table_map import Table, Target, folded, nearest, target

#: Rows of one invoice.
ROWS = 50_000
#: Invoices whose lines are kept while those of another are looked for.
AHEAD = 1000
COLUMNS = 2000


@dataclass(frozen=True, slots=True)
class Fault:
    """What stands in a cell that holds no value: an error, a formula that was never computed."""

    rule: str
    message: str
    found: str
    fix: str


Cell = str | Decimal | date | bool | Fault | None


@dataclass(frozen=True, slots=True)
class Row:
    number: int
    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: its titles, its rows, and where a cell stands, for people (row, position of the column)."""

    titles: Sequence[str]
    rows: Iterator[Row]
    place: Callable[[int, int], str]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    at: int
    targets: tuple[Target, ...]
    codes: Mapping[str, Sequence[str]] | None


@dataclass(slots=True)
class Plan:
    """A sheet and what its columns are."""

    sheet: Sheet
    settings: Table
    header: list[Column] = field(default_factory=list)
    line: list[Column] = field(default_factory=list)
    unknown: list[tuple[int, str]] = field(default_factory=list)
    key: int = 0


# --- titles -----------------------------------------------------------------------------------------------------------


def planned(sheet: Sheet, settings: Table, mapped: Mapping[str, tuple[str, ...]]) -> Plan:
    """What each column is; UnreadableDocument names every title that is missing or stands twice."""
    plan, found = Plan(sheet, settings), list[Finding]()
    known = {folded(title): title for title in mapped}
    codes = {folded(title): codes for title, codes in settings.codes.items()}
    ignored = {folded(title) for title in settings.ignore}
    seen: dict[str, int] = {}
    if len(sheet.titles) > COLUMNS:
        message = f"{len(sheet.titles)} columns, {COLUMNS} are the limit"
        raise UnreadableDocument(message, where=sheet.name or "titles", fix="leave out those that mean nothing here")
    for at, title in enumerate(sheet.titles):
        name = folded(title)
        if not name or name in ignored:
            continue
        if name not in known:
            plan.unknown.append((at, title))
        elif name in seen:
            place = sheet.place(settings.title_row, at)
            found.append(Finding("EINV-TABLE-02", f"the title {title!r} stands twice", place=place, found=title,
                                 fix="give each column a title of its own"))  # fmt: skip
        else:
            seen[name] = at
            _add(plan, Column(known[name], at, tuple(map(target, mapped[known[name]])), codes.get(name)))
    optional = {folded(title) for title in settings.optional}
    for title in mapped:
        if folded(title) not in seen and (folded(title) not in optional or "BT-1" in mapped[title]):
            found.append(_missing(title, plan, sheet, settings))
    if found:
        raise UnreadableDocument(
            f"the titles do not fit: {len(found)} problem{'s' if len(found) > 1 else ''}",
            where=sheet.name or f"line {settings.title_row}", findings=found,
            fix="correct the titles, or give a map of the columns (--columns)",
        )  # fmt: skip
    return plan


def _add(plan: Plan, column: Column) -> None:
    """Into the columns of the line when any of its terms is the line's."""
    if any(one.id == "BT-1" for one in column.targets):
        plan.key = column.at
    (plan.line if any(one.line for one in column.targets) else plan.header).append(column)


def _missing(title: str, plan: Plan, sheet: Sheet, settings: Table) -> Finding:
    near = nearest(title, (one for _, one in plan.unknown))
    fix = f"is it {near!r}? Then say so in the map" if near else "add it, or name it under optional in the map"
    return Finding("EINV-TABLE-01", f"there is no column {title!r}", term=",".join(
        one.id for one in map(target, (*settings.columns.get(title, ()), *settings.lines.get(title, ())))),
        place=sheet.name or f"line {settings.title_row}", expected=title, fix=fix)  # fmt: skip


# --- rows -------------------------------------------------------------------------------------------------------------


def blank(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def cell_at(row: Row, at: int) -> Cell:
    return row.cells[at] if at < len(row.cells) else None


def groups(plan: Plan) -> Iterator[tuple[str, list[Row], bool]]:
    """(number, its rows, whether there were more than the limit). A row without number follows the one above it."""
    number, rows, over = "", list[Row](), False
    for row in plan.sheet.rows:
        if all(map(blank, row.cells)):
            continue
        cell = cell_at(row, plan.key)
        stated = "" if blank(cell) or isinstance(cell, Fault) else told(cell, 200)
        if (stated and stated != number) or not rows:
            if rows:
                yield number, rows, over
            number, rows, over = stated, [row], False
        elif len(rows) < ROWS:
            rows.append(row)
        else:
            over = True
    if rows:
        yield number, rows, over


class Feed:
    """The lines of invoices, in the order of the invoices or near it."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._groups = groups(plan)
        self._waiting: dict[str, list[Row]] = {}

    def take(self, number: str) -> list[Row]:
        """The lines of *number*; none where they do not come within the next thousand invoices."""
        while number not in self._waiting and len(self._waiting) < AHEAD:
            found = next(self._groups, None)
            if found is None:
                break
            self._keep(*found[:2])
        return self._waiting.pop(number, [])

    def _keep(self, number: str, rows: list[Row]) -> None:
        self._waiting[number] = [*self._waiting.get(number, ()), *rows][: ROWS + 1]

    def rest(self) -> Iterator[tuple[str, list[Row]]]:
        """What no invoice took."""
        yield from self._waiting.items()
        for number, rows, _ in self._groups:
            yield number, rows


def refused(finding: Finding, format: str) -> Read:
    problem = UnreadableDocument(finding.message, where=finding.place, fix=finding.fix, findings=[finding])
    return Read(Invoice(), problem.findings, lambda path: finding.place, format, problem)


def unnumbered(plan: Plan, rows: Sequence[Row]) -> Finding:
    return Finding("EINV-TABLE-03", f"{_rows(rows)} without an invoice number", term="BT-1",
                   place=plan.sheet.place(rows[0].number, plan.key), fix="write the number on every row")  # fmt: skip


def too_long(plan: Plan, number: str, rows: Sequence[Row]) -> Finding:
    return Finding("EINV-TABLE-05", f"more than {ROWS} rows have the invoice number {number}", term="BT-1",
                   place=plan.sheet.place(rows[0].number, plan.key), fix="split the invoice")  # fmt: skip


def again(plan: Plan, number: str, rows: Sequence[Row]) -> Finding:
    return Finding("EINV-TABLE-04", f"invoice {number} stood further up already, and the one there lacks these rows",
                   term="BT-1", place=plan.sheet.place(rows[0].number, plan.key), found=_rows(rows),
                   fix="sort the table by invoice number; hold the invoice if it was taken in")  # fmt: skip


def orphans(plan: Plan, number: str, rows: Sequence[Row]) -> Finding:
    return Finding("EINV-TABLE-08", f"{_rows(rows)} of {number or 'no number'}, which is no invoice of this file",
                   term="BT-1", place=plan.sheet.place(rows[0].number, plan.key),
                   fix="sort both tables by invoice number, or export them together")  # fmt: skip


def _rows(rows: Sequence[Row]) -> str:
    return f"{len(rows)} row{'s' if len(rows) > 1 else ''}"


def text_of(cell: Cell) -> str:
    if isinstance(cell, Decimal):
        return plain(cell)
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return cell.isoformat() if isinstance(cell, date) else str(cell).strip()


def told(cell: Cell, most: int = 80) -> str:
    if isinstance(cell, Fault):
        return cell.found
    return "" if cell is None else text_of(cell)[:most].encode("utf-8", "backslashreplace").decode()
