"""The canonical invoice: what a document states, not what is right.

Every field may be absent, codes are strings, amounts keep the digits they were issued with. Presence, codes
and decimals are judged in ``rules``. The business term of each leaf is in :mod:`einvoice.terms`. Amounts of a
credit note are positive; formats that want them negative flip the sign.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from .money import parse, plain

SCHEMA_VERSION = 1


def _number(value: object) -> object:
    if type(value) is Decimal:
        return value if value.is_finite() else _refuse(value)
    if isinstance(value, str):
        number = parse(value)
        return _refuse(value) if number is None else number
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    return _refuse(value)


def _refuse(value: object) -> object:
    if isinstance(value, float) and value - value != 0:
        raise ValueError(f"{value} is not an amount")
    if isinstance(value, float):
        raise ValueError('a number with a fraction is written as text, "12.50": a float changes digits')
    raise ValueError(f"{str(value)[:40]!r} is not a plain decimal number such as 12.50")


Number = Annotated[
    Decimal,
    BeforeValidator(_number),
    PlainSerializer(plain, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^[+-]?(\d{1,30}(\.\d{0,20})?|\.\d{1,20})$"}),
]
Content = Annotated[
    bytes,
    BeforeValidator(lambda value: b64decode(value, validate=True) if isinstance(value, str) else value),
    PlainSerializer(lambda value: b64encode(value).decode(), return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "contentEncoding": "base64"}),
]
Day = Annotated[date, Field(strict=True)]
Flag = Annotated[bool, Field(strict=True)]


class Group(BaseModel):
    """Base of every group: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Identifier(Group):
    """A value and the scheme it is unique in (ICD, EAS or the syntax's own word)."""

    value: str | None = None
    scheme: str | None = None


class Named(Group):
    """A named value that no term holds, kept so that nothing is lost."""

    name: str | None = None
    value: str | None = None


class Datum(Named):
    """A named value of a line that may also be a number and a date (FatturaPA AltriDatiGestionali)."""

    number: Number | None = None
    date: Day | None = None


class Note(Group):
    """BG-1."""

    subject_code: str | None = None
    text: str | None = None


class Reference(Group):
    """A document referred to by number, with its date and its id on a network where known."""

    id: str | None = None
    date: Day | None = None
    payload_id: str | None = None
    release: str | None = None


class ContractReference(Group):
    id: str | None = None
    date: Day | None = None
    payload_id: str | None = None


class FurtherReference(Group):
    """A document referred to; ``lines`` are the lines of the invoice it concerns, all where there are none.

    cup  public investment project code (Italy); cig  public tender code (Italy)
    """

    kind: str | None = None
    id: str | None = None
    date: Day | None = None
    item: str | None = None
    agreement: str | None = None
    cup: str | None = None
    cig: str | None = None
    lines: tuple[str, ...] = ()


class OrderLine(Group):
    """The order, and the line in it, that an invoice line charges."""

    id: str | None = None
    line: str | None = None
    date: Day | None = None
    payload_id: str | None = None
    release: str | None = None
    sales_order: str | None = None


class LineReference(Group):
    """A line of another document."""

    id: str | None = None
    line: str | None = None
    date: Day | None = None


class LineDocument(Group):
    """A document that backs up a line: a drawing, a serial number list, a price agreement."""

    id: str | None = None
    line: str | None = None
    type_code: str | None = None
    scheme: str | None = None
    name: str | None = None


class Period(Group):
    """BG-14, BG-26."""

    start: Day | None = None
    end: Day | None = None


class Preceding(Group):
    """BG-3: the invoice that this document credits or corrects."""

    id: str | None = None
    issue_date: Day | None = None
    payload_id: str | None = None
    type_code: str | None = None
    reason: str | None = None
    series: str | None = None
    reason_code: str | None = None
    method: str | None = None
    period: Period | None = None


class Address(Group):
    line_1: str | None = None
    line_2: str | None = None
    line_3: str | None = None
    city: str | None = None
    postcode: str | None = None
    subdivision: str | None = None
    country: str | None = None
    country_name: str | None = None
    subdivision_code: str | None = None
    attention: tuple[str, ...] = ()
    id: str | None = None
    building: str | None = None
    name: str | None = None


class Contact(Group):
    name: str | None = None
    phone: str | None = None
    email: str | None = None
    fax: str | None = None
    id: str | None = None
    url: str | None = None
    department: str | None = None


class TaxRegistration(Group):
    """A registration beyond BT-31 and BT-32: GST, QST, PST, EIN, codice fiscale ..."""

    scheme: str | None = None
    id: str | None = None
    jurisdiction: str | None = None


