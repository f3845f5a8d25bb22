"""The rules of EN 16931 over the model: each has an invoice that breaks it, and a finding a clerk can act on."""

from __future__ import annotations

import cProfile
import pstats
import re
import string
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from einvoice import formats, rules, terms
from einvoice.codes import codes, names
from einvoice.errors import ConfigError, Finding, Severity
from einvoice.model import Invoice
from einvoice.rules._texts import texts
from tests.broken import BROKEN, FAMILIES, VALID, Broken, made, of_category

ON = date(2026, 11, 1)
EN = rules.pack("en16931")


def check(invoice: Invoice, release: str = "1.3.16", **more: object) -> list[Finding]:
    return rules.check(invoice, (f"en16931:{release}",), on=ON, **more)  # type: ignore[arg-type]


def valid(**changes: object) -> Invoice:
    return made(VALID, {path.replace("__", "."): value for path, value in changes.items()})


# --- the rules --------------------------------------------------------------------------------------------------------


def test_the_valid_invoice_breaks_no_rule() -> None:
    assert check(valid(), syntax="ubl") == []


@pytest.mark.parametrize(("code", "name", "right", "wrong", "exempt"), FAMILIES, ids=lambda value: str(value))
@pytest.mark.parametrize("places", [(), ("allowances",), ("charges",)], ids=lambda value: "".join(value) or "lines")
def test_an_invoice_in_one_vat_category_breaks_no_rule(
    code: str, name: str, right: str | None, wrong: str, exempt: bool, places: tuple[str, ...]
) -> None:
    assert check(made(of_category(code, right, exempt, *places)), syntax="ubl") == []


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: f"{case.rule} {next(iter(case.changes))}")
def test_an_invoice_that_breaks_a_rule_is_found_by_it_alone(case: Broken) -> None:
    found = {finding.rule for finding in check(case.invoice(), case.release, syntax="ubl")}
    assert found == {case.rule} | case.also


def test_a_full_card_number_is_a_warning_in_ubl_and_fatal_in_cii() -> None:
    invoice = valid(payment__means=[{"code": "48", "card": {"number": "4111111111111111"}}])
    severities = {syntax: [f.severity for f in check(invoice, syntax=syntax)] for syntax in ("ubl", "cii")}
    assert severities == {"ubl": [Severity.WARNING], "cii": [Severity.FATAL]}


#: Whether a reason and its code mean the same is for people; BR-51 is a warning and has its own test.
UNTESTED = {"BR-CO-05", "BR-CO-06", "BR-CO-07", "BR-CO-08", "BR-51"}


def test_every_rule_of_the_pack_has_a_broken_invoice() -> None:
    assert {case.rule for case in BROKEN} | UNTESTED == {rule.id for rule in EN.rules}


def test_only_ids_about_a_syntax_are_not_native() -> None:
    assert all(id_.startswith(("UBL-", "CII-")) for id_ in EN.not_native)
    assert all(reason for reason in EN.not_native.values())


def test_rule_ids_are_unique_and_terms_are_registered() -> None:
    ids = [rule.id for rule in EN.rules]
    assert len(ids) == len(set(ids))
    assert {rule.term for rule in EN.rules} <= set(terms.TERMS) | set(terms.GROUPS)


# --- findings ---------------------------------------------------------------------------------------------------------


def test_a_finding_names_term_path_found_expected_fix_and_clause() -> None:
    (finding,) = check(valid(totals__gross="232.06", totals__due="200.01"))
    assert (finding.rule, finding.term, finding.path) == ("BR-CO-15", "BT-112", "$.totals.gross")
    assert (finding.found, finding.expected) == ("232.06", "232.05")
    assert finding.fatal
    assert finding.clause == "EN 16931-1, rules 1.3.16"
    assert str(finding) == (
        "BR-CO-15 BT-112 $.totals.gross: The total with VAT is 232.06; the total without VAT plus the VAT in the "
        "invoice currency is 232.05. Fix: Correct the totals and state one VAT total in the invoice currency. "
        "(EN 16931-1, rules 1.3.16)"
    )


