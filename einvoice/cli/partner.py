"""einvoice partner pause, reopen: the way to one partner, closed or opened by a person."""

from __future__ import annotations

from argparse import Namespace

from . import _output as out
from ._home import Home, actor, known, now


def run(args: Namespace) -> int:
    with Home(args).ledger() as ledger:
        known(ledger, args.profile)
        if args.verb == "pause":
            ledger.pause_partner(args.profile, reason=args.reason, actor=actor(), at=now())
            value: dict[str, object] = {"profile": args.profile, "paused": True}
            text = f"{args.profile} is paused: {args.reason}"
        else:
            freed = ledger.reopen_partner(args.profile, reason=args.reason, actor=actor(), at=now())
            value, text = {"profile": args.profile, "paused": False, "documents": freed}, f"{args.profile} is open"
            text += f"; {freed} document{'' if freed == 1 else 's'} can go with the next dispatch"
    out.emit(value) if args.json else print(text)
    return out.DONE
