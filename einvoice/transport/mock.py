"""A partner that does what its script says, in memory: for tests and for a profile's first dry run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal

from ..config import Strict
from ..errors import ConfigError
from ..exchange import Document, Envelope, Environment, Identity, Inbound, Outcome, Receipt
from . import one_of_this_channel

#: accept   takes it                           reject  refuses it
#: late     takes it, the verdict is collected later
#: retry    was not connected                  fault   refuses our credentials
#: lost     takes it, the answer is lost       cut     the body was cut mid-way, nothing taken
Step = Literal["accept", "late", "reject", "retry", "fault", "lost", "cut"]
_TAKES = frozenset({"accept", "late", "lost"})

_ANSWERS: dict[Step, tuple[Outcome, str]] = {
    "accept": (Outcome.ACCEPTED, "taken"),
    "late": (Outcome.ACCEPTED, "taken, the verdict follows"),
    "reject": (Outcome.REJECTED, "refused"),
    "retry": (Outcome.RETRY, "not connected"),
    "fault": (Outcome.RETRY, "credentials not accepted"),
    "lost": (Outcome.UNKNOWN, "the answer was lost"),
    "cut": (Outcome.UNKNOWN, "the body was cut"),
}


class Mock(Strict):
    """[transport] kind = "mock"."""

    kind: Literal["mock"] = "mock"
    script: tuple[Step, ...] = ()
    """What each attempt meets, in order; then ``accept``."""


class MockTransport:
    """The channel *name*.

    attempts  every envelope that was sent, in order        taken    those the partner has, by id
    waiting   what ``collect`` gives, once                  script   what the next attempts meet
    """

    def __init__(self, settings: Mock, *, name: str, environment: Environment) -> None:
        self.settings, self.name, self.environment = settings, name, environment
        self.script: list[Step] = list(settings.script)
        self.attempts: list[Envelope] = []
        self.taken: dict[str, Envelope] = {}
        self.waiting: list[Inbound] = []

    def pack(self, documents: Sequence[Document], ids: Identity) -> Envelope:
        """The one document as it is. ConfigError: several, or the wrong environment."""
        if len(documents) != 1:
            raise ConfigError(f"{len(documents)} documents for one message", where=f"channel {self.name}")
        document = documents[0]
        envelope = Envelope(ids.payload_id, document.data, document.media_type, document.name, ids.environment)
        one_of_this_channel(envelope, self.environment, f"channel {self.name}")
        return envelope

    def deliver(self, envelope: Envelope, *, at: datetime) -> Receipt:
        """What the script says; a second envelope of one id is a duplicate, refused when its bytes differ."""
        one_of_this_channel(envelope, self.environment, f"channel {self.name}")
        self.attempts.append(envelope)
        step = self.script.pop(0) if self.script else "accept"
        before = self.taken.get(envelope.id)
        if step in ("accept", "late") and before is not None:
            same = before.data == envelope.data
            outcome = Outcome.ACCEPTED if same else Outcome.REJECTED
            text = "taken before" if same else "other bytes were taken under this id"
            return Receipt(outcome, "DUPLICATE", text, at, duplicate=True)
        if step in _TAKES:
            self.taken.setdefault(envelope.id, envelope)
        if step == "late":
            self.waiting.append(Inbound(f"mock:{self.name}", f"late:{envelope.id}", envelope.id.encode()))
        return _receipt(step, at)

    def collect(self, *, at: datetime) -> Iterator[Inbound]:
        """What waits, each once."""
        while self.waiting:
            yield self.waiting[0]
            self.waiting.pop(0)


def _receipt(step: Step, at: datetime) -> Receipt:
    outcome, text = _ANSWERS[step]
    return Receipt(outcome, step.upper(), text, at, raw=text.encode(), channel_fault=step == "fault")


SETTINGS = Mock
TRANSPORT = MockTransport
