"""The door partners push through: ``POST /cxml``. Stored raw before it is answered; no business work is done here.

An answer says who is let in (401), what is no cXML (406), and that a message is ours to keep now (200, also when it
was before). What the message means is found out later, from the stored bytes.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.parser import BytesParser
from email.policy import HTTP
from hmac import compare_digest
from http import HTTPStatus
from pathlib import Path
from typing import Annotated
from xml.sax.saxutils import escape, quoteattr, unescape

from pydantic import Field

from ..config import Duration, Strict
from ..errors import ConfigError
from ..exchange import Inbound
from . import _cxml, _inbound_http

_SECRET = re.compile(rb"<SharedSecret>([^<]{1,4096})</SharedSecret>")
_QUOTES = {"&quot;": '"', "&apos;": "'"}
_SHORTEST = 12


class Door(Strict):
    """Where the inbound endpoint listens, and how much it puts up with."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(strict=True, ge=0, le=65535)] = 8443
    certificate: Path | None = None
    """PEM chain. Without it only a loopback address is listened on, for a proxy that ends TLS."""
    key: Path | None = None
    public_url: str = ""
    """What partners call; told to those who ask with a ProfileRequest."""
    max_bytes: Annotated[int, Field(strict=True, gt=0)] = 20 * 1024 * 1024
    max_connections: Annotated[int, Field(strict=True, gt=0)] = 64
    idle_timeout: Duration = Field(default="30s", validate_default=True)
    total_timeout: Duration = Field(default="2m", validate_default=True)


Store = Callable[[Inbound], bool]


@dataclass(frozen=True, slots=True)
class _Reply:
    """A cXML Status and what the caller is counted as."""

    code: int
    text: str
    counted: str
    body: str = ""


