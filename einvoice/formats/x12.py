"""X12 810 of 004010 and 005010, in interchanges of ISA to IEA.

Amounts of a credit note are positive, as in the model, unless the partner wants them negative. What one partner wants
otherwise than the next is a setting.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import BinaryIO, Literal

from pydantic import Field

from .. import terms
from ..config import Strict
from ..errors import ConfigError, Finding, Severity, UnreadableDocument
from ..exchange import Document, Environment, Identity, Part, Read, Series
from ..model import Invoice, is_credit, leaves
from ..model import Party as ModelParty
from ..money import minor_units
from ._edi import between, control_number, counted, headless, problem, refused
from ._segments import Delimiters
from ._segments_write import Over, SegmentWriter, compile_segments
from ._x12_answers import answers as answers
from ._x12_codec import TOLD, Fault, Interchange, Set, sets
from ._x12_directory import DIRECTORIES, of_version
from ._x12_fit import flipped, unfit
from ._x12_orders import orders as orders
from ._x12_prepare import root_of
from ._x12_shape import KINDS
from ._x12_table import AMOUNTS, ITEM_CODES, REFERENCES, Way, implied, table
from ._x12_write import PAIRS, End, Envelope, around, ends, fitted
from ._xml_read import Context, TreeReader
from ._xml_write import absent


class Address(Strict):
    """A name in ISA and GS: ISA id and qualifier (01 DUNS, 12 telephone, 14 DUNS+4, ZZ agreed), GS id where another."""

    id: str
    qualifier: str = "ZZ"
    group: str = ""


class X12(Strict):
    """Settings of the X12 format: one partner's way to write and read the 810."""

    version: Literal["004010", "005010"] = "004010"
    release: str = ""
    """GS08, where it says more than the version: 004010VICS."""
    sender: Address | None = None
    """Who sends, in ISA and GS; else the seller's DUNS or GLN."""
    recipient: Address | None = None
    element: str = "*"
    component: str = ">"
    segment: str = "~"
    repetition: str = "^"
    """The delimiters. 004010 has no repetition."""
    line_end: Literal["", "\n", "\r\n"] = ""
    wants_answer: bool = False
    """Asks for a TA1 (ISA14)."""
    characters: Literal["basic", "extended"] = "extended"
    charset: Literal["ascii", "iso8859-1", "cp1252", "utf-8"] = "iso8859-1"
    """The bytes of what is written; X12 does not declare them."""
    read_charset: str = ""
    """The bytes a partner sends, where guessing UTF-8 or Windows-1252 does not do."""
    transliterate: bool = False
    """Writes characters outside the set in plainer ones and says so; else such a document does not go out."""
    replace_delimiters: str | None = None
    """Stands for a delimiter inside data, such as " ": the data are changed, which is said. X12 cannot release one."""
    long_text: Literal["refuse", "cut"] = "refuse"
    """What becomes of a text that its data element cannot hold. Cutting it loses its end; that is reported. Numbers,
    codes and identifiers are never cut."""
    kinds: dict[str, str] = Field(default_factory=dict)
    """BIG07 in place of ours: {"381": "CN"}; an empty text leaves it out."""
    credit_sign: Literal["positive", "negative"] = "positive"
    """Amounts of a credit note; read either way, by what the total says."""
    decimals: Literal[0, 2, 3, "currency"] = 2
    """Implied decimals of TDS, SAC05 and ITD08; "currency": as many as the currency has."""
    tax_percent: Literal["fraction", "percent"] = "fraction"
    """TXI03: .065 as the standard says, or 6.5 as many partners write."""
    tax_style: Literal["txi", "sac"] = "txi"
    """Taxes beside the total, or beneath a charge H850."""
    seller_role: Literal["SE", "VN", "SU"] = "SE"
    contact: str = "IC"
    note: str = "GEN"
    """NTE01 of a note without a subject code."""
    preceding_date: str = "922"
    """DTM01 of the date of the invoice that a credit note refers to."""
    currency: str = ""
    """The currency of a document that states none."""
    references: dict[str, str] = Field(default_factory=dict)
    """REF01 in place of ours, by term: {"preceding": "I5"}."""
    items: dict[str, str] = Field(default_factory=dict)
    """IT1 qualifiers in place of ours: {"seller_id": "VN"}."""
    amounts: dict[str, str] = Field(default_factory=dict)
    """AMT01 and PAM04 in place of ours: {"totals.due": "BAP"}."""
    units: dict[str, str] = Field(default_factory=dict)
    taxes: dict[str, str] = Field(default_factory=dict)
    """Codes in place of the crosswalk's, ours to theirs: {"HST": "GS"}. So in the next four."""
    jurisdictions: dict[str, str] = Field(default_factory=dict)
    charges: dict[str, str] = Field(default_factory=dict)
    allowances: dict[str, str] = Field(default_factory=dict)
    payment: dict[str, str] = Field(default_factory=dict)
    tolerant: bool = False
    """Reads sets whose counts, references or characters are wrong and reports that. What was cut off or doubled on the
    way may then be read as whole."""


