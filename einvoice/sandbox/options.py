"""What the sandbox is told: options of the program, rules of the buyers, scenarios of misbehaviour. All Strict."""

from __future__ import annotations

import re
import secrets
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, Field, model_validator

from ..config import SecretRef, Source, Strict, load, resolve, validate
from ..errors import ConfigError

M = TypeVar("M", bound=BaseModel)

#: A number as TOML or JSON text or integer; a float is refused, as everywhere in einvoice.
Number = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]

ALWAYS = 0
"""``times = 0``: the behaviour never wears out."""

StatusType = Literal["processing", "reconciled", "rejected", "paying", "paid", "canceled"]
Kind = Literal["invoice", "profile", "pending", "any"]
Do = Literal[
    "answer",
    "refuse",
    "duplicate",
    "slow",
    "hang",
    "fail_after_accept",
    "fail_before_accept",
    "lost_answer",
    "lost_request",
    "cut_answer",
    "maintenance",
    "unavailable",
    "empty",
    "reuse_payload_id",
    "rotate_secret",
    "moved_url",
    "foreign_host",
]


class OrderLine(Strict):
    """One line of a known purchase order. Empty fields are not compared."""

    number: int
    quantity: Number | None = None
    unit: str = ""
    price: Number | None = None


class Order(Strict):
    """A purchase order the buyer has sent over the network."""

    id: str
    currency: str = ""
    lines: tuple[OrderLine, ...] = ()


class Later(Strict):
    """One StatusUpdateRequest that follows an accepted invoice.

    Hours are virtual. ``payload_id`` names another document (a status for something unknown), ``by_number``
    refers by InvoiceIDInfo instead of DocumentReference, ``copies`` sends the same message again.
    """

    type: StatusType | None = None
    hours: Number = Decimal(0)
    code: int = 200
    text: str = ""
    comment: str = ""
    payload_id: str = ""
    invoice_number: str = ""
    by_number: bool = False
    copies: int = Field(default=1, ge=1, le=20)
    partial_amount: str = ""


class BuyerRules(Strict):
    """Transaction rules of one buyer. Each is a switch; the defaults are those of a plain Ariba buyer."""

    duplicates: Literal["number", "number-and-year", "off"] = "number"
    """Case and spaces never make a number different. A number is free again after rejection or cancellation."""
    purchase_order: Literal["optional", "required", "order", "known"] = "required"
    """``required``: an order or an agreement; ``order``: an order; ``known``: an order listed in ``orders``."""
    orders: tuple[Order, ...] = ()
    order_lines: bool = False
    """Order line number, unit, quantity and price must match the listed order, within the tolerances."""
    quantity_tolerance_percent: Number = Decimal(0)
    price_tolerance_percent: Number = Decimal(0)
    currency_of_order: bool = True
    """The invoice is in the currency of its listed order."""
    currencies: tuple[str, ...] = ()
    """Accepted currencies; empty: any."""
    remit_to: bool = False
    supplier_tax_id: bool = False
    tax_per_line: bool = False
    vat_details: bool = False
    """VAT numbers of both sides, a breakdown per rate with a tax point date, and the law text at 0 %."""
    flags: bool = True
    """The indicators of the header agree with where tax, shipping, discount, accounting and handling stand."""
    partner_roles: bool = True
    """shipFrom and shipTo stand in InvoiceDetailShipping, and nowhere else."""
    layouts: tuple[Literal["detail", "header"], ...] = ("detail", "header")
    credit_reference: Literal["optional", "required", "known"] = "optional"
    """A line-level memo always names its invoice; ``required``: so does a header memo; ``known``: and it is here."""
    credit_comments: bool = False
    credit_sign: Literal["negative", "any"] = "negative"
    zero_amounts: bool = True
    past_days: int | None = None
    future_days: int | None = 7
    max_lines: int | None = None
    attachments: bool = True
    max_attachment_bytes: int = 10_000_000
    arithmetic: bool = True
    tolerance: Number = Decimal("0.02")
    """Allowed difference, in units of the currency, for each sum and product."""
    verdict: Literal["answer", "status"] = "answer"
    """``status``: a broken rule is answered 201, and rejected by StatusUpdateRequest ``verdict_hours`` later."""
    verdict_hours: Number = Decimal(1)
    follow_up: tuple[Later, ...] = ()
    """StatusUpdateRequests that follow every accepted invoice, unless a behaviour gives its own."""


