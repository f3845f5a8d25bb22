"""What README and docs/erp.md show is what a reader gets: their console blocks are typed and compared."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from einvoice.cli import main
from einvoice.config import load
from einvoice.formats._table_map import Table

ROOT = Path(__file__).resolve().parent.parent
_BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)


def _commands() -> Iterator[tuple[str, str]]:
    """(what is typed, what is shown) of every console block."""
    for name in ("README.md", "docs/erp.md"):
        for block in _BLOCK.findall((ROOT / name).read_text("utf-8")):
            typed, _, shown = block.partition("\n")
            yield typed.removeprefix("$ einvoice "), shown


@pytest.mark.parametrize(("typed", "shown"), list(_commands()), ids=lambda text: text[:40])
def test_a_console_block_shows_what_is_printed(
    typed: str, shown: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    good = (ROOT / "fixtures" / "ubl" / "de-invoice.xml").read_text("utf-8")
    broken = good.replace(">3160.54</cbc:TaxInclusiveAmount>", ">3160.55</cbc:TaxInclusiveAmount>")
    (tmp_path / "broken.xml").write_text(broken, "utf-8")
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path)
    main(shlex.split(typed))
    printed = capsys.readouterr()
    assert (printed.out + printed.err).strip() == shown.strip()


def test_files_that_the_readme_names_exist() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    named = re.findall(r"\]\(([^)#:]+)\)", text)
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_map_that_docs_erp_shows_is_one() -> None:
    (shown,) = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "erp.md").read_text("utf-8"), re.DOTALL)
    assert load(shown, Table).columns["Steuer"] == ("BT-151", "BT-152")
