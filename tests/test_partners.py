"""Profiles and house policies: what loads, what is refused, which document goes where, and what the law makes of it."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from einvoice import networks
from einvoice.config import read
from einvoice.countries import CHECKS, Decision, Facts, Refusal, Wish, decide, laws, load_overrides, unmet
from einvoice.errors import ConfigError, Finding
from einvoice.networks import check_network, load_network
from einvoice.partners import (
    Book,
    Entry,
    NotRouted,
    Profile,
    Routed,
    lint,
    load_house,
    load_houses,
    load_profile,
    load_profiles,
    overlaps,
    preview,
    profile_schema,
    profile_schema_text,
    rounding_of,
    route,
    sellers_of,
    unable,
    wish_of,
)
from einvoice.partners.profile import LATER
from tests import home as homes

ROOT = Path(__file__).resolve().parent.parent
TODAY = date(2026, 11, 24)
LAWS = laws()
HOUSES = load_houses(ROOT / "fixtures" / "house")
OVERRIDES = load_overrides(ROOT / "fixtures" / "house" / "law-override.toml")
FILES = {path.name.partition(".")[0]: path for path in sorted((ROOT / "fixtures" / "profiles").glob("*.toml"))}
US, DE, FR = (FILES[f"larkfield-{code}-test"].read_text("utf-8") for code in ("us", "de", "fr"))
EVERY = FILES["everything-test"].read_text("utf-8")
HTTPS = US[US.index("profile_url") :]
AGREEMENT = DE[DE.index("[agreement]") :]
OWN, PARTNER = "AN01000000001-T", "AN02000000002-T"
TO_FOLDER = (HTTPS, 'kind = "folder"\noutbox = "/tmp/out"\n')
FROM_FOLDER = ("[routing]\n", '[acks]\nsource = ["folder"]\n[routing]\n')
PARTNERS = f'partner = [{{ scheme = "NetworkID", value = "{PARTNER}" }}]'
PRODUCTION = ('environment   = "test"', 'environment   = "production"')


def profile(text: str = US, *changes: tuple[str, str]) -> Profile:
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return load_profile(text, "p.toml")


def refused(text: str, *changes: tuple[str, str]) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        profile(text, *changes)
    return caught.value


def linted(of: Profile, **more: Any) -> list[Finding]:
    return lint(of, LAWS, more.pop("houses", HOUSES), on=more.pop("on", TODAY), **more)


def rules(found: list[Finding]) -> set[str]:
    return {finding.rule for finding in found}


def document(**more: Any) -> Facts:
    base: dict[str, Any] = {
        "seller_country": "US",
        "buyer_country": "US",
        "issue_date": TODAY,
        "supply_date": TODAY,
        "currency": "USD",
        "seller_network_ids": (("NetworkID", "AN01000000001-T"),),
        "buyer_network_ids": (("NetworkID", "AN02000000002-T"),),
        "buyer_name": "Larkfield Motors LLC",
    }
    return Facts(**{**base, **more})


ALL = [Entry(load_profile(path)) for path in FILES.values()]
NAMED = [entry for entry in ALL if not entry.profile.routing.catch_all]

# --- loading ----------------------------------------------------------------


@pytest.mark.parametrize("path", FILES.values(), ids=FILES)
def test_the_profiles_we_ship_load(path: Path) -> None:
    loaded = load_profile(path)
    assert loaded.id == path.name.partition(".")[0]


def test_the_preset_lies_under_the_profile_and_the_profile_wins() -> None:
    table = profile(US, ("[transport]\n", '[transport]\nread_timeout = "90s"\n')).transport.model_dump()
    assert table["read_timeout"] == "90s"
    assert table["connect_timeout"] == "10s"
    assert table["kind"] == "https"


def test_credentials_of_format_and_transport_come_from_the_identifiers() -> None:
    loaded = profile()
    credential = {"domain": "NetworkID", "identity": "AN01000000001-T"}
    assert loaded.transport.model_dump()["own"] == credential
    assert loaded.format.model_dump()["from_"] == (credential,)
    assert loaded.format.model_dump()["sender"] == credential


def test_a_sender_of_its_own_is_used_where_one_is_named() -> None:
    loaded = profile(US, ("[identifiers]\n", '[identifiers]\nsender = [{ scheme = "NetworkID", value = "AN09-T" }]\n'))
    assert loaded.transport.model_dump()["sender"]["identity"] == "AN09-T"


def test_another_transport_takes_nothing_from_the_presets_own() -> None:
    assert profile(US, TO_FOLDER).transport.kind == "folder"


def test_every_problem_of_a_profile_is_told_at_once() -> None:
    error = refused(
        US,
        ('network       = "ariba"', 'network       = "arriba"'),
        ('country       = "US"', 'country       = "USA"'),
        ("po_required = true", "po_requird = true"),
        ("[transport]\n", '[format]\nkind = "cxm"\n[transport]\nkind = "carrier-pigeon"\n'),
        ('"env:EINVOICE_ARIBA_SECRET"', '"hunter2hunter2"'),
    )
    told = {finding.place.split(":")[2]: finding for finding in error.findings}
    assert {"profile.network", "customer.country", "content_rules.po_requird", "transport.kind"} <= told.keys()
    assert "ariba" in told["profile.network"].fix
    assert "https" in told["transport.kind"].fix
    assert "did you mean po_required?" in told["content_rules.po_requird"].fix
    assert "hunter2" not in str(error)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("network       =", 'status = "live"\nnetwork       ='), "the ledger keeps the state"),
        (("[transport]\n", '[transport]\nas2 = { url = "x" }\n'), "no as2 channel in this version"),
        (("[routing]\n", "[routing]\npriority = 1\n"), "exactly one profile fits"),
        (("[content_rules]\n", "[content_rules]\nbatching = 1\n"), "no such key"),
        (("[routing]\n", '[retry]\nquiet_hours = "22-06"\n[routing]\n'), "sending windows"),
        (("[routing]\n", '[acks]\nexpected = ["mdn"]\n[routing]\n'), "'response', 'functional' or 'status'"),
        (("[routing]\n", '[acks]\noverdue = "resend"\n[routing]\n'), "'alert'"),
    ],
)  # fmt: skip
def test_what_this_version_cannot_honour_is_refused_by_name(change: tuple[str, str], told: str) -> None:
    assert told in str(refused(US, change))


def test_every_key_that_comes_later_is_unknown_today() -> None:
    for later in LATER:
        table, key = later.split(".")
        assert key not in getattr(Profile.model_fields[table].annotation, "model_fields", {})


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (('environment   = "test"', 'environment   = "production"'), "for environment test only"),
        (('legal_name = "any buyer"', 'legal_name = ""'), "at least 1 character"),
        (("valid_from    = 2026-01-01", "valid_from    = 2026-01-01\nvalid_to = 2025-01-01"), "is before valid_from"),
    ],
)
def test_a_profile_for_any_seller_or_buyer_is_for_tests_only(change: tuple[str, str], told: str) -> None:
    assert told in str(refused(EVERY, change))


def test_a_customer_needs_a_country_because_the_law_does() -> None:
    assert "customer.country is not set" in str(refused(US, ('country       = "US"\n', "")))


def test_the_problems_of_several_files_come_together(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.toml").write_text(US.replace("schema = 1", "schema = 2"), "utf-8")
    (tmp_path / "c.toml").write_text("= 1", "utf-8")
    with pytest.raises(ConfigError) as caught:
        load_profiles(sorted(tmp_path.glob("*.toml")))
    assert len(caught.value.findings) == 3


def test_the_schema_of_a_profile_in_the_repository_is_current() -> None:
    kept = (ROOT / "schemas" / "profile.schema.json").read_text("utf-8")
    assert kept == profile_schema_text(), "write profile_schema_text() to schemas/profile.schema.json"


def test_the_schema_knows_every_table_and_every_kind() -> None:
    schema = profile_schema()
    assert schema["properties"].keys() >= tomllib.loads(DE).keys()
    assert len(schema["properties"]["transport"]["anyOf"]) >= 3
    assert json.loads(profile_schema_text()) == schema


# --- networks ---------------------------------------------------------------


def test_the_presets_we_ship_have_no_fault() -> None:
    for name in networks.known():
        assert check_network(networks.network(name), TODAY) == []


def test_a_preset_is_checked_like_any_settings(tmp_path: Path) -> None:
    text = (networks.HERE / "ariba.toml").read_text("utf-8")
    path = tmp_path / "ariba.toml"
    path.write_text(text.replace('sources = ["notes", "own"]', 'sources = ["elsewhere"]'), "utf-8")
    old = load_network(path)
    assert {finding.rule for finding in check_network(old, date(2028, 1, 1))} == {"EINV-NET-01", "EINV-NET-02"}
    said = homes.typed("check", "--network", path, "--on", "2028-01-01")
    assert said.code == 1
    assert "EINV-NET-01" in said.text
    assert "EINV-NET-02" in said.text
    path.write_text(text.replace("confidence", "confidense", 1), "utf-8")
    with pytest.raises(ConfigError, match="did you mean confidence"):
        load_network(path)


def test_an_unknown_preset_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="ariba"):
        networks.network("tungsten")


# --- houses -----------------------------------------------------------------


def test_the_identifiers_we_invent_have_right_check_digits() -> None:
    rows = {row.eas: row for country in LAWS.countries.values() for row in country.id if row.check and row.eas}
    ids = [one for house in HOUSES.values() for one in house.identifiers]
    ids += [one for entry in ALL for one in entry.profile.customer.identifiers]
    checked = [CHECKS[rows[one.scheme].check](one.value) for one in ids if one.scheme in rows]
    assert checked
    assert all(checked)


def test_a_seller_is_found_by_any_of_its_identifiers_else_by_name() -> None:
    bare = document(seller_network_ids=())
    assert sellers_of(document(), HOUSES) == ["example-us"]
    assert sellers_of(replace(bare, seller_vat_ids=("de 999 111 008",)), HOUSES) == ["example-de"]
    assert sellers_of(replace(bare, seller_ids=(("0002", "999888001"),)), HOUSES) == ["example-fr"]
    assert sellers_of(replace(bare, seller_name="example  instruments, INC."), HOUSES) == ["example-us"]
    assert sellers_of(replace(bare, seller_name="Someone Else"), HOUSES) == []


def test_an_identifier_counts_more_than_a_name() -> None:
    assert sellers_of(document(seller_name="Beispiel Instrumente GmbH"), HOUSES) == ["example-us"]


def test_rounding_is_the_profiles_else_the_houses() -> None:
    german = HOUSES["example-de"]
    own = profile(DE, ("[routing]\n", '[format]\nrounding = "per_line"\n[routing]\n'))
    assert rounding_of(own, german) == "per_line"
    assert rounding_of(profile(DE), german) == "en16931"
    assert rounding_of(profile(DE), None) == "as_issued"


def test_house_policies_are_checked_like_any_settings(tmp_path: Path) -> None:
    text = (ROOT / "fixtures" / "house" / "example-us.toml").read_text("utf-8")
    for old, new, told in (
        ('max = "9999999.00", currency = "USD", ', 'max = "9999999.00", ', "max needs its currency"),
        ("discount_days = 15, ", "", "stand together"),
        ('"EX-1400"', '"EX-14000"', "not a term of the register"),
        ('discount_percent = "0.25"', "discount_percent = 0.25", 'write "0.25" in quotes'),
    ):
        with pytest.raises(ConfigError, match=told):
            load_house(text.replace(old, new))
    for name in ("one", "two"):
        (tmp_path / f"{name}.toml").write_text(text, "utf-8")
    with pytest.raises(ConfigError, match="two files"):
        load_houses(tmp_path)


# --- routing ----------------------------------------------------------------


def routed(case: Facts, entries: list[Entry] | Book = NAMED, on: date = TODAY) -> Routed:
    found = route(case, entries, HOUSES, on=on)
    assert isinstance(found, Routed), found
    return found


def held(case: Facts, entries: list[Entry] = NAMED, on: date = TODAY) -> NotRouted:
    found = route(case, entries, HOUSES, on=on)
    assert isinstance(found, NotRouted), found
    return found


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"buyer_network_ids": (), "buyer_ids": (("0060", "999123456"),)},
        {"buyer_network_ids": (), "buyer_ids": (("0060", "999-123-456"), ("0088", "1"))},
        {"buyer_network_ids": (), "buyer_numbers": ("c-100234",)},
    ],
)
def test_a_customer_is_found_by_any_of_its_identifiers(more: dict[str, Any]) -> None:
    found = routed(document(**more))
    assert found.profile.id == "larkfield-us-test"
    assert found.house is HOUSES["example-us"]


def test_facts_come_back_with_what_house_and_profile_know() -> None:
    case = document(
        seller_country="", buyer_country="", currency="EUR", seller_network_ids=(), buyer_network_ids=(),
        seller_vat_ids=("DE999111008",), buyer_vat_ids=("DE999111016",),
    )  # fmt: skip
    found = routed(case).facts
    assert (found.seller_country, found.buyer_country, found.seller_entity) == ("DE", "DE", "example-de")
    assert (found.seller_established, found.buyer_established, found.seller_size) == (True, True, "large")
    assert found.seller_turnover == Decimal("48200000.00")


@pytest.mark.parametrize(
    ("more", "field", "told"),
    [
        ({"environment": "production"}, "environment", "production"),
        ({"currency": "CAD"}, "currency", "it takes USD"),
        ({"seller_network_ids": ()}, "seller entity", "not stated"),
        ({"buyer_network_ids": (("NetworkID", "AN02000000009-T"),)}, "buyer", "AN02000000009T"),
        ({"buyer_network_ids": ()}, "buyer", "not stated"),
    ],
)
def test_a_document_no_profile_takes_is_held_and_says_why_each_missed(
    more: dict[str, Any], field: str, told: str
) -> None:
    found = held(document(**more))
    nearest = next(one for one in found.candidates if one.entry.profile.id == "larkfield-us-test")
    assert [miss.field for miss in nearest.misses] == [field]
    assert told in found.findings()[0].message
    assert found.findings()[0].fatal


def test_a_document_kind_that_is_not_listed_is_not_taken() -> None:
    only = [Entry(profile(US, ('["invoice", "credit_note"]', '["invoice"]')))]
    assert routed(document(), only).profile.id == "larkfield-us-test"
    assert "credit_note" in str(held(document(kind="credit_note"), only).candidates[0])


@pytest.mark.parametrize("on", [date(2025, 12, 31), date(2027, 1, 1)])
def test_a_profile_takes_nothing_outside_its_days(on: date) -> None:
    only = [Entry(profile(US, ("= 2026-01-01", "= 2026-01-01\nvalid_to = 2026-12-31")))]
    for day in (date(2026, 1, 1), date(2026, 12, 31)):
        assert routed(document(), only, day).entry is only[0]
    assert [miss.field for miss in held(document(), only, on).candidates[0].misses] == ["day"]


@pytest.mark.parametrize("state", ["draft", "suspended", "retired"])
def test_only_live_profiles_take_documents(state: Any) -> None:
    found = held(document(), [Entry(profile(), 3, state)])
    assert "larkfield-us-test version 3: state is " + state in found.findings()[0].message
    assert "profile live" in found.fix


def test_an_identifier_that_contradicts_outweighs_one_that_agrees() -> None:
    case = document(buyer_numbers=("C-100234",), buyer_network_ids=(("NetworkID", "AN02000000009-T"),))
    assert held(case).candidates


def test_two_profiles_that_fit_hold_the_document_and_are_named() -> None:
    twin = profile(US, ("larkfield-us-test", "larkfield-twin"))
    found = held(document(), [*NAMED, Entry(twin)])
    assert found.rule == "EINV-ROUTE-02"
    assert "larkfield-us-test version 1, larkfield-twin version 1" in found.reason


def test_two_houses_that_claim_the_seller_hold_the_document() -> None:
    twin = HOUSES["example-us"].model_copy(update={"seller": "example-us-2"})
    found = route(document(), NAMED, {**HOUSES, "example-us-2": twin}, on=TODAY)
    assert isinstance(found, NotRouted)
    assert found.rule == "EINV-ROUTE-03"


def test_a_catch_all_takes_only_what_no_named_profile_takes() -> None:
    assert routed(document(), ALL).profile.id == "larkfield-us-test"
    stranger = document(seller_network_ids=(), seller_name="Ny Vest AS", seller_country="NO", buyer_network_ids=())
    found = routed(stranger, ALL)
    assert (found.profile.id, found.house, found.facts.seller_country) == ("everything-test", None, "NO")
    assert held(replace(stranger, environment="production"), ALL).rule == "EINV-ROUTE-01"


def test_no_profiles_at_all_is_an_answer_too() -> None:
    assert held(document(), []).reason == "no live profile for Larkfield Motors LLC."


def test_a_book_answers_as_the_list_does() -> None:
    book = Book(ALL)
    for case in (document(), document(currency="CAD"), document(buyer_network_ids=())):
        assert type(route(case, book, HOUSES, on=TODAY)) is type(route(case, ALL, HOUSES, on=TODAY))


# --- what the law makes of a profile ----------------------------------------


def test_a_german_profile_for_pdf_alone_is_told_its_last_day() -> None:
    want = '[want]\nformats = ["pdf-signed"]\nchannels = ["email"]\n\n[acceptance]'
    pdf = profile(DE, TO_FOLDER, ("[acceptance]", want), (AGREEMENT, ""))
    stretches = preview(pdf, LAWS, HOUSES["example-de"], TODAY)
    told = [(one.from_, one.until, one.decision.format_id) for one in stretches if isinstance(one.decision, Decision)]
    assert told == [(TODAY, date(2026, 12, 31), "pdf-signed"), (date(2027, 1, 1), None, "xrechnung-3.0/ubl")]


def test_a_preview_ends_with_the_profile_and_begins_with_it() -> None:
    short = profile(DE, ("= 2026-01-01\n", "= 2027-02-01\nvalid_to = 2027-03-31\n"))
    (only,) = preview(short, LAWS, HOUSES["example-de"], TODAY)
    assert (only.from_, only.until) == (date(2027, 2, 1), date(2027, 3, 31))


def test_a_preview_covers_every_day_once() -> None:
    for entry in NAMED:
        for overrides in ((), OVERRIDES):
            stretches = preview(entry.profile, LAWS, HOUSES[entry.profile.profile.seller_entity], TODAY, overrides)
            assert stretches[0].from_ == TODAY
            assert stretches[-1].until is None
            for one, two in pairwise(stretches):
                assert one.until == two.from_ - timedelta(days=1)


def test_the_preview_of_an_override_is_loud_and_ends_with_it() -> None:
    first, then = preview(profile(FR), LAWS, HOUSES["example-fr"], TODAY, OVERRIDES)
    assert str(first).startswith("2026-11-24 to 2035-12-31: LAW OVERRIDDEN by test-everything-as-cxml")
    assert first.unable == ()
    assert "held: factur-x" in str(then)


def test_a_profile_without_what_the_law_asks_holds_its_documents() -> None:
    french = profile(FR)
    found = decide(Facts("FR", "FR", TODAY, seller_established=True, buyer_established=True, seller_size="mid"),
                   LAWS, profile=wish_of(french, LAWS), on=TODAY)  # fmt: skip
    assert isinstance(found, Decision)
    (told,) = unable(french, found)
    assert told.rule == "EINV-DECIDE-01"
    assert "factur-x-1.09/en16931 must be sent, and the profile writes cxml (fr-b2b-large)" in told.message


def test_the_right_format_by_the_wrong_channel_holds_too() -> None:
    american = profile()
    found = decide(Facts("US", "US", TODAY), LAWS, profile=wish_of(american, LAWS), on=TODAY)
    assert isinstance(found, Decision)
    assert unable(american, found) == []
    assert [one.rule for one in unable(american, replace(found, channel="as2"))] == ["EINV-DECIDE-02"]


@pytest.mark.parametrize("name", ["larkfield-us-test", "larkfield-de-test", "larkfield-fr-test"])
def test_our_profiles_can_do_what_law_or_override_asks_today(name: str) -> None:
    loaded = load_profile(FILES[name])
    first = preview(loaded, LAWS, HOUSES[loaded.profile.seller_entity], TODAY, OVERRIDES if "fr" in name else ())[0]
    assert isinstance(first.decision, Decision)
    assert first.decision.format == "cxml"
    assert first.unable == ()


def test_content_rules_become_needs() -> None:
    needs = profile(US, ("po_required = true", 'po_required = true\npo_pattern = "45[0-9]{8}"')).content_rules.needs()
    stated: dict[str, list[str]] = {"BT-13": ["4500000001"], "EX-1400": ["Example"]}
    assert unmet(needs, lambda id_: stated.get(id_, []), "invoice") == []
    assert [one.term for one in unmet(needs, lambda id_: [], "invoice")] == ["BT-13", "EX-1400"]
    assert [one.term for one in unmet(needs, lambda id_: [], "credit_note")] == ["BT-13", "EX-1400", "BT-25"]
    stated["BT-13"] = ["46"]
    assert [one.rule for one in unmet(needs, lambda id_: stated.get(id_, []), "invoice")] == ["EINV-NEED-02"]


def test_a_contract_does_where_the_order_is_missing_unless_the_profile_says_no() -> None:
    strict = profile(US, ("po_required = true", "po_required = true\ncontract_instead = false"))
    stated: dict[str, list[str]] = {"BT-12": ["C-1"], "EX-1400": ["Example"]}
    assert unmet(profile().content_rules.needs(), lambda id_: stated.get(id_, []), "invoice") == []
    assert len(unmet(strict.content_rules.needs(), lambda id_: stated.get(id_, []), "invoice")) == 1


# --- lint -------------------------------------------------------------------


@pytest.mark.parametrize("name", ["larkfield-us-test", "larkfield-de-test", "everything-test"])
def test_the_profiles_we_ship_have_nothing_fatal(name: str) -> None:
    others = [entry for entry in ALL if entry.profile.id != name]
    assert [str(finding) for finding in linted(load_profile(FILES[name]), others=others) if finding.fatal] == []


def test_the_french_profile_may_go_live_under_the_override_only() -> None:
    french = load_profile(FILES["larkfield-fr-test"])
    assert "EINV-PROF-29" in {finding.rule for finding in linted(french) if finding.fatal}
    under = linted(french, overrides=OVERRIDES)
    assert not [finding for finding in under if finding.fatal]
    assert any("LAW OVERRIDDEN" in finding.message for finding in under)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ([PRODUCTION], "EINV-PROF-11"),
        ([(OWN, OWN.removesuffix("-T"))], "EINV-PROF-11"),
        ([(PARTNER, "LARKFIELD-T")], "EINV-PROF-10"),
        ([(PARTNERS, 'partner = [{ scheme = "DUNS", value = "999123456" }]')], "EINV-PROF-12"),
        ([('"example-us"', '"example-uk"')], "EINV-PROF-13"),
        ([("[routing]\n", "[archive]\nretention_years = 3\n[routing]\n")], "EINV-PROF-14"),
        ([('buyer_numbers =', 'vat_ids = ["DE12345678"]\nbuyer_numbers =')], "EINV-PROF-15"),
        ([('buyer_numbers =', 'vat_ids = ["DE999111009"]\nbuyer_numbers =')], "EINV-PROF-16"),
        ([("[routing]\n", '[want]\nchannels = ["as2"]\n[routing]\n')], "EINV-PROF-17"),
        ([PRODUCTION, (OWN, OWN.removesuffix("-T")), (PARTNER, PARTNER.removesuffix("-T"))], "EINV-PROF-20"),
        ([("[routing]\n", "[acks]\nsource = []\n[routing]\n")], "EINV-PROF-24"),
        ([("[transport]\n", "[transport]\npoll = []\n")], "EINV-PROF-25"),
        ([("2026-01-01", "2025-01-01\nvalid_to = 2025-12-31")], "EINV-PROF-27"),
        ([('[customer]\n', '[customer]\nkind = "B2C"\n')], "EINV-PROF-29"),
        ([FROM_FOLDER, TO_FOLDER], "EINV-PROF-31"),
        ([("[routing]\n", "[batch]\nmax = 2\n[routing]\n")], "EINV-PROF-32"),
        ([FROM_FOLDER], "EINV-PROF-33"),
    ],
)  # fmt: skip
def test_lint_sees_what_a_schema_cannot(changes: list[tuple[str, str]], rule: str) -> None:
    assert rule in rules(linted(profile(US, *changes)))


def test_lint_names_the_profile_and_the_key() -> None:
    found = linted(profile(US, (OWN, OWN.removesuffix("-T"))))
    assert found[0].place == "larkfield-us-test:identifiers"


def test_a_folder_with_an_inbox_is_read() -> None:
    old, new = TO_FOLDER
    found = linted(profile(US, FROM_FOLDER, (old, f'{new}inbox = "/tmp/in"\n')))
    assert not {"EINV-PROF-31", "EINV-PROF-33"} & rules(found)


def test_a_format_that_holds_one_document_is_not_batched() -> None:
    for kind, alone in (("fatturapa", True), ("x12", False)):
        found = linted(profile(US, ("[routing]\n", f'[format]\nkind = "{kind}"\n[batch]\nmax = 2\n[routing]\n')))
        assert ("EINV-PROF-32" in rules(found)) == alone, kind


def test_a_mock_or_folder_says_which_channel_it_stands_for() -> None:
    mock = (HTTPS, 'kind = "mock"\n')
    bare = profile(US, mock, ('network       = "ariba"\n', ""), ("[routing]\n", '[format]\nkind = "cxml"\n[routing]\n'))
    assert {"EINV-PROF-18", "EINV-PROF-22"} <= rules(linted(bare))
    named = profile(US, mock, ("[routing]\n", '[want]\nchannels = ["https:ariba"]\n[routing]\n'))
    assert not [finding for finding in linted(named) if finding.fatal]


def test_nothing_that_names_the_customer_is_found() -> None:
    identifiers = 'identifiers   = [{ scheme = "0060", value = "999123456" }]\nbuyer_numbers = ["C-100234"]\n'
    partner = ("[transport]\n", f'[transport]\npartner = {{ identity = "{PARTNER}" }}\n')
    nobody = profile(US, (identifiers, ""), (PARTNERS, ""), partner)
    assert "EINV-PROF-23" in rules(linted(nobody))


def test_two_live_profiles_for_the_same_documents_are_found_before_they_hold_any() -> None:
    twin = profile(US, ("larkfield-us-test", "larkfield-twin"))
    assert "EINV-PROF-26" in rules(linted(twin, others=ALL))
    other = profile(US, ("larkfield-us-test", "larkfield-twin"), ('currencies = ["USD"]', 'currencies = ["CAD"]'))
    assert "EINV-PROF-26" not in rules(linted(other, others=ALL))
    later = profile(US, ("larkfield-us-test", "larkfield-us-test-2"), ("= 2026-01-01", "= 2027-01-01"))
    ended = profile(US, ("= 2026-01-01", "= 2026-01-01\nvalid_to = 2026-12-31"))
    assert overlaps([Entry(later), Entry(ended)]) == []
    assert len(overlaps([Entry(later), Entry(profile())])) == 1
    assert overlaps([Entry(later), Entry(profile(), state="suspended")]) == []


def test_a_new_version_does_not_clash_with_the_one_it_replaces() -> None:
    assert "EINV-PROF-26" not in rules(linted(profile(), others=ALL))


def test_a_later_problem_warns_and_todays_forbids() -> None:
    found = [finding for finding in linted(profile(DE, (AGREEMENT, ""))) if finding.rule == "EINV-PROF-29"]
    assert [(finding.fatal, "from 2027-01-01" in finding.message) for finding in found] == [(False, True)]
    late = linted(profile(DE, (AGREEMENT, "")), on=date(2027, 1, 1))
    assert any(finding.fatal for finding in late if finding.rule == "EINV-PROF-29")


def test_a_secret_that_is_not_there_is_found_when_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EINVOICE_ARIBA_SECRET", raising=False)
    assert "EINV-CONF-07" not in rules(linted(profile()))
    assert "EINV-CONF-07" in rules(linted(profile(), secrets_from=tmp_path))
    monkeypatch.setenv("EINVOICE_ARIBA_SECRET", "x")
    assert "EINV-CONF-07" not in rules(linted(profile(), secrets_from=tmp_path))


def test_a_country_without_a_file_forbids_a_profile_unless_overridden() -> None:
    house = HOUSES["example-us"].model_copy(update={"country": "BR"})
    found = linted(profile(), houses={"example-us": house})
    assert "EINV-PROF-28" in {finding.rule for finding in found if finding.fatal}
    assert isinstance(preview(profile(), LAWS, house, TODAY)[0].decision, Refusal)
    under = linted(profile(), houses={"example-us": house}, overrides=OVERRIDES)
    assert "EINV-PROF-28" not in {finding.rule for finding in under if finding.fatal}


def test_a_house_narrows_what_a_decision_may_choose_from() -> None:
    german = HOUSES["example-de"]
    case = Facts("DE", "DE", TODAY, seller_established=True, buyer_established=True)
    found = decide(case, LAWS, german.wish(), Wish(), on=TODAY)
    assert isinstance(found, Decision)
    assert found.format_id == "xrechnung-3.0/ubl"


def test_a_profile_read_as_plain_toml_has_a_place_for_each_of_its_keys() -> None:
    source = read(US, "us.toml")
    assert source.place(("customer", "legal_name")) == "us.toml:16:customer.legal_name"
