"""SAP IDoc INVOIC01 and INVOIC02 in XML, read only: rows made of tables of qualifiers. docs/erp.md."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal

from lxml import etree
from pydantic import BeforeValidator, model_validator
from pydantic import Field as PydanticField
from pydantic_core import PydanticCustomError

from .. import terms
from ..config import Strict
from ..errors import Finding, Severity, UnreadableDocument
from ..exchange import Read
from ..mapping import Const, Drop, Field, Group, Lens, Map, Row
from ..model import CREDIT_TYPES, Invoice
from ..money import parse as parse_number
from ..money import plain
from ..totals import derived
from ._numbers import day
from ._raw import Raw, get, put, turn
from ._table_map import NUMBERS, TermName, plain_value, target
from ._xml import load, parse
from ._xml_read import Context, TreeReader

Names = Annotated[tuple[str, ...], BeforeValidator(lambda value: [value] if isinstance(value, str) else value)]
Qualifiers = Mapping[str, Names]
_DATA = Path(__file__).with_name("idoc_qualifiers.toml")


class TaxCode(Strict):
    """What a tax code of SAP (MWSKZ) stands for."""

    category: str = ""
    scheme: str = ""
    exemption_code: str = ""
    exemption_reason: str = ""


class Idoc(Strict):
    """How a sender's IDocs are to be read. Tables go over those of ``idoc_qualifiers.toml``, entry by entry."""

    dates: Qualifiers = PydanticField(default_factory=dict)
    references: Qualifiers = PydanticField(default_factory=dict)
    partners: Qualifiers = PydanticField(default_factory=dict)
    sums: Qualifiers = PydanticField(default_factory=dict)
    amounts: Qualifiers = PydanticField(default_factory=dict)
    item_references: Qualifiers = PydanticField(default_factory=dict)
    item_dates: Qualifiers = PydanticField(default_factory=dict)
    objects: Qualifiers = PydanticField(default_factory=dict)
    types: Qualifiers = PydanticField(default_factory=dict)
    units: Qualifiers = PydanticField(default_factory=dict)
    taxes: Mapping[str, TaxCode] = PydanticField(default_factory=dict)
    """MWSKZ to what it is: the codes are each company's own."""
    prices: tuple[str, ...] = ("PR00", "PPR0")
    """Condition types (E1EDP05 KSCHL) that are the price; others add to a line, or take from it."""
    payment_means: str = "30"
    """BT-81 of the bank accounts."""
    language: str = ""
    """Texts in other languages (TSSPRAS_ISO) are left out; empty: all are read."""
    credit_notes: Literal["positive", "negative"] = "positive"
    """``negative`` turns the amounts and quantities of credit notes, which the model states positive."""
    absent_totals: Literal["leave", "compute"] = "compute"
    """What becomes of totals and tax rows that no segment states: ``compute`` takes them from the lines where they
    come to what is stated, and says so."""
    defaults: Mapping[TermName, str] = PydanticField(default_factory=dict)
    """What holds where the IDoc states nothing: a specification (BT-24), the seller's electronic address."""

    @model_validator(mode="after")
    def _placed(self) -> Idoc:
        for name, scope in _SCOPES.items():
            for key, names in getattr(self, name).items():
                for one in filter(None, names):
                    if not (one in _ROLES if name == "partners" else _is_place(scope + one)):
                        raise PydanticCustomError(
                            "term", '{table}: "{key}" means {one}, and there is no such place',
                            {"table": name, "key": key, "one": one},
                        )  # fmt: skip
        return self

    def table(self, name: str) -> dict[str, tuple[str, ...]]:
        """A table of qualifiers with this sender's entries over the shipped ones."""
        own: Mapping[str, tuple[str, ...]] = getattr(self, name)
        return {key: names for key, names in {**_shipped(name), **own}.items() if any(names)}


#: Tables whose entries are places in the invoice, or in a line of it.
_SCOPES = {"dates": "", "references": "", "sums": "", "partners": "", "amounts": "lines[].",
           "item_references": "lines[].", "item_dates": "lines[].", "objects": "lines[]."}  # fmt: skip