class NetworkRules(Strict):
    """Rules of the network itself, and of each buyer on it."""

    accepted_code: Literal[200, 201, 204, 280, 281] = 200
    repeat_code: Literal[200, 409] = 200
    """Status of a repeat with the same payloadID and the same content. It is never a second invoice."""
    default: BuyerRules = BuyerRules()
    buyer: dict[str, BuyerRules] = Field(default_factory=dict)
    """By identity; a buyer that is not listed has the default rules."""

    def of(self, buyer: str) -> BuyerRules:
        return self.buyer.get(buyer, self.default)


class Match(Strict):
    """Which requests a behaviour catches: shell patterns; ``copy`` counts requests of one payloadID from 1."""

    invoice_number: str = "*"
    payload_id: str = "*"
    purpose: str = "*"
    supplier: str = "*"
    buyer: str = "*"
    copy_number: int | None = Field(default=None, alias="copy")


class Behaviour(Strict):
    """One misbehaviour: on which request, how often, and what is done. docs/sandbox.md explains each ``do``."""

    on: Kind = "invoice"
    match: Match = Match()
    do: Do
    times: int = Field(default=1, ge=0)
    after: int = Field(default=0, ge=0)
    chance: Annotated[Decimal, Field(ge=0, le=1)] = Decimal(1)
    code: int | None = None
    text: str = ""
    http: int | None = Field(default=None, ge=200, le=599)
    seconds: Number = Decimal(5)
    retry_after: int = Field(default=30, ge=0)
    how: Literal["length", "close", "xml"] = "length"
    """How an answer is cut: promised length not reached, connection closed, or whole by HTTP and broken as XML."""
    at: int | None = Field(default=None, ge=0)
    """Bytes that survive a cut; half of them unless given."""
    url: str = "https://collector.example/cxml"
    later: tuple[Later, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _profile_by_nature(cls, data: object) -> object:
        """A URL is answered to ProfileRequest only, so ``on`` need not be said."""
        if isinstance(data, dict) and data.get("do") in {"moved_url", "foreign_host"}:
            return {"on": "profile", **data}
        return data


class Scenario(Strict):
    """A scenario file: behaviours in order, one seed for every chance in them."""

    name: str = ""
    about: str = ""
    seed: int = 0
    behaviour: tuple[Behaviour, ...] = ()


class Callback(Strict):
    """Where StatusUpdateRequests are pushed: the supplier's inbound URL, its secret and its CA as PEM text."""

    url: str = Field(pattern=r"^https?://[^\s]+$")
    secret: str = Field(min_length=1, repr=False)
    ca: str = ""


class Options(Strict):
    """The program's options; the command line and the pytest fixture fill the same class."""

    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535)
    dir: Path | None = None
    """Keeps the CA and every byte; without it both go when the program ends."""
    dtd: Path | None = None
    """A directory with InvoiceDetail.dtd and cXML.dtd; without it our own schema judges."""
    scenario: str = ""
    """A file, or the name of a scenario that ships: see ``einvoice/sandbox/scenarios``."""
    rules: Path | None = None
    secret_ref: SecretRef | None = None
    """Where the shared secret is kept; without it one is made and stands in the ready line only."""
    own: tuple[str, ...] = Field(default=("AN01000000001-T",), min_length=1)
    """Suppliers with an account, by NetworkID; a test network knows ids that end in -T and no others."""
    to: tuple[str, ...] = Field(default=("AN02000000002-T",), min_length=1)
    """Buyers."""
    system_id: str = "SYSTEM1"
    environment: Literal["test", "production"] = "test"
    max_bytes: int = 10_000_000

    @model_validator(mode="after")
    def _one_environment(self) -> Options:
        wrong = [name for name in (*self.own, *self.to) if name.endswith("-T") != (self.environment == "test")]
        if wrong:
            raise ValueError(f"{', '.join(wrong)}: test identities end in -T and production identities do not")
        return self


def from_json(data: object, model: type[M], name: str) -> M:
    """Decoded JSON as a *model*. Raises ConfigError with every problem at once."""
    if not isinstance(data, dict):
        raise ConfigError("is not a JSON object", where=name)
    return validate(Source(name, "", data), model)


def read_scenario(name: str) -> Scenario:
    """The scenario called *name* among those that ship, or the one in that file; empty for no name."""
    if not name:
        return Scenario()
    shipped = Path(__file__).with_name("scenarios") / f"{name}.toml"
    if re.fullmatch(r"[a-z0-9-]+", name) and not shipped.is_file():
        known = ", ".join(sorted(path.stem for path in shipped.parent.glob("*.toml")))
        raise ConfigError(f"no scenario is called {name!r}", fix=f"use one of: {known}; or a path ending in .toml")
    return load(shipped if shipped.is_file() else Path(name), Scenario)


def shared_secret(reference: str | None) -> str:
    """The secret *reference* points at, or a new random one."""
    return resolve(reference) if reference else secrets.token_urlsafe(24)
