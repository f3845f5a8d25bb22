"""Which profile a document goes by: exactly one, or it is held with the reason each candidate missed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import combinations
from typing import Literal

from ..countries import Facts
from ..errors import Finding
from .house import House, normal, pairs, sellers_of, with_seller
from .profile import EVERY, Profile

State = Literal["draft", "live", "suspended", "retired"]
#: As many missed candidates as a person reads.
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Entry:
    """A stored version of a profile and the state it is in."""

    profile: Profile
    version: int = 1
    state: State = "live"

    @property
    def name(self) -> str:
        return f"{self.profile.id} version {self.version}"


class Book:
    """Entries found by what names their customer, so that a run looks at few of many. Made once, read often."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(entries)
        self.wide = [entry for entry in self.entries if entry.profile.routing.catch_all]
        self._by_key: dict[tuple[str, str], list[Entry]] = {}
        for entry in self.entries:
            for key in () if entry.profile.routing.catch_all else buyer_keys(entry.profile):
                self._by_key.setdefault(key, []).append(entry)

    def naming(self, facts: Facts) -> list[Entry]:
        """Entries that share at least one identifier of the buyer with the document."""
        found = (entry for key in stated_keys(facts) for entry in self._by_key.get(key, ()))
        return list({id(entry): entry for entry in found}.values())


@dataclass(frozen=True, slots=True)
class Miss:
    """One field in which a candidate does not fit the document."""

    field: str
    wants: str
    found: str

    def __str__(self) -> str:
        return f"{self.field} is {self.found or 'not stated'}, it takes {self.wants}"


@dataclass(frozen=True, slots=True)
class Candidate:
    entry: Entry
    misses: tuple[Miss, ...]

    def __str__(self) -> str:
        return f"{self.entry.name}: {'; '.join(map(str, self.misses)) or 'fits'}"


@dataclass(frozen=True, slots=True)
class Routed:
    """The one profile that fits, and the facts completed with what house and profile know."""

    entry: Entry
    facts: Facts
    house: House | None

    @property
    def profile(self) -> Profile:
        return self.entry.profile


@dataclass(frozen=True, slots=True)
class NotRouted:
    """No profile, or several: the document is held."""

    reason: str
    fix: str
    candidates: tuple[Candidate, ...] = ()
    rule: str = "EINV-ROUTE-01"

    def findings(self) -> list[Finding]:
        """One fatal finding that names the candidates."""
        told = " | ".join(map(str, self.candidates))
        return [Finding(self.rule, self.reason + (f" {told}" if told else ""), fix=self.fix)]


def route(
    facts: Facts, profiles: Book | Sequence[Entry], houses: Mapping[str, House] | None = None, *, on: date
) -> Routed | NotRouted:
    """The one live profile for the document when it leaves on the day *on*, or why there is none.

    A profile for any buyer (``catch_all``) is looked at only when no other one fits.
    """
    known = houses or {}
    sellers = sellers_of(facts, known)
    if len(sellers) > 1:
        reason = f"the seller is named by {len(sellers)} house policies: {', '.join(sellers)}."
        return NotRouted(reason, "give each entity identifiers of its own", rule="EINV-ROUTE-03")
    house = known.get(sellers[0] if sellers else facts.seller_entity)
    facts = with_seller(facts, house)
    book = profiles if isinstance(profiles, Book) else Book(profiles)
    for entries in (book.naming(facts), book.wide):
        fitting = [entry for entry in entries if not any(check(entry, facts, on) for check in _CHECKS)]
        if len(fitting) > 1:
            return _several(fitting)
        if fitting:
            return Routed(fitting[0], with_buyer(facts, fitting[0].profile), house)
    return _none(facts, [Candidate(entry, _misses(entry, facts, on)) for entry in book.entries])


def with_buyer(facts: Facts, profile: Profile) -> Facts:
    """*facts* with what the profile knows of its customer. A catch-all profile knows nothing of the buyer."""
    customer = profile.customer
    if profile.routing.catch_all:
        return replace(facts, environment=profile.environment)
    told = set[str](customer.directories)
    return replace(
        facts,
        environment=profile.environment,
        buyer_country=facts.buyer_country or customer.country,
        buyer_kind=customer.kind,
        buyer_established=_known(customer.established, facts.buyer_established),
        buyer_vat_registered=_known(customer.vat_registered, facts.buyer_vat_registered),
        directories=(*customer.directories.items(), *(row for row in facts.directories if row[0] not in told)),
    )


def _known(first: bool | None, second: bool | None) -> bool | None:
    return second if first is None else first


def _several(fitting: Sequence[Entry]) -> NotRouted:
    names = ", ".join(entry.name for entry in fitting)
    fix = "narrow documents, currencies or validity of all but one, or suspend the others"
    return NotRouted(
        f"{len(fitting)} live profiles fit: {names}.",
        fix,
        tuple(Candidate(entry, ()) for entry in fitting),
        "EINV-ROUTE-02",
    )


