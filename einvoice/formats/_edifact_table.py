"""The rows of INVOIC, one table for each directory: what a segment says and which term it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any

from ..mapping import Const, Drop, Field, Group, Lens, Map, Row
from ._edifact_directory import Directory
from ._edifact_shape import HOOKS
from ._segments import NEVER

# --- lenses: a date is ``value:format`` (C507 2380, 2379), a span ``unit:count`` (C112 2151, 2152) --------------------

_FORMATS = {
    "102": r"(\d{4})(\d\d)(\d\d)", "203": r"(\d{4})(\d\d)(\d\d)\d{4}", "204": r"(\d{4})(\d\d)(\d\d)\d{6}",
    "303": r"(\d{4})(\d\d)(\d\d)\d{4}[A-Z+-].*", "101": r"(\d\d)(\d\d)(\d\d)",
}  # fmt: skip
_BY_LENGTH = {6: "101", 8: "102", 12: "203", 14: "204"}


def _day(text: str) -> date:
    value, _, kind = text.partition(":")
    match = re.fullmatch(_FORMATS.get(kind or _BY_LENGTH.get(len(value), ""), "(?!)"), value, re.ASCII)
    if not match:
        raise ValueError(f"{value[:40]!r} is not a date of format {kind[:10] or '102'}")
    year, month, day = map(int, match.groups())
    try:
        return date(year + (0 if year > 99 else 1900 if year > 69 else 2000), month, day)
    except ValueError:
        raise ValueError(f"{value[:40]!r} is not a calendar date") from None


def _digits(day: date) -> str:
    return day.isoformat().replace("-", "")


def _moment(day: date | None, time: str | None) -> str | None:
    match = re.fullmatch(r"(\d\d):(\d\d)(?::(\d\d))?", time or "", re.ASCII)
    if day is None or match is None:
        return f"{_digits(day)}:102" if day else None
    hour, minute, second = match.groups()
    with_seconds = second not in (None, "00")
    return f"{_digits(day)}{hour}{minute}{second if with_seconds else ''}:{204 if with_seconds else 203}"


def _from_moment(text: str) -> tuple[date, str | None]:
    value, _, kind = text.partition(":")
    day = _day(text)
    if kind not in ("203", "204"):
        return day, None
    return day, f"{value[8:10]}:{value[10:12]}:{value[12:14] or '00'}"


def _from_period(text: str) -> tuple[date, date]:
    value = text.partition(":")[0].replace("-", "")
    return _day(f"{value[:8]}:102"), _day(f"{value[8:]}:102")


def _days(text: str) -> Any:
    unit, _, count = text.partition(":")
    if unit not in ("D", "W") or not re.fullmatch(r"\d{1,5}", count, re.ASCII):
        raise ValueError(f"{text[:40]!r} is no number of days")
    return int(count) * (7 if unit == "W" else 1)


DAY = Lens(lambda day: f"{_digits(day)}:102", _day, exact=False)
MOMENT = Lens(_moment, _from_moment, also="issue_time")
PERIOD = Lens(lambda start, end: f"{_digits(start)}{_digits(end)}:718" if start and end else None, _from_period,
              also="end")  # fmt: skip
DAYS = Lens(lambda days: f"D:{days:f}", _days)
READ = Lens(lambda value: None, lambda text: text)
#: C107 4441 is a code of 17 characters; a longer one has no place.
PROCESS = Lens(lambda text: text if len(text) <= 17 else None, str)
#: C829: 1 says that the line belongs to the one named beside it.
SUB_LINE = Lens(lambda parent: "1", lambda text: None)
#: UNCL5153. A tax without a code is OTH and named; a coded one may name its jurisdiction there.
_SCHEMES = {"VAT": "VAT", "GST": "GST", "SALES": "LOC"}
_SCHEME_NAMES = {code: name for name, code in _SCHEMES.items()}
SCHEME = Lens(lambda name: _SCHEMES.get(name, "OTH"),
              lambda code: None if code == "OTH" else _SCHEME_NAMES.get(code, code))  # fmt: skip
TAX_NAME = Lens(lambda place, name: place if name in (None, *_SCHEMES) else name, lambda text: (text, None),
                also="scheme")  # fmt: skip
#: ISO 6523 schemes that have an agency of their own in UNCL3055; 91 and 92 say who gave the number.
_AGENCIES = {"0088": "9", "0060": "16"}
_ICDS = {code: icd for icd, code in _AGENCIES.items()}
AGENCY = Lens(_AGENCIES.get, lambda code: _ICDS.get(code))
ICD = Lens(lambda scheme: None if scheme in _AGENCIES else scheme, lambda text: text)
#: UNCL5189 codes are digits, those of UNCL7161 letters.
ALLOWANCE_CODE = Lens(lambda code: code if code.isdigit() else None, lambda text: text)
SERVICE_CODE = Lens(lambda code: None if code.isdigit() else code, lambda text: text)


def _gtin(code: str) -> Lens:
    """GTIN as UNCL7143 says it; partners use the codes of other directories, so all are read."""
    return Lens(lambda scheme: code if scheme == "0160" else scheme,
                lambda text: "0160" if text in ("EN", "SRV", "SRS", "UP", "GTIN") else text)  # fmt: skip


# --- rows -------------------------------------------------------------------------------------------------------------


def _dated(code: str, term: str, lens: Lens = DAY, when: str = "") -> Group:
    return Group("DTM", (Const("@1.1", code), Field(term, "@1.2", lens=lens, raw=True)), when=when)


def _text(code: str, term: str, when: str = "") -> Group:
    return Group("FTX", (Const("@1.1", code), *_PLAIN_TEXT, Field(term, "@4.1")), when=when)


_PLAIN_TEXT = (
    Drop("@2.1", "UNCL4453: what the receiver does with the text"),
    Drop("@5.1", "UNCL3453: the language of the text"),
)


def _amount(code: str, term: str, when: str = "", path: str = "SG-MOA/MOA") -> Group:
    group, _, segment = path.rpartition("/")
    inner = f"{segment}/" if group else ""
    return Group(group or segment, (Const(f"{inner}@1.1", code), Field(term, f"{inner}@1.2")), when=when)


def _reference(code: str, term: str, day: str = "", kind: str = "171", when: str = "", line: str = "") -> Group:
    rows: tuple[Row, ...] = (Const("RFF/@1.1", code), Field(term, "RFF/@1.2"))
    rows += (Field(line, "RFF/@1.3"),) if line else ()
    return Group("SG-RFF", rows + ((_dated(kind, day),) if day else ()), when=when)


def _tax(term: str, base: bool = True) -> Group:
    """*base*: False where the directories take one amount for each tax."""
    money = (_amount("125", "base", when="" if base else NEVER, path="MOA"), _amount("124", "amount", path="MOA"))
    return Group("SG-TAX", (
        Const("TAX/@1.1", "7"),
        Field("scheme", "TAX/@2.1", lens=SCHEME, default="VAT"),
        Field("jurisdiction", "TAX/@2.4", lens=TAX_NAME),
        Field("rate", "TAX/@5.4"),
        Field("category", "TAX/@6.1"),
        *money,
    ), term, many=True)  # fmt: skip


def _allowance(d: Directory, term: str, charge: bool) -> Group:
    amount = "23" if charge else "204"
    text = ("ALC/@2.1", "ALC/@5.4") if d.binding else ("ALC/@5.4", "ALC/@2.1")
    return Group("SG-ALC", (
        Const("ALC/@1.1", "C" if charge else "A"),
        Field("reason_code", "ALC/@2.2", lens=READ if charge and d.binding else ALLOWANCE_CODE),
        Drop("ALC/@3.1", "UNCL4471: how it is settled, which the total says"),
        Drop("ALC/@4.1", "UNCL1227: the order of calculation; amounts are as issued"),
        Field("reason_code", "ALC/@5.1", lens=SERVICE_CODE),
        Field("reason", text[0]),
        Field("reason", text[1], lens=READ),
        Group("SG-PCD", (
            Const("PCD/@1.1", "2" if charge else "1", select=False, clause="UNCL5245: percentage of what"),
            Field("percent", "PCD/@1.2"), Drop("PCD/@1.3", "UNCL5249: the basis of the percentage"))),
        _amount(amount, "amount"),
        _amount("8", "amount", when=NEVER),
        _amount("25", "base"),
        _tax("taxes[]", base=False),
    ), term, many=True)  # fmt: skip


def _side(d: Directory) -> Group:
    """A party in its role: hook ``sides`` puts its first identifier into ``invoiced_object``, its role into
    ``operation``, its accounts into ``payment``, itself into ``seller``."""
    party, area = "seller.", "seller.address."
    return Group("SG-NAD", (
        Field("operation", "NAD/@1.1", lens=Lens(lambda role: d.seller if role == "SU" else role, str)),
        Field("invoiced_object.value", "NAD/@2.1"),
        Field("invoiced_object.scheme", "NAD/@2.2", lens=None if d.binding else READ if d.release == "96A" else ICD),
        Field("invoiced_object.scheme", "NAD/@2.3", lens=Lens(READ.to, AGENCY.back) if d.binding else AGENCY),
        Field(f"{party}name", "NAD/@4.1"),
        *((Field(f"{party}trading_name", "NAD/@4.2"),) if d.binding else ()),
        *(Field(f"{area}line_{n}", f"NAD/@5.{n}") for n in (1, 2, 3)),
        Field(f"{area}city", "NAD/@6.1"),
        Field(f"{area}subdivision", "NAD/@7.1", lens=READ if d.binding else None),
        *((Field(f"{area}subdivision", "NAD/@7.4"),) if d.binding else ()),
        Field(f"{area}postcode", "NAD/@8.1"),
        Field(f"{area}country", "NAD/@9.1"),
        *_banks(),
        *_registrations(d),
        *_contact(d, f"{party}contact."),
    ), each="sides", many=True)  # fmt: skip


def _banks() -> tuple[Group, ...]:
    return (
        Group("FII", (
            Const("@1.1", "RB", select=False, clause="UNCL3035: which role the bank has"),
            Field("account.id", "@2.1"), Field("account.name", "@2.2"), Field("account.bic", "@3.1"),
            Drop("@3.2", "UNCL1131"), Drop("@3.3", "UNCL3055: who gave the bank its code"),
            Field("account.routing", "@3.4"), Field("account.bank", "@3.7"),
        ), "payment.means[]", many=True, when="credited", choose="receives"),
        Group("FII", (Const("@1.1", "PB"), Field("debit.account", "@2.1")), "payment.means[]", many=True,
              when="debited"),
        Group("FII", (Const("@1.1", "BI"), Field("card.number", "@2.1"), Field("card.holder", "@2.2")),
              "payment.means[]", many=True, when="carded"),
    )  # fmt: skip


def _registrations(d: Directory) -> tuple[Group, ...]:
    party = "seller."
    return (
        _reference("VA", f"{party}vat_id"),
        _reference(d.legal, f"{party}legal_id.value"),
        _reference("XA" if d.legal == "GN" else "GN", f"{party}legal_id.value", when=NEVER),
        _reference("FC", f"{party}tax_id"),
        _reference("IT", f"{party}account_number", when="customer"),
        _reference("IA", f"{party}account_number", when="supplier"),
        _mandate(),
        Group("SG-RFF", (Const("RFF/@1.1", "AMT"), Field("id", "RFF/@1.2")), "seller.tax_registrations[]", many=True,
              when="is_gst", states=("scheme", "GST")),
        Group("SG-RFF", (Const("RFF/@1.1", "AHP"), Field("id", "RFF/@1.2")), "seller.tax_registrations[]", many=True,
              when="no_gst"),
    )  # fmt: skip


def _mandate() -> Group:
    return Group("SG-RFF", (Const("RFF/@1.1", "AVS"), Field("debit.mandate", "RFF/@1.2")), "payment.means[]", many=True,
                 when="mandated")  # fmt: skip


def _contact(d: Directory, scope: str) -> tuple[Row, ...]:
    numbers = (("TE", "phone"), ("FX", "fax"), ("EM", "email"), ("AO", "url"))
    return (
        Group("SG-CTA", (
            Const("CTA/@1.1", d.contact, select=False, clause="UNCL3139: what the contact is for"),
            Field(f"{scope}id", "CTA/@2.1"), Field(f"{scope}name", "CTA/@2.2"),
            *(Group("COM", (Const("@1.2", code), Field(f"{scope}{leaf}", "@1.1"))) for code, leaf in numbers),
        )),
        Drop("SG-CTA", "einvoice: a party has one contact"),
    )  # fmt: skip


def _terms(d: Directory) -> tuple[Row, ...]:
    """Payment: PAT in the older directories; PYT with the means inside from D.09B on."""
    pay = f"SG-{d.pay}"
    if d.pay == "PYT":
        rows = (Const("PYT/@1.1", "1"), _dated("13", "BT-9"), Field("@means", "PAI/@1.3"))
        return Group(pay, rows), Group(pay, rows, when=NEVER)
    after = (Const("PAT/@3.1", "5", select=False, clause="UNCL2475: counted from which day"),
             Const("PAT/@3.2", "3", select=False, clause="UNCL2009: before or after"))  # fmt: skip
    return (
        Group(pay, (Const("PAT/@1.1", "1"), *after, Field("EX-30", "PAT/@3.3", lens=DAYS, raw=True),
                    _dated("13", "BT-9")), when="has_days", choose="in_days"),
        Group(pay, (Const("PAT/@1.1", "3"), _dated("13", "BT-9")), when="only_date"),
        Group(pay, (Const("PAT/@1.1", "1"), _dated("13", "BT-9")), when=NEVER),
        Group(pay, (
            Const("PAT/@1.1", "22"), *after, Field("days", "PAT/@3.3", lens=DAYS, raw=True), _dated("12", "until"),
            Group("PCD", (Const("@1.1", "12"), Field("percent", "@1.2"),
                          Drop("@1.3", "UNCL5249: the basis of the percentage"))),
            _amount("52", "amount", path="MOA"), _amount("129", "base", path="MOA"),
        ), "payment.discounts[]", many=True),
    )  # fmt: skip


def _currencies(d: Directory) -> tuple[Row, ...]:
    kind = (Drop("CUX/@1.3", "UNCL6343: which list of currencies"),) if d.binding else (
        Const("CUX/@1.3", "4", select=False, clause="UNCL6343: what the currency is used for"),)  # fmt: skip
    target = (Drop("CUX/@2.3", "UNCL6343: what the currency is used for"),)
    return (
        Group("SG-CUX", (Const("CUX/@1.1", "2"), Field("BT-5", "CUX/@1.2"), *kind), choose="no_rate"),
        Group("SG-CUX", (Const("CUX/@1.1", "6"), Field("BT-6", "CUX/@1.2"))),
        Group("SG-CUX", (
            Const("CUX/@1.1", "2"), Field("source", "CUX/@1.2"), *kind, Const("CUX/@2.1", "3"),
            Field("target", "CUX/@2.2"), *target, Field("rate", "CUX/@3.1"), _dated("134", "date"),
        ), "exchange_rates[]", many=True),
        Group("SG-CUX", (Const("CUX/@1.1", "1"), Field("BT-5", "CUX/@1.2"), *target), when=NEVER, choose="no_rate"),
    )  # fmt: skip


def _header(d: Directory) -> tuple[Row, ...]:
    function = () if d.binding else (Field("@function", "BGM/@3.1"),)
    process = (Group("FTX", (Const("@1.1", "DOC"), Field("BT-23", "@3.1", lens=PROCESS), Field("BT-24", "@4.1"))),)
    period = () if d.binding else (_dated("263", "BT-73", lens=PERIOD),)
    return (
        Field("BT-3", "BGM/@1.1", required=True), Field("BT-1", "BGM/@2.1", required=True), *function,
        _dated("137", "BT-2", lens=MOMENT), Group("DTM", (Field("BT-8", "@1.1"),), choose="undated"),
        _dated("3", "BT-2", when=NEVER), _dated("35", "BT-72"), _dated("11", "EX-27"), _dated("131", "BT-7"),
        *period, _dated("167", "BT-73", when="open_start" if period else ""),
        _dated("168", "BT-74", when="open_end" if period else ""),
        *(() if d.binding else (Field("@means", "PAI/@1.3"),)),
        _text("AAB", "BT-20"), *(process if d.binding else ()),
        Group("FTX", (Const("@1.1", d.reason), Drop("@2.1", "UNCL4453"), Field("exemption_code", "@3.1"),
                      Field("exemption_reason", "@4.1")), "BG-23", many=True, when="explained"),
        Group("FTX", (Field("subject_code", "@1.1", filler=d.note), *_PLAIN_TEXT, Field("text", "@4.1")), "BG-1",
              many=True),
        *_references(d),
        _side(d),
        *_currencies(d),
        *_terms(d),
        Group("SG-TDT", (
            Const("TDT/@1.1", "20", select=False, clause="UNCL8051: which part of the transport"),
            Drop("TDT/@3.1", "UNCL8067: mode of transport"), Field("EX-28", "TDT/@5.4"),
            _reference("CN", "EX-29"),
        )),
        _allowance(d, "BG-20", charge=False), _allowance(d, "BG-21", charge=True),
    )  # fmt: skip


def _references(d: Directory) -> tuple[Group, ...]:
    other = "IV" if d.preceding == "OI" else "OI"
    preceding = tuple(
        Group("SG-RFF", (Const("RFF/@1.1", code), Field("id", "RFF/@1.2"), _dated(d.referred, "issue_date"),
                         _dated("171" if d.referred == "384" else "384", "issue_date", when=NEVER)),
              "BG-3", many=True, when=when)
        for code, when in ((d.preceding, ""), (other, NEVER))
    )  # fmt: skip
    own = (_reference("IV", "BT-1", "BT-2", when="always"),) if d.own else ()
    located = Group("SG-RFF", (Field("BT-18-1", "RFF/@1.1", filler="ATS"), Const("GIR/@1.1", "14"),
                               Field("BT-18", "GIR/@2.1")))  # fmt: skip
    return (
        *own, *preceding,
        _reference("ON", "BT-13", "EX-12"), _reference("VN", "BT-14"), _reference("CT", "BT-12", "EX-10"),
        _reference("AAK", "BT-16"), _reference("DQ", "BT-16", when=NEVER), _reference("ALO", "BT-15"),
        _reference("AEP", "BT-11"), _reference("GC", "BT-17"), _reference("PQ", "BT-83"), _reference("CR", "BT-10"),
        _reference(d.booking, "BT-19"), *((located,) if d.binding else (_reference("ATS", "BT-18"),)),
        Group("SG-RFF", (Field("kind", "RFF/@1.1"), Field("id", "RFF/@1.2"), _dated("171", "date")), "references[]",
              many=True),
    )  # fmt: skip


def _line(d: Directory) -> tuple[Row, ...]:
    use = Const("@1.1", "5", select=False, clause="UNCL4347: what the number is for")
    price = (Drop("PRI/@1.3", "UNCL5375: kind of price list"), Drop("PRI/@1.4", "UNCL5387: kind of price"),
             Field("BT-149", "PRI/@1.5"), Field("BT-150", "PRI/@1.6"))  # fmt: skip

    discount = Group("SG-ALC", (Const("ALC/@1.1", "A"), _amount("509", "BT-147")), when="has_discount", choose="priced")

    def number(code: str, leaf: str, when: str = "") -> Group:
        return Group("PIA", (use, Field(leaf, "@2.1"), Const("@2.2", code)), when=when)

    def described(code: str, leaf: str) -> Group:
        return Group("IMD", (Const("@1.1", code), Field(leaf, "@3.4")))

    return (
        Field("BT-126", "LIN/@1.1", required=True),
        Field("item.standard_id.value", "LIN/@3.1"), Field("item.standard_id.scheme", "LIN/@3.2", lens=_gtin(d.gtin)),
        Field("EX-80", "LIN/@4.1", lens=SUB_LINE), Field("EX-80", "LIN/@4.2"),
        number("SA", "BT-155"), number("BP" if d.binding else "IN", "BT-156"),
        number("IN" if d.binding else "BP", "BT-156", when=NEVER), number("MF", "EX-96"),
        Group("PIA", (use, Field("code", "@2.1"), Field("scheme", "@2.2"), Drop("@2.4", "UNCL3055")),
              "item.classifications[]", many=True),
        described("F", "BT-153"), described("A", "BT-154"), described("F", "EX-110"),
        Group("QTY", (Const("@1.1", "47"), Field("BT-129", "@1.2"), Field("BT-130", "@1.3"))),
        Group("ALI", (Field("BT-159", "@1.1"), Drop("@2.1", "UNCL9213: duty regime"), Drop("@3.1", "UNCL4183"))),
        _dated("35", "EX-91"), _dated("167", "BT-134"), _dated("168", "BT-135"),
        _dated("194", "BT-134", when=NEVER), _dated("206", "BT-135", when=NEVER),
        _text("ACB", "BT-127"),
        Group("FTX", (Const("@1.1", "ACF"), Drop("@2.1", "UNCL4453"), Field("name", "@4.1"), Field("value", "@4.2")),
              "item.attributes[]", many=True),
        _text("AAI", "BT-127", when=NEVER),
        _amount("203", "BT-131"), _amount("66", "EX-112"), _amount("38", "EX-92"),
        Group("SG-PRI", (Const("PRI/@1.1", "AAA"), Field("BT-146", "PRI/@1.2"), *price)),
        Group("SG-PRI", (Const("PRI/@1.1", "AAB"), Field("BT-148", "PRI/@1.2"), *price), when="has_gross"),
        Group("SG-PRI", (Const("PRI/@1.1", "INV"), Field("BT-146", "PRI/@1.2"), *price), when=NEVER),
        _reference("ON", "EX-82", "EX-83", line="BT-132"), _reference("VN", "EX-111"),
        _reference("CT", "EX-85", "EX-87"), _reference("AAK", "EX-88", line="EX-89"),
        _reference("DQ", "EX-88", line="EX-89", when=NEVER), _reference("ALO", "EX-90"),
        _reference(d.booking, "BT-133"), _reference("AVE", "BT-128"),
        _tax("BG-30"),
        *((discount,) if d.binding else ()),
        _allowance(d, "BG-27", charge=False), _allowance(d, "BG-28", charge=True),
    )  # fmt: skip


def _summary(d: Directory) -> Group:
    totals = tuple(_amount(code, term) for term, code, _ in d.totals)
    alike = tuple(_amount(code, term, when=NEVER) for term, _, codes in d.totals for code in codes)
    summed = tuple(
        Group("SG-ALC", (
            Const("ALC/@1.1", sign), Field("reason_code", "ALC/@5.1"), Field("reason_code", "ALC/@2.2"),
            Field("reason", "ALC/@5.4"), Field("reason", "ALC/@2.1"),
            *(_amount(code, "amount", path="MOA") for code in ("131", "8", amount)),
        ), term, many=True, when=NEVER, states=("role", "summary"))
        for sign, term, amount in (("A", "BG-20", "204"), ("C", "BG-21", "23"))
    )  # fmt: skip
    return Group("SG-UNS", (
        Const("UNS/@1.1", "S"),
        *(() if d.binding else (Group("CNT", (Const("@1.1", "2"), Field("@lines", "@1.2"))),)),
        Drop("CNT", "UNCL6069: a control total of the sender"),
        *totals, *alike,
        Group("SG-MOA", (Const("MOA/@1.1", "129"), Field("@discountable", "MOA/@1.2")), when=NEVER),
        Group("SG-MOA", (Const("MOA/@1.1", "131"), Field("@balance", "MOA/@1.2")), when=NEVER),
        _tax("BG-23"),
        *summed,
    ), always=True)  # fmt: skip


@cache
def table(d: Directory) -> Map:
    """The table of INVOIC in this directory."""
    rows = (*_header(d), Group("SG-LIN", _line(d), "BG-25", many=True), _summary(d))
    return Map("INVOIC", rows, money="", hooks=HOOKS)


#: Data elements that hold a number: their decimal mark is told apart before they are read.
NUMBERS: Mapping[str, tuple[tuple[int, int], ...]] = {
    "MOA": ((1, 2),), "QTY": ((1, 2),), "PRI": ((1, 2), (1, 5)), "PCD": ((1, 2),), "TAX": ((5, 4),), "CUX": ((3, 1),),
    "CNT": ((1, 2),),
}  # fmt: skip
