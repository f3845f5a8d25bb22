"""The official verdict on one document: its schema, then every rule set it asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

from lxml import etree

from .. import artefacts
from ..errors import ConfigError, Finding, fatal
from . import sets as _sets
from . import svrl, worker
from .explain import explained
from .sheets import RuleFile, rule_files

Status = Literal["valid", "invalid", "not validated"]
#: Larger documents are not handed to Saxon, whose tree takes many times the size.
LIMIT = 50 * 1024 * 1024
#: Above this size libxml2 needs its limits raised, which is done only where no DOCTYPE can be hidden.
_LARGE = 9 * 1024 * 1024
_ENCODING = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")


@dataclass(frozen=True, slots=True)
class Used:
    """A rule file that spoke: set and release, the file's id, its release in words, the sha256 of the file."""

    set: str
    id: str
    release: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the official files say. "not validated" wherever one that was asked for could not be had: never valid then.

    schema   the release of the XML schema that judged; empty when none did
    used     the rule files that judged
    crashed  ids of rules that could not be evaluated on this document; each is a fatal finding too
    """

    status: Status
    findings: tuple[Finding, ...] = ()
    schema: str = ""
    used: tuple[Used, ...] = ()
    crashed: tuple[str, ...] = ()

    @property
    def release(self) -> str:
        """The rule releases in few words: ``en16931 1.3.16, xrechnung 3.0.2``."""
        return ", ".join(dict.fromkeys(one.set for one in self.used))

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        used = [{"set": one.set, "file": one.id, "release": one.release, "sha256": one.sha256} for one in self.used]
        return {"status": self.status, "schema": self.schema, "rules": used,
                "findings": [one.as_dict() for one in self.findings]}  # fmt: skip


def verdict(
    document: bytes | etree._Element, *, sets: Sequence[str] = (), on: date | None = None, schema: bool = True
) -> Verdict:
    """The official verdict on *document*: every fault that its XML schema and its rule sets find, all at once.

    sets    names, ``en16931`` or ``en16931:1.3.16``; default: those that its CustomizationID asks for
    on      the document's date, by which releases are chosen; default: the newest
    schema  whether the XML schema is asked too; a fragment has none to follow

    Raises ConfigError for a set or release that is not known, or not for this kind of document.
    """
    if isinstance(document, bytes):
        try:
            document = _root(document)
        except _Refused as refused:
            return Verdict(refused.status, (refused.finding,))
    names = tuple(sets) or _sets.asked_for(document)
    chosen = _sets.chosen(str(document.tag), names, on)
    parts = [*([_by_schema(document, [one for one, _ in chosen])] if schema else []), _by_rules(document, chosen)]
    return _together(parts)


def _together(parts: Sequence[Verdict]) -> Verdict:
    findings = tuple(finding for part in parts for finding in part.findings)
    known = [part.status for part in parts]
    status: Status = "invalid" if "invalid" in known else "not validated" if "not validated" in known else "valid"
    return Verdict(
        status,
        findings,
        next((part.schema for part in parts if part.schema), ""),
        tuple(one for part in parts for one in part.used),
        tuple(one for part in parts for one in part.crashed),
    )


# --- the document -----------------------------------------------------------------------------------------------------


class _Refused(Exception):
    def __init__(self, status: Status, finding: Finding) -> None:
        self.status, self.finding = status, finding


def _root(data: bytes) -> etree._Element:
    """The root of *data*, read without DTD, entity or network. What Saxon gets is written from it."""
    if len(data) > LIMIT:
        raise _Refused("not validated", _not_run(f"the document is larger than {LIMIT // 1048576} MiB"))
    declared = _ENCODING.match(data[:200])
    plain = declared is None or declared[1].lower() in (b"utf-8", b"us-ascii", b"iso-8859-1")
    huge = len(data) > _LARGE and plain and b"<!DOCTYPE" not in data
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, huge_tree=huge)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        finding = Finding("EINV-SCHEMA-02", f"not well-formed XML: {error.msg}", place=f"line {line}, column {column}",
                          fix="export the document again")  # fmt: skip
        raise _Refused("invalid", finding) from error
    internal: Any = root.getroottree().docinfo.internalDTD
    if internal is not None:
        raise _Refused("not validated", _not_run("the document has a DOCTYPE, which could read local files"))
    return root


def _not_run(reason: str, where: str = "", fix: str = "correct the document and check it again") -> Finding:
    return Finding("EINV-OFFICIAL-02", f"not validated: {reason}", place=where, fix=fix)


# --- schema -----------------------------------------------------------------------------------------------------------


def _by_schema(root: etree._Element, chosen: Sequence[_sets.RuleSet]) -> Verdict:
    named = [one.schema_id for one in chosen if one.schema_id]
    ids = (*named, *artefacts.for_root(str(root.tag)))
    if not ids:
        name = etree.QName(root).localname
        return Verdict("not validated", (_not_run(f"no official schema is known for documents with root {name}"),))
    found = artefacts.validate(ids[0], root)
    if found.status == "not run":
        return Verdict("not validated", found.findings)
    if found.status == "invalid":
        return Verdict("invalid", explained(ids[0], root, found.findings), found.release)
    return Verdict("valid", schema=found.release)


# --- rules ------------------------------------------------------------------------------------------------------------


def _by_rules(root: etree._Element, chosen: Sequence[tuple[_sets.RuleSet, _sets.Release]]) -> Verdict:
    if not chosen:
        stated = _sets.customization(root) or "nothing"
        reason = f"no official rules are known for a document that says it follows {stated}"
        return Verdict("not validated", (_not_run(reason, fix="name the rule sets, or correct BT-24"),))
    row = _sets.row_of(root)
    files: list[tuple[str, RuleFile]] = []
    missing: list[Finding] = []
    for one, release in chosen:
        try:
            files += [(f"{one.name} {release.id}", file) for file in rule_files(one, release)]
        except ConfigError as error:
            missing += [_not_run(error.message, error.where, error.fix), *error.findings]
    absent = [Verdict("not validated", tuple(missing))] if missing else []
    found = _run(root, files) if files else []
    return _together([*absent, *(_relaxed(one, row) for one in found)])


def _relaxed(found: Verdict, row: _sets.Applies | None) -> Verdict:
    """*found* with the severities that the publisher's own validator sets for such documents."""
    if row is None or not row.relaxed or found.status == "not validated":
        return found
    findings = tuple(replace(one, severity=row.relaxed.get(one.rule, one.severity)) for one in found.findings)
    return replace(found, findings=findings, status="invalid" if fatal(findings) else "valid")


