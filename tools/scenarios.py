"""A partner's misbehaviours: expected state, observed state, copies at the partner.

    python -m tools.scenarios [NAME ...]

Each starts from a new home with one invoice and a network as new, makes the network misbehave, does what an operator
would, and looks where the invoice stands and what the network has. The ledger must be sound and every run balance.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from einvoice.ledger import Ledger
from einvoice.sandbox.client import ControlClient
from einvoice.sandbox.options import Options
from einvoice.sandbox.program import AribaSandbox
from tests import home as homes

NUMBER = "US-104417"

Do = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One misbehaviour and what must come of it.

    do       behaviours of the network, as docs/sandbox.md names them
    steps    what happens, in order: names of ``STEPS``
    states   where the invoice stands after the first dispatch, and at the end
    copies   requests with the invoice that reached the wire
    taken    separate invoices that the network has in the end
    """

    name: str
    do: tuple[Do, ...]
    states: tuple[str, str]
    copies: int
    taken: int = 1
    steps: str = ""
    rules: Do = field(default_factory=dict)
    invoice: Callable[[str], Mapping[str, Any]] = homes.invoice


@dataclass(frozen=True, slots=True)
class Observed:
    """What came of a scenario. ``faults``: rules of the ledger that are broken, and runs that do not balance."""

    states: tuple[str, str]
    copies: int
    taken: int
    faults: tuple[str, ...]


_LATER = {"hours": 4}
SCENARIOS = (
    Scenario("good", (), ("delivered", "delivered"), 1),
    Scenario("slow", ({"do": "slow", "seconds": 1},), ("delivered", "delivered"), 1),
    Scenario("silent", ({"do": "hang", "seconds": 3},), ("unknown", "delivered"), 2, steps="later"),
    Scenario("lost answer", ({"do": "lost_answer"},), ("unknown", "delivered"), 2, steps="later"),
    Scenario("lost answer, three times", ({"do": "lost_answer", "times": 3},), ("unknown", "delivered"), 4,
             steps="later later later"),
    Scenario("lost answer, sent again by a person", ({"do": "lost_answer"},), ("unknown", "delivered"), 2,
             steps="resend dispatch"),
    Scenario("lost answer, then a status", ({"do": "lost_answer", "later": [{"type": "processing"}]},),
             ("delivered", "delivered"), 1, steps="later"),
    Scenario("lost request", ({"do": "lost_request"},), ("unknown", "delivered"), 2, steps="later"),
    Scenario("cut: less than promised", ({"do": "cut_answer"},), ("unknown", "delivered"), 2, steps="later"),
    Scenario("cut: connection closed", ({"do": "cut_answer", "how": "close"},), ("unknown", "delivered"), 2,
             steps="later"),
    Scenario("cut: broken XML", ({"do": "cut_answer", "how": "xml"},), ("unknown", "delivered"), 2, steps="later"),
    Scenario("empty answer", ({"do": "empty"},), ("unknown", "delivered"), 2, steps="later"),
    Scenario("500 after it was taken", ({"do": "fail_after_accept"},), ("unknown", "delivered"), 2, steps="later"),
    Scenario("500 before it was taken", ({"do": "fail_before_accept"},), ("unknown", "delivered"), 2, steps="later"),
    Scenario("maintenance page with HTTP 200", ({"do": "maintenance"},), ("unknown", "delivered"), 2, steps="later"),
    Scenario("503 with Retry-After", ({"do": "unavailable"},), ("unknown", "delivered"), 2, steps="later"),
    Scenario("HTTP 200 with Status 401", ({"do": "refuse"},), ("held", "delivered"), 2, steps="reopen dispatch"),
    Scenario("secret rotated", ({"do": "rotate_secret"},), ("held", "delivered"), 2,
             steps="new-secret reopen dispatch"),
    Scenario("Status 560, temporary", ({"do": "answer", "code": 560},), ("waiting", "delivered"), 2, steps="later"),
    Scenario("409 on the first copy", ({"do": "duplicate"},), ("rejected", "rejected"), 1),
    Scenario("409 on a repeat", ({"do": "lost_answer"},), ("unknown", "delivered"), 2, steps="later",
             rules={"repeat_code": 409}),
    Scenario("201 and no word after it", ({"do": "answer", "code": 201},), ("sent", "sent"), 1, steps="later"),
    Scenario("201, then processing", ({"do": "answer", "code": 201, "later": [{"type": "processing", **_LATER}]},),
             ("sent", "delivered"), 1, steps="hours receive"),
    Scenario("late rejection", ({"do": "answer", "later": [{"type": "rejected", "code": 400, **_LATER}]},),
             ("delivered", "rejected"), 1, 1, steps="hours receive"),
    Scenario("late rejection by the buyer's rules", (), ("sent", "rejected"), 1, 1, steps="hours receive",
             rules={"default": {"verdict": "status"}}, invoice=homes.with_wrong_sum),
    Scenario("paid before processing, twice each", ({"do": "answer", "code": 201, "later": [
        {"type": "paid", "copies": 2, "hours": 1}, {"type": "processing", "copies": 2, "hours": 2}]},),
             ("sent", "delivered"), 1, steps="hours receive receive"),
    Scenario("a buyer's rule broken", (), ("rejected", "rejected"), 1, 0, invoice=homes.with_wrong_sum),
    Scenario("no order behind it", (), ("held", "held"), 0, 0, steps="later", invoice=homes.without_order),
    Scenario("address moved", ({"do": "moved_url"},), ("delivered", "delivered"), 1),
    Scenario("address on a foreign host", ({"do": "foreign_host"},), ("held", "delivered"), 1,
             steps="reopen dispatch"),
    Scenario("payloadID of an answer used twice", ({"do": "reuse_payload_id"},), ("delivered", "delivered"), 1),
    Scenario("network asked for its addresses is down", ({"do": "unavailable", "on": "profile"},),
             ("waiting", "delivered"), 1, steps="later"),
    Scenario("mailbox is down", ({"do": "fail_before_accept", "on": "pending"},), ("delivered", "delivered"), 1),
)  # fmt: skip

