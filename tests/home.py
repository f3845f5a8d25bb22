"""A home directory as an operator would make it, pointed at a sandbox, and the command line typed in it."""

from __future__ import annotations

import io
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tomllib
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from einvoice.cli import _home as cli
from einvoice.cli import main
from einvoice.dispatch import dispatch, worker_name
from einvoice.ledger import DeliveryView, Ledger, Statement
from einvoice.ledger.values import STATEMENT_PARTS
from einvoice.sandbox.fixtures import AribaEndpoint

CHECKOUT = Path(__file__).resolve().parent.parent
FIXTURES = CHECKOUT / "fixtures"
EVERYTHING, US = "everything-test", "larkfield-us-test"
SECRET = "EINVOICE_ARIBA_SECRET"  # the name of a variable, not a secret


class Endpoint(Protocol):
    """Where documents go: the fixture ``ariba_sandbox``, or a sandbox of a test's own."""

    @property
    def profile_url(self) -> str: ...
    @property
    def ca_file(self) -> str | None: ...
    @property
    def secret(self) -> str: ...


@dataclass(frozen=True)
class Place:
    """An Endpoint by its parts."""

    profile_url: str
    ca_file: str | None
    secret: str = field(repr=False)


@dataclass(frozen=True)
class Said:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[Any]:
        """Its JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def last(self) -> Any:
        """The last JSON line: of a dispatch, the statement."""
        return self.rows[-1]

    @property
    def text(self) -> str:
        return self.out + self.err


@dataclass
class Home:
    """A home directory and the environment of who types in it."""

    path: Path
    env: dict[str, str]
    ahead: timedelta = timedelta()

    def __call__(self, *words: object) -> Said:
        """``einvoice --home HOME WORDS`` in this process."""
        with _environment(self.env):
            return typed("--home", self.path, *words)

    def start(self, *words: object, **env: str) -> subprocess.Popen[str]:
        """The same in a process of its own, begun and not waited for."""
        command = [sys.executable, "-m", "einvoice", "--home", str(self.path), *map(str, words)]
        return subprocess.Popen(
            command, env={**os.environ, **self.env, **env}, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def run(self, *words: object, **env: str) -> Said:
        """The same in a process of its own, which may be killed on the way."""
        with self.start(*words, **env) as process:
            out, err = process.communicate(timeout=120)
        return Said(process.returncode, out, err)

    def later(self, **span: float) -> Statement:
        """A dispatch *span* after the last one of this kind, or after now: what waits for a second try is due then."""
        self.ahead += timedelta(**span)
        clock = partial(_ahead, self.ahead)
        with _environment(self.env), self.ledger() as ledger:
            line = cli.Home(Namespace(home=str(self.path))).pipeline(ledger)
            return dispatch(
                ledger, line, business_date=clock().date(), clock=clock, worker=worker_name(), rng=random.Random()
            )

    def ledger(self) -> Ledger:
        return Ledger.open(self.path / "ledger.sqlite")

    def view(self, number: str) -> DeliveryView:
        """The original delivery of the one document with *number*."""
        with self.ledger() as ledger:
            (view,) = (view for view in ledger.status(number) if view.purpose == "original")
            return view

    def state(self, number: str) -> str:
        return str(self.view(number).state)

    def states(self) -> dict[str, str]:
        """Number to state, of every living original."""
        with self.ledger() as ledger:
            return {view.number: str(view.state) for view in ledger.status() if view.purpose == "original"}

    def statement(self) -> Statement:
        """The newest run's statement as it stands now."""
        with self.ledger() as ledger:
            return ledger.statement(ledger.runs()[0][0])

    def sound(self) -> None:
        """Fails when a rule of the ledger is broken or a run does not balance."""
        with self.ledger() as ledger:
            assert ledger.invariants() == []
            for run_id, *_ in ledger.runs():
                assert ledger.statement(run_id).balances, run_id

    def stored_bytes(self) -> bytes:
        """Everything in the home directory's ledger files, to look for what must not be there."""
        return b"".join(path.read_bytes() for path in sorted(self.path.glob("ledger.sqlite*")))


