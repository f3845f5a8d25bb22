"""The fuzzing command finds faults that are there, keeps them, and says how to see them again."""

from __future__ import annotations

from pathlib import Path

import pytest

from einvoice import formats
from tools import fuzz

#: A reader with a fault behind three comparisons, which no random bytes pass in two seconds, and one that hangs.
PLANTED = """
from einvoice.errors import UnreadableDocument

def fault(data):
    if data[:1] == b"I":
        if data[1:2] == b"S":
            if data[2:3] == b"A":
                return {}[data]
    raise UnreadableDocument("no ISA")

def hang(data):
    while data[:1] == b"H":
        continue

def sound(data):
    raise UnreadableDocument("nothing is readable")
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    pytest.importorskip("atheris", reason="atheris has no wheel for this platform: ./run fuzz needs Linux on x86-64")
    (tmp_path / "planted.py").write_text(PLANTED, "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("EINVOICE_REFERENCE", str(tmp_path / "none"))
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path / "fuzz"


def test_a_planted_fault_is_found_kept_and_can_be_seen_again(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fuzz.main(["2", "planted:fault", "--dir", str(home)]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[-1] == "fuzz: 0/1"
    (kept,) = (home / "planted.fault" / "failures").iterdir()
    assert kept.name.startswith("fault-KeyError-planted.py-8-")
    assert kept.read_bytes().startswith(b"ISA")
    assert f"  again: ./run fuzz --repeat {kept}" in said
    with pytest.raises(KeyError):
        fuzz.main(["--repeat", str(kept)])


def test_a_planted_hang_is_found_and_a_sound_reader_passes(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["2", "planted:hang", "planted:sound", "--hang", "1", "--dir", str(home), "--jobs", "2"]
    assert fuzz.main(words) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "fuzz: 1/2"
    (kept,) = (home / "planted.hang" / "failures").iterdir()
    assert kept.name.startswith("timeout-")
    assert kept.read_bytes().startswith(b"H")


def test_every_format_and_every_acknowledgement_is_a_reader_and_has_seeds() -> None:
    known = fuzz.readers()
    assert {*formats.names(), "x12.answers", "edifact.answers", "cxml.answers"} <= {*known}
    seeds = {name for name, _ in fuzz.documents(None)}
    assert {"ubl", "cxml", "json", "edifact", "x12", "csv", "xlsx", "idoc"} <= seeds


def test_an_unknown_reader_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert fuzz.main(["1", "tradacoms"]) == 2
    assert "no reader 'tradacoms'. Fix: one of" in capsys.readouterr().err
