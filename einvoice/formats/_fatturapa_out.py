"""An invoice as FatturaPA states it, for the rows to write; what is missing or cannot be said exactly is told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from ..codes.crosswalks import Crosswalk, crosswalk
from ..errors import Finding, Severity
from ..model import Account, Address, AllowanceCharge, Attachment, Invoice, Item, Line, Means, Note, Party, Price, Tax
from ._fatturapa_facets import FACETS
from ._fatturapa_related import related
from ._fatturapa_table import BEFORE_AMOUNT, NAMED, REFERENCES
from ._fatturapa_words import (
    FAMILIES,
    FREE_CODE,
    KINDS,
    MIMES,
    ROOM,
    SELF_BILLED,
    SIMPLER,
    STANDARD,
    UNTAXED,
    WITHOUT_POSTCODE,
    digits,
)  # fmt: skip

Shape = SimpleNamespace
_ONE = Decimal(1)
_ZERO = Decimal("0.00")
_EIGHT = Decimal("0.00000001")
_FISCAL = re.compile(r"[A-Z0-9]{11,16}")
#: A VAT number that fits whole: its country and what IdCodice holds.
_VAT = re.compile(r"[A-Za-z]{2}[ !#-%'-;=?-~]{1,28}")
_NUMBER = re.compile(r"[1-9][0-9]{0,3}")


@dataclass(slots=True)
class Way:
    """What the settings decide while an invoice is shaped, and what is said on the way.

    missing  ids of terms that the format wants and the invoice does not state
    unfit    a VAT number does not fit IdPaese and IdCodice
    """

    simplified: bool = False
    natures: dict[str, str] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    item_codes: dict[str, str] = field(default_factory=dict)
    withholding: str = ""
    withholding_causal: str = ""
    payments: Crosswalk = field(default_factory=lambda: crosswalk("fatturapa_payment"))
    taxes: dict[tuple[Any, ...], list[Shape]] = field(default_factory=dict)
    said: list[Finding] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unfit: bool = False

    def say(self, finding: Finding) -> None:
        if finding not in self.said:
            self.said.append(finding)


def shaped(invoice: Invoice, way: Way) -> Shape:
    """What the rows of the table read; *way* collects what is missing or cannot be said exactly."""
    numbers = _numbers(invoice.lines)
    seller, buyer = invoice.seller, invoice.buyer
    others = {one.role: one.party for one in invoice.other_parties if one.party}
    breakdown = [_total(one, invoice, way) for one in invoice.tax_breakdown]
    stamp = next((one for one in breakdown if one.scheme == "STAMP"), None)  # there is room for one
    lines = [_line(line, number, way) for line, number in zip(invoice.lines, numbers, strict=True)]
    if not way.simplified:
        lines += _extra_lines(invoice, len(lines) and max(map(int, numbers)), way)
    values = {
        **invoice.__dict__,
        "type_code": document_type(invoice, way),
        "seller": seller and _party(seller, way),
        "buyer": buyer and _party(buyer, way),
        "tax_representative": invoice.tax_representative and _party(invoice.tax_representative, way),
        "issuer": invoice.issuer and _party(invoice.issuer, way),
        "aside": {role: [Shape(seller=_party(party, way))] for role, party in others.items()},
        "tax_breakdown": [one for one in breakdown if one.scheme != "STAMP" or one is stamp],
        "preceding": invoice.preceding[:1],
        "charges": [_fund(one, way) for one in invoice.charges if is_fund(one)],
        "allowances": [_untaxed(one, role) for one, role in _modified(invoice) if not one.taxes],
        "notes": [part for note in invoice.notes for part in _causes(note)],
        "references": related(invoice, numbers),
        "delivery": Shape(address=_whole(invoice.delivery.address if invoice.delivery else None)),
        "lines": lines,
        "blocks": _blocks(invoice, way),
        "attachments": [_attachment(one) for one in invoice.attachments if one.content is not None],
    }
    _conditions(values, way)
    return Shape(**values)


def document_type(invoice: Invoice, way: Way) -> str | None:
    """TipoDocumento: as stated (EX-113), else what the type code (BT-3) stands for; said where it stands for none."""
    code = invoice.type_code
    kind = invoice.national_type or (code and crosswalk("fatturapa_documents").to(code))
    if code and not kind:
        way.say(Finding("EINV-FATTURAPA-11", f"the type code {code} has no TipoDocumento", term="BT-3",
                        path="$.type_code", found=code, fix="see whether it is an invoice, or state national_type",
                        clause="FatturaPA 2.1.1.1"))  # fmt: skip
    return SIMPLER.get(kind or "", kind) if way.simplified else kind


def self_billed(invoice: Invoice) -> bool:
    return invoice.type_code in SELF_BILLED and invoice.national_type is None


def is_fund(one: AllowanceCharge) -> bool:
    """True for the contribution to a professional's social security fund."""
    return bool(one.role and re.fullmatch("TC[0-9]{2}", one.role))


