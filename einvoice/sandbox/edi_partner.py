"""The EDI partner behind a mailbox: what it takes, what it answers, and how it misbehaves when told to.

It knows bytes and names; a folder (``van``) or a server brings them.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from pydantic import Field

from ..config import Strict
from .edi import Fault, Group, Interchange, Message, NoInterchange, Stamp, Standard, Written
from .options import ALWAYS

Do = Literal[
    "withhold", "twice", "orphan", "partial", "refuse", "contradict", "miscount", "cut", "growing", "receipt",
    "late_reject", "consume",
]  # fmt: skip


class VanBehaviour(Strict):
    """One misbehaviour. The patterns say on what: name of the file, control reference, any document number in it."""

    do: Do
    file: str = "*"
    reference: str = "*"
    number: str = "*"
    times: int = Field(default=1, ge=0)
    """0: always."""
    after: int = Field(default=0, ge=0)
    """So many that match pass first."""
    rounds: int = Field(default=1, ge=0)
    """How many rounds later what is delayed comes; 0: when ``release`` is called."""
    code: str = ""
    """Of the refusal (TA105, 0085) or of the late rejection (TED01, ERC)."""
    text: str = "rejected by the application"


class VanScenario(Strict):
    """A file of them."""

    name: str = ""
    about: str = ""
    behaviour: tuple[VanBehaviour, ...] = ()


@dataclass(frozen=True, slots=True)
class Arrived:
    """One document in an interchange, and why it was not accepted."""

    number: str
    kind: str
    reference: str
    accepted: bool
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Taken:
    """One interchange that came, or a file in which there was none (*reference* is empty then).

    kept       name of the file with its bytes in the store
    documents  in their order; none is booked when the interchange has *faults*
    """

    name: str
    kept: str
    sha256: str
    sender: str = ""
    reference: str = ""
    documents: tuple[Arrived, ...] = ()
    faults: tuple[str, ...] = ()
    duplicate: bool = False
    behaviour: str = ""

    @property
    def accepted(self) -> bool:
        return not self.faults and all(one.accepted for one in self.documents)


@dataclass(frozen=True, slots=True)
class Answer:
    """A file for the sender. *more* is what is written after a round: until then the file is a growing one."""

    name: str
    data: bytes
    more: bytes = b""


@dataclass
class _Waiting:
    behaviour: VanBehaviour
    seen: int = 0
    used: int = 0


@dataclass
class Partner:
    """Checks, books, answers and remembers. *store* keeps every byte and what was made of it, over restarts.

    rejected  document numbers it does not want
    advice    says of every document what the application made of it: 824, APERAK
    """

    standard: Standard
    store: Path
    rejected: Collection[str] = frozenset()
    advice: bool = False
    behaviours: Iterable[VanBehaviour] = ()
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    taken: list[Taken] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store.mkdir(parents=True, exist_ok=True)
        self._script = [_Waiting(each) for each in self.behaviours]
        self._late: list[tuple[int, Answer]] = []
        self._round = 0
        if (index := self.store / "taken.jsonl").exists():
            self.taken += map(_from_json, index.read_text("utf-8").splitlines())
        self._kept = len(list(self.store.glob("*.edi")))
        self._seen = {(one.sender, one.reference) for one in self.taken if not one.faults}

    def next(self, *behaviours: VanBehaviour) -> None:
        """More behaviours, after those that wait."""
        self._script += map(_Waiting, behaviours)

    def copies(self, number: str) -> int:
        """How often a document with *number* came, whatever was answered."""
        return sum(one.number == number for each in self.taken for one in each.documents)

    def booked(self, number: str) -> int:
        """How often it was accepted: 2 is an invoice booked twice."""
        return sum(one.number == number and one.accepted for each in self.taken for one in each.documents)

    def take(self, name: str, data: bytes) -> tuple[list[Taken], list[Answer]]:
        """What *data*, the file *name*, came to, and the answers that are due at once."""
        digest = hashlib.sha256(data).hexdigest()
        self._kept += 1
        kept = f"{self._kept:06d}.edi"
        (self.store / kept).write_bytes(data)
        first = Taken(name, kept, digest)
        try:
            interchanges = self.standard.read(data)
        except NoInterchange as error:
            return [self._keep(replace(first, faults=(str(error),)))], []
        found: list[Taken] = []
        answers: list[Answer] = []
        for each in interchanges:
            taken, due = self._one(first, each)
            found.append(self._keep(taken))
            answers += due
        return found, answers

    def due(self) -> list[Answer]:
        """What an earlier round left for this one, which begins now."""
        self._round += 1
        return self._leave(lambda at: 0 < at <= self._round)

    def release(self) -> list[Answer]:
        """Everything that waits, withheld for ever or not."""
        return self._leave(lambda at: True)

    def behaves(self, do: Collection[str], name: str, interchange: Interchange | None = None) -> VanBehaviour | None:
        """The first behaviour of those in *do* that is for this file and interchange, counted as used."""
        for each in self._script:
            told = each.behaviour
            worn = told.times != ALWAYS and each.used >= told.times
            if worn or told.do not in do or not _matches(told, name, interchange):
                continue
            each.seen += 1
            if each.seen > told.after:
                each.used += 1
                return told
        return None

    def _one(self, first: Taken, came: Interchange) -> tuple[Taken, list[Answer]]:
        seen = (came.sender, came.reference) in self._seen
        if seen and not came.faults:
            came = replace(came, faults=(self.standard.duplicate(),))
        behaviour = self.behaves(_ON_INTERCHANGE, first.name, came)
        judged = self._judged(came, behaviour)
        refused = bool(judged.faults)
        documents = tuple(
            Arrived(
                one.number, one.kind, one.reference, one.accepted and not refused and not group.faults,
                tuple(map(str, (*group.faults, *one.faults, *one.business))),
            )
            for group in judged.groups
            for one in group.messages
        )  # fmt: skip
        taken = replace(
            first,
            sender=came.sender,
            reference=came.reference,
            documents=documents,
            faults=tuple(map(str, judged.faults)),
            duplicate=seen,
            behaviour=behaviour.do if behaviour else "",
        )
        return taken, list(self._answers(judged, behaviour))

    def _judged(self, came: Interchange, behaviour: VanBehaviour | None) -> Interchange:
        """*came* with the partner's own wishes as faults."""
        do = behaviour.do if behaviour else ""
        if behaviour and do == "refuse":
            return replace(came, faults=(*came.faults, self.standard.refusal(behaviour.code)))

        def unwanted(message: Message, at: int) -> bool:
            return message.number in self.rejected or (do == "partial" and at == 0)

        return self._rejecting(came, unwanted)

    def _rejecting(self, came: Interchange, unwanted: Callable[[Message, int], bool]) -> Interchange:
        groups = [
            replace(
                group,
                messages=tuple(
                    replace(one, faults=(*one.faults, self.standard.rejection(one))) if unwanted(one, at) else one
                    for at, one in enumerate(group.messages)
                ),
            )
            for group in came.groups
        ]
        return replace(came, groups=tuple(groups))

    def _answers(self, judged: Interchange, behaviour: VanBehaviour | None) -> Iterator[Answer]:
        """The answers for now; those for later are put aside."""
        do, rounds = (behaviour.do, behaviour.rounds) if behaviour else ("", 0)
        acknowledged = self._named(self.standard.acknowledge(judged, self._stamp, do == "miscount"))
        advised = self._named(self._advice(judged)) if self.advice else []
        match do:
            case "withhold":
                self._put_aside(rounds, [*acknowledged, *advised])
                return
            case "twice":
                yield from acknowledged
                acknowledged = [replace(one, name=one.name.replace(".edi", "_again.edi")) for one in acknowledged]
            case "orphan":
                yield from self._named(self.standard.acknowledge(_another(judged), self._stamp))
            case "contradict":
                contrary = self._rejecting(judged, lambda message, at: message.accepted)
                yield from self._named(self.standard.acknowledge(contrary, self._stamp))
                self._put_aside(rounds, [*acknowledged, *advised])
                return
            case "receipt":
                yield from self._named([self.standard.receipt(judged, self._stamp())])
                self._put_aside(rounds, [*acknowledged, *advised])
                return
            case "cut":
                acknowledged = [replace(one, data=one.data[: len(one.data) // 2]) for one in acknowledged]
            case "growing":
                acknowledged = [
                    replace(one, data=one.data[: len(one.data) // 2], more=one.data[len(one.data) // 2 :])
                    for one in acknowledged
                ]
        yield from acknowledged
        yield from advised
        if behaviour and do == "late_reject" and not judged.faults:
            fault = Fault(behaviour.code or "024", behaviour.text)
            late = [
                self.standard.advise(judged, group, one, (fault,), self._stamp())
                for group in judged.groups
                for one in group.messages
                if one.accepted and fnmatchcase(one.number, behaviour.number)
            ]
            self._put_aside(rounds, self._named(late))

    def _advice(self, judged: Interchange) -> list[Written]:
        """What the application says of each document that syntax let through."""
        return [
            self.standard.advise(judged, group, one, one.business, self._stamp())
            for group in ([] if judged.faults else judged.groups)
            for one in group.messages
            if one.accepted and one.number and not group.faults
        ]

    def _named(self, answers: Sequence[Written]) -> list[Answer]:
        return [Answer(f"{one.kind}_{one.number:09d}.edi", one.data) for one in answers]

    def _put_aside(self, rounds: int, answers: Iterable[Answer]) -> None:
        self._late += ((self._round + rounds if rounds else 0, one) for one in answers)

    def _leave(self, now: Callable[[int], bool]) -> list[Answer]:
        leaving = [answer for at, answer in self._late if now(at)]
        self._late = [(at, answer) for at, answer in self._late if not now(at)]
        return leaving

    def _stamp(self) -> Stamp:
        return Stamp(self._number(), self.clock())

    def _number(self) -> int:
        """The next number of the partner's own, never used before in this store."""
        counter = self.store / "counter"
        number = int(counter.read_text("ascii")) + 1 if counter.exists() else 1
        fresh = self.store / "counter.tmp"
        fresh.write_text(str(number), "ascii")
        os.replace(fresh, counter)
        return number

    def _keep(self, taken: Taken) -> Taken:
        self.taken.append(taken)
        if not taken.faults:  # what was refused may be sent again under its number
            self._seen.add((taken.sender, taken.reference))
        with (self.store / "taken.jsonl").open("a", encoding="utf-8") as index:
            index.write(f"{json.dumps(asdict(taken))}\n")
        return taken


#: Behaviours of an interchange; ``consume`` is one of the mailbox.
_ON_INTERCHANGE = frozenset(Do.__args__) - {"consume"}  # type: ignore[attr-defined]


def _matches(told: VanBehaviour, name: str, interchange: Interchange | None) -> bool:
    if not fnmatchcase(name, told.file):
        return False
    if interchange is None:
        return True
    numbers = [one.number for one in interchange.messages] or [""]
    return fnmatchcase(interchange.reference, told.reference) and any(fnmatchcase(n, told.number) for n in numbers)


def _another(judged: Interchange) -> Interchange:
    """An interchange nobody sent: like *judged*, with references that never were."""
    groups: tuple[Group, ...] = tuple(replace(one, reference=_other(one.reference)) for one in judged.groups)
    header = judged.header
    if header.tag == "ISA":  # TA1 copies ISA13
        header = replace(header, elements=(*header.elements[:12], (_other(judged.reference),), *header.elements[13:]))
    return replace(judged, header=header, reference=_other(judged.reference), groups=groups)


def _other(reference: str) -> str:
    """Another reference of the same length: each digit is told from nine."""
    return "".join(str(9 - int(sign)) if sign.isascii() and sign.isdigit() else sign for sign in reference)


def _from_json(line: str) -> Taken:
    fields = json.loads(line)
    documents = tuple(Arrived(**{**one, "faults": tuple(one["faults"])}) for one in fields.pop("documents"))
    return Taken(**{**fields, "faults": tuple(fields["faults"])}, documents=documents)
