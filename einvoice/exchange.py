"""The values that pass between stages: Document, Envelope, Receipt, Event. All frozen, no behaviour."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    from .errors import Finding, UnreadableDocument
    from .model import Invoice

#: Stands in stored bytes where a shared secret belongs. The transport puts the secret in as the bytes
#: leave, so no ledger row, log or evidence bundle ever holds it (docs/decisions/0002).
SECRET_SLOT = "einvoice-secret-goes-here"  # noqa: S105  a place, not a secret


class Environment(StrEnum):
    """Test and production never meet: profile, endpoint, certificate and numbers each carry one."""

    TEST = "test"
    PRODUCTION = "production"


@dataclass(frozen=True, slots=True)
class Identity:
    """What names one transmission, fixed and stored before its first byte leaves.

    payload_id  unique over space and time; cXML payloadID, the stem of a Message-ID or a file name
    at          the instant written into the document, aware UTC
    numbers     control numbers by kind, for the EDI syntaxes
    """

    payload_id: str
    at: datetime
    environment: Environment = Environment.TEST
    numbers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Document:
    """The rendered bytes of one delivery. ``losses`` says what the format could not carry."""

    data: bytes
    format: str
    media_type: str
    name: str
    losses: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Envelope:
    """What travels, whole: every byte is made here and none later. ``id`` is kept on every retry."""

    id: str
    data: bytes
    media_type: str
    name: str
    environment: Environment
    headers: Mapping[str, str] = field(default_factory=dict)


class Outcome(StrEnum):
    """What one attempt came to. ``unknown``: the body may have arrived; never resent blindly."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    RETRY = "retry"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Receipt:
    """The partner's answer to one attempt, or why there was none.

    code           the protocol's own code: cXML Status code, HTTP code, exception class
    raw            the answer's bytes as received, for evidence
    duplicate      the partner says it already has this identity: an earlier attempt arrived
    channel_fault  no document of this profile can pass until a person acts (credentials, certificate)
    retry_after    seconds the partner asked us to wait
    """

    outcome: Outcome
    code: str
    text: str
    at: datetime
    raw: bytes = b""
    duplicate: bool = False
    channel_fault: bool = False
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class Inbound:
    """One message a partner gave us, byte for byte, before anyone interpreted it.

    channel    where it came in: ``ariba:push``, ``ariba:poll``, ``folder:...``
    remote_id  the partner's own id of it (payloadID, Message-ID, file name); with channel it is unique
    """

    channel: str
    remote_id: str
    data: bytes
    media_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Payment:
    """What a partner says it paid of one invoice; below zero where it takes back or offsets.

    reference    the partner's name of the payment: trace number, number of the remittance
    adjustments  why less (above zero) or more was paid than was due: reason and amount, discounts among them
    """

    amount: Decimal
    currency: str = ""
    on: date | None = None
    reference: str = ""
    adjustments: tuple[tuple[str, Decimal], ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """One statement a partner's message makes about one of our documents, as a format reads it.

    meaning     info, received, delivered, processing, query, accepted, part-paid, paid or rejected
    payload_id  the transmission it speaks of; or ``number`` with ``issue_date`` where the message names those
    remote_id   the partner's own id of the message; a repeat has the same
    control     or the control numbers it speaks of, outermost first: ``131``, ``131/ME000001``, ``131/5/ME000001``;
                ``/57/0001`` where the message leaves the interchange out, as X12 does
    payment     what it says was paid, where it is a line of a remittance; ``meaning`` is info then
    """

    kind: str
    code: str
    meaning: str
    remote_id: str
    payload_id: str = ""
    number: str = ""
    issue_date: date | None = None
    environment: Environment | None = None
    text: str = ""
    control: str = ""
    payment: Payment | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a document or delivery, as the timeline shows it."""

    at: datetime
    kind: str
    text: str
    actor: str = "einvoice"
    detail: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Read:
    """One invoice read from a source. ``locate`` turns a model path into its place in that source.

    ``problem`` is set where one part of a larger source could not be read: there is no invoice then, and the
    reading of the other parts goes on. ``source`` is the part of the source that it was read from, where the whole
    holds so many that each keeps its own.
    """

    invoice: Invoice
    findings: tuple[Finding, ...]
    locate: Callable[[str], str]
    format: str
    problem: UnreadableDocument | None = None
    source: bytes | None = None


class Format(Protocol):
    def write(self, invoice: Invoice, ids: Identity) -> Document: ...
    def read(self, stream: BinaryIO) -> Iterator[Read]: ...


class Transport(Protocol):
    def pack(self, documents: Sequence[Document], ids: Identity) -> Envelope: ...
    def deliver(self, envelope: Envelope, *, at: datetime) -> Receipt: ...
    def collect(self, *, at: datetime) -> Iterator[Inbound]: ...
