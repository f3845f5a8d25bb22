"""What the names after ``ubl:`` and ``cii:`` promise."""

from __future__ import annotations

import io
import tomllib
from datetime import date
from pathlib import Path

import pytest
from lxml import etree

import einvoice.specifications
from einvoice import formats
from einvoice.countries import laws
from einvoice.errors import ConfigError
from einvoice.official.sets import asked_for
from einvoice.specifications import names, specification, specifications
from tests import readable

EVERY = [(format, row.name) for row in specifications() for format in row.formats]


@pytest.mark.parametrize(("format", "name"), EVERY, ids=lambda part: str(part))
def test_a_name_sets_bt_24_and_bt_23_and_the_schema_holds(format: str, name: str) -> None:
    document = formats.get(f"{format}:{name}").write(readable.invoice("fr-invoice"), readable.IDS)
    again = next(iter(formats.get(format).read(io.BytesIO(document.data)))).invoice
    row = specification(format, name, again.issue_date)
    assert again.specification == row.id
    assert not row.process or again.process == row.process
    assert formats.schema_verdict(document).status in ("valid", "not run")


@pytest.mark.parametrize(("format", "name"), EVERY, ids=lambda part: str(part))
def test_documents_by_a_name_find_their_official_rules(format: str, name: str) -> None:
    document = formats.get(f"{format}:{name}").write(readable.invoice("fr-invoice"), readable.IDS)
    root = etree.fromstring(document.data)
    assert asked_for(root)


def test_a_name_that_is_not_known_names_those_that_are() -> None:
    with pytest.raises(ConfigError, match="no specification 'xrechnug'") as error:
        formats.get("cii:xrechnug")
    assert "xrechnung" in error.value.fix
    assert "pint-aunz" not in names("cii")


def test_a_specification_before_its_day_is_told_and_not_refused() -> None:
    early = readable.invoice("fr-invoice").model_copy(update={"issue_date": date(2024, 5, 1)})
    document = formats.get("ubl:pint-aunz").write(early, readable.IDS)
    assert [(one.rule, one.found, one.expected) for one in document.losses] == [
        ("EINV-SPEC-01", "2024-05-01", "in force from 2025-05-15")
    ]


def test_goods_and_services_tax_where_the_specification_asks_for_it() -> None:
    """PINT A-NZ: TaxScheme is GST in every category that names none; a stated one stays."""
    data = formats.get("ubl:pint-aunz").write(readable.invoice("fr-invoice"), readable.IDS).data
    schemes = etree.fromstring(data).xpath(
        "//*[local-name()='ClassifiedTaxCategory']/*[local-name()='TaxScheme']/*/text()"
    )
    assert set(schemes) == {"GST"}


def test_every_row_cites_a_source_and_laws_find_their_identifiers() -> None:
    file = tomllib.loads(Path(einvoice.specifications.__file__).with_suffix(".toml").read_text("utf-8"))
    cited = {source for row in specifications() for source in row.sources}
    assert cited == {row["id"] for row in file["source"]}
    assert laws().formats["xrechnung-3.0/cii"].customization == specification("cii", "xrechnung").id
    assert laws().formats["peppol-bis-3"].process == "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
