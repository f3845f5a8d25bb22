"""What the ledger promises: one document per number, nothing half-stored, no verdict but the partner's."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from einvoice.errors import Finding, LedgerError
from einvoice.exchange import Document, Envelope, Environment, Inbound, Outcome, Receipt, Series
from einvoice.ledger import (
    CRASH_LIMIT,
    PREPARE,
    SEND,
    AckFact,
    Attempt,
    Batch,
    Claim,
    DuplicateNumber,
    Ledger,
    LostLease,
    Meaning,
    ProfileRef,
    Purpose,
    SendPolicy,
    State,
    Submitted,
    schema,
)
from einvoice.ledger.values import STATEMENT_PARTS
from einvoice.ledger.work import Gather

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = date(2026, 11, 24)
BY_ANSWER = SendPolicy(proof=("200",))
BY_ACK = SendPolicy()


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **span: float) -> datetime:
        self.now += timedelta(**span)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new ledger, made once and copied: the migrations take longer than most tests."""
    place = tmp_path_factory.mktemp("empty") / "ledger.db"
    Ledger.open(place).close()
    return place


@pytest.fixture
def ledger(tmp_path: Path, clock: Clock, empty: Path) -> Iterator[Ledger]:
    shutil.copy(empty, tmp_path / "ledger.db")
    with Ledger.open(tmp_path / "ledger.db", clock=clock) as opened:
        yield opened


def submit(
    ledger: Ledger, number: str = "A1", content: str = "{}", *, replaces: str | None = None, reason: str = "",
    sameness: str = "", held: tuple[Finding, ...] = (),
    environment: Environment = Environment.TEST, total: str = "10.00", currency: str = "EUR", source: bytes = b"<x/>",
) -> Submitted:  # fmt: skip
    canonical = content.encode()
    return ledger.submit(
        environment=environment, seller="Seller", type="invoice", number=number, year=2026, canonical=canonical,
        digest=hashlib.sha256(canonical).hexdigest(), currency=currency, total=Decimal(total), source=source,
        source_format="ubl", source_name=f"{number}.xml", buyer="Buyer", issue_date=date(2026, 11, 1),
        replaces=replaces, reason=reason, at=NOON, sameness=sameness, held=held,
    )  # fmt: skip


def fix(
    ledger: Ledger, *delivery_ids: int, payload: str = "", policy: SendPolicy = BY_ANSWER,
    environment: Environment = Environment.TEST, claims: tuple[Claim, ...] = (), worker_lease: float = 0,
) -> int:  # fmt: skip
    """A transmission with the deliveries inside; its id."""
    documents = [Document(b"<doc/>", "ubl", "text/xml", "d.xml") for _ in delivery_ids]
    name = payload or f"p{'-'.join(map(str, delivery_ids))}"
    envelope = Envelope(name, b"<bytes/>", "text/xml", "d.xml", environment, {"X": "1"})
    key = ledger.commit_identity(
        delivery_ids, envelope, documents, channel="https:ariba", profile=ProfileRef("acme", 1), decision="{}",
        policy=policy, at=NOON, claims=claims, lease_seconds=worker_lease,
    )  # fmt: skip
    assert key is not None
    return key


def begin(ledger: Ledger, clock: Clock, transmission_id: int, worker: str = "w") -> Attempt | None:
    claims = ledger.claim(worker, lease_seconds=60, limit=100, at=clock())
    fence = next(claim.fence for claim in claims if claim.transmission_id == transmission_id)
    return ledger.begin_attempt(transmission_id, fence=fence, worker=worker, at=clock(), lease_seconds=60)


def answer(outcome: Outcome, code: str = "200", **more: object) -> Receipt:
    return Receipt(outcome, code, "text", NOON, b"raw", **more)  # type: ignore[arg-type]


def try_once(
    ledger: Ledger, clock: Clock, transmission_id: int, receipt: Receipt,
    next_in: timedelta | None = timedelta(minutes=1),
) -> State:  # fmt: skip
    attempt = begin(ledger, clock, transmission_id)
    assert attempt is not None
    return ledger.end_attempt(
        attempt.id, receipt, at=clock(), next_at=clock() + next_in if next_in is not None else None
    )


def sent(ledger: Ledger, clock: Clock, receipt: Receipt, policy: SendPolicy = BY_ANSWER) -> int:
    """A delivery whose first attempt got *receipt*."""
    delivery_id = submit(ledger).delivery_id
    try_once(ledger, clock, fix(ledger, delivery_id, policy=policy), receipt)
    return delivery_id


ACCEPTED, AWAITING = answer(Outcome.ACCEPTED), answer(Outcome.ACCEPTED, "201")
REJECTED, LOST, DOWN = (
    answer(Outcome.REJECTED, "400"),
    answer(Outcome.UNKNOWN, "Reset"),
    answer(Outcome.RETRY, "Refused"),
)


# --- documents ---------------------------------------------------------------------------------------------------


def test_the_same_content_twice_is_one_document_whatever_its_bytes(ledger: Ledger) -> None:
    first = submit(ledger, source=b"<x/>")
    second = submit(ledger, source=b"<x />")
    assert (first.outcome, second.outcome) == ("new", "same")
    assert (first.document_id, first.revision_id, first.delivery_id) == (
        second.document_id, second.revision_id, second.delivery_id)  # fmt: skip
    assert ledger.source(first.revision_id) == b"<x/>"


def test_content_that_differs_only_in_how_it_is_written_is_the_same_document(ledger: Ledger) -> None:
    submit(ledger, content='{"total":"10.0"}', sameness="ten")
    assert submit(ledger, content='{"total":"10.00"}', sameness="ten").outcome == "same"
    with pytest.raises(DuplicateNumber):
        submit(ledger, content='{"total":"11.00"}', sameness="eleven")


def test_what_was_read_with_findings_is_taken_in_and_waits_for_a_person(ledger: Ledger) -> None:
    finding = Finding("EINV-READ-01", "an element appears twice")
    delivery = submit(ledger, held=(finding,)).delivery_id
    view = ledger.delivery(delivery)
    assert (view.state, view.findings) == (State.HELD, (finding,))
    assert ledger.claim("w", lease_seconds=60, limit=9, at=NOON, held_before=NOON + timedelta(days=1)) == []
    assert ledger.invariants() == []


def test_money_comes_back_with_every_digit(ledger: Ledger) -> None:
    stored = submit(ledger, total="1234567890123.4500", currency="TND")
    revision = ledger.revision(stored.revision_id)
    assert str(revision.total) == "1234567890123.4500"
    assert (revision.currency, revision.issue_date, revision.environment) == (
        "TND",
        date(2026, 11, 1),
        Environment.TEST,
    )


