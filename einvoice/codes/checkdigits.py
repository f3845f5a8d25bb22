"""Check digits and forms of identifiers. Each function takes the identifier as it is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_FISCAL_CODE = re.compile(r"[A-Za-z]{6}[0-9]{2}[A-Za-z][0-9]{2}.{3}[0-9][A-Za-z]")


def _digits(text: str) -> list[int]:
    return [int(sign) for sign in text if sign in "0123456789"]


def is_digits(text: str, length: int) -> bool:
    """True when *text* is *length* digits and nothing else.

    >>> is_digits("12345678", 8), is_digits("1234567A", 8)
    (True, False)
    """
    return len(text) == length and text.isascii() and text.isdigit()


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


def no_org(text: str) -> bool:
    """The Norwegian organization number: nine digits, modulo 11 with the weights 2 to 7 from the right.

    >>> no_org("987654325"), no_org("987654326"), no_org("000000000")
    (True, False, False)
    """
    if not is_digits(text, 9) or not int(text):
        return False
    weighted = sum(digit * (index % 6 + 2) for index, digit in enumerate(_digits(text[:-1])[::-1]))
    return (11 - weighted % 11) % 11 == int(text[-1])


def be_enterprise(text: str) -> bool:
    """The Belgian enterprise number: ten digits, the last two 97 less the first eight modulo 97.

    >>> be_enterprise("0202239951"), be_enterprise("0202239952")
    (True, False)
    """
    return is_digits(text, 10) and int(text[8:]) == 97 - int(text[:8]) % 97


def se_org(text: str) -> bool:
    """The Swedish organization number: digits, the tenth by Luhn over the first nine.

    >>> se_org("5567890101"), se_org("2120000787"), se_org("212000078")
    (False, True, False)
    """
    return text.isascii() and text.isdigit() and len(text) >= 10 and luhn(text[:10])


def au_abn(text: str) -> bool:
    """The Australian Business Number: eleven digits, weighted, modulo 89.

    >>> au_abn("51824753556"), au_abn("51824753557")
    (True, False)
    """
    if not is_digits(text, 11):
        return False
    first, *rest = _digits(text)
    return ((first - 1) * 10 + sum(digit * (2 * index + 1) for index, digit in enumerate(rest))) % 89 == 0


def gr_tin(text: str) -> bool:
    """The Greek TIN (AFM): eight digits weighted by powers of two, modulo 11; what follows the ninth is not looked at.

    >>> gr_tin("090000045"), gr_tin("090000046"), gr_tin("09000004")
    (True, False, False)
    """
    if not is_digits(text[:9], 9):
        return False
    weighted = sum(digit << 8 - index for index, digit in enumerate(_digits(text[:8])))
    return weighted % 11 % 10 == int(text[8])


def it_ipa(text: str) -> bool:
    """The Italian office code (Codice IPA): six letters or digits.

    >>> it_ipa("UFF123"), it_ipa("UFF12")
    (True, False)
    """
    return len(text) == 6 and text.isascii() and text.isalnum()


def it_fiscal_code(text: str) -> bool:
    """The form of the Italian Codice Fiscale: sixteen signs of a person, or eleven digits of a body.

    >>> it_fiscal_code("RSSMRA85T10A562S"), it_fiscal_code("12345678903"), it_fiscal_code("RSSMRA85T10A562")
    (True, True, False)
    """
    return is_digits(text, 11) or (len(text) == 16 and _FISCAL_CODE.fullmatch(text) is not None)


def it_vat(text: str) -> bool:
    """The Italian Partita IVA behind IT: eleven digits by Luhn; numbers of other countries pass.

    >>> it_vat("IT12345678903"), it_vat("IT12345678900"), it_vat("DE1")
    (True, False, True)
    """
    return text[:2] not in ("IT", "it") or (is_digits(text[2:], 11) and luhn(text[2:]))


CHECKS: Mapping[str, Callable[[str], bool]] = {
    "luhn": luhn,
    "iso7064_mod11_10": mod11_10,
    "iso7064_mod97_10": mod97_10,
    "fr_vat": fr_vat,
    "gs1": gs1,
}
