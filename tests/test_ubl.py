"""UBL."""
from __future__ import annotations
import io
from datetime import UTC, datetime
from typing import Any
from hypothesis import given, settings, strategies as st, HealthCheck
from einvoice import formats
from einvoice.exchange import Identity
from einvoice.formats.ubl import table
from einvoice.mapping import placed
from einvoice.model import Invoice, leaves
from tests.invoices import WORD, invoices

IDS = Identity("made@example.com", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))

SPECIAL: dict[str, Any] = {"payment.means[].remittance": None, "type_code": st.just("380"), "notes[].subject_code": st.sampled_from(["AAI", "REG"])}

def settle(raw: dict[str, Any]) -> None:
    """What the syntax says only together: a creditor id of someone, remittance of a means, BT-111 beside BT-110."""
    raw["currency"], raw["type_code"] = "EUR", "380"
    raw.setdefault("seller", {})["name"] = "Seller"
    payment = raw.get("payment", {})
    if "remittance" in payment:
        payment.setdefault("means", [{"code": "30"}])
    if raw.get("tax_currency") == "EUR":
        del raw["tax_currency"]
    if "tax_accounting" in raw.get("totals", {}):
        raw["tax_currency"] = "SEK"
    for party in (raw[role] for role in ("seller", "buyer", "tax_representative") if role in raw):
        if "tax_registrations" in party:
            party["tax_id"] = "1"

@given(invoices(placed(table("Invoice")), SPECIAL, settle))
@settings(max_examples=300, suppress_health_check=list(HealthCheck), deadline=None, database=None)
def test_rt(invoice: Invoice) -> None:
    data = formats.get("ubl").write(invoice, IDS).data
    read = next(iter(formats.read(data)))
    before, after = dict(leaves(invoice)), dict(leaves(read.invoice))
    assert {k: (v, after.get(k)) for k, v in before.items() if after.get(k) != v} == {}
    again = next(iter(formats.read(formats.get("ubl").write(read.invoice, IDS).data)))
    assert again.invoice == read.invoice
