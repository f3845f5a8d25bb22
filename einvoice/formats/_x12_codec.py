"""X12 interchanges (ASC X12.5, X12.6): bytes to transaction sets, one at a time, counters and references checked.

A stream may hold several interchanges, each with the delimiters of its own ISA. Memory holds one set. Line breaks and
blanks between segments are no data; inside a segment they are data, unless the whole file is wrapped at one width.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from ..errors import UnreadableDocument
from ._segments import Data, Delimiters

#: One segment and one set; a runaway element ends here. Short segments weigh by their number.
SEGMENT_LIMIT, SET_LIMIT, SEGMENTS = 1024 * 1024, 20 * 1024 * 1024, 250_000
#: Faults of one interchange or set that are told one by one.
TOLD = 100
#: TA1 segments of one interchange that are kept.
NOTES = 1000
_CHUNK = 64 * 1024
_BLANK = b" \t\r\n\x00\x1a"
_EDGE = " \t\r\n\x00\x1a"
#: Lengths of ISA01 to ISA16 (X12.5, 3.1): with the separators and the terminator 106 characters.
ISA_WIDTHS = (2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1)
_CONTROL = re.compile("[\x00-\x1f\x7f]")
_ESCAPED = re.compile("[\udc80-\udcff]")


class Repeats(list[str]):
    """The first occurrence of a data element that repeats (00402 and later); ``more`` holds the others."""

    more: list[list[str]]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong. ``code`` is of the list of its level: TA105 interchange, AK905 group, AK502 set."""

    level: str
    code: str
    text: str
    tag: str = ""
    position: int = 0
    element: int = 0

    @property
    def place(self) -> str:
        where = f"segment {self.position} {self.tag}" if self.position else self.tag
        return where + (f", element {self.element}" if self.element else "")


@dataclass(slots=True)
class Interchange:
    """What ISA states, and what was found wrong at this level. ``complete`` once its IEA was read.

    doubts  remarks that do not make it wrong
    notes   the TA1 segments in it
    """

    delimiters: Delimiters
    isa: tuple[str, ...] = ("",) * 16
    faults: list[Fault] = field(default_factory=list)
    doubts: list[Fault] = field(default_factory=list)
    notes: list[Data] = field(default_factory=list)
    groups: int = 0
    sets: int = 0
    complete: bool = False

    @property
    def control(self) -> str:
        return self.isa[12].strip()

    @property
    def test(self) -> bool:
        return self.isa[14] == "T"


@dataclass(slots=True)
class Group:
    """A functional group, GS to GE: ``gs`` holds GS01 to GS08."""

    gs: tuple[str, ...]
    interchange: Interchange
    faults: list[Fault] = field(default_factory=list)
    sets: int = 0
    stated: str = ""
    controls: set[str] = field(default_factory=set)

    @property
    def kind(self) -> str:
        return self.gs[0]

    @property
    def control(self) -> str:
        return self.gs[5]

    @property
    def version(self) -> str:
        return self.gs[7]