#: ISA13, GS06 and ST02 hold nine digits.
_HIGHEST = 999_999_999
_MEDIA = "application/EDI-X12"

# --- compiled once for each way of writing ----------------------------------------------------------------------------


def delimiters_of(settings: X12) -> Delimiters:
    """The delimiters of *settings*; ConfigError when they cannot be told apart from each other or from data."""
    repetition = settings.repetition if DIRECTORIES[settings.version].repetition else ""
    marks = [settings.element, settings.component, settings.segment, *([repetition] if repetition else [])]
    if any(len(mark) != 1 or mark.isalnum() or mark in " .-+" or not mark.isascii() for mark in marks) or len(
        {*marks}
    ) < len(marks):
        raise ConfigError(f"the delimiters {' '.join(map(repr, marks))} cannot be told apart", where="element",
                          fix="leave the defaults * > ~ ^")  # fmt: skip
    return Delimiters(settings.element, settings.component, settings.segment, "", repetition, ".")


def way_of(settings: X12, digits: int) -> Way:
    """What of *settings* concerns the table; ConfigError names terms that have no code to replace."""
    for name, known in (("references", REFERENCES), ("items", ITEM_CODES), ("amounts", AMOUNTS)):
        unknown = [key for key in getattr(settings, name) if key not in known]
        if unknown:
            raise ConfigError(f"there is no {unknown[0]!r} here", where=f"format.{name}",
                              fix=f"choose of {', '.join(known)}")  # fmt: skip
    names = ("references", "items", "amounts", "units", "taxes", "jurisdictions", "charges", "allowances", "payment")
    pairs = {name: tuple(getattr(settings, name).items()) for name in names}
    return Way(
        digits=digits, fraction=settings.tax_percent == "fraction", tax_by_sac=settings.tax_style == "sac",
        seller=settings.seller_role, contact=settings.contact, note=settings.note, referred=settings.preceding_date,
        **pairs,
    )  # fmt: skip


@cache
def _writer(way: Way, version: str, delimiters: Delimiters) -> SegmentWriter:
    return compile_segments(table(way), delimiters, DIRECTORIES[version].limits, PAIRS)


@cache
def _reader(way: Way) -> TreeReader:
    return TreeReader(table(way), "x12", _begin)


def _begin(context: Context) -> None:
    """Amounts carry no currency of their own here; the sign is known when the total is."""


# --- the format -------------------------------------------------------------------------------------------------------


