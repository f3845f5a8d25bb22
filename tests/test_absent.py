"""What a profile lets stand in for what an invoice leaves out: used, reported, never where the invoice states it."""

from __future__ import annotations

from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from einvoice import formats
from einvoice.errors import ConfigError, Finding, Severity, fatal
from einvoice.exchange import Document
from einvoice.model import Invoice, Line, Tax, Totals
from einvoice.totals import broken_down, completed
from tests import readable

ABROAD: dict[str, dict[str, Any]] = {
    "fatturapa": {
        "sender": {"code": "99999000013"}, "regime": "RF18", "natures": {"O": "N2.1"},
        "absent_totals": "compute", "absent_tax": {"category": "O", "exemption_reason": "Not subject"},
        "absent_terms": {"BT-31": "OO99999999999", "BT-48": "IT99999000021"},
    },
    "facturae": {
        "absent_totals": "compute", "absent_tax": {"category": "O", "exemption_reason": "Not subject"},
        "absent_terms": {"BT-31": "US991234567", "BT-48": "ESP9999900E", "BT-81": "30"},
    },
}  # fmt: skip


def write(name: str, invoice: Invoice, **more: Any) -> Document:
    return formats.get(name, **{**ABROAD[name], **more}).write(invoice, readable.IDS)


def used(document: Document) -> dict[str, str]:
    """Places and values of what stood in, all of it as information."""
    found = [one for one in document.losses if one.rule in ("EINV-WRITE-02", "EINV-WRITE-03")]
    assert {one.severity for one in found} <= {Severity.INFO}
    return {one.path.removeprefix("$."): one.found for one in found}


@pytest.mark.parametrize("name", ABROAD)
def test_an_invoice_from_abroad_is_held_without_the_profile_and_valid_with_it(name: str, reference: Path) -> None:
    invoice = readable.invoice("us-invoice")
    bare = write(name, invoice, absent_terms={}, absent_tax=None, absent_totals="refuse")
    assert fatal(bare.losses)
    whole = write(name, invoice)
    assert fatal(whole.losses) == []
    assert used(whole)["buyer.vat_id"] == ABROAD[name]["absent_terms"]["BT-48"]
    assert formats.schema_verdict(whole).status == "valid"


@pytest.mark.parametrize(("name", "fixture"), [("fatturapa", "goods"), ("facturae", "es-canaries")])
def test_what_the_invoice_states_nothing_stands_in_for(name: str, fixture: str) -> None:
    invoice = readable.invoice(fixture, name)
    stated = {"absent_terms": {"BT-31": "XX1", "BT-48": "XX2", "BT-126": "7", "BT-81": "97", "BT-22": "never"}}
    document = write(name, invoice, **stated)
    assert document.data == write(name, invoice, absent_terms={}).data
    assert not {path for path in used(document) if not path.startswith("totals.")}


def test_a_term_of_a_repeated_group_is_filled_in_each_and_none_is_added_but_means_of_payment() -> None:
    invoice = Invoice(lines=(Line(id="1"), Line(id="2", quantity=D("3"))))
    terms = {"BT-129": "1", "BT-81": "30", "BT-25": "0", "BT-75": "Dock 3"}
    assert used(write("facturae", invoice, absent_terms=terms, absent_tax=None)) == {
        "lines[0].quantity": "1", "payment.means[0].code": "30", "delivery.address.line_1": "Dock 3",
    }  # fmt: skip


def test_a_charge_without_tax_gets_none_and_one_with_another_tax_does() -> None:
    sales = Tax(scheme="SALES", rate=D("6.5"))
    invoice = Invoice.model_validate({"charges": [{"amount": "1"}, {"amount": "2", "taxes": [sales]}]})
    assert [path for path in used(write("fatturapa", invoice)) if path.startswith("charges")] == ["charges[1].taxes"]
    assert [path for path in used(write("facturae", invoice)) if path.startswith("charges")] == []


@pytest.mark.parametrize(
    ("terms", "said"), [({"BT-999": "x"}, "no term 'BT-999'"), ({"BT-151": "O"}, "set absent_tax")]
)
def test_a_term_that_cannot_stand_in_is_a_fault_of_the_profile(terms: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        formats.get("facturae", absent_terms=terms)


def test_a_value_that_the_term_cannot_have_is_a_fault_of_the_profile() -> None:
    with pytest.raises(ConfigError, match="'many' is no value of BT-129"):
        write("facturae", Invoice(lines=(Line(),)), absent_terms={"BT-129": "many"})


# --- sums that follow -------------------------------------------------------------------------------------------------

_VAT = Tax(scheme="VAT", category="S", rate=D("20"))
_LINES = (Line(net_amount=D("60.00"), taxes=(_VAT,)), Line(net_amount=D("40.00"), taxes=(_VAT,)))
_ROW = _VAT.model_copy(update={"amount": D("20.00")})
_HELD = Tax(scheme="WITHHOLDING", effect="withheld", amount=D("15.00"))


def totals(rows: tuple[Tax, ...], **stated: D) -> tuple[Totals | None, list[Finding]]:
    invoice, found = completed(Invoice(lines=_LINES, tax_breakdown=rows, totals=Totals(**stated)))
    return invoice.totals, found


def test_totals_follow_from_lines_and_breakdown() -> None:
    found, said = totals((_ROW, _HELD))
    assert found == Totals(lines=D("100.00"), net=D("100.00"), tax=D("20.00"), withheld=D("15.00"),
                           gross=D("120.00"), due=D("105.00"))  # fmt: skip
    assert [one.term for one in said] == ["BT-110", "EX-70", "BT-106", "BT-109", "BT-112", "BT-115"]


def test_totals_that_the_stated_ones_contradict_are_not_computed() -> None:
    assert totals((_ROW,), gross=D("121.00")) == (Totals(gross=D("121.00")), [])
    assert totals((_ROW, _HELD), due=D("120.00")) == (Totals(due=D("120.00")), [])


def test_a_tax_total_is_not_the_sum_of_rows_one_of_which_states_no_amount() -> None:
    found, said = totals((_ROW, _VAT), gross=D("100.00"))
    assert found is not None
    assert found.tax is None
    assert "BT-110" not in {one.term for one in said}


def test_a_breakdown_follows_from_the_taxes_of_the_lines() -> None:
    invoice, said = broken_down(Invoice(lines=_LINES))
    assert invoice.tax_breakdown == (_ROW.model_copy(update={"base": D("100.00")}),)
    assert [(one.rule, one.term) for one in said] == [("EINV-WRITE-02", "BG-23")]


@pytest.mark.parametrize(("amount", "base"), [("20.00", D("100.00")), ("19.99", None)])
def test_a_base_is_computed_where_it_confirms_the_amount(amount: str, base: D | None) -> None:
    row = _VAT.model_copy(update={"amount": D(amount)})
    invoice, said = broken_down(Invoice(lines=_LINES, tax_breakdown=(row,)))
    assert invoice.tax_breakdown[0].base == base
    assert len(said) == (base is not None)