def _conditions(values: dict[str, Any], way: Way) -> None:
    """What the schema wants only under conditions that no single row sees."""
    for role, name, ids in (("seller", "BT-27", "BT-31"), ("buyer", "BT-44", "BT-48")):
        party = values[role]
        if party is None:
            way.missing.append("BG-4" if role == "seller" else "BG-7")
            continue
        if not party.name and not party.family_name and not (way.simplified and role == "buyer"):
            way.missing.append(name)
        if role == "buyer" and not party.vat_id and not party.tax_id:
            way.missing.append(ids)
    if not values["lines"]:
        way.missing.append("BG-25")
    if not way.simplified and not any(one.scheme is None for one in values["tax_breakdown"]):
        way.missing.append("BG-23")


# --- parties ----------------------------------------------------------------------------------------------------------


def _party(party: Party, way: Way) -> Shape:
    person = party.given_name is not None and party.family_name is not None
    number = _vat_number(party)
    way.unfit = way.unfit or (number is not None and not _VAT.fullmatch(number))
    return Shape(
        vat_id=number,
        tax_id=fiscal_code(party),
        name=None if person else party.name or party.trading_name,
        given_name=party.given_name if person else None,
        family_name=party.family_name if person else None,
        address=_address(party.address) if party.address else None,
        contact=party.contact and Shape(phone=_phone(party.contact.phone), fax=_phone(party.contact.fax),
                                        email=_fitting("Email", party.contact.email)),
        legal_id=_registered(party),
        share_capital=party.share_capital,
        regime=party.regime,
    )  # fmt: skip


def _vat_number(party: Party) -> str | None:
    number = party.vat_id or _identified(party, ("0211", "9906"))
    if number and not number[:2].isalpha() and party.address and party.address.country:
        return party.address.country + number
    return number


def fiscal_code(party: Party) -> str | None:
    """Codice fiscale: BT-32, or an identifier of scheme 0210."""
    stated = [party.tax_id, _identified(party, ("0210", "IT:CF", "9907"))]
    stated += [one.id for one in party.tax_registrations if one.scheme == "CODICE_FISCALE"]
    return next((one for one in stated if one and _FISCAL.fullmatch(one)), None)


def _identified(party: Party, schemes: Sequence[str]) -> str | None:
    ids = (*party.identifiers, *((party.legal_id,) if party.legal_id else ()))
    return next((one.value for one in ids if one.scheme in schemes and one.value), None)


def _registered(party: Party) -> Shape | None:
    """The companies register, from ``MI-1234567``."""
    match = re.fullmatch(r"([A-Z]{2})[- ]?([0-9A-Z.]{1,20})", (party.legal_id and party.legal_id.value) or "")
    digits = match is not None and any(map(str.isdigit, match.group(2)))
    return Shape(scheme=match.group(1), value=match.group(2)) if match and digits else None


def _phone(text: str | None) -> str | None:
    """Twelve characters at most: a longer number is left out, and reported with all that is lost."""
    plain = re.sub(r"[\s()./-]", "", text or "") if text and len(text) > 12 else text
    return plain if plain and 5 <= len(plain) <= 12 else None