def test_a_number_with_other_content_is_refused_and_says_what_to_do(ledger: Ledger) -> None:
    submit(ledger)
    with pytest.raises(DuplicateNumber, match=r"A1 already names another invoice .* planned.*--replaces"):
        submit(ledger, content='{"other":1}')
    assert len(ledger.find("A1")) == 1
    assert ledger.find("A1")[0].digest == hashlib.sha256(b"{}").hexdigest()


def test_test_and_production_may_have_the_same_number(ledger: Ledger) -> None:
    submit(ledger)
    submit(ledger, content="[]", environment=Environment.PRODUCTION)
    assert [view.environment for view in ledger.find("A1")] == [Environment.TEST, Environment.PRODUCTION]
    assert len(ledger.find("A1", environment=Environment.TEST)) == 1


def test_a_held_document_is_replaced_under_its_number_with_a_new_identity(ledger: Ledger, clock: Clock) -> None:
    old = submit(ledger)
    ledger.hold(old.delivery_id, [Finding("BR-01", "missing")], "finance", at=NOON)
    new = submit(ledger, content="[]", replaces="A1", reason="order number added")
    assert new.outcome == "replaced"
    assert new.document_id == old.document_id
    assert ledger.delivery(old.delivery_id).state is State.SUPERSEDED
    assert [view.id for view in ledger.status("A1")] == [new.delivery_id]
    story = [event.kind for event in ledger.timeline(new.document_id)]
    assert story == ["submitted", "planned", "held", "superseded", "submitted", "planned"]
    assert ledger.invariants() == []


@pytest.mark.parametrize(
    ("receipt", "allowed"),
    [(REJECTED, True), (DOWN, True), (ACCEPTED, False), (AWAITING, False), (LOST, False)],
    ids=["rejected", "never connected", "delivered", "sent", "unknown"],
)
def test_a_document_is_replaced_only_while_the_partner_cannot_have_it(
    ledger: Ledger, clock: Clock, receipt: Receipt, allowed: bool
) -> None:
    sent(ledger, clock, receipt)
    if allowed:
        assert submit(ledger, content="[]", replaces="A1", reason="r").outcome == "replaced"
    else:
        with pytest.raises(DuplicateNumber, match=r"credit note|until its outcome is known|partner"):
            submit(ledger, content="[]", replaces="A1", reason="r")
    assert ledger.invariants() == []


def test_a_replaced_document_is_not_sent_by_a_worker_that_had_claimed_it(ledger: Ledger, clock: Clock) -> None:
    old = submit(ledger)
    (claim,) = ledger.claim("w", lease_seconds=60, limit=9, at=NOON)
    submit(ledger, content="[]", replaces="A1", reason="r")
    with pytest.raises(LostLease):
        fix(ledger, old.delivery_id, claims=(claim,))


@pytest.mark.parametrize(
    ("replaces", "reason", "message"),
    [("A2", "r", "keeps its number"), ("A1", " ", "needs a reason")],
)
def test_a_replacement_keeps_its_number_and_has_a_reason(
    ledger: Ledger, replaces: str, reason: str, message: str
) -> None:
    submit(ledger)
    with pytest.raises(LedgerError, match=message):
        submit(ledger, content="[]", replaces=replaces, reason=reason)


def test_a_wrong_digest_stores_nothing(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="SHA-256"):
        ledger.submit(
            environment=Environment.TEST, seller="S", type="invoice", number="A1", year=2026, canonical=b"{}",
            digest="0" * 64, currency="EUR", total=Decimal(1), source=b"", source_format="ubl", source_name="",
            buyer="", issue_date=None, at=NOON,
        )  # fmt: skip
    assert ledger.find("A1") == []


def test_a_time_without_zone_is_refused_and_any_zone_is_stored_as_utc(ledger: Ledger) -> None:
    delivery = submit(ledger).delivery_id
    with pytest.raises(LedgerError, match="without zone"):
        ledger.hold(delivery, [], "finance", reason="r", at=datetime(2026, 11, 24, 12))  # noqa: DTZ001
    assert ledger.delivery(delivery).state is State.PLANNED
    there = timezone(timedelta(hours=5, minutes=30))
    ledger.hold(delivery, [], "finance", reason="r", at=datetime(2026, 11, 24, 17, 30, tzinfo=there))
    assert ledger.delivery(delivery).state_at == NOON


def test_status_filters_and_names_the_filters_it_knows(ledger: Ledger, clock: Clock) -> None:
    sent(ledger, clock, LOST)
    submit(ledger, "A2")
    assert [view.number for view in ledger.status(filter="unknown")] == ["A1"]
    assert [view.number for view in ledger.status(limit=1)] == ["A1"]
    assert [view.number for view in ledger.status(after=ledger.status("A1")[0].id)] == ["A2"]
    assert ledger.counts()[State.UNKNOWN] == 1
    with pytest.raises(LedgerError, match="overdue"):
        ledger.status(filter="lost")


# --- decisions of people -----------------------------------------------------------------------------------------


def test_findings_survive_a_hold_whole(ledger: Ledger) -> None:
    finding = Finding(
        "BR-CO-15", "42.36 is not 42.35", term="BT-112", path="$.totals.gross", found="42.36", fix="set it"
    )
    delivery = submit(ledger).delivery_id
    ledger.hold(delivery, [finding], "finance", at=NOON)
    view = ledger.delivery(delivery)
    assert view.findings == (finding,)
    assert (view.owner, view.state) == ("finance", State.HELD)


def test_what_may_have_arrived_is_neither_suppressed_nor_cancelled_nor_rendered_again(
    ledger: Ledger, clock: Clock
) -> None:
    delivery = sent(ledger, clock, LOST)
    for act in (ledger.suppress, ledger.cancel, ledger.rerender):
        with pytest.raises(LedgerError, match="may have arrived"):
            act(delivery, reason="r", actor="anna", at=NOON)


def test_a_delivered_document_is_not_resent(ledger: Ledger, clock: Clock) -> None:
    delivery = sent(ledger, clock, ACCEPTED)
    with pytest.raises(LedgerError, match="credit note"):
        ledger.resend(delivery, reason="r", actor="anna", at=NOON)


def test_suppressing_names_who_and_why(ledger: Ledger) -> None:
    done = submit(ledger)
    ledger.suppress(done.delivery_id, reason="paid by card", actor="anna", at=NOON)
    last = ledger.timeline(done.document_id)[-1]
    assert (last.kind, last.actor, last.text) == ("suppressed", "anna", "suppressed: paid by card")
    with pytest.raises(LedgerError, match="without a reason"):
        ledger.cancel(done.delivery_id, reason=" ", actor="anna", at=NOON)


