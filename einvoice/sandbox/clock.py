"""The virtual clock: follows real time and can be moved forward; what is due then fires, in order."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class Clock:
    """Now, and who must be told when it has become later.

    next_due  the instant of the earliest waiting event, or None
    fire      does everything due at the given instant; called by one thread at a time
    """

    def __init__(self, offset: timedelta = timedelta()) -> None:
        self.offset = offset
        self.next_due: Callable[[], datetime | None] = lambda: None
        self.fire: Callable[[datetime], int] = lambda at: 0
        self._firing = threading.RLock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def now(self) -> datetime:
        """Virtual now, aware UTC."""
        return datetime.now(UTC) + self.offset

    def advance(self, seconds: float) -> int:
        """Moves *seconds* forward, stopping at each due instant on the way; the number of things done."""
        with self._firing:
            target, done = self.now() + timedelta(seconds=seconds), 0
            while (due := self.next_due()) is not None and due <= target:
                self._move_to(max(due, self.now()))
                done += self.fire(self.now())
            self._move_to(max(target, self.now()))
            return done

    def _move_to(self, when: datetime) -> None:
        self.offset += when - self.now()

    def reset(self, forget: Callable[[], None]) -> None:
        """Back to real time, with *forget* called while nothing fires."""
        with self._firing:
            forget()
            self.offset = timedelta()

    def start(self) -> None:
        """Begins to follow real time."""
        self._thread = threading.Thread(target=self._follow, name="sandbox-clock", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _follow(self) -> None:
        while not self._stop.wait(0.1):
            due = self.next_due()
            if due is not None and due <= self.now():
                with self._firing:
                    self.fire(self.now())
