"""[N] [--seed S] [--dir DIR] breaks N documents made from valid ones and compares native with official on each.

The sources are the whole documents below DIR (default: the official samples) on which both sides find nothing fatal.
Each is changed in one place: an element dropped, doubled or emptied, a code, category, date, amount or attribute
changed. The same seed makes the same documents. Differences need a reason in tests/agree_reasons.toml, as in
``agree``; the last line is ``mutate: passed/total``.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from random import Random

from lxml import etree

from tools.agree import Comparison, compare, documents, reference, report, syntax_of

Element = etree._Element
#: Larger documents cost time and show nothing that smaller ones do not.
LARGEST = 60_000
_DATE = re.compile(r"\d{4}-?\d{2}-?\d{2}")
_CATEGORIES = ("S", "Z", "E", "AE", "K", "G", "O", "L", "M", "B", "X")
_CODES = (
    "XX",
    "",
    "ZZZ",
    "9999",
    "GR",
    "DE",
    "EUR",
    "USD",
    "380",
    "381",
    "326",
    "58",
    "30",
    "C62",
    "0088",
    "VAT",
    "EM",
)
_NUMBERS = ("1E3", " 12.00 ", "NaN", "12,50", "", "12.345", "-1", "0", "0.00", "1000000", "+5", "INF", ".5")
_STEPS = tuple(Decimal(step) for step in ("0.01", "-0.01", "0.99", "-0.99", "1.01", "-1.01", "0.02", "0.001"))
#: Names of elements by what they hold, in UBL and CII.
_AMOUNT = re.compile(r"(Amount|Quantity|Percent|Price|Numeric|Rate)")
_CODE = re.compile(r"(Code|CurrencyID|TypeCode)$")
_CATEGORY = {"ClassifiedTaxCategory", "TaxCategory"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """A broken document: what was done to which source, and its bytes."""

    name: str
    data: bytes


# --- what is done to a document: each says what it did, or "" where there was nothing to do --------------------------


def _leaves(root: Element, fits: Callable[[Element], bool]) -> list[Element]:
    return [one for one in root.iter("*") if not len(one) and fits(one)]


def _name(element: Element) -> str:
    return str(etree.QName(element).localname)


def _number(element: Element) -> Decimal | None:
    try:
        return Decimal((element.text or "").strip())
    except InvalidOperation:
        return None


def _removed(one: Element) -> str:
    parent = one.getparent()
    if parent is None:
        return ""
    where = _where(one)
    parent.remove(one)
    return where


def _set(one: Element, text: str) -> str:
    before, one.text = one.text, text
    return f"{_where(one)} {before!r} to {text!r}"


def _where(one: Element) -> str:
    return "/".join(_name(step) for step in reversed([one, *one.iterancestors()][:3]))


def drop(root: Element, random: Random) -> str:
    """An element, whole."""
    return _removed(random.choice([*root.iterdescendants("*")]))


def drop_leaf(root: Element, random: Random) -> str:
    """A single value."""
    return _removed(random.choice(_leaves(root, lambda _: True)))


def double(root: Element, random: Random) -> str:
    """An element stands twice."""
    one = random.choice([*root.iterdescendants("*")])
    one.addnext(deepcopy(one))
    return _where(one)


def empty(root: Element, random: Random) -> str:
    """A value without a character, or of spaces."""
    return _set(random.choice(_leaves(root, lambda one: bool(one.text))), random.choice(("", " ", "\n  ")))


def code(root: Element, random: Random) -> str:
    """A code becomes another one, known or not."""
    found = _leaves(root, lambda one: bool(_CODE.search(_name(one))))
    if not found:
        return ""
    one = random.choice(found)
    return _set(one, random.choice((*_CODES, (one.text or "").lower(), f"{one.text} ")))


def category(root: Element, random: Random) -> str:
    """A VAT category becomes another one, in one place."""
    found = _leaves(root, lambda one: _name(one) == "CategoryCode" or _below(one, _CATEGORY))
    if not found:
        return ""
    return _set(random.choice(found), random.choice(_CATEGORIES))


def _below(one: Element, names: set[str]) -> bool:
    parent = one.getparent()
    return _name(one) == "ID" and parent is not None and _name(parent) in names


def amount(root: Element, random: Random) -> str:
    """A number by a cent, by nearly one, by a little more than one."""
    found = _leaves(root, lambda one: bool(_AMOUNT.search(_name(one))) and _number(one) is not None)
    if not found:
        return ""
    one = random.choice(found)
    value = _number(one)
    assert value is not None
    return _set(one, str(value + random.choice(_STEPS)))


def sign(root: Element, random: Random) -> str:
    """A number with the other sign."""
    found = _leaves(root, lambda one: bool(_AMOUNT.search(_name(one))) and bool(_number(one)))
    if not found:
        return ""
    one = random.choice(found)
    text = one.text or ""
    return _set(one, text[1:] if text.startswith("-") else f"-{text}")


def number(root: Element, random: Random) -> str:
    """What is no number, or one written oddly."""
    found = _leaves(root, lambda one: bool(_AMOUNT.search(_name(one))) and _number(one) is not None)
    if not found:
        return ""
    return _set(random.choice(found), random.choice(_NUMBERS))


def dates(root: Element, random: Random) -> str:
    """Two dates change places, or one is wrong."""
    found = _leaves(root, lambda one: bool(_DATE.fullmatch((one.text or "").strip())))
    if not found:
        return ""
    first, second = random.choice(found), random.choice(found)
    if first is second or first.text == second.text:
        return _set(first, random.choice(("2016-02-30", "20160230", "1999-01-01", "19990101", "2026-1-1", "")))
    return _swapped(first, second)


def _swapped(first: Element, second: Element) -> str:
    first.text, second.text = second.text, first.text
    return f"{_where(first)} with {_where(second)}" if first.text != second.text else ""


def attribute(root: Element, random: Random) -> str:
    """An attribute dropped, or with another value."""
    found = [(one, key) for one in root.iter("*") for key in one.attrib]
    if not found:
        return ""
    one, key = random.choice(found)
    if random.random() < 0.4:
        del one.attrib[key]
        return f"{_where(one)}/@{key!s} dropped"
    value = random.choice(("", "XX", "EUR", "USD", "0088", "VAT", "C62", "text/html", "102"))
    one.set(key, value)
    return f"{_where(one)}/@{key!s} to {value!r}"


def swap(root: Element, random: Random) -> str:
    """Two values of the same name change places."""
    names = Counter(_name(one) for one in _leaves(root, lambda one: bool(one.text)))
    twice = [name for name, count in names.items() if count > 1]
    if not twice:
        return ""
    wanted = random.choice(twice)
    found = _leaves(root, lambda one: _name(one) == wanted)
    first, second = random.sample(found, 2)
    return _swapped(first, second)


MUTATORS: tuple[Callable[[Element, Random], str], ...] = (
    drop, drop_leaf, double, empty, code, category, category, amount, amount, sign, number, dates, attribute, swap,
)  # fmt: skip


# --- sources and mutants ----------------------------------------------------------------------------------------------


def sources(directory: Path) -> list[tuple[str, bytes]]:
    """(name, bytes) of the documents that both sides find in order, in order of name."""
    found = []
    for path in documents(directory):
        data = path.read_bytes()
        if len(data) > LARGEST or not _is_invoice(data):
            continue
        name = path.relative_to(directory).as_posix()
        result = compare(data, name)
        if not (result.skipped or result.fatal or result.not_native):
            found.append((name, data))
    return found


def _is_invoice(data: bytes) -> bool:
    try:
        return bool(syntax_of(etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))))
    except etree.XMLSyntaxError:
        return False


def mutants(documents: Sequence[tuple[str, bytes]], count: int, seed: int) -> Iterator[Mutant]:
    """*count* broken documents, each source and each way in turn, the place by chance from *seed*."""
    random = Random(seed)
    made = 0
    while made < count:
        name, data = documents[made % len(documents)]
        change = MUTATORS[(made // len(documents)) % len(MUTATORS)] if made % 3 else random.choice(MUTATORS)
        root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
        did = change(root, random)
        if not did:
            change, did = drop, drop(root, random)
        yield Mutant(f"{change.__name__} {made} of {name} ({did})", etree.tostring(root, encoding="utf-8"))
        made += 1


def run(directory: Path, count: int, seed: int, keep: Path | None = None) -> dict[str, list[Comparison]]:
    """The comparison of *count* broken documents, by the way they were broken; those that differ go to *keep*."""
    found: dict[str, list[Comparison]] = {change.__name__: [] for change in MUTATORS}
    whole = sources(directory)
    for mutant in mutants(whole, count, seed) if whole else ():
        result = compare(mutant.data, mutant.name)
        found[mutant.name.partition(" ")[0]].append(result)
        if keep and result.differences:
            _kept(keep, mutant)
    return {name: results for name, results in found.items() if results}


def main(given: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="mutate", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("count", nargs="?", type=int, default=5000, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dir", type=Path, default=reference())
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="write documents that differ there")
    options = parser.parse_args(given)
    found = run(options.dir, options.count, options.seed, options.keep)
    if not found:
        print(f"mutate: no valid invoice under {options.dir}; name a directory", file=sys.stderr)
        return 3
    fired = Counter(rule for results in found.values() for one in results for rule in one.fatal)
    harmless = sum(not one.fatal for results in found.values() for one in results)
    print(f"{len(fired)} rules fired; {harmless} documents stayed without a fatal finding")
    return report(found, "mutate")


def _kept(folder: Path, mutant: Mutant) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{re.sub(r'[^A-Za-z0-9.-]+', '_', mutant.name.partition(' (')[0])}.xml").write_bytes(mutant.data)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