def _fitting(element: str, text: str | None) -> str | None:
    """*text* where the element, which may be left out, takes it."""
    return text if text and FACETS[element].fits(text) else None


def _address(one: Address) -> Shape:
    """Three lines in one where they fit; no postcode abroad; a province by its two letters."""
    lines = [part for part in (one.line_1, one.line_2, one.line_3) if part]
    street = ", ".join(lines)
    area = one.subdivision or (one.subdivision_code or "").removeprefix("IT-")
    abroad = one.country not in (None, "IT") and not re.fullmatch("[0-9]{5}", one.postcode or "")
    return Shape(
        line_1=(street if len(street) <= 60 else lines[0]) or None,
        building=one.building,
        postcode=WITHOUT_POSTCODE if abroad else one.postcode,
        city=one.city,
        subdivision=area if re.fullmatch("[A-Z]{2}", area) else None,
        country=one.country,
    )


def _whole(one: Address | None) -> Shape | None:
    """An address that stands only where it is complete."""
    shape = _address(one) if one else None
    return shape if shape and shape.line_1 and shape.postcode and shape.city and shape.country else None


# --- taxes ------------------------------------------------------------------------------------------------------------


def is_vat(tax: Tax) -> bool:
    return tax.scheme in (None, "VAT")


def _nature(tax: Tax, way: Way) -> str | None:
    """Natura as stated, by the profile, the exemption reason or the category; said where none of them tells."""
    if tax.nature:
        return tax.nature
    if tax.rate or (tax.rate is None and tax.category not in UNTAXED):
        return None
    found = (
        way.natures.get(tax.category or "")
        or crosswalk("fatturapa_exemptions").to(tax.exemption_code or "")
        or crosswalk("fatturapa_natures").to(tax.category or "")
    )
    if found and found not in FAMILIES:
        return found
    category = tax.category or "none"
    way.say(Finding(
        "EINV-FATTURAPA-01", f"no tax, and the category ({category}) does not tell which Natura applies",
        term="BT-118", found=category, expected=f"a code of {found}" if found else "N1 to N7",
        fix='state it in the invoice ("nature" of the tax), or in the profile: natures = {"AE" = "N6.9"}',
        clause="FatturaPA 2.2.1.14"))  # fmt: skip
    return None


def _rate(tax: Tax) -> Decimal | None:
    return _ZERO if tax.rate is None and tax.category in UNTAXED else tax.rate


def _taxes(taxes: Sequence[Tax], way: Way) -> list[Shape]:
    """The VAT of a line or charge, and whether it is subject to withholding. Lines mostly share one."""
    if len(taxes) != 1:
        return _taxed(taxes, way)
    (one,) = taxes
    key = (one.scheme, one.effect, one.category, one.rate, one.nature, one.exemption_code, one.exemption_reason)
    if key not in way.taxes:
        way.taxes[key] = _taxed(taxes, way)
    return way.taxes[key]


def _taxed(stated: Sequence[Tax], way: Way) -> list[Shape]:
    vat = next((one for one in stated if is_vat(one)), None)
    found = []
    if vat is None or _rate(vat) is None:
        way.missing.append("BT-152")
    else:
        found.append(Shape(scheme=None, effect=None, rate=_rate(vat), nature=_nature(vat, way),
                           exemption_reason=vat.exemption_reason))  # fmt: skip
    if any(one.effect == "withheld" for one in stated):
        found.append(Shape(scheme="WITHHOLDING", effect="withheld", rate=None, nature=None, exemption_reason=None))
    return found


def _total(tax: Tax, invoice: Invoice, way: Way) -> Shape:
    """A row of the breakdown: VAT, a withholding or the stamp duty; another tax has no place."""
    shape = Shape(**tax.__dict__)
    if is_vat(tax):
        split = tax.effect == "paid_by_buyer" or tax.category == "B"
        deferred = "D" if invoice.tax_point_code == "432" else None
        shape.scheme, shape.rate, shape.nature = None, _rate(tax), _nature(tax, way)
        shape.chargeability = "S" if split else tax.chargeability or deferred
    elif tax.effect == "withheld":
        shape.category = tax.category or way.withholding or None
        shape.causal = tax.causal or way.withholding_causal or None
    if tax.scheme == "STAMP":
        shape.purpose = tax.purpose or "virtual_stamp"
    return shape


