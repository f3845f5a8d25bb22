"""CONTRL for interchanges that came in (ISO 9735-4): taken, or refused with the place and code of each error."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from ..exchange import Document, Environment, Identity
from ._edifact_codec import Fault, Group, Interchange, Message, messages
from ._edifact_directory import DIRECTORIES, of_release
from ._edifact_prepare import root_of
from ._edifact_stream import CHARSETS
from ._edifact_write import Envelope, Party, advice, fitted, interchange, message
from ._segments import NOWHERE, Delimiters
from ._segments_write import segment


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found on one message; no fault: it is taken."""

    group: Group | None
    reference: str
    kind: tuple[str, ...]
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Received:
    """One interchange that came in, and the verdict on each of its messages."""

    interchange: Interchange
    verdicts: tuple[Verdict, ...]

    @property
    def taken(self) -> bool:
        """True when the interchange as such was sound; some of its messages may still be refused."""
        return not self.interchange.faults and not self.interchange.broken


def structure(one: Message) -> list[Fault]:
    """Faults of an INVOIC that its directory shows: BGM or UNS missing, a segment that has no place."""
    if one.kind != "INVOIC":
        return []
    root = root_of(one, DIRECTORIES[of_release(one.release)], lambda finding: None)
    faults = []
    if root.find("BGM") is None:
        faults.append(Fault("13", "the message has no BGM", "BGM", 2))
    if root.find("SG-UNS") is None:
        faults.append(Fault("13", "the message has no UNS", "UNS", one.count))
    for part in root:
        if part.tag.startswith(NOWHERE):
            tag = part.tag.removeprefix(NOWHERE)
            faults.append(Fault("15", f"{tag[:3]} is not supported in this position", tag, part.position))
    return faults


def received(
    stream: BinaryIO, charset: str = "", check: Callable[[Message], list[Fault]] = structure
) -> Iterator[Received]:
    """Each interchange of *stream* with its verdicts, one message in memory at a time.

    UnreadableDocument where there is nothing that could be answered: no UNB, a syntax identifier no one knows.
    """
    verdicts: list[Verdict] = []
    for part in messages(stream, charset):
        if isinstance(part, Message):
            kind = (part.kind, part.version, part.release, part.agency, part.association)
            faults = (*part.faults, *(check(part) if not part.faults else ()))
            verdicts.append(Verdict(part.group, part.reference, kind, faults))
        else:
            yield Received(part, tuple(verdicts))
            verdicts = []


def contrl(one: Received, ids: Identity) -> Document:
    """The CONTRL that answers *one*, in an interchange back to its sender.

    UCI 7 alone: all was taken. UCI 7 with UCM 4: all but these. UCI 4: nothing was, for the error it names.
    Control numbers are ``ids.numbers``: "interchange" and "message".
    """
    subject = one.interchange
    delimiters = Delimiters(repetition="*" if subject.version == "4" else "")
    reference = ids.numbers.get("message", "1")
    kind = ("CONTRL", "4", "1", "UN") if subject.version == "4" else ("CONTRL", "D", "3", "UN")
    body = "".join(_body(one, delimiters))
    envelope = Envelope(
        _party(subject.recipient), _party(subject.sender), ids.numbers.get("interchange", "1"), ids.at,
        subject.syntax if subject.syntax in CHARSETS else "UNOC",
        int(subject.version) if subject.version in ("1", "2", "3", "4") else 3,
        test=ids.environment is Environment.TEST,
    )  # fmt: skip
    text = interchange(envelope, [message(reference, kind, body, delimiters)], delimiters)
    text, changed = fitted(text, envelope.syntax, delimiters, transliterate=True)
    data = (advice(delimiters) + text).encode(CHARSETS[envelope.syntax])
    return Document(data, "edifact", "application/EDIFACT", f"{ids.payload_id}.edi", tuple(changed))


def _party(parts: Sequence[str]) -> Party:
    return Party(*(*parts, "", "", "")[:3])


def _body(one: Received, d: Delimiters) -> Iterator[str]:
    subject = one.interchange
    fault = subject.faults[0] if subject.faults else None
    yield segment(d, "UCI", subject.reference, subject.sender, subject.recipient, *_action(fault, service=True))
    if fault:
        return
    for group in subject.broken:
        yield _group(group, group.faults[0], d)
    last: Group | None = None
    for verdict in one.verdicts:
        if not verdict.faults or verdict.group in subject.broken:
            continue
        if verdict.group is not None and verdict.group is not last:
            last = verdict.group
            yield _group(last, None, d)
        yield from _refused(verdict, d)


def _group(group: Group, fault: Fault | None, d: Delimiters) -> str:
    return segment(d, "UCF", group.reference, group.sender, group.recipient, *_action(fault, service=True))


def _action(fault: Fault | None, service: bool) -> tuple[str | tuple[str, ...], ...]:
    """0083, 0085, 0013 and S011; the place is stated where a service segment is at fault."""
    if fault is None:
        return ("7",)
    return ("4", fault.code, fault.tag[:3], _place(fault)) if service else ("4",)


def _place(fault: Fault) -> tuple[str, ...]:
    """S011: 0098 counts the segment tag as the first element."""
    if not fault.element:
        return ()
    return (str(fault.element + 1), str(fault.component)) if fault.component else (str(fault.element + 1),)


def _refused(verdict: Verdict, d: Delimiters) -> Iterator[str]:
    service = [fault for fault in verdict.faults if fault.tag in ("UNH", "UNT")]
    inside = [fault for fault in verdict.faults if fault.tag not in ("UNH", "UNT")]
    named = _action(service[0] if service else verdict.faults[0], service=bool(service))
    yield segment(d, "UCM", verdict.reference, verdict.kind, *named)
    for fault in inside[:999]:
        if fault.element:
            yield segment(d, "UCS", str(fault.position))
            yield segment(d, "UCD", fault.code, _place(fault))
        else:
            yield segment(d, "UCS", str(fault.position), fault.code)
