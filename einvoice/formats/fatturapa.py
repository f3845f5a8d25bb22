"""FatturaPA 1.2 of the Italian Sistema di Interscambio: FPA12 and FPR12, and the simplified invoice FSM10.

One file is one transmission: a header, and one body for each invoice of a lot. Notices of SdI are read by
:func:`answers`. What maps where, and what the settings do: ``docs/fatturapa.md``.
"""

from __future__ import annotations

import copy
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any, BinaryIO, Literal

from lxml import etree
from pydantic import Field

from ..codes.crosswalks import crosswalk
from ..config import Strict
from ..errors import ConfigError, Finding, Severity, UnreadableDocument
from ..exchange import Document, Environment, Identity, Read
from ..mapping import Leaf, Map, Node, plan
from ..model import Invoice, Party, leaves
from ._absent import Absent, supplied
from ._fatturapa_answers import answers as answers
from ._fatturapa_facets import MARK, Misfit, fitted, text_of
from ._fatturapa_in import HOOKS as READING
from ._fatturapa_in import after, unknown_recipient
from ._fatturapa_out import HOOKS as WRITING
from ._fatturapa_out import Way, fiscal_code, is_vat, self_billed, shaped
from ._fatturapa_table import TRANSMISSION, ordinary, simplified
from ._fatturapa_words import ITEM_CODES, SIMPLER
from ._xml import encode, load, parse, place
from ._xml_read import Context, TreeReader
from ._xml_write import Writer, absent, compile_writer

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_BODY, _BODY_END = "<FatturaElettronicaBody>", "</FatturaElettronicaBody>"
_SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_REGISTER = "CedentePrestatore/IscrizioneREA/"
#: Bytes of all but the bodies of a lot: header and signature, which have a few thousand each.
HEADER = 64 * 1024
#: What SdI takes as the name of a file (00001).
_NAME = re.compile(r"[A-Z]{2}[A-Za-z0-9]{2,28}_[A-Za-z0-9]{1,5}\.xml")
VARIANTS = ("fpr12", "fpa12", "fsm10")


class Sender(Strict):
    """Who transmits (IdTrasmittente), where it is not the seller: an intermediary's country and fiscal code."""

    country: str = "IT"
    code: str
    phone: str = ""
    email: str = ""


class ItemCodes(Strict):
    """CodiceTipo of each number that an item has; empty leaves the number out."""

    seller_id: str = ITEM_CODES["seller_id"]
    buyer_id: str = ITEM_CODES["buyer_id"]
    manufacturer_id: str = ITEM_CODES["manufacturer_id"]
    auxiliary_id: str = ""

    def words(self) -> dict[str, str]:
        return {leaf: word for leaf, word in self.model_dump().items() if word}


class FatturaPa(Absent):
    """Settings of the FatturaPA format."""

    transmission: Literal["", "fpr12", "fpa12", "fsm10"] = ""
    """FPA12 to public bodies, FPR12 to all others, FSM10 the simplified invoice; empty: by the recipient's code."""
    sender: Sender | None = None
    """IdTrasmittente, and the first part of the file name; else the seller's own."""
    recipient_code: str = ""
    """CodiceDestinatario: seven characters, six of a public office; else the buyer's endpoint (BT-49) of scheme 0205 or
    0201, else 0000000 in Italy and XXXXXXX abroad."""
    recipient_mailbox: str = ""
    """PECDestinatario; else the buyer's endpoint of scheme EM."""
    regime: str = ""
    """RegimeFiscale of a seller whose invoice does not state it: RF01 ..."""
    withholding: str = ""
    """TipoRitenuta of a withholding whose category does not state it: RT01, RT02 ..."""
    withholding_causal: str = ""
    """CausalePagamento of a withholding that does not state it: A, B ..."""
    liquidation: Literal["", "LN", "LS"] = ""
    """StatoLiquidazione of a seller with a number in the companies register; without it the register is left out."""
    natures: dict[str, str] = Field(default_factory=dict)
    """Natura by VAT category where the category alone does not tell: {"AE": "N6.9", "O": "N2.2"}."""
    payment: dict[str, str] = Field(default_factory=dict)
    """ModalitaPagamento by UNCL4461 code; goes before the crosswalk."""
    units: dict[str, str] = Field(default_factory=dict)
    """UnitaMisura by unit code; others are written as they are."""
    item_codes: ItemCodes = ItemCodes()
    """CodiceTipo of the item's numbers, both ways."""
    transliterate: bool = False
    """Writes characters that an element does not hold in plainer ones and says so; else nothing goes out."""
    long_text: Literal["refuse", "cut"] = "refuse"
    """What becomes of a text that its element cannot hold. Cutting it loses its end; that is reported."""


