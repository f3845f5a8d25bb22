"""Reads every invoice, writes it in its own format, reads it again: equal models, nothing lost unsaid.

    python -m tools.roundtrip [DIR]

Without DIR, the samples below EINVOICE_REFERENCE. Rule unit tests hold fragments and are not documents; files of other
kinds are passed over. A file passes when its model comes back equal, no finding says that something was not carried,
and every text of the source that the written file lacks is named by a finding.
"""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lxml import etree

from einvoice import formats
from einvoice.errors import EInvoiceError, Finding
from einvoice.exchange import Identity
from einvoice.formats._ebinterface_table import NAMESPACE as EBINTERFACE
from einvoice.formats._rosettanet_table import NAMESPACE as ROSETTANET
from einvoice.formats._xml import parse, place, root_of
from einvoice.formats.facturae import NAMESPACES as FACTURAE
from einvoice.model import Invoice, leaves
from einvoice.money import parse as parse_number

#: Sample folders below the official files.
SAMPLES = (
    "en16931/examples/ubl", "en16931/examples/cii", "en16931/testfiles", "peppol-2026.5/examples",
    "peppol-bis3/examples", "peppol-pint-aunz/examples", "peppol-aunz-legacy/examples", "xrechnung/testsuite",
    "zugferd-corpus", "factur-x/xml", "cius-pt/samples", "serbia/samples", "ubl-be/samples",
    "ehf-billing-no/samples/forward-billing-3.0", "cxml",
    "facturae/samples-3.2.2",
    "fatturapa/samples-corpus/official", "fatturapa/samples-gobl/gobl.fatturapa", "fatturapa/samples-simplified",
    "fatturapa/samples-testsdi",
)  # fmt: skip
#: Samples that contradict themselves, so that not all they state can be held, by file name.
CONTRADICT = {"CII_business_example_01.xml": "gives two base quantities for one price (BT-149)"}
#: Not carried, or not carried whole, and no table says why.
LOST = ("EINV-READ-01", "EINV-READ-02")
#: About an element with all that stands in it.
WHOLE = ("EINV-READ-02", "EINV-READ-08")
#: Says where a source text is written otherwise, or not at all: known without term, normalised, unreadable, empty.
NAMED = (*LOST, "EINV-READ-03", "EINV-READ-04", "EINV-READ-05", "EINV-READ-07", "EINV-READ-08", "EINV-READ-09")
_IDS = Identity("roundtrip@example.com", datetime(2026, 1, 1, tzinfo=UTC))
_UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
_ROOTS = {
    f"{{{_UBL}Invoice-2}}Invoice": "ubl",
    f"{{{_UBL}CreditNote-2}}CreditNote": "ubl",
    "{urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100}CrossIndustryInvoice": "cii",
    **{f"{{{namespace}}}Facturae": "facturae" for namespace in FACTURAE},
    f"{{{EBINTERFACE}}}Invoice": "ebinterface",
    f"{{{ROSETTANET}}}InvoiceNotification": "rosettanet",
    "{http://ivaservizi.agenziaentrate.gov.it/docs/xsd/fatture/v1.2}FatturaElettronica": "fatturapa",
    "{http://ivaservizi.agenziaentrate.gov.it/docs/xsd/fatture/v1.0}FatturaElettronicaSemplificata": "fatturapa",
}
#: Enough to see past the comments that some documents begin with.
_HEAD = 64 * 1024
#: What belongs to one transmission and is new in every writing.
_OWN = ("cXML", "cXML/Request")
_SENDER = (
    "cXML/Header/Sender", *(f"FatturaElettronica{kind}/FatturaElettronicaHeader/DatiTrasmissione/{name}"
                            for kind in ("", "Semplificata")
                            for name in ("IdTrasmittente", "ProgressivoInvio", "FormatoTrasmissione")),
)  # fmt: skip
_VERSION = ("FatturaElettronica/@versione", "FatturaElettronicaSemplificata/@versione")
#: The subject code (BT-21) that stands before a note's text in UBL; a space between them says nothing.
_SUBJECT = re.compile(r"^(#[A-Z]{3}#) ")


@dataclass(frozen=True, slots=True)
class Result:
    """What one file came to. ``problem`` is set where it could not be read, or not written."""

    path: Path
    differences: tuple[str, ...] = ()
    lost: tuple[Finding, ...] = ()
    silent: tuple[str, ...] = ()
    known: tuple[Finding, ...] = ()
    problem: str = ""

    @property
    def passed(self) -> bool:
        return not (self.differences or self.lost or self.silent or self.problem)


@dataclass(slots=True)
class Folder:
    """The results of one folder, summed for the table."""

    name: str
    results: list[Result] = field(default_factory=list)

    def row(self) -> tuple[str, ...]:
        equal = sum(not (one.differences or one.problem) for one in self.results)
        unread = sum(len(one.lost) + len(one.silent) for one in self.results)
        known = sum(len(one.known) for one in self.results)
        passed = sum(one.passed for one in self.results)
        return (self.name, *map(str, (len(self.results), equal, unread, known, passed)))


def kind(path: Path) -> str:
    """The format name of an invoice file by its root; empty for everything else."""
    if path.suffix.lower() not in (".xml", ".ubl", ".cxml"):
        return ""
    data = path.read_bytes()
    root = root_of(data[:_HEAD])
    if root == "cXML":
        return "cxml" if b"<InvoiceDetailRequest" in data else ""
    return _ROOTS.get(root, "")


def samples(folder: Path) -> list[Path]:
    """Every invoice file below *folder*, in order of name, but those that contradict themselves."""
    found = sorted(path for path in folder.rglob("*") if path.is_file() and kind(path))
    return [path for path in found if path.name not in CONTRADICT]


