"""EDIFACT INVOIC of D.96A and D.01B (EANCOM and others), read also in D.97A to D.16B; D.14B as EN 16931-3-4 binds it.

Amounts of a credit note are positive, as in the model. What one partner wants otherwise than the next is a setting.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, BinaryIO, Literal

from pydantic import Field

from ..config import Strict
from ..errors import ConfigError, Finding, Severity, UnreadableDocument
from ..exchange import Document, Environment, Identity, Part, Read, Series
from ..model import Invoice, leaves
from ..model import Party as ModelParty
from ._edi import between, control_number, counted, headless, problem, refused
from ._edifact_answers import answers as answers
from ._edifact_codec import Fault, Interchange, Message, messages
from ._edifact_directory import DIRECTORIES, Directory, of_release
from ._edifact_orders import orders as orders
from ._edifact_prepare import root_of
from ._edifact_shape import function
from ._edifact_stream import CHARSETS
from ._edifact_table import table
from ._edifact_write import (
    Envelope,
    Party,
    advice,
    around,
    broken,
    ends,
    fitted,
    outside,
    plainer,
    strange,
)  # fmt: skip
from ._segments import Delimiters
from ._segments_write import Over, SegmentWriter, compile_segments
from ._xml_read import Context, TreeReader
from ._xml_write import absent


class Address(Strict):
    """A name in UNB: id, its qualifier (14 GLN, 1 DUNS, ZZ agreed), an address inside."""

    id: str
    qualifier: str = ""
    address: str = ""


class Edifact(Strict):
    """Settings of the EDIFACT format: one partner's way to write and read INVOIC."""

    directory: Literal["d96a", "d01b", "d14b"] = "d96a"
    association: str = ""
    """The association assigned code of UNH: EAN008, EAN010 ...; empty for none."""
    syntax: Literal["UNOA", "UNOB", "UNOC", "UNOD", "UNOE", "UNOF", "UNOW"] = "UNOC"
    version: Literal[1, 2, 3, 4] = 3
    una: bool = True
    service: str = ":+.? '"
    """The six service characters of UNA: component, element, decimal, release, repetition (version 4), terminator."""
    decimal: Literal["", ".", ","] = ""
    """The decimal mark, where it is not the one of ``service``."""
    line_end: Literal["", "\n", "\r\n"] = ""
    sender: Address | None = None
    """Who sends, in UNB; else the seller's GLN or DUNS."""
    recipient: Address | None = None
    application: str = "INVOIC"
    wants_answer: bool = False
    """Asks for a CONTRL (UNB 0031)."""
    group: bool = False
    """Puts the messages into a functional group (UNG, UNE)."""
    reference_iv: Literal["original", "own"] = "original"
    """RFF+IV names the invoice that a credit note refers to; with "own" the document itself (the other is then OI)."""
    document_codes: dict[str, str] = Field(default_factory=dict)
    """BGM 1001 in place of the type code (BT-3): {"381": "81"}. Read back the same way."""
    tax_categories: dict[str, str] = Field(default_factory=dict)
    """TAX 5305 in place of the category: {"AE": "E"}; an empty text leaves it out."""
    gross_code: Literal["", "39", "77", "86", "388"] = ""
    """MOA 5025 of the total with tax, where it is not the directory's."""
    transliterate: bool = False
    """Writes characters outside the level in plainer ones and says so; else such a document does not go out."""
    long_text: Literal["refuse", "cut"] = "refuse"
    """What becomes of a text that its data element cannot hold. Cutting it loses its end; that is reported."""
    tolerant: bool = False
    """Reads messages whose counts, references or characters are wrong and reports that. What was cut off or doubled on
    the way may then be read as whole."""
    charset: str = ""
    """The character set a partner really sends, where it is another than the syntax identifier says: cp1252, utf-8."""


#: UNB 0020, UNG 0048 and UNH 0062 hold fourteen characters.
_HIGHEST = 10**14 - 1
_MEDIA = "application/EDIFACT"

# --- compiled once for each way of writing ----------------------------------------------------------------------------


