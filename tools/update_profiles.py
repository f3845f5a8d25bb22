"""Which Factur-X profile brings in which element of our CII table: writes einvoice/formats/cii_profiles.csv.

    python -m tools.update_profiles [DIR]

DIR holds the schemas (xsd/) and rules (rules/) of the profiles (default: factur-x of the official files). A path is
listed under the smallest profile whose schema has it and whose rules do not mark it as not used; what no profile has,
not even EXTENDED, is listed with an empty one.
"""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from einvoice.formats.cii import table
from einvoice.mapping import Node, plan

TARGET = Path(__file__).resolve().parent.parent / "einvoice" / "formats" / "cii_profiles.csv"
#: Smallest first.
PROFILES = ("minimum", "basicwl", "basic", "en16931", "extended")
_XS = "{http://www.w3.org/2001/XMLSchema}"
_SCH = "{http://purl.oclc.org/dsdl/schematron}"
_RULES = {"basicwl": "BASIC-WL"}
#: What the rules of Factur-X mark as not used and XRechnung's own test suite uses (01.21a): a reason on the line.
_LINE = "SupplyChainTradeTransaction/IncludedSupplyChainTradeLineItem"
_REASON = f"{_LINE}/SpecifiedLineTradeSettlement/ApplicableTradeTax/ExemptionReason"
_USED_ALL_THE_SAME = {tuple(_REASON.split("/")): "en16931"}


class Schema:
    """The elements and attributes that one profile's schema and rules let stand, asked for by path."""

    def __init__(self, directory: Path, rules: Path) -> None:
        self._unused = set(unused(rules))
        self._types: dict[str, etree._Element] = {}
        for file in sorted(directory.glob("*.xsd")):
            root = etree.parse(str(file)).getroot()
            for one in root.iter(f"{_XS}complexType"):
                self._types[str(one.get("name"))] = one
        self._root = "CrossIndustryInvoiceType"

    def has(self, path: tuple[str, ...]) -> bool:
        """True when *path* (local names below the root, ``@name`` for an attribute) may stand in a document."""
        at = self._root
        if any(path[:length] in self._unused for length in range(1, len(path) + 1)):
            return False
        for step in path:
            found = self._types.get(at)
            if found is None:
                return False
            kind = "attribute" if step.startswith("@") else "element"
            names = {str(one.get("name")): str(one.get("type")) for one in found.iter(f"{_XS}{kind}")}
            if step.lstrip("@") not in names:
                return False
            at = names[step.lstrip("@")].rpartition(":")[2]
        return True


def unused(rules: Path) -> Iterator[tuple[str, ...]]:
    """Paths that the profile's rules forbid whatever they hold: a rule without condition that always reports."""
    for rule in etree.parse(str(rules)).getroot().iter(f"{_SCH}rule"):
        context = str(rule.get("context"))
        if "[" in context or not context.startswith("/rsm:CrossIndustryInvoice/"):
            continue
        path = tuple(step.rpartition(":")[2] for step in context.split("/")[2:])
        for report in rule.iter(f"{_SCH}report"):
            test = str(report.get("test"))
            if test == "true()":
                yield path
            elif test.startswith("@") and test[1:].isalnum():
                yield (*path, test)


def paths(node: Node, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every element and attribute that our table writes or reads, below the root, each once per place."""
    for child in node.children:
        here = (*above, child.name)
        yield here
        yield from ((*here, f"@{name}") for name in child.attrs)
        yield from paths(child, here)


def rows(directory: Path) -> list[tuple[str, str]]:
    """``path, profile`` of every place in the table, in its order."""
    schemas = {
        name: Schema(directory / "xsd" / name, directory / f"rules/FACTUR-X_{_RULES.get(name, name.upper())}.sch")
        for name in PROFILES
    }
    found: dict[str, str] = {}
    for path in paths(plan(table())):
        plain = tuple(step.rpartition(":")[2] if not step.startswith("@") else step for step in path)
        smallest = next((name for name in PROFILES if schemas[name].has(plain)), "")
        found["/".join(path)] = _USED_ALL_THE_SAME.get(plain, smallest)
    return list(found.items())


def main(arguments: list[str]) -> int:
    here = Path(__file__).resolve().parent.parent.parent / "shared" / "reference"
    base = Path(arguments[0]) if arguments else Path(os.environ.get("EINVOICE_REFERENCE") or here) / "factur-x"
    if not base.is_dir():
        print(f"nothing at {base}: name the directory of the Factur-X schemas and rules", file=sys.stderr)
        return 2
    with TARGET.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("path", "profile"))
        writer.writerows(rows(base))
    print(f"{TARGET.name}: {len(rows(base))} places")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
