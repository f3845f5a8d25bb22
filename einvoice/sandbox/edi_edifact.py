"""EDIFACT as the partner reads and answers it: CONTRL (syntax 3 and 4) and APERAK D.96A.

Fault codes are those of data element 0085 (ISO 9735). CONTRL tells per interchange (UCI), group (UCF), message (UCM),
segment (UCS) and element (UCD); action 0083 is 4 rejected, 7 acknowledged, 8 received.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from .edi import Delimiters, Fault, Group, Interchange, Message, NoInterchange, Reader, Segment, Stamp, Stamps, Written
from .edi_sums import edifact_sums

_UNA = re.compile(r"\s*UNA(.)(.)(.)(.)(.)(.)", re.DOTALL)
_LATIN = {"C": 1, "D": 2, "E": 5, "F": 7, "G": 3, "H": 4, "I": 6, "J": 8, "K": 9}
#: What the two lowest levels allow, service characters included (ISO 9735 annex A).
_LEVELS = {"A": r"[A-Z0-9 .,\-()/='+:?!\"%&*;<>\r\n]", "B": r"[A-Za-z0-9 .,\-()/='+:?!\"%&*;<>\r\n]"}
_REJECTED, _ACKNOWLEDGED, _RECEIVED = "4", "7", "8"
_ENDS = ("UNT", "UNH", "UNE", "UNG", "UNZ", "UNB")


@dataclass(frozen=True, slots=True)
class Edifact:
    """Answers in the syntax version it was written to: CONTRL:D:3 below version 4, CONTRL:4:1 from there."""

    def read(self, data: bytes) -> list[Interchange]:
        text = _unwrapped(data.decode("iso8859-1").removeprefix("ï»¿"))
        found: list[Interchange] = []
        at = 0
        while text[at:].strip("\r\n\t \x1a"):
            one, at = _interchange(text, at)
            found.append(one)
        if not found:
            raise NoInterchange("the file holds no UNB")
        return found

    def duplicate(self) -> Fault:
        return Fault("26", "this interchange control reference came before", "UNB")

    def refusal(self, code: str) -> Fault:
        return Fault(code or "18", "the interchange is refused", "UNB")

    def rejection(self, message: Message) -> Fault:
        place = next((n for n, one in enumerate(message.segments, 1) if one.tag == "BGM"), 0)
        return Fault("14", "the document number is refused", "BGM", place, 2, value=message.number)

    def acknowledge(self, interchange: Interchange, stamps: Stamps, miscount: bool = False) -> list[Written]:
        code = _REJECTED if interchange.faults else _ACKNOWLEDGED
        lines = [] if interchange.faults else [line for one in interchange.groups for line in _group(one)]
        if all(message.kind == "CONTRL" for message in interchange.messages) and interchange.groups:
            return []  # a CONTRL is never answered by a CONTRL
        return [_contrl(interchange, code, lines, stamps(), miscount)]

    def receipt(self, interchange: Interchange, stamp: Stamp) -> Written:
        return _contrl(replace(interchange, faults=()), _RECEIVED, [], stamp)

    def advise(
        self, interchange: Interchange, group: Group, message: Message, faults: Sequence[Fault], stamp: Stamp
    ) -> Written:
        at = stamp.at
        body: list[Sequence[str | Sequence[str]]] = [
            ("BGM", "305", f"ADV{stamp.number}", "27" if faults else "29"),
            ("DTM", ("137", f"{at:%Y%m%d%H%M}", "203")),
            ("RFF", ("ACW", message.reference)),
            ("RFF", ("IV", message.number)),
        ]
        for fault in faults:
            body += [("ERC", (fault.code,)), ("FTX", "AAO", "", "", (fault.text[:70],))]
        return _written(interchange, ("APERAK", "D", "96A", "UN"), body, stamp)


# --- reading ----------------------------------------------------------------------------------------------------------


def _unwrapped(text: str) -> str:
    """*text* without line breaks, which are no characters of any level, unless one ends segments."""
    una = _UNA.match(text)
    return text if una and una.group(6) in "\r\n" else text.replace("\r", "").replace("\n", "")


def _interchange(text: str, start: int) -> tuple[Interchange, int]:
    una = _UNA.match(text, start)
    component, element, mark, release, spare, terminator = una.groups() if una else (":", "+", ".", "?", " ", "'")
    delimiters = Delimiters(component, element, terminator, release.strip(), spare.strip(), mark)
    reader = Reader(text, delimiters, una.end() if una else start)
    header = reader.next()
    if header is None or header.tag != "UNB":
        raise NoInterchange(f"byte {start}: {text[start : start + 12]!r} begins no UNB")
    header = _decoded(header, header)
    messages: list[Message] = []
    groups: list[Group] = []
    faults: list[Fault] = []
    segment = reader.next()
    while segment and segment.tag not in ("UNZ", "UNB"):
        if segment.tag == "UNG":
            group, segment = _read_group(segment, reader, header)
            groups.append(group)
            continue
        if segment.tag == "UNH":
            message, segment = _read_message(segment, reader, header)
            messages.append(_unique(message, messages))
            continue
        faults.append(Fault("33", f"{segment.tag} stands outside a message", segment.tag))
        segment = reader.next()
    if messages and groups:
        faults.append(Fault("30", "groups and messages beside each other", "UNG"))
    if messages:
        groups.append(Group(None, "", tuple(messages)))
    counted = len(groups) if groups and groups[0].header else len(messages)
    faults += _trailer_faults(header, segment if segment and segment.tag == "UNZ" else None, counted)
    end = len(text) if segment is None else reader.begun if segment.tag == "UNB" else reader.at
    level = header.component(1)[3:4]
    if level in _LEVELS and (wrong := re.sub(_LEVELS[level], "", text[start:end])):
        faults.append(Fault("21", f"{header.component(1)} has no {wrong[0].encode('iso8859-1')!r}", "UNB", element=1))
    elif any("\ufffd" in part for one in messages for each in one.segments for part in _parts(each)):
        faults.append(Fault("21", f"characters that are not {header.component(1)}", "UNB", element=1))
    sender = ":".join(header.elements[1]) if len(header.elements) > 1 else ""
    return Interchange(header, sender, header.component(5), tuple(groups), delimiters, tuple(faults)), end


def _parts(segment: Segment) -> Iterator[str]:
    return (part for element in segment.elements for part in element)


def _decoded(segment: Segment, header: Segment) -> Segment:
    """*segment* in the character set that UNB names; what is none of its characters becomes U+FFFD."""
    level, version = header.component(1)[3:4], header.component(1, 2)
    charset = f"iso8859-{_LATIN[level]}" if level in _LATIN else "utf-8" if level in "WYX" and version >= "4" else ""
    if not charset or charset == "iso8859-1":
        return segment
    return Segment(
        segment.tag,
        tuple(
            tuple(part.encode("iso8859-1").decode(charset, "replace") for part in element)
            for element in segment.elements
        ),
    )


def _trailer_faults(header: Segment, unz: Segment | None, counted: int) -> Iterator[Fault]:
    reference = header.component(5)
    for place, what in ((1, "syntax"), (2, "sender"), (3, "recipient"), (4, "date"), (5, "control reference")):
        if not header.component(place):
            yield Fault("13", f"UNB has no {what}", "UNB", element=place)
    if not re.fullmatch(r"UNO[A-KWXY]", header.component(1)) or header.component(1, 2) not in ("1", "2", "3", "4"):
        yield Fault("2", f"syntax {':'.join((header.elements or ((),))[0])}", "UNB", element=1)
    if len(reference) > 14:
        yield Fault("39", "the control reference has more than 14 characters", "UNB", element=5)
    if unz is None:
        yield Fault("13", "the interchange ends without UNZ", "UNZ")
        return
    if unz.component(2) != reference:
        yield Fault("28", f"UNZ says {unz.component(2)}, UNB {reference}", "UNZ", element=2)
    if unz.component(1) != str(counted):
        yield Fault("29", f"UNZ says {unz.component(1)}, counted {counted}", "UNZ", element=1)
    if not counted:
        yield Fault("32", "the interchange is empty", "UNB")


def _read_group(header: Segment, reader: Reader, unb: Segment) -> tuple[Group, Segment | None]:
    messages: list[Message] = []
    faults: list[Fault] = []
    reference = header.component(5)
    segment = reader.next()
    while segment and segment.tag == "UNH":
        message, segment = _read_message(segment, reader, unb)
        messages.append(_unique(message, messages))
    if segment is None or segment.tag != "UNE":
        faults.append(Fault("13", "the group ends without UNE", "UNE"))
        return Group(header, reference, tuple(messages), tuple(faults)), segment
    if segment.component(2) != reference:
        faults.append(Fault("28", f"UNE says {segment.component(2)}, UNG {reference}", "UNE", element=2))
    if segment.component(1) != str(len(messages)):
        faults.append(Fault("29", f"UNE says {segment.component(1)}, counted {len(messages)}", "UNE", element=1))
    return Group(header, reference, tuple(messages), tuple(faults), segment.component(1)), reader.next()


def _unique(message: Message, others: Sequence[Message]) -> Message:
    if message.reference not in {one.reference for one in others}:
        return message
    fault = Fault("26", f"message reference {message.reference} came before", "UNH", element=1)
    return replace(message, faults=(*message.faults, fault))


def _read_message(header: Segment, reader: Reader, unb: Segment) -> tuple[Message, Segment | None]:
    segments = [_decoded(header, unb)]
    segment = reader.next()
    while segment and segment.tag not in _ENDS:
        segments.append(_decoded(segment, unb))
        segment = reader.next()
    kind, reference = header.component(2), header.component(1)
    faults: list[Fault] = []
    if not reference:
        faults.append(Fault("13", "UNH has no message reference", "UNH", element=1))
    if segment is None or segment.tag != "UNT":
        faults.append(Fault("13", "the message ends without UNT", "UNT"))
    else:
        segments.append(segment)
        if segment.component(2) != reference:
            faults.append(Fault("28", f"UNT says {segment.component(2)}, UNH {reference}", "UNT", element=2))
        if segment.component(1) != str(len(segments)):
            faults.append(Fault("29", f"UNT says {segment.component(1)}, counted {len(segments)}", "UNT", element=1))
        segment = reader.next()
    number = ""
    business: tuple[Fault, ...] = ()
    if kind == "INVOIC":
        faults += _content(segments)
        number = next((one.component(2) for one in segments if one.tag == "BGM"), "")
        business = () if faults else tuple(edifact_sums(segments, reader.delimiters.mark))
    return Message(kind, reference, tuple(segments), number, tuple(faults), business), segment


#: What every INVOIC has: segment, qualifiers that will do, in words.
_REQUIRED = (
    ("BGM", (), "BGM"), ("DTM", ("137",), "DTM 137"), ("NAD", ("BY", "IV"), "NAD BY"),
    ("NAD", ("SU", "SE", "II"), "NAD SU"), ("LIN", (), "LIN"), ("UNS", ("S",), "UNS+S"), ("MOA", (), "MOA"),
)  # fmt: skip


def _content(segments: Sequence[Segment]) -> Iterator[Fault]:
    """What an INVOIC lacks; a missing segment is told at the one before it, or, for summary ones, at the end."""
    for tag, qualifiers, name in _REQUIRED:
        if not any(one.tag == tag and (not qualifiers or one.component(1) in qualifiers) for one in segments):
            yield Fault("13", f"{name} is missing", tag, 1 if tag == "BGM" else len(segments) - 1)
    for place, one in enumerate(segments, 1):
        if not re.fullmatch(r"[A-Z]{3}", one.tag):
            yield Fault("12", f"{one.tag!r} is no segment", one.tag[:3], place)
        elif one.tag == "BGM" and not one.component(2):
            yield Fault("13", "the document number is missing", "BGM", place, 2)
        elif one.tag == "BGM" and len(one.component(2)) > 35:
            yield Fault("39", "the document number has more than 35 characters", "BGM", place, 2)


# --- answering --------------------------------------------------------------------------------------------------------

_Line = Sequence[str | Sequence[str]]


def _group(group: Group) -> Iterator[_Line]:
    if group.header:
        action = _REJECTED if group.faults else _ACKNOWLEDGED
        ids = [list(group.header.elements[at]) if at < len(group.header.elements) else [""] for at in (1, 2)]
        yield "UCF", group.reference, *ids, action, *_error(group.faults)
    for message in () if group.faults else group.messages:
        yield from _message(message, bool(group.header))


def _message(message: Message, grouped: bool) -> Iterator[_Line]:
    """UCM and what is below it; a message that is acknowledged is told as well, as partners do who answer each."""
    kind = list(message.segments[0].elements[1]) if len(message.segments[0].elements) > 1 else [""]
    action = _ACKNOWLEDGED if message.accepted else _REJECTED
    yield "UCM", message.reference, kind, action, *_error([one for one in message.faults if not one.position])
    for fault in sorted((one for one in message.faults if one.position), key=lambda one: one.position):
        if fault.element:
            yield "UCS", str(fault.position)
            yield "UCD", fault.code, (str(fault.element),)
        else:
            yield "UCS", str(fault.position), fault.code


def _error(faults: Sequence[Fault]) -> tuple[str | Sequence[str], ...]:
    """0085, the service segment and the element of the first of *faults*: CONTRL has room for one."""
    if not faults:
        return ()
    first = faults[0]
    return first.code, first.tag, (str(first.element),) if first.element else ""


def _contrl(interchange: Interchange, action: str, lines: list[_Line], stamp: Stamp, miscount: bool = False) -> Written:
    unb = interchange.header
    ids = [list(unb.elements[at]) if at < len(unb.elements) else [""] for at in (1, 2)]
    uci = ("UCI", interchange.reference, *ids, action, *_error(interchange.faults))
    version = ("4", "1") if unb.component(1, 2) == "4" else ("D", "3")
    return _written(interchange, ("CONTRL", *version, "UN"), [uci, *lines], stamp, miscount)


def _written(
    interchange: Interchange, kind: tuple[str, ...], body: Sequence[_Line], stamp: Stamp, miscount: bool = False
) -> Written:
    """An answer in an interchange of its own, in the delimiters, character set and syntax of what it answers."""
    unb, d, at = interchange.header, interchange.delimiters, stamp.at
    syntax = unb.component(1), unb.component(1, 2) if unb.component(1, 2) in ("3", "4") else "3"
    receiver, sender = (list(unb.elements[n]) if n < len(unb.elements) else [""] for n in (1, 2))
    moment = (f"{at:%Y%m%d}" if syntax[1] == "4" else f"{at:%y%m%d}", f"{at:%H%M}")
    number = str(stamp.number)
    count = len(body) + (3 if miscount else 2)
    test = ("", "", "", "", "", "1") if unb.component(11) == "1" else ()
    una = f"UNA{d.component}{d.element}{d.mark}{d.release or ' '}{d.repetition or ' '}{d.terminator}"
    text = una + d.join(
        ("UNB", syntax, sender, receiver, moment, number, *test),
        ("UNH", "1", kind),
        *body,
        ("UNT", str(count), "1"),
        ("UNZ", "1", number),
    )
    level = syntax[0][3:4]
    charset = f"iso8859-{_LATIN[level]}" if level in _LATIN else "utf-8" if level in "WYX" else "ascii"
    return Written(kind[0].lower(), stamp.number, text.encode(charset, "replace"))
