"""The closed list of conditions a rule may set, each true, false or not known (None) for a document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from .facts import Facts, Wish
from .law import Exemption, Laws, Report, Rule, When


@dataclass(frozen=True, slots=True)
class Case:
    """One document with everything its conditions are looked up in."""

    facts: Facts
    laws: Laws
    house: Wish
    profile: Wish
    on: date

    @property
    def supplied(self) -> date:
        return self.facts.supply_date or self.facts.issue_date

    def day(self, basis: str) -> date:
        """The day that a rule's span is held against.

        A document counts as issued when it leaves: statutes speak of transmission (UStG § 27(38)), so a document
        that waited past a change of law falls under the new one.
        """
        return self.supplied if basis == "supply" else max(self.facts.issue_date, self.on)

    @property
    def domestic(self) -> bool:
        return self.facts.seller_country == self.facts.buyer_country

    @property
    def agreements(self) -> tuple[str, ...]:
        return (*self.profile.agreements, *self.house.agreements)


def _same(known: bool | None, wanted: bool) -> bool | None:
    return None if known is None else known is wanted


def _upto(known: Decimal | None, limit: str) -> bool | None:
    return None if known is None else known <= Decimal(limit)


def _over(known: Decimal | None, limit: str) -> bool | None:
    return None if known is None else known > Decimal(limit)


def _in_directory(case: Case, name: str) -> bool | None:
    return dict(case.facts.directories).get(name)


_CONDITIONS: Mapping[str, Callable[[Case, Any], bool | None]] = {
    "seller_established": lambda case, wanted: _same(case.facts.seller_established, wanted),
    "buyer_established": lambda case, wanted: _same(case.facts.buyer_established, wanted),
    "buyer_vat_registered": lambda case, wanted: _same(case.facts.buyer_vat_registered, wanted),
    "buyer_in_directory": _in_directory,
    "buyer_in_eu": lambda case, wanted: case.laws.in_eu(case.facts.buyer_country) is wanted,
    "seller_size": lambda case, sizes: None if case.facts.seller_size is None else case.facts.seller_size in sizes,
    "seller_turnover_prev_year_upto": lambda case, limit: _upto(case.facts.seller_turnover, limit),
    "seller_turnover_prev_year_over": lambda case, limit: _over(case.facts.seller_turnover, limit),
    "agreement": lambda case, kinds: any(kind in case.agreements for kind in kinds),
    "amount_upto": lambda case, limit: _upto(case.facts.amount, limit),
    "amount_over": lambda case, limit: _over(case.facts.amount, limit),
    "region": lambda case, regions: None if not case.facts.region else case.facts.region in regions,
}


def holds(when: When, case: Case) -> tuple[bool | None, list[str]]:
    """Whether all conditions hold, and the names of those not known. One false makes the whole false."""
    answers = {name: _CONDITIONS[name](case, wanted) for name, wanted in when.conditions().items()}
    if False in answers.values():
        return False, []
    unknown = [name for name, answer in answers.items() if answer is None]
    return (None if unknown else True), unknown


def exempt(exemption: Exemption, case: Case) -> bool:
    """True when the case is one the rule leaves out. An amount that is not known, or in another currency, is not."""
    facts = case.facts
    country = case.laws.countries.get(facts.seller_country)
    comparable = country is not None and facts.currency == country.currency
    return (
        (exemption.claim is not None and exemption.claim in facts.exemptions)
        or (comparable and exemption.gross_upto is not None and _upto(facts.amount, exemption.gross_upto) is True)
        or (comparable and exemption.net_upto is not None and _upto(facts.net, exemption.net_upto) is True)
    )


#: Where a condition is not known: a duty is taken to bind, an easement is not taken to be open.
_BINDS_WHEN_UNKNOWN = {"mandatory": True, "prohibited": True, "reporting": True, "relief": False, "permitted": False}


def applies(rule: Rule, case: Case) -> tuple[bool, str]:
    """Whether *rule* binds the case, and what was assumed to say so."""
    if not _concerns(rule, case) or any(exempt(item, case) for item in rule.unless):
        return False, ""
    answer, unknown = holds(rule.when, case)
    if answer is not None:
        return answer, ""
    binds = _BINDS_WHEN_UNKNOWN[rule.obligation]
    taken = "taken as bound by" if binds else "so not taken as eased by"
    return binds, f"{' and '.join(unknown)} not known, {taken} {rule.id}"


def _concerns(rule: Rule, case: Case) -> bool:
    scope = "domestic" if case.domestic else "cross_border"
    return (
        rule.status != "proposed"
        and rule.segment == case.facts.buyer_kind
        and rule.scope in (scope, "any")
        and rule.region in ("", case.facts.region)
        and rule.holds(case.day(rule.date_basis))
        and rule.supply_holds(case.supplied)
    )


def reported(report: Report, case: Case) -> bool:
    """True when the data go to the authority; not known counts as yes."""
    return report.holds(case.day("issue")) and holds(report.when, case)[0] is not False
