"""What the three remittances have in common: amounts that must be readable, and the statement of one payment."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from ..errors import Finding, UnreadableDocument
from ..exchange import Answer, Environment, Payment
from ..money import parse, plain

_FIX = "ask the partner to send the remittance again"


def amount(text: str | None, place: str, name: str, faults: list[Finding]) -> Decimal:
    """The amount in *text*; where there is none a finding in *faults*, and zero."""
    found = parse((text or "").strip())
    if found is None:
        told = f"{(text or '')[:40]!r} is no amount" if text else "no amount is stated"
        faults.append(Finding("EINV-PAY-01", f"{name}: {told}", place=place, found=(text or "")[:80], fix=_FIX))
        return Decimal(0)
    return found


def day(text: str | None) -> date | None:
    """The day in *text*, ``2026-11-20T...`` or ``20261120...``; None where it is none: it only tells more.

    >>> day("2026-11-20T12:00:00Z"), day("20261120"), day("soon")
    (datetime.date(2026, 11, 20), datetime.date(2026, 11, 20), None)
    """
    stated = (text or "").strip()
    try:
        return date.fromisoformat(stated[: 10 if "-" in stated[:5] else 8])
    except ValueError:
        return None


def checked(answers: Iterable[Answer], faults: list[Finding], place: str) -> list[Answer]:
    """The statements of one remittance; UnreadableDocument with every fault, for half of it would be a wrong sum."""
    found = list(answers)
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        where = ", ".join(filter(None, (place, faults[0].place)))
        raise UnreadableDocument(f"the remittance cannot be read: {faults[0].message}{more}", where=where, fix=_FIX,
                                 findings=faults)  # fmt: skip
    return found


def paid(
    kind: str, payment: Payment, *, number: str, remote_id: str, issue_date: date | None, payload_id: str = "",
    environment: Environment | None,
) -> Answer:  # fmt: skip
    """One line of a remittance as a statement about one document. It says nothing of its delivery."""
    return Answer(
        kind=kind, code="payment", meaning="info", remote_id=remote_id, payload_id=payload_id, number=number,
        issue_date=issue_date, environment=environment, text=told(payment), payment=payment,
    )  # fmt: skip


def told(payment: Payment) -> str:
    """*payment* in words: ``paid 98.00 EUR on 2026-11-20, 4711; discount 2.00``."""
    when = f" on {payment.on.isoformat()}" if payment.on else ""
    name = f", {payment.reference}" if payment.reference else ""
    less = "".join(f"; {reason} {plain(value)}" for reason, value in payment.adjustments)
    return f"paid {plain(payment.amount)} {payment.currency}".rstrip() + f"{when}{name}{less}"