# --- allowances and charges -------------------------------------------------------------------------------------------


def _modified(part: Any) -> Iterator[tuple[AllowanceCharge, str]]:
    yield from ((one, "SC") for one in part.allowances)
    yield from ((one, "MG") for one in part.charges if not is_fund(one))


def _untaxed(one: AllowanceCharge, role: str) -> Shape:
    return Shape(role=role, percent=one.percent, amount=one.amount)


def _fund(one: AllowanceCharge, way: Way) -> Shape:
    return Shape(role=one.role, percent=one.percent, amount=one.amount, base=one.base, taxes=_taxes(one.taxes, way))


def _changes(line: Line, price: Decimal | None, quantity: Decimal | None) -> list[Shape]:
    """Allowances and charges of a line. Importo is for one unit, and percentages apply one after the other (00423).

    A percentage stands alone where it says it all: the only one, of price times quantity. One of another base is left
    out, and its amount stands.
    """
    stated = list(_modified(line))
    return [_change(one, role, len(stated) == 1 and price, quantity) for one, role in stated]


def _change(one: AllowanceCharge, role: str, price: Decimal | bool | None, quantity: Decimal | None) -> Shape:
    percent, amount = one.percent, one.amount
    if percent is not None and one.base is not None:
        if price and one.base == price * (1 if quantity is None else quantity):
            return Shape(role=role, percent=percent, amount=None)
        percent = percent if amount is None else None
    if amount is not None and quantity:
        amount = amount / quantity
        amount = amount if amount == amount.quantize(_EIGHT) else amount.quantize(_EIGHT)
    return Shape(role=role, percent=percent, amount=amount)


def _extra_lines(invoice: Invoice, last: int, way: Way) -> Iterator[_LineShape]:
    """Allowances and charges of the document that bear VAT: lines, for no total takes them in otherwise (00422)."""
    for one, role in _modified(invoice):
        if not one.taxes:
            continue
        last += 1
        amount = one.amount if one.amount is None or role == "MG" else -one.amount
        line = _LineShape(str(last), amount, _taxes(one.taxes, way))
        line.kind, line.price = "SC" if role == "SC" else "AC", Shape(net=amount)
        line.item = _ItemShape(one.reason or one.reason_code, ())
        yield line


# --- lines ------------------------------------------------------------------------------------------------------------


def _numbers(lines: Sequence[Line]) -> list[str]:
    """NumeroLinea: the line ids where all are numbers of their own, else positions."""
    ids = [line.id or "" for line in lines]
    usable = len(set(ids)) == len(ids) and all(map(_NUMBER.fullmatch, ids))
    return ids if usable else [str(position) for position in range(1, len(ids) + 1)]


class _LineShape:
    """A line as the rows see it."""

    __slots__ = ("accounting_reference", "allowances", "extensions", "gross_amount", "id", "item", "kind", "net_amount",
                 "period", "price", "quantity", "tax_amount", "taxes", "unit")  # fmt: skip

    def __init__(self, id: str, net_amount: Decimal | None, taxes: Sequence[Any]) -> None:
        self.id, self.net_amount, self.taxes = id, net_amount, taxes
        self.kind: str | None = None
        self.unit: str | None = None
        self.accounting_reference: str | None = None
        self.item: _ItemShape | None = None
        self.period: Any = None
        self.price: Any = None
        self.quantity: Decimal | None = None
        self.gross_amount: Decimal | None = None
        self.tax_amount: Decimal | None = None
        self.allowances: Sequence[Any] = ()
        self.extensions: Sequence[Any] = ()


