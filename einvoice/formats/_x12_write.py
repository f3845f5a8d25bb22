"""X12 out: characters that a set holds, sets between their control segments."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from ..errors import Finding, Severity
from . import _edi
from ._segments import STAND_INS, Delimiters
from ._segments_write import Pairs, segment
from ._x12_codec import ISA_WIDTHS
from ._x12_prepare import FIXED

#: X12.5, 3.3: the basic set, and the extended set with its letters of other languages.
_BASIC = r"""A-Z0-9 !"&'()*+,\-./:;?="""
_EXTENDED = _BASIC + r"a-z%~@\[\]_{}\\|<>#$^`" + "ÀÁÂÄàáâäÈÉÊèéêëÌÍÎìíîïÒÓÔÖòóôöÙÚÛÜùúûüÇçÑñ¿¡"
#: IT1 holds ten pairs of qualifier and value; PER three, more of them begin another PER.
PAIRS = {"IT1": Pairs(FIXED["IT1"], 10), "PER": Pairs(FIXED["PER"], 3, again=True)}
SETS = {"basic": re.compile(f"[^{_BASIC}]"), "extended": re.compile(f"[^{_EXTENDED}]")}


@dataclass(frozen=True, slots=True)
class End:
    """One side of an interchange: ISA id with its qualifier, GS id."""

    id: str
    qualifier: str = "ZZ"
    group: str = ""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What ISA and GS state; ``at`` is the time of preparation, ``version`` is ISA12, ``release`` GS08."""

    sender: End
    recipient: End
    control: str
    group: str
    at: datetime
    kind: str = "IN"
    version: str = "00401"
    release: str = "004010"
    wants_answer: bool = False
    test: bool = False


def around(one: Envelope, count: int, delimiters: Delimiters) -> tuple[str, str]:
    """What stands before and after one group of *count* sets: ISA and GS, GE and IEA. ISA is 106 characters."""
    at, d = one.at, delimiters
    day = f"{at:%y%m%d}" if one.release < "004" else f"{at:%Y%m%d}"
    gs = segment(d, "GS", one.kind, one.sender.group or one.sender.id, one.recipient.group or one.recipient.id, day,
                 f"{at:%H%M}", one.group, "X", one.release)  # fmt: skip
    return isa(one, d) + gs, segment(d, "GE", str(count), one.group) + segment(d, "IEA", "1", one.control)


def isa(one: Envelope, delimiters: Delimiters) -> str:
    """ISA, every element padded to its width."""
    values = (
        "00", "", "00", "", one.sender.qualifier, one.sender.id, one.recipient.qualifier, one.recipient.id,
        f"{one.at:%y%m%d}", f"{one.at:%H%M}", delimiters.repetition or "U", one.version, one.control,
        "1" if one.wants_answer else "0", "T" if one.test else "P", delimiters.component,
    )  # fmt: skip
    padded = [value.ljust(width) for value, width in zip(values, ISA_WIDTHS, strict=True)]
    return delimiters.element.join(["ISA", *padded]) + delimiters.segment


def transaction(kind: str, control: str, body: str, delimiters: Delimiters, convention: str = "") -> str:
    """*body* between ST and SE. The count is that of the terminators: data hold none."""
    head, tail = ends(kind, control, body.count(delimiters.segment), delimiters, convention)
    return f"{head}{body}{tail}"


def ends(kind: str, control: str, count: int, delimiters: Delimiters, convention: str = "") -> tuple[str, str]:
    """ST and SE of a set with *count* segments between them."""
    head = segment(delimiters, "ST", kind, control, convention)
    return head, segment(delimiters, "SE", str(count + 2), control)


# --- characters -------------------------------------------------------------------------------------------------------


def fitted(
    text: str, characters: str, charset: str, delimiters: Delimiters, transliterate: bool, replacement: str | None
) -> tuple[bytes, list[Finding]]:
    """*text* as bytes and what was changed for it. Fatal where neither setting allows the change.

    replacement  stands for a delimiter inside data; None: such a document does not go out
    """
    if _within(text, characters, delimiters) and (charset != "ascii" or text.isascii()):
        return text.encode(charset), []
    signs = "".join(sign for sign in dict.fromkeys(text) if sign not in _service(delimiters))
    strange = SETS[characters].findall(signs)
    strange += [sign for sign in dict.fromkeys(text) if not sign.isascii() and sign not in strange
                and not _encodes(sign, charset)] if not text.isascii() else []  # fmt: skip
    if not strange:
        return text.encode(charset), []
    collided = [sign for sign in strange if sign in STAND_INS]
    others = [sign for sign in strange if sign not in STAND_INS]
    found = [_collision(collided, delimiters, replacement)] if collided else []
    found += [_outside(others, characters, transliterate)] if others else []
    change = dict.fromkeys(map(ord, STAND_INS), replacement or " ")
    change |= {ord(sign): _safe(plainer(sign, characters), delimiters) for sign in others}
    return text.translate(change).encode(charset, "replace"), found


def _within(text: str, characters: str, delimiters: Delimiters) -> bool:
    """True when *text* holds delimiters and what the set allows; to search bytes is cheaper than to search letters."""
    try:
        return not text.encode("iso8859-1").translate(None, _allowed(characters, delimiters))
    except UnicodeEncodeError:
        return False


@cache
def _allowed(characters: str, delimiters: Delimiters) -> bytes:
    signs = SETS[characters].sub("", bytes(range(256)).decode("iso8859-1"))
    return f"{signs}{_service(delimiters)}".encode("iso8859-1")


def _service(delimiters: Delimiters) -> str:
    return f"{delimiters.element}{delimiters.component}{delimiters.segment}{delimiters.repetition}"


def _safe(text: str, delimiters: Delimiters) -> str:
    return "".join(" " if sign in _service(delimiters) else sign for sign in text)


def _encodes(sign: str, charset: str) -> bool:
    try:
        return bool(sign.encode(charset))
    except UnicodeEncodeError:
        return False


@cache
def plainer(sign: str, characters: str) -> str:
    """*sign* in characters of the set; a space where there is no such writing.

    >>> plainer("ő", "extended"), plainer("ß", "basic"), plainer("漢", "extended")
    ('o', 'SS', ' ')
    """
    written = _edi.plainer(sign)
    if characters == "basic":
        written = written.upper()
    return " " if not written or SETS[characters].search(written) else written


def _outside(signs: Sequence[str], characters: str, transliterate: bool) -> Finding:
    return _edi.strange("EINV-X12-03", signs, f"{characters} character set", transliterate,
                        "set transliterate, or correct the source", "X12.5, character sets")  # fmt: skip


def _collision(signs: Sequence[str], delimiters: Delimiters, replacement: str | None) -> Finding:
    marks = (delimiters.element, delimiters.component, delimiters.segment, delimiters.repetition)
    by: Mapping[str, str] = dict(zip(STAND_INS, marks, strict=True))
    shown = " ".join(by[sign] for sign in signs)
    done = f"replaced by {replacement!r}" if replacement is not None else "which X12 cannot release"
    return Finding("EINV-X12-06", f"data hold the delimiters {shown}, {done}",
                   Severity.WARNING if replacement is not None else Severity.FATAL, found=shown,
                   fix="" if replacement is not None else "choose other delimiters, or set replace_delimiters",
                   clause="X12.5, delimiters")  # fmt: skip
