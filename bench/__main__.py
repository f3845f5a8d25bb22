"""[render|formats|edi|xsd|read|validate|start|all] CPU time against named peers, as ratios taken in one run

Prints one line per case and last ``bench: met/total``. Exit 1 when a limit is missed or a case was not measured,
2 when there is no such suite. A peer that is missing is never a limit met. See docs/bench.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from importlib import import_module

from .measure import Case, Line, heading, measure, row

SUITES = ("render", "formats", "edi", "xsd", "read", "validate", "start")
_WIDTH = 46


def run(cases: Iterable[Case]) -> list[Line]:
    """The lines of *cases*, each printed as it is done."""
    lines = []
    for case in cases:
        lines.append(measure(case))
        print(row(lines[-1], _WIDTH), flush=True)
    return lines


def verdict(lines: Sequence[Line]) -> tuple[str, int]:
    """The last line and the exit code: 0 only when every case was measured and met."""
    met = sum(line.met for line in lines)
    return f"bench: {met}/{len(lines)}", 0 if lines and met == len(lines) else 1


def main(arguments: list[str]) -> int:
    wanted = arguments or ["all"]
    unknown = [name for name in wanted if name not in (*SUITES, "all")]
    if unknown:
        print(f"bench: no suite {unknown[0]!r}. Fix: one of {', '.join(SUITES)}, all", file=sys.stderr)
        return 2
    names = [name for name in SUITES if name in wanted or "all" in wanted]
    print(heading(_WIDTH))
    lines = [line for name in names for line in run(import_module(f".{name}", __package__).cases())]
    last, code = verdict(lines)
    print(last)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
