"""What a dispatch run promises: nothing lost, nothing sent twice under two names, and a statement that balances.

The line here is a fake: a document's content says how its partner behaves. The partner is a file to which
every accepted copy is appended. Run as a program, this file is the nursery of the crash tests: a process
that forks one child per crash point, lets it die there, and has others finish its work.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from einvoice.dispatch import CRASH_POINTS, Held, Prepared, Tick, Work, dispatch, receive, work, worker_name
from einvoice.dispatch.backoff import RETRY_CLASSES, next_try
from einvoice.dispatch.local import dead_workers
from einvoice.errors import ConfigError, EInvoiceError, Finding
from einvoice.exchange import Document, Envelope, Environment, Inbound, Outcome, Receipt
from einvoice.ledger import AckFact, Ledger, Meaning, ProfileRef, Purpose, SendPolicy, State, Statement, Transmission

DAY = date(2026, 11, 24)
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Clock:
    """Goes a millisecond at each look, and further when told."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def pass_(self, **span: float) -> None:
        self.now += timedelta(**span)


class FakeLine:
    """A line whose partner does what each document says: a list of behaviours, one per attempt, the last for ever."""

    def __init__(self, partner: Path) -> None:
        self.partner = partner
        self.corrected: set[str] = set()
        self.fault = ""
        self.down = False

    def prepare(self, work: Work, *, at: datetime) -> Prepared | Held:
        content = json.loads(work.revision.canonical)
        first = content["does"][0]
        profile = ProfileRef(content.get("to", "acme"), 1)
        if first == "hold" and work.revision.number not in self.corrected:
            return Held([Finding("TEST-01", "no order number", term="BT-13")], "finance", profile)
        if first == "refuse":
            raise EInvoiceError("cannot be written", fix="correct it")
        if first == "bug":
            raise ZeroDivisionError("secret words")
        data = json.dumps({"number": work.revision.number, "does": content["does"], "at": at.isoformat()}).encode()
        document = Document(data, "test", "application/json", "d.json")
        envelope = Envelope(f"{work.token}@test", data, "application/json", "d.json", work.revision.environment)
        policy = SendPolicy(("200",), resend=content.get("resend", True))
        also = [(Purpose.COPY, "archive")] if content.get("copy") and work.purpose is Purpose.ORIGINAL else []
        return Prepared([document], envelope, "fake", profile, '{"why":"test"}', policy, also)

    def deliver(self, transmission: Transmission, *, at: datetime) -> Receipt:
        if self.fault:
            raise ConfigError(self.fault)
        if self.down and transmission.profile.id == "acme":
            self._append("call", transmission.envelope)
            return Receipt(Outcome.RETRY, "ConnectTimeoutError", "cannot connect", at)
        content = json.loads(transmission.envelope.data)
        before = [each for each in self.copies() if each["id"] == transmission.envelope.id]
        does = content["does"][min(len(self.calls(transmission.envelope.id)), len(content["does"]) - 1)]
        self._append("call", transmission.envelope)
        if before:
            return Receipt(Outcome.ACCEPTED, "409", "already here", at, duplicate=True)
        return self._answer(does, transmission.envelope, at)

    def _answer(self, does: str, envelope: Envelope, at: datetime) -> Receipt:
        if does in ("ok", "hold", "lost", "later"):
            self._append("copy", envelope)
        answers = {
            "ok": Receipt(Outcome.ACCEPTED, "200", "OK", at),
            "hold": Receipt(Outcome.ACCEPTED, "200", "OK", at),
            "later": Receipt(Outcome.ACCEPTED, "201", "Accepted", at),
            "reject": Receipt(Outcome.REJECTED, "400", "bad tax", at),
            "lost": Receipt(Outcome.UNKNOWN, "ConnectionResetError", "no answer", at),
            "cut": Receipt(Outcome.UNKNOWN, "ConnectionResetError", "no answer", at),
            "down": Receipt(Outcome.RETRY, "ConnectTimeoutError", "cannot connect", at),
            "unauthorised": Receipt(Outcome.RETRY, "401", "unknown sender", at, channel_fault=True),
        }
        if does == "crash":
            raise KeyError("a defect after the body left")
        return answers[does]

    def collect(self, *, at: datetime) -> Iterator[Inbound]:
        for copy in self.copies():
            if "later" in copy["does"]:
                data = json.dumps({"id": copy["id"], "says": "delivered"}).encode()
                yield Inbound("fake:poll", f"status-{copy['id']}", data)

    def interpret(self, inbound: Inbound) -> Sequence[AckFact]:
        try:
            said = json.loads(inbound.data)
        except ValueError as broken:
            raise EInvoiceError(f"not JSON: {broken}") from broken
        return [AckFact("status", said["says"], Meaning(said["says"]), inbound.remote_id, payload_id=said["id"])]

    def _append(self, kind: str, envelope: Envelope) -> None:
        content = json.loads(envelope.data)
        digest = hashlib.sha256(envelope.data).hexdigest()
        line = {"kind": kind, "id": envelope.id, "sha256": digest, "number": content["number"], "does": content["does"]}
        with self.partner.open("a") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def _lines(self, kind: str) -> list[dict[str, Any]]:
        text = self.partner.read_text() if self.partner.exists() else ""
        return [line for line in map(json.loads, text.splitlines()) if line["kind"] == kind]

    def copies(self) -> list[dict[str, Any]]:
        """What the partner keeps: one line for each distinct copy it took."""
        return self._lines("copy")

    def calls(self, identity: str = "") -> list[dict[str, Any]]:
        """Everything that reached the wire, under *identity* or at all."""
        return [line for line in self._lines("call") if identity in ("", line["id"])]


