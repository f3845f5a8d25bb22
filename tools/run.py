"""The repository's commands: ./run VERB [arguments]. Makes .venv first, once for each change of pyproject.toml.

Runs on the bare standard library, before anything is installed. Exit 3: the environment could not be made;
2: no such verb; otherwise what the verb itself came to.
"""

from __future__ import annotations

import ast
import fcntl
import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
PYTHON = BIN / "python"
STAMP = VENV / "einvoice-installed"

RUFF = ("ruff", "-m", "ruff", "check", ".")
FORMAT = ("ruff format", "-m", "ruff", "format", "--check", ".")
MYPY = ("mypy", "-m", "mypy")
HOUSE = ("house", "-m", "pytest", "-q", "tests/test_house.py")
PYTEST = ("pytest", "-m", "pytest", "-q", "-n", "auto")
FAST = ("-m", "not (interop or slow or browser)")

Step = tuple[str, ...]  # a name for the verdict, then the arguments of Python

#: the optional dependencies a verb needs beside ``dev``
EXTRAS = {"bench": ("bench",), "fuzz": ("fuzz",)}


class CannotStart(Exception):
    """The environment cannot be made; the message is one line for a person."""


def run(command: list[str]) -> None:
    """Nothing when the command succeeds; CannotStart with the last lines it printed when it does not."""
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        tail = "\n".join(done.stdout.strip().splitlines()[-8:])
        raise CannotStart(f"{' '.join(command[:4])} ... failed (exit {done.returncode}):\n{tail}")


def installed() -> tuple[str, set[str]]:
    """The digest that was installed and the extras with it; an empty digest when nothing complete is there."""
    if not (STAMP.is_file() and PYTHON.exists()):
        return "", set()
    digest, *extras = STAMP.read_text(encoding="utf-8").split()
    return digest, set(extras)


def usable() -> bool:
    """Whether .venv has a Python that still runs, new enough, with pip: one made by a removed Python does not."""
    probe = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    return PYTHON.exists() and not subprocess.run([PYTHON, "-c", probe], capture_output=True, check=False).returncode


def prepare(extras: set[str]) -> None:
    """.venv holds this project with *extras*, or CannotStart. The stamp is written last: a cut install is redone."""
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    lock = os.open(ROOT, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)  # two commands at once: the second waits and finds the work done
    try:
        digest, have = installed()
        if digest == wanted and extras <= have:
            return
        extras |= have
        print("run: installing into .venv (first time, or pyproject.toml changed) ...", file=sys.stderr)
        STAMP.unlink(missing_ok=True)
        if not usable():
            run([sys.executable, "-m", "venv", "--clear", str(VENV)])
        pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
        run([*pip, "--editable", f".[{','.join(sorted(extras))}]"])
        STAMP.write_text(" ".join([wanted, *sorted(extras)]), encoding="utf-8")
    finally:
        os.close(lock)


def check(name: str, steps: list[Step]) -> int:
    """Every step runs, whatever the others came to; the last line is the verdict."""
    told: list[str] = []
    failed: list[str] = []
    for step, *arguments in steps:
        print(f"== {step}", flush=True)
        code, last = watched([str(PYTHON), *arguments])
        counts = re.search(r"\d+ (?:passed|failed|error).*", last) if "pytest" in arguments else None
        told.append(f"{step}: {counts.group().strip(' =')}" if counts else step)
        if code:
            failed.append(step)
    verdict = f"FAILED ({', '.join(failed)})" if failed else "passed"
    print(f"{name}: {verdict} | {' | '.join(told)}")
    return 1 if failed else 0


def watched(command: list[str]) -> tuple[int, str]:
    """The exit code and the last line printed, while every line is shown as it comes."""
    last = ""
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, errors="replace") as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            last = line if line.strip() else last
    return process.returncode, last


def test(arguments: list[str]) -> int:
    everything = "--all" in arguments
    rest = [argument for argument in arguments if argument != "--all"]
    return check("test", [RUFF, MYPY, (*PYTEST, *(() if everything else FAST), *rest)])


def lint(_: list[str]) -> int:
    return check("lint", [RUFF, FORMAT, MYPY, HOUSE])


def install(_: list[str]) -> int:
    return 0


#: verb: what it does, the function here that does it
CHECKS: dict[str, tuple[str, Callable[[list[str]], int]]] = {
    "test": ("[--all] [pytest arguments] ruff, mypy, the suite; --all adds interop, slow and browser", test),
    "lint": ("ruff check, ruff format --check, mypy, the house rules", lint),
    "install": ("only makes .venv", install),
}


def first_line(path: Path) -> str:
    """The first line of a module's docstring."""
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]


def commands() -> dict[str, tuple[str, Step]]:
    """verb: what it does, the command of .venv/bin that does it. A file tools/VERB.py is a verb; nothing is listed."""
    found: dict[str, tuple[str, Step]] = {
        "demo": ("sandbox networks, invoices sent, a statement", ("einvoice", "demo"))
    }
    for path in sorted((ROOT / "tools").glob("[!_]*.py")):
        if path != Path(__file__).resolve():
            found[path.stem] = (first_line(path), ("python", "-m", f"tools.{path.stem}"))
    if (ROOT / "bench" / "__main__.py").is_file():
        found["bench"] = (first_line(ROOT / "bench" / "__main__.py"), ("python", "-m", "bench"))
    return found


def usage() -> str:
    told = {verb: line for verb, (line, _) in [*CHECKS.items(), *commands().items()]}
    return "usage: ./run VERB [arguments]\n" + "\n".join(f"  {verb:<14} {line}" for verb, line in told.items())


def main(arguments: list[str]) -> int:
    verb, *rest = arguments or ["--help"]
    if verb in ("--help", "-h", "help"):
        print(usage())
        return 0
    verbs = commands()
    if verb not in verbs and verb not in CHECKS:
        print(f"run: no verb {verb!r}. Known: {', '.join([*CHECKS, *verbs])}", file=sys.stderr)
        return 2
    try:
        prepare({"dev", *EXTRAS.get(verb, ())})
    except (CannotStart, OSError) as error:
        print(f"run: cannot prepare .venv: {error}", file=sys.stderr)
        return 3
    if verb in CHECKS:
        return CHECKS[verb][1](rest)
    command, *given = verbs[verb][1]
    return subprocess.run([BIN / command, *given, *rest], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
