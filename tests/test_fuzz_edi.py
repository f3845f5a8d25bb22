"""Damaged EDI: every segment and element of a good interchange, one by one, broken in ways that no count shows.

What comes out is a refusal, or an invoice with findings that name the segment: never another exception, and never an
invoice that says nothing of what is gone.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from einvoice import formats
from einvoice.errors import EInvoiceError, UnreadableDocument
from einvoice.exchange import Read
from einvoice.sandbox.van import Mailbox
from tests import readable

#: fixture: terminator, element separator, component separator, the segment that counts and the element with its count
SAMPLES = {
    "edifact/de-invoice.d96a.edi": ("'", "+", ":", "UNT"),
    "edifact/it-withholding.d01b.edi": ("'", "+", ":", "UNT"),
    "edifact/fr-credit-note.d14b.edi": ("'", "+", ":", "UNT"),
    "x12/us-invoice.004010.x12": ("~", "*", ">", "SE"),
    "x12/ca-invoice.004010.x12": ("~", "*", ">", "SE"),
    "x12/us-invoice.005010.x12": ("~", "*", ">", "SE"),
}
EACH = pytest.mark.parametrize("name", SAMPLES)
#: What no number, date or code is, or only just; and what is too long for every element.
ODD = ("", " ", "-0", "1E400", "NaN", "9" * 40, "\u00b2", "20260230", "0000", "x" * 600, "?", "C", ".5", "1.2.3")
#: What says nothing new: counts of lines, which need not be stated; a tax number that stands with the tax as well; the
#: same account or the same contact of one party said again.
NO_LOSS = {"dropped": ("CNT", "CTT", "REF*4O"), "doubled": ("FII", "PER")}
ENVELOPE = ("UNA", "UNB", "UNG", "UNH", "UNT", "UNE", "UNZ", "ISA", "GS", "ST", "SE", "GE", "IEA")
PLACE = re.compile(r"(the whole |segment \d+ |message |set |UN[A-Z]|ISA|IEA|G[SE]|S[TE])")


@dataclass(frozen=True)
class Sample:
    """An interchange of one message, as segments without their terminator."""

    segments: tuple[str, ...]
    terminator: str
    element: str
    component: str
    counting: str

    @classmethod
    def of(cls, name: str) -> Sample:
        terminator, element, component, counting = SAMPLES[name]
        text = (readable.FIXTURES / name).read_bytes().decode("iso8859-1")
        parts = re.split(rf"(?<!\?){re.escape(terminator)}\n?", text)
        if parts[0].startswith("UNA"):  # its last character is the terminator
            parts[0] = parts[0][:8]
        return cls(tuple(part for part in parts if part), terminator, element, component, counting)

    def body(self) -> Iterator[int]:
        return (at for at, one in enumerate(self.segments) if one.split(self.element)[0] not in ENVELOPE and at)

    def data(self, segments: list[str], sealed: bool = True) -> bytes:
        """The bytes of *segments*; *sealed*: with the count that they have."""
        if sealed:
            start = next(at for at, one in enumerate(segments) if one.startswith(("UNH", "ST" + self.element)))
            end = next(at for at, one in enumerate(segments) if one.split(self.element)[0] == self.counting)
            parts = segments[end].split(self.element)
            parts[1] = str(end - start + 1)
            segments = [*segments[:end], self.element.join(parts), *segments[end + 1 :]]
        return "".join(f"{one}{self.terminator}" for one in segments).encode("iso8859-1", "replace")

    def changed(self, at: int, *instead: str) -> list[str]:
        return [*self.segments[:at], *instead, *self.segments[at + 1 :]]


def outcome(data: bytes) -> Read | None:
    """The one invoice of *data* with findings that have a place; None when it was refused with one."""
    try:
        found = list(formats.read(data))
    except UnreadableDocument:
        return None
    for one in found:
        if one.problem is not None:
            assert PLACE.search(one.problem.where), one.problem
            return None
        for finding in one.findings:
            assert finding.message
            assert PLACE.search(finding.place), finding
    assert len(found) == 1
    return found[0]


def whole(sample: Sample) -> Read:
    found = outcome(sample.data(list(sample.segments)))
    assert found is not None
    return found


def said(found: Read | None, good: Read) -> bool:
    """Whether one can tell *found* from *good*."""
    return found is None or found.invoice != good.invoice or found.findings != good.findings


@EACH
def test_a_good_sample_is_read(name: str) -> None:
    assert whole(Sample.of(name)).invoice.lines


@EACH
def test_a_segment_that_is_dropped_or_doubled_under_right_counts_is_never_silent(name: str) -> None:
    sample = Sample.of(name)
    good = whole(sample)
    silent = [
        (what, sample.segments[at])
        for at in sample.body()
        for what, instead in (("dropped", ()), ("doubled", (sample.segments[at],) * 2))
        if not sample.segments[at].startswith(NO_LOSS[what])
        and not said(outcome(sample.data(sample.changed(at, *instead))), good)
    ]
    assert silent == []


@pytest.mark.parametrize("name", ["edifact/de-invoice.d96a.edi", "x12/us-invoice.004010.x12"])
def test_a_second_place_of_delivery_is_one_more_party(name: str) -> None:
    sample = Sample.of(name)
    first, role = ("N1*ST*Elsewhere Ltd", "ST") if name.startswith("x12") else ("NAD+DP+++Elsewhere Ltd", "DP")
    at = next(at for at, one in enumerate(sample.segments) if one.startswith(first[:6]))
    found = outcome(sample.data(sample.changed(at, first, sample.segments[at])))
    assert found is not None
    assert found.invoice.delivery is not None
    assert found.invoice.delivery.name == "Elsewhere Ltd"
    assert [one.role for one in found.invoice.other_parties if one.party and one.party.name] == [role]


@EACH
def test_a_segment_cut_emptied_or_moved_is_read_or_refused(name: str) -> None:
    sample = Sample.of(name)
    for at in sample.body():
        one, after = sample.segments[at], sample.segments[at + 1]
        tag = one.split(sample.element)[0]
        for instead in (
            one[: len(one) // 2],
            tag,
            f"{tag}{sample.element * 40}",
            one[1:],
            "",
            one + sample.element * 30,
        ):
            outcome(sample.data(sample.changed(at, instead)))
        outcome(sample.data([*sample.segments[:at], after, one, *sample.segments[at + 2 :]], sealed=False))


@EACH
def test_every_element_may_hold_anything(name: str) -> None:
    sample = Sample.of(name)
    odd = itertools.cycle(ODD)
    for at in range(len(sample.segments)):
        if sample.segments[at].startswith("UNA"):
            continue
        cut = f"([{re.escape(sample.element + sample.component)}])"
        parts = re.split(cut, sample.segments[at])
        for place in range(2, len(parts), 2):
            text = "".join([*parts[:place], next(odd), *parts[place + 1 :]])
            sealed = not text.startswith(ENVELOPE)
            outcome(sample.data(sample.changed(at, text), sealed))


@EACH
def test_a_delimiter_in_data_is_never_silent(name: str) -> None:
    """A partner who does not release, or pick, its delimiters: the terminator is counted, the others move elements."""
    sample = Sample.of(name)
    good = whole(sample)
    for at in sample.body():
        parts = sample.segments[at].split(sample.element)
        last = max((place for place, part in enumerate(parts) if place and len(part) > 1), default=0)
        if not last:
            continue
        for mark in (sample.terminator, sample.element, sample.component):
            text = sample.element.join(
                [*parts[:last], f"{parts[last][:-1]}{mark}{parts[last][-1]}", *parts[last + 1 :]]
            )
            found = outcome(sample.data(sample.changed(at, text), sealed=False))
            if mark == sample.terminator:
                assert found is None, text
            else:
                assert said(found, good), text


@EACH
def test_every_count_and_reference_of_the_envelope_is_compared(name: str) -> None:
    sample = Sample.of(name)
    tried = 0
    for at, one in enumerate(sample.segments):
        tag, *elements = one.split(sample.element)
        if tag not in ("UNT", "UNZ", "SE", "GE", "IEA"):
            continue
        for place, wrong in itertools.product((0, 1), ("", "0", "99", "x", "-1", "000000999")):
            text = sample.element.join([tag, *elements[:place], wrong, *elements[place + 1 :]])
            assert outcome(sample.data(sample.changed(at, text), sealed=False)) is None, text
            tried += 1
        for instead in ((), (one, one)):
            assert outcome(sample.data(sample.changed(at, *instead), sealed=False)) is None, one
    assert tried >= 24


@EACH
def test_the_partner_of_the_sandbox_refuses_the_same_damage(name: str, tmp_path: Path) -> None:
    """Two programs that share no code: neither takes an interchange that lost a segment or has one twice."""
    sample = Sample.of(name)
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    box = Mailbox(tmp_path / "in", tmp_path / "out", standard="x12" if name.startswith("x12") else "edifact")
    for at in sample.body():
        for instead in ((), (sample.segments[at],) * 2):
            data = sample.data(sample.changed(at, *instead), sealed=False)
            assert outcome(data) is None
            (box.inbox / "a.edi").write_bytes(data)
            assert not any(one.accepted for one in box.work()), sample.segments[at]


@pytest.mark.parametrize("syntax", ["UNOA", "UNOB"])
def test_a_character_outside_the_level_is_refused_at_its_segment(syntax: str) -> None:
    sample = Sample.of("edifact/de-invoice.d96a.edi")
    text = sample.data(list(sample.segments)).replace(b"UNOC", syntax.encode())
    (one,) = formats.read(text)
    assert one.problem is not None
    assert re.search(r"segment \d+ [A-Z]{3}", one.problem.where), one.problem


ANSWERS = {
    "997": b"AK1*IN*57~AK2*810*0001~AK3*BIG*2**8~AK4*2*76*7*X~AK5*R*5~AK9*R*1*1*0~",
    "999": b"AK1*IN*57*005010~AK2*810*0001~IK3*BIG*2**8~IK4*2*76*7*X~IK5*R*I5~AK9*R*1*1*0~",
    "824": b"BGN*11*1*20261124~OTI*TR*IV*INV-1*A*B*20261124*0930*57*0001*810~TED*010*out of balance~",
    "CONTRL": b"UCI+4711+A:14+B:14+7'UCM+1+INVOIC:D:96A:UN+4+29+UNT+1'UCS+2+13'UCD+14+2:1'",
    "APERAK": b"BGM+305+1+27'DTM+137:202611240930:203'RFF+ACW:1'RFF+IV:INV-1'ERC+010'FTX+AAO+++wrong'",
}


@pytest.mark.parametrize("kind", ANSWERS)
def test_a_damaged_acknowledgement_is_read_or_refused(kind: str) -> None:
    """Each segment dropped, doubled, cut; each element emptied or odd: an answer, or EInvoiceError."""
    x12 = kind.isdigit()
    mark, separator = (b"~", b"*") if x12 else (b"'", b"+")
    segments = ANSWERS[kind].split(mark)[:-1]

    def whole(body: list[bytes]) -> bytes:
        if x12:
            head = (
                b"ISA*00*          *00*          *01*999123456      *ZZ*SELLER         *261124*0930*U*00401*000000001"
            )
            head += b"*0*T*>~GS*FA*B*A*20261124*0930*1*X*004010~ST*" + kind.encode() + b"*0001~"
            return head + b"".join(one + mark for one in body) + b"SE*%d*0001~GE*1*1~IEA*1*000000001~" % (len(body) + 2)
        head = b"UNB+UNOC:3+B:14+A:14+261124:0930+1'UNH+1+%s:D:3:UN'" % kind.encode()
        return head + b"".join(one + mark for one in body) + b"UNT+%d+1'UNZ+1+1'" % (len(body) + 2)

    assert any(one.meaning == "rejected" for one in formats.answers(whole(segments)))
    for at, one in enumerate(segments):
        elements = one.split(separator)
        damaged = [[], [one, one], [one[: len(one) // 2]], [elements[0]], [one + separator * 30]]
        damaged += (
            [separator.join([*elements[:place], odd.encode("iso8859-1"), *elements[place + 1 :]])]
            for place in range(1, len(elements))
            for odd in ODD
        )
        for instead in damaged:
            try:
                found = formats.answers(whole([*segments[:at], *instead, *segments[at + 1 :]]))
            except EInvoiceError:
                continue
            assert all(each.meaning for each in found)