def submit(ledger: Ledger, number: str, *does: str, total: str = "10.00", at: datetime = NOON, **more: object) -> int:
    canonical = json.dumps({"does": does, **more}).encode()
    return ledger.submit(
        environment=Environment.TEST, seller="Seller", type="invoice", number=number, year=2026, canonical=canonical,
        digest=hashlib.sha256(canonical).hexdigest(), currency="EUR", total=Decimal(total), source=canonical,
        source_format="json", source_name=f"{number}.json", buyer="Buyer", issue_date=date(2026, 11, 1), at=at,
    ).delivery_id  # fmt: skip


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(tmp_path: Path, clock: Clock) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger.db", clock=clock) as opened:
        yield opened


@pytest.fixture
def line(tmp_path: Path) -> FakeLine:
    return FakeLine(tmp_path / "partner.jsonl")


def run(ledger: Ledger, line: FakeLine, clock: Clock, **options: Any) -> Statement:
    names = {"business_date": DAY, "worker": "w1", "rng": random.Random(7), **options}
    return dispatch(ledger, line, clock=clock, **names)


def counts(statement: Statement) -> dict[str, int]:
    return {name: part.count for name, part in statement.parts.items() if part.count}


def test_every_document_of_a_run_is_accounted_for_in_number_and_money(
    ledger: Ledger, line: FakeLine, clock: Clock
) -> None:
    for number, does in {"A": "ok", "B": "reject", "C": "hold", "D": "down", "E": "lost", "F": "later"}.items():
        submit(ledger, number, does, total="0.10")
    statement = run(ledger, line, clock)
    assert counts(statement) == {"delivered": 2, "rejected": 1, "held": 1, "waiting": 1, "unknown": 1}
    assert statement.taken.money == {"EUR": Decimal("0.60")}
    assert statement.balances
    assert not statement.clean
    assert ledger.invariants() == []


def test_a_lost_answer_is_unknown_and_the_resend_is_one_copy(ledger: Ledger, line: FakeLine, clock: Clock) -> None:
    submit(ledger, "A", "lost", "ok")
    assert counts(run(ledger, line, clock)) == {"unknown": 1}
    clock.pass_(hours=1)
    assert counts(run(ledger, line, clock)) == {"delivered": 1}
    assert len(line.copies()) == 1
    calls = line.calls()
    assert len(calls) == 2
    assert calls[0] == calls[1]