def check(path: Path) -> Result:
    """One file there and back."""
    data, name = path.read_bytes(), kind(path)
    try:
        before = list(formats.read(data, name))
        form: Any = formats.get(name)
        lot = len(before) > 1
        document = form.write_lot([one.invoice for one in before], _IDS) if lot else form.write(before[0].invoice, _IDS)
        after = list(formats.read(document.data, name))
    except EInvoiceError as error:
        return Result(path, problem=str(error))
    said = [finding for one in before for finding in one.findings]
    pairs = zip(before, after, strict=True)
    return Result(
        path,
        tuple(text for one, other in pairs for text in differences(one.invoice, other.invoice)),
        tuple(finding for finding in said if finding.rule in LOST),
        tuple(silent(data, document.data, said)),
        tuple(finding for finding in said if finding.rule == "EINV-READ-08"),
    )


def differences(before: Invoice, after: Invoice) -> Iterator[str]:
    """Each model path whose value did not come back, with both values."""
    if before == after:
        return
    old, new = dict(leaves(before)), dict(leaves(after))
    for path in sorted({*old, *new}):
        if old.get(path) != new.get(path):
            yield f"$.{path}: {old.get(path)!r} came back as {new.get(path)!r}"


def silent(source: bytes, written: bytes, findings: Sequence[Finding]) -> Iterator[str]:
    """Places of texts that *source* has and *written* lacks, though no finding names them.

    A text that stands under another parent of *written* in an element of the same name has moved (BT-90), not gone.
    """
    room = Counter((path, text) for _, path, text in _texts(written))
    gone = []
    for element, path, text in _texts(source):
        if room[path, text]:
            room[path, text] -= 1
        else:
            gone.append((element, path, text))
    moved = Counter((path.rsplit("/", 1)[-1], text) for path, text in room.elements())
    named = {finding.place for finding in findings if finding.rule in NAMED}
    whole = {finding.place for finding in findings if finding.rule in WHOLE}
    once = {(finding.message.split(" ")[0], finding.found) for finding in findings if finding.rule == "EINV-READ-08"}
    for element, path, text in gone:
        last = path.rsplit("/", 1)[-1]
        if moved[last, text]:
            moved[last, text] -= 1
            continue
        attribute = last[1:] if last.startswith("@") else ""
        around = {place(parent) for parent in element.iterancestors()}
        mine = {place(element), place(element, attribute)}
        if not (mine & named or around & whole or (last.lstrip("@"), text) in once):
            yield f"{place(element, attribute)}: {text!r}"


def _texts(data: bytes) -> Iterator[tuple[etree._Element, str, str]]:
    """Every element text and attribute value with the path of its names; positions are compared by the models."""
    for element in parse(data, doctype=True).iter():
        path = "/".join(etree.QName(one).localname for one in (*reversed([*element.iterancestors()]), element))
        if path in _OWN or path.startswith(_SENDER):
            continue
        stated = [(path, element.text or "")]
        stated += [(f"{path}/@{name!s}", str(value)) for name, value in element.items() if not _technical(str(name))]
        stated = [(where, text) for where, text in stated if text.strip() and where not in _VERSION]
        yield from ((element, where, _same(where, text)) for where, text in stated)


def _technical(name: str) -> bool:
    return name.endswith(("}schemaLocation", "}noNamespaceSchemaLocation", "}lang"))


def _same(path: str, text: str) -> str:
    """*text* without what its type does not distinguish: outer white space, a plus sign, xs:boolean 0 and 1, and the
    space after a subject code."""
    text = _SUBJECT.sub(r"\1", " ".join(text.split()))
    if path.endswith("Indicator"):
        return {"0": "false", "1": "true"}.get(text, text)
    return text[1:] if text.startswith("+") and parse_number(text) is not None else text


def folders(base: Path, given: bool) -> list[Folder]:
    """The folders to check: the named samples, or with *given* each folder below *base* that holds an invoice."""
    if not given:
        return [Folder(name, [check(path) for path in samples(base / name)]) for name in SAMPLES]
    found: dict[str, Folder] = {}
    for path in samples(base):
        name = str(path.parent.relative_to(base))
        found.setdefault(name, Folder(name)).results.append(check(path))
    return list(found.values())


def report(checked: list[Folder]) -> Iterator[str]:
    """The table, then each fault, then the verdict line."""
    head = ("folder", "files", "equal", "unread", "known without term", "passed")
    rows = [head, *(folder.row() for folder in checked)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        yield "  ".join(cells)
    results = [result for folder in checked for result in folder.results]
    for result in results:
        yield from (f"{result.path}: {text}" for text in faults(result))
    yield f"roundtrip: {sum(one.passed for one in results)}/{len(results)}"


def faults(result: Result) -> Iterator[str]:
    """Why a file did not pass, a line for each reason; nothing when it passed."""
    if result.problem:
        yield result.problem
    yield from result.differences
    yield from (str(finding) for finding in result.lost)
    yield from (f"not written and not reported: {text}" for text in result.silent)


def main(arguments: list[str]) -> int:
    here = Path(__file__).resolve().parent.parent.parent / "shared" / "reference"
    base = Path(arguments[0] if arguments else os.environ.get("EINVOICE_REFERENCE") or here)
    checked = folders(base, bool(arguments))
    print("\n".join(report(checked)))
    results = [result for folder in checked for result in folder.results]
    if not results:
        print(f"no invoice file below {base}: name a directory that has some", file=sys.stderr)
    return 0 if results and all(one.passed for one in results) else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
