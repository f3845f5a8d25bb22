"""What the law makes of a profile: its wish today, the decisions on every day to come, and what it cannot do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from ..countries import Copy, Decision, Facts, Kind, Override, Refusal, Wish, decide
from ..countries.law import Laws
from ..errors import Finding
from .house import House, with_seller
from .loading import preset_of
from .profile import Profile
from .routing import with_buyer

#: Transports that stand in for any channel: what they are given is carried on by someone else, or by no one.
STAND_INS = ("folder", "mock")


def wish_of(profile: Profile, laws: Laws) -> Wish:
    """What the profile asks of a decision, and the evidence it brings."""
    return Wish(
        name=profile.id,
        formats=profile.want.formats or _formats(profile, laws),
        channels=channels_of(profile),
        copies=tuple(Copy(row.format, row.channel, row.to) for row in profile.want.copies),
        signature=profile.security.signature,
        acceptance=profile.acceptance.kind if profile.acceptance else "",
        agreements=(profile.agreement.kind,) if profile.agreement else (),
        required=profile.content_rules.needs(),
        must_carry=profile.format.must_carry,
    )


def channels_of(profile: Profile) -> tuple[str, ...]:
    """The channels that the profile's transport serves, as laws name them."""
    preset = preset_of(profile)
    return profile.want.channels or ((preset.channel,) if preset else (profile.transport.kind,))


def _formats(profile: Profile, laws: Laws) -> tuple[str, ...]:
    """The law's names of what [format] writes."""
    kind, variant = profile.format.kind, profile.format.variant
    rows = [row for row in laws.formats.values() if row.format == kind]
    return tuple(row.id for row in rows if variant in ("", row.variant) or not row.variant)


def unable(profile: Profile, decision: Decision) -> list[Finding]:
    """Why the profile cannot carry out a decision: another format or channel is demanded than it has."""
    kind, variant = profile.format.kind, profile.format.variant
    found = []
    if decision.format != kind or (variant and decision.variant and variant != decision.variant):
        message = f"{decision.format_id} must be sent, and the profile writes {kind}{f':{variant}' if variant else ''}"
        found.append(_unable(1, message, decision))
    elif not any(_meets(decision.channel, channel) for channel in channels_of(profile)):
        message = f"it must go by {decision.channel}, and the profile has {', '.join(channels_of(profile))}"
        found.append(_unable(2, message, decision))
    return found


def _unable(number: int, message: str, decision: Decision) -> Finding:
    why = f"({decision.rule_ids[0]})" if decision.rule_ids else f"(override {decision.override})"
    fix = "a profile with that format and channel, or the consent or agreement that opens this one"
    return Finding(f"EINV-DECIDE-{number:02}", f"{message} {why}", fix=fix)


def _meets(channel: str, own: str) -> bool:
    return channel == own or channel.partition(":")[0] == own or own.partition(":")[0] == channel


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days with one and the same outcome; ``until`` None is open. ``unable`` is what the profile lacks for it."""

    from_: date
    until: date | None
    decision: Decision | Refusal
    unable: tuple[Finding, ...] = ()

    def __str__(self) -> str:
        span = f"{self.from_} to {self.until}" if self.until else f"from {self.from_}"
        held = f"; held: {self.unable[0].message}" if self.unable else ""
        return f"{span}: {self.decision.lines()[0]}{held}"


def preview(
    profile: Profile,
    laws: Laws,
    house: House | None,
    on: date,
    overrides: Sequence[Override] = (),
    kind: Kind = "invoice",
) -> list[Stretch]:
    """The decisions for this profile from *on* through every change of law known, or until the profile ends.

    Documents are taken to be issued, supplied and sent on the same day.
    """
    days = _days(profile, laws, house, on, overrides)
    outcomes = [(day, _outcome(profile, laws, house, day, overrides, kind)) for day in days]
    firsts = [
        (day, outcome)
        for index, (day, outcome) in enumerate(outcomes)
        if index == 0 or _same(outcome) != _same(outcomes[index - 1][1])
    ]
    ends = [day - timedelta(days=1) for day, _ in firsts[1:]]
    return list(_stretches(profile, firsts, [*ends, profile.profile.valid_to]))


def _stretches(
    profile: Profile, firsts: Sequence[tuple[date, Decision | Refusal]], ends: Sequence[date | None]
) -> Iterator[Stretch]:
    for (day, outcome), end in zip(firsts, ends, strict=True):
        lacks = unable(profile, outcome) if isinstance(outcome, Decision) else []
        yield Stretch(day, end, outcome, tuple(lacks))


def _same(outcome: Decision | Refusal) -> object:
    """An outcome without its day and its notes, for comparison."""
    if isinstance(outcome, Refusal):
        return outcome.rule_ids, outcome.country
    return replace(outcome, on=date.min, dropped=(), assumptions=(), rule_ids=outcome.rule_ids[:1], sources=())


def _days(profile: Profile, laws: Laws, house: House | None, on: date, overrides: Sequence[Override]) -> list[date]:
    head = profile.profile
    start = max(on, head.valid_from)
    files = laws.files(house.country if house else "")
    days = {day for file in files for rule in file.rule for day in rule.edges()}
    days |= {row.date for file in files for row in file.milestone}
    spans = [(row.from_, row.until) for row in laws.formats.values()]
    spans += [(override.from_, override.until) for override in overrides]
    days |= {begin for begin, _ in spans if begin} | {end + timedelta(days=1) for _, end in spans if end}
    return [start, *sorted(day for day in days if start < day <= (head.valid_to or date.max))]


def _outcome(
    profile: Profile, laws: Laws, house: House | None, day: date, overrides: Sequence[Override], kind: Kind
) -> Decision | Refusal:
    customer = profile.customer
    facts = Facts(house.country if house else "", customer.country, day, kind=kind, supply_date=day)
    facts = with_buyer(with_seller(facts, house), profile)
    wish = house.wish() if house else Wish()
    return decide(facts, laws, wish, wish_of(profile, laws), on=day, overrides=overrides)
