"""[DIR] [--on DATE] runs the official rules over official rule unit tests: outcome against the expected one, by suite.

The same tests, table and last line as ``./run conformance``, of which it is ``--official``; the expectation is that
every test passes. A test names a rule; the first set of ``einvoice/official/sets.toml`` for its kind of document that
has the rule judges it, or the suite's own set where one is named below. Files that say their rule and outcome in
their name (NLCIUS) count too.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path

from lxml import etree

from einvoice import official
from einvoice.errors import ConfigError, Finding
from einvoice.official import compile as compiling
from einvoice.official import sets as rule_sets
from einvoice.official import sheets
from tools.conformance import FAILED, MEANING, ROOT, SKIPPED, Case, Result, cases, told, verdict

#: Suites whose tests are of one set, by the beginning of the folder's name; others go by the rule alone.
SUITES = {"en16931": ("en16931",), "peppol-bis3": ("peppol", "peppol-cen"), "nlcius": ("nlcius",)}
#: What a rule file calls a rule that its tests call otherwise. SI-UBL has the same context in two rules, of which the
#: first wins: a charge's reason code is reported as BR-NL-32 and never as BR-NL-34.
CALLED = {("nlcius", "BR-NL-34"): ("BR-NL-32",)}
#: SI-UBL-2.0_BR-NL-10_error_empty.xml
_NAMED = re.compile(r"SI-UBL-2\.0_(?P<rule>(?:BR|UBL)-[A-Z0-9-]+)_(?P<kind>ok|warning|error)(?:_.*)?\.xml")
_KINDS = {"ok": "success", "warning": "warning", "error": "error"}


def named_cases(directory: Path) -> Iterator[Case]:
    """Documents whose file name says which rule fires."""
    for path in sorted(directory.rglob("SI-UBL-2.0_*.xml")):
        if match := _NAMED.fullmatch(path.name):
            root = etree.parse(path, etree.XMLParser(resolve_entities=False, no_network=True)).getroot()
            suite = path.parent.relative_to(directory).as_posix()
            yield Case(suite, path.name, match["rule"], MEANING[_KINDS[match["kind"]]], root)


@cache
def ids(name: str, syntax: str, release: str) -> frozenset[str]:
    """Ids of the rules of one release of a set; empty where its files are not installed."""
    (one,) = (one for one in rule_sets.known().sets if (one.name, one.syntax) == (name, syntax))
    try:
        files = sheets.rule_files(one, one.release(None, release))
    except ConfigError:
        return frozenset()
    sources = (file for file in files if file.kind == "schematron")
    return frozenset(
        id for file in sources for id, _ in compiling.ids(file.main, file.files, ids_in_text=file.ids_in_text)
    )


def set_of(case: Case, on: date | None) -> str:
    """The set that has the rule of *case*, with its release; empty where none has."""
    tag = str(case.document.tag)
    wanted = next((sets for start, sets in SUITES.items() if case.suite.startswith(start)), ())
    syntax = next((name for name, roots in rule_sets.known().syntaxes.items() if tag in roots), "")
    for one in rule_sets.known().sets:
        release = one.release(on)
        if one.syntax != syntax or (wanted and one.name not in wanted):
            continue
        if case.rule in ids(one.name, one.syntax, release.id):
            return f"{one.name}:{release.id}"
    return ""


def judge(case: Case, on: date | None) -> Result:
    """What came of one expectation."""
    chosen = set_of(case, on)
    if not chosen:
        return Result(
            case, SKIPPED, f"no official set at hand has {case.rule} for {etree.QName(case.document).localname}"
        )
    fragment = etree.fromstring(etree.tostring(case.document, with_tail=False))
    found = official.verdict(fragment, sets=(chosen,), schema=False)
    if found.status == "not validated":
        return Result(case, FAILED, "; ".join(str(finding) for finding in found.findings))
    wanted = (case.rule, *CALLED.get((chosen.partition(":")[0], case.rule), ()))
    fired: list[Finding] = [finding for finding in found.findings if finding.rule in wanted]
    return verdict(case, fired)


def run(directory: Path, on: date | None = None) -> list[Result]:
    """The result of every test under *directory*."""
    return [judge(case, on) for case in (*cases(directory), *named_cases(directory))]


def main(given: list[str]) -> int:
    place = os.environ.get("EINVOICE_REFERENCE") or ROOT.parent / "shared" / "reference"
    parser = argparse.ArgumentParser(prog="conformance --official", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("directory", nargs="?", type=Path, default=Path(place), metavar="DIR")
    parser.add_argument("--on", type=date.fromisoformat, help="the day whose releases count (default: the newest)")
    options = parser.parse_args(given)
    results = run(options.directory, options.on) if options.directory.is_dir() else []
    return told("conformance --official", options.directory, results)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
