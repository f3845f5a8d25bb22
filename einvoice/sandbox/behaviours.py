"""Misbehaviour: which request meets which one, and what then goes over the wire."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Literal

from .options import ALWAYS, Behaviour, Scenario

_XML = {"Content-Type": "text/xml; charset=UTF-8"}
_HTML = {"Content-Type": "text/html; charset=UTF-8"}
_PAGE = b"<!DOCTYPE html><html><head><title>%s</title></head><body><h1>%s</h1></body></html>\n"

#: Behaviours under which the request is not looked at: nothing is accepted.
UNREAD = frozenset({"refuse", "fail_before_accept", "lost_request", "maintenance", "unavailable"})


@dataclass(frozen=True, slots=True)
class Wire:
    """An answer and how it leaves.

    body    the bytes of the HTTP body that leave
    length  the Content-Length that is promised; None: no length, the connection is closed at the end
    pace    ``whole``; ``drip`` over *seconds*; ``hang``: silence for *seconds*, then closed; ``reset``: TCP reset
    code    the cXML Status code the answer has or had before it was cut; None when there is none
    """

    http: int
    body: bytes
    length: int | None
    headers: Mapping[str, str] = field(default_factory=lambda: _XML)
    pace: Literal["whole", "drip", "hang", "reset"] = "whole"
    seconds: float = 0
    code: int | None = None


def page(http: int, text: str, **headers: str) -> Wire:
    """An HTML page, as proxies and maintenance windows answer."""
    body = _PAGE % (text.encode(), text.encode())
    return Wire(http, body, len(body), {**_HTML, **{name.replace("_", "-"): value for name, value in headers.items()}})


def plan(data: bytes, code: int, behaviour: Behaviour | None) -> Wire:
    """How the answer *data* leaves under *behaviour*; whole when there is none, or one that only changes content."""
    whole = Wire(200, data, len(data), code=code)
    if behaviour is None:
        return whole
    seconds, http = float(behaviour.seconds), behaviour.http
    match behaviour.do:
        case "slow":
            return replace(whole, pace="drip", seconds=seconds)
        case "hang":
            return Wire(200, b"", None, pace="hang", seconds=seconds)
        case "lost_answer" | "lost_request":
            return Wire(0, b"", None, pace="reset")
        case "fail_after_accept" | "fail_before_accept":
            return page(http or 500, behaviour.text or "Internal Server Error")
        case "maintenance":
            return page(http or 200, behaviour.text or "Scheduled maintenance")
        case "unavailable":
            return page(http or 503, behaviour.text or "Service Unavailable", Retry_After=str(behaviour.retry_after))
        case "empty":
            return Wire(http or 200, b"", 0)
        case "cut_answer":
            return _cut(whole, behaviour)
    return whole


def _cut(whole: Wire, behaviour: Behaviour) -> Wire:
    kept = whole.body[: len(whole.body) // 2 if behaviour.at is None else behaviour.at]
    length = {"length": whole.length, "close": None, "xml": len(kept)}[behaviour.how]
    return replace(whole, http=behaviour.http or 200, body=kept, length=length)


class Script:
    """The behaviours that wait, in order; the first that matches and is not worn out is the one."""

    def __init__(self, scenario: Scenario) -> None:
        self._random = random.Random(scenario.seed)  # noqa: S311  repeatable on purpose, no secret
        self._waiting: list[_Waiting] = []
        self.add(scenario.behaviour)

    def add(self, behaviours: Iterable[Behaviour]) -> None:
        self._waiting.extend(_Waiting(behaviour) for behaviour in behaviours)

    def clear(self) -> None:
        self._waiting.clear()

    def waiting(self) -> list[dict[str, object]]:
        """What waits, with ``seen`` (requests that matched) and ``used``."""
        return [
            {
                **each.behaviour.model_dump(mode="json", by_alias=True, exclude_defaults=True),
                "seen": each.seen,
                "used": each.used,
            }
            for each in self._waiting
            if not each.worn_out
        ]

    def next(self, kind: str, facts: Mapping[str, str]) -> Behaviour | None:
        """The behaviour for a request of *kind* with *facts*, counted as used; None for good behaviour."""
        for each in self._waiting:
            if each.worn_out or not _matches(each.behaviour, kind, facts):
                continue
            each.seen += 1
            if each.seen > each.behaviour.after and self._random.random() < each.behaviour.chance:
                each.used += 1
                return each.behaviour
        return None


@dataclass
class _Waiting:
    behaviour: Behaviour
    seen: int = 0
    used: int = 0

    @property
    def worn_out(self) -> bool:
        return self.behaviour.times != ALWAYS and self.used >= self.behaviour.times


def _matches(behaviour: Behaviour, kind: str, facts: Mapping[str, str]) -> bool:
    match = behaviour.match
    patterns = match.model_dump(exclude={"copy_number"})
    return (
        behaviour.on in {kind, "any"}
        and all(fnmatchcase(facts.get(name, ""), pattern) for name, pattern in patterns.items())
        and (match.copy_number is None or str(match.copy_number) == facts.get("copy"))
    )
