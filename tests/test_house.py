"""The house rules that a machine can check (docs of the floors: the package's own layout).

Imports point down, sideways only below floor 3; the sandbox knows nothing of what it judges; the clock is read on
floors 5 and 6 only; no float; nothing is swallowed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent / "einvoice"
FLOORS: tuple[tuple[str, ...], ...] = (
    ("errors", "money", "terms", "codes", "config"),
    ("model", "totals", "exchange", "orders"),
    ("mapping", "loss", "artefacts", "rules", "schema", "signing", "specifications"),
    ("formats", "transport", "countries", "networks", "ledger", "official"),
    ("partners", "pipeline"),
    ("dispatch", "sandbox"),
    ("web", "cli"),
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
#: what the sandbox must not know, so that a writer's bug cannot hide in its judge
HIDDEN_FROM_SANDBOX = {"formats", "transport", "signing", "mapping", "pipeline"}
#: the package's front doors: they may name any room
DOORS = {"__init__.py", "__main__.py"}
#: calls that read the wall clock; monotonic clocks measure a span and are no time of day
CLOCK = {
    *(f"{holder}.{call}" for holder in ("datetime", "datetime.datetime") for call in ("now", "utcnow", "today")),
    *("date.today", "datetime.date.today", "time.time", "time.time_ns", "time.localtime", "time.gmtime", "time.ctime"),
}

#: a span of time may be a float, what is counted or paid may not
SPAN = re.compile(r"seconds|minutes|hours")

Fault = str


def files() -> list[Path]:
    return sorted(path for path in ROOT.rglob("*.py") if path.relative_to(ROOT).parts[0] not in DOORS)


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported(path: Path, tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, room) of every import of the package's own rooms, those under TYPE_CHECKING and in functions included."""
    package = ["einvoice", *path.relative_to(ROOT).parts[:-1]]
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            names = [f"{stem}.{alias.name}" for alias in node.names]
        for name in names:
            head, *rest = name.split(".")
            if head == "einvoice" and rest and rest[0] in FLOOR:
                yield getattr(node, "lineno", 0), rest[0]


def import_faults(path: Path, tree: ast.AST) -> Iterator[Fault]:
    here = room_of(path)
    for line, room in imported(path, tree):
        if room == here or here not in FLOOR:
            continue
        if FLOOR[room] > FLOOR[here]:
            yield f"line {line}: {here} (floor {FLOOR[here]}) imports {room} (floor {FLOOR[room]}), which is above it"
        elif FLOOR[room] == FLOOR[here] >= 3 and here != "pipeline":
            yield f"line {line}: {here} imports {room}; edges do not know each other"
        if here == "sandbox" and room in HIDDEN_FROM_SANDBOX:
            yield f"line {line}: the sandbox judges by means of its own and must not import {room}"


def call_faults(path: Path, tree: ast.AST) -> Iterator[Fault]:
    may_read_clock = FLOOR.get(room_of(path), 0) >= 5
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        if called == "float" and not SPAN.search(ast.unparse(node)):
            yield f"line {node.lineno}: float(); money and measures are Decimal, parsed from text"
        if called in CLOCK and not may_read_clock:
            yield f"line {node.lineno}: {called}() reads the clock; time is an argument below floor 5"


def broad(handler: ast.ExceptHandler) -> bool:
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or ast.unparse(kind) in ("Exception", "BaseException") for kind in caught)


def swallow_faults(tree: ast.AST) -> Iterator[Fault]:
    """A bare or broad except must raise again or say what it records; an empty one is never right."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.ExceptHandler):
            continue
        if all(isinstance(step, ast.Pass) or step_is_ellipsis(step) for step in node.body):
            yield f"line {node.lineno}: an exception is caught and dropped; use contextlib.suppress with a reason"
        names = {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}
        raises = any(isinstance(child, ast.Raise) for child in ast.walk(node))
        if broad(node) and not raises and (node.name is None or node.name not in names):
            yield f"line {node.lineno}: a broad except neither raises again nor records what it caught"


def step_is_ellipsis(step: ast.stmt) -> bool:
    return isinstance(step, ast.Expr) and isinstance(step.value, ast.Constant) and step.value.value is Ellipsis


def faults(path: Path, tree: ast.AST) -> list[Fault]:
    return [*import_faults(path, tree), *call_faults(path, tree), *swallow_faults(tree)]


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_house_stands(path: Path) -> None:
    found = faults(path, ast.parse(path.read_text(encoding="utf-8")))
    assert not found, f"{path.relative_to(ROOT.parent)}:\n" + "\n".join(found)


def test_every_room_has_a_floor() -> None:
    rooms = {room_of(path) for path in files()}
    assert rooms <= FLOOR.keys(), f"no floor for {sorted(rooms - FLOOR.keys())}: add it to FLOORS"


@pytest.mark.parametrize(
    ("place", "source", "fault"),
    [
        ("money.py", "from .model import Invoice", "above it"),
        ("money.py", "if TYPE_CHECKING:\n    from einvoice import model", "above it"),
        ("formats/ubl.py", "from ..transport import get", "edges do not know each other"),
        ("formats/ubl.py", "import einvoice.cli.main", "above it"),
        ("sandbox/ariba.py", "def late():\n    from einvoice.formats import ubl", "means of its own"),
        ("totals.py", "x = float('1.5')", "Decimal"),
        ("ledger/runs.py", "at = datetime.now(UTC)", "reads the clock"),
        ("ledger/runs.py", "try:\n    go()\nexcept OSError:\n    pass", "dropped"),
        ("dispatch/run.py", "try:\n    go()\nexcept Exception:\n    go()", "neither raises"),
        ("dispatch/run.py", "try:\n    go()\nexcept (OSError, Exception) as error:\n    go()", "neither raises"),
    ],
)
def test_the_house_rules_see_a_breach(place: str, source: str, fault: str) -> None:
    found = faults(ROOT / place, ast.parse(source))
    assert any(fault in line for line in found), found


@pytest.mark.parametrize(
    ("place", "source"),
    [
        ("model.py", "from .errors import Finding\nfrom . import terms, totals"),
        ("formats/ubl.py", "from . import _xml\nfrom ..mapping import Map"),
        ("cli/main.py", "at = datetime.now(UTC)"),
        ("transport/https.py", "started = time.monotonic()"),
        ("sandbox/clock.py", "pause(float(rule.seconds))"),
        ("dispatch/run.py", "try:\n    go()\nexcept Exception as error:\n    record(error)"),
    ],
)
def test_the_house_rules_leave_the_rest_alone(place: str, source: str) -> None:
    assert not faults(ROOT / place, ast.parse(source))
