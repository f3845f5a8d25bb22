"""What a rule is: an id, a term, a severity and a function from facts to what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from ..errors import Finding, Severity
from ._facts import Facts


class Hit(NamedTuple):
    """One breach of a rule.

    path   where in the model, ``$.lines[3].net_amount``
    found  what stands there, empty when nothing does
    term   the business term, where it is another one than the rule's own
    place  where in the source, when the reader knew it and the model does not
    """

    path: str
    found: str = ""
    expected: str = ""
    term: str = ""
    place: str = ""


Check = Callable[[Facts], Iterable[Hit]]
_PATH_LINE = re.compile(r"\$\.lines\[(\d+)\]")
_PLACE_LINE = re.compile(r"Line(?:Item)?\[(\d+)\]")


def same_line(path: str, place: str) -> bool:
    """False when both speak of different lines: ``$.lines[2].unit`` and ``.../cac:InvoiceLine[4]/...``."""
    line, element = _PATH_LINE.match(path), _PLACE_LINE.search(place)
    return line is None or element is None or int(line.group(1)) == int(element.group(1)) - 1


@dataclass(frozen=True, slots=True)
class Rule:
    """A published rule.

    check     what breaks it, in document order
    severity  as published; a release or a syntax may say otherwise, see Pack
    text      key of its text in the catalogue, where rules share one; the id otherwise
    category  the rule speaks of this VAT category alone, and is passed over where the invoice has none of it
    within    the model path of the group it speaks of; passed over where the invoice has none
    codes     the code list it compares with, named in its text
    syntax    it is about one syntax and judged only on documents that came in it
    stated    it asks only that its term is stated; what is stated but not readable is not absent
    there     the syntaxes in which it asks for an element and not for what is in it: one that is empty will do
    """

    id: str
    term: str
    check: Check
    severity: Severity = Severity.FATAL
    text: str = ""
    category: str = ""
    within: str = ""
    codes: str = ""
    syntax: str = ""
    stated: bool = False
    there: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReaderRule:
    """A reader's finding that is a published rule.

    read    the reader's rule, ``EINV-READ-06``
    about   the term it names, or the last steps of the element path; empty: any
    rule    the published id
    unless  a code list; what is found is no breach when it is in it
    holds   what is found is a breach only when this pattern is in it
    """

    read: str
    about: str
    rule: str
    unless: str = ""
    holds: str = ""

    def speaks_of(self, finding: Finding, steps: str) -> bool:
        if finding.rule != self.read or not re.search(self.holds, finding.found):
            return False
        return not self.about or finding.term == self.about or f"/{steps}".endswith(f"/{self.about}")


@dataclass(frozen=True, slots=True)
class Release:
    """One publication of a pack.

    since     in force from this day, until the next release
    without   rules of the pack that this release does not have
    severity  where this release differs from the rule's own
    """

    id: str
    since: date
    without: frozenset[str] = frozenset()
    severity: Mapping[str, Severity] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pack:
    """A published set of rules and its releases, oldest first.

    clause        what a finding cites
    by_syntax     severity by (syntax, rule id), where the bindings disagree
    reader        reader's findings that are rules of this pack, see ``_reader``
    not_native    ids of the published set that are not judged here, with the reason
    relaxed       by specification identifier (BT-24): rules, of whatever pack, that it takes otherwise
    texts         names of catalogues beside the common one: ``texts/NAME.en.toml`` ...
    beside        by rule id: how ids of other packs begin that say the same; where one of them speaks of the same
                  place, this rule is silent
    """

    name: str
    title: str
    clause: str
    releases: tuple[Release, ...]
    rules: tuple[Rule, ...]
    by_syntax: Mapping[tuple[str, str], Severity] = field(default_factory=dict)
    reader: tuple[ReaderRule, ...] = ()
    not_native: Mapping[str, str] = field(default_factory=dict)
    relaxed: Mapping[str, Mapping[str, Severity]] = field(default_factory=dict)
    texts: tuple[str, ...] = ()
    beside: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def rule(self, id_: str) -> Rule:
        """The rule with this id; KeyError when the pack has none."""
        return {rule.id: rule for rule in self.rules}[id_]
