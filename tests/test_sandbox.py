"""What the sandbox network promises to whoever tests against it. Hand-written cXML, raw HTTPS, invented companies."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, get_args

import pytest
import urllib3
from lxml import etree

from einvoice.errors import ConfigError
from einvoice.sandbox import AribaSandbox, Options, main
from einvoice.sandbox.client import ControlClient
from einvoice.sandbox.fixtures import AribaEndpoint
from einvoice.sandbox.options import Behaviour, BuyerRules, Do, Later, NetworkRules, Scenario, read_scenario
from einvoice.sandbox.validity import own_schema

#: How a test process below loads the fixture: by the entry point where einvoice is installed, else by name.
FIXTURES = "einvoice.sandbox.fixtures"
PLUGIN = () if any(each.name == "einvoice_sandbox" for each in entry_points(group="pytest11")) else ("-p", FIXTURES)
OWN, TO = "AN01000000001-T", "AN02000000002-T"
_ids = itertools.count(1)

LINE = """
<InvoiceDetailItem invoiceLineNumber="1" quantity="10"><UnitOfMeasure>EA</UnitOfMeasure>
<UnitPrice><Money currency="USD">9.50</Money></UnitPrice>
<InvoiceDetailItemReference lineNumber="1"><Description xml:lang="en">Brass fitting</Description>
</InvoiceDetailItemReference><SubtotalAmount><Money currency="USD">95.00</Money></SubtotalAmount></InvoiceDetailItem>"""
ORDER = '<OrderReference orderID="PO-77"><DocumentReference payloadID="po77@example"/></OrderReference>'
HEADER = "<InvoiceDetailHeaderIndicator/><InvoiceDetailLineIndicator/>"


def invoice(
    number: str,
    *,
    payload_id: str = "",
    secret: str = "",
    lines: str = LINE,
    order: str = ORDER,
    header: str = HEADER,
    summary: str = "",
    purpose: str = "standard",
    operation: str = "new",
    date: str = "2026-03-01T09:00:00-05:00",
    mode: str = "test",
    own: str = OWN,
    to: str = TO,
    sender: str = "",
    body: str = "",
) -> bytes:
    """An InvoiceDetailRequest of Larkspur Tools to Quillon Motors, valid and correct unless told otherwise."""
    summary = summary or money_summary("95.00", "7.60", "102.60")
    body = (
        body
        or f"<InvoiceDetailOrder><InvoiceDetailOrderInfo>{order}</InvoiceDetailOrderInfo>{lines}</InvoiceDetailOrder>"
    )
    payload = f"""<InvoiceDetailRequest>
<InvoiceDetailRequestHeader invoiceID="{number}" invoiceDate="{date}" purpose="{purpose}" operation="{operation}">
{header}</InvoiceDetailRequestHeader>{body}<InvoiceDetailSummary>{summary}</InvoiceDetailSummary></InvoiceDetailRequest>"""
    return request(payload, payload_id=payload_id, secret=secret, mode=mode, own=own, to=to, sender=sender)


def request(
    payload: str,
    *,
    payload_id: str = "",
    secret: str = "",
    mode: str = "test",
    own: str = OWN,
    to: str = TO,
    sender: str = "",
    dtd: str = "InvoiceDetail",
    system: str = "",
) -> bytes:
    payload_id = payload_id or f"{next(_ids)}.{os.getpid()}@larkspur.example"
    extra = f'<Credential domain="systemID"><Identity>{system}</Identity></Credential>' if system else ""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE cXML SYSTEM "http://xml.cxml.org/schemas/cXML/1.2.071/{dtd}.dtd">
<cXML payloadID="{payload_id}" timestamp="2026-03-01T14:00:00+00:00" version="1.2.071" xml:lang="en-US"><Header>
<From><Credential domain="NetworkID"><Identity>{own}</Identity></Credential></From>
<To><Credential domain="NetworkID"><Identity>{to}</Identity></Credential>{extra}</To>
<Sender><Credential domain="NetworkID"><Identity>{sender or own}</Identity>
<SharedSecret>{secret}</SharedSecret></Credential>
<UserAgent>hand-written 1</UserAgent></Sender></Header>
<Request deploymentMode="{mode}">{payload}</Request></cXML>""".encode()


def money_summary(subtotal: str, tax: str, net: str, extra: str = "", tail: str = "") -> str:
    return (
        f'<SubtotalAmount><Money currency="USD">{subtotal}</Money></SubtotalAmount>'
        f'<Tax><Money currency="USD">{tax}</Money><Description xml:lang="en">Sales tax</Description></Tax>{extra}'
        f'<NetAmount><Money currency="USD">{net}</Money></NetAmount>{tail}'
    )


class Wire:
    """A client that knows nothing of einvoice: urllib3, verified TLS, no retries of its own."""

    def __init__(self, end: AribaEndpoint, timeout: urllib3.Timeout | float = 10) -> None:
        self.end = end
        self.pool = urllib3.PoolManager(ca_certs=end.ca_file, retries=False, timeout=timeout)

    @property
    def control(self) -> ControlClient:
        if self.end.control is None:
            pytest.skip("a real endpoint has no control interface")
        return self.end.control

    def post(
        self, data: bytes, url: str = "", content_type: str = "text/xml; charset=UTF-8"
    ) -> urllib3.BaseHTTPResponse:
        return self.pool.request("POST", url or self.end.url, body=data, headers={"Content-Type": content_type})

    def send(self, number: str, url: str = "", **more: Any) -> tuple[str, str]:
        """Status code and text of an invoice's answer."""
        more.setdefault("secret", self.end.secret)
        return verdict(self.post(invoice(number, **more), url).data)

    def ask(self, payload: str, **more: Any) -> etree._Element:
        more.setdefault("secret", self.end.secret)
        answer = self.post(request(payload, dtd="cXML", **more), self.end.profile_url).data
        return etree.fromstring(answer, etree.XMLParser(load_dtd=False))

    def poll(self, **attributes: str) -> list[etree._Element]:
        """StatusUpdateRequest documents that wait."""
        given = "".join(f' {name}="{value}"' for name, value in attributes.items())
        found = self.ask(
            f"<GetPendingRequest{given}><MessageType>StatusUpdateRequest</MessageType></GetPendingRequest>"
        )
        return found.findall("Response/GetPendingResponse/cXML")


def verdict(answer: bytes) -> tuple[str, str]:
    status = etree.fromstring(answer, etree.XMLParser(load_dtd=False)).find("Response/Status")
    assert status is not None
    return status.get("code", ""), f"{status.get('text')} {status.text or ''}"


def own_scenarios() -> Path:
    return Path(str(sys.modules["einvoice.sandbox"].__file__)).parent / "scenarios"


def status_types(documents: list[etree._Element]) -> list[str]:
    return [str(found.get("type")) for each in documents for found in each.iter("InvoiceStatus")]


@pytest.fixture
def wire(ariba_sandbox: AribaEndpoint) -> Iterator[Wire]:
    each = Wire(ariba_sandbox)
    yield each
    each.pool.clear()


# What holds at any endpoint, also a real test account -----------------------------------------------------------------


def as_me(end: AribaEndpoint) -> dict[str, str]:
    return {"own": end.identities.own, "to": end.identities.to}


@pytest.mark.contract
def test_any_endpoint_tells_its_urls(wire: Wire) -> None:
    answer = wire.ask("<ProfileRequest/>", **as_me(wire.end))
    assert answer.find("Response/Status").get("code") == "200"  # type: ignore[union-attr]
    assert "InvoiceDetailRequest" in [each.get("requestName") for each in answer.iter("Transaction")]


@pytest.mark.contract
def test_any_endpoint_refuses_a_wrong_secret_in_the_body(wire: Wire) -> None:
    assert wire.send(wire.end.invoice_number(), secret="not-the-secret", **as_me(wire.end))[0] == "401"


@pytest.mark.contract
def test_any_endpoint_takes_an_invoice_and_knows_it_again(wire: Wire) -> None:
    number = wire.end.invoice_number()
    today = datetime.now(UTC).date().isoformat()
    same = {"payload_id": f"{number}@larkspur.example", "date": today, **as_me(wire.end)}
    assert wire.send(number, **same)[0] in {"200", "201"}
    assert wire.send(number, **same)[0] in {"200", "201", "409"}