class Account(Group):
    """BG-17, and the accounts a party states."""

    id: str | None = None
    scheme: str | None = None
    name: str | None = None
    bic: str | None = None
    routing: str | None = None
    bank: str | None = None


class Party(Group):
    """BG-4, BG-7, BG-10, BG-11 and the further roles."""

    name: str | None = None
    trading_name: str | None = None
    identifiers: tuple[Identifier, ...] = ()
    legal_id: Identifier | None = None
    vat_id: str | None = None
    tax_id: str | None = None
    tax_id_scheme: str | None = None
    legal_info: str | None = None
    endpoint: Identifier | None = None
    address: Address | None = None
    contact: Contact | None = None
    tax_registrations: tuple[TaxRegistration, ...] = ()
    network_ids: tuple[Identifier, ...] = ()
    accounts: tuple[Account, ...] = ()
    regime: str | None = None
    share_capital: Number | None = None
    account_number: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    second_family_name: str | None = None


class RoleParty(Group):
    """A party in a role that has no field of its own."""

    role: str | None = None
    party: Party | None = None


class Delivery(Group):
    """BG-13."""

    name: str | None = None
    location: Identifier | None = None
    date: Day | None = None
    address: Address | None = None
    contact: Contact | None = None
    endpoint: Identifier | None = None
    vat_id: str | None = None


class DeliverTo(Group):
    """Where the goods of one line go, when not to the place of BG-13."""

    name: str | None = None
    location: Identifier | None = None
    address: Address | None = None


class Despatch(Group):
    date: Day | None = None
    carrier: str | None = None
    tracking: str | None = None


class Tax(Group):
    """One tax on a line, an allowance or a charge (BG-30), or one row of the breakdown (BG-23).

    Several on one line are several taxes: GST and QST, or one row per US jurisdiction. ``effect`` absent is
    charged. Categories are the letters of UNCL5305 where the scheme is VAT.
    """

    category: str | None = None
    rate: Number | None = None
    scheme: str | None = None
    jurisdiction: str | None = None
    effect: str | None = None
    base: Number | None = None
    amount: Number | None = None
    exemption_reason: str | None = None
    exemption_code: str | None = None
    certificate: str | None = None
    tax_point_date: Day | None = None
    description: str | None = None
    causal: str | None = None
    category_name: str | None = None
    purpose: str | None = None
    surcharge_rate: Number | None = None
    surcharge_amount: Number | None = None
    nature: str | None = None
    chargeability: str | None = None
    ancillary: Number | None = None
    rounding: Number | None = None


class AllowanceCharge(Group):
    """BG-20, BG-21, BG-27, BG-28. The list it stands in says whether it is an allowance or a charge."""

    amount: Number | None = None
    base: Number | None = None
    percent: Number | None = None
    reason: str | None = None
    reason_code: str | None = None
    taxes: tuple[Tax, ...] = ()
    role: str | None = None


class Card(Group):
    """BG-18: never a full card number."""

    number: str | None = None
    holder: str | None = None
    network: str | None = None


class DirectDebit(Group):
    """BG-19."""

    mandate: str | None = None
    account: str | None = None


class Means(Group):
    """BG-16: one way to pay."""

    code: str | None = None
    text: str | None = None
    account: Account | None = None
    card: Card | None = None
    debit: DirectDebit | None = None
    remittance: str | None = None
    key: str | None = None
    limit: Number | None = None
    amount: Number | None = None
    due_date: Day | None = None
    extensions: tuple[Named, ...] = ()


class Discount(Group):
    """An early payment discount, where given only for payment by the named means."""

    percent: Number | None = None
    amount: Number | None = None
    days: Number | None = None
    until: Day | None = None
    since: Day | None = None
    base: Number | None = None
    means_codes: tuple[str, ...] = ()
    excluded_kinds: tuple[str, ...] = ()


class Instalment(Group):
    due_date: Day | None = None
    amount: Number | None = None
    percent: Number | None = None


class Terms(Group):
    """Terms of payment beside the first: another date, or a part of the amount."""

    text: str | None = None
    due_date: Day | None = None
    amount: Number | None = None
    discounts: tuple[Discount, ...] = ()


class Prepaid(Group):
    type: str | None = None
    amount: Number | None = None
    date: Day | None = None
    reference: str | None = None
    reference_date: Day | None = None
    taxes: tuple[Tax, ...] = ()


class Payment(Group):
    terms: str | None = None
    remittance: str | None = None
    creditor_id: str | None = None
    means: tuple[Means, ...] = ()
    net_days: Number | None = None
    discounts: tuple[Discount, ...] = ()
    instalments: tuple[Instalment, ...] = ()
    late_interest: Number | None = None
    prepaid: tuple[Prepaid, ...] = ()
    further_terms: tuple[Terms, ...] = ()


