"""Remittances: what partners say they paid adds up to the payment of a document, and moves nothing else of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from einvoice import formats
from einvoice.errors import UnreadableDocument
from einvoice.exchange import Inbound
from einvoice.ledger import DeliveryView, Ledger
from tests import home as homes
from tests.test_orders import edi_home

FILES = homes.FIXTURES / "orders"
AT = datetime(2027, 1, 5, 8, tzinfo=UTC)
CXML, X12, EDIFACT = "us-remittance.cxml.xml", "us-remittance.004010.x12", "de-remittance.d96a.edi"


def lines(name: str) -> list[tuple[Any, ...]]:
    found = formats.answers((FILES / name).read_bytes())
    assert {one.meaning for one in found} == {"info"}, "a remittance proves no delivery"
    return [
        (one.number, one.issue_date, p.amount, p.currency, p.on, p.reference, p.adjustments)
        for one in found
        if (p := one.payment)
    ]


# --- reading ----------------------------------------------------------------------------------------------------------


def test_cxml_pays_the_net_amount_and_tells_the_discount() -> None:
    assert lines(CXML) == [
        ("US-104417", date(2026, 10, 14), Decimal("7000.00"), "USD", date(2026, 11, 10), "TR-991",
         (("discount", Decimal("129.57")),)),
    ]  # fmt: skip


def test_x12_pays_rmr04_and_tells_discount_and_adjustments() -> None:
    assert lines(X12) == [
        ("US-104417", date(2026, 10, 14), 7000, "USD", date(2026, 11, 10), "PAY-7781",
         (("discount", Decimal("129.57")),)),
        ("US-104420", None, Decimal("3129.57"), "USD", date(2026, 11, 10), "PAY-7781", (("01", 100),)),
    ]  # fmt: skip


def test_edifact_pays_the_amount_remitted_on_the_day_of_payment() -> None:
    assert lines(EDIFACT) == [
        ("DE-2026-00815", date(2026, 10, 5), Decimal("3097.33"), "EUR", date(2026, 11, 4), "ZA-5512",
         (("discount", Decimal("63.21")),)),
        ("DE-2026-00816", None, 100, "EUR", date(2026, 11, 4), "ZA-5512", (("22", 15),)),
    ]  # fmt: skip


def test_the_name_of_a_payment_is_that_of_the_remittance_not_of_its_envelope() -> None:
    again = (FILES / CXML).read_bytes().replace(b"pay-7781@larkfield", b"other-id@larkfield")
    ids = [[one.remote_id for one in formats.answers(data)] for data in (again, (FILES / CXML).read_bytes())]
    assert ids == [["PAY-7781/1"], ["PAY-7781/1"]]


def test_a_void_remittance_takes_its_amounts_back_under_a_name_of_its_own() -> None:
    void = (
        (FILES / CXML)
        .read_bytes()
        .replace(b'paymentRemittanceID="PAY-7781"', b'paymentRemittanceID="PAY-7781" status="void"')
    )
    (one,) = formats.answers(void)
    assert one.remote_id == "PAY-7781/1/void"
    assert one.payment is not None
    assert one.payment.amount == Decimal("-7000.00")


@pytest.mark.parametrize(
    ("name", "old", "new", "place"),
    [
        (CXML, '<NetAmount><Money currency="USD">7000.00</Money></NetAmount>\n        ',
         '<NetAmount><Money currency="USD">7,000.00</Money></NetAmount>', "RemittanceDetail"),
        (X12, "US-104417**7000*", "US-104417***", "segment 9 RMR, element 4"),
        (X12, "SE*13*", "SE*12*", "SE"),
        (EDIFACT, "MOA+12:100.00", "MOA+12:1oo.00", "MOA, element 1 component 2"),
        (EDIFACT, "UNT+19+1", "UNT+18+1", "UNT"),
    ],
)  # fmt: skip
def test_half_a_remittance_is_none(name: str, old: str, new: str, place: str) -> None:
    text = (FILES / name).read_text("utf-8")
    assert old in text, text
    with pytest.raises(UnreadableDocument, match="remittance") as caught:
        formats.answers(text.replace(old, new).encode())
    assert any(place in one.place for one in caught.value.findings), caught.value.findings


# --- what it does -----------------------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path) -> Iterator[homes.Home]:
    """US-104417 of 7129.57 USD, delivered."""
    made = edi_home(tmp_path / "home")
    assert made("submit", *homes.write(tmp_path, homes.invoice("US-104417"))).code == 0
    made("dispatch")
    assert made.state("US-104417") == "delivered"
    yield made
    made.sound()


def pays(amount: str, trace: str, number: str = "US-104417", currency: str = "USD", tail: str = "") -> bytes:
    """An 820 that pays *amount* of one invoice."""
    text = (FILES / X12).read_text("utf-8")
    text = re.sub(r"RMR\*IV\*US-104417[^~]*~\n", f"RMR*IV*{number}**{amount}{tail}~\n", text)
    text = re.sub(r"RMR\*IV\*US-104420[^~]*~\nADX[^~]*~\n", "", text).replace("SE*13*", "SE*11*")
    return text.replace("PAY-7781", trace).replace("CUR*PR*USD", f"CUR*PR*{currency}").encode()


def receive(home: homes.Home, *messages: bytes) -> DeliveryView:
    with home.ledger() as ledger:
        before = len(ledger.inbox())
        for index, data in enumerate(messages):
            ledger.take_in(Inbound("folder:in", f"{before + index}", data), at=AT)
    home("receive")
    return home.view("US-104417")


def told(home: homes.Home) -> str:
    return home("status", "US-104417").text


def test_payments_add_up_and_move_nothing_but_the_payment(home: homes.Home) -> None:
    before = home.view("US-104417")
    view = receive(home, pays("5000", "P-1"))
    assert (view.payment, view.state, view.business, view.conflict) == (
        "part-paid",
        "delivered",
        before.business,
        False,
    )
    assert "5000 USD (P-1): 5000 of 7129.57 USD" in told(home)
    view = receive(home, pays("2129.57", "P-2"))
    assert (view.payment, view.state, view.business, view.conflict) == ("paid", "delivered", "", False)
    assert view.state_at == before.state_at
    assert home.statement().paid.count == 1


def test_the_same_payment_twice_is_one_payment_whatever_brings_it(home: homes.Home) -> None:
    once = pays("5000", "P-1")
    again = once.replace(b"000000303", b"000000909")
    assert receive(home, once, once, again).payment == "part-paid"
    assert told(home).count("of 7129.57 USD") == 1
    view = receive(home, pays("5001", "P-1").replace(b"000000303", b"000000910"))
    assert view.conflict, "one name, two amounts: a person decides"
    assert view.payment == "part-paid"


def test_a_discount_that_was_taken_is_told_and_does_not_pay(home: homes.Home) -> None:
    view = receive(home, (FILES / CXML).read_bytes())
    assert (view.payment, view.conflict) == ("part-paid", False)
    assert "discount 129.57" in told(home)


def test_a_document_may_be_named_by_its_network_id_alone(home: homes.Home) -> None:
    named = f'<InvoiceReference><DocumentReference payloadID="{home.view("US-104417").payload_id}"/></InvoiceReference>'
    text = re.sub(r"<InvoiceIDInfo[^>]*/>", named, (FILES / CXML).read_text("utf-8"))
    assert receive(home, text.encode()).payment == "part-paid"
    assert "7000.00 USD, discount 129.57 (TR-991): 7000.00 of 7129.57 USD" in told(home)


def test_another_currency_is_kept_and_not_counted(home: homes.Home) -> None:
    view = receive(home, pays("7129.57", "P-1", currency="CAD"))
    assert (view.payment, view.conflict) == ("", True)
    assert "not counted" in told(home)


def test_what_is_taken_back_is_flagged_and_never_hidden(home: homes.Home) -> None:
    assert receive(home, pays("7129.57", "P-1")).payment == "paid"
    view = receive(home, pays("-7129.57", "P-2"))
    assert (view.payment, view.conflict, view.state) == ("paid", True, "delivered")
    assert "called paid, though 0.00 of 7129.57 is paid" in told(home)


def test_a_payment_of_nothing_we_sent_waits_in_the_inbox(home: homes.Home) -> None:
    receive(home, (FILES / X12).read_bytes())
    with home.ledger() as ledger:
        (item,) = ledger.inbox()
        assert item.state == "orphan"
        assert "US-104420" in item.note
    assert home.view("US-104417").payment == "part-paid", "the line that is ours counts"


def test_a_remittance_that_cannot_be_read_changes_nothing(home: homes.Home) -> None:
    view = receive(home, pays("5000", "P-1").replace(b"**5000", b"**5.000,00"))
    assert view.payment == ""
    with home.ledger() as ledger:
        (item,) = ledger.inbox("bad")
        assert "'5.000,00' is no amount" in item.note


def test_a_payment_proves_no_delivery(tmp_path: Path) -> None:
    home = edi_home(tmp_path / "home")
    text = (home.path / "edi.profile.toml").read_text("utf-8") + '[acks]\nexpected = ["response", "status"]\n'
    (home.path / "edi.profile.toml").write_text(text, "utf-8")
    for words in (("profile", "add", home.path / "edi.profile.toml"), ("profile", "live", homes.US)):
        assert home(*words).code == 0
    home("submit", *homes.write(tmp_path, homes.invoice("US-104417")))
    home("dispatch")
    assert home.state("US-104417") == "sent"
    view = receive(home, pays("7129.57", "P-1"))
    assert (view.state, view.payment, view.conflict) == ("sent", "paid", True)
    assert "nothing proved that it was delivered" in told(home)
    home.sound()


def test_a_credit_note_is_paid_by_what_is_offset_whichever_sign_it_has(tmp_path: Path) -> None:
    home = edi_home(tmp_path / "home")
    credit = homes.invoice("US-104417", type_code="381")
    assert home("submit", *homes.write(tmp_path, credit)).code == 0
    home("dispatch")
    assert receive(home, pays("-7129.57", "P-1")).payment == "paid"
    home.sound()


def test_what_was_prepaid_is_not_asked_for_again(tmp_path: Path) -> None:
    home = edi_home(tmp_path / "home")
    one = homes.invoice("US-104417")
    one["totals"] |= {"prepaid": "129.57", "due": "7000.00"}
    assert home("submit", *homes.write(tmp_path, one)).code == 0
    home("dispatch")
    assert receive(home, pays("7000", "P-1")).payment == "paid"
    home.sound()


def test_the_amounts_stay_as_the_partner_wrote_them(home: homes.Home) -> None:
    receive(home, pays("5000.10", "P-1", tail="**0.5"))
    import sqlalchemy as sa

    from einvoice.ledger import schema

    with Ledger.open(home.path / "ledger.sqlite") as ledger, ledger.read() as conn:
        row = conn.execute(sa.select(schema.payment)).one()
        assert (str(row.amount), row.currency, row.paid_on) == ("5000.10", "USD", date(2026, 11, 10))
        assert row.adjustments == '[["discount","0.5"]]'
