"""The readable invoices of fixtures/invoices, and their goldens."""

from __future__ import annotations

import io
import json
import tomllib
from datetime import UTC, date, datetime
from pathlib import Path

from lxml import etree

from einvoice.exchange import Identity
from einvoice.formats._xml import parse
from einvoice.formats.json_ import JsonFormat
from einvoice.model import Invoice

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
#: The identity every golden is written under.
IDS = Identity("golden@example-instruments.example", datetime(2026, 11, 24, 9, 30, tzinfo=UTC))


def names(folder: str = "invoices") -> list[str]:
    """Names of the readable invoices; those of *folder* are for one format alone."""
    return sorted(path.stem for path in (FIXTURES / folder).glob("*.toml"))


def invoice(name: str, folder: str = "invoices") -> Invoice:
    """fixtures/FOLDER/NAME.toml, read as canonical JSON is: a fault in it names its path."""
    data = tomllib.loads((FIXTURES / folder / f"{name}.toml").read_text(encoding="utf-8"))
    text = json.dumps(data, default=date.isoformat).encode()
    (one,) = JsonFormat().read(io.BytesIO(text))
    return one.invoice


def pretty(data: bytes) -> bytes:
    """*data* as XML indented for reading, its DOCTYPE kept."""
    root = parse(data, doctype=True)
    etree.indent(root)
    return etree.tostring(root.getroottree(), encoding="UTF-8", xml_declaration=True) + b"\n"


def canonical(data: bytes) -> str:
    """*data* in canonical XML after indenting, so that white space between elements is no difference."""
    return etree.tostring(parse(pretty(data), doctype=True), method="c14n").decode()
