"""What the ledger takes and gives: frozen values, states, and its own refusals. No rows leave it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from ..errors import Finding, LedgerError
from ..exchange import Envelope, Environment, Inbound, Payment
from ..money import plain


class State(StrEnum):
    """Where one delivery stands. Only the partner's own verdict makes ``delivered`` or ``rejected``."""

    PLANNED = "planned"
    HELD = "held"
    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"


class Purpose(StrEnum):
    """Why a delivery is made. The document is delivered when its original is."""

    ORIGINAL = "original"
    COPY = "copy"
    COURTESY = "courtesy"
    REPORT = "report"


class Meaning(StrEnum):
    """What an acknowledgement says, whatever network it came from (networks.md 10, consolidated)."""

    INFO = "info"
    RECEIVED = "received"
    DELIVERED = "delivered"
    PROCESSING = "processing"
    QUERY = "query"
    ACCEPTED = "accepted"
    PART_PAID = "part-paid"
    PAID = "paid"
    REJECTED = "rejected"


class HeldBy(StrEnum):
    """Who can let a held delivery go: the next check, a person, or the reopening of its partner."""

    CHECK = "check"
    PERSON = "person"
    GATE = "gate"


class DuplicateNumber(LedgerError):
    """A number that another document has, with other content, and that may not be replaced."""


class LostLease(LedgerError):
    """Another worker holds what this one was about to send or store. Nothing was written."""


@dataclass(frozen=True, slots=True)
class ProfileRef:
    """One immutable version of one profile."""

    id: str
    version: int


@dataclass(frozen=True, slots=True)
class SendPolicy:
    """How one transmission is to be treated, pinned with its identity.

    proof    codes of an answer that is itself the channel's proof of delivery (cXML 200); ``*`` is any,
             none: only a later acknowledgement proves it
    resend   after *unknown* the same bytes may go again under the same identity; False: a person decides
    ack_due  how long a proof may take before the delivery is flagged overdue
    max_age  how long the same bytes are tried before they are given up
    """

    proof: tuple[str, ...] = ()
    resend: bool = True
    ack_due: timedelta = timedelta(hours=72)
    max_age: timedelta = timedelta(hours=72)

    def proves(self, code: str) -> bool:
        """Whether an accepting answer with *code* proves delivery.

        >>> SendPolicy(proof=("200",)).proves("200"), SendPolicy(proof=("200",)).proves("201")
        (True, False)
        """
        return code in self.proof or "*" in self.proof


@dataclass(frozen=True, slots=True)
class Submitted:
    """What a submission came to: ``new``, ``same`` (equal content was there) or ``replaced``."""

    document_id: int
    revision_id: int
    delivery_id: int
    outcome: str


@dataclass(frozen=True, slots=True)
class Revision:
    """One content of one document. ``canonical`` is its JSON, ``digest`` the SHA-256 of it in hex."""

    id: int
    document_id: int
    n: int
    environment: Environment
    seller: str
    type: str
    number: str
    year: int
    canonical: bytes
    digest: str
    currency: str
    total: Decimal
    buyer: str
    issue_date: date | None
    source_format: str
    source_name: str


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """One delivery as lists show it, with what identifies its document."""

    id: int
    document_id: int
    revision_id: int
    environment: Environment
    seller: str
    type: str
    number: str
    year: int
    buyer: str
    currency: str
    total: Decimal
    purpose: Purpose
    target: str
    state: State
    state_at: datetime
    held_by: str
    owner: str
    reason: str
    findings: tuple[Finding, ...]
    profile: ProfileRef | None
    transmission_id: int | None
    payload_id: str
    next_at: datetime | None
    ack_due_at: datetime | None
    overdue: bool
    conflict: bool
    business: str
    payment: str
    decision: str


@dataclass(frozen=True, slots=True)
class DocumentView:
    """One document with its living content and every delivery of that content."""

    id: int
    environment: Environment
    seller: str
    type: str
    number: str
    year: int
    revision_id: int
    digest: str
    state: State
    deliveries: tuple[DeliveryView, ...]

    def __str__(self) -> str:
        return f"{self.type} {self.number}/{self.year} of {self.seller} ({self.environment}, {self.state})"