_ROLES = ("seller", "buyer", "payee", "tax_representative", "remit_to", "bill_to", "sold_to", "ship_from", "issuer",
          "delivery")  # fmt: skip


def _is_place(path: str) -> bool:
    try:
        terms.at(path)
    except KeyError:
        return False
    return True


@cache
def _tables() -> Mapping[str, Any]:
    return tomllib.loads(_DATA.read_text("utf-8"))


def _shipped(name: str) -> dict[str, tuple[str, ...]]:
    return {key: (one,) if isinstance(one, str) else tuple(one) for key, one in _tables()[name].items()}


# --- lenses -----------------------------------------------------------------------------------------------------------


def _number(text: str) -> Decimal:
    """A number as SAP writes it: a minus stands behind."""
    value = parse_number(text[:-1].rstrip() if text.endswith("-") else text)
    if value is None:
        raise ValueError(f"{text[:40]!r} is not a plain decimal number")
    return -value if text.endswith("-") and value else value


def _day(text: str) -> date | None:
    return None if text == "00000000" else day(text, ("YYYYMMDD",))


def _lines_of(segment: Any) -> str | None:
    """The text in the lines below a text segment: * begins a paragraph, = goes on in the word."""
    text = ""
    for line in segment:
        words, form = line.findtext("TDLINE") or "", (line.findtext("TDFORMAT") or "").strip()
        if str(line.tag)[-1] == "2" and words.strip():
            between = "" if not text or form == "=" else "\n" if form in ("*", "/") else " "
            text += between + words.strip()
    return text or None


NUMBER, DAY = Lens(plain, _number), Lens(lambda one: f"{one:%Y%m%d}", _day)
TEXT = Lens(lambda text: text, _lines_of)
UNPADDED = Lens(lambda text: text, lambda text: text.lstrip("0") or text, exact=True)


# --- rows -------------------------------------------------------------------------------------------------------------

_INTERNAL = "SAP INVOIC02: of the sender's own system"
_SEGMENT = Const("@SEGMENT", "1", select=False, clause=_INTERNAL)


def _internal(*names: str) -> tuple[Row, ...]:
    return tuple(Drop(name, _INTERNAL) for name in names)


def _unused(name: str) -> tuple[Row, ...]:
    """The fields of a segment that are known and have no term, of ``[internal]``."""
    return _internal(*_tables()["internal"][name])


def _segment(name: str, *rows: Row, term: str = "", many: bool = False, each: str = "", choose: str = "") -> Group:
    return Group(name, (_SEGMENT, *rows), term, many=many, each=each, choose=choose)


def _field(path: str, element: str, scope: str = "") -> Field:
    kind = terms.at(f"{scope}{path}").kind
    return Field(path, element, lens=NUMBER if kind in NUMBERS else DAY if kind == "date" else None)


def _qualified(
    segment: str, key: str, elements: Sequence[str], table: Mapping[str, Sequence[str]], ignored: str,
    scope: str = "", extra: Sequence[Row] = (), choose: str = "",
) -> Iterator[Row]:  # fmt: skip
    """A group for each qualifier, and one for each that is known and has no term."""
    for value, names in table.items():
        member = re.match(r"(.*\[\])\.", names[0])
        inner = f"{scope}{member[1]}." if member else scope
        plain_names = [name.removeprefix(f"{member[1]}.") if member else name for name in names]
        rows = [_field(name, element, inner) for name, element in zip(plain_names, elements, strict=False)]
        unused = [Drop(element, _INTERNAL) for element in elements[len(names) :]]
        yield _segment(segment, Const(key, value), *rows, *unused, *extra, term=member[1] if member else "",
                       many=bool(member), choose=choose)  # fmt: skip
    for value in _tables()["ignored"].get(ignored, ()):
        if value not in table:
            yield _segment(segment, Const(key, value), *_internal(*elements), *extra, many=True)


