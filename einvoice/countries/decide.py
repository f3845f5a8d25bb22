"""From facts, law, house policy and profile to one decision, or a refusal that names the gap.

The law's live rules give a set of formats; wishes order it, evidence and channels thin it, the first one left is
taken. Nothing is dropped without a reason in the record.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain

from .conditions import Case, applies, reported
from .facts import Copy, Decision, Demand, Dropped, Facts, Refusal, Wish
from .law import FormatRow, Laws, Rule, RuleFile, Signature, SourceRow
from .needs import Need
from .overrides import Override, matching

#: Which consents a rule's demand accepts. Paper needs none; what parties arrange themselves (contract) is
#: evidenced by there being a profile.
_CONSENTS = {
    "none": ("", "tacit", "explicit"),
    "contract": ("", "tacit", "explicit"),
    "authority": ("", "tacit", "explicit"),
    "tacit": ("tacit", "explicit"),
    "explicit_or_tacit": ("tacit", "explicit"),
    "explicit": ("explicit",),
}
_NEEDS = ("none", "optional", "required")
_LEVELS = (None, "advanced", "qualified")


@dataclass(frozen=True, slots=True)
class _Bound:
    """A live rule and the file whose sources it cites."""

    rule: Rule
    file: RuleFile


@dataclass(frozen=True, slots=True)
class _Candidate:
    bound: _Bound
    row: FormatRow
    channel: str


def decide(
    facts: Facts,
    laws: Laws,
    house: Wish | None = None,
    profile: Wish | None = None,
    *,
    on: date,
    overrides: Sequence[Override] = (),
) -> Decision | Refusal:
    """How the document is delivered when it leaves on the day *on*, or why it must not leave."""
    case = Case(facts, laws, house or Wish(), profile or Wish(), on)
    lawful = _by_law(case)
    named, notes = matching(overrides, case)
    if len(named) > 1:
        ids = ", ".join(override.id for override in named)
        return _refusal(case, f"{len(named)} overrides of the law fit this document: {ids}.", "leave one", notes)
    return _overridden(case, named[0], lawful, notes) if named else _with(lawful, notes)


def _by_law(case: Case) -> Decision | Refusal:
    country = case.facts.seller_country
    if not case.laws.files(country):
        reason = f"there is no country file for {country or 'a seller without a country'}."
        return _refusal(case, reason, f"add einvoice/countries/{country.lower() or 'xx'}.toml or a named override")
    if not case.facts.buyer_country:
        return _refusal(case, "the buyer's country is not known.", "state BT-55, or the country in the profile")
    live, assumptions = _live(case)
    offered = _offered(live)
    if not offered:
        return _gap(case, live, assumptions)
    found, dropped = _candidates(case, offered, _prohibited(live))
    dropped = [*_unoffered(case, offered), *dropped]
    if not found:
        reason = f"no format that {_names(offered)} allow{'s' if len(offered) == 1 else ''} can be used."
        fix = "bring the missing consent, agreement or channel into the profile"
        return _refusal(case, reason, fix, dropped, assumptions, offered)
    return _decision(case, min(found, key=lambda item: _rank(case, item.row)), live, dropped, assumptions)


def _live(case: Case) -> tuple[list[_Bound], tuple[str, ...]]:
    live, assumptions = [], []
    for file in case.laws.files(case.facts.seller_country):
        for rule in file.rule:
            bound, assumed = applies(rule, case)
            live += [_Bound(rule, file)] if bound else []
            assumptions += [assumed] if assumed else []
    if case.facts.supply_date is None and any(bound.rule.supply_from or bound.rule.supply_until for bound in live):
        assumptions.append("day of supply not stated, taken as the day of issue")
    return live, tuple(assumptions)


def _of(live: Iterable[_Bound], *obligations: str) -> list[_Bound]:
    return [bound for bound in live if bound.rule.obligation in obligations]


def _offered(live: Sequence[_Bound]) -> list[_Bound]:
    """A mandatory rule closes the set, relief reopens it for its own formats only."""
    return _of(live, "mandatory", "relief") if _of(live, "mandatory") else _of(live, "permitted")


def _prohibited(live: Sequence[_Bound]) -> dict[str, str]:
    return {format_id: bound.rule.id for bound in _of(live, "prohibited") for format_id in bound.rule.formats}


def _candidates(
    case: Case, offered: Sequence[_Bound], prohibited: dict[str, str]
) -> tuple[list[_Candidate], list[Dropped]]:
    found: list[_Candidate] = []
    dropped: list[Dropped] = []
    for bound in offered:
        for format_id in (*bound.rule.formats, *bound.rule.agreed_formats):
            row = case.laws.formats[format_id]
            channel = _channel(case, bound.rule, row.family)
            if reason := _obstacle(case, bound.rule, row, channel, prohibited):
                dropped.append(Dropped(format_id, reason, bound.rule.id))
            else:
                found.append(_Candidate(bound, row, channel))
    chosen = {item.row.id for item in found}
    return found, [item for item in dropped if item.what not in chosen]


def _obstacle(case: Case, rule: Rule, row: FormatRow, channel: str, prohibited: dict[str, str]) -> str:
    """Why this format of this rule cannot be used; "" when it can."""
    if row.id in prohibited:
        return f"prohibited by {prohibited[row.id]}"
    if not row.holds(case.day("issue")):
        return "this version of the format is not in force on the day"
    if row.id in rule.agreed_formats and not case.agreements:
        return "open only with an agreement, and the profile brings none"
    if row.family != "paper" and case.profile.acceptance not in _CONSENTS[rule.acceptance]:
        return f"needs the buyer's consent ({rule.acceptance.replace('_', ' ')}), and the profile brings none"
    if not channel:
        return f"no channel of the rule carries {row.family}"
    return ""


def _unoffered(case: Case, offered: Sequence[_Bound]) -> list[Dropped]:
    """Wishes of the profile that no offering rule lists."""
    listed = {format_id for bound in offered for format_id in (*bound.rule.formats, *bound.rule.agreed_formats)}
    wished = [wish for wish in case.profile.formats if not listed & set(case.laws.named(wish))]
    return [Dropped(wish, "not among the formats allowed", _names(offered)) for wish in wished]


def _rank(case: Case, row: FormatRow) -> tuple[int, int]:
    """Profile wishes first, then the house's order; equal ones keep the order of the rules."""
    return _place(case.profile.formats, row), _place(case.house.formats, row)


