"""einvoice hold, release, resend, suppress, cancel, rerender: a person's decision about one document."""

from __future__ import annotations

from argparse import Namespace

from ..errors import Finding, LedgerError, Severity
from ..ledger import DeliveryView, HeldBy, Ledger
from . import _output as out
from ._home import Home, actor, now
from .status import found


def run(args: Namespace) -> int:
    with Home(args).ledger() as ledger:
        document = found(ledger, args.number)
        for view in document.deliveries:
            if view.purpose == "original":
                _act(ledger, view, args)
        state = ledger.document(document.id).state
    if args.json:
        out.emit({"number": args.number, "action": args.command, "state": state})
    else:
        print(f"{args.number}: {args.command}: now {state}")
    return out.DONE


def _act(ledger: Ledger, view: DeliveryView, args: Namespace) -> None:
    """Does it. A refusal names the document as people know it, not the ledger's own number of its delivery."""
    try:
        if args.command == "hold":
            why = Finding("EINV-HOLD-01", args.reason, Severity.WARNING, fix=f"einvoice release {args.number}")
            ledger.hold(view.id, [why], actor(), at=now(), by=HeldBy.PERSON, reason=args.reason)
        else:
            getattr(ledger, args.command)(view.id, reason=args.reason, actor=actor(), at=now())
    except LedgerError as refusal:
        told = refusal.message.replace(f"delivery {view.id}", args.number)
        raise LedgerError(told, fix=refusal.fix or f"see: einvoice status {args.number}") from refusal.__cause__
