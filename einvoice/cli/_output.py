"""Text for people, JSON for programs, and progress on a terminal."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Iterable, Sequence
from typing import Any

from ..errors import ConfigError, EInvoiceError, Finding, LedgerError

DONE, PERSON, USAGE, START, BALANCE = 0, 1, 2, 3, 4


class CannotStart(EInvoiceError):
    """What a command needs before it can do anything is not there, or cannot be used."""


def code_of(error: EInvoiceError) -> int:
    """The exit code of *error*. What the ledger refuses needs a person; that it cannot be used stops everything."""
    if isinstance(error, ConfigError):
        return USAGE
    unusable = isinstance(error, LedgerError) and error.__cause__ is not None
    return START if unusable or isinstance(error, CannotStart) else PERSON


def broken(bug: Exception) -> EInvoiceError:
    """An error for what no one foresaw: the system's own words about a file, else where in einvoice it happened."""
    if isinstance(bug, OSError) and bug.filename:
        return ConfigError(bug.strerror or type(bug).__name__, where=str(bug.filename), fix="check the path")
    from ..dispatch.shift import defect

    fix = "report it with the command; EINVOICE_TRACEBACK=1 shows the whole trace, which may quote documents"
    return CannotStart(f"internal error: {defect(bug)}", fix=fix)


def failed(error: EInvoiceError, args: Namespace) -> int:
    """Says what went wrong, and the exit code for it."""
    if getattr(args, "json", False):
        print(json.dumps(error.as_dict(), ensure_ascii=False))
    else:
        print(f"einvoice: {error}", file=sys.stderr)
        if not isinstance(error, ConfigError):
            for finding in error.findings:
                print(f"  {finding}", file=sys.stderr)
    return code_of(error)


def emit(value: Any) -> None:
    """One JSON value on one line."""
    print(json.dumps(value, ensure_ascii=False, default=str))


def colour(text: str, code: str) -> str:
    """*text* in colour on a terminal, as it is elsewhere."""
    return f"\033[{code}m{text}\033[0m" if sys.stdout.isatty() else text


def findings(found: Sequence[Finding], name: str = "") -> None:
    """Findings for people, the fatal ones first."""
    shade = {"fatal": "31", "warning": "33", "info": "2"}
    for finding in sorted(found, key=lambda one: list(shade).index(one.severity.value)):
        label = colour(finding.severity.value.ljust(7), shade[finding.severity.value])
        print(f"{name}{': ' if name.strip() else ''}{label} {finding}")


def table(rows: Iterable[Sequence[object]], heads: Sequence[str]) -> None:
    """Columns as wide as their widest cell; numbers to the right."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(head), *(len(row[at]) for row in cells), 0) for at, head in enumerate(heads)]
    right = [all(_number(row[at]) for row in cells) and bool(cells) for at in range(len(heads))]
    for row in [list(heads), *cells]:
        parts = [cell.rjust(w) if r else cell.ljust(w) for cell, w, r in zip(row, widths, right, strict=True)]
        print("  ".join(parts).rstrip())


def _number(text: str) -> bool:
    return text.replace(".", "", 1).replace("-", "", 1).isdigit() or not text


class Progress:
    """A bar on a terminal, JSON lines where asked for, silence otherwise."""

    def __init__(self, json_lines: bool = False) -> None:
        self._json, self._bar = json_lines, sys.stderr.isatty() and not json_lines

    def __call__(self, tick: Any) -> None:
        if self._json:
            emit({"delivery": tick.delivery_id, "state": str(tick.state), "done": tick.done, "of": tick.taken,
                  "text": tick.text})  # fmt: skip
        elif self._bar:
            share = tick.done / max(tick.taken, 1)
            filled = "#" * int(30 * min(share, 1))
            print(f"\r[{filled:<30}] {tick.done}/{tick.taken} {tick.state!s:<10}", end="", file=sys.stderr)

    def end(self) -> None:
        if self._bar:
            print("\r" + " " * 70 + "\r", end="", file=sys.stderr)
