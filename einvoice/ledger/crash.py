"""Named crash points: a test ends the process at one of them, as a power cut would.

Every write transaction has three: ``NAME.before`` it begins, ``NAME.in`` it with all rows written and
nothing committed, ``NAME.after`` the commit. A send has two. ``EINVOICE_CRASH_AT=identity.after:3``
ends the process the third time that point is reached. Unset, a point costs one comparison.
"""

from __future__ import annotations

import os
from collections import Counter

#: The write transactions of a dispatch run, in the order in which a document meets them.
WRITES = (
    "run-open", "sweep", "run-take", "claim", "hold", "identity", "attempt-begin", "attempt-end",
    "inbox", "settle", "run-close",
)  # fmt: skip

CRASH_POINTS = (
    *(f"{name}.{moment}" for name in WRITES for moment in ("before", "in", "after")),
    "send.before",
    "send.after",
)

#: What a run passes besides when documents are gathered to travel together.
BATCH_POINTS = ("gather.before", "gather.in", "gather.after")

#: 128 + SIGKILL, as a shell reports a killed process.
EXIT_CODE = 137

_seen: Counter[str] = Counter()


def point(name: str) -> None:
    """Ends the process here, at once and without clean-up, when ``EINVOICE_CRASH_AT`` says so."""
    wanted = os.environ.get("EINVOICE_CRASH_AT")
    if wanted is None:
        return
    target, _, nth = wanted.partition(":")
    if target == name:
        _seen[name] += 1
        if _seen[name] == int(nth or 1):
            os._exit(EXIT_CODE)
