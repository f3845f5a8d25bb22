"""The command line as people and programs type it: what it says, and the exit code it ends with.

0 all done, 1 something needs a person, 2 usage or configuration, 3 could not start, 4 does not balance.
A traceback is a failure everywhere: commands run in this process let it out.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from einvoice import formats
from einvoice.exchange import Environment, Identity
from einvoice.ledger import Ledger
from einvoice.sandbox.client import ControlClient
from einvoice.sandbox.fixtures import AribaEndpoint
from tests import home as homes

#: A network that no test here talks to: nothing listens on this port.
NOWHERE = homes.Place("https://localhost:1/cxml", None, "shared-secret-of-no-one")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> homes.Home:
    """A home with the US customer and the catch-all profile in force."""
    return homes.make(tmp_path_factory.mktemp("template") / "home", NOWHERE, (homes.EVERYTHING, homes.US))


@pytest.fixture
def home(template: homes.Home, tmp_path: Path) -> homes.Home:
    """A copy of the template, for one test."""
    copy = homes.Home(tmp_path / "home", dict(template.env))
    shutil.copytree(template.path, copy.path)
    return copy


@pytest.fixture
def online(tmp_path: Path, ariba_sandbox: AribaEndpoint) -> homes.Home:
    """A home whose documents go to a sandbox."""
    return homes.make(tmp_path / "online", ariba_sandbox)


@pytest.fixture(autouse=True)
def _tracebacks_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EINVOICE_TRACEBACK", "1")
    monkeypatch.delenv("EINVOICE_LEDGER", raising=False)


def one(folder: Path, *invoices: Any) -> Path:
    return homes.write(folder, *(invoices or (homes.invoice("G-1"),)))[0]


def as_ubl(file: Path) -> Path:
    """The invoice of a JSON file as UBL beside it."""
    read = next(iter(formats.read_file(file)))
    ids = Identity("x@example.com", datetime(2026, 1, 1, tzinfo=UTC), Environment.TEST)
    target = file.with_suffix(".xml")
    target.write_bytes(formats.get("ubl").write(read.invoice, ids).data)
    return target


# --- files that cannot be used ----------------------------------------------------------------------------------------

UNUSABLE = {
    "truncated.json": (b'{"number": "B-1",', "not JSON"),
    "list.json": (b"[1]", "none of the readable formats"),
    "number.json": (json.dumps({**homes.invoice("F-1"), "totals": {"due": 1.5}}).encode(), "$.totals.due"),
    "nan.json": (b'{"number": "N-1", "totals": {"due": NaN}}', "nan is not an amount"),
    "unknown-key.json": (b'{"number": "N-1", "nummer": "2"}', "no such field"),
    "twice.json": (b'{"number": "1", "number": "2"}', "stands twice"),
    "empty.json": (b"", "the file is empty"),
    "binary.pdf": (b"\x00\x01\x02\xff", "none of the readable formats"),
    "other.xml": (b"<Invoice/>", "which no readable format has"),
    "truncated.xml": (
        b'<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"><a>', "not well-formed",
    ),
    "doctype.xml": (
        b'<!DOCTYPE a [<!ENTITY b "c">]><Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"/>',
        "DOCTYPE",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", UNUSABLE)
@pytest.mark.parametrize("command", ["check", "show", "convert", "decide", "submit"])
def test_a_file_that_cannot_be_read_is_one_error_that_says_where_and_what_next(
    home: homes.Home, tmp_path: Path, command: str, name: str
) -> None:
    data, words = UNUSABLE[name]
    file = tmp_path / name
    file.write_bytes(data)
    said = home(command, file, *(("--to", "ubl") if command == "convert" else ()))
    assert said.code == 1
    assert str(file) in said.text
    assert words in said.text
    assert "Fix:" in said.text
    assert said.text.count("\n") <= 2
    assert home.states() == {}


@pytest.mark.parametrize("command", ["show", "convert", "decide", "submit"])
@pytest.mark.parametrize(("name", "why"), [("none.json", "No such file"), (".", "directory")])
def test_a_path_that_is_no_file_is_a_fault_of_usage(
    home: homes.Home, tmp_path: Path, command: str, name: str, why: str
) -> None:
    said = home(command, tmp_path / name, *(("--to", "ubl") if command == "convert" else ()))
    assert said.code == 2
    assert why in said.text
    assert str(tmp_path) in said.text


def test_check_names_a_path_that_is_no_file_as_a_finding_beside_those_of_the_others(
    home: homes.Home, tmp_path: Path
) -> None:
    good = one(tmp_path)
    said = home("check", tmp_path / "none.json", good, "--json")
    assert said.code == 1
    assert [row["valid"] for row in said.rows] == [False, True]


@pytest.mark.parametrize("command", ["check", "show", "decide", "submit"])
def test_a_program_gets_json_for_an_error_too(home: homes.Home, tmp_path: Path, command: str) -> None:
    (tmp_path / "bad.json").write_bytes(b"{")
    said = home(command, tmp_path / "bad.json", "--json")
    assert said.code == 1
    assert said.err == ""
    assert "not JSON" in json.dumps(said.last)


@pytest.mark.parametrize(
    "words",
    [
        ("check", "FILE", "--on", "yesterday"),
        ("decide", "FILE", "--on", "2026-02-30"),
        ("dispatch", "--business-date", "24.11.2026"),
        ("dispatch", "--patience", "-1"),
        ("dispatch", "--only", "nobody"),
        ("dispatch", "--extract", "/nowhere/at/all.csv"),
        ("worker", "--idle", "soon"),
        ("convert", "FILE", "--to", "klingon"),
        ("convert", "FILE", "--to", "ubl:klingon"),
        ("convert", "FILE", "--to", "ubl", "-o", "/nowhere/at/all.xml"),
        ("convert", "FILE", "--to", "ubl", "-o", "HOME/out.xml", "--loss", "HOME"),
        ("check", "FILE", "--rules", "nonsense"),
        ("check",),
        ("check", "--country", "/nowhere/at/all.toml"),
        ("check", "--network", "/nowhere/at/all.toml"),
        ("profile", "add", "/nowhere/at/all.toml"),
        ("profile", "live", "nobody"),
        ("profile", "suspend", "nobody"),
        ("profile", "show", "nobody"),
        ("profile", "history", "nobody"),
        ("partner", "pause", "nobody", "--reason", "x"),
        ("partner", "reopen", "nobody", "--reason", "x"),
        ("submit", "FILE", "--replaces", "G-1"),
        ("serve", "--inbound"),
        ("status", "NO-SUCH-NUMBER"),
        ("hold", "NO-SUCH-NUMBER", "--reason", "x"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_done_as_typed_ends_with_2_and_says_what_to_type(
    home: homes.Home, tmp_path: Path, words: tuple[str, ...]
) -> None:
    places = {"FILE": str(one(tmp_path)), "HOME": str(home.path), "HOME/out.xml": str(home.path / "out.xml")}
    said = home(*(places.get(word, word) for word in words))
    assert said.code == 2, said.text
    assert said.out == ""
    assert said.err.startswith("einvoice: ")
    assert "Fix: " in said.err
    assert home.states() == {}


@pytest.mark.parametrize(
    "words", [("nonsense",), ("status", "--nonsense"), ("profile",), ("hold", "G-1"), ("submit",), ("serve",),
              ("hold", "G-1", "--reason", "  ")], ids=" ".join,
)  # fmt: skip
def test_words_that_are_no_command_end_with_2_and_point_to_help(home: homes.Home, words: tuple[str, ...]) -> None:
    said = home(*words)
    assert said.code == 2
    assert "Try: einvoice" in said.err


def test_nothing_typed_shows_what_can_be_typed() -> None:
    said = homes.typed()
    assert said.code == 2
    assert "submit" in said.out


# --- where everything is kept -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [("status",), ("dispatch",), ("receive",), ("profile", "list")], ids=" ".join)
def test_a_mistyped_home_is_an_error_and_not_an_empty_ledger_that_balances(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    said = homes.typed("--home", tmp_path / "typo", *words)
    assert said.code == 3
    assert "no ledger here yet" in said.err
    assert not (tmp_path / "typo").exists()


def test_the_first_submit_makes_the_home(tmp_path: Path) -> None:
    said = homes.typed("--home", tmp_path / "new", "submit", one(tmp_path))
    assert said.code == 0
    assert (tmp_path / "new" / "ledger.sqlite").is_file()


def test_a_home_that_cannot_be_made_or_written_is_said_before_anything_is_done(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    said = homes.typed("--home", tmp_path / "file" / "home", "submit", one(tmp_path))
    assert said.code == 3
    assert "cannot be made" in said.err


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write everywhere")
def test_a_ledger_that_may_not_be_written_is_said(home: homes.Home, tmp_path: Path) -> None:
    for path in (*home.path.glob("ledger.sqlite*"), home.path):
        path.chmod(0o500)
    said = home("submit", one(tmp_path))
    home.path.chmod(0o700)
    assert said.code == 3


def test_a_corrupt_ledger_is_said_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "home" / "ledger.sqlite"
    path.parent.mkdir()
    path.write_bytes(b"this is no database" * 500)
    for words in (("status",), ("submit", one(tmp_path)), ("dispatch",)):
        said = homes.typed("--home", path.parent, *words)
        assert said.code == 3
        assert "cannot be opened" in said.err
    assert path.read_bytes() == b"this is no database" * 500


def test_a_ledger_damaged_inside_is_reported_by_the_invariants(home: homes.Home, tmp_path: Path) -> None:
    assert home("submit", one(tmp_path)).code == 0
    assert home("status", "--invariants").out == "the ledger is sound\n"
    with sqlite3.connect(home.path / "ledger.sqlite") as db:
        db.execute("update revision set canonical = cast(replace(canonical, '7129.57', '7129.58') as blob)")
    db.close()
    said = home("status", "--invariants", "--json")
    assert said.code == 4
    assert said.last["sound"] is False
    assert "contents that differ from their digest" in said.last["broken"][0]


@pytest.mark.parametrize(
    ("address", "words"),
    [("foo://x", "no address of a database"), ("sqlite://", "in memory forgets")],
)
def test_an_address_of_no_ledger_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, words: str
) -> None:
    monkeypatch.setenv("EINVOICE_LEDGER", address)
    said = homes.typed("status")
    assert said.code == 3
    assert words in said.err


def test_a_defect_of_ours_is_one_line_without_the_documents_words(
    home: homes.Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def defective(*_: object) -> int:
        raise ZeroDivisionError("words of a document")

    monkeypatch.delenv("EINVOICE_TRACEBACK")
    monkeypatch.setattr(Ledger, "counts", defective)
    said = home("status")
    assert said.code == 3
    assert said.err.startswith("einvoice: internal error: ZeroDivisionError in ")
    assert "words of a document" not in said.err
    assert said.err.count("\n") == 1


@pytest.mark.parametrize("name", ["house/example-us.toml", "house/law-override.toml"])
def test_a_policy_file_with_faults_stops_the_run_before_anything_is_sent(home: homes.Home, name: str) -> None:
    (home.path / name).write_text('schema = 1\nnonsense = "x"\nalso = "y"\n', "utf-8")
    said = home("dispatch")
    assert said.code == 2
    assert Path(name).name in said.err
    assert "nonsense: no such key" in said.err
    assert "also: no such key" in said.err
    with home.ledger() as ledger:
        assert ledger.runs() == []


# --- submit -----------------------------------------------------------------------------------------------------------


def test_the_same_content_in_another_format_is_the_same_document(home: homes.Home, tmp_path: Path) -> None:
    ubl = as_ubl(one(tmp_path, homes.invoice("DE-1", "de-invoice")))
    home("convert", ubl, "--to", "json", "-o", tmp_path / "same.json")
    text = (tmp_path / "same.json").read_text("utf-8")
    assert '"1725.84"' in text
    (tmp_path / "digits.json").write_text(text.replace('"1725.84"', '"1725.840"'), "utf-8")
    files = (ubl, tmp_path / "same.json", tmp_path / "digits.json")
    assert [home("submit", file, "--json").last["outcome"] for file in files] == ["new", "same", "same"]
    assert len(home.states()) == 1


def test_the_same_number_with_other_content_is_refused_with_what_to_do(home: homes.Home, tmp_path: Path) -> None:
    assert home("submit", one(tmp_path)).code == 0
    said = home("submit", one(tmp_path, homes.invoice("G-1", notes=[{"text": "other"}])))
    assert said.code == 1
    assert "G-1 already names another" in said.out
    assert "--replaces NUMBER" in said.out


def test_a_held_document_is_replaced_when_asked_and_says_so(home: homes.Home, tmp_path: Path) -> None:
    home("submit", one(tmp_path, homes.without_order("H-1")))
    home("dispatch", "--dry-run")
    said = home("submit", one(tmp_path, homes.invoice("H-1")), "--replaces", "H-1", "--reason", "order added", "--json")
    assert (said.code, said.last["outcome"]) == (0, "replaced")
    shown = home("status", "H-1")
    assert "replaced: order added" in shown.out


def test_a_replacement_keeps_its_number(home: homes.Home, tmp_path: Path) -> None:
    said = home("submit", one(tmp_path), "--replaces", "OTHER", "--reason", "x")
    assert said.code == 1
    assert "a replacement keeps its number" in said.out
    assert home.states() == {}


def test_a_bad_file_in_the_middle_leaves_the_rest_of_the_batch_as_it_is(home: homes.Home, tmp_path: Path) -> None:
    first, last = homes.write(tmp_path, homes.invoice("A"), homes.invoice("Z"))
    (tmp_path / "bad.json").write_bytes(b"{")
    said = home("submit", first, tmp_path / "bad.json", tmp_path / "none.json", last, "--json")
    assert said.code == 2  # the highest that applies: a path that is no file
    assert [row["outcome"] for row in said.rows] == ["new", "refused", "refused", "new"]
    assert home.states() == {"A": "planned", "Z": "planned"}


def test_a_bad_line_of_json_lines_leaves_the_others_as_they_are(home: homes.Home, tmp_path: Path) -> None:
    lines = [json.dumps(homes.invoice("A")), '{"number": ', json.dumps(homes.invoice("Z"))]
    (tmp_path / "batch.jsonl").write_text("\n".join(lines), "utf-8")
    said = home("submit", tmp_path / "batch.jsonl")
    assert said.code == 1
    assert "line 2" in said.out
    assert home.states() == {"A": "planned", "Z": "planned"}
    with home.ledger() as ledger:
        kept = [ledger.source(view.revision_id) for view in ledger.status()]
    assert kept == [f"{lines[0]}\n".encode(), lines[2].encode()]  # its own line, not the whole batch


def test_the_file_an_invoice_came_in_is_kept_byte_for_byte(home: homes.Home, tmp_path: Path) -> None:
    file = as_ubl(one(tmp_path, homes.invoice("DE-1", "de-invoice")))
    home("submit", file)
    with home.ledger() as ledger:
        assert ledger.source(home.view("DE-1").revision_id) == file.read_bytes()


def test_an_invoice_without_a_number_is_not_taken_in_and_every_lack_is_named(home: homes.Home, tmp_path: Path) -> None:
    file = tmp_path / "nameless.json"
    file.write_text(json.dumps(homes.invoice("x", issue_date=None) | {"number": ""}), "utf-8")
    said = home("submit", file)
    assert said.code == 1
    assert "the invoice number is not stated" in said.out
    assert "the issue date is not stated" in said.out


def test_a_currency_that_no_one_knows_is_one_finding_with_path_and_fix(home: homes.Home, tmp_path: Path) -> None:
    file = one(tmp_path, homes.invoice("X-1", currency="XQX"))
    (found,) = home("check", file, "--json").last["findings"]
    assert (found["rule"], found["term"], found["path"]) == ("BR-CL-04", "BT-5", "$.currency")
    assert found["fix"]
    home("submit", file)
    said = home("dispatch", "--dry-run", "--json")
    assert homes.counts(said.last) == {"held": 1}
    assert "XQX is not in the code list: currencies (ISO 4217)" in said.rows[0]["text"]


def test_a_document_of_100_mb_is_refused_unread_and_the_next_one_is_taken_in(home: homes.Home, tmp_path: Path) -> None:
    huge = {"huge.xml": b'<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2">', "huge.json": b"{ "}
    for name, head in huge.items():
        with (tmp_path / name).open("wb") as file:
            file.write(head)
            file.truncate(100_000_000)
    said = home("submit", *(tmp_path / name for name in huge), one(tmp_path), "--json")
    assert said.code == 1
    assert [row["outcome"] for row in said.rows] == ["refused", "refused", "new"]
    assert all("larger than 50 MiB" in row["message"] for row in said.rows[:2])
    assert home.states() == {"G-1": "planned"}


def test_hostile_files_are_refused_at_once_and_nothing_is_fetched(home: homes.Home, reference: Path) -> None:
    files = sorted((reference / "hostile").rglob("*.xml"))
    assert files
    said = home("submit", *files, "--json")
    assert said.code == 1
    assert [row["outcome"] for row in said.rows] == ["refused"] * len(files)
    assert all(row["message"] and row["fix"] for row in said.rows)
    assert home.states() == {}


@pytest.mark.parametrize(
    "body",
    [
        '<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">',
        '<!ENTITY c SYSTEM "file:///etc/hostname">',
        '<!ENTITY c SYSTEM "http://127.0.0.1:1/x">',
        '<!ENTITY % c SYSTEM "http://127.0.0.1:1/x"> %c;',
    ],
    ids=["bomb", "file", "address", "parameter"],
)
def test_an_invoice_that_declares_entities_is_refused(home: homes.Home, tmp_path: Path, body: str) -> None:
    ubl = as_ubl(one(tmp_path, homes.invoice("DE-1", "de-invoice")))
    text = ubl.read_text("utf-8").partition("?>")[2].replace("DE-1", "&c;" if "%" not in body else "DE-1", 1)
    ubl.write_text(f"<!DOCTYPE Invoice [{body}]>{text}", "utf-8")
    said = home("submit", ubl)
    assert said.code == 1
    assert "DOCTYPE" in said.out
    assert home.states() == {}


# --- check, show, convert, decide -------------------------------------------------------------------------------------


def test_a_good_invoice_is_checked_shown_and_converted(home: homes.Home, tmp_path: Path) -> None:
    file = one(tmp_path, homes.invoice("DE-1", "de-invoice"))
    assert home("check", file, "--json").last == {"file": str(file), "number": "DE-1", "valid": True, "findings": []}
    assert "Invoice DE-1 of 2026-10-05, EUR" in home("show", file).out
    assert json.loads(home("show", file, "--json").out)["number"] == "DE-1"
    assert home("convert", file, "--to", "ubl", "-o", tmp_path / "out.xml").code == 0
    again = json.loads(home("show", tmp_path / "out.xml", "--json").out)
    assert again["totals"] == json.loads(file.read_text("utf-8"))["totals"]


def test_what_a_format_cannot_carry_is_written_to_the_loss_report(home: homes.Home, tmp_path: Path) -> None:
    said = home("convert", one(tmp_path), "--to", "ubl", "-o", tmp_path / "out.xml", "--loss", tmp_path / "loss.jsonl")
    assert said.code in (0, 1)
    rows = [json.loads(line) for line in (tmp_path / "loss.jsonl").read_text("utf-8").splitlines()]
    lost = {row["term"] for row in rows if row["rule"] == "EINV-LOSS-01"}
    assert "EX-1400" in lost  # remit-to name: UBL has no place for it


def test_a_converted_document_on_standard_output_is_the_document_alone(home: homes.Home, tmp_path: Path) -> None:
    said = home("convert", one(tmp_path, homes.invoice("DE-1", "de-invoice")), "--to", "ubl")
    assert next(iter(formats.read(said.out.encode()))).invoice.number == "DE-1"


def test_decide_names_profile_rule_and_source(home: homes.Home, tmp_path: Path) -> None:
    file = one(tmp_path)
    said = home("decide", file)
    assert said.code == 0
    assert "profile larkfield-us-test version 1" in said.out
    decided = home("decide", file, "--json").last
    assert decided["profile"] == "larkfield-us-test version 1"
    told = json.dumps(decided)
    assert "cxml-1.2/InvoiceDetailRequest" in told
    assert "us." in told or "us-" in told  # the id of the rule of US law
    assert "source" in told


def test_decide_says_why_nothing_can_be_decided(tmp_path: Path) -> None:
    home = homes.make(tmp_path / "home", NOWHERE, profiles=())
    assert home("submit", one(tmp_path, homes.invoice("OTHER"))).code == 0
    said = home("decide", one(tmp_path))
    assert said.code == 1
    assert "no live profile for Larkfield Motors LLC" in said.out
    assert "Fix: add a profile" in said.out


# --- profiles ---------------------------------------------------------------------------------------------------------


def test_profile_check_names_every_fault_with_its_line_and_the_nearest_key(home: homes.Home, tmp_path: Path) -> None:
    text = homes.profile(homes.US, NOWHERE).replace("legal_name", "legal_nmae").replace('"USD"', '"US"')
    file = tmp_path / "faulty.profile.toml"
    file.write_text(text.replace("secret      = ", 'secret = "hunter2" # '), "utf-8")
    said = home("profile", "check", file)
    assert said.code == 1
    assert "did you mean legal_name?" in said.out
    assert "routing.currencies" in said.out
    assert "not a reference to a secret" in said.out
    assert "hunter2" not in said.text
    assert f"{file}: not usable" in said.out


def test_profile_check_of_a_good_file_shows_what_the_law_makes_of_it(home: homes.Home) -> None:
    said = home("profile", "check", home.path / f"{homes.US}.profile.toml", "--json")
    assert (said.code, said.last["valid"]) == (0, True)
    assert said.last["preview"]


def test_a_profile_goes_from_draft_into_force_and_out_again(home: homes.Home) -> None:
    file = home.path / f"{homes.US}.profile.toml"
    file.write_text(file.read_text("utf-8") + "# a second version\n", "utf-8")
    assert home("profile", "add", file, "--json").last == {"profile": homes.US, "version": 2}
    assert home("profile", "live", homes.US).code == 0
    history = home("profile", "history", homes.US, "--json").last
    assert {row["version"]: row["state"] for row in history}[2] == "live"
    assert [row["state"] for row in history].count("live") == 1
    assert home("profile", "show", homes.US, "--json").last["version"] == 2
    assert home("profile", "suspend", homes.US, "--reason", "customer asked").code == 0
    assert home("profile", "suspend", homes.US).code == 2  # nothing is in force any more
    listed = {row["profile"]: row["state"] for row in home("profile", "list", "--json").last}
    assert listed == {homes.US: "suspended", homes.EVERYTHING: "live"}


def test_two_profiles_that_take_the_same_documents_are_not_both_in_force(home: homes.Home) -> None:
    file = home.path / "rival.profile.toml"
    file.write_text(homes.profile(homes.US, NOWHERE).replace(homes.US, "rival"), "utf-8")
    assert home("profile", "add", file).code == 0
    said = home("profile", "live", "rival")
    assert said.code == 2
    assert f"would take the same documents as {homes.US} version 1" in said.err


# --- dispatch and status ----------------------------------------------------------------------------------------------


def test_a_dry_run_says_what_would_go_and_stores_nothing(home: homes.Home, tmp_path: Path) -> None:
    home("submit", *homes.write(tmp_path, homes.invoice("A"), homes.without_order("B")))
    before = _rows(home)
    said = home("dispatch", "--dry-run", "--json")
    assert said.code == 1  # one is held
    assert said.last["dry_run"] is True
    assert homes.counts(said.last) == {"waiting": 1, "held": 1}
    assert _rows(home) == before
    assert home.states() == {"A": "planned", "B": "planned"}


def _rows(home: homes.Home) -> dict[str, int]:
    """How many rows each table of the ledger has."""
    with sqlite3.connect(home.path / "ledger.sqlite") as db:
        names = [name for (name,) in db.execute("select name from sqlite_master where type = 'table'")]
        found = {name: db.execute(f'select count(*) from "{name}"').fetchone()[0] for name in names}
    db.close()
    return found


@pytest.mark.scenario
def test_a_run_prints_a_statement_that_balances_and_its_extract_agrees(online: homes.Home, tmp_path: Path) -> None:
    online("submit", *homes.write(tmp_path, homes.invoice("A"), homes.invoice("B")))
    (tmp_path / "erp.csv").write_text("number,total,currency\nA,7129.570,USD\nB,7129.57,USD\n", "utf-8")
    said = online("dispatch", "--extract", tmp_path / "erp.csv")
    assert said.code == 0, said.text
    assert said.out.splitlines()[1:4] == [
        "           documents       USD",
        "in                 2  14259.14",
        "delivered          2  14259.14",
    ]
    assert "The statement balances." in said.out


@pytest.mark.scenario
def test_differences_to_the_erps_extract_are_listed_both_ways(online: homes.Home, tmp_path: Path) -> None:
    online("submit", *homes.write(tmp_path, homes.invoice("A"), homes.invoice("B")))
    (tmp_path / "erp.csv").write_text("number,total,currency\nA,7129.75,USD\nC,1.00,USD\n", "utf-8")
    said = online("dispatch", "--extract", tmp_path / "erp.csv", "--json")
    assert said.code == 1
    assert [row["difference"] for row in said.rows if "difference" in row] == [
        "C is in the extract and not in the run",
        "B is in the run and not in the extract",
        "A: the extract says 7129.75 USD, the run 7129.57 USD",
    ]


@pytest.mark.scenario
@pytest.mark.parametrize(
    ("text", "words"),
    [("number;total\nA;1\n", "has no column total, currency"), ("number,total,currency\nA,\"1,50\",USD\n", "erp.csv:2"),
     ("", "has no column")],
)  # fmt: skip
def test_an_extract_that_cannot_be_used_is_refused_before_anything_is_sent(
    online: homes.Home, tmp_path: Path, ariba_sandbox: AribaEndpoint, text: str, words: str
) -> None:
    online("submit", one(tmp_path))
    (tmp_path / "erp.csv").write_text(text, "utf-8")
    said = online("dispatch", "--extract", tmp_path / "erp.csv")
    assert said.code == 2
    assert words in said.err or "has no column number, total, currency" in said.err
    assert online.state("G-1") == "planned"
    assert ariba_sandbox.control is not None
    assert ariba_sandbox.control.totals()["requests"] == 0


@pytest.mark.scenario
@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no pseudo-terminal on this system")
def test_on_a_terminal_a_bar_shows_how_far_the_run_is(online: homes.Home, tmp_path: Path) -> None:
    online("submit", *homes.write(tmp_path, homes.invoice("A"), homes.invoice("B")))
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "einvoice", "--home", str(online.path), "dispatch"]
    done = subprocess.run(command, env={**os.environ, **online.env}, stdout=subprocess.PIPE, stderr=theirs, timeout=60)
    os.close(theirs)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    assert done.returncode == 0
    assert "[###############               ] 1/2" in shown
    assert "[##############################] 2/2" in shown
    assert b"The statement balances." in done.stdout


@pytest.mark.scenario
def test_a_program_follows_a_run_by_json_lines(online: homes.Home, tmp_path: Path) -> None:
    online("submit", *homes.write(tmp_path, homes.invoice("A"), homes.without_order("B")))
    said = online("dispatch", "--json")
    ticks = [row for row in said.rows if "state" in row]
    assert sorted(tick["state"] for tick in ticks) == ["delivered", "held"]
    assert (ticks[-1]["done"], ticks[-1]["of"]) == (2, 2)
    assert said.last["balances"] is True


@pytest.mark.scenario
def test_what_the_network_would_refuse_is_held_before_it_is_sent(online: homes.Home, tmp_path: Path) -> None:
    carrier = {"role": "shipTo", "party": {"name": "Plant 2"}}
    online("submit", *homes.write(tmp_path, homes.invoice("A"), homes.invoice("B", other_parties=[carrier])))
    online("dispatch")
    assert online("status", "--json").last.items() >= {"held": 1, "delivered": 1, "overdue": 0}.items()
    assert "ARIBA-INV_ROLE_IN_SHIPPING" in online("status", "held").out


@pytest.mark.scenario
def test_status_tells_a_documents_story_and_lists_those_in_a_state(online: homes.Home, tmp_path: Path) -> None:
    online("submit", *homes.write(tmp_path, homes.invoice("A"), homes.without_order("B")))
    online("dispatch")
    story = online("status", "A").out
    assert "380 A/2026 of example-us (test, delivered)" in story
    assert [kind for kind in ("submitted", "planned", "waiting", "delivered") if kind in story] == [
        "submitted", "planned", "waiting", "delivered",
    ]  # fmt: skip
    assert "B" in online("status", "held").out
    assert "EINV-NEED-01 BT-13" in online("status", "held").out
    assert "(profile everything-test)" in online("status", "B").out  # who wants it, not a law that does not
    assert online("status", "unknown").out == "no document is unknown\n"
    assert online("status", "--json").last == {
        "held": 1, "delivered": 1, "overdue": 0, "interchanges": {}, "answers": {},
    }  # fmt: skip
    assert {row["number"] for row in online("status", "held", "--json").rows} == {"B"}


def test_a_number_that_several_documents_have_names_them(home: homes.Home, tmp_path: Path) -> None:
    home("submit", one(tmp_path), one(tmp_path, homes.invoice("G-1")))
    home("submit", one(tmp_path, homes.invoice("G-1", issue_date="2025-10-14")))
    said = home("status", "G-1")
    assert said.code == 2
    assert "G-1/2026 of example-us" in said.err
    assert "G-1/2025 of example-us" in said.err


@pytest.mark.scenario
def test_a_person_holds_releases_suppresses_and_every_word_is_in_the_timeline(
    online: homes.Home, tmp_path: Path
) -> None:
    online("submit", *homes.write(tmp_path, homes.invoice("A"), homes.invoice("B")))
    assert online("hold", "A", "--reason", "customer asked to wait").out == "A: hold: now held\n"
    assert online("suppress", "B", "--reason", "sent by hand", "--json").last["state"] == "suppressed"
    online("dispatch")
    assert online.states() == {"A": "held", "B": "suppressed"}
    assert online("release", "A", "--reason", "agreed").code == 0
    assert online("dispatch").code == 0
    assert online.state("A") == "delivered"
    story = online("status", "A").out
    assert "customer asked to wait" in story
    assert "[anna]" in story
    refused = online("cancel", "A", "--reason", "too late")
    assert refused.code == 1
    assert refused.err.startswith("einvoice: A (cancelled) is refused: it was delivered; correct it with a credit note")


@pytest.mark.scenario
def test_only_one_profiles_documents_go_when_asked(tmp_path: Path, ariba_sandbox: AribaEndpoint) -> None:
    home = homes.make(tmp_path / "home", ariba_sandbox, (homes.EVERYTHING, homes.US))
    us, de = homes.invoice("US-1"), homes.invoice("DE-1", "de-invoice")
    home("submit", *homes.write(tmp_path, us, de))
    said = home("dispatch", "--only", homes.US, "--json")
    assert said.last["in"]["documents"] == 1
    assert home.states() == {"US-1": "delivered", "DE-1": "planned"}
    home.sound()


@pytest.mark.scenario
def test_a_paused_partner_is_opened_again_by_name(online: homes.Home, tmp_path: Path) -> None:
    online("submit", one(tmp_path))
    assert online("partner", "pause", homes.EVERYTHING, "--reason", "moving").code == 0
    assert online("dispatch").code == 1
    assert online.state("G-1") == "held"
    said = online("partner", "reopen", homes.EVERYTHING, "--reason", "moved")
    assert said.out == f"{homes.EVERYTHING} is open; 1 document can go with the next dispatch\n"
    assert online("dispatch").code == 0


# --- as a process of its own ------------------------------------------------------------------------------------------


def test_the_command_runs_as_a_process_with_its_exit_codes(home: homes.Home, tmp_path: Path) -> None:
    assert home.run("status").code == 0
    assert home.run("submit", one(tmp_path)).out.endswith("G-1: taken in (document 1)\n")
    assert home.run("dispatch", "--business-date", "x").code == 2
    nobody = homes.Home(tmp_path / "typo", home.env).run("dispatch")
    assert (nobody.code, nobody.out) == (3, "")


def test_a_reader_that_closes_early_is_no_error_of_ours(home: homes.Home, tmp_path: Path) -> None:
    home("submit", *homes.write(tmp_path, *(homes.invoice(f"N-{n}") for n in range(30))))
    with home.start("status", "planned", "--json") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        process.wait(timeout=30)
        assert "Traceback" not in process.stderr.read()


def test_interrupted_a_run_ends_without_a_traceback_and_leaves_nothing_in_hand(
    online: homes.Home, tmp_path: Path, ariba_sandbox: AribaEndpoint
) -> None:
    control: ControlClient | None = ariba_sandbox.control
    if control is None:
        pytest.skip("needs a sandbox to wait at")
    control.next("hang", seconds=30)
    online("submit", one(tmp_path))
    with online.start("dispatch") as process:
        while control.totals()["requests"] == 0:
            assert process.poll() is None
        process.send_signal(2)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, "stopped\n"), out
    with online.ledger() as ledger:
        assert ledger.workers() == set()
    assert online.state("G-1") == "unknown"
    online.sound()
