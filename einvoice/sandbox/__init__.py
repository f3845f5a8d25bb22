"""The other side of the wire: a supplier network on loopback that checks, answers, misbehaves and remembers.

Everything is imported on first use, so that the pytest plugin costs nothing in suites that do not use it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .options import Options
    from .program import AribaSandbox, main, serve

__all__ = ["AribaSandbox", "Options", "main", "serve"]

_HOMES = {"AribaSandbox": "program", "main": "program", "serve": "program", "Options": "options"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
