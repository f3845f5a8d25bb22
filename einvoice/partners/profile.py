"""What finance uploads about one customer on one channel: a profile. Immutable once stored; versions replace it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from ..config import Count, Duration, Flag, Strict
from ..countries.law import AgreementKind, Channel, CountryCode, Directory, Key, Signature
from ..countries.needs import Kind, Need, TermId

SchemeValue = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Rounding = Literal["en16931", "per_line", "as_issued"]
EVERY = "*"


class Id(Strict):
    """A value and the scheme it is unique in: ``{scheme = "NetworkID", value = "AN01000000001-T"}``."""

    scheme: str
    value: SchemeValue


class Contact(Strict):
    name: str = ""
    email: str = ""
    phone: str = ""


class Contacts(Strict):
    business: Contact = Contact()
    technical: Contact = Contact()
    escalation: Contact = Contact()


class Head(Strict):
    """[profile]"""

    id: Key
    environment: Literal["test", "production"]
    seller_entity: str
    """Id of the house policy whose invoices go this way; "*" is any seller, in environment test only."""
    network: str = ""
    """Name of a preset whose defaults lie under this profile."""
    valid_from: date
    valid_to: date | None = None
    contacts: Contacts = Contacts()

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.valid_to and self.valid_to < self.valid_from:
            raise ValueError(f"valid_to {self.valid_to} is before valid_from {self.valid_from}")
        return self

    def valid(self, day: date) -> bool:
        return self.valid_from <= day <= (self.valid_to or date.max)


class Customer(Strict):
    """[customer]: who it is, and every way an invoice may name it."""

    legal_name: str = Field(min_length=1)
    country: CountryCode | Literal[""] = ""
    kind: Literal["B2B", "B2G", "B2C"] = "B2B"
    established: Flag | None = None
    vat_registered: Flag | None = None
    vat_ids: tuple[SchemeValue, ...] = ()
    identifiers: tuple[Id, ...] = ()
    """Legal ids, endpoints and other (scheme, value) pairs."""
    buyer_numbers: tuple[SchemeValue, ...] = ()
    """Customer numbers the seller gave it."""
    directories: Mapping[Directory, bool] = Field(default_factory=dict)
    """Where it was looked up, and whether it was found."""


class Routing(Strict):
    """[routing]: which documents of that customer come here. Empty lists set no limit."""

    documents: tuple[Kind, ...] = ("invoice", "credit_note")
    currencies: tuple[Currency, ...] = ()
    catch_all: Flag = False
    """Takes documents of any buyer that no other profile takes. Environment test only."""


class FormatTable(Strict):
    """[format], what every format has; the rest of the table is the settings of the format ``kind``."""

    kind: str
    variant: str = ""
    rounding: Rounding | None = None
    """Policy by which totals are computed beside the issued ones; the house's where none is set."""
    must_carry: tuple[TermId, ...] = ()
    """Terms that hold the document when the format cannot carry them."""
    verdicts: tuple[Literal["native", "xsd", "schematron"], ...] = ("native",)
    """Checks that must have run and passed; one that cannot run holds the document."""


class TransportTable(Strict):
    """[transport], what every transport has; the rest is the settings of the transport ``kind``."""

    kind: str


class Identifiers(Strict):
    """[identifiers]: who the two sides are on the channel. ``sender``: the system that sends; as ``own`` if empty."""

    own: tuple[Id, ...] = ()
    partner: tuple[Id, ...] = ()
    sender: tuple[Id, ...] = ()


class NumberForm(Strict):
    max_length: Count = 0
    pattern: str = ""


class ContentRules(Strict):
    """[content_rules]: what this customer wants stated beyond the law."""

    po_required: Flag = False
    contract_instead: Flag = True
    """A contract reference does where the purchase order is missing."""
    po_pattern: str = ""
    po_line_match: Literal["off", "warn", "hold"] = "warn"
    """What a difference from the order does (EINV-ORDER-01 to -09). hold: also where the order is not known."""
    buyer_reference: Flag = False
    remit_to: Flag = False
    credit_reference: Flag = False
    """A credit note names the invoice it credits."""
    invoice_number: NumberForm = NumberForm()
    required: tuple[Need, ...] = ()

    @model_validator(mode="after")
    def _patterns(self) -> Self:
        for name, pattern in (("po_pattern", self.po_pattern), ("invoice_number.pattern", self.invoice_number.pattern)):
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{name} is not a regular expression: {error}") from error
        return self

    def needs(self) -> tuple[Need, ...]:
        """These rules as needs, in the one form in which needs are checked."""
        order: tuple[str, ...] = ("BT-13", "EX-82", *(("BT-12", "EX-85") if self.contract_instead else ()))
        number = self.invoice_number
        table = (
            (self.po_required, Need(any_of=order)),
            (bool(self.po_pattern), _stated(("BT-13",), pattern=self.po_pattern)),
            (self.buyer_reference, Need(any_of=("BT-10",))),
            (self.remit_to, Need(any_of=("EX-1400",))),
            (self.credit_reference, Need(any_of=("BT-25", "EX-18"), kinds=("credit_note",))),
            (bool(number.pattern or number.max_length), Need(any_of=("BT-1",), **number.model_dump())),
        )
        return (*(need for wanted, need in table if wanted), *self.required)


def _stated(terms: tuple[str, ...], pattern: str) -> Need:
    """Where the term is stated, it has this form."""
    return Need(any_of=terms, pattern=pattern, if_stated=terms[0])


class Security(Strict):
    """[security]. A signature stronger than the law's may be asked for; a weaker one has no effect."""

    signature: Signature = Signature()


