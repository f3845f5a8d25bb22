"""A file of many invoices is read one at a time: memory does not grow with the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import stream


@pytest.mark.parametrize("kind", ["edifact", "x12", "json"])
def test_the_file_that_is_measured_holds_what_it_says(kind: str, tmp_path: Path) -> None:
    path = tmp_path / kind
    stream.make(path, kind, 40, 80_000)
    assert path.stat().st_size >= 80_000
    told = stream.read(path)
    assert told["invoices"] == 40


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["edifact", "x12", "json"])
def test_a_hundred_thousand_invoices_take_less_than_64_mib(kind: str, tmp_path: Path) -> None:
    path = tmp_path / kind
    stream.make(path, kind)
    assert path.stat().st_size >= 100_000_000
    told = stream.measured(path)
    path.unlink()
    assert (told["invoices"], told["different"]) == (100_000, 100)
    assert told["mib"] <= stream.LIMIT
