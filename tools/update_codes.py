"""[DIR] makes einvoice/codes/*.csv from the official rule files; --check only says whether they are up to date.

The rule sets carry the code lists they enforce, so the lists here are theirs: each publication is read, a code gets
the day of the first publication that has it and of the first that has it no longer. DIR holds the official files
(default: EINVOICE_REFERENCE, else ../shared/reference).
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from lxml import etree

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "einvoice" / "codes"
_SCH = "{http://purl.oclc.org/dsdl/schematron}"
_LISTED = re.compile(r"contains\(\s*'( [^']+ )'")
_NAMED = re.compile(r"@mimeCode\s*=\s*'([^']+)'")
_SPLIT = re.compile(r"tokenize\('([^']+)', '\\s'\)")


@dataclass(frozen=True)
class Publication:
    """One release of a rule set in one syntax. ``file`` is under the directory of official files."""

    family: str
    release: str
    day: date
    syntax: str
    file: str


#: Oldest first: the first one of a family is where dates begin.
PUBLICATIONS = (
    Publication("EN 16931", "1.3.14.1", date(2025, 4, 22), "ubl", "peppol-bis3/rules/CEN-EN16931-UBL.sch"),
    Publication("EN 16931", "1.3.14.1", date(2025, 4, 22), "cii", "peppol-bis3/rules/CEN-EN16931-CII.sch"),
    Publication("EN 16931", "1.3.16", date(2026, 4, 10), "ubl",
                "en16931/rules/ubl/schematron/preprocessed/EN16931-UBL-validation-preprocessed.sch"),
    Publication("EN 16931", "1.3.16", date(2026, 4, 10), "cii",
                "en16931/rules/cii/schematron/preprocessed/EN16931-CII-validation-preprocessed.sch"),
)  # fmt: skip

#: List: title, the rule that carries it, which of the lists in that rule's test, by syntax.
LISTS: dict[str, tuple[str, str, int]] = {
    "document_types": ("UNCL1001, invoice types in UBL Invoice, all types in CII", "BR-CL-01", 0),
    "credit_note_types": ("UNCL1001, credit note types in UBL CreditNote", "BR-CL-01", 1),
    "currencies": ("ISO 4217, alpha-3", "BR-CL-04", 0),
    "tax_point_codes": ("UNCL2005 in UBL, UNCL2475 in CII", "BR-CL-06", 0),
    "object_schemes": ("UNCL1153, reference qualifiers", "BR-CL-07", 0),
    "note_subjects": ("UNCL4451, text subject qualifiers", "BR-CL-08", 0),
    "identifier_schemes": ("ISO/IEC 6523 ICD, identifier schemes", "BR-CL-10", 0),
    "item_classes": ("UNCL7143, item type identification", "BR-CL-13", 0),
    "countries": ("ISO 3166-1, alpha-2, and the codes 1A (Kosovo) and XI (Northern Ireland)", "BR-CL-14", 0),
    "payment_means": ("UNCL4461, payment means", "BR-CL-16", 0),
    "vat_categories": ("UNCL5305, VAT categories", "BR-CL-17", 0),
    "allowance_reasons": ("UNCL5189, allowance reasons", "BR-CL-19", 0),
    "charge_reasons": ("UNCL7161, charge reasons", "BR-CL-20", 0),
    "exemption_reasons": ("CEF VATEX, VAT exemption reasons", "BR-CL-22", 0),
    "units": ("UNECE Recommendations 20 and 21, units of measure and packages", "BR-CL-23", 0),
    "mime_types": ("media types of attachments", "BR-CL-24", 0),
    "endpoint_schemes": ("CEF EAS, electronic address schemes", "BR-CL-25", 0),
    "vat_prefixes": ("ISO 3166-1 and EL, prefixes of VAT identifiers", "BR-CO-09", 0),
}


def carried(path: Path) -> dict[str, list[frozenset[str]]]:
    """The code lists in the tests of a Schematron file, by rule id, in the order they stand."""
    found: dict[str, list[frozenset[str]]] = {}
    for assertion in etree.parse(path).iter(f"{_SCH}assert"):
        test = assertion.get("test") or ""
        lists = [frozenset(text.split()) for text in _LISTED.findall(test)]
        named = frozenset(_NAMED.findall(test))
        found.setdefault(assertion.get("id") or "", []).extend(lists or ([named] if named else []))
    return found


@dataclass(frozen=True)
class Row:
    code: str
    since: str
    until: str
    syntax: str


def rows(rule: str, at: int, read: list[tuple[Publication, dict[str, list[frozenset[str]]]]]) -> Iterator[Row]:
    """The rows of one list: equal spans in both syntaxes become one row."""
    spans: dict[str, dict[str, tuple[str, str]]] = {}
    having = [(publication, lists[rule][at]) for publication, lists in read if len(lists.get(rule, ())) > at]
    syntaxes = {publication.syntax for publication, _ in having}
    for syntax in syntaxes:
        history = [(publication.day, codes) for publication, codes in having if publication.syntax == syntax]
        for code in frozenset().union(*(codes for _, codes in history)):
            spans.setdefault(code, {})[syntax] = span(code, history)
    for code, by_syntax in sorted(spans.items()):
        shared = len(by_syntax) == len(syntaxes) and len(set(by_syntax.values())) == 1
        if shared:
            yield Row(code, *next(iter(by_syntax.values())), "")
        else:
            yield from (Row(code, *dates, syntax) for syntax, dates in sorted(by_syntax.items()))


def span(code: str, history: list[tuple[date, frozenset[str]]]) -> tuple[str, str]:
    """First day with *code* (empty: since the first publication) and first day without it again."""
    since = until = ""
    have = [code in codes for _, codes in history]
    first = have.index(True)
    if first:
        since = history[first][0].isoformat()
    if not have[-1]:
        until = history[len(have) - have[::-1].index(True)][0].isoformat()
    return since, until


def render(name: str, title: str, rule: str, found: list[Row]) -> str:
    """The text of one CSV file."""
    releases = ", ".join(dict.fromkeys(f"{p.family} {p.release} ({p.day})" for p in PUBLICATIONS))
    head = [
        f"# {name}: {title}",
        f"# From the test of {rule} in ConnectingEurope/eInvoicing-EN16931, releases {releases}.",
        "# since, until: days of those releases (until excluded); empty: in the first, in the last of them.",
        "# Made by tools/update_codes.py; do not edit.",
        "code,since,until,syntax",
    ]
    return "\n".join([*head, *(f"{row.code},{row.since},{row.until},{row.syntax}" for row in found)]) + "\n"


def made(reference: Path) -> dict[str, str]:
    """Every CSV file by name."""
    read = [(publication, carried(reference / publication.file)) for publication in PUBLICATIONS]
    return {name: render(name, title, rule, list(rows(rule, at, read))) for name, (title, rule, at) in LISTS.items()}


def main(arguments: list[str]) -> int:
    check = "--check" in arguments
    given = [argument for argument in arguments if argument != "--check"]
    default = os.environ.get("EINVOICE_REFERENCE") or ROOT.parent / "shared" / "reference"
    reference = Path(given[0] if given else default)
    if not reference.is_dir():
        print(f"update_codes: no official files at {reference}; name their directory", file=sys.stderr)
        return 3
    stale = []
    for name, text in made(reference).items():
        path = OUT / f"{name}.csv"
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if not check:
                path.write_text(text, encoding="utf-8")
    verb = "out of date" if check else "written"
    print(f"update_codes: {len(LISTS)} lists, {len(stale)} {verb}{': ' + ', '.join(stale) if stale else ''}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
