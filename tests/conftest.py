"""What every test may use. Nothing here knows one machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from einvoice.model import Invoice

CHECKOUT = Path(__file__).resolve().parent.parent
#: tools/ and tests/ hold modules that tests use and that no one installs.
if str(CHECKOUT) not in sys.path:
    sys.path.insert(0, str(CHECKOUT))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the goldens anew; read their diff like code")


@pytest.fixture(scope="session")
def reference() -> Path:
    """The directory of official schemas, rules and samples: EINVOICE_REFERENCE, else ../shared/reference."""
    place = Path(os.environ.get("EINVOICE_REFERENCE") or CHECKOUT.parent / "shared" / "reference")
    if not place.is_dir():
        pytest.skip(f"no official files at {place}: set EINVOICE_REFERENCE to their directory")
    return place


@pytest.fixture(scope="session")
def einvoice_fixture() -> Callable[[str], Invoice]:
    """A function from the name of a file in fixtures/invoices to its invoice."""
    from tests import readable

    return readable.invoice


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, bytes], None]:
    """A check that *data* is what fixtures/NAME holds; with --update-golden it writes that file instead."""
    from tests import readable

    def check(name: str, data: bytes) -> None:
        path = CHECKOUT / "fixtures" / name
        if request.config.getoption("--update-golden"):
            path.write_bytes(readable.pretty(data))
        assert path.is_file(), f"no golden {path}: run pytest --update-golden and read what it writes"
        assert readable.canonical(data) == readable.canonical(path.read_bytes())

    return check
