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
    numbers     control numbers by kind, for the EDI syntaxes; of "message", the first one
    """

    payload_id: str
    at: datetime
    environment: Environment = Environment.TEST
    numbers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Document:
    """The rendered bytes of one delivery. ``losses`` says what the format could not carry.

    known_by_name  the partner's answers speak of it by ``name``, so it travels under that and no other
    """

    data: bytes
    format: str
    media_type: str
    name: str
    losses: tuple[Finding, ...] = ()
    known_by_name: bool = False


@dataclass(frozen=True, slots=True)
class Series:
    """A series of control numbers, counted on without gaps: who counts what towards whom.

    kind     interchange (ISA13, UNB 0020), group (GS06, UNG 0048) or message (ST02, UNH 0062); progressive
             (ProgressivoInvio)
    between  the two ends, ours first, in the syntax's own ids: ``x12:999000111>999123456``
    highest  after which it begins again
    each     one number for every document, not one for the transmission
    first    where it begins; a series that is behind it goes on from here
    """

    kind: str
    between: str
    highest: int
    each: bool = False
    first: int = 1


@dataclass(frozen=True, slots=True)
class Part:
    """One document of a format that can hold several, before the control numbers of its transmission are known.

    data    its bytes without what the transmission adds
    count   how many segments these are
    share   what documents of one transmission must have in common
    series  the series whose numbers the transmission needs
    """

    data: bytes
    count: int
    share: tuple[object, ...]
    series: tuple[Series, ...]
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
    file_name   or the document, by the name that its format gave it
    between     or the ends of the interchange it answers to, as ``Series`` names them, with the control numbers that
                it states: of the interchange, the group, the message. Some leave the outer ones out
    duplicate   it is refused because its control number came before
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
    file_name: str = ""
    between: str = ""
    interchange: str = ""
    group: str = ""
    message: str = ""
    duplicate: bool = False
    payment: Payment | None = None

    @property
    def control(self) -> str:
        """The control numbers, outermost first: ``131/ME1``, ``131/5/ME1``; ``/57/0001`` without an interchange."""
        stated = "/".join(filter(None, (self.interchange, self.group, self.message)))
        return f"/{stated}" if self.group and not self.interchange else stated


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


class Combining(Format, Protocol):
    """A format whose transmissions may hold many documents."""

    def share(self, invoice: Invoice) -> tuple[object, ...]: ...
    def part(self, invoice: Invoice, ids: Identity) -> Part: ...
    def write_many(self, parts: Sequence[Part], ids: Identity) -> tuple[Document, Sequence[Document]]: ...


class Transport(Protocol):
    def pack(self, documents: Sequence[Document], ids: Identity) -> Envelope: ...
    def deliver(self, envelope: Envelope, *, at: datetime) -> Receipt: ...
    def collect(self, *, at: datetime) -> Iterator[Inbound]: ...