class InboundServer:
    """Takes what partners push and hands it to *store*.

    accounts  channel name: the shared secret that partner was given. Compared in constant time.
    store     keeps the bytes for good and returns whether they were new; when it raises, the partner is told to come
              again (Status 500) and nothing is acknowledged
    clock     the time for answers, aware UTC
    counts    what happened: accepted, duplicate, unauthorised, malformed, failed, probe, refused

    The secret in a stored message is replaced by SECRET_SLOT, all other bytes are as they came.
    """

    def __init__(
        self,
        door: Door,
        *,
        accounts: Mapping[str, Callable[[], str]],
        store: Store,
        clock: Callable[[], datetime],
    ) -> None:
        for name, secret in accounts.items():
            if len(secret()) < _SHORTEST:
                told = f"the inbound secret is shorter than {_SHORTEST} characters"
                raise ConfigError(told, where=f"channel {name}", fix="choose a longer one and tell it the partner")
        context = _inbound_http.tls(door)
        self.door, self.accounts, self.store, self.clock = door, dict(accounts), store, clock
        self.counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._begun = threading.Event()
        self._http = _inbound_http.Server(self, context)

    @property
    def url(self) -> str:
        """Where it listens: ``https://127.0.0.1:8443/cxml``."""
        host, port = self._http.server_address[:2]
        scheme = "https" if self.door.certificate else "http"
        shown = str(host)
        return f"{scheme}://{f'[{shown}]' if ':' in shown else shown}:{port}/cxml"

    def serve(self) -> None:
        """Answers until ``close`` is called from another thread."""
        self._begun.set()
        try:
            self._http.serve_forever(poll_interval=0.1)
        finally:
            self._http.server_close()

    def close(self) -> None:
        """Stops listening. Answers under way are finished by their threads."""
        if self._begun.is_set():
            self._http.shutdown()
        else:
            self._http.server_close()

    def count(self, what: str) -> None:
        with self._lock:
            self.counts[what] += 1

    # -- one message

    def take(self, data: bytes, media_type: str) -> tuple[int, str, bytes]:
        """(HTTP status, media type, answer) for one posted body. Raises what ``store`` raises."""
        reply = self._judge(data, media_type)
        self.count(reply.counted)
        return 200, _cxml.MEDIA_TYPE, self._answer(reply, data)

    def not_kept(self, data: bytes) -> bytes:
        """The answer when the store failed: the partner keeps the message and sends it again."""
        return self._answer(_Reply(500, "Internal Server Error: not kept, please send it again", "failed"), data)

    def _judge(self, data: bytes, media_type: str) -> _Reply:
        part = cxml_part(data, media_type)
        try:
            root = _cxml.parse(part)
        except _cxml.Unreadable as why:
            # Not XML, yet the sender may be ours: its bytes are kept for the person who has to ask the partner.
            said = _SECRET.search(part)
            account = self._account(unescape(said.group(1).decode("utf-8", "replace"), _QUOTES) if said else "")
            if account:
                self._keep(account, f"unreadable:{_cxml.digest(data)}", data, media_type)
            return _Reply(406, f"Not Acceptable: {why}", "malformed")
        account = self._account(root.findtext("Header/Sender/Credential/SharedSecret") or "")
        if not account:
            return _Reply(401, "Unauthorized: the shared secret is not known here", "unauthorised")
        if root.find("Request/ProfileRequest") is not None:
            return _Reply(200, "OK", "probe", self._profile())
        remote_id = str(root.get("payloadID", "")) or f"sha256:{_cxml.digest(data)}"
        new = self._keep(account, remote_id, data, media_type)
        return _Reply(200, "OK", "accepted" if new else "duplicate")

    def _account(self, said: str) -> str:
        """The account whose secret was said; every one is compared, so that time tells nothing."""
        found, said = "", said.strip()
        for name, secret in self.accounts.items():
            ours = secret()
            if compare_digest(said.encode(), ours.encode()) and ours:
                found = name
        return found

    def _keep(self, account: str, remote_id: str, data: bytes, media_type: str) -> bool:
        clean = _cxml.redact(data, self.accounts[account]())
        return self.store(Inbound(f"https:{account}:push", remote_id, clean, media_type))

    def _profile(self) -> str:
        kinds = ("StatusUpdateRequest", "PaymentRemittanceRequest", "OrderRequest", "CopyRequest", "ProfileRequest")
        url = escape(self.door.public_url or self.url)
        rows = "".join(f'<Transaction requestName="{kind}"><URL>{url}</URL></Transaction>' for kind in kinds)
        return f'<ProfileResponse effectiveDate="{_stamp(self.clock())}">{rows}</ProfileResponse>'

    def _answer(self, reply: _Reply, data: bytes) -> bytes:
        """The cXML Response that says *reply* about the message *data*."""
        at = self.clock()
        payload_id = f"{at:%Y%m%d%H%M%S%f}.{_cxml.digest(data)[:16]}@einvoice"
        text = HTTPStatus(reply.code).phrase
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<!DOCTYPE cXML SYSTEM "http://xml.cxml.org/schemas/cXML/1.2.071/cXML.dtd">\n'
            f'<cXML payloadID="{payload_id}" timestamp="{_stamp(at)}" xml:lang="en"><Response>'
            f'<Status code="{reply.code}" text={quoteattr(text)} xml:lang="en">{escape(reply.text)}</Status>'
            f"{reply.body}</Response></cXML>"
        ).encode()


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def cxml_part(data: bytes, media_type: str) -> bytes:
    """The cXML of a body: the whole, or the first part of a multipart/related one (cXML with attachments)."""
    if not media_type.lower().startswith("multipart/"):
        return data
    head = f"Content-Type: {' '.join(media_type.split())}\r\n\r\n".encode("latin-1", "replace")
    message = BytesParser(policy=HTTP).parsebytes(head + data)
    part = next(message.iter_parts(), None) if message.is_multipart() else None
    content = part.get_payload(decode=True) if part is not None else None
    return content if isinstance(content, bytes) else b""