def _none(facts: Facts, tried: Sequence[Candidate]) -> NotRouted:
    buyer = facts.buyer_name or "the buyer"
    nearest = sorted(tried, key=lambda one: ("buyer" in {miss.field for miss in one.misses}, len(one.misses)))
    fix = "add a profile for this customer, or correct the master data that differs"
    if any([miss.field for miss in one.misses] == ["state"] for one in tried):
        fix = "put the profile in force: einvoice profile live"
    return NotRouted(f"no live profile for {buyer}.", fix, tuple(nearest[:SHOWN]))


# --- field by field ---------------------------------------------------------


def _misses(entry: Entry, facts: Facts, on: date) -> tuple[Miss, ...]:
    found = (check(entry, facts, on) for check in _CHECKS)
    return tuple(miss for miss in found if miss is not None)


def _state(entry: Entry, facts: Facts, on: date) -> Miss | None:
    return None if entry.state == "live" else Miss("state", "live", entry.state)


def _environment(entry: Entry, facts: Facts, on: date) -> Miss | None:
    wants = entry.profile.environment
    return None if facts.environment == wants else Miss("environment", wants, facts.environment)


def _seller(entry: Entry, facts: Facts, on: date) -> Miss | None:
    wants = entry.profile.profile.seller_entity
    return None if wants in (EVERY, facts.seller_entity) else Miss("seller entity", wants, facts.seller_entity)


def _kind(entry: Entry, facts: Facts, on: date) -> Miss | None:
    wants = entry.profile.routing.documents
    return None if facts.kind in wants else Miss("document kind", " or ".join(wants), facts.kind)


def _currency(entry: Entry, facts: Facts, on: date) -> Miss | None:
    wants = entry.profile.routing.currencies
    return None if not wants or facts.currency in wants else Miss("currency", " or ".join(wants), facts.currency)


def _validity(entry: Entry, facts: Facts, on: date) -> Miss | None:
    head = entry.profile.profile
    if head.valid(on):
        return None
    return Miss("day", f"{head.valid_from} to {head.valid_to or 'open'}", on.isoformat())


def _buyer(entry: Entry, facts: Facts, on: date) -> Miss | None:
    """At least one identifier agrees, and none that is unique to a customer contradicts."""
    profile = entry.profile
    if profile.routing.catch_all:
        return None
    wants, found = buyer_keys(profile), stated_keys(facts)
    clash = _clash(wants, found)
    if wants & found and not clash:
        return None
    return Miss("buyer", _told(clash[0] if clash else wants), _told(clash[1] if clash else found))


_CHECKS: tuple[Callable[[Entry, Facts, date], Miss | None], ...] = (
    _state, _environment, _seller, _buyer, _kind, _currency, _validity,
)  # fmt: skip


def buyer_keys(profile: Profile) -> set[tuple[str, str]]:
    """Everything that names the customer of a profile, in comparable form."""
    customer = profile.customer
    vats, numbers = _tagged("VAT", customer.vat_ids), _tagged("BUYER NUMBER", customer.buyer_numbers)
    return vats | numbers | pairs(customer.identifiers, profile.identifiers.partner)


def stated_keys(facts: Facts) -> set[tuple[str, str]]:
    """Everything that names the buyer in a document, in comparable form."""
    vats, numbers = _tagged("VAT", facts.buyer_vat_ids), _tagged("BUYER NUMBER", facts.buyer_numbers)
    return vats | numbers | pairs(facts.buyer_ids, facts.buyer_network_ids)


def _tagged(tag: str, values: Iterable[str]) -> set[tuple[str, str]]:
    return {(tag, normal(value)) for value in values}


def _clash(wants: set[tuple[str, str]], found: set[tuple[str, str]]) -> tuple[set[tuple[str, str]], ...]:
    """VAT ids of one country, or network ids, of which both sides state some and none agrees."""
    for part in sorted({_unique(key) for key in wants} - {""}):
        ours, theirs = ({key for key in keys if _unique(key) == part} for keys in (wants, found))
        if theirs and not ours & theirs:
            return ours, theirs
    return ()


def _unique(key: tuple[str, str]) -> str:
    scheme, value = key
    return f"VAT {value[:2]}" if scheme == "VAT" else scheme if scheme == "NETWORKID" else ""


def _told(keys: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{scheme} {value}".strip() for scheme, value in sorted(keys)[:4])


def overlaps(entries: Sequence[Entry]) -> list[tuple[Entry, Entry]]:
    """Pairs of live profiles that would both take some document."""
    live = [entry for entry in entries if entry.state == "live"]
    return [(one, two) for one, two in combinations(live, 2) if _overlap(one.profile, two.profile)]


def _overlap(one: Profile, two: Profile) -> bool:
    wide = (one.routing.catch_all, two.routing.catch_all)
    sellers = {one.profile.seller_entity, two.profile.seller_entity}
    return (
        one.environment == two.environment
        and (len(sellers) == 1 or EVERY in sellers)
        and (all(wide) or (not any(wide) and bool(buyer_keys(one) & buyer_keys(two))))
        and bool(set(one.routing.documents) & set(two.routing.documents))
        and _shared(one.routing.currencies, two.routing.currencies)
        and max(one.profile.valid_from, two.profile.valid_from)
        <= min(one.profile.valid_to or date.max, two.profile.valid_to or date.max)
    )


def _shared(one: Sequence[str], two: Sequence[str]) -> bool:
    return not one or not two or bool(set(one) & set(two))
