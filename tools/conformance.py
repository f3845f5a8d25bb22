"""[DIR] [--on DATE] runs official rule unit tests (VEFA test sets): native outcome against the expected one, by suite.

A test names rules: ``success`` means that the rule does not fire, ``error`` and ``warning`` that it does, fatal or
not. The document with it is a fragment, so nothing else is judged. Every directory that holds test sets is a suite.
The last line is ``conformance: passed/total``; the exit code is 1 when tests failed, 3 when there was nothing to run.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from lxml import etree

from einvoice import formats, rules
from einvoice.errors import EInvoiceError, Finding, Severity

ROOT = Path(__file__).resolve().parent.parent
VEFA = "{http://difi.no/xsd/vefa/validator/1.0}"
#: Which format reads a document, by the name of its root element.
FORMATS = {"Invoice": "ubl", "CreditNote": "ubl", "CrossIndustryInvoice": "cii"}
#: What an expectation means: does the rule fire, and how gravely.
MEANING: dict[str, Severity | None] = {"success": None, "error": Severity.FATAL, "warning": Severity.WARNING}

PASSED, FAILED, NOT_NATIVE, SKIPPED = "passed", "failed", "not native", "skipped"
OUTCOMES = (PASSED, FAILED, NOT_NATIVE, SKIPPED)


@dataclass(frozen=True)
class Case:
    """One expectation of one test: the document and what *rule* is to say of it."""

    suite: str
    name: str
    rule: str
    expected: Severity | None
    document: etree._Element


@dataclass(frozen=True)
class Result:
    case: Case
    outcome: str
    why: str = ""


def test_sets(directory: Path) -> Iterator[tuple[Path, etree._Element]]:
    """Every VEFA file under *directory*; other files are passed over."""
    for path in sorted(directory.rglob("*.xml")):
        try:
            root = etree.parse(path, etree.XMLParser(resolve_entities=False, no_network=True)).getroot()
        except etree.XMLSyntaxError:
            continue  # hostile samples lie in the same tree
        if root.tag in (f"{VEFA}testSet", f"{VEFA}test"):
            yield path, root


def cases(directory: Path) -> Iterator[Case]:
    """Every expectation of every test under *directory*."""
    for path, root in test_sets(directory):
        suite = path.parent.relative_to(directory).as_posix().replace("/unit-tests", "")
        for number, test in enumerate(root.iter(f"{VEFA}test"), 1):
            documents = [child for child in test.iterchildren("*") if child.tag != f"{VEFA}assert"]
            for expectation in test.iterfind(f"{VEFA}assert/*"):
                kind = etree.QName(expectation).localname
                if kind in MEANING and documents:
                    rule = (expectation.text or "").strip()
                    yield Case(suite, f"{path.name} test {number}", rule, MEANING[kind], documents[0])


#: Packs that a suite is about; others that publish the same id judge it by their own profile.
OF_SUITE = {"en16931": ("en16931",), "peppol-bis3": ("en16931", "peppol_bis_3")}


@cache
def packs_of(rule: str) -> list[str]:
    """Names of the packs that judge *rule*."""
    return [known.name for known in rules.packs() if any(one.id == rule for one in rules.pack(known.name).rules)]


def judge(case: Case, on: date) -> Result:
    """What came of one expectation."""
    root = etree.QName(case.document).localname
    name = FORMATS.get(root)
    if name is None:
        return Result(case, SKIPPED, f"{root} is no invoice")
    if name not in formats.names():
        return Result(case, SKIPPED, f"no {name} reader yet")
    chosen = [pack for pack in packs_of(case.rule) if pack in OF_SUITE.get(case.suite.partition("/")[0], (pack,))]
    if not chosen:
        return Result(case, NOT_NATIVE, "no native pack has the rule")
    try:
        fired = [finding for finding in findings(case.document, name, chosen, on) if finding.rule == case.rule]
    except EInvoiceError as error:
        return Result(case, FAILED, f"not readable: {error}")
    return verdict(case, fired)


def findings(document: etree._Element, name: str, packs: list[str], on: date) -> list[Finding]:
    """What the native rules say of *document*."""
    read = next(formats.read(etree.tostring(document), name))
    return rules.check(read.invoice, packs, on=on, read_findings=read.findings, syntax=name)


def verdict(case: Case, fired: list[Finding]) -> Result:
    """Passed when the rule fired as expected, or stayed silent as expected."""
    gravity = max((finding.severity for finding in fired), key=lambda one: one is Severity.FATAL, default=None)
    if gravity is case.expected:
        return Result(case, PASSED)
    wanted = f"to fire as {case.expected}" if case.expected else "not to fire"
    got = f"fired as {gravity}: {fired[0].message}" if fired else "did not fire"
    return Result(case, FAILED, f"expected {wanted}, {got}")


def run(directory: Path, on: date) -> list[Result]:
    """The result of every test under *directory*."""
    return [judge(case, on) for case in cases(directory)]


def table(results: Iterable[Result]) -> Iterator[str]:
    """One line a suite."""
    counts: dict[str, Counter[str]] = {}
    for result in results:
        counts.setdefault(result.case.suite, Counter())[result.outcome] += 1
    width = max((len(suite) for suite in counts), default=5)
    yield "  ".join([f"{'suite':<{width}}", f"{'tests':>6}", *(f"{outcome:>10}" for outcome in OUTCOMES)])
    for suite, count in counts.items():
        cells = (f"{count[outcome]:>10}" for outcome in OUTCOMES)
        yield "  ".join([f"{suite:<{width}}", f"{count.total():>6}", *cells])


def listing(results: Iterable[Result]) -> Iterator[str]:
    """Failures by rule, then why tests were left out."""
    results = list(results)
    for result in sorted((one for one in results if one.outcome == FAILED), key=lambda one: one.case.rule):
        yield f"FAILED {result.case.rule} {result.case.suite}/{result.case.name}: {result.why}"
    left_out = Counter((one.outcome, one.why) for one in results if one.outcome in (NOT_NATIVE, SKIPPED))
    for (outcome, why), count in left_out.items():
        yield f"{outcome} {count}: {why}"


def arguments(given: list[str]) -> argparse.Namespace:
    place = os.environ.get("EINVOICE_REFERENCE") or ROOT.parent / "shared" / "reference"
    newest = max(day for known in rules.packs() for _, day in known.releases)
    parser = argparse.ArgumentParser(prog="conformance", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("directory", nargs="?", type=Path, default=Path(place), metavar="DIR")
    parser.add_argument("--on", type=date.fromisoformat, default=newest, help="the day whose releases count")
    return parser.parse_args(given)


def main(given: list[str]) -> int:
    if "--official" in given:
        from tools import conformance_official

        return conformance_official.main([word for word in given if word != "--official"])
    options = arguments(given)
    results = run(options.directory, options.on) if options.directory.is_dir() else []
    return told("conformance", options.directory, results)


def told(command: str, directory: Path, results: Sequence[Result]) -> int:
    """Prints the table, what failed and the sum; the exit code. No test set is never a pass."""
    if not results:
        print(f"conformance: no test set under {directory}; name a directory", file=sys.stderr)
        return 3
    for line in (*table(results), *listing(results)):
        print(line)
    passed, failed = (sum(one.outcome == outcome for one in results) for outcome in (PASSED, FAILED))
    print(f"{command}: {passed}/{passed + failed}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