def test_a_channel_that_cannot_tell_copies_apart_leaves_the_unknown_to_a_person(
    ledger: Ledger, line: FakeLine, clock: Clock
) -> None:
    delivery = submit(ledger, "A", "lost", resend=False)
    run(ledger, line, clock)
    clock.pass_(days=2)
    assert counts(run(ledger, line, clock)) == {"unknown": 1}
    assert len(line.calls()) == 1
    assert ledger.delivery(delivery).owner == "operator"
    ledger.resend(delivery, reason="the partner says it has nothing", actor="anna", at=clock())
    assert counts(run(ledger, line, clock)) == {"delivered": 1}


def test_patience_waits_for_a_second_try_within_the_run(ledger: Ledger, line: FakeLine, clock: Clock) -> None:
    submit(ledger, "A", "lost", "ok")
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        clock.pass_(seconds=seconds)

    assert counts(run(ledger, line, clock, patience=timedelta(minutes=2), wait=wait)) == {"delivered": 1}
    assert len(waited) == 1
    assert waited[0] <= 30


def test_a_connection_that_never_opened_is_tried_for_days_and_then_given_up(
    ledger: Ledger, line: FakeLine, clock: Clock
) -> None:
    delivery = submit(ledger, "A", "down")
    for _ in range(80):
        if ledger.delivery(delivery).state is State.FAILED:
            break
        run(ledger, line, clock)
        clock.pass_(hours=1)
    view = ledger.delivery(delivery)
    assert view.state is State.FAILED
    assert "given up" in view.reason
    assert timedelta(hours=60) < clock.now - NOON < timedelta(hours=80)
    assert line.copies() == []
    assert ledger.invariants() == []


def test_a_held_document_is_checked_again_by_the_next_run(ledger: Ledger, line: FakeLine, clock: Clock) -> None:
    delivery = submit(ledger, "A", "hold")
    assert counts(run(ledger, line, clock)) == {"held": 1}
    view = ledger.delivery(delivery)
    assert (view.owner, view.findings[0].term) == ("finance", "BT-13")
    line.corrected.add("A")
    assert counts(run(ledger, line, clock)) == {"delivered": 1}


def test_a_document_held_by_a_person_waits_for_a_person(ledger: Ledger, line: FakeLine, clock: Clock) -> None:
    delivery = submit(ledger, "A", "ok")
    ledger.hold(delivery, [], "finance", reason="customer asked to wait", actor="anna", at=clock())
    assert counts(run(ledger, line, clock)) == {"held": 1}
    ledger.release(delivery, reason="agreed", actor="anna", at=clock())
    assert counts(run(ledger, line, clock)) == {"delivered": 1}


def test_one_bad_document_does_not_stop_its_neighbours(ledger: Ledger, line: FakeLine, clock: Clock) -> None:
    bug, refused = submit(ledger, "A", "bug"), submit(ledger, "B", "refuse")
    broken = submit(ledger, "C", "crash")
    submit(ledger, "D", "ok")
    statement = run(ledger, line, clock)
    assert counts(statement) == {"failed": 1, "held": 1, "unknown": 1, "delivered": 1}
    assert "ZeroDivisionError in FakeLine.prepare" in ledger.delivery(bug).reason
    assert "secret words" not in ledger.delivery(bug).reason
    assert "cannot be written" in ledger.delivery(refused).reason
    assert "KeyError" in ledger.timeline(ledger.delivery(broken).document_id)[-1].text
    assert statement.balances
    assert ledger.invariants() == []


