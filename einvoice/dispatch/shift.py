"""One worker's shift: a step claims a batch, prepares and sends it, and records what came of each.

Whatever happens to one document is recorded on that document, and the next one goes on. Crash points
surround each send; the ledger has its own around each commit.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ..errors import ConfigError, EInvoiceError, Finding
from ..exchange import Outcome, Receipt
from ..ledger import PREPARE, Batch, Claim, HeldBy, Ledger, LostLease, State, Transmission, gate_finding
from ..ledger.crash import point
from .backoff import next_try
from .local import dead_workers
from .port import Gather, Held, Line, Prepared, Tick, Unsealed, Work

Clock = Callable[[], datetime]


@dataclass
class Shift:
    """A worker at work. ``run_id`` 0: no run, as the standing worker has none."""

    ledger: Ledger
    line: Line
    clock: Clock
    worker: str
    rng: random.Random
    run_id: int = 0
    only: str = ""
    batch: int = 25
    lease_seconds: float = 120.0
    progress: Callable[[Tick], None] | None = None
    done: int = 0
    taken: int = 0
    _after: int = 0
    _renewed: float = 0.0
    _gathered: list[tuple[Claim, Gather]] = field(default_factory=list)
    _started: datetime = field(init=False)
    _prefix: str = field(init=False)

    def __post_init__(self) -> None:
        self._started = self.clock()
        self._prefix = self.ledger.id

    def step(self) -> bool:
        """Claims what is due and deals with it; False when nothing was due. Puts crashes right when idle."""
        at = self.clock()
        if self.run_id and not self.only:
            self.taken += self.ledger.take_into_run(self.run_id, at=at)
        claims = self.ledger.claim(
            self.worker, lease_seconds=self.lease_seconds, limit=self.batch, at=at, only=self.only,
            after=self._after, held_before=self._started,
        )  # fmt: skip
        self._renewed = time.monotonic()
        for claim in claims:
            self._renew()
            try:
                self._deal_with(claim)
            except LostLease:
                continue  # another worker has it, and records what comes of it
        batches = self._gather() if claims else self._due_batch(at)
        for batch in batches:
            self._send_together(batch)
        return bool(claims or batches) or self.recover()

    def _renew(self) -> None:
        if time.monotonic() - self._renewed > self.lease_seconds / 2:
            self.ledger.renew(self.worker, lease_seconds=self.lease_seconds)
            self._renewed = time.monotonic()

    def _gather(self) -> list[Batch]:
        """Puts what is to travel with others where the others wait; the batches that are full with it."""
        found, self._gathered = self._gathered, []
        return self.ledger.gather(found, at=self.clock()) if found else []

    def _due_batch(self, at: datetime) -> list[Batch]:
        """The batch that is due now. A run waits for no window: when nothing else is due it closes them."""
        found = self.ledger.due_batch(at=at, closing=bool(self.run_id), only=self.only)
        return [found] if found else []

    def recover(self) -> bool:
        """Puts right what dead workers left; whether that made anything due."""
        swept = self.ledger.sweep(at=self.clock(), dead=dead_workers(self.ledger.workers()))
        return bool(swept.freed)

    def leave(self) -> None:
        """Gives back everything still in hand, without blame; an open attempt becomes unknown."""
        self.ledger.sweep(at=self.clock(), dead={self.worker}, blame=False)

    def _deal_with(self, claim: Claim) -> None:
        if claim.kind != PREPARE:
            if self.run_id:
                inside = self.ledger.transmission(claim.transmission_id).delivery_ids
                self.taken += self.ledger.take_into_run(self.run_id, at=self.clock(), delivery_ids=inside)
            self._send(claim.transmission_id, claim.fence)
            return
        result = self._prepare(claim)
        self._go_on(claim, result)

    def _go_on(self, claim: Claim, result: Prepared | Unsealed | Gather | Held | None) -> None:
        """Does what follows for a delivery that goes alone, or does not go now."""
        if isinstance(result, Held):
            self._hold(claim, result)
        elif result is None or self._not_ours(claim, result):
            return
        elif isinstance(result, Gather):
            self._gathered.append((claim, result))
        else:
            self._commit_and_send([claim], [result])

    def _send_together(self, batch: Batch) -> None:
        """Prepares the deliveries of a batch and sends in one transmission those that can go."""
        claims = self.ledger.claim_batch(batch, self.worker, lease_seconds=self.lease_seconds)
        self._renewed = time.monotonic()
        if self.run_id and claims:
            ids = [claim.delivery_id for claim in claims]
            self.taken += self.ledger.take_into_run(self.run_id, at=self.clock(), delivery_ids=ids)
        together: list[tuple[Claim, Unsealed]] = []
        for claim in claims:
            self._renew()
            try:
                result = self._prepare(claim, batch.key)
                if isinstance(result, Unsealed):
                    together.append((claim, result))
                else:
                    self._go_on(claim, result)
            except LostLease:
                continue
        if self._gathered:  # their profile has changed since
            self.ledger.gather(self._gathered, at=self.clock())
            self._gathered = []
        if not together:
            return
        try:
            self._commit_and_send([claim for claim, _ in together], [ready for _, ready in together])
        except LostLease:  # of one at least, as when a person held it; the others are gathered again
            for claim, _ in together:
                self.ledger.let_go(claim)

    def _prepare(self, claim: Claim, batch: str = "") -> Prepared | Unsealed | Gather | Held | None:
        """What the line makes of a delivery; None when it failed for a reason of ours, and was given up."""
        token = f"{self._prefix}.{claim.delivery_id}.{claim.fence}"
        work = Work(claim.delivery_id, *self.ledger.assignment(claim.delivery_id), token, batch)
        try:
            return self.line.prepare(work, at=self.clock())
        except EInvoiceError as refusal:
            return Held(refusal.findings or [Finding("EINV-DISPATCH-01", str(refusal))], "operator")
        except Exception as bug:  # recorded on the document, which alone is given up
            finding = Finding("EINV-DISPATCH-03", f"internal error while it was prepared: {defect(bug)}")
            self.ledger.fail(claim, [finding], at=self.clock())
            self._tick(claim.delivery_id, State.FAILED, finding.message)
            return None

    def _not_ours(self, claim: Claim, result: Prepared | Unsealed | Gather | Held) -> bool:
        """Whether the run is restricted to another profile; the delivery is then given back untouched."""
        if not self.only:
            return False
        self._after = max(self._after, claim.delivery_id)
        if result.profile is None or result.profile.id != self.only:
            self.ledger.let_go(claim, scattered=True)
            return True
        if self.run_id:
            self.taken += self.ledger.take_into_run(self.run_id, at=self.clock(), delivery_ids=[claim.delivery_id])
        return False

    def _hold(self, claim: Claim, result: Held, by: HeldBy = HeldBy.CHECK) -> None:
        if self._not_ours(claim, result):
            return
        profile_id = result.profile.id if result.profile else ""
        self.ledger.hold(
            claim.delivery_id, result.findings, result.owner, at=self.clock(), by=by, profile_id=profile_id,
            claim=claim, reason="" if result.findings else "held without a finding",
        )  # fmt: skip
        self._tick(claim.delivery_id, State.HELD, str(result.findings[0]) if result.findings else "")

    def _commit_and_send(self, claims: Sequence[Claim], ready: Sequence[Prepared | Unsealed]) -> None:
        profile = ready[0].profile
        gate = self.ledger.gate(profile.id)
        if gate.paused:  # its identity is not fixed, so it follows a corrected profile when the partner reopens
            held = Held([gate_finding(gate.profile_id, gate.reason)], "operator", profile)
            for claim in claims:
                self._hold(claim, held, HeldBy.GATE)
            return
        try:
            transmission_id = self._commit(claims, ready)
        except ConfigError as refusal:  # sealed, they are more than the channel takes
            for claim in claims:
                self._hold(claim, Held([Finding("EINV-DISPATCH-04", str(refusal))], "operator", profile))
            return
        if transmission_id is not None:
            self._send(transmission_id, fence=1)

    def _commit(self, claims: Sequence[Claim], ready: Sequence[Prepared | Unsealed]) -> int | None:
        at, lease = self.clock(), self.lease_seconds
        ids, unsealed = [claim.delivery_id for claim in claims], [one for one in ready if isinstance(one, Unsealed)]
        if unsealed:
            return self.ledger.commit_unsealed(ids, unsealed, at=at, claims=claims, lease_seconds=lease)
        (one,) = (one for one in ready if isinstance(one, Prepared))
        return self.ledger.commit_identity(
            ids, one.envelope, one.documents, channel=one.channel, profile=one.profile, decision=one.decision,
            policy=one.policy, at=at, claims=claims, lease_seconds=lease, also=one.also,
        )  # fmt: skip

    def _send(self, transmission_id: int, fence: int) -> None:
        attempt = self.ledger.begin_attempt(
            transmission_id, fence=fence, worker=self.worker, at=self.clock(), lease_seconds=self.lease_seconds
        )
        stored = self.ledger.transmission(transmission_id)
        if attempt is None:
            self._tick(stored.delivery_ids[0], self.ledger.delivery(stored.delivery_ids[0]).state)
            return
        point("send.before")
        receipt = self._deliver(stored)
        point("send.after")
        at = self.clock()
        again = next_try(
            receipt, tries=attempt.n, since=attempt.since, at=at, max_age=stored.policy.max_age, rng=self.rng
        )
        if receipt.code == _OURS:
            again = None
        state = self.ledger.end_attempt(attempt.id, receipt, at=at, next_at=again)
        for delivery_id in stored.delivery_ids:
            self._tick(delivery_id, state, f"{receipt.code} {receipt.text}".strip())

    def _deliver(self, stored: Transmission) -> Receipt:
        """The partner's answer, or what its absence means: our own refusal was not sent, a defect may have been."""
        try:
            return self.line.deliver(stored, at=self.clock())
        except ConfigError as fault:
            return Receipt(Outcome.RETRY, _OURS, str(fault), self.clock(), channel_fault=True)
        except EInvoiceError as refusal:
            return Receipt(Outcome.RETRY, _OURS, str(refusal), self.clock())
        except Exception as bug:  # the body may have left: recorded as unknown
            return Receipt(Outcome.UNKNOWN, "internal-error", defect(bug), self.clock())

    def _tick(self, delivery_id: int, state: State, text: str = "") -> None:
        self.done += 1
        if self.progress:
            self.progress(Tick(delivery_id, state, self.done, max(self.taken, self.done), text))


#: The code of an attempt that our own side refused before its first byte: trying again changes nothing.
_OURS = "not-sent"


def defect(bug: BaseException) -> str:
    """The class and the place of a defect. Not its words, which may quote a secret or a document."""
    frame = bug.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    place = f" in {frame.tb_frame.f_code.co_qualname}, line {frame.tb_lineno}" if frame else ""
    return f"{type(bug).__name__}{place}"
