"""When to try again: the retry classes of networks.md 10, as data, with full jitter."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..exchange import Outcome, Receipt


@dataclass(frozen=True, slots=True)
class RetryClass:
    """A ceiling that doubles from ``first`` to ``cap``; the wait is drawn evenly below it (full jitter)."""

    first: timedelta
    cap: timedelta

    def ceiling(self, tries: int) -> timedelta:
        """The longest wait after the *tries*-th failure.

        >>> [str(RETRY_CLASSES["connect"].ceiling(n)) for n in (1, 2, 3, 5, 500)]
        ['0:01:00', '0:02:00', '0:04:00', '0:15:00', '0:15:00']
        """
        return min(self.first * (1 << min(tries - 1, 30)), self.cap)


#: connect: nothing left us. temporary: the partner asks for patience. forward: it cannot reach the next
#: server. unknown: the body may have arrived, so the same bytes go under the same identity.
RETRY_CLASSES = {
    "connect": RetryClass(timedelta(minutes=1), timedelta(minutes=15)),
    "temporary": RetryClass(timedelta(minutes=5), timedelta(hours=4)),
    "forward": RetryClass(timedelta(hours=1), timedelta(hours=12)),
    "unknown": RetryClass(timedelta(seconds=30), timedelta(hours=1)),
}

_FORWARD = ("550", "551")


def retry_class(receipt: Receipt) -> str:
    """The retry class of an answer that decided nothing.

    >>> from datetime import UTC
    >>> now = datetime(2026, 1, 1, tzinfo=UTC)
    >>> [retry_class(Receipt(Outcome.RETRY, code, "", now)) for code in ("560", "550", "ConnectTimeoutError")]
    ['temporary', 'forward', 'connect']
    """
    if receipt.outcome is Outcome.UNKNOWN:
        return "unknown"
    if receipt.code in _FORWARD:
        return "forward"
    return "temporary" if receipt.code.isdigit() else "connect"


def next_try(
    receipt: Receipt, *, tries: int, since: datetime, at: datetime, max_age: timedelta, rng: random.Random
) -> datetime | None:
    """When the same bytes go again; None when they were tried for *max_age* or the answer decides.

    The partner's own wish (Retry-After) is the least wait; jitter comes on top, so that many senders
    do not return in the same second.
    """
    if receipt.channel_fault or receipt.outcome in (Outcome.ACCEPTED, Outcome.REJECTED):
        return None
    ceiling = RETRY_CLASSES[retry_class(receipt)].ceiling(tries)
    wait = timedelta(seconds=receipt.retry_after or 0) + ceiling * rng.random()
    return at + wait if at + wait - since <= max_age else None
