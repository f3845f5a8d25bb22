"""einvoice dispatch: the run. Its statement balances, or the exit code says so."""

from __future__ import annotations

import csv
import random
from argparse import Namespace
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from ..dispatch import dispatch, worker_name
from ..errors import ConfigError, Finding
from ..ledger import Ledger, Statement
from ..money import parse, plain
from . import _output as out
from ._home import Home, day, known, now
from .status import pages

_COLUMNS = ("number", "total", "currency")
_WORDS = ("delivered", "unknown", "waiting", "held", "rejected", "failed", "suppressed", "cancelled", "superseded")


def run(args: Namespace) -> int:
    home = Home(args)
    progress = out.Progress(json_lines=args.json)
    theirs = extract_of(Path(args.extract)) if args.extract else {}  # read first: nothing is sent when it is no use
    with home.ledger() as ledger:
        if args.only:
            known(ledger, args.only)
        statement = dispatch(
            ledger, home.pipeline(ledger), business_date=day(args.business_date, now().date()), clock=now,
            worker=worker_name(), rng=random.Random(),  # noqa: S311  jitter, not a secret
            only=args.only, dry_run=args.dry_run, progress=progress,
            patience=timedelta(seconds=_seconds(args.patience)),
        )  # fmt: skip
        progress.end()
        extract = list(compare(ledger, theirs, statement.run_id)) if args.extract else []
    say(statement, args.json)
    for difference in extract:
        out.emit({"difference": difference}) if args.json else print(f"extract: {difference}")
    if not statement.balances:
        return out.BALANCE
    return out.DONE if statement.clean and not extract else out.PERSON


def _seconds(text: str) -> int:
    if not text.isdigit():
        raise ConfigError(
            f"{text!r} is not a number of seconds", where="--patience", fix="write whole seconds, such as 60"
        )
    return int(text)


def say(statement: Statement, as_json: bool = False) -> None:
    """The statement for people: documents and money of every part, and whether they add up."""
    if as_json:
        out.emit(statement.as_dict())
        return
    title = "Dry run" if statement.dry_run else f"Run {statement.run_id}"
    print(f"{title} of {statement.business_date}")
    currencies = sorted({code for part in (statement.taken, *statement.parts.values()) for code in part.money})
    rows = [("in", statement.taken), *((name, statement.parts[name]) for name in _WORDS)]
    rows += [("of it accepted", statement.accepted), ("of it paid", statement.paid)]
    cells = [[name, part.count, *(plain(part.money.get(code, Decimal(0))) for code in currencies)]
             for name, part in rows if part.count or name in ("in", "delivered")]  # fmt: skip
    out.table(cells, ("", "documents", *currencies))
    word = out.colour("balances", "32") if statement.balances else out.colour("DOES NOT BALANCE", "31")
    notes = [f"{count} {name}" for count, name in ((statement.awaiting_proof, "awaiting proof of delivery"),
             (statement.overdue, "overdue"), (statement.conflicts, "with contradicting answers")) if count]  # fmt: skip
    print(f"The statement {word}.{' ' + ', '.join(notes) + '.' if notes else ''}")


Extract = Mapping[str, Sequence[tuple[Decimal, str]]]


def extract_of(path: Path) -> Extract:
    """Number to total and currency of each document that bears it. ConfigError names every line of no use."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            heads, rows = reader.fieldnames or (), [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(f"the extract cannot be read: {why}", where=str(path), fix="a CSV file in UTF-8") from error
    if missing := [name for name in _COLUMNS if name not in heads]:
        raise ConfigError(f"the extract has no column {', '.join(missing)}", where=str(path),
                          fix=f"its first line must be {','.join(_COLUMNS)}")  # fmt: skip
    found: dict[str, list[tuple[Decimal, str]]] = defaultdict(list)
    faults = []
    for line, row in rows:
        number, total, currency = ((row[name] or "").strip() for name in _COLUMNS)
        amount, place = parse(total), f"{path}:{line}"
        if amount is None:
            faults.append(Finding("EINV-EXTRACT-01", f"{number or 'a line'}: {total!r} is not an amount", place=place,
                                  fix="digits with a point, no thousands mark: 1234.50"))  # fmt: skip
        else:
            found[number].append((amount, currency))
    if faults:
        raise ConfigError(
            f"{len(faults)} line{'s' if len(faults) > 1 else ''} of the extract cannot be used",
            where=str(path),
            findings=faults,
        )
    return found


def compare(ledger: Ledger, theirs: Extract, run_id: int = 0) -> Iterator[str]:
    """What the ERP's extract and the run (0: the whole ledger) do not agree on, both ways."""
    ours: dict[str, list[tuple[Decimal, str]]] = defaultdict(list)
    for view in ledger.run_deliveries(run_id) if run_id else pages(ledger):
        if view.purpose == "original":
            ours[view.number].append((view.total, view.currency))
    for number in sorted(theirs.keys() - ours.keys()):
        yield f"{number} is in the extract and not in the run"
    for number in sorted(ours.keys() - theirs.keys()):
        yield f"{number} is in the run and not in the extract"
    for number in sorted(theirs.keys() & ours.keys()):
        if sorted(theirs[number]) != sorted(ours[number]):
            stated, kept = (" and ".join(f"{plain(amount)} {code}" for amount, code in sorted(side[number]))
                            for side in (theirs, ours))  # fmt: skip
            yield f"{number}: the extract says {stated}, the run {kept}"