@pytest.mark.scenario
def test_the_same_tests_run_against_another_endpoint_by_environment(tmp_path: Path) -> None:
    with AribaSandbox() as other:
        ready = other.ready()
        environment = {
            "EINVOICE_ARIBA_URL": str(ready["profile_url"]),
            "EINVOICE_ARIBA_IDENTITY": other.options.own[0],
            "EINVOICE_ARIBA_SECRET": other.network.secret,
            "EINVOICE_ARIBA_TO": other.options.to[0],
            "EINVOICE_ARIBA_SYSTEM_ID": other.options.system_id,
            "EINVOICE_ARIBA_CA": str(other.ca_file),
        }
        keep = "any_endpoint or late_rejection"
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *PLUGIN, __file__, "-k", keep],
            cwd=Path(__file__).parent.parent,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout
        assert "3 passed, 1 skipped" in done.stdout
        [row] = other.store.invoices()
        assert row["copies"] == 2


# The happy path ------------------------------------------------------------------------------------------------------


@pytest.mark.scenario
def test_an_invoice_is_accepted_once_and_kept_byte_for_byte(wire: Wire) -> None:
    data = invoice("A-1", payload_id="a1@larkspur.example", secret=wire.end.secret)
    answer = wire.post(data)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/xml; charset=UTF-8")
    assert verdict(answer.data)[0] == "200"
    [row] = wire.control.invoices()
    assert (row["number"], row["copies"], row["net"], row["currency"], row["state"]) == (
        "A-1",
        1,
        "102.60",
        "USD",
        "received",
    )
    [message] = wire.control.messages(payload_id="a1@larkspur.example")
    assert wire.control.raw(message["id"]) == data
    assert wire.control.raw(message["id"], "answer") == answer.data


@pytest.mark.scenario
def test_a_profile_request_tells_where_invoices_go(wire: Wire) -> None:
    answer = wire.ask("<ProfileRequest/>")
    urls = {each.get("requestName"): each.findtext("URL") for each in answer.iter("Transaction")}
    assert urls["InvoiceDetailRequest"] == wire.end.url
    assert "GetPendingRequest" in urls
    assert wire.send("A-2", url=str(urls["InvoiceDetailRequest"]))[0] == "200"


@pytest.mark.scenario
def test_a_connection_serves_many_requests(wire: Wire) -> None:
    for number in range(20):
        assert wire.send(f"KEEP-{number}")[0] == "200"
    [pool] = [wire.pool.pools[key] for key in wire.pool.pools.keys()]  # noqa: SIM118  not a mapping
    assert pool.num_connections == 1


@pytest.mark.scenario
def test_a_stranger_to_the_ca_is_not_talked_to(wire: Wire) -> None:
    with urllib3.PoolManager(retries=False) as pool, pytest.raises(urllib3.exceptions.SSLError):
        pool.request("POST", wire.end.url, body=b"")


# Checks before content -----------------------------------------------------------------------------------------------


@pytest.mark.scenario
@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"secret": "wrong"}, "401", "shared secret"),
        ({"own": "AN09999999999-T"}, "401", "AN09999999999-T"),
        ({"sender": "AN09999999999-T"}, "401", "Sender"),
        ({"to": "AN09999999999-T"}, "403", "trading partner"),
        ({"mode": "production"}, "403", "deploymentMode"),
        ({"to": "AN02000000002"}, "403", "test identities"),
        ({"header": "<InvoiceDetailHeaderIndicator/>"}, "406", "not valid"),
    ],
)
def test_a_request_that_may_not_pass_is_refused_in_the_body_of_http_200(
    wire: Wire, changes: dict[str, str], code: str, words: str
) -> None:
    found, text = wire.send("B-1", **changes)
    assert found == code
    assert words in text
    assert wire.control.invoices() == []


@pytest.mark.scenario
def test_a_refusal_never_repeats_the_secret_that_was_given(wire: Wire) -> None:
    assert "hunter2hunter2" not in wire.post(invoice("B-2", secret="hunter2hunter2")).data.decode()


@pytest.mark.scenario
def test_an_unknown_system_id_is_refused(wire: Wire) -> None:
    answer = wire.ask("<ProfileRequest/>", system="OTHER")
    assert answer.find("Response/Status").get("code") == "403"  # type: ignore[union-attr]
    assert wire.ask("<ProfileRequest/>", system=wire.end.identities.system_id).find(".//ProfileResponse") is not None


@pytest.mark.scenario
def test_an_unserved_request_is_450(wire: Wire) -> None:
    assert wire.ask("<OrderRequest/>").find("Response/Status").get("code") == "450"  # type: ignore[union-attr]


@pytest.mark.scenario
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not well-formed"),
        (b"hello", "not well-formed"),
        (b"<Invoice/>", "not cXML"),
        (b'<cXML timestamp="x"><Request/></cXML>', "no payloadID"),
        (b'<cXML payloadID="x"><Response/></cXML>', "no Request"),
        (b'<!DOCTYPE cXML [<!ENTITY a "b">]><cXML payloadID="x"><Request>&a;</Request></cXML>', "DOCTYPE"),
        (b'<!DOCTYPE cXML SYSTEM "x" [<!ENTITY % a SYSTEM "file:///etc/passwd">%a;]><cXML payloadID="x"/>', "DOCTYPE"),
        ("<?xml version='1.0' encoding='UTF-16'?><cXML payloadID='x'/>".encode("utf-16"), "UTF-8"),
    ],
)
def test_bytes_that_are_not_a_request_are_406_and_kept(wire: Wire, data: bytes, words: str) -> None:
    code, text = verdict(wire.post(data).data)
    assert code == "406"
    assert words in text
    [message] = wire.control.messages()
    assert wire.control.raw(message["id"]) == data


@pytest.mark.scenario
def test_entity_bombs_cost_nothing(wire: Wire, reference: Path) -> None:
    began = time.monotonic()
    for path in sorted((reference / "hostile").rglob("*.xml")):
        assert verdict(wire.post(path.read_bytes()[:9_000_000]).data)[0] in {"406", "401"}, path.name
    assert time.monotonic() - began < 5


@pytest.mark.scenario
def test_content_type_and_size_are_checked_first(wire: Wire) -> None:
    good = invoice("B-3", secret=wire.end.secret)
    assert "Content-Type" in verdict(wire.post(good, content_type="application/json").data)[1]
    big = good + b" " * 10_000_001
    assert "at most" in verdict(wire.post(big).data)[1]
    assert wire.control.invoices() == []


@pytest.mark.scenario
def test_a_chunked_body_is_read(wire: Wire) -> None:
    data = invoice("B-4", secret=wire.end.secret)
    answer = wire.pool.request(
        "POST", wire.end.url, body=iter([data[:100], data[100:]]), headers={"Content-Type": "text/xml"}, chunked=True
    )
    assert verdict(answer.data)[0] == "200"


# Duplicates ----------------------------------------------------------------------------------------------------------


@pytest.mark.scenario
def test_the_same_payload_id_again_is_the_same_invoice(wire: Wire) -> None:
    first = wire.send("C-1", payload_id="c1@larkspur.example")
    again = wire.send("C-1", payload_id="c1@larkspur.example")
    assert (first[0], again[0]) == ("200", "200")
    assert "Duplicate" in again[1]
    [row] = wire.control.invoices()
    assert (row["copies"], row["distinct_bytes"], row["contents"]) == (2, 1, 1)
    assert wire.control.count("C-1") == 1


@pytest.mark.scenario
def test_a_network_may_answer_409_to_a_repeat(wire: Wire) -> None:
    wire.control.set_rules({"repeat_code": 409})
    assert [wire.send("C-2", payload_id="c2@larkspur.example")[0] for _ in range(2)] == ["200", "409"]
    assert wire.control.count("C-2") == 1


@pytest.mark.scenario
def test_a_payload_id_with_other_content_is_a_conflict(wire: Wire) -> None:
    wire.send("C-3", payload_id="c3@larkspur.example")
    code, text = wire.send("C-4", payload_id="c3@larkspur.example")
    assert code == "409"
    assert "other content" in text
    [row] = wire.control.invoices()
    assert row["contents"] == 2


@pytest.mark.scenario
def test_a_rotated_secret_does_not_make_a_repeat_other_content(wire: Wire) -> None:
    wire.send("C-5", payload_id="c5@larkspur.example")
    fresh = wire.control.rotate_secret()
    assert wire.send("C-5", payload_id="c5@larkspur.example", secret=fresh)[0] == "200"
    [row] = wire.control.invoices()
    assert (row["copies"], row["distinct_bytes"], row["contents"]) == (2, 2, 1)


@pytest.mark.scenario
@pytest.mark.parametrize("variant", ["d-1 x", "D-1X", " D-1 X "])
def test_a_number_in_other_case_or_spacing_is_a_duplicate(wire: Wire, variant: str) -> None:
    assert wire.send("D-1 X")[0] == "200"
    code, text = wire.send(variant)
    assert code == "409"
    assert "INVOICE_DUPLICATE" in text
    assert len(wire.control.invoices()) == 1


