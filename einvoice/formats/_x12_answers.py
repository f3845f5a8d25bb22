"""TA1, 997, 999 and 824: what a partner's translator and a partner's application say of our sets.

A functional acknowledgement names a group by GS06 and a set by ST02, never the interchange; TA1 names the interchange
alone. All speak of what went the other way: our ends are theirs turned round.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence

from ..errors import UnreadableDocument
from ..exchange import Answer, Environment
from ._edi import between
from ._segments import Data
from ._x12_codec import Interchange, Set, part, sets
from ._x12_orders import KINDS as ORDERS
from ._x12_remittance import remitted
from ._x12_words import ELEMENT, GROUP, INTERCHANGE, SEGMENT, SET, VERDICTS

_VERDICTS = {"A": "delivered", "E": "delivered", "R": "rejected", "M": "rejected", "W": "rejected", "X": "rejected"}
_TA1 = {"A": "received", "E": "received", "R": "rejected"}
#: OTI01: the second letter is the verdict, the first says of what (T set, I item, G group, B batch).
_APPLICATION = {"A": "accepted", "C": "accepted", "E": "accepted", "P": "query", "R": "rejected"}
#: OTI02 where OTI03 is the number of an invoice.
_INVOICE = ("IV", "OI", "I5", "IN")


def answers(data: bytes) -> Iterator[Answer]:
    """One Answer for each TA1, for each group and set that a 997 or 999 names, each OTI of an 824, each RMR of an 820.

    A group that was accepted whole names no set: the answer that speaks of the group alone holds for every set in it
    that no other answer names. An acknowledgement that is itself faulty is information, never a verdict.

    UnreadableDocument when there is no such segment or set.
    """
    found = False
    for one in sets(io.BytesIO(data)):
        if isinstance(one, Interchange):
            for note in one.notes:
                found = True
                yield _ta1(one, note)
        elif isinstance(one, Set) and one.kind in _READERS:
            found = True
            yield from _READERS[one.kind](one)
        elif isinstance(one, Set) and one.kind in ORDERS:
            found = True  # read as an order, not as an answer
    if not found:
        raise UnreadableDocument(
            "the interchange holds no TA1, 997, 999, 824, 820 or order", fix="see the message in the inbox"
        )


def _environment(one: Interchange) -> Environment:
    return Environment.TEST if one.test else Environment.PRODUCTION


def _id(one: Interchange, *rest: str) -> str:
    """The partner's own id: sender and its control numbers are unique together."""
    return "/".join(text for text in (one.isa[5].strip(), one.control, *rest) if text)


def _ours(ends: Sequence[str]) -> str:
    """The ends of what is answered, from those of the answer."""
    sender, recipient = ends
    return between("x12", recipient, sender)


def _ta1(one: Interchange, data: Data) -> Answer:
    control, day, time, verdict, note = (part(data, at) for at in range(1, 6))
    return Answer(
        kind="ta1", code=verdict, meaning=_TA1.get(verdict, "info"), remote_id=_id(one, "TA1", control),
        environment=_environment(one), between=_ours(one.isa[5:8:2]), interchange=control,
        duplicate=(verdict, note) == ("R", "025"),
        text=f"{INTERCHANGE.get(note, 'error')} ({note}), interchange of {day} {time}",
    )  # fmt: skip


# --- 997 and 999 ------------------------------------------------------------------------------------------------------


def _functional(one: Set) -> Iterator[Answer]:
    """AK1, then AK2 with its errors to AK5 (IK5 in a 999), then AK9."""
    group, current = "", ""
    told: list[str] = []
    verdicts: list[str] = []
    for _, tag, data in one.segments:
        if tag == "AK1":
            group = part(data, 2)
        elif tag == "AK2":
            current, told = part(data, 2), []
        elif tag in ("AK3", "IK3"):
            words = SEGMENT.get(part(data, 4), "error")
            told.append(f"segment {part(data, 2)} {part(data, 1)}: {words} ({part(data, 4)})")
        elif tag in ("AK4", "IK4"):
            told.append(_element(data))
        elif tag in ("AK5", "IK5"):
            verdicts.append(part(data, 1))
            yield _level(one, data, [*_codes(data, 2, SET), *told], group, current)
        elif tag == "AK9":
            yield _level(one, data, [*_codes(data, 5, GROUP), *_contradicted(data, verdicts)], group)


