"""Interchanges of many documents, over a folder mailbox, to a partner who checks and answers by means of its own.

What it says of one document moves that one, what it says of the whole moves all, and whatever dies on the way no
document is lost and none is booked twice. Run as a program this file is the nursery of the crash test.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import traceback
from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from einvoice.cli import _home as cli
from einvoice.dispatch import work
from einvoice.ledger import BATCH_POINTS, CRASH_POINTS, Interchange, Track
from einvoice.sandbox.van import Mailbox
from tests import home as homes
from tests.test_edi_line import home_of

KINDS = ("edifact", "x12")
ACKS = '[acks]\nexpected = ["response", "functional"]\nsource = ["folder"]\n'


def home_with(
    path: Path, kind: str, most: int = 4, window: str = "0s", after: str = "", form: str = "transliterate = true"
) -> homes.Home:
    """A home whose customer takes *kind* from ``out``, up to *most* documents at once, and answers in ``in``."""
    (path / "in").mkdir(parents=True)
    more = f'inbox = "{path / "in"}"\nsettle = "0s"\n{ACKS}[batch]\nmax = {most}\nwindow = "{window}"\n{after}'
    return home_of(path, kind, form, after=more)


def partner(home: homes.Home, kind: str, **options: Any) -> Mailbox:
    return Mailbox(home.path / "out", home.path / "in", standard=kind, **options)  # type: ignore[arg-type]


def submit(home: homes.Home, numbers: Sequence[str], *more: str, **changes: Any) -> None:
    folder = home.path / "erp"
    folder.mkdir(exist_ok=True)
    files = homes.write(folder, *(homes.invoice(number, **changes) for number in numbers))
    said = home("submit", *files, *more)
    assert said.code == 0, said.text


def interchanges(home: homes.Home) -> list[Interchange]:
    with home.ledger() as ledger:
        return ledger.interchanges()


def tracks(home: homes.Home) -> list[tuple[int, int, Track]]:
    """Control number, documents and track of every interchange."""
    return [(one.control, one.documents, one.track) for one in interchanges(home)]


@pytest.mark.parametrize("kind", KINDS)
def test_documents_travel_together_and_one_acknowledgement_proves_them_all(tmp_path: Path, kind: str) -> None:
    home = home_with(tmp_path / "home", kind)
    mailbox = partner(home, kind)
    numbers = [f"T-{n}" for n in range(6)]
    submit(home, numbers)
    home("dispatch")
    assert set(home.states().values()) == {"sent"}
    assert tracks(home) == [(1, 4, Track.AWAITED), (2, 2, Track.AWAITED)]
    taken = mailbox.work()
    assert [[one.number for one in each.documents] for each in taken] == [numbers[:4], numbers[4:]]
    assert all(each.accepted for each in taken), taken
    assert home("receive").code == 0
    assert set(home.states().values()) == {"delivered"}
    assert tracks(home) == [(1, 4, Track.ACCEPTED), (2, 2, Track.ACCEPTED)]
    assert home.statement().parts["delivered"].count == 6
    home.sound()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ack", ["", "999"])
def test_a_document_refused_alone_goes_again_corrected_and_alone(tmp_path: Path, kind: str, ack: str) -> None:
    if kind == "edifact" and ack:
        pytest.skip("EDIFACT has no 999")
    home = home_with(tmp_path / "home", kind)
    mailbox = partner(home, kind, rejected={"T-1"}, **({"ack": ack} if ack else {}))
    submit(home, ["T-0", "T-1", "T-2"])
    home("dispatch")
    mailbox.work()
    home("receive")
    assert home.states() == {"T-0": "delivered", "T-1": "rejected", "T-2": "delivered"}
    assert tracks(home) == [(1, 3, Track.PARTLY)]
    assert "1 partly accepted" in home("status").out
    mailbox.partner.rejected = ()
    note = [{"text": "corrected"}]
    submit(home, ["T-1"], "--replaces", "T-1", "--reason", "the partner refused it", notes=note)
    home("dispatch")
    assert tracks(home) == [(1, 3, Track.PARTLY), (2, 1, Track.AWAITED)]
    mailbox.work()
    home("receive")
    assert set(home.states().values()) == {"delivered"}
    assert [one.track for one in interchanges(home)] == [Track.PARTLY, Track.ACCEPTED]
    assert "open interchanges" not in home("status").out
    assert [mailbox.booked(number) for number in ("T-0", "T-1", "T-2")] == [1, 1, 1]
    with home.ledger() as ledger:
        first, second = ledger.statement(1), ledger.statement(2)
    assert {name: part.count for name, part in first.parts.items() if part.count} == {"delivered": 2, "superseded": 1}
    assert (second.taken.count, second.parts["delivered"].count) == (1, 1)
    home.sound()


@pytest.mark.parametrize("kind", KINDS)
def test_an_interchange_refused_as_a_whole_is_every_document_refused(tmp_path: Path, kind: str) -> None:
    home = home_with(tmp_path / "home", kind)
    mailbox = partner(home, kind)
    mailbox.next("refuse")
    submit(home, ["T-0", "T-1"])
    home("dispatch")
    mailbox.work()
    home("receive")
    assert home.states() == {"T-0": "rejected", "T-1": "rejected"}
    assert tracks(home) == [(1, 2, Track.REJECTED)]
    home("resend", "T-0", "--reason", "the partner has put it right")
    home("resend", "T-1", "--reason", "the partner has put it right")
    home("dispatch")
    mailbox.work()
    home("receive")
    assert set(home.states().values()) == {"delivered"}
    assert tracks(home) == [(1, 2, Track.REJECTED), (2, 2, Track.ACCEPTED)]
    assert [mailbox.booked(number) for number in ("T-0", "T-1")] == [1, 1]
    home.sound()


@pytest.mark.parametrize("kind", KINDS)
def test_a_receipt_is_no_acceptance(tmp_path: Path, kind: str) -> None:
    home = home_with(tmp_path / "home", kind)
    mailbox = partner(home, kind)
    mailbox.next("receipt", rounds=1)
    submit(home, ["T-0"])
    home("dispatch")
    mailbox.work()
    home("receive")
    assert (home.state("T-0"), [track for *_, track in tracks(home)]) == ("sent", [Track.AWAITED])
    mailbox.work()
    home("receive")
    assert (home.state("T-0"), [track for *_, track in tracks(home)]) == ("delivered", [Track.ACCEPTED])
    home.sound()


@pytest.mark.parametrize("kind", KINDS)
def test_an_acknowledgement_that_does_not_come_is_overdue_by_the_profiles_deadline(tmp_path: Path, kind: str) -> None:
    home = home_with(tmp_path / "home", kind, after='[acks.due]\nfunctional = "6h"\n')
    mailbox = partner(home, kind)
    mailbox.next("withhold", rounds=0)
    submit(home, ["T-0", "T-1"])
    home("dispatch")
    mailbox.work()
    home.later(hours=5)
    assert "no document is overdue" in home("status", "overdue").out
    home.later(hours=2)
    said = home("status", "overdue").out
    assert all(word in said for word in ("T-0", "T-1", "overdue", "interchange")), said
    assert "2 overdue" in home("status").out
    assert "1 overdue: einvoice status interchanges" in home("status").out
    row = home("status", "interchanges", "--json").last
    assert (row["interchange"], row["track"], row["documents"], row["overdue"]) == (1, "overdue", 2, 2)
    mailbox.release()
    home("receive")
    assert "no document is overdue" in home("status", "overdue").out
    assert tracks(home) == [(1, 2, Track.ACCEPTED)]
    assert mailbox.copies("T-0") == 1, "an overdue acknowledgement has nothing sent again"
    home.sound()


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_that_comes_twice_or_to_nothing_is_put_aside(tmp_path: Path, kind: str) -> None:
    home = home_with(tmp_path / "home", kind, most=1)
    mailbox = partner(home, kind)
    mailbox.next("twice")
    mailbox.next("orphan")
    submit(home, ["T-0", "T-1"])
    home("dispatch")
    mailbox.work()
    home("receive")
    assert set(home.states().values()) == {"delivered"}
    assert "1 orphan, 1 duplicate" in home("status").out
    rows = home("status", "answers", "--json").rows
    assert sorted(row["state"] for row in rows) == ["duplicate", "orphan"]
    assert "nothing sent answers to" in next(row["note"] for row in rows if row["state"] == "orphan")
    home.sound()


@pytest.mark.parametrize("kind", KINDS)
def test_a_verdict_that_is_turned_round_is_kept_flagged_and_not_believed(tmp_path: Path, kind: str) -> None:
    home = home_with(tmp_path / "home", kind)
    mailbox = partner(home, kind)
    mailbox.next("contradict", rounds=1)
    submit(home, ["T-0"])
    home("dispatch")
    for _ in range(2):
        mailbox.work()
        home("receive")
    assert (home.state("T-0"), home.view("T-0").conflict) == ("rejected", True)
    assert "T-0" in home("status", "conflict").out
    home.sound()


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_application_says_comes_after_what_the_translator_said(tmp_path: Path, kind: str) -> None:
    home = home_with(tmp_path / "home", kind)
    mailbox = partner(home, kind, advice=True)
    submit(home, ["T-0", "T-1"])
    home("dispatch")
    mailbox.work()
    home("receive")
    assert {home.view(number).business for number in ("T-0", "T-1")} == {"accepted"}
    mailbox.partner.advice = False
    mailbox.next("late_reject", number="T-3", rounds=1)
    submit(home, ["T-2", "T-3"])
    home("dispatch")
    mailbox.work()
    home("receive")
    assert (home.state("T-2"), home.state("T-3")) == ("delivered", "delivered")
    mailbox.work()
    home("receive")
    assert (home.state("T-2"), home.state("T-3")) == ("delivered", "rejected")
    home.sound()


def test_a_ta1_alone_proves_nothing(tmp_path: Path) -> None:
    home = home_with(tmp_path / "home", "x12")
    mailbox = partner(home, "x12", ta1=True)
    submit(home, ["T-0", "T-1"])
    home("dispatch")
    mailbox.work()
    for file in (home.path / "in").iterdir():
        if not file.name.upper().startswith("TA1"):
            file.unlink()
    home("receive")
    assert set(home.states().values()) == {"sent"}
    home.sound()


# --- gathering --------------------------------------------------------------------------------------------------------


class Clock:
    """Goes a millisecond at each look, and further when told."""

    def __init__(self) -> None:
        self.now = cli.now()

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now


def test_a_standing_worker_waits_for_the_window_or_until_an_interchange_is_full(tmp_path: Path) -> None:
    home = home_with(tmp_path / "home", "x12", most=3, window="30m")
    clock = Clock()
    seen: list[tuple[int, list[int]]] = []

    class Watch:
        """An engine that lets 20 minutes pass whenever nothing is due, and has more submitted meanwhile."""

        def wake(self, count: int) -> None: ...
        def drain(self, step: Callable[[], bool]) -> None: ...
        def attend(self, step: Callable[[], bool], stop: Callable[[], bool]) -> None:
            for minutes, numbers in ((0, ["T-0"]), (20, ["T-1"]), (40, []), (60, ["T-2", "T-3", "T-4", "T-5"])):
                submit(home, numbers) if numbers else None
                while step():
                    pass
                seen.append((minutes, [one.documents for one in interchanges(home)]))
                clock.now += timedelta(minutes=20)

    with home.ledger() as ledger:
        line = cli.Home(Namespace(home=str(home.path))).pipeline(ledger)
        work(ledger, line, clock=clock, worker="w", rng=random.Random(1), stop=lambda: True, engine=Watch())
        assert ledger.workers() == set()
    assert seen == [(0, []), (20, []), (40, [2]), (60, [2, 3])]
    assert home.states()["T-5"] == "planned"
    home("dispatch")  # a run waits for no window
    assert [one.documents for one in interchanges(home)] == [2, 3, 1]
    home.sound()


def test_what_a_person_holds_or_withdraws_while_it_waits_for_others_does_not_go(tmp_path: Path) -> None:
    home = home_with(tmp_path / "home", "x12", most=10, window="30m")
    submit(home, ["T-0", "T-1", "T-2", "T-3"])
    with home.ledger() as ledger:
        line = cli.Home(Namespace(home=str(home.path))).pipeline(ledger)
        once = iter((False, True))
        work(ledger, line, clock=cli.now, worker="w", rng=random.Random(1), stop=lambda: next(once))
    home("hold", "T-1", "--reason", "asked to wait")
    home("cancel", "T-2", "--reason", "billed twice")
    home("dispatch")
    assert home.states() == {"T-0": "sent", "T-1": "held", "T-2": "cancelled", "T-3": "sent"}
    assert [one.documents for one in interchanges(home)] == [2]
    home("release", "T-1", "--reason", "agreed")
    home("dispatch")
    assert [one.documents for one in interchanges(home)] == [2, 1]
    home.sound()


def test_a_document_that_cannot_go_leaves_its_batch_and_a_dry_run_says_so(tmp_path: Path) -> None:
    home = home_with(tmp_path / "home", "x12")
    submit(home, ["T-0", "T-2"])
    submit(home, ["T-1"], currency="ZZZ")
    dry = home("dispatch", "--dry-run", "--json").last
    assert homes.counts(dry) == {"waiting": 2, "held": 1}, dry
    home("dispatch")
    assert home.states() == {"T-0": "sent", "T-1": "held", "T-2": "sent"}
    assert [one.documents for one in interchanges(home)] == [2]
    home.sound()


@pytest.mark.parametrize("only", ["", homes.US])
def test_what_the_check_held_joins_a_batch_once_its_profile_is_corrected(tmp_path: Path, only: str) -> None:
    home = home_with(tmp_path / "home", "x12", form="")
    submit(home, ["T-0", "T-1"], notes=[{"text": "Łódź"}])
    submit(home, ["T-2"])
    home("dispatch")
    assert home.states() == {"T-0": "held", "T-1": "held", "T-2": "sent"}
    file = home.path / "edi.profile.toml"
    file.write_text(file.read_text("utf-8").replace('kind = "x12"', 'kind = "x12"\ntransliterate = true'), "utf-8")
    for words in (("profile", "add", file), ("profile", "live", homes.US)):
        said = home(*words)
        assert said.code == 0, said.text
    home("dispatch", *(("--only", only) if only else ()))
    assert home.states() == {"T-0": "sent", "T-1": "sent", "T-2": "sent"}
    assert [one.documents for one in interchanges(home)] == [1, 2]
    home.sound()


def test_a_batch_of_another_profile_is_left_to_others_by_a_run_restricted_to_one(tmp_path: Path) -> None:
    home = home_with(tmp_path / "home", "x12", window="30m")
    submit(home, ["T-0", "T-1"])
    with home.ledger() as ledger:
        line = cli.Home(Namespace(home=str(home.path))).pipeline(ledger)
        once = iter((False, True))
        work(ledger, line, clock=cli.now, worker="w", rng=random.Random(1), stop=lambda: next(once))
        ledger.set_profile_state(homes.US, 1, "suspended", at=cli.now(), actor="anna")
    home("dispatch", "--only", homes.US)  # no profile takes them now, so they are not this run's
    assert home.states() == {"T-0": "planned", "T-1": "planned"}
    home("dispatch")
    assert home.states() == {"T-0": "held", "T-1": "held"}
    home.sound()


# --- crashes ----------------------------------------------------------------------------------------------------------

NUMBERS = [f"K-{n}" for n in range(6)]
#: A sweep writes only when an earlier worker died with work in hand.
BEFORE = {f"sweep.{moment}": "identity.after" for moment in ("before", "in", "after")}
FAST = ("gather.in", "identity.in", "identity.after", "send.after", "attempt-end.before")


def _dispatch(home: homes.Home, crash_at: str = "") -> int:
    """The exit code of a forked ``einvoice dispatch`` that ends at *crash_at*: 137 where it got there."""
    child = os.fork()
    if child == 0:
        try:
            os.environ.update({"EINVOICE_CRASH_AT": crash_at} if crash_at else {})
            os._exit(home("dispatch", "--json").code)
        except BaseException:
            traceback.print_exc()
            os._exit(99)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _life(template: Path, kind: str, point: str) -> dict[str, Any]:
    """What ledger and partner hold after a death at *point*; the partner empties the mailbox right after it."""
    path = template.with_name(point.replace(":", "-"))
    shutil.copytree(template, path)
    home = homes.Home(path, {})
    _move(path / "ledger.sqlite", str(template), str(path))
    mailbox = partner(home, kind)
    if point.partition(".")[0] in ("inbox", "settle"):  # there must be an answer to die with
        assert _dispatch(home) == 0
        mailbox.work()
    deaths = [_dispatch(home, at) for at in (*filter(None, [BEFORE.get(point)]), point)]
    for _ in range(4):
        mailbox.work()
        _dispatch(home)
    return {
        "at": point, "deaths": deaths, "states": home.states(), "sound": home("status", "--invariants").text,
        "booked": {number: mailbox.booked(number) for number in NUMBERS},
        "bytes": {number: len({one.sha256 for one in mailbox.taken if any(d.number == number for d in one.documents)})
                  for number in NUMBERS},
        "tracks": [track for *_, track in tracks(home)],
        "numbers": sorted(one.control for one in interchanges(home)),
        "conflicts": home("status", "conflict").out,
    }  # fmt: skip


def _move(database: Path, old: str, new: str) -> None:
    """Has the stored profile name the folders of the copy."""
    with sqlite3.connect(database) as raw:
        raw.execute("update profile_version set toml = replace(toml, ?, ?)", (old, new))


def _nursery(settings: dict[str, Any]) -> None:
    template = Path(settings["folder"]) / "template"
    home = home_with(template, settings["kind"])
    submit(home, NUMBERS)
    assert home("dispatch", "--dry-run").code == 0  # what it imports and compiles, its children need not
    print(json.dumps([_life(template, settings["kind"], point) for point in settings["points"]]))


def _lives(folder: Path, kind: str, points: Sequence[str]) -> Iterator[dict[str, Any]]:
    settings = {"folder": str(folder), "kind": kind, "points": points}
    done = subprocess.run([sys.executable, __file__], input=json.dumps(settings), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    yield from json.loads(done.stdout)


def _check(life: dict[str, Any]) -> None:
    at = life["at"]
    assert life["deaths"][-1] == 137, (at, life)
    assert life["states"] == dict.fromkeys(NUMBERS, "delivered"), (at, life)
    assert life["booked"] == dict.fromkeys(NUMBERS, 1), (at, life)
    assert life["bytes"] == dict.fromkeys(NUMBERS, 1), (at, life)
    assert life["numbers"] == list(range(1, len(life["numbers"]) + 1)), (at, life)
    assert set(life["tracks"]) == {"accepted"}, (at, life)
    assert life["conflicts"] == "no document is conflict\n", (at, life)
    assert life["sound"] == "the ledger is sound\n", (at, life)


@pytest.mark.parametrize("kind", KINDS)
def test_killed_with_a_batch_in_hand_nothing_is_lost_and_nothing_is_booked_twice(tmp_path: Path, kind: str) -> None:
    for life in _lives(tmp_path, kind, FAST):
        _check(life)


@pytest.mark.parametrize("kind", KINDS)
def test_a_second_copy_bears_the_same_number_so_that_the_partner_sees_it_is_one(tmp_path: Path, kind: str) -> None:
    """The process dies after the file is put and before its receipt is stored; the partner takes it and is silent."""
    home = home_with(tmp_path / "home", kind)
    mailbox = partner(home, kind)
    mailbox.next("withhold", rounds=0)
    submit(home, ["T-0", "T-1"])
    assert home.run("dispatch", EINVOICE_CRASH_AT="send.after").code == 137
    mailbox.work()
    home("dispatch")
    (again,) = mailbox.work()
    assert (again.duplicate, len(mailbox.taken)) == (True, 2)
    assert len({one.sha256 for one in mailbox.taken}) == 1
    home("receive")
    assert set(home.states().values()) == {"sent"}, "that it has it is no verdict on it"
    mailbox.release()
    home("receive")
    assert set(home.states().values()) == {"delivered"}
    assert [mailbox.booked(number) for number in ("T-0", "T-1")] == [1, 1]
    assert home("status", "conflict").out == "no document is conflict\n"
    home.sound()


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_to_be_sent_twice_waits_for_its_answer_or_a_person(tmp_path: Path, kind: str) -> None:
    home = home_with(tmp_path / "home", kind, after='[retry]\nunknown = "hold"\n')
    mailbox = partner(home, kind)
    mailbox.next("withhold", rounds=0)
    submit(home, ["T-0"])
    assert home.run("dispatch", EINVOICE_CRASH_AT="send.after").code == 137
    mailbox.work()
    home("dispatch")
    assert (home.state("T-0"), home.view("T-0").owner) == ("unknown", "operator")
    mailbox.release()
    home("receive")
    assert (home.state("T-0"), mailbox.copies("T-0")) == ("delivered", 1)
    home.sound()


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_killed_at_every_point_nothing_is_lost_and_nothing_is_booked_twice(tmp_path: Path, kind: str) -> None:
    reached = [point for point in CRASH_POINTS if not point.startswith("hold.")]  # nothing is held here
    for life in _lives(tmp_path, kind, (*reached, *BATCH_POINTS, "identity.after:2", "send.after:2")):
        _check(life)


# --- many -------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_thousand_documents_in_interchanges_of_a_hundred_balance_to_the_cent(tmp_path: Path, kind: str) -> None:
    home = home_with(tmp_path / "home", kind, most=100)
    numbers = [f"M-{n:04}" for n in range(1000)]
    refused = {number for number in numbers if int(number[2:]) % 137 == 5}
    mailbox = partner(home, kind, rejected=refused)
    lines = home.path / "erp.jsonl"
    lines.write_text("".join(f"{json.dumps(homes.invoice(number))}\n" for number in numbers), "utf-8")
    assert home("submit", lines).code == 0
    home("dispatch")
    assert [one.documents for one in interchanges(home)] == [100] * 10
    taken = mailbox.work()
    assert [len(each.documents) for each in taken] == [100] * 10
    assert {each.reference.lstrip("0") for each in taken} == {str(n) for n in range(1, 11)}
    home("receive")
    counts = Counter(home.states().values())
    assert counts == {"delivered": 1000 - len(refused), "rejected": len(refused)}
    tainted = {number[2:4] for number in refused}
    assert Counter(track for *_, track in tracks(home)) == {
        Track.PARTLY: len(tainted), Track.ACCEPTED: 10 - len(tainted),
    }  # fmt: skip
    mailbox.partner.rejected = ()
    for number in sorted(refused):
        submit(home, [number], "--replaces", number, "--reason", "the partner refused it", notes=[{"text": "again"}])
    home("dispatch")
    assert [(one.control, one.documents) for one in interchanges(home)][10:] == [(11, len(refused))]
    mailbox.work()
    home("receive")
    assert Counter(home.states().values()) == {"delivered": 1000}
    assert {mailbox.booked(number) for number in numbers} == {1}
    with home.ledger() as ledger:
        first, second = ledger.statement(1), ledger.statement(2)
    total = first.taken.money["USD"]
    assert {name: part.count for name, part in first.parts.items() if part.count} == {
        "delivered": 1000 - len(refused), "superseded": len(refused),
    }  # fmt: skip
    assert first.parts["delivered"].money["USD"] + second.parts["delivered"].money["USD"] == total
    assert first.balances
    assert second.balances
    home.sound()


if __name__ == "__main__":
    _nursery(json.load(sys.stdin))