@pytest.mark.scenario
def test_a_rejected_number_may_be_used_again(wire: Wire) -> None:
    wire.send("D-2")
    wire.control.push("D-2", "rejected", code=423, comment="wrong cost centre")
    assert wire.send("D-2")[0] == "200"
    assert [row["state"] for row in wire.control.invoices()] == ["rejected", "received"]


@pytest.mark.scenario
def test_a_number_may_come_back_next_year_where_the_buyer_says_so(wire: Wire) -> None:
    wire.control.set_rules({"default": {"duplicates": "number-and-year"}})
    assert wire.send("D-3", date="2025-12-31")[0] == "200"
    assert wire.send("D-3", date="2026-01-02")[0] == "200"
    assert wire.send("D-3", date="2026-01-03")[0] == "409"


@pytest.mark.scenario
def test_cancelling_frees_nothing_that_is_being_paid(wire: Wire) -> None:
    wire.send("D-4", payload_id="d4@larkspur.example")
    cancel = {"operation": "delete", "header": HEADER + '<DocumentReference payloadID="d4@larkspur.example"/>'}
    assert wire.send("D-4", **cancel)[0] == "200"
    assert wire.control.invoices(number="D-4")[0]["state"] == "canceled"
    assert status_types(wire.poll()) == ["canceled"]
    assert wire.send("D-4", **cancel)[0] == "400"
    wire.send("D-5", payload_id="d5@larkspur.example")
    wire.control.push("D-5", "paid")
    assert wire.send("D-5", **{**cancel, "header": cancel["header"].replace("d4@", "d5@")})[0] == "409"


# Rules of the buyer --------------------------------------------------------------------------------------------------

REMIT = '<InvoicePartner><Contact role="{}"><Name xml:lang="en">Larkspur Tools</Name></Contact>{}</InvoicePartner>'
TAX_IN_LINE = LINE.replace(
    "</InvoiceDetailItem>",
    '<Tax><Money currency="USD">7.60</Money><Description xml:lang="en">tax</Description></Tax></InvoiceDetailItem>',
)
SHIPPING = """<InvoiceDetailLineShipping><InvoiceDetailShipping>
<Contact role="shipFrom"><Name xml:lang="en">a</Name></Contact>
<Contact role="shipTo"><Name xml:lang="en">b</Name></Contact></InvoiceDetailShipping><Money currency="USD">5.00</Money>
</InvoiceDetailLineShipping></InvoiceDetailItem>"""
SHIPPED = LINE.replace("</InvoiceDetailItem>", SHIPPING)
NO_ORDER = '<SupplierOrderInfo orderID="S-1"/>'
AGREEMENT = '<MasterAgreementIDInfo agreementID="K-9"/>'
KNOWN = {"id": "PO-77", "currency": "USD", "lines": [{"number": 1, "quantity": "10", "unit": "EA", "price": "9.50"}]}
HEADER_BODY = f"""<InvoiceDetailHeaderOrder><InvoiceDetailOrderInfo>{ORDER}</InvoiceDetailOrderInfo>
<InvoiceDetailOrderSummary invoiceLineNumber="1"><SubtotalAmount><Money currency="USD">95.00</Money></SubtotalAmount>
</InvoiceDetailOrderSummary></InvoiceDetailHeaderOrder>"""
NEGATIVE = {
    "lines": LINE.replace('quantity="10"', 'quantity="-10"').replace(">95.00", ">-95.00"),
    "summary": money_summary("-95.00", "-7.60", "-102.60"),
}
HEADER_FLAG = HEADER.replace("<InvoiceDetailHeaderIndicator/>", '<InvoiceDetailHeaderIndicator isHeaderInvoice="yes"/>')


def flagged(flag: str) -> str:
    return HEADER.replace("<InvoiceDetailLineIndicator/>", f'<InvoiceDetailLineIndicator {flag}="yes"/>')


RULES: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    # rule named, buyer's rules, an invoice that breaks it, the same put right
    ("RULE-PO-REQUIRED", {}, {"order": NO_ORDER}, {"order": AGREEMENT}),
    ("RULE-PO-REQUIRED", {"purchase_order": "order"}, {"order": AGREEMENT}, {}),
    ("INV-15", {"purchase_order": "known", "orders": [{"id": "PO-1"}]}, {}, {"order": ORDER.replace("PO-77", "PO-1")}),
    (
        "RULE-LINE-MATCH",
        {"order_lines": True, "orders": [KNOWN]},
        {"lines": LINE.replace('lineNumber="1"><D', 'lineNumber="7"><D')},
        {},
    ),
    ("RULE-UNIT", {"order_lines": True, "orders": [KNOWN]}, {"lines": LINE.replace(">EA<", ">KGM<")}, {}),
    (
        "RULE-QUANTITY",
        {"order_lines": True, "orders": [{"id": "PO-77", "lines": [{"number": 1, "quantity": "9"}]}]},
        {},
        {
            "lines": LINE.replace('"10"', '"9"').replace("95.00", "85.50"),
            "summary": money_summary("85.50", "0", "85.50"),
        },
    ),
    (
        "RULE-PRICE",
        {
            "order_lines": True,
            "price_tolerance_percent": "1",
            "orders": [{"id": "PO-77", "lines": [{"number": 1, "price": "9.41"}]}],
        },
        {
            "lines": LINE.replace("9.50", "9.51").replace("95.00", "95.10"),
            "summary": money_summary("95.10", "0", "95.10"),
        },
        {},
    ),
    (
        "RULE-CURRENCY",
        {"currencies": ["EUR"]},
        {},
        {"lines": LINE.replace("USD", "EUR"), "summary": money_summary("95", "0", "95").replace("USD", "EUR")},
    ),
    ("RULE-CURRENCY", {}, {"lines": LINE.replace("USD", "EUR")}, {}),
    (
        "RULE-CURRENCY-OF-ORDER",
        {"orders": [{"id": "PO-77", "currency": "EUR"}]},
        {},
        {"order": ORDER.replace("PO-77", "PO-78")},
    ),
    ("RULE-REMIT-TO", {"remit_to": True}, {}, {"header": HEADER + REMIT.format("remitTo", "")}),
    (
        "INV-98",
        {"supplier_tax_id": True},
        {},
        {"header": HEADER + REMIT.format("from", '<IdReference identifier="12-3" domain="supplierTaxID"/>')},
    ),
    ("RULE-TAX-PER-LINE", {"tax_per_line": True}, {}, {"lines": TAX_IN_LINE, "header": flagged("isTaxInLine")}),
    ("TAX_IN_LINE_ERROR", {}, {"lines": TAX_IN_LINE}, {"lines": TAX_IN_LINE, "header": flagged("isTaxInLine")}),
    ("TAX_IN_LINE_ERROR", {}, {"header": flagged("isTaxInLine")}, {}),
    (
        "SHIPPING_IN_LINE_ERROR",
        {"arithmetic": False},
        {"lines": SHIPPED},
        {"lines": SHIPPED, "header": flagged("isShippingInLine")},
    ),
    ("SHIPPING_IN_LINE_ERROR", {}, {"header": flagged("isShippingInLine")}, {}),
    ("SPECIAL_HANDLING_IN_LINE_ERROR", {}, {"header": flagged("isSpecialHandlingInLine")}, {}),
    ("DISCOUNT_IN_LINE_ERROR", {}, {"header": flagged("isDiscountInLine")}, {}),
    ("SUMMARY_AND_DETAIL", {}, {"header": HEADER_FLAG}, {"header": HEADER_FLAG, "body": HEADER_BODY}),
    ("DETAIL_AND_SUMMARY", {}, {"body": HEADER_BODY}, {"header": HEADER_FLAG, "body": HEADER_BODY}),
    ("RULE-LAYOUT", {"layouts": ["detail"]}, {"header": HEADER_FLAG, "body": HEADER_BODY}, {}),
    (
        "INV_ROLE_IN_SHIPPING",
        {},
        {"header": HEADER + REMIT.format("shipTo", "")},
        {"header": HEADER + REMIT.format("billTo", "")},
    ),
    (
        "RULE-CREDIT-REFERENCE",
        {},
        {"purpose": "lineLevelCreditMemo", **NEGATIVE},
        {"purpose": "lineLevelCreditMemo", **NEGATIVE, "header": HEADER + '<InvoiceIDInfo invoiceID="OLD-1"/>'},
    ),
    (
        "RULE-CREDIT-REFERENCE",
        {"credit_reference": "required"},
        {"purpose": "creditMemo", **NEGATIVE},
        {
            "purpose": "creditMemo",
            **NEGATIVE,
            "header": HEADER + '<DocumentReference payloadID="old@larkspur.example"/>',
        },
    ),
    (
        "RULE-CREDIT-REFERENCE",
        {"credit_reference": "known"},
        {"purpose": "creditMemo", **NEGATIVE, "header": HEADER + '<InvoiceIDInfo invoiceID="OLD-2"/>'},
        {},
    ),
    (
        "RULE-CREDIT-COMMENTS",
        {"credit_comments": True},
        {"purpose": "creditMemo", **NEGATIVE},
        {"purpose": "creditMemo", **NEGATIVE, "header": HEADER + "<Comments>returned goods</Comments>"},
    ),
    ("RULE-CREDIT-SIGN", {}, {"purpose": "creditMemo"}, {"purpose": "creditMemo", **NEGATIVE}),
    (
        "RULE-ZERO",
        {"zero_amounts": False},
        {"lines": LINE.replace("9.50", "0").replace("95.00", "0"), "summary": money_summary("0", "0", "0")},
        {},
    ),
    ("RULE-DATE", {}, {"date": "soon"}, {}),
    (
        "RULE-LINES",
        {"max_lines": 1},
        {
            "lines": LINE + LINE.replace('LineNumber="1" q', 'LineNumber="2" q'),
            "summary": money_summary("190", "0", "190"),
        },
        {},
    ),
    ("RULE-LINE-NUMBER", {}, {"lines": LINE + LINE, "summary": money_summary("190", "0", "190")}, {}),
    ("INVOICE_NO_ID", {}, {"number": ""}, {}),
    ("RULE-SUM", {}, {"summary": money_summary("95.00", "7.60", "102.00")}, {}),
    ("RULE-SUM", {}, {"summary": money_summary("94.00", "7.60", "101.60")}, {}),
    ("RULE-SUM", {}, {"lines": LINE.replace("95.00", "96.00"), "summary": money_summary("96.00", "0", "96.00")}, {}),
    ("RULE-SUM", {}, {"summary": money_summary("95.00", "7.60", "")}, {}),
    (
        "RULE-SUM",
        {},
        {
            "summary": money_summary(
                "95.00", "7.60", "102.60", tail='<DueAmount><Money currency="USD">1</Money></DueAmount>'
            )
        },
        {
            "summary": money_summary(
                "95.00",
                "7.60",
                "115.60",
                '<ShippingAmount><Money currency="USD">10</Money></ShippingAmount>'
                '<InvoiceDetailDiscount><Money currency="USD">2</Money></InvoiceDetailDiscount>'
                '<TotalCharges><Money currency="USD">6</Money></TotalCharges>'
                '<TotalAllowances><Money currency="USD">1</Money></TotalAllowances>',
                '<DepositAmount><Money currency="USD">15.60</Money></DepositAmount>'
                '<DueAmount><Money currency="USD">100</Money></DueAmount>',
            )
        },
    ),
]


