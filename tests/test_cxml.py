"""cXML InvoiceDetailRequest: what is written, what is read, and what is said about everything else."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from einvoice import formats
from einvoice.errors import UnreadableDocument
from einvoice.exchange import SECRET_SLOT, Document, Environment, Identity, Read
from einvoice.formats import _mime
from einvoice.formats._cxml_table import table
from einvoice.formats.cxml import Credential, Cxml, CxmlFormat
from einvoice.loss import losses
from einvoice.mapping import placed
from einvoice.model import Invoice, Line, OrderLine, Preceding, Reference, Totals, leaves
from tests import readable
from tests.invoices import WORD, Special, invoices

MANY = settings(
    max_examples=30,
    derandomize=True,  # the same examples in every run: new ones are the fuzzer's work
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
OURS, THEIRS = Credential(identity="AN01000000001-T"), Credential(identity="AN02000000002-T")
ADDRESSED = Cxml(from_=(OURS,), to=(THEIRS,))
DTDS = {"1.2.037": "dtd-older/1.2.037-InvoiceDetail.dtd", "1.2.071": "dtd-1.2.071/InvoiceDetail.dtd"}
#: Values with a meaning of their own in cXML, and what a header invoice has no place for.
SPECIAL: Special = {
    "header_invoice": None,
    "type_code": st.just("380"),
    "operation": st.just("delete"),
    "issue_time": st.sampled_from(["10:11:12Z", "01:02:03+02:00"]),
    "lines[].order.line": WORD,
}


def write(invoice: Invoice, settings: Cxml = ADDRESSED) -> Document:
    return CxmlFormat(settings).write(invoice, readable.IDS)


def cxml_of(document: Document) -> bytes:
    """The cXML alone, without the supporting documents that travel beside it."""
    return _mime.split(document.data)[0].data if _mime.is_multipart(document.data) else document.data


def read(data: bytes | str) -> Read:
    (one,) = formats.read(data.encode() if isinstance(data, str) else data, "cxml")
    return one


def settle(raw: dict[str, Any]) -> None:
    """What cXML says only together, or only once: streets from the first, one preceding invoice, a period with both
    ends, a discount by percent, a despatch that goes somewhere, an accounting with its
    segments, a tax of a line with its amount."""
    raw["number"], raw["issue_date"], raw["currency"] = "1", date(2026, 1, 2), "EUR"
    raw.setdefault("type_code", "380")
    for side in ("seller", "buyer"):
        raw.setdefault(side, {}).setdefault("network_ids", [{"scheme": "NetworkID", "value": "AN1"}])
    raw.setdefault("lines", [{"id": "1"}])
    others = [one.get("party", {}) for one in raw.get("other_parties", ())]
    for party in (*others, *(value for value in raw.values() if isinstance(value, dict))):
        _streets(party.get("address", {}))
    if "despatch" in raw:
        raw.setdefault("delivery", {"name": "Dock"})
    if "period" in raw:
        raw["period"] = {"start": date(2026, 1, 1), "end": date(2026, 1, 31)}
    for one in raw.get("payment", {}).get("discounts", ()):
        one["percent"] = one.get("percent", 2)
        one.pop("amount", None)
    for one in raw.get("attachments", ()):
        one["uri"] = "cid:1"
    for line in raw["lines"]:
        if "subtotal" in line:
            line.setdefault("net_amount", "1.00")
        for tax in line.get("taxes", ()):
            tax.setdefault("amount", "1.00")
        if "description" in line.get("item", {}):
            line["item"].setdefault("name", "Item")
        for one in line.get("distributions", ()):
            one.setdefault("segments", [{"id": "4400"}])
    if "preceding" in raw:
        raw["preceding"] = [{"id": "1"} | raw["preceding"][0]]


def _streets(address: dict[str, Any]) -> None:
    names = ("line_1", "line_2", "line_3", "building")
    stated = [address.pop(name) for name in names if name in address]
    address.update(zip(names, stated, strict=False))


def comes_back(invoice: Invoice) -> None:
    """Every stated leaf is read as it was written, and what is read stays as it is."""
    first = read(write(invoice, Cxml(dtd_version="1.2.071")).data)
    before, after = dict(leaves(invoice)), dict(leaves(first.invoice))
    assert {path: (value, after.get(path)) for path, value in before.items() if after.get(path) != value} == {}
    assert read(write(first.invoice, Cxml(dtd_version="1.2.071")).data).invoice == first.invoice


@MANY
@given(invoices(placed(table((1, 2, 71))), SPECIAL, settle))
def test_every_term_with_a_place_comes_back(invoice: Invoice) -> None:
    comes_back(invoice)


def credit(raw: dict[str, Any]) -> None:
    """A line-level credit memo: it names its invoice, its lines have quantities, its total is an amount credited."""
    settle(raw)
    raw["type_code"], raw["line_level_credit"] = "381", True
    raw.setdefault("preceding", [{"id": "1"}])
    raw.setdefault("totals", {}).update({"gross": "110.00", "lines": "100.00"})
    for line in raw["lines"]:
        line["quantity"] = "1"


@MANY
@given(invoices(placed(table((1, 2, 71))), SPECIAL, credit))
def test_every_term_with_a_place_comes_back_from_a_credit_memo(invoice: Invoice) -> None:
    comes_back(invoice)


@cache
def dtd(base: Path, version: str) -> etree.DTD:
    return etree.DTD(file=str(base / "cxml" / DTDS[version]))


def check(data: bytes, rules: etree.DTD) -> None:
    assert rules.validate(etree.fromstring(data)), rules.error_log.filter_from_errors()


def of_kind(type_code: str) -> Callable[[dict[str, Any]], None]:
    def settle_kind(raw: dict[str, Any]) -> None:
        settle(raw)
        raw["type_code"] = type_code

    return settle_kind


@pytest.mark.parametrize("kind", ["380", "381", "383", "384"])
def test_every_document_is_valid_by_the_oldest_and_the_newest_dtd(kind: str, reference: Path) -> None:
    @settings(MANY, max_examples=15)
    @given(invoices(placed(table((1, 2, 37))), {**SPECIAL, "lines[].kind": st.just("service")}, of_kind(kind)))
    def every(invoice: Invoice) -> None:
        check(write(invoice).data, dtd(reference, "1.2.037"))
        check(write(invoice, ADDRESSED.model_copy(update={"dtd_version": "1.2.071"})).data, dtd(reference, "1.2.071"))

    every()


@pytest.mark.parametrize("name", readable.names())
def test_golden(name: str, golden: Callable[[str, bytes], None]) -> None:
    golden(f"cxml/{name}.xml", cxml_of(write(readable.invoice(name))))


@pytest.mark.parametrize("version", DTDS)
@pytest.mark.parametrize("name", readable.names())
def test_a_readable_invoice_is_valid_by_the_dtd(name: str, version: str, reference: Path) -> None:
    document = write(readable.invoice(name), ADDRESSED.model_copy(update={"dtd_version": version}))
    check(cxml_of(document), dtd(reference, version))
    assert f"/{version}/InvoiceDetail.dtd".encode() in cxml_of(document).splitlines()[1]


def test_the_purchase_order_lines_of_a_readable_invoice_come_back() -> None:
    again = read(write(readable.invoice("us-invoice")).data).invoice
    assert again.purchase_order == Reference(id="4500781234", date=date(2026, 9, 28))
    assert [line.order and line.order.line for line in again.lines] == ["10", "20", "30"]
    assert [line.kind for line in again.lines] == [None, None, "service"]


def test_jurisdictions_of_a_tax_come_back_with_their_amounts() -> None:
    again = read(write(readable.invoice("us-invoice")).data).invoice
    rows = [(tax.scheme, tax.jurisdiction, str(tax.rate), str(tax.amount)) for tax in again.lines[0].taxes]
    assert rows == [("SALES", "Washington State", "6.5", "336.70"), ("SALES", "Seattle, WA", "3.85", "199.43")]


def test_a_tax_that_the_buyer_pays_to_the_state_stays_one() -> None:
    again = read(write(readable.invoice("it-split-payment")).data).invoice
    assert again.tax_breakdown[0].effect == "paid_by_buyer"
    assert again.totals is not None
    assert again.totals.paid_by_buyer == Decimal("220.00")


# --- memos ------------------------------------------------------------------------------------------------------------


def purpose(data: bytes) -> str:
    found = etree.fromstring(data).find(".//InvoiceDetailRequestHeader")
    assert found is not None
    return found.get("purpose", "")


def test_a_credit_of_single_lines_is_a_line_level_memo_with_negative_amounts() -> None:
    data = write(readable.invoice("fr-credit-note")).data
    root = etree.fromstring(data)
    assert purpose(data) == "lineLevelCreditMemo"
    assert root.findtext(".//InvoiceDetailSummary/NetAmount/Money") == "-108.00"
    item = root.find(".//InvoiceDetailItem")
    assert item is not None
    assert item.get("quantity") == "-2"
    assert item.findtext("UnitPrice/Money") == "45.00"
    again = read(data).invoice
    assert again.totals is not None
    assert (again.type_code, again.totals.gross, again.lines[0].quantity) == ("381", Decimal("108.00"), Decimal(2))


def test_a_credit_without_quantities_is_a_header_memo() -> None:
    data = write(readable.invoice("us-credit-note")).data
    root = etree.fromstring(data)
    assert purpose(data) == "creditMemo"
    assert root.find(".//InvoiceDetailHeaderOrder/InvoiceDetailOrderSummary") is not None
    assert root.find(".//InvoiceDetailItem") is None
    assert read(data).invoice.header_invoice is True


@pytest.mark.parametrize(("style", "expected"), [("header", "creditMemo"), ("line", "lineLevelCreditMemo")])
def test_the_profile_may_choose_the_kind_of_memo(style: str, expected: str) -> None:
    chosen = ADDRESSED.model_copy(update={"credit_style": style})
    assert purpose(write(readable.invoice("fr-credit-note"), chosen).data) == expected


def test_a_debit_note_is_a_debit_memo_with_positive_amounts() -> None:
    data = write(Invoice(number="1", type_code="383", currency="EUR", totals=Totals(gross=Decimal(5)))).data
    assert purpose(data) == "debitMemo"
    assert read(data).invoice.type_code == "383"


def test_a_credit_memo_of_a_source_that_states_positive_amounts_is_read_as_it_stands() -> None:
    data = write(readable.invoice("fr-credit-note")).data
    positive = re.sub(rb'(currency="EUR">)-', rb"\1", data).replace(b'quantity="-', b'quantity="')
    assert read(positive).invoice == read(data).invoice


def test_a_credit_memo_over_nothing_keeps_the_signs_of_its_lines() -> None:
    invoice = Invoice(
        number="1", type_code="381", currency="EUR", line_level_credit=True, preceding=(Preceding(id="0"),),
        totals=Totals(gross=Decimal("0.00"), lines=Decimal("0.00")),
        lines=(Line(id="1", quantity=Decimal(1), net_amount=Decimal("5.00")),
               Line(id="2", quantity=Decimal(-1), net_amount=Decimal("-5.00"))),
    )  # fmt: skip
    again = read(write(invoice).data).invoice
    assert [line.net_amount for line in again.lines] == [Decimal("5.00"), Decimal("-5.00")]


# --- orders -----------------------------------------------------------------------------------------------------------


def test_lines_of_several_orders_stand_under_their_orders() -> None:
    lines = tuple(
        Line(id=str(at), quantity=Decimal(1), net_amount=Decimal(at), order=OrderLine(id=order, line="1"))
        for at, order in enumerate(["PO-1", "PO-1", "PO-2"], 1)
    )
    data = write(Invoice(number="1", type_code="380", currency="EUR", lines=lines)).data
    orders = etree.fromstring(data).findall(".//InvoiceDetailOrder")
    assert [len(order.findall("InvoiceDetailItem")) for order in orders] == [2, 1]
    again = read(data).invoice
    assert [line.order and line.order.id for line in again.lines] == ["PO-1", "PO-1", "PO-2"]


def test_an_invoice_without_order_or_contract_says_so() -> None:
    invoice = readable.invoice("us-invoice")
    bare = invoice.model_copy(
        update={
            "purchase_order": None,
            "lines": tuple(line.model_copy(update={"order": None}) for line in invoice.lines),
        }
    )
    assert [loss.rule for loss in write(bare).losses] == ["EINV-CXML-01"]
    assert write(invoice).losses == ()


def test_an_invoice_without_network_ids_says_so_for_each_side() -> None:
    losses = write(readable.invoice("us-invoice"), Cxml()).losses
    assert [(loss.rule, loss.path) for loss in losses] == [
        ("EINV-CXML-02", "$.seller.network_ids"),
        ("EINV-CXML-02", "$.buyer.network_ids"),
    ]


def test_line_ids_that_are_no_numbers_come_back() -> None:
    lines = tuple(Line(id=id_, quantity=Decimal(1), net_amount=Decimal(1)) for id_ in ("1.a", "1.b", "1.b"))
    data = write(Invoice(number="1", type_code="380", currency="EUR", lines=lines)).data
    numbers = [item.get("invoiceLineNumber") for item in etree.fromstring(data).iter("InvoiceDetailItem")]
    assert numbers == ["1", "2", "3"]
    assert [line.id for line in read(data).invoice.lines] == ["1.a", "1.b", "1.b"]


# --- the envelope -----------------------------------------------------------------------------------------------------


def test_identity_and_environment_stand_in_the_document() -> None:
    ids = Identity("p@x.example", readable.IDS.at, Environment.PRODUCTION)
    root = etree.fromstring(CxmlFormat(ADDRESSED).write(readable.invoice("us-invoice"), ids).data)
    request = root.find("Request")
    assert request is not None
    assert (root.get("payloadID"), root.get("timestamp")) == ("p@x.example", "2026-11-24T09:30:00+00:00")
    assert request.get("deploymentMode") == "production"
    assert root.findtext("Header/From/Credential/Identity") == OURS.identity
    assert root.findtext("Header/To/Credential/Identity") == THEIRS.identity


def test_a_secret_is_neither_written_nor_kept_when_read() -> None:
    data = write(readable.invoice("us-invoice")).data
    assert data.count(SECRET_SLOT.encode()) == 1
    stranger = data.replace(SECRET_SLOT.encode(), b"hunter2")
    one = read(stranger)
    assert "hunter2" not in repr(one.invoice) + repr(one.findings)


def test_a_due_date_has_its_element_where_the_version_has_one() -> None:
    invoice = readable.invoice("us-invoice")
    for version, mark in (("1.2.037", b'name="dueDate"'), ("1.2.071", b"paymentNetDueDate")):
        data = write(invoice, ADDRESSED.model_copy(update={"dtd_version": version})).data
        assert mark in data
        assert read(data).invoice.due_date == date(2026, 11, 13)


@pytest.mark.parametrize("value", ["2026-13-01", "2026-02-30", "13.11.2026"])
def test_a_due_date_that_is_no_day_stays_an_extension(value: str) -> None:
    settings = ADDRESSED.model_copy(update={"dtd_version": "1.2.037"})
    data = write(readable.invoice("us-invoice"), settings).data
    found = read(data.replace(b'"dueDate">2026-11-13', f'"dueDate">{value}'.encode())).invoice
    assert found.due_date is None
    assert [(one.name, one.value[:10]) for one in found.extensions if one.name == "dueDate"] == [("dueDate", value)]


# --- places and findings ----------------------------------------------------------------------------------------------


def test_locate_gives_xpath_and_line_of_a_deep_value() -> None:
    data = readable.pretty(write(readable.invoice("us-invoice")).data)
    where = read(data).locate("$.lines[0].taxes[1].amount")
    step, _, line = where.rpartition(" line ")
    order = "/cXML/Request/InvoiceDetailRequest/InvoiceDetailOrder/InvoiceDetailItem[1]"
    assert step == f"{order}/Tax/TaxDetail[2]/TaxAmount/Money"
    assert b">199.43</Money>" in data.splitlines()[int(line) - 1]


SUMMARY = "/cXML/Request/InvoiceDetailRequest/InvoiceDetailSummary"
HEADER = "/cXML/Request/InvoiceDetailRequest/InvoiceDetailRequestHeader"
#: The change to a written document, and the finding that comes of it: rule, term, place without line.
FAULTS: dict[str, tuple[str, str, tuple[str, str, str]]] = {
    "an element without place": (
        "<InvoiceDetailSummary>",
        "<InvoiceDetailSummary><Made>up</Made>",
        ("EINV-READ-01", "", f"{SUMMARY}/Made"),
    ),
    "an attribute without place": (
        "<InvoiceDetailSummary>",
        '<InvoiceDetailSummary made="up">',
        ("EINV-READ-01", "made", f"{SUMMARY}/@made"),
    ),
    "a unit conversion": (
        'conversionFactor="1"',
        'conversionFactor="12"',
        ("EINV-READ-01", "", "PriceBasisQuantity/@conversionFactor"),
    ),
    "an element twice": (
        "<NetAmount>",
        '<NetAmount><Money currency="USD">9</Money></NetAmount><NetAmount>',
        ("EINV-READ-02", "", f"{SUMMARY}/NetAmount[2]"),
    ),
    "a number that is none": (
        ">7129.57<",
        ">7,129.57<",
        ("EINV-READ-03", "BT-112", f"{SUMMARY}/NetAmount/Money"),
    ),
    "an instant that is none": (
        'invoiceDate="2026-10-14T12:00:00+00:00"',
        'invoiceDate="14 Oct 2026"',
        ("EINV-READ-04", "BT-2", HEADER),
    ),
    "an amount in another currency": (
        'NetAmount><Money currency="USD">7129.57',
        'NetAmount><Money currency="CAD">7129.57',
        ("EINV-READ-06", "BT-112", f"{SUMMARY}/NetAmount/Money"),
    ),
    "an empty element": (
        "<PostalCode>86001</PostalCode>",
        "<PostalCode> </PostalCode>",
        ("EINV-READ-07", "BT-38", "PostalAddress/PostalCode"),
    ),
    "an informative amount": (
        '<NetAmount><Money currency="USD"',
        '<NetAmount><Money currency="USD" alternateAmount="1"',
        ("EINV-READ-08", "", f"{SUMMARY}/NetAmount/Money"),
    ),
    "an indicator that nothing follows": (
        "<InvoiceDetailLineIndicator",
        '<InvoiceDetailLineIndicator isAccountingInLine="yes"',
        ("EINV-READ-08", "", f"{HEADER}/InvoiceDetailLineIndicator/@isAccountingInLine"),
    ),
}


def test_a_written_document_is_read_without_finding() -> None:
    for name in readable.names():
        assert read(write(readable.invoice(name)).data).findings == ()


@pytest.mark.parametrize("what", FAULTS)
def test_each_fault_gives_its_finding_once_with_its_place(what: str) -> None:
    old, new, (rule, term, place) = FAULTS[what]
    text = write(readable.invoice("us-invoice")).data.decode()
    assert old in text
    found = read(text.replace(old, new, 1)).findings
    (finding,) = found
    assert (finding.rule, place in finding.place) == (rule, True), finding
    assert term in (finding.term, "made")


def test_the_language_of_texts_is_said_once_a_document() -> None:
    text = write(readable.invoice("us-invoice")).data.decode().replace('xml:lang="en"', 'xml:lang="de"')
    (finding,) = read(text).findings
    assert (finding.rule, finding.found) == ("EINV-READ-08", "de")


@pytest.mark.parametrize(
    "body",
    [
        "<Request><OrderRequest/></Request>",
        "<Response><Status code='200' text='OK'/></Response>",
        "<Request><InvoiceDetailRequest/></Request>",
        "<Request><InvoiceDetailRequest><InvoiceDetailRequestHeader/></InvoiceDetailRequest></Request>",
    ],
)
def test_another_kind_of_cxml_is_refused_as_no_invoice(body: str) -> None:
    with pytest.raises(UnreadableDocument, match="InvoiceDetailRequest"):
        list(CxmlFormat().read(io.BytesIO(f"<cXML>{body}</cXML>".encode())))


def test_another_root_is_refused_with_its_name() -> None:
    with pytest.raises(UnreadableDocument, match="Order"):
        list(CxmlFormat().read(io.BytesIO(b"<Order/>")))


def test_a_tax_amount_that_the_invoice_lacks_is_no_zero_in_silence() -> None:
    document = formats.get("cxml").write(readable.invoice("it-withholding"), readable.IDS)
    lacking = [(one.term, one.path) for one in document.losses if one.rule == "EINV-CXML-03" and one.fatal]
    assert lacking == [("EX-93", "$.lines[0].tax_amount"), ("EX-3004", "$.lines[0].taxes[0].amount")]


def test_a_supplier_known_by_a_further_registration_alone_gets_the_tax_id_that_networks_ask_for() -> None:
    """INV-98: the American EIN is the tax id here; of the two Canadian registrations the second keeps its name."""
    american, canadian = (etree.fromstring(write(readable.invoice(name)).data) for name in ("us-invoice", "ca-invoice"))
    path = ".//InvoicePartner[Contact/@role='from']/IdReference[@domain='{}']/@identifier"
    assert american.xpath(path.format("supplierTaxID")) == ["99-1234567"]
    assert canadian.xpath(path.format("supplierTaxID")) == ["999900020 RT0001"]
    assert canadian.xpath(path.format("QST")) == ["9999000111 TQ0001"]


def test_a_due_date_that_is_no_day_stays_what_it_was() -> None:
    data = write(readable.invoice("us-invoice")).data
    stated = re.sub(rb'(<Extrinsic name="dueDate">)[^<]*', rb"\g<1>2020-13-01", data)
    assert stated != data
    again = read(stated).invoice
    assert again.due_date is None
    assert ("dueDate", "2020-13-01") in [(one.name, one.value) for one in again.extensions]


def test_goods_and_services_by_turns_keep_their_order() -> None:
    invoice = readable.invoice("be-invoice")
    kinds = [line.kind for line in invoice.lines]
    assert kinds == [None, None, "service", None]
    document = write(invoice)
    assert [line.id for line in read(document.data).invoice.lines] == ["1", "2", "3", "4"]
    assert not [one for one in losses(invoice, document, CxmlFormat(ADDRESSED)) if one.path.startswith("$.lines")]


def test_a_rate_is_written_as_it_was_issued_whatever_was_written_before() -> None:
    stated = readable.invoice("fr-invoice")
    tax = stated.lines[0].taxes[0].model_copy(update={"amount": None})
    for rate in ("6", "6.00", "6.0"):
        taxes = (tax.model_copy(update={"rate": Decimal(rate)}),)
        line = stated.lines[0].model_copy(update={"taxes": taxes, "tax_amount": None})
        data = write(stated.model_copy(update={"lines": (line,)})).data
        assert etree.fromstring(data).findtext(".//Extrinsic[@name='taxRate']") == rate