def _element(data: Data) -> str:
    component = f" component {part(data, 1, 2)}" if part(data, 1, 2) else ""
    bad = f" {part(data, 4)!r}" if part(data, 4) else ""
    number = f" (X12 {part(data, 2)})" if part(data, 2) else ""
    words = ELEMENT.get(part(data, 3), "error")
    return f"element {part(data, 1, 1)}{component}{number}: {words} ({part(data, 3)}){bad}"


def _codes(data: Data, first: int, words: dict[str, str]) -> list[str]:
    codes = [part(data, at) for at in range(first, first + 5)]
    return [f"{words.get(code, 'error')} ({code})" for code in codes if code]


def _contradicted(data: Data, verdicts: Sequence[str]) -> list[str]:
    """AK904 counts the accepted sets; what is named may say otherwise, and then each set's own verdict holds."""
    refused = sum(one not in ("A", "E") for one in verdicts)
    received, accepted = part(data, 3), part(data, 4)
    counts = received + accepted
    if not (received and accepted and counts.isascii() and counts.isdigit() and len(counts) < 20):
        return []
    if int(received) - int(accepted) == refused:
        return []
    return [f"AK9 counts {accepted} of {received} sets accepted, {refused} are refused by name"]


def _level(one: Set, data: Data, told: Sequence[str], group: str, message: str = "") -> Answer:
    code = part(data, 1)
    faulty = [f"the acknowledgement itself is faulty: {one.faults[0].text}"] if one.faults else []
    return Answer(
        kind=f"x12-{one.kind}",
        code=code,
        meaning="info" if faulty else _VERDICTS.get(code, "info"),
        remote_id=_id(one.interchange, one.group.control if one.group else "", one.control),
        environment=_environment(one.interchange),
        text="; ".join([*faulty, VERDICTS.get(code, "verdict unknown"), *told])[:500],
        between=_ours(one.group.gs[1:3]) if one.group else "",
        group=group,
        message=message,
    )


# --- 824 --------------------------------------------------------------------------------------------------------------


def _application(one: Set) -> Iterator[Answer]:
    """Each OTI with the errors (TED) and notes (NTE) that follow it."""
    loops: list[tuple[Data, list[str]]] = []
    for _, tag, data in one.segments:
        if tag == "OTI":
            loops.append((data, []))
        elif tag == "TED" and loops:
            words = [f"error {part(data, 1)}", part(data, 2), part(data, 7)]
            loops[-1][1].append(": ".join(word for word in words if word))
        elif tag == "NTE" and loops:
            loops[-1][1].append(part(data, 2))
    for oti, told in loops:
        yield _verdict(one, oti, told)


def _verdict(one: Set, oti: Data, told: Sequence[str]) -> Answer:
    code, kind, number = part(oti, 1), part(oti, 2), part(oti, 3)
    group, control = part(oti, 8), part(oti, 9)
    faulty = [f"the advice itself is faulty: {one.faults[0].text}"] if one.faults else []
    reference = [] if kind in _INVOICE or not number else [f"reference {kind} {number}"]
    return Answer(
        kind="x12-824",
        code=code,
        meaning="info" if faulty else _APPLICATION.get(code[-1:], "info"),
        remote_id=_id(one.interchange, one.group.control if one.group else "", one.control, number),
        number=number if kind in _INVOICE else "",
        environment=_environment(one.interchange),
        text="; ".join([*faulty, *reference, *told])[:500],
        between=_ours(one.group.gs[1:3]) if one.group else "",
        group=group,
        message=control,
    )


_READERS: dict[str, Callable[[Set], Iterable[Answer]]] = {
    "997": _functional, "999": _functional, "824": _application, "820": remitted,
}  # fmt: skip
