"""What a decision is made from, and what comes out of it. Frozen values, no behaviour but printing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from .law import AgreementKind, PdfRole, SellerSize, Signature, SourceRow
from .needs import Kind, Need

NO_SIGNATURE = Signature()
BuyerKind = Literal["B2B", "B2G", "B2C"]


@dataclass(frozen=True, slots=True)
class Facts:
    """One document as law and routing see it. None and "" mean not known, and are never taken for a no.

    seller_entity     the house policy's id of the seller, once it was identified
    amount, net       with and without tax, in ``currency``
    *_ids             (scheme, value) pairs as the document states them: identifiers, legal id, endpoint
    exemptions        cases the caller claims for this document, by the name a rule gives them ("ticket")
    directories       where the buyer was looked up, and whether it was found
    """

    seller_country: str
    buyer_country: str
    issue_date: date
    kind: Kind = "invoice"
    buyer_kind: BuyerKind = "B2B"
    supply_date: date | None = None
    amount: Decimal | None = None
    net: Decimal | None = None
    currency: str = ""
    environment: str = "test"
    region: str = ""
    seller_entity: str = ""
    seller_name: str = ""
    seller_ids: tuple[tuple[str, str], ...] = ()
    seller_vat_ids: tuple[str, ...] = ()
    seller_network_ids: tuple[tuple[str, str], ...] = ()
    seller_established: bool | None = None
    seller_size: SellerSize | None = None
    seller_turnover: Decimal | None = None
    buyer_name: str = ""
    buyer_ids: tuple[tuple[str, str], ...] = ()
    buyer_vat_ids: tuple[str, ...] = ()
    buyer_network_ids: tuple[tuple[str, str], ...] = ()
    buyer_numbers: tuple[str, ...] = ()
    buyer_established: bool | None = None
    buyer_vat_registered: bool | None = None
    directories: tuple[tuple[str, bool], ...] = ()
    exemptions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Copy:
    """A further delivery of the same document that is not the original."""

    format: str
    channel: str = ""
    to: str = ""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a house policy or a profile asks for, and the evidence it brings. It narrows the law, never widens it.

    acceptance  "" none, "tacit" or "explicit": the buyer's consent to the formats it was asked about
    """

    name: str = ""
    formats: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    copies: tuple[Copy, ...] = ()
    signature: Signature = NO_SIGNATURE
    acceptance: Literal["", "tacit", "explicit"] = ""
    agreements: tuple[AgreementKind, ...] = ()
    required: tuple[Need, ...] = ()
    must_carry: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Demand:
    """Something that must be stated, and who wants it: the id of a law's rule, a house policy or a profile by name."""

    need: Need
    by: str


@dataclass(frozen=True, slots=True)
class Dropped:
    """Something that was considered and not chosen, with the rule that says so."""

    what: str
    reason: str
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """How one document is delivered, and why. Goes into the archive with it.

    format, variant  the engine's names; format "" is one that this engine does not write
    format_id        the name in the law files: ``xrechnung-3.0/ubl``
    pdf              what a PDF of the document is: the original, a courtesy copy, or not allowed
    rule_ids         the rule that offers the format, then those that shaped the choice
    assumptions      facts that were not known and what was taken instead
    override         id of the override that replaced the law, else ""
    """

    format: str
    variant: str
    format_id: str
    family: str
    customization: str
    process: str
    channel: str
    signature: Signature
    pdf: PdfRole
    country: str
    on: date
    required: tuple[Demand, ...] = ()
    must_carry: tuple[str, ...] = ()
    copies: tuple[Copy, ...] = ()
    reporting: tuple[str, ...] = ()
    rule_ids: tuple[str, ...] = ()
    sources: tuple[SourceRow, ...] = ()
    reviewed_on: date | None = None
    law_known_to: date | None = None
    dropped: tuple[Dropped, ...] = ()
    assumptions: tuple[str, ...] = ()
    override: str = ""

    def as_dict(self) -> dict[str, object]:
        """Plain values for JSON: the decision record."""
        return {"decided": True, **_plain(self)}

    def lines(self) -> list[str]:
        """The decision for people, the choice first."""
        by = f" by {self.channel}" if self.channel else ""
        signed = " ".join(part for part in (self.signature.need, self.signature.level or "") if part)
        loud = f"LAW OVERRIDDEN by {self.override}: " if self.override else ""
        head = [f"{loud}{self.format_id}{by}, signature {signed}, PDF {self.pdf}"]
        head += [f"rule {self.rule_ids[0]} ({self.country})" if self.rule_ids else f"no rule ({self.country})"]
        head += [f"source {row.id}: {row.ref} [{row.confidence}]" for row in self.sources]
        head += [f"law reviewed on {self.reviewed_on}"] if self.reviewed_on else []
        return head + _tail(self.assumptions, self.dropped)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nothing may be sent: the reason, what would close the gap, and what was considered."""

    reason: str
    fix: str
    country: str
    on: date
    rule_ids: tuple[str, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    assumptions: tuple[str, ...] = ()
    sources: tuple[SourceRow, ...] = field(default=())
    reviewed_on: date | None = None

    def as_dict(self) -> dict[str, object]:
        return {"decided": False, **_plain(self)}

    def lines(self) -> list[str]:
        return [f"not sent: {self.reason} Fix: {self.fix}", *_tail(self.assumptions, self.dropped)]


def _tail(assumptions: tuple[str, ...], dropped: tuple[Dropped, ...]) -> list[str]:
    left_out = [f"not {item.what}: {item.reason}{f' ({item.rule})' if item.rule else ''}" for item in dropped]
    return [f"assumed: {text}" for text in assumptions] + left_out


def _plain(value: Decision | Refusal) -> dict[str, object]:
    pairs = {name: getattr(value, name) for name in value.__slots__}
    return {name: _jsonable(item) for name, item in pairs.items() if item not in ((), "", None)}


def _jsonable(value: object) -> object:
    if isinstance(value, tuple):
        return [_jsonable(item) for item in value]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (Copy, Dropped)):
        return {name: getattr(value, name) for name in value.__slots__ if getattr(value, name)}
    if isinstance(value, Demand):
        return {**value.need.model_dump(mode="json", exclude_defaults=True), "by": value.by}
    if isinstance(value, (Signature, SourceRow)):
        return value.model_dump(mode="json", exclude_defaults=True)
    return value
