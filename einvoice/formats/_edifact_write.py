"""EDIFACT out: characters that a level allows, messages between their service segments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from ..errors import Finding
from . import _edi
from ._edifact_stream import CHARSETS
from ._segments import Delimiters, escaping
from ._segments_write import segment

#: Levels A and B hold less than ASCII (ISO 9735, annex A).
_LEVELS = {
    "UNOA": re.compile(r"[^A-Z0-9 .,\-()/=!\"%&*;<>'+:?]"),
    "UNOB": re.compile(r"[^A-Za-z0-9 .,\-()/=!\"%&*;<>'+:?]"),
}
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def _allowed(codec: str, strange: re.Pattern[str]) -> bytes:
    signs = bytes(range(256)).decode(codec, "ignore")
    return strange.sub("", signs).encode(codec)


#: By syntax identifier a one-byte codec, and the bytes of what the level allows. To search bytes is cheaper.
_ONE_BYTE = {syntax: "iso8859-1" if codec == "utf-8" else codec for syntax, codec in CHARSETS.items()}
_ALLOWED = {syntax: _allowed(codec, _LEVELS.get(syntax, _CONTROL)) for syntax, codec in _ONE_BYTE.items()}


@dataclass(frozen=True, slots=True)
class Party:
    """One end of an interchange: UNB S002 or S003."""

    id: str
    qualifier: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the service segments of one interchange state; ``at`` is the time of preparation."""

    sender: Party
    recipient: Party
    reference: str
    at: datetime
    syntax: str = "UNOC"
    version: int = 3
    application: str = ""
    wants_answer: bool = False
    test: bool = False
    group: str = ""


def outside(text: str, syntax: str) -> list[str]:
    """The characters of *text* that the level has no place for, each once.

    >>> outside("Gieß 5 €", "UNOC"), outside("Abc", "UNOA"), outside("ABC", "UNOA")
    (['€'], ['b', 'c'], [])
    """
    if _within(text, syntax):
        return []
    level = _LEVELS.get(syntax)
    if level:
        return list(dict.fromkeys(level.findall(text)))
    found = [] if text.isprintable() else list(dict.fromkeys(_CONTROL.findall(text)))
    codec = CHARSETS[syntax]
    try:
        text.encode(codec)
    except UnicodeEncodeError:
        signs = [sign for sign in dict.fromkeys(text) if not sign.isascii() and sign not in found]
        found += [sign for sign in signs if not _fits(sign, codec)]
    return found


def _within(text: str, syntax: str) -> bool:
    """True when one pass over the bytes finds nothing outside; False leaves it to those who look at each sign."""
    try:
        return not text.encode(_ONE_BYTE[syntax]).translate(None, _ALLOWED[syntax])
    except UnicodeEncodeError:
        return False


def _fits(sign: str, codec: str) -> bool:
    try:
        return bool(sign.encode(codec))
    except UnicodeEncodeError:
        return False


@cache
def plainer(sign: str, syntax: str) -> str:
    """*sign* in characters of the level; a space where there is no such writing.

    >>> plainer("ü", "UNOB"), plainer("ß", "UNOA"), plainer("漢", "UNOC")
    ('u', 'SS', ' ')
    """
    written = _edi.plainer(sign)
    if syntax == "UNOA":
        written = written.upper()
    return " " if not written or outside(written, syntax) else written


def fitted(text: str, syntax: str, delimiters: Delimiters, transliterate: bool) -> tuple[str, list[Finding]]:
    """*text* in the characters of its level, and what was changed for it: fatal unless *transliterate* allows it."""
    signs = outside(text, syntax)
    if not signs:
        return text, []
    escape = escaping(delimiters)
    written = text.translate({ord(sign): escape(plainer(sign, syntax)) for sign in signs})
    return written, [strange(signs, syntax, transliterate)]


