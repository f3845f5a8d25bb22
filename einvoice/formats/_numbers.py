"""Numbers and dates as people and ERPs write them, to values: exactly what is written, or a refusal that says why."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import cache

from ..money import parse

#: Signs that people put between thousands, and the one they stand for here.
_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u2019": "'"})
_SIGNED = re.compile(r"([+-]?)\s*(.*?)(-?)", re.ASCII | re.DOTALL)
_GROUPED = r"[1-9]\d{{0,2}}(?:{0}\d{{3}})+"
#: Midnight after a date, as databases export it.
_MIDNIGHT = re.compile(r"[T ]00:00(?::00(?:\.0+)?)?$")


def number(text: str, decimal: str = "", thousands: str = "") -> Decimal:
    """The number that *text* states; a minus may stand behind it, as SAP writes it.

    decimal    the decimal sign; where empty, a number that can be read in two ways is refused
    thousands  the sign between thousands; where empty while *decimal* is given, none may stand there

    ValueError says why *text* is no number, or which two numbers it may be.

    >>> number("1.234,50"), number("1234.5"), number("12,50-"), number("1,234", decimal=",")
    (Decimal('1234.50'), Decimal('1234.5'), Decimal('-12.50'), Decimal('1.234'))
    """
    match = _SIGNED.fullmatch(text.strip().translate(_SPACES))
    before, body, behind = match.groups() if match else ("", "", "")
    if before and behind:
        raise ValueError(f"{text[:40]!r} has two signs")
    digits = _by_format(body, decimal, thousands) if decimal else _by_shape(body)
    value = parse(digits)
    if value is None:
        raise ValueError(f"{text[:40]!r} is not a number")
    return -value if "-" in (before, behind) and value else value


@cache
def _pattern(decimal: str, thousands: str) -> re.Pattern[str]:
    whole = rf"\d+|{_GROUPED.format(re.escape(thousands))}" if thousands else r"\d+"
    return re.compile(rf"({whole})?(?:{re.escape(decimal)}(\d+))?", re.ASCII)


def _by_format(body: str, decimal: str, thousands: str) -> str:
    match = _pattern(decimal, thousands).fullmatch(body)
    if match is None or not body:
        between = f" and {thousands!r} between thousands" if thousands else " and nothing between thousands"
        raise ValueError(f"{body[:40]!r} is not a number with the decimal sign {decimal!r}{between}")
    whole, fraction = match.groups()
    plain = (whole or "0").replace(thousands, "") if thousands else whole or "0"
    return f"{plain}.{fraction}" if fraction else plain


def _by_shape(body: str) -> str:
    """Digits and a point, where *body* can be read in one way only."""
    signs = re.sub(r"\d", "", body, flags=re.ASCII)
    if not signs:
        return body
    if signs[0] not in ".," or not set(signs) <= set(".,"):
        raise ValueError(f"{body[:40]!r} is not a number")
    if len(signs) == 1:
        whole, fraction = body.split(signs)
        if re.fullmatch(_GROUPED.format(re.escape(signs)), body):
            raise ValueError(f"{body!r} may be {whole + fraction} or {whole}.{fraction}")
        return f"{whole}.{fraction}" if fraction else ""
    last = signs[-1] if signs[-1] != signs[0] else ""
    if last and signs.count(last) > 1:
        raise ValueError(f"{body[:40]!r} is not a number")
    return _by_format(body, last or ("," if signs[0] == "." else "."), signs[0])


#: Ways to write a date that cannot be taken for one another.
DATES = ("YYYY-MM-DD", "YYYYMMDD", "DD.MM.YYYY")
_PARTS = {"YYYY": r"(?P<y>\d{4})", "MM": r"(?P<m>\d{1,2})", "DD": r"(?P<d>\d{1,2})"}
_FORMAT = re.compile(r"(YYYY|MM|DD)([^YMD\d\w]?)(YYYY|MM|DD)\2(YYYY|MM|DD)")


@cache
def date_pattern(form: str) -> re.Pattern[str]:
    """How a date of *form* looks: YYYY, MM and DD, each once, with one sign between them or none. ValueError."""
    match = _FORMAT.fullmatch(form)
    if match is None or len({match[1], match[3], match[4]}) < 3:
        raise ValueError(f"{form!r} is not a form of dates such as DD.MM.YYYY: YYYY, MM and DD, each once")
    parts = [_PARTS[match[at]] for at in (1, 3, 4)]
    if not match[2]:
        parts = [part.replace("{1,2}", "{2}") for part in parts]
    return re.compile(re.escape(match[2]).join(parts), re.ASCII)


def day(text: str, forms: Sequence[str] = DATES) -> date:
    """The date that *text* states in one of *forms*. ValueError where it is none, or two.

    >>> day("5.10.2026"), day("2026-10-05 00:00:00")
    (datetime.date(2026, 10, 5), datetime.date(2026, 10, 5))
    """
    plain = _MIDNIGHT.sub("", text.strip())
    found = {one for one in (_one(plain, form) for form in forms) if one}
    if not found:
        raise ValueError(f"{text[:40]!r} is not a calendar date written {' or '.join(forms)}")
    if len(found) > 1:
        raise ValueError(f"{text[:40]!r} may be {' or '.join(sorted(str(one) for one in found))}")
    return found.pop()


def _one(text: str, form: str) -> date | None:
    match = date_pattern(form).fullmatch(text)
    try:
        return date(int(match["y"]), int(match["m"]), int(match["d"])) if match else None
    except ValueError:
        return None


_FLAGS = {"true": True, "yes": True, "1": True, "x": True, "false": False, "no": False, "0": False}


def flag(text: str) -> bool:
    """Yes or no. ValueError where *text* says neither."""
    if text.strip().lower() not in _FLAGS:
        raise ValueError(f"{text[:40]!r} is neither yes nor no")
    return _FLAGS[text.strip().lower()]