def _run(root: etree._Element, files: Sequence[tuple[str, RuleFile]]) -> list[Verdict]:
    text = etree.tostring(root, encoding="unicode", with_tail=False)
    try:
        answer = worker.run({file.id: file.sheet() for _, file in files}, text)
        return [*_read(root, text, files, answer)]
    except worker.NotRun as error:
        return [Verdict("not validated", (_not_run(str(error), fix="try again; if it stays so, report it"),))]
    except ConfigError as error:
        return [Verdict("not validated", (_not_run(error.message, error.where, error.fix),))]


def _read(
    root: etree._Element, text: str, files: Sequence[tuple[str, RuleFile]], answer: worker.Answer
) -> Iterator[Verdict]:
    for name, file in files:
        used = (Used(name, file.id, file.release, file.sha256),)
        if file.id in answer.unusable:
            yield Verdict("not validated", (_not_run(answer.unusable[file.id], file.id, "report it"),))
            continue
        said = _said(root, text, name, file, answer)
        yield Verdict("invalid" if fatal(said.findings) else "valid", said.findings, used=used, crashed=said.crashed)


def _said(root: etree._Element, text: str, clause: str, file: RuleFile, answer: worker.Answer) -> svrl.Said:
    """What *file* says. Where one of its rules crashed, all are run again, each by itself."""
    if file.id in answer.svrl:
        return svrl.read(answer.svrl[file.id], root, clause)
    reason = answer.crashed[file.id]
    if file.kind == "schematron":
        again = worker.run({f"{file.id} guarded": file.sheet(guarded=True)}, text)
        if (output := again.svrl.get(f"{file.id} guarded")) is not None:
            return svrl.read(output, root, clause)
        reason = next(iter({**again.crashed, **again.unusable}.values()), reason)
    return svrl.Said((svrl.crash(file.id, " ".join(reason.split()), "", clause),), (file.id,))
