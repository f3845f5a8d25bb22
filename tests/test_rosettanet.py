"""RosettaNet PIP 3C3: what is written, what is read, and what is said about everything else; PIP 3C4 as an answer."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from einvoice import artefacts, formats
from einvoice.codes import codes
from einvoice.codes.crosswalks import crosswalk
from einvoice.errors import Finding, UnreadableDocument, fatal
from einvoice.exchange import Document, Read
from einvoice.formats._rosettanet_table import CHARGES, PREFIXES, TYPES
from einvoice.formats.rosettanet import RosettaNet, RosettaNetFormat
from einvoice.loss import losses
from einvoice.model import AllowanceCharge, Identifier, Invoice, Line, OrderLine, Reference, leaves
from tests import readable

SCHEMA = "rosettanet-3c3-11.04"
PARTNERS: dict[str, Any] = {"sender": {"id": "999123450"}, "receiver": {"id": "999123456", "name": "Larkfield"}}
#: Readable invoices that have a golden here.
GOLDEN = ("us-invoice", "us-credit-note", "ca-invoice", "de-invoice")


def format(**settings: Any) -> RosettaNetFormat:
    return RosettaNetFormat(RosettaNet.model_validate({**PARTNERS, **settings}))


def write(invoice: Invoice, **settings: Any) -> Document:
    return format(**settings).write(invoice, readable.IDS)


def read(data: bytes) -> Read:
    (one,) = formats.read(data)
    assert one.format == "rosettanet"
    return one


def texts(document: Document, name: str, prefix: str = "") -> list[str]:
    return [one.text or "" for one in etree.fromstring(document.data).iter(f"{{{PREFIXES[prefix]}}}{name}")]


def valid(document: Document, reference: Path) -> None:
    verdict = artefacts.validate(SCHEMA, document.data)
    assert (verdict.status, [str(one) for one in verdict.findings]) == ("valid", [])


@pytest.mark.parametrize("name", GOLDEN)
def test_golden(name: str, golden: Callable[[str, bytes], None]) -> None:
    golden(f"rosettanet/{name}.xml", write(readable.invoice(name)).data)


@pytest.mark.parametrize("name", readable.names())
def test_a_readable_invoice_is_valid_and_what_does_not_come_back_is_said(name: str, reference: Path) -> None:
    before = readable.invoice(name)
    document = write(before)
    if not fatal(document.losses):
        valid(document, reference)
    first = read(document.data)
    assert {one.rule for one in first.findings} <= {"EINV-READ-07", "EINV-READ-08"}
    told = {one.path for one in losses(before, document, format())}
    back = dict(leaves(first.invoice))
    assert {f"$.{path}" for path, value in leaves(before) if back.get(path) != value} == told
    assert read(write(first.invoice).data).invoice == first.invoice


@pytest.mark.parametrize("name", GOLDEN)
def test_a_golden_lacks_nothing_that_the_schema_wants(name: str, reference: Path) -> None:
    """The credit note states neither quantity nor price: an amount alone has no line here."""
    document = write(readable.invoice(name))
    expected = ["BT-129", "BT-130", "BT-146"] if name == "us-credit-note" else []
    assert [one.term for one in document.losses] == expected


def test_documents_of_other_formats_become_valid_or_what_is_lacking_is_said(reference: Path) -> None:
    count = written = 0
    for folder in ("en16931/examples/ubl", "en16931/examples/cii", "xrechnung/testsuite"):
        for path in sorted((reference / folder).rglob("*.xml")):
            try:
                (source,) = formats.read(path.read_bytes())
            except UnreadableDocument:
                continue
            count += 1
            document = write(source.invoice)
            told = {one.path for one in losses(source.invoice, document, format())}
            back = dict(leaves(next(format().read(io.BytesIO(document.data))).invoice))
            assert {f"$.{at}" for at, value in leaves(source.invoice) if back.get(at) != value} == told, path.name
            if not fatal(document.losses):
                written += 1
                verdict = artefacts.validate(SCHEMA, document.data)
                assert (verdict.status, [str(one) for one in verdict.findings]) == ("valid", []), path.name
    assert count >= 53
    assert written >= 50


def test_codes_are_those_of_the_schema(reference: Path) -> None:
    base = reference / "rosettanet" / "pip3c3-xsd" / "XML"

    def listed(name: str) -> set[str]:
        tree = etree.parse(str(base / name))
        return {str(one.get("value")) for one in tree.iter("{http://www.w3.org/2001/XMLSchema}enumeration")}

    assert set(CHARGES.values()) <= listed("Domain/Shared/CodeList/RN_InvoiceChargeType_01_02.xsd")
    assert set(TYPES.values()) <= listed("Domain/Procurement/CodeList/RN_DocumentType_01_05.xsd")
    walk = crosswalk("rosettanet_units")
    assert set(walk.ours) <= listed("Universal/CodeList/RN_UnitOfMeasure_01_04.xsd")
    assert {unit for unit in walk.theirs if unit not in codes("units", date(2026, 11, 24))} == set()


# --- header and kinds -------------------------------------------------------------------------------------------------


def test_number_date_and_time_stand_in_the_header() -> None:
    one = readable.invoice("us-invoice").model_copy(update={"issue_time": "10:11:12Z"})
    document = write(one)
    assert texts(document, "Creation", "ssdh") == ["2026-10-14T10:11:12Z"]
    back = read(document.data).invoice
    assert (back.number, back.issue_date, back.issue_time) == ("US-104417", date(2026, 10, 14), "10:11:12Z")


@pytest.mark.parametrize(("type_code", "kind", "sign"), [("380", "INV", "DEB"), ("381", "CRM", "CRE"),
                                                         ("383", "DEM", "DEB"), ("389", "SBI", "DEB"),
                                                         ("261", "SBC", "CRE"), ("388", "TIN", "DEB")])  # fmt: skip
def test_the_type_of_a_document_says_which_way_money_goes(type_code: str, kind: str, sign: str) -> None:
    one = readable.invoice("us-invoice").model_copy(update={"type_code": type_code})
    document = write(one)
    assert texts(document, "DocumentType", "ddt") == [kind]
    assert texts(document, "MonetaryAmountType", "rmat")[-1] == sign
    again = read(document.data).invoice
    assert again.type_code == type_code
    assert again.totals is not None
    assert again.totals.gross == one.totals.gross  # type: ignore[union-attr]
    assert len(again.charges) == len(one.charges)


def test_a_corrected_invoice_is_a_rebill() -> None:
    document = write(readable.invoice("us-invoice").model_copy(update={"type_code": "384"}))
    assert texts(document, "IsRebill") == ["true"]
    assert read(document.data).invoice.type_code == "384"


def test_who_sends_is_named_in_the_profile_or_known_by_the_invoice() -> None:
    one = readable.invoice("us-invoice")
    assert [finding.rule for finding in RosettaNetFormat().write(one, readable.IDS).losses] == []
    nobody = one.model_copy(update={"seller": one.seller.model_copy(update={"identifiers": ()})})  # type: ignore[union-attr]
    found = RosettaNetFormat().write(nobody, readable.IDS).losses
    assert [(finding.rule, finding.path) for finding in found] == [("EINV-ROSETTANET-01", "$.seller.network_ids")]
    assert write(nobody).losses == ()


def test_another_sender_than_the_seller_is_a_network_id() -> None:
    back = read(write(readable.invoice("us-invoice")).data).invoice
    assert back.seller is not None
    assert back.seller.network_ids == (Identifier(value="999123450", scheme="DUNS"),)


def test_a_sender_of_another_authority_comes_back() -> None:
    one = readable.invoice("us-invoice")
    assert one.seller is not None
    other = one.seller.model_copy(update={"identifiers": (), "network_ids": (Identifier(value="N7", scheme="ERP"),)})
    document = RosettaNetFormat().write(one.model_copy(update={"seller": other}), readable.IDS)
    assert document.losses == ()
    back = read(document.data).invoice.seller
    assert back is not None
    assert back.network_ids == other.network_ids


def test_partners_keep_what_they_are_known_by() -> None:
    one = readable.invoice("de-invoice")
    back = read(write(one).data).invoice
    assert back.seller is not None
    assert back.seller.vat_id == one.seller.vat_id  # type: ignore[union-attr]
    assert back.seller.tax_id == one.seller.tax_id  # type: ignore[union-attr]
    assert back.seller.identifiers == one.seller.identifiers  # type: ignore[union-attr]
    assert back.seller.legal_id == one.seller.legal_id  # type: ignore[union-attr]
    assert back.delivery == one.delivery


# --- lines ------------------------------------------------------------------------------------------------------------


def test_a_unit_without_equivalent_is_a_finding_and_a_profile_may_name_one(reference: Path) -> None:
    one = readable.invoice("us-invoice")
    odd = one.model_copy(update={"lines": (one.lines[0].model_copy(update={"unit": "IE"}), *one.lines[1:])})
    assert [(found.rule, found.path) for found in write(odd).losses][:1] == [("EINV-ROSETTANET-02", "$.lines[0].unit")]
    document = write(odd, units={"IE": "EAC"})
    assert document.losses == ()
    valid(document, reference)


def test_an_item_without_any_number_says_so_and_reads_as_without(reference: Path) -> None:
    one = readable.invoice("us-invoice")
    line = one.lines[0]
    bare = line.model_copy(update={"item": line.item.model_copy(update=dict.fromkeys(  # type: ignore[union-attr]
        ("seller_id", "buyer_id", "manufacturer_id", "standard_id")))})  # fmt: skip
    document = write(one.model_copy(update={"lines": (bare,)}))
    valid(document, reference)
    back = read(document.data).invoice.lines[0].item
    assert back is not None
    assert (back.name, back.seller_id, back.standard_id) == (line.item.name, None, None)  # type: ignore[union-attr]


def test_charges_and_allowances_are_told_apart_by_the_direction_of_money() -> None:
    one = Invoice(number="1", issue_date=date(2026, 1, 2), type_code="380", currency="EUR",
                  allowances=(AllowanceCharge(amount=Decimal(5), reason="less", role="discount"),),
                  charges=(AllowanceCharge(amount=Decimal(7), reason="more", role="freight"),),
                  lines=(Line(id="1"),))  # fmt: skip
    for type_code in ("380", "381"):
        back = read(write(one.model_copy(update={"type_code": type_code})).data).invoice
        assert (back.allowances, back.charges) == (one.allowances, one.charges)


def test_an_invoice_with_nothing_in_it_names_what_it_lacks() -> None:
    terms = {one.term for one in write(Invoice()).losses}
    assert terms >= {"BT-1", "BT-2", "BT-3", "BT-5", "BT-112", "BG-25"}


# --- hostile ----------------------------------------------------------------------------------------------------------


def test_a_document_cut_anywhere_is_refused_with_its_place() -> None:
    data = write(readable.invoice("us-invoice")).data
    for cut in range(1, 51):
        with pytest.raises(UnreadableDocument) as caught:
            list(formats.read(data[: len(data) * cut // 51], "rosettanet"))
        assert caught.value.where


def test_files_of_other_formats_are_refused() -> None:
    for path in sorted(readable.FIXTURES.rglob("*.*")):
        if path.parent.name != "rosettanet" and path.suffix in (".xml", ".edi", ".toml", ".x12"):
            with pytest.raises(UnreadableDocument):
                list(formats.read(path.read_bytes(), "rosettanet"))


def test_any_element_may_be_missing_empty_or_twice() -> None:
    data = write(readable.invoice("us-invoice")).data
    size = len(list(etree.fromstring(data).iter()))
    for index in range(1, size):
        for change in ("remove", "empty", "double"):
            root = etree.fromstring(data)
            element = list(root.iter())[index]
            parent = element.getparent()
            assert parent is not None
            if change == "remove":
                parent.remove(element)
            elif change == "empty":
                element.clear()
            else:
                parent.insert(parent.index(element), etree.fromstring(etree.tostring(element)))
            try:
                found: list[Finding] = [one for read in formats.read(etree.tostring(root)) for one in read.findings]
            except UnreadableDocument:
                continue
            assert all(re.search(r" line \d+$", one.place) for one in found)


def test_a_mixed_currency_and_a_wrong_count_are_findings() -> None:
    data = write(readable.invoice("us-invoice")).data
    mixed = data.replace(b"<ucr:Currency>USD", b"<ucr:Currency>EUR", 1)
    assert "EINV-READ-01" in {one.rule for one in read(mixed).findings}
    wrong = data.replace(b"<TotalNumberOfItems>3", b"<TotalNumberOfItems>4")
    assert "EINV-ROSETTANET-03" in {one.rule for one in read(wrong).findings}


def test_an_invented_currency_is_none() -> None:
    data = write(readable.invoice("us-invoice")).data.replace(b"Currency>USD", b"Currency>!!!")
    assert read(data).invoice.currency is None


# --- PIP 3C4 ----------------------------------------------------------------------------------------------------------

REJECT = (readable.FIXTURES / "rosettanet" / "reject.xml").read_bytes()


def test_a_rejection_names_the_invoice_the_reason_and_the_line(reference: Path) -> None:
    assert artefacts.validate("rosettanet-3c4-11.05", REJECT).status == "valid"
    (answer,) = formats.answers(REJECT)
    assert (answer.kind, answer.code, answer.meaning) == ("rosettanet-3c4", "QIE", "rejected")
    assert (answer.number, answer.issue_date, answer.remote_id) == ("US-104417", date(2026, 10, 14), "REJ-0007")
    assert answer.text == "quantity exceeds the purchase order - the order allows two - line 1"


def test_a_rejection_of_nothing_is_refused() -> None:
    with pytest.raises(UnreadableDocument, match="names no invoice"):
        formats.answers(REJECT.replace(b"US-104417", b""))
    with pytest.raises(UnreadableDocument, match="no InvoiceRejectNotification"):
        formats.answers(write(readable.invoice("us-invoice")).data)


def test_a_rejection_is_no_invoice_and_a_cut_one_is_refused() -> None:
    with pytest.raises(UnreadableDocument, match="not InvoiceNotification"):
        list(formats.read(REJECT))
    for cut in range(1, 51):
        with pytest.raises(UnreadableDocument):
            formats.answers(REJECT[: len(REJECT) * cut // 51])


# --- what a profile lets stand in -------------------------------------------------------------------------------------


def test_a_credit_note_of_money_alone_is_valid_where_the_profile_says_how(reference: Path) -> None:
    one = readable.invoice("us-credit-note")
    one = one.model_copy(update={"lines": tuple(line.model_copy(update={"item": None}) for line in one.lines)})
    document = write(one, absent_prices="compute", absent_terms={"BT-130": "C62"})
    assert fatal(document.losses) == []
    assert {(each.rule, each.term) for each in document.losses} == {
        ("EINV-WRITE-02", "BT-129"), ("EINV-WRITE-02", "BT-146"), ("EINV-WRITE-03", "BT-130"),
    }  # fmt: skip
    valid(document, reference)
    line, before = read(document.data).invoice.lines[0], one.lines[0]
    assert (line.quantity, line.price and line.price.net) == (Decimal(1), before.net_amount)
    assert line.item is None


def test_lines_without_a_number_are_counted_where_the_profile_says_so() -> None:
    one = readable.invoice("us-invoice")
    bare = one.model_copy(update={"lines": tuple(line.model_copy(update={"id": None}) for line in one.lines)})
    assert {each.term for each in fatal(write(bare).losses)} == {"BT-126"}
    document = write(bare, absent_numbers="count")
    assert {(each.rule, each.term) for each in document.losses} == {("EINV-WRITE-02", "BT-126")}
    assert [line.id for line in read(document.data).invoice.lines] == [str(at + 1) for at in range(len(one.lines))]


def test_an_address_without_a_country_is_held(reference: Path) -> None:
    one = readable.invoice("us-invoice")
    assert one.buyer is not None
    assert one.buyer.address is not None
    nowhere = one.buyer.model_copy(update={"address": one.buyer.address.model_copy(update={"country": None})})
    bare = one.model_copy(update={"buyer": nowhere})
    assert [(each.term, each.path) for each in fatal(write(bare).losses)] == [("BT-55", "$.buyer.address.country")]
    document = write(bare, absent_terms={"BT-55": "US"})
    assert [(each.rule, each.found) for each in document.losses] == [("EINV-WRITE-03", "US")]
    valid(document, reference)


def test_a_date_without_the_order_that_it_is_of_is_kept(reference: Path) -> None:
    one = readable.invoice("us-invoice")
    order = OrderLine(line="1", date=date(2026, 9, 1))
    lines = (one.lines[0].model_copy(update={"order": order}), *one.lines[1:])
    dated = one.model_copy(update={"lines": lines, "purchase_order": Reference(date=date(2026, 9, 2))})
    document = write(dated)
    valid(document, reference)
    back = read(document.data).invoice
    assert back.lines[0].order == order
    assert back.purchase_order == Reference(date=date(2026, 9, 2))


def test_every_unit_of_the_crosswalk_comes_back_as_one_that_it_has() -> None:
    walk = crosswalk("rosettanet_units")
    assert [(unit, walk.to(unit)) for unit in ("EA", "C62", "H87", "HUR", "DAY", "KGM", "MTR", "LTR")] == [
        ("EA", "EAC"), ("C62", "UNT"), ("H87", "PIE"), ("HUR", "HOU"), ("DAY", "DAY"), ("KGM", "KIG"), ("MTR", "MTR"),
        ("LTR", "LIT"),
    ]  # fmt: skip
    assert (walk.to("SMI"), walk.to("MIL"), walk.to("MIK")) == ("MIL", "THO", "SMI")  # mile, thousand, square mile
    assert all(walk.to(walk.ours[theirs]) is not None for theirs in walk.ours)