# --- compiled once ----------------------------------------------------------------------------------------------------


@cache
def table(simple: bool, item_codes: tuple[tuple[str, str], ...] = tuple(ITEM_CODES.items())) -> Map:
    """The table of the simplified or the ordinary invoice."""
    words = {word: leaf for leaf, word in item_codes}
    hooks = {**WRITING, **READING, "after": partial(after, words)}
    return simplified(hooks) if simple else ordinary(hooks)


@cache
def _writer(simple: bool, checked: bool = False) -> Writer:
    """*checked*: a text that its element does not hold is MARK."""
    one = table(simple)
    return compile_writer(replace(one, hooks={**one.hooks, "text": text_of}) if checked else one)


@cache
def _reader(simple: bool, item_codes: tuple[tuple[str, str], ...]) -> TreeReader:
    return TreeReader(table(simple, item_codes), "fatturapa", _begin)


def _begin(context: Context) -> None:
    """Amounts carry no currency of their own here, and credit notes state what they credit positive."""


@cache
def _extensions(simple: bool) -> frozenset[str]:
    """Names of the document's extensions that have an element."""
    found: set[str] = set()
    waiting: list[Node] = [plan(table(simple))]
    while waiting:
        node = waiting.pop()
        sources = (node.text, *node.attrs.values())
        found.update(one.id[1:] for one in sources if isinstance(one, Leaf) and one.kind == "meta")
        waiting += node.children
    return frozenset(found - set(TRANSMISSION))


# --- the format -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Written:
    text: str
    losses: tuple[Finding, ...]
    name: str