class Totals(Group):
    """BG-22, as issued."""

    lines: Number | None = None
    allowances: Number | None = None
    charges: Number | None = None
    net: Number | None = None
    tax: Number | None = None
    tax_accounting: Number | None = None
    gross: Number | None = None
    prepaid: Number | None = None
    rounding: Number | None = None
    due: Number | None = None
    withheld: Number | None = None
    paid_by_buyer: Number | None = None
    before_discount: Number | None = None
    discount: Number | None = None
    shipping: Number | None = None
    special_handling: Number | None = None


class Attachment(Group):
    """BG-24."""

    id: str | None = None
    description: str | None = None
    uri: str | None = None
    content: Content | None = None
    mime: str | None = None
    filename: str | None = None
    content_id: str | None = None
    type_code: str | None = None
    scheme: str | None = None
    compression: str | None = None


class Rate(Group):
    """One unit of ``source`` is ``rate`` units of ``target``."""

    source: str | None = None
    target: str | None = None
    rate: Number | None = None
    date: Day | None = None


class PriceDiscount(Group):
    """One of several discounts that make up BT-147."""

    amount: Number | None = None
    reason: str | None = None


class Price(Group):
    """BG-29."""

    net: Number | None = None
    discount: Number | None = None
    discount_reason: str | None = None
    discount_parts: tuple[PriceDiscount, ...] = ()
    gross: Number | None = None
    base_quantity: Number | None = None
    base_unit: str | None = None


class Classification(Group):
    code: str | None = None
    scheme: str | None = None
    version: str | None = None


class Component(Group):
    """One item of a set that is sold and priced as a whole."""

    name: str | None = None
    seller_id: str | None = None
    standard_id: Identifier | None = None
    quantity: Number | None = None
    unit: str | None = None


class Item(Group):
    """BG-31."""

    name: str | None = None
    description: str | None = None
    seller_id: str | None = None
    buyer_id: str | None = None
    standard_id: Identifier | None = None
    classifications: tuple[Classification, ...] = ()
    origin_country: str | None = None
    attributes: tuple[Named, ...] = ()
    manufacturer_id: str | None = None
    manufacturer: str | None = None
    auxiliary_id: str | None = None
    serials: tuple[str, ...] = ()
    batches: tuple[str, ...] = ()
    information: str | None = None
    components: tuple[Component, ...] = ()


class Segment(Group):
    id: str | None = None
    type: str | None = None
    description: str | None = None


class Distribution(Group):
    """How the buyer books a line."""

    name: str | None = None
    amount: Number | None = None
    segments: tuple[Segment, ...] = ()


class Line(Group):
    """BG-25."""

    id: str | None = None
    note: str | None = None
    object: Identifier | None = None
    quantity: Number | None = None
    unit: str | None = None
    net_amount: Number | None = None
    order: OrderLine | None = None
    accounting_reference: str | None = None
    period: Period | None = None
    allowances: tuple[AllowanceCharge, ...] = ()
    charges: tuple[AllowanceCharge, ...] = ()
    price: Price | None = None
    taxes: tuple[Tax, ...] = ()
    item: Item | None = None
    sub_lines: tuple[Line, ...] = ()
    parent: str | None = None
    kind: str | None = None
    contract: ContractReference | None = None
    despatch_reference: str | None = None
    despatch_line: str | None = None
    receiving_reference: str | None = None
    delivery_note: LineReference | None = None
    quotation: LineReference | None = None
    documents: tuple[LineDocument, ...] = ()
    delivery_date: Day | None = None
    deliver_to: DeliverTo | None = None
    packages: Number | None = None
    packages_unit: str | None = None
    gross_amount: Number | None = None
    tax_amount: Number | None = None
    subtotal: Number | None = None
    price_adjustment: Flag | None = None
    distributions: tuple[Distribution, ...] = ()
    extensions: tuple[Datum, ...] = ()


