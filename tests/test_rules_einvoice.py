"""Our own checks: what no published rule says, each with an invoice that breaks it and one that does not."""

from __future__ import annotations

import cProfile
import pstats
import re
import string
import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import content
from einvoice import rules, terms
from einvoice.errors import Finding, Severity
from einvoice.rules import _identifiers
from einvoice.rules._identifiers import Kind, registration_kind, scheme_kind, tax_kind, vat_kind
from einvoice.rules._texts import texts
from tests.breaches import GONE, Edits, edited

ON = date(2026, 11, 2)
OWN = rules.pack("einvoice")
TABLES = tomllib.loads((Path(_identifiers.__file__).parent / "identifiers.toml").read_text("utf-8"))

GOOD: dict[str, Any] = {
    "number": "2026-17", "issue_date": date(2026, 10, 30), "due_date": date(2026, 11, 29), "type_code": "380",
    "currency": "EUR", "specification": "urn:cen.eu:en16931:2017", "buyer_reference": "4500",
    "preceding": [{"id": "2026-3", "issue_date": date(2026, 9, 1)}],
    "period": {"start": date(2026, 10, 1), "end": date(2026, 10, 31)},
    "seller": {
        "name": "Beispiel GmbH", "vat_id": "DE999111008", "legal_id": {"value": "999123456", "scheme": "0060"},
        "identifiers": [{"value": "9990000000012", "scheme": "0088"}, {"value": "as we please"}],
        "endpoint": {"value": "DE999111008", "scheme": "9930"}, "address": {"city": "Bremen", "country": "DE"},
        "accounts": [{"id": "DE12999000010001234567", "scheme": "IBAN", "bic": "INVTDEBB"}],
    },
    "buyer": {
        "name": "Invented Inc.", "address": {"city": "Seattle", "country": "US"},
        "tax_registrations": [{"scheme": "EIN", "id": "99-1234567"}],
    },
    "delivery": {"date": date(2026, 10, 28), "location": {"value": "9990000000012", "scheme": "0088"},
                 "address": {"country": "DE"}},
    "payment": {
        "terms": "30 Tage", "creditor_id": "DE98ZZZ09999999999",
        "discounts": [{"percent": "2", "days": "14"}],
        "instalments": [{"due_date": date(2026, 11, 29), "amount": "119.00"}],
        "means": [
            {"code": "30", "account": {"id": "DE12 9990 0001 0001 2345 67", "bic": "INVTDEBBXXX"}},
            {"code": "48", "card": {"number": "999999******1234"}},
            {"code": "59", "debit": {"mandate": "M-1", "account": "FR9899999000010001234567898"}},
        ],
    },
    "lines": [
        {"id": "1", "quantity": "2", "unit": "C62", "net_amount": "60.00", "price": {"net": "30"},
         "delivery_date": date(2026, 10, 28), "period": {"start": date(2026, 10, 1), "end": date(2026, 10, 2)},
         "item": {"name": "Stuhl", "standard_id": {"value": "4019999900013", "scheme": "0160"}},
         "taxes": [{"category": "S", "rate": "19", "scheme": "VAT"}]},
        {"id": "2", "quantity": "1", "unit": "C62", "net_amount": "40.00", "price": {"net": "40"},
         "item": {"name": "Tisch"}, "taxes": [{"category": "S", "rate": "19", "scheme": "VAT"}]},
    ],
    "tax_breakdown": [{"category": "S", "rate": "19", "scheme": "VAT", "base": "100.00", "amount": "19.00"}],
    "totals": {"lines": "100.00", "net": "100.00", "tax": "19.00", "gross": "119.00", "due": "119.00"},
}  # fmt: skip

