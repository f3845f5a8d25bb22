"""X12 as the partner reads and answers it: TA1, 997 (004010), 999 (005010) and 824.

Codes: TA105 is list I18, AK905 716, AK502 718, AK304 720, AK403 723, TED01 647. The envelope is X12.5, a 997 X12.20,
a 999 X12C 005010X231.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from .edi import Delimiters, Fault, Group, Interchange, Message, NoInterchange, Reader, Segment, Stamp, Stamps, Written
from .edi_sums import x12_sums

#: ISA is fixed: 106 characters, the last being the segment terminator.
_ISA = 106
_WIDTHS = (2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1)
_REQUIRED = ("BIG", "N1", "IT1", "TDS")
Kind = Literal["997", "999"]


@dataclass(frozen=True, slots=True)
class X12:
    """*ack* ``997`` or ``999``; None: 999 for a group of version 005010 and later. *ta1*: also when not asked for."""

    ack: Kind | None = None
    ta1: bool = False

    def read(self, data: bytes) -> list[Interchange]:
        text = data.decode("iso8859-1").removeprefix("ï»¿")
        found: list[Interchange] = []
        at = 0
        while (start := _next(text, at)) < len(text):
            if not text.startswith("ISA", start):
                raise NoInterchange(f"byte {start}: {text[start : start + 12]!r} is not ISA")
            one, at = _interchange(text, start)
            found.append(one)
        if not found:
            raise NoInterchange("the file holds no ISA")
        return found

    def duplicate(self) -> Fault:
        return Fault("025", "this interchange control number came before", "ISA")

    def refusal(self, code: str) -> Fault:
        return Fault(code or "024", "the interchange is refused", "ISA")

    def rejection(self, message: Message) -> Fault:
        place = next((n for n, one in enumerate(message.segments, 1) if one.tag == "BIG"), 0)
        return Fault("8" if place else "5", "the invoice number is refused", "BIG", place, 2, "76", "7", message.number)

    def acknowledge(self, interchange: Interchange, stamps: Stamps, miscount: bool = False) -> list[Written]:
        answers = []
        asked = self.ta1 or interchange.header.component(14) == "1"
        if asked or interchange.faults:
            answers.append(_ta1(interchange, stamps()))
        if not interchange.faults:
            groups = [one for one in interchange.groups if one.header and one.header.component(1) != "FA"]
            answers += [self._group(interchange, one, stamps(), miscount) for one in groups]
        return answers

    def receipt(self, interchange: Interchange, stamp: Stamp) -> Written:
        return _ta1(replace(interchange, faults=()), stamp)

    def _group(self, interchange: Interchange, group: Group, stamp: Stamp, miscount: bool) -> Written:
        header = _header(group)
        version = header.component(8)
        kind = self.ack or ("999" if version >= "005" else "997")
        body: list[tuple[str, ...]] = [("AK1", header.component(1), group.reference, *_version(kind, version))]
        for message in () if group.faults else group.messages:
            body += _message(kind, message)
        received, accepted = len(group.messages), group.accepted
        code = "A" if received == accepted and not group.faults else "P" if accepted else "R"
        # What is miscounted says less was received than the sets it lists, and more accepted.
        told = (str(received), str(accepted + 1)) if miscount else (str(received), str(accepted))
        included = group.trailer_count if group.trailer_count.isdigit() else str(received)
        body.append(("AK9", code, included, *told, *_codes(group.faults, 5)))
        guide = "005010X231" if kind == "999" else version[:6]
        return _written(interchange, header, ("FA", kind, guide), body, stamp)

    def advise(
        self, interchange: Interchange, group: Group, message: Message, faults: Sequence[Fault], stamp: Stamp
    ) -> Written:
        header = _header(group)
        at = stamp.at
        body: list[tuple[str, ...]] = [
            ("BGN", "11", f"ADV{stamp.number}", f"{at:%Y%m%d}", f"{at:%H%M}"),
            (
                "OTI", "TR" if faults else "TA", "IV", message.number, header.component(2), header.component(3),
                f"{at:%Y%m%d}", f"{at:%H%M}", group.reference, message.reference, message.kind,
            ),
            *(("TED", fault.code, fault.text[:60]) for fault in faults),
        ]  # fmt: skip
        return _written(interchange, header, ("AG", "824", header.component(8)[:6]), body, stamp)


# --- reading ----------------------------------------------------------------------------------------------------------


def _next(text: str, at: int) -> int:
    """Where text goes on after line breaks."""
    found = re.compile(r"[\s\x1a]*").match(text, at)
    return found.end() if found else at


def _interchange(text: str, start: int) -> tuple[Interchange, int]:
    isa = text[start : start + _ISA]
    widths = tuple(map(len, isa[:-1].split(isa[3])[1:])) if len(isa) == _ISA else ()
    if widths != _WIDTHS:
        raise NoInterchange(f"byte {start}: ISA is not 106 characters wide with its 16 elements at their places")
    delimiters = Delimiters(isa[104], isa[3], isa[105])
    if len({*isa[104:106], isa[3]}) < 3 or any(sign.isalnum() for sign in (isa[104], isa[3], isa[105])):
        raise NoInterchange(f"byte {start}: ISA names no three different delimiters")
    reader = Reader(text, delimiters, start + _ISA)
    header = Segment("ISA", tuple((value.strip() if number in {5, 7} else value,) for number, value in _counted(isa)))
    faults: list[Fault] = []
    groups: list[Group] = []
    segment = reader.next()
    while segment and segment.tag not in ("IEA", "ISA"):
        if segment.tag == "GS":
            group, segment = _group(segment, reader)
            groups.append(group)
            continue
        if segment.tag != "TA1":
            faults.append(Fault("024", f"{segment.tag} stands outside a group", segment.tag))
        segment = reader.next()
    reference = header.component(13)
    if segment is None or segment.tag == "ISA":
        faults.append(Fault("023", "the interchange ends without IEA", "IEA"))
    else:
        if segment.component(2) != reference:
            faults.append(Fault("001", f"IEA02 {segment.component(2)} is not ISA13 {reference}", "IEA"))
        if segment.component(1) != str(len(groups)):
            faults.append(Fault("021", f"IEA01 {segment.component(1)}, counted {len(groups)}", "IEA"))
    faults += _header_faults(header)
    seen: set[str] = set()
    for number, group in enumerate(groups):
        if group.reference in seen:
            groups[number] = replace(group, faults=(*group.faults, Fault("6", "GS06 twice in one interchange", "GS")))
        seen.add(group.reference)
    sender = f"{header.component(5)}:{header.component(6).strip()}"
    end = len(text) if segment is None else reader.begun if segment.tag == "ISA" else reader.at
    return Interchange(header, sender, reference, tuple(groups), delimiters, tuple(faults)), end


def _counted(isa: str) -> Iterator[tuple[int, str]]:
    return enumerate(isa[:-1].split(isa[3])[1:], 1)


def _header_faults(isa: Segment) -> Iterator[Fault]:
    """What is wrong in ISA itself, by I18."""
    checks = (
        (r"\S.*", 6, "006", "sender"), (r"\S.*", 8, "008", "receiver"),
        (r"\d{6}", 9, "014", "date"), (r"\d{4}", 10, "015", "time"), (r"\d{5}", 12, "017", "version"),
        (r"\d{9}", 13, "018", "control number"), (r"[01]", 14, "019", "acknowledgment requested"),
        (r"[IPT]", 15, "020", "usage"),
    )  # fmt: skip
    for pattern, number, code, what in checks:
        if not re.fullmatch(pattern, isa.component(number)):
            yield Fault(code, f"{what}: {isa.component(number)!r}", "ISA", element=number)


def _group(header: Segment, reader: Reader) -> tuple[Group, Segment | None]:
    """The group *header* begins, and the segment after it."""
    messages: list[Message] = []
    faults: list[Fault] = []
    reference = header.component(6)
    segment = reader.next()
    while segment and segment.tag == "ST":
        message, segment = _read_message(segment, reader)
        if message.reference in {one.reference for one in messages}:
            fault = Fault("23", f"ST02 {message.reference} twice in its group", "ST")
            message = replace(message, faults=(*message.faults, fault))
        messages.append(message)
    trailer = segment if segment and segment.tag == "GE" else None
    if trailer is None:
        faults.append(Fault("3", "the group ends without GE", "GE"))
    else:
        if trailer.component(2) != reference:
            faults.append(Fault("4", f"GE02 {trailer.component(2)} is not GS06 {reference}", "GE"))
        if trailer.component(1) != str(len(messages)):
            faults.append(Fault("5", f"GE01 {trailer.component(1)}, counted {len(messages)}", "GE"))
        segment = reader.next()
    if not re.fullmatch(r"\d{1,9}", reference):
        faults.append(Fault("6", f"GS06 {reference!r} is no number of at most 9 digits", "GS"))
    told = trailer.component(1) if trailer else ""
    return Group(header, reference, tuple(messages), tuple(faults), told), segment


def _read_message(header: Segment, reader: Reader) -> tuple[Message, Segment | None]:
    segments = [header]
    segment = reader.next()
    while segment and segment.tag not in ("SE", "ST", "GE", "GS", "IEA", "ISA"):
        segments.append(segment)
        segment = reader.next()
    kind, reference = header.component(1), header.component(2)
    faults: list[Fault] = []
    if segment is None or segment.tag != "SE":
        faults.append(Fault("2", "the set ends without SE", "SE"))
    else:
        segments.append(segment)
        if segment.component(2) != reference:
            faults.append(Fault("3", f"SE02 {segment.component(2)} is not ST02 {reference}", "SE"))
        if segment.component(1) != str(len(segments)):
            faults.append(Fault("4", f"SE01 {segment.component(1)}, counted {len(segments)}", "SE"))
        segment = reader.next()
    if not re.fullmatch(r"[A-Za-z0-9]{4,9}", reference):
        faults.append(Fault("7", f"ST02 {reference!r} is not 4 to 9 characters", "ST"))
    number = ""
    business: tuple[Fault, ...] = ()
    if kind == "810":
        faults += _content(segments)
        number = next((one.component(2) for one in segments if one.tag == "BIG"), "")
        business = () if faults else tuple(x12_sums(segments))
    return Message(kind, reference, tuple(segments), number, tuple(faults), business), segment


def _content(segments: Sequence[Segment]) -> Iterator[Fault]:
    """What an 810 lacks, and what cannot be read in the segments everything hangs on."""
    tags = [segment.tag for segment in segments]
    last = len(tags) if tags[-1] == "SE" else len(tags) + 1
    for tag in _REQUIRED:
        if tag not in tags:
            yield Fault("3", f"{tag} is missing", tag, 2 if tag == "BIG" else last)
    for place, one in enumerate(segments, 1):
        if not re.fullmatch(r"[A-Z][A-Z0-9]{1,2}", one.tag):
            yield Fault("1", f"{one.tag!r} is no segment", one.tag[:3], place)
        elif not any(any(element) for element in one.elements):
            yield Fault("8", f"{one.tag} is empty", one.tag, place, 1, "", "1")
        elif one.tag == "BIG":
            if not _day(one.component(1)):
                yield Fault("8", "the invoice date is no date", "BIG", place, 1, "373", "8", one.component(1))
            if not one.component(2):
                yield Fault("8", "the invoice number is missing", "BIG", place, 2, "76", "1")
            elif len(one.component(2)) > 22:
                yield Fault("8", "more than 22 characters", "BIG", place, 2, "76", "5", one.component(2))
        elif one.tag == "TDS" and not re.fullmatch(r"-?\d{1,15}", one.component(1)):
            told = "the total is no number with two decimals implied"
            yield Fault("8", told, "TDS", place, 1, "610", "6" if one.component(1) else "1", one.component(1))
    for tag in ("BIG", "TDS", "CTT"):
        if tags.count(tag) > 1:
            second = [place for place, each in enumerate(tags, 1) if each == tag][1]
            yield Fault("5", f"{tag} twice", tag, second)


def _day(text: str) -> bool:
    try:
        return bool(re.fullmatch(r"\d{8}", text) and date(int(text[:4]), int(text[4:6]), int(text[6:])))
    except ValueError:
        return False


# --- answering --------------------------------------------------------------------------------------------------------


def _version(kind: str, version: str) -> tuple[str, ...]:
    return (version,) if kind == "999" else ()


def _codes(faults: Iterable[Fault], most: int) -> list[str]:
    return list(dict.fromkeys(fault.code for fault in faults))[:most]


def _message(kind: str, message: Message) -> Iterator[tuple[str, ...]]:
    """AK2 to AK5 of one set, with every fault that has a place in it."""
    prefix = "IK" if kind == "999" else "AK"
    guide = message.segments[0].component(3)
    yield ("AK2", message.kind, message.reference, *((guide,) if kind == "999" and guide else ()))
    placed = sorted((fault for fault in message.faults if fault.position), key=lambda one: one.position)
    told: tuple[int, str] | None = None
    for fault in placed:
        if told != (fault.position, fault.code):
            told = fault.position, fault.code
            yield f"{prefix}3", fault.tag, str(fault.position), "", fault.code
        if fault.detail:
            value = "" if fault.detail in ("1", "2") else fault.value[:99]
            yield f"{prefix}4", str(fault.element), fault.data_element, fault.detail, value
    whole = [fault for fault in message.faults if not fault.position]
    codes = _codes(whole, 4) + ["5"] * bool(placed)
    yield f"{prefix}5", "A" if message.accepted else "R", *codes


def _header(group: Group) -> Segment:
    assert group.header is not None  # every X12 group has its GS
    return group.header


def _ta1(interchange: Interchange, stamp: Stamp) -> Written:
    isa = interchange.header
    codes = [fault.code for fault in interchange.faults]
    line = ("TA1", isa.component(13), isa.component(9), isa.component(10), "R" if codes else "A", (codes or ["000"])[0])
    return Written("ta1", stamp.number, _enveloped(interchange, (line,), 0, stamp))


def _written(
    interchange: Interchange, gs: Segment, what: tuple[str, str, str], body: list[tuple[str, ...]], stamp: Stamp
) -> Written:
    """An answer in an interchange of its own; what: GS01, ST01, GS08."""
    group, kind, version = what
    at, number = stamp.at, str(stamp.number)
    guide = (version,) if kind == "999" else ()
    lines = [
        ("GS", group, gs.component(3), gs.component(2), f"{at:%Y%m%d}", f"{at:%H%M}", number, "X", version),
        ("ST", kind, "0001", *guide),
        *body,
        ("SE", str(len(body) + 2), "0001"),
        ("GE", "1", number),
    ]
    return Written(kind, stamp.number, _enveloped(interchange, lines, 1, stamp))


def _enveloped(interchange: Interchange, lines: Iterable[tuple[str, ...]], groups: int, stamp: Stamp) -> bytes:
    isa, d, at = interchange.header, interchange.delimiters, stamp.at
    number = f"{stamp.number:09d}"
    swapped = (isa.component(7), isa.component(8), isa.component(5), isa.component(6))
    values = (
        *("00", "", "00", "", *swapped, f"{at:%y%m%d}", f"{at:%H%M}"),
        *(isa.component(11), isa.component(12), number, "0", isa.component(15), d.component),
    )
    padded = (value.ljust(width) for value, width in zip(values, _WIDTHS, strict=True))
    head = d.element.join(("ISA", *padded)) + d.terminator
    return (head + d.join(*lines, ("IEA", str(groups), number))).encode("iso8859-1")
