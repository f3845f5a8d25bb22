"""The whole line against a network: files in, cXML over HTTPS, answers back, matched.

Marked ``contract``: holds at any Ariba endpoint, also at a real test account (EINVOICE_ARIBA_URL and its companions).
Marked ``scenario``: the network must be told to misbehave, which only the sandbox can be. tools/scenarios.py lists the
plain misbehaviours with what must come of each; here are those that need more than one invoice or a look inside.
"""

from __future__ import annotations

import subprocess
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from einvoice.cli import _home as cli
from einvoice.exchange import SECRET_SLOT, Outcome
from einvoice.ledger import Ledger, ProfileRef
from einvoice.sandbox.client import ControlClient
from einvoice.sandbox.fixtures import AribaEndpoint
from tests import home as homes
from tools import scenarios, soak

#: What an answer that takes an invoice comes to: a real network may answer 201 and confirm later.
TAKEN = ("delivered", "sent")


@pytest.fixture
def home(tmp_path: Path, ariba_sandbox: AribaEndpoint) -> homes.Home:
    """A home whose documents go to the network of the test."""
    return homes.make(tmp_path / "home", ariba_sandbox)


@pytest.fixture
def control(ariba_sandbox: AribaEndpoint) -> ControlClient:
    """The sandbox's control; tests that use it are marked ``scenario`` and skipped at a real network."""
    assert ariba_sandbox.control is not None
    return ariba_sandbox.control


def submit(home: homes.Home, *invoices: Any) -> None:
    said = home("submit", *homes.write(home.path, *invoices))
    assert said.code == 0, said.text


def story(home: homes.Home, number: str) -> list[str]:
    """The timeline of a document: kind and words of each event."""
    with home.ledger() as ledger:
        (document,) = ledger.find(number)
        return [f"{event.kind}: {event.text}" for event in ledger.timeline(document.id)]


# --- contract ---------------------------------------------------------------------------------------------------------


@pytest.mark.contract
def test_an_invoice_is_taken_by_the_network(home: homes.Home, ariba_sandbox: AribaEndpoint) -> None:
    number = ariba_sandbox.invoice_number()
    submit(home, homes.invoice(number))
    run = home("dispatch", "--json")
    assert home.state(number) in TAKEN, story(home, number)
    assert run.last["balances"] is True
    home.sound()


@pytest.mark.contract
def test_a_wrong_secret_pauses_the_partner_and_no_document_is_lost(
    home: homes.Home, ariba_sandbox: AribaEndpoint
) -> None:
    number = ariba_sandbox.invoice_number()
    submit(home, homes.invoice(number))
    home.env[homes.SECRET] = "not-the-secret-of-anyone"
    assert home("dispatch").code == 1
    view = home.view(number)
    assert (view.state, view.held_by, view.owner) == ("held", "gate", "operator")
    with home.ledger() as ledger:
        assert ledger.gate(homes.EVERYTHING).paused
    home.env[homes.SECRET] = ariba_sandbox.secret
    assert home("partner", "reopen", homes.EVERYTHING, "--reason", "right secret").code == 0
    home("dispatch")
    assert home.state(number) in TAKEN, story(home, number)


@pytest.mark.contract
def test_a_number_the_partner_has_from_another_system_is_rejected(
    tmp_path: Path, home: homes.Home, ariba_sandbox: AribaEndpoint
) -> None:
    number = ariba_sandbox.invoice_number()
    submit(home, homes.invoice(number))
    home("dispatch")
    other = homes.make(tmp_path / "other", ariba_sandbox)
    submit(other, homes.invoice(number, notes=[{"text": "another invoice under the same number"}]))
    assert other("dispatch").code == 1
    assert other.state(number) == "rejected", story(other, number)
    other.sound()