def _address(scope: str) -> tuple[Row, ...]:
    names = {"line_1": "STRAS", "line_2": "STRS2", "city": "ORT01", "postcode": "PSTLZ", "subdivision": "REGIO",
             "country": "LAND1", "building": "HAUSN"}  # fmt: skip
    return (*(Field(f"{scope}.{leaf}", name) for leaf, name in names.items()), *_internal("LAND1_ISO"))


def _party(role: str) -> tuple[Row, ...]:
    own, other = ("account_number", "seller") if role != "seller" else ("", "")
    contact = {"contact.name": "BNAME", "contact.phone": "TELF1", "contact.fax": "TELFX"}
    return (
        Field("name", "NAME1"),
        *(Field("address.attention[]", name) for name in ("NAME2", "NAME3", "NAME4")),
        *_address("address"),
        *(Field(term, name) for term, name in contact.items()),
        Group("ILNNR", (Field("value"),), "identifiers[]", many=True),
        Field(own, "PARTN") if own else Drop("PARTN", _INTERNAL),
        Field("EX-1043", "LIFNR") if other and role == "buyer" else Drop("LIFNR", _INTERNAL),
        *_unused("E1EDKA1"),
    )


def _delivery() -> tuple[Row, ...]:
    return (Field("name", "NAME1"), *_address("address"), Field("location.value", "ILNNR"),
            *(Field("address.attention[]", name) for name in ("NAME2", "NAME3", "NAME4")),
            Field("contact.phone", "TELF1"), Field("contact.fax", "TELFX"), Field("contact.name", "BNAME"),
            *_internal("PARTN", "LIFNR"), *_unused("E1EDKA1"))  # fmt: skip


def _partners(settings: Idoc) -> Iterator[Row]:
    for value, (role,) in settings.table("partners").items():
        rows = _delivery() if role == "delivery" else _party(role)
        yield _segment("E1EDKA1", Const("PARVW", value), *rows, term=role)
    for value in _tables()["ignored"]["partners"]:
        if value not in settings.table("partners"):
            yield _segment("E1EDKA1", Const("PARVW", value), *_dropped_party(), many=True)


def _dropped_party() -> tuple[Row, ...]:
    return (*_unused("partner"), *_unused("E1EDKA1"))  # fmt: skip


def _tax(amount: bool = True) -> tuple[Row, ...]:
    """A tax by SAP's code, which ``taxes`` explains; TXJCD is a jurisdiction of the United States."""
    rows = (Field("category_name", "MWSKZ"), Field("rate", "MSATZ", lens=NUMBER))
    return (*rows, Field("amount", "MWSBT", lens=NUMBER), Field("jurisdiction", "TXJCD"),
            Field("description", "KTEXT"), *_internal("TXDAT")) if amount else rows  # fmt: skip


def _condition(term: str, sign: str, segment: str) -> Group:
    """What adds to the document or a line, or takes from it."""
    return _segment(
        segment, Const("ALCKZ", sign), Field("reason", "KOTXT"), Field("amount", "BETRG", lens=NUMBER),
        Field("percent", "KPERC", lens=NUMBER), Field("base", "KOBAS", lens=NUMBER),
        Group("MWSKZ", (Field("category_name"),), "taxes[]", many=True),
        Group("MSATZ", (Field("rate", lens=NUMBER),), "taxes[]", many=True),
        Field("role", "KSCHL"), *_internal("KRATE", "UPRBS", "MEAUN", "KOEIN", "CURTP"), term=term, many=True,
    )  # fmt: skip