class AckDue(Strict):
    response: Duration = timedelta(minutes=15)
    functional: Duration = timedelta(hours=24)
    status: Duration = timedelta(days=3)

    def of(self, expected: Sequence[str]) -> timedelta:
        """How long the proof of delivery may take."""
        return self.functional if "functional" in expected else self.status if "status" in expected else self.response


class Acks(Strict):
    """[acks]: what is expected back, where it is read, and when it is late.

    ``response`` is the channel's own answer, ``functional`` a CONTRL, 997 or 999, ``status`` what the partner's
    application says later. The first one expected, beyond the response, proves delivery.
    """

    expected: tuple[Literal["response", "functional", "status"], ...] = ("response",)
    source: tuple[Literal["poll", "push", "folder"], ...] = ()
    due: AckDue = AckDue()
    overdue: Literal["alert"] = "alert"


class Retry(Strict):
    """[retry]"""

    max_age: Duration = timedelta(hours=72)
    """A delivery that could not be handed over for this long has failed."""
    unknown: Literal["resend_same", "hold"] = "resend_same"
    """After a lost answer: the same bytes under the same identity again, or a person decides."""


class Batch(Strict):
    """[batch]: documents that share one transmission, in a format that can hold several."""

    max: Annotated[Count, Field(ge=1, le=10_000)] = 1
    window: Duration = timedelta(0)
    """How long a document may wait for others. A dispatch run does not wait: what it found is what there is."""


class Numbers(Strict):
    """[numbers]: where control numbers begin, as where another system counted before. A series never goes back."""

    interchange: Annotated[Count, Field(ge=1)] = 1
    """ISA13, UNB 0020."""
    group: Annotated[Count, Field(ge=1)] = 1
    """GS06, UNG 0048."""
    message: Annotated[Count, Field(ge=1)] = 1
    """ST02, UNH 0062."""
    progressive: Annotated[str, Field(pattern="^[0-9A-Z]{1,5}$")] = "1"
    """ProgressivoInvio of FatturaPA, counted through digits and capital letters: after 00009 comes 0000A."""

    def first(self) -> dict[str, int]:
        """Where each series begins, by kind."""
        return {**self.model_dump(), "progressive": int(self.progressive, 36)}


class Archive(Strict):
    """[archive]. The law's years are kept even when fewer are written here."""

    retention_years: Count = 0


class CopyWish(Strict):
    format: str
    channel: Channel | Literal[""] = ""
    to: str = ""


class Want(Strict):
    """[want]: wishes in order; the law decides what survives. Empty: what [format] and [transport] say."""

    formats: tuple[str, ...] = ()
    channels: tuple[Channel, ...] = ()
    copies: tuple[CopyWish, ...] = ()


class Consent(Strict):
    """[acceptance]: the buyer's consent to the formats, with its evidence."""

    kind: Literal["tacit", "explicit"]
    on: date
    evidence: str = Field(min_length=3)


class Agreement(Strict):
    """[agreement]: an interchange agreement with the customer."""

    kind: AgreementKind
    on: date
    ref: str = Field(min_length=3)


class Profile(Strict):
    """One customer on one channel. ``format`` and ``transport`` are also instances of their kinds' settings."""

    version: Literal[1] = Field(alias="schema")
    profile: Head
    customer: Customer
    routing: Routing = Routing()
    format: FormatTable
    identifiers: Identifiers = Identifiers()
    content_rules: ContentRules = ContentRules()
    transport: TransportTable
    security: Security = Security()
    acks: Acks = Acks()
    retry: Retry = Retry()
    batch: Batch = Batch()
    numbers: Numbers = Numbers()
    archive: Archive = Archive()
    want: Want = Want()
    acceptance: Consent | None = None
    agreement: Agreement | None = None

    @property
    def id(self) -> str:
        return self.profile.id

    @property
    def environment(self) -> str:
        return self.profile.environment

    @model_validator(mode="after")
    def _wide_only_in_test(self) -> Self:
        wide = self.profile.seller_entity == EVERY or self.routing.catch_all
        if wide and self.profile.environment != "test":
            raise ValueError('seller_entity "*" and routing.catch_all are for environment test only')
        if not self.routing.catch_all and not self.customer.country:
            raise ValueError("customer.country is not set: the law depends on it")
        return self


#: Keys that the plan of a profile knows and this version cannot honour: refused by name, never ignored.
LATER: Mapping[str, str] = {
    "format.batching": "write [batch] max = ..., window = ...",
    "format.code_maps": "code maps come with the EDI formats",
    "format.line_endings": "line endings come with the EDI formats",
    "format.encoding": "every format written here is UTF-8",
    "format.limits": "limits belong to the transport: max_document_bytes",
    "content_rules.date_window_days": "date windows come with the partner rules",
    "content_rules.attachments": "attachment rules come with the attachment formats",
    "content_rules.tax_per_line": "the place of tax follows the invoice",
    "content_rules.vat_mode": "VAT details follow the invoice",
    "routing.priority": "exactly one profile fits, or the document is held",
    "routing.fallback": "exactly one profile fits, or the document is held",
    "retry.quiet_hours": "sending windows come with the scheduler",
    "retry.connect": "the retry classes are fixed; max_age bounds them",
    "retry.temp": "the retry classes are fixed; max_age bounds them",
    "retry.uncertain": "write unknown = ...",
    "security.certs": "partner certificates come with AS2 and signing",
    "archive.evidence": "evidence bundles come with the archive",
    "archive.country_rules": "the country file is found by the seller's country",
    **{f"transport.{name}": f"no {name} channel in this version" for name in
       ("as2", "sftp", "rnif", "sdi", "peppol", "smtp")},
    "profile.status": "the ledger keeps the state; see: einvoice profile live",
    "profile.version": "the ledger numbers the versions",
}  # fmt: skip
