"""Decimal helpers: text to Decimal without surprises, and the one rounding of the standard."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

#: Digits with an optional sign and fraction. No exponent, no thousands mark, no NaN: an amount
#: such as 1E999999999 would otherwise exhaust memory when it is added.
_PLAIN = re.compile(r"[+-]?(?:\d{1,30}(?:\.\d{0,20})?|\.\d{1,20})", re.ASCII)

#: ISO 4217 currencies whose minor unit is not two digits.
MINOR_UNITS = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("CLF UYW".split(), 4),
}


def parse(text: str) -> Decimal | None:
    """The number written in *text*, every digit kept; None when it is not a plain decimal.

    >>> parse("12.00"), parse("-.5"), parse("1E3"), parse("NaN"), parse(" 12 ")
    (Decimal('12.00'), Decimal('-0.5'), None, None, None)
    """
    return Decimal(text) if _PLAIN.fullmatch(text) else None


def plain(value: Decimal) -> str:
    """*value* in digits, never with an exponent.

    >>> plain(Decimal("0.0000001")), plain(Decimal("42.10"))
    ('0.0000001', '42.10')
    """
    text = str(value)
    return format(value, "f") if "E" in text else text


def minor_units(currency: str | None) -> int:
    """Digits after the point of *currency* (ISO 4217); 2 when unknown.

    >>> minor_units("EUR"), minor_units("JPY"), minor_units("TND")
    (2, 0, 3)
    """
    return MINOR_UNITS.get(currency or "", 2)


def round_half_up(value: Decimal, digits: int = 2) -> Decimal:
    """*value* with *digits* decimals, halves away from zero (EN 16931-1, 6.3).

    >>> round_half_up(Decimal("0.125")), round_half_up(Decimal("-0.125"))
    (Decimal('0.13'), Decimal('-0.13'))
    """
    return value.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)


def total(values: Iterable[Decimal | None]) -> Decimal:
    """The sum of *values*, absent ones left out.

    >>> total([Decimal("1.10"), None, Decimal("2")])
    Decimal('3.10')
    """
    return sum((value for value in values if value is not None), Decimal(0))