def _item(settings: Idoc) -> Iterator[Row]:
    yield _SEGMENT
    yield Field("id", "POSEX", lens=UNPADDED)
    yield Field("quantity", "MENGE", lens=NUMBER)
    yield Field("unit", "MENEE")
    yield Field("price.net", "VPREI", lens=NUMBER)
    yield Field("price.base_quantity", "PEINH", lens=NUMBER)
    yield Field("price.base_unit", "PMENE")
    yield Field("net_amount", "NETWR", lens=NUMBER)
    yield from _unused("E1EDP01")
    yield from _qualified("E1EDP02", "QUALF", ("BELNR", "ZEILE", "DATUM"), settings.table("item_references"),
                          "item_references", "lines[].", _internal("BSARK", "UZEIT", "IHREZ"))  # fmt: skip
    yield from _qualified("E1EDP03", "IDDAT", ("DATUM",), settings.table("item_dates"), "item_dates", "lines[].",
                          _internal("UZEIT"))  # fmt: skip
    yield from _qualified("E1EDP19", "QUALF", ("IDTNR",), settings.table("objects"), "objects", "lines[].",
                          (Field("item.name", "KTEXT"), *_internal("IDTNR_LONG")))  # fmt: skip
    yield from _qualified("E1EDP26", "QUALF", ("BETRG",), settings.table("amounts"), "amounts", "lines[].")
    yield _segment("E1EDP04", *_tax(), term="taxes[]", many=True)
    yield _segment("E1EDP05", Field("price.net", "KRATE", lens=NUMBER),
                   Field("price.base_quantity", "UPRBS", lens=NUMBER), Field("price.base_unit", "MEAUN"),
                   *_unused("price"), choose="is_price")  # fmt: skip
    yield _segment("E1EDP05", *_unused("condition"), many=True, choose="is_subtotal")
    yield _condition("allowances[]", "-", "E1EDP05")
    yield _condition("charges[]", "+", "E1EDP05")
    yield _segment("E1EDPA1", Const("PARVW", "WE"), Field("name", "NAME1"), *_address("address"),
                   Field("address.attention[]", "NAME2"), Field("location.value", "ILNNR"),
                   *_internal("PARTN", "LIFNR", "TELF1", "TELFX", "BNAME", "NAME3", "NAME4"), *_unused("E1EDKA1"),
                   term="deliver_to")  # fmt: skip
    yield Group("E1EDPT1", (Field("value", ".", lens=TEXT, raw=True),), "extensions[]", many=True, choose="in_language")
    yield Drop("E1EDPT1", "SAP INVOIC02: a text in another language")


def table(settings: Idoc) -> Map:
    """The table of one IDoc as *settings* have it."""
    header = _segment(
        "E1EDK01", Field("BT-5", "CURCY"), Field("number", "BELNR"), Field("BT-31", "EIGENUINR"),
        Field("BT-48", "KUNDEUINR"), Field("@document", "BSART"),
        *_unused("E1EDK01"),
    )  # fmt: skip
    rows: list[Row] = [Const("@BEGIN", "1", select=False, clause=_INTERNAL), Drop("EDI_DC40", _INTERNAL), header]
    rows += _partners(settings)
    rows += _qualified("E1EDK02", "QUALF", ("BELNR", "DATUM"), settings.table("references"), "references",
                       extra=_internal("POSNR", "UZEIT"))  # fmt: skip
    rows += _qualified("E1EDK03", "IDDAT", ("DATUM",), settings.table("dates"), "dates", extra=_internal("UZEIT"))
    rows += [_segment("E1EDK04", *_tax(), term="BG-23", many=True), _condition("allowances[]", "-", "E1EDK05"),
             _condition("charges[]", "+", "E1EDK05")]  # fmt: skip
    rows.append(_segment("E1EDK17", Field("name", "QUALF"), Field("value", "LKOND"), Drop("LKTEXT", _INTERNAL),
                         term="extensions[]", many=True))  # fmt: skip
    rows.append(_segment("E1EDK18", Drop("QUALF", _INTERNAL), Field("payment.net_days", "TAGE", lens=NUMBER),
                         Field("payment.late_interest", "PRZNT", lens=NUMBER), Field("payment.terms", "ZTERM_TXT"),
                         each="terms", many=True))  # fmt: skip
    rows.append(_segment("E1EDK28", Field("account.id", "ACNUM"), Field("account.name", "ACNAM"),
                         Field("account.bank", "BNAME"), Field("account.routing", "BRNUM"),
                         Field("account.bic", "BIBAN"), *_internal("BCOUN", "BALOC"),
                         term="BG-16", many=True))  # fmt: skip
    rows.append(_segment("E1EDK14", Const("QUALF", "015"), Field("@billing", "ORGID")))
    rows += [_segment("E1EDK14", Const("QUALF", value), Drop("ORGID", _INTERNAL), many=True)
             for value in _tables()["ignored"]["organisation"]]  # fmt: skip
    rows.append(Drop("E1EDK29", _INTERNAL))
    rows.append(Group("E1EDKT1", (Field("text", ".", lens=TEXT, raw=True),), "BG-1", many=True, choose="in_language"))
    rows.append(Drop("E1EDKT1", "SAP INVOIC02: a text in another language"))
    rows.append(Group("E1EDP01", tuple(_item(settings)), "BG-25", many=True))
    rows += _qualified("E1EDS01", "SUMID", ("SUMME",), settings.table("sums"), "sums",
                       extra=_internal("SUNIT", "WAERQ"), choose="in_currency")  # fmt: skip
    return Map("IDOC", tuple(rows), money="", hooks=_hooks(settings))


