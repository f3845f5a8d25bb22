"""Transports: an envelope to a partner and what came of it. One file each: ``https``, ``folder``, ``mock``.

A transport's module exposes ``SETTINGS`` (a Strict model with ``kind``) and ``TRANSPORT`` (a class built as
``TRANSPORT(settings, name=..., environment=..., secret=...)``). Others add theirs by the entry point group
``einvoice.transports``: its name is the kind, its object a module with the same two names.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from ..errors import ConfigError, EInvoiceError
from ..exchange import Envelope, Environment, Receipt, Transport

if TYPE_CHECKING:
    from ..config import Strict

GROUP = "einvoice.transports"
#: modules here that are not transports
_OTHERS = {"inbound"}


class TransportModule(Protocol):
    """What ``get`` returns. TRANSPORT is called by keyword, so each class may ask for what it needs."""

    SETTINGS: type[Strict]
    TRANSPORT: Callable[..., Transport]


class ChannelDown(EInvoiceError):
    """A channel's own request (a poll, a look-up) came to nothing; ``receipt`` says how. No document was touched."""

    def __init__(self, receipt: Receipt, *, where: str) -> None:
        self.receipt = receipt
        fix = "see the channel's credentials and endpoint" if receipt.channel_fault else "none; it is tried again"
        super().__init__(f"{receipt.code} {receipt.text}", where=where, fix=fix)


def _own() -> set[str]:
    return {path.stem for path in Path(__file__).parent.glob("[!_]*.py")} - _OTHERS


def known() -> tuple[str, ...]:
    """The names ``get`` accepts, sorted.

    >>> known()[:3]
    ('folder', 'https', 'mock')
    """
    return tuple(sorted(_own() | {point.name for point in entry_points(group=GROUP)}))


def get(name: str) -> TransportModule:
    """The module of the transport *name*. ConfigError names the known ones.

    >>> get("https").SETTINGS.__name__
    'Https'
    """
    if name in _own():
        return cast(TransportModule, import_module(f".{name}", __name__))
    for point in entry_points(group=GROUP, name=name):
        return cast(TransportModule, point.load())
    raise ConfigError(f"no transport {name!r}", fix=f"use one of {', '.join(known())}")


def make(settings: Any, *, name: str, environment: Environment, resolve: Callable[[str], str]) -> Transport:
    """The transport of *settings* for the channel *name*.

    resolve  turns a secret reference (``env:``, ``file:``) into its value; called when a secret is needed, each time,
             and the value is not kept, so a changed secret is used from the next envelope on
    """
    module = get(settings.kind)
    references = {
        field: getattr(settings, field) for field in ("secret", "client_key_password") if hasattr(settings, field)
    }
    secrets = {field: _later(resolve, reference) for field, reference in references.items() if reference}
    return module.TRANSPORT(settings, name=name, environment=environment, **secrets)


def _later(resolve: Callable[[str], str], reference: str) -> Callable[[], str]:
    return lambda: resolve(str(reference))


def one_of_this_channel(envelope: Envelope, environment: Environment, where: str) -> None:
    """ConfigError when a test envelope meets a production channel, or the reverse."""
    if envelope.environment is not environment:
        told = f"an envelope for {envelope.environment} on a channel for {environment}"
        raise ConfigError(told, where=where, fix="test and production never meet: use the profile of the same one")
