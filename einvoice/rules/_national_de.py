"""Peppol BIS Billing 3, DE-R: between parties in Germany the rules of XRechnung hold, under ids of Peppol's own.

They are those of ``_xr``; the cash discount and the e-mail address are written otherwise in the older release.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from . import _xr
from ._checks import text
from ._cius import when
from ._facts import Facts
from ._national import both_german
from ._peppol import MAY_2026, in_ubl
from ._rule import Check, Hit, Rule

#: Peppol's id, KoSIT's.
SAME = {
    **{f"DE-R-{number:03}": f"BR-DE-{number}" for number in (*range(1, 12), *range(14, 18), 19, 20, 22, 26, 27, 30)},
    "DE-R-023-1": "BR-DE-23-a", "DE-R-023-2": "BR-DE-23-b",
    "DE-R-024-1": "BR-DE-24-a", "DE-R-024-2": "BR-DE-24-b",
    "DE-R-025-1": "BR-DE-25-a", "DE-R-025-2": "BR-DE-25-b",
    "DE-R-T02": "BR-TMP-2",
}  # fmt: skip
_DISCOUNT = re.compile(r"#SKONTO#TAGE=[0-9]+#PROZENT=[0-9]+\.[0-9]{2}(#BASISBETRAG=-?[0-9]+\.[0-9]{2})?#$")
_MAIL = re.compile(r"[^@\s]+@(?:[^@.\s]+\.)+[^@.\s]+")
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_ATOM = r"[a-zA-Z0-9!#$%&\"*+/=?^_`{|}~-]+"
_OLD_MAIL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+{_LABEL}")


def german(check: Check) -> Check:
    """*check* between parties in Germany; the CII binding of Peppol has no German rules."""
    return in_ubl(when(both_german, check))


def cash_discount(facts: Facts) -> Iterable[Hit]:
    """DE-R-018: a line of the payment terms that begins with # is a cash discount, and its line is ended.

    Release 2025-05 let other words stand before the discount.
    """
    terms = facts.payment.terms or ""
    marked = [" ".join(line.split()) for line in terms.split("\n") if line.strip().startswith("#")]
    find = _DISCOUNT.match if facts.on >= MAY_2026 else _DISCOUNT.search
    yield from (Hit("$.payment.terms", text(line)) for line in marked if not find(line))
    rest = re.split(r"#[^\n\r]+#", terms)[-1]
    if marked and re.match(r"\s*\n", rest) is None:
        yield Hit("$.payment.terms", text(marked[-1]))


def mail(facts: Facts) -> Iterable[Hit]:
    """DE-R-028: the e-mail address of the seller's contact looks like one."""
    contact = facts.seller.contact
    pattern = _MAIL if facts.on >= MAY_2026 else _OLD_MAIL
    if contact is not None and not pattern.fullmatch(" ".join((contact.email or "").split())):
        yield Hit("$.seller.contact.email", text(contact.email))


def debited_account(facts: Facts) -> Iterable[Hit]:
    """DE-R-031: where there is a mandate, one of the ways to pay states the account it is taken from."""
    if facts.values("payment.means[].debit") and not facts.values("payment.means[].debit.account"):
        yield Hit("$.payment.means[0].debit.account")


def _mirrored() -> Iterator[Rule]:
    known = {rule.id: rule for rule in _xr.RULES}
    for own, theirs in SAME.items():
        rule = known[theirs]
        yield replace(rule, id=own, text=rule.text or rule.id, check=german(rule.check))


_28 = next(rule for rule in _xr.RULES if rule.id == "BR-DE-28")
RULES: tuple[Rule, ...] = (
    *_mirrored(),
    Rule("DE-R-018", "BT-20", german(cash_discount), text="BR-DE-18"),
    Rule("DE-R-028", "BT-43", german(mail), _28.severity, text="BR-DE-28"),
    Rule("DE-R-031", "BT-91", german(debited_account), text="BR-DE-31"),
)
