"""EDIFACT interchanges (ISO 9735 versions 1 to 4): bytes to messages, one at a time, counters and references checked.

A stream may hold several interchanges, each with its own UNA. Memory holds one message. Line breaks are no data
(partners wrap at 80 columns, also inside a segment) unless UNA makes one the segment terminator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from ..errors import UnreadableDocument
from ._edifact_stream import CHARSETS, ESCAPED, MESSAGE_LIMIT, SEGMENTS, Source, mistaken, repaired, splitter
from ._segments import Data, Delimiters


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with the syntax. ``code`` is of list 0085, ``tag`` and ``position`` say which segment."""

    code: str
    text: str
    tag: str = ""
    position: int = 0
    element: int = 0
    component: int = 0

    @property
    def place(self) -> str:
        where = f"segment {self.position} {self.tag}" if self.position else self.tag
        where += f", element {self.element}" if self.element else ""
        return where + (f" component {self.component}" if self.component else "")


@dataclass(slots=True)
class Interchange:
    """What UNB states, and what was found wrong at this level; ``broken`` are its groups with faults of their own.

    ``complete`` once its UNZ was read.
    """

    delimiters: Delimiters
    syntax: str = ""
    version: str = ""
    sender: tuple[str, ...] = ()
    recipient: tuple[str, ...] = ()
    prepared: str = ""
    reference: str = ""
    application: str = ""
    wants_answer: bool = False
    test: bool = False
    faults: list[Fault] = field(default_factory=list)
    messages: int = 0
    groups: int = 0
    complete: bool = False
    broken: list[Group] = field(default_factory=list)


@dataclass(slots=True)
class Group:
    """A functional group, UNG to UNE."""

    reference: str
    kind: str
    sender: tuple[str, ...] = ()
    recipient: tuple[str, ...] = ()
    faults: list[Fault] = field(default_factory=list)
    messages: int = 0