def test_a_refused_document_goes_again_under_a_new_identity_that_names_the_old(ledger: Ledger, clock: Clock) -> None:
    delivery = sent(ledger, clock, REJECTED)
    old = ledger.delivery(delivery).transmission_id
    ledger.resend(delivery, reason="buyer corrected its master data", actor="anna", at=NOON)
    assert ledger.delivery(delivery).state is State.PLANNED
    new = fix(ledger, delivery, payload="p-new")
    assert ledger.transmission(new).replaces == old
    assert try_once(ledger, clock, new, ACCEPTED) is State.DELIVERED
    assert ledger.invariants() == []


def test_a_failed_document_goes_again_as_the_same_bytes(ledger: Ledger, clock: Clock) -> None:
    delivery = submit(ledger).delivery_id
    key = fix(ledger, delivery)
    assert try_once(ledger, clock, key, DOWN, next_in=None) is State.FAILED
    ledger.resend(delivery, reason="line repaired", actor="anna", at=NOON)
    assert try_once(ledger, clock, key, ACCEPTED) is State.DELIVERED


# --- identity and attempts ---------------------------------------------------------------------------------------


def test_an_identity_is_fixed_once_and_the_stored_bytes_go(ledger: Ledger) -> None:
    delivery = submit(ledger).delivery_id
    key = fix(ledger, delivery)
    other = Envelope("other", b"other", "text/xml", "d.xml", Environment.TEST)
    again = ledger.commit_identity(
        [delivery], other, [Document(b"x", "ubl", "text/xml", "d.xml")], channel="https:ariba",
        profile=ProfileRef("acme", 2), decision="{}", policy=BY_ANSWER, at=NOON,
    )  # fmt: skip
    assert again is None
    stored = ledger.transmission(key)
    assert (stored.envelope.id, stored.envelope.data, stored.profile.version) == (f"p{delivery}", b"<bytes/>", 1)
    assert stored.policy == BY_ANSWER
    assert dict(stored.envelope.headers) == {"X": "1"}
    assert [artifact.data for artifact in ledger.artifacts(delivery)] == [b"<doc/>"]


def test_an_identity_is_never_used_for_two_transmissions(ledger: Ledger) -> None:
    fix(ledger, submit(ledger, "A1").delivery_id, payload="same")
    second = submit(ledger, "A2").delivery_id
    with pytest.raises(LedgerError, match="was used before"):
        fix(ledger, second, payload="same")
    assert ledger.delivery(second).state is State.PLANNED


def test_a_test_document_cannot_travel_in_a_production_envelope(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="test document cannot travel in a production envelope"):
        fix(ledger, submit(ledger).delivery_id, environment=Environment.PRODUCTION)


def test_a_definite_failure_to_connect_after_a_lost_answer_stays_unknown(ledger: Ledger, clock: Clock) -> None:
    delivery = sent(ledger, clock, LOST)
    key = ledger.delivery(delivery).transmission_id
    assert key is not None
    clock.pass_(hours=1)
    assert try_once(ledger, clock, key, DOWN) is State.UNKNOWN
    clock.pass_(hours=1)
    assert try_once(ledger, clock, key, DOWN, next_in=None) is State.UNKNOWN
    assert ledger.delivery(delivery).owner == "operator"
    assert ledger.invariants() == []


def test_a_duplicate_answer_to_a_repeat_means_that_the_first_one_arrived(ledger: Ledger, clock: Clock) -> None:
    delivery = sent(ledger, clock, LOST)
    key = ledger.delivery(delivery).transmission_id
    assert key is not None
    clock.pass_(hours=1)
    assert try_once(ledger, clock, key, answer(Outcome.REJECTED, "409", duplicate=True)) is State.DELIVERED


def test_a_duplicate_answer_to_a_first_attempt_is_a_refusal(ledger: Ledger, clock: Clock) -> None:
    delivery = sent(ledger, clock, answer(Outcome.REJECTED, "409", duplicate=True))
    assert ledger.delivery(delivery).state is State.REJECTED


def test_two_hundred_is_delivered_and_two_hundred_and_one_awaits_proof(ledger: Ledger, clock: Clock) -> None:
    assert ledger.delivery(sent(ledger, clock, ACCEPTED)).state is State.DELIVERED
    second = submit(ledger, "A2").delivery_id
    assert try_once(ledger, clock, fix(ledger, second), AWAITING) is State.SENT
    assert ledger.delivery(second).ack_due_at == NOON + timedelta(hours=72)


def test_a_proof_that_does_not_come_is_overdue_and_not_a_state(ledger: Ledger, clock: Clock) -> None:
    delivery = sent(ledger, clock, AWAITING)
    assert not ledger.sweep(at=clock.pass_(hours=71))
    assert ledger.sweep(at=clock.pass_(hours=2)).overdue == 1
    view = ledger.delivery(delivery)
    assert (view.state, view.overdue) == (State.SENT, True)
    assert [each.id for each in ledger.status(filter="overdue")] == [delivery]
    ledger.acknowledge("status", "ok", Meaning.DELIVERED, remote_id="s1", at=clock(), delivery_id=delivery)
    assert ledger.delivery(delivery).overdue is False


def test_several_documents_in_one_transmission_share_its_answer_and_keep_their_own_verdicts(
    ledger: Ledger, clock: Clock
) -> None:
    ids = [submit(ledger, f"A{n}").delivery_id for n in range(3)]
    key = fix(ledger, *ids, payload="batch")
    try_once(ledger, clock, key, AWAITING)
    facts = [
        AckFact("997", "R", Meaning.REJECTED, "997-1-1", payload_id="batch", number="A1"),
        AckFact("997", "A", Meaning.DELIVERED, "997-1-0", payload_id="batch"),
    ]
    inbox_id, _ = ledger.take_in(Inbound("van", "997-1", b"997"), at=clock())
    ledger.settle(inbox_id, facts, at=clock())
    assert [ledger.delivery(each).state for each in ids] == [State.DELIVERED, State.REJECTED, State.DELIVERED]
    assert ledger.invariants() == []


@pytest.mark.parametrize("verb", ["suppress", "cancel", "hold", "rerender", "replace"])
def test_a_document_that_may_not_go_takes_its_unsent_transmission_apart(
    ledger: Ledger, clock: Clock, verb: str
) -> None:
    ids = [submit(ledger, f"A{n}").delivery_id for n in range(3)]
    key = fix(ledger, *ids, payload="batch")
    if verb == "replace":
        submit(ledger, "A0", '{"corrected":1}', replaces="A0", reason="wrong price")
    elif verb == "hold":
        ledger.hold(ids[0], [], "finance", reason="asked to wait", actor="anna", at=NOON)
    else:
        getattr(ledger, verb)(ids[0], reason="r", actor="anna", at=NOON)
    ended = {"suppress": "suppressed", "cancel": "cancelled", "hold": "held", "rerender": "planned"}
    assert states(ledger, ids) == [ended.get(verb, "superseded"), "planned", "planned"]
    claims = ledger.claim("w", lease_seconds=60, limit=9, at=clock())
    assert key not in {claim.transmission_id for claim in claims}, "the old bytes do not go"
    fix(ledger, *ids[1:], payload="new")
    assert ledger.invariants() == []


