"""XRechnung: one invoice for each rule, the official suite, extension and clean vehicles, and the dated releases."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from einvoice import rules
from einvoice.codes import codes
from einvoice.errors import Finding, Severity
from einvoice.rules._xr import CIUS, CVD, EXTENSION
from tests.breaches import GONE, UNHELD, Edits, disagreements, edited, fatal_ids, judged, of_document, told

ON = date(2026, 10, 1)
PACKS = ("en16931", "xrechnung")
PACK = rules.pack("xrechnung")

_TAX = {"category": "S", "rate": "19", "scheme": "VAT"}
GOOD: dict[str, Any] = {
    "number": "2026-17", "issue_date": date(2026, 9, 30), "type_code": "380", "currency": "EUR",
    "specification": CIUS, "process": "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0",
    "buyer_reference": "04011000-12345-03", "due_date": date(2026, 10, 30),
    "seller": {
        "name": "Beispiel GmbH", "vat_id": "DE123456789", "endpoint": {"value": "r@beispiel.example", "scheme": "EM"},
        "address": {"line_1": "Weg 1", "city": "Bremen", "postcode": "28195", "country": "DE"},
        "contact": {"name": "Frau Muster", "phone": "+49 421 12345", "email": "muster@beispiel.example"},
    },
    "buyer": {
        "name": "Amt", "endpoint": {"value": "amt@beispiel.example", "scheme": "EM"},
        "address": {"line_1": "Platz 2", "city": "Kiel", "postcode": "24103", "country": "DE"},
    },
    "delivery": {"date": date(2026, 9, 15)},
    "payment": {"means": [{"code": "58", "account": {"id": "DE75512108001245126199"}}]},
    "lines": [{
        "id": "1", "quantity": "2", "unit": "C62", "net_amount": "100.00", "price": {"net": "50"},
        "taxes": [_TAX], "item": {"name": "Stuhl"},
    }],
    "tax_breakdown": [{**_TAX, "base": "100.00", "amount": "19.00"}],
    "totals": {"lines": "100.00", "net": "100.00", "tax": "19.00", "gross": "119.00", "due": "119.00"},
}  # fmt: skip

_DEBIT: Edits = {
    "payment.means[0]": {"code": "59", "debit": {"mandate": "M-1", "account": "DE75512108001245126199"}},
    "payment.creditor_id": "DE98ZZZ09999999999",
}
_CARD: Edits = {"payment.means[0]": {"code": "48", "card": {"number": "4111", "network": "VISA"}}}
_UNTAXED: Edits = {
    "lines[0].taxes[0]": {"category": "O", "scheme": "VAT"}, "seller.vat_id": GONE,
    "seller.identifiers": [{"value": "17"}],
    "tax_breakdown": [{"category": "O", "scheme": "VAT", "base": "100.00", "amount": "0.00",
                       "exemption_reason": "nicht steuerbar"}],
    "totals": {"lines": "100.00", "net": "100.00", "tax": "0.00", "gross": "100.00", "due": "100.00"},
}  # fmt: skip
_SUB = {"id": "1.1", "quantity": "2", "unit": "C62", "net_amount": "100.00", "price": {"net": "50"}, "taxes": [_TAX],
        "item": {"name": "Bein"}}  # fmt: skip
_EXTENDED: Edits = {"specification": EXTENSION}
_THIRD: Edits = {
    **_EXTENDED, "payment.prepaid": [{"type": "1", "amount": "20.00", "reference": "Gebühr"}], "totals.due": "139.00",
}  # fmt: skip
_VEHICLE: Edits = {
    "specification": CVD, "contract.id": "V-1", "tender_reference": "L-1",
    "lines[0].item.classifications": [{"code": "M1", "scheme": "CVD"}],
    "lines[0].item.attributes": [{"name": "cva", "value": "clean"}],
}  # fmt: skip
_ATTACHED: Edits = {"attachments": [{"id": "1", "content": "eA==", "mime": "text/csv", "filename": "a.csv"}]}
_ALLOWANCE: Edits = {
    "allowances": [{"amount": "10.00", "base": "100.00", "percent": "10", "reason": "Rabatt", "taxes": [_TAX]}],
    "totals": {"lines": "100.00", "allowances": "10.00", "net": "90.00", "tax": "17.10", "gross": "107.10",
               "due": "107.10"},
    "tax_breakdown": [{**_TAX, "base": "90.00", "amount": "17.10"}],
}  # fmt: skip
_PERIOD: Edits = {"period": {"start": date(2026, 9, 1), "end": date(2026, 9, 30)}}
_POUNDS: Edits = {"tax_currency": "GBP", "totals.tax_accounting": "16.00"}

#: Rule, what to change in the good invoice.
BREACHES: list[tuple[str, Edits]] = [
    ("BR-DE-1", {"payment.means": GONE}),
    ("BR-DE-2", {"seller.contact": GONE}),
    ("BR-DE-3", {"seller.address.city": GONE}),
    ("BR-DE-4", {"seller.address.postcode": " "}),
    ("BR-DE-5", {"seller.contact.name": GONE}),
    ("BR-DE-6", {"seller.contact.phone": GONE}),
    ("BR-DE-7", {"seller.contact.email": GONE}),
    ("BR-DE-8", {"buyer.address.city": GONE}),
    ("BR-DE-9", {"buyer.address.postcode": GONE}),
    ("BR-DE-10", {"delivery.address": {"postcode": "24103", "country": "DE"}}),
    ("BR-DE-11", {"delivery.address": {"city": "Kiel", "country": "DE"}}),
    ("BR-DE-14", _UNTAXED),
    ("BR-DE-15", {"buyer_reference": GONE}),
    ("BR-DE-16", {"seller.vat_id": GONE, "seller.identifiers": [{"value": "17"}]}),
    ("BR-DE-17", {"type_code": "325"}),
    ("BR-DE-18", {"payment.terms": "#SKONTO#TAGE=14#PROZENT=2#"}),
    ("BR-DE-18", {"payment.terms": "#SKONTO#TAGE=14#PROZENT=2.00# netto"}),
    ("BR-DE-18", {"payment.terms": "# 14 Tage"}),
    ("BR-DE-19", {"payment.means[0].account.id": "DE75512108001245126190"}),
    ("BR-DE-20", {**_DEBIT, "payment.means[0].debit.account": "12345"}),
    ("BR-DE-21", {"specification": "urn:cen.eu:en16931:2017"}),
    ("BR-DE-22", {**_ATTACHED, "attachments[1]": {"id": "2", "content": "eA==", "mime": "text/csv",
                                                  "filename": "a.csv"}}),
    ("BR-DE-23-a", {"payment.means[0].account": GONE}),
    ("BR-DE-23-b", {"payment.means[0].card": {"number": "4111"}}),
    ("BR-DE-24-a", {**_CARD, "payment.means[0].card": GONE}),
    ("BR-DE-24-b", {**_CARD, "payment.means[0].account": {"id": "1"}}),
    ("BR-DE-25-a", {**_DEBIT, "payment.means[0].debit": GONE}),
    ("BR-DE-25-b", {**_DEBIT, "payment.means[0].card": {"number": "4111"}}),
    ("BR-DE-26", {"type_code": "384"}),
    ("BR-DE-27", {"seller.contact.phone": "n/a 12"}),
    ("BR-DE-28", {"seller.contact.email": "muster.beispiel.example"}),
    ("BR-DE-30", {**_DEBIT, "payment.creditor_id": GONE}),
    ("BR-DE-31", {**_DEBIT, "payment.means[0].debit.account": GONE}),
    ("BR-DE-TMP-32", {"delivery": GONE}),
    ("BR-TMP-2", {"attachments": [{"id": "1", "uri": "beispiel.example/a.pdf"}]}),
    ("BR-DEX-01", {**_EXTENDED, **_ATTACHED, "attachments[0].mime": "text/html"}),
    ("BR-DEX-02", {**_EXTENDED, "lines[0].sub_lines": [{**_SUB, "net_amount": "90.00"}]}),
    ("BR-DEX-03", {**_EXTENDED, "lines[0].sub_lines": [{**_SUB, "taxes": []}]}),
    ("BR-DEX-04", {**_EXTENDED, "seller.identifiers": [{"value": "1", "scheme": "XR04"}]}),
    ("BR-DEX-05", {**_EXTENDED, "buyer.legal_id": {"value": "1", "scheme": "XR04"}}),
    ("BR-DEX-06", {**_EXTENDED, "lines[0].item.standard_id": {"value": "1", "scheme": "XR04"}}),
    ("BR-DEX-07", {**_EXTENDED, "buyer.endpoint.scheme": "XR04"}),
    ("BR-DEX-08", {**_EXTENDED, "delivery.location": {"value": "1", "scheme": "XR04"}}),
    ("BR-DEX-09", {**_THIRD, "totals.due": "119.00"}),
    ("BR-DEX-10", {**_THIRD, "payment.prepaid[0].type": GONE}),
    ("BR-DEX-11", {**_THIRD, "payment.prepaid[0].amount": GONE, "totals.due": "119.00"}),
    ("BR-DEX-12", {**_THIRD, "payment.prepaid[0].reference": GONE}),
    ("BR-DEX-13", {**_THIRD, "payment.prepaid[0].amount": "20.000"}),
    ("BR-DEX-14", {**_THIRD, "payment.prepaid[0].amount": GONE, "totals.due": "119.00"}),
    ("BR-DE-CVD-01", {**_VEHICLE, "contract": GONE}),
    ("BR-DE-CVD-02", {**_VEHICLE, "tender_reference": GONE}),
    ("BR-DE-CVD-03", {**_VEHICLE, "lines[0].item.classifications": GONE, "lines[0].item.attributes": GONE}),
    ("BR-DE-CVD-04", {**_VEHICLE, "lines[0].item.classifications[0].code": "M9"}),
    ("BR-DE-CVD-05", {**_VEHICLE, "lines[0].item.attributes[0].value": "dirty"}),
    ("BR-DE-CVD-06-a", {**_VEHICLE, "lines[0].item.attributes[1]": {"name": "cva", "value": "other"}}),
    ("BR-DE-CVD-06-b", {**_VEHICLE, "lines[0].item.classifications[1]": {"code": "M1", "scheme": "CVD"}}),
    ("BR-TMP-CVD-01", {**_VEHICLE, "lines[0].item.classifications[1]": {"code": "M1", "scheme": "QQ"}}),
    ("PEPPOL-EN16931-R001", {"process": GONE}),
    ("PEPPOL-EN16931-R005", {"tax_currency": "EUR", "totals.tax_accounting": "19.00"}),
    ("PEPPOL-EN16931-R010", {"buyer.endpoint": GONE}),
    ("PEPPOL-EN16931-R020", {"seller.endpoint": GONE}),
    ("PEPPOL-EN16931-R040", {**_ALLOWANCE, "allowances[0].percent": "11"}),
    ("PEPPOL-EN16931-R041", {**_ALLOWANCE, "allowances[0].base": GONE}),
    ("PEPPOL-EN16931-R042", {**_ALLOWANCE, "allowances[0].percent": GONE}),
    ("PEPPOL-EN16931-R046", {"lines[0].price": {"net": "50", "gross": "60", "discount": "5"}}),
    ("PEPPOL-EN16931-R053", {"tax_breakdown": GONE}),
    ("PEPPOL-EN16931-R054", {"tax_currency": "GBP"}),
    ("PEPPOL-EN16931-R055", {**_POUNDS, "totals.tax_accounting": "-16.00"}),
    ("PEPPOL-EN16931-R061", {**_DEBIT, "payment.means[0].debit.mandate": GONE}),
    ("PEPPOL-EN16931-R110", {**_PERIOD, "lines[0].period": {"start": date(2026, 8, 31)}}),
    ("PEPPOL-EN16931-R111", {**_PERIOD, "lines[0].period": {"end": date(2026, 10, 1)}}),
    ("PEPPOL-EN16931-R120", {"lines[0].quantity": "3"}),
    ("PEPPOL-EN16931-R121", {"lines[0].price.base_quantity": "0"}),
    ("PEPPOL-EN16931-R130", {"lines[0].price.base_quantity": "1", "lines[0].price.base_unit": "KGM"}),
]  # fmt: skip
#: Rules that break with it by their nature.
ALSO: dict[str, set[str]] = {
    "BR-DE-16": {"BR-S-02"},
    "BR-DE-23-a": {"BR-61"},
    "BR-DE-25-a": {"PEPPOL-EN16931-R061"},
    "BR-DEX-11": {"BR-DEX-14"},
    "BR-DEX-14": {"BR-DEX-11"},
    "PEPPOL-EN16931-R053": {"BR-CO-18", "BR-S-01", "PEPPOL-EN16931-R054"},
    "PEPPOL-EN16931-R054": {"BR-53", "PEPPOL-EN16931-R055"},
}
#: CII alone.
CII = {"BR-DEX-15"}
_UNHELD = [(f"PEPPOL-EN16931-{number}", finding) for number, finding in UNHELD.items()]
TOLD = {rule for rule, _ in (*told(PACK), *_UNHELD)} | {"PEPPOL-EN16931-R008"}


def test_the_good_invoices_break_no_rule() -> None:
    for edits in ({}, _DEBIT, _CARD, _ALLOWANCE, _POUNDS, _PERIOD):
        assert judged(edited(GOOD, edits), PACKS, ON) == []


def test_extension_and_clean_vehicles_break_only_what_they_relax() -> None:
    third = judged(edited(GOOD, _THIRD), PACKS, ON)
    assert [(one.rule, one.severity) for one in third] == [("BR-CO-16", Severity.INFO)]
    vehicle = judged(edited(GOOD, _VEHICLE), PACKS, ON)
    assert [(one.rule, one.severity) for one in vehicle] == [("BR-CL-13", Severity.INFO)]
    assert judged(edited(GOOD, {**_EXTENDED, "lines[0].sub_lines": [_SUB]}), PACKS, ON) == []


@pytest.mark.parametrize(("rule", "edits"), BREACHES)
def test_an_invoice_breaks_one_rule_alone(rule: str, edits: Edits) -> None:
    findings = judged(edited(GOOD, edits), PACKS, ON)
    expected = PACK.releases[-1].severity.get(rule, PACK.rule(rule).severity)
    assert expected in {finding.severity for finding in findings if finding.rule == rule}
    assert fatal_ids(findings) == ({rule} if expected is Severity.FATAL else set()) | ALSO.get(rule, set())


def test_each_rule_has_an_invoice_that_breaks_it() -> None:
    assert {rule.id for rule in PACK.rules} == {rule for rule, _ in BREACHES} | TOLD | CII


@pytest.mark.parametrize(("rule", "finding"), [*told(PACK), *_UNHELD])
def test_what_the_reader_tells_comes_back_under_the_published_id(rule: str, finding: Finding) -> None:
    assert rule in {one.rule for one in judged(edited(GOOD, {}), PACKS, ON, read=[finding])}


def test_an_empty_element_is_a_breach_but_for_an_order_without_number_since_august() -> None:
    note = Finding("EINV-READ-07", "empty", place="/Invoice/cbc:Note line 7")
    order = Finding("EINV-READ-07", "empty", place="/Invoice/cac:OrderReference/cbc:ID line 7")
    for day, finding, broken in ((ON, note, True), (ON, order, False), (date(2026, 3, 1), order, True)):
        fired = {one.rule for one in judged(edited(GOOD, {}), PACKS, day, read=[finding])}
        assert ("PEPPOL-EN16931-R008" in fired) is broken


def test_rules_of_the_extension_leave_other_documents_alone() -> None:
    findings = judged(edited(GOOD, {**_THIRD, "specification": CIUS}), PACKS, ON)
    assert fatal_ids(findings) == {"BR-CO-16"}


def test_the_extension_knows_the_schemes_of_digital_health() -> None:
    health = {**_EXTENDED, "buyer.endpoint.scheme": "XR01", "seller.identifiers": [{"value": "1", "scheme": "XR02"}]}
    assert fatal_ids(judged(edited(GOOD, health), PACKS, ON)) == set()
    assert fatal_ids(judged(edited(GOOD, {**health, "specification": CIUS}), PACKS, ON)) == {"BR-CL-10", "BR-CL-25"}


def test_kosit_takes_a_unit_that_the_european_list_lacks_for_a_warning() -> None:
    edits = {"lines[0].unit": "QQQ"}
    (finding,) = judged(edited(GOOD, edits), PACKS, ON)
    assert (finding.rule, finding.severity) == ("BR-CL-23", Severity.WARNING)
    (finding,) = judged(edited(GOOD, edits), ("en16931",), ON)
    assert finding.severity is Severity.FATAL


@pytest.mark.parametrize(
    "terms",
    [
        "30 Tage netto",
        "#SKONTO#TAGE=14#PROZENT=2.25#\n",
        "#SKONTO#TAGE=14#PROZENT=2.25#BASISBETRAG=-12.00#\n#SKONTO#TAGE=28#PROZENT=1.00#\n",
        "Vielen Dank.\r\n  #SKONTO#TAGE=7#PROZENT=3.00#\r\nBitte überweisen.",
    ],
)
def test_a_cash_discount_as_agreed_is_no_breach(terms: str) -> None:
    assert judged(edited(GOOD, {"payment.terms": terms}), PACKS, ON) == []


@pytest.mark.parametrize(
    "terms",
    [
        "#SKONTO#TAGE=14#PROZENT=2.00#",
        "#SKONTO#TAGE=14#PROZENT=2.00#\nSonst #x# netto",
        "#skonto#TAGE=14#PROZENT=2.00#\n",
    ],
)
def test_a_cash_discount_otherwise_is_a_breach(terms: str) -> None:
    assert fatal_ids(judged(edited(GOOD, {"payment.terms": terms}), PACKS, ON)) == {"BR-DE-18"}


def test_the_date_chooses_the_release() -> None:
    relative = edited(GOOD, {"attachments": [{"id": "1", "uri": "a.pdf"}]})
    before, after = (judged(relative, PACKS, day) for day in (date(2026, 8, 30), date(2026, 8, 31)))
    assert [(one.rule, one.severity, one.clause) for one in (*before, *after)] == [
        ("BR-TMP-2", Severity.WARNING, "XRechnung 3.0.2, rules 2.5.0"),
        ("BR-TMP-2", Severity.FATAL, "XRechnung 3.0.2, rules 2.6.0"),
    ]


def test_a_sub_line_in_cii_is_a_warning() -> None:
    findings = judged(edited(GOOD, {**_EXTENDED, "lines[0].parent": "1"}), ("xrechnung",), ON, syntax="cii")
    assert [(one.rule, one.severity) for one in findings] == [("BR-DEX-15", Severity.WARNING)]


def test_in_cii_a_department_names_the_contact_and_a_bank_is_no_account() -> None:
    contact = {"seller.contact.name": GONE, "seller.contact.department": "Vertrieb"}
    assert fatal_ids(judged(edited(GOOD, contact), PACKS, ON)) == {"BR-DE-5"}
    assert fatal_ids(judged(edited(GOOD, contact), PACKS, ON, syntax="cii")) == set()
    bank = {"payment.means[0].code": "30", "payment.means[0].account": {"bic": "COBADEFF"}}
    assert "BR-DE-23-a" in fatal_ids(judged(edited(GOOD, bank), PACKS, ON, syntax="cii"))


def test_findings_speak_four_languages() -> None:
    spoken = {
        language: rules.check(edited(GOOD, {"buyer_reference": GONE}), PACKS, on=ON, language=language)[0].message
        for language in ("en", "de", "fr", "it")
    }
    assert len(set(spoken.values())) == 4
    assert spoken["de"] == "Die Käuferreferenz fehlt."


#: Fatal by EN 16931 alone; KoSIT's validator takes them for information in an extension document.
_RELAXED = {"04.05a-INVOICE_uncefact.xml": {"BR-CL-10", "BR-CL-21"}, "05.01a-INVOICE_ubl.xml": {"BR-CO-16"}}


@pytest.mark.interop
@pytest.mark.slow
def test_the_official_rules_agree_on_every_broken_invoice(reference: Path) -> None:
    assert disagreements(GOOD, BREACHES, PACK, date(2026, 3, 1), "xrechnung") == {}


def test_every_document_of_the_official_suite_is_good(reference: Path) -> None:
    documents = sorted((reference / "xrechnung" / "testsuite").rglob("*.xml"))
    assert len(documents) == 50
    for path in documents:
        findings = of_document(path, PACKS, ON)
        assert fatal_ids(findings) == set(), path.name
        relaxed = {one.rule for one in findings if not one.rule.startswith("BR-DE-TMP")}
        assert relaxed == _RELAXED.get(path.name, set()), path.name


def test_all_published_ids_are_judged_or_listed_with_a_reason(reference: Path) -> None:
    published = {
        str(one.get("id")): str(one.get("flag"))
        for syntax in ("ubl/XRechnung-UBL", "cii/XRechnung-CII")
        for one in etree.parse(reference / "xrechnung" / "rules" / f"{syntax}-validation.sch").iter("{*}assert")
    }
    ours = {rule.id: rule.severity for rule in PACK.rules}
    assert set(published) - set(ours) - set(PACK.not_native) == set()
    word = {"fatal": Severity.FATAL, "warning": Severity.WARNING, "information": Severity.INFO}
    assert {id_: flag for id_, flag in published.items() if id_ in ours and word[flag] is not ours[id_]} == {}


def test_the_code_lists_are_the_published_ones(reference: Path) -> None:
    text = (reference / "xrechnung" / "rules" / "common.sch").read_text(encoding="utf-8")
    first = PACK.releases[0].since
    for ours, theirs in (("identifier", "ISO-6523-ICD-CODES"), ("endpoint", "CEF-EAS-CODES")):
        match = re.search(rf"""name="{theirs}" value="'([^']*)'""", text)
        assert match is not None
        assert codes(f"xrechnung_{ours}_schemes", first) == frozenset(match.group(1).split())