@dataclass(slots=True)
class Message:
    """One message: what UNH states and the segments after it. ``doubts`` are remarks that do not make it wrong."""

    interchange: Interchange
    group: Group | None
    reference: str = ""
    kind: str = ""
    version: str = ""
    release: str = ""
    agency: str = ""
    association: str = ""
    segments: list[tuple[int, str, Data]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    doubts: list[Fault] = field(default_factory=list)
    count: int = 1
    size: int = 0
    number: int = 0

    @property
    def place(self) -> str:
        """``interchange 131, message ME000001``, for people."""
        return f"interchange {self.interchange.reference or '?'}, message {self.reference or self.number}"


# --- segments as messages ---------------------------------------------------------------------------------------------


def messages(stream: BinaryIO, charset: str = "") -> Iterator[Message | Interchange]:
    """Each message when its end is reached, and each interchange after its last message, with their faults.

    charset  the real one, where a partner declares another; else the one of the syntax identifier

    UnreadableDocument where reading cannot go on: a syntax identifier or UNA that no one can use, a runaway segment.
    """
    source = Source(stream, charset)
    while source.begin():
        walk = _Walk(source)
        for text in source.texts():
            yield from walk.take(text)
        yield from walk.end()


Handlers = dict[str, Callable[[Data], Iterator[Message | Interchange]]]


class _Walk:
    """The service segments of one interchange, as they come."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._split = splitter(source.delimiters)
        self.interchange = Interchange(source.delimiters)
        self.group: Group | None = None
        self.message: Message | None = None
        self._begun = False
        self._handlers: Handlers = {
            "UNB": self._unb, "UNG": self._ung, "UNH": self._unh, "UNT": self._unt, "UNE": self._une, "UNZ": self._unz,
        }  # fmt: skip

    def take(self, text: str) -> Iterator[Message | Interchange]:
        bad = not text.isascii() and ESCAPED.search(text)
        if bad:
            text = repaired(text, self._source.codec)
        if not text:
            self._nothing()
            return
        data = self._split(text)
        tag = data.pop(0)[0]
        handler = self._handlers.get(tag)
        if handler:
            yield from handler(data)
        else:
            self._body(tag, data, text)
        if bad or not text.isascii():
            self._characters(tag, bool(bad), text)

    def end(self) -> Iterator[Message | Interchange]:
        """What the end of the stream, or of the interchange, leaves open."""
        yield from self._unfinished("the interchange ends")
        interchange = self.interchange
        self._unclosed()
        if not interchange.complete and self._begun:
            why = " and ends inside a segment" if self._source.cut_off else ""
            interchange.faults.append(Fault("13", f"the interchange has no UNZ{why}", "UNZ"))
        yield interchange

    def _body(self, tag: str, data: Data, text: str) -> None:
        message = self.message
        if message is None:
            self._outside(tag)
            return
        message.count += 1
        message.size += len(text)
        if message.size > MESSAGE_LIMIT or message.count > SEGMENTS:
            size = f"{MESSAGE_LIMIT // 1048576} MiB or {SEGMENTS} segments"
            raise UnreadableDocument(f"the message is larger than {size}", where=message.place,
                                     fix="send fewer lines in one message")  # fmt: skip
        message.segments.append((message.count, tag, data))

    def _nothing(self) -> None:
        """Two terminators without a segment between them: nothing is lost, but no sender means it."""
        message = self.message
        if message is not None and not _told(message, "18"):
            tag = message.segments[-1][1] if message.segments else "UNH"
            message.doubts.append(Fault("18", f"nothing stands between {tag[:3]} and the next terminator; it counts as "
                                        "no segment", tag[:3], message.count))  # fmt: skip

    def _outside(self, tag: str) -> None:
        fault = Fault("33", f"the segment {tag[:3]!r} stands outside a message", tag[:3])
        if not any(one.code == "33" for one in self.interchange.faults):
            self.interchange.faults.append(fault)

    def _characters(self, tag: str, bad: bool, text: str) -> None:
        at: Message | Interchange = self.message or self.interchange
        position = self.message.count if self.message else 0
        syntax = self.interchange.syntax
        if bad and not any(fault.code == "21" for fault in at.faults):
            at.faults.append(Fault("21", f"the bytes are not in the character set of {syntax or 'UTF-8'}", tag,
                                   position))  # fmt: skip
        elif not bad and (one := self.message) and not _told(one, "21") and mistaken(text, self._source.codec):
            said = f"the text looks like UTF-8 though {syntax} is declared; it was read as declared"
            one.doubts.append(Fault("21", said, tag, position))

    def _unfinished(self, why: str) -> Iterator[Message]:
        if self.message is not None:
            self.message.faults.append(Fault("13", f"{why} before the UNT of the message", "UNT"))
            yield self._close()

    def _close(self) -> Message:
        message, self.message = self.message, None
        assert message is not None
        return message

    # -- service segments

    def _unb(self, data: Data) -> Iterator[Message | Interchange]:
        if self._begun:
            yield from self.end()
            self.interchange, self.group = Interchange(self._source.delimiters), None
        self._begun = True
        one = self.interchange
        one.syntax, one.version = _part(data, 1, 1), _part(data, 1, 2)
        one.sender, one.recipient = _whole(data, 2), _whole(data, 3)
        one.prepared, one.reference = "".join(_whole(data, 4)), _part(data, 5)
        one.application = _part(data, 7)
        one.wants_answer, one.test = _part(data, 9) in ("1", "2"), _part(data, 11) == "1"
        if one.syntax not in CHARSETS:
            one.faults.append(Fault("2", f"the syntax identifier {one.syntax[:10]!r} is not supported", "UNB", 0, 1, 1))
        if one.version not in ("1", "2", "3", "4"):
            one.faults.append(Fault("2", f"the syntax version {one.version!r} is not supported", "UNB", 0, 1, 2))
        if not one.reference:
            one.faults.append(Fault("13", "the interchange has no control reference", "UNB", 0, 5))

    def _ung(self, data: Data) -> Iterator[Message]:
        yield from self._unfinished("a group begins")
        self._unclosed()
        if self.interchange.messages and not self.interchange.groups:
            self.interchange.faults.append(Fault("30", "groups are mixed with messages outside of groups", "UNG"))
        self.interchange.groups += 1
        self.group = Group(_part(data, 5), _part(data, 1), _whole(data, 2), _whole(data, 3))

    def _unh(self, data: Data) -> Iterator[Message]:
        yield from self._unfinished("another message begins")
        if self.group is None and self.interchange.groups:
            self.interchange.faults.append(Fault("30", "messages stand outside of the groups", "UNH"))
        kind, version, release, agency, association = (_part(data, 2, component) for component in range(1, 6))
        self.interchange.messages += 1
        self.message = Message(
            self.interchange, self.group, _part(data, 1), kind, version, release, agency, association,
            number=self.interchange.messages,
        )  # fmt: skip
        if self.group is not None:
            self.group.messages += 1
        if not self._begun and self.interchange.messages == 1:
            self.interchange.faults.append(Fault("13", "there is no UNB before the first message", "UNB"))
        if not self.message.reference:
            self.message.faults.append(Fault("13", "the message has no reference", "UNH", 1, 1))

    def _unt(self, data: Data) -> Iterator[Message]:
        if self.message is None:
            self._outside("UNT")
            return
        message = self.message
        message.count += 1
        said = _count(data, message.count, "segments", "UNT", message.count)
        message.faults += said
        if _part(data, 2) != message.reference:
            text = f"UNT names the message {_part(data, 2)!r}, UNH {message.reference!r}"
            message.faults.append(Fault("28", text, "UNT", message.count, 2))
        yield self._close()

    def _une(self, data: Data) -> Iterator[Message]:
        yield from self._unfinished("the group ends")
        group, self.group = self.group, None
        if group is None:
            self._outside("UNE")
            return
        group.faults += _count(data, group.messages, "messages", "UNE")
        if _part(data, 2) != group.reference:
            group.faults.append(
                Fault("28", f"UNE names the group {_part(data, 2)!r}, UNG {group.reference!r}", "UNE", 0, 2)
            )
        if group.faults:
            self.interchange.broken.append(group)

    def _unclosed(self) -> None:
        group, self.group = self.group, None
        if group is not None:
            group.faults.append(Fault("13", f"group {group.reference} has no UNE", "UNE"))
            self.interchange.broken.append(group)

    def _unz(self, data: Data) -> Iterator[Message]:
        yield from self._unfinished("the interchange ends")
        one = self.interchange
        one.complete = True
        what, counted = ("groups", one.groups) if one.groups else ("messages", one.messages)
        one.faults += _count(data, counted, what, "UNZ")
        if _part(data, 2) != one.reference:
            text = f"UNZ names the interchange {_part(data, 2)!r}, UNB {one.reference!r}"
            one.faults.append(Fault("28", text, "UNZ", 0, 2))
        if not one.messages:
            one.faults.append(Fault("32", "the interchange holds no message", "UNZ"))


def _told(message: Message, code: str) -> bool:
    return any(one.code == code for one in message.doubts)


def _part(data: Data, element: int, component: int = 1) -> str:
    found = data[element - 1] if len(data) >= element else []
    return found[component - 1].strip() if len(found) >= component else ""


def _whole(data: Data, element: int) -> tuple[str, ...]:
    return tuple(data[element - 1]) if len(data) >= element else ()


def _count(data: Data, counted: int, what: str, tag: str, position: int = 0) -> list[Fault]:
    stated = _part(data, 1)
    if stated.isascii() and stated.isdigit() and len(stated) <= 10 and int(stated) == counted:
        return []
    return [Fault("29", f"{tag} says {stated[:20] or 'nothing'}, counted {counted} {what}", tag, position, 1)]