#: Rule, what to change in the good invoice, and the term that the finding names.
BREACHES: list[tuple[str, Edits, str]] = [
    ("BR-CL-04", {"currency": "EURO"}, "BT-5"),
    ("EINV-ID-01", {"seller.vat_id": "DE999111009"}, "BT-31"),
    ("EINV-ID-01", {"seller.vat_id": "FR29999888001"}, "BT-31"),
    ("EINV-ID-01", {"buyer.vat_id": "NO987654326MVA"}, "BT-48"),
    ("EINV-ID-01", {"buyer.vat_id": "51824753557", "buyer.address.country": "AU", "buyer.tax_registrations": GONE},
     "BT-48"),
    ("EINV-ID-01", {"tax_representative": {"name": "Bureau", "vat_id": "CHE107787578IVA"}}, "BT-63"),
    ("EINV-ID-02", {"seller.identifiers[0].value": "9990000000013"}, "BT-29"),
    ("EINV-ID-02", {"seller.legal_id.value": "99912345"}, "BT-30"),
    ("EINV-ID-02", {"buyer.legal_id": {"value": "999888002", "scheme": "0002"}}, "BT-47"),
    ("EINV-ID-02", {"payee": {"name": "Factor", "identifiers": [{"value": "987654326", "scheme": "0192"}]}}, "BT-60"),
    ("EINV-ID-02", {"delivery.location.value": "9990000000013"}, "BT-71"),
    ("EINV-ID-03", {"seller.endpoint.value": "DE999111009"}, "BT-34"),
    ("EINV-ID-03", {"buyer.endpoint": {"value": "04011000-1234512345-07", "scheme": "0204"}}, "BT-49"),
    ("EINV-ID-04", {"buyer.tax_registrations[0].id": "07-1234567"}, "EX-1124"),
    ("EINV-ID-04", {"seller.address.country": "IT", "seller.tax_id": "99999000014", "seller.tax_id_scheme": "CF"},
     "BT-32"),
    ("EINV-ID-05", {"lines[0].item.standard_id.value": "4019999900014"}, "BT-157"),
    ("EINV-BANK-01", {"payment.means[0].account.id": "DE13999000010001234567"}, "BT-84"),
    ("EINV-BANK-01", {"payment.means[0].account.id": "DE1299900001000123456"}, "BT-84"),
    ("EINV-BANK-01", {"payment.means[0].code": "58", "payment.means[0].account.id": "0012345678"}, "BT-84"),
    ("EINV-BANK-01", {"payment.means[0].account.id": "0012345678", "payment.means[0].account.scheme": "IBAN"},
     "BT-84"),
    ("EINV-BANK-01", {"payment.means[2].debit.account": "FR9799999000010001234567898"}, "BT-91"),
    ("EINV-BANK-01", {"seller.accounts[0].id": "DE13999000010001234567"}, "EX-1032"),
    ("EINV-BANK-02", {"payment.means[0].account.bic": "INVTDEB"}, "BT-86"),
    ("EINV-BANK-02", {"seller.accounts[0].bic": "INVTD3BB"}, "EX-1035"),
    ("EINV-BANK-03", {"payment.creditor_id": "DE97ZZZ09999999999"}, "BT-90"),
    ("EINV-BANK-04", {"payment.means[1].card.number": "4111 1111 1111 1111"}, "BT-87"),
    ("EINV-DATE-01", {"due_date": date(2026, 10, 29), "payment.discounts": GONE}, "BT-9"),
    ("EINV-DATE-01", {"payment.instalments[0].due_date": date(2025, 11, 29)}, "EX-31"),
    ("EINV-DATE-02", {"issue_date": date(2026, 11, 3)}, "BT-2"),
    ("EINV-DATE-03", {"period.end": date(2026, 9, 30)}, "BT-74"),
    ("EINV-DATE-03", {"lines[0].period.end": date(2026, 9, 30)}, "BT-135"),
    ("EINV-DATE-04", {"delivery.date": date(2027, 10, 28)}, "BT-72"),
    ("EINV-DATE-04", {"lines[0].delivery_date": date(2026, 12, 1)}, "EX-91"),
    ("EINV-DATE-05", {"preceding[0].issue_date": date(2026, 10, 31)}, "BT-26"),
    ("EINV-DATE-06", {"payment.discounts[0].days": "31"}, "EX-36"),
    ("EINV-DATE-06", {"payment.discounts[0].until": date(2026, 11, 30)}, "EX-37"),
    ("EINV-DATE-06", {"due_date": GONE, "payment.net_days": "10"}, "EX-36"),
    ("EINV-LINE-01", {"lines[1].id": "1"}, "BT-126"),
    ("EINV-LINE-02", {"lines[1].price.net": "-40"}, "BT-146"),
    ("EINV-REF-01", {"type_code": "381", "preceding": GONE, "period": GONE}, "BT-25"),
    ("EINV-REF-01", {"type_code": "384", "preceding": GONE, "period": GONE}, "BT-25"),
]  # fmt: skip

