"""The partner behind a VAN mailbox: what it takes, what it answers, how it misbehaves.

Interchanges here are written by hand; answers are judged by pyx12's maps, by pydifact and by the service directory of
the UN, never by readers of einvoice.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from einvoice.errors import ConfigError
from einvoice.sandbox.van import Mailbox, main
from tests import readable

ISA = "ISA*00*          *00*          *ZZ*SELLER         *01*999123456      *261124*0930*U*00401*{:09d}*{}*T*>~"
LINES = "IT1*1*48*EA*3**VP*R5656-2~SAC*A*C310***400~TDS*14900~TXI*ST*5.00~SAC*C*D240***400~CTT*1~"
BODY = "BIG*20261014*{}*20260928*4500781234***DI~N1*BY*Larkfield Motors LLC*1*999123456~" + LINES


def x12_set(number: str = "INV-1", reference: str = "0001", body: str = BODY) -> str:
    inside = body.format(number)
    return f"ST*810*{reference}~{inside}SE*{inside.count('~') + 2}*{reference}~"


def x12(*sets: str, control: int = 131, version: str = "004010", ta1: int = 0, group: int = 57) -> str:
    isa = ISA.format(control, ta1).replace("*U*00401", "*^*00501" if version >= "005" else "*U*00401")
    gs = f"GS*IN*SELLER*999123456*20261124*0930*{group}*X*{version}~"
    return f"{isa}{gs}{''.join(sets or (x12_set(),))}GE*{len(sets) or 1}*{group}~IEA*1*{control:09d}~"


MESSAGE = (
    "BGM+380+{}+9'DTM+137:20261014:102'NAD+BY+4012345500004::9'NAD+SU+4012345600001::9'LIN+1++4000862141404:EN'"
    "QTY+47:4'MOA+203:100.00'UNS+S'CNT+2:1'MOA+79:100.00'MOA+125:100.00'MOA+176:19.00'MOA+77:119.00'"
)


def invoic(number: str = "INV-1", reference: str = "1", body: str = MESSAGE) -> str:
    inside = body.format(number)
    head = f"UNH+{reference}+INVOIC:D:96A:UN:EAN008'"
    return f"{head}{inside}UNT+{inside.count(chr(39)) + 2}+{reference}'"


def edifact(*messages: str, reference: str = "4711", syntax: str = "UNOC:3") -> str:
    day = "20261124" if syntax.endswith("4") else "261124"
    unb = f"UNB+{syntax}+4012345600001:14+4012345500004:14+{day}:0930+{reference}++INVOIC++++1'"
    return f"{unb}{''.join(messages or (invoic(),))}UNZ+{len(messages) or 1}+{reference}'"


def put(box: Mailbox, text: str, name: str = "INV_1.edi") -> None:
    (box.inbox / name).write_bytes(text.encode("iso8859-1"))


def answers(box: Mailbox) -> list[str]:
    """What lies in the outbox, in the order it was written."""
    names = sorted((path.name for path in box.outbox.iterdir()), key=lambda name: name.partition("_")[2])
    return [(box.outbox / name).read_text("iso8859-1") for name in names]


def exchanged(box: Mailbox, text: str) -> list[str]:
    """The lines of every answer to *text* between the envelopes."""
    put(box, text)
    box.work()
    return lines(*answers(box))


def lines(*texts: str) -> list[str]:
    found = [line for text in texts for line in re.split(r"[~']", text) if line]
    return [line for line in found if not re.match(r"(ISA|GS|ST|SE|GE|IEA|UNA|UNB|UNH|UNT|UNZ)", line)]


@pytest.fixture(params=["x12", "edifact"])
def either(request: pytest.FixtureRequest, van_mailbox: Any) -> tuple[Mailbox, Any]:
    """A mailbox of each standard, and a function from a number to an interchange with a document of that number."""
    write = {
        "x12": lambda *numbers, control=131: x12(
            *(x12_set(number, f"{at:04d}") for at, number in enumerate(numbers or ("INV-1",), 1)), control=control
        ),
        "edifact": lambda *numbers, control=131: edifact(
            *(invoic(number, str(at)) for at, number in enumerate(numbers or ("INV-1",), 1)), reference=str(control)
        ),
    }
    return van_mailbox.open(request.param), write[request.param]


# --- a sound interchange ----------------------------------------------------------------------------------------------


def test_a_sound_invoice_is_taken_kept_counted_and_acknowledged(either: tuple[Mailbox, Any]) -> None:
    box, write = either
    text = write("INV-1")
    put(box, text)
    (taken,) = box.work()
    assert taken.accepted
    assert [document.number for document in taken.documents] == ["INV-1"]
    assert (box.store / taken.kept).read_bytes() == text.encode()
    assert list(box.inbox.iterdir()) == []
    assert len(answers(box)) == 1
    assert (box.copies("INV-1"), box.booked("INV-1")) == (1, 1)
    assert box.work() == []


def test_a_997_says_which_set_of_which_group(van_mailbox: Any) -> None:
    box = van_mailbox.open("x12")
    assert exchanged(box, x12()) == ["AK1*IN*57", "AK2*810*0001", "AK5*A", "AK9*A*1*1*1"]
    (text,) = answers(box)
    assert text.startswith("ISA*00*          *00*          *01*999123456      *ZZ*SELLER         *")
    assert "GS*FA*999123456*SELLER*" in text


def test_version_005010_is_answered_by_a_999_and_a_997_where_that_is_agreed(van_mailbox: Any) -> None:
    box = van_mailbox.open("x12")
    assert exchanged(box, x12(version="005010")) == ["AK1*IN*57*005010", "AK2*810*0001", "IK5*A", "AK9*A*1*1*1"]
    agreed = Mailbox(box.inbox, box.outbox, standard="x12", ack="997", store=box.store)
    put(agreed, x12(version="005010", control=132))
    agreed.work()
    assert lines(answers(agreed)[-1])[0] == "AK1*IN*57"


def test_ta1_comes_when_the_mailbox_or_the_interchange_asks(van_mailbox: Any) -> None:
    box = van_mailbox.open("x12")
    assert exchanged(box, x12(ta1=1))[0] == "TA1*000000131*261124*0930*A*000"
    always = Mailbox(box.inbox, box.outbox, standard="x12", ta1=True, store=box.store)
    put(always, x12(control=132))
    always.work()
    assert "TA1*000000132*261124*0930*A*000" in lines(*answers(always))


def test_control_numbers_are_never_used_twice_over_restarts(van_mailbox: Any) -> None:
    for control in (1, 2, 3):
        box = van_mailbox.open("x12", ta1=True)
        put(box, x12(control=control))
        box.work()
    numbers = [text[90:99] for text in answers(box)]
    assert len(numbers) == len(set(numbers)) == 6


def test_contrl_acknowledges_each_message(van_mailbox: Any) -> None:
    box = van_mailbox.open("edifact")
    assert exchanged(box, edifact(invoic("A", "1"), invoic("B", "2"))) == [
        "UCI+4711+4012345600001:14+4012345500004:14+7",
        "UCM+1+INVOIC:D:96A:UN:EAN008+7",
        "UCM+2+INVOIC:D:96A:UN:EAN008+7",
    ]
    assert "UNB+UNOC:3+4012345500004:14+4012345600001:14+" in answers(box)[0]


def test_syntax_version_4_gets_its_own_contrl(van_mailbox: Any) -> None:
    box = van_mailbox.open("edifact")
    exchanged(box, edifact(syntax="UNOW:4"))
    (text,) = answers(box)
    assert "+CONTRL:4:1:UN'" in text
    assert re.search(r"\+20\d{6}:\d{4}\+", text)


def test_no_acknowledgement_is_acknowledged(van_mailbox: Any) -> None:
    box = van_mailbox.open("x12")
    put(box, x12("ST*997*0001~AK1*IN*1~AK9*A*1*1*1~SE*4*0001~").replace("GS*IN", "GS*FA"))
    contrl = Mailbox(box.inbox, box.outbox, standard="edifact", store=box.store)
    assert box.work()
    put(contrl, edifact("UNH+1+CONTRL:D:3:UN'UCI+1+A+B+7'UNT+3+1'"))
    assert contrl.work()
    assert answers(box) == []


@pytest.mark.parametrize("path", sorted((readable.FIXTURES / "x12").glob("*")), ids=lambda path: path.name)
def test_the_810_fixtures_are_accepted_and_their_sums_agree(path: Path, van_mailbox: Any) -> None:
    box = van_mailbox.open("x12")
    shutil.copy(path, box.inbox)
    (taken,) = box.work()
    assert taken.accepted
    assert [document.faults for document in taken.documents] == [()]


@pytest.mark.parametrize("path", sorted((readable.FIXTURES / "edifact").glob("*")), ids=lambda path: path.name)
def test_the_invoic_fixtures_are_accepted_and_their_sums_agree(path: Path, van_mailbox: Any) -> None:
    """They are written without the identifiers a profile gives, which no interchange can do without."""
    text = path.read_bytes().decode("iso8859-1")
    sealed = re.sub(r"(UNB\+UNO\w:\d)\+[^+]*\+[^+]*\+", r"\1+SELLER:ZZ+BUYER:ZZ+", text)
    box = van_mailbox.open("edifact")
    (box.inbox / path.name).write_bytes(sealed.encode("iso8859-1"))
    (taken,) = box.work()
    assert taken.accepted, taken
    assert [document.faults for document in taken.documents] == [()]
    (box.inbox / path.name).write_bytes(text.encode("iso8859-1"))
    (without,) = box.work()
    assert any("has no recipient" in fault for fault in without.faults)


# --- faults -----------------------------------------------------------------------------------------------------------

X12_FAULTS = {
    "SE01 is one less": (("SE*10*", "SE*9*"), ["AK5*R*4", "AK9*R*1*1*0"]),
    "SE02 is another": (("SE*10*0001", "SE*10*0002"), ["AK5*R*3", "AK9*R*1*1*0"]),
    "GE01 is two": (("GE*1*", "GE*2*"), ["AK9*R*2*1*0*5"]),
    "GE02 is another": (("GE*1*57", "GE*1*58"), ["AK9*R*1*1*0*4"]),
    "IEA01 is two": (("IEA*1*", "IEA*2*"), ["TA1*000000131*261124*0930*R*021"]),
    "IEA02 is another": (("IEA*1*000000131", "IEA*1*000000132"), ["TA1*000000131*261124*0930*R*001"]),
    "no IEA": (("IEA*1*000000131~", ""), ["TA1*000000131*261124*0930*R*023"]),
    "no GE": (("GE*1*57~", ""), ["AK9*R*1*1*0*3"]),
    "no SE": (("SE*10*0001~", ""), ["AK5*R*2", "AK9*R*1*1*0"]),
    "no BIG": (("BIG*20261014*INV-1*20260928*4500781234***DI~", ""), ["AK3*BIG*2**3", "AK5*R*4*5"]),
    "no N1": (("N1*BY*Larkfield Motors LLC*1*999123456~", ""), ["AK3*N1*9**3", "AK5*R*4*5"]),
    "no TDS": (("TDS*14900~", ""), ["AK3*TDS*9**3", "AK5*R*4*5"]),
    "no line": (("IT1*1*48*EA*3**VP*R5656-2~", ""), ["AK3*IT1*9**3", "AK5*R*4*5"]),
    "a date that is none": (("BIG*20261014", "BIG*20261314"), ["AK3*BIG*2**8", "AK4*1*373*8*20261314", "AK5*R*5"]),
    "no invoice number": (("*INV-1*", "**"), ["AK3*BIG*2**8", "AK4*2*76*1", "AK5*R*5"]),
    "a number too long": (("INV-1", "1" * 23), ["AK3*BIG*2**8", f"AK4*2*76*5*{'1' * 23}", "AK5*R*5"]),
    "a total with a point": (("TDS*14900", "TDS*149.00"), ["AK3*TDS*6**8", "AK4*1*610*6*149.00", "AK5*R*5"]),
    "no version": (("*00401*", "*     *"), ["TA1*000000131*261124*0930*R*017"]),
    "no group control number": (("GS*IN*SELLER*999123456*20261124*0930*57*", "GS*IN*SELLER*999123456*20261124*0930**"),
                                ["AK9*R*1*1*0*4*6"]),
}  # fmt: skip


@pytest.mark.parametrize("what", X12_FAULTS)
def test_a_fault_of_an_interchange_has_its_code(what: str, van_mailbox: Any) -> None:
    (old, new), wanted = X12_FAULTS[what]
    text = x12()
    assert old in text
    box = van_mailbox.open("x12")
    found = exchanged(box, text.replace(old, new, 1))
    assert [line for line in found if line in wanted] == wanted, found
    assert box.booked("INV-1") == 0


EDIFACT_FAULTS = {
    "UNT count": (("UNT+15+1", "UNT+16+1"), ["UCM+1+INVOIC:D:96A:UN:EAN008+4+29+UNT+1"]),
    "UNT reference": (("UNT+15+1", "UNT+15+2"), ["UCM+1+INVOIC:D:96A:UN:EAN008+4+28+UNT+2"]),
    "no UNT": (("UNT+15+1'", ""), ["UCM+1+INVOIC:D:96A:UN:EAN008+4+13+UNT"]),
    "UNZ count": (("UNZ+1", "UNZ+2"), ["UCI+4711+4012345600001:14+4012345500004:14+4+29+UNZ+1"]),
    "UNZ reference": (("UNZ+1+4711", "UNZ+1+4712"), ["UCI+4711+4012345600001:14+4012345500004:14+4+28+UNZ+2"]),
    "no UNZ": (("UNZ+1+4711'", ""), ["UCI+4711+4012345600001:14+4012345500004:14+4+13+UNZ"]),
    "no recipient": (("+4012345500004:14+", "++"), ["UCI+4711+4012345600001:14++4+13+UNB+3"]),
    "syntax": (("UNOC:3", "UNOC:9"), ["UCI+4711+4012345600001:14+4012345500004:14+4+2+UNB+1"]),
    "characters": (("UNOC:3", "UNOA:3"), ["UCI+4711+4012345600001:14+4012345500004:14+4+21+UNB+1"]),
    "no BGM": (("BGM+380+INV-1+9'", ""), ["UCS+1+13"]),
    "no number": (("+INV-1+", "++"), ["UCS+2", "UCD+13+2"]),
    "no date": (("DTM+137:", "DTM+171:"), ["UCS+14+13"]),
    "no buyer": (("NAD+BY", "NAD+DP"), ["UCS+14+13"]),
    "no supplier": (("NAD+SU", "NAD+DP"), ["UCS+14+13"]),
    "no line": (("LIN+1++4000862141404:EN'", ""), ["UCS+13+13"]),
    "no summary": (("UNS+S'", ""), ["UCS+13+13"]),
    "stray": (("UNZ+1", "BGM+380'UNZ+1"), ["UCI+4711+4012345600001:14+4012345500004:14+4+33+BGM"]),
}  # fmt: skip


@pytest.mark.parametrize("what", EDIFACT_FAULTS)
def test_a_fault_of_a_message_has_its_code(what: str, van_mailbox: Any) -> None:
    (old, new), wanted = EDIFACT_FAULTS[what]
    text = edifact()
    if what == "characters":
        text = text.replace("4000862141404", "ü")
    assert old in text
    box = van_mailbox.open("edifact")
    found = exchanged(box, text.replace(old, new, 1))
    assert [line for line in found if line in wanted] == wanted, found
    assert box.booked("INV-1") == 0


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00", b"UNH+1+INVOIC'", b"ISA*00*", b"ISA" + b"*" * 103, b"<xml/>"])
@pytest.mark.parametrize("standard", ["x12", "edifact"])
def test_what_is_no_interchange_is_kept_and_not_answered(data: bytes, standard: str, van_mailbox: Any) -> None:
    box = van_mailbox.open(standard)
    (box.inbox / "x.edi").write_bytes(data)
    (taken,) = box.work()
    assert taken.faults
    assert (box.store / taken.kept).read_bytes() == data
    assert answers(box) == []


def test_one_file_may_hold_many_interchanges_and_each_is_answered(either: tuple[Mailbox, Any]) -> None:
    box, write = either
    put(box, f"{write('A', control=1)}\r\n{write('B', control=2)}")
    assert [one.documents[0].number for one in box.work()] == ["A", "B"]
    assert len(answers(box)) == 2


def test_an_interchange_that_came_before_is_refused_as_a_duplicate_and_not_booked_again(van_mailbox: Any) -> None:
    box = van_mailbox.open("x12")
    exchanged(box, x12())
    again = van_mailbox.open("x12")  # the partner remembers over a restart
    assert exchanged(again, x12())[-1] == "TA1*000000131*261124*0930*R*025"
    assert (again.copies("INV-1"), again.booked("INV-1")) == (2, 1)
    assert again.taken[-1].duplicate


def test_a_repeated_reference_is_a_duplicate_by_0085(van_mailbox: Any) -> None:
    box = van_mailbox.open("edifact")
    exchanged(box, edifact())
    assert exchanged(box, edifact())[-1] == "UCI+4711+4012345600001:14+4012345500004:14+4+26+UNB"
    assert (box.copies("INV-1"), box.booked("INV-1")) == (2, 1)


def test_what_was_refused_may_come_again_under_its_number(either: tuple[Mailbox, Any]) -> None:
    box, write = either
    text = write("INV-1")
    put(box, re.sub(r"(IEA\*|UNZ\+)1", r"\g<1>2", text))
    assert not box.work()[0].accepted
    put(box, text)
    assert box.work()[0].accepted
    assert box.booked("INV-1") == 1


def test_a_new_control_number_does_not_hide_a_second_delivery(either: tuple[Mailbox, Any]) -> None:
    box, write = either
    for control in (1, 2):
        put(box, write("INV-1", control=control))
        box.work()
    assert box.booked("INV-1") == 2


def test_a_set_number_twice_in_its_group(van_mailbox: Any) -> None:
    found = exchanged(van_mailbox.open("x12"), x12(x12_set("A"), x12_set("B")))
    assert found[1:] == ["AK2*810*0001", "AK5*A", "AK2*810*0001", "AK5*R*23", "AK9*P*2*2*1"]


def test_a_refused_document_is_refused_at_its_number(van_mailbox: Any) -> None:
    box = van_mailbox.open("x12", rejected={"B"})
    found = exchanged(box, x12(x12_set("A", "0001"), x12_set("B", "0002")))
    assert found[3:] == ["AK2*810*0002", "AK3*BIG*2**8", "AK4*2*76*7*B", "AK5*R*5", "AK9*P*2*2*1"]
    assert (box.booked("A"), box.booked("B")) == (1, 0)
    other = Mailbox(box.inbox, box.outbox, standard="edifact", rejected={"B"}, store=box.store)
    put(other, edifact(invoic("B", "1"), reference="1"))
    other.work()
    assert lines(answers(other)[-1])[1:] == ["UCM+1+INVOIC:D:96A:UN:EAN008+4", "UCS+2", "UCD+14+2"]


def test_messages_in_groups_are_answered_by_group(van_mailbox: Any) -> None:
    text = edifact(invoic(), reference="9")
    text = text.replace("UNH+", "UNG+INVOIC+A:14+B:14+261124:0930+7+UN+D:96A'UNH+", 1).replace("UNZ+1", "UNE+1+7'UNZ+1")
    found = exchanged(van_mailbox.open("edifact"), text)
    assert found[1:] == ["UCF+7+A:14+B:14+7", "UCM+1+INVOIC:D:96A:UN:EAN008+7"]


def test_una_says_how_the_interchange_is_cut(van_mailbox: Any) -> None:
    text = edifact(invoic("A\0B"))
    other = text.translate(str.maketrans({":": "|", "+": "^", "'": "~", ".": ","}))
    box = van_mailbox.open("edifact")
    put(box, "UNA|^,! ~" + other.replace("\0", "!~"))
    (taken,) = box.work()
    assert (taken.accepted, taken.documents[0].number, taken.documents[0].faults) == (True, "A~B", ())


# --- the application --------------------------------------------------------------------------------------------------

WRONG_SUMS = {
    "x12": (("TDS*14900", "TDS*15000"), "TED*010*TDS01 150, computed 149.00"),
    "x12 count": (("CTT*1", "CTT*2"), "TED*011*CTT01 2, counted 1 IT1"),
    "edifact": (("MOA+79:100.00", "MOA+79:100.10"), "ERC+010"),
    "edifact total": (("MOA+77:119.00", "MOA+77:109.00"), "FTX+AAO+++MOA 77 109.00, 100.00 and 19.00 make 119.00"),
    "edifact count": (("CNT+2:1", "CNT+2:3"), "ERC+011"),
}


@pytest.mark.parametrize("what", WRONG_SUMS)
def test_sums_are_for_the_application_to_refuse(what: str, van_mailbox: Any) -> None:
    standard = what.split()[0]
    (old, new), told = WRONG_SUMS[what]
    text = {"x12": x12(), "edifact": edifact()}[standard]
    assert old in text
    box = van_mailbox.open(standard, advice=True)
    found = exchanged(box, text.replace(old, new))
    assert told in found
    assert box.taken[0].documents[0].faults
    assert any(line in ("AK5*A", "UCM+1+INVOIC:D:96A:UN:EAN008+7") for line in found)


def test_the_application_accepts_by_number(van_mailbox: Any) -> None:
    box = van_mailbox.open("x12", advice=True)
    assert any(re.fullmatch(r"OTI\*TA\*IV\*INV-1\*SELLER\*999123456\*\d{8}\*\d{4}\*57\*0001\*810", line)
               for line in exchanged(box, x12()))  # fmt: skip
    other = Mailbox(box.inbox, box.outbox, standard="edifact", advice=True, store=box.store)
    put(other, edifact())
    other.work()
    aperak = lines(answers(other)[-1])
    assert re.fullmatch(r"BGM\+305\+ADV\d+\+29", aperak[0])
    assert aperak[2:] == ["RFF+ACW:1", "RFF+IV:INV-1"]


def test_a_rejection_may_come_after_the_acknowledgement(either: tuple[Mailbox, Any]) -> None:
    box, write = either
    box.next("late_reject", number="B", rounds=2, code="ZZZ", text="price differs")
    put(box, write("A", "B"))
    box.work()
    assert len(answers(box)) == 1
    box.work()
    assert len(answers(box)) == 1
    box.work()
    found = lines(answers(box)[1])
    assert "TED*ZZZ*price differs" in found or {"ERC+ZZZ", "FTX+AAO+++price differs", "RFF+IV:B"} <= {*found}


# --- misbehaviour -----------------------------------------------------------------------------------------------------


def test_a_withheld_acknowledgement_comes_rounds_later_or_when_released(either: tuple[Mailbox, Any]) -> None:
    box, write = either
    box.next("withhold", rounds=1)
    box.next("withhold", rounds=0)
    put(box, write("A", control=1))
    box.work()
    assert answers(box) == []
    box.work()
    assert len(answers(box)) == 1
    put(box, write("B", control=2))
    for _ in range(3):
        box.work()
    assert len(answers(box)) == 1
    box.release()
    assert len(answers(box)) == 2
    assert box.booked("A") == box.booked("B") == 1


def test_an_acknowledgement_twice_is_the_same_bytes_under_two_names(either: tuple[Mailbox, Any]) -> None:
    box, write = either
    box.next("twice")
    put(box, write())
    box.work()
    first, second = answers(box)
    assert first == second


def test_an_orphan_speaks_of_what_was_never_sent(van_mailbox: Any) -> None:
    box = van_mailbox.open("x12", ta1=True)
    box.next("orphan")
    found = exchanged(box, x12())
    assert [line for line in found if line.startswith(("TA1", "AK1"))] == [
        "TA1*000000131*261124*0930*A*000", "AK1*IN*57", "TA1*999999868*261124*0930*A*000", "AK1*IN*42",
    ]  # fmt: skip
    other = Mailbox(box.inbox, box.outbox, standard="edifact", store=box.store)
    other.next("orphan")
    put(other, edifact())
    other.work()
    assert {line.split("+")[1] for line in lines(*answers(other)) if line.startswith("UCI")} == {"4711", "5288"}


def test_part_of_a_group_may_be_accepted(either: tuple[Mailbox, Any]) -> None:
    box, write = either
    box.next("partial")
    put(box, write("A", "B", "C"))
    box.work()
    found = lines(*answers(box))
    assert "AK9*P*3*3*2" in found or [line[-1] for line in found if line.startswith("UCM")] == ["4", "7", "7"]
    assert [box.booked(number) for number in "ABC"] == [0, 1, 1]


def test_an_interchange_may_be_refused_as_a_whole(van_mailbox: Any) -> None:
    box = van_mailbox.open("x12")
    box.next("refuse", code="009")
    assert exchanged(box, x12()) == ["TA1*000000131*261124*0930*R*009"]
    assert box.booked("INV-1") == 0
    other = Mailbox(box.inbox, box.outbox, standard="edifact", store=box.store)
    other.next("refuse", code="23")
    put(other, edifact())
    other.work()
    assert lines(answers(other)[-1]) == ["UCI+4711+4012345600001:14+4012345500004:14+4+23+UNB"]


def test_answers_may_contradict_each_other(either: tuple[Mailbox, Any]) -> None:
    box, write = either
    box.next("contradict", rounds=1)
    put(box, write())
    box.work()
    (rejects,) = answers(box)
    assert {"AK9*R*1*1*0", "UCM+1+INVOIC:D:96A:UN:EAN008+4"} & {*lines(rejects)}
    box.work()
    (accepts,) = [text for text in answers(box) if text != rejects]
    assert {"AK9*A*1*1*1", "UCM+1+INVOIC:D:96A:UN:EAN008+7"} & {*lines(accepts)}


def test_counts_may_contradict_content(either: tuple[Mailbox, Any]) -> None:
    box, write = either
    box.next("miscount")
    put(box, write())
    box.work()
    (text,) = answers(box)
    assert "AK9*A*1*1*2~" in text or re.search(r"UNT\+5\+1'", text)


def test_a_cut_acknowledgement_and_one_that_is_still_growing(either: tuple[Mailbox, Any]) -> None:
    box, write = either
    box.next("cut")
    box.next("growing")
    put(box, write(control=1))
    box.work()
    assert not answers(box)[0].endswith(("~", "'"))
    put(box, write(control=2))
    box.work()
    half = answers(box)[-1]
    box.work()
    assert answers(box)[-1].startswith(half)
    assert len(answers(box)[-1]) > len(half) * 1.9


def test_receipt_comes_before_the_verdict(van_mailbox: Any) -> None:
    box = van_mailbox.open("edifact")
    box.next("receipt")
    assert exchanged(box, edifact()) == ["UCI+4711+4012345600001:14+4012345500004:14+8"]
    box.work()
    assert "UCI+4711+4012345600001:14+4012345500004:14+7" in lines(*answers(box))


@pytest.mark.parametrize("name", [".INV_1.edi.tmp", "INV_1.edi.filepart", "INV_1.edi.part", "INV_1.edi~"])
def test_a_file_that_is_being_written_is_left_unless_the_partner_takes_all_it_sees(
    name: str, either: tuple[Mailbox, Any]
) -> None:
    box, write = either
    put(box, write()[:150], name)
    assert box.work() == []
    assert (box.inbox / name).exists()
    box.next("consume")
    (taken,) = box.work()
    assert not taken.accepted
    assert list(box.inbox.iterdir()) == []


def test_a_file_that_grows_is_left_until_it_has_settled(van_mailbox: Any) -> None:
    box = van_mailbox.open("x12", settle=60)
    put(box, x12())
    assert box.work() == []
    before = time.time() - 61
    os.utime(box.inbox / "INV_1.edi", (before, before))
    assert len(box.work()) == 1


def test_behaviours_are_chosen_by_reference_number_file_and_turn(either: tuple[Mailbox, Any]) -> None:
    box, write = either
    box.next("withhold", number="B*", rounds=0)
    box.next("withhold", reference="*9", rounds=0)
    box.next("withhold", file="slow*", rounds=0)
    box.next("withhold", number="D", after=1, times=0, rounds=0)
    for control, (number, name) in enumerate(
        [("A", "a"), ("B1", "a"), ("C", "slow-1"), ("D", "a"), ("D", "a"), ("D", "a")], 1
    ):
        put(box, write(number, control=control), name)
        box.work()
    put(box, write("A", control=199))
    box.work()
    assert [one.behaviour for one in box.taken] == ["", "withhold", "withhold", "", "withhold", "withhold", "withhold"]


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_takes_once_and_tells_in_json(tmp_path: Path) -> None:
    for name in ("in", "out"):
        (tmp_path / name).mkdir()
    (tmp_path / "in" / "a.edi").write_text(x12(x12_set("A", "0001"), x12_set("B", "0002")))
    (tmp_path / "s.toml").write_text('[[behaviour]]\ndo = "twice"\n')
    words = ["--inbox", tmp_path / "in", "--outbox", tmp_path / "out", "--standard", "x12", "--once", "--settle", "0"]
    said = io.StringIO()
    assert main([*map(str, words), "--reject", "B", "--scenario", str(tmp_path / "s.toml")], said) == 0
    (row,) = map(json.loads, said.getvalue().splitlines())
    assert [one["accepted"] for one in row["documents"]] == [True, False]
    assert (row["accepted"], row["behaviour"]) == (False, "twice")
    assert len(list((tmp_path / "out").iterdir())) == 2


@pytest.mark.parametrize("words", [["--standard", "x12", "--ack", "contrl"], ["--standard", "edifact", "--ta1"],
                                   ["--standard", "x12", "--scenario", "/nowhere.toml"]])  # fmt: skip
def test_options_that_cannot_be_used_end_with_2(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ["--inbox", str(tmp_path), "--outbox", str(tmp_path), "--once"]
    assert main([*place, *words]) == 2
    assert "Fix:" in capsys.readouterr().err


def test_a_folder_that_is_missing_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is no directory"):
        Mailbox(tmp_path / "none", tmp_path, standard="x12")


def test_the_partner_loads_nothing_of_what_it_judges() -> None:
    code = "import einvoice.sandbox.van, sys; print([name for name in sys.modules if name.startswith('einvoice')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "einvoice.sandbox.edi_x12" in done.stdout
    assert not re.search(r"einvoice\.(formats|transport|signing|mapping|pipeline|model)", done.stdout)


# --- judged by others -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def maps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """pyx12's maps, with the codes of an invoice beside those of health care, which are all it lists."""
    pyx12 = pytest.importorskip("pyx12", reason="pyx12 is not installed")
    folder = tmp_path_factory.mktemp("maps") / "map"
    shutil.copytree(Path(pyx12.__file__).parent / "map", folder)
    for path in folder.glob("99[79]*.xml"):
        text = path.read_text("utf-8")
        path.write_text(text.replace("<code>BE</code>", "<code>BE</code><code>IN</code>")
                        .replace("<code>837</code>", "<code>837</code><code>810</code>"), "utf-8")  # fmt: skip
    return folder


