"""What a finding says to a person, in four languages, from ``texts/*.toml``.

``texts/en.toml`` holds the common texts, ``texts/NAME.en.toml`` those of a pack that lists NAME. A file has
``[rules]``: id or shared key to message and fix; ``[codes]`` and ``[categories]``: names of code lists and VAT
categories. A text may hold ``{found}``, ``{expected}``, ``{term}``, ``{codes}`` and ``{category}``.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from ._rule import Hit, Rule

_HERE = Path(__file__).parent / "texts"


class Texts:
    """The texts of one language: the common ones and those of the catalogues named."""

    def __init__(self, language: str, names: tuple[str, ...] = ()) -> None:
        read = [_read(f"{language}.toml"), *(_read(f"{name}.{language}.toml") for name in names)]
        self.language = language
        self.rules: dict[str, list[str]] = _merged(read, "rules")
        self.codes: dict[str, str] = _merged(read, "codes")
        self.categories: dict[str, str] = _merged(read, "categories")
        self.nothing: str = read[0]["nothing"]

    def of(self, rule: Rule, hit: Hit, term: str) -> tuple[str, str]:
        """(message, fix) for a breach of *rule*."""
        values = {
            "found": hit.found or self.nothing,
            "expected": hit.expected or self.nothing,
            "term": term,
            "codes": self.codes.get(rule.codes, rule.codes),
            "category": self.categories.get(rule.category, rule.category),
        }
        message, fix = self.rules[rule.text or rule.id]
        return message.format_map(values), fix.format_map(values)


@cache
def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((_HERE / name).read_text(encoding="utf-8"))


def _merged(read: list[dict[str, Any]], table: str) -> dict[str, Any]:
    return {key: value for one in read for key, value in one.get(table, {}).items()}


def languages() -> list[str]:
    """The languages there are texts in."""
    return sorted(path.stem for path in _HERE.glob("*.toml") if "." not in path.stem)


@cache
def texts(language: str, names: tuple[str, ...] = ()) -> Texts:
    """The texts of *language* with the catalogues *names*; ConfigError names the known languages."""
    if language not in languages():
        raise ConfigError(f"there are no rule texts in {language!r}", fix=f"choose one of {', '.join(languages())}")
    return Texts(language, names)
