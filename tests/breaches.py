"""A good invoice with changes, and what the rules say of it: for the packs of networks and countries."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from einvoice import formats, rules
from einvoice.errors import Finding
from einvoice.exchange import Identity
from einvoice.model import Invoice
from einvoice.rules import Pack

#: In an edit: leave this out.
GONE = object()
Edits = Mapping[str, Any]
_STEP = re.compile(r"([a-z_0-9]+)(?:\[(\d+)\])?")
#: Texts that a reader's finding may hold: one of them fits every row of a pack's table.
_SAMPLES = (
    "",
    "maybe",
    "12.00",
    "Second Name",
    "12345678",
    "2026-07-01Z",
    *(f"12.00 100.00 {code} 0" for code in "SZEGO"),
)


#: What a reader says that no model can hold, by the number of the rule in Peppol BIS.
UNHELD = {
    "R043": Finding("EINV-READ-01", "as read", found="maybe",
                    place="/Invoice/cac:AllowanceCharge[1]/cbc:ChargeIndicator line 7"),
    "R044": Finding("EINV-READ-01", "as read", found="true",
                    place="/Invoice/cac:InvoiceLine[1]/cac:Price/cac:AllowanceCharge/cbc:ChargeIndicator line 7"),
    "R053": Finding("EINV-READ-02", "as read", found="12.00 100.00 12.00 S 12 VAT",
                    place="/Invoice/cac:TaxTotal[2] line 7"),
    "R054": Finding("EINV-READ-02", "as read", found="12.00", place="/Invoice/cac:TaxTotal[2] line 7"),
    "R101": Finding("EINV-READ-01", "as read", found="7",
                    place="/Invoice/cac:InvoiceLine[1]/cac:DocumentReference/cbc:ID line 7"),
}  # fmt: skip


def edited(raw: Mapping[str, Any], edits: Edits) -> Invoice:
    """*raw* with each path of *edits* set to its value: ``lines[0].item.name``; a list grows by one."""
    changed = copy.deepcopy(dict(raw))
    for path, value in edits.items():
        _set(changed, path.split("."), value if value is GONE else copy.deepcopy(value))
    return Invoice.model_validate(changed)


def _set(at: dict[str, Any], steps: list[str], value: Any) -> None:
    match = _STEP.fullmatch(steps[0])
    assert match, steps
    name, position = match.group(1), match.group(2)
    if position is None:
        _put(at, name, steps[1:], value)
        return
    entries = at[name] = list(at.get(name, ()))
    if int(position) == len(entries):
        entries.append({})
    if len(steps) > 1:
        _set(entries[int(position)], steps[1:], value)
    else:
        entries[int(position)] = value


def _put(at: dict[str, Any], name: str, further: list[str], value: Any) -> None:
    if further:
        _set(at.setdefault(name, {}), further, value)
    elif value is GONE:
        at.pop(name, None)
    else:
        at[name] = value


def judged(
    invoice: Invoice, packs: Iterable[str], on: date, syntax: str = "ubl", read: Iterable[Finding] = ()
) -> list[Finding]:
    return rules.check(invoice, tuple(packs), on=on, syntax=syntax, read_findings=read)


def fatal_ids(findings: Iterable[Finding]) -> set[str]:
    return {finding.rule for finding in findings if finding.fatal}


def of_document(path: Path, packs: Iterable[str], on: date) -> list[Finding]:
    """What the native rules say of a file, its reader's findings taken for the rules they are."""
    data = path.read_bytes()
    name = formats.detect(data)
    read = next(formats.read(data, name))
    return rules.check(read.invoice, tuple(packs), on=on, syntax=name, read_findings=read.findings)


def told(pack: Pack) -> list[tuple[str, Finding]]:
    """(rule, the reader's finding that is its breach) for each row of a pack's table."""
    rows = []
    for row in pack.reader:
        found = next(text for text in _SAMPLES if re.search(row.holds, text))
        term, place = (row.about, "") if row.about.startswith(("BT-", "EX-")) else ("", _place(row.about))
        rows.append((row.rule, Finding(row.read, "as read", term=term, place=place, found=found)))
    return rows


def _place(steps: str) -> str:
    if not steps:
        return "/Invoice/cbc:Note line 7"
    root = "" if steps.startswith(("Invoice/", "CreditNote/")) else "/Invoice"
    return f"{root}/{'/'.join(f'cac:{step}' for step in steps.split('/'))} line 7"


def disagreements(
    good: Mapping[str, Any], breaches: Iterable[tuple[str, Edits]], pack: Pack, on: date, official_set: str
) -> dict[str, set[str]]:
    """By breach, the rules of *pack* that the native or the official verdict alone finds broken, or finds graver.

    Each invoice is written as UBL, and both judge that. A rule that the official file cannot evaluate says nothing.
    """
    pytest.importorskip("saxonche", reason="the official rules need saxonche: install the extra official")
    from einvoice import official

    found: dict[str, set[str]] = {}
    for rule, edits in breaches:
        ids = Identity("breach@example.com", datetime(2026, 11, 1, tzinfo=UTC))
        data = _without_empty(formats.get("ubl").write(edited(good, edits), ids).data)
        verdict = official.verdict(data, sets=(official_set,), on=on, schema=False)
        read = next(formats.read(data, "ubl"))
        native = rules.check(read.invoice, (pack.name,), on=on, read_findings=read.findings, syntax="ubl")
        known = {one.id for one in pack.rules} - set(verdict.crashed)
        theirs = {(one.rule, one.severity) for one in verdict.findings if one.rule in known}
        ours = {(one.rule, one.severity) for one in native if one.rule in known}
        if theirs != ours:
            found.setdefault(rule, set()).update(id_ for id_, _ in theirs ^ ours)
    return found


def _without_empty(data: bytes) -> bytes:
    """*data* without elements that hold nothing: a writer puts them where the syntax wants a value that is absent."""
    root = etree.fromstring(data)
    while empty := [one for one in root.iter() if not len(one) and not (one.text or "").strip()
                    and {*one.keys()} <= {"currencyID"}]:  # fmt: skip
        for one in empty:
            one.getparent().remove(one)
    return etree.tostring(root)