def judged_by_pyx12(text: str, maps: Path, tmp_path: Path) -> str:
    """Empty when pyx12 finds nothing wrong, else its own 997 for *text*."""
    params = pytest.importorskip("pyx12.params", reason="pyx12 is not installed")
    document = pytest.importorskip("pyx12.x12n_document", reason="pyx12 is not installed")
    path, said = tmp_path / "answer.x12", io.StringIO()
    path.write_text(text)
    good = document.x12n_document(params.params(), str(path), said, None, map_path=str(maps))
    return "" if good else said.getvalue() or "refused"


@pytest.mark.interop
@pytest.mark.parametrize("version", ["004010", "005010"])
@pytest.mark.parametrize("what", ["sound", *sorted(X12_FAULTS.keys() - {"no version", "no group control number"})])
def test_pyx12_takes_every_997_999_and_ta1(
    version: str, what: str, van_mailbox: Any, maps: Path, tmp_path: Path
) -> None:
    old, new = X12_FAULTS[what][0] if what != "sound" else ("", "")
    box = van_mailbox.open("x12", ta1=True, rejected={"B"})
    sets = (x12_set("INV-1", "0001"), x12_set("B", "0002")) if what == "sound" else ()
    exchanged(box, x12(*sets, version=version).replace(old, new, 1))
    assert answers(box)
    for text in answers(box):
        assert judged_by_pyx12(text, maps, tmp_path) == "", text