def test_no_document_leaves_a_transmission_that_may_have_arrived(ledger: Ledger, clock: Clock) -> None:
    ids = [submit(ledger, f"A{n}").delivery_id for n in range(2)]
    key = fix(ledger, *ids, payload="batch")
    try_once(ledger, clock, key, answer(Outcome.UNKNOWN))
    with pytest.raises(LedgerError, match="may have arrived"):
        ledger.suppress(ids[0], reason="r", actor="anna", at=NOON)
    with pytest.raises(LedgerError, match="may have arrived"):
        ledger.rerender(ids[0], reason="r", actor="anna", at=NOON)


# --- leases, crashes ---------------------------------------------------------------------------------------------


def test_two_workers_never_hold_the_same_work(ledger: Ledger) -> None:
    ids = [submit(ledger, f"A{n}").delivery_id for n in range(5)]
    first = ledger.claim("w1", lease_seconds=60, limit=3, at=NOON)
    second = ledger.claim("w2", lease_seconds=60, limit=9, at=NOON)
    assert [claim.delivery_id for claim in first + second] == ids
    assert ledger.claim("w3", lease_seconds=60, limit=9, at=NOON) == []
    assert ledger.workers() == {"w1", "w2"}


def test_an_expired_lease_is_taken_back_and_its_holder_can_write_nothing(ledger: Ledger, clock: Clock) -> None:
    delivery = submit(ledger).delivery_id
    (old,) = ledger.claim("w1", lease_seconds=60, limit=1, at=NOON)
    clock.pass_(seconds=61)
    assert ledger.sweep(at=clock()).freed == 1
    (new,) = ledger.claim("w2", lease_seconds=60, limit=1, at=clock())
    assert new.fence > old.fence
    with pytest.raises(LostLease):
        ledger.hold(delivery, [Finding("X", "y")], "z", at=clock(), claim=old)
    with pytest.raises(LostLease):
        fix(ledger, delivery, claims=(old,))
    assert fix(ledger, delivery, claims=(new,))


def test_a_renewed_lease_is_not_taken_back(ledger: Ledger, clock: Clock) -> None:
    submit(ledger)
    ledger.claim("w1", lease_seconds=60, limit=1, at=NOON)
    clock.pass_(seconds=50)
    ledger.renew("w1", lease_seconds=60)
    assert not ledger.sweep(at=clock.pass_(seconds=50))


def test_a_crash_while_sending_is_unknown_and_never_not_sent(ledger: Ledger, clock: Clock) -> None:
    delivery = submit(ledger).delivery_id
    key = fix(ledger, delivery)
    begin(ledger, clock, key)
    swept = ledger.sweep(at=clock.pass_(minutes=5))
    assert (swept.freed, swept.unknown) == (1, 1)
    assert ledger.delivery(delivery).state is State.UNKNOWN
    (again,) = ledger.claim("w2", lease_seconds=60, limit=9, at=clock())
    assert (again.kind, again.transmission_id) == (SEND, key)
    assert ledger.invariants() == []


def test_a_crash_between_identity_and_attempt_was_not_sent(ledger: Ledger, clock: Clock) -> None:
    delivery = submit(ledger).delivery_id
    (claim,) = ledger.claim("w", lease_seconds=60, limit=1, at=NOON)
    key = fix(ledger, delivery, claims=(claim,), worker_lease=60)
    assert ledger.claim("w2", lease_seconds=60, limit=9, at=NOON) == []
    assert ledger.sweep(at=clock.pass_(minutes=5)).unknown == 0
    assert ledger.delivery(delivery).state is State.WAITING
    assert [each.transmission_id for each in ledger.claim("w2", lease_seconds=60, limit=9, at=clock())] == [key]


def test_a_late_verdict_counts_and_a_late_silence_does_not(ledger: Ledger, clock: Clock) -> None:
    ids = [submit(ledger, f"A{n}").delivery_id for n in range(2)]
    keys = [fix(ledger, each) for each in ids]
    fences = {each.transmission_id: each.fence for each in ledger.claim("w", lease_seconds=60, limit=9, at=NOON)}
    attempts = [ledger.begin_attempt(key, fence=fences[key], worker="w", at=NOON, lease_seconds=60) for key in keys]
    ledger.sweep(at=clock.pass_(minutes=5))
    late = [each for each in attempts if each is not None]
    assert ledger.end_attempt(late[0].id, ACCEPTED, at=clock()) is State.DELIVERED
    assert ledger.end_attempt(late[1].id, DOWN, at=clock()) is State.UNKNOWN
    assert [claim.transmission_id for claim in ledger.claim("w2", lease_seconds=60, limit=9, at=clock())] == [keys[1]]
    assert ledger.invariants() == []


def test_a_document_that_ends_workers_is_given_up_and_its_neighbours_go_on(ledger: Ledger, clock: Clock) -> None:
    poison, *others = [submit(ledger, f"A{n}").delivery_id for n in range(4)]
    deaths = 0
    while claims := ledger.claim(f"w{deaths}", lease_seconds=60, limit=9, at=clock()):
        for claim in claims:
            assert claim.kind in (PREPARE, SEND)
            if claim.delivery_id == poison:
                deaths += 1
                ledger.sweep(at=clock(), dead={claim.worker})
                break
            if claim.kind == PREPARE:
                ledger.hold(claim.delivery_id, [Finding("X", "y")], "z", at=clock(), claim=claim)
    assert deaths == CRASH_LIMIT
    assert ledger.delivery(poison).state is State.FAILED
    assert [ledger.delivery(each).state for each in others] == [State.HELD] * 3


def test_a_worker_that_leaves_on_purpose_is_not_counted_as_a_crash(ledger: Ledger, clock: Clock) -> None:
    delivery = submit(ledger).delivery_id
    for _ in range(CRASH_LIMIT + 2):
        assert len(ledger.claim("w", lease_seconds=60, limit=1, at=clock())) == 1
        assert ledger.sweep(at=clock(), dead={"w"}, blame=False).freed == 1
    assert ledger.delivery(delivery).state is State.PLANNED


