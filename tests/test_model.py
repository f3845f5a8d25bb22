"""The canonical invoice: what it holds, what it refuses, and its one byte form."""

from __future__ import annotations

import json
import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from pydantic import ValidationError

from einvoice import terms
from einvoice.model import Invoice, Line, Totals, canonical, digest, is_credit, leaves, to_json
from tests import readable
from tests.invoices import invoices

MANY = settings(
    max_examples=8,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
ANY = invoices(set(terms.TERMS), {}, lambda raw: None)


@pytest.mark.parametrize(
    "amount", ["NaN", "-NaN", "sNaN", "Infinity", "-inf", "1E3", "1e999999999", "1,5", "1 000", "0x10", "", "١٢"]
)
def test_text_that_is_no_plain_number_is_refused(amount: str) -> None:
    with pytest.raises(ValidationError, match="plain decimal number"):
        Totals.model_validate({"net": amount})


@pytest.mark.parametrize("amount", [1.5, float("nan"), float("inf"), True, object(), b"1"])
def test_values_that_are_no_decimal_are_refused(amount: Any) -> None:
    with pytest.raises(ValidationError):
        Totals.model_validate({"net": amount})


@pytest.mark.parametrize("amount", [Decimal("NaN"), Decimal("Infinity")])
def test_a_decimal_without_value_is_refused(amount: Decimal) -> None:
    with pytest.raises(ValidationError):
        Totals(net=amount)


@pytest.mark.parametrize("amount", ["12.00", "-0.5", "+3", ".5", "12345678901234567890.1234567890", "0.000"])
def test_issued_digits_are_kept(amount: str) -> None:
    assert Totals.model_validate({"net": amount}).net == Decimal(amount)
    assert str(Totals.model_validate({"net": amount}).net) == str(Decimal(amount))


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        Invoice.model_validate({"nummer": "1"})


def test_an_invoice_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Invoice().number = "1"  # type: ignore[misc]


def test_every_field_may_be_absent() -> None:
    assert list(leaves(Invoice())) == []
    assert to_json(Invoice()) == "{}"


def test_codes_are_kept_whatever_they_are() -> None:
    """An unknown currency or type is a matter of the rules; the model says what was stated."""
    invoice = Invoice(currency="XQQ", type_code="999")
    assert (invoice.currency, invoice.type_code) == ("XQQ", "999")


def test_a_date_with_a_time_is_no_date() -> None:
    with pytest.raises(ValidationError):
        Invoice.model_validate_json('{"issue_date": "2026-01-02T10:00:00"}')


@MANY
@given(ANY)
def test_json_gives_back_every_invoice(invoice: Invoice) -> None:
    assert Invoice.model_validate_json(to_json(invoice)) == invoice


@MANY
@given(ANY)
def test_json_has_no_number_that_is_not_text(invoice: Invoice) -> None:
    def floats(text: str) -> None:
        raise AssertionError(text)

    json.loads(to_json(invoice), parse_float=floats, parse_int=floats)


@MANY
@given(ANY)
def test_leaves_name_each_value_with_a_registered_path(invoice: Invoice) -> None:
    for path, value in leaves(invoice):
        assert value is not None
        assert terms.at(re.sub(r"\[\d+\]", "[]", path))


def test_leaves_of_a_sub_line_carry_their_positions() -> None:
    line = Line(id="1", sub_lines=(Line(id="1.1", quantity=Decimal(2)),))
    assert dict(leaves(Invoice(lines=(line,)))) == {
        "lines[0].id": "1",
        "lines[0].sub_lines[0].id": "1.1",
        "lines[0].sub_lines[0].quantity": Decimal(2),
    }


def test_equal_content_has_one_digest_whatever_its_digits() -> None:
    one = Invoice(number="1", totals=Totals(net=Decimal("10.00"), due=Decimal("0")))
    other = Invoice(totals=Totals(due=Decimal("0.00"), net=Decimal("10")), number="1")
    assert canonical(one) == canonical(other)
    assert digest(one) == digest(other)


def test_minus_zero_and_zero_are_one_content() -> None:
    assert digest(Invoice(totals=Totals(net=Decimal("-0.00")))) == digest(Invoice(totals=Totals(net=Decimal(0))))


@pytest.mark.parametrize("name", readable.names())
def test_another_value_has_another_digest(name: str) -> None:
    invoice = readable.invoice(name)
    changed = invoice.model_copy(update={"issue_date": date(2020, 1, 1)})
    assert digest(changed) != digest(invoice)


def test_the_canonical_form_has_no_exponent() -> None:
    assert b"1000000" in canonical(Invoice(totals=Totals(net=Decimal("1000000.00"))))
    assert b"0.0000001" in canonical(Invoice(totals=Totals(net=Decimal("0.00000010"))))


def test_credit_types_are_credits() -> None:
    assert is_credit(Invoice(type_code="381"))
    assert not is_credit(Invoice(type_code="380"))
    assert not is_credit(Invoice(type_code="383"))
    assert not is_credit(Invoice())
