"""What no model can hold, as published rules: a reader's findings by the place or term they speak of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ._empty import steps
from ._facts import Facts
from ._rule import Hit, ReaderRule


def hits(facts: Facts, table: Iterable[ReaderRule]) -> Iterator[tuple[str, Hit]]:
    """(published id, breach) for each finding of the reader that is one."""
    table = tuple(table)
    wanted = {row.read for row in table}
    for finding in facts.read:
        if finding.rule not in wanted:
            continue
        path = steps(finding.place)
        for row in table:
            listed = row.unless and finding.found.strip() in facts.codes(row.unless)
            if row.speaks_of(finding, path) and not listed:
                yield row.rule, Hit(finding.path, finding.found, term=finding.term, place=finding.place)