@pytest.mark.scenario
@pytest.mark.parametrize(
    ("rule", "rules", "wrong", "right"), RULES, ids=[f"{n}-{rule[0]}" for n, rule in enumerate(RULES)]
)
def test_each_rule_of_a_buyer_refuses_what_breaks_it_and_passes_what_does_not(
    wire: Wire, rule: str, rules: dict[str, Any], wrong: dict[str, Any], right: dict[str, Any]
) -> None:
    wire.control.set_rules({"buyer": {TO: rules}})
    code, text = wire.send(**{"number": "E-1", **wrong})
    assert (code, text.split(" ")[0:2]) == ("400", ["Bad", "Request"]), text
    names = set(re.findall(r"(?:^|; |Request )([A-Z][A-Z_0-9-]+):", text))
    assert names == {rule}, text
    assert wire.send(**{"number": "E-2", **right})[0] == "200"
    assert [row["number"] for row in wire.control.invoices()] == ["E-2"]


@pytest.mark.scenario
def test_all_faults_of_an_invoice_are_told_at_once(wire: Wire) -> None:
    wire.control.set_rules({"default": {"remit_to": True, "supplier_tax_id": True}})
    text = wire.send("E-3", order=NO_ORDER)[1]
    assert all(name in text for name in ("RULE-PO-REQUIRED", "RULE-REMIT-TO", "INV-98"))


@pytest.mark.scenario
def test_rules_belong_to_one_buyer(wire: Wire) -> None:
    wire.control.set_rules({"buyer": {"AN03000000003-T": {"remit_to": True}}})
    assert wire.send("E-4")[0] == "200"


@pytest.mark.scenario
def test_dates_are_judged_by_the_virtual_clock(wire: Wire) -> None:
    wire.control.set_rules({"default": {"past_days": 30, "future_days": 0}})
    soon = (datetime.now(UTC) + timedelta(days=3)).isoformat(timespec="seconds")
    assert "days ahead" in wire.send("E-5", date=soon)[1]
    wire.control.advance(hours=4 * 24)
    assert wire.send("E-5", date=soon)[0] == "200"
    wire.control.advance(hours=40 * 24)
    assert "days ago" in wire.send("E-6", date=soon)[1]


@pytest.mark.scenario
def test_vat_needs_both_numbers_a_breakdown_and_the_law_at_zero_percent(wire: Wire) -> None:
    wire.control.set_rules({"default": {"vat_details": True}})
    detail = (
        '<TaxDetail category="vat" percentageRate="0"{}><TaxableAmount><Money currency="USD">95</Money></TaxableAmount>'
        '<TaxAmount><Money currency="USD">0</Money></TaxAmount>{}</TaxDetail>'
    )
    plain = money_summary("95", "0", "95")
    bare = plain.replace("</Description></Tax>", "</Description>" + detail.format("", "") + "</Tax>")
    text = wire.send("E-7", summary=bare)[1]
    assert all(name in text for name in ("RULE-VAT-SUPPLIER", "RULE-VAT-BUYER", "RULE-VAT-POINT", "RULE-VAT-LAW"))
    assert "RULE-VAT-RATE" in wire.send("E-7", summary=plain)[1]
    law = '<Description xml:lang="en">Exempt intra-Community supply, Art. 138</Description>'
    full = plain.replace(
        "</Description></Tax>", "</Description>" + detail.format(' taxPointDate="2026-03-01"', law) + "</Tax>"
    )
    ids = (
        '<Extrinsic name="buyerVatID">FR00123456789</Extrinsic><Extrinsic name="supplierVatID">DE123456789</Extrinsic>'
    )
    assert wire.send("E-7", summary=full, header=HEADER + ids)[0] == "200"


@pytest.mark.scenario
def test_a_buyer_may_refuse_by_status_instead_of_by_answer(wire: Wire) -> None:
    wire.control.set_rules({"default": {"verdict": "status", "verdict_hours": "2"}})
    assert wire.send("E-8", order=NO_ORDER)[0] == "201"
    assert wire.poll() == []
    wire.control.advance(hours=2)
    [status] = wire.poll()
    assert status.find(".//StatusUpdateRequest/Status").get("code") == "400"  # type: ignore[union-attr]
    assert "RULE-PO-REQUIRED" in (status.findtext(".//InvoiceStatus/Comments") or "")
    assert wire.send("E-8")[0] == "200"


@pytest.mark.scenario
def test_attachments_are_counted_and_must_be_there(wire: Wire) -> None:
    def multipart(*parts: tuple[str, bytes]) -> bytes:
        header = HEADER + "<Comments>see<Attachment><URL>cid:scan@larkspur.example</URL></Attachment></Comments>"
        whole = [("", invoice(f"F-{next(_ids)}", secret=wire.end.secret, header=header)), *parts]
        pieces = [b"--cut\r\nContent-ID: <%s>\r\n\r\n%s\r\n" % (cid.encode(), data) for cid, data in whole]
        return b"".join(pieces) + b"--cut--\r\n"

    kind = 'multipart/related; type="text/xml"; boundary="cut"'
    scan = ("scan@larkspur.example", b"%PDF-1.7 \x00\xff\r\n invented")
    assert verdict(wire.post(multipart(scan), content_type=kind).data)[0] == "200"
    assert "cid:scan@larkspur.example" in verdict(wire.post(multipart(), content_type=kind).data)[1]
    wire.control.set_rules({"default": {"max_attachment_bytes": 5}})
    assert "attachments" in verdict(wire.post(multipart(scan), content_type=kind).data)[1]
    wire.control.set_rules({"default": {"attachments": False}})
    assert "not accepted" in verdict(wire.post(multipart(scan), content_type=kind).data)[1]
    assert "CR LF" in verdict(wire.post(multipart(scan).replace(b"\r\n", b"\n"), content_type=kind).data)[1]
    assert "CR LF" in verdict(wire.post(multipart(scan)[:-20], content_type=kind).data)[1]


# Statuses ------------------------------------------------------------------------------------------------------------