def test_a_paused_partner_gets_nothing_and_what_was_for_it_is_held_by_name(ledger: Ledger, clock: Clock) -> None:
    delivery = submit(ledger).delivery_id
    key = fix(ledger, delivery)
    claims = ledger.claim("w", lease_seconds=60, limit=9, at=NOON)
    ledger.pause_partner("acme", reason="moving house", actor="anna", at=NOON)
    assert ledger.begin_attempt(key, fence=claims[0].fence, worker="w", at=NOON) is None
    view = ledger.delivery(delivery)
    assert view.state is State.HELD
    assert "moving house" in view.reason
    assert ledger.gates()[0].paused
    assert ledger.reopen_partner("acme", reason="moved", actor="anna", at=NOON) == 1
    assert try_once(ledger, clock, key, ACCEPTED) is State.DELIVERED


# --- inbox -------------------------------------------------------------------------------------------------------


def say(ledger: Ledger, clock: Clock, meaning: Meaning, *, remote: str = "", **reference: object) -> None:
    """The partner states *meaning* in a message of its own."""
    name = remote or f"s-{meaning}"
    key, new = ledger.take_in(Inbound("ariba:push", name, name.encode()), at=clock())
    if new:
        ledger.settle(key, [AckFact("status", meaning, meaning, name, **reference)], at=clock())  # type: ignore[arg-type]


def test_the_same_message_twice_is_one_message_with_one_effect(ledger: Ledger, clock: Clock) -> None:
    delivery = sent(ledger, clock, AWAITING)
    first = ledger.take_in(Inbound("push", "m1", b"{}"), at=clock())
    assert ledger.take_in(Inbound("push", "m1", b"{}"), at=clock()) == (first[0], False)
    assert ledger.take_in(Inbound("poll", "m1", b"{}"), at=clock())[1], "another channel has ids of its own"
    fact = AckFact("status", "ok", Meaning.ACCEPTED, "m1", payload_id=ledger.delivery(delivery).payload_id)
    (one,) = ledger.settle(first[0], [fact], at=clock())
    (two,) = ledger.settle(first[0], [fact], at=clock())
    assert (one.new, one.moved, two.new, two.id) == (True, True, False, one.id)
    kinds = [event.kind for event in ledger.timeline(ledger.delivery(delivery).document_id)]
    assert kinds.count("accepted") == 1


def test_the_same_id_with_other_bytes_is_kept_and_flagged(ledger: Ledger, clock: Clock) -> None:
    ledger.take_in(Inbound("push", "m1", b"first"), at=clock())
    key, new = ledger.take_in(Inbound("push", "m1", b"second"), at=clock())
    assert new
    items = {item.id: item for item in ledger.unprocessed()}
    assert [item.inbound.data for item in items.values()] == [b"first", b"second"]
    assert (items[key].conflict, items[key - 1].conflict) == (True, False)


def test_a_status_before_we_stored_the_answer_counts_and_the_answer_does_not_move_it_back(
    ledger: Ledger, clock: Clock
) -> None:
    delivery = submit(ledger).delivery_id
    key = fix(ledger, delivery)
    attempt = begin(ledger, clock, key)
    assert attempt is not None
    say(ledger, clock, Meaning.ACCEPTED, payload_id=f"p{delivery}")
    assert ledger.delivery(delivery).state is State.DELIVERED
    ledger.end_attempt(attempt.id, LOST, at=clock(), next_at=clock())
    view = ledger.delivery(delivery)
    assert (view.state, view.business, view.conflict) == (State.DELIVERED, "accepted", False)
    assert ledger.claim("w2", lease_seconds=60, limit=9, at=clock.pass_(days=1)) == []
    assert ledger.invariants() == []


def test_an_orphan_waits_until_what_it_speaks_of_was_sent(ledger: Ledger, clock: Clock) -> None:
    say(ledger, clock, Meaning.ACCEPTED, payload_id="p1")
    (orphan,) = ledger.inbox("orphan")
    assert "p1" in orphan.note
    clock.pass_(minutes=1)
    sent(ledger, clock, AWAITING)
    assert ledger.sweep(at=clock()).rematch == 1
    assert [item.id for item in ledger.unprocessed()] == [orphan.id]
    fact = AckFact("status", "accepted", Meaning.ACCEPTED, "s", payload_id="p1")
    ledger.settle(orphan.id, [fact], at=clock())
    assert ledger.status("A1")[0].business == "accepted"


def test_a_status_by_number_speaks_of_what_was_sent_before_it_came_and_of_one_document_only(
    ledger: Ledger, clock: Clock
) -> None:
    by_number = {"number": "A1", "issue_date": date(2026, 11, 1)}
    say(ledger, clock, Meaning.REJECTED, remote="early", **by_number)
    clock.pass_(minutes=1)
    delivery = sent(ledger, clock, AWAITING)
    early = ledger.inbox("orphan")[0]
    ledger.settle(early.id, [AckFact("status", "r", Meaning.REJECTED, "early", number="A1")], at=clock())
    assert ledger.delivery(delivery).state is State.SENT, "it was said before anything had been sent"
    fact = AckFact("status", "ok", Meaning.DELIVERED, "x", number="A1", environment=Environment.PRODUCTION)
    assert ledger.match(fact, at=clock()) is None, "test and production never meet"
    say(ledger, clock, Meaning.DELIVERED, remote="now", **by_number)
    assert ledger.delivery(delivery).state is State.DELIVERED


@pytest.mark.parametrize(
    ("story", "state", "business", "payment", "conflict"),
    [
        (["processing", "accepted", "paid"], "delivered", "accepted", "paid", False),
        (["paid", "accepted", "processing"], "delivered", "accepted", "paid", False),
        (["rejected"], "rejected", "", "", False),
        (["processing", "rejected"], "rejected", "processing", "", False),
        (["rejected", "processing"], "rejected", "", "", False),
        (["rejected", "paid"], "rejected", "", "", True),
        (["accepted", "rejected"], "delivered", "accepted", "", True),
        (["paid", "rejected"], "delivered", "", "paid", True),
        (["part-paid", "paid", "part-paid"], "delivered", "", "paid", False),
        (["received"], "sent", "", "", False),
        (["delivered", "received"], "delivered", "", "", False),
        (["info"], "sent", "", "", False),
    ],
)
def test_late_news_never_moves_a_document_back_and_contradictions_are_kept(
    ledger: Ledger, clock: Clock, story: list[str], state: str, business: str, payment: str, conflict: bool
) -> None:
    delivery = sent(ledger, clock, AWAITING)
    for n, word in enumerate(story):
        say(ledger, clock, Meaning(word), remote=f"s{n}", payload_id=f"p{delivery}")
    view = ledger.delivery(delivery)
    assert (view.state, view.business, view.payment, view.conflict) == (state, business, payment, conflict)
    assert len(ledger.inbox("matched")) == len(story)
    assert ledger.invariants() == []