def _place(wishes: Sequence[str], row: FormatRow) -> int:
    return next((index for index, wish in enumerate(wishes) if wish in (row.id, row.family)), len(wishes))


# --- channels ---------------------------------------------------------------


def _channel(case: Case, rule: Rule, family: str) -> str:
    """The channel for a family under a rule: wished ones first, else the rule's own order; "" when none carries."""
    kinds = case.laws.carry.get(family, ())
    lawful = [channel for channel in rule.channels if channel.partition(":")[0] in kinds]
    wished = chain.from_iterable(_meet(wish, lawful) for wish in (*case.profile.channels, *case.house.channels))
    return next(wished, lawful[0] if lawful else "")


def _meet(wish: str, lawful: Sequence[str]) -> list[str]:
    """``https`` is met by any ``https:...``; the narrower of the two is used."""
    kind = wish.partition(":")[0]
    met = [wish for channel in lawful if channel in (wish, kind)]
    return met or [channel for channel in lawful if wish == channel.partition(":")[0]]


# --- outcome ----------------------------------------------------------------


def strictest(law: Signature, *others: Signature, agreements: Sequence[str] = ()) -> Signature:
    """The strongest need and level of all; never weaker than the law, unless the law itself waives it.

    >>> strictest(Signature(need="optional", level="qualified"), Signature(need="required", level="advanced")).level
    'qualified'
    """
    if any(kind in law.waived_by for kind in agreements):
        law = Signature()
    every = (law, *others)
    need = max((item.need for item in every), key=_NEEDS.index)
    level = max((item.level for item in every), key=_LEVELS.index)
    wished = next((item.kinds for item in reversed(others) if item.kinds), law.kinds)
    kinds = tuple(kind for kind in wished if kind in law.kinds) or law.kinds if law.kinds else wished
    return Signature(need=need, level=level, kinds=kinds)


def _decision(
    case: Case, chosen: _Candidate, live: Sequence[_Bound], dropped: Sequence[Dropped], assumptions: tuple[str, ...]
) -> Decision:
    rule, row = chosen.bound.rule, chosen.row
    shaping = [bound for bound in _of(live, "mandatory", "relief", "prohibited") if bound.rule is not rule]
    bounds = [chosen.bound, *shaping]
    signature = strictest(rule.signature, case.house.signature, case.profile.signature, agreements=case.agreements)
    copies, refused = _copies(case, rule)
    return Decision(
        format=row.format,
        variant=row.variant,
        format_id=row.id,
        family=row.family,
        customization=row.customization,
        process=rule.process or row.process,
        channel=chosen.channel,
        signature=signature,
        pdf=rule.pdf,
        country=case.facts.seller_country,
        on=case.on,
        required=_wanted(case, row.family, rule),
        must_carry=_must_carry(case),
        copies=copies,
        reporting=tuple(dict.fromkeys(_reporting(case, chosen.bound, live))),
        rule_ids=tuple(bound.rule.id for bound in bounds),
        sources=_sources(bounds),
        reviewed_on=min(bound.file.reviewed_on for bound in bounds),
        law_known_to=min(bound.file.law_known_to for bound in bounds),
        dropped=(*dropped, *_other_channel(case, chosen), *refused),
        assumptions=assumptions,
    )


def _wanted(case: Case, family: str, rule: Rule | None = None) -> tuple[Demand, ...]:
    """What law, house and profile want stated in a document of this kind and family; the first to want it is named."""
    by: dict[Need, str] = {}
    for needs, name in (
        (rule.required if rule else (), rule.id if rule else ""),
        (case.house.required, f"house policy {case.house.name}"),
        (case.profile.required, f"profile {case.profile.name}"),
    ):
        for need in needs:
            by.setdefault(need, name)
    return tuple(Demand(need, name) for need, name in by.items() if need.concerns(case.facts.kind, family))


