"""Every readable format becomes every writable one: valid, and what is not carried is reported."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from einvoice import formats
from einvoice.errors import Finding
from einvoice.exchange import Document, Identity, Read
from einvoice.model import Invoice
from tests import readable
from tools import matrix

FIXTURES = matrix.sources([matrix.ROOT / "fixtures"])
TARGETS = formats.writable()


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("source", sorted(formats.names()))
def test_the_fixtures_of_every_format_become_every_other(source: str, target: str) -> None:
    done = [matrix.convert(path, invoice, target) for path, invoice in FIXTURES.get(source, ())]
    cell = matrix.Cell(source, target, done)
    assert [str(one.fault) for one in cell.faults] == []
    assert cell.good, f"no fixture of {source} becomes {target}"


@pytest.mark.slow
def test_the_official_samples_of_every_format_become_every_other(reference: Path) -> None:
    found = list(matrix.cells(matrix.given(None, 40), TARGETS))
    assert "\n".join(line for cell in found if not cell.passed for line in matrix.report([cell], TARGETS)) == ""


def test_a_writer_that_forgets_a_value_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The matrix compares values, not promises: a loss that no report names is a fault."""

    honest = formats.get("json")

    class Forgetful:
        """Writes canonical JSON without the notes."""

        def write(self, invoice: Invoice, ids: Identity) -> Document:
            return honest.write(invoice.model_copy(update={"notes": ()}), ids)

        def read(self, stream: BinaryIO) -> Iterator[Read]:
            return honest.read(stream)

    invoice = readable.invoice("fr-invoice")
    assert invoice.notes
    monkeypatch.setattr(matrix.formats, "get", lambda name, **settings: Forgetful())
    monkeypatch.setattr(matrix, "losses", lambda *_: list[Finding]())
    assert "lost without a word: notes[0]" in matrix.convert("fr-invoice", invoice, "json").fault


def test_a_directory_without_invoices_is_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert matrix.main([str(tmp_path)]) == 1
    assert "no invoice that can be read" in capsys.readouterr().err
