"""[DIR] compares whole documents: fatal rule ids of the native rules against those of the official ones, by suite.

Every UBL and CII document below DIR (default: the official samples) is judged twice, by the rule sets that its
CustomizationID asks for (EN 16931 where none of them is native): by the publishers' Schematron and by the native packs
for the same release. A difference
counts unless tests/agree_reasons.toml gives its reason. Ids of the syntax binding that have no native rule stand in
the packs with theirs. The last line is ``agree: passed/total``; the exit code is 1 when documents differ unexplained.
"""

from __future__ import annotations

import argparse
import os
import sys
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from lxml import etree

from einvoice import formats, official, rules
from einvoice.config import Strict
from einvoice.errors import EInvoiceError, Finding
from einvoice.official import sets as rule_sets

ROOT = Path(__file__).resolve().parent.parent
REASONS = ROOT / "tests" / "agree_reasons.toml"
#: The format that reads a document, by the syntax of the official sets.
FORMATS = {"ubl": "ubl", "cii": "cii"}
NO_INVOICE = "neither UBL nor CII"
#: Documents that are not meant to be whole invoices, or are examined elsewhere.
_PASSED_OVER = ("unit-tests", "structure", "hostile")


class Reason(Strict):
    """Why native and official may differ in these rules (a * stands for anything).

    side       who alone reports it, "native" or "official"
    crashed    only where an official rule could not be evaluated on the document
    open       it is to be mended: the difference is known, and still counts
    syntax     only in this syntax; empty: in any
    sets       only where this official set judges; empty: any
    documents  only in documents whose name fits; empty: any
    """

    rules: tuple[str, ...]
    side: str
    reason: str
    syntax: str = ""
    sets: str = ""
    documents: str = ""
    crashed: bool = False
    open: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """One id that one side reports as fatal and the other does not, with the finding that says so."""

    rule: str
    side: str
    syntax: str
    sets: tuple[str, ...]
    document: str
    said: str
    crashed: bool = False

    def __str__(self) -> str:
        return f"{self.rule} {self.side} only, {self.document}: {self.said}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of one document. ``skipped`` says why there was nothing to compare."""

    document: str
    differences: tuple[Difference, ...] = ()
    explained: tuple[Difference, ...] = ()
    not_native: frozenset[str] = frozenset()
    fatal: frozenset[str] = frozenset()
    skipped: str = ""


def syntax_of(root: etree._Element) -> str:
    """The syntax of a document by its root; empty for what is no invoice."""
    found = next((name for name, roots in rule_sets.known().syntaxes.items() if root.tag in roots), "")
    return found if found in FORMATS else ""


@cache
def newest() -> date:
    """The day by which the newest releases are chosen."""
    return max(release.since for one in rule_sets.known().sets for release in one.releases)


@cache
def reasons() -> tuple[Reason, ...]:
    """The reasons for differences, as committed."""
    data = tomllib.loads(REASONS.read_text(encoding="utf-8"))
    return tuple(Reason.model_validate(one) for one in data.get("reasons", ()))


def judged_by(root: etree._Element) -> tuple[tuple[str, ...], list[str]]:
    """The official sets that *root* asks for and that are native too, and the native packs; EN 16931 where none is."""
    chosen = rule_sets.chosen(str(root.tag), rule_sets.asked_for(root), None)
    shared = [(one, release) for one, release in chosen if release.packs]
    shared = shared or rule_sets.chosen(str(root.tag), ("en16931",), None)
    packs = list(dict.fromkeys(pack for _, release in shared for pack in release.packs))
    return tuple(f"{one.name}:{release.id}" for one, release in shared), packs


def compare(data: bytes, document: str) -> Comparison:
    """Native against official on one document."""
    try:
        root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    except etree.XMLSyntaxError as error:
        return Comparison(document, skipped=f"not well-formed: {error.msg}")
    syntax = syntax_of(root)
    if not syntax:
        return Comparison(document, skipped=NO_INVOICE)
    names, packs = judged_by(root)
    return _compared(data, document, root, syntax, names, packs)


def _compared(
    data: bytes, document: str, root: etree._Element, syntax: str, names: tuple[str, ...], packs: Sequence[str]
) -> Comparison:
    found = official.verdict(root, sets=names, schema=False)
    if found.status == "not validated":
        return Comparison(document, skipped="; ".join(one.message for one in found.findings if one.fatal))
    theirs = _fatal(found.findings)
    try:
        ours = _fatal(native(data, syntax, packs))
    except EInvoiceError as error:
        if found.status == "invalid":  # refused on both sides
            return Comparison(document, fatal=frozenset(theirs))
        ours = {"EINV-READ-00": str(error)}
    left_out = {id for id in theirs if _not_native(id, packs)}
    unknown = {*found.crashed, *left_out}
    apart = [
        Difference(id, side, syntax, names, document, said, bool(found.crashed))
        for side, mine, other in (("native", ours, theirs), ("official", theirs, ours))
        for id, said in sorted(mine.items())
        if id not in other and id not in unknown
    ]
    explained = tuple(one for one in apart if (reason := reason_for(one)) and not reason.open)
    rest = tuple(one for one in apart if one not in explained)
    return Comparison(document, rest, explained, frozenset(left_out), frozenset({*ours, *theirs}))