@pytest.mark.parametrize("cause", ["answer", "own side"])
def test_a_fault_of_the_channel_pauses_the_partner_and_holds_what_was_for_it(
    ledger: Ledger, line: FakeLine, clock: Clock, cause: str
) -> None:
    for n in range(5):
        submit(ledger, f"A{n}", "unauthorised" if cause == "answer" and n == 0 else "ok", "ok")
    submit(ledger, "B", "ok", to="other")
    line.fault = "" if cause == "answer" else "env:ARIBA_SECRET is not set"
    if line.fault:
        ledger.pause_partner("other", reason="test", actor="anna", at=clock())
    statement = run(ledger, line, clock)
    assert counts(statement)["held"] == (5 if cause == "answer" else 6)
    assert len(line.calls()) == (2 if cause == "answer" else 0)
    assert "partner reopen acme" in ledger.status("A3")[0].findings[0].fix
    assert ledger.gate("acme").paused
    line.fault = ""
    for name in ("acme", "other"):
        ledger.reopen_partner(name, reason="new secret", actor="anna", at=clock())
    assert run(ledger, line, clock).clean
    assert ledger.counts()[State.DELIVERED] == 6
    assert ledger.invariants() == []


def test_a_partner_that_is_down_gets_one_probe_at_a_time_and_others_get_their_documents(
    ledger: Ledger, line: FakeLine, clock: Clock
) -> None:
    for n in range(40):
        submit(ledger, f"A{n}", "ok")
    submit(ledger, "B", "ok", to="other")
    line.down = True
    assert counts(run(ledger, line, clock)) == {"waiting": 40, "delivered": 1}
    assert len(line.calls()) <= 6 + 1
    for _ in range(12):
        clock.pass_(minutes=30)
        run(ledger, line, clock)
    assert len(line.calls()) <= 6 + 1 + 12
    line.down = False
    for _ in range(3):
        clock.pass_(minutes=30)
        run(ledger, line, clock)
    assert ledger.counts()[State.DELIVERED] == 41
    assert ledger.invariants() == []


def test_only_one_profile_goes_and_the_others_stay_untouched(ledger: Ledger, line: FakeLine, clock: Clock) -> None:
    for n in range(30):
        submit(ledger, f"A{n}", "ok", to="acme" if n % 3 else "other")
    held = submit(ledger, "H", "hold", to="other")
    statement = run(ledger, line, clock, only="other", batch=4)
    assert counts(statement) == {"delivered": 10, "held": 1}
    assert statement.balances
    assert ledger.counts()[State.PLANNED] == 20
    assert ledger.delivery(held).state is State.HELD
    assert ledger.workers() == set()


def test_a_dry_run_says_what_would_happen_and_changes_nothing(ledger: Ledger, line: FakeLine, clock: Clock) -> None:
    for number, does in {"A": "ok", "B": "hold", "C": "bug"}.items():
        submit(ledger, number, does)
    before = ledger.counts()
    ticks: list[Tick] = []
    statement = run(ledger, line, clock, dry_run=True, progress=ticks.append)
    assert counts(statement) == {"waiting": 1, "held": 1, "failed": 1}
    assert statement.balances
    assert statement.dry_run
    assert [tick.state for tick in ticks] == [State.PLANNED, State.HELD, State.FAILED]
    assert ledger.counts() == before
    assert line.calls() == []
    assert ledger.runs() == []


def test_progress_names_every_document_once(ledger: Ledger, line: FakeLine, clock: Clock) -> None:
    ids = {submit(ledger, f"A{n}", "ok") for n in range(10)}
    ticks: list[Tick] = []
    run(ledger, line, clock, progress=ticks.append)
    assert {tick.delivery_id for tick in ticks} == ids
    assert (ticks[-1].done, ticks[-1].taken) == (10, 10)


def test_copies_neither_block_nor_replace_the_original(ledger: Ledger, line: FakeLine, clock: Clock) -> None:
    submit(ledger, "A", "ok", copy=True)
    statement = run(ledger, line, clock)
    assert statement.taken.count == 1
    assert [(v.purpose, v.state) for v in ledger.status("A")] == [
        (Purpose.ORIGINAL, State.DELIVERED),
        (Purpose.COPY, State.DELIVERED),
    ]
    assert len({copy["id"] for copy in line.copies()}) == 2


