"""The side that asks: starts the worker process, gives it documents, ends it when it hangs, starts it anew.

Saxon is a native library that has been seen to crash; in a process of its own it takes nothing with it. The process
gets no environment but what it needs to start, and no file descriptors but its pipes.
"""

from __future__ import annotations

import atexit
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from ..errors import ConfigError

#: Seconds for one document through its rule sets, compiling included; a 1,000-line invoice needs half a second.
PATIENCE = 120
#: A worker that has compiled this many stylesheets (some 450 MiB) is replaced: no document needs so many.
_MOST_SHEETS = 24
#: What the process keeps of the environment: enough to start, no secret.
_NEEDED = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH")


class NotRun(Exception):
    """The rules could not be run on the document; the message says why, for a person."""


@dataclass(frozen=True, slots=True)
class Answer:
    """By sheet key: what it reports, what a rule of it crashed with, why it could not be used at all."""

    svrl: Mapping[str, str]
    crashed: Mapping[str, str]
    unusable: Mapping[str, str]


class Worker:
    """One process. Not for several threads at once; ``run`` below keeps them apart."""

    def __init__(self) -> None:
        spec = find_spec("saxonche")
        if spec is None or spec.origin is None:
            raise ConfigError("the official rules need Saxon, which is not installed", where="saxonche",
                              fix="pip install 'einvoice-engine[official]'")  # fmt: skip
        script = Path(__file__).with_name("engine.py")
        environment = {name: os.environ[name] for name in _NEEDED if name in os.environ}
        self.process = subprocess.Popen(  # noqa: S603 - our own script, nothing of a document
            [sys.executable, "-I", str(script), str(Path(spec.origin).parent)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, encoding="utf-8", cwd=os.path.abspath(os.sep), env={**environment, "LANG": "C.UTF-8"},
        )  # fmt: skip
        self.sent: set[str] = set()
        self.owner = os.getpid()
        self._lines: queue.Queue[str] = queue.Queue()
        assert self.process.stdout is not None
        threading.Thread(target=_pump, args=(self.process.stdout, self._lines), daemon=True).start()

    def ask(self, sheets: Mapping[str, str], document: str, patience: int) -> Answer:
        """What the sheets say of *document*. NotRun when the process dies or does not answer in *patience* seconds."""
        request = {"sheets": {key: None if key in self.sent else text for key, text in sheets.items()},
                   "document": document}  # fmt: skip
        answer = self._exchange(request, patience)
        self.sent |= {*answer["svrl"], *answer["crashed"]}
        return Answer(answer["svrl"], answer["crashed"], answer["unusable"])

    def _exchange(self, request: Mapping[str, Any], patience: int) -> dict[str, Any]:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            line = self._lines.get(timeout=patience)
        except queue.Empty:
            self.end()
            raise NotRun(f"the rules did not come to an end within {patience} seconds") from None
        except OSError as error:
            self.end()
            raise NotRun(f"the process that runs the rules has ended ({error.strerror})") from error
        if not line:
            self.end()
            raise NotRun(f"the process that runs the rules has ended (exit code {self.process.returncode})")
        answer: dict[str, Any] = json.loads(line)
        return answer

    @property
    def usable(self) -> bool:
        return self.owner == os.getpid() and self.process.poll() is None and len(self.sent) < _MOST_SHEETS

    def end(self) -> None:
        """Ends the process. One that was started by a parent process is left to it."""
        if self.owner != os.getpid():
            return
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.process.stdin is not None:
            try:
                self.process.stdin.close()
            except BrokenPipeError:  # what was not taken is of no use any more
                self.process.stdin = None


def _pump(stream: IO[str], lines: queue.Queue[str]) -> None:
    """Every line into the queue, then an empty one when the process has ended."""
    with stream:
        for line in stream:
            lines.put(line)
    lines.put("")


# --- the one worker of this process -----------------------------------------------------------------------------------

_lock = threading.Lock()
_worker: Worker | None = None


def run(sheets: Mapping[str, str], document: str, patience: int = PATIENCE) -> Answer:
    """What the sheets say of *document*. A worker that died is started anew and asked once more; then NotRun.

    ConfigError where saxonche is not installed.
    """
    with _lock:
        try:
            return _usable().ask(sheets, document, patience)
        except NotRun as error:
            if "did not come to an end" in str(error):
                raise
            return _usable().ask(sheets, document, patience)


def _usable() -> Worker:
    global _worker
    if _worker is None or not _worker.usable:
        stop()
        _worker = Worker()
    return _worker


def stop() -> None:
    """Ends the worker; the next document starts one anew."""
    global _worker
    worker, _worker = _worker, None
    if worker is not None:
        worker.end()


def pid() -> int | None:
    """The worker's process id, None while there is none."""
    return _worker.process.pid if _worker is not None else None


atexit.register(stop)
