"""cXML."""
from __future__ import annotations
import io, os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from hypothesis import given, settings, strategies as st, HealthCheck
from lxml import etree
from einvoice import formats
from einvoice.exchange import Identity
from einvoice.formats._cxml_table import table
from einvoice.formats.cxml import Cxml,CxmlFormat,Credential
from einvoice.mapping import placed
from einvoice.model import Invoice, leaves
from tests.invoices import WORD, invoices

IDS = Identity("made@example.com", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
SET = {"from_":(Credential(identity="A"),), "to":(Credential(identity="B"),)}

SPECIAL: dict[str, Any] = {
    "header_invoice": None,
    "operation": st.just("delete"),
    "type_code": st.just("380"),
}
R=Path("/work/shared/reference")
D=etree.DTD(str(R/"cxml/dtd-older/1.2.037-InvoiceDetail.dtd"))

def settle(raw: dict[str, Any]) -> None:
    raw["number"], raw["issue_date"], raw["currency"], raw["type_code"] = "1", date(2026, 1, 2), "EUR", "380"
    for side in ("seller", "buyer"):
        raw.setdefault(side, {}).setdefault("network_ids", [{"scheme": "NetworkID", "value": "AN1"}])
    lines = raw.setdefault("lines", [{}])

@given(invoices(placed(table((1,2,71))), SPECIAL, settle))
@settings(max_examples=100, suppress_health_check=list(HealthCheck), deadline=None, database=None)
def test_rt(invoice: Invoice) -> None:
    data = CxmlFormat().write(invoice, IDS).data
    read = next(iter(formats.read(data)))
    before, after = dict(leaves(invoice)), dict(leaves(read.invoice))
    assert {k: (v, after.get(k)) for k, v in before.items() if after.get(k) != v} == {}
    again = next(iter(formats.read(CxmlFormat().write(read.invoice, IDS).data)))
    assert again.invoice == read.invoice
@given(invoices(placed(table((1,2,71))), SPECIAL, settle))
@settings(max_examples=100, suppress_health_check=list(HealthCheck), deadline=None, database=None)
def test_dtd(invoice: Invoice) -> None:
    root=etree.fromstring(CxmlFormat(Cxml(**SET)).write(invoice, IDS).data)
    assert D.validate(root), (D.error_log.filter_from_errors(), etree.tostring(root))
