"""The rows of the 810: what a segment says and which term it is, for one partner's way of writing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache

from ..codes.crosswalks import Crosswalk, crosswalk
from ..mapping import Const, Drop, Field, Group, Lens, Map, Row
from ..money import plain
from ._segments import NEVER
from ._x12_shape import HOOKS, paid_by, settled
from ._xml_read import Context

Pairs = tuple[tuple[str, str], ...]
#: REF01 (data element 128) by term; a partner's own set goes before it.
REFERENCES = {
    "sales_order_reference": "VN", "contract.id": "CT", "buyer_reference": "CR", "project_reference": "PJ",
    "receiving_advice_reference": "RV", "despatch_advice_reference": "SI", "accounting_reference": "GL",
    "tender_reference": "Q1", "preceding": "OI", "buyer.account_number": "11", "seller.account_number": "IA",
    "vat_id": "VX", "tax_id": "TJ", "legal_id": "ZY", "EIN": "TJ", "GST": "GT", "QST": "4O",
    "account.id": "AP", "account.routing": "RT", "despatch.tracking": "CN",
    "lines.order": "PO", "lines.contract": "CT", "lines.despatch": "SI", "lines.receiving": "RV",
    "lines.accounting": "GL", "lines.note": "L1", "lines.sales_order": "VN", "lines.control": "FJ",
}  # fmt: skip
#: IT106 and after (data element 235) by term.
ITEM_CODES = {
    "seller_id": "VP", "buyer_id": "BP", "manufacturer_id": "MG", "order_line": "PL", "origin_country": "CH",
    "batch": "LT", "serial": "SN", "auxiliary_id": "VC",
}  # fmt: skip
#: AMT01 and PAM04 (data element 522) by term.
AMOUNTS = {"totals.lines": "1", "totals.tax": "T", "totals.due": "NP", "lines.net": "1", "lines.tax": "T"}


@dataclass(frozen=True)
class Way:
    """What one partner wants otherwise than the next, as far as the table is concerned."""

    digits: int = 2
    fraction: bool = True
    tax_by_sac: bool = False
    seller: str = "SE"
    contact: str = "IC"
    note: str = "GEN"
    references: Pairs = ()
    items: Pairs = ()
    amounts: Pairs = ()
    units: Pairs = ()
    taxes: Pairs = ()
    jurisdictions: Pairs = ()
    charges: Pairs = ()
    allowances: Pairs = ()
    payment: Pairs = ()
    referred: str = "922"

    def reference(self, term: str) -> str:
        return dict(self.references).get(term, REFERENCES[term])

    def item(self, term: str) -> str:
        return dict(self.items).get(term, ITEM_CODES[term])

    def amount(self, term: str) -> str:
        return dict(self.amounts).get(term) or AMOUNTS[term]

    def walk(self, name: str) -> Crosswalk:
        return crosswalk(f"x12_{name}", getattr(self, name))


# --- lenses -----------------------------------------------------------------------------------------------------------


def _day(text: str) -> date:
    match = re.fullmatch(r"(\d{4}|\d\d)(\d\d)(\d\d)", text, re.ASCII)
    if not match:
        raise ValueError(f"{text[:40]!r} is not a date CCYYMMDD")
    year, month, day = map(int, match.groups())
    try:
        return date(year + (0 if year > 99 else 1900 if year > 69 else 2000), month, day)
    except ValueError:
        raise ValueError(f"{text[:40]!r} is not a calendar date") from None


def implied(digits: int) -> Lens:
    """Type N of X12.6: the decimal point is implied. What has more decimals than fit is not written.

    >>> implied(2).to(Decimal("12.5")), implied(2).to(Decimal("12.345")), implied(2).back("-1250")
    ('1250', None, Decimal('-12.50'))
    """

    def to(value: Decimal) -> str | None:
        whole, _, fraction = plain(value).partition(".")  # by its digits: arithmetic would round beyond 28 of them
        return None if fraction[digits:].strip("0") else str(int(whole + fraction[:digits].ljust(digits, "0")))

    def back(text: str) -> Decimal:
        if not re.fullmatch(r"[+-]?\d{1,30}", text, re.ASCII):
            raise ValueError(f"{text[:40]!r} is not a number with {digits} implied decimals")
        return Decimal(text).scaleb(-digits)

    return Lens(to, back)


def _percent(fraction: bool) -> Lens:
    """TXI03 is a percentage as a decimal, .065 for 6.5 %; the reader has put it into percent before."""
    if not fraction:
        return Lens(plain, _number)
    return Lens(lambda value: plain(value.scaleb(-2)), _number)


def _number(text: str) -> Decimal:
    if not re.fullmatch(r"[+-]?(\d{1,30}(\.\d{0,20})?|\.\d{1,20})", text, re.ASCII):
        raise ValueError(f"{text[:40]!r} is not a plain decimal number")
    return Decimal(text)


def _time(text: str) -> str:
    match = re.fullmatch(r"(\d\d)(\d\d)(\d\d)?\d{0,2}", text, re.ASCII)
    if not match:
        raise ValueError(f"{text[:40]!r} is not a time HHMM")
    hour, minute, second = match.groups()
    return f"{hour}:{minute}:{second or '00'}"


def _digits_of(time: str) -> str | None:
    match = re.match(r"(\d\d):(\d\d)(?::(\d\d))?", time, re.ASCII)
    return "".join(part or "" for part in match.groups()) if match else None


def _coded(walk: Crosswalk, kept: bool = True) -> Lens:
    """Our code as theirs; a code of theirs without equivalent is *kept* as it is and said, else it is none."""
    return Lens(walk.to, lambda text: walk.back(text) or (text if kept else None), exact=False)


def _exactly(walk: Crosswalk) -> Lens:
    """Like ``_coded`` where several codes of theirs are one of ours: the narrowing is meant, and not said."""
    return Lens(walk.to, lambda text: walk.back(text) or text)


DAY = Lens(lambda day: day.isoformat().replace("-", ""), _day)
#: CUR07, which the day in CUR08 wants beside it.
EFFECTIVE = Lens(lambda day: "007", lambda code: None)
TIME = Lens(_digits_of, _time)
#: TXI06: 1 exempt, 0 exempt for export, 2 not exempt.
_EXEMPT = {"E": "1", "G": "0", "S": "2"}
EXEMPT = Lens(_EXEMPT.get, lambda text: {code: letter for letter, code in _EXEMPT.items()}.get(text))
#: N103: DUNS, GLN; 91 and 92 say who gave the number and stay as they are.
_QUALIFIERS = {"0060": "1", "0088": "UL"}
_SCHEMES = {code: scheme for scheme, code in _QUALIFIERS.items()}


def _qualified(scheme: str | None, value: str | None) -> str | None:
    if not value:
        return None
    return _QUALIFIERS.get(scheme or "ZZ", scheme if scheme and len(scheme) < 3 else "ZZ")


QUALIFIER = Lens(_qualified, lambda code: (_SCHEMES.get(code, None if code == "ZZ" else code), None), also="value")
#: N402 holds the two letters of a US state or Canadian province; another subdivision stands in N406.
STATE = Lens(lambda name: name if len(name) == 2 else None, lambda text: text)
REGION = Lens(lambda name: name if len(name) != 2 else None, lambda text: text)
REGION_MARK = Lens(lambda name: "SP" if len(name) != 2 else None, lambda text: None)
#: 235 of a GTIN by its length.
_GTIN = {8: "EO", 12: "UP", 13: "EN", 14: "UK"}
GTIN = Lens(lambda value, scheme: value, lambda text: (text, "0160"), also="scheme")
#: IT105 (data element 639) where it says how many units the price is for.
_PER = {"10": "PN", "12": "PD", "100": "HP", "1000": "TP", "10000": "TT", "100000": "HT"}
_BASES = {code: Decimal(base) for base, code in _PER.items()}
_BASES |= {code: Decimal(base) for base, codes in (("12", "LD QD RD TD WD"), ("100", "LC QH RC TC WC"),
                                                   ("1000", "LM QS RM TM WM")) for code in codes.split()}  # fmt: skip
BASIS = Lens(lambda base: _PER.get(plain(base.normalize() + 0)), lambda code: _BASES.get(code), exact=False)


def _jurisdiction(pairs: Pairs, size: tuple[int, int]) -> Lens:
    """TXI05 holds ten characters; a longer name stands in TXI10."""
    codes = dict(pairs)
    names = {code: name for name, code in pairs}

    def to(name: str) -> str | None:
        text = codes.get(name, name)
        return text if size[0] < len(text) <= size[1] else None

    return Lens(to, lambda text: names.get(text, text))


def _once(codes: tuple[str, ...], walk: Crosswalk) -> str | None:
    return next((found for code in codes if (found := walk.to(code))), None)


# --- rows -------------------------------------------------------------------------------------------------------------


def _dated(code: str, term: str, when: str = "") -> Group:
    return Group("DTM", (Const("@1.1", code), Field(term, "@2.1", lens=DAY)), when=when)


def _reference(code: str, term: str, when: str = "") -> Group:
    return Group("REF", (Const("@1.1", code), Field(term, "@2.1")), when=when)


def _tax(way: Way, term: str, when: str = "") -> Group:
    """TXI. The category has a place only as far as it says whether the sale is exempt."""
    return Group("TXI", (
        Field("scheme", "@1.1", lens=_exactly(way.walk("taxes")), filler="ZZ"),
        Field("amount", "@2.1"),
        Field("rate", "@3.1", lens=_percent(way.fraction)),
        Field("jurisdiction", "@4.1", lens=Lens(lambda name: "VD" if _place(way, name) else None, lambda text: None)),
        Field("jurisdiction", "@5.1", lens=_jurisdiction(way.jurisdictions, (0, 10))),
        Field("category", "@6.1", lens=EXEMPT),
        Drop("@7.1", "X12 662: how the tax relates to the amount"),
        Field("base", "@8.1"),
        Field("certificate", "@9.1"),
        Field("jurisdiction", "@10.1", lens=_jurisdiction(way.jurisdictions, (10, 999))),
    ), term, many=True, when=when)  # fmt: skip


def _place(way: Way, name: str) -> bool:
    return len(dict(way.jurisdictions).get(name, name)) <= 10


def _charged(way: Way, term: str, charge: bool) -> Group:
    walk = way.walk("charges" if charge else "allowances")
    return Group("SG-SAC", (
        Const("SAC/@1.1", "C" if charge else "A"),
        Field("reason_code", "SAC/@2.1", lens=_exactly(walk), filler="ZZZZ"),
        Field("amount", "SAC/@5.1", lens=implied(way.digits)),
        Field("percent", "SAC/@6.1", lens=Lens(lambda value: "Z", lambda text: None)),
        Field("percent", "SAC/@7.1"),
        Const("SAC/@12.1", "06" if charge else "02", select=False, clause="X12 331: how it is handled"),
        Field("reason", "SAC/@15.1"),
        Drop("SAC/@16.1", "X12 819: the language of the text"),
        _tax(way, "taxes[]"),
    ), term, many=True)  # fmt: skip


def _total_tax(way: Way, amount: str, rows: str) -> Group:
    """The tax as a charge H850, as some networks want it, with its TXI beneath."""
    return Group("SG-SAC", (
        Const("SAC/@1.1", "C"), Const("SAC/@2.1", "H850"), Field(amount, "SAC/@5.1", lens=implied(way.digits)),
        Drop("SAC/@12.1", "X12 331: how it is handled"), Drop("SAC/@15.1", "einvoice: the name of a sum of taxes"),
        Drop("SAC/@16.1", "X12 819: the language of the text"), _tax(way, rows),
    ), when="" if way.tax_by_sac else NEVER)  # fmt: skip


def _side(way: Way) -> Group:
    """A party in its role: hook ``sides`` puts its role into ``operation``, its first identifier into
    ``invoiced_object``, its account into ``payment``, itself into ``seller``."""
    party, area = "seller.", "seller.address."
    return Group("SG-N1", (
        Field("operation", "N1/@1.1", lens=Lens(lambda role: way.seller if role == "SE" else role, str)),
        Field(f"{party}name", "N1/@2.1"),
        Field("invoiced_object.scheme", "N1/@3.1", lens=QUALIFIER),
        Field("invoiced_object.value", "N1/@4.1"),
        Field(f"{party}trading_name", "N2/@1.1"),
        Field(f"{area}line_1", "N3/@1.1"), Field(f"{area}line_2", "N3/@2.1"),
        Group("N3", (Field(f"{area}line_3", "@1.1"),)),
        Field(f"{area}city", "N4/@1.1"), Field(f"{area}subdivision", "N4/@2.1", lens=STATE),
        Field(f"{area}postcode", "N4/@3.1"), Field(f"{area}country", "N4/@4.1"),
        Field(f"{area}subdivision", "N4/@5.1", lens=REGION_MARK), Field(f"{area}subdivision", "N4/@6.1", lens=REGION),
        *_registrations(way),
        _contact(way, f"{party}contact."),
    ), each="sides", many=True)  # fmt: skip


def _registrations(way: Way) -> tuple[Group, ...]:
    def scheme(name: str) -> Group:
        return Group("REF", (Const("@1.1", way.reference(name)), Field("id", "@2.1")), "seller.tax_registrations[]",
                     many=True, when=f"is_{name}", states=("scheme", name))  # fmt: skip

    ours = way.reference("buyer.account_number")
    theirs = way.reference("seller.account_number")
    return (
        _reference(way.reference("vat_id"), "seller.vat_id"),
        Group("REF", (Const("@1.1", way.reference("legal_id")), Field("seller.legal_id.value", "@2.1"),
                      Field("seller.legal_id.scheme", "@3.1"))),
        _reference(ours, "seller.account_number", when="customer"),
        _reference(theirs, "seller.account_number", when="supplier"),
        scheme("EIN"), scheme("GST"), scheme("QST"),
        Group("REF", (Const("@1.1", "ZZ"), Field("id", "@2.1"), Field("scheme", "@3.1")),
              "seller.tax_registrations[]", many=True, when="is_other"),
        _reference(way.reference("account.id"), "payment.creditor_id"),
        _reference(way.reference("account.routing"), "payment.remittance"),
    )  # fmt: skip


def _contact(way: Way, scope: str) -> Group:
    numbers = (("TE", "phone"), ("EM", "email"), ("FX", "fax"), ("UR", "url"))
    return Group("SG-PER", (
        Const("PER/@1.1", way.contact, select=False, clause="X12 366: what the contact is for"),
        Field(f"{scope}name", "PER/@2.1"),
        *(Group("+PER", (Const("@1.1", code), Field(f"{scope}{leaf}", "@2.1"))) for code, leaf in numbers),
    ), many=True)  # fmt: skip


def _terms(way: Way) -> tuple[Group, ...]:
    money, pay = implied(way.digits), way.walk("payment")
    kind = Const("@2.1", "3", select=False, clause="X12 333: the day the terms count from")
    net = (Field("BT-9", "@6.1", lens=DAY), Field("EX-30", "@7.1"))
    described = Field("BT-20", "@12.1")
    return (
        Group("ITD", (
            Const("@1.1", "08", select=False, clause="X12 336: kind of terms"), kind,
            Field("percent", "@3.1"), Field("until", "@4.1", lens=DAY), Field("days", "@5.1"), *net,
            Field("amount", "@8.1", lens=money), described,
            Field("means_codes[]", "@14.1", lens=Lens(lambda codes: _once(codes, pay), _exactly(pay).back)),
        ), "payment.discounts[]", many=True, choose="discounted"),
        Group("ITD", (
            Const("@1.1", "01", select=False, clause="X12 336: kind of terms"), kind, *net, described,
            Field("@means", "@14.1"),
        ), when="unconditional"),
    )  # fmt: skip


def _header(way: Way) -> tuple[Row, ...]:
    return (
        Field("BT-2", "BIG/@1.1", lens=DAY, required=True), Field("BT-1", "BIG/@2.1", required=True),
        Field("EX-12", "BIG/@3.1", lens=DAY), Field("BT-13", "BIG/@4.1"), Field("EX-14", "BIG/@5.1"),
        Drop("BIG/@6.1", "X12 327: number of the change of the order"),
        Field("@kind", "BIG/@7.1"), Field("@purpose", "BIG/@8.1"), Field("@action", "BIG/@9.1"),
        Group("NTE", (Field("subject_code", "@1.1", filler=way.note), Field("text", "@2.1")), "BG-1", many=True),
        Group("CUR", (Const("@1.1", way.seller if way.seller in ("SE", "BY") else "SE", select=False,
                            clause="X12 98: whose currency it is"),
                      Field("source", "@2.1"), Field("rate", "@3.1"), Drop("@4.1", "X12 98: whose currency it is"),
                      Field("target", "@5.1"), Field("date", "@7.1", lens=EFFECTIVE), Field("date", "@8.1", lens=DAY)),
              "exchange_rates[]", many=True, choose="has_rate", when="first_rate"),
        Group("CUR", (Const("@1.1", "SE", select=False, clause="X12 98: whose currency it is"),
                      Field("BT-5", "@2.1")), when="no_rate"),
        *_references(way),
        _side(way),
        *_terms(way),
        *_dates(way),
        Group("SG-N9", (Drop("N9/@1.1", "X12 128: a reference that qualifies the text"),
                        Drop("N9/@2.1", "X12 127: a reference that qualifies the text"),
                        Group("MSG", (Field("text", "@1.1"),), "BG-1", many=True)), when=NEVER),
    )  # fmt: skip


def _dates(way: Way) -> tuple[Group, ...]:
    return (
        Group("DTM", (Const("@1.1", "003"), Field("BT-2", "@2.1", lens=DAY), Field("EX-1", "@3.1", lens=TIME),
                      Drop("@4.1", "X12 623: the time zone")), when="timed"),
        _dated("035", "BT-72"), _dated("011", "EX-27"), _dated("186", "BT-73"), _dated("187", "BT-74"),
        _dated("150", "BT-73", when=NEVER), _dated("151", "BT-74", when=NEVER),
        Group("DTM", (Const("@1.1", way.referred), Field("@referred", "@2.1"))),
    )  # fmt: skip


def _references(way: Way) -> tuple[Group, ...]:
    plain_ones = (("sales_order_reference", "BT-14"), ("contract.id", "BT-12"), ("buyer_reference", "BT-10"),
                  ("project_reference", "BT-11"), ("receiving_advice_reference", "BT-15"),
                  ("despatch_advice_reference", "BT-16"), ("accounting_reference", "BT-19"),
                  ("tender_reference", "BT-17"))  # fmt: skip
    own = way.reference("preceding")
    return (
        *(
            Group("REF", (Const("@1.1", code), Field("id", "@2.1"), Field("reason", "@3.1")), "BG-3", many=True,
                  when="" if code == own else NEVER)
            for code in dict.fromkeys((own, "OI", "I5", "IV"))
        ),
        *(_reference(way.reference(name), term) for name, term in plain_ones),
        Group("REF", (Field("kind", "@1.1", filler="ZZ"), Field("id", "@2.1"),
                      Drop("@3.1", "X12 352: a description of the reference")), "references[]", many=True),
    )  # fmt: skip


def _pair(code: str, term: str, when: str = "") -> Group:
    return Group("+IT1", (Const("@1.1", code), Field(term, "@2.1")), when=when)


def _pairs(way: Way) -> tuple[Group, ...]:
    seller, buyer = way.item("seller_id"), way.item("buyer_id")
    gtin = tuple(
        Group("+IT1", (Const("@1.1", code), Field("BT-157", "@2.1", lens=GTIN)), when=f"gtin_{size}")
        for size, code in _GTIN.items()
    )
    many = (("batch", "item.batches[]"), ("serial", "item.serials[]"))
    return (
        _pair(seller, "BT-155"), _pair(buyer, "BT-156"), _pair(way.item("manufacturer_id"), "EX-96"),
        *(_pair(code, "BT-155", NEVER) for code in ("VP", "VN", "SK", "VC") if code not in (seller, _aux(way))),
        *(_pair(code, "BT-156", NEVER) for code in ("BP", "IN", "CB") if code != buyer),
        _pair(_aux(way), "EX-98"), *gtin, _pair(way.item("order_line"), "BT-132"),
        _pair("PO", "EX-82", NEVER), _pair(way.item("origin_country"), "BT-159"),
        *(Group("+IT1", (Const("@1.1", way.item(name)), Field(term, "@2.1", lens=Lens(lambda v: v[0], str))))
          for name, term in many),
        Group("+IT1", (Field("scheme", "@1.1", lens=Lens(lambda s: s if len(s) == 2 else None, str)),
                       Field("code", "@2.1")), "item.classifications[]", many=True, when="coded"),
    )  # fmt: skip


def _aux(way: Way) -> str:
    return way.item("auxiliary_id")


def _line(way: Way) -> tuple[Row, ...]:
    unit = _coded(way.walk("units"))
    ref = way.reference
    tax = "" if not way.tax_by_sac else NEVER
    return (
        Group("IT1", (
            Field("BT-126", "@1.1"), Field("BT-129", "@2.1"), Field("BT-130", "@3.1", lens=unit),
            Field("BT-146", "@4.1"), Field("BT-149", "@5.1", lens=BASIS),
        ), always=True),
        *_pairs(way),
        _tax(way, "BG-30", tax),
        Group("CTP", (Const("@2.1", "NET"), Field("BT-146", "@3.1"), Field("BT-149", "@4.1"),
                      Field("BT-150", "@5.1", lens=unit)), when="has_base"),
        Group("CTP", (Const("@2.1", "LPR"), Field("BT-148", "@3.1")), when="has_gross"),
        *(Group("PAM", (Const("@4.1", way.amount(f"lines.{name}")), Field(term, "@5.1")), when=when)
          for name, term, when in (("net", "BT-131", ""), ("tax", "EX-93", tax))),
        Group("SG-PID", (Const("PID/@1.1", "F"), Const("PID/@2.1", "08"), Field("BT-154", "PID/@5.1"))),
        Group("SG-PID", (Const("PID/@1.1", "F"), Field("BT-153", "PID/@5.1"), Drop("PID/@9.1", "X12 819: language")),
              choose="unnamed"),
        Group("SG-PID", (Const("PID/@1.1", "F"), Field("BT-154", "PID/@5.1"), Drop("PID/@9.1", "X12 819: language")),
              choose="unnamed", many=True, when=NEVER),
        *_line_references(way),
        _dated("035", "EX-91"), _dated("011", "EX-91", NEVER), _dated("150", "BT-134"), _dated("151", "BT-135"),
        _dated("186", "BT-134", NEVER), _dated("187", "BT-135", NEVER),
        _reference(ref("lines.control"), "BT-126", NEVER),
        _total_tax(way, "EX-93", "BG-30"),
        _charged(way, "BG-27", charge=False), _charged(way, "BG-28", charge=True),
    )  # fmt: skip


def _line_references(way: Way) -> tuple[Group, ...]:
    ref = way.reference
    return (
        _reference(ref("lines.order"), "EX-82"), _reference(ref("lines.sales_order"), "EX-111"),
        _reference(ref("lines.contract"), "EX-85"), _reference(ref("lines.despatch"), "EX-88"),
        _reference(ref("lines.receiving"), "EX-90"), _reference(ref("lines.accounting"), "BT-133"),
        Group("REF", (Const("@1.1", ref("lines.note")), Field("BT-127", "@3.1"))),
    )  # fmt: skip


def _summary(way: Way) -> tuple[Row, ...]:
    money = implied(way.digits)
    tax = "" if not way.tax_by_sac else NEVER
    amounts = (
        (way.amount("totals.lines"), "BT-106", ""),
        (way.amount("totals.tax"), "BT-110", tax),
        (way.amount("totals.due"), "BT-115", ""),
        *((code, "BT-115", NEVER) for code in ("NP", "BAP") if code != way.amount("totals.due")),
    )
    return (
        Field("BT-112", "TDS/@1.1", lens=money, required=True, fallback="BT-115"),
        Field("@discountable", "TDS/@2.1"), Field("@discounted", "TDS/@3.1"), Field("@discount", "TDS/@4.1"),
        _tax(way, "BG-23", tax),
        Group("CAD", (Const("@1.1", "ZZ", select=False, clause="X12 91: mode of transport, which 005010 wants"),
                      Drop("@4.1", "X12 140: SCAC"), Field("EX-28", "@5.1"),
                      Const("@7.1", way.reference("despatch.tracking"), select=False, clause="X12 128"),
                      Field("EX-29", "@8.1"))),
        *(Group("AMT", (Const("@1.1", code), Field(term, "@2.1")), when=when) for code, term, when in amounts),
        Group("AMT", (Const("@1.1", "5"), Field("BT-112", "@2.1")), when=NEVER),
        Group("AMT", (Const("@1.1", "N"), Drop("@2.1", "network guides: the total less the early payment discount")),
              when=NEVER),
        _total_tax(way, "BT-110", "BG-23"),
        _charged(way, "BG-20", charge=False), _charged(way, "BG-21", charge=True),
        Field("@lines", "CTT/@1.1"), Drop("CTT/@2.1", "X12 347: a hash total of the sender"),
    )  # fmt: skip


@cache
def table(way: Way) -> Map:
    """The table of the 810 for one partner's way of writing."""
    rows = (*_header(way), Group("SG-IT1", _line(way), "BG-25", many=True), *_summary(way))
    pay = way.walk("payment")

    def after(context: Context) -> None:
        HOOKS["after"](context)
        settled(context, way.digits)
        if code := context.meta.get("means"):
            paid_by(context.root, pay.back(code) or code)

    return Map("810", rows, money="", hooks={**HOOKS, "after": after})
