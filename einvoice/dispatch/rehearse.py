"""A dry run: what a run would do now. The ledger is only read, and no partner hears of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal

from ..errors import EInvoiceError, Finding
from ..ledger import DeliveryView, HeldBy, Ledger, Purpose, State, Statement, Sums, sums
from ..ledger.values import STATEMENT_PARTS
from .port import Gather, Held, Line, Tick, Work
from .shift import Clock, defect

_PAGE = 200
_OPEN = (State.PLANNED, State.HELD, State.WAITING, State.UNKNOWN)


def rehearse(
    ledger: Ledger,
    line: Line,
    *,
    business_date: date,
    clock: Clock,
    only: str = "",
    progress: Callable[[Tick], None] | None = None,
) -> Statement:
    """The statement that a run would begin with: *waiting* would go, *held* would not, with the reason in its tick."""
    taken: list[tuple[str, Decimal]] = []
    parts: dict[str, list[tuple[str, Decimal]]] = {name: [] for name in STATEMENT_PARTS}
    for view in _open(ledger):
        state, text, profile_id = _would_be(ledger, line, view, clock)
        if only and profile_id != only:
            continue
        taken.append((view.currency, view.total))
        parts[_part(state)].append((view.currency, view.total))
        if progress:
            progress(Tick(view.id, state, len(taken), len(taken), text))
    found = {name: sums(rows) for name, rows in parts.items()}
    return Statement(0, business_date, sums(taken), found, accepted=Sums(), paid=Sums(), dry_run=True)


def _open(ledger: Ledger) -> Iterator[DeliveryView]:
    for state in _OPEN:
        after = 0
        while page := ledger.status(filter=state, limit=_PAGE, after=after):
            after = page[-1].id
            yield from (view for view in page if view.purpose is Purpose.ORIGINAL)


def _would_be(ledger: Ledger, line: Line, view: DeliveryView, clock: Clock) -> tuple[State, str, str]:
    """The state a delivery would be in before its bytes leave, why, and under which profile."""
    pinned = view.profile.id if view.profile else ""
    if view.transmission_id is not None or (view.state is State.HELD and view.held_by != HeldBy.CHECK):
        return view.state, view.reason, pinned
    work = Work(view.id, ledger.revision(view.revision_id), view.purpose, view.target, f"dry-run.{view.id}")
    try:
        result = line.prepare(work, at=clock())
        if isinstance(result, Gather):
            result = line.prepare(replace(work, batch=result.key), at=clock())
    except EInvoiceError as refusal:
        result = Held(refusal.findings or [Finding("EINV-DISPATCH-01", str(refusal))], "operator")
    except Exception as bug:  # a run would record it on the document, which alone is given up
        return State.FAILED, defect(bug), pinned
    found = result.profile.id if result.profile else ""
    if isinstance(result, Held):
        return State.HELD, str(result.findings[0]) if result.findings else "", found
    paused = ledger.gate(found).paused
    return (State.HELD, f"{found} is paused", found) if paused else (State.PLANNED, "", found)


def _part(state: State) -> str:
    return next(name for name, states in STATEMENT_PARTS.items() if state in states)