def test_a_finding_on_a_line_names_the_line() -> None:
    paths = [f.path for f in check(valid(**{"lines[1]__unit": "QQQ", "lines[0]__price__net": "-1"}))]
    assert sorted(paths) == ["$.lines[0].price.net", "$.lines[1].unit"]


def test_all_faults_are_found_at_once() -> None:
    found = {f.rule for f in check(Invoice())}
    assert {"BR-01", "BR-02", "BR-06", "BR-15", "BR-16", "BR-CO-18"} <= found


def test_a_finding_carries_its_place_in_the_source() -> None:
    (finding,) = check(valid(number=None), locate=lambda path: f"row 7 of {path}")
    assert finding.place == "row 7 of $.number"


def test_the_place_in_an_xml_source_is_element_and_line(reference: Path) -> None:
    data = (reference / "en16931/examples/ubl/examples/ubl-tc434-example1.xml").read_bytes()
    broken = re.sub(rb'unitCode="\w+"', b'unitCode="QQQ"', data, count=1)
    read = next(formats.read(broken, "ubl"))
    (finding,) = check(read.invoice, locate=read.locate, read_findings=read.findings, syntax="ubl")
    assert finding.rule == "BR-CL-23"
    assert "InvoicedQuantity" in finding.place
    assert " line " in finding.place


@pytest.mark.parametrize("language", rules.languages())
def test_each_rule_has_a_text_in_each_language(language: str) -> None:
    english, told = texts("en"), texts(language)
    assert set(told.rules) == set(english.rules)
    assert {rule.text or rule.id for rule in EN.rules} <= set(told.rules)
    assert {rule.codes for rule in EN.rules if rule.codes} <= set(told.codes)
    assert {rule.category for rule in EN.rules if rule.category} <= set(told.categories)
    for key, (message, fix) in told.rules.items():
        assert [_holes(one) for one in english.rules[key]] == [_holes(message), _holes(fix)], key


def _holes(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_a_clerk_reads_the_finding_in_german() -> None:
    (finding,) = check(valid(number=None), language="de")
    assert finding.message == "Die Rechnung hat keine Nummer."


def test_the_languages_are_english_german_french_italian() -> None:
    assert rules.languages() == ["de", "en", "fr", "it"]
    with pytest.raises(ConfigError, match=r"choose one of de, en, fr, it"):
        check(valid(), language="tlh")


# --- packs and releases -----------------------------------------------------------------------------------------------


def test_packs_are_listed_with_their_dated_releases() -> None:
    known = {one.name: one.releases for one in rules.packs()}
    assert known["en16931"] == (("1.3.14.1", date(2025, 4, 22)), ("1.3.16", date(2026, 4, 10)))


def test_the_date_of_the_document_chooses_the_release() -> None:
    invoice = valid(currency="BGN", payment__terms=None, due_date=None)
    clauses = {on: {f.rule for f in rules.check(invoice, on=on)} for on in (date(2025, 12, 1), date(2026, 4, 10))}
    assert clauses[date(2025, 12, 1)] == {"BR-CO-25"}
    assert clauses[date(2026, 4, 10)] == {"BR-CL-03", "BR-CL-04"}


def test_an_older_document_is_judged_by_the_oldest_release() -> None:
    (finding,) = rules.check(valid(number=None), on=date(2019, 1, 1))
    assert finding.clause == "EN 16931-1, rules 1.3.14.1"


def test_an_unknown_pack_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"no rule pack 'en16391'.*choose one of .*en16931"):
        rules.check(valid(), ("en16391",), on=ON)


def test_an_unknown_release_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"no release '9'.*en16931:1\.3\.14\.1, en16931:1\.3\.16"):
        rules.check(valid(), ("en16931:9",), on=ON)


# --- tolerances, as the official bindings have them -------------------------------------------------------------------


@pytest.mark.parametrize(("syntax", "off", "fires"), [("ubl", "0.99", False), ("ubl", "1.00", True),
                                                      ("cii", "1.00", False), ("cii", "1.01", True)])  # fmt: skip
def test_a_vat_amount_may_be_off_by_less_than_one(syntax: str, off: str, fires: bool) -> None:
    tax, gross, due = (str(Decimal(value) + Decimal(off)) for value in ("37.05", "232.05", "200.00"))
    invoice = valid(**{"tax_breakdown[0]__amount": tax, "totals__tax": tax, "totals__gross": gross,
                       "totals__due": due})  # fmt: skip
    assert ("BR-CO-17" in {f.rule for f in check(invoice, syntax=syntax)}) is fires


