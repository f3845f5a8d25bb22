"""What is unwise or impossible about a profile that its schema cannot see. Run at upload, before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

from .. import formats
from ..config import check_secret, is_reference
from ..countries import CHECKS, Override, Refusal
from ..countries.law import IdRow, Laws
from ..errors import Finding, Severity
from .house import House
from .loading import preset_of
from .preview import STAND_INS, channels_of, preview
from .profile import EVERY, Id, Profile
from .routing import Entry, overlaps

_LOOPBACK = re.compile(r"https?://(localhost|127\.|\[::1\])")


def lint(
    profile: Profile,
    laws: Laws,
    houses: Mapping[str, House],
    *,
    on: date,
    others: Sequence[Entry] = (),
    overrides: Sequence[Override] = (),
    secrets_from: Path | None = None,
) -> list[Finding]:
    """Every finding about *profile*; fatal ones forbid putting it in force.

    others        the profiles in force beside it
    secrets_from  when given, secret references are looked up, relative ones from this directory
    """
    house = houses.get(profile.profile.seller_entity)
    found = [
        *_identities(profile),
        *_seller(profile, house, laws),
        *_identifiers(profile, laws),
        *_channel(profile),
        *_documents(profile),
        *_acks(profile),
        *_beside(profile, others),
        *_law(profile, laws, house, on, overrides),
        *(_secrets(profile, secrets_from) if secrets_from is not None else ()),
    ]
    return [finding.at(f"{profile.id}:{finding.place}" if finding.place else profile.id) for finding in found]


def _finding(number: int, place: str, message: str, fix: str = "", severity: Severity = Severity.FATAL) -> Finding:
    return Finding(f"EINV-PROF-{number:02}", message, severity, place=place, fix=fix)


def _identities(profile: Profile) -> Iterator[Finding]:
    """Identifiers have the network's form; test ones bear its mark, all of them, and production ones none."""
    preset = preset_of(profile)
    ids = profile.identifiers
    for rule in preset.identity if preset else ():
        rows = [row for row in (*ids.own, *ids.partner, *ids.sender) if row.scheme.upper() == rule.scheme.upper()]
        for row in rows:
            if not re.fullmatch(rule.pattern, row.value):
                yield _finding(10, "identifiers", f"{rule.scheme} {row.value} does not have the form {rule.pattern}")
            test = row.value.endswith(rule.test_suffix)
            if rule.test_suffix and test != (profile.environment == "test"):
                side = "a test" if test else "a production"
                message = f"{rule.scheme} {row.value} is {side} id in a profile for {profile.environment}"
                yield _finding(11, "identifiers", message, f"test ids end in {rule.test_suffix}, all of them or none")
        for side in ("own", "partner"):
            if not any(row in rows for row in getattr(ids, side)):
                yield _finding(12, f"identifiers.{side}", f"no {rule.scheme}", f"add one with scheme {rule.scheme}")


def _seller(profile: Profile, house: House | None, laws: Laws) -> Iterator[Finding]:
    entity = profile.profile.seller_entity
    if house is None and entity != EVERY:
        yield _finding(13, "profile.seller_entity", f"there is no house policy for {entity}", "add house/<entity>.toml")
    years, law = profile.archive.retention_years, laws.countries.get(house.country) if house else None
    if law and 0 < years < law.retention.years:
        message = f"{years} years are fewer than the {law.retention.years} of {law.name}, which are kept anyway"
        yield _finding(14, "archive.retention_years", message, "leave it out", Severity.WARNING)


def _identifiers(profile: Profile, laws: Laws) -> Iterator[Finding]:
    """Identifiers that a country file knows have its form and check digit."""
    customer = profile.customer
    for value in customer.vat_ids:
        country = laws.countries.get(value[:2].upper())
        rows = [row for row in country.id if row.key == "vat"] if country else []
        yield from _judged("customer.vat_ids", value, rows)
    rows = [row for country in laws.countries.values() for row in country.id]
    for identifier in (*customer.identifiers, *profile.identifiers.own, *profile.identifiers.partner):
        yield from _judged("identifiers", identifier.value, _rows_for(identifier, rows))


def _rows_for(identifier: Id, rows: Sequence[IdRow]) -> list[IdRow]:
    return [row for row in rows if identifier.scheme in (row.eas, row.icd) and identifier.scheme]


def _judged(place: str, value: str, rows: Sequence[IdRow]) -> Iterator[Finding]:
    for row in rows[:1]:
        plain = value.replace(" ", "")
        if row.pattern and not re.fullmatch(row.pattern, plain):
            yield _finding(15, place, f"{value} does not have the form of a {row.name}: {row.pattern}")
        elif row.check and not CHECKS[row.check](plain):
            yield _finding(16, place, f"{value}: the check digit of this {row.name} is wrong", "ask the customer")