@pytest.mark.contract
def test_a_document_the_network_cannot_read_is_rejected_with_its_words(
    home: homes.Home, ariba_sandbox: AribaEndpoint
) -> None:
    """Our own writer makes none, so a required element is taken out of a stored document by hand."""
    number = ariba_sandbox.invoice_number()
    submit(home, homes.invoice(number))
    home("dispatch")
    with home.ledger() as ledger:
        (view,) = ledger.status(number)
        sent = ledger.transmission(view.transmission_id or 0)
        pipeline = cli.Home(Namespace(home=str(home.path))).pipeline(ledger)
        data = sent.envelope.data.replace(b"<NetAmount>", b"<NetAmounts>").replace(b"</NetAmount>", b"</NetAmounts>")
        assert data != sent.envelope.data
        broken = replace(sent, envelope=replace(sent.envelope, id=f"broken.{sent.envelope.id}", data=data))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(homes.SECRET, ariba_sandbox.secret)
            receipt = pipeline.deliver(broken, at=cli.now())
    assert receipt.outcome is Outcome.REJECTED
    assert receipt.code in ("400", "406")
    assert receipt.text


# --- misbehaviours ----------------------------------------------------------------------------------------------------


@pytest.mark.scenario
@pytest.mark.parametrize("scenario", scenarios.SCENARIOS, ids=lambda one: one.name)
def test_a_misbehaviour_comes_to_what_the_table_says(
    scenario: scenarios.Scenario, home: homes.Home, control: ControlClient
) -> None:
    assert scenarios.play(scenario, home, control) == scenarios.expected(scenario)


@pytest.mark.scenario
def test_a_lost_answer_is_unknown_and_the_resend_is_one_copy(home: homes.Home, control: ControlClient) -> None:
    submit(home, homes.invoice("A-1"))
    control.next("lost_answer")
    home("dispatch")
    first = home.view("A-1")
    assert (first.state, control.count("A-1")) == ("unknown", 1)
    home.later(hours=1)
    second = home.view("A-1")
    assert (second.state, second.payload_id) == ("delivered", first.payload_id)
    (kept,) = control.invoices()
    assert (kept["copies"], kept["distinct_bytes"]) == (2, 1)


@pytest.mark.scenario
def test_a_refused_credential_pauses_the_partner_and_its_whole_queue(home: homes.Home, control: ControlClient) -> None:
    numbers = [f"Q-{n}" for n in range(6)]
    submit(home, *map(homes.invoice, numbers))
    control.next("refuse", after=2, times=0)
    assert home("dispatch").code == 1
    assert list(home.states().values()) == ["delivered", "delivered", "held", "held", "held", "held"]
    assert len(control.messages(kind="InvoiceDetailRequest")) == 3  # the third was refused, nobody tried a fourth
    control.clear_behaviours()
    assert home("dispatch").code == 1
    assert len(control.messages(kind="InvoiceDetailRequest")) == 3  # paused is paused until a person reopens
    assert home("partner", "reopen", homes.EVERYTHING, "--reason", "credentials put right").code == 0
    assert home("dispatch").code == 0
    assert set(home.states().values()) == {"delivered"}
    assert control.totals()["invoices"] == 6
    home.sound()


@pytest.mark.scenario
def test_a_secret_rotated_in_the_middle_of_a_run_needs_no_new_rendering(
    home: homes.Home, control: ControlClient, ariba_sandbox: AribaEndpoint
) -> None:
    submit(home, *map(homes.invoice, ("R-1", "R-2", "R-3")))
    control.next("rotate_secret", after=1, text="a-brand-new-secret")
    home("dispatch")
    assert home.states() == {"R-1": "delivered", "R-2": "held", "R-3": "held"}
    held = home.view("R-2")
    home.env[homes.SECRET] = "a-brand-new-secret"
    home("partner", "reopen", homes.EVERYTHING, "--reason", "the new secret is in place")
    assert home("dispatch").code == 0
    assert home.view("R-2").payload_id == held.payload_id
    row = next(row for row in control.invoices() if row["number"] == "R-2")
    assert (row["copies"], row["distinct_bytes"], row["contents"]) == (2, 2, 1)  # equal but for the secret
    stored = home.stored_bytes()
    assert b"a-brand-new-secret" not in stored
    assert ariba_sandbox.secret.encode() not in stored
    assert SECRET_SLOT.encode() in stored