#: What looks like a breach and is none.
FINE: list[Edits] = [
    {"payment.means[0].account.id": "0012345678"},  # an account of a country without IBAN
    {"payment.means[0].account": {"id": "1234567", "bic": "062-000"}},  # an Australian bank and branch
    {"buyer.address.country": "AU", "buyer.tax_registrations": [{"scheme": "GST", "id": "51824753556001"}]},
    {"payment.means[1].card.number": "1234"},
    {"seller.identifiers[1].scheme": "0130"},  # a scheme without a rule
    {"seller.vat_id": "EU372000041"},  # one-stop shop: no country
    {"buyer.legal_id": {"value": "HRB 4711", "scheme": "0002"}},  # no SIREN, and no digits to compare
    {"type_code": "381", "preceding": GONE},  # credited for a period
    {"type_code": "386", "delivery.date": date(2027, 10, 28)},  # paid in advance
    {"due_date": date(2026, 10, 30), "payment.discounts": GONE},
    {"due_date": GONE, "payment.discounts[0].days": "1000000000"},
    {"currency": "BGN", "issue_date": date(2025, 6, 1), "period": GONE, "preceding": GONE,
     "delivery": GONE, "lines[0].delivery_date": GONE, "payment.discounts": GONE},  # a currency of its day
]  # fmt: skip


def judged(edits: Edits, *packs: str, syntax: str = "", today: date | None = ON) -> list[Finding]:
    return rules.check(edited(GOOD, edits), packs or ("einvoice",), on=ON, today=today, syntax=syntax)


# --- the rules --------------------------------------------------------------------------------------------------------


def test_the_good_invoice_breaks_no_rule() -> None:
    assert judged({}) == []


@pytest.mark.parametrize(("rule", "edits", "term"), BREACHES)
def test_an_invoice_breaks_one_rule_alone(rule: str, edits: Edits, term: str) -> None:
    findings = judged(edits)
    assert [(one.rule, one.term) for one in findings] == [(rule, term)]
    assert findings[0].severity is (Severity.FATAL if rule == "BR-CL-04" else Severity.WARNING)
    assert term in terms.TERMS


@pytest.mark.parametrize("edits", FINE)
def test_what_is_unusual_but_right_is_left_alone(edits: Edits) -> None:
    assert judged(edits) == []


def test_each_rule_has_an_invoice_that_breaks_it() -> None:
    assert sorted({rule for rule, _, _ in BREACHES}) == sorted(rule.id for rule in OWN.rules)


def test_without_a_day_nothing_is_in_the_future() -> None:
    assert judged({"issue_date": date(2026, 11, 3)}, today=None) == []


def test_a_card_number_is_not_repeated_by_the_finding() -> None:
    (found,) = judged({"payment.means[1].card.number": "4111 1111 1111 1234"})
    assert found.found == "…1234"
    assert "4111" not in str(found)


@pytest.mark.parametrize("language", rules.languages())
@pytest.mark.parametrize("name", ["einvoice", "ariba", "sdi"])
def test_each_rule_has_a_text_in_each_language(name: str, language: str) -> None:
    pack = rules.pack(name)
    english, told = texts("en", pack.texts), texts(language, pack.texts)
    assert {rule.text or rule.id for rule in pack.rules} <= set(told.rules)
    for rule in pack.rules:
        pair = zip(english.rules[rule.text or rule.id], told.rules[rule.text or rule.id], strict=True)
        assert all(_holes(one) == _holes(other) for one, other in pair), rule.id


