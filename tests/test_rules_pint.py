"""PINT A-NZ: the published examples, one invoice for each rule, GST for VAT, and self-billing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from einvoice import rules
from einvoice.codes import codes
from einvoice.errors import Finding, Severity
from tests.breaches import GONE, UNHELD, Edits, disagreements, edited, fatal_ids, judged, of_document, told
from tools.update_codes import carried

ON = date(2026, 11, 1)
PACKS = ("pint_aunz",)
PACK, SELF = rules.pack("pint_aunz"), rules.pack("pint_aunz_selfbilling")

_GST = {"category": "S", "rate": "10", "scheme": "GST"}
GOOD: dict[str, Any] = {
    "number": "2026-17", "issue_date": date(2026, 10, 30), "type_code": "380", "currency": "AUD",
    "specification": "urn:peppol:pint:billing-1@aunz-1", "process": "urn:peppol:bis:billing",
    "buyer_reference": "4500", "due_date": date(2026, 11, 30),
    "seller": {
        "name": "Example Pty Ltd", "trading_name": "Example", "tax_id": "51824753556", "tax_id_scheme": "GST",
        "legal_id": {"value": "51824753556", "scheme": "0151"},
        "endpoint": {"value": "51824753556", "scheme": "0151"},
        "address": {"line_1": "1 Street", "city": "Sydney", "postcode": "2000", "country": "AU"},
    },
    "buyer": {
        "name": "Customer Pty Ltd", "legal_id": {"value": "53004085616", "scheme": "0151"},
        "endpoint": {"value": "53004085616", "scheme": "0151"},
        "address": {"line_1": "2 Street", "city": "Perth", "postcode": "6000", "country": "AU"},
    },
    "payment": {"means": [{"code": "30", "account": {"id": "123456"}}]},
    "lines": [{
        "id": "1", "quantity": "2", "unit": "C62", "net_amount": "100.00", "price": {"net": "50"},
        "taxes": [_GST], "item": {"name": "Chair"},
    }],
    "tax_breakdown": [{**_GST, "base": "100.00", "amount": "10.00"}],
    "totals": {"lines": "100.00", "net": "100.00", "tax": "10.00", "gross": "110.00", "due": "110.00"},
}  # fmt: skip


def _entry(name: str, sign: int) -> Edits:
    net, tax = 100 + 10 * sign, 10 + sign
    return {
        name: [{"amount": "10.00", "reason": "agreed", "taxes": [_GST]}],
        "totals": {"lines": "100.00", name: "10.00", "net": f"{net}.00", "tax": f"{tax}.00",
                   "gross": f"{net + tax}.00", "due": f"{net + tax}.00"},
        "tax_breakdown": [{**_GST, "base": f"{net}.00", "amount": f"{tax}.00"}],
    }  # fmt: skip


_ALLOWANCE, _CHARGE = _entry("allowances", -1), _entry("charges", 1)
_LINE_ALLOWANCE: Edits = {
    "lines[0].allowances": [{"amount": "10.00", "reason": "agreed"}], "lines[0].price.net": "55",
}  # fmt: skip
_LINE_CHARGE: Edits = {
    "lines[0].charges": [{"amount": "10.00", "reason": "agreed"}], "lines[0].price.net": "45",
}  # fmt: skip


def _untaxed(category: str, rate: object = "0") -> Edits:
    tax = {"category": category, "scheme": "GST", **({} if rate is GONE else {"rate": rate})}
    return {
        "lines[0].taxes[0]": tax,
        "tax_breakdown": [{**tax, "base": "100.00", "amount": "0.00"}],
        "totals": {"lines": "100.00", "net": "100.00", "tax": "0.00", "gross": "100.00", "due": "100.00"},
    }


def _with(name: str, category: str, rate: object) -> Edits:
    """A document allowance or charge in an untaxed category, beside a line in it."""
    tax = {"category": category, "scheme": "GST", **({} if rate is GONE else {"rate": rate})}
    net = "90.00" if name == "allowances" else "110.00"
    base = _untaxed(category, GONE if category == "O" else "0")
    return {
        **base,
        name: [{"amount": "10.00", "reason": "agreed", "taxes": [tax]}],
        "tax_breakdown[0].base": net,
        "totals": {"lines": "100.00", name: "10.00", "net": net, "tax": "0.00", "gross": net, "due": net},
    }


_REPRESENTATIVE: Edits = {
    "tax_representative": {"name": "Agent", "tax_id": "51824753556", "tax_id_scheme": "GST",
                           "address": {"country": "AU"}},
}  # fmt: skip
_ATTACHED: Edits = {"attachments": [{"id": "1", "content": "eA==", "mime": "text/csv", "filename": "a.csv"}]}
_PERIOD: Edits = {"period": {"start": date(2026, 10, 1), "end": date(2026, 10, 31)}}
_DOLLARS: Edits = {"tax_currency": "NZD", "totals.tax_accounting": "11.00"}
_OTHER_TAX = {"category": "O", "scheme": "GST"}


def _beside_o(place: str) -> Edits:
    """Category O in the breakdown, and S somewhere."""
    edits: dict[str, Any] = {
        **_untaxed("O", GONE),
        "tax_breakdown[1]": {**_GST, "base": "10.00", "amount": "1.00"},
        "totals": {"lines": "100.00", "charges": "10.00", "net": "110.00", "tax": "1.00", "gross": "111.00",
                   "due": "111.00"},
        "charges": [{"amount": "10.00", "reason": "agreed", "taxes": [_GST]}],
    }  # fmt: skip
    if place == "lines":
        del edits["charges"]
        line = {**GOOD["lines"][0], "id": "2", "quantity": "1", "price": {"net": "10"}, "net_amount": "10.00"}
        edits.update({"lines[1]": line, "totals.charges": GONE, "totals.lines": "110.00"})
    return edits


#: Rule, what to change in the good invoice.
BREACHES: list[tuple[str, Edits]] = [
    ("ibr-001", {"specification": GONE}),
    ("ibr-002", {"number": GONE}),
    ("ibr-003", {"issue_date": GONE}),
    ("ibr-004", {"type_code": GONE}),
    ("ibr-005", {"currency": GONE}),
    ("ibr-006", {"seller.name": GONE}),
    ("ibr-007", {"buyer.name": GONE}),
    ("ibr-008", {"seller.address": GONE}),
    ("ibr-009", {"seller.address.country": GONE}),
    ("ibr-010", {"buyer.address": GONE}),
    ("ibr-011", {"buyer.address.country": GONE}),
    ("ibr-012", {"totals.lines": GONE}),
    ("ibr-013", {"totals.net": GONE}),
    ("ibr-014", {"totals.gross": GONE}),
    ("ibr-015", {"totals.due": GONE}),
    ("ibr-016", {"lines": GONE}),
    ("ibr-017", {"payee": {"name": "Example"}}),
    ("ibr-018", {**_REPRESENTATIVE, "tax_representative.name": GONE}),
    ("ibr-019", {**_REPRESENTATIVE, "tax_representative.address": GONE}),
    ("ibr-020", {**_REPRESENTATIVE, "tax_representative.address": {"city": "Perth"}}),
    ("ibr-021", {"lines[0].id": GONE}),
    ("ibr-022", {"lines[0].quantity": GONE}),
    ("ibr-023", {"lines[0].unit": GONE}),
    ("ibr-024", {"lines[0].net_amount": GONE}),
    ("ibr-025", {"lines[0].item.name": GONE}),
    ("ibr-026", {"lines[0].price.net": GONE}),
    ("ibr-027", {"lines[0].price.net": "-50", "lines[0].quantity": "-2"}),
    ("ibr-028", {"lines[0].price.gross": "-1", "lines[0].price.discount": "-51"}),
    ("ibr-029", {"period": {"start": date(2026, 10, 31), "end": date(2026, 10, 1)}}),
    ("ibr-030", {"lines[0].period": {"start": date(2026, 10, 31), "end": date(2026, 10, 1)}}),
    ("ibr-031", {**_ALLOWANCE, "allowances[0].amount": GONE}),
    ("ibr-033", {**_ALLOWANCE, "allowances[0].reason": GONE}),
    ("ibr-036", {**_CHARGE, "charges[0].amount": GONE}),
    ("ibr-038", {**_CHARGE, "charges[0].reason": GONE}),
    ("ibr-041", {**_LINE_ALLOWANCE, "lines[0].allowances[0].amount": GONE, "lines[0].price.net": "50"}),
    ("ibr-042", {**_LINE_ALLOWANCE, "lines[0].allowances[0].reason": GONE}),
    ("ibr-043", {**_LINE_CHARGE, "lines[0].charges[0].amount": GONE, "lines[0].price.net": "50"}),
    ("ibr-044", {**_LINE_CHARGE, "lines[0].charges[0].reason": GONE}),
    ("ibr-049", {"payment.means[0].code": GONE}),
    ("ibr-052", {**_ATTACHED, "attachments[0].id": GONE}),
    ("ibr-053", {"tax_currency": "NZD"}),
    ("ibr-054", {"lines[0].item.attributes": [{"name": "colour"}]}),
    ("ibr-055", {"preceding": [{"issue_date": date(2026, 1, 1)}]}),
    ("ibr-sr-07", {"preceding": [{"issue_date": date(2026, 1, 1)}]}),
    ("ibr-056", {**_REPRESENTATIVE, "tax_representative.tax_id": GONE, "tax_representative.tax_id_scheme": GONE}),
    ("ibr-057", {"delivery.address": {"city": "Perth"}}),
    ("ibr-062", {"seller.endpoint.scheme": GONE}),
    ("ibr-063", {"buyer.endpoint.scheme": GONE}),
    ("ibr-064", {"lines[0].item.standard_id": {"value": "1"}}),
    ("ibr-065", {"lines[0].item.classifications": [{"code": "1"}]}),
    ("ibr-066", {"payment.means[0].card": {"number": "1"},
                 "payment.means[1]": {"code": "48", "card": {"number": "1"}}}),
    ("ibr-067", {"payment.means[0].debit": {"mandate": "1"},
                 "payment.means[1]": {"code": "49", "debit": {"mandate": "1"}}}),
    ("ibr-068", {"seller.endpoint": {"value": "9482348239848", "scheme": "0088"}}),
    ("ibr-069", {"seller.endpoint": {"value": "923609017", "scheme": "0192"}}),
    ("ibr-070", {"seller.identifiers": [{"value": "12345678", "scheme": "0184"}]}),
    ("ibr-113", {"payee": {"name": "Bank", "legal_id": {"value": "0403019262", "scheme": "0208"}}}),
    ("ibr-114", {"seller.endpoint": {"value": "ABC", "scheme": "0201"}}),
    ("ibr-115", {"seller.endpoint": {"value": "ABC", "scheme": "0210"}}),
    ("ibr-116", {"seller.endpoint": {"value": "IT12345670018", "scheme": "0211"}}),
    ("ibr-120", {"seller.endpoint": {"value": "51824753557", "scheme": "0151"}}),
    ("ibr-127", {"seller.endpoint": {"value": "123", "scheme": "0007"}}),
    ("ibr-074", {**_ATTACHED, "attachments[0].mime": GONE}),
    ("ibr-075", {**_ATTACHED, "attachments[0].filename": GONE}),
    ("ibr-076", {"process": GONE}),
    ("ibr-077", {"tax_currency": "AUD", "totals.tax_accounting": "10.00"}),
    ("ibr-078", {"invoiced_object": {"value": "1"}, "attachments": [{"id": "2", "type_code": "130"}]}),
    ("ibr-080", {"buyer.endpoint": GONE}),
    ("ibr-081", {"seller.endpoint": GONE}),
    ("ibr-084", {**_DOLLARS, "totals.tax_accounting": "-11.00"}),
    ("ibr-085", {**_PERIOD, "lines[0].period": {"start": date(2026, 9, 30)}}),
    ("ibr-086", {**_PERIOD, "lines[0].period": {"end": date(2026, 11, 1)}}),
    ("ibr-087", {"lines[0].price.base_quantity": "0"}),
    ("ibr-088", {"lines[0].price.base_quantity": "1", "lines[0].price.base_unit": "KGM"}),
    ("ibr-091", {"totals.due": "110.000"}),
    ("ibr-092", {"despatch_advice_reference": "1", "lines[0].despatch_reference": "2"}),
    ("ibr-093", {"payment.prepaid": [{"amount": "5.00"}]}),
    ("ibr-104", {"buyer.vat_id": "GB123456789", "buyer.tax_id": "1", "buyer.tax_id_scheme": "GST"}),
    ("ibr-105", {"payee": {"name": "Bank", "identifiers": [{"value": "1"}, {"value": "2"}]}}),
    ("ibr-119", {"issue_time": "25:00"}),
    ("ibr-121", {**_ALLOWANCE, "totals.allowances": "10.000"}),
    ("ibr-122", {**_CHARGE, "totals.charges": "10.000"}),
    ("ibr-123", {"totals.net": "100.000"}),
    ("ibr-124", {"totals.tax": "10.000"}),
    ("ibr-125", {"totals.gross": "110.000"}),
    ("ibr-co-10", {"totals.lines": "99.00", "totals.net": "100.00"}),
    ("ibr-co-11", {**_ALLOWANCE, "totals.allowances": "9.00"}),
    ("ibr-co-12", {**_CHARGE, "totals.charges": "9.00"}),
    ("ibr-co-13", {"totals.net": "101.00", "totals.gross": "111.00", "totals.due": "111.00"}),
    ("ibr-co-14", {"totals.tax": "11.00", "totals.gross": "111.00", "totals.due": "111.00"}),
    ("ibr-co-15", {"totals.gross": "111.00", "totals.due": "111.00"}),
    ("ibr-co-16", {"totals.due": "111.00"}),
    ("ibr-co-19", {"period": {}}),
    ("ibr-co-20", {"lines[0].period": {}}),
    ("ibr-co-26", {"seller.tax_id": GONE, "seller.tax_id_scheme": GONE, "seller.legal_id": GONE,
                   "seller.address.country": "NZ"}),
    ("ibr-126", {"currency": GONE}),
    ("ibr-sr-16", {"buyer.identifiers": [{"value": "1"}, {"value": "2"}]}),
    ("ibr-sr-42", {"seller.vat_id": "GB1", "seller.tax_registrations": [{"scheme": "LOC", "id": "2"}]}),
    ("ibr-sr-51", {"notes": [{"text": "a"}, {"text": "b"}]}),
    ("ibr-sr-57", {"buyer.tax_id_scheme": "GST"}),
    ("ibr-sr-58", {"lines[0].taxes[0].category": GONE}),
    ("ibr-sr-63", {"specification": "urn:peppol:pint:billing-1@aunz-1*"}),
    ("ibr-cl-01", {"type_code": "389"}),
    ("ibr-cl-03", {"currency": "AUX"}),
    ("ibr-cl-04", {"currency": "AUX"}),
    ("ibr-cl-05", {**_DOLLARS, "tax_currency": "NZX"}),
    ("ibr-cl-07", {"invoiced_object": {"value": "1", "scheme": "QQQ"}}),
    ("ibr-cl-10", {"seller.identifiers": [{"value": "1", "scheme": "9999"}]}),
    ("ibr-cl-11", {"payee": {"name": "Bank", "legal_id": {"value": "1", "scheme": "9999"}}}),
    ("ibr-cl-13", {"lines[0].item.classifications": [{"code": "1", "scheme": "QQQ"}]}),
    ("ibr-cl-14", {"buyer.address.country": "QQ"}),
    ("ibr-cl-15", {"lines[0].item.origin_country": "QQ"}),
    ("ibr-cl-16", {"payment.means[0].code": "99"}),
    ("ibr-cl-19", {**_ALLOWANCE, "allowances[0].reason_code": "QQ"}),
    ("ibr-cl-20", {**_CHARGE, "charges[0].reason_code": "QQ"}),
    ("ibr-cl-21", {"lines[0].item.standard_id": {"value": "1", "scheme": "9999"}}),
    ("ibr-cl-23", {"lines[0].unit": "QQQ"}),
    ("ibr-cl-24", {**_ATTACHED, "attachments[0].mime": "text/html"}),
    ("ibr-cl-25", {"buyer.endpoint.scheme": "AN"}),
    ("ibr-cl-26", {"delivery.location": {"value": "1", "scheme": "9999"}}),
    ("aligned-ibr-001-aunz", {"seller.legal_id": GONE}),
    ("aligned-ibr-002-aunz", {"seller.address.country": "nz"}),
    ("aligned-ibr-004-aunz", {"buyer.legal_id": GONE}),
    ("aligned-ibr-005-aunz", {"buyer.address.country": "NZ"}),
    ("aligned-ibrp-001-aunz", {"specification": "urn:cen.eu:en16931:2017"}),
    ("aligned-ibrp-002", {"process": "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"}),
    ("aligned-ibrp-003", {"buyer_reference": GONE}),
    ("aligned-ibrp-004", {"lines[0].price": {"net": "50", "gross": "60", "discount": "5"}}),
    ("aligned-ibrp-005", {"lines[0].net_amount": "100.000"}),
    ("aligned-ibrp-006", {"tax_point_date": date(2026, 10, 1), "tax_point_code": "3"}),
    ("aligned-ibrp-016", {"payment.means[0].account.id": " "}),
    ("aligned-ibrp-018", {"payment.means[0].account": GONE}),
    ("aligned-ibrp-021", {"tax_breakdown": GONE}),
    ("aligned-ibrp-022", {"totals.tax_accounting": "11.00"}),
    ("aligned-ibrp-032-aunz", {**_ALLOWANCE, "allowances[0].taxes[0].scheme": "LOC"}),
    ("aligned-ibrp-037-aunz", {**_CHARGE, "charges[0].taxes[0].scheme": "LOC"}),
    ("aligned-ibrp-045", {"tax_breakdown[0].base": GONE}),
    ("aligned-ibrp-046", {"tax_breakdown[0].amount": GONE}),
    ("aligned-ibrp-047-aunz", {"tax_breakdown[1]": {"scheme": "GST", "rate": "0", "base": "0.00", "amount": "0.00"}}),
    ("aligned-ibrp-048-aunz", {**_untaxed("Z"), "tax_breakdown[0].rate": GONE}),
    ("aligned-ibrp-050-aunz", {"lines[0].taxes[0].scheme": "VAT"}),
    ("aligned-ibrp-051-aunz", {"tax_breakdown[0].amount": "11.01", "totals.tax": "11.01", "totals.gross": "111.01",
                               "totals.due": "111.01"}),
    ("aligned-ibrp-053", {"lines[0].quantity": "3"}),
    ("aligned-ibrp-054", {**_ALLOWANCE, "allowances[0].base": "100.00", "allowances[0].percent": "11"}),
    ("aligned-ibrp-055", {**_CHARGE, "charges[0].base": "100.00", "charges[0].percent": "11"}),
    ("aligned-ibrp-057", {**_ALLOWANCE, "allowances[0].base": "100.00"}),
    ("aligned-ibrp-058", {**_LINE_CHARGE, "lines[0].charges[0].percent": "10"}),
    ("aligned-ibrp-059", {"lines[0].taxes[1]": {"category": "S", "scheme": "GST", "rate": "10"}}),
    ("aligned-ibrp-061", {"due_date": GONE}),
    ("aligned-ibrp-cl-01-aunz", {"lines[0].taxes[0].category": "AE"}),
    ("aligned-ibrp-cl-02", {"tax_point_code": "29"}),
    ("aligned-ibrp-cl-04", {**_ATTACHED, "attachments[0].mime": "application/xml"}),
    ("aligned-ibrp-s-01-aunz", {"tax_breakdown[0].category": "Z"}),
    ("aligned-ibrp-s-05-aunz", {"lines[0].taxes[0].rate": "-10"}),
    ("aligned-ibrp-s-06-aunz", {**_ALLOWANCE, "allowances[0].taxes[0].rate": "-10"}),
    ("aligned-ibrp-s-07-aunz", {**_CHARGE, "charges[0].taxes[0].rate": "-10"}),
    ("aligned-ibrp-s-08-aunz", {"tax_breakdown[0].base": "101.01"}),
    ("aligned-ibrp-s-09-aunz", {"tax_breakdown[0].amount": "11.01", "totals.tax": "11.01", "totals.gross": "111.01",
                                "totals.due": "111.01"}),
    ("aligned-ibrp-s-10-aunz", {"tax_breakdown[0].exemption_reason": "none"}),
    ("aligned-ibrp-z-10-aunz", {**_untaxed("Z"), "tax_breakdown[0].exemption_reason": "none"}),
    ("aligned-ibrp-o-11-aunz", _beside_o("charges")),
    ("aligned-ibrp-o-12-aunz", _beside_o("lines")),
    ("aligned-ibrp-o-13-aunz", {**_beside_o("charges"), "allowances": [{"amount": "10.00", "reason": "agreed",
                                                                     "taxes": [_GST]}],
                                "totals.allowances": "10.00", "totals.net": "100.00", "totals.gross": "101.00",
                                "totals.due": "101.00", "tax_breakdown[1].base": "0.00"}),
    ("aligned-ibrp-o-14-aunz", _beside_o("charges")),
    ("aligned-ibrp-sr-12-aunz", {"seller.tax_registrations": [{"scheme": "GST", "id": "2"}]}),
    ("aligned-ibrp-sr-13-aunz", {"seller.tax_id_scheme": "LOC", "seller.vat_id": "GB1"}),
    ("aligned-ibrp-sr-43", {**_ATTACHED, "attachments[0].type_code": "916"}),
    *((f"aligned-ibrp-{code.lower()}-01-aunz", {**_untaxed(code, rate), "tax_breakdown[1]": {
        **_untaxed(code, rate)["lines[0].taxes[0]"], "base": "100.00", "amount": "0.00"}})
      for code, rate in (("Z", "0"), ("E", "0"), ("G", "0"), ("O", GONE))),
    *((f"aligned-ibrp-{code.lower()}-05-aunz", {**_untaxed(code, rate), "lines[0].taxes[0].rate": "1"})
      for code, rate in (("Z", "0"), ("E", "0"), ("G", "0"), ("O", GONE))),
    *((f"aligned-ibrp-{code.lower()}-06-aunz", _with("allowances", code, "1")) for code in "ZEGO"),
    *((f"aligned-ibrp-{code.lower()}-07-aunz", _with("charges", code, "1")) for code in "ZEGO"),
    *((f"aligned-ibrp-{code.lower()}-08-aunz", {**_untaxed(code, rate), "tax_breakdown[0].base": "99.99"})
      for code, rate in (("Z", "0"), ("E", "0"), ("G", "0"), ("O", GONE))),
    *((f"aligned-ibrp-{code.lower()}-09-aunz", {**_untaxed(code, rate), "tax_breakdown[0].amount": "0.40",
                                                "totals.tax": "0.40", "totals.gross": "100.40",
                                                "totals.due": "100.40"})
      for code, rate in (("Z", "0"), ("E", "0"), ("G", "0"), ("O", GONE))),
]  # fmt: skip
#: Rules that break with it by their nature.
ALSO: Mapping[str, set[str]] = {
    "ibr-001": {"aligned-ibrp-001-aunz"},
    "ibr-005": {"ibr-126", "ibr-co-15"},
    "ibr-126": {"ibr-005", "ibr-co-15"},
    "ibr-012": {"ibr-co-10", "ibr-co-13"},
    "ibr-013": {"ibr-co-13", "ibr-co-15"},
    "ibr-014": {"ibr-co-15", "ibr-co-16"},
    "ibr-015": {"aligned-ibrp-061", "ibr-co-16"},
    "ibr-016": {"aligned-ibrp-s-01-aunz", "aligned-ibrp-s-08-aunz", "ibr-co-10"},
    "ibr-024": {"aligned-ibrp-s-08-aunz", "ibr-co-10"},
    "ibr-026": {"ibr-027"},
    "ibr-031": {"aligned-ibrp-s-08-aunz", "ibr-co-11"},
    "ibr-036": {"aligned-ibrp-s-08-aunz", "ibr-co-12"},
    "ibr-038": {"ibr-044"},
    "ibr-053": {"aligned-ibrp-022", "ibr-084"},
    "ibr-055": {"ibr-sr-07"},
    "ibr-sr-07": {"ibr-055"},
    "ibr-076": {"aligned-ibrp-002"},
    "ibr-091": {"aligned-ibrp-005"},
    "ibr-121": {"aligned-ibrp-005"},
    "ibr-122": {"aligned-ibrp-005"},
    "ibr-123": {"aligned-ibrp-005"},
    "ibr-124": {"aligned-ibrp-005"},
    "ibr-125": {"aligned-ibrp-005"},
    "ibr-co-10": {"ibr-co-13"},
    "ibr-co-11": {"ibr-co-13"},
    "ibr-co-12": {"ibr-co-13"},
    "ibr-co-26": {"aligned-ibr-002-aunz"},
    "ibr-sr-42": {"aligned-ibrp-sr-13-aunz"},
    "ibr-sr-58": {"aligned-ibrp-050-aunz", "aligned-ibrp-s-01-aunz", "aligned-ibrp-s-08-aunz"},
    "ibr-cl-03": {"ibr-cl-04"},
    "ibr-cl-04": {"ibr-cl-03"},
    "ibr-cl-05": {"ibr-cl-03"},
    "ibr-cl-24": {"aligned-ibrp-cl-04"},
    "aligned-ibr-002-aunz": {"ibr-cl-14"},
    "aligned-ibrp-021": {"aligned-ibrp-022", "aligned-ibrp-s-01-aunz"},
    "aligned-ibrp-022": {"ibr-cl-03"},
    "aligned-ibrp-045": {"aligned-ibrp-051-aunz", "aligned-ibrp-s-08-aunz", "aligned-ibrp-s-09-aunz"},
    "aligned-ibrp-046": {"aligned-ibrp-051-aunz", "aligned-ibrp-s-09-aunz", "ibr-co-14"},
    "aligned-ibrp-051-aunz": {"aligned-ibrp-s-09-aunz"},
    "aligned-ibrp-cl-01-aunz": {"aligned-ibrp-s-01-aunz", "aligned-ibrp-s-08-aunz"},
    "aligned-ibrp-s-01-aunz": {"aligned-ibrp-z-08-aunz", "aligned-ibrp-z-09-aunz"},
    "aligned-ibrp-s-05-aunz": {"aligned-ibrp-s-08-aunz"},
    "aligned-ibrp-s-06-aunz": {"aligned-ibrp-s-08-aunz"},
    "aligned-ibrp-s-07-aunz": {"aligned-ibrp-s-08-aunz"},
    "aligned-ibrp-s-09-aunz": {"aligned-ibrp-051-aunz"},
    "aligned-ibrp-o-11-aunz": {"aligned-ibrp-o-14-aunz"},
    "aligned-ibrp-o-12-aunz": {"aligned-ibrp-o-11-aunz"},
    "aligned-ibrp-o-13-aunz": {"aligned-ibrp-o-11-aunz", "aligned-ibrp-o-14-aunz"},
    "aligned-ibrp-o-14-aunz": {"aligned-ibrp-o-11-aunz"},
}
_UNHELD = [
    ("ibr-082", UNHELD["R043"]), ("ibr-083", UNHELD["R044"]), ("aligned-ibrp-021", UNHELD["R053"]),
    ("aligned-ibrp-022", UNHELD["R054"]), ("aligned-ibrp-060", UNHELD["R101"]),
]  # fmt: skip
TOLD = {rule for rule, _ in (*told(PACK), *_UNHELD)} | {"ibr-079"}


def test_the_good_invoices_break_no_rule() -> None:
    good: tuple[Edits, ...] = (
        {},
        _ALLOWANCE,
        _CHARGE,
        _LINE_ALLOWANCE,
        _LINE_CHARGE,
        _REPRESENTATIVE,
        _ATTACHED,
        _PERIOD,
        _DOLLARS,
    )
    for edits in (*good, _untaxed("Z"), _untaxed("E"), _untaxed("G"), _untaxed("O", GONE)):
        assert judged(edited(GOOD, edits), PACKS, ON) == [], edits


@pytest.mark.parametrize(("rule", "edits"), BREACHES)
def test_an_invoice_breaks_one_rule_alone(rule: str, edits: Edits) -> None:
    assert fatal_ids(judged(edited(GOOD, edits), PACKS, ON)) == {rule} | ALSO.get(rule, set())


def test_each_rule_has_an_invoice_that_breaks_it() -> None:
    assert {rule.id for rule in PACK.rules} - {rule for rule, _ in BREACHES} - TOLD == set()


def test_every_rule_is_fatal() -> None:
    assert {rule.severity for rule in (*PACK.rules, *SELF.rules)} == {Severity.FATAL}


@pytest.mark.parametrize(("rule", "finding"), [*told(PACK), *_UNHELD])
def test_what_the_reader_tells_comes_back_under_the_published_id(rule: str, finding: Finding) -> None:
    category = re.fullmatch(r"aligned-ibrp-([zego])-01-aunz", rule)
    edits = _untaxed(category.group(1).upper()) if category else {}
    assert rule in {one.rule for one in judged(edited(GOOD, edits), PACKS, ON, read=[finding])}


def test_an_amount_in_another_currency_is_a_breach_unless_it_is_the_tax_total() -> None:
    for term, broken in (("BT-106", {"ibr-126"}), ("BT-110", {"ibr-co-15"})):
        read = [Finding("EINV-READ-06", "foreign", term=term, found="NZD")]
        assert fatal_ids(judged(edited(GOOD, {}), PACKS, ON, read=read)) == broken


def test_an_empty_element_is_a_breach_unless_another_rule_speaks_of_it() -> None:
    for element, broken in (("cbc:Note", {"ibr-079"}), ("cbc:DueDate", {"ibr-073"}), ("cbc:EndpointID", set())):
        read = [Finding("EINV-READ-07", "empty", place=f"/Invoice/{element} line 7")]
        assert fatal_ids(judged(edited(GOOD, {}), PACKS, ON, read=read)) == broken


def test_a_credit_note_is_spared_the_rules_that_name_an_element_it_does_not_have() -> None:
    credit = {"type_code": "381", "totals.tax": "11.00", "totals.gross": "111.00", "totals.due": "111.00"}
    assert fatal_ids(judged(edited(GOOD, credit), PACKS, ON)) == set()


def test_a_paid_amount_of_nought_is_as_none() -> None:
    """Then the amount due is the total with every digit; with a payment both are rounded first."""
    for paid, due, broken in (("0.00", "110.00", True), ("10.00", "100.00", False)):
        totals = {"totals.gross": "110.001", "totals.prepaid": paid, "totals.due": due}
        assert ("ibr-co-16" in fatal_ids(judged(edited(GOOD, totals), PACKS, ON))) is broken


def test_a_tax_may_be_off_by_one_dollar_exactly() -> None:
    off = {"tax_breakdown[0].amount": "11.00", "totals.tax": "11.00", "totals.gross": "111.00", "totals.due": "111.00"}
    assert judged(edited(GOOD, off), PACKS, ON) == []


def test_findings_speak_of_gst_in_four_languages() -> None:
    invoice = edited(GOOD, {"lines[0].taxes[0].scheme": "VAT"})
    for language in ("en", "de", "fr", "it"):
        findings = rules.check(invoice, PACKS, on=ON, language=language, syntax="ubl")
        message = next(one.message for one in findings if one.rule == "aligned-ibrp-050-aunz")
        assert "GST" in message
        assert not any(word in message for word in ("VAT", "Umsatz", "TVA", "IVA"))


_SELF: Edits = {
    "type_code": "389", "specification": "urn:peppol:pint:selfbilling-1@aunz-1",
    "process": "urn:peppol:bis:selfbilling",
}  # fmt: skip


def test_self_billing_has_its_own_types_and_names() -> None:
    assert judged(edited(GOOD, _SELF), ("pint_aunz_selfbilling",), ON) == []
    assert fatal_ids(judged(edited(GOOD, {}), ("pint_aunz_selfbilling",), ON)) == {
        "ibr-cl-01-aunz-sb", "aligned-ibrp-001-aunz-sb", "aligned-ibrp-002-aunz-sb",
    }  # fmt: skip
    assert fatal_ids(judged(edited(GOOD, _SELF), PACKS, ON)) == {
        "ibr-cl-01", "aligned-ibrp-001-aunz", "aligned-ibrp-002",
    }  # fmt: skip


@pytest.mark.interop
@pytest.mark.slow
def test_the_official_rules_agree_on_every_broken_invoice(reference: Path) -> None:
    assert disagreements(GOOD, BREACHES, PACK, ON, "pint-aunz") == {
        # UBL amounts without a currency code: what the model leaves out, the official rule finds in each amount.
        "aligned-ibrp-022": {"ibr-cl-03"},
    }


@pytest.mark.parametrize(("kind", "pack"), [("billing", "pint_aunz"), ("selfbilling", "pint_aunz_selfbilling")])
def test_the_published_examples_are_good(reference: Path, kind: str, pack: str) -> None:
    documents = sorted((reference / "peppol-pint-aunz" / "examples" / kind).glob("*.xml"))
    assert documents
    for path in documents:
        assert of_document(path, (pack,), ON) == [], path.name


@pytest.mark.parametrize(("kind", "pack"), [("billing", PACK), ("selfbilling", SELF)])
def test_all_published_ids_are_judged_or_listed_with_a_reason(reference: Path, kind: str, pack: rules.Pack) -> None:
    published = {
        one.get("id")
        for file in (reference / "peppol-pint-aunz" / "rules" / kind).glob("*.sch")
        for one in etree.parse(file).iter("{*}assert")
    }
    assert published == {rule.id for rule in pack.rules} | set(pack.not_native)
    assert {
        id_ for id_, reason in pack.not_native.items() if not reason.startswith(("about the", "can never"))
    } == set()


_LISTS = {
    "ibr-cl-01": (("pint_aunz_document_types", 0), ("pint_aunz_credit_note_types", 1)),
    "ibr-cl-04": (("pint_aunz_currencies", 0),),
    "ibr-cl-07": (("object_schemes", 0),),
    "ibr-cl-10": (("identifier_schemes", 0),),
    "ibr-cl-13": (("item_classes", 0),),
    "ibr-cl-14": (("countries", 0),),
    "ibr-cl-16": (("pint_aunz_payment_means", 0),),
    "ibr-cl-19": (("allowance_reasons", 0),),
    "ibr-cl-20": (("charge_reasons", 0),),
    "ibr-cl-23": (("units", 0),),
    "ibr-cl-25": (("pint_aunz_endpoint_schemes", 0),),
}


def test_the_code_lists_are_the_published_ones(reference: Path) -> None:
    published = carried(reference / "peppol-pint-aunz/rules/billing/PINT-UBL-validation-preprocessed.sch")
    day = PACK.releases[-1].since
    for rule, lists in _LISTS.items():
        for name, at in lists:
            assert codes(name, day, "ubl") == published[rule][at], name
