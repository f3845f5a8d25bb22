"""The whole line killed anywhere: no copy lost, none doubled, every repeat the same bytes, and a run that balances.

Run as a program this file is the nursery: it forks one ``einvoice dispatch`` per life, which ends at a named point as
a power cut would, and then others until nothing is left to do. A fork costs a fraction of a new interpreter.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from einvoice.ledger import CRASH_POINTS
from einvoice.sandbox.client import ControlClient
from einvoice.sandbox.options import Options
from einvoice.sandbox.program import AribaSandbox
from tests import home as homes

#: What each document comes to in the end, whatever happened on the way.
MIX = {"ONE": "delivered", "TWO": "delivered", "HELD": "held", "WRONG": "rejected", "LATER": "delivered"}
TAKEN = {"ONE", "TWO", "LATER"}
SENT = {*TAKEN, "WRONG"}

#: A sweep writes only when an earlier worker died with work in hand.
BEFORE = {f"sweep.{moment}": "identity.after" for moment in ("before", "in", "after")}
AGAIN = ("send.after:3", "attempt-end.in:4", "identity.before:2", "claim.after:2")


def _fill(home: homes.Home) -> None:
    files = homes.write(
        home.path, homes.invoice("ONE"), homes.without_order("HELD"), homes.with_wrong_sum("WRONG"),
        homes.invoice("LATER"), homes.invoice("TWO"),
    )  # fmt: skip
    said = home("submit", *files)
    assert said.code == 0, said.text


def _behave(control: ControlClient) -> None:
    control.reset()
    control.next("answer", code=201, match={"invoice_number": "LATER"}, times=0, later=[{"type": "processing"}])


# --- the nursery ------------------------------------------------------------------------------------------------------


def _dispatch(home: homes.Home, crash_at: str = "") -> int:
    """The exit code of a forked ``einvoice dispatch`` that ends at *crash_at*: 137 where it got there."""
    child = os.fork()
    if child == 0:
        try:
            os.environ.update({"EINVOICE_CRASH_AT": crash_at} if crash_at else {})
            said = home("dispatch", "--json")
            (home.path / "said").write_text(said.text)
            os._exit(said.code)
        except BaseException:
            traceback.print_exc()
            os._exit(99)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _life(template: homes.Home, control: ControlClient, point: str) -> dict[str, Any]:
    """What ledger and sandbox hold after a death at *point* and the runs that follow."""
    _behave(control)
    home = homes.Home(template.path.with_name(point.replace(":", "-")), template.env)
    shutil.copytree(template.path, home.path)
    deaths = [_dispatch(home, at) for at in (*filter(None, [BEFORE.get(point)]), point)]
    codes: list[int] = []
    while len(codes) < 4 and (not codes or home.states() != MIX):
        codes.append(_dispatch(home))
    sound = home("status", "--invariants")
    statements = [json.loads(line) for line in (home.path / "said").read_text().splitlines() if '"run"' in line]
    return {
        "at": point, "deaths": deaths, "codes": codes, "states": home.states(), "sound": sound.text, **_seen(control),
        "balances": [one["balances"] for one in statements], "in": [one["in"]["documents"] for one in statements],
    }  # fmt: skip


def _seen(control: ControlClient) -> dict[str, Any]:
    """What the sandbox has seen: its totals, invoices by number, and the identities and bytes of each number."""
    sent: dict[str, set[tuple[str, str]]] = {}
    for row in control.messages(kind="InvoiceDetailRequest", direction="in"):
        sent.setdefault(row["invoice_number"], set()).add((row["payload_id"], row["sha256"]))
    taken = [row["number"] for row in control.invoices()]
    return {"totals": control.totals(), "taken": taken, "sent": {k: sorted(v) for k, v in sent.items()}}


def _nursery(settings: dict[str, Any]) -> None:
    control = ControlClient(settings["control_url"], settings["token"], settings["ca_file"])
    place = homes.Place(settings["profile_url"], settings["ca_file"], settings["secret"])
    template = homes.make(Path(settings["folder"]) / "template", place)
    _fill(template)
    assert template("dispatch", "--dry-run").code == 1  # what it imports and compiles, its children need not
    print(json.dumps([_life(template, control, point) for point in settings["points"]]))


# --- the tests --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sandbox() -> Iterator[AribaSandbox]:
    """A network of this file's own: lives reset it one after the other."""
    with AribaSandbox(Options()) as running:
        yield running