class Invoice(Group):
    """One invoice, credit note or correction, as its issuer stated it."""

    number: str | None = None
    series: str | None = None
    issue_date: Day | None = None
    issue_time: str | None = None
    type_code: str | None = None
    currency: str | None = None
    tax_currency: str | None = None
    tax_point_date: Day | None = None
    tax_point_code: str | None = None
    due_date: Day | None = None
    buyer_reference: str | None = None
    project_reference: str | None = None
    contract: ContractReference | None = None
    purchase_order: Reference | None = None
    sales_order_reference: str | None = None
    sales_order_date: Day | None = None
    receiving_advice_reference: str | None = None
    despatch_advice_reference: str | None = None
    tender_reference: str | None = None
    invoiced_object: Identifier | None = None
    accounting_reference: str | None = None
    references: tuple[FurtherReference, ...] = ()
    process: str | None = None
    specification: str | None = None
    language: str | None = None
    uuid: str | None = None
    operation: str | None = None
    information_only: Flag | None = None
    header_invoice: Flag | None = None
    copy_of_original: Flag | None = None
    line_level_credit: Flag | None = None
    notes: tuple[Note, ...] = ()
    preceding: tuple[Preceding, ...] = ()
    seller: Party | None = None
    buyer: Party | None = None
    payee: Party | None = None
    tax_representative: Party | None = None
    remit_to: Party | None = None
    bill_to: Party | None = None
    sold_to: Party | None = None
    ship_from: Party | None = None
    issuer: Party | None = None
    other_parties: tuple[RoleParty, ...] = ()
    delivery: Delivery | None = None
    despatch: Despatch | None = None
    period: Period | None = None
    payment: Payment | None = None
    allowances: tuple[AllowanceCharge, ...] = ()
    charges: tuple[AllowanceCharge, ...] = ()
    totals: Totals | None = None
    tax_breakdown: tuple[Tax, ...] = ()
    exchange_rates: tuple[Rate, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    lines: tuple[Line, ...] = ()
    extensions: tuple[Named, ...] = ()
    national_type: str | None = None


#: Type codes (UNCL1001; NC is CIUS-PT's own) of documents that lower what the buyer owes.
CREDIT_TYPES = frozenset({"81", "83", "261", "262", "296", "308", "381", "396", "420", "458", "532", "NC"})


def is_credit(invoice: Invoice) -> bool:
    """True when BT-3 says credit note; its amounts are stated positive."""
    return invoice.type_code in CREDIT_TYPES


_new = object.__new__
#: What sets the four parts of a model, each a slot of pydantic's base class.
_SLOTS: Any = [vars(BaseModel)[name].__set__ for name in
               ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")]  # fmt: skip
_put_values, _put_stated, _put_extra, _put_private = _SLOTS


def built(kind: type[Group], values: dict[str, Any], stated: set[str]) -> Group:
    """What validation would make of *values*: every field in order, each of the very type it is declared with.

    stated  the fields that were given. Nothing is checked: for callers who know (docs/decisions/0009).
    """
    made = _new(kind)
    _put_values(made, values)
    _put_stated(made, stated)
    _put_extra(made, None)
    _put_private(made, None)
    return made


def kind_of(kind: type[Group], field: str) -> type[Any]:
    """The class of one value of *field*: ``Line`` of ``tuple[Line, ...]``, ``Decimal`` of ``Number | None``."""
    at: Any = kind.model_fields[field].annotation
    while get_origin(at) is not None:
        at = next(one for one in get_args(at) if one is not type(None))
    found: type[Any] = at
    return found


def leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Every set leaf of an invoice with its path, list positions included: ``lines[0].item.name``."""
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            child = getattr(value, name)
            if child is not None and child != ():
                yield from leaves(child, f"{path}.{name}" if path else name)
    elif isinstance(value, tuple):
        for position, child in enumerate(value):
            yield from leaves(child, f"{path}[{position}]")
    else:
        yield path, value


def to_json(invoice: Invoice, indent: int | None = None) -> str:
    """The invoice as JSON: absent fields left out, numbers as text."""
    return invoice.model_dump_json(exclude_defaults=True, indent=indent)


def canonical(invoice: Invoice) -> bytes:
    """The content in one byte form: sorted keys, no white space, numbers without trailing zeros."""
    return json.dumps(_canonical(invoice), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(invoice: Invoice) -> str:
    """SHA-256 of the canonical bytes, in hex: equal content has equal digests, whatever file it came from."""
    return hashlib.sha256(canonical(invoice)).hexdigest()


def _canonical(value: Any) -> Any:
    if isinstance(value, BaseModel):
        pairs = ((name, getattr(value, name)) for name in type(value).model_fields)
        stated = {name: _canonical(child) for name, child in pairs if child is not None and child != ()}
        if isinstance(value, Tax) and value.scheme == "VAT":
            del stated["scheme"]  # EN 16931 knows one tax: an absent scheme says the same
        return stated
    if isinstance(value, tuple):
        return [_canonical(child) for child in value]
    if isinstance(value, Decimal):
        return plain(value.normalize() + 0 if value else Decimal(0))
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    return value.isoformat() if isinstance(value, date) else value
