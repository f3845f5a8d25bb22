"""A valid invoice, and for each rule of EN 16931 a change that breaks it and as little else as can be.

All names and numbers are invented. A change maps a path to a value; None takes away what stands there. ``also`` are
rules that say the same in other words, or that no invoice can keep once the first is broken.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from einvoice.model import Invoice

Raw = dict[str, Any]
_VAT = {"category": "S", "rate": "19", "scheme": "VAT"}

VALID: Raw = {
    "number": "2026-0042",
    "issue_date": "2026-05-04",
    "due_date": "2026-06-03",
    "type_code": "380",
    "currency": "EUR",
    "tax_currency": "SEK",
    "tax_point_date": "2026-05-04",
    "specification": "urn:cen.eu:en16931:2017",
    "invoiced_object": {"value": "M-7", "scheme": "ABZ"},
    "notes": [{"subject_code": "AAI", "text": "Thank you"}],
    "preceding": [{"id": "2026-0007"}],
    "seller": {
        "name": "Larkfield GmbH", "trading_name": "Larkfield",
        "identifiers": [{"value": "4012345000009", "scheme": "0088"}],
        "legal_id": {"value": "HRB 4711", "scheme": "0002"}, "vat_id": "DE123456789",
        "endpoint": {"value": "4012345000009", "scheme": "0088"}, "address": {"city": "Bonn", "country": "DE"},
    },
    "buyer": {
        "name": "Oakham SARL", "identifiers": [{"value": "4012345000016", "scheme": "0088"}],
        "legal_id": {"value": "732829320", "scheme": "0002"}, "vat_id": "FR40303265045",
        "endpoint": {"value": "4012345000016", "scheme": "0088"}, "address": {"city": "Lyon", "country": "FR"},
    },
    "payee": {"name": "Factor AG", "identifiers": [{"value": "4012345000023", "scheme": "0088"}],
              "legal_id": {"value": "HRB 1", "scheme": "0002"}},
    "tax_representative": {"name": "Tax Desk", "vat_id": "DE987654321", "address": {"country": "DE"}},
    "delivery": {"date": "2026-05-02", "location": {"value": "4012345000030", "scheme": "0088"},
                 "address": {"country": "FR"}},
    "period": {"start": "2026-04-01", "end": "2026-04-30"},
    "payment": {"terms": "30 days", "means": [
        {"code": "58", "account": {"id": "DE89370400440532013000"}},
        {"code": "48", "card": {"number": "1234"}},
        {"code": "59", "debit": {"mandate": "M-1"}},
    ]},
    "allowances": [{"amount": "10.00", "base": "100.00", "percent": "10", "reason": "Loyalty", "reason_code": "95",
                    "taxes": [_VAT]}],
    "charges": [{"amount": "5.00", "base": "100.00", "percent": "5", "reason": "Freight", "reason_code": "FC",
                 "taxes": [_VAT]}],
    "totals": {"lines": "200.00", "allowances": "10.00", "charges": "5.00", "net": "195.00", "tax": "37.05",
               "tax_accounting": "421.20", "gross": "232.05", "prepaid": "32.00", "rounding": "-0.05",
               "due": "200.00"},
    "tax_breakdown": [{"base": "195.00", "amount": "37.05", **_VAT}],
    "attachments": [{"id": "A-1", "content": "JVBERg==", "mime": "application/pdf", "filename": "a.pdf"}],
    "lines": [
        {
            "id": "1", "quantity": "10", "unit": "C62", "net_amount": "100.00", "taxes": [_VAT],
            "object": {"value": "O-1", "scheme": "ABZ"},
            "period": {"start": "2026-04-01", "end": "2026-04-30"},
            "allowances": [{"amount": "2.00", "base": "100.00", "reason": "Volume", "reason_code": "95"}],
            "charges": [{"amount": "2.00", "base": "100.00", "reason": "Packing", "reason_code": "PC"}],
            "price": {"net": "10.0000", "gross": "11.00", "discount": "1.00", "base_quantity": "1",
                      "base_unit": "C62"},
            "item": {"name": "Chair", "standard_id": {"value": "4012345000047", "scheme": "0160"},
                     "classifications": [{"code": "56101703", "scheme": "TST"}], "origin_country": "DE",
                     "attributes": [{"name": "Colour", "value": "red"}]},
        },
        {"id": "2", "quantity": "1", "unit": "C62", "net_amount": "100.00", "taxes": [_VAT],
         "price": {"net": "100"}, "item": {"name": "Table"}},
    ],
}  # fmt: skip


@dataclass(frozen=True)
class Broken:
    """What to change in an invoice, and which fatal rules then fire: *rule*, and perhaps those in *also*."""

    rule: str
    changes: Mapping[str, Any]
    also: frozenset[str] = frozenset()
    base: Raw = field(default_factory=lambda: VALID)
    release: str = "1.3.16"

    def invoice(self) -> Invoice:
        return made(self.base, self.changes)


def made(raw: Raw, changes: Mapping[str, Any] | None = None) -> Invoice:
    """The invoice of *raw* with *changes*."""
    return Invoice.model_validate_json(json.dumps(changed(raw, changes or {})))


def changed(raw: Raw, changes: Mapping[str, Any]) -> Raw:
    """A copy of *raw* with each path set to its value; None takes away what stands there."""
    made = json.loads(json.dumps(raw))  # not a deep copy: that would keep one tax row for all its holders
    for path, value in changes.items():
        *outer, last = [int(step) if step.isdigit() else step for step in re.findall(r"[^.\[\]]+", path)]
        at: Any = made
        for step in outer:
            at = at[step] if isinstance(at, list) else at.setdefault(step, {})
        if value is None:
            del at[last]
        else:
            at[last] = value
    return made


def _also(*ids: str) -> frozenset[str]:
    return frozenset(f"BR-{id_}" for id_ in ids)


def _one(rule: str, path: str, value: object = None, *also: str) -> Broken:
    return Broken(f"BR-{rule}", {path: value}, _also(*also))


_TAX_REP = "tax_representative"
#: Rules that something is stated, and what is taken away.
PRESENCE = (
    _one("01", "specification"), _one("02", "number"), _one("03", "issue_date"), _one("04", "type_code"),
    _one("05", "currency"), _one("06", "seller.name"), _one("07", "buyer.name"), _one("08", "seller.address"),
    _one("09", "seller.address.country"), _one("10", "buyer.address"), _one("11", "buyer.address.country"),
    _one("12", "totals.lines", None, "CO-10", "CO-13"), _one("13", "totals.net", None, "CO-13", "CO-15"),
    _one("14", "totals.gross", None, "CO-15", "CO-16"), _one("15", "totals.due", None, "CO-16"),
    _one("16", "lines", [], "CO-10", "S-08"), _one("17", "payee.name"), _one("18", f"{_TAX_REP}.name"),
    _one("19", f"{_TAX_REP}.address"), _one("20", f"{_TAX_REP}.address", {}), _one("21", "lines[0].id"),
    _one("22", "lines[0].quantity"), _one("23", "lines[0].unit"), _one("24", "lines[0].net_amount", None, "CO-10",
                                                                       "S-08"),
    _one("25", "lines[0].item.name"), _one("26", "lines[0].price.net", None, "27"),
    _one("31", "allowances[0].amount", None, "CO-11", "S-08"), _one("32", "allowances[0].taxes", None, "S-08"),
    Broken("BR-33", {"allowances[0].reason": None, "allowances[0].reason_code": None}, _also("CO-21")),
    _one("36", "charges[0].amount", None, "CO-12", "S-08"), _one("37", "charges[0].taxes", None, "S-08"),
    Broken("BR-38", {"charges[0].reason": None, "charges[0].reason_code": None}, _also("CO-22")),
    _one("41", "lines[0].allowances[0].amount"), _one("43", "lines[0].charges[0].amount"),
    Broken("BR-42", {f"lines[0].allowances[0].{leaf}": None for leaf in ("reason", "reason_code")}, _also("CO-23")),
    Broken("BR-44", {f"lines[0].charges[0].{leaf}": None for leaf in ("reason", "reason_code")}, _also("CO-24")),
    _one("45", "tax_breakdown[0].base", None, "CO-17", "S-08", "S-09"),
    _one("46", "tax_breakdown[0].amount", None, "CO-14", "CO-17", "S-09"),
    _one("47", "tax_breakdown[0].category", None, "S-01"),
    Broken("BR-48", {"tax_breakdown[0].rate": None, "tax_breakdown[0].amount": "0.00", "totals.tax": "0.00",
                     "totals.gross": "195.00", "totals.due": "162.95"}, _also("S-09")),
    _one("49", "payment.means[0].code"), _one("50", "payment.means[0].account", {"name": "Larkfield"}, "61"),
    _one("52", "attachments[0].id"), _one("53", "totals.tax_accounting"),
    _one("54", "lines[0].item.attributes[0].value"), _one("55", "preceding[0].id"), _one("56", f"{_TAX_REP}.vat_id"),
    _one("57", "delivery.address.country"), _one("61", "payment.means[0].account"),
    _one("62", "seller.endpoint.scheme"), _one("63", "buyer.endpoint.scheme"),
    _one("64", "lines[0].item.standard_id.scheme"), _one("65", "lines[0].item.classifications[0].scheme"),
    Broken("BR-66", {"payment.means[2]": {"code": "48", "card": {"number": "99"}}}, release="1.3.14.1"),
    Broken("BR-67", {"payment.means[1]": {"code": "59", "debit": {"mandate": "M-2"}}}, release="1.3.14.1"),
)  # fmt: skip

#: Sums, order of dates, and what one term demands of another.
CONDITIONS = (
    _one("27", "lines[0].price.net", "-10"), _one("28", "lines[0].price.gross", "-11"),
    _one("29", "period.end", "2026-03-31"), _one("30", "lines[0].period.end", "2026-03-31"),
    Broken("BR-17", {"payee.name": "Larkfield"}),
    Broken("BR-17", {"payee.identifiers[0].value": "4012345000009"}),
    _one("CO-03", "tax_point_code", "35"), _one("CO-04", "lines[1].taxes", None, "S-08"),
    _one("CO-09", "seller.vat_id", "123456789"), _one("CO-09", "buyer.vat_id", "QQ123"),
    _one("CO-09", f"{_TAX_REP}.vat_id", "QQ123"),
    Broken("BR-CO-10", {"totals.lines": "200.01", "totals.net": "195.01", "totals.gross": "232.06",
                        "totals.due": "200.01"}),
    Broken("BR-CO-11", {"totals.allowances": "10.01", "totals.net": "194.99", "totals.gross": "232.04",
                        "totals.due": "199.99"}),
    Broken("BR-CO-12", {"totals.charges": "5.01", "totals.net": "195.01", "totals.gross": "232.06",
                        "totals.due": "200.01"}),
    Broken("BR-CO-13", {"totals.net": "195.01", "totals.gross": "232.06", "totals.due": "200.01"}),
    Broken("BR-CO-14", {"totals.tax": "37.06", "totals.gross": "232.06", "totals.due": "200.01"}),
    Broken("BR-CO-15", {"totals.gross": "232.06", "totals.due": "200.01"}), _one("CO-16", "totals.due", "200.01"),
    Broken("BR-CO-17", {"tax_breakdown[0].amount": "38.05", "totals.tax": "38.05", "totals.gross": "233.05",
                        "totals.due": "201.00"}, _also("S-09")),
    Broken("BR-CO-18", {"tax_breakdown": []}, _also("S-01")), _one("CO-19", "period", {}),
    _one("CO-20", "lines[0].period", {}),
    Broken("BR-CO-25", {"due_date": None, "payment.terms": None}, release="1.3.14.1"),
    Broken("BR-CO-26", {"seller.identifiers": None, "seller.legal_id": None, "seller.vat_id": None}),
)  # fmt: skip

#: Where a code that is of no list is put.
CODES = (
    _one("CL-01", "type_code", "QQQ"), _one("CL-04", "currency", "QQQ", "CL-03"), _one("CL-05", "tax_currency", "QQQ",
                                                                                       "CL-03"),
    Broken("BR-CL-06", {"tax_point_date": None, "tax_point_code": "QQQ"}),
    _one("CL-07", "invoiced_object.scheme", "QQQ"), _one("CL-07", "lines[0].object.scheme", "QQQ"),
    _one("CL-08", "notes[0].subject_code", "QQQ"), _one("CL-10", "seller.identifiers[0].scheme", "QQQ"),
    _one("CL-10", "buyer.identifiers[0].scheme", "SEPA"), _one("CL-10", "payee.identifiers[0].scheme", "QQQ"),
    _one("CL-11", "seller.legal_id.scheme", "QQQ"), _one("CL-11", "payee.legal_id.scheme", "QQQ"),
    _one("CL-13", "lines[0].item.classifications[0].scheme", "QQQ"), _one("CL-14", "delivery.address.country", "QQ"),
    _one("CL-15", "lines[0].item.origin_country", "QQ"), _one("CL-16", "payment.means[1].code", "QQ"),
    _one("CL-17", "tax_breakdown[0].category", "QQ", "S-01"), _one("CL-17", "charges[0].taxes[0].category", "QQ",
                                                                   "S-08"),
    _one("CL-18", "lines[0].taxes[0].category", "QQ", "S-08"), _one("CL-19", "allowances[0].reason_code", "QQ"),
    _one("CL-19", "lines[0].allowances[0].reason_code", "QQ"), _one("CL-20", "charges[0].reason_code", "QQ"),
    _one("CL-21", "lines[0].item.standard_id.scheme", "QQQ"),
    Broken("BR-CL-22", {"tax_breakdown[0].exemption_code": "QQ"}, _also("S-10")),
    _one("CL-23", "lines[0].unit", "QQQ"), _one("CL-23", "lines[0].price.base_unit", "QQQ"),
    _one("CL-24", "attachments[0].mime", "text/html"), _one("CL-25", "buyer.endpoint.scheme", "QQQ"),
    _one("CL-26", "delivery.location.scheme", "QQQ"),
)  # fmt: skip

#: Where a third decimal is written; being zero, it changes no sum.
_THIRD = """
01 allowances[0].amount  02 allowances[0].base    05 charges[0].amount     06 charges[0].base
09 totals.lines          10 totals.allowances     11 totals.charges        12 totals.net
13 totals.tax            14 totals.gross          15 totals.tax_accounting 16 totals.prepaid
17 totals.rounding       18 totals.due            19 tax_breakdown[0].base 20 tax_breakdown[0].amount
23 lines[0].net_amount   24 lines[0].allowances[0].amount 25 lines[0].allowances[0].base
27 lines[0].charges[0].amount 28 lines[0].charges[0].base
"""


def _at(raw: Raw, path: str) -> Any:
    at: Any = raw
    for step in re.findall(r"[^.\[\]]+", path):
        at = at[int(step)] if isinstance(at, list) else at[step]
    return at


def _decimals() -> Iterator[Broken]:
    words = _THIRD.split()
    for number, path in zip(words[::2], words[1::2], strict=True):
        yield _one(f"DEC-{number}", path, f"{_at(VALID, path)}0")


# --- VAT categories ---------------------------------------------------------------------------------------------------

#: Category, the name in its rule ids, a rate that is right, one that is wrong, whether an exemption reason is due.
FAMILIES = (
    ("S", "S", "19", "0", False), ("Z", "Z", "0", "5", False), ("E", "E", "0", "5", True),
    ("AE", "AE", "0", "5", True), ("K", "IC", "0", "5", True), ("G", "G", "0", "5", True),
    ("O", "O", None, "0", True), ("L", "AF", "7", "-0.4", False), ("M", "AG", "7", "-0.4", False),
)  # fmt: skip
_MANY = {"S", "L", "M"}


def of_category(code: str, rate: str | None, exempt: bool, *places: str) -> Raw:
    """A valid invoice wholly in one category: a line of 100.00, and an allowance or a charge of 10.00 in *places*."""
    tax = {"category": code, "scheme": "VAT", **({"rate": rate} if rate is not None else {})}
    entry = {"amount": "10.00", "reason": "Agreed", "taxes": [tax]}
    base = {(): 100, ("allowances",): 90, ("charges",): 110}[places]
    due = {"S": base * 19, "L": base * 7, "M": base * 7}.get(code, 0)
    amount, gross = f"{due // 100}.{due % 100:02d}", f"{base + due // 100}.{due % 100:02d}"
    raw = {key: VALID[key] for key in ("number", "issue_date", "due_date", "type_code", "currency", "specification")}
    return raw | {
        "seller": {key: VALID["seller"][key] for key in ("name", "identifiers", "address")}
        | ({} if code == "O" else {"vat_id": "DE123456789"}),
        "buyer": {key: VALID["buyer"][key] for key in ("name", "address")}
        | ({} if code == "O" else {"vat_id": "FR40303265045"}),
        "delivery": {"date": "2026-05-02", "address": {"country": "FR"}},
        **{place: [entry] for place in places},
        "totals": {"lines": "100.00", "net": f"{base}.00", "tax": amount, "gross": gross, "due": gross}
        | dict.fromkeys(places, "10.00"),
        "tax_breakdown": [
            {"base": f"{base}.00", "amount": amount, **tax} | ({"exemption_reason": "See contract"} if exempt else {})
        ],
        "lines": [{"id": "1", "quantity": "1", "unit": "C62", "net_amount": "100.00", "taxes": [tax],
                   "price": {"net": "100"}, "item": {"name": "Chair"}}],
    }  # fmt: skip


def _taxed(amount: str, gross: str) -> Raw:
    return {"tax_breakdown[0].amount": amount, "totals.tax": amount, "totals.gross": gross, "totals.due": gross}


def _family(code: str, name: str, right: str | None, wrong: str, exempt: bool) -> Iterator[Broken]:
    """Ten broken invoices of one category."""
    alone = of_category(code, right, exempt)
    row = alone["tax_breakdown"][0]
    many = code in _MANY
    if many:
        yield Broken(f"BR-{name}-01", {"tax_breakdown": []}, _also("CO-18"), alone)
    else:
        yield Broken(f"BR-{name}-01", {"tax_breakdown": [row, row]}, base=alone)
    for number, rate_number, place in (("02", "05", ""), ("03", "06", "allowances"), ("04", "07", "charges")):
        base = of_category(code, right, exempt, place) if place else alone
        party = {"seller.vat_id": "DE123456789" if code == "O" else None}
        yield Broken(f"BR-{name}-{number}", party, _also(f"{name}-02") - {f"BR-{name}-{number}"}, base)
        yield Broken(f"BR-{name}-{rate_number}", *_wrong_rate(name, wrong, many, place, rate_number), base)
    off = "1.01" if many else "0.01"
    yield Broken(f"BR-{name}-08", {"tax_breakdown[0].base": f"10{off}"}, base=alone)
    taxes = {"S": _taxed("20.01", "120.01"), "L": _taxed("8.01", "108.01"), "M": _taxed("8.01", "108.01")}
    also = _also("CO-17") if many else frozenset()
    yield Broken(f"BR-{name}-09", taxes.get(code, _taxed("0.40", "100.40")), also, alone)
    yield Broken(f"BR-{name}-10", {"tax_breakdown[0].exemption_reason": None if exempt else "None"}, base=alone)


def _wrong_rate(name: str, wrong: str, many: bool, place: str, number: str) -> tuple[Raw, frozenset[str]]:
    where = f"{place or 'lines'}[0].taxes[0].rate"
    if not many:
        return {where: wrong}, frozenset()
    gross = {"": "100.00", "allowances": "90.00", "charges": "110.00"}[place]
    also = _also(f"{name}-05") - {f"BR-{name}-{number}"}
    return {
        "lines[0].taxes[0].rate": wrong,
        where: wrong,
        "tax_breakdown[0].rate": wrong,
        **_taxed("0.00", gross),
    }, also


def _categories() -> Iterator[Broken]:
    for code, name, right, wrong, exempt in FAMILIES:
        yield from _family(code, name, right, wrong, exempt)
    supply, outside = of_category("K", "0", True), of_category("O", None, True)
    split = of_category("S", "19", False)
    zero = {"category": "Z", "scheme": "VAT", "rate": "0"}
    entry = {"amount": "0.00", "reason": "None", "taxes": [zero]}
    yield Broken("BR-IC-11", {"delivery.date": None}, base=supply)
    yield Broken("BR-IC-12", {"delivery.address": None}, base=supply)
    yield Broken("BR-O-11", {"tax_breakdown": [*outside["tax_breakdown"], {"base": "0.00", "amount": "0.00", **zero}]},
                 _also("Z-08") - {"BR-Z-08"}, outside)  # fmt: skip
    yield Broken("BR-O-12", {"lines[0].taxes": [zero]}, _also("O-08", "Z-01", "Z-02"), outside)
    yield Broken("BR-O-13", {"allowances": [entry], "totals.allowances": "0.00"}, _also("Z-01", "Z-03"), outside)
    yield Broken("BR-O-14", {"charges": [entry], "totals.charges": "0.00"}, _also("Z-01", "Z-04"), outside)
    domestic = {"seller.address.country": "IT", "buyer.address.country": "IT", "delivery.address.country": "IT"}
    split = changed(split, {**domestic, "lines[0].taxes[0].category": "B", "tax_breakdown[0].category": "B"})
    yield Broken("BR-B-01", {"buyer.address.country": "FR"}, base=split)
    yield Broken("BR-B-02", {"tax_breakdown[0].category": "S"}, _also("S-01", "S-08"), split)


BROKEN: tuple[Broken, ...] = (
    *PRESENCE, *CONDITIONS, *CODES, *_decimals(), *_categories(),
    Broken("BR-CO-21", {"allowances[0].reason": None, "allowances[0].reason_code": None}, _also("33")),
    Broken("BR-CO-22", {"charges[0].reason": None, "charges[0].reason_code": None}, _also("38")),
    Broken("BR-CO-23", {f"lines[0].allowances[0].{leaf}": None for leaf in ("reason", "reason_code")}, _also("42")),
    Broken("BR-CO-24", {f"lines[0].charges[0].{leaf}": None for leaf in ("reason", "reason_code")}, _also("44")),
    Broken("BR-CL-03", {"currency": "QQQ"}, _also("CL-04")),
    Broken("UBL-DT-06", {"attachments[0].mime": None}), Broken("UBL-DT-07", {"attachments[0].filename": None}),
)  # fmt: skip
