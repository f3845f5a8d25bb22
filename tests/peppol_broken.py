"""Good invoices for Peppol BIS Billing 3 of each country with rules of its own, and how to break each rule."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from einvoice.model import Invoice
from tests.breaches import GONE, edited

BILLING = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"

GOOD: dict[str, Any] = {
    "specification": BILLING,
    "process": "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0",
    "number": "2026-117",
    "issue_date": date(2026, 9, 1),
    "due_date": date(2026, 10, 1),
    "type_code": "380",
    "currency": "EUR",
    "buyer_reference": "B-77",
    "period": {"start": date(2026, 8, 1), "end": date(2026, 8, 31)},
    "purchase_order": {"id": "PO-1"},
    "seller": {
        "name": "Seller SA",
        "trading_name": "Seller",
        "endpoint": {"value": "4000001123452", "scheme": "0088"},
        "identifiers": [{"value": "4000001123452", "scheme": "0088"}],
        "vat_id": "AT12345678",
        "legal_id": {"value": "FN 1"},
        "address": {"line_1": "Street 1", "city": "Town", "postcode": "1000", "country": "AT"},
        "contact": {"name": "Desk", "phone": "+43 1 234", "email": "desk@seller.example"},
    },
    "buyer": {
        "name": "Buyer Ltd",
        "trading_name": "Buyer",
        "endpoint": {"value": "4000001123452", "scheme": "0088"},
        "vat_id": "IE1234567A",
        "address": {"line_1": "Quay 2", "city": "Port", "postcode": "2000", "country": "IE"},
    },
    "payment": {"means": [{"code": "30", "account": {"id": "AT611904300234573201"}, "remittance": "R-1"}]},
    "totals": {"lines": "95.00", "allowances": "5.00", "charges": "10.00", "net": "100.00", "tax": "25.00",
               "gross": "125.00", "due": "125.00"},
    "allowances": [{"amount": "5.00", "base": "50.00", "percent": "10", "reason": "Discount", "reason_code": "95",
                    "taxes": [{"category": "S", "rate": "25", "scheme": "VAT"}]}],
    "charges": [{"amount": "10.00", "reason": "Freight", "reason_code": "FC",
                 "taxes": [{"category": "S", "rate": "25", "scheme": "VAT"}]}],
    "tax_breakdown": [{"category": "S", "rate": "25", "base": "100.00", "amount": "25.00", "scheme": "VAT"}],
    "attachments": [{"id": "A-1", "content": b"%PDF-", "mime": "application/pdf", "filename": "a.pdf"}],
    "lines": [{
        "id": "1", "quantity": "10", "unit": "C62", "net_amount": "95.00",
        "period": {"start": date(2026, 8, 1), "end": date(2026, 8, 31)},
        "order": {"line": "1"},
        "allowances": [{"amount": "6.00", "base": "60.00", "percent": "10", "reason": "Bulk", "reason_code": "95"}],
        "charges": [{"amount": "1.00", "reason": "Packing", "reason_code": "PC"}],
        "price": {"net": "10.00", "gross": "12.00", "discount": "2.00", "base_quantity": "1", "base_unit": "C62"},
        "taxes": [{"category": "S", "rate": "25", "scheme": "VAT"}],
        "item": {"name": "Thing", "classifications": [{"code": "43211503", "scheme": "TST", "version": "26.08.01"}]},
    }],
}  # fmt: skip

#: What makes the good invoice one between parties of a country, by the letters of its rules.
SELLERS: dict[str, dict[str, Any]] = {
    "": {},
    "DE": {"seller.vat_id": "DE123456789", "seller.address.country": "DE", "buyer.address.country": "DE",
           "buyer.vat_id": "DE123456788"},
    "DK": {"seller.vat_id": "DK12345674", "seller.address.country": "DK", "buyer.address.country": "DK",
           "buyer.vat_id": "DK12345674", "seller.legal_id": {"value": "12345674", "scheme": "0184"},
           "buyer.legal_id": {"value": "12345674", "scheme": "0184"}, "payment.means[0].code": "58"},
    "NO": {"seller.vat_id": "NO987654325MVA", "seller.address.country": "NO", "seller.tax_id": "Foretaksregisteret",
           "seller.tax_id_scheme": "TAX"},
    "IT": {"seller.vat_id": "IT12345678903", "seller.address.country": "IT", "seller.tax_id": "RSSMRA85T10A562S",
           "seller.tax_id_scheme": "TAX"},
    "SE": {"seller.vat_id": "SE212000078701", "seller.address.country": "SE", "buyer.address.country": "SE",
           "buyer.vat_id": "SE212000078701", "seller.legal_id": {"value": "2120000787"},
           "seller.tax_id": "Godkänd för F-skatt", "seller.tax_id_scheme": "TAX"},
    "IS": {"seller.vat_id": "IS12345", "seller.address.country": "IS", "buyer.address.country": "IS",
           "buyer.vat_id": "IS12346", "seller.legal_id": {"value": "5402697509", "scheme": "0196"},
           "buyer.legal_id": {"value": "5402697509", "scheme": "0196"},
           "attachments[0]": {"id": "2026-10-15", "description": "EINDAGI"}},
    "NL": {"seller.vat_id": "NL123456789B12", "seller.address.country": "NL", "buyer.address.country": "NL",
           "buyer.vat_id": "NL123456789B13", "seller.legal_id": {"value": "12345678", "scheme": "0106"},
           "buyer.legal_id": {"value": "12345678", "scheme": "0106"}},
    "GR": {"seller.vat_id": "EL090000045", "seller.address.country": "GR", "buyer.address.country": "GR",
           "buyer.vat_id": "EL090000045", "seller.endpoint": {"value": "090000045", "scheme": "9933"},
           "buyer.endpoint": {"value": "090000045", "scheme": "9933"}, "seller.identifiers": [],
           "number": "090000045|01/09/2026|0|1.1|A|117",
           "attachments": [{"id": "400001", "description": "##M.AR.K##"},
                           {"id": "1", "description": "##INVOICE|URL##", "uri": "https://tax.example/1"}]},
}  # fmt: skip
_CREDIT = {"type_code": "381", "preceding": [{"id": "2026-100"}]}
_TRANSFER = "payment.means[0]"
_SCHEMES = {
    "R040": ("0088", "4000001123453"), "R041": ("0192", "987654326"), "R042": ("0184", "DK1234567"),
    "R043": ("0208", "0202239952"), "R044": ("0201", "UFF12"), "R045": ("0210", "RSSMRA"),
    "R047": ("0211", "IT12345678900"), "R049": ("0007", "2120000788"), "R050": ("0151", "51824753557"),
    "R052": ("0096", "123"), "R053": ("0198", "12345678"), "R054": ("0106", "1234567"), "R055": ("0190", "123"),
    "R056-1": ("9944", "NL123456789"), "R057": ("0217", "123"),
}  # fmt: skip

#: (rule, changes, rules that cannot but fire with it)
Broken = tuple[str, dict[str, Any], set[str]]


def _common() -> Iterator[Broken]:
    r = "PEPPOL-EN16931-{}".format
    yield r("R001"), {"process": GONE}, {r("R007")}
    yield r("R002"), {"notes": [{"text": "one"}, {"text": "two"}]}, set()
    yield r("R003"), {"buyer_reference": GONE, "purchase_order": GONE}, set()
    yield r("R004"), {"specification": "urn:cen.eu:en16931:2017"}, set()
    yield r("R005"), {"tax_currency": "EUR"}, {r("R054")}
    yield r("R007"), {"process": "urn:fdc:peppol.eu:2017:poacc:billing:99"}, set()
    yield r("R010"), {"buyer.endpoint": GONE}, set()
    yield r("R020"), {"seller.endpoint": GONE}, set()
    yield r("R040"), {"allowances[0].amount": "5.03"}, set()
    yield r("R041"), {"allowances[0].base": GONE}, set()
    yield r("R042"), {"lines[0].allowances[0].percent": GONE}, set()
    yield r("R046"), {"lines[0].price.gross": "12.01"}, set()
    yield r("R053"), {"tax_breakdown": []}, {r("R054")}
    yield r("R054"), {"totals.tax_accounting": "250.00", "tax_currency": GONE}, set()
    yield r("R055"), {"tax_currency": "SEK", "totals.tax_accounting": "-250.00"}, set()
    yield r("R061"), {f"{_TRANSFER}.code": "59"}, set()
    yield r("R080"), {**_CREDIT, "project_reference": "P-1",
                      "attachments": [{"id": "P-2", "type_code": "50"}]}, set()  # fmt: skip
    yield r("R110"), {"lines[0].period.start": date(2026, 7, 31)}, set()
    yield r("R111"), {"lines[0].period.end": date(2026, 9, 1)}, set()
    yield r("R120"), {"lines[0].net_amount": "95.03"}, set()
    yield r("R121"), {"lines[0].price.base_quantity": "0"}, set()
    yield r("R130"), {"lines[0].price.base_unit": "KGM"}, set()
    yield r("CL001"), {"attachments[0].mime": "text/html"}, set()
    yield r("CL002"), {"allowances[0].reason_code": "ZZZ"}, set()
    yield r("CL003"), {"lines[0].charges[0].reason_code": "95"}, set()
    yield r("CL006"), {"tax_point_code": "99"}, set()
    yield r("CL007"), {"currency": "EUS"}, set()
    yield r("CL008"), {"buyer.endpoint": {"value": "1", "scheme": "0207"}}, set()
    yield r("P0100"), {"type_code": "130"}, set()
    yield r("P0101"), {"type_code": "308", "preceding": [{"id": "1"}]}, set()
    yield r("P0112"), {"type_code": "384"}, set()
    reasons = {"4": "G", "5": "O", "6": "IC", "7": "AE", "8": "D", "9": "F"}
    for digit, reason in reasons.items():
        yield r(f"P010{digit}"), {"tax_breakdown[0].exemption_code": f"VATEX-EU-{reason}"}, set()
    yield r("P0110"), {"tax_breakdown[0].exemption_code": "vatex-eu-i"}, set()
    yield r("P0111"), {"tax_breakdown[0].exemption_code": "VATEX-EU-J"}, set()
    for number, (scheme, value) in _SCHEMES.items():
        address = {"seller.identifiers[0]": {"value": value, "scheme": scheme}}
        yield f"PEPPOL-COMMON-{number}", address, set()
    yield "PEPPOL-COMMON-R046", {"buyer.endpoint": {"value": "RSSMRA", "scheme": "9907"}}, {r("CL008")}
    yield "PEPPOL-COMMON-R056-2", {"buyer.vat_id": "NL1"}, set()


def _german() -> Iterator[Broken]:
    means = _TRANSFER
    card = {"number": "1234", "network": "VISA"}
    yield "DE-R-001", {"payment": {}}, set()
    yield "DE-R-002", {"seller.contact": GONE}, set()
    yield "DE-R-003", {"seller.address.city": GONE}, set()
    yield "DE-R-004", {"seller.address.postcode": GONE}, set()
    yield "DE-R-005", {"seller.contact.name": GONE}, set()
    yield "DE-R-006", {"seller.contact.phone": GONE}, {"DE-R-027"}
    yield "DE-R-007", {"seller.contact.email": GONE}, {"DE-R-028"}
    yield "DE-R-008", {"buyer.address.city": GONE}, set()
    yield "DE-R-009", {"buyer.address.postcode": GONE}, set()
    yield "DE-R-010", {"delivery": {"address": {"postcode": "1", "country": "DE"}}}, set()
    yield "DE-R-011", {"delivery": {"address": {"city": "Berlin", "country": "DE"}}}, set()
    yield "DE-R-014", {"tax_breakdown[0].rate": GONE}, set()
    yield "DE-R-015", {"buyer_reference": GONE}, set()
    yield "DE-R-016", {"seller.vat_id": GONE}, set()
    yield "DE-R-017", {"type_code": "383"}, set()
    yield "DE-R-018", {"payment.terms": "#SKONTO#TAGE=7#PROZENT=2#\n"}, set()
    yield "DE-R-019", {f"{means}.code": "58", f"{means}.account.id": "DE00"}, set()
    yield "DE-R-020", {"payment": {"creditor_id": "X", "means": [
        {"code": "59", "debit": {"mandate": "M", "account": "DE00"}}]}}, set()  # fmt: skip
    yield "DE-R-022", {"attachments[1]": {"id": "A-2", "content": b"%PDF-", "mime": "application/pdf",
                                          "filename": "a.pdf"}}, set()  # fmt: skip
    yield "DE-R-023-1", {f"{means}.account": GONE}, set()
    yield "DE-R-023-2", {f"{means}.card": card}, set()
    yield "DE-R-024-1", {f"{means}": {"code": "48"}}, set()
    yield "DE-R-024-2", {f"{means}.code": "48", f"{means}.card": card}, set()
    yield "DE-R-025-1", {f"{means}": {"code": "59"}}, {"PEPPOL-EN16931-R061", "DE-R-020"}
    debit = {"mandate": "M", "account": "DE75512108001245126199"}
    yield "DE-R-025-2", {"payment.creditor_id": "X", f"{means}.code": "59", f"{means}.debit": debit}, set()
    yield "DE-R-026", {"type_code": "384"}, set()
    yield "DE-R-027", {"seller.contact.phone": "n/a"}, set()
    yield "DE-R-028", {"seller.contact.email": "desk"}, set()
    yield "DE-R-030", {f"{means}": {"code": "59", "debit": debit}}, set()
    yield "DE-R-031", {"payment": {"creditor_id": "X", "means": [{"code": "49", "debit": {"mandate": "M"}}]}}, set()
    yield "DE-R-T02", {"attachments[1]": {"id": "A-2", "uri": "www.example.com"}}, set()


def _danish() -> Iterator[Broken]:
    means = _TRANSFER
    yield "DK-R-002", {"seller.legal_id": {"scheme": "0184"}}, {"PEPPOL-COMMON-R042"}
    yield "DK-R-003", {"lines[0].item.classifications[0].version": "18.00"}, set()
    yield "DK-R-004", {"charges[0].reason_code": "ZZZ", "charges[0].reason": "#tax"}, set()
    yield "DK-R-005", {f"{means}.code": "30"}, set()
    yield "DK-R-006", {f"{means}.code": "42"}, set()
    yield "DK-R-007", {f"{means}.code": "49", f"{means}.debit": {"mandate": "M"}}, set()
    yield "DK-R-008", {f"{means}": {"code": "50", "account": {"id": "1234567"}, "remittance": "99#"}}, set()
    yield "DK-R-009", {f"{means}": {"code": "50", "account": {"id": "1234567"}, "remittance": "04#1"}}, set()
    yield "DK-R-010", {f"{means}": {"code": "93", "account": {"id": "1234567"}, "remittance": "73#"}}, set()
    yield "DK-R-011", {f"{means}": {"code": "93", "account": {"id": "12345678"}, "remittance": "71#1"}}, set()
    yield "DK-R-013", {"seller.identifiers[0]": {"value": "7"}}, set()
    yield "DK-R-014", {"seller.legal_id.scheme": "0088", "seller.legal_id.value": "4000001123452"}, set()
    yield "DK-R-016", {**_CREDIT, "totals.due": "-125.00"}, set()
    yield "DK-R-017", {"buyer.legal_id.scheme": GONE}, set()


def _nordic_and_others() -> Iterator[Broken]:
    means = _TRANSFER
    yield "NO-R-001", {"seller.vat_id": "NO987654326MVA"}, set()
    yield "NO-R-002", {"seller.tax_id": "Nei"}, set()
    yield "IT-R-001", {"seller.tax_id": "short"}, set()
    yield "IT-R-002", {"seller.address.line_1": GONE}, set()
    yield "IT-R-003", {"seller.address.city": GONE}, set()
    yield "IT-R-004", {"seller.address.postcode": GONE}, set()
    yield "SE-R-001", {"seller.vat_id": "SE2120000787"}, set()
    yield "SE-R-002", {"seller.vat_id": "SE21200007870A"}, set()
    yield "SE-R-003", {"seller.legal_id.value": "212000078A"}, {"SE-R-013"}
    yield "SE-R-004", {"seller.legal_id.value": "21200007871"}, set()
    yield "SE-R-005", {"seller.tax_id": "F-skatt"}, set()
    yield "SE-R-006", {"charges[0].taxes[0].rate": "20"}, set()
    yield "SE-R-007", {f"{means}.account": {"id": "12-3", "bic": "SE:PLUSGIRO"}}, set()
    yield "SE-R-008", {f"{means}.account": {"id": "123-456", "bic": "SE:BANKGIRO"}}, set()
    yield "SE-R-009", {f"{means}.account": {"id": "123456", "bic": "SE:BANKGIRO"}}, set()
    yield "SE-R-010", {f"{means}.account": {"id": "123456789", "bic": "SE:PLUSGIRO"}}, set()
    yield "SE-R-011", {f"{means}.code": "56"}, set()
    yield "SE-R-012", {f"{means}.code": "31"}, set()
    yield "SE-R-013", {"seller.legal_id.value": "2120000788"}, set()
    yield "IS-R-001", {"type_code": "383"}, set()
    yield "IS-R-002", {"seller.legal_id": GONE}, set()
    yield "IS-R-003", {"seller.address.postcode": GONE}, set()
    yield "IS-R-004", {"buyer.legal_id.scheme": GONE}, set()
    yield "IS-R-005", {"buyer.address.line_1": GONE}, set()
    yield "IS-R-006", {f"{means}.code": "9", f"{means}.account.id": "1"}, set()
    yield "IS-R-007", {f"{means}.code": "42", f"{means}.account.id": "1"}, set()
    yield "IS-R-008", {"attachments[0].id": "2026-15-10"}, set()
    yield "IS-R-009", {"due_date": GONE}, {"IS-R-010"}
    yield "IS-R-010", {"attachments[0].id": "2026-09-30"}, set()
    yield "NL-R-001", {"type_code": "381"}, set()
    yield "NL-R-002", {"seller.address.city": GONE}, set()
    yield "NL-R-003", {"seller.legal_id.scheme": "0002"}, set()
    yield "NL-R-004", {"buyer.address.line_1": GONE}, set()
    yield "NL-R-005", {"buyer.legal_id.scheme": GONE}, set()
    yield "NL-R-006", {"tax_representative": {"name": "T", "vat_id": "NL123456789B12",
                                              "address": {"city": "Delft", "country": "NL"}}}, set()  # fmt: skip
    yield "NL-R-007", {"payment": {}}, set()
    yield "NL-R-008", {f"{means}.code": "31"}, set()
    yield "NL-R-009", {"purchase_order": GONE}, set()


def _greek() -> Iterator[Broken]:
    parts = ["090000045", "01/09/2026", "0", "1.1", "A", "117"]
    wrong = ["090000046", "02/09/2026", "x", "9.9", "", ""]
    yield "GR-R-001-1", {"number": "|".join([*parts, "7"])}, set()
    for at, part in enumerate(wrong):
        yield f"GR-R-001-{at + 2}", {"number": "|".join([*parts[:at], part, *parts[at + 1 :]])}, set()
    yield "GR-R-002", {"seller.trading_name": GONE}, set()
    yield "GR-R-003", {"seller.vat_id": "GR090000045"}, {"GR-S-011"}
    url = GOOD_GREEK_URL
    yield "GR-R-004-1", {"attachments": [url]}, set()
    yield "GR-R-004-2", {"attachments[0].id": "0"}, set()
    yield "GR-R-005", {"buyer.trading_name": GONE}, set()
    yield "GR-R-006", {"buyer.vat_id": "EL1"}, set()
    yield "GR-R-008-2", {"attachments[2]": {**url, "id": "2"}}, {"GR-S-008-1"}
    yield "GR-R-008-3", {"attachments[1]": {"id": "1", "description": "##INVOICE|URL##"}}, set()
    yield "GR-R-009", {"seller.endpoint.value": "090000046"}, set()
    yield "GR-R-010", {"buyer.endpoint.scheme": "0088", "buyer.endpoint.value": "4000001123452"}, set()
    yield "GR-S-008-1", {"attachments": [{"id": "400001", "description": "##M.AR.K##"}]}, set()
    yield "GR-S-011", {"seller.vat_id": GONE, "tax_representative": {
        "name": "T", "vat_id": "EL090000045", "address": {"country": "GR"}}}, set()  # fmt: skip


GOOD_GREEK_URL = {"id": "1", "description": "##INVOICE|URL##", "uri": "https://tax.example/1"}
BROKEN: tuple[Broken, ...] = (*_common(), *_german(), *_danish(), *_nordic_and_others(), *_greek())

#: Rules that only a source can break: what to replace in the good invoice written as UBL.
_ALLOWANCE = "<cbc:ChargeIndicator>false</cbc:ChargeIndicator>"
_DOCUMENT = (
    "<cac:DocumentReference><cbc:ID>{}</cbc:ID><cbc:DocumentTypeCode>{}</cbc:DocumentTypeCode></cac:DocumentReference>"
)
_BEFORE_ALLOWANCES = "(<cac:AllowanceCharge>(?:(?!</cac:AllowanceCharge>).)*Bulk)"
IN_SOURCE: dict[str, tuple[str, str, set[str]]] = {
    "PEPPOL-EN16931-R008": ("<cbc:BuyerReference>B-77<", "<cbc:BuyerReference><", set()),
    "PEPPOL-EN16931-R043": (_ALLOWANCE, "<cbc:ChargeIndicator>maybe</cbc:ChargeIndicator>", set()),
    "PEPPOL-EN16931-R044": (
        f"(<cac:Price>.*){_ALLOWANCE}", r"\1<cbc:ChargeIndicator>true</cbc:ChargeIndicator>", set()),
    "PEPPOL-EN16931-R051": ('<cbc:PayableAmount currencyID="EUR">', '<cbc:PayableAmount currencyID="SEK">', set()),
    "PEPPOL-EN16931-R100": (
        _BEFORE_ALLOWANCES, rf"{_DOCUMENT.format('O-1', '130')}{_DOCUMENT.format('O-2', '130')}\1", set()),
    "PEPPOL-EN16931-R101": (_BEFORE_ALLOWANCES, rf"{_DOCUMENT.format('O-1', '50')}\1", set()),
    "PEPPOL-EN16931-F001": ("<cbc:IssueDate>2026-09-01", "<cbc:IssueDate>2026-09-01Z", set()),
}  # fmt: skip


def country_of(rule: str) -> str:
    return rule[:2] if rule[:2] in SELLERS else ""


def good(country: str = "") -> Invoice:
    return edited(GOOD, SELLERS[country])


def broken(rule: str, edits: dict[str, Any]) -> Invoice:
    return edited(good(country_of(rule)).model_dump(exclude_defaults=True), edits)