def make(path: Path, place: Endpoint, profiles: Sequence[str] = (EVERYTHING,), houses: bool = True) -> Home:
    """A home with *profiles* of fixtures/ live and pointed at *place*, all houses and the law override."""
    path.mkdir(parents=True, exist_ok=True)
    if houses:
        shutil.copytree(FIXTURES / "house", path / "house")
    home = Home(path, {SECRET: place.secret, "EINVOICE_ACTOR": "anna"})
    for name in profiles:
        file = path / f"{name}.profile.toml"
        file.write_text(profile(name, place), "utf-8")
        for words in (("profile", "add", file), ("profile", "live", name)):
            said = home(*words)
            assert said.code == 0, said.text
    return home


def profile(name: str, place: Endpoint) -> str:
    """The text of a profile of fixtures/ with the addresses of *place*."""
    text = (FIXTURES / "profiles" / f"{name}.profile.toml").read_text("utf-8")
    if isinstance(place, AribaEndpoint):
        system = f'{{ scheme = "SystemID", value = "{place.identities.system_id}" }}'
        text = text.replace("AN01000000001-T", place.identities.own)
        text = text.replace('"AN02000000002-T" }', f'"{place.identities.to}" }}, {system}')
    real = isinstance(place, AribaEndpoint) and not place.is_sandbox
    lines = [f'{"url" if real else "profile_url"} = "{place.profile_url}"', 'read_timeout = "2s"' if not real else ""]
    lines += [f'ca_file = "{place.ca_file}"'] if place.ca_file else []
    return re.sub(r"^profile_url *=.*$", lambda _: "\n".join(lines), text, flags=re.MULTILINE)


def typed(*words: object) -> Said:
    """What ``einvoice WORDS`` says, run in this process. A traceback is what it lets out: none is caught here."""
    kept = io.BytesIO(), io.BytesIO()
    out, err = (io.TextIOWrapper(one, "utf-8", write_through=True) for one in kept)
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = main([str(word) for word in words])
        except SystemExit as end:  # argparse's own way to end: --help, wrong words
            code = int(end.code or 0)
    return Said(code, *(one.getvalue().decode("utf-8") for one in kept))


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _ahead(span: timedelta) -> datetime:
    return cli.now() + span


def counts(statement: Mapping[str, Any]) -> dict[str, int]:
    """The parts of a JSON statement that hold documents."""
    return {name: statement[name]["documents"] for name in STATEMENT_PARTS if statement[name]["documents"]}


def invoice(number: str, name: str = "us-invoice", **changes: Any) -> dict[str, Any]:
    """fixtures/invoices/NAME.toml as canonical JSON values under *number*; a change to None drops the key."""
    text = (FIXTURES / "invoices" / f"{name}.toml").read_text("utf-8")
    data = {**json.loads(json.dumps(tomllib.loads(text), default=date.isoformat)), "number": number, **changes}
    return {key: value for key, value in data.items() if value is not None}


def without_order(number: str) -> dict[str, Any]:
    """An invoice behind which no order stands: held before it is sent."""
    data = invoice(number, purchase_order=None)
    return {**data, "lines": [{key: value for key, value in line.items() if key != "order"} for line in data["lines"]]}


def with_wrong_sum(number: str) -> dict[str, Any]:
    """An invoice whose amount due is not its gross: sent as issued, and refused by the buyer."""
    data = invoice(number)
    return {**data, "totals": {**data["totals"], "due": "7000.00"}}


def write(folder: Path, *invoices: Mapping[str, Any]) -> list[Path]:
    """A JSON file for each of *invoices*."""
    files = [folder / f"{one['number']}.json" for one in invoices]
    for file, one in zip(files, invoices, strict=True):
        file.write_text(json.dumps(one), "utf-8")
    return files
