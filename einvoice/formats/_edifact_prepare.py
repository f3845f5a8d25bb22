"""Segments as partners send them, made ready for the table: what is spread is joined, what repeats is told apart."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from ..errors import Finding, Severity
from ._edifact_codec import Message
from ._edifact_directory import Directory
from ._edifact_stream import Repeats
from ._edifact_table import NUMBERS
from ._segments import Data, Seg, rejoined, tree

Segment = tuple[int, str, Data]
_COMMA = re.compile(r"[+-]?\d*,\d+", re.ASCII)


def root_of(message: Message, directory: Directory, say: Callable[[Finding], None]) -> Seg:
    """The tree of *message*; *say* takes what was put right on the way."""

    def astray(segment: Seg) -> None:
        say(Finding("EINV-EDIFACT-05", f"{segment.tag} stands after a segment it must precede", Severity.WARNING,
                    place=segment.place(), fix="ask the sender to keep the order of the directory"))  # fmt: skip

    return tree("INVOIC", list(prepared(message, directory, say)), directory.grammar, astray)


def prepared(message: Message, d: Directory, say: Callable[[Finding], None]) -> Iterator[Segment]:
    currency = ""
    mark = message.interchange.delimiters.decimal
    for position, tag, data in message.segments:
        if any(isinstance(element, Repeats) for element in data):
            say(_repeated(position, tag))
        if tag in NUMBERS:
            data = _decimals(position, tag, data, mark, say)
        if tag == "CUX" and not currency:
            currency = _get(data, 1, 2)
        elif tag == "MOA" and _get(data, 1, 3) == currency and currency:
            data = [[*data[0][:2], "", *data[0][3:]], *data[1:]]
        if tag == "PIA":
            use = data[0] if data else []
            yield from ((position, tag, [use, number]) for number in data[1:] or [[]])
        else:
            join = _JOINS.get(tag)
            yield position, tag, join(data, d) if join else data


def _get(data: Data, element: int, component: int) -> str:
    found = data[element - 1] if len(data) >= element else []
    return found[component - 1] if len(found) >= component else ""


def _repeated(position: int, tag: str) -> Finding:
    message = f"a data element of {tag} repeats; only its first value is carried"
    return Finding("EINV-READ-01", message, Severity.WARNING, place=f"segment {position} {tag}",
                   fix="see whether the receiver needs it")  # fmt: skip


def _decimals(position: int, tag: str, data: Data, mark: str, say: Callable[[Finding], None]) -> Data:
    """Either mark is lawful (ISO 9735, 10); the one that UNA does not name is said, for it may be a thousands mark."""
    for element, component in NUMBERS[tag]:
        text = _get(data, element, component)
        if mark == "." and "," not in text:
            continue
        if _COMMA.fullmatch(text):
            data = [list(part) for part in data]
            data[element - 1][component - 1] = text.replace(",", ".")
        if ("," in text and mark != ",") or ("." in text and mark == ","):
            say(Finding("EINV-EDIFACT-06", f"{text[:40]!r} has another decimal mark than {mark!r}", Severity.WARNING,
                        place=f"segment {position} {tag}, element {element} component {component}", found=text[:80],
                        fix="ask the sender to keep to the mark of UNA"))  # fmt: skip
    return data


# --- elements that are spread over components -------------------------------------------------------------------------


def _spread(data: Data, element: int, start: int, parts: int, size: int, separator: str) -> Data:
    """Components *start* and after, at most *parts* of them, as one text in the first."""
    found = data[element - 1] if len(data) >= element else []
    pieces = found[start - 1 : start - 1 + parts]
    while pieces and not pieces[-1]:
        pieces.pop()
    if len(pieces) < 2:
        return data
    rest = found[start - 1 + parts :]
    whole = [*found[: start - 1], rejoined(pieces, size, separator)]
    if rest:
        whole += [""] * (parts - 1) + rest
    return [*data[: element - 1], whole, *data[element:]]


def _pair(data: Data, element: int, start: int) -> Data:
    """Two components as ``first:second``."""
    found = data[element - 1] if len(data) >= element else []
    if len(found) < start:
        return data
    pair = ":".join(found[start - 1 : start + 1])
    whole = [*found[: start - 1], pair if pair.strip(":") else "", "", *found[start + 1 :]]
    return [*data[: element - 1], whole, *data[element:]]


def _text(data: Data, d: Directory) -> Data:
    return data if _get(data, 1, 1) == "ACF" else _spread(data, 4, 1, 5, d.note_size, "\n")


_JOINS: dict[str, Callable[[Data, Directory], Data]] = {
    "DTM": lambda data, d: _pair(data, 1, 2),
    "PAT": lambda data, d: _pair(data, 3, 3),
    "FTX": _text,
    "NAD": lambda data, d: data if d.binding else _spread(data, 4, 1, 5, d.name_size, " "),
    "IMD": lambda data, d: _spread(data, 3, 4, 2, d.item_size, " "),
}