def test_two_standard_rates_are_summed_apart() -> None:
    seven = {"category": "S", "rate": "7", "scheme": "VAT"}
    changes = {
        "lines[1]__taxes": [seven],
        "tax_breakdown": [{"base": "95.00", "amount": "18.05", "category": "S", "rate": "19", "scheme": "VAT"},
                          {"base": "100.00", "amount": "7.00", **seven}],
        "totals__tax": "25.05", "totals__gross": "220.05", "totals__due": "188.00",
    }  # fmt: skip
    assert check(valid(**changes)) == []
    (wrong,) = check(valid(**{**changes, "lines[1]__taxes": [{**seven, "rate": "7.5"}]}))
    assert (wrong.rule, wrong.path, wrong.expected) == ("BR-S-08", "$.tax_breakdown[1].base", "0")


def test_rates_written_with_other_digits_are_the_same_rate() -> None:
    assert check(valid(**{"tax_breakdown[0]__rate": "19.00"})) == []


def test_a_sum_of_thirty_digits_is_exact() -> None:
    huge, small = "9" * 28 + ".99", "0.01"
    invoice = valid(**{"lines[0]__net_amount": huge, "lines[1]__net_amount": small, "totals__lines": huge})
    finding = next(f for f in check(invoice) if f.rule == "BR-CO-10")
    assert (finding.found, finding.expected) == (huge, "1" + "0" * 28 + ".00")


def test_sub_lines_bring_their_codes_but_not_their_amounts() -> None:
    sub = {"id": "1.1", "unit": "QQQ", "net_amount": "7.00"}
    (finding,) = check(valid(**{"lines[0]__sub_lines": [sub]}))
    assert (finding.rule, finding.path) == ("BR-CL-23", "$.lines[0].sub_lines[0].unit")


def test_a_tax_of_another_scheme_is_no_vat_category() -> None:
    gst = [{"category": "S", "rate": "10", "scheme": "GST"}]
    assert "BR-CO-04" in {f.rule for f in check(valid(**{"lines[1]__taxes": gst}))}


def test_withheld_taxes_are_no_part_of_the_breakdown() -> None:
    withheld = {"scheme": "WITHHOLDING", "effect": "withheld", "amount": "39.00"}
    invoice = valid(tax_breakdown=[*VALID["tax_breakdown"], withheld])
    assert check(invoice) == []


def test_blank_text_states_nothing() -> None:
    assert {f.rule for f in check(valid(number="  ", seller__name=""))} == {"BR-02", "BR-06"}


# --- what the reader said ---------------------------------------------------------------------------------------------

_CBC, _CAC = (f"urn:oasis:names:specification:ubl:schema:xsd:Common{kind}Components-2" for kind in
              ("Basic", "Aggregate"))  # fmt: skip


def ubl(inside: str) -> list[Finding]:
    """What the rules say of a UBL fragment."""
    root = "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
    data = f'<Invoice xmlns="{root}" xmlns:cbc="{_CBC}" xmlns:cac="{_CAC}">{inside}</Invoice>'.encode()
    read = next(formats.read(data, "ubl"))
    return check(read.invoice, read_findings=read.findings, syntax="ubl")


def test_what_is_stated_but_not_readable_is_not_called_absent() -> None:
    amounts = ('<cbc:LineExtensionAmount currencyID="EUR">1E3</cbc:LineExtensionAmount>', "")
    lines = "".join(f"<cac:InvoiceLine><cbc:ID>1</cbc:ID>{amount}</cac:InvoiceLine>" for amount in amounts)
    found = ubl(f"<cbc:IssueDate>04.05.2026</cbc:IssueDate>{lines}")
    assert "BR-03" not in {f.rule for f in found}
    assert [f.path for f in found if f.rule == "BR-24"] == ["$.lines[1].net_amount"]


