"""What the command costs before it does anything: ``einvoice --help`` against a Python that does nothing."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from .measure import Case

_NAME, _LIMIT = "einvoice --help / python -c pass", "6"


def cases(sizes: Sequence[int] = ()) -> Iterator[Case]:
    """The one case; none where the command does not exist or does not come up."""
    command = program()
    if not command:
        yield Case(_NAME, _LIMIT, why="there is no command einvoice in this environment")
        return
    tried = subprocess.run([*command, "--help"], capture_output=True, text=True, check=False)
    if tried.returncode or "usage" not in tried.stdout:
        yield Case(_NAME, _LIMIT, why=f"einvoice --help ended with {tried.returncode} and no usage")
        return
    peer = partial(child, [sys.executable, "-c", "pass"])
    yield Case(_NAME, _LIMIT, partial(child, [*command, "--help"]), peer, clock=children)


def program() -> list[str]:
    """The installed command, or the package run as a module; empty where there is neither."""
    script = Path(sys.executable).parent / "einvoice"
    if script.is_file() and find_spec("einvoice.cli"):
        return [str(script)]
    return [sys.executable, "-m", "einvoice"] if find_spec("einvoice.__main__") else []


def child(command: list[str]) -> None:
    """Runs *command* to its end; CalledProcessError when it fails, so that no failure is timed as a fast one."""
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)


def children() -> float:
    """CPU seconds, user and system, of all ended child processes."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