def _holes(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


# --- beside published rules -------------------------------------------------------------------------------------------

#: Packs, the syntax, a change, and the one id under which it is told.
TOLD_ONCE: list[tuple[tuple[str, ...], Edits, str]] = [
    (("en16931",), {"currency": "EURO"}, "BR-CL-04"),
    (("en16931",), {"lines[1].price.net": "-40"}, "BR-27"),
    (("en16931",), {"period.end": date(2026, 9, 30)}, "BR-29"),
    (("en16931",), {"lines[0].period.end": date(2026, 9, 30)}, "BR-30"),
    (("en16931",), {"payment.means[1].card.number": "4111111111111111"}, "BR-51"),
    (("en16931", "peppol_bis_3"), {"seller.identifiers[0].value": "9990000000013"}, "PEPPOL-COMMON-R040"),
    (("en16931", "peppol_bis_3"),
     {"seller.vat_id": "NO987654326MVA", "seller.address.country": "NO", "seller.endpoint": GONE}, "NO-R-001"),
    (("en16931", "xrechnung"),
     {"payment.means[0].code": "58", "payment.means[0].account.id": "DE13999000010001234567"}, "BR-DE-19"),
    (("ariba",), {"line_level_credit": True, "type_code": "381", "preceding": GONE, "period": GONE},
     "ARIBA-CREDIT-REFERENCE"),
    (("sdi",), {"issue_date": date(2026, 11, 3)}, "SDI-00403"),
    (("sdi",), {"buyer.vat_id": "IT99999000014"}, "SDI-00305"),
]  # fmt: skip


@pytest.mark.parametrize(("packs", "edits", "rule"), TOLD_ONCE)
def test_what_a_published_rule_says_is_not_said_twice(packs: tuple[str, ...], edits: Edits, rule: str) -> None:
    findings = judged(edits, *packs, "einvoice", syntax="ubl")
    (told,) = [one for one in findings if one.rule == rule]  # one, also where the id is in both packs
    assert not [one.rule for one in findings if one.path == told.path and one.rule.startswith("EINV-")]
    assert judged(edits) != []  # and alone ours speaks


def test_two_places_are_told_twice() -> None:
    edits = {"seller.vat_id": "DE999111009", "seller.identifiers[0].value": "9990000000013"}
    ids = {one.rule for one in judged(edits, "en16931", "peppol_bis_3", "einvoice", syntax="ubl")}
    assert {"EINV-ID-01", "PEPPOL-COMMON-R040"} <= ids


# --- the table of identifiers -----------------------------------------------------------------------------------------


def _rows() -> list[tuple[str, Kind]]:
    found = [(f"scheme {key}", scheme_kind(key)) for key in TABLES["scheme"]]
    found += [(f"vat {key}", vat_kind(key)) for key in TABLES["vat"]]
    found += [(f"{country} {key}", registration_kind(country, key))
              for country, rows in TABLES["registration"].items() for key in rows]  # fmt: skip
    return [(name, kind) for name, kind in found if kind is not None]


ROWS = _rows()
#: Numbers whose last digit is none to check: serial numbers, branches, campuses; and forms without check digits.
_SERIAL = {"ca.bn", "nl.btw", "us.ein", "is_.vsk", "sm.coe", "li.peid"}


def test_every_row_of_the_table_is_understood() -> None:
    assert len(ROWS) == sum(map(len, (TABLES["scheme"], TABLES["vat"], *TABLES["registration"].values())))
    assert all(bool(kind.check) != bool(kind.form) for _, kind in ROWS)


@pytest.mark.parametrize(("name", "kind"), ROWS, ids=[name for name, _ in ROWS])
def test_the_example_of_a_kind_passes_and_a_slip_in_it_does_not(name: str, kind: Kind) -> None:
    assert kind.passes(kind.example)
    assert kind.passes(f" {kind.example} ")
    assert not kind.form or not kind.passes(kind.example + "9" * 30)
    if kind.check and not _SERIAL & set(kind.check):
        at = max(at for at, sign in enumerate(kind.example) if sign.isdigit())
        slip = f"{kind.example[:at]}{(int(kind.example[at]) + 1) % 10}{kind.example[at + 1 :]}"
        assert not kind.passes(slip)


@given(st.text(max_size=70))
def test_no_text_makes_a_validator_fail(text: str) -> None:
    for _, kind in ROWS:
        assert kind.passes(text) in (True, False)
    assert tax_kind(text, "US") is None or isinstance(tax_kind(text, "US"), Kind)


@given(st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. ", max_size=35))
def test_no_plain_text_makes_a_validator_fail(text: str) -> None:
    for _, kind in ROWS:
        assert kind.passes(text) in (True, False)


@pytest.mark.parametrize("country", sorted(TABLES["vat"]))
def test_a_tax_identifier_may_bear_its_country(country: str) -> None:
    kind = vat_kind(country)
    assert kind is not None
    core = kind.example.removeprefix(country)
    assert kind.passes(country + core)


def test_schemes_are_of_the_published_lists() -> None:
    from einvoice.codes import codes

    known = codes("identifier_schemes", ON) | codes("endpoint_schemes", ON)
    assert set(TABLES["scheme"]) <= known | {"0217", "9906", "9907", "9955"}  # withdrawn, and still met


# --- cost -------------------------------------------------------------------------------------------------------------


def test_the_validators_are_not_imported_before_an_identifier_is_judged() -> None:
    code = (
        "import sys, einvoice.pipeline, einvoice.rules.einvoice, einvoice.cli; "
        "sys.exit(any(name.startswith('stdnum') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_line_costs_few_calls() -> None:
    def calls(count: int) -> int:
        profile = cProfile.Profile()
        profile.runcall(rules.check, content.invoice(count), ("einvoice",), on=ON, today=ON, syntax="ubl")
        return pstats.Stats(profile).total_calls  # type: ignore[attr-defined,no-any-return]

    calls(1)  # tables and texts are read once
    assert calls(1010) - calls(10) < 15 * 1000


def test_ids_are_ours_and_never_reused() -> None:
    ids = [rule.id for rule in OWN.rules]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"EINV-[A-Z]+-\d\d|BR-CL-04", id_) for id_ in ids)