def _line(line: Line, number: str, way: Way) -> _LineShape:
    shape = _LineShape(number, line.net_amount, _taxes(line.taxes, way))
    unit, quantity, stated = line.unit, line.quantity, line.price
    price: Any = None if stated is None else stated if stated.base_quantity is None else _price(stated, way)
    if quantity is not None and quantity < 0 and price and price.net is not None:
        quantity, price = -quantity, Shape(net=-price.net)  # Quantita has no sign
    shape.quantity, shape.price, shape.period = quantity, price, line.period
    if line.item is not None:
        shape.item = _item(line.item, way)
    if line.kind:
        shape.kind = KINDS.get(line.kind)
    if unit:
        shape.unit = way.units.get(unit, unit)
    if line.allowances or line.charges:
        shape.allowances = _changes(line, price.net if price else None, quantity)
    if line.extensions:
        shape.extensions = [one for one in line.extensions if _fitting("TipoDato", one.name)]
    shape.accounting_reference = line.accounting_reference
    if way.simplified:
        shape.gross_amount, shape.tax_amount = _gross(line), line.tax_amount
    return shape


def _gross(line: Line) -> Decimal | None:
    if line.gross_amount is None and line.net_amount is not None and line.tax_amount is not None:
        return line.net_amount + line.tax_amount
    return line.gross_amount


class _ItemShape:
    """Descrizione and the codes of an item."""

    __slots__ = ("classifications", "name")

    def __init__(self, name: str | None, classifications: Sequence[Any]) -> None:
        self.name, self.classifications = name, classifications


class _Code:
    """CodiceTipo and CodiceValore."""

    __slots__ = ("code", "scheme")

    def __init__(self, scheme: str, code: str) -> None:
        self.scheme, self.code = scheme, code


def _item(item: Item, way: Way) -> _ItemShape:
    name, description = item.name, item.description
    if description and description != name:
        both = f"{name} - {description}" if name else description
        name = both if len(both) <= 1000 else name or description
    return _ItemShape(name, _codes(item, way))


def _codes(item: Item, way: Way) -> list[_Code]:
    standard, stated = item.standard_id, item.__dict__
    found = [_Code(word, value) for leaf, word in way.item_codes.items() if (value := stated[leaf])]
    if standard is not None and standard.value:
        found.insert(0, _Code(STANDARD.get(standard.scheme or "", standard.scheme or FREE_CODE), standard.value))
    if item.classifications:
        found += [_Code(one.scheme or FREE_CODE, one.code) for one in item.classifications if one.code]
    return found


def _price(price: Price, way: Way) -> Price | Shape:
    """PrezzoUnitario is for one unit: a price for several is divided, and that is said."""
    net, base = price.net, price.base_quantity
    if net is None or base is None or not base or base == _ONE:
        return price
    unit = net / base
    exact = unit == unit.quantize(_EIGHT)
    unit = unit if exact else unit.quantize(_EIGHT)
    way.say(Finding(
        "EINV-FATTURAPA-02", f"the price {net} for {base} is written as a price for one", Severity.WARNING, "BT-149",
        found=str(unit), expected=str(net), clause="FatturaPA 2.2.1.9",
        fix="none needed: it is exact" if exact else "see that the receiver may recompute it within 0.01"))  # fmt: skip
    return Shape(net=unit)


# --- notes, payments, attachments -------------------------------------------------------------------------------------


def _causes(note: Note) -> Iterator[str]:
    """A note in pieces of 200 characters, the room of one Causale."""
    text = note.text or ""
    yield from (text[at : at + ROOM] for at in range(0, len(text), ROOM))


def _blocks(invoice: Invoice, way: Way) -> list[Shape]:
    """DatiPagamento: one block, or as many as the means of payment say (extension CondizioniPagamento)."""
    payment = invoice.payment
    if payment is None or not payment.means or way.simplified:
        return []
    details = list(_details(invoice, way))
    usual = "TP02" if len(details) == 1 else "TP01"
    blocks: list[Shape] = []
    for one in details:
        stated = next((each.value for each in one.extensions if each.name == "CondizioniPagamento"), None)
        if stated or not blocks:
            blocks.append(Shape(payment=Shape(terms=stated or usual, means=[])))
        blocks[-1].payment.means.append(one)
    return blocks