class FatturaPaFormat:
    """Reads and writes FatturaPA. ``losses`` of what is written name all that is missing or did not fit."""

    name = "fatturapa"

    def __init__(self, settings: FatturaPa | None = None) -> None:
        self.settings = settings or FatturaPa()
        self._codes = tuple(self.settings.item_codes.words().items())
        self._payments = crosswalk("fatturapa_payment", tuple(self.settings.payment.items()))

    def write(self, invoice: Invoice, ids: Identity) -> Document:
        """One file with one invoice. Its name and ProgressivoInvio come from ``ids.numbers["progressive"]``."""
        return self.write_lot([invoice], ids)

    def write_lot(self, invoices: Sequence[Invoice], ids: Identity) -> Document:
        """One file (lotto) with several invoices of one seller to one buyer; losses of each in order."""
        if not invoices:
            raise ConfigError("a lot holds at least one invoice", fix="give the invoices to write")
        written = [self._written(one, ids) for one in invoices]
        heads = [one.text.partition(_BODY)[0] for one in written]
        losses = [finding for one in written for finding in one.losses]
        losses += [_other_head(one) for one, head in zip(invoices, heads, strict=True) if head != heads[0]]
        first = written[0]
        bodies = "".join(_body(one.text) for one in written)
        text = f"{heads[0]}{bodies}{first.text.rpartition(_BODY_END)[2]}"
        return Document(encode(_DECLARATION + text), "fatturapa", "application/xml", first.name, tuple(losses))

    def _written(self, invoice: Invoice, ids: Identity) -> _Written:
        settings = self.settings
        invoice, losses = supplied(invoice, settings, is_vat)
        values = self._values(invoice, ids, losses)
        simple = values["format"] == "FSM10"
        way = Way(simple, settings.natures, settings.units, dict(self._codes), settings.withholding,
                  settings.withholding_causal, self._payments)  # fmt: skip
        body = shaped(invoice, way)
        if body.seller is not None:
            body.seller.regime = body.seller.regime or settings.regime or None
            self._register(body.seller, values)
        misfits: list[Misfit] = []
        text, missing = _writer(simple, checked=True)(body, values, False)
        if way.unfit or MARK in text:
            text, missing = _writer(simple)(body, values, False)
            text, misfits = fitted(text, settings.transliterate, settings.long_text == "cut")
        losses += [*absent(dict.fromkeys([*missing, *way.missing])), *way.said]
        losses += [_unfit(one, invoice, settings) for one in misfits]
        name = f"{values['sender_country']}{values['sender_code']}_{values['progressive']}.xml"
        if not _NAME.fullmatch(name):
            losses.append(_misnamed(name))
        return _Written(text, tuple(losses), re.sub("[^A-Za-z0-9_.]|[.](?!xml$)", "", name))

    def _values(self, invoice: Invoice, ids: Identity, losses: list[Finding]) -> dict[str, str]:
        settings = self.settings
        code, mailbox = self._recipient(invoice)
        format = settings.transmission.upper() or _transmission(invoice, code)
        room = 6 if format == "FPA12" else 7
        if len(code) != room:
            losses.append(_recipient_unfit(code, format, room))
        country, sender = self._sender(invoice)
        if not sender:
            losses.append(_no_sender())
        names = _extensions(format == "FSM10")
        values = {one.name: one.value for one in invoice.extensions if one.name in names and one.value}
        issuer = "CC" if self_billed(invoice) else "TZ" if invoice.issuer and format != "FSM10" else ""
        if issuer:
            values.setdefault("SoggettoEmittente", issuer)
        if invoice.delivery and invoice.delivery.date and format != "FSM10":
            values.setdefault("DatiTrasporto/DataOraConsegna", f"{invoice.delivery.date.isoformat()}T00:00:00")
        values |= {"format": format, "recipient": code, "progressive": progressive(ids, losses.append),
                   "sender_country": country, "sender_code": sender}  # fmt: skip
        contact = settings.sender
        more = {"pec": mailbox, "phone": contact.phone if contact else "", "email": contact.email if contact else ""}
        return values | {name: value for name, value in more.items() if value}

    def _register(self, seller: Any, values: dict[str, str]) -> None:
        """IscrizioneREA stands whole or not at all: without the number or StatoLiquidazione it is left out."""
        if self.settings.liquidation:
            values.setdefault(f"{_REGISTER}StatoLiquidazione", self.settings.liquidation)
        if seller.legal_id is None or f"{_REGISTER}StatoLiquidazione" not in values:
            seller.legal_id = seller.share_capital = None
            for name in [name for name in values if name.startswith(_REGISTER)]:
                del values[name]

    def _recipient(self, invoice: Invoice) -> tuple[str, str]:
        """CodiceDestinatario and PECDestinatario."""
        buyer = invoice.buyer or Party()
        named = [one for one in (buyer.endpoint, *buyer.identifiers) if one and one.value]
        stated = {one.scheme: one.value or "" for one in reversed(named)}
        extra = next((one.value for one in invoice.extensions if one.name == "PECDestinatario"), None)
        mailbox = self.settings.recipient_mailbox or extra or stated.get("EM", "")
        country = buyer.address.country if buyer.address else None
        code = self.settings.recipient_code or stated.get("0205") or stated.get("0201")
        return code or ("0000000" if mailbox else unknown_recipient(country)), mailbox

    def _sender(self, invoice: Invoice) -> tuple[str, str]:
        if self.settings.sender:
            return self.settings.sender.country, self.settings.sender.code
        seller = invoice.seller or Party()
        number = seller.vat_id or ""
        if number[:2] == "IT" and (fiscal := fiscal_code(seller)):
            return "IT", fiscal
        return number[:2], number[2:]

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        """Every invoice of the file, one Read for each body."""
        data = load(stream)
        root = parse(data)
        simple = next((one for one in (False, True) if _reader(one, self._codes).tag == root.tag), None)
        if simple is None:
            raise UnreadableDocument(
                f"the root element is {root.tag!r}, not FatturaElettronica 1.2 or Semplificata 1.0",
                where="line 1",
                fix="send FatturaPA 1.2; SdI takes no older version",
            )
        reader = _reader(simple, self._codes)
        bodies = root.findall("FatturaElettronicaBody")
        if len(bodies) < 2:
            yield reader.read(root, lambda: parse(data))
            return
        around = _around(root)
        for at, body in enumerate(bodies):
            one = reader.read(_alone(root, around, body), lambda at=at: _again(data, at))  # type: ignore[misc]
            yield _placed(one, at + 1)


def _transmission(invoice: Invoice, code: str) -> str:
    """By the document's own type, then by the recipient's code."""
    if invoice.national_type in SIMPLER.values():
        return "FSM10"
    return "FPA12" if len(code) == 6 else "FPR12"


def _body(text: str) -> str:
    start, end = text.find(_BODY), text.rfind(_BODY_END)
    return text[start : end + len(_BODY_END)]


def _around(root: etree._Element) -> list[etree._Element]:
    """What a lot states once. It is read with every body, so a header beyond all measure is refused."""
    around = [child for child in root if child.tag != "FatturaElettronicaBody"]
    size = sum(len(etree.tostring(child)) for child in around)
    if size > HEADER:
        raise UnreadableDocument(f"beside its bodies a lot has {size // 1024} KiB, {HEADER // 1024} KiB are the limit",
                                 where=place(around[0]), fix="ask the sender for single invoices")  # fmt: skip
    return around


def _alone(root: etree._Element, around: Sequence[etree._Element], body: etree._Element) -> etree._Element:
    """The document with one of its bodies."""
    alone = etree.Element(root.tag, attrib=None, nsmap=root.nsmap)  # type: ignore[arg-type,unused-ignore]
    for name in root.keys():  # noqa: SIM118  an element is no mapping
        alone.set(name, root.get(name, ""))
    alone.sourceline = root.sourceline
    alone.extend([copy.deepcopy(child) for child in (*around[:1], body, *around[1:])])
    return alone


