"""What every test may use. Nothing here knows one machine."""

from __future__ import annotations

import io
import json
import os
import sys
import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
#: tools/ and tests/ hold modules that tests use and that no one installs.
if str(CHECKOUT) not in sys.path:
    sys.path.insert(0, str(CHECKOUT))

from einvoice.formats.json_ import JsonFormat  # noqa: E402
from einvoice.model import Invoice  # noqa: E402


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the goldens anew; read their diff like code")


@pytest.fixture(scope="session")
def reference() -> Path:
    """The directory of official schemas, rules and samples: EINVOICE_REFERENCE, else ../shared/reference."""
    place = Path(os.environ.get("EINVOICE_REFERENCE") or CHECKOUT.parent / "shared" / "reference")
    if not place.is_dir():
        pytest.skip(f"no official files at {place}: set EINVOICE_REFERENCE to their directory")
    return place


def invoice_fixtures() -> list[str]:
    """Names of the readable invoices in fixtures/invoices."""
    return sorted(path.stem for path in (CHECKOUT / "fixtures" / "invoices").glob("*.toml"))


def load_invoice(name: str) -> Invoice:
    """fixtures/invoices/NAME.toml, read as canonical JSON is: a fault in it names its path."""
    data = tomllib.loads((CHECKOUT / "fixtures" / "invoices" / f"{name}.toml").read_text(encoding="utf-8"))
    text = json.dumps(data, default=date.isoformat).encode()
    (one,) = JsonFormat().read(io.BytesIO(text))
    return one.invoice


@pytest.fixture(scope="session")
def einvoice_fixture() -> Callable[[str], Invoice]:
    """A function from the name of a file in fixtures/invoices to its invoice."""
    return load_invoice
