"""Peppol BIS Billing 3, IS-R: sellers in Iceland."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date

from ..errors import Severity
from ..model import Attachment
from ._checks import text
from ._cius import when
from ._facts import Facts
from ._national import account, addressed, countries, is_credit_note, legal, means_of
from ._peppol import in_ubl
from ._rule import Check, Hit, Rule

#: ISO 6523: the Icelandic identification number (kennitala).
KENNITALA = "0196"
#: What the reference to the final due date (eindagi) is called.
FINAL = "EINDAGI"
ACCOUNT_LENGTH = 12


def icelandic(facts: Facts) -> bool:
    """The seller's address is in Iceland."""
    return countries(facts).seller_at == "IS"


def domestic(facts: Facts) -> bool:
    """So is the buyer's."""
    at = countries(facts)
    return at.seller_at == at.buyer_at == "IS"


def plain_type(facts: Facts) -> Iterable[Hit]:
    """IS-R-001."""
    if (facts.invoice.type_code or "").strip() not in ("380", "381"):
        yield Hit("$.type_code", text(facts.invoice.type_code))


def long_account(code: str) -> Check:
    """IS-R-006, -007: an account of twelve digits."""
    return means_of((code,), lambda means: len(account(means)) == ACCOUNT_LENGTH, "account.id")


def _final(facts: Facts) -> Iterator[tuple[str, Attachment]]:
    return ((place, one) for place, one in facts.places("attachments[]") if one.description == FINAL)


def _due(facts: Facts) -> date | None:
    """The due date; in UBL a credit note has none of its own, only one of its payment."""
    return None if facts.syntax == "ubl" and is_credit_note(facts) else facts.invoice.due_date


def _day(value: str | None) -> date | None:
    try:
        return date.fromisoformat(value) if value is not None and len(value) == 10 else None
    except ValueError:
        return None


def final_day(facts: Facts) -> Iterable[Hit]:
    """IS-R-008: the final due date is written as a day."""
    yield from (Hit(f"{place}.id", text(one.id)) for place, one in _final(facts) if _day(one.id) is None)


def final_with_due(facts: Facts) -> Iterable[Hit]:
    """IS-R-009: who states a final due date states a due date."""
    if any(True for _ in _final(facts)) and _due(facts) is None:
        yield Hit("$.due_date")


def final_after_due(facts: Facts) -> Iterable[Hit]:
    """IS-R-010: the final due date is not before the due date."""
    due = _due(facts)
    for place, one in _final(facts):
        if due is None or due.isoformat() > (one.id or ""):
            yield Hit(f"{place}.id", text(one.id), text(due))


def _registered(value: str, scheme: str) -> bool:
    return scheme == KENNITALA


_RULES = (
    Rule("IS-R-001", "BT-3", when(icelandic, plain_type), Severity.WARNING),
    Rule("IS-R-002", "BT-30", when(icelandic, legal("seller", _registered, needed=True)), text="IS-KENNITALA"),
    Rule("IS-R-003", "BT-35", when(icelandic, addressed("seller", "line_1", "postcode")), text="ADDRESS"),
    Rule("IS-R-004", "BT-47", when(domestic, legal("buyer", _registered, needed=True)), text="IS-KENNITALA"),
    Rule("IS-R-005", "BT-50", when(domestic, addressed("buyer", "line_1", "postcode")), text="ADDRESS"),
    Rule("IS-R-006", "BT-84", when(icelandic, long_account("9")), text="IS-ACCOUNT"),
    Rule("IS-R-007", "BT-84", when(icelandic, long_account("42")), text="IS-ACCOUNT"),
    Rule("IS-R-008", "BT-122", when(icelandic, final_day)),
    Rule("IS-R-009", "BT-9", when(icelandic, final_with_due), stated=True),
    Rule("IS-R-010", "BT-122", when(icelandic, final_after_due)),
)
#: The CII binding has no Icelandic rules.
RULES: tuple[Rule, ...] = tuple(replace(rule, check=in_ubl(rule.check)) for rule in _RULES)