class X12Format:
    """Reads and writes the 810. ``losses`` of what is written name all that did not fit."""

    name = "x12"

    def __init__(self, settings: X12 | None = None) -> None:
        self.settings = settings or X12()
        self._delimiters = delimiters_of(self.settings)
        self._ways = {2: way_of(self.settings, 2)}

    def write(self, invoice: Invoice, ids: Identity) -> Document:
        """One interchange with one set; its control numbers are those of *ids*."""
        return self.write_many([self.part(invoice, ids)], ids)[0]

    def part(self, invoice: Invoice, ids: Identity) -> Part:
        """The set of *invoice* without ST and SE. It shares a group with others of the same two ends."""
        text, count, losses = self._body(invoice)
        data, changed = self._bytes(text)
        sender, recipient = self.share(invoice)
        sides = (("sender", sender), ("recipient", recipient))
        losses += [_unaddressed(side) for side, end in sides if not end.id]
        losses += [_too_long(side) for side, end in sides if len(end.id) > 15 or len(end.qualifier) != 2]
        whole, group = between("x12", sender.id, recipient.id), between("x12", *_group_ids(sender, recipient))
        series = (Series("interchange", whole, _HIGHEST), Series("group", group, _HIGHEST),
                  Series("message", group, _HIGHEST, each=True))  # fmt: skip
        return Part(data, count, (sender, recipient), series, (*losses, *changed))

    def share(self, invoice: Invoice) -> tuple[End, End]:
        """Sender and recipient of interchange and group."""
        return _end(self.settings.sender, invoice.seller), _end(self.settings.recipient, invoice.buyer)

    def write_many(self, parts: Sequence[Part], ids: Identity) -> tuple[Document, Sequence[Document]]:
        """One interchange with the sets of *parts* in one group, whose two ends they share; and each set as it stands.

        The control numbers are those of *ids*; sets count on from the one given.
        """
        settings, directory = self.settings, DIRECTORIES[self.settings.version]
        sender, recipient = parts[0].share
        assert isinstance(sender, End)
        assert isinstance(recipient, End)
        envelope = Envelope(
            sender, recipient, _number(ids, "interchange", 9).zfill(9), _number(ids, "group", 9), ids.at, "IN",
            directory.isa, settings.release or directory.version, settings.wants_answer,
            ids.environment is Environment.TEST,
        )  # fmt: skip
        first, sets = _number(ids, "message", 9).zfill(4), []
        for index, part in enumerate(parts):
            control = counted(first, index)
            before, after = (self._bytes(text)[0] for text in ends("810", control, part.count, self._delimiters))
            sets.append(Document(before + part.data + after, "x12", _MEDIA, f"{control}.x12", part.losses))
        framed = [self._bytes(text) for text in around(envelope, len(parts), self._delimiters)]
        data = b"".join([framed[0][0], *(one.data for one in sets), framed[1][0]])
        found = [loss for part in parts for loss in part.losses] + [loss for _, changed in framed for loss in changed]
        return Document(data, "x12", _MEDIA, f"{ids.payload_id}.x12", tuple(found)), sets

    def _bytes(self, text: str) -> tuple[bytes, list[Finding]]:
        """*text* as it goes out, and what was changed for the character set."""
        settings = self.settings
        data, changed = fitted(text, settings.characters, settings.charset, self._delimiters, settings.transliterate,
                               settings.replace_delimiters)  # fmt: skip
        if settings.line_end:
            end = self._delimiters.segment.encode()
            data = data.replace(end, end + settings.line_end.encode())
        return data, changed

    def _way(self, currency: str | None) -> Way:
        stated = self.settings.decimals
        digits = minor_units(currency) if stated == "currency" else stated
        if digits not in self._ways:
            self._ways[digits] = way_of(self.settings, digits)
        return self._ways[digits]

    def _body(self, invoice: Invoice) -> tuple[str, int, list[Finding]]:
        settings, way = self.settings, self._way(invoice.currency)
        over: list[Over] = []
        stated = flipped(invoice) if settings.credit_sign == "negative" and is_credit(invoice) else invoice
        writer = _writer(way, settings.version, self._delimiters)
        written = writer(stated, self._values(invoice, way), over.append)
        losses = [*absent(written.missing)]
        losses += unfit(invoice, way)
        losses += [_cut(one, stated, settings.long_text == "refuse") for one in over]
        losses += [_unpaired(pair) for pair in written.left]
        return written.text, written.segments, losses

    def _values(self, invoice: Invoice, way: Way) -> dict[str, str]:
        payment = invoice.payment
        means = next((found for one in (payment.means if payment else ()) if one.code
                      and (found := way.walk("payment").to(one.code))), "")  # fmt: skip
        discounts = payment.discounts if payment else ()
        base = next((one.base for one in discounts if one.base is not None), None)
        kind = {**KINDS, **self.settings.kinds}.get(
            invoice.type_code or "380", "DI" if not is_credit(invoice) else "CR"
        )
        purpose = "03" if invoice.operation == "delete" else "07" if invoice.copy_of_original else "00"
        referred = invoice.preceding[0].issue_date if len(invoice.preceding) == 1 else None
        values = {
            "kind": kind, "purpose": purpose, "action": "NA" if invoice.information_only else "", "means": means,
            "lines": str(len(invoice.lines)), "referred": f"{referred:%Y%m%d}" if referred else "",
            "discountable": ((implied(way.digits).to(base) or "") if base is not None else ""),
        }  # fmt: skip
        return {name: value for name, value in values.items() if value}

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        """Every set, one Read each; a set that cannot be used has a ``problem`` and no invoice.

        What is wrong with a group or an interchange is known at its end: a problem of its own after its sets, which
        were whole by their own counts; with ``tolerant`` a finding beside those of the last one.
        UnreadableDocument where there is no interchange or reading cannot go on.
        """
        waiting: Read | None = None
        outer: list[Fault] = []
        none = True
        for part in sets(stream, self.settings.read_charset):
            if isinstance(part, Set):
                if waiting is not None:
                    yield waiting
                waiting, none = self._read(part), False
                continue
            outer = [*outer, *part.faults][:TOLD]
            if not isinstance(part, Interchange):
                continue
            told = waiting is not None and self.settings.tolerant
            if waiting is not None:
                said = [_finding(fault, Severity.WARNING) for fault in outer] if told else []
                yield replace(waiting, findings=(*waiting.findings, *said)) if said else waiting
            if outer and not told:
                yield refused("x12", f"interchange {part.control or '?'}", outer, _fatal)
            none, waiting, outer = False, None, []
        if none:
            raise UnreadableDocument("there is no interchange", where="first bytes", fix="send ISA to IEA")

    def _read(self, one: Set) -> Read:
        if one.kind != "810":
            return problem("x12", UnreadableDocument(f"the set is {one.kind[:10] or 'of no type'}, not 810",
                                               where=one.place, fix="see the message in the inbox"))  # fmt: skip
        if one.faults and not self.settings.tolerant:
            return refused("x12", one.place, one.faults, _fatal)
        try:
            read = self._invoice(one)
        except UnreadableDocument as error:
            return problem(
                "x12", UnreadableDocument(error.message, where=one.place, fix=error.fix, findings=error.findings)
            )
        said = [_finding(fault, Severity.WARNING) for fault in one.faults]
        said += [_finding(doubt, Severity.INFO) for doubt in (*one.interchange.doubts, *one.doubts)]
        return replace(read, findings=(*said, *read.findings), invoice=self._canonical(read.invoice))

    def _invoice(self, one: Set) -> Read:
        directory = of_version(one.version)
        said: list[Finding] = []
        fraction = self.settings.tax_percent == "fraction"
        root = root_of(one, directory, fraction, said.append)
        if root.find("BIG") is None:
            said.append(headless("EINV-X12-11", "set", "BIG", root.place()))
        cur = root.find("CUR")
        way = self._way((cur.get("2.1") if cur is not None else "") or self.settings.currency)
        read = _reader(way).read(root, lambda: root_of(one, directory, fraction, lambda finding: None))  # type: ignore[arg-type,return-value]
        return replace(read, findings=(*said, *read.findings))

    def _canonical(self, invoice: Invoice) -> Invoice:
        """*invoice* with positive amounts where it credits, and with the partner's currency where it names none."""
        if is_credit(invoice) and invoice.totals and invoice.totals.gross is not None and invoice.totals.gross < 0:
            invoice = flipped(invoice)
        if not invoice.currency and self.settings.currency:
            invoice = invoice.model_copy(update={"currency": self.settings.currency})
        return invoice


