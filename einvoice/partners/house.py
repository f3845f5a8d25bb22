"""House policy: one file per seller entity. Not law: it narrows and orders, names the entity and how it is paid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from ..config import Count, DecimalText, Flag, Strict, load
from ..countries import Facts, Signature, Wish
from ..countries.law import Channel, CountryCode, Key, SellerSize
from ..countries.needs import Need, TermId
from ..errors import ConfigError
from .profile import Currency, Id, Profile, Rounding, SchemeValue


class PaymentOption(Strict):
    """A way to pay, with its limits; a discount may hang on it."""

    key: Key
    currency: Currency | None = None
    max: DecimalText | None = None
    within_days: Count | None = None
    day_basis: Literal["calendar_from_invoice_date"] = "calendar_from_invoice_date"
    discount_percent: DecimalText | None = None
    discount_days: Count | None = None
    discount_excludes: tuple[Key, ...] = ()
    excludes: tuple[Key, ...] = ()
    means_code: str = ""
    """UNCL4461 code of the means, as it stands in BT-81."""
    needs: tuple[Key, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.discount_percent is None) != (self.discount_days is None):
            raise ValueError("discount_percent and discount_days stand together")
        if self.max is not None and self.currency is None:
            raise ValueError("max needs its currency")
        return self


class House(Strict):
    """A seller entity: who it is on its invoices, what it prefers, and what it always wants."""

    version: Literal[1] = Field(alias="schema")
    seller: Key
    name: str
    country: CountryCode
    established: Flag = True
    size: SellerSize | None = None
    turnover_prev_year: DecimalText | None = None
    names: tuple[str, ...] = ()
    """Names the entity has on invoices that state no identifier of it."""
    vat_ids: tuple[SchemeValue, ...] = ()
    identifiers: tuple[Id, ...] = ()
    prefer: tuple[str, ...] = ()
    channels: tuple[Channel, ...] = ()
    signature: Signature = Signature()
    required: tuple[Need, ...] = ()
    must_carry: tuple[TermId, ...] = ()
    rounding: Rounding = "as_issued"
    terms: Literal["", "due_on_receipt", "as_on_invoice"] = ""
    payment: tuple[PaymentOption, ...] = ()
    tax_exempt_contact: str = ""
    retention_years: Count = 0

    def wish(self) -> Wish:
        """What the house asks of a decision."""
        return Wish(
            name=self.seller,
            formats=self.prefer,
            channels=self.channels,
            signature=self.signature,
            required=self.required,
            must_carry=self.must_carry,
        )


def load_house(source: Path | str, name: str = "") -> House:
    """One house policy. Raises ConfigError with every problem at once."""
    return load(source, House, name)


def load_houses(directory: Path) -> dict[str, House]:
    """Every house policy of a directory by seller id (``law-override.toml`` is none). Raises ConfigError."""
    houses: dict[str, House] = {}
    for path in sorted(directory.glob("*.toml")):
        if path.name == "law-override.toml":
            continue
        house = load_house(path)
        if house.seller in houses:
            raise ConfigError(f"seller {house.seller} has two files", where=str(path), fix="keep one")
        houses[house.seller] = house
    return houses


def normal(value: str) -> str:
    """An identifier without case and the marks people set in it.

    >>> normal("de 136.695.976"), normal("AN01000000001-T")
    ('DE136695976', 'AN01000000001T')
    """
    return "".join(sign for sign in value.upper() if sign.isalnum())


def pairs(*groups: Sequence[Id] | Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """(scheme, value) pairs in comparable form."""
    rows = ((row.scheme, row.value) if isinstance(row, Id) else row for group in groups for row in group)
    return {(scheme.upper(), normal(value)) for scheme, value in rows}


def sellers_of(facts: Facts, houses: Mapping[str, House]) -> list[str]:
    """Ids of the seller entities whose VAT ids, identifiers or, failing those, names the document states."""
    by_id = [key for key, house in houses.items() if _by_id(facts, house)]
    name = " ".join(facts.seller_name.split()).casefold()
    return by_id or [key for key, house in houses.items() if name and name in _names(house)]


def _by_id(facts: Facts, house: House) -> bool:
    vats = {normal(value) for value in facts.seller_vat_ids} & {normal(value) for value in house.vat_ids}
    return bool(vats or pairs(facts.seller_ids, facts.seller_network_ids) & pairs(house.identifiers))


def _names(house: House) -> set[str]:
    return {" ".join(name.split()).casefold() for name in (house.name, *house.names)}


def with_seller(facts: Facts, house: House | None) -> Facts:
    """*facts* with what the house knows of the seller; unchanged when there is no house."""
    if house is None:
        return facts
    turnover = Decimal(house.turnover_prev_year) if house.turnover_prev_year else facts.seller_turnover
    return replace(
        facts,
        seller_entity=house.seller,
        seller_country=facts.seller_country or house.country,
        seller_established=house.established,
        seller_size=house.size or facts.seller_size,
        seller_turnover=turnover,
    )


def rounding_of(profile: Profile, house: House | None) -> Rounding:
    """The policy by which totals are computed: the profile's, else the house's, else as issued."""
    return profile.format.rounding or (house.rounding if house else "as_issued")