@dataclass(slots=True)
class Set:
    """One transaction set: what ST states and the segments after it, each with its position (ST is 1)."""

    interchange: Interchange
    group: Group | None
    kind: str
    control: str
    convention: str = ""
    segments: list[tuple[int, str, Data]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    doubts: list[Fault] = field(default_factory=list)
    count: int = 1
    size: int = 0

    @property
    def place(self) -> str:
        """``interchange 000000263, set 0001``, for people."""
        return f"interchange {self.interchange.control or '?'}, set {self.control or '?'}"

    @property
    def version(self) -> str:
        return self.group.version if self.group else ""


Part = Set | Group | Interchange


# --- one segment ------------------------------------------------------------------------------------------------------


def splitter(delimiters: Delimiters) -> Callable[[str], Data]:
    """A function from the text of a segment to its id and data elements, each a list of components."""
    element, component, repetition = delimiters.element, delimiters.component, delimiters.repetition

    def split(text: str) -> Data:
        parts = text.split(element)
        if repetition and repetition in text:
            return [_repeated(part, repetition, component) for part in parts]
        if component in text:
            return [part.split(component) for part in parts]
        return [[part] for part in parts]

    return split


def _repeated(text: str, repetition: str, component: str) -> list[str]:
    first, *more = (one.split(component) for one in text.split(repetition))
    if not more:
        return first
    found = Repeats(first)
    found.more = more
    return found


# --- the stream as segments -------------------------------------------------------------------------------------------


class _Source:
    """Text of one segment after the other; knows where an interchange begins and what delimits it."""

    def __init__(self, stream: BinaryIO, charset: str) -> None:
        self._stream, self._charset = stream, charset
        self._buffer = b""
        self._ended = False
        self.delimiters = Delimiters()
        self.marked = False
        self.wrapped = False
        self.cut_off = False

    def begin(self) -> bool:
        """Moves to the next interchange; False at the end of the stream."""
        self.marked = False
        while True:
            if self._buffer.startswith(b"\xef\xbb\xbf"):
                self._buffer, self.marked = self._buffer[3:], True
            self._buffer = self._buffer.lstrip(_BLANK)
            if len(self._buffer) >= 512 or self._ended:
                return bool(self._buffer)
            self._more()

    def _more(self) -> None:
        chunk = self._stream.read(_CHUNK)
        self._ended = not chunk
        self._buffer += chunk.translate(None, b"\r\n") if self.wrapped else chunk

    def header(self) -> tuple[str, ...]:
        """ISA01 to ISA16, and from it the delimiters; the stream then stands after the terminator."""
        if self._buffer[:3] != b"ISA":
            raise UnreadableDocument(f"the interchange starts with {self._shown(3)!r}, not ISA", where="first bytes",
                                     fix="send the interchange from ISA to IEA")  # fmt: skip
        self._unwrap()
        head = self._buffer[:512].decode("iso8859-1")
        mark = head[3:4]
        pieces = head[4:].split(mark, 15) if mark else []
        if len(pieces) < 16 or len(pieces[15]) < 2 or len("".join(pieces[:15])) > 120:
            raise UnreadableDocument("ISA has not 16 elements", where="ISA", fix="send an ISA of 106 characters")
        component, terminator = pieces[15][0], pieces[15][1]
        self.delimiters = _marks(mark, component, terminator, pieces[10], pieces[11])
        used = 4 + sum(map(len, pieces[:15])) + 15 + 1
        used = self._buffer.index(terminator.encode("iso8859-1"), used) + 1
        self._buffer = self._buffer[used:]
        return (*pieces[:15], component)

    def _shown(self, size: int) -> str:
        return self._buffer[:size].decode("ascii", "replace")

    def _unwrap(self) -> None:
        """A file wrapped at one width has its line breaks inside segments: they are no data then."""
        lines = self._buffer[:4096].replace(b"\r", b"").split(b"\n")
        widths = {len(line) for line in lines[:-1]}
        if len(lines) > 3 and len(widths) == 1 and 60 <= widths.pop() <= 132 and len(lines[0]) != 106:
            self.wrapped = True
            self._buffer = self._buffer.translate(None, b"\r\n")

    def texts(self) -> Iterator[str]:
        """Every segment up to and with the IEA, or to the end of the stream."""
        terminator = self.delimiters.segment.encode("iso8859-1")
        mark = self.delimiters.element.encode("iso8859-1")
        stops = (b"IEA" + mark, b"ISA" + mark)
        while block := self._block(terminator):
            pieces = block.split(terminator)
            last = pieces.pop()
            for index, piece in enumerate(pieces):
                piece = piece.lstrip(_BLANK)
                if piece.startswith(stops[1]):
                    self._return([piece, *pieces[index + 1 :], last], terminator)
                    return
                yield self._text(piece)
                if piece.startswith(stops[0]):
                    self._return([*pieces[index + 1 :], last], terminator)
                    return
            if last.strip(_BLANK):
                self.cut_off = True
                yield self._text(last.lstrip(_BLANK))

    def _return(self, pieces: list[bytes], terminator: bytes) -> None:
        self._buffer = terminator.join(pieces) + self._buffer

    def _text(self, piece: bytes) -> str:
        return piece.decode(self._charset or "ascii", "surrogateescape")

    def _block(self, terminator: bytes) -> bytes:
        """Bytes up to the last terminator at hand; the rest where the stream ends without one."""
        searched = 0
        while True:
            cut = self._buffer.rfind(terminator, searched) + 1
            if cut or self._ended:
                block, self._buffer = self._buffer[: cut or None], self._buffer[cut:] if cut else b""
                return block
            if len(self._buffer) > SEGMENT_LIMIT:
                raise UnreadableDocument(
                    f"a segment is longer than {SEGMENT_LIMIT // 1048576} MiB: {terminator.decode('iso8859-1')!r} "
                    "does not end it", where=self._shown(3), fix="send the file again",
                )  # fmt: skip
            searched = len(self._buffer)
            self._more()


def _marks(element: str, component: str, terminator: str, repetition: str, version: str) -> Delimiters:
    repeats = repetition if version >= "00402" and len(repetition) == 1 and not repetition.isalnum() else ""
    marks = [mark for mark in (element, component, terminator, repeats.strip()) if mark]
    wrong = [mark for mark in marks if mark.isalnum() or mark in " .-" or not mark.isascii()]
    if wrong or len({*marks}) < len(marks):
        raise UnreadableDocument(
            f"the delimiters {element!r} {component!r} {terminator!r} cannot be told apart from data", where="ISA",
            fix="send an ISA of 106 characters with signs such as * : ~",
        )  # fmt: skip
    return Delimiters(element, component, terminator, "", repeats.strip(), ".")


# --- segments as sets -------------------------------------------------------------------------------------------------


def sets(stream: BinaryIO, charset: str = "") -> Iterator[Part]:
    """Each set when its end is reached, each group after its sets, each interchange after its groups, with faults.

    charset  of the bytes beyond ASCII; empty: UTF-8 where it fits, else Windows-1252, said as a doubt

    UnreadableDocument where reading cannot go on: no ISA, delimiters that no one can use, a runaway segment.
    """
    source = _Source(stream, charset)
    while source.begin():
        walk = _Walk(source, source.header())
        for text in source.texts():
            yield from walk.take(text)
        yield from walk.end()


class _Walk:
    """The control segments of one interchange, as they come."""

    def __init__(self, source: _Source, isa: tuple[str, ...]) -> None:
        self._source = source
        self._split = splitter(source.delimiters)
        self.interchange = Interchange(source.delimiters, isa)
        self.group: Group | None = None
        self.set: Set | None = None
        self._handlers: dict[str, Callable[[Data], Iterator[Part]]] = {
            "GS": self._gs, "ST": self._st, "SE": self._se, "GE": self._ge, "IEA": self._iea, "TA1": self._ta1,
        }  # fmt: skip
        self._isa()

    def take(self, text: str) -> Iterator[Part]:
        if not text.isascii() and _ESCAPED.search(text):
            text = self._repaired(text)
        data = self._split(text)
        tag = data.pop(0)[0]
        handler = self._handlers.get(tag)
        if handler:
            yield from handler(data)
        else:
            self._body(tag, data, text)
        if _CONTROL.search(text):
            self._controls(tag, data)

    def end(self) -> Iterator[Part]:
        """What the end of the stream, or of the interchange, leaves open."""
        yield from self._unfinished("the interchange ends")
        yield from self._ungrouped()
        one = self.interchange
        if not one.complete:
            why = " and ends inside a segment" if self._source.cut_off else ""
            self._wrong("023", f"the interchange has no IEA{why}", "IEA")
        yield one

    def _wrong(self, code: str, text: str, tag: str, element: int = 0) -> None:
        if len(self.interchange.faults) < TOLD:
            self.interchange.faults.append(Fault("interchange", code, text, tag, 0, element))

    def _isa(self) -> None:
        one = self.interchange
        for index, (found, width) in enumerate(zip(one.isa, ISA_WIDTHS, strict=True), 1):
            if len(found) != width:
                self._wrong("022", f"ISA{index:02} has {len(found)} characters, not {width}", "ISA", index)
        if not re.fullmatch(r"\d{9}", one.isa[12], re.ASCII):
            self._wrong("018", f"the control number {one.isa[12][:20]!r} is not nine digits", "ISA", 13)
        for flag, text in ((self._source.marked, "the file begins with a byte order mark"),
                           (self._source.wrapped, "the file is wrapped into lines of one width")):  # fmt: skip
            if flag:
                one.doubts.append(Fault("interchange", "000", text, "ISA"))

    def _repaired(self, text: str) -> str:
        """Bytes outside the declared set, read as what they most likely are: UTF-8, else Windows-1252."""
        raw = text.encode("ascii" if not self._source._charset else self._source._charset, "surrogateescape")
        try:
            text, name = raw.decode("utf-8"), "UTF-8"
        except UnicodeDecodeError:
            text, name = raw.decode("cp1252", "replace"), "Windows-1252"
        doubts = self.set.doubts if self.set else self.interchange.doubts
        if not any(one.code == "6" for one in doubts):
            said = f"there are signs beyond ASCII; they were read as {name}"
            tag = text.split(self._source.delimiters.element, 1)[0][:3]
            doubts.append(Fault("element", "6", said, tag, self.set.count + 1 if self.set else 0))
        return text

    def _controls(self, tag: str, data: Data) -> None:
        """Control characters are in no character set of X12.5; one inside a data element is a fault of its segment."""
        one = self.set
        at = next((index for index, part in enumerate(data, 1) if _CONTROL.search("".join(part))), 0)
        if one is None:
            self._wrong("022", f"a control character inside {tag[:3]}", tag[:3], at)
        elif len(one.faults) < TOLD:
            one.faults.append(Fault("element", "6", f"a control character inside {tag[:3]}", tag[:3], one.count, at))

    def _body(self, tag: str, data: Data, text: str) -> None:
        one = self.set
        if one is None:
            if not any(fault.code == "024" for fault in self.interchange.faults):
                self._wrong("024", f"the segment {tag[:3]!r} stands outside a set", tag[:3])
            return
        one.count += 1
        one.size += len(text)
        if one.size > SET_LIMIT or one.count > SEGMENTS:
            raise UnreadableDocument(
                f"the set is larger than {SET_LIMIT // 1048576} MiB or {SEGMENTS} segments", where=one.place,
                fix="send fewer lines in one set",
            )  # fmt: skip
        one.segments.append((one.count, tag, data))

    def _unfinished(self, why: str) -> Iterator[Part]:
        one, self.set = self.set, None
        if one is not None:
            one.faults.append(Fault("set", "2", f"{why} before the SE of the set", "SE"))
            yield one

    def _ungrouped(self) -> Iterator[Part]:
        group, self.group = self.group, None
        if group is not None:
            group.faults.append(Fault("group", "3", f"group {group.control} has no GE", "GE"))
            yield group

    # -- control segments

    def _ta1(self, data: Data) -> Iterator[Part]:
        if len(self.interchange.notes) < NOTES:
            self.interchange.notes.append(data)
        return iter(())

    def _gs(self, data: Data) -> Iterator[Part]:
        yield from self._unfinished("a group begins")
        yield from self._ungrouped()
        self.interchange.groups += 1
        self.group = Group(tuple(part(data, index) for index in range(1, 9)), self.interchange)
        if not re.fullmatch(r"\d{1,9}", self.group.control, re.ASCII):
            self.group.faults.append(
                Fault("group", "6", f"the control number {self.group.control[:20]!r} is not 1 to 9 digits", "GS", 0, 6)
            )

    def _st(self, data: Data) -> Iterator[Part]:
        yield from self._unfinished("another set begins")
        control = part(data, 2)
        one = self.set = Set(self.interchange, self.group, part(data, 1), control, part(data, 3))
        self.interchange.sets += 1
        if not control:
            one.faults.append(Fault("set", "7", "the set has no control number", "ST", 1, 2))
        if self.group is None:
            self._wrong("024", "a set stands outside a group", "ST")
            return
        self.group.sets += 1
        if control in self.group.controls:
            one.faults.append(Fault("set", "23", f"the control number {control[:20]} was used before", "ST", 1, 2))
        if len(control) < 64:
            self.group.controls.add(control)

    def _se(self, data: Data) -> Iterator[Part]:
        one, self.set = self.set, None
        if one is None:
            self._wrong("024", "an SE stands outside a set", "SE")
            return
        one.count += 1
        if not _same(part(data, 1), one.count):
            text = f"SE says {part(data, 1)[:20] or 'nothing'}, counted {one.count} segments"
            one.faults.append(Fault("set", "4", text, "SE", one.count, 1))
        if part(data, 2) != one.control:
            text = f"SE names the set {part(data, 2)[:20]!r}, ST {one.control[:20]!r}"
            one.faults.append(Fault("set", "3", text, "SE", one.count, 2))
        yield one

    def _ge(self, data: Data) -> Iterator[Part]:
        yield from self._unfinished("the group ends")
        group, self.group = self.group, None
        if group is None:
            self._wrong("024", "a GE stands outside a group", "GE")
            return
        group.stated = part(data, 1)
        if not _same(group.stated, group.sets):
            text = f"GE says {group.stated[:20] or 'nothing'}, counted {group.sets} sets"
            group.faults.append(Fault("group", "5", text, "GE", 0, 1))
        if part(data, 2) != group.control:
            text = f"GE names the group {part(data, 2)[:20]!r}, GS {group.control[:20]!r}"
            group.faults.append(Fault("group", "4", text, "GE", 0, 2))
        yield group

    def _iea(self, data: Data) -> Iterator[Part]:
        yield from self._unfinished("the interchange ends")
        yield from self._ungrouped()
        one = self.interchange
        one.complete = True
        if not _same(part(data, 1), one.groups):
            self._wrong("021", f"IEA says {part(data, 1)[:20] or 'nothing'}, counted {one.groups} groups", "IEA", 1)
        if part(data, 2) != one.control:
            self._wrong("001", f"IEA names the interchange {part(data, 2)[:20]!r}, ISA {one.control!r}", "IEA", 2)


def part(data: Data, element: int, component: int = 1) -> str:
    """The component of a data element, counted from 1; empty where it is not there."""
    found = data[element - 1] if len(data) >= element else []
    return found[component - 1].strip(_EDGE) if len(found) >= component else ""


def _same(stated: str, counted: int) -> bool:
    return stated.isascii() and stated.isdigit() and len(stated) <= 10 and int(stated) == counted
