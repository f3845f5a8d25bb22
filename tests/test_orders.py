"""Orders: read from four syntaxes, kept with their history, held against invoices, and never turned into one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from lxml import etree

from einvoice import formats
from einvoice.errors import EInvoiceError, Severity, UnreadableDocument
from einvoice.exchange import Environment, Identity, Inbound
from einvoice.formats import cxml
from einvoice.ledger import Ledger, OrderFact
from einvoice.ledger.migrations import SCRIPTS
from einvoice.model import Identifier, Invoice
from einvoice.orders import Order, charges, completed, counted
from einvoice.pipeline import kept_orders, order_fact
from einvoice.rules import against_orders, languages
from tests import home as homes

FILES = homes.FIXTURES / "orders"
AT = datetime(2026, 10, 20, 8, tzinfo=UTC)
NOWHERE = homes.Place("https://localhost:1/none", None, "unused")
US = ("us-order.cxml.xml", "us-order.004010.x12", "us-order.005010.x12")
DE = ("de-order.d96a.edi", "de-order.d01b.edi")
WITHDRAWN = ("us-order-withdrawn.cxml.xml", "us-order-withdrawn.004010.x12", "de-order-withdrawn.d96a.edi")


def order(name: str) -> Order:
    (found,) = formats.orders((FILES / name).read_bytes())
    return found


def invoice(number: str = "US-1", name: str = "us-invoice", **changes: Any) -> Invoice:
    return valid(homes.invoice(number, name, **changes))


def valid(values: dict[str, Any]) -> Invoice:
    return Invoice.model_validate_json(json.dumps(values))


def changed(index: int = 0, **changes: Any) -> Invoice:
    """The US invoice with other values on one line."""
    one = homes.invoice("US-1")
    one["lines"][index] |= changes
    return valid(one)


def rules(found: list[Any]) -> list[str]:
    return [one.rule for one in found]


# --- reading ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", US)
def test_one_order_is_the_same_in_every_syntax(name: str) -> None:
    found = order(name)
    assert (found.number, found.date, found.currency) == ("4500781234", date(2026, 9, 28), "USD")
    assert (found.operation, found.environment) == ("new", Environment.TEST)
    lines = [(one.number, one.seller_id, one.quantity, one.price, one.base_quantity) for one in found.lines]
    assert lines == [
        ("10", "PT-200-25", 40, Decimal("129.5"), None),
        ("20", "SK-20", 12, Decimal(850), 10),
        ("30", "SRV-CAL", 4, Decimal(75), None),
    ]
    assert found.lines[0].buyer_id == "LM-77120"


@pytest.mark.parametrize("name", DE)
def test_edifact_orders_name_gtin_unit_and_price_basis(name: str) -> None:
    found = order(name)
    assert (found.number, found.date, found.currency) == ("B-2026-3301", date(2026, 9, 17), "EUR")
    first, _, last = found.lines
    assert (first.number, first.standard_id, first.seller_id, first.quantity) == (
        "10",
        "4019999900013",
        "DA-100-10",
        24,
    )
    assert (first.price, first.base_quantity, first.base_unit) == (Decimal("79.90"), 1, "C62")
    assert (last.quantity, last.unit) == (Decimal("6.5"), "HUR")


def test_only_cxml_has_a_network_id_and_a_version() -> None:
    assert order(US[0]).payload_id == "4500781234.1@larkfield.example"
    assert (order("us-order-change.cxml.xml").operation, order("us-order-change.cxml.xml").version) == ("update", 2)
    assert [order(name).payload_id for name in US[1:]] == [None, None]


@pytest.mark.parametrize("name", WITHDRAWN)
def test_an_order_is_withdrawn_whole(name: str) -> None:
    assert order(name).operation == "delete"


BREAKS: dict[str, tuple[str, str, str, str, str]] = {
    "cxml quantity": (US[0], 'quantity="40"', 'quantity="forty"', "EINV-READ-03", "ItemOut[1]"),
    "cxml currency": (US[0], '"USD">75.00', '"EUR">75.00', "EINV-READ-06", "Money"),
    "cxml number": (US[0], 'orderID="4500781234" ', "", "EINV-ORDER-11", ""),
    "x12 price": (US[1], "*EA*129.5*", "*EA*12,9.5*", "EINV-READ-03", "segment 10 PO1"),
    "x12 count": (US[1], "SE*15*", "SE*16*", "EINV-X12-01", "SE"),
    "x12 date": (US[1], "**20260928~", "**20261328~", "EINV-READ-04", "segment 2 BEG"),
    "edifact quantity": (DE[0], "QTY+21:24:", "QTY+21:2x:", "EINV-READ-03", "QTY"),
    "edifact interchange": (DE[0], "UNZ+1+ORD0001", "UNZ+1+ORD0009", "EINV-EDIFACT-01", "UNZ"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_what_cannot_be_read_refuses_the_order_and_says_where(name: str) -> None:
    file, old, new, rule, place = BREAKS[name]
    text = (FILES / file).read_text("utf-8")
    assert old in text
    with pytest.raises(UnreadableDocument) as caught:
        formats.orders(text.replace(old, new).encode())
    assert rule in rules(list(caught.value.findings))
    assert any(place in one.place for one in caught.value.findings)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [(WITHDRAWN[1], "BCH*01*", "BCH*04*"), (WITHDRAWN[2], "+B-2026-3301+1'", "+B-2026-3301+4'")],
)
def test_a_change_of_single_lines_is_refused_and_not_guessed(name: str, old: str, new: str) -> None:
    with pytest.raises(UnreadableDocument, match="single lines"):
        formats.orders((FILES / name).read_bytes().replace(old.encode(), new.encode()))


@pytest.mark.parametrize("name", sorted(path.name for path in FILES.iterdir()))
def test_an_order_is_no_invoice(name: str) -> None:
    try:
        (read,) = formats.read((FILES / name).read_bytes())
        problem = read.problem
    except UnreadableDocument as error:
        problem = error
    assert problem is not None


def test_every_sample_order_is_read_or_refused_in_words(reference: Path) -> None:
    told, silent = {}, []
    wanted = re.compile(rb"<OrderRequest|\bST.8[56]0\b|UNH.{0,30}(ORDERS|ORDCHG)")
    for path in sorted((*(reference / "cxml").rglob("*"), *(reference / "edi").rglob("*"))):
        if not path.is_file() or path.suffix in (".dtd", ".md", ".xsd") or "schemas" in str(path):
            continue
        data = path.read_bytes()
        if path.stat().st_size > 2_000_000 or not wanted.search(data):
            continue
        try:
            told[path.name, path.parent.name] = len(formats.orders(data))
        except UnreadableDocument as error:
            told[path.name, path.parent.name] = 0
            silent += [] if error.message and error.where else [path]
    assert not silent
    assert len(told) > 15
    assert sum(map(bool, told.values())) > 10, told


@pytest.mark.interop
@pytest.mark.parametrize("name", sorted(path.name for path in FILES.glob("*.cxml.xml")))
def test_cxml_fixtures_are_valid_by_the_published_dtd(reference: Path, name: str) -> None:
    kind = "PaymentRemittance.dtd" if "remittance" in name else "cXML.dtd"
    dtd = etree.DTD(str(reference / "cxml" / "dtd-1.2.071" / kind))
    assert dtd.validate(etree.parse(str(FILES / name))), dtd.error_log.last_error


@pytest.mark.interop
@pytest.mark.parametrize("name", sorted(path.name for path in FILES.glob("*.x12")))
def test_x12_fixtures_are_sound_envelopes_to_a_peer(name: str) -> None:
    x12file = pytest.importorskip("pyx12.x12file")
    with (FILES / name).open(encoding="ascii") as stream:
        reader = x12file.X12Reader(stream)
        assert next(iter([one.get_seg_id() for one in reader])) == "ISA"
        assert reader.pop_errors() == []


@pytest.mark.interop
def test_850_fixtures_hold_the_segments_of_a_published_schema_in_its_order(reference: Path) -> None:
    root = etree.parse(str(reference / "edi" / "staedi-schemas" / "x12" / "EDISchema850.xml")).getroot()
    known = [node.get("type") for node in root.iter("{*}segment") if node.get("type")]
    for name in US[1:]:
        tags = [line.split("*")[0] for line in (FILES / name).read_text().splitlines()[3:-3]]
        assert tags[0] == "BEG"
        assert {*tags} <= {*known}, name
        first = [known.index(tag) for tag in dict.fromkeys(tags) if tag not in ("PID",)]
        assert first == sorted(first), (name, tags)


@pytest.mark.interop
@pytest.mark.parametrize("name", sorted(path.name for path in FILES.glob("*.edi")))
def test_edifact_fixtures_hold_the_segments_of_the_directory(reference: Path, name: str) -> None:
    text = (FILES / name).read_text("utf-8")
    kind = {"ORDERS": "orders", "ORDCHG": "ordchg", "REMADV": "remadv"}[re.search(r"UNH\+1\+([A-Z]+)", text).group(1)]  # type: ignore[union-attr]
    messages = reference / "edi" / "edifact-d24a" / "d24a" / "data" / "messages"
    if not (messages / f"{kind}.xml").is_file():
        pytest.skip(f"the directory at hand has no {kind}")
    known = {node.get("id") for node in etree.parse(str(messages / f"{kind}.xml")).iter("segment")}
    tags = {line[:3] for line in text.splitlines()} - {"UNA", "UNB", "UNZ"}
    assert tags <= known, tags - known


# --- holding an invoice against its order -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", US)
def test_an_invoice_that_charges_what_was_ordered_has_no_finding(name: str) -> None:
    assert against_orders(invoice(), [order(name)]) == []


@pytest.mark.parametrize("name", DE)
def test_so_has_one_whose_lines_name_only_the_line_of_the_order(name: str) -> None:
    assert against_orders(invoice("DE-1", "de-invoice"), [order(name)]) == []


LINE = homes.invoice("US-1")["lines"][0]
DIFFERENCES: dict[str, tuple[Callable[[], Invoice], str, str]] = {
    "EINV-ORDER-01": (lambda: invoice(purchase_order={"id": "77"}), "BT-13", "$.purchase_order.id"),
    "EINV-ORDER-03": (lambda: invoice(currency="CAD"), "BT-5", "$.currency"),
    "EINV-ORDER-04": (lambda: changed(order={"line": "11"}), "BT-132", "$.lines[0].order.line"),
    "EINV-ORDER-05": (lambda: changed(item=LINE["item"] | {"seller_id": "PT-300"}), "BT-155",
                      "$.lines[0].item.seller_id"),
    "EINV-ORDER-06": (lambda: changed(unit="KGM"), "BT-130", "$.lines[0].unit"),
    "EINV-ORDER-07": (lambda: changed(price={"net": "129.51"}), "BT-146", "$.lines[0].price.net"),
    "EINV-ORDER-08": (lambda: changed(quantity="41"), "BT-129", "$.lines[0].quantity"),
    "EINV-ORDER-09": (lambda: invoice(buyer=homes.invoice("1")["buyer"] | {"legal_id": {
        "value": "999123457", "scheme": "0060"}}), "BT-46", "$.buyer"),
}  # fmt: skip


@pytest.mark.parametrize("rule", DIFFERENCES)
def test_each_difference_is_one_finding_with_its_term_and_place(rule: str) -> None:
    make, term, path = DIFFERENCES[rule]
    (found,) = [one for one in against_orders(make(), [order(US[0])]) if one.rule == rule]
    assert (found.term, found.path, found.severity) == (term, path, Severity.WARNING)
    assert rules(against_orders(make(), [order(US[0])], severity=Severity.FATAL)).count(rule) == 1


def test_a_withdrawn_order_may_be_credited_and_not_invoiced() -> None:
    gone = [order("us-order-withdrawn.cxml.xml")]
    assert rules(against_orders(invoice(), gone)) == ["EINV-ORDER-02"]
    assert against_orders(invoice(type_code="381"), gone) == []


def test_a_credit_note_neither_uses_up_an_order_nor_keeps_to_its_prices() -> None:
    assert against_orders(changed(quantity="400", price={"net": "1"}), [order(US[0])]) != []
    one = homes.invoice("US-1", type_code="381")
    one["lines"][0] |= {"quantity": "400", "price": {"net": "1"}}
    assert against_orders(valid(one), [order(US[0])]) == []


def test_prices_per_ten_and_per_one_are_compared_and_no_rounding_decides() -> None:
    per_ten = changed(1, price={"net": "850", "base_quantity": "10", "base_unit": "BX"})
    assert against_orders(per_ten, [order(US[0])]) == []
    assert rules(against_orders(changed(1, price={"net": "85.0001"}), [order(US[0])])) == ["EINV-ORDER-07"]


def test_without_a_line_reference_the_part_number_finds_the_line() -> None:
    by_part = changed(order=None, price={"net": "1.00"})
    assert rules(against_orders(by_part, [order(US[0])])) == ["EINV-ORDER-07"]
    unknown = changed(order=None, item={"seller_id": "NEVER-ORDERED"})
    assert rules(against_orders(unknown, [order(US[0])])) == ["EINV-ORDER-04"]
    assert against_orders(changed(order=None, item={"name": "Freight"}), [order(US[0])]) == [], "nothing to compare"


@pytest.mark.parametrize("old", ["<ItemDetail>", "<ItemOut "])
def test_a_blanket_line_and_one_of_unlimited_delivery_have_no_open_quantity(old: str) -> None:
    text = (FILES / US[0]).read_text("utf-8")
    new = {"<ItemDetail>": "<BlanketItemDetail>", "<ItemOut ": '<ItemOut unlimitedDelivery="yes" '}[old]
    text = text.replace(old, new).replace("</ItemDetail>", new.replace("<", "</")) if "Blanket" in new else (
        text.replace(old, new))  # fmt: skip
    assert against_orders(changed(quantity="4000"), formats.orders(text.encode())) == []


def test_a_gtin_is_the_same_with_the_zeros_that_fill_it_up() -> None:
    (found,) = [one for one in homes.invoice("DE-1", "de-invoice")["lines"] if one["id"] == "1"]
    item = found["item"] | {"standard_id": {"value": "04019999900013", "scheme": "0160"}}
    one = homes.invoice("DE-1", "de-invoice")
    one["lines"][0]["item"] = item
    assert against_orders(valid(one), [order(DE[0])]) == []


def test_two_lines_of_one_invoice_count_together() -> None:
    one = homes.invoice("US-1")
    one["lines"][0]["quantity"] = "30"
    one["lines"].append({**one["lines"][0], "id": "9", "quantity": "11"})
    (found,) = against_orders(valid(one), [order(US[0])])
    assert (found.rule, found.path, found.found, found.expected) == (
        "EINV-ORDER-08", "$.lines[3].quantity", "11", "10")  # fmt: skip


def test_of_two_buyers_orders_with_one_number_the_own_buyers_is_taken() -> None:
    other = order(US[0]).model_copy(
        update={"buyer": (Identifier(scheme="DUNS", value="111111111"),), "currency": "EUR"}
    )
    assert against_orders(invoice(), [other, order(US[0])]) == []
    assert "EINV-ORDER-09" in rules(against_orders(invoice(), [other]))


def test_a_line_that_the_buyer_deleted_is_no_line() -> None:
    text = (FILES / US[0]).read_text("utf-8").replace('lineNumber="10"', 'lineNumber="10" operation="delete"')
    assert rules(against_orders(invoice(), formats.orders(text.encode()))) == ["EINV-ORDER-04"]


@pytest.mark.parametrize("language", languages())
def test_every_rule_has_a_text_in_every_language(language: str) -> None:
    made = [*(make() for make, _, _ in DIFFERENCES.values())]
    found = [one for each in made for one in against_orders(each, [order(US[0])], language=language)]
    found += against_orders(invoice(), [order("us-order-withdrawn.cxml.xml")], language=language)
    assert {one.rule for one in found} == {f"EINV-ORDER-0{number}" for number in range(1, 10)}
    assert all(one.message and one.fix and "{" not in one.message + one.fix for one in found)


# --- what an invoice may take from its order --------------------------------------------------------------------------


def test_cxml_states_the_network_id_and_the_date_of_the_order() -> None:
    bare = invoice(purchase_order={"id": "4500781234"})
    full, said = completed(bare, [order(US[0])], ("EX-12", "EX-13", "EX-83", "EX-84"))
    assert full.purchase_order is not None
    assert (full.purchase_order.payload_id, full.purchase_order.date) == (
        "4500781234.1@larkfield.example", date(2026, 9, 28))  # fmt: skip
    assert [(one.term, one.severity) for one in said] == [("EX-12", Severity.INFO), ("EX-13", Severity.INFO)]


@pytest.mark.interop
def test_so_do_the_bytes_and_they_are_valid_and_read_back(reference: Path) -> None:
    bare = invoice(purchase_order={"id": "4500781234"})
    full, _ = completed(bare, [order(US[0])], cxml.ORDER_TERMS)
    ids = Identity("p1@example", AT)
    net = {"from_": ({"identity": "AN01000000001-T"},), "to": ({"identity": "AN02000000002-T"},)}
    data = formats.get("cxml", **net).write(full, ids).data
    root = etree.fromstring(data)
    stated = root.find(".//OrderReference")
    assert stated is not None
    assert (stated.get("orderID"), (stated.get("orderDate") or "")[:10]) == ("4500781234", "2026-09-28")
    assert stated.find("DocumentReference").get("payloadID") == "4500781234.1@larkfield.example"  # type: ignore[union-attr]
    dtd = etree.DTD(str(reference / "cxml" / "dtd-1.2.071" / "InvoiceDetail.dtd"))
    assert dtd.validate(root), dtd.error_log.last_error
    (read,) = formats.read(data)
    assert read.invoice.purchase_order == full.purchase_order


def test_what_the_invoice_states_is_never_overwritten() -> None:
    own = invoice(purchase_order={"id": "4500781234", "date": "2026-01-01", "payload_id": "own@id"})
    assert completed(own, [order(US[0])], ("EX-12", "EX-13")) == (own, [])


def test_an_order_of_another_buyer_or_another_seller_says_nothing() -> None:
    for side in ("buyer", "seller"):
        foreign = order(US[1]).model_copy(
            update={side: (Identifier(scheme="0060" if side == "buyer" else "0088", value="1"),)}
        )
        bare = invoice(purchase_order={"id": "4500781234"})
        assert completed(bare, [foreign], ("EX-12",)) == (bare, [])


# --- the ledger -------------------------------------------------------------------------------------------------------


@pytest.fixture
def ledger(tmp_path: Path) -> Any:
    with Ledger.open(tmp_path / "ledger.db") as opened:
        yield opened


def keep(ledger: Ledger, name: str) -> str:
    return ledger.keep_order(order_fact(order(name)), at=AT, source_name=name)


def test_the_newest_counts_and_the_history_is_kept(ledger: Ledger) -> None:
    assert keep(ledger, US[0]) == "order 4500781234 kept"
    assert keep(ledger, US[0]) == "order 4500781234 was there"
    assert keep(ledger, "us-order-change.cxml.xml") == "order 4500781234 changed"
    (alive,) = ledger.orders("4500781234")
    assert (alive.revision, alive.fact.version) == (2, 2)
    assert keep(ledger, "us-order-withdrawn.cxml.xml") == "order 4500781234 withdrawn"
    assert [one.fact.operation for one in ledger.orders("4500781234", history=True)] == ["new", "update", "delete"]


def test_an_older_message_that_comes_late_replaces_nothing(ledger: Ledger) -> None:
    keep(ledger, "us-order-change.cxml.xml")
    assert "older than what is kept" in keep(ledger, US[0])
    (alive,) = ledger.orders("4500781234")
    assert alive.fact.operation == "update"
    assert len(ledger.orders("4500781234", history=True)) == 2


def test_test_and_production_orders_do_not_meet(ledger: Ledger) -> None:
    keep(ledger, US[0])
    assert ledger.orders("4500781234", environment=Environment.PRODUCTION) == []
    assert kept_orders(ledger, invoice(), Environment.PRODUCTION) is None
    found = kept_orders(ledger, invoice(), Environment.TEST)
    assert found is not None
    assert len(found) == 1


def inbound(name: str, data: bytes | None = None) -> Inbound:
    return Inbound("folder:in", name, data if data is not None else (FILES / name).read_bytes())


def received(home: homes.Home, *messages: Inbound) -> None:
    with home.ledger() as ledger:
        for one in messages:
            ledger.take_in(one, at=AT)
    home("receive")


def test_an_order_that_arrives_is_kept_and_one_that_cannot_be_read_stays_in_the_inbox(tmp_path: Path) -> None:
    home = homes.make(tmp_path / "home", NOWHERE, ())
    homes.write(tmp_path, homes.invoice("US-1"))
    assert home("submit", tmp_path / "US-1.json").code == 0
    bad = (FILES / US[1]).read_bytes().replace(b"*40*EA*", b"*4O*EA*")
    received(home, inbound(US[0]), inbound(DE[0]), inbound("bad", bad))
    with home.ledger() as ledger:
        assert [(one.state, one.note) for one in ledger.inbox()][:2] == [
            ("matched", "order 4500781234 kept"), ("matched", "order B-2026-3301 kept")]  # fmt: skip
        (parked,) = ledger.inbox("bad")
        assert "'4O' is not a plain decimal number" in parked.note
        assert "segment 10 PO1" in parked.note
        assert [one.fact.number for one in ledger.orders()] == ["4500781234", "B-2026-3301"]
    home.sound()


def test_orders_and_acknowledgements_of_one_interchange_are_both_taken(tmp_path: Path) -> None:
    text = (FILES / US[1]).read_text("utf-8")
    group = "GS*FA*999123456*999000111*20260928*0900*2*X*004010~ST*997*0001~AK1*IN*9~AK9*A*1*1*1~SE*4*0001~GE*1*2~"
    mixed = text.replace("IEA*1*", f"{group}IEA*2*").encode()
    assert len(formats.orders(mixed)) == 1
    assert [one.kind for one in formats.answers(mixed)] == ["x12-997"]


def test_an_order_with_attachments_is_the_first_part_of_its_body(tmp_path: Path) -> None:
    home = homes.make(tmp_path / "home", NOWHERE, ())
    homes.write(tmp_path, homes.invoice("US-1"))
    home("submit", tmp_path / "US-1.json")
    parts = [b"Content-Type: text/xml; charset=UTF-8\r\n\r\n" + (FILES / US[0]).read_bytes(),
             b"Content-Type: application/pdf\r\n\r\n%PDF-1.7 drawing"]  # fmt: skip
    body = b"".join(b"--edge\r\n" + part + b"\r\n" for part in parts) + b"--edge--\r\n"
    media_type = 'multipart/related; boundary="edge"; type="text/xml"'
    received(home, Inbound("https:ariba:push", "1", body, media_type))
    with home.ledger() as ledger:
        assert [one.state for one in ledger.inbox()] == ["matched"]
        assert [one.fact.number for one in ledger.orders()] == ["4500781234"]


# --- the whole line ---------------------------------------------------------------------------------------------------


def edi_home(path: Path, more: str = "") -> homes.Home:
    """A home whose customer takes X12 from a folder."""
    home = homes.make(path, NOWHERE, ())
    (home.path / "house" / "law-override.toml").unlink()
    (path / "out").mkdir()
    text = (homes.FIXTURES / "profiles" / f"{homes.US}.profile.toml").read_text("utf-8")
    text = re.sub(r"^network .*\n", "", text, flags=re.MULTILINE).partition("[transport]")[0]
    text = text.replace("[content_rules]", f"[content_rules]\n{more}")
    text += (
        '[want]\nformats = ["x12-810/004010"]\nchannels = ["sftp-van"]\n[format]\nkind = "x12"\ntransliterate = true\n'
        'sender = { id = "999000111", qualifier = "01" }\nrecipient = { id = "999123456", qualifier = "01" }\n'
        f'[transport]\nkind = "folder"\noutbox = "{path / "out"}"\n'
    )
    file = path / "edi.profile.toml"
    file.write_text(text, "utf-8")
    for words in (("profile", "add", file), ("profile", "live", homes.US)):
        said = home(*words)
        assert said.code == 0, said.text
    return home


def submit(home: homes.Home, tmp_path: Path, *invoices: dict[str, Any]) -> None:
    said = home("submit", *homes.write(tmp_path, *invoices))
    assert said.code == 0, said.text


def test_the_open_quantity_is_what_earlier_documents_left(tmp_path: Path) -> None:
    home = edi_home(tmp_path / "home", 'po_line_match = "hold"')
    assert home("orders", "add", FILES / US[1]).code == 0
    submit(home, tmp_path, homes.invoice("US-1"), homes.invoice("US-2"))
    home("dispatch")
    assert home.states() == {"US-1": "delivered", "US-2": "held"}
    told = home("status", "US-2").text
    assert "EINV-ORDER-08" in told
    assert "0 of the order line is still open" in told
    home.sound()


def test_a_credit_note_opens_the_order_again(tmp_path: Path) -> None:
    home = edi_home(tmp_path / "home", 'po_line_match = "hold"')
    home("orders", "add", FILES / US[1])
    submit(home, tmp_path, homes.invoice("US-1"), homes.invoice("US-C", type_code="381"), homes.invoice("US-2"))
    home("dispatch")
    assert home.states() == {"US-1": "delivered", "US-C": "delivered", "US-2": "delivered"}, home("status", "held").text


@pytest.mark.parametrize(("setting", "state"), [("off", "delivered"), ("warn", "delivered"), ("hold", "held")])
def test_the_profile_says_what_an_unknown_order_does(tmp_path: Path, setting: str, state: str) -> None:
    home = edi_home(tmp_path / "home", f'po_line_match = "{setting}"')
    submit(home, tmp_path, homes.invoice("US-1"))
    home("dispatch")
    assert home.state("US-1") == state
    assert ("EINV-ORDER-01" in home("status", "US-1").text) == (setting == "hold")


def test_what_is_cancelled_takes_nothing_from_the_order(tmp_path: Path) -> None:
    home = edi_home(tmp_path / "home", 'po_line_match = "hold"')
    home("orders", "add", FILES / US[1])
    submit(home, tmp_path, homes.invoice("US-1"), homes.invoice("US-2"))
    assert home("cancel", "US-1", "--reason", "written twice").code == 0
    home("dispatch")
    assert home.states() == {"US-1": "cancelled", "US-2": "delivered"}
    home.sound()


def test_another_buyers_documents_take_nothing_from_an_order_of_the_same_number(tmp_path: Path) -> None:
    home = edi_home(tmp_path / "home", 'po_line_match = "hold"')
    home("orders", "add", FILES / US[1])
    other = homes.invoice("US-1", buyer={"name": "Somebody Else Inc.", "address": {"country": "US"}})
    submit(home, tmp_path, other, homes.invoice("US-2"))
    home("dispatch")
    assert home.state("US-2") == "delivered", home("status", "US-2").text


def test_an_unknown_order_of_a_buyer_whose_orders_come_here_is_a_warning(tmp_path: Path) -> None:
    home = edi_home(tmp_path / "home")
    home("orders", "add", FILES / US[1])
    submit(home, tmp_path, homes.invoice("US-1", purchase_order={"id": "77"}))
    home("dispatch")
    view = home.view("US-1")
    assert view.state == "delivered"
    assert "EINV-ORDER-01" in view.decision


def test_a_warning_is_kept_with_the_decision_and_does_not_hold(tmp_path: Path) -> None:
    home = edi_home(tmp_path / "home")
    home("orders", "add", FILES / US[1])
    one = homes.invoice("US-1")
    one["lines"][0]["price"] = {"net": "129.51"}
    submit(home, tmp_path, one)
    home("dispatch")
    view = home.view("US-1")
    assert view.state == "delivered"
    assert "EINV-ORDER-07" in view.decision


def test_the_date_of_the_order_is_written_where_the_invoice_left_it_out(tmp_path: Path) -> None:
    home = edi_home(tmp_path / "home")
    home("orders", "add", FILES / US[1])
    submit(home, tmp_path, homes.invoice("US-1", purchase_order={"id": "4500781234"}))
    home("dispatch")
    (file,) = (home.path / "out").iterdir()
    assert b"*20260928*4500781234" in file.read_bytes()
    assert "EINV-ORDER-10" in home.view("US-1").decision


# --- the command line -------------------------------------------------------------------------------------------------


def test_orders_are_added_listed_and_shown(tmp_path: Path) -> None:
    home = homes.make(tmp_path / "home", NOWHERE, (), houses=False)
    said = home("orders", "add", *(FILES / name for name in (US[0], "us-order-change.cxml.xml", DE[0])))
    assert said.code == 0, said.text
    assert "order 4500781234 changed (test)" in said.out
    assert "B-2026-3301" in home("orders", "list").out
    shown = home("orders", "show", "4500781234").out
    assert "revision 1, replaced" in shown
    assert "PT-200-25" in shown
    rows = home("orders", "show", "4500781234", "--json").rows
    assert [(row["revision"], row["counts"]) for row in rows] == [(1, False), (2, True)]
    assert home("orders", "show", "4711").code == 2


def test_a_file_without_an_order_is_refused_and_keeps_no_other_out(tmp_path: Path) -> None:
    home = homes.make(tmp_path / "home", NOWHERE, (), houses=False)
    (tmp_path / "junk").write_bytes(b"\x00\xff nonsense")
    said = home("orders", "add", tmp_path / "junk", tmp_path / "absent", homes.FIXTURES / "cxml" / "us-invoice.xml",
                FILES / US[0])  # fmt: skip
    assert said.code == 2
    assert "Traceback" not in said.text
    assert said.out.count("order 4500781234 kept") == 1


def test_check_holds_an_invoice_against_orders_named_or_kept(tmp_path: Path) -> None:
    home = homes.make(tmp_path / "home", NOWHERE, (), houses=False)
    (file,) = homes.write(tmp_path, homes.invoice("US-1", currency="CAD"))
    assert "EINV-ORDER" not in home("check", file).text
    assert not (home.path / "ledger.sqlite").exists(), "check makes no ledger"
    assert "EINV-ORDER-03 BT-5" in home("check", file, "--orders", FILES / US[0]).text
    home("orders", "add", FILES / US[0])
    assert "EINV-ORDER-03 BT-5" in home("check", file).text
    assert "die Bestellung auf USD" in home("check", file, "--language", "de").text


def test_a_charge_names_the_line_as_the_invoice_does() -> None:
    assert charges(changed(order={"line": "010"}))[0] == ("4500781234", "n:10", 40)
    assert charges(changed(order=None))[0].key == "seller_id:pt-200-25"
    assert charges(invoice(type_code="381"))[0].quantity == -40
    opened = counted(order(US[0]), {"n:10": Decimal(15), "seller_id:sk-20": Decimal(2)})
    assert [one.open_quantity for one in opened.lines] == [25, 10, 4]


def test_a_ledger_of_the_first_version_is_brought_up_to_date_and_keeps_what_it_has(tmp_path: Path) -> None:
    place = tmp_path / "ledger.db"
    engine = sa.create_engine(f"sqlite:///{place}")
    with engine.begin() as conn:
        context = MigrationContext.configure(conn)
        scripts = ScriptDirectory(SCRIPTS)
        with Operations.context(context):
            first = scripts.get_revision("0001")
            first.module.upgrade()
            context.stamp(scripts, "0001")
        conn.execute(sa.text("insert into meta (key, value) values ('ledger-id', 'abc')"))
    engine.dispose()
    with Ledger.open(place) as opened:
        assert opened.id == "abc"
        assert keep(opened, US[0]) == "order 4500781234 kept"
        assert opened.invariants() == []


def test_no_order_becomes_a_document(ledger: Ledger) -> None:
    fact: OrderFact = order_fact(order(US[0]))
    ledger.keep_order(fact, at=AT)
    assert ledger.status() == []


def test_an_order_of_no_environment_is_refused() -> None:
    data = (FILES / US[0]).read_bytes().replace(b'deploymentMode="test"', b'deploymentMode="staging"')
    (found,) = formats.orders(data)
    with pytest.raises(EInvoiceError, match="neither test nor production"):
        order_fact(found)
