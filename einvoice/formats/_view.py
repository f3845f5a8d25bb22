"""What a table sees in place of a group of the model, where some of its values are others."""

from __future__ import annotations

from typing import Any


class View:
    """Attributes by name, and nothing else: made once for each line, so that it must cost little."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__ = values


def view(one: Any, **changed: Any) -> Any:
    """*one* with *changed* in place of its own values."""
    return View(one.__dict__ | changed)
