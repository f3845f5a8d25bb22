"""What EDIFACT and X12 have in common beside their segments: the delivery as a party, plainer signs, refusals."""

from __future__ import annotations

import unicodedata
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from ..errors import Finding, Severity, UnreadableDocument
from ..exchange import Identity, Read
from ..model import Invoice, Party
from ._xml_read import Context, Raw

#: What has no decomposition, and signs that partners expect in plain letters. No currency sign that several currencies
#: share: "$" in one of them would state another.
_PLAIN = {
    "ß": "ss", "ẞ": "SS", "Æ": "AE", "æ": "ae", "Ø": "O", "ø": "o", "Œ": "OE", "œ": "oe", "Đ": "D", "đ": "d",
    "Ł": "L", "ł": "l", "Þ": "Th", "þ": "th", "ı": "i", "€": "EUR", "£": "GBP", "–": "-", "—": "-", "‘": "'",
    "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "…": "...", "•": "-", "@": "(at)", "_": "-",
    "#": "No.", "%": "pct", "\u00a0": " ", "\u202f": " ", "\t": " ", "\n": " ", "°": " deg", "[": "(", "]": ")",
    "{": "(", "}": ")", "<": "(", ">": ")", "|": "/", "\\": "/", "~": "-", "`": "'", "^": " ",
}  # fmt: skip


def plainer(sign: str) -> str:
    """*sign* in plainer ones; itself, or nothing, where no such writing is known.

    >>> plainer("ß"), plainer("ő"), plainer("$"), plainer("漢")
    ('ss', 'o', '$', '漢')
    """
    marks = (part for part in unicodedata.normalize("NFKD", sign) if not unicodedata.combining(part))
    return _PLAIN.get(sign) or "".join(marks)


def control_number(ids: Identity, kind: str) -> str:
    """The control number of *kind*; where none was assigned, ten digits at most that the payload id always gives."""
    return ids.numbers.get(kind) or str(zlib.crc32(f"{kind} {ids.payload_id}".encode()))


def counted(first: str, index: int) -> str:
    """The control number *index* after *first*, in as many digits.

    >>> counted("0009", 1), counted("ME1", 0)
    ('0010', 'ME1')
    """
    return str(int(first) + index).zfill(len(first)) if index else first


def between(syntax: str, ours: str, theirs: str) -> str:
    """How the two ends of an interchange are named where control numbers are counted and found again."""
    return f"{syntax}:{ours.strip()}>{theirs.strip()}"


def delivered(invoice: Invoice) -> Party | None:
    """Who and where goods are delivered to, as a party of its own; None where nothing says so."""
    to = invoice.delivery
    if to is None or not (to.name or to.location or to.address or to.contact):
        return None
    at = (to.location,) if to.location else ()
    return Party(name=to.name, identifiers=at, address=to.address, contact=to.contact)


# --- coming in --------------------------------------------------------------------------------------------------------


def strange(rule: str, signs: Sequence[str], where: str, transliterate: bool, fix: str, clause: str) -> Finding:
    """What is said of characters that have no place *where*: fatal unless *transliterate* allows plainer ones."""
    shown = " ".join(sign if sign.isprintable() else f"U+{ord(sign):04X}" for sign in signs[:20])
    done = "written in plainer ones" if transliterate else "outside"
    return Finding(rule, f"characters {done}, {where}: {shown}", Severity.WARNING if transliterate else Severity.FATAL,
                   found=shown, fix="" if transliterate else fix, clause=clause)  # fmt: skip


#: What a delivery holds of a party; a second party in that role does not go over the first.
_DELIVERED = {"location", "name", "address", "contact"}


def placed(role: str, party: Raw, roles: Mapping[str, str], delivery: str, context: Context) -> None:
    """Puts *party* where *roles* say that *role* stands in the model; a second one, or another role, among the others.

    delivery  the role of who and where goods are delivered to, which is no party in the model
    """
    root = context.root
    if role == delivery and not _DELIVERED & root.get("delivery", {}).keys():
        _delivered_back(party, context)
    elif role in roles and roles[role] not in root:
        if party:
            root[roles[role]] = party
    elif party or role not in roles:
        root.setdefault("other_parties", []).append({"role": role, "party": party} if party else {"role": role})


def _delivered_back(party: Raw, context: Context) -> None:
    to = context.root.setdefault("delivery", {})
    if "identifiers" in party:
        to["location"] = party.pop("identifiers")[0]
    for name in list(party):
        if name in ("name", "address", "contact"):
            to[name] = party.pop(name)
    if party:
        context.say("EINV-READ-01", "the delivery has no place for registrations", context.element, Severity.WARNING,
                    found=", ".join(party), fix="see whether the receiver needs it")  # fmt: skip


def headless(rule: str, what: str, tag: str, place: str) -> Finding:
    """The segment *tag*, which names the document, is not in it."""
    return Finding(rule, f"the {what} has no {tag}", place=place, fix=f"ask the sender for the {what} with its {tag}")


class _Fault(Protocol):
    @property
    def text(self) -> str: ...
    @property
    def place(self) -> str: ...


F = TypeVar("F", bound=_Fault)


def refused(format: str, place: str, faults: Sequence[F], finding: Callable[[F], Finding]) -> Read:
    """No invoice: the first of *faults* as the problem, all of them as findings."""
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    where = ", ".join(part for part in (place, faults[0].place) if part)
    return problem(format, UnreadableDocument(f"{faults[0].text}{more}", where=where,
                                              fix="ask the sender for it again, or set tolerant",
                                              findings=[finding(fault) for fault in faults]))  # fmt: skip


def problem(format: str, error: UnreadableDocument) -> Read:
    """No invoice, because of *error*."""
    return Read(Invoice(), (), lambda path: error.where, format, error)
