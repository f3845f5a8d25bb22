"""What a country file may say: closed vocabularies, real dates, numbers as text, and where each row comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator

from ..config import Count, DecimalText, Flag, Strict
from .checkdigits import CHECKS
from .needs import Need

Segment = Literal["B2B", "B2G", "B2C"]
Scope = Literal["domestic", "cross_border", "any"]
Status = Literal["in_force", "scheduled", "proposed"]
Obligation = Literal["mandatory", "relief", "permitted", "prohibited", "reporting"]
PdfRole = Literal["original", "courtesy", "invalid"]
Acceptance = Literal["none", "tacit", "explicit", "explicit_or_tacit", "contract", "authority"]
Directory = Literal["elma", "peppol", "annuaire", "nhr", "sef"]
SellerSize = Literal["large", "mid", "sme", "micro"]
AgreementKind = Literal["edi", "network", "other"]
SignatureKind = Literal["XMLDSig", "XAdES-BES", "XAdES-EPES", "XAdES-T", "CAdES-BES", "CAdES-T",
                        "PAdES-B-B", "PAdES-B-T", "PAdES-B-LT", "PAdES-B-LTA"]  # fmt: skip
Level = Literal["advanced", "qualified"]
Integrity = Literal["business_controls", "signature", "edi", "platform"]
Confidence = Literal["primary", "secondary", "unverified"]
CountryCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Channel = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+(:[A-Za-z0-9-]+)?$")]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*$")]


class SourceRow(Strict):
    """Where a row comes from. ``primary``: the law, schema or code list itself was read; ``secondary``: a page about
    it; ``unverified``: knowledge without a source, shown as such in every decision that rests on it."""

    id: Key
    kind: Literal["law", "repo", "page", "seed", "none"]
    ref: str
    confidence: Confidence
    note: str = ""


class Span(Strict):
    """Days from ``from`` until ``until``, both included; an absent end is open."""

    from_: date | None = Field(default=None, alias="from")
    until: date | None = None

    def holds(self, day: date) -> bool:
        return (self.from_ or date.min) <= day <= (self.until or date.max)


class When(Strict):
    """The closed list of conditions; each named one must hold."""

    seller_established: Flag | None = None
    buyer_established: Flag | None = None
    buyer_vat_registered: Flag | None = None
    buyer_in_directory: Directory | None = None
    buyer_in_eu: Flag | None = None
    seller_size: tuple[SellerSize, ...] | None = None
    seller_turnover_prev_year_upto: DecimalText | None = None
    seller_turnover_prev_year_over: DecimalText | None = None
    agreement: tuple[AgreementKind, ...] | None = None
    amount_upto: DecimalText | None = None
    amount_over: DecimalText | None = None
    region: tuple[str, ...] | None = None

    def conditions(self) -> dict[str, object]:
        return self.model_dump(exclude_none=True)


class Exemption(Strict):
    """A case the rule leaves out: a ``claim`` the caller makes for the document, or an amount it stays under."""

    claim: Key | None = None
    gross_upto: DecimalText | None = None
    net_upto: DecimalText | None = None


class Signature(Strict):
    need: Literal["none", "optional", "required"] = "none"
    level: Level | None = None
    kinds: tuple[SignatureKind, ...] = ()
    waived_by: tuple[AgreementKind, ...] = ()


class Report(Span):
    """Data that go to an authority beside the delivery."""

    what: Key
    when: When = When()


class Rule(Span):
    """How invoices of one segment and scope may be delivered in a span of days.

    ``from``/``until`` bound the day of issue, ``supply_from``/``supply_until`` the day of supply.
    """

    id: Key
    segment: Segment
    scope: Scope
    obligation: Obligation
    status: Status = "in_force"
    region: str = ""
    supply_from: date | None = None
    supply_until: date | None = None
    date_basis: Literal["issue", "supply"] = "issue"
    when: When = When()
    unless: tuple[Exemption, ...] = ()
    formats: tuple[str, ...] = ()
    agreed_formats: tuple[str, ...] = ()
    channels: tuple[Channel, ...] = ()
    signature: Signature = Signature()
    integrity: tuple[Integrity, ...] = ()
    acceptance: Acceptance = "none"
    pdf: PdfRole = "invalid"
    required: tuple[Need, ...] = ()
    reporting: tuple[Report, ...] = ()
    process: str = ""
    directory: Directory | None = None
    inherits: str = ""
    sources: tuple[str, ...] = Field(min_length=1)
    note: str = ""

    def supply_holds(self, day: date) -> bool:
        return (self.supply_from or date.min) <= day <= (self.supply_until or date.max)

    def edges(self) -> set[date]:
        """The days on which this rule begins to speak differently."""
        spans: list[Span] = [self, *self.reporting]
        starts = {span.from_ for span in spans} | {self.supply_from}
        ends = {span.until for span in spans} | {self.supply_until}
        return {day for day in starts if day} | {day + timedelta(days=1) for day in ends if day}


#: What ``inherits`` never takes over: dates and conditions belong to the rule that states them.
NOT_INHERITED = {"id", "inherits", "status", "from", "from_", "until", "supply_from", "supply_until", "when", "sources"}


class IdRow(Strict):
    """An identifier of the country: its form, its check digit, and its scheme codes."""

    key: Key
    name: str
    pattern: str = ""
    check: str = ""
    eas: str = ""
    icd: str = ""
    cxml: str = ""
    x12: str = ""
    max_length: Count = 0
    terms: tuple[str, ...] = ()

    @field_validator("check")
    @classmethod
    def _known(cls, value: str) -> str:
        if value and value not in CHECKS:
            raise ValueError(f"no such check; known: {', '.join(sorted(CHECKS))}")
        return value


class TaxRow(Span):
    category: Key
    rate: Key
    percent: DecimalText | None = None
    regions: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    note: str = ""


class Milestone(Strict):
    date: date
    status: Status
    what: str
    sources: tuple[str, ...] = Field(min_length=1)


class System(Strict):
    """How the country runs invoicing."""

    kind: Literal["free", "post_audit", "platform", "clearance"]
    authority: str = ""
    directory: Directory | None = None


class Rounding(Strict):
    vat_at: Literal["category", "line", "jurisdiction", "total"]
    decimals: Mapping[Literal["amount", "quantity", "price", "rate"], int] = Field(default_factory=dict)
    note: str = ""


class Numbering(Strict):
    rule: str
    max_length: Count = 0
    pattern: str = ""


class Retention(Strict):
    years: Count
    where: str
    form: str
    sources: tuple[str, ...] = Field(min_length=1)


class TaxExemption(Strict):
    """How certificates of exempt customers are kept (US, CA)."""

    applies_to: str
    keys: tuple[Key, ...]
    forms: tuple[str, ...]
    reasons: tuple[Key, ...]
    on_missing: str
    on_late_certificate: str
    retain_years: Count
    sources: tuple[str, ...] = Field(min_length=1)


class RuleFile(Strict):
    """What every file with rules states about itself."""

    version: Literal[1] = Field(alias="schema")
    name: str
    reviewed_on: date
    law_known_to: date
    source: tuple[SourceRow, ...]
    rule: tuple[Rule, ...]
    milestone: tuple[Milestone, ...] = ()

    def cite(self, ids: tuple[str, ...]) -> tuple[SourceRow, ...]:
        return tuple(row for row in self.source if row.id in ids)


class Bloc(RuleFile):
    """Rules that several countries share; they apply to sellers of every member."""

    members: tuple[CountryCode, ...]


class Country(RuleFile):
    country: CountryCode
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    languages: tuple[str, ...]
    timezone: str
    model: System
    id: tuple[IdRow, ...] = ()
    tax: tuple[TaxRow, ...] = ()
    rounding: Rounding
    numbering: Numbering
    retention: Retention
    exemption: TaxExemption | None = None


class Carry(Strict):
    """Which kinds of channel can carry a family of formats."""

    version: Literal[1] = Field(alias="schema")
    families: Mapping[Key, tuple[Key, ...]]


class FormatRow(Span):
    """A format that laws and profiles name, and what this engine calls it. No ``format``: not written here."""

    id: str
    family: Key
    format: str = ""
    variant: str = ""
    customization: str = ""
    process: str = ""
    sources: tuple[str, ...] = Field(min_length=1)


class Formats(Strict):
    version: Literal[1] = Field(alias="schema")
    reviewed_on: date
    source: tuple[SourceRow, ...]
    format: tuple[FormatRow, ...]


@dataclass(frozen=True)
class Laws:
    """Everything a decision is looked up in: countries by code, shared rules, formats and what carries them."""

    countries: Mapping[str, Country]
    blocs: tuple[Bloc, ...]
    carry: Mapping[str, tuple[str, ...]]
    formats: Mapping[str, FormatRow]

    def files(self, country: str) -> tuple[RuleFile, ...]:
        """The rule files that bind a seller of *country*; empty when the country is not known."""
        own = self.countries.get(country)
        return (own, *(bloc for bloc in self.blocs if country in bloc.members)) if own else ()

    def in_eu(self, country: str) -> bool:
        return any(country in bloc.members for bloc in self.blocs)

    def family(self, format_id: str) -> str:
        row = self.formats.get(format_id)
        return row.family if row else ""

    def named(self, wish: str) -> tuple[str, ...]:
        """Format ids that a wish means: the id itself, or all of a family, in the order of formats.toml."""
        if wish in self.formats:
            return (wish,)
        return tuple(row.id for row in self.formats.values() if row.family == wish)
