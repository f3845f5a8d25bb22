"""What the EDI partner holds in its hands: segments cut by a tokenizer of its own, and the envelopes around them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol


@dataclass(frozen=True, slots=True)
class Segment:
    """A tag and its elements, each a tuple of components; ``element(1)`` is the first after the tag."""

    tag: str
    elements: tuple[tuple[str, ...], ...]

    def component(self, number: int, part: int = 1) -> str:
        """Component *part* of element *number*, both counted from 1; empty when it is not there."""
        element = self.elements[number - 1] if 0 < number <= len(self.elements) else ()
        return element[part - 1] if part <= len(element) else ""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong, with its code in the list the standard has for that level.

    position      of the segment in its message, the header being 1; 0: the message, group or interchange as a whole
    element       number of the element in the segment; 0: the segment as a whole
    data_element  the number X12 gives that element, ``76``
    detail        the code for the element (X12 723); ``code`` is then that of the segment
    """

    code: str
    text: str
    tag: str = ""
    position: int = 0
    element: int = 0
    data_element: str = ""
    detail: str = ""
    value: str = ""

    def __str__(self) -> str:
        place = f"{self.tag} {self.position}: " if self.position else f"{self.tag}: " if self.tag else ""
        return f"{place}{self.text} ({self.detail or self.code})"


@dataclass(frozen=True, slots=True)
class Message:
    """A transaction set or message: ST to SE, UNH to UNT.

    number    of the document it holds: BIG02, BGM 1004
    business  what syntax does not see: sums that do not add up; told at application level
    """

    kind: str
    reference: str
    segments: tuple[Segment, ...]
    number: str = ""
    faults: tuple[Fault, ...] = ()
    business: tuple[Fault, ...] = ()

    @property
    def accepted(self) -> bool:
        return not self.faults


@dataclass(frozen=True, slots=True)
class Group:
    """GS to GE, UNG to UNE; without *header* the messages of an EDIFACT interchange without groups."""

    header: Segment | None
    reference: str
    messages: tuple[Message, ...]
    faults: tuple[Fault, ...] = ()
    trailer_count: str = ""

    @property
    def accepted(self) -> int:
        """How many of its messages are."""
        return 0 if self.faults else sum(message.accepted for message in self.messages)


@dataclass(frozen=True, slots=True)
class Interchange:
    """ISA to IEA, UNB to UNZ. *sender* tells senders apart: identifier and qualifier."""

    header: Segment
    sender: str
    reference: str
    groups: tuple[Group, ...]
    delimiters: Delimiters
    faults: tuple[Fault, ...] = ()

    @property
    def messages(self) -> Iterator[Message]:
        return (message for group in self.groups for message in group.messages)


@dataclass(frozen=True, slots=True)
class Delimiters:
    """Separators of one interchange; an empty release or repetition does not exist in it."""

    component: str
    element: str
    terminator: str
    release: str = ""
    repetition: str = ""
    mark: str = "."

    def join(self, *segments: Sequence[str | Sequence[str]]) -> str:
        """*segments* as text: tag and elements, an element being text or its components; empty ends are left out."""
        return "".join(f"{self.element.join(_trimmed(map(self._element, one)))}{self.terminator}" for one in segments)

    def _element(self, value: str | Sequence[str]) -> str:
        if isinstance(value, str):
            return self._clean(value)
        return self.component.join(_trimmed(map(self._clean, value)))

    def _clean(self, text: str) -> str:
        special = {self.component, self.element, self.terminator, self.release} - {""}
        if self.release:
            return "".join(f"{self.release}{sign}" if sign in special else sign for sign in text)
        return "".join(" " if sign in special else sign for sign in text)


@dataclass(frozen=True, slots=True)
class Stamp:
    """What makes an answer one of its own: its control number and its time."""

    number: int
    at: datetime


class Written(NamedTuple):
    """An answer: what it is (ta1, 997, contrl ...), its control number, its bytes."""

    kind: str
    number: int
    data: bytes


#: Gives each answer a stamp of its own.
Stamps = Callable[[], Stamp]


class NoInterchange(Exception):
    """Bytes nobody can answer: there is no header to answer to. The text says why."""


class Standard(Protocol):
    """How one syntax is read and answered."""

    def read(self, data: bytes) -> list[Interchange]:
        """Every interchange of a file, with its faults; NoInterchange when there is none."""

    def duplicate(self) -> Fault:
        """The fault of an interchange whose reference came before."""

    def refusal(self, code: str) -> Fault:
        """The fault of an interchange refused as a whole; *code* empty: the standard's vaguest."""

    def rejection(self, message: Message) -> Fault:
        """The fault of a document the partner does not want, at the segment with its number."""

    def acknowledge(self, interchange: Interchange, stamps: Stamps, miscount: bool = False) -> list[Written]:
        """Every acknowledgement due now; with *miscount* its counts are not those of its content."""

    def advise(
        self, interchange: Interchange, group: Group, message: Message, faults: Sequence[Fault], stamp: Stamp
    ) -> Written:
        """The application's word on one document: accepted when there are no *faults*."""

    def receipt(self, interchange: Interchange, stamp: Stamp) -> Written:
        """That it has arrived, before anything was checked."""


@dataclass(slots=True)
class Reader:
    """Segments of *text* one after another.

    *at* is where the next one begins, *begun* where the last one did.
    """

    text: str
    delimiters: Delimiters
    at: int = 0
    begun: int = 0
    _cut: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        d = self.delimiters
        signs = "".join(map(re.escape, (d.component, d.element, d.terminator, d.release)))
        self._cut = re.compile(f"[{signs}]")

    def next(self) -> Segment | None:
        """The next segment; None at the end of the text or before one that never ends."""
        d = self.delimiters
        elements: list[list[str]] = [[""]]
        place = self._start()
        while found := self._cut.search(self.text, place):
            elements[-1][-1] += self.text[place : found.start()]
            place = found.end()
            match found.group():
                case d.terminator:
                    self.begun, self.at = self.at, place
                    tag, *rest = elements
                    return Segment(tag[0].strip(), tuple(map(tuple, rest)))
                case d.element:
                    elements.append([""])
                case d.component:
                    elements[-1].append("")
                case _:
                    elements[-1][-1] += self.text[place : place + 1]
                    place += 1
        return None

    def _start(self) -> int:
        """Past the line breaks people put between segments."""
        place = self.at
        while place < len(self.text) and self.text[place] in "\r\n\t ":
            place += 1
        return place


def _trimmed(values: Iterator[str]) -> list[str]:
    kept = list(values)
    while kept and not kept[-1]:
        kept.pop()
    return kept
