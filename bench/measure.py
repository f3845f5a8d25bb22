"""CPU time of two ways to do the same work, taken turn by turn in one process, and the ratio of the two.

Load from elsewhere moves CPU times by tens of percent, but it moves both sides of one turn alike. So the ratio is
taken within each turn, and the median over the turns is the result.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

Work = Callable[[], object]
Clock = Callable[[], float]
#: What one side of one turn should last at least, in seconds: far above the grain of the process clock.
TURN = 0.02
ROUNDS = 9


@dataclass(frozen=True, slots=True)
class Case:
    """Two works that do the same, and the highest ratio of their CPU times that is allowed.

    why    what is missing where there is nothing to compare; then nothing is measured
    clock  gives CPU seconds; of this process unless said otherwise
    """

    name: str
    limit: str
    ours: Work | None = None
    peer: Work | None = None
    why: str = ""
    clock: Clock = time.process_time


@dataclass(frozen=True, slots=True)
class Line:
    """The outcome of one case: CPU milliseconds of one call of either side, and their ratio; None: not measured."""

    name: str
    limit: str
    ours: float | None = None
    peer: float | None = None
    ratio: float | None = None
    why: str = ""

    @property
    def met(self) -> bool:
        return self.ratio is not None and self.ratio <= float(self.limit)

    @property
    def verdict(self) -> str:
        if self.ratio is None:
            return f"not measured: {self.why}"
        return "met" if self.met else "MISSED"


def cpu(work: Work, times: int, clock: Clock) -> float:
    """CPU seconds that *times* calls take by *clock*."""
    start = clock()
    for _ in range(times):
        work()
    return clock() - start


def often(work: Work, clock: Clock) -> int:
    """How many calls one turn needs to last about TURN seconds."""
    times, spent = 1, cpu(work, 1, clock)
    while spent < TURN / 2:
        times *= 2
        spent = cpu(work, times, clock)
    return max(1, round(times * TURN / spent))


def measure(case: Case, rounds: int = ROUNDS) -> Line:
    """The line of *case*. A limit that is missed is measured once more: only twice in a row counts."""
    if case.ours is None or case.peer is None:
        return Line(case.name, case.limit, why=case.why)
    line = turns(case, case.ours, case.peer, rounds)
    return line if line.met else turns(case, case.ours, case.peer, rounds)


def turns(case: Case, ours: Work, peer: Work, rounds: int) -> Line:
    """Both sides in turn, *rounds* times after a warming call; who goes first alternates."""
    ours(), peer()
    sides = ((ours, often(ours, case.clock)), (peer, often(peer, case.clock)))
    taken = []
    for turn in range(rounds):
        gc.collect()  # neither side pays for what the other left
        spent = {}
        for side in (0, 1) if turn % 2 == 0 else (1, 0):
            work, times = sides[side]
            spent[side] = cpu(work, times, case.clock) / times * 1000
        taken.append((spent[0], spent[1]))
    return summary(case.name, case.limit, taken)


def summary(name: str, limit: str, taken: Sequence[tuple[float, float]]) -> Line:
    """The line of the turns *taken*, each (ours, peer) in milliseconds: medians of both and of the ratio in each turn.

    >>> summary("x", "2", [(1.0, 2.0), (2.0, 4.0), (9.0, 2.0)]).ratio
    0.5
    """
    ours, peer = (median(turn[side] for turn in taken) for side in (0, 1))
    return Line(name, limit, ours, peer, median(mine / theirs for mine, theirs in taken))


def heading(width: int) -> str:
    return f"{'what':<{width}}  {'ours ms':>9}  {'peer ms':>9}  {'ratio':>7}  {'limit':>7}  verdict"


def row(line: Line, width: int) -> str:
    """*line* for people: ours and peer in milliseconds of CPU, the ratio, the limit, the verdict."""
    ours, peer = ("-" if value is None else f"{value:.4f}" for value in (line.ours, line.peer))
    ratio = "-" if line.ratio is None else f"{line.ratio:.3f}"
    return f"{line.name:<{width}}  {ours:>9}  {peer:>9}  {ratio:>7}  {'<= ' + line.limit:>7}  {line.verdict}"