@pytest.mark.interop
def test_pyx12_sees_a_997_that_is_wrong(van_mailbox: Any, maps: Path, tmp_path: Path) -> None:
    """The judge can say no."""
    box = van_mailbox.open("x12")
    exchanged(box, x12())
    (text,) = answers(box)
    for old, new in (("AK5*A", "AK5*Q"), ("AK9*A*1*1*1", "AK9*A"), ("SE*6", "SE*9"), ("AK1*IN*57~", "")):
        assert judged_by_pyx12(text.replace(old, new), maps, tmp_path), old


@pytest.mark.interop
@pytest.mark.parametrize("name", ["834_lui_id_5010", "834_eol_in_element", "mult_isa", "simple1"])
def test_the_partner_names_groups_and_sets_as_pyx12_does(name: str, van_mailbox: Any, reference: Path) -> None:
    """What each set is worth pyx12 finds by guides of health care; where those have no objection all agrees."""
    base = reference / "edi" / "pyx12-ack"
    (expected,) = base.glob(f"{name}.expected-*.txt")
    box = van_mailbox.open("x12")
    shutil.copy(base / f"{name}.input.txt", box.inbox)
    box.work()
    core = ("AK1", "AK2", "AK9", "IK5") if name == "834_lui_id_5010" else ("AK1", "AK2")
    wanted = [line.strip() for line in re.split("[~\n]", expected.read_text()) if line.strip().startswith(core)]
    found = [line for line in lines(*answers(box)) if line.startswith(core)]
    assert wanted
    assert found == wanted


