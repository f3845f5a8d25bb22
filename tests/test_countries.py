"""Delivery law: what the country files decide on which day, and what can be wrong with a country file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import groupby, pairwise, product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from einvoice.countries import (
    CHECKS,
    HERE,
    Copy,
    Decision,
    Facts,
    Need,
    Override,
    Refusal,
    Signature,
    Wish,
    check_file,
    check_laws,
    decide,
    laws,
    load_country,
    load_overrides,
    strictest,
    unmet,
)
from einvoice.countries.needs import known_term
from einvoice.errors import ConfigError

TODAY = date(2026, 11, 24)
LAWS = laws()
FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
CONSENT = Wish(formats=("pdf-signed",), acceptance="explicit")


def day(text: str) -> date:
    return date.fromisoformat(text)


def facts(seller: str, buyer: str, on: str | date, **more: Any) -> Facts:
    issued = on if isinstance(on, date) else day(on)
    known: dict[str, Any] = {
        "seller_established": True,
        "buyer_established": True,
        "buyer_vat_registered": True,
        "seller_size": "large",
        "seller_turnover": Decimal("50000000"),
        "supply_date": issued,
    }
    return Facts(seller, buyer, issued, **{**known, **more})


def outcome(case: Facts, profile: Wish | None = None, **more: Any) -> Decision | Refusal:
    return decide(case, LAWS, profile=profile, on=more.pop("on", case.issue_date), **more)


def decided(case: Facts, profile: Wish | None = None, **more: Any) -> Decision:
    found = outcome(case, profile, **more)
    assert isinstance(found, Decision), found
    return found


def refused(case: Facts, profile: Wish | None = None, **more: Any) -> Refusal:
    found = outcome(case, profile, **more)
    assert isinstance(found, Refusal), found
    return found


# --- the files we ship ------------------------------------------------------


def test_the_shipped_files_have_no_fault() -> None:
    assert [str(finding) for finding in check_laws(LAWS, TODAY)] == []


def test_rules_with_duties_were_reviewed_within_a_year() -> None:
    found = check_laws(LAWS, datetime.now(UTC).date())
    assert [str(finding) for finding in found if finding.rule == "EINV-LAW-13"] == []


def test_every_rule_cites_a_source_and_every_need_is_a_term() -> None:
    for file in (*LAWS.countries.values(), *LAWS.blocs):
        for rule in file.rule:
            assert file.cite(rule.sources)
            assert all(known_term(id_) for need in rule.required for id_ in need.any_of)


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("luhn", "999888001", "999888002"),
        ("iso7064_mod11_10", "DE999111008", "DE999111009"),
        ("iso7064_mod97_10", "991-99999-78", "991-99999-79"),
        ("fr_vat", "FR28999888001", "FR29999888001"),
        ("gs1", "9990000000005", "9990000000006"),
    ],
)
def test_check_digits_tell_right_from_wrong(name: str, right: str, wrong: str) -> None:
    assert CHECKS[name](right)
    assert not CHECKS[name](wrong)
    assert not CHECKS[name]("")


# --- decisions --------------------------------------------------------------

EDI = Wish(formats=("edifact",), acceptance="explicit", agreements=("edi",))
CXML = Wish(formats=("cxml",), channels=("https:ariba",))
WISHES = {
    "pdf, consent": CONSENT,
    "pdf": replace(CONSENT, acceptance=""),
    "plain, consent": replace(CONSENT, formats=("pdf",)),
    "edi, agreement": EDI,
    "edi": replace(EDI, acceptance="", agreements=()),
    "cxml": Wish(formats=("cxml",)),
    "cxml by ariba": CXML,
}
MORE: dict[str, dict[str, Any]] = {
    "": {},
    "supplied 2026": {"supply_date": day("2026-12-20")},
    "800 000": {"seller_turnover": Decimal(800000)},
    "800 000.01": {"seller_turnover": Decimal("800000.01")},
    "gross 250": {"amount": Decimal("250.00"), "currency": "EUR"},
    "gross 250.01": {"amount": Decimal("250.01"), "currency": "EUR"},
    "net 1000": {"net": Decimal("1000.00"), "currency": "EUR"},
    "ticket": {"exemptions": frozenset({"ticket"})},
    "not established": {"seller_established": False},
    "sme": {"seller_size": "sme"},
}
CASES = """
DE DE B2B 2024-06-01 |                 | pdf, consent   | pdf-signed email de-b2b-before-2025 original
DE DE B2B 2026-12-20 |                 | pdf, consent   | pdf-signed email de-b2b-transition-2026 original
DE DE B2B 2026-12-20 |                 | pdf            | xrechnung-3.0/ubl email de-b2b-einvoice courtesy
DE DE B2B 2027-01-05 | supplied 2026   | pdf, consent   | xrechnung-3.0/ubl email de-b2b-einvoice courtesy
DE DE B2B 2027-01-05 | 800 000         | pdf, consent   | pdf-signed email de-b2b-transition-2027-small original
DE DE B2B 2027-01-05 | 800 000.01      | pdf, consent   | xrechnung-3.0/ubl email de-b2b-einvoice courtesy
DE DE B2B 2027-06-01 |                 | edi, agreement | edifact-d96a/invoic as2 de-b2b-einvoice courtesy
DE DE B2B 2027-06-01 |                 | edi            | xrechnung-3.0/ubl email de-b2b-einvoice courtesy
DE DE B2B 2028-01-01 |                 | edi, agreement | edifact-d96a/invoic as2 de-b2b-einvoice courtesy
DE DE B2B 2028-06-01 | gross 250       | pdf, consent   | pdf-signed email de-b2b-free original
DE DE B2B 2028-06-01 | gross 250.01    | pdf, consent   | xrechnung-3.0/ubl email de-b2b-einvoice courtesy
DE DE B2B 2028-06-01 | ticket          | pdf, consent   | pdf-signed email de-b2b-free original
DE DE B2B 2028-06-01 | not established | pdf, consent   | pdf-signed email de-b2b-free original
DE DE B2G 2026-11-23 |                 | pdf, consent   | xrechnung-3.0/ubl peppol-as4 de-b2g-bund invalid
DE DE B2G 2026-11-23 | net 1000        | pdf, consent   | pdf-signed email de-b2g-free original
DE DE B2C 2026-11-23 |                 | plain, consent | pdf email de-b2c original
DE US B2B 2026-11-23 |                 | edi, agreement | edifact-d96a/invoic as2 de-b2b-cross-border original
FR FR B2B 2026-08-31 |                 | pdf, consent   | pdf-signed email fr-b2b-voluntary original
FR FR B2B 2026-09-01 |                 | pdf, consent   | factur-x-1.09/en16931 pa:partner-api fr-b2b-large courtesy
FR FR B2B 2026-09-01 | sme             | pdf, consent   | pdf-signed email fr-b2b-voluntary original
FR FR B2B 2027-08-31 | sme             | pdf, consent   | pdf-signed email fr-b2b-voluntary original
FR FR B2B 2027-09-01 | sme             | pdf, consent   | factur-x-1.09/en16931 pa:partner-api fr-b2b-all courtesy
FR DE B2B 2026-11-23 |                 | pdf, consent   | pdf-signed email fr-b2b-cross-border original
FR DE B2B 2030-07-01 |                 | pdf, consent   | peppol-bis-3 peppol-as4 eu-vida-intra-union courtesy
FR US B2B 2030-07-01 |                 | pdf, consent   | pdf-signed email eu-export-after-vida original
FR FR B2G 2026-11-23 |                 | pdf, consent   | factur-x-1.09/en16931 chorus-pro:api fr-b2g courtesy
US US B2B 2026-11-23 |                 | cxml           | cxml-1.2/InvoiceDetailRequest https:ariba us-b2b original
US DE B2B 2026-11-23 |                 | cxml by ariba  | cxml-1.2/InvoiceDetailRequest https:ariba us-b2b original
US US B2G 2026-11-23 |                 | cxml by ariba  | ipp-xml ipp us-b2g-federal courtesy
US US B2C 2026-11-23 |                 | plain, consent | pdf email us-b2c original
"""


@pytest.mark.parametrize("row", CASES.strip().splitlines())
def test_the_law_of_the_day_decides(row: str) -> None:
    who, more, wish, expected = (part.strip() for part in row.split("|"))
    seller, buyer, segment, on = who.split()
    found = decided(facts(seller, buyer, on, buyer_kind=segment, **MORE[more]), WISHES[wish])
    assert f"{found.format_id} {found.channel} {found.rule_ids[0]} {found.pdf}" == expected


@pytest.mark.parametrize(
    ("seller", "last", "more"),
    [
        ("DE", "2026-12-31", {}),
        ("DE", "2027-12-31", {"seller_turnover": Decimal(800000)}),
        ("FR", "2026-08-31", {}),
        ("FR", "2026-08-31", {"seller_size": "mid"}),
        ("FR", "2027-08-31", {"seller_size": "sme"}),
        ("FR", "2027-08-31", {"seller_size": "micro"}),
    ],
)
def test_a_pdf_stops_being_the_invoice_on_exactly_the_statutory_day(
    seller: str, last: str, more: dict[str, Any]
) -> None:
    eve = day(last)
    before = decided(facts(seller, seller, eve, **more), CONSENT)
    after = decided(facts(seller, seller, eve + timedelta(days=1), **more), CONSENT)
    assert (before.format_id, before.pdf) == ("pdf-signed", "original")
    assert (after.family in ("xrechnung", "factur-x"), after.pdf) == (True, "courtesy")


def test_a_document_that_waits_past_midnight_falls_under_the_new_law() -> None:
    case = facts("DE", "DE", "2026-12-31")
    assert decided(case, CONSENT, on=day("2026-12-31")).format_id == "pdf-signed"
    assert decided(case, CONSENT, on=day("2027-01-01")).format_id == "xrechnung-3.0/ubl"


def test_german_edi_relief_covers_supplies_of_2026_sent_in_2027() -> None:
    wish = replace(EDI, formats=("cxml",))
    found = decided(facts("DE", "DE", "2027-01-10", supply_date=day("2026-12-20")), wish)
    assert found.family == "cxml"
    assert "de-b2b-transition-edi" in found.rule_ids


def sweep() -> Iterator[tuple[tuple[Any, ...], Facts]]:
    """One series of facts per combination of what rules ask for."""
    axes = product(
        ("DE", "FR", "US"),
        ("DE", "FR", "US", "MT"),
        ("B2B", "B2G", "B2C"),
        ((True, "large", "50000000"), (True, "sme", "500000"), (False, "sme", "500000"), (None, None, None)),
    )
    for seller, buyer, segment, (here, size, turnover) in axes:
        more = {
            "buyer_kind": segment,
            "seller_established": here,
            "buyer_established": here,
            "seller_size": size,
            "seller_turnover": Decimal(turnover) if turnover else None,
        }
        yield (seller, buyer, segment, here, size), facts(seller, buyer, day("2019-01-01"), **more)


SWEEP = list(sweep())
#: Every day on which any rule begins or ends, with the days beside it, and two days a year between.
EDGES = sorted(
    {
        edge + timedelta(days=step)
        for file in (*LAWS.countries.values(), *LAWS.blocs)
        for rule in file.rule
        for edge in rule.edges()
        for step in (-1, 0, 1)
    }
    | {date(year, month, 15) for year in range(2019, 2032) for month in (3, 8)}
)


@pytest.mark.parametrize("wish", [CONSENT, Wish(), EDI], ids=["pdf", "nothing", "edi"])
def test_on_every_day_every_case_has_one_decision_or_a_named_refusal(wish: Wish) -> None:
    for _, case in SWEEP:
        for on in EDGES:
            found = outcome(replace(case, issue_date=on, supply_date=on), wish)
            if isinstance(found, Decision):
                assert found.rule_ids
                assert found.sources
                assert found.reviewed_on
                assert found.channel
            else:
                assert found.reason
                assert found.fix


def test_decisions_change_on_statutory_days_only() -> None:
    """Day by day over the years in which Germany and France change."""
    days = [day("2024-12-01") + timedelta(days=step) for step in range(1200)]
    changes: dict[str, list[str]] = {}
    for seller, (size, turnover) in product(("DE", "FR"), (("large", "9000000"), ("sme", "500000"))):
        case = facts(seller, seller, days[0], seller_size=size, seller_turnover=Decimal(turnover))
        series = [(on, decided(replace(case, issue_date=on, supply_date=on), CONSENT).format_id) for on in days]
        runs = [(next(group)[0], key) for key, group in groupby(series, key=lambda pair: pair[1])]
        changes[f"{seller} {size}"] = [str(on) for on, _ in runs[1:]]
    assert changes == {
        "DE large": ["2027-01-01"],
        "DE sme": ["2028-01-01"],
        "FR large": ["2026-09-01"],
        "FR sme": ["2027-09-01"],
    }


FORMATS = st.lists(st.sampled_from([*LAWS.formats, "cxml", "ubl", "xrechnung", "nonsense"]), max_size=4).map(tuple)
CHANNELS = st.lists(st.sampled_from(["email", "https", "https:ariba", "as2", "post", "pigeon"]), max_size=3).map(tuple)
SIGNATURES = st.builds(
    Signature,
    need=st.sampled_from(["none", "optional", "required"]),
    level=st.sampled_from([None, "advanced", "qualified"]),
)
WISHED = st.builds(
    Wish,
    formats=FORMATS,
    channels=CHANNELS,
    signature=SIGNATURES,
    acceptance=st.sampled_from(["", "tacit", "explicit"]),
    agreements=st.sampled_from([(), ("edi",), ("network",)]),
)


@given(st.sampled_from([case for _, case in SWEEP]), WISHED, WISHED, st.sampled_from(EDGES))
def test_no_wish_ever_widens_the_law(case: Facts, house: Wish, profile: Wish, on: date) -> None:
    found = outcome(replace(case, issue_date=on, supply_date=on), profile, house=house)
    if isinstance(found, Refusal):
        return
    rules = {rule.id: rule for file in LAWS.files(case.seller_country) for rule in file.rule}
    rule = rules[found.rule_ids[0]]
    assert found.format_id in (*rule.formats, *(rule.agreed_formats if profile.agreements or house.agreements else ()))
    assert any(found.channel == channel or found.channel.startswith(f"{channel}:") for channel in rule.channels)
    assert found.channel.partition(":")[0] in LAWS.carry[found.family]
    assert strictest(rule.signature, found.signature) == found.signature
    wanted = {need for need in rule.required if need.concerns(case.kind, found.family)}
    assert wanted <= {demand.need for demand in found.required}
    assert found.pdf == rule.pdf


# --- what a decision records ------------------------------------------------


def test_the_record_names_rules_sources_and_their_confidence() -> None:
    found = decided(facts("DE", "DE", TODAY), CONSENT)
    assert found.rule_ids[0] == "de-b2b-transition-2026"
    assert "de-b2b-einvoice" in found.rule_ids
    assert {(row.id, row.confidence) for row in found.sources} >= {("ustg", "primary"), ("ustdv", "unverified")}
    assert found.reviewed_on == date(2026, 11, 23)


def test_the_record_is_json_and_a_refusal_too() -> None:
    for case in (facts("DE", "DE", TODAY), facts("JP", "DE", TODAY)):
        found = outcome(case, CONSENT)
        told = json.loads(json.dumps(found.as_dict()))
        assert told["decided"] is isinstance(found, Decision)
        assert found.lines()


def test_a_wish_the_law_does_not_allow_is_dropped_with_the_rule() -> None:
    found = decided(facts("FR", "FR", TODAY), CXML)
    dropped = {(item.what, item.rule) for item in found.dropped}
    assert ("cxml", "fr-b2b-large") in dropped
    assert ("https:ariba", "fr-b2b-large") in dropped


def test_missing_consent_is_the_reason_a_format_is_dropped() -> None:
    found = decided(facts("DE", "DE", TODAY), Wish(formats=("pdf-signed",)))
    (reason,) = {item.reason for item in found.dropped if item.what == "pdf-signed"}
    assert "consent" in reason


def test_pdf_does_not_mean_pdf_signed() -> None:
    assert decided(facts("DE", "DE", TODAY), replace(CONSENT, formats=("pdf",))).format_id == "pdf"


def test_profile_wishes_come_before_the_house_and_the_house_before_the_rule() -> None:
    case = facts("US", "US", TODAY)
    house = Wish(formats=("rosettanet", "cxml"))
    assert decided(case).format_id == "x12-810/004010"
    assert decided(case, house=house).format_id == "rosettanet-3c3"
    assert decided(case, Wish(formats=("pdf", "cxml")), house=house).format_id == "pdf"


def test_needs_of_law_house_and_profile_come_together_for_the_kind_and_format() -> None:
    house = Wish(required=(Need(any_of=("EX-1400",)),))
    profile = replace(CXML, required=(Need(any_of=("BT-25",), kinds=("credit_note",)),))
    terms = {one.need.any_of for one in decided(facts("US", "US", TODAY), profile, house=house).required}
    assert terms == {("EX-1400",)}
    credit = decided(facts("US", "US", TODAY, kind="credit_note"), profile, house=house)
    assert {one.need.any_of for one in credit.required} == {("EX-1400",), ("BT-25",)}
    x12 = decided(facts("US", "US", TODAY), Wish(formats=("x12",)))
    assert [one.need.max_length for one in x12.required] == [22]


def test_a_need_names_who_wants_it_and_the_law_comes_first() -> None:
    number, remit, credit = (Need(any_of=(id_,)) for id_ in ("BT-1", "EX-1400", "BT-10"))
    law = Need(any_of=("BT-1",), families=("x12",), max_length=22)
    house = Wish(name="example-us", required=(remit, law))
    profile = Wish(name="larkfield", formats=("x12",), required=(number, credit))
    decision = decided(facts("US", "US", TODAY), profile, house=house)
    assert [(one.need, one.by) for one in decision.required] == [
        (law, "us-b2b"), (remit, "house policy example-us"), (number, "profile larkfield"),
        (credit, "profile larkfield"),
    ]  # fmt: skip
    recorded = decision.as_dict()["required"]
    assert recorded[1] == {"any_of": ["EX-1400"], "by": "house policy example-us"}  # type: ignore[index]


@pytest.mark.parametrize(
    ("law", "wish", "agreements", "result"),
    [
        (Signature(need="required", level="qualified"), Signature(need="none"), (), ("required", "qualified")),
        (Signature(need="optional"), Signature(need="required", level="qualified"), (), ("required", "qualified")),
        (Signature(need="none"), Signature(), (), ("none", None)),
        (Signature(need="required", level="qualified", waived_by=("edi",)), Signature(), ("edi",), ("none", None)),
    ],
)
def test_the_strictest_signature_wins(
    law: Signature, wish: Signature, agreements: tuple[str, ...], result: Any
) -> None:
    found = strictest(law, Signature(), wish, agreements=agreements)
    assert (found.need, found.level) == result


def test_a_copy_may_be_a_pdf_unless_the_law_forbids_one() -> None:
    wish = Wish(copies=(Copy("pdf-signed", "email", "ap@example.test"),))
    assert decided(facts("DE", "DE", TODAY), wish).copies == wish.copies
    bund = decided(facts("DE", "DE", TODAY, buyer_kind="B2G"), wish)
    assert bund.copies == ()
    assert [item.reason for item in bund.dropped if item.what == "copy pdf-signed"]


def test_reporting_runs_beside_the_delivery_from_its_day() -> None:
    abroad = facts("FR", "DE", "2026-08-31")
    assert decided(abroad, CONSENT).reporting == ()
    assert decided(replace(abroad, issue_date=day("2026-09-01")), CONSENT).reporting == ("flux10",)


def test_what_is_not_known_binds_where_it_is_a_duty_and_does_not_ease() -> None:
    unknown = facts("FR", "FR", TODAY, seller_size=None)
    found = decided(unknown, CONSENT)
    assert found.rule_ids[0] == "fr-b2b-large"
    assert any("seller_size not known" in text for text in found.assumptions)
    small = facts("DE", "DE", "2027-06-01", seller_turnover=None)
    assert decided(small, CONSENT).format_id == "xrechnung-3.0/ubl"


def test_an_amount_in_another_currency_is_no_small_amount() -> None:
    case = facts("DE", "DE", "2028-06-01", amount=Decimal("100.00"), currency="JPY")
    assert decided(case, CONSENT).rule_ids[0] == "de-b2b-einvoice"


def test_an_unstated_day_of_supply_is_an_assumption() -> None:
    found = decided(facts("DE", "DE", TODAY, supply_date=None), CONSENT)
    assert any("day of supply" in text for text in found.assumptions)


@pytest.mark.parametrize(
    ("case", "told"),
    [
        (facts("JP", "JP", TODAY), "no country file for JP"),
        (facts("", "DE", TODAY), "a seller without a country"),
        (facts("DE", "", TODAY), "buyer's country is not known"),
    ],
)
def test_a_refusal_names_the_gap(case: Facts, told: str) -> None:
    found = refused(case, CXML)
    assert told in found.reason
    assert found.fix


def test_a_day_without_a_rule_is_refused_with_the_day() -> None:
    bare = replace(LAWS, blocs=())
    found = decide(facts("DE", "FR", "2030-07-01"), bare, profile=CONSENT, on=day("2030-07-01"))
    assert isinstance(found, Refusal)
    assert found.reason == "no rule covers DE B2B cross-border on 2030-07-01 (supply 2030-07-01)."


def test_rules_whose_every_format_falls_away_are_refused_with_each_reason() -> None:
    german = LAWS.countries["DE"]
    rules = [rule.model_copy(update={"formats": ("pdf",)}) for rule in german.rule if rule.id == "de-b2c"]
    only = replace(LAWS, countries={"DE": german.model_copy(update={"rule": tuple(rules)})}, blocs=())
    found = decide(facts("DE", "DE", TODAY, buyer_kind="B2C"), only, on=TODAY)
    assert isinstance(found, Refusal)
    assert "no format that de-b2c allows can be used" in found.reason
    assert [(item.what, "consent" in item.reason) for item in found.dropped] == [("pdf", True)]


# --- needs ------------------------------------------------------------------


def values(**stated: str) -> Any:
    return lambda id_: [stated[key] for key in (id_.replace("-", "_"),) if key in stated]


@pytest.mark.parametrize(
    ("need", "stated", "met"),
    [
        ({"any_of": ["BT-13"]}, {"BT_13": "4500001"}, True),
        ({"any_of": ["BT-13", "BT-12"]}, {"BT_12": "C1"}, True),
        ({"any_of": ["BT-13"]}, {}, False),
        ({"any_of": ["BT-13"]}, {"BT_13": ""}, False),
        ({"any_of": ["BT-1"], "max_length": 3}, {"BT_1": "1234"}, False),
        ({"any_of": ["BT-1"], "pattern": "[0-9]+"}, {"BT_1": "12a"}, False),
        ({"any_of": ["BT-21"], "values": ["PMT"]}, {"BT_21": "AAI"}, False),
        ({"any_of": ["BT-6"], "values": ["EUR"], "unless": {"term": "BT-5", "values": ["EUR"]}}, {"BT_5": "EUR"}, True),
        (
            {"any_of": ["BT-6"], "values": ["EUR"], "unless": {"term": "BT-5", "values": ["EUR"]}},
            {"BT_5": "USD"},
            False,
        ),
        ({"any_of": ["BT-13"], "pattern": "45.*", "if_stated": "BT-13"}, {}, True),
        ({"any_of": ["BT-25"], "kinds": ["credit_note"]}, {}, True),
    ],
)
def test_needs_are_met_or_told(need: dict[str, Any], stated: dict[str, str], met: bool) -> None:
    found = unmet([Need.model_validate(need)], values(**stated), "invoice")
    assert (found == []) is met
    assert all(finding.term and finding.fix for finding in found)


@pytest.mark.parametrize("bad", ["BT-999", "seller.name", "BG-99", ""])
def test_a_need_names_terms_of_the_register_only(bad: str) -> None:
    with pytest.raises(ValueError, match="not a term of the register"):
        Need(any_of=(bad,))


# --- overrides --------------------------------------------------------------

OVERRIDES = load_overrides(FIXTURES / "house" / "law-override.toml")


@pytest.mark.parametrize("seller", ["US", "DE", "FR", "JP", ""])
@pytest.mark.parametrize("segment", ["B2B", "B2G", "B2C"])
def test_the_named_test_override_sends_everything_as_cxml(seller: str, segment: Any) -> None:
    found = decided(facts(seller, "NO", TODAY, buyer_kind=segment), CXML, overrides=OVERRIDES)
    assert (found.format, found.channel, found.override) == ("cxml", "https:ariba", "test-everything-as-cxml")
    assert found.lines()[0].startswith("LAW OVERRIDDEN by test-everything-as-cxml")
    assert found.dropped[0].reason, "the record says what the law would have chosen"


def test_no_override_reaches_the_other_environment() -> None:
    found = decided(facts("DE", "DE", TODAY, environment="production"), CXML, overrides=OVERRIDES)
    assert found.override == ""
    assert found.format_id == "xrechnung-3.0/ubl"


def override(**more: Any) -> dict[str, Any]:
    base = {
        "id": "x",
        "reason": "a reason long enough",
        "approved_by": "someone",
        "environment": "production",
        "from": TODAY,
        "until": TODAY + timedelta(days=10),
        "seller_countries": ["DE"],
        "formats": ["cxml"],
        "channels": ["https"],
    }
    return {**base, **more}


def test_an_override_ends() -> None:
    case = facts("DE", "DE", TODAY + timedelta(days=11), environment="production")
    found = decided(case, CXML, overrides=[Override.model_validate(override())])
    assert found.override == ""
    assert [item.what for item in found.dropped if "in force only" in item.reason] == ["override x"]


def test_two_overrides_for_one_document_are_refused() -> None:
    two = [Override.model_validate(override(id=id_)) for id_ in ("x", "y")]
    found = refused(facts("DE", "DE", TODAY, environment="production"), CXML, overrides=two)
    assert "2 overrides" in found.reason


@pytest.mark.parametrize(
    "more",
    [
        {"reason": "short"},
        {"seller_countries": []},
        {"until": TODAY + timedelta(days=400)},
        {"until": TODAY - timedelta(days=1)},
        {"approved_by": ""},
    ],
)
def test_an_override_in_production_needs_reason_name_countries_and_an_end_within_a_year(more: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Override.model_validate(override(**more))


# --- the checker ------------------------------------------------------------

GERMANY = (HERE / "de.toml").read_text("utf-8")
BUND = 'channels   = ["peppol-as4", "portal:OZG-RE", "email:OZG-RE"]'
FREE = 'id         = "de-b2g-free"\nsegment    = "B2G"\nscope      = "any"\nobligation = "permitted"'


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ('sources    = ["erechv"]', 'sources    = ["nowhere"]', "EINV-LAW-03"),
        ("until      = 2024-12-31", "until      = 2024-12-31\nfrom       = 2025-06-01", "EINV-LAW-05"),
        ('from       = 2025-01-01\nobligation = "m', 'status     = "scheduled"\nobligation = "m', "EINV-LAW-06"),
        ('id         = "de-b2c"', 'id         = "de-b2g-free"', "EINV-LAW-07"),
        (BUND, 'channels   = ["peppol-as4", "pigeon:OZG-RE"]', "EINV-LAW-08"),
        ('"zugferd-2/xrechnung"', '"zugferd-9/xrechnung"', "EINV-LAW-09"),
        (BUND, 'channels   = ["post"]', "EINV-LAW-10"),
        (FREE, FREE.replace("permitted", "mandatory").replace("any", "domestic"), "EINV-LAW-12"),
        ("reviewed_on  = 2026-11-23", "reviewed_on  = 2025-11-23", "EINV-LAW-13"),
        ("reviewed_on  = 2026-11-23", "reviewed_on  = 2026-05-01", "EINV-LAW-14"),
        ("from = 2021-01-01 },", "from = 2020-12-01 },", "EINV-LAW-15"),
        ("from = 2021-01-01 },", "from = 2021-02-01 },", "EINV-LAW-16"),
        ("until      = 2030-06-30", "until      = 2030-05-31", "EINV-LAW-17"),
    ],
)
def test_the_checker_finds_each_fault(old: str, new: str, rule: str, tmp_path: Path) -> None:
    assert old in GERMANY
    path = tmp_path / "de.toml"
    path.write_text(GERMANY.replace(old, new, 1), "utf-8")
    found = {finding.rule for finding in check_file(load_country(path), LAWS, TODAY)}
    assert rule in found


def test_laws_that_name_what_no_table_knows_do_not_load(tmp_path: Path) -> None:
    for path in HERE.glob("*.toml"):
        (tmp_path / path.name).write_text(
            path.read_text("utf-8").replace('"zugferd-2/xrechnung"]', '"zugferd-9"]'), "utf-8"
        )
    with pytest.raises(ConfigError, match="knows no format zugferd-9"):
        laws(tmp_path)


def test_a_forgotten_end_is_found_on_its_day() -> None:
    """Without the Union's rules Germany has no cross-border rule from 2030-07-01."""
    bare = replace(LAWS, blocs=())
    told = [str(finding) for finding in check_file(LAWS.countries["DE"], bare, TODAY)]
    assert any("B2B to a third country" in text and "2030-07-01" in text for text in told)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('segment    = "B2G"', 'segment    = "B2X"', "'B2B', 'B2G' or 'B2C'"),
        ('percent = "19"', "percent = 19.5", 'write "19.5" in quotes'),
        ("when       = { agreement", "when       = { agrement", "did you mean agreement?"),
        ('acceptance = "none"', 'acceptence = "none"', "did you mean acceptance?"),
        ('"BT-41"', '"BT-4100"', "not a term of the register"),
        ('check = "iso7064_mod97_10"', 'check = "mod97"', "no such check"),
    ],
)
def test_a_word_outside_the_vocabulary_does_not_load(old: str, new: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "de.toml"
    path.write_text(GERMANY.replace(old, new, 1), "utf-8")
    with pytest.raises(ConfigError) as caught:
        load_country(path)
    assert told in str(caught.value)
    assert "de.toml:" in caught.value.findings[0].place


def test_a_rule_inherits_one_level_and_neither_dates_nor_conditions() -> None:
    rules = {rule.id: rule for rule in LAWS.countries["FR"].rule}
    large, everyone = rules["fr-b2b-large"], rules["fr-b2b-all"]
    assert everyone.formats == large.formats
    assert everyone.required == large.required
    assert everyone.from_ == day("2027-09-01")
    assert everyone.when.seller_size is None
    assert everyone.status == "scheduled"


def test_a_rule_that_inherits_from_nowhere_does_not_load(tmp_path: Path) -> None:
    text = (HERE / "fr.toml").read_text("utf-8").replace('inherits   = "fr-b2b-large"', 'inherits   = "fr-b2b-nobody"')
    (tmp_path / "fr.toml").write_text(text, "utf-8")
    with pytest.raises(ConfigError, match="not a rule of this file"):
        load_country(tmp_path / "fr.toml")


def test_german_rates_follow_one_another_without_a_gap() -> None:
    rows = sorted(
        (row for row in LAWS.countries["DE"].tax if row.rate == "standard"), key=lambda row: row.from_ or date.min
    )
    assert [row.percent for row in rows] == ["19", "16", "19"]
    for one, two in pairwise(rows):
        assert one.until is not None
        assert two.from_ == one.until + timedelta(days=1)