# --- hooks ------------------------------------------------------------------------------------------------------------


def _hooks(settings: Idoc) -> Mapping[str, Callable[..., Any]]:
    def said(element: etree._Element, name: str) -> str:
        return (element.findtext(name) or "").strip()

    def in_language(element: etree._Element, context: Context) -> bool:
        return not settings.language or said(element, "TSSPRAS_ISO") in ("", settings.language)

    def in_currency(element: etree._Element, context: Context) -> bool:
        return said(element, "WAERQ") in ("", context.root.get("currency"))

    return {
        "after": lambda context: _after(context, settings),
        "terms_back": _terms,
        "is_price": lambda element, context: said(element, "KSCHL") in settings.prices,
        "is_subtotal": lambda element, context: not said(element, "KSCHL"),
        "in_language": in_language,
        "in_currency": in_currency,
    }


def _terms(part: Raw, context: Context) -> None:
    """One of the terms of payment: a discount where it has a percentage, else the days until it is due."""
    stated = part.get("payment", {})
    days, percent = stated.get("net_days"), stated.get("late_interest")
    payment = context.root.setdefault("payment", {})
    if percent:
        payment.setdefault("discounts", []).append({"days": days, "percent": percent} if days else {"percent": percent})
    elif days is not None:
        payment["net_days"] = days
    if text := stated.get("terms"):
        payment["terms"] = f"{payment['terms']}\n{text}" if "terms" in payment else text
    if not payment:
        del context.root["payment"]


def _after(context: Context, settings: Idoc) -> None:
    """What no row can say alone: the type, the codes, schemes, accounts, a credit note's sign, the defaults."""
    root = context.root
    _typed(context, settings)
    lines = root.get("lines", [])
    taxed = [row for holder in (root, *lines) for kind in ("allowances", "charges") for row in holder.get(kind, ())]
    for row in taxed:
        if "taxes" in row:  # the code and the rate of one tax
            row["taxes"] = [{key: value for part in row["taxes"] for key, value in part.items()}]
    for holder in (*taxed, *lines):
        for tax in holder.get("taxes", ()):
            _explained(tax, context, settings)
    for tax in root.get("tax_breakdown", ()):
        _explained(tax, context, settings)
    units = {key: names[0] for key, names in settings.table("units").items()}
    for line in lines:
        _line(line, units)
    for means in root.get("payment", {}).get("means", ()):
        _account(means, settings.payment_means)
    for role in ("seller", "buyer", "bill_to"):
        for one in root.get(role, {}).get("identifiers", ()):
            one["scheme"] = "0088"
    if "value" in root.get("delivery", {}).get("location", {}):
        root["delivery"]["location"]["scheme"] = "0088"
    if root.get("bill_to") == {key: one for key, one in root.get("buyer", {}).items() if key != "vat_id"}:
        root.pop("bill_to", None)
    for name, text in settings.defaults.items():
        one = target(name)
        for holder in lines if one.line else (root,):
            if get(holder, one.steps) is None:
                put(holder, one.steps, plain_value(one.kind, text))
    if settings.credit_notes == "negative" and root.get("type_code") in CREDIT_TYPES:
        turn(root)