def test_news_of_bytes_that_we_never_sent_is_believed_and_flagged(ledger: Ledger, clock: Clock) -> None:
    delivery = submit(ledger).delivery_id
    fix(ledger, delivery)
    say(ledger, clock, Meaning.DELIVERED, payload_id=f"p{delivery}")
    view = ledger.delivery(delivery)
    assert (view.state, view.conflict) == (State.DELIVERED, True), "a restored backup does not send it again"
    assert ledger.claim("w", lease_seconds=60, limit=9, at=clock.pass_(days=1)) == []
    assert ledger.invariants() == []


def test_news_of_an_old_identity_does_not_touch_the_new_one(ledger: Ledger, clock: Clock) -> None:
    delivery = sent(ledger, clock, REJECTED)
    ledger.resend(delivery, reason="r", actor="anna", at=NOON)
    try_once(ledger, clock, fix(ledger, delivery, payload="new"), AWAITING)
    say(ledger, clock, Meaning.REJECTED, payload_id=f"p{delivery}")
    assert ledger.delivery(delivery).state is State.SENT
    say(ledger, clock, Meaning.ACCEPTED, payload_id=f"p{delivery}")
    view = ledger.delivery(delivery)
    assert (view.state, view.conflict) == (State.SENT, True)


# --- runs --------------------------------------------------------------------------------------------------------


def test_a_statement_counts_documents_and_money_of_each_state(ledger: Ledger, clock: Clock) -> None:
    run_id = ledger.open_run(business_date=DAY, worker="w", at=NOON)
    for number, total, currency in (("A1", "0.10", "EUR"), ("A2", "0.20", "EUR"), ("A3", "1000", "JPY")):
        submit(ledger, number, total=total, currency=currency)
    assert ledger.take_into_run(run_id, at=NOON) == 3
    assert ledger.take_into_run(run_id, at=NOON) == 0
    try_once(ledger, clock, fix(ledger, ledger.status("A1")[0].id), ACCEPTED)
    ledger.suppress(ledger.status("A2")[0].id, reason="r", actor="anna", at=NOON)
    statement = ledger.statement(run_id)
    assert statement.taken.as_dict() == {"documents": 3, "money": {"EUR": "0.30", "JPY": "1000"}}
    assert statement.parts["delivered"].as_dict() == {"documents": 1, "money": {"EUR": "0.10"}}
    assert statement.parts["waiting"].as_dict() == {"documents": 1, "money": {"JPY": "1000"}}
    assert statement.balances
    assert set(STATEMENT_PARTS) <= statement.as_dict().keys()


def test_a_statement_that_does_not_balance_says_so(ledger: Ledger, tmp_path: Path) -> None:
    run_id = ledger.open_run(business_date=DAY, worker="w", at=NOON)
    submit(ledger)
    ledger.take_into_run(run_id, at=NOON)
    with sqlite3.connect(tmp_path / "ledger.db") as raw:
        raw.execute("update revision set total = '10.01'")
    assert not ledger.statement(run_id).balances
    assert any("do not balance" in text for text in ledger.invariants())


def test_a_run_left_open_is_taken_up_and_a_closed_one_is_not(ledger: Ledger) -> None:
    first = ledger.open_run(business_date=DAY, worker="w", at=NOON)
    assert ledger.open_run(business_date=DAY, worker="w2", at=NOON) == first
    assert ledger.open_run(business_date=DAY, worker="w2", at=NOON, only="acme") != first
    ledger.close_run(first, at=NOON)
    assert ledger.open_run(business_date=DAY, worker="w3", at=NOON) > first


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        ("update delivery set state = 'sent'", "left without a transmission"),
        ("update delivery set state = 'delivered'", "delivered without proof"),
        ("update delivery set state = 'gone'", "in no known state"),
        ("update delivery set state = 'failed'", "without a reason"),
        ("update revision set canonical = x'00'", "contents that differ from their digest"),
        ("update revision set alive = 0", "without a living content"),
        ("delete from event; delete from delivery", "without an original delivery"),
    ],
)
def test_damage_to_the_tables_is_named(ledger: Ledger, tmp_path: Path, damage: str, sentence: str) -> None:
    submit(ledger)
    assert ledger.invariants() == []
    with sqlite3.connect(tmp_path / "ledger.db") as raw:
        raw.executescript(damage)
    assert any(sentence in text for text in ledger.invariants())


# --- profiles, numbers -------------------------------------------------------------------------------------------


def test_profile_versions_are_immutable_and_one_is_live(ledger: Ledger) -> None:
    def add(text: str) -> int:
        digest = hashlib.sha256(text.encode()).hexdigest()
        return ledger.add_profile("acme", Environment.TEST, text, digest, at=NOON, actor="anna")

    assert (add("a"), add("a"), add("b")) == (1, 1, 2)
    ledger.set_profile_state("acme", 1, "live", at=NOON, actor="anna")
    ledger.set_profile_state("acme", 2, "live", at=NOON, actor="anna")
    assert [(each.version, each.state) for each in ledger.profile_history("acme")] == [(1, "retired"), (2, "live")]
    ledger.set_profile_state("acme", 1, "live", at=NOON, actor="anna", reason="roll back")
    (live,) = ledger.live_profiles(Environment.TEST, at=NOON)
    assert (live.version, live.toml, ledger.profile_version("acme", 2).toml) == (1, "a", "b")
    assert ledger.live_profiles(Environment.PRODUCTION, at=NOON) == []
    with pytest.raises(LedgerError, match="belongs to test"):
        ledger.add_profile("acme", Environment.PRODUCTION, "c", "d", at=NOON, actor="anna")
    with pytest.raises(LedgerError, match="cannot become suspended"):
        ledger.set_profile_state("acme", 2, "suspended", at=NOON, actor="anna")
    with pytest.raises(LedgerError, match="no version 9"):
        ledger.profile_version("acme", 9)


def test_control_numbers_are_given_once_and_apart_for_test_and_production(ledger: Ledger) -> None:
    def take(environment: Environment, count: int) -> list[int]:
        return list(ledger.take_numbers(environment, Series("interchange", "x12:US>ACME", 999_999_999), count=count))

    assert take(Environment.TEST, 3) == [1, 2, 3]
    assert take(Environment.TEST, 2) == [4, 5]
    assert take(Environment.PRODUCTION, 1) == [1]


# --- deliveries that are gathered to travel together --------------------------------------------------------------


def gathered(ledger: Ledger, clock: Clock, count: int, most: int, window: timedelta = timedelta(0)) -> list[int]:
    ids = [submit(ledger, f"G{n}").delivery_id for n in range(count)]
    claims = ledger.claim("w0", lease_seconds=60, limit=count, at=clock())
    ledger.gather([(claim, Gather("k", most, window, ProfileRef("acme", 1))) for claim in claims], at=clock())
    return ids


