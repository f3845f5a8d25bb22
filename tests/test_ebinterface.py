"""ebInterface 6.1: what is written, what is read, and what is said about everything else."""

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
from einvoice.errors import Finding, UnreadableDocument, fatal
from einvoice.exchange import Document, Read
from einvoice.formats._ebinterface_table import NAMESPACE, TYPES
from einvoice.formats.ebinterface import EbInterface, EbInterfaceFormat
from einvoice.loss import losses
from einvoice.model import Account, AllowanceCharge, Card, Discount, Invoice, Means, Payment, Preceding, Price, leaves
from tests import readable
from tools.roundtrip import differences as unequal

SCHEMA = "ebinterface-6.1"
NAMES = readable.names("ebinterface")
#: Elements of the samples that no term holds. Nothing else of them may stay unread.
WITHOUT_PLACE = {
    "AccountingCurrencyAmount", "AdditionalInformation", "Comment", "Description", "Email", "Extension",
    "HeaderDescription", "MinimumPayment", "OrderReference", "OtherVATableTax", "Phone", "POBox", "Salutation",
}  # fmt: skip


def invoice(name: str) -> Invoice:
    return readable.invoice(name, "ebinterface")


def write(invoice: Invoice, **settings: Any) -> Document:
    return EbInterfaceFormat(EbInterface.model_validate(settings)).write(invoice, readable.IDS)


def read(data: bytes) -> Read:
    (one,) = formats.read(data)
    assert one.format == "ebinterface"
    return one


def again(invoice: Invoice) -> Invoice:
    return read(write(invoice).data).invoice


def texts(document: Document, name: str) -> list[str]:
    return [element.text or "" for element in etree.fromstring(document.data).iter(f"{{{NAMESPACE}}}{name}")]


def valid(document: Document, reference: Path) -> None:
    verdict = artefacts.validate(SCHEMA, document.data)
    assert (verdict.status, [str(one) for one in verdict.findings]) == ("valid", [])


@pytest.mark.parametrize("name", NAMES)
def test_golden(name: str, golden: Callable[[str, bytes], None]) -> None:
    golden(f"ebinterface/{name}.xml", write(invoice(name)).data)


@pytest.mark.parametrize("name", NAMES)
def test_a_readable_invoice_is_valid_and_comes_back_whole(name: str, reference: Path) -> None:
    document = write(invoice(name))
    assert document.losses == ()
    valid(document, reference)
    first = read(document.data)
    assert first.findings == ()
    assert list(unequal(invoice(name), first.invoice)) == []


@pytest.mark.parametrize("name", readable.names())
def test_what_of_other_invoices_does_not_come_back_is_said(name: str, reference: Path) -> None:
    before = readable.invoice(name)
    document = write(before)
    if not fatal(document.losses):
        valid(document, reference)
    first = read(document.data)
    back = dict(leaves(first.invoice))
    told = {one.path for one in losses(before, document, EbInterfaceFormat())}
    assert {f"$.{path}" for path, value in leaves(before) if back.get(path) != value} == told
    assert again(first.invoice) == first.invoice


@pytest.mark.parametrize("folder", ["v60", "v61"])
def test_every_sample_comes_back_equal_and_what_of_it_is_unread_is_listed(folder: str, reference: Path) -> None:
    files = sorted((reference / "ebinterface" / "samples" / folder).glob("*.xml"))
    assert len(files) == {"v60": 1, "v61": 2}[folder]
    for path in files:
        first = read(path.read_bytes())
        document = write(first.invoice)
        valid(document, reference)
        assert list(unequal(first.invoice, read(document.data).invoice)) == []
        assert {one.rule for one in first.findings} == {"EINV-READ-01"}
        for one in first.findings:
            assert any(f"/{name}" in re.sub(r"\[\d+\]", "", one.place) for name in WITHOUT_PLACE), one


@pytest.mark.parametrize("folder", ["v302", "v40", "v43", "v50"])
def test_older_versions_are_refused_by_name(folder: str, reference: Path) -> None:
    for path in sorted((reference / "ebinterface" / "samples" / folder).glob("*.xml")):
        with pytest.raises(UnreadableDocument, match=r"not ebInterface 6\.1"):
            list(formats.read(path.read_bytes(), "ebinterface"))