Step = Callable[[homes.Home, ControlClient], object]
STEPS: Mapping[str, Step] = {
    "dispatch": lambda home, control: home("dispatch"),
    "later": lambda home, control: home.later(hours=2),
    "receive": lambda home, control: home("receive"),
    "resend": lambda home, control: home("resend", NUMBER, "--reason", "the partner has nothing"),
    "reopen": lambda home, control: home("partner", "reopen", homes.EVERYTHING, "--reason", "put right"),
    "new-secret": lambda home, control: home.env.update({homes.SECRET: control.rotate_secret()}),
    "hours": lambda home, control: control.advance(hours=6),
}


def play(scenario: Scenario, home: homes.Home, control: ControlClient) -> Observed:
    """What comes of *scenario* in a new *home* whose network is as new."""
    control.reset()
    if scenario.rules:
        control.set_rules(scenario.rules)
    for behaviour in scenario.do:
        control.next(**behaviour)
    home("submit", *homes.write(home.path, scenario.invoice(NUMBER)))
    home("dispatch")
    first = home.state(NUMBER)
    for step in scenario.steps.split():
        STEPS[step](home, control)
    return Observed((first, home.state(NUMBER)), _copies(control), control.count(NUMBER), tuple(_faults(home, control)))


def _copies(control: ControlClient) -> int:
    return len(control.messages(kind="InvoiceDetailRequest", direction="in"))


def _faults(home: homes.Home, control: ControlClient) -> Sequence[str]:
    totals = control.totals()
    with home.ledger() as ledger:
        broken = ledger.invariants()
        unbalanced = [f"run {run[0]} does not balance" for run in ledger.runs() if not _balances(ledger, run[0])]
    doubled = [f"{len(totals[name])} {name}" for name in ("doubled", "changed") if totals[name]]
    return [*broken, *unbalanced, *doubled]


def _balances(ledger: Ledger, run_id: int) -> bool:
    return ledger.statement(run_id).balances


def expected(scenario: Scenario) -> Observed:
    return Observed(scenario.states, scenario.copies, scenario.taken, ())


def main(names: Sequence[str]) -> int:
    chosen = [one for one in SCENARIOS if not names or one.name in names]
    if not chosen:
        print(f"no such scenario; there are: {', '.join(one.name for one in SCENARIOS)}", file=sys.stderr)
        return 2
    row = "{:<40} {:<23} {:<23} {:>6} {:>8}  {}"
    print(row.format("misbehaviour", "expected", "observed", "copies", "invoices", ""))
    passed = 0
    with tempfile.TemporaryDirectory(prefix="einvoice-") as folder, AribaSandbox(Options()) as sandbox:
        ready = sandbox.ready()
        control = ControlClient(str(ready["control_url"]), sandbox.token, sandbox.ca_file)
        place = homes.Place(str(ready["profile_url"]), str(sandbox.ca_file), sandbox.network.secret)
        for at, one in enumerate(chosen):
            seen, wanted = play(one, homes.make(Path(folder) / str(at), place), control), expected(one)
            passed += seen == wanted
            told = "" if seen == wanted else f"NOT AS EXPECTED {wanted.copies}, {wanted.taken} {'; '.join(seen.faults)}"
            print(row.format(one.name, _told(wanted), _told(seen), seen.copies, seen.taken, told).rstrip(), flush=True)
    print(f"scenarios: {passed}/{len(chosen)}")
    return 0 if passed == len(chosen) else 1


def _told(one: Observed) -> str:
    return one.states[1] if one.states[0] == one.states[1] else " then ".join(one.states)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
