"""cXML over HTTPS: one message a POST, the verdict taken from the Status inside the answer, not from the HTTP code.

What an attempt comes to:

    not connected, TLS or DNS failed, refused before the body     retry (TLS trust: the channel waits for a person)
    no answer after the body may have left                        unknown
    a whole cXML Response                                         by its Status code (``_verdict.CODES``)
    HTTP 401, 403, 404, 429 ... without one                       retry or channel fault (``_verdict.HTTP``)
    anything else: HTML, empty, cut, another type, 5xx, 503       unknown, with the Retry-After that came

A Status 409 is ``rejected`` with ``duplicate``: whether the partner has *this* document from an earlier attempt whose
answer was lost, or another one under its number, is told by the caller's own list of attempts.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

from ..errors import ConfigError, Finding, InvalidInvoice
from ..exchange import Document, Envelope, Environment, Identity, Inbound, Outcome, Receipt
from . import ChannelDown, _cxml, _hosts, _http, _verdict, one_of_this_channel
from ._https_settings import Credential, Https

__all__ = ["SETTINGS", "TRANSPORT", "Credential", "Https", "HttpsCxml"]

_MAX_POLLS = 100


@dataclass(frozen=True, slots=True)
class _Done:
    """What one exchange came to, and for the moment of reading it the answer as it came and the secret it was told."""

    judged: _verdict.Judged
    answer: bytes = field(default=b"", repr=False)
    secret: str | None = field(default=None, repr=False)

    @property
    def receipt(self) -> Receipt:
        return self.judged.receipt


class HttpsCxml:
    """The channel *name*. Make one per thread: it remembers what the partner's profile said; connections are shared."""

    def __init__(
        self,
        settings: Https,
        *,
        name: str,
        environment: Environment,
        secret: Callable[[], str] | None = None,
        client_key_password: Callable[[], str] | None = None,
    ) -> None:
        if (settings.secret is None) != (secret is None):
            raise ConfigError("a secret is given exactly when the settings name one", where=f"channel {name}")
        self.settings, self.name, self.environment = settings, name, environment
        self._secret, self._password = secret, client_key_password
        self._profile: tuple[date, Mapping[str, str]] | None = None
        self._answers: OrderedDict[str, str] = OrderedDict()

    def __repr__(self) -> str:
        return f"HttpsCxml({self.name!r}, {self.environment.value})"

    # -- the line

    def pack(self, documents: Sequence[Document], ids: Identity) -> Envelope:
        """The one document as it will travel, the secret's place still empty.

        ConfigError when the bytes do not fit the channel; InvalidInvoice when they are more than the network takes.
        """
        if len(documents) != 1:
            raise ConfigError(
                f"{len(documents)} documents for one message", where=self._where, fix="send one at a time"
            )
        document = documents[0]
        self._fits(document.data, where=document.name)
        if len(document.data) > (most := self.settings.max_document_bytes):
            told = f"{len(document.data)} bytes, the network takes {most}"
            fix = "leave attachments out or send them by another way"
            raise InvalidInvoice(told, where=document.name, findings=[Finding("EINV-SEND-01", told, fix=fix)])
        envelope = Envelope(ids.payload_id, document.data, document.media_type, document.name, ids.environment)
        one_of_this_channel(envelope, self.environment, self._where)
        return envelope

    def deliver(self, envelope: Envelope, *, at: datetime) -> Receipt:
        """What one attempt came to. ConfigError only for an envelope that does not belong here; nothing left then."""
        one_of_this_channel(envelope, self.environment, self._where)
        self._fits(envelope.data, where=envelope.id)
        request = _cxml.request_name(envelope.data)
        try:
            url = self._endpoint(request, at)
        except ChannelDown as down:
            return down.receipt
        except ConfigError as error:
            return Receipt(Outcome.RETRY, "CONFIG", str(error), at, channel_fault=True)
        judged = self._exchange(url, envelope.data, at, envelope.media_type).judged
        receipt = replace(judged.receipt, text=judged.receipt.text + self._reused(judged.payload_id, envelope.id))
        if receipt.outcome is Outcome.RETRY and not self._fixed(request):
            self._profile = None  # the address may have changed: it is looked up again before the next attempt
            receipt = replace(receipt, channel_fault=receipt.channel_fault and not judged.moved)
        return receipt

    def collect(self, *, at: datetime) -> Iterator[Inbound]:
        """Each message that waits at the network. A page is acknowledged by the request for the next one, which goes
        out when the caller, having stored what it was given, asks for more. ChannelDown when a poll comes to nothing.
        """
        since, had = "", set[str]()
        for _ in range(_MAX_POLLS if self.settings.poll else 0):
            page = list(self._poll(since, at))
            fresh = [row for row in page if row[0] not in had]
            for remote_id, _stamp, data in fresh:
                had.add(remote_id)
                yield Inbound(f"https:{self.name}:poll", remote_id, data, "text/xml")
            since = max((stamp for _, stamp, _ in page if stamp), key=_instant, default="")
            if not fresh or not since:
                return

    def discover(self, at: datetime) -> Mapping[str, str]:
        """request name: address, as the partner's ProfileResponse tells; asked once a day (the day of *at*, UTC).

        ChannelDown when there is no usable answer. Addresses are not judged here but where one is used.
        """
        if self._profile and self._profile[0] == at.date():
            return self._profile[1]
        if not self.settings.profile_url:
            raise ConfigError("no profile_url to ask", where=self._where, fix="set profile_url, or url")
        done = self._ask(self.settings.profile_url, "<ProfileRequest/>", at)
        self._profile = at.date(), _cxml.transactions(_cxml.parse(done.answer))
        return self._profile[1]

    # -- inside

    @property
    def _where(self) -> str:
        return f"channel {self.name}"

    def _fits(self, data: bytes, *, where: str) -> None:
        has_secret = self._secret is not None
        _cxml.check_outgoing(data, secret=has_secret, environment=self.environment, where=where)

    def _endpoint(self, request: str, at: datetime) -> str:
        """The address for *request*. ConfigError: none is known, or the partner named a host that may not be told."""
        if fixed := self._fixed(request):
            return fixed
        found = self.discover(at).get(request)
        if not found:
            fix = f"ask the network, or set urls.{request}"
            raise ConfigError(f"the partner's profile names no address for {request}", where=self._where, fix=fix)
        if not _hosts.may_be_told(found, self.settings.profile_url or "", self.settings.allowed_hosts):
            named = _cxml.line(_hosts.host_of(found), limit=100) or "an address that is not https"
            fix = "if this is right, add it to allowed_hosts"
            raise ConfigError(
                f"the partner's profile names {named}, which is not its own host", where=self._where, fix=fix
            )
        return found

    def _fixed(self, request: str) -> str | None:
        return self.settings.urls.get(request) or self.settings.url

    def _header(self) -> _cxml.Header:
        own, partner = self.settings.own, self.settings.partner
        if own is None or partner is None:
            raise ConfigError("own and partner are not set", where=self._where, fix="set both")
        sender = self.settings.sender or own
        first, second, third = (_cxml.Party(one.domain, one.identity) for one in (own, partner, sender))
        return _cxml.Header(
            (first, second, third), self.settings.user_agent, self.settings.cxml_version, self.environment
        )

    def _ask(self, url: str, body: str, at: datetime) -> _Done:
        """A request of our own and its whole, successful answer. ChannelDown otherwise; no document is at stake."""
        data = _cxml.own_request(self._header(), body, at, secret=self._secret is not None)
        done = self._exchange(url, data, at)
        receipt = done.receipt
        if receipt.outcome is not Outcome.ACCEPTED:
            fault = receipt.channel_fault or receipt.outcome is Outcome.REJECTED
            text = f"{url.partition('?')[0]}: {receipt.text}"
            told = replace(receipt, outcome=Outcome.RETRY, text=text, channel_fault=fault, duplicate=False)
            raise ChannelDown(told, where=self._where)
        return done

    def _poll(self, since: str, at: datetime) -> Iterator[tuple[str, str, bytes]]:
        done = self._ask(self._endpoint("GetPendingRequest", at), _cxml.pending(self.settings.poll, since), at)
        for payload_id, stamp, data in _cxml.embedded(done.answer):
            clean = _cxml.redact(data, done.secret)
            yield payload_id or f"sha256:{_cxml.digest(clean)}", stamp, clean

    def _exchange(self, url: str, data: bytes, at: datetime, media_type: str = _cxml.MEDIA_TYPE) -> _Done:
        try:
            secret = self._secret() if self._secret else None
            pool = _http.pool(self.settings.tls(), self._password)
            body = _cxml.fill(data, secret)
        except ConfigError as error:
            receipt = Receipt(Outcome.RETRY, "CONFIG", str(error), at, channel_fault=True)
            return _Done(_verdict.Judged(receipt))
        headers = {"Content-Type": media_type, "User-Agent": self.settings.user_agent}
        answer = _http.post(pool, url, body, headers, self.settings.limits(), at)
        if isinstance(answer, _http.Silence):
            return _Done(_verdict.of_silence(answer, at))
        return _Done(_verdict.of_answer(answer, secret, at), answer.data, secret)

    def _reused(self, payload_id: str, about: str) -> str:
        """A remark when the answer bears the payloadID of an answer to another message: a cached or repeated one."""
        if not payload_id:
            return ""
        before = self._answers.get(payload_id)
        self._answers[payload_id] = about
        if len(self._answers) > 4096:
            self._answers.popitem(last=False)
        if before in (None, about):
            return ""
        return f" [note: the answer's payloadID {_cxml.line(payload_id, limit=100)} answered another message before]"


def _instant(stamp: str) -> datetime:
    """For sorting cXML timestamps by time; those that say no zone or cannot be read come first."""
    first = datetime.min.replace(tzinfo=UTC)
    try:
        when = datetime.fromisoformat(stamp)
    except ValueError:
        return first
    return when if when.tzinfo else first


SETTINGS = Https
TRANSPORT = HttpsCxml