def test_documents_of_other_formats_become_valid_or_what_is_lacking_is_said(reference: Path) -> None:
    count = written = 0
    for folder in ("en16931/examples/ubl", "en16931/examples/cii", "xrechnung/testsuite"):
        for path in sorted((reference / folder).rglob("*.xml")):
            try:
                (source,) = formats.read(path.read_bytes())
            except UnreadableDocument:
                continue
            count += 1
            format = EbInterfaceFormat()
            document = format.write(source.invoice, readable.IDS)
            told = {one.path for one in losses(source.invoice, document, format)}
            back = dict(leaves(next(format.read(io.BytesIO(document.data))).invoice))
            assert {f"$.{at}" for at, value in leaves(source.invoice) if back.get(at) != value} == told, path.name
            if not fatal(document.losses):
                written += 1
                verdict = artefacts.validate(SCHEMA, document.data)
                assert (verdict.status, [str(one) for one in verdict.findings]) == ("valid", []), path.name
    assert count >= 53
    assert written >= 45


# --- single rows ------------------------------------------------------------------------------------------------------


def test_document_types_are_those_of_the_schema(reference: Path) -> None:
    schema = etree.parse(str(reference / "ebinterface/xsd/ebinterface-6.1.xsd"))
    kind = schema.find(".//{*}simpleType[@name='DocumentTypeType']")
    assert kind is not None
    assert sorted(TYPES.values()) == sorted(str(one.get("value")) for one in kind.iter("{*}enumeration"))


@pytest.mark.parametrize("type_code", sorted(TYPES))
def test_the_type_of_a_document_comes_back(type_code: str) -> None:
    assert again(invoice("at-invoice").model_copy(update={"type_code": type_code})).type_code == type_code


def test_a_cancelled_document_is_told_from_a_related_one() -> None:
    one = invoice("at-credit-note")
    assert texts(write(one), "CancelledOriginalDocument") != []
    related = one.model_copy(update={"preceding": (Preceding(id="AT-1"), Preceding(id="AT-2"))})
    document = write(related)
    assert len(texts(document, "RelatedDocument")) == 2
    assert again(related).preceding == related.preceding


def test_a_party_without_vat_has_the_number_that_stands_for_none() -> None:
    assert texts(write(invoice("at-credit-note")), "VATIdentificationNumber") == ["00000000", "ATU99999010"]
    back = again(invoice("at-credit-note")).seller
    assert back is not None
    assert (back.vat_id, back.tax_id) == (None, "99 999/9999")


def test_the_delivery_has_a_day_or_a_period() -> None:
    assert texts(write(invoice("at-credit-note")), "FromDate") == ["2026-09-01"]
    assert texts(write(invoice("at-invoice")), "Date")[:1] == ["2026-09-30"]


def test_one_way_to_pay_is_written() -> None:
    card = Means(code="48", card=Card(number="1234", holder="Ada Erfunden"))
    one = invoice("at-invoice").model_copy(update={"payment": Payment(means=(card,))})
    assert texts(write(one), "PrimaryAccountNumber") == ["1234"]
    assert again(one).payment == one.payment
    assert texts(write(invoice("at-credit-note")), "MandateReference") == ["M-77"]


def test_a_discount_within_days_has_a_last_day() -> None:
    days = Payment(discounts=(Discount(percent=Decimal(2), days=Decimal(14)),))
    one = invoice("at-invoice").model_copy(update={"payment": days})
    back = again(one).payment
    assert back is not None
    assert back.discounts == (Discount(percent=Decimal(2), until=date(2026, 10, 19)),)


def test_a_header_text_without_a_term_is_kept_under_its_name() -> None:
    data = write(invoice("at-invoice")).data
    text = data.replace(b"<Details>", b"<Details><HeaderDescription>Wir liefern:</HeaderDescription>")
    first = read(text)
    assert first.findings == ()
    assert texts(write(first.invoice), "HeaderDescription") == ["Wir liefern:"]