@pytest.mark.scenario
@pytest.mark.parametrize("kind", ["processing", "reconciled", "rejected", "paying", "paid", "canceled"])
def test_a_status_waits_to_be_polled_until_it_is_acknowledged(wire: Wire, kind: str) -> None:
    wire.send("G-1", payload_id="g1@larkspur.example")
    wire.control.push("G-1", kind, comment="because & so on")
    for _ in range(2):
        [document] = wire.poll()
    assert document.find(".//DocumentReference").get("payloadID") == "g1@larkspur.example"  # type: ignore[union-attr]
    assert document.find(".//InvoiceIDInfo").get("invoiceID") == "G-1"  # type: ignore[union-attr]
    assert document.findtext(".//Comments") == "because & so on"
    assert wire.control.invoices()[0]["state"] == kind
    assert wire.poll(lastReceivedTimestamp=str(document.get("timestamp"))) == []
    assert wire.control.statuses()[0]["acknowledged_at"]


@pytest.mark.scenario
def test_polling_in_parts_loses_and_repeats_nothing(wire: Wire) -> None:
    wire.send("G-2")
    for kind in ("processing", "reconciled", "paying", "paid"):
        wire.control.push("G-2", kind)
    seen: list[str] = []
    last: dict[str, str] = {}
    for _ in range(5):
        documents = wire.poll(maxMessages="1", **last)
        seen += status_types(documents)
        if documents:
            last["lastReceivedTimestamp"] = str(documents[-1].get("timestamp"))
    assert seen == ["processing", "reconciled", "paying", "paid"]


@pytest.mark.scenario
def test_nothing_pending_is_204(wire: Wire) -> None:
    answer = wire.ask("<GetPendingRequest><MessageType>StatusUpdateRequest</MessageType></GetPendingRequest>")
    assert answer.find("Response/Status").get("code") == "204"  # type: ignore[union-attr]
    other = wire.ask("<GetPendingRequest><MessageType>OrderRequest</MessageType></GetPendingRequest>")
    assert other.find("Response/Status").get("code") == "204"  # type: ignore[union-attr]


@pytest.mark.scenario
@pytest.mark.parametrize("attribute", ['lastReceivedTimestamp="yesterday"', 'maxMessages="many"'])
def test_a_poll_that_cannot_be_understood_is_400(wire: Wire, attribute: str) -> None:
    poll = f"<GetPendingRequest {attribute}><MessageType>StatusUpdateRequest</MessageType></GetPendingRequest>"
    assert wire.ask(poll).find("Response/Status").get("code") == "400"  # type: ignore[union-attr]


@pytest.mark.scenario
def test_a_status_can_refer_by_number_be_partial_or_be_about_nothing_known(wire: Wire) -> None:
    wire.send("G-3", payload_id="g3@larkspur.example")
    wire.control.push("G-3", "paid", by_number=True, partial_amount="50.00")
    wire.control.push("", "processing")
    known, unknown = wire.poll()
    assert known.find(".//DocumentReference") is None
    assert known.findtext(".//PartialAmount/Money") == "50.00"
    assert unknown.find(".//DocumentReference").get("payloadID") == "unknown@sandbox.example"  # type: ignore[union-attr]


@pytest.mark.scenario
def test_follow_up_statuses_of_a_buyer_come_by_themselves_as_time_goes_on(wire: Wire) -> None:
    later = [{"type": "processing", "hours": "1"}, {"type": "reconciled", "hours": "5"}, {"type": "paid", "hours": 700}]
    wire.control.set_rules({"default": {"follow_up": later}})
    wire.send("G-4")
    assert wire.poll() == []
    assert wire.control.advance(hours=6) == 2
    assert status_types(wire.poll()) == ["processing", "reconciled"]
    wire.control.advance(hours=700)
    assert wire.control.invoices()[0]["state"] == "paid"


@pytest.mark.scenario
def test_without_being_moved_the_clock_follows_real_time(wire: Wire) -> None:
    wire.control.set_rules({"default": {"follow_up": [{"type": "processing", "hours": "0.0001"}]}})
    wire.send("G-5")
    until = time.monotonic() + 5
    while not wire.control.statuses()[0]["stamped_at"] and time.monotonic() < until:
        time.sleep(0.05)
    assert status_types(wire.poll()) == ["processing"]
    now = datetime.fromisoformat(wire.control.now())
    assert abs(now - datetime.now(UTC)) < timedelta(seconds=5)


