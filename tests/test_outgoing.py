"""An invoice on its way is judged as it will be written: what the model leaves to the format will be there."""

from __future__ import annotations

import re
from argparse import Namespace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from einvoice import rules
from einvoice.cli import _home as cli
from einvoice.exchange import Environment
from einvoice.pipeline import checked, choose
from tests import home as homes
from tests.broken import VALID, made

NOWHERE = homes.Place("https://localhost:1/none", None, "unused")
CUSTOMER = "larkfield-de-test"
ON = date(2026, 11, 1)
#: The valid invoice between the seller of the house policy and the customer of the profile.
PARTIES = {"seller.vat_id": "DE999111008", "buyer.vat_id": "DE999111016", "buyer.address.country": "DE",
           "buyer.name": "Lerchenfeld Motoren GmbH", "purchase_order": {"id": "4500781234"}}  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> homes.Home:
    """A home whose only customer takes XRechnung in UBL from the folder ``out``."""
    home = homes.make(tmp_path / "home", NOWHERE, ())
    (home.path / "house" / "law-override.toml").unlink()
    (home.path / "out").mkdir()
    text = (homes.FIXTURES / "profiles" / f"{CUSTOMER}.profile.toml").read_text("utf-8").replace("\r\n", "\n")
    text = re.sub(r"^network .*\n|^\[transport\]\n(.+\n)+", "", text, flags=re.MULTILINE)
    text += (
        '[want]\nformats = ["xrechnung-3.0/ubl"]\nchannels = ["sftp-van"]\n'
        f'[format]\nkind = "ubl"\n[transport]\nkind = "folder"\noutbox = "{home.path / "out"}"\n'
    )
    file = home.path / "customer.profile.toml"
    file.write_text(text, "utf-8")
    for words in (("profile", "add", file), ("profile", "live", CUSTOMER)):
        said = home(*words)
        assert said.code == 0, said.text
    return home


def without_schemes(raw: Any) -> Any:
    """*raw* with no tax that names its scheme."""
    if isinstance(raw, dict):
        return {name: without_schemes(value) for name, value in raw.items() if (name, value) != ("scheme", "VAT")}
    return [without_schemes(one) for one in raw] if isinstance(raw, list) else raw


def test_the_pipeline_takes_a_tax_that_names_no_scheme_for_the_vat_that_it_will_write(home: homes.Home) -> None:
    named, unnamed = made(VALID, PARTIES), made(without_schemes(VALID), PARTIES)
    with home.ledger() as ledger:
        choice = choose(unnamed, Environment.TEST, cli.Home(Namespace(home=str(home.path))).settings(ledger), ON)
    assert choice.sendable
    found = checked(unnamed, choice)
    assert found == checked(named, choice)
    assert not [one for one in found if one.rule.startswith(("BR-CO-", "BR-S-"))]


@pytest.mark.parametrize("syntax", ["ubl", "cii"])
def test_a_document_that_came_in_has_to_say_that_its_tax_is_vat(syntax: str) -> None:
    unnamed = made(without_schemes(VALID))
    assert "BR-CO-04" in {one.rule for one in rules.check(unnamed, on=ON, syntax=syntax)}
    assert rules.check(unnamed, on=ON, syntax=syntax, outgoing=True) == []
