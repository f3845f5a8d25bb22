"""CONTRL and APERAK: what a partner's translator and a partner's application say of our messages."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from datetime import date

from ..errors import UnreadableDocument
from ..exchange import Answer, Environment
from ._edi import between
from ._edifact_codec import Interchange, Message, messages
from ._edifact_orders import KINDS as ORDERS
from ._edifact_remittance import remitted
from ._edifact_words import ERRORS
from ._segments import Data

#: Action, UNCL0083. 7: the level and all below it is taken, where nothing below says otherwise; 8: received, no more.
_ACTIONS = {"4": "rejected", "7": "delivered", "8": "received"}
#: Message function of an APERAK, UNCL1225.
_FUNCTIONS = {"27": "rejected", "29": "accepted", "34": "accepted"}
#: Document name of an APERAK, UNCL1001, where partners say it there.
_NAMES = {"312": "accepted", "313": "rejected"}


def answers(data: bytes) -> Iterator[Answer]:
    """One Answer for the interchange and each message that a CONTRL names, for each APERAK, for each DOC of a REMADV.

    A message that a CONTRL with action 7 does not name is taken too: the answer that speaks of the interchange alone
    (no ``message``) holds for every message that no other answer names.

    UnreadableDocument when there is no such message, or one that cannot be used.
    """
    found = False
    for part in messages(io.BytesIO(data)):
        if isinstance(part, Message) and part.kind in _READERS:
            found = True
            yield from _READERS[part.kind](part)
        elif isinstance(part, Message) and part.kind in ORDERS:
            found = True  # read as an order, not as an answer
    if not found:
        raise UnreadableDocument(
            "the interchange holds no CONTRL, APERAK, REMADV or order", fix="see the message in the inbox"
        )


def _get(data: Data, element: int, component: int = 1) -> str:
    part = data[element - 1] if len(data) >= element else []
    return part[component - 1].strip() if len(part) >= component else ""


def _id(message: Message) -> str:
    """The partner's own id: sender, interchange and message reference are unique together."""
    one = message.interchange
    return "/".join(part for part in (*one.sender[:1], one.reference, message.reference) if part)


def _ours(one: Interchange) -> str:
    """The ends of what is answered: those of the answer turned round."""
    return between("edifact", *("".join(end[:1]) for end in (one.recipient, one.sender)))


def _environment(one: Interchange) -> Environment:
    return Environment.TEST if one.test else Environment.PRODUCTION


# --- CONTRL -----------------------------------------------------------------------------------------------------------


def _contrl(message: Message) -> Iterator[Answer]:
    """UCI, then UCF and UCM, each with the errors (UCS, UCD) that follow it."""
    levels: list[tuple[str, Data, list[str]]] = []
    position = ""
    for _, tag, data in message.segments:
        if tag in ("UCI", "UCF", "UCM"):
            levels.append((tag, data, []))
        elif tag == "UCS" and levels:
            position = _get(data, 1)
            levels[-1][2].append(_told(_get(data, 2), f"segment {position}") if _get(data, 2) else "")
        elif tag == "UCD" and levels:
            component = f" component {_get(data, 2, 2)}" if _get(data, 2, 2) else ""
            where = f"segment {position}, element {_element(_get(data, 2, 1))}{component}"
            levels[-1][2].append(_told(_get(data, 1), where))
    if not levels or levels[0][0] != "UCI":
        raise UnreadableDocument("the CONTRL has no UCI", where=message.place, fix="ask the partner what it answers")
    uci = levels[0][1]
    ends, group = between("edifact", _get(uci, 2), _get(uci, 3)), ""
    for tag, data, errors in levels:
        group = _get(data, 1) if tag == "UCF" else group
        inner = (group, _get(data, 1)) if tag == "UCM" else (group, "") if tag == "UCF" else ("", "")
        yield _level(message, tag, data, errors, (ends, _get(uci, 1), *inner))


def _element(position: str) -> str:
    """The data element that 0098 means: it counts the segment tag as the first."""
    return str(int(position) - 1) if position.isascii() and position.isdigit() and len(position) < 6 else position


def _level(message: Message, tag: str, data: Data, errors: list[str], control: tuple[str, str, str, str]) -> Answer:
    ends, interchange, group, reference = control
    first = 3 if tag == "UCM" else 4
    action, error, service = _get(data, first), _get(data, first + 1), _get(data, first + 2)
    told = [_told(error, service)] if error else []
    return Answer(
        kind="contrl",
        code=action,
        meaning=_ACTIONS.get(action, "info"),
        remote_id=_id(message),
        environment=_environment(message.interchange),
        text="; ".join([*told, *(one for one in errors if one)])[:500],
        between=ends,
        interchange=interchange,
        group=group,
        message=reference,
        duplicate=(tag, action, error) == ("UCI", "4", "26"),
    )


def _told(code: str, where: str) -> str:
    words = ERRORS.get(code, "error")
    return f"{words} ({code}){f' at {where}' if where else ''}"


# --- APERAK -----------------------------------------------------------------------------------------------------------


def _aperak(message: Message) -> Iterator[Answer]:
    """The function of BGM says yes or no; RFF names the message (ACW, or AGO its interchange) or the invoice (IV).

    Where neither function nor name of the document says yes or no, an error (ERC) is a question for a person.
    """
    begin = next((data for _, tag, data in message.segments if tag == "BGM"), [])
    names = _references(message)
    number = names.get("IV") or names.get("OI") or ""
    if not (number or names.get("AGO") or names.get("ACW")):
        raise UnreadableDocument("the APERAK names neither a message nor an invoice", where=message.place,
                                 fix="ask the partner which document it meant")  # fmt: skip
    function, name = _get(begin, 3), _get(begin, 1)
    yield Answer(
        kind="aperak",
        code=function if function in _FUNCTIONS else name,
        meaning=_FUNCTIONS.get(function) or _NAMES.get(name) or ("query" if _errors(message) else "info"),
        remote_id=_id(message),
        number=number,
        issue_date=_dated(message, "IV"),
        environment=_environment(message.interchange),
        text=_text(message),
        between=_ours(message.interchange),
        interchange=names.get("AGO", ""),
        message=names.get("ACW", ""),
    )


def _references(message: Message) -> dict[str, str]:
    found: dict[str, str] = {}
    for _, tag, data in message.segments:
        if tag == "RFF":
            found.setdefault(_get(data, 1, 1), _get(data, 1, 2))
    return found


def _dated(message: Message, code: str) -> date | None:
    """The date (DTM 171) that follows the reference of this code."""
    current = ""
    for _, tag, data in message.segments:
        if tag == "RFF":
            current = _get(data, 1, 1)
        elif tag == "DTM" and current == code and _get(data, 1, 1) == "171":
            try:
                return date.fromisoformat(_get(data, 1, 2)[:8])
            except ValueError:
                return None
    return None


def _errors(message: Message) -> list[str]:
    return [_get(data, 1) for _, tag, data in message.segments if tag == "ERC" and _get(data, 1)]


def _text(message: Message) -> str:
    """Error codes (ERC) and free text (FTX) in their order."""
    parts = []
    for _, tag, data in message.segments:
        if tag == "ERC":
            parts.append(f"error {_get(data, 1)}")
        elif tag == "FTX" and len(data) >= 4:
            parts.append(" ".join(part for part in data[3] if part))
    return "; ".join(part for part in parts if part)[:500]


_READERS: dict[str, Callable[[Message], Iterable[Answer]]] = {
    "CONTRL": _contrl, "APERAK": _aperak, "REMADV": remitted,
}  # fmt: skip