def _group_ids(sender: End, recipient: End) -> tuple[str, str]:
    """GS02 and GS03."""
    return sender.group or sender.id, recipient.group or recipient.id


def _number(ids: Identity, kind: str, digits: int) -> str:
    """The control number, in *digits* digits where none was assigned."""
    return ids.numbers.get(kind) or str(int(control_number(ids, kind)) % 10**digits or 1)


def _end(setting: Address | None, party: ModelParty | None) -> End:
    if setting is not None:
        return End(setting.id, setting.qualifier, setting.group)
    known = [*(party.identifiers if party else ()), *([party.legal_id] if party and party.legal_id else [])]
    for one in known:
        if one.value and one.scheme in ("0060", "0088"):
            return End(one.value, "01" if one.scheme == "0060" else "ZZ")
    return End("")


# --- what is said -----------------------------------------------------------------------------------------------------


def _finding(fault: Fault, severity: Severity) -> Finding:
    clause = f"X12 {fault.level} error {fault.code}"
    return Finding("EINV-X12-01", fault.text, severity, place=fault.place, clause=clause,
                   fix="ask the sender to correct the interchange")  # fmt: skip


def _fatal(fault: Fault) -> Finding:
    return _finding(fault, Severity.FATAL)


def _unaddressed(side: str) -> Finding:
    return Finding("EINV-X12-02", f"no interchange address of the {side}", fix=f"set {side} in the profile's format")


def _too_long(side: str) -> Finding:
    return Finding("EINV-X12-02", f"the interchange address of the {side} is longer than ISA takes",
                   fix=f"set {side} in the profile's format: an id of 15 characters, a qualifier of 2")  # fmt: skip


def _cut(over: Over, invoice: Invoice, refuse: bool) -> Finding:
    path = next((path for path, value in leaves(invoice) if str(value) == over.text), "")
    known = terms.TERMS.get(over.term)
    fatal = refuse or known is None or known.kind != "text"
    return Finding(
        "EINV-X12-04", f"the text has {len(over.text)} characters, its data element holds {over.room}",
        Severity.FATAL if fatal else Severity.WARNING, over.term if known else "", f"$.{path}" if path else "",
        found=over.text[:80], fix='shorten it in the source, or set long_text to "cut"',
    )  # fmt: skip


def _unpaired(pair: str) -> Finding:
    return Finding("EINV-X12-04", "IT1 holds ten product numbers, there are more", Severity.WARNING, found=pair[1:80],
                   fix="name the term under must_carry if it may not be lost")  # fmt: skip


def variant(name: str) -> dict[str, object]:
    """Settings of ``x12:NAME``."""
    if name not in DIRECTORIES:
        raise ConfigError(f"X12 has no version {name!r} here", fix=f"choose one of {', '.join(DIRECTORIES)}")
    return {"version": name}


#: BIG03, which networks compare with the BEG05 of the order.
ORDER_TERMS = ("EX-12",)
FORMAT, SETTINGS = X12Format, X12