def _directory(settings: Edifact) -> Directory:
    found = DIRECTORIES[settings.directory]
    if settings.reference_iv == "own":
        found = replace(found, own=True, preceding="OI")
    if settings.gross_code:
        found = replace(found, totals=tuple(_with_gross(row, settings.gross_code) for row in found.totals))
    return found


def _with_gross(row: tuple[str, str, tuple[str, ...]], code: str) -> tuple[str, str, tuple[str, ...]]:
    term, written, alike = row
    if term != "BT-112" or written == code:
        return row
    return term, code, (written, *(other for other in alike if other != code))


@cache
def _writer(directory: Directory, delimiters: Delimiters) -> SegmentWriter:
    return compile_segments(table(directory), delimiters, directory.limits)


@cache
def _reader(directory: Directory) -> TreeReader:
    return TreeReader(table(directory), "edifact", _begin)


def _begin(context: Context) -> None:
    """Amounts carry no currency of their own here; nothing has to be known before the rows are read."""


def delimiters_of(settings: Edifact) -> Delimiters:
    """The service characters of *settings*; ConfigError when they cannot be told apart."""
    marks = settings.service
    if len(marks) != 6 or len({marks[0], marks[1], marks[3], marks[5]}) < 4 or any(map(str.isalnum, marks)):
        raise ConfigError(f"the service characters {marks!r} are not six that can be told apart", where="service",
                          fix="""leave the default, ":+.? '\"""")  # fmt: skip
    repetition = (marks[4].strip() or "*") if settings.version == 4 else ""
    return Delimiters(marks[1], marks[0], marks[5], marks[3].strip(), repetition, settings.decimal or marks[2])


# --- the format -------------------------------------------------------------------------------------------------------


