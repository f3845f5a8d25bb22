"""einvoice hold, release, resend, suppress, cancel, rerender: a person's decision about one document."""

from __future__ import annotations

from argparse import Namespace

from ..errors import Finding, Severity
from ..ledger import HeldBy
from . import _output as out
from ._home import Home, actor, now
from .status import found


def run(args: Namespace) -> int:
    with Home(args).ledger() as ledger:
        document = found(ledger, args.number)
        for view in document.deliveries:
            if view.purpose != "original":
                continue
            if args.command == "hold":
                why = Finding("EINV-HOLD-01", args.reason, Severity.WARNING, fix=f"einvoice release {args.number}")
                ledger.hold(view.id, [why], actor(), at=now(), by=HeldBy.PERSON, reason=args.reason)
            else:
                getattr(ledger, args.command)(view.id, reason=args.reason, actor=actor(), at=now())
        state = ledger.document(document.id).state
    print(f"{args.number}: {args.command}: now {state}")
    return out.DONE