@dataclass(frozen=True, slots=True)
class Claim:
    """The sole right to work on something until ``lease_until``: to prepare a delivery, or to send a transmission."""

    kind: str
    fence: int
    worker: str
    lease_until: datetime
    delivery_id: int = 0
    transmission_id: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """Deliveries gathered under one key. ``deaths``: how often workers died with them: 0, 1, or 2 for more."""

    key: str
    deaths: int = 0


@dataclass(frozen=True, slots=True)
class Artifact:
    """Bytes made for one delivery: the rendered document, a signed form, a loss report."""

    kind: str
    name: str
    format: str
    media_type: str
    data: bytes
    sha256: str


@dataclass(frozen=True, slots=True)
class NumberUse:
    """Control numbers *first* to *last* of one transmission, and what last happened to it."""

    environment: Environment
    partner: str
    kind: str
    first: int
    last: int
    payload_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Transmission:
    """What travels and how: stored bytes under a stored identity."""

    id: int
    channel: str
    profile: ProfileRef
    envelope: Envelope
    policy: SendPolicy
    delivery_ids: tuple[int, ...]
    replaces: int | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try, committed before its first byte. ``since`` is when the first try of these bytes began."""

    id: int
    transmission_id: int
    n: int
    since: datetime


@dataclass(frozen=True, slots=True)
class InboxItem:
    """One stored inbound message. ``state`` is new, matched, duplicate, orphan, ignored or bad."""

    id: int
    inbound: Inbound
    sha256: str
    state: str
    at: datetime
    conflict: bool
    note: str


@dataclass(frozen=True, slots=True)
class AckFact:
    """One statement of a partner about one of our documents, read from one inbound message.

    payload_id   the identity it refers to; or ``number`` (with ``issue_date``, ``seller`` when stated)
    file_name    or the name of the document as it was made
    between      or the control numbers it states, of the interchange, the group, the message, and between whom
    duplicate    it refuses what it speaks of because its control number came before
    environment  restricts the match; a statement from a test network never meets a production document
    remote_id    the partner's own id of the statement; with kind and code it makes a repeat recognisable
    payment      what was paid, where it says that: it moves the payment of the document and nothing else
    """

    kind: str
    code: str
    meaning: Meaning
    remote_id: str
    payload_id: str = ""
    number: str = ""
    issue_date: date | None = None
    seller: str = ""
    environment: Environment | None = None
    text: str = ""
    file_name: str = ""
    between: str = ""
    interchange: str = ""
    group: str = ""
    message: str = ""
    duplicate: bool = False
    payment: Payment | None = None

    def __str__(self) -> str:
        """What it names, for people."""
        control = "/".join(filter(None, (self.interchange, self.group, self.message)))
        number = f"number {self.number}" if self.number else ""
        named = (self.file_name, control and f"{control} of {self.between}", number)
        return self.payload_id or ", ".join(filter(None, named))


@dataclass(frozen=True, slots=True)
class OrderFact:
    """One order as a partner's message states it. ``content`` is its JSON, ``number`` what invoices name it by.

    seller, buyer  what tells the two parties from others
    operation      new, update or delete
    version        the buyer's count of its changes; of two messages the higher counts, else the later ``issued_at``
    """

    environment: Environment
    seller: str
    buyer: str
    number: str
    operation: str
    content: str
    order_date: date | None = None
    currency: str = ""
    payload_id: str = ""
    version: int | None = None
    issued_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OrderView:
    """One stored revision of one order. ``alive``: the one that counts."""

    id: int
    fact: OrderFact
    revision: int
    alive: bool
    source_name: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Ack:
    """What storing an acknowledgement came to. ``new`` is False for a repeat, which changes nothing.

    again  an earlier message said the same of the same
    """

    id: int
    new: bool
    moved: bool
    conflict: bool
    again: bool = False


class Track(StrEnum):
    """Where the acknowledgement of a transmission with control numbers stands; derived from what partners said."""

    UNSENT = "unsent"
    AWAITED = "awaited"
    OVERDUE = "overdue"
    ACCEPTED = "accepted"
    PARTLY = "partly accepted"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Interchange:
    """One transmission with control numbers and what its partner said of the documents in it.

    control          the control number of the interchange
    sent_at, due_at  the first attempt; when the acknowledgement is due of what is still without
    """

    transmission_id: int
    environment: Environment
    profile_id: str
    partner: str
    control: int
    sent_at: datetime | None
    due_at: datetime | None
    documents: int
    accepted: int
    rejected: int
    overdue: int

    @property
    def track(self) -> Track:
        if self.rejected:
            return Track.REJECTED if self.rejected == self.documents else Track.PARTLY
        if self.accepted == self.documents:
            return Track.ACCEPTED
        if self.overdue:
            return Track.OVERDUE
        return Track.AWAITED if self.sent_at else Track.UNSENT


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep put right."""

    freed: int = 0
    unknown: int = 0
    dead: int = 0
    overdue: int = 0
    rematch: int = 0

    def __bool__(self) -> bool:
        return any((self.freed, self.unknown, self.dead, self.overdue, self.rematch))