def _channel(profile: Profile) -> Iterator[Finding]:
    kind, production = profile.transport.kind, profile.environment == "production"
    for channel in channels_of(profile):
        if kind not in (*STAND_INS, channel.partition(":")[0]):
            yield _finding(17, "want.channels", f"{channel} is not a channel of transport {kind}", "name one that is")
    if kind in STAND_INS and not profile.want.channels:
        message = f"transport {kind} stands in for a channel, and want.channels does not say which"
        yield _finding(18, "want.channels", message, 'name it, such as ["https:ariba"]')
    if kind == "mock" and production:
        yield _finding(
            19, "transport.kind", "mock delivers nothing, in a profile for production", "use a real transport"
        )
    for key, address in _addresses(profile):
        if production and _LOOPBACK.match(address):
            yield _finding(20, key, "an address on this machine, in a profile for production", "the network's address")
    mode = getattr(profile.transport, "deployment_mode", profile.environment)
    if mode != profile.environment:
        yield _finding(21, "transport.deployment_mode", f"{mode} in a profile for {profile.environment}")


def _addresses(profile: Profile) -> Iterator[tuple[str, str]]:
    for name in type(profile.transport).model_fields:
        value = getattr(profile.transport, name)
        for one in value.values() if isinstance(value, Mapping) else (value,):
            if isinstance(one, str) and "://" in one:
                yield f"transport.{name}", one


def _documents(profile: Profile) -> Iterator[Finding]:
    table = profile.format
    styled = "credit_style" in type(table).model_fields and "credit_style" not in table.model_fields_set
    if styled and "credit_note" in profile.routing.documents:
        message = "credit notes come here and the style the buyer expects is not set"
        yield _finding(22, "format.credit_style", message, "ask the buyer and write it down", Severity.WARNING)
    if profile.batch.max > 1 and not hasattr(formats.module(table.kind).FORMAT, "share"):
        message = f"{table.kind} holds one document, so each would travel alone"
        yield _finding(32, "batch.max", message, "leave [batch] out")
    if not profile.routing.catch_all and not _named(profile):
        yield _finding(23, "customer", "nothing names the customer", "add vat_ids, identifiers or buyer_numbers")


def _named(profile: Profile) -> bool:
    customer = profile.customer
    rows: tuple[object, ...] = (*customer.vat_ids, *customer.identifiers, *customer.buyer_numbers)
    return bool(rows or profile.identifiers.partner)


def _acks(profile: Profile) -> Iterator[Finding]:
    later = [kind for kind in profile.acks.expected if kind != "response"]
    if later and not profile.acks.source:
        message = f"a {later[0]} acknowledgement is expected and there is no place to read it"
        yield _finding(24, "acks.source", message, 'add "poll", "push" or "folder"')
    kind, source = profile.transport.kind, {*profile.acks.source}
    if kind == "folder" and {"poll", "folder"} & source and getattr(profile.transport, "inbox", None) is None:
        message = "acknowledgements are read in the folder, which has no inbox"
        yield _finding(31, "transport.inbox", message, "name the directory where answers are put")
    if kind not in ("folder", *STAND_INS) and "folder" in source:
        yield _finding(33, "acks.source", f"transport {kind} has no folder to read", 'write "poll" or "push"')
    polls = getattr(profile.transport, "poll", None)
    if "poll" in profile.acks.source and polls == ():
        yield _finding(25, "transport.poll", "acks are read by polling and nothing is polled", "name the message types")


def _beside(profile: Profile, others: Sequence[Entry]) -> Iterator[Finding]:
    beside = [entry for entry in others if entry.profile.id != profile.id]
    for pair in overlaps([Entry(profile), *beside]):
        clash = [entry for entry in pair if entry.profile is not profile]
        if len(clash) == 1:
            message = f"takes the same documents as {clash[0].name}, so both would be held"
            yield _finding(26, "routing", message, "narrow documents, currencies or validity of one")


def _law(
    profile: Profile, laws: Laws, house: House | None, on: date, overrides: Sequence[Override]
) -> Iterator[Finding]:
    """The first day from which the profile cannot carry out what the law asks."""
    if house is None:
        return
    head = profile.profile
    if head.valid_to and head.valid_to < on:
        yield _finding(27, "profile.valid_to", f"ended on {head.valid_to}", "set a later day")
        return
    for stretch in preview(profile, laws, house, on, overrides):
        if isinstance(stretch.decision, Refusal):
            yield _finding(28, "profile", f"from {stretch.from_} nothing may be sent: {stretch.decision.reason}",
                           stretch.decision.fix, _when(stretch.from_, on, head.valid_from))  # fmt: skip
        elif stretch.unable:
            yield _finding(29, "profile", f"from {stretch.from_} documents are held: {stretch.unable[0].message}",
                           stretch.unable[0].fix, _when(stretch.from_, on, head.valid_from))  # fmt: skip
        elif stretch.decision.override:
            message = f"LAW OVERRIDDEN by {stretch.decision.override} from {stretch.from_}"
            yield _finding(30, "profile", message, severity=Severity.WARNING)


def _when(day: date, on: date, begins: date) -> Severity:
    """A problem of today forbids; one of a later day warns."""
    return Severity.FATAL if day <= max(on, begins) else Severity.WARNING


def _secrets(profile: Profile, base: Path) -> Iterator[Finding]:
    for name in type(profile.transport).model_fields:
        value = getattr(profile.transport, name)
        if isinstance(value, str) and is_reference(value):
            yield from check_secret(value, base, f"transport.{name}")
