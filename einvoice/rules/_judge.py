"""One pack over one invoice: breaches to findings, with severity, text and place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from ..errors import Finding, Severity
from . import _reader
from ._facts import Facts
from ._rule import Check, Hit, Pack, Release, Rule, same_line
from ._texts import texts

#: What the reader says of a value it could not read: not a number, not a date.
_UNREAD = ("EINV-READ-03", "EINV-READ-04")
Chosen = tuple[tuple[tuple[Rule, Check, str], ...], tuple[str, ...], tuple[str, ...]]
_CHOSEN: dict[tuple[str, str, str], Chosen] = {}


def judged(
    pack: Pack, release: Release, facts: Facts, relaxed: Mapping[str, Severity], language: str,
    locate: Callable[[str], str] | None,
) -> Iterator[Finding]:  # fmt: skip
    """A finding for each breach of *pack* in *release*. *relaxed* severities go before those of the release."""
    unread = [one for one in facts.read if one.term and one.rule in _UNREAD]
    for rule, hit in _hits(pack, release, facts):
        if hit.path in facts.empty:
            if facts.syntax in rule.there:
                continue
            hit = hit._replace(place=hit.place or facts.empty[hit.path])
        term = hit.term or rule.term
        source = None if hit.found else _source(unread, term, hit.path)
        if source is not None:
            if rule.stated:
                continue  # it is stated; that it cannot be read is the reader's finding
            hit = hit._replace(found=source.found, place=hit.place or source.place)
        published = pack.by_syntax.get((facts.syntax, rule.id), release.severity.get(rule.id, rule.severity))
        message, fix = texts(language, pack.texts).of(rule, hit, term)
        yield Finding(
            rule.id, message, relaxed.get(rule.id, published), term, hit.path,
            hit.place or (locate(hit.path) if locate else ""), hit.found, hit.expected, fix,
            f"{pack.clause}, rules {release.id}",
        )  # fmt: skip


def _hits(pack: Pack, release: Release, facts: Facts) -> Iterator[tuple[Rule, Hit]]:
    told: dict[str, list[Hit]] = {}
    for id_, hit in _reader.hits(facts, pack.reader) if facts.read else ():
        told.setdefault(id_, []).append(hit)
    rules, categories, groups = _rules(pack, release, facts.syntax)
    used, values = facts.vat, facts.values
    absent = {code for code in categories if code not in used}
    absent.update([path for path in groups if not values(path)])
    for rule, check, need in rules:
        if need and need in absent:
            continue
        for hit in check(facts):
            yield rule, hit
        if told and rule.id in told:
            for hit in told[rule.id]:
                yield rule, hit


def _rules(pack: Pack, release: Release, syntax: str) -> Chosen:
    """The rules of one release for one syntax, chosen once, and what they need to be there: categories and groups."""
    key = (pack.name, release.id, syntax)
    found = _CHOSEN.get(key)
    if found is None:
        rules = tuple(
            (rule, rule.check, rule.category or rule.within)
            for rule in pack.rules
            if rule.id not in release.without and rule.syntax in ("", syntax)
        )
        needs = {need for _, _, need in rules if need}
        categories = tuple(need for need in needs if need.isupper())
        found = _CHOSEN[key] = rules, categories, tuple(needs.difference(categories))
    return found


def _source(unread: Iterable[Finding], term: str, path: str) -> Finding | None:
    """What the reader said of the value that a breach misses."""
    return next((one for one in unread if one.term == term and same_line(path, one.place)), None)
