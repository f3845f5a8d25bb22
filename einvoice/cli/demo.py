"""einvoice demo: a network, a home, invoices in several formats, a run, the answers, a statement that balances.

What is typed is printed before it is done, so that the demo is also a first lesson.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from argparse import Namespace
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from .. import formats
from ..errors import ConfigError, EInvoiceError
from ..exchange import Environment, Identity
from ..ledger import Ledger
from . import _output as out
from .dispatch import say

_HERE = Path(__file__).resolve()
#: The invented companies and invoices: beside a checkout, or inside an installed package.
_PLACES = (_HERE.parents[2] / "fixtures", _HERE.parents[1] / "_fixtures")
#: Accounts of the invented sellers and buyers at the sandbox network.
_OWN = ("AN01000000001-T", "AN01000000003-T", "AN01000000004-T")
_TO = ("AN02000000002-T", "AN02000000005-T", "AN02000000006-T")
_PROFILES = ("larkfield-us-test", "larkfield-de-test", "larkfield-fr-test", "everything-test")
#: Which source format each invoice arrives in; an ERP has its habits.
_SOURCES = {
    "us-invoice": "json", "us-credit-note": "cxml", "de-invoice": "ubl", "de-credit-note": "json",
    "fr-invoice": "ubl", "fr-credit-note": "ubl", "au-invoice": "ubl", "au-credit-note": "x12",
    "ca-invoice": "x12", "ca-credit-note": "x12", "nz-invoice": "edifact", "nz-credit-note": "ubl",
    "it-invoice": "json", "it-credit-note": "ubl", "it-withholding": "json",
    "at-invoice": "cii", "at-credit-note": "ubl", "be-invoice": "ubl", "be-credit-note": "cii",
    "ch-invoice": "cii", "ch-credit-note": "json", "dk-invoice": "ubl", "dk-credit-note": "ubl",
    "es-invoice": "ubl", "es-credit-note": "json", "gb-invoice": "edifact", "gb-credit-note": "json",
    "nl-invoice": "ubl", "nl-credit-note": "ubl", "no-invoice": "ubl", "no-credit-note": "edifact",
    "pt-invoice": "ubl", "pt-credit-note": "ubl", "rs-invoice": "ubl", "rs-credit-note": "ubl",
    "se-invoice": "ubl", "se-credit-note": "edifact",
}  # fmt: skip
_ENDINGS = {"json": "json", "x12": "x12", "edifact": "edi"}
#: What the buyers say later: invoice number to status type.
_LATER = (("us-invoice", "reconciled"), ("us-invoice", "paid"), ("de-invoice", "rejected"))


def run(args: Namespace) -> int:
    directory = Path(args.dir) if args.dir else Path(tempfile.mkdtemp(prefix="einvoice-demo-"))
    fixtures = next((place for place in _PLACES if (place / "invoices").is_dir()), None)
    if fixtures is None:
        raise ConfigError("the demo's invoices are not installed", fix="run it in a checkout, or reinstall the package")
    print(f"Everything of this demo is kept in {directory}\n")
    with _sandbox(directory / "network") as network:
        code = _tour(directory, fixtures, network)
        if args.keep:
            print(f"\nThe sandbox stays at {network['url']} (control: {network['control_url']}). Enter ends it.")
            sys.stdin.readline()
    if not args.dir and not args.keep and code == out.DONE:
        shutil.rmtree(directory, ignore_errors=True)
    return code


@contextmanager
def _sandbox(directory: Path) -> Iterator[dict[str, Any]]:
    """The sandbox network as a program of its own; ended when the demo ends."""
    accounts = [word for name, ids in (("--own", _OWN), ("--to", _TO)) for one in ids for word in (name, one)]
    command = [sys.executable, "-m", "einvoice.sandbox", "--dir", str(directory), *accounts]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603  our own program
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            raise EInvoiceError("the sandbox did not start", fix='pip install "einvoice-engine[sandbox]"')
        yield json.loads(line)
    finally:
        process.terminate()
        process.communicate(timeout=20)


def _tour(directory: Path, fixtures: Path, network: dict[str, Any]) -> int:
    home = directory / "home"
    os.environ["EINVOICE_ARIBA_SECRET"] = network["secret"]
    shutil.copytree(fixtures / "house", home / "house", dirs_exist_ok=True)
    _only_elsewhere(home / "house" / "law-override.toml")
    invoices = {name: _load(fixtures / "invoices" / f"{name}.toml") for name in _SOURCES}
    profiles = [_profile(fixtures, home, name, network) for name in _PROFILES]
    files = {name: _write(home / "inbox", name, to, invoices[name]) for name, to in _SOURCES.items()}
    _type(home, "profile", "add", *map(str, profiles))
    for name in _PROFILES:
        _type(home, "profile", "live", name)
    _type(home, "decide", str(files["de-invoice"]))
    _type(home, "decide", str(files["fr-invoice"]))
    _type(home, "decide", str(files["nz-invoice"]))
    _type(home, "submit", *map(str, files.values()))
    _type(home, "dispatch", "--patience", "5")
    _answer(network, invoices)
    _type(home, "receive")
    _type(home, "status", "held")
    _type(home, "status", "rejected")
    _type(home, "status", invoices["us-invoice"]["number"])
    print("\nThe run, as it stands now that the buyers have answered:")
    with Ledger.open(home / "ledger.sqlite") as ledger:
        statement = ledger.statement(ledger.runs(limit=1)[0][0])
        broken = ledger.invariants()
    say(statement)
    for line in broken:
        print(line)
    return out.DONE if statement.balances and not broken else out.BALANCE


def _type(home: Path, *words: str) -> None:
    """Prints what a person would type, and does it."""
    from . import main

    typed = [word.replace(f"{home}/", "") for word in words]
    print(f"\n$ einvoice {' '.join(typed)}", flush=True)
    with chdir(home):
        main(["--home", ".", *typed])


def _only_elsewhere(override: Path) -> None:
    """German and American law let cXML be; French law wants an approved platform, which a sandbox is not, and the
    documents of all other countries are here to show the formats: for these the law is overridden, loudly."""
    profiles = 'profiles    = ["larkfield-fr-test", "everything-test"]'
    text = override.read_text("utf-8")
    override.write_text(text.replace("environment =", f"{profiles}\nenvironment =", 1), "utf-8")


def _load(path: Path) -> dict[str, Any]:
    """A readable invoice as canonical JSON values."""
    found: dict[str, Any] = json.loads(json.dumps(tomllib.loads(path.read_text("utf-8")), default=_iso))
    return found


def _iso(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{value!r} has no place in an invoice")


def _write(inbox: Path, name: str, to: str, invoice: dict[str, Any]) -> Path:
    """The invoice as its ERP would leave it, in the format *to*."""
    inbox.mkdir(parents=True, exist_ok=True)
    read = next(formats.read(json.dumps(invoice).encode(), "json"))
    ids = Identity(f"{name}@erp.example", datetime.now(UTC), Environment.TEST)
    path = inbox / f"{name}.{_ENDINGS.get(to, 'xml')}"
    path.write_bytes(formats.get(to).write(read.invoice, ids).data)
    return path


def _profile(fixtures: Path, home: Path, name: str, network: dict[str, Any]) -> Path:
    """The customer's profile with this sandbox's address and authority."""
    text = (fixtures / "profiles" / f"{name}.profile.toml").read_text("utf-8")
    lines = []
    for line in text.splitlines():
        if line.startswith("profile_url"):
            lines += [f'profile_url = "{network["profile_url"]}"', f'ca_file     = "{network["ca_file"]}"']
        else:
            lines.append(line)
    path = home / f"{name}.profile.toml"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def _answer(network: dict[str, Any], invoices: dict[str, dict[str, Any]]) -> None:
    """The buyers look at what they got: one pays, one refuses."""
    from ..sandbox.client import ControlClient

    control = ControlClient(network["control_url"], network["control_token"], network["ca_file"])
    for name, status in _LATER:
        control.push(invoices[name]["number"], status)
    print("\n(The buyers answer: one invoice is approved and paid, one refused.)")
