"""Why a document does not follow its schema, in the words of xmlschema: slow and thorough, so only after a failure."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from lxml import etree

from .. import artefacts
from ..errors import Finding
from .svrl import place_of

#: More than this helps nobody.
_MOST = 50


def explained(id: str, root: etree._Element, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """*findings* of schema *id* with the reasons that xmlschema gives, and what only xmlschema found after them.

    Without xmlschema (extra ``official``) they come back as they are.
    """
    try:
        schema = _schema(id)
    except ImportError:
        return findings
    reasons: dict[str, str] = {}
    for element, reason in _errors(schema, root):
        reasons.setdefault(place_of(element), " ".join(reason.split()))
    told = [_with(one, reasons.pop(one.place, "")) for one in findings]
    clause = findings[0].clause if findings else ""
    further = [Finding("EINV-SCHEMA-01", reason[:500], place=place, fix="correct the element", clause=clause)
               for place, reason in reasons.items()]  # fmt: skip
    return (*told, *further)


@cache
def _schema(id: str) -> Any:
    import xmlschema

    path = artefacts.find(id)
    assert path is not None  # the schema has just judged the document
    return xmlschema.XMLSchema10(str(path), allow="local", defuse="always", loglevel=50)


def _errors(schema: Any, root: etree._Element) -> list[tuple[etree._Element, str]]:
    """(element, reason) of each fault; the element out of place itself, where xmlschema names its parent."""
    found: list[tuple[etree._Element, str]] = []
    for error in schema.iter_errors(root):
        child = getattr(error, "invalid_child", None)
        element = child if isinstance(child, etree._Element) else error.elem
        if isinstance(element, etree._Element):
            found.append((element, str(error.reason)))
        if len(found) >= _MOST:
            break
    return found


def _with(finding: Finding, reason: str) -> Finding:
    if not reason or reason in finding.message:
        return finding
    return replace(finding, message=f"{finding.message}: {reason[:500]}")
