"""A FatturaPA file from its progressive to what SdI says of it: the name it goes under is the name it answers to."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from einvoice import formats
from einvoice.cli import _home as cli
from einvoice.exchange import Document, Envelope, Environment, Identity, Inbound, Outcome, Part
from einvoice.formats.fatturapa import FatturaPa, FatturaPaFormat
from einvoice.ledger import Ledger, ProfileRef, SendPolicy, State
from einvoice.ledger.work import Unsealed
from einvoice.model import Invoice
from einvoice.partners.profile import Numbers
from einvoice.pipeline import _fact
from einvoice.transport.folder import Folder, FolderTransport
from tests.test_edi_line import home_of
from tests.test_fatturapa import invoice, notice, texts
from tests.test_numbers import NOON, PRODUCTION, TEST, submit

MADE_BY = "IT99999000013"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger.db") as opened:
        yield opened


@pytest.fixture
def outbox(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def fix(
    ledger: Ledger, outbox: Path, number: str, one: Invoice, where: Environment = TEST, first: str = "1",
    settings: FatturaPa | None = None,
) -> int:  # fmt: skip
    """The transmission that holds *one*, under the progressive it was given."""
    form, ids = FatturaPaFormat(settings), Identity(f"{number}.{where}@seller.example", NOON, where)

    def seal(parts: Sequence[Part], numbers: Mapping[str, range]) -> tuple[Envelope, Sequence[Document]]:
        numbered = replace(ids, numbers={kind: str(taken[0]) for kind, taken in numbers.items()})
        whole, documents = form.write_many(parts, numbered)
        return FolderTransport(Folder(outbox=outbox), name="sdi", environment=where).pack([whole], numbered), documents

    part = form.part(one, ids)
    part = replace(part, series=tuple(replace(each, first=Numbers(progressive=first).first()[each.kind])
                                      for each in part.series))  # fmt: skip
    ready = Unsealed(part, seal, "folder:sdi", ProfileRef("sdi", 1), "{}", SendPolicy(proof=()))
    key = ledger.commit_unsealed([submit(ledger, number, where)], [ready], at=NOON)
    assert key is not None
    return key


def put(ledger: Ledger, outbox: Path, key: int, where: Environment = TEST) -> State:
    claim = next(one for one in ledger.claim("w", lease_seconds=60, limit=9, at=NOON) if one.transmission_id == key)
    attempt = ledger.begin_attempt(key, fence=claim.fence, worker="w", at=NOON)
    assert attempt is not None
    transport = FolderTransport(Folder(outbox=outbox), name="sdi", environment=where)
    receipt = transport.deliver(ledger.transmission(key).envelope, at=NOON)
    assert receipt.outcome is Outcome.ACCEPTED
    return ledger.end_attempt(attempt.id, receipt, at=NOON)


def hear(ledger: Ledger, data: bytes, where: Environment | None = None) -> str:
    """Takes a notice in; the state it comes to."""
    inbox_id, _ = ledger.take_in(Inbound("folder:sdi", f"{hash(data)}", data), at=NOON)
    ledger.settle(inbox_id, [replace(_fact(one), environment=where) for one in formats.answers(data)], at=NOON)
    return next(item.state for item in ledger.inbox() if item.id == inbox_id)


def told(name: str, file: str, more: str = "") -> bytes:
    return notice(name, f"<NomeFile>{file}</NomeFile>{more}<MessageId>9</MessageId>")


def test_files_of_one_sender_count_on_through_digits_and_letters(ledger: Ledger, outbox: Path) -> None:
    names = []
    for number in "ABC":
        key = fix(ledger, outbox, number, invoice("credit-note"), first="9")
        envelope = ledger.transmission(key).envelope
        names.append(envelope.name)
        (document,) = formats.read(envelope.data)
        assert document.problem is None
        (kept,) = ledger.artifacts(ledger.transmission(key).delivery_ids[0])
        assert (kept.name, kept.data) == (envelope.name, envelope.data)
        stated = texts(Document(envelope.data, "fatturapa", "application/xml", ""), ".//ProgressivoInvio")
        assert envelope.name == f"{MADE_BY}_{stated[0]}.xml"
    assert names == [f"{MADE_BY}_{sign}.xml" for sign in ("00009", "0000A", "0000B")]


def test_each_sender_and_each_environment_counts_apart(ledger: Ledger, outbox: Path) -> None:
    one, other = invoice("credit-note"), FatturaPa.model_validate({"sender": {"code": "99999000054"}})
    fix(ledger, outbox, "A", one)
    keys = [fix(ledger, outbox, "B", one, PRODUCTION), fix(ledger, outbox, "C", one, settings=other)]
    found = [ledger.transmission(key).envelope.name for key in keys]
    assert found == [f"{MADE_BY}_00001.xml", "IT99999000054_00001.xml"]


def test_production_goes_out_under_the_progressive_it_was_given() -> None:
    part = FatturaPaFormat().part(invoice("credit-note"), Identity("x@example.example", NOON, PRODUCTION))
    assert [loss.rule for loss in part.losses if loss.fatal] == []
    (series,) = part.series
    assert (series.kind, series.between, series.highest) == ("progressive", f"fatturapa:{MADE_BY}>sdi", 36**5 - 1)


def test_the_file_lies_under_its_name_and_the_notices_find_it(ledger: Ledger, outbox: Path) -> None:
    for number in "AB":
        assert put(ledger, outbox, fix(ledger, outbox, number, invoice("credit-note"))) is State.SENT
    assert sorted(file.name for file in outbox.iterdir()) == [f"{MADE_BY}_0000{n}.xml" for n in (1, 2)]
    assert hear(ledger, told("RicevutaConsegna", f"{MADE_BY}_00002.xml.p7m")) == "matched"
    assert hear(ledger, told("NotificaScarto", f"{MADE_BY}_00001.xml")) == "matched"
    assert {view.number: str(view.state) for view in ledger.status()} == {"A": "rejected", "B": "delivered"}
    assert ledger.invariants() == []


def test_a_notice_of_a_file_that_was_never_sent_waits(ledger: Ledger, outbox: Path) -> None:
    put(ledger, outbox, fix(ledger, outbox, "A", invoice("credit-note")))
    assert hear(ledger, told("RicevutaConsegna", f"{MADE_BY}_00002.xml")) == "orphan"
    (item,) = ledger.inbox()
    assert f"{MADE_BY}_00002.xml" in item.note
    other = "<RiferimentoFattura><NumeroFattura>Z</NumeroFattura></RiferimentoFattura><Esito>EC02</Esito>"
    assert hear(ledger, told("NotificaEsito", f"{MADE_BY}_00001.xml", other)) == "orphan", "the file holds no Z"
    (view,) = ledger.status()
    assert (view.state, view.business, view.total) == (State.SENT, "", Decimal("1.00"))


def test_one_name_in_both_environments_is_told_apart_by_where_the_notice_came_in(ledger: Ledger, outbox: Path) -> None:
    for number, where in (("A", TEST), ("B", PRODUCTION)):
        folder = outbox / where
        folder.mkdir()
        put(ledger, folder, fix(ledger, folder, number, invoice("credit-note"), where), where)
    data = told("RicevutaConsegna", f"{MADE_BY}_00001.xml")
    assert hear(ledger, data) == "orphan", "which of the two is not said"
    assert hear(ledger, data + b"\n", PRODUCTION) == "matched"
    assert {view.number: str(view.state) for view in ledger.status()} == {"A": "sent", "B": "delivered"}


def test_a_message_without_environment_has_that_of_the_profile_whose_mailbox_gave_it(tmp_path: Path) -> None:
    home = home_of(tmp_path / "home", "x12")
    data = told("RicevutaConsegna", f"{MADE_BY}_00001.xml")
    with home.ledger() as ledger:
        line = cli.Home(Namespace(home=str(home.path))).pipeline(ledger)
        channels = ("folder:larkfield-us-test", "folder:larkfield-us-test:x", "folder:larkfield-us-test2", "file:a")
        facts = [fact for one in channels for fact in line.interpret(Inbound(one, "r", data))]
    assert [getattr(fact, "environment", "") for fact in facts] == [TEST, TEST, None, None]