def test_a_status_that_cannot_be_read_is_put_aside_and_the_next_one_counts(
    ledger: Ledger, line: FakeLine, clock: Clock
) -> None:
    ledger.take_in(Inbound("fake:push", "x", b"not json"), at=clock())
    submit(ledger, "A", "later")
    assert counts(run(ledger, line, clock)) == {"delivered": 1}
    (bad,) = ledger.inbox("bad")
    assert "not JSON" in bad.note
    assert bad.inbound.data == b"not json"


def test_collecting_twice_takes_each_message_once(ledger: Ledger, line: FakeLine, clock: Clock) -> None:
    submit(ledger, "A", "later")
    run(ledger, line, clock)
    assert receive(ledger, line, clock=clock) == 0
    assert len(ledger.inbox()) == 1


def test_a_standing_worker_works_until_it_is_stopped(ledger: Ledger, line: FakeLine, clock: Clock) -> None:
    for n in range(5):
        submit(ledger, f"A{n}", "later")
    stop = lambda: ledger.counts()[State.DELIVERED] == 5 or clock.now > NOON + timedelta(hours=1)  # noqa: E731

    class Brisk:
        def wake(self, count: int) -> None: ...
        def drain(self, step: Callable[[], bool]) -> None: ...
        def attend(self, step: Callable[[], bool], stop: Callable[[], bool]) -> None:
            while not stop():
                if not step():
                    clock.pass_(minutes=6)

    work(ledger, line, clock=clock, worker="w", rng=random.Random(1), stop=stop, engine=Brisk())
    assert ledger.counts()[State.DELIVERED] == 5
    assert ledger.workers() == set()


def test_an_interrupted_run_gives_back_what_it_held(ledger: Ledger, line: FakeLine, clock: Clock) -> None:
    for n in range(6):
        submit(ledger, f"A{n}", "ok")

    def interrupt(tick: Tick) -> None:
        if tick.done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(ledger, line, clock, progress=interrupt)
    assert ledger.workers() == set()
    statement = run(ledger, line, clock)
    assert counts(statement) == {"delivered": 6}
    assert statement.run_id == 1, "the interrupted run is taken up again"
    assert len(line.calls()) == 6


def test_a_worker_that_was_asleep_past_its_lease_changes_nothing_and_its_answer_counts(
    ledger: Ledger, line: FakeLine, clock: Clock
) -> None:
    delivery = submit(ledger, "A", "ok")
    stalled = line.deliver

    def sleep_past_the_lease(transmission: Transmission, *, at: datetime) -> Receipt:
        line.deliver = stalled  # type: ignore[method-assign]
        receipt = stalled(transmission, at=at)
        clock.pass_(hours=1)
        other = run(ledger, line, clock, worker="w2")
        assert counts(other) == {"delivered": 1}
        return receipt

    line.deliver = sleep_past_the_lease  # type: ignore[method-assign]
    assert counts(run(ledger, line, clock)) == {"delivered": 1}
    assert len(line.copies()) == 1
    assert len({(call["id"], call["sha256"]) for call in line.calls()}) == 1
    assert ledger.delivery(delivery).conflict is False
    assert ledger.invariants() == []


def test_waits_are_spread_below_a_ceiling_that_doubles_and_respects_the_partners_wish() -> None:
    down = Receipt(Outcome.RETRY, "ConnectTimeoutError", "", NOON)
    busy = Receipt(Outcome.RETRY, "503", "", NOON, retry_after=600)
    rng, span = random.Random(3), timedelta(hours=72)
    waits: list[timedelta] = []
    for tries in range(1, 200):
        then = next_try(down, tries=tries, since=NOON, at=NOON, max_age=span, rng=rng)
        assert then is not None
        waits.append(then - NOON)
        assert waits[-1] <= RETRY_CLASSES["connect"].ceiling(tries)
    assert len(set(waits)) > 190
    wished = next_try(busy, tries=1, since=NOON, at=NOON, max_age=span, rng=rng)
    assert wished is not None
    assert wished >= NOON + timedelta(minutes=10)
    assert next_try(down, tries=9, since=NOON - span, at=NOON, max_age=span, rng=rng) is None


