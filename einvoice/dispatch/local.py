"""The plain engine: steps run in this process. Start as many processes as there are cores; they share by claims."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from .port import Step


class Local:
    """Runs steps here, one after the other.

    idle  seconds between two looks at the ledger while nothing is due
    """

    def __init__(self, *, idle: float = 1.0, wait: Callable[[float], None] = time.sleep) -> None:
        self._idle, self._wait = idle, wait

    def wake(self, count: int) -> None:
        """Nothing to do: other processes look at the ledger by themselves."""

    def drain(self, step: Step) -> None:
        while step():
            pass

    def attend(self, step: Step, stop: Callable[[], bool]) -> None:
        while not stop():
            if not step() and not stop():
                self._wait(self._idle)


def worker_name() -> str:
    """What names this process among all that ever worked on a ledger: host, process space, pid, start."""
    return f"{_space()}:{os.getpid()}:{_born(os.getpid()) or time.time_ns()}"


def dead_workers(names: Iterable[str]) -> set[str]:
    """Those of *names* that are known to have ended, so that their leases need not be waited for.

    Only processes of this host's own process space can be known; about others the lease decides.
    """
    if os.name != "posix":
        return set()
    return {name for name in names if _is_dead(name)}


def _is_dead(name: str) -> bool:
    space, _, rest = name.rpartition(":")[0].rpartition(":")
    born = name.rpartition(":")[2]
    if space != _space() or not rest.isdigit():
        return False
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    now = _born(int(rest))
    return now is not None and now != born


def _space() -> str:
    try:
        return f"{socket.gethostname()}/{os.readlink('/proc/self/ns/pid')}"
    except OSError:  # no /proc on this system; the host's name must do
        return socket.gethostname()


def _born(pid: int) -> str | None:
    """When a process began, in the kernel's ticks, ``ended`` for one that only waits to be buried; None if unknown."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # no /proc, or the process went meanwhile
        return None
    return "ended" if fields[0] in "ZX" else fields[19]
