"""One invoice in two shapes: our model, which the templates and the tree read too, and the dictionary of factur-x.

A Peppol BIS Billing 3 invoice with two VAT rates; every line has a description, an article number and a VAT
category. Texts hold what must be escaped, so that a writer that forgets to is found out before it is timed.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from einvoice.exchange import Identity
from einvoice.model import Invoice
from einvoice.money import round_half_up

#: factur-x writes BT-24 by level and knows no Peppol level, so that all writers are given this one.
SPECIFICATION = "urn:cen.eu:en16931:2017"
PROCESS = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
IDS = Identity("bench-1@seller.example", datetime(2026, 11, 2, 9, 30, tzinfo=UTC))
ISSUED, DUE = date(2026, 11, 2), date(2026, 12, 2)
RATES = ("19", "7")
NOTE = 'Delivered in full & accepted; see "terms" at <https://seller.example/terms>'
TERMS = "30 days net"

SELLER = {
    "name": "Example Tools & Parts GmbH", "trading_name": "Example Tools", "vat_id": "DE123456789",
    "endpoint": {"value": "4000001000005", "scheme": "0088"},
    "address": {"line_1": "Werkstraße 1", "city": "Köln", "postcode": "50667", "country": "DE"},
    "contact": {"name": "A. Beispiel", "phone": "+49 221 000000", "email": "billing@seller.example"},
}  # fmt: skip
BUYER = {
    "name": "Example Buyer AG", "vat_id": "DE987654321",
    "endpoint": {"value": "4000001000012", "scheme": "0088"},
    "address": {"line_1": "Marktplatz 2", "city": "Hamburg", "postcode": "20095", "country": "DE"},
}  # fmt: skip


def _line(number: int) -> dict[str, Any]:
    """Line *number* as plain values: quantity and price vary, and so does the net amount."""
    quantity, price = Decimal(1 + number % 7), Decimal(950 + number * 37 % 400).scaleb(-2)
    return {
        "id": str(number), "quantity": str(quantity), "price": str(price), "net": str(round_half_up(quantity * price)),
        "name": f"Bolt M{number % 12 + 3} <zinc>", "description": f"Hexagon bolt & nut, article {number}, galvanised",
        "article": f"SKU-{number:05d}", "rate": RATES[number % 2],
    }  # fmt: skip


def plain(lines: int) -> dict[str, Any]:
    """The figures of the invoice with *lines* lines, as text: lines, breakdown and totals."""
    rows = [_line(number) for number in range(1, lines + 1)]
    taxes = []
    for rate in RATES:
        nets = [Decimal(row["net"]) for row in rows if row["rate"] == rate]
        if nets:
            tax = round_half_up(sum(nets, Decimal(0)) * Decimal(rate) / 100)
            taxes.append({"base": str(sum(nets)), "amount": str(tax), "rate": rate})
    net = sum((Decimal(row["net"]) for row in rows), Decimal(0))
    tax = sum((Decimal(row["amount"]) for row in taxes), Decimal(0))
    return {"lines": rows, "taxes": taxes, "net": str(net), "tax": str(tax), "gross": str(net + tax)}


def invoice(lines: int, network: bool = False) -> Invoice:
    """Our model of it. With *network* also what a cXML document needs: network ids and an order with its lines."""
    figures = plain(lines)
    seller: dict[str, Any] = dict(SELLER)
    buyer: dict[str, Any] = dict(BUYER)
    if network:
        seller["network_ids"] = [{"value": "AN01000000001-T", "scheme": "NetworkID"}]
        buyer["network_ids"] = [{"value": "AN01000000002-T", "scheme": "NetworkID"}]
    return Invoice.model_validate({
        "number": "2026-0001", "issue_date": ISSUED, "due_date": DUE, "type_code": "380", "currency": "EUR",
        "specification": SPECIFICATION, "process": PROCESS, "buyer_reference": "cost centre 12",
        "purchase_order": {"id": "PO-4711"}, "notes": [{"text": NOTE}], "seller": seller, "buyer": buyer,
        "payment": {"terms": TERMS, "remittance": "2026-0001", "means": [{
            "code": "58", "account": {"id": "DE02120300000000202051", "name": "Example Tools & Parts GmbH"}}]},
        "tax_breakdown": [{"category": "S", "scheme": "VAT", **row} for row in figures["taxes"]],
        "totals": {"lines": figures["net"], "net": figures["net"], "tax": figures["tax"], "gross": figures["gross"],
                   "due": figures["gross"]},
        "lines": [{
            "id": row["id"], "quantity": row["quantity"], "unit": "C62", "net_amount": row["net"],
            "order": {"line": row["id"]}, "price": {"net": row["price"]},
            "taxes": [{"category": "S", "rate": row["rate"], "scheme": "VAT"}],
            "item": {"name": row["name"], "description": row["description"], "seller_id": row["article"]},
        } for row in figures["lines"]],
    })  # fmt: skip


def for_facturx(lines: int) -> dict[str, Any]:
    """The same content as factur-x takes it. It changes what it is given, so that each call needs its own."""
    figures = plain(lines)
    return {
        "BT-1": "2026-0001", "BT-2": ISSUED, "BT-9": DUE, "BT-3": "380", "BT-5": "EUR",
        "BT-24": SPECIFICATION, "BT-23": PROCESS, "BT-10": "cost centre 12", "BT-13": "PO-4711",
        "BG-1": [{"BT-22": NOTE}], "BG-4": _party(SELLER), "BG-7": _party(BUYER),
        "BT-81": "58", "BT-83": "2026-0001", "BT-84": "DE02120300000000202051", "BT-85": "Example Tools & Parts GmbH",
        "BT-20": TERMS, "BT-110": figures["tax"], "BT-106": figures["net"], "BT-109": figures["net"],
        "BT-112": figures["gross"], "BT-115": figures["gross"],
        "BG-23": [{"BT-116": row["base"], "BT-117": row["amount"], "BT-118": "S", "BT-119": row["rate"]}
                  for row in figures["taxes"]],
        "BG-25": [{
            "BT-126": row["id"], "BT-129": row["quantity"], "BT-130": "C62", "BT-131": row["net"], "BT-132": row["id"],
            "BT-146": row["price"], "BT-151": "S", "BT-152": row["rate"], "BT-153": row["name"],
            "BT-154": row["description"], "BT-155": row["article"],
        } for row in figures["lines"]],
    }  # fmt: skip


def _party(party: dict[str, Any]) -> dict[str, Any]:
    address, contact = party["address"], party.get("contact")
    return {
        "name": party["name"], "vat_identifier": party["vat_id"], "einvoicing_addr": party["endpoint"]["value"],
        "einvoicing_addr_schemeid": party["endpoint"]["scheme"], "addr_l1": address["line_1"],
        "city": address["city"], "postcode": address["postcode"], "country_code": address["country"],
        **({"biz_name": party["trading_name"]} if "trading_name" in party else {}),
        **({"contacts": [contact]} if contact else {}),
    }  # fmt: skip