def test_a_worker_is_dead_only_when_it_is_known_to_be() -> None:
    mine = worker_name()
    gone = subprocess.run(
        [sys.executable, "-c", "from einvoice.dispatch import worker_name; print(worker_name())"],
        capture_output=True, text=True, check=True, env=_env(),
    ).stdout.strip()  # fmt: skip
    space, pid, _ = mine.rsplit(":", 2)
    assert dead_workers([mine, gone, "elsewhere/pid:[1]:7:1", "no name", f"{space}:{pid}:1"]) == {
        gone,
        f"{space}:{pid}:1",
    }


# --- crashes -----------------------------------------------------------------------------------------------------

#: One document for each way a document can go; what each must have come to in the end.
MIX = {
    "ok": (["ok"], State.DELIVERED),
    "lost": (["lost", "ok"], State.DELIVERED),
    "later": (["later"], State.DELIVERED),
    "reject": (["reject"], State.REJECTED),
    "hold": (["hold"], State.HELD),
    "down": (["down", "ok"], State.DELIVERED),
    "left": (["ok"], State.DELIVERED),
    "torn": (["lost", "ok"], State.DELIVERED),
}


def _env() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)}


def _template(folder: Path) -> None:
    """A ledger with one document of each kind, of which a worker that died had two in hand."""
    clock = Clock(NOON - timedelta(hours=1))
    line = FakeLine(folder / "partner.jsonl")
    with Ledger.open(folder / "ledger.db", clock=clock) as ledger:
        left, torn = submit(ledger, "left", "ok"), submit(ledger, "torn", "lost", "ok")
        mine = {claim.delivery_id: claim for claim in ledger.claim("dead", lease_seconds=60, limit=9, at=clock())}
        assert set(mine) == {left, torn}
        work = Work(torn, ledger.revision(torn), Purpose.ORIGINAL, "", "token")
        ready = line.prepare(work, at=clock())
        assert isinstance(ready, Prepared)
        key = ledger.commit_identity(
            [torn], ready.envelope, ready.documents, channel=ready.channel, profile=ready.profile, decision="{}",
            policy=ready.policy, at=clock(), claims=[mine[torn]], lease_seconds=60,
        )  # fmt: skip
        assert key is not None
        ledger.begin_attempt(key, fence=1, worker="dead", at=clock(), lease_seconds=60)
        line.deliver(ledger.transmission(key), at=clock())
        for number, (does, _) in MIX.items():
            if number not in ("left", "torn"):
                submit(ledger, number, *does)


def _shift(folder: Path, hour: int) -> bool:
    """Whether anything is still to be sent after a dispatch at noon and *hour*."""
    clock = Clock(NOON + timedelta(hours=hour))
    with Ledger.open(folder / "ledger.db", clock=clock) as ledger:
        line = FakeLine(folder / "partner.jsonl")
        run = dispatch(ledger, line, business_date=DAY, clock=clock, worker=worker_name(), rng=random.Random(hour))
        return bool(run.parts["waiting"].count or run.parts["unknown"].count)