def strange(signs: Sequence[str], syntax: str, transliterate: bool) -> Finding:
    """What is said of characters that a level has no place for: fatal unless *transliterate* allows plainer ones."""
    return _edi.strange("EINV-EDIFACT-03", signs, f"character set {syntax}", transliterate,
                        "agree on UNOC or UNOW, or set transliterate", "ISO 9735, annex A")  # fmt: skip


def interchange(envelope: Envelope, messages: Sequence[str], delimiters: Delimiters) -> str:
    """The whole interchange without UNA and groups: *messages* from UNH to UNT, each segment ended."""
    head, tail = around(envelope, (), len(messages), delimiters)
    return f"{head}{''.join(messages)}{tail}"


def around(envelope: Envelope, kind: tuple[str, ...], count: int, delimiters: Delimiters) -> tuple[str, str]:
    """What stands before and after *count* messages of *kind* (UNH S009): UNB and UNZ, and UNG and UNE of a group."""
    head, tail, inside = _unb(envelope, delimiters), "", count
    if envelope.group:
        head += _ung(envelope, delimiters, kind)
        tail, inside = segment(delimiters, "UNE", str(count), envelope.group), 1
    return head, tail + segment(delimiters, "UNZ", str(inside), envelope.reference)


def advice(d: Delimiters) -> str:
    """The UNA segment of these service characters."""
    return f"UNA{d.component}{d.element}{d.decimal}{d.release}{d.repetition or ' '}{d.segment}"


def message(reference: str, kind: tuple[str, ...], body: str, delimiters: Delimiters) -> str:
    """*body* between UNH and UNT. The count is that of the terminators: data never hold one unreleased."""
    head, tail = ends(reference, kind, segments_in(body, delimiters), delimiters)
    return f"{head}{body}{tail}"


def ends(reference: str, kind: tuple[str, ...], count: int, delimiters: Delimiters) -> tuple[str, str]:
    """UNH and UNT of a message with *count* segments between them."""
    head, tail = segment(delimiters, "UNH", reference, kind), segment(delimiters, "UNT", str(count + 2), reference)
    return head, tail


def segments_in(body: str, delimiters: Delimiters) -> int:
    """How many segments *body* holds."""
    count, release = body.count(delimiters.segment), delimiters.release
    if not release or release + delimiters.segment not in body:
        return count
    mark, end = re.escape(release), re.escape(delimiters.segment)
    return count - len(re.findall(f"(?<!{mark})(?:{mark}{mark})*{mark}{end}", body))


def broken(text: str, delimiters: Delimiters, line_end: str) -> str:
    """*text* with a line end after every segment."""
    release, end = re.escape(delimiters.release), re.escape(delimiters.segment)
    skip = f"({release}.)|" if release else "(?!)()|"
    return re.sub(f"{skip}{end}", lambda match: match.group(1) or delimiters.segment + line_end, text, flags=re.DOTALL)


def _unb(one: Envelope, delimiters: Delimiters) -> str:
    day = f"{one.at:%Y%m%d}" if one.version >= 4 else f"{one.at:%y%m%d}"
    return segment(
        delimiters, "UNB", (one.syntax, str(one.version)), (one.sender.id, one.sender.qualifier, one.sender.address),
        (one.recipient.id, one.recipient.qualifier, one.recipient.address), (day, f"{one.at:%H%M}"), one.reference,
        "", one.application, "", "1" if one.wants_answer else "", "", "1" if one.test else "",
    )  # fmt: skip


def _ung(one: Envelope, delimiters: Delimiters, kind: tuple[str, ...]) -> str:
    name, version, release, agency, *rest = [*kind, ""]
    day = f"{one.at:%Y%m%d}" if one.version >= 4 else f"{one.at:%y%m%d}"
    return segment(
        delimiters, "UNG", name, (one.sender.id, one.sender.qualifier), (one.recipient.id, one.recipient.qualifier),
        (day, f"{one.at:%H%M}"), one.group, agency, (version, release, rest[0]),
    )  # fmt: skip
