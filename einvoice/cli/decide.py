"""einvoice decide: which profile, law, format, signature and channel a document gets, and why."""

from __future__ import annotations

from argparse import Namespace

from ..exchange import Environment
from ..partners import Routed
from ..pipeline import Choice, choose
from . import _output as out
from ._home import Home, day, now
from .convert import only


def run(args: Namespace) -> int:
    home = Home(args)
    read = only(args)
    with home.ledger() as ledger:
        choice = choose(read.invoice, Environment(args.environment), home.settings(ledger), day(args.on, now().date()))
    if args.json:
        out.emit(_record(choice))
    else:
        _say(choice)
    return out.DONE if choice.sendable else out.PERSON


def _record(choice: Choice) -> dict[str, object]:
    profile = choice.routed.entry.name if isinstance(choice.routed, Routed) else None
    decided = choice.decision.as_dict() if choice.decision else {"decided": False}
    return {"profile": profile, **decided, "findings": [one.as_dict() for one in choice.findings]}


def _say(choice: Choice) -> None:
    if isinstance(choice.routed, Routed):
        print(f"profile {choice.routed.entry.name}")
    for line in choice.decision.lines() if choice.decision else ():
        print(line)
    out.findings(choice.findings)
