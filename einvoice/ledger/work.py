"""What dispatch hands the line to prepare, and what the line hands back: ready to commit, or held."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from ..errors import Finding
from ..exchange import Document, Envelope, Part
from .values import ProfileRef, Purpose, Revision, SendPolicy


@dataclass(frozen=True, slots=True)
class Work:
    """One delivery to prepare.

    token  unique over space and time, and the same when the same work is prepared again: make identities
           from it (payloadID, Message-ID, file name)
    batch  the key under which it was gathered to travel with others; empty while it was not
    """

    delivery_id: int
    revision: Revision
    purpose: Purpose
    target: str
    token: str
    batch: str = ""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A delivery ready to go: every byte made, nothing sent.

    channel   which mailbox of identities it belongs to (``https:ariba``); with the environment, payload
              ids are unique in it
    decision  JSON: which law, format, signature and channel, and why
    also      further deliveries of the same content that the decision asks for: (purpose, target)
    """

    documents: Sequence[Document]
    envelope: Envelope
    channel: str
    profile: ProfileRef
    decision: str
    policy: SendPolicy
    also: Sequence[tuple[Purpose, str]] = ()


@dataclass(frozen=True, slots=True)
class Unsealed:
    """A delivery ready to go in a transmission, alone or with others, that bears control numbers.

    part  its document without what the transmission adds; ``part.series`` says which numbers are needed
    seal  makes every byte of the transmission, and each document as it stands in it, from the parts and the numbers
          by kind; called once, inside the transaction that takes the numbers, so that none is lost. Touches nothing

    The others are those of ``Prepared``.
    """

    part: Part
    seal: Callable[[Sequence[Part], Mapping[str, range]], tuple[Envelope, Sequence[Document]]]
    channel: str
    profile: ProfileRef
    decision: str
    policy: SendPolicy
    also: Sequence[tuple[Purpose, str]] = ()


@dataclass(frozen=True, slots=True)
class Gather:
    """A delivery that is to travel with others of its *key*: *most* in one transmission, after *window* at last."""

    key: str
    most: int
    window: timedelta
    profile: ProfileRef


@dataclass(frozen=True, slots=True)
class Held:
    """A delivery that may not go, why, and who can put it right. ``profile`` when it is known already."""

    findings: Sequence[Finding]
    owner: str
    profile: ProfileRef | None = None
