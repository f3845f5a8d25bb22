"""Segments as partners send them, made ready for the table: pairs taken apart, percentages in percent, notes joined."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..errors import Finding, Severity
from ..money import parse, plain
from ._segments import Data, Seg, tree
from ._x12_codec import Repeats, Set, part
from ._x12_directory import Directory

Segment = tuple[int, str, Data]
Say = Callable[[Finding], None]
#: Segments whose last elements are pairs of qualifier and value, and how many elements come before them.
FIXED = {"IT1": 5, "PO1": 5, "PER": 2}
_NOTE = 80


def root_of(one: Set, directory: Directory, fraction: bool, say: Say) -> Seg:
    """The tree of *one*; *say* takes what was put right on the way. *fraction*: TXI03 below 1 is a fraction."""

    def astray(segment: Seg) -> None:
        say(Finding("EINV-X12-05", f"{segment.tag.removeprefix('+')} stands after a segment it must precede",
                    Severity.WARNING, place=segment.place(),
                    fix="ask the sender to keep the order of the set"))  # fmt: skip

    return tree("810", list(prepared(one, fraction, say)), directory.grammar, astray)


def prepared(one: Set, fraction: bool, say: Say) -> Iterator[Segment]:
    note: Segment | None = None
    repeats = one.interchange.delimiters.repetition
    for position, tag, data in one.segments:
        if repeats and any(isinstance(element, Repeats) for element in data):
            say(_repeated(position, tag))
        if note is not None and (tag != "NTE" or part(data, 1) != part(note[2], 1) or not _full(note[2])):
            yield note
            note = None
        if tag == "NTE":
            note = (position, tag, data) if note is None else _continued(note, data)
        elif tag in FIXED:
            yield position, tag, data[: FIXED[tag]]
            yield from _pairs(position, tag, data[FIXED[tag] :], say)
        else:
            yield position, tag, _percented(data, fraction) if tag == "TXI" else data
    if note is not None:
        yield note


def _full(data: Data) -> bool:
    """True when the text fills NTE02, so that the next NTE runs on."""
    return len(data) == 2 and len(data[1][0]) % _NOTE == 0 and bool(data[1][0])


def _continued(note: Segment, data: Data) -> Segment:
    position, tag, before = note
    return position, tag, [before[0], [before[1][0] + (data[1][0] if len(data) > 1 else "")]]


def _pairs(position: int, tag: str, rest: Data, say: Say) -> Iterator[Segment]:
    for at in range(0, len(rest), 2):
        code, value = part(rest, at + 1), part(rest, at + 2)
        if code and value:
            yield position, f"+{tag}", [[code], [value]]
        elif code or value:
            element = FIXED[tag] + at + 1
            say(Finding("EINV-READ-01", f"{tag} has a qualifier or a value without the other", Severity.WARNING,
                        place=f"segment {position} {tag}, element {element}", found=code or value,
                        fix="see whether the receiver needs it"))  # fmt: skip


def _repeated(position: int, tag: str) -> Finding:
    message = f"a data element of {tag} repeats; only its first value is carried"
    return Finding("EINV-READ-01", message, Severity.WARNING, place=f"segment {position} {tag}",
                   fix="see whether the receiver needs it")  # fmt: skip


def _percented(data: Data, fraction: bool) -> Data:
    """TXI with TXI03 in percent.

    The standard says .065 for 6.5 % (data element 954), many partners write 6.5. From 1 on it can only be percent;
    below, amount and basis decide where they are stated, else what the partner is known to write.
    """
    rate = parse(part(data, 3))
    if rate is None or abs(rate) >= 1 or not rate:
        return data
    amount, base = parse(part(data, 2)), parse(part(data, 8))
    if amount and base:
        share = abs(amount / base)
        fraction = abs(share - abs(rate)) < abs(share - abs(rate) / 100)
    if not fraction:
        return data
    return [*data[:2], [plain(rate.scaleb(2))], *data[3:]]
