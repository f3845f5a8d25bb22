"""What one reading of a tree knows and says: the context, and findings about what no row of the table touched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from lxml import etree

from ..errors import Finding, Severity
from ..mapping import Const, Leaf
from ._xml import place as place_in_xml
from ._xml_empty import Empties, Holder, Raw, Steps

#: A leaf that took a value: the element, the attribute, the leaf, and the object and name where it stands, and where
#: what its lens found beside it.
Taken = tuple[etree._Element, str, Leaf, tuple[Raw, str] | None, tuple[Raw, str] | None]
#: Findings of one rule that are told one by one; beyond it only their number is said.
TOLD = 1000


def local(named: Any) -> str:
    """The name of an element or attribute without its namespace."""
    return str(named if isinstance(named, str) else named.tag).rpartition("}")[2]


def place(element: Any, attribute: str = "") -> str:
    """Where *element* stands; trees of other syntaxes say it themselves."""
    own = getattr(element, "place", None)
    return str(own(attribute)) if own else place_in_xml(element, attribute)


#: Where a document says its schema lies, which is never followed.
_SCHEMA_PLACES = tuple(
    f"{{http://www.w3.org/2001/XMLSchema-instance}}{name}" for name in ("schemaLocation", "noNamespaceSchemaLocation")
)


class Context:
    """What one reading knows: the currencies, the sign, the findings, and on demand where each value came from.

    numbers  those read so far, by their text: a document repeats its quantities, rates and prices
    flat     the tree can be walked in one pass: XML, not segments
    places   the element of each value, by the object that holds it and its name there; None when nobody asked

    Where places are kept, so is what ``_xml_repeat`` wants to know: which leaves took values, what was compared to
    choose a row, and whether more was done than that.
    """

    def __init__(self, root: etree._Element, track: bool = False) -> None:
        self.element = root
        self.root: Raw = {}
        self.meta: dict[str, str] = {}
        self.findings: list[Finding] = []
        self.currency: str | None = None
        self.tax_currency: str | None = None
        self.negate = False
        self.depth = 0
        self.parts: list[Raw] = []
        self.said: set[tuple[str, str]] = set()
        self.numbers: dict[str, Decimal] = {}
        self.counts: Counter[str] = Counter()
        self.places: dict[tuple[int, str], etree._Element] | None = {} if track else None
        self.held: list[Raw] = []  # an object that is let go leaves its id to another
        self.taken: list[Taken] = []
        self.compared: set[tuple[etree._Element, str]] = set()
        self.beyond = False
        self.flat = isinstance(root, etree._Element)
        self.listener: Context | None = None
        self.empties: Empties | None = None

    def say(
        self, rule: str, message: str, at: etree._Element, severity: Severity = Severity.FATAL, attribute: str = "",
        term: str = "", found: str = "", fix: str = "", clause: str = "", about: tuple[Raw, Steps] | None = None,
    ) -> None:  # fmt: skip
        """*about* is what the finding is of: a raw object and the steps from it to a value that is not there."""
        self.counts[rule] += 1
        if self.counts[rule] > TOLD:
            return
        self.findings.append(
            Finding(rule, message, severity, term, "", place(at, attribute), found[:80], "", fix, clause)
        )
        if about is not None:
            self.empties = self.empties or Empties(self.root)
            self.empties.add(len(self.findings) - 1, *about)

    def summed(self) -> tuple[Finding, ...]:
        """All findings, and for each rule that was broken more than ``TOLD`` times how often that was."""
        findings = self.empties.told(self.findings) if self.empties else tuple(self.findings)
        first = {finding.rule: finding for finding in reversed(findings)}
        more = [
            Finding(rule, f"{count - TOLD} more of this kind", first[rule].severity, place=place(self.element),
                    fix=first[rule].fix)
            for rule, count in self.counts.items() if count > TOLD
        ]  # fmt: skip
        return (*findings, *more)


def text_of(element: etree._Element) -> str:
    return " ".join(" ".join(map(str, element.itertext())).split())[:80]


def unread(element: etree._Element, context: Context) -> None:
    for part in _leaf_elements(element):
        name = local(part).removeprefix("SG-") or "a segment without a tag"
        context.say("EINV-READ-01", f"{name} has no place in the model and is not carried", part, Severity.WARNING,
                    found=text_of(part), fix="see whether the receiver needs it")  # fmt: skip
        if hasattr(part, "place"):  # a segment: all it holds has been found
            continue
        for key in part.keys():  # noqa: SIM118  an element is no mapping
            unread_attribute(part, str(key), part.get(key, ""), context)


def stray(element: etree._Element, text: str, context: Context) -> None:
    name = local(element)
    context.say("EINV-READ-01", f"{name} holds a text of its own, which has no place in the model", element,
                Severity.WARNING, found=text, fix="see whether the receiver needs it")  # fmt: skip


def _leaf_elements(element: etree._Element) -> Iterator[etree._Element]:
    kids = list(element)
    if not kids or (element.text and element.text.strip()):
        yield element
    for child in kids:
        yield from _leaf_elements(child)


def unread_attribute(element: etree._Element, name: str, value: str, context: Context) -> None:
    if name in _SCHEMA_PLACES:
        return
    context.say("EINV-READ-01", f"the attribute {local(name)} is not carried", element,
                Severity.WARNING, name, found=value, fix="see whether the receiver needs it")  # fmt: skip


def known(element: etree._Element, value: str, clause: str, context: Context) -> None:
    name = local(element)
    context.say("EINV-READ-08", f"{name} has no business term", element, Severity.INFO, found=value, clause=clause)


def otherwise(element: etree._Element, attribute: str, value: str, constant: Const, context: Context) -> None:
    """Another value stands where the syntax has one constant. What has a clause is said once for each value."""
    name = local(attribute or element)
    if not constant.clause:
        message = f"{name} is {value[:40]!r}, only {constant.value!r} is understood, and it is not carried"
        context.say("EINV-READ-01", message, element, Severity.WARNING, attribute, found=value,
                    fix="see whether the receiver needs it")  # fmt: skip
    elif (name, value) not in context.said:
        context.said.add((name, value))
        context.say("EINV-READ-08", f"{name} {value[:40]!r} has no business term", element, Severity.INFO, attribute,
                    found=value, clause=constant.clause)  # fmt: skip


def empty(
    element: etree._Element, context: Context, term: str = "", attribute: str = "",
    about: tuple[Raw, Steps] | None = None,
) -> None:  # fmt: skip
    name = f"the attribute {attribute}" if attribute else local(element)
    context.say("EINV-READ-07", f"{name} is empty", element, Severity.WARNING, attribute, term,
                fix="leave the element out or fill it", about=about)  # fmt: skip


def left_out(element: etree._Element, usual: dict[str, tuple[str, Holder | None]], into: Raw, context: Context) -> None:
    """Says which of the attributes that the format always writes the source leaves out, and what they are taken for."""
    stated = element.keys()
    for name, (value, where) in usual.items():
        if name not in stated:
            context.say("EINV-READ-09", f"{local(name)} is left out and taken to be {value}", element, Severity.INFO,
                        name, about=about(into, where, context))  # fmt: skip


def about(into: Raw, where: Holder | None, context: Context) -> tuple[Raw, Steps] | None:
    """What a finding is of, for ``Context.say``: *where* from the object at hand or from the invoice."""
    return None if where is None else (context.root if where[1] else into, where[0])
