"""Pytest fixtures: ``ariba_sandbox``, an Ariba network or a real test account; ``van_mailbox``, a partner at a mailbox.

Set EINVOICE_ARIBA_URL, EINVOICE_ARIBA_IDENTITY, EINVOICE_ARIBA_SECRET, EINVOICE_ARIBA_TO and
EINVOICE_ARIBA_SYSTEM_ID to point it at a real test endpoint; ``control`` is None then, and tests marked
``scenario`` are skipped, because nobody can ask a real network to misbehave. EINVOICE_ARIBA_CA names a CA file
for an endpoint that no public authority vouches for.

Nothing is imported here that a suite without the fixture would have to wait for.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from .client import ControlClient
    from .program import AribaSandbox
    from .van import VanMailbox

_URL = "EINVOICE_ARIBA_URL"
_NAMES = ("IDENTITY", "SECRET", "TO", "SYSTEM_ID")


class Identities(NamedTuple):
    """Who sends to whom: NetworkIDs, and the buyer's systemID."""

    own: str
    to: str
    system_id: str


@dataclass(frozen=True)
class AribaEndpoint:
    """Where to send, as whom, and, with a sandbox, how to steer it.

    url          takes InvoiceDetailRequest; profile_url takes ProfileRequest, which tells the rest
    ca_file      what to trust; None: the public authorities (a real endpoint)
    environment  ``test``: never anything else
    control      None at a real endpoint
    """

    url: str
    profile_url: str
    ca_file: str | None
    secret: str = field(repr=False)
    identities: Identities
    environment: str
    control: ControlClient | None
    sandbox: AribaSandbox | None = None

    @property
    def is_sandbox(self) -> bool:
        return self.control is not None

    def invoice_number(self) -> str:
        """A number no run has used before.

        >>> end = AribaEndpoint("", "", None, "", Identities("", "", ""), "test", None)
        >>> end.invoice_number() == end.invoice_number()
        False
        """
        return f"T{secrets.token_hex(6).upper()}"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "contract: holds at any Ariba endpoint, the sandbox or a real test account")
    config.addinivalue_line("markers", "scenario: needs the sandbox's control interface")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.environ.get(_URL):
        skip = pytest.mark.skip(reason=f"{_URL} points at a real endpoint, which cannot be told to misbehave")
        for item in items:
            if item.get_closest_marker("scenario"):
                item.add_marker(skip)


@pytest.fixture(scope="session")
def _ariba_endpoint() -> Iterator[AribaEndpoint]:
    if os.environ.get(_URL):
        yield _real()
        return
    from .client import ControlClient
    from .program import AribaSandbox

    with AribaSandbox() as sandbox:
        ready, options = sandbox.ready(), sandbox.options
        yield AribaEndpoint(
            url=str(ready["url"]),
            profile_url=str(ready["profile_url"]),
            ca_file=str(sandbox.ca_file),
            secret=sandbox.network.secret,
            identities=Identities(options.own[0], options.to[0], options.system_id),
            environment=options.environment,
            control=ControlClient(str(ready["control_url"]), sandbox.token, sandbox.ca_file),
            sandbox=sandbox,
        )


def _real() -> AribaEndpoint:
    missing = [f"EINVOICE_ARIBA_{name}" for name in _NAMES if not os.environ.get(f"EINVOICE_ARIBA_{name}")]
    if missing:
        pytest.fail(f"{_URL} is set, but not {', '.join(missing)}", pytrace=False)
    own, secret, to, system_id = (os.environ[f"EINVOICE_ARIBA_{name}"] for name in _NAMES)
    url = os.environ[_URL]
    return AribaEndpoint(
        url, url, os.environ.get("EINVOICE_ARIBA_CA"), secret, Identities(own, to, system_id), "test", None
    )


@pytest.fixture
def ariba_sandbox(_ariba_endpoint: AribaEndpoint) -> AribaEndpoint:
    """The endpoint; a sandbox is as new for each test."""
    if _ariba_endpoint.control is not None:
        _ariba_endpoint.control.reset()
    return _ariba_endpoint


@pytest.fixture
def van_mailbox(tmp_path: Path) -> VanMailbox:
    """``van_mailbox.open("x12", ack="997")``: a trading partner at a mailbox of two folders, new for each test."""
    from .van import VanMailbox

    folder = tmp_path / "van"
    folder.mkdir()
    return VanMailbox(folder)
