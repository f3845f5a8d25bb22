"""einvoice dispatch: the run. Its statement balances, or the exit code says so."""

from __future__ import annotations

import csv
import random
from argparse import Namespace
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from ..dispatch import dispatch, worker_name
from ..errors import ConfigError
from ..ledger import DeliveryView, Ledger, Statement
from ..money import parse, plain
from . import _output as out
from ._home import Home, day, now

_WORDS = ("delivered", "unknown", "waiting", "held", "rejected", "failed", "suppressed", "cancelled", "superseded")


def run(args: Namespace) -> int:
    home = Home(args)
    progress = out.Progress(json_lines=args.json)
    with home.ledger() as ledger:
        statement = dispatch(
            ledger, home.pipeline(ledger), business_date=day(args.business_date, now().date()), clock=now,
            worker=worker_name(), rng=random.Random(),  # noqa: S311  jitter, not a secret
            only=args.only, dry_run=args.dry_run, progress=progress,
            patience=timedelta(seconds=_seconds(args.patience)),
        )  # fmt: skip
        progress.end()
        extract = list(compare(ledger, Path(args.extract))) if args.extract else []
    say(statement, args.json)
    for difference in extract:
        out.emit({"difference": difference}) if args.json else print(f"extract: {difference}")
    if not statement.balances:
        return out.BALANCE
    return out.DONE if statement.clean and not extract else out.PERSON


def _seconds(text: str) -> int:
    if not text.isdigit():
        raise ConfigError(f"{text!r} is not a number of seconds", where="--patience")
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


def compare(ledger: Ledger, path: Path) -> Iterator[str]:
    """What the ERP's extract (columns number, total, currency) and the ledger do not agree on, both ways."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the extract cannot be read: {error}", where=str(path)) from error
    if rows and not {"number", "total", "currency"} <= rows[0].keys():
        raise ConfigError("the extract lacks a column", where=str(path), fix="columns: number,total,currency")
    theirs = {row["number"]: (parse(row["total"].strip()), row["currency"].strip()) for row in rows}
    ours = {view.number: (view.total, view.currency) for view in _all(ledger)}
    for number in sorted(theirs.keys() - ours.keys()):
        yield f"{number} is in the extract and not in the ledger"
    for number in sorted(ours.keys() - theirs.keys()):
        yield f"{number} is in the ledger and not in the extract"
    for number in sorted(theirs.keys() & ours.keys()):
        if theirs[number] != ours[number]:
            stated, kept = " ".join(map(str, theirs[number])), f"{plain(ours[number][0])} {ours[number][1]}"
            yield f"{number}: the extract says {stated}, the ledger {kept}"


def _all(ledger: Ledger) -> Iterator[DeliveryView]:
    after = 0
    while page := ledger.status(limit=1000, after=after):
        for view in page:
            after = view.id
            if view.purpose == "original":
                yield view