@pytest.mark.scenario
def test_a_number_taken_by_another_system_is_rejected_also_on_the_second_attempt(
    tmp_path: Path, home: homes.Home, control: ControlClient, ariba_sandbox: AribaEndpoint
) -> None:
    """Attempt 1 was refused unread, so what the partner has under this number cannot be ours."""
    submit(home, homes.invoice("TWICE"))
    home("dispatch")
    other = homes.make(tmp_path / "other", ariba_sandbox)
    submit(other, homes.invoice("TWICE", notes=[{"text": "another invoice"}]))
    control.next("refuse")
    other("dispatch")
    assert other.state("TWICE") == "held"
    other("partner", "reopen", homes.EVERYTHING, "--reason", "it was a fault at the network")
    other("dispatch")
    assert other.state("TWICE") == "rejected", story(other, "TWICE")
    assert control.count("TWICE") == 1


def test_the_table_is_printed_with_a_verdict_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert scenarios.main(["good", "lost answer"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].split() == [
        "lost",
        "answer",
        "unknown",
        "then",
        "delivered",
        "unknown",
        "then",
        "delivered",
        "2",
        "1",
    ]
    assert lines[-1] == "scenarios: 2/2"
    assert scenarios.main(["no such thing"]) == 2


@pytest.mark.slow
def test_a_soak_delivers_holds_and_rejects_what_it_must(capsys: pytest.CaptureFixture[str]) -> None:
    assert soak.main(["50"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "soak: 50/50"


# --- what comes back --------------------------------------------------------------------------------------------------


@pytest.mark.scenario
def test_a_late_rejection_is_polled_and_the_corrected_invoice_replaces_it(
    home: homes.Home, control: ControlClient
) -> None:
    submit(home, homes.invoice("L-1"))
    control.next("answer", later=[{"type": "rejected", "hours": 4, "code": 423, "comment": "cost centre closed"}])
    home("dispatch")
    assert home.state("L-1") == "delivered"
    control.advance(hours=5)
    assert home("receive", "--json").last["new"] == 1
    assert home.state("L-1") == "rejected"
    assert any("cost centre closed" in line for line in story(home, "L-1"))
    (file,) = homes.write(home.path, homes.invoice("L-1", notes=[{"text": "cost centre 4712"}]))
    assert home("submit", file).code == 1  # not without saying that it replaces
    said = home("submit", file, "--replaces", "L-1", "--reason", "cost centre corrected", "--json")
    assert (said.code, said.last["outcome"]) == (0, "replaced")
    assert home("dispatch").code == 0
    assert home.state("L-1") == "delivered"
    assert [row["state"] for row in control.invoices(number="L-1")] == ["rejected", "received"]
    home.sound()


@contextmanager
def _serving(home: homes.Home) -> Iterator[str]:
    """``einvoice serve --inbound`` in a process of its own: where it listens."""
    (home.path / "inbound.toml").write_text('[door]\nport = 0\n[accounts]\nariba = "env:EINVOICE_INBOUND"\n', "utf-8")
    process = home.start("serve", "--inbound", EINVOICE_INBOUND="inbound-secret-1")
    try:
        assert process.stdout is not None
        yield process.stdout.readline().removeprefix("listening on ").strip()
    finally:
        process.terminate()
        out, err = process.communicate(timeout=20)
        assert (process.returncode, err) == (0, ""), out


@pytest.mark.scenario
def test_a_pushed_rejection_is_stored_raw_and_understood_by_a_later_receive(
    home: homes.Home, control: ControlClient
) -> None:
    submit(home, homes.invoice("P-1"))
    home("dispatch")
    with _serving(home) as url:
        control.set_callback(url, "inbound-secret-1")
        control.push("P-1", "rejected", code=423, comment="unknown cost centre")
        _until(lambda: any(row["acknowledged_at"] for row in control.statuses()))
    assert home.state("P-1") == "delivered"  # kept, and not yet read
    with home.ledger() as ledger:
        (kept,) = ledger.inbox("new")
        assert b"unknown cost centre" in kept.inbound.data
        assert kept.inbound.channel == "https:ariba:push"
    assert b"inbound-secret-1" not in home.stored_bytes()
    home("receive")
    assert home.state("P-1") == "rejected"
    home.sound()


@pytest.mark.scenario
def test_who_pushes_with_a_wrong_secret_leaves_nothing_behind(home: homes.Home, control: ControlClient) -> None:
    submit(home, homes.invoice("P-2"))
    home("dispatch")
    with _serving(home) as url:
        control.set_callback(url, "guessed-secret-1")
        row = control.push("P-2", "rejected", code=423)
        _until(lambda: any(each["pushes"] for each in control.statuses()))
    assert "401" in next(each["push_result"] for each in control.statuses() if each["id"] == row["id"])
    with home.ledger() as ledger:
        assert ledger.inbox() == []


def _until(happened: Any) -> None:
    deadline = time.monotonic() + 15
    while not happened():
        assert time.monotonic() < deadline, "nothing came"
        time.sleep(0.02)


@pytest.mark.scenario
def test_a_status_for_nothing_we_have_sent_waits_and_is_matched_when_it_was(
    home: homes.Home, control: ControlClient
) -> None:
    submit(home, homes.invoice("O-1"))
    home("dispatch")
    known = home.view("O-1")
    submit(home, homes.invoice("O-2"))
    coming = known.payload_id.replace(f".{known.id}.", f".{home.view('O-2').id}.")
    control.push("", "reconciled", payload_id=coming)
    said = home("receive", "--json").last
    assert (said["new"], said["orphan"], said["bad"]) == (1, 1, 0)
    assert home.state("O-2") == "planned"
    home("dispatch")
    view = home.view("O-2")
    assert (view.payload_id, view.state, view.business) == (coming, "delivered", "accepted")
    assert home("receive", "--json").last["orphan"] == 0
    home.sound()


@pytest.mark.scenario
def test_a_status_that_comes_twice_counts_once(home: homes.Home, control: ControlClient) -> None:
    submit(home, homes.invoice("D-1"))
    home("dispatch")
    control.push("D-1", "paid", copies=3)
    assert home("receive", "--json").last["new"] == 1
    home("receive")
    assert [line for line in story(home, "D-1") if line.startswith("paid:")] == [
        next(line for line in story(home, "D-1") if line.startswith("paid:"))
    ]
    assert home.view("D-1").payment == "paid"


@pytest.mark.scenario
def test_a_status_that_contradicts_is_flagged_and_moves_nothing(home: homes.Home, control: ControlClient) -> None:
    submit(home, homes.invoice("C-1"))
    home("dispatch")
    control.push("C-1", "paid")
    home("receive")
    control.push("C-1", "rejected", code=423)
    home("receive")
    view = home.view("C-1")
    assert (view.state, view.payment, view.conflict) == ("delivered", "paid", True)
    assert [row["number"] for row in home("status", "conflict", "--json").rows] == ["C-1"]
    assert home.statement().conflicts == 1


@pytest.mark.scenario
def test_a_status_by_number_alone_finds_its_invoice(home: homes.Home, control: ControlClient) -> None:
    submit(home, homes.invoice("N-1"))
    home("dispatch")
    control.push("N-1", "reconciled", by_number=True)
    home("receive")
    assert home.view("N-1").business == "accepted"


@pytest.mark.scenario
def test_polled_statuses_are_acknowledged_only_when_they_are_kept(home: homes.Home, control: ControlClient) -> None:
    submit(home, homes.invoice("K-1"))
    home("dispatch")
    control.push("K-1", "processing")
    control.next("lost_answer", on="pending")
    assert home("receive").code == 1
    assert [row["acknowledged_at"] for row in control.statuses()] == [None]
    assert home("receive", "--json").last["new"] == 1
    assert all(row["acknowledged_at"] for row in control.statuses())
    assert home.view("K-1").business == "processing"


# --- two worlds -------------------------------------------------------------------------------------------------------


@pytest.mark.scenario
def test_a_production_document_finds_no_way_to_a_test_network(home: homes.Home, control: ControlClient) -> None:
    said = home("submit", *homes.write(home.path, homes.invoice("PROD-1")), "--environment", "production")
    assert said.code == 0
    home("dispatch")
    view = home.view("PROD-1")
    assert (view.state, view.findings[0].rule) == ("held", "EINV-ROUTE-01")
    assert "environment is production, it takes test" in view.findings[0].message
    assert control.messages(kind="InvoiceDetailRequest") == []


@pytest.mark.scenario
def test_a_production_profile_needs_a_second_person_and_takes_no_test_document(
    tmp_path: Path, ariba_sandbox: AribaEndpoint, control: ControlClient
) -> None:
    home = homes.make(tmp_path / "home", ariba_sandbox, profiles=())
    file = home.path / "live.profile.toml"
    text = homes.profile(homes.US, ariba_sandbox).replace('environment   = "test"', 'environment   = "production"')
    file.write_text(text.replace('-T"', '"'), "utf-8")
    assert home("profile", "add", file).code == 0
    refused = home("profile", "live", homes.US)
    assert refused.code == 2
    assert "second person" in refused.err
    with home.ledger() as ledger:  # as if it had been approved
        ledger.set_profile_state(homes.US, 1, "live", at=cli.now(), actor="anna", reason="approved")
    submit(home, homes.invoice("TEST-1"))
    home("dispatch")
    assert home.state("TEST-1") == "held"
    assert control.messages(kind="InvoiceDetailRequest") == []


@pytest.mark.scenario
def test_a_document_stays_with_the_profile_version_its_identity_was_fixed_under(
    home: homes.Home, control: ControlClient, ariba_sandbox: AribaEndpoint
) -> None:
    submit(home, homes.invoice("V-1"))
    control.next("lost_answer")
    home("dispatch")
    file = home.path / f"{homes.EVERYTHING}.profile.toml"
    file.write_text(homes.profile(homes.EVERYTHING, ariba_sandbox).replace("1.2.037", "1.2.050") + "\n", "utf-8")
    assert home("profile", "add", file).code == 0
    assert home("profile", "live", homes.EVERYTHING).code == 0
    submit(home, homes.invoice("V-2"))
    home.later(hours=1)
    assert (home.view("V-1").profile, home.view("V-2").profile) == (
        ProfileRef(homes.EVERYTHING, 1), ProfileRef(homes.EVERYTHING, 2),
    )  # fmt: skip
    assert control.totals()["changed"] == []


@pytest.mark.scenario
def test_a_standing_worker_sends_what_is_submitted_while_others_use_the_ledger(
    home: homes.Home, control: ControlClient
) -> None:
    process: subprocess.Popen[str] = home.start("worker", "--idle", "1")
    try:
        for n in range(5):
            submit(home, homes.invoice(f"W-{n}"))
        _until(lambda: control.totals()["invoices"] == 5)
        assert home("receive").code == 0
    finally:
        process.terminate()
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "", "")
    assert set(home.states().values()) == {"delivered"}
    with Ledger.open(home.path / "ledger.sqlite") as ledger:
        assert ledger.workers() == set()
    home.sound()