def _fork(act: Callable[[], object], crash_at: str = "") -> int:
    """The exit code of a child that does *act* and dies at *crash_at*: 0 when it ended its work, 3 with some left."""
    child = os.fork()
    if child == 0:
        if crash_at:
            os.environ["EINVOICE_CRASH_AT"] = crash_at
        try:
            left = act()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(3 if left else 0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _life(template: Path, folder: Path, crash_at: str) -> dict[str, Any]:
    """What a ledger, a partner and a statement look like after a crash at one point and the shifts that follow."""
    shutil.copytree(template, folder)
    codes = [_fork(lambda: _shift(folder, 0), crash_at)]
    for hour in range(2, 10, 2):
        codes.append(_fork(partial(_shift, folder, hour)))
        if codes[-1] != 3:
            break
    return {"at": crash_at, "codes": codes}


def _nursery(folder: Path) -> None:
    """Lives through every crash point and prints how each child ended. Two at once: the machine may have two cores."""
    template = folder / "template"
    template.mkdir()
    assert _fork(lambda: _template(template)) == 0
    plan = [*CRASH_POINTS, "send.after:3", "attempt-end.before:4", "identity.after:2", "claim.in:2"]
    half = os.fork()
    mine = plan[::2] if half else plan[1::2]
    lives = [_life(template, folder / point.replace(":", "-"), point) for point in mine]
    (folder / f"lives-{bool(half)}.json").write_text(json.dumps(lives))
    if not half:
        os._exit(0)
    os.waitpid(half, 0)


def test_killed_at_every_crash_point_nothing_is_lost_and_every_repeat_is_the_same(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, __file__, str(tmp_path)], env=_env(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lives = [life for half in ("True", "False") for life in json.loads((tmp_path / f"lives-{half}.json").read_text())]
    assert {life["at"] for life in lives} >= set(CRASH_POINTS)
    for life in lives:
        at = life["at"]
        assert (life["codes"][0], life["codes"][-1]) == (137, 0), (at, life["codes"], done.stderr)
        folder = tmp_path / at.replace(":", "-")
        line = FakeLine(folder / "partner.jsonl")
        with Ledger.open(folder / "ledger.db") as ledger:
            states = {number: ledger.status(number)[0].state for number in MIX}
            assert states == {number: state for number, (_, state) in MIX.items()}, at
            for run_id, *_ in ledger.runs():
                assert ledger.statement(run_id).balances, at
            assert ledger.statement(1).taken.count == len(MIX), at
            assert ledger.invariants() == [], at
            assert ledger.workers() == set(), at
        identities: dict[str, set[tuple[str, str]]] = {}
        for call in line.calls():
            identities.setdefault(call["number"], set()).add((call["id"], call["sha256"]))
        assert {number: len(found) for number, found in identities.items()} == dict.fromkeys(
            MIX.keys() - {"hold"}, 1
        ), at
        kept = Counter(copy["number"] for copy in line.copies())
        assert kept == Counter(number for number, (_, state) in MIX.items() if state is State.DELIVERED), at


def test_several_processes_share_one_ledger_without_a_lock_error(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        for n in range(60):
            submit(ledger, f"A{n}", "ok")
    code = (
        "import sys; sys.path.insert(0, sys.argv[2]); from pathlib import Path; import test_dispatch as t;"
        "t._shift(Path(sys.argv[1]), 0)"
    )
    here = str(Path(__file__).parent)
    workers = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path), here], env=_env(), stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        waits: list[float] = []
        while any(worker.poll() is None for worker in workers):
            began = time.monotonic()
            ledger.take_in(Inbound("push", f"m{len(waits)}", b"{}"), at=NOON)
            waits.append(time.monotonic() - began)
            time.sleep(0.01)
        errors = b"".join(worker.communicate()[1] for worker in workers)
        assert errors == b""
        assert ledger.counts()[State.DELIVERED] == 60
        assert max(waits) < 2
        assert ledger.invariants() == []
    line = FakeLine(tmp_path / "partner.jsonl")
    assert Counter(copy["number"] for copy in line.copies()) == Counter(f"A{n}" for n in range(60))
    assert len(line.calls()) == 60


def test_threads_of_one_process_share_one_ledger(ledger: Ledger) -> None:
    errors: list[BaseException] = []

    def submit_some(name: str) -> None:
        try:
            for n in range(20):
                submit(ledger, f"{name}{n}", "ok")
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=submit_some, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert ledger.counts()[State.PLANNED] == 80


if __name__ == "__main__":
    _nursery(Path(sys.argv[1]))