def native(data: bytes, syntax: str, packs: Sequence[str]) -> list[Finding]:
    """What reader and native rules say of the document."""
    read = next(formats.read(data, FORMATS[syntax]))
    if read.problem is not None:
        raise read.problem
    return rules.check(read.invoice, packs, on=newest(), locate=read.locate, read_findings=read.findings, syntax=syntax)


def _fatal(findings: Iterable[Finding]) -> dict[str, str]:
    """Fatal published ids, each with what was first said of it."""
    told: dict[str, str] = {}
    for one in findings:
        if one.fatal and not one.rule.startswith("EINV-"):
            told.setdefault(one.rule, f"{one.message[:160]} [{one.place or one.path}]")
    return told


def _not_native(id: str, packs: Sequence[str]) -> bool:
    return any(fnmatchcase(id, known) for known in not_native(tuple(packs)))


@cache
def not_native(packs: tuple[str, ...]) -> frozenset[str]:
    """Ids, or their patterns, that the packs leave to the official rules."""
    return frozenset(id for name in packs for id in rules.pack(name.partition(":")[0]).not_native)


def reason_for(one: Difference) -> Reason | None:
    """The committed reason for a difference, one that closes it before one that does not; None where there is none."""
    fitting = [reason for reason in reasons() if _fits(reason, one)]
    return min(fitting, key=lambda reason: reason.open, default=None)


def unlisted(results: Iterable[Comparison]) -> list[Difference]:
    """Differences that no reason speaks of, open or closed."""
    return [one for result in results for one in result.differences if reason_for(one) is None]


def _fits(reason: Reason, one: Difference) -> bool:
    return (
        any(fnmatchcase(one.rule, rule) for rule in reason.rules)
        and one.side == reason.side
        and reason.syntax in ("", one.syntax)
        and (not reason.sets or any(fnmatchcase(name, reason.sets) for name in one.sets))
        and (one.crashed or not reason.crashed)
        and (not reason.documents or fnmatchcase(one.document, reason.documents))
    )


# --- folders and the report -------------------------------------------------------------------------------------------


def documents(directory: Path) -> Iterator[Path]:
    """Every XML file below *directory* that may be an invoice, in order of name."""
    for path in sorted(directory.rglob("*.xml")):
        if not any(part in _PASSED_OVER for part in path.relative_to(directory).parts):
            yield path


def run(directory: Path) -> dict[str, list[Comparison]]:
    """The comparison of every document below *directory*, by folder; files that are no invoices are left out."""
    suites: dict[str, list[Comparison]] = {}
    for path in documents(directory):
        name = path.relative_to(directory)
        found = compare(path.read_bytes(), name.as_posix())
        if found.skipped == NO_INVOICE or found.skipped.startswith("not well-formed"):
            continue
        suites.setdefault(name.parent.as_posix(), []).append(found)
    return suites


def table(suites: dict[str, list[Comparison]]) -> Iterator[str]:
    """One line a suite."""
    head = ("suite", "documents", "agree", "explained", "differ", "skipped")
    rows = [head, *(_row(name, found) for name, found in suites.items())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        yield "  ".join(cells)


def _row(name: str, found: Sequence[Comparison]) -> tuple[str, ...]:
    differ = sum(bool(one.differences) for one in found)
    skipped = sum(bool(one.skipped) for one in found)
    explained = sum(bool(one.explained) and not one.differences for one in found)
    return (name, *map(str, (len(found), len(found) - differ - skipped - explained, explained, differ, skipped)))


def grouped(differences: Iterable[Difference]) -> Iterator[str]:
    """Differences by rule and side, most frequent first, with an example of each."""
    groups: dict[tuple[str, str, str], list[Difference]] = {}
    for one in differences:
        groups.setdefault((one.rule, one.side, one.syntax), []).append(one)
    for (rule, side, syntax), group in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
        yield f"{rule} {side} only, {syntax}: {len(group)}, first {group[0].document}: {group[0].said}"


def report(suites: dict[str, list[Comparison]], name: str = "agree") -> int:
    """Prints table, differences, what was left out, and the verdict; the exit code."""
    results = [one for found in suites.values() for one in found]
    compared = [one for one in results if not one.skipped]
    for line in table(suites):
        print(line)
    for line in grouped(one for result in compared for one in result.differences):
        print(f"differs: {line}")
    for line in grouped(one for result in compared for one in result.explained):
        print(f"explained {line}")
    for why in sorted({one.skipped for one in results if one.skipped}):
        print(f"skipped {sum(one.skipped == why for one in results)}: {why}")
    new = unlisted(compared)
    if new:
        print(f"{len(new)} of these differences are not listed in {REASONS.relative_to(ROOT)}")
    passed = sum(not one.differences for one in compared)
    print(f"{name}: {passed}/{len(compared)}")
    return 0 if passed == len(compared) else 1


def reference() -> Path:
    """The directory of official files."""
    return Path(os.environ.get("EINVOICE_REFERENCE") or ROOT.parent / "shared" / "reference")


def main(given: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="agree", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("directory", nargs="?", type=Path, default=reference(), metavar="DIR")
    options = parser.parse_args(given)
    suites = run(options.directory) if options.directory.is_dir() else {}
    if not suites:
        print(f"agree: no invoice under {options.directory}; name a directory", file=sys.stderr)
        return 3
    return report(suites)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