class Supplier:
    """A supplier's inbound URL that answers what it is told to."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.answers: list[tuple[int, bytes]] = []
        supplier = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                supplier.got.append(self.rfile.read(int(self.headers["Content-Length"])))
                good = (
                    200,
                    b'<cXML payloadID="r" timestamp="t"><Response><Status code="200" text="OK"/></Response></cXML>',
                )
                http, body = supplier.answers.pop(0) if supplier.answers else good
                self.send_response(http)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Supplier:
        self.thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/cxml"


@pytest.mark.scenario
def test_a_status_is_pushed_to_the_callback_with_its_secret(wire: Wire) -> None:
    with Supplier() as supplier:
        wire.control.set_callback(supplier.url, "inbound-secret")
        wire.send("H-1", payload_id="h1@larkspur.example")
        row = wire.control.push("H-1", "reconciled")
        assert row["acknowledged_at"]
        [pushed] = supplier.got
        root = etree.fromstring(pushed, etree.XMLParser(load_dtd=False))
        assert root.findtext("Header/Sender/Credential/SharedSecret") == "inbound-secret"
        assert root.find("Request").get("deploymentMode") == "test"  # type: ignore[union-attr]
        [message] = wire.control.messages(direction="out")
        assert wire.control.raw(message["id"]) == pushed
        assert wire.poll() == []


@pytest.mark.scenario
def test_a_push_that_fails_is_tried_again_on_the_virtual_clock_with_the_same_bytes(wire: Wire) -> None:
    with Supplier() as supplier:
        supplier.answers = [
            (503, b"busy"),
            (200, b"<html/>"),
            (200, b'<cXML><Response><Status code="401" text="no"/></Response></cXML>'),
        ]
        wire.control.set_callback(supplier.url, "inbound-secret")
        wire.send("H-2")
        row = wire.control.push("H-2", "processing")
        assert (row["acknowledged_at"], row["push_result"]) == (None, "HTTP 503, Status none")
        assert status_types(wire.poll()) == ["processing"]
        wire.control.advance(hours=1)
        assert len(supplier.got) == 4
        assert len(set(supplier.got)) == 1
        assert wire.control.statuses()[0]["acknowledged_at"]


@pytest.mark.scenario
def test_a_push_over_tls_trusts_the_ca_of_the_supplier_and_no_other(wire: Wire) -> None:
    with AribaSandbox() as supplier:
        url, ca = str(supplier.ready()["profile_url"]), supplier.ca_file.read_text()
        wire.send("H-4")
        for trusted, result in (
            (ca, "HTTP 200, Status 401"),
            ("", "SSLCertVerificationError"),
            ("garbage", "SSLError"),
        ):
            wire.control.set_callback(url, "inbound-secret", trusted)
            assert result in wire.control.push("H-4", "processing")["push_result"]
        assert [row["kind"] for row in supplier.store.messages()] == ["StatusUpdateRequest"]


@pytest.mark.scenario
def test_a_dead_callback_is_given_up_and_left_to_the_poll(wire: Wire) -> None:
    wire.control.set_callback("http://127.0.0.1:9/cxml", "inbound-secret")
    wire.send("H-3")
    wire.control.push("H-3", "processing")
    wire.control.advance(hours=100)
    row = wire.control.statuses()[0]
    assert (row["push_at"], row["pushes"]) == (None, 7)
    assert status_types(wire.poll()) == ["processing"]


# Misbehaviour --------------------------------------------------------------------------------------------------------


def outcome(wire: Wire, number: str) -> str:
    """The invoice sent once: the Status code, or how it failed, as a careful client would see it."""
    try:
        answer = wire.post(invoice(number, payload_id=f"{number}@larkspur.example", secret=wire.end.secret))
    except urllib3.exceptions.HTTPError as error:
        return type(error).__name__
    if not answer.headers.get("Content-Type", "").startswith("text/xml") or answer.status != 200:
        return f"HTTP {answer.status} {answer.headers.get('Content-Type')}"
    try:
        return verdict(answer.data)[0]
    except etree.XMLSyntaxError:
        return "not XML"


@pytest.mark.scenario
@pytest.mark.parametrize(
    ("do", "how", "seen", "taken"),
    [
        ("refuse", {}, "401", 0),
        ("refuse", {"code": 560, "text": "later"}, "560", 0),
        ("answer", {"code": 201}, "201", 1),
        ("duplicate", {}, "409", 1),
        ("fail_after_accept", {}, "HTTP 500 text/html; charset=UTF-8", 1),
        ("fail_before_accept", {"http": 502}, "HTTP 502 text/html; charset=UTF-8", 0),
        ("lost_answer", {}, "ProtocolError", 1),
        ("lost_request", {}, "ProtocolError", 0),
        ("cut_answer", {"how": "length"}, "ProtocolError", 1),
        ("cut_answer", {"how": "close"}, "not XML", 1),
        ("cut_answer", {"how": "xml", "at": 60}, "not XML", 1),
        ("maintenance", {}, "HTTP 200 text/html; charset=UTF-8", 0),
        ("unavailable", {"retry_after": 7}, "HTTP 503 text/html; charset=UTF-8", 0),
        ("empty", {}, "not XML", 1),
        ("reuse_payload_id", {}, "200", 1),
        ("rotate_secret", {"text": "the-next-secret"}, "401", 0),
        ("hang", {"seconds": "0.2"}, "ProtocolError", 1),
    ],
)
def test_a_misbehaviour_strikes_once_and_a_repeat_never_makes_a_second_invoice(
    wire: Wire, do: str, how: dict[str, Any], seen: str, taken: int
) -> None:
    wire.control.next(do, **how)
    assert outcome(wire, "I-1") == seen
    assert wire.control.count("I-1") == taken
    secret = how["text"] if do == "rotate_secret" else wire.end.secret
    again = verdict(wire.post(invoice("I-1", payload_id="I-1@larkspur.example", secret=secret)).data)[0]
    assert again == "200"
    assert wire.control.count("I-1") == 1
    assert wire.control.copies("I-1@larkspur.example") == 2
    assert wire.control.behaviours() == []
    assert [row["behaviour"] for row in wire.control.messages()] == [do, ""]


@pytest.mark.scenario
def test_a_slow_answer_drips_until_the_client_gives_up(wire: Wire) -> None:
    wire.control.next("slow", seconds="0.4")
    began = time.monotonic()
    assert outcome(wire, "I-2") == "200"
    assert time.monotonic() - began > 0.3
    wire.control.next("slow", seconds="2")
    impatient = Wire(wire.end, timeout=urllib3.Timeout(connect=10, read=0.05))
    with pytest.raises(urllib3.exceptions.HTTPError):
        impatient.post(invoice("I-3", secret=wire.end.secret))
    impatient.pool.clear()
    assert wire.control.count("I-3") == 1


@pytest.mark.scenario
def test_an_unavailable_network_says_when_to_come_back(wire: Wire) -> None:
    wire.control.next("unavailable", retry_after=7)
    answer = wire.post(invoice("I-4", secret=wire.end.secret))
    assert (answer.status, answer.headers["Retry-After"]) == (503, "7")


@pytest.mark.scenario
def test_a_reused_payload_id_is_that_of_the_answer_before(wire: Wire) -> None:
    wire.control.next("reuse_payload_id", after=1)
    answers = [wire.post(invoice(f"I-5{each}", secret=wire.end.secret)).data for each in "ab"]
    first, second = (etree.fromstring(each, etree.XMLParser(load_dtd=False)).get("payloadID") for each in answers)
    assert first == second


@pytest.mark.scenario
def test_the_url_moves_and_only_the_profile_tells(wire: Wire) -> None:
    def told() -> str:
        found = {
            each.get("requestName"): each.findtext("URL") for each in wire.ask("<ProfileRequest/>").iter("Transaction")
        }
        return str(found["InvoiceDetailRequest"])

    before = told()
    wire.control.next("moved_url")
    after = told()
    assert before != after == told()
    assert wire.post(invoice("I-6", secret=wire.end.secret), before).status == 404
    assert wire.send("I-6", url=after)[0] == "200"
    wire.control.next("foreign_host", url="https://elsewhere.example/take")
    assert told() == "https://elsewhere.example/take"
    assert told() == after


@pytest.mark.scenario
def test_a_late_rejection_is_followed_by_an_impossible_payment(wire: Wire) -> None:
    later = [{"type": "rejected", "hours": 4, "code": 423, "comment": "price differs"}, {"type": "paid", "hours": 6}]
    wire.control.next("answer", code=201, later=later)
    assert wire.send("I-7")[0] == "201"
    wire.control.advance(hours=3)
    assert wire.poll() == []
    wire.control.advance(hours=1)
    assert status_types(wire.poll()) == ["rejected"]
    wire.control.advance(hours=2)
    assert status_types(wire.poll()) == ["rejected", "paid"]


@pytest.mark.scenario
def test_statuses_come_twice_and_for_documents_nobody_sent(wire: Wire) -> None:
    later = [
        {"type": "paid", "copies": 2},
        {"type": "processing"},
        {"type": "paid", "payload_id": "never-sent@example"},
    ]
    wire.control.next("answer", later=later)
    wire.send("I-8", payload_id="i8@larkspur.example")
    documents = wire.poll()
    assert status_types(documents) == ["paid", "paid", "processing", "paid"]
    assert documents[0].get("payloadID") == documents[1].get("payloadID")
    about = [each.find(".//DocumentReference").get("payloadID") for each in documents]  # type: ignore[union-attr]
    assert about == ["i8@larkspur.example"] * 3 + ["never-sent@example"]


@pytest.mark.scenario
def test_a_behaviour_waits_for_what_it_matches(wire: Wire) -> None:
    wire.control.next("fail_after_accept", match={"invoice_number": "J-2*"})
    wire.control.next("refuse", on="profile", code=500)
    wire.control.next("refuse", match={"copy": 2, "purpose": "standard"}, code=560)
    assert outcome(wire, "J-1") == "200"
    assert outcome(wire, "J-22").startswith("HTTP 500")
    assert outcome(wire, "J-22") == "560"
    assert wire.ask("<ProfileRequest/>").find("Response/Status").get("code") == "500"  # type: ignore[union-attr]


@pytest.mark.scenario
def test_a_behaviour_may_skip_some_repeat_or_last(wire: Wire) -> None:
    wire.control.next("refuse", after=1, times=2, code=560)
    assert [wire.send(f"J-3{each}")[0] for each in "abcd"] == ["200", "560", "560", "200"]
    wire.control.next("refuse", times=0, code=500)
    assert {wire.send(f"J-4{each}")[0] for each in "abcd"} == {"500"}
    wire.control.clear_behaviours()
    assert wire.send("J-5")[0] == "200"


def test_chance_is_seeded(tmp_path: Path) -> None:
    file = tmp_path / "flaky.toml"
    file.write_text('seed = 11\n[[behaviour]]\ndo = "refuse"\ntimes = 0\ncode = 560\nchance = "0.5"\n')

    def codes() -> list[str]:
        with AribaSandbox(Options(scenario=str(file))) as sandbox:
            wire = Wire(endpoint(sandbox))
            found = [wire.send(f"K-{each}")[0] for each in range(12)]
            wire.pool.clear()
            return found

    first = codes()
    assert first == codes()
    assert set(first) == {"200", "560"}


SCENARIOS = sorted(path.stem for path in (own_scenarios()).glob("*.toml"))


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_that_ships_is_readable_and_says_what_it_is_about(name: str) -> None:
    scenario = read_scenario(name)
    assert scenario.name == name
    assert scenario.about
    assert scenario.behaviour


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[[behaviour]]\ndo = "acept"\n', "do"),
        ('[[behaviour]]\ndo = "refuse"\ntime = 3\n', "times"),
        ('[[behaviour]]\ndo = "slow"\nseconds = 0.5\n', '"0.5"'),
        ("[[behaviour]\n", "not valid TOML"),
    ],
)
def test_a_scenario_with_faults_is_refused_in_words(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=re.escape(words)):
        AribaSandbox(Options(scenario=str(file)))


def test_an_unknown_scenario_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="late-rejection"):
        read_scenario("late-rejektion")


# The control interface -----------------------------------------------------------------------------------------------


@pytest.mark.scenario
def test_the_control_interface_needs_its_token(wire: Wire) -> None:
    url = wire.end.url.replace("/cxml/invoice", "/control/invoices")
    assert wire.pool.request("GET", url).status == 401
    assert wire.pool.request("GET", url, headers={"Authorization": "Bearer x"}).status == 401


@pytest.mark.scenario
@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda control: control.next("acept"), "do"),
        (lambda control: control.set_rules({"default": {"remit_too": True}}), "remit_to"),
        (lambda control: control.push("nobody", "paid"), "no invoice"),
        (lambda control: control.raw(99), "no message"),
        (lambda control: control._call("GET", "/nothing"), "known"),
        (lambda control: control._call("PUT", "/rules", [1]), "not a JSON object"),
    ],
)
def test_a_wrong_call_is_refused_in_words(wire: Wire, call: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call(wire.control)


@pytest.mark.scenario
def test_reset_returns_to_the_beginning(wire: Wire) -> None:
    wire.send("L-1")
    wire.control.next("refuse", times=0)
    wire.control.rotate_secret()
    wire.control.set_rules({"default": {"remit_to": True}})
    wire.control.set_callback("http://127.0.0.1:9/", "s")
    wire.control.advance(hours=5)
    wire.control.reset()
    assert (wire.control.invoices(), wire.control.messages(), wire.control.behaviours()) == ([], [], [])
    assert wire.send("L-1")[0] == "200"


@pytest.mark.scenario
def test_parallel_copies_of_one_invoice_are_one_invoice(wire: Wire) -> None:
    data = invoice("M-1", payload_id="m1@larkspur.example", secret=wire.end.secret)
    threads = [threading.Thread(target=wire.post, args=(data,)) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    [row] = wire.control.invoices()
    assert row["copies"] == 8


# The program ---------------------------------------------------------------------------------------------------------


def endpoint(sandbox: AribaSandbox) -> AribaEndpoint:
    from einvoice.sandbox.fixtures import Identities

    ready = sandbox.ready()
    control = ControlClient(str(ready["control_url"]), sandbox.token, sandbox.ca_file)
    ids = Identities(sandbox.options.own[0], sandbox.options.to[0], sandbox.options.system_id)
    return AribaEndpoint(
        str(ready["url"]), str(ready["profile_url"]), str(sandbox.ca_file), sandbox.network.secret, ids, "test", control
    )


@pytest.mark.scenario
def test_totals_name_doubled_numbers_and_changed_content(wire: Wire) -> None:
    wire.control.set_rules({"default": {"duplicates": "off"}})
    for payload_id in ("s1@larkspur.example", "s2@larkspur.example"):
        wire.send("S-1", payload_id=payload_id)
    wire.send("S-3", payload_id="s2@larkspur.example")
    assert wire.control.totals() == {
        "invoices": 2,
        "requests": 3,
        "doubled": [{"supplier": OWN, "number": "S-1", "invoices": 2}],
        "changed": ["s2@larkspur.example"],
    }


def test_the_program_prints_one_line_when_ready_and_keeps_every_byte_over_a_restart(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("from-a-file-1\n")
    command = [
        sys.executable,
        "-m",
        "einvoice.sandbox",
        "--dir",
        str(tmp_path / "net"),
        "--secret-ref",
        f"file:{secret}",
    ]
    cas = []
    for run in range(2):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
            assert program.stdout is not None
            ready = json.loads(program.stdout.readline())
            assert ready["secret"] is None
            cas.append(Path(ready["ca_file"]).read_bytes())
            control = ControlClient(ready["control_url"], ready["control_token"], ready["ca_file"])
            with urllib3.PoolManager(ca_certs=ready["ca_file"], retries=False) as pool:
                data = invoice("N-1", payload_id="n1@larkspur.example", secret="from-a-file-1")
                answer = pool.request("POST", ready["url"], body=data, headers={"Content-Type": "text/xml"})
            assert verdict(answer.data)[0] == "200"
            assert control.copies("n1@larkspur.example") == run + 1
            assert control.count("N-1") == 1
            program.terminate()
            assert program.wait(10) == 0
    assert cas[0] == cas[1]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--dtd", "."], 2, "InvoiceDetail.dtd"),
        (["--own", "AN1"], 2, "-T"),
        (["--secret-ref", "hunter2"], 2, "env:NAME"),
        (["--rules", "none.toml"], 2, "none.toml"),
        (["--host", "192.0.2.1"], 3, "cannot start"),
    ],
)
def test_options_that_cannot_be_used_are_told_in_words(
    arguments: list[str], code: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == code
    told = capsys.readouterr()
    assert words in told.err
    assert "hunter2" not in told.err
    assert told.out == ""


def test_without_its_extra_the_sandbox_says_what_to_install(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    monkeypatch.delitem(sys.modules, "einvoice.sandbox.tls", raising=False)
    assert main([]) == 2
    assert "einvoice-engine[sandbox]" in capsys.readouterr().err


def test_rules_come_from_a_file(tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text(f'accepted_code = 201\n[buyer."{TO}"]\nremit_to = true\n')
    with AribaSandbox(Options(rules=rules)) as sandbox:
        wire = Wire(endpoint(sandbox))
        assert "RULE-REMIT-TO" in wire.send("O-1")[1]
        assert wire.send("O-1", header=HEADER + REMIT.format("remitTo", ""))[0] == "201"
        wire.pool.clear()


def test_production_accounts_live_in_a_network_of_their_own() -> None:
    with AribaSandbox(Options(environment="production", own=("AN01000000001",), to=("AN02000000002",))) as sandbox:
        wire = Wire(endpoint(sandbox))
        real = {"own": "AN01000000001", "to": "AN02000000002"}
        assert wire.send("R-1", mode="production", **real)[0] == "200"
        assert wire.send("R-2", mode="test", **real)[0] == "403"
        assert wire.send("R-3")[0] == "401"
        wire.pool.clear()


@pytest.mark.scenario
def test_a_request_that_is_cut_on_its_way_is_not_looked_at(wire: Wire) -> None:
    data = invoice("R-4", secret=wire.end.secret)
    url = urllib3.util.parse_url(wire.end.url)
    context = ssl.create_default_context(cafile=wire.end.ca_file)
    for length in (str(len(data) + 50), "many"):
        with (
            socket.create_connection((url.host, url.port), timeout=5) as raw,
            context.wrap_socket(raw, server_hostname=url.host) as connection,
        ):
            head = f"POST {url.path} HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\nContent-Length: {length}\r\n\r\n"
            connection.sendall(head.encode() + data)
            if length == "many":
                assert connection.recv(100).startswith(b"HTTP/1.1 400")
            else:
                connection.shutdown(socket.SHUT_WR)
    assert wire.send("R-5")[0] == "200"
    assert [row["invoice_number"] for row in wire.control.messages()] == ["R-5"]


def test_what_is_kept_is_for_the_owner_only(tmp_path: Path) -> None:
    with AribaSandbox(Options(dir=tmp_path / "net")):
        modes = {path.name: path.stat().st_mode & 0o077 for path in (tmp_path / "net").iterdir()}
    assert modes.pop("ca.pem") == 0o044
    assert {"ca.key", "server.pem", "sandbox.sqlite"} <= modes.keys()
    assert set(modes.values()) == {0}


# The manual ----------------------------------------------------------------------------------------------------------

MANUAL = Path(__file__).parent.parent / "docs" / "sandbox.md"


def test_the_manual_names_everything_that_can_be_set() -> None:
    text = MANUAL.read_text("utf-8")
    words = {*get_args(Do), *BuyerRules.model_fields, *NetworkRules.model_fields, *Later.model_fields}
    words |= {*Behaviour.model_fields, *SCENARIOS}
    assert sorted(word for word in words if not re.search(rf"\b{word}\b", text)) == []


@pytest.mark.scenario
@pytest.mark.skipif(shutil.which("curl") is None, reason="the manual's examples are for curl, which is not here")
def test_the_curl_examples_of_the_manual_work(wire: Wire, tmp_path: Path) -> None:
    wire.send("INV-7", payload_id="1.7@seller.example")
    assert wire.end.sandbox is not None
    script = "\n".join(re.findall(r"(?m)^    \$ ((?:U=|c).*)$", MANUAL.read_text("utf-8")))
    script = script.replace("https://127.0.0.1:8443", wire.end.sandbox.url).replace(
        "./network/ca.pem", str(wire.end.ca_file)
    )
    script = script.replace("curl -s ", "curl -sS --fail-with-body ")
    done = subprocess.run(
        ["bash", "-euc", script],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "TOKEN": wire.end.sandbox.token},
        timeout=30,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(script.splitlines()) == 21
    assert b"INV-7" in (tmp_path / "request.xml").read_bytes()


def test_the_plugin_imports_nothing_heavy() -> None:
    code = "import einvoice.sandbox.fixtures, sys; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"lxml", "pydantic", "cryptography", "urllib3"} & set(done.stdout.split())


# Validity: the official DTD and our own schema -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def judges(reference: Path) -> tuple[etree.DTD, etree.XMLSchema]:
    folder = reference / "cxml" / "dtd-1.2.071"
    return etree.DTD(file=str(folder / "InvoiceDetail.dtd")), etree.XMLSchema(file=str(own_schema()))


def parsed(data: bytes) -> etree._Element:
    return etree.fromstring(data, etree.XMLParser(load_dtd=False, no_network=True, remove_comments=True))


def test_real_invoices_are_valid_by_the_official_dtd_and_by_our_schema(
    judges: tuple[etree.DTD, etree.XMLSchema], reference: Path
) -> None:
    samples = [each for each in (reference / "cxml").rglob("*.xml") if b"<InvoiceDetailRequest>" in each.read_bytes()]
    assert len(samples) == 4
    for path in samples:
        for judge in judges:
            assert judge.validate(parsed(path.read_bytes())), (path.name, judge.error_log)


RICH = invoice(
    "RICH-1",
    header=HEADER
    + REMIT.format("remitTo", '<IdReference identifier="12-3456789" domain="supplierTaxID"/>')
    + '<PaymentTerm payInNumberOfDays="30"><Discount><DiscountPercent percent="2"/></Discount></PaymentTerm>'
    + '<Period startDate="2026-02-01" endDate="2026-02-28"/><Comments xml:lang="en">Thank you</Comments>'
    + '<Extrinsic name="invoiceSourceDocument">PurchaseOrder</Extrinsic>',
    lines=TAX_IN_LINE.replace(
        "Brass fitting</Description>",
        'Brass fitting</Description><Classification domain="UNSPSC">40141700</Classification>',
    ),
)
MEMO = invoice(
    "MEMO-1",
    purpose="lineLevelCreditMemo",
    header=HEADER + '<InvoiceIDInfo invoiceID="OLD-1" invoiceDate="2026-01-31"/><Comments>returned</Comments>',
    lines=SHIPPED.replace(
        "</InvoiceDetailItem>",
        """<InvoiceItemModifications><Modification><AdditionalDeduction><DeductionAmount><Money currency="USD">5</Money>
        </DeductionAmount></AdditionalDeduction><ModificationDetail name="Rebate">
        <Description xml:lang="en">r</Description></ModificationDetail></Modification></InvoiceItemModifications>
        <TotalAllowances><Money currency="USD">5</Money>
        </TotalAllowances></InvoiceDetailItem>""",
    ),
)
SERVICE = invoice(
    "SERVICE-1",
    order=AGREEMENT,
    lines="""<InvoiceDetailServiceItem invoiceLineNumber="1" quantity="3">
    <InvoiceDetailServiceItemReference lineNumber="4"><Description xml:lang="de">Wartung</Description>
    </InvoiceDetailServiceItemReference>
    <SubtotalAmount><Money currency="EUR">300</Money></SubtotalAmount>
    <Period startDate="2026-01-01" endDate="2026-03-31"/><UnitRate><Money currency="EUR">100</Money>
    <UnitOfMeasure>HUR</UnitOfMeasure></UnitRate><Distribution><Accounting name="A"><AccountingSegment id="4711">
    <Name xml:lang="de">Kostenstelle</Name><Description xml:lang="de">Werk 2</Description></AccountingSegment>
    </Accounting><Charge><Money currency="EUR">300</Money></Charge></Distribution></InvoiceDetailServiceItem>""",
    summary=money_summary("300", "57", "357").replace("USD", "EUR"),
)
CONTACT = """<InvoicePartner><Contact role="soldTo" addressID="7"><Name xml:lang="en">Quillon Motors</Name>
<PostalAddress name="default"><DeliverTo>Gate 4</DeliverTo><Street>1 Mill Road</Street><City>Dayton</City>
<State isoStateCode="US-OH">OH</State><PostalCode>45402</PostalCode><Country isoCountryCode="US">United States</Country>
</PostalAddress><Email name="default">ap@quillon.example</Email><Phone name="work"><TelephoneNumber>
<CountryCode isoCountryCode="US">1</CountryCode><AreaOrCityCode>937</AreaOrCityCode><Number>5550100</Number>
</TelephoneNumber></Phone></Contact></InvoicePartner>"""
HEADER_LEVEL = invoice("HEADER-1", header=HEADER_FLAG + CONTACT, body=HEADER_BODY)


def mutations(data: bytes) -> Iterator[tuple[str, bytes]]:
    """*data* with one thing wrong: each attribute and element left out, elements doubled, moved or unheard of."""
    for position, element in enumerate(parsed(data).iter()):
        for name in map(str, element.attrib):
            copy = parsed(data)
            del list(copy.iter())[position].attrib[name]
            yield f"{position} {element.tag} without {name}", etree.tostring(copy)
        for what, change in CHANGES.items():
            copy = parsed(data)
            each = list(copy.iter())[position]
            if each.getparent() is not None or what.startswith("unheard"):
                change(each, each.getparent())
                yield f"{position} {element.tag} {what}", etree.tostring(copy)


CHANGES: dict[str, Callable[[Any, Any], object]] = {
    "without": lambda each, parent: parent.remove(each),
    "twice": lambda each, parent: parent.insert(parent.index(each), parsed(etree.tostring(each))),
    "moved last": lambda each, parent: parent.append(each),
    "unheard of inside": lambda each, parent: etree.SubElement(each, "Unheard"),
    "unheard of attribute": lambda each, parent: each.set("unheard", "1"),
}


@pytest.mark.parametrize("data", [RICH, MEMO, SERVICE, HEADER_LEVEL], ids=["rich", "memo", "service", "header"])
def test_our_schema_agrees_with_the_dtd_on_every_mutation(
    judges: tuple[etree.DTD, etree.XMLSchema], data: bytes
) -> None:
    dtd, ours = judges
    assert dtd.validate(parsed(data)), dtd.error_log
    assert ours.validate(parsed(data)), ours.error_log
    verdicts = {
        name: (dtd.validate(parsed(changed)), ours.validate(parsed(changed))) for name, changed in mutations(data)
    }
    wrong = {name.partition(" ")[2] for name, found in verdicts.items() if found[0] != found[1]}
    # Where content is open in the DTD (ANY) a declared element passes there; in ours any element does.
    assert wrong <= {f"{name} unheard of inside" for name in ("Extrinsic", "SharedSecret", "Identity")}
    assert sum(not ours for _, ours in verdicts.values()) > 150


def test_mutated_real_invoices_fail_our_schema_wherever_they_fail_the_dtd(
    judges: tuple[etree.DTD, etree.XMLSchema], reference: Path
) -> None:
    dtd, ours = judges
    data = (reference / "cxml" / "samples-ruby" / "invoice_taxes_at_line.xml").read_bytes()
    passed = [
        name
        for name, changed in mutations(data)
        if ours.validate(parsed(changed)) and not dtd.validate(parsed(changed))
    ]
    assert {name.partition(" ")[2] for name in passed} <= {
        "Identity unheard of inside",
        "SharedSecret unheard of inside",
    }


def test_amounts_and_dates_must_look_like_such_in_our_schema(judges: tuple[etree.DTD, etree.XMLSchema]) -> None:
    dtd, ours = judges
    for before, after in (
        (b">9.50<", b">9,50<"),
        (b">9.50<", b">1E2<"),
        (b'startDate="2026-02-01"', b'startDate="1 Feb"'),
    ):
        changed = parsed(RICH.replace(before, after))
        assert dtd.validate(changed)
        assert not ours.validate(changed)


def test_with_a_directory_of_dtds_those_judge_and_every_answer_is_valid_by_them(reference: Path) -> None:
    folder = reference / "cxml" / "dtd-1.2.071"
    official = etree.DTD(file=str(folder / "cXML.dtd"))
    with Supplier() as supplier, AribaSandbox(Options(dtd=folder)) as sandbox:
        wire = Wire(endpoint(sandbox))
        assert wire.send("P-1")[0] == "200"
        code, text = wire.send("P-2", header="")
        assert code == "406"
        assert "InvoiceDetailRequestHeader" in text
        wire.control.push("P-1", "paid", partial_amount="50.00", comment="part < all", code=200)
        wire.control.push("P-1", None, code=500, text="failed")
        wire.poll()
        wire.ask("<ProfileRequest/>")
        wire.ask("<GetPendingRequest/>")
        wire.control.set_callback(supplier.url, "s")
        wire.control.push("P-1", "processing")
        messages = wire.control.messages()
        for message in messages:
            ours = "request" if message["direction"] == "out" else "answer"
            assert official.validate(parsed(wire.control.raw(message["id"], ours))), (message, official.error_log)
        assert len(messages) >= 6
        wire.pool.clear()


@pytest.mark.scenario
def test_numbers_are_compared_as_decimals(wire: Wire) -> None:
    lines = LINE.replace("9.50", str(Decimal("9.499999999999999999"))).replace(">95.00", ">95.0")
    assert wire.send("Q-1", lines=lines)[0] == "200"


def test_scenario_files_may_be_given_as_text_in_code() -> None:
    assert Scenario.model_validate({"behaviour": [{"do": "moved_url"}]}).behaviour[0].on == "profile"


@pytest.mark.scenario
def test_tls_below_1_2_is_refused(wire: Wire) -> None:
    context = ssl.create_default_context(cafile=wire.end.ca_file)
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