def _details(invoice: Invoice, way: Way) -> Iterator[Shape]:
    payment = invoice.payment
    assert payment is not None
    first, total = payment.means[0], invoice.totals.due if invoice.totals else None
    if payment.instalments and not any(one.amount for one in payment.means):
        paired = payment.means if len(payment.means) == len(payment.instalments) else [first] * len(payment.instalments)
        for means, part in zip(paired, payment.instalments, strict=True):
            yield _detail(invoice, means, part.due_date, part.amount, way)
    elif len(payment.means) == 1 or not any(one.amount for one in payment.means):
        yield _detail(invoice, first, first.due_date or invoice.due_date, first.amount or total, way)
    else:
        for means in payment.means:
            yield _detail(invoice, means, means.due_date, means.amount, way)


def _detail(invoice: Invoice, means: Means, due: Any, amount: Decimal | None, way: Way) -> Shape:
    payment, account = invoice.payment, means.account
    assert payment is not None
    named = {one.name: one for one in reversed(means.extensions)}  # each element stands once: the first of a name
    more: dict[str, Any] = {}
    if payment.net_days is not None and len(payment.means) == 1 and len(payment.instalments) < 2:
        more[BEFORE_AMOUNT[1]] = format(payment.net_days, "f")
    if len(payment.discounts) == 1 and payment.discounts[0].amount is not None and payment.discounts[0].until:
        more["ScontoPagamentoAnticipato"] = digits(payment.discounts[0].amount)
        more["DataLimitePagamentoAnticipato"] = payment.discounts[0].until.isoformat()
    extensions = [Shape(name=name, value=value) for name, value in more.items() if name not in named]
    code = means.key if means.key and re.fullmatch("MP[0-9]{2}", means.key) else way.payments.to(means.code or "")
    if code is None and means.code:
        way.say(Finding("EINV-FATTURAPA-03", f"the payment means {means.code} has no ModalitaPagamento", term="BT-81",
                        found=means.code, fix="name one in the profile: payment = {\"ZZZ\" = \"MP05\"}",
                        clause="FatturaPA 2.4.2.2"))  # fmt: skip
    return Shape(
        code=code, due_date=due, amount=amount,
        remittance=means.remittance or payment.remittance,
        account=account and _account(account),
        extensions=[*(one for one in named.values() if one.name in {*NAMED, "CondizioniPagamento"}), *extensions],
    )  # fmt: skip


def _account(one: Account) -> Shape:
    """An account that is no IBAN has no place."""
    number = _fitting("IBAN", re.sub(r"\s", "", one.id or ""))
    return Shape(name=one.name, bank=one.bank, id=number, bic=_fitting("BIC", one.bic))


def _attachment(one: Attachment) -> Shape:
    word = MIMES.get(one.mime or "") or (one.mime if one.mime and "/" not in one.mime else None)
    return Shape(filename=one.filename or one.id, compression=one.compression, mime=word, description=one.description,
                 content=one.content)  # fmt: skip


#: What the groups of the table ask while writing.
HOOKS: dict[str, Callable[..., Any]] = {
    "vat": lambda tax, invoice: tax.scheme is None,
    "withheld": lambda tax, invoice: tax.effect == "withheld",
    "stamp": lambda tax, invoice: tax.scheme == "STAMP",
    "natured": lambda tax, invoice: tax.nature is not None,
    "reasoned": lambda tax, invoice: tax.scheme is None and tax.exemption_reason is not None,
    "payments": lambda invoice: invoice.blocks,
    **{f"is {kind}": (lambda one, invoice, kind=kind: one.kind == kind) for kind in REFERENCES.values()},
    **{f"named {name}": (lambda one, invoice, name=name: one.name == name) for name in NAMED},
    **{role: (lambda invoice, role=role: invoice.aside.get(role, ())) for role in (
        "seller_establishment", "buyer_establishment", "buyer_representative", "carrier")},
}  # fmt: skip
