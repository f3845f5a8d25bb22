"""SVRL, what a stylesheet reports, as findings with a place in the document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from ..errors import Finding, Severity
from .compile import OWN, SVRL

#: As published: flag or role. Without one an assertion is an error (ISO/IEC 19757-3).
_SEVERITY = {"warning": Severity.WARNING, "warn": Severity.WARNING, "information": Severity.INFO, "info": Severity.INFO}
_HEAD = re.compile(r"^\s*\[([A-Za-z][\w.-]+)\]\s*[-:]?\s*")
#: Location steps of publishers' stylesheets: ``*:ID[namespace-uri()='..'][1]``, ``/Q{ns}ID[1]``, ``cbc:ID[1]``.
_STEP = re.compile(r"/(@?)(?:\*:|Q\{[^}]*\}|[\w.-]+:)?([\w.*-]+)(?:\[namespace-uri\(\)='[^']*'\])?(?:\[(\d+)\])?")


@dataclass(frozen=True, slots=True)
class Said:
    """What one rule file said of a document. ``crashed`` are ids of rules that could not be evaluated."""

    findings: tuple[Finding, ...]
    crashed: tuple[str, ...] = ()


def read(svrl: str, root: etree._Element, clause: str) -> Said:
    """The findings in *svrl*, in the order of the rules; *clause* names the release."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    output = etree.fromstring(svrl.encode(), parser)
    findings, crashed = [], []
    for one in output.iter(f"{{{SVRL}}}failed-assert", f"{{{SVRL}}}successful-report", f"{{{OWN}}}error"):
        id, place = one.get("id", ""), _place(one.get("location", ""), root)
        words = " ".join("".join(str(text) for text in one.itertext()).split())
        if one.tag == f"{{{OWN}}}error":
            crashed.append(id)
            findings.append(crash(id, words, place, clause))
        else:
            findings.append(_finding(id, words, one.get("flag") or one.get("role") or "", place, clause))
    return Said(tuple(findings), tuple(dict.fromkeys(crashed)))


def _finding(id: str, words: str, flag: str, place: str, clause: str) -> Finding:
    head = _HEAD.match(words)
    rule = id or (head[1] if head else "") or "EINV-OFFICIAL-04"
    message = words[head.end() :] if head and head[1] == rule else words
    severity = _SEVERITY.get(flag.strip().lower(), Severity.FATAL)
    return Finding(rule, message or "the rule is broken", severity, place=place, clause=clause,
                   fix="see the rule's text")  # fmt: skip


def crash(id: str, reason: str, place: str, clause: str) -> Finding:
    """The refusal for a rule that could not be evaluated on this document, such as one on a repeated element."""
    return Finding("EINV-OFFICIAL-01", f"the rule {id or 'without id'} cannot be evaluated here: {reason}", place=place,
                   found=id, clause=clause,
                   fix="state elements once that may stand once, and numbers and dates in the right form")  # fmt: skip


# --- places -----------------------------------------------------------------------------------------------------------


def _place(location: str, root: etree._Element) -> str:
    """*location* in words, ``/Invoice/cac:InvoiceLine[3]/cbc:ID line 41``; as it is where it cannot be followed."""
    path, _, attribute = location.partition("/@")
    element = root
    for _, name, position in _STEP.findall(path)[1:]:
        child = _child(element, name, int(position or 1))
        if child is None:
            return location
        element = child
    return place_of(element, attribute.rpartition(":")[2])


def place_of(element: etree._Element, attribute: str = "") -> str:
    """Where *element* stands, for people: ``/Invoice/cac:InvoiceLine[3]/cbc:ID line 41``."""
    tail = f"/@{attribute}" if attribute else ""
    return f"{''.join(reversed([*_steps(element)]))}{tail} line {element.sourceline}"


def _child(parent: etree._Element, name: str, position: int) -> etree._Element | None:
    same = (one for one in parent.iterchildren("*") if name in ("*", etree.QName(one).localname))
    return next((one for number, one in enumerate(same, 1) if number == position), None)


def _steps(element: etree._Element) -> Iterator[str]:
    at: etree._Element | None = element
    while at is not None:
        parent = at.getparent()
        name = f"{at.prefix}:{etree.QName(at).localname}" if at.prefix else etree.QName(at).localname
        same = [one for one in parent if one.tag == at.tag] if parent is not None else []
        yield f"/{name}[{same.index(at) + 1}]" if len(same) > 1 else f"/{name}"
        at = parent