def test_an_unreadable_total_is_shown_as_it_was_written() -> None:
    found = ubl('<cac:LegalMonetaryTotal><cbc:LineExtensionAmount currencyID="EUR">NaN</cbc:LineExtensionAmount>'
                "</cac:LegalMonetaryTotal>")  # fmt: skip
    assert [f.found for f in found if f.rule == "BR-CO-10"] == ["NaN"]
    assert "BR-12" not in {f.rule for f in found}


def test_an_amount_in_a_currency_that_does_not_exist_is_found_where_it_stands() -> None:
    found = ubl("<cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode><cac:LegalMonetaryTotal>"
                '<cbc:PayableAmount currencyID="EURO">1.00</cbc:PayableAmount></cac:LegalMonetaryTotal>')  # fmt: skip
    (finding,) = (f for f in found if f.rule == "BR-CL-03")
    assert finding.found == "EURO"
    assert "PayableAmount" in finding.place


def test_a_second_tax_total_breaks_the_sum_with_vat() -> None:
    total = ('<cac:TaxTotal>\n<cbc:TaxAmount currencyID="EUR">7.00</cbc:TaxAmount>\n<cac:TaxSubtotal>'
             '\n<cbc:TaxableAmount currencyID="EUR">100.00</cbc:TaxableAmount>\n</cac:TaxSubtotal>\n</cac:TaxTotal>'
             )  # fmt: skip
    found = ubl(f"<cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>{total}{total}")
    assert any(f.rule == "BR-CO-15" and f.place.startswith("/Invoice/cac:TaxTotal[2]") for f in found)


def test_an_empty_code_is_of_no_list() -> None:
    found = ubl("<cbc:DocumentCurrencyCode/>")
    assert "BR-CL-04" in {f.rule for f in found}


def test_a_group_that_the_reader_found_empty_is_judged_as_an_empty_group() -> None:
    said = [
        Finding("EINV-READ-07", "PostalAddress is empty", Severity.WARNING, path="$.seller.address",
                place="/Invoice/cac:AccountingSupplierParty/cac:Party/cac:PostalAddress line 9"),
        Finding("EINV-READ-07", "AllowanceCharge is empty", Severity.WARNING, "BG-27", "$.lines[1].allowances[0]",
                place="/Invoice/cac:InvoiceLine[2]/cac:AllowanceCharge line 40"),
    ]  # fmt: skip
    found = {(f.rule, f.path) for f in check(valid(seller__address=None), read_findings=said, syntax="ubl")}
    assert ("BR-09", "$.seller.address.country") in found
    assert ("BR-41", "$.lines[1].allowances[0].amount") in found
    assert not any(rule == "BR-08" for rule, _ in found)


@pytest.mark.parametrize(("code", "fires"), [("381", True), ("81", False)])
def test_a_type_code_of_the_other_root_is_of_no_list(code: str, fires: bool) -> None:
    said = [Finding("EINV-READ-11", "the root is Invoice", term="BT-3", place="/Invoice line 1", found=code)]
    found = {f.rule for f in check(valid(type_code=code), read_findings=said, syntax="ubl")}
    assert ("BR-CL-01" in found) is fires


def test_an_empty_attribute_is_of_no_list() -> None:
    place = "/Invoice/cac:InvoiceLine[2]/cbc:InvoicedQuantity/@unitCode line 90"
    said = [
        Finding("EINV-READ-07", "the attribute unitCode is empty", Severity.WARNING, "BT-130", "$.lines[1].unit", place)
    ]
    (finding,) = check(valid(**{"lines.1.unit": None}), read_findings=said, syntax="ubl")
    assert (finding.rule, finding.place, finding.fatal) == ("BR-CL-23", place, True)