def _must_carry(case: Case) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*case.house.must_carry, *case.profile.must_carry)))


def _reporting(case: Case, chosen: _Bound, live: Sequence[_Bound]) -> list[str]:
    rules = [chosen.rule, *(bound.rule for bound in _of(live, "reporting"))]
    return [report.what for rule in rules for report in rule.reporting if reported(report, case)]


def _other_channel(case: Case, chosen: _Candidate) -> list[Dropped]:
    wished = case.profile.channels
    if not wished or any(_meet(wish, [chosen.channel]) for wish in wished):
        return []
    return [Dropped(wish, f"{chosen.row.id} goes by {chosen.channel}", chosen.bound.rule.id) for wish in wished]


def _copies(case: Case, rule: Rule) -> tuple[tuple[Copy, ...], list[Dropped]]:
    """The profile's copies that may go: any format a channel carries, a PDF only where one is allowed at all."""
    allowed: list[Copy] = []
    refused: list[Dropped] = []
    for copy in case.profile.copies:
        family = case.laws.family(copy.format)
        kinds = case.laws.carry.get(family, ())
        if family.startswith("pdf") and rule.pdf == "invalid":
            refused.append(Dropped(f"copy {copy.format}", "a PDF of this document is not allowed", rule.id))
        elif copy.channel and copy.channel.partition(":")[0] not in kinds:
            refused.append(Dropped(f"copy {copy.format}", f"{copy.channel} does not carry {family}", rule.id))
        else:
            allowed.append(copy)
    return tuple(allowed), refused


def _sources(bounds: Iterable[_Bound]) -> tuple[SourceRow, ...]:
    return tuple(dict.fromkeys(row for bound in bounds for row in bound.file.cite(bound.rule.sources)))


def _names(bounds: Iterable[_Bound]) -> str:
    return ", ".join(bound.rule.id for bound in bounds)


# --- refusals and overrides -------------------------------------------------


def _refusal(
    case: Case,
    reason: str,
    fix: str,
    dropped: Sequence[Dropped] = (),
    assumptions: tuple[str, ...] = (),
    bounds: Sequence[_Bound] = (),
) -> Refusal:
    return Refusal(
        reason=reason,
        fix=fix,
        country=case.facts.seller_country,
        on=case.on,
        rule_ids=tuple(bound.rule.id for bound in bounds),
        dropped=tuple(dropped),
        assumptions=assumptions,
        sources=_sources(bounds),
        reviewed_on=min((bound.file.reviewed_on for bound in bounds), default=None),
    )


def _gap(case: Case, live: Sequence[_Bound], assumptions: tuple[str, ...]) -> Refusal:
    facts, scope = case.facts, "domestic" if case.domestic else "cross-border"
    what = f"{facts.seller_country} {facts.buyer_kind} {scope}"
    reason = f"no rule covers {what} on {case.day('issue').isoformat()} (supply {case.supplied.isoformat()})."
    fix = f"add the rule to the file of {facts.seller_country} with its source, or a named override"
    return _refusal(case, reason, fix, assumptions=assumptions, bounds=live)


def _with(outcome: Decision | Refusal, notes: Sequence[Dropped]) -> Decision | Refusal:
    return replace(outcome, dropped=(*outcome.dropped, *notes)) if notes else outcome


def _overridden(
    case: Case, override: Override, lawful: Decision | Refusal, notes: Sequence[Dropped]
) -> Decision | Refusal:
    """The override's delivery; the record says what the law would have chosen."""
    rows = [case.laws.formats[format_id] for wish in override.formats for format_id in case.laws.named(wish)]
    found = [(row, channel) for row in rows for channel in override.channels if _carries(case, channel, row)]
    if not found:
        return _refusal(
            case, f"no channel of override {override.id} carries its formats.", "correct the override", notes
        )
    row, channel = min(found, key=lambda pair: _rank(case, pair[0]))
    if isinstance(lawful, Decision):
        instead = Dropped(lawful.format_id, f"what the law asks, by {lawful.channel}", lawful.rule_ids[0])
    else:
        instead = Dropped("lawful delivery", lawful.reason)
    return Decision(
        format=row.format,
        variant=row.variant,
        format_id=row.id,
        family=row.family,
        customization=row.customization,
        process=row.process,
        channel=channel,
        signature=strictest(override.signature, case.house.signature, case.profile.signature),
        pdf=override.pdf,
        country=case.facts.seller_country,
        on=case.on,
        required=_wanted(case, row.family),
        must_carry=_must_carry(case),
        sources=(SourceRow(id=override.id, kind="none", ref=override.cited(), confidence="unverified"),),
        reviewed_on=lawful.reviewed_on,
        dropped=(instead, *notes),
        override=override.id,
    )


def _carries(case: Case, channel: str, row: FormatRow) -> bool:
    return channel.partition(":")[0] in case.laws.carry.get(row.family, ())