class EdifactFormat:
    """Reads and writes INVOIC. ``losses`` of what is written name all that did not fit."""

    name = "edifact"

    def __init__(self, settings: Edifact | None = None) -> None:
        self.settings = settings or Edifact()
        self._delimiters = delimiters_of(self.settings)
        self._directory = _directory(self.settings)

    def write(self, invoice: Invoice, ids: Identity) -> Document:
        """One interchange with one message; its control numbers are those of *ids*."""
        return self.write_many([self.part(invoice, ids)], ids)[0]

    def part(self, invoice: Invoice, ids: Identity) -> Part:
        """The message of *invoice* without UNH and UNT. It shares an interchange with others of the same two ends."""
        text, count, losses = self._body(invoice)
        data = self._encoded(text)
        sender, recipient = self.share(invoice)
        losses += [_unaddressed(side) for side, end in (("sender", sender), ("recipient", recipient)) if not end.id]
        series = [Series("interchange", between("edifact", sender.id, recipient.id), _HIGHEST)]
        series += [replace(series[0], kind="group")] if self.settings.group else []
        series += [replace(series[0], kind="message", each=True)]
        return Part(data, count, (sender, recipient), tuple(series), tuple(losses))

    def share(self, invoice: Invoice) -> tuple[Party, Party]:
        """Sender and recipient of the interchange."""
        return _end(self.settings.sender, invoice.seller), _end(self.settings.recipient, invoice.buyer)

    def write_many(self, parts: Sequence[Part], ids: Identity) -> tuple[Document, Sequence[Document]]:
        """One interchange with the messages of *parts*, which share its two ends; and each message as it stands in it.

        The control numbers are those of *ids*; messages count on from the one given.
        """
        settings, (sender, recipient) = self.settings, parts[0].share
        assert isinstance(sender, Party)
        assert isinstance(recipient, Party)
        envelope = Envelope(
            sender, recipient, control_number(ids, "interchange"), ids.at, settings.syntax, settings.version,
            settings.application, settings.wants_answer, ids.environment is Environment.TEST,
            control_number(ids, "group") if settings.group else "",
        )  # fmt: skip
        kind = ("INVOIC", "D", self._directory.release, "UN", settings.association)
        first, messages = control_number(ids, "message"), []
        for index, part in enumerate(parts):
            reference = counted(first, index)
            before, after = (self._bytes(text)[0] for text in ends(reference, kind, part.count, self._delimiters))
            messages.append(Document(before + part.data + after, "edifact", _MEDIA, f"{reference}.edi", part.losses))
        framed = [self._bytes(text) for text in around(envelope, kind, len(parts), self._delimiters)]
        una = f"{advice(self._delimiters)}{settings.line_end}".encode("ascii") if settings.una else b""
        data = b"".join([una, framed[0][0], *(one.data for one in messages), framed[1][0]])
        found = [loss for part in parts for loss in part.losses] + [loss for _, changed in framed for loss in changed]
        return Document(data, "edifact", _MEDIA, f"{ids.payload_id}.edi", tuple(found)), messages

    def _bytes(self, text: str) -> tuple[bytes, list[Finding]]:
        """*text* as it goes out, and what was changed for the level."""
        text, changed = fitted(text, self.settings.syntax, self._delimiters, self.settings.transliterate)
        return self._encoded(text), changed

    def _encoded(self, text: str) -> bytes:
        if self.settings.line_end:
            text = broken(text, self._delimiters, self.settings.line_end)
        return text.encode(CHARSETS[self.settings.syntax])

    def _body(self, invoice: Invoice) -> tuple[str, int, list[Finding]]:
        over: list[Over] = []
        writer = _writer(self._directory, self._delimiters)
        shaped = self._shaped(invoice)
        written = writer(shaped, self._values(invoice), over.append)
        losses = []
        if signs := outside(written.text, self.settings.syntax):
            losses.append(strange(signs, self.settings.syntax, self.settings.transliterate))
            shaped = _plainer(shaped, signs, self.settings.syntax)  # before lengths are measured, for it changes them
            over.clear()
            written = writer(shaped, self._values(shaped), over.append)
            text, _ = fitted(written.text, self.settings.syntax, self._delimiters, self.settings.transliterate)
            written = written._replace(text=text)
        losses += absent(written.missing)
        losses += [_cut(one, shaped, self.settings.long_text == "refuse") for one in over]
        return written.text, written.segments, losses

    def _values(self, invoice: Invoice) -> dict[str, str]:
        means = [one.code for one in invoice.payment.means if one.code] if invoice.payment else []
        values = {"function": function(invoice), "lines": str(len(invoice.lines))}
        return {**values, "means": means[0]} if means else values

    def _shaped(self, invoice: Invoice) -> Invoice:
        """*invoice* with the partner's own codes."""
        codes, categories = self.settings.document_codes, self.settings.tax_categories
        if invoice.type_code in codes:
            invoice = invoice.model_copy(update={"type_code": codes[invoice.type_code]})
        if not categories:
            return invoice
        raw = invoice.model_dump(exclude_defaults=True)
        _recategorise(raw, categories)
        return Invoice.model_validate(raw)

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        """Every message, one Read each; a message that cannot be used has a ``problem`` and no invoice.

        What is wrong with an interchange is known at its end: a problem of its own after its messages, which were whole
        by their own counts; with ``tolerant`` a finding beside those of the last one.
        UnreadableDocument where there is no message at all or reading cannot go on.
        """
        waiting: Read | None = None
        none = True
        for part in messages(stream, self.settings.charset):
            if isinstance(part, Message):
                if waiting is not None:
                    yield waiting
                waiting, none = self._read(part), False
                continue
            outer = _outer(part)
            told = waiting is not None and self.settings.tolerant
            if waiting is not None:
                said = [_finding(fault, Severity.WARNING) for fault in outer] if told else []
                yield replace(waiting, findings=(*waiting.findings, *said)) if said else waiting
            if outer and not told:
                yield refused("edifact", f"interchange {part.reference or '?'}", outer, _fatal)
            waiting, none = None, none and not outer
        if none:
            raise UnreadableDocument("there is no interchange", where="first bytes", fix="send UNB to UNZ")

    def _read(self, one: Message) -> Read:
        if one.kind != "INVOIC":
            return problem("edifact", UnreadableDocument(f"the message is {one.kind or 'of no type'}, not INVOIC",
                                               where=one.place, fix="see the message in the inbox"))  # fmt: skip
        if one.faults and not self.settings.tolerant:
            return refused("edifact", one.place, one.faults, _fatal)
        try:
            read = self._invoice(one)
        except UnreadableDocument as error:
            return problem(
                "edifact", UnreadableDocument(error.message, where=one.place, fix=error.fix, findings=error.findings)
            )
        said = [_finding(fault, Severity.WARNING) for fault in (*one.faults, *one.doubts)]
        return replace(read, findings=(*said, *read.findings), invoice=self._canonical(read.invoice))

    def _invoice(self, one: Message) -> Read:
        directory = DIRECTORIES[of_release(one.release)]
        said: list[Finding] = []
        root = root_of(one, directory, said.append)
        if root.find("BGM") is None:
            said.append(headless("EINV-EDIFACT-08", "message", "BGM", root.place()))
        read = _reader(directory).read(root, lambda: root_of(one, directory, lambda finding: None))  # type: ignore[arg-type,return-value]
        return replace(read, findings=(*said, *read.findings))

    def _canonical(self, invoice: Invoice) -> Invoice:
        """*invoice* with the type code that the partner's own stands for."""
        codes = {theirs: ours for ours, theirs in self.settings.document_codes.items()}
        if invoice.type_code not in codes:
            return invoice
        return invoice.model_copy(update={"type_code": codes[invoice.type_code]})


