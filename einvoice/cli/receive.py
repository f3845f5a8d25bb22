"""einvoice receive: what partners have for us, stored raw, then read and matched."""

from __future__ import annotations

from argparse import Namespace

from ..dispatch import receive
from . import _output as out
from ._home import Home, now


def run(args: Namespace) -> int:
    home = Home(args)
    with home.ledger() as ledger:
        started = now()
        new = receive(ledger, home.pipeline(ledger), clock=now)
        aside = {state: len(ledger.inbox(state)) for state in ("orphan", "bad")}
        failures = [e.text for e in ledger.notes() if e.kind == "collect-failed" and e.at >= started]
    if args.json:
        out.emit({"new": new, **aside, "failures": failures})
    else:
        print(f"{new} new, {aside['orphan']} match no document, {aside['bad']} unreadable")
        for failure in failures:
            print(f"not asked: {failure}")
    return out.PERSON if failures else out.DONE
