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
    """One row of the table; its keys are explained there. ``prefix`` is the country, which tax identifiers may bear."""

    name: str
    example: str
    check: tuple[str, ...] = ()
    form: str = ""
    only: str = ""
    prefix: str = ""

    @property
    def shown(self) -> str:
        """What is expected, as a finding shows it."""
        return f"{self.name} {self.example}"

    def passes(self, value: str) -> bool:
        """True when *value* is an identifier of this kind, or follows no rule that is known."""
        plain = "".join(value.split())
        return len(plain) <= _LONGEST and plain.isascii() and _passes(self, plain)


@lru_cache(4096)
def _passes(kind: Kind, plain: str) -> bool:
    if kind.form:
        return re.fullmatch(kind.form, plain) is not None
    if kind.only and not re.fullmatch(kind.only, plain):
        return True
    return any(valid(name, one) for one in {plain, plain.removeprefix(kind.prefix)} for name in kind.check)


def valid(module: str, value: str) -> bool:
    """What ``is_valid`` of that module of python-stdnum says of *value*.

    >>> valid("iban", "DE12999000010001234567"), valid("iban", "DE13999000010001234567")
    (True, False)
    """
    return bool(import_module(f"stdnum.{module}").is_valid(value))


class _Table:
    """The file, read once: kinds by scheme, by country, and by country and scheme."""

    def __init__(self) -> None:
        data = tomllib.loads(_FILE.read_text(encoding="utf-8"))
        self.vat = {key: _kind(row | {"prefix": key}) for key, row in data["vat"].items()}
        self.scheme = {key: self.vat[row["vat"]] if "vat" in row else _kind(row) for key, row in data["scheme"].items()}
        self.registration = {(country, key): _kind(row) for country, rows in data["registration"].items()
                             for key, row in rows.items()}  # fmt: skip


def _kind(row: dict[str, Any]) -> Kind:
    return Kind(**(row | {"check": tuple(row.get("check", ()))}))


@cache
def _table() -> _Table:
    return _Table()


def scheme_kind(scheme: str) -> Kind | None:
    """How identifiers of an ISO 6523 or EAS scheme are judged; None when no rule is known.

    >>> scheme_kind("0088").name, scheme_kind("9930").name, scheme_kind("9999")
    ('GLN', 'USt-IdNr.', None)
    """
    return _table().scheme.get(scheme)


def vat_kind(country: str) -> Kind | None:
    """How the tax identifiers of a country (or VAT prefix) are judged; None when no rule is known."""
    return _table().vat.get(country)


def registration_kind(country: str, scheme: str) -> Kind | None:
    """How a further tax registration is judged: ``US``, ``EIN``; None when no rule is known."""
    return _table().registration.get((country, scheme))


def tax_kind(value: str, country: str) -> Kind | None:
    """By the prefix of a tax identifier, else by the country of the party that states it.

    >>> tax_kind("DE999111008", "FR").name, tax_kind("51824753556", "AU").name, tax_kind("EU123456789", "")
    ('USt-IdNr.', 'ABN', None)
    """
    prefix = value.strip()[:2].upper()
    return vat_kind(prefix if prefix.isalpha() else country)
