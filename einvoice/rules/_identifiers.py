"""Identifiers by check digits and form: which validator judges which scheme is data, ``identifiers.toml``.

The check digits are those of python-stdnum, imported when the first identifier of a scheme is judged.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

_FILE = Path(__file__).parent / "identifiers.toml"
#: No identifier of these schemes is longer; what is longer is not looked at sign by sign.
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the table; its keys are explained there."""

    name: str
    example: str
    check: tuple[str, ...] = ()
    form: str = ""
    only: str = ""

    @property
    def shown(self) -> str:
        """What is expected, as a finding shows it."""
        return f"{self.name} {self.example}"

    def passes(self, value: str) -> bool:
        """True when *value* is an identifier of this kind, or follows no rule that is known."""
        return _passes(self, value)


@lru_cache(4096)
def _passes(kind: Kind, value: str) -> bool:
    plain = "".join(value.split())
    if len(plain) > _LONGEST or not plain.isascii():
        return False
    if kind.form:
        return re.fullmatch(kind.form, plain) is not None
    if kind.only and not re.fullmatch(kind.only, plain):
        return True
    return any(valid(name, plain) for name in kind.check)


def valid(module: str, value: str) -> bool:
    """What ``is_valid`` of that module of python-stdnum says of *value*.

    >>> valid("iban", "DE12999000010001234567"), valid("iban", "DE13999000010001234567")
    (True, False)
    """
    return bool(import_module(f"stdnum.{module}").is_valid(value))


@cache
def _tables() -> dict[str, dict[str, Any]]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))


def _kind(row: dict[str, Any] | None) -> Kind | None:
    if row is None:
        return None
    if "vat" in row:
        return vat_kind(row["vat"])
    return Kind(**(row | {"check": tuple(row.get("check", ()))}))


@cache
def scheme_kind(scheme: str) -> Kind | None:
    """How identifiers of an ISO 6523 or EAS scheme are judged; None when no rule is known.

    >>> scheme_kind("0088").name, scheme_kind("9930").name, scheme_kind("9999")
    ('GLN', 'USt-IdNr.', None)
    """
    return _kind(_tables()["scheme"].get(scheme))


@cache
def vat_kind(country: str) -> Kind | None:
    """How the tax identifiers of a country (or VAT prefix) are judged; None when no rule is known."""
    return _kind(_tables()["vat"].get(country))


@cache
def registration_kind(country: str, scheme: str) -> Kind | None:
    """How a further tax registration is judged: ``US``, ``EIN``; None when no rule is known."""
    return _kind(_tables()["registration"].get(country, {}).get(scheme))


def tax_kind(value: str, country: str) -> Kind | None:
    """By the prefix of a tax identifier, else by the country of the party that states it.

    >>> tax_kind("DE999111008", "FR").name, tax_kind("51824753556", "AU").name, tax_kind("EU123456789", "")
    ('USt-IdNr.', 'ABN', None)
    """
    prefix = value.strip()[:2].upper()
    return vat_kind(prefix if prefix.isalpha() else country)
