"""What can be wrong with a country file beyond its schema: what it cites, its spans, and the days it leaves open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import combinations, pairwise, product

from ..errors import Finding, Severity
from .conditions import Case, applies
from .facts import BuyerKind, Facts, Wish
from .law import Country, Laws, Rule, RuleFile, SellerSize, Span, TaxRow

STALE = timedelta(days=180)
TOO_OLD = timedelta(days=365)
#: A country outside every bloc, for cross-border cases; and one inside.
_ABROAD = ("ZZ", "MT")


def check_laws(laws: Laws, on: date) -> list[Finding]:
    """Every problem of every file, seen on the day *on*."""
    files: list[RuleFile] = [*laws.countries.values(), *laws.blocs]
    return [*_tables(laws), *(finding for file in files for finding in check_file(file, laws, on))]


def check_file(file: RuleFile, laws: Laws, on: date) -> list[Finding]:
    """Every problem of one file: citations, spans, vocabulary, overlaps, age; of a country also open days."""
    found = [*_citations(file), *_spans(file), *_vocabulary(file, laws), *_overlaps(file), *_age(file, on)]
    if isinstance(file, Country):
        found += [*_rates(file), *_coverage(file, laws, on)]
    return found


def check_words(laws: Laws) -> list[Finding]:
    """Formats and channels that rules name and the shared tables do not know: nothing could be looked up in them."""
    files: list[RuleFile] = [*laws.countries.values(), *laws.blocs]
    return [*_tables(laws), *(finding for file in files for finding in _vocabulary(file, laws))]


def _finding(file: RuleFile | None, number: int, message: str, severity: Severity = Severity.FATAL) -> Finding:
    return Finding(f"EINV-LAW-{number:02}", message, severity, place=file.name if file else "formats.toml, carry.toml")


def _tables(laws: Laws) -> Iterator[Finding]:
    for family in sorted({row.family for row in laws.formats.values()} - laws.carry.keys()):
        yield _finding(None, 2, f"carry.toml does not say what carries {family}")


def _citations(file: RuleFile) -> Iterator[Finding]:
    known = {row.id for row in file.source}
    cited: list[tuple[str, tuple[str, ...]]] = [(f"rule {rule.id}", rule.sources) for rule in file.rule]
    cited += [(f"milestone {row.date}", row.sources) for row in file.milestone]
    if isinstance(file, Country):
        cited += [("retention", file.retention.sources)]
        cited += [(f"tax {row.rate}", row.sources) for row in file.tax]
        cited += [("exemption", file.exemption.sources)] if file.exemption else []
    for what, ids in cited:
        for id_ in ids:
            if id_ not in known:
                yield _finding(file, 3, f"{what} cites {id_}, which is not a [[source]]")
    for id_ in sorted(known - {id_ for _, ids in cited for id_ in ids}):
        yield _finding(file, 4, f"source {id_} is cited by nothing", Severity.INFO)


def _spans(file: RuleFile) -> Iterator[Finding]:
    for rule in file.rule:
        spans = [(rule.from_, rule.until), (rule.supply_from, rule.supply_until)]
        spans += [(report.from_, report.until) for report in rule.reporting]
        if any(start and end and start > end for start, end in spans):
            yield _finding(file, 5, f"rule {rule.id}: until is before from")
        if rule.status != "in_force" and not rule.from_:
            yield _finding(file, 6, f"rule {rule.id}: {rule.status} without the day it begins")
    ids = [rule.id for rule in file.rule]
    for id_ in sorted({id_ for id_ in ids if ids.count(id_) > 1}):
        yield _finding(file, 7, f"rule {id_} stands twice")


def _vocabulary(file: RuleFile, laws: Laws) -> Iterator[Finding]:
    kinds = {kind for carriers in laws.carry.values() for kind in carriers}
    for rule in file.rule:
        for channel in rule.channels:
            if channel.partition(":")[0] not in kinds:
                yield _finding(file, 8, f"rule {rule.id}: carry.toml knows no channel {channel}")
        for format_id in (*rule.formats, *rule.agreed_formats):
            if format_id not in laws.formats:
                yield _finding(file, 9, f"rule {rule.id}: formats.toml knows no format {format_id}")
            elif rule.obligation != "prohibited" and not _carried(rule, laws.carry.get(laws.family(format_id), ())):
                yield _finding(file, 10, f"rule {rule.id}: none of its channels carries {format_id}")
        if not rule.formats and rule.obligation != "reporting":
            yield _finding(file, 11, f"rule {rule.id}: names no format")


def _carried(rule: Rule, kinds: Iterable[str]) -> bool:
    return bool({channel.partition(":")[0] for channel in rule.channels} & set(kinds))


def _overlaps(file: RuleFile) -> Iterator[Finding]:
    """Two duties with the same conditions on the same day leave it open which one binds."""
    duties = [rule for rule in file.rule if rule.obligation == "mandatory" and rule.status != "proposed"]
    for one, two in combinations(duties, 2):
        same = (one.segment, one.region, one.when) == (two.segment, two.region, two.when)
        meets = one.scope == two.scope or "any" in (one.scope, two.scope)
        if same and meets and _overlap(one, two):
            yield _finding(file, 12, f"rules {one.id} and {two.id} bind the same documents on the same days")


def _overlap(one: Span, two: Span) -> bool:
    start = max(one.from_ or date.min, two.from_ or date.min)
    return start <= min(one.until or date.max, two.until or date.max)


def _age(file: RuleFile, on: date) -> Iterator[Finding]:
    """Files with duties must be reviewed within a year; all within half a year without a warning."""
    age = on - file.reviewed_on
    binding = any(rule.obligation == "mandatory" for rule in file.rule)
    if age > TOO_OLD and binding:
        yield _finding(file, 13, f"reviewed {age.days} days ago; law may have changed")
    elif age > STALE:
        yield _finding(file, 14, f"reviewed {age.days} days ago", Severity.WARNING)


def _rates(file: Country) -> Iterator[Finding]:
    groups: dict[tuple[str, str, tuple[str, ...]], list[TaxRow]] = {}
    for row in file.tax:
        groups.setdefault((row.category, row.rate, row.regions), []).append(row)
    for (_, rate, _), rows in groups.items():
        rows.sort(key=lambda row: row.from_ or date.min)
        for one, two in pairwise(rows):
            if one.until is None or two.from_ is None or two.from_ <= one.until:
                yield _finding(file, 15, f"tax {rate}: rows overlap at {two.from_ or one.from_}")
            elif two.from_ > one.until + timedelta(days=1):
                yield _finding(file, 16, f"tax {rate}: no row from {one.until + timedelta(days=1)}")


def _coverage(file: Country, laws: Laws, on: date) -> Iterator[Finding]:
    """Every segment and scope has a delivery rule today and around each milestone and rule change to come."""
    own = laws if laws.countries.get(file.country) is file else _with(laws, file)
    edges = {day for source in own.files(file.country) for rule in source.rule for day in rule.edges()}
    edges |= {row.date for row in file.milestone}
    days = sorted({on} | {day + timedelta(days=step) for day in edges if day > on for step in (-1, 0, 1)})
    for facts in _documents(file, on):
        if day := next((day for day in days if not _covered(replace(facts, issue_date=day), own)), None):
            domestic = facts.buyer_country == file.country
            where = (
                "domestic" if domestic else f"to {'the EU' if own.in_eu(facts.buyer_country) else 'a third country'}"
            )
            who = "seller established" if facts.seller_established else "seller not established"
            message = f"{facts.buyer_kind} {where}, {who}: no delivery rule on {day}"
            yield _finding(file, 17, message, Severity.WARNING)


def _documents(file: Country, on: date) -> Iterator[Facts]:
    segments: tuple[BuyerKind, ...] = ("B2B", "B2G", "B2C")
    sizes: tuple[tuple[bool, SellerSize], ...] = ((True, "large"), (False, "sme"))
    for segment, buyer, (here, size) in product(segments, (file.country, *_ABROAD), sizes):
        yield Facts(file.country, buyer, on, buyer_kind=segment, seller_established=here, seller_size=size)


def _covered(facts: Facts, laws: Laws) -> bool:
    case = Case(facts, laws, Wish(), Wish(), facts.issue_date)
    rules = (rule for file in laws.files(facts.seller_country) for rule in file.rule)
    return any(rule.obligation in ("mandatory", "permitted") and applies(rule, case)[0] for rule in rules)


def _with(laws: Laws, file: Country) -> Laws:
    return Laws({**laws.countries, file.country: file}, laws.blocs, laws.carry, laws.formats)
