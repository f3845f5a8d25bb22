"""The ledger: every document, delivery, transmission, attempt and answer, and the right to act on them.

One object, opened on a file or a database URL. Each method is one transaction: it is done when it
returns, and undone when it raises. Times are given, never taken; leases alone run on the database's clock.
"""

from __future__ import annotations

from .audit import Audit
from .batches import Batches
from .claims import PREPARE, SEND, Claims
from .crash import BATCH_POINTS, CRASH_POINTS
from .deliveries import Deliveries
from .documents import Documents
from .gates import BREAKER_AFTER, Gates, gate_finding
from .inbox import Inbox
from .interchanges import Interchanges
from .numbers import Numbers
from .orders import Orders
from .outbox import Outbox
from .profiles import Profiles
from .runs import sums
from .sweep import CRASH_LIMIT, Sweep
from .values import (
    Ack,
    AckFact,
    Artifact,
    Attempt,
    Batch,
    Claim,
    DeliveryView,
    DocumentView,
    DuplicateNumber,
    Gate,
    HeldBy,
    InboxItem,
    Interchange,
    LostLease,
    Meaning,
    NumberUse,
    OrderFact,
    OrderView,
    ProfileRef,
    ProfileVersion,
    Purpose,
    Revision,
    SendPolicy,
    State,
    Statement,
    Submitted,
    Sums,
    Swept,
    Track,
    Transmission,
)  # fmt: skip

__all__ = [
    "BATCH_POINTS", "BREAKER_AFTER", "CRASH_LIMIT", "CRASH_POINTS", "PREPARE", "SEND", "Ack", "AckFact", "Artifact",
    "Attempt", "Batch", "Claim", "DeliveryView", "DocumentView", "DuplicateNumber", "Gate", "HeldBy", "InboxItem",
    "Interchange", "Ledger", "LostLease", "Meaning", "NumberUse", "OrderFact", "OrderView", "ProfileRef",
    "ProfileVersion", "Purpose", "Revision", "SendPolicy", "State", "Statement", "Submitted", "Sums", "Swept", "Track",
    "Transmission", "gate_finding", "sums",
]  # fmt: skip


class Ledger(
    Documents, Deliveries, Claims, Batches, Outbox, Sweep, Inbox, Orders, Gates, Profiles, Numbers, Interchanges, Audit
):  # fmt: skip
    """Everything einvoice knows, in one database. Open it with ``Ledger.open(path or URL)``."""