def test_a_batch_is_due_when_it_is_full_or_its_first_has_waited_long_enough(ledger: Ledger, clock: Clock) -> None:
    ids = gathered(ledger, clock, 3, most=5, window=timedelta(minutes=30))
    assert ledger.due_batch(at=clock()) is None
    assert ledger.claim("w", lease_seconds=60, limit=9, at=clock()) == [], "none is prepared alone meanwhile"
    assert ledger.due_batch(at=clock(), closing=True) == Batch("k")
    assert ledger.due_batch(at=clock(), closing=True, only="other") is None
    clock.pass_(minutes=31)
    batch = ledger.due_batch(at=clock())
    assert batch == Batch("k")
    assert [claim.delivery_id for claim in ledger.claim_batch(batch, "w", lease_seconds=60)] == ids
    assert ledger.claim_batch(batch, "w2", lease_seconds=60) == []


def test_nothing_is_closed_while_a_worker_still_gathers(ledger: Ledger, clock: Clock) -> None:
    gathered(ledger, clock, 2, most=5, window=timedelta(minutes=30))
    submit(ledger, "later")
    (claim,) = ledger.claim("w", lease_seconds=60, limit=1, at=clock())
    assert ledger.due_batch(at=clock(), closing=True) is None
    ledger.let_go(claim)
    assert ledger.due_batch(at=clock(), closing=True) == Batch("k")


def test_one_that_ends_processes_is_found_and_its_neighbours_go_on(ledger: Ledger, clock: Clock) -> None:
    ids = gathered(ledger, clock, 8, most=8)
    sizes = []
    for death in range(3):
        batch = ledger.due_batch(at=clock())
        assert batch is not None
        claims = ledger.claim_batch(batch, f"w{death}", lease_seconds=60)
        assert ids[0] in {claim.delivery_id for claim in claims}
        sizes.append(len(claims))
        ledger.sweep(at=clock(), dead={f"w{death}"})
    assert sizes == [8, 2, 1]
    assert states(ledger, ids) == ["failed", *["planned"] * 7]


# --- verdicts on a whole transmission and on one document in it ---------------------------------------------------


def three(ledger: Ledger, clock: Clock) -> tuple[int, list[int]]:
    """A transmission with three documents, sent and awaiting its acknowledgement."""
    ids = [submit(ledger, number).delivery_id for number in "ABC"]
    key = fix(ledger, *ids, payload="p", policy=SendPolicy(ack_due=timedelta(hours=24)))
    try_once(ledger, clock, key, answer(Outcome.ACCEPTED))
    return key, ids


def states(ledger: Ledger, ids: list[int]) -> list[str]:
    return [ledger.delivery(key).state.value for key in ids]


@pytest.mark.parametrize("first", ["one", "whole"])
def test_a_refusal_of_one_document_moves_it_alone_whatever_comes_first(
    ledger: Ledger, clock: Clock, first: str
) -> None:
    key, ids = three(ledger, clock)
    whole = partial(ledger.acknowledge, "x12-997", "A", Meaning.DELIVERED, remote_id="r", transmission_id=key)
    one = partial(
        ledger.acknowledge, "x12-997", "R", Meaning.REJECTED, remote_id="r", transmission_id=key, delivery_id=ids[1]
    )
    for say_it in (one, whole) if first == "one" else (whole, one):
        say_it(at=clock())
    assert states(ledger, ids) == ["delivered", "rejected", "delivered"]
    assert not any(ledger.delivery(each).conflict for each in ids)
    assert ledger.invariants() == []


def test_the_whole_taken_after_one_refused_document_went_again_is_no_contradiction(
    ledger: Ledger, clock: Clock
) -> None:
    key, ids = three(ledger, clock)
    say_it = partial(ledger.acknowledge, "x12-997", remote_id="r", transmission_id=key)
    say_it(code="R", meaning=Meaning.REJECTED, delivery_id=ids[0], at=clock())
    ledger.resend(ids[0], reason="the partner has set us up", actor="anna", at=clock())
    say_it(code="A", meaning=Meaning.DELIVERED, at=clock())
    assert states(ledger, ids) == ["planned", "delivered", "delivered"]
    assert not ledger.delivery(ids[0]).conflict


def test_the_whole_refused_is_every_document_refused(ledger: Ledger, clock: Clock) -> None:
    key, ids = three(ledger, clock)
    ledger.acknowledge("ta1", "R", Meaning.REJECTED, remote_id="r", transmission_id=key, at=clock())
    assert states(ledger, ids) == ["rejected"] * 3


def test_received_is_not_accepted_and_its_proof_becomes_overdue(ledger: Ledger, clock: Clock) -> None:
    key, ids = three(ledger, clock)
    ledger.acknowledge("ta1", "A", Meaning.RECEIVED, remote_id="r", transmission_id=key, at=clock())
    assert states(ledger, ids) == ["sent"] * 3
    clock.pass_(hours=25)
    assert ledger.sweep(at=clock()).overdue == 3
    assert len(ledger.status(filter="overdue")) == 3
    ledger.acknowledge("x12-997", "A", Meaning.DELIVERED, remote_id="late", transmission_id=key, at=clock())
    assert states(ledger, ids) == ["delivered"] * 3
    assert ledger.status(filter="overdue") == []


# --- the database ------------------------------------------------------------------------------------------------


def test_the_migrations_make_exactly_the_tables_of_the_schema(tmp_path: Path) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    from einvoice.ledger.migrations import SCRIPTS

    assert ScriptDirectory(SCRIPTS).get_current_head() == schema.HEAD
    Ledger.open(tmp_path / "ledger.db").close()
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'ledger.db'}")
    with engine.connect() as conn:
        assert compare_metadata(MigrationContext.configure(conn), schema.metadata) == []
    engine.dispose()


def test_a_ledger_keeps_its_name_and_its_rows_when_opened_again(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "ledger.db") as first:
        name = first.id
        submit(first)
    with Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}") as second:
        assert second.id == name
        assert len(second.find("A1")) == 1
    with sqlite3.connect(tmp_path / "ledger.db") as raw:
        assert raw.execute("pragma journal_mode").fetchone() == ("wal",)