@dataclass(frozen=True, slots=True)
class Sums:
    """A number of documents and their money by currency."""

    count: int = 0
    money: Mapping[str, Decimal] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        return {"documents": self.count, "money": {code: plain(value) for code, value in sorted(self.money.items())}}


#: The parts of a statement (DESIGN §5), and the states that count as each.
STATEMENT_PARTS: Mapping[str, tuple[State, ...]] = {
    "delivered": (State.DELIVERED,),
    "unknown": (State.UNKNOWN,),
    "waiting": (State.PLANNED, State.WAITING, State.SENDING, State.SENT),
    "held": (State.HELD,),
    "rejected": (State.REJECTED,),
    "failed": (State.FAILED,),
    "suppressed": (State.SUPPRESSED,),
    "cancelled": (State.CANCELLED,),
    "superseded": (State.SUPERSEDED,),
}


@dataclass(frozen=True, slots=True)
class Statement:
    """What a run took in, and where every bit of it stands now.

    ``taken`` was summed when the documents came in, ``parts`` from their states now: two sums from
    different rows. ``balances`` says that they agree in documents and, per currency, in money.
    """

    run_id: int
    business_date: date
    taken: Sums
    parts: Mapping[str, Sums]
    accepted: Sums
    paid: Sums
    awaiting_proof: int = 0
    overdue: int = 0
    conflicts: int = 0
    dry_run: bool = False

    @property
    def balances(self) -> bool:
        money: dict[str, Decimal] = {}
        for part in self.parts.values():
            for currency, value in part.money.items():
                money[currency] = money.get(currency, Decimal(0)) + value
        return self.taken.count == sum(part.count for part in self.parts.values()) and dict(self.taken.money) == money

    @property
    def clean(self) -> bool:
        """Whether nothing needs a person: no document held, rejected, failed or unknown."""
        return not any(self.parts[name].count for name in ("held", "rejected", "failed", "unknown"))

    def as_dict(self) -> dict[str, object]:
        return {
            "run": self.run_id,
            "business_date": self.business_date.isoformat(),
            "in": self.taken.as_dict(),
            **{name: part.as_dict() for name, part in self.parts.items()},
            "accepted": self.accepted.as_dict(),
            "paid": self.paid.as_dict(),
            "awaiting_proof": self.awaiting_proof,
            "overdue": self.overdue,
            "conflicts": self.conflicts,
            "dry_run": self.dry_run,
            "balances": self.balances,
        }


@dataclass(frozen=True, slots=True)
class ProfileVersion:
    """One immutable version of a profile: its text as it was added, and whether it is in force."""

    id: str
    version: int
    environment: Environment
    toml: str
    digest: str
    state: str
    at: datetime
    actor: str


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether documents may go to the partner of one profile, and why not.

    A person or a channel fault pauses it. After some failures in a row the breaker closes it until
    ``blocked_until``; then one transmission goes as a probe.
    """

    profile_id: str
    paused: bool = False
    reason: str = ""
    actor: str = ""
    at: datetime | None = None
    failures: int = 0
    blocked_until: datetime | None = None


def findings_as_dicts(findings: Sequence[Finding]) -> list[dict[str, object]]:
    """*findings* as plain values for storage; ``findings_from_dicts`` is the way back."""
    return [asdict(finding) for finding in findings]