def structure(reference: Path, version: str) -> dict[str, list[tuple[str, bool]]]:
    """Segments of the service directory: their elements, and whether each is required."""
    path = reference / "edi" / "edifact-d24a" / "service" / version / "data" / "simple_segments.xml"
    return {
        str(one.get("id")): [(str(each.get("id")), each.get("required") == "true") for each in one]
        for one in etree.parse(path).getroot().iter("segment")
    }


def codes(reference: Path, version: str, element: str) -> set[str]:
    path = reference / "edi" / "edifact-d24a" / "service" / version / "data" / "data_elements.xml"
    return {
        str(one.get("id")) for one in etree.parse(path).getroot().iterfind(f".//data_element[@id='{element}']/code")
    }


@pytest.mark.interop
@pytest.mark.parametrize(("syntax", "version"), [("UNOC:3", "v300"), ("UNOW:4", "v402")])
@pytest.mark.parametrize("what", ["sound", *sorted(EDIFACT_FAULTS.keys() - {"no recipient", "syntax", "characters"})])
def test_contrl_is_what_the_service_directory_says(
    what: str, syntax: str, version: str, van_mailbox: Any, reference: Path
) -> None:
    """Cut by pydifact, held against the segments and codes of the UN: tags, mandatory elements, 0083 and 0085.

    Not for faults of UNB itself, which UCI copies.
    """
    collection = pytest.importorskip("pydifact.segmentcollection", reason="pydifact is not installed")
    old, new = EDIFACT_FAULTS[what][0] if what != "sound" else ("", "")
    box = van_mailbox.open("edifact")
    exchanged(box, edifact(syntax=syntax).replace(old, new, 1))
    (text,) = answers(box)
    known, actions, errors = structure(reference, version), *(codes(reference, version, e) for e in ("0083", "0085"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        interchange = collection.Interchange.from_str(text)
        (message,) = interchange.get_messages()
    assert message.type == "CONTRL"
    segments = list(message.segments)
    for segment in segments:
        fields = known[segment.tag]
        assert len(segment.elements) <= len(fields)
        for at, (identifier, required) in enumerate(fields):
            value = segment.elements[at] if at < len(segment.elements) else ""
            assert value or not required, (segment, identifier)
            if value and identifier in ("0083", "0085"):
                assert value in {"0083": actions, "0085": errors}[identifier], (segment, identifier)
    assert segments[0].tag == "UCI"
    assert int(re.search(r"UNT\+(\d+)\+", text)[1]) == len(segments) + 2  # type: ignore[index]


@pytest.mark.interop
def test_pydifact_reads_the_aperak(van_mailbox: Any) -> None:
    collection = pytest.importorskip("pydifact.segmentcollection", reason="pydifact is not installed")
    box = van_mailbox.open("edifact", advice=True)
    exchanged(box, edifact().replace("CNT+2:1", "CNT+2:3"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (message,) = collection.Interchange.from_str(answers(box)[1]).get_messages()
    assert message.type == "APERAK"
    assert [segment.tag for segment in message.segments] == ["BGM", "DTM", "RFF", "RFF", "ERC", "FTX"]
