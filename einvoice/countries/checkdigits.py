"""Check digits of identifiers, by the name country files use. Each takes the identifier as it is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping

_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _digits(text: str) -> list[int]:
    return [int(sign) for sign in text if sign in "0123456789"]


def luhn(text: str) -> bool:
    """ISO/IEC 7812-1: SIREN, SIRET.

    >>> luhn("732829320"), luhn("732829321")
    (True, False)
    """
    digits = _digits(text)[::-1]
    doubled = (digit * 2 if index % 2 else digit for index, digit in enumerate(digits))
    return bool(digits) and sum(sum(divmod(value, 10)) for value in doubled) % 10 == 0


def mod11_10(text: str) -> bool:
    """ISO/IEC 7064 MOD 11,10: the German VAT number.

    >>> mod11_10("DE136695976"), mod11_10("DE136695975")
    (True, False)
    """
    product, digits = 10, _digits(text)
    for digit in digits[:-1]:
        product = (product + digit) % 10 or 10
        product = product * 2 % 11
    return bool(digits) and (product + digits[-1]) % 10 == 1


def mod97_10(text: str) -> bool:
    """ISO/IEC 7064 MOD 97-10 over letters and digits: the Leitweg-ID.

    >>> mod97_10("04011000-1234512345-06"), mod97_10("04011000-1234512345-07")
    (True, False)
    """
    signs = [sign for sign in text.upper() if sign in _LETTERS]
    number = "".join(str(_LETTERS.index(sign)) for sign in signs)
    return bool(number) and int(number) % 97 == 1


def fr_vat(text: str) -> bool:
    """The key of a French VAT number: (12 + 3 x (SIREN mod 97)) mod 97. Keys with letters have no public rule.

    >>> fr_vat("FR44732829320"), fr_vat("FR45732829320")
    (True, False)
    """
    key, siren = text[2:4], text[4:]
    if not siren.isdecimal() or len(siren) != 9:
        return False
    return luhn(siren) and (not key.isdecimal() or int(key) == (12 + 3 * (int(siren) % 97)) % 97)


def gs1(text: str) -> bool:
    """GS1 modulo 10: GLN, GTIN.

    >>> gs1("4000001123452"), gs1("4000001123453")
    (True, False)
    """
    digits = _digits(text)[::-1]
    return bool(digits) and sum(digit * (3 if index % 2 else 1) for index, digit in enumerate(digits)) % 10 == 0


CHECKS: Mapping[str, Callable[[str], bool]] = {
    "luhn": luhn,
    "iso7064_mod11_10": mod11_10,
    "iso7064_mod97_10": mod97_10,
    "fr_vat": fr_vat,
    "gs1": gs1,
}
