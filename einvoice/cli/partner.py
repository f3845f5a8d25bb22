"""einvoice partner pause, reopen: the way to one partner, closed or opened by a person."""

from __future__ import annotations

from argparse import Namespace

from . import _output as out
from ._home import Home, actor, now


def run(args: Namespace) -> int:
    with Home(args).ledger() as ledger:
        if args.verb == "pause":
            ledger.pause_partner(args.profile, reason=args.reason, actor=actor(), at=now())
            print(f"{args.profile} is paused: {args.reason}")
        else:
            freed = ledger.reopen_partner(args.profile, reason=args.reason, actor=actor(), at=now())
            print(f"{args.profile} is open, {freed} documents go on")
    return out.DONE
