"""libxml2's complaints in words for people: short names instead of namespaces, what was expected, where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from lxml import etree

from ..errors import Finding, Severity

#: More findings than this help nobody: the first ones usually cause the rest.
MOST = 100
_NAME = re.compile(r"\{([^}]*)\}")
_EXPECTED = re.compile(r" Expected is (?:one of )?\( (.*) \)\.?$")
_MODEL = re.compile(r", expecting (.*), got (.*)$")
#: Said once more after the facet that the value breaks.
_ECHO = "SCHEMAV_CVC_DATATYPE_VALID_1_2_1"
_FACETS = ("PATTERN", "ENUMERATION", "LENGTH", "INCLUSIVE", "EXCLUSIVE", "DIGITS")
#: What to do, by a sign in the message; ``{}`` is what the schema expects, where it says so.
_FIXES = (
    ("Missing child", "add {}"),
    ("not expected", "write one of {} here"),
    ("not expected", "remove the element"),
    ("does not follow", "write {}"),
    ("not carry attribute", "add the attribute"),
    ("is required but missing", "add the attribute"),
    ("attribute", "remove or correct the attribute"),
    ("No declaration for element", "use an element that the schema knows"),
    ("", "correct the value"),
)


def findings_of(entries: Sequence[Any], root: etree._Element, clause: str) -> tuple[Finding, ...]:
    """One finding for each fault in lxml's error log, in document order; *clause* names what was broken."""
    told = list(_told(entries))
    prefixes = {uri: prefix for prefix, uri in _prefixes(root)}
    found = [_finding(entry, root, prefixes, clause) for entry in told[:MOST]]
    if len(told) > MOST:
        message = f"{len(told) - MOST} further faults are not shown"
        found.append(Finding("EINV-SCHEMA-01", message, Severity.INFO, fix="correct the first ones and check again"))
    return tuple(found)


def _told(entries: Sequence[Any]) -> Iterator[Any]:
    before: Any = None
    for entry in entries:
        same = before is not None and (before.line, before.path) == (entry.line, entry.path)
        if not (same and entry.type_name == _ECHO and any(word in before.type_name for word in _FACETS)):
            yield entry
        before = entry


def _prefixes(root: etree._Element) -> Iterator[tuple[str, str]]:
    for prefix, uri in root.nsmap.items():
        yield f"{prefix}:" if prefix else "", uri


def _finding(entry: Any, root: etree._Element, prefixes: dict[str, str], clause: str) -> Finding:
    message = _NAME.sub(lambda match: prefixes.get(match[1], ""), entry.message).strip()
    expected = found = ""
    if match := _EXPECTED.search(message):
        message, expected = message[: match.start()], match[1].replace(" ,", ",")
    elif match := _MODEL.search(message):
        message, expected, found = message[: match.start()], match[1], match[2]
    return Finding("EINV-SCHEMA-01", message.rstrip("."), place=_place(entry, root), found=found, expected=expected,
                   fix=_fix(message, expected), clause=clause)  # fmt: skip


def _fix(message: str, expected: str) -> str:
    return next(fix for sign, fix in _FIXES if sign in message and (expected or "{}" not in fix)).format(expected)


def _place(entry: Any, root: etree._Element) -> str:
    path = entry.path or ""
    if path.startswith("/*"):
        path = f"/{etree.QName(root).localname}{path[2:]}"
    return f"{path} line {entry.line}".strip()
