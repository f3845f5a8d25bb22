"""Converts every sample of every format to every format: written, valid, and nothing lost that is not reported.

    python -m tools.matrix [DIR] [--most N]

Without DIR, the fixtures and the samples of the official files (EINVOICE_REFERENCE); --most takes only that many of
each format. A conversion is good when the official schema finds the result valid (EDI has none: there our reader,
which checks envelope, counts and code lists, must take it without a fatal finding), and every term of the source is
either equal in the model read back or named in the loss report. Where the source lacks what the other format demands,
the writer must say so with a fatal finding: such a conversion is *held*. A cell that no sample reaches fails, as does
one where every sample is held. Who sends and who receives is given as a profile gives it (``SETTINGS``).
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from einvoice import formats
from einvoice.errors import EInvoiceError, Finding, fatal
from einvoice.exchange import Document, Format, Identity
from einvoice.loss import losses
from einvoice.model import Invoice, leaves

ROOT = Path(__file__).resolve().parent.parent
_IDS = Identity("matrix@example.com", datetime(2026, 1, 1, tzinfo=UTC))
#: Official samples by format, below the official files.
SAMPLES = {
    "ubl": ("en16931/examples/ubl", "peppol-bis3/examples", "peppol-pint-aunz/examples", "xrechnung/testsuite"),
    "cii": ("en16931/examples/cii", "xrechnung/testsuite", "factur-x/xml"),
    "cxml": ("cxml",),
    "edifact": ("edi/staedi-edifact", "edi/edifabric-edifact"),
    "x12": ("edi/staedi-x12", "edi/edifabric-x12", "edi/imsweb-x12"),
}
_OWN = {"id": "5790000000012", "qualifier": "14"}
_THEIRS = {"id": "5790000000029", "qualifier": "14"}
#: A tax that neither Italy nor Spain levies is none of theirs there; who has no number is known by that of the profile.
_NOT_SUBJECT = {"category": "O", "exemption_reason": "not subject"}
#: What follows from the invoice is computed, and what does not the profile names.
_DEMANDED = {"BT-5": "USD", "BT-130": "C62"}
_SUPPLIED = {
    "absent_totals": "compute", "absent_numbers": "count", "absent_prices": "compute", "absent_rates": "breakdown",
    "absent_terms": _DEMANDED,
}  # fmt: skip
#: What a customer's profile adds to a document: the two ends, and leave to write plainer characters.
SETTINGS: dict[str, dict[str, Any]] = {
    "ubl": {"absent_totals": "compute"},
    "cii": {"absent_totals": "compute"},
    "cxml": {
        "from_": ({"domain": "NetworkID", "identity": "AN01000000001-T"},),
        "to": ({"domain": "NetworkID", "identity": "AN01000000002-T"},),
        "sender": {"domain": "NetworkID", "identity": "AN01000000001-T"},
        "absent_totals": "compute",
    },
    "edifact": {"sender": _OWN, "recipient": _THEIRS, "transliterate": True, "long_text": "cut"},
    "x12": {
        "sender": {"id": "100000001", "qualifier": "01"}, "recipient": {"id": "100000002", "qualifier": "01"},
        "transliterate": True, "long_text": "cut", "replace_delimiters": " ", "units": {"PZ": "EA"},
    },
    "ebinterface": _SUPPLIED | {
        "absent_terms": {**_DEMANDED, **dict.fromkeys(("BT-37", "BT-38", "BT-52", "BT-53"), "-")},
        "absent_tax": _NOT_SUBJECT, "absent_day": "issue_date", "long_text": "cut",
    },
    "rosettanet": _SUPPLIED | {
        "sender": {"id": "999000001"}, "receiver": {"id": "999000002"}, "units": {"PZ": "PIE", "N": "PIE", "h": "HOU"},
    },
    "fatturapa": {
        "sender": {"code": "99999000013"}, "regime": "RF01", "withholding": "RT01", "withholding_causal": "A",
        "natures": {"AE": "N6.9", "O": "N2.2", "Z": "N3.6"}, "payment": {"1": "MP05", "ZZZ": "MP05"},
        "transliterate": True, "long_text": "cut", "absent_totals": "compute", "absent_tax": _NOT_SUBJECT,
        "absent_terms": {"BT-31": "IT99999000013", "BT-48": "IT99999000021", "BT-81": "30"},
    },
    "facturae": {
        "reason_code": "16", "correction_method": "02", "vat_period": "month",
        "absent_totals": "compute", "absent_tax": _NOT_SUBJECT,
        "absent_terms": {"BT-31": "ESB99999013", "BT-48": "ESP9999900E", "BT-81": "30"},
    },
}  # fmt: skip
#: What a sender's map adds to a file: the tax codes of SAP are each company's own.
READING: dict[str, dict[str, Any]] = {
    "idoc": {"taxes": {"AA": {"category": "S"}, "AB": {"category": "S"}}},
}
_ENDINGS = {".toml", ".xml", ".edi", ".edifact", ".x12", ".txt", ".json", ".cxml", ".csv", ".xlsx"}


@dataclass(frozen=True, slots=True)
class Conversion:
    """What one sample came to in one target. ``fault`` is empty where it is good."""

    source: str
    lacks: tuple[str, ...] = ()
    fault: str = ""


@dataclass(slots=True)
class Cell:
    """All conversions from one format to another."""

    source: str
    target: str
    done: list[Conversion] = field(default_factory=list)

    @property
    def faults(self) -> list[Conversion]:
        return [one for one in self.done if one.fault]

    @property
    def held(self) -> int:
        return sum(bool(one.lacks) for one in self.done)

    @property
    def good(self) -> int:
        return len(self.done) - self.held - len(self.faults)

    @property
    def passed(self) -> bool:
        return self.good > 0 and not self.faults

    def __str__(self) -> str:
        return f"{self.good}+{self.held}" if self.passed else f"{self.good}+{self.held}!{len(self.faults)}"


def sources(directories: Sequence[Path], most: int = 0) -> dict[str, list[tuple[str, Invoice]]]:
    """Every invoice that can be read below *directories*, by format; *most* of each, 0 for all."""
    found: dict[str, list[tuple[str, Invoice]]] = {}
    for directory in directories:
        for path in sorted(one for one in directory.rglob("*") if one.suffix.lower() in _ENDINGS):
            for name, invoice in _invoices(path):
                rows = found.setdefault(name, [])
                if not most or len(rows) < most:
                    rows.append((str(path), invoice))
    return found


def _invoices(path: Path) -> Iterator[tuple[str, Invoice]]:
    """The invoices of one file that can be read without a fatal finding; other files are passed over."""
    try:
        data = _as_json(path) if path.suffix == ".toml" else path.read_bytes()
        name = formats.detect(data[: 64 * 1024])
        for read in formats.get(name, **READING.get(name, {})).read(io.BytesIO(data)):
            if read.problem is None and not fatal(read.findings):
                yield name, read.invoice
    except EInvoiceError:
        return


def _as_json(path: Path) -> bytes:
    """An invoice written for people to read, as the canonical JSON that it stands for; nothing for other settings."""
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    return json.dumps(data, default=date.isoformat).encode() if "number" in data else b" "


def convert(source: str, invoice: Invoice, target: str) -> Conversion:
    """*invoice* written as *target* and judged."""
    format = formats.get(target, **SETTINGS.get(target, {}))
    try:
        document = format.write(invoice, _IDS)
        if lacking := fatal(document.losses):
            return Conversion(source, lacks=tuple(one.term or one.message for one in lacking))
        found = [*document.losses, *losses(invoice, document, format)]
        return Conversion(source, fault=_judged(document) or next(_silent(invoice, format, document, found), ""))
    except EInvoiceError as error:
        return Conversion(source, fault=f"{type(error).__name__}: {error}")


def _judged(document: Document) -> str:
    """Why the written document is not valid, or cannot be shown to be; empty when it is."""
    if "xml" in document.media_type:
        verdict = formats.schema_verdict(document)
        if verdict.status == "valid":
            return ""
        return f"schema: {verdict.status}: {next((str(one) for one in verdict.findings), 'no schema')}"
    broken = [one for read in formats.read(document.data, document.format) for one in fatal(read.findings)]
    return str(broken[0]) if broken else ""


def _silent(invoice: Invoice, format: Format, document: Document, found: Sequence[Finding]) -> Iterator[str]:
    """Terms of *invoice* that are neither in the model read back, by the same settings, nor named in the report."""
    again = dict(leaves(next(iter(format.read(io.BytesIO(document.data)))).invoice))
    named = {one.path.removeprefix("$.") for one in found}
    for path, value in leaves(invoice):
        if again.get(path) != value and path not in named:
            yield f"lost without a word: {path} = {value!r}"


def cells(given: dict[str, list[tuple[str, Invoice]]], targets: Sequence[str]) -> Iterator[Cell]:
    """Every pair of formats, with its conversions."""
    for source in sorted(formats.names()):
        for target in targets:
            done = [convert(path, invoice, target) for path, invoice in given.get(source, ())]
            yield Cell(source, target, done)
            print(f"\r{source} -> {target}   ", end="", file=sys.stderr, flush=True) if sys.stderr.isatty() else None


def report(found: Sequence[Cell], targets: Sequence[str]) -> Iterator[str]:
    """The table (good+held, ``!`` faults), the first faults of each cell, the verdict line."""
    width = max(len(name) for name in (*targets, "source", "000+000!00"))
    yield "  ".join(("source".ljust(width), *(name.rjust(width) for name in targets)))
    by_source: dict[str, list[Cell]] = {}
    for cell in found:
        by_source.setdefault(cell.source, []).append(cell)
    for source, row in by_source.items():
        yield "  ".join((source.ljust(width), *(str(cell).rjust(width) for cell in row)))
    for cell in found:
        yield from (f"{cell.source} -> {cell.target}: {one.source}: {one.fault}" for one in cell.faults[:3])
        if not cell.done:
            yield f"{cell.source} -> {cell.target}: no sample"
        elif not cell.good and not cell.faults:
            lacking = Counter(term for one in cell.done for term in one.lacks)
            terms = ", ".join(f"{term} ({count})" for term, count in lacking.most_common(6))
            yield f"{cell.source} -> {cell.target}: every sample lacks what the format demands: {terms}"
    yield f"matrix: {sum(cell.passed for cell in found)}/{len(found)}"


def given(directory: str | None, most: int) -> dict[str, list[tuple[str, Invoice]]]:
    """The invoices to convert: those of a directory a person names, or fixtures and official samples."""
    if directory:
        return sources([Path(directory)], most)
    here = ROOT.parent / "shared" / "reference"
    base = Path(os.environ.get("EINVOICE_REFERENCE") or here)
    official = [base / folder for folders in SAMPLES.values() for folder in folders]
    return sources([ROOT / "fixtures", *dict.fromkeys(official)], most)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="matrix", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("directory", nargs="?", help="invoice files (default: fixtures and official samples)")
    parser.add_argument("--most", type=int, default=0, metavar="N", help="at most N samples of each format")
    args = parser.parse_args(arguments)
    invoices = given(args.directory, args.most)
    if not invoices:
        print(f"no invoice that can be read below {args.directory}: name a directory that has some", file=sys.stderr)
        return 1
    targets = formats.writable()
    found = list(cells(invoices, targets))
    if args.directory:  # only what the directory holds: another's formats are no fault of it
        found = [cell for cell in found if cell.source in invoices]
    print("\n".join(report(found, targets)))
    return 0 if all(cell.passed for cell in found) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