def test_who_made_the_document_is_a_setting() -> None:
    data = EbInterfaceFormat(EbInterface(generating_system="ERP 7")).write(invoice("at-invoice"), readable.IDS).data
    assert b'GeneratingSystem="ERP 7"' in data


def with_line(**changed: Any) -> Invoice:
    """The readable invoice with its second line alone, changed."""
    one = invoice("at-invoice")
    return one.model_copy(update={"lines": (one.lines[1].model_copy(update=changed),)})


def paid(**changed: Any) -> Invoice:
    one = invoice("at-invoice")
    assert one.payment is not None
    return one.model_copy(update={"payment": one.payment.model_copy(update=changed)})


def test_what_does_not_fit_is_said() -> None:
    one = with_line(quantity=Decimal("0.00101"), net_amount=Decimal("0.001"))
    found = write(one.model_copy(update={"accounting_reference": "X" * 21, "language": "deu"})).losses
    assert {(each.rule, each.path) for each in found} == {
        ("EINV-EBINTERFACE-01", "$.lines[0].quantity"), ("EINV-EBINTERFACE-01", "$.lines[0].net_amount"),
        ("EINV-EBINTERFACE-02", "$.accounting_reference"), ("EINV-EBINTERFACE-02", "$.language"),
    }  # fmt: skip


def test_a_price_with_more_decimals_is_that_of_more_items(reference: Path) -> None:
    document = write(with_line(price=Price(net=Decimal("40.1234560"))))
    assert fatal(document.losses) == []
    valid(document, reference)
    assert b'<UnitPrice BaseQuantity="1000">40123.4560</UnitPrice>' in document.data
    of_ten = write(with_line(price=Price(net=Decimal("0.01146"), base_quantity=Decimal(10))))
    assert b'<UnitPrice BaseQuantity="100">0.1146</UnitPrice>' in of_ten.data


def test_a_payment_reference_is_never_cut_and_the_name_of_an_account_only_where_that_is_allowed() -> None:
    long = paid(remittance="R" * 36)
    assert [(one.rule, one.term) for one in write(long, long_text="cut").losses] == [("EINV-EBINTERFACE-02", "BT-83")]
    named = paid(means=(Means(code="30", account=Account(id="AT939999900001234567", name="N" * 71)),))
    assert [one.path for one in fatal(write(named).losses)] == ["$.payment.means[0].account.name"]
    cut = write(named, long_text="cut")
    assert cut.losses == ()
    assert texts(cut, "BankAccountOwner") == ["N" * 70]
    assert [one.rule for one in losses(named, cut, EbInterfaceFormat())] == ["EINV-LOSS-02"]


def test_an_allowance_without_vat_is_held_and_takes_the_one_rate_of_the_breakdown(reference: Path) -> None:
    bare = (AllowanceCharge(amount=Decimal("5.00"), reason="Rabatt"),)
    held = write(invoice("at-invoice").model_copy(update={"allowances": bare}), absent_rates="breakdown")
    assert [(one.term, one.path) for one in fatal(held.losses)] == [("BT-95", "$.allowances[0].taxes")]
    one = invoice("at-credit-note")
    lines = tuple(line.model_copy(update={"taxes": ()}) for line in one.lines)
    one = one.model_copy(update={"allowances": bare, "lines": lines})
    assert {each.term for each in fatal(write(one).losses)} == {"BT-151", "BT-95"}
    document = write(one, absent_rates="breakdown")
    assert {(each.rule, each.term, each.found) for each in document.losses} == {
        ("EINV-WRITE-02", "BT-151", "E 0"), ("EINV-WRITE-02", "BT-95", "E 0"),
    }  # fmt: skip
    valid(document, reference)


def test_the_tax_of_the_profile_stands_in_only_where_the_breakdown_has_none(reference: Path) -> None:
    one = readable.invoice("us-invoice")
    one = one.model_copy(update={"allowances": (), "charges": ()})
    tax = {"category": "O", "exemption_reason": "not subject"}
    document = write(one, absent_tax=tax)
    valid(document, reference)
    assert {each.rule for each in document.losses} == {"EINV-WRITE-03"}
    two = invoice("at-invoice")
    lines = tuple(line.model_copy(update={"taxes": ()}) for line in two.lines)
    held = write(two.model_copy(update={"lines": lines}), absent_tax=tax, absent_rates="breakdown")
    assert [each.term for each in fatal(held.losses)] == ["BT-151", "BT-151"]