def test_leases_run_on_the_databases_own_clock(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        submit(ledger)
        (claim,) = ledger.claim("w", lease_seconds=60, limit=1, at=NOON)
        assert abs((claim.lease_until - datetime.now(UTC)).total_seconds() - 60) < 5
        assert not ledger.sweep(at=NOON + timedelta(days=900)), "a worker whose clock is wrong steals nothing"


@pytest.mark.parametrize("content", [b"not a database at all, but long enough to be read as one" * 20, None])
def test_a_ledger_that_cannot_be_opened_says_where_and_what_to_do(tmp_path: Path, content: bytes | None) -> None:
    place = tmp_path / "ledger.db" if content else tmp_path / "absent" / "ledger.db"
    if content:
        place.write_bytes(content)
    with pytest.raises(LedgerError, match=r"ledger\.db.*cannot be opened.*Fix"):
        Ledger.open(place)


def test_a_ledger_of_a_newer_einvoice_is_left_alone(tmp_path: Path) -> None:
    Ledger.open(tmp_path / "ledger.db").close()
    with sqlite3.connect(tmp_path / "ledger.db") as raw:
        raw.execute("update alembic_version set version_num = '9999'")
    with pytest.raises(LedgerError, match="version 9999"):
        Ledger.open(tmp_path / "ledger.db")


def test_a_full_disk_stores_nothing_of_a_step_and_says_so_and_room_is_all_it_needs(ledger: Ledger) -> None:
    submit(ledger, "A1")
    with ledger.read() as conn:  # the pool hands the same connection out again
        (pages,) = conn.exec_driver_sql("pragma page_count").one()
        conn.exec_driver_sql(f"pragma max_page_count = {pages}")
    with pytest.raises(LedgerError, match=r"nothing of this step was stored: .*full.*Fix"):
        submit(ledger, "A2", source=b"x" * 100_000)
    assert ledger.find("A2") == []
    with ledger.read() as conn:
        conn.exec_driver_sql("pragma max_page_count = 1000000")
    assert submit(ledger, "A2", source=b"x" * 100_000).outcome == "new"
    assert ledger.invariants() == []


def test_a_ledger_in_memory_is_refused() -> None:
    with pytest.raises(LedgerError, match="forgets"):
        Ledger.open("sqlite://")


def test_opening_a_current_ledger_does_not_import_the_migrations(tmp_path: Path) -> None:
    import subprocess

    Ledger.open(tmp_path / "ledger.db").close()
    code = (
        "import sys; from einvoice.ledger import Ledger; Ledger.open(sys.argv[1]).close();"
        "print('alembic' in sys.modules)"
    )
    root = str(Path(__file__).resolve().parent.parent)
    command = [sys.executable, "-c", code, str(tmp_path / "ledger.db")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, check=True)
    assert done.stdout.strip() == "False"


# --- anything at all ---------------------------------------------------------------------------------------------

_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ok", "await", "reject", "lost", "down", "giveup", "fault", "crash", "resend", "hold",
                         "release", "suppress", "replace", "reopen", "rerender",
                         "delivered", "accepted", "paid", "rejected"]),
        st.integers(0, 2),
    ),
    max_size=25,
)  # fmt: skip


@given(steps=_STEPS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_in_whatever_order_the_run_balances_and_the_rules_hold(
    tmp_path_factory: pytest.TempPathFactory, empty: Path, steps: list[tuple[str, int]]
) -> None:
    clock = Clock()
    place = shutil.copy(empty, tmp_path_factory.mktemp("any") / "ledger.db")
    with Ledger.open(place, clock=clock) as ledger:
        run_id = ledger.open_run(business_date=DAY, worker="w", at=NOON)
        for number in range(3):
            submit(ledger, f"A{number}")
        for count, (what, which) in enumerate(steps):
            ledger.take_into_run(run_id, at=clock.pass_(hours=1))
            _act(ledger, clock, what, f"A{which}", count)
        ledger.take_into_run(run_id, at=clock())
        assert ledger.statement(run_id).balances
        assert ledger.invariants() == []


_ANSWERS = {"ok": ACCEPTED, "await": AWAITING, "reject": REJECTED, "lost": LOST, "down": DOWN, "giveup": DOWN,
            "fault": answer(Outcome.RETRY, "401", channel_fault=True)}  # fmt: skip


def _act(ledger: Ledger, clock: Clock, what: str, number: str, count: int) -> None:
    """One thing that can happen; what the ledger refuses with a reason is as good as done."""
    view = ledger.status(number)[0]
    decisions = {
        "resend": ledger.resend,
        "release": ledger.release,
        "suppress": ledger.suppress,
        "rerender": ledger.rerender,
    }
    try:
        if what in decisions:
            decisions[what](view.id, reason="r", actor="anna", at=clock())
        elif what == "hold":
            ledger.hold(view.id, [], "finance", reason="r", at=clock())
        elif what == "replace":
            submit(ledger, number, f"[{count}]", replaces=number, reason="r")
        elif what == "reopen":
            ledger.reopen_partner("acme", reason="r", actor="anna", at=clock())
        elif what in _ANSWERS or what == "crash":
            _send(ledger, clock, what, number)
        elif view.payload_id:
            say(ledger, clock, Meaning(what), remote=f"m{count}", payload_id=view.payload_id)
    except LedgerError as refusal:
        event(f"{type(refusal).__name__} at {what}")


def _send(ledger: Ledger, clock: Clock, what: str, number: str) -> None:
    view = ledger.status(number)[0]
    if view.state is State.PLANNED and view.transmission_id is None:
        fix(ledger, view.id, payload=f"{view.id}-{clock.now.isoformat()}")
    key = ledger.status(number)[0].transmission_id
    for claim in ledger.claim("w", lease_seconds=60, limit=99, at=clock()):
        if claim.kind != SEND or claim.transmission_id != key:
            continue
        attempt = ledger.begin_attempt(key, fence=claim.fence, worker="w", at=clock(), lease_seconds=60)
        if attempt is not None and what != "crash":
            again = None if what == "giveup" else clock() + timedelta(minutes=1)
            ledger.end_attempt(attempt.id, _ANSWERS[what], at=clock(), next_at=again)
    ledger.sweep(at=clock.pass_(hours=1))


def test_purposes_are_planned_once_each(ledger: Ledger) -> None:
    done = submit(ledger)
    copy = ledger.plan(done.revision_id, Purpose.COPY, at=NOON)
    assert ledger.plan(done.revision_id, Purpose.COPY, at=NOON) == copy
    assert ledger.plan(done.revision_id, Purpose.ORIGINAL, at=NOON) == done.delivery_id
    assert ledger.plan(done.revision_id, Purpose.REPORT, target="tax office", at=NOON) != copy
    with pytest.raises(LedgerError, match="not alive"):
        ledger.plan(999, Purpose.COPY, at=NOON)


def test_notes_hold_what_belongs_to_no_document(ledger: Ledger) -> None:
    ledger.note("collect-failed", "acme did not answer", at=NOON)
    assert [(event.kind, event.text) for event in ledger.notes()] == [("collect-failed", "acme did not answer")]
