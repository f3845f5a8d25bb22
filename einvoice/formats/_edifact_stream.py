"""The bytes of EDIFACT as segments (ISO 9735 versions 1 to 4): service characters, release, character sets, limits."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import BinaryIO

from ..errors import UnreadableDocument
from ._segments import Data, Delimiters

#: Character set by syntax identifier (ISO 9735, list 0001).
CHARSETS = {
    "UNOA": "ascii", "UNOB": "ascii", "UNOC": "iso8859-1", "UNOD": "iso8859-2", "UNOE": "iso8859-5",
    "UNOF": "iso8859-7", "UNOG": "iso8859-3", "UNOH": "iso8859-4", "UNOI": "iso8859-6", "UNOJ": "iso8859-8",
    "UNOK": "iso8859-9", "UNOW": "utf-8",
}  # fmt: skip
#: One segment and one message; a runaway element ends here.
SEGMENT_LIMIT, MESSAGE_LIMIT, SEGMENTS = 1024 * 1024, 20 * 1024 * 1024, 250_000
_CHUNK = 64 * 1024
_BLANK = b" \t\r\n\x00\x1a"
ESCAPED = re.compile("[\udc80-\udcff]")


class Repeats(list[str]):
    """The first occurrence of a data element that repeats (version 4); ``more`` holds the others."""

    more: list[list[str]]


# --- one segment ------------------------------------------------------------------------------------------------------


def splitter(delimiters: Delimiters) -> Callable[[str], Data]:
    """A function from the text of a segment to its tag and data elements, each a list of components."""
    element, component, release = delimiters.element, delimiters.component, delimiters.release
    repetition = delimiters.repetition

    def split(text: str) -> Data:
        if (release and release in text) or (repetition and repetition in text):
            return _slowly(text, delimiters)
        return [part.split(component) for part in text.split(element)]

    return split


def _slowly(text: str, delimiters: Delimiters) -> Data:
    data: Data = []
    current: list[str] = []
    element: list[str] = current
    for match in _tokens(delimiters).finditer(text):
        current.append(_released(match.group(1), delimiters.release))
        mark = match.group(2)
        if mark == delimiters.repetition and mark:
            if not isinstance(element, Repeats):
                element = Repeats(current)
                element.more = []
            current = []
            element.more.append(current)
        elif mark != delimiters.component:
            data.append(element)
            current = element = []
            if not mark:
                break
    return data


@cache
def _tokens(delimiters: Delimiters) -> re.Pattern[str]:
    marks = re.escape(delimiters.element + delimiters.component + delimiters.repetition)
    release = re.escape(delimiters.release)
    data = f"(?:[^{marks}{release}]+|{release}.?)*" if release else f"[^{marks}]*"
    return re.compile(f"({data})([{marks}]|$)", re.DOTALL)


def _released(text: str, release: str) -> str:
    return re.sub(f"{re.escape(release)}(.?)", r"\1", text, flags=re.DOTALL) if release and release in text else text


# --- the stream as segments -------------------------------------------------------------------------------------------


class Source:
    """Text of one segment after the other; knows where an interchange begins and in which characters it is."""

    def __init__(self, stream: BinaryIO, charset: str) -> None:
        self._stream, self._charset = stream, charset
        self._buffer = b""
        self._ended = False
        self.delimiters = Delimiters()
        self.codec = "utf-8"
        self.cut_off = False

    def begin(self) -> bool:
        """Moves to the next interchange and reads its UNA and syntax identifier; False at the end."""
        self._fill()
        self._buffer = self._buffer.removeprefix(b"\xef\xbb\xbf").lstrip(_BLANK)
        while not self._buffer and not self._ended:
            self._fill()
            self._buffer = self._buffer.lstrip(_BLANK)
        if not self._buffer:
            return False
        self._fill()
        self.delimiters = Delimiters()
        advice = self._advice() if self._buffer[:3] == b"UNA" else ""
        self._identify(advice)
        return True

    def _fill(self) -> None:
        while len(self._buffer) < 512 and not self._ended:
            chunk = self._stream.read(_CHUNK)
            self._ended = not chunk
            self._buffer += chunk

    def _advice(self) -> str:
        marks = self._buffer[3:9].decode("iso8859-1")
        used = marks[:4] + marks[5:]
        wrong = [mark for mark in used if mark.isalnum() or not mark.isascii()]
        if len(marks) < 6 or wrong or len({*used.replace(marks[2], "")}) < 4:
            raise UnreadableDocument(f"the service characters {marks!r} cannot be told apart", where="UNA",
                                     fix="send UNA:+.? ' or leave UNA out")  # fmt: skip
        self._buffer = self._buffer[9:].lstrip(b"\r\n\t ")
        self.delimiters = Delimiters(marks[1], marks[0], marks[5], marks[3].strip(), "", marks[2])
        return marks

    def _identify(self, advice: str) -> None:
        """The character set and, from version 4 on, the repetition separator, before the first segment is split."""
        head = self._buffer[:80].translate(None, b"\r\n").decode("iso8859-1")
        self.codec = self._charset or "utf-8"
        if head[:3] != "UNB":
            return
        syntax, _, rest = head[4:].partition(self.delimiters.component)
        if syntax not in CHARSETS:
            raise UnreadableDocument(f"the syntax identifier {syntax[:10]!r} is not supported", where="UNB, element 1",
                                     fix=f"send one of {', '.join(CHARSETS)}")  # fmt: skip
        self.codec = self._charset or CHARSETS[syntax]
        if rest[:1] >= "4":
            mark = advice[4].strip() if advice else "*"
            d = self.delimiters
            self.delimiters = Delimiters(d.element, d.component, d.segment, d.release, mark, d.decimal)

    def texts(self) -> Iterator[str]:
        """Every segment up to and with the UNZ, or to the end of the stream; nothing where two terminators meet."""
        terminator, release = self.delimiters.segment, self.delimiters.release
        drop = b"\r\n".replace(terminator.encode(), b"")
        while block := self._block(terminator.encode(), release.encode()):
            text = block.translate(None, drop).decode(self.codec, "surrogateescape")
            pieces = _terminated(text, terminator, release)
            last = pieces.pop()
            for index, piece in enumerate(pieces):
                piece = piece.lstrip(" \t\x00\x1a")
                if not piece and terminator in "\r\n":
                    continue
                yield piece
                if piece.startswith("UNZ"):
                    rest = terminator.join([*pieces[index + 1 :], last])
                    self._buffer = rest.encode(self.codec, "surrogateescape") + self._buffer
                    return
            if last.strip(" \t\x00\x1a"):
                self.cut_off = True
                yield last

    def _block(self, terminator: bytes, release: bytes) -> bytes:
        """Bytes up to the last terminator at hand; the rest where the stream ends without one."""
        while True:
            cut = _last(self._buffer, terminator, release)
            if cut or self._ended:
                block, self._buffer = self._buffer[: cut or None], self._buffer[cut:] if cut else b""
                return block
            if len(self._buffer) > SEGMENT_LIMIT:
                raise UnreadableDocument(
                    f"a segment is longer than {SEGMENT_LIMIT // 1048576} MiB: {terminator.decode()!r} does not end it",
                    where=self._buffer[:3].decode("iso8859-1"), fix="send the file again",
                )  # fmt: skip
            chunk = self._stream.read(_CHUNK)
            self._ended = not chunk
            self._buffer += chunk


def _last(data: bytes, terminator: bytes, release: bytes) -> int:
    """The place after the last terminator in *data* that is none of the text; 0 where there is none."""
    end = data.rfind(terminator)
    while end >= 0:
        before = end
        while release and before and data[before - 1 : before] == release:
            before -= 1
        if (end - before) % 2 == 0:
            return end + 1
        end = data.rfind(terminator, 0, end)
    return 0


def _terminated(text: str, terminator: str, release: str) -> list[str]:
    """*text* cut at its terminators, those that are released left in the text."""
    pieces = text.split(terminator)
    if not release or release + terminator not in text:
        return pieces
    whole: list[str] = []
    parts: list[str] = []
    for piece in pieces:
        parts.append(piece)
        if (len(piece) - len(piece.rstrip(release))) % 2 == 0:
            whole.append(terminator.join(parts))
            parts = []
    return [*whole, terminator.join(parts)] if parts else whole


def repaired(text: str, codec: str) -> str:
    """Bytes outside the declared set, read as what they most likely are: UTF-8, else Windows-1252."""
    raw = text.encode(codec, "surrogateescape")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def mistaken(text: str, codec: str) -> bool:
    """True when *text*, read in a one-byte set, is UTF-8 throughout."""
    if codec == "utf-8":
        return False
    try:
        text.encode(codec).decode("utf-8")
    except UnicodeError:
        return False
    return True