def _typed(context: Context, settings: Idoc) -> None:
    types, meta = settings.table("types"), context.meta
    stated = [meta[name] for name in ("billing", "document") if name in meta]
    code = next((types[one][0] for one in stated if one in types), None)
    if code:
        context.root["type_code"] = code
    else:
        told = " ".join(stated)
        context.say("EINV-IDOC-01", f"the kind of document {told or '(none)'} is not in [types]", context.element,
                    term="BT-3", found=told, fix="add it to [types] in the sender's file")  # fmt: skip


def _explained(tax: Raw, context: Context, settings: Idoc) -> None:
    """SAP's code of a tax to its category; a code that nobody explained stays as the name of one."""
    code = tax.get("category_name")
    if code is None:
        return
    known = settings.taxes.get(code)
    if known is None:
        if ("tax", code) not in context.said:
            context.said.add(("tax", code))
            fix = f'say in the sender\'s file what it is, such as [taxes.{code[:20]}] category = "S"'
            message = f"the tax code {code[:20]} is not in [taxes]"
            context.say("EINV-IDOC-02", message, context.element, Severity.WARNING, found=code, fix=fix)
        return
    del tax["category_name"]
    for name in TaxCode.model_fields:
        if value := getattr(known, name):
            tax[name] = value


def _line(line: Raw, units: Mapping[str, str]) -> None:
    for holder, name in ((line, "unit"), (line.get("price", {}), "base_unit")):
        if name in holder:
            holder[name] = units.get(holder[name], holder[name])
    if "standard_id" in line.get("item", {}):
        line["item"]["standard_id"]["scheme"] = "0160"
    if "value" in line.get("deliver_to", {}).get("location", {}):
        line["deliver_to"]["location"]["scheme"] = "0088"
    texts = [one["value"] for one in line.pop("extensions", ()) if one.get("value")]
    if texts:
        line["note"] = "\n".join(texts)


_BIC = re.compile(r"[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")


def _account(means: Raw, code: str) -> None:
    """An IBAN goes before the number of the account, and a bank's number that is a BIC is one."""
    means["code"] = code
    account = means.get("account", {})
    if iban := account.pop("bic", None):
        account["id"] = iban
    if _BIC.fullmatch(account.get("routing", "")):
        account["bic"] = account.pop("routing")


# --- the format -------------------------------------------------------------------------------------------------------


class IdocFormat:
    """Reads the IDocs of one file, one invoice each; one that cannot be read does not hinder the others."""

    name = "idoc"

    def __init__(self, settings: Idoc | None = None) -> None:
        self.settings = settings or Idoc()

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        data = load(stream)
        root = parse(data)
        found = [root] if root.tag == "IDOC" else root.findall("IDOC")
        if not found:
            raise UnreadableDocument(f"{root.tag!r} holds no IDOC", where="line 1", fix="send INVOIC02 in XML")
        reader = TreeReader(table(self.settings), self.name, lambda context: None)
        for at, one in enumerate(found):
            kind = (one.findtext("EDI_DC40/MESTYP") or "INVOIC").strip()
            try:
                if kind != "INVOIC":
                    raise UnreadableDocument(f"the IDoc is of type {kind[:30]}, not INVOIC", where=f"IDOC {at + 1}",
                                             fix="send invoices: message type INVOIC")  # fmt: skip
                yield self._finished(reader.read(one, self._again(data, at)))
            except UnreadableDocument as error:
                if len(found) == 1:
                    raise
                yield Read(Invoice(), error.findings, lambda path: "", self.name, error)

    def _again(self, data: bytes, at: int) -> Callable[[], etree._Element]:
        def again() -> etree._Element:
            root = parse(data)
            return root if root.tag == "IDOC" else root.findall("IDOC")[at]

        return again

    def _finished(self, read: Read) -> Read:
        if self.settings.absent_totals == "leave":
            return read
        invoice, told = derived(read.invoice)
        found: tuple[Finding, ...] = (*read.findings, *told)
        return Read(invoice, found, read.locate, read.format, read.problem)


FORMAT, SETTINGS = IdocFormat, Idoc