_VAT = "<cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme>"
#: A fragment with an empty element, rules that it satisfies all the same, and rules that it breaks for being empty.
EMPTY = {
    "<cac:AllowanceCharge><cbc:ChargeIndicator>false</cbc:ChargeIndicator><cbc:AllowanceChargeReason/>"
    "<cbc:Amount>1.00</cbc:Amount></cac:AllowanceCharge>": ({"BR-33", "BR-CO-21"}, set()),
    f"<cac:InvoiceLine><cac:Item><cac:ClassifiedTaxCategory><cbc:ID/>{_VAT}</cac:ClassifiedTaxCategory></cac:Item>"
    "</cac:InvoiceLine>": ({"BR-CO-04"}, {"BR-CL-18"}),
    '<cac:InvoiceLine><cbc:InvoicedQuantity unitCode=""/></cac:InvoiceLine>': ({"BR-22", "BR-23"}, {"BR-CL-23"}),
    "<cac:PaymentMeans><cbc:PaymentMeansCode>30</cbc:PaymentMeansCode><cac:PayeeFinancialAccount><cbc:ID/>"
    "</cac:PayeeFinancialAccount></cac:PaymentMeans>": ({"BR-49", "BR-61"}, {"BR-50"}),
    "<cac:BillingReference><cac:InvoiceDocumentReference><cbc:ID/></cac:InvoiceDocumentReference>"
    "</cac:BillingReference>": ({"BR-55"}, set()),
    "<cac:AccountingCustomerParty><cac:Party><cac:PostalAddress><cac:Country><cbc:IdentificationCode/></cac:Country>"
    "</cac:PostalAddress></cac:Party></cac:AccountingCustomerParty>": ({"BR-10"}, {"BR-11", "BR-CL-14"}),
    "<cac:AccountingSupplierParty><cac:Party><cac:PartyTaxScheme><cbc:CompanyID/>"
    f"{_VAT}</cac:PartyTaxScheme></cac:Party></cac:AccountingSupplierParty>": ({"BR-CO-26"}, {"BR-CO-09"}),
}


@pytest.mark.parametrize("inside", EMPTY)
def test_an_empty_element_is_there_for_rules_that_ask_no_more(inside: str) -> None:
    satisfied, broken = EMPTY[inside]
    found = {f.rule for f in ubl(inside)}
    assert not satisfied & found
    assert broken <= found


def test_an_empty_value_belongs_to_the_entry_it_stands_in() -> None:
    category = "<cac:ClassifiedTaxCategory>{}" + _VAT + "</cac:ClassifiedTaxCategory>"
    lines = "".join(f"<cac:InvoiceLine><cac:Item>{category.format(code)}</cac:Item></cac:InvoiceLine>"
                    for code in ("<cbc:ID>S</cbc:ID>", "", "<cbc:ID/>"))  # fmt: skip
    assert [f.path for f in ubl(lines) if f.rule == "BR-CO-04"] == ["$.lines[1].taxes"]


def cii(inside: str) -> list[Finding]:
    """What the rules say of a CII fragment."""
    spaces = " ".join(f'xmlns:{prefix}="urn:un:unece:uncefact:data:standard:{name}:100"' for prefix, name in (
        ("rsm", "CrossIndustryInvoice"), ("ram", "ReusableAggregateBusinessInformationEntity"),
        ("udt", "UnqualifiedDataType")))  # fmt: skip
    data = f"<rsm:CrossIndustryInvoice {spaces}>{inside}</rsm:CrossIndustryInvoice>".encode()
    read = next(formats.read(data, "cii"))
    return check(read.invoice, read_findings=read.findings, syntax="cii")


@pytest.mark.parametrize(("form", "fires"), [(' format="102"', False), (' format="203"', True), ("", True)])
def test_a_cii_date_of_another_format_is_read_and_no_issue_date(form: str, fires: bool) -> None:
    day = f"<udt:DateTimeString{form}>20260504</udt:DateTimeString>"
    found = cii(f"<rsm:ExchangedDocument><ram:IssueDateTime>{day}</ram:IssueDateTime></rsm:ExchangedDocument>")
    assert ("BR-03" in {f.rule for f in found}) is fires


@pytest.mark.parametrize(("start", "end", "fires"), [
    ('<udt:DateTimeString format="102">20260501</udt:DateTimeString>', "", True),
    ('<udt:DateTimeString format="102">20260501</udt:DateTimeString>',
     '<udt:DateTimeString format="102">1999-01-01</udt:DateTimeString>', True),
    ('<udt:DateTimeString format="102">20260501</udt:DateTimeString>',
     "<udt:DateTimeString>20260531</udt:DateTimeString>", True),
    ('<udt:DateTimeString format="102">20260501</udt:DateTimeString>',
     '<udt:DateTimeString format="102">20260531</udt:DateTimeString>', False),
])  # fmt: skip
def test_the_two_ends_of_a_cii_period_are_compared_as_they_stand(start: str, end: str, fires: bool) -> None:
    period = f"<ram:StartDateTime>{start}</ram:StartDateTime><ram:EndDateTime>{end}</ram:EndDateTime>"
    found = cii("<rsm:SupplyChainTradeTransaction><ram:ApplicableHeaderTradeSettlement><ram:BillingSpecifiedPeriod>"
                f"{period}</ram:BillingSpecifiedPeriod></ram:ApplicableHeaderTradeSettlement>"
                "</rsm:SupplyChainTradeTransaction>")  # fmt: skip
    assert ("BR-29" in {f.rule for f in found}) is fires