def test_a_line_of_money_alone_is_one_of_its_unit(reference: Path) -> None:
    bare: dict[str, Any] = {"quantity": None, "unit": None, "price": None}
    assert {one.term for one in fatal(write(with_line(**bare)).losses)} == {"BT-129", "BT-130", "BT-146"}
    document = write(with_line(**bare), absent_prices="compute", absent_terms={"BT-130": "C62"})
    assert {(one.rule, one.term) for one in document.losses} == {
        ("EINV-WRITE-02", "BT-129"), ("EINV-WRITE-02", "BT-146"), ("EINV-WRITE-03", "BT-130"),
    }  # fmt: skip
    assert (texts(document, "Quantity"), texts(document, "UnitPrice")) == (["1"], ["185.00"])
    valid(document, reference)
    dear = with_line(price=None, quantity=Decimal(7))
    assert b'<UnitPrice BaseQuantity="7">185.00</UnitPrice>' in write(dear, absent_prices="compute").data
    other = with_line(price=Price(net=Decimal("3.00")), quantity=None)
    assert {one.term for one in fatal(write(other, absent_prices="compute").losses)} == {"BT-129"}


def test_a_delivery_without_a_day_is_held_or_takes_that_of_the_issue(reference: Path) -> None:
    one = invoice("at-invoice")
    assert one.delivery is not None
    one = one.model_copy(update={"delivery": one.delivery.model_copy(update={"date": None})})
    line = one.lines[0].model_copy(update={"despatch_reference": "LS-1", "period": None})
    one = one.model_copy(update={"lines": (line, *one.lines[1:])})
    assert [each.term for each in fatal(write(one).losses)] == ["BT-72", "EX-91"]
    document = write(one, absent_day="issue_date")
    assert [(each.rule, each.found) for each in document.losses] == [("EINV-WRITE-02", "2026-10-05")] * 2
    valid(document, reference)


def test_an_invoice_with_nothing_in_it_names_what_it_lacks() -> None:
    terms = {one.term for one in write(Invoice()).losses}
    assert terms >= {"BT-1", "BT-2", "BT-3", "BT-5", "BT-112", "BT-115", "BG-25"}


# --- hostile ----------------------------------------------------------------------------------------------------------


def test_a_document_cut_anywhere_is_refused_with_its_place() -> None:
    data = write(invoice("at-invoice")).data
    for cut in range(1, 51):
        with pytest.raises(UnreadableDocument) as caught:
            list(formats.read(data[: len(data) * cut // 51], "ebinterface"))
        assert caught.value.where


def test_files_of_other_formats_are_refused() -> None:
    for path in sorted(readable.FIXTURES.rglob("*.*")):
        if path.parent.name != "ebinterface" and path.suffix in (".xml", ".edi", ".toml", ".x12"):
            with pytest.raises(UnreadableDocument):
                list(formats.read(path.read_bytes(), "ebinterface"))


def test_any_element_may_be_missing_empty_or_twice() -> None:
    data = write(invoice("at-invoice")).data
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


def test_a_reduction_or_surcharge_without_its_tax_holds_the_invoice() -> None:
    """The schema wants a TaxItem in each; cXML states none at the allowances of the document."""
    stated = readable.invoice("it-invoice")
    bare = {path: tuple(one.model_copy(update={"taxes": ()}) for one in getattr(stated, path))
            for path in ("allowances", "charges")}  # fmt: skip
    document = formats.get("ebinterface").write(stated.model_copy(update=bare), readable.IDS)
    assert [(one.rule, one.term) for one in fatal(document.losses)] == [
        ("EINV-WRITE-01", "BT-95"), ("EINV-WRITE-01", "BT-102"),
    ]  # fmt: skip
    assert not fatal(formats.get("ebinterface").write(stated, readable.IDS).losses)
