"""A VAN mailbox over two folders: takes interchanges from one, leaves acknowledgements in the other.

``python -m einvoice.sandbox.van --inbox DIR --outbox DIR --standard x12|edifact``; see docs/sandbox.md.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TextIO

from ..config import load
from ..errors import ConfigError
from .edi import Standard
from .edi_edifact import Edifact
from .edi_partner import Answer, Arrived, Partner, Taken, VanBehaviour, VanScenario
from .edi_x12 import X12

__all__ = ["Arrived", "Mailbox", "Taken", "VanBehaviour", "main"]

#: Names of files that are still being written, as clients and servers of file transfer choose them.
_TEMPORARY = (".tmp", ".temp", ".part", ".partial", ".filepart", ".writing", "~")
Name = Literal["x12", "edifact"]
Ack = Literal["997", "999", "contrl"]


class Mailbox:
    """The partner at a mailbox. ConfigError: a folder is missing, or the acknowledgement is not of the standard.

    inbox, outbox  what we send lies in *inbox*; what the partner answers appears in *outbox*
    ack            None: 997, 999 for version 005010, CONTRL
    ta1            a TA1 for every interchange; without it only where one asks for it (ISA14) or is refused
    rejected       numbers of documents that are refused by the acknowledgement
    advice         an 824 or APERAK for every document the acknowledgement accepted
    store          keeps every byte that was taken; beside *inbox* unless given
    settle         a file that changed less than so many seconds ago is still growing, and left
    """

    def __init__(
        self,
        inbox: Path,
        outbox: Path,
        *,
        standard: Name,
        ack: Ack | None = None,
        ta1: bool = False,
        rejected: Collection[str] = frozenset(),
        advice: bool = False,
        behaviours: Iterable[VanBehaviour] = (),
        store: Path | None = None,
        settle: float = 0,
    ) -> None:
        for folder in (inbox, outbox):
            if not folder.is_dir():
                raise ConfigError(f"{folder} is no directory", fix="create it; both folders of a mailbox must exist")
        self.inbox, self.outbox, self._settle = inbox, outbox, settle
        self.store = store or inbox.with_name(f"{inbox.name}-taken")
        self.partner = Partner(_standard(standard, ack, ta1), self.store, rejected, advice, behaviours)
        self._growing: list[tuple[Path, bytes]] = []

    def work(self) -> list[Taken]:
        """One round: what is due is left in the outbox, then every finished file of the inbox is taken and answered."""
        for path, rest in self._growing:
            with path.open("ab") as file:
                file.write(rest)
        self._growing = []
        self._leave(self.partner.due())
        found: list[Taken] = []
        for path, data in self._ready():
            taken, answers = self.partner.take(path.name, data)
            path.unlink()
            self._leave(answers)
            found += taken
        return found

    def release(self) -> None:
        """Leaves everything that was withheld in the outbox."""
        self._leave(self.partner.release())

    def next(self, do: str, **fields: object) -> None:
        """The next behaviour: ``next("withhold", rounds=2)``."""
        self.partner.next(VanBehaviour.model_validate({"do": do, **fields}))

    @property
    def taken(self) -> list[Taken]:
        """Everything that was ever taken."""
        return self.partner.taken

    def copies(self, number: str) -> int:
        """How often a document with *number* came, whatever was answered."""
        return self.partner.copies(number)

    def booked(self, number: str) -> int:
        """How often it was accepted: 2 is an invoice booked twice."""
        return self.partner.booked(number)

    def _ready(self) -> Iterator[tuple[Path, bytes]]:
        """Files that are whole, oldest name first; under ``consume`` whatever lies there."""
        for path in sorted(self.inbox.iterdir()):
            if path.is_symlink() or not path.is_file():
                continue
            before = path.stat()
            still = path.name.startswith(".") or path.name.endswith(_TEMPORARY)
            still = still or time.time() - before.st_mtime < self._settle
            if still and not self.partner.behaves(("consume",), path.name):
                continue
            data = path.read_bytes()
            if still or len(data) == before.st_size == path.stat().st_size:
                yield path, data

    def _leave(self, answers: Iterable[Answer]) -> None:
        """Each under a temporary name first, so that nobody sees half of it; a growing one is to be seen."""
        for one in answers:
            path = self.outbox / one.name
            writing = path if one.more else path.with_name(f".{one.name}.tmp")
            writing.write_bytes(one.data)
            if one.more:
                self._growing.append((path, one.more))
            else:
                os.replace(writing, path)


@dataclass(frozen=True)
class VanMailbox:
    """What the fixture ``van_mailbox`` makes: two folders, and the partner at them."""

    folder: Path

    def open(self, standard: Name, **options: Any) -> Mailbox:
        """A Mailbox with *options* over ``inbox`` and ``outbox`` of the folder, which are created."""
        for name in ("inbox", "outbox"):
            (self.folder / name).mkdir(exist_ok=True)
        return Mailbox(self.folder / "inbox", self.folder / "outbox", standard=standard, **options)


def _standard(name: Name, ack: Ack | None, ta1: bool) -> Standard:
    if name == "x12" and ack in (None, "997", "999"):
        return X12(ack, ta1)
    if name == "edifact" and ack in (None, "contrl") and not ta1:
        return Edifact()
    fix = "x12 has 997, 999 and TA1; edifact has contrl"
    raise ConfigError(f"{name} has no {'TA1' if ta1 and name == 'edifact' else ack}", fix=fix)


def main(arguments: Sequence[str] | None = None, out: TextIO | None = None) -> int:
    """0 after ``--once`` or a signal, 2 for options that cannot be used. One JSON line for each interchange taken."""
    given = _parser().parse_args(arguments)
    try:
        scenario = load(given.scenario, VanScenario) if given.scenario else VanScenario()
        mailbox = Mailbox(
            given.inbox,
            given.outbox,
            standard=given.standard,
            ack=given.ack,
            ta1=given.ta1,
            rejected=frozenset(given.reject),
            advice=given.advice,
            behaviours=scenario.behaviour,
            store=given.store,
            settle=given.settle,
        )
    except ConfigError as error:
        print(f"einvoice sandbox van: {error}", file=sys.stderr)
        return 2
    done = threading.Event()
    if not given.once:
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, lambda number, frame: done.set())
    while True:
        for taken in mailbox.work():
            print(json.dumps({**asdict(taken), "accepted": taken.accepted}), file=out or sys.stdout, flush=True)
        if given.once or done.wait(given.poll):
            return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="einvoice.sandbox.van",
        description="A trading partner behind a VAN mailbox, for tests. See docs/sandbox.md.",
    )
    add = parser.add_argument
    add("--inbox", type=Path, required=True, help="folder the partner takes interchanges from")
    add("--outbox", type=Path, required=True, help="folder it leaves acknowledgements in")
    add("--standard", choices=["x12", "edifact"], required=True)
    add("--ack", choices=["997", "999", "contrl"], help="997, or 999 for version 005010, or contrl unless given")
    add("--ta1", action="store_true", help="a TA1 for every interchange")
    add("--advice", action="store_true", help="an 824 or APERAK for every document")
    add("--reject", nargs="+", default=[], metavar="NUMBER", help="documents that are refused")
    add("--scenario", type=Path, help="TOML with [[behaviour]] entries")
    add("--store", type=Path, help="keeps every byte taken; INBOX-taken unless given")
    add("--settle", type=float, default=2, metavar="SECONDS", help="a file changed since then is growing (2)")
    add("--poll", type=float, default=1, metavar="SECONDS", help="time between two rounds (1)")
    add("--once", action="store_true", help="one round")
    return parser


if __name__ == "__main__":
    sys.exit(main())
