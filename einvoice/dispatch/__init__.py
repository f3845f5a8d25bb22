"""Dispatch: runs, workers, recovery. What an engine must do stands in ``port``, the plain one in ``local``.

The claim with its fence, in the ledger, is the only right to send. An engine decides where and when steps
run and nothing else, so any engine can be killed, wiped or replaced between two steps.
"""

from __future__ import annotations

from ..ledger import CRASH_POINTS
from .local import Local, dead_workers, worker_name
from .port import Engine, Held, Line, Prepared, Step, Tick, Work
from .rehearse import rehearse
from .run import dispatch, receive, settle, work

__all__ = [
    "CRASH_POINTS", "Engine", "Held", "Line", "Local", "Prepared", "Step", "Tick", "Work",
    "dead_workers", "dispatch", "receive", "rehearse", "settle", "work", "worker_name",
]  # fmt: skip
