"""Facturae 3.2.2 (Spain): one invoice or a batch of them between two parties.

A credit note is a corrective invoice (class OR) with negative amounts; the model states them positive. Written
unsigned: a signature goes around the whole file. Versions 3.0 to 3.2.1 differ by their namespace and a few elements and
are read; 3.2.2 is written.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, BinaryIO, Literal

from ..codes import codes
from ..config import Strict
from ..errors import Finding, InvalidInvoice, Severity, UnreadableDocument
from ..exchange import Document, Identity, Read
from ..model import Invoice, Period
from ..money import minor_units, plain
from ..money import parse as parse_number
from ._absent import Absent, supplied
from ._facturae_shape import Shaped
from ._facturae_table import NAMESPACE, table
from ._xml import encode, load, parse, place
from ._xml_read import Context, TreeReader
from ._xml_write import Writer, absent, compile_writer

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_ROOT = f"{{{NAMESPACE}}}Facturae"
#: Namespaces of the versions that are read.
NAMESPACES = (
    NAMESPACE,
    "http://www.facturae.es/Facturae/2014/v3.2.1/Facturae",
    "http://www.facturae.gob.es/formato/Versiones/Facturaev3_2_1.xml",
    "http://www.facturae.es/Facturae/2009/v3.2/Facturae",
    "http://www.facturae.es/Facturae/2007/v3.1/Facturae",
    "http://www.facturae.es/Facturae/2007/v3.0/Facturae",
)
_UNVERIFIED = "Facturae: a signature is verified before the document is read"
_SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"
#: Terms by the ``@name`` values and borrowed places that the rows miss.
_TERMS = {
    "@seller_tax": "BT-31", "@buyer_tax": "BT-48", "@number": "BT-1", "@invoice_total": "BT-112",
    "@outstanding": "BT-112", "@batch_currency": "BT-5", "BT-23": "BT-81", "EX-112": "BT-131",
    "@seller_person": "BG-4", "@seller_residence": "BG-4", "@buyer_person": "BG-7", "@buyer_residence": "BG-7",
}  # fmt: skip
#: Settings that say what the invoice may leave open.
_SETTINGS = {"EX-422": "reason_code", "EX-423": "correction_method", "EX-424": "vat_period", "EX-425": "vat_period",
             "EX-2": "language"}  # fmt: skip
#: Terms whose codes the schema lists: term, place, list.
_LISTED = (
    ("BT-5", "currency", "facturae_currencies"), ("BT-6", "tax_currency", "facturae_currencies"),
    ("EX-2", "language", "facturae_languages"),
)  # fmt: skip


class Centre(Strict):
    """An administrative centre by its DIR3 code; ``role`` 01 accounting office, 02 managing body, 03 processing unit,
    04 proposing body."""

    role: Literal["01", "02", "03", "04"]
    code: str
    name: str = ""


class Facturae(Absent):
    """Settings of the Facturae format."""

    language: str = "es"
    """Language stated where the invoice states none; empty: a finding then."""
    centres: tuple[Centre, ...] = ()
    """FACe: the buyer's centres, where the invoice names none."""
    reason_code: str = ""
    """ReasonCode of a correction (01 to 85), where the invoice states none."""
    correction_method: Literal["", "01", "02", "03", "04"] = ""
    """CorrectionMethod, where the invoice states none; 02 is by difference."""
    vat_period: Literal["", "month", "quarter"] = ""
    """The seller's tax period: where none is stated, the one that the corrected invoice's date is in is corrected."""

    def period_of(self, day: date | None) -> Period | None:
        """The tax period that *day* is in; None where the settings do not say how long one is."""
        if day is None or not self.vat_period:
            return None
        first = day.month if self.vat_period == "month" else 3 * ((day.month - 1) // 3) + 1
        last = first if self.vat_period == "month" else first + 2
        end = calendar.monthrange(day.year, last)[1]
        return Period(start=date(day.year, first, 1), end=date(day.year, last, end))


@cache
def _writer() -> Writer:
    return compile_writer(table())


@cache
def _reader() -> TreeReader:
    return TreeReader(table(), "facturae", _begin)


def _begin(context: Context) -> None:
    """A correction whose total is negative credits."""
    invoice = context.element.find("Invoices/Invoice")
    if invoice is None:
        return
    kind = (invoice.findtext("InvoiceHeader/InvoiceClass") or "").strip()
    total = (invoice.findtext("InvoiceTotals/InvoiceTotal") or "").strip()
    context.negate = kind[1:] == "R" and total.startswith("-") and bool(total.strip("-0."))


class FacturaeFormat:
    """Reads and writes Facturae; ``write`` raises UnreadableDocument when a text cannot stand in XML."""

    name = "facturae"

    def __init__(self, settings: Facturae | None = None) -> None:
        self.settings = settings or Facturae()

    def write(self, invoice: Invoice, ids: Identity) -> Document:
        return self.write_batch((invoice,), ids)

    def write_batch(self, invoices: Sequence[Invoice], ids: Identity) -> Document:
        """One file of all *invoices*. InvalidInvoice when they differ in seller, buyer or currency."""
        heads, bodies = [], []
        shaped, findings = self._shaped(invoices)
        batch = _batch(shaped)
        for one in shaped:
            text, missing = _writer()(one.body, one.meta | batch, one.credits)
            head, _, rest = text.partition("<Invoices>")
            heads.append(head)
            bodies.append(rest.rpartition("</Invoices>")[0])
            findings += [*_absent(missing), *one.findings, *_unpayable(one), *_unlisted(one.body)]
        if any(head != heads[0] for head in heads):
            message = "the invoices of a file have one seller, one buyer and one currency"
            fix = "write them into files of their own"
            raise InvalidInvoice(message, fix=fix, findings=(Finding("EINV-FACTURAE-01", message, fix=fix),))
        text = f"{_DECLARATION}{heads[0]}<Invoices>{''.join(bodies)}</Invoices></fe:Facturae>"
        return Document(encode(text), "facturae", "application/xml", f"{ids.payload_id}.xml", tuple(findings))

    def _shaped(self, invoices: Sequence[Invoice]) -> tuple[list[Shaped], list[Finding]]:
        shaped, findings = [], []
        for invoice in invoices:
            whole, told = supplied(invoice, self.settings, lambda tax: tax.effect != "withheld")
            shaped.append(Shaped(whole, self.settings))
            findings += told
        return shaped, findings

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        """Every invoice of the file. The signature is not looked at, which the first invoice's findings say."""
        data = load(stream)
        root, said = _prepared(data)
        invoices = root.find("Invoices")
        if invoices is None or not len(invoices):
            raise UnreadableDocument("the file holds no invoice", where=place(root), fix="send a file with invoices")
        for number, one in enumerate(_each(root)):
            read = _reader().read(one, lambda number=number: _only(data, number))  # type: ignore[misc]
            yield Read(read.invoice, (*read.findings, *said), read.locate, read.format)
            said = []


def _prepared(data: bytes) -> tuple[Any, list[Finding]]:
    """The root as of 3.2.2, without what says nothing or is verified elsewhere; and what is to say of that."""
    root = parse(data)
    namespace, _, name = str(root.tag).removeprefix("{").partition("}")
    if name != "Facturae" or namespace not in NAMESPACES:
        raise UnreadableDocument(f"the root element is {root.tag!r}, not Facturae", where="line 1",
                                 fix="send Facturae 3.2.2")  # fmt: skip
    root.tag = _ROOT
    said = list(_sums(root))
    for signature in root.findall(_SIGNATURE):
        said.append(Finding("EINV-READ-08", "the signature has no business term", Severity.INFO,
                            place=place(signature), clause=_UNVERIFIED))  # fmt: skip
        root.remove(signature)
    for empty in [one for one in root.iter("Extensions") if not len(one) and not (one.text or "").strip()]:
        parent = empty.getparent()
        if parent is not None:
            parent.remove(empty)
    return root, said


def _each(root: Any) -> Iterator[Any]:
    """*root* with each of its invoices alone."""
    holder = root.find("Invoices")
    invoices = list(holder)
    for one in invoices:
        holder.remove(one)
    for one in invoices:
        holder.append(one)
        yield root
        holder.remove(one)


def _only(data: bytes, number: int) -> Any:
    root, _ = _prepared(data)
    for index, one in enumerate(list(root.find("Invoices"))):
        if index != number:
            one.getparent().remove(one)
    return root


def _sums(root: Any) -> Iterator[Finding]:
    """What the header says of all invoices, where it is not so."""
    batch = root.find("FileHeader/Batch")
    if batch is None:
        return
    invoices = root.findall("Invoices/Invoice")
    modality = root.find("FileHeader/Modality")
    kind = "I" if len(invoices) == 1 else "L"
    if modality is not None and (modality.text or "").strip() not in ("", kind):
        yield Finding("EINV-FACTURAE-02", "Modality is not what the number of invoices makes it", Severity.WARNING,
                      place=place(modality), found=(modality.text or "")[:80], expected=kind,
                      fix="ask the sender whether invoices are missing")  # fmt: skip
    expected = {"InvoicesCount": Decimal(len(invoices))}
    for name, path in (("TotalInvoicesAmount", "InvoiceTotal"), ("TotalOutstandingAmount", "TotalOutstandingAmount"),
                       ("TotalExecutableAmount", "TotalExecutableAmount")):  # fmt: skip
        values = [parse_number((one.findtext(f"InvoiceTotals/{path}") or "").strip()) for one in invoices]
        expected[f"{name}/TotalAmount"] = sum((value for value in values if value is not None), Decimal(0))
    for path, value in expected.items():
        at = batch.find(path)
        if at is not None and parse_number((at.text or "").strip()) != value:
            yield Finding("EINV-FACTURAE-02", f"{path.partition('/')[0]} is not what the invoices come to",
                          Severity.WARNING, place=place(at), found=(at.text or "")[:80], expected=plain(value),
                          fix="ask the sender which is right")  # fmt: skip


def _batch(shaped: Sequence[Shaped]) -> dict[str, str]:
    """The header of the file: the identifier of the first invoice and the sums of all."""
    first = shaped[0]
    values = {"modality": "I" if len(shaped) == 1 else "L", "count": str(len(shaped)), "batch": first.meta["batch"]}
    if first.invoice.currency:
        values["batch_currency"] = first.invoice.currency
    for name, key in (("total_invoices", "invoice_total"), ("total_outstanding", "outstanding"),
                      ("total_executable", "executable")):  # fmt: skip
        stated = [parse_number(one.meta.get(key, "")) for one in shaped]
        zero = Decimal(0).scaleb(-minor_units(first.invoice.currency))
        values[name] = plain(sum((value for value in stated if value is not None), zero))
    return values


def _absent(missing: Sequence[str]) -> Iterator[Finding]:
    for one in absent(dict.fromkeys(_TERMS.get(id_, id_) for id_ in missing)):
        setting = _SETTINGS.get(one.term)
        yield replace(one, fix=f"state it in the source, or set {setting} in the profile") if setting else one


def _unpayable(one: Shaped) -> Iterator[Finding]:
    if not any(tax.effect != "withheld" for tax in one.invoice.tax_breakdown):
        yield from absent(["BG-23"])
    if not one.invoice.lines:
        yield from absent(["BG-25"])


def _unlisted(body: Any) -> Iterator[Finding]:
    """Codes that the schema's own lists do not have: the dinar of Serbia (RSD), Norwegian as nb."""
    for term, path, name in _LISTED:
        code = getattr(body, path)
        if code and code not in codes(name, date.max):
            yield Finding("EINV-FACTURAE-09", f"{code} is not in the list of Facturae", term=term, path=f"$.{path}",
                          fix="send such invoices in another format, or by another code", found=code,
                          clause="Facturaev3_2_2.xsd")  # fmt: skip


FORMAT, SETTINGS = FacturaeFormat, Facturae