def _lives(sandbox: AribaSandbox, folder: Path, points: tuple[str, ...]) -> list[dict[str, Any]]:
    ready = sandbox.ready()
    settings = {
        "control_url": ready["control_url"], "token": sandbox.token, "ca_file": str(sandbox.ca_file),
        "profile_url": ready["profile_url"], "secret": sandbox.network.secret, "folder": str(folder), "points": points,
    }  # fmt: skip
    done = subprocess.run([sys.executable, __file__], input=json.dumps(settings), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    assert [life["at"] for life in found] == list(points)
    return found


def _check(life: dict[str, Any]) -> None:
    at = life["at"]
    assert set(life["deaths"]) == {137}, (at, life)
    assert life["states"] == MIX, (at, life)
    assert life["codes"][-1] == 1, (at, life)  # held and rejected documents need a person
    assert life["balances"] == [True], (at, life)
    assert life["sound"] == "the ledger is sound\n", (at, life)
    assert (life["totals"]["doubled"], life["totals"]["changed"]) == ([], []), (at, life)
    assert sorted(life["taken"]) == sorted(TAKEN), (at, life)
    assert {number: len(found) for number, found in life["sent"].items()} == dict.fromkeys(SENT, 1), (at, life)


def test_killed_at_every_crash_point_nothing_is_lost_and_every_repeat_is_the_same(
    sandbox: AribaSandbox, tmp_path: Path
) -> None:
    for life in _lives(sandbox, tmp_path, (*CRASH_POINTS, *AGAIN)):
        _check(life)


def test_sigkill_at_any_moment_leaves_one_copy_of_each_document(sandbox: AribaSandbox, tmp_path: Path) -> None:
    """A real SIGKILL of a real process, at moments nobody chose, until a run comes to its end."""
    ready, rng = sandbox.ready(), random.Random()
    control = ControlClient(str(ready["control_url"]), sandbox.token, sandbox.ca_file)
    _behave(control)
    place = homes.Place(str(ready["profile_url"]), str(sandbox.ca_file), sandbox.network.secret)
    home = homes.make(tmp_path / "home", place)
    numbers = [f"K-{n:03}" for n in range(40)]
    assert home("submit", *homes.write(home.path, *map(homes.invoice, numbers))).code == 0
    killed = 0
    for _ in range(12):
        before = control.totals()["requests"]
        with home.start("dispatch") as process:
            deadline = time.monotonic() + 20
            while process.poll() is None and control.totals()["requests"] == before and time.monotonic() < deadline:
                time.sleep(0.005)
            time.sleep(rng.random() * 0.15)
            process.send_signal(signal.SIGKILL)
        killed += process.returncode == -signal.SIGKILL
        if killed >= 2:  # a third death with the same document in hand would give it up
            break
    assert killed >= 1
    ended = home.run("dispatch", "--json")
    assert ended.code == 0, ended.text
    assert home.states() == dict.fromkeys(numbers, "delivered")
    seen = _seen(control)
    assert sorted(seen["taken"]) == numbers
    assert (seen["totals"]["doubled"], seen["totals"]["changed"]) == ([], [])
    assert {number: len(found) for number, found in seen["sent"].items()} == dict.fromkeys(numbers, 1)
    home.sound()


def test_a_process_of_its_own_dies_at_the_point_named_and_the_next_one_ends_the_run(
    sandbox: AribaSandbox, tmp_path: Path
) -> None:
    ready = sandbox.ready()
    control = ControlClient(str(ready["control_url"]), sandbox.token, sandbox.ca_file)
    _behave(control)
    place = homes.Place(str(ready["profile_url"]), str(sandbox.ca_file), sandbox.network.secret)
    home = homes.make(tmp_path / "home", place)
    _fill(home)
    assert home.run("dispatch", EINVOICE_CRASH_AT="send.after:2").code == 137
    ended = home.run("dispatch", "--json")
    assert (ended.code, ended.last["run"], ended.last["in"]["documents"]) == (1, 1, len(MIX)), ended.text
    assert home.states() == MIX
    assert (control.totals()["doubled"], control.totals()["changed"]) == ([], [])


if __name__ == "__main__":
    _nursery(json.load(sys.stdin))
