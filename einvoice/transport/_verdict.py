"""What an answer comes to: cXML Status codes first, HTTP codes where there is no whole Response."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ..exchange import Outcome, Receipt
from . import _cxml, _http


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a code comes to. ``fault``: the whole channel waits for a person."""

    outcome: Outcome
    meaning: str
    fault: bool = False
    duplicate: bool = False


#: cXML Status codes. 200-281, 400 and 401 by Ariba note KB0402515, the rest by the cXML guide.
CODES: Mapping[int, Verdict] = {
    200: Verdict(Outcome.ACCEPTED, "executed or delivered"),
    201: Verdict(Outcome.ACCEPTED, "taken for forwarding, a status follows"),
    204: Verdict(Outcome.ACCEPTED, "valid, no data; a status follows"),
    280: Verdict(Outcome.ACCEPTED, "forwarded by a reliable hub"),
    281: Verdict(Outcome.ACCEPTED, "forwarded by an unreliable hub, such as e-mail"),
    400: Verdict(Outcome.REJECTED, "parsed, but unacceptable"),
    401: Verdict(Outcome.RETRY, "credentials not accepted", fault=True),
    402: Verdict(Outcome.RETRY, "payment to the network required", fault=True),
    403: Verdict(Outcome.RETRY, "forbidden", fault=True),
    406: Verdict(Outcome.REJECTED, "does not parse or validate"),
    409: Verdict(Outcome.REJECTED, "in conflict with what the partner has: a duplicate", duplicate=True),
    412: Verdict(Outcome.REJECTED, "a precondition failed"),
    417: Verdict(Outcome.REJECTED, "an expectation failed"),
    450: Verdict(Outcome.RETRY, "the partner does not implement this request", fault=True),
    475: Verdict(Outcome.RETRY, "a signature is required", fault=True),
    476: Verdict(Outcome.RETRY, "the signature does not verify", fault=True),
    477: Verdict(Outcome.RETRY, "the signature is not acceptable", fault=True),
    500: Verdict(Outcome.RETRY, "internal error at the partner"),
    550: Verdict(Outcome.RETRY, "the partner cannot reach the next server"),
    551: Verdict(Outcome.RETRY, "the partner cannot forward: misconfigured there"),
    560: Verdict(Outcome.RETRY, "temporary error at the partner"),
}
#: any other code, by its hundreds
HUNDREDS: Mapping[int, Verdict] = {
    2: Verdict(Outcome.ACCEPTED, "success, code not known here"),
    4: Verdict(Outcome.REJECTED, "refused, code not known here"),
    5: Verdict(Outcome.RETRY, "error at the partner, code not known here"),
}
UNHEARD_OF: Final = Verdict(Outcome.UNKNOWN, "a code of no known class")

#: HTTP answers without a cXML verdict that surely took nothing: refused before anyone looked at the document. All
#: others leave the document unknown: 5xx, HTML under 200 and a lost answer also come from a gateway in front of a
#: server that took it. So does 503: a Retry-After with it tells when to ask again, not that nothing was taken. 429
#: comes from a limiter that turns the request away.
HTTP: Mapping[int, Verdict] = {
    401: Verdict(Outcome.RETRY, "not authenticated", fault=True),
    403: Verdict(Outcome.RETRY, "forbidden", fault=True),
    407: Verdict(Outcome.RETRY, "a proxy wants authentication", fault=True),
    408: Verdict(Outcome.RETRY, "the server did not get the whole request in time"),
    413: Verdict(Outcome.REJECTED, "larger than the server takes"),
    415: Verdict(Outcome.RETRY, "the server does not take this content type", fault=True),
    429: Verdict(Outcome.RETRY, "too many requests"),
}
NO_VERDICT: Final = Verdict(Outcome.UNKNOWN, "no cXML verdict")
GONE: Final = Verdict(Outcome.RETRY, "nothing is at this address", fault=True)
#: HTTP answers that mean GONE; redirects too, since none is followed
MOVED: Final = frozenset({301, 302, 303, 307, 308, 404, 405, 410, 421})


def verdict(code: int) -> Verdict:
    """What a cXML Status code comes to.

    >>> verdict(401).fault, verdict(299).outcome.value, verdict(499).outcome.value
    (True, 'accepted', 'rejected')
    """
    return CODES.get(code) or HUNDREDS.get(code // 100, UNHEARD_OF)


_XML_TYPES = ("text/xml", "application/xml", "application/cxml+xml", "")


@dataclass(frozen=True, slots=True)
class Judged:
    """The receipt of one attempt, the answer's own payloadID, and whether nothing is at that address any more."""

    receipt: Receipt
    payload_id: str = ""
    moved: bool = False


def of_silence(silence: _http.Silence, at: datetime) -> Judged:
    """Unknown when the body may have left, retry when it cannot have."""
    outcome = Outcome.UNKNOWN if silence.left else Outcome.RETRY
    return Judged(Receipt(outcome, silence.code, silence.text, at, channel_fault=silence.fault))


def of_answer(answer: _http.Answer, secret: str | None, at: datetime) -> Judged:
    """By the cXML Status where the answer is a whole cXML Response. Nothing that comes out holds *secret*."""
    raw = _cxml.redact(answer.data, secret)
    try:
        if answer.problem:
            raise _cxml.Unreadable(answer.problem)
        if answer.media_type.partition(";")[0].strip().lower() not in _XML_TYPES:
            raise _cxml.Unreadable(f"content type {answer.media_type}")
        said = _cxml.status(_cxml.parse(answer.data))
    except _cxml.Unreadable as why:
        return _by_http(answer, raw, at, _cxml.line(str(why), secret))
    ruled = verdict(said.code)
    receipt = Receipt(
        ruled.outcome,
        str(said.code),
        _cxml.line(said.text, secret) or ruled.meaning,
        at,
        raw=raw,
        duplicate=ruled.duplicate,
        channel_fault=ruled.fault,
        retry_after=answer.retry_after,
    )
    return Judged(receipt, _cxml.line(said.payload_id, secret))


def _by_http(answer: _http.Answer, raw: bytes, at: datetime, why: str) -> Judged:
    moved = answer.status in MOVED
    ruled = GONE if moved else HTTP.get(answer.status, NO_VERDICT)
    receipt = Receipt(
        ruled.outcome,
        f"HTTP {answer.status}",
        f"{ruled.meaning} ({why})",
        at,
        raw=raw,
        channel_fault=ruled.fault,
        retry_after=answer.retry_after,
    )
    return Judged(receipt, moved=moved)
