"""EN 16931-1, BR-29 and BR-30: a period does not end before it begins.

The CII binding compares the two texts as they stand, and only those of format 102; where either is missing inside an
element that is there, or of another format, the period is out of order. What the model does not hold of it the reader
has told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..errors import Finding
from ..model import Period
from ._empty import steps
from ._facts import Facts
from ._rule import Check, Hit, Rule, same_line

_PERIOD = "BillingSpecifiedPeriod"
#: What the reader says of a text that is no date, of an empty one, of another format and of one that is left out.
_NO_DATE, _EMPTY, _OTHER, _LEFT_OUT = "EINV-READ-04", "EINV-READ-07", "EINV-READ-01", "EINV-READ-09"


def in_order(path: str, holder: str) -> Check:
    """The end of each period at *path* is not before its start; *holder* is the CII element around the period."""

    def check(facts: Facts) -> Iterable[Hit]:
        told = facts.syntax == "cii" and any(_PERIOD in one.place for one in facts.read)
        if not told and all(map(_ordered, facts.values(path))):
            return
        for place, period in facts.places(path):
            if not (_ordered_texts(facts, place, period, holder) if told else _ordered(period)):
                yield Hit(f"{place}.end", str(period.end or ""), str(period.start or ""))

    return check


def _ordered(period: Period) -> bool:
    return period.start is None or period.end is None or period.end >= period.start


def _ordered_texts(facts: Facts, place: str, period: Period, holder: str) -> bool:
    start, end = (list(_texts(facts, place, period, holder, side)) for side in ("start", "end"))
    if not start or not end:
        return True
    texts = [text for text in (*start, *end) if text is not None]
    return len(texts) == len(start) + len(end) and max(texts[len(start) :]) >= min(texts[: len(start)])


def _texts(facts: Facts, place: str, period: Period, holder: str, side: str) -> Iterator[str | None]:
    """What stands at one side of a period in CII: nothing, or its text; None for one that cannot be compared."""
    element = f"{holder}/{_PERIOD}/{side.title()}DateTime"
    found = [one for one in facts.read if same_line(place, one.place) and element in steps(one.place)]
    if any(_incomparable(one, element) for one in found):
        yield None
        return
    day = getattr(period, side)
    if day is not None:
        yield f"{day:%Y%m%d}"
    else:
        yield from ("" if one.rule == _EMPTY else one.found for one in found if one.rule in (_NO_DATE, _EMPTY))


def _incomparable(finding: Finding, element: str) -> bool:
    """The date is of another format than 102, or the element holds none."""
    path = steps(finding.place)
    if path.endswith("/@format"):
        return finding.rule in (_OTHER, _LEFT_OUT, _EMPTY)
    return finding.rule == _EMPTY and path.endswith(element)


RULES: tuple[Rule, ...] = (
    Rule("BR-29", "BT-74", in_order("period", "ApplicableHeaderTradeSettlement"), within="period"),
    Rule("BR-30", "BT-135", in_order("lines[].period", "SpecifiedLineTradeSettlement"), within="lines[].period"),
)
