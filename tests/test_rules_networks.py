"""Ariba and SdI: what each network refuses, found before a document is sent there."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from einvoice import formats, networks, rules, terms
from einvoice.errors import Finding, Severity
from einvoice.exchange import Identity
from einvoice.official import native_packs
from einvoice.pipeline import packs_for
from tests.breaches import GONE, Edits, edited
from tests.home import FIXTURES, typed, write
from tests.home import invoice as readable
from tests.readable import invoice, names

ON = date(2026, 11, 2)
_F, _W, _I = Severity.FATAL, Severity.WARNING, Severity.INFO
ARIBA, SDI = rules.pack("ariba"), rules.pack("sdi")
_VAT = {"category": "S", "rate": "22", "scheme": "VAT"}

GOOD: dict[str, Any] = {
    "number": "2026-17", "issue_date": date(2026, 10, 30), "type_code": "380", "currency": "EUR",
    "purchase_order": {"id": "4500781234"}, "period": {"start": date(2026, 10, 1), "end": date(2026, 10, 31)},
    "seller": {"name": "Esempio S.r.l.", "vat_id": "IT99999000013", "tax_id": "99999000013", "tax_id_scheme": "CF",
               "address": {"city": "Torino", "country": "IT"}},
    "buyer": {"name": "Motori del Prato S.r.l.", "vat_id": "IT99999000021",
              "tax_registrations": [{"scheme": "CF", "id": "RCCMNL83S18D969H"}],
              "endpoint": {"value": "ABC1234", "scheme": "0205"}, "address": {"city": "Prato", "country": "IT"}},
    "lines": [{
        "id": "1", "quantity": "3", "unit": "C62", "net_amount": "89.99", "price": {"net": "33.33"},
        "allowances": [{"amount": "10.00", "reason": "Sconto"}], "order": {"line": "10"},
        "item": {"name": "Sedia"}, "taxes": [dict(_VAT)],
    }],
    "charges": [{"amount": "10.01", "reason": "Trasporto", "taxes": [dict(_VAT)]}],
    "tax_breakdown": [{**_VAT, "base": "100.00", "amount": "22.00"}],
    "totals": {"lines": "89.99", "charges": "10.01", "net": "100.00", "tax": "22.00", "gross": "122.00",
               "due": "122.00"},
}  # fmt: skip
_ROW, _TAX = "tax_breakdown[0]", "lines[0].taxes[0]"
_EXEMPT = {"category": "E", "rate": "0", "scheme": "VAT"}
_CREDIT: Edits = {"type_code": "381", "preceding": [{"id": "2026-3", "issue_date": date(2026, 9, 1)}]}

#: Rule, changes, severity, other rules that the same change breaks.
ARIBA_BREACHES: list[tuple[str, Edits, Severity, set[str]]] = [
    ("ARIBA-INVOICE_NO_ID", {"number": GONE}, _F, set()),
    ("ARIBA-INV-98", {"seller.vat_id": GONE, "seller.tax_id": GONE, "tax_breakdown[0].scheme": "SALES"}, _W, set()),
    ("ARIBA-INV_ROLE_IN_SHIPPING", {"other_parties": [{"role": "shipTo", "party": {"name": "Plant 2"}}]}, _F, set()),
    ("ARIBA-PURPOSE", {"type_code": "384"}, _W, set()),
    ("ARIBA-CREDIT-REFERENCE", {"type_code": "381", "line_level_credit": True}, _F, {"ARIBA-CREDIT-COMMENTS"}),
    ("ARIBA-CREDIT-COMMENTS", _CREDIT, _I, set()),
    ("ARIBA-SIGN", {"totals.gross": "-122.00"}, _W, set()),
    ("ARIBA-ZERO", {"totals.gross": "0.00"}, _I, set()),
    ("ARIBA-ORDER-LINE", {"lines[0].order": GONE}, _W, set()),
    ("ARIBA-ORDER-LINE", {"purchase_order": GONE, "lines[0].order": {"id": "4500781234"}}, _W, set()),
    ("ARIBA-VAT-SELLER", {"seller.vat_id": GONE}, _W, set()),
    ("ARIBA-VAT-BUYER", {"buyer.vat_id": GONE}, _W, set()),
    ("ARIBA-VAT-POINT", {"period": GONE}, _I, set()),
    ("ARIBA-VAT-LAW", {_ROW: {**_EXEMPT, "base": "100.00", "amount": "0.00"}}, _W, set()),
]  # fmt: skip

SDI_BREACHES: list[tuple[str, Edits, set[str]]] = [
    ("00301", {"seller.vat_id": "IT99999000014"}, set()),
    ("00302", {"seller.tax_id": "99999000014"}, set()),
    ("00305", {"buyer.vat_id": "IT99999000022"}, set()),
    ("00306", {"buyer.tax_registrations[0].id": "RCCMNL83S18D969A"}, set()),
    ("00311", {"buyer.endpoint.value": "abc1234"}, set()),
    ("00311", {"buyer.endpoint": {"value": "UFF1234", "scheme": "0201"}}, set()),
    ("00400", {f"{_TAX}.rate": "0", "tax_breakdown[1]": {**_EXEMPT, "base": "89.99", "amount": "0.00"},
               f"{_ROW}.base": "10.01", f"{_ROW}.amount": "2.20"}, set()),
    ("00401", {f"{_TAX}.category": "E"}, {"00444"}),
    ("00401", {f"{_TAX}.exemption_code": "N4"}, {"00444"}),
    ("00403", {"issue_date": date(2026, 11, 3)}, set()),
    ("00411", {"lines[0].taxes[1]": {"scheme": "WITHHOLDING", "rate": "20", "effect": "withheld"}}, set()),
    ("00417", {"buyer.vat_id": GONE, "buyer.tax_registrations": GONE}, set()),
    ("00418", {"type_code": "381", "preceding": [{"id": "1", "issue_date": date(2026, 10, 31)}]}, set()),
    ("00419", {"tax_breakdown": []}, {"00443"}),
    ("00420", {f"{_ROW}.effect": "paid_by_buyer", f"{_ROW}.category": "AE", f"{_ROW}.rate": "0",
               f"{_ROW}.amount": "0.00", f"{_TAX}.category": "AE", f"{_TAX}.rate": "0",
               "charges[0].taxes[0].rate": "0"}, set()),
    ("00421", {f"{_ROW}.amount": "22.01"}, set()),
    ("00422", {f"{_ROW}.base": "101.00", f"{_ROW}.amount": "22.22"}, set()),
    ("00423", {"lines[0].net_amount": "90.00"}, set()),
    ("00424", {f"{_TAX}.rate": "0.22", "charges[0].taxes[0].rate": "0.22", f"{_ROW}.rate": "0.22",
               f"{_ROW}.amount": "0.22"}, set()),
    ("00425", {"number": "FATTURA"}, set()),
    ("00429", {"tax_breakdown[1]": {"category": "S", "rate": "0", "scheme": "VAT", "base": "0.00"}}, set()),
    ("00430", {f"{_ROW}.exemption_code": "N2.2"}, set()),
    ("00437", {"charges[0].amount": GONE, f"{_ROW}.base": "89.99", f"{_ROW}.amount": "19.80"}, set()),
    ("00438", {"lines[0].allowances[0].amount": GONE, "lines[0].net_amount": "99.99",
               f"{_ROW}.base": "110.00", f"{_ROW}.amount": "24.20"}, set()),
    ("00443", {f"{_TAX}.rate": "10", f"{_ROW}.base": "10.01", f"{_ROW}.amount": "2.20"}, set()),
    ("00444", {f"{_TAX}": {**_EXEMPT, "exemption_code": "N4"}, f"{_ROW}.base": "10.01", f"{_ROW}.amount": "2.20",
               "tax_breakdown[1]": {"category": "G", "rate": "0", "scheme": "VAT", "base": "89.99",
                                    "exemption_code": "N3.1", "amount": "0.00"}}, set()),
    ("00445", {"tax_breakdown[1]": {"category": "O", "scheme": "VAT", "base": "0.00", "exemption_code": "N2"}}, set()),
    ("00476", {"seller.vat_id": "FR28999888001", "buyer.vat_id": "DE999111008"}, set()),
]  # fmt: skip


def judged(pack: str, edits: Edits, syntax: str = "") -> list[Finding]:
    return rules.check(edited(GOOD, edits), (pack,), on=ON, today=ON, syntax=syntax)


@pytest.mark.parametrize("pack", ["ariba", "sdi", "einvoice"])
def test_the_good_invoice_breaks_no_rule(pack: str) -> None:
    assert judged(pack, {}) == []


@pytest.mark.parametrize(("rule", "edits", "severity", "also"), ARIBA_BREACHES)
def test_what_ariba_refuses_is_found(rule: str, edits: Edits, severity: Severity, also: set[str]) -> None:
    found = judged("ariba", edits)
    assert {one.rule for one in found} == {rule} | also
    assert {one.severity for one in found if one.rule == rule} == {severity}


@pytest.mark.parametrize(("code", "edits", "also"), SDI_BREACHES)
def test_what_sdi_rejects_is_found_under_its_code(code: str, edits: Edits, also: set[str]) -> None:
    found = judged("sdi", edits)
    assert {one.rule for one in found} == {f"SDI-{one}" for one in {code} | also}
    assert {one.severity for one in found} == {_F}


def test_each_rule_has_an_invoice_that_breaks_it() -> None:
    assert {rule.id for rule in ARIBA.rules} == {rule for rule, *_ in ARIBA_BREACHES}
    assert {rule.id for rule in SDI.rules} == {f"SDI-{code}" for code, *_ in SDI_BREACHES}


def test_a_code_is_judged_or_left_with_a_reason() -> None:
    judged_ids = {rule.id.removeprefix("SDI-") for rule in SDI.rules}
    assert not judged_ids & set(SDI.not_native)
    assert all(SDI.not_native.values())
    assert all(ARIBA.not_native.values())
    named = {rule.term for rule in (*ARIBA.rules, *SDI.rules)}
    assert named <= set(terms.TERMS) | set(terms.GROUPS)


def test_sums_are_judged_with_the_tolerance_that_sdi_publishes() -> None:
    assert judged("sdi", {f"{_ROW}.base": "99.98", f"{_ROW}.amount": "21.99"}) == []  # 21.9956: less than a cent off
    assert judged("sdi", {f"{_ROW}.base": "100.99", f"{_ROW}.amount": "22.21"}) == []  # less than 1.00 off
    price = {"lines[0].quantity": "1", "lines[0].price.net": "99.99501"}
    assert judged("sdi", price) == []


def test_edifact_of_another_type_arrives_at_ariba_without_a_purpose() -> None:
    (found,) = judged("ariba", {"type_code": "389"}, syntax="edifact")
    assert (found.rule, found.severity) == ("ARIBA-PURPOSE", _F)
    assert judged("ariba", {"type_code": "385"}, syntax="edifact") == []


@pytest.mark.parametrize("name", names())
def test_no_fixture_is_refused_by_ariba(name: str) -> None:
    found = rules.check(invoice(name), ("ariba",), on=ON, today=ON, syntax="cxml")
    assert [one for one in found if one.fatal] == []


@pytest.mark.parametrize("name", [name for name in names() if name.startswith("it-")])
def test_no_italian_fixture_is_rejected_by_sdi(name: str) -> None:
    assert rules.check(invoice(name), ("sdi",), on=ON, today=ON) == []


def test_the_packs_follow_the_document_the_network_and_are_always_joined_by_ours() -> None:
    peppol = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
    ariba = networks.network("ariba").rules
    assert packs_for("cxml", "", ON, ariba) == ("ariba", "einvoice")
    assert packs_for("cxml", "", ON) == ("einvoice",)
    assert packs_for("fatturapa", "", ON) == ("sdi", "einvoice")
    assert packs_for("ubl", peppol, ON) == (*native_packs("ubl", peppol, ON), "einvoice")
    assert all(rules.pack(name) for name in ariba)


def test_what_reads_back_from_cxml_is_judged_the_same() -> None:
    ids = Identity("ariba-1@example.com", datetime(2026, 11, 2, tzinfo=UTC))
    data = formats.get("cxml").write(edited(GOOD, {"lines[0].order": {"id": "4500781234", "line": "10"}}), ids).data
    read = next(formats.read(data))
    found = rules.check(read.invoice, ("ariba",), on=ON, today=ON, syntax=read.format, locate=read.locate)
    assert [one.rule for one in found if one.fatal] == []


def test_a_preset_that_names_no_pack_is_found() -> None:
    preset = networks.network("ariba")
    assert networks.check_network(preset, preset.reviewed_on) == []
    (found,) = networks.check_network(preset.model_copy(update={"rules": ("arriba",)}), preset.reviewed_on)
    assert (found.rule, found.fix[:17]) == ("EINV-NET-03", "choose of ariba, ")


# --- on the command line ----------------------------------------------------------------------------------------------


def saved(folder: Path, **changes: Any) -> Path:
    (file,) = write(folder, readable("X-1", **changes))
    return file


def test_packs_are_named_on_the_command_line_and_nothing_else_is_judged(tmp_path: Path) -> None:
    file = saved(tmp_path, currency="XQX", type_code="384", seller={"name": "Example"})
    ids = [one["rule"] for one in typed("check", "--rules", "ariba", "--json", file).last["findings"]]
    assert {"ARIBA-INV-98", "ARIBA-PURPOSE"} <= set(ids)
    assert not {one for one in ids if one.startswith(("EINV-ID", "EINV-DATE", "EINV-REF", "BR-"))}
    both = [one["rule"] for one in typed("check", "--rules", "einvoice,ariba", "--json", file).last["findings"]]
    assert {"ARIBA-PURPOSE", "BR-CL-04"} <= set(both)
    assert ids.count("ARIBA-PURPOSE") == both.count("ARIBA-PURPOSE") == 1


def test_the_day_of_check_decides_what_is_in_the_future(tmp_path: Path) -> None:
    file = saved(tmp_path)  # issued on 2026-10-14
    before, after = (typed("check", "--on", day, "--json", file).last for day in ("2026-10-13", "2026-10-14"))
    assert "EINV-DATE-02" in [one["rule"] for one in before["findings"]]
    assert "EINV-DATE-02" not in [one["rule"] for one in after["findings"]]
    assert before["valid"] is True


def test_an_unknown_pack_or_official_set_names_the_known_ones(tmp_path: Path) -> None:
    said = typed("check", "--rules", "einvoice,arriba", saved(tmp_path))
    assert said.code == 2
    assert "ariba, einvoice, en16931" in said.err
    golden = FIXTURES / "ubl" / "de-invoice.xml"
    said = typed("check", "--official-sets", "xrechnun", golden)
    assert said.code == 2
    assert "did you mean 'xrechnung'?" in said.err


def test_official_sets_named_on_the_command_line_judge_instead_of_those_it_asks_for(reference: Path) -> None:
    pytest.importorskip("saxonche", reason="the official rules need saxonche: install the extra official")
    golden = FIXTURES / "ubl" / "de-invoice.xml"
    asked = typed("check", "--official", "--json", golden).last["official"]
    named = typed("check", "--official-sets", "en16931:1.3.16", "--json", golden).last["official"]
    assert {one["set"] for one in asked["rules"]} == {"peppol-cen 2026.5", "peppol 2026.5"}
    assert {one["set"] for one in named["rules"]} == {"en16931 1.3.16"}
    assert named["status"] == "valid"
