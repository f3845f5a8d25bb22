"""N documents through the whole line to a sandbox: statement at the end, memory and rate on the way.

    python -m tools.soak N

Every tenth document has no order behind it and must be held, every twenty-fifth has a wrong sum and must be rejected;
all others must be delivered, once. Submitting, sending and the sandbox are processes of their own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from einvoice.sandbox.client import ControlClient
from tests import home as homes

#: How many rows the curve has, at least where there are so many documents.
ROWS = 10


@dataclass(frozen=True, slots=True)
class Point:
    """So far: documents dealt with, seconds since the start, resident memory in MiB."""

    done: int
    seconds: float
    memory: int


def kind(n: int) -> str:
    """What the *n*-th document must come to.

    >>> [kind(n) for n in (1, 10, 25, 50)]
    ['delivered', 'held', 'rejected', 'held']
    """
    return "held" if n % 10 == 0 else "rejected" if n % 25 == 0 else "delivered"


_MADE = {"held": homes.without_order, "rejected": homes.with_wrong_sum, "delivered": homes.invoice}


def batch(folder: Path, count: int) -> Path:
    """A JSON Lines file of *count* invoices."""
    path = folder / "batch.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for n in range(1, count + 1):
            file.write(json.dumps(_MADE[kind(n)](f"S-{n:07}")) + "\n")
    return path


@contextmanager
def network() -> Iterator[dict[str, Any]]:
    """A sandbox as a program of its own; what its ready line says."""
    command = [sys.executable, "-m", "einvoice.sandbox"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


def follow(process: subprocess.Popen[str], every: int) -> tuple[list[Point], str]:
    """The curve of a command that prints a JSON line a document, and the last line it printed."""
    start, last, curve = time.monotonic(), "", [Point(0, 0.0, memory(process.pid))]
    assert process.stdout is not None
    for done, line in enumerate(process.stdout, 1):
        last = line
        if done % every == 0:
            curve.append(Point(done, time.monotonic() - start, memory(process.pid)))
    return curve, last


def memory(pid: int) -> int:
    """Resident memory of a process in MiB; 0 where the system does not tell."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    except OSError:  # no /proc here, or the process has ended
        return 0
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmRSS:")), 0)


def show(name: str, curve: Sequence[Point]) -> None:
    print(f"\n{name:<10} {'documents':>10} {'seconds':>9} {'a second':>9} {'MiB':>6}")
    for before, point in pairwise(curve):
        rate = (point.done - before.done) / max(point.seconds - before.seconds, 1e-9)
        print(f"{'':<10} {point.done:>10} {point.seconds:>9.1f} {rate:>9.0f} {point.memory:>6}")


def main(arguments: Sequence[str]) -> int:
    if len(arguments) != 1 or not arguments[0].isdigit() or not int(arguments[0]):
        print("usage: ./run soak N, the number of documents", file=sys.stderr)
        return 2
    count = int(arguments[0])
    every = max(count // ROWS, 1)
    with tempfile.TemporaryDirectory(prefix="einvoice-") as name, network() as ready:
        folder = Path(name)
        place = homes.Place(ready["profile_url"], ready["ca_file"], ready["secret"])
        home = homes.make(folder / "home", place)
        for verb, words in (
            ("submit", ("submit", batch(folder, count), "--json")),
            ("dispatch", ("dispatch", "--json")),
        ):
            with home.start(*words) as process:
                curve, last = follow(process, every)
            show(verb, curve)
        good = count - len(wrong := list(faults(home, json.loads(last), count, ready)))
    for line in wrong:
        print(line)
    print(f"soak: {max(good, 0)}/{count}")
    return 0 if not wrong else 1


def faults(home: homes.Home, statement: Mapping[str, Any], count: int, ready: Mapping[str, Any]) -> Iterator[str]:
    """What is not as it must be: one line each."""
    wanted = Counter(kind(n) for n in range(1, count + 1))
    found = homes.counts(statement)
    print(f"\nstatement  in {statement['in']['documents']}, {found}, balances: {statement['balances']}")
    for part in sorted(wanted.keys() | found.keys()):
        yield from [f"a document too many or too few is {part}"] * abs(wanted.get(part, 0) - found.get(part, 0))
    if not statement["balances"]:
        yield "the run does not balance"
    with home.ledger() as ledger:
        yield from ledger.invariants()
    totals = ControlClient(ready["control_url"], ready["control_token"], ready["ca_file"]).totals()
    yield from (f"the network has {row} twice" for row in totals["doubled"])
    yield from (f"other bytes under {payload_id}" for payload_id in totals["changed"])
    if totals["invoices"] != wanted["delivered"]:
        yield f"the network has {totals['invoices']} invoices, not {wanted['delivered']}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
