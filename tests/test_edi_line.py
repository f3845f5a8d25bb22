"""An EDI customer from profile to mailbox: the interchange that lies there, and what cannot be written is held."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import home as homes

NOWHERE = homes.Place("https://localhost:1/none", None, "unused")
FORMATS = {
    "x12": ("x12-810/004010", 'qualifier = "01"', rb"~BIG\*20261014\*E-1\*"),
    "edifact": ("edifact-d96a/invoic", 'qualifier = "1"', rb"'BGM\+380\+E-1\+9'"),
}


def home_of(path: Path, kind: str, more: str = "transliterate = true", after: str = "") -> homes.Home:
    """A home whose only customer takes *kind* from the folder ``out``."""
    home = homes.make(path, NOWHERE, ())
    (home.path / "house" / "law-override.toml").unlink()
    outbox = path / "out"
    outbox.mkdir()
    format, qualifier, _ = FORMATS[kind]
    text = (homes.FIXTURES / "profiles" / f"{homes.US}.profile.toml").read_text("utf-8").replace("\r\n", "\n")
    text = re.sub(r"^network .*\n", "", text, flags=re.MULTILINE).partition("[transport]")[0]
    text += (
        f'[want]\nformats = ["{format}"]\nchannels = ["sftp-van"]\n'
        f'[format]\nkind = "{kind}"\n{more}\n'
        f'sender = {{ id = "999000111", {qualifier} }}\nrecipient = {{ id = "999123456", {qualifier} }}\n'
        f'[transport]\nkind = "folder"\noutbox = "{outbox}"\n{after}'
    )
    file = path / "edi.profile.toml"
    file.write_text(text, "utf-8")
    for words in (("profile", "add", file), ("profile", "live", homes.US)):
        said = home(*words)
        assert said.code == 0, said.text
    return home


@pytest.mark.parametrize("kind", sorted(FORMATS))
def test_an_invoice_reaches_the_mailbox_as_the_interchange_that_was_agreed(tmp_path: Path, kind: str) -> None:
    home = home_of(tmp_path / "home", kind)
    assert home("submit", *homes.write(tmp_path, homes.invoice("E-1"))).code == 0
    home("dispatch")
    assert home.state("E-1") == "delivered", home("status", "E-1").text
    (file,) = (home.path / "out").iterdir()
    assert re.search(FORMATS[kind][2], file.read_bytes())
    assert home("check", file).code == 0
    home.sound()


def test_a_file_in_the_mailbox_is_no_proof_where_an_acknowledgement_is_expected(tmp_path: Path) -> None:
    home = home_of(tmp_path / "home", "x12", after='[acks]\nexpected = ["response", "status"]\n')
    assert home("submit", *homes.write(tmp_path, homes.invoice("E-3"))).code == 0
    home("dispatch")
    assert len(list((home.path / "out").iterdir())) == 1
    assert home.state("E-3") not in ("delivered", "held"), home("status", "E-3").text
    home.sound()


#: Every control number of an interchange with one message, outermost first.
NUMBERS = {
    "x12": rb"\*(\d{9})\*0\*T\*.*~GS\*IN(?:\*\w+){4}\*(\d+)\*.*~ST\*810\*(\d+)~.*~SE\*\d+\*\3~GE\*1\*\2~IEA\*1\*\1~$",
    "edifact": rb"UNB\+[^']*\+(\d+)\+\+INVOIC[^']*'()UNH\+(\d+)\+.*'UNT\+\d+\+\3'UNZ\+1\+\1'$",
}


@pytest.mark.parametrize("kind", sorted(FORMATS))
def test_control_numbers_follow_each_other_from_where_the_profile_has_them_begin(tmp_path: Path, kind: str) -> None:
    home = home_of(tmp_path / "home", kind, after="[numbers]\ninterchange = 41\ngroup = 7\n")
    assert home("submit", *homes.write(tmp_path, *map(homes.invoice, ("E-1", "E-2", "E-3")))).code == 0
    home("dispatch")
    files = sorted((home.path / "out").iterdir(), key=lambda file: file.stat().st_mtime_ns)
    matches = [re.search(NUMBERS[kind], file.read_bytes(), re.DOTALL) for file in files]
    found = [tuple(int(one or 0) for one in match.groups()) for match in matches if match]
    assert found == [(41 + n, 7 + n if kind == "x12" else 0, 1 + n) for n in range(3)]


@pytest.mark.parametrize(("kind", "rule"), [("x12", "EINV-X12-03"), ("edifact", "EINV-EDIFACT-03")])
def test_a_character_the_partner_cannot_take_holds_the_document(tmp_path: Path, kind: str, rule: str) -> None:
    home = home_of(tmp_path / "home", kind, more="")
    invoice = homes.invoice("E-2", notes=[{"text": "Lieferung für Łódź"}])
    assert home("submit", *homes.write(tmp_path, invoice)).code == 0
    home("dispatch")
    assert home.state("E-2") == "held"
    assert rule in home("status", "E-2").text
    assert list((home.path / "out").iterdir()) == []
    home.sound()
