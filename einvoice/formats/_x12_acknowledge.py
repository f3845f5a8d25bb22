"""TA1, 997 and 999 made for what a partner sent: what arrived, what of it is right, and where it is not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import BinaryIO, Literal

from ..errors import UnreadableDocument
from ..exchange import Environment, Identity
from ._segments import NOWHERE, Data, Delimiters, Grammar, Seg, tree
from ._segments_write import segment
from ._x12_codec import Fault, Group, Interchange, Set, part, sets
from ._x12_directory import DIRECTORIES, MANDATORY, MOST, REQUIRED, of_version
from ._x12_prepare import FIXED
from ._x12_write import End, Envelope, isa, transaction

Kind = Literal["997", "999"]
#: Segments in error that one set is told of (AK3 may stand that often).
TOLD = 999
_DATES, _TIMES, _AMOUNTS, _NUMBERS = (
    {373, 370, 446, 388},
    {337},
    {610, 362},
    {782, 212, 380, 358, 954, 332, 338, 828, 118},
)
_NAMES = {"\n": "<LF>", "\r": "<CR>", "\t": "<TAB>"}


@dataclass(frozen=True, eq=False)
class Structure:
    """What one kind of set must look like, as far as it is known. Empty: only its envelope is judged."""

    grammar: Grammar | None = None
    required: Sequence[str] = ()
    mandatory: Mapping[str, Sequence[int]] = field(default_factory=dict)
    most: Mapping[tuple[str, str], int] = field(default_factory=dict)
    lengths: Mapping[str, Sequence[tuple[int, int]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bad:
    """One segment or data element in error: codes of 720 and 723."""

    tag: str
    position: int
    code: str
    element: int = 0
    number: int = 0
    error: str = ""
    value: str = ""


def invoice_structure(version: str) -> Structure:
    """The 810 of that version."""
    found = of_version(version)
    return Structure(found.grammar, REQUIRED, MANDATORY, MOST, found.lengths)


# --- what is wrong with a set -----------------------------------------------------------------------------------------


def judge(one: Set, structure: Structure) -> list[Bad]:
    """Everything wrong with the segments of *one*, in their order."""
    found = [*_strange(one, structure), *_missing(one, structure)]
    if structure.grammar:
        found += _misplaced(one, structure)
    for position, tag, data in one.segments:
        found += _elements(position, tag, data, structure)
    return sorted(found, key=lambda bad: (bad.position, bad.element))[:TOLD]


def _strange(one: Set, structure: Structure) -> Iterator[Bad]:
    """Control characters, which the codec has found."""
    for fault in one.faults:
        if fault.level == "element":
            data = next((data for position, _, data in one.segments if position == fault.position), [])
            inside = "".join(data[fault.element - 1]) if 0 < fault.element <= len(data) else ""
            sign = _CONTROLS.search(inside)
            number = _number(structure, fault.tag, fault.element)
            shown = _NAMES.get(sign.group(), f"<{ord(sign.group()):02X}>") if sign else ""
            yield Bad(fault.tag, fault.position, "8", fault.element, number, "6", shown)


def _number(structure: Structure, tag: str, element: int) -> int:
    row = structure.lengths.get(tag, DIRECTORIES["005010"].lengths.get(tag, ()))
    return row[element - 1][0] if 0 < element <= len(row) else 0


def _missing(one: Set, structure: Structure) -> Iterator[Bad]:
    """A mandatory segment that is not there, at the segment after which it should stand."""
    stated = [tag for _, tag, _ in one.segments]
    for index, tag in enumerate(structure.required):
        if structure.required[: index + 1].count(tag) > stated.count(tag):
            yield Bad(tag, _before(one, structure, tag), "3")


def _before(one: Set, structure: Structure, tag: str) -> int:
    """The position of the last segment that may stand before *tag*; the end where nothing after it is there."""
    last = len(one.segments) + 1
    if structure.grammar is None:
        return last
    roots = [item.trigger if isinstance(item, Grammar) else item for item in structure.grammar.items]
    at = roots.index(tag) if tag in roots else len(roots)
    later = set(roots[at + 1 :])
    root = tree(one.kind, one.segments, structure.grammar)
    return next((child.position - 1 for child in root if child.tag.removeprefix("SG-") in later), last)


def _misplaced(one: Set, structure: Structure) -> Iterator[Bad]:
    """Segments out of sequence, unknown here, or more often than they may stand."""
    assert structure.grammar is not None
    astray: list[Seg] = []
    root = tree(one.kind, one.segments, structure.grammar, astray.append)
    for segment_ in astray:
        yield Bad(segment_.tag, segment_.position, "7")
    for child in root:
        if child.tag.startswith(NOWHERE):
            name = child.tag.removeprefix(NOWHERE)
            yield Bad(name[:3], child.position, "1" if not re.fullmatch("[A-Z][A-Z0-9]{1,2}", name) else "6")
    yield from _too_often(root, structure)


def _too_often(loop: Seg, structure: Structure) -> Iterator[Bad]:
    counts: dict[str, int] = {}
    name = loop.tag.removeprefix("SG-") if loop.tag.startswith("SG-") else ""
    for child in loop:
        if child.tag.startswith("SG-"):
            yield from _too_often(child, structure)
            continue
        counts[child.tag] = counts.get(child.tag, 0) + 1
        most = structure.most.get((name, child.tag))
        if most is not None and counts[child.tag] > most:
            yield Bad(child.tag, child.position, "5")


def _elements(position: int, tag: str, data: Data, structure: Structure) -> Iterator[Bad]:
    row = structure.lengths.get(tag)
    for element in structure.mandatory.get(tag, ()):
        if not part(data, element):
            yield Bad(tag, position, "8", element, _number(structure, tag, element), "1")
    if row is None:
        return
    if len(data) > len(row) and tag not in FIXED:
        yield Bad(tag, position, "8", len(row) + 1, 0, "3")
    for element, (number, size) in enumerate(row, 1):
        value = part(data, element)
        error = _error(number, size, value) if value else ""
        if error:
            yield Bad(tag, position, "8", element, number, error, _CONTROLS.sub(" ", value)[:99])


_CONTROLS = re.compile("[\x00-\x1f\x7f]")


def _error(number: int, size: int, value: str) -> str:
    """The code of 723 for one value; empty when it is right. Signs and points do not count (X12.6)."""
    digits = number in _NUMBERS or number in _AMOUNTS
    if size and len(value.replace("-", "").replace(".", "") if digits else value) > size:
        return "5"
    if number in _DATES and not _is_date(value):
        return "8"
    if number in _TIMES and not re.fullmatch(r"([01]\d|2[0-3])[0-5]\d([0-5]\d(\d{1,2})?)?", value, re.ASCII):
        return "9"
    if number in _AMOUNTS and not re.fullmatch(r"-?\d+", value, re.ASCII):
        return "6"
    if number in _NUMBERS and not re.fullmatch(r"-?(\d+\.?\d*|\.\d+)", value, re.ASCII):
        return "6"
    return ""


def _is_date(value: str) -> bool:
    if not re.fullmatch(r"\d{8}", value, re.ASCII) or value < "1900":
        return False
    try:
        return bool(date(int(value[:4]), int(value[4:6]), int(value[6:])))
    except ValueError:
        return False


# --- the acknowledgement ----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Reply:
    """What has been read so far, as segments of the answer."""

    kind: Kind
    delimiters: Delimiters = field(default_factory=lambda: Delimiters("*", ":", "~", "", "^", "."))
    first: Interchange | None = None
    group: Group | None = None
    notes: list[str] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    sets: list[str] = field(default_factory=list)
    accepted: int = 0

    def add(self, tag: str, *elements: str) -> str:
        return segment(self.delimiters, tag, *elements)


def acknowledge(
    stream: BinaryIO,
    ids: Identity,
    kind: Kind = "997",
    structures: Mapping[str, Structure] | None = None,
    supported: Sequence[str] = (),
) -> bytes:
    """The interchange that answers *stream*: TA1 where asked for or needed, one 997 or 999 for each group.

    structures  by set identifier, in place of the 810 alone; a set without one is judged by its envelope
    supported   sets that are taken at all; empty: every set

    UnreadableDocument where there is no interchange, or where several of different parties stand in one stream.
    """
    reply = _Reply(kind)
    for one in sets(stream):
        if isinstance(one, Set):
            _begin(reply, one.interchange, one.group)
            _answer_set(reply, one, structures, supported)
        elif isinstance(one, Group):
            _begin(reply, one.interchange, one)
            _answer_group(reply, one)
        else:
            _begin(reply, one, None)
            _answer_interchange(reply, one)
    if reply.first is None:
        raise UnreadableDocument("there is no interchange to answer", fix="see the message in the inbox")
    return _sealed(reply, reply.first, ids)


def _begin(reply: _Reply, one: Interchange, group: Group | None) -> None:
    if reply.first is None:
        reply.first, d = one, one.delimiters
        reply.delimiters = Delimiters(d.element, d.component, d.segment, "", d.repetition, ".")
    elif _ends(one) != _ends(reply.first):
        raise UnreadableDocument("the stream holds interchanges of different parties", where=f"ISA {one.control}",
                                 fix="answer each interchange apart")  # fmt: skip
    if reply.group is None:
        reply.group = group


def _ends(one: Interchange) -> tuple[str, ...]:
    return one.isa[4:8]


def _answer_set(reply: _Reply, one: Set, structures: Mapping[str, Structure] | None, supported: Sequence[str]) -> None:
    codes = {fault.code for fault in one.faults if fault.level == "set"}
    if supported and one.kind not in supported:
        bad, codes = [], codes | {"1"}
    else:
        known = structures if structures is not None else {"810": invoice_structure(one.version)}
        bad = judge(one, known.get(one.kind, Structure()))
    if bad:
        codes.add("5")
    three, four, five = ("AK3", "AK4", "AK5") if reply.kind == "997" else ("IK3", "IK4", "IK5")
    convention = (one.convention,) if reply.kind == "999" else ()
    out = [reply.add("AK2", one.kind, one.control, *convention)]
    last: tuple[str, int] | None = None
    for each in bad:
        if each.code != "8" or (each.tag, each.position) != last:
            out.append(reply.add(three, each.tag, str(each.position), "", each.code))
        last = (each.tag, each.position)
        if each.element:
            number = str(each.number) if each.number else ""
            out.append(reply.add(four, str(each.element), number, each.error, _plain(each.value, reply.delimiters)))
    out.append(reply.add(five, "R" if codes else "A", *sorted(codes, key=int)[:5]))
    reply.accepted += not codes
    reply.sets.append("".join(out))


def _plain(value: str, delimiters: Delimiters) -> str:
    """The copy of what was wrong, without signs that delimit."""
    marks = f"{delimiters.element}{delimiters.component}{delimiters.segment}{delimiters.repetition}"
    return "".join(sign for sign in value if sign not in marks)


def _answer_group(reply: _Reply, group: Group) -> None:
    """AK901: all, some or none of the sets; a fault of the group refuses all of them."""
    codes = sorted({fault.code for fault in group.faults}, key=int)[:5]
    accepted = 0 if codes else reply.accepted
    verdict = "R" if codes or not accepted else "A" if accepted == group.sets else "P"
    version = (group.version,) if reply.kind == "999" else ()
    stated = group.stated if group.stated.isdigit() and len(group.stated) <= 6 else str(group.sets)
    counts = (stated, str(group.sets), str(accepted))
    reply.bodies.append("".join([
        reply.add("AK1", group.kind, group.control, *version), *reply.sets, reply.add("AK9", verdict, *counts, *codes),
    ]))  # fmt: skip
    reply.sets, reply.accepted = [], 0


def _answer_interchange(reply: _Reply, one: Interchange) -> None:
    code = min((fault.code for fault in one.faults), default="000", key=_weight(one.faults))
    if one.isa[13] == "1" or code != "000":
        verdict = "A" if code == "000" else "R"
        reply.notes.append(reply.add("TA1", one.control, one.isa[8], one.isa[9], verdict, code))
    reply.sets, reply.accepted = [], 0


def _weight(faults: Sequence[Fault]) -> Callable[[str], int]:
    """The first fault is the one that is told: TA1 has room for one."""
    order = [fault.code for fault in faults]
    return lambda code: order.index(code)


def _sealed(reply: _Reply, first: Interchange, ids: Identity) -> bytes:
    """The answer goes back to where the first interchange came from."""
    test, new = ids.environment is Environment.TEST, reply.kind == "999"
    control = (ids.numbers.get("interchange") or "1").zfill(9)
    number = ids.numbers.get("group") or "1"
    gs = reply.group.gs if reply.group else ("", "", "", "", "", "")
    release = "005010X231" if new else "004010"
    envelope = Envelope(
        End(first.isa[7].strip(), first.isa[6], gs[2]), End(first.isa[5].strip(), first.isa[4], gs[1]), control, number,
        ids.at, "FA", "00501" if new else "00401", release, False, test,
    )  # fmt: skip
    convention = release if new else ""
    bodies = [transaction(reply.kind, f"{index:04}", body, reply.delimiters, convention)
              for index, body in enumerate(reply.bodies, 1)]  # fmt: skip
    return _interchange(reply, envelope, bodies).encode("iso8859-1", "replace")


def _interchange(reply: _Reply, envelope: Envelope, bodies: Sequence[str]) -> str:
    """TA1 stands between ISA and the first GS (X12.5, 3.2); an answer may be TA1 alone."""
    head = isa(envelope, reply.delimiters) + "".join(reply.notes)
    tail = reply.add("IEA", "1" if bodies else "0", envelope.control)
    if not bodies:
        return head + tail
    at, ends = envelope.at, (envelope.sender, envelope.recipient)
    gs = reply.add("GS", "FA", *(end.group or end.id for end in ends), f"{at:%Y%m%d}", f"{at:%H%M}", envelope.group,
                   "X", envelope.release)  # fmt: skip
    return head + gs + "".join(bodies) + reply.add("GE", str(len(bodies)), envelope.group) + tail