def _outer(one: Interchange) -> list[Fault]:
    return [*one.faults, *(fault for group in one.broken for fault in group.faults)]


def _plainer(invoice: Invoice, signs: list[str], syntax: str) -> Invoice:
    """*invoice* with every text written in the characters of the level."""
    by = str.maketrans({sign: plainer(sign, syntax) for sign in signs})

    def plain(value: Any) -> Any:
        if isinstance(value, str):
            return value.translate(by)
        if isinstance(value, dict):
            return {key: plain(child) for key, child in value.items()}
        return [plain(child) for child in value] if isinstance(value, (list, tuple)) else value

    return Invoice.model_validate(plain(invoice.model_dump(exclude_defaults=True)))


def _recategorise(raw: object, categories: dict[str, str]) -> None:
    if isinstance(raw, dict):
        if raw.get("category") in categories:
            raw["category"] = categories[raw["category"]] or None
        for child in raw.values():
            _recategorise(child, categories)
    elif isinstance(raw, (list, tuple)):
        for child in raw:
            _recategorise(child, categories)


def _end(setting: Address | None, party: ModelParty | None) -> Party:
    if setting is not None:
        return Party(setting.id, setting.qualifier, setting.address)
    for one in party.identifiers if party else ():
        if one.value and one.scheme in ("0088", "0060"):
            return Party(one.value, "14" if one.scheme == "0088" else "1")
    return Party("")


# --- what is said -----------------------------------------------------------------------------------------------------


def _finding(fault: Fault, severity: Severity) -> Finding:
    return Finding("EINV-EDIFACT-01", fault.text, severity, place=fault.place, clause=f"ISO 9735, error {fault.code}",
                   fix="ask the sender to correct the interchange")  # fmt: skip


def _fatal(fault: Fault) -> Finding:
    return _finding(fault, Severity.FATAL)


def _unaddressed(side: str) -> Finding:
    return Finding(
        "EINV-EDIFACT-02", f"no interchange address of the {side}", fix=f"set {side} in the profile's format"
    )


def _cut(over: Over, invoice: Invoice, fatal: bool) -> Finding:
    """Where the invoice states the text; the same field may hold it in several parties, so it is found by its value."""
    path = next((path for path, value in leaves(invoice) if value == over.text), "")
    fatal = fatal or over.whole
    return Finding(
        "EINV-EDIFACT-04", f"the text has {len(over.text)} characters, its data element holds {over.room}",
        Severity.FATAL if fatal else Severity.WARNING, over.term if not path else "", f"$.{path}" if path else "",
        found=over.text[:80],
        fix="correct it in the source" if over.whole else 'shorten it in the source, or set long_text to "cut"',
    )  # fmt: skip


def variant(name: str) -> dict[str, object]:
    """Settings of ``edifact:NAME``."""
    if name not in DIRECTORIES:
        raise ConfigError(f"EDIFACT has no directory {name!r} here", fix=f"choose one of {', '.join(DIRECTORIES)}")
    return {"directory": name, "syntax": "UNOW", "version": 4} if name == "d14b" else {"directory": name}


FORMAT, SETTINGS = EdifactFormat, Edifact
