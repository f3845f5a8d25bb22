"""Control numbers: one for each transmission, in a row, kept with it, and found again by what partners answer."""

from __future__ import annotations

import hashlib
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from einvoice.dispatch import Work, dispatch, worker_name
from einvoice.errors import ConfigError, LedgerError
from einvoice.exchange import Document, Envelope, Environment, Inbound, Outcome, Part, Receipt, Series
from einvoice.ledger import AckFact, Ledger, Meaning, ProfileRef, SendPolicy, State, Transmission
from einvoice.ledger.work import Unsealed

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
TEST, PRODUCTION = Environment.TEST, Environment.PRODUCTION
ENDS = "x12:US>ACME"
SERIES = (Series("interchange", ENDS, 999), Series("group", ENDS, 999), Series("message", ENDS, 999, each=True))


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new ledger, made once and copied: the migrations take longer than most tests."""
    place = tmp_path_factory.mktemp("empty") / "ledger.db"
    Ledger.open(place).close()
    return place


@pytest.fixture
def ledger(tmp_path: Path, empty: Path) -> Iterator[Ledger]:
    shutil.copy(empty, tmp_path / "ledger.db")
    with Ledger.open(tmp_path / "ledger.db") as opened:
        yield opened


def submit(ledger: Ledger, number: str, environment: Environment = TEST) -> int:
    canonical = number.encode()
    return ledger.submit(
        environment=environment, seller="Seller", type="380", number=number, year=2026, canonical=canonical,
        digest=hashlib.sha256(canonical).hexdigest(), currency="EUR", total=Decimal("1.00"), source=canonical,
        source_format="json", source_name=number, buyer="Buyer", issue_date=date(2026, 11, 1), at=NOON,
    ).delivery_id  # fmt: skip


def ready(name: str, environment: Environment = TEST, series: Sequence[Series] = SERIES, share: str = "") -> Unsealed:
    """What one delivery has ready: its transmission states its numbers in its bytes."""

    def seal(parts: Sequence[Part], numbers: Mapping[str, range]) -> tuple[Envelope, Sequence[Document]]:
        if name == "too large":
            raise ConfigError("more than the channel takes")
        said = " ".join(f"{kind}={taken[0]}-{taken[-1]}" for kind, taken in sorted(numbers.items()))
        documents = [Document(part.data, "x12", "text/plain", "d") for part in parts]
        return Envelope(name, said.encode(), "text/plain", "f", environment), documents

    part = Part(b"body", 1, (share,), tuple(series))
    return Unsealed(part, seal, "folder:acme", ProfileRef("acme", 1), "{}", SendPolicy())


def fix(ledger: Ledger, *delivery_ids: int, name: str = "", environment: Environment = TEST) -> int:
    one = ready(name or f"p{delivery_ids[0]}", environment)
    key = ledger.commit_unsealed(delivery_ids, [one] * len(delivery_ids), at=NOON)
    assert key is not None
    return key


def said(ledger: Ledger, key: int) -> str:
    return ledger.transmission(key).envelope.data.decode()


def send(ledger: Ledger, key: int, receipt: Receipt) -> State:
    claim = next(one for one in ledger.claim("w", lease_seconds=60, limit=9, at=NOON) if one.transmission_id == key)
    attempt = ledger.begin_attempt(key, fence=claim.fence, worker="w", at=NOON)
    assert attempt is not None
    return ledger.end_attempt(attempt.id, receipt, at=NOON)


def test_a_transmission_bears_the_next_numbers_one_for_each_of_its_messages(ledger: Ledger) -> None:
    three = [submit(ledger, number) for number in "ABC"]
    key = fix(ledger, *three)
    assert said(ledger, key) == "group=1-1 interchange=1-1 message=1-3"
    assert ledger.numbers(key) == {"interchange": range(1, 2), "group": range(1, 2), "message": range(1, 4)}
    assert said(ledger, fix(ledger, submit(ledger, "D"))) == "group=2-2 interchange=2-2 message=4-4"
    assert ledger.transmission(key).delivery_ids == tuple(three)


def test_test_and_production_count_apart_and_so_does_every_partner(ledger: Ledger) -> None:
    fix(ledger, submit(ledger, "A"))
    live = fix(ledger, submit(ledger, "B", PRODUCTION), environment=PRODUCTION)
    assert ledger.numbers(live)["interchange"] == range(1, 2)
    other = Series("interchange", "x12:US>OTHER", 999)
    assert ledger.take_numbers(TEST, other) == range(1, 2)


def test_a_series_begins_again_after_its_highest_number_and_splits_no_transmission(ledger: Ledger) -> None:
    series = Series("message", ENDS, 10, each=True)
    taken = [list(ledger.take_numbers(TEST, series, count=4)) for _ in range(3)]
    assert taken == [[1, 2, 3, 4], [5, 6, 7, 8], [1, 2, 3, 4]]


def test_a_series_goes_on_where_another_system_ended_and_never_back(ledger: Ledger) -> None:
    assert ledger.take_numbers(TEST, Series("interchange", ENDS, 999, first=500)) == range(500, 501)
    assert ledger.take_numbers(TEST, Series("interchange", ENDS, 999, first=3)) == range(501, 502)
    assert ledger.take_numbers(TEST, Series("interchange", ENDS, 999, first=700)) == range(700, 701)


@pytest.mark.parametrize("fault", ["too large", "one", "lost"])
def test_what_is_not_stored_takes_no_number(ledger: Ledger, fault: str) -> None:
    first, second = submit(ledger, "A"), submit(ledger, "B")
    fix(ledger, first, name="one")
    claims = ledger.claim("w", lease_seconds=60, limit=9, at=NOON)[-1:]
    if fault == "lost":
        ledger.sweep(at=NOON, dead={"w"})
    with pytest.raises((ConfigError, LedgerError)):
        ledger.commit_unsealed([second], [ready(fault)], at=NOON, claims=claims)
    assert said(ledger, fix(ledger, second, name="three")) == "group=2-2 interchange=2-2 message=2-2"


def test_documents_for_different_ends_never_share_a_transmission(ledger: Ledger) -> None:
    both = [submit(ledger, "A"), submit(ledger, "B")]
    with pytest.raises(LedgerError, match="several partners"):
        ledger.commit_unsealed(both, [ready("x", share="here"), ready("x", share="there")], at=NOON)


def test_what_cannot_be_sealed_is_held_and_takes_no_number(ledger: Ledger) -> None:
    class Line:
        """A line whose transmissions are more than their channel takes."""

        def prepare(self, work: Work, *, at: datetime) -> Unsealed:
            return ready("too large")

        def deliver(self, transmission: Transmission, *, at: datetime) -> Receipt:
            raise AssertionError("nothing is sent")

        def collect(self, *, at: datetime) -> Iterator[Inbound]:
            return iter(())

        def interpret(self, inbound: Inbound) -> Sequence[AckFact]:
            return []

    delivery = submit(ledger, "A")
    run = dispatch(
        ledger, Line(), business_date=NOON.date(), clock=lambda: NOON, worker=worker_name(), rng=random.Random(1)
    )
    assert (run.parts["held"].count, run.balances) == (1, True)
    assert "more than the channel takes" in ledger.delivery(delivery).reason
    assert said(ledger, fix(ledger, delivery)) == "group=1-1 interchange=1-1 message=1-1"


def test_a_resend_is_the_same_bytes_with_the_same_numbers(ledger: Ledger) -> None:
    delivery = submit(ledger, "A")
    key = fix(ledger, delivery)
    before = said(ledger, key)
    send(ledger, key, Receipt(Outcome.UNKNOWN, "timeout", "no answer", NOON))
    ledger.resend(delivery, reason="nothing came", actor="anna", at=NOON)
    assert said(ledger, key) == before
    assert send(ledger, key, Receipt(Outcome.ACCEPTED, "WRITTEN", "", NOON)) is State.SENT
    assert ledger.unsent_numbers() == []


def test_a_number_that_never_reached_the_partner_says_why(ledger: Ledger) -> None:
    withdrawn, waiting = submit(ledger, "A"), submit(ledger, "B")
    fix(ledger, withdrawn)
    fix(ledger, waiting)
    ledger.cancel(withdrawn, reason="billed twice", actor="anna", at=NOON)
    gaps = ledger.unsent_numbers()
    assert {(gap.kind, gap.first, gap.last, gap.reason) for gap in gaps} == {
        (kind, 1, 1, "cancelled: billed twice") for kind in ("interchange", "group", "message")
    }
    ledger.rerender(waiting, reason="new address", actor="anna", at=NOON)
    assert {gap.reason for gap in ledger.unsent_numbers() if gap.first == 2} == {"to be rendered again: new address"}


@pytest.mark.parametrize(
    ("control", "found"),
    [
        ({"interchange": "000000001"}, None),
        ({"group": "1"}, None),
        ({"group": "1", "message": "0002"}, "B"),
        ({"interchange": "1", "group": "1", "message": "1"}, "A"),
        ({"message": "3"}, "C"),
        ({"message": "2", "number": "B"}, "B"),
    ],
)
def test_an_answer_is_bound_by_the_control_numbers_it_states(
    ledger: Ledger, control: dict[str, str], found: str | None
) -> None:
    ids = {number: submit(ledger, number) for number in "ABC"}
    key = fix(ledger, *ids.values())
    fact = AckFact("x12-997", "A", Meaning.DELIVERED, "r", environment=TEST, between=ENDS, **control)  # type: ignore[arg-type]
    assert ledger.match(fact, at=NOON) == (key, ids[found] if found else None)


@pytest.mark.parametrize(
    "control",
    [
        {"interchange": "2"},
        {"group": "1", "message": "4"},
        {"group": "2", "message": "1"},
        {"group": "1", "between": "x12:US>OTHER"},
        {"group": "1", "environment": PRODUCTION},
        {"group": "A1"},
        {"group": "1" * 40},
        {"group": "1", "message": "1", "number": "Z"},
        {"group": "1", "message": "1", "number": "B"},
    ],
)
def test_an_answer_that_states_what_we_never_sent_is_an_orphan(ledger: Ledger, control: dict[str, str]) -> None:
    fix(ledger, *(submit(ledger, number) for number in "ABC"))
    values = {"environment": TEST, "between": ENDS, **control}
    assert ledger.match(AckFact("x12-997", "A", Meaning.DELIVERED, "r", **values), at=NOON) is None  # type: ignore[arg-type]


def test_the_newest_bearer_of_a_number_answers_to_it(ledger: Ledger) -> None:
    series = (Series("interchange", ENDS, 2),)
    keys = [ledger.commit_unsealed([submit(ledger, name)], [ready(name, series=series)], at=NOON) for name in "ABC"]
    fact = AckFact("ta1", "R", Meaning.REJECTED, "r", environment=TEST, between=ENDS, interchange="1")
    assert ledger.match(fact, at=NOON) == (keys[2], None)


def test_a_ledger_of_the_first_version_is_brought_up_to_date_with_what_it_holds(tmp_path: Path) -> None:
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    from einvoice.ledger import migrations

    place = tmp_path / "ledger.db"
    engine = sa.create_engine(f"sqlite:///{place}")
    with engine.begin() as conn:
        context = MigrationContext.configure(conn)
        scripts = ScriptDirectory(migrations.SCRIPTS)
        with Operations.context(context):
            scripts.get_revision("0001").module.upgrade()
            context.stamp(scripts, "0001")
        conn.execute(sa.text("insert into meta (key, value) values ('ledger-id', 'old')"))
        conn.execute(sa.text("insert into document (id, environment, seller, type, number, year, created_at)"
                             " values (1, 'test', 'S', '380', 'A', 2026, '2026-01-01 00:00:00')"))  # fmt: skip
        conn.execute(sa.text("insert into revision (id, document_id, n, alive, canonical, digest, sameness, currency,"
                             " total, source, source_sha256, source_format, created_at) values (1, 1, 1, 1, 'x', 'd',"
                             " 's', 'EUR', '1.00', 'x', 'h', 'json', '2026-01-01 00:00:00')"))  # fmt: skip
        conn.execute(sa.text("insert into delivery (id, document_id, revision_id, purpose, state_at)"
                             " values (1, 1, 1, 'original', '2026-01-01 00:00:00')"))  # fmt: skip
    engine.dispose()
    with Ledger.open(place) as ledger:
        assert (ledger.id, ledger.delivery(1).number) == ("old", "A")
        assert said(ledger, fix(ledger, 1)) == "group=1-1 interchange=1-1 message=1-1"


_TAKER = """
import sys
from einvoice.exchange import Environment, Series
from einvoice.ledger import Ledger
with Ledger.open(sys.argv[1]) as ledger:
    for _ in range(40):
        for one in ledger.take_numbers(Environment.TEST, Series("group", "x12:US>ACME", 10**9), count=3):
            print(one)
"""


def test_many_processes_take_from_one_series_and_no_number_is_given_twice_or_left_out(tmp_path: Path) -> None:
    place = tmp_path / "ledger.db"
    Ledger.open(place).close()
    command = [sys.executable, "-c", _TAKER, str(place)]
    takers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    taken = sorted(int(line) for taker in takers for line in taker.communicate()[0].splitlines())
    assert taken == list(range(1, 3 * 40 * 3 + 1))
