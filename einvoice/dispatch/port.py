"""What dispatch needs of others: a line that makes and sends, and an engine that says where steps run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ..exchange import Inbound, Receipt
from ..ledger import AckFact, OrderFact, State, Transmission
from ..ledger.work import Gather as Gather
from ..ledger.work import Held as Held
from ..ledger.work import Prepared as Prepared
from ..ledger.work import Unsealed as Unsealed
from ..ledger.work import Work as Work


class Line(Protocol):
    """The pipeline, as dispatch sees it."""

    def prepare(self, work: Work, *, at: datetime) -> Prepared | Unsealed | Gather | Held:
        """Decides, checks, renders and packs. Touches nothing. EInvoiceError holds the delivery, too.

        What is to travel with others comes back as ``Gather`` until ``work.batch`` is its key.
        """

    def deliver(self, transmission: Transmission, *, at: datetime) -> Receipt:
        """Sends the stored bytes and makes none.

        Raises EInvoiceError only before the first byte left: ConfigError when nothing can pass under this
        profile until a person acts (a secret that is missing), any other when this transmission cannot.
        """

    def collect(self, *, at: datetime) -> Iterator[Inbound]:
        """What partners have for us. A message is stored before the next one is asked for, so the line may
        tell the partner that it has one when it is resumed, and not before."""

    def interpret(self, inbound: Inbound) -> Sequence[AckFact | OrderFact]:
        """What a message states about our documents, and the orders in it. EInvoiceError when it cannot be read."""


@dataclass(frozen=True, slots=True)
class Tick:
    """One delivery or transmission dealt with: for progress bars and JSON lines."""

    delivery_id: int
    state: State
    done: int
    taken: int
    text: str = ""


Step = Callable[[], bool]
"""Claims a batch and deals with it; False when nothing was due. Safe to call anywhere, any number of times."""


class Engine(Protocol):
    """Where and when steps run. It holds no truth: its state can be wiped, the tables say what is due."""

    def wake(self, count: int) -> None:
        """Tells idle workers that about *count* deliveries are due. A lost call loses time only."""

    def drain(self, step: Step) -> None:
        """Has *step* run, here or elsewhere, until it finds nothing due."""

    def attend(self, step: Step, stop: Callable[[], bool]) -> None:
        """Has *step* run until *stop* says so, resting while nothing is due."""
