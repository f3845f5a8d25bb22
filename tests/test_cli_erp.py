"""An ERP's files on the command line: many invoices in one file, the template, what is read only."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from tests import home as homes
from tests.tables import FIXTURES

CSV, IDOC = FIXTURES / "csv", FIXTURES / "idoc"
WAREHOUSE = (CSV / "warehouse.csv", "--columns", CSV / "warehouse.columns.toml")


@pytest.fixture
def json_lines(tmp_path: Path) -> Path:
    """Three invoices, and a line between that is none."""
    lines = [json.dumps(homes.invoice(number)) for number in ("L-1", "L-2", "L-3")]
    path = tmp_path / "many.jsonl"
    path.write_text("\n".join([lines[0], '{"number": 1.5}', *lines[1:]]) + "\n", "utf-8")
    return path


def sources(place: Path) -> dict[str, bytes]:
    """The source kept beside each document of the ledger in *place*, by number."""
    with sqlite3.connect(place / "ledger.sqlite") as ledger:
        tables = "select d.number, r.source from revision r join document d on d.id = r.document_id"
        return dict(ledger.execute(tables).fetchall())


def test_json_lines_go_through_check_submit_and_convert_one_by_one(json_lines: Path, tmp_path: Path) -> None:
    checked = homes.typed("--home", tmp_path / "h", "check", json_lines, "--json")
    assert [row["number"] for row in checked.rows] == ["L-1", "", "L-2", "L-3"]
    assert [finding["place"] for finding in checked.rows[1]["findings"]] == ["line 2"]
    submitted = homes.typed("--home", tmp_path / "h", "submit", json_lines, "--json")
    assert [row["outcome"] for row in submitted.rows] == ["new", "refused", "new", "new"]
    again = homes.typed("--home", tmp_path / "h", "submit", json_lines, "--json")
    assert [row["outcome"] for row in again.rows] == ["same", "refused", "same", "same"]
    (tmp_path / "out").mkdir()
    converted = homes.typed("convert", json_lines, "--to", "ubl", "-o", tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["L-1.xml", "L-2.xml", "L-3.xml"]
    assert (checked.code, submitted.code, again.code, converted.code) == (1, 1, 1, 1)
    assert "[line 2]" in converted.err


def test_one_file_of_many_without_a_directory_is_refused_and_says_how(json_lines: Path) -> None:
    said = homes.typed("convert", json_lines, "--to", "ubl")
    assert (said.code, said.out) == (1, "")
    assert "4 invoices, one is wanted" in said.err
    assert "-o DIRECTORY" in said.err


def test_many_invoices_with_one_number_or_a_number_that_is_a_path_stay_in_the_directory(tmp_path: Path) -> None:
    path, out = tmp_path / "many.jsonl", tmp_path / "out"
    out.mkdir()
    numbers = ("../../etc/x", "A 1", "A-1", "ÄÖ", "")
    path.write_text("\n".join(json.dumps(homes.invoice(number)) for number in numbers), "utf-8")
    said = homes.typed("convert", path, "--to", "json", "-o", out, "--loss", tmp_path / "loss.jsonl")
    assert said.code == 0
    names = sorted(one.name for one in out.iterdir())
    assert names == ["A-1.2.json", "A-1.json", "etc-x.json", "invoice.2.json", "invoice.json"]
    assert sorted(one.name for one in tmp_path.iterdir()) == ["loss.jsonl", "many.jsonl", "out"]


def test_a_csv_file_is_submitted_invoice_by_invoice_each_with_its_rows(tmp_path: Path) -> None:
    said = homes.typed("--home", tmp_path / "h", "submit", *WAREHOUSE, "--json")
    assert [(row["number"], row["outcome"]) for row in said.rows] == [("R-4711", "new"), ("R-4712", "new")]
    kept = sources(tmp_path / "h")
    assert kept["R-4712"].count(b"\n") == 2
    assert b"R-4711" in kept["R-4711"]
    assert b"R-4712" not in kept["R-4711"]


def test_a_csv_invoice_with_a_fault_is_held_and_the_others_go_on(tmp_path: Path) -> None:
    path = tmp_path / "w.csv"
    path.write_bytes((CSV / "warehouse.csv").read_bytes().replace(b"1.250,00", b"1.25,00"))
    said = homes.typed("--home", tmp_path / "h", "submit", path, *WAREHOUSE[1:], "--json")
    assert [(row["number"], bool(row["held"])) for row in said.rows] == [("R-4711", True), ("R-4712", False)]
    assert said.rows[0]["held"][0]["place"] == 'line 2, column "Betrag"'
    assert said.code == 1


def test_lines_of_a_file_of_their_own_are_given_with_lines(tmp_path: Path) -> None:
    (tmp_path / "h.csv").write_text("No,Date\nA1,2026-10-05\n", "utf-8")
    (tmp_path / "l.csv").write_text("No,Amount\nA1,7\n", "utf-8")
    (tmp_path / "m.toml").write_text('[columns]\nNo = "BT-1"\nDate = "BT-2"\n[lines]\nNo = "BT-1"\nAmount = "BT-131"\n')
    words = ("show", tmp_path / "h.csv", "--columns", tmp_path / "m.toml", "--json")
    said = homes.typed(*words, "--lines", tmp_path / "l.csv")
    assert json.loads(said.out)["lines"] == [{"net_amount": "7"}]
    assert "the lines stand elsewhere" in homes.typed(*words).text
    assert "cannot be opened" in homes.typed(*words, "--lines", tmp_path / "none.csv").text
    other = homes.typed("show", IDOC / "de-invoice.xml", "--lines", tmp_path / "l.csv")
    assert (other.code, "leave --lines out" in other.text) == (2, True)


@pytest.mark.parametrize("name", ["csv", "xlsx", "idoc"])
def test_what_is_read_only_is_said_to_be_so(name: str, tmp_path: Path) -> None:
    said = homes.typed("convert", FIXTURES / "ubl" / "de-invoice.xml", "--to", name)
    assert said.code == 2
    assert f"{name} is read only. Fix: choose one of cii" in said.err
    text = (FIXTURES / "profiles" / "larkfield-de-test.profile.toml").read_text("utf-8")
    (tmp_path / "p.toml").write_text(f'{text}\n[format]\nkind = "{name}"\n', "utf-8")
    checked = homes.typed("--home", tmp_path, "profile", "check", tmp_path / "p.toml")
    assert checked.code == 1
    assert f"no format '{name}'" in checked.text


def test_columns_are_for_files_that_need_them() -> None:
    said = homes.typed("check", FIXTURES / "ubl" / "de-invoice.xml", *WAREHOUSE[1:])
    assert (said.code, "leave --columns out" in said.text) == (2, True)
    said = homes.typed("check", IDOC / "de-invoice.xml", *WAREHOUSE[1:])
    assert (said.code, "delimiter: no such key" in said.text) == (2, True)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_template_is_written_and_can_be_checked_at_once(kind: str, tmp_path: Path) -> None:
    path, columns = tmp_path / f"t.{kind}", tmp_path / "c.toml"
    assert homes.typed("template", kind, "-o", path).code == 0
    assert homes.typed("template", "columns", "-o", columns).code == 0
    for words in ((path,), (path, "--columns", columns)):
        said = homes.typed("--home", tmp_path, "check", *words)
        assert (said.code, "2026-0001: no fatal finding" in said.out) == (0, True)
    assert homes.typed("template", "ods").code == 2


def test_a_workbook_goes_the_way_of_its_csv(tmp_path: Path) -> None:
    said = homes.typed("--home", tmp_path / "h", "submit", FIXTURES / "xlsx" / "invoices.xlsx", "--json")
    assert [row["outcome"] for row in said.rows] == ["new"] * 3
    again = homes.typed("--home", tmp_path / "h", "submit", CSV / "invoices.csv", "--json")
    assert [row["outcome"] for row in again.rows] == ["same"] * 3
