"""The run: opened, worked until nothing is due, collected, closed, and its statement."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import date, timedelta

from ..errors import EInvoiceError
from ..ledger import Ledger, State, Statement
from .local import Local
from .port import Engine, Line, Tick
from .rehearse import rehearse
from .shift import Clock, Shift, defect

NO_WAIT = timedelta(0)


def dispatch(
    ledger: Ledger,
    line: Line,
    *,
    business_date: date,
    clock: Clock,
    worker: str,
    rng: random.Random,
    only: str = "",
    dry_run: bool = False,
    progress: Callable[[Tick], None] | None = None,
    engine: Engine | None = None,
    patience: timedelta = NO_WAIT,
    wait: Callable[[float], None] = time.sleep,
    lease_seconds: float = 120.0,
    batch: int = 25,
) -> Statement:
    """The statement of a run that sent everything that was due.

    A run of the same business date that a crash left open is taken up again. What dead processes of this
    host held is taken back at once, what others hold when their leases end.

    worker    names this process, ``local.worker_name()``; no two living processes share one
    only      the one profile whose documents go
    dry_run   decides, checks and renders, sends and stores nothing; *waiting* then means "would go"
    patience  how long to wait for what becomes due soon, such as a second try after a lost answer
    """
    if dry_run:
        return rehearse(ledger, line, business_date=business_date, clock=clock, only=only, progress=progress)
    engine = engine or Local()
    run_id = ledger.open_run(business_date=business_date, worker=worker, at=clock(), only=only)
    shift = Shift(ledger, line, clock, worker, rng, run_id, only, batch, lease_seconds, progress)
    try:
        shift.recover()
        if ledger.counts()[State.UNKNOWN]:  # its answer may lie there already: asked before anything goes again
            receive(ledger, line, clock=clock)
        engine.wake(ledger.counts()[State.PLANNED])
        _until_quiet(shift, engine, clock, patience, wait)
        receive(ledger, line, clock=clock)
    finally:
        shift.leave()
    ledger.close_run(run_id, at=clock())
    return ledger.statement(run_id)


def work(
    ledger: Ledger,
    line: Line,
    *,
    clock: Clock,
    worker: str,
    rng: random.Random,
    stop: Callable[[], bool],
    engine: Engine | None = None,
    progress: Callable[[Tick], None] | None = None,
    collect_every: timedelta = timedelta(minutes=5),
) -> None:
    """The standing worker: claims, sends, sweeps, receives and matches until *stop* says so."""
    shift = Shift(ledger, line, clock, worker, rng, progress=progress)
    due = clock()

    def step() -> bool:
        nonlocal due
        if clock() >= due:
            receive(ledger, line, clock=clock)
            due = clock() + collect_every
        else:
            settle(ledger, line, clock=clock)
        return shift.step()

    try:
        (engine or Local()).attend(step, stop)
    finally:
        shift.leave()


def receive(ledger: Ledger, line: Line, *, clock: Clock) -> int:
    """Collects what partners have for us, raw first, then reads all that is unread; how many were new.

    A partner who cannot be asked now is asked next time; the failure stands in the ledger's notes.
    """
    new = 0
    try:
        for inbound in line.collect(at=clock()):
            new += ledger.take_in(inbound, at=clock())[1]
    except EInvoiceError as refusal:
        ledger.note("collect-failed", str(refusal), at=clock())
    settle(ledger, line, clock=clock)
    return new


def settle(ledger: Ledger, line: Line, *, clock: Clock) -> None:
    """Reads every unread message and stores what it states. One that cannot be read is put aside, with the reason."""
    after = 0
    while items := ledger.unprocessed(limit=100, after=after):
        for item in items:
            after = item.id
            try:
                facts = list(line.interpret(item.inbound))
            except EInvoiceError as refusal:
                ledger.park(item.id, note=str(refusal), at=clock())
            except Exception as bug:  # recorded on the message, which alone is put aside
                ledger.park(item.id, note=f"internal error: {defect(bug)}", at=clock())
            else:
                ledger.settle(item.id, facts, at=clock())


def _until_quiet(
    shift: Shift, engine: Engine, clock: Clock, patience: timedelta, wait: Callable[[float], None]
) -> None:  # fmt: skip
    deadline = clock() + patience
    while True:
        engine.drain(shift.step)
        due = shift.ledger.next_due()
        if due is None or due > deadline or clock() >= deadline:
            return
        wait(max((due - clock()).total_seconds(), 0.05))
