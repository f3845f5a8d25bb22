"""NLCIUS: what the official cases expect, one invoice for each rule, and the same verdict as published."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from einvoice import rules
from einvoice.errors import Finding, Severity
from tests.breaches import GONE, Edits, disagreements, edited, fatal_ids, judged, of_document, told

ON = date(2026, 6, 1)
PACKS = ("en16931", "nlcius")
PACK = rules.pack("nlcius")

GOOD: dict[str, Any] = {
    "number": "2026-17", "issue_date": date(2026, 5, 30), "type_code": "380", "currency": "EUR",
    "specification": "urn:cen.eu:en16931:2017#compliant#urn:fdc:nen.nl:nlcius:v1.0",
    "process": "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0", "buyer_reference": "4500",
    "seller": {
        "name": "Voorbeeld BV", "vat_id": "NL001234567B01", "legal_id": {"value": "12345678", "scheme": "0106"},
        "endpoint": {"value": "12345678", "scheme": "0106"},
        "address": {"line_1": "Straat 1", "city": "Utrecht", "postcode": "3511 AA", "country": "NL"},
    },
    "buyer": {
        "name": "Klant BV", "legal_id": {"value": "87654321", "scheme": "0106"},
        "endpoint": {"value": "87654321", "scheme": "0106"},
        "address": {"line_1": "Laan 2", "city": "Delft", "postcode": "2611 AA", "country": "NL"},
    },
    "payment": {"means": [{"code": "30", "account": {"id": "NL91ABNA0417164300"}}], "terms": "30 dagen"},
    "lines": [{
        "id": "1", "quantity": "2", "unit": "C62", "net_amount": "100.00", "price": {"net": "50"},
        "taxes": [{"category": "S", "rate": "21", "scheme": "VAT"}], "item": {"name": "Stoel"},
    }],
    "tax_breakdown": [{"category": "S", "rate": "21", "scheme": "VAT", "base": "100.00", "amount": "21.00"}],
    "totals": {"lines": "100.00", "net": "100.00", "tax": "21.00", "gross": "121.00", "due": "121.00"},
}  # fmt: skip

_WITH_ALLOWANCE: Edits = {
    "allowances": [{"amount": "10.00", "reason": "korting", "reason_code": "95",
                    "taxes": [{"category": "S", "rate": "21", "scheme": "VAT"}]}],
    "totals": {"lines": "100.00", "allowances": "10.00", "net": "90.00", "tax": "18.90", "gross": "108.90",
               "due": "108.90"},
    "tax_breakdown": [{"category": "S", "rate": "21", "scheme": "VAT", "base": "90.00", "amount": "18.90"}],
}  # fmt: skip
_WITH_CHARGE: Edits = {
    "charges": [{"amount": "10.00", "reason": "vracht", "reason_code": "FC",
                 "taxes": [{"category": "S", "rate": "21", "scheme": "VAT"}]}],
    "totals": {"lines": "100.00", "charges": "10.00", "net": "110.00", "tax": "23.10", "gross": "133.10",
               "due": "133.10"},
    "tax_breakdown": [{"category": "S", "rate": "21", "scheme": "VAT", "base": "110.00", "amount": "23.10"}],
}  # fmt: skip
_REPRESENTATIVE = {"name": "Vertegenwoordiger", "vat_id": "NL001234567B02", "address": {"country": "NL"}}

#: Rule, what to change in the good invoice.
BREACHES: list[tuple[str, Edits]] = [
    ("BR-NL-1", {"seller.legal_id.scheme": "0088"}),
    ("BR-NL-1", {"seller.legal_id.value": GONE}),
    ("BR-NL-2", {"buyer_reference": GONE}),
    ("BR-NL-3", {"seller.address.city": GONE}),
    ("BR-NL-4", {"buyer.address.line_1": GONE}),
    ("BR-NL-5", {"tax_representative": _REPRESENTATIVE}),
    ("BR-NL-7", {"type_code": "388"}),
    ("BR-NL-9", {"type_code": "384"}),
    ("BR-NL-10", {"buyer.legal_id": GONE}),
    ("BR-NL-10", {"buyer.legal_id.scheme": "0088"}),
    ("BR-NL-11", {"payment.means": GONE}),
    ("BR-NL-12", {"payment.means[0].code": "42"}),
    ("BR-NL-13", {"lines[0].order.line": "3"}),
    ("BR-NL-19", {"tax_currency": "USD", "totals.tax_accounting": "23.00"}),
    ("BR-NL-20", {"tax_point_date": date(2026, 5, 29)}),
    ("BR-NL-21", {"tax_point_code": "3"}),
    ("BR-NL-24", {"preceding": [{"id": "1", "issue_date": date(2026, 1, 1)}]}),
    ("BR-NL-25", {"seller.tax_id": "1234", "seller.tax_id_scheme": "TAX"}),
    ("BR-NL-25", {"seller.tax_registrations": [{"id": "1234", "scheme": "LOC"}]}),
    ("BR-NL-26", {"seller.legal_info": "KvK Utrecht"}),
    ("BR-NL-27", {"seller.address.line_3": "2 hoog"}),
    ("BR-NL-27", {"buyer.address.line_3": "2 hoog"}),
    ("BR-NL-28", {"buyer.address.subdivision": "Zuid-Holland"}),
    ("BR-NL-28", {"delivery.address": {"country": "NL", "subdivision": "Utrecht"}}),
    ("BR-NL-29", {"payment.means[0].text": "overboeking"}),
    ("BR-NL-30", {"payment.means[0].account.name": "Voorbeeld"}),
    ("BR-NL-31", {"payment.means[0].code": "58", "payment.means[0].account.bic": "ABNANL2A"}),
    ("BR-NL-32", _WITH_ALLOWANCE),
    ("BR-NL-33", {"tax_currency": "USD", "totals.tax_accounting": "23.00"}),
    ("BR-NL-34", _WITH_CHARGE),
    ("BR-NL-35", {
        "lines[0].taxes[0]": {"category": "E", "rate": "0", "scheme": "VAT"},
        "tax_breakdown": [{"category": "E", "rate": "0", "scheme": "VAT", "base": "100.00", "amount": "0.00",
                           "exemption_code": "VATEX-EU-132"}],
        "totals": {"lines": "100.00", "net": "100.00", "tax": "0.00", "gross": "100.00", "due": "100.00"},
    }),
    ("SI-V20-INV-R000", {"specification": "urn:cen.eu:en16931:2017"}),
    ("BII2-T10-R001", {"specification": GONE}),
]  # fmt: skip
#: A missing specification breaks the rule of EN 16931 too.
ALSO = {"BII2-T10-R001": {"BR-01"}}
#: Known to a reader alone, or decided by other packs.
TOLD = {rule for rule, _ in told(PACK)}


def test_the_good_invoice_breaks_no_rule() -> None:
    assert judged(edited(GOOD, {}), PACKS, ON) == []


@pytest.mark.parametrize(("rule", "edits"), BREACHES)
def test_an_invoice_breaks_one_rule_alone(rule: str, edits: Edits) -> None:
    findings = judged(edited(GOOD, edits), PACKS, ON)
    expected = PACK.rule(rule).severity
    assert expected in {finding.severity for finding in findings if finding.rule == rule}
    assert fatal_ids(findings) == ({rule} if expected is Severity.FATAL else set()) | ALSO.get(rule, set())


def test_each_rule_has_an_invoice_that_breaks_it() -> None:
    assert {rule.id for rule in PACK.rules} == {rule for rule, _ in BREACHES} | TOLD


@pytest.mark.parametrize(("rule", "finding"), told(PACK))
def test_what_the_reader_tells_comes_back_under_the_published_id(rule: str, finding: Finding) -> None:
    assert rule in {one.rule for one in judged(edited(GOOD, {}), PACKS, ON, read=[finding])}


def test_a_seller_abroad_is_bound_to_none_of_the_dutch_rules() -> None:
    abroad = {"seller.address.country": "BE", "buyer_reference": GONE, "seller.legal_id.scheme": "0208",
              "payment.means[0].code": "42", "seller.address.city": GONE}  # fmt: skip
    assert judged(edited(GOOD, abroad), PACKS, ON) == []


def test_a_document_of_another_specification_is_bound_to_none_either() -> None:
    peppol = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
    findings = judged(edited(GOOD, {"specification": peppol, "buyer_reference": GONE}), PACKS, ON)
    assert fatal_ids(findings) == {"SI-V20-INV-R000"}


def test_a_credit_note_needs_no_means_of_payment() -> None:
    assert judged(edited(GOOD, {"type_code": "381", "payment.means": GONE}), PACKS, ON) == []


@pytest.mark.interop
@pytest.mark.slow
def test_the_official_rules_agree_on_every_broken_invoice(reference: Path) -> None:
    differences = disagreements(GOOD, BREACHES, PACK, date(2025, 1, 1), "nlcius")
    # The official file takes every reason code for an allowance's; the specification tells charges apart.
    assert differences == {"BR-NL-34": {"BR-NL-32", "BR-NL-34"}}


def test_every_official_case_gives_the_outcome_in_its_name(reference: Path) -> None:
    cases = sorted((reference / "nlcius" / "si-ubl-2.0.3.2").glob("*.xml"))
    assert len(cases) == 43
    for case in cases:
        findings = of_document(case, PACKS, ON)
        named = re.search(r"_((?:BR|UBL)-[A-Z]+-\d+)_(ok|warning|error)", case.name)
        fired = {one.severity for one in findings if named is None or one.rule == named.group(1)}
        if named is None:
            assert Severity.FATAL not in fired, case.name
            assert (Severity.WARNING in fired) == ("_warning_" in case.name), case.name
        else:
            outcome = {"ok": set(), "warning": {Severity.WARNING}, "error": {Severity.FATAL}}[named.group(2)]
            assert fired == outcome, case.name
        if named is not None and named.group(2) == "ok":
            assert not fatal_ids(findings), case.name


def test_all_published_ids_are_judged_or_listed_with_a_reason(reference: Path) -> None:
    published = set()
    for file in ("si-ubl-2.0.3.9.sch", "si-ubl-2.0/si-ubl-2.0-nlcius.sch"):
        for one in etree.parse(reference / "nlcius" / "rules" / file).iter("{*}assert"):
            written = re.match(r"\s*\[([A-Z0-9-]+)\]", "".join(map(str, one.itertext())))
            published.add(written.group(1) if written else one.get("id"))
    known = {rule.id for rule in PACK.rules} | set(PACK.not_native)
    assert published - known == set()
    assert all(PACK.not_native.values())