def _again(data: bytes, at: int) -> etree._Element:
    root = parse(data)
    return _alone(root, _around(root), root.findall("FatturaElettronicaBody")[at])


def _placed(one: Read, number: int) -> Read:
    """*one* with its places in the lot: the body has a number there."""

    def numbered(where: str) -> str:
        return re.sub(r"/FatturaElettronicaBody(?=/| |$)", f"/FatturaElettronicaBody[{number}]", where, count=1)

    locate = one.locate
    findings = tuple(finding.at(numbered(finding.place)) for finding in one.findings)
    return replace(one, findings=findings, locate=lambda path: numbered(locate(path)))


def progressive(ids: Identity, say: Callable[[Finding], None]) -> str:
    """ProgressivoInvio, unique for ever among the files of one sender: ``ids.numbers["progressive"]``.

    Where none was assigned, five characters that the payload id always gives; a production document does not go out so.
    """
    if number := ids.numbers.get("progressive"):
        return number
    fatal = ids.environment is Environment.PRODUCTION
    say(Finding("EINV-FATTURAPA-04", "no progressive was assigned; one is made from the identity",
                Severity.FATAL if fatal else Severity.INFO, clause="FatturaPA 1.1.2",
                fix="assign one from a sequence: SdI refuses a file name it has seen (00002)"))  # fmt: skip
    value, signs = zlib.crc32(ids.payload_id.encode()), ""
    for _ in range(5):
        value, rest = divmod(value, 36)
        signs += _SIGNS[rest]
    return signs


# --- what is said -----------------------------------------------------------------------------------------------------


def _unfit(one: Misfit, invoice: Invoice, settings: FatturaPa) -> Finding:
    """Where the invoice states a text that does not fit; the same may stand in several places."""
    path = next((f"$.{path}" for path, value in leaves(invoice) if value == one.text), "")
    if one.signs:
        rule, allowed = "EINV-FATTURAPA-05", settings.transliterate
        signs = ", ".join(f"{sign} (U+{ord(sign):04X})" for sign in one.signs[:5])
        message, fix = f"{one.element} cannot hold {signs}", "write it in plainer characters, or set transliterate"
    elif one.room:
        rule, allowed = "EINV-FATTURAPA-06", settings.long_text == "cut"
        message = f"the text has {len(one.text)} characters, {one.element} holds {one.room}"
        fix = 'shorten it in the source, or set long_text to "cut"'
    else:
        rule, allowed = "EINV-FATTURAPA-07", False
        message, fix = f"{one.element} does not take this value", "correct it in the source"
    severity = Severity.WARNING if allowed else Severity.FATAL
    return Finding(rule, message, severity, path=path, found=one.text[:80], fix=fix)


def _recipient_unfit(code: str, format: str, room: int) -> Finding:
    return Finding(
        "EINV-FATTURAPA-08", f"{format} wants a CodiceDestinatario of {room} characters", term="BT-49",
        path="$.buyer.endpoint", found=code, clause="FatturaPA 1.1.4",
        fix="state the buyer's endpoint (scheme 0205, or 0201 of a public office), or set recipient_code",
    )  # fmt: skip


def _no_sender() -> Finding:
    return Finding("EINV-FATTURAPA-09", "nobody is named who transmits", term="BT-31",
                   fix="state the seller's VAT number, or set sender", clause="FatturaPA 1.1.1")  # fmt: skip


def _misnamed(name: str) -> Finding:
    return Finding(
        "EINV-FATTURAPA-12", "SdI does not take a file of this name (00001)", found=name[:80],
        expected="IT, the sender's code, _, five letters or digits at most, .xml",
        fix="correct the seller's VAT number, or set sender; give a shorter progressive",
    )  # fmt: skip


def _other_head(invoice: Invoice) -> Finding:
    return Finding(
        "EINV-FATTURAPA-10", f"invoice {invoice.number} has another header than the first of the lot",
        path="$.seller", found=invoice.number or "", fix="send it in a file of its own",
        clause="FatturaPA: one seller, buyer and recipient for all bodies",
    )  # fmt: skip


def variant(name: str) -> dict[str, str]:
    """Settings of ``fatturapa:NAME``."""
    if name.lower() not in VARIANTS:
        raise ConfigError(f"FatturaPA has no transmission {name!r}", fix=f"choose one of {', '.join(VARIANTS)}")
    return {"transmission": name.lower()}


FORMAT, SETTINGS = FatturaPaFormat, FatturaPa
