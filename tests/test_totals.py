"""All arithmetic: exact, by policy, beside what was issued."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from einvoice.errors import Severity
from einvoice.model import AllowanceCharge, Invoice, Line, Price, Tax, Totals
from einvoice.totals import Policy, completed_taxes, compute, differences, line_net, line_subtotal, tax_amount
from tests import readable

CENTS = st.integers(-10_000_000, 10_000_000).map(lambda cents: D(cents) / 100)


@pytest.mark.parametrize("policy", list(Policy))
@pytest.mark.parametrize("name", readable.names())
def test_the_readable_invoices_are_exact_under_every_policy(name: str, policy: Policy) -> None:
    assert differences(readable.invoice(name), policy) == []


def lines(*amounts: str, rate: str = "19") -> tuple[Line, ...]:
    return tuple(Line(net_amount=D(amount), taxes=(Tax(category="S", rate=D(rate)),)) for amount in amounts)


def test_en16931_rounds_once_per_rate_and_per_line_rounds_each() -> None:
    invoice = Invoice(currency="EUR", lines=lines("0.13", "0.13", "0.13"))
    assert compute(invoice, Policy.EN16931).totals.tax == D("0.07")
    assert compute(invoice, Policy.PER_LINE).totals.tax == D("0.06")


def test_as_issued_takes_the_tax_as_it_is() -> None:
    invoice = Invoice(currency="USD", lines=lines("100.00"), totals=Totals(tax=D("8.88"), gross=D("108.88")))
    assert compute(invoice, Policy.AS_ISSUED).totals.gross == D("108.88")
    assert differences(invoice, Policy.AS_ISSUED) == []


@pytest.mark.parametrize(("currency", "expected"), [("EUR", "0.19"), ("JPY", "0"), ("TND", "0.190"), (None, "0.19")])
def test_tax_is_rounded_to_the_minor_unit_of_the_currency(currency: str | None, expected: str) -> None:
    (row,) = compute(Invoice(currency=currency, lines=lines("1.00"))).taxes
    assert str(row.amount) == expected


@pytest.mark.parametrize(
    ("base", "rate", "expected"), [("0.50", "5", "0.03"), ("-0.50", "5", "-0.03"), ("0.49", "5", "0.02")]
)
def test_halves_are_rounded_away_from_zero(base: str, rate: str, expected: str) -> None:
    assert tax_amount(D(base), D(rate)) == D(expected)


def test_taxes_are_grouped_by_scheme_place_category_and_rate() -> None:
    taxes = (
        Tax(scheme="SALES", jurisdiction="A", rate=D(6)),
        Tax(scheme="SALES", jurisdiction="B", rate=D(6)),
    )
    invoice = Invoice(
        currency="USD", lines=(Line(net_amount=D(10), taxes=taxes), Line(net_amount=D(5), taxes=taxes[:1]))
    )
    rows = {(row.jurisdiction, row.base, row.amount) for row in compute(invoice).taxes}
    assert rows == {("A", D(15), D("0.90")), ("B", D(10), D("0.60"))}


def test_allowances_lower_and_charges_raise_the_base_of_their_rate() -> None:
    tax = (Tax(category="S", rate=D(10)),)
    invoice = Invoice(
        currency="EUR",
        lines=(Line(net_amount=D(100), taxes=tax),),
        allowances=(AllowanceCharge(amount=D(20), taxes=tax),),
        charges=(AllowanceCharge(amount=D(5), taxes=tax),),
    )
    totals = compute(invoice).totals
    assert (totals.net, totals.tax, totals.gross) == (D(85), D("8.50"), D("93.50"))


def test_prepaid_rounding_withheld_and_split_payment_change_what_is_due() -> None:
    issued = Totals(prepaid=D(10), rounding=D("0.01"), withheld=D(5), paid_by_buyer=D(19))
    assert compute(Invoice(currency="EUR", lines=lines("100.00"), totals=issued)).totals.due == D("85.01")


def test_a_tax_that_is_withheld_is_not_part_of_the_tax_total() -> None:
    totals = compute(readable.invoice("it-withholding")).totals
    assert (totals.tax, totals.withheld, totals.due) == (D("176.00"), D("160.00"), D("816.00"))


def test_a_tax_the_buyer_pays_to_the_state_is_part_of_the_total_and_not_due() -> None:
    totals = compute(readable.invoice("it-split-payment")).totals
    assert (totals.gross, totals.paid_by_buyer, totals.due) == (D("1220.00"), D("220.00"), D("1000.00"))


def test_a_line_is_quantity_times_price_by_base_quantity_and_its_own_allowances() -> None:
    line = Line(
        quantity=D(3),
        price=Price(net=D("10.005"), base_quantity=D(2)),
        allowances=(AllowanceCharge(amount=D(1)),),
        charges=(AllowanceCharge(amount=D("0.50")),),
    )
    assert line_net(line) == D("14.51")


def test_a_line_without_quantity_or_price_has_no_computed_amount() -> None:
    assert line_net(Line(quantity=D(1))) is None
    assert line_net(Line(price=Price(net=D(1)))) is None


def test_the_subtotal_of_a_line_undoes_its_allowances_and_charges() -> None:
    line = Line(net_amount=D(95), allowances=(AllowanceCharge(amount=D(10)),), charges=(AllowanceCharge(amount=D(5)),))
    assert line_subtotal(line) == D(100)
    assert line_subtotal(Line()) is None


# --- differences ------------------------------------------------------------------------------------------------------

#: A cent more in one issued amount of de-invoice: the term whose finding must name it.
WRONG = {
    "lines": "BT-106", "allowances": "BT-107", "charges": "BT-108", "net": "BT-109", "tax": "BT-110",
    "gross": "BT-112", "due": "BT-115",
}  # fmt: skip


@pytest.mark.parametrize("field", WRONG)
def test_a_total_that_is_a_cent_off_is_found_with_both_amounts(field: str) -> None:
    invoice = readable.invoice("de-invoice")
    assert invoice.totals is not None
    stated = getattr(invoice.totals, field) + D("0.01")
    wrong = invoice.model_copy(update={"totals": invoice.totals.model_copy(update={field: stated})})
    (finding,) = differences(wrong, severity=Severity.FATAL)
    assert (finding.rule, finding.term, finding.path) == ("EINV-SUM-01", WRONG[field], f"$.totals.{field}")
    assert (finding.found, finding.expected) == (str(stated), str(stated - D("0.01")))
    assert finding.fatal
    assert finding.fix
    assert finding.clause


def test_a_line_that_is_a_cent_off_is_found_by_its_position() -> None:
    invoice = readable.invoice("de-invoice")
    first = invoice.lines[0].model_copy(update={"price": Price(net=D("79.91"))})
    (finding,) = differences(invoice.model_copy(update={"lines": (first, *invoice.lines[1:])}))
    assert (finding.rule, finding.term, finding.path) == ("EINV-SUM-02", "BT-131", "$.lines[0].net_amount")


def test_a_tax_row_that_is_a_cent_off_is_found_though_the_rules_would_pass_it() -> None:
    """BR-CO-17 of the published rules tolerates a difference below 1.00."""
    invoice = readable.invoice("de-invoice")
    row = invoice.tax_breakdown[1].model_copy(update={"amount": D("25.72")})
    (finding,) = differences(invoice.model_copy(update={"tax_breakdown": (invoice.tax_breakdown[0], row)}))
    assert (finding.rule, finding.path) == ("EINV-SUM-03", "$.tax_breakdown[1].amount")


def test_a_withheld_sum_that_its_rows_do_not_confirm_is_found() -> None:
    invoice = readable.invoice("it-withholding")
    assert invoice.totals is not None
    totals = invoice.totals.model_copy(update={"withheld": D("150.00"), "due": D("826.00")})
    (finding,) = differences(invoice.model_copy(update={"totals": totals}))
    assert finding.term == "EX-70"


def test_what_is_not_issued_is_not_compared() -> None:
    assert differences(Invoice(currency="EUR", lines=lines("100.00"))) == []


@given(st.lists(CENTS, max_size=30))
def test_the_net_total_is_the_exact_sum_of_the_lines(amounts: list[D]) -> None:
    invoice = Invoice(currency="EUR", lines=tuple(Line(net_amount=amount) for amount in amounts))
    totals = compute(invoice).totals
    assert totals.lines == totals.net == totals.gross == sum(amounts, D(0))


@given(st.lists(CENTS, max_size=20), st.permutations(range(20)))
def test_the_order_of_the_lines_changes_nothing(amounts: list[D], order: list[int]) -> None:
    mixed = [amounts[at] for at in order if at < len(amounts)]
    one = compute(Invoice(currency="EUR", lines=lines(*map(str, amounts)))).totals
    assert one == compute(Invoice(currency="EUR", lines=lines(*map(str, mixed)))).totals


def test_tax_amounts_that_a_line_leaves_out_are_computed_and_told() -> None:
    """UBL states the tax of a line, not that of each jurisdiction; INVOIC the reverse."""
    invoice = readable.invoice("us-invoice")
    line = invoice.lines[0]
    bare = tuple(tax.model_copy(update={"amount": None, "base": None}) for tax in line.taxes)
    of_ubl = invoice.model_copy(update={"lines": (line.model_copy(update={"taxes": bare}),)})
    full, told = completed_taxes(of_ubl)
    assert [tax.amount for tax in full.lines[0].taxes] == [D("336.70"), D("199.43")]
    assert [(one.rule, one.path, one.found) for one in told] == [
        ("EINV-WRITE-02", "$.lines[0].taxes[0].amount", "336.70"),
        ("EINV-WRITE-02", "$.lines[0].taxes[1].amount", "199.43"),
    ]
    of_invoic = invoice.model_copy(update={"lines": (line.model_copy(update={"tax_amount": None}),)})
    full, told = completed_taxes(of_invoic)
    assert full.lines[0] == line
    assert [(one.term, one.found) for one in told] == [("EX-93", "536.13")]


@pytest.mark.parametrize("change", [{"tax_amount": D("536.14")}, {"net_amount": None}])
def test_tax_amounts_are_not_computed_where_they_do_not_add_up(change: dict[str, D | None]) -> None:
    invoice = readable.invoice("us-invoice")
    bare = tuple(tax.model_copy(update={"amount": None, "base": None}) for tax in invoice.lines[0].taxes)
    line = invoice.lines[0].model_copy(update={"taxes": bare, **change})
    given = invoice.model_copy(update={"lines": (line,)})
    assert completed_taxes(given) == (given, [])


def test_an_invoice_without_tax_amounts_in_its_lines_stays_so() -> None:
    assert completed_taxes(readable.invoice("de-invoice")) == (readable.invoice("de-invoice"), [])