@pytest.mark.parametrize(("scheme", "fires"), [(' schemeID="FC"', False), (' schemeID="XX"', True), ("", True)])
def test_a_cii_tax_registration_counts_by_its_scheme(scheme: str, fires: bool) -> None:
    tax = "<ram:ApplicableTradeTax><ram:TypeCode>VAT</ram:TypeCode><ram:CategoryCode>S</ram:CategoryCode>"
    found = cii("<rsm:SupplyChainTradeTransaction><ram:IncludedSupplyChainTradeLineItem>"
                f"<ram:SpecifiedLineTradeSettlement>{tax}</ram:ApplicableTradeTax></ram:SpecifiedLineTradeSettlement>"
                "</ram:IncludedSupplyChainTradeLineItem><ram:ApplicableHeaderTradeAgreement><ram:SellerTradeParty>"
                f"<ram:SpecifiedTaxRegistration><ram:ID{scheme}>12/345</ram:ID></ram:SpecifiedTaxRegistration>"
                "</ram:SellerTradeParty></ram:ApplicableHeaderTradeAgreement></rsm:SupplyChainTradeTransaction>"
                )  # fmt: skip
    assert ("BR-S-02" in {f.rule for f in found}) is fires


def test_a_registration_of_the_model_without_a_scheme_counts_on_its_way_to_cii() -> None:
    invoice = valid(seller__vat_id=None, seller__tax_id="12/345")
    assert "BR-S-02" not in {f.rule for f in check(invoice, syntax="cii")}


def test_a_note_subject_inside_the_text_is_judged_in_ubl_alone() -> None:
    invoice = valid(notes=[{"text": "Order #q7x# of May"}])
    assert {f.rule for f in check(invoice, syntax="ubl")} == {"BR-CL-08"}
    assert check(invoice) == []


# --- code lists -------------------------------------------------------------------------------------------------------


def test_every_code_list_says_where_it_comes_from() -> None:
    folder = Path(rules.__file__).parent.parent / "codes"
    for name in names():
        head = (folder / f"{name}.csv").read_text(encoding="utf-8").splitlines()
        assert head[0].startswith(f"# {name}: "), name
        assert any(line.startswith("#") and "20" in line for line in head[1:4]), name


def test_codes_come_and_go_with_releases() -> None:
    before, after = (codes("currencies", day) for day in (date(2026, 4, 9), date(2026, 4, 10)))
    assert (before - after, after - before) == ({"ANG", "BGN", "CUC", "MRO"}, {"CNH", "MRU", "UYW", "XCG"})


def test_a_syntax_may_have_codes_of_its_own() -> None:
    day = date(2026, 4, 10)
    assert codes("tax_point_codes", day, "ubl") == {"3", "35", "432"}
    assert codes("tax_point_codes", day, "cii") == {"5", "29", "72"}
    assert codes("tax_point_codes", day) == {"3", "35", "432", "5", "29", "72"}


def test_an_unknown_code_list_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"no code list 'currency'.*currencies"):
        codes("currency", date(2026, 4, 10))


# --- cost -------------------------------------------------------------------------------------------------------------


def test_cost_grows_with_the_lines_and_no_faster() -> None:
    invoice = valid()

    def calls(count: int) -> int:
        many = invoice.model_copy(update={"lines": invoice.lines * (count // 2)})
        profile = cProfile.Profile()
        profile.runcall(check, many)
        return pstats.Stats(profile).total_calls  # type: ignore[attr-defined,no-any-return]

    calls(2)  # code lists and texts are read once
    assert calls(1600) < 8.2 * calls(200)
